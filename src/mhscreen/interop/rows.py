"""Rows of whole pupils, screened wherever they lie: what engines for large data call.

A row holds one pupil: the columns of the roster, and the answers of every slot side by side
(``phq9_1``, ``sdq_teacher_1`` …). One pupil never depends on another, so how an engine splits the
rows changes no entry. What only a whole run can tell is left out: whether a reference stands in two
rows, and what share of a school is flagged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.frames import to_table
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.bind import bind
from mhscreen.steps.cells import moment
from mhscreen.steps.emit import local_times
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns
from mhscreen.steps.screen import screen_part
from mhscreen.steps.tables import Table, take_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames

__all__ = ["RESULT", "RowScreener", "row_screener"]

RESULT = (
    "subject", "screen_tier", "established_tier", "possible_tier", "due_at", "entry_id", "problems",
    "entry",
)  # fmt: skip
"""The columns of the result, all text: `problems` holds the codes of what was wrong in the row,
joined by semicolons, and `entry` the ledger entry as canonical JSON."""


@dataclass(frozen=True)
class RowScreener:
    """Screens rows; it is pickled once and holds the plan with its checksums.

    Attributes
    ----------
    plan : Plan
        The compiled programme.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    columns : mapping or None
        How columns are named, by slot.
    """

    plan: Plan
    at: np.datetime64
    columns: Mapping[str, ColumnNames] | None = None

    def check(self, headings: Any) -> None:
        """Refuse a frame whose headings cannot be used, before any row is touched.

        Raises
        ------
        ResponseError
            With what is wrong with them.
        """
        log = ProblemLog()
        self._bind(_empty(to_table(headings, "rows")), log)
        log.problems[:] = [problem for problem in log.errors if problem.code != "MH412"]
        if log.problems:
            raise ResponseError(log)

    def screen(self, rows: Any) -> dict[str, list[str | None]]:
        """Screen rows of any kind of frame; one row of the result for each, in their order.

        Rows of one reference are one pupil, which the entry then says.
        """
        table = to_table(rows, "rows")
        if not table.rows:
            return {name: [] for name in RESULT}
        result = screen_part(self.plan, self._bind(table, ProblemLog()), self.at)
        codes: dict[str, list[str]] = {}
        for problem in result.problems:
            codes.setdefault(problem.subject, []).append(problem.code)
        triage, sealed = result.triage, list(result.entries.sealed())
        zone = self.plan.programme.zone
        subjects = [str(subject) for subject in triage.subjects]
        return {
            "subject": list(subjects),
            "screen_tier": [str(tier) for tier in triage.screen_tier],
            "established_tier": [str(tier) for tier in triage.established_tier],
            "possible_tier": [str(tier) for tier in triage.possible_tier],
            "due_at": list(local_times(zone, triage.due_at(self.at))),
            "entry_id": [one.entry_id for one in sealed],
            "problems": [";".join(codes.get(subject, ())) for subject in subjects],
            "entry": [one.line for one in sealed],
        }

    def _bind(self, table: Table, log: ProblemLog) -> Any:
        found = set(find_columns(table, ROSTER_COLUMNS).values())
        subject = find_columns(table, {"subject": ROSTER_COLUMNS["subject"]}).values()
        roster = {name: column for name, column in table.columns.items() if name in found}
        answers = {
            name: column
            for name, column in table.columns.items()
            if name not in found or name in subject
        }
        return bind(
            self.plan,
            replace(table, columns=roster),
            [("wide", replace(table, columns=answers))],
            at=self.at,
            columns=self.columns,
            on_problem="report",
            log=log,
        )


def row_screener(
    plan: Plan, at: Moment, columns: Mapping[str, ColumnNames] | None = None
) -> RowScreener:
    """Return what screens rows.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    at : date, datetime or str
        When the pupils are screened.
    columns : mapping, optional
        How columns are named, by slot.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> row = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]}
    >>> row |= {f"gad7_{n}": [3] for n in range(1, 8)}
    >>> row_screener(plan, "2026-10-15").screen(row)["established_tier"]
    ['general']
    """
    return RowScreener(plan, moment(at, plan.programme.zone), columns)


def _empty(table: Table) -> Table:
    return take_rows(table, np.empty(0, dtype=np.int64))
