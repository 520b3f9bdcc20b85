"""Files whose rows all follow the roster: read in step, and nothing is written in between.

Whether they do is found out by going through the references alone, before anybody is screened. A
row follows if its pupil is that of the row before or stands further down on the roster; a row whose
pupil cannot be told, or one that cannot be read, does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.interop.partition import ROSTER, row_names
from mhscreen.problems import ProblemLog, UsageError
from mhscreen.steps.tables import Table, concatenate, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mhscreen.interop.files import Source

__all__ = ["AlignedParts", "HeldPart", "count_aligned"]


@dataclass(frozen=True)
class HeldPart:
    """A part that is in memory."""

    tables: Mapping[int, Table]

    def read(self) -> Mapping[int, Table]:
        """Return its rows of each table."""
        return self.tables


@dataclass(frozen=True)
class AlignedParts:
    """The parts of a run whose files follow the roster; they can be gone through again.

    Parameters
    ----------
    roster : Source
        The roster.
    answers : sequence of Source
        The answers.
    rows : int
        How many rows the roster has.
    chunk : int
        How many of them are in a part.
    log : ProblemLog
        Gets what is said of the files while they are read.
    """

    roster: Source
    answers: Sequence[Source]
    rows: int
    chunk: int
    log: ProblemLog

    def __len__(self) -> int:
        """Return how many parts there are."""
        return ceil(self.rows / self.chunk)

    def __iter__(self) -> Iterator[tuple[int, HeldPart]]:
        """Yield number and content of each part.

        Raises
        ------
        UsageError
            If the rows do not follow the roster any more.
        """
        files = [self.roster, *self.answers]
        tables = [source.read(self.log) for source in files]
        try:
            for number, spans in enumerate(_in_step(tables, self.chunk)):
                yield (
                    number,
                    HeldPart(
                        {
                            place: concatenate([span.rows() for span in some])
                            for place, some in enumerate(spans, start=ROSTER)
                            if some
                        }
                    ),
                )
        except _OutOfStepError as error:
            msg = "the files have changed while they were read: start again when they are at rest"
            raise UsageError(msg) from error


def count_aligned(
    roster: Source, answers: Sequence[Source], chunk: int, tell: Callable[[int], None]
) -> list[int] | None:
    """Return the number of rows of the roster and of each table of answers, if all follow it.

    None where a row does not, or where a reference stands twice on the roster.

    Parameters
    ----------
    roster : Source
        The roster.
    answers : sequence of Source
        The answers.
    chunk : int
        How many rows of the roster are looked at together.
    tell : callable
        Told after each such part how many rows it had.
    """
    counts = [0] * (1 + len(answers))
    marks = [np.empty(0, dtype=np.int64)]
    try:
        tables = [source.read(ProblemLog()) for source in (roster, *answers)]
        for spans in _in_step(tables, chunk):
            rows = [sum(len(span.names) for span in some) for some in spans]
            counts = [a + b for a, b in zip(counts, rows, strict=True)]
            marks.append(np.array([hash(name) for span in spans[0] for name in span.names]))
            tell(sum(rows))
    except _OutOfStepError:
        return None
    every = np.concatenate(marks)
    every.sort()
    # Two references of one mark are taken for one: the other way gives the same results.
    return None if (every[1:] == every[:-1]).any() else counts


class _OutOfStepError(Exception):
    """A row does not follow the roster."""


class _Span(NamedTuple):
    """Neighbours in a table."""

    table: Table
    start: int
    names: list[str]

    def rows(self) -> Table:
        """Return them as a table."""
        return take_rows(self.table, np.arange(self.start, self.start + len(self.names)))


def _in_step(tables: Sequence[Iterator[Table]], chunk: int) -> Iterator[list[list[_Span]]]:
    """Yield so many rows of the first table, and those of the others that belong to them."""
    roster, *answers = map(_Cursor, tables)
    while pupils := roster.take(chunk):
        names = [name for span in pupils for name in span.names]
        places = {name: place for place, name in enumerate(names)}
        if len(places) < len(names):
            raise _OutOfStepError
        yield [pupils, *(rows.take_of(places) for rows in answers)]
    if any(rows.more() for rows in answers):
        raise _OutOfStepError


_NOTHING = Table("", {}, 0)


class _Cursor:
    """Goes through the rows of a table that is read in parts."""

    _names: list[str]

    def __init__(self, tables: Iterator[Table]) -> None:
        self._tables = tables
        self._table, self._names, self._row = _NOTHING, [], 0

    def more(self) -> bool:
        """Whether there is another row."""
        while self._row == len(self._names):
            table = next(self._tables, None)
            if table is None:
                return False
            if table.broken_rows:
                raise _OutOfStepError
            self._table, self._names, self._row = table, row_names(table), 0
        return True

    def take(self, number: int) -> list[_Span]:
        """Return the next rows."""
        found = []
        while number and self.more():
            end = min(self._row + number, len(self._names))
            number -= end - self._row
            found.append(self._take(end))
        return found

    def take_of(self, places: Mapping[str, int]) -> list[_Span]:
        """Return the next rows whose pupils stand here, each not before the one before."""
        found = []
        last = 0
        while self.more():
            end = self._row
            for name in self._names[end:]:
                place = places.get(name, -1)
                if place < last:
                    break
                last = place
                end += 1
            if end == self._row:
                break
            found.append(self._take(end))
        return found

    def _take(self, end: int) -> _Span:
        span = _Span(self._table, self._row, self._names[self._row : end])
        self._row = end
        return span
