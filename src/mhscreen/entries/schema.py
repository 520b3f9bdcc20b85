"""The published schema: which model holds which type of entry, and their JSON Schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel

from mhscreen.definitions.common import Text
from mhscreen.entries import people
from mhscreen.entries.parts import SCHEMA_VERSION, Entry
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["MODELS", "entry_schema", "field_paths", "ledger_schema", "model_paths", "parse_entry"]

MODELS: dict[EntryType, type[Entry]] = {
    EntryType.SCREENING: ScreeningEntry,
    EntryType.INTERVIEW: people.Interview,
    EntryType.TIER_CHANGE: people.TierChange,
    EntryType.NOTIFICATION: people.Notification,
    EntryType.REFERRAL: people.Referral,
    EntryType.INTERVENTION: people.Intervention,
    EntryType.FOLLOW_UP: people.FollowUp,
    EntryType.LEAVE_RETURN: people.LeaveReturn,
    EntryType.TALK: people.Talk,
    EntryType.PLAN: people.Plan,
    EntryType.FEEDBACK: people.Feedback,
    EntryType.MEETING: people.Meeting,
    EntryType.ACTIVITY: people.Activity,
    EntryType.CLOSURE: people.Closure,
    EntryType.ACCESS: people.Access,
    EntryType.ACKNOWLEDGEMENT: people.Acknowledgement,
    EntryType.CONSENT: people.Consent,
    EntryType.TRANSFER: people.Transfer,
    EntryType.ERASURE: people.Erasure,
}
"""The model of each type of entry."""


def parse_entry(document: Mapping[str, Any]) -> Entry:
    """Return an entry as a validated object.

    Parameters
    ----------
    document : mapping
        A line of the ledger, as parsed from JSON.

    Raises
    ------
    pydantic.ValidationError
        If it does not satisfy the schema of its type; what is no known type is refused so, too.
    """
    kind = document.get("entry_type")
    if isinstance(kind, str) and kind in set(EntryType):
        return MODELS[EntryType(kind)].model_validate(document)
    return Entry.model_validate(document)


def entry_schema(kind: EntryType) -> dict[str, Any]:
    """Return the JSON Schema of one type of entry, as other systems read it."""
    schema = MODELS[kind].model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mhscreen:ledger-entry:{kind}:{SCHEMA_VERSION}",
        **schema,
    }


def ledger_schema() -> dict[str, Any]:
    """Return the JSON Schema of a line of the ledger: one of the types."""
    definitions: dict[str, Any] = {}
    for kind in EntryType:
        schema = MODELS[kind].model_json_schema(by_alias=True, mode="serialization")
        definitions |= schema.pop("$defs", {})
        definitions[MODELS[kind].__name__] = schema
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mhscreen:ledger-entry:{SCHEMA_VERSION}",
        "oneOf": [{"$ref": f"#/$defs/{MODELS[kind].__name__}"} for kind in EntryType],
        "$defs": definitions,
    }


def field_paths(kind: EntryType) -> tuple[str, ...]:
    """Return every field of a type of entry that holds a value; see `model_paths`."""
    return model_paths(MODELS[kind])


@cache
def model_paths(model: type[BaseModel]) -> tuple[str, ...]:
    """Return every field of a model that holds a value, not further fields.

    A field inside another follows a point, and ``*`` stands for any name; lists are passed
    through. Bilingual words are one value.

    Examples
    --------
    >>> model_paths(people.Observations)
    ('emotion', 'behaviour', 'social', 'academic')
    >>> [path for path in field_paths(EntryType.INTERVIEW) if "." in path][-4:]
    ['asked.about', 'asked.answer', 'asked.since', 'ratings.*']
    """
    return tuple(_paths(model, ""))


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield from _below(field.annotation, f"{prefix}{field.alias or name}")


def _below(kind: Any, path: str) -> Iterator[str]:
    inner = [one for one in get_args(kind) if one not in (type(None), ...)]
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not Text:
        yield from _paths(kind, f"{path}.")
    elif get_origin(kind) is dict:
        yield from _below(inner[1], f"{path}.*")
    else:
        deeper = dict.fromkeys(sub for one in inner for sub in _below(one, path))
        yield from deeper or [path]
