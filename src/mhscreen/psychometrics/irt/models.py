"""Item response models as functions of the latent trait, for many items at once.

An item of K categories has a slope a and K − 1 intercepts d; its predictors are x = aθ + d. The
graded model reads them as logits of the cumulative probabilities, the partial credit model as log
ratios of neighbouring categories (`mhscreen.kernels.irt`, where the formulas stand). With two
categories both are the two-parameter logistic model. Thresholds are b = −d / a.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.kernels import irt
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "WORDS",
    "Model",
    "by_parameter",
    "chances",
    "check_model",
    "curvature",
    "information",
    "log_slopes",
    "pairs_by_parameter",
    "predictors",
    "second_slopes",
]

Model = Literal["graded", "partial_credit", "2pl"]
"""The graded response model (Samejima 1969), the generalised partial credit model (Muraki 1992),
the two-parameter logistic model (Birnbaum 1968)."""

WORDS: dict[Model, str] = {
    "graded": "Graded response model",
    "partial_credit": "Generalised partial credit model",
    "2pl": "Two-parameter logistic model",
}

_BEYOND = 300.0  # where a logistic is 0 or 1
_TINY = 1e-300
"""The smallest probability that is divided by or whose logarithm is taken."""


def check_model(model: str) -> None:
    """Check that a call names a model.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    if model not in WORDS:
        msg = f"model is {', '.join(map(repr, WORDS))}, not {model!r}"
        raise UsageError(msg)


def predictors(parameters: Floats, points: Floats) -> Floats:
    """Return aθ + d, shape (items, points, categories − 1), from (items, categories)."""
    return parameters[:, None, :1] * points[:, None] + parameters[:, None, 1:]


def chances(model: Model, x: Floats) -> Floats:
    """Return the category probabilities, shape (…, categories), from the predictors."""
    # A slope that grows without end is found out by the search, and must not overflow before.
    x = np.clip(x, -_BEYOND, _BEYOND)
    found = irt.from_steps(x) if model == "partial_credit" else irt.from_cumulative(x)
    return np.maximum(found, _TINY)


def log_slopes(model: Model, x: Floats, p: Floats) -> Floats:
    """Return the derivatives of log probabilities by predictor.

    Shape (…, categories, categories − 1), from predictors `x` and probabilities `p`.
    """
    steps = x.shape[-1]
    if model == "partial_credit":
        above = np.tri(steps + 1, steps, -1)  # 1 where the category lies beyond the step
        slopes: Floats = above - (p @ above)[..., None, :]
        return slopes
    slope = irt.logistic(x) * irt.logistic(-x)
    found = np.zeros((*p.shape, steps))
    rank = np.arange(steps)
    found[..., rank + 1, rank] = slope / p[..., 1:]
    found[..., rank, rank] = -slope / p[..., :-1]
    return found


def second_slopes(model: Model, x: Floats, p: Floats) -> Floats:
    """Return the second derivatives of the probabilities, divided by them, by θ with slope 1.

    Shape (…, categories): (d²P/dθ²) / P where every predictor moves by θ.
    """
    if model == "partial_credit":
        ranks = np.arange(p.shape[-1], dtype=np.float64)
        mean = p @ ranks
        variance = p @ ranks**2 - mean**2
        second: Floats = (ranks - mean[..., None]) ** 2 - variance[..., None]
        return second
    up = irt.logistic(x)
    bend = up * irt.logistic(-x) * (1.0 - 2.0 * up)
    return _differences(bend) / p


def curvature(model: Model, x: Floats, p: Floats, counts: Floats) -> Floats:
    """Return minus the second derivatives of Σ counts · log p by the predictors.

    Shape (…, categories − 1, categories − 1), from counts of the shape of `p`.
    """
    slopes = log_slopes(model, x, p)
    steps = x.shape[-1]
    if model == "partial_credit":
        variance = np.einsum("...c,...ck,...cl->...kl", p, slopes, slopes)
        whole: Floats = counts.sum(axis=-1)[..., None, None] * variance
        return whole
    found: Floats = np.einsum("...c,...ck,...cl->...kl", counts, slopes, slopes)
    up = irt.logistic(x)
    bend = up * irt.logistic(-x) * (1.0 - 2.0 * up)
    share = counts / p
    rank = np.arange(steps)
    found[..., rank, rank] -= bend * (share[..., 1:] - share[..., :-1])
    return found


def information(model: Model, parameters: Floats, points: Floats) -> Floats:
    """Return the Fisher information about the latent trait, shape (items, points)."""
    x = predictors(parameters, points)
    p = chances(model, x)
    slopes = parameters[:, :1, None] * log_slopes(model, x, p).sum(axis=-1)
    found: Floats = (p * slopes**2).sum(axis=-1)
    return found


def by_parameter(slopes: Floats, points: Floats) -> Floats:
    """Return derivatives by slope and intercepts from those by predictor.

    Shape (items, …, categories) from (items, points, …, categories − 1), added up over the points.
    """
    along = np.einsum("jq...k,q->j...", slopes, points)
    return np.concatenate([along[..., None], slopes.sum(axis=1)], axis=-1)


def pairs_by_parameter(pairs: Floats, points: Floats) -> Floats:
    """Return second derivatives by slope and intercepts from those by predictor.

    Shape (items, categories, categories) from (items, points, categories − 1, categories − 1),
    added up over the points.
    """
    steps = pairs.shape[-1]
    found = np.empty((len(pairs), steps + 1, steps + 1))
    rows = pairs.sum(axis=-1)
    found[:, 0, 0] = np.einsum("jqk,q->j", rows, points**2)
    found[:, 0, 1:] = found[:, 1:, 0] = np.einsum("jqk,q->jk", rows, points)
    found[:, 1:, 1:] = pairs.sum(axis=1)
    return found


def _differences(at_steps: Floats) -> Floats:
    """Return what a change of the cumulative probabilities does to each category."""
    padded = np.zeros((*at_steps.shape[:-1], at_steps.shape[-1] + 2))
    padded[..., 1:-1] = at_steps
    found: Floats = padded[..., :-1] - padded[..., 1:]
    return found
