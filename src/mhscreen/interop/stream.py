"""A stream of answers, a batch of whole pupils at a time, against a roster that is there whole."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.interop.subjects import row_names
from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.steps.bind import bind
from mhscreen.steps.identity import Candidates, Claim, says_who
from mhscreen.steps.roster import read_roster
from mhscreen.steps.screen import Screening, screen_part
from mhscreen.steps.shares import Share, count_shares, judge_shares
from mhscreen.steps.tables import Table, take_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mhscreen.plan.plan import Plan
    from mhscreen.problems import OnProblem
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.columns import ColumnNames

    Tables = Sequence[tuple[str, Table]]

__all__ = ["BatchStream"]

_REST = 8192
"""Pupils without a form who are screened at once."""


@dataclass
class BatchStream:
    """Screens batches as they come.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    roster : Table
        Every pupil.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    columns : mapping, optional
        How columns are named, by slot.
    on_problem : {"raise", "report"}
        As for `mhscreen.steps.bind.bind`.
    like : object
        An empty frame of the roster's kind.
    """

    plan: Plan
    roster: Table
    at: np.datetime64
    columns: Mapping[str, ColumnNames] | None = None
    on_problem: OnProblem = "raise"
    like: object = None
    _rows: dict[str, list[int]] = field(init=False)
    _candidates: Candidates = field(init=False)
    _given: set[str] = field(default_factory=set)
    _shares: dict[Share, tuple[int, int]] = field(default_factory=dict)
    _said: set[Problem] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rows = {}
        for row, name in enumerate(row_names(self.roster)):
            self._rows.setdefault(name, []).append(row)
        self._candidates = Candidates(())

    def look_at(self, batches: Iterable[Tables]) -> None:
        """Go through all batches once, for forms that are not by the pupil they name.

        Whom they may be by can stand anywhere on the roster, and must not be given before.
        """
        claims: set[Claim] = set()
        for tables in batches:
            if any(says_who(table) for _, table in tables):
                claims |= self._bind(tables, self._pupils(tables), on_problem="report").claims
        self._candidates = Candidates(frozenset(claims))
        self._candidates.look_at(read_roster(self.plan, self.roster, ProblemLog()))

    def screen(self, batches: Iterable[Tables], *, looked_at: bool) -> Iterator[Screening]:
        """Yield a screening for each batch, then for the pupils who are in none.

        The last one also says which shares look implausible.

        Parameters
        ----------
        batches : iterable of sequence of (str, Table)
            Each holds all that its pupils have handed in.
        looked_at : bool
            Whether `look_at` has gone through them.

        Raises
        ------
        UsageError
            If a pupil is in two batches, or forms say who filled them in and nobody has looked.
        """
        waiting: Screening | None = None
        for tables in batches:
            if not looked_at and any(says_who(table) for _, table in tables):
                msg = (
                    "batches: the forms say who filled them in, and whom a form may be by can "
                    "stand in any batch: hand in a list, or what can be gone through twice"
                )
                raise UsageError(msg)
            pupils = self._pupils(tables)
            self._give(pupils)
            if waiting is not None:
                yield waiting
            waiting = self._screen(tables, pupils)
        rest = [name for name in self._rows if name not in self._given]
        for start in range(0, len(rest), _REST):
            if waiting is not None:
                yield waiting
            waiting = self._screen((), rest[start : start + _REST])
        if waiting is not None:
            shares = judge_shares(self.plan.programme, self._shares.items())
            yield replace(waiting, problems=(*waiting.problems, *shares))

    def _pupils(self, tables: Tables) -> list[str]:
        """Return whose forms are in a batch, each once."""
        return list(dict.fromkeys(name for _, table in tables for name in row_names(table)))

    def _give(self, pupils: list[str]) -> None:
        known = [name for name in pupils if name in self._rows]
        if not self._given.isdisjoint(known):
            msg = "batches: a pupil is in two of them; each batch holds all that its pupils filed"
            raise UsageError(msg)
        self._given.update(known)

    def _screen(self, tables: Tables, pupils: list[str]) -> Screening:
        batch = self._bind(tables, pupils, on_problem=self.on_problem)
        result = screen_part(self.plan, replace(batch, like=self.like), self.at)
        for share, (hits, number) in count_shares(result.triage).items():
            before = self._shares.get(share, (0, 0))
            self._shares[share] = before[0] + hits, before[1] + number
        new = [p for p in result.problems if p.row is not None or p not in self._said]
        self._said.update(problem for problem in new if problem.row is None)
        return replace(result, problems=tuple(new))

    def _bind(self, tables: Tables, pupils: list[str], *, on_problem: OnProblem) -> ResponseBatch:
        rows = sorted(row for name in pupils for row in self._rows.get(name, ()))
        roster = take_rows(self.roster, np.array(rows, dtype=np.int64))
        log = _Part(roster.name) if not rows else ProblemLog()
        # Nobody in this batch may have a form in a slot: that table is not empty by mistake.
        filled = [(key, table) for key, table in tables if table.rows]
        return bind(
            self.plan,
            roster,
            filled,
            at=self.at,
            columns=self.columns,
            on_problem=on_problem,
            candidates=self._candidates,
            log=log,
        )


class _Part(ProblemLog):
    """The log of a batch without any pupil of the roster, which is not empty for all that."""

    def __init__(self, roster: str) -> None:
        super().__init__()
        self._roster = roster

    def add(self, code: str, what: str, **where: object) -> None:
        """Add one problem."""
        if not (code == "MH412" and where.get("file") == self._roster):
            super().add(code, what, **where)
