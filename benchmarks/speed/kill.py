"""Kill a run on files at random points, start it again, and compare with one that was left alone.

``python benchmarks/speed/kill.py [pupils] [kills]``: by default 1 000 000 pupils and twenty kills,
which takes hours; 20 000 pupils take minutes. Each kill comes without a warning (SIGKILL), at a
time between the start and the end of an undisturbed run.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import mhscreen as mh
from mhscreen.interop.run_folder import write_district

AT = "2026-10-15"
PROGRAMME = "qingdao-2023@1"


def command(district: Path, out: Path) -> list[str]:
    """Return the command that screens the district."""
    return [
        sys.executable, "-m", "mhscreen", "screen", "--programme", PROGRAMME, "--at", AT,
        "--roster", str(district / "pupils.csv"), "--responses", str(district / "answers"),
        "--out", str(out), "--workers", str(min(2, os.cpu_count() or 1)),
    ]  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a folder."""
    found = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as handle:
            found[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return found


def run(district: Path, out: Path, seconds: float | None = None) -> float | None:
    """Screen a district, and kill it after some seconds; return how long it took, if it ended."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command(district, out),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with its own workers
        process.wait()
        return None
    assert status in {0, 1}, "the run failed"
    return time.perf_counter() - start


def main(arguments: list[str]) -> int:
    """Run the comparison; return 0 where every file is the same."""
    pupils = int(arguments[0]) if arguments else 1_000_000
    kills = int(arguments[1]) if len(arguments) > 1 else 20
    choose = random.Random(1)  # noqa: S311 - when to kill is no secret
    with TemporaryDirectory() as name:
        home = Path(name)
        plan = mh.compile_plan(mh.shipped_library(), programme=PROGRAMME)
        write_district(plan, pupils, seed=1, on=dt.date(2026, 10, 15), folder=home / "input")
        whole = run(home / "input", home / "whole")
        assert whole is not None
        expected = digests(home / "whole")
        out = home / "killed"
        killed = same = 0
        while killed < kills:
            if run(home / "input", out, choose.uniform(0, whole)) is None:
                killed += 1
                if (out / "run.json").exists():  # killed when nothing but tidying up was left
                    assert digests(out) == expected, "a killed run looks complete"
                continue
            same += digests(out) == expected
            assert digests(out) == expected, "the results differ"
            for file in out.iterdir():
                file.unlink()
            out.rmdir()
        run(home / "input", out)
        alike = digests(out) == expected
        left = sorted(path.name for path in home.iterdir())
    print(f"{pupils} pupils, {whole:.0f} s undisturbed, {killed} kills")
    print(f"ended on the way {same} times; at the end all files equal: {alike}; left: {left}")
    return 0 if alike and left == ["input", "killed", "whole"] else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
