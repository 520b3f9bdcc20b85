"""Ordinal logistic regression (proportional odds) on counts, by Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.psychometrics.irt import models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Fitted", "fit_ordinal", "null_likelihood"]

_MOST_STEPS = 100
_ENOUGH = 1e-10
_HALVINGS = 30
_SEPARATED = 15.0  # log odds per standard deviation: on the way to infinity


class Fitted(NamedTuple):
    """A fit."""

    log_likelihood: float
    coefficients: Floats
    """Of the predictors."""
    errors: Floats
    """Their standard errors, from the observed information."""
    converged: bool


def fit_ordinal(predictors: Floats, counts: Floats) -> Fitted:
    """Fit P(Y ≥ k) = logistic(d_k + xβ); not converged where answers separate.

    Parameters
    ----------
    predictors : ndarray of float64, shape (rows, predictors)
        One row for each distinct combination.
    counts : ndarray of float64, shape (rows, categories)
        How often each category occurs with it; no category never.

    Examples
    --------
    >>> found = fit_ordinal(np.array([[0.0], [1.0]]), np.array([[30.0, 10.0], [20.0, 20.0]]))
    >>> found.coefficients.round(3).tolist(), found.converged  # the log odds ratio, log 3
    ([1.099], True)
    """
    steps = counts.shape[1] - 1
    centre = counts.sum(axis=1) @ predictors / counts.sum()
    spread = np.sqrt(counts.sum(axis=1) @ (predictors - centre) ** 2 / counts.sum())
    spread = np.where(spread > 0, spread, 1.0)
    x = (predictors - centre) / spread
    beyond = np.cumsum(counts.sum(axis=0)[::-1])[::-1][1:] / counts.sum()
    vector = np.concatenate([np.log(beyond / (1 - beyond)), np.zeros(x.shape[1])])
    value, uphill, matrix = _derivatives(x, counts, vector, steps)
    for _ in range(_MOST_STEPS):
        try:
            step = np.linalg.solve(matrix, uphill)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(step).all():
            break
        if np.abs(vector[steps:]).max() > _SEPARATED:
            break
        if uphill @ step < _ENOUGH:
            covariance = np.linalg.inv(matrix)
            errors = np.sqrt(np.diag(covariance))[steps:] / spread
            return Fitted(value, vector[steps:] / spread, errors, converged=True)
        for _ in range(_HALVINGS):
            tried = vector + step
            if (np.diff(tried[:steps]) < 0).all():
                found = _derivatives(x, counts, tried, steps)
                if found[0] >= value - _ENOUGH:
                    break
            step *= 0.5
        else:
            break
        vector, (value, uphill, matrix) = tried, found
    nothing = np.full(x.shape[1], np.nan)
    return Fitted(np.nan, nothing, nothing, converged=False)


def null_likelihood(counts: Floats) -> float:
    """Return the log-likelihood without predictors."""
    whole = counts.sum(axis=0)
    return float(whole @ np.log(whole / whole.sum()))


def _derivatives(
    x: Floats, counts: Floats, vector: Floats, steps: int
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood, its slope and minus its second derivatives."""
    logits = vector[:steps] + (x @ vector[steps:])[:, None]
    p = models.chances("graded", logits)
    value = float((counts * np.log(p)).sum())
    slopes = np.einsum("rc,rck->rk", counts, models.log_slopes("graded", logits, p))
    pairs = models.curvature("graded", logits, p, counts)
    rows = pairs.sum(axis=2)
    cross = np.einsum("rk,rp->kp", rows, x)
    matrix = np.block(
        [
            [pairs.sum(axis=0), cross],
            [cross.T, np.einsum("r,rp,rs->ps", rows.sum(axis=1), x, x)],
        ]
    )
    uphill = np.concatenate([slopes.sum(axis=0), slopes.sum(axis=1) @ x])
    return value, uphill, matrix
