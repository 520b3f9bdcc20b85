"""The receiver operating characteristic of a score: arrays in, arrays out.

A score of a questionnaire takes few distinct values, so everything is worked out on the counts of
cases and of others at each value. A bootstrap draws those counts at once (a multinomial for the
cases and one for the others): the same distribution as drawing pupils one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = [
    "Tally",
    "area",
    "components",
    "delong_covariance",
    "delong_variance",
    "resample",
    "sensitivity",
    "specificity",
    "tally",
]


class Tally(NamedTuple):
    """Cases and others at each distinct score; arrays of shape (values,)."""

    values: Floats
    """The distinct scores, from the least concerning to the most."""
    cases: Floats
    """How many with the condition have each; they need not be whole numbers."""
    others: Floats
    """How many without it."""


def tally(score: Floats, case: Bools, *, lower_is_worse: bool = False) -> Tally:
    """Count cases and others at each score.

    Parameters
    ----------
    score : ndarray of float64, shape (pupils,)
        Without NaN.
    case : ndarray of bool, shape (pupils,)
        Who has the condition.
    lower_is_worse : bool
        Whether low scores are the concerning ones; then `values` fall.

    Examples
    --------
    >>> tally(np.array([1.0, 2, 2]), np.array([False, True, False])).cases.tolist()
    [0.0, 1.0]
    """
    values, place = np.unique(score, return_inverse=True)
    cases = np.bincount(place[case], minlength=len(values)).astype(np.float64)
    everybody = np.bincount(place, minlength=len(values)).astype(np.float64)
    found = Tally(values, cases, everybody - cases)
    return Tally(*(column[::-1].copy() for column in found)) if lower_is_worse else found


def sensitivity(cases: Floats) -> Floats:
    """Return the share of cases at or beyond each value, along the last axis."""
    beyond = np.cumsum(cases[..., ::-1], axis=-1)[..., ::-1]
    shares: Floats = beyond / beyond[..., :1]
    return shares


def specificity(others: Floats) -> Floats:
    """Return the share of others short of each value, along the last axis."""
    up_to = np.cumsum(others, axis=-1)
    shares: Floats = (up_to - others) / up_to[..., -1:]
    return shares


def components(cases: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Return for each value how it stands to the other group, ties counting half.

    Returns
    -------
    of_cases, of_others : ndarray of float64, same shape
        For a case at that value: the share of others short of it. For one without the condition:
        the share of cases beyond it.
    """
    short = np.cumsum(others, axis=-1)
    beyond = np.cumsum(cases[..., ::-1], axis=-1)[..., ::-1]
    of_cases = (short - others / 2) / short[..., -1:]
    of_others = (beyond - cases / 2) / beyond[..., :1]
    return of_cases, of_others


def area(cases: Floats, others: Floats) -> Floats:
    """Return the area under the curve, along the last axis, ties counting half.

    Examples
    --------
    >>> area(np.array([0.0, 1, 1]), np.array([2.0, 1, 0])).round(4).item()
    0.9167
    """
    of_cases, _ = components(cases, others)
    found: Floats = (cases * of_cases).sum(axis=-1) / cases.sum(axis=-1)
    return found


def delong_variance(cases: Floats, others: Floats) -> float:
    """Return the variance of the area (DeLong, DeLong and Clarke-Pearson 1988).

    Returns
    -------
    float
        NaN with fewer than two cases or two others.
    """
    of_cases, of_others = components(cases, others)
    return sum(
        _mean_variance(part, counts) for part, counts in ((of_cases, cases), (of_others, others))
    )


def _mean_variance(values: Floats, counts: Floats) -> float:
    n = counts.sum()
    if n <= 1:
        return float("nan")
    mean = (counts * values).sum() / n
    return float((counts * (values - mean) ** 2).sum() / (n - 1) / n)


def delong_covariance(scores: Floats, case: Bools) -> tuple[Floats, Floats]:
    """Return the areas of several scores of the same pupils, and their covariance.

    Parameters
    ----------
    scores : ndarray of float64, shape (scores, pupils)
        Higher is worse.
    case : ndarray of bool, shape (pupils,)

    Returns
    -------
    areas : ndarray of float64, shape (scores,)
    covariance : ndarray of float64, shape (scores, scores)
    """
    of_cases, of_others = [], []
    for score in scores:
        counts = tally(score, case)
        place = np.searchsorted(counts.values, score)
        by_case, by_other = components(counts.cases, counts.others)
        of_cases.append(by_case[place[case]])
        of_others.append(by_other[place[~case]])
    first, second = np.array(of_cases), np.array(of_others)
    covariance = np.cov(first) / first.shape[1] + np.cov(second) / second.shape[1]
    return first.mean(axis=1), np.atleast_2d(covariance)


def resample(counts: Tally, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw cases among the cases and others among the others.

    Returns
    -------
    cases, others : ndarray of float64, shape (draws, values)
    """
    drawn = [
        rng.multinomial(int(column.sum()), column / column.sum(), size=draws).astype(np.float64)
        for column in (counts.cases, counts.others)
    ]
    return drawn[0], drawn[1]
