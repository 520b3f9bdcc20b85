"""Records in order, whatever order they come in and however many they are.

A record is a list, first of it the key by which it is put in order. Sorted runs lie in files, one
record a line, and are merged when they are read.
"""

from __future__ import annotations

import json
from heapq import merge
from typing import TYPE_CHECKING, Any

from mhscreen.entries.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Spool", "merge_runs", "write_run"]

Record = list[Any]

_HELD = 20_000  # records that are in memory at once
_OPEN = 64  # files that are open at once


class Spool:
    """Takes in records in any order, and keeps them in sorted runs.

    Parameters
    ----------
    folder : Path
        Where the runs are written; it is there.
    name : str
        What their names begin with.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.runs: list[Path] = []
        self._folder, self._name = folder, name
        self._held: list[Record] = []

    def extend(self, records: Iterable[Record]) -> None:
        """Take in some records."""
        for record in records:
            self._held.append(record)
            if len(self._held) >= _HELD:
                self.flush()

    def flush(self) -> None:
        """Write what is held in memory."""
        if self._held:
            path = self._folder / f"{self._name}-{len(self.runs):06d}.jsonl"
            write_run(self._held, path)
            self.runs.append(path)
            self._held = []


def write_run(records: Iterable[Record], path: Path) -> None:
    """Write records, sorted by their keys."""
    _write(sorted(records, key=_key), path)


def merge_runs(runs: Sequence[Path], folder: Path) -> Iterator[Record]:
    """Yield the records of all runs in order; of equal keys those of an earlier run first.

    Parameters
    ----------
    runs : sequence of Path
        Files that `write_run` wrote.
    folder : Path
        Where runs are put together first, if they are too many to be open at once.
    """
    level = list(runs)
    number = 0
    while len(level) > _OPEN:
        fewer = []
        for start in range(0, len(level), _OPEN):
            path = folder / f"merged-{level[0].stem}-{number:06d}.jsonl"
            _write(_merged(level[start : start + _OPEN]), path)
            fewer.append(path)
            number += 1
        level = fewer
    yield from _merged(level)


def _merged(runs: Sequence[Path]) -> Iterator[Record]:
    return merge(*map(_read, runs), key=_key)


def _key(record: Record) -> Any:
    return record[0]


def _read(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield json.loads(line)


def _write(records: Iterable[Record], path: Path) -> None:
    with path.open("wb") as file:
        for record in records:
            file.write(canonical_json(record).encode() + b"\n")
