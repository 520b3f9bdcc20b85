"""A norm table, compiled: strata as numbers, for one scale of one slot."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import inf, nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import DefinitionError, Problem
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import NormTable
    from mhscreen.definitions.norm_table import (
        Band,
        RawTable,
        Regression,
        Reliability,
        ScaleNorm,
        Stratum,
    )
    from mhscreen.plan.scoring import FormPlan

__all__ = [
    "ANY_SEX",
    "BoxCoxPlan",
    "FlatStrata",
    "LinePlan",
    "NormPlan",
    "StratumPlan",
    "TablePlan",
    "compile_norms",
]

ANY_SEX = -1


@dataclass(frozen=True, eq=False)
class TablePlan:
    """Derived scores of consecutive raw scores.

    Attributes
    ----------
    first : int
        The raw score of the first entries.
    columns : dict of str to ndarray
        By metric.
    t_below, t_above : float
        The T shown, as a cap, for raw scores before the first and after the last; NaN for none.
    rising : int
        1, or −1 where derived scores fall while raw scores rise.
    """

    first: int
    columns: dict[str, NDArray[np.float64]]
    t_below: float = nan
    t_above: float = nan
    rising: int = 1

    @property
    def last(self) -> int:
        """The raw score of the last entries."""
        return self.first + len(next(iter(self.columns.values()))) - 1


@dataclass(frozen=True)
class LinePlan:
    """A predicted raw score with its SD; a mean and SD are a line that depends on nothing.

    Attributes
    ----------
    mean : float
        What is predicted at `age_centre` and grade 0.
    sd : float
        The SD, or that of the residuals.
    age, age_squared, age_centre, grade : float
        What each year, squared year and grade adds; years are counted from `age_centre`.
    """

    mean: float
    sd: float
    age: float = 0.0
    age_squared: float = 0.0
    age_centre: float = 0.0
    grade: float = 0.0

    @property
    def is_flat(self) -> bool:
        """Whether it depends on neither age nor grade."""
        return not (self.age or self.age_squared or self.grade)


@dataclass(frozen=True)
class BoxCoxPlan:
    """An LMS fit, `add` being added to the raw score first."""

    power: float
    median: float
    variation: float
    add: float = 0.0


@dataclass(frozen=True)
class StratumPlan:
    """The pupils of one stratum, and how their derived scores are made.

    Attributes
    ----------
    place : int
        Place of the stratum in its table. A regression on sex is compiled once for each sex.
    sex : int
        Position in `Sex`, −1 for any.
    age, grade : tuple of float
        From (included) and below (excluded); infinite where it does not matter.
    figures : TablePlan, LinePlan or BoxCoxPlan
        Gives the derived scores.
    t_error : float
        Standard error of measurement in T units; NaN where no reliability is stated.
    shrink : float
        How far the interval's centre is drawn towards 50; 1 where it is not.
    """

    place: int
    sex: int
    age: tuple[float, float]
    grade: tuple[float, float]
    figures: TablePlan | LinePlan | BoxCoxPlan
    t_error: float = nan
    shrink: float = 1.0

    @property
    def has_caps(self) -> bool:
        """Whether T is capped at an end."""
        table = self.figures
        return isinstance(table, TablePlan) and not np.isnan([table.t_below, table.t_above]).all()

    @property
    def rising(self) -> int:
        """1, or −1 where derived scores fall while raw scores rise."""
        return self.figures.rising if isinstance(self.figures, TablePlan) else 1


@dataclass(frozen=True, eq=False)
class FlatStrata:
    """All strata of a norm side by side, where each has a table of the same metrics, or a line.

    Attributes
    ----------
    first : int
        The raw score of the first entries of `columns`.
    columns : dict of str to ndarray, shape (strata, raw scores)
        NaN where a stratum's table has nothing to say; empty for lines.
    least, most : ndarray of float64, shape (strata,)
        The first and the last raw score of each table.
    t_below, t_above : ndarray of float64, shape (strata,)
        See `TablePlan`.
    mean, sd : ndarray of float64, shape (strata,)
        See `LinePlan`; NaN for tables.
    """

    first: int
    columns: dict[str, NDArray[np.float64]]
    least: NDArray[np.float64]
    most: NDArray[np.float64]
    t_below: NDArray[np.float64]
    t_above: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    @property
    def last(self) -> int:
        """The raw score of the last entries of `columns`."""
        return self.first + len(next(iter(self.columns.values()))[0]) - 1


@dataclass(frozen=True)
class NormPlan:
    """One scale's norm.

    Attributes
    ----------
    ref : str
        The norm table.
    slot, scale : int
        Places in the plan and in the form.
    strata : tuple of StratumPlan
        No pupil is in two of them.
    metrics : tuple of str
        The derived scores that any stratum gives.
    stanine_of_z : bool
        Whether stanines follow from z, in bands half a z wide.
    percentile_definition : str or None
        What a percentile counts; never mixed.
    """

    ref: str
    slot: int
    scale: int
    strata: tuple[StratumPlan, ...]
    metrics: tuple[str, ...]
    stanine_of_z: bool = False
    percentile_definition: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        # What is made when it is first used is made anew where the plan arrives.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def flat(self) -> FlatStrata | None:
        """All strata side by side; None where they are not of one simple kind."""
        return _flatten([one.figures for one in self.strata])


def _flatten(figures: Sequence[TablePlan | LinePlan | BoxCoxPlan]) -> FlatStrata | None:
    nothing = np.full(len(figures), nan)
    lines = [one for one in figures if isinstance(one, LinePlan) and one.is_flat]
    if figures and len(lines) == len(figures):
        mean, sd = np.array([(one.mean, one.sd) for one in lines]).T
        return FlatStrata(0, {}, nothing, nothing, nothing, nothing, mean, sd)
    tables = [one for one in figures if isinstance(one, TablePlan)]
    if len({tuple(one.columns) for one in tables}) != 1 or len(tables) < len(figures):
        return None
    first, last = min(one.first for one in tables), max(one.last for one in tables)
    columns = {
        metric: np.full((len(tables), last - first + 1), nan) for metric in tables[0].columns
    }
    for place, one in enumerate(tables):
        for metric, values in one.columns.items():
            columns[metric][place, one.first - first : one.last - first + 1] = values
    ends = [(one.first, one.last, one.t_below, one.t_above) for one in tables]
    least, most, below, above = np.array(ends, dtype=np.float64).T
    return FlatStrata(first, columns, least, most, below, above, nothing, nothing)


def compile_norms(table: NormTable, form: FormPlan, slot: int) -> tuple[NormPlan, ...]:
    """Compile a norm table for a form.

    Parameters
    ----------
    table : NormTable
        A table that passed its checks.
    form : FormPlan
        The form that it is to be applied to.
    slot : int
        The place of the form in its plan.

    Raises
    ------
    DefinitionError
        If the table is for another instrument or scale (MH201), another informant (MH306) or
        another scoring key (MH212): nobody is compared with a group that answered another form.
    """
    problems = list(_misfits(table, form))
    if problems:
        raise DefinitionError(problems)
    return tuple(
        NormPlan(
            table.ref,
            slot,
            form.scale(norm.scale),
            tuple(_strata(norm)),
            tuple(map(str, norm.metrics)),
            norm.stanine_kind == "half_z",
            norm.percentile_definition,
        )
        for norm in table.scales
    )


def _misfits(table: NormTable, form: FormPlan) -> Iterator[Problem]:
    """Yield in what a norm table does not fit a form."""
    if table.instrument_id != form.instrument:
        what = f"{table.ref} is a norm of {table.instrument_id}, not of {form.instrument}"
        yield Problem("MH201", what, f"a norm of {form.instrument}")
        return
    if table.informant is not form.informant:
        what = f"{table.ref} is for informant '{table.informant}', not '{form.informant}'"
        yield Problem("MH306", what, f"a norm for informant '{form.informant}'")
        return
    for norm in table.scales:
        place = form.scale(norm.scale)
        if place < 0:
            what = f"{table.ref} norms scale '{norm.scale}', which {form.ref} does not have"
            yield Problem("MH201", what, ", ".join(scale.id for scale in form.scales))
        elif norm.key_checksum != form.scales[place].key_checksum:
            what = f"{table.ref} was made for another scoring key of '{norm.scale}' than {form.ref}"
            yield Problem("MH212", what, norm.key_checksum, "use the version it was made for")


def _strata(norm: ScaleNorm) -> Iterator[StratumPlan]:
    for place, stratum in enumerate(norm.strata):
        figures = _figures(stratum, rising=1 if norm.direction == "rising" else -1)
        error, shrink = _error(stratum.reliability, figures)
        plan = StratumPlan(
            place,
            ANY_SEX if stratum.sex == "any" else Sex(stratum.sex).position,
            _bounds(stratum.age),
            _bounds(stratum.grade),
            figures,
            error,
            shrink,
        )
        line = stratum.regression
        if line is not None and line.female and isinstance(plan.figures, LinePlan):
            girls = replace(plan.figures, mean=plan.figures.mean + line.female)
            yield replace(plan, sex=Sex.MALE.position)
            yield replace(plan, sex=Sex.FEMALE.position, figures=girls)
        else:
            yield plan


def _bounds(band: Band | None) -> tuple[float, float]:
    return (-inf, inf) if band is None else (band.from_, band.below)


def _figures(stratum: Stratum, rising: int) -> TablePlan | LinePlan | BoxCoxPlan:
    if stratum.table is not None:
        return _table(stratum.table, rising)
    if stratum.lms is not None:
        lms = stratum.lms
        return BoxCoxPlan(lms.power, lms.median, lms.variation, lms.add)
    if stratum.regression is not None:
        return _line(stratum.regression)
    if stratum.mean_sd is not None:
        return LinePlan(stratum.mean_sd.mean, stratum.mean_sd.sd)
    msg = "a stratum without figures is refused when it is loaded"
    raise ValueError(msg)


def _table(table: RawTable, rising: int) -> TablePlan:
    columns = {
        metric: np.array(getattr(table, metric), dtype=np.float64)
        for metric in ("z", "t", "percentile", "stanine")
        if getattr(table, metric)
    }
    below, above = (nan if cap is None else cap for cap in (table.t_below, table.t_above))
    return TablePlan(table.start, columns, below, above, rising)


def _line(line: Regression) -> LinePlan:
    return LinePlan(
        line.intercept, line.residual_sd, line.age, line.age_squared, line.age_centre, line.grade
    )


def _error(
    reliability: Reliability | None, figures: TablePlan | LinePlan | BoxCoxPlan
) -> tuple[float, float]:
    """Return the standard error in T units, and how far the centre is drawn towards 50."""
    if reliability is None:
        return nan, 1.0
    spread = 10.0
    if reliability.sd is not None and isinstance(figures, LinePlan):
        spread = 10 * reliability.sd / figures.sd
    r = reliability.value
    if reliability.around == "observed":
        return spread * sqrt(1 - r), 1.0
    # The standard error of estimation, since the centre is the estimated true score
    # (Lord & Novick 1968, section 3.8).
    return spread * sqrt(r * (1 - r)), r
