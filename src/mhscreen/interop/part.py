"""One part of a run, whole pupils: bound, screened, and written as what the run is merged from."""

from __future__ import annotations

import json
import shutil
import sys
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import canonical_json
from mhscreen.frames import arrow_table
from mhscreen.interop.partition import ROSTER
from mhscreen.interop.problem_file import problem_record
from mhscreen.interop.sorted_lines import write_run
from mhscreen.problems import ProblemLog
from mhscreen.steps.bind import bind
from mhscreen.steps.cells import local_moments
from mhscreen.steps.emit import local_times
from mhscreen.steps.identity import Candidates
from mhscreen.steps.result_columns import triage_columns
from mhscreen.steps.screen import screen_part
from mhscreen.steps.shares import count_shares, tiers_by_school
from mhscreen.steps.urgent import (
    first_source,
    unmatched_items,
    urgent_rows,
    wrong_stage_pupils,
)
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.screen import Screening
    from mhscreen.steps.tables import Table

__all__ = ["ENTRY_HASH", "Job", "PartFiles", "bind_part", "screen_to_files"]

ENTRY_HASH = np.dtype([("high", "u8"), ("low", "u8"), ("hash", "S64")])
"""The id of an entry as a number in two halves, and its hash."""

_SIZES = "sizes.json"


@dataclass(frozen=True)
class Job:
    """What all parts of a run have in common; it is pickled once for each process.

    Attributes
    ----------
    plan : Plan
        The compiled programme.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    columns : mapping or None
        How columns are named, by slot.
    roster : Table
        The roster without its rows.
    stems : tuple of str
        What the tables of answers are named by.
    candidates : Candidates
        Whom forms may be by that are not by the pupil they name.
    """

    plan: Plan
    at: np.datetime64
    columns: Mapping[str, ColumnNames] | None
    roster: Table
    stems: tuple[str, ...]
    candidates: Candidates = field(default_factory=lambda: Candidates(()))


@dataclass(frozen=True)
class PartFiles:
    """The files of a part that is done."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """The entries, one a line."""
        return self.folder / "ledger.jsonl"

    @property
    def lines(self) -> Path:
        """By entry, the line of the roster."""
        return self.folder / "lines.npy"

    @property
    def hashes(self) -> Path:
        """Ids and hashes of the entries, sorted."""
        return self.folder / "hashes.npy"

    @property
    def archive(self) -> Path:
        """The archive's rows, as an Arrow file of one batch."""
        return self.folder / "archive.arrow"

    def is_whole(self, *, collected: bool) -> bool:
        """Whether everything stands there as it was written.

        It does after a process was killed. After a power failure it may not, since files are not
        forced to the disk one by one.

        Parameters
        ----------
        collected : bool
            Whether the ledger was taken out already.
        """
        try:
            sizes = json.loads((self.folder / _SIZES).read_text("utf-8"))
            for name, size in sizes.items():
                path = self.folder / name
                if not (collected and path == self.ledger) and path.stat().st_size != size:
                    return False
        except (OSError, ValueError):
            return False
        return True

    def run(self, name: str) -> Path:
        """Return a sorted run: ``urgent``, ``unmatched``, ``problems`` or ``shares``."""
        return self.folder / f"{name}.jsonl"

    def summary(self) -> dict[str, Any]:
        """Return the counts that add up to those of the run."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text("utf-8"))
        return found


def bind_part(job: Job, tables: Mapping[int, Table]) -> ResponseBatch:
    """Bind a part; its log names every row, and says nothing of tables that are empty here."""
    log = ProblemLog(most_named=sys.maxsize)
    answers = [(job.stems[place], tables[place]) for place in sorted(tables) if place != ROSTER]
    batch = bind(
        job.plan,
        tables.get(ROSTER, job.roster),
        answers,
        at=job.at,
        columns=job.columns,
        on_problem="report",
        candidates=job.candidates,
        log=log,
    )
    log.problems[:] = [problem for problem in log if problem.code != "MH412"]
    return batch


def screen_to_files(job: Job, tables: Mapping[int, Table], folder: Path) -> None:
    """Screen a part and write its files: the folder appears when all of them are in it."""
    batch = bind_part(job, tables)
    screening = screen_part(job.plan, batch, job.at)
    staging = folder.with_name(f".{folder.name}")
    shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
    staging.mkdir()
    _write(job, screening, batch, PartFiles(staging))
    sizes = {file.name: file.stat().st_size for file in staging.iterdir()}
    (staging / _SIZES).write_text(json.dumps(sizes), "utf-8")
    staging.rename(folder)


def _write(job: Job, screening: Screening, batch: ResponseBatch, files: PartFiles) -> None:
    roster = batch.roster
    kept = _write_ledger(screening, files)
    np.save(files.lines, roster.line)
    _write_archive(screening, files.archive)
    unmatched = []
    lines = iter(roster.line[wrong_stage_pupils(screening.triage)].tolist())
    for item in unmatched_items(screening, kept):
        off_roster = item["kind"] == "off_roster"
        key = [0, *first_source(item)] if off_roster else [1, next(lines)]
        unmatched.append([key, canonical_json(item)])
    write_run(unmatched, files.run("unmatched"))
    write_run(([list(key), list(row)] for key, row in urgent_rows(screening)), files.run("urgent"))
    write_run(
        (problem_record(one, job.roster.name) for one in screening.problems), files.run("problems")
    )
    shares = count_shares(screening.triage)
    write_run(([list(share), list(count)] for share, count in shares.items()), files.run("shares"))
    summary = canonical_json(_summary(screening, batch))
    (files.folder / "summary.json").write_bytes(summary.encode())


def _write_ledger(screening: Screening, files: PartFiles) -> dict[int, dict[str, Any]]:
    """Write the entries; return those of the pupils with a form of another stage."""
    wrong = wrong_stage_pupils(screening.triage).tolist()
    kept: dict[int, dict[str, Any]] = {}
    hashes = np.empty(len(screening.entries), dtype=ENTRY_HASH)
    first = 0
    with files.ledger.open("wb") as file:
        for block in screening.entries.blocks():
            end = first + len(block.ids)
            file.writelines(block.lines(end=b"\n"))
            digits = b"".join(block.ids).replace(b"-", b"").decode()
            numbers = np.frombuffer(bytes.fromhex(digits), dtype=">u8").reshape(-1, 2)
            hashes["high"][first:end], hashes["low"][first:end] = numbers.T
            hashes["hash"][first:end] = block.hashes
            for place in wrong[bisect_left(wrong, first) : bisect_left(wrong, end)]:
                kept[place] = json.loads(b"{" + block.bodies[place - first])
            first = end
    np.save(files.hashes, hashes[np.lexsort([hashes["low"], hashes["high"]])])
    return kept


def _write_archive(screening: Screening, path: Path) -> None:
    import pyarrow as pa

    archive = triage_columns(screening.triage, at=screening.at)
    # As in the ledger: a time without its zone would be read as another one.
    archive["due_at"] = local_times(screening.plan.programme.zone, archive["due_at"])
    table = arrow_table(archive).combine_chunks()
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _summary(screening: Screening, batch: ResponseBatch) -> dict[str, Any]:
    triage, zone = screening.triage, screening.plan.programme.zone
    due = np.unique(triage.due_at(screening.at))
    days = local_moments(due[~np.isnat(due)], zone).astype("M8[D]")
    return {
        "pupils": len(screening.entries),
        "forms": sum(len(forms) for forms in batch.forms),
        "unmatched": 0 if screening.unmatched is None else len(screening.unmatched),
        "screen_tiers": np.bincount(triage.screen, minlength=len(ScreenTier)).tolist(),
        "tiers_by_school": tiers_by_school(triage),
        "due_days": sorted({str(day) for day in days}),
        "not_evaluated": sum(problem.code == "MH604" for problem in screening.problems),
        "tally": [[*key, number] for key, number in sorted(batch.log.tally.items())],
    }
