"""One entry, five readers: each learns what is needed to act, and no more."""

import re

import pytest

from mhscreen import explain_entry
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Reader, ScreenTier, Tier

VERDICT = re.compile(
    r"\b(healthy|safe|normal|fine|disorder|suicid\w*|depress\w*)\b|正常|健康|安全|患者|自杀|抑郁",
    re.IGNORECASE,
)
TIERS = [t.zh for t in (*Tier, *ScreenTier)] + ["severe", "Severe", "general", "major", "Major"]


@pytest.fixture(scope="module")
def entries(school):
    """Return an entry for each thing that a screening can show."""
    phqa = school.calm
    return {
        "none": school.one(),
        "watch": school.one(forms={"phqa": phqa("phqa", q1=3, q2=2)}),
        "general": school.one(forms={"phqa": phqa("phqa", q1=3, q2=3, q3=3, q4=3)}),
        "severe": school.one(forms={"phqa": phqa("phqa", q9=1)}),
        "major": school.one(forms={"asq": phqa("asq", q5=1)}),
        "undetermined": school.one(forms={"phqa": phqa("phqa", q9=None)}),
        "not_screened": school.one(forms={"phqa": None, "mht": None, "gad7": None}),
    }


@pytest.fixture(scope="module")
def abused(school):
    forms = {"observer@teacher": school.calm("observer@teacher", abuse_suspected="yes")}
    return school.one(forms=forms)


def both(entry, reader):
    return [explain_entry(entry, language, reader=reader) for language in ("en", "zh")]


def test_each_kind_of_result_is_there(entries):
    assert [one["screen_tier"] for one in entries.values()] == list(entries)


@pytest.mark.parametrize("reader", ["pupil", "guardian", "teacher"])
def test_pupil_family_and_class_teacher_learn_no_score_no_rule_and_no_tier(entries, reader):
    for entry in entries.values():
        for text in both(entry, reader):
            assert not VERDICT.search(text), VERDICT.search(text)
            assert "phqa" not in text
            assert "q9" not in text
            assert not [
                reason["rule"] for reason in entry["tier_reasons"] if reason["rule"] in text
            ]


@pytest.mark.parametrize("reader", ["pupil", "guardian"])
def test_no_pupil_and_no_guardian_reads_the_name_of_a_tier(entries, reader):
    for shown, entry in entries.items():
        for text in both(entry, reader):
            # What is shown where no rule holds is no tier, and is said in the same words.
            rest = text.replace("本次测评未见预警", "")
            assert not [word for word in TIERS if word in rest], shown


@pytest.mark.parametrize("reader", ["pupil", "guardian"])
def test_where_to_find_help_is_told_whatever_the_result(entries, reader):
    for entry in entries.values():
        en, zh = both(entry, reader)
        assert "Where to find help\n  The psychology teacher" in en
        assert "120" in zh
        assert "心理教师" in zh


def test_the_sites_own_help_line_comes_first(entries):
    text = explain_entry(entries["none"], reader="pupil", help_line="Ring 12345")
    assert "Where to find help\n  Ring 12345\n" in text


def test_without_a_flag_nothing_is_promised(entries):
    en, zh = both(entries["none"], "pupil")
    assert "No flag was raised in this screening" in en
    assert "本次测评未见预警" in zh


def test_a_text_for_a_family_is_released_by_a_person(entries):
    for entry in entries.values():
        assert "not to be sent by itself" in explain_entry(entry, reader="guardian")


def test_word_to_the_guardian_is_held_where_abuse_is_suspected(abused):
    en, zh = both(abused, "guardian")
    assert en.splitlines()[1].startswith("Held.")
    assert len(zh.splitlines()) == 2
    assert "Held" not in explain_entry(abused, reader="pupil")


def test_the_class_teacher_learns_what_to_do_by_when(entries):
    en, zh = both(entries["severe"], "teacher")
    assert "see to it that On-duty staff can talk with the pupil by 2026-10-15 08:00." in en
    assert "不要告知同学或家庭" in zh


def test_the_class_teacher_learns_that_a_pupil_must_not_be_left_alone(entries):
    assert "Do not leave the pupil alone" in explain_entry(entries["major"], reader="teacher")
    assert "alone" not in explain_entry(entries["severe"], reader="teacher")


def test_the_class_teachers_own_concern_counts_whatever_is_shown(entries):
    assert "Your own concern counts" in explain_entry(entries["none"], reader="teacher")


def test_the_auditor_reads_what_the_counsellor_reads_and_all_that_it_rests_on(entries):
    for entry in entries.values():
        counsellor, auditor = (explain_entry(entry, reader=r) for r in ("counsellor", "auditor"))
        assert auditor.startswith(counsellor)
        for name in ("definitions", "policy"):
            assert entry["provenance"][name] in auditor
        assert entry["hash"] in auditor


def test_whoever_sees_the_pupil_is_the_reader_unless_told_otherwise(entries):
    assert explain_entry(entries["severe"]) == explain_entry(entries["severe"], reader="counsellor")


def test_another_reader_is_refused(entries):
    with pytest.raises(UsageError, match="pupil, guardian, teacher, counsellor, auditor"):
        explain_entry(entries["none"], reader="press")
    assert len(Reader) == 5
