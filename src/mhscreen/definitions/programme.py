"""The grammar of a programme: who is screened with what, when, under which policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

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
from mhscreen.vocabulary import LedgerClass, Role, Stage, Tier

__all__ = [
    "Action",
    "ExpectedShare",
    "Group",
    "LedgerMap",
    "Programme",
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
    use: Literal["required", "on_event"]


class Group(Model):
    """The pupils who get the same questionnaires."""

    id: Key
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    grades: tuple[Annotated[int, Field(strict=True)], Annotated[int, Field(strict=True)]] | None
    """First and last grade, both included; null: every grade of the stages."""
    slots: Annotated[tuple[SlotUse, ...], Field(min_length=1)]


class ScreeningWindow(Model):
    """The part of a school year in which pupils are screened."""

    id: Key
    title: Text
    from_: Annotated[MonthDay, Field(alias="from")]
    to: MonthDay
    """Both days included; may pass the turn of the year."""
    deadlines: dict[Stage, MonthDay] = {}


class Action(Model):
    """What follows for one tier, for the ledger of issue to closure."""

    tier: Tier
    first_contact: Role
    """Who sees the pupil first."""
    told: tuple[Role, ...] = ()
    contact_rhythm: Literal["none", "monthly", "weekly", "daily"]
    referral: Literal["none", "if_unchanged", "advised", "escorted"]
    plan: Text | None = None


class LedgerMap(Model):
    """What one of the four ledgers holds."""

    title: Text
    entry_types: Annotated[tuple[Str, ...], Field(min_length=1)]
    tiers: tuple[Tier, ...] = ()
    """The tiers whose screening entries also appear here."""


class ExpectedShare(Model):
    """The plausible range of a share among the pupils of a school."""

    measure: Literal["flagged", "invalid", "not_screened", "all_minimum"]
    at_or_above: Annotated[float, Field(strict=True, ge=0, le=1)] = 0.0
    at_or_below: Annotated[float, Field(strict=True, ge=0, le=1)] = 1.0
    min_pupils: Annotated[int, Field(strict=True, ge=1)] = 30
    """Groups smaller than this are not judged."""


class Programme(Model):
    """Who is screened with what, when, under which policy, at one version."""

    schema_: Annotated[Literal["mhscreen/programme/1"], Field(alias="schema")]
    id: Identifier
    version: Version
    title: Text
    zone: Str
    """The IANA name of the time zone; a date means its midnight."""
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    policy: ExactRef
    instruments: Annotated[tuple[ExactRef, ...], Field(min_length=1)]
    norms: tuple[ExactRef, ...] = ()
    accepts_unverified: tuple[Str, ...] = ()
    """Claims marked unverified that it uses all the same, by name."""
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    school_year_begins: MonthDay
    windows: Annotated[tuple[ScreeningWindow, ...], Field(min_length=1)]
    holidays: tuple[Date, ...] = ()
    """Days without school besides Saturdays and Sundays."""
    make_up_days: tuple[Date, ...] = ()
    """Saturdays and Sundays with school."""
    school_day_ends: Annotated[
        str, StringConstraints(strict=True, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    ] = "17:00"
    """When something due on a school day is due."""
    action_matrix: Annotated[tuple[Action, ...], Field(min_length=1)]
    ledger_map: dict[LedgerClass, LedgerMap]
    expected_shares: tuple[ExpectedShare, ...] = ()
    help_line: Text | None = None
    """What explanations say about where to find help; the site fills it in."""
    withdrawn: Str | None = None
    notes: tuple[Str, ...] = ()

    @property
    def ref(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"
