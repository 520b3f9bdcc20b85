"""Whether the same pupils would be flagged again, and by their true score.

Accuracy is agreement of the observed with the true score's side of a cut, consistency agreement of
two administrations. Neither is agreement with a disorder: a true score is what a pupil would score
on average, whatever it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.kernels.irt import likelihoods_of_sums
from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Classification", "classify_by_model", "classify_by_reliability"]

_POINTS = 400
_NEAR = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Classification(Result):
    """Agreement at each cut; arrays of shape (cuts,).

    Attributes
    ----------
    cuts : ndarray
        A score at the cut belongs to the far side.
    accuracy : ndarray
        The share of pupils on the side of their true score.
    over, under : ndarray
        Beyond the cut though the true score is short of it, and the reverse.
    consistency : ndarray
        The share on the same side in two administrations.
    kappa : ndarray
        Consistency beyond chance; NaN where all are on one side.
    method : str
    note : str
        What the method assumes, with its numbers.
    """

    cuts: Floats
    accuracy: Floats
    over: Floats
    under: Floats
    consistency: Floats
    kappa: Floats
    method: str
    note: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the method and what it assumes."""
        return f"Agreement with the true score, not with a disorder: {self.method}; {self.note}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each cut."""
        names = ("accuracy", "over", "under", "consistency", "kappa")
        return {"cut": self.cuts, **{name: getattr(self, name) for name in names}}

    def _draw(self, ax: Axes) -> None:
        for name in ("accuracy", "consistency", "kappa"):
            ax.plot(self.cuts, getattr(self, name), marker=".", label=name)
        ax.set(xlabel="cut", ylabel="agreement")
        ax.legend()


def classify_by_reliability(
    score: ArrayLike,
    cuts: Sequence[float],
    *,
    reliability: float,
    range: tuple[float, float],  # noqa: A002 - the word of the definitions
    true_scores: Literal["beta", "beta4"] = "beta",
) -> Classification:
    """Estimate agreement from scores and a reliability (Livingston and Lewis 1995).

    The scores are taken for those of a test of right and wrong answers whose length has that
    reliability; true scores follow a beta distribution, errors a binomial one.

    Parameters
    ----------
    score : array_like, shape (pupils,)
        Whole scores, NaN where there is none (left out).
    cuts : sequence of float
        A score at the cut belongs to the far side.
    reliability : float
        Of these scores, in pupils like these.
    range : (float, float)
        The least and the greatest possible score.
    true_scores : {"beta", "beta4"}
        Mean and variance of the true scores give a beta distribution on the whole range; with the
        third and fourth moment it finds its own ends (Lord 1965, Hanson 1991).

    Raises
    ------
    AnalysisError
        With MH705 if the scores do not vary, with MH729 if no such distribution of true scores
        has the moments.

    Examples
    --------
    >>> score = np.repeat(np.arange(11), [9, 8, 7, 6, 5, 4, 3, 3, 2, 2, 1])
    >>> found = classify_by_reliability(score, [6], reliability=0.8, range=(0, 10))
    >>> found.accuracy.round(3).tolist(), found.consistency.round(3).tolist()
    ([0.896], [0.862])
    """
    scores = np.asarray(score, dtype=np.float64)
    scores = scores[~np.isnan(scores)]
    low, high = range
    if not 0 < reliability < 1:
        msg = f"reliability lies between 0 and 1, not {reliability}"
        raise UsageError(msg)
    if not low < high or (len(scores) and not (low <= scores.min() and scores.max() <= high)):
        msg = "range: the least and the greatest possible score, and every score within"
        raise UsageError(msg)
    if len(scores) < 2 or scores.var(ddof=1) <= 0:  # noqa: PLR2004 - no variance from one
        raise AnalysisError([Problem("MH705", "the scores do not vary", "two different scores")])
    mean, variance = scores.mean(), scores.var(ddof=1)
    length = ((mean - low) * (high - mean) - reliability * variance) / (
        variance * (1 - reliability)
    )
    whole = int(np.rint(length))
    if whole < 1:
        raise AnalysisError([_impossible("the effective length is below one answer")])
    shares = (scores - low) / (high - low)
    ends = _true_distribution(shares, reliability, length, true_scores)
    points, mass = _beta_points(*ends)
    from scipy.stats import binom

    wanted = np.asarray(cuts, dtype=np.float64)
    # Half a point below the cut, carried over to the other length.
    effective = np.floor((wanted - 0.5 - low) / (high - low) * whole + 1.0)
    beyond = np.asarray(binom.sf(effective[:, None] - 1, whole, points), dtype=np.float64)
    truly = points >= ((wanted - low) / (high - low))[:, None]
    note = f"reliability {reliability:g}, effective length {length:.1f}, true scores {true_scores}"
    return _agreement(wanted, beyond, truly, mass, "Livingston and Lewis", note)


def _impossible(what: str) -> Problem:
    return Problem("MH729", what, "moments that a beta distribution can have", "true_scores='beta'")


def _true_distribution(
    shares: Floats, reliability: float, length: float, kind: str
) -> tuple[float, float, float, float]:
    """Return both shapes and both ends of the distribution of true scores, as shares."""
    mean, variance = float(shares.mean()), reliability * float(shares.var(ddof=1))
    if kind == "beta":
        if variance >= mean * (1 - mean):
            raise AnalysisError([_impossible("true scores vary more than their range allows")])
        size = mean * (1 - mean) / variance - 1
        return mean * size, (1 - mean) * size, 0.0, 1.0
    if kind != "beta4":
        msg = f"true_scores is 'beta' or 'beta4', not {kind!r}"
        raise UsageError(msg)
    raw = _true_moments(shares * length, length)
    second = raw[1] - raw[0] ** 2
    skew = (raw[2] - 3 * raw[0] * raw[1] + 2 * raw[0] ** 3) / second**1.5
    kurtosis = (
        raw[3] - 4 * raw[0] * raw[2] + 6 * raw[0] ** 2 * raw[1] - 3 * raw[0] ** 4
    ) / second**2
    return _four_parameters(float(raw[0]), float(second), float(skew), float(kurtosis))


def _true_moments(effective: Floats, length: float) -> list[float]:
    """Return the first four raw moments of the true shares (Lord 1965, equation 37)."""
    falling, scale, moments = np.ones_like(effective), 1.0, []
    for step in (0, 1, 2, 3):
        falling = falling * np.maximum(effective - step, 0.0)
        scale *= length - step
        moments.append(float(falling.mean()) / scale)
    return moments


def _four_parameters(
    mean: float, variance: float, skew: float, kurtosis: float
) -> tuple[float, float, float, float]:
    """Return the beta distribution on ends of its own that has these moments."""
    r = 6 * (kurtosis - skew**2 - 1) / (6 + 3 * skew**2 - 2 * kurtosis)
    inside = 1 - 24 * (r + 1) / ((r + 2) * (r + 3) * kurtosis - 3 * (r + 1) * (r - 6))
    if not (np.isfinite(r) and r > 0 and inside >= 0):
        raise AnalysisError([_impossible("no beta distribution has these four moments")])
    root = float(np.sqrt(inside))
    large, small = r / 2 * (1 + root), r / 2 * (1 - root)
    a, b = (small, large) if skew > 0 else (large, small)
    width = float(np.sqrt(variance * (a + b) ** 2 * (a + b + 1) / (a * b)))
    low = mean - width * a / (a + b)
    if low < -_NEAR or low + width > 1 + _NEAR:
        raise AnalysisError([_impossible("true scores would lie outside the range")])
    return a, b, low, low + width


def _beta_points(a: float, b: float, low: float, high: float) -> tuple[Floats, Floats]:
    """Return points that stand for slices of equal mass, each at its own middle."""
    from scipy.stats import beta

    edges = beta.ppf(np.linspace(0, 1, _POINTS * 10 + 1), a, b)
    # The mean of each slice, from the partial means of a beta distribution.
    partial_mean = a / (a + b) * beta.cdf(edges, a + 1, b)
    points = np.diff(partial_mean) * _POINTS * 10
    return low + (high - low) * points, np.full(len(points), 1 / len(points))


def classify_by_model(
    chances: Sequence[Floats],
    scores: Sequence[Sequence[int]],
    *,
    mass: ArrayLike,
    cuts: Sequence[float],
) -> Classification:
    """Estimate agreement from a fitted item response model (Lee 2010).

    Parameters
    ----------
    chances : sequence of ndarray of float64, each of shape (points, categories)
        For each item, the probability of each of its scores at each point of the latent trait.
    scores : sequence of sequence of int
        For each item, its scores, rising.
    mass : array_like, shape (points,)
        How many pupils stand at each point, up to a factor.
    cuts : sequence of float
        Of the sum of the item scores.

    Examples
    --------
    >>> from mhscreen.kernels.irt import graded, grid
    >>> trait = grid(0.0, 1.0)
    >>> items = [graded(trait.points, 1.5, np.array([-1.0, 0.0, 1.0]))] * 6
    >>> found = classify_by_model(items, [range(4)] * 6, mass=trait.prior, cuts=[12])
    >>> found.accuracy.round(3).tolist(), found.consistency.round(3).tolist()
    ([0.864], [0.816])
    """
    share = np.asarray(mass, dtype=np.float64)
    share = share / share.sum()
    first, likelihood = likelihoods_of_sums(chances, [tuple(one) for one in scores])
    sums = first + np.arange(len(likelihood))
    wanted = np.asarray(cuts, dtype=np.float64)
    beyond = np.stack([likelihood[sums >= cut - _NEAR].sum(axis=0) for cut in wanted.tolist()])
    expected = (sums[:, None] * likelihood).sum(axis=0)
    truly = expected >= wanted[:, None] - _NEAR
    note = f"{len(chances)} items, {len(share)} points of the trait"
    return _agreement(wanted, beyond, truly, share, "Lee", note)


def _agreement(
    cuts: Floats,
    beyond: Floats,
    truly: NDArray[np.bool_],
    mass: Floats,
    method: str,
    note: str,
) -> Classification:
    """Put agreement together from the chance of a score beyond the cut, shape (cuts, points)."""
    over = np.where(truly, 0.0, beyond) @ mass
    under = np.where(truly, 1 - beyond, 0.0) @ mass
    consistency = (beyond**2 + (1 - beyond) ** 2) @ mass
    flagged = beyond @ mass
    chance = flagged**2 + (1 - flagged) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        kappa = np.where(chance < 1 - _NEAR, (consistency - chance) / (1 - chance), np.nan)
    return Classification(cuts, 1 - over - under, over, under, consistency, kappa, method, note)
