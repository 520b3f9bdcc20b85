"""Answers as distinct patterns with counts: what the likelihood is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Patterns", "patterns"]

_LARGEST_KEY = 2**62


@dataclass(frozen=True, eq=False)
class Patterns:
    """The distinct rows of answers.

    Attributes
    ----------
    places : ndarray of int8, shape (items, patterns)
        Category of each answer, −1 for none.
    counts : ndarray of float64, shape (patterns,)
        How many forms have the pattern.
    of_form : ndarray of int64, shape (forms,)
        The pattern of each form.
    hits : ndarray of uint8, shape (columns, patterns)
        1 where the answer is the category of the column. First the categories above the lowest,
        item after item; then, for each item that somebody left blank, whether it is answered.
    blank_items : ndarray of int64
        The items that somebody left blank.
    """

    places: NDArray[np.int8]
    counts: Floats
    of_form: NDArray[np.int64]
    hits: NDArray[np.uint8]
    blank_items: NDArray[np.int64]


def patterns(places: NDArray[np.int8], categories: Sequence[int]) -> Patterns:
    """Return the distinct patterns of answers.

    Parameters
    ----------
    places : ndarray of int8, shape (items, forms)
        Category of each answer, −1 for none.
    categories : sequence of int
        The number of categories of each item.

    Examples
    --------
    >>> found = patterns(np.array([[0, 1, 0], [1, -1, 1]], dtype=np.int8), [2, 2])
    >>> found.counts.tolist(), found.of_form.tolist(), found.blank_items.tolist()
    ([2.0, 1.0], [0, 1, 0], [1])
    >>> found.hits.tolist()
    [[0, 1], [1, 0], [1, 0]]
    """
    keys: list[NDArray[np.int64]] = []
    room = 0
    for row, number in zip(places, categories, strict=True):
        if room < number + 1:
            keys.append(np.zeros(places.shape[1], dtype=np.int64))
            room = _LARGEST_KEY
        keys[-1] *= number + 1
        keys[-1] += row + np.int64(1)
        room //= number + 1
    first, of_form, counts = _distinct(keys)
    kept = np.ascontiguousarray(places[:, first])
    blank_items = np.flatnonzero((kept < 0).any(axis=1))
    columns = [kept[item] == k for item, number in enumerate(categories) for k in range(1, number)]
    columns += [kept[item] >= 0 for item in blank_items.tolist()]
    hits = np.array(columns, dtype=np.uint8).reshape(len(columns), len(first))
    return Patterns(kept, counts.astype(np.float64), of_form, hits, blank_items)


def _distinct(
    keys: list[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the first form, the rank of each form and the count of distinct keys."""
    order = np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])
    new = np.zeros(len(order), dtype=np.bool_)
    new[:1] = True
    for key in keys:
        ordered = key[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.cumsum(new) - 1
    return order[starts], rank, np.diff(np.append(starts, len(order)))
