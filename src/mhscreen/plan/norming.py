"""A norm table, compiled: strata as arrays, for one scale of one slot."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.definitions import NormTable
    from mhscreen.definitions.norm_table import Band, Stratum
    from mhscreen.plan.scoring import FormPlan

__all__ = ["NormPlan", "StratumPlan", "compile_norms"]

ANY_SEX = -1


@dataclass(frozen=True)
class StratumPlan:
    """The pupils of one stratum, and how their derived scores are made.

    Attributes
    ----------
    sex : int
        Position in `Sex`, −1 for any.
    age, grade : tuple of float
        From (included) and below (excluded); infinite where it does not matter.
    mean, sd : float
        NaN where the stratum has a table instead.
    first : int
        The first raw score of the tables.
    tables : dict of str to ndarray
        Derived scores of consecutive raw scores, by metric.
    t_error : float
        Standard error of measurement in T units; NaN where no reliability is stated.
    shrink : float
        How far the interval's centre is drawn towards 50; 1 where it is not.
    """

    sex: int
    age: tuple[float, float]
    grade: tuple[float, float]
    mean: float
    sd: float
    first: int
    tables: dict[str, NDArray[np.float64]]
    t_error: float
    shrink: float


@dataclass(frozen=True)
class NormPlan:
    """One scale's norm."""

    ref: str
    slot: int
    scale: int
    strata: tuple[StratumPlan, ...]


def compile_norms(table: NormTable, form: FormPlan, slot: int) -> tuple[NormPlan, ...]:
    """Compile the scales of a norm table that this form has."""
    return tuple(
        NormPlan(table.ref, slot, form.scale(norm.scale), tuple(map(_stratum, norm.strata)))
        for norm in table.scales
        if form.scale(norm.scale) >= 0
    )


def _bounds(band: Band | None) -> tuple[float, float]:
    return (-inf, inf) if band is None else (band.from_, band.below)


def _stratum(stratum: Stratum) -> StratumPlan:
    raw = stratum.table
    tables = {
        metric: np.array(getattr(raw, metric), dtype=np.float64)
        for metric in ("t", "z", "percentile")
        if raw is not None and getattr(raw, metric)
    }
    reliability = stratum.reliability
    return StratumPlan(
        sex=ANY_SEX if stratum.sex == "any" else Sex(stratum.sex).position,
        age=_bounds(stratum.age),
        grade=_bounds(stratum.grade),
        mean=np.nan if stratum.mean_sd is None else stratum.mean_sd.mean,
        sd=np.nan if stratum.mean_sd is None else stratum.mean_sd.sd,
        first=0 if raw is None else raw.raw[0],
        tables=tables,
        t_error=np.nan if reliability is None else 10 * sqrt(1 - reliability.value),
        shrink=1.0
        if reliability is None or reliability.around == "observed"
        else reliability.value,
    )
