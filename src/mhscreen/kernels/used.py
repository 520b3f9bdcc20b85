"""Which of a few numbers many rows use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.lookup import gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["number_used"]


def number_used(
    numbers: NDArray[np.unsignedinteger], most: int
) -> tuple[NDArray[np.int64], NDArray[np.unsignedinteger]]:
    """Return which numbers are used, and for each row its place among them.

    Parameters
    ----------
    numbers : ndarray of unsigned integers, shape (rows,)
    most : int
        All of them are below it.

    Returns
    -------
    used : ndarray of int64
        Every number that is used, ascending.
    places : ndarray of unsigned integers, shape (rows,)

    Examples
    --------
    >>> used, places = number_used(np.array([7, 3, 7], dtype=np.uint16), 9)
    >>> used.tolist(), places.tolist()
    ([3, 7], [1, 0, 1])
    """
    seen = np.zeros(most, dtype=bool)
    seen[numbers] = True
    used = np.flatnonzero(seen)
    place = np.zeros(most, dtype=np.min_scalar_type(len(used)))
    place[used] = np.arange(len(used))
    return used, gather(place, numbers)
