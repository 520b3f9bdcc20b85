"""What some kinds of scoring need beside a table per item, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.definitions.keys import keyed_scores, raw_range
from mhscreen.definitions.kinds import LevelAll, LevelAny, LevelAtLeast, LevelItem
from mhscreen.kernels import codes as rc
from mhscreen.kernels import irt
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.kernels.packed import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import Scale
    from mhscreen.definitions.kinds import LevelCondition

__all__ = [
    "IrtPlan",
    "LevelNode",
    "LevelsPlan",
    "TransformPlan",
    "compile_irt",
    "compile_levels",
    "compile_transform",
]


@dataclass(frozen=True, eq=False)
class TransformPlan:
    """A raw score on another metric.

    Attributes
    ----------
    multiply : float or None
        A factor; else the transform is linear between two ranges, or a table.
    from_, onto : tuple of float
        The two ranges.
    first : int
        The raw score of the first value of the table.
    values : ndarray of float64 or None
        The table.
    """

    multiply: float | None
    from_: tuple[float, float]
    onto: tuple[float, float]
    first: int
    values: NDArray[np.float64] | None


def compile_transform(instrument: Instrument, scale: Scale) -> TransformPlan | None:
    """Compile the transform of a scale, if it has one."""
    transform = scale.transform
    if transform is None:
        return None
    table = transform.table
    return TransformPlan(
        transform.multiply,
        raw_range(instrument, scale),
        transform.onto or scale.range,
        0 if table is None else table.first,
        None if table is None else np.array(table.values, dtype=np.float64),
    )


@dataclass(frozen=True, eq=False)
class LevelNode:
    """A condition of a level, as a tree.

    Attributes
    ----------
    op : str
        ``item`` or ``scale`` (a comparison), ``all``, ``any``, ``at_least``.
    row : int
        The row of the item, or the place of the scale among the scales of the form.
    table : ndarray of int8, shape (2, 256)
        For an item: three-valued truth by response code. The second row takes a blank that
        counts by a published rule for what it counts as, the first leaves it open.
    cut : float
        For a scale: the score from which it holds.
    """

    op: str
    row: int = -1
    table: NDArray[np.int8] | None = None
    cut: float = np.nan
    count: int = 0
    children: tuple[LevelNode, ...] = ()


@dataclass(frozen=True, eq=False)
class LevelsPlan:
    """A decision rule: conditions, and the level of each; rising."""

    levels: tuple[int, ...]
    nodes: tuple[LevelNode, ...]


def compile_levels(
    instrument: Instrument, scale: Scale, rows: Mapping[str, int], places: Mapping[str, int]
) -> LevelsPlan | None:
    """Compile the levels of a scale, if it has any.

    Parameters
    ----------
    rows, places : mapping of str to int
        Row of each item and place of each scale of the form.
    """

    def node(condition: LevelCondition) -> LevelNode:
        if isinstance(condition, LevelAll):
            return LevelNode("all", children=tuple(map(node, condition.all)))
        if isinstance(condition, LevelAny):
            return LevelNode("any", children=tuple(map(node, condition.any)))
        if isinstance(condition, LevelAtLeast):
            inner = condition.at_least
            return LevelNode("at_least", count=inner.count, children=tuple(map(node, inner.of)))
        if isinstance(condition, LevelItem):
            table = _truth_table(instrument, condition)
            return LevelNode("item", rows[condition.item], table)
        return LevelNode("scale", places[condition.scale], cut=condition.at_or_above)

    if not scale.levels:
        return None
    return LevelsPlan(
        tuple(level.at for level in scale.levels), tuple(node(level.when) for level in scale.levels)
    )


def _truth_table(instrument: Instrument, leaf: LevelItem) -> NDArray[np.int8]:
    scores = np.array(instrument.options(leaf.item).scores, dtype=np.int64)
    closed = {key: gate.closed_score for gate in instrument.gates for key in gate.items}
    table = np.full((2, 256), UNDECIDED, dtype=np.int8)
    table[:, : len(scores)] = HOLDS * (scores >= leaf.at_or_above)
    table[:, rc.NOT_APPLICABLE] = HOLDS * (closed.get(leaf.item, 0) >= leaf.at_or_above)
    blank = instrument.item(leaf.item).blank_counts_as
    if blank is not None:
        table[1, rc.COUNTED_BLANK] = HOLDS * (blank.score >= leaf.at_or_above)
    return table


@dataclass(frozen=True, eq=False)
class IrtPlan:
    """An item response model over the answers of a scale.

    Attributes
    ----------
    chances : tuple of ndarray of float64, each of shape (points, categories + 1)
        For each item, the probability of each keyed category; the last column is 1 everywhere,
        for no answer.
    answers, least, most : ndarray of uint8, shape (items, 256)
        Column of the chances by response code: as answered, and with what is open at its lowest
        and its highest keyed category.
    metric : tuple of float
        Score at a latent trait of 0, and score points per unit.
    first : int
        For a score from the sum: the sum of the first value.
    values, errors : ndarray of float64
        For a score from the sum: score and standard error by sum; else empty.
    range : tuple of float
        The smallest and largest score.
    """

    grid: irt.Grid
    chances: tuple[NDArray[np.float64], ...]
    answers: NDArray[np.uint8]
    least: NDArray[np.uint8]
    most: NDArray[np.uint8]
    metric: tuple[float, float]
    first: int
    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    range: tuple[float, float]


def compile_irt(instrument: Instrument, scale: Scale, tables: NDArray[np.int64]) -> IrtPlan | None:
    """Compile the item response model of a scale, if it has one.

    Parameters
    ----------
    tables : ndarray of int64, shape (items, 256)
        Packed counters of the scale; for ``eap`` they count in ranks of categories.
    """
    if scale.irt is None:
        return None
    model = irt.graded if scale.irt.model == "graded" else irt.partial_credit
    trait = irt.grid(scale.irt.prior.mean, scale.irt.prior.sd)
    mean, sd = scale.irt.metric.mean, scale.irt.metric.sd
    parameters = [scale.irt.parameters[key] for key in scale.items]
    chances = [model(trait.points, one.a, np.array(one.b)) for one in parameters]
    first, values, errors = 0, np.empty(0), np.empty(0)
    answers, least, most = np.zeros((3, len(scale.items), 256), dtype=np.uint8)
    if scale.combine == "eap_from_sum":
        scores = [keyed_scores(instrument, scale, key) for key in scale.items]
        first, likelihoods = irt.likelihoods_of_sums(chances, scores)
        by_sum = irt.eap_of_sums(likelihoods, trait)
        values, errors = mean + sd * by_sum.mean, sd * by_sum.se
        ends = (float(values[0]), float(values[-1]))
    else:
        parts = unpack(tables)
        no_answer = np.array([[one.shape[1]] for one in chances])
        answers[:] = np.where(parts.known > 0, parts.value, no_answer)
        least[:], most[:] = parts.low, parts.high
        blanks = np.full((len(chances), 1), rc.BLANK)
        low, high = (
            irt.eap(np.take_along_axis(side, blanks, axis=1), chances, trait)
            for side in (least, most)
        )
        ends = (mean + sd * float(low.mean[0]), mean + sd * float(high.mean[0]))
    certain = np.ones((len(trait.points), 1))
    return IrtPlan(
        trait,
        tuple(np.concatenate([one, certain], axis=1) for one in chances),
        answers,
        least,
        most,
        (mean, sd),
        first,
        values,
        errors,
        ends,
    )
