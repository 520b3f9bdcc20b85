"""Tables as they come in: named columns of distinct values, before anything is understood.

A dataframe or a file becomes a `Table` at the edge (`mhscreen.frames`, `mhscreen.interop`), so
that no step knows dataframes exist. Columns are dictionary-encoded: what a cell means is then
decided once per distinct value, not once per cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["BrokenRow", "Column", "Table", "encode"]

Cell = object
"""A str, int, float, bool, date, datetime, or None for an empty cell; as found."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    index : ndarray of int32, shape (rows,)
        Which of `values` stands in each row; −1 where the cell is empty.
    values : tuple
        The distinct cells, as found (str, int, float, bool, date or datetime).
    """

    index: NDArray[np.int32]
    values: tuple[Cell, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    def cells(self) -> list[Cell]:
        """Return every cell, None where empty."""
        lookup = [*self.values, None]
        return [lookup[i] for i in self.index.tolist()]


@dataclass(frozen=True)
class BrokenRow:
    """A row that could not be read; `subject` is the reference it seems to name, or empty."""

    row: int
    subject: str = ""


@dataclass(frozen=True)
class Table:
    """Named columns of equal length.

    Attributes
    ----------
    name : str
        What messages call it: the file's name, or the key under which a frame was given.
    columns : dict of str to Column
        In the order found. Headings are as found.
    rows : int
        The number of rows.
    row_numbers : ndarray of int64 or None
        One-based row numbers for messages, where rows were left out in reading; None: 1, 2, ….
    broken_rows : tuple of BrokenRow
        Rows that were left out.
    """

    name: str
    columns: Mapping[str, Column]
    rows: int
    row_numbers: NDArray[np.int64] | None = None
    broken_rows: tuple[BrokenRow, ...] = ()

    def row_number(self, row: int) -> int:
        """Return the one-based number that a message gives for a zero-based row."""
        return int(row + 1 if self.row_numbers is None else self.row_numbers[row])


def encode(cells: Iterable[Cell]) -> Column:
    """Encode plain Python cells.

    None and NaN are empty cells.

    Examples
    --------
    >>> encode([1, None, 1, 2]).index.tolist()
    [0, -1, 0, 1]
    """
    places: dict[tuple[type, Cell], int] = {}
    index = []
    for cell in cells:
        if cell is None or cell != cell:  # noqa: PLR0124 - NaN is the one value unequal to itself
            index.append(-1)
        else:
            index.append(places.setdefault((type(cell), cell), len(places)))
    return Column(np.array(index, dtype=np.int32), tuple(cell for _, cell in places))
