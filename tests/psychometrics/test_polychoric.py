"""Polychoric correlations: of what stands behind ordered answers, all pairs at once."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import as_answers, correlate_ordered
from mhscreen.psychometrics.binormal import LARGEST, binormal_cdf, binormal_density


def exact(h, k, rho):
    """The distribution function by an adaptive rule along the other variable."""

    def slice_at(x):
        return np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * ndtr((k - rho * x) / np.sqrt(1 - rho**2))

    near = k / rho if rho else 0.0
    points = sorted({p for p in (near - 0.1, near, near + 0.1) if -9 < p < h}) or None
    return quad(slice_at, -9, h, epsabs=1e-13, epsrel=1e-12, limit=400, points=points)[0]


@pytest.mark.parametrize("rho", [-0.999, -0.99, -0.5, 0, 0.3, 0.9, 0.99, 0.999])
def test_the_distribution_of_two_normals_is_that_of_an_adaptive_rule(rho):
    tolerance = 1e-10 if abs(rho) < 0.995 else 2e-7
    for h, k in [(0, 0), (-1, 0.5), (2, 2), (1.2, 1.25), (-3, 1), (0.3, -0.28)]:
        found = binormal_cdf(*(np.array([float(one)]) for one in (h, k, rho)))[0]
        assert found == pytest.approx(exact(h, k, rho), abs=tolerance)


def test_far_bounds_leave_the_other_variable_alone():
    h = np.array([np.inf, 0.4, -np.inf])
    k = np.array([0.7, np.inf, 1.0])
    found = binormal_cdf(h, k, np.full(3, 0.6))
    np.testing.assert_allclose(found, [ndtr(0.7), ndtr(0.4), 0], atol=1e-12)
    np.testing.assert_array_equal(binormal_density(h, k, np.full(3, 0.6)), 0)


def test_the_density_is_the_slope_by_the_correlation():
    h, k = np.array([0.3]), np.array([-0.8])
    above, below = (binormal_cdf(h, k, np.array([0.4 + step])) for step in (1e-5, -1e-5))
    slope = binormal_density(h, k, np.array([0.4]))
    np.testing.assert_allclose((above - below) / 2e-5, slope, rtol=1e-8)


def expected_counts(rho, row, column, forms=1_000_000):
    """The table that a correlation and thresholds give, without chance."""
    h, k = (np.concatenate([[-np.inf], one, [np.inf]]) for one in (row, column))
    below = binormal_cdf(h[:, None], k[None, :], np.array([[rho]]))
    return np.round(forms * np.diff(np.diff(below, axis=0), axis=1)).astype(int)


@pytest.mark.parametrize("rho", [-0.95, -0.4, 0, 0.2, 0.7, 0.97])
def test_the_correlation_behind_a_table_is_found_again(rho):
    row, column = np.array([-1.0, 0.2, 1.1]), np.array([-0.3, 0.8])
    counts = expected_counts(rho, row, column)
    answers = np.repeat(np.indices(counts.shape).reshape(2, -1).T, counts.ravel(), axis=0)
    found = correlate_ordered(answers.astype(np.int8))
    assert found.correlation[0, 1] == pytest.approx(rho, abs=2e-5)
    np.testing.assert_allclose(found.thresholds[0], row, atol=2e-5)
    np.testing.assert_allclose(found.thresholds[1], column, atol=2e-5)


def test_the_standard_error_is_that_of_small_changes_of_the_table():
    """The delta method: each cell's share is moved a little, and all is estimated again."""
    counts = expected_counts(0.6, np.array([-1.0, 0.2, 1.1]), np.array([-0.3, 0.8]))
    share = (counts / counts.sum()).ravel()
    cells = np.repeat(np.indices(counts.shape).reshape(2, -1).T, 4, axis=0).astype(np.int8)

    def rho(shares):
        weighted = as_answers(cells, weights=np.repeat(shares, 4))
        return correlate_ordered(weighted).correlation[0, 1]

    influence = np.zeros(share.size)
    for cell in range(share.size):
        moved = np.zeros(share.size)
        moved[cell] = 1e-4
        influence[cell] = (rho(share + moved) - rho(share - moved)) / 2e-4
    variance = np.sum(share * influence**2) - np.sum(share * influence) ** 2
    answers = np.repeat(cells[::4], counts.ravel(), axis=0)
    found = correlate_ordered(answers).se[0, 1]
    assert found == pytest.approx(np.sqrt(variance / counts.sum()), rel=1e-3)


def test_two_equal_halves_have_the_correlation_of_the_arcsine():
    """Sheppard (1899): concordant share ½ + asin(rho)/pi."""
    answers = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [35, 15, 15, 35], axis=0)
    found = correlate_ordered(answers).correlation[0, 1]
    assert found == pytest.approx(np.sin(np.pi * (0.7 - 0.5)), abs=1e-9)


RNG = np.random.default_rng(4)
LATENT = RNG.multivariate_normal(np.zeros(4), np.full((4, 4), 0.5) + 0.5 * np.eye(4), 700)
ANSWERS = np.digitize(LATENT, [-0.8, 0.1, 1.0]).astype(float)


def test_codes_count_by_their_order_alone():
    one = correlate_ordered(ANSWERS)
    other = correlate_ordered(np.array([1.0, 2, 5, 9])[ANSWERS.astype(int)])
    np.testing.assert_array_equal(other.correlation, one.correlation)
    assert {problem.code for problem in other.problems} == {"MH703"}


def test_an_item_turned_round_changes_the_sign_alone():
    turned = ANSWERS * [-1, 1, 1, 1]
    one, other = correlate_ordered(ANSWERS), correlate_ordered(turned)
    np.testing.assert_allclose(other.correlation[0, 1:], -one.correlation[0, 1:], atol=1e-8)
    np.testing.assert_allclose(other.se, one.se, atol=1e-7)


def test_items_of_different_numbers_of_options_go_together():
    mixed = ANSWERS.copy()
    mixed[:, 0] = mixed[:, 0] > 1
    found = correlate_ordered(mixed)
    assert [len(one) for one in found.thresholds] == [1, 3, 3, 3]
    alone = correlate_ordered(mixed[:, :2])
    assert found.correlation[0, 1] == pytest.approx(alone.correlation[0, 1], abs=1e-9)
    assert found.se[0, 1] == pytest.approx(alone.se[0, 1], abs=1e-9)


def test_a_pair_does_not_depend_on_the_other_items():
    found, pair = correlate_ordered(ANSWERS), correlate_ordered(ANSWERS[:, 1:3])
    assert found.correlation[1, 2] == pytest.approx(pair.correlation[0, 1], abs=1e-9)


def test_blanks_are_left_out_by_form_or_by_pair():
    values = np.where(RNG.random(ANSWERS.shape) < 0.1, np.nan, ANSWERS)
    whole = values[~np.isnan(values).any(axis=1)]
    complete = correlate_ordered(values)
    np.testing.assert_allclose(
        complete.correlation, correlate_ordered(whole).correlation, atol=1e-12
    )
    assert f"{len(values) - len(whole)} left out for blanks" in complete.title()
    pairwise = correlate_ordered(values, missing="pairwise")
    both = ~np.isnan(values[:, 0]) & ~np.isnan(values[:, 1])
    assert pairwise.pairs[0, 1] == both.sum()
    below = np.mean(values[~np.isnan(values[:, 0]), 0] <= 0)
    assert pairwise.thresholds[0][0] == pytest.approx(ndtri(below), abs=1e-12)


def test_a_weight_of_two_counts_like_two_forms():
    weight = np.where(np.arange(700) < 300, 2.0, 1.0)
    weighted = correlate_ordered(as_answers(ANSWERS, weights=weight))
    repeated = correlate_ordered(np.repeat(ANSWERS, weight.astype(int), axis=0))
    np.testing.assert_allclose(weighted.correlation, repeated.correlation, atol=1e-9)
    assert weighted.n < repeated.n


def test_a_table_with_empty_corners_stops_at_the_bound_and_says_so():
    answers = np.repeat([[0, 0], [1, 1]], [30, 40], axis=0)
    found = correlate_ordered(answers)
    assert found.correlation[0, 1] == LARGEST
    assert np.isnan(found.se[0, 1])
    assert [problem.code for problem in found.problems] == ["MH713"]


def test_a_matrix_that_is_none_says_so():
    rows = [[1, 1, 0], [0, 0, 1]] * 10 + [[1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 1]] * 2
    values = np.array(rows, dtype=float)
    values[::2, 2] = np.nan
    found = correlate_ordered(values, missing="pairwise")
    if np.linalg.eigvalsh(found.correlation)[0] < 0:
        assert "not positive definite" in str(found.problems[-1])


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: correlate_ordered(LATENT), AnalysisError, "700 different answers"),
        (lambda: correlate_ordered(ANSWERS[:3]), AnalysisError, "MH705"),
        (lambda: correlate_ordered(ANSWERS * [0, 1, 1, 1]), AnalysisError, "MH702"),
        (lambda: correlate_ordered(ANSWERS[:, :1]), UsageError, "at least 2 items"),
        (lambda: correlate_ordered(ANSWERS, missing="available"), UsageError, "'pairwise'"),
        (
            lambda: correlate_ordered(
                {"a": [1, 2, 1, None, None, None], "b": [None, None, None, 1, 2, 2]},
                missing="pairwise",
            ),
            AnalysisError,
            "MH710",
        ),
    ],
)
def test_answers_without_such_a_correlation_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_pairs_are_rows_of_the_frame():
    found = correlate_ordered(ANSWERS)
    frame = found.to_frame()
    assert len(frame) == 6
    assert frame["correlation"][0] == found.correlation[0, 1]
    assert found.plot().images
