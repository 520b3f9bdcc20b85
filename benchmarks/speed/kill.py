"""Kill a run on files at random points, start it again, and compare with one that was left alone.

``python benchmarks/speed/kill.py [pupils] [kills] [folder]``: by default 1 000 000 pupils and
twenty kills, for answers that follow the roster and for answers in any order. Each kill comes
without a warning (SIGKILL), at a time between the start and the end of an undisturbed run, so
that every two or three kills cost the time of one such run. Input that lies in the folder from an
earlier time is used again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import mhscreen as mh
from mhscreen.interop.run_folder import write_district

AT = "2026-10-15"
PROGRAMME = "qingdao-2023@1"
WAYS = ("answers", "shuffled")


def write_input(folder: Path, pupils: int) -> None:
    """Write a district, and the same answers in another order, if they are not there."""
    if not (folder / "pupils.csv").exists():
        plan = mh.compile_plan(mh.shipped_library(), programme=PROGRAMME)
        write_district(plan, pupils, seed=1, on=dt.date(2026, 10, 15), folder=folder)
    if not (folder / "shuffled").exists():
        (folder / "half").mkdir(exist_ok=True)
        chance = random.Random(2)  # noqa: S311 - no secret
        for file in sorted((folder / "answers").iterdir()):
            heading, *lines = file.read_bytes().splitlines(keepends=True)
            chance.shuffle(lines)
            (folder / "half" / file.name).write_bytes(b"".join([heading, *lines]))
        (folder / "half").rename(folder / "shuffled")


def command(district: Path, way: str, out: Path) -> list[str]:
    """Return the command that screens the district."""
    return [
        sys.executable, "-m", "mhscreen", "screen", "--programme", PROGRAMME, "--at", AT,
        "--roster", str(district / "pupils.csv"), "--responses", str(district / way),
        "--out", str(out), "--workers", str(min(2, os.cpu_count() or 1)),
    ]  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a folder."""
    found = {}
    for file in sorted(folder.iterdir()):
        with file.open("rb") as handle:
            found[file.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return found


def run(words: list[str], seconds: float | None = None) -> float | None:
    """Screen a district, and kill it after some seconds; return how long it took, if it ended."""
    start = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # with its own workers
        process.wait()
        return None
    assert status in {0, 1}, "the run failed"
    return time.perf_counter() - start


def kill(district: Path, way: str, home: Path, kills: int) -> dict[str, str]:
    """Kill runs, and compare each that ends with one that was left alone; return its hashes."""
    choose = random.Random(1)  # noqa: S311 - when to kill is no secret
    whole = run(command(district, way, home / "whole"))
    assert whole is not None
    expected = digests(home / "whole")
    out = home / "killed"
    killed = ended = 0
    while True:
        limit = choose.uniform(0, whole) if killed < kills else None
        if run(command(district, way, out), limit) is None:
            killed += 1
            if (out / "run.json").exists():  # killed when nothing but tidying up was left
                assert digests(out) == expected, "a killed run looks complete"
            continue
        assert digests(out) == expected, "the results differ"
        ended += 1
        if killed == kills:
            break
        shutil.rmtree(out)
    shutil.rmtree(out)
    left = sorted(path.name for path in home.iterdir())
    assert left == ["whole"], f"something is left behind: {left}"
    shutil.rmtree(home / "whole")
    print(f"{way}: {whole:.0f} s undisturbed, {killed} kills, {ended} runs ended, all files equal")
    return expected


def main(arguments: list[str]) -> None:
    """Run the comparison."""
    pupils = int(arguments[0]) if arguments else 1_000_000
    kills = int(arguments[1]) if len(arguments) > 1 else 20
    kept = nullcontext(arguments[2]) if len(arguments) > 2 else TemporaryDirectory()
    with kept as folder, TemporaryDirectory() as name:
        write_input(Path(folder), pupils)
        both = [kill(Path(folder), way, Path(name), kills) for way in WAYS]
    same = [file for file in both[0] if both[0][file] == both[1][file]]
    print(f"{pupils} pupils; the same in any order: {', '.join(same)}")


if __name__ == "__main__":
    main(sys.argv[1:])
