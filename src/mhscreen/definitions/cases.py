"""The grammar of worked cases: answers beside what a definition must make of them.

`mhscreen.testing` runs them. A definition without worked cases is not shipped.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)

from mhscreen.definitions.common import (
    Count,
    ExactRef,
    Int,
    Key,
    Model,
    Name,
    Number,
    Str,
)
from mhscreen.vocabulary import Flag, Informant, ScreenTier, Sex, Stage, Tier, Validity

__all__ = [
    "Answers",
    "Cases",
    "InstrumentCase",
    "NormCase",
    "PolicyCase",
    "Pupil",
    "ScoreExpected",
    "TriageExpected",
]

Answers = dict[Key, Int | Str | None]
"""Item id → recorded code, null for a blank. ``all`` answers every item that is not named."""


def _forms(value: Any) -> Any:
    """Let one form stand for a list of one."""
    return (value,) if isinstance(value, dict) else value


def _times(value: Any) -> Any:
    """Let one time stand for a list of one."""
    return (value,) if isinstance(value, int | float) else value


_FORM = {"type": "object", "additionalProperties": {"type": ["integer", "string", "null"]}}

CriticalName = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*(/[a-z]+(_[a-z]+)*)?$"),
]
"""A critical item, ``q1``; with its concern, ``q1/suicide_plan``, where it has several."""

Forms = Annotated[
    tuple[Answers, ...],
    BeforeValidator(_forms),
    Field(min_length=1),
    # What a validator takes beforehand is not in the schema by itself.
    WithJsonSchema({"anyOf": [_FORM, {"type": "array", "items": _FORM, "minItems": 1}]}),
]

Seconds = Annotated[Number, Field(gt=0)] | None
Durations = Annotated[
    tuple[Seconds, ...],
    BeforeValidator(_times),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {
                    "type": "array",
                    "items": {"type": ["number", "null"], "exclusiveMinimum": 0},
                    "minItems": 1,
                },
            ]
        }
    ),
]

Slot = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*(@[a-z]+)?$"),
]


class Pupil(Model):
    """What the roster says of the pupil of a case."""

    stage: Stage | None = None
    """School stage."""
    grade: Int | None = None
    """School grade."""
    sex: Sex | None = None
    """As norms need it."""
    age: Number | None = None
    """Years."""


class ScoreExpected(Model):
    """What one scale must give; a key that is not named is not compared, null means no value."""

    score: Number | None = None
    """The raw score."""
    answered: Count | None = None
    """Items answered."""
    low: Number | None = None
    """The lowest score that the blanks allow."""
    high: Number | None = None
    """The highest score that the blanks allow."""
    category: Key | None = None
    """The category of the score."""
    category_low: Key | None = None
    """The category of `low`."""
    category_high: Key | None = None
    """The category of `high`."""
    standard_error: Number | None = None
    """The standard error of the score, where the scale has an item response model."""


class InstrumentCase(Model):
    """One filled-in form of an instrument."""

    name: Str
    """A sentence."""
    informant: Informant | None = None
    """Absent: the instrument's first."""
    answers: Answers
    """Item id to recorded code, null for a blank; `all` answers every item not named."""
    duration_s: Annotated[Number, Field(gt=0)] | None = None
    """Seconds that the form took; absent: not recorded."""
    expect: dict[Key, ScoreExpected] = {}
    """Scale id → what it must give."""
    critical: tuple[CriticalName, ...] | None = None
    """Exactly the critical items that are positive."""
    critical_open: tuple[Key, ...] | None = None
    """Exactly the critical items that are unanswered."""
    validity: Validity | None = None
    """What the form must be."""
    quality: tuple[Key, ...] | None = None
    """Exactly the response-quality indices that are reached."""
    quality_values: dict[Key, Number | None] = {}
    """Response-quality index → its value, rounded as written; null for none."""


class TriageExpected(Model):
    """What the policy must give; a key that is not named is not compared."""

    established: Tier | None = None
    """The highest rule that holds."""
    possible: Tier | None = None
    """The highest that holds or is undecided."""
    screen: ScreenTier | None = None
    """What is shown."""
    rules: tuple[Name, ...] | None = None
    """Exactly the rules that hold."""
    flags: tuple[Flag, ...] | None = None
    """Exactly the flags."""


class PolicyCase(Model):
    """One pupil with all forms, triaged in a programme."""

    name: Str
    """A sentence."""
    programme: ExactRef
    """The programme that it is run in."""
    pupil: Pupil
    """What the roster says."""
    forms: dict[Slot, Forms]
    """Slot → one form, or a list of forms."""
    duration_s: dict[Slot, Durations] = {}
    """Slot → the seconds that its form took, or a list of them with null for not recorded."""
    expect: TriageExpected
    """What the policy must give."""


class NormCase(Model):
    """Raw scores of one pupil, normed."""

    name: Str
    """A sentence."""
    pupil: Pupil
    """What the roster says."""
    raw: dict[Key, Number | None]
    """Scale id → raw score."""
    expect: dict[Key, dict[Key, Number | Str | None]]
    """Scale id → what (``t``, ``t_low``, ``percentile``, ``t_capped``, ``stratum`` counted from 0,
    ``reason`` …) → value, rounded as written; null for none."""


_KINDS = {"answers": InstrumentCase, "forms": PolicyCase, "raw": NormCase}


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((name for name in _KINDS if name in value), None)
    return next((name for name, model in _KINDS.items() if isinstance(value, model)), None)


Case = Annotated[
    Annotated[InstrumentCase, Tag("answers")]
    | Annotated[PolicyCase, Tag("forms")]
    | Annotated[NormCase, Tag("raw")],
    Discriminator(_kind),
]
"""A case, told apart by what it gives: answers, forms or raw scores."""


class Cases(Model):
    """The worked cases of one definition."""

    schema_: Annotated[Literal["mhscreen/cases/1"], Field(alias="schema")]
    """The grammar; the first key of the file."""
    for_: Annotated[ExactRef, Field(alias="for")]
    """The definition at its exact version."""
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]
    """All of one kind."""

    @model_validator(mode="after")
    def _one_kind(self) -> Cases:
        if len({type(case) for case in self.cases}) > 1:
            msg = "all cases of a file give the same: answers, forms or raw"
            raise ValueError(msg)
        return self
