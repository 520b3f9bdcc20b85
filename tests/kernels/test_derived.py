"""A Box–Cox fit, the normal curve and stanines, against SciPy and against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mhscreen.kernels.derived import box_cox_z, normal_percentile, stanine_of_z

RAW = np.arange(1.0, 41)
fits = st.tuples(st.floats(-3, 3), st.floats(0.5, 40), st.floats(0.05, 2))


@pytest.mark.parametrize("power", [-1.5, -0.3, 0, 0.5, 1, 2.2])
def test_z_is_the_box_cox_transform_of_the_share_of_the_median(power):
    expected = stats.boxcox(RAW / 12.5, lmbda=power) / 0.45
    assert box_cox_z(RAW, power, 12.5, 0.45) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_power_close_to_nothing_is_no_leap_from_the_logarithm():
    near = box_cox_z(RAW, 1e-8, 12.5, 0.45)
    assert near == pytest.approx(box_cox_z(RAW, 0, 12.5, 0.45), abs=1e-7)


@given(fits)
def test_the_median_has_a_z_of_nothing(fit):
    power, median, variation = fit
    assert box_cox_z(np.array([median]), power, median, variation)[0] == 0


@given(st.floats(0.5, 40), st.floats(0.05, 2), st.lists(st.integers(0, 60), min_size=1))
def test_a_power_of_one_is_a_mean_with_its_sd(median, variation, scores):
    raw = np.array(scores, dtype=float)
    expected = (raw - median) / (median * variation)
    assert box_cox_z(raw, 1, median, variation) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(fits)
def test_z_rises_with_the_raw_score(fit):
    assert (np.diff(box_cox_z(RAW, *fit)) > 0).all()


@pytest.mark.parametrize(
    "power, raw, has_one",
    [(1, 0, True), (0.5, 0, True), (0, 0, False), (-1, 0, False), (1, -1, False)],
)
def test_a_score_that_the_fit_cannot_hold_has_no_z(power, raw, has_one):
    assert np.isnan(box_cox_z(np.array([float(raw)]), power, 10, 0.5)[0]) != has_one


def test_the_percentile_is_that_of_the_normal_curve_far_out_too():
    z = np.array([-30.0, -8, -2.5, -1, 0, 0.1, 1.96, 6, 30])
    assert normal_percentile(z) == pytest.approx(100 * stats.norm.cdf(z), rel=1e-12)


def test_the_same_score_has_the_same_z_wherever_it_stands():
    scores = np.random.default_rng(1).integers(0, 40, 1001).astype(float)
    together = box_cox_z(scores, 0.3, 12.5, 0.45)
    alone = [box_cox_z(scores[n : n + 1], 0.3, 12.5, 0.45)[0] for n in range(len(scores))]
    assert together.tolist() == alone


@pytest.mark.parametrize("stanine, z", list(enumerate(np.arange(-1.75, 2, 0.5).tolist(), 2)))
def test_a_z_at_the_edge_of_a_stanine_belongs_to_the_higher_one(stanine, z):
    assert stanine_of_z(np.array([z - 1e-6, z])).tolist() == [stanine - 1, stanine]


def test_stanines_hold_4_7_12_17_20_17_12_7_and_4_per_cent_of_a_normal_curve():
    z = stats.norm.ppf(np.arange(0.5, 100_000) / 100_000)
    shares = np.bincount(stanine_of_z(z).astype(int), minlength=10)[1:] / 1000
    assert shares.round().tolist() == [4, 7, 12, 17, 20, 17, 12, 7, 4]


def test_no_score_has_no_stanine_and_no_percentile():
    nothing = np.array([np.nan])
    assert np.isnan([stanine_of_z(nothing)[0], normal_percentile(nothing)[0]]).all()
