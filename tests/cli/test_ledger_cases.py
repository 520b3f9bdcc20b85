"""The commands that say where cases stand and what is to be done."""

import json

import pytest
from typer.testing import CliRunner

from mhscreen.cli import app


@pytest.fixture
def ledger(book, tmp_path):
    """Return a ledger file: one severe case that a person has decided on, one pupil without."""
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    calm = next(iter(book.school.screen(book.school.pupil("B2", school="T")).entries))
    entries = [severe, talk, book.decide("2026-10-16", "severe", severe, talk), calm]
    file = tmp_path / "ledger.jsonl"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in entries), "utf-8")
    return str(file)


def run(*arguments):
    return CliRunner().invoke(app, ["ledger", *arguments])


def test_cases_are_listed_with_where_they_stand(ledger):
    result = run("cases", "--ledger", ledger, "--on", "2026-10-17")
    assert result.exit_code == 0
    assert "A1 · S · Open" in result.stdout
    assert "Severe psychological crisis · overdue 2" in result.stdout
    assert "B2" not in result.stdout


def test_pupils_without_a_case_are_listed_on_request(ledger):
    assert (
        "B2 · T · No case" in run("cases", "--ledger", ledger, "--on", "2026-10-17", "--all").stdout
    )
    chinese = run("cases", "--ledger", ledger, "--on", "2026-10-17", "--all", "--lang", "zh").stdout
    assert "B2 · T · 未立案 · 本次测评未见预警" in chinese


def test_a_school_without_a_case_has_none(ledger):
    assert (
        run("cases", "--ledger", ledger, "--on", "2026-10-17", "--school", "T").stdout
        == "no case\n"
    )


def test_the_work_list_ends_with_1_where_something_is_overdue(ledger):
    late = run("due", "--ledger", ledger, "--on", "2026-10-17")
    assert late.exit_code == 1
    assert "2026-10-16 18:00 · overdue 1 · A1" in late.stdout
    assert run("due", "--ledger", ledger, "--on", "2026-10-16T10:30:00+08:00").exit_code == 0


def test_a_role_sees_its_own_part_of_the_list(ledger):
    result = run("due", "--ledger", ledger, "--on", "2026-10-16", "--by", "deputy_head")
    assert {line.rsplit(" · ", 1)[-1] for line in result.stdout.splitlines()[:-1]} == {
        "Deputy head in charge"
    }


def test_both_lists_are_written_for_a_spreadsheet(ledger, tmp_path):
    for name in ("cases", "due"):
        out = tmp_path / f"{name}.csv"
        run(name, "--ledger", ledger, "--on", "2026-10-16", "--out", str(out))
        assert out.read_text("utf-8-sig").startswith("pupil,district,school")


def test_one_case_is_told_in_words(ledger):
    result = run("show", "A1", "--ledger", ledger, "--on", "2026-10-17", "--lang", "zh")
    assert "专人定级：严重心理危机" in result.stdout
    assert "已逾期" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "NOBODY", "--ledger", "LEDGER", "--on", "2026-10-17"],
        ["cases", "--ledger", "LEDGER", "--on", "someday"],
        ["cases", "--ledger", "nowhere.jsonl", "--on", "2026-10-17"],
    ],
)
def test_a_wrong_call_ends_with_2_and_a_sentence(ledger, arguments):
    result = run(*[ledger if one == "LEDGER" else one for one in arguments])
    assert result.exit_code == 2
    assert result.stderr.startswith("mhscreen: ")


def test_what_did_not_take_effect_is_said_on_standard_error(book, tmp_path):
    severe = book.severe()
    file = tmp_path / "ledger.jsonl"
    entries = [severe, book.decide("2026-10-16", "watch", severe)]
    file.write_text("".join(f"{json.dumps(one)}\n" for one in entries), "utf-8")
    assert "MH803" in run("cases", "--ledger", str(file), "--on", "2026-10-17").stderr
