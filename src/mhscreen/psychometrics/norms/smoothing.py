"""Smoothed distributions of raw scores: a log-linear model that keeps the first moments.

A polynomial of the logarithm of the shares (Holland and Thayer 2000): of degree 3 it keeps mean,
variance and skewness of the sample and lets the bumps go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import AnalysisError, Problem
from mhscreen.psychometrics.checks import give_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["smooth_shares"]

_STEPS = 100
_SMALL = 1e-10
_ROUNDED = 1e-12


def smooth_shares(counts: Floats, degree: int) -> Floats:
    """Return the smoothed share of each score.

    Parameters
    ----------
    counts : ndarray of float64, shape (scores,)
        How many pupils have each possible raw score; weighted counts need not be whole.
    degree : int
        Moments that are kept.

    Raises
    ------
    AnalysisError
        With MH705 where there are no more different scores than moments, with MH709 where the
        fit comes to no end.

    Examples
    --------
    >>> smooth_shares(np.array([6.0, 2, 2, 0]), 1).round(3).tolist()
    [0.596, 0.252, 0.106, 0.045]
    """
    size, different = len(counts), int((counts > 0).sum())
    if different <= degree:
        what = f"{different} different scores for {degree} moments"
        hint = "ask for fewer moments, or merge groups"
        raise AnalysisError([Problem("MH705", what, f"{degree + 1} of them, at least", hint)])
    design = np.polynomial.legendre.legvander(np.linspace(-1, 1, size), degree)[:, 1:]
    share = counts / counts.sum()
    wanted = share @ design
    slopes = np.zeros(degree)

    def fitted(at: Floats) -> Floats:
        log = design @ at
        raised = np.exp(log - log.max())
        return np.asarray(raised / raised.sum())

    def misfit(at: Floats) -> float:
        log = design @ at
        return float(np.log(np.exp(log - log.max()).sum()) + log.max() - wanted @ at)

    for _ in range(_STEPS):
        now = fitted(slopes)
        gap = wanted - now @ design
        if np.abs(gap).max() < _SMALL:
            return now
        centred = design - now @ design
        curve = (centred * now[:, None]).T @ centred
        try:
            step = np.linalg.solve(curve, gap)
        except np.linalg.LinAlgError:
            break
        length, here = 1.0, misfit(slopes)
        # Near the end the misfit changes by less than it is rounded.
        while misfit(slopes + length * step) > here + _ROUNDED and length > _SMALL:
            length /= 2
        slopes = slopes + length * step
    return give_up(
        f"smoothing with {degree} moments", _STEPS, "ask for fewer moments, or merge groups"
    )
