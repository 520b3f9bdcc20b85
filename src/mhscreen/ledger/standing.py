"""Standing: where a case stands, who has the pupil, and where the pupil is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.ledger.cases import ReferralState
from mhscreen.ledger.order import moment
from mhscreen.vocabulary import (
    Attendance,
    CaseStatus,
    ConsentState,
    EntryType,
    LeaveEvent,
    ReferralOutcome,
    Tier,
    TransferState,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.ledger.decisions import Course
    from mhscreen.ledger.order import Event

__all__ = [
    "attendance_of",
    "consent_of",
    "next_review",
    "of_kind",
    "on_leave_since",
    "opened_at",
    "owner_of",
    "referral_of",
    "status_of",
    "transfer_to",
]

_IN_CARE = (ReferralOutcome.PENDING, ReferralOutcome.OUTPATIENT, ReferralOutcome.INPATIENT,
            ReferralOutcome.MEDICATION, ReferralOutcome.EXTERNAL_COUNSELLING)  # fmt: skip
_SUPPORT = (EntryType.INTERVENTION, EntryType.PLAN, EntryType.FOLLOW_UP)


def of_kind(events: Iterable[Event], *kinds: EntryType) -> list[Event]:
    """Return the entries of some types, in order."""
    return [event for event in events if event.kind in kinds]


# -- where the case stands ------------------------------------------------------------------------


def status_of(course: Course, events: Sequence[Event], asking: Sequence[Event]) -> CaseStatus:
    """Return where the case stands; evidence that nobody has decided on reopens a closed one."""
    if course.closed is not None and not asking:
        return CaseStatus(course.closed.entry["status"])
    running = course.tier not in (None, Tier.NONE) and course.closed is None
    if not running and not asking:
        return CaseStatus.NO_CASE
    leave = of_kind(events, EntryType.LEAVE_RETURN)
    if on_leave_since(leave) is not None:
        return CaseStatus.ON_LEAVE
    return _running_status(course, events, leave) if running else _asking_status(events, asking)


def _asking_status(events: Sequence[Event], asking: Sequence[Event]) -> CaseStatus:
    if any(one.kind is EntryType.INTERVIEW for one in asking) or _answered(
        events, EntryType.INTERVIEW, asking
    ):
        return CaseStatus.ASSESSING
    if _answered(events, EntryType.ACKNOWLEDGEMENT, asking):
        return CaseStatus.ACKNOWLEDGED
    return CaseStatus.OPEN


def _running_status(course: Course, events: Sequence[Event], leave: Sequence[Event]) -> CaseStatus:
    since = course.run_from
    recent = [event for event in events if since is None or event.at >= since]
    support = of_kind(recent, *_SUPPORT)
    returned = bool(leave) and LeaveEvent(leave[-1].entry["event"]) is LeaveEvent.RETURNED
    if returned and not any(event.at >= leave[-1].at for event in support):
        return CaseStatus.RETURNED
    referrals = of_kind(recent, EntryType.REFERRAL)
    if referrals and ReferralOutcome(referrals[-1].entry["outcome"]) in _IN_CARE:
        return CaseStatus.REFERRED
    if support:
        return CaseStatus.IN_INTERVENTION
    decision = course.decisions[-1].entry_id
    acknowledged = any(
        event.kind is EntryType.ACKNOWLEDGEMENT and decision in event.names for event in events
    )
    return CaseStatus.ACKNOWLEDGED if acknowledged else CaseStatus.OPEN


def _answered(events: Iterable[Event], kind: EntryType, asking: Sequence[Event]) -> bool:
    wanted = {one.id for one in asking}
    return any(event.kind is kind and wanted.intersection(event.names) for event in events)


def opened_at(course: Course, asking: Sequence[Event], status: CaseStatus) -> dt.datetime | None:
    """Return when the case was opened, or opened again; None where there is none."""
    if status is CaseStatus.NO_CASE:
        return None
    starts = [one.at for one in asking]
    if course.closed is not None and starts:
        return max(course.closed.at, min(starts))  # reopened, by whatever date of evidence
    if course.decisions:
        starts.append(course.run_from or course.decisions[0].at)
    return min(starts, default=None)


# -- who has the pupil, and where -----------------------------------------------------------------


def owner_of(events: Sequence[Event]) -> Mapping[str, Any]:
    """Return the owning school: the sending one until the receiving one has acknowledged.

    Once a pupil has been transferred, only a transfer changes the school: an entry that follows an
    old roster does not.
    """
    owner: Mapping[str, Any] = {}
    waiting: Mapping[str, Any] | None = None
    transferred = False
    for event in events:
        org = event.entry["org"]
        if event.kind is EntryType.TRANSFER and event.entry["state"] == TransferState.SENT:
            owner, waiting = owner or org, event.entry["to_org"]
        elif event.kind is EntryType.TRANSFER:
            if waiting is None or waiting["school"] == event.entry["to_org"]["school"]:
                owner, waiting, transferred = event.entry["to_org"], None, True
        elif waiting is None and (not transferred or org["school"] == owner["school"]):
            owner = org
    return owner


def transfer_to(events: Sequence[Event]) -> Mapping[str, Any] | None:
    """Return the receiving school, while it has not acknowledged."""
    waiting: Mapping[str, Any] | None = None
    for event in of_kind(events, EntryType.TRANSFER):
        to_org = event.entry["to_org"]
        if event.entry["state"] == TransferState.SENT:
            waiting = to_org
        elif waiting is not None and waiting["school"] == to_org["school"]:
            waiting = None
    return waiting


def attendance_of(events: Sequence[Event]) -> Attendance | None:
    """Return where the pupil is, after the last entry that says so."""
    said = [event.entry["attendance"] for event in events if event.entry.get("attendance")]
    return Attendance(said[-1]) if said else None


def on_leave_since(leave: Sequence[Event]) -> dt.datetime | None:
    """Return since when the pupil is on leave."""
    began = None
    for event in leave:
        step = LeaveEvent(event.entry["event"])
        if step is LeaveEvent.LEAVE_BEGAN:
            began = event.at
        elif step is LeaveEvent.RETURNED:
            began = None
    return began


def referral_of(events: Sequence[Event]) -> ReferralState | None:
    """Return the latest word on a referral."""
    referrals = of_kind(events, EntryType.REFERRAL)
    if not referrals:
        return None
    last = referrals[-1]
    entry = last.entry
    return ReferralState(
        last.id, entry["institution"], entry["attended"], entry["outcome"], last.at
    )


def next_review(events: Sequence[Event]) -> dt.date | None:
    """Return the next date that a plan or a follow-up has set."""
    said = [
        day
        for event in events
        if (day := event.entry.get("next_review_on") or event.entry.get("next_on")) is not None
    ]
    return moment(said[-1]).date() if said else None


def consent_of(events: Sequence[Event]) -> tuple[ConsentState, ConsentState]:
    """Return the pupil's and the guardian's consent."""
    last = of_kind(events, EntryType.CONSENT)
    if not last:
        return ConsentState.UNKNOWN, ConsentState.UNKNOWN
    return ConsentState(last[-1].entry["pupil"]), ConsentState(last[-1].entry["guardian"])
