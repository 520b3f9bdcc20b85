"""A directory: where rows of words first stand, found for a million others at a time.

A hash table in arrays. Rows whose place in it is taken by others go on to a further table, so
that each table is filled and read in a few passes and nothing depends on the hash being perfect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Directory"]

_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, and without a pattern in its bits: the golden ratio
_HALF = np.uint64(32)
_BITS = 64
_BLOCK = 1 << 14


class Directory:
    """Finds equal rows.

    Parameters
    ----------
    words : ndarray of uint64, shape (words, rows)
        The rows that are to be found; some may be equal.

    Attributes
    ----------
    first : ndarray of int32, shape (rows,)
        The first row that each is equal to: often itself.

    Examples
    --------
    >>> known = Directory(np.array([[7, 8, 7]], dtype=np.uint64))
    >>> known.first.tolist(), known.find(np.array([[8, 9]], dtype=np.uint64)).tolist()
    ([0, 1, 0], [1, -1])
    """

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words
        self._tables: list[NDArray[np.int32]] = []
        self.first = np.arange(words.shape[1], dtype=np.int32)
        left = self.first.copy()
        while len(left):
            here = words if len(left) == words.shape[1] else words[:, left]
            slot = _slots(here, len(self._tables), size := _bits(len(left)))
            table = np.full(1 << size, -1, dtype=np.int32)
            table[slot[::-1]] = left[::-1]  # of several the first one stays
            winner = table[slot]
            equal = self._equal(winner, here)
            self.first[left[equal]] = winner[equal]
            self._tables.append(table)
            left = left[~equal]

    def find(self, words: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return the first row equal to each; −1 for none.

        Parameters
        ----------
        words : ndarray of uint64, shape (words, any number)
        """
        found = np.full(words.shape[1], -1, dtype=np.int32)
        for start in range(0, len(found), _BLOCK):
            block = slice(start, start + _BLOCK)
            self._find(words[:, block], found[block])
        return found

    def _find(self, words: NDArray[np.uint64], found: NDArray[np.int32]) -> None:
        """Write the first row equal to each, where there is one."""
        left = np.arange(words.shape[1], dtype=np.int32)
        for number, table in enumerate(self._tables):
            wanted = words if len(left) == words.shape[1] else words[:, left]
            place = table[_slots(wanted, number, len(table).bit_length() - 1)]
            equal = (place >= 0) & self._equal(place, wanted)
            found[left[equal]] = place[equal]
            left = left[(place >= 0) & ~equal]  # an empty place: no such row
            if not len(left):
                break

    def _equal(self, rows: NDArray[np.int32], words: NDArray[np.uint64]) -> NDArray[np.bool_]:
        equal = np.ones(len(rows), dtype=bool)
        for known, wanted in zip(self._words, words, strict=True):
            equal &= known.take(rows, mode="wrap") == wanted
        return equal


def _slots(words: NDArray[np.uint64], table: int, bits: int) -> NDArray[np.int32]:
    """Return the place of each row in one of the tables."""
    slots = np.empty(words.shape[1], dtype=np.int32)
    for start in range(0, len(slots), _BLOCK):
        part = words[:, start : start + _BLOCK]
        mixed = np.full(part.shape[1], 2 * table + 1, dtype=np.uint64)
        for word in part:
            mixed ^= word
            mixed *= _MIX
            mixed ^= mixed >> _HALF
        mixed *= _MIX
        slots[start : start + _BLOCK] = mixed >> np.uint64(_BITS - bits)
    return slots


def _bits(rows: int) -> int:
    """Return how many bits number the places of a table four to eight times as long."""
    return max(rows.bit_length() + 2, 4)
