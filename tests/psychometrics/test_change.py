"""A change names what it rests on, compares only what is alike, and lowers no case."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics.change import (
    ChangeBasis,
    ChangeForm,
    Wave,
    assess_change,
    basis_of_sample,
    cut_between,
    without_estimated,
)
from mhscreen.psychometrics.growth import follow_waves
from mhscreen.psychometrics.important_difference import Anchor, find_important_difference
from mhscreen.psychometrics.regression_to_mean import expected_regression, split_change
from mhscreen.psychometrics.transitions import tabulate_transitions

BASIS = ChangeBasis(0.8, "test-retest", 5.0, "a sample", 10.0, 9.0, 5.5, 0.75, 0.6)
PHQ9 = {"instrument": "phq9@1.0.0", "scale": "total", "informant": "self", "window": "two weeks"}


def wave(score, label="autumn", subject=None, **other):
    subject = [f"P{n}" for n in range(len(score))] if subject is None else subject
    return Wave(label, subject, score, **{**PHQ9, **other})


def test_the_basis_is_named_wherever_a_change_is_shown():
    found = assess_change(wave([12, 9]), wave([6, 11]), BASIS)
    assert "test-retest 0.8, SD 5 (a sample)" in found.title()
    assert "it lowers no case" in found.title()


@pytest.mark.parametrize("lacking", ["source", "coefficient"])
def test_a_reliability_without_a_source_is_refused(lacking):
    with pytest.raises(UsageError, match="with the source"):
        ChangeBasis(**{"reliability": 0.8, "coefficient": "c", "sd": 5, "source": "s", lacking: ""})


@pytest.mark.parametrize(
    "other, words",
    [({"instrument": "phq9@1.1.0"}, "more than one version"),
     ({"window": "one month"}, "more than one recall window"),
     ({"informant": "parent"}, "more than one informant"),
     ({"scale": "somatic"}, "more than one scale")],
)  # fmt: skip
def test_forms_that_are_not_alike_are_not_compared(other, words):
    with pytest.raises(AnalysisError, match=words) as caught:
        assess_change(wave([12, 9]), wave([6, 11], **other), BASIS)
    assert [problem.code for problem in caught.value.problems] == ["MH725"]


def test_an_estimated_score_is_not_compared():
    first = wave([12, 9, 4], estimated=[False, True, False])
    with pytest.raises(AnalysisError, match="1 scores are estimated"):
        assess_change(first, wave([6, 11, 4]), BASIS)
    found = assess_change(without_estimated(first), wave([6, 11, 4]), BASIS)
    assert found.subject.tolist() == ["P0", "P2"]
    assert [problem.code for problem in found.problems] == ["MH723"]


def test_a_pupil_with_two_forms_in_a_wave_is_not_compared():
    with pytest.raises(AnalysisError, match="1 pupils stand twice"):
        assess_change(wave([12, 9], subject=["A", "A"]), wave([6, 11], subject=["A", "B"]), BASIS)


def test_everything_that_is_not_alike_is_said_at_once():
    with pytest.raises(AnalysisError) as caught:
        assess_change(
            wave([12, 9], estimated=[True, False]),
            wave([6, 11], informant="parent", window="one month"),
            BASIS,
        )
    assert len(caught.value.problems) == 3


def test_pupils_are_matched_by_subject_whatever_their_order():
    found = assess_change(
        wave([12, 9, 3], subject=["A", "B", "C"]), wave([1, 20], subject=["C", "A"]), BASIS
    )
    assert found.subject.tolist() == ["A", "C"]
    assert found.difference.tolist() == [8, -2]
    assert "1 of 3 pupils" in found.problems[0].what


@given(
    st.lists(st.integers(0, 27), min_size=2, max_size=8),
    st.sampled_from(ChangeForm.__args__),
    st.integers(1, 10),
)
def test_a_higher_second_score_never_lowers_the_index(first, form, more):
    second = [min(27, score + 2) for score in first]
    low = assess_change(wave(first), wave(second), BASIS, form=form)
    high = assess_change(wave(first), wave([s + more for s in second]), BASIS, form=form)
    assert (high.index > low.index).all()


@given(st.lists(st.tuples(st.integers(0, 27), st.integers(0, 27)), min_size=2, max_size=8))
def test_turning_the_scale_round_swaps_better_and_worse(pairs):
    first, second = (np.array(one, dtype=float) for one in zip(*pairs, strict=True))
    up = assess_change(wave(first), wave(second), BASIS)
    down = assess_change(wave(27 - first), wave(27 - second), BASIS, higher_is="better")
    assert up.outcome.tolist() == down.outcome.tolist()


@pytest.mark.parametrize("form", ChangeForm.__args__)
def test_a_form_says_which_figures_it_lacks(form):
    bare = ChangeBasis(0.8, "test-retest", 5.0, "a sample")
    if form == "jacobson_truax":
        assert assess_change(wave([12, 9]), wave([6, 11]), bare).form == form
        return
    with pytest.raises(UsageError, match="needs mean"):
        assess_change(wave([12, 9]), wave([6, 11]), bare, form=form)


def test_of_pupils_who_did_not_change_one_in_twenty_seems_to():
    rng = np.random.default_rng(1)
    true = 10 + 4 * rng.standard_normal(40_000)
    first, second = true + 2 * rng.standard_normal((2, 40_000))
    pair = wave(first), wave(second)
    basis = basis_of_sample(*pair, reliability=0.8, coefficient="as made", source="simulation")
    for form in ("jacobson_truax", "gulliksen_lord_novick", "hsu_linn_lord"):
        counts = assess_change(*pair, basis, form=form).counts()
        share = 1 - counts["no reliable change"] / 40_000
        assert share == pytest.approx(0.05, abs=0.006), form


def test_a_difference_smaller_than_the_smallest_is_not_reliable():
    found = assess_change(wave([0, 0]), wave([6.1, 6.3]), BASIS)
    assert 6.1 < found.smallest < 6.3
    assert found.outcome.tolist() == ["no reliable change", "worse"]


def test_differences_that_are_all_error_give_no_index_of_their_own():
    basis = ChangeBasis(0.3, "c", 5.0, "s", 10, 10, 5.0, None, 0.6)
    with pytest.raises(AnalysisError, match="MH729"):
        assess_change(wave([12, 9]), wave([6, 11]), basis, form="hageman_arrindell")


def test_without_a_common_pupil_nothing_is_said():
    with pytest.raises(AnalysisError, match="MH705"):
        assess_change(wave([1, 2], subject=["A", "B"]), wave([1, 2], subject=["C", "D"]), BASIS)


@pytest.mark.parametrize("criterion, score", [("a", 4.0), ("b", 10.0), ("c", 7.789)])
def test_a_cut_between_two_groups_follows_its_criterion(criterion, score):
    found = cut_between(concerned=(16.0, 6.0), reference=(3.0, 3.5), criterion=criterion)
    assert found == pytest.approx(score, abs=1e-3)
    mirrored = cut_between(concerned=(-16.0, 6.0), reference=(-3.0, 3.5), criterion=criterion)
    assert mirrored == pytest.approx(-score, abs=1e-3)


def test_expected_regression_is_that_of_simulated_scores():
    rng = np.random.default_rng(2)
    both = rng.multivariate_normal([6, 6], [[25, 17.5], [17.5, 25]], 400_000)
    chosen = both[:, 0] >= 10
    change = (both[:, 1] - both[:, 0])[chosen].mean()
    found = expected_regression(sd=5, correlation=0.7, mean=6, cut=10)
    assert found == pytest.approx(change, abs=0.02)


def test_a_group_chosen_by_its_scores_improves_without_help_and_that_is_split_off():
    rng = np.random.default_rng(3)
    true = rng.normal(7, 4, 5_000)
    first, second = (true + rng.normal(0, 2, 5_000) for _ in range(2))
    helped = second - 1.5
    facts = {"mean": first.mean(), "correlation": np.corrcoef(first, second)[0, 1]}
    for after, gain in ((second, 0.0), (helped, -1.5)):
        found = split_change(wave(first), wave(after), cut=12, source="simulation", **facts)
        assert found.observed < -0.8
        assert found.low < gain < found.high


def test_regression_to_the_mean_needs_a_mean_from_elsewhere():
    with pytest.raises(UsageError, match="need a source"):
        split_change(wave([12, 9]), wave([6, 11]), cut=5, mean=6, correlation=0.7, source="")


def simulated_anchor(pupils=4000, seed=5):
    rng = np.random.default_rng(seed)
    change = rng.normal(2, 4, pupils)
    rating = np.digitize(change + rng.normal(0, 2, pupils), [-2, 3, 7]) - 1.0
    first = rng.normal(15, 4, pupils)
    return wave(first), wave(first - change), dict(zip(wave(first).subject, rating, strict=True))


def test_the_predictive_difference_finds_the_threshold_that_pupils_were_given():
    before, after, rating = simulated_anchor()
    found = find_important_difference(before, after, BASIS, anchor=Anchor("simulated", rating))
    value = dict(zip(found.method, found.value, strict=True))
    assert value["predictive, adjusted"] == pytest.approx(3, abs=0.4)
    assert value["half a standard deviation"] == 2.5
    assert value["standard error of measurement"] == pytest.approx(5 * np.sqrt(0.2))
    assert set(found.rests_on) == {"anchor", "distribution"}


def test_intervals_of_anchored_figures_hold_the_estimate():
    before, after, rating = simulated_anchor(400)
    found = find_important_difference(
        before, after, BASIS, anchor=Anchor("simulated", rating), draws=100,
        rng=np.random.default_rng(1),
    ).to_frame().query("rests_on == 'anchor'")  # fmt: skip
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()


def test_an_anchor_that_hardly_speaks_of_the_change_is_marked():
    before, after, rating = simulated_anchor(300)
    mixed = dict(zip(rating, np.random.default_rng(1).permutation([*rating.values()]), strict=True))
    found = find_important_difference(before, after, BASIS, anchor=Anchor("mixed", mixed))
    assert [problem.code for problem in found.problems] == ["MH728"]


def test_groups_that_the_change_separates_completely_have_no_predictive_difference():
    before, after = wave(np.full(8, 20.0)), wave(20 - np.array([0.0, 1, 0, 1, 8, 9, 8, 9]))
    rating = dict(zip(before.subject, [0, 0, 0, 0, 1, 1, 1, 1], strict=True))
    with pytest.raises(AnalysisError, match="MH709"):
        find_important_difference(before, after, BASIS, anchor=Anchor("a", rating))


def test_an_anchor_without_an_unchanged_group_is_refused():
    before, after = wave([20, 18, 17.0]), wave([15, 12, 13.0])
    rating = dict.fromkeys(before.subject, 1)
    with pytest.raises(AnalysisError, match="0 rated unchanged"):
        find_important_difference(before, after, BASIS, anchor=Anchor("a", rating))


def lines(pupils, seed, lost=0.0):
    rng = np.random.default_rng(seed)
    times = np.arange(4.0)
    root = np.linalg.cholesky([[9, -1], [-1, 1]])
    own = [10, 0.5] + rng.standard_normal((pupils, 2)) @ root.T
    scores = own[:, :1] + own[:, 1:] * times + 1.5 * rng.standard_normal((pupils, 4))
    scores[rng.random(scores.shape) < lost] = np.nan
    return [wave(scores[:, n], f"wave {n}") for n in range(4)], times, own


def test_lines_recover_what_they_were_made_from_though_waves_are_missed():
    waves, times, own = lines(3_000, 1, lost=0.2)
    found = follow_waves(waves, times)
    truth = {"level": 10, "slope": 0.5, "level_sd": 3, "slope_sd": 1, "error_sd": 1.5}
    for name, value in truth.items():
        assert getattr(found, name) == pytest.approx(value, abs=0.1), name
    assert found.correlation == pytest.approx(-1 / 3, abs=0.06)
    kept = [int(name[1:]) for name in found.subject]
    assert np.corrcoef(found.own_slope, own[kept, 1])[0, 1] > 0.7
    error = (found.own_slope - own[kept, 1]) / found.own_slope_se
    assert error.std() == pytest.approx(1, abs=0.05)
    rising = own[kept, 1][found.outcome == "rising"]
    assert (rising > 0).mean() > 0.97


def test_slopes_that_do_not_differ_are_not_read_as_differing():
    rng = np.random.default_rng(4)
    waves = [wave(rng.normal(10, 3, 200), f"wave {n}") for n in range(4)]
    found = follow_waves(waves, range(4))
    assert found.slope_sd < 0.5
    assert (found.outcome == "no reliable slope").mean() > 0.9


def test_three_waves_are_needed_for_a_line():
    waves, times, _ = lines(30, 1)
    with pytest.raises(UsageError, match="three waves"):
        follow_waves(waves[:2], times[:2])
    few = [wave(one.score[:2], one.label) for one in waves]
    with pytest.raises(AnalysisError, match="hardly any pupil has three scores"):
        follow_waves(few, times)


def test_waves_of_another_window_are_not_joined_into_a_line():
    waves, times, _ = lines(30, 1)
    waves[1] = wave(waves[1].score, "wave 1", window="one month")
    with pytest.raises(AnalysisError, match="recall window"):
        follow_waves(waves, times)


def test_nobody_is_left_out_of_a_table_of_transitions():
    before = {"A": "none", "B": "severe", "C": "not_screened", "D": "watch"}
    after = {"A": "undetermined", "B": "severe", "C": "none", "E": "major"}
    found = tabulate_transitions(before, after)
    pupils = found.to_frame().query("pupils > 0")
    assert pupils["pupils"].sum() == 5
    assert sorted(zip(pupils["before"], pupils["after"], strict=True)) == [
        ("absent", "major"), ("none", "undetermined"), ("not_screened", "none"),
        ("severe", "severe"), ("watch", "absent"),
    ]  # fmt: skip


def test_shares_of_two_tiers_are_compared_as_by_mcnemar():
    pairs = [("none", "none")] * 40 + [("none", "watch")] * 12 + [("watch", "none")] * 5
    pairs += [("watch", "watch")] * 9
    before, after = ({f"P{n}": pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
    found = tabulate_transitions(before, after)
    assert found.statistic == pytest.approx((12 - 5) ** 2 / (12 + 5))
    assert found.p == pytest.approx(stats.chi2.sf(found.statistic, 1))


def test_where_nobody_moves_there_is_no_test():
    found = tabulate_transitions({"A": "none", "B": "none"}, {"A": "none", "B": "none"})
    assert np.isnan(found.p)


def test_a_tier_that_is_none_is_refused():
    with pytest.raises(UsageError, match="no tier fine"):
        tabulate_transitions({"A": "fine"}, {"A": "none"})


def test_every_result_has_a_picture():
    waves, times, _ = lines(60, 2)
    before, after, rating = simulated_anchor(200)
    for one in (
        assess_change(waves[0], waves[1], BASIS, cut=12),
        follow_waves(waves, times),
        find_important_difference(before, after, BASIS, anchor=Anchor("a", rating)),
        tabulate_transitions({"A": "none", "B": "watch"}, {"A": "watch", "B": "watch"}),
    ):
        assert one.plot().figure is not None
        assert len(one.to_frame())
