"""The published schema: which model holds which type of entry, and their JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.entries import people
from mhscreen.entries.parts import SCHEMA_VERSION, Entry
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MODELS", "entry_schema", "ledger_schema", "parse_entry"]

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
