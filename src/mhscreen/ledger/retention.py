"""Retention: whose entries have been kept as long as the programme says."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mhscreen.ledger.erasure import is_on_hold, is_protected
from mhscreen.ledger.fold import fold
from mhscreen.ledger.order import moment as moment_of
from mhscreen.loading import installed_library
from mhscreen.problems import UsageError
from mhscreen.steps.cells import moment
from mhscreen.vocabulary import CaseStatus, EntryType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.ledger.cases import Case
    from mhscreen.loading import Library
    from mhscreen.steps.cells import Moment

__all__ = ["RetentionEnd", "retention_ends"]

_OVER = (CaseStatus.CLOSED, CaseStatus.NO_CASE)


@dataclass(frozen=True)
class RetentionEnd:
    """A pupil whose entries have been kept long enough.

    Attributes
    ----------
    pupil_ref, school : str
        Whose entries.
    since : date
        From which day on the months run: the closure of the case, or the last entry.
    due_on : date
        When they are over.
    entries : int
        How many entries would go.
    on_hold : bool
        Whether a legal hold keeps them all the same.
    """

    pupil_ref: str
    school: str
    since: dt.date
    due_on: dt.date
    entries: int
    on_hold: bool


def retention_ends(
    entries: Iterable[Mapping[str, Any]], on: Moment, *, library: Library | None = None
) -> list[RetentionEnd]:
    """Return whose entries are due for erasure on a day, the longest overdue first.

    A pupil with an open case is never due, nor one who is still watched after a closure. For a
    pupil whose case was closed the months run from the closure, or from the last entry if that is
    later; for one without a case from the last entry. Nothing is erased.

    Parameters
    ----------
    entries : iterable of mapping
        The entries of a ledger.
    on : date, datetime or str
        The day.
    library : Library, optional
        Has the programmes that the entries name, with what they say of retention; by default
        everything installed.

    Raises
    ------
    UsageError
        If none of the programmes sets a retention period.
    """
    library = library or installed_library()
    by_pupil: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry.get("pupil_ref") is not None:
            by_pupil[entry["pupil_ref"]].append(entry)
    cases = fold((one for several in by_pupil.values() for one in several), library=library)
    programmes = _programmes(by_pupil, library)
    if by_pupil and all(one.retention is None for one in programmes.values()):
        msg = f"{', '.join(sorted(programmes))}: no retention period is set; set one in a programme"
        raise UsageError(msg)
    ends = (
        _end(cases[pupil], several, programmes[_last(several)["programme"]])
        for pupil, several in by_pupil.items()
    )
    found = [
        end
        for end in ends
        if end is not None and end.due_on <= _day(on, programmes)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.due_on, one.pupil_ref))


def _end(
    case: Case, entries: Sequence[Mapping[str, Any]], programme: Programme
) -> RetentionEnd | None:
    kept = [one for one in entries if one["entry_type"] != EntryType.ERASURE]
    if not kept or programme.retention is None or case.status not in _OVER or is_protected(case):
        return None
    last = moment_of(_last(kept)["occurred_at"])
    months, since = programme.retention.months_after_screening, last
    if case.closed_at is not None:
        months = programme.retention.months_after_closure
        since = max(case.closed_at, last)
    day = since.astimezone(ZoneInfo(programme.zone)).date()
    return RetentionEnd(
        case.pupil_ref,
        str(case.org.get("school", "")),
        day,
        add_months(day, months),
        len(kept),
        is_on_hold(kept),
    )


def add_months(day: dt.date, months: int) -> dt.date:
    """Return the same day so many months later, or the last of that month.

    Examples
    --------
    >>> add_months(dt.date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _last(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(entries, key=lambda one: (moment_of(one["occurred_at"]), one["entry_id"]))


def _programmes(
    by_pupil: Mapping[str, Sequence[Mapping[str, Any]]], library: Library
) -> dict[str, Programme]:
    refs = {entry["programme"] for several in by_pupil.values() for entry in several}
    return {ref: library.programme(ref).definition for ref in sorted(refs)}


def _day(on: Moment, programmes: Mapping[str, Programme]) -> dt.date:
    zone = next(iter(programmes.values())).zone
    when = moment(on, zone).astype(dt.datetime).replace(tzinfo=dt.UTC)
    day: dt.date = when.astimezone(ZoneInfo(zone)).date()
    return day
