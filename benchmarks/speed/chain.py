"""From frames in memory to tiers, with the shipped policy: bind, score, norm, triage.

``python benchmarks/speed/chain.py [pupils …]``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from answers import answers_of, bound
from battery import AT, battery_plan, battery_scales
from figures import Figure, compare, run
from floors import floor_of, sheet
from timing import Fresh, take_turns

import mhscreen as mh
from mhscreen import frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mhscreen.steps.triage import Triage

SIZES = (10_000, 100_000)


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the chain, and each step of it."""
    plan = battery_plan()
    answers = answers_of(pupils, work)
    roster, forms = pa.table(answers.roster()), answers.forms()
    tables = {slot: frames.to_table(frame, slot) for slot, frame in forms.items()}
    listed = frames.to_table(roster, "roster")
    batch = bound(answers)
    # As in scoring: the answers read, scores and categories written.
    floor = floor_of(sheet(batch), pupils, ["f4", "i1"] * len(battery_scales()))

    def chain(roster: object, forms: object) -> Triage:
        batch = mh.bind(plan, roster=roster, responses=forms, at=AT)
        return mh.triage(plan, mh.norm(plan, mh.score(plan, batch)))

    works = {
        "floor": floor,
        "from Arrow frames": lambda: chain(roster, forms),
        "from encoded tables": lambda: chain(listed, tables),
        "bind alone": lambda: mh.bind(plan, roster=listed, responses=tables, at=AT),
        "score alone": lambda: mh.score(plan, batch),
        "norm alone": Fresh(lambda: mh.score(plan, batch), lambda scores: mh.norm(plan, scores)),
        "triage alone": Fresh(
            lambda: mh.norm(plan, mh.score(plan, batch)), lambda normed: mh.triage(plan, normed)
        ),
    }
    yield from compare("bind to triage", take_turns(works, most=25.0), pupils, "floor")


if __name__ == "__main__":
    run(measure, SIZES)
