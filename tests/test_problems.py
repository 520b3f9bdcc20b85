"""Errors say what is wrong, briefly; what they hold is complete."""

import pickle

import pytest

from mhscreen.problems import DefinitionError, Problem, ResponseError, UsageError, expect


def problems(number):
    return [Problem("MH401", "not a legal answer", row=row + 1) for row in range(number)]


@pytest.mark.parametrize("kind", [DefinitionError, ResponseError])
def test_the_text_of_an_error_names_twenty_problems_and_how_many_more_there_are(kind):
    error = kind(problems(25))
    lines = str(error).splitlines()
    assert lines[19].startswith("row 20: ")
    assert lines[20:] == ["… and 5 more", "25 problems"]
    assert len(error.problems) == 25


def test_the_text_of_an_error_of_twenty_problems_names_all_of_them():
    lines = str(ResponseError(problems(20))).splitlines()
    assert (len(lines), lines[-1]) == (21, "20 problems")


def test_an_error_keeps_all_its_problems_on_the_way_to_another_process():
    error = pickle.loads(pickle.dumps(ResponseError(problems(30))))  # noqa: S301
    assert len(error.problems) == 30


def test_an_argument_of_another_kind_is_named_without_its_value():
    with pytest.raises(UsageError) as caught:
        expect("plan", "A1 has answered 3", int, float)
    assert str(caught.value) == "plan: int or float is expected, not str"
