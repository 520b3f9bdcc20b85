"""Cases and work lists as columns, for frames and files; codes, never a bare number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping

    from mhscreen.ledger.cases import Case
    from mhscreen.ledger.due import WorkItem

__all__ = ["case_columns", "work_columns"]

Columns = dict[str, list[Any]]

_PLACE = ("district", "school", "stage", "grade", "class")


def case_columns(cases: Iterable[Case], now: dt.datetime | None = None) -> Columns:
    """Return one row per pupil.

    Parameters
    ----------
    cases : iterable of Case
        The folded ledger, or some of it.
    now : datetime, optional
        As of when `overdue` counts; without it there is no such column.
    """
    rows = list(cases)
    columns: Columns = {"pupil": [case.pupil_ref for case in rows]}
    columns |= _place(case.org for case in rows)
    columns |= {
        "status": [str(case.status) for case in rows],
        "screen_tier": [_code(case.screen_tier) for case in rows],
        "case_tier": [_code(case.case_tier) for case in rows],
        "to_confirm": [len(case.to_confirm) for case in rows],
        "open_actions": [len(case.open_actions) for case in rows],
        "next_due_at": [_next_due(case) for case in rows],
        "flags": [";".join(case.flags) for case in rows],
        "problem_classes": [";".join(case.problem_classes) for case in rows],
        "referral": [None if case.referral is None else case.referral.outcome for case in rows],
        "attendance": [_code(case.attendance) for case in rows],
        "opened_at": [_time(case.opened_at) for case in rows],
        "closed_at": [_time(case.closed_at) for case in rows],
    }
    if now is not None:
        columns["overdue"] = [len(case.overdue(now)) for case in rows]
    return columns


def work_columns(items: Iterable[WorkItem]) -> Columns:
    """Return one row per thing to do, in the order given."""
    rows = list(items)
    columns: Columns = {"pupil": [item.case.pupil_ref for item in rows]}
    columns |= _place(item.case.org for item in rows)
    return columns | {
        "action": [item.action.id for item in rows],
        "does": [str(item.action.does) for item in rows],
        "does_zh": [item.action.does.zh for item in rows],
        "title": [None if item.action.title is None else item.action.title.en for item in rows],
        "title_zh": [None if item.action.title is None else item.action.title.zh for item in rows],
        "by": [str(item.action.by) for item in rows],
        "to": [_code(item.action.to) for item in rows],
        "due_at": [_time(item.action.due_at) for item in rows],
        "overdue": [item.overdue for item in rows],
        "held": [item.action.held for item in rows],
        "because": [item.action.because for item in rows],
    }


def _place(orgs: Iterable[Mapping[str, Any]]) -> Columns:
    found = list(orgs)
    return {name: [org.get(name) for org in found] for name in _PLACE}


def _next_due(case: Case) -> str | None:
    times = [action.due_at for action in case.open_actions if action.due_at is not None]
    return _time(min(times, default=None))


def _code(term: str | None) -> str | None:
    return None if term is None else str(term)


def _time(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
