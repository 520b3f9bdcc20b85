"""Each index of response quality is that of plain Python, form by form, and of that form alone."""

from itertools import groupby
from statistics import correlation, pstdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.definitions.checks import quality as checks
from mhscreen.kernels.quality import (
    FEWEST_ITEMS,
    FEWEST_PAIRS,
    even_odd,
    longest_run,
    per_item,
    person_fit,
    share,
    variability,
)

HALVES = [(np.array([0, 2]), np.array([1])), (np.array([3]), np.array([4])),
          (np.array([5]), np.array([6])), (np.array([7]), np.array([8]))]  # fmt: skip
ANSWERS = st.lists(st.integers(-1, 3), min_size=9, max_size=9)
BATCH = st.lists(ANSWERS, min_size=1, max_size=6)


def columns(forms):
    return np.array(forms, dtype=np.int64).T


def as_values(forms):
    codes = columns(forms)
    return np.where(codes < 0, np.nan, codes / 3)


@given(BATCH)
def test_the_longest_run_is_that_of_plain_python(forms):
    for form, found in zip(forms, longest_run(columns(forms)), strict=True):
        runs = [len(list(group)) for code, group in groupby(form) if code >= 0]
        assert found == max(runs) if runs else np.isnan(found)


def test_a_blank_ends_a_run():
    assert longest_run(columns([[2, 2, 2, -1, 2, 2]])).tolist() == [3]


@given(BATCH)
def test_variability_is_the_standard_deviation_of_the_answers_that_were_given(forms):
    for form, found in zip(forms, variability(as_values(forms)), strict=True):
        given_ = [code / 3 for code in form if code >= 0]
        if len(given_) < 2:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(pstdev(given_), abs=1e-12)


@given(BATCH)
def test_even_odd_is_the_correlation_of_the_halves_over_the_scales(forms):
    for form, found in zip(forms, even_odd(as_values(forms), HALVES), strict=True):
        pairs = []
        for halves in HALVES:
            means = [[form[row] / 3 for row in half if form[row] >= 0] for half in halves]
            if all(means):
                pairs.append([sum(one) / len(one) for one in means])
        one, other = zip(*pairs, strict=True) if pairs else ((), ())
        if len(pairs) < 3 or np.ptp(one) < 1e-4 or np.ptp(other) < 1e-4:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(correlation(one, other), abs=1e-9)


EXPECTED = np.array([0.1, 0.3, 0.2, np.nan, 0.6, 0.4, 0.8, 0.5, 0.7])


@given(BATCH)
def test_person_fit_is_the_correlation_with_the_expected_answers(forms):
    for form, found in zip(forms, person_fit(as_values(forms), EXPECTED), strict=True):
        pairs = [
            (code / 3, expected)
            for code, expected in zip(form, EXPECTED, strict=True)
            if code >= 0 and not np.isnan(expected)
        ]
        if len(pairs) < 6 or len({answer for answer, _ in pairs}) == 1:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(correlation(*zip(*pairs, strict=True)), abs=1e-9)


def test_who_has_no_complaint_at_all_has_no_person_fit():
    assert np.isnan(person_fit(as_values([[0] * 9]), EXPECTED)[0])


def test_the_definitions_are_held_to_the_fewest_that_the_kernels_need():
    assert (checks._FEWEST_SCALES, checks._FEWEST_ITEMS) == (FEWEST_PAIRS, FEWEST_ITEMS)


def test_two_scales_are_too_few_to_say_that_halves_agree():
    values = as_values([[0, 1, 2, 3, 3, 0, 1, 2, 3]])
    assert np.isnan(even_odd(values, HALVES[:2])[0])


@given(BATCH, st.randoms())
def test_no_form_depends_on_another(forms, random):
    order = list(range(len(forms)))
    random.shuffle(order)
    codes, values = columns(forms), as_values(forms)
    for found, alone in (
        (longest_run(codes), lambda n: longest_run(codes[:, [n]])),
        (variability(values), lambda n: variability(values[:, [n]])),
        (person_fit(values, EXPECTED), lambda n: person_fit(values[:, [n]], EXPECTED)),
        (even_odd(values, HALVES), lambda n: even_odd(values[:, [n]], HALVES)),
    ):
        for place in order:
            assert found[place].tobytes() == alone(place)[0].tobytes()


def test_a_share_counts_what_is_due_and_nothing_else():
    answered = np.array([[True, True], [False, True], [True, False]])
    due = np.array([[True, False], [True, False], [False, False]])
    found = share(answered, due)
    assert found[0] == 0.5
    assert np.isnan(found[1])


def test_seconds_are_shared_among_the_answered_items_and_unknown_without_a_time():
    answered = np.array([[True, True, False], [True, True, False]])
    found = per_item(np.array([9.0, np.nan, 9.0]), answered)
    assert found[0] == 4.5
    assert np.isnan(found[1:]).all()
