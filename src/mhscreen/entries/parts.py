"""What all ledger entries share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mhscreen.definitions.common import Model
from mhscreen.vocabulary import Confidentiality, EntrySource, EntryType, LedgerClass, Stage

__all__ = ["SCHEMA_VERSION", "Digest", "Entry", "EntryRef", "Moment", "Organisation", "Period"]

SCHEMA_VERSION = "1.0.0"

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
EntryRef = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""The id of another entry."""
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}[+-]\d{2}:\d{2}$")]
"""A time with its zone."""
Period = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
"""A month."""


class Organisation(Model):
    """Where the pupil is at school."""

    city: str
    """Empty where not given."""
    district: str
    """Empty where not given."""
    school: str
    """As on the roster."""
    stage: Stage | None
    """School stage."""
    grade: int | None
    """1 to 12."""
    class_: Annotated[str, Field(alias="class")]
    """Empty where not given."""


class Entry(Model):
    """The head of every entry. Entries are never changed: another entry supersedes."""

    schema_version: Literal["1.0.0"]
    """The version of this schema."""
    entry_id: EntryRef
    """UUIDv5 of what was entered, without the clock: the same content has the same id."""
    supersedes: EntryRef | None
    """The entry that this one replaces."""
    entry_type: EntryType
    """What it records."""
    programme: str
    """At its exact version."""
    cycle_id: str
    """Programme, school year and window."""
    period: Period
    """The month."""
    term: str
    """School year and number of the window."""
    ledger_class: tuple[LedgerClass, ...]
    """The ledgers in which it appears, after the programme's ledger map."""
    org: Organisation
    """Where the pupil is at school."""
    pupil_ref: str | None
    """The roster's `subject` or its pseudonym, never a name; null where no pupil is meant."""
    occurred_at: Moment
    """When it happened."""
    recorded_at: Moment
    """When it was entered."""
    source: EntrySource
    """Where it comes from."""
    confidentiality: Confidentiality
    """Who may read it."""
    author: str
    """Who wrote it: a named person's reference at the school, or ``mhscreen``."""
    prev_hash: Digest | None
    """The hash of the pupil's entry before it; null for the first, and until it is stored."""
    hash: Digest
    """SHA-256 over the entry's canonical JSON without this key."""
