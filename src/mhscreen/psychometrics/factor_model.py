"""Factor models with given zeros in one or several groups, fitted by maximum likelihood.

A model is a list of parameters, each one entry (or, equal over groups, several entries) of the
matrices of loadings, factor covariances, residual variances, intercepts and factor means. Fisher
scoring on the expected information finds the estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.problems import ProblemLog, UsageError
from mhscreen.psychometrics.checks import (
    check_constant,
    check_enough,
    check_perfect,
    check_positive_definite,
    give_up,
    placed,
    refuse,
)
from mhscreen.psychometrics.factoring import extract
from mhscreen.psychometrics.moments import correlations_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.answers import Answers

__all__ = [
    "LEVELS",
    "FactorModel",
    "InvarianceLevel",
    "Matrices",
    "Place",
    "Sample",
    "Slopes",
    "check_keys",
    "entry",
    "loss_of",
    "sample_of",
    "score_of",
    "search",
    "slopes_of",
]

InvarianceLevel = Literal["configural", "metric", "scalar", "strict"]

LEVELS: tuple[InvarianceLevel, ...] = ("configural", "metric", "scalar", "strict")
"""Same items on the same factors; and equal loadings; and intercepts; and residual variances."""

_STEPS = 500
_FLAT = 1e-7  # the largest slope per form, in standard errors
_LEAST_START = 0.1  # the least share of residual variance to start from


# -- the data of a group --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sample:
    """One group: its name, forms, means and covariances (divided by the sum of the weights).

    `weights` are 1 on average over all groups; None where all forms count alike.
    """

    name: str
    values: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None

    @property
    def forms(self) -> int:
        """The number of forms."""
        return len(self.values)

    @property
    def size(self) -> float:
        """The sum of the weights."""
        return float(self.forms if self.weights is None else self.weights.sum())

    def average(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted mean over the forms."""
        return np.asarray(np.average(rows, axis=0, weights=self.weights))

    def squares(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cross-products that the forms' weights give, over the sum of the weights."""
        weighted = rows if self.weights is None else rows * self.weights[:, None]
        return np.asarray(weighted.T @ weighted / self.size)


def sample_of(name: str, answers: Answers) -> Sample:
    """Return the moments of a group, all of whose forms are complete.

    Raises
    ------
    AnalysisError
        With MH702, MH704, MH705 or MH706, naming the group.
    """
    problems = ProblemLog()
    check_enough(answers.forms, len(answers.items) + 1, "more than there are items", problems)
    refuse(placed(problems, name))
    values, weights = answers.values(), answers.weights
    mean = np.average(values, axis=0, weights=weights)
    centred = values - mean
    weighted = centred if weights is None else centred * weights[:, None]
    covariance = weighted.T @ centred / (len(values) if weights is None else weights.sum())
    check_constant(answers.items, np.diag(covariance), problems)
    refuse(placed(problems, name))
    correlation = correlations_of(covariance)
    check_perfect(answers.items, correlation, problems)
    check_positive_definite(correlation, problems)
    refuse(placed(problems, name))
    return Sample(name, values, np.asarray(mean), covariance, weights)


def check_keys(
    keys: Mapping[str, Sequence[str]],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return the factors with their items, and all items once."""
    if not isinstance(keys, Mapping) or not keys:
        msg = "keys: a mapping of factors to their items is expected"
        raise UsageError(msg)
    factors = {str(name): tuple(map(str, items)) for name, items in keys.items()}
    few = [name for name, items in factors.items() if len(set(items)) < 2]  # noqa: PLR2004 - a factor is what two share
    if few or (len(factors) == 1 and len(next(iter(factors.values()))) < 3):  # noqa: PLR2004 - identified
        msg = "a factor needs at least two items, and three where it is alone"
        raise UsageError(msg)
    return factors, tuple(dict.fromkeys(item for items in factors.values() for item in items))


# -- the model ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """An entry of a matrix of a group."""

    group: int
    matrix: str  # loading, phi, theta, intercept, alpha
    row: int
    column: int


@dataclass(eq=False)
class Matrices:
    """The matrices of one group."""

    loading: NDArray[np.float64]
    phi: NDArray[np.float64]
    theta: NDArray[np.float64]
    intercept: NDArray[np.float64]
    alpha: NDArray[np.float64]

    @property
    def covariance(self) -> NDArray[np.float64]:
        """The covariances that the model reproduces, shape (items, items)."""
        return np.asarray(self.loading @ self.phi @ self.loading.T + np.diag(self.theta))

    @property
    def mean(self) -> NDArray[np.float64]:
        """The means that the model reproduces, shape (items,)."""
        return np.asarray(self.intercept + self.loading @ self.alpha)


class FactorModel:
    """Which entries of which matrices are free, and which are one parameter."""

    def __init__(
        self,
        factors: dict[str, tuple[str, ...]],
        items: tuple[str, ...],
        samples: list[Sample],
        level: InvarianceLevel,
        *,
        means: bool,
    ) -> None:
        self.factors, self.items, self.samples = factors, items, samples
        self.names = tuple(factors)
        self.level, self.means = level, means
        self.parameters = self._list_parameters()

    @property
    def forms(self) -> int:
        """The forms of all groups."""
        return sum(sample.forms for sample in self.samples)

    @property
    def size(self) -> float:
        """The weights of all groups, summed."""
        return sum(sample.size for sample in self.samples)

    @cached_property
    def df(self) -> int:
        """The moments of the answers less the parameters."""
        count = len(self.items)
        moments_ = count * (count + 1) // 2 + (count if self.means else 0)
        return len(self.samples) * moments_ - len(self.parameters)

    def _list_parameters(self) -> list[tuple[Place, ...]]:
        """Return the places of each parameter."""
        found: list[tuple[Place, ...]] = []
        for column, members in enumerate(self.factors.values()):
            rows = [self.items.index(item) for item in members]
            found += [one for row in rows for one in self._places("loading", row, column, "metric")]
        for row, column in combinations_with_replacement(range(len(self.names)), 2):
            if row != column:
                found += self._places("phi", row, column)
            elif self._holds("metric"):
                found += self._places("phi", row, row)[1:]
        for row in range(len(self.items)):
            found += self._places("theta", row, row, "strict")
        for row in range(len(self.items)) if self.means else ():
            found += self._places("intercept", row, 0, "scalar")
        for row in range(len(self.names)) if self._holds("scalar") else ():
            found += self._places("alpha", row, 0)[1:]
        return found

    def _holds(self, level: InvarianceLevel) -> bool:
        return LEVELS.index(self.level) >= LEVELS.index(level)

    def _places(
        self, matrix: str, row: int, column: int, equal: InvarianceLevel | None = None
    ) -> list[tuple[Place, ...]]:
        """Return a parameter for each group, or one for all where a level makes them equal."""
        places = [Place(group, matrix, row, column) for group in range(len(self.samples))]
        if equal is not None and self._holds(equal):
            return [tuple(places)]
        return [(place,) for place in places]

    def start(self) -> NDArray[np.float64]:
        """Return values to start from: each factor from its own items."""
        guesses = [_guess(sample, self) for sample in self.samples]
        return np.array(
            [
                np.mean([entry(guesses[place.group], place) for place in places])
                for places in self.parameters
            ]
        )

    def matrices(self, values: NDArray[np.float64]) -> list[Matrices]:
        """Return the matrices of each group."""
        count, factors = len(self.items), len(self.names)
        found = [
            Matrices(
                np.zeros((count, factors)),
                np.eye(factors),
                np.zeros(count),
                np.zeros(count) if self.means else sample.mean,
                np.zeros(factors),
            )
            for sample in self.samples
        ]
        for value, places in zip(values, self.parameters, strict=True):
            for place in places:
                _write(found[place.group], place, value)
        return found


def entry(matrices: Matrices, place: Place) -> float:
    """Return the entry at a place."""
    array = getattr(matrices, place.matrix)
    return float(array[place.row] if array.ndim == 1 else array[place.row, place.column])


def _write(matrices: Matrices, place: Place, value: float) -> None:
    array = getattr(matrices, place.matrix)
    if array.ndim == 1:
        array[place.row] = value
        return
    array[place.row, place.column] = value
    if place.matrix == "phi":
        array[place.column, place.row] = value


def _guess(sample: Sample, model: FactorModel) -> Matrices:
    """Return where to start in one group."""
    correlation = correlations_of(sample.covariance)
    scale = np.sqrt(np.diag(sample.covariance))
    loading = np.zeros((len(model.items), len(model.names)))
    for column, members in enumerate(model.factors.values()):
        rows = [model.items.index(item) for item in members]
        own = correlation[np.ix_(rows, rows)]
        if len(rows) > 2:  # noqa: PLR2004 - a factor of two is not identified alone
            weights = extract(own, 1).loadings[:, 0]
        else:
            shared = sqrt(abs(own[0, 1]))
            weights = np.array([shared, shared * np.sign(own[0, 1])])
        loading[rows, column] = weights
    common = np.minimum(np.sum(loading**2, axis=1), 1 - _LEAST_START)
    theta = (1 - common) * scale**2
    factors = len(model.names)
    return Matrices(
        loading * scale[:, None], np.eye(factors), theta, sample.mean.copy(), np.zeros(factors)
    )


# -- fitting --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Slopes:
    """What one group says about each parameter at some values."""

    inverse: NDArray[np.float64]
    covariance: NDArray[np.float64]  # by each parameter, shape (parameters, items, items)
    mean: NDArray[np.float64]  # by each parameter, shape (parameters, items)
    gap: NDArray[np.float64]  # observed minus reproduced mean


def slopes_of(model: FactorModel, group: int, matrices: Matrices) -> Slopes:
    """Return how the reproduced moments of a group move with each parameter."""
    count, parameters = len(model.items), len(model.parameters)
    covariance = np.zeros((parameters, count, count))
    mean = np.zeros((parameters, count))
    through = matrices.loading @ matrices.phi
    for number, places in enumerate(model.parameters):
        for place in places:
            if place.group != group:
                continue
            row, column = place.row, place.column
            if place.matrix == "loading":
                covariance[number, row, :] += through[:, column]
                covariance[number, :, row] += through[:, column]
                mean[number, row] += matrices.alpha[column]
            elif place.matrix == "phi":
                one = np.outer(matrices.loading[:, row], matrices.loading[:, column])
                covariance[number] += one if row == column else one + one.T
            elif place.matrix == "theta":
                covariance[number, row, row] += 1
            elif place.matrix == "intercept":
                mean[number, row] += 1
            else:
                mean[number] += matrices.loading[:, row]
    inverse = np.asarray(np.linalg.inv(matrices.covariance), dtype=np.float64)
    return Slopes(inverse, covariance, mean, model.samples[group].mean - matrices.mean)


def loss_of(model: FactorModel, values: NDArray[np.float64]) -> float:
    """Return the discrepancy times two over the forms; infinite outside of what can be."""
    total = 0.0
    for sample, matrices in zip(model.samples, model.matrices(values), strict=True):
        sign, log_det = np.linalg.slogdet(matrices.covariance)
        if sign <= 0 or np.linalg.eigvalsh(matrices.covariance)[0] <= 0:
            return float("inf")
        gap = sample.mean - matrices.mean
        observed = sample.covariance + np.outer(gap, gap)
        trace = float(np.trace(np.linalg.solve(matrices.covariance, observed)))
        own = float(np.linalg.slogdet(sample.covariance)[1])
        total += sample.size / model.size * (log_det + trace - own - len(model.items))
    return total


def score_of(
    model: FactorModel, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slope of the log-likelihood and the expected information, per form."""
    slope = np.zeros(len(values))
    information = np.zeros((len(values), len(values)))
    for group, matrices in enumerate(model.matrices(values)):
        sample = model.samples[group]
        share = sample.size / model.size
        at = slopes_of(model, group, matrices)
        misfit = sample.covariance + np.outer(at.gap, at.gap) - matrices.covariance
        pull = at.inverse @ misfit @ at.inverse
        slope += share * (
            np.einsum("tij,ij->t", at.covariance, pull) / 2 + at.mean @ at.inverse @ at.gap
        )
        left = (at.inverse @ at.covariance @ at.inverse).reshape(len(values), -1)
        information += share * (
            left @ at.covariance.reshape(len(values), -1).T / 2 + at.mean @ at.inverse @ at.mean.T
        )
    return slope, information


def search(model: FactorModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the estimates and their expected information per form, by Fisher scoring."""
    values = model.start()
    loss = loss_of(model, values)
    hint = "are all items keyed alike, and does each factor have items that share something?"
    for _ in range(_STEPS):
        slope, information = score_of(model, values)
        try:
            move = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            break
        if slope @ move < _FLAT**2 * len(values):
            return values, information
        length = 1.0
        while length > 1e-6:  # noqa: PLR2004 - no step is shorter
            tried = values + length * move
            new = loss_of(model, tried)
            if new < loss:
                break
            length /= 2
        else:
            if slope @ move < 1e-9:  # noqa: PLR2004 - the loss cannot see more
                return values, information
            break
        values, loss = tried, new
    return give_up(f"{len(model.names)}-factor model, {model.level}", _STEPS, hint)
