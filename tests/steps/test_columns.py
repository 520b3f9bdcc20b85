"""Columns: found or named, and in a file without a heading row neither answer nor name is shown."""

import numpy as np
import pytest

from mhscreen import ResponseError, bind, score_instrument
from mhscreen.steps.columns import has_known_heading, match_columns
from mhscreen.steps.tables import Table, encode

NAME, ANSWER = "张三丰丰", "7777"


@pytest.fixture
def gad7(plan):
    return plan.forms[plan.slot("gad7")]


def table(columns, **options):
    rows = len(next(iter(columns.values())))
    return Table("gad7", {key: encode(cells) for key, cells in columns.items()}, rows, **options)


COLUMNS = {"subject": ["A"]} | {f"gad7_{n}": [0] for n in range(1, 8)}


@pytest.mark.parametrize(
    "heading, shown",
    [
        ("gad7_total", "column 'gad7_total'"),
        ("姓名", "column '姓名'"),
        (NAME, "column 9"),
        ("3", "column 9"),
        ("phq9_1", "column 9"),
    ],
)
def test_of_a_column_that_is_not_read_only_a_harmless_heading_is_shown(gad7, heading, shown):
    _, (problem,) = match_columns(table(COLUMNS | {heading: [1]}), [gad7], own=True)
    assert (problem.code, problem.what) == ("MH403", f"{shown} is not read")


def test_the_number_of_a_column_is_that_in_the_file(gad7):
    columns = COLUMNS | {NAME: [1]}
    numbers = {heading: place + 3 for place, heading in enumerate(columns)}
    _, (problem,) = match_columns(table(columns, column_numbers=numbers), [gad7], own=True)
    assert problem.what == "column 11 is not read"


@pytest.mark.parametrize("own", [True, False])
def test_without_one_known_heading_one_problem_says_so_and_shows_none(plan, own):
    forms = plan.forms[-1:] if own else plan.forms
    headless = table({"A1": ["A2"], NAME: [NAME], ANSWER: [ANSWER], "0": ["1"]})
    assert not has_known_heading(headless, forms, own=own)
    matched, (problem,) = match_columns(headless, forms, own=own)
    assert problem.code == "MH601"
    assert "no heading row" in problem.what
    assert NAME not in repr(problem)
    assert ANSWER not in repr(problem)
    assert not any(one.items or one.problems for one in matched.values())


@pytest.mark.parametrize("key", ["gad7", "wide", "long"])
def test_a_frame_without_headings_loses_nobody_silently(plan, key):
    people = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]}
    headless = {"A1": ["A2"], NAME: [NAME], ANSWER: [ANSWER]}
    found = bind(plan, roster=people, responses={key: headless}, on_problem="report")
    assert "MH601" in [p.code for p in found.problems]
    assert "MH403" not in [p.code for p in found.problems]
    assert NAME not in repr(found.problems)


def test_a_known_heading_is_one_of_the_roster_of_a_form_or_of_an_item(gad7):
    for heading in ("学号", "class", "administered_on", "GAD7-1", "q3", "gad7_misspelt"):
        assert has_known_heading(table({heading: [1]}), [gad7], own=True)
    assert has_known_heading(
        table({"X9": [1]}), [gad7], {"gad7": {"X9": "q1"}}, own=True
    )  # named by hand
    assert not has_known_heading(table({"gad7": [1]}), [gad7], own=True)  # a cell of a long table


def test_a_form_printed_without_its_supplement_is_scored():
    answers = {f"sdq_{number}": [1] for number in range(1, 26)}
    scores = score_instrument("sdq@1", answers, informant="parent")
    assert scores["sdq_parent__total"].tolist() == [20.0]
    assert np.isnan(scores["sdq_parent__impact"][0])


def test_a_form_without_its_critical_questions_is_refused():
    answers = {f"phqa_q{number}": [0] for number in range(1, 10)}
    with pytest.raises(ResponseError, match="MH402"):
        score_instrument("phqa@1", answers)


def test_a_form_of_which_no_column_is_there_is_refused_and_not_left_out():
    answers = {f"sdq_parent_{number}": [1] for number in range(1, 34)}
    with pytest.raises(ResponseError, match="MH402"):
        score_instrument("sdq@1", answers, informant="teacher")
