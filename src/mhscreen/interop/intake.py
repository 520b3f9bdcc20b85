"""Intake: the files of a run, in parts of whole pupils, whatever their order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.interop.aligned import AlignedParts, find_steps
from mhscreen.interop.files import open_folder, open_source, read_table
from mhscreen.interop.headless import find_headless, read_headless, table_key
from mhscreen.interop.part import Job, bind_part
from mhscreen.interop.partition import ROSTER, Partition, RosterIndex
from mhscreen.interop.problem_file import problem_record, read_problems
from mhscreen.interop.sorted_lines import Spool, merge_runs
from mhscreen.interop.text import fingerprint
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.bind import bind
from mhscreen.steps.identity import Candidates, Claim, says_who
from mhscreen.steps.roster import read_roster
from mhscreen.steps.tables import Table, concatenate, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from mhscreen.interop.files import Source
    from mhscreen.interop.pool import Parts
    from mhscreen.interop.work_folder import WorkFolder
    from mhscreen.plan.plan import Plan
    from mhscreen.problems import Problem
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.columns import ColumnNames

    Progress = Callable[[str, int, int], None]

__all__ = ["Intake", "bind_files"]

_KEPT = frozenset({"MH601", "MH602"})  # what is true of a file whose headings are none
_SHOWN = 1000  # problems of an input that cannot be used


@dataclass(frozen=True)
class _Answers:
    """A table of answers that can be read: its file, its heading, and whether there is none."""

    source: Source
    head: Table
    headless: bool


class Intake:
    """Reads roster and answers, whatever their size and order.

    Parameters
    ----------
    plan, at, columns
        As for `mhscreen.interop.part.Job`.
    roster, responses : Path
        The roster, and the answers' folder or file.
    work : WorkFolder
        Where parts are kept that have to be.
    chunk : int
        How many lines of the roster are in a part.

    Attributes
    ----------
    problems : Spool
        What was wrong with the files; see `problem_record`.

    Raises
    ------
    ResponseError
        If the roster's name does not say what it is.
    """

    def __init__(
        self,
        plan: Plan,
        at: np.datetime64,
        columns: Mapping[str, ColumnNames] | None,
        roster: Path,
        responses: Path,
        work: WorkFolder,
        chunk: int,
    ) -> None:
        self._plan, self._at, self._columns, self._chunk = plan, at, columns, chunk
        self._responses = responses
        self._log = ProblemLog()
        source = open_source(roster, self._log)
        if source is None:
            raise ResponseError(self._log)
        self._roster = source
        self._answers = _open_answers(roster, responses, self._log)
        self._work = work
        self._done = 0
        self.problems = Spool(work.merge, "files")

    def inputs(self) -> dict[str, Any]:
        """Return name, size and hash of each file that lies there."""
        files = [self._responses]
        if self._responses.is_dir():
            found = self._responses.iterdir()
            files = [file for file in found if _is_input(file, self._roster.path)]
        sources = {source.path: source for source in self._answers}
        return {
            "roster": self._roster.fingerprint(),
            "responses": [
                sources[file].fingerprint() if file in sources else fingerprint(file)
                for file in sorted(files, key=lambda file: file.name)
            ],
        }

    def read(self, tell: Progress) -> tuple[Job, Parts]:
        """Read the files, or find out that they can be read in step with the roster.

        What is said of files that are read in step is among the `problems` only when the parts
        have been gone through and `close` was called.

        Returns
        -------
        job : Job
            What the parts have in common.
        parts : Parts
            What each is screened from.

        Raises
        ------
        ResponseError
            If the roster cannot be read, is empty or lacks a required column.
        """
        self._about = sum(source.about() for source in (self._roster, *self._answers))
        self._say(self._log)
        roster = next(self._roster.read(self._log), None)
        self._say(self._log)
        if roster is None:
            raise ResponseError(self._said())
        head = _heading_of(roster)
        answers = list(self._open_tables())
        steps = None
        sources = [self._roster, *(one.source for one in answers)]
        if not any(one.headless for one in answers):
            steps = find_steps(sources, self._chunk, lambda rows: self._count(rows, tell))
        parts: Parts
        if steps:
            parts, counts = AlignedParts(sources, steps, self._log), np.sum(steps, axis=0).tolist()
        else:
            self._done = 0
            parts, counts = self._sort(answers, tell)
        without_rows = {
            table.name
            for table, rows in zip((head, *(one.head for one in answers)), counts, strict=True)
            if not rows
        }
        tables = [(one.source.stem, one.head) for one in answers]
        self._check_headings(head, tables, without_rows)
        job = Job(self._plan, self._at, self._columns, head, tuple(stem for stem, _ in tables))
        if any(says_who(table) for _, table in tables):
            job = replace(job, candidates=self._find_candidates(job, parts))
        return job, parts

    def close(self) -> None:
        """Keep what was said while the parts were gone through."""
        self._say(self._log)

    def _open_tables(self) -> Iterator[_Answers]:
        """Look at the beginning of each table of answers."""
        for source in self._answers:
            log = ProblemLog()
            first = next(source.read(log), None)
            if first is None:
                self._say(log)
                continue
            problem = find_headless(self._plan, source.stem, first, self._columns)
            if problem is None:
                yield _Answers(source, _heading_of(first), headless=False)
                continue
            log.problems[:] = [one for one in log if one.code in _KEPT] + [problem]
            self._say(log)
            yield _Answers(source, Table(source.name, {}, 0), headless=True)

    def _sort(self, answers: list[_Answers], tell: Progress) -> tuple[Partition, list[int]]:
        """Sort everything into parts; return them, and the number of rows of each table."""
        index = RosterIndex(self._roster.read(ProblemLog()))
        parts = Partition(self._work.input, self._chunk, index)
        log = ProblemLog()
        counts = [0] * (1 + len(answers))
        broken = 0
        for number, one in enumerate([None, *answers], start=ROSTER):
            source = self._roster if one is None else one.source
            tables = source.read(log)
            if one is not None and one.headless:
                tables = read_headless(source, index.hashes)
            is_long = one is not None and table_key(source.stem) == "long"
            for table in tables:
                parts.add(number, table, long=is_long)
                counts[number - ROSTER] += table.rows
                broken += len(table.broken_rows)
                self._count(table.rows, tell)
                self._say(log)
            self._say(log)
            if not counts[0] + broken:
                raise ResponseError(self._said())
        parts.flush()
        return parts, counts

    def _check_headings(
        self, roster: Table, answers: list[tuple[str, Table]], without_rows: set[str]
    ) -> None:
        """Say what is wrong with headings, and with tables that have no rows."""
        log = ProblemLog()
        error: ResponseError | None = None
        try:
            bind(
                self._plan,
                roster,
                answers,
                at=self._at,
                columns=self._columns,
                on_problem="report",
                log=log,
            )
        except ResponseError as raised:
            error = raised
        # What was said of tables without rows and is true of them with their rows.
        log.problems[:] = [one for one in log if one.code != "MH412" or one.file in without_rows]
        if error is not None:
            raise ResponseError((*self._said(), *log)) from error
        self._say(log)

    def _find_candidates(self, job: Job, parts: Parts) -> Candidates:
        """Find whom forms may be by that are not by the pupil they name: they may be in any part.

        Where no form says so, nothing is gone through twice.
        """
        claims: set[Claim] = set()
        for _, part in parts:
            claims |= bind_part(job, part.read()).claims
        candidates = Candidates(frozenset(claims))
        if claims:
            for _, part in parts:
                table = part.read().get(ROSTER)
                if table is not None:
                    candidates.look_at(read_roster(self._plan, table, ProblemLog()))
        return candidates

    def _count(self, rows: int, tell: Progress) -> None:
        self._done += rows
        tell("read", min(self._done, self._about), max(self._about, 1))

    def _say(self, log: ProblemLog) -> None:
        """Keep what is in a log, and empty it."""
        self.problems.extend(problem_record(one, self._roster.name) for one in log)
        log.problems.clear()

    def _said(self) -> list[Problem]:
        """Return the first of what was said so far."""
        self.problems.flush()
        records = merge_runs(self.problems.runs, self._work.merge)
        return list(islice(read_problems(records, {}), _SHOWN))


def bind_files(
    plan: Plan,
    at: np.datetime64,
    columns: Mapping[str, ColumnNames] | None,
    roster: Path,
    responses: Path,
) -> ResponseBatch:
    """Read all files into memory and bind them.

    Raises
    ------
    ResponseError
        If the roster cannot be read, is empty or lacks a required column.
    """
    log = ProblemLog()
    pupils = read_table(roster, log)
    if pupils is None or not pupils.rows + len(pupils.broken_rows):
        raise ResponseError(log)
    answers = []
    for source in _open_answers(roster, responses, log):
        parts = list(source.read(log))
        if parts and find_headless(plan, source.stem, parts[0], columns) is not None:
            parts = list(read_headless(source, RosterIndex([pupils]).hashes))
        if parts:
            answers.append((source.stem, concatenate(parts)))
    return bind(plan, pupils, answers, at=at, columns=columns, on_problem="report")


def _open_answers(roster: Path, responses: Path, log: ProblemLog) -> list[Source]:
    """Open the answers; a roster that lies among them is no questionnaire."""
    own = ProblemLog()
    sources = open_folder(responses, own)
    if responses.is_dir() and roster.resolve().parent == responses.resolve():
        sources = [source for source in sources if source.name != roster.name]
        log.extend(problem for problem in own if problem.file != roster.name)
    else:
        log.extend(own)
    return sources


def _is_input(file: Path, roster: Path) -> bool:
    hidden = file.name.startswith((".", "~$"))
    return file.is_file() and not hidden and file.resolve() != roster.resolve()


def _heading_of(table: Table) -> Table:
    return take_rows(table, np.empty(0, dtype=np.int64))
