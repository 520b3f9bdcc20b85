"""An entry in words: what is shown, why, what is open, who acts; and never a verdict."""

import datetime as dt
import re

import numpy as np
import pytest

from mhscreen import compile_plan, screen
from mhscreen.explain import explain_entry
from mhscreen.explain.words import PHRASES
from mhscreen.loading import shipped_library
from mhscreen.problems import UsageError
from mhscreen.simulation import simulate_pupils
from mhscreen.vocabulary import ScreenTier

# Words that would be a verdict on a person. 心理健康 stands in titles of people only.
VERDICT = re.compile(
    r"\b(healthy|safe|normal|fine|disorder)\b|正常|健康|安全|患者|患有", re.IGNORECASE
)
PLAIN = (
    ["subject", "school", "stage", "grade", "class", "sex", "birth_date"],
    ("A-1", "School", "junior", 8, "8-1", "female", "2013-03-01"),
)


@pytest.fixture(scope="module")
def plan():
    return compile_plan(shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def entries(plan):
    made = simulate_pupils(plan, 400, np.random.default_rng(2), on=dt.date(2026, 10, 15))
    result = screen(
        plan, roster=made.roster, responses=made.responses, at="2026-10-15", on_problem="report"
    )
    return list(result.entries)


@pytest.fixture
def entry(plan):
    """Return the entry of one junior pupil, from PHQ-A answers; every other form is missing."""

    def made(**answers):
        phqa = {item.id: 0 for item in plan.forms[plan.slot("phqa")].items} | answers
        forms = {"phqa": {"subject": ["A-1"], **{f"phqa_{k}": [v] for k, v in phqa.items()}}}
        roster = {heading: [value] for heading, value in zip(*PLAIN, strict=True)}
        result = screen(plan, roster=roster, responses=forms, at="2026-10-15", on_problem="report")
        (found,) = result.entries
        return found

    return made


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_explanation_passes_a_verdict_on_a_person(entries, language):
    for entry in entries:
        text = explain_entry(entry, language)
        assert not VERDICT.search(text), VERDICT.search(text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_explanation_ends_with_what_it_is_not_and_where_help_is(entries, language):
    keys = ("no_diagnosis", "person_decides", "no_help_line")
    closing = [f"  {PHRASES[key][language == 'zh']}" for key in keys]
    assert {entry["screen_tier"] for entry in entries} == set(ScreenTier)
    for entry in entries:
        assert explain_entry(entry, language).splitlines()[-3:] == closing


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tier_is_worded_as_a_prompt_to_be_confirmed(entry, language):
    text = explain_entry(entry(q9=1), language)
    assert ScreenTier.SEVERE.label(language) in text.splitlines()[5]
    assert "严重心理危机" not in text


def test_a_rule_that_holds_says_why_and_shows_no_more_than_it_needs(entry):
    text = explain_entry(entry(q9=1, q3=2))
    assert "Thoughts of death or self-harm in the past two weeks (R4-item9)" in text
    assert "phqa (Self-report) item q9: 1; the rule asks for 1 or more" in text
    assert "q3" not in text  # an answer that no rule rests on


def test_in_chinese_it_reads_as_chinese(entry):
    text = explain_entry(entry(q9=1), "zh")
    assert "过去两周有死亡或自伤念头（R4-item9）" in text
    assert "phqa（自评）条目 q9：1；规则要求 ≥1" in text
    assert "自杀意念" in text


def test_what_is_open_and_could_still_change_is_named(entry):
    text = explain_entry(entry(q9=None))
    assert "Undetermined, to be checked by a person" in text
    assert "could still raise it to: Screening prompt: major" in text
    assert re.search(r"R3-item9-daily\)\n +open: phqa \(Self-report\): q9\n", text)
    assert "a critical item is unanswered" in text
    assert "phqa (Self-report) item q9" in text
    assert "unanswered, to be asked in person" in text


def test_forms_that_were_not_handed_in_are_named(entry):
    text = explain_entry(entry())
    assert re.search(r"Not handed in: .*gad7 \(Self-report\)", text)
    assert "gad7 (Self-report): required, not handed in" in text


def test_a_tier_that_nothing_could_raise_says_so(entries):
    settled = next(e for e in entries if e["screen_tier"] == "none" and not e["undecided"])
    assert "Nothing that is unanswered could raise it." in explain_entry(settled)


def test_what_nobody_asked_about_is_always_said(entries):
    for entry in entries:
        text = explain_entry(entry)
        asked = "Nobody asked in plain words about" in text
        assert asked == bool(entry["not_asked"])
        assert asked or "Each concern of the policy was asked about" in text


def test_who_acts_by_when_is_told_with_the_zone(entry):
    text = explain_entry(entry(q9=1))
    assert "On-duty staff, by 2026-10-15 08:00 (UTC+08:00)" in text


@pytest.mark.parametrize("language, words", [("en", "Below the cut score"), ("zh", "未达划界分")])
def test_a_published_band_is_worded_as_a_cut_that_is_not_reached(entry, language, words):
    text = explain_entry(entry(), language)
    assert words in text
    assert "minimal" not in text


def test_a_score_without_a_value_is_shown_with_its_bounds(entry):
    text = explain_entry(entry(**{f"q{number}": None for number in range(1, 6)}))
    assert re.search(r"total no score \(0 to 15\)", text)


@pytest.mark.parametrize("language, words", [("en", "unsigned default"), ("zh", "未签署")])
def test_an_unsigned_policy_is_called_so_and_a_signed_one_names_who(entry, language, words):
    found = entry()
    assert words in explain_entry(found, language)
    found["provenance"]["approved_by"] = "Leading group"
    signed = explain_entry(found, language)
    assert words not in signed
    assert "Leading group" in signed


def test_suspected_abuse_holds_word_to_the_guardian(entry):
    found = entry()
    item = {
        "slot": "observer@teacher", "item": "abuse_suspected", "concern": "abuse",
        "window": "not_stated", "days": None, "directness": "direct", "state": "positive",
        "score": 1,
    }  # fmt: skip
    found["critical_items"].append(item)
    assert "强制报告" in explain_entry(found, "zh")
    assert "a named person decides about telling the guardian" in explain_entry(found)


def test_the_help_line_of_a_site_is_shown_as_it_is(entry):
    assert "求助渠道：12356" in explain_entry(entry(), "zh", help_line="12356")


def test_a_flag_of_a_later_version_stays_as_it_is(entry):
    found = entry()
    found["flags"].append("of_tomorrow")
    assert "of_tomorrow" in explain_entry(found)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"entry_type": "consent"}, "no screening entry"),
        ({"instruments": None}, "cannot be read"),
        ({"language": "fr"}, "language is"),
    ],
)
def test_what_is_no_entry_is_refused(entry, change, words):
    language = change.pop("language", "en")
    with pytest.raises(UsageError, match=words):
        explain_entry({**entry(), **change}, language)


def test_an_entry_that_lacks_something_says_what(entry):
    found = entry()
    del found["tier_reasons"]
    with pytest.raises(UsageError, match="tier_reasons"):
        explain_entry(found)


def test_each_phrase_has_the_same_parts_in_both_languages():
    for english, chinese in PHRASES.values():
        parts = [sorted(re.findall(r"{(\w+)}", text)) for text in (english, chinese)]
        assert parts[0] == parts[1], english
