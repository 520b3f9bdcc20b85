"""How a form was answered: long runs, little variation, halves that disagree, haste, blanks.

Every kernel takes arrays of shape (items, forms), the items in printed order, and returns one
number a form. A form never depends on another: what is compared stands on the form itself, and
sums are made item by item, so that neither the block nor the thread can change the last digit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.int64]

__all__ = [
    "FEWEST_ITEMS",
    "FEWEST_PAIRS",
    "even_odd",
    "longest_run",
    "per_item",
    "person_fit",
    "share",
    "variability",
]

FEWEST_PAIRS = 3
"""Pairs of halves below which a correlation says nothing."""

FEWEST_ITEMS = 6
"""Answers below which their agreement with the expected ones says nothing."""

_FEWEST_ANSWERS = 2
_EPSILON = 1e-9


def longest_run(codes: NDArray[np.int16]) -> Floats:
    """Return how many neighbouring items have one and the same recorded code, at most.

    Parameters
    ----------
    codes : ndarray of int16, shape (items, forms)
        A number for each recorded code; below 0 where there is no answer, which ends a run.

    Returns
    -------
    ndarray of float64, shape (forms,)
        NaN where nothing was answered.

    Examples
    --------
    >>> longest_run(np.array([[1, 1, -1], [1, 2, -1], [1, 2, -1], [0, -1, -1], [1, 2, -1]]))
    array([ 3.,  2., nan])
    """
    longest, run = np.zeros((2, codes.shape[1]), dtype=np.int64)
    before = np.full(codes.shape[1], -1, dtype=np.int64)
    for row in codes:
        answered = row >= 0
        run = np.where(answered, np.where(row == before, run + 1, 1), 0)
        np.maximum(longest, run, out=longest)
        before = row
    return np.where(longest > 0, longest, np.nan)


def variability(places: Floats) -> Floats:
    """Return the standard deviation of a form's own answers (intra-individual variability).

    Parameters
    ----------
    places : ndarray of float64, shape (items, forms)
        Where each answer lies among the printed options of its item, from 0 (the first) to 1
        (the last); NaN where there is none.

    Returns
    -------
    ndarray of float64, shape (forms,)
        Over the number of answers, so that it is at most 0.5; NaN with fewer than two of them.

    Examples
    --------
    >>> variability(np.array([[0, 0.5, np.nan], [1, 0.5, 0], [0, 0.5, np.nan], [1, 0.5, np.nan]]))
    array([0.5, 0. , nan])
    """
    number = _count(places)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = _added(places) / number
        spread = np.sqrt(_added((places - mean) ** 2) / number)
    return np.where(number >= _FEWEST_ANSWERS, spread, np.nan)


def even_odd(values: Floats, halves: Sequence[tuple[Rows, Rows]]) -> Floats:
    """Return how the two halves of a form's scales agree: their correlation over the scales.

    Parameters
    ----------
    values : ndarray of float64, shape (items, forms)
        Keyed answers, from 0 (least concerning) to 1; NaN where there is none.
    halves : sequence of pairs of ndarray of int64
        For each scale, the rows of its first, third … item, and those of its second, fourth ….

    Returns
    -------
    ndarray of float64, shape (forms,)
        From −1 to 1, not stepped up to the full length. NaN with fewer than three scales of which
        both halves have an answer, and where one half is the same in all scales.

    Examples
    --------
    >>> halves = [(np.array([0]), np.array([1])), (np.array([2]), np.array([3])),
    ...           (np.array([4]), np.array([5]))]
    >>> even_odd(np.array([[0.0, 0], [0, 1], [0.5, 0.5], [0.5, 0.5], [1, 1], [1, 0]]), halves)
    array([ 1., -1.])
    """
    forms = values.shape[1]
    if len(halves) < FEWEST_PAIRS:
        return np.full(forms, np.nan)
    pairs = np.empty((2, len(halves), forms))
    with np.errstate(invalid="ignore", divide="ignore"):
        for place, both in enumerate(halves):
            for side, rows in enumerate(both):
                pairs[side, place] = _added(values[rows]) / _count(values[rows])
    return _correlation(pairs, FEWEST_PAIRS)


def person_fit(values: Floats, expected: Floats) -> Floats:
    """Return how a form's answers go with those expected: their correlation over the items.

    Who has few complaints has the common ones first; answers that do not follow that order were
    given by chance, or by somebody who is unlike the others.

    Parameters
    ----------
    values : ndarray of float64, shape (items, forms)
        Keyed answers, from 0 (least concerning) to 1; NaN where there is none.
    expected : ndarray of float64, shape (items,)
        The same on average; NaN for items that are left out.

    Returns
    -------
    ndarray of float64, shape (forms,)
        From −1 to 1: the personal point-biserial correlation (Donlon & Fischer 1968), taken over
        graded answers. NaN with fewer than six answers, and where all of them are the same.

    Examples
    --------
    >>> expected = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    >>> person_fit(np.column_stack([expected, 1 - expected, np.zeros(6)]), expected).round(6)
    array([ 1., -1., nan])
    """
    pairs = np.stack(np.broadcast_arrays(values, expected[:, None]))
    return _correlation(pairs, FEWEST_ITEMS)


def share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Floats:
    """Return the share of the items of a whole that are also of the part.

    Parameters
    ----------
    part, whole : ndarray of bool, shape (items, forms)
        Such as: answered, and due.

    Returns
    -------
    ndarray of float64, shape (forms,)
        NaN where the whole is empty.

    Examples
    --------
    >>> share(np.array([[True, True], [False, True]]), np.array([[True, False], [True, False]]))
    array([0.5, nan])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (part & whole).sum(axis=0) / whole.sum(axis=0)
    return found


def per_item(duration: Floats, answered: NDArray[np.bool_]) -> Floats:
    """Return the seconds spent on each answered item, on average.

    Parameters
    ----------
    duration : ndarray of float64, shape (forms,)
        Seconds from the first item to the last; NaN where not recorded.
    answered : ndarray of bool, shape (items, forms)

    Returns
    -------
    ndarray of float64, shape (forms,)
        NaN where the time was not recorded or nothing was answered.

    Examples
    --------
    >>> per_item(np.array([30.0, np.nan, 9]), np.array([[True, True, False], [True, True, False]]))
    array([15., nan, nan])
    """
    number = answered.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number > 0, duration / number, np.nan)


def _correlation(pairs: Floats, fewest: int) -> Floats:
    """Correlate the two sides of each form's pairs; shape (2, pairs, forms)."""
    pairs = np.where(np.isnan(pairs).any(axis=0), np.nan, pairs)
    number = _count(pairs[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (side - _added(side) / number for side in pairs)
        one, other = _added(first * first), _added(second * second)
        correlation = np.clip(_added(first * second) / np.sqrt(one * other), -1, 1)
    varied = (one > _EPSILON) & (other > _EPSILON)
    return np.where((number >= fewest) & varied, correlation, np.nan)


def _count(values: Floats) -> NDArray[np.int64]:
    return np.asarray((~np.isnan(values)).sum(axis=0))


def _added(values: Floats) -> Floats:
    """Add up rows one after the other, leaving out NaN."""
    total = np.zeros(values.shape[1])
    for row in values:
        total += np.where(np.isnan(row), 0.0, row)
    return total
