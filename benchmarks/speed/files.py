"""Time runs on files, and measure their memory: ``python benchmarks/speed/files.py [pupils …]``.

Each run is a process of its own, so that its peak memory is its own. The floor, in the same run, is
reading the files with the same reader and copying the results that were written. Trust the ratios,
not the seconds: machines are shared.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import mhscreen as mh
from mhscreen.interop.files import open_folder, open_source
from mhscreen.interop.run_folder import STEPS, screen_files, write_district
from mhscreen.problems import ProblemLog

SIZES = (10_000, 100_000)
AT = "2026-10-15"


def compiled() -> mh.Plan:
    """Return the programme that is screened."""
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


def run(district: Path, out: Path, workers: int) -> dict[str, float]:
    """Screen a district; return seconds by step, and peak memory in megabytes."""
    began = dict.fromkeys(STEPS, 0.0)

    def tell(step: str, *_: int) -> None:
        began[step] = began[step] or time.perf_counter()

    plan = compiled()
    start = time.perf_counter()
    screen_files(
        plan,
        roster=district / "pupils.csv",
        responses=district / "answers",
        at=AT,
        out=out,
        progress=tell,
        workers=workers,
    )
    end = time.perf_counter()
    kilobytes = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {
        "whole": end - start,
        "read": began["screen"] - start,
        "screen": began["write"] - began["screen"],
        "write": end - began["write"],
        "megabytes": kilobytes / 1024,
    }


def floor(district: Path, results: Path, copy: Path) -> float:
    """Return the seconds of reading the input and copying the output."""
    start = time.perf_counter()
    log = ProblemLog()
    roster = open_source(district / "pupils.csv", log)
    assert roster is not None
    for source in (roster, *open_folder(district / "answers", log)):
        for _ in source.read(log):
            pass
    shutil.copytree(results, copy)
    return time.perf_counter() - start


def measure(pupils: int) -> None:
    """Print the lines of one size."""
    with TemporaryDirectory() as name:
        home = Path(name)
        write_district(compiled(), pupils, seed=1, on=dt.date(2026, 10, 15), folder=home / "input")
        alone = 0.0
        for workers in (1, 2):
            out = home / f"out{workers}"
            command = [sys.executable, __file__, "--run", str(home / "input"), str(out)]
            found = json.loads(subprocess.check_output([*command, str(workers)]))
            alone = alone or floor(home / "input", out, home / "copy")
            print(
                f"{pupils:>9}  {workers:>7}  {found['whole']:>7.1f}  {found['read']:>5.1f}  "
                f"{found['screen']:>6.1f}  {found['write']:>5.1f}  "
                f"{pupils / found['whole']:>8.0f}  {found['whole'] / alone:>5.1f}  "
                f"{found['megabytes']:>4.0f}",
                flush=True,
            )


def main(arguments: list[str]) -> None:
    """Measure every size."""
    if arguments[:1] == ["--run"]:
        print(json.dumps(run(Path(arguments[1]), Path(arguments[2]), int(arguments[3]))))
        return
    print("   pupils  workers  seconds   read  screen  write  pupils/s  floor    MB")
    for pupils in map(int, arguments or SIZES):
        measure(pupils)


if __name__ == "__main__":
    main(sys.argv[1:])
