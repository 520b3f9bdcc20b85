"""Files whose rows all follow the roster: read in step, and nothing is written in between.

Whether they do is found out by going through the references alone, before anybody is screened. A
row follows if its pupil is that of the row before or stands further down on the roster; a row whose
pupil cannot be told, or one that cannot be read, does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.interop.partition import ROSTER
from mhscreen.problems import UsageError
from mhscreen.steps.tables import Table, concatenate, slice_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mhscreen.interop.files import Source
    from mhscreen.problems import ProblemLog

    Steps = Sequence[Sequence[int]]

__all__ = ["AlignedParts", "HeldPart", "find_steps"]


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
    sources : sequence of Source
        The roster, then the answers.
    steps : sequence of sequence of int
        By part, how many rows of each belong to it; see `find_steps`.
    log : ProblemLog
        Gets what is said of the files while they are read.
    """

    sources: Sequence[Source]
    steps: Steps
    log: ProblemLog

    def __len__(self) -> int:
        """Return how many parts there are."""
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[int, HeldPart]]:
        """Yield number and content of each part.

        Raises
        ------
        UsageError
            If there are more rows than before, or fewer.
        """
        rows = [_Rows(source.read(self.log)) for source in self.sources]
        for number, step in enumerate(self.steps):
            tables = {}
            for place, (some, wanted) in enumerate(zip(rows, step, strict=True), start=ROSTER):
                if wanted:
                    tables[place] = some.take(wanted)
            yield number, HeldPart(tables)
        if any(some.more() for some in rows):
            raise _changed()


class _Rows:
    """Goes through the rows of a table that is read in parts."""

    def __init__(self, tables: Iterator[Table]) -> None:
        self._tables = tables
        self._table, self._row = Table("", {}, 0), 0

    def more(self) -> bool:
        """Whether there is another row."""
        while self._row == self._table.rows:
            table = next(self._tables, None)
            if table is None:
                return False
            self._table, self._row = table, 0
        return True

    def take(self, number: int) -> Table:
        """Return the next rows."""
        found = []
        while number:
            if not self.more():
                raise _changed()
            start, self._row = self._row, min(self._row + number, self._table.rows)
            number -= self._row - start
            found.append(slice_rows(self._table, start, self._row))
        return concatenate(found)


def _changed() -> UsageError:
    msg = "the files have changed while they were read, or cannot be read to their end"
    return UsageError(msg)


def find_steps(sources: Sequence[Source], chunk: int, tell: Callable[[int], None]) -> Steps | None:
    """Return how many rows of each file belong to each part, if all follow the roster.

    None where a row does not, or where a reference stands twice on the roster.

    Parameters
    ----------
    sources : sequence of Source
        The roster, then the answers.
    chunk : int
        How many rows of the roster are in a part.
    tell : callable
        Told after each part how many rows it has.
    """
    steps: list[list[int]] = []
    marks = [np.empty(0, dtype=np.int64)]
    roster, *answers = (_Names(source.references()) for source in sources)
    try:
        while pupils := roster.take(chunk):
            places = {name: place for place, name in enumerate(pupils)}
            marks.append(np.fromiter(map(hash, pupils), dtype=np.int64, count=len(pupils)))
            steps.append([len(pupils), *(names.pass_over(places) for names in answers)])
            tell(sum(steps[-1]))
        if any(names.more() for names in answers):
            return None
    except (_UnclearError, OSError):  # what is wrong with a file is said when it is read
        return None
    every = np.concatenate(marks)
    every.sort()
    # Two references of one mark are taken for one: the other way gives the same results.
    return None if (every[1:] == every[:-1]).any() else steps


class _UnclearError(Exception):
    """It cannot be told whose a row is."""


class _Names:
    """Goes through the references in a table, which are read in parts."""

    def __init__(self, parts: Iterator[list[str] | None]) -> None:
        self._parts = parts
        self._names: list[str] = []
        self._row = 0

    def more(self) -> bool:
        """Whether there is another row."""
        while self._row == len(self._names):
            try:
                names = next(self._parts)
            except StopIteration:
                return False
            if names is None:
                raise _UnclearError
            self._names, self._row = names, 0
        return True

    def take(self, number: int) -> list[str]:
        """Return the next references."""
        found: list[str] = []
        while len(found) < number and self.more():
            more = self._names[self._row : self._row + number - len(found)]
            self._row += len(more)
            found += more
        return found

    def pass_over(self, places: Mapping[str, int]) -> int:
        """Pass the rows whose pupils stand here, each not before the one before; count them."""
        number = last = 0
        while self.more():
            for name in islice(self._names, self._row, None):
                place = places.get(name, -1)
                if place < last:
                    return number
                last = place
                self._row += 1
                number += 1
        return number
