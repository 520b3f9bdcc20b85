"""Compare engines on fragments with two processes on files: ``clusters.py [pupils [rounds]]``.

The same pupils are screened by `screen_files` with two processes, and as fragments by two
processes, by Dask and by Spark, one after the other in each round; the median of the rounds' ratios
is printed. What is read and written is the same but for the cutting. The session of Spark is
started before. Engines that are not installed, or Spark where there is no Java, are left out.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import shutil
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd

import mhscreen as mh
from mhscreen.interop.dask import on_dask
from mhscreen.interop.fragments import find_fragments, in_processes, screen_fragments
from mhscreen.interop.run_folder import write_district
from mhscreen.interop.spark import on_spark

if TYPE_CHECKING:
    from collections.abc import Callable

PUPILS, ROUNDS, FRAGMENT = 40_000, 3, 4096
PROGRAMME, AT = "qingdao-2023@1", "2026-10-15"


def cut(district: Path, folder: Path) -> None:
    """Cut the files of a district into fragments of whole pupils."""
    roster = pd.read_csv(district / "pupils.csv", dtype=str)
    answers = {file.name: pd.read_csv(file, dtype=str) for file in (district / "answers").iterdir()}
    for start in range(0, len(roster), FRAGMENT):
        part = roster[start : start + FRAGMENT]
        place = folder / f"{start // FRAGMENT:04d}"
        (place / "answers").mkdir(parents=True)
        part.to_csv(place / "pupils.csv", index=False)
        for name, frame in answers.items():
            own = frame[frame["subject"].isin(part["subject"])]
            if len(own):
                own.to_csv(place / "answers" / name, index=False)


def start_spark() -> Any:
    """Return a session with two cores, or None where there cannot be one."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        return None
    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = import_module("pyspark.sql").SparkSession.builder.master("local[2]")
    session = builder.config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.parallelize(range(2), 2).map(lambda one: one).collect()
    return session


def engines(session: Any) -> dict[str, Any]:
    """Return what runs tasks, by name."""
    found = {"two processes": in_processes(2)}
    if importlib.util.find_spec("dask") is not None:
        found["Dask"] = on_dask(scheduler="processes", num_workers=2)
    if session is not None:
        found["Spark"] = on_spark(session)
    return found


def seconds(out: Path, work: Callable[[], object]) -> float:
    """Time one run into a folder that is not there."""
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(plan: mh.Plan, home: Path, session: Any, rounds: int) -> dict[str, list[float]]:
    """Return the ratios of all rounds, by engine."""
    fragments, out = find_fragments(home / "cut"), home / "out"
    local = partial(
        mh.screen_files,
        plan,
        roster=home / "in/pupils.csv",
        responses=home / "in/answers",
        at=AT,
        out=out,
        workers=2,
    )
    ratios: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, run in engines(session).items():
            alone = seconds(out, local)
            by_engine = partial(screen_fragments, plan, fragments, at=AT, out=out, run=run)
            ratios.setdefault(name, []).append(seconds(out, by_engine) / alone)
    return ratios


def main(arguments: list[str]) -> None:
    """Print a table of ratios."""
    pupils, rounds = (*map(int, arguments), *(PUPILS, ROUNDS)[len(arguments) :])
    plan = mh.compile_plan(mh.shipped_library(), programme=PROGRAMME)
    session = start_spark()
    with TemporaryDirectory() as name:
        home = Path(name)
        write_district(plan, pupils, seed=1, on=dt.date(2026, 10, 15), folder=home / "in")
        cut(home / "in", home / "cut")
        found = measure(plan, home, session, rounds)
    print(f"{pupils} pupils in fragments of {FRAGMENT}; against two processes on files (bar 1.5)")
    for engine, ratios in found.items():
        print(f"{engine:<14}  {median(ratios):>5.2f}")
    if session is not None:
        session.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
