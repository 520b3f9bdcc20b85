"""Partition: a roster and answers in any order, sorted into parts that hold whole pupils.

Whatever is of one pupil goes into one part: the roster's lines of that reference, all forms, and
rows that could not be read. So a part can be screened alone. A part holds neighbours on the roster,
so that what comes of it has its place in the results; who is not on the roster goes by a hash of
the reference, or where there is none of file and row.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.interop.subjects import row_names
from mhscreen.steps.tables import concatenate, take_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mhscreen.steps.tables import BrokenRow, Table

__all__ = ["Partition", "RosterIndex", "StoredPart", "hash_names"]

ROSTER = -1
"""The number of the roster among the tables; those of answers begin at 0."""

_HELD = 1 << 16  # rows that wait in memory


class RosterIndex:
    """Where each reference stands on the roster: twelve bytes a pupil.

    Parameters
    ----------
    tables : iterable of Table
        The roster, in parts.

    Attributes
    ----------
    rows : int
        How many lines it has.
    hashes : ndarray of uint64, shape (references,)
        Sorted.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        parts = [hash_names(row_names(table)) for table in tables]
        every = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
        self.rows = len(every)
        self.hashes, first = np.unique(every, return_index=True)
        self._first = first.astype(np.uint32)

    def find(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return how many lines stand before each; −1 where it is not on the roster."""
        if not len(self.hashes):
            return np.full(len(hashes), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        found = self._first[place].astype(np.int64)
        return np.where(self.hashes[place] == hashes, found, -1)


@dataclass
class Partition:
    """Sorts the rows of tables into parts.

    Parameters
    ----------
    folder : Path
        Where parts are kept, each in a file of its own.
    chunk : int
        How many lines of the roster one holds.
    index : RosterIndex
        The roster.
    """

    folder: Path
    chunk: int
    index: RosterIndex
    parts: int = field(init=False)
    _held: dict[int, list[tuple[int, Table]]] = field(default_factory=dict)
    _rows: int = 0
    _before: dict[int, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.parts = max(1, -(-self.index.rows // self.chunk))

    def add(self, number: int, table: Table, *, long: bool = False) -> None:
        """Take in the next rows of a table.

        Parameters
        ----------
        number : int
            Which table: `ROSTER`, or the place of the answers.
        table : Table
            Some of its rows.
        long : bool
            Whether neighbours that do not say whose they are may be one form.
        """
        names = row_names(table)
        if long:
            self._keep_together(number, table, names)
        part = self._part(names)
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(self.parts + 1))
        broken: dict[int, list[BrokenRow]] = {}
        for row in table.broken_rows:
            sure = row.subject and not (row.guessed and number == ROSTER)
            name = row.subject if sure else f"{table.name}:{row.row}"
            broken.setdefault(int(self._part([name])[0]), []).append(row)
        for place in {*np.flatnonzero(np.diff(ends)).tolist(), *broken}:
            rows = take_rows(table, order[ends[place] : ends[place + 1]])
            rows = replace(rows, broken_rows=tuple(broken.get(place, ())))
            self._held.setdefault(place, []).append((number, rows))
        self._rows += table.rows + len(table.broken_rows)
        if self._rows >= _HELD:
            self.flush()

    def flush(self) -> None:
        """Write what waits in memory."""
        for place, held in self._held.items():
            with self._path(place).open("ab") as file:
                for one in held:
                    pickle.dump(one, file, protocol=pickle.HIGHEST_PROTOCOL)
        self._held, self._rows = {}, 0

    def __len__(self) -> int:
        """Return how many parts there are with something in them."""
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[tuple[int, StoredPart]]:
        """Yield number and place of each part with something in it."""
        for number in range(self.parts):
            if self._path(number).exists():
                yield number, StoredPart(self._path(number))

    def _path(self, part: int) -> Path:
        return self.folder / f"{part:06d}.pickle"

    def _part(self, names: Sequence[str]) -> NDArray[np.int64]:
        if self.parts == 1:
            return np.zeros(len(names), dtype=np.int64)
        hashes = hash_names(names)
        line = self.index.find(hashes)
        by_hash = (hashes % np.uint64(self.parts)).astype(np.int64)
        # Two references of one hash share a part: whole pupils all the same.
        return np.where(line < 0, by_hash, line // self.chunk)

    def _keep_together(self, number: int, table: Table, names: list[str]) -> None:
        """Name neighbours that do not say whose they are by the first of them."""
        last, first = self._before.get(number, (-1, ""))
        for row, name in enumerate(names):
            here = table.row_number(row)
            if name == f"{table.name}:{here}":
                first = first if last == here - 1 else name
                last, names[row] = here, first
        self._before[number] = last, first


def hash_names(names: Iterable[str]) -> NDArray[np.uint64]:
    """Return a hash of each reference that is the same on every machine."""
    digests = b"".join(blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class StoredPart:
    """A part that is in a file."""

    path: Path

    def read(self) -> dict[int, Table]:
        """Return its rows of each table, in the order in which they stood."""
        pieces: dict[int, list[Table]] = {}
        with self.path.open("rb") as file:
            while file.peek(1):
                # Written by this very run, into a folder that nobody else may write to.
                number, table = pickle.load(file)  # noqa: S301 - see above
                pieces.setdefault(number, []).append(table)
        return {number: concatenate(tables) for number, tables in pieces.items()}
