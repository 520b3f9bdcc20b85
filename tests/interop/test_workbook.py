"""Workbooks for teachers: words in two languages, and nothing that is calculated."""

import datetime as dt
import sys

import openpyxl
import pytest

from mhscreen.interop.workbook import write_workbook
from mhscreen.problems import UsageError

NOW = dt.datetime(2026, 10, 31, 9, 0, tzinfo=dt.UTC)


def write(path, sheets, **more):
    write_workbook(sheets, path, on=NOW, **more)
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1", "＠x"])
def test_text_that_would_be_calculated_is_kept_as_text(tmp_path, text):
    book = write(tmp_path / "a.xlsx", {"S": {f"{text}": [text, "plain"]}})
    for row in (1, 2):
        cell = book["S"].cell(row=row, column=1)
        assert cell.data_type == "s"
        assert cell.value.strip() == f"'{text}".strip()


def test_text_like_a_link_or_a_number_stays_text(tmp_path):
    texts = ["https://example.org", "0012", "1e5", "mailto:x@example.org", "2026-10-31"]
    book = write(tmp_path / "a.xlsx", {"S": {"a": texts}})
    cells = [book["S"].cell(row=n, column=1) for n in range(2, 7)]
    assert [cell.value for cell in cells] == texts
    assert all(cell.data_type == "s" and cell.hyperlink is None for cell in cells)


def test_numbers_are_numbers_and_nothing_is_an_empty_cell(tmp_path):
    sheet = write(tmp_path / "a.xlsx", {"S": {"a": [3, 4.5, None, ""]}})["S"]
    assert [sheet.cell(row=n, column=1).value for n in range(2, 6)] == [3, 4.5, None, None]


def test_the_same_sheets_give_the_same_bytes(tmp_path):
    sheets = {"各校汇总 Schools": {"学校 School": ["S1"]}}
    write(tmp_path / "a.xlsx", sheets)
    write(tmp_path / "b.xlsx", sheets)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_a_long_or_forbidden_name_of_a_sheet_is_cut(tmp_path):
    book = write(tmp_path / "a.xlsx", {"休复学/Leave: and return, in so many words": {"a": [1]}})
    (name,) = book.sheetnames
    assert len(name) <= 31
    assert "/" not in name


def test_what_breaks_leaves_no_half_file(tmp_path):
    with pytest.raises(UsageError, match="at least one sheet"):
        write_workbook({}, tmp_path / "a.xlsx", on=NOW)
    with pytest.raises(TypeError):
        write_workbook({"S": {"a": None}}, tmp_path / "a.xlsx", on=NOW)
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError, match=r"mhscreen\[excel\]"):
        write_workbook({"S": {"a": [1]}}, tmp_path / "a.xlsx", on=NOW)
