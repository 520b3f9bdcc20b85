"""The ratios that the guard watches, of the package in a folder: ``guarded.py SOURCE WORK``.

Only what the package promises is called, so that older and newer commits can be measured; the
floors are NumPy's and a plain loop of Python, and know nothing of the package. What a commit cannot
do is left out.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from answers import answers_of, bound
from battery import AT, battery_plan, battery_scales
from timing import Fresh, take_turns

import mhscreen as mh

if TYPE_CHECKING:
    from collections.abc import Callable

PUPILS, CLASS, ON_FILES = 30_000, 30, 1_000


def floor_in_memory(codes: np.ndarray) -> Callable[[], None]:
    """Return the work of reading answers once and writing scores and bands."""
    arrays = [np.zeros(codes.shape[1], kind) for kind in ("f4", "i1") * len(battery_scales())]

    def work() -> None:
        codes.max()
        for array in arrays:
            array.fill(1)

    return work


def loop() -> int:
    """Do what costs an interpreter about as much as a class of 30, or a thousand entries."""
    total = 0
    for number in range(100_000):
        total += len(str(number))
    return total


def ratios(work: Path) -> dict[str, float]:
    """Return every ratio."""
    plan = battery_plan()
    answers = answers_of(PUPILS, work)
    roster, forms = pa.table(answers.roster()), answers.forms()
    batch, few = bound(answers), bound(answers.first(CLASS))

    def outputs() -> list[object]:
        found = [scale for form in mh.score(plan, batch).forms for scale in form.scales]
        return [(one.score, one.category, one.answered, one.low, one.high) for one in found]

    in_memory = take_turns(
        {
            "floor": floor_in_memory(answers.codes),
            "bind": lambda: mh.bind(plan, roster=roster, responses=forms, at=AT),
            "score, with bounds": outputs,
            "norm": Fresh(
                lambda: mh.score(plan, batch),
                lambda scores: [one.t for one in mh.norm(plan, scores).norms],
            ),
            "triage": Fresh(
                lambda: mh.norm(plan, mh.score(plan, batch)),
                lambda normed: mh.triage(plan, normed),
            ),
        },
        enough=2.0,
        most=15.0,
    )

    def entered() -> mh.Entries:
        return mh.emit(plan, mh.triage(plan, mh.norm(plan, mh.score(plan, few))), at=AT)

    in_python = take_turns(
        {
            "floor": loop,
            "score a class of 30": lambda: [mh.score(plan, few) for _ in range(5)],
            "entries of a class of 30": Fresh(entered, lambda entries: [*entries.lines()]),
            "a run on files": lambda: on_files(work),
        },
        enough=2.0,
        most=15.0,
    )
    found = {}
    for times in (in_memory, in_python):
        for name in times.seconds:
            if name != "floor":
                found[name] = times.ratio(name, "floor").middle
    return found


def on_files(work: Path) -> None:
    """Screen a small district from Parquet files."""
    home = work / "files"
    if not home.exists():
        answers = answers_of(PUPILS, work).first(ON_FILES)
        (home / "answers").mkdir(parents=True)
        pa.parquet.write_table(pa.table(answers.roster()), home / "pupils.parquet")
        for slot, table in answers.forms().items():
            pa.parquet.write_table(table, home / "answers" / f"{slot}.parquet")
    mh.screen_files(
        battery_plan(),
        roster=home / "pupils.parquet",
        responses=home / "answers",
        at=AT,
        out=work / "out",
    )
    shutil.rmtree(work / "out")


def main(source: Path, work: Path) -> None:
    """Print the ratios of the package in a folder."""
    assert source.resolve() in Path(mh.__file__).resolve().parents, "another package is imported"
    print(json.dumps(ratios(work)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
