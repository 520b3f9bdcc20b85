"""Time each stage of a run on a simulated district: ``python benchmarks/run.py [pupils …]``.

Every stage runs several times in one process and the median is printed, beside the time that
NumPy needs to read the same response codes once (the floor). Trust the ratios, not the seconds:
machines are shared. Larger sizes and peers come with the speed work.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import numpy as np

import mhscreen as mh
from mhscreen import frames
from mhscreen.steps import bind as bind_step

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (1_000, 10_000)
RUNS = 3


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median time of some runs."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(pupils: int) -> list[tuple[str, float]]:
    """Return the stages of a run and their seconds."""
    plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    roster, responses = mh.simulate(plan, pupils, seed=1)
    at = np.datetime64("2026-10-15T00:00:00", "s")
    tables = [(slot, frames.to_table(frame, slot)) for slot, frame in responses.items()]
    pupil_table = frames.to_table(roster, "roster")

    def bind() -> bind_step.ResponseBatch:
        return bind_step.bind(plan, pupil_table, tables, at=at, on_problem="report")

    batch = bind()
    scores = mh.score(plan, batch)
    normed = mh.norm(plan, scores)
    triage = mh.triage(plan, normed)
    entries = mh.emit(plan, triage, at="2026-10-15")
    codes = [forms.codes for forms in batch.forms]
    return [
        ("read the codes once (floor)", median_seconds(lambda: [c.max(initial=0) for c in codes])),
        ("frames to tables", median_seconds(
            lambda: [frames.to_table(frame, slot) for slot, frame in responses.items()])),
        ("bind", median_seconds(bind)),
        ("score", median_seconds(lambda: mh.score(plan, batch))),
        ("norm", median_seconds(lambda: mh.norm(plan, scores))),
        ("triage", median_seconds(lambda: mh.triage(plan, normed))),
        ("emit, as JSON lines", median_seconds(lambda: sum(map(len, entries.lines())))),
    ]  # fmt: skip


def main(sizes: list[int]) -> None:
    """Print a table per size."""
    for pupils in sizes:
        print(f"\n{pupils} pupils, median of {RUNS} runs")
        stages = measure(pupils)
        floor = stages[0][1]
        for name, seconds in stages:
            print(f"  {name:32} {seconds * 1000:10.1f} ms {seconds / floor:10.0f} x floor")


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or list(SIZES))
