"""The grammar of a triage policy: rules over a small closed set of conditions.

Every rule is upward closed: its comparisons point to the worse side. There is no ``not``, no
range and no expression; all rules are evaluated and the highest tier wins.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from mhscreen.definitions.common import (
    Date,
    ExactRef,
    Identifier,
    Int,
    Key,
    Model,
    Name,
    Number,
    Reference,
    Sourced,
    Str,
    Text,
    Version,
)
from mhscreen.vocabulary import (
    Concern,
    ConfirmBasis,
    Directness,
    Flag,
    Informant,
    Metric,
    ProblemClass,
    Tier,
    Window,
)

__all__ = [
    "AllOf",
    "AnyOf",
    "AtLeast",
    "CaseClosure",
    "CategoryLeaf",
    "Condition",
    "CriticalItemLeaf",
    "Due",
    "ItemLeaf",
    "Leaf",
    "Policy",
    "Rule",
    "ScoreLeaf",
    "StateDue",
    "StepDown",
    "ValidityLeaf",
]

Dotted = Annotated[
    str,
    StringConstraints(
        strict=True, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(_[a-z0-9]+)*$"
    ),
]
"""``instrument.item`` or ``instrument.scale``."""

Absent = Literal["undecided"]


class ItemLeaf(Model):
    """An item score (before reverse keying) at or past a value."""

    item: Dotted
    """`instrument.item`."""
    informant: Informant | None = None
    """Absent: any informant of the instrument."""
    absent: Absent | None = None
    """What holds where the named informant's form is absent though it may be filed (`on_event`):
    ``undecided``, so that blanks and absence are told alike; else it is no evidence."""
    at_or_above: Int | None = None
    """The item score from which it holds."""
    at_or_below: Int | None = None
    """The same where a lower item score is worse."""


class ScoreLeaf(Model):
    """A raw or derived score at or past a value."""

    score: Dotted
    """`instrument.scale`."""
    informant: Informant | None = None
    """Absent: any informant of the instrument."""
    absent: Absent | None = None
    """What holds where the named informant's form is absent though it may be filed (`on_event`):
    ``undecided``, so that blanks and absence are told alike; else it is no evidence."""
    metric: Metric = Metric.RAW
    """What the number is expressed in."""
    norm: ExactRef | None = None
    """The norm table, for metrics other than ``raw``."""
    reason: Text | None = None
    """Why a norm from elsewhere may decide here."""
    at_or_above: Number | None = None
    """The score from which it holds."""
    at_or_below: Number | None = None
    """The same where a lower score is worse."""


class CategoryLeaf(Model):
    """A score in a category of a named cut set or in one further out."""

    category: Dotted
    """`instrument.scale`."""
    informant: Informant | None = None
    """Absent: any informant of the instrument."""
    absent: Absent | None = None
    """What holds where the named informant's form is absent though it may be filed (`on_event`):
    ``undecided``, so that blanks and absence are told alike; else it is no evidence."""
    cut_set: Key
    """A cut set of that scale."""
    at_or_above: Key
    """The category from which it holds, in order of concern."""


class CriticalItemLeaf(Model):
    """Any critical item of any instrument that asks about a concern, positive."""

    critical_item: Concern
    """What the item asks about."""
    informant: Informant | None = None
    """Absent: any informant."""
    windows: tuple[Window, ...] = ()
    """Empty: every window."""
    directness: Directness | None = None
    """Absent: direct or indirect."""


class ValidityLeaf(Model):
    """A validity index that was reached."""

    validity_index: Dotted
    """`instrument.index`."""
    informant: Informant | None = None
    """Absent: any informant of the instrument."""


class AllOf(Model):
    """Every condition holds."""

    all: Annotated[tuple[Condition, ...], Field(min_length=1)]
    """The conditions."""


class AnyOf(Model):
    """At least one condition holds."""

    any: Annotated[tuple[Condition, ...], Field(min_length=1)]
    """The conditions."""


class AtLeastCount(Model):
    """How many of which."""

    count: Annotated[int, Field(strict=True, ge=1)]
    """How many must hold."""
    of: Annotated[tuple[Condition, ...], Field(min_length=1)]
    """Of which."""


class AtLeast(Model):
    """At least a number of conditions hold."""

    at_least: AtLeastCount
    """How many of which."""


_KINDS = {
    "item": ItemLeaf,
    "score": ScoreLeaf,
    "category": CategoryLeaf,
    "critical_item": CriticalItemLeaf,
    "validity_index": ValidityLeaf,
    "all": AllOf,
    "any": AnyOf,
    "at_least": AtLeast,
}


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((name for name in _KINDS if name in value), None)
    return next((name for name, model in _KINDS.items() if isinstance(value, model)), None)


Condition = Annotated[
    Annotated[ItemLeaf, Tag("item")]
    | Annotated[ScoreLeaf, Tag("score")]
    | Annotated[CategoryLeaf, Tag("category")]
    | Annotated[CriticalItemLeaf, Tag("critical_item")]
    | Annotated[ValidityLeaf, Tag("validity_index")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[AtLeast, Tag("at_least")],
    Discriminator(_kind),
]
"""A leaf or a branch, told apart by its first key."""

for _model in (AllOf, AnyOf, AtLeastCount, AtLeast):
    _model.model_rebuild()  # they hold conditions, which are only known here

Leaf = ItemLeaf | ScoreLeaf | CategoryLeaf | CriticalItemLeaf | ValidityLeaf


class Due(Model):
    """By when a person must act: exactly one of the three."""

    hours: Annotated[float, Field(strict=True, ge=0)] | None = None
    """Elapsed hours, weekends and holidays included."""
    school_days: Annotated[int, Field(strict=True, ge=0)] | None = None
    """School days, the last one included."""
    monthly_review: Annotated[bool, Field(strict=True)] = False
    """At the next monthly review."""

    @model_validator(mode="after")
    def _one(self) -> Due:
        given = (self.hours is not None, self.school_days is not None, self.monthly_review)
        if sum(given) != 1:
            msg = "give exactly one of hours, school_days, monthly_review"
            raise ValueError(msg)
        return self


class Rule(Sourced):
    """One way to reach a tier."""

    id: Name
    """The name under which entries cite it."""
    tier: Tier
    """The tier it reaches; not `none`."""
    when: Condition
    """The condition."""
    because: Text
    """The reason in words, neutral, never a diagnosis."""
    due: Due
    """By when a person must see the pupil."""
    classes: tuple[ProblemClass, ...] = ()
    """What kind of difficulty it points to."""
    flags: tuple[Flag, ...] = ()
    """Raised beside the tier where the rule holds."""


class StateDue(Model):
    """By when a person must look at what could not be settled."""

    critical_unanswered: Due
    """A critical item is unanswered."""
    invalid: Due
    """A form is invalid."""
    possible: Due
    """Blanks that could still hide general or higher."""
    error: Due
    """The pupil could not be evaluated."""
    not_screened: Due
    """There is no form."""


class StepDown(Sourced):
    """What a named person needs to lower a case from one tier to the next lower one."""

    from_: Annotated[Tier, Field(alias="from")]
    """The tier before."""
    to: Tier
    """The next lower one."""
    bases: tuple[ConfirmBasis, ...]
    """What the decision may rest on; one of them."""
    reviewer: Annotated[bool, Field(strict=True)]
    """Whether a second named person must have reviewed it."""
    stable_follow_ups: Annotated[int, Field(strict=True, ge=0)]
    """Follow-ups without a worsening that must have gone before, each in a month of its own."""
    quiet_days: Annotated[int, Field(strict=True, ge=0)]
    """Days without evidence that reaches the tier before."""


class CaseClosure(Sourced):
    """When a named person may close a case."""

    at_most: Tier
    """The highest tier from which a case may be closed."""
    follow_ups: Annotated[int, Field(strict=True, ge=0)]
    """Follow-ups without a worsening that must have gone before, each in a month of its own."""


class Policy(Model):
    """All rules of a site, at one version, signed or not."""

    schema_: Annotated[Literal["mhscreen/policy/1"], Field(alias="schema")]
    """The grammar; the first key of the file."""
    id: Identifier
    """Its name."""
    version: Version
    """The version of this definition."""
    title: Text
    """Its name for people."""
    approved_by: Str | None = None
    """Who signed it; without, it is called an unsigned default wherever it is named."""
    approved_on: Date | None = None
    """When it was signed."""
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    """The sources that the file cites."""
    instruments: Annotated[tuple[ExactRef, ...], Field(min_length=1)]
    """The exact versions that the rules read."""
    concerns: Annotated[tuple[Concern, ...], Field(min_length=1)]
    """What somebody should have asked about; what nobody asked is listed in each entry."""
    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]
    """All are evaluated; the highest tier wins."""
    states: StateDue
    """By when a person must look at what could not be settled."""
    informant_gap: Annotated[int, Field(strict=True, ge=1, le=4)] = 2
    """The difference in tiers between informants from which it is itself a reason."""
    step_down: tuple[StepDown, ...] = ()
    """How a case is lowered; a step that is not listed is not taken."""
    closure: CaseClosure | None = None
    """How a case is closed; absent: from `watch`, without further conditions."""
    withdrawn: Str | None = None
    """Why this version must not be used any more."""
    notes: tuple[Str, ...] = ()
    """What a reader must know before signing it."""

    @property
    def ref(self) -> str:
        """``id@version``."""
        return f"{self.id}@{self.version}"
