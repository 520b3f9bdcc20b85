"""One small number that tells several sums apart.

Each part of a sum contributes one of few vectors: an item its score, its bounds and whether it
was answered. Here every vector gets a number, so that the sum of the numbers is another one for
every other sum of the vectors. Adding one small number then does what adding them all would do,
and whatever follows from the sums is a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["SumCode", "encode_sums", "smallest_type"]


@dataclass(frozen=True, eq=False)
class SumCode:
    """Numbers for the vectors of each part, and what their sums stand for.

    Attributes
    ----------
    numbers : tuple of ndarray of int64, each of shape (vectors,)
        By part, the number of each vector.
    sums : ndarray of int64, shape (size, width)
        By sum of numbers, the sum of the vectors.
    reachable : ndarray of bool, shape (size,)
        Where there is such a sum; elsewhere `sums` says nothing.
    first : ndarray of int64, shape (parts, width)
        By part, the smallest of each component.
    weights : ndarray of int64, shape (width,)
        What each component, above the smallest, adds to a number; 0 for one that follows from
        the others.
    """

    numbers: tuple[NDArray[np.int64], ...]
    sums: NDArray[np.int64]
    reachable: NDArray[np.bool_]
    first: NDArray[np.int64]
    weights: NDArray[np.int64]

    def numbers_of(self, sums: NDArray[np.int64], parts: Sequence[int]) -> NDArray[np.int64]:
        """Return the numbers of sums over some of the parts; shape (sums,)."""
        numbers: NDArray[np.int64] = (sums - self.first[list(parts)].sum(axis=0)) @ self.weights
        return numbers


def encode_sums(parts: Sequence[NDArray[np.int64]], most: int) -> SumCode | None:
    """Give the vectors of each part numbers whose sums tell the sums of the vectors apart.

    Components that follow from the others (the items that are open from the span of the bounds,
    where all items span the same) take no room; the rest are digits of a number, each with a
    base of its own.

    Parameters
    ----------
    parts : sequence of ndarray of int64, each of shape (vectors, width)
        Each part contributes one of its vectors to the sum.
    most : int
        How many sums of numbers there may be.

    Returns
    -------
    SumCode or None
        None where so many are not enough.

    Examples
    --------
    >>> item = np.array([[0, 0], [1, 0], [2, 0], [0, 1]])  # a score; how many are blank
    >>> code = encode_sums([item, item], 256)
    >>> [one.tolist() for one in code.numbers]
    [[0, 1, 2, 5], [0, 1, 2, 5]]
    >>> code.sums[1 + 5].tolist(), code.sums[2 + 2].tolist()
    ([1, 1], [4, 0])
    """
    first = np.array([part.min(axis=0) for part in parts])
    above = [part - low for part, low in zip(parts, first, strict=True)]
    every = np.unique(np.concatenate(above), axis=0)
    digits = _independent(every)
    bases = np.array([part[:, digits].max(axis=0) for part in above]).sum(axis=0) + 1
    places = np.cumprod([1, *bases[:-1]])
    weights = np.zeros(every.shape[1], dtype=np.int64)
    weights[digits] = places
    numbers = tuple(part @ weights for part in above)
    size = 1 + sum(int(one.max()) for one in numbers)
    if size > most:
        return None
    # Whole numbers, small enough for the nearest one to be the solution.
    follows = np.linalg.lstsq(every[:, digits].astype(float), every.astype(float), rcond=None)[0]
    values = np.arange(size)[:, None] // places % bases
    sums = np.rint(values @ follows).astype(np.int64) + first.sum(axis=0)
    return SumCode(numbers, sums, _reachable(numbers, size), first, weights)


def smallest_type(size: int) -> type[np.unsignedinteger]:
    """Return the smallest type for places in an array.

    Examples
    --------
    >>> smallest_type(256).__name__, smallest_type(257).__name__
    ('uint8', 'uint16')
    """
    return next(t for t in (np.uint8, np.uint16, np.uint32) if size - 1 <= np.iinfo(t).max)


def _independent(vectors: NDArray[np.int64]) -> list[int]:
    """Return the first components from which all others follow."""
    found: list[int] = []
    for place in range(vectors.shape[1]):
        if np.linalg.matrix_rank(vectors[:, [*found, place]]) > len(found):
            found.append(place)
    return found or [0]


def _reachable(numbers: Sequence[NDArray[np.int64]], size: int) -> NDArray[np.bool_]:
    """Return which sums there are; a set of numbers is a whole number with these bits."""
    found = 1
    for one in numbers:
        steps = set(one.tolist())
        found, before = 0, found
        for step in steps:
            found |= before << step
    raw = found.to_bytes(-(-size // 8), "little")
    return np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")[:size].astype(bool)
