"""The screening entry: what the forms of one pupil say, and nothing that changes later."""

from __future__ import annotations

from typing import Literal

from mhscreen.definitions.common import Model, Text
from mhscreen.entries.parts import Digest, Entry, Moment
from mhscreen.vocabulary import (
    Attendance,
    CalendarStatus,
    Concern,
    Directness,
    EntryType,
    Evidence,
    Flag,
    Informant,
    ProblemClass,
    Role,
    ScreenTier,
    Sex,
    Tier,
    Validity,
    Window,
)

__all__ = [
    "CriticalFinding",
    "Form",
    "Provenance",
    "ReasonEvidence",
    "ScoreEntry",
    "ScreeningEntry",
    "TierReason",
    "UndecidedRule",
]


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
    classes: tuple[ProblemClass, ...]
    """What kinds of difficulty it points to."""
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
    norms: tuple[str, ...]
    """The norm tables of the questionnaires handed in, at their exact versions."""
    evidence: Digest
    """Digest of the pupil's own answers and roster line: of the two digests below."""
    roster: Digest
    """Digest of the roster line."""
    answers: Digest
    """Digest of the answers of all forms."""
    calendar: CalendarStatus | None
    """What stands behind the school days up to the due date; null where nothing is due."""


class ScreeningEntry(Entry):
    """The one current screening entry of a pupil in a cycle."""

    entry_type: Literal[EntryType.SCREENING]
    """Screening."""
    pupil_ref: str
    """The roster's `subject` or its pseudonym; never a name."""
    age: float | None
    """In years, on the day of screening."""
    sex: Sex | None
    """As on the roster."""
    attendance: Attendance | None
    """Why there may be no form."""
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
    """What kinds of difficulty the reasons point to; each reason says its own."""
    not_asked: tuple[Concern, ...]
    """Concerns that nobody asked about in plain words."""
    assignee: Role | None
    """Who sees the pupil first; null where nothing is due."""
    due_at: Moment | None
    """By when; null where nothing is due."""
    help_line: Text | None
    """Where to find help, in the site's own words; null until the site has filled it in."""
    provenance: Provenance
    """What the entry rests on."""
