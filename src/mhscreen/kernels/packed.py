"""Five sums in one pass: a table per item turns a response code into five packed counters.

The counters of a scale (sum of keyed scores, lowest sum, highest sum, items answered, items
with a known score) share one 64-bit integer, so that each answer costs one gather and one
addition. Recoding, reversing, weighting and missing answers are all in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Items = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

__all__ = ["LARGEST_SUM", "MOST_ITEMS", "Counters", "max_packed", "pack", "sum_packed", "unpack"]

_SUM_BITS = 14
_COUNT_BITS = 10
LARGEST_SUM = (1 << _SUM_BITS) - 1
MOST_ITEMS = (1 << _COUNT_BITS) - 1

_SHIFTS = (0, _SUM_BITS, 2 * _SUM_BITS, 3 * _SUM_BITS, 3 * _SUM_BITS + _COUNT_BITS)
_MASKS = (LARGEST_SUM, LARGEST_SUM, LARGEST_SUM, MOST_ITEMS, MOST_ITEMS)


@dataclass(frozen=True, eq=False)
class Counters:
    """What is known of a scale, per form; all int64, shape (forms,).

    Attributes
    ----------
    value : ndarray
        Sum (or maximum) of the keyed scores of the items whose score is known.
    low, high : ndarray
        The same if every unanswered item took its lowest or its highest keyed score.
    answered : ndarray
        Items that are answered, or settled by a closed gate.
    known : ndarray
        Items with a score: answered, settled, or counted by the instrument's blank rule.
    """

    value: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    answered: NDArray[np.int64]
    known: NDArray[np.int64]


def pack(
    value: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    answered: NDArray[np.int64],
    known: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Pack five arrays of equal shape, all non-negative, into one."""
    packed = np.zeros_like(value, dtype=np.int64)
    for part, shift in zip((value, low, high, answered, known), _SHIFTS, strict=True):
        packed |= part.astype(np.int64) << shift
    return packed


def unpack(packed: NDArray[np.int64]) -> Counters:
    """Undo `pack`.

    Examples
    --------
    >>> one = [np.array([n]) for n in (3, 2, 5, 1, 1)]
    >>> int(unpack(pack(*one) + pack(*one)).high[0])
    10
    """
    parts = [(packed >> shift) & mask for shift, mask in zip(_SHIFTS, _MASKS, strict=True)]
    return Counters(*parts)


def sum_packed(codes: Items, rows: Sequence[int], tables: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add up the packed counters of some items.

    Parameters
    ----------
    codes : ndarray of uint8, shape (items, forms), or a sequence of its rows
        Response codes, one contiguous row per item.
    rows : sequence of int
        The items of the scale, as rows of `codes`.
    tables : ndarray of int64, shape (len(rows), 256)
        For each of them, packed counters by response code.

    Returns
    -------
    ndarray of int64, shape (forms,)
    """
    total = np.zeros(len(codes[0]), dtype=np.int64)
    part = np.empty_like(total)
    for row, table in zip(rows, tables, strict=True):
        np.take(table, codes[row], out=part, mode="clip")
        total += part
    return total


def max_packed(codes: Items, rows: Sequence[int], tables: NDArray[np.int64]) -> Counters:
    """Take the largest of the sums, and add up the counts, of some items.

    Parameters and shapes are those of `sum_packed`.
    """
    forms = len(codes[0])
    largest = [np.zeros(forms, dtype=np.int64) for _ in range(3)]
    counts = [np.zeros(forms, dtype=np.int64) for _ in range(2)]
    for row, table in zip(rows, tables, strict=True):
        one = unpack(np.take(table, codes[row], mode="clip"))
        for total, part in zip(largest, (one.value, one.low, one.high), strict=True):
            np.maximum(total, part, out=total)
        counts[0] += one.answered
        counts[1] += one.known
    return Counters(*largest, *counts)
