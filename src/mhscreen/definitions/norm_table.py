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
    below: Number


class Reliability(Sourced):
    """What a measurement-error interval rests on."""

    coefficient: Str
    """Which coefficient: alpha, omega, test–retest …"""
    value: Annotated[float, Field(strict=True, gt=0, lt=1)]
    sample: Text
    around: Literal["observed", "regressed"]
    """Whether the interval lies around the observed or the regressed score."""


class MeanSd(Model):
    """Mean and standard deviation: gives z and a linear T, never a percentile."""

    mean: Number
    sd: Annotated[float, Field(strict=True, gt=0)]


class RawTable(Model):
    """Derived scores listed by raw score, columns of equal length; outside is not normed."""

    raw: Annotated[tuple[Int, ...], Field(min_length=2)]
    """Consecutive whole raw scores, rising."""
    t: tuple[Number, ...] = ()
    z: tuple[Number, ...] = ()
    percentile: tuple[Number, ...] = ()


class Stratum(Model):
    """The pupils whom one set of figures describes."""

    sex: Sex | Literal["any"]
    age: Band | None = None
    """Ages in years."""
    grade: Band | None = None
    n: Annotated[int, Field(strict=True, ge=1)] | None = None
    evidence: Evidence | None = None
    """Where it differs from the scale's."""
    mean_sd: MeanSd | None = None
    table: RawTable | None = None
    reliability: Reliability | None = None


class ScaleNorm(Sourced):
    """The strata of one scale."""

    scale: Key
    key_checksum: Annotated[str, Field(strict=True, pattern=r"^sha256:[0-9a-f]{64}$")]
    """Checksum of the scoring key it was made for; ``mhscreen check`` prints the right one."""
    raw_range: tuple[Number, Number]
    t_kind: Literal["linear", "normalised"] | None = None
    percentile_definition: Literal["below", "at_or_below", "mid_rank"] | None = None
    strata: Annotated[tuple[Stratum, ...], Field(min_length=1)]


class NormTable(Model):
    """What is usual in one reference group, for one informant's form of one instrument."""

    schema_: Annotated[Literal["mhscreen/norm/1"], Field(alias="schema")]
    id: Identifier
    version: Version
    title: Text
    instrument: ExactRef
    """The instrument version it was entered against (informative: the key checksum binds)."""
    informant: Informant
    reference_group: Text
    country: Annotated[str, Field(strict=True, pattern=r"^[A-Z]{2}$")]
    years: Str
    """When the sample was taken or, failing that, published."""
    n: Annotated[int, Field(strict=True, ge=1)]
    mode: Text
    """How the answers were collected."""
    sampling: Text
    use: Literal["display", "policy"]
    """``display``: a policy must not read it; ``policy``: it may."""
    review_by: Date
    rights: Str
    references: Annotated[tuple[Reference, ...], Field(min_length=1)]
    withdrawn: Str | None = None
    notes: tuple[Str, ...] = ()
    scales: Annotated[tuple[ScaleNorm, ...], Field(min_length=1)]

    @property
    def instrument_id(self) -> str:
        """The instrument's id."""
        return self.instrument.partition("@")[0]

    @property
    def ref(self) -> str:
        """``instrument/id@version``."""
        return f"{self.instrument_id}/{self.id}@{self.version}"
