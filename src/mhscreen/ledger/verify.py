"""Verify: a ledger that somebody has changed shows it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.ledger.chain import find_breaks
from mhscreen.ledger.stores.base import TOMBSTONE, Batch, batch_root, ledger_root
from mhscreen.problems import Problem, ProblemLog, ResponseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.ledger.stores.base import Ledger, Row

__all__ = ["Verification", "verify_ledger"]


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes
    ----------
    entries, erased, batches : int
        How many entries there are, of how many only the tombstone is left, and how many batches.
    root : str
        The root over all batches; publish it where nobody can change it.
    problems : tuple of Problem
        MH805: entries that are not as they were stored. MH806: batches, or a published root.
    """

    entries: int
    erased: int
    batches: int
    root: str
    problems: tuple[Problem, ...]


def verify_ledger(ledger: Ledger, root: str | None = None) -> Verification:
    """Check every hash, every pupil's chain and every batch of a ledger.

    Parameters
    ----------
    ledger : Ledger
        Any ledger; the ``ledger.jsonl`` of a run has no batches, and chains of one entry.
    root : str, optional
        A root that was published: of the ledger as it was then, or of one batch. That batches
        were taken away from the end shows by no other means.
    """
    log = ProblemLog()
    hashes: dict[int, list[tuple[str, str]]] = defaultdict(list)
    counts = {"entries": 0, "erased": 0}

    def documents() -> Iterator[Mapping[str, Any]]:
        for row in ledger.rows():
            counts["entries"] += 1
            counts["erased"] += row.line is None
            hashes[row.batch].append((row.entry_id, row.hash))
            yield _document(row, log)

    batches: tuple[Batch, ...] = ()
    try:
        batches = ledger.batches()
        log.extend(find_breaks(documents()))
    except ResponseError as error:
        log.extend(error.problems)
    _check_batches(batches, hashes, log)
    if root is not None and root not in _roots(batches):
        hint = "batches were taken away or changed since, or the root is that of another ledger"
        log.add("MH806", "no state of this ledger has the published root", hint=hint, path=root)
    return Verification(**counts, batches=len(batches), root=ledger_root(batches),
                        problems=tuple(log))  # fmt: skip


def _document(row: Row, log: ProblemLog) -> Mapping[str, Any]:
    """Return an entry; where the store's columns say something else, the columns count."""
    head = {name: getattr(row, name) for name in TOMBSTONE}
    try:
        document = row.document()
        if all(document.get(name) == value for name, value in head.items()):
            return document
        log.add("MH805", "its columns say something else than its line", path=row.entry_id)
    except ValueError:
        log.add("MH805", "its line cannot be read", path=row.entry_id)
    return head


def _check_batches(
    batches: Sequence[Batch], hashes: Mapping[int, list[tuple[str, str]]], log: ProblemLog
) -> None:
    expected = {batch.number: batch for batch in batches}
    for number in sorted({*expected, *range(1, len(batches) + 1), *hashes} - {0}):
        rows = hashes.get(number, [])
        there = Batch(number, len(rows), batch_root(rows))
        if expected.get(number) != there:
            what = "does not hold the entries that it was stored with"
            log.add("MH806", what, path=f"batch {number}")


def _roots(batches: Sequence[Batch]) -> set[str]:
    states = {ledger_root(batches[: n + 1]) for n in range(len(batches))}
    return states | {batch.root for batch in batches}
