"""Every kind of scoring: weights, transforms, levels and item response models, with bounds."""

from itertools import product
from math import floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.definitions.keys import item_direction
from mhscreen.kernels import irt
from mhscreen.kernels.codes import BLANK
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED
from mhscreen.loading import load_library, read_definition
from mhscreen.plan.scoring import compile_form
from mhscreen.steps import score as score_step
from mhscreen.steps.result_columns import form_columns
from mhscreen.steps.score import scale_truth, score_forms
from mhscreen.testing import run_cases
from mhscreen.testing.strategies import forms, forms_with_one_worse, worse_side
from mhscreen.vocabulary import Direction, Informant

TEXT = (Path(__file__).parent / "bark.yaml").read_text(encoding="utf-8")
BARK, PROBLEMS = read_definition(TEXT, "bark.yaml")
PLAN = compile_form(BARK, Informant.SELF)
GRADED = {
    "q1": (1.8, (-0.4, 0.7, 1.9)), "q2": (0.9, (-1.5, 0.1, 0.4)), "q3": (2.4, (0.3, 0.9, 1.6)),
    "q4": (1.2, (-0.2, 0.2, 1.1)), "q5": (1.1, (0.5,)), "q7": (2.0, (1.5,)),
}  # fmt: skip
PARTIAL = {
    "q1": (0.8, -0.3, 1.2), "q2": (-0.5, 0.1, 0.5), "q3": (0.1, 0.2, 0.3), "q4": (-1.2, 0.4, 1.1),
}  # fmt: skip
ZERO = {f"q{n}": 0 for n in range(1, 8)}
EXACT = ("weighted", "index", "tenfold", "percent", "band", "both", "number", "triage")
TINY = 1e-9


@pytest.fixture
def scored(answers_to_codes):
    def run(*answers):
        return score_forms(PLAN, answers_to_codes(PLAN, *answers))

    return run


def scale(scores, key):
    return next(one for one in scores.scales if one.scale == key)


def triple(one):
    return one.score.tolist(), one.low.tolist(), one.high.tolist()


# -- in plain Python --------------------------------------------------------------------------


def by_hand(q):
    """Return every score but those of the models, for a form without a blank."""
    q1, q2, q3, q4 = q["q1"], q["q2"], 3 - q["q3"], q["q4"]
    found = {"weighted": 3 * q1 + q2 + 2 * q3 + 5 * q["q6"] + q["q7"]}
    total = q1 + q2 + q3 + q4
    found |= {"index": floor(1.25 * total), "tenfold": 10 * total / 4, "percent": total / 12 * 100}
    found["band"] = [0, 1, 1, 2, 2, 3, 3][q1 + q2]
    found["both"] = 0.5 * (found["band"] + found["index"])
    found["number"] = (q1 >= 2) + (q2 >= 2) + (q3 >= 2) + (q4 >= 1)
    found["triage"] = 0
    if q1 >= 1 or q["q7"] >= 1:
        found["triage"] = 1
    if (q1 >= 2) + (q2 >= 2) + (q["q6"] >= 1) >= 2:
        found["triage"] = 2
    if found["number"] >= 3 and q4 >= 2:
        found["triage"] = 4
    return found


def trait_by_hand(answers):
    """Return T score and standard error of keyed answers, on a grid of one's own."""
    theta = np.linspace(-9, 9, 20001)
    density = np.exp(-0.5 * theta**2)
    for key, answer in answers.items():
        a, b = GRADED[key]
        above = [np.ones_like(theta), *(1 / (1 + np.exp(-a * (theta - one))) for one in b)]
        above.append(np.zeros_like(theta))
        density *= above[answer] - above[answer + 1]
    mean = (density * theta).sum() / density.sum()
    return 50 + 10 * mean, 10 * np.sqrt((density * (theta - mean) ** 2).sum() / density.sum())


def trait_of_sum_by_hand(total):
    """Return score and standard error by going through all answers with the sum."""
    theta = np.linspace(-10, 10, 4001)
    density = np.exp(-0.5 * ((theta - 0.2) / 1.2) ** 2)
    chances = []
    for b in PARTIAL.values():
        powers = np.exp(
            [sum((theta - one for one in b[:k]), np.zeros_like(theta)) for k in range(4)]
        )
        chances.append(powers / powers.sum(axis=0))
    likelihood = sum(
        np.prod([chances[item][answer] for item, answer in enumerate(answers)], axis=0)
        for answers in product(range(4), repeat=4)
        if sum(answers) == total
    )
    density *= likelihood
    mean = (density * theta).sum() / density.sum()
    return mean, np.sqrt((density * (theta - mean) ** 2).sum() / density.sum())


def keyed(form):
    """Return the answered items of the trait scale, keyed; q7 counts as 1 where it is blank."""
    found = {key: form[key] for key in GRADED if form.get(key) is not None}
    if "q3" in found:
        found["q3"] = 3 - found["q3"]
    return found


def completions(form):
    """Yield the form with every blank answered in every way."""
    options = {f"q{n}": range(4 if n <= 4 else 2) for n in range(1, 8)}
    if form["q5"] == 0 and form["q6"] is None:
        options["q6"] = range(1)  # not asked
    blank = [key for key in options if form[key] is None]
    for answers in product(*(options[key] for key in blank)):
        yield form | dict(zip(blank, answers, strict=True))


FEW_BLANKS = forms(BARK).filter(lambda form: sum(code is None for code in form.values()) <= 4)


# -- worked numbers ---------------------------------------------------------------------------


def test_the_made_up_questionnaire_is_a_good_definition():
    assert PROBLEMS == []


def test_each_item_counts_as_often_as_its_weight_says(scored):
    forms_ = [ZERO | {key: 1} for key in ("q1", "q2", "q3", "q5", "q7")]
    found = scale(scored(*forms_, ZERO | {"q5": 1, "q6": 1}), "weighted")
    assert found.score.tolist() == [6 + 3, 6 + 1, 4, 6, 6 + 1, 6 + 5]


def test_a_weighted_sum_with_a_blank_has_bounds_and_no_score(scored):
    found = scale(scored(ZERO | {"q1": None, "q3": 3}), "weighted")
    assert np.isnan(found.score[0])
    assert (found.low[0], found.high[0], found.answered[0]) == (0, 9, 4)


def test_a_multiplied_score_is_rounded_down_and_so_are_its_bounds(scored):
    # 5 × 1.25 = 6.25; with q4 open 6.25 to 10.
    found = scale(scored(ZERO | {"q3": 0, "q1": 2}, ZERO | {"q3": 0, "q1": 2, "q4": None}), "index")
    assert found.score[0] == found.low[0] == found.high[0] == 6
    assert (found.low[1], found.high[1]) == (6, 10)
    assert [found.categories[place] for place in found.category_low] == ["raised", "raised"]


def test_a_score_that_rounding_takes_below_the_cut_is_below_it(scored):
    found = scale(scored(ZERO | {"q3": 0, "q1": 1}), "index")  # 4 × 1.25 = 5
    assert found.categories[found.category[0]] == "low"


def test_a_prorated_mean_is_multiplied_after_it_was_taken(scored):
    found = scale(scored({"q1": 3, "q2": 2, "q3": 1, "q4": None}), "tenfold")
    assert found.score[0] == pytest.approx(10 * 7 / 3)
    assert (found.low[0], found.high[0]) == (17.5, 25)
    assert found.estimated.tolist() == [True]


def test_onto_another_range_the_ends_are_the_ends(scored):
    worst = {"q1": 3, "q2": 3, "q3": 0, "q4": 3}
    best = {"q1": 0, "q2": 0, "q3": 3, "q4": 0}
    found = scale(scored(worst, best, worst | {"q4": 0}), "percent")
    assert found.score.tolist() == [100, 0, 75]


@pytest.mark.parametrize("raw, expected", list(enumerate([0, 1, 1, 2, 2, 3, 3])))
def test_a_table_gives_each_raw_score_its_value(scored, raw, expected):
    found = scale(scored({"q1": min(raw, 3), "q2": max(raw - 3, 0)}), "band")
    assert triple(found) == ([expected], [expected], [expected])


def test_with_a_blank_a_table_gives_the_bounds(scored):
    found = scale(scored({"q1": 1}), "band")
    assert np.isnan(found.score[0])
    assert (found.low[0], found.high[0]) == (1, 2)


def test_components_are_added_up_after_their_transforms_and_items_are_counted_once(scored):
    found = scale(scored({"q1": 2, "q2": 1, "q3": 3, "q4": 0}), "both")
    assert found.score.tolist() == [0.5 * (2 + 3)]
    assert found.answered.tolist() == [4]


def test_an_item_with_its_own_threshold_counts_from_there(scored):
    calm = {"q1": 0, "q2": 0, "q3": 3, "q4": 0}
    one_each = [calm | {"q4": 1}, calm | {"q1": 1}, calm | {"q1": 2}, calm | {"q3": 1}]
    assert scale(scored(*one_each), "number").score.tolist() == [1, 0, 1, 1]


# -- levels -----------------------------------------------------------------------------------


def triage(scored, **answers):
    one = scale(scored({"q3": 3} | answers), "triage")
    score = None if np.isnan(one.score[0]) else int(one.score[0])
    return score, int(one.low[0]), int(one.high[0])


def test_the_highest_level_that_holds_is_the_score(scored):
    calm = ZERO | {"q3": 3}
    assert triage(scored, **calm) == (0, 0, 0)
    assert triage(scored, **calm | {"q1": 1}) == (1, 1, 1)
    assert triage(scored, **calm | {"q2": 2, "q5": 1, "q6": 1}) == (2, 2, 2)
    assert triage(scored, **calm | {"q1": 2, "q2": 2, "q4": 2}) == (4, 4, 4)
    assert triage(scored, **calm | {"q1": 2, "q2": 2, "q4": 1}) == (2, 2, 2)


def test_a_level_has_a_score_only_where_the_blanks_cannot_change_it(scored):
    calm = ZERO | {"q3": 3}
    assert triage(scored, **calm | {"q1": None}) == (None, 0, 1)
    assert triage(scored, **calm | {"q1": 3, "q2": None}) == (None, 1, 2)
    assert triage(scored, **calm | {"q1": 3, "q2": None, "q4": 3}) == (None, 1, 4)
    # The highest level holds whatever the rest says.
    assert triage(scored, q1=2, q2=2, q4=2, q7=0) == (4, 4, 4)


def test_behind_a_closed_gate_a_level_is_settled_and_behind_an_open_one_it_is_not(scored):
    calm = ZERO | {"q3": 3, "q2": 2, "q6": None}
    assert triage(scored, **calm) == (0, 0, 0)
    assert triage(scored, **calm | {"q5": 1}) == (None, 0, 2)
    assert triage(scored, **calm | {"q5": None}) == (None, 0, 2)


def test_a_blank_that_counts_gives_a_level_and_leaves_its_bounds_open(scored):
    calm = ZERO | {"q3": 3, "q7": None}
    assert triage(scored, **calm) == (1, 0, 1)
    found = scale(scored(calm), "triage")
    assert found.estimated.tolist() == [True]
    assert found.answered.tolist() == [5]  # q1, q2, q3, q4, q6
    assert found.category.tolist() == [-1]
    truth = scale_truth(PLAN.scales[PLAN.scale("triage")], found, 1)
    assert truth.tolist() == [HOLDS]


def test_an_estimated_count_never_decides_a_level(scored):
    # Three of three known signs are prorated to four, but q3 alone could still be no sign.
    answers = {"q1": 2, "q2": 0, "q3": None, "q4": 2, "q5": 0, "q7": 0}
    assert scale(scored(answers), "number").estimated.tolist() == [True]
    assert triage(scored, **answers) == (None, 1, 4)


def test_levels_count_the_items_that_they_and_their_scales_name(scored):
    found = scale(scored({"q2": 0}, {"q5": 1}, {"q5": 0}), "triage")
    assert found.answered.tolist() == [1, 0, 1]  # q5 is named by none; it settles q6
    assert np.isnan(found.low).tolist() == [False, True, False]


@pytest.mark.parametrize(
    "answers, truth",
    [
        ({"q1": 0, "q2": 0, "q4": 0, "q5": 0, "q7": 0}, FAILS),
        ({"q1": None, "q2": 2, "q4": 0, "q5": 0, "q7": 0}, UNDECIDED),
        ({"q1": 2, "q2": 2, "q4": None, "q5": 0, "q7": 0}, HOLDS),
    ],
)
def test_a_rule_reads_a_level_like_any_score(scored, answers, truth):
    scores = scored({"q3": 3} | answers)
    plan = PLAN.scales[PLAN.scale("triage")]
    assert scale_truth(plan, scale(scores, "triage"), 2).tolist() == [truth]


def test_a_level_has_the_category_that_begins_there(scored):
    calm = ZERO | {"q3": 3}
    found = scale(scored(calm, calm | {"q1": 1}, calm | {"q1": 2, "q2": 2, "q4": 2}), "triage")
    assert [found.categories[place] for place in found.category] == ["none", "some", "high"]


# -- item response models ---------------------------------------------------------------------


def test_the_eap_is_that_of_a_grid_of_ones_own(scored):
    for form in (ZERO, {"q1": 3, "q2": 2, "q3": 1, "q4": 0, "q5": 1, "q7": 1}, ZERO | {"q3": 3}):
        found = scale(scored(form), "trait")
        assert (found.score[0], found.standard_error[0]) == pytest.approx(
            trait_by_hand(keyed(form)), abs=1e-6
        )
        assert found.score[0] == found.low[0] == found.high[0]
        assert found.estimated.tolist() == [False]


def test_the_range_of_an_eap_is_that_of_the_extreme_forms(scored):
    best, worst = (
        ZERO | {"q3": 3},
        dict.fromkeys(("q1", "q2", "q4"), 3) | {"q3": 0, "q5": 1, "q7": 1},
    )
    found = scale(scored(best, worst), "trait")
    assert tuple(found.score) == pytest.approx(PLAN.scales[PLAN.scale("trait")].range)
    assert BARK.scale("trait").range == tuple(round(one, 1) for one in found.score)


def test_blanks_are_left_out_of_an_eap_and_stand_at_their_extremes_in_its_bounds(scored):
    form = {"q1": 2, "q3": 1, "q5": 1, "q7": 0, "q2": None, "q4": None}
    found = scale(scored(form), "trait")
    assert found.score[0] == pytest.approx(trait_by_hand(keyed(form))[0], abs=1e-6)
    assert found.low[0] == pytest.approx(
        trait_by_hand(keyed(form | {"q2": 0, "q4": 0}))[0], abs=1e-6
    )
    assert found.high[0] == pytest.approx(
        trait_by_hand(keyed(form | {"q2": 3, "q4": 3}))[0], abs=1e-6
    )
    assert found.estimated.tolist() == [True]
    assert found.answered.tolist() == [4]


def test_with_fewer_answers_than_the_model_asks_there_are_bounds_and_no_score(scored):
    # q7 counts as 1 where it is blank, and is then known though not answered.
    found = scale(scored({"q1": 2, "q3": 1}, {"q1": 2, "q3": 1, "q5": 0}), "trait")
    assert np.isnan(found.score).tolist() == np.isnan(found.standard_error).tolist()
    assert np.isnan(found.score).tolist() == [True, False]
    assert (found.low < found.high).all()


def test_a_score_from_the_sum_is_that_of_all_answers_with_the_sum(scored):
    complete = [
        {"q1": a, "q2": b, "q3": c, "q4": d}
        for a, b, c, d in [(0, 0, 3, 0), (1, 0, 3, 0), (0, 0, 3, 1), (2, 1, 1, 3), (3, 3, 0, 3)]
    ]
    found = scale(scored(*complete), "trait_of_sum")
    for place, form in enumerate(complete):
        total = form["q1"] + form["q2"] + 3 - form["q3"] + form["q4"]
        wanted = trait_of_sum_by_hand(total)
        got = found.score[place], found.standard_error[place]
        assert got == pytest.approx(wanted, abs=1e-6)
    assert found.score[1] == found.score[2]


def test_a_score_from_the_sum_needs_every_answer_and_has_bounds_without(scored):
    found = scale(scored({"q1": 2, "q2": 1, "q3": 3}), "trait_of_sum")
    assert np.isnan([found.score[0], found.standard_error[0]]).all()
    wanted = [trait_of_sum_by_hand(total)[0] for total in (3, 6)]
    assert [found.low[0], found.high[0]] == pytest.approx(wanted, abs=1e-6)


def test_only_models_have_a_column_for_the_standard_error(scored):
    columns = form_columns(PLAN, scored(ZERO))
    assert [name for name in columns if name.endswith("__se")] == [
        "bark__trait__se",
        "bark__trait_of_sum__se",
    ]


# -- whatever is answered ---------------------------------------------------------------------


@given(form=FEW_BLANKS)
@settings(max_examples=60)
def test_bounds_are_the_lowest_and_highest_score_of_any_completion(answers_to_codes, form):
    found = score_forms(PLAN, answers_to_codes(PLAN, form))
    every = [by_hand(one) for one in completions(form)]
    for key in EXACT:
        one = scale(found, key)
        wanted = [score[key] for score in every]
        assert one.bottom[0] == pytest.approx(min(wanted), abs=TINY), key
        assert one.top[0] == pytest.approx(max(wanted), abs=TINY), key
        if min(wanted) == max(wanted) and one.answered[0]:
            assert one.score[0] == pytest.approx(wanted[0], abs=TINY), key


@given(form=forms(BARK))
@settings(max_examples=60)
def test_bounds_contain_the_score_and_nothing_answered_gives_nothing(answers_to_codes, form):
    found = score_forms(PLAN, answers_to_codes(PLAN, form))
    for plan, one in zip(PLAN.scales, found.scales, strict=True):
        numbers = [one.score[0], one.low[0], one.high[0]]
        assert plan.range[0] - TINY <= one.bottom[0] <= one.top[0] <= plan.range[1] + TINY
        if one.answered[0] == 0:
            assert np.isnan(numbers).all()
            assert one.standard_error is None or np.isnan(one.standard_error[0])
        elif not np.isnan(one.score[0]):
            assert one.low[0] - TINY <= one.score[0] <= one.high[0] + TINY, one.scale
            assert one.standard_error is None or one.standard_error[0] > 0


@given(pair=forms_with_one_worse(BARK))
@settings(max_examples=100)
def test_a_worse_answer_never_makes_a_score_look_better(answers_to_codes, pair):
    found = score_forms(PLAN, answers_to_codes(PLAN, *pair))
    for one in found.scales:
        for name in ("score", "bottom", "top"):
            before, after = getattr(one, name)
            assert np.isnan([before, after]).any() or after >= before - TINY, (one.scale, name)
        surest = np.fmax(one.score, one.bottom)
        assert surest[1] >= surest[0] - TINY or np.isnan(one.score).any(), one.scale


def test_items_that_only_a_level_names_have_a_worse_side():
    sides = worse_side(BARK)
    assert sides == {"q1": 1, "q2": 1, "q3": -1, "q4": 1, "q5": 1, "q6": 1, "q7": 1}
    named = {"q1", "q2", "q4", "q6", "q7"}
    for direction, side in ((Direction.WORSE, 1), (Direction.BETTER, -1)):
        levels = BARK.scale("triage").model_copy(update={"higher_is": direction})
        only = BARK.model_copy(update={"scales": (levels,)})
        assert worse_side(only) == dict.fromkeys(named, side)
        assert {item_direction(only, key) for key in named} == {direction}


@given(many=st.lists(forms(BARK), min_size=2, max_size=12), block=st.integers(1, 5))
@settings(max_examples=40)
def test_scores_are_the_same_to_the_bit_alone_and_in_any_block(answers_to_codes, many, block):
    codes = answers_to_codes(PLAN, *many)
    together = score_forms(PLAN, codes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(irt, "FORMS_AT_A_TIME", block)
        patch.setattr(score_step, "BLOCK", block)
        in_blocks = score_forms(PLAN, codes)
    for place in range(len(many)):
        alone = score_forms(PLAN, np.ascontiguousarray(codes[:, [place]]))
        for one, two, three in zip(together.scales, in_blocks.scales, alone.scales, strict=True):
            for name in ("score", "bottom", "top", "standard_error", "answered", "category"):
                values = getattr(one, name)
                if values is not None:
                    expected = values[[place]].tobytes()
                    assert getattr(two, name)[[place]].tobytes() == expected, (one.scale, name)
                    assert getattr(three, name).tobytes() == expected, (one.scale, name)


def test_no_form_at_all_gives_scores_of_no_form():
    found = score_forms(PLAN, np.zeros((len(PLAN.items), 0), dtype=np.uint8))
    assert {len(one.score) for one in found.scales} == {0}


def test_without_an_answer_the_bounds_for_rules_are_the_whole_range():
    found = score_forms(PLAN, np.full((len(PLAN.items), 1), BLANK, dtype=np.uint8))
    for plan, one in zip(PLAN.scales, found.scales, strict=True):
        assert (one.bottom[0], one.top[0]) == pytest.approx(plan.range, abs=TINY), one.scale


# -- from a folder, with worked cases ---------------------------------------------------------

CASES = """\
schema: mhscreen/cases/1
for: bark@1.0.0
cases:
  - name: nothing but smooth
    answers: {all: 0, q3: 3}
    expect:
      weighted: {score: 0}
      triage: {score: 0, low: 0, high: 0, category: none}
      trait: {score: SCORE, low: SCORE, standard_error: 6.8}
      index: {standard_error: null}
"""


@pytest.mark.parametrize("score, wrong", [("36.2", []), ("36.4", ["trait.low", "trait.score"])])
def test_a_worked_case_may_name_a_standard_error_and_one_decimal(tmp_path, score, wrong):
    folder = tmp_path / "instruments" / "bark"
    folder.mkdir(parents=True)
    (folder / "1.0.0.yaml").write_text(TEXT, encoding="utf-8")
    (folder / "1.0.0.cases.yaml").write_text(CASES.replace("SCORE", score), encoding="utf-8")
    problems = run_cases(load_library(tmp_path))
    assert [problem.what.partition(":")[0] for problem in problems] == wrong
