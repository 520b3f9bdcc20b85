"""Bounds to reliability that rest on no model, and reliability from two halves."""

from __future__ import annotations

from itertools import combinations
from math import comb, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import (
    check_perfect,
    check_positive_definite,
    give_up,
    refuse,
)
from mhscreen.psychometrics.coefficients import Coefficient, look_at_sum, reliability_of
from mhscreen.psychometrics.factoring import squared_multiple
from mhscreen.psychometrics.moments import moments
from mhscreen.psychometrics.resampling import random_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import MissingPolicy
    from mhscreen.psychometrics.coefficients import Reliability

__all__ = ["bound_reliability", "split_halves"]

_MOST_SPLITS = 25_000
_SPLITS_DRAWN = 10_000
_STEPS = 500
_GAP = 1e-8
_CENTRED = 1e-4
_NEAR = 0.05  # the squared decrement from which whole Newton steps are safe


def bound_reliability(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
) -> Reliability:
    """Return the greatest lower bound to the reliability of the sum, and Guttman's lambda 2 and 6.

    The bound is the least reliability that any split of each variance into true and error part
    allows; it is exact (a semidefinite programme, with its duality gap checked). In a sample it
    comes out too high, the more so the fewer forms and the more items: by several hundredths
    below a thousand forms (ten Berge & Sočan 2004).

    Parameters
    ----------
    answers, items, weights, missing
        As for `estimate_alpha`.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706, MH710).

    References
    ----------
    Bentler PM, Woodward JA (1980). Psychometrika 45, 249-267. Ten Berge JMF, Sočan G (2004).
    Psychometrika 69, 613-625. Guttman L (1945). Psychometrika 10, 255-282.
    """
    found = moments(as_answers(answers, items, weights=weights), missing=missing)
    log = look_at_sum(found)
    check_perfect(found.items, found.correlation, log)
    check_positive_definite(found.correlation, log)
    refuse(log)
    covariance = found.covariance
    total = covariance.sum()
    variances = np.diag(covariance)
    apart = covariance - np.diag(variances)
    count = len(variances)
    lambda_2 = (apart.sum() + sqrt(count / (count - 1) * np.sum(apart**2))) / total
    lambda_6 = 1 - np.sum(variances * (1 - squared_multiple(found.correlation))) / total
    bound = 1 - float(_largest_errors(covariance).sum()) / total
    log.add(
        "MH714",
        f"the greatest lower bound rests on {found.n:.0f} forms",
        path="greatest_lower_bound",
        hint="below some thousand forms it is too high by hundredths: report omega beside it",
    )
    return reliability_of(
        found,
        (
            Coefficient("lambda_2", float(lambda_2)),
            Coefficient("lambda_6", float(lambda_6)),
            Coefficient("greatest_lower_bound", bound),
        ),
        nan,
        log,
    )


def split_halves(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    seed: int | np.random.Generator | None = None,
) -> Reliability:
    """Return reliabilities from two halves (Guttman's lambda 4), by order and over all splits.

    ``odd_even`` and ``first_second`` split by the order of the items. ``split_mean``,
    ``split_least`` and ``split_most`` are over all splits into equal halves (sizes differ by one
    where the number of items is odd), or over 10,000 drawn ones beyond 18 items.

    Parameters
    ----------
    answers, items, weights, missing
        As for `estimate_alpha`.
    seed : int or Generator, optional
        For more than 18 items; without one only the splits by order are given.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH705, MH710).

    References
    ----------
    Guttman L (1945). A basis for analyzing test-retest reliability. Psychometrika 10, 255-282.
    """
    found = moments(as_answers(answers, items, weights=weights), missing=missing)
    log = look_at_sum(found, copies=True)
    count = len(found.items)
    order = np.arange(count)
    by_order = np.where(np.stack([order % 2 == 0, order < (count + 1) // 2]), 1.0, -1.0)
    odd_even, first_second = _of_splits(found.covariance, by_order)
    coefficients = [
        Coefficient("odd_even", float(odd_even)),
        Coefficient("first_second", float(first_second)),
    ]
    sides = _splits(count, seed)
    if sides is not None:
        over = _of_splits(found.covariance, sides)
        coefficients += [
            Coefficient("split_mean", float(over.mean())),
            Coefficient("split_least", float(over.min())),
            Coefficient("split_most", float(over.max())),
        ]
        log.add(
            "MH714",
            f"the best of {len(sides)} splits was chosen on {found.n:.0f} forms",
            path="split_most",
            hint="a split that is chosen after the fact comes out too high: quote split_mean",
        )
    return reliability_of(found, tuple(coefficients), nan, log)


# -- parts ----------------------------------------------------------------------------------------


def _largest_errors(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the error variances of largest sum that leave no negative variance.

    Maximise the sum of e with S − diag(e) positive definite and e > 0, by a logarithmic barrier:
    at the centre for a weight m the sum is within 2 k m of the largest.
    """
    count = len(covariance)
    unit = float(np.trace(covariance)) / count
    scaled = covariance / unit
    errors = np.full(count, float(np.linalg.eigvalsh(scaled)[0]) / 2)
    barrier = float(errors[0])
    for _ in range(_STEPS):
        inverse = np.linalg.inv(scaled - np.diag(errors))
        slope = 1 - barrier * (np.diag(inverse) - 1 / errors)
        bend = barrier * (inverse**2 + np.diag(1 / errors**2))
        move = np.linalg.solve(bend, slope)
        gain = float(slope @ move) / barrier  # the squared Newton decrement of the barrier
        if gain < _CENTRED:
            if 2 * count * barrier < _GAP * count:
                return errors * unit
            barrier /= 5
            continue
        # A step of this length stays inside whatever the Hessian does (self-concordance).
        errors = errors + move / (1 + sqrt(gain) if gain > _NEAR else 1)
    return give_up("greatest lower bound", _STEPS, "leave out items that are nearly copies")


def _splits(count: int, seed: int | np.random.Generator | None) -> NDArray[np.float64] | None:
    """Return splits as rows of 1 and −1: all of them, drawn ones, or None without a seed."""
    half = count // 2
    every = comb(count, half) // (2 if count % 2 == 0 else 1)
    if every <= _MOST_SPLITS:
        chosen = [one for one in combinations(range(count), half) if count % 2 or one[0] == 0]
        sides = np.ones((len(chosen), count))
        sides[np.arange(len(chosen))[:, None], np.array(chosen)] = -1
        return sides
    if seed is None:
        return None
    rng = random_numbers(seed, "split_halves")
    sides = np.where(np.arange(count) < half, -1.0, 1.0)
    return rng.permuted(np.tile(sides, (_SPLITS_DRAWN, 1)), axis=1)


def _of_splits(covariance: NDArray[np.float64], sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return lambda 4 of each split: four times the covariance of the halves over the variance."""
    apart: NDArray[np.float64] = np.einsum(
        "si,si->s", sides @ covariance, sides
    )  # variance of the difference
    return np.asarray(1 - apart / covariance.sum())
