"""Moments as a programme sees them: written in its zone, and the cycle that they belong to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen.steps.calendar import school_year

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.definitions import Programme

__all__ = ["Cycle", "find_cycle", "local_times"]


@dataclass(frozen=True)
class Cycle:
    """The time a screening belongs to."""

    id: str
    term: str
    period: str


def find_cycle(programme: Programme, at: np.datetime64) -> Cycle:
    """Return programme, school year and window of a moment in UTC.

    Outside every window it is the school year alone.
    """
    local = _local(ZoneInfo(programme.zone), at)
    day = f"{local:%m-%d}"
    year = school_year(programme, local.date())
    for number, window in enumerate(programme.windows, start=1):
        first, last = window.from_, window.to
        inside = first <= day <= last if first <= last else (day >= first or day <= last)
        if inside:
            return Cycle(f"{programme.id}/{year}/{window.id}", f"{year}-{number}", f"{local:%Y-%m}")
    return Cycle(f"{programme.id}/{year}", year, f"{local:%Y-%m}")


def local_times(zone: str, moments: NDArray[np.datetime64]) -> list[str | None]:
    """Return moments in UTC as times with the zone's offset; None where there is none."""
    distinct, where = np.unique(moments, return_inverse=True)
    given = distinct[~np.isnat(distinct)]
    texts: list[str | None] = [*_written(ZoneInfo(zone), given), None]
    return [texts[i] for i in np.minimum(where, len(given)).tolist()]


def _written(place: ZoneInfo, moments: NDArray[np.datetime64]) -> list[str]:
    """Return moments as texts, hour by hour: within one, the offset seldom changes."""
    hours, hour = np.unique(moments.astype("M8[h]"), return_inverse=True)
    first, last = (
        [_local(place, one) for one in hours.astype("M8[s]") + np.timedelta64(second, "s")]
        for second in (0, 3599)
    )
    offset = np.array([one.replace(tzinfo=None) for one in first], dtype="M8[s]") - hours
    clocks = (moments + offset[hour]).astype("U19").tolist()
    ends = [
        one.isoformat()[19:] if one.utcoffset() == other.utcoffset() else ""
        for one, other in zip(first, last, strict=True)
    ]
    return [
        f"{clock}{ends[of]}" if ends[of] else _local(place, moment).isoformat()
        for clock, of, moment in zip(clocks, hour.tolist(), moments, strict=True)
    ]


def _local(place: ZoneInfo, moment: np.datetime64) -> dt.datetime:
    utc: dt.datetime = moment.astype(dt.datetime)
    return utc.replace(tzinfo=dt.UTC).astimezone(place)
