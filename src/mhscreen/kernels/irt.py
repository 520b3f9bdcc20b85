"""Item response models with given parameters: EAP scores and their standard errors.

The latent trait is a fixed list of points (`grid`). Answers multiply the prior item by item, in
item order, and the averages are added up point by point: no matrix product, so that a score
cannot depend on how many forms are scored together, on the block or on the thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Eap",
    "Grid",
    "eap",
    "eap_of_sums",
    "from_cumulative",
    "from_steps",
    "graded",
    "grid",
    "likelihoods_of_sums",
    "logistic",
    "partial_credit",
]

FORMS_AT_A_TIME = 1 << 9
"""Forms whose likelihoods stand side by side, so that the working arrays stay in the cache."""

REACH = 8.0
"""How far the points of a grid reach to either side, in standard deviations of the prior."""

_STEPS_PER_UNIT = 20


class Grid(NamedTuple):
    """The latent trait as a list of points; float64, shape (points,)."""

    points: Floats
    """Values of the latent trait, rising."""
    prior: Floats
    """The normal prior density, up to a factor."""


class Eap(NamedTuple):
    """Expected a posteriori scores; float64, shape (forms,)."""

    mean: Floats
    """The mean of the latent trait, given the answers."""
    se: Floats
    """Its standard deviation: the standard error of the score."""


def grid(mean: float, sd: float) -> Grid:
    """Return the points within eight standard deviations of a normal prior.

    Their step is a twentieth of the prior's standard deviation or, if that is smaller, of one, so
    that no item with a plausible discrimination falls between two points.

    Examples
    --------
    >>> points = grid(0.0, 1.0).points
    >>> len(points), points[0].item(), points[160].item(), points[-1].item()
    (321, -8.0, 0.0, 8.0)
    """
    half = int(np.ceil(REACH * max(sd, 1.0) * _STEPS_PER_UNIT - 1e-9))
    standard = REACH * (np.arange(-half, half + 1) / half)
    return Grid(mean + sd * standard, np.exp(-0.5 * standard**2))


def graded(points: Floats, a: float, b: Floats) -> Floats:
    """Return the category probabilities of the graded response model.

    Parameters
    ----------
    points : ndarray of float64, shape (points,)
        Values of the latent trait.
    a : float
        Discrimination, on the logistic metric.
    b : ndarray of float64, shape (categories − 1,)
        Thresholds, rising: where half of the people answer in that category or a higher one.

    Returns
    -------
    ndarray of float64, shape (points, categories)

    Examples
    --------
    >>> graded(np.array([0.0]), 1.0, np.array([0.0])).tolist()
    [[0.5, 0.5]]
    """
    return from_cumulative(a * (points[:, None] - b[None, :]))


def partial_credit(points: Floats, a: float, b: Floats) -> Floats:
    """Return the category probabilities of the generalised partial credit model.

    Parameters
    ----------
    points : ndarray of float64, shape (points,)
        Values of the latent trait.
    a : float
        Discrimination, on the logistic metric; 1 for the partial credit model.
    b : ndarray of float64, shape (categories − 1,)
        Step parameters: where two neighbouring categories are equally likely. They need not rise.

    Returns
    -------
    ndarray of float64, shape (points, categories)

    Examples
    --------
    >>> partial_credit(np.array([1.0]), 1.0, np.array([1.0, 1.0])).round(3).tolist()
    [[0.333, 0.333, 0.333]]
    """
    return from_steps(a * (points[:, None] - b[None, :]))


def from_cumulative(x: Floats) -> Floats:
    """Return the category probabilities whose cumulative ones have the logits `x`.

    Parameters
    ----------
    x : ndarray of float64, shape (…, categories − 1)
        Logits of answering in the second category or higher, the third or higher, …; falling.

    Returns
    -------
    ndarray of float64, shape (…, categories)
    """
    up, down = logistic(x), logistic(-x)
    # The difference of two logistic functions, without cancellation.
    between = up[..., :-1] * down[..., 1:] * -np.expm1(x[..., 1:] - x[..., :-1])
    return np.concatenate([down[..., :1], between, up[..., -1:]], axis=-1)


def from_steps(x: Floats) -> Floats:
    """Return the category probabilities whose neighbours have the log ratios `x`.

    Parameters
    ----------
    x : ndarray of float64, shape (…, categories − 1)
        Logarithm of the second category's probability over the first's, the third's over the
        second's, ….

    Returns
    -------
    ndarray of float64, shape (…, categories)
    """
    steps = np.zeros((*x.shape[:-1], x.shape[-1] + 1))
    for place in range(x.shape[-1]):
        steps[..., place + 1] = steps[..., place] + x[..., place]
    weights = np.exp(steps - steps.max(axis=-1, keepdims=True))
    whole = np.zeros(x.shape[:-1])
    for place in range(steps.shape[-1]):
        whole += weights[..., place]
    chances: Floats = weights / whole[..., None]
    return chances


def eap(codes: NDArray[np.uint8], chances: Sequence[Floats], of: Grid) -> Eap:
    """Return the EAP of each form.

    Parameters
    ----------
    codes : ndarray of uint8, shape (items, forms)
        For each item, which column of its chances the form's answer is.
    chances : sequence of ndarray of float64, each of shape (points, columns)
        For each item, the probability of each answer; 1 everywhere for "not answered".
    of : Grid
        The latent trait.

    Examples
    --------
    >>> trait = grid(0.0, 1.0)
    >>> item = graded(trait.points, 2.0, np.array([0.0]))
    >>> score = eap(np.array([[0, 1]], dtype=np.uint8), [item], trait)
    >>> score.mean.round(3).tolist(), score.se.round(3).tolist()
    ([-0.606, 0.606], [0.796, 0.796])
    """
    forms = codes.shape[1]
    mean, se = np.empty(forms), np.empty(forms)
    by_answer = [np.ascontiguousarray(table.T) for table in chances]
    for start in range(0, forms, FORMS_AT_A_TIME):
        block = slice(start, start + FORMS_AT_A_TIME)
        part = codes[:, block]
        likelihood = np.repeat(of.prior[None, :], part.shape[1], axis=0)
        for row, table in zip(part, by_answer, strict=True):
            likelihood *= table[row]
            # Only ratios between points matter: nothing underflows, however many the items.
            likelihood /= likelihood.max(axis=1, keepdims=True)
        mean[block], se[block] = _moments(np.ascontiguousarray(likelihood.T), of.points)
    return Eap(mean, se)


def likelihoods_of_sums(
    chances: Sequence[Floats], scores: Sequence[Sequence[int]]
) -> tuple[int, Floats]:
    """Return how likely each sum of item scores is at each point (Lord and Wingersky 1984).

    Parameters
    ----------
    chances : sequence of ndarray of float64, each of shape (points, categories)
        For each item, the probability of each of its scores.
    scores : sequence of sequence of int
        For each item, its scores, rising.

    Returns
    -------
    first : int
        The smallest sum.
    likelihoods : ndarray of float64, shape (sums, points)
        From the smallest sum to the largest, one after the other.

    Examples
    --------
    >>> coin = np.array([[0.5, 0.5]])
    >>> first, likelihoods = likelihoods_of_sums([coin, coin], [(0, 1), (0, 1)])
    >>> first, likelihoods[:, 0].tolist()
    (0, [0.25, 0.5, 0.25])
    """
    first, sums = 0, np.ones((1, len(chances[0])))
    for table, steps in zip(chances, scores, strict=True):
        longer = np.zeros((len(sums) + steps[-1] - steps[0], len(table)))
        for rank, score in enumerate(steps):
            start = score - steps[0]
            longer[start : start + len(sums)] += sums * table[:, rank]
        first, sums = first + steps[0], longer
    return first, sums


def eap_of_sums(likelihoods: Floats, of: Grid) -> Eap:
    """Return the EAP from each sum of item scores.

    Parameters
    ----------
    likelihoods : ndarray of float64, shape (sums, points)
        As `likelihoods_of_sums` gives them. A sum that no answers give has no score (NaN).
    of : Grid
        The latent trait.

    Examples
    --------
    >>> trait = grid(0.0, 1.0)
    >>> item = graded(trait.points, 2.0, np.array([0.0]))
    >>> _, likelihoods = likelihoods_of_sums([item], [(0, 1)])
    >>> eap_of_sums(likelihoods, trait).mean.round(3).tolist()
    [-0.606, 0.606]
    """
    with np.errstate(invalid="ignore"):
        posterior = (likelihoods * of.prior).T
        return Eap(*_moments(posterior / posterior.max(axis=0), of.points))


def _moments(likelihood: Floats, points: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the points; likelihood has shape (points, forms)."""
    whole = _added(likelihood)
    mean = _added(likelihood, points) / whole
    variance = np.zeros(likelihood.shape[1])
    for row, point in zip(likelihood, points.tolist(), strict=True):
        variance += row * (point - mean) ** 2
    return mean, np.sqrt(variance / whole)


def _added(rows: Floats, weights: Floats | None = None) -> Floats:
    """Add up rows one after the other; a reduction may add in another order for other shapes."""
    total = np.zeros(rows.shape[1])
    if weights is None:
        for row in rows:
            total += row
    else:
        for row, weight in zip(rows, weights.tolist(), strict=True):
            total += row * weight
    return total


def logistic(x: Floats) -> Floats:
    """Return the logistic function, without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1.0 + small)
