"""Change an instrument one thing at a time: what a careless copy of its key would look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.definitions.keys import complete_scores
from mhscreen.vocabulary import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import CutSet, Scale

__all__ = ["Mutant", "mutate", "neighbours", "with_part"]

_CLOSE = 1e-9
_Change = tuple[Fault, str, dict[str, Any]]


@dataclass(frozen=True)
class Mutant:
    """An instrument with one thing changed.

    Attributes
    ----------
    name : str
        What was changed, such as ``total: item q7 not reversed``.
    instrument : Instrument
        The changed instrument; it need not pass the checks of a definition.
    fault : Fault
        The kind of change.
    scale : str
        The only scale that is changed itself; empty where the change may concern any.
    """

    name: str
    instrument: Instrument
    fault: Fault
    scale: str = ""


def mutate(instrument: Instrument) -> Iterator[Mutant]:
    """Change one thing at a time: keys, membership, cuts, coding, blanks, gates."""
    for place, scale in enumerate(instrument.scales):
        for fault, what, changes in _scale_changes(instrument, scale):
            changed = with_part(instrument, "scales", place, scale.model_copy(update=changes))
            yield Mutant(f"{scale.id}: {what}", changed, fault, scale.id)
    yield from _moved_items(instrument)
    counted = {key for scale in instrument.scales for key in scale.items}
    counted |= {critical.item for critical in instrument.critical_items}
    used = {instrument.item(key).response_scale for key in counted}
    for name, options in instrument.response_scales.items():
        if name not in used:
            continue
        for what, scores in (
            ("coding one too high", [score + 1 for score in options.scores]),
            ("coding upside down", list(options.scores)[::-1]),
        ):
            recoded = tuple(
                option.model_copy(update={"score": score})
                for option, score in zip(options.options, scores, strict=True)
            )
            scales = dict(instrument.response_scales)
            scales[name] = options.model_copy(update={"options": recoded})
            recoded_instrument = instrument.model_copy(update={"response_scales": scales})
            yield Mutant(f"{name}: {what}", recoded_instrument, Fault.CODING)
        yield from _moved_bands(instrument, name)
    yield from _other_parts(instrument)


def _moved_bands(instrument: Instrument, name: str) -> Iterator[Mutant]:
    """Let each band of a recorded number, but the first, begin one lower and one higher."""
    scale = instrument.response_scales[name]
    if scale.numbers is None:
        return
    for place, option in enumerate(scale.options[1:], start=1):
        for begin in (int(option.code) - 1, int(option.code) + 1):
            options = list(scale.options)
            options[place] = option.model_copy(update={"code": begin})
            moved = scale.model_copy(update={"options": tuple(options)})
            scales = dict(instrument.response_scales) | {name: moved}
            changed = instrument.model_copy(update={"response_scales": scales})
            what = f"{name}: band from {begin} instead of {option.code}"
            yield Mutant(what, changed, Fault.CODING)


def with_part(instrument: Instrument, field: str, place: int, value: Any) -> Instrument:
    """Return the instrument with one element of a tuple replaced, or left out (None)."""
    values = list(getattr(instrument, field))
    values[place : place + 1] = [] if value is None else [value]
    return instrument.model_copy(update={field: tuple(values)})


def _scale_changes(instrument: Instrument, scale: Scale) -> Iterator[_Change]:
    for item in scale.items:
        reverse = set(scale.reverse) ^ {item}
        kept = tuple(one for one in scale.items if one in reverse)
        word = "not reversed" if item in scale.reverse else "reversed"
        if len(set(instrument.options(item).scores)) > 1:
            yield Fault.REVERSED, f"item {item} {word}", {"reverse": kept}
        others = tuple(one for one in scale.items if one != item)
        yield (
            Fault.LEFT_OUT,
            f"item {item} left out",
            {"items": others, "reverse": tuple(one for one in scale.reverse if one != item)},
        )
    for name in scale.scales:
        kept = tuple(one for one in scale.scales if one != name)
        yield Fault.COMPONENT, f"scale {name} left out", {"scales": kept}
    deciding = [scale.cut_set_for(one) for one in scale.informants or instrument.informants]
    for place, cut_set in enumerate(scale.cut_sets):
        if cut_set in deciding:
            yield from _cut_changes(instrument, scale, place, cut_set)
    yield from _rule_changes(scale)


def _rule_changes(scale: Scale) -> Iterator[_Change]:
    """Change the rule for counting, the rule for blanks, and the rounding."""
    if scale.count_at_or_above is not None:
        for step in (-1, 1):
            yield (
                Fault.COUNTING,
                f"counts from {scale.count_at_or_above + step}",
                {"count_at_or_above": scale.count_at_or_above + step},
            )
    if scale.missing is not None:
        fewest = scale.missing.min_answered
        for number in {max(1, fewest - 1), fewest + 1} - {fewest}:
            rule = scale.missing.model_copy(update={"min_answered": number})
            yield Fault.MISSING_RULE, f"needs {number} answers", {"missing": rule}
        yield Fault.MISSING_RULE, "needs every answer", {"missing": None}
    if scale.transform is not None and scale.transform.multiply is not None:
        yield Fault.TRANSFORM, "multiplier left out", {"transform": None}
    if scale.rounding == "down":
        yield Fault.ROUNDING, "rounding half_up", {"rounding": "half_up"}
    elif scale.missing is not None:
        other = "none" if scale.rounding != "none" else "half_up"
        yield Fault.ROUNDING, f"rounding {other}", {"rounding": other}


def _cut_changes(
    instrument: Instrument, scale: Scale, place: int, cut_set: CutSet
) -> Iterator[_Change]:
    scores = complete_scores(instrument, scale)
    for number, category in enumerate(cut_set.categories):
        if category.cut is None:
            continue
        key = "at_or_above" if category.at_or_above is not None else "at_or_below"
        upwards = key == "at_or_above"
        for cut in neighbours(scores, category.cut, upwards=upwards, step=_step(scale)):
            moved = category.model_copy(update={key: cut})
            categories = [*cut_set.categories]
            categories[number] = moved
            sets = [*scale.cut_sets]
            sets[place] = cut_set.model_copy(update={"categories": tuple(categories)})
            yield Fault.CUT, f"{category.id} {key} {cut:g}", {"cut_sets": tuple(sets)}


def neighbours(
    values: Sequence[float], cut: float, *, upwards: bool, step: float
) -> tuple[float, float]:
    """Return the nearest cuts that put one more, and one fewer, value that a form has behind it.

    Raw scores times 1.25 without their fraction go from 48 to 50: a cut at 49 is the cut at 50
    under another name, which no case could notice. Past the last value it goes by `step`.
    """
    sign = 1 if upwards else -1
    rising = sorted(sign * value for value in values)
    outside = [value for value in rising if value < sign * cut - _CLOSE]
    inside = [value for value in rising if value >= sign * cut - _CLOSE]
    wider = sign * outside[-1] if outside else cut - sign * step
    narrower = sign * inside[1] if len(inside) > 1 else cut + sign * step
    return wider, narrower


def _step(scale: Scale) -> float:
    """Return the distance between neighbouring scores where they cannot be listed."""
    step = 1 / len(scale.items) if scale.combine == "mean" else 1.0
    if scale.transform is not None and scale.transform.multiply is not None:
        step *= scale.transform.multiply
    return step


def _moved_items(instrument: Instrument) -> Iterator[Mutant]:
    """Count each item in one more scale, and move it to each other scale."""
    simple = [
        (place, scale)
        for place, scale in enumerate(instrument.scales)
        if scale.items and scale.combine in ("sum", "mean", "count", "maximum")
    ]
    for place, scale in simple:
        for item in (one.id for one in instrument.items):
            if item in scale.items or not _same_coding(instrument, item, scale):
                continue
            more = scale.model_copy(update={"items": (*scale.items, item)})
            with_more = with_part(instrument, "scales", place, more)
            name = f"{scale.id}: item {item} counted, too"
            yield Mutant(name, with_more, Fault.ADDED, scale.id)


def _same_coding(instrument: Instrument, item: str, scale: Scale) -> bool:
    return instrument.item(item).response_scale == instrument.item(scale.items[0]).response_scale


def _other_parts(instrument: Instrument) -> Iterator[Mutant]:
    for place, critical in enumerate(instrument.critical_items):
        name = f"critical {critical.item}"
        without = with_part(instrument, "critical_items", place, None)
        yield Mutant(f"{name} left out", without, Fault.CRITICAL)
        scores = instrument.options(critical.item).scores
        for cut in {critical.at_or_above - 1, critical.at_or_above + 1}:
            if cut <= max(scores):
                moved = critical.model_copy(update={"at_or_above": cut})
                changed = with_part(instrument, "critical_items", place, moved)
                yield Mutant(f"{name} from {cut}", changed, Fault.CRITICAL)
    for place, index in enumerate(instrument.validity_indices):
        for limit in (index.at_or_above - 1, index.at_or_above + 1):
            changed_index = index.model_copy(update={"at_or_above": limit})
            yield Mutant(
                f"validity {index.id} from {limit:g}",
                with_part(instrument, "validity_indices", place, changed_index),
                Fault.VALIDITY,
            )
    for place, gate in enumerate(instrument.gates):
        without = with_part(instrument, "gates", place, None)
        yield Mutant(f"gate {gate.id} left out", without, Fault.GATE)
    for place, item in enumerate(instrument.items):
        if item.blank_counts_as is not None:
            open_item = item.model_copy(update={"blank_counts_as": None})
            changed = with_part(instrument, "items", place, open_item)
            yield Mutant(f"item {item.id}: a blank stays open", changed, Fault.BLANK)
