"""Percentiles as they are in a sample, with what sampling leaves open.

The percentile of a raw score is the share short of it plus half the share at it (mid-rank). Its
interval knows weights and schools: pupils of one school are alike, and a thousand of them tell
less than a thousand from everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.psychometrics.intervals import wilson
from mhscreen.psychometrics.norms.weights import effective_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MidRanks", "mid_ranks", "mid_ranks_of"]


class MidRanks(NamedTuple):
    """Percentiles by raw score; arrays of shape (scores,), in per cent."""

    percentile: Floats
    se: Floats
    """Standard error."""
    low: Floats
    high: Floats
    effective: float
    """Pupils of a simple random sample who tell as much: of the median rank, schools included."""


def mid_ranks_of(shares: Floats) -> Floats:
    """Return mid-rank percentiles from the share at each score, along the last axis.

    Examples
    --------
    >>> mid_ranks_of(np.array([0.5, 0.25, 0.25])).tolist()
    [25.0, 62.5, 87.5]
    """
    found: Floats = 100 * (np.cumsum(shares, axis=-1) - shares / 2)
    return found


def mid_ranks(
    raw: Floats,
    scores: Floats,
    weight: Floats | None = None,
    school: NDArray[np.object_] | None = None,
    level: float = 0.95,
) -> MidRanks:
    """Return the percentile of each score, with Wilson's interval on the effective number.

    Parameters
    ----------
    raw : ndarray of float64, shape (pupils,)
        Without NaN.
    scores : ndarray of float64, shape (scores,)
        The raw scores wanted, rising.
    weight : ndarray of float64, shape (pupils,), optional
    school : ndarray of object, shape (pupils,), optional
        Whose pupils were sampled together. The standard error is then that of the schools
        (linearised, as survey programs work it out).
    level : float

    Examples
    --------
    >>> found = mid_ranks(np.array([0.0, 0, 1, 2]), np.array([0.0, 1, 2]))
    >>> found.percentile.tolist(), found.effective
    ([25.0, 62.5, 87.5], 4.0)
    """
    weights = np.ones(len(raw)) if weight is None else weight
    total = weights.sum()
    # Each pupil's place among the scores: even numbers between two of them, odd ones at one.
    place = np.searchsorted(scores, raw) + np.searchsorted(scores, raw, side="right")
    at: Any = np.bincount(place, weights=weights, minlength=2 * len(scores) + 1)
    share = _ranked(at) / total
    alone = _of_pupils(place, weights, share)
    variance = alone
    if school is not None:
        variance = _of_schools(place, weights, share, school)
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.where(variance > 0, share * (1 - share) / variance, np.nan)
    kish = effective_size(weights)
    reach = np.where(np.isnan(reach), kish, reach)
    low, high = wilson(share * reach, reach, level)
    middle = int(np.argmin(np.abs(share - 0.5)))
    effective = kish
    if variance[middle] > 0:
        effective = min(kish, kish * float(alone[middle] / variance[middle]))
    return MidRanks(100 * share, 100 * np.sqrt(variance), 100 * low, 100 * high, effective)


def _ranked(at: Floats) -> Floats:
    """Return what is short of each score and half of what is at it, along the last axis."""
    ranked: Floats = np.cumsum(at, axis=-1)[..., 1::2] - at[..., 1::2] / 2
    return ranked


def _of_pupils(place: NDArray[np.intp], weights: Floats, share: Floats) -> Floats:
    """Return the variance of each share, of pupils drawn one by one."""
    number = len(place)
    squares = np.bincount(place, weights=weights**2, minlength=2 * len(share) + 1)
    short = np.cumsum(squares)[0:-1:2]
    at = squares[1::2]
    rest = squares.sum() - short - at
    spread = short * (1 - share) ** 2 + at * (0.5 - share) ** 2 + rest * share**2
    found: Floats = spread * number / max(number - 1, 1) / weights.sum() ** 2
    return found


def _of_schools(
    place: NDArray[np.intp], weights: Floats, share: Floats, school: NDArray[np.object_]
) -> Floats:
    """Return the variance of each share, of schools drawn with all their pupils."""
    group = np.unique(school, return_inverse=True)[1]
    number, width = int(group.max()) + 1, 2 * len(share) + 1
    flat: Any = np.bincount(group * width + place, weights=weights, minlength=number * width)
    at: Floats = flat.reshape(number, width)
    spread = (_ranked(at) - at.sum(axis=1, keepdims=True) * share) ** 2
    found: Floats = spread.sum(axis=0) * number / max(number - 1, 1) / weights.sum() ** 2
    return found
