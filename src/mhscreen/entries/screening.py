"""The screening entry: what the forms of one pupil say, and nothing that changes later."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mhscreen.definitions.common import Model, Text
from mhscreen.vocabulary import (
    Attendance,
    Concern,
    Directness,
    Evidence,
    Flag,
    Informant,
    LedgerClass,
    ProblemClass,
    Role,
    ScreenTier,
    Sex,
    Stage,
    Tier,
    Validity,
    Window,
)

__all__ = [
    "SCHEMA_VERSION",
    "CriticalFinding",
    "Form",
    "Organisation",
    "Provenance",
    "ReasonEvidence",
    "ScoreEntry",
    "ScreeningEntry",
    "TierReason",
    "UndecidedRule",
    "screening_schema",
]

SCHEMA_VERSION = "1.0.0"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$")]
"""A time with its zone."""


class Organisation(Model):
    """Where the pupil is at school."""

    city: str
    """Empty where not given."""
    district: str
    """Empty where not given."""
    school: str
    """As on the roster."""
    stage: Stage | None
    """School stage."""
    grade: int | None
    """1 to 12."""
    class_: Annotated[str, Field(alias="class")]
    """Empty where not given."""


class ScoreEntry(Model):
    """One raw score with its bounds."""

    score: float | None
    """Null where the missing rule gives none, and where nothing was answered."""
    answered: int
    """Items answered, or settled by a closed gate."""
    low: float | None
    """The lowest score that the blanks allow."""
    high: float | None
    """The highest score that the blanks allow."""
    category: str | None
    """Null where there is no score, or where the bounds fall in different categories."""
    category_label: Text | None
    """The neutral words for people."""


class Form(Model):
    """One slot: the form that is shown for it, or that it is missing."""

    slot: str
    """The questionnaire and, where it has several, the informant."""
    instrument: str
    """At its exact version."""
    informant: Informant
    """Who answered."""
    use: Literal["required", "on_event", "not_used"]
    """How the programme uses the slot for this pupil."""
    filed: bool
    """Whether there is a form with an answer."""
    forms: int
    """How many forms were handed in; each was evaluated."""
    complete: bool
    """Whether no item that counts is unanswered."""
    validity: Validity | None
    """Null where there is no answer."""
    submitted_at: Moment | None
    """When it was submitted; null where not given."""
    scores: dict[str, ScoreEntry]
    """By scale."""


class CriticalFinding(Model):
    """A critical item that is positive, or that is unanswered on a form."""

    slot: str
    """Where it was asked."""
    item: str
    """The item's id."""
    concern: Concern
    """What it asks about."""
    window: Window
    """The time it asks about."""
    days: int | None
    """How many days a recent window covers."""
    directness: Directness
    """An indirect item calls for an interview that asks directly."""
    state: Literal["positive", "unanswered"]
    """`unanswered` is never read as no."""
    score: int | None
    """The item score; null where unanswered."""


class ReasonEvidence(Model):
    """One comparison that a rule rests on."""

    name: str
    """`instrument.item` or `instrument.scale`."""
    slot: str
    """Where it was answered."""
    metric: str
    """What the number is expressed in."""
    value: float | None
    """Null where blanks leave it open."""
    low: float | None
    """The lowest value that the blanks allow."""
    high: float | None
    """The highest value that the blanks allow."""
    comparison: Literal["at_or_above", "at_or_below"]
    """Which side of the cut is the far side."""
    cut: float
    """What it was compared with."""
    value_label: Text | None
    """The words of the answer, where its code is a word: never a bare number for a level."""
    cut_label: Text | None
    """The words of the answer from which the rule holds, likewise."""
    invalid_form: bool
    """Whether it comes from an invalid form."""


class TierReason(Model):
    """A rule that holds."""

    rule: str
    """The rule's id."""
    tier: Tier
    """The tier that it reaches."""
    because: Text
    """The reason in words."""
    source: str
    """The reference that the policy cites."""
    certainty: Evidence
    """How well that was checked."""
    evidence: tuple[ReasonEvidence, ...]
    """The comparisons that stand where the rule stands."""


class UndecidedRule(Model):
    """A rule that an answer to something unanswered could still make hold."""

    rule: str
    """The rule's id."""
    tier: Tier
    """The tier that it would reach."""
    because: Text
    """The reason in words."""
    open: tuple[str, ...]
    """What is unanswered, as ``slot: instrument.item`` or ``slot: instrument.scale``."""


class Provenance(Model):
    """What the entry rests on."""

    engine: str
    """The version of mhscreen."""
    policy: str
    """The policy, at its exact version."""
    approved_by: str | None
    """Null: an unsigned default."""
    definitions: Digest
    """Digest of all definition pins."""
    evidence: Digest
    """Digest of the pupil's own answers and roster line."""


class ScreeningEntry(Model):
    """The one current screening entry of a pupil in a cycle."""

    schema_version: Literal["1.0.0"]
    """The version of this schema."""
    entry_id: str
    """UUIDv5 of type, programme, cycle, pupil, evidence and definitions: the same input has the
    same id."""
    supersedes: str | None
    """The entry that this one replaces."""
    entry_type: Literal["screening"]
    """Screening; other types of entries have schemas of their own."""
    programme: str
    """At its exact version."""
    cycle_id: str
    """Programme, school year and window."""
    period: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
    """The month."""
    term: str
    """School year and number of the window."""
    ledger_class: tuple[LedgerClass, ...]
    """The ledgers in which it appears, after the programme's ledger map."""
    org: Organisation
    """Where the pupil is at school."""
    pupil_ref: str
    """The roster's `subject`; never a name."""
    age: float | None
    """In years, on the day of screening."""
    sex: Sex | None
    """As on the roster."""
    attendance: Attendance | None
    """Why there may be no form."""
    occurred_at: Moment
    """When the pupil was screened."""
    recorded_at: Moment
    """When it was entered."""
    source: Literal["census"]
    """Where it comes from."""
    instruments: tuple[Form, ...]
    """The slots that the pupil has, or lacks though required."""
    critical_items: tuple[CriticalFinding, ...]
    """Critical items that are positive or unanswered, over all forms."""
    screen_tier: ScreenTier
    """What is shown: provisional, until a person confirms it."""
    screen_tier_label: Text
    """The same in words."""
    established_tier: Tier
    """The highest rule that holds."""
    possible_tier: Tier
    """The highest rule that holds or is undecided."""
    flags: tuple[Flag, ...]
    """What stands beside the tier."""
    tier_reasons: tuple[TierReason, ...]
    """The rules that hold, highest first."""
    undecided: tuple[UndecidedRule, ...]
    """The rules that blanks leave open, highest first."""
    problem_classes: tuple[ProblemClass, ...]
    """What kinds of difficulty the reasons point to."""
    not_asked: tuple[Concern, ...]
    """Concerns that nobody asked about in plain words."""
    assignee: Role | None
    """Who sees the pupil first; null where nothing is due."""
    due_at: Moment | None
    """By when; null where nothing is due."""
    confidentiality: Literal["routine", "restricted"]
    """`restricted` from severe on."""
    help_line: Text | None
    """Where to find help, in the site's own words; null until the site has filled it in."""
    provenance: Provenance
    """What the entry rests on."""
    author: str
    """Who wrote it."""
    prev_hash: Digest | None
    """The hash of the pupil's entry before it."""
    hash: Digest
    """SHA-256 over the entry's canonical JSON without this key."""


def screening_schema() -> dict[str, Any]:
    """Return the JSON Schema of a screening entry, as other systems read it."""
    schema = ScreeningEntry.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mhscreen:ledger-entry:screening:{SCHEMA_VERSION}",
        **schema,
    }
