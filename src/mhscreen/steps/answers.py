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
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan, ItemPlan
    from mhscreen.problems import ProblemLog
    from mhscreen.steps.references import References
    from mhscreen.steps.tables import Column, Table

__all__ = ["NOT_A_TIME", "illegal_hint", "read_answers", "read_durations", "read_times"]

_HINT = "the value is withheld; look at this row of the file"
_HINT_SHIFTED = "coding offset? the codes of this table seem to begin one too high"
_BLOCK = 1 << 15
_MANY = 20  # illegal answers that may be one mistake of coding, and no longer a slip of somebody's

NOT_A_TIME = np.datetime64("NaT", "s")


def read_answers(
    form: FormPlan,
    table: Table,
    headings: Mapping[int, str],
    log: ProblemLog,
    subject: References | NDArray[np.object_] | None = None,
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
    subject : References or ndarray of object, optional
        Whose each row is, for messages.

    Returns
    -------
    ndarray of uint8, shape (items, rows)
    """
    codes = np.empty((len(form.items), table.rows), dtype=np.uint8)
    if len(headings) < len(form.items):
        codes[[row for row in range(len(codes)) if row not in headings]] = rc.NOT_PRESENTED
    illegal: dict[int, list[int]] = {}
    shifted = 0
    lookups: dict[object, NDArray[np.uint8]] = {}
    for row, heading in headings.items():
        item, column = form.items[row], table.columns[heading]
        if column.index.dtype == np.int8:  # numbers: most items have the same ones and options
            same = (id(item.answers), item.bands, item.largest, column.values)
            if same not in lookups:
                lookups[same] = _lookup(item, column.values)
            lookup = lookups[same]
        else:
            lookup = _lookup(item, column.values)
        _gather(lookup, column.index, codes[row])
        if rc.ILLEGAL in lookup and len(found := np.flatnonzero(codes[row] == rc.ILLEGAL)):
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


def _lookup(item: ItemPlan, values: Sequence[object]) -> NDArray[np.uint8]:
    """Return the response code of each cell, and then that of an empty one."""
    lookup = np.full(len(values) + 1, rc.BLANK, dtype=np.uint8)
    for place, cell in enumerate(values):
        code = item.answers.get(answer_key(cell))
        if code is None and item.bands:
            code = _band(item, cell)
        if code is not None:
            lookup[place] = code
        elif not cells.is_blank(cell):
            lookup[place] = rc.ILLEGAL
    return lookup


def _gather(
    lookup: NDArray[np.uint8], index: NDArray[np.signedinteger], out: NDArray[np.uint8]
) -> None:
    """Write the response code of each cell."""
    if index.dtype != np.int8:
        lookup.take(index, out=out, mode="wrap")
    elif np.array_equal(lookup[:-1], np.arange(len(lookup) - 1)):
        out[:] = index.view(np.uint8)  # an empty cell has the code that −1 is as a byte
    else:
        table = np.full(256, rc.BLANK, dtype=np.uint8)
        table[: len(lookup) - 1] = lookup[:-1]
        codes = table.tobytes()
        for start in range(0, len(index), _BLOCK):  # so that no new memory is asked for
            part = slice(start, start + _BLOCK)
            out[part] = np.frombuffer(index[part].tobytes().translate(codes), dtype=np.uint8)


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
        log.add_rows(
            "MH413",
            "not understood",
            np.flatnonzero(bad).tolist(),
            lambda row: {"row": table.row_number(row)},
            file=table.name,
            path="administered_on",
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
    log.add_rows(
        "MH413",
        "not understood",
        np.flatnonzero(bad | impossible).tolist(),
        lambda row: {"row": table.row_number(row)},
        file=table.name,
        path="duration_s",
        expected="seconds above 0",
        hint="it counts as not given",
    )
    return np.where(impossible, np.nan, seconds)
