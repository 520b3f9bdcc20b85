"""Emit: exactly one screening entry for every pupil, in roster order.

Entries are written a block of pupils at a time, see `mhscreen.steps.entry_texts`; until one is
asked for everything is kept in columns. No entry depends on another pupil or on the clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mhscreen.entries.pseudonyms import key_mark
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.plan.plan import check_plan
from mhscreen.problems import expect
from mhscreen.steps.entry_texts import EntryWriter
from mhscreen.steps.first_contact import see_first
from mhscreen.steps.times import Cycle, find_cycle, local_times
from mhscreen.steps.triage import Triage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.entry_texts import SealedBlock

__all__ = ["Cycle", "Entries", "SealedEntry", "emit", "find_cycle", "local_times", "see_first"]

Document = dict[str, Any]


class SealedEntry(NamedTuple):
    """One entry as it is written.

    Attributes
    ----------
    entry_id : str
        Its id.
    hash : str
        The hash over it.
    line : str
        The entry with its hash as one line of canonical JSON, without an end of line.
    """

    entry_id: str
    hash: str
    line: str


@dataclass(frozen=True, eq=False, repr=False)
class Entries:
    """The screening entries of a batch, made when asked for.

    Iterating gives each entry as a dict, `lines` as JSON, `models` as objects.
    """

    triage: Triage
    at: np.datetime64
    key: bytes | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<Entries: {len(self)} entries, {self.triage.plan.programme.ref}>"

    def __len__(self) -> int:
        """Return the number of entries: one per pupil."""
        return len(self.triage.subjects)

    def __iter__(self) -> Iterator[Document]:
        """Iterate over the entries, each with its hash, in roster order."""
        for line in self.lines():
            yield json.loads(line)

    def lines(self) -> Iterator[str]:
        """Iterate over the entries as lines of JSON, in roster order."""
        for sealed in self.sealed():
            yield sealed.line

    def models(self) -> Iterator[ScreeningEntry]:
        """Iterate over the entries as validated objects."""
        for document in self:
            yield ScreeningEntry.model_validate(document)

    def sealed(self) -> Iterator[SealedEntry]:
        """Iterate over the entries with their ids and hashes, in roster order."""
        for block in self.blocks():
            for one, hash_, line in zip(block.ids, block.hashes, block.lines(), strict=True):
                yield SealedEntry(one.decode(), f"sha256:{hash_.decode()}", line.decode())

    def blocks(self) -> Iterator[SealedBlock]:
        """Iterate over the entries as bytes, some hundred at a time, in roster order."""
        return EntryWriter(self.triage, self.at, self.cycle, self.key).blocks()

    @cached_property
    def cycle(self) -> Cycle:
        """The cycle that the entries belong to."""
        return find_cycle(self.triage.plan.programme, self.at)


def emit(plan: Plan, triage: Triage, at: np.datetime64, *, key: bytes | None = None) -> Entries:
    """Make the screening entries of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme; the one that `triage` was made with.
    triage : Triage
        The evaluated batch.
    at : datetime64[s]
        When the pupils are screened, in UTC: the entries' time, and the start of the clock
        where a form has no time of its own.
    key : bytes, optional
        With it `pupil_ref` is a pseudonym of the roster's `subject`; without, the `subject`.

    Raises
    ------
    UsageError
        If the triage was not made with this plan, or the key is too short.
    """
    expect("triage", triage, Triage)
    check_plan(plan, triage.plan)
    if key is not None:
        key_mark(key)  # refuses a key that is too short, before any entry is made
    return Entries(triage, at, key)
