"""Replay: screening entries made again from their inputs are the same, byte for byte."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import entry_line
from mhscreen.ledger.chain import link
from mhscreen.problems import UsageError
from mhscreen.steps.emit import local_times
from mhscreen.vocabulary import EntryType, ReplayDifference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mhscreen.ledger.stores.base import Ledger
    from mhscreen.steps.emit import Entries

    Document = Mapping[str, Any]

__all__ = ["Different", "Replay", "replay_entries"]

_STORED = frozenset({"hash", "prev_hash", "supersedes"})


@dataclass(frozen=True)
class Different:
    """An entry that came out otherwise.

    Attributes
    ----------
    pupil_ref, entry_id : str
        Whose, and which entry of the ledger.
    why : tuple of ReplayDifference
        The inputs that are not those of the first time; where all of them are, `FIELD`.
    fields : tuple of str
        Where the two entries differ; of definitions the references too, where they tell.
    """

    pupil_ref: str
    entry_id: str
    why: tuple[ReplayDifference, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """What came of it.

    Attributes
    ----------
    same : int
        Entries that came out byte for byte.
    erased : int
        Entries of which only the tombstone is left, over the whole ledger.
    different : tuple of Different
        Those that did not, in the ledger's order.
    """

    same: int
    erased: int
    different: tuple[Different, ...]


def replay_entries(ledger: Ledger, made: Entries) -> Replay:
    """Compare the screening entries of a ledger with those that were made again.

    Compared are the entries of the ledger of the same programme and time; `prev_hash` and
    `supersedes` are taken from the ledger, since they are not the screening's.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    made : Entries
        Made from the same inputs, at the same time.

    Raises
    ------
    UsageError
        If the ledger has no screening entry of that programme and time.
    """
    programme = made.triage.plan.programme
    (at,) = local_times(programme.zone, np.array([made.at]))
    stored: dict[str, list[str]] = {}
    erased = 0
    for row in ledger.rows():
        if row.line is None:
            erased += 1
            continue
        entry = json.loads(row.line)
        if (
            entry["entry_type"] == EntryType.SCREENING
            and entry["occurred_at"] == at
            and entry["programme"].partition("@")[0] == programme.id
        ):
            stored.setdefault(entry["pupil_ref"], []).append(row.line)
    if not stored:
        msg = f"{ledger.name} has no screening entry of {programme.id} at {at}"
        raise UsageError(msg)
    same = 0
    different: dict[str, Different] = {
        pupil: Different(pupil, json.loads(lines[-1])["entry_id"],
                         (ReplayDifference.NOT_ON_ROSTER,), ())
        for pupil, lines in stored.items()
    }  # fmt: skip
    for again in made:
        pupil = again["pupil_ref"]
        if pupil in stored:
            found = _compare(again, stored[pupil])
            if found is None:
                same += 1
                del different[pupil]
            else:
                different[pupil] = found
    return Replay(same, erased, tuple(different.values()))


def _compare(again: Document, lines: list[str]) -> Different | None:
    """Compare with the entry of the same id, else with the pupil's last."""
    candidates = [(json.loads(line), line) for line in lines]
    entry, line = next(
        (one for one in candidates if one[0]["entry_id"] == again["entry_id"]), candidates[-1]
    )
    linked = link({**again, "supersedes": entry["supersedes"]}, entry["prev_hash"])
    if entry_line({name: linked[name] for name in linked if name != "hash"}) == line:
        return None
    fields = tuple(_fields(entry, again))
    return Different(entry["pupil_ref"], entry["entry_id"], tuple(_why(entry, again)), fields)


def _why(entry: Document, again: Document) -> Iterator[ReplayDifference]:
    """Yield the inputs that differ; the digests in the entry tell them apart."""
    first, second = entry["provenance"], again["provenance"]
    inputs = (
        (ReplayDifference.ANSWERS, "answers"),
        (ReplayDifference.ROSTER_LINE, "roster"),
        (ReplayDifference.DEFINITIONS, "definitions"),
        (ReplayDifference.ENGINE, "engine"),
    )
    found = [why for why, name in inputs if first[name] != second[name]]
    yield from found
    changed = {name for name in _fields(entry, again) if not name.startswith("provenance.")}
    if first["calendar"] != second["calendar"] or (not found and changed == {"due_at"}):
        yield ReplayDifference.CALENDAR
    elif not found:
        yield ReplayDifference.FIELD


def _fields(entry: Document, again: Document) -> Iterator[str]:
    """Yield where two entries differ, and which definitions do by their references."""
    for name in sorted({*entry, *again} - _STORED - {"provenance"}):
        if entry.get(name) != again.get(name):
            yield name
    first, second = entry["provenance"], again["provenance"]
    for name in sorted({*first, *second}):
        if first.get(name) != second.get(name):
            yield f"provenance.{name}"
    yield from sorted(_refs(entry) ^ _refs(again))


def _refs(entry: Document) -> set[str]:
    """Return the definitions that an entry names."""
    basis = entry["provenance"]
    forms = {form["instrument"] for form in entry["instruments"]}
    return {entry["programme"], basis["policy"], *basis["norms"], *forms}
