"""Tables as they come in: named columns of distinct values, before anything is understood.

A dataframe or a file becomes a `Table` at the edge (`mhscreen.frames`, `mhscreen.interop`), so
that no step knows dataframes exist. Columns are dictionary-encoded: what a cell means is then
decided once per distinct value, not once per cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.steps.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "BrokenRow",
    "Column",
    "Table",
    "concatenate",
    "concatenate_columns",
    "distinct",
    "encode",
    "slice_rows",
    "take_rows",
]

_FEW = 64  # distinct cells that may be carried along though they do not stand in any row

Cell = object
"""A str, int, float, bool, date, datetime, or None for an empty cell; as found."""


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """One column.

    Attributes
    ----------
    index : ndarray of int32, or of int8 for small whole numbers, shape (rows,)
        Which of `values` stands in each row; −1 where the cell is empty.
    values : sequence
        The cells as found (str, int, float, bool, date or datetime): a tuple of distinct ones, of
        which a whole number may stand in no row; or `Texts`, where almost every cell is another.
    """

    index: NDArray[np.int32] | NDArray[np.int8]
    values: Sequence[Cell]

    def __repr__(self) -> str:
        return f"<Column: {len(self)} rows>"

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    def cells(self) -> list[Cell]:
        """Return every cell, None where empty."""
        lookup = [*self.values, None]
        return [lookup[i] for i in self.index.tolist()]


@dataclass(frozen=True)
class BrokenRow:
    """A row that could not be read, or not all of it.

    Attributes
    ----------
    row : int
        One-based, as messages count.
    subject : str
        The reference it seems to name, as `mhscreen.steps.cells.parse_text` gives it, or empty.
    guessed : bool
        Whether `subject` comes from a cell that no heading vouches for, and which may as well be
        a name: it may be looked up on the roster, and shown only if it stands there.
    """

    row: int
    subject: str = ""
    guessed: bool = False


@dataclass(frozen=True, eq=False, repr=False)
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
    column_numbers : mapping of str to int or None
        One-based column numbers by heading, where columns were left out in reading; None: 1, 2, ….
    cell_rows : mapping of str to ndarray of int64
        Row numbers of cells, by heading, where the cells of one row come from several: a long
        table that was turned.
    """

    name: str
    columns: Mapping[str, Column]
    rows: int
    row_numbers: NDArray[np.int64] | None = None
    broken_rows: tuple[BrokenRow, ...] = ()
    column_numbers: Mapping[str, int] | None = None
    cell_rows: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Table: {self.rows} rows, {len(self.columns)} columns>"

    def row_number(self, row: int, heading: str = "") -> int:
        """Return the one-based number that a message gives for a row, or for a cell of it."""
        if heading in self.cell_rows:
            return int(self.cell_rows[heading][row])
        return int(row + 1 if self.row_numbers is None else self.row_numbers[row])

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The one-based numbers that messages give for the rows."""
        if self.row_numbers is None:
            return np.arange(1, self.rows + 1, dtype=np.int64)
        return self.row_numbers

    def column_number(self, heading: str) -> int:
        """Return the one-based number that a message gives for a column."""
        if self.column_numbers is not None:
            return self.column_numbers[heading]
        return list(self.columns).index(heading) + 1


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


def take_rows(table: Table, rows: NDArray[np.int64]) -> Table:
    """Return some rows of a table, with the numbers that they have in it.

    The table is one as it was read: `cell_rows` are not kept, nor are its broken rows.
    """
    numbers = table.numbers[rows]
    columns = {heading: _take(column, rows) for heading, column in table.columns.items()}
    return replace(table, columns=columns, rows=len(rows), row_numbers=numbers, broken_rows=())


def slice_rows(table: Table, start: int, end: int) -> Table:
    """Return neighbouring rows of a table, as `take_rows` does, without copying their cells."""
    rows = slice(start, end)
    numbers = table.row_numbers
    return replace(
        table,
        columns={heading: _slice(column, rows) for heading, column in table.columns.items()},
        rows=end - start,
        row_numbers=np.arange(start + 1, end + 1) if numbers is None else numbers[rows],
        broken_rows=(),
    )


def _slice(column: Column, rows: slice) -> Column:
    """Return neighbouring cells; of many values only those between the first and the last used."""
    index = column.index[rows]
    if len(column.values) <= max(len(index), _FEW):
        return Column(index, column.values)
    filled = index >= 0
    used = index[filled]
    if not len(used):
        return Column(index, ())
    first, end = int(used.min()), int(used.max()) + 1
    moved = np.where(filled, index - np.int32(first), np.int32(-1))
    values = column.values
    some = values.take(np.arange(first, end)) if isinstance(values, Texts) else values[first:end]
    return Column(moved, some)


def _take(column: Column, rows: NDArray[np.int64]) -> Column:
    """Return some cells; of many values only those that stand in them."""
    index = column.index[rows]
    if len(column.values) <= len(rows) or len(column.values) <= _FEW:
        return Column(index, column.values)
    used, places = np.unique(index, return_inverse=True)
    blanks = int(used[0] < 0) if len(used) else 0
    kept = used[blanks:]
    values = column.values
    some: Sequence[Cell] = (
        values.take(kept)
        if isinstance(values, Texts)
        else tuple(values[at] for at in kept.tolist())
    )
    return Column((places - blanks).astype(np.int32), some)


def distinct(column: Column) -> Column:
    """Return the same cells with no value twice, so that rows are equal where their index is."""
    return encode(column.cells()) if isinstance(column.values, Texts) else column


def concatenate(tables: Sequence[Table]) -> Table:
    """Put parts of one table together, one below the other.

    They have the same headings. Row numbers stay those of each part.

    Examples
    --------
    >>> top, below = (Table("t", {"a": encode(cells)}, 2) for cells in ([1, None], [2, 1]))
    >>> concatenate([top, below]).columns["a"].cells()
    [1, None, 2, 1]
    """
    first = tables[0]
    if len(tables) == 1:
        return first
    columns = {
        heading: concatenate_columns([table.columns[heading] for table in tables])
        for heading in first.columns
    }
    return replace(
        first,
        columns=columns,
        rows=sum(table.rows for table in tables),
        row_numbers=np.concatenate([table.numbers for table in tables]),
        broken_rows=tuple(row for table in tables for row in table.broken_rows),
    )


def concatenate_columns(columns: Sequence[Column]) -> Column:
    """Put columns one below the other."""
    texts = _all_texts([column.values for column in columns])
    if texts is not None:
        firsts = np.cumsum([0, *map(len, texts)])[:-1]
        indices = [
            np.where(column.index < 0, -1, column.index + first)
            for column, first in zip(columns, firsts.tolist(), strict=True)
        ]
        return Column(np.concatenate(indices).astype(np.int32), Texts.together(texts))
    places: dict[tuple[type, Cell], int] = {}
    parts = []
    for column in columns:
        target = [places.setdefault((type(cell), cell), len(places)) for cell in column.values]
        parts.append(np.array([*target, -1], dtype=np.int32)[column.index])
    return Column(np.concatenate(parts), tuple(cell for _, cell in places))


def _all_texts(values: Sequence[Sequence[Cell]]) -> list[Texts] | None:
    """Return values as `Texts`, where some are and all can be."""
    if not any(isinstance(some, Texts) for some in values):
        return None
    found = []
    for some in values:
        if isinstance(some, Texts):
            found.append(some)
        elif all(isinstance(one, str) for one in some):
            found.append(Texts.of(map(str, some)))
        else:
            return None
    return found
