"""Parts that are done, put together again in the order of the roster."""

from __future__ import annotations

from itertools import count, groupby, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import MerkleTree
from mhscreen.interop.files import ROW_GROUP, CsvWriter
from mhscreen.interop.sorted_lines import merge_runs
from mhscreen.steps.shares import Share, judge_shares
from mhscreen.steps.urgent import number_urgent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from mhscreen.definitions import Programme
    from mhscreen.interop.part import PartFiles
    from mhscreen.problems import Problem

__all__ = [
    "entries_root",
    "judge_all_shares",
    "merge_unmatched",
    "merge_urgent",
]

HELD = 1 << 17
"""About how many hashes are in memory at once."""


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


def entries_root(parts: Sequence[PartFiles], folder: Path) -> str:
    """Return the Merkle root over the hashes of all entries, sorted by id.

    Ids are spread evenly, so that those which begin alike are few enough to be sorted.

    Parameters
    ----------
    parts : sequence of PartFiles
        All parts of the run.
    folder : Path
        Where the hashes of many parts are put together first.
    """
    runs = list(_hash_runs(parts, folder))
    tree = MerkleTree()
    bits = len(runs).bit_length()
    edges = [*(np.uint64(one << (64 - bits)) for one in range(1, 1 << bits)), None]
    places = [0] * len(runs)
    for edge in edges:
        found = []
        for number, run in enumerate(runs):
            hashes = np.load(run, mmap_mode="r")
            end = len(hashes) if edge is None else int(np.searchsorted(hashes["high"], edge))
            found.append(np.array(hashes[places[number] : end]))
            places[number] = end
        for text in _by_id(found)["hash"].tolist():
            tree.add(f"sha256:{text.decode()}")
    return tree.root()


def _hash_runs(parts: Sequence[PartFiles], folder: Path) -> Iterator[Path]:
    """Put the hashes of neighbouring parts together, so that there are few files."""
    remaining = iter(parts)
    for number in count():
        held: list[NDArray[np.void]] = []
        while sum(map(len, held)) < HELD and (part := next(remaining, None)) is not None:
            held.append(np.load(part.hashes))
        if not held:
            return
        path = folder / f"hashes-{number:06d}.npy"
        np.save(path, _by_id(held))
        yield path


def _by_id(parts: Sequence[NDArray[np.void]]) -> NDArray[np.void]:
    together = np.concatenate(parts)
    return together[np.lexsort([together["low"], together["high"]])]
