"""By when a person must act: elapsed hours for the urgent, school days for the rest."""

import datetime as dt

import numpy as np
import pytest

from mhscreen.definitions.policy import Due
from mhscreen.steps.due import due_times, school_days


@pytest.fixture
def due(plan):
    """Return when something is due, in Shanghai."""

    def run(wish, clock, **programme):
        changed = plan.programme.model_copy(update=programme)
        utc = np.array([np.datetime64(clock) - np.timedelta64(8, "h")], dtype="M8[s]")
        found = due_times(changed, Due(**wish), utc)[0]
        return str(found + np.timedelta64(8, "h"))

    return run


@pytest.mark.parametrize("hours, expected", [(0, "2026-10-16T20:00:00"), (8, "2026-10-17T04:00:00"),
                                             (48, "2026-10-18T20:00:00")])  # fmt: skip
def test_hours_run_through_nights_and_weekends(due, hours, expected):
    friday_evening = "2026-10-16T20:00:00"
    assert due({"hours": hours}, friday_evening) == expected


def test_a_holiday_does_not_stop_the_hours(due):
    assert (
        due({"hours": 8}, "2026-10-01T08:00:00", holidays=(dt.date(2026, 10, 1),))
        == "2026-10-01T16:00:00"
    )


@pytest.mark.parametrize(
    "days, expected",
    [(0, "2026-10-16"), (1, "2026-10-19"), (2, "2026-10-20"), (5, "2026-10-23")],
)
def test_school_days_leave_the_weekend_out_and_end_with_school(due, days, expected):
    friday = "2026-10-16T09:00:00"
    assert due({"school_days": days}, friday) == f"{expected}T17:00:00"


def test_the_same_school_day_on_a_saturday_is_the_next_monday(due):
    assert due({"school_days": 0}, "2026-10-17T09:00:00") == "2026-10-19T17:00:00"


def test_a_holiday_is_no_school_day_and_a_make_up_saturday_is_one(due):
    holiday = {"holidays": (dt.date(2026, 10, 19),)}
    assert due({"school_days": 1}, "2026-10-16T09:00:00", **holiday) == "2026-10-20T17:00:00"
    make_up = {"make_up_days": (dt.date(2026, 10, 17),)}
    assert due({"school_days": 1}, "2026-10-16T09:00:00", **make_up) == "2026-10-17T17:00:00"


def test_just_after_midnight_in_shanghai_it_is_the_new_day(due):
    assert due({"school_days": 0}, "2026-10-15T00:30:00") == "2026-10-15T17:00:00"


@pytest.mark.parametrize(
    "day, expected",
    [("2026-10-15", "2026-10-30"), ("2026-10-30", "2026-10-30"), ("2026-10-31", "2026-11-30")],
)
def test_the_monthly_review_is_on_the_last_school_day_of_the_month(due, day, expected):
    assert due({"monthly_review": True}, f"{day}T08:00:00") == f"{expected}T17:00:00"


def test_without_a_clock_nothing_can_be_due(plan):
    for wish in ({"hours": 8}, {"school_days": 1}, {"monthly_review": True}):
        found = due_times(plan.programme, Due(**wish), np.array(["NaT"], dtype="M8[s]"))
        assert np.isnat(found).all()


def test_school_days_never_run_on_for_ever(plan):
    closed = plan.programme.model_copy(
        update={"holidays": tuple(dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(800))}
    )
    assert school_days(closed, dt.date(2026, 1, 1), 3) == []


# -- what is due for a pupil ------------------------------------------------------------------


def test_the_clock_starts_when_the_first_answer_was_submitted(school):
    form = school.calm("phqa", q9=1) | {"administered_on": "2026-10-14 20:00"}
    later = school.calm("gad7") | {"administered_on": "2026-10-14 21:00"}
    entry = school.one(forms={"phqa": form, "gad7": later})
    assert entry["due_at"] == "2026-10-15T04:00:00+08:00"


def test_without_a_time_of_submission_the_clock_starts_with_the_screening(school):
    assert (
        school.one(forms={"phqa": school.calm("phqa", q9=1)})["due_at"]
        == "2026-10-15T08:00:00+08:00"
    )


def test_the_earliest_of_all_reasons_decides(school):
    # Severe within eight hours, and the blank critical item within two school days.
    forms = {"phqa": school.calm("phqa", q9=1, attempt_life=None)}
    assert school.one(forms=forms)["due_at"] == "2026-10-15T08:00:00+08:00"
    # General within five school days, but an indirect item the same school day.
    forms = {"mht": school.calm("mht", q85=1), "gad7": school.full("gad7")}
    assert school.one(forms=forms)["due_at"] == "2026-10-15T17:00:00+08:00"


def test_an_unanswered_critical_item_is_asked_within_two_school_days(school):
    forms = {"phqa": school.calm("phqa", q9=None)}
    assert school.one(forms=forms)["due_at"] == "2026-10-19T17:00:00+08:00"


def test_a_pupil_who_was_not_screened_is_due_for_a_repeat(school):
    forms = {"phqa": None, "mht": None, "gad7": None}
    assert school.one(forms=forms)["due_at"] == "2026-10-29T17:00:00+08:00"


def test_nothing_is_due_and_nobody_is_assigned_where_nothing_was_found(school):
    entry = school.one()
    assert (entry["due_at"], entry["assignee"]) == (None, None)


@pytest.mark.parametrize(
    "answers, role",
    [({"q9": 1}, "on_duty"), ({"q9": 3}, "on_duty"), ({"q9": None}, "on_duty")],
)
def test_the_urgent_go_to_the_on_duty_role(school, answers, role):
    assert school.one(forms={"phqa": school.calm("phqa", **answers)})["assignee"] == role


@pytest.mark.parametrize("wish", [{"school_days": 0}, {"school_days": 2}, {"monthly_review": True}])
def test_of_many_pupils_each_is_due_as_if_alone(plan, wish):
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 40 * 86_400, 400)
    clock = np.datetime64("2026-09-20T00:00:00", "s") + seconds.astype("m8[s]")
    clock[::19] = np.datetime64("NaT")
    alone = [due_times(plan.programme, Due(**wish), clock[[place]])[0] for place in range(400)]
    assert np.array_equal(
        due_times(plan.programme, Due(**wish), clock), np.array(alone), equal_nan=True
    )
