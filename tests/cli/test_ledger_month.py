"""The commands that close a month, print, and hand out what a role may see."""

import csv
import datetime as dt
import json

import openpyxl
import pytest
from typer.testing import CliRunner

from mhscreen import compile_plan, shipped_library
from mhscreen.cli import app
from mhscreen.entries.pseudonyms import is_pseudonym
from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.stores import open_ledger
from mhscreen.vocabulary import EntryType

JUNIOR = "Synthetic junior school 1"


@pytest.fixture
def call():
    """Run a command and return its result; a traceback is a failure."""

    def called(*arguments):
        result = CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return called


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A synthetic district of which one pupil's major case was confirmed and opened to the city."""
    folder = tmp_path_factory.mktemp("district")
    result = CliRunner().invoke(app, ["demo", "--pupils", "300", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    lines = (folder / "ledger.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    ledger = folder / "kept.jsonl"
    pupil = next(
        e for e in entries if e["screen_tier"] == "major" and e["org"]["stage"] == "junior"
    )
    programme = compile_plan(shipped_library(), programme="qingdao-2023@1").programme

    def enter(kind, on, **fields):
        draft = {
            "entry_type": kind, "pupil_ref": pupil["pupil_ref"], "author": "t-07",
            "role": "psych_teacher", "occurred_at": f"{on}T10:00:00+08:00", **fields,
        }  # fmt: skip
        when = dt.datetime.fromisoformat(draft["occurred_at"])
        return complete_draft(draft, programme, org=pupil["org"], recorded_at=when)

    asked = [{"about": "suicide_ideation", "answer": "yes"}]
    talk = enter("interview", "2026-10-16", channel="in_person", asked=asked, conclusion="refer",
                 names=[pupil["entry_id"]], note="私密备注")  # fmt: skip
    names = [pupil["entry_id"], talk["entry_id"]]
    decided = enter("tier_change", "2026-10-16", case_tier="major", previous_tier=None,
                    basis="interview", reason="confirmed", names=names)  # fmt: skip
    opened = enter("access", "2026-10-17", role="city", purpose="consultation",
                   approved_by="h-01", author="c-01")  # fmt: skip
    open_ledger(ledger, create=True).append([*entries, talk, decided, opened])
    return ledger, pupil["pupil_ref"]


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_closing_a_month_writes_its_sheets_and_says_what_is_overdue(call, file, tmp_path):
    ledger, _ = file
    out = tmp_path / "october"
    done = call("ledger", "month", "2026-10", "--ledger", ledger, "--out", out, "--workbook")
    assert done.exit_code == 1  # nobody has seen anybody else yet
    assert JUNIOR in done.stdout
    schools = {row["school"]: row for row in rows(out / "schools.csv")}
    assert schools[JUNIOR]["confirmed"] == "1"
    for name in ("opened", "overdue", "carried_forward", "without_talk", "not_screened"):
        total = sum(int(row[name]) for row in schools.values())
        assert total == len(rows(out / f"{name}.csv")), name
    book = openpyxl.load_workbook(out / "2026-10.xlsx")
    assert "各校汇总 Schools" in book.sheetnames
    assert book["各校汇总 Schools"]["B1"].value == "学校 School"
    cells = " ".join(str(c.value) for s in book for row in s.iter_rows() for c in row)
    assert "phqa" not in cells  # items are for the psychology teacher alone


def test_a_month_with_nothing_left_undone_ends_with_0(call, file, tmp_path):
    ledger, _ = file
    done = call("ledger", "month", "2026-09", "--ledger", ledger, "--out", tmp_path / "m")
    assert done.exit_code == 0, done.output
    assert rows(tmp_path / "m" / "schools.csv") == []


def test_the_four_ledgers_are_shown_by_their_names(call, file, tmp_path):
    ledger, pupil = file
    out = tmp_path / "c.csv"
    done = call("ledger", "views", "B", "--ledger", ledger, "--lang", "zh", "--out", out)
    assert done.exit_code == 0
    assert "分级分类干预台账" in done.stdout
    assert "定级/调级 1" in done.stdout
    assert pupil in {row["pupil_ref"] for row in rows(out)}
    assert "私密备注" not in out.read_text("utf-8-sig")


def test_the_queue_asks_only_what_is_open(call, file, tmp_path):
    ledger, _ = file
    out = tmp_path / "queue.csv"
    assert call("ledger", "queue", "--ledger", ledger, "--out", out).exit_code == 0
    assert all(row["ask"] for row in rows(out))
    assert call("ledger", "queue", "--ledger", ledger, "--school", "no such").stdout == "0\n"


def test_forms_for_a_family_are_drafts_until_they_are_released(call, file, tmp_path):
    ledger, pupil = file
    common = ("--ledger", ledger, "--on", "2026-10-20", "--by", "t-07")
    out = tmp_path / "notice.html"
    assert call("ledger", "form", "notice", pupil, *common, "--out", out).exit_code == 0
    assert "草稿" in out.read_text("utf-8")
    call("ledger", "form", "notice", pupil, *common, "--out", out, "--released-by", "h-01")
    assert "草稿" not in out.read_text("utf-8")
    before = call("ledger", "form", "notice", pupil, "--ledger", ledger, "--by", "t-07",
                  "--on", "2026-10-15", "--out", tmp_path / "early.html")  # fmt: skip
    assert before.exit_code == 2
    assert not (tmp_path / "early.html").exists()


def test_notes_leave_only_by_an_export_that_names_them(call, file, tmp_path):
    ledger, pupil = file
    common = ("ledger", "export", "--ledger", ledger, "--on", "2026-10-20", "--role",
              "psych_teacher", "--school", JUNIOR)  # fmt: skip
    plain, named = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    assert call(*common, "--out", plain).exit_code == 0
    assert "私密备注" not in plain.read_text("utf-8")
    assert call(*common, "--out", named, "--with", "notes", "--with", "answers").exit_code == 0
    assert "私密备注" in named.read_text("utf-8")
    lines = [json.loads(line) for line in named.read_text("utf-8").splitlines()]
    assert pupil in {one["pupil_ref"] for one in lines}


def test_a_head_who_names_notes_gets_none(call, file, tmp_path):
    ledger, _ = file
    out = tmp_path / "head.jsonl"
    named = ("--with", "notes", "--with", "answers")
    done = call("ledger", "export", "--ledger", ledger, "--on", "2026-10-20", "--role", "head",
                "--school", JUNIOR, *named, "--out", out)  # fmt: skip
    assert done.exit_code == 0
    text = out.read_text("utf-8")
    assert "私密备注" not in text
    assert '"answer"' not in text


def test_the_city_sees_the_opened_case_under_a_pseudonym_and_no_other(call, file, tmp_path):
    ledger, pupil = file
    key, out = tmp_path / "pupils.key", tmp_path / "city.jsonl"
    assert call("ledger", "new-key", key).exit_code == 0
    assert key.stat().st_mode & 0o077 == 0
    assert call("ledger", "new-key", key).exit_code == 2  # never over a key that is in use
    common = ("ledger", "export", "--ledger", ledger, "--on", "2026-10-20", "--role", "city",
              "--city", "Synthetic city", "--out", out)  # fmt: skip
    assert call(*common).exit_code == 2
    assert not out.exists()
    assert call(*common, "--key-file", key).exit_code == 0
    (line,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert is_pseudonym(line["pupil_ref"])
    assert pupil not in out.read_text("utf-8")


def test_a_workbook_holds_what_the_role_may_see(call, file, tmp_path):
    ledger, _ = file
    out = tmp_path / "head.xlsx"
    done = call("ledger", "workbook", "--ledger", ledger, "--on", "2026-10-20", "--role", "head",
                "--school", JUNIOR, "--out", out)  # fmt: skip
    assert done.exit_code == 0, done.output
    book = openpyxl.load_workbook(out)
    cells = " ".join(str(c.value) for s in book for row in s.iter_rows() for c in row)
    assert "重大心理危机" in cells
    assert "私密备注" not in cells


def test_a_teacher_without_a_class_gets_nothing(call, file, tmp_path):
    ledger, _ = file
    out = tmp_path / "t.xlsx"
    done = call("ledger", "workbook", "--ledger", ledger, "--on", "2026-10-20", "--role",
                "class_teacher", "--school", JUNIOR, "--out", out)  # fmt: skip
    assert done.exit_code == 2
    assert "school, class" in done.stderr
    assert not out.exists()


def test_counts_for_the_city_withhold_small_numbers_beside_earlier_ones(call, file, tmp_path):
    ledger, _ = file
    first, second = tmp_path / "october.json", tmp_path / "stages.json"
    common = ("ledger", "aggregate", "--ledger", ledger, "--on", "2026-10-31", "--for", "city")
    assert call(*common, "--by", "school", "--out", first).exit_code == 0
    release = json.loads(first.read_text("utf-8"))
    shown = [n for row in release["rows"] for n in row["counts"] if n is not None]
    assert not any(0 < n < 10 for n in shown)
    assert release["rule"]["smallest_count"] == 10
    assert len(rows(tmp_path / "october.csv")) == len(release["rows"]) + 1
    done = call(*common, "--by", "stage", "--out", second, "--earlier", first)
    assert done.exit_code == 0, done.output
    assert json.loads(second.read_text("utf-8"))["rule"]["earlier"]
    district = tmp_path / "district.json"
    call("ledger", "aggregate", "--ledger", ledger, "--on", "2026-10-31", "--for", "district",
         "--by", "school", "--district", "Synthetic district", "--out", district)  # fmt: skip
    assert json.loads(district.read_text("utf-8"))["rule"]["smallest_count"] == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ("month", "2026-13", "--out", "x"),
        ("aggregate", "--on", "2026-10-31", "--for", "head", "--by", "school", "--out", "x.json"),
        ("aggregate", "--on", "soon", "--for", "city", "--by", "school", "--out", "x.json"),
        ("aggregate", "--on", "2026-10-31", "--for", "city", "--by", "school", "--out", "x.csv"),
        (
            "aggregate",
            "--on",
            "2026-10-31",
            "--for",
            "district",
            "--by",
            "school",
            "--out",
            "x.json",
        ),
        ("export", "--on", "2026-10-31", "--role", "hospital", "--out", "x.jsonl"),
        ("form", "plan", "nobody", "--on", "2026-10-31", "--by", "t-07", "--out", "x.html"),
    ],
)
def test_a_wrong_call_is_told_and_writes_nothing(call, file, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    command, *rest = arguments
    done = call("ledger", command, *rest, "--ledger", file[0])
    assert done.exit_code == 2
    assert done.stderr.startswith("mhscreen: ")
    assert list(tmp_path.iterdir()) == []


def test_every_type_of_entry_has_a_name_for_its_sheet():
    from mhscreen.cli.ledger.month import _title

    assert all(len(_title(str(kind))) <= 31 for kind in EntryType)
