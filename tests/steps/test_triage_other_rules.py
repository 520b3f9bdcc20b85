"""Conditions that the shipped policy does not use: derived scores, better-is-higher, validity."""

from pathlib import Path

import pytest

from mhscreen import compile_plan, load_library, screen

GOOD = Path(__file__).parents[1] / "definitions" / "good"


@pytest.fixture(scope="module")
def garden():
    return compile_plan(load_library(GOOD), "garden-2026@1")


@pytest.fixture
def entry(garden):
    """Screen one pupil of the fourth grade with a form about a pot plant."""

    def run(answers, **pupil):
        roster = {"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [4]}
        roster |= {name: [value] for name, value in ({"sex": "male", "age": 10} | pupil).items()}
        every = {"q1": 0, "q2": 0, "q3": 2, "q4": "N", "q5": None} | answers
        form = {"subject": ["A1"], **{f"leaf_self_{item}": [code] for item, code in every.items()}}
        result = screen(
            garden,
            roster=roster,
            responses={"leaf@self": form},
            at="2026-10-15",
            on_problem="report",
        )
        return next(iter(result.entries))

    return run


def rules(entry):
    return {reason["rule"] for reason in entry["tier_reasons"]}


def undecided(entry):
    return {rule["rule"] for rule in entry["undecided"]}


def test_a_plant_that_thrives_raises_nothing(entry):
    found = entry({})
    assert (found["established_tier"], found["possible_tier"], found["screen_tier"]) == (
        "none",
    ) * 3


def test_a_derived_score_reads_the_stratum_of_the_pupil(entry):
    # Raw 4 is T 54 for a boy of ten, and T 60 for a boy of thirteen: the same answers.
    answers = {"q1": 2, "q2": 1, "q3": 1}
    assert rules(entry(answers)) == set()
    older = entry(answers, age=13)
    assert rules(older) == {"G2"}
    (evidence,) = [e for r in older["tier_reasons"] for e in r["evidence"] if e["metric"] == "t"]
    assert (evidence["value"], evidence["cut"]) == (60, 60)


def test_a_derived_score_of_a_pupil_without_a_norm_is_undecided_and_never_low(entry):
    for nobody in ({"age": 7}, {"age": 19}, {"sex": "female"}, {"age": None}):
        found = entry({}, **nobody)
        assert found["screen_tier"] == "undetermined"
        assert undecided(found) == {"G2"}
        assert "not_normed" in found["flags"]


def test_a_derived_score_is_read_within_the_bounds_that_blanks_leave(entry):
    found = entry({"q1": 2, "q2": 1, "q3": None}, age=13)  # raw 3 to 5: T 53 to 67
    assert "G2" in rules(found) | undecided(found)


def test_where_higher_is_better_a_rule_points_down(entry):
    assert "G2" in rules(entry({"q2": 2, "q3": 1}))
    assert "G2" not in rules(entry({"q2": 2, "q3": 2}))
    assert "G2" not in rules(entry({"q2": 1, "q3": 1}))


def test_where_higher_is_better_a_blank_is_undecided(entry):
    assert "G2" in undecided(entry({"q2": 2, "q3": None}))
    assert "G3" in undecided(entry({"q3": None}))


@pytest.mark.parametrize("answer, holds", [(0, True), (1, False), (2, False)])
def test_an_item_may_be_read_downwards(entry, answer, holds):
    assert ("G3" in rules(entry({"q3": answer}))) is holds


def test_a_validity_index_may_be_a_reason_and_marks_the_form(entry):
    # Two of the two contrary answers at two: yellow often, growing often.
    found = entry({"q1": 2, "q3": 2})
    assert "G3" in rules(found)
    assert "questionable" in found["flags"]
    assert "invalid" not in found["flags"]


def test_a_questionable_form_alone_bars_nothing(entry):
    assert entry({"q1": 2, "q3": 2})["screen_tier"] == "watch"


def test_a_refused_answer_is_unanswered_where_no_rule_says_otherwise(entry):
    found = entry({"q1": 99})
    assert found["possible_tier"] != "none" or "incomplete" in found["flags"]
    (form,) = found["instruments"]
    assert form["scores"]["wilting"]["answered"] == 2


def test_a_programme_in_another_term_names_its_own_cycle(garden, entry):
    assert entry({})["cycle_id"] == "garden-2026/2026-2027/autumn"


def test_a_blank_critical_item_bars_none_even_where_no_rule_reads_it(garden, entry):
    from dataclasses import replace

    rules_ = tuple(rule for rule in garden.triage.rules if rule.id != "G1")
    silent = replace(garden, triage=replace(garden.triage, rules=rules_))
    roster = {"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [4]}
    roster |= {"sex": ["male"], "age": [10]}
    answers = {"q1": 0, "q2": 0, "q3": 2, "q4": None, "q5": None}
    form = {"subject": ["A1"], **{f"leaf_self_{item}": [code] for item, code in answers.items()}}
    result = screen(silent, roster=roster, responses={"leaf@self": form}, at="2026-10-15")
    (found,) = result.entries
    assert (found["possible_tier"], found["screen_tier"]) == ("none", "undetermined")
