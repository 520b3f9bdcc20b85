"""Intake: the files of a run, read once and sorted into parts of whole pupils."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.interop.files import open_folder, open_source, read_table
from mhscreen.interop.headless import find_headless, read_headless, table_key
from mhscreen.interop.part import Job, bind_part
from mhscreen.interop.partition import ROSTER, Partition, RosterIndex, read_part
from mhscreen.interop.problem_file import problem_record, read_problems
from mhscreen.interop.sorted_lines import Spool, merge_runs
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.bind import bind
from mhscreen.steps.identity import Candidates, Claim, says_who
from mhscreen.steps.roster import read_roster
from mhscreen.steps.tables import Table, concatenate, take_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mhscreen.interop.files import Source
    from mhscreen.interop.work_folder import WorkFolder
    from mhscreen.plan.plan import Plan
    from mhscreen.problems import Problem
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.columns import ColumnNames

    Progress = Callable[[str, int, int], None]

__all__ = ["Intake", "bind_files"]

_KEPT = frozenset({"MH601", "MH602"})  # what is true of a file whose headings are none
_SHOWN = 1000  # problems of an input that cannot be used


class Intake:
    """Reads roster and answers, whatever their size and order.

    Parameters
    ----------
    plan, at, columns
        As for `mhscreen.interop.part.Job`.
    roster, responses : Path
        The roster, and the answers' folder or file.
    work : WorkFolder
        Where the parts are kept.
    chunk : int
        About how many pupils are in a part.

    Attributes
    ----------
    parts : int
        How many parts there are.
    partition : Partition
        Where they are.
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
        self._plan, self._at, self._columns = plan, at, columns
        self._log = ProblemLog()
        self._without_rows: set[str] = set()
        source = open_source(roster, self._log)
        if source is None:
            raise ResponseError(self._log)
        self._roster = source
        self._answers = _open_answers(roster, responses, self._log)
        self._about = [one.about() for one in (source, *self._answers)]
        self._done = 0
        self.parts = max(1, -(-self._about[0] // chunk))
        self._work = work
        index = RosterIndex(source.read(ProblemLog()))
        self.partition = Partition(work.input, self.parts, chunk, index)
        self.problems = Spool(work.merge, "files")

    def sort(self, tell: Progress) -> Job:
        """Sort everything into parts; return what they have in common.

        Raises
        ------
        ResponseError
            If the roster cannot be read, is empty or lacks a required column.
        """
        roster = self._sort_roster(tell)
        answers: list[tuple[str, Table]] = []
        for source in self._answers:
            table = self._sort_answers(source, len(answers), tell)
            if table is not None:
                answers.append((source.stem, table))
        self.partition.flush()
        self._check_headings(roster, answers)
        stems = tuple(stem for stem, _ in answers)
        job = Job(self._plan, self._at, self._columns, roster, stems)
        if any(says_who(table) for _, table in answers):
            return replace(job, candidates=self._find_candidates(job))
        return job

    def _sort_roster(self, tell: Progress) -> Table:
        """Sort the roster; return it without its rows."""
        head: Table | None = None
        rows = broken = 0
        for table in self._roster.read(self._log):
            head = head or _heading_of(table)
            rows += table.rows
            broken += len(table.broken_rows)
            self.partition.add(ROSTER, table)
            self._count(table, tell)
            self._say(self._log)
        self._say(self._log)
        if head is None or not rows + broken:
            raise ResponseError(self._said())
        if not rows:
            self._without_rows.add(head.name)
        return head

    def _sort_answers(self, source: Source, number: int, tell: Progress) -> Table | None:
        """Sort the answers of one file; return them without their rows, None if unreadable."""
        log = ProblemLog()
        first = next(source.read(log), None)
        if first is None:
            self._say(log)
            return None
        headless = find_headless(self._plan, source.stem, first, self._columns)
        if headless is not None:
            log.problems[:] = [problem for problem in log if problem.code in _KEPT] + [headless]
            self._say(log)
            tables = read_headless(source, self.partition.index.hashes)
            head = Table(source.name, {}, 0)
        else:
            log = ProblemLog()
            tables = source.read(log)
            head = _heading_of(first)
        rows = 0
        for table in tables:
            self.partition.add(number, table, long=table_key(source.stem) == "long")
            rows += table.rows
            self._count(table, tell)
            self._say(log)
        self._say(log)
        if not rows:
            self._without_rows.add(head.name)
        return head

    def _check_headings(self, roster: Table, answers: list[tuple[str, Table]]) -> None:
        """Say what is wrong with headings, and with tables that have no rows."""
        log = ProblemLog()
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
        except ResponseError as error:
            raise ResponseError((*self._said(), *self._true_of_whole(log))) from error
        log.problems[:] = self._true_of_whole(log)
        self._say(log)

    def _true_of_whole(self, log: ProblemLog) -> list[Problem]:
        """Return what was said of tables without rows and is true of them with their rows."""
        return [one for one in log if one.code != "MH412" or one.file in self._without_rows]

    def _find_candidates(self, job: Job) -> Candidates:
        """Find whom forms may be by that are not by the pupil they name: they may be in any part.

        Where no form says so, nothing is gone through twice.
        """
        claims: set[Claim] = set()
        for part in range(self.parts):
            claims |= bind_part(job, read_part(self.partition.path(part))).claims
        candidates = Candidates(frozenset(claims))
        if claims:
            for part in range(self.parts):
                table = read_part(self.partition.path(part)).get(ROSTER)
                if table is not None:
                    candidates.look_at(read_roster(self._plan, table, ProblemLog()))
        return candidates

    def _count(self, table: Table, tell: Progress) -> None:
        self._done += table.rows
        tell("read", min(self._done, sum(self._about)), max(sum(self._about), 1))

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


def _heading_of(table: Table) -> Table:
    return take_rows(table, np.empty(0, dtype=np.int64))
