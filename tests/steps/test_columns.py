"""Columns: found or named, and in a file without a heading row neither answer nor name is shown."""

import numpy as np
import pytest

from mhscreen import ResponseError, UsageError, bind, score_instrument, shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.columns import has_known_heading, match_columns
from mhscreen.steps.tables import Table, encode
from mhscreen.vocabulary import Informant

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


@pytest.mark.parametrize(
    "instrument, informant, absent",
    [
        ("sdq@1", "parent", [3, 8, 13, 16, 24]),  # a component of the total
        ("sdq@1", "parent", list(range(1, 26))),  # all but the supplement
        ("sdq@1", "parent", [28, 29, 30, 31, 32]),  # the supplement, but for the item that opens it
        ("psqi@1", None, [6]),  # a component that is one item
        ("scas@1", None, [1, 3, 4, 20, 22, 25]),
        ("dass21@1", None, [2, 4, 7, 9, 15, 19, 20]),  # a scale that is in no total
        ("mht@1", None, list(range(82, 101, 2))),  # the validity scale
        ("sioss@1", None, None),
    ],
)
def test_only_a_supplement_may_have_no_columns(instrument, informant, absent):
    definition = shipped_library().instrument(instrument).definition
    form = compile_form(definition, Informant(informant or definition.informants[0]))
    if absent is None:
        validity = form.scales[form.validity[0].scale]
        absent = [form.items[row].number for row in validity.rows]
    there = {
        f"{form.prefix}_{item.number}": [None] for item in form.items if item.number not in absent
    }
    with pytest.raises(ResponseError, match="MH402"):
        score_instrument(instrument, there, informant=informant)


def test_an_item_of_a_supplement_that_something_else_needs_is_missed():
    sdq = shipped_library().instrument("sdq@1").definition
    scales = tuple(
        scale.model_copy(update={"items": (*scale.items, "q3")}) if scale.id == "impact" else scale
        for scale in sdq.scales
    )
    form = compile_form(sdq.model_copy(update={"scales": scales}), Informant.PARENT)
    supplement = {item.id for item in form.items if item.supplement}
    assert "imp_home" in supplement
    assert "overall" in supplement
    assert "q3" not in supplement


def test_an_item_that_a_rule_reads_is_missed_though_no_scale_has_it(plan):
    form = plan.forms[plan.slot("observer@teacher")]
    there = {f"observer_{item.number}": [0] for item in form.items if item.id != "sudden_blow"}
    matched, _ = match_columns(table(there), [form], own=True)
    (problem,) = matched[form.slot].problems
    assert (problem.code, problem.path) == ("MH402", "observer@teacher.sudden_blow")


@pytest.mark.parametrize(
    "pattern", ["PHQ", "subject", "PHQ{number[0]}", "PHQ{number.x}", "{", "{0}"]
)
def test_a_pattern_that_does_not_tell_the_items_apart_is_refused(pattern):
    answers = {f"PHQ{number}": [0] for number in range(1, 10)}
    with pytest.raises(UsageError, match="column pattern"):
        score_instrument("phq9@1", answers, columns=pattern)
