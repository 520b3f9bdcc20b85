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
from mhscreen.vocabulary import Evidence, Informant, Sex

__all__ = ["Band", "MeanSd", "NormTable", "RawTable", "Reliability", "ScaleNorm", "Stratum"]


class Band(Model):
    """``from`` belongs to the band, ``below`` does not."""

    from_: Annotated[Number, Field(alias="from")]
    """Where it begins."""
    below: Number
    """The first value that is outside."""


class Reliability(Sourced):
    """What a measurement-error interval rests on."""

    coefficient: Str
    """Which coefficient: alpha, omega, test–retest …"""
    value: Annotated[float, Field(strict=True, gt=0, lt=1)]
    """The coefficient."""
    sample: Text
    """In whom it was found."""
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

    raw: Annotated[tuple[Int, ...], Field(min_length=2)]
    """Consecutive whole raw scores, rising."""
    t: tuple[Number, ...] = ()
    """T scores."""
    z: tuple[Number, ...] = ()
    """z scores."""
    percentile: tuple[Number, ...] = ()
    """Percentiles, after the scale's `percentile_definition`."""


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
    percentile_definition: Literal["below", "at_or_below", "mid_rank"] | None = None
    """What the published percentile counts."""
    strata: Annotated[tuple[Stratum, ...], Field(min_length=1)]
    """Sets of figures that hold no pupil twice."""


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
    country: Annotated[str, Field(strict=True, pattern=r"^[A-Z]{2}$")]
    """ISO code of two capitals."""
    years: Str
    """When the sample was taken or, failing that, published."""
    n: Annotated[int, Field(strict=True, ge=1)]
    """How many were asked."""
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
