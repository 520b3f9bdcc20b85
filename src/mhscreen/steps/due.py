"""By when a person must act: elapsed hours for the urgent, school days for the rest."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen.steps.calendar import is_school_day
from mhscreen.steps.cells import local_moments
from mhscreen.steps.text_columns import distinct_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.definitions import Programme
    from mhscreen.definitions.policy import Due

__all__ = ["due_times", "school_days"]

_SPAN = 400


@dataclass(frozen=True)
class _Zone:
    zone: ZoneInfo

    def local_day(self, moment: np.datetime64) -> dt.date:
        utc: dt.datetime = moment.astype(dt.datetime)
        return utc.replace(tzinfo=dt.UTC).astimezone(self.zone).date()

    def local_clock(self, moment: np.datetime64) -> dt.time:
        utc: dt.datetime = moment.astype(dt.datetime)
        return utc.replace(tzinfo=dt.UTC).astimezone(self.zone).time()

    def to_utc(self, day: dt.date, clock: dt.time) -> np.datetime64:
        local = dt.datetime.combine(day, clock, tzinfo=self.zone)
        return np.datetime64(local.astimezone(dt.UTC).replace(tzinfo=None), "s")


def school_days(programme: Programme, first: dt.date, number: int) -> list[dt.date]:
    """Return the first `number` school days from a day on, after the programme's calendar."""
    days: list[dt.date] = []
    day = first
    while len(days) < number and (day - first).days < _SPAN:
        if is_school_day(programme, day):
            days.append(day)
        day += dt.timedelta(days=1)
    return days


def due_times(
    programme: Programme, due: Due, clock: NDArray[np.datetime64]
) -> NDArray[np.datetime64]:
    """Return when something is due.

    Parameters
    ----------
    programme : Programme
        Says the time zone, the school days and when a school day ends.
    due : Due
        The rule's own wish.
    clock : ndarray of datetime64[s]
        When each clock starts, in UTC; NaT where not known.

    Returns
    -------
    ndarray of datetime64[s]
        In UTC; NaT where the clock is not known. "Two school days" ends with the second school
        day after the day on which the clock starts.
    """
    if due.hours is not None:
        return clock + np.timedelta64(round(due.hours * 3600), "s")
    # All that start on one day, before school ends or after it, are due together.
    local = local_moments(clock, programme.zone)
    days = local.astype("M8[D]")
    ends = dt.time.fromisoformat(programme.school_day_ends)
    ended = np.timedelta64(ends.hour * 3600 + ends.minute * 60 + ends.second, "s")
    late = local - days > ended
    same = distinct_rows([days, late], len(clock))
    times = [
        np.datetime64("NaT") if np.isnat(moment) else _due_day(programme, due, moment)
        for moment in clock[same.first]
    ]
    return np.array(times, dtype="M8[s]")[same.place]


def _due_day(programme: Programme, due: Due, moment: np.datetime64) -> np.datetime64:
    zone = _Zone(ZoneInfo(programme.zone))
    today = zone.local_day(moment)
    tomorrow = today + dt.timedelta(days=1)
    if due.school_days is not None:
        if due.school_days == 0:
            ended = zone.local_clock(moment) > dt.time.fromisoformat(programme.school_day_ends)
            day = school_days(programme, tomorrow if ended else today, 1)[-1]
        else:
            day = school_days(programme, tomorrow, due.school_days)[-1]
    else:
        day = _review_day(programme, today)
    return zone.to_utc(day, dt.time.fromisoformat(programme.school_day_ends))


def _review_day(programme: Programme, day: dt.date) -> dt.date:
    """Return the next day that is the last school day of its month."""
    first = day.replace(day=1)
    while True:
        following = (first + dt.timedelta(days=32)).replace(day=1)
        of_month = [d for d in school_days(programme, first, 31) if d < following]
        if of_month and of_month[-1] >= day:
            return of_month[-1]
        first = following
