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
Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$")
]
"""A time with its zone."""


class Organisation(Model):
    """Where the pupil is at school."""

    city: str
    district: str
    school: str
    stage: Stage | None
    grade: int | None
    class_: Annotated[str, Field(alias="class")]


class ScoreEntry(Model):
    """One raw score with its bounds."""

    score: float | None
    """Null where the missing rule gives none, and where nothing was answered."""
    answered: int
    low: float | None
    high: float | None
    category: str | None
    """Null where there is no score, or where the bounds fall in different categories."""


class Form(Model):
    """One slot: the form that is shown for it, or that it is missing."""

    slot: str
    instrument: str
    informant: Informant
    use: Literal["required", "on_event", "not_used"]
    filed: bool
    forms: int
    """How many forms were handed in; each was evaluated."""
    complete: bool
    validity: Validity | None
    submitted_at: Moment | None
    scores: dict[str, ScoreEntry]


class CriticalFinding(Model):
    """A critical item that is positive, or that is unanswered on a form."""

    slot: str
    item: str
    concern: Concern
    window: Window
    days: int | None
    directness: Directness
    state: Literal["positive", "unanswered"]
    score: int | None


class ReasonEvidence(Model):
    """One comparison that a rule rests on."""

    name: str
    slot: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    comparison: Literal["at_or_above", "at_or_below"]
    cut: float
    invalid_form: bool


class TierReason(Model):
    """A rule that holds."""

    rule: str
    tier: Tier
    because: Text
    source: str
    certainty: Evidence
    evidence: tuple[ReasonEvidence, ...]


class UndecidedRule(Model):
    """A rule that an answer to something unanswered could still make hold."""

    rule: str
    tier: Tier
    because: Text
    open: tuple[str, ...]
    """What is unanswered, as ``slot: instrument.item`` or ``slot: instrument.scale``."""


class Provenance(Model):
    """What the entry rests on."""

    engine: str
    policy: str
    approved_by: str | None
    """Null: an unsigned default."""
    definitions: Digest
    """Digest of all definition pins."""
    evidence: Digest
    """Digest of the pupil's own answers and roster line."""


class ScreeningEntry(Model):
    """The one current screening entry of a pupil in a cycle."""

    schema_version: Literal["1.0.0"]
    entry_id: str
    supersedes: str | None
    entry_type: Literal["screening"]
    programme: str
    cycle_id: str
    period: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
    term: str
    ledger_class: tuple[LedgerClass, ...]
    org: Organisation
    pupil_ref: str
    age: float | None
    sex: Sex | None
    attendance: Attendance | None
    occurred_at: Moment
    recorded_at: Moment
    source: Literal["census"]
    instruments: tuple[Form, ...]
    critical_items: tuple[CriticalFinding, ...]
    screen_tier: ScreenTier
    screen_tier_label: Text
    established_tier: Tier
    possible_tier: Tier
    flags: tuple[Flag, ...]
    tier_reasons: tuple[TierReason, ...]
    undecided: tuple[UndecidedRule, ...]
    problem_classes: tuple[ProblemClass, ...]
    not_asked: tuple[Concern, ...]
    assignee: Role | None
    due_at: Moment | None
    confidentiality: Literal["routine", "restricted"]
    provenance: Provenance
    author: str
    prev_hash: Digest | None
    hash: Digest


def screening_schema() -> dict[str, Any]:
    """Return the JSON Schema of a screening entry, as other systems read it."""
    schema = ScreeningEntry.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mhscreen:ledger-entry:screening:{SCHEMA_VERSION}",
        **schema,
    }
