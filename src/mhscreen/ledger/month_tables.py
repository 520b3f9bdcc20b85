"""The month as sheets: one line per school, and who stands behind the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.ledger.cases import Case
    from mhscreen.ledger.month import Month, Move, SchoolMonth
    from mhscreen.ledger.queue import QueueItem

__all__ = ["month_tables", "queue_table"]

Sheet = dict[str, list[Any]]
_PUPIL = ("pupil", "school", "stage", "grade", "class")


def month_tables(month: Month) -> dict[str, Sheet]:
    """Return the sheets of a month, for the psychology teacher and the leading group.

    Parameters
    ----------
    month : Month
        The month that was closed.

    Returns
    -------
    dict of str to dict
        ``schools`` (one line per school), ``coverage`` (one per school and stage), and by pupil
        ``opened``, ``confirmed`` (first decisions), ``moved``, ``closed``, ``overdue``,
        ``carried_forward``, ``not_screened`` and ``without_talk``. Codes, never an answer or free
        text.
    """
    schools = month.schools
    return {
        "schools": _sheet(
            ("period", "school", "pupils", "opened", "confirmed", "moved", "closed", "overdue",
             "carried_forward", "screened", "not_screened", "past_deadline", "without_talk",
             "meetings", "topics_missing", "lessons", "activities", "hours"),
            [(month.period, *_numbers(school)) for school in schools],
        ),
        "coverage": _sheet(
            ("school", "stage", "pupils", "screened", "not_screened", "deadline", "late"),
            [
                (school.school, str(one.stage), one.pupils, one.pupils - len(one.missing),
                 len(one.missing), _text(one.deadline), one.late)
                for school in schools
                for one in school.coverage
            ],
        ),
        "opened": _cases((case for one in schools for case in one.opened), "opened_at"),
        "confirmed": _moves(move for one in schools for move in one.confirmed),
        "moved": _moves(move for one in schools for move in one.moved),
        "closed": _cases((case for one in schools for case in one.closed), "closed_at"),
        "overdue": _sheet(
            (*_PUPIL, "action", "does", "by", "due_at"),
            [
                (*_pupil(item.case), item.action.id, str(item.action.does), str(item.action.by),
                 _text(item.action.due_at))
                for one in schools
                for item in one.overdue
            ],
        ),
        "carried_forward": _cases(
            (case for one in schools for case in one.carried_forward), "opened_at", "next_due_at"
        ),
        "not_screened": _sheet(
            (*_PUPIL, "attendance", "deadline", "late"),
            [
                (*_pupil(case), _text(case.attendance), _text(one.deadline), one.late)
                for school in schools
                for one in school.coverage
                for case in one.missing
            ],
        ),
        "without_talk": _sheet(
            _PUPIL, [_pupil(case) for one in schools for case in one.without_talk]
        ),
    }  # fmt: skip


def queue_table(queue: Sequence[QueueItem]) -> Sheet:
    """Return the re-screen queue as a sheet; what is asked, never what was answered."""
    rows = [
        (place, *_pupil(item.case), str(item.shown), str(item.standing), str(item.possible),
         item.critical, "; ".join(_question(one.slot, one.names) for one in item.ask))
        for place, item in enumerate(queue, start=1)
    ]  # fmt: skip
    names = ("rank", *_PUPIL, "screen_tier", "standing_tier", "possible_tier", "critical", "ask")
    return _sheet(names, rows)


def _question(slot: str, names: Sequence[str]) -> str:
    return f"{slot}: {', '.join(names)}" if names else slot


def _numbers(one: SchoolMonth) -> tuple[Any, ...]:
    missing = sum(len(stage.missing) for stage in one.coverage)
    late = sum(len(stage.missing) for stage in one.coverage if stage.late)
    lists = (one.opened, one.confirmed, one.moved, one.closed, one.overdue, one.carried_forward)
    screened = sum(stage.pupils for stage in one.coverage) - missing
    work = one.work
    return (
        one.school, one.pupils, *map(len, lists), screened, missing, late, len(one.without_talk),
        work.meetings, ", ".join(map(str, work.topics_missing)), work.lessons, work.activities,
        work.hours,
    )  # fmt: skip


def _cases(cases: Iterable[Case], *times: str) -> Sheet:
    rows = [
        (*_pupil(case), str(case.status), _text(case.screen_tier), _text(case.case_tier),
         *(_text(_time(case, name)) for name in times))
        for case in cases
    ]  # fmt: skip
    return _sheet((*_PUPIL, "status", "screen_tier", "case_tier", *times), rows)


def _time(case: Case, name: str) -> object:
    if name != "next_due_at":
        return getattr(case, name)
    return min((one.due_at for one in case.open_actions if one.due_at is not None), default=None)


def _moves(moves: Iterable[Move]) -> Sheet:
    rows = [(*_pupil(one.case), _text(one.before), str(one.after), _text(one.at)) for one in moves]
    return _sheet((*_PUPIL, "previous_tier", "case_tier", "decided_at"), rows)


def _pupil(case: Case) -> tuple[Any, ...]:
    org: Mapping[str, Any] = case.org
    return case.pupil_ref, org["school"], org["stage"], org["grade"], org["class"]


def _sheet(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Sheet:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
