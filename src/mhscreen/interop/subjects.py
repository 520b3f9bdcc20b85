"""Whose the rows of a table are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.steps.cells import map_column
from mhscreen.steps.roster import parse_subject, subject_column
from mhscreen.steps.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.steps.tables import Column, Table

__all__ = ["read_subjects", "row_names"]


def read_subjects(column: Column) -> list[str | None]:
    """Return the reference in each cell of a column; None where there is none.

    Examples
    --------
    >>> from mhscreen.steps.tables import encode
    >>> read_subjects(encode(["A1", " A2 ", None, "Ａ３"]))
    ['A1', 'A2', None, 'A3']
    """
    if _are_plain(column.values):
        lookup = [*column.values, None]
        return [lookup[place] for place in column.index.tolist()]
    subjects, _ = map_column(column, parse_subject, None, "O")
    found: list[str | None] = subjects.tolist()
    return found


def _are_plain(cells: Sequence[object]) -> bool:
    """Whether all are references as they stand there, which is found out without a loop."""
    if isinstance(cells, Texts):
        return bool(cells.is_plain().all())
    try:
        text = "\n".join(cells)  # type: ignore[arg-type]  # what is no text ends in the exception
    except TypeError:
        return False
    return text.isascii() and "+" not in text and len(text.split()) == len(cells)


def row_names(table: Table) -> list[str]:
    """Return whose each row is; where it does not say, the file and the row."""
    heading = subject_column(table)
    if heading is None:
        return [f"{table.name}:{table.row_number(row)}" for row in range(table.rows)]
    return [
        f"{table.name}:{table.row_number(row)}" if one is None else one
        for row, one in enumerate(read_subjects(table.columns[heading]))
    ]
