"""Parts that are done, put together again in the order of the roster."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import MerkleTree
from mhscreen.interop.files import ROW_GROUP, CsvWriter, ParquetWriter
from mhscreen.interop.sorted_lines import merge_runs
from mhscreen.steps.shares import Share, judge_shares
from mhscreen.steps.urgent import number_urgent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from mhscreen.definitions import Programme
    from mhscreen.interop.part import PartFiles
    from mhscreen.problems import Problem

__all__ = [
    "entries_root",
    "judge_all_shares",
    "merge_pupils",
    "merge_unmatched",
    "merge_urgent",
]

WINDOW = 4096
"""Lines of the roster that are put together at once."""


def merge_pupils(
    parts: Sequence[PartFiles],
    ledger: BinaryIO,
    archive: ParquetWriter,
    archive_csv: CsvWriter | None,
    tell: Callable[[int], None],
) -> None:
    """Write ledger and archive in roster order.

    Parameters
    ----------
    parts : sequence of PartFiles
        All parts of the run.
    ledger : binary file
        Open for writing.
    archive : ParquetWriter
        The archive.
    archive_csv : CsvWriter or None
        The same for people.
    tell : callable
        Called with how many pupils are written.
    """
    import pyarrow as pa

    readers = [_Reader(part) for part in parts]
    written = 0
    while waiting := [reader for reader in readers if reader.next_line is not None]:
        first = min(reader.next_line or 0 for reader in waiting)
        end = first + WINDOW
        found = [r.read(end) for r in waiting if r.next_line is not None and r.next_line < end]
        order = np.argsort(np.concatenate([lines for lines, _, _ in found]))
        entries = [entry for _, part, _ in found for entry in part]
        ledger.writelines(entries[place] for place in order.tolist())
        rows = pa.concat_tables([table for _, _, table in found]).take(pa.array(order))
        columns = dict(zip(rows.column_names, rows.columns, strict=True))
        archive.write(columns)
        if archive_csv is not None:
            archive_csv.write(columns)
        written += len(order)
        tell(written)
    archive.finish()


class _Reader:
    """Reads one part on and on; its files are open only meanwhile."""

    def __init__(self, part: PartFiles) -> None:
        self.part = part
        self.next_line: int | None = None
        self._row = self._offset = 0
        self._look(np.load(part.lines, mmap_mode="r"))

    def _look(self, lines: NDArray[np.int64]) -> None:
        self.next_line = int(lines[self._row]) if self._row < len(lines) else None

    def read(self, end: int) -> tuple[NDArray[np.int64], list[bytes], Any]:
        """Return lines of the roster before `end`, their entries and their rows of the archive."""
        import pyarrow as pa

        lines = np.load(self.part.lines, mmap_mode="r")
        row = int(np.searchsorted(lines, end))
        number = row - self._row
        with self.part.ledger.open("rb") as file:
            file.seek(self._offset)
            entries = list(islice(file, number))
        self._offset += sum(map(len, entries))
        with pa.memory_map(str(self.part.archive)) as file:
            table = pa.ipc.open_file(file).read_all().slice(self._row, number)
        found = np.array(lines[self._row : row])
        self._row = row
        self._look(lines)
        return found, entries, table


def merge_unmatched(parts: Sequence[PartFiles], folder: Path, file: BinaryIO) -> None:
    """Write the forms that a person must match: off the roster, then of another stage."""
    found = merge_runs([part.run("unmatched") for part in parts], folder)
    file.writelines(text.encode() + b"\n" for _, text in found)


def merge_urgent(
    parts: Sequence[PartFiles], folder: Path, file: BinaryIO
) -> Iterator[dict[str, list[Any]]]:
    """Write the urgent list; yield it in parts, as columns."""
    rows = (row for _, row in merge_runs([part.run("urgent") for part in parts], folder))
    writer = CsvWriter(file, for_people=True)
    first = 1
    while True:
        block = list(islice(rows, ROW_GROUP))
        if not block and first > 1:
            return
        columns = number_urgent(block, first=first)
        writer.write(columns)
        yield columns
        first += len(block)
        if not block:
            return


def judge_all_shares(
    programme: Programme, parts: Sequence[PartFiles], folder: Path
) -> Iterator[Problem]:
    """Compare the shares of all parts together with what the programme expects."""
    records = merge_runs([part.run("shares") for part in parts], folder)

    def counts() -> Iterator[tuple[Share, tuple[int, int]]]:
        for key, same in groupby(records, key=lambda record: record[0]):
            found = [record[1] for record in same]
            yield Share(*key), (sum(k for k, _ in found), sum(n for _, n in found))

    return judge_shares(programme, counts())


def entries_root(parts: Sequence[PartFiles], number: int) -> str:
    """Return the Merkle root over the hashes of all entries, sorted by id.

    Ids are spread evenly, so that those which begin alike are few enough to be sorted.
    """
    tree = MerkleTree()
    bits = max(number // WINDOW, 1).bit_length()
    edges = [np.uint64(one << (64 - bits)) for one in range(1 << bits)]
    places = [0] * len(parts)
    for one in range(len(edges)):
        found = []
        for place, part in enumerate(parts):
            hashes = np.load(part.hashes, mmap_mode="r")
            end = len(hashes)
            if one + 1 < len(edges):
                end = int(np.searchsorted(hashes["high"], edges[one + 1]))
            found.append(np.array(hashes[places[place] : end]))
            places[place] = end
        together = np.concatenate(found)
        for text in together[np.lexsort([together["low"], together["high"]])]["hash"].tolist():
            tree.add(f"sha256:{text.decode()}")
    return tree.root()
