"""Leaves: every comparison of a policy on every form, three-valued, and the numbers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.codes import COUNTED_BLANK
from mhscreen.kernels.logic import HOLDS, UNDECIDED, at_or_past
from mhscreen.kernels.lookup import gather
from mhscreen.kernels.sums import smallest_type
from mhscreen.steps.norm import DerivedStates
from mhscreen.vocabulary import Validity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.triage import LeafPlan
    from mhscreen.steps.norm import NormedScale, NormedScores
    from mhscreen.steps.score import FormScores

__all__ = ["derived_truth", "leaf_numbers", "leaf_states", "leaf_truth"]

_EVERY_CODE = np.arange(256, dtype=np.uint8)


def leaf_states(
    normed: NormedScores, leaf: LeafPlan
) -> tuple[tuple[str, int], NDArray[np.unsignedinteger], NDArray[np.int8]]:
    """Return how a comparison stands in each state of what it compares.

    Returns
    -------
    source : (str, int)
        What is compared; two comparisons with the same one share their states.
    state : ndarray of unsigned integers, shape (forms,)
        The state of each form: of a scale, of its norm, or the code of an item.
    truth : ndarray of int8, shape (states,)
        Three-valued, and 3 where it would not hold on the answered items alone.
    """
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind in ("item", "critical"):
        row, cut, upwards = leaf.place, int(leaf.cut), leaf.upwards
        if leaf.kind == "critical":
            critical = scored.plan.critical[leaf.place]
            row, cut, upwards = critical.row, critical.at_or_above, True
        truth = scored.plan.items[row].truth(cut, upwards=upwards)
        return ("item", row), scored.item(row), _mark(truth, _EVERY_CODE == COUNTED_BLANK)
    if leaf.kind == "derived":
        norm = normed.norms[leaf.place]
        derived = norm.by_state.derived[leaf.metric]
        state, (value, low, high) = _as_few(norm.state, *derived)
        return ("derived", leaf.place), state, _derived_truth(DerivedStates(value, low, high), leaf)
    if leaf.kind == "validity":
        place, upwards = scored.plan.validity[leaf.place].scale, True
    else:
        place, upwards = leaf.place, scored.plan.scales[leaf.place].upwards
    scale = scored.scales[place]
    worth = scale.by_state
    state, (score, bottom, top, estimated) = _as_few(
        scale.state, worth.score, worth.bottom, worth.top, worth.estimated
    )
    sure, furthest = (bottom, top) if upwards else (top, bottom)
    better_known = np.fmax if upwards else np.fmin
    truth = at_or_past(better_known(score, sure), furthest, leaf.cut, upwards=upwards)
    if leaf.kind == "scale":
        on_answers = at_or_past(sure, sure, leaf.cut, upwards=upwards)
        truth = _mark(truth, estimated & (on_answers <= UNDECIDED))
    return ("scale", place), state, truth


def leaf_truth(normed: NormedScores, leaf: LeafPlan) -> NDArray[np.int8]:
    """Return the truth of one comparison on each form of its slot, shape (forms,)."""
    _, state, truth = leaf_states(normed, leaf)
    return gather(np.minimum(truth, np.int8(HOLDS)), state)


def derived_truth(normed: NormedScale, leaf: LeafPlan) -> NDArray[np.int8]:
    """Return the truth of a comparison with a derived score, shape (forms,)."""
    return gather(_derived_truth(normed.by_state.derived[leaf.metric], leaf), normed.state)


def _derived_truth(one: DerivedStates, leaf: LeafPlan) -> NDArray[np.int8]:
    surest, furthest = (one.low, one.high) if leaf.upwards else (one.high, one.low)
    better_known = np.fmax if leaf.upwards else np.fmin
    truth = at_or_past(better_known(one.value, surest), furthest, leaf.cut, upwards=leaf.upwards)
    return np.where(np.isnan(one.low) | np.isnan(one.high), UNDECIDED, truth).astype(np.int8)


def _as_few(
    state: NDArray[np.unsignedinteger], *values: NDArray[Any]
) -> tuple[NDArray[np.unsignedinteger], list[NDArray[Any]]]:
    """Return states and what each is worth; the forms themselves where they are fewer."""
    if len(values[0]) <= len(state):
        return state, list(values)
    every = np.arange(len(state), dtype=smallest_type(len(state)))
    return every, [one.take(state, mode="clip") for one in values]


def _mark(truth: NDArray[np.int8], is_estimated: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Mark what holds on an estimate only."""
    return np.asarray(truth + ((truth == HOLDS) & is_estimated), dtype=np.int8)


def leaf_numbers(
    normed: NormedScores, leaf: LeafPlan, form: NDArray[np.int64]
) -> tuple[str, list[tuple[float | None, float | None, float | None, bool, bool]]]:
    """Return the metric and, per form (−1 for none), value, low, high, filed, invalid."""
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind in ("item", "critical"):
        row = leaf.place if leaf.kind == "item" else scored.plan.critical[leaf.place].row
        metric, arrays = "item_score", _item_numbers(scored, row)
    elif leaf.kind == "derived":
        one = normed.norms[leaf.place].derived[leaf.metric]
        metric, arrays = leaf.metric, (one.value, one.low, one.high)
    else:
        place = leaf.place if leaf.kind == "scale" else scored.plan.validity[leaf.place].scale
        scale = scored.scales[place]
        metric, arrays = "raw", (scale.score, scale.low, scale.high)
    columns = [
        [None if number != number else number for number in _of(a, form, nothing=np.nan).tolist()]  # noqa: PLR0124
        for a in arrays
    ]
    filed = _of(scored.filed, form, nothing=False).tolist()
    invalid = _of(scored.validity, form, nothing=-1) == Validity.INVALID.position
    return metric, list(zip(*columns, filed, invalid.tolist(), strict=True))


def _of(values: NDArray[Any], form: NDArray[np.int64], *, nothing: float) -> NDArray[Any]:
    """Return the values of some forms; for −1, what stands for none."""
    found = np.full(len(form), nothing, dtype=values.dtype)
    there = form >= 0
    found[there] = values[form[there]]
    return found


def _item_numbers(
    scored: FormScores, row: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    item = scored.plan.items[row]
    value = np.full(256, np.nan)
    low = np.full(256, float(item.scores.min()))
    high = np.full(256, float(item.scores.max()))
    for table in (value, low, high):
        table[: len(item.scores)] = item.scores
    if item.blank_score is not None:
        value[COUNTED_BLANK] = item.blank_score
    codes = scored.item(row)
    return value[codes], low[codes], high[codes]
