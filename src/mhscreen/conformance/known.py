"""Faults and variants that were seen in published programs, each under its own name.

They stand in ``known.json`` beside this module: what was seen, where, and the change of the
definition that scores the same way. What was seen and is no matter of scoring stands there, too,
with the reason.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.behaviours import behaviours, without_blanks
from mhscreen.conformance.scorer import Change, Column, Departure
from mhscreen.definitions.kinds import LevelAll, LevelAny, LevelAtLeast, LevelItem, Transform
from mhscreen.kernels import codes as rc
from mhscreen.kernels.lookup import categorise
from mhscreen.kernels.packed import pack, unpack
from mhscreen.vocabulary import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Columns, Form, Vectors
    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import CutSet, Scale
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.score import FormScores

__all__ = ["catalogue", "known_departures"]


@cache
def catalogue() -> dict[str, Any]:
    """Return all that was seen: ``departures``, and ``not_scored`` with the reason.

    Examples
    --------
    >>> {one["kind"] for one in catalogue()["departures"]} == {"fault", "variant"}
    True
    """
    text = files("mhscreen.conformance").joinpath("known.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def known_departures(form: Form) -> Iterator[Departure]:
    """Yield what is known of a form; an entry whose scales this version lacks is left out."""
    for entry in catalogue()["departures"]:
        if entry["instrument"] != form.instrument.id:
            continue
        if entry.get("informant", form.informant) != form.informant:
            continue
        change = _change(form, entry["change"])
        if change is not None:
            fault = Fault.VARIANT if entry["kind"] == "variant" else Fault.KNOWN
            yield Departure(f"known: {entry['name']}", fault, change, entry["seen"])


def _change(form: Form, what: Mapping[str, Any]) -> Change | None:
    if "read" in what:
        found = [change for name, _, change in behaviours(form) if name == what["read"]]
        return found[0] if found else None
    for key, special in _SPECIAL.items():
        if key in what:
            return special(form, what[key])
    instrument = form.instrument.model_copy(update={"quality": ()})
    own = {scale.id for scale in instrument.scales_for(form.informant)}
    scales = what.get("scales", {})
    if not set(scales) <= own:
        return None
    instrument = _with_options(instrument, what.get("options", {}))
    for name, changes in scales.items():
        changed = _changed_scale(instrument.scale(name), form, changes)
        instrument = _replaced(instrument, changed)
    for name, at in what.get("validity", {}).items():
        indices = tuple(
            one.model_copy(update={"at_or_above": at}) if one.id == name else one
            for one in instrument.validity_indices
        )
        instrument = instrument.model_copy(update={"validity_indices": indices})
    dropped = what.get("critical_drop", ())
    if dropped:
        kept = tuple(one for one in instrument.critical_items if one.item not in dropped)
        instrument = instrument.model_copy(update={"critical_items": kept})
    if what.get("blank_counts_as_nothing"):
        items = tuple(one.model_copy(update={"blank_counts_as": None}) for one in instrument.items)
        instrument = instrument.model_copy(update={"items": items})
    for name, items_read in what.get("level_items", {}).items():
        scale = instrument.scale(name)
        levels = tuple(
            level.model_copy(update={"when": _renamed(level.when, items_read)})
            for level in scale.levels
        )
        instrument = _replaced(instrument, scale.model_copy(update={"levels": levels}))
    tables = {name: changes for name, changes in scales.items() if set(changes) & set(_ON_TABLES)}
    only = tuple(scales) if set(what) == {"scales"} else ()
    return Change(instrument, only, plan=_on_tables(form, tables) if tables else None)


def _with_options(instrument: Instrument, scores: Mapping[str, list[int]]) -> Instrument:
    scales = dict(instrument.response_scales)
    for name, values in scores.items():
        options = tuple(
            option.model_copy(update={"score": score})
            for option, score in zip(scales[name].options, values, strict=True)
        )
        scales[name] = scales[name].model_copy(update={"options": options})
    return instrument.model_copy(update={"response_scales": scales})


def _replaced(instrument: Instrument, scale: Scale) -> Instrument:
    scales = tuple(scale if one.id == scale.id else one for one in instrument.scales)
    return instrument.model_copy(update={"scales": scales})


def _changed_scale(scale: Scale, form: Form, changes: Mapping[str, Any]) -> Scale:
    items = tuple(changes.get("items", scale.items))
    items = tuple(one for one in items if one not in changes.get("drop", ()))
    items = (*items, *changes.get("add", ()))
    reverse = tuple(one for one in changes.get("reverse", scale.reverse) if one in items)
    update: dict[str, Any] = {"items": items, "reverse": reverse}
    if "combine" in changes:
        update |= {"combine": changes["combine"], "levels": ()}
    if "count_from" in changes:
        update["count_at_or_above"] = changes["count_from"]
    if changes.get("no_exceptions"):
        update["count_exceptions"] = {}
    if "multiply" in changes:
        factor = changes["multiply"]
        update["transform"] = None if factor is None else Transform(multiply=factor)
    if "table" in changes and scale.transform is not None and scale.transform.table is not None:
        table = scale.transform.table
        values = list(table.values)
        for raw, value in changes["table"].items():
            values[int(raw) - table.first] = value
        moved = table.model_copy(update={"values": tuple(values)})
        update["transform"] = scale.transform.model_copy(update={"table": moved})
    chosen = scale.cut_set_for(form.informant)
    if "use_cut_set" in changes:
        chosen = next(one for one in scale.cut_sets if one.id == changes["use_cut_set"])
    if chosen is not None and ("cuts" in changes or "use_cut_set" in changes):
        update["cut_sets"] = (_recut(chosen, changes.get("cuts")), *scale.cut_sets)
    return scale.model_copy(update=update)


def _recut(cut_set: CutSet, cuts: list[float] | None) -> CutSet:
    categories = list(cut_set.categories)
    for place, cut in enumerate(cuts or (), start=1):
        category = categories[place]
        key = "at_or_above" if category.at_or_above is not None else "at_or_below"
        categories[place] = category.model_copy(update={key: float(cut)})
    return cut_set.model_copy(update={"categories": tuple(categories), "informants": ()})


def _renamed(condition: Any, names: Mapping[str, str]) -> Any:
    """Return a condition of a level that reads other items."""
    if isinstance(condition, LevelItem):
        return condition.model_copy(update={"item": names.get(condition.item, condition.item)})
    if isinstance(condition, LevelAll):
        return LevelAll(all=tuple(_renamed(one, names) for one in condition.all))
    if isinstance(condition, LevelAny):
        return LevelAny(any=tuple(_renamed(one, names) for one in condition.any))
    if isinstance(condition, LevelAtLeast):
        inner = condition.at_least
        of = tuple(_renamed(one, names) for one in inner.of)
        return LevelAtLeast(at_least=inner.model_copy(update={"of": of}))
    return condition


# -- what no definition can say -------------------------------------------------------------------

_ON_TABLES = ("twice", "blank_is_nothing")


def _on_tables(
    form: Form, changes: Mapping[str, Mapping[str, Any]]
) -> Callable[[FormPlan], FormPlan]:
    def scale(one: ScalePlan) -> ScalePlan:
        what = changes.get(one.id, {})
        if what.get("blank_is_nothing"):
            one = without_blanks(one)
        rows = [form.plan.row(item) for item in what.get("twice", ())]
        if not rows:
            return one
        tables = one.tables.copy()
        for place in np.flatnonzero(np.isin(one.rows, rows)).tolist():
            parts = unpack(tables[place])
            tables[place] = pack(
                parts.value * 2, parts.low * 2, parts.high * 2, parts.answered, parts.known
            )
        return replace(one, tables=tables)

    return lambda plan: replace(plan, scales=tuple(map(scale, plan.scales)))


def _zero_is_blank(form: Form, _: Any) -> Change:
    def read(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
        codes = vectors.codes.copy()
        for row, item in enumerate(form.plan.items):
            if 0 in item.codes:
                codes[row, codes[row] == item.codes.index(0)] = rc.BLANK
        return codes

    del form
    return Change(read=read)


def _norm_without_grade(form: Form, grade: int) -> Change:
    norms = {
        name: replace(
            plan,
            strata=tuple(
                replace(one, grade=(one.grade[0], min(one.grade[1], grade))) for one in plan.strata
            ),
        )
        for name, plan in form.norm_plans.items()
    }
    return Change(norm=norms)


def _norm_clip_grade(form: Form, grade: int) -> Change:
    def people(vectors: Vectors) -> Vectors:
        low = (vectors.grade >= 0) & (vectors.grade < grade)
        return replace(vectors, grade=np.where(low, grade, vectors.grade).astype(np.int8))

    return Change(norm=form.norm_plans, people=people)


def _total_from_all_but_one(form: Form, scale: str) -> Change:
    def say(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
        place = plan.scale(scale)
        total = plan.scales[place]
        parts = np.stack([scores.scales[one].score for one in total.components])
        absent = np.isnan(parts).sum(axis=0)
        filled = np.nansum(parts, axis=0) * len(parts) / np.maximum(len(parts) - absent, 1)
        said = np.where(absent == 1, filled, scores.scales[place].score)
        category = columns[f"{scale}.category"].values
        guess = categorise(said, total.cuts, upwards=total.upwards).astype(np.float64)
        guessed = np.where(absent == 1, guess, category)
        return columns | {
            scale: Column(said),
            f"{scale}.category": Column(guessed, total.categories),
        }

    del form
    return Change(say=say)


def _use_cut_set(form: Form, name: str) -> Change:
    instrument = form.instrument.model_copy(update={"quality": ()})
    changed = []
    for scale in instrument.scales:
        chosen = next((one for one in scale.cut_sets if one.id == name), None)
        if chosen is None or scale.cut_set_for(form.informant) is None:
            continue
        sets = (chosen.model_copy(update={"informants": ()}), *scale.cut_sets)
        instrument = _replaced(instrument, scale.model_copy(update={"cut_sets": sets}))
        changed.append(scale.id)
    return Change(instrument, tuple(changed))


_SPECIAL: dict[str, Callable[[Form, Any], Change]] = {
    "zero_is_blank": _zero_is_blank,
    "norm_without_grade": _norm_without_grade,
    "norm_clip_grade": _norm_clip_grade,
    "total_from_all_but_one": _total_from_all_but_one,
    "cut_set": _use_cut_set,
}
