"""What comes in: every entry is looked at before it is stored.

Of a machine's entry the head and the hash are checked, not every field: there are many, and a
hash that agrees was made over what the engine wrote. What people write is checked in full.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pydantic import ValidationError

from mhscreen.entries.canonical import canonical_json, seal
from mhscreen.entries.parts import Digest, EntryRef
from mhscreen.entries.schema import parse_entry
from mhscreen.problems import Problem, ResponseError
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Incoming", "as_incoming", "is_draft", "parse_line"]

Document = dict[str, Any]

_TYPES = frozenset(map(str, EntryType))
_NOBODYS = frozenset({str(EntryType.MEETING), str(EntryType.ACTIVITY)})
_TEXTS = ("schema_version", "programme", "cycle_id", "occurred_at", "recorded_at", "author")


def _pattern(kind: Any) -> re.Pattern[str]:
    field = get_args(kind)[1]
    return re.compile(next(one.pattern for one in field.metadata if hasattr(one, "pattern")))


_FORMS = (
    ("entry_id", _pattern(EntryRef), False),
    ("hash", _pattern(Digest), False),
    ("prev_hash", _pattern(Digest), True),
    ("supersedes", _pattern(EntryRef), True),
)
"""How a key is written, and whether it may be null."""


class Incoming(NamedTuple):
    """One entry on its way into a ledger.

    Attributes
    ----------
    document : mapping
        The entry.
    line : str
        The same as one line of canonical JSON.
    file, row : str, int or None
        Where it came from, for problems.
    """

    document: Mapping[str, Any]
    line: str
    file: str = ""
    row: int | None = None


def as_incoming(
    entry: Mapping[str, Any] | str, *, file: str = "", row: int | None = None
) -> Incoming:
    """Return an entry, checked: its head is there and its hash is right.

    Parameters
    ----------
    entry : mapping or str
        A document, or a line of a ledger.
    file, row : str, int, optional
        Where it came from.

    Raises
    ------
    ResponseError
        MH801 for each key that is wrong, without its value.
    """
    document = parse_line(entry, file=file, row=row) if isinstance(entry, str) else entry
    wrong = list(_wrong(document)) or _wrong_within(document)
    if not wrong:
        hash_, line = seal(_without_hash(document))
        if hash_ == document["hash"]:
            return Incoming(document, line, file, row)
        wrong = [("hash", "was not made over this content")]
    raise ResponseError(
        [Problem("MH801", what, path=path, file=file, row=row) for path, what in wrong]
    )


def parse_line(line: str | bytes, *, file: str = "", row: int | None = None) -> Document:
    """Return a line of JSON as a document.

    Raises
    ------
    ResponseError
        MH801 where it is none.
    """
    try:
        text = line if isinstance(line, str) else line.decode("utf-8-sig")
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        problem = Problem("MH801", "is no line of JSON", "one entry a line", file=file, row=row)
        raise ResponseError([problem])
    return document


def is_draft(document: Mapping[str, Any]) -> bool:
    """Whether it is what a person hands in: nobody writes an id or a hash by hand."""
    return "entry_id" not in document and "hash" not in document


def _wrong_within(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with a person's entry by the schema of its type."""
    if document["entry_type"] == EntryType.SCREENING:
        return []
    try:
        parse_entry(document)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        return [(".".join(map(str, one["loc"])), one["msg"]) for one in found]
    return []


def _without_hash(document: Mapping[str, Any]) -> str:
    return canonical_json({name: document[name] for name in document if name != "hash"})


def _wrong(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the head of an entry, each with its key."""
    for name, pattern, nullable in _FORMS:
        value = document.get(name, "")
        if not (nullable and value is None) and not (
            isinstance(value, str) and pattern.search(value)
        ):
            yield name, "is absent or not of its form"
    for name in _TEXTS:
        if not isinstance(document.get(name), str):
            yield name, "is absent or no text"
    if not isinstance(document.get("org"), dict):
        yield "org", "is absent or no mapping"
    kind = document.get("entry_type")
    if not isinstance(kind, str) or kind not in _TYPES:
        yield "entry_type", "is none that a ledger knows"
    pupil = document.get("pupil_ref", "")
    if not pupil and not (pupil is None and kind in _NOBODYS):
        yield "pupil_ref", "names no pupil"
    elif pupil is not None and not isinstance(pupil, str):
        yield "pupil_ref", "is no text"
