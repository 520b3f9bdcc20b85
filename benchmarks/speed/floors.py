"""What no program can do without: reading the answers once, and writing the results once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from battery import SLOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.steps.bind import ResponseBatch

__all__ = ["floor_of", "sheet"]


def sheet(batch: ResponseBatch) -> list[NDArray[np.uint8]]:
    """Return by slot the codes of the items that stand on the sheet."""
    return [
        np.ascontiguousarray(forms.codes[:number])
        for forms, number in zip(batch.forms, SLOTS.values(), strict=True)
    ]


def floor_of(
    read: Sequence[NDArray[np.uint8]], pupils: int, results: Sequence[type | str]
) -> Callable[[], None]:
    """Return the work of reading some arrays and writing others, into memory that is in use.

    Parameters
    ----------
    read : sequence of ndarray of uint8
        Are gone through once, at the speed of NumPy's maximum.
    pupils : int
        The length of each result.
    results : sequence of dtype
        One for each array that is filled.
    """
    arrays = [np.zeros(pupils, dtype=kind) for kind in results]

    def work() -> None:
        for one in read:
            one.max(initial=0)
        for array in arrays:
            array.fill(1)

    return work
