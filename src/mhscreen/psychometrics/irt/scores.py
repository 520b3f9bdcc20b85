"""Scores on the latent trait with given item parameters: EAP, MAP and WLE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mhscreen.problems import Problem, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.likelihood import log_normal, quadrature
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.parameters import ItemParameters
    from mhscreen.psychometrics.irt.patterns import Patterns

    Floats = NDArray[np.float64]

__all__ = ["Method", "TraitScores", "at_trait", "score_trait", "trait_of_patterns"]

Method = Literal["eap", "map", "wle"]
"""Mean or mode of the posterior (EAP, MAP); weighted likelihood, which has no prior (WLE)."""

_WORDS = {
    "eap": "expected a posteriori",
    "map": "mode of the posterior",
    "wle": "weighted likelihood (Warm 1989)",
}
_AT_A_TIME = 2048  # patterns
_MOST_ROWS = 1024  # of a table: it stays in the processor's cache
_BEFORE_NOTHING = 8  # tables whose product is far from the least number there is
_MOST_STEPS = 100
_SMALL_STEP = 1e-8
_LONGEST_STEP = 1.0
_FARTHEST = 20.0
_NEVER = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class TraitScores(Result):
    """Scores on the latent trait; arrays of shape (forms,).

    Attributes
    ----------
    theta : ndarray of float64
        The score; NaN where too few items are answered, and where no WLE was found.
    se : ndarray of float64
        Its standard error; of an EAP the standard deviation of the posterior.
    answered : ndarray of int64
        The number of answered items.
    method : str
        As in the call.
    prior : (float, float)
        Mean and standard deviation of the normal prior (not used by the WLE).
    min_answered : int
        Below it there is no score.
    problems : tuple of Problem
    """

    theta: Floats
    se: Floats
    answered: NDArray[np.int64]
    method: Method
    prior: tuple[float, float]
    min_answered: int
    problems: tuple[Problem, ...] = ()

    @property
    def reliability(self) -> float:
        """Variance of the scores over itself plus the mean error variance (empirical)."""
        there = ~np.isnan(self.theta)
        variance = float(np.var(self.theta[there], ddof=1))
        error = float(np.mean(self.se[there] ** 2))
        return variance / (variance + error) if self.method != "wle" else 1 - error / variance

    def title(self) -> str:
        """Return the method, its prior, and from how many answers on there is a score."""
        prior = "" if self.method == "wle" else ", prior N({:g}, {:g}²)".format(*self.prior)
        without = int(np.isnan(self.theta).sum())
        return (
            f"{_WORDS[self.method]}{prior}: {len(self.theta)} forms, {without} without a score "
            f"(at least {self.min_answered} answered items)"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each form."""
        return {"theta": self.theta, "se": self.se, "answered": self.answered}

    def _draw(self, ax: Axes) -> None:
        """Draw the distribution of the scores."""
        ax.hist(self.theta[~np.isnan(self.theta)], bins=40)
        ax.set(xlabel="latent trait", ylabel="forms")


def score_trait(
    answers: object,
    parameters: ItemParameters,
    *,
    method: Method = "eap",
    prior: tuple[float, float] = (0.0, 1.0),
    min_answered: int = 1,
    points: int = 61,
) -> TraitScores:
    """Score forms on the latent trait.

    Parameters
    ----------
    answers
        As for `as_answers`; of a frame the items of the parameters are read.
    parameters : ItemParameters
        Of the items.
    method : {"eap", "map", "wle"}
        How to score.
    prior : (float, float)
        Mean and standard deviation of the normal prior of EAP and MAP.
    min_answered : int
        A form with fewer answers has no score.
    points : int
        Of the trait, equally spaced over six standard deviations of the prior to either side; for
        the EAP.

    Raises
    ------
    AnalysisError
        With MH701 for an answer that has no parameters.

    Examples
    --------
    >>> from mhscreen.psychometrics.irt import take_parameters
    >>> items = take_parameters("2pl", {"q1": (2.0, [0.0]), "q2": (1.0, [1.0])})
    >>> score_trait({"q1": [0, 1, None], "q2": [0, 1, 1]}, items).theta.round(2).tolist()
    [-0.71, 0.93, 0.59]
    """
    if method not in _WORDS:
        msg = f"method is {', '.join(map(repr, _WORDS))}, not {method!r}"
        raise UsageError(msg)
    if not prior[1] > 0 or min_answered < 1:
        msg = "a positive standard deviation of the prior and min_answered of at least 1"
        raise UsageError(msg)
    taken = as_answers(answers, parameters.items)
    if method == "eap":
        places = parameters.places(taken)
        found = _eap(places, parameters, prior, points)
        answered = np.add.reduce(places >= 0, axis=0, dtype=np.int16).astype(np.int64)
    else:
        patterns = parameters.patterns(taken)
        of_pattern = trait_of_patterns(patterns, parameters, method=method, prior=prior)
        found = Trait(*(values[patterns.of_form] for values in of_pattern))
        answered = (patterns.places >= 0).sum(axis=0)[patterns.of_form]
    enough = answered >= min_answered
    theta, se = (np.where(enough, values, np.nan) for values in found)
    lost = int(np.isnan(theta).sum() - np.sum(~enough))
    problems = (
        ()
        if not lost
        else (Problem("MH709", f"no score was found for {lost} forms", hint="use 'eap' or 'map'"),)
    )
    return TraitScores(theta, se, answered, method, prior, min_answered, problems)


class Trait(NamedTuple):
    """Scores of patterns; float64, shape (patterns,)."""

    theta: Floats
    se: Floats


def trait_of_patterns(
    patterns: Patterns,
    parameters: ItemParameters,
    *,
    method: Method,
    prior: tuple[float, float],
    points: int = 61,
) -> Trait:
    """Return the score of each pattern; NaN where no WLE was found."""
    theta, se = _eap(patterns.places, parameters, prior, points)
    if method == "eap":
        return Trait(theta, se)
    for first in range(0, len(theta), _AT_A_TIME):
        block = slice(first, first + _AT_A_TIME)
        theta[block], se[block] = _climbed(
            patterns.places[:, block], parameters, theta[block], prior, method
        )
    return Trait(theta, se)


def _eap(
    places: NDArray[np.int8], parameters: ItemParameters, prior: tuple[float, float], number: int
) -> Trait:
    """Return the EAP of forms, without an exponential for any of them.

    The likelihood of some items is one table, with a row for each way to answer them; that of a
    form is the product of the rows it needs.
    """
    points = prior[0] + prior[1] * quadrature(number)
    parts = _likelihoods(places, parameters, points)
    basis = np.exp(log_normal(points, *prior))[:, None] * points[:, None] ** np.arange(3)
    moments = np.empty((places.shape[1], 3))
    width = max(1, min(_AT_A_TIME, places.shape[1]))
    room, row = np.empty((width, number)), np.empty((width, number))
    for start in range(0, places.shape[1], width):
        block = slice(start, min(start + width, places.shape[1]))
        whole, one = room[: block.stop - start], row[: block.stop - start]
        np.take(parts[0][1], parts[0][0][block], axis=0, out=whole, mode="clip")
        for count, (keys, table) in enumerate(parts[1:], 1):
            whole *= np.take(table, keys[block], axis=0, out=one, mode="clip")
            if not count % _BEFORE_NOTHING:
                whole /= whole.max(axis=1, keepdims=True)
        np.matmul(whole, basis, out=moments[block])
    mean = moments[:, 1] / moments[:, 0]
    variance = moments[:, 2] / moments[:, 0] - mean**2
    return Trait(mean, np.sqrt(np.maximum(variance, 0.0)))


def _likelihoods(
    places: NDArray[np.int8], parameters: ItemParameters, points: Floats
) -> list[tuple[NDArray[np.int16], Floats]]:
    """Return, for some items at a time, each form's row and the table, (rows, points)."""
    parts: list[tuple[NDArray[np.int16], Floats]] = []
    for mine, chances in zip(places, parameters.chances(points), strict=True):
        own = np.vstack([np.zeros(len(points)), np.log(chances).T])  # a blank says nothing
        if not parts or len(parts[-1][1]) * len(own) > _MOST_ROWS:
            parts.append((np.zeros(places.shape[1], dtype=np.int16), np.zeros((1, len(points)))))
        keys, table = parts[-1]
        keys *= len(own)
        keys += mine
        keys += 1
        parts[-1] = (keys, (table[:, None] + own).reshape(-1, len(points)))
    return [(keys, np.exp(table - table.max(axis=1, keepdims=True))) for keys, table in parts]


class AtTrait(NamedTuple):
    """Patterns, each at its own value of the trait; float64, shape (patterns,)."""

    slope: Floats
    """Of the log-likelihood."""
    bend: Floats
    """Minus its second derivative."""
    information: Floats
    """Fisher's."""
    tilt: Floats
    """Σ P′P″ / P over items and categories: what Warm's correction needs."""


def at_trait(places: NDArray[np.int8], parameters: ItemParameters, theta: Floats) -> AtTrait:
    """Return the derivatives of the log-likelihood, each pattern at its own trait.

    Parameters
    ----------
    places : ndarray of int8, shape (items, patterns)
        Category of each answer, −1 for none.
    parameters : ItemParameters
        Of the items.
    theta : ndarray of float64, shape (patterns,)
        The trait.
    """
    whole = np.zeros((4, len(theta)))
    rows = np.arange(len(theta))
    for answers, slope, steps in zip(places, parameters.slopes, parameters.intercepts, strict=True):
        x = slope * theta[:, None] + steps
        p = models.chances(parameters.model, x)
        first = slope * models.log_slopes(parameters.model, x, p).sum(axis=-1)
        second = slope**2 * models.second_slopes(parameters.model, x, p)
        there = answers >= 0
        mine = np.where(there, answers, 0)
        own = first[rows, mine]
        whole += there * np.stack(
            [
                own,
                own**2 - second[rows, mine],
                (p * first**2).sum(axis=1),
                (p * first * second).sum(axis=1),
            ]
        )
    return AtTrait(*whole)


def _climbed(
    places: NDArray[np.int8],
    parameters: ItemParameters,
    theta: Floats,
    prior: tuple[float, float],
    method: Method,
) -> Trait:
    """Return MAP or WLE of patterns, by Fisher scoring from `theta`."""
    theta = theta.copy()
    open_ = np.arange(len(theta))
    for _ in range(_MOST_STEPS):
        here = at_trait(places[:, open_], parameters, theta[open_])
        if method == "map":
            uphill = here.slope - (theta[open_] - prior[0]) / prior[1] ** 2
            step = uphill / (here.information + prior[1] ** -2)
        else:
            known = np.maximum(here.information, _NEVER)
            step = (here.slope + 0.5 * here.tilt / known) / known
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        theta[open_] += step
        open_ = open_[(np.abs(step) > _SMALL_STEP) & (np.abs(theta[open_]) < _FARTHEST)]
        if not len(open_):
            break
    theta[open_] = np.nan
    theta[np.abs(theta) >= _FARTHEST] = np.nan
    there = ~np.isnan(theta)
    here = at_trait(places, parameters, np.where(there, theta, 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        se = 1.0 / np.sqrt(here.bend + prior[1] ** -2 if method == "map" else here.information)
    return Trait(theta, np.where(there, se, np.nan))
