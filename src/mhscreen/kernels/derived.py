"""From a raw score to z by a Box–Cox fit, and from z to percentile and stanine.

Scores take few distinct values, so each is worked out once, by the functions of the standard
library: vectorised ones may round the same number differently at another place of an array, and
then a score would depend on the pupils around it.
"""

from __future__ import annotations

from math import erfc, expm1, log, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["box_cox_z", "normal_percentile", "stanine_of_z"]

_EPSILON = 1e-9


def box_cox_z(
    raw: NDArray[np.float64], power: float, median: float, variation: float
) -> NDArray[np.float64]:
    """Return the z score of each raw score in a Box–Cox (LMS) fit.

    Parameters
    ----------
    raw : ndarray of float64
        Raw scores; NaN, and what lies outside the fitted distribution, has no z.
    power, median, variation : float
        L, M and S.

    Returns
    -------
    ndarray of float64
        ((raw / M)^L − 1) / (L S), and ln(raw / M) / S where L is 0 (Cole & Green 1992).

    Examples
    --------
    >>> box_cox_z(np.array([0.0, 10, 15, np.nan]), 1.0, 10.0, 0.5).round(9).tolist()
    [-2.0, 0.0, 1.0, nan]
    """

    def one(score: float) -> float:
        share = score / median
        if share < 0 or (share == 0 and power < _EPSILON):
            return nan
        if share == 0:
            return -1 / (power * variation)
        if abs(power) < _EPSILON:
            return log(share) / variation
        return expm1(power * log(share)) / (power * variation)

    return _each(raw, one)


def normal_percentile(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the percentage of a normal distribution below each z.

    Examples
    --------
    >>> normal_percentile(np.array([0.0, 1.0, np.nan])).round(4).tolist()
    [50.0, 84.1345, nan]
    """
    return _each(z, lambda one: 50 * erfc(-one / sqrt(2)))


def stanine_of_z(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return stanines: bands half a z wide, the fifth from −0.25 to below 0.25.

    Examples
    --------
    >>> stanine_of_z(np.array([-3.0, -0.26, -0.25, 0.0, 0.25, 1.75, np.nan])).tolist()
    [1.0, 4.0, 5.0, 5.0, 6.0, 9.0, nan]
    """
    return np.clip(np.floor(2 * z + 5.5 + _EPSILON), 1, 9)


def _each(values: NDArray[np.float64], function: Callable[[float], float]) -> NDArray[np.float64]:
    distinct, places = np.unique(values, return_inverse=True)
    found = [nan if np.isnan(one) else function(one) for one in distinct.tolist()]
    return np.array(found, dtype=np.float64)[places.reshape(values.shape)]
