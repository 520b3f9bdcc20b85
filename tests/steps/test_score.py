"""Scores with their bounds: what was never answered never becomes a low answer."""

import numpy as np
import pytest

from mhscreen import bind, score, simulate
from mhscreen.kernels.codes import BLANK, ILLEGAL, NOT_PRESENTED, missing_code
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.steps.score import item_truth, scale_truth, score_forms
from mhscreen.vocabulary import Informant, MissingReason, Validity

SDQ_CLOSED = {"overall": 0}


@pytest.fixture
def form(library):
    def find(ref, informant=None):
        instrument = library.instrument(ref).definition
        return compile_form(instrument, Informant(informant or instrument.informants[0]))

    return find


@pytest.fixture
def scored(form, answers_to_codes):
    """Score forms, and return each scale's numbers by scale: one dict per form."""

    def run(ref, *answers, informant=None):
        plan = form(ref, informant)
        return score_forms(plan, answers_to_codes(plan, *answers))

    return run


def scale(scores, key="total"):
    return next(one for one in scores.scales if one.scale == key)


def category(one, which="category"):
    return [None if p < 0 else one.categories[p] for p in getattr(one, which).tolist()]


def phq9(total_of_ones=0, **answers):
    every = {f"q{n}": int(n <= total_of_ones) for n in range(1, 10)}
    return every | answers


# -- sums, reverse keys, components -----------------------------------------------------------


def test_a_complete_form_is_the_sum_of_its_items_and_has_no_room(scored):
    total = scale(scored("phq9", phq9(6), dict.fromkeys((f"q{n}" for n in range(1, 10)), 3)))
    assert total.score.tolist() == [6, 27]
    assert total.low.tolist() == total.high.tolist() == [6, 27]
    assert total.answered.tolist() == [9, 9]


def test_the_difficulty_item_is_never_added_to_the_total(scored):
    total = scale(scored("phq9", phq9(6, difficulty=3)))
    assert total.score.tolist() == [6]


def test_positive_statements_of_the_dsrsc_are_keyed_in_reverse(scored):
    reverse = {1, 2, 4, 7, 8, 9, 11, 12, 13, 16}
    worst = {f"q{n}": 0 if n in reverse else 2 for n in range(1, 19)}
    never = {f"q{n}": 0 for n in range(1, 19)}
    assert scale(scored("dsrsc", worst, never)).score.tolist() == [36, 20]


def test_the_sdq_total_leaves_prosocial_behaviour_out(scored):
    kind = {f"q{n}": 0 for n in range(1, 26)} | {f"q{n}": 2 for n in (7, 11, 14, 21, 25)}
    for prosocial in (0, 2):
        answers = kind | {f"q{n}": prosocial for n in (1, 4, 9, 17, 20)} | SDQ_CLOSED
        scores = scored("sdq", answers, informant="teacher")
        assert scale(scores).score.tolist() == [0]
        assert scale(scores, "prosocial").score.tolist() == [5 * prosocial]


def test_the_mht_total_leaves_the_validity_items_out(scored):
    scores = scored("mht", {f"q{n}": 1 for n in range(1, 101)})
    assert scale(scores).score.tolist() == [90]
    assert scale(scores, "validity").score.tolist() == [10]


# -- blanks -----------------------------------------------------------------------------------


def test_one_or_two_blanks_are_prorated_and_three_give_no_score(scored):
    total = scale(
        scored(
            "phq9",
            phq9(9, q1=None),
            phq9(9, q1=None, q2=None),
            phq9(9, q1=None, q2=None, q3=None),
        )
    )
    assert total.score[:2].tolist() == [9, 9]
    assert np.isnan(total.score[2])
    assert total.answered.tolist() == [8, 7, 6]
    assert total.low.tolist() == [8, 7, 6]
    assert total.high.tolist() == [11, 13, 15]
    assert total.estimated.tolist() == [True, True, False]


def test_bounds_are_taken_after_keying(scored):
    one_blank = {f"q{n}": 0 for n in range(1, 19)} | {"q1": None}
    total = scale(scored("dsrsc", one_blank))
    assert (total.low.tolist(), total.high.tolist()) == ([18], [20])


def test_without_a_published_missing_rule_one_blank_leaves_no_score(scored):
    total = scale(scored("gad7", {f"q{n}": 3 for n in range(1, 7)}))
    assert np.isnan(total.score[0])
    assert (total.low[0], total.high[0], total.answered[0]) == (18, 21, 6)
    assert category(total) == [None]
    assert category(total, "category_low") == category(total, "category_high") == ["severe"]


def test_a_form_without_any_answer_has_no_number_and_no_category_at_all(library, form):
    for loaded in library.of_kind("instrument"):
        for informant in loaded.definition.informants:
            plan = form(loaded.definition.ref, informant)
            codes = np.full((len(plan.items), 1), BLANK, dtype=np.uint8)
            scores = score_forms(plan, codes)
            assert not scores.filed[0]
            for one in scores.scales:
                numbers = [one.score[0], one.low[0], one.high[0]]
                assert np.isnan(numbers).all(), (plan.slot, one.scale)
                assert one.answered[0] == 0
                assert category(one) == category(one, "category_low") == [None]
                assert category(one, "category_high") == [None]


@pytest.mark.parametrize("reason", list(MissingReason))
def test_whatever_the_reason_no_answer_is_the_same_as_a_blank(form, answers_to_codes, reason):
    plan = form("phq9")
    codes = answers_to_codes(plan, phq9(9, q4=None))
    blank = score_forms(plan, codes)
    codes[plan.row("q4")] = missing_code(reason)
    other = score_forms(plan, codes)
    for one, two in zip(blank.scales, other.scales, strict=True):
        for name in ("score", "low", "high"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_a_prorated_total_of_the_phq9_is_not_rounded_and_that_of_the_phqa_is(scored):
    answers = {f"q{n}": 1 for n in range(1, 9)} | {"q1": 2, "q9": None}
    assert scale(scored("phq9", answers)).score[0] == pytest.approx(9 * 9 / 8)
    assert scale(scored("phqa", answers)).score[0] == 10
    half = {f"q{n}": 0 for n in range(1, 9)} | {"q1": 2, "q2": 2, "q9": None}
    assert scale(scored("phqa", half)).score[0] == 5  # 4.5, halves up


def test_half_an_sdq_point_is_rounded_up(scored):
    # Four items with the sum 2 prorate to 2.5; half to even would give 2.
    answers = {"q3": 1, "q8": 1, "q13": 0, "q16": 0, "q24": None}
    assert scale(scored("sdq", answers, informant="self"), "emotional").score[0] == 3


def test_a_category_is_withheld_where_the_blanks_could_change_it(scored):
    total = scale(scored("phq9", phq9(4, q9=None), phq9(0, q9=None), phq9(5, q1=2, q9=None)))
    assert total.score[0] == pytest.approx(4.5)
    assert category(total) == [None, "minimal", "mild"]
    assert category(total, "category_low") == ["minimal", "minimal", "mild"]
    assert category(total, "category_high") == ["mild", "minimal", "mild"]


def test_the_sdq_total_needs_all_four_of_its_scales(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)}
    answers |= dict.fromkeys(("q3", "q8", "q13"), None)
    scores = scored("sdq", answers, informant="parent")
    assert np.isnan(scale(scores, "emotional").score[0])
    assert np.isnan(scale(scores).score[0])
    assert (scale(scores).low[0], scale(scores).high[0]) == (17, 23)
    assert scale(scores).answered[0] == 17


def test_a_total_that_rests_on_a_prorated_scale_says_so(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)} | {"q3": None}
    scores = scored("sdq", answers, informant="parent")
    assert scale(scores).estimated.tolist() == [True]
    assert scale(scores, "conduct").estimated.tolist() == [False]


# -- gates and published blank rules ----------------------------------------------------------


def test_behind_a_closed_gate_nothing_is_missing(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)} | {"overall": 0}
    scores = scored("sdq", answers, informant="self")
    impact = scale(scores, "impact")
    assert (impact.score[0], impact.low[0], impact.high[0]) == (0, 0, 0)
    assert scores.complete.tolist() == [True]


def test_behind_an_open_gate_every_item_is_due(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)} | {"overall": 1}
    impact = scale(scored("sdq", answers, informant="self"), "impact")
    assert np.isnan(impact.score[0])
    assert np.isnan(impact.low[0])  # nothing of it was answered


def test_behind_an_undecided_gate_an_item_is_unanswered(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)} | {"imp_distress": 3}
    impact = scale(scored("sdq", answers, informant="self"), "impact")
    assert np.isnan(impact.score[0])
    assert (impact.low[0], impact.high[0], impact.answered[0]) == (2, 10, 1)


def test_an_answer_behind_a_closed_gate_is_still_read(scored):
    answers = {f"q{n}": 1 for n in range(1, 26)} | {"overall": 0, "imp_distress": 3}
    scores = scored("sdq", answers, informant="self")
    assert scale(scores, "impact").score[0] == 2
    assert scores.behind_gate.tolist() == [True]


def test_impact_answers_score_nought_nought_one_two(scored):
    found = [
        scale(
            scored(
                "sdq", {"overall": 1} | {f"imp_{k}": code for k in
                ("distress", "home", "friends", "class", "leisure")}, informant="self",
            ), "impact",
        ).score[0]
        for code in range(4)
    ]  # fmt: skip
    assert found == [0, 0, 5, 10]


@pytest.mark.parametrize("answer", [None, "refused"])
@pytest.mark.parametrize("item", ["q1", "q2", "q3", "q4"])
def test_a_refused_or_blank_asq_question_counts_as_yes(scored, item, answer):
    no = {"q1": 0, "q2": 0, "q3": 0, "q4": 0}
    scores = scored("asq", no | {item: answer})
    screen = scale(scores, "screen")
    assert screen.score[0] == 1
    assert category(screen) in (["positive"], [None])
    place = [one.item for one in scores.plan.critical].index(item)
    assert scores.critical[place, 0] == HOLDS


def test_question_five_of_the_asq_is_open_after_a_yes_and_closed_after_four_times_no(scored):
    no = {"q1": 0, "q2": 0, "q3": 0, "q4": 0}
    scores = scored("asq", no, no | {"q4": 1}, no | {"q3": None}, no | {"q5": 1})
    acuity = scores.critical[4]
    assert acuity.tolist() == [FAILS, UNDECIDED, UNDECIDED, HOLDS]
    assert scores.critical_open.tolist() == [False, True, True, False]
    assert scores.behind_gate.tolist() == [False, False, False, True]


def test_an_asq_on_which_every_question_was_refused_is_positive(scored):
    refused = dict.fromkeys(("q1", "q2", "q3", "q4"), "refused")
    scores = scored("asq", refused)
    assert (scores.critical[:4, 0] == HOLDS).all()


# -- critical items ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code, truth", [(0, FAILS), (1, HOLDS), (2, HOLDS), (3, HOLDS), (None, UNDECIDED)]
)
def test_item_nine_is_read_on_the_raw_answer_and_never_imputed(scored, code, truth):
    scores = scored("phq9", phq9(0, q9=code))
    assert scores.critical[0].tolist() == [truth]
    assert scores.critical_open.tolist() == [code is None]


def test_one_critical_answer_on_an_otherwise_empty_form_is_read(scored):
    scores = scored("phq9", {"q9": 1})
    assert scores.critical[0].tolist() == [HOLDS]
    assert np.isnan(scale(scores).score[0])


def test_unscored_items_do_not_leave_a_form_incomplete(scored):
    assert scored("phq9", phq9(3)).complete.tolist() == [True]
    assert scored("phqa", phq9(3)).complete.tolist() == [False]  # two suicide questions open
    assert scored("phqa", phq9(3, si_month=0, attempt_life=0)).complete.tolist() == [True]


# -- validity ---------------------------------------------------------------------------------


VALIDITY_ITEMS = [f"q{n}" for n in range(82, 101, 2)]


@pytest.mark.parametrize(
    "number, found", [(6, Validity.VALID), (7, Validity.INVALID), (8, Validity.INVALID)]
)
def test_the_mht_is_invalid_from_seven_validity_answers(scored, number, found):
    answers = {f"q{n}": 0 for n in range(1, 101)}
    answers |= dict.fromkeys(VALIDITY_ITEMS[:number], 1)
    assert Validity.at(int(scored("mht", answers).validity[0])) is found


def test_blanks_that_could_still_make_a_form_invalid_leave_its_validity_open(scored):
    answers = {f"q{n}": 0 for n in range(1, 101)}
    open_ = (
        answers | dict.fromkeys(VALIDITY_ITEMS[:5], 1) | dict.fromkeys(VALIDITY_ITEMS[5:7], None)
    )
    settled = (
        answers | dict.fromkeys(VALIDITY_ITEMS[:4], 1) | dict.fromkeys(VALIDITY_ITEMS[5:7], None)
    )
    found = scored("mht", open_, settled)
    assert [Validity.at(place) for place in found.validity.tolist()] == [
        Validity.INCOMPLETE,
        Validity.VALID,
    ]


def test_an_invalid_form_keeps_all_its_scores_and_critical_items(scored):
    answers = {f"q{n}": 1 for n in range(1, 101)}
    scores = scored("mht", answers)
    assert Validity.at(int(scores.validity[0])) is Validity.INVALID
    assert scale(scores).score[0] == 90
    assert scores.critical.tolist() == [[HOLDS], [HOLDS]]


# -- three-valued comparisons -----------------------------------------------------------------


def truth_of(scored, cut, *answers):
    scores = scored("phq9", *answers)
    place = scores.plan.scale("total")
    return scale_truth(scores.plan.scales[place], scores.scales[place], cut).tolist()


def test_a_rule_on_a_score_holds_if_the_estimate_alone_reaches_the_cut(scored):
    # Eight answers make 9, prorated 10.125: the answered items alone would not reach ten.
    assert truth_of(scored, 10, phq9(8, q1=2, q9=None)) == [HOLDS]


def test_a_rule_on_a_score_holds_if_the_answered_items_alone_reach_the_cut(scored):
    assert truth_of(scored, 10, {"q1": 3, "q2": 3, "q3": 3, "q4": 1}) == [HOLDS]


def test_a_rule_on_a_score_fails_only_if_the_worst_answers_could_not_reach_the_cut(scored):
    assert truth_of(scored, 10, phq9(6, q9=None), phq9(7, q9=None)) == [FAILS, UNDECIDED]


def test_a_rule_on_a_score_is_undecided_on_a_form_without_answers(scored):
    assert truth_of(scored, 5, {}) == [UNDECIDED]


def test_an_estimate_never_rules_a_higher_cut_out(scored):
    # Prorated 9, but the blank item could make it 11.
    assert truth_of(scored, 11, phq9(9, q9=None)) == [UNDECIDED]


def test_where_higher_is_better_the_comparison_points_down(form, answers_to_codes):
    plan = form("sdq", "self")
    place = plan.scale("prosocial")
    answers = [
        dict.fromkeys(("q1", "q4", "q9", "q17", "q20"), 1),
        {"q1": 0, "q4": 0},
        {"q1": 2, "q4": 2},
    ]
    scores = score_forms(plan, answers_to_codes(plan, *answers))
    found = scale_truth(plan.scales[place], scores.scales[place], 5)
    assert found.tolist() == [HOLDS, UNDECIDED, UNDECIDED]
    kind = score_forms(plan, answers_to_codes(plan, {"q1": 2, "q4": 2, "q9": 2}))
    assert scale_truth(plan.scales[place], kind.scales[place], 5).tolist() == [FAILS]


@pytest.mark.parametrize("code", [BLANK, ILLEGAL, NOT_PRESENTED])
def test_an_item_comparison_is_undecided_without_an_answer(form, code):
    plan = form("phq9")
    codes = np.full((len(plan.items), 1), code, dtype=np.uint8)
    assert item_truth(plan, codes, plan.row("q9"), 1).tolist() == [UNDECIDED]


# -- one form never depends on another --------------------------------------------------------


def test_a_form_has_the_same_scores_alone_and_among_others(form):
    rng = np.random.default_rng(5)
    plan = form("sdq", "parent")
    codes = np.stack(
        [rng.choice([*range(len(item.codes)), BLANK], size=50) for item in plan.items]
    ).astype(np.uint8)
    together = score_forms(plan, codes)
    for place in range(50):
        alone = score_forms(plan, codes[:, place : place + 1])
        for one, many in zip(alone.scales, together.scales, strict=True):
            for name in ("score", "low", "high", "answered", "category"):
                np.testing.assert_array_equal(
                    getattr(one, name)[0], getattr(many, name)[place], err_msg=one.scale
                )


def test_more_forms_than_a_block_holds_are_scored_as_the_first_of_them(form, monkeypatch):
    plan = form("gad7")
    codes = (np.arange(7 * 10, dtype=np.uint8) % 4).reshape(7, 10)
    whole = score_forms(plan, codes)
    monkeypatch.setattr("mhscreen.steps.score.BLOCK", 3)
    in_blocks = score_forms(plan, codes)
    np.testing.assert_array_equal(whole.scales[0].score, in_blocks.scales[0].score)


def test_no_score_depends_on_the_number_of_threads_and_without_one_there_is_none(plan, monkeypatch):
    roster, answers = simulate(plan, 60)
    batch = bind(plan, roster=roster, responses=answers)
    alone = score(plan, batch)
    monkeypatch.setattr("mhscreen.steps.score.BLOCK", 7)
    monkeypatch.setattr("mhscreen.steps.states.FEW", 0)
    together = score(plan, batch, threads=3)
    for one, other in zip(alone.forms, together.forms, strict=True):
        for first, second in zip(one.scales, other.scales, strict=True):
            assert first.state.tobytes() == second.state.tobytes()
            assert first.score.tobytes() == second.score.tobytes()
    with pytest.raises(UsageError, match="at least one"):
        score(plan, batch, threads=0)
