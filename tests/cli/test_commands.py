"""The command line: exit status, what is printed, and what never is."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import mhscreen
from mhscreen import __version__, cli
from mhscreen.cli import app
from mhscreen.cli.words import _PHRASES, SHORT_TIERS
from mhscreen.vocabulary import ScreenTier

PROGRAMME = "qingdao-2023@1"


@pytest.fixture
def call():
    """Run a command and return its result; a traceback is a failure."""

    def called(*arguments, **environment):
        result = CliRunner().invoke(
            app, list(map(str, arguments)), env={"COLUMNS": "80", **environment}
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return called


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A synthetic district, screened by the demo."""
    folder = tmp_path_factory.mktemp("demo")
    result = CliRunner().invoke(app, ["demo", "--pupils", "150", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def screen_arguments(made, out, **other):
    options = {
        "programme": PROGRAMME,
        "roster": made / "input" / "pupils.csv",
        "responses": made / "input" / "answers",
        "at": "2026-10-15",
        "out": out,
        **other,
    }
    return ["screen", *(part for name, value in options.items() for part in (f"--{name}", value))]


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# -- demo and screen ------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_demo_ends_well_and_marks_every_heading_as_synthetic(call, lang):
    result = call("demo", "--pupils", 60, "--lang", lang)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    table = next(line for line in lines if line.startswith(_PHRASES["table"][lang == "zh"]))
    for heading in (lines[0], table, lines[-1]):
        assert "模拟数据" in heading
        assert "SYNTHETIC DATA" in heading


def test_the_demo_is_the_main_job_on_its_own_files(call, made, tmp_path):
    record = json.loads((made / "run.json").read_text("utf-8"))
    assert "模拟数据" in record["synthetic"]
    result = call(*screen_arguments(made, tmp_path / "out"))
    assert result.exit_code == 0
    for name in ("ledger.jsonl", "archive.parquet", "urgent.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (made / name).read_bytes()


def test_the_demo_keeps_nothing_unless_asked_to(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert call("demo", "--pupils", 30).exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_the_urgent_count_comes_first_and_is_that_of_the_list(call, made, tmp_path):
    result = call(*screen_arguments(made, tmp_path / "out"))
    number = len(rows_of(tmp_path / "out" / "urgent.csv"))
    assert result.stdout.startswith(f"To be seen today: {number} ")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_counts_are_all_there_on_any_terminal(call, made, tmp_path, lang, columns):
    result = call(*screen_arguments(made, tmp_path / "out"), "--lang", lang, COLUMNS=columns)
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    lines = result.stdout.splitlines()
    total = _PHRASES["all"][lang == "zh"]
    place = next(i for i, line in enumerate(lines) if line.strip().startswith(total))
    shown = [int(n) for n in re.findall(r"\d+", " ".join(lines[place : place + 2]))]
    expected = [record["screen_tiers"][tier] for tier in SHORT_TIERS]
    assert sorted(shown) == sorted([record["pupils"], *(n for n in expected if n)])
    assert "…" not in " ".join(lines[: place + 1])  # no heading is cut off


def test_every_tier_has_a_heading():
    assert set(SHORT_TIERS) == set(ScreenTier)


@pytest.mark.parametrize("lang, words", [("en", "unsigned default"), ("zh", "未签署的默认规则")])
def test_an_unsigned_policy_is_called_so_and_what_this_is_not_is_said(
    call, made, tmp_path, lang, words
):
    result = call(*screen_arguments(made, tmp_path / "out"), "--lang", lang)
    assert words in result.stdout
    assert _PHRASES["not_this"][lang == "zh"] in result.stdout


def test_problems_end_with_1_and_everything_is_written(call, made, tmp_path):
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "phqa.csv").write_text("subject,phqa_q9\nOFF-1,3\nOFF-2,55\n", encoding="utf-8")
    result = call(*screen_arguments(made, tmp_path / "out", responses=answers))
    assert result.exit_code == 1
    assert len(rows_of(tmp_path / "out" / "problems.csv")) > 2
    assert "First of all: 2 " in result.stdout
    assert "MH401" in result.stderr
    assert "55" not in result.stderr


def test_columns_of_a_slot_are_found_by_the_pattern_that_is_given(call, made, tmp_path):
    answers = tmp_path / "answers"
    answers.mkdir()
    roster = rows_of(made / "input" / "pupils.csv")
    one = next(pupil["subject"] for pupil in roster if pupil["stage"] == "junior")
    heads = ",".join(f"Item {n}" for n in range(1, 8))
    (answers / "gad7.csv").write_text(f"subject,{heads}\n{one},3,3,3,3,3,3,3\n", encoding="utf-8")
    arguments = screen_arguments(made, tmp_path / "out", responses=answers)
    pattern = ["--columns", "gad7=Item {number}", "--columns", "sdq@teacher=T{number}"]
    assert call(*arguments, *pattern).exit_code == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert record["columns"] == {"gad7": "Item {number}", "sdq@teacher": "T{number}"}
    archive = pq.read_table(tmp_path / "out" / "archive.parquet").to_pylist()
    assert next(row["gad7__total"] for row in archive if row["subject"] == one) == 21


@pytest.mark.parametrize(
    "columns, words",
    [
        (["gad7"], "SLOT=PATTERN"),
        (["gad7="], "SLOT=PATTERN"),
        (["=P{number}"], "SLOT=PATTERN"),
        (["gad7=A{number}", "gad7=B{number}"], "once each"),
        (["mood=P{number}"], "no slot mood"),
    ],
)
def test_columns_that_cannot_be_meant_end_with_2(call, made, tmp_path, columns, words):
    given = [part for one in columns for part in ("--columns", one)]
    result = call(*screen_arguments(made, tmp_path / "out"), *given)
    assert result.exit_code == 2
    assert words in result.stderr
    assert not (tmp_path / "out").exists()


def test_everything_that_is_wrong_with_definitions_is_printed_however_much(call, made, tmp_path):
    for number in range(25):
        (tmp_path / f"{number}.yaml").write_text("schema: none\n", encoding="utf-8")
    result = call(*screen_arguments(made, tmp_path / "out"), "--definitions", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.count("[MH110 ") == 25
    assert result.stderr.endswith("25 problems\n")


def test_without_a_roster_nothing_is_written_and_the_status_is_2(call, made, tmp_path):
    (tmp_path / "pupils.csv").write_text("subject,school\nA1,x\n", encoding="utf-8")
    result = call(*screen_arguments(made, tmp_path / "out", roster=tmp_path / "pupils.csv"))
    assert result.exit_code == 2
    assert "MH501" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change, words",
    [
        ({"programme": "no-such@1"}, "MH301"),
        ({"programme": "No Such"}, "names no programme"),
        ({"at": "yesterday"}, "at is a date or a time"),
        ({"roster": "nowhere.csv"}, "there is no file or folder nowhere.csv"),
        ({"definitions": "nowhere"}, "there is no file or folder nowhere"),
    ],
)
def test_a_call_that_cannot_be_meant_ends_with_2_and_no_traceback(
    call, made, tmp_path, change, words
):
    result = call(*screen_arguments(made, tmp_path / "out", **change))
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_definition_of_ones_own_ends_with_2_and_is_placed(call, made, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("schema: mhscreen/instrument/1\nid: [\n", encoding="utf-8")
    result = call(*screen_arguments(made, tmp_path / "out", definitions=broken))
    assert result.exit_code == 2
    assert re.search(r"broken\.yaml:\d+:\d+: .*MH101", result.stderr)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_ends_with_2(call, made, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = call(*screen_arguments(made, tmp_path / "file"))
    assert result.exit_code == 2
    assert "is a file, not a folder" in result.stderr
    result = call(*screen_arguments(made, tmp_path / "file" / "out"))
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


# -- score ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_score_writes_one_row_per_form(call, tmp_path, suffix):
    answers = tmp_path / "answers.csv"
    headings = ",".join(f"P{number:02d}" for number in range(1, 10))
    answers.write_text(f"subject,{headings}\nA1,{'1,' * 8}1\nA2,{'3,' * 8}3\n", encoding="utf-8")
    out = tmp_path / f"scores.{suffix}"
    result = call("score", "phq9@1", answers, "--out", out, "--columns", "P{number:02d}")
    assert result.exit_code == 0
    rows = rows_of(out) if suffix == "csv" else pq.read_table(out).to_pylist()
    assert [float(row["phq9__total"]) for row in rows] == [9, 27]


def test_an_illegal_answer_is_scored_as_unanswered_and_ends_with_1(call, tmp_path):
    answers = tmp_path / "answers.csv"
    headings = ",".join(f"phq9_{number}" for number in range(1, 10))
    answers.write_text(f"subject,{headings}\nA1,{'1,' * 8}88\n", encoding="utf-8")
    result = call("score", "phq9@1", answers, "--out", tmp_path / "scores.csv")
    assert result.exit_code == 1
    assert "phq9.q9" in result.stderr
    assert "88" not in result.output
    (row,) = rows_of(tmp_path / "scores.csv")
    assert (row["phq9__total__answered"], row["phq9__total__low"]) == ("8", "8")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["phq10@1", "answers.csv", "--out", "scores.csv"], "MH301"),
        (["sdq@1", "answers.csv", "--out", "scores.csv"], "needs informant"),
        (["phq9@1", "answers.csv", "--out", "scores.txt"], "--out ends in .csv or .parquet"),
        (["phq9@1", "nowhere.csv", "--out", "scores.csv"], "MH601"),
    ],
)
def test_a_score_that_cannot_be_made_ends_with_2(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "answers.csv").write_text("subject,phq9_1\nA1,1\n", encoding="utf-8")
    result = call("score", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


# -- explain --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang, words", [("en", "A screening is no diagnosis"), ("zh", "不是诊断")])
def test_explain_reads_the_ledger_alone(call, made, lang, words):
    result = call("explain", "--ledger", made / "ledger.jsonl", "SYN-000001", "--lang", lang)
    assert result.exit_code == 0
    assert "SYN-000001" in result.stdout.splitlines()[0]
    assert words in result.stdout


@pytest.mark.parametrize(
    "ledger, words", [("ledger.jsonl", "no screening entry"), ("none", "cannot be opened")]
)
def test_a_pupil_or_ledger_that_is_not_there_ends_with_2(call, made, ledger, words):
    result = call("explain", "--ledger", made / ledger, "NOBODY")
    assert result.exit_code == 2
    assert words in result.stderr


# -- definitions ----------------------------------------------------------------------------------


def test_the_shipped_definitions_pass_their_checks(call):
    result = call("check")
    assert result.exit_code == 0
    assert re.match(r"\d+ definitions checked, 0 problems", result.stdout)


def test_a_new_instrument_passes_its_checks_and_is_never_overwritten(call, tmp_path):
    assert call("new", "instrument", "my-scale", "--folder", tmp_path).exit_code == 0
    checked = call("check", tmp_path)
    assert (checked.exit_code, checked.stdout) == (0, "1 definitions checked, 0 problems\n")
    again = call("new", "instrument", "my-scale", "--folder", tmp_path)
    assert again.exit_code == 2
    assert "already there" in again.stderr
    assert call("new", "instrument", "My Scale").exit_code == 2


def test_a_finding_ends_with_1_and_is_placed(call, tmp_path):
    call("new", "instrument", "my-scale", "--folder", tmp_path)
    file = tmp_path / "instruments" / "my-scale" / "0.1.0.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("range: [0, 9]", "range: [0, 8]"), encoding="utf-8")
    result = call("check", tmp_path)
    assert result.exit_code == 1
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "range: [0, 9]" in one)
    assert "MH203" in result.stderr
    assert f":{line}:" in result.stderr


def test_a_worked_case_that_fails_ends_with_1(call, tmp_path):
    call("new", "instrument", "my-scale", "--folder", tmp_path)
    file = tmp_path / "instruments" / "my-scale" / "0.1.0.cases.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("score: 6, ", "score: 5, "), encoding="utf-8")
    result = call("check", tmp_path)
    assert result.exit_code == 1
    assert "MH213" in result.stderr


def test_checking_what_is_not_there_ends_with_2(call, tmp_path):
    assert call("check", tmp_path / "nowhere").exit_code == 2


@pytest.mark.parametrize(
    "kind", ["instrument", "norm", "policy", "programme", "cases", "roster", "ledger-entry"]
)
def test_each_schema_is_a_json_schema(call, kind):
    import jsonschema

    result = call("schema", kind)
    assert result.exit_code == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(result.stdout))


def test_a_roster_row_satisfies_the_roster_schema_and_one_with_a_name_does_not(call, made):
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(call("schema", "roster").stdout))
    row = rows_of(made / "input" / "pupils.csv")[0]
    row["grade"] = int(row["grade"])
    assert validator.is_valid(row)
    assert not validator.is_valid({**row, "name": "x"})
    assert not validator.is_valid({**row, "stage": "kindergarten"})


# -- the program ----------------------------------------------------------------------------------


def test_the_version_is_shown(call):
    assert call("--version").stdout == f"mhscreen {__version__}\n"


def test_python_m_mhscreen_is_the_same_program():
    source = str(Path(mhscreen.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-m", "mhscreen", "--version"],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"mhscreen {__version__}\n"


def test_a_traceback_never_shows_local_variables():
    assert app.pretty_exceptions_enable is False


def test_a_fault_of_the_program_ends_with_2_and_quotes_no_answer(monkeypatch, capsys):
    def fails():
        msg = "could not read the answer 7777"
        raise ValueError(msg)

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "ValueError" in said
    assert "7777" not in said


def test_each_phrase_has_the_same_parts_in_both_languages():
    for english, chinese in _PHRASES.values():
        parts = [sorted(re.findall(r"{(\w+)}", text)) for text in (english, chinese)]
        assert parts[0] == parts[1], english
