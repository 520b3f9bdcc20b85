"""Answers: a flood of illegal ones is counted exactly, and named by a few examples."""

import numpy as np
import pytest

from mhscreen.kernels.codes import ILLEGAL
from mhscreen.problems import ProblemLog
from mhscreen.steps.answers import read_answers
from mhscreen.steps.tables import Table, encode

OFFSET = "coding offset?"


@pytest.fixture
def read(plan):
    """Read columns of a slot, by item; return the codes and the problems."""

    def run(slot, columns):
        form = plan.forms[plan.slot(slot)]
        rows = len(next(iter(columns.values())))
        cells = {item: encode(column) for item, column in columns.items()}
        log = ProblemLog()
        headings = {form.row(item): item for item in columns}
        subject = np.array([f"A{row}" for row in range(rows)], dtype=object)
        return read_answers(form, Table("t", cells, rows), headings, log, subject), log.problems

    return run


def test_up_to_a_thousand_illegal_answers_of_a_column_are_named_one_by_one(read):
    _, problems = read("mht", {"q1": [7] * 1000, "q2": [0] * 1000})
    assert [(p.row, p.subject) for p in problems[:2]] == [(1, "A0"), (2, "A1")]
    assert len(problems) == 1000


def test_of_more_some_are_named_and_the_rest_counted_exactly(read):
    codes, problems = read("mht", {"q1": [0, *[7] * 1001], "q2": [7, *[0] * 1001]})
    assert (codes == ILLEGAL).sum() == 1002
    first, last = problems[:10], problems[10]
    assert [p.row for p in first] == list(range(2, 12))
    assert last.what == "not a legal answer … and 991 more rows"
    assert (last.code, last.path, last.row, last.subject) == ("MH401", "mht.q1", None, "")
    assert [(p.path, p.row) for p in problems[11:]] == [("mht.q2", 1)]


@pytest.mark.parametrize("above", [2, "2", 2.0, "２"])
def test_codes_that_all_begin_one_too_high_are_hinted_at(read, above):
    _, problems = read("mht", {"q1": [1, above] * 30, "q2": [above, 1] * 30})
    assert all(p.hint.startswith(OFFSET) for p in problems)


@pytest.mark.parametrize(
    "columns",
    [
        {"q1": [1, 2] * 30, "q2": [1, 3] * 30},  # another illegal answer
        {"q1": [1] * 50 + [2]},  # a slip
        {"q1": [-1] * 60},
        {"q1": ["x"] * 60},
    ],
)
def test_other_illegal_answers_are_no_offset(read, columns):
    _, problems = read("mht", columns)
    assert problems
    assert not any(OFFSET in p.hint for p in problems)


def test_items_whose_codes_are_words_know_no_offset(read):
    _, problems = read("observer@teacher", {"raised_concern": ["5"] * 60})
    assert len(problems) == 60
    assert not any(OFFSET in p.hint for p in problems)
