"""Norms against survey, optim, lm and cNORM; `norm_samples.R` and `norm_models.R` made the numbers.

Tolerances: formulas, 1e-9; likelihoods maximised by two programs, 1e-3 in the logarithm and 0.02
percentile points (lms and shash 0.1); a model with other terms,
0.8 raw points in the mean.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics.norms import (
    Formula,
    ScoreRange,
    count_cells,
    fit_norm,
    fit_taylor,
    mid_ranks,
    rake_weights,
    smooth_shares,
)

HERE = Path(__file__).parent
SAMPLES = json.loads((HERE / "norm_samples.json").read_text("utf-8"))
MODELS = json.loads((HERE / "norm_models.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def elfe(data):
    table = data("norms_cnorm/elfe.csv")
    return {name: np.array(table[name], dtype=float) for name in ("personID", "group", "raw")}


@pytest.fixture(scope="module")
def cells(elfe):
    raw = elfe["raw"]
    of = ScoreRange(0, 28, float(raw.mean()), float(raw.std()))
    return count_cells(elfe["group"], 0 * raw, raw, np.ones(len(raw)), of)


@pytest.fixture(scope="module")
def raked(elfe):
    groups = np.unique(elfe["group"])
    return rake_weights(
        {"sex": np.where(elfe["personID"] % 3 == 0, "m", "f"), "group": elfe["group"]},
        {"sex": {"f": 720, "m": 680},
         "group": dict(zip(groups, [150, 180, 200, 220, 240, 210, 200], strict=True))},
    )  # fmt: skip


def test_raked_weights_are_those_of_survey(raked):
    assert raked.weight[::20] == pytest.approx(SAMPLES["weights"], abs=1e-9)


@pytest.mark.parametrize("schools", [False, True])
def test_weighted_percentiles_and_their_errors_are_those_of_survey(elfe, raked, schools):
    school = (elfe["personID"] % 40).astype(object) if schools else None
    scores = np.array(SAMPLES["scores"], dtype=float)
    found = mid_ranks(elfe["raw"], scores, raked.weight, school)
    assert found.percentile == pytest.approx(SAMPLES["percentile"], abs=1e-9)
    se = SAMPLES["se_schools" if schools else "se"]
    assert found.se == pytest.approx(se, abs=1e-9)


def test_smoothed_shares_are_those_of_a_poisson_regression(elfe):
    counts = np.bincount(elfe["raw"][elfe["group"] == 3].astype(int), minlength=29)
    found = smooth_shares(counts.astype(float), 4)
    assert found == pytest.approx(SAMPLES["smoothed"], abs=1e-9)


@pytest.mark.parametrize("family, near", [("beta_binomial", 0.02), ("shash", 0.1), ("lms", 0.1)])
def test_fitted_norms_are_those_of_another_optimiser(cells, family, near):
    expected = MODELS[family]
    found = fit_norm(cells, family, Formula(tuple(expected["degrees"])))
    assert found.log_likelihood == pytest.approx(expected["loglik"], abs=1e-3)
    percentiles = found.percentiles(MODELS["at"], [0, 0, 0])
    assert percentiles == pytest.approx(np.array(expected["percentile"]), abs=near)


def test_ranks_in_a_group_and_their_t_scores_are_those_of_cnorm(elfe):
    raw = elfe["raw"][elfe["group"] == 3]
    expected = MODELS["ranks"]
    found = mid_ranks(raw, np.array(expected["raw"], dtype=float))
    assert found.percentile == pytest.approx(expected["percentile"], abs=1e-9)


def test_a_taylor_norm_is_the_regression_it_says(cells):
    found = fit_taylor(cells, terms=((0, 1), (1, 0), (0, 2), (2, 1), (1, 2)))
    assert found.coefficients == pytest.approx(MODELS["own"]["coefficients"], abs=1e-6)
    assert found.r_squared == pytest.approx(MODELS["own"]["r_squared"], abs=1e-9)


def test_a_taylor_norm_lies_where_one_of_cnorms_lies(cells):
    # cNORM's terms are powers of T and grade, five of them as in its manual: another polynomial.
    expected = MODELS["cnorm"]
    found = fit_taylor(cells)
    assert found.r_squared > expected["r_squared"] - 0.002
    z = (np.array(expected["t"]) - 50) / 10
    grid = found.raw(np.unique(z), np.unique(expected["group"]))
    raw = grid.ravel()  # cNORM's table runs through T first, too
    difference = raw - np.array(expected["raw"])
    assert np.abs(difference).mean() < 0.8
    assert np.abs(difference[np.abs(z) <= 1.5]).max() < 1.8
