"""Bind: answers as they come in, joined with the roster and turned into response codes.

Nothing is guessed and nothing is dropped: what is not understood becomes an unanswered item
with that reason and a problem; a form that matches no pupil is kept apart and evaluated, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.plan.scoring import answer_key
from mhscreen.problems import Problem, ProblemLog, ResponseError, UsageError
from mhscreen.steps import cells
from mhscreen.steps.columns import FORM_COLUMNS, match_columns
from mhscreen.steps.roster import (
    ROSTER_COLUMNS,
    Roster,
    find_columns,
    nameless_pupils,
    read_roster,
    subject_column,
)
from mhscreen.steps.tables import Column, Table, encode
from mhscreen.vocabulary import Informant, Requirement, Sex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan, ItemPlan
    from mhscreen.steps.columns import ColumnNames

__all__ = ["Forms", "ResponseBatch", "bind", "form_times", "read_answers"]

NOT_A_TIME = np.datetime64("NaT", "s")


@dataclass(frozen=True)
class Forms:
    """The filled-in forms of one slot.

    Attributes
    ----------
    pupil : ndarray of int64, shape (forms,)
        Place on the roster.
    codes : ndarray of uint8, shape (items, forms)
        Response codes, see `mhscreen.kernels.codes`.
    administered_on : ndarray of datetime64[s]
        When it was submitted, in UTC; NaT where not given.
    source : tuple of str
        The names of the tables that the forms came from.
    source_table : ndarray of int64
        Which of them.
    source_row : ndarray of int64
        One-based row there.
    """

    pupil: NDArray[np.int64]
    codes: NDArray[np.uint8]
    administered_on: NDArray[np.datetime64]
    source: tuple[str, ...]
    source_table: NDArray[np.int64]
    source_row: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of forms."""
        return len(self.pupil)

    def take(self, rows: NDArray[np.int64], pupil: NDArray[np.int64]) -> Forms:
        """Return some of the forms, given to other places on the roster."""
        return Forms(
            pupil,
            np.ascontiguousarray(self.codes[:, rows]),
            self.administered_on[rows],
            self.source,
            self.source_table[rows],
            self.source_row[rows],
        )


@dataclass(frozen=True)
class ResponseBatch:
    """Everything that was handed in, in the order of the roster.

    Attributes
    ----------
    roster : Roster
        The pupils.
    forms : tuple of Forms
        By slot of the plan.
    at : datetime64[s] or None
        When the pupils are screened, in UTC; ages are taken then where a form has no date.
    identity : ndarray of bool, shape (pupils,)
        Pupils whose form may belong to another, and the pupils it may belong to.
    unmatched : ResponseBatch or None
        The forms that match no pupil on the roster, each subject a pupil of its own.
    log : ProblemLog
        What was wrong.
    like : object
        An empty frame of the roster's kind, for handing back the same kind.
    """

    plan: Plan
    roster: Roster
    forms: tuple[Forms, ...]
    at: np.datetime64 | None
    identity: NDArray[np.bool_]
    unmatched: ResponseBatch | None
    log: ProblemLog = field(compare=False)
    like: object = field(default=None, compare=False)

    def take(self, pupils: NDArray[np.int64]) -> ResponseBatch:
        """Return some of the pupils with all their forms."""
        places = np.full(len(self.roster), -1, dtype=np.int64)
        places[pupils] = np.arange(len(pupils))
        forms = []
        for one in self.forms:
            kept = np.flatnonzero(places[one.pupil] >= 0)
            forms.append(one.take(kept, places[one.pupil[kept]]))
        return replace(
            self, roster=self.roster.take(pupils), forms=tuple(forms),
            identity=self.identity[pupils], unmatched=None, log=ProblemLog(),
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong, in the order in which it was found."""
        return tuple(self.log)


@dataclass
class _Found:
    """Forms of one slot as read from one table, before they are joined with the roster."""

    table: Table
    subject: NDArray[np.object_]
    codes: NDArray[np.uint8]
    administered_on: NDArray[np.datetime64]
    rows: NDArray[np.int64]
    claims: dict[str, NDArray[np.object_]]


def bind(
    plan: Plan,
    roster: Table,
    responses: Sequence[tuple[str, Table]],
    *,
    at: np.datetime64 | None = None,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: str = "raise",
) -> ResponseBatch:
    """Join responses with the roster.

    Parameters
    ----------
    plan : Plan
        A compiled programme.
    roster : Table
        One row per pupil.
    responses : sequence of (str, Table)
        Each table with its slot (``"phq9"``, ``"sdq@teacher"``), ``"wide"`` (columns of several
        slots side by side) or ``"long"`` (``subject, instrument, informant, item, response``).
    at : datetime64, optional
        When the pupils are screened, in UTC.
    columns : mapping, optional
        Column patterns or maps by slot, see `mhscreen.steps.columns`.
    on_problem : {"raise", "report"}
        Whether a problem refuses the batch, or is logged and becomes an unanswered item.

    Raises
    ------
    ResponseError
        With every problem, where `on_problem` is ``"raise"``; without a usable roster, always.
    """
    if on_problem not in ("raise", "report"):
        msg = f"on_problem is 'raise' or 'report', not '{on_problem}'"
        raise UsageError(msg)
    unknown = sorted(set(columns or ()) - set(plan.slots))
    if unknown:
        msg = f"columns: no slot {', '.join(unknown)}; there are: {', '.join(plan.slots)}"
        raise UsageError(msg)
    log = ProblemLog()
    pupils = read_roster(plan, roster, log)
    if any(problem.code == "MH501" for problem in log):
        raise ResponseError(log)
    found: list[list[_Found]] = [[] for _ in plan.forms]
    unread: set[str] = set()
    for key, table in responses:
        _read_table(plan, key, table, columns, log, found)
        unread |= {row.subject for row in table.broken_rows}
    batch = _join(plan, pupils, found, at, log)
    # A row that could not be read holds answers that nobody has seen.
    batch.roster.error[np.isin(batch.roster.subject.astype(str), sorted(unread))] = True
    if on_problem == "raise" and log.errors:
        raise ResponseError(log.errors)
    return batch


def _read_table(
    plan: Plan,
    key: str,
    table: Table,
    columns: Mapping[str, ColumnNames] | None,
    log: ProblemLog,
    found: list[list[_Found]],
) -> None:
    if table.rows == 0:
        log.add("MH412", "the table has no rows", file=table.name,
                expected="rows below the heading")
    if key == "long":
        tables = _widen(plan, table, log)
        for slot, one in tables:
            _read_slots(plan, [slot], one, None, log, found, own=True)
    elif key == "wide":
        _read_slots(plan, list(range(len(plan.forms))), table, columns, log, found, own=False)
    else:
        slot = plan.slot(key)
        if slot < 0:
            log.add("MH411", f"the programme has no slot '{key}'", file=table.name,
                    expected=", ".join((*plan.slots, "wide", "long")))
        else:
            _read_slots(plan, [slot], table, columns, log, found, own=True)


def _read_slots(
    plan: Plan,
    slots: list[int],
    table: Table,
    columns: Mapping[str, ColumnNames] | None,
    log: ProblemLog,
    found: list[list[_Found]],
    *,
    own: bool,
) -> None:
    forms = [plan.forms[slot] for slot in slots]
    matched, problems = match_columns(table, forms, columns, own=own)
    log.extend(problems)
    heading = subject_column(table)
    if heading is None:
        log.add("MH405", "no column 'subject'", file=table.name,
                expected="subject, or " + ", ".join(ROSTER_COLUMNS["subject"]))
        subject = np.full(table.rows, None, dtype=object)
    else:
        subject, _ = cells.map_column(table.columns[heading], cells.parse_text, None, "O")
    for row in np.flatnonzero(subject == None).tolist() if heading is not None else []:  # noqa: E711
        log.add("MH406", "the form does not say whose it is", file=table.name,
                row=table.row_number(row), expected="the pupil's reference",
                hint="it is evaluated and stands in the unmatched list")
    times = _read_times(plan.programme.zone, table, log)
    claims = _identity_claims(table)
    for slot, form in zip(slots, forms, strict=True):
        if form.slot not in matched:
            continue
        log.extend(matched[form.slot].problems)
        codes = read_answers(form, table, matched[form.slot].items, log, subject)
        # In a wide table, a pupil without a single answer in a slot filed no form there.
        rows = np.arange(table.rows) if own else np.flatnonzero((codes != rc.BLANK).any(axis=0))
        if not own:
            blank = codes[list(matched[form.slot].items)] if matched[form.slot].items else codes
            rows = np.flatnonzero((blank != rc.BLANK).any(axis=0))
        found[slot].append(
            _Found(table, subject[rows], codes[:, rows], times[rows], rows,
                   {name: values[rows] for name, values in claims.items()})
        )


def read_answers(
    form: FormPlan,
    table: Table,
    headings: Mapping[int, str],
    log: ProblemLog,
    subject: NDArray[np.object_] | None = None,
) -> NDArray[np.uint8]:
    """Turn the columns of one slot into response codes.

    Parameters
    ----------
    form : FormPlan
        The slot.
    table : Table
        The answers.
    headings : mapping of int to str
        Heading by item row; an item without one was not presented.
    log : ProblemLog
        Receives every answer that is not legal, without the answer.
    subject : ndarray of object, optional
        Whose each row is, for messages.

    Returns
    -------
    ndarray of uint8, shape (items, rows)
    """
    codes = np.full((len(form.items), table.rows), rc.NOT_PRESENTED, dtype=np.uint8)
    for row, heading in headings.items():
        item = form.items[row]
        codes[row] = _read_column(item, table.columns[heading])
        for place in np.flatnonzero(codes[row] == rc.ILLEGAL).tolist():
            whose = None if subject is None else subject[place]
            log.add(
                "MH401", "not a legal answer", file=table.name, path=f"{form.slot}.{item.id}",
                row=table.row_number(place), subject=whose or "", expected=item.legal,
                hint="the value is withheld; look at this row of the file",
            )
    return codes


def _read_column(item: ItemPlan, column: Column) -> NDArray[np.uint8]:
    lookup = np.full(len(column.values) + 1, rc.BLANK, dtype=np.uint8)
    for place, cell in enumerate(column.values):
        code = item.answers.get(answer_key(cell))
        if code is not None:
            lookup[place] = code
        elif not cells.is_blank(cell):
            lookup[place] = rc.ILLEGAL
    return lookup[column.index]


def _read_times(zone: str, table: Table, log: ProblemLog) -> NDArray[np.datetime64]:
    headings = find_columns(table, FORM_COLUMNS)
    times = np.full(table.rows, NOT_A_TIME, dtype="M8[s]")
    if "administered_on" in headings:
        column = table.columns[headings["administered_on"]]
        times, bad = cells.map_column(
            column, lambda cell: cells.parse_moment(cell, zone), NOT_A_TIME, "M8[s]"
        )
        for row in np.flatnonzero(bad).tolist():
            log.add("MH413", "not understood", file=table.name, path="administered_on",
                    row=table.row_number(row), expected="YYYY-MM-DD or YYYY-MM-DD HH:MM")
    return times


def _identity_claims(table: Table) -> dict[str, NDArray[np.object_]]:
    """Return what the forms say about who filled them in, where they say it."""
    parsers = {
        "birth_date": cells.parse_date,
        "sex": lambda cell: cells.parse_term(cell, Sex, m="male", f="female"),
        "class": cells.parse_text,
    }
    headings = find_columns(table, {name: ROSTER_COLUMNS[name] for name in parsers})
    return {
        name: cells.map_column(table.columns[heading], parsers[name], None, "O")[0]
        for name, heading in headings.items()
    }


def _widen(plan: Plan, table: Table, log: ProblemLog) -> Iterator[tuple[int, Table]]:
    """Turn a long table into one table per slot; one form per subject and submission."""
    known = {
        "subject": ROSTER_COLUMNS["subject"], "instrument": ("问卷",), "informant": ("评定者",),
        "item": ("题号", "条目"), "response": ("resp", "answer", "作答", "答案"), **FORM_COLUMNS,
    }
    headings = find_columns(table, known)
    missing = [name for name in ("subject", "instrument", "item", "response") if name not in headings]
    if missing:
        log.add("MH402", f"no column {', '.join(missing)}", file=table.name, expected=", ".join(known))
        return
    columns = {name: table.columns[heading].cells() for name, heading in headings.items()}
    nothing = [None] * table.rows
    forms: dict[int, dict[tuple[object, object], dict[int, object]]] = {}
    for row, (subject, instrument, informant, item, response, moment) in enumerate(
        zip(columns["subject"], columns["instrument"], columns.get("informant", nothing),
            columns["item"], columns["response"], columns.get("administered_on", nothing),
            strict=True)
    ):
        slot, place = _long_place(plan, instrument, informant, item)
        if place < 0:
            log.add("MH415", "no such questionnaire, informant or item", file=table.name,
                    row=table.row_number(row), expected=", ".join(plan.slots))
            continue
        answers = forms.setdefault(slot, {}).setdefault((subject, moment), {})
        if place in answers and answer_key(answers[place]) != answer_key(response):
            log.add("MH416", "answered twice, differently", file=table.name,
                    row=table.row_number(row),
                    path=f"{plan.slots[slot]}.{plan.forms[slot].items[place].id}",
                    expected="one answer to an item on one form", hint="the worse one is read")
            answers[place] = _worse(plan.forms[slot].items[place], answers[place], response)
        else:
            answers[place] = response
    for slot, filled in sorted(forms.items()):
        form = plan.forms[slot]
        wide = {
            f"{form.prefix}_{item.id}": encode(answers.get(place) for answers in filled.values())
            for place, item in enumerate(form.items)
            if any(place in answers for answers in filled.values())
        }
        wide["subject"] = encode(subject for subject, _ in filled)
        if "administered_on" in columns:
            wide["administered_on"] = encode(moment for _, moment in filled)
        yield slot, Table(table.name, wide, len(filled))


def _long_place(
    plan: Plan, instrument: object, informant: object, item: object
) -> tuple[int, int]:
    key = cells.parse_text(instrument) or ""
    try:
        who = cells.parse_term(informant, Informant) if informant is not None else None
    except ValueError:
        return -1, -1
    for slot, form in enumerate(plan.forms):
        named = key.casefold() in (form.slot, form.instrument)
        if named and (who is None or Informant.at(who) is form.informant):
            if who is None and key.casefold() != form.slot:
                continue
            name = cells.heading_key(str(answer_key(item)))
            claims = {**form.columns, **{one.id: row for row, one in enumerate(form.items)}}
            number = {str(one.number): row for row, one in enumerate(form.items)}
            return slot, claims.get(name, number.get(name.lstrip("0"), -1))
    return -1, -1


def _worse(item: ItemPlan, one: object, other: object) -> object:
    """Return the answer with the higher item score; a legal one before an illegal one."""
    codes = [item.answers.get(answer_key(answer), rc.ILLEGAL) for answer in (one, other)]
    scores = [int(item.scores[code]) if code < rc.FIRST_MISSING else -1 for code in codes]
    return one if scores[0] >= scores[1] else other


def _join(
    plan: Plan,
    roster: Roster,
    found: list[list[_Found]],
    at: np.datetime64 | None,
    log: ProblemLog,
) -> ResponseBatch:
    """Join forms with pupils; forms that match none get a roster of their own."""
    places = {subject: place for place, subject in enumerate(roster.subject.tolist())}
    identity = np.zeros(len(roster), dtype=bool)
    strangers: dict[str, int] = {}
    matched: list[Forms] = []
    unmatched: list[Forms] = []
    for slot, tables in enumerate(found):
        forms, pupil = _concatenate(plan.forms[slot], tables, places, strangers, log)
        known = pupil >= 0
        for table in tables:
            _compare_identity(roster, table, places, identity, log)
        matched.append(forms.take(np.flatnonzero(known), pupil[known]))
        unmatched.append(forms.take(np.flatnonzero(~known), -1 - pupil[~known]))
        _report_forms(plan, slot, roster, matched[-1], log)
        _report_ages(plan, slot, roster, matched[-1], at, log)
    rest = None
    if strangers:
        rest = ResponseBatch(
            plan, nameless_pupils(list(strangers), error=False), tuple(unmatched), at,
            np.zeros(len(strangers), dtype=bool), None, ProblemLog(),
        )
    return ResponseBatch(plan, roster, tuple(matched), at, identity, rest, log)


def _concatenate(
    form: FormPlan,
    tables: list[_Found],
    places: Mapping[str, int],
    strangers: dict[str, int],
    log: ProblemLog,
) -> tuple[Forms, NDArray[np.int64]]:
    """Put the forms of all tables together; strangers get places −1, −2, …."""
    pupil: list[int] = []
    for table in tables:
        for row, subject in zip(table.rows.tolist(), table.subject.tolist(), strict=True):
            place = places.get(subject, -1)
            if place < 0:
                number = table.table.row_number(row)
                name = subject or f"{table.table.name}:{number}"
                place = -1 - strangers.setdefault(name, len(strangers))
                if subject is not None:
                    log.add("MH407", "not on the roster", file=table.table.name, row=number,
                            subject=subject, path=form.slot,
                            hint="whose form is it? it stands first on the urgent list if it must")
            pupil.append(place)
    empty_codes = np.zeros((len(form.items), 0), dtype=np.uint8)
    forms = Forms(
        np.array(pupil, dtype=np.int64),
        np.concatenate([empty_codes, *(table.codes for table in tables)], axis=1),
        np.concatenate([np.zeros(0, "M8[s]"), *(table.administered_on for table in tables)]),
        tuple(table.table.name for table in tables),
        np.repeat(np.arange(len(tables)), [len(table.rows) for table in tables]),
        np.array([table.table.row_number(row) for table in tables for row in table.rows.tolist()],
                 dtype=np.int64),
    )
    return forms, forms.pupil


def _report_forms(plan: Plan, slot: int, roster: Roster, forms: Forms, log: ProblemLog) -> None:
    """Log duplicates and forms that the programme does not use for the pupil."""
    counts = np.bincount(forms.pupil, minlength=len(roster))
    uses = plan.uses[roster.group[forms.pupil], slot]
    for place in np.flatnonzero(counts[forms.pupil] > 1).tolist():
        log.add(
            "MH408",
            f"one of {counts[forms.pupil[place]]} forms",
            expected="one form of each pupil",
            hint="each is evaluated whole and the higher tier stands; find out which is the pupil's",
            **_where(plan, slot, roster, forms, place),
        )
    for place in np.flatnonzero(uses == Requirement.NOT_USED.position).tolist():
        log.add(
            "MH409",
            "not used for this pupil's stage and grade",
            expected=", ".join(_used_slots(plan, int(roster.group[forms.pupil[place]]))),
            hint="only its critical items count; is the stage right, and is it this pupil's form?",
            **_where(plan, slot, roster, forms, place),
        )


def _used_slots(plan: Plan, group: int) -> list[str]:
    used = plan.uses[group] != Requirement.NOT_USED.position
    return [slot for slot, yes in zip(plan.slots, used.tolist(), strict=True) if yes]


def _report_ages(
    plan: Plan, slot: int, roster: Roster, forms: Forms, at: np.datetime64 | None, log: ProblemLog
) -> None:
    """Log pupils who are outside the ages that an instrument is made for."""
    lowest, below = plan.forms[slot].ages
    ages = roster.take(forms.pupil).ages(form_times(plan, forms, at))
    for place in np.flatnonzero((ages < lowest) | (ages >= below)).tolist():
        log.add(
            "MH417",
            "outside the ages that the questionnaire is made for",
            expected=f"from {lowest:g} to below {below:g} years",
            **_where(plan, slot, roster, forms, place),
        )


def form_times(plan: Plan, forms: Forms, at: np.datetime64 | None) -> NDArray[np.datetime64]:
    """Return when each form was filled in by the local clock, else when pupils are screened."""
    screened = NOT_A_TIME if at is None else at
    times = np.where(np.isnat(forms.administered_on), screened, forms.administered_on)
    return cells.local_moments(times, plan.programme.zone)


def _where(plan: Plan, slot: int, roster: Roster, forms: Forms, place: int) -> dict[str, object]:
    return {
        "file": forms.source[forms.source_table[place]],
        "row": int(forms.source_row[place]),
        "subject": str(roster.subject[forms.pupil[place]]),
        "path": plan.slots[slot],
    }


def _compare_identity(
    roster: Roster,
    table: _Found,
    places: Mapping[str, int],
    identity: NDArray[np.bool_],
    log: ProblemLog,
) -> None:
    """Compare what forms say about their writer with the roster."""
    on_roster: dict[str, Iterable[object]] = {
        "birth_date": roster.birth_date, "sex": roster.sex, "class": roster.class_,
    }
    for row, subject in enumerate(table.subject.tolist()):
        place = places.get(subject)
        if place is None:
            continue
        differing = [
            name
            for name, values in table.claims.items()
            if not _agrees(values[row], on_roster[name][place])  # type: ignore[index]
        ]
        if differing:
            number = table.table.row_number(int(table.rows[row]))
            log.add("MH414", f"{', '.join(differing)} not as on the roster", file=table.table.name,
                    row=number, subject=subject, hint="the form may belong to another pupil")
            identity[place] = True
            identity |= _others_who_fit(roster, {n: v[row] for n, v in table.claims.items()})


def _agrees(claimed: object, known: object) -> bool:
    nothing = claimed is None or known in ("", -1) or (isinstance(known, np.datetime64) and np.isnat(known))
    return nothing or bool(claimed == known)


def _others_who_fit(roster: Roster, claims: Mapping[str, object]) -> NDArray[np.bool_]:
    """Return the pupils with the birth date (and sex and class, where given) on a form."""
    if claims.get("birth_date") is None:
        return np.zeros(len(roster), dtype=bool)
    fits = roster.birth_date == claims["birth_date"]
    if claims.get("sex") is not None:
        fits &= roster.sex == claims["sex"]
    if claims.get("class") is not None:
        fits &= roster.class_ == claims["class"]
    return fits
