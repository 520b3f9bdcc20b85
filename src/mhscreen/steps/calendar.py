"""School days: the site's own calendar first, then the official one, then rules of thumb.

In China the State Council announces the holidays of a year, and the Saturdays and Sundays that
are worked in return, some weeks before it begins. Until then only the holidays that the law fixes
are known, and a day counted across them is provisional.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mhscreen.vocabulary import CalendarStatus

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from mhscreen.definitions import Programme

__all__ = ["calendar_status", "calendars_used", "is_school_day", "school_year"]

_SATURDAY = 5


def is_school_day(programme: Programme, day: dt.date) -> bool:
    """Whether there is school on a day.

    Parameters
    ----------
    programme : Programme
        Its ``make_up_days`` and ``holidays`` decide first. For any other day: under ``calendar:
        china`` the announced working days, and in a year that is not announced yet every weekday
        that is no holiday by law; else every weekday.
    day : date
        In the programme's time zone.
    """
    if day in programme.make_up_days:
        return True
    if day in programme.holidays:
        return False
    if programme.calendar == "china":
        announced = _announced(day)
        if announced is not None:
            return announced
        return day.weekday() < _SATURDAY and day not in _by_rule(day.year)
    return day.weekday() < _SATURDAY


def calendar_status(programme: Programme, day: dt.date) -> CalendarStatus:
    """Return what stands behind the school days of a day's year."""
    if programme.calendar != "china":
        return CalendarStatus.OWN
    known = _announced(day) is not None
    return CalendarStatus.OFFICIAL if known else CalendarStatus.PROVISIONAL


def calendars_used(programme: Programme, days: Iterable[dt.date]) -> dict[str, CalendarStatus]:
    """Return what stands behind the given days, by school year; provisional where one is.

    Parameters
    ----------
    programme : Programme
        Says which calendar, and when a school year begins.
    days : iterable of date
        Such as the days on which something is due.

    Examples
    --------
    >>> import datetime as dt
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> used = calendars_used(plan.programme, [dt.date(2025, 10, 9), dt.date(2099, 3, 2)])
    >>> {year: str(status) for year, status in used.items()}
    {'2025-2026': 'official', '2098-2099': 'provisional'}
    """
    used: dict[str, CalendarStatus] = {}
    for day in sorted(set(days)):
        status = calendar_status(programme, day)
        # A school year holds two calendar years, of which the second is announced later.
        used[school_year(programme, day)] = status
    return used


def school_year(programme: Programme, day: dt.date) -> str:
    """Return the school year of a day, such as ``2026-2027``."""
    begins = day.year if f"{day:%m-%d}" >= programme.school_year_begins else day.year - 1
    return f"{begins}-{begins + 1}"


@cache
def _announced(day: dt.date) -> bool | None:
    """Whether an announced year has work on a day; None where the year is not announced."""
    import chinese_calendar

    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


@cache
def _by_rule(year: int) -> frozenset[dt.date]:
    """Return the holidays of a year by law, with the weekdays given for those on a weekend."""
    import holidays

    return frozenset(holidays.country_holidays("CN", years=year))
