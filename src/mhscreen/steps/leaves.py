"""Leaves: every comparison of a policy on every form, three-valued, and the numbers behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.codes import COUNTED_BLANK
from mhscreen.kernels.logic import UNDECIDED, at_or_past
from mhscreen.steps.score import item_truth, scale_truth
from mhscreen.vocabulary import Validity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.triage import LeafPlan
    from mhscreen.steps.norm import NormedScale, NormedScores
    from mhscreen.steps.score import FormScores

__all__ = ["derived_truth", "estimated_leaf", "leaf_numbers", "leaf_truth"]


def leaf_truth(normed: NormedScores, leaf: LeafPlan) -> NDArray[np.int8]:
    """Return the truth of one comparison on each form of its slot, shape (forms,)."""
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind == "item":
        cut = int(leaf.cut)
        return item_truth(scored.plan, scored.codes, leaf.place, cut, upwards=leaf.upwards)
    if leaf.kind == "critical":
        return np.asarray(scored.critical[leaf.place])
    if leaf.kind == "validity":
        return np.asarray(scored.indices[leaf.place])
    if leaf.kind == "scale":
        return scale_truth(scored.plan.scales[leaf.place], scored.scales[leaf.place], leaf.cut)
    return derived_truth(normed.norms[leaf.place], leaf)


def derived_truth(normed: NormedScale, leaf: LeafPlan) -> NDArray[np.int8]:
    """Return the truth of a comparison with a derived score, shape (forms,)."""
    one = normed.derived[leaf.metric]
    surest, furthest = (one.low, one.high) if leaf.upwards else (one.high, one.low)
    better_known = np.fmax if leaf.upwards else np.fmin
    truth = at_or_past(better_known(one.value, surest), furthest, leaf.cut, upwards=leaf.upwards)
    return np.where(np.isnan(one.low) | np.isnan(one.high), UNDECIDED, truth).astype(np.int8)


def estimated_leaf(normed: NormedScores, leaf: LeafPlan) -> NDArray[np.bool_]:
    """Return the forms on which a comparison would not hold on the answered items alone."""
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind == "scale":
        scores = scored.scales[leaf.place]
        upwards = scored.plan.scales[leaf.place].upwards
        sure = scores.bottom if upwards else scores.top
        return scores.estimated & (at_or_past(sure, sure, leaf.cut, upwards=upwards) <= UNDECIDED)
    if leaf.kind in ("item", "critical"):
        row = leaf.place if leaf.kind == "item" else scored.plan.critical[leaf.place].row
        return np.asarray(scored.codes[row] == COUNTED_BLANK)
    return np.zeros(len(scored), dtype=bool)


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
        [None if number != number else number for number in np.append(a, np.nan)[form].tolist()]  # noqa: PLR0124
        for a in arrays
    ]
    filed = np.append(scored.filed, False)[form].tolist()
    invalid = np.append(scored.validity, -1)[form] == Validity.INVALID.position
    return metric, list(zip(*columns, filed, invalid.tolist(), strict=True))


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
    codes = scored.codes[row]
    return value[codes], low[codes], high[codes]
