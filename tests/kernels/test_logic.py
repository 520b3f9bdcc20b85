"""Conditions fail, are undecided or hold; an unanswered question never makes one fail."""

from itertools import product

import numpy as np
import pytest

from mhscreen.kernels.logic import (
    FAILS,
    HOLDS,
    UNDECIDED,
    all_of,
    any_of,
    at_least,
    at_or_past,
)

TRUTHS = (FAILS, UNDECIDED, HOLDS)
TRIPLES = list(product(TRUTHS, repeat=3))


def columns(*rows):
    return [np.array(row, dtype=np.int8) for row in rows]


def completions(truths):
    """Return every way in which the undecided conditions could turn out, as booleans."""
    return list(product(*[(False, True) if t == UNDECIDED else (t == HOLDS,) for t in truths]))


def kleene(outcomes):
    if all(outcomes):
        return HOLDS
    return UNDECIDED if any(outcomes) else FAILS


@pytest.mark.parametrize("truths", TRIPLES)
def test_all_any_and_at_least_say_what_every_completion_says(truths):
    rows = columns(*[[t] for t in truths])
    ways = completions(truths)
    assert all_of(rows)[0] == kleene([all(way) for way in ways])
    assert any_of(rows)[0] == kleene([any(way) for way in ways])
    for count in (1, 2, 3):
        assert at_least(count, rows)[0] == kleene([sum(way) >= count for way in ways])


def test_at_least_one_is_any_and_at_least_every_one_is_all():
    rows = columns(*zip(*TRIPLES, strict=True))
    np.testing.assert_array_equal(at_least(1, rows), any_of(rows))
    np.testing.assert_array_equal(at_least(3, rows), all_of(rows))


def compare(low, high, cut, *, upwards):
    return int(at_or_past(np.array([low]), np.array([high]), cut, upwards=upwards)[0])


def test_a_score_at_the_cut_is_on_the_far_side():
    assert compare(10.0, 10.0, 10, upwards=True) == HOLDS
    assert compare(5.0, 5.0, 5, upwards=False) == HOLDS


def test_a_score_just_short_of_the_cut_is_on_the_near_side():
    assert compare(9.999, 9.999, 10, upwards=True) == FAILS
    assert compare(5.001, 5.001, 5, upwards=False) == FAILS


def test_a_score_that_misses_the_cut_by_rounding_error_alone_is_at_the_cut():
    assert compare(10 - 1e-12, 10 - 1e-12, 10, upwards=True) == HOLDS
    assert compare(5 + 1e-12, 5 + 1e-12, 5, upwards=False) == HOLDS


def test_bounds_on_both_sides_of_the_cut_leave_it_undecided():
    assert compare(4.0, 12.0, 10, upwards=True) == UNDECIDED
    assert compare(12.0, 4.0, 10, upwards=False) == UNDECIDED
    assert compare(4.0, 10.0, 10, upwards=True) == UNDECIDED
