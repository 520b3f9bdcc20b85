"""The ledger is kept from the command line: append, verify, replay, erase."""

import json

import pytest
from typer.testing import CliRunner

from mhscreen.cli import app
from mhscreen.ledger.stores import open_ledger

PROGRAMME = ("--programme", "qingdao-2023@1")
WHEN = ("--at", "2026-10-20T09:00:00+08:00")
TALK = {
    "entry_type": "talk", "pupil_ref": "", "author": "t-07", "role": "class_teacher",
    "occurred_at": "2026-10-19T09:00:00+08:00", "channel": "in_person",
}  # fmt: skip


def run(*arguments, status=0):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == status, result.output + result.stderr
    return result


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """A demo district that was screened."""
    folder = tmp_path_factory.mktemp("district")
    run("demo", "--pupils", 60, "--out", folder)
    return folder


@pytest.fixture(scope="module")
def pupils(district):
    return [entry["pupil_ref"] for entry in open_ledger(district / "ledger.jsonl").entries()]


@pytest.fixture(params=["kept.jsonl", "sqlite:///{}/kept.db"])
def ledger(request, tmp_path, district):
    """A ledger that holds the screening."""
    name = request.param
    where = name.format(tmp_path) if "://" in name else tmp_path / name
    run("ledger", "append", district / "ledger.jsonl", "--ledger", where)
    return where


@pytest.fixture
def drafts(tmp_path):
    def write(*documents, name="day.jsonl"):
        file = tmp_path / name
        lines = (json.dumps(TALK | one, ensure_ascii=False) + "\n" for one in documents)
        file.write_text("".join(lines), "utf-8")
        return file

    return write


def test_a_run_is_appended_once_and_the_ledger_verifies(district, ledger):
    again = run("ledger", "append", district / "ledger.jsonl", "--ledger", ledger)
    assert "0 entries added, 60 were there already" in again.stdout
    found = run("ledger", "verify", "--ledger", ledger)
    assert "60 entries (0 erased), 1 batches: unchanged" in found.stdout


def test_the_root_of_the_run_is_found_again_in_the_ledger(district, ledger):
    published = json.loads((district / "run.json").read_text("utf-8"))["entries"]["merkle_root"]
    run("ledger", "verify", "--ledger", ledger, "--root", published)
    refused = run("ledger", "verify", "--ledger", ledger, "--root", "sha256:" + "0" * 64, status=1)
    assert "MH806" in refused.stderr


def test_drafts_are_completed_with_the_pupils_own_school(ledger, drafts, pupils):
    file = drafts(*({"pupil_ref": name} for name in pupils[:3]))
    run("ledger", "append", file, "--ledger", ledger, *PROGRAMME, *WHEN)
    opened = open_ledger(ledger)
    for name in pupils[:3]:
        screening, talk = opened.entries(name)
        assert talk["org"] == screening["org"]
        assert talk["prev_hash"] == screening["hash"]
        assert talk["recorded_at"] == WHEN[1]
    run("ledger", "verify", "--ledger", ledger)


def test_a_run_and_drafts_about_it_go_in_together(tmp_path, district, drafts, pupils):
    ledger = tmp_path / "new.jsonl"
    file = drafts({"pupil_ref": pupils[0]})
    run("ledger", "append", district / "ledger.jsonl", file, "--ledger", ledger, *PROGRAMME, *WHEN)
    screening, talk = open_ledger(ledger).entries(pupils[0])
    assert talk["org"] == screening["org"]
    assert len(open_ledger(ledger).batches()) == 1


def test_after_a_transfer_the_receiving_school_is_the_pupils_school(ledger, drafts, pupils):
    new = {
        "city": "",
        "district": "",
        "school": "新学校",
        "stage": "junior",
        "grade": 7,
        "class": "",
    }
    moved = {
        "entry_type": "transfer", "pupil_ref": pupils[0], "to_org": new,
        "state": "acknowledged", "reason": "change_of_school",
    }  # fmt: skip
    del (document := TALK | moved)["channel"]
    file = drafts(name="moved.jsonl")
    file.write_text(json.dumps(document) + "\n" + json.dumps(TALK | {"pupil_ref": pupils[0]}))
    run("ledger", "append", file, "--ledger", ledger, *PROGRAMME, *WHEN)
    later = drafts({"pupil_ref": pupils[0], "occurred_at": "2026-10-20T08:00:00+08:00"})
    run("ledger", "append", later, "--ledger", ledger, *PROGRAMME, *WHEN)
    schools = [entry["org"]["school"] for entry in open_ledger(ledger).entries(pupils[0])]
    assert schools[2:] == ["新学校", "新学校"]


def test_a_bad_file_enters_nothing_and_every_problem_is_told(ledger, drafts, pupils):
    file = drafts(
        {"pupil_ref": pupils[0]},
        {"pupil_ref": pupils[1], "channel": "carrier pigeon"},
        {"pupil_ref": pupils[2], "occurred_at": "yesterday"},
        {"pupil_ref": pupils[3], "hash": "sha256:0"},
    )
    with file.open("ab") as more:
        more.write(b"{not json}\n\xff\xfe\n")
    told = run("ledger", "append", file, "--ledger", ledger, *PROGRAMME, *WHEN, status=2).stderr
    assert told.count("MH801") >= 5
    for row in (2, 3, 4, 5, 6):
        assert f"day.jsonl, row {row}" in told
    assert "pigeon" not in told
    assert len(list(open_ledger(ledger).rows())) == 60


def test_drafts_without_a_programme_or_a_time_are_refused(ledger, drafts, pupils):
    file = drafts({"pupil_ref": pupils[0]})
    for options in ((), PROGRAMME, WHEN):
        told = run("ledger", "append", file, "--ledger", ledger, *options, status=2).stderr
        assert "--programme" in told


def test_drafts_at_the_end_of_a_large_batch_find_the_pupils_school(ledger, drafts, pupils):
    org = next(open_ledger(ledger).entries(pupils[0]))["org"]
    large = [{"pupil_ref": f"N{n}", "org": org, "note": "x" * 5000} for n in range(900)]
    file = drafts(*large, {"pupil_ref": pupils[0]})
    run("ledger", "append", file, "--ledger", ledger, *PROGRAMME, *WHEN)
    assert [entry["org"] for entry in open_ledger(ledger).entries(pupils[0])] == [org, org]


def test_a_draft_about_nobody_whom_the_ledger_knows_is_refused(ledger, drafts):
    told = run(
        "ledger", "append", drafts({"pupil_ref": "SYN-O00001"}), "--ledger", ledger,
        *PROGRAMME, *WHEN, status=2,
    ).stderr  # fmt: skip
    assert "day.jsonl, row 1: pupil_ref: is nobody whom the ledger knows" in told
    new = {"city": "", "district": "", "school": "S", "stage": "junior", "grade": 7, "class": "1"}
    file = drafts({"pupil_ref": "N1", "org": new}, {"pupil_ref": "N1", "channel": "phone"})
    run("ledger", "append", file, "--ledger", ledger, *PROGRAMME, *WHEN)
    assert [entry["org"] for entry in open_ledger(ledger).entries("N1")] == [new, new]


def test_a_changed_ledger_ends_with_1_and_says_which_entry(tmp_path, district):
    ledger = tmp_path / "kept.jsonl"
    run("ledger", "append", district / "ledger.jsonl", "--ledger", ledger)
    text = ledger.read_text("utf-8").replace('"source":"census"', '"source":"rescreen"', 1)
    ledger.write_text(text, "utf-8")
    found = run("ledger", "verify", "--ledger", ledger, "--lang", "zh", status=1)
    assert "有改动" in found.stdout
    assert "MH805" in found.stderr


def test_every_entry_is_replayed_from_the_files(district, ledger):
    options = ("--roster", district / "input" / "pupils.csv", "--at", "2026-10-15", *PROGRAMME)
    answers = district / "input" / "answers"
    found = run("ledger", "replay", "--ledger", ledger, "--responses", answers, *options)
    assert "60 entries came out byte for byte, 0 otherwise" in found.stdout


def test_a_changed_answer_is_found_by_replay(tmp_path, district, ledger):
    answers = tmp_path / "answers"
    answers.mkdir()
    for file in (district / "input" / "answers").iterdir():
        (answers / file.name).write_bytes(file.read_bytes())
    lines = (answers / "gad7.csv").read_text("utf-8-sig").splitlines()
    place = lines[0].split(",").index("gad7_q1")
    cells = lines[1].split(",")
    cells[place] = "3" if cells[place] != "3" else "0"
    lines[1] = ",".join(cells)
    (answers / "gad7.csv").write_text("\n".join(lines) + "\n", "utf-8")
    options = ("--roster", district / "input" / "pupils.csv", "--at", "2026-10-15", *PROGRAMME)
    found = run("ledger", "replay", "--ledger", ledger, "--responses", answers, *options, status=1)
    assert "59 entries came out byte for byte, 1 otherwise" in found.stdout
    assert "Other answers" in found.stdout


def test_a_copy_for_exchange_verifies_and_lists_who_is_affected(tmp_path, ledger):
    copy = tmp_path / "exchange.parquet"
    assert "60" in run("ledger", "copy", ledger, copy).stdout
    run("ledger", "verify", "--ledger", copy)
    listed = [
        run("affected", "gad7@1.0.0", "--ledger", where).stdout.splitlines()
        for where in (ledger, copy)
    ]
    assert listed[0] == listed[1]
    assert 10 < len(listed[0]) < 60
    assert run("affected", "mht@7", "--ledger", ledger, "--lang", "zh").stdout == "共 0 名学生\n"
    run("affected", "gad7@self", "--ledger", ledger, status=2)


def test_a_calm_pupil_is_erased_and_an_urgent_one_is_not(ledger):
    screened = list(open_ledger(ledger).entries())
    calm = next(one["pupil_ref"] for one in screened if one["screen_tier"] == "none")
    urgent = next(one["pupil_ref"] for one in screened if one["screen_tier"] == "severe")
    who = ("--author", "s-01", "--role", "deputy_head", "--approved-by", "h-02")
    why = ("--ground", "consent_withdrawn", *PROGRAMME, *WHEN)
    run("ledger", "erase", "--ledger", ledger, "--pupil", calm, *who, *why)
    assert (
        "61 entries (1 erased), 2 batches: unchanged"
        in run("ledger", "verify", "--ledger", ledger).stdout
    )
    told = run(
        "ledger", "erase", "--ledger", ledger, "--pupil", urgent, *who, *why, status=2
    ).stderr
    assert "MH808" in told
    run("ledger", "erase", "--ledger", ledger, *who, *why, status=2)


def test_without_a_retention_period_that_is_said(ledger):
    told = run("ledger", "retention", "--ledger", ledger, "--on", "2030-01-01", status=2).stderr
    assert "no retention period is set" in told


def test_a_ledger_that_is_not_there_ends_with_2(tmp_path):
    for where in (tmp_path / "none.jsonl", f"sqlite:///{tmp_path}/none.db", "letters.txt"):
        run("ledger", "verify", where, status=2)
    assert not list(tmp_path.iterdir())


def test_a_pupils_current_entry_is_explained_from_any_kind_of_ledger(district, ledger, pupils):
    told = run("explain", pupils[0], "--ledger", ledger, "--for", "teacher").stdout
    assert (
        told
        == run(
            "explain", pupils[0], "--ledger", district / "ledger.jsonl", "--for", "teacher"
        ).stdout
    )
    assert "no screening entry" in run("explain", "NOBODY", "--ledger", ledger, status=2).stderr
