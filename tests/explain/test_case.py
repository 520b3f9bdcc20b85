"""A case in words: where it stands, who decided, what is open; for staff who act on it."""

import datetime as dt
import re

import pytest

from mhscreen import explain_case
from mhscreen.problems import UsageError

VERDICT = re.compile(r"\b(healthy|safe|normal|fine)\b|正常|健康状况良好|安全", re.IGNORECASE)


def severe_case(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    decided = book.decide("2026-10-16", "severe", severe, talk)
    return [severe, talk, decided, book.tell("2026-10-16T13:00:00+08:00", "guardian")]


def test_it_tells_who_decided_and_what_is_open_and_done(book):
    text = explain_case(book.fold(*severe_case(book)))
    assert "2026-10-16: Severe psychological crisis, by t-07 (Psychology teacher)" in text
    assert "Designated hospital, green channel, signed slip to: Designated hospital" in text
    done = text.partition("What was done")[2]
    assert "Notification to: Guardian" in done


def test_only_what_a_person_has_set_is_called_a_crisis(book):
    text = explain_case(book.fold(book.severe()), "zh")
    assert "心理危机" not in text
    assert "初筛提示·严重（待评估确认）" in text
    assert "尚未定级" in text
    assert "专人定级：严重心理危机" in explain_case(book.fold(*severe_case(book)), "zh")


def test_what_is_late_is_called_so_as_of_a_day(book):
    case = book.fold(*severe_case(book))
    assert "OVERDUE" not in explain_case(case)
    later = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    assert "OVERDUE Individual plan" in explain_case(case, on=later)
    assert "已逾期　一生一策方案" in explain_case(case, "zh", on=later)


def test_word_to_the_guardian_that_is_held_is_said_to_be(book):
    told = book.interview("2026-10-15T16:00:00+08:00", asked=[{"about": "abuse", "answer": "yes"}])
    text = explain_case(book.fold(*severe_case(book)[:3], told))
    assert "HELD Notification to: Guardian: a named person decides first" in text
    assert "Mandatory report" in text


def test_what_did_not_take_effect_is_said(book):
    low = book.decide("2026-10-20", "watch", before="severe", reason="improved")
    text = explain_case(book.fold(*severe_case(book), low))
    assert "lowers the case by more than one step" in text


def test_a_known_item_a_leave_and_a_transfer_are_told(book):
    known = [{"name": "phqa.attempt_life", "concern": "suicide_attempt", "on": "2025-05-01"}]
    attempt = book.attempt()
    talk = book.interview("2026-10-15", attempt)
    there = {"city": "", "district": "", "school": "T", "stage": "senior", "grade": 10, "class": ""}
    text = explain_case(
        book.fold(
            attempt,
            talk,
            book.decide("2026-10-16", "severe", attempt, talk, known=known),
            book.enter(
                "leave_return", "2026-11-01", event="leave_began", attendance="leave_of_absence"
            ),
            book.enter(
                "transfer", "2026-11-02", to_org=there, state="sent", reason="change_of_school"
            ),
        )
    )
    assert "Known since 2025-05-01: phqa.attempt_life" in text
    assert "On leave since 2026-11-01" in text
    assert "On the way to T" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_case_is_a_verdict_on_a_person(book, language):
    for entries in (severe_case(book), [book.calm()], [book.undetermined()], [book.major()]):
        assert not VERDICT.search(explain_case(book.fold(*entries), language))


def test_another_language_is_refused(book):
    with pytest.raises(UsageError, match="language"):
        explain_case(book.fold(book.calm()), "fr")
