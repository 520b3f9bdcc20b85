"""Screen: the whole chain on one batch, and the batch goes on when one pupil cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.plan.plan import check_plan
from mhscreen.problems import ProblemLog, expect
from mhscreen.steps.bind import ResponseBatch
from mhscreen.steps.emit import Entries, emit
from mhscreen.steps.norm import norm
from mhscreen.steps.score import score
from mhscreen.steps.shares import count_shares, judge_shares
from mhscreen.steps.triage import triage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.problems import Problem
    from mhscreen.steps.triage import Triage

__all__ = ["MOST_ERRORS", "Screening", "screen", "screen_part"]

MOST_ERRORS = 64
"""If more pupils than this cannot be evaluated, the fault is not theirs and is raised."""


@dataclass(frozen=True, eq=False, repr=False)
class Screening:
    """The result of a run.

    Attributes
    ----------
    triage : Triage
        Tiers, flags and reasons of the pupils on the roster.
    entries : Entries
        Their ledger entries.
    unmatched : Entries or None
        The same for the forms that match no pupil on the roster.
    problems : tuple of Problem
        What was wrong with the input, and what looks implausible.
    """

    plan: Plan
    at: np.datetime64
    triage: Triage
    entries: Entries
    unmatched: Entries | None
    problems: tuple[Problem, ...]

    def __repr__(self) -> str:
        more = 0 if self.unmatched is None else len(self.unmatched)
        ref = self.plan.programme.ref
        return f"<Screening: {len(self.entries)} pupils, {more} unmatched, {ref}>"


def screen(plan: Plan, batch: ResponseBatch, at: np.datetime64) -> Screening:
    """Score, norm, triage and enter a bound batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    batch : ResponseBatch
        Bound responses.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    """
    part = screen_part(plan, batch, at)
    shares = judge_shares(plan.programme, count_shares(part.triage).items())
    return replace(part, problems=(*part.problems, *shares))


def screen_part(plan: Plan, batch: ResponseBatch, at: np.datetime64) -> Screening:
    """Screen a batch that is a part of a run: all but what only the whole run can tell.

    The parameters are those of `screen`. No share of a school or class is judged.
    """
    # Before any pupil: a wrong call must not be taken for pupils who cannot be evaluated.
    expect("batch", batch, ResponseBatch)
    check_plan(plan, batch.plan)
    result, problems = _evaluate_all(plan, batch)
    unmatched = None
    if batch.unmatched is not None:
        nobody, more = _evaluate_all(plan, batch.unmatched)
        unmatched = emit(plan, nobody, at)
        problems += more
    return Screening(plan, at, result, emit(plan, result, at), unmatched, tuple(problems))


def _evaluate(plan: Plan, batch: ResponseBatch) -> Triage:
    result = triage(plan, norm(plan, score(plan, batch)))
    result.due_at()  # whoever cannot be given a due time must be found here, not when writing
    return result


def _evaluate_all(plan: Plan, batch: ResponseBatch) -> tuple[Triage, list[Problem]]:
    """Evaluate a batch; a pupil who cannot be evaluated becomes an error that a person sees.

    The problems are those of the batch, of its forms, and of those pupils.
    """
    log = ProblemLog(list(batch.log))
    try:
        result = _evaluate(plan, batch)
    except Exception:
        failing = _find_failing(plan, batch, np.arange(len(batch.roster)))
        if not failing or len(failing) > MOST_ERRORS:
            raise
    else:
        log.extend(result.normed.scores.problems)
        return result, log.problems
    forms = []
    for one in batch.forms:
        kept = np.flatnonzero(~np.isin(one.pupil, failing))
        forms.append(one.take(kept, one.pupil[kept]))
    error = batch.roster.error.copy()
    error[failing] = True
    for pupil in failing:
        log.add(
            "MH604",
            "could not be evaluated",
            subject=str(batch.roster.subject[pupil]),
            hint="the forms of this pupil must be read by a person",
        )
    result = _evaluate(
        plan, replace(batch, forms=tuple(forms), roster=replace(batch.roster, error=error))
    )
    log.extend(result.normed.scores.problems)
    return result, log.problems


def _find_failing(plan: Plan, batch: ResponseBatch, pupils: NDArray[np.int64]) -> list[int]:
    """Find the pupils who cannot be evaluated, by halving; stop when they are too many."""
    try:
        _evaluate(plan, batch.take(pupils))
    except Exception:  # noqa: BLE001 - whatever it is, the other pupils must be evaluated
        if len(pupils) == 1:
            return [int(pupils[0])]
        middle = len(pupils) // 2
        failing = _find_failing(plan, batch, pupils[:middle])
        if len(failing) <= MOST_ERRORS:
            failing += _find_failing(plan, batch, pupils[middle:])
        return failing
    return []
