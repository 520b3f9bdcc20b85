"""Items one by one: what each adds, who chooses which option, and what looks mis-keyed."""

import numpy as np
import pytest

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import analyse_items, as_answers, estimate_alpha, trace_options

RNG = np.random.default_rng(11)
TRAIT = RNG.normal(size=(600, 1))
ANSWERS = np.clip(np.round(1.5 + 0.8 * TRAIT + 0.6 * RNG.normal(size=(600, 5))), 0, 3)
NAMES = ["q1", "q2", "q3", "q4", "q5"]


def taken(values=ANSWERS):
    return as_answers(values, NAMES)


def test_an_item_is_correlated_with_the_others_without_itself():
    found = analyse_items(taken())
    for place in range(5):
        rest = ANSWERS.sum(axis=1) - ANSWERS[:, place]
        expected = np.corrcoef(ANSWERS[:, place], rest)[0, 1]
        assert found.item_rest[place] == pytest.approx(expected, abs=1e-12)
        without = [name for name in NAMES if name != NAMES[place]]
        left = estimate_alpha(taken(), items=without)["alpha"].estimate
        assert found.alpha_without[place] == pytest.approx(left, abs=1e-12)


def test_floor_and_ceiling_are_shares_of_those_who_answered():
    values = np.array([[0, 3], [0, 2], [0, np.nan], [3, 1]])
    found = analyse_items(as_answers(values, between=(0, 3)), between=(0, 3), missing="pairwise")
    np.testing.assert_allclose(found.floor, [0.75, 0])
    np.testing.assert_allclose(found.ceiling, [0.25, 1 / 3])
    np.testing.assert_allclose(found.difficulty, [0.25, 2 / 3])
    np.testing.assert_allclose(found.blank, [0, 0.25])
    np.testing.assert_array_equal(found.answered, [4, 3])


def test_the_range_is_the_stated_one_and_else_that_of_the_data():
    assert analyse_items(taken()).between == (0, 3)
    assert analyse_items(taken(), between=(0, 4)).ceiling.max() == 0
    with pytest.raises(AnalysisError, match="outside the stated range"):
        analyse_items(taken(), between=(0, 2))


def test_a_weight_of_two_counts_like_two_forms():
    weight = np.where(np.arange(600) < 100, 2.0, 1.0)
    weighted = analyse_items(as_answers(ANSWERS, NAMES, weights=weight))
    repeated = analyse_items(taken(np.repeat(ANSWERS, weight.astype(int), axis=0)))
    for name in ("mean", "floor", "ceiling", "difficulty"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-12)
    np.testing.assert_allclose(weighted.item_rest, repeated.item_rest, atol=1e-10)


def test_a_forgotten_reversal_is_named_and_no_other_item():
    values = ANSWERS.copy()
    values[:, 3] = 3 - values[:, 3]
    assert [p.path for p in analyse_items(taken(values)).problems] == ["q4"]
    assert analyse_items(taken()).problems == ()


def test_shares_of_the_options_add_up_in_every_band():
    frame = trace_options(taken(), bands=4).to_frame()
    sums = frame.groupby(["item", "band"])["share"].sum()
    np.testing.assert_allclose(sums, 1, atol=1e-12)
    forms = frame.drop_duplicates(["item", "band"]).groupby("item")["forms"].sum()
    assert set(forms) == {600}


def test_higher_options_are_chosen_by_those_who_score_higher_on_the_rest():
    frame = trace_options(taken()).to_frame()
    for _, one in frame.drop_duplicates(["item", "option"]).groupby("item"):
        assert (np.diff(one["option_rest"]) > 0).all()
    assert trace_options(taken()).problems == ()


def test_options_in_another_order_are_named():
    values = ANSWERS.copy()
    values[:, 1] = np.array([0, 2, 1, 3])[values[:, 1].astype(int)]
    found = trace_options(taken(values))
    assert [(p.code, p.path) for p in found.problems] == [("MH715", "q2")]
    assert found.of("q2").problems == found.problems
    assert found.of("q1").problems == ()


def test_forms_with_one_sum_stay_in_one_band():
    values = np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
    curves = trace_options(values, bands=5).of("item_1")
    assert sorted(set(curves.rest)) == [1, 2]


def test_one_item_makes_a_picture():
    curves = trace_options(taken())
    assert len(curves.of("q1").plot().lines) == 4
    with pytest.raises(UsageError, match="one item makes a picture"):
        curves.plot()
    assert analyse_items(taken()).plot().get_xlabel()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: trace_options(taken(), missing="pairwise"), "missing is 'complete'"),
        (lambda: trace_options(taken(), bands=1), "at least two bands"),
        (lambda: trace_options(taken()).of("q9"), "no item q9"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_a_form_of_weight_three_counts_as_three_forms_in_the_option_curves():
    weights = np.arange(600) % 3 + 1
    weighted = trace_options(taken(), weights=weights)
    repeated = trace_options(as_answers(np.repeat(ANSWERS, weights, axis=0), NAMES))
    one, other = weighted.to_frame(), repeated.to_frame()
    assert one["band"].tolist() == other["band"].tolist()
    for name in ("rest", "share", "option_rest"):
        np.testing.assert_allclose(one[name], other[name])
    assert one["forms"].sum() < other["forms"].sum()


def test_weights_that_are_all_alike_leave_the_option_curves_as_they_are():
    plain = trace_options(taken()).to_frame()
    assert trace_options(taken(), weights=np.full(600, 2.5)).to_frame().equals(plain)
