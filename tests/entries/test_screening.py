"""The schema of a screening entry is one that other systems can check against."""

import jsonschema
import pytest
from pydantic import ValidationError

from mhscreen.entries.schema import entry_schema, ledger_schema
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.vocabulary import EntryType

SCHEMA = entry_schema(EntryType.SCREENING)


@pytest.fixture(scope="module")
def entries(school):
    pupils = [
        school.pupil("A1", forms={"phqa": school.full("phqa"), "asq": school.full("asq")}),
        school.pupil("A2", forms={"phqa": None, "mht": None, "gad7": None}),
        school.pupil("A3", forms={"phqa": school.calm("phqa", q9=None)}, class_="1"),
        school.pupil("A4", stage="primary", grade=2, age=8.5, sex="female"),
        school.pupil("A5", grade=99),
    ]
    return list(school.screen(*pupils).entries)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_entry_satisfies_the_published_schema(entries):
    for entry in entries:
        jsonschema.validate(entry, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_every_entry_is_a_line_of_the_published_ledger(entries):
    for entry in entries:
        jsonschema.validate(entry, ledger_schema(), cls=jsonschema.Draft202012Validator)


def test_every_reason_says_what_kind_of_difficulty_it_points_to(entries):
    for entry in entries:
        said = {one for reason in entry["tier_reasons"] for one in reason["classes"]}
        assert said == set(entry["problem_classes"])


def test_every_entry_satisfies_the_model(entries):
    for entry in entries:
        ScreeningEntry.model_validate(entry)


@pytest.mark.parametrize("key", ["entry_id", "screen_tier", "not_asked", "hash", "undecided"])
def test_an_entry_without_a_part_is_refused(entries, key):
    short = {name: value for name, value in entries[0].items() if name != key}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(short, SCHEMA)
    with pytest.raises(ValidationError):
        ScreeningEntry.model_validate(short)


def test_an_entry_with_a_tier_that_does_not_exist_is_refused(entries):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entries[0] | {"screen_tier": "healthy"}, SCHEMA)


def test_an_entry_with_something_unknown_is_refused(entries):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(entries[0] | {"name": "x"}, SCHEMA)
