"""The answers that everything is timed on: drawn from a seed, kept in a file, the same for all.

1 to 5 % of the answers to each item are missing, and 1 % of the forms altogether.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from battery import AGES, AT, ITEMS, SLOTS, battery_plan

import mhscreen as mh

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from mhscreen.steps.bind import ResponseBatch

__all__ = ["Answers", "answers_of", "bound", "headings", "missing_from"]

_CLASS, _SCHOOL = 42, 1000
_FIRST_STEP, _STEP = 0.9, 0.7


@dataclass(frozen=True, eq=False)
class Answers:
    """What the pupils answered, and who they are.

    Attributes
    ----------
    codes : ndarray of int8, shape (141, pupils)
        Recorded codes; −1 where missing.
    sex : ndarray of int8, shape (pupils,)
        0 male, 1 female.
    age_days : ndarray of int32
        Age on the day of screening.
    """

    codes: NDArray[np.int8]
    sex: NDArray[np.int8]
    age_days: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.sex)

    @property
    def years(self) -> NDArray[np.int8]:
        """Completed years of age."""
        return (self.age_days / 365.25).astype(np.int8)

    def first(self, pupils: int) -> Answers:
        """Return the first of the pupils."""
        codes = np.ascontiguousarray(self.codes[:, :pupils])
        return Answers(codes, self.sex[:pupils], self.age_days[:pupils])

    def roster(self) -> dict[str, Any]:
        """Return the roster as Arrow columns."""
        pupils = np.arange(len(self))
        seat = pupils // _CLASS
        born = np.datetime64(AT, "D") - self.age_days
        texts = {
            "subject": [f"SYN-{place:07d}" for place in pupils.tolist()],
            "school": pa.array([f"Synthetic school {n}" for n in range(len(self) // _SCHOOL + 1)])
            .take(pa.array(pupils // _SCHOOL)),
            "stage": pa.array(["junior"]).take(pa.array(np.zeros(len(self), dtype=np.int64))),
            "class": pa.array([str(n) for n in range(1, 25)]).take(pa.array(seat % 24)),
            "sex": pa.array(["male", "female"]).take(pa.array(self.sex)),
            "birth_date": pa.array(born).cast(pa.string()),
        }  # fmt: skip
        columns = {name: pa.array(values) for name, values in texts.items()}
        columns["grade"] = pa.array((7 + seat % 3).astype(np.int8))
        return columns

    def forms(self) -> dict[str, pa.Table]:
        """Return by slot the forms that were filed; a blank is null."""
        subject = pa.array([f"SYN-{place:07d}" for place in range(len(self))])
        tables, first = {}, 0
        for slot, number in SLOTS.items():
            codes = self.codes[first : first + number]
            filed = np.flatnonzero((codes >= 0).any(axis=0))
            columns = {"subject": subject.take(pa.array(filed))}
            for heading, row in zip(headings(slot), codes[:, filed], strict=True):
                columns[heading] = pa.array(row, mask=row < 0)
            tables[slot] = pa.table(columns)
            first += number
        return tables


def headings(slot: str) -> list[str]:
    """Return the headings of a slot's columns."""
    return [f"{slot.partition('@')[0]}_{number}" for number in range(1, SLOTS[slot] + 1)]


def missing_from(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Return where an answer is missing."""
    return codes < 0


def answers_of(pupils: int, work: Path) -> Answers:
    """Return the answers of so many pupils, drawn once and kept in a folder."""
    path = work / f"answers-{pupils}.npz"
    if not path.exists():
        drawn = _draw(pupils)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            np.savez(file, codes=drawn.codes, sex=drawn.sex, age_days=drawn.age_days)
        unfinished.rename(path)
    with np.load(path) as kept:
        return Answers(kept["codes"], kept["sex"], kept["age_days"])


def _draw(pupils: int) -> Answers:
    rng = np.random.default_rng(2026)
    general = rng.standard_normal(pupils, dtype=np.float32)
    codes = np.empty((ITEMS, pupils), dtype=np.int8)
    row = 0
    for form, number in zip(battery_plan().forms, SLOTS.values(), strict=True):
        special = rng.standard_normal(pupils, dtype=np.float32)
        level = 0.75 * general + 0.66 * special
        first, critical = row, {one.row for one in form.critical}
        for place, item in enumerate(form.items[:number]):
            felt = level + rng.standard_normal(pupils, dtype=np.float32)
            steps = _FIRST_STEP + _STEP * np.arange(len(item.codes) - 1) + (place in critical)
            answer = sum((felt > step).astype(np.int8) for step in steps)
            codes[row] = answer if item.upwards else len(item.codes) - 1 - answer
            codes[row, rng.random(pupils, dtype=np.float32) < rng.uniform(0.01, 0.05)] = -1
            row += 1
        codes[first:row, rng.random(pupils) < 0.01] = -1
    years = rng.integers(AGES.start, AGES.stop, pupils)
    # Nobody is so near a birthday that leap years could matter.
    age_days = (years * 365.25 + rng.integers(5, 360, pupils)).astype(np.int32)
    sex = (rng.random(pupils) < 0.48).astype(np.int8)
    return Answers(codes, sex, age_days)


def bound(answers: Answers) -> ResponseBatch:
    """Return the answers, bound."""
    return mh.bind(
        battery_plan(),
        roster=pa.table(answers.roster()),
        responses=answers.forms(),
        at=AT,
        on_problem="raise",
    )
