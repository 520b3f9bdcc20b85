"""Accuracy against pROC, cutpointr, betafunctions and cacIRT; `accuracy.R` made the numbers.

Tolerances: what both programs work out exactly, 1e-9 (Lee: 1e-8); integrals of another rule,
3e-4; bootstrap limits of 20 000 draws in R, 0.006.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from mhscreen.kernels.irt import graded
from mhscreen.psychometrics.accuracy import (
    Criterion,
    assess_accuracy,
    compare_areas,
    compare_groups,
)
from mhscreen.psychometrics.classification import (
    _true_distribution,
    classify_by_model,
    classify_by_reliability,
)
from mhscreen.psychometrics.cut_scores import choose_cut

R = json.loads((Path(__file__).parent / "accuracy.json").read_text("utf-8"))
ATTEMPT = Criterion("a reported attempt", knew_score=None)


@pytest.fixture(scope="module")
def dsi(data):
    table = data("suicide_dsi_cutpointr/suicide.csv")
    numbers = {name: np.array(table[name], dtype=float) for name in ("dsi", "age")}
    attempt = np.array(table["suicide"]) == "yes"
    return numbers | {"attempt": attempt, "female": np.array(table["gender"]) == "female"}


def test_the_area_and_its_interval_are_those_of_proc(dsi):
    found = assess_accuracy(dsi["dsi"], dsi["attempt"], criterion=ATTEMPT)
    assert found.area == pytest.approx(R["area"], abs=1e-9)
    assert [found.area_low, found.area_high] == pytest.approx(R["area_ci"], abs=1e-9)


def test_the_bootstrap_interval_is_that_of_proc(dsi):
    found = assess_accuracy(
        dsi["dsi"], dsi["attempt"], criterion=ATTEMPT, interval="bootstrap", draws=20_000,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert [found.area_low, found.area_high] == pytest.approx(R["area_ci_bootstrap"], abs=0.006)


def test_shares_at_a_cut_and_their_intervals_are_those_of_r(dsi):
    found = assess_accuracy(dsi["dsi"], dsi["attempt"], criterion=ATTEMPT, cuts=[2, 5])
    for place, at in enumerate(R["at"]):
        assert found.sensitivity[place] == pytest.approx(at["sensitivity"], abs=1e-9)
        assert found.specificity[place] == pytest.approx(at["specificity"], abs=1e-9)
        for name in ("sensitivity", "specificity"):
            ends = [getattr(found, f"{name}_{end}")[place] for end in ("low", "high")]
            assert ends == pytest.approx(at[f"{name}_ci"], abs=1e-9)


@pytest.mark.parametrize("rule", R["cuts"])
def test_the_chosen_cut_is_that_of_cutpointr(dsi, rule):
    found = assess_accuracy(dsi["dsi"], dsi["attempt"], criterion=ATTEMPT)
    numbers = {"target": 0.9} if rule.endswith("at_least") else {}
    if rule == "lowest_cost":  # cutpointr counts costs in the sample
        numbers = {"base_rate": float(dsi["attempt"].mean()), "cost": 10}
    assert choose_cut(found, rule, **numbers).cut == R["cuts"][rule]


def test_the_published_cut_of_the_vignette_is_found(dsi):
    found = choose_cut(assess_accuracy(dsi["dsi"], dsi["attempt"], criterion=ATTEMPT))
    published = {"cut": 2, "sensitivity": 0.888889, "specificity": 0.862903}
    for name, value in published.items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-6)


def test_two_scores_of_the_same_people_are_compared_as_by_proc(dsi):
    scores = {"dsi": dsi["dsi"], "age": dsi["age"]}
    found = compare_areas(scores, dsi["attempt"])
    assert list(found.areas) == pytest.approx(R["with_age"]["areas"], abs=1e-9)
    assert found.z == pytest.approx(R["with_age"]["z"], abs=1e-7)


def test_two_groups_are_compared_as_by_proc(dsi):
    # pROC takes Welch's t with its degrees of freedom; a normal distribution gives p a little less.
    both = [
        assess_accuracy(dsi["dsi"][here], dsi["attempt"][here], criterion=ATTEMPT)
        for here in (dsi["female"], ~dsi["female"])
    ]
    found = compare_groups(*both)
    assert list(found.areas) == pytest.approx(R["by_gender"]["areas"], abs=1e-9)
    assert found.p == pytest.approx(R["by_gender"]["p"], abs=0.003)


@pytest.mark.parametrize("one", R["livingston"]["cuts"], ids=lambda one: f"cut {one['cut']}")
def test_livingston_and_lewis_give_what_betafunctions_gives(one):
    counts = R["livingston"]["counts"]
    score = np.repeat(np.arange(len(counts)), counts)
    found = classify_by_reliability(score, [one["cut"]], reliability=0.8, range=(0, 27))
    assert f"effective length {one['etl']:.1f}" in found.note
    for name in ("over", "under", "consistency", "kappa"):
        assert getattr(found, name)[0] == pytest.approx(one[name], abs=3e-4)


def test_agreement_is_that_which_the_package_prints():
    # The package rounds the cut by another rule for consistency; at these cuts both rules agree.
    counts = R["livingston"]["counts"]
    score = np.repeat(np.arange(len(counts)), counts)
    found = classify_by_reliability(score, [5, 10], reliability=0.8, range=(0, 27))
    one = R["livingston"]["cuts"][:2]
    assert found.accuracy == pytest.approx([c["package_accuracy"] for c in one], abs=3e-4)
    assert found.consistency == pytest.approx([c["package_consistency"] for c in one], abs=3e-4)
    assert found.kappa == pytest.approx([c["package_kappa"] for c in one], abs=3e-4)


def test_four_moments_give_the_beta_distribution_of_betafunctions():
    expected = R["beta4"]
    counts = expected["counts"]
    share = np.repeat(np.arange(len(counts)), counts) / 60
    found = _true_distribution(share, 0.9, expected["etl"], "beta4")
    # betafunctions sets a falling product to nought from below its order on, not below its step.
    assert found == pytest.approx([expected[n] for n in ("alpha", "beta", "l", "u")], rel=2e-3)


def test_agreement_under_a_graded_response_model_is_that_of_cacirt():
    lee = R["lee"]
    theta = np.linspace(-5, 5, 101)
    chances = [graded(theta, a, np.array(b)) for a, b in zip(lee["a"], lee["b"], strict=True)]
    found = classify_by_model(
        chances, [range(4)] * 6, mass=np.exp(-(theta**2) / 2), cuts=lee["cuts"]
    )
    assert found.accuracy == pytest.approx(lee["accuracy"], abs=1e-8)
    assert found.consistency == pytest.approx(lee["consistency"], abs=1e-8)
