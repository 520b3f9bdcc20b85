"""Coefficients of reliability keep what theory says of them, and say what they rest on."""

import importlib
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import (
    as_answers,
    assess_reliability,
    bound_reliability,
    estimate_alpha,
    estimate_omega,
    split_halves,
)
from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.halves import _largest_errors, _splits

module = importlib.import_module("mhscreen.psychometrics.reliability")
NAMES = [f"q{n}" for n in range(1, 9)]


def one_factor(items=6, forms=400, seed=3, loading=0.6):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(forms, 1))
    values = loading * common + sqrt(1 - loading**2) * rng.normal(size=(forms, items))
    return np.clip(np.round(2 + values), 0, 4).astype(np.int8)


def two_halves():
    """Eight items of two related parts."""
    rng = np.random.default_rng(5)
    part = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 500)
    values = 0.7 * np.repeat(part, 4, axis=1) + 0.7 * rng.normal(size=(500, 8))
    return np.clip(np.round(2 + values), 0, 4).astype(np.int8)


def three_parts(forms, items):
    """Items of three parts that have something in common."""
    rng = np.random.default_rng(5)
    parts = rng.multivariate_normal([0] * 3, np.full((3, 3), 0.4) + np.eye(3) * 0.6, forms)
    return 0.7 * np.repeat(parts, items // 3, axis=1) + 0.7 * rng.normal(size=(forms, items))


covariances = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).normal(size=(40, 6)) + one_factor(6, 40, seed % 97)
)


@settings(max_examples=30, deadline=None)
@given(covariances)
def test_alpha_is_the_mean_of_all_splits_into_equal_halves(values):
    """Cronbach (1951), for an even number of items."""
    mean = split_halves(values)["split_mean"].estimate
    assert mean == pytest.approx(estimate_alpha(values)["alpha"].estimate, abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(covariances)
def test_bounds_stand_in_their_order(values):
    """Guttman (1945): alpha ≤ lambda 2; no split and no lambda beats the greatest lower bound."""
    bound = bound_reliability(values)
    greatest = bound["greatest_lower_bound"].estimate + 1e-7
    assert estimate_alpha(values)["alpha"].estimate <= bound["lambda_2"].estimate + 1e-12
    for name in ("lambda_2", "lambda_6"):
        assert bound[name].estimate <= greatest
    assert split_halves(values)["split_most"].estimate <= greatest


def largest_errors_row_by_row(covariance):
    """The same bound by its dual: least trace of V'SV over rows of at least unit length."""
    count = len(covariance)
    rows = np.random.default_rng(1).normal(size=(count, count))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    errors = np.zeros(count)
    for _ in range(4000):
        for place in range(count):
            pull = covariance[place] @ rows - covariance[place, place] * rows[place]
            length = np.linalg.norm(pull)
            errors[place] = max(covariance[place, place] - length, 0)
            rows[place] = -pull / min(length, covariance[place, place])
    return errors


@pytest.mark.parametrize("answers", [one_factor(), two_halves()])
def test_greatest_lower_bound_is_that_of_another_algorithm(answers):
    covariance = np.cov(answers.T.astype(float))
    errors = _largest_errors(covariance)
    assert np.linalg.eigvalsh(covariance - np.diag(errors))[0] > 0  # so it is allowed
    assert errors.sum() == pytest.approx(largest_errors_row_by_row(covariance).sum(), rel=1e-6)
    found = bound_reliability(answers)["greatest_lower_bound"].estimate
    assert found == pytest.approx(1 - errors.sum() / covariance.sum(), abs=1e-9)


def test_intervals_of_many_alike_items_agree_whatever_they_assume():
    answers = one_factor(8, 3000)
    limits = [
        (one["alpha"].low, one["alpha"].high)
        for one in (
            estimate_alpha(answers, interval=interval, seed=4)
            for interval in ("feldt", "distribution_free", "bootstrap")
        )
    ]
    np.testing.assert_allclose(limits, [limits[1]] * 3, atol=0.004)


def test_bootstrap_interval_is_that_of_forms_drawn_one_by_one():
    answers = two_halves()
    rng = np.random.default_rng(2)
    drawn = [
        estimate_alpha(answers[rng.integers(0, 500, 500)], interval="none")["alpha"].estimate
        for _ in range(1000)
    ]
    found = estimate_alpha(answers, interval="bootstrap", seed=1)["alpha"]
    np.testing.assert_allclose(
        [found.low, found.high], np.quantile(drawn, [0.025, 0.975]), atol=0.005
    )


def test_the_same_seed_gives_the_same_interval_and_none_is_refused():
    answers = one_factor()
    one, same, other = (
        estimate_alpha(answers, interval="bootstrap", seed=s)["alpha"] for s in (1, 1, 2)
    )
    assert one == same
    assert one.low != other.low
    with pytest.raises(UsageError, match="hand over a seed"):
        estimate_alpha(answers, interval="bootstrap")


def test_standard_error_of_measurement_is_in_points_of_the_sum():
    answers = one_factor()
    found = assess_reliability(answers)
    sd = answers.sum(axis=1).std(ddof=1)
    expected = sd * sqrt(1 - found["omega"].estimate)
    assert found.sem("omega") == pytest.approx(expected)
    frame = found.to_frame().set_index("coefficient")
    assert frame.loc["omega", "sem"] == pytest.approx(expected)
    assert np.isnan(frame.loc["omega_hierarchical", "sem"])  # of standardised items


def test_omega_and_alpha_agree_on_items_that_measure_alike():
    answers = one_factor(8, 20_000)
    found = assess_reliability(answers)
    assert found["omega"].estimate == pytest.approx(found["alpha"].estimate, abs=0.003)


def test_a_general_factor_is_a_part_of_what_is_common():
    found = estimate_omega(three_parts(3000, 12))
    assert found["omega_hierarchical"].estimate < found["omega_total"].estimate - 0.1
    true = 0.4 * 0.49 * 144 / (0.4 * 0.49 * 144 + 0.6 * 0.49 * 48 + 0.49 * 12)
    assert found["omega_hierarchical"].estimate == pytest.approx(true, abs=0.05)


def test_omega_has_an_interval_that_holds_it():
    answers = three_parts(1000, 12)
    found = estimate_omega(answers, interval="bootstrap", replicates=100, seed=1)
    for name in ("omega", "omega_total", "omega_hierarchical"):
        assert found[name].low < found[name].estimate < found[name].high


def unfinished(*_):
    give_up("oblimin", 2000, "ask for fewer factors")


def test_group_factors_without_an_end_are_said_and_left_out(monkeypatch):
    monkeypatch.setattr(module, "general_factor", unfinished)
    found = estimate_omega(one_factor())
    assert [one.name for one in found.coefficients] == ["omega"]
    assert [problem.code for problem in found.problems] == ["MH709"]
    with pytest.raises(AnalysisError, match="no end after 2000 steps"):
        estimate_omega(one_factor(), factors=3)


def test_a_bootstrap_of_fits_without_an_end_gives_no_interval(monkeypatch):
    whole = module.extract
    calls = []

    def now_and_then(correlation, factors, method="minres"):
        calls.append(factors)
        return unfinished() if len(calls) % 10 == 2 else whole(correlation, factors, method)

    monkeypatch.setattr(module, "extract", now_and_then)
    with pytest.raises(AnalysisError, match="of 100 bootstrap replicates"):
        estimate_omega(one_factor(5), interval="bootstrap", replicates=100, seed=1)


def test_few_items_have_no_general_factor():
    assert [one.name for one in estimate_omega(one_factor(5)).coefficients] == ["omega"]
    with pytest.raises(UsageError, match="at least 6 items"):
        estimate_omega(one_factor(5), factors=3)
    names = [one.name for one in assess_reliability(one_factor(2)).coefficients]
    assert "alpha" in names
    assert "omega" not in names


@pytest.mark.parametrize("items", [2, 5, 6])
def test_every_split_into_halves_is_looked_at_once(items):
    from math import comb

    sides = _splits(items, None)
    assert len(np.unique(sides * sides[:, :1], axis=0)) == len(sides)
    assert len(sides) == comb(items, items // 2) / (2 if items % 2 == 0 else 1)
    assert set(np.abs(sides.sum(axis=1))) == {items % 2}


def test_of_many_items_splits_are_drawn_and_need_a_seed():
    answers = one_factor(20)
    assert {one.name for one in split_halves(answers).coefficients} == {"odd_even", "first_second"}
    found = split_halves(answers, seed=1)
    mean = found["split_mean"].estimate
    assert mean == pytest.approx(estimate_alpha(answers)["alpha"].estimate, abs=0.003)


def test_an_item_that_is_not_reversed_is_named():
    answers = one_factor()
    answers[:, 2] = 4 - answers[:, 2]
    found = assess_reliability(as_answers(answers, NAMES[:6]))
    assert [(p.code, p.path) for p in found.problems if p.code == "MH712"] == [("MH712", "q3")]


def test_what_happened_to_blanks_stands_in_the_result():
    answers = one_factor().astype(float)
    answers[:7, 1] = np.nan
    assert estimate_alpha(answers).title() == (
        "Reliability of the sum of 6 items; 393 forms, 7 left out for blanks, missing='complete'"
    )
    assert "400 forms, missing='pairwise'" in estimate_alpha(answers, missing="pairwise").title()


def test_weights_that_are_all_alike_change_nothing():
    answers = one_factor()
    weighted = as_answers(answers, weights=np.full(400, 2.5))
    for interval in ("feldt", "distribution_free"):
        one, other = (estimate_alpha(a, interval=interval)["alpha"] for a in (answers, weighted))
        assert other.low == pytest.approx(one.low, abs=1e-12)
        assert other.estimate == pytest.approx(one.estimate, abs=1e-12)


@pytest.mark.parametrize(
    "asked, words",
    [
        ({"interval": "wald"}, "interval is 'none', 'feldt'"),
        ({"level": 95}, "a share such as 0.95"),
        ({"missing": "pairwise", "interval": "bootstrap", "seed": 1}, "needs whole forms"),
        ({"interval": "bootstrap", "replicates": 10, "seed": 1}, "at least 100"),
    ],
)
def test_an_interval_that_cannot_be_had_is_refused(asked, words):
    with pytest.raises(UsageError, match=words):
        estimate_alpha(one_factor(), **asked)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: estimate_alpha(one_factor())["omega"], "no coefficient 'omega'"),
        (lambda: estimate_omega(one_factor(2)), "at least 3 items"),
        (lambda: estimate_omega(one_factor(), interval="feldt"), "is 'none' or 'bootstrap'"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_items_that_cancel_out_have_no_reliability():
    values = np.arange(10.0)
    with pytest.raises(AnalysisError, match="the sum of the items does not vary"):
        assess_reliability({"q1": values, "q2": 9 - values})


def test_coefficients_are_drawn():
    assert len(assess_reliability(one_factor()).plot().get_yticks()) == 13
