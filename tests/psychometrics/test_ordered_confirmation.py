"""Models of ordered answers find again what made the answers, weights and groups included."""

import numpy as np
import pandas as pd
import pytest

import mhscreen.psychometrics as mp
from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics.ordered_model import OrderedModel
from mhscreen.psychometrics.ordered_sample import ordered_sample_of

KEYS = {"low": ["q1", "q2", "q3"], "worried": ["q4", "q5", "q6", "q7"]}
LOADING = np.array([0.8, 0.7, 0.6, 0.7, 0.8, 0.6, 0.5])
ITEMS = [f"q{n}" for n in range(1, 8)]
CUTS = np.array([-0.3, 0.6, 1.3])


def answers(forms=1200, seed=2, mean=(0, 0), shift=0.0, cuts=CUTS):
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal(mean, [[1, 0.5], [0.5, 1]], forms)
    values = factors[:, [0, 0, 0, 1, 1, 1, 1]] * LOADING
    values += rng.normal(size=values.shape) * np.sqrt(1 - LOADING**2)
    values[:, 1] += shift
    return pd.DataFrame(np.searchsorted(cuts, values), columns=ITEMS)


ONE = answers()


def of_kind(found, kind, group=None):
    return [one for one in found.estimates if one.kind == kind and group in (None, one.group)]


def fit(frame, **options):
    return mp.confirm_factors(frame, KEYS, estimator="wlsmv", **options)


def test_loadings_and_thresholds_behind_the_answers_are_found_again():
    found = fit(ONE)
    for one, true in zip(of_kind(found, "loading"), LOADING, strict=True):
        assert abs(one.value - true) < 4 * one.se
    thresholds = [one for one in of_kind(found, "threshold") if one.of == "q4"]
    assert [one.on for one in thresholds] == ["1", "2", "3"]
    for one, true in zip(thresholds, CUTS, strict=True):
        assert abs(one.value - true) < 4 * one.se
    assert found.fit.p_scaled > 0.001
    assert np.isnan(found.fit.p)
    assert found.title().startswith("2-factor model; adjusted chi2(13) =")


def test_codes_taken_as_measurements_make_loadings_too_small_and_ordered_ones_do_not():
    """Three of four pupils choose the lowest of three options, as with symptoms."""
    skewed = answers(4000, cuts=np.array([0.7, 1.5]))
    plain = [one.standardised for one in of_kind(mp.confirm_factors(skewed, KEYS), "loading")]
    ordered = [one.standardised for one in of_kind(fit(skewed), "loading")]
    assert np.mean(np.array(plain) - LOADING) < -0.08
    assert abs(np.mean(np.array(ordered) - LOADING)) < 0.02


@pytest.mark.slow
def test_standard_errors_are_the_spread_of_the_estimates():
    runs = [fit(answers(300, seed)) for seed in range(40)]
    values = np.array([[one.value for one in of_kind(run, "loading")] for run in runs])
    errors = np.array([[one.se for one in of_kind(run, "loading")] for run in runs])
    np.testing.assert_allclose(values.std(axis=0).mean(), errors.mean(), rtol=0.15)


@pytest.mark.slow
def test_a_true_model_is_rejected_about_as_often_as_it_says():
    p = np.array([fit(answers(300, seed)).fit.p_scaled for seed in range(200, 280)])
    assert np.mean(p < 0.5) == pytest.approx(0.5, abs=0.17)
    assert np.mean(p < 0.05) < 0.12


def test_one_factor_where_two_are_is_seen():
    found = mp.confirm_factors(ONE, {"all": ITEMS}, estimator="wlsmv")
    assert found.fit.p_scaled < 1e-10
    assert found.fit.cfi < 0.95
    assert np.abs(found.residual_correlations[0]).max() > 0.1


@pytest.mark.parametrize("level", ["thresholds", "metric", "scalar"])
def test_slopes_are_those_of_small_changes(level):
    taken = [mp.as_answers(answers(250, seed)) for seed in (1, 4)]
    samples = [
        ordered_sample_of(name, one, one.places(), [4] * 7)
        for name, one in zip("ab", taken, strict=True)
    ]
    factors = {name: tuple(items) for name, items in KEYS.items()}
    model = OrderedModel(factors, tuple(ITEMS), samples, level)
    values = model.start() * 1.1 + 0.05
    for group in (0, 1):
        slopes = model.slopes(group, model.matrices(values)[group])
        for place in range(len(values)):
            step = np.zeros(len(values))
            step[place] = 1e-6
            ends = [
                model.reproduced(model.matrices(values + sign * step)[group]) for sign in (1, -1)
            ]
            np.testing.assert_allclose(slopes[:, place], (ends[0] - ends[1]) / 2e-6, atol=1e-8)


def test_levels_that_only_rename_a_model_fit_alike():
    """Of three options equal thresholds are a choice of unit and origin, and no restriction."""
    three = CUTS[:2]
    pair = pd.concat([answers(600, 3, cuts=three).assign(school="A"),
                      answers(500, 5, mean=(0.5, 0), cuts=three).assign(school="B")])  # fmt: skip
    found = mp.assess_invariance(
        pair, KEYS, "school", estimator="wlsmv", levels=["configural", "thresholds"]
    )
    free, equal = (found.models[level].fit for level in ("configural", "thresholds"))
    assert free.df == equal.df
    assert equal.chi2 == pytest.approx(free.chi2, rel=1e-6)


def two_groups(**second):
    return pd.concat(
        [answers(900, 3).assign(school="A"), answers(700, 5, **second).assign(school="B")]
    )


def test_groups_that_differ_in_their_means_alone_are_invariant():
    found = mp.assess_invariance(two_groups(mean=(0.5, 0)), KEYS, "school", estimator="wlsmv")
    frame = found.to_frame().set_index("level")
    assert list(frame.index) == ["configural", "thresholds", "metric", "scalar"]
    assert list(frame["df_difference"])[1:] == [7, 5, 5]
    assert (frame["p_difference"].dropna() > 0.001).all()
    means = {one.of: one for one in of_kind(found.models["scalar"], "factor_mean", "B")}
    assert abs(means["low"].value - 0.5) < 4 * means["low"].se
    assert abs(means["worried"].value) < 4 * means["worried"].se


def test_an_item_that_one_group_finds_easier_breaks_scalar_invariance():
    found = mp.assess_invariance(two_groups(shift=0.5), KEYS, "school", estimator="wlsmv")
    frame = found.to_frame().set_index("level")
    assert frame.loc["metric", "p_difference"] > 0.001
    assert frame.loc["scalar", "p_difference"] < 1e-6


def test_thresholds_that_lie_elsewhere_in_one_group_are_seen_first():
    pair = two_groups()
    wide = answers(700, 5, cuts=np.array([-0.3, 1.0, 1.3]))
    pair.loc[pair["school"] == "B", "q4"] = wide["q4"].to_numpy()
    frame = mp.assess_invariance(pair, KEYS, "school", estimator="wlsmv").to_frame()
    assert frame.set_index("level").loc["thresholds", "p_difference"] < 1e-6


def test_a_form_of_weight_two_counts_as_two_forms():
    twice = np.arange(len(ONE)) % 2 + 1
    for estimator in ("wlsmv", "ml"):
        weighted = mp.confirm_factors(ONE.assign(w=twice), KEYS, estimator=estimator, weights="w")
        repeated = mp.confirm_factors(ONE.loc[ONE.index.repeat(twice)], KEYS, estimator=estimator)
        for one, other in zip(weighted.estimates, repeated.estimates, strict=True):
            assert one.value == pytest.approx(other.value, abs=2e-5 if estimator == "ml" else 1e-3)
        assert weighted.fit.forms == len(ONE)


def test_the_unit_of_the_weights_changes_nothing():
    weights = np.random.default_rng(1).uniform(0.5, 2, len(ONE))
    for estimator in ("wlsmv", "ml"):
        one, other = (
            mp.confirm_factors(ONE, KEYS, estimator=estimator, weights=weights * unit)
            for unit in (1, 1000)
        )
        assert other.fit.chi2_scaled == pytest.approx(one.fit.chi2_scaled)
        for a, b in zip(one.estimates, other.estimates, strict=True):
            assert (a.value, a.se) == pytest.approx((b.value, b.se), nan_ok=True)


def test_uneven_weights_make_errors_larger():
    weights = np.where(np.random.default_rng(1).random(len(ONE)) < 0.2, 4.0, 0.25)
    effective = weights.sum() ** 2 / np.sum(weights**2)
    for estimator in ("wlsmv", "ml"):
        even = mp.confirm_factors(ONE, KEYS, estimator=estimator)
        uneven = mp.confirm_factors(ONE, KEYS, estimator=estimator, weights=weights)
        ratio = np.mean(
            [b.se / a.se for a, b in zip(of_kind(even, "loading"), of_kind(uneven, "loading"),
                                         strict=True)]
        )  # fmt: skip
        assert ratio == pytest.approx(np.sqrt(len(ONE) / effective), rel=0.12)


def test_what_cannot_be_fitted_is_refused_by_name():
    def code(frame, **options):
        with pytest.raises(AnalysisError) as caught:
            fit(frame, **options)
        return {problem.code for problem in caught.value.problems}

    assert code(ONE.assign(q1=1)) == {"MH702"}
    assert code(ONE.assign(q2=ONE["q1"])) == {"MH704"}
    assert code(ONE[:7]) == {"MH705"}
    assert code(ONE.assign(q3=np.arange(len(ONE)))) == {"MH701"}
    assert code(ONE.assign(w=-1.0), weights="w") == {"MH711"}


def test_an_answer_that_a_group_never_gave_is_refused_by_name():
    pair = two_groups()
    pair.loc[(pair["school"] == "B") & (pair["q3"] == 3), "q3"] = 2
    with pytest.raises(AnalysisError, match="never given by the group B") as caught:
        mp.assess_invariance(pair, KEYS, "school", estimator="wlsmv")
    assert [problem.code for problem in caught.value.problems] == ["MH730"]


def test_levels_that_two_options_cannot_tell_apart_are_refused():
    pair = two_groups()
    pair["q1"] = (pair["q1"] > 0).astype(int)
    found = mp.assess_invariance(pair, KEYS, "school", estimator="wlsmv")
    assert list(found.models) == ["configural", "scalar"]
    with pytest.raises(UsageError, match=r"with two options \(q1\) only"):
        mp.assess_invariance(pair, KEYS, "school", estimator="wlsmv", levels=["metric"])
    with pytest.raises(UsageError, match="levels is 'configural', 'thresholds'"):
        mp.assess_invariance(pair, KEYS, "school", estimator="wlsmv", levels=["strict"])
    with pytest.raises(UsageError, match="estimator is 'ml' or 'wlsmv'"):
        mp.confirm_factors(pair, KEYS, estimator="uls")


def test_a_search_without_end_gives_no_figures(monkeypatch):
    monkeypatch.setattr("mhscreen.psychometrics.ordered_model._STEPS", 1)
    with pytest.raises(AnalysisError) as caught:
        fit(ONE)
    assert [problem.code for problem in caught.value.problems] == ["MH709"]


def test_items_that_share_nothing_give_no_figures():
    noise = np.random.default_rng(1).integers(0, 3, (300, 4))
    frame = pd.DataFrame(noise, columns=list("abcd"))
    with pytest.raises(AnalysisError) as caught:
        mp.confirm_factors(frame, {"x": ["a", "b"], "y": ["c", "d"]}, estimator="wlsmv")
    assert {problem.code for problem in caught.value.problems} == {"MH709"}


def test_an_option_nobody_chose_is_said():
    gap = ONE.replace({"q5": {1: 0}})
    assert [(one.code, one.path) for one in fit(gap).problems] == [("MH703", "q5")]
