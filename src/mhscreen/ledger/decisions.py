"""Decisions: what a named person may set, by the step-down rules of the policy."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mhscreen.ledger.cases import Decision
from mhscreen.ledger.evidence import heard
from mhscreen.problems import Problem
from mhscreen.vocabulary import Change, ConfirmBasis, EntryType, ScreenTier, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.definitions.policy import Policy, StepDown
    from mhscreen.ledger.evidence import Evidence
    from mhscreen.ledger.order import Event

__all__ = ["Course", "follow_course"]


@dataclass
class Course:
    """The course that people's decisions have given a case.

    Attributes
    ----------
    tier : Tier or None
        The tier that a person has set; None while nobody has.
    decisions : list of Decision
        Those that hold, oldest first.
    covered : set of str
        The entries that these decisions name.
    run_from : datetime or None
        Since when the tier has been at least as high: what was done before does not count for it.
    decided_at : datetime or None
        When the clock of the tier's steps began.
    closed : Event or None
        The closure that holds.
    problems : list of Problem
        MH803, MH804: what was refused.
    """

    tier: Tier | None = None
    decisions: list[Decision] = field(default_factory=list)
    covered: set[str] = field(default_factory=set)
    run_from: dt.datetime | None = None
    decided_at: dt.datetime | None = None
    closed: Event | None = None
    problems: list[Problem] = field(default_factory=list)


def follow_course(
    events: Sequence[Event], evidence: Sequence[Evidence], policies: Mapping[str, Policy]
) -> Course:
    """Go through the decisions of one pupil in order.

    Parameters
    ----------
    events : sequence of Event
        The pupil's entries in order.
    evidence : sequence of Evidence
        The screening entries as they count.
    policies : mapping of str to Policy
        By the exact reference of the programme.
    """
    course = Course()
    for event in events:
        policy = policies[event.entry["programme"]]
        if event.kind is EntryType.TIER_CHANGE:
            _decide(course, event, events, evidence, policy)
        elif event.kind is EntryType.CLOSURE:
            _close(course, event, events, evidence, policy)
    return course


def _decide(
    course: Course,
    event: Event,
    events: Sequence[Event],
    evidence: Sequence[Evidence],
    policy: Policy,
) -> None:
    entry, tier, before = event.entry, event.tier, course.tier
    if event.by_machine:
        _refuse(course, event, "MH803", "a machine decides nothing")
        return
    if tier is Tier.NONE and any(one.entry.get("known") for one in events if one.at <= event.at):
        what = "a confirmed lifetime item or diagnosis keeps the pupil at watch"
        _refuse(course, event, "MH803", what, f"'{Tier.WATCH}' or higher")
        return
    if before is not None and tier.position < before.position:
        refusal = _against_step_down(course, event, events, evidence, policy)
        if refusal:
            _refuse(course, event, "MH803", *refusal)
            return
    below = [e for e in evidence if e.event.id in event.names and e.tier.position > tier.position]
    newest = max((e.event.at for e in below), default=event.at)
    if below and not _may_dismiss(event, [one for one in events if one.at >= newest]):
        what = "sets a tier below the evidence that it names, without an interview after it"
        expected = "an interview among the named entries, or a document or review with a reviewer"
        _refuse(course, event, "MH803", what, expected)
        # As a decision it still stands where it does not lower; that evidence is not settled.
        covered = {name for name in event.names if name not in {e.event.id for e in below}}
    else:
        covered = set(event.names)
    raised = before is None or course.closed is not None or tier.position > before.position
    if raised:
        new = set(event.names) - course.covered
        named = [one.at for one in events if one.id in new]
        course.run_from = min([event.at, *named])
    if raised or (before is not None and tier.position < before.position):
        course.decided_at = event.at
    course.tier = tier
    course.closed = None
    course.covered |= covered
    course.decisions.append(
        Decision(
            tier,
            event.id,
            entry["author"],
            entry["role"],
            entry["basis"],
            entry["reason"],
            entry["reviewer"],
            event.at,
        )
    )


def _may_dismiss(event: Event, events: Iterable[Event]) -> bool:
    if _names_interview(event, events):
        return True
    bases = (ConfirmBasis.MEDICAL_DOCUMENT, ConfirmBasis.TEAM_REVIEW)
    return event.entry["basis"] in bases and _reviewed(event)


def _names_interview(event: Event, events: Iterable[Event]) -> bool:
    return any(one.kind is EntryType.INTERVIEW and one.id in event.names for one in events)


def _reviewed(event: Event) -> bool:
    return event.entry["reviewer"] not in (None, event.entry["author"])


def _against_step_down(
    course: Course,
    event: Event,
    events: Sequence[Event],
    evidence: Sequence[Evidence],
    policy: Policy,
) -> tuple[str, str] | None:
    """Return what the policy asks for and the decision lacks; None where it lacks nothing."""
    before = course.tier
    step = next((one for one in policy.step_down if one.from_ is before), None)
    if step is None:
        return f"{policy.ref} lowers no case from '{before}'", ""
    if event.tier is not step.to:
        return "lowers the case by more than one step", f"'{step.to}'"
    if event.entry["basis"] not in step.bases:
        return "does not rest on what the policy asks for", ", ".join(step.bases)
    if event.entry["basis"] == ConfirmBasis.INTERVIEW and not _names_interview(event, events):
        return "rests on an interview and names none", "the interview among the named entries"
    if step.reviewer and not _reviewed(event):
        return "nobody else has reviewed it", "a reviewer who is not its author"
    return _too_early(course, event, events, evidence, step)


def _too_early(
    course: Course,
    event: Event,
    events: Sequence[Event],
    evidence: Sequence[Evidence],
    step: StepDown,
) -> tuple[str, str] | None:
    confirmed = [d.at for d in course.decisions if d.tier.position >= step.from_.position]
    stable = _stable_months(events, max(confirmed, default=None), event.at)
    if stable < step.stable_follow_ups:
        what = f"{stable} stable follow-ups went before"
        return what, f"{step.stable_follow_ups}, each in a month of its own"
    signs = [one.event.at for one in evidence if one.tier.position >= step.from_.position]
    signs += confirmed
    signs += [one.at for one in heard(events)]
    last = max((at for at in signs if at <= event.at), default=None)
    if last is not None and event.at - last < dt.timedelta(days=step.quiet_days):
        what = f"fewer than {step.quiet_days} days have passed since the last evidence of the tier"
        return what, f"{step.quiet_days} days"
    return None


def _stable_months(events: Sequence[Event], since: dt.datetime | None, until: dt.datetime) -> int:
    """Return in how many months the pupil was seen without a worsening, after the last one."""
    months: set[str] = set()
    for event in events:
        inside = event.at <= until and (since is None or event.at >= since)
        if event.kind is not EntryType.FOLLOW_UP or not inside:
            continue
        seen = set(event.entry["observations"].values())
        if Change.WORSE in seen:
            months.clear()
        elif seen != {str(Change.NOT_SEEN)}:
            months.add(event.entry["period"])
    return len(months)


def _close(
    course: Course,
    event: Event,
    events: Sequence[Event],
    evidence: Sequence[Evidence],
    policy: Policy,
) -> None:
    if event.by_machine:
        _refuse(course, event, "MH804", "a machine closes nothing")
        return
    at_most = Tier.WATCH if policy.closure is None else policy.closure.at_most
    needed = 0 if policy.closure is None else policy.closure.follow_ups
    tier = course.tier or Tier.NONE
    if tier.position > at_most.position:
        _refuse(course, event, "MH804", f"the case stands at '{tier}'", f"at most '{at_most}'")
        return
    if tier is not Tier.NONE:
        seen = _stable_months(events, course.run_from, event.at)
        if seen < needed:
            expected = f"{needed}, each in a month of its own"
            _refuse(course, event, "MH804", f"{seen} stable follow-ups went before", expected)
            return
    # A closure settles what lies within the tier that was decided on, and nothing above it.
    above = {
        one.event.id
        for one in evidence
        if one.tier.position > tier.position or one.shown is ScreenTier.UNDETERMINED
    }
    course.closed = event
    course.covered |= set(event.names) - above


def _refuse(course: Course, event: Event, code: str, what: str, expected: str = "") -> None:
    course.problems.append(
        Problem(code, what, expected, path=event.id, subject=event.entry["pupil_ref"])
    )
