"""The marginal likelihood of item response models: groups of patterns over a list of points.

The trait is a fixed list of points with normal weights for each group. Everything about the
answers is two matrix products over the distinct patterns. The parameters are one vector: slope and
intercepts, item version after item version, then mean and log standard deviation of each group but
the first, which has 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.psychometrics.irt import models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.patterns import Patterns

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

__all__ = [
    "Block",
    "Columns",
    "Design",
    "Expected",
    "Family",
    "design",
    "expected",
    "gradient",
    "log_priors",
    "log_table",
    "posteriors",
    "quadrature",
]

_ROOM = 2**18
"""Multiplications in one matrix product. Up to so many OpenBLAS uses one thread: where other work
runs, waiting for a second one costs ten times what it brings, and no result depends on threads."""

_NARROWEST = 64  # patterns in one product

REACH = 6.0
"""How far the points go to either side of the first group's mean, in its standard deviations."""


class Family(NamedTuple):
    """The item versions with one number of categories."""

    where: Places
    """Of their parameters in the vector and of their categories in the table, shape (versions,
    categories): an item has as many parameters as categories."""


class Columns(NamedTuple):
    """How the columns of a group's patterns meet the table of log probabilities."""

    category: Places
    """Row of the table, for each column that is a category."""
    lowest: Places
    """Row of the lowest category of the same item."""
    starts: Places
    """The first column of each item."""
    zero: Places
    """Row of the lowest category of each item."""
    blank: Places
    """The items with a column that says whether they are answered."""


@dataclass(frozen=True, eq=False)
class Design:
    """What is estimated from what: groups of patterns, and versions of items.

    Attributes
    ----------
    model : str
        The item response model.
    points : ndarray of float64, shape (points,)
        The latent trait.
    groups : tuple of Patterns
        The answers.
    versions : ndarray of int64, shape (groups, items)
        Which item version each group answers.
    categories : ndarray of int64, shape (versions,)
        Number of categories.
    first : ndarray of int64, shape (versions,)
        Where the parameters of each version begin in the vector.
    families : tuple of Family
        The versions by number of categories.
    columns : tuple of Columns
        One for each group.
    equal_slopes : bool
        Whether all versions have one slope, which then stands at each of them in the vector.
    """

    model: models.Model
    points: Floats
    groups: tuple[Patterns, ...]
    versions: Places
    categories: Places
    first: Places
    families: tuple[Family, ...]
    columns: tuple[Columns, ...]
    equal_slopes: bool = False

    @property
    def size(self) -> int:
        """The number of item parameters."""
        return int(self.categories.sum())

    def ties(self) -> Floats:
        """Return which estimate each parameter is: 1 there, else 0.

        Shape (parameters, estimates): the identity, or with equal slopes one column for them all.
        """
        parameters = np.eye(self.size + 2 * (len(self.groups) - 1))
        if not self.equal_slopes:
            return parameters
        parameters[self.first, self.first[0]] = 1.0
        return np.delete(parameters, self.first[1:], axis=1)


class Expected(NamedTuple):
    """What an E-step gives."""

    log_likelihood: float
    counts: Floats
    """Expected number of answers, shape (categories of all versions, points)."""
    density: Floats
    """Expected number of forms, shape (groups, points)."""


class Block(NamedTuple):
    """Some patterns of a group. The arrays are used again for the next block."""

    patterns: slice
    posterior: Floats
    """Shape (points, patterns); each pattern's adds up to 1."""
    log_likelihood: Floats
    """Shape (patterns,)."""
    hits: Floats
    """Shape (columns, patterns)."""


def quadrature(points: int) -> Floats:
    """Return equally spaced points; float64, shape (points,)."""
    return np.linspace(-REACH, REACH, points)


def design(
    model: models.Model,
    points: Floats,
    groups: Sequence[Patterns],
    versions: Places,
    categories: Sequence[int],
    *,
    equal_slopes: bool = False,
) -> Design:
    """Return the design; `categories` is one number per version."""
    numbers = np.asarray(categories, dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(numbers)[:-1]])
    families = tuple(
        Family(first[numbers == number][:, None] + np.arange(number))
        for number in np.unique(numbers).tolist()
    )
    columns = []
    for patterns, mine in zip(groups, versions, strict=True):
        above = numbers[mine] - 1
        starts = np.concatenate([[0], np.cumsum(above)[:-1]])
        lowest = np.repeat(first[mine], above)
        rank = np.arange(len(lowest)) - np.repeat(starts, above)
        columns.append(
            Columns(lowest + 1 + rank, lowest, starts, first[mine], patterns.blank_items)
        )
    return Design(
        model,
        points,
        tuple(groups),
        versions,
        numbers,
        first,
        families,
        tuple(columns),
        equal_slopes,
    )


def log_table(of: Design, vector: Floats) -> Floats:
    """Return the log probabilities, shape (categories of all versions, points)."""
    table = np.empty((of.size, len(of.points)))
    for family in of.families:
        x = models.predictors(vector[family.where], of.points)
        table[family.where] = np.log(models.chances(of.model, x)).transpose(0, 2, 1)
    return table


def log_priors(of: Design, vector: Floats) -> Floats:
    """Return the logarithms of the groups' weights, which add up to 1; shape (groups, points)."""
    free = vector[of.size :].reshape(-1, 2)
    mean = np.concatenate([[0.0], free[:, 0]])[:, None]
    log_sd = np.concatenate([[0.0], free[:, 1]])[:, None]
    return log_normal(of.points, mean, np.exp(log_sd))


def log_normal(points: Floats, mean: Floats | float, sd: Floats | float) -> Floats:
    """Return the logarithms of normal weights that add up to 1 over the points (last axis)."""
    density = -0.5 * ((points - mean) / sd) ** 2
    density -= density.max(axis=-1, keepdims=True)
    whole: Floats = density - np.log(np.exp(density).sum(axis=-1, keepdims=True))
    return whole


def posteriors(
    columns: Columns, patterns: Patterns, table: Floats, log_prior: Floats
) -> Iterator[Block]:
    """Yield the posterior of each pattern, block by block."""
    whole = np.ones(len(columns.zero), dtype=np.bool_)
    whole[columns.blank] = False
    base = (log_prior + table[columns.zero[whole]].sum(axis=0))[:, None]
    effect = np.concatenate(
        [table[columns.category] - table[columns.lowest], table[columns.zero[columns.blank]]]
    )
    effect = np.ascontiguousarray(effect.T)
    number = len(patterns.counts)
    wide = len(patterns.hits) + 1
    whole_width = max(_NARROWEST, _ROOM // (max(len(effect), wide) * wide))
    width = min(whole_width, number)
    all_hits, room = np.empty((len(patterns.hits), width)), np.empty((len(effect), width))
    for start in range(0, number, whole_width):
        block = slice(start, min(start + whole_width, number))
        if block.stop - start < width:  # the last one
            width = block.stop - start
            all_hits, room = np.empty((len(all_hits), width)), np.empty((len(room), width))
        all_hits[...] = patterns.hits[:, block]
        np.matmul(effect, all_hits, out=room)
        room += base
        top = room.max(axis=0)
        room -= top
        np.exp(room, out=room)
        likelihood = room.sum(axis=0)
        room /= likelihood
        yield Block(block, room, np.log(likelihood) + top, all_hits)


def expected(of: Design, vector: Floats) -> Expected:
    """Return the E-step."""
    table, priors = log_table(of, vector), log_priors(of, vector)
    counts = np.zeros_like(table)
    density = np.zeros((len(of.groups), len(of.points)))
    log_likelihood = 0.0
    for group, (patterns, columns) in enumerate(zip(of.groups, of.columns, strict=True)):
        found = np.zeros((len(patterns.hits), len(of.points)))
        for block in posteriors(columns, patterns, table, priors[group]):
            weights = patterns.counts[block.patterns]
            log_likelihood += float(weights @ block.log_likelihood)
            posterior = block.posterior
            posterior *= weights
            density[group] += posterior.sum(axis=1)
            found += block.hits @ posterior.T
        add_counts(counts, columns, found, density[group])
    return Expected(log_likelihood, counts, density)


def add_counts(counts: Floats, columns: Columns, found: Floats, whole: Floats | float) -> None:
    """Add a group's sums over the columns (`found`) and over all (`whole`) to the categories."""
    above = found[: len(columns.category)]
    answered = np.empty((len(columns.zero), *found.shape[1:]))
    answered[...] = whole
    answered[columns.blank] = found[len(above) :]
    counts[columns.category] += above
    counts[columns.zero] += answered - np.add.reduceat(above, columns.starts)


def gradient(of: Design, vector: Floats, given: Expected) -> Floats:
    """Return the first derivatives of the log-likelihood (Fisher's identity)."""
    found = np.zeros(len(vector))
    for family in of.families:
        x = models.predictors(vector[family.where], of.points)
        slopes = models.log_slopes(of.model, x, models.chances(of.model, x))
        counts = given.counts[family.where].transpose(0, 2, 1)
        found[family.where] = models.by_parameter(
            np.einsum("jqc,jqck->jqk", counts, slopes), of.points
        )
    for group in range(1, len(of.groups)):
        place = of.size + 2 * (group - 1)
        found[place : place + 2] = density_slopes(of, vector, group)[0] @ given.density[group]
    return found


def density_slopes(of: Design, vector: Floats, group: int) -> tuple[Floats, Floats]:
    """Return the derivatives of a group's log weights by mean and log SD.

    Shapes (2, points) and (2, 2, points), first and second derivatives, exact for the listed
    points.
    """
    mean, log_sd = vector[of.size + 2 * (group - 1) :][:2]
    sd = np.exp(log_sd)
    z = (of.points - mean) / sd
    weights = np.exp(log_normal(of.points, mean, sd))
    first = np.stack([z / sd, z**2])
    second = np.array([[np.full_like(z, -(sd**-2.0)), -2.0 * z / sd], [-2.0 * z / sd, -2.0 * z**2]])
    first -= (first @ weights)[:, None]
    second -= (second @ weights)[..., None] + ((first * weights) @ first.T)[..., None]
    return first, second
