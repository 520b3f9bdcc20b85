"""Sheets for teachers hold what the role may see, in words of both languages."""

import datetime as dt
import re

import pytest

from mhscreen.ledger.disclosure import disclose
from mhscreen.ledger.month import close_month
from mhscreen.ledger.month_tables import month_tables, queue_table
from mhscreen.ledger.queue import rescreen_queue
from mhscreen.ledger.view_tables import view_tables, worded
from mhscreen.ledger.words import HEADINGS, SHEETS, heading, in_words
from mhscreen.vocabulary import Role, Tier

NOW = dt.datetime(2026, 10, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))


@pytest.fixture(scope="module")
def file(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe, note="=备注")
    return [severe, talk, book.decide("2026-10-16", "severe", severe, talk)]


def sheets(book, file, role, **options):
    place = {"school": "S", "class": "3"}
    view = disclose(book.cases(*file), file, book.programme, role, at=place, on=NOW, **options)
    return view_tables(view)


def words(tables):
    return " ".join(str(v) for t in tables.values() for col in t.values() for v in col)


def test_the_class_teachers_workbook_has_instructions_and_no_tier(book, file):
    tables = sheets(book, file, Role.CLASS_TEACHER)
    assert set(tables) == {"pupils", "instructions", "own_actions"}
    text = words(tables)
    assert "请留意学生的情绪" in text
    for hidden in ("危机", "severe", "Severe", "自杀", "phqa", "备注"):
        assert hidden not in text, hidden


def test_the_psychology_teachers_workbook_has_a_sheet_for_each_type_of_entry(book, file):
    tables = sheets(book, file, Role.PSYCH_TEACHER)
    assert {"pupils", "actions", "screening", "interview", "tier_change"} <= set(tables)
    text = words(tables)
    assert "严重心理危机 Severe psychological crisis" in text
    assert "=备注" not in text
    assert "=备注" in words(sheets(book, file, Role.PSYCH_TEACHER, named=("notes",)))


def test_every_line_of_a_sheet_says_whose_it_is(book, file):
    for name, table in sheets(book, file, Role.PSYCH_TEACHER).items():
        assert set(table["pupil"]) == {"A1"}, name
        assert len({len(column) for column in table.values()}) == 1


def test_only_what_a_person_has_set_is_worded_as_a_crisis():
    for tier in Tier:
        assert "危机" not in in_words("screen_tier", str(tier))
        assert "危机" not in in_words("standing_tier", str(tier))
    assert "重大心理危机" in in_words("case_tier", "major")


def test_every_column_of_a_month_has_a_heading_in_both_languages(book, file):
    month = close_month(file, "2026-10", book.programme)
    tables = month_tables(month)
    tables["queue"] = queue_table(rescreen_queue(month.cases, file))
    for name, table in tables.items():
        assert name in SHEETS
        for column in table:
            assert re.search("[\u4e00-\u9fff]", heading(column)), column
            assert re.search("[A-Za-z]", heading(column)), column


def test_every_column_of_a_teachers_sheet_has_a_heading(book, file):
    for role in (Role.CLASS_TEACHER, Role.GRADE_HEAD, Role.ON_DUTY, Role.HEAD):
        options = {"at": {"school": "S", "grade": 8, "class": "3"}}
        view = disclose(book.cases(*file), file, book.programme, role, on=NOW, **options)
        for name in ("pupils", "instructions", "own_actions", "actions"):
            for column in view_tables(view).get(name, {}):
                assert column.rpartition(".")[2] in HEADINGS, column


def test_codes_are_put_in_words_and_what_has_none_stays():
    assert worded({"stage": ["junior", None], "pupil": ["A1", "B2"]}) == {
        "stage": ["初中 Junior secondary", None], "pupil": ["A1", "B2"],
    }  # fmt: skip
    assert in_words("overdue", value=True) == "是 yes"
    assert in_words("stage", "later_code") == "later_code"
