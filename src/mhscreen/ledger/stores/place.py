"""Place: which of the entries that come in are new, what they follow and what they replace."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mhscreen.entries.canonical import entry_line
from mhscreen.ledger.chain import link
from mhscreen.ledger.incoming import Incoming, as_incoming
from mhscreen.ledger.record import FOLLOWS_FROM_THE_REST
from mhscreen.ledger.stores.base import Appended, Batch, Row, batch_root, ledger_root
from mhscreen.problems import Problem, ProblemLog, ResponseError
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mhscreen.ledger.stores.base import Items

__all__ = ["Known", "Outcome", "Placed", "in_chunks", "place"]

Document = dict[str, Any]

_CHUNK = 500
_STORED = frozenset({"hash", "prev_hash"})
_OF_THE_CLOCK = {
    True: _STORED | {"supersedes", "occurred_at", "recorded_at", "period", "age", "due_at"},
    False: _STORED | {"recorded_at", *FOLLOWS_FROM_THE_REST, "org"},
}
"""What may differ in two copies of a screening entry, and of a person's entry: the same forms
may be screened again later, the same draft be handed in again, be it from another school."""
_OF_THE_RUN = frozenset({"engine", "calendar"})


class Placed(NamedTuple):
    """An entry that is to be stored."""

    row: Row
    document: Mapping[str, Any]


@dataclass
class Known:
    """What the ledger knows of the entries that come in and of their pupils.

    Attributes
    ----------
    find : callable
        Returns the row that is stored under an id, or None.
    last : dict
        By pupil the hash of the last entry.
    current : dict
        By pupil and cycle the id of the current screening entry.
    """

    find: Callable[[str], Row | None]
    last: dict[str | None, str] = field(default_factory=dict)
    current: dict[tuple[str | None, str], str] = field(default_factory=dict)

    def note(self, document: Mapping[str, Any]) -> None:
        """Take in an entry that is stored."""
        pupil = document["pupil_ref"]
        self.last[pupil] = document["hash"]
        if document.get("entry_type") == EntryType.SCREENING:
            self.current[pupil, document["cycle_id"]] = document["entry_id"]


@dataclass
class Outcome:
    """What has become of the entries so far."""

    hashes: list[tuple[str, str]] = field(default_factory=list)
    already: int = 0
    erased: int = 0
    outdated: list[str] = field(default_factory=list)
    log: ProblemLog = field(default_factory=ProblemLog)

    def refuse(self) -> None:
        """Raise what is wrong, if anything is.

        Raises
        ------
        ResponseError
            With all of it.
        """
        if self.log:
            raise ResponseError(self.log)

    def batch(self, number: int) -> Batch:
        """Return the batch of what was new."""
        return Batch(number, len(self.hashes), batch_root(self.hashes))

    def result(self, batch: Batch | None, before: Iterable[Batch]) -> Appended:
        """Return what has become of all entries."""
        root = ledger_root((*before, *([] if batch is None else [batch])))
        return Appended(batch, self.already, self.erased, tuple(self.outdated), root)


def in_chunks(entries: Items, outcome: Outcome) -> Iterator[list[Incoming]]:
    """Yield checked entries some hundred at a time; what is wrong goes into the log."""
    chunk: list[Incoming] = []
    for one in entries:
        if isinstance(one, Problem):
            outcome.log.extend([one])
            continue
        try:
            chunk.append(one if isinstance(one, Incoming) else as_incoming(one))
        except ResponseError as error:
            outcome.log.extend(error.problems)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def place(chunk: Iterable[Incoming], known: Known, number: int, outcome: Outcome) -> list[Placed]:
    """Return what is new of a chunk, linked.

    Parameters
    ----------
    chunk : iterable of Incoming
        Checked entries.
    known : Known
        Brought up to date.
    number : int
        Of the batch.
    outcome : Outcome
        Counts what is not new; MH805 and MH807 go into its log.
    """
    found: dict[str, Placed] = {}
    for one in chunk:
        name = one.document["entry_id"]
        there = found[name].row if name in found else known.find(name)
        if there is not None:
            _count(one, there, known, outcome)
            continue
        placed = _link(one, known, number, outcome.log)
        found[name] = placed
        known.note(placed.document)
        outcome.hashes.append((name, placed.row.hash))
    return list(found.values())


def _count(one: Incoming, there: Row, known: Known, outcome: Outcome) -> None:
    """Take note of an entry whose id is stored."""
    document = one.document
    if there.line is None:
        outcome.erased += 1
        return
    outcome.already += 1
    is_screening = document["entry_type"] == EntryType.SCREENING
    if _content(document) != _content(json.loads(there.line)):
        hint = "screen again with the engine of the first time; correct by an entry that supersedes"
        what = "is in the ledger with other content"
        outcome.log.add("MH807", what, hint=hint, **_place(one))
    elif is_screening and _current(known, document) not in {None, document["entry_id"]}:
        outcome.outdated.append(document["entry_id"])


def _link(one: Incoming, known: Known, number: int, log: ProblemLog) -> Placed:
    document, line = one.document, one.line
    pupil = document["pupil_ref"]
    before = known.last.get(pupil)
    replaced = None
    if document["entry_type"] == EntryType.SCREENING and document["supersedes"] is None:
        replaced = _current(known, document)
    if document["prev_hash"] not in {None, before}:
        hint = "entries of another ledger come over by copying all of it: mhscreen ledger copy"
        log.add("MH805", "does not follow the pupil's last entry here", hint=hint, **_place(one))
    elif (document["prev_hash"], replaced) != (before, None):
        supersedes = replaced or document["supersedes"]
        document = link({**document, "supersedes": supersedes}, before)
        line = entry_line({name: document[name] for name in document if name != "hash"})
    row = Row(number, document["entry_id"], pupil, before, document["hash"], line)
    return Placed(row, document)


def _current(known: Known, document: Mapping[str, Any]) -> str | None:
    return known.current.get((document["pupil_ref"], document["cycle_id"]))


def _content(document: Mapping[str, Any]) -> Document:
    """Return what the id of an entry stands for."""
    left_out = _OF_THE_CLOCK[document["entry_type"] == EntryType.SCREENING]
    content = {name: value for name, value in document.items() if name not in left_out}
    if isinstance(basis := content.get("provenance"), dict):
        content["provenance"] = {k: v for k, v in basis.items() if k not in _OF_THE_RUN}
    return content


def _place(one: Incoming) -> dict[str, Any]:
    return {"path": one.document["entry_id"], "file": one.file, "row": one.row}
