"""What people enter satisfies the published schema, whatever its type."""

import jsonschema
import pytest
from pydantic import ValidationError

from mhscreen.entries.parts import Entry
from mhscreen.entries.schema import MODELS, entry_schema, ledger_schema, parse_entry
from mhscreen.vocabulary import EntryType


def test_every_type_of_entry_has_a_model_and_a_schema():
    assert list(MODELS) == list(EntryType)
    for kind in EntryType:
        jsonschema.Draft202012Validator.check_schema(entry_schema(kind))
    jsonschema.Draft202012Validator.check_schema(ledger_schema())


def test_every_type_of_entry_has_the_same_head():
    for kind, model in MODELS.items():
        assert set(Entry.model_fields) <= set(model.model_fields)
        assert model.model_json_schema()["properties"]["entry_type"]["const"] == kind


def test_what_is_no_type_of_entry_is_refused():
    with pytest.raises(ValidationError):
        parse_entry({"entry_type": "diagnosis"})
