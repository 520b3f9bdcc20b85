"""A plain object for each pupil, as record systems of clinics score: one form, one loop."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import floor, nan
from typing import TYPE_CHECKING

import numpy as np
from answers import headings
from battery import SLOTS, battery_scales

if TYPE_CHECKING:
    from answers import Answers
    from numpy.typing import NDArray

MOST = 10_000

Found = dict[str, tuple[float | None, int | None]]


@dataclass(frozen=True)
class Key:
    """A scale's key in plain lists: NumPy's numbers would slow a loop down."""

    name: str
    items: list[tuple[str, bool]]
    most: int
    least: int
    rounded: bool
    parts: tuple[str, ...]
    cuts: tuple[float, ...]
    upwards: bool


class Pupil:
    """One pupil's answers by the name of the item, None where missing."""

    def __init__(self, answers: dict[str, int | None]) -> None:
        self.answers = answers

    def score(self, keys: list[Key]) -> Found:
        """Return score and band by scale."""
        found: Found = {}
        for key in keys:
            value = _sum(key, found) if key.parts else self._value(key)
            found[key.name] = value, None if value is None or not key.cuts else _band(key, value)
        return found

    def _value(self, key: Key) -> float | None:
        total = answered = 0
        for name, mirrored in key.items:
            answer = self.answers[name]
            if answer is not None:
                total += key.most - answer if mirrored else answer
                answered += 1
        if answered < key.least:
            return None
        value = total * len(key.items) / answered
        return floor(value + 0.5) if key.rounded else value


def _sum(key: Key, found: Found) -> float | None:
    total = 0.0
    for part in key.parts:
        value = found[part][0]
        if value is None:
            return None
        total += value
    return total


def _band(key: Key, value: float) -> int:
    if key.upwards:
        return bisect_right(key.cuts, value)
    return sum(value <= cut for cut in key.cuts)


def prepare(answers: Answers) -> tuple[list[Pupil], list[Key]]:
    """Return the pupils, and the keys."""
    names = [heading for slot in SLOTS for heading in headings(slot)]
    pupils = [
        Pupil({name: None if code < 0 else code for name, code in zip(names, row, strict=True)})
        for row in answers.codes.T.tolist()
    ]
    keys = [
        Key(
            scale.name,
            [(names[row], bool(scale.reverse[at])) for at, row in enumerate(scale.items)],
            scale.most,
            scale.least,
            scale.rounded,
            scale.parts,
            scale.cuts,
            scale.upwards,
        )
        for scale in battery_scales()
    ]
    return pupils, keys


def score(prepared: tuple[list[Pupil], list[Key]]) -> list[Found]:
    """Score all scales."""
    pupils, keys = prepared
    return [pupil.score(keys) for pupil in pupils]


def columns(found: list[Found]) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]:
    """Return score and band by scale."""
    arrays: dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]] = {}
    for scale in battery_scales():
        pairs = [one[scale.name] for one in found]
        scores = np.array([nan if value is None else value for value, _ in pairs])
        bands = np.array([-1 if band is None else band for _, band in pairs], dtype=np.int8)
        arrays[scale.name] = scores, bands if scale.cuts else None
    return arrays
