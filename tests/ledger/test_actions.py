"""Who does what by when: little from the machine, the rest from a named person's tier."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from mhscreen.ledger.due import due, work_list
from mhscreen.problems import UsageError
from mhscreen.vocabulary import EntryType

ZONE = ZoneInfo("Asia/Shanghai")


def actions(case, **wanted):
    return [a for a in case.actions if all(getattr(a, k) == v for k, v in wanted.items())]


def one(case, name):
    (found,) = actions(case, id=name)
    return found


def local(moment):
    return moment.astimezone(ZONE).isoformat(timespec="minutes")


# -- from the screening tier ----------------------------------------------------------------------


def test_the_machine_only_asks_that_somebody_sees_the_pupil_and_decides(book):
    case = book.fold(book.severe())
    assert [(a.id, a.by) for a in case.actions] == [
        ("see_pupil", "on_duty"), ("set_tier", "psych_teacher"),
    ]  # fmt: skip


def test_severe_is_seen_within_elapsed_hours_nights_and_holidays_included(book):
    case = book.fold(book.severe("2026-10-01"))  # a national holiday
    assert local(one(case, "see_pupil").due_at) == "2026-10-01T08:00+08:00"


def test_a_pupil_in_danger_now_is_not_left_alone(book):
    asq = {"asq": book.school.calm("asq", q5=1)}
    entry = next(iter(book.school.screen(book.school.pupil(forms=asq)).entries))
    stay = one(book.fold(entry), "stay_with_pupil")
    assert (stay.due_at, stay.title.zh) == (stay.begins_at, "须有人陪伴，不可让学生独处")


def test_seeing_the_pupil_is_done_by_an_interview_that_names_the_screening(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    assert one(book.fold(severe, talk), "see_pupil").done_by == talk["entry_id"]
    unnamed = book.interview("2026-10-15")
    assert one(book.fold(severe, unnamed), "see_pupil").open


def test_whoever_was_not_screened_is_on_the_list_of_the_class_teacher(book):
    forms = {"mht": None, "phqa": None, "gad7": None}
    entry = next(iter(book.school.screen(book.school.pupil(forms=forms)).entries))
    case = book.fold(entry)
    assert (case.screen_tier, case.status) == ("not_screened", "no_case")
    assert one(case, "see_pupil").by == "class_teacher"


# -- from the case tier ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def severe_case(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    return [severe, talk, book.decide("2026-10-16", "severe", severe, talk)]


def test_a_severe_tier_tells_the_guardian_and_advises_the_hospital(book, severe_case):
    case = book.fold(*severe_case)
    guardian = one(case, "tell_guardian")
    assert (guardian.does, guardian.to, guardian.by) == ("notification", "guardian", "deputy_head")
    assert local(guardian.due_at) == "2026-10-16T18:00+08:00"
    hospital = one(case, "advise_hospital")
    assert (hospital.does, local(hospital.due_at)) == ("referral", "2026-10-17T10:00+08:00")


def test_a_plan_is_due_in_school_days(book, severe_case):
    # Friday 16 October: three school days end on Wednesday.
    plan = one(book.fold(*severe_case), "individual_plan")
    assert local(plan.due_at) == "2026-10-21T17:00+08:00"


def test_nobody_is_told_by_the_machine(book):
    assert not actions(book.fold(book.major()), does=EntryType.NOTIFICATION)


def test_telling_counts_when_it_reached_the_right_person_in_the_right_way(book, severe_case):
    failed = book.tell("2026-10-16", "guardian", response="not_reached")
    letter = book.tell("2026-10-16T11:00:00+08:00", "guardian", channel="written")
    other = book.tell("2026-10-16T12:00:00+08:00", "grade_head")
    assert one(book.fold(*severe_case, failed, letter, other), "tell_guardian").open
    told = book.tell("2026-10-16T13:00:00+08:00", "guardian", channel="phone")
    assert one(book.fold(*severe_case, told), "tell_guardian").done_by == told["entry_id"]


def test_a_word_to_the_guardian_just_before_the_decision_counts(book):
    severe = book.severe("2026-10-15")
    told = book.tell("2026-10-15T16:00:00+08:00", "guardian")
    decided = book.decide("2026-10-15T17:00:00+08:00", "severe", severe)
    case = book.fold(severe, told, decided)
    assert one(case, "tell_guardian").done_by == told["entry_id"]


def test_a_raised_tier_asks_for_everything_anew(book, severe_case):
    told = book.tell("2026-10-16T13:00:00+08:00", "class_teacher")
    raised = book.decide("2026-11-20", "major", basis="emergency", reason="new_signs")
    assert one(book.fold(*severe_case, told), "tell_class_teacher").done_by == told["entry_id"]
    assert one(book.fold(*severe_case, told, raised), "tell_class_teacher").open


def test_contact_is_due_a_week_after_the_last_one(book, severe_case):
    assert local(one(book.fold(*severe_case), "keep_in_touch").due_at) == "2026-10-23T17:00+08:00"
    seen = book.follow_up("2026-10-22", 1)
    case = book.fold(*severe_case, seen)
    assert local(one(case, "keep_in_touch").due_at) == "2026-10-29T17:00+08:00"


def test_a_person_may_agree_on_sooner_but_not_on_later(book, severe_case):
    sooner = book.follow_up("2026-10-22", 1, next_on="2026-10-24")
    case = book.fold(*severe_case, sooner)
    assert local(one(case, "keep_in_touch").due_at) == "2026-10-24T17:00+08:00"
    later = book.follow_up("2026-10-22", 1, next_on="2026-12-24")
    case = book.fold(*severe_case, later)
    assert local(one(case, "keep_in_touch").due_at) == "2026-10-29T17:00+08:00"


# -- abuse ----------------------------------------------------------------------------------------


def test_where_abuse_is_suspected_the_report_is_opened_and_the_guardian_is_held(book, severe_case):
    told = book.interview("2026-10-15T16:00:00+08:00", asked=[{"about": "abuse", "answer": "yes"}])
    case = book.fold(*severe_case, told)
    report = one(case, "mandatory_report")
    assert (report.to, report.due_at) == ("authorities", report.begins_at)
    guardian = one(case, "tell_guardian")
    assert (guardian.held, guardian.due_at) == (True, None)


def test_a_form_that_flags_abuse_opens_the_report_before_anybody_has_decided(book):
    forms = {"observer@teacher": book.school.calm("observer@teacher", abuse_suspected="yes")}
    entry = next(iter(book.school.screen(book.school.pupil(forms=forms)).entries))
    case = book.fold(entry)
    assert one(case, "mandatory_report").because == entry["entry_id"]


# -- the work list --------------------------------------------------------------------------------


def test_the_list_holds_what_is_open_by_the_end_of_the_month_the_most_pressing_first(
    book, severe_case
):
    items = due(book.cases(*severe_case), "2026-10-17")
    times = [item.action.due_at for item in items]
    assert times == sorted(times)
    assert all(time < dt.datetime(2026, 11, 1, tzinfo=ZONE) for time in times)
    assert {item.action.id for item in items if item.overdue} == {
        "tell_class_teacher", "tell_guardian",
    }  # fmt: skip


def test_what_is_held_stands_first(book, severe_case):
    told = book.interview("2026-10-15T16:00:00+08:00", asked=[{"about": "abuse", "answer": "yes"}])
    items = due(book.cases(*severe_case, told), "2026-10-16")
    assert (items[0].action.id, items[0].action.held) == ("tell_guardian", True)


def test_nothing_is_overdue_before_its_time(book, severe_case):
    now = dt.datetime(2026, 10, 16, 10, 0, tzinfo=ZONE)
    assert not any(item.overdue for item in work_list(book.cases(*severe_case), now))


def test_a_day_that_is_none_is_refused(book):
    with pytest.raises(UsageError):
        due(book.cases(book.calm()), "someday")
