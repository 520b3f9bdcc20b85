"""One pass over the answers gives the covariances that NumPy gives, whatever is blank."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.problems import UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.moments import moments

rng = np.random.default_rng(7)
COMPLETE = rng.integers(0, 5, (200, 4)).astype(float)
WITH_BLANKS = np.where(rng.random((200, 4)) < 0.1, np.nan, COMPLETE)


def pairwise(values):
    """Each covariance from the forms that answer both, as R's use="pairwise" does."""
    items = values.shape[1]
    found = np.empty((items, items))
    for i in range(items):
        for j in range(items):
            both = ~np.isnan(values[:, i]) & ~np.isnan(values[:, j])
            found[i, j] = np.cov(values[both, i], values[both, j])[0, 1]
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 6, 127]), st.booleans())
def test_covariances_are_numpys(seed, largest, fractions):
    rng = np.random.default_rng(seed)
    values = rng.integers(-largest, largest + 1, (60, 5)) + (0.5 if fractions else 0)
    values[0], values[1] = -largest, largest
    found = moments(as_answers(values + 0.0))
    np.testing.assert_allclose(found.covariance, np.cov(values.T), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.mean, values.mean(axis=0), rtol=1e-12, atol=1e-13)


def test_many_forms_are_added_up_without_loss():
    values = rng.integers(0, 127, (150_000, 3)).astype(np.int8)
    found = moments(as_answers(values))
    exact = np.cov(values.T.astype(np.int64))
    np.testing.assert_allclose(found.covariance, exact, rtol=1e-11)


def test_complete_forms_are_counted_and_those_left_out_too():
    complete = ~np.isnan(WITH_BLANKS).any(axis=1)
    found = moments(as_answers(WITH_BLANKS), missing="complete")
    np.testing.assert_allclose(found.covariance, np.cov(WITH_BLANKS[complete].T), rtol=1e-12)
    assert (found.forms, found.blank_forms) == (complete.sum(), (~complete).sum())
    assert found.words() == (
        f"{complete.sum()} forms, {(~complete).sum()} left out for blanks, missing='complete'"
    )


@pytest.mark.parametrize("fraction", [0, 0.25])
def test_pairs_use_every_form_that_answers_both(fraction):
    found = moments(as_answers(WITH_BLANKS + fraction), missing="pairwise")
    np.testing.assert_allclose(found.covariance, pairwise(WITH_BLANKS), rtol=1e-10)
    there = ~np.isnan(WITH_BLANKS)
    np.testing.assert_array_equal(found.pairs, there.T.astype(int) @ there.astype(int))
    assert found.n == found.pairs.min()


def test_without_blanks_the_policies_agree():
    one, other = (moments(as_answers(COMPLETE), missing=m) for m in ("complete", "pairwise"))
    np.testing.assert_array_equal(one.covariance, other.covariance)


@pytest.mark.parametrize("missing", ["complete", "pairwise"])
def test_a_weight_of_two_counts_like_two_forms_and_equal_weights_like_none(missing):
    plain = moments(as_answers(WITH_BLANKS), missing=missing)
    equal = moments(as_answers(WITH_BLANKS, weights=np.full(200, 3.0)), missing=missing)
    np.testing.assert_allclose(equal.covariance, plain.covariance, rtol=1e-10)
    assert equal.n == pytest.approx(plain.n)
    twice = np.where(np.arange(200) < 50, 2.0, 1.0)
    weighted = moments(as_answers(WITH_BLANKS, weights=twice), missing=missing)
    repeated = moments(as_answers(WITH_BLANKS[np.repeat(np.arange(200), twice.astype(int))]),
                       missing=missing)  # fmt: skip
    np.testing.assert_allclose(weighted.mean, repeated.mean, rtol=1e-12)
    np.testing.assert_allclose(weighted.correlation, repeated.correlation, rtol=0.02)
    assert weighted.n < repeated.n


def test_a_policy_is_named_and_known():
    with pytest.raises(UsageError, match="missing is 'complete' or 'pairwise' here"):
        moments(as_answers(COMPLETE), missing="drop")
    with pytest.raises(UsageError, match="at least 2 items"):
        moments(as_answers(COMPLETE[:, :1]))
