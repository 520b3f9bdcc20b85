"""What a scoring key gives, and the checksum that a norm is bound to."""

import pytest

from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.definitions.keys import (
    complete_scores,
    item_direction,
    item_scores,
    items_of,
    score_range,
)
from mhscreen.vocabulary import Direction

CLAIM = "source: manual, evidence: own_choice"


@pytest.fixture
def leaf(good):
    return good.instrument("leaf").definition


def test_range_follows_from_items_and_combiner(leaf):
    ranges = {scale.id: score_range(leaf, scale) for scale in leaf.scales}
    assert ranges == {"wilting": (0, 6), "growth": (0, 2), "contrary": (0, 2)}


@pytest.mark.parametrize(
    "combine, expected", [("sum", (0, 6)), ("mean", (0, 2)), ("maximum", (0, 2))]
)
def test_range_of_each_combiner(leaf, combine, expected):
    scale = leaf.scale("wilting").model_copy(update={"combine": combine})
    assert score_range(leaf, scale) == expected


def test_range_of_a_sum_of_scales_is_the_sum_of_their_ranges(leaf):
    total = leaf.scale("wilting").model_copy(
        update={
            "combine": "sum_of_scales",
            "items": (),
            "reverse": (),
            "scales": ("growth", "wilting"),
        }
    )
    assert score_range(leaf, total) == (0, 8)
    assert items_of(leaf, total) == ("q3", "q1", "q2")


def test_item_behind_a_gate_may_have_the_score_of_a_closed_gate(leaf):
    gate = leaf.gates[0].model_copy(update={"closed_score": -1})
    changed = leaf.model_copy(update={"gates": (gate,)})
    assert item_scores(changed, "q5") == (-1, 0, 1)
    assert item_scores(changed, "q4") == (0, 1)


@pytest.mark.parametrize(
    "combine, expected", [("sum", range(7)), ("mean", [n / 3 for n in range(7)])]
)
def test_scores_of_complete_forms_are_listed(leaf, combine, expected):
    scale = leaf.scale("wilting").model_copy(update={"combine": combine, "rounding": "none"})
    assert complete_scores(leaf, scale) == pytest.approx(list(expected))


def test_listed_scores_are_counted_where_the_scale_counts(leaf):
    changes = {"combine": "count", "count_at_or_above": 2}
    assert complete_scores(leaf, leaf.scale("wilting").model_copy(update=changes)) == (0, 1, 2, 3)


def test_index_without_its_fraction_never_has_some_scores(library):
    """Twenty items of 1 to 4 times 1.25: 39 gives 48 (48.75), 40 gives 50."""
    sas = library.instrument("sas@1").definition
    scores = complete_scores(sas, sas.scale("index"))
    assert scores == tuple(raw * 5 // 4 for raw in range(20, 81))
    assert 49 not in scores


@pytest.mark.parametrize("combine", ["levels", "sum_of_scales", "maximum"])
def test_scores_of_other_kinds_are_not_listed(leaf, combine):
    scale = leaf.scale("wilting").model_copy(update={"combine": combine})
    assert complete_scores(leaf, scale) == ()


def test_direction_of_an_item_follows_from_its_content_scales(leaf):
    assert item_direction(leaf, "q1") is Direction.WORSE
    assert item_direction(leaf, "q3") is Direction.BETTER  # keyed in reverse in "wilting"
    assert item_direction(leaf, "q4") is Direction.WORSE  # of no scale


def checksum_with(changed, *replacements, scale="wilting"):
    instrument, problems = changed("instrument", *replacements)
    assert problems == []
    return scale_key_checksum(instrument, scale)


@pytest.mark.parametrize(
    "replacement",
    [
        ("{en: yellow, zh: 发黄}", "{en: pale, zh: 苍白}"),
        ("version: 1.0.0", "version: 1.1.0"),
        ("{en: often, zh: 经常}", "{en: always, zh: 总是}"),
        ("at_or_above: 5", "at_or_above: 6"),
        ("items: [q1, q2, q3]", "items: [q3, q2, q1]"),
        ("min_answered: 2", "min_answered: 3"),
        (
            "    missing: {min",
            """\
    published:
      - {population: {en: Pots, zh: 盆栽}, mean: 2.5, source: manual, evidence: unverified}
    missing: {min""",
        ),
    ],
    ids=["topic", "version", "label", "cut", "order of items", "missing rule", "published"],
)
def test_checksum_of_a_key_does_not_depend_on(changed, replacement):
    assert checksum_with(changed, replacement) == checksum_with(changed)


@pytest.mark.parametrize(
    "replacements",
    [
        [
            ("items: [q1, q2, q3]", "items: [q1, q3]"),
            ("[0, 6]", "[0, 4]"),
            ("at_or_above: 5", "at_or_above: 4"),
        ],
        [
            ("code: 2, label", "code: 2, score: 3, label"),
            ("[0, 6]", "[0, 9]"),
            ("range: [0, 2]\n    higher_is: better", "range: [0, 3]\n    higher_is: better"),
        ],
        [
            ("combine: sum\n    items: [q1", "combine: mean\n    items: [q1"),
            ("[0, 6]", "[0, 2]"),
            ("at_or_above: 3", "at_or_above: 1"),
            ("at_or_above: 5", "at_or_above: 2"),
        ],
        [("    missing: {", "    rounding: half_up\n    missing: {")],
        [
            (
                "zh: 发黄}, ",
                f"zh: 发黄}}, blank_counts_as: {{score: 1, {CLAIM}}}, ",
            )
        ],
    ],
    ids=["items", "option scores", "combiner", "rounding", "rule for blanks"],
)
def test_checksum_of_a_key_depends_on(changed, replacements):
    assert checksum_with(changed, *replacements) != checksum_with(changed)


def test_checksum_depends_on_the_reverse_key(leaf):
    scale = leaf.scale("wilting").model_copy(update={"reverse": ()})
    other = leaf.model_copy(update={"scales": (scale, *leaf.scales[1:])})
    assert scale_key_checksum(other, "wilting") != scale_key_checksum(leaf, "wilting")


def test_checksum_of_a_sum_depends_on_its_components(leaf):
    total = leaf.scale("wilting").model_copy(
        update={
            "id": "total",
            "combine": "sum_of_scales",
            "items": (),
            "reverse": (),
            "scales": ("wilting",),
        }
    )
    one = leaf.model_copy(update={"scales": (*leaf.scales, total)})
    wilting = leaf.scale("wilting").model_copy(update={"reverse": ()})
    other = leaf.model_copy(update={"scales": (wilting, *leaf.scales[1:], total)})
    assert scale_key_checksum(one, "total") != scale_key_checksum(other, "total")
