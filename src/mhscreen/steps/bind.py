"""Bind: answers as they come in, joined with the roster and turned into response codes.

Nothing is guessed and nothing is dropped: what is not understood becomes an unanswered item
with that reason and a problem; a form that matches no pupil is kept apart and evaluated, too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.plan.plan import Plan
from mhscreen.problems import ProblemLog, ResponseError, UsageError, check_on_problem, expect
from mhscreen.steps import cells
from mhscreen.steps.answers import NOT_A_TIME, read_answers, read_durations, read_times
from mhscreen.steps.columns import FORM_COLUMNS, match_columns
from mhscreen.steps.identity import Candidates, Claim, Claims, compare_identity, identity_claims
from mhscreen.steps.long_table import widen
from mhscreen.steps.references import References, read_references
from mhscreen.steps.roster import (
    ROSTER_COLUMNS,
    Roster,
    find_columns,
    nameless_pupils,
    read_roster,
    subject_column,
)
from mhscreen.steps.texts import Texts
from mhscreen.vocabulary import Attendance, Requirement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan
    from mhscreen.problems import OnProblem, Problem
    from mhscreen.steps.columns import ColumnNames, Matched
    from mhscreen.steps.references import Names
    from mhscreen.steps.tables import Table

    T = TypeVar("T", bound=np.generic)

__all__ = ["Forms", "ResponseBatch", "bind", "form_ages", "form_moment"]

ONE_DAY, ONE_YEAR = np.timedelta64(1, "D"), np.timedelta64(366, "D")
AWAY = [status.position for status in Attendance if status is not Attendance.PRESENT]


@dataclass(frozen=True, eq=False, repr=False)
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
    duration_s : ndarray of float64
        How many seconds it took; NaN where not given, or where no index of the form uses it.
    """

    pupil: NDArray[np.int64]
    codes: NDArray[np.uint8]
    administered_on: NDArray[np.datetime64]
    source: tuple[str, ...]
    source_table: NDArray[np.int64]
    source_row: NDArray[np.int64]
    duration_s: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<Forms: {len(self)} forms>"

    def __len__(self) -> int:
        """Return the number of forms."""
        return len(self.pupil)

    def take(self, rows: NDArray[np.int64], pupil: NDArray[np.int64]) -> Forms:
        """Return some of the forms, given to other places on the roster."""
        return Forms(
            pupil,
            take_columns(self.codes, rows),
            self.administered_on[rows],
            self.source,
            self.source_table[rows],
            self.source_row[rows],
            self.duration_s[rows],
        )


def take_columns(codes: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return some columns, row by row: that is several times faster than both at once."""
    taken = np.empty((len(codes), len(places)), dtype=np.uint8)
    for row, into in zip(codes, taken, strict=True):
        row.take(places, out=into, mode="clip")
    return taken


@dataclass(frozen=True, eq=False, repr=False)
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
    unread : tuple of (int, str, int)
        Rows that hold something nobody has evaluated: pupil, file, row.
    claims : frozenset of Claim
        What forms say of who filled them in that is not as on the roster.
    like : object
        An empty frame of the roster's kind, for handing back the same kind.
    """

    plan: Plan
    roster: Roster
    forms: tuple[Forms, ...]
    at: np.datetime64 | None
    identity: NDArray[np.bool_]
    unmatched: ResponseBatch | None
    log: ProblemLog
    unread: tuple[tuple[int, str, int], ...] = ()
    claims: frozenset[Claim] = frozenset()
    like: object = None

    def __repr__(self) -> str:
        forms = sum(len(one) for one in self.forms)
        pupils = len(self.roster)
        return f"<ResponseBatch: {pupils} pupils, {forms} forms, {self.plan.programme.ref}>"

    def take(self, pupils: NDArray[np.int64]) -> ResponseBatch:
        """Return some of the pupils with all their forms."""
        places = np.full(len(self.roster), -1, dtype=np.int64)
        places[pupils] = np.arange(len(pupils))
        forms = []
        for one in self.forms:
            kept = np.flatnonzero(places[one.pupil] >= 0)
            forms.append(one.take(kept, places[one.pupil[kept]]))
        return replace(
            self,
            roster=self.roster.take(pupils),
            forms=tuple(forms),
            identity=self.identity[pupils],
            unmatched=None,
            unread=(),
            log=ProblemLog(),
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong, in the order in which it was found."""
        return tuple(self.log)


@dataclass
class _Found:
    """Forms of one slot as read from one table, before they are joined with the roster."""

    table: Table
    subject: References
    codes: NDArray[np.uint8]
    administered_on: NDArray[np.datetime64]
    rows: NDArray[np.int64]
    claims: Claims
    duration_s: NDArray[np.float64]

    def row_number(self, form: int) -> int:
        """Return the one-based row of a form."""
        return self.table.row_number(int(self.rows[form]))

    def take(self, places: NDArray[np.int64]) -> _Found:
        """Return some of the forms."""
        if len(places) == len(self.rows):
            return self
        return _Found(
            self.table,
            self.subject.take(places),
            take_columns(self.codes, places),
            self.administered_on[places],
            self.rows[places],
            {name: values[places] for name, values in self.claims.items()},
            self.duration_s[places],
        )


def _is_filed(codes: NDArray[np.uint8], matched: Matched) -> NDArray[np.bool_]:
    """Return the rows with anything but blanks in the columns that there are."""
    rows = list(matched.items)
    there = codes if len(rows) == len(codes) else codes[rows]
    return np.asarray(there.min(axis=0, initial=rc.BLANK) != rc.BLANK)  # a blank is the largest


def bind(
    plan: Plan,
    roster: Table,
    responses: Sequence[tuple[str, Table]],
    *,
    at: np.datetime64 | None = None,
    columns: Mapping[str, ColumnNames] | None = None,
    on_problem: OnProblem = "raise",
    candidates: Candidates | None = None,
    log: ProblemLog | None = None,
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
    candidates : Candidates, optional
        Whom forms may be by that are not by the pupil they name, where this is a part of a roster
        that was looked at before; by default they are looked for on this one.
    log : ProblemLog, optional
        Receives the problems; by default a new one.

    Raises
    ------
    ResponseError
        With every problem, where `on_problem` is ``"raise"``; without a usable roster, always.
    """
    expect("plan", plan, Plan)
    check_on_problem(on_problem)
    if columns is not None:
        expect("columns", columns, Mapping)
    unknown = sorted(set(columns or ()) - set(plan.slots))
    if unknown:
        msg = f"columns: no slot {', '.join(unknown)}; there are: {', '.join(plan.slots)}"
        raise UsageError(msg)
    log = ProblemLog() if log is None else log
    pupils = read_roster(plan, roster, log)
    if any(problem.code == "MH501" for problem in log):
        raise ResponseError(log)
    reading = _Reading(plan, columns or {}, at, log)
    for key, table in responses:
        reading.read(unicodedata.normalize("NFKC", key).strip().casefold(), table)
    batch = _join(plan, pupils, reading, at, candidates, log)
    if on_problem == "raise" and log.errors:
        raise ResponseError(log.errors)
    return batch


@dataclass(frozen=True)
class _Unread:
    """A row with something in it that nobody has evaluated."""

    subject: str | None
    guessed: bool
    file: str
    row: int


@dataclass
class _Reading:
    """What all tables together hold, before it is joined with the roster."""

    plan: Plan
    columns: Mapping[str, ColumnNames]
    at: np.datetime64 | None
    log: ProblemLog
    found: list[list[_Found]] = field(init=False)
    unread: list[_Unread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.found = [[] for _ in self.plan.forms]

    def read(self, key: str, table: Table) -> None:
        """Read one table under its key: a slot, ``wide`` or ``long``."""
        if table.rows == 0:
            self.log.add(
                "MH412", "the table has no rows", file=table.name, expected="rows below the heading"
            )
        self._broken_rows(table)
        slot = self.plan.slot(key)
        if key == "long":
            for place, one in widen(self.plan, table, self.log):
                self._broken_rows(one)
                self._read_slots([place], one, own=True)
        elif key == "wide":
            self._read_slots(list(range(len(self.plan.forms))), table, own=False)
        elif slot >= 0:
            self._read_slots([slot], table, own=True)
        else:
            self.log.add(
                "MH411",
                f"the programme has no slot '{key}'",
                file=table.name,
                expected=", ".join((*self.plan.slots, "wide", "long")),
                hint="name the file by its slot; nothing in it was evaluated",
            )
            heading = subject_column(table)
            if heading is not None:
                subject = read_references(table.columns[heading])
                self._leave_unread(table, subject, np.arange(table.rows))

    def _broken_rows(self, table: Table) -> None:
        self.unread += [
            _Unread(row.subject or None, row.guessed, table.name, row.row)
            for row in table.broken_rows
        ]

    def _leave_unread(self, table: Table, subject: References, rows: NDArray[np.int64]) -> None:
        self.unread += [
            _Unread(subject[row], guessed=False, file=table.name, row=table.row_number(row))
            for row in rows.tolist()
        ]

    def _read_slots(self, slots: list[int], table: Table, *, own: bool) -> None:
        forms = [self.plan.forms[slot] for slot in slots]
        matched, problems = match_columns(table, forms, self.columns, own=own)
        self.log.extend(problems)
        subject = self._read_subjects(table)
        if own:
            self._leave_foreign_columns(table, forms[0], subject)
        times = self._read_times(table)
        claims = identity_claims(table, self.log)
        for slot, form in zip(slots, forms, strict=True):
            if form.slot not in matched:
                continue
            self.log.extend(matched[form.slot].problems)
            codes = read_answers(form, table, matched[form.slot].items, self.log, subject)
            durations = self._read_durations(form, table, own=own)
            found = _Found(table, subject, codes, times, np.arange(table.rows), claims, durations)
            if not own:  # in a wide table, who has no answer in a slot filed no form there
                found = found.take(np.flatnonzero(_is_filed(codes, matched[form.slot])))
            self.found[slot].append(found)

    def _read_subjects(self, table: Table) -> References:
        heading = subject_column(table)
        if heading is None:
            self.log.add(
                "MH405",
                "no column 'subject'",
                file=table.name,
                expected="subject, or " + ", ".join(ROSTER_COLUMNS["subject"]),
            )
            return References.none(table.rows)
        subject = read_references(table.columns[heading])
        lost = set(subject.lost.tolist())
        self.log.add_rows(
            "MH406",
            "the form does not say whose it is",
            subject.nobody.tolist(),
            lambda row: {
                **({"what": "digits of the reference are lost"} if row in lost else {}),
                "row": table.row_number(row),
            },
            file=table.name,
            expected="the pupil's reference, as text",
            hint="it is evaluated and stands in the unmatched list",
        )
        return subject

    def _leave_foreign_columns(self, table: Table, form: FormPlan, subject: References) -> None:
        """Log columns of another questionnaire; whoever has something in one is not settled."""
        for heading, column in table.columns.items():
            key = cells.heading_key(heading)
            other = next((one.slot for one in self.plan.forms if key in one.columns), form.slot)
            if key in form.columns or other == form.slot:
                continue
            self.log.add(
                "MH419",
                f"column '{heading}' belongs to another questionnaire",
                file=table.name,
                expected=f"a file named {other}, or wide",
                hint="it is not read; the pupils with something in it are flagged as errors",
            )
            blank = np.array([*map(cells.is_blank, column.values), True])
            self._leave_unread(table, subject, np.flatnonzero(~blank[column.index]))

    def _read_times(self, table: Table) -> NDArray[np.datetime64]:
        """Return when the forms were submitted; a time that cannot be counts as not given."""
        times = read_times(self.plan.programme.zone, table, self.log)
        if self.at is None or not find_columns(table, FORM_COLUMNS):
            return times
        impossible = (times > self.at + ONE_DAY) | (times < self.at - ONE_YEAR)
        self.log.add_rows(
            "MH413",
            "a form cannot have been submitted then",
            np.flatnonzero(impossible).tolist(),
            lambda row: {"row": table.row_number(row)},
            file=table.name,
            path="administered_on",
            expected="within the year before the screening",
            hint="it counts as not given; the clock starts when the pupils are screened",
        )
        return np.where(impossible, NOT_A_TIME, times)

    def _read_durations(self, form: FormPlan, table: Table, *, own: bool) -> NDArray[np.float64]:
        """Return how long each form took, where an index uses it and the table tells.

        The time of several questionnaires side by side is not that of one of them.
        """
        if form.quality is None or not form.quality.uses_time or not own:
            return np.full(table.rows, np.nan)
        return read_durations(table, self.log)


def _join(
    plan: Plan,
    roster: Roster,
    reading: _Reading,
    at: np.datetime64 | None,
    candidates: Candidates | None,
    log: ProblemLog,
) -> ResponseBatch:
    """Join forms with pupils; forms that match none get a roster of their own."""
    identity = np.zeros(len(roster), dtype=bool)
    claims: set[Claim] = set()
    strangers: dict[str, int] = {}
    matched: list[Forms] = []
    unmatched: list[Forms] = []
    ages = _FormAges(plan, roster, at)
    for slot, tables in enumerate(reading.found):
        places = [roster.names.find(table.subject.texts) for table in tables]
        pupils = [
            _pupils(place, table.subject) for place, table in zip(places, tables, strict=True)
        ]
        for pupil, table in zip(pupils, tables, strict=True):
            _number_strangers(plan.slots[slot], table, pupil, strangers, log)
        forms = _concatenate(plan.forms[slot], tables, pupils)
        for pupil, table in zip(pupils, tables, strict=True):
            claims |= _check_identity(roster, table, pupil, identity, log)
        known = forms.pupil >= 0
        every = known.all()
        matched.append(forms if every else forms.take(np.flatnonzero(known), forms.pupil[known]))
        unmatched.append(forms.take(np.flatnonzero(~known), -1 - forms.pupil[~known]))
        _report_forms(plan, slot, roster, matched[-1], log)
        _report_ages(plan, slot, roster, matched[-1], ages, log)
    if candidates is None:
        candidates = Candidates(claims)
        candidates.look_at(roster)
    identity |= candidates.mark(roster)
    unread, unread_strangers = _place_unread(reading.unread, roster.names, strangers)
    for place, _, _ in unread:
        roster.error[place] = True
    rest = None
    if strangers:
        nameless = nameless_pupils(list(strangers), error=False)
        for place, _, _ in unread_strangers:
            nameless.error[place] = True
        rest = ResponseBatch(
            plan,
            nameless,
            tuple(unmatched),
            at,
            np.zeros(len(strangers), dtype=bool),
            None,
            ProblemLog(),
            unread=unread_strangers,
        )
    return ResponseBatch(
        plan,
        roster,
        tuple(matched),
        at,
        identity,
        rest,
        log,
        unread=unread,
        claims=frozenset(claims),
    )


def _pupils(place: NDArray[np.int64], subject: References) -> NDArray[np.int64]:
    """Return where each form's pupil stands, from where references do; −1 for nowhere."""
    if not len(place):
        return np.full(len(subject), -1, dtype=np.int64)
    pupil = place.take(subject.index, mode="clip")
    pupil[subject.nobody] = -1
    return pupil


UnreadPlaces = tuple[tuple[int, str, int], ...]


def _place_unread(
    rows: Sequence[_Unread], names: Names, strangers: dict[str, int]
) -> tuple[UnreadPlaces, UnreadPlaces]:
    """Give each row that was not evaluated to its pupil, or to a stranger: nobody is lost."""
    known, unknown = [], []
    places = names.find(Texts.of(one.subject or "" for one in rows)).tolist()
    for one, place in zip(rows, places, strict=True):
        if one.subject is not None and place >= 0:
            known.append((place, one.file, one.row))
            continue
        # What may be a name is not repeated.
        name = one.subject if one.subject and not one.guessed else f"{one.file}:{one.row}"
        unknown.append((strangers.setdefault(name, len(strangers)), one.file, one.row))
    return tuple(known), tuple(unknown)


def _check_identity(
    roster: Roster,
    table: _Found,
    pupil: NDArray[np.int64],
    identity: NDArray[np.bool_],
    log: ProblemLog,
) -> set[Claim]:
    """Log the forms that may belong to another pupil; return what they say of whose they are."""
    differing, claims = compare_identity(roster, table.claims, pupil)
    identity[pupil[list(differing)]] = True
    log.add_rows(
        "MH414",
        "not as on the roster",
        list(differing),
        lambda form: {
            "what": f"{', '.join(differing[form])} not as on the roster",
            "row": table.row_number(form),
            "subject": table.subject[form],
        },
        expected="as on the roster",
        hint="the form may belong to another pupil: both are flagged until a person has looked",
        file=table.table.name,
    )
    return claims


def _number_strangers(
    slot: str,
    table: _Found,
    pupil: NDArray[np.int64],
    strangers: dict[str, int],
    log: ProblemLog,
) -> None:
    """Give the forms that are not on the roster the places −1, −2, …."""
    unknown = np.flatnonzero(pupil < 0).tolist()
    for form in unknown:
        name = table.subject[form] or f"{table.table.name}:{table.row_number(form)}"
        pupil[form] = -1 - strangers.setdefault(name, len(strangers))
    log.add_rows(
        "MH407",
        "not on the roster",
        [form for form in unknown if table.subject.index[form] >= 0],
        lambda form: {"row": table.row_number(form), "subject": table.subject[form]},
        file=table.table.name,
        path=slot,
        hint="whose form is it? it stands first on the urgent list if it must",
    )


def _concatenate(form: FormPlan, tables: list[_Found], pupils: list[NDArray[np.int64]]) -> Forms:
    """Put the forms of all tables together."""
    none = np.zeros(0, dtype=np.int64)
    return Forms(
        _side_by_side(none, pupils),
        _side_by_side(
            np.zeros((len(form.items), 0), dtype=np.uint8), [table.codes for table in tables]
        ),
        _side_by_side(none.view("M8[s]"), [table.administered_on for table in tables]),
        tuple(table.table.name for table in tables),
        np.repeat(np.arange(len(tables)), [len(table.rows) for table in tables]),
        _side_by_side(none, [table.table.numbers[table.rows] for table in tables]),
        _side_by_side(np.zeros(0), [table.duration_s for table in tables]),
    )


def _side_by_side(none: NDArray[T], parts: Sequence[NDArray[T]]) -> NDArray[T]:
    """Return arrays put together along the last axis; a single one as it is."""
    return parts[0] if len(parts) == 1 else np.concatenate([none, *parts], axis=-1)


def _report_forms(plan: Plan, slot: int, roster: Roster, forms: Forms, log: ProblemLog) -> None:
    """Log duplicates and forms that the programme does not use for the pupil."""
    where = partial(_where, plan, slot, roster, forms)
    pupil = forms.pupil
    counts = np.bincount(pupil, minlength=len(roster))
    if (counts > 1).any():
        log.add_rows(
            "MH408",
            "one of several forms",
            np.flatnonzero(counts[pupil] > 1).tolist(),
            lambda form: {"what": f"one of {counts[pupil[form]]} forms", **where(form)},
            expected="one form of each pupil",
            hint="each is evaluated whole and the higher tier stands; whose are they?",
        )
    is_away = np.isin(roster.status, AWAY)
    if is_away.any():
        log.add_rows(
            "MH420",
            "the roster says: away",
            np.flatnonzero(is_away[pupil]).tolist(),
            lambda form: {
                "what": f"the roster says: {Attendance.at(int(roster.status[pupil[form]]))}",
                **where(form),
            },
            expected="no form",
            hint="it is evaluated; is it this pupil's form, and may it be used?",
        )
    is_used = plan.uses[:, slot] != Requirement.NOT_USED.position
    if not is_used.all():
        log.add_rows(
            "MH409",
            "not used for this pupil's stage and grade",
            np.flatnonzero(~is_used[roster.group][pupil]).tolist(),
            lambda form: {
                "expected": ", ".join(_used_slots(plan, int(roster.group[pupil[form]]))),
                **where(form),
            },
            hint="only its critical items count; is the stage right, and is it this pupil's form?",
        )


def _used_slots(plan: Plan, group: int) -> list[str]:
    used = plan.uses[group] != Requirement.NOT_USED.position
    return [slot for slot, yes in zip(plan.slots, used.tolist(), strict=True) if yes]


def _report_ages(
    plan: Plan, slot: int, roster: Roster, forms: Forms, ages: _FormAges, log: ProblemLog
) -> None:
    """Log pupils who are outside the ages that an instrument is made for."""
    lowest, below = plan.forms[slot].ages
    log.add_rows(
        "MH417",
        "outside the ages that the questionnaire is made for",
        np.flatnonzero(ages.are_outside(forms, lowest, below)).tolist(),
        partial(_where, plan, slot, roster, forms),
        expected=f"from {lowest:g} to below {below:g} years",
    )


@dataclass
class _FormAges:
    """How old pupils were when forms were filled in; where all were at one time, known but once."""

    plan: Plan
    roster: Roster
    at: np.datetime64 | None
    _at_once: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def are_outside(self, forms: Forms, lowest: float, below: float) -> NDArray[np.bool_]:
        """Return the forms of pupils younger or not younger than that."""
        when = form_moment(self.plan, forms, self.at)
        if when is None:
            ages = form_ages(self.plan, self.roster, forms, self.at)
            return np.asarray((ages < lowest) | (ages >= below))
        moment = str(when[0])
        if moment not in self._at_once:
            self._at_once[moment] = self.roster.ages(when)
        ages = self._at_once[moment]
        return np.asarray((ages < lowest) | (ages >= below))[forms.pupil]


def form_ages(
    plan: Plan, roster: Roster, forms: Forms, at: np.datetime64 | None
) -> NDArray[np.float64]:
    """Return how old each pupil was when the form was filled in, in years; NaN where not known."""
    born, age = roster.birth_date[forms.pupil], roster.age[forms.pupil]
    return cells.age_in_years(born, form_times(plan, forms, at), age)


def form_moment(
    plan: Plan, forms: Forms, at: np.datetime64 | None
) -> NDArray[np.datetime64] | None:
    """Return when all forms were filled in by the local clock; None where at several times."""
    given = forms.administered_on.view(np.int64)
    if len(given) and not (given == given[0]).all():
        return None
    first = forms.administered_on[:1] if len(given) else np.full(1, NOT_A_TIME)
    screened = NOT_A_TIME if at is None else at
    return cells.local_moments(np.where(np.isnat(first), screened, first), plan.programme.zone)


def form_times(plan: Plan, forms: Forms, at: np.datetime64 | None) -> NDArray[np.datetime64]:
    """Return when each form was filled in by the local clock, else when pupils are screened."""
    screened = NOT_A_TIME if at is None else at
    times = np.where(np.isnat(forms.administered_on), screened, forms.administered_on)
    return cells.local_moments(times, plan.programme.zone)


def _where(plan: Plan, slot: int, roster: Roster, forms: Forms, place: int) -> dict[str, object]:
    return {
        "file": forms.source[forms.source_table[place]],
        "row": int(forms.source_row[place]),
        "subject": roster.references[int(forms.pupil[place])],
        "path": plan.slots[slot],
    }
