"""What named people enter: from the first interview to closure, transfer and erasure.

Codes are members of the closed lists of `mhscreen.vocabulary`. Free text stands in `note` alone
and never leaves the school: no view but that of the psychology teacher holds it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mhscreen.definitions.common import Date, Model, Text
from mhscreen.entries.parts import Digest, Entry, EntryRef, Organisation
from mhscreen.vocabulary import (
    ActivityKind,
    Answer,
    Attendance,
    CaseStatus,
    Change,
    ChangeReason,
    Channel,
    ClosureReason,
    Concern,
    Conclusion,
    ConfirmBasis,
    ConsentState,
    EntryType,
    ErasureGround,
    InterventionMethod,
    LawfulBasis,
    LeaveEvent,
    LifeArea,
    MeetingTopic,
    PlanKind,
    PlanState,
    Purpose,
    ReferralOutcome,
    Response,
    ReturnDocument,
    Role,
    Tier,
    TransferReason,
    TransferState,
)

__all__ = [
    "Access",
    "Acknowledgement",
    "Activity",
    "Asked",
    "Closure",
    "Consent",
    "Erased",
    "Erasure",
    "Feedback",
    "FollowUp",
    "Intervention",
    "Interview",
    "KnownItem",
    "LeaveReturn",
    "Meeting",
    "Notification",
    "Observations",
    "PersonEntry",
    "Plan",
    "Referral",
    "Talk",
    "TierChange",
    "Transfer",
]

ItemName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*$")]
Rating = Annotated[int, Field(strict=True, ge=1, le=10)]


class PersonEntry(Entry):
    """The head of every entry that a person makes."""

    role: Role
    """In what role the author acts."""
    names: tuple[EntryRef, ...] = ()
    """The entries that it answers or decides on; what it does not name counts afresh."""
    note: str | None = None
    """Free text for the school alone."""


class PupilEntry(PersonEntry):
    """A person's entry about one pupil."""

    pupil_ref: str
    """The roster's `subject` or its pseudonym; never a name."""


class Asked(Model):
    """One thing that a person asked about in plain words."""

    about: Concern | ItemName
    """A concern, or ``instrument.item`` of a recorded item."""
    answer: Answer
    """What was answered."""
    since: Date | None = None
    """The day since which the answer holds: "no, not since that day"."""


class Interview(PupilEntry):
    """A person has talked with the pupil (二次访谈记录表)."""

    entry_type: Literal[EntryType.INTERVIEW]
    channel: Channel
    """How."""
    asked: Annotated[tuple[Asked, ...], Field(min_length=1)]
    """What was asked about in plain words; self-harm and suicide always are."""
    ratings: Annotated[dict[LifeArea, Rating], Field(default_factory=dict)]
    """The pupil's own ratings, 1 to 10; higher is better."""
    conclusion: Conclusion
    """What it ends with."""


class KnownItem(Model):
    """A lifetime item or a recorded diagnosis that a person has confirmed."""

    name: str
    """``instrument.item``, as the screening entry names it."""
    concern: Concern | None = None
    """What it is about."""
    on: Date
    """When it happened or was recorded."""


class TierChange(PupilEntry):
    """A named person sets the case's tier, or changes it."""

    entry_type: Literal[EntryType.TIER_CHANGE]
    case_tier: Tier
    """The tier from now on."""
    previous_tier: Tier | None
    """The tier that the person saw; null for the first."""
    basis: ConfirmBasis
    """What the decision rests on."""
    reason: ChangeReason
    """Why."""
    reviewer: str | None = None
    """A second named person who has reviewed it."""
    known: tuple[KnownItem, ...] = ()
    """Items of the named entries that are confirmed and dated: they do not fire anew by age
    alone."""


class Notification(PupilEntry):
    """Somebody was told."""

    entry_type: Literal[EntryType.NOTIFICATION]
    to: Role
    """Who was told."""
    channel: Channel
    """How."""
    response: Response
    """How they responded."""


class Referral(PupilEntry):
    """A hospital comes in (转介单)."""

    entry_type: Literal[EntryType.REFERRAL]
    institution: str
    """The designated hospital."""
    green_channel: bool
    """Whether by the green channel."""
    slip_signed: bool
    """Whether the guardian has signed the slip."""
    attended: bool | None
    """Whether the pupil was seen there; null where not known yet."""
    outcome: ReferralOutcome
    """What became of it; a later entry supersedes or adds."""


class Intervention(PupilEntry):
    """The pupil was supported."""

    entry_type: Literal[EntryType.INTERVENTION]
    method: InterventionMethod
    """How."""


class Observations(Model):
    """What was seen since the last time."""

    emotion: Change
    """Mood and feeling."""
    behaviour: Change
    """Behaviour."""
    social: Change
    """Contact with others."""
    academic: Change
    """Study."""


class FollowUp(PupilEntry):
    """The pupil was seen again (追踪记录表)."""

    entry_type: Literal[EntryType.FOLLOW_UP]
    number: Annotated[int, Field(strict=True, ge=1)]
    """The running number."""
    observations: Observations
    """What was seen since the last time."""
    next_on: Date | None = None
    """When the next one is."""


class LeaveReturn(PupilEntry):
    """A step of leave and return (休复学)."""

    entry_type: Literal[EntryType.LEAVE_RETURN]
    event: LeaveEvent
    """Which step."""
    attendance: Attendance
    """Where the pupil is afterwards."""
    documents: tuple[ReturnDocument, ...] = ()
    """What a return rests on."""


class Talk(PupilEntry):
    """The one talk of the term (谈心谈话)."""

    entry_type: Literal[EntryType.TALK]
    channel: Channel
    """How."""


class Plan(PupilEntry):
    """A plan for the pupil (成长指导方案)."""

    entry_type: Literal[EntryType.PLAN]
    kind: PlanKind
    """What kind."""
    state: PlanState
    """Where it stands."""
    next_review_on: Date | None
    """When it is reviewed next."""


class Feedback(PupilEntry):
    """One feedback to the family (反馈指导)."""

    entry_type: Literal[EntryType.FEEDBACK]
    channel: Channel
    """How."""
    response: Response
    """How the family responded."""


class Meeting(PersonEntry):
    """The monthly meeting of the leading group (专班会议)."""

    entry_type: Literal[EntryType.MEETING]
    pupil_ref: None
    """No pupil is named."""
    topics: tuple[MeetingTopic, ...]
    """What was on the agenda."""


class Activity(PersonEntry):
    """A lesson or an activity (课程活动)."""

    entry_type: Literal[EntryType.ACTIVITY]
    pupil_ref: None
    """No pupil is named."""
    kind: ActivityKind
    """What it was."""
    title: Text | None = None
    """Its title."""
    hours: Annotated[float, Field(ge=0)]
    """Lesson hours."""


class Closure(PupilEntry):
    """A named person closes the case (结案)."""

    entry_type: Literal[EntryType.CLOSURE]
    reason: ClosureReason
    """Why."""
    status: Literal[CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH]
    """Whether it is still watched."""
    watch_until: Date | None = None
    """Until when."""


class Access(PupilEntry):
    """Somebody has read the file (查阅)."""

    entry_type: Literal[EntryType.ACCESS]
    purpose: Purpose
    """Why."""
    approved_by: str | None
    """Who approved it; null where the role reads by right."""


class Acknowledgement(PupilEntry):
    """Somebody has received what concerns them (接收确认)."""

    entry_type: Literal[EntryType.ACKNOWLEDGEMENT]


class Consent(PupilEntry):
    """Consent was given, refused or withdrawn (知情同意)."""

    entry_type: Literal[EntryType.CONSENT]
    pupil: ConsentState
    """The pupil's."""
    guardian: ConsentState
    """The guardian's; decides alone below 14 years."""
    basis: LawfulBasis
    """What the processing rests on from now on."""
    legal_hold: bool | None = None
    """True: from now on nothing of the pupil may be erased, for a court or an inquiry; false: that
    is lifted; null: says nothing of it."""


class Transfer(PupilEntry):
    """A pupil changes school (转学/升学移交)."""

    entry_type: Literal[EntryType.TRANSFER]
    to_org: Organisation
    """The receiving school; `org` is the sending one."""
    state: TransferState
    """The sending school owns the case until the receiving one has acknowledged."""
    reason: TransferReason
    """Why."""


class Erased(Model):
    """What is left of an erased entry."""

    entry_id: EntryRef
    """Its id."""
    hash: Digest
    """Its hash, with which the chain still verifies."""


class Erasure(PupilEntry):
    """Entries were erased (删除); their ids and hashes stay."""

    entry_type: Literal[EntryType.ERASURE]
    erased: Annotated[tuple[Erased, ...], Field(min_length=1)]
    """The entries, each with its hash."""
    ground: ErasureGround
    """Why."""
    approved_by: str
    """Who approved it."""
