"""Long tables: one answer a row, turned into one table per slot."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.plan.scoring import answer_key
from mhscreen.steps import cells
from mhscreen.steps.columns import FORM_COLUMNS, LONG_COLUMNS, no_heading_row
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns, parse_subject
from mhscreen.steps.tables import BrokenRow, Column, Table
from mhscreen.vocabulary import Informant, Sex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.problems import ProblemLog

__all__ = ["widen"]

_REQUIRED = ("subject", "instrument", "item", "response")
_CLAIMS = ("birth_date", "sex", "class")
_KNOWN = {**LONG_COLUMNS, **FORM_COLUMNS, **{name: ROSTER_COLUMNS[name] for name in _CLAIMS}}
_MOST_COMPARED = 64  # forms of one pupil that are looked through for copies
_NOBODY = -1  # the row does not say whose it is


def widen(plan: Plan, table: Table, log: ProblemLog) -> Iterator[tuple[int, Table]]:
    """Turn a long table into one table per slot.

    A form is what one subject handed in at one time, with one birth date, sex and class where
    they are given. Where an item is answered again a second form begins: answers of two forms are
    never put together. Rows that do not say whose they are make a form with their neighbours only.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    table : Table
        One answer a row.
    log : ProblemLog
        Gets MH402, MH415, MH416 and MH601.

    Yields
    ------
    slot : int
        Place of the slot in the plan.
    table : Table
        One form a row. The first one's `broken_rows` are the rows of the long table, of whichever
        slot, that could not be read: of each subject the first.
    """
    headings = find_columns(table, _KNOWN)
    missing = [name for name in _REQUIRED if name not in headings]
    if not headings and table.columns:
        log.extend([no_heading_row(table, ())])
    elif headings and missing:
        what = f"no column {', '.join(missing)}"
        log.add("MH402", what, file=table.name, expected=", ".join(_KNOWN))
    rows = _Rows(plan, table, headings)
    forms: list[_Form] = []
    if missing:
        rows.unread.update(range(len(rows)))
    else:
        forms = _sort(plan, rows, log)
    slots = sorted({form.slot for form in forms}) or [0]
    broken = rows.broken()
    for slot in slots:
        found = [form for form in forms if form.slot == slot]
        if found or broken:
            yield slot, _turn(plan, slot, found, rows, broken)
        broken = ()


# -- rows -----------------------------------------------------------------------------------------


class _Rows:
    """The rows of a long table: what stands in each, as numbers that only need to be compared.

    Attributes
    ----------
    slot, place : ndarray of int64, shape (rows,)
        Of which form an answer is, and to which item; −1 where that does not exist.
    subject, moment : ndarray of int64
        Whose it is and when it was given, numbered; −1 where that is not said.
    claims : ndarray of int64, shape (3, rows)
        The same for what the row says of who filled in the form.
    unread : set of int
        Rows of which a person must know that they could not be read.
    follows : ndarray of bool
        Whether the row before stood directly before it, too, in the table that this is of.
    """

    def __init__(self, plan: Plan, table: Table, headings: Mapping[str, str]) -> None:
        self.table = table
        self.headings = headings
        zone = plan.programme.zone
        self.subject = self._number("subject", _subject_key)
        self.moment = self._number("administered_on", lambda cell: cells.parse_moment(cell, zone))
        self.claims = np.stack([self._number(name, parse) for name, parse in _PARSERS.items()])
        self.slot, self.place = self._find_items(plan)
        self.unread = set(np.flatnonzero(self.place < 0).tolist())
        self.follows = np.ones(len(self), dtype=bool)
        if table.row_numbers is not None:
            self.follows[1:] = np.diff(table.row_numbers) == 1

    def __len__(self) -> int:
        return self.table.rows

    def column(self, name: str) -> Column:
        """Return one of the known columns; an empty one where there is none."""
        if name in self.headings:
            return self.table.columns[self.headings[name]]
        return Column(np.full(len(self), -1, dtype=np.int32), ())

    def cell(self, name: str, row: int) -> object:
        """Return one cell."""
        column = self.column(name)
        index = int(column.index[row])
        return None if index < 0 else column.values[index]

    def where(self, row: int) -> dict[str, object]:
        """Return the place of a row, for messages."""
        return {"row": self.table.row_number(row), "subject": self.whose(row)}

    def whose(self, row: int) -> str:
        """Return the subject of a row, or nothing."""
        return _subject_key(self.cell("subject", row)) or ""

    def broken(self) -> tuple[BrokenRow, ...]:
        """Return the rows that could not be read: the first of each subject, or of neighbours."""
        found = []
        seen: set[int] = set()
        for row in sorted(self.unread):
            subject = int(self.subject[row])
            if subject == _NOBODY:
                is_first = (
                    row - 1 not in self.unread
                    or self.subject[row - 1] != _NOBODY
                    or not self.follows[row]
                )
            else:
                is_first = subject not in seen
                seen.add(subject)
            if is_first:
                found.append(BrokenRow(self.table.row_number(row), self.whose(row)))
        return tuple(found)

    def _number(self, name: str, parse: Callable[[object], object]) -> NDArray[np.int64]:
        """Return the cells of a column, numbered by what they mean; −1 for a blank."""
        column = self.column(name)
        numbers: dict[object, int] = {}
        of_values = np.full(len(column.values) + 1, -1, dtype=np.int64)
        for place, cell in enumerate(column.values):
            try:
                key = parse(cell)
            except (ValueError, OverflowError):
                key = str(cell)  # whatever it is, it is not what other cells say
            if key is not None:
                of_values[place] = numbers.setdefault(key, len(numbers))
        return of_values[column.index]

    def _find_items(self, plan: Plan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        names = ("instrument", "informant", "item")
        columns = [self.column(name) for name in names]
        every = [np.asarray(column.index, dtype=np.int64) for column in columns]
        kind, first = _together(*every)
        known = [_find_item(plan, *(self.cell(name, row) for name in names)) for row in first]
        slot, place = np.array(known, dtype=np.int64).reshape(-1, 2).T
        return slot[kind], place[kind]


def _subject_key(cell: object) -> str | None:
    """Return a subject; none where digits are lost, as it may be that of two pupils."""
    try:
        return None if cell is None else parse_subject(cell)
    except ValueError:
        return None


_PARSERS: dict[str, Callable[[object], object]] = {
    "birth_date": cells.parse_date,
    "sex": lambda cell: cells.parse_term(cell, Sex, m="male", f="female"),
    "class": cells.parse_text,
}
"""What rows may say of who filled in the form."""


def _find_item(plan: Plan, instrument: object, informant: object, item: object) -> tuple[int, int]:
    try:
        key = (cells.parse_text(instrument) or "").casefold() if instrument is not None else ""
        who = cells.parse_term(informant, Informant) if informant is not None else None
    except ValueError:
        return -1, -1
    for slot, form in enumerate(plan.forms):
        named = key in (form.slot, form.instrument)
        if named and (who is None or Informant.at(who) is form.informant):
            if who is None and key != form.slot:
                continue
            name = cells.heading_key(str(answer_key(item)))
            claims = {**form.columns, **{one.id: row for row, one in enumerate(form.items)}}
            number = {str(one.number): row for row, one in enumerate(form.items)}
            return slot, claims.get(name, number.get(name.lstrip("0"), -1))
    return -1, -1


def _together(*numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """Return a number for each row, equal where all is equal, and the first row of each."""
    code = np.zeros(len(numbers[0]), dtype=np.int64)
    first = np.zeros(0, dtype=np.int64)
    for one in numbers:
        code = code * (one.max(initial=-1) + 2) + one + 1
        _, first, code = np.unique(code, return_index=True, return_inverse=True)
    return code, first.tolist()


# -- rows into forms ------------------------------------------------------------------------------


@dataclass
class _Form:
    """One form: the row of the long table by item, and by column what else is said of it."""

    slot: int
    first: int
    rows: dict[int, int] = field(default_factory=dict)
    said: Mapping[str, int] = field(default_factory=dict)


def _sort(plan: Plan, rows: _Rows, log: ProblemLog) -> list[_Form]:
    """Return the forms, in the order in which they begin."""
    unknown = sorted(rows.unread)
    log.add_rows(
        "MH415",
        "no such questionnaire, informant or item",
        unknown,
        rows.where,
        file=rows.table.name,
        expected=", ".join(plan.slots),
    )
    keys = [answer_key(cell) for cell in rows.column("response").values]
    blank = [cells.is_blank(cell) for cell in rows.column("response").values]
    answers = rows.column("response").index.tolist()
    places = rows.place.tolist()
    given = [None if at < 0 or blank[at] else keys[at] for at in answers]
    forms: list[_Form] = []
    for pile, said in _piles(rows):
        slot = int(rows.slot[pile[0]])
        split, is_sure = _split(slot, pile, places, given)
        for form in split[1:] if len(split) > 1 else ():
            path = f"{plan.slots[slot]}.{plan.forms[slot].items[places[form.first]].id}"
            log.add(
                "MH416",
                "answered again",
                file=rows.table.name,
                path=path,
                expected="one answer to an item on one form",
                hint="a second form begins here; each is evaluated whole"
                if is_sure
                else "which answers belong to one form cannot be told; look at these rows",
                **rows.where(form.first),
            )
        if not is_sure:
            rows.unread.add(pile[0])
        for form in split:
            form.said = said
        forms += split
    return sorted(forms, key=lambda form: form.first)


def _piles(rows: _Rows) -> Iterator[tuple[list[int], dict[str, int]]]:
    """Yield the rows that one person handed in to one slot at one time, and what they say."""
    person, _ = _together(rows.slot, rows.subject, rows.moment)
    claim, _ = _together(*rows.claims)
    number = _number_piles(rows, person, claim)
    read = np.flatnonzero(rows.place >= 0)
    order = read[np.argsort(number[read], kind="stable")]
    ends = np.flatnonzero(np.diff(number[order])) + 1
    names = ("administered_on", *_PARSERS)
    columns = [rows.moment, *rows.claims]
    silent = [bool((column < 0).all()) for column in columns]
    for pile in np.split(order, ends) if len(order) else ():
        said = {
            name: int(pile[np.argmax(column[pile] >= 0)])
            for name, column, none in zip(names, columns, silent, strict=True)
            if not none
        }
        yield pile.tolist(), said


def _number_piles(
    rows: _Rows, person: NDArray[np.int64], claim: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the pile of each row; one that says less than others of the person joins them."""
    part = np.zeros(len(rows), dtype=np.int64)
    nobody = rows.subject == _NOBODY
    goes_on = np.zeros(len(rows), dtype=bool)
    goes_on[1:] = (
        (person[1:] == person[:-1])
        & (claim[1:] == claim[:-1])
        & (rows.place[1:] > rows.place[:-1])
        & (rows.place[:-1] >= 0)
        & rows.follows[1:]
    )
    part[nobody] = np.cumsum(~goes_on)[nobody]
    _, pairs = _together(person, claim)
    several = np.bincount(person[pairs], minlength=1) > 1
    known: dict[int, list[dict[int, int]]] = defaultdict(list)
    for row in np.flatnonzero(several[person] & ~nobody).tolist():
        says = {k: one for k, one in enumerate(rows.claims[:, row].tolist()) if one >= 0}
        found = known[int(person[row])]
        for place in reversed(range(len(found))):
            if all(found[place].get(k, one) == one for k, one in says.items()):
                break
        else:
            place = len(found)
            found.append({})
        found[place].update(says)
        part[row] = place
    return _together(person, part)[0]


def _split(
    slot: int, pile: list[int], places: Sequence[int], given: Sequence[str | None]
) -> tuple[list[_Form], bool]:
    """Return the forms of a pile, and whether it can be told which answers belong together."""
    rows = {places[row]: row for row in reversed(pile)}
    if len(rows) == len(pile):
        return [_Form(slot, pile[0], rows)], True
    forms = _without_copies(_one_after_another(slot, pile, places, given), given)
    times: dict[int, int] = defaultdict(int)
    for row in pile:
        times[places[row]] += 1
    if len(forms) <= max(times.values()):
        return forms, True
    return _without_copies(_side_by_side(slot, pile, places), given), False


def _one_after_another(
    slot: int, pile: list[int], places: Sequence[int], given: Sequence[str | None]
) -> list[_Form]:
    """Begin a new form where an item is answered again; the same row twice is one."""
    forms = [_Form(slot, pile[0])]
    before = pile[0]
    for row in pile:
        place, here = places[row], forms[-1].rows
        if place in here:
            if place == places[before] and given[row] == given[here[place]]:
                continue
            forms.append(_Form(slot, row))
        forms[-1].rows[place] = before = row
    return forms


def _side_by_side(slot: int, pile: list[int], places: Sequence[int]) -> list[_Form]:
    """Put the first answer to each item on one form, the second on another, and so on."""
    forms: list[_Form] = []
    times: dict[int, int] = defaultdict(int)
    for row in pile:
        time = times[places[row]]
        times[places[row]] += 1
        if time == len(forms):
            forms.append(_Form(slot, row))
        forms[time].rows[places[row]] = row
    return forms


def _without_copies(forms: list[_Form], given: Sequence[str | None]) -> list[_Form]:
    """Leave out forms whose answers all stand on another one: the same form twice."""
    answers = [
        frozenset((place, given[row]) for place, row in form.rows.items() if given[row] is not None)
        for form in forms
    ]
    first = {one: place for place, one in reversed(list(enumerate(answers)))}
    kept = sorted(first.values())
    if len(kept) <= _MOST_COMPARED:
        kept = [one for one in kept if not any(answers[one] < answers[other] for other in kept)]
    return [forms[place] for place in kept]


# -- forms into a table ---------------------------------------------------------------------------


def _turn(
    plan: Plan, slot: int, forms: list[_Form], rows: _Rows, broken: tuple[BrokenRow, ...]
) -> Table:
    """Return the forms of one slot, one a row."""
    form = plan.forms[slot]
    first = np.array([one.first for one in forms], dtype=np.int64)
    where = np.full((len(form.items), len(forms)), -1, dtype=np.int64)
    for place, one in enumerate(forms):
        where[list(one.rows), place] = list(one.rows.values())
    columns = {"subject": _take(rows.column("subject"), first)}
    for name in ("administered_on", *_PARSERS):
        if name in rows.headings:
            at = np.array([one.said.get(name, one.first) for one in forms], dtype=np.int64)
            columns[name] = _take(rows.column(name), at)
    cell_rows = {}
    for item, at in zip(form.items, where, strict=True):
        heading = f"{form.prefix}_{item.id}"
        columns[heading] = _take(rows.column("response"), at)
        cell_rows[heading] = _row_numbers(rows.table, np.where(at < 0, first, at))
    numbers = _row_numbers(rows.table, first)
    return Table(rows.table.name, columns, len(forms), numbers, broken, cell_rows=cell_rows)


def _take(column: Column, rows: NDArray[np.int64]) -> Column:
    """Return the cells of some rows; −1 gives an empty one."""
    if not len(rows):
        return Column(np.empty(0, dtype=np.int32), ())
    index = np.where(rows < 0, -1, column.index[rows])
    used, places = np.unique(index, return_inverse=True)
    blanks = int(used[0] < 0)
    values = tuple(column.values[at] for at in used[blanks:].tolist())
    return Column((places - blanks).astype(np.int32), values)


def _row_numbers(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows + 1 if table.row_numbers is None else table.row_numbers[rows]
