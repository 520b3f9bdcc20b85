"""What a scoring key gives: the scores an item can have, the range and direction of a scale.

Everything here expects an instrument whose names all point to something (see
`mhscreen.definitions.checks`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.vocabulary import Direction

if TYPE_CHECKING:
    from mhscreen.definitions.instrument import Gate, Instrument, Scale

__all__ = [
    "gate_of",
    "item_direction",
    "item_scores",
    "items_of",
    "keyed_scores",
    "score_range",
]


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
    items = list(scale.items)
    for component in scale.scales:
        items += items_of(instrument, instrument.scale(component))
    return tuple(dict.fromkeys(items))


def score_range(instrument: Instrument, scale: Scale) -> tuple[float, float]:
    """Return the smallest and the largest score that the key can give."""
    if scale.combine == "sum_of_scales":
        ranges = [score_range(instrument, instrument.scale(name)) for name in scale.scales]
        return sum(low for low, _ in ranges), sum(high for _, high in ranges)
    keyed = [keyed_scores(instrument, scale, item) for item in scale.items]
    low, high = [scores[0] for scores in keyed], [scores[-1] for scores in keyed]
    if scale.combine == "count":
        threshold = scale.count_at_or_above or 0
        return sum(s >= threshold for s in low), sum(s >= threshold for s in high)
    if scale.combine == "maximum":
        return max(low), max(high)
    if scale.combine == "mean":
        return sum(low) / len(low), sum(high) / len(high)
    return sum(low), sum(high)


def item_direction(instrument: Instrument, item: str) -> Direction:
    """Return what a higher item score means, by the content scales that hold the item.

    An item of no content scale is taken as higher is worse.
    """
    for scale in instrument.scales:
        if scale.purpose == "content" and item in scale.items:
            worse = (scale.higher_is is Direction.WORSE) != (item in scale.reverse)
            return Direction.WORSE if worse else Direction.BETTER
    return Direction.WORSE
