"""Intervals of shares and of what lies between 0 and 1, for whole arrays at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["check_level", "logit_interval", "normal_quantile", "percentile_interval", "wilson"]


def check_level(level: float) -> None:
    """Check the level of an interval.

    Raises
    ------
    UsageError
        If it does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        msg = f"level is the share of intervals that hold the truth, such as 0.95, not {level}"
        raise UsageError(msg)


def normal_quantile(level: float) -> float:
    """Return how many standard errors a two-sided interval reaches.

    Examples
    --------
    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from scipy.special import ndtri

    check_level(level)
    return float(ndtri(0.5 + level / 2))


def wilson(hits: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the score interval of a share (Wilson 1927).

    Parameters
    ----------
    hits, n : array_like
        How many of how many; they need not be whole (an effective number).
    level : float
        The share of intervals that hold the truth.

    Returns
    -------
    low, high : ndarray of float64
        NaN where `n` is 0.

    Examples
    --------
    >>> low, high = wilson(32, 36)
    >>> low.round(4).item(), high.round(4).item()
    (0.7469, 0.9559)
    """
    z2 = normal_quantile(level) ** 2
    hits, n = np.asarray(hits, dtype=np.float64), np.asarray(n, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / n
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(z2 / n * (share * (1 - share) + z2 / (4 * n))) / (1 + z2 / n)
    # At a share of 0 or 1 rounding would leave an end just inside.
    low = np.where(share <= 0, 0.0, centre - half)
    high = np.where(share >= 1, 1.0, centre + half)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def logit_interval(value: ArrayLike, se: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return an interval that is symmetric on the logit scale and stays between 0 and 1.

    Parameters
    ----------
    value, se : array_like
        Estimates between 0 and 1, and their standard errors.
    level : float
        The share of intervals that hold the truth.

    Returns
    -------
    low, high : ndarray of float64
        NaN where the estimate is 0 or 1: no standard error describes it there.

    Examples
    --------
    >>> low, high = logit_interval(0.9, 0.03)
    >>> low.round(3).item(), high.round(3).item()
    (0.824, 0.945)
    """
    from scipy.special import expit, logit

    z = normal_quantile(level)
    value, se = np.asarray(value, dtype=np.float64), np.asarray(se, dtype=np.float64)
    inside = (value > 0) & (value < 1)
    middle = np.where(inside, value, 0.5)
    half = z * se / (middle * (1 - middle))
    low, high = expit(logit(middle) - half), expit(logit(middle) + half)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def percentile_interval(draws: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the percentile interval of bootstrap draws, along the first axis.

    Examples
    --------
    >>> low, high = percentile_interval(np.arange(1001.0))
    >>> low.round(9).item(), high.round(9).item()
    (25.0, 975.0)
    """
    check_level(level)
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return np.asarray(low), np.asarray(high)
