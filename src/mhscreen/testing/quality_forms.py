"""Forms one answer apart, from the one end of a response-quality index to the other.

They show which values an index takes next to its cut: a case on each side of the cut can then be
written, and must be, before it is called pinned. Every family is a chain in which one form differs
from the next in one answer, by one option.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels import quality as kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.quality import QualityPlan

__all__ = ["values_of"]

_DECIMALS = 12


def values_of(plan: QualityPlan, place: int, items: int) -> NDArray[np.float64]:
    """Return the values of one index over a chain of forms, rising, each once.

    Parameters
    ----------
    plan : QualityPlan
        The compiled indices of one informant's form.
    place : int
        Which of `plan.indices`.
    items : int
        How many items the form has, critical ones included.

    Returns
    -------
    ndarray of float64
        Runs of 1 to all items; shares of items; whole seconds of the form up to twice the cut;
        for the others what the chain gives.
    """
    one = plan.indices[place]
    if one.index == "longest_run":
        return np.arange(1.0, len(plan.rows) + 1)
    if one.index == "share_answered":
        return np.arange(len(plan.counting) + 1) / len(plan.counting)
    if one.index == "seconds_per_item":
        return np.arange(1, 2 * int(np.ceil(one.cut * items)) + 1) / items
    if one.index == "variability":
        found = kernel.variability(_spreading(_options(plan.place)))
    elif one.index == "even_odd":
        found = kernel.even_odd(_halves_turning(plan), plan.halves)
    else:
        expected = np.array(one.expected)
        found = kernel.person_fit(_order_turning(plan, expected), expected)
    return np.unique(found[~np.isnan(found)].round(_DECIMALS))


def _options(table: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Return the values that the answers to each item can have, rising."""
    return [np.unique(row[~np.isnan(row)]) for row in table]


def _walk(
    start: list[float], targets: list[tuple[int, float]], options: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Move one item after the other to its target, an option at a time; shape (items, forms)."""
    form = list(start)
    chain = [tuple(form)]
    for row, target in targets:
        values = options[row]
        here, there = (int(np.abs(values - v).argmin()) for v in (form[row], target))
        for option in range(here, there, 1 if there > here else -1):
            form[row] = float(values[option + (1 if there > here else -1)])
            chain.append(tuple(form))
    return np.array(chain).T


def _spreading(options: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Begin with the first option throughout, and bring every other item to its last."""
    targets = [(row, 1.0) for row in range(0, len(options), 2)]
    return _walk([0.0] * len(options), targets, options)


def _order_turning(plan: QualityPlan, expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Begin with the half that is expected most, and turn every answer round, from both ends."""
    options = _options(plan.concern)
    rising = [row for row in np.argsort(expected, kind="stable") if not np.isnan(expected[row])]
    start = [np.nan] * len(options)
    for n, row in enumerate(rising):
        start[row] = float(n >= len(rising) // 2)
    order = [row for pair in zip(rising, rising[::-1], strict=True) for row in pair][: len(rising)]
    return _walk(start, [(row, 1 - start[row]) for row in order], options)


def _halves_turning(plan: QualityPlan) -> NDArray[np.float64]:
    """Begin with halves that agree, each scale at a level of its own, and turn the second ones."""
    options = _options(plan.concern)
    start = [np.nan] * len(options)
    targets = []
    last = len(plan.halves) - 1
    for n, (first, second) in enumerate(plan.halves):
        level = n / last if last else 0.0
        for row in (*first.tolist(), *second.tolist()):
            start[row] = float(options[row][np.abs(options[row] - level).argmin()])
        targets += [(row, 1 - level) for row in second.tolist()]
    return _walk(start, targets, options)
