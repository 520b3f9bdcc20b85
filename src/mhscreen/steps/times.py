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
    local = at.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(programme.zone))
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
    place = ZoneInfo(zone)
    distinct, where = np.unique(moments, return_inverse=True)
    texts = [
        None
        if np.isnat(moment)
        else moment.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(place).isoformat()
        for moment in distinct
    ]
    return [texts[i] for i in where.tolist()]
