"""Bad input at speed: ``python benchmarks/speed/bad_input.py [pupils]``, by default a million.

The same pupils are screened thrice, each time in a process of its own: as they are; with three
mistakes in one file (one illegal answer, one form handed in twice, one pupil who is on no roster);
and with every answer of that file illegal. The three mistakes must be the problems by which the
second run differs from the first, and of the third every single one must be counted and listed,
with memory that hardly grows. Trust the ratios of the time, not the seconds.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mhscreen as mh
from mhscreen.interop.run_folder import screen_files, write_district

AT = "2026-10-15"
FILE = "gad7.csv"
ITEMS = 7
MISTAKES = {"MH401": 1, "MH407": 1, "MH408": 2}  # of a form handed in twice, both are named


def compiled() -> mh.Plan:
    """Return the programme that is screened."""
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


def write_inputs(home: Path, pupils: int) -> None:
    """Write the pupils as they are, with three mistakes, and with a file of nothing else."""
    roster, answers = write_district(
        compiled(), pupils, seed=1, on=dt.date(2026, 10, 15), folder=home / "clean"
    )
    heading, *lines = (answers / FILE).read_text("utf-8").splitlines()
    subject, *cells = lines[1].split(",")
    place = heading.split(",").index("gad7_q1") - 1
    cells[place] = "9"
    stranger = ",".join(["OFF-1", *lines[3].split(",")[1:]])
    three = [lines[0], ",".join([subject, *cells]), *lines[2:], lines[2], stranger]
    places = range(place + 1, place + 1 + ITEMS)
    illegal = [
        ",".join("9" if at in places else cell for at, cell in enumerate(line.split(",")))
        for line in lines
    ]
    for name, changed in (("three", three), ("every", illegal)):
        shutil.copytree(answers, home / name / "answers")
        shutil.copy(roster, home / name / "pupils.csv")
        text = "\n".join([heading, *changed]) + "\n"
        (home / name / "answers" / FILE).write_text(text, "utf-8")


def run(folder: Path) -> dict[str, Any]:
    """Screen what is in a folder; return problems by code, seconds, and peak memory."""
    plan = compiled()
    start = time.perf_counter()
    result = screen_files(
        plan,
        roster=folder / "pupils.csv",
        responses=folder / "answers",
        at=AT,
        out=folder / "out",
    )
    seconds = time.perf_counter() - start
    return {
        "by_code": result.record["problems"]["by_code"],
        "held": len(result.problems),
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def listed(folder: Path, code: str) -> int:
    """Return how many problems of a code ``problems.csv`` lists."""
    with (folder / "out" / "problems.csv").open(encoding="utf-8-sig", newline="") as file:
        return sum(row["code"] == code for row in csv.DictReader(file))


def compare(home: Path, found: dict[str, dict[str, Any]]) -> None:
    """Check what was found.

    Raises
    ------
    ValueError
        If a problem is missing, or one too many.
    """
    mistakes = Counter(found["three"]["by_code"]) - Counter(found["clean"]["by_code"])
    forms = (home / "every" / "answers" / FILE).read_bytes().count(b"\n") - 1
    number = found["every"]["by_code"]["MH401"]
    if mistakes != MISTAKES:
        msg = f"three mistakes are found as {dict(mistakes)}, not {MISTAKES}"
        raise ValueError(msg)
    if not number == listed(home / "every", "MH401") == forms * ITEMS:
        msg = f"{number} illegal answers are counted of {forms * ITEMS}, or not all are listed"
        raise ValueError(msg)


def measure(pupils: int) -> None:
    """Print a line for each kind of input."""
    with TemporaryDirectory() as name:
        home = Path(name)
        # In a process of its own: one that this one starts begins with its peak.
        subprocess.check_call([sys.executable, __file__, "--write", str(home), str(pupils)])
        found = {}
        print("   pupils  input   seconds  ratio    MB  problems")
        for kind in ("clean", "three", "every"):
            command = [sys.executable, __file__, "--run", str(home / kind)]
            one = found[kind] = json.loads(subprocess.check_output(command))
            ratio = one["seconds"] / found["clean"]["seconds"]
            number = sum(one["by_code"].values())
            print(
                f"{pupils:>9}  {kind:<6} {one['seconds']:>8.1f} {ratio:>6.2f} "
                f"{one['megabytes']:>5.0f}  {number}",
                flush=True,
            )
        compare(home, found)
    print("every problem is counted and listed")


def main(arguments: list[str]) -> None:
    """Measure, or write the folders, or screen one of them."""
    if arguments[:1] == ["--write"]:
        write_inputs(Path(arguments[1]), int(arguments[2]))
        return
    if arguments[:1] == ["--run"]:
        print(json.dumps(run(Path(arguments[1]))))
        return
    measure(int(arguments[0]) if arguments else 1_000_000)


if __name__ == "__main__":
    main(sys.argv[1:])
