"""What a scoring key gives: the scores an item can have, the range and direction of a scale.

Everything here expects an instrument whose names all point to something (see
`mhscreen.definitions.checks`).
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from mhscreen.definitions import latent
from mhscreen.definitions.kinds import LevelAll, LevelAny, LevelAtLeast, LevelItem, LevelScale
from mhscreen.vocabulary import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions.instrument import Gate, Instrument, Scale
    from mhscreen.definitions.kinds import LevelCondition, Transform

__all__ = [
    "comparisons",
    "complete_scores",
    "counts_from",
    "gate_of",
    "item_direction",
    "item_scores",
    "items_of",
    "keyed_scores",
    "own_items",
    "parts_of",
    "raw_range",
    "score_range",
    "whole_raw_scores",
]

_CLOSE = 1e-9
Comparison = tuple[tuple[str | int, ...], LevelItem | LevelScale]


def comparisons(
    condition: LevelCondition, path: tuple[str | int, ...] = ()
) -> Iterator[Comparison]:
    """Yield the comparisons inside a condition of a level, each with its path."""
    if isinstance(condition, LevelAll):
        inner, path = condition.all, (*path, "all")
    elif isinstance(condition, LevelAny):
        inner, path = condition.any, (*path, "any")
    elif isinstance(condition, LevelAtLeast):
        inner, path = condition.at_least.of, (*path, "at_least", "of")
    else:
        yield path, condition
        return
    for place, one in enumerate(inner):
        yield from comparisons(one, (*path, place))


def own_items(scale: Scale) -> tuple[str, ...]:
    """Return the items that a scale itself names, in its list or in its levels, each once."""
    named = [
        one.item
        for level in scale.levels
        for _, one in comparisons(level.when)
        if isinstance(one, LevelItem)
    ]
    return tuple(dict.fromkeys([*scale.items, *named]))


def parts_of(scale: Scale) -> tuple[str, ...]:
    """Return the earlier scales that a scale is made of, by its list or its levels, each once."""
    named = [
        one.scale
        for level in scale.levels
        for _, one in comparisons(level.when)
        if isinstance(one, LevelScale)
    ]
    return tuple(dict.fromkeys([*scale.scales, *named]))


def gate_of(instrument: Instrument, item: str) -> Gate | None:
    """Return the gate that an item stands behind, if any."""
    return next((gate for gate in instrument.gates if item in gate.items), None)


def item_scores(instrument: Instrument, item: str) -> tuple[int, ...]:
    """Return the item scores that an item can have, rising, before reverse keying.

    The score of an item behind a closed gate is one of them.
    """
    scores = set(instrument.options(item).scores)
    gate = gate_of(instrument, item)
    if gate is not None:
        scores.add(gate.closed_score)
    return tuple(sorted(scores))


def keyed_scores(instrument: Instrument, scale: Scale, item: str) -> tuple[int, ...]:
    """Return the scores that an item can have in a scale, rising, after reverse keying."""
    scores = item_scores(instrument, item)
    if item not in scale.reverse:
        return scores
    options = instrument.options(item).scores
    mirror = min(options) + max(options)
    return tuple(sorted(mirror - score for score in scores))


def items_of(instrument: Instrument, scale: Scale) -> tuple[str, ...]:
    """Return the items of a scale, those of its components included, each once."""
    items = list(own_items(scale))
    for component in parts_of(scale):
        items += items_of(instrument, instrument.scale(component))
    return tuple(dict.fromkeys(items))


def counts_from(scale: Scale, item: str) -> int:
    """Return the keyed item score from which an item of a ``count`` counts."""
    return scale.count_exceptions.get(item, scale.count_at_or_above or 0)


def raw_range(instrument: Instrument, scale: Scale) -> tuple[float, float]:
    """Return the smallest and the largest score before transform and rounding."""
    if scale.combine == "sum_of_scales":
        ranges = [score_range(instrument, instrument.scale(name)) for name in scale.scales]
        return sum(low for low, _ in ranges), sum(high for _, high in ranges)
    if scale.combine == "levels":
        return 0, max(level.at for level in scale.levels)
    keyed = [keyed_scores(instrument, scale, item) for item in scale.items]
    if scale.irt is None:
        low, high = (_combined(scale, [scores[end] for scores in keyed]) for end in (0, -1))
        return low, high
    if scale.combine == "eap":
        return latent.extreme_scores(scale.irt, scale.items)
    by_sum = latent.sum_scores(scale.irt, list(zip(scale.items, keyed, strict=True)))
    return min(by_sum.values()), max(by_sum.values())


def _combined(scale: Scale, scores: list[int]) -> float:
    """Combine one keyed score for each item, in the order of the items."""
    by_item = list(zip(scale.items, scores, strict=True))
    if scale.combine == "count":
        return sum(score >= counts_from(scale, item) for item, score in by_item)
    if scale.combine == "weighted_sum":
        return sum(scale.weights[item] * score for item, score in by_item)
    if scale.combine == "maximum":
        return max(scores)
    return sum(scores) / len(scores) if scale.combine == "mean" else sum(scores)


def score_range(instrument: Instrument, scale: Scale) -> tuple[float, float]:
    """Return the smallest and the largest score that the key can give."""
    low, high = raw_range(instrument, scale)
    if scale.transform is not None:
        low, high = _transformed(scale.transform, low, high)
    return _rounded(scale, low), _rounded(scale, high)


def _transformed(transform: Transform, low: float, high: float) -> tuple[float, float]:
    if transform.onto is not None:
        return transform.onto
    if transform.table is not None:
        return transform.table.values[0], transform.table.values[-1]
    factor = transform.multiply or 1.0
    return low * factor, high * factor


def complete_scores(instrument: Instrument, scale: Scale) -> tuple[float, ...]:
    """Return every score that a complete form can have, rising.

    Empty for kinds of scoring that are not listed this way: all but sums, means and counts of
    items that are at most multiplied.
    """
    transform = scale.transform
    plain = transform is None or transform.multiply is not None
    if scale.combine not in {"sum", "mean", "count"} or not plain:
        return ()
    sums = {0}
    for item in scale.items:
        scores: set[int] = set(keyed_scores(instrument, scale, item))
        if scale.combine == "count":
            scores = {int(score >= counts_from(scale, item)) for score in scores}
        sums = {one + score for one in sums for score in scores}
    factor = (transform.multiply or 1.0) if transform is not None else 1.0
    share = len(scale.items) if scale.combine == "mean" else 1
    return tuple(sorted({_rounded(scale, one / share * factor) for one in sums}))


def _rounded(scale: Scale, score: float) -> float:
    if scale.rounding == "none":
        return score
    return floor(score + _CLOSE + (0.5 if scale.rounding == "half_up" else 0.0))


def whole_raw_scores(instrument: Instrument, scale: Scale) -> bool:
    """Say whether a complete form gives a whole number before the transform."""
    if scale.combine == "sum_of_scales":
        return all(_whole_scores(instrument, instrument.scale(name)) for name in scale.scales)
    return scale.combine in {"sum", "weighted_sum", "count", "maximum", "levels"}


def _whole_scores(instrument: Instrument, scale: Scale) -> bool:
    if scale.rounding != "none":
        return True
    transform = scale.transform
    if transform is not None and transform.table is not None:
        return all(value.is_integer() for value in transform.table.values)
    if transform is not None and (transform.multiply is None or transform.multiply % 1):
        return False
    return whole_raw_scores(instrument, scale)


def item_direction(instrument: Instrument, item: str) -> Direction:
    """Return what a higher item score means, by the content scales that hold the item.

    An item of no content scale is taken as higher is worse.
    """
    for scale in instrument.scales:
        named = scale.items if not scale.levels else own_items(scale)
        if scale.purpose == "content" and item in named:
            worse = (scale.higher_is is Direction.WORSE) != (item in scale.reverse)
            return Direction.WORSE if worse else Direction.BETTER
    return Direction.WORSE
