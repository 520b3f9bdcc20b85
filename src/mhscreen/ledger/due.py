"""Due: the work list, as of a day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mhscreen.ledger.cases import Cases
from mhscreen.problems import expect
from mhscreen.steps.cells import moment

if TYPE_CHECKING:
    from mhscreen.ledger.cases import Action, Case
    from mhscreen.steps.cells import Moment

__all__ = ["WorkItem", "due", "work_list"]

_AHEAD = dt.timedelta(days=7)  # so that the last day of a month shows what is due tomorrow


@dataclass(frozen=True)
class WorkItem:
    """One thing that somebody has to do, for one pupil.

    Attributes
    ----------
    case : Case
        The pupil's case.
    action : Action
        What, by whom, by when.
    overdue : bool
        Whether its time has passed.
    """

    case: Case
    action: Action
    overdue: bool


def due(cases: Cases, on: Moment) -> list[WorkItem]:
    """Return the work list of a month: what is overdue, and what is due by its end.

    The coming week is always in it.

    Parameters
    ----------
    cases : Cases
        The folded ledger.
    on : date, datetime or str
        As of when; a date means its midnight in the programme's zone.

    Returns
    -------
    list of WorkItem
        By due time; what is held for a named person's decision comes first.

    Raises
    ------
    UsageError
        If `on` is not understood.
    """
    expect("cases", cases, Cases)
    utc: dt.datetime = moment(on, cases.zone).astype(dt.datetime)
    return work_list(cases, utc.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(cases.zone)))


def work_list(cases: Cases, now: dt.datetime, until: dt.datetime | None = None) -> list[WorkItem]:
    """Return what is open, the most pressing first.

    Parameters
    ----------
    cases : Cases
        The folded ledger.
    now : datetime
        As of when.
    until : datetime, optional
        What is due later is left out; by default the end of the month of `now`, and at least the
        coming week.

    Returns
    -------
    list of WorkItem
        By due time; what is held for a named person's decision comes first.
    """
    horizon = until or max(_end_of_month(now), now + _AHEAD)
    items = [
        WorkItem(case, action, action.overdue(now))
        for case in cases
        for action in case.open_actions
        if action.due_at is None or action.due_at <= horizon
    ]
    return sorted(items, key=_pressing)


def _pressing(item: WorkItem) -> tuple[bool, float, str, str]:
    due = item.action.due_at
    when = item.action.begins_at if due is None else due
    return due is not None, when.timestamp(), item.case.pupil_ref, item.action.id


def _end_of_month(now: dt.datetime) -> dt.datetime:
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + dt.timedelta(days=32)).replace(day=1)
