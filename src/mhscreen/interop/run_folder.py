"""The main job on files: a roster and a folder of answers in, a folder of results out."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen._version import __version__
from mhscreen.atomic import MARKER, whole_folder
from mhscreen.entries.canonical import canonical_json, digest
from mhscreen.interop.beside import write_behind
from mhscreen.interop.collector import Collector
from mhscreen.interop.files import write_csv
from mhscreen.interop.hashed import HashedFile
from mhscreen.interop.intake import Intake, bind_files
from mhscreen.interop.memory import system_memory
from mhscreen.interop.merged import (
    entries_root,
    judge_all_shares,
    merge_unmatched,
    merge_urgent,
)
from mhscreen.interop.pool import screen_parts
from mhscreen.interop.problem_file import problem_record, read_problems, write_problems
from mhscreen.interop.sorted_lines import Spool, merge_runs
from mhscreen.interop.text import fingerprint
from mhscreen.interop.work_folder import open_work_folder, work_path
from mhscreen.problems import MhscreenError, Problem, UsageError
from mhscreen.simulation import simulate_pupils
from mhscreen.steps.calendar import calendars_used
from mhscreen.steps.cells import moment
from mhscreen.steps.emit import find_cycle, local_times
from mhscreen.steps.screen import MOST_ERRORS, screen
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import BinaryIO

    from mhscreen.interop.part import Job, PartFiles
    from mhscreen.interop.pool import Parts
    from mhscreen.interop.problem_file import ProblemCounts
    from mhscreen.interop.work_folder import WorkFolder
    from mhscreen.plan.plan import Plan
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.screen import Screening

    Progress = Callable[[str, int, int], None]

__all__ = [
    "CHUNK",
    "OUTPUTS",
    "STEPS",
    "FolderRun",
    "find_entry",
    "screen_again",
    "screen_files",
    "write_district",
]

OUTPUTS = (
    "urgent.csv",
    "archive.parquet",
    "archive.csv",
    "ledger.jsonl",
    "unmatched.jsonl",
    "problems.csv",
    MARKER,
)
"""The files that a run may write."""

STEPS = ("read", "screen", "write", "done")
"""What `screen_files` says that it is doing, in this order."""

CHUNK = 8192
"""About how many pupils are screened at once: it decides how much memory a run needs."""

SYNTHETIC = "模拟数据 synthetic data: nobody in it exists"
_SCHEMA = "mhscreen/run/1"
_LISTED = 1000  # rows of the urgent list that are kept at hand


@dataclass(frozen=True, eq=False, repr=False)
class FolderRun:
    """A run on files.

    However large the run, this is small: of what may be long it holds the beginning, and the files
    hold all.

    Attributes
    ----------
    plan : Plan
        The compiled programme.
    folder : Path
        Where the results are.
    files : tuple of str
        Their names.
    problems : tuple of Problem
        What was wrong with the files and with what is in them, and what looks implausible: in the
        order of ``problems.csv``, at most the first hundred of each code.
    urgent : dict of str to list
        The first thousand rows of ``urgent.csv``.
    urgent_reasons : dict of str to int
        How often each reason stands there, in English.
    to_match : int
        How many rows of it are of forms that must be matched first.
    tiers_by_school : dict of str to list of int
        The number of pupils by school and `ScreenTier`.
    record : dict
        What stands in ``run.json``; the counts in it are exact.
    """

    plan: Plan
    folder: Path
    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    urgent: Mapping[str, list[Any]]
    urgent_reasons: Mapping[str, int]
    to_match: int
    tiers_by_school: Mapping[str, list[int]]
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<FolderRun: {self.folder}, {self.plan.programme.ref}>"

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are not mere warnings; as many as `problems` holds."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def screen_files(
    plan: Plan,
    *,
    roster: str | os.PathLike[str],
    responses: str | os.PathLike[str],
    at: Moment,
    out: str | os.PathLike[str],
    archive_csv: bool = False,
    columns: Mapping[str, ColumnNames] | None = None,
    progress: Progress | None = None,
    synthetic: bool = False,
    chunk: int = CHUNK,
    workers: int = 1,
    temporary: str | os.PathLike[str] | None = None,
) -> FolderRun:
    """Screen a district: read its files, and write what follows into a folder.

    Written are ``urgent.csv`` (当日约谈名单: who must be seen today), ``archive.parquet`` (one row
    per pupil on the roster), ``ledger.jsonl`` (one screening entry per pupil),
    ``unmatched.jsonl``, ``problems.csv`` and ``run.json``. All of them appear, or none. The same
    input gives the same bytes, whatever `chunk` and `workers` are.

    The files may be larger than memory: they are screened in parts of whole pupils. Files that all
    follow the roster are read in step with it; otherwise they are sorted into parts first. A run
    that was killed goes on where it was when it is started again.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    roster : path
        CSV, TSV, Parquet, Arrow or Excel.
    responses : path
        A folder of such files, each named by its slot, or ``wide`` or ``long``; or one file.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    out : path
        A folder, new or not.
    archive_csv : bool
        Whether the archive is also written as CSV.
    columns : mapping, optional
        How columns are named, by slot.
    progress : callable, optional
        Called with one of `STEPS`, how far it is, and out of how much.
    synthetic : bool
        Whether the district is simulated; ``run.json`` then says so.
    chunk : int
        About how many pupils are screened at once.
    workers : int
        How many processes screen them. With several, a script calls this below
        ``if __name__ == "__main__":``.
    temporary : path, optional
        A folder for what the run has to keep meanwhile, which is pupils' answers; by default a
        hidden one beside `out`. It is removed, unless the process is stopped.

    Raises
    ------
    UsageError
        If a path is not there, results would be written among the answers or over an input, or
        another run is at work in the temporary folder.
    ResponseError
        If the roster cannot be read, is empty or lacks a required column. Nothing is written.
    StoppedError
        If one of several processes was stopped. The next run goes on.
    """
    tell = progress or (lambda _step, _done, _total: None)
    when = moment(at, plan.programme.zone)
    roster, responses, out = Path(roster), Path(responses), Path(out)
    _check_paths(roster, responses)
    _check_out(roster, responses, out)
    for name, number in (("chunk", chunk), ("workers", workers)):
        if number < 1:
            msg = f"{name}: 1 or more is expected, not {number}"
            raise UsageError(msg)
    home = work_path(out, temporary)
    if responses.is_dir() and home.is_relative_to(responses.resolve()):
        msg = "temporary: it cannot lie among the answers, or it would be read as such"
        raise UsageError(msg)
    with system_memory(), open_work_folder(home) as work:
        intake = Intake(plan, when, columns, roster, responses, work, chunk)
        basis = _basis(plan, when, columns, intake.inputs())
        work.start({**basis, "archive_csv": archive_csv, "chunk": chunk})
        job, parts = intake.read(tell)
        done = _screen(job, parts, work, workers, tell, archive_csv=archive_csv)
        intake.close()
        earlier = _earlier_outputs(out)
        with whole_folder(out) as folder:
            run = _write(done, basis, intake.problems, folder, tell, synthetic=synthetic)
        for name, record in earlier.items():
            # Left by an earlier run, it would stand beside results that it does not belong to.
            if name not in run.files and fingerprint(out / name) == record:
                (out / name).unlink()
    tell("done", 1, 1)
    return replace(run, folder=out)


def screen_again(
    plan: Plan,
    *,
    roster: str | os.PathLike[str],
    responses: str | os.PathLike[str],
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
) -> Screening:
    """Screen a district from its files as `screen_files` does, in memory, and write nothing.

    Raises
    ------
    UsageError
        If a path is not there.
    ResponseError
        If the roster cannot be read, is empty or lacks a required column.
    """
    roster, responses = Path(roster), Path(responses)
    _check_paths(roster, responses)
    when = moment(at, plan.programme.zone)
    batch = bind_files(plan, when, columns, roster, responses)
    return screen(plan, batch, when)


# -- in -------------------------------------------------------------------------------------------


def _check_paths(roster: Path, responses: Path) -> None:
    for path, what in ((roster, "roster"), (responses, "responses")):
        if not path.exists():
            msg = f"{what}: there is no file or folder {path}"
            raise UsageError(msg)
    if roster.is_dir():
        msg = f"roster: {roster} is a folder, not a file"
        raise UsageError(msg)


def _check_out(roster: Path, responses: Path, out: Path) -> None:
    if out.exists() and not out.is_dir():
        msg = f"out: {out} is a file, not a folder"
        raise UsageError(msg)
    if responses.is_dir() and out.resolve().is_relative_to(responses.resolve()):
        msg = "out: the results cannot be written among the answers, or they would be read as such"
        raise UsageError(msg)
    for path, what in ((roster, "roster"), (responses, "responses")):
        real = path.resolve()
        if real.parent == out.resolve() and real.name.casefold() in OUTPUTS:
            msg = f"{what}: {path} is where {real.name.casefold()} is to be written"
            raise UsageError(msg)


def _earlier_outputs(out: Path) -> dict[str, Any]:
    """Return what an earlier run says that it has written into the folder."""
    try:
        record = json.loads((out / MARKER).read_text("utf-8"))
        listed = {one["name"]: one for one in record["outputs"] if one["name"] in OUTPUTS}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return {name: one for name, one in listed.items() if (out / name).is_file()}


# -- out ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Done:
    """All parts of a run, screened; ledger and archive with name, size and hash."""

    job: Job
    parts: Sequence[PartFiles]
    collected: Mapping[str, dict[str, Any]]
    work: WorkFolder


def _screen(
    job: Job, parts: Parts, work: WorkFolder, workers: int, tell: Progress, *, archive_csv: bool
) -> _Done:
    """Screen all parts, and put what is done into ledger and archive meanwhile."""
    with closing(Collector(work.results, archive_csv=archive_csv)) as collector:
        screened = screen_parts(job, parts, work.done, workers, tell)
        done = list(write_behind(screened, collector.add))
        return _Done(job, done, collector.finish(), work)


def _write(
    done: _Done,
    basis: Mapping[str, Any],
    problems: Spool,
    folder: Path,
    tell: Progress,
    *,
    synthetic: bool,
) -> FolderRun:
    """Put the parts together into the results."""
    job, parts, merge = done.job, done.parts, done.work.merge
    sums = _Sums(parts)
    tell("write", 0, sums.pupils)
    for name in done.collected:
        _put(done.work.results / name, folder / name)
    urgent: dict[str, list[Any]] = {}
    reasons: Counter[str] = Counter()
    listed = to_match = 0
    with HashedFile(folder / "urgent.csv") as urgent_file:
        for columns in merge_urgent(parts, merge, urgent_file):
            urgent = urgent or {name: cells[:_LISTED] for name, cells in columns.items()}
            reasons.update(columns["why"])
            listed += len(columns["rank"])
            to_match += sum(matched != "yes" for matched in columns["matched"])
    with HashedFile(folder / "unmatched.jsonl") as unmatched_file:
        merge_unmatched(parts, merge, unmatched_file)
    with HashedFile(folder / "problems.csv") as problems_file:
        found = _write_problems(done, problems, sums, problems_file)
    written = [urgent_file.record(), unmatched_file.record(), problems_file.record()]
    outputs = {**done.collected, **{one["name"]: one for one in written}}
    record = {
        **_record(job, basis, sums, synthetic=synthetic),
        "urgent": listed,
        "problems": found.record(),
        "entries": {"number": sums.pupils, "merkle_root": entries_root(parts, merge)},
        "outputs": [outputs[name] for name in OUTPUTS if name in outputs],
    }
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (folder / MARKER).write_bytes(text.encode())
    tell("write", sums.pupils, sums.pupils)
    return FolderRun(
        plan=job.plan,
        folder=folder,
        files=tuple(name for name in OUTPUTS if name in outputs or name == MARKER),
        problems=tuple(found.examples),
        urgent=urgent,
        urgent_reasons=reasons,
        to_match=to_match,
        tiers_by_school=sums.tiers_by_school,
        record=record,
    )


def _put(file: Path, place: Path) -> None:
    """Give a file a second name, so that a run that is stopped now has it still, or copy it."""
    try:
        os.link(file, place)
    except OSError:  # on another disk, or a disk that knows no second names
        shutil.copyfile(file, place)


def _write_problems(done: _Done, problems: Spool, sums: _Sums, file: BinaryIO) -> ProblemCounts:
    """Write what was wrong with the files, with what is in them, and what looks implausible."""
    merge = done.work.merge
    shares = judge_all_shares(done.job.plan.programme, done.parts, merge)
    problems.extend(problem_record(one, done.job.roster.name) for one in shares)
    problems.flush()
    runs = [*problems.runs, *(part.run("problems") for part in done.parts)]
    return write_problems(read_problems(merge_runs(runs, merge), sums.tally), file)


class _Sums:
    """What the counts of all parts add up to."""

    def __init__(self, parts: Sequence[PartFiles]) -> None:
        self.pupils = self.forms = self.unmatched = not_evaluated = 0
        self.screen_tiers = np.zeros(len(ScreenTier), dtype=np.int64)
        self.tally: Counter[tuple[str, str, str]] = Counter()
        self.due_days: set[dt.date] = set()
        schools: dict[str, list[int]] = {}
        for part in parts:
            one = part.summary()
            self.pupils += one["pupils"]
            self.forms += one["forms"]
            self.unmatched += one["unmatched"]
            not_evaluated += one["not_evaluated"]
            self.screen_tiers += np.array(one["screen_tiers"], dtype=np.int64)
            self.due_days.update(map(dt.date.fromisoformat, one["due_days"]))
            for *key, number in one["tally"]:
                self.tally[key[0], key[1], key[2]] += number
            for school, tiers in one["tiers_by_school"].items():
                before = schools.get(school, [0] * len(tiers))
                schools[school] = [a + b for a, b in zip(before, tiers, strict=True)]
        self.tiers_by_school = dict(sorted(schools.items()))
        if not_evaluated > MOST_ERRORS:
            msg = (
                f"{not_evaluated} pupils could not be evaluated: more than {MOST_ERRORS}, so that "
                "the fault is not theirs"
            )
            raise MhscreenError(msg)


def _basis(
    plan: Plan,
    at: np.datetime64,
    columns: Mapping[str, ColumnNames] | None,
    inputs: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the results rest on, as ``run.json`` says it."""
    policy = plan.policy
    return {
        "engine": __version__,
        "programme": plan.programme.ref,
        "policy": {
            "ref": policy.ref,
            "status": "unsigned default" if policy.approved_by is None else "signed",
            "approved_by": policy.approved_by,
            "approved_on": None if policy.approved_on is None else str(policy.approved_on),
        },
        "definitions": dict(sorted(plan.pins.items())),
        "definitions_digest": plan.pins_digest,
        "at": local_times(plan.programme.zone, np.array([at]))[0],
        "cycle_id": find_cycle(plan.programme, at).id,
        "columns": _plain(columns),
        "inputs": inputs,
    }


def _record(job: Job, basis: Mapping[str, Any], sums: _Sums, *, synthetic: bool) -> dict[str, Any]:
    """Return what ``run.json`` says about where the results come from."""
    import pyarrow as pa

    return {
        "schema": _SCHEMA,
        "run_id": digest(canonical_json(basis)),
        "synthetic": SYNTHETIC if synthetic else None,
        **basis,
        # Floats, the bytes of Parquet files, and days that are not announced yet, are promised for
        # one set of versions only.
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pyarrow": pa.__version__,
            "chinesecalendar": version("chinesecalendar"),
            "holidays": version("holidays"),
        },
        "pupils": sums.pupils,
        "forms": sums.forms,
        "unmatched": sums.unmatched,
        "screen_tiers": dict(zip(map(str, ScreenTier), sums.screen_tiers.tolist(), strict=True)),
        # A due date of a year whose holidays are not announced yet may still move.
        "calendar": {
            year: str(status)
            for year, status in calendars_used(job.plan.programme, sums.due_days).items()
        },
    }


def _plain(columns: Mapping[str, ColumnNames] | None) -> dict[str, Any] | None:
    if columns is None:
        return None
    return {slot: x if isinstance(x, str) else dict(x) for slot, x in sorted(columns.items())}


# -- the synthetic district, and reading a ledger -------------------------------------------------


def write_district(
    plan: Plan, pupils: int, *, seed: int, on: dt.date, folder: str | os.PathLike[str]
) -> tuple[Path, Path]:
    """Simulate a district and write its files, as a school would hand them in.

    Parameters
    ----------
    plan : Plan
        The programme.
    pupils : int
        How many pupils.
    seed : int
        The same seed gives the same files.
    on : date
        When the forms are filled in.
    folder : path
        Where; made if it is not there.

    Returns
    -------
    roster, responses : Path
        ``pupils.csv``, and the folder ``answers`` with one file per slot.
    """
    made = simulate_pupils(plan, pupils, np.random.default_rng(seed), on=on)
    folder = Path(folder)
    with whole_folder(folder) as staging:
        write_csv(made.roster, staging / "pupils.csv")
        (staging / "answers").mkdir()
        for slot, columns in made.responses.items():
            write_csv(columns, staging / "answers" / f"{slot}.csv")
    return folder / "pupils.csv", folder / "answers"


def find_entry(ledger: str | os.PathLike[str], pupil: str) -> dict[str, Any]:
    """Return the current screening entry of a pupil from a ledger file.

    Of several the last one that no other supersedes.

    Parameters
    ----------
    ledger : path
        A ``ledger.jsonl``.
    pupil : str
        The pupil's reference.

    Raises
    ------
    UsageError
        If the file is not there or is no ledger, or has no entry of this pupil.
    """
    wanted = f'"pupil_ref":{canonical_json(pupil)}'.encode()
    found: list[dict[str, Any]] = []
    try:
        with Path(ledger).open("rb") as file:
            for line in file:
                if wanted in line:
                    entry = json.loads(line)
                    if entry.get("pupil_ref") == pupil and entry.get("entry_type") == "screening":
                        found.append(entry)
    except OSError as error:
        msg = f"{ledger} cannot be opened: {error.strerror}"
        raise UsageError(msg) from error
    except ValueError as error:
        msg = f"{ledger} is not a ledger: one of its lines is not JSON"
        raise UsageError(msg) from error
    replaced = {entry.get("supersedes") for entry in found}
    current = [entry for entry in found if entry["entry_id"] not in replaced]
    if not current:
        msg = f"{ledger} has no screening entry of {pupil}"
        raise UsageError(msg)
    return current[-1]
