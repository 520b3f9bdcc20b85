"""A sample vendor who is wrong on purpose fails, and is told by name what is wrong."""

import sys
from pathlib import Path

import pytest

from mhscreen.conformance import as_text, load_kits, run_command

ROOT = Path(__file__).parents[2]
VENDOR = ROOT / "benchmarks" / "conformance" / "adapters" / "faulty_vendor.py"
NAMES = {
    "dsrsc-1.0.0": "cut set original",
    "gad7-1.0.0": "total: moderate: a score at 10 stays on the near side",
    "phq2-1.0.0": "a blank is read as the lowest option",
    "pss10-1.0.0": "total: item q7 not reversed",
    "smfq-1.0.0-self": "known: true 0, not true 2",
}


@pytest.fixture(scope="module")
def found(shipped_kit, library):
    instruments = ["dsrsc@1", "gad7@1", "phq2@1", "pss10@1", "smfq@1"]
    kits = [kit for kit in load_kits(shipped_kit, library, instruments) if kit.form.name in NAMES]
    return run_command(kits, [sys.executable, str(VENDOR), "{form}"])


def test_each_fault_is_named_and_nothing_else(found):
    assert {form.form for form in found.forms} == set(NAMES)
    for form in found.forms:
        (one,) = form.diagnoses
        assert one.certainty == "exact"
        assert NAMES[form.form] in (one.name, *one.also)


def test_the_sample_vendor_fails_both_verdicts(found):
    assert found.state("standard") == "failed"
    assert found.state("gate") == "failed"


def test_only_what_is_said_of_blanks_is_unsafe(found):
    unsafe = {
        form.form
        for form in found.forms
        for one in form.clauses
        if one.clause > 10 and one.failures
    }
    assert unsafe == {"phq2-1.0.0"}


def test_another_cut_of_a_study_is_called_a_variant(found):
    (variant,) = [one for form in found.forms for one in form.diagnoses if one.is_variant]
    assert variant.name == NAMES["dsrsc-1.0.0"]


def test_the_report_says_it_in_words(found):
    report = as_text(found)
    assert "looks like total: item q7 not reversed" in report
    assert "looks like the documented variant: cut set original" in report
    assert "seen in" in report
