"""The chain: each entry of a pupil holds the hash of the one before it.

A changed entry no longer has its hash, and a removed one leaves its successor without a
predecessor. That the last entry of a pupil was removed shows in the root over its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.entries.canonical import entry_hash, merkle_root
from mhscreen.problems import Problem
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Document = Mapping[str, Any]

__all__ = ["batch_root", "find_breaks", "link"]


def link(entry: Document, before: str | None) -> dict[str, Any]:
    """Return an entry with the hash of the pupil's entry before it, and its own hash anew."""
    linked = {**entry, "prev_hash": before}
    return {**linked, "hash": entry_hash(linked)}


def batch_root(entries: Iterable[Document]) -> str:
    """Return the root over the hashes of a batch, sorted by entry id."""
    return merkle_root(one["hash"] for one in sorted(entries, key=lambda one: one["entry_id"]))


def find_breaks(entries: Iterable[Document]) -> list[Problem]:
    """Return where the chain of a pupil is broken.

    Parameters
    ----------
    entries : iterable of dict
        A ledger in the order in which it was stored. A tombstone of an erased entry has
        ``entry_id``, ``pupil_ref``, ``prev_hash`` and ``hash`` and no content.

    Returns
    -------
    list of Problem
        MH805: an entry's content, or its predecessor, is not the one that it was stored with.
        Erased entries are taken at their hash where an erasure entry names it.
    """
    found: list[Problem] = []
    last: dict[str | None, str] = {}
    gone: dict[tuple[str, str], Problem] = {}
    erased: set[tuple[str, str]] = set()
    for entry in entries:
        name, hash_, pupil = entry["entry_id"], entry["hash"], entry.get("pupil_ref")
        if "entry_type" not in entry:
            what = "has no content any more, and no erasure entry says why"
            gone[name, hash_] = Problem("MH805", what, path=name)
        elif entry_hash(entry) != hash_:
            what = "does not have the content that its hash was made over"
            found.append(Problem("MH805", what, path=name))
        elif entry["entry_type"] == EntryType.ERASURE:
            erased |= {(one["entry_id"], one["hash"]) for one in entry["erased"]}
        if entry["prev_hash"] != last.get(pupil):
            what = "does not follow the pupil's entry before it"
            hint = "an entry between the two was removed, or the order was changed"
            found.append(Problem("MH805", what, hint=hint, path=name))
        last[pupil] = hash_
    return found + [problem for key, problem in gone.items() if key not in erased]
