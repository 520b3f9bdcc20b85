"""Score: response codes into raw scores, each with its bounds, and never one without answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.kernels.lookup import gather
from mhscreen.plan.plan import check_plan
from mhscreen.plan.scales import nothing_like
from mhscreen.problems import ProblemLog, UsageError, expect
from mhscreen.steps.bind import ResponseBatch
from mhscreen.steps.one_scale import score_scale
from mhscreen.steps.quality import is_doubtful, measure_quality
from mhscreen.steps.scales import ScaleScores, index_truth, scale_truth
from mhscreen.steps.states import find_states
from mhscreen.vocabulary import Validity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.problems import Problem
    from mhscreen.steps.bind import Forms
    from mhscreen.steps.states import FormStates

__all__ = [
    "FormScores",
    "ScaleScores",
    "Scores",
    "find_scale",
    "index_truth",
    "item_truth",
    "of_pupils",
    "scale_truth",
    "score",
    "score_forms",
    "score_scale",
]

BLOCK = 1 << 17
"""Forms scored at a time, so that the working arrays stay in the cache."""


@dataclass(frozen=True, eq=False, repr=False)
class FormScores:
    """All that scoring finds on the forms of one slot.

    What only some steps ask for is worked out when it is first asked for.

    Attributes
    ----------
    plan : FormPlan
        The compiled form.
    bound : ndarray of uint8, shape (items, forms)
        Response codes as bound.
    found : FormStates
        What the pass over the forms found.
    duration_s : ndarray of float64, shape (forms,), or None
        How long each form took, in seconds; NaN where not recorded.
    """

    plan: FormPlan
    bound: NDArray[np.uint8]
    found: FormStates
    duration_s: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"<FormScores: {self.plan.slot}, {len(self)} forms>"

    def __len__(self) -> int:
        """Return the number of forms."""
        return int(self.bound.shape[1])

    @property
    def scales(self) -> tuple[ScaleScores, ...]:
        """The scales, in the order of the plan."""
        return self.found.scales

    @property
    def behind_gate(self) -> NDArray[np.bool_]:
        """Where an item was answered though its gate is closed; shape (forms,)."""
        return self.found.behind_gate

    def item(self, row: int) -> NDArray[np.uint8]:
        """Return the response codes of one item after gates and blank rules; shape (forms,)."""
        return self.found.changed.get(row, self.bound[row])

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """Response codes after gates and blank rules; shape (items, forms)."""
        if not self.found.changed:
            return self.bound
        codes = self.bound.copy()
        for row, settled in self.found.changed.items():
            codes[row] = settled
        return codes

    @cached_property
    def filed(self) -> NDArray[np.bool_]:
        """Where at least one item was answered; shape (forms,)."""
        return rc.any_answered(self.bound)

    @cached_property
    def recorded(self) -> NDArray[np.bool_]:
        """Where anything was written: an answer, a refusal, "don't know", something illegible."""
        recorded = self.filed.copy()
        rest = np.flatnonzero(~recorded)
        codes = self.bound[:, rest]
        recorded[rest] = ((codes != rc.BLANK) & (codes != rc.NOT_PRESENTED)).any(axis=0)
        return recorded

    @cached_property
    def complete(self) -> NDArray[np.bool_]:
        """Where no item that counts is unanswered; shape (forms,)."""
        rows = [row for row, item in enumerate(self.plan.items) if item.counts]
        if not rows:
            return np.ones(len(self), dtype=bool)
        return ~rc.any_unanswered([self.item(row) for row in rows])

    @cached_property
    def critical(self) -> NDArray[np.int8]:
        """Three-valued: is the critical item positive? Shape (critical items, forms)."""
        truth = np.empty((len(self.plan.critical), len(self)), dtype=np.int8)
        for place, one in enumerate(self.plan.critical):
            item = self.plan.items[one.row]
            gather(item.truth(one.at_or_above), self.item(one.row), out=truth[place])
        return truth

    @cached_property
    def critical_open(self) -> NDArray[np.bool_]:
        """Where a critical item is unanswered, and no rule says what that counts as."""
        found = np.zeros(len(self), dtype=bool)
        for row in {one.row for one in self.plan.critical}:
            found |= self.item(row) > rc.COUNTED_BLANK
        return found

    @cached_property
    def counted(self) -> NDArray[np.bool_]:
        """Where a blank was counted by the instrument's own rule; shape (forms,)."""
        found = np.zeros(len(self), dtype=bool)
        for codes in self.found.changed.values():
            found |= codes == rc.COUNTED_BLANK
        return found

    @cached_property
    def indices(self) -> NDArray[np.int8]:
        """Three-valued: was the validity index reached? Shape (validity indices, forms)."""
        truth = np.empty((len(self.plan.validity), len(self)), dtype=np.int8)
        for place, index in enumerate(self.plan.validity):
            scale = self.scales[index.scale]
            by_state = index_truth(scale.by_state, index.at_or_above)
            gather(by_state, scale.state, out=truth[place])
        return truth

    @cached_property
    def validity(self) -> NDArray[np.int8]:
        """Position of the form's `mhscreen.vocabulary.Validity`; shape (forms,)."""
        validity = np.full(len(self), Validity.VALID.position, dtype=np.int8)
        for truth, index in sorted(
            zip(self.indices, self.plan.validity, strict=True),
            key=lambda pair: pair[1].status.position,
        ):
            undecided = (truth == UNDECIDED) & (validity == Validity.VALID.position)
            validity[undecided] = Validity.INCOMPLETE.position
            validity[truth == HOLDS] = index.status.position
        if self.plan.quality is not None:
            doubtful = is_doubtful(self.plan.quality, self.codes, self.quality)
            doubtful &= validity != Validity.INVALID.position
            validity[doubtful] = Validity.QUESTIONABLE.position
        return validity

    @cached_property
    def quality(self) -> NDArray[np.float64]:
        """Response-quality indices, NaN for none; shape (response-quality indices, forms)."""
        if self.plan.quality is None:
            return np.empty((0, len(self)))
        return measure_quality(self.plan.quality, self.codes, self.duration_s)

    @cached_property
    def burden(self) -> NDArray[np.float64]:
        """How much the answered items say, as a share of what they could; shape (forms,).

        It only orders several forms of one pupil.
        """
        burden = np.zeros(len(self))
        for plan, scale in zip(self.plan.scales, self.scales, strict=True):
            if plan.content and plan.combine != "sum_of_scales":
                lowest, highest = plan.range
                bottom, top = scale.by_state.bottom, scale.by_state.top
                sure = bottom if plan.upwards else lowest + highest - top
                burden += gather((sure - lowest) / (highest - lowest), scale.state)
        return burden


def score_forms(
    plan: FormPlan,
    codes: NDArray[np.uint8],
    duration_s: NDArray[np.float64] | None = None,
    threads: int = 1,
) -> FormScores:
    """Score the forms of one slot.

    Parameters
    ----------
    plan : FormPlan
        The compiled form.
    codes : ndarray of uint8, shape (items, forms)
        Response codes as bound: an option's place or a missing reason.
    duration_s : ndarray of float64, shape (forms,), optional
        How long each form took, in seconds; NaN where not recorded.
    threads : int
        How many blocks of forms are scored at a time.

    Returns
    -------
    FormScores
        In the order of the forms; a form's scores depend on no other form.
    """
    return FormScores(plan, codes, find_states(plan, codes, BLOCK, threads), duration_s)


def item_truth(
    plan: FormPlan, codes: NDArray[np.uint8], row: int, cut: int, *, upwards: bool = True
) -> NDArray[np.int8]:
    """Return, three-valued, whether an item score is at or past a value."""
    return gather(plan.items[row].truth(cut, upwards=upwards), codes[row])


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The scores of a batch.

    Attributes
    ----------
    batch : ResponseBatch
        What was scored.
    forms : tuple of FormScores
        By slot of the plan; rows are forms, not pupils.
    problems : tuple of Problem
        What only the scoring could find, such as answers behind a closed gate.
    """

    batch: ResponseBatch
    forms: tuple[FormScores, ...]
    problems: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"<Scores: {len(self.batch.roster)} pupils, {self.batch.plan.programme.ref}>"

    def __getitem__(self, name: str) -> ScaleScores:
        """Return one scale by pupil: ``scores["gad7.total"]``, ``scores["sdq@teacher.total"]``.

        Every array has shape (pupils,), in roster order; of several forms the worse one counts.
        Where a pupil has no form, nothing is answered and every score is NaN.

        Raises
        ------
        UsageError
            If the programme has no such slot, or the slot no such scale.
        """
        slot, place = find_scale(self.batch.plan, name)
        return self.forms[slot].scales[place].of_pupils(self.shown[slot])

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """Which form of a slot is shown for each pupil; shape (slots, pupils).

        The worse of several, −1 for none.
        """
        shown = np.full((len(self.forms), len(self.batch.roster)), -1, dtype=np.int64)
        for place, bound, ranked in zip(shown, self.batch.forms, self.ranked, strict=True):
            place[bound.pupil] = np.arange(len(bound))
            place[bound.pupil[ranked[::-1]]] = ranked[::-1]
        return shown

    @cached_property
    def ranked(self) -> tuple[NDArray[np.int64], ...]:
        """By slot, the forms of the pupils who have several: by pupil, the worst first."""
        return tuple(map(_rank, self.batch.forms, self.forms))

    def worst_first(self, slot: int, pupil: int) -> NDArray[np.int64]:
        """Return a pupil's forms in a slot, the worst first, whatever order they came in."""
        ranked = self.ranked[slot]
        owner = self.batch.forms[slot].pupil[ranked]
        first, end = np.searchsorted(owner, [pupil, pupil + 1])
        if first < end:
            return ranked[first:end]
        shown = self.shown[slot, pupil]
        return np.array([shown] if shown >= 0 else [], dtype=np.int64)


def find_scale(plan: Plan, name: str) -> tuple[int, int]:
    """Return the places of a slot and of its scale, from ``slot.scale``.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    slot_name, _, key = name.rpartition(".")
    slot = plan.slot(slot_name)
    if slot < 0:
        msg = f"no slot '{slot_name}'; there are: {', '.join(plan.slots)}"
        raise UsageError(msg)
    place = plan.forms[slot].scale(key)
    if place < 0:
        there = ", ".join(scale.id for scale in plan.forms[slot].scales)
        msg = f"{slot_name} has no scale '{key}'; it has: {there}"
        raise UsageError(msg)
    return slot, place


def of_pupils(values: NDArray[Any], shown: NDArray[np.int64]) -> NDArray[Any]:
    """Return values by pupil, from values by form; `nothing_like` says what stands for no form."""
    return np.append(values, nothing_like(values))[shown]


def score(plan: Plan, batch: ResponseBatch, *, threads: int = 1) -> Scores:
    """Score every form of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    batch : ResponseBatch
        Bound responses.
    threads : int
        How many threads may work at a time. No score depends on it.

    Returns
    -------
    Scores
        A form's scores depend on no other form.

    Raises
    ------
    UsageError
        If the batch was not bound with this plan, or there is to be no thread.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    >>> scores["mht.total"].score.shape
    (40,)
    """
    expect("batch", batch, ResponseBatch)
    check_plan(plan, batch.plan)
    if threads < 1:
        msg = f"threads: {threads}; there must be at least one"
        raise UsageError(msg)
    scored = tuple(
        score_forms(form, bound.codes, bound.duration_s, threads)
        for form, bound in zip(plan.forms, batch.forms, strict=True)
    )
    log = ProblemLog()
    for form, bound, result in zip(plan.forms, batch.forms, scored, strict=True):
        for place in np.flatnonzero(result.behind_gate).tolist():
            log.add(
                "MH410",
                "answered though not to be asked",
                hint="the answer is read; was the form filled in as printed?",
                path=form.slot,
                file=bound.source[bound.source_table[place]],
                row=int(bound.source_row[place]),
                subject=str(batch.roster.subject[bound.pupil[place]]),
            )
    return Scores(batch, scored, tuple(log))


def _rank(bound: Forms, scores: FormScores) -> NDArray[np.int64]:
    """Return the forms of the pupils who have several: by pupil, the worst first."""
    pupil = bound.pupil
    if (pupil[1:] > pupil[:-1]).all():
        return np.empty(0, dtype=np.int64)  # nobody has
    several = np.flatnonzero(np.bincount(pupil)[pupil] > 1)
    worst_first = several[_from_mild_to_worse(bound, scores, several)][::-1]
    return worst_first[np.argsort(pupil[worst_first], kind="stable")]


def _from_mild_to_worse(
    bound: Forms, scores: FormScores, forms: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Order forms so that the worse of two comes later.

    Ties go by the answers and then by the time, the earlier submission counting as worse, never
    by the place in the input.
    """
    most = scores.critical[:, forms].max(axis=0, initial=0)
    times = bound.administered_on[forms]
    newest_first = np.where(np.isnat(times), np.iinfo(np.int64).min, -times.astype(np.int64))
    return np.lexsort([newest_first, *bound.codes[::-1, forms], scores.burden[forms], most])
