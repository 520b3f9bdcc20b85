"""Collector: parts that are done, put into ledger and archive in the order of the roster.

It takes in one part after the other while later ones are screened. The lines of a part stand behind
those of the parts before it, so that whatever stands before the first line of the newest part is
complete and is written. The exceptions wait for their place: a line that could not be read stands
behind all others, and two references of one hash share a part.

What was written is noted down, and only then is the ledger of a part removed: a run that is stopped
goes on behind what is noted.
"""

from __future__ import annotations

import json
from itertools import islice
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.interop.files import CsvWriter, ParquetWriter
from mhscreen.interop.hashed import HashedFile
from mhscreen.steps.roster import UNREADABLE

if TYPE_CHECKING:
    from pathlib import Path

    from mhscreen.interop.part import PartFiles

__all__ = ["LEDGER", "Collected", "Collector", "read_collected"]

LEDGER, ARCHIVE, ARCHIVE_CSV = "ledger.jsonl", "archive.parquet", "archive.csv"
_NOTE = "collected.json"
_BEHIND_ALL = int(np.iinfo(np.int64).max)
_BLOCK = 1 << 20


class Collected(NamedTuple):
    """How far a collector has come.

    Attributes
    ----------
    steps : int
        How many parts it has taken in; one more where it has finished.
    bytes : int
        How long the ledger is.
    """

    steps: int
    bytes: int


def read_collected(folder: Path) -> Collected:
    """Return what is noted down in a folder; nothing where there is no note."""
    try:
        return Collected(**json.loads((folder / _NOTE).read_text("utf-8")))
    except (FileNotFoundError, ValueError):  # there is none, or a power failure took it
        return Collected(0, 0)


class Collector:
    """Writes ledger and archive.

    Parameters
    ----------
    folder : Path
        Where; what is noted down there is gone on with.
    archive_csv : bool
        Whether the archive is also written as CSV.
    """

    def __init__(self, folder: Path, *, archive_csv: bool) -> None:
        self._folder = folder
        self._noted = read_collected(folder)
        self._ledger = HashedFile(folder / LEDGER, keep=self._noted.bytes)
        self._archive_file = HashedFile(folder / ARCHIVE)
        self._files = [self._ledger, self._archive_file]
        self._archive = ParquetWriter(self._archive_file)
        self._archive_csv: CsvWriter | None = None
        if archive_csv:
            self._files.append(HashedFile(folder / ARCHIVE_CSV))
            self._archive_csv = CsvWriter(self._files[-1], for_people=True)
        self._open: list[_Reader] = []
        self._steps = 0

    def add(self, part: PartFiles) -> None:
        """Take in the next part; all are given, those that are noted down, too."""
        reader = _Reader(part)
        if reader.next_line < UNREADABLE:
            self._write_before(reader.next_line)
        self._open.append(reader)
        self._note()

    def finish(self) -> dict[str, dict[str, Any]]:
        """Write what is left; return name, size and hash of each file, by its name."""
        self._write_before(_BEHIND_ALL)
        self._note()
        self._archive.finish()
        self.close()
        return {one["name"]: one for one in (file.record() for file in self._files)}

    def close(self) -> None:
        """Close the files."""
        self._archive.close()
        for file in self._files:
            file.close()

    def _write_before(self, end: int) -> None:
        """Write every line of the roster before `end`."""
        while waiting := sorted(
            (reader for reader in self._open if reader.next_line < end),
            key=lambda reader: reader.next_line,
        ):
            first, *others = waiting
            number = first.count_before(others[0].next_line if others else end)
            if self._steps >= self._noted.steps:
                first.copy_entries(number, self._ledger)
            columns = first.take_archive(number)
            self._archive.write(columns)
            if self._archive_csv is not None:
                self._archive_csv.write(columns)

    def _note(self) -> None:
        self._steps += 1
        if self._steps > self._noted.steps:
            self._ledger.flush()
            now = Collected(self._steps, self._ledger.size)
            temporary = self._folder / f"{_NOTE}.new"
            temporary.write_text(json.dumps(now._asdict()), "utf-8")
            temporary.replace(self._folder / _NOTE)
        for reader in self._open:
            if reader.next_line == _BEHIND_ALL:
                reader.part.ledger.unlink(missing_ok=True)
        self._open = [reader for reader in self._open if reader.next_line < _BEHIND_ALL]


class _Reader:
    """Goes through what a part holds; its files are open only meanwhile."""

    def __init__(self, part: PartFiles) -> None:
        self.part = part
        self._lines = np.load(part.lines)
        self._row = 0

    @property
    def next_line(self) -> int:
        """The line of the roster that comes next."""
        return int(self._lines[self._row]) if self._row < len(self._lines) else _BEHIND_ALL

    def count_before(self, end: int) -> int:
        """Return how many lines come next that stand before `end`."""
        return int(np.searchsorted(self._lines, end)) - self._row

    def copy_entries(self, number: int, ledger: HashedFile) -> None:
        """Append the next entries to the ledger."""
        with self.part.ledger.open("rb") as file:
            if number == len(self._lines):
                copyfileobj(file, ledger, _BLOCK)
            else:
                ledger.writelines(islice(file, self._row, self._row + number))

    def take_archive(self, number: int) -> dict[str, Any]:
        """Return the next rows of the archive, and go on behind them."""
        import pyarrow as pa

        with pa.memory_map(str(self.part.archive)) as file:
            table = pa.ipc.open_file(file).read_all().slice(self._row, number)
        self._row += number
        return dict(zip(table.column_names, table.columns, strict=True))
