"""Confirmatory models find again what made the answers, and say what answers cannot decide."""

import numpy as np
import pandas as pd
import pytest

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import (
    as_answers,
    assess_invariance,
    confirm_factors,
)
from mhscreen.psychometrics import factor_model as module

KEYS = {"low": ["q1", "q2", "q3"], "worried": ["q4", "q5", "q6", "q7"]}
LOADING = np.array([0.8, 0.7, 0.6, 0.7, 0.8, 0.6, 0.5])
ITEMS = [f"q{n}" for n in range(1, 8)]


def answers(forms=1500, seed=2, mean=(0, 0), shift=0.0):
    rng = np.random.default_rng(seed)
    factors = rng.multivariate_normal(mean, [[1, 0.5], [0.5, 1]], forms)
    values = factors[:, [0, 0, 0, 1, 1, 1, 1]] * LOADING
    values += rng.normal(size=values.shape) * np.sqrt(1 - LOADING**2)
    values[:, 1] += shift
    return pd.DataFrame(values, columns=ITEMS)


ONE = answers()


def by_kind(found, kind):
    return [one for one in found.estimates if one.kind == kind]


def test_the_parameters_behind_the_answers_are_found_again():
    found = confirm_factors(ONE, KEYS)
    loadings = by_kind(found, "loading")
    assert [(one.of, one.on) for one in loadings[:4]] == [
        ("q1", "low"), ("q2", "low"), ("q3", "low"), ("q4", "worried"),
    ]  # fmt: skip
    for one, true in zip(loadings, LOADING, strict=True):
        assert abs(one.value - true) < 4 * one.se
    (covariance,) = by_kind(found, "factor_covariance")
    assert abs(covariance.value - 0.5) < 4 * covariance.se
    assert found.fit.p > 0.001
    assert found.fit.df == 13
    assert found.problems == ()


def test_standard_errors_are_the_spread_of_the_estimates():
    runs = [confirm_factors(answers(400, seed), KEYS) for seed in range(40)]
    values = np.array([[one.value for one in by_kind(run, "loading")] for run in runs])
    errors = np.array([[one.se for one in by_kind(run, "loading")] for run in runs])
    np.testing.assert_allclose(values.std(axis=0).mean(), errors.mean(), rtol=0.15)


def test_the_score_is_the_slope_of_the_likelihood():
    """At a point that is no solution, against small changes of each parameter."""
    factors, items = module.check_keys(KEYS)
    samples = [
        module.sample_of(name, as_answers(answers(300, seed), items))
        for name, seed in (("a", 1), ("b", 4))
    ]
    model = module.FactorModel(factors, items, samples, "scalar", means=True)
    values = model.start() * 1.1 + 0.05
    slope, _ = module.score_of(model, values)
    for place in range(len(values)):
        step = np.zeros(len(values))
        step[place] = 1e-6
        loss = (module.loss_of(model, values + step) - module.loss_of(model, values - step)) / 2e-6
        assert slope[place] == pytest.approx(-loss / 2, abs=1e-6)


def test_one_factor_where_two_are_is_seen():
    found = confirm_factors(ONE, {"all": ITEMS})
    assert found.fit.p < 1e-10
    assert found.fit.cfi < 0.9
    assert found.fit.rmsea_low > 0.08
    assert np.abs(found.residual_correlations[0]).max() > 0.1


def test_the_unit_of_an_item_changes_its_own_loading_alone():
    scaled = ONE.assign(q2=ONE["q2"] * 10)
    one, other = confirm_factors(ONE, KEYS), confirm_factors(scaled, KEYS)
    assert other.fit.chi2 == pytest.approx(one.fit.chi2, rel=1e-6)
    values = [a.value / b.value for a, b in zip(by_kind(other, "loading"), by_kind(one, "loading"),
                                                strict=True)]  # fmt: skip
    np.testing.assert_allclose(values, [1, 10, 1, 1, 1, 1, 1], rtol=1e-4)


def test_long_tails_scale_the_test():
    rng = np.random.default_rng(1)
    tail = np.sqrt(5 / rng.chisquare(5, (1500, 1)))
    found = confirm_factors(ONE * tail, KEYS)
    assert found.fit.scaling > 1.3
    assert found.fit.chi2_scaled == pytest.approx(found.fit.chi2 / found.fit.scaling)
    assert confirm_factors(ONE, KEYS).fit.scaling == pytest.approx(1, abs=0.08)


def two_groups(**second):
    return pd.concat(
        [answers(900, 3).assign(school="A"), answers(700, 5, **second).assign(school="B")]
    )


def test_groups_that_differ_in_their_means_alone_are_invariant():
    found = assess_invariance(two_groups(mean=(0.5, 0)), KEYS, "school")
    frame = found.to_frame().set_index("level")
    assert (frame["p_difference"].dropna() > 0.001).all()
    assert list(frame["df_difference"])[1:] == [5, 5]
    means = {
        one.of: one for one in by_kind(found.models["scalar"], "factor_mean") if one.group == "B"
    }
    assert abs(means["low"].value - 0.5) < 4 * means["low"].se
    assert abs(means["worried"].value) < 4 * means["worried"].se
    assert found.groups == {"A": 900, "B": 700}


def test_an_item_that_one_group_finds_easier_breaks_scalar_invariance():
    frame = assess_invariance(two_groups(shift=0.5), KEYS, "school").to_frame().set_index("level")
    assert frame.loc["metric", "p_difference"] > 0.001
    assert frame.loc["scalar", "p_difference"] < 1e-6
    assert frame.loc["scalar", "cfi_difference"] < -0.01


def test_residuals_of_the_means_count_in_the_srmr_of_groups():
    frame = two_groups(shift=0.5)
    model = assess_invariance(frame, KEYS, "school", levels=["scalar"]).models["scalar"]
    total = 0.0
    for place, (name, group) in enumerate(frame.groupby("school")):
        value = {(e.kind, e.of): e.value for e in model.estimates if e.group == name}
        means = [
            value["intercept", item] + value["loading", item] * value["factor_mean", factor]
            for factor, items in KEYS.items()
            for item in items
        ]
        gaps = (group[ITEMS].mean() - means) / group[ITEMS].std(ddof=0)
        residuals = model.residual_correlations[place][np.tril_indices(7)]
        total += len(group) / len(frame) * np.sqrt(np.mean(np.append(residuals, gaps) ** 2))
    assert model.fit.srmr == pytest.approx(total, rel=1e-9)


def test_which_group_comes_first_changes_no_fit():
    one, other = (
        assess_invariance(two_groups(), KEYS, "school", reference=name, levels=["scalar"])
        for name in ("A", "B")
    )
    fits = [found.models["scalar"].fit.chi2 for found in (one, other)]
    assert fits[0] == pytest.approx(fits[1], rel=1e-6)


def test_levels_are_fitted_in_their_order():
    found = assess_invariance(two_groups(), KEYS, "school", levels=["strict", "configural"])
    assert list(found.models) == ["configural", "strict"]
    assert list(found.to_frame()["df_difference"])[1] == 17


def test_forms_with_blanks_or_without_a_group_are_left_out_and_counted():
    frame = two_groups().reset_index(drop=True)
    frame.loc[:4, "q1"] = np.nan
    frame.loc[10:11, "school"] = None
    found = assess_invariance(frame, KEYS, "school", levels=["configural"])
    assert "1593 forms, 7 left out for blanks or without a group" in found.title()
    assert found.groups == {"A": 893, "B": 700}
    alone = confirm_factors(frame, KEYS)
    assert "1595 forms, 5 left out for blanks, missing='complete'" in alone.title()


def test_one_group_is_no_comparison():
    with pytest.raises(AnalysisError) as caught:
        assess_invariance(ONE.assign(school="A"), KEYS, "school")
    assert [problem.code for problem in caught.value.problems] == ["MH707"]


def test_a_group_that_cannot_be_analysed_is_named():
    frame = two_groups()
    frame.loc[frame["school"] == "B", "q3"] = 1.0
    with pytest.raises(AnalysisError, match="group B: q3: everybody gave the same answer"):
        assess_invariance(frame, KEYS, "school")


def test_a_negative_variance_is_said():
    rng = np.random.default_rng(4)
    matrix = np.array([[1, 0.8, 0.7], [0.8, 1, 0.4], [0.7, 0.4, 1]])
    values = rng.normal(size=(300, 3))
    values = (values - values.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(values.T))).T
    found = confirm_factors(
        values @ np.linalg.cholesky(matrix).T, {"f": ["item_1", "item_2", "item_3"]}
    )
    assert [problem.code for problem in found.problems] == ["MH713"]
    assert found.fit.df == 0
    assert np.isnan(found.fit.p)


def test_a_search_without_an_end_gives_no_figures(monkeypatch):
    monkeypatch.setattr(module, "_STEPS", 1)
    with pytest.raises(AnalysisError, match="MH709"):
        confirm_factors(ONE, KEYS)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({}, "a mapping of factors"),
        ({"f": ["q1"], "g": ["q2", "q3"]}, "at least two items"),
        ({"f": ["q1", "q2"]}, "three where it is alone"),
        ({"f": ["q1", "q2", "q9"]}, "no column q9"),
        ({"f": ["q1", "q2", "q3"], "g": ["q1", "q2", "q3"]}, "parameters more than"),
    ],
)
def test_a_model_that_answers_cannot_decide_is_refused(keys, words):
    with pytest.raises(UsageError, match=words):
        confirm_factors(ONE, keys)


def test_policies_and_levels_are_named_and_known():
    with pytest.raises(UsageError, match="missing is 'complete'"):
        confirm_factors(ONE, KEYS, missing="pairwise")
    with pytest.raises(UsageError, match="levels is 'configural', 'metric'"):
        assess_invariance(two_groups(), KEYS, "school", levels=["weak"])


def test_results_are_shown():
    found = confirm_factors(ONE, KEYS)
    assert "2-factor model; chi2(13)" in repr(found)
    assert len(found.to_frame()) == 7 + 3 + 7
    assert found.plot().get_xlabel() == "standardised loading"
    assert assess_invariance(two_groups(), KEYS, "school").plot().lines
