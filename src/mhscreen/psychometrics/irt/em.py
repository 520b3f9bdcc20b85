"""Marginal maximum likelihood: the EM algorithm of Bock and Aitkin (1981), accelerated.

The M-step is Fisher scoring, all items at once. The sequence is extrapolated after Anderson (1965)
and taken back where the likelihood would fall (Henderson and Varadhan 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.likelihood import (
    Expected,
    add_counts,
    density_slopes,
    expected,
    log_priors,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.likelihood import Design

    Floats = NDArray[np.float64]

__all__ = ["Climb", "climb", "maximised", "start"]

_MEMORY = 6  # earlier steps that an extrapolation looks at
_SCORING_STEPS = 3
_SMALL_STEP = 1e-4
_HALVINGS = 10
_LONGEST_STEP = 1.0  # of a group's mean and log SD
_ROUNDING = 1e-9  # relative, of a log-likelihood
_NOBODY = 1e-12  # forms at a point, so that no matrix is singular where nobody is


class Climb(NamedTuple):
    """Where the algorithm ended."""

    vector: Floats
    expected: Expected
    iterations: int
    residual: Floats
    """How one more EM step would change each parameter."""
    converged: bool


def start(of: Design, slope: float = 1.0) -> Floats:
    """Return parameters to begin with: one slope, and intercepts from the shares answered."""
    vector = np.zeros(of.size + 2 * (len(of.groups) - 1))
    totals = np.zeros(of.size)
    for patterns, columns in zip(of.groups, of.columns, strict=True):
        add_counts(totals, columns, patterns.hits @ patterns.counts, patterns.counts.sum())
    for family in of.families:
        shares = totals[family.where]
        if of.model == "partial_credit":
            intercepts = np.log(shares[:, 1:] / shares[:, :-1])
        else:
            beyond = np.cumsum(shares[:, ::-1], axis=1)[:, ::-1]
            beyond /= beyond[:, :1]
            # Averaged over a normal trait, a logistic function is flatter by about this factor.
            flat = np.sqrt(1.0 + 0.35 * slope**2)
            intercepts = flat * np.log(beyond[:, 1:] / (1.0 - beyond[:, 1:]))
        vector[family.where] = np.column_stack([np.full(len(shares), slope), intercepts])
    return vector


def climb(of: Design, vector: Floats, *, tolerance: float, most: int) -> Climb:
    """Run the EM algorithm until one more step would change no parameter by `tolerance`."""
    places: list[Floats] = []
    steps: list[Floats] = []
    plain, best, extrapolated = vector, -np.inf, False
    given, step = expected(of, vector), np.full(len(vector), np.nan)
    for iteration in range(1, most + 1):
        if iteration > 1:
            given = expected(of, vector)
        if extrapolated and not given.log_likelihood >= best - _ROUNDING * abs(best):
            vector, extrapolated = plain, False
            places.clear()
            steps.clear()
            continue
        best = given.log_likelihood
        try:
            plain = maximised(of, vector, given)
        except np.linalg.LinAlgError:  # an item whose slope runs off
            break
        step = plain - vector
        if not np.isfinite(step).all():
            break
        if np.abs(step).max() < tolerance:
            return Climb(vector, given, iteration, step, converged=True)
        places, steps = [*places, vector][-_MEMORY:], [*steps, step][-_MEMORY:]
        vector, extrapolated = _extrapolated(of, places, steps)
    return Climb(vector, given, most, step, converged=False)


def _extrapolated(of: Design, places: list[Floats], steps: list[Floats]) -> tuple[Floats, bool]:
    """Return where to go next, and whether that is more than a plain EM step."""
    plain = places[-1] + steps[-1]
    if len(steps) == 1:
        return plain, False
    by_step = np.diff(np.array(steps), axis=0).T
    by_place = np.diff(np.array(places), axis=0).T
    weights = np.linalg.lstsq(by_step, steps[-1], rcond=1e-8)[0]
    reached = plain - (by_place + by_step) @ weights
    if of.equal_slopes:  # rounding must not part them
        reached[of.first] = reached[of.first[0]]
    if all(_possible(of.model, reached[family.where]).all() for family in of.families):
        return reached, True
    return plain, False


def maximised(of: Design, vector: Floats, given: Expected) -> Floats:
    """Return the M-step."""
    if of.equal_slopes:
        moved = _scored_together(of, vector, given)
    else:
        moved = vector.copy()
        for family in of.families:
            counts = given.counts[family.where].transpose(0, 2, 1)
            moved[family.where] = _scored(of.model, vector[family.where], of.points, counts)
    for group in range(1, len(of.groups)):
        place = of.size + 2 * (group - 1)
        for _ in range(_SCORING_STEPS):
            first, _ = density_slopes(of, moved, group)
            weights = np.exp(log_priors(of, moved)[group]) * given.density[group].sum()
            step = np.linalg.solve((first * weights) @ first.T, first @ given.density[group])
            moved[place : place + 2] += np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
    return moved


class _At(NamedTuple):
    """Items at some parameters, shape (items, categories)."""

    parameters: Floats
    x: Floats
    p: Floats
    value: Floats


def _scored(model: models.Model, parameters: Floats, points: Floats, counts: Floats) -> Floats:
    """Return parameters of items under which the counts are likelier, by Fisher scoring."""
    now = _at(model, parameters, points, counts)
    for _ in range(_SCORING_STEPS):
        uphill, matrix = _hill(model, now, points, counts)
        step = np.linalg.solve(matrix, uphill[..., None])[..., 0]
        for _ in range(_HALVINGS):
            tried = _at(model, now.parameters + step, points, counts)
            falls = tried.value < now.value - _ROUNDING * np.abs(now.value)
            worse = np.asarray(falls | ~_possible(model, tried.parameters))
            if not worse.any():
                break
            step[worse] *= 0.5
        else:
            step[worse] = 0.0
            tried = _at(model, now.parameters + step, points, counts)
        now = tried
        if np.abs(step).max() < _SMALL_STEP:
            break
    return now.parameters


def _scored_together(of: Design, vector: Floats, given: Expected) -> Floats:
    """Return the same for items that share their slope: they step, and halve a step, as one."""
    counts = [given.counts[family.where].transpose(0, 2, 1) for family in of.families]
    ties = of.ties()

    def at(vector: Floats) -> list[_At]:
        return [
            _at(of.model, vector[family.where], of.points, mine)
            for family, mine in zip(of.families, counts, strict=True)
        ]

    now, here = vector, at(vector)
    for _ in range(_SCORING_STEPS):
        uphill, matrix = np.zeros(len(vector)), np.eye(len(vector))
        for family, one, mine in zip(of.families, here, counts, strict=True):
            uphill[family.where], blocks = _hill(of.model, one, of.points, mine)
            for where, block in zip(family.where, blocks, strict=True):
                matrix[np.ix_(where, where)] = block
        step = ties @ np.linalg.solve(ties.T @ matrix @ ties, ties.T @ uphill)
        value = sum(one.value.sum() for one in here)
        for _ in range(_HALVINGS):
            tried = at(now + step)
            falls = sum(one.value.sum() for one in tried) < value - _ROUNDING * abs(value)
            if not falls and all(_possible(of.model, one.parameters).all() for one in tried):
                break
            step *= 0.5
        else:
            break
        now, here = now + step, tried
        if np.abs(step).max() < _SMALL_STEP:
            break
    return now.copy()


def _at(model: models.Model, parameters: Floats, points: Floats, counts: Floats) -> _At:
    x = models.predictors(parameters, points)
    p = models.chances(model, x)
    return _At(parameters, x, p, (counts * np.log(p)).sum(axis=(1, 2)))


def _hill(model: models.Model, now: _At, points: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return the gradient of each item and its expected information."""
    shown = np.maximum(counts.sum(axis=-1), _NOBODY)
    slopes = models.log_slopes(model, now.x, now.p)
    uphill = models.by_parameter(np.einsum("jqc,jqck->jqk", counts, slopes), points)
    weighted = (shown[..., None] * now.p)[..., None] * slopes
    pairs = np.matmul(weighted.swapaxes(-1, -2), slopes)
    return uphill, models.pairs_by_parameter(pairs, points)


def _possible(model: models.Model, parameters: Floats) -> NDArray[np.bool_]:
    """Return for which items the parameters are such as the model can have."""
    finite = np.isfinite(parameters).all(axis=1)
    if model != "partial_credit":
        finite &= (np.diff(parameters[:, 1:], axis=1) < 0).all(axis=1)
    return np.asarray(finite)
