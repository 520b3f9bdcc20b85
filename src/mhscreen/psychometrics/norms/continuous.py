"""A norm that changes smoothly with age or grade, fitted by maximum likelihood.

Each parameter of the distribution is a polynomial of age or grade, with a shift for sex where
asked. Pupils are counted by cell and raw score first, so that a fit costs the same for a thousand
and for a million of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.norms.families import FAMILIES
from mhscreen.psychometrics.norms.percentiles import mid_ranks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.psychometrics.norms.families import Family, ScoreRange

    Floats = NDArray[np.float64]

__all__ = ["ContinuousNorm", "Counted", "Formula", "count_cells", "covariance_of", "fit_norm"]

_STEPS = 500
_STARTS = 5
_FLAT = 1e-5
_NEVER = 1e10  # what a place that has no likelihood is worth


@dataclass(frozen=True)
class Formula:
    """How the parameters depend on age or grade and on sex.

    Attributes
    ----------
    degrees : tuple of int
        For each parameter, in the order of the family, the degree of the polynomial; a shorter
        tuple is filled up with 0: constant.
    sex : bool
        Whether place and spread (the first two parameters) differ between boys and girls.
    """

    degrees: tuple[int, ...]
    sex: bool = False

    @property
    def label(self) -> str:
        """A short text: ``3.1.0+sex``."""
        return ".".join(map(str, self.degrees)) + ("+sex" if self.sex else "")


@dataclass(frozen=True, eq=False)
class Counted:
    """Pupils by cell and raw score.

    Attributes
    ----------
    time : ndarray of float64, shape (cells,)
        Age or grade.
    girl : ndarray of float64, shape (cells,)
        1 for girls, 0 for boys.
    counts : ndarray of float64, shape (cells, scores)
        Weighted, so that they add up to the number of pupils.
    cell : ndarray of int64, shape (pupils,)
        Where each pupil was counted.
    of : ScoreRange
    """

    time: Floats
    girl: Floats
    counts: Floats
    cell: NDArray[np.int64]
    of: ScoreRange


def count_cells(time: Floats, girl: Floats, raw: Floats, weight: Floats, of: ScoreRange) -> Counted:
    """Count pupils by age or grade, sex and raw score.

    Parameters
    ----------
    time, girl, raw, weight : ndarray of float64, shape (pupils,)
        Without NaN.
    of : ScoreRange
    """
    both = np.stack([time, girl], axis=1)
    cells, place = np.unique(both, axis=0, return_inverse=True)
    place = place.ravel().astype(np.int64)
    size = of.high - of.low + 1
    flat = place * size + (raw - of.low).astype(np.int64)
    scaled = weight / weight.mean()
    counts: Any = np.bincount(flat, weights=scaled, minlength=len(cells) * size)
    return Counted(cells[:, 0], cells[:, 1], counts.reshape(len(cells), size), place, of)


@dataclass(frozen=True, eq=False)
class ContinuousNorm:
    """A fitted norm.

    Attributes
    ----------
    family : str
        ``beta_binomial``, ``shash`` or ``lms``.
    formula : Formula
    of : ScoreRange
    first, last : float
        The range of age or grade in the sample; nothing is said beyond.
    coefficients : ndarray of float64, shape (coefficients,)
        Parameter by parameter: the polynomial (Legendre, of the range turned to −1 … 1), then the
        shift for girls.
    log_likelihood : float
    pupils : float
    """

    family: str
    formula: Formula
    of: ScoreRange
    first: float
    last: float
    coefficients: Floats
    log_likelihood: float
    pupils: float

    @property
    def bic(self) -> float:
        """Schwarz's criterion; lower is better."""
        return -2 * self.log_likelihood + len(self.coefficients) * float(np.log(self.pupils))

    @cached_property
    def _model(self) -> _Model:
        return _Model(FAMILIES[self.family], self.formula, self.of, self.first, self.last)

    def parameters(self, time: Sequence[float], girl: Sequence[float]) -> dict[str, Floats]:
        """Return the parameters of the distribution at each age or grade, as the family names them.

        Raises
        ------
        UsageError
            Outside the range of the sample.
        """
        eta = self._model.eta(self.coefficients, *self._inside(time, girl))
        names = FAMILIES[self.family].parameters
        return {name: eta[:, place].copy() for place, name in enumerate(names)}

    def shares(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the share of pupils at each raw score, shape (cells, scores)."""
        eta = self._model.eta(self.coefficients, *self._inside(time, girl))
        found: Floats = np.exp(FAMILIES[self.family].log_shares(eta, self.of)[0])
        return found

    def percentiles(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the mid-rank percentile of each raw score, shape (cells, scores)."""
        return mid_ranks_of(self.shares(time, girl))

    def standard_errors(
        self, time: Sequence[float], girl: Sequence[float], covariance: Floats
    ) -> Floats:
        """Return the standard error of each percentile (delta method), shape (cells, scores)."""
        cells = self._inside(time, girl)
        family = FAMILIES[self.family]
        eta = self._model.eta(self.coefficients, *cells)
        log, slopes = family.log_shares(eta, self.of)
        rise = slopes * np.exp(log)
        ranked = 100 * (np.cumsum(rise, axis=2) - rise / 2)
        by_coefficient = self._model.chain(ranked, *cells)
        squares = np.einsum("pcs,pq,qcs->cs", by_coefficient, covariance, by_coefficient)
        found: Floats = np.sqrt(squares)
        return found

    def _inside(self, time: Sequence[float], girl: Sequence[float]) -> tuple[Floats, Floats]:
        when, who = np.asarray(time, dtype=np.float64), np.asarray(girl, dtype=np.float64)
        if when.size and (when.min() < self.first - 1e-9 or when.max() > self.last + 1e-9):
            msg = f"the sample goes from {self.first:g} to {self.last:g}: nothing is said beyond"
            raise UsageError(msg)
        return when, who


class _Model:
    """The design of a formula."""

    def __init__(
        self, family: Family, formula: Formula, of: ScoreRange, first: float, last: float
    ) -> None:
        degrees = formula.degrees
        if len(degrees) > len(family.parameters) or any(degree < 0 for degree in degrees):
            msg = (
                f"degrees: at most {len(family.parameters)} for {family.name} "
                f"({', '.join(family.parameters)}), not {degrees}"
            )
            raise UsageError(msg)
        self.family, self.formula, self.of = family, formula, of
        self.first, self.last = first, last
        filled = (*degrees, *[0] * (len(family.parameters) - len(degrees)))
        self.widths = [
            degree + 1 + (formula.sex and place < 2)  # noqa: PLR2004 - place and spread
            for place, degree in enumerate(filled)
        ]
        self.ends = np.concatenate([[0], np.cumsum(self.widths)])

    def designs(self, time: Floats, girl: Floats) -> list[Floats]:
        """Return a design for each parameter, shape (cells, coefficients)."""
        width = self.last - self.first
        inside = 2 * (time - self.first) / width - 1 if width > 0 else np.zeros_like(time)
        powers = np.polynomial.legendre.legvander(inside, max(self.widths))
        found: list[Floats] = []
        for place, size in enumerate(self.widths):
            shifted = self.formula.sex and place < 2  # noqa: PLR2004 - place and spread
            part: Floats = powers[:, : size - shifted].astype(np.float64)
            found.append(np.concatenate([part, girl[:, None]], axis=1) if shifted else part)
        return found

    def eta(self, coefficients: Floats, time: Floats, girl: Floats) -> Floats:
        """Return the parameters of each cell, shape (cells, parameters)."""
        return np.stack(
            [
                design @ coefficients[start:end]
                for design, start, end in zip(
                    self.designs(time, girl), self.ends[:-1], self.ends[1:], strict=True
                )
            ],
            axis=1,
        )

    def chain(self, slopes: Floats, time: Floats, girl: Floats) -> Floats:
        """Turn slopes in parameters into slopes in coefficients, shape (coefficients, …)."""
        parts = [
            design.T[:, :, None] * slope[None]
            for design, slope in zip(self.designs(time, girl), slopes, strict=True)
        ]
        return np.concatenate(parts)

    def start(self) -> Floats:
        """Return coefficients to begin with: the same distribution for everybody."""
        found = np.zeros(self.ends[-1])
        found[self.ends[:-1]] = self.family.start(self.of)
        return found


def fit_norm(
    counted: Counted, family: str, formula: Formula, *, start: Floats | None = None
) -> ContinuousNorm:
    """Fit a norm by maximum likelihood.

    Parameters
    ----------
    counted : Counted
    family : {"beta_binomial", "shash", "lms"}
    formula : Formula
    start : ndarray of float64, optional
        Coefficients to begin with.

    Raises
    ------
    AnalysisError
        With MH705 where there are fewer ages or grades than the polynomial needs; with MH709 where
        the fit comes to no end: then no figure is given.
    """
    if family not in FAMILIES:
        msg = f"family is one of {', '.join(FAMILIES)}, not {family!r}"
        raise UsageError(msg)
    first, last = float(counted.time.min()), float(counted.time.max())
    model = _Model(FAMILIES[family], formula, counted.of, first, last)
    _check_cells(counted, formula)
    from scipy.optimize import minimize

    designs = model.designs(counted.time, counted.girl)
    total = float(counted.counts.sum())

    def misfit(at: Floats) -> tuple[float, Floats]:
        eta = model.eta(at, counted.time, counted.girl)
        log, slopes = model.family.log_shares(eta, counted.of)
        by_eta = (slopes * counted.counts).sum(axis=2)
        pull = np.concatenate(
            [design.T @ part for design, part in zip(designs, by_eta, strict=True)]
        )
        value = -float((counted.counts * log).sum()) / total
        if not np.isfinite(value) or not np.isfinite(pull).all():
            return _NEVER, np.zeros_like(at)
        return value, -pull / total

    begin = model.start() if start is None else np.asarray(start, dtype=np.float64)
    steps, at = 0, begin
    for _ in range(_STARTS):  # each time with a fresh idea of the curvature
        found = minimize(
            misfit, at, jac=True, method="BFGS", options={"maxiter": _STEPS, "gtol": 1e-7}
        )
        at, steps = found.x, steps + int(found.nit)
        value, slope = misfit(at)
        if value < _NEVER and float(np.abs(slope).max()) <= _FLAT:
            return ContinuousNorm(
                family, formula, counted.of, first, last, at, -value * total, total
            )
    return give_up(f"{family} {formula.label}", steps, "lower degrees, or another family")


def _check_cells(counted: Counted, formula: Formula) -> None:
    kinds = len(np.unique(counted.time))
    needed = max(formula.degrees) + 1
    if kinds < needed:
        what = f"{kinds} different ages or grades"
        hint = "lower degrees"
        raise AnalysisError([Problem("MH705", what, f"{needed} for these degrees", hint)])
    if formula.sex and len(np.unique(counted.girl)) < 2:  # noqa: PLR2004 - a shift
        what = "1 group" if len(counted.girl) else "no group"
        raise AnalysisError([Problem("MH707", what, "boys and girls", path="sex")])


def covariance_of(
    fit: ContinuousNorm,
    counted: Counted,
    raw: Floats,
    weight: Floats,
    school: NDArray[Any] | None = None,
) -> Floats:
    """Return the covariance of the coefficients, robust to weights and schools (sandwich).

    Parameters
    ----------
    fit : ContinuousNorm
    counted : Counted
        What it was fitted to.
    raw, weight : ndarray of float64, shape (pupils,)
    school : ndarray, shape (pupils,), optional
        Whose pupils were sampled together.
    """
    model = fit._model  # noqa: SLF001 - the fit's own design
    cells = counted.time, counted.girl
    scaled = weight / weight.mean()

    def by_entry(at: Floats) -> Floats:
        eta = model.eta(at, *cells)
        return model.chain(model.family.log_shares(eta, counted.of)[1], *cells)

    size = len(fit.coefficients)
    curve = np.empty((size, size))
    for place in range(size):
        step = np.zeros(size)
        step[place] = 1e-5
        rise = by_entry(fit.coefficients + step) - by_entry(fit.coefficients - step)
        curve[place] = -(rise * counted.counts).sum(axis=(1, 2)) / 2e-5
    score = by_entry(fit.coefficients)[:, counted.cell, (raw - counted.of.low).astype(np.int64)]
    score = score * scaled
    number = len(raw)
    if school is not None:
        _, group = np.unique(school, return_inverse=True)
        number = int(group.max()) + 1
        score = np.stack([np.bincount(group, weights=row, minlength=number) for row in score])
    middle = score @ score.T * number / max(number - 1, 1)
    inverse = np.linalg.inv((curve + curve.T) / 2)
    found: Floats = inverse @ middle @ inverse
    return found
