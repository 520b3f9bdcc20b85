"""From a number to its category, and to its derived score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "categorise",
    "gather",
    "look_up",
    "rescale",
    "round_down",
    "round_half_up",
    "whole_places",
]

_EPSILON = 1e-9
_AT_A_TIME = 1 << 15


def categorise(
    score: NDArray[np.float64], cuts: NDArray[np.float64], *, upwards: bool
) -> NDArray[np.int8]:
    """Return the category of each score.

    Parameters
    ----------
    score : ndarray of float64
        NaN where there is no score.
    cuts : ndarray of float64
        The cut scores of all categories but the first, from the near to the far side.
    upwards : bool
        Whether the far side is the higher one.

    Returns
    -------
    ndarray of int8
        Zero-based category; −1 where there is no score. A score at a cut belongs to the far
        side.

    Examples
    --------
    >>> categorise(np.array([4.5, 5, np.nan]), np.array([5.0, 10]), upwards=True).tolist()
    [0, 1, -1]
    """
    sign = 1.0 if upwards else -1.0
    place = np.searchsorted(sign * cuts, sign * score + _EPSILON, side="right")
    return np.where(np.isnan(score), -1, place).astype(np.int8)


def gather(
    values: NDArray[Any], places: NDArray[np.unsignedinteger], out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Return the value at each place.

    NumPy turns the places into wide integers first; so long as these stay in the cache, that
    costs a fifth of what it does for all at once.

    Parameters
    ----------
    values : ndarray, shape (values,)
        A table.
    places : ndarray of unsigned integers, shape (forms,)
        Places in the table.
    out : ndarray, shape (forms,), optional
        Where the values go; of the type of the table.

    Examples
    --------
    >>> gather(np.array([0.5, 1.5]), np.array([1, 1, 0], dtype=np.uint8)).tolist()
    [1.5, 1.5, 0.5]
    """
    if len(places) <= _AT_A_TIME:
        return values.take(places, out=out, mode="clip")
    found = np.empty(len(places), dtype=values.dtype) if out is None else out
    for start in range(0, len(places), _AT_A_TIME):
        block = slice(start, start + _AT_A_TIME)
        values.take(places[block], out=found[block], mode="clip")
    return found


def round_half_up(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the nearest whole number, halves upwards.

    Examples
    --------
    >>> round_half_up(np.array([2.5, 3.49])).tolist()
    [3.0, 3.0]
    """
    return np.floor(score + 0.5 + _EPSILON)


def round_down(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round to the whole number below; a number within 1e-9 of a whole one is that one.

    Examples
    --------
    >>> round_down(np.array([52.5, 53 - 1e-12])).tolist()
    [52.0, 53.0]
    """
    return np.floor(score + _EPSILON)


def rescale(
    raw: NDArray[np.float64], from_: tuple[float, float], onto: tuple[float, float]
) -> NDArray[np.float64]:
    """Put scores linearly from one range onto another.

    Examples
    --------
    >>> rescale(np.array([5.0, 9, 25]), (5, 25), (0, 100)).tolist()
    [0.0, 20.0, 100.0]
    """
    return onto[0] + (raw - from_[0]) / (from_[1] - from_[0]) * (onto[1] - onto[0])


def look_up(
    raw: NDArray[np.float64], first: int, values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Look up whole raw scores in a list of derived scores; nothing is interpolated.

    Parameters
    ----------
    raw : ndarray of float64
        Raw scores; NaN and fractions have no derived score.
    first : int
        The raw score of the first value.
    values : ndarray of float64
        Derived scores of consecutive raw scores.

    Returns
    -------
    ndarray of float64
        NaN where the list has nothing to say.

    Examples
    --------
    >>> look_up(np.array([3.0, 4, 4.5, 9]), 3, np.array([41.0, 44])).tolist()
    [41.0, 44.0, nan, nan]
    """
    place, fits = whole_places(raw, first, first + len(values) - 1)
    return np.where(fits, values[place], np.nan)


def whole_places(
    raw: NDArray[np.float64], first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the place of each raw score in a list from one to another, and where there is one.

    Examples
    --------
    >>> place, fits = whole_places(np.array([3.0, 4, 4.5, 9]), 3, 4)
    >>> place.tolist(), fits.tolist()
    ([0, 1, 1, 1], [True, True, False, False])
    """
    nearest = np.rint(np.where(np.isnan(raw), first - 1.0, raw))
    place = nearest.astype(np.int64) - first
    fits = (place >= 0) & (place <= last - first) & (np.abs(raw - nearest) < _EPSILON)
    return np.clip(place, 0, last - first), fits
