"""The main job on files: a roster and a folder of answers in, a folder of results out."""

from __future__ import annotations

import hashlib
import json
import platform
import unicodedata
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen._version import __version__
from mhscreen.atomic import MARKER, whole_folder
from mhscreen.entries.canonical import canonical_json, digest, merkle_root
from mhscreen.interop.files import read_folder, read_table, write_csv, write_parquet
from mhscreen.problems import Problem, ProblemLog, ResponseError, UsageError
from mhscreen.simulation import simulate_pupils
from mhscreen.steps.bind import bind
from mhscreen.steps.calendar import calendars_used
from mhscreen.steps.cells import local_moments, map_column, moment
from mhscreen.steps.columns import has_known_heading, no_heading_row
from mhscreen.steps.emit import local_times
from mhscreen.steps.result_columns import problem_columns, triage_columns
from mhscreen.steps.roster import parse_subject, subject_column
from mhscreen.steps.screen import screen
from mhscreen.steps.shares import tiers_by_school
from mhscreen.steps.tables import BrokenRow, Table, encode
from mhscreen.steps.urgent import unmatched_items, urgent_columns, wrong_stage_pupils
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Callable, Mapping, Sequence

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.screen import Screening

    Progress = Callable[[str, int, int], None]

__all__ = ["OUTPUTS", "FolderRun", "find_entry", "screen_again", "screen_files", "write_district"]

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

STEPS = ("read", "bind", "screen", "urgent", "ledger", "archive", "done")
"""What `screen_files` says that it is doing, in this order."""

SYNTHETIC = "模拟数据 synthetic data: nobody in it exists"
_SCHEMA = "mhscreen/run/1"
_REPORT_EVERY = 4096  # entries
_BYTES = 1 << 20


@dataclass(frozen=True, eq=False, repr=False)
class FolderRun:
    """A run on files.

    Attributes
    ----------
    screening : Screening
        Tiers, entries, and the forms that match no pupil.
    folder : Path
        Where the results are.
    files : tuple of str
        Their names.
    problems : tuple of Problem
        What was wrong with the files and with what is in them, and what looks implausible.
    urgent : dict of str to list
        What stands in ``urgent.csv``.
    record : dict
        What stands in ``run.json``.
    """

    screening: Screening
    folder: Path
    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    urgent: Mapping[str, list[Any]]
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<FolderRun: {self.folder}, {self.screening.plan.programme.ref}>"

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are not mere warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def tiers_by_school(self) -> dict[str, list[int]]:
        """The number of pupils by school and `ScreenTier`."""
        return tiers_by_school(self.screening.triage)


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
) -> FolderRun:
    """Screen a district: read its files, and write what follows into a folder.

    Written are ``urgent.csv`` (当日约谈名单: who must be seen today), ``archive.parquet`` (one row
    per pupil on the roster), ``ledger.jsonl`` (one screening entry per pupil),
    ``unmatched.jsonl``, ``problems.csv`` and ``run.json``. All of them appear, or none. The same
    input gives the same bytes.

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

    Raises
    ------
    UsageError
        If a path is not there, or results would be written among the answers or over an input.
    ResponseError
        If the roster cannot be read, is empty or lacks a required column. Nothing is written.
    """
    tell = progress or (lambda _step, _done, _total: None)
    when = moment(at, plan.programme.zone)
    roster, responses, out = Path(roster), Path(responses), Path(out)
    _check_paths(roster, responses)
    _check_out(roster, responses, out)
    screening, problems = _screen(plan, roster, responses, when, columns, tell)
    inputs = _inputs(roster, responses)
    earlier = _earlier_outputs(out)
    with whole_folder(out) as folder:
        tell("urgent", 0, 1)
        urgent = urgent_columns(screening)
        write_csv(urgent, folder / "urgent.csv", for_people=True)
        ledger = _write_ledger(screening, folder, tell)
        tell("archive", 0, 1)
        _write_archive(screening, folder, as_csv=archive_csv)
        write_csv(problem_columns(problems), folder / "problems.csv", for_people=True)
        files = [name for name in OUTPUTS if (folder / name).exists()]
        record = {
            **_record(screening, inputs, columns, synthetic=synthetic),
            "urgent": len(urgent["rank"]),
            "problems": _problem_counts(problems),
            "entries": ledger,
            "outputs": [_fingerprint(folder / name) for name in files],
        }
        text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        (folder / MARKER).write_bytes(text.encode())
    for name in earlier - {*files, MARKER}:
        # Left by an earlier run, it would stand beside results that it does not belong to.
        (out / name).unlink(missing_ok=True)
    tell("done", 1, 1)
    return FolderRun(screening, out, (*files, MARKER), problems, urgent, record)


def screen_again(
    plan: Plan,
    *,
    roster: str | os.PathLike[str],
    responses: str | os.PathLike[str],
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
) -> Screening:
    """Screen a district from its files as `screen_files` does, and write nothing.

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
    return _screen(plan, roster, responses, when, columns, lambda _step, _done, _total: None)[0]


# -- in -------------------------------------------------------------------------------------------


def _screen(
    plan: Plan,
    roster: Path,
    responses: Path,
    when: np.datetime64,
    columns: Mapping[str, ColumnNames] | None,
    tell: Progress,
) -> tuple[Screening, tuple[Problem, ...]]:
    """Read the files and screen; return also what was wrong with them and what is in them."""
    tell("read", 0, 1)
    log = ProblemLog()
    pupils = read_table(roster, log)
    if pupils is None or not (pupils.rows or pupils.broken_rows):
        raise ResponseError(log)
    answers = _read_answers(roster, responses, log)
    answers = _find_headless(plan, pupils, answers, columns, log)
    tell("bind", 0, 1)
    try:
        batch = bind(plan, pupils, answers, at=when, columns=columns, on_problem="report")
    except ResponseError as error:
        # Without the column, what is wrong with each line says nothing.
        lacking = (problem for problem in error.problems if problem.row is None)
        raise ResponseError((*log, *lacking)) from error
    tell("screen", 0, 1)
    screening = screen(plan, batch, when)
    # An empty table is found in reading and in binding alike, and said once.
    return screening, tuple(dict.fromkeys((*log, *screening.problems)))


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


def _read_answers(roster: Path, responses: Path, log: ProblemLog) -> list[tuple[str, Table]]:
    """Read the answers; a roster that lies among them is no questionnaire."""
    own = ProblemLog()
    tables = read_folder(responses, own)
    if responses.is_dir() and roster.resolve().parent == responses.resolve():
        tables = [(stem, table) for stem, table in tables if table.name != roster.name]
        log.extend(problem for problem in own if problem.file != roster.name)
    else:
        log.extend(own)
    return tables


def _find_headless(
    plan: Plan,
    pupils: Table,
    answers: list[tuple[str, Table]],
    columns: Mapping[str, ColumnNames] | None,
    log: ProblemLog,
) -> list[tuple[str, Table]]:
    """Replace each table without a heading row by broken rows: no answer in it has a question."""
    checked = []
    for stem, table in answers:
        key = unicodedata.normalize("NFKC", stem).strip().casefold()
        slot = plan.slot(key)
        forms = plan.forms if slot < 0 else (plan.forms[slot],)
        if key == "long":
            forms = ()
        if has_known_heading(table, forms, columns, own=slot >= 0):
            checked.append((stem, table))
            continue
        # What reading said of this file was said of headings that are none.
        log.problems[:] = [
            problem
            for problem in log
            if problem.file != table.name or problem.code in {"MH601", "MH602"}
        ]
        log.extend([no_heading_row(table, forms)])
        checked.append((stem, _as_broken_rows(table, _subjects(pupils))))
    return checked


def _subjects(pupils: Table) -> frozenset[str]:
    heading = subject_column(pupils)
    if heading is None:
        return frozenset()
    subjects, _ = map_column(pupils.columns[heading], parse_subject, None, "O")
    return frozenset(subjects.tolist()) - {None}


def _as_broken_rows(table: Table, subjects: frozenset[str]) -> Table:
    """Return no rows but broken ones, each of the pupil whom its likeliest column names."""
    best = np.full(table.rows + 1, "", dtype=object)
    for heading, column in table.columns.items():
        lines = encode([heading, *column.cells()])
        found, _ = map_column(lines, parse_subject, None, "O")
        named = np.array([one if one in subjects else "" for one in found.tolist()], dtype=object)
        if (named != "").sum() > (best != "").sum():
            best = named
    numbers = [1, *(table.row_number(row) + 1 for row in range(table.rows))]
    broken = [BrokenRow(number, one) for number, one in zip(numbers, best.tolist(), strict=True)]
    broken += [replace(row, row=row.row + 1) for row in table.broken_rows]
    return Table(table.name, {}, 0, broken_rows=tuple(broken))


def _inputs(roster: Path, responses: Path) -> dict[str, Any]:
    """Return name, size and hash of each file that was read."""
    files = [responses]
    if responses.is_dir():
        files = [
            file
            for file in responses.iterdir()
            if file.is_file()
            and not file.name.startswith((".", "~$"))
            and file.resolve() != roster.resolve()
        ]
    return {
        "roster": _fingerprint(roster),
        "responses": [_fingerprint(file) for file in sorted(files, key=lambda file: file.name)],
    }


def _fingerprint(file: Path) -> dict[str, Any]:
    found = hashlib.sha256()
    with file.open("rb") as handle:
        while part := handle.read(_BYTES):
            found.update(part)
        size = handle.tell()
    return {"name": file.name, "bytes": size, "sha256": found.hexdigest()}


def _earlier_outputs(out: Path) -> set[str]:
    """Return what an earlier run wrote into the folder, and nobody has changed since."""
    try:
        record = json.loads((out / MARKER).read_text("utf-8"))
        listed = {one["name"]: one for one in record["outputs"] if one["name"] in OUTPUTS}
    except (OSError, ValueError, TypeError, KeyError):
        return set()
    there = {name for name in listed if (out / name).is_file()}
    return {name for name in there if _fingerprint(out / name) == listed[name]}


# -- out ------------------------------------------------------------------------------------------


def _write_ledger(screening: Screening, folder: Path, tell: Progress) -> dict[str, Any]:
    """Write the ledger and the forms to be matched; return what vouches for the ledger."""
    total = len(screening.entries)
    wrong = set(wrong_stage_pupils(screening.triage).tolist())
    kept: dict[int, dict[str, Any]] = {}
    hashes: list[tuple[str, str]] = []
    with (folder / "ledger.jsonl").open("wb") as file:
        for place, sealed in enumerate(screening.entries.sealed()):
            file.write(sealed.line.encode() + b"\n")
            hashes.append((sealed.entry_id, sealed.hash))
            if place in wrong:
                kept[place] = json.loads(sealed.line)
            if place % _REPORT_EVERY == 0:
                tell("ledger", place, total)
    with (folder / "unmatched.jsonl").open("wb") as file:
        for item in unmatched_items(screening, kept):
            file.write(canonical_json(item).encode() + b"\n")
    root = merkle_root(hash_ for _, hash_ in sorted(hashes))
    return {"number": total, "merkle_root": root}


def _write_archive(screening: Screening, folder: Path, *, as_csv: bool) -> None:
    archive = triage_columns(screening.triage, at=screening.at)
    # As in the ledger: a time without its zone would be read as another one.
    archive["due_at"] = local_times(screening.plan.programme.zone, archive["due_at"])
    write_parquet(archive, folder / "archive.parquet")
    if as_csv:
        write_csv(archive, folder / "archive.csv", for_people=True)


def _problem_counts(problems: Sequence[Problem]) -> dict[str, Any]:
    errors = sum(problem.severity == "error" for problem in problems)
    by_code = ProblemLog(list(problems)).counts()
    return {"errors": errors, "warnings": len(problems) - errors, "by_code": by_code}


def _record(
    screening: Screening,
    inputs: Mapping[str, Any],
    columns: Mapping[str, ColumnNames] | None,
    *,
    synthetic: bool,
) -> dict[str, Any]:
    """Return what ``run.json`` says about where the results come from."""
    import pyarrow as pa

    plan, policy = screening.plan, screening.plan.policy
    batch = screening.triage.normed.scores.batch
    basis = {
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
        "at": local_times(plan.programme.zone, np.array([screening.at]))[0],
        "cycle_id": screening.entries.cycle.id,
        "columns": _plain(columns),
        "inputs": inputs,
    }
    shown = np.bincount(screening.triage.screen, minlength=len(ScreenTier)).tolist()
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
        "pupils": len(screening.entries),
        "forms": sum(len(forms) for forms in batch.forms),
        "unmatched": 0 if screening.unmatched is None else len(screening.unmatched),
        "screen_tiers": dict(zip(map(str, ScreenTier), shown, strict=True)),
        # A due date of a year whose holidays are not announced yet may still move.
        "calendar": {
            year: str(status)
            for year, status in calendars_used(plan.programme, _due_days(screening)).items()
        },
    }


def _due_days(screening: Screening) -> set[dt.date]:
    """Return the days on which something is due, in the programme's zone."""
    due = np.unique(screening.triage.due_at(screening.at))
    local = local_moments(due[~np.isnat(due)], screening.plan.programme.zone)
    return set(local.astype("M8[D]").astype(object).tolist())


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
