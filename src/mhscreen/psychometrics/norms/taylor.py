"""Semi-parametric norms: the raw score as a polynomial of the norm score and of age or grade.

Each group is ranked by itself; the raw score is then regressed on powers of the normal score and
of age or grade, and their products (Lenhard, Lenhard and Gary 2019). No distribution is assumed.
A polynomial may bend back, though: a model whose raw score does not rise with the norm score
everywhere in the sample is no norm, and is not given.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.norms.percentiles import mid_ranks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.psychometrics.norms.continuous import Counted
    from mhscreen.psychometrics.norms.families import ScoreRange

    Floats = NDArray[np.float64]
    Terms = tuple[tuple[int, int], ...]

__all__ = ["TaylorNorm", "fit_taylor", "normal_scores"]

_REACH = 3.0
_GRID = np.linspace(-_REACH, _REACH, 601)


@dataclass(frozen=True, eq=False)
class TaylorNorm:
    """A fitted norm.

    Attributes
    ----------
    terms : tuple of (int, int)
        The powers of norm score and of age or grade, a constant besides.
    coefficients : ndarray of float64, shape (terms + 1,)
        The constant first; age or grade is turned to −1 … 1.
    of : ScoreRange
    first, last : float
        The range of age or grade in the sample; nothing is said beyond.
    r_squared : float
        Of the raw scores, weighted.
    bic : float
        Schwarz's criterion; lower is better.
    """

    terms: Terms
    coefficients: Floats
    of: ScoreRange
    first: float
    last: float
    r_squared: float
    bic: float

    def raw(self, z: Floats, time: Floats) -> Floats:
        """Return the raw score at each norm score and age or grade, shape (times, norm scores)."""
        inside = _inside(np.asarray(time, dtype=np.float64), self.first, self.last)
        design = _design(np.broadcast_to(z, (len(inside), len(z))), inside[:, None], self.terms)
        found: Floats = np.tensordot(self.coefficients, design, axes=1)
        return found

    def shares(self, time: Sequence[float], girl: Sequence[float] = ()) -> Floats:
        """Return the share of pupils at each raw score, shape (times, scores)."""
        del girl
        from scipy.special import ndtr

        when = np.asarray(time, dtype=np.float64)
        if when.size and (when.min() < self.first - 1e-9 or when.max() > self.last + 1e-9):
            msg = f"the sample goes from {self.first:g} to {self.last:g}: nothing is said beyond"
            raise UsageError(msg)
        points = self.of.scores[:-1] + 0.5
        below = np.stack(
            [
                ndtr(np.interp(points, curve, _GRID, left=-np.inf, right=np.inf))
                for curve in self.raw(_GRID, when)
            ]
        )
        edge = np.zeros((len(when), 1))
        return np.diff(np.concatenate([edge, below, edge + 1], axis=1), axis=1)

    def percentiles(self, time: Sequence[float], girl: Sequence[float] = ()) -> Floats:
        """Return the mid-rank percentile of each raw score, shape (times, scores)."""
        return mid_ranks_of(self.shares(time, girl))

    def crossings(self, times: Floats) -> Floats:
        """Return at which ages or grades the raw score does not rise with the norm score."""
        bad = (np.diff(self.raw(_GRID, times), axis=1) <= 0).any(axis=1)
        return times[bad]


def normal_scores(counts: Floats) -> Floats:
    """Return the normal score of the mid-rank of each raw score, along the last axis.

    Examples
    --------
    >>> normal_scores(np.array([1.0, 2, 1])).round(3).tolist()
    [-1.15, 0.0, 1.15]
    """
    from scipy.special import ndtri

    ranks = (np.cumsum(counts, axis=-1) - counts / 2) / counts.sum(axis=-1, keepdims=True)
    found: Floats = ndtri(np.clip(ranks, 1e-12, 1 - 1e-12))
    return found


def fit_taylor(
    counted: Counted,
    *,
    powers: tuple[int, int] = (5, 3),
    terms: Terms | None = None,
    most: int = 10,
) -> TaylorNorm:
    """Fit a norm, its terms chosen one by one by Schwarz's criterion.

    Parameters
    ----------
    counted : Counted
        Each cell is ranked by itself: a grade, or a band of age. Sexes are not told apart: fit
        each alone where they differ.
    powers : (int, int)
        The highest power of the norm score and of age or grade.
    terms : tuple of (int, int), optional
        The terms themselves; none is chosen then.
    most : int
        The most terms.

    Raises
    ------
    AnalysisError
        With MH705 for fewer groups than powers, with MH727 where no model rises everywhere.
    """
    kinds = len(np.unique(counted.time))
    if kinds <= powers[1]:
        what = f"{kinds} groups for a polynomial of degree {powers[1]} in age or grade"
        raise AnalysisError([Problem("MH705", what, f"{powers[1] + 1} of them, at least")])
    time = np.unique(counted.time)
    counts = np.stack([counted.counts[counted.time == one].sum(axis=0) for one in time])
    first, last = float(time[0]), float(time[-1])
    z = normal_scores(counts)
    weight = counts.ravel()
    raw = np.broadcast_to(counted.of.scores, counts.shape).ravel()
    inside = np.broadcast_to(_inside(time, first, last)[:, None], counts.shape)
    every = [one for one in product(range(powers[0] + 1), range(powers[1] + 1)) if any(one)]
    chosen: list[tuple[int, int]] = list(terms or ())
    design = _design(z, inside, tuple(every)).reshape(len(every) + 1, -1)
    places = {one: place + 1 for place, one in enumerate(every)}
    gram = (design * weight) @ design.T
    pull = (design * weight) @ raw
    whole = float((weight * raw**2).sum())
    pupils = float(weight.sum())
    spread = whole - float((weight * raw).sum()) ** 2 / pupils

    def solve(wanted: Sequence[tuple[int, int]]) -> tuple[Floats, float]:
        use = [0, *(places[one] for one in wanted)]
        found = np.linalg.lstsq(gram[np.ix_(use, use)], pull[use], rcond=None)[0]
        return found, whole - float(found @ pull[use])

    def model(wanted: Sequence[tuple[int, int]]) -> TaylorNorm:
        found, rest = solve(wanted)
        bic = pupils * np.log(max(rest, 1e-12) / pupils) + len(found) * np.log(pupils)
        return TaylorNorm(
            tuple(wanted), found, counted.of, first, last, 1 - rest / spread, float(bic)
        )

    if terms is not None:
        if any(one not in places for one in terms):
            msg = f"terms are pairs of powers up to {powers}, not both 0"
            raise UsageError(msg)
        candidates = [model(chosen)]
    else:
        candidates = []
        while len(chosen) < most:
            rest = {one: solve([*chosen, one])[1] for one in every if one not in chosen}
            chosen.append(min(rest, key=lambda one: rest[one]))
            candidates.append(model(chosen))
    fine = np.linspace(first, last, 60)
    rising = [one for one in candidates if not len(one.crossings(fine))]
    if not rising:
        at = candidates[-1].crossings(fine)
        where = f"{at[0]:g} to {at[-1]:g}"
        problem = Problem(
            "MH727",
            f"the raw score does not rise with the norm score at {where}",
            "curves that do not cross, everywhere in the sample",
            "lower powers, or a beta-binomial norm, which cannot cross",
        )
        raise AnalysisError([problem])
    return min(rising, key=lambda one: one.bic)


def _inside(time: Floats, first: float, last: float) -> Floats:
    width = last - first
    return 2 * (time - first) / width - 1 if width > 0 else np.zeros_like(time)


def _design(z: Floats, time: Floats, terms: Terms) -> Floats:
    """Return a constant and the products of powers, shape (terms + 1, …)."""
    held = np.clip(z, -_REACH - 1, _REACH + 1)
    return np.stack([np.ones_like(held), *(held**i * time**j for i, j in terms)])
