"""Ten million pupils against one million: whether time grows with their number alone.

``python benchmarks/speed/growth.py [pupils …]`` compares each size with a tenth of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from answers import answers_of
from battery import SLOTS, battery_plan
from figures import Figure, compare, run
from timing import take_turns

from mhscreen.kernels.codes import BLANK, NOT_PRESENTED
from mhscreen.steps.score import score_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from answers import Answers
    from numpy.typing import NDArray

SIZES = (1_000_000,)
TURNS = 5


def response_codes(answers: Answers) -> list[NDArray[np.uint8]]:
    """Return response codes by slot; what is not on the sheet was not presented."""
    found, first = [], 0
    for form, number in zip(battery_plan().forms, SLOTS.values(), strict=True):
        codes = np.full((len(form.items), len(answers)), NOT_PRESENTED, dtype=np.uint8)
        rows = answers.codes[first : first + number]
        codes[:number] = rows
        codes[:number][rows < 0] = BLANK
        found.append(codes)
        first += number
    return found


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the scoring of so many pupils, and of a tenth of them."""
    plan = battery_plan()

    def scoring(number: int) -> Callable[[], None]:
        codes = response_codes(answers_of(number, work))

        def score() -> None:
            for form, one in zip(plan.forms, codes, strict=True):
                for scale in score_forms(form, one).scales:
                    assert len(scale.score) == len(scale.category) == number

        return score

    few, many = pupils // 10, pupils
    works = {f"{number} pupils": scoring(number) for number in (few, many)}
    times = take_turns(works, most=90.0, turns=TURNS)
    for figure in compare("growth", times, pupils, f"{few} pupils"):
        yield replace(figure, note="scores and categories in memory")


if __name__ == "__main__":
    run(measure, SIZES)
