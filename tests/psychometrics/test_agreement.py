"""Agreement of occasions and informants: what counts as agreement is named."""

import numpy as np
import pytest

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import assess_agreement, assess_kappa

RNG = np.random.default_rng(8)
TRUE = RNG.normal(10, 3, 80)
RATINGS = np.column_stack([TRUE + RNG.normal(0, 2, 80) for _ in range(3)])
# Shrout & Fleiss (1979), table 2: six targets, four judges.
TABLE_2 = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)


def test_the_six_forms_are_those_of_the_published_table():
    """Shrout & Fleiss (1979), table 4, to its two decimals."""
    found = assess_agreement(TABLE_2)
    np.testing.assert_allclose(found.estimate, [0.17, 0.29, 0.71, 0.44, 0.62, 0.91], atol=0.005)


def test_a_shift_between_occasions_lowers_agreement_and_not_consistency():
    shifted = RATINGS + np.array([0, 3, 0])
    one, other = (assess_agreement(values) for values in (RATINGS, shifted))
    assert other["ICC(C,1)"] == pytest.approx(one["ICC(C,1)"], abs=1e-12)
    assert other["ICC(A,1)"] < one["ICC(A,1)"] - 0.1
    assert other.mean[1] == pytest.approx(one.mean[1] + 3)


def test_equal_ratings_agree_perfectly():
    found = assess_agreement(np.column_stack([TRUE, TRUE]))
    np.testing.assert_allclose([found.estimate, found.low, found.high], 1)


def test_intervals_hold_the_estimate_and_widen_with_the_level():
    narrow, wide = (assess_agreement(RATINGS, level=level) for level in (0.8, 0.99))
    assert (wide.low < narrow.low).all()
    assert (narrow.low < narrow.estimate).all()
    assert (narrow.estimate < narrow.high).all()
    assert (narrow.high < wide.high).all()


def test_pupils_with_a_rating_missing_are_left_out_and_counted():
    values = RATINGS.copy()
    values[:5, 0] = np.nan
    found = assess_agreement(values)
    assert "75 pupils, 5 left out for blanks, missing='complete'" in found.title()
    np.testing.assert_allclose(found.estimate, assess_agreement(RATINGS[5:]).estimate)


def kappa_of(share, weight):
    observed = np.sum(weight * share)
    expected = share.sum(axis=1) @ weight @ share.sum(axis=0)
    return (observed - expected) / (1 - expected)


@pytest.mark.parametrize("kappa_weights", ["none", "linear", "quadratic"])
def test_the_standard_error_of_kappa_is_that_of_its_slopes(kappa_weights):
    """The delta method with slopes found by small changes of the table, cell by cell."""
    two = np.clip(RATINGS[:, :2] // 4, 0, 3).astype(int)
    table = np.zeros((4, 4))
    np.add.at(table, (two[:, 0], two[:, 1]), 1 / 80)
    apart = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) / 3
    power = {"linear": 1, "quadratic": 2}
    weight = 1 - apart ** power[kappa_weights] if kappa_weights in power else np.eye(4)
    slope = np.zeros((4, 4))
    for cell in np.ndindex(4, 4):
        moved = np.zeros((4, 4))
        moved[cell] = 1e-6
        slope[cell] = (kappa_of(table + moved, weight) - kappa_of(table - moved, weight)) / 2e-6
    variance = np.sum(table * slope**2) - np.sum(table * slope) ** 2
    found = assess_kappa(two, kappa_weights=kappa_weights)
    assert found.estimate == pytest.approx(kappa_of(table, weight), abs=1e-12)
    assert found.se == pytest.approx(np.sqrt(variance / 80), rel=1e-5)


def test_a_near_miss_counts_for_more_with_weights():
    near = {"parent": [0, 1, 2, 3, 0, 1, 2, 3], "teacher": [0, 1, 2, 3, 1, 2, 3, 2]}
    plain, linear, quadratic = (
        assess_kappa(near, kappa_weights=w).estimate for w in ("none", "linear", "quadratic")
    )
    assert plain < linear < quadratic < 1


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: assess_agreement(RATINGS[:2]), AnalysisError, "2 forms"),
        (lambda: assess_agreement(np.ones((9, 2))), AnalysisError, "the same answer"),
        (lambda: assess_agreement(RATINGS[:, :1]), UsageError, "at least two columns"),
        (lambda: assess_agreement(RATINGS, missing="pairwise"), UsageError, "'complete'"),
        (lambda: assess_agreement(RATINGS, level=0), UsageError, "a share such as"),
        (lambda: assess_agreement(RATINGS)["ICC"], UsageError, "no form 'ICC'"),
        (lambda: assess_kappa(np.ones((9, 2))), AnalysisError, "the same answer"),
        (lambda: assess_kappa(RATINGS), UsageError, "of two ratings, not of 3"),
        (
            lambda: assess_kappa(TABLE_2[:, :2], kappa_weights="cubic"),
            UsageError,
            "'linear'",
        ),
    ],
)
def test_ratings_without_an_agreement_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_results_are_shown():
    found = assess_agreement(RATINGS, raters=["first", "second", "third"])
    assert list(found.to_frame()["form"]) == list(found.form)
    assert len(found.plot().get_yticks()) == 6
    assert "kappa_weights" in assess_kappa(TABLE_2[:, :2]).to_frame()


WEIGHTS = np.arange(80) % 3 + 1


@pytest.mark.parametrize("unit", [1, 7.5])
def test_weights_that_are_all_alike_change_nothing(unit):
    even = np.full(80, unit)
    plain, weighted = assess_agreement(RATINGS), assess_agreement(RATINGS, weights=even)
    for name in ("estimate", "low", "high", "mean"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(plain, name))
    two = np.clip(RATINGS[:, :2] // 4, 0, 3)
    one, other = assess_kappa(two), assess_kappa(two, weights=even)
    assert (other.estimate, other.se) == pytest.approx((one.estimate, one.se))


def test_a_pupil_of_weight_three_counts_as_three_pupils():
    """Kappa to the last digit; intraclass correlations but for what a pupil more or less does."""
    repeated = np.repeat(RATINGS, WEIGHTS, axis=0)
    weighted, plain = assess_agreement(RATINGS, weights=WEIGHTS), assess_agreement(repeated)
    assert weighted["ICC(C,1)"] == pytest.approx(plain["ICC(C,1)"], abs=1e-12)
    np.testing.assert_allclose(weighted.estimate, plain.estimate, atol=0.01)
    assert (weighted.high - weighted.low > plain.high - plain.low).all()
    two = np.clip(RATINGS[:, :2] // 4, 0, 3)
    one = assess_kappa(two, weights=WEIGHTS)
    other = assess_kappa(np.repeat(two, WEIGHTS, axis=0))
    assert one.estimate == pytest.approx(other.estimate, abs=1e-12)
    assert one.se > other.se


@pytest.mark.slow
def test_intervals_of_weighted_samples_hold_the_agreement_of_the_population():
    """Pupils of one half are sampled four times as often as the other, and weighted back."""
    rng = np.random.default_rng(3)
    held = []
    for _ in range(400):
        kept = rng.random(400) < np.where(np.arange(400) % 2, 0.8, 0.2)
        true = rng.normal(size=400)[kept]
        ratings = np.column_stack([true + rng.normal(0, 0.7, len(true)) for _ in range(2)])
        weights = np.where(np.arange(400) % 2, 1.25, 5)[kept]
        found = assess_agreement(ratings, weights=weights)
        held.append((found.low[1] < 1 / 1.49) & (found.high[1] > 1 / 1.49))
    assert 0.91 < np.mean(held) < 0.985
