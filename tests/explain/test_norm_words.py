"""A norm table in words: a percentile is never named without what it counts."""

import pytest

from mhscreen.definitions.norm_table import NormTable
from mhscreen.explain.norm_words import describe_norm

RELIABILITY = {
    "coefficient": "alpha", "value": 0.8, "sample": {"en": "pupils", "zh": "学生"},
    "around": "observed", "source": "own", "evidence": "one_source",
}  # fmt: skip


def norm(scale, stratum, **table):
    scale = {
        "scale": "total", "key_checksum": f"sha256:{'0' * 64}", "raw_range": (0.0, 27.0),
        "source": "own", "evidence": "one_source", "strata": [{"sex": "any"} | stratum],
    } | scale  # fmt: skip
    words = {"en": "x", "zh": "某"}
    return NormTable.model_validate(
        {
            "schema": "mhscreen/norm/1", "id": "kinds", "version": "1.0.0", "title": words,
            "instrument": "phq9@1.0.0", "informant": "self", "reference_group": words,
            "country": "AU/NL", "years": "2026", "mode": words, "sampling": words,
            "use": "display", "review_by": "2030-01-01", "rights": "none",
            "references": [{"id": "own", "citation": "made up", "supports": ["norms"]}],
            "scales": [scale],
        } | table
    )  # fmt: skip


TABLE = {"table": {"first": 1, "t": [40.0, 50.0], "percentile": [10.0, 50.0], "t_below": 40.0}}


@pytest.mark.parametrize(
    "definition, english, chinese",
    [
        ("below", "share below the score", "低于该分数的比例"),
        ("at_or_below", "share at or below the score", "不高于该分数的比例"),
        ("mid_rank", "half of those at the score", "同分者的一半"),
    ],
)
def test_a_percentile_stands_with_its_own_definition(definition, english, chinese):
    one = norm({"t_kind": "normalised", "percentile_definition": definition}, TABLE)
    assert english in describe_norm(one)
    assert chinese in describe_norm(one, "zh")
    assert "T score (normalised)" in describe_norm(one)
    assert "capped" in describe_norm(one)


def test_a_fit_says_that_its_percentile_is_fitted_and_how_its_stanines_are_cut():
    one = norm(
        {"t_kind": "normalised", "percentile_definition": "fitted", "stanine_kind": "half_z"},
        {"lms": {"l": 1.0, "m": 6.0, "s": 0.5}},
    )
    said = describe_norm(one)
    assert "share below in the fitted distribution" in said
    assert "Stanine (bands half a z wide)" in said
    assert "capped" not in said


def test_an_interval_names_the_coefficient_and_its_sample():
    one = norm(
        {"t_kind": "linear"}, {"mean_sd": {"mean": 6.0, "sd": 5.0}, "reliability": RELIABILITY}
    )
    assert "alpha 0.8 (pupils)" in describe_norm(one)
    assert "alpha 0.8 (学生)" in describe_norm(one, "zh")


def test_a_table_of_unknown_size_from_two_countries_says_both():
    said = describe_norm(norm({"t_kind": "linear"}, {"mean_sd": {"mean": 6.0, "sd": 5.0}}))
    assert "AU/NL" in said
    assert "n not stated" in said
    assert "Percentile" not in said


def test_every_shipped_norm_can_be_described_in_both_languages(library):
    for loaded in library.of_kind("norm"):
        for language in ("en", "zh"):
            assert loaded.definition.title.label(language) in describe_norm(
                loaded.definition, language
            )
