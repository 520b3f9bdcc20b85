"""A vendor downloads a folder, scores it, and gets a verdict."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mhscreen.cli import app
from mhscreen.conformance.check import load_kits
from mhscreen.conformance.departures import departures
from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.scorer import score_vectors

KIT = Path(__file__).parents[2] / "benchmarks" / "conformance" / "kit"


def run(*words):
    return CliRunner().invoke(app, ["conformance", *map(str, words)])


@pytest.fixture
def good(tmp_path):
    """Copy what is expected for some forms, as if a vendor had given it."""
    for form in ("gad7-1.0.0", "dsrsc-1.0.0"):
        shutil.copy(KIT / form / "expected.csv", tmp_path / f"{form}.csv")
    return tmp_path


@pytest.fixture
def faulty(tmp_path, library):
    """Write the results of a vendor with a fault in every form, each seen in public programs."""
    faults = {
        "smfq@1": "known: true 0, not true 2",
        "dsrsc@1": "known: above 15 in place of 15 and above",
        "mht@1": "known: item 100 in the loneliness scale",
        "phq9@1": "known: a missing answer is 0",
        "gad7@1": "total: item q7 left out",
    }
    folder = tmp_path / "faulty"
    folder.mkdir()
    for ref, name in faults.items():
        (kit, *_) = load_kits(KIT, library, [ref])
        fault = next(one for one in departures(kit.form) if one.name == name)
        columns = score_vectors(kit.form, kit.vectors)
        columns |= score_vectors(kit.form, kit.vectors, fault.change)
        texts = {column: one.texts() for column, one in columns.items()}
        rows = [["vector", *texts]]
        rows += [[n, *(t[p] for t in texts.values())] for p, n in enumerate(kit.names)]
        (folder / f"{kit.form.name}.csv").write_text(write_rows(rows), encoding="utf-8")
    return folder


def test_what_is_expected_passes(good):
    found = run("check", good / "gad7-1.0.0.csv", "--kit", KIT, "--instrument", "gad7@1")
    assert found.exit_code == 0, found.output
    assert "standard: scores agree" in found.output
    assert "gate: no unsafe result found in these vectors" in found.output


def test_a_folder_of_several_forms_is_checked_at_once(good):
    found = run("check", good, "--kit", KIT)
    assert found.exit_code == 0, found.output
    assert "2 / 2 forms without a difference" in found.output
    assert "no results given for" in found.output


def test_a_faulty_vendor_fails_with_the_right_names(faulty, tmp_path):
    reports = [tmp_path / f"report{ending}" for ending in (".txt", ".json", ".xml", ".html")]
    found = run("check", faulty, "--kit", KIT, *(w for r in reports for w in ("--out", r)))
    assert found.exit_code == 1, found.output
    for words in (
        "looks like true 0, not true 2",
        "looks like above 15 in place of 15 and above",
        "looks like item 100 in the loneliness scale",
        "looks like a missing answer is 0",
        "looks like total: item q7 left out",
        "gate: unsafe results found",
    ):
        assert words in found.output
    report = json.loads(reports[1].read_text(encoding="utf-8"))
    assert [form["diagnoses"][0]["certainty"] for form in report["forms"]] == ["exact"] * 5
    assert all(one.stat().st_size > 500 for one in reports)


def test_a_command_is_given_the_rows_and_its_output_is_checked(tmp_path):
    """A scorer that gives what is expected, through its standard input and output."""
    script = tmp_path / "scorer.py"
    script.write_text(
        "import sys, pathlib\n"
        "sys.stdin.read()\n"
        f"kit = pathlib.Path({str(KIT)!r})\n"
        "sys.stdout.write((kit / sys.argv[1] / 'expected.csv').read_text())\n",
        encoding="utf-8",
    )
    command = f"'{sys.executable}' '{script}' {{form}}"
    found = run("check", "--command", command, "--kit", KIT, "--instrument", "gad7@1")
    assert found.exit_code == 0, found.output


@pytest.mark.parametrize(
    "words, what",
    [
        (["no-such-file.csv", "--instrument", "gad7@1"], "MH901"),
        (["--instrument", "gad7@1"], "give either results or --command"),
        (["{good}", "--instrument", "gad8@1"], "MH301"),
        (["{good}", "--instrument", "gad7@1", "--informant", "teacher"], "the kit has no form"),
        (["{good}", "--out", "report.pdf"], "--out ends in"),
        (["{good}", "--kit", "nowhere"], "MH907"),
    ],
)
def test_what_cannot_be_checked_ends_with_2(good, words, what):
    words = [word.format(good=good) for word in words]
    if "--kit" not in words:
        words += ["--kit", str(KIT)]
    found = run("check", *words)
    assert found.exit_code == 2, found.output
    assert what in found.output


def test_generating_writes_the_kit_that_is_shipped(tmp_path):
    found = run("generate", "--quick", "--out", tmp_path, "--instrument", "gad2@1")
    assert found.exit_code == 0, found.output
    for name in ("form.json", "inputs.csv", "expected.csv", "vectors.jsonl"):
        shipped = (KIT / "gad2-1.0.0" / name).read_bytes()
        assert (tmp_path / "gad2-1.0.0" / name).read_bytes() == shipped
    same = run("generate", "--check", "--quick", "--out", KIT, "--instrument", "gad2@1")
    assert same.exit_code == 0, same.output
    (tmp_path / "gad2-1.0.0" / "inputs.csv").write_text("vector\n", encoding="utf-8")
    stale = run("generate", "--check", "--quick", "--out", tmp_path, "--instrument", "gad2@1")
    assert stale.exit_code == 1
    assert "gad2-1.0.0/inputs.csv" in stale.output


def test_a_vendor_with_a_changed_rule_is_told_so(tmp_path):
    expected = KIT / "policies" / "sdq-multi-informant-1.0.0" / "expected.csv"
    assert run("check", "--policy", "sdq-multi-informant@1", "--kit", KIT, expected).exit_code == 0
    text = expected.read_text(encoding="utf-8").replace("not_screened,", "none,")
    file = tmp_path / "vendor.csv"
    file.write_text(text, encoding="utf-8")
    found = run("check", "--policy", "sdq-multi-informant@1", "--kit", KIT, file)
    assert found.exit_code == 1
    assert "looks like not screened is shown as none" in found.output
    assert "gate: unsafe results found" in found.output


def test_a_policy_is_not_checked_beside_an_instrument(tmp_path):
    found = run("check", "--policy", "three-tier-cn@1", "--instrument", "gad7@1", tmp_path)
    assert found.exit_code == 2
