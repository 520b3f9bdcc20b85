"""Ways: every way of taking one form per slot, so that two forms' items are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mhscreen.steps.score import Scores

__all__ = ["Ways", "combine_forms"]

MOST_COMBINATIONS = 4096
"""More ways of combining a pupil's forms are not gone through; the pupil is then an error."""


@dataclass(frozen=True, eq=False)
class Ways:
    """Every way of taking one form per slot.

    Attributes
    ----------
    pupil : ndarray of int64, shape (ways,)
        Rising places on the roster; every pupil at least once.
    form : ndarray of int64, shape (slots, ways)
        −1 where the slot has no form.
    first : ndarray of int64, shape (pupils,)
        Each pupil's first way.
    number : ndarray of int64, shape (pupils,)
        How many ways each pupil has.
    too_many : list of int
        Pupils whose ways are not all gone through.
    """

    pupil: NDArray[np.int64]
    form: NDArray[np.int64]
    first: NDArray[np.int64]
    number: NDArray[np.int64]
    too_many: list[int]

    def of(self, pupil: int) -> range:
        """Return the ways of one pupil."""
        start = int(self.first[pupil])
        return range(start, start + int(self.number[pupil]))

    def highest(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return the maximum over each pupil's ways, along the last axis."""
        if len(self.pupil) == len(self.first):
            return values
        return np.asarray(np.maximum.reduceat(values, self.first, axis=-1))

    def any(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return whether a value is true in any of each pupil's ways."""
        return self.highest(values.astype(np.int8)).astype(bool)


def combine_forms(
    scores: Scores, truths: Callable[[int, NDArray[np.int64]], NDArray[np.int8]]
) -> Ways:
    """Return the ways of every pupil.

    Parameters
    ----------
    scores : Scores
        The scored forms.
    truths : callable
        From a slot and some of its forms to how the comparisons stand on them, shape
        (comparisons, forms).

    Returns
    -------
    Ways
        Of several forms in a slot, one on which no comparison stands further out than on
        another is left out: it can add nothing to a maximum.
    """
    pupils = len(scores.batch.roster)
    slots = range(len(scores.forms))
    several = np.unique(
        np.concatenate(
            [np.zeros(0, np.int64)]
            + [scores.batch.forms[slot].pupil[scores.ranked[slot]] for slot in slots]
        )
    )
    number = np.ones(pupils, dtype=np.int64)
    choices: dict[int, list[tuple[int, ...]]] = {}
    too_many = []
    for pupil in several.tolist():
        options = [_undominated(scores.worst_first(slot, pupil), truths, slot) for slot in slots]
        if prod(map(len, options)) > MOST_COMBINATIONS:
            too_many.append(pupil)
            longest = max(map(len, options))
            choices[pupil] = [
                tuple(o[min(place, len(o) - 1)] for o in options) for place in range(longest)
            ]
        else:
            choices[pupil] = list(product(*options))
        number[pupil] = len(choices[pupil])
    if not choices:
        every = np.arange(pupils)
        return Ways(every, scores.shown, every, number, [])
    pupil_of_way = np.repeat(np.arange(pupils), number)
    first = np.cumsum(number) - number
    form = scores.shown[:, pupil_of_way]
    for pupil, ways in choices.items():
        form[:, first[pupil] : first[pupil] + len(ways)] = np.array(ways).T
    return Ways(pupil_of_way, form, first, number, too_many)


def _undominated(
    forms: NDArray[np.int64],
    truths: Callable[[int, NDArray[np.int64]], NDArray[np.int8]],
    slot: int,
) -> list[int]:
    """Return the forms that some comparison tells from every other; −1 where there is none."""
    if len(forms) <= 1:
        return forms.tolist() or [-1]
    table = truths(slot, forms).astype(np.int64)
    kept: list[int] = []
    for place in np.argsort(-table.sum(axis=0), kind="stable").tolist():
        if not any((table[:, other] >= table[:, place]).all() for other in kept):
            kept.append(place)
    return [int(forms[place]) for place in kept]
