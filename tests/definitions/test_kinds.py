"""What the key of each kind of scoring gives: ranges, items, checksums."""

from pathlib import Path

import pytest

from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.definitions.keys import items_of, own_items, parts_of, score_range
from mhscreen.loading import read_definition

TEXT = (Path(__file__).parents[1] / "steps" / "bark.yaml").read_text(encoding="utf-8")


def read(*replacements):
    text = TEXT
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    definition, problems = read_definition(text, "bark.yaml")
    assert problems == []
    return definition


@pytest.fixture(scope="module")
def bark():
    return read()


def test_the_range_is_that_after_transform_and_rounding(bark):
    found = {scale.id: score_range(bark, scale) for scale in bark.scales}
    assert found["weighted"] == (0, 24)
    assert found["index"] == (0, 15)
    assert found["tenfold"] == (0, 30)
    assert found["percent"] == (0, 100)
    assert found["band"] == (0, 3)
    assert found["both"] == (0, 9)
    assert found["number"] == (0, 4)
    assert found["triage"] == (0, 4)
    assert found["trait"] == pytest.approx((36.2, 72.5), abs=0.05)


def test_an_end_of_the_range_that_is_no_whole_number_is_rounded_as_scores_are(bark):
    index = bark.scale("index")
    for rounding, highest in (("none", 13.2), ("down", 13), ("half_up", 13)):
        changed = index.model_copy(
            update={
                "rounding": rounding,
                "transform": index.transform.model_copy(update={"multiply": 1.1}),
            }
        )
        assert score_range(bark, changed) == pytest.approx((0, highest))


def test_levels_have_the_items_and_scales_that_they_name(bark):
    triage = bark.scale("triage")
    assert own_items(triage) == ("q1", "q7", "q2", "q6", "q4")
    assert parts_of(triage) == ("number",)
    assert set(items_of(bark, triage)) == {"q1", "q2", "q3", "q4", "q6", "q7"}


LEAF = "sha256:6917a4cad88883e2356b806a5d0e5fbb5cda17c9f8d9145d7efd85798ffeb11e"
KEY_CHANGES = {
    "weight": ("weighted", ("q1: 3, q2: 1", "q1: 1, q2: 3")),
    "factor": ("index", ("multiply: 1.25}\n", "multiply: 1.26}\n")),
    "rounding": ("index", ("rounding: down", "rounding: half_up")),
    "range onto": (
        "percent",
        ("onto: [0, 100]}\n    range: [0, 100]", "onto: [0, 10]}\n    range: [0, 10]"),
    ),
    "value of a table": ("band", ("[0, 1, 1, 2, 2, 3, 3]", "[0, 1, 2, 2, 2, 3, 3]")),
    "table of a component": ("both", ("[0, 1, 1, 2, 2, 3, 3]", "[0, 1, 2, 2, 2, 3, 3]")),
    "exception": ("number", ("{q4: 1}", "{q4: 3}")),
    "level": ("triage", ("count: 2", "count: 3")),
    "scale in a level": ("triage", ("{q4: 1}", "{q4: 3}")),
    "prior": ("trait", ("prior: {mean: 0, sd: 1}", "prior: {mean: 0.0001, sd: 1}")),
    "parameter": ("trait", ("b: [-0.4, 0.7, 1.9]", "b: [-0.4, 0.7, 1.9001]")),
    "fewest answers": ("trait", ("min_answered: 4", "min_answered: 5")),
}  # fmt: skip


@pytest.mark.parametrize("key, change", KEY_CHANGES.values(), ids=KEY_CHANGES)
def test_the_checksum_of_a_key_depends_on(bark, key, change):
    assert scale_key_checksum(read(change), key) != scale_key_checksum(bark, key)


@pytest.mark.parametrize("key", ["index", "triage", "trait"])
def test_the_checksum_of_a_key_does_not_depend_on_cut_scores(bark, key):
    changed = read(
        ("at_or_above: 6}", "at_or_above: 7}"), ("{en: Some, zh: 有}", "{en: Few, zh: 少}")
    )
    assert scale_key_checksum(changed, key) == scale_key_checksum(bark, key)


def test_kinds_of_scoring_that_came_later_left_the_checksums_of_earlier_keys_as_they_were(good):
    leaf = good.instrument("leaf").definition
    assert scale_key_checksum(leaf, "wilting") == LEAF
