"""How exact the estimates are: the information about the parameters of a design.

``"observed"`` is the observed information of the marginal likelihood after Louis (1982): that of
the complete data less what is lost because the trait is not observed. ``"cross-product"`` adds up
the outer products of the patterns' scores: quicker, and the same in the limit where the model
holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.likelihood import (
    density_slopes,
    log_priors,
    log_table,
    posteriors,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.likelihood import Design, Expected

    Floats = NDArray[np.float64]

__all__ = ["Errors", "information_matrix"]

Errors = Literal["observed", "cross-product", "none"]
"""Which information the standard errors come from; ``"none"`` where none are wanted."""


def information_matrix(of: Design, vector: Floats, given: Expected, errors: Errors) -> Floats:
    """Return the information about the parameters, shape (parameters, parameters)."""
    table, priors = log_table(of, vector), log_priors(of, vector)
    slopes = _slopes(of, vector)
    size = len(vector)
    found = _complete(of, vector, given) if errors == "observed" else np.zeros((size, size))
    for group, (patterns, columns) in enumerate(zip(of.groups, of.columns, strict=True)):
        effects = _effects(of, vector, slopes, group)  # points, columns + 1, parameters
        # Each column touches the parameters of one item, or, the last, of every item.
        touched = [np.flatnonzero(effect.any(axis=0)) for effect in effects.swapaxes(0, 1)]
        moments = np.zeros((len(of.points), effects.shape[1], effects.shape[1]))
        outer = np.zeros((size, size))
        for block in posteriors(columns, patterns, table, priors[group]):
            hits = np.concatenate([block.hits, np.ones((1, block.hits.shape[1]))])
            weights = patterns.counts[block.patterns]
            scores = _scores(effects, touched, hits, block.posterior)
            outer += (scores * weights) @ scores.T
            if errors == "observed":
                _add_moments(moments, hits, block.posterior * weights)
        found += outer
        if errors == "observed":
            for moment, effect in zip(moments, effects, strict=True):
                found -= effect.T @ (moment @ effect)
    return found


def _add_moments(moments: Floats, hits: Floats, posterior: Floats) -> None:
    """Add, for each point, the expected cross-products of the columns."""
    weighted = np.empty_like(hits)
    for point, chance in enumerate(posterior):
        np.multiply(hits, chance, out=weighted)
        moments[point] += weighted @ hits.T


def _scores(
    effects: Floats, touched: list[NDArray[np.int64]], hits: Floats, posterior: Floats
) -> Floats:
    """Return the derivatives of the patterns' log-likelihoods, shape (parameters, patterns)."""
    found = np.zeros((effects.shape[2], hits.shape[1]))
    for column, (hit, mine) in enumerate(zip(hits, touched, strict=True)):
        found[mine] += (effects[:, column, mine].T @ posterior) * hit
    return found


def _slopes(of: Design, vector: Floats) -> list[Floats]:
    """Return the derivatives of log probabilities by slope and intercepts, for each family.

    Shape (versions, points, categories, categories).
    """
    found = []
    for family in of.families:
        x = models.predictors(vector[family.where], of.points)
        by_step = models.log_slopes(of.model, x, models.chances(of.model, x))
        along = by_step.sum(axis=-1, keepdims=True) * of.points[:, None, None]
        found.append(np.concatenate([along, by_step], axis=-1))
    return found


def _effects(of: Design, vector: Floats, slopes: list[Floats], group: int) -> Floats:
    """Return what each column, and a form as such, adds to the derivatives of a log-likelihood.

    Shape (points, columns + 1, parameters).
    """
    columns = of.columns[group]
    whole = np.zeros((of.size, len(of.points), of.size))  # category, point, parameter
    for family, by_parameter in zip(of.families, slopes, strict=True):
        for where, one in zip(family.where, by_parameter, strict=True):
            whole[where[:, None], :, where[None, :]] = one.transpose(1, 2, 0)
    never_blank = np.ones(len(columns.zero), dtype=np.bool_)
    never_blank[columns.blank] = False
    found = np.zeros((len(of.points), len(columns.category) + len(columns.blank) + 1, len(vector)))
    rows = np.concatenate(
        [
            whole[columns.category] - whole[columns.lowest],
            whole[columns.zero[columns.blank]],
            whole[columns.zero[never_blank]].sum(axis=0, keepdims=True),
        ]
    )
    found[:, :, : of.size] = rows.transpose(1, 0, 2)
    if group:
        place = of.size + 2 * (group - 1)
        found[:, -1, place : place + 2] = density_slopes(of, vector, group)[0].T
    return found


def _complete(of: Design, vector: Floats, given: Expected) -> Floats:
    """Return the information if the trait were observed: minus the expected second derivatives."""
    found = np.zeros((len(vector), len(vector)))
    for family in of.families:
        x = models.predictors(vector[family.where], of.points)
        counts = given.counts[family.where].transpose(0, 2, 1)
        pairs = models.curvature(of.model, x, models.chances(of.model, x), counts)
        blocks = models.pairs_by_parameter(pairs, of.points)
        for where, block in zip(family.where, blocks, strict=True):
            found[np.ix_(where, where)] = block
    for group in range(1, len(of.groups)):
        place = of.size + 2 * (group - 1)
        second = density_slopes(of, vector, group)[1]
        found[place : place + 2, place : place + 2] = -(second @ given.density[group])
    return found
