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
    Change,
    Concern,
    EntryType,
    FollowUpRhythm,
    PlanState,
    Response,
    Role,
    ScreenTier,
    Tier,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.definitions.programme import ActionStep
    from mhscreen.ledger.cases import Decision
    from mhscreen.ledger.decisions import Course
    from mhscreen.ledger.evidence import Evidence
    from mhscreen.ledger.order import Event

__all__ = [
    "abuse_actions",
    "abuse_flagged_by",
    "case_actions",
    "decision_actions",
    "evidence_actions",
]

_REVIEW = Due(monthly_review=True)
_STAY = Text(en="Do not leave the pupil alone", zh="须有人陪伴，不可让学生独处")
_CONTACTS = (EntryType.FOLLOW_UP, EntryType.INTERVIEW, EntryType.INTERVENTION)
_SEEN = (EntryType.INTERVIEW, EntryType.TALK, EntryType.FOLLOW_UP, EntryType.TIER_CHANGE,
         EntryType.CLOSURE)  # fmt: skip
_PROTECTED = (EntryType.INTERVIEW, EntryType.INTERVENTION, EntryType.NOTIFICATION)
_TOLD = (EntryType.NOTIFICATION, EntryType.REFERRAL)
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
            by=Role(entry["assignee"] or Role.PSYCH_TEACHER),
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
                by=Role(entry["assignee"] or Role.PSYCH_TEACHER),
                begins_at=one.event.at,
                due_at=one.event.at,
                because=one.event.id,
                done_by=_first(events, _PROTECTED, one.event.id) or answered,
                title=_STAY,
            )


def _first(events: Iterable[Event], kinds: Sequence[EntryType], named: str) -> str | None:
    fits = (e.id for e in events if e.kind in kinds and named in e.names and _reached(e))
    return next(fits, None)


def _reached(event: Event) -> bool:
    """Whether a person has really met somebody."""
    entry = event.entry
    seen = set(entry.get("observations", {"": ""}).values())
    return not (
        event.by_machine
        or entry.get("response") == Response.NOT_REACHED
        or seen == {str(Change.NOT_SEEN)}
    )


def decision_actions(
    asking: Sequence[Evidence], told: Sequence[Event], programme: Programme
) -> Iterator[Action]:
    """Yield who sets the tier, for evidence that nobody has decided on.

    What could not be settled is decided on like general; a "yes" that a person heard, like severe.
    """
    matrix = {action.tier: action for action in programme.action_matrix}
    for event in told:
        action = matrix[Tier.SEVERE]
        yield Action(
            id="set_tier",
            does=EntryType.TIER_CHANGE,
            by=action.decided_by,
            begins_at=event.at,
            due_at=_due(programme, action.decided_within or _REVIEW, event.at),
            because=event.id,
        )
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


def abuse_flagged_by(
    events: Sequence[Event], concerns: Mapping[str, Concern] | None = None
) -> list[Event]:
    """Return the entries that say that a pupil may have been harmed.

    Parameters
    ----------
    events : sequence of Event
        The pupil's entries in order.
    concerns : mapping of str to Concern, optional
        What the items of the programme ask about, by ``instrument.item``.
    """
    about = {str(Concern.ABUSE)} | {
        name for name, concern in (concerns or {}).items() if concern is Concern.ABUSE
    }
    found = []
    for event in events:
        on_form = any(
            item["concern"] == Concern.ABUSE and item["state"] == "positive"
            for item in event.entry.get("critical_items", ())
        )
        told = any(
            asked["about"] in about and asked["answer"] == Answer.YES
            for asked in event.entry.get("asked", ())
        )
        if on_form or told:
            found.append(event)
    return found


def abuse_actions(
    flagged: Sequence[Event], events: Sequence[Event], programme: Programme
) -> Iterator[Action]:
    """Yield the reports that the law asks for; what is told after a report asks for another."""
    for step in programme.where_abuse_is_suspected:
        for event in flagged:
            action = _action(step, programme, event.at, event.at, event.id, events, held=False)
            yield action
            if action.open:
                break  # one report answers all that was told before it


def case_actions(
    course: Course, events: Sequence[Event], programme: Programme, *, held: bool
) -> Iterator[Action]:
    """Yield what the programme's action matrix asks for.

    Parameters
    ----------
    course : Course
        The decisions that hold.
    events : sequence of Event
        The pupil's entries in order.
    programme : Programme
        With the matrix, the calendar and the zone.
    held : bool
        Whether word to the guardian waits for a named person.
    """
    if course.tier is None or course.decided_at is None or course.closed is not None:
        return
    matrix = {action.tier: action.steps for action in programme.action_matrix}
    decision = course.decisions[-1]
    since = course.run_from or course.decided_at
    steps = matrix.get(course.tier, ())
    for step in steps:
        waits = held and step.to is Role.GUARDIAN
        yield _action(step, programme, course.decided_at, since, decision.entry_id, events,
                      held=waits)  # fmt: skip
    asked = {(step.does, step.to) for step in steps}
    for step, earlier in _still_owed(course, matrix):
        if (step.does, step.to) in asked:
            continue
        asked.add((step.does, step.to))
        waits = held and step.to is Role.GUARDIAN
        action = _action(step, programme, earlier.at, since, earlier.entry_id, events, held=waits)
        if action.open:
            yield action


def _still_owed(
    course: Course, matrix: Mapping[Tier, Sequence[ActionStep]]
) -> Iterator[tuple[ActionStep, Decision]]:
    """Yield the notifications and referrals of the higher tiers that this case came down from.

    A lower tier ends plans and rhythms; it does not undo that somebody had to be told.
    """
    if course.tier is None:
        return
    for decision in course.decisions:
        in_run = course.run_from is None or decision.at >= course.run_from
        if in_run and decision.tier.position > course.tier.position:
            for step in matrix.get(decision.tier, ()):
                if step.does in _TOLD:
                    yield step, decision


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
        # An interview that is asked for afterwards is another than the one before the decision.
        counts_from = begins if step.does is EntryType.INTERVIEW else since
        earliest = _due(programme, step.not_before, begins)
        if earliest is not None:
            counts_from = max(counts_from, earliest.replace(hour=0, minute=0, second=0))
        done = _done(step, counts_from, events)
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
        if fits and step.does is EntryType.PLAN:
            entry = event.entry
            fits = entry["state"] != PlanState.ENDED and step.kind in (None, entry["kind"])
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
    contacts = [e for e in events if e.kind in _CONTACTS and e.at >= since and _reached(e)]
    last = max([begins, *(e.at for e in contacts)])
    day = last.astimezone(ZoneInfo(programme.zone)).date()
    due = _a_month_on(day) if every is FollowUpRhythm.MONTHLY else day + dt.timedelta(_DAYS[every])
    follow_ups = [e for e in contacts if e.kind is EntryType.FOLLOW_UP]
    agreed = follow_ups[-1].entry["next_on"] if follow_ups else None
    if agreed is not None and dt.date.fromisoformat(agreed) >= day:
        due = min(due, dt.date.fromisoformat(agreed))
    ends = dt.time.fromisoformat(programme.school_day_ends)
    return dt.datetime.combine(due, ends, tzinfo=ZoneInfo(programme.zone))


def _a_month_on(day: dt.date) -> dt.date:
    """Return the same day of the next month, or its last day."""
    first = (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    last = (first + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))
