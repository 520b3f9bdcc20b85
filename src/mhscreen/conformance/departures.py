"""Scorers that depart from a definition in one way: the faults that vectors must notice and tell.

The changes of keys, cuts and rules are those of `mhscreen.review.mutants`; here are the faults of
programs: what they do with blanks, with answers that are not legal, with gates, with other
people's cut scores. See `known` for faults and variants that were seen in published programs,
and `norm_departures` for norms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.behaviours import behaviours
from mhscreen.conformance.known import known_departures
from mhscreen.conformance.norm_departures import norm_departures
from mhscreen.conformance.scorer import Change, Departure, recorded
from mhscreen.definitions.instrument import MissingRule
from mhscreen.definitions.keys import items_of
from mhscreen.definitions.kinds import LevelAll, LevelAny, LevelAtLeast, LevelItem
from mhscreen.kernels import codes as rc
from mhscreen.kernels.packed import pack, unpack
from mhscreen.review.mutants import mutate, with_part
from mhscreen.vocabulary import Evidence, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Form, Vectors
    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import CutSet, Scale
    from mhscreen.definitions.kinds import LevelCondition
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.review.mutants import Mutant

__all__ = ["departures"]

_BARELY = 1e-6  # above a cut by less than any two scores differ


def departures(form: Form) -> tuple[Departure, ...]:
    """Return every departure of one form, each under its own name.

    Examples
    --------
    >>> from mhscreen.conformance.scorer import find_forms
    >>> from mhscreen.loading import shipped_library
    >>> form, = find_forms(shipped_library(), ["gad7@1"])
    >>> [one.name for one in departures(form)][:2]
    ['total: item q1 reversed', 'total: item q1 left out']
    """
    found: dict[str, Departure] = {}
    for one in _all(form):
        found.setdefault(one.name, one)
    return tuple(found.values())


def _all(form: Form) -> Iterator[Departure]:
    instrument = form.definition
    for mutant in mutate(instrument):
        scales = (mutant.scale,) if mutant.scale else ()
        change = _other_bands(form, mutant.instrument) or Change(mutant.instrument, scales)
        item = _item_changed(instrument, mutant) if mutant.scale else ""
        yield Departure(mutant.name, mutant.fault, change, item=item)
    for place, scale in enumerate(instrument.scales):
        for fault, what, changed in _scale_changes(instrument, form, scale):
            definition = with_part(instrument, "scales", place, changed)
            yield Departure(f"{scale.id}: {what}", fault, Change(definition, (scale.id,)))
        yield from _table_changes(form, scale)
    yield from _moved(instrument)
    yield from _other_cut_sets(form)
    yield from _coding(instrument)
    yield from _gates(instrument)
    for name, fault, change in behaviours(form):
        yield Departure(name, fault, change)
    for name, change in norm_departures(form):
        yield Departure(name, Fault.NORM, change)
    for known in known_departures(form):
        yield Departure(known.name, known.fault, known.change, known.source)


def _item_changed(instrument: Instrument, mutant: Mutant) -> str:
    """Return the only item whose part in a scale is changed, or nothing where that is not all."""
    before, after = (one.scale(mutant.scale) for one in (instrument, mutant.instrument))
    items = set(before.items) ^ set(after.items) | set(before.reverse) ^ set(after.reverse)
    return items.pop() if len(items) == 1 else ""


def _other_bands(form: Form, changed: Instrument) -> Change | None:
    """Return the change of a scorer that reads recorded numbers into other bands."""
    bands = {}
    for row, item in enumerate(form.plan.items):
        options = changed.options(item.id).options
        codes = tuple(option.code for option in options)
        if item.bands and codes != item.codes:
            bands[row] = np.array(codes, dtype=np.float64)
    if not bands:
        return None

    def read(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
        codes = vectors.codes.copy()
        for row, begins in bands.items():
            item = form.plan.items[row]
            for late in (False, True):
                for place in range(len(item.codes)):
                    number = float(recorded(item, place, late=late))
                    other = int(np.searchsorted(begins, number, side="right")) - 1
                    here = (vectors.codes[row] == place) & (vectors.late == late)
                    codes[row, here] = other if other >= 0 else rc.ILLEGAL
        return codes

    return Change(read=read)


def _scale_changes(
    instrument: Instrument, form: Form, scale: Scale
) -> Iterator[tuple[Fault, str, Scale]]:
    items = items_of(instrument, scale)
    rule = MissingRule(
        min_answered=1, source=scale.source, evidence=Evidence.OWN_CHOICE, method="prorate"
    )
    if scale.combine in ("sum", "mean", "count") and len(items) > 1:
        limits = {1: "prorated whatever is blank", (len(items) + 1) // 2: "prorated from half"}
        for number, what in limits.items():
            if scale.missing is None or scale.missing.min_answered > number + 1:
                changed = rule.model_copy(update={"min_answered": number})
                yield Fault.MISSING_RULE, what, scale.model_copy(update={"missing": changed})
    if scale.count_exceptions:
        plain = scale.model_copy(update={"count_exceptions": {}})
        yield Fault.COUNTING, "every item counts from the same score", plain
    yield from _transform_changes(scale)
    yield from _level_changes(scale)
    yield from _component_changes(instrument, form, scale)
    deciding = scale.cut_set_for(form.informant)
    for place, cut_set in enumerate(scale.cut_sets):
        if cut_set is deciding:
            for number, category in enumerate(cut_set.categories):
                if category.cut is not None:
                    yield (
                        Fault.CUT,
                        f"{category.id}: a score at {category.cut:g} stays on the near side",
                        _beyond(scale, place, number),
                    )


def _beyond(scale: Scale, place: int, number: int) -> Scale:
    """Return the scale with `>` in place of `≥` at one cut (or `<` in place of `≤`)."""
    cut_set = scale.cut_sets[place]
    category = cut_set.categories[number]
    key = "at_or_above" if category.at_or_above is not None else "at_or_below"
    step = _BARELY if key == "at_or_above" else -_BARELY
    moved = category.model_copy(update={key: (category.cut or 0) + step})
    return _with_cut_set(scale, place, cut_set, number, moved)


def _with_cut_set(scale: Scale, place: int, cut_set: CutSet, number: int, category: Any) -> Scale:
    categories = [*cut_set.categories]
    categories[number] = category
    sets = [*scale.cut_sets]
    sets[place] = cut_set.model_copy(update={"categories": tuple(categories)})
    return scale.model_copy(update={"cut_sets": tuple(sets)})


def _transform_changes(scale: Scale) -> Iterator[tuple[Fault, str, Scale]]:
    transform = scale.transform
    if transform is None:
        return
    if transform.multiply is not None:
        twice = transform.model_copy(update={"multiply": transform.multiply**2})
        yield Fault.TRANSFORM, "multiplier applied twice", _with(scale, transform=twice)
        return
    yield Fault.TRANSFORM, "not converted", _with(scale, transform=None)
    if transform.table is not None:
        table = transform.table
        for step, word in ((1, "above"), (-1, "below")):
            values = table.values
            moved = (*values[1:], values[-1]) if step > 0 else (values[0], *values[:-1])
            shifted = table.model_copy(update={"values": moved})
            changed = transform.model_copy(update={"table": shifted})
            yield Fault.TRANSFORM, f"read from the row {word}", _with(scale, transform=changed)


def _with(scale: Scale, **changes: Any) -> Scale:
    return scale.model_copy(update=changes)


def _level_changes(scale: Scale) -> Iterator[tuple[Fault, str, Scale]]:
    for place, level in enumerate(scale.levels):
        without = (*scale.levels[:place], *scale.levels[place + 1 :])
        if without:
            yield Fault.LEVEL, f"level {level.at} left out", _with(scale, levels=without)
        for what, condition in _conditions(level.when):
            changed = level.model_copy(update={"when": condition})
            levels = (*scale.levels[:place], changed, *scale.levels[place + 1 :])
            yield Fault.LEVEL, f"level {level.at}: {what}", _with(scale, levels=levels)


def _conditions(condition: LevelCondition) -> Iterator[tuple[str, LevelCondition]]:
    """Yield a condition with one thing changed."""
    if isinstance(condition, LevelAll | LevelAny):
        key = "all" if isinstance(condition, LevelAll) else "any"
        inner = getattr(condition, key)
        if len(inner) > 1:
            other: LevelCondition = LevelAny(any=inner) if key == "all" else LevelAll(all=inner)
            yield ("any" if key == "all" else "all") + f" in place of {key}", other
        yield from _inside(condition, key, inner, lambda parts: type(condition)(**{key: parts}))
        return
    if isinstance(condition, LevelAtLeast):
        count, inner = condition.at_least.count, condition.at_least.of
        for number in (count - 1, count + 1):
            if 1 <= number <= len(inner):
                changed = condition.at_least.model_copy(update={"count": number})
                yield f"{number} in place of {count}", LevelAtLeast(at_least=changed)
        yield from _inside(
            condition,
            "of",
            inner,
            lambda parts: LevelAtLeast(
                at_least=condition.at_least.model_copy(update={"of": parts})
            ),
        )
        return
    name = condition.item if isinstance(condition, LevelItem) else condition.scale
    for step in (-1, 1):
        cut = condition.at_or_above + step
        yield f"{name} from {cut:g}", condition.model_copy(update={"at_or_above": cut})


def _inside(
    condition: Any,
    key: str,
    inner: tuple[LevelCondition, ...],
    build: Callable[[tuple[LevelCondition, ...]], LevelCondition],
) -> Iterator[tuple[str, LevelCondition]]:
    del condition, key
    for place, part in enumerate(inner):
        if len(inner) > 1:
            name = getattr(part, "item", None) or getattr(part, "scale", f"part {place + 1}")
            yield f"{name} not read", build((*inner[:place], *inner[place + 1 :]))
        for what, changed in _conditions(part):
            yield what, build((*inner[:place], changed, *inner[place + 1 :]))


def _component_changes(
    instrument: Instrument, form: Form, scale: Scale
) -> Iterator[tuple[Fault, str, Scale]]:
    if scale.combine != "sum_of_scales":
        return
    before = [one.id for one in instrument.scales_for(form.informant)]
    for other in before[: before.index(scale.id)]:
        if other not in scale.scales and instrument.scale(other).scales == ():
            more = _with(scale, scales=(*scale.scales, other))
            yield Fault.COMPONENT, f"scale {other} counted, too", more
    if len(scale.scales) > 1:
        for name in scale.scales:
            yield (
                Fault.TWICE,
                f"scale {name} counted twice",
                _with(scale, scales=(*scale.scales, name)),
            )


# -- faults of the tables behind a scale ----------------------------------------------------------


def _table_changes(form: Form, scale: Scale) -> Iterator[Departure]:
    """Count an item twice, or mirror reversed items at the largest option alone."""
    plan = form.plan.scales[form.plan.scale(scale.id)]
    if scale.combine not in ("sum", "mean", "count"):
        return
    for place, item in enumerate(scale.items):
        if scale.combine == "sum" or len(scale.items) > 1:

            def twice(table: NDArray[np.int64], place: int = place) -> NDArray[np.int64]:
                return _scaled(table, place)

            yield Departure(
                f"{scale.id}: item {item} counted twice",
                Fault.TWICE,
                Change(scales=(scale.id,), plan=_on_tables(scale.id, twice)),
                item=item,
            )
    least = {
        place: int(np.min(form.plan.items[row].scores))
        for place, row in enumerate(plan.rows.tolist())
        if scale.items[place] in scale.reverse
    }
    if any(least.values()):

        def mirrored(table: NDArray[np.int64]) -> NDArray[np.int64]:
            return _lowered(table, least)

        yield Departure(
            f"{scale.id}: reversed as the largest option less the answer",
            Fault.REVERSED,
            Change(scales=(scale.id,), plan=_on_tables(scale.id, mirrored)),
        )


def _scaled(tables: NDArray[np.int64], place: int) -> NDArray[np.int64]:
    parts = unpack(tables[place])
    changed = tables.copy()
    changed[place] = pack(
        parts.value * 2, parts.low * 2, parts.high * 2, parts.answered, parts.known
    )
    return changed


def _lowered(tables: NDArray[np.int64], least: dict[int, int]) -> NDArray[np.int64]:
    changed = tables.copy()
    for place, step in least.items():
        parts = unpack(tables[place])
        changed[place] = pack(
            np.where(parts.known > 0, parts.value - step, 0),
            parts.low - step,
            parts.high - step,
            parts.answered,
            parts.known,
        )
    return changed


def _on_tables(
    scale: str, change: Callable[[NDArray[np.int64]], NDArray[np.int64]]
) -> Callable[[FormPlan], FormPlan]:
    def changed(plan: FormPlan) -> FormPlan:
        return replace(
            plan,
            scales=tuple(
                replace(one, tables=change(one.tables)) if one.id == scale else one
                for one in plan.scales
            ),
        )

    return changed


# -- faults that concern several scales -----------------------------------------------------------


def _moved(instrument: Instrument) -> Iterator[Departure]:
    """Move each item to each other scale of the same answers; read every item one place off."""
    simple = [
        (place, scale)
        for place, scale in enumerate(instrument.scales)
        if scale.items and scale.combine in ("sum", "mean", "count")
    ]
    for place, scale in simple:
        if len(scale.items) == 1:
            continue
        for item in scale.items:
            for other_place, other in simple:
                if (
                    item in other.items
                    or set(scale.items) & set(other.items)
                    or not _alike(instrument, item, other.items[0])
                ):
                    continue
                less = _with(
                    scale,
                    items=tuple(one for one in scale.items if one != item),
                    reverse=tuple(one for one in scale.reverse if one != item),
                )
                more = _with(
                    other,
                    items=(*other.items, item),
                    reverse=(*other.reverse, *(one for one in scale.reverse if one == item)),
                )
                changed = with_part(instrument, "scales", place, less)
                changed = with_part(changed, "scales", other_place, more)
                yield Departure(
                    f"item {item} moved from {scale.id} to {other.id}",
                    Fault.MOVED,
                    Change(changed, (scale.id, other.id)),
                    item=item,
                )
    every = [item.id for item in instrument.items]
    for place, scale in simple:
        for step, word in ((1, "after"), (-1, "before")):
            neighbours = {
                item: every[every.index(item) + step]
                for item in scale.items
                if 0 <= every.index(item) + step < len(every)
            }
            if len(neighbours) < len(scale.items) or not all(
                _alike(instrument, a, b) for a, b in neighbours.items()
            ):
                continue
            shifted = _with(
                scale,
                items=tuple(neighbours[item] for item in scale.items),
                reverse=tuple(neighbours[item] for item in scale.reverse),
            )
            yield Departure(
                f"{scale.id}: each item read is the one {word} it",
                Fault.MOVED,
                Change(with_part(instrument, "scales", place, shifted), (scale.id,)),
            )


def _alike(instrument: Instrument, one: str, other: str) -> bool:
    return instrument.item(one).response_scale == instrument.item(other).response_scale


def _other_cut_sets(form: Form) -> Iterator[Departure]:
    """Use the cut scores of other people: another population is a variant, another form a fault."""
    instrument = form.instrument.model_copy(update={"quality": ()})
    names = dict.fromkeys(c.id for scale in instrument.scales for c in scale.cut_sets)
    for name in names:
        for_us, changed_scales, scales = True, [], []
        for scale in instrument.scales:
            chosen = next((c for c in scale.cut_sets if c.id == name), None)
            deciding = scale.cut_set_for(form.informant)
            if chosen is None or deciding is None or chosen is deciding:
                scales.append(scale)
                continue
            for_us = for_us and (not chosen.informants or form.informant in chosen.informants)
            sets = (chosen.model_copy(update={"informants": ()}), *scale.cut_sets)
            scales.append(scale.model_copy(update={"cut_sets": sets}))
            changed_scales.append(scale.id)
        if changed_scales:
            yield Departure(
                f"cut set {name}" if for_us else f"cut set {name}, made for another informant",
                Fault.VARIANT if for_us else Fault.CUT_SET,
                Change(
                    instrument.model_copy(update={"scales": tuple(scales)}), tuple(changed_scales)
                ),
            )


def _coding(instrument: Instrument) -> Iterator[Departure]:
    """Score options by their place or their code where the definition says otherwise."""
    counted = {key for scale in instrument.scales for key in items_of(instrument, scale)}
    counted |= {critical.item for critical in instrument.critical_items}
    used = {instrument.item(key).response_scale for key in counted}
    for name, options in instrument.response_scales.items():
        if name not in used:
            continue
        places = list(range(len(options.options)))
        ways = {
            "scored by place, from 0": places,
            "scored by place, from 1": [place + 1 for place in places],
        }
        codes = [option.code for option in options.options if isinstance(option.code, int)]
        if len(codes) == len(places) and min(codes) >= 0:
            ways["scored as recorded"] = codes
        if min(options.scores) > 0:
            ways["coding one too low"] = [score - 1 for score in options.scores]
        for what, scores in ways.items():
            if scores == list(options.scores):
                continue
            recoded = options.model_copy(
                update={
                    "options": tuple(
                        option.model_copy(update={"score": score})
                        for option, score in zip(options.options, scores, strict=True)
                    )
                }
            )
            scales = {**instrument.response_scales, name: recoded}
            changed = instrument.model_copy(update={"response_scales": scales})
            yield Departure(f"{name}: {what}", Fault.CODING, Change(changed))


def _gates(instrument: Instrument) -> Iterator[Departure]:
    for place, gate in enumerate(instrument.gates):
        for number, opener in enumerate(gate.open_when_any):
            for step in (-1, 1):
                openers = list(gate.open_when_any)
                openers[number] = opener.model_copy(
                    update={"at_or_above": opener.at_or_above + step}
                )
                changed = gate.model_copy(update={"open_when_any": tuple(openers)})
                yield Departure(
                    f"gate {gate.id} opens at {opener.item} from {opener.at_or_above + step}",
                    Fault.GATE,
                    Change(with_part(instrument, "gates", place, changed)),
                )
