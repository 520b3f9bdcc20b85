"""Files are read as they really arrive, and written whole, the same bytes twice."""
# ruff: noqa: PD011 - the values of a Column are no attribute of pandas

import sys
from codecs import BOM_UTF8
from datetime import date, datetime

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from mhscreen.frames import to_table
from mhscreen.interop.files import (
    ROW_GROUP,
    SUFFIXES,
    read_folder,
    read_table,
    write_csv,
    write_parquet,
)
from mhscreen.problems import ProblemLog
from mhscreen.steps.tables import BrokenRow

ANSWER = "张三七七七"  # a cell that no message may show


@pytest.fixture
def read(tmp_path):
    """Write a file and read it back as (table, problems)."""

    def write_and_read(data, name="phq9.csv"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        log = ProblemLog()
        return read_table(path, log), log.problems

    return write_and_read


def cells(table):
    return {heading: column.cells() for heading, column in table.columns.items()}


def texts(problems):
    return "\n".join(map(str, problems))


def sheet(path, rows):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)
    return path


# -- delimited text -------------------------------------------------------------------------------


def test_every_cell_of_a_csv_is_text_and_an_empty_one_is_empty(read):
    table, problems = read('subject,q1,q2\n007,3,""\nA2,,NA\n')
    assert cells(table) == {"subject": ["007", "A2"], "q1": ["3", None], "q2": [None, "NA"]}
    assert (table.name, table.rows, table.row_numbers, problems) == ("phq9.csv", 2, None, [])


def test_a_tsv_is_separated_by_tabs(read):
    table, problems = read("subject\tq1\nA1\t1,5\n", "phq9.tsv")
    assert cells(table) == {"subject": ["A1"], "q1": ["1,5"]}
    assert problems == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(read, end):
    table, problems = read(end.join(["subject,q1", "A1,3", "A2,0", ""]))
    assert cells(table) == {"subject": ["A1", "A2"], "q1": ["3", "0"]}
    assert (table.row_numbers, problems) == (None, [])


def test_a_last_line_without_an_end_is_read(read):
    assert cells(read("subject,q1\nA1,3")[0]) == {"subject": ["A1"], "q1": ["3"]}


def test_quoted_cells_may_hold_commas_marks_and_lines(read):
    table, problems = read('subject,"q\n1"\r\nA1,"a,b"\r\nA2,"say ""no"""\r\nA3,"one\r\ntwo"\r\n')
    assert cells(table) == {"subject": ["A1", "A2", "A3"], "q\n1": ["a,b", 'say "no"', "one\ntwo"]}
    assert problems == []


@pytest.mark.parametrize(
    "data",
    [
        "学号,q1\nA1,有时\n".encode(),
        BOM_UTF8 + "学号,q1\nA1,有时\n".encode(),
        "学号,q1\nA1,有时\n".encode("utf-16"),
        b"\xfe\xff" + "学号,q1\nA1,有时\n".encode("utf-16-be"),
    ],
    ids=["UTF-8", "with BOM", "UTF-16", "UTF-16 BE"],
)
def test_unicode_is_read_without_a_word(read, data):
    table, problems = read(data)
    assert cells(table) == {"学号": ["A1"], "q1": ["有时"]}
    assert problems == []


def test_gb18030_whose_bytes_are_also_utf8_is_not_read_as_cyrillic(read):
    data = "subject,stage\nA1,小学\n".encode("gb18030")
    assert data.decode("utf-8")  # two Cyrillic letters
    table, problems = read(data)
    assert cells(table)["stage"] == ["小学"]
    assert [problem.code for problem in problems] == ["MH602"]


def test_cyrillic_beside_chinese_is_utf8(read):
    table, problems = read("subject,school\nA1,学校 Я\n")
    assert cells(table)["school"] == ["学校 Я"]
    assert problems == []


def test_gb18030_is_read_and_said(read):
    table, problems = read(f"学号,姓名\nA1,{ANSWER}\n".encode("gb18030"))
    assert cells(table) == {"学号": ["A1"], "姓名": [ANSWER]}
    assert [(p.code, p.place, p.severity) for p in problems] == [("MH602", "phq9.csv", "warning")]
    assert ANSWER not in texts(problems)


@pytest.mark.parametrize(
    "data",
    [
        b"subject,q1\nA1,\xff\xff\n",
        "subject,q1\nA1,3\n".encode("utf-16-le"),
        f"subject,{ANSWER}\n{ANSWER},\x00\n".encode(),
        f'subject,"q1\n{ANSWER},3\n'.encode(),
        f"subject;q1\n{ANSWER};3\n".encode(),
        f"subject\tq1\n{ANSWER}\t3\n".encode(),
    ],
    ids=["bytes", "UTF-16 unsaid", "zero bytes", "open heading", "semicolons", "tabs"],
)
def test_text_that_cannot_be_read_is_said_and_not_guessed(read, data):
    table, problems = read(data)
    assert table is None
    assert [(p.code, p.file) for p in problems] == [("MH601", "phq9.csv")]
    assert ANSWER not in texts(problems)


@pytest.mark.parametrize("data", [b"", BOM_UTF8, b"\n\r\n  \n"])
def test_an_empty_file_is_said(read, data):
    table, problems = read(data)
    assert table is None
    assert [(p.code, p.place) for p in problems] == [("MH412", "phq9.csv")]


@pytest.mark.parametrize(
    "data", ["subject,q1", "subject,q1\n", "\nsubject,q1\n\n\n", "subject,q1\n,\n"]
)
def test_a_heading_alone_is_a_table_without_rows(read, data):
    table, problems = read(data)
    assert (table.rows, list(table.columns)) == (0, ["subject", "q1"])
    assert [(p.code, p.place) for p in problems] == [("MH412", "phq9.csv")]


def test_blank_lines_are_no_rows_but_count(read):
    table, problems = read("subject,q1\nA1,3\n\n,\nA2,0\n\n\n")
    assert cells(table) == {"subject": ["A1", "A2"], "q1": ["3", "0"]}
    assert table.row_numbers.tolist() == [1, 4]
    assert [table.row_number(0), table.row_number(1)] == [1, 4]
    assert problems == []


def test_a_ragged_row_is_taken_out_and_named(read):
    table, problems = read(f"subject,q1,q2\nA1,3,0\nA2,{ANSWER}\n\nA3,1,{ANSWER},2\nA4,0,1\n")
    assert cells(table) == {"subject": ["A1", "A4"], "q1": ["3", "0"], "q2": ["0", "1"]}
    assert table.row_numbers.tolist() == [1, 5]
    assert table.broken_rows == (BrokenRow(2, "A2"), BrokenRow(4, "A3"))
    assert [(p.code, p.place) for p in problems] == [
        ("MH603", "phq9.csv, row 2, subject A2"),
        ("MH603", "phq9.csv, row 4, subject A3"),
    ]
    assert ANSWER not in texts(problems)


def test_a_file_of_ragged_rows_alone_still_names_them(read):
    table, problems = read("subject,q1,q2\nA1,3\n")
    assert (table.rows, table.broken_rows) == (0, (BrokenRow(1, "A1"),))
    assert [p.code for p in problems] == ["MH603", "MH412"]


def test_a_name_in_the_first_cell_of_a_ragged_row_is_not_shown(read):
    table, problems = read(f"姓名,学号,q1\n{ANSWER},A1\n")
    assert table.broken_rows == (BrokenRow(1, "A1", guessed=True),)
    table, more = read(f"姓名,q1,q2\n{ANSWER},3\n")
    assert table.broken_rows == (BrokenRow(1, ANSWER, guessed=True),)  # the roster decides
    assert ANSWER not in texts([*problems, *more])


@pytest.mark.parametrize(
    "heading, row, subject, guessed",
    [
        ("id,subject,q1", "77,A,1,1", "A", True),
        ("编号,pupil,q1", "77,A,1,1", "A", True),
        ("学号,subject,q1", "77,A,1,1", "A", True),  # 'subject' goes first, wherever it stands
        ("ＳＵＢＪＥＣＴ,q1", "Ａ1 ,1,1", "A1", False),
        ("subject,q1", "3.70202E+17,1,1", "", False),
        ("subject,q1", "NA,1,1", "NA", False),  # as on the roster
    ],
)
def test_a_ragged_row_names_its_pupil_as_the_roster_would(read, heading, row, subject, guessed):
    table, _ = read(f"{heading}\n{row}\n")
    assert table.broken_rows == (BrokenRow(1, subject, guessed),)


@pytest.mark.parametrize(
    "rows, broken, left",
    [
        (f'A1,"{ANSWER}\nA2,1\nA3,2\n', ["A1"], {"A2": 2, "A3": 3}),
        (f'A1,"{ANSWER}\nA2,"1\nA3,2\n', ["A1", "A2"], {"A3": 3}),
        (f'A1,"{ANSWER}"x\nA2,1\n', ["A1"], {"A2": 2}),
        (f'A1,"one\ntwo"\nA2,"{ANSWER}\nA3,2\n', ["A2"], {"A1": 1, "A3": 3}),
    ],
    ids=["never closed", "closed by the next", "text after it", "after a good one"],
)
def test_a_stray_quotation_mark_swallows_no_other_row(read, rows, broken, left):
    table, problems = read(f"subject,q1\n{rows}")
    numbers = table.row_numbers.tolist()
    assert dict(zip(table.columns["subject"].cells(), numbers, strict=True)) == left
    assert [row.subject for row in table.broken_rows] == broken
    assert {p.code for p in problems} == {"MH603"}
    assert ANSWER not in texts(problems)


def test_a_quotation_mark_inside_plain_text_is_a_character(read):
    table, problems = read('subject,note\nA1,5" tall\n')
    assert cells(table)["note"] == ['5" tall']
    assert problems == []


def test_a_repeated_heading_is_read_in_neither_place(read):
    table, problems = read(f"subject,q1,q2,q1 \nA1,{ANSWER},1,{ANSWER}\n")
    assert cells(table) == {"subject": ["A1"], "q2": ["1"]}
    assert [(p.code, p.place) for p in problems] == [("MH606", "phq9.csv")]
    assert "columns 2 and 4" in texts(problems)
    assert ANSWER not in texts(problems)


def test_without_a_heading_row_no_answer_is_shown_as_a_heading(read):
    _, problems = read(f"A1,{ANSWER},{ANSWER}\nA2,1,1\n")
    assert [p.code for p in problems] == ["MH606"]
    assert ANSWER not in texts(problems)


def test_a_column_without_heading_is_said_only_where_it_holds_something(read):
    table, problems = read(f"subject,q1,,\nA1,3,,{ANSWER}\nA2,0,,\n")
    assert list(table.columns) == ["subject", "q1"]
    assert [(p.code, p.what) for p in problems] == [("MH403", "column 4 has no heading")]
    assert ANSWER not in texts(problems)


def test_a_long_file_is_read_whole(read):
    rows = 300_000
    data = "subject,q1,note\n" + "".join(f'A{row},{row % 4},"a\nb"\n' for row in range(rows))
    table, problems = read(data)
    assert (table.rows, problems) == (rows, [])
    assert table.columns["q1"].index[-1] == table.columns["q1"].values.index(str((rows - 1) % 4))
    assert table.columns["subject"].cells()[-1] == f"A{rows - 1}"
    assert table.columns["note"].values == ("a\nb",)


# -- other kinds ----------------------------------------------------------------------------------

CELLS = {
    "subject": ["A1", "A2"],
    "q1": [3, None],
    "t": [1.5, None],
    "born": [date(2012, 5, 1), None],
}


@pytest.mark.parametrize(
    "name", ["phq9.parquet", "phq9.PARQUET", "phq9.arrow", "phq9.feather", "s.arrow"]
)
def test_arrow_files_keep_their_types(tmp_path, name):
    arrow = pa.table(CELLS)
    if name.lower().endswith("parquet"):
        pq.write_table(arrow, tmp_path / name)
    elif name == "s.arrow":
        with pa.ipc.new_stream(tmp_path / name, arrow.schema) as stream:
            stream.write_table(arrow)
    else:
        pa.feather.write_feather(arrow, str(tmp_path / name))
    log = ProblemLog()
    table = read_table(tmp_path / name, log)
    assert cells(table) == CELLS
    assert (table.name, log.problems) == (name, [])


def test_parquet_from_pandas_and_polars_reads_the_same(tmp_path):
    pd.DataFrame({"subject": ["A1", "A2"], "t": [1.5, None]}).iloc[::-1].to_parquet(
        tmp_path / "p.parquet"
    )
    pl.DataFrame({"subject": ["A2", "A1"], "t": [None, 1.5]}).write_parquet(tmp_path / "q.parquet")
    log = ProblemLog()
    one, two = (cells(table) for _, table in read_folder(tmp_path, log))
    assert one == two == {"subject": ["A2", "A1"], "t": [None, 1.5]}
    assert log.problems == []


def test_a_repeated_heading_in_parquet_is_read_in_neither_place(tmp_path):
    arrow = pa.Table.from_arrays(
        [pa.array(["A1"]), pa.array([1]), pa.array([2])], ["subject", "q", "q"]
    )
    pq.write_table(arrow, tmp_path / "phq9.parquet")
    log = ProblemLog()
    assert cells(read_table(tmp_path / "phq9.parquet", log)) == {"subject": ["A1"]}
    assert [p.code for p in log] == ["MH606"]


def test_the_first_sheet_of_a_workbook_is_read(tmp_path):
    rows = [
        [None, None, None, None, None],
        ["subject", "q1", "t", "at", 5],
        ["A1", 3, 1.5, datetime(2026, 10, 15, 8, 30), True],  # noqa: DTZ001 - a sheet has no zones
        [None, None, None, None, None],
        [20230001, None, None, None, None],
    ]
    log = ProblemLog()
    table = read_table(sheet(tmp_path / "phq9.xlsx", rows), log)
    assert cells(table) == {
        "subject": ["A1", 20230001],
        "q1": [3, None],
        "t": [1.5, None],
        "at": [datetime(2026, 10, 15, 8, 30), None],  # noqa: DTZ001
        "5": [True, None],
    }
    assert {type(cell) for cell in table.columns["q1"].values} == {int}
    assert table.row_numbers.tolist() == [1, 3]
    assert log.problems == []


def test_a_number_of_which_a_sheet_lost_digits_stays_recognisable(tmp_path):
    rows = [["subject"], [370202201509011234], [370202201509011235], [999999999999999]]
    table = read_table(sheet(tmp_path / "a.xlsx", rows), ProblemLog())
    (lost, kept) = table.columns["subject"].values
    assert isinstance(lost, float)  # and both rows have it: never two pupils' one reference
    assert kept == 999999999999999
    assert isinstance(kept, int)


def test_a_column_is_numbered_as_in_the_file(read):
    table, _ = read("subject,,q1,q2,q1\nA1,,3,1,2\n")
    assert table.column_number("q2") == 4


def test_an_empty_sheet_and_a_heading_alone_are_said(tmp_path):
    log = ProblemLog()
    assert read_table(sheet(tmp_path / "a.xlsx", []), log) is None
    assert read_table(sheet(tmp_path / "b.xlsx", [["subject", "q1"]]), log).rows == 0
    assert [(p.code, p.file) for p in log] == [("MH412", "a.xlsx"), ("MH412", "b.xlsx")]


def test_cells_beside_the_headings_of_a_sheet_are_said(tmp_path):
    log = ProblemLog()
    rows = [["subject", "q1", "q1", None], ["A1", 1, 2, ANSWER]]
    assert cells(read_table(sheet(tmp_path / "a.xlsx", rows), log)) == {"subject": ["A1"]}
    assert [p.code for p in log] == ["MH403", "MH606"]
    assert ANSWER not in texts(log)


def test_without_the_extra_a_workbook_is_refused_with_its_name(tmp_path, monkeypatch):
    path = sheet(tmp_path / "phq9.xlsx", [["subject"], [ANSWER]])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    log = ProblemLog()
    assert read_table(path, log) is None
    assert [(p.code, p.place) for p in log] == [("MH601", "phq9.xlsx")]
    assert "mhscreen[excel]" in texts(log)


@pytest.mark.parametrize(
    "suffix", [suffix for suffix in SUFFIXES if suffix not in {".csv", ".tsv"}]
)
@pytest.mark.parametrize("data", [b"", f"subject,{ANSWER}\n".encode()], ids=["empty", "other"])
def test_a_file_of_another_kind_than_its_name_is_said(read, suffix, data):
    table, problems = read(data, f"phq9{suffix}")
    assert table is None
    assert [(p.code, p.place) for p in problems] == [("MH601", f"phq9{suffix}")]
    assert ANSWER not in texts(problems)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".doc", ""])
def test_a_file_that_is_not_there_is_said(tmp_path, suffix):
    log = ProblemLog()
    assert read_table(tmp_path / f"phq9{suffix}", log) is None
    assert [(p.code, p.place) for p in log] == [("MH601", f"phq9{suffix}")]


# -- folders --------------------------------------------------------------------------------------


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    (tmp_path / "wide.csv").write_text("subject,phq9_1\nA1,3\n")
    (tmp_path / "phq9.tsv").write_text("subject\tq1\nA1\t3\n")
    (tmp_path / "phq9.csv").write_text("subject,q1\nA2,3\n")
    (tmp_path / "sdq@teacher.csv").write_text("subject,q1\nA1,2\n")
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    (tmp_path / "~$phq9.xlsx").write_bytes(b"\0")
    log = ProblemLog()
    tables = read_folder(tmp_path, log)
    assert [(stem, table.name) for stem, table in tables] == [
        ("phq9", "phq9.csv"),
        ("phq9", "phq9.tsv"),
        ("sdq@teacher", "sdq@teacher.csv"),
        ("wide", "wide.csv"),
    ]
    assert log.problems == []


def test_what_is_no_table_in_a_folder_is_said(tmp_path):
    (tmp_path / "phq9.csv").write_text("subject,q1\nA1,3\n")
    (tmp_path / "notes.docx").write_bytes(b"x")
    (tmp_path / "older").mkdir()
    log = ProblemLog()
    assert [stem for stem, _ in read_folder(tmp_path, log)] == ["phq9"]
    assert [(p.code, p.file) for p in log] == [("MH601", "notes.docx"), ("MH601", "older")]


def test_a_single_file_stands_for_a_folder(tmp_path):
    (tmp_path / "gad7.csv").write_text("subject,q1\nA1,3\n")
    log = ProblemLog()
    assert [stem for stem, _ in read_folder(tmp_path / "gad7.csv", log)] == ["gad7"]


def test_an_empty_folder_is_said(tmp_path):
    log = ProblemLog()
    assert read_folder(tmp_path, log) == []
    assert [p.code for p in log] == ["MH412"]


# -- out ------------------------------------------------------------------------------------------

RESULTS = {
    "subject": np.array(["A1", None, "a,b", 'say "no"', "one\ntwo"], dtype=object),
    "score": np.array([24.0, np.nan, 0.1, 1e-9, -4.5]),
    "answered": np.arange(5),
    "flag": [True, False, True, False, True],
    "born": [date(2012, 5, 1), None, None, None, None],
}


def test_a_csv_holds_what_was_written(tmp_path):
    write_csv(RESULTS, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text(encoding="utf-8") == (
        "subject,score,answered,flag,born\n"
        "A1,24,0,true,2012-05-01\n"
        ",,1,false,\n"
        '"a,b",0.1,2,true,\n'
        '"say ""no""",1e-9,3,false,\n'
        '"one\ntwo",-4.5,4,true,\n'
    )


def test_a_csv_comes_back_as_it_went(tmp_path):
    write_csv(RESULTS, tmp_path / "r.csv")
    table = read_table(tmp_path / "r.csv", ProblemLog())
    assert cells(table)["subject"] == RESULTS["subject"].tolist()
    assert [None if cell is None else float(cell) for cell in cells(table)["score"]] == [
        24.0, None, 0.1, 1e-9, -4.5,
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_for_people_a_formula_is_text(tmp_path, start):
    text = f"{start}1+cmd"
    columns = {"name": [text, f"x{text}", None], "z": [-1.5, -2.0, None]}
    write_csv(columns, tmp_path / "people.csv", for_people=True)
    write_csv(columns, tmp_path / "machine.csv")
    data = (tmp_path / "people.csv").read_bytes()
    assert data.startswith(BOM_UTF8)
    assert not (tmp_path / "machine.csv").read_bytes().startswith(BOM_UTF8)
    people = pd.read_csv(tmp_path / "people.csv", encoding="utf-8-sig", lineterminator="\n")
    machine = pd.read_csv(tmp_path / "machine.csv", lineterminator="\n")
    assert people["name"].tolist()[:2] == [f"'{text}", f"x{text}"]
    assert machine["name"].tolist()[:2] == [text, f"x{text}"]
    assert people["z"].tolist()[:2] == [-1.5, -2.0]


def test_a_column_alone_keeps_its_empty_rows(tmp_path):
    write_csv({"q1": ["a", None, "b"]}, tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == 'q1\na\n""\nb\n'


def test_tables_without_rows_are_written(tmp_path):
    write_csv({"q1": [], "q2": []}, tmp_path / "r.csv")
    write_parquet({"q1": np.array([], dtype=object)}, tmp_path / "r.parquet")
    assert (tmp_path / "r.csv").read_text() == "q1,q2\n"
    assert pq.read_schema(tmp_path / "r.parquet").field("q1").type == pa.string()


def test_a_parquet_file_holds_what_was_written(tmp_path):
    write_parquet(RESULTS, tmp_path / "r.parquet")
    found = to_table(pq.read_table(tmp_path / "r.parquet"), "r")
    assert cells(found)["score"] == [24.0, None, 0.1, 1e-9, -4.5]
    assert cells(found)["born"] == RESULTS["born"]


def test_row_groups_have_a_fixed_size_and_no_trace_of_pandas(tmp_path):
    rows = ROW_GROUP + 5
    write_parquet({"q1": np.arange(rows)}, tmp_path / "r.parquet")
    file = pq.ParquetFile(tmp_path / "r.parquet")
    sizes = [file.metadata.row_group(group).num_rows for group in range(2)]
    assert sizes == [ROW_GROUP, 5]
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert b"pandas" not in (file.schema_arrow.metadata or {})
    file.close()


def test_the_same_table_gives_the_same_bytes(tmp_path):
    rows = ROW_GROUP + 1000
    random = np.random.default_rng(20261015)
    columns = {"q": random.integers(0, 4, rows), "t": random.normal(size=rows)}
    columns["s"] = np.array([f"A{row}" for row in range(rows)], dtype=object)
    for write, name in ((write_csv, "csv"), (write_parquet, "parquet")):
        write(columns, tmp_path / f"one.{name}")
        write(columns, tmp_path / f"two.{name}")
        one, two = ((tmp_path / f"{which}.{name}").read_bytes() for which in ("one", "two"))
        assert one == two
    assert (tmp_path / "one.csv").read_text().count("\n") == rows + 1


def test_a_table_that_cannot_be_written_leaves_nothing(tmp_path):
    for write in (write_csv, write_parquet):
        with pytest.raises(ValueError, match="differ in length"):
            write({"a": [1], "b": [1, 2]}, tmp_path / "r")
    assert list(tmp_path.iterdir()) == []
