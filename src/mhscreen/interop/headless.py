"""Tables without a heading row: no answer in them has a question, and nobody in them is lost."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.interop.partition import hash_names
from mhscreen.problems import ProblemLog
from mhscreen.steps.cells import map_column
from mhscreen.steps.columns import has_known_heading, no_heading_row
from mhscreen.steps.roster import parse_subject
from mhscreen.steps.tables import BrokenRow, Table, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.interop.files import Source
    from mhscreen.plan.plan import Plan
    from mhscreen.problems import Problem
    from mhscreen.steps.columns import ColumnNames

__all__ = ["find_headless", "read_headless", "table_key"]


def table_key(stem: str) -> str:
    """Return what the name of a file says of its table: a slot, ``wide`` or ``long``."""
    return unicodedata.normalize("NFKC", stem).strip().casefold()


def find_headless(
    plan: Plan, stem: str, table: Table, columns: Mapping[str, ColumnNames] | None
) -> Problem | None:
    """Return the problem that a table has no heading row, or None where it has one.

    Parameters
    ----------
    plan : Plan
        The programme.
    stem : str
        What the table is named by: a slot, ``wide`` or ``long``.
    table : Table
        Any part of it.
    columns : mapping, optional
        How columns are named, by slot.
    """
    key = table_key(stem)
    slot = plan.slot(key)
    forms = plan.forms if slot < 0 else (plan.forms[slot],)
    if key == "long":
        forms = ()
    if has_known_heading(table, forms, columns, own=slot >= 0):
        return None
    return no_heading_row(table, forms)


def read_headless(source: Source, known: NDArray[np.uint64]) -> Iterator[Table]:
    """Yield a table as nothing but broken rows, each of the pupil whom its likeliest column names.

    The likeliest column is that with the most references that are on the roster. The table is gone
    through twice.

    Parameters
    ----------
    source : Source
        The table.
    known : ndarray of uint64
        The hashes of the references on the roster, see `mhscreen.interop.partition`.
    """
    best = ""
    most = 0
    counts: dict[str, int] = {}
    for number, table in enumerate(source.read(ProblemLog())):
        for heading in table.columns:
            found = _named(table, heading, known, with_heading=number == 0)
            counts[heading] = counts.get(heading, 0) + sum(map(bool, found))
    for heading, count in counts.items():
        if count > most:
            best, most = heading, count
    for number, table in enumerate(source.read(ProblemLog())):
        first = number == 0
        names = [""] * (table.rows + first)
        if most:
            names = _named(table, best, known, with_heading=first)
        rows = [*([1] if first else []), *(table.row_number(r) + 1 for r in range(table.rows))]
        broken = [BrokenRow(row, name) for row, name in zip(rows, names, strict=True)]
        broken += [replace(row, row=row.row + 1) for row in table.broken_rows]
        yield Table(table.name, {}, 0, broken_rows=tuple(broken))


def _named(
    table: Table, heading: str, known: NDArray[np.uint64], *, with_heading: bool
) -> list[str]:
    """Return the references in a column that are on the roster, elsewhere nothing."""
    cells = table.columns[heading].cells()
    column = encode([heading, *cells] if with_heading else cells)
    found, _ = map_column(column, parse_subject, None, "O")
    names = ["" if one is None else one for one in found.tolist()]
    there = np.isin(hash_names(names), known)
    return [name if yes else "" for name, yes in zip(names, there.tolist(), strict=True)]
