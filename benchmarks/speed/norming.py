"""T scores of all scales by sex and year of age, against the floor and against joins.

``python benchmarks/speed/norming.py [pupils …]``

The peers are given the year of age ready made; we take it from the date of birth.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import peers
from answers import answers_of, bound
from battery import AGES, battery_plan, battery_scales
from figures import Figure, compare, run
from floors import floor_of
from scoring import missing
from timing import Fresh, take_turns

import mhscreen as mh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mhscreen.steps.norm import NormedScores

SIZES = (10_000, 100_000)
MEASURE = "norms"


def same(name: str, normed: NormedScores, found: dict[str, NDArray[np.float64]]) -> None:
    """Compare a peer's T scores with ours."""
    for scale, t in found.items():
        assert np.array_equal(normed[scale].t, t, equal_nan=True), f"{name}: {scale}: T differs"
        assert np.isfinite(t).any(), f"{name}: {scale}: no T"


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time norming."""
    answers = answers_of(pupils, work)
    plan = battery_plan()
    batch = bound(answers)
    scores = mh.score(plan, batch)
    normed = mh.norm(plan, scores)
    number = len(battery_scales())
    assert len(AGES) * 2 == len(plan.norms[0].strata)
    read = [np.zeros(pupils, dtype=np.uint8) for _ in range(number + 1)]
    works: dict[str, Callable[[], object] | Fresh] = {
        "floor": floor_of(read, pupils, ["f4"] * number),
        "ours": Fresh(
            lambda: mh.score(plan, batch),
            lambda scores: [one.t for one in mh.norm(plan, scores).norms],
        ),
        "floor of our own types": floor_of(read, pupils, ["f8"] * number),
    }
    for name in ("pandas", "polars"):
        if complaint := peers.absent(name):
            yield replace(missing(name, pupils, complaint), measure=MEASURE)
            continue
        join = import_module(f"peers.norms_by_{name}").joining(answers, scores)
        same(name, normed, join())
        works[name] = join
    times = take_turns(works, most=20.0)
    yield from compare(MEASURE, times, pupils, "floor")
    rest = {name: times.seconds[name] for name in works if not name.startswith("floor")}
    yield from compare(MEASURE, replace(times, seconds=rest), pupils, "ours")


if __name__ == "__main__":
    run(measure, SIZES)
