"""The month: what was opened, confirmed, moved and closed, what is overdue, what is carried on.

The ledger as it stood at the end of a month is folded, so that closing a month again gives the
same, but for what was entered late. What is open goes on into the next month by itself.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen.ledger.due import WorkItem, work_list
from mhscreen.ledger.fold import fold
from mhscreen.ledger.order import moment
from mhscreen.problems import UsageError
from mhscreen.steps.emit import find_cycle
from mhscreen.vocabulary import (
    ActivityKind,
    CaseStatus,
    ClosureReason,
    EntryType,
    MeetingTopic,
    ScreenTier,
    Stage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.ledger.cases import Case, Cases
    from mhscreen.loading import Library
    from mhscreen.vocabulary import Tier

__all__ = ["Coverage", "Month", "Move", "SchoolMonth", "Work", "close_month"]

Document = dict[str, Any]
_ENDED = (CaseStatus.NO_CASE, CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH)


@dataclass(frozen=True)
class Move:
    """A named person has set or changed the tier of a case.

    Attributes
    ----------
    case : Case
        The case at the end of the month.
    before, after : Tier or None
        The tier before; None for the first decision. And after.
    at : datetime
        When.
    """

    case: Case
    before: Tier | None
    after: Tier
    at: dt.datetime


@dataclass(frozen=True)
class Coverage:
    """How far the screening of a stage at a school has come.

    Attributes
    ----------
    stage : Stage
        The stage.
    deadline : date or None
        By when all are to be screened.
    pupils : int
        How many pupils the school has there.
    missing : tuple of Case
        Those who have not been screened this school year.
    late : bool
        Whether the deadline had passed at the end of the month.
    """

    stage: Stage
    deadline: dt.date | None
    pupils: int
    missing: tuple[Case, ...]
    late: bool


@dataclass(frozen=True)
class Work:
    """What the school did for all: meetings, lessons, activities.

    Attributes
    ----------
    meetings : int
        Meetings of the leading group.
    topics_missing : tuple of MeetingTopic
        Standing matters that no meeting of the month had on its agenda.
    lessons, activities : int
        How many.
    hours : float
        Their hours.
    """

    meetings: int
    topics_missing: tuple[MeetingTopic, ...]
    lessons: int
    activities: int
    hours: float


@dataclass(frozen=True)
class SchoolMonth:
    """The month of one school.

    Attributes
    ----------
    school : str
        Its name; empty where none was given.
    pupils : int
        The pupils whom it has.
    opened, closed, carried_forward : tuple of Case
        Cases opened and closed in the month, and those open at its end.
    confirmed, moved : tuple of Move
        First decisions on a tier, and changes of it.
    overdue : tuple of WorkItem
        What was due and not done at the end of the month.
    coverage : tuple of Coverage
        The screening, by stage.
    without_talk : tuple of Case
        Pupils who have had no talk yet in the term.
    work : Work
        What was done for all.
    """

    school: str
    pupils: int
    opened: tuple[Case, ...]
    confirmed: tuple[Move, ...]
    moved: tuple[Move, ...]
    closed: tuple[Case, ...]
    overdue: tuple[WorkItem, ...]
    carried_forward: tuple[Case, ...]
    coverage: tuple[Coverage, ...]
    without_talk: tuple[Case, ...]
    work: Work


@dataclass(frozen=True, repr=False)
class Month:
    """A month that was closed.

    Attributes
    ----------
    period : str
        ``YYYY-MM``.
    term : str
        The term that it belongs to.
    programme : str
        The programme, at its exact version.
    begins, ends : datetime
        From its first moment to that of the next month.
    recorded_until : datetime or None
        When the last entry that counts was entered; None where there is none.
    schools : tuple of SchoolMonth
        By name.
    cases : Cases
        Where the cases stood at its end.
    """

    period: str
    term: str
    programme: str
    begins: dt.datetime
    ends: dt.datetime
    recorded_until: dt.datetime | None
    schools: tuple[SchoolMonth, ...]
    cases: Cases

    def __repr__(self) -> str:
        return f"<Month: {self.period}, {len(self.schools)} schools>"


def close_month(
    entries: Iterable[Mapping[str, Any]],
    period: str,
    programme: Programme,
    *,
    library: Library | None = None,
) -> Month:
    """Close a month.

    Parameters
    ----------
    entries : iterable of mapping
        The whole ledger; what happened after the month is left out.
    period : str
        ``YYYY-MM``.
    programme : Programme
        With the windows, their deadlines and the zone.
    library : Library, optional
        Has the programmes that entries name; by default everything that is installed.

    Raises
    ------
    UsageError
        If `period` is no month, or an entry cannot be read.
    """
    begins, ends = _bounds(period, programme.zone)
    known = [
        dict(one)
        for one in entries
        if one.get("entry_type") is None or moment(one["occurred_at"]) < ends
    ]
    cases = fold(known, library=library)
    living = [one for one in known if one.get("entry_type") is not None]
    file = _File(programme, ends, living)
    here: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.entries and case.pupil_ref not in file.gone:
            here[case.org["school"]].append(case)
    late: dict[str, list[WorkItem]] = defaultdict(list)
    for item in work_list(cases, ends, ends):
        if item.overdue and item.case.pupil_ref not in file.gone:
            late[item.case.org["school"]].append(item)
    for one in living:
        if one["pupil_ref"] is None:
            here.setdefault(one["org"]["school"], [])
    schools = tuple(_school(name, here[name], late[name], file, begins) for name in sorted(here))
    recorded = max((moment(one["recorded_at"]) for one in living), default=None)
    return Month(period, file.term, programme.ref, begins, ends, recorded, schools, cases)


# -- the time -------------------------------------------------------------------------------------


def _bounds(period: str, zone: str) -> tuple[dt.datetime, dt.datetime]:
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period) is None:
        msg = f"{period!r} is no month; write it like 2026-10"
        raise UsageError(msg)
    year, month = map(int, period.split("-"))
    place = ZoneInfo(zone)
    after = (year + month // 12, month % 12 + 1)
    return dt.datetime(year, month, 1, tzinfo=place), dt.datetime(*after, 1, tzinfo=place)


class _File:
    """What the entries say that no case holds: who was screened, who was talked with, who left."""

    def __init__(
        self, programme: Programme, ends: dt.datetime, entries: Sequence[Document]
    ) -> None:
        last = (ends - dt.timedelta(seconds=1)).astimezone(dt.UTC).replace(tzinfo=None)
        cycle = find_cycle(programme, np.datetime64(last, "s"))
        self.programme, self.ends, self.term = programme, ends, cycle.term
        self.entries = entries
        self.year = cycle.id.split("/")[1]
        replaced = {one["supersedes"] for one in entries}
        standing = [one for one in entries if one["entry_id"] not in replaced]
        self.screened = {
            one["pupil_ref"]
            for one in standing
            if one["entry_type"] == EntryType.SCREENING
            and one["cycle_id"].split("/")[1] == self.year  # under whichever programme
            and one["screen_tier"] != ScreenTier.NOT_SCREENED
        }
        self.talked = {
            one["pupil_ref"]
            for one in standing
            if one["entry_type"] == EntryType.TALK and one["term"] == cycle.term
        }
        self.gone = _gone(standing)
        self.for_all = [one for one in standing if one["pupil_ref"] is None]

    def deadline(self, stage: Stage) -> dt.date | None:
        """Return the last deadline of the school year that stands for a stage."""
        first = int(self.year.partition("-")[0])
        for window in self.programme.windows:
            day = window.deadlines.get(stage)
            if day is not None:
                later = day < self.programme.school_year_begins
                return dt.date.fromisoformat(f"{first + later}-{day}")
        return None


def _gone(entries: Iterable[Document]) -> frozenset[str]:
    """Return the pupils who have left the area and of whom nothing was entered since."""
    last: dict[str, Document] = {}
    for one in sorted(entries, key=lambda one: moment(one["occurred_at"])):
        if one["pupil_ref"] is not None and one["entry_type"] != EntryType.ACCESS:
            last[one["pupil_ref"]] = one
    return frozenset(
        pupil
        for pupil, one in last.items()
        if one["entry_type"] == EntryType.CLOSURE and one["reason"] == ClosureReason.MOVED_AWAY
    )


# -- one school -----------------------------------------------------------------------------------


def _school(
    name: str, cases: Sequence[Case], late: Sequence[WorkItem], file: _File, begins: dt.datetime
) -> SchoolMonth:
    def inside(at: dt.datetime | None) -> bool:
        return at is not None and begins <= at < file.ends

    moves = [move for case in cases for move in _moves(case) if inside(move.at)]
    return SchoolMonth(
        school=name,
        pupils=len(cases),
        opened=tuple(case for case in cases if inside(case.opened_at)),
        confirmed=tuple(move for move in moves if move.before is None),
        moved=tuple(move for move in moves if move.before is not None),
        closed=tuple(case for case in cases if inside(case.closed_at)),
        overdue=tuple(late),
        carried_forward=tuple(case for case in cases if case.status not in _ENDED),
        coverage=_coverage(cases, file),
        without_talk=tuple(case for case in cases if case.pupil_ref not in file.talked),
        work=_work([one for one in file.for_all if one["org"]["school"] == name], inside),
    )


def _moves(case: Case) -> Iterable[Move]:
    before: Tier | None = None
    for decision in case.decisions:
        if decision.tier is not before:
            yield Move(case, before, decision.tier, decision.at)
        before = decision.tier


def _coverage(cases: Sequence[Case], file: _File) -> tuple[Coverage, ...]:
    found = []
    for stage in Stage:
        there = [case for case in cases if case.org["stage"] == stage]
        if there:
            deadline = file.deadline(stage)
            missing = tuple(case for case in there if case.pupil_ref not in file.screened)
            late = deadline is not None and deadline < file.ends.date()
            found.append(Coverage(stage, deadline, len(there), missing, late))
    return tuple(found)


def _work(entries: Sequence[Document], inside: Any) -> Work:
    now = [one for one in entries if inside(moment(one["occurred_at"]))]
    meetings = [one for one in now if one["entry_type"] == EntryType.MEETING]
    done = [one for one in now if one["entry_type"] == EntryType.ACTIVITY]
    topics = {topic for one in meetings for topic in one["topics"]}
    lessons = sum(one["kind"] == ActivityKind.LESSON for one in done)
    return Work(
        meetings=len(meetings),
        topics_missing=tuple(topic for topic in MeetingTopic if topic not in topics),
        lessons=lessons,
        activities=len(done) - lessons,
        hours=float(sum(one["hours"] for one in done)),
    )
