"""Accuracy is never read without its design: who was examined, and who knew the score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import roc
from mhscreen.psychometrics.accuracy import Criterion, assess_accuracy, compare_areas
from mhscreen.psychometrics.classification import classify_by_model, classify_by_reliability
from mhscreen.psychometrics.cut_scores import choose_cut
from mhscreen.psychometrics.decision_curves import weigh_cuts

BLIND = Criterion("an interview", knew_score=False)
NAN = np.nan


def district(pupils, seed, *, cut=None, below=0.0):
    """Return scores, who has the condition, and the condition of those examined.

    From `cut` on all are examined, and below it a share.
    """
    rng = np.random.default_rng(seed)
    case = rng.random(pupils) < 0.15
    score = rng.binomial(27, np.where(case, 0.35, 0.2)).astype(float)
    examined = np.ones(pupils, dtype=bool)
    if cut is not None:
        examined = (score >= cut) | (rng.random(pupils) < below)
    return score, case, np.where(examined, case, NAN)


def pairs(cases, others):
    """Count every pair of a case and another, the slow way."""
    wins = [(c > o) + (c == o) / 2 for c in cases for o in others]
    return sum(wins) / len(wins)


@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=20),
    st.lists(st.integers(0, 6), min_size=2, max_size=20),
)
def test_the_area_is_the_share_of_pairs_in_the_right_order(cases, others):
    score = np.array([*cases, *others], dtype=float)
    case = np.arange(len(score)) < len(cases)
    counts = roc.tally(score, case)
    assert roc.area(counts.cases, counts.others) == pytest.approx(pairs(cases, others))


@given(st.integers(0, 2**32), st.integers(0, 27))
def test_low_scores_that_are_worse_give_the_mirror_image(seed, cut):
    score, case, _ = district(60, seed)
    if not 2 <= case.sum() <= 58:
        return
    up = assess_accuracy(score, case, criterion=BLIND, cuts=[cut])
    down = assess_accuracy(27 - score, case, criterion=BLIND, cuts=[27 - cut], lower_is_worse=True)
    assert down.cuts.tolist() == [27 - cut]
    for name in ("sensitivity", "specificity", "sensitivity_low", "area", "area_low"):
        assert np.asarray(getattr(down, name)) == pytest.approx(np.asarray(getattr(up, name)))


def test_a_score_at_the_cut_is_flagged():
    found = assess_accuracy([1, 2, 2, 3], [0, 1, 0, 1], criterion=BLIND, cuts=[2, 3])
    assert found.sensitivity.tolist() == [1.0, 0.5]
    assert found.specificity.tolist() == [0.5, 1.0]


def test_the_bootstrap_draws_like_pupils_drawn_one_by_one():
    score, case, _ = district(300, 3)
    rng = np.random.default_rng(0)
    counts = roc.tally(score, case)
    at_once = roc.area(*roc.resample(counts, 2000, rng))
    one_by_one = []
    for _ in range(500):
        drawn = [rng.choice(score[group], size=int(group.sum())) for group in (case, ~case)]
        again = roc.tally(np.concatenate(drawn), np.arange(300) < case.sum())
        one_by_one.append(roc.area(again.cases, again.others))
    assert at_once.mean() == pytest.approx(np.mean(one_by_one), abs=0.004)
    assert at_once.std() == pytest.approx(np.std(one_by_one), rel=0.12)


def test_figures_are_refused_where_only_flagged_pupils_were_examined():
    score, _, known = district(2000, 1, cut=8)
    with pytest.raises(AnalysisError, match=r"none of the .* with a score below 8") as caught:
        assess_accuracy(score, known, criterion=BLIND)
    assert [problem.code for problem in caught.value.problems] == ["MH720"]
    with pytest.raises(AnalysisError, match="nothing can be said about those below"):
        assess_accuracy(score, known, criterion=BLIND, verification="begg_greenes", bands=[8])


def test_figures_are_refused_until_the_design_is_stated():
    score, _, known = district(2000, 1, cut=8, below=0.3)
    with pytest.raises(AnalysisError, match="MH720") as caught:
        assess_accuracy(score, known, criterion=BLIND)
    assert "state how they were chosen" in str(caught.value)


def test_a_choice_by_score_is_not_taken_for_a_random_one():
    score, _, known = district(2000, 1, cut=8, below=0.3)
    with pytest.raises(AnalysisError, match="not chosen at random"):
        assess_accuracy(score, known, criterion=BLIND, verification="at_random")


def test_pupils_examined_at_random_stand_for_all():
    score, case, _ = district(4000, 5)
    known = np.where(np.random.default_rng(2).random(4000) < 0.5, case, NAN)
    found = assess_accuracy(score, known, criterion=BLIND, verification="at_random", cuts=[8])
    whole = assess_accuracy(score, case, criterion=BLIND, cuts=[8])
    assert found.area == pytest.approx(whole.area, abs=0.02)
    assert found.cells.pupils == 4000
    assert found.cells.examined == int((~np.isnan(known)).sum())


@pytest.mark.parametrize("how", ["begg_greenes", "inverse_weights"])
def test_a_corrected_figure_is_that_of_all_and_the_naive_one_is_not(how):
    score, case, known = district(20_000, 4, cut=8, below=0.2)
    if how == "begg_greenes":
        numbers = {"bands": [2, 4, 6, *range(8, 14)]}
    else:
        numbers = {"probability": np.where(score >= 8, 1.0, 0.2)}
    found = assess_accuracy(
        score, known, criterion=BLIND, cuts=[8], verification=how, **numbers
    )  # fmt: skip
    whole = assess_accuracy(score, case, criterion=BLIND, cuts=[8])
    examined = ~np.isnan(known)
    naive = assess_accuracy(score[examined], known[examined], criterion=BLIND, cuts=[8])
    assert naive.sensitivity[0] > whole.sensitivity[0] + 0.1
    assert naive.specificity[0] < whole.specificity[0] - 0.2
    for name in ("sensitivity", "specificity"):
        low, high = (getattr(found, f"{name}_{end}")[0] for end in ("low", "high"))
        assert low < getattr(whole, name)[0] < high
        assert high - low < 0.12
    assert found.area == pytest.approx(whole.area, abs=0.02)
    assert how in found.title()


def test_with_everybody_examined_the_correction_changes_nothing():
    score, case, _ = district(3000, 6)
    known = case.astype(float)
    plain = assess_accuracy(score, known, criterion=BLIND, cuts=[8], interval="logit")
    rates = [0.1]
    known[0] = NAN  # one pupil, so that the correction is made at all
    bands = np.arange(1, 14)
    found = assess_accuracy(
        score, known, criterion=BLIND, cuts=[8], verification="begg_greenes", bands=bands
    )
    assert found.sensitivity == pytest.approx(plain.sensitivity, abs=1e-3)
    assert found.area_low == pytest.approx(plain.area_low, abs=2e-3)
    assert found.area_high == pytest.approx(plain.area_high, abs=2e-3)
    pair = [one.predictive_values(rates) for one in (found, plain)]
    assert pair[0].ppv_low == pytest.approx(pair[1].ppv_low, abs=3e-3)


def test_a_pupil_who_could_not_be_examined_is_nobodys_example():
    score, _, known = district(500, 1, cut=8, below=0.3)
    with pytest.raises(AnalysisError, match="could not have been examined"):
        assess_accuracy(
            score, known, criterion=BLIND, verification="inverse_weights",
            probability=np.where(score >= 8, 1.0, 0.0),
        )  # fmt: skip


@pytest.mark.parametrize("condition", [[0, 0, 0, 0], [0, 0, 0, 1], [1, 1, 1, 0]])
def test_without_two_of_each_there_are_no_figures(condition):
    with pytest.raises(AnalysisError, match="MH721"):
        assess_accuracy([1, 2, 3, 4], condition, criterion=BLIND)


@pytest.mark.parametrize(
    "knew, label", [(True, "contaminated"), (None, "blinding not stated"), (False, "blind")]
)
def test_a_criterion_that_knew_the_score_is_labelled_wherever_it_is_quoted(knew, label):
    criterion = Criterion("an interview", knew_score=knew)
    score, case, _ = district(200, 1)
    found = assess_accuracy(score, case, criterion=criterion)
    quoted = [found, found.predictive_values([0.1]), choose_cut(found)]
    quoted.append(weigh_cuts(found, base_rate=0.1, thresholds=[0.1]))
    for one in quoted:
        assert label in one.title()
        assert [p.code for p in one.problems] == ([] if knew is False else ["MH722"])
    assert set(found.to_frame()["criterion"]) == {label}


def test_a_pupil_without_a_score_is_left_out_and_said_so():
    found = assess_accuracy([1, 2, NAN, 3, 4], [0, 0, 1, 1, 1], criterion=BLIND)
    assert found.cells.pupils == 4
    assert [problem.code for problem in found.problems] == ["MH723"]


def test_predictive_values_follow_the_stated_base_rate():
    score, case, _ = district(5000, 2)
    found = assess_accuracy(score, case, criterion=BLIND, cuts=[8])
    values = found.predictive_values([0.01, 0.15])
    sens, spec = found.sensitivity[0], found.specificity[0]
    by_hand = [r * sens / (r * sens + (1 - r) * (1 - spec)) for r in (0.01, 0.15)]
    assert values.ppv == pytest.approx(by_hand)
    assert (values.ppv_low < values.ppv).all()
    assert (values.ppv < values.ppv_high).all()
    flagged = case[score >= 8]
    assert values.ppv[1] == pytest.approx(flagged.mean(), abs=0.02)


def test_intervals_of_predictive_values_know_that_a_correction_ties_both_shares_together():
    truth, odds, widths = 0.15 * stats.binom.sf(7, 27, 0.35), [], []
    truth /= truth + 0.85 * stats.binom.sf(7, 27, 0.2)
    for seed in range(300):
        score, _, known = district(6000, seed, cut=8, below=0.1)
        found = assess_accuracy(
            score, known, criterion=BLIND, cuts=[8], verification="begg_greenes", bands=[8]
        ).predictive_values([0.15])  # fmt: skip
        low, middle, high = special.logit([found.ppv_low[0], found.ppv[0], found.ppv_high[0]])
        odds.append(middle)
        widths.append((high - low) / (2 * 1.96))
    assert np.mean(odds) == pytest.approx(special.logit(truth), abs=0.03)
    assert np.mean(widths) == pytest.approx(np.std(odds), rel=0.12)


def test_an_empty_cell_leaves_an_interval_that_holds_the_estimate():
    found = assess_accuracy([0, 0, 1, 1, 2, 3], [0, 0, 0, 0, 1, 1], criterion=BLIND, cuts=[0, 2])
    values = found.predictive_values([0.1]).to_frame()
    assert values["ppv"].tolist()[1] == 1.0
    assert values["ppv_high"].tolist()[1] == 1.0
    assert values["ppv_low"].tolist()[1] < 0.9
    assert values["npv"].isna().tolist() == [True, False]
    assert values["npv_low"].isna().tolist() == [True, False]


def test_a_cut_chosen_on_few_pupils_promises_too_much():
    gains = []
    for seed in range(30):
        score, case, _ = district(60, seed)
        if case.sum() < 4:
            continue
        found = assess_accuracy(score, case, criterion=BLIND)
        chosen = choose_cut(found, draws=200, rng=np.random.default_rng(seed))
        apparent = chosen.sensitivity + chosen.specificity
        corrected = chosen.sensitivity_corrected + chosen.specificity_corrected
        fresh_score, fresh_case, _ = district(20_000, 1000 + seed)
        fresh = assess_accuracy(fresh_score, fresh_case, criterion=BLIND, cuts=[chosen.cut])
        truth = fresh.sensitivity[0] + fresh.specificity[0]
        gains.append((apparent - truth, corrected - truth))
        assert chosen.shares.sum() == pytest.approx(1.0)
    apparent, corrected = np.mean(gains, axis=0)
    assert apparent > 0.03
    assert abs(corrected) < 0.7 * apparent


def test_a_target_that_no_cut_reaches_is_said():
    found = assess_accuracy([0, 1, 1, 0], [0, 0, 1, 1], criterion=BLIND)
    assert choose_cut(found, "sensitivity_at_least", target=1.0).cut == 0.0
    with pytest.raises(AnalysisError, match=r"of at least 0\.9  \[MH724"):
        choose_cut(found, "specificity_at_least", target=0.9)


@pytest.mark.parametrize(
    "by, numbers",
    [("best", {}), ("lowest_cost", {"cost": 2}), ("sensitivity_at_least", {}),
     ("youden", {"draws": 10})],
)  # fmt: skip
def test_a_call_that_lacks_a_number_is_refused(by, numbers):
    found = assess_accuracy([0, 1, 1, 0], [0, 0, 1, 1], criterion=BLIND)
    with pytest.raises(UsageError):
        choose_cut(found, by, **numbers)


def test_net_benefit_is_that_of_the_counts():
    score, case, _ = district(4000, 8)
    rate = float(case.mean())
    found = assess_accuracy(score, case, criterion=BLIND, cuts=[8])
    curve = weigh_cuts(found, base_rate=rate, thresholds=[0.2]).to_frame()
    flagged = score >= 8
    by_hand = (flagged & case).mean() - (flagged & ~case).mean() * 0.2 / 0.8
    assert curve["net_benefit"].tolist() == pytest.approx([rate - (1 - rate) / 4, 0, by_hand])
    assert curve["low"][2] < by_hand < curve["high"][2]
    assert curve["low"][0] == pytest.approx(curve["high"][0])  # flagging all depends on no pupil


def test_paired_scores_need_every_pupil():
    with pytest.raises(UsageError, match="every pupil needs both scores"):
        compare_areas({"a": [1, 2, NAN], "b": [1, 2, 3]}, [0, 1, 1])


def test_agreement_is_complete_without_error_of_measurement():
    score = np.repeat(np.arange(11), 20)
    found = classify_by_reliability(score, [6], reliability=0.999, range=(0, 10))
    assert found.consistency[0] > 0.98
    assert found.kappa[0] > 0.95
    assert "not with a disorder" in found.title()


def test_livingston_and_lewis_see_what_true_scores_and_a_second_test_would_show():
    rng = np.random.default_rng(1)
    true = rng.beta(1.5, 4, 100_000)
    first, second = rng.binomial(27, true, (2, 100_000))
    found = classify_by_reliability(
        first, [10], reliability=float(np.corrcoef(first, second)[0, 1]), range=(0, 27)
    )
    assert found.accuracy[0] == pytest.approx(((first >= 10) == (true * 27 >= 10)).mean(), abs=0.01)
    assert found.consistency[0] == pytest.approx(((first >= 10) == (second >= 10)).mean(), abs=0.01)


@pytest.mark.parametrize(
    "score, reliability, kind, code",
    [([3, 3, 3], 0.8, "beta", "MH705"), ([0, 10, 0, 10], 0.99, "beta", "MH729"),
     ([0, 0, 0, 1, 10], 0.8, "beta4", "MH729")],
)  # fmt: skip
def test_scores_that_no_true_scores_explain_are_refused(score, reliability, kind, code):
    with pytest.raises(AnalysisError, match=code):
        classify_by_reliability(
            score, [5], reliability=reliability, range=(0, 10), true_scores=kind
        )


def test_without_a_cut_inside_all_pupils_agree_and_kappa_says_nothing():
    found = classify_by_model(
        [np.array([[0.4, 0.6]])] * 3, [(0, 1)] * 3, mass=[1.0], cuts=[0]
    )  # fmt: skip
    assert found.accuracy[0] == pytest.approx(1.0)
    assert np.isnan(found.kappa[0])


def test_every_result_has_a_picture_or_says_that_it_has_none():
    score, case, _ = district(300, 1)
    found = assess_accuracy(score, case, criterion=BLIND)
    rng = np.random.default_rng(1)
    drawn = [
        found,
        found.predictive_values([0.1]),
        choose_cut(found, draws=50, rng=rng),
        weigh_cuts(found, base_rate=0.1, thresholds=[0.1, 0.2], cuts=[8]),
        classify_by_reliability(score, [8, 10], reliability=0.8, range=(0, 27)),
    ]
    for one in drawn:
        assert one.plot().figure is not None
    with pytest.raises(UsageError, match="ask for draws"):
        choose_cut(found).plot()
