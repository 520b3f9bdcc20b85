"""The grammar of a norm table, bound to one exact score of one instrument."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mhscreen.definitions.common import (
    Date,
    ExactRef,
    Identifier,
    Int,
    Key,
    Model,
    Number,
    Reference,
    Sourced,
    Str,
    Text,
    Version,
)
from mhscreen.vocabulary import Evidence, Informant, Metric, Sex

__all__ = [
    "FIGURES",
    "Band",
    "Lms",
    "MeanSd",
    "NormTable",
    "RawTable",
    "Regression",
    "Reliability",
    "ScaleNorm",
    "Stratum",
]

FIGURES = ("mean_sd", "table", "lms", "regression")
"""The kinds of figures; a stratum has exactly one."""

Stanine = Annotated[int, Field(strict=True, ge=1, le=9)]


class Band(Model):
    """``from`` belongs to the band, ``below`` does not."""

    from_: Annotated[Number, Field(alias="from")]
    """Where it begins."""
    below: Number
    """The first value that is outside."""


class Reliability(Sourced):
    """What an interval of measurement error rests on; it says nothing about blanks.

    Around the observed score it is ± 1.96 SD √(1 − r); around the regressed score (drawn towards
    the mean by r) ± 1.96 SD √(r (1 − r)).
    """

    coefficient: Str
    """Which coefficient: alpha, omega, test–retest …"""
    value: Annotated[float, Field(strict=True, gt=0, lt=1)]
    """The coefficient, r."""
    sample: Text
    """In whom it was found."""
    sd: Annotated[float, Field(strict=True, gt=0)] | None = None
    """The SD of raw scores in that sample; absent: taken to be that of the stratum."""
    around: Literal["observed", "regressed"]
    """Whether the interval lies around the observed or the regressed score."""


class MeanSd(Model):
    """Mean and standard deviation: gives z and a linear T, never a percentile."""

    mean: Number
    """The mean raw score."""
    sd: Annotated[float, Field(strict=True, gt=0)]
    """Its standard deviation in the sample."""


class RawTable(Model):
    """Derived scores listed by raw score, columns of equal length; outside is not normed."""

    raw: Annotated[tuple[Int, ...], Field(min_length=2)] | None = None
    """Consecutive whole raw scores, rising; or `first` alone."""
    first: Int | None = None
    """The first raw score; each entry is for one more than the last."""
    t: tuple[Number, ...] = ()
    """T scores."""
    t_below: Number | None = None
    """The cap printed for raw scores below the first: 36 for `< 36`."""
    t_above: Number | None = None
    """The cap printed for raw scores above the last: 80 for `> 80`."""
    z: tuple[Number, ...] = ()
    """z scores."""
    percentile: tuple[Number, ...] = ()
    """Percentiles, after the scale's `percentile_definition`."""
    stanine: tuple[Stanine, ...] = ()
    """Stanines, 1 to 9."""

    @property
    def length(self) -> int:
        """How many raw scores it lists."""
        return len(self.raw or self.t or self.z or self.percentile or self.stanine)

    @property
    def start(self) -> int:
        """The first raw score."""
        return self.raw[0] if self.raw else self.first or 0


class Lms(Model):
    """A Box–Cox fit: z = ((raw / M)^L − 1) / (L S), and ln(raw / M) / S where L is 0.

    Gives z, a normalised T, and the percentile of the fitted distribution.
    """

    power: Annotated[Number, Field(alias="l", ge=-10, le=10)]
    """L, the Box–Cox power; 1 where the scores are not skewed."""
    median: Annotated[Number, Field(alias="m", gt=0)]
    """M, the median, in raw scores (after `add`)."""
    variation: Annotated[Number, Field(alias="s", gt=0, lt=10)]
    """S, the coefficient of variation."""
    add: Annotated[Number, Field(ge=0)] = 0
    """Added to every raw score before the fit, where the lowest is 0."""


class Regression(Model):
    """A raw score predicted from age, grade and sex, with the residual SD: gives z and a linear T.

    Predicted is intercept + age × years + age_squared × years² + grade × grade + female, the years
    counted from `age_centre`.
    """

    intercept: Number
    """What is predicted where everything else is 0."""
    age: Number = 0
    """Added for each year of age."""
    age_squared: Number = 0
    """Added for each squared year of age."""
    age_centre: Number = 0
    """Subtracted from the age first."""
    grade: Number = 0
    """Added for each school grade."""
    female: Number = 0
    """Added for girls; an unknown sex then gives a pair of bounds."""
    residual_sd: Annotated[float, Field(strict=True, gt=0)]
    """The standard deviation of the residuals."""


class Stratum(Model):
    """The pupils whom one set of figures describes."""

    sex: Sex | Literal["any"]
    """`any` where the figures are for both."""
    age: Band | None = None
    """Ages in years."""
    grade: Band | None = None
    """School grades; absent: any."""
    n: Annotated[int, Field(strict=True, ge=1)] | None = None
    """How many pupils the figures rest on."""
    evidence: Evidence | None = None
    """Where it differs from the scale's."""
    mean_sd: MeanSd | None = None
    """The figures, where only mean and SD are published."""
    table: RawTable | None = None
    """The figures, where a table is published."""
    lms: Lms | None = None
    """The figures, where a Box–Cox fit is published."""
    regression: Regression | None = None
    """The figures, where a regression on age, grade or sex is published."""
    reliability: Reliability | None = None
    """Gives the interval of measurement error."""


class ScaleNorm(Sourced):
    """The strata of one scale."""

    scale: Key
    """A scale of the instrument."""
    key_checksum: Annotated[str, Field(strict=True, pattern=r"^sha256:[0-9a-f]{64}$")]
    """Checksum of the scoring key it was made for; ``mhscreen check`` prints the right one."""
    raw_range: tuple[Number, Number]
    """The range of the raw scores; checked against the key."""
    t_kind: Literal["linear", "normalised"] | None = None
    """A linear T has no percentile."""
    percentile_definition: Literal["below", "at_or_below", "mid_rank", "fitted"] | None = None
    """What the published percentile counts; `fitted`: the share below in a fitted distribution."""
    stanine_kind: Literal["table", "half_z"] | None = None
    """`half_z`: bands half a z wide, the fifth from −0.25 to below 0.25."""
    direction: Literal["rising", "falling"] = "rising"
    """How derived scores move with the raw score; falling: a table onto a contrary metric."""
    strata: Annotated[tuple[Stratum, ...], Field(min_length=1)]
    """Sets of figures that hold no pupil twice."""

    def metrics_of(self, stratum: Stratum) -> tuple[str, ...]:
        """Return the derived scores that a stratum gives, in the order of `Metric`."""
        given = {"z", "t"}
        if stratum.table is not None:
            columns = ("z", "t", "percentile", "stanine")
            given = {name for name in columns if getattr(stratum.table, name)}
        elif stratum.lms is not None:
            given.add("percentile")
        if self.stanine_kind == "half_z" and "z" in given:
            given.add("stanine")
        return tuple(metric for metric in Metric if metric in given)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The derived scores that any stratum gives, in the order of `Metric`."""
        given = {metric for stratum in self.strata for metric in self.metrics_of(stratum)}
        return tuple(metric for metric in Metric if metric in given)


class NormTable(Model):
    """What is usual in one reference group, for one informant's form of one instrument."""

    schema_: Annotated[Literal["mhscreen/norm/1"], Field(alias="schema")]
    """The grammar; the first key of the file."""
    id: Identifier
    """Its name; with the instrument in front of it, `sdq/shanghai-teacher`."""
    version: Version
    """The version of this definition."""
    title: Text
    """Its name for people."""
    instrument: ExactRef
    """The instrument version it was entered against (informative: the key checksum binds)."""
    informant: Informant
    """Whose form it holds for."""
    reference_group: Text
    """Who was asked."""
    country: Annotated[str, Field(strict=True, pattern=r"^[A-Z]{2}(/[A-Z]{2})*$")]
    """ISO code of two capitals; several for a sample from several countries."""
    years: Str
    """When the sample was taken or, failing that, published."""
    n: Annotated[int, Field(strict=True, ge=1)] | None = None
    """How many were asked; absent where the source does not say."""
    mode: Text
    """How the answers were collected."""
    sampling: Text
    """How they were chosen."""
    use: Literal["display", "policy"]
    """``display``: a policy must not read it; ``policy``: it may."""
    review_by: Date
    """The day by which somebody should look for a newer one."""
    rights: Str
    """The terms, in our own words."""
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    """The sources that the file cites."""
    withdrawn: Str | None = None
    """Why this version must not be used any more."""
    notes: tuple[Str, ...] = ()
    """Disagreements between sources, doubts, what was not obtained."""
    scales: Annotated[tuple[ScaleNorm, ...], Field(min_length=1)]
    """The scales that have figures."""

    @property
    def instrument_id(self) -> str:
        """The instrument's id."""
        return self.instrument.partition("@")[0]

    @property
    def ref(self) -> str:
        """``instrument/id@version``."""
        return f"{self.instrument_id}/{self.id}@{self.version}"
