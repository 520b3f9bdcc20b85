"""The grammar of a programme: who is screened with what, when, under which policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from mhscreen.definitions.common import (
    Date,
    ExactRef,
    Identifier,
    Key,
    Model,
    Reference,
    Str,
    Text,
    Version,
)
from mhscreen.definitions.policy import Due
from mhscreen.vocabulary import (
    Channel,
    EntryType,
    FollowUpRhythm,
    LedgerClass,
    PlanKind,
    Role,
    Stage,
    Tier,
)

__all__ = [
    "Action",
    "ActionStep",
    "CaseField",
    "Disclosure",
    "ExpectedShare",
    "Group",
    "LedgerMap",
    "Programme",
    "Retention",
    "ScreeningWindow",
    "SlotUse",
]

SlotName = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(@[a-z]+)?$"),
]
"""``phq9``, or with the informant ``sdq@teacher`` where the instrument allows several."""

MonthDay = Annotated[
    str, StringConstraints(strict=True, pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
]


class SlotUse(Model):
    """One questionnaire in a programme."""

    slot: SlotName
    """One instrument, answered by one informant."""
    use: Literal["required", "on_event"]
    """`required`: an absent form is unanswered. `on_event`: an absent form is no evidence."""


class Group(Model):
    """The pupils who get the same questionnaires."""

    id: Key
    """Its name."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """The school stages it holds."""
    grades: tuple[Annotated[int, Field(strict=True)], Annotated[int, Field(strict=True)]] | None
    """First and last grade, both included; null: every grade of the stages."""
    slots: Annotated[tuple[SlotUse, ...], Field(min_length=1)]
    """Its questionnaires."""


class ScreeningWindow(Model):
    """The part of a school year in which pupils are screened."""

    id: Key
    """Its name; part of the cycle's id."""
    title: Text
    """Its name for people."""
    from_: Annotated[MonthDay, Field(alias="from")]
    """The first day."""
    to: MonthDay
    """Both days included; may pass the turn of the year."""
    deadlines: dict[Stage, MonthDay] = {}
    """The last day by stage."""


class ActionStep(Model):
    """One thing that somebody does: exactly one of `due` and `every`."""

    id: Key
    """Its name within the tier."""
    does: EntryType
    """What it is; done once the ledger holds an entry of this type that fits."""
    by: Role
    """Who does it."""
    to: Role | None = None
    """Whom it is done to: who is told."""
    through: tuple[Channel, ...] = ()
    """Ways that count; empty: any."""
    due: Due | None = None
    """By when, from the decision on."""
    not_before: Due | None = None
    """From which day on an entry counts: a review after four weeks is not held on the next day."""
    every: FollowUpRhythm | None = None
    """How often, from the decision on."""
    kind: PlanKind | None = None
    """Of a plan, what kind; absent: any."""
    title: Text | None = None
    """What it is in words, where its type does not say it."""

    @model_validator(mode="after")
    def _one(self) -> ActionStep:
        if (self.due is None) == (self.every is None):
            msg = "give exactly one of due, every"
            raise ValueError(msg)
        if self.not_before is not None and self.due is None:
            msg = "not_before stands beside due only"
            raise ValueError(msg)
        return self


class Action(Model):
    """What follows for one tier."""

    tier: Tier
    """The tier; each tier has one action."""
    first_contact: Role
    """Who sees the pupil first, on the machine's screening tier."""
    decided_by: Role = Role.PSYCH_TEACHER
    """Who sets the case's tier after that."""
    decided_within: Due | None = None
    """By when, from the screening on; absent: at the next monthly review."""
    steps: tuple[ActionStep, ...] = ()
    """What follows once a named person has set this tier, not before."""


class Retention(Model):
    """How long what is kept."""

    months_after_closure: Annotated[int, Field(strict=True, ge=0)]
    """For a pupil with a case, from its closure on."""
    months_after_screening: Annotated[int, Field(strict=True, ge=0)]
    """For a pupil without a case, from the last entry on."""


class LedgerMap(Model):
    """What one of the four ledgers holds."""

    title: Text
    """Its name for people."""
    entry_types: Annotated[tuple[EntryType, ...], Field(min_length=1)]
    """The types of entries that appear in it."""
    tiers: tuple[Tier, ...] = ()
    """The tiers whose screening entries also appear here."""


CaseField = Literal[
    "city",
    "district",
    "school",
    "stage",
    "grade",
    "class",
    "attendance",
    "on_leave_since",
    "status",
    "screen_tier",
    "case_tier",
    "decided_at",
    "decided_by_role",
    "to_confirm",
    "flags",
    "problem_classes",
    "concerns",
    "known",
    "instructions",
    "own_actions",
    "actions",
    "referral",
    "next_review_on",
    "consent",
    "opened_at",
    "closed_at",
    "transfer_to",
]
"""What of a case can be shown."""

FieldPath = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[a-z_]+(\.([a-z_]+|\*))*$", max_length=80)
]
"""A field of an entry, with the field inside it after a point; ``*`` for any name."""


class Disclosure(Model):
    """What some roles may see of a pupil: what is not listed is not shown."""

    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    """Whose view it is; each role stands once."""
    within: Literal["city", "district", "school", "grade", "class", "pupil"]
    """How far a reader is responsible; the reader's own place must be given."""
    pupils: Literal["all", "flagged", "to_act", "consulted"]
    """Which pupils of that place: all; those with a flag or a case; those about whom the reader
    has something to do; confirmed major cases for which a consultation was opened."""
    case: tuple[CaseField, ...] = ()
    """What of the case is shown."""
    head: tuple[FieldPath, ...] = ()
    """What of the head of each of those entries is shown."""
    entries: dict[EntryType, tuple[FieldPath, ...]] = {}
    """Which entries are shown, and what of them besides the head."""
    counts_from: Annotated[int, Field(strict=True, ge=2)] | None = None
    """In counts for these roles, the smallest number that is not withheld."""


class ExpectedShare(Model):
    """The plausible range of a share among the pupils of a school."""

    measure: Literal["flagged", "invalid", "not_screened", "all_minimum"]
    """What is counted."""
    at_or_above: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.0
    """The smallest plausible share."""
    at_or_below: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0
    """The largest plausible share."""
    min_pupils: Annotated[int, Field(strict=True, ge=1)] = 30
    """Groups smaller than this are not judged."""


class Programme(Model):
    """Who is screened with what, when, under which policy, at one version."""

    schema_: Annotated[Literal["mhscreen/programme/1"], Field(alias="schema")]
    """The grammar; the first key of the file."""
    id: Identifier
    """Its name; part of the cycle's id."""
    version: Version
    """The version of this definition."""
    title: Text
    """Its name for people."""
    zone: Str
    """The IANA name of the time zone; a date means its midnight."""
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    """The sources that the file cites."""
    policy: ExactRef
    """The policy, at an exact version."""
    instruments: Annotated[tuple[ExactRef, ...], Field(min_length=1)]
    """The instruments, at exact versions."""
    norms: tuple[ExactRef, ...] = ()
    """The norm tables, at exact versions."""
    accepts_unverified: tuple[Str, ...] = ()
    """Claims marked unverified that it uses all the same, by name."""
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    """Who gets which questionnaires; no pupil is in two."""
    school_year_begins: MonthDay
    """The first day of a school year."""
    windows: Annotated[tuple[ScreeningWindow, ...], Field(min_length=1)]
    """The parts of a school year in which pupils are screened."""
    calendar: Literal["own", "china"] = "own"
    """`own`: school on weekdays but for `holidays`, and on `make_up_days`. `china`: where these
    two say nothing, the announced working days of the year; until it is announced the holidays
    that the law fixes, marked provisional."""
    holidays: tuple[Date, ...] = ()
    """Days without school that the calendar does not know, such as the vacations."""
    make_up_days: tuple[Date, ...] = ()
    """Saturdays and Sundays with school that the calendar does not know."""
    school_day_ends: Annotated[
        str, StringConstraints(strict=True, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    ] = "17:00"
    """When something due on a school day is due."""
    action_matrix: Annotated[tuple[Action, ...], Field(min_length=1)]
    """What follows for each tier."""
    where_abuse_is_suspected: tuple[ActionStep, ...] = ()
    """What is opened at once where abuse is flagged; telling the guardian is then held for a named
    person."""
    retention: Retention | None = None
    """How long entries are kept; absent: nothing falls due for erasure by itself."""
    ledger_map: dict[LedgerClass, LedgerMap]
    """What each of the four ledgers holds."""
    disclosure: tuple[Disclosure, ...] = ()
    """Who may see what; a role that is not listed sees nothing."""
    expected_shares: tuple[ExpectedShare, ...] = ()
    """Shares outside these ranges give a warning and change nothing."""
    help_line: Text | None = None
    """What explanations say about where to find help; the site fills it in."""
    withdrawn: Str | None = None
    """Why this version must not be used any more."""
    notes: tuple[Str, ...] = ()
    """What a reader must know before using it."""

    @property
    def ref(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"
