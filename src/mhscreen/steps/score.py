"""Score: response codes into raw scores, each with its bounds, and never one without answers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED, at_or_past
from mhscreen.kernels.lookup import categorise, round_half_up
from mhscreen.kernels.packed import Counters, max_packed, sum_packed, unpack
from mhscreen.problems import UsageError
from mhscreen.vocabulary import MissingReason, Validity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan, ScalePlan
    from mhscreen.steps.bind import Forms, ResponseBatch

__all__ = [
    "FormScores",
    "ScaleScores",
    "Scores",
    "find_scale",
    "item_truth",
    "of_pupils",
    "scale_truth",
    "score",
    "score_forms",
]

BLOCK = 1 << 16
"""Forms scored at a time, so that the working arrays stay in the cache."""

_REFUSED = rc.missing_code(MissingReason.REFUSED)
# A question that was never put, or an answer that cannot be read, is no refusal: it stays open.
_NO_ANSWER = (rc.BLANK, _REFUSED, rc.missing_code(MissingReason.DONT_KNOW))


@dataclass(frozen=True)
class ScaleScores:
    """One scale of one slot; every array has shape (forms,).

    Attributes
    ----------
    score : ndarray of float64
        NaN where the missing rule gives none, and where nothing was answered.
    answered : ndarray of int16
        Items answered, or settled by a closed gate.
    low, high : ndarray of float64
        The lowest and highest score that the unanswered items allow; NaN where nothing was
        answered.
    category, category_low, category_high : ndarray of int8
        Places in `categories`; −1 for none. The category is withheld where the bounds fall
        into different ones.
    estimated : ndarray of bool
        Where the score rests on something else than answers.
    bottom, top : ndarray of float64
        Like `low` and `high`, and also given where nothing was answered; for rules.
    """

    scale: str
    categories: tuple[str, ...]
    score: NDArray[np.float64]
    answered: NDArray[np.int16]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    category: NDArray[np.int8]
    category_low: NDArray[np.int8]
    category_high: NDArray[np.int8]
    estimated: NDArray[np.bool_]
    bottom: NDArray[np.float64]
    top: NDArray[np.float64]


@dataclass(frozen=True)
class FormScores:
    """All that scoring finds on the forms of one slot.

    Attributes
    ----------
    codes : ndarray of uint8, shape (items, forms)
        Response codes after gates and blank rules.
    filed : ndarray of bool
        Where at least one item was answered.
    complete : ndarray of bool
        Where no item that counts is unanswered.
    critical : ndarray of int8, shape (critical items, forms)
        Three-valued: is the critical item positive?
    critical_open : ndarray of bool
        Where a critical item is unanswered.
    counted : ndarray of bool
        Where a blank was counted by the instrument's own rule.
    validity : ndarray of int8
        Position of the form's `mhscreen.vocabulary.Validity`.
    indices : ndarray of int8, shape (validity indices, forms)
        Three-valued: was the index reached?
    behind_gate : ndarray of bool
        Where an item was answered though its gate is closed.
    burden : ndarray of float64
        How much the answered items say, as a share of what they could; it only orders several
        forms of one pupil.
    """

    plan: FormPlan
    codes: NDArray[np.uint8]
    scales: tuple[ScaleScores, ...]
    filed: NDArray[np.bool_]
    complete: NDArray[np.bool_]
    critical: NDArray[np.int8]
    critical_open: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    validity: NDArray[np.int8]
    indices: NDArray[np.int8]
    behind_gate: NDArray[np.bool_]
    burden: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of forms."""
        return int(self.codes.shape[1])


def score_forms(plan: FormPlan, codes: NDArray[np.uint8]) -> FormScores:
    """Score the forms of one slot.

    Parameters
    ----------
    plan : FormPlan
        The compiled form.
    codes : ndarray of uint8, shape (items, forms)
        Response codes as bound: an option's place or a missing reason.

    Returns
    -------
    FormScores
        In the order of the forms; a form's scores depend on no other form.
    """
    forms = codes.shape[1]
    settled, behind_gate = _settle(plan, codes)
    filed = np.any(rc.is_answered(codes), axis=0)
    scales: list[ScaleScores] = []
    for scale in plan.scales:
        scales.append(_score_scale(scale, settled, scales))
    counting = np.array([item.counts for item in plan.items])
    open_items = rc.is_unanswered(settled)
    critical_rows = [critical.row for critical in plan.critical]
    critical = np.zeros((len(plan.critical), forms), dtype=np.int8)
    for place, item in enumerate(plan.critical):
        critical[place] = item_truth(plan, settled, item.row, item.at_or_above)
    critical_open = (open_items[critical_rows] & (settled[critical_rows] != rc.COUNTED_BLANK)).any(
        axis=0
    )
    validity, indices = _judge_validity(plan, scales, forms)
    return FormScores(
        plan=plan,
        codes=settled,
        scales=tuple(scales),
        filed=filed,
        complete=~open_items[counting].any(axis=0),
        critical=critical,
        critical_open=critical_open,
        counted=(settled == rc.COUNTED_BLANK).any(axis=0),
        validity=validity,
        indices=indices,
        behind_gate=behind_gate,
        burden=_burden(plan, scales, forms),
    )


def item_truth(
    plan: FormPlan, codes: NDArray[np.uint8], row: int, cut: int, *, upwards: bool = True
) -> NDArray[np.int8]:
    """Return, three-valued, whether an item score is at or past a value."""
    item = plan.items[row]
    worst, mildest = (item.scores.max(), item.scores.min())
    if not upwards:
        worst, mildest = mildest, worst
    sure = np.full(256, mildest, dtype=np.float64)
    furthest = np.full(256, worst, dtype=np.float64)
    sure[: len(item.scores)] = furthest[: len(item.scores)] = item.scores
    if item.blank_score is not None:
        sure[rc.COUNTED_BLANK] = item.blank_score
    furthest[rc.NOT_APPLICABLE] = mildest
    truth: NDArray[np.int8] = at_or_past(sure, furthest, cut, upwards=upwards)[codes[row]]
    return truth


def _settle(
    plan: FormPlan, codes: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Apply the instrument's blank rules, then its gates, to the unanswered items."""
    settled = codes.copy()
    forms = codes.shape[1]
    behind_gate = np.zeros(forms, dtype=bool)
    filed = rc.is_answered(codes).any(axis=0)
    blank_rows = [row for row, item in enumerate(plan.items) if item.blank_score is not None]
    # Who refuses such a question has said something, even where every other item is blank.
    filed |= (codes[blank_rows] == _REFUSED).any(axis=0)
    for row in blank_rows:
        settled[row, filed & np.isin(codes[row], _NO_ANSWER)] = rc.COUNTED_BLANK
    for gate in plan.gates:
        is_open = np.zeros(forms, dtype=bool)
        undecided = np.zeros(forms, dtype=bool)
        for row, cut in gate.openers:
            truth = item_truth(plan, settled, row, cut)
            is_open |= truth == HOLDS
            undecided |= truth == UNDECIDED
        closed = filed & ~is_open & ~undecided
        for row in gate.rows:
            answered = rc.is_answered(codes[row])
            settled[row, closed & ~answered] = rc.NOT_APPLICABLE
            behind_gate |= closed & answered
    return settled, behind_gate


def _score_scale(
    scale: ScalePlan, codes: NDArray[np.uint8], earlier: list[ScaleScores]
) -> ScaleScores:
    if scale.combine == "sum_of_scales":
        return _sum_scales(scale, [earlier[place] for place in scale.components])
    forms = codes.shape[1]
    blocks = [
        _count(scale, codes[:, start : start + BLOCK]) for start in range(0, max(forms, 1), BLOCK)
    ]
    counters = Counters(
        *(
            np.concatenate([getattr(block, name) for block in blocks])
            for name in ("value", "low", "high", "answered", "known")
        )
    )
    number = float(scale.n_items)
    value = counters.value.astype(np.float64)
    bottom = counters.low.astype(np.float64)
    top = counters.high.astype(np.float64)
    full = counters.known == scale.n_items
    enough = (counters.known >= scale.min_answered) & (counters.answered > 0)
    if scale.combine in ("sum", "count"):
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(full, value, value * number / counters.known)
    elif scale.combine == "mean":
        with np.errstate(divide="ignore", invalid="ignore"):
            score = value / counters.known
        bottom, top = bottom / number, top / number
    else:
        score = value
    if scale.half_up:
        score = round_half_up(score)
    score = np.where(enough, score, np.nan)
    return _with_categories(
        scale, score, counters.answered, bottom, top, enough & (counters.answered < scale.n_items)
    )


def _count(scale: ScalePlan, codes: NDArray[np.uint8]) -> Counters:
    if scale.combine == "maximum":
        return max_packed(codes, scale.rows.tolist(), scale.tables)
    return unpack(sum_packed(codes, scale.rows.tolist(), scale.tables))


def _sum_scales(scale: ScalePlan, parts: list[ScaleScores]) -> ScaleScores:
    score = np.sum([part.score for part in parts], axis=0)
    answered = np.asarray(np.sum([part.answered for part in parts], axis=0, dtype=np.int64))
    bottom = np.sum([part.bottom for part in parts], axis=0)
    top = np.sum([part.top for part in parts], axis=0)
    estimated = np.logical_or.reduce([part.estimated for part in parts]) & ~np.isnan(score)
    return _with_categories(scale, score, answered, bottom, top, estimated)


def _with_categories(
    scale: ScalePlan,
    score: NDArray[np.float64],
    answered: NDArray[np.int64],
    bottom: NDArray[np.float64],
    top: NDArray[np.float64],
    estimated: NDArray[np.bool_],
) -> ScaleScores:
    nothing = answered == 0
    low = np.where(nothing, np.nan, bottom)
    high = np.where(nothing, np.nan, top)
    if scale.categories:
        category, category_low, category_high = (
            categorise(values, scale.cuts, upwards=scale.upwards) for values in (score, low, high)
        )
        category = np.where(category_low == category_high, category, -1).astype(np.int8)
    else:
        category = category_low = category_high = np.full(len(score), -1, dtype=np.int8)
    return ScaleScores(
        scale.id,
        scale.categories,
        score,
        answered.astype(np.int16),
        low,
        high,
        category,
        category_low,
        category_high,
        estimated,
        bottom,
        top,
    )


def scale_truth(scale: ScalePlan, scores: ScaleScores, cut: float) -> NDArray[np.int8]:
    """Return, three-valued, whether a raw score is at or past a cut on its worse side.

    It holds if the estimate or the answered items alone reach the cut, and fails only if even
    the worst answers to the blanks could not.
    """
    if scale.upwards:
        surest, furthest = np.fmax(scores.score, scores.bottom), scores.top
    else:
        surest, furthest = np.fmin(scores.score, scores.top), scores.bottom
    return at_or_past(surest, furthest, cut, upwards=scale.upwards)


def _judge_validity(
    plan: FormPlan, scales: list[ScaleScores], forms: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return each form's validity, and three-valued whether each index was reached."""
    validity = np.full(forms, Validity.VALID.position, dtype=np.int8)
    indices = np.zeros((len(plan.validity), forms), dtype=np.int8)
    for place, index in enumerate(plan.validity):
        found = scales[index.scale]
        indices[place] = at_or_past(
            np.fmax(found.score, found.bottom), found.top, index.at_or_above, upwards=True
        )
    for truth, index in sorted(
        zip(indices, plan.validity, strict=True), key=lambda pair: pair[1].status.position
    ):
        undecided = (truth == UNDECIDED) & (validity == Validity.VALID.position)
        validity[undecided] = Validity.INCOMPLETE.position
        validity[truth == HOLDS] = index.status.position
    return validity, indices


def _burden(plan: FormPlan, scales: list[ScaleScores], forms: int) -> NDArray[np.float64]:
    burden = np.zeros(forms)
    for scale, scores in zip(plan.scales, scales, strict=True):
        if scale.content and scale.combine != "sum_of_scales":
            lowest, highest = scale.range
            sure = scores.bottom if scale.upwards else lowest + highest - scores.top
            burden += (sure - lowest) / (highest - lowest)
    return burden


@dataclass(frozen=True)
class Scores:
    """The scores of a batch.

    Attributes
    ----------
    forms : tuple of FormScores
        By slot of the plan; rows are forms, not pupils.
    shown : ndarray of int64, shape (slots, pupils)
        Which form of a slot is shown for each pupil: the worse of several, −1 for none.
    """

    batch: ResponseBatch
    forms: tuple[FormScores, ...]
    shown: NDArray[np.int64]

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
        scale = self.forms[slot].scales[place]
        arrays: dict[str, Any] = {
            field.name: of_pupils(getattr(scale, field.name), self.shown[slot])
            for field in fields(scale)
            if isinstance(getattr(scale, field.name), np.ndarray)
        }
        return replace(scale, **arrays)

    def worst_first(self, slot: int, pupil: int) -> NDArray[np.int64]:
        """Return a pupil's forms in a slot, the worst first, whatever order they came in."""
        bound = self.batch.forms[slot]
        places = np.flatnonzero(bound.pupil == pupil)
        return places[_from_mild_to_worse(bound, self.forms[slot], places)][::-1]


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
    """Return values by pupil, from values by form.

    Where a pupil has no form, a float is NaN, an object None, a count (int16) 0, a place −1, and
    a truth value false.
    """
    nothing: Any = {"f": np.nan, "O": None, "b": False}.get(values.dtype.kind, -1)
    if values.dtype == np.int16:
        nothing = 0
    return np.concatenate([values, np.array([nothing], dtype=values.dtype)])[shown]


def score(plan: Plan, batch: ResponseBatch) -> Scores:
    """Score every form of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    batch : ResponseBatch
        Bound responses.

    Returns
    -------
    Scores
        A form's scores depend on no other form.
    """
    scored = tuple(
        score_forms(form, bound.codes) for form, bound in zip(plan.forms, batch.forms, strict=True)
    )
    for form, bound, result in zip(plan.forms, batch.forms, scored, strict=True):
        for place in np.flatnonzero(result.behind_gate).tolist():
            batch.log.add(
                "MH410",
                "answered though not to be asked",
                hint="the answer is read; was the form filled in as printed?",
                path=form.slot,
                file=bound.source[bound.source_table[place]],
                row=int(bound.source_row[place]),
                subject=str(batch.roster.subject[bound.pupil[place]]),
            )
    pupils = len(batch.roster)
    shown = np.full((len(plan.forms), pupils), -1, dtype=np.int64)
    for slot, (bound, result) in enumerate(zip(batch.forms, scored, strict=True)):
        shown[slot, bound.pupil] = np.arange(len(bound))
        several = np.flatnonzero(np.bincount(bound.pupil, minlength=pupils)[bound.pupil] > 1)
        order = several[_from_mild_to_worse(bound, result, several)]
        shown[slot, bound.pupil[order]] = order
    return Scores(batch, scored, shown)


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
