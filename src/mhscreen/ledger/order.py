"""The order in which entries count, whatever the order in which they arrived."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.problems import Problem
from mhscreen.vocabulary import EntryType, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Event", "PupilEvents", "entries_by_pupil", "events_by_pupil", "in_order", "moment"]

Document = dict[str, Any]

_MACHINE = "mhscreen"


def moment(text: str) -> dt.datetime:
    """Return a time of the ledger."""
    return dt.datetime.fromisoformat(text)


@dataclass(frozen=True)
class Event:
    """An entry with what the fold sorts and asks by.

    Attributes
    ----------
    at, recorded : datetime
        When it happened, and when it was entered.
    kind : EntryType
        What it records.
    entry : mapping
        The whole entry.
    """

    at: dt.datetime
    recorded: dt.datetime
    kind: EntryType
    entry: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The entry's id."""
        return str(self.entry["entry_id"])

    @property
    def names(self) -> tuple[str, ...]:
        """The entries that it answers or decides on."""
        return tuple(self.entry.get("names", ()))

    @property
    def by_machine(self) -> bool:
        """Whether no person wrote it."""
        return bool(self.entry["author"] == _MACHINE)

    @property
    def tier(self) -> Tier:
        """The tier that it establishes or sets."""
        if self.kind is EntryType.SCREENING:
            return Tier(self.entry["established_tier"])
        if self.kind is EntryType.TIER_CHANGE:
            return Tier(self.entry["case_tier"])
        return Tier.NONE

    @property
    def rank(self) -> tuple[dt.datetime, dt.datetime, int, str]:
        """Its place in time; at the same time the higher tier comes last and so has its way."""
        return self.at, self.recorded, self.tier.position, self.id


@dataclass(frozen=True)
class PupilEvents:
    """The entries of one pupil that count, in order.

    Attributes
    ----------
    events : tuple of Event
        Without those that were erased or that a person has corrected.
    problems : tuple of Problem
        MH802: entries that others name and that are not there.
    """

    events: tuple[Event, ...]
    problems: tuple[Problem, ...]


def events_by_pupil(entries: Iterable[Mapping[str, Any]]) -> dict[str, PupilEvents]:
    """Return what counts for each pupil, by reference in order.

    Parameters
    ----------
    entries : iterable of mapping
        Lines of a ledger in any order, each once or more often; tombstones among them.
    """
    return {pupil: in_order(found, pupil) for pupil, found in entries_by_pupil(entries).items()}


def entries_by_pupil(
    entries: Iterable[Mapping[str, Any]],
) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Return the entries of each pupil by id, each once, by reference in order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for entry in entries:
        pupil = entry.get("pupil_ref")
        if pupil is None:
            continue  # a meeting or an activity
        name = str(entry["entry_id"])
        same = found[pupil].get(name)
        # Of two copies the one that was recorded first, so that the order of arrival is no matter.
        if same is None or _copy(entry) < _copy(same):
            found[pupil][name] = entry
    return {pupil: found[pupil] for pupil in sorted(found)}


def _copy(entry: Mapping[str, Any]) -> tuple[bool, str, str]:
    return "entry_type" not in entry, str(entry.get("recorded_at", "")), str(entry["hash"])


def in_order(entries: Mapping[str, Mapping[str, Any]], pupil: str) -> PupilEvents:
    """Return what counts of one pupil's entries, in order."""
    whole = [
        Event(
            moment(entry["occurred_at"]),
            moment(entry["recorded_at"]),
            EntryType(entry["entry_type"]),
            entry,
        )
        for entry in entries.values()
        if "entry_type" in entry
    ]
    erased = {
        one["entry_id"]
        for event in whole
        if event.kind is EntryType.ERASURE and not event.by_machine
        for one in event.entry["erased"]
    }
    present = {event.id: event for event in whole if event.id not in erased}
    corrected = {
        one.id
        for event in present.values()
        if (one := present.get(str(event.entry["supersedes"]))) is not None
        and _corrects(event, one)
    }
    events = sorted(
        (event for event in present.values() if event.id not in corrected),
        key=lambda event: event.rank,
    )
    known = set(entries) | erased
    absent = {
        name: event.id
        for event in events
        for name in (*event.names, event.entry["supersedes"])
        if name is not None and name not in known
    }
    unexplained = [name for name, one in entries.items() if "entry_type" not in one]
    problems = [
        Problem("MH802", "names an entry that the ledger does not hold", path=who, subject=pupil)
        for _, who in sorted(absent.items())
    ] + [
        Problem("MH802", "was erased, and no erasure entry says so", path=name, subject=pupil)
        for name in sorted(unexplained)
        if name not in erased
    ]
    return PupilEvents(tuple(events), tuple(problems))


def _corrects(event: Event, one: Event) -> bool:
    """Whether an entry takes the place of another: people correct what they entered themselves.

    A lower tier is a correction where it is about the same moment; otherwise it is a step down,
    and both count.
    """
    own = one.kind is event.kind and one.entry["author"] == event.entry["author"]
    lower = event.tier.position < one.tier.position
    return own and not event.by_machine and (not lower or event.at == one.at)
