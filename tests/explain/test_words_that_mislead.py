"""Explanations: nothing in them may reassure, or call a blank an answer."""

from dataclasses import replace

import pytest

from mhscreen import explain_entry
from mhscreen.definitions.common import Text
from mhscreen.steps.emit import Entries


def both(entry):
    return explain_entry(entry, "en"), explain_entry(entry, "zh")


def test_a_refusal_is_not_reported_as_an_answer(school):
    entry = school.one(forms={"asq": {"q1": "refused", "q2": 0, "q3": 0, "q4": 0, "q5": 0}})
    en, zh = both(entry)
    assert "refused or left blank, which its own rule counts as positive" in en
    assert "按量表规则视为阳性" in zh
    assert "item q1: 1" not in en


def test_an_estimate_is_called_one_with_its_bounds(school):
    entry = school.one(forms={"phqa": school.calm("phqa", q1=3, q2=3, q3=3, q4=2, q5=None)})
    en, zh = both(entry)
    assert "estimated 12 (11 to 14)" in en
    assert "推算 12（11～14）" in zh


@pytest.mark.parametrize(
    "change",
    [
        {"forms": {"mht": "invalid"}},
        {"grade": 99},
    ],
)
def test_what_cannot_be_used_is_never_called_settled(school, change):
    if "forms" in change:
        yes = {f"q{number}": 1 for number in range(82, 102, 2)}
        change = {"forms": {"mht": school.calm("mht", **yes)}}
    en, zh = both(school.one(**change))
    assert "Nothing that is unanswered could raise it" not in en
    assert "没有会使级别升高" not in zh
    assert "could still raise it" in en


def test_a_level_of_concern_is_a_word(school):
    calm = school.calm("observer@teacher", raised_concern="severe")
    en, zh = both(school.one(forms={"observer@teacher": calm}))
    assert "raised_concern: Severe concern" in en
    assert "raised_concern：严重" in zh
    assert "raised_concern: 3" not in en


def test_a_form_of_another_stage_shows_no_totals(school):
    entry = school.one(stage="primary", grade=5, forms={"phqa": school.full("phqa")})
    en, _ = both(entry)
    assert "only its critical items count" in en
    assert "total 27" not in en


def test_a_blank_form_is_not_called_missing(school):
    entry = school.one(forms={"phqa": {}, "gad7": None})
    en, zh = both(entry)
    assert "Handed in blank: phqa" in en
    assert "已提交但未作答：phqa" in zh
    assert "Not handed in: gad7" in en


def test_the_class_is_not_named_a_class_twice(school):
    _, zh = both(school.one(**{"class": "3班"}))
    assert "班级 3班" in zh
    assert "班 班" not in zh


def test_the_help_line_of_the_site_is_always_told(school):
    line = Text(en="Ring 12345", zh="拨打 12345")
    programme = school.plan.programme.model_copy(update={"help_line": line})
    result = school.screen(school.pupil())
    triage = replace(result.triage, plan=replace(school.plan, programme=programme))
    (entry,) = Entries(triage, result.at)
    assert "Ring 12345" in explain_entry(entry)
    assert "拨打 12345" in explain_entry(entry, "zh")
    assert "help_line in the programme" in explain_entry(next(iter(result.entries)))
