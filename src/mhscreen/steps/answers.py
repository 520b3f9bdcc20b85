"""Answers: the columns of one slot into response codes, and when the forms were submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.plan.scoring import answer_key
from mhscreen.steps import cells
from mhscreen.steps.columns import FORM_COLUMNS
from mhscreen.steps.roster import find_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan, ItemPlan
    from mhscreen.problems import ProblemLog
    from mhscreen.steps.tables import Column, Table

__all__ = ["NOT_A_TIME", "illegal_hint", "read_answers", "read_durations", "read_times"]

_HINT = "the value is withheld; look at this row of the file"
_HINT_SHIFTED = "coding offset? the codes of this table seem to begin one too high"
_MANY = 20  # illegal answers that may be one mistake of coding, and no longer a slip of somebody's

NOT_A_TIME = np.datetime64("NaT", "s")


def read_answers(
    form: FormPlan,
    table: Table,
    headings: Mapping[int, str],
    log: ProblemLog,
    subject: NDArray[np.object_] | None = None,
) -> NDArray[np.uint8]:
    """Turn the columns of one slot into response codes.

    Parameters
    ----------
    form : FormPlan
        The slot.
    table : Table
        The answers.
    headings : mapping of int to str
        Heading by item row; an item without one was not presented.
    log : ProblemLog
        Receives every answer that is not legal, without the answer.
    subject : ndarray of object, optional
        Whose each row is, for messages.

    Returns
    -------
    ndarray of uint8, shape (items, rows)
    """
    codes = np.full((len(form.items), table.rows), rc.NOT_PRESENTED, dtype=np.uint8)
    illegal: dict[int, list[int]] = {}
    shifted = 0
    for row, heading in headings.items():
        item, column = form.items[row], table.columns[heading]
        codes[row] = _read_column(item, column)
        found = np.flatnonzero(codes[row] == rc.ILLEGAL)
        if len(found):
            illegal[row] = found.tolist()
            shifted += _count_shifted(item, column, found)
    number = sum(map(len, illegal.values()))
    log.tally["illegal", table.name, form.slot] += number
    log.tally["shifted", table.name, form.slot] += shifted
    hint = illegal_hint(number, shifted)
    for row, rows in illegal.items():
        item, heading = form.items[row], headings[row]

        def place(row: int, heading: str = heading) -> dict[str, object]:
            whose = None if subject is None else subject[row]
            return {"row": table.row_number(row, heading), "subject": whose or ""}

        log.add_rows(
            "MH401",
            "not a legal answer",
            rows,
            place,
            file=table.name,
            path=f"{form.slot}.{item.id}",
            expected=item.legal,
            hint=hint,
        )
    return codes


def illegal_hint(illegal: int, shifted: int) -> str:
    """Return what to do about the illegal answers of one slot in one table.

    Parameters
    ----------
    illegal, shifted : int
        How many there are, and how many of them are one above the largest code.
    """
    return _HINT if illegal < _MANY or shifted < illegal else _HINT_SHIFTED


def _read_column(item: ItemPlan, column: Column) -> NDArray[np.uint8]:
    lookup = np.full(len(column.values) + 1, rc.BLANK, dtype=np.uint8)
    for place, cell in enumerate(column.values):
        code = item.answers.get(answer_key(cell))
        if code is None and item.bands:
            code = _band(item, cell)
        if code is not None:
            lookup[place] = code
        elif not cells.is_blank(cell):
            lookup[place] = rc.ILLEGAL
    return lookup[column.index]


def _band(item: ItemPlan, cell: object) -> int | None:
    """Return the response code of a recorded number; None where it is none, or out of range."""
    try:
        number = cells.parse_number(cell)
    except ValueError:
        return None
    return None if number is None else item.band_of(number)


def _count_shifted(item: ItemPlan, column: Column, rows: NDArray[np.int64]) -> int:
    """Return how many of some answers are one above the largest code."""
    numbers = [code for code in item.codes if isinstance(code, int)]
    if not numbers:
        return 0
    above = str(max(numbers) + 1)
    places = [place for place, cell in enumerate(column.values) if answer_key(cell) == above]
    return int(np.isin(column.index[rows], places).sum())


def read_times(zone: str, table: Table, log: ProblemLog) -> NDArray[np.datetime64]:
    """Return when each form was submitted, in UTC; NaT where not given or not understood."""
    headings = find_columns(table, FORM_COLUMNS)
    times = np.full(table.rows, NOT_A_TIME, dtype="M8[s]")
    if "administered_on" in headings:
        column = table.columns[headings["administered_on"]]
        times, bad = cells.map_column(
            column, lambda cell: cells.parse_moment(cell, zone), NOT_A_TIME, "M8[s]"
        )
        for row in np.flatnonzero(bad).tolist():
            log.add(
                "MH413",
                "not understood",
                file=table.name,
                path="administered_on",
                row=table.row_number(row),
                expected="YYYY-MM-DD or YYYY-MM-DD HH:MM",
            )
    return times


def read_durations(table: Table, log: ProblemLog) -> NDArray[np.float64]:
    """Return how many seconds each form took; NaN where not given or not understood."""
    headings = find_columns(table, FORM_COLUMNS)
    if "duration_s" not in headings:
        return np.full(table.rows, np.nan)
    column = table.columns[headings["duration_s"]]
    seconds, bad = cells.map_column(column, cells.parse_number, np.nan, "f8")
    impossible = seconds <= 0
    for row in np.flatnonzero(bad | impossible).tolist():
        log.add(
            "MH413",
            "not understood",
            file=table.name,
            path="duration_s",
            row=table.row_number(row),
            expected="seconds above 0",
            hint="it counts as not given",
        )
    return np.where(impossible, np.nan, seconds)
