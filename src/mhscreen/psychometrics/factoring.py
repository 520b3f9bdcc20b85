"""Common factors of a correlation matrix: extraction and rotation, and nothing about data.

Minimum residuals (Harman & Jones 1966) and maximum likelihood (Jöreskog 1967) are minimised over
the uniquenesses alone: given them, the loadings follow from an eigendecomposition. Rotations are
found by gradient projection (Jennrich 2002; Bernaards & Jennrich 2005).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NoReturn

import numpy as np

from mhscreen.problems import UsageError
from mhscreen.psychometrics.checks import check_choice, give_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Extraction",
    "Rotation",
    "Unrotated",
    "extract",
    "most_factors",
    "rotate",
    "sort_factors",
    "squared_multiple",
]

Extraction = Literal["minres", "ml"]
Rotation = Literal["none", "varimax", "promax", "oblimin", "geomin"]

_LEAST = 0.005  # the least uniqueness that is looked at, as psych and factanal have it
_STEPS = 1000
_FLAT = 1e-9  # the slope at which a minimum is one
_NEARLY_FLAT = 1e-6
_SHORTEST = 1e-9
_RIDGE = 1e-10
_ROTATION_FLAT = 1e-6
_TURN = 1e-9  # radians, below which varimax is done
_GEOMIN = 0.01
_POWER = 4  # of promax


@dataclass(frozen=True, eq=False)
class Unrotated:
    """Extracted factors.

    Attributes
    ----------
    loadings : ndarray, shape (items, factors)
        Orthogonal loadings, columns in the order of their sums of squares.
    uniqueness : ndarray, shape (items,)
        The variance of each item that no factor explains.
    objective : float
        Half the sum of squared residuals (minres), or half the discrepancy of the likelihood (ml).
    improper : bool
        Whether a uniqueness stopped at its bound: a Heywood case.
    """

    loadings: NDArray[np.float64]
    uniqueness: NDArray[np.float64]
    objective: float
    improper: bool


def squared_multiple(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the squared multiple correlation of each item with all others."""
    return np.asarray(1 - 1 / np.diag(np.linalg.inv(correlation)))


def most_factors(items: int) -> int:
    """Return the number of factors beyond which a model has no degrees of freedom left."""
    factors = 0
    while ((items - factors - 1) ** 2 - (items + factors + 1)) / 2 >= 0:
        factors += 1
    return max(factors, 1)


def extract(
    correlation: NDArray[np.float64], factors: int, method: Extraction = "minres"
) -> Unrotated:
    """Extract common factors.

    Parameters
    ----------
    correlation : ndarray, shape (items, items)
        A positive definite correlation matrix (for minres a smoothed one will do).
    factors : int
        How many.
    method : str
        ``"minres"`` or ``"ml"``.

    Raises
    ------
    AnalysisError
        With MH709 where the search comes to no end.
    UsageError
        For more factors than the items can carry, or another method.

    Examples
    --------
    >>> found = extract(np.array([[1, 0.56, 0.48], [0.56, 1, 0.42], [0.48, 0.42, 1]]), 1)
    >>> found.loadings.round(3).ravel()
    array([0.8, 0.7, 0.6])
    """
    items = len(correlation)
    if not 1 <= factors <= most_factors(items):
        msg = f"{items} items carry 1 to {most_factors(items)} factors, not {factors}"
        raise UsageError(msg)
    check_choice("method", method, *_LOSSES)
    uniqueness, objective = _minimise(correlation, factors, _LOSSES[method])
    loadings = _LOADINGS[method](uniqueness, correlation, factors)
    improper = bool((uniqueness <= _LEAST).any())
    # Of minres the residual on the diagonal, where a bound was met, is uniqueness, too.
    if method == "minres":
        uniqueness = 1 - np.sum(loadings**2, axis=1)
    return Unrotated(_upright(loadings), uniqueness, objective, improper)


def sort_factors(
    pattern: NDArray[np.float64], phi: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return factors by their share of the variance, each with mostly positive loadings."""
    share = np.diag(phi @ pattern.T @ pattern)
    order = np.argsort(-share, kind="stable")
    sign = np.where(pattern[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return pattern[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign)


def rotate(
    loadings: NDArray[np.float64], rotation: Rotation
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rotate factors to simple structure.

    Parameters
    ----------
    loadings : ndarray, shape (items, factors)
        Orthogonal loadings.
    rotation : str
        ``"varimax"`` (Kaiser-normalised), ``"promax"`` (power 4 of varimax), ``"oblimin"``
        (gamma 0, not normalised), ``"geomin"`` (epsilon 0.01), or ``"none"``.

    Returns
    -------
    pattern : ndarray, shape (items, factors)
        The rotated loadings.
    phi : ndarray, shape (factors, factors)
        The correlations of the factors.

    Raises
    ------
    AnalysisError
        With MH709 where the rotation comes to no end.
    """
    factors = loadings.shape[1]
    check_choice("rotation", rotation, *_ROTATIONS)
    if factors == 1 or rotation == "none":
        return loadings, np.eye(factors)
    if rotation == "varimax":
        return _varimax(loadings), np.eye(factors)
    if rotation == "promax":
        return _promax(_varimax(loadings))
    return _oblique(loadings, rotation)


# -- extraction -----------------------------------------------------------------------------------


def _upright(loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0))


@dataclass(frozen=True, eq=False)
class _At:
    """A loss at some uniquenesses, its slope, and about how it bends."""

    loss: float
    slope: NDArray[np.float64]
    bend: NDArray[np.float64]


_Loss = Callable[["NDArray[np.float64]", "NDArray[np.float64]", int], _At]


def _minimise(
    correlation: NDArray[np.float64], factors: int, loss: _Loss
) -> tuple[NDArray[np.float64], float]:
    """Return the uniquenesses of the least loss, and that loss, by Newton steps within bounds.

    The losses bend about as the squared projection on what no factor explains (Jöreskog 1977), by
    the uniqueness of minres and by its logarithm of ml. An item at a bound stays there while the
    slope points outward.
    """
    items = len(correlation)
    start = (1 - 0.5 * factors / items) * (1 - squared_multiple(correlation))
    uniqueness = np.clip(start, _LEAST, 1)
    logarithmic = loss is _likelihood
    at = loss(uniqueness, correlation, factors)
    for _ in range(_STEPS):
        free = ~(((uniqueness <= _LEAST) & (at.slope > 0)) | ((uniqueness >= 1) & (at.slope < 0)))
        if not free.any() or np.max(np.abs(at.slope[free])) < _FLAT:
            return uniqueness, at.loss
        bend = at.bend[np.ix_(free, free)]
        move = np.zeros(items)
        move[free] = np.linalg.solve(bend + _RIDGE * np.eye(len(bend)), -at.slope[free])
        length = 1.0
        while True:
            step = length * move
            tried = uniqueness * np.exp(np.clip(step, -3, 3)) if logarithmic else uniqueness + step
            tried = np.clip(tried, _LEAST, 1)
            new = loss(tried, correlation, factors)
            if new.loss < at.loss:
                break
            length /= 4
            if length < _SHORTEST:
                if np.max(np.abs(at.slope[free])) < _NEARLY_FLAT:  # the loss cannot see more
                    return uniqueness, at.loss
                return _no_end(factors)
        uniqueness, at = tried, new
    return _no_end(factors)


def _no_end(factors: int) -> NoReturn:
    give_up(
        f"{factors} factor{'' if factors == 1 else 's'}",
        _STEPS,
        "ask for fewer factors, or leave out items that hardly correlate with others",
    )


def _minres(uniqueness: NDArray[np.float64], correlation: NDArray[np.float64], factors: int) -> _At:
    """Return half the squared residuals (Harman & Jones 1966)."""
    values, vectors = np.linalg.eigh(correlation - np.diag(uniqueness))
    rest = values.copy()
    rest[::-1][:factors] -= np.maximum(values[::-1][:factors], 0)
    apart = vectors[:, : len(values) - factors]
    return _At(float(rest @ rest / 2), -(vectors**2) @ rest, (apart @ apart.T) ** 2)


def _minres_loadings(
    uniqueness: NDArray[np.float64], correlation: NDArray[np.float64], factors: int
) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(correlation - np.diag(uniqueness))
    kept = np.maximum(values[::-1][:factors], 0)
    return np.asarray(vectors[:, ::-1][:, :factors] * np.sqrt(kept))


def _likelihood(
    uniqueness: NDArray[np.float64], correlation: NDArray[np.float64], factors: int
) -> _At:
    """Return half the discrepancy of maximum likelihood, by the logarithms (Jöreskog 1967)."""
    scale = np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(correlation / np.outer(scale, scale))
    seen = values.copy()  # a factor leaves nothing of its eigenvalue but what is below 1
    seen[::-1][:factors] = np.minimum(values[::-1][:factors], 1)
    apart = vectors[:, : len(values) - factors]
    loss = float(np.sum(seen - np.log(seen) - 1)) / 2
    return _At(loss, vectors**2 @ (1 - seen) / 2, (apart @ apart.T) ** 2 / 2)


def _likelihood_loadings(
    uniqueness: NDArray[np.float64], correlation: NDArray[np.float64], factors: int
) -> NDArray[np.float64]:
    scale = np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(correlation / np.outer(scale, scale))
    kept = np.sqrt(np.maximum(values[::-1][:factors] - 1, 0))
    return np.asarray(scale[:, None] * vectors[:, ::-1][:, :factors] * kept)


_LOSSES: dict[str, _Loss] = {"minres": _minres, "ml": _likelihood}
_LOADINGS = {"minres": _minres_loadings, "ml": _likelihood_loadings}


# -- rotation -------------------------------------------------------------------------------------


def _varimax(loadings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Kaiser-normalised varimax loadings, each factor upright.

    Two factors at a time, by the angle that is best for them (Kaiser 1958), until none turns.
    """
    items, factors = loadings.shape
    length = np.sqrt(np.sum(loadings**2, axis=1, keepdims=True))
    turned = loadings / length
    for _ in range(_STEPS):
        largest = 0.0
        for one, other in combinations(range(factors), 2):
            x, y = turned[:, one], turned[:, other]
            u, v = x**2 - y**2, 2 * x * y
            across = 2 * (u @ v - u.sum() * v.sum() / items)
            along = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / items
            angle = float(np.arctan2(across, along)) / 4
            sine, cosine = np.sin(angle), np.cos(angle)
            turned[:, [one, other]] = np.stack([cosine * x + sine * y, cosine * y - sine * x], 1)
            largest = max(largest, abs(angle))
        if largest < _TURN:
            return _upright(turned * length)
    return give_up("varimax", _STEPS, "ask for another number of factors")


def _promax(
    varimax: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the pattern nearest to a power of varimax loadings (Hendrickson & White 1964)."""
    target = varimax * np.abs(varimax) ** (_POWER - 1)
    turn = np.linalg.lstsq(varimax, target, rcond=None)[0]
    turn *= np.sqrt(np.diag(np.linalg.inv(turn.T @ turn)))
    back = np.linalg.inv(turn)
    return varimax @ turn, back @ back.T


_Criterion = Callable[["NDArray[np.float64]"], "tuple[float, NDArray[np.float64]]"]


def _quartimin(pattern: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    squares = pattern**2
    others = squares.sum(axis=1, keepdims=True) - squares
    return float(np.sum(squares * others)) / 4, pattern * others


def _geomin(pattern: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    squares = pattern**2 + _GEOMIN
    factors = pattern.shape[1]
    product = np.exp(np.mean(np.log(squares), axis=1, keepdims=True))
    return float(product.sum()), 2 / factors * pattern / squares * product


_CRITERIA: dict[str, _Criterion] = {"oblimin": _quartimin, "geomin": _geomin}
_ROTATIONS = ("none", "varimax", "promax", *_CRITERIA)


def _oblique(
    loadings: NDArray[np.float64], rotation: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pattern and factor correlations by gradient projection (Jennrich 2002)."""
    criterion = _CRITERIA[rotation]
    turn = np.eye(loadings.shape[1])
    pattern = loadings
    value, slope = criterion(pattern)
    step = 1.0
    for _ in range(_STEPS):
        gradient = -(pattern.T @ slope @ np.linalg.inv(turn)).T
        projected = gradient - turn * np.sum(turn * gradient, axis=0)
        size = float(np.linalg.norm(projected))
        if size < _ROTATION_FLAT:
            return pattern, turn.T @ turn
        step *= 2
        for _ in range(20):
            tried = turn - step * projected
            tried /= np.sqrt(np.sum(tried**2, axis=0))
            new = loadings @ np.linalg.inv(tried).T
            new_value, new_slope = criterion(new)
            if value - new_value > 0.5 * size**2 * step:
                break
            step /= 2
        turn, pattern, value, slope = tried, new, new_value, new_slope
    return give_up(rotation, _STEPS, "ask for fewer factors, or another rotation")
