"""Score one scale: by the states of its forms, or each form by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.byte_sums import add_numbers
from mhscreen.kernels.irt import Eap, eap
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least, at_or_past
from mhscreen.kernels.packed import Counters, max_packed, sum_packed, unpack
from mhscreen.plan.scales import Raw, ScaleStates, count_states, finish
from mhscreen.steps.scales import ScaleScores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.kinds import IrtPlan, LevelNode
    from mhscreen.plan.scales import ScalePlan

    Items = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

__all__ = ["score_each", "score_scale"]


def score_scale(scale: ScalePlan, codes: Items, earlier: Mapping[int, ScaleScores]) -> ScaleScores:
    """Score one scale.

    Parameters
    ----------
    codes : ndarray of uint8, shape (items, forms), or a sequence of its rows
        Response codes after gates and blank rules.
    earlier : mapping of int to ScaleScores
        By place in the form, the scales that this one is made of.
    """
    if scale.encoding is None:
        return ScaleScores.each(scale.id, scale.categories, score_each(scale, codes, earlier))
    tables, states = scale.encoding.tables, scale.encoding.states
    state = np.empty(len(codes[0]), dtype=tables[0].dtype)
    answers = [codes[row] for row in scale.rows.tolist()]
    add_numbers(tables, answers, state, np.empty_like(state))
    return ScaleScores(scale.id, scale.categories, state, states)


def score_each(scale: ScalePlan, codes: Items, earlier: Mapping[int, ScaleScores]) -> ScaleStates:
    """Score each form by itself; the parameters are those of `score_scale`."""
    if scale.combine == "sum_of_scales":
        raw = _sum_scales([earlier[place] for place in scale.components])
        if len(scale.rows):
            raw = raw._replace(answered=_count(scale, codes).answered)
        return finish(scale, raw)
    counters = _count(scale, codes)
    if scale.levels is not None:
        return finish(scale, _judge_levels(scale, codes, counters, earlier))
    if scale.combine == "eap" and scale.irt is not None:
        return finish(scale, _estimate_trait(scale, scale.irt, codes, counters))
    return count_states(scale, counters)


def _count(scale: ScalePlan, codes: Items) -> Counters:
    """Add up the counters of a scale, or take their maximum."""
    rows = scale.rows.tolist()
    if scale.combine == "maximum":
        return max_packed(codes, rows, scale.tables)
    return unpack(sum_packed(codes, rows, scale.tables))


def _sum_scales(parts: list[ScaleScores]) -> Raw:
    score = np.sum([part.score for part in parts], axis=0)
    answered = np.asarray(np.sum([part.answered for part in parts], axis=0, dtype=np.int64))
    bottom = np.sum([part.bottom for part in parts], axis=0)
    top = np.sum([part.top for part in parts], axis=0)
    estimated = np.logical_or.reduce([part.estimated for part in parts]) & ~np.isnan(score)
    return Raw(score, answered, bottom, top, estimated)


def _judge_levels(
    scale: ScalePlan,
    codes: Items,
    counters: Counters,
    earlier: Mapping[int, ScaleScores],
) -> Raw:
    """Find the lowest and the highest level that the answers allow.

    There is a score only where the two agree; a blank that counts by a published rule then
    stands for what it counts as, while it leaves the bounds open. A level that rests on a score
    never rests on an estimated one.
    """
    bottom, top = _levels(scale, codes, earlier, counted=False)
    sure, possible = _levels(scale, codes, earlier, counted=True)
    decided = (sure == possible) & (counters.answered > 0)
    score = np.where(decided, sure, np.nan)
    return Raw(score, counters.answered, bottom, top, decided & (bottom != top))


def _levels(
    scale: ScalePlan,
    codes: Items,
    earlier: Mapping[int, ScaleScores],
    *,
    counted: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the highest level that surely holds, and the highest that may hold."""
    sure, possible = np.zeros((2, len(codes[0])))
    if scale.levels is not None:
        for level, node in zip(scale.levels.levels, scale.levels.nodes, strict=True):
            truth = _level_truth(node, codes, earlier, counted=counted)
            sure[truth == HOLDS] = level
            possible[truth >= UNDECIDED] = level
    return sure, possible


def _level_truth(
    node: LevelNode,
    codes: Items,
    earlier: Mapping[int, ScaleScores],
    *,
    counted: bool,
) -> NDArray[np.int8]:
    if node.table is not None:
        truth: NDArray[np.int8] = node.table[int(counted)].take(codes[node.row], mode="clip")
        return truth
    if node.op == "scale":
        other = earlier[node.row]
        return at_or_past(other.bottom, other.top, node.cut, upwards=True)
    children = [_level_truth(child, codes, earlier, counted=counted) for child in node.children]
    if node.op == "all":
        return all_of(children)
    return any_of(children) if node.op == "any" else at_least(node.count, children)


def _estimate_trait(scale: ScalePlan, model: IrtPlan, codes: Items, counters: Counters) -> Raw:
    """Score by an item response model; what is open stands at its least and its most."""
    enough = (counters.known >= scale.min_answered) & (counters.answered > 0)
    forms = len(enough)
    is_open = counters.answered < scale.n_items
    mean, sd = model.metric
    answers = _eap(scale, model, model.answers, codes, enough | ~is_open)
    value, error = mean + sd * answers.mean, sd * answers.se
    bottom, top = np.empty(forms), np.empty(forms)
    for bound, columns in ((bottom, model.least), (top, model.most)):
        # Where nothing is open, the bounds are the score itself.
        bound[:] = np.where(
            is_open, mean + sd * _eap(scale, model, columns, codes, is_open).mean, value
        )
    return Raw(
        np.where(enough, value, np.nan),
        counters.answered,
        bottom,
        top,
        enough & is_open,
        np.where(enough, error, np.nan),
    )


def _eap(
    scale: ScalePlan,
    model: IrtPlan,
    columns: NDArray[np.uint8],
    codes: Items,
    where: NDArray[np.bool_],
) -> Eap:
    """Return the EAP of some forms; NaN for the others."""
    rows = [
        table[codes[row][where]] for row, table in zip(scale.rows.tolist(), columns, strict=True)
    ]
    found = eap(np.stack(rows), model.chances, model.grid)
    mean, se = np.full((2, len(where)), np.nan)
    mean[where], se[where] = found
    return Eap(mean, se)
