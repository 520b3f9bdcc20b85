"""Fragments: a district in folders of whole pupils, each screened where it lies.

A fragment is a folder with a roster and answers, laid out as for `mhscreen.screen_files`, and
holds all that its pupils have handed in. A task reads one, screens it and writes its part of
ledger and archive; no row goes through the engine that runs the tasks, which gets numbers and
gives numbers back. What a whole run alone can tell is put together at the end: who must be seen
first, which forms match nobody, what share of a school is flagged, and whether each pupil really
is in one fragment only.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import shutil
from collections import Counter
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen._version import __version__
from mhscreen.atomic import MARKER, whole_folder
from mhscreen.entries.canonical import canonical_json, digest
from mhscreen.interop.files import open_folder, open_source, write_parquet
from mhscreen.interop.headless import find_headless, read_headless
from mhscreen.interop.merged import entries_root, judge_all_shares, merge_unmatched, merge_urgent
from mhscreen.interop.part import Job, PartFiles, bind_part, screen_to_files
from mhscreen.interop.partition import ROSTER, RosterIndex, hash_names
from mhscreen.interop.pool import WORKER_STOPPED
from mhscreen.interop.problem_file import problem_record, read_problems, write_problems
from mhscreen.interop.sorted_lines import merge_runs, write_run
from mhscreen.interop.subjects import row_names
from mhscreen.interop.text import fingerprint
from mhscreen.problems import (
    MhscreenError,
    ProblemLog,
    ResponseError,
    StoppedError,
    UsageError,
)
from mhscreen.steps.cells import moment
from mhscreen.steps.emit import find_cycle, local_times
from mhscreen.steps.identity import Candidates, Claim, says_who
from mhscreen.steps.roster import read_roster
from mhscreen.steps.screen import MOST_ERRORS
from mhscreen.steps.tables import Table, concatenate, take_rows
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mhscreen.interop.files import Source
    from mhscreen.interop.problem_file import ProblemCounts
    from mhscreen.plan.plan import Plan
    from mhscreen.problems import Problem
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames

__all__ = [
    "Fragment",
    "FragmentRun",
    "FragmentTask",
    "Looked",
    "find_fragments",
    "in_processes",
    "screen_fragments",
]

_ROSTER_STEM, _ANSWERS = "pupils", "answers"
_SCHEMA = "mhscreen/fragments/1"
_PREFIXES = 64  # in which references are compared, so that few are in memory at once
_LEDGER, _ARCHIVE = "ledger", "archive"
_OWN = (f"{_LEDGER}.jsonl", f"{_ARCHIVE}.parquet")
_MERGED = ("urgent.csv", "unmatched.jsonl", "problems.csv")
_RECORD = "record.json"


class Fragment(NamedTuple):
    """Where a fragment lies: everywhere the same path, on a disk that every machine sees."""

    name: str
    roster: str
    responses: str


@dataclass(frozen=True, repr=False)
class Looked:
    """What a task found.

    Attributes
    ----------
    pupils : int
        How many were entered; none where that has to wait.
    claims : frozenset of Claim
        What forms say of who filled them in, where that is not the pupil whom they name.
    """

    pupils: int
    claims: frozenset[Claim]

    def __repr__(self) -> str:
        return f"<Looked: {self.pupils} pupils, {len(self.claims)} claims>"


def find_fragments(folder: str | os.PathLike[str]) -> list[Fragment]:
    """Return the fragments in a folder, in the order of their names.

    Each is a folder with a roster ``pupils.*`` and a folder ``answers``.

    Raises
    ------
    UsageError
        If there is none, or one of them lacks something.
    """
    fragments = []
    home = Path(folder).resolve()
    inside = home.iterdir() if home.is_dir() else ()
    for place in sorted(inside, key=lambda place: place.name):
        if not place.is_dir() or place.name.startswith((".", "_")):
            continue
        rosters = [file for file in place.iterdir() if file.stem == _ROSTER_STEM]
        answers = place / _ANSWERS
        if len(rosters) != 1 or not answers.is_dir():
            msg = f"{place.name} is no fragment: it needs one file pupils.* and a folder answers"
            raise UsageError(msg)
        fragments.append(Fragment(place.name, str(rosters[0]), str(answers)))
    if not fragments:
        msg = f"there is no fragment in {folder}: folders with pupils.* and answers are expected"
        raise UsageError(msg)
    return fragments


# -- a task -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class FragmentTask:
    """Screens one fragment after the other; pickled once, it holds the plan with its checksums.

    Attributes
    ----------
    plan : Plan
        The compiled programme.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    columns : mapping or None
        How columns are named, by slot.
    fragments : tuple of Fragment
        In the order of the roster.
    work : str
        The folder for what is done, on a disk that every machine sees.
    claims : frozenset of Claim
        What forms of all fragments say that are not by the pupil they name.
    candidates : Candidates or None
        Whom those may be by; None where nobody has looked.
    """

    plan: Plan
    at: np.datetime64
    columns: Mapping[str, ColumnNames] | None
    fragments: tuple[Fragment, ...]
    work: str
    claims: frozenset[Claim] = frozenset()
    candidates: Candidates | None = None

    def __repr__(self) -> str:
        # An engine may log it.
        return f"<FragmentTask: {len(self.fragments)} fragments, {self.plan.programme.ref}>"

    def done(self, number: int) -> PartFiles:
        """Return where a fragment's results are when it is done."""
        return PartFiles(Path(self.work, f"{number:06d}"))

    def screen(self, number: int) -> Looked:
        """Screen a fragment, unless it is done or has to wait for what the others say."""
        done = self.done(number)
        if done.folder.exists():
            return Looked(int(done.summary()["pupils"]), frozenset())
        read = _Read(self, self.fragments[number])
        job = read.job
        if self.candidates is not None:
            job = replace(job, candidates=self.candidates)
        elif any(says_who(table) for number, table in read.tables.items() if number != ROSTER):
            claims = bind_part(job, read.tables).claims
            if claims:
                return Looked(0, frozenset(claims))
        # Two machines may be at the same fragment: an engine starts slow tasks a second time.
        attempt = Path(mkdtemp(prefix=f".{number:06d}.", dir=self.work))
        try:
            part = PartFiles(attempt / done.folder.name)
            screen_to_files(job, read.tables, part.folder)
            _finish(part, read)
            part.folder.rename(done.folder)
        except OSError:
            if not done.folder.exists():  # else the other was faster, with the same bytes
                raise
        finally:
            shutil.rmtree(attempt, ignore_errors=True)
        return Looked(int(done.summary()["pupils"]), frozenset())

    def look(self, number: int) -> Candidates:
        """Return whom of a fragment's pupils forms of all fragments may be by."""
        found = Candidates(self.claims)
        roster = _Read(self, self.fragments[number], answers=False).tables[ROSTER]
        found.look_at(read_roster(self.plan, roster, ProblemLog()))
        return found


class _Read:
    """A fragment in memory.

    Attributes
    ----------
    tables : dict of int to Table
        Under `ROSTER` the roster, then the answers; all named by their fragment and file.
    job : Job
        What the fragment is screened with.
    log : ProblemLog
        What was wrong with its files.
    fragment : Fragment
        Where it lies.
    """

    def __init__(self, task: FragmentTask, fragment: Fragment, *, answers: bool = True) -> None:
        self.log = ProblemLog()
        self.fragment = fragment
        roster = self._whole(self._parts(open_source(fragment.roster, self.log)))
        if roster is None or not roster.rows + len(roster.broken_rows):
            raise ResponseError([self._named(problem) for problem in self.log])
        self.tables = {ROSTER: roster}
        stems: list[str] = []
        for source in open_folder(fragment.responses, self.log) if answers else ():
            table = self._answers(task, source, roster)
            if table is not None:
                self.tables[len(stems)] = table
                stems.append(source.stem)
        head = take_rows(roster, np.empty(0, dtype=np.int64))
        self.job = Job(task.plan, task.at, task.columns, head, tuple(stems))
        self.log.problems[:] = [self._named(problem) for problem in self.log]

    def _answers(self, task: FragmentTask, source: Source, roster: Table) -> Table | None:
        parts = self._parts(source)
        first = next(parts, None)
        if first is None:
            return None
        problem = find_headless(task.plan, source.stem, first, task.columns)
        if problem is not None:
            self.log.problems.append(problem)
            known = RosterIndex([roster]).hashes
            return self._whole(read_headless(source, known))
        return self._whole((first, *parts))

    def _parts(self, source: Source | None) -> Iterator[Table]:
        return iter(()) if source is None else source.read(self.log)

    def _whole(self, parts: Iterable[Table]) -> Table | None:
        found = [*parts]
        if not found:
            return None
        table = concatenate(found)
        return replace(table, name=f"{self.fragment.name}/{table.name}")

    def _named(self, problem: Problem) -> Problem:
        """Name a problem by its fragment, too: every fragment has a file of that name."""
        return problem.at(file=f"{self.fragment.name}/{problem.file}") if problem.file else problem

    def references(self) -> list[str]:
        """Return all references in the fragment, each once.

        What a row that could not be read only seems to name is none: it may as well be a total.
        """
        every: set[str] = set()
        for table in self.tables.values():
            unnamed = f"{table.name}:"  # of a row that does not say whose it is
            every.update(name for name in row_names(table) if not name.startswith(unnamed))
            every.update(row.subject for row in table.broken_rows if not row.guessed)
        return sorted(every - {""})


def _finish(part: PartFiles, read: _Read) -> None:
    """Add to the files of a part what the whole run needs of a fragment."""
    import pyarrow as pa

    with pa.memory_map(str(part.archive)) as file:
        rows = pa.ipc.open_file(file).read_all()
        columns = dict(zip(rows.column_names, rows.columns, strict=True))
        write_parquet(columns, part.folder / f"{_ARCHIVE}.parquet")
    part.archive.unlink()
    part.lines.unlink()
    np.save(part.folder / "names.npy", np.unique(hash_names(read.references())))
    said = (problem_record(problem, read.job.roster.name) for problem in read.log)
    write_run(said, part.run("files"))
    record = {
        "inputs": [fingerprint(file) for file in _files(read.fragment)],
        "outputs": [fingerprint(part.folder / name) for name in _OWN],
    }
    (part.folder / _RECORD).write_text(json.dumps(record), "utf-8")


# -- the whole run ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class FragmentRun:
    """A run on fragments.

    Attributes
    ----------
    plan : Plan
        The compiled programme.
    folder : Path
        Where the results are.
    record : dict
        What stands in ``run.json``.
    """

    plan: Plan
    folder: Path
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<FragmentRun: {self.folder}, {len(self.record['fragments'])} fragments>"


def in_processes(workers: int) -> Callable[[Callable[[int], Any], int], list[Any]]:
    """Return what runs tasks in processes of this machine.

    Parameters
    ----------
    workers : int
        How many. A script calls `screen_fragments` below ``if __name__ == "__main__":``.
    """
    if workers < 1:
        msg = f"workers: 1 or more is expected, not {workers}"
        raise UsageError(msg)
    return partial(_run_in_processes, workers)


def _run_in_processes(workers: int, call: Callable[[int], Any], number: int) -> list[Any]:
    if workers == 1:
        return [call(one) for one in range(number)]
    # Spawned, not forked: the threads of the libraries do not survive a fork.
    pool = ProcessPoolExecutor(
        workers, get_context("spawn"), initializer=_prepare, initargs=(pickle.dumps(call),)
    )
    with pool:
        try:
            return list(pool.map(_call, range(number)))
        except BrokenExecutor as error:
            raise StoppedError(WORKER_STOPPED) from error


_CALLS: list[Callable[[int], Any]] = []  # of this process, which has no other


def _prepare(call: bytes) -> None:
    _CALLS[:] = [pickle.loads(call)]  # noqa: S301 - from the process that started this one


def _call(number: int) -> Any:
    return _CALLS[0](number)


def screen_fragments(
    plan: Plan,
    fragments: Sequence[Fragment],
    *,
    at: Moment,
    out: str | os.PathLike[str],
    run: Callable[[Callable[[int], Any], int], list[Any]],
    columns: Mapping[str, ColumnNames] | None = None,
) -> FragmentRun:
    """Screen fragments, each where it lies, and put together what the whole run tells.

    Written are ``ledger/<fragment>.jsonl`` and ``archive/<fragment>.parquet``, which one after
    the other are ledger and archive of `mhscreen.screen_files` on the whole district, to the byte
    and to the row; ``urgent.csv``, ``unmatched.jsonl`` and ``problems.csv`` of the whole run, in
    which a file is named with its fragment; and ``run.json``. All of them appear, or none. A run
    that was stopped goes on where it was; what it has done so far, entries of pupils, waits in
    the hidden folder ``.<out>.work`` beside `out`.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    fragments : sequence of Fragment
        In the order of the roster; see `find_fragments`.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    out : path
        A folder that is not there yet or is empty, on a disk that every machine sees.
    run : callable
        What the engine does: see `in_processes`, `mhscreen.interop.spark.on_spark` and
        `mhscreen.interop.dask.on_dask`.
    columns : mapping, optional
        How columns are named, by slot.

    Raises
    ------
    UsageError
        If two fragments have one name, `out` is not empty, or a reference stands in two
        fragments: a pupil's forms must be together before they are screened.
    ResponseError
        If a roster cannot be read, is empty or lacks a required column. Nothing is written.
    """
    out = Path(out).resolve()
    names = [fragment.name for fragment in fragments]
    if len({*names}) != len(names) or not names:
        msg = "fragments: one or more are expected, each with a name of its own"
        raise UsageError(msg)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"out: {out} is not empty; results of other fragments would stand beside these"
        raise UsageError(msg)
    when = moment(at, plan.programme.zone)
    basis = _basis(plan, when, columns)
    work = _open_work(out, [basis, *map(_stamps, fragments)])
    task = FragmentTask(plan, when, columns, tuple(fragments), str(work / "alone"))
    try:
        task = _screen_all(task, run)
        parts = [task.done(number) for number in range(len(names))]
        _check_names(task, parts)
        with whole_folder(out) as folder:
            record = _write(task, parts, work / "merge", folder, basis)
    except StoppedError:  # the next run goes on
        raise
    except MhscreenError:  # the files must be mended first: what is done is of no use
        shutil.rmtree(work)
        raise
    shutil.rmtree(work)
    return FragmentRun(plan, out, record)


def _screen_all(
    task: FragmentTask, run: Callable[[Callable[[int], Any], int], list[Any]]
) -> FragmentTask:
    """Run the tasks; return the one by which every fragment is done."""
    number = len(task.fragments)
    claims = frozenset(claim for one in run(task.screen, number) for claim in one.claims)
    if not claims:
        return task
    # Whom a form may be by can stand in any fragment: nobody is screened before all are asked.
    task = replace(task, claims=claims)
    found = Candidates(claims)
    for one in run(task.look, number):
        found.join(one)
    task = replace(task, work=str(Path(task.work).with_name("together")), candidates=found)
    run(task.screen, number)
    return task


def _open_work(out: Path, basis: object) -> Path:
    """Return the folder for what is done; what another run has left in it is removed."""
    work = out.parent / f".{out.name}.work"
    key = json.dumps(basis, sort_keys=True)
    place = work / "run.key.json"
    if not place.exists() or place.read_text("utf-8") != key:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700, parents=True)
        place.write_text(key, "utf-8")
    for name in ("alone", "together", "merge"):
        (work / name).mkdir(exist_ok=True)
    return work


def _basis(
    plan: Plan, at: np.datetime64, columns: Mapping[str, ColumnNames] | None
) -> dict[str, Any]:
    """Return what the results rest on, beside the files."""
    return {
        "engine": __version__,
        "programme": plan.programme.ref,
        "definitions": dict(sorted(plan.pins.items())),
        "definitions_digest": plan.pins_digest,
        "at": local_times(plan.programme.zone, np.array([at]))[0],
        "cycle_id": find_cycle(plan.programme, at).id,
        "columns": {
            slot: names if isinstance(names, str) else dict(names)
            for slot, names in sorted((columns or {}).items())
        },
    }


def _files(fragment: Fragment) -> list[Path]:
    answers = sorted(Path(fragment.responses).iterdir(), key=lambda file: file.name)
    files = [file for file in answers if file.is_file() and not file.name.startswith((".", "~$"))]
    return [Path(fragment.roster), *files]


def _stamps(fragment: Fragment) -> list[Any]:
    """Return what tells whether a file was changed, without reading it."""
    found = [(file, file.stat()) for file in _files(fragment)]
    return [fragment, *((str(file), one.st_size, one.st_mtime_ns) for file, one in found)]


def _check_names(task: FragmentTask, parts: Sequence[PartFiles]) -> None:
    """Refuse fragments that are not of whole pupils."""
    hashes = [np.load(part.folder / "names.npy", mmap_mode="r") for part in parts]
    edges = [np.uint64(one << 58) for one in range(1, _PREFIXES)]
    cuts = [[0, *np.searchsorted(one, edges).tolist(), len(one)] for one in hashes]
    for prefix in range(_PREFIXES):
        here = [one[cut[prefix] : cut[prefix + 1]] for one, cut in zip(hashes, cuts, strict=True)]
        found, often = np.unique(np.concatenate(here), return_counts=True)
        twice = found[often > 1]
        if len(twice):
            where = [place for place, one in enumerate(here) if np.isin(twice[0], one)]
            first = task.fragments[where[0]], task.fragments[where[1]]
            names = {name for fragment in first for name in _references(task, fragment, twice[0])}
            msg = (
                f"fragments: a reference stands in two of them ({', '.join(sorted(names))} in "
                f"{first[0].name} and {first[1].name}); all that a pupil handed in, and the "
                "pupil's line of the roster, belong into one fragment"
            )
            raise UsageError(msg)


def _references(task: FragmentTask, fragment: Fragment, wanted: np.uint64) -> list[str]:
    names = _Read(task, fragment).references()
    return [name for name, one in zip(names, hash_names(names), strict=True) if one == wanted]


def _write(
    task: FragmentTask,
    parts: Sequence[PartFiles],
    merging: Path,
    folder: Path,
    basis: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the results; return what stands in ``run.json``."""
    for fragment, part in zip(task.fragments, parts, strict=True):
        _give(part.ledger, folder / _LEDGER / f"{fragment.name}.jsonl")
        _give(part.folder / "archive.parquet", folder / _ARCHIVE / f"{fragment.name}.parquet")
    with (folder / "urgent.csv").open("wb") as file:
        urgent = sum(len(rows["rank"]) for rows in merge_urgent(parts, merging, file))
    with (folder / "unmatched.jsonl").open("wb") as file:
        merge_unmatched(parts, merging, file)
    summaries = [part.summary() for part in parts]
    problems = _write_problems(task, parts, summaries, merging, folder / "problems.csv")
    tiers = np.sum([one["screen_tiers"] for one in summaries], axis=0).tolist()
    pupils = sum(one["pupils"] for one in summaries)
    record = {
        "schema": _SCHEMA,
        "run_id": digest(canonical_json(basis)),
        **basis,
        "libraries": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "pyarrow": version("pyarrow"),
        },
        "fragments": [
            {
                "name": fragment.name,
                "pupils": one["pupils"],
                **json.loads((part.folder / _RECORD).read_text("utf-8")),
            }
            for fragment, part, one in zip(task.fragments, parts, summaries, strict=True)
        ],
        "pupils": pupils,
        "forms": sum(one["forms"] for one in summaries),
        "unmatched": sum(one["unmatched"] for one in summaries),
        "screen_tiers": dict(zip(map(str, ScreenTier), tiers, strict=True)),
        "urgent": urgent,
        "problems": problems.record(),
        "entries": {"number": pupils, "merkle_root": entries_root(parts, merging)},
        "outputs": [fingerprint(folder / name) for name in _MERGED],
    }
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    (folder / MARKER).write_bytes(text.encode())
    return record


def _write_problems(
    task: FragmentTask,
    parts: Sequence[PartFiles],
    summaries: Sequence[Mapping[str, Any]],
    merging: Path,
    path: Path,
) -> ProblemCounts:
    """Write what was wrong with files and rows, and what looks implausible over all of them."""
    not_evaluated = sum(one["not_evaluated"] for one in summaries)
    if not_evaluated > MOST_ERRORS:
        msg = f"{not_evaluated} pupils could not be evaluated: the fault is not theirs"
        raise MhscreenError(msg)
    tally: Counter[tuple[str, str, str]] = Counter()
    for one in summaries:
        tally.update({(what, file, slot): count for what, file, slot, count in one["tally"]})
    shares = judge_all_shares(task.plan.programme, parts, merging)
    write_run((problem_record(one, "") for one in shares), merging / "implausible.jsonl")
    runs = [part.run(name) for part in parts for name in ("files", "problems")]
    records = merge_runs([merging / "implausible.jsonl", *runs], merging)
    with path.open("wb") as file:
        return write_problems(read_problems(records, tally), file)


def _give(file: Path, place: Path) -> None:
    """Give a file a second name, or copy it; a run that is stopped now has it still."""
    place.parent.mkdir(exist_ok=True)
    try:
        os.link(file, place)
    except OSError:  # a disk that knows no second names
        shutil.copyfile(file, place)
