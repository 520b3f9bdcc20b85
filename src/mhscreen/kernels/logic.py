"""Three-valued logic on arrays: a condition fails, is undecided, or holds.

Truth values are int8 and ordered, so that "all" is a minimum and "any" a maximum (Kleene's
strong logic). There is no "not": every rule is upward closed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Truth = NDArray[np.int8]

__all__ = ["FAILS", "HOLDS", "UNDECIDED", "all_of", "any_of", "at_least", "at_or_past"]

FAILS = 0
UNDECIDED = 1
HOLDS = 2


def at_or_past(
    surest: NDArray[np.float64], furthest: NDArray[np.float64], cut: float, *, upwards: bool
) -> Truth:
    """Compare a score that is known only within bounds with a cut score.

    Parameters
    ----------
    surest : ndarray, any shape
        The least concerning value that the score can still have; or its estimate, where that
        is more concerning.
    furthest : ndarray, same shape
        The most concerning value that it can still have.
    cut : float
        A value within 1e-9 of the cut is at the cut, and at the cut belongs to the far side.
    upwards : bool
        Whether higher is more concerning.

    Examples
    --------
    >>> at_or_past(np.array([4.0, 10, 2]), np.array([9.0, 10, 12]), 10, upwards=True).tolist()
    [0, 2, 1]
    """
    if upwards:
        sure, possible = surest >= cut - 1e-9, furthest >= cut - 1e-9
    else:
        sure, possible = surest <= cut + 1e-9, furthest <= cut + 1e-9
    return _truth(sure, possible)


def all_of(conditions: Sequence[Truth]) -> Truth:
    """Return where every one holds; it fails where one fails."""
    lowest: Truth = np.minimum.reduce(conditions)
    return lowest


def any_of(conditions: Sequence[Truth]) -> Truth:
    """Return where one holds; it fails where every one fails."""
    highest: Truth = np.maximum.reduce(conditions)
    return highest


def at_least(count: int, conditions: Sequence[Truth]) -> Truth:
    """Return where `count` of them hold; it fails where so many no longer can.

    Examples
    --------
    >>> two_of_three = [np.array([v], dtype=np.int8) for v in (HOLDS, UNDECIDED, FAILS)]
    >>> at_least(2, two_of_three).tolist()
    [1]
    """
    stacked = np.stack(conditions)
    sure = (stacked == HOLDS).sum(axis=0) >= count
    possible = (stacked >= UNDECIDED).sum(axis=0) >= count
    return _truth(sure, possible)


def _truth(sure: NDArray[np.bool_], possible: NDArray[np.bool_]) -> Truth:
    truth: Truth = sure.astype(np.int8) + possible.astype(np.int8)
    return truth
