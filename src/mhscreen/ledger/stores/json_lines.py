"""A ledger in one file of JSON lines.

After a heading, each batch is its entries and then a line that vouches for them. What stands
after the last such line was never finished: no reader sees it, and the next writer removes it.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, BinaryIO

from mhscreen.atomic import whole_file
from mhscreen.entries.canonical import canonical_json
from mhscreen.ledger.stores.base import (
    SCHEMA,
    Appended,
    Batch,
    Row,
    check_empty,
    check_erased,
)
from mhscreen.ledger.stores.place import Known, Outcome, in_chunks, place
from mhscreen.problems import Problem, ResponseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from mhscreen.ledger.stores.base import Items

__all__ = ["JsonLines"]

_HEADING = (canonical_json({"ledger": SCHEMA}) + "\n").encode()
_BATCH = b'{"batch":'
_GONE = b'{"entry_id":'


@dataclass(frozen=True)
class JsonLines:
    """A ledger in a file; or, to read only, the ``ledger.jsonl`` of a run, which has no batches.

    Attributes
    ----------
    path : Path
        The file.
    """

    path: Path

    @property
    def name(self) -> str:
        """The file."""
        return str(self.path)

    def rows(self, pupil_ref: str | None = None) -> Iterator[Row]:
        """Iterate over what is stored, in order."""
        wanted = _wanted(pupil_ref)
        for batch, number, line in self._lines():
            if wanted in line:
                row = _row(batch, line, self.path, number)
                if pupil_ref in {None, row.pupil_ref}:
                    yield row

    def entries(self, pupil_ref: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over the entries that were not erased, in order."""
        wanted = _wanted(pupil_ref)
        for _, number, line in self._lines():
            if wanted in line and not line.startswith(_GONE):
                entry = _parse(line, self.path, number)
                if pupil_ref in {None, entry.get("pupil_ref")}:
                    yield entry

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, in order."""
        if not self.path.exists():
            return ()
        with self.path.open("rb") as file:
            end, found, position = _finished(file), [], 0
            for line in file if end else ():
                position += len(line)
                if line.startswith(_BATCH) and position <= (end or 0):
                    found.append(Batch(**_numbered(line)))
            return tuple(found)

    def append(self, entries: Items) -> Appended:
        """Store what is new of some entries as one batch: all of it, or none."""
        with self._writing() as file:
            return _write(file, entries)

    def erase(self, erased: Mapping[str, str], entries: Items) -> Appended:
        """Take away the content of entries, and store at once the entries that say so."""
        with self._writing():
            rows = self.rows()
            check_erased(erased, {row.entry_id: row for row in rows if row.entry_id in erased})
            left = (r._replace(line=None) if r.entry_id in erased else r for r in self.rows())
            with whole_file(self.path) as temporary, temporary.open("xb+") as file:
                _dump(file, left, self.batches())
                return _write(file, entries)

    def restore(self, rows: Iterable[Row], batches: Iterable[Batch]) -> None:
        """Take over another ledger as it is, tombstones included."""
        with self._writing() as there:
            check_empty(self.name, empty=there.seek(0, os.SEEK_END) == 0)
            with whole_file(self.path) as temporary, temporary.open("xb+") as file:
                _dump(file, rows, batches)

    def _lines(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield the number of the batch and of the line with each line that holds an entry."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            end = _finished(file)
            batch = 0 if end is None else 1
            position = 0
            for number, line in enumerate(file, start=1):
                position += len(line)
                if end is not None and position > end:
                    return
                if end is not None and line.startswith(_BATCH):
                    batch += 1
                elif not (end is not None and number == 1) and line.strip():
                    yield batch, number, line

    @contextmanager
    def _writing(self) -> Iterator[BinaryIO]:
        """Open the file, made if need be, for one writer at a time; the others wait."""
        try:
            import fcntl
        except ImportError as error:
            msg = f"{self.name}: this system cannot lock a file; keep the ledger in sqlite:///…"
            raise UsageError(msg) from error
        while True:
            self.path.touch()
            with self.path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_at(file, self.path):
                    continue  # another writer has put a new file in its place
                if _finished(file) is None:
                    msg = (
                        f"{self.name} is what a run or a person has written, no ledger: "
                        "append it to a ledger in another file"
                    )
                    raise UsageError(msg)
                yield file
                return


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _finished(file: BinaryIO) -> int | None:
    """Return where the last finished batch ends, or None where the file is no ledger."""
    file.seek(0)
    start = file.read(len(_HEADING))
    if start != _HEADING:
        file.seek(0)
        return 0 if _HEADING.startswith(start) else None
    end = position = len(_HEADING)
    for line in file:
        position += len(line)
        if line.startswith(_BATCH) and line.endswith(b"\n"):
            end = position
    file.seek(0)
    return end


def _write(file: BinaryIO, entries: Items) -> Appended:
    """Add a batch to a ledger that is open and locked."""
    end = _finished(file) or 0
    places: dict[str, int] = {}
    known, batches = _read(file, end, places)
    number, outcome = len(batches) + 1, Outcome()
    file.truncate(end)
    file.seek(end)
    try:
        if not end:
            file.write(_HEADING)
        for chunk in in_chunks(entries, outcome):
            placed = place(chunk, known, number, outcome)
            position = file.seek(0, os.SEEK_END)
            for one in placed:
                places[one.row.entry_id] = position
                position += file.write(one.row.text().encode() + b"\n")
        outcome.refuse()
        if not outcome.hashes:
            file.truncate(end)
            return outcome.result(None, batches)
    except BaseException:
        file.truncate(end)
        raise
    batch = outcome.batch(number)
    _force(file)  # so that no line vouches for entries that are not on the disk
    file.write(_batch_line(batch))
    _force(file)
    return outcome.result(batch, batches)


def _read(file: BinaryIO, end: int, places: dict[str, int]) -> tuple[Known, list[Batch]]:
    """Return what a ledger knows of its entries, and put into `places` where each stands."""

    def find(name: str) -> Row | None:
        if name not in places:
            return None
        file.seek(places[name])
        return _row(0, file.readline())

    known, batches, position = Known(find), [], 0
    file.seek(0)
    for line in file:
        if position >= end:
            break
        if line.startswith(_BATCH):
            batches.append(Batch(**_numbered(line)))
        elif position:
            document = json.loads(line)
            places[document["entry_id"]] = position
            known.note(document)
        position += len(line)
    return known, batches


def _dump(file: BinaryIO, rows: Iterable[Row], batches: Iterable[Batch]) -> None:
    """Write a whole ledger."""
    roots = {batch.number: batch for batch in batches}
    file.write(_HEADING)
    for number, of_batch in groupby(rows, key=lambda row: row.batch):
        file.writelines(row.text().encode() + b"\n" for row in of_batch)
        file.write(_batch_line(roots[number]))
    file.flush()


def _row(batch: int, line: bytes, path: Path | None = None, number: int | None = None) -> Row:
    document = _parse(line, path, number)
    text = None if line.startswith(_GONE) else line.decode().rstrip("\r\n")
    try:
        return Row(
            batch,
            document["entry_id"],
            document["pupil_ref"],
            document["prev_hash"],
            document["hash"],
            text,
        )
    except KeyError as error:
        raise ResponseError([_no_entry(path, number)]) from error


def _parse(line: bytes, path: Path | None, number: int | None) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ResponseError([_no_entry(path, number)])
    return document


def _no_entry(path: Path | None, number: int | None) -> Problem:
    file = "" if path is None else path.name
    return Problem("MH801", "is no entry", "one entry a line", file=file, row=number)


def _numbered(line: bytes) -> dict[str, Any]:
    found = json.loads(line)
    return {"number": found["batch"], "entries": found["entries"], "root": found["root"]}


def _batch_line(batch: Batch) -> bytes:
    document = {"batch": batch.number, "entries": batch.entries, "root": batch.root}
    return (canonical_json(document) + "\n").encode()


def _wanted(pupil_ref: str | None) -> bytes:
    return b"" if pupil_ref is None else f'"pupil_ref":{canonical_json(pupil_ref)}'.encode()


def _force(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
