"""From files to files: a roster and answers in, an archive and one ledger entry a pupil out.

``python benchmarks/speed/files.py [pupils …]``

Every run is a process of its own, so that its peak memory is its own. What it is compared with,
turn by turn:

- *reading and writing alone*: the same reader over the same files, and the same writers given
  results that are finished;
- *copying*: the same reader, and a copy of the bytes that were written;
- the pandas script.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import timing
from answers import answers_of
from battery import AT, battery_plan, battery_scales
from figures import Figure, compare, run
from timing import Child, Times, run_child

from mhscreen.interop.files import ParquetWriter, open_folder, open_source
from mhscreen.interop.intake import bind_files
from mhscreen.interop.run_folder import screen_files
from mhscreen.problems import ProblemLog
from mhscreen.steps.cells import moment
from mhscreen.steps.emit import local_times
from mhscreen.steps.result_columns import triage_columns
from mhscreen.steps.screen import screen

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000,)
BLOCK = 20_000
TURNS = 3
COMPARED = 5_000
"""Entries that are compared with those of the peer."""


def write_inputs(pupils: int, work: Path) -> Path:
    """Write the files of a district: as CSV, as Parquet, and with the answers shuffled."""
    home = work / f"district-{pupils}"
    if home.exists():
        return home
    answers = answers_of(pupils, work)
    unfinished = work / f"district-{pupils}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    rng = np.random.default_rng(1)
    for kind in ("csv", "parquet", "shuffled"):
        (unfinished / kind / "answers").mkdir(parents=True)
        _write(pa.table(answers.roster()), unfinished / kind / "pupils", kind)
    for slot, table in answers.forms().items():
        mixed = table.take(pa.array(rng.permutation(table.num_rows)))
        for kind in ("csv", "parquet", "shuffled"):
            one = mixed if kind == "shuffled" else table
            _write(one, unfinished / kind / "answers" / slot, kind)
    unfinished.rename(home)
    return home


def _write(table: Any, path: Path, kind: str) -> None:
    if kind == "parquet":
        pa.parquet.write_table(table, f"{path}.parquet", compression="zstd")
    else:
        options = pa.csv.WriteOptions(quoting_style="needed")
        pa.csv.write_csv(table, f"{path}.csv", options)


def screen_once(district: Path, out: Path, workers: int) -> float:
    """Screen a district; return the seconds it took."""
    plan = battery_plan()
    start = time.perf_counter()
    screen_files(
        plan,
        roster=_roster(district),
        responses=district / "answers",
        at=AT,
        out=out,
        workers=workers,
    )
    return time.perf_counter() - start


def _roster(district: Path) -> Path:
    return next(district.glob("pupils.*"))


def read_alone(district: Path) -> float:
    """Read every file with the reader of a run; return the seconds it took."""
    start = time.perf_counter()
    log = ProblemLog()
    roster = open_source(_roster(district), log)
    assert roster is not None
    for source in (roster, *open_folder(district / "answers", log)):
        for _ in source.read(log):
            pass
    return time.perf_counter() - start


def write_alone(district: Path, out: Path) -> float:
    """Write finished results with the writers of a run; return the seconds it took.

    The results are made block by block, which does not count. Making the text of an entry from
    its columns counts as writing it, as does hashing it.
    """
    plan = battery_plan()
    at = moment(AT, plan.programme.zone)
    batch = bind_files(plan, at, None, _roster(district), district / "answers")
    out.mkdir()
    seconds = 0.0
    with (
        (out / "ledger.jsonl").open("wb") as ledger,
        ParquetWriter(out / "archive.parquet") as archive,
    ):
        for first in range(0, len(batch.roster), BLOCK):
            pupils = np.arange(first, min(first + BLOCK, len(batch.roster)))
            screening = screen(plan, batch.take(pupils), at)
            columns = triage_columns(screening.triage, at=at)
            columns["due_at"] = local_times(plan.programme.zone, columns["due_at"])
            start = time.perf_counter()
            for block in screening.entries.blocks():
                ledger.writelines(block.lines(end=b"\n"))
            archive.write(columns)
            seconds += time.perf_counter() - start
        start = time.perf_counter()
        archive.finish()
    return seconds + time.perf_counter() - start


def copy_alone(results: Path, copy: Path) -> float:
    """Copy what a run has written; return the seconds it took."""
    start = time.perf_counter()
    shutil.copytree(results, copy)
    return time.perf_counter() - start


def same_entries(ours: Path, theirs: Path) -> None:
    """Compare the entries of the pandas script with ours, in what both say."""
    scales = [scale.name for scale in battery_scales()]
    with (ours / "ledger.jsonl").open() as one, (theirs / "ledger.jsonl").open() as other:
        for left, right in zip(islice(one, COMPARED), islice(other, COMPARED), strict=True):
            found, wanted = (_said(json.loads(line), scales) for line in (right, left))
            assert found == wanted, f"the entries differ: {found} instead of {wanted}"


def _said(entry: dict[str, Any], scales: list[str]) -> dict[str, Any]:
    scores = {
        f"{form['slot']}.{name}": (
            None if one["score"] is None else round(one["score"], 9),
            one["answered"], one["low"], one["high"], one["category"], one["category_label"],
        )
        for form in entry["instruments"]
        for name, one in form["scores"].items()
        if f"{form['slot']}.{name}" in scales
    }  # fmt: skip
    return {
        "pupil": entry["pupil_ref"],
        "tier": entry["established_tier"],
        "scores": scores,
        "filed": [form["slot"] for form in entry["instruments"] if form["filed"]],
        "reasons": sorted(
            (one["rule"], one["tier"], one["because"]["zh"]) for one in entry["tier_reasons"]
        ),
        "undecided": sorted(one["rule"] for one in entry["undecided"]),
        "critical": sorted(
            (one["slot"], one["item"], one["state"], one["score"] or 0)
            for one in entry["critical_items"]
        ),
    }


class _District:
    """The runs on one district, each in a process of its own."""

    def __init__(self, home: Path, scratch: Path) -> None:
        self.home, self.scratch = home, scratch
        self.memory: dict[str, float] = {}
        self.seconds: dict[str, list[float]] = {}
        self.bytes: dict[str, int] = {}

    def child(self, name: str, *arguments: str) -> Child:
        """Run something of this script, and note what it took and the most memory it held."""
        child = run_child([__file__, *arguments])
        self.memory[name] = max(self.memory.get(name, 0), child.megabytes)
        return child

    def note(self, name: str, seconds: float) -> None:
        """Note how long something took in this turn."""
        self.seconds.setdefault(name, []).append(seconds)

    def ours(self, name: str, kind: str, workers: int) -> Path:
        """Screen the district."""
        out = self.scratch / "out"
        shutil.rmtree(out, ignore_errors=True)
        child = self.child(name, "--run", str(self.home / kind), str(out), str(workers))
        self.note(name, json.loads(child.output))
        return out

    def alone(self, kind: str) -> None:
        """Read and write alone."""
        out = self.scratch / "alone"
        shutil.rmtree(out, ignore_errors=True)
        seconds = [
            json.loads(self.child("alone", what, str(self.home / kind), str(out)).output)
            for what in ("--read", "--write")
        ]
        shutil.rmtree(out)
        self.note(f"reading {kind} and writing", sum(seconds))
        self.note(f"reading {kind}", seconds[0])

    def copied(self, kind: str, results: Path) -> None:
        """Copy the results."""
        copy = self.scratch / "copy"
        seconds = copy_alone(results, copy)
        shutil.rmtree(copy)
        self.note(f"reading {kind} and copying", self.seconds[f"reading {kind}"][-1] + seconds)

    def pandas(self, results: Path, *, compared: bool) -> None:
        """Let the pandas script screen the district."""
        out = self.scratch / "pandas"
        shutil.rmtree(out, ignore_errors=True)
        script = str(Path(__file__).with_name("pandas_script.py"))
        child = run_child([script, str(self.home / "csv"), str(out)])
        self.memory["the pandas script"] = child.megabytes
        self.note("the pandas script", json.loads(child.output)["whole"])
        if compared:
            same_entries(results, out)
        self.bytes = {
            "the pandas script": (out / "ledger.jsonl").stat().st_size,
            "ours": (results / "ledger.jsonl").stat().st_size,
        }
        shutil.rmtree(out)


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time runs on files."""
    run_child([__file__, "--inputs", str(pupils), str(work)])
    scratch = work / "files-scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    district = _District(work / f"district-{pupils}", scratch)
    begin = time.perf_counter()
    for turn in range(TURNS):
        district.alone("csv")
        results = district.ours("ours", "csv", 1)
        district.copied("csv", results)
        district.pandas(results, compared=turn == 0)
        district.ours("ours, two processes", "csv", 2)
        district.ours("ours, answers shuffled", "shuffled", 1)
        district.alone("parquet")
        district.ours("ours, from Parquet", "parquet", 1)
        if time.perf_counter() - begin > 60 * timing.PATIENCE:
            break
    shutil.rmtree(scratch)
    yield from _figures(district, pupils)


def _figures(district: _District, pupils: int) -> Iterator[Figure]:
    times = Times({name: tuple(found) for name, found in district.seconds.items()})
    pairs = {
        "reading csv and writing": ["ours", "ours, two processes", "the pandas script"],
        "reading csv and copying": ["ours", "ours, two processes"],
        "reading parquet and writing": ["ours, from Parquet"],
        "ours": ["the pandas script", "ours, answers shuffled", "ours, from Parquet"],
        "ours, two processes": ["the pandas script"],
    }
    for against, names in pairs.items():
        some = {name: times.seconds[name] for name in (*names, against)}
        for figure in compare("files", replace(times, seconds=some), pupils, against):
            yield replace(figure, megabytes=district.memory.get(figure.what))
    size = district.bytes["the pandas script"] / district.bytes["ours"]
    yield Figure("bytes of a ledger", "the pandas script", "ours", pupils, size, size, size)


def main(arguments: list[str]) -> None:
    """Do one part alone, or measure."""
    match arguments:
        case ["--inputs", pupils, work]:
            write_inputs(int(pupils), Path(work))
        case ["--run", district, out, workers]:
            print(json.dumps(screen_once(Path(district), Path(out), int(workers))))
        case ["--read", district, _]:
            print(json.dumps(read_alone(Path(district))))
        case ["--write", district, out]:
            print(json.dumps(write_alone(Path(district), Path(out))))
        case _:
            run(measure, SIZES)


if __name__ == "__main__":
    main(sys.argv[1:])
