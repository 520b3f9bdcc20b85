"""Do worked cases pin a definition? Change one thing at a time, and see whether a case notices.

A mutation score shows that the cases pin the file, not that the file agrees with its original:
`evidence` says that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions import Instrument
from mhscreen.definitions.keys import complete_scores
from mhscreen.loading import load_cases
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.testing.cases import run_instrument_case
from mhscreen.testing.quality_forms import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mhscreen.definitions import Definition
    from mhscreen.definitions.cases import InstrumentCase
    from mhscreen.definitions.instrument import CutSet, Scale
    from mhscreen.loading import Loaded

__all__ = ["Mutant", "mutate", "surviving"]

_CLOSE = 1e-9


@dataclass(frozen=True)
class Mutant:
    """An instrument with one thing changed.

    Attributes
    ----------
    name : str
        What was changed, such as ``total: item q7 not reversed``.
    instrument : Instrument
        The changed instrument; it need not pass the checks of a definition.
    """

    name: str
    instrument: Instrument


def surviving(loaded: Loaded[Definition]) -> tuple[int, list[str]]:
    """Return how many mutants an instrument has, and those that no worked case notices.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> number, survivors = surviving(shipped_library().instrument("gad7@1"))
    >>> number > 20, survivors
    (True, [])
    """
    cases = load_cases(loaded)
    if not isinstance(loaded.definition, Instrument) or cases is None:
        return 0, []
    written: Sequence[Any] = cases.cases
    mutants = list(mutate(loaded.definition))
    return len(mutants), [one.name for one in mutants if not _noticed(one.instrument, written)]


def _noticed(instrument: Instrument, cases: Sequence[InstrumentCase]) -> bool:
    try:
        return any(next(iter(run_instrument_case(instrument, case)), None) for case in cases)
    except (UsageError, KeyError, StopIteration, ValueError, IndexError, RuntimeError):
        return True  # an instrument that cannot even be compiled is noticed


def mutate(instrument: Instrument) -> Iterator[Mutant]:
    """Change one thing at a time: keys, membership, cuts, coding, blanks, gates, quality."""
    for place, scale in enumerate(instrument.scales):
        for what, changes in _scale_changes(instrument, scale):
            changed = scale.model_copy(update=changes)
            yield Mutant(f"{scale.id}: {what}", _with(instrument, "scales", place, changed))
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
            yield Mutant(
                f"{name}: {what}", instrument.model_copy(update={"response_scales": scales})
            )
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
            yield Mutant(
                f"{name}: band from {begin} instead of {option.code}",
                instrument.model_copy(update={"response_scales": scales}),
            )


def _with(instrument: Instrument, field: str, place: int, value: Any) -> Instrument:
    """Return the instrument with one element of a tuple replaced, or left out (None)."""
    values = list(getattr(instrument, field))
    values[place : place + 1] = [] if value is None else [value]
    return instrument.model_copy(update={field: tuple(values)})


def _scale_changes(instrument: Instrument, scale: Scale) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in scale.items:
        reverse = set(scale.reverse) ^ {item}
        kept = tuple(one for one in scale.items if one in reverse)
        word = "not reversed" if item in scale.reverse else "reversed"
        if len(set(instrument.options(item).scores)) > 1:
            yield f"item {item} {word}", {"reverse": kept}
        others = tuple(one for one in scale.items if one != item)
        yield (
            f"item {item} left out",
            {"items": others, "reverse": tuple(one for one in scale.reverse if one != item)},
        )
    for name in scale.scales:
        yield f"scale {name} left out", {"scales": tuple(s for s in scale.scales if s != name)}
    deciding = [scale.cut_set_for(one) for one in scale.informants or instrument.informants]
    for place, cut_set in enumerate(scale.cut_sets):
        if cut_set in deciding:
            yield from _cut_changes(instrument, scale, place, cut_set)
    yield from _rule_changes(scale)


def _rule_changes(scale: Scale) -> Iterator[tuple[str, dict[str, Any]]]:
    """Change the rule for counting, the rule for blanks, and the rounding."""
    if scale.count_at_or_above is not None:
        for step in (-1, 1):
            yield (
                f"counts from {scale.count_at_or_above + step}",
                {"count_at_or_above": scale.count_at_or_above + step},
            )
    if scale.missing is not None:
        fewest = scale.missing.min_answered
        for number in {max(1, fewest - 1), fewest + 1} - {fewest}:
            rule = scale.missing.model_copy(update={"min_answered": number})
            yield f"needs {number} answers", {"missing": rule}
        yield "needs every answer", {"missing": None}
    if scale.transform is not None and scale.transform.multiply is not None:
        yield "multiplier left out", {"transform": None}
    if scale.rounding == "down":
        yield "rounding half_up", {"rounding": "half_up"}
    elif scale.missing is not None:
        other = "none" if scale.rounding != "none" else "half_up"
        yield f"rounding {other}", {"rounding": other}


def _cut_changes(
    instrument: Instrument, scale: Scale, place: int, cut_set: CutSet
) -> Iterator[tuple[str, dict[str, Any]]]:
    scores = complete_scores(instrument, scale)
    for number, category in enumerate(cut_set.categories):
        if category.cut is None:
            continue
        key = "at_or_above" if category.at_or_above is not None else "at_or_below"
        upwards = key == "at_or_above"
        for cut in _neighbours(scores, category.cut, upwards=upwards, step=_step(scale)):
            moved = category.model_copy(update={key: cut})
            categories = [*cut_set.categories]
            categories[number] = moved
            sets = [*scale.cut_sets]
            sets[place] = cut_set.model_copy(update={"categories": tuple(categories)})
            yield f"{category.id} {key} {cut:g}", {"cut_sets": tuple(sets)}


def _neighbours(
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
            with_more = _with(instrument, "scales", place, more)
            yield Mutant(f"{scale.id}: item {item} counted, too", with_more)


def _same_coding(instrument: Instrument, item: str, scale: Scale) -> bool:
    return instrument.item(item).response_scale == instrument.item(scale.items[0]).response_scale


def _other_parts(instrument: Instrument) -> Iterator[Mutant]:
    for place, critical in enumerate(instrument.critical_items):
        name = f"critical {critical.item}"
        yield Mutant(f"{name} left out", _with(instrument, "critical_items", place, None))
        scores = instrument.options(critical.item).scores
        for cut in {critical.at_or_above - 1, critical.at_or_above + 1}:
            if cut <= max(scores):
                changed = critical.model_copy(update={"at_or_above": cut})
                yield Mutant(
                    f"{name} from {cut}", _with(instrument, "critical_items", place, changed)
                )
    for place, index in enumerate(instrument.validity_indices):
        for limit in (index.at_or_above - 1, index.at_or_above + 1):
            changed_index = index.model_copy(update={"at_or_above": limit})
            yield Mutant(
                f"validity {index.id} from {limit:g}",
                _with(instrument, "validity_indices", place, changed_index),
            )
    yield from _quality_changes(instrument)
    for place, gate in enumerate(instrument.gates):
        yield Mutant(f"gate {gate.id} left out", _with(instrument, "gates", place, None))
    for place, item in enumerate(instrument.items):
        if item.blank_counts_as is not None:
            open_item = item.model_copy(update={"blank_counts_as": None})
            yield Mutant(
                f"item {item.id}: a blank stays open", _with(instrument, "items", place, open_item)
            )


def _quality_changes(instrument: Instrument) -> Iterator[Mutant]:
    """Move the value of each response-quality index to either side, and every expected answer."""
    forms = [compile_form(instrument, informant) for informant in instrument.informants]
    plans = [form.quality for form in forms if form.quality is not None]
    for place, index in enumerate(instrument.quality):
        key = "at_or_above" if index.at_or_above is not None else "at_or_below"
        items = len(instrument.items)
        values = np.unique(np.concatenate([values_of(plan, place, items) for plan in plans]))
        for cut in _neighbours(values.tolist(), index.cut, upwards=key == "at_or_above", step=1.0):
            changed = index.model_copy(update={key: cut})
            yield Mutant(
                f"quality {index.id} {key} {cut:.4g}",
                _with(instrument, "quality", place, changed),
            )
        for item, expected in index.expected.items():
            # Turned round where that is another value, else left out.
            other = {item: 1 - expected} if abs(expected - 0.5) > _CLOSE else {}
            kept = {k: v for k, v in index.expected.items() if k != item} | other
            word = f"{1 - expected:.4g}" if other else "left out"
            yield Mutant(
                f"quality {index.id}: item {item} expected {word}",
                _with(instrument, "quality", place, index.model_copy(update={"expected": kept})),
            )
