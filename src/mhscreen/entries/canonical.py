"""The one way of writing an entry as bytes, and the hashes over it.

Canonical JSON after RFC 8785: keys sorted, no blanks, UTF-8, whole numbers without a point.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "NAMESPACE",
    "MerkleTree",
    "canonical_json",
    "canonical_texts",
    "digest",
    "entry_hash",
    "entry_id",
    "entry_line",
    "merkle_root",
    "seal",
    "whole",
]

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_LINES = json.JSONEncoder(separators=("\n", ":"), ensure_ascii=False)
NAMESPACE = uuid.UUID("5a0f2a53-3a76-5f0e-9d3b-6d68736372ee")
"""Of the ids of entries."""


def whole(number: float | None) -> float | int | None:
    """Return a whole number as an int, as RFC 8785 writes it.

    Examples
    --------
    >>> whole(3.0), whole(4.5), whole(None)
    (3, 4.5, None)
    """
    if number is not None and number == int(number):
        return int(number)
    return number


def canonical_json(document: Any) -> str:
    """Return canonical JSON of a document.

    The document holds strings, ints, floats that are not whole, bools, None, lists, and mappings
    with ASCII keys.

    Examples
    --------
    >>> canonical_json({"b": [1, None], "a": "学"})
    '{"a":"学","b":[1,null]}'
    """
    return _ENCODER.encode(document)


def canonical_texts(texts: Sequence[str]) -> list[bytes]:
    r"""Return canonical JSON of many texts, each as bytes.

    Examples
    --------
    >>> canonical_texts(["A1", "a\tb"])
    [b'"A1"', b'"a\\tb"']
    """
    # A line feed within a text is written as two other characters, so that it can part them.
    return _LINES.encode(texts)[1:-1].encode().split(b"\n") if texts else []


def digest(text: str) -> str:
    """Return ``sha256:`` and the hexadecimal digest of a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Return the hash over an entry without its ``hash``."""
    return digest(canonical_json({key: entry[key] for key in entry if key != "hash"}))


def seal(text: str) -> tuple[str, str]:
    """Return the hash over the canonical JSON of an entry, and the same JSON with it in front.

    Examples
    --------
    >>> seal('{"age":9}')[1][:16], seal('{"age":9}')[1][-9:]
    ('{"hash":"sha256:', ',"age":9}')
    """
    hash_ = digest(text)
    return hash_, f'{{"hash":"{hash_}",{text[1:]}'


def entry_line(entry: Mapping[str, Any]) -> str:
    """Return an entry without ``hash`` as one line of JSON with it."""
    return seal(canonical_json(entry))[1]


def entry_id(
    entry_type: str, programme: str, cycle: str, pupil_ref: str, evidence: str, pins: str
) -> str:
    """Return the id of an entry: the same whenever the same evidence is entered again.

    Parameters
    ----------
    entry_type, programme, cycle, pupil_ref : str
        What the entry is about.
    evidence, pins : str
        Digests of the pupil's own evidence and of the definitions.
    """
    parts = (entry_type, programme, cycle, pupil_ref, evidence, pins)
    return str(uuid.uuid5(NAMESPACE, canonical_json(parts)))


class MerkleTree:
    """A tree over hashes in the order in which they are added; it keeps one node a level.

    Leaves and inner nodes are hashed with different prefixes; an odd node moves up unchanged.
    """

    def __init__(self) -> None:
        self._nodes: list[tuple[int, bytes]] = []  # height and hash, the highest first

    def add(self, leaf: str) -> None:
        """Add the next hash."""
        height, node = 0, hashlib.sha256(b"\x00" + leaf.encode()).digest()
        while self._nodes and self._nodes[-1][0] == height:
            height, node = height + 1, _inner(self._nodes.pop()[1], node)
        self._nodes.append((height, node))

    def root(self) -> str:
        """Return the root over what was added so far."""
        if not self._nodes:
            return "sha256:" + hashlib.sha256(b"").hexdigest()
        *others, (_, node) = self._nodes
        for _, left in reversed(others):
            node = _inner(left, node)
        return "sha256:" + node.hex()


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(hashes: Iterable[str]) -> str:
    """Return the root over entry hashes in the given order (sort them by entry id).

    See `MerkleTree`.

    Examples
    --------
    >>> merkle_root(["sha256:aa"]) == merkle_root(["sha256:aa", "sha256:aa"])
    False
    """
    tree = MerkleTree()
    for one in hashes:
        tree.add(one)
    return tree.root()
