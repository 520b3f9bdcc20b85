"""A factor model of ordered answers, fitted to thresholds and polychoric correlations.

Diagonally weighted least squares, with standard errors and a test that reckon with the whole
covariance of the moments (Muthén 1984; Muthén, du Toit & Spisic 1997; Asparouhov & Muthén 2010).
Behind each answer stands a normal variable; `scale` is one over its standard deviation, 1 in the
first group and, until thresholds are equal, in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement
from math import sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.factoring import extract

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.ordered_sample import OrderedSample

    Floats = NDArray[np.float64]

__all__ = [
    "ORDERED_LEVELS",
    "OrderedFit",
    "OrderedLevel",
    "OrderedMatrices",
    "OrderedModel",
    "OrderedPlace",
    "adjusted",
    "difference",
    "search_ordered",
]

OrderedLevel = Literal["configural", "thresholds", "metric", "scalar"]

ORDERED_LEVELS: tuple[OrderedLevel, ...] = ("configural", "thresholds", "metric", "scalar")
"""Same items on the same factors; and equal thresholds; and loadings; and intercepts.

In the order of Wu & Estabrook (2016): of ordered answers only equal thresholds make the variables
behind them comparable.
"""

_STEPS = 200
_CLOSE = 1e-9  # the longest step at the end, in the metric of the moments' own errors
_LEAST_SHARE = 0.1  # the least share of residual variance to start from


@dataclass(frozen=True)
class OrderedPlace:
    """An entry of an array of a group."""

    group: int
    array: str  # loading, phi, threshold, intercept, scale, mean
    row: int
    column: int = 0


@dataclass(eq=False)
class OrderedMatrices:
    """The parameters of one group, as arrays."""

    loading: Floats
    phi: Floats
    threshold: Floats  # shape (items, most thresholds)
    intercept: Floats
    scale: Floats
    mean: Floats

    @property
    def common(self) -> Floats:
        """The covariances of the variables behind the answers, but for their residuals."""
        return np.asarray(self.loading @ self.phi @ self.loading.T)

    @property
    def correlation(self) -> Floats:
        """The correlations that the model reproduces, shape (items, items)."""
        found = self.common * np.outer(self.scale, self.scale)
        np.fill_diagonal(found, 1)
        return found

    @property
    def residual(self) -> Floats:
        """The residual variances of the variables behind the answers."""
        return np.asarray(1 / self.scale**2 - np.diag(self.common))

    def entry(self, place: OrderedPlace) -> float:
        """Return the entry at a place."""
        array = getattr(self, place.array)
        return float(array[place.row] if array.ndim == 1 else array[place.row, place.column])

    def write(self, place: OrderedPlace, value: float) -> None:
        """Write an entry."""
        array = getattr(self, place.array)
        if array.ndim == 1:
            array[place.row] = value
            return
        array[place.row, place.column] = value
        if place.array == "phi":
            array[place.column, place.row] = value


class OrderedModel:
    """Which entries of which arrays are free, and which are one parameter."""

    def __init__(
        self,
        factors: dict[str, tuple[str, ...]],
        items: tuple[str, ...],
        samples: list[OrderedSample],
        level: OrderedLevel,
    ) -> None:
        self.factors, self.items, self.samples, self.level = factors, items, samples, level
        self.names = tuple(factors)
        self.parameters = self._list_parameters()

    @property
    def forms(self) -> int:
        """The forms of all groups."""
        return sum(sample.forms for sample in self.samples)

    @property
    def shares(self) -> list[float]:
        """What each group weighs."""
        return [sample.freedom / self.freedom for sample in self.samples]

    @property
    def freedom(self) -> float:
        """What all groups weigh: forms less one of each, as lavaan counts."""
        return sum(sample.freedom for sample in self.samples)

    @cached_property
    def df(self) -> int:
        """The moments less the parameters."""
        return sum(len(sample.moments) for sample in self.samples) - len(self.parameters)

    def _holds(self, level: OrderedLevel) -> bool:
        return ORDERED_LEVELS.index(self.level) >= ORDERED_LEVELS.index(level)

    def _list_parameters(self) -> list[tuple[OrderedPlace, ...]]:
        """Return the places of each parameter."""
        found: list[tuple[OrderedPlace, ...]] = []
        for column, members in enumerate(self.factors.values()):
            rows = [self.items.index(item) for item in members]
            found += [one for row in rows for one in self._each("loading", row, column, "metric")]
        for row, column in combinations_with_replacement(range(len(self.names)), 2):
            if row != column:
                found += self._each("phi", row, column)
            elif self._holds("metric"):
                found += self._each("phi", row, row)[1:]
        for row, steps in enumerate(self.samples[0].thresholds):
            for column in range(len(steps)):
                found += self._each("threshold", row, column, "thresholds")
        # What is fixed in the first group becomes free in the others where thresholds compare them.
        every = range(len(self.items))
        thresholds, scalar = self._holds("thresholds"), self._holds("scalar")
        for array, rows_of, free in (
            ("scale", every, thresholds),
            ("intercept", every, thresholds and not scalar),
            ("mean", range(len(self.names)), scalar),
        ):
            found += [one for row in rows_of if free for one in self._each(array, row)[1:]]
        return found

    def _each(
        self, array: str, row: int, column: int = 0, equal: OrderedLevel | None = None
    ) -> list[tuple[OrderedPlace, ...]]:
        """Return a parameter for each group, or one for all where a level makes them equal."""
        places = [OrderedPlace(group, array, row, column) for group in range(len(self.samples))]
        if equal is not None and self._holds(equal):
            return [tuple(places)]
        return [(place,) for place in places]

    def start(self) -> Floats:
        """Return values to start from: thresholds as they are, each factor from its own items."""
        guesses = [_guess(sample, self) for sample in self.samples]
        return np.array(
            [
                np.mean([guesses[one.group].entry(one) for one in places])
                for places in self.parameters
            ]
        )

    def matrices(self, values: Floats) -> list[OrderedMatrices]:
        """Return the arrays of each group."""
        items, factors = len(self.items), len(self.names)
        most = max(len(one) for one in self.samples[0].thresholds)
        found = [
            OrderedMatrices(
                np.zeros((items, factors)), np.eye(factors), np.zeros((items, most)),
                np.zeros(items), np.ones(items), np.zeros(factors),
            )
            for _ in self.samples
        ]  # fmt: skip
        for value, places in zip(values, self.parameters, strict=True):
            for place in places:
                found[place.group].write(place, value)
        return found

    def reproduced(self, of: OrderedMatrices) -> Floats:
        """Return thresholds and correlations that the model reproduces, shape (moments,)."""
        steps = (of.threshold - (of.intercept + of.loading @ of.mean)[:, None]) * of.scale[:, None]
        return np.concatenate([steps[self._is_step], of.correlation[self._pairs]])

    @cached_property
    def _is_step(self) -> NDArray[np.bool_]:
        counts = np.array([len(one) for one in self.samples[0].thresholds])
        return np.asarray(np.arange(counts.max()) < counts[:, None])

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        return np.triu_indices(len(self.items), 1)

    def slopes(self, group: int, of: OrderedMatrices) -> Floats:
        """Return how the moments of a group move with each parameter, (moments, parameters)."""
        through = of.loading @ of.phi
        scales = np.outer(of.scale, of.scale)
        common = of.common
        shifted = of.threshold - (of.intercept + of.loading @ of.mean)[:, None]
        columns = []
        for places in self.parameters:
            steps = np.zeros_like(of.threshold)
            pairs = np.zeros_like(scales)
            for place in places:
                if place.group != group:
                    continue
                row, column = place.row, place.column
                if place.array == "loading":
                    pairs[row] += scales[row] * through[:, column]
                    pairs[:, row] += scales[row] * through[:, column]
                    steps[row] -= of.scale[row] * of.mean[column]
                elif place.array == "phi":
                    one = np.outer(of.loading[:, row], of.loading[:, column])
                    pairs += scales * (one if row == column else one + one.T)
                elif place.array == "threshold":
                    steps[row, column] += of.scale[row]
                elif place.array == "intercept":
                    steps[row] -= of.scale[row]
                elif place.array == "scale":
                    steps[row] += shifted[row]
                    pairs[row] += of.scale * common[row]
                    pairs[:, row] += of.scale * common[row]
                else:
                    steps -= (of.scale * of.loading[:, row])[:, None]
            columns.append(np.concatenate([steps[self._is_step], pairs[self._pairs]]))
        return np.stack(columns, axis=1)


def _guess(sample: OrderedSample, model: OrderedModel) -> OrderedMatrices:
    """Return where to start in one group."""
    of = model.matrices(np.zeros(len(model.parameters)))[0]
    of.phi, of.scale = np.eye(len(model.names)), np.ones(len(model.items))
    for row, steps in enumerate(sample.thresholds):
        of.threshold[row, : len(steps)] = steps
    for column, members in enumerate(model.factors.values()):
        rows = [model.items.index(item) for item in members]
        own = sample.correlation[np.ix_(rows, rows)]
        if len(rows) > 2:  # noqa: PLR2004 - a factor of two is not identified alone
            weights = extract(own, 1).loadings[:, 0]
        else:
            shared = sqrt(abs(own[0, 1]))
            weights = np.array([shared, shared * np.sign(own[0, 1])])
        of.loading[rows, column] = np.clip(weights, -sqrt(1 - _LEAST_SHARE), sqrt(1 - _LEAST_SHARE))
    return of


# -- fitting --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class OrderedFit:
    """Where the search ended.

    Attributes
    ----------
    values : ndarray, shape (parameters,)
        The estimates.
    covariance : ndarray, shape (parameters, parameters)
        Theirs, robust: the weights leave the correlations among the moments out, it does not.
    chi2 : float
        The distance times the forms; no chi-square before it is adjusted.
    trace, trace_of_square : float
        Of the matrix whose eigenvalues weigh the chi-squares that it is a sum of.
    inverse : ndarray, shape (parameters, parameters)
        Of the weighted cross-products of the slopes.
    pulled : list of ndarray, each of shape (moments, parameters)
        Weighted slopes of each group.
    """

    values: Floats
    covariance: Floats
    chi2: float
    trace: float
    trace_of_square: float
    inverse: Floats
    pulled: list[Floats]


def _weights(sample: OrderedSample) -> Floats:
    return np.asarray(1 / np.diag(sample.spread))


def _distance(model: OrderedModel, values: Floats) -> float:
    return sum(
        share * float(_weights(sample) @ (sample.moments - model.reproduced(of)) ** 2)
        for share, sample, of in zip(
            model.shares, model.samples, model.matrices(values), strict=True
        )
    )


def _downhill(model: OrderedModel, values: Floats) -> tuple[Floats, Floats, list[Floats]]:
    """Return the slope downhill, its products, and the weighted slopes of the moments."""
    slope, products = np.zeros(len(values)), np.zeros((len(values), len(values)))
    pulled = []
    for group, of in enumerate(model.matrices(values)):
        sample = model.samples[group]
        at = model.slopes(group, of)
        weighted = at * _weights(sample)[:, None]
        slope += model.shares[group] * (weighted.T @ (sample.moments - model.reproduced(of)))
        products += model.shares[group] * (weighted.T @ at)
        pulled.append(weighted)
    return slope, products, pulled


def search_ordered(model: OrderedModel) -> OrderedFit:
    """Return the parameters of the least distance, by Gauss and Newton's steps.

    Raises
    ------
    AnalysisError
        With MH709 where the search comes to no end.
    """
    values = model.start()
    distance = _distance(model, values)
    hint = "are all items keyed alike, and does each factor have items that share something?"
    for _ in range(_STEPS):
        slope, products, pulled = _downhill(model, values)
        try:
            move = np.linalg.solve(products, slope)
        except np.linalg.LinAlgError:
            break
        if slope @ move < _CLOSE**2 * len(values):
            return _finished(model, values, products, pulled)
        length = 1.0
        while length > 1e-6:  # noqa: PLR2004 - no step is shorter
            tried = values + length * move
            new = _distance(model, tried)
            if new < distance:
                break
            length /= 2
        else:
            if slope @ move < 1e-12:  # noqa: PLR2004 - the distance cannot see more
                return _finished(model, values, products, pulled)
            break
        values, distance = tried, new
    return give_up(f"{len(model.names)}-factor model, {model.level}", _STEPS, hint)


def _finished(
    model: OrderedModel, values: Floats, products: Floats, pulled: list[Floats]
) -> OrderedFit:
    if np.linalg.cond(products) > 1e12:  # noqa: PLR2004 - nothing is left of double precision
        give_up(
            f"{len(model.names)}-factor model, {model.level}", _STEPS,
            "the answers do not decide every parameter: fewer factors, or other items",
        )  # fmt: skip
    inverse = np.asarray(np.linalg.inv(products), dtype=np.float64)
    count = len(values)
    spread, square = np.zeros((count, count)), np.zeros((count, count))
    moments, of_moments = 0, 0.0
    for share, sample, one in zip(model.shares, model.samples, pulled, strict=True):
        weighted = sample.spread * _weights(sample)
        spread += share * (one.T @ sample.spread @ one)
        square += share * (one.T @ weighted @ sample.spread @ one)
        moments += len(sample.moments)
        of_moments += float(np.sum(weighted * weighted.T))
    inner = inverse @ spread
    return OrderedFit(
        values=values,
        covariance=inverse @ spread @ inverse / model.freedom,
        chi2=model.freedom * _distance(model, values),
        trace=moments - float(np.trace(inner)),
        trace_of_square=of_moments
        - 2 * float(np.trace(inverse @ square))
        + float(np.sum(inner * inner.T)),
        inverse=inverse,
        pulled=pulled,
    )


def adjusted(df: float, trace: float, trace_of_square: float) -> tuple[float, float]:
    """Return scaling and shift of a test, so that mean and variance are those of a chi-square.

    The test is the distance divided by the scaling, plus the shift (Asparouhov & Muthén 2010).
    """
    per = sqrt(df / trace_of_square)
    return 1 / per, df - per * trace


def difference(
    model: OrderedModel, narrow: OrderedFit, wide: OrderedFit, df: float
) -> tuple[float, float]:
    """Return scaling and shift of the test of a model against one that holds it (Satorra 2000)."""

    def between(one: OrderedFit, other: OrderedFit) -> Floats:
        parts = [
            share * (left.T @ sample.spread @ right)
            for share, sample, left, right in zip(
                model.shares, model.samples, one.pulled, other.pulled, strict=True
            )
        ]
        return np.asarray(one.inverse @ np.sum(parts, axis=0))

    squares = [float(np.sum(of * of.T)) for of in (between(one, one) for one in (narrow, wide))]
    mixed = float(np.sum(between(narrow, wide) * between(wide, narrow).T))
    return adjusted(df, narrow.trace - wide.trace, sum(squares) - 2 * mixed)
