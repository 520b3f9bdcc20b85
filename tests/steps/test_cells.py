"""Cells: what a text is, and which numbers are no reference any more."""

import pytest

from mhscreen.steps.cells import has_lost_digits, parse_text


@pytest.mark.parametrize(
    "cell", [1e15, 3.70202201509011e17, -1e15, float("inf"), "3.70202E+17", "3,70202E+17", "4e+15"]
)
def test_a_number_of_which_digits_are_lost_is_no_text(cell):
    assert has_lost_digits(cell)
    with pytest.raises(ValueError, match="digits"):
        parse_text(cell)


@pytest.mark.parametrize(
    "cell, text",
    [
        (20230001.0, "20230001"),
        (999_999_999_999_999.0, "999999999999999"),
        (370202201509011234, "370202201509011234"),
        ("370202201509011234", "370202201509011234"),
        ("1E5", "1E5"),
        ("8E+1", "8E+1"),
        (1.5, "1.5"),
    ],
)
def test_every_other_cell_is_the_text_that_it_shows(cell, text):
    assert parse_text(cell) == text
