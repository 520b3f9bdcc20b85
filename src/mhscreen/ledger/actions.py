"""Actions: who does what by when, from the machine's evidence and from a person's decision.

The machine's evidence decides only who sees the pupil, immediate protection, and the report that
the law asks for where harm is suspected. Everything else waits for a named person's tier.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen.definitions.common import Text
from mhscreen.definitions.policy import Due
from mhscreen.ledger.cases import Action
from mhscreen.steps.due import due_times
from mhscreen.vocabulary import (
    Answer,
    Concern,
    EntryType,
    FollowUpRhythm,
    Role,
    ScreenTier,
    Tier,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.definitions.programme import ActionStep
    from mhscreen.ledger.decisions import Course
    from mhscreen.ledger.evidence import Evidence
    from mhscreen.ledger.order import Event

__all__ = ["abuse_flagged_by", "case_actions", "decision_actions", "evidence_actions"]

_REVIEW = Due(monthly_review=True)
_STAY = Text(en="Do not leave the pupil alone", zh="须有人陪伴，不可让学生独处")
_CONTACTS = (EntryType.FOLLOW_UP, EntryType.INTERVIEW, EntryType.INTERVENTION)
_SEEN = (EntryType.INTERVIEW, EntryType.TALK, EntryType.FOLLOW_UP, EntryType.TIER_CHANGE,
         EntryType.CLOSURE)  # fmt: skip
_PROTECTED = (EntryType.INTERVIEW, EntryType.INTERVENTION, EntryType.NOTIFICATION)
_DAYS = {FollowUpRhythm.DAILY: 1, FollowUpRhythm.WEEKLY: 7}


def evidence_actions(evidence: Sequence[Evidence], events: Sequence[Event]) -> Iterator[Action]:
    """Yield who sees the pupil by when, and who stays with a pupil in danger now.

    Parameters
    ----------
    evidence : sequence of Evidence
        The screening entries as they count.
    events : sequence of Event
        The pupil's entries in order.
    """
    for one in evidence:
        entry = one.event.entry
        due = one.due_at
        counts = one.current or one.tier.position >= Tier.GENERAL.position
        if due is None or not counts or one.shown is ScreenTier.NONE:
            continue
        answered = _first(events, _SEEN, one.event.id)
        yield Action(
            id="see_pupil",
            does=EntryType.INTERVIEW,
            by=Role(entry["assignee"]),
            begins_at=one.event.at,
            due_at=due,
            because=one.event.id,
            done_by=answered,
        )
        if one.tier is Tier.MAJOR and any(
            item["window"] == Window.NOW and item["state"] == "positive"
            for item in entry["critical_items"]
        ):
            yield Action(
                id="stay_with_pupil",
                does=EntryType.INTERVENTION,
                by=Role(entry["assignee"]),
                begins_at=one.event.at,
                due_at=one.event.at,
                because=one.event.id,
                done_by=_first(events, _PROTECTED, one.event.id) or answered,
                title=_STAY,
            )


def _first(events: Iterable[Event], kinds: Sequence[EntryType], named: str) -> str | None:
    return next((e.id for e in events if e.kind in kinds and named in e.names), None)


def decision_actions(asking: Sequence[Evidence], programme: Programme) -> Iterator[Action]:
    """Yield who sets the tier, for evidence that nobody has decided on.

    What could not be settled is decided on like general.
    """
    matrix = {action.tier: action for action in programme.action_matrix}
    for one in asking:
        unsettled = one.shown is ScreenTier.UNDETERMINED
        action = matrix[Tier.GENERAL if unsettled else one.tier]
        yield Action(
            id="set_tier",
            does=EntryType.TIER_CHANGE,
            by=action.decided_by,
            begins_at=one.event.at,
            due_at=_due(programme, action.decided_within or _REVIEW, one.event.at),
            because=one.event.id,
        )


def abuse_flagged_by(events: Sequence[Event]) -> Event | None:
    """Return the first entry that says that a pupil may have been harmed; None where none does."""
    for event in events:
        on_form = any(
            item["concern"] == Concern.ABUSE and item["state"] == "positive"
            for item in event.entry.get("critical_items", ())
        )
        told = any(
            asked["about"] == Concern.ABUSE and asked["answer"] == Answer.YES
            for asked in event.entry.get("asked", ())
        )
        if on_form or told:
            return event
    return None


def case_actions(course: Course, events: Sequence[Event], programme: Programme) -> Iterator[Action]:
    """Yield what the programme's action matrix asks for.

    Parameters
    ----------
    course : Course
        The decisions that hold.
    events : sequence of Event
        The pupil's entries in order.
    programme : Programme
        With the matrix, the calendar and the zone.
    """
    flagged = abuse_flagged_by(events)
    if flagged is not None:
        for step in programme.where_abuse_is_suspected:
            yield _action(step, programme, flagged.at, flagged.at, flagged.id, events, held=False)
    if course.tier is None or course.decided_at is None or course.closed is not None:
        return
    matrix = {action.tier: action.steps for action in programme.action_matrix}
    decision = course.decisions[-1]
    since = course.run_from or course.decided_at
    for step in matrix.get(course.tier, ()):
        held = flagged is not None and step.to is Role.GUARDIAN
        yield _action(step, programme, course.decided_at, since, decision.entry_id, events,
                      held=held)  # fmt: skip


def _action(
    step: ActionStep,
    programme: Programme,
    begins: dt.datetime,
    since: dt.datetime,
    because: str,
    events: Sequence[Event],
    *,
    held: bool,
) -> Action:
    due: dt.datetime | None
    done: str | None = None
    if step.every is not None:
        due = _next_contact(step.every, programme, begins, since, events)
    else:
        due = _due(programme, step.due, begins)
        done = _done(step, since, events)
    return Action(
        id=step.id,
        does=step.does,
        by=step.by,
        begins_at=begins,
        due_at=None if held and done is None else due,
        because=because,
        to=step.to,
        through=step.through,
        done_by=done,
        held=held and done is None,
        title=step.title,
    )


def _done(step: ActionStep, since: dt.datetime, events: Iterable[Event]) -> str | None:
    for event in events:
        fits = event.kind is step.does and event.at >= since and not event.by_machine
        if fits and step.does is EntryType.NOTIFICATION:
            entry = event.entry
            reached = entry["response"] != "not_reached"
            ways = {str(channel) for channel in step.through}
            fits = entry["to"] == step.to and reached and (not ways or entry["channel"] in ways)
        if fits:
            return event.id
    return None


def _due(programme: Programme, due: Due | None, begins: dt.datetime) -> dt.datetime | None:
    if due is None:
        return None
    clock = np.array([begins.astimezone(dt.UTC).replace(tzinfo=None)], dtype="M8[s]")
    moment: dt.datetime = due_times(programme, due, clock)[0].astype(dt.datetime)
    return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(programme.zone))


def _next_contact(
    every: FollowUpRhythm,
    programme: Programme,
    begins: dt.datetime,
    since: dt.datetime,
    events: Iterable[Event],
) -> dt.datetime:
    """Return by when the pupil is to be seen next; a person may say sooner, never later."""
    contacts = [e for e in events if e.kind in _CONTACTS and e.at >= since]
    last = max([begins, *(e.at for e in contacts)])
    day = last.astimezone(ZoneInfo(programme.zone)).date()
    due = _a_month_on(day) if every is FollowUpRhythm.MONTHLY else day + dt.timedelta(_DAYS[every])
    agreed = contacts[-1].entry.get("next_on") if contacts else None
    if agreed is not None:
        due = min(due, dt.date.fromisoformat(agreed))
    ends = dt.time.fromisoformat(programme.school_day_ends)
    return dt.datetime.combine(due, ends, tzinfo=ZoneInfo(programme.zone))


def _a_month_on(day: dt.date) -> dt.date:
    """Return the same day of the next month, or its last day."""
    first = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    last = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))
