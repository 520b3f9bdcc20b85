"""Thresholds and polychoric correlations of a group, and how far they can be trusted.

What a model of ordered answers is fitted to: both in one vector, with the covariance that they
have over samples (Muthén 1984). It is made from what each form moves, block by block of forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import ProblemLog
from mhscreen.psychometrics.checks import (
    check_constant,
    check_enough,
    check_perfect,
    placed,
    refuse,
)
from mhscreen.psychometrics.polychoric import fit_pairs, influence_of_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.answers import Answers
    from mhscreen.psychometrics.polychoric import PairFit

__all__ = ["OrderedSample", "ordered_sample_of"]

_BLOCK = 2048  # forms


@dataclass(frozen=True, eq=False)
class OrderedSample:
    """One group.

    Attributes
    ----------
    name : str
        The group; empty where there is one only.
    forms : int
        Its forms.
    freedom : float
        The sum of their weights, which are 1 on average over all groups, less one.
    correlation : ndarray, shape (items, items)
        Polychoric correlations.
    thresholds : tuple of ndarray
        For each item, ascending.
    spread : ndarray, shape (moments, moments)
        The covariance of the moments over samples, times the forms: first the thresholds of all
        items, then the correlations in the order of the upper triangle.
    """

    name: str
    forms: int
    freedom: float
    correlation: NDArray[np.float64]
    thresholds: tuple[NDArray[np.float64], ...]
    spread: NDArray[np.float64]

    @property
    def moments(self) -> NDArray[np.float64]:
        """Thresholds and correlations, shape (moments,)."""
        upper = self.correlation[np.triu_indices(len(self.correlation), 1)]
        return np.concatenate([*self.thresholds, upper])

    @property
    def steps(self) -> int:
        """The number of thresholds of all items."""
        return sum(len(one) for one in self.thresholds)


def ordered_sample_of(
    name: str, answers: Answers, places: NDArray[np.int8], numbers: list[int]
) -> OrderedSample:
    """Return the moments of a group, all of whose forms are complete.

    Parameters
    ----------
    name : str
        The group.
    answers : Answers
        Its forms; weights are 1 on average over all groups.
    places : ndarray of int8, shape (items, forms)
        Category of each answer.
    numbers : list of int
        Categories of each item.

    Raises
    ------
    AnalysisError
        With MH702, MH704 or MH705, naming the group.
    """
    problems = ProblemLog()
    check_enough(answers.forms, len(answers.items) + 1, "more than there are items", problems)
    refuse(placed(problems, name))
    varied = np.array([np.ptp(row) for row in places], dtype=np.float64)
    check_constant(answers.items, varied, problems)
    refuse(placed(problems, name))
    found = ProblemLog()
    fit = fit_pairs(answers, places, max(numbers), found)
    # A correlation at its bound has no standard error, and no weight can be made of it.
    at_bound = np.where(np.isnan(fit.se), np.sign(fit.correlation), 0)
    check_perfect(answers.items, at_bound, problems)
    refuse(placed(problems, name))
    return OrderedSample(
        name=name,
        forms=answers.forms,
        freedom=float(answers.forms if answers.weights is None else answers.weights.sum()) - 1,
        correlation=fit.correlation,
        thresholds=tuple(
            row[: number - 1] for row, number in zip(fit.thresholds, numbers, strict=True)
        ),
        spread=_spread(answers, places, numbers, fit),
    )


def _spread(
    answers: Answers, places: NDArray[np.int8], numbers: list[int], fit: PairFit
) -> NDArray[np.float64]:
    """Return the covariance of the moments from what each form moves."""
    tables = [_by_category(row[: n - 1]) for row, n in zip(fit.thresholds, numbers, strict=True)]
    one, other = np.triu_indices(len(numbers), 1)
    most = max(numbers)
    rows, columns, rho = fit.thresholds[one], fit.thresholds[other], fit.correlation[one, other]
    influence = influence_of_cells(fit.shares, rows, columns, rho, observed=True)
    cells = influence.reshape(len(one), most * most)
    steps = sum(number - 1 for number in numbers)
    total = np.zeros((steps + len(one), steps + len(one)))
    for start in range(0, answers.forms, _BLOCK):
        block = places[:, start : start + _BLOCK].astype(np.intp)
        moved = np.empty((len(total), block.shape[1]))
        moved[:steps] = np.concatenate([t[:, c] for t, c in zip(tables, block, strict=True)])
        moved[steps:] = np.take_along_axis(cells, block[one] * most + block[other], axis=1)
        if answers.weights is not None:
            moved *= answers.weights[start : start + _BLOCK]
        total += moved @ moved.T
    return total / (answers.forms if answers.weights is None else answers.weights.sum())


def _by_category(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much an answer moves each threshold, shape (thresholds, categories)."""
    from scipy.special import ndtr

    steps = np.arange(len(thresholds))
    below = np.arange(len(thresholds) + 1)[None, :] <= steps[:, None]
    density = np.exp(-(thresholds**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray((below - ndtr(thresholds)[:, None]) / density[:, None])
