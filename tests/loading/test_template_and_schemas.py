"""The first file of an author, and the schemas that editors read."""

import json

import jsonschema
import pytest
import yaml

from mhscreen.loading import check_paths, json_schema, new_cases_yaml, new_instrument_yaml
from mhscreen.problems import UsageError

KINDS = ["instrument", "norm", "policy", "programme", "cases"]


def test_new_instrument_passes_the_check_as_it_is(tmp_path):
    folder = tmp_path / "instruments" / "my-scale"
    folder.mkdir(parents=True)
    (folder / "0.1.0.yaml").write_text(new_instrument_yaml("my-scale"), encoding="utf-8")
    (folder / "0.1.0.cases.yaml").write_text(new_cases_yaml("my-scale"), encoding="utf-8")
    assert check_paths([tmp_path]) == []


@pytest.mark.parametrize("name", ["My-Scale", "my scale", "", "1st", "../up", "a\nb", "x@1"])
def test_new_instrument_needs_an_id_that_definitions_can_have(name):
    with pytest.raises(UsageError):
        new_instrument_yaml(name)


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_a_valid_schema_with_the_keys_of_the_files(kind):
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "schema" in schema["required"]
    assert "schema_" not in schema["properties"]


def test_schema_accepts_every_good_file_and_refuses_an_unknown_key(good_folder):
    for file in sorted(good_folder.rglob("*.yaml")):
        data = yaml.safe_load(file.read_text(encoding="utf-8"))
        data = json.loads(json.dumps(data, default=str))  # dates as text, as the grammar has them
        kind = data["schema"].split("/")[1]
        validator = jsonschema.Draft202012Validator(json_schema(kind))
        assert [error.message for error in validator.iter_errors(data)] == [], file.name
        assert not validator.is_valid(data | {"unheard_of": 1})


def test_unknown_schema_is_a_usage_error():
    with pytest.raises(UsageError, match="did you mean 'policy'"):
        json_schema("polcy")


def test_a_schema_says_of_each_key_what_the_grammar_says():
    schema = json_schema("norm")
    assert schema["properties"]["review_by"]["description"].startswith("The day by which")
    definitions = [schema, *schema["$defs"].values()]
    properties = [p for one in definitions for p in one.get("properties", {}).values()]
    silent = [p for p in properties if "description" not in p and "$ref" not in p]
    assert properties
    assert not silent
