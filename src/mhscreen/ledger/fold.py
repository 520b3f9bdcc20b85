"""Fold: entries become cases, whatever the order in which they arrived.

A machine's entry never lowers a case; only a named person's decision does, by the step-down
rules of the policy. A decision covers exactly the entries that it names: what it does not name
counts afresh, shows in `screen_tier`, and reopens a closed case. Nothing that changes with time
(overdue, next) is stored: it is asked as of a date.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mhscreen.ledger.actions import (
    abuse_actions,
    abuse_flagged_by,
    case_actions,
    decision_actions,
    evidence_actions,
)
from mhscreen.ledger.cases import Action, Case, Cases
from mhscreen.ledger.decisions import follow_course
from mhscreen.ledger.evidence import heard, known_items, weigh
from mhscreen.ledger.order import entries_by_pupil, in_order
from mhscreen.ledger.standing import (
    attendance_of,
    consent_of,
    next_review,
    of_kind,
    on_leave_since,
    opened_at,
    owner_of,
    referral_of,
    status_of,
    transfer_to,
)
from mhscreen.loading import installed_library
from mhscreen.problems import Problem, UsageError
from mhscreen.vocabulary import (
    CaseStatus,
    Concern,
    ConsentState,
    EntryType,
    Flag,
    ProblemClass,
    Role,
    ScreenTier,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mhscreen.definitions import Policy, Programme
    from mhscreen.ledger.cases import Known
    from mhscreen.ledger.decisions import Course
    from mhscreen.ledger.evidence import Evidence
    from mhscreen.ledger.order import Event, PupilEvents
    from mhscreen.loading import Library

__all__ = ["CaseRules", "fold", "fold_entries"]


@dataclass(frozen=True)
class CaseRules:
    """What the fold needs of a programme.

    Attributes
    ----------
    programme : Programme
        The action matrix, the calendar and the zone.
    policy : Policy
        The step-down and closing rules.
    concerns : mapping of str to Concern
        What the critical items of the programme ask about, by ``instrument.item``.
    """

    programme: Programme
    policy: Policy
    concerns: Mapping[str, Concern] = field(default_factory=dict)


def fold_entries(entries: Iterable[Mapping[str, Any]], rules: Mapping[str, CaseRules]) -> Cases:
    """Return where each pupil's case stands.

    Parameters
    ----------
    entries : iterable of mapping
        Lines of a ledger, the machine's and people's, in any order. Each may be there more than
        once. Tombstones of erased entries count for nothing.
    rules : mapping of str to CaseRules
        By the exact reference of the programme that entries name.

    Returns
    -------
    Cases
        One for each pupil that has an entry.

    Raises
    ------
    UsageError
        If an entry names a programme that `rules` does not hold.
    """
    found = entries_by_pupil(entries)
    named = {
        entry["programme"]
        for pupil in found.values()
        for entry in pupil.values()
        if "entry_type" in entry
    }
    unknown = sorted(named.difference(rules))
    if unknown:
        msg = f"the ledger has entries of {', '.join(unknown)}, of which no definition is at hand"
        raise UsageError(msg)
    zones = [one.programme.zone for name, one in sorted(rules.items()) if name in named]
    cases = {name: _case_of(name, one, rules) for name, one in found.items()}
    return Cases(cases, zones[-1]) if zones else Cases(cases)


def fold(entries: Iterable[Mapping[str, Any]], *, library: Library | None = None) -> Cases:
    """Return where each pupil's case stands.

    Parameters
    ----------
    entries : iterable of mapping
        Lines of a ledger as parsed from JSON, the machine's and people's, in any order.
    library : Library, optional
        Has the programmes that entries name, with their policies; by default everything that is
        installed.

    Returns
    -------
    Cases
        One for each pupil that has an entry. `Cases.problems` says what was refused or is missing.

    Raises
    ------
    UsageError
        If an entry is none, or names a programme that the library does not hold.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> entries = mh.screen(plan, roster=roster, responses=answers, at="2026-10-15").entries
    >>> cases = mh.fold(entries)
    >>> cases
    <Cases: 40 pupils>
    >>> {case.case_tier for case in cases}  # nobody has decided anything yet
    {None}
    """
    found = list(entries)
    try:
        named = {str(entry["programme"]) for entry in found if "entry_type" in entry}
        return fold_entries(found, _rules(named, library or installed_library()))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        msg = "an entry cannot be read: it does not satisfy its schema"
        raise UsageError(msg) from error


def _rules(named: Iterable[str], library: Library) -> dict[str, CaseRules]:
    rules = {}
    for ref in named:
        if library.fitting("programme", ref):
            programme = library.programme(ref).definition
            policy = library.policy(programme.policy).definition
            rules[ref] = CaseRules(programme, policy, _concerns_of(programme, library))
    return rules


def _concerns_of(programme: Programme, library: Library) -> dict[str, Concern]:
    return {
        f"{instrument.id}.{item.item}": item.concern
        for ref in programme.instruments
        if library.fitting("instrument", ref)
        for instrument in [library.instrument(ref).definition]
        for item in instrument.critical_items
    }


def _case_of(
    pupil: str, entries: Mapping[str, Mapping[str, Any]], rules: Mapping[str, CaseRules]
) -> Case:
    """Return a pupil's case; what cannot be read makes a case that a person must see."""
    try:
        return _case(pupil, in_order(entries, pupil), rules)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return _unreadable(pupil, entries)


def _unreadable(pupil: str, entries: Mapping[str, Mapping[str, Any]]) -> Case:
    what = "an entry of this pupil does not satisfy its schema; a person must look"
    orgs = [entry["org"] for entry in entries.values() if isinstance(entry.get("org"), dict)]
    unknown = (ConsentState.UNKNOWN, ConsentState.UNKNOWN)
    return Case(
        pupil_ref=pupil,
        org=orgs[-1] if orgs else {},
        screen_tier=ScreenTier.UNDETERMINED,
        case_tier=None,
        status=CaseStatus.OPEN,
        to_confirm=tuple(sorted(entries)),
        current={},
        decisions=(),
        known=(),
        actions=(),
        referral=None,
        attendance=None,
        on_leave_since=None,
        next_review_on=None,
        flags=(Flag.ERROR,),
        problem_classes=(),
        concerns=(),
        consent=unknown,
        opened_at=None,
        closed_at=None,
        transfer_to=None,
        entries=tuple(sorted(entries)),
        problems=(Problem("MH801", what, subject=pupil),),
    )


def _case(pupil: str, found: PupilEvents, rules: Mapping[str, CaseRules]) -> Case:
    events = found.events
    known = known_items(events)
    evidence = weigh(events, known)
    policies = {name: one.policy for name, one in rules.items()}
    course = follow_course(events, evidence, policies)
    fresh = [one for one in evidence if one.event.id not in course.covered]
    asking = [one for one in fresh if _asks(one, course.tier)]
    told = [event for event in heard(events) if event.id not in course.covered]
    waiting = [*(one.event for one in asking), *told]
    last = evidence[-1] if evidence else None
    consent = consent_of(events)
    status = status_of(course, events, waiting)
    actions = list(_actions(course, events, evidence, asking, told, rules))
    actions += _erase(events, consent, course, asking)
    closed = course.closed is not None and status in (CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH)
    leave = of_kind(events, EntryType.LEAVE_RETURN)
    entry = None if last is None else last.event.entry
    return Case(
        pupil_ref=pupil,
        org=owner_of(events),
        screen_tier=_shown(fresh, asking, evidence, known),
        case_tier=course.tier,
        status=status,
        to_confirm=tuple(event.id for event in waiting),
        current={e.event.entry["cycle_id"]: e.event.id for e in evidence if e.current},
        decisions=tuple(course.decisions),
        known=known,
        actions=tuple(sorted(actions, key=_by_due)),
        referral=referral_of(events),
        attendance=attendance_of(events),
        on_leave_since=on_leave_since(leave),
        next_review_on=next_review(events),
        flags=() if entry is None else tuple(Flag(one) for one in entry["flags"]),
        problem_classes=_classes(evidence),
        concerns=_concerns(evidence),
        consent=consent,
        opened_at=opened_at(course, waiting, status),
        closed_at=course.closed.at if closed and course.closed is not None else None,
        transfer_to=transfer_to(events),
        entries=tuple(event.id for event in events),
        problems=(*found.problems, *course.problems),
    )


def _actions(
    course: Course,
    events: Sequence[Event],
    evidence: Sequence[Evidence],
    asking: Sequence[Evidence],
    told: Sequence[Event],
    rules: Mapping[str, CaseRules],
) -> Iterator[Action]:
    """Yield what is to be done, each by the programme under which it was called for."""
    if not events:
        return
    latest = rules[events[-1].entry["programme"]].programme
    yield from evidence_actions(evidence, events)
    yield from decision_actions(asking, told, latest)
    concerns = {name: one for rule in rules.values() for name, one in rule.concerns.items()}
    flagged = abuse_flagged_by(events, concerns)
    by_id = {event.id: event for event in events}
    if flagged:
        reporting = rules[flagged[0].entry["programme"]].programme
        yield from abuse_actions(flagged, events, reporting)
    if course.decisions:
        decided = by_id[course.decisions[-1].entry_id].entry["programme"]
        yield from case_actions(course, events, rules[decided].programme, held=bool(flagged))


# -- evidence -------------------------------------------------------------------------------------


def _asks(one: Evidence, tier: Tier | None) -> bool:
    """Whether a screening entry that nobody has decided on asks for a decision."""
    if one.tier.position >= Tier.GENERAL.position:
        return True
    if one.current and one.shown is ScreenTier.UNDETERMINED:
        return True
    return one.tier is Tier.WATCH and (tier is None or tier is Tier.NONE)


def _shown(
    fresh: Sequence[Evidence],
    asking: Sequence[Evidence],
    evidence: Sequence[Evidence],
    known: Sequence[Known],
) -> ScreenTier | None:
    """Return the highest that the machine's evidence shows and no person has decided on.

    Where every entry is decided on, or asks for nothing, it is what the last one shows. A known
    item keeps the pupil at least at watch.
    """
    if not evidence:
        return None
    highest = max((one.tier.position for one in fresh), default=0)
    if highest >= Tier.GENERAL.position:
        return ScreenTier.at(highest)
    if any(one.shown is ScreenTier.UNDETERMINED for one in asking):
        return ScreenTier.UNDETERMINED
    last = evidence[-1]
    shown = ScreenTier.at(highest) if asking else last.shown
    if shown is ScreenTier.NONE and known:
        return ScreenTier.WATCH
    return shown


def _classes(evidence: Sequence[Evidence]) -> tuple[ProblemClass, ...]:
    return (
        tuple(ProblemClass(one) for one in evidence[-1].event.entry["problem_classes"])
        if (evidence)
        else ()
    )


def _concerns(evidence: Sequence[Evidence]) -> tuple[Concern, ...]:
    """Return what positive critical items of the current entries ask about."""
    found = {
        item["concern"]
        for one in evidence
        if one.current
        for item in one.event.entry["critical_items"]
        if item["state"] == "positive"
    }
    return tuple(concern for concern in Concern if concern in found)


# -- erasure --------------------------------------------------------------------------------------


def _erase(
    events: Sequence[Event],
    consent: tuple[ConsentState, ConsentState],
    course: Course,
    asking: Sequence[Evidence],
) -> list[Action]:
    """Return the erasure that a withdrawn consent asks for.

    It is held while a severe or major case is open: the protection of life goes before it.
    """
    if ConsentState.WITHDRAWN not in consent:
        return []
    withdrawn = of_kind(events, EntryType.CONSENT)[-1]
    urgent = {Tier.SEVERE, Tier.MAJOR}
    done = [e for e in _after(events, withdrawn) if e.kind is EntryType.ERASURE]
    held = (
        (course.closed is None and course.tier in urgent)
        or any(one.tier in urgent for one in asking)
        or _on_hold(events)
    )
    return [
        Action(
            id="erase",
            does=EntryType.ERASURE,
            by=Role.DEPUTY_HEAD,
            begins_at=withdrawn.at,
            due_at=None if held else withdrawn.at,
            because=withdrawn.id,
            held=held and not done,
            done_by=done[0].id if done else None,
        )
    ]


def _after(events: Sequence[Event], one: Event) -> Sequence[Event]:
    return events[events.index(one) + 1 :]


def _on_hold(events: Sequence[Event]) -> bool:
    """Whether the last word on a legal hold is that there is one."""
    said = [event.entry.get("legal_hold") for event in of_kind(events, EntryType.CONSENT)]
    known = [one for one in said if one is not None]
    return bool(known and known[-1])


def _by_due(action: Action) -> tuple[bool, float, str, str]:
    due = action.due_at
    return due is None, 0.0 if due is None else due.timestamp(), action.id, action.because
