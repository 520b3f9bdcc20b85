"""Long tables: whole forms of one pupil each, and every row that is not understood has an owner."""

import numpy as np
import pytest

from mhscreen import bind
from mhscreen.kernels.codes import BLANK, ILLEGAL
from mhscreen.problems import ProblemLog
from mhscreen.steps.long_table import widen
from mhscreen.steps.tables import BrokenRow, Table, encode

NAMES = ("subject", "instrument", "informant", "item", "response")
ITEMS = range(1, 8)


def long(rows, **columns):
    return {name: [row[place] for row in rows] for place, name in enumerate(NAMES)} | columns


def gad7(subject, *answers, items=ITEMS):
    return [(subject, "gad7", "self", n, one) for n, one in zip(items, answers, strict=True)]


@pytest.fixture
def batch(plan):
    def run(rows, *, roster=None, **columns):
        people = roster or {
            "subject": ["A", "B"],
            "school": ["S"] * 2,
            "stage": ["junior"] * 2,
            "grade": [8] * 2,
        }
        responses = {"long": long(rows, **columns)}
        return bind(plan, roster=people, responses=responses, on_problem="report", at="2026-10-15")

    return run


@pytest.fixture
def forms(plan):
    """Return what a batch has in one slot: per form the pupil, the source row and the answers."""

    def of(found, slot="gad7"):
        some = found.forms[plan.slot(slot)]
        return [
            (int(pupil), int(row), tuple(some.codes[:, place].tolist()))
            for place, (pupil, row) in enumerate(zip(some.pupil, some.source_row, strict=True))
        ]

    return of


# -- rows that are not understood -----------------------------------------------------------------


def test_a_row_with_an_unknown_informant_flags_its_pupil(batch):
    found = batch([("A", "asq", "student", n, 1) for n in range(1, 6)])
    assert found.roster.error.tolist() == [True, False]
    assert {(p.code, p.subject) for p in found.problems} == {("MH415", "A")}


def test_such_a_row_of_somebody_off_the_roster_becomes_an_unmatched_item(batch):
    found = batch([("ZZ", "asq", "student", n, 1) for n in range(1, 6)])
    assert found.unmatched.roster.subject.tolist() == ["ZZ"]
    assert found.unmatched.roster.error.tolist() == [True]


@pytest.mark.parametrize("missing", ["instrument", "item", "response"])
def test_without_a_required_column_every_subject_is_flagged(plan, batch, missing):
    columns = long([*gad7("A", *[0] * 7), *gad7("ZZ", *[0] * 7)])
    del columns[missing]
    people = {"subject": ["A"], "school": ["S"], "stage": ["junior"], "grade": [8]}
    found = bind(plan, roster=people, responses={"long": columns}, on_problem="report")
    assert [p.code for p in found.problems] == ["MH402"]
    assert found.roster.error.tolist() == [True]
    assert found.unmatched.roster.subject.tolist() == ["ZZ"]


def test_the_broken_rows_name_each_subject_once_and_each_run_without_one(plan):
    bad = [("A", "x", "self", 1, 1), ("A", "x", "self", 2, 1)]
    nobody = [(None, "x", "self", 1, 1), (None, "x", "self", 2, 1)]
    columns = long([*bad, *nobody, *gad7("A", *[0] * 7), *nobody])
    table = Table("long", {name: encode(cells) for name, cells in columns.items()}, 13)
    ((slot, turned),) = widen(plan, table, ProblemLog())
    assert slot == plan.slot("gad7")
    assert turned.broken_rows == (BrokenRow(1, "A"), BrokenRow(3), BrokenRow(12))


def test_a_flood_of_rows_that_are_not_understood_is_counted_and_not_listed(batch):
    found = batch([("A", "x", "self", 1, 1)] * 1500)
    assert len(found.problems) == 11
    assert found.problems[-1].what.endswith("and 1490 more rows")


# -- whose form it is -----------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["A ", " A", "Ａ"])
def test_rows_of_one_subject_are_one_form_however_it_is_written(batch, forms, written):
    rows = gad7("A", 0, 1, 2, items=ITEMS[:3]) + gad7(written, 3, 0, 1, 2, items=ITEMS[3:])
    found = batch(rows)
    assert found.problems == ()
    assert forms(found) == [(0, 1, (0, 1, 2, 3, 0, 1, 2))]


def test_rows_of_one_moment_are_one_form_however_it_is_written(batch, forms):
    times = ["2026-10-14"] * 3 + ["2026/10/14"] * 2 + ["2026年10月14日"] * 2
    found = batch(gad7("A", 0, 1, 2, 3, 0, 1, 2), administered_on=times)
    assert forms(found) == [(0, 1, (0, 1, 2, 3, 0, 1, 2))]


def test_rows_without_a_subject_are_not_one_form(batch):
    found = batch(gad7(None, *[0] * 7) + gad7(None, *[1] * 7) + gad7("A", *[0] * 7))
    assert found.unmatched.roster.subject.tolist() == ["long:1", "long:8"]


def test_rows_without_a_subject_are_a_form_with_their_neighbours_only(batch):
    rows = gad7(None, 0, 0, 0, items=ITEMS[:3]) + gad7("A", *[0] * 7)
    found = batch(rows + gad7(None, 3, 3, 3, 3, items=ITEMS[3:]))
    assert found.unmatched.roster.subject.tolist() == ["long:1", "long:11"]


def test_a_number_that_lost_digits_is_nobodys_reference(batch):
    found = batch(gad7(3.70202201509011e17, *[0] * 7) + gad7(3.70202201509012e17, *[3] * 7))
    assert len(found.unmatched.roster) == 2
    assert {p.code for p in found.problems} == {"MH406"}


PEOPLE = {
    "subject": ["A", "B"], "school": ["S"] * 2, "stage": ["junior"] * 2, "grade": [8] * 2,
    "sex": ["male", "female"], "birth_date": ["2013-01-02", "2013-02-03"], "class": ["8-1", "8-2"],
}  # fmt: skip


@pytest.mark.parametrize(
    "name, said", [("birth_date", "2013-02-03"), ("sex", "female"), ("class", "8-2")]
)
def test_what_the_rows_say_of_who_filled_them_in_is_compared_with_the_roster(batch, name, said):
    found = batch(gad7("A", *[0] * 7), roster=PEOPLE, **{name: [said] * 7})
    assert [(p.code, p.subject) for p in found.problems] == [("MH414", "A")]
    assert found.identity[0]


def test_rows_that_say_different_birth_dates_are_two_forms(batch, forms):
    rows = gad7("A", 0, 0, 0, items=ITEMS[:3]) + gad7("A", 3, 3, 3, 3, items=ITEMS[3:])
    born = ["2013-01-02"] * 3 + ["2013-02-03"] * 4
    found = batch(rows, roster=PEOPLE, birth_date=born)
    assert [(row, sum(code == BLANK for code in codes)) for _, row, codes in forms(found)] == [
        (1, 4), (4, 3),
    ]  # fmt: skip
    assert found.identity.tolist() == [True, True]


def test_a_birth_date_in_the_first_row_alone_holds_for_the_form(batch, forms):
    born = ["2013-02-03"] + [None] * 6
    found = batch(gad7("A", *[1] * 7), roster=PEOPLE, birth_date=born)
    assert forms(found) == [(0, 1, (1,) * 7)]
    assert found.identity.tolist() == [True, True]


# -- one form or two ------------------------------------------------------------------------------


def test_two_forms_in_a_row_are_told_apart_even_where_items_are_missing(batch, forms):
    first = gad7("A", 0, 0, 0, 0, 0, 0, items=[1, 2, 4, 5, 6, 7])
    found = batch(first + gad7("A", 0, 3, 3, 3, 3, 3, 3))
    assert forms(found) == [(0, 1, (0, 0, BLANK, 0, 0, 0, 0)), (0, 7, (0, 3, 3, 3, 3, 3, 3))]
    assert [(p.code, p.row) for p in found.problems] == [("MH416", 7), ("MH408", 1), ("MH408", 7)]


def test_the_same_form_twice_is_one_form(batch, forms):
    rows = gad7("A", 0, 1, 2, 3, 0, 1, 2)
    for twice in (rows + rows, [row for row in rows for _ in range(2)]):
        found = batch(twice)
        assert found.problems == ()
        assert forms(found) == [(0, 1, (0, 1, 2, 3, 0, 1, 2))]


def test_forms_whose_answers_cannot_be_told_apart_flag_the_pupil(batch, forms):
    rows = [row for n in ITEMS for row in gad7("A", 0, 3, items=[n, n])]
    found = batch(rows)
    assert found.roster.error.tolist() == [True, False]
    assert [codes for _, _, codes in forms(found)] == [(0,) * 7, (3,) * 7]


def test_a_correction_never_hides_the_first_answer(batch, forms):
    found = batch(gad7("A", *[3] * 7) + gad7("A", 0, items=[4]))
    assert [codes[3] for _, _, codes in forms(found)] == [3, 0]


# -- places ---------------------------------------------------------------------------------------


def test_a_form_stands_at_its_first_row(batch, forms):
    found = batch(gad7("A", *[0] * 7) + gad7("B", *[1] * 7))
    assert [(pupil, row) for pupil, row, _ in forms(found)] == [(0, 1), (1, 8)]


def test_an_illegal_answer_is_named_at_its_own_row(batch, forms):
    found = batch(gad7("A", *[0] * 7) + gad7("B", 0, 0, 7, 0, 0, 0, 0))
    assert [(p.code, p.row, p.subject) for p in found.problems] == [("MH401", 10, "B")]
    assert forms(found)[1][2][2] == ILLEGAL


def test_row_numbers_are_those_of_the_file(plan):
    columns = long(gad7("A", *[0] * 7))
    cells = {name: encode(column) for name, column in columns.items()}
    numbers = np.array([1, 2, 3, 5, 6, 7, 8])  # the fourth was blank
    ((_, turned),) = widen(plan, Table("long.csv", cells, 7, numbers), ProblemLog())
    assert turned.row_number(0) == 1
    assert turned.row_number(0, "gad7_q4") == 5
