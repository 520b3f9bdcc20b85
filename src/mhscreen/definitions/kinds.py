"""The grammar of what some kinds of scoring need beyond a list of items.

A transform puts a raw score on another metric, levels are a decision rule in place of a sum, and
an item response model gives a score with a standard error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from mhscreen.definitions.common import Int, Key, Model, Number

__all__ = [
    "ConversionTable",
    "Irt",
    "IrtItem",
    "IrtMetric",
    "IrtPrior",
    "Level",
    "LevelAll",
    "LevelAny",
    "LevelAtLeast",
    "LevelCondition",
    "LevelCount",
    "LevelItem",
    "LevelScale",
    "Transform",
]

Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]

Threshold = Annotated[float, Field(strict=True, ge=-10, le=10, allow_inf_nan=False)]


class ConversionTable(Model):
    """A score for each whole raw score."""

    first: Int
    """The raw score of the first value: the smallest that the key gives."""
    values: Annotated[tuple[Number, ...], Field(min_length=2, max_length=2000)]
    """The scores of consecutive raw scores up to the largest; none is below the one before."""


class Transform(Model):
    """A raw score on another metric: exactly one of the three."""

    multiply: Positive | None = None
    """The raw score times this number."""
    onto: tuple[Number, Number] | None = None
    """Linear: the smallest and largest raw score become these two."""
    table: ConversionTable | None = None
    """Looked up; nothing is interpolated, so that a prorated score has none."""

    @model_validator(mode="after")
    def _one(self) -> Transform:
        if sum(one is not None for one in (self.multiply, self.onto, self.table)) != 1:
            msg = "give exactly one of multiply, onto, table"
            raise ValueError(msg)
        return self


class LevelItem(Model):
    """An item score (as recorded, never reversed) at or above a value."""

    item: Key
    """The item."""
    at_or_above: Int
    """The item score from which it holds."""


class LevelScale(Model):
    """The score of an earlier scale at or above a value."""

    scale: Key
    """A scale of the same instrument that stands before this one."""
    at_or_above: Number
    """The score from which it holds."""


class LevelAll(Model):
    """Every condition of a level holds."""

    all: Annotated[tuple[LevelCondition, ...], Field(min_length=1)]
    """The conditions."""


class LevelAny(Model):
    """At least one condition of a level holds."""

    any: Annotated[tuple[LevelCondition, ...], Field(min_length=1)]
    """The conditions."""


class LevelCount(Model):
    """How many conditions of a level, of which."""

    count: Annotated[int, Field(strict=True, ge=1)]
    """How many must hold."""
    of: Annotated[tuple[LevelCondition, ...], Field(min_length=1)]
    """Of which."""


class LevelAtLeast(Model):
    """At least a number of conditions of a level hold."""

    at_least: LevelCount
    """How many of which."""


_KINDS = {
    "item": LevelItem,
    "scale": LevelScale,
    "all": LevelAll,
    "any": LevelAny,
    "at_least": LevelAtLeast,
}


def _kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((name for name in _KINDS if name in value), None)
    return next((name for name, model in _KINDS.items() if isinstance(value, model)), None)


LevelCondition = Annotated[
    Annotated[LevelItem, Tag("item")]
    | Annotated[LevelScale, Tag("scale")]
    | Annotated[LevelAll, Tag("all")]
    | Annotated[LevelAny, Tag("any")]
    | Annotated[LevelAtLeast, Tag("at_least")],
    Discriminator(_kind),
]
"""A comparison or a branch, told apart by its first key. Every one is upward closed."""

for _model in (LevelAll, LevelAny, LevelCount, LevelAtLeast):
    _model.model_rebuild()  # they hold conditions, which are only known here


class Level(Model):
    """One level of a decision rule."""

    at: Annotated[int, Field(strict=True, ge=1)]
    """The score where this is the highest level that holds."""
    when: LevelCondition
    """The condition."""


class IrtPrior(Model):
    """The normal prior of the latent trait."""

    mean: Number
    """Its mean."""
    sd: Annotated[float, Field(strict=True, gt=0, le=5, allow_inf_nan=False)]
    """Its standard deviation."""


class IrtMetric(Model):
    """The metric of the score: mean + SD × latent trait."""

    mean: Number
    """The score at a latent trait of 0."""
    sd: Positive
    """The score points per unit of the latent trait."""


class IrtItem(Model):
    """The parameters of one item, on the logistic metric (without the factor 1.7)."""

    a: Annotated[float, Field(strict=True, gt=0, le=10, allow_inf_nan=False)]
    """Its discrimination."""
    b: Annotated[tuple[Threshold, ...], Field(min_length=1, max_length=199)]
    """Its thresholds, one between each two neighbouring item scores, after reverse keying."""


class Irt(Model):
    """An item response model with published parameters."""

    model: Literal["graded", "partial_credit"]
    """``graded``: graded response; ``partial_credit``: (generalised) partial credit."""
    prior: IrtPrior
    """Whom the score takes the respondent for before any answer."""
    min_answered: Annotated[int, Field(strict=True, ge=1)] | None = None
    """For ``eap``: the fewest answered items that allow a score."""
    metric: IrtMetric
    """What the score is expressed in."""
    parameters: dict[Key, IrtItem]
    """The parameters of every item, by item."""
