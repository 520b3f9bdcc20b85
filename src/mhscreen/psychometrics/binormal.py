"""The bivariate normal distribution, over whole arrays at once.

SciPy's takes one correlation a call. Here the distribution function is the product of the two
univariate ones and an integral of the density over the correlation (Drezner & Wesolowsky 1990),
with the sine substitution of Genz (2004), by Gauss and Legendre's rule of 24 points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LARGEST", "binormal_cdf", "binormal_density"]

LARGEST = 0.999
"""The correlation up to which a probability is exact to seven digits; to eleven up to 0.99."""

_FAR = 38.0  # beyond which nothing of a normal distribution is left
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def binormal_density(
    h: NDArray[np.float64], k: NDArray[np.float64], rho: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the density at (h, k); 0 where one of them is infinite.

    It is also the derivative of the distribution function by the correlation.
    """
    rest = 1 - rho**2
    with np.errstate(invalid="ignore"):
        exponent = (h**2 - 2 * rho * h * k + k**2) / (2 * rest)
    inside = np.isfinite(h) & np.isfinite(k)
    return np.asarray(
        np.where(inside, np.exp(-np.where(inside, exponent, 0)), 0) / (2 * np.pi * np.sqrt(rest))
    )


def binormal_cdf(
    h: NDArray[np.float64], k: NDArray[np.float64], rho: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability of being below h and below k, given the correlation.

    Parameters
    ----------
    h, k : ndarray
        Bounds, of shapes that broadcast; may be infinite.
    rho : ndarray
        Correlations within ±`LARGEST`, of a shape that broadcasts with them.

    Examples
    --------
    >>> one = binormal_cdf(np.array([0.0]), np.array([0.0]), np.array([0.5]))
    >>> round(float(one[0]), 12)
    0.333333333333
    """
    from scipy.special import ndtr

    h, k = np.clip(h, -_FAR, _FAR), np.clip(k, -_FAR, _FAR)
    half = np.arcsin(rho) / 2
    squares, product = (h**2 + k**2) / 2, h * k
    total = np.zeros(np.broadcast_shapes(squares.shape, half.shape))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        sine = np.sin(half * (1 + node))
        total += weight * np.exp((product * sine - squares) / (1 - sine**2))
    return np.asarray(ndtr(h) * ndtr(k) + half * total / (2 * np.pi))
