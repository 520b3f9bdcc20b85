"""All sums of a few forms at once: for a class, where each call to NumPy costs more than its work.

Looking up every answer of every scale in one long table, and adding up what belongs together, are
four calls, however many items there are. For many forms `mhscreen.kernels.byte_sums` does the
same in a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["FlatSums", "add_flat", "compile_flat_sums"]

_CODES = 256


@dataclass(frozen=True, eq=False)
class FlatSums:
    """Items of several sums, one after the other.

    Attributes
    ----------
    keys : tuple of int
        The key of each sum.
    rows : ndarray of intp, shape (items,)
        The items of all sums, as rows of the response codes.
    table : ndarray of uint16, shape (items * 256,)
        The number of each response code of each of them.
    first : ndarray of intp, shape (items, 1)
        Where the numbers of each begin.
    starts : ndarray of intp, shape (sums,)
        Where the items of each sum begin.
    narrow : int
        How many sums fit in a byte: the first.
    """

    keys: tuple[int, ...]
    rows: NDArray[np.intp]
    table: NDArray[np.uint16]
    first: NDArray[np.intp]
    starts: NDArray[np.intp]
    narrow: int


def compile_flat_sums(
    sums: Mapping[int, tuple[Sequence[int], Sequence[NDArray[np.unsignedinteger]]]],
) -> FlatSums:
    """Put the items of several sums one after the other.

    Parameters
    ----------
    sums : mapping of int to (rows, tables)
        By key, the items of a sum and the number of each response code of each, of the type that
        the sum has.
    """
    sums = dict(sorted(sums.items(), key=lambda one: one[1][1][0].dtype.itemsize))
    lengths = [len(rows) for rows, _ in sums.values()]
    rows = [row for rows, _ in sums.values() for row in rows]
    tables = [table for _, tables in sums.values() for table in tables]
    return FlatSums(
        tuple(sums),
        np.array(rows, dtype=np.intp),
        np.array(tables, dtype=np.uint16).reshape(-1),
        _CODES * np.arange(len(rows), dtype=np.intp)[:, None],
        np.cumsum([0, *lengths[:-1]], dtype=np.intp),
        sum(tables[0].dtype == np.uint8 for _, tables in sums.values()),
    )


def add_flat(sums: FlatSums, codes: NDArray[np.uint8]) -> dict[int, NDArray[np.unsignedinteger]]:
    """Return all sums of some forms by key, each of shape (forms,).

    Parameters
    ----------
    codes : ndarray of uint8, shape (items, forms)
        Response codes.

    Examples
    --------
    >>> one, two = np.arange(256, dtype=np.uint8), np.arange(0, 512, 2, dtype=np.uint16)
    >>> sums = compile_flat_sums({7: ([0, 1], [two, two]), 8: ([1], [one])})
    >>> codes = np.array([[1, 5], [3, 4]], dtype=np.uint8)
    >>> {key: one.tolist() for key, one in add_flat(sums, codes).items()}
    {8: [3, 4], 7: [8, 18]}
    """
    if not sums.keys:
        return {}
    numbers = sums.table.take(codes.take(sums.rows, axis=0) + sums.first)
    found = np.add.reduceat(numbers, sums.starts, axis=0, dtype=np.uint16)
    rows = [*found[: sums.narrow].astype(np.uint8), *found[sums.narrow :]]
    return dict(zip(sums.keys, rows, strict=True))
