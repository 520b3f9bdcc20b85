"""What every store of a ledger is: batches of entries, each batch with its root.

Entries stand in the order in which they were stored. Of an erased one a tombstone is left: its
id, its pupil, the hash of the pupil's entry before it, and its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mhscreen.entries.canonical import canonical_json, merkle_root
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mhscreen.ledger.incoming import Incoming
    from mhscreen.problems import Problem

    Items = Iterable[Mapping[str, Any] | str | Incoming | Problem]

__all__ = [
    "SCHEMA",
    "TOMBSTONE",
    "Appended",
    "Batch",
    "Ledger",
    "Row",
    "Store",
    "batch_root",
    "check_empty",
    "check_erased",
    "entries_of",
    "ledger_root",
]

SCHEMA = "mhscreen/ledger/1"
TOMBSTONE = ("entry_id", "hash", "prev_hash", "pupil_ref")


class Row(NamedTuple):
    """One entry as it is stored.

    Attributes
    ----------
    batch : int
        The number of its batch; 0 where the ledger has no batches.
    entry_id, hash : str
        Its id and hash.
    pupil_ref, prev_hash : str or None
        Whose it is, and the hash of that pupil's entry before it.
    line : str or None
        The entry as one line of canonical JSON; None where it was erased.
    """

    batch: int
    entry_id: str
    pupil_ref: str | None
    prev_hash: str | None
    hash: str
    line: str | None

    def document(self) -> dict[str, Any]:
        """Return the entry, or what is left of it."""
        if self.line is not None:
            document: dict[str, Any] = json.loads(self.line)
            return document
        return {name: getattr(self, name) for name in TOMBSTONE}

    def text(self) -> str:
        """Return the entry, or what is left of it, as one line of canonical JSON."""
        return canonical_json(self.document()) if self.line is None else self.line


class Batch(NamedTuple):
    """What was stored at once.

    Attributes
    ----------
    number : int
        From 1 on.
    entries : int
        How many.
    root : str
        The Merkle root over the hashes of its entries, sorted by id.
    """

    number: int
    entries: int
    root: str


@dataclass(frozen=True)
class Appended:
    """What became of the entries that were handed in.

    Attributes
    ----------
    batch : Batch or None
        What was stored; None where nothing was new.
    already : int
        Entries that were there before, with the same content.
    erased : int
        Entries that had been erased, and stay so.
    outdated : tuple of str
        Screening entries that were there before and that another one has replaced since: what
        was screened again is not the pupil's current entry.
    root : str
        The root over all batches, to be published.
    """

    batch: Batch | None
    already: int
    erased: int
    outdated: tuple[str, ...]
    root: str

    @property
    def added(self) -> int:
        """How many entries were new."""
        return 0 if self.batch is None else self.batch.entries


class Ledger(Protocol):
    """A ledger to read."""

    @property
    def name(self) -> str:
        """Where it is, without any password."""

    def rows(self, pupil_ref: str | None = None) -> Iterator[Row]:
        """Iterate over what is stored, in order; of one pupil, or all of it."""

    def entries(self, pupil_ref: str | None = None) -> Iterator[dict[str, Any]]:
        """Iterate over the entries that were not erased, in order."""

    def batches(self) -> tuple[Batch, ...]:
        """Return the batches, in order."""


class Store(Ledger, Protocol):
    """A ledger to read and write."""

    def append(self, entries: Items, /) -> Appended:
        """Store what is new of some entries as one batch: all of it, or none.

        Each entry is linked to the pupil's entry before it, and a screening entry supersedes the
        pupil's current one of the same cycle.

        Parameters
        ----------
        entries : iterable of mapping, str, Incoming or Problem
            Documents or lines; a problem that was found on the way refuses the batch.

        Raises
        ------
        ResponseError
            With everything that is wrong: MH801, MH805, MH807. Nothing is stored.
        UsageError
            If somebody else is writing and does not end.
        """

    def erase(self, erased: Mapping[str, str], entries: Items, /) -> Appended:
        """Take away the content of entries, and store at once the entries that say so.

        Parameters
        ----------
        erased : mapping of str to str
            By id the hash of each entry that goes.
        entries : iterable
            The erasure entries.

        Raises
        ------
        ResponseError
            As `append`. Nothing is changed.
        UsageError
            If the ledger does not hold one of the entries.
        """

    def restore(self, rows: Iterable[Row], batches: Iterable[Batch]) -> None:
        """Take over another ledger as it is, tombstones included.

        Raises
        ------
        UsageError
            If there is something in this one.
        """


def entries_of(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Iterate over the entries that were not erased."""
    return (row.document() for row in rows if row.line is not None)


def batch_root(hashes: Iterable[tuple[str, str]]) -> str:
    """Return the root of a batch from the id and hash of each entry."""
    return merkle_root(hash_ for _, hash_ in sorted(hashes))


def ledger_root(batches: Iterable[Batch]) -> str:
    """Return the root over the roots of all batches.

    Published where nobody can change it, it shows later whether a whole batch was taken away.
    """
    return merkle_root(batch.root for batch in batches)


def check_erased(wanted: Mapping[str, str], there: Mapping[str, Row]) -> None:
    """Check that what is to be erased is in the ledger, with that hash.

    Raises
    ------
    UsageError
        If it is not, or has been erased before.
    """
    for name, hash_ in wanted.items():
        row = there.get(name)
        if row is None or row.hash != hash_ or row.line is None:
            msg = f"entry {name} is not in the ledger with that hash, or was erased before"
            raise UsageError(msg)


def check_empty(name: str, *, empty: bool) -> None:
    """Check that a ledger may be taken over.

    Raises
    ------
    UsageError
        If there is something in it.
    """
    if not empty:
        msg = f"{name}: there is something in it; a ledger is copied to an empty place"
        raise UsageError(msg)
