"""School days: the site's own calendar first, then the announced one, then provisional rules."""

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from mhscreen.definitions.policy import Due
from mhscreen.steps.calendar import calendar_status, calendars_used, is_school_day
from mhscreen.steps.due import due_times, school_days


@pytest.fixture(scope="module")
def programme(plan):
    return plan.programme


def with_days(programme, **days):
    return programme.model_copy(update=days)


def test_the_shipped_programme_follows_the_announced_calendar(programme):
    assert programme.calendar == "china"


def test_national_day_of_2026_has_no_school_and_its_make_up_days_have(programme):
    # General Office of the State Council, notice on holidays in 2026: off from 1 to 7 October,
    # at work on Sunday 20 September and Saturday 10 October.
    from_thursday_17 = school_days(programme, dt.date(2026, 9, 17), 18)
    expected = [*range(17, 19), *range(20, 25), *range(28, 31)]
    assert [day.day for day in from_thursday_17 if day.month == 9] == expected
    assert [day.day for day in from_thursday_17 if day.month == 10] == [8, 9, 10, *range(12, 17)]


@pytest.mark.parametrize("day", ["2026-02-14", "2026-02-28", "2026-05-09", "2026-10-10"])
def test_on_a_make_up_saturday_there_is_school(programme, day):
    saturday = dt.date.fromisoformat(day)
    assert saturday.weekday() == 5
    assert is_school_day(programme, saturday)
    assert not is_school_day(programme, saturday + dt.timedelta(days=21))


def test_what_is_due_in_school_days_waits_for_the_end_of_the_holidays(programme):
    evening_before = np.array(["2026-09-30T10:00:00"], dtype="M8[s]")
    for days, expected in ((1, "2026-10-08"), (3, "2026-10-10"), (4, "2026-10-12")):
        (due,) = due_times(programme, Due(school_days=days), evening_before)
        assert str(due) == f"{expected}T09:00:00"


def test_hours_run_through_national_day(programme):
    (due,) = due_times(programme, Due(hours=8), np.array(["2026-09-30T20:00:00"], dtype="M8[s]"))
    assert str(due) == "2026-10-01T04:00:00"


def test_in_a_year_that_is_not_announced_yet_only_the_holidays_by_law_are_left_out(programme):
    first, second, saturday = (dt.date(2099, 10, day) for day in (1, 2, 10))
    assert (first.weekday(), saturday.weekday()) == (3, 5)
    assert not is_school_day(programme, first)
    assert not is_school_day(programme, second)
    assert not is_school_day(programme, saturday)
    assert is_school_day(programme, dt.date(2099, 10, 12))
    assert calendar_status(programme, first) == "provisional"
    assert calendar_status(programme, dt.date(2026, 10, 1)) == "official"


def test_a_school_year_with_a_due_date_in_an_unannounced_year_is_provisional(programme):
    autumn, spring = dt.date(2098, 9, 1), dt.date(2099, 3, 2)
    assert calendars_used(programme, [spring, autumn]) == {"2098-2099": "provisional"}
    days = [dt.date(2025, 9, 30), dt.date(2026, 3, 2), dt.date(2026, 9, 1)]
    assert calendars_used(programme, days) == {"2025-2026": "official", "2026-2027": "official"}


def test_the_sites_own_calendar_wins(programme):
    own = with_days(
        programme,
        holidays=(dt.date(2026, 10, 8), dt.date(2026, 10, 10)),
        make_up_days=(dt.date(2026, 10, 7), dt.date(2026, 10, 11)),
    )
    found = [day.day for day in school_days(own, dt.date(2026, 10, 5), 4)]
    assert found == [7, 9, 11, 12]


def test_a_programme_with_its_own_calendar_knows_no_holidays_but_those_it_names(programme):
    own = with_days(programme, calendar="own", holidays=(dt.date(2026, 10, 2),))
    found = [day.day for day in school_days(own, dt.date(2026, 10, 1), 3)]
    assert found == [1, 5, 6]
    assert calendar_status(own, dt.date(2099, 1, 1)) == "own"


def test_the_record_of_a_run_says_which_due_dates_may_still_move(school, tmp_path):
    from mhscreen.interop.files import write_csv
    from mhscreen.interop.run_folder import screen_files

    roster, responses = school.frames([school.pupil(forms={"gad7": None})])
    write_csv(roster, tmp_path / "pupils.csv")
    (tmp_path / "answers").mkdir()
    for slot, columns in responses.items():
        write_csv(columns, tmp_path / "answers" / f"{slot}.csv")
    for at, expected in (
        ("2026-09-28", {"2026-2027": "official"}),
        ("2099-03-02", {"2098-2099": "provisional"}),
    ):
        run = screen_files(
            school.plan, roster=tmp_path / "pupils.csv", responses=tmp_path / "answers",
            at=at, out=tmp_path / at,
        )  # fmt: skip
        assert run.record["calendar"] == expected


def test_no_calendar_is_read_before_a_day_is_counted():
    code = (
        "import sys, mhscreen, mhscreen.steps.due, mhscreen._facade;"
        "print(sorted({'chinese_calendar', 'holidays'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
