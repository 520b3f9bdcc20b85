"""Categories are half-open, and derived scores are looked up, never interpolated."""

import numpy as np
import pytest

from mhscreen.kernels.lookup import categorise, look_up, rescale, round_down, round_half_up

PHQ9 = np.array([5.0, 10, 15, 20])
PROSOCIAL = np.array([5.0, 4])


@pytest.mark.parametrize("place, cut", list(enumerate(PHQ9.tolist(), start=1)))
def test_a_score_at_the_cut_belongs_to_the_higher_category(place, cut):
    scores = np.array([cut - 1, cut - 0.01, cut, cut + 0.01])
    assert categorise(scores, PHQ9, upwards=True).tolist() == [place - 1, place - 1, place, place]


def test_where_higher_is_better_a_score_at_the_cut_belongs_to_the_lower_side():
    scores = np.array([10.0, 6, 5.01, 5, 4.5, 4, 0])
    assert categorise(scores, PROSOCIAL, upwards=False).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_a_prorated_score_between_two_whole_numbers_has_a_category():
    assert categorise(np.array([4.5, 9.5]), PHQ9, upwards=True).tolist() == [0, 1]


def test_no_score_has_no_category():
    assert categorise(np.array([np.nan]), PHQ9, upwards=True).tolist() == [-1]
    assert categorise(np.array([np.nan]), PROSOCIAL, upwards=False).tolist() == [-1]


def test_a_sum_of_floats_that_falls_short_by_rounding_error_is_at_the_cut():
    assert categorise(np.array([0.1 * 3 * 50 - 5e-15]), np.array([15.0]), upwards=True)[0] == 1


def test_halves_are_rounded_upwards_as_published_and_never_to_even():
    assert round_half_up(np.array([0.5, 1.5, 2.5, 2.49])).tolist() == [1, 2, 3, 2]


def test_no_score_stays_no_score_when_rounded():
    assert np.isnan(round_half_up(np.array([np.nan]))[0])


def test_a_table_gives_each_raw_score_its_own_derived_score():
    table = np.array([41.0, 44, 50])
    assert look_up(np.array([3.0, 4, 5]), 3, table).tolist() == [41, 44, 50]


@pytest.mark.parametrize("raw", [2.0, 6.0, 3.5, np.nan, -1.0, 1e9])
def test_outside_the_table_and_between_its_lines_there_is_no_derived_score(raw):
    assert np.isnan(look_up(np.array([raw]), 3, np.array([41.0, 44, 50]))[0])


def test_rounding_down_takes_a_number_a_hair_below_a_whole_one_as_that_one():
    found = round_down(np.array([52.5, 52.999, 53.0, 53 - 1e-12, np.nan]))
    assert found[:4].tolist() == [52, 52, 53, 53]
    assert np.isnan(found[4])


def test_a_range_is_put_onto_another_end_for_end():
    found = rescale(np.array([10.0, 20.0, 50.0]), (10, 50), (-1, 1))
    assert found.tolist() == [-1, -0.5, 1]
