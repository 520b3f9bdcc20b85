"""The response-quality indices of one form, compiled: a table per item and index."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.definitions.keys import item_direction, items_of, own_items
from mhscreen.vocabulary import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.vocabulary import Informant

__all__ = ["QualityIndexPlan", "QualityPlan", "compile_quality"]


@dataclass(frozen=True)
class QualityIndexPlan:
    """A response-quality index and the value from which it is reached."""

    id: str
    index: str
    cut: float
    upwards: bool
    """Whether higher values reach it."""
    expected: tuple[float, ...] = ()
    """For `person_fit`: the expected answer by place in `rows`, NaN for items left out."""


@dataclass(frozen=True)
class QualityPlan:
    """What the response-quality indices of one form look at.

    Attributes
    ----------
    indices : tuple of QualityIndexPlan
    counting : ndarray of int64
        Rows of the response codes whose items count: those that `share_answered` looks at.
    rows : ndarray of int64
        Rows of the items in printed order, without critical items.
    recorded : ndarray of int16, shape (len(rows), 256)
        A number for the recorded code of each answer, the same for the same code on every item;
        −1 for none.
    place : ndarray of float64, shape (len(rows), 256)
        Where each answer lies among the printed options, from 0 to 1; NaN for none.
    concern : ndarray of float64, shape (len(rows), 256)
        Where it lies between the least and the most concerning item score; NaN for none.
    symptoms : ndarray of int64
        Which of `rows` belong to a content scale: all of them at 0, or all at 1,
        exempt a form from some indices.
    halves : tuple of pairs of ndarray of int64
        For each content scale, every other item of it, as places in `rows`.
    """

    indices: tuple[QualityIndexPlan, ...]
    counting: NDArray[np.int64]
    rows: NDArray[np.int64]
    recorded: NDArray[np.int16]
    place: NDArray[np.float64]
    concern: NDArray[np.float64]
    symptoms: NDArray[np.int64]
    halves: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]

    @property
    def uses_time(self) -> bool:
        """Whether it matters how long a form took."""
        return any(one.index == "seconds_per_item" for one in self.indices)


def compile_quality(
    instrument: Instrument, informant: Informant, rows: Mapping[str, int], counting: set[str]
) -> QualityPlan | None:
    """Compile the response-quality indices of one informant's form; None where it has none.

    Parameters
    ----------
    instrument : Instrument
        A definition that passed its checks.
    informant : Informant
        One of the instrument's informants.
    rows : mapping of str to int
        Row of the response codes by item.
    counting : set of str
        The items that a scale, critical item or gate uses.
    """
    if not instrument.quality:
        return None
    critical = {one.item for one in instrument.critical_items}
    items = [item.id for item in instrument.items if item.id not in critical]
    places = {key: place for place, key in enumerate(items)}
    content = [s for s in instrument.scales_for(informant) if s.purpose == "content"]
    symptoms = {key for scale in content for key in items_of(instrument, scale)}
    numbers: dict[int | str, int] = {}
    recorded = np.full((len(items), 256), -1, dtype=np.int16)
    place, concern = np.full((2, len(items), 256), np.nan)
    for row, key in enumerate(items):
        options = instrument.options(key).options
        scores = np.array([option.item_score for option in options], dtype=np.float64)
        recorded[row, : len(options)] = [
            numbers.setdefault(option.code, len(numbers)) for option in options
        ]
        place[row, : len(options)] = np.linspace(0, 1, len(options))
        span = np.ptp(scores) or 1.0
        upwards = item_direction(instrument, key) is Direction.WORSE
        concern[row, : len(options)] = (
            scores - scores.min() if upwards else scores.max() - scores
        ) / span
    halves = []
    for scale in content:
        own = sorted(places[key] for key in own_items(scale) if key in places)
        if len(own) > 1:
            halves.append((np.array(own[::2]), np.array(own[1::2])))
    return QualityPlan(
        indices=tuple(
            QualityIndexPlan(
                one.id,
                one.index,
                one.cut,
                one.at_or_above is not None,
                tuple(one.expected.get(key, math.nan) for key in items),
            )
            for one in instrument.quality
        ),
        counting=np.array(
            [rows[i.id] for i in instrument.items if i.id in counting], dtype=np.int64
        ),
        rows=np.array([rows[key] for key in items], dtype=np.int64),
        recorded=recorded,
        place=place,
        concern=concern,
        symptoms=np.array([places[k] for k in items if k in symptoms], dtype=np.int64),
        halves=tuple(halves),
    )
