"""The roster: every pupil once, in order; what is not understood is named, and nobody is lost."""

import numpy as np
import pytest

from mhscreen.frames import to_table
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.cells import age_in_years, parse_grade, parse_moment
from mhscreen.steps.roster import read_roster
from mhscreen.steps.tables import BrokenRow, Table

BASE = {
    "subject": ["A1", "A2"],
    "school": ["S", "S"],
    "stage": ["junior", "primary"],
    "grade": [8, 2],
}


@pytest.fixture
def read(plan):
    def run(columns, **table):
        log = ProblemLog()
        given = to_table(columns, "roster.csv")
        whole = Table(given.name, given.columns, given.rows, **table) if table else given
        return read_roster(plan, whole, log), list(log)

    return run


def codes_of(problems):
    return [problem.code for problem in problems]


def test_pupils_stand_in_the_order_of_the_file(read):
    roster, problems = read(BASE)
    assert roster.subject.tolist() == ["A1", "A2"]
    assert problems == []


def test_chinese_headings_and_terms_are_understood(read):
    roster, problems = read(
        {"学号": ["A1"], "学校": ["一中"], "学段": ["初中"], "年级": ["初二"], "性别": ["女"],
         "班级": ["3班"], "出生日期": ["2013-05-06"], "区县": ["市南区"], "状态": ["休学"]}
    )  # fmt: skip
    assert problems == []
    assert (roster.school[0], roster.grade[0], roster.class_[0]) == ("一中", 8, "3班")
    assert (roster.stage[0], roster.sex[0], roster.status[0]) == (1, 1, 3)
    assert str(roster.birth_date[0]) == "2013-05-06"
    assert roster.district[0] == "市南区"


@pytest.mark.parametrize("column", ["subject", "school", "stage", "grade"])
def test_without_a_column_that_tells_pupils_apart_nothing_is_read(plan, read, column, school):
    columns = {name: cells for name, cells in BASE.items() if name != column}
    _, problems = read(columns)
    assert "MH501" in codes_of(problems)
    from mhscreen import bind

    with pytest.raises(ResponseError):
        bind(plan, roster=columns, responses={}, on_problem="report")


def test_a_pupil_who_stands_twice_has_one_line_and_is_flagged(read):
    roster, problems = read({name: [*cells, cells[0]] for name, cells in BASE.items()})
    assert roster.subject.tolist() == ["A1", "A2"]
    assert roster.duplicate.tolist() == [True, False]
    assert roster.error.tolist() == [False, False]
    assert [(p.code, p.row) for p in problems] == [("MH502", 1), ("MH502", 3)]


@pytest.mark.parametrize("order", [1, -1])
def test_two_lines_of_one_subject_that_differ_are_an_error_whatever_their_order(read, order):
    lines = {name: [*cells, cells[0]] for name, cells in BASE.items()} | {"grade": [8, 2, 9]}
    roster, problems = read({name: cells[::order] for name, cells in lines.items()})
    place = roster.subject.tolist().index("A1")
    assert roster.error[place]
    assert roster.grade[place] == 8
    assert [p.code for p in problems] == ["MH502", "MH502"]


def test_a_line_without_a_subject_is_entered_under_its_row(read):
    roster, problems = read(BASE | {"subject": ["A1", None]})
    assert roster.subject.tolist() == ["A1", "roster.csv:2"]
    assert roster.error.tolist() == [False, True]
    assert [(p.code, p.row) for p in problems] == [("MH503", 2)]


def test_a_reference_that_reads_like_a_missing_value_is_a_reference(read):
    roster, problems = read(BASE | {"subject": ["NA", "null"]})
    assert roster.subject.tolist() == ["NA", "null"]
    assert problems == []


@pytest.mark.parametrize(
    "columns", [{"age": [-3, 12]}, {"age": [1e300, 12]}, {"birth_date": ["2999-01-01", None]}]
)
def test_an_age_that_nobody_has_counts_as_not_given(read, columns):
    roster, problems = read(BASE | columns)
    assert np.isnan(roster.age[0])
    assert np.isnat(roster.birth_date[0])
    assert codes_of(problems) == ["MH504"]


def test_a_pupil_of_no_group_stays_on_the_roster_as_an_error(read):
    roster, problems = read(BASE | {"grade": [12, 2]})
    assert roster.error.tolist() == [True, False]
    assert codes_of(problems) == ["MH505"]


@pytest.mark.parametrize(
    "stage, grade, group",
    [
        ("primary", 3, "primary_lower"),
        ("primary", 4, "primary_upper"),
        ("primary", 6, "primary_upper"),
        ("junior", 6, "junior"),
        ("junior", 9, "junior"),
        ("senior", 10, "senior"),
        ("vocational", 11, "vocational"),
        ("vocational", None, "vocational"),
    ],
)
def test_stage_and_grade_decide_the_group_and_the_stage_tells_sixth_grades_apart(
    plan, read, stage, grade, group
):
    roster, _ = read({"subject": ["A1"], "school": ["S"], "stage": [stage], "grade": [grade]})
    assert plan.programme.groups[roster.group[0]].id == group


@pytest.mark.parametrize(
    "name, value",
    [
        ("sex", "SECRET"),
        ("birth_date", "someday"),
        ("age", "young"),
        ("status", "gone"),
        ("grade", 1313),
        ("stage", "kindergarten"),
    ],
)
def test_a_value_that_is_not_understood_counts_as_not_given_and_is_withheld(read, name, value):
    roster, problems = read(BASE | {name: [value, BASE.get(name, [None, None])[1]]})
    assert len(roster) == 2
    bad = [p for p in problems if p.code == "MH504"]
    assert [(p.row, p.path) for p in bad] == [(1, name)]
    assert str(value) not in str(bad[0])


def test_a_column_that_is_not_known_is_named(read):
    _, problems = read(BASE | {"parents_income": [1, 2]})
    assert codes_of(problems) == ["MH403"]


def test_a_roster_without_pupils_is_a_problem(read):
    roster, problems = read({name: [] for name in BASE})
    assert len(roster) == 0
    assert "MH412" in codes_of(problems)


def test_a_pupil_whose_line_cannot_be_read_is_entered_all_the_same(read):
    roster, problems = read(
        BASE, broken_rows=(BrokenRow(3, "A3"), BrokenRow(4, ""), BrokenRow(5, "A1"))
    )
    assert roster.subject.tolist() == ["A1", "A2", "A3", "roster.csv:4"]
    assert roster.error.tolist() == [True, False, True, True]
    assert len(problems) == 3


@pytest.mark.parametrize(
    "word, grade",
    [
        ("一年级", 1),
        ("六年级", 6),
        ("七年级", 7),
        ("初一", 7),
        ("初三", 9),
        ("高一", 10),
        ("高三", 12),
        ("8年级", 8),
        (8.0, 8),
        ("８", 8),
    ],
)
def test_a_grade_is_understood_as_number_or_name(word, grade):
    assert parse_grade(word) == grade


@pytest.mark.parametrize("word", [0, 13, 7.5, "初四", "-1", "nine"])
def test_a_grade_that_does_not_exist_is_refused(word):
    with pytest.raises(ValueError):  # noqa: PT011 - the caller words the problem
        parse_grade(word)


# -- ages -------------------------------------------------------------------------------------


def age(born, on):
    found = age_in_years(
        np.array([born], dtype="M8[D]"), np.array([on], dtype="M8[s]"), np.array([np.nan])
    )
    return float(found[0])


@pytest.mark.parametrize(
    "born, on, years",
    [("2015-10-15", "2026-10-15", 11.0), ("2015-10-15", "2026-10-14", 10 + 11 / 12),
     ("2015-10-15", "2026-10-16", 11.0), ("2008-10-15", "2026-10-15", 18.0),
     ("2012-02-29", "2023-02-28", 10 + 11 / 12), ("2012-02-29", "2023-03-01", 11.0)],
)  # fmt: skip
def test_an_age_is_reached_on_the_birthday(born, on, years):
    assert age(born, on) == pytest.approx(years)
    assert (age(born, on) >= 11) == (years >= 11)


def test_an_age_on_the_roster_stands_in_for_a_birth_date(read):
    roster, _ = read(BASE | {"age": [13.5, 8], "birth_date": [None, "2018-10-15"]})
    ages = roster.ages(np.array(["2026-10-15"] * 2, dtype="M8[s]"))
    assert ages.tolist() == [13.5, 8.0]


def test_a_moment_is_read_in_the_zone_of_the_programme():
    assert parse_moment("2026-10-15", "Asia/Shanghai") == np.datetime64("2026-10-14T16:00:00")
    assert parse_moment("2026-10-15T00:00:00Z", "Asia/Shanghai") == np.datetime64(
        "2026-10-15T00:00:00"
    )
