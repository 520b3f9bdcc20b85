"""Proofs that two scorers can never be told apart, whatever form is filled in.

That no candidate tells them apart proves nothing; each of these does:

``same rule``
    They do the same by the same function, or what they were compiled into is the same once
    what cannot matter is struck out: a gate that no answer closes, a condition that always
    holds, one that a higher level repeats.
``same cuts``
    Only cut scores differ, the score and its bounds are always whole numbers, and no whole
    number lies between the cuts.
``every form``
    All forms over the items concerned were scored, blanks included.
``every sum``
    The scale is a sum or mean, and all sums that its items can give, with every number of
    blanks, were scored by both.
``every pupil``
    Norms: every raw score that can be, on either side of every edge of age and grade, for
    each sex, known or not.
``bounds``
    A critical item that is positive takes the scale past its first category even where
    everything else is blank, so that nothing outranks it.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.behaviours import impute
from mhscreen.conformance.candidates import plain_vectors
from mhscreen.conformance.scorer import UNCHANGED, compile_change, score_vectors
from mhscreen.definitions.keys import items_of, whole_raw_scores
from mhscreen.kernels import codes as rc
from mhscreen.kernels.packed import unpack
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores, item_truth, score_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Change, Departure, Form, Vectors
    from mhscreen.plan.kinds import LevelNode
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan

__all__ = ["prove_alike"]

_MOST_FORMS = 2_000_000
_MOST_STATES = 60_000
_BLOCK = 200_000
_SUMS = ("sum", "mean", "count", "weighted_sum")


def prove_alike(form: Form, one: Departure | None, other: Departure) -> str:
    """Return how two scorers are proved alike; empty where no proof was found.

    Parameters
    ----------
    one : Departure or None
        None for the definition itself.
    """
    first = UNCHANGED if one is None else one.change
    second = other.change
    proofs: tuple[Callable[[Form, Change, Change], str], ...] = (
        _same_rule,
        _every_form,
        _every_pupil,
    )
    for prove in proofs:
        found = prove(form, first, second)
        if found:
            return found
    return _by_bounds(form, other) if one is None else ""


def _is_plain(change: Change) -> bool:
    return change.read is None and change.say is None and change.norm is None


# -- the same rule, the same cuts, every sum ------------------------------------------------------


def _same_rule(form: Form, first: Change, second: Change) -> str:
    if not (_is_plain(first) and _is_plain(second)):
        same = (
            first.read is second.read
            and first.say is second.say
            and first.plan is second.plan
            and first.instrument is second.instrument
            and first.people is second.people
            and _same_norms(first, second)
        )
        return "same rule" if same else ""
    plans = [compile_change(form, change, whole=True) for change in (first, second)]
    prints = [_fingerprint(plan) for plan in plans]
    if set(prints[0]) != set(prints[1]):
        return ""
    unlike = [name for name in prints[0] if prints[0][name] != prints[1][name]]
    proof = "same rule"
    for name in unlike:
        kind, _, scale = name.partition(":")
        if kind != "scale":
            return ""
        pair = [plan.scales[plan.scale(scale)] for plan in plans]
        if _same_cuts(form, pair, plans):
            proof = "same cuts" if proof == "same rule" else proof
        elif _same_sums(pair, plans):
            proof = "every sum"
        else:
            return ""
    return proof


def _same_norms(first: Change, second: Change) -> bool:
    if first.norm is None or second.norm is None:
        return first.norm is second.norm
    return first.norm.keys() == second.norm.keys() and all(
        first.norm[name] is second.norm[name] for name in first.norm
    )


def _fingerprint(plan: FormPlan) -> dict[str, Any]:
    """Return all that decides what a compiled form gives, part by part, to be compared."""
    every = np.arange(256, dtype=np.uint8)[None, :]

    def truth(row: int, cut: int) -> bytes:
        codes = np.repeat(every, len(plan.items), axis=0)
        return item_truth(plan, codes, row, cut).tobytes()

    found: dict[str, Any] = {
        f"scale:{scale.id}": _scale_print(plan, scale) for scale in plan.scales
    }
    for critical in plan.critical:
        name = f"critical:{critical.item}:{critical.concern}:{critical.at_or_above}"
        found[f"{name}"] = truth(critical.row, critical.at_or_above)
    gates = []
    for gate in plan.gates:
        openers = [(row, truth(row, cut)) for row, cut in gate.openers]
        answered = [one[: len(plan.items[row].scores)] for row, one in openers]
        if all(0 in one for one in answered):  # else no answers can close it
            gates.append((gate.rows, sorted(openers)))
    found["gates"] = gates
    found["blanks"] = [r for r, item in enumerate(plan.items) if item.blank_score is not None]
    found["validity"] = [
        (index.id, plan.scales[index.scale].id, index.at_or_above, index.status)
        for index in plan.validity
    ]
    return found


def _scale_print(plan: FormPlan, scale: ScalePlan) -> tuple[Any, ...]:
    return (*_key_print(plan, scale), scale.cuts.tobytes(), scale.categories)


def _key_print(plan: FormPlan, scale: ScalePlan) -> tuple[Any, ...]:
    """Return what decides the score, cut scores aside."""
    rows = scale.rows.tolist()
    tables = sorted((row, table.tobytes()) for row, table in zip(rows, scale.tables, strict=True))
    transform = scale.transform
    levels: tuple[Any, ...] = ()
    if scale.levels is not None:
        pairs = zip(scale.levels.levels, scale.levels.nodes, strict=True)
        levels = _level_print(plan, [(level, node) for level, node in pairs])
        tables = sorted(dict(tables).items())
        if not _decided_when_empty(plan, scale):
            # How many items it reads matters only where none of them is answered.
            return (scale.combine, levels, scale.rounding, scale.upwards)
    return (
        scale.combine,
        tables,
        sorted(plan.scales[place].id for place in scale.components),
        scale.n_items,
        scale.min_answered,
        scale.rounding,
        scale.upwards,
        levels,
        None
        if transform is None
        else (
            transform.multiply,
            transform.from_,
            transform.onto,
            transform.first,
            None if transform.values is None else transform.values.tobytes(),
        ),
    )


def _decided_when_empty(plan: FormPlan, scale: ScalePlan) -> bool:
    empty = np.full((len(plan.items), 1), rc.BLANK, dtype=np.uint8)
    found = score_forms(plan, empty).scales[plan.scale(scale.id)]
    return bool(found.bottom[0] == found.top[0])


def _level_print(plan: FormPlan, levels: Sequence[tuple[int, LevelNode]]) -> tuple[Any, ...]:
    """Return a decision rule without what cannot matter."""
    found: list[tuple[int, Any]] = []
    above: set[Any] = set()
    for level, node in sorted(levels, key=lambda pair: -pair[0]):
        shown = _node_print(plan, node)
        parts = shown[1] if shown[0] == "any" else (shown,)
        kept = tuple(part for part in parts if part not in above)
        found.append((level, ("any", kept)))
        above |= set(parts)
    return tuple(found)


def _node_print(plan: FormPlan, node: LevelNode) -> tuple[Any, ...]:
    if node.table is not None:
        return ("item", node.row, node.table.tobytes())
    if node.op == "scale":
        scale = plan.scales[node.row]
        if node.cut <= scale.range[0]:
            return ("always",)
        return ("scale", scale.id, node.cut)
    children = [_node_print(plan, child) for child in node.children]
    if node.op == "all":
        children = [child for child in children if child != ("always",)]
    if node.op in ("all", "any") and len(children) == 1:
        return children[0]
    return (node.op, tuple(sorted(children, key=repr)), node.count)


def _same_cuts(form: Form, pair: Sequence[ScalePlan], plans: Sequence[FormPlan]) -> bool:
    """Return whether two scales differ by cuts alone, between which no score can lie."""
    one, other = pair
    if _key_print(plans[0], one) != _key_print(plans[1], other):
        return False
    if one.categories != other.categories or not _is_whole(form, plans[0], one):
        return False
    sign = 1 if one.upwards else -1
    first, second = (np.ceil(sign * scale.cuts - 1e-9) for scale in pair)
    return bool(np.array_equal(first, second))


def _is_whole(form: Form, plan: FormPlan, scale: ScalePlan) -> bool:
    """Return whether score and bounds of a scale are always whole numbers."""
    if scale.rounding != "none":
        return True
    transform = scale.transform
    if transform is not None and transform.values is not None:
        return bool((transform.values % 1 == 0).all())
    if transform is not None:
        return False
    definition = next((one for one in form.definition.scales if one.id == scale.id), None)
    if definition is None or not whole_raw_scores(form.definition, definition):
        return False
    if scale.combine == "sum_of_scales":
        return all(_is_whole(form, plan, plan.scales[place]) for place in scale.components)
    return scale.levels is not None or scale.min_answered == scale.n_items


def _same_sums(pair: Sequence[ScalePlan], plans: Sequence[FormPlan]) -> bool:
    """Score every state that the items of two scales can reach, and compare all of it."""
    if any(scale.combine not in _SUMS for scale in pair):
        return False
    states = _reachable(pair, plans[0])
    if states is None:
        return False
    codes = np.full((len(plans[0].items), states.shape[1]), rc.BLANK, dtype=np.uint8)
    rows = sorted({row for scale in pair for row in scale.rows.tolist()})
    codes[rows] = states
    found = []
    for plan, scale in zip(plans, pair, strict=True):
        scored = score_forms(plan, codes).scales[plan.scale(scale.id)]
        found.append(
            [scored.score, scored.answered, scored.low, scored.high, scored.bottom, scored.top,
             scored.category.astype(float), scored.category_low.astype(float),
             scored.category_high.astype(float), scored.estimated.astype(float)]
        )  # fmt: skip
    return all(
        np.allclose(a, b, rtol=0, atol=1e-9, equal_nan=True) for a, b in zip(*found, strict=True)
    )


def _reachable(pair: Sequence[ScalePlan], plan: FormPlan) -> NDArray[np.uint8] | None:
    """Return one form, over the items of two scales, for each pair of counters they can reach."""
    rows = sorted({row for scale in pair for row in scale.rows.tolist()})
    forms = np.zeros((0, 1), dtype=np.uint8)
    totals = np.zeros((1, 10), dtype=np.int64)
    for row in rows:
        options = [*range(len(plan.items[row].scores)), rc.BLANK]
        if plan.items[row].blank_score is not None:
            options.append(rc.COUNTED_BLANK)
        steps = np.zeros((len(options), 10), dtype=np.int64)
        for side, scale in enumerate(pair):
            for place in np.flatnonzero(scale.rows == row).tolist():
                parts = unpack(scale.tables[place][options])
                names = ("value", "low", "high", "answered", "known")
                steps[:, side * 5 : side * 5 + 5] += np.stack(
                    [getattr(parts, name) for name in names], axis=1
                ).astype(np.int64)
        sums = (totals[:, None, :] + steps[None, :, :]).reshape(-1, 10)
        totals, first = np.unique(sums, axis=0, return_index=True)
        if len(totals) > _MOST_STATES:
            return None
        before, chosen = np.divmod(first, len(options))
        new = np.array(options, dtype=np.uint8)[chosen]
        forms = np.concatenate([forms[:, before], new[None, :]])
    return forms


# -- every form -----------------------------------------------------------------------------------


def _every_form(form: Form, first: Change, second: Change) -> str:
    if first.norm is not None or second.norm is not None or first.read is not second.read:
        return ""
    if impute in (first.say, second.say):
        return ""  # it looks at the other forms, and all of them at once are no batch
    rows = _rows_concerned(form, (first, second))
    choices = []
    for row in rows:
        item = form.plan.items[row]
        missing = form.instrument.options(item.id).missing_codes
        choices.append(
            [
                *range(len(item.scores)),
                rc.BLANK,
                *(rc.missing_code(one.reason) for one in missing),
                *([rc.ILLEGAL] if item.blank_score is not None else []),
            ]
        )
    if prod(map(len, choices)) > _MOST_FORMS:
        return ""
    if any(item.bands for item in form.plan.items):
        return ""
    combinations = np.array(list(product(*choices)), dtype=np.uint8).T
    for start in range(0, combinations.shape[1], _BLOCK):
        block = combinations[:, start : start + _BLOCK]
        codes = np.full((len(form.plan.items), block.shape[1]), rc.BLANK, dtype=np.uint8)
        codes[rows] = block
        vectors = plain_vectors(codes)
        columns = score_vectors(form, vectors)
        one, other = (columns | score_vectors(form, vectors, c) for c in (first, second))
        if one.keys() != other.keys() or not all(one[n].same(other[n]).all() for n in one):
            return ""
    return "every form"


def _rows_concerned(form: Form, changes: Sequence[Change]) -> list[int]:
    if any(not change.scales for change in changes if change is not UNCHANGED):
        return [row for row, item in enumerate(form.plan.items) if item.counts]
    keys: set[str] = set()
    wanted = {name for change in changes for name in change.scales}
    for change in changes:
        definition = change.instrument or form.definition
        for scale in definition.scales:
            if scale.id in wanted or wanted & set(_names_in(form, scale.id)):
                keys |= set(items_of(definition, scale))
    for gate in form.instrument.gates:
        if keys & set(gate.items):
            keys |= {opener.item for opener in gate.open_when_any}
    return sorted(form.plan.row(key) for key in keys)


def _names_in(form: Form, scale: str) -> list[str]:
    found = next((one for one in form.definition.scales if one.id == scale), None)
    return [] if found is None else list(found.scales)


# -- every pupil ----------------------------------------------------------------------------------


def _every_pupil(form: Form, first: Change, second: Change) -> str:
    norms = {**(first.norm or {}), **(second.norm or {})}
    if not norms or (first is not UNCHANGED and first.norm is None):
        return ""
    sides = []
    for change in (first, second):
        own = {name: (change.norm or {}).get(name, form.norm_plans[name]) for name in norms}
        sides.append((own, change.people))
    for name in norms:
        scale = form.plan.scales[norms[name].scale]
        if scale.rounding == "none" and scale.min_answered < scale.n_items:
            return ""  # estimates with decimals: too many to list
        if not _same_norm(form, name, sides):
            return ""
    return "every pupil"


def _same_norm(form: Form, name: str, sides: Sequence[tuple[Any, Any]]) -> bool:
    scale = form.plan.scales[form.norm_plans[name].scale]
    strata = [stratum for own, _ in sides for stratum in own[name].strata]
    if any(getattr(s.figures, "age", 0) or getattr(s.figures, "age_squared", 0) for s in strata):
        return False
    ages = sorted({e for s in strata for e in s.age if np.isfinite(e)})
    grades = sorted({int(e) for s in strata for e in s.grade if np.isfinite(e)})
    all_ages = [np.nan, 0.0, *(e + step for e in ages for step in (-0.005, 0.0, 0.005, 0.5))]
    all_grades = [-1, 0, *(g + step for g in grades for step in (-1, 0, 1))]
    raw = np.arange(scale.range[0], scale.range[1] + 1)
    sexes = (-1, 0, 1)
    grid = np.array(list(product(raw, sexes, all_ages, sorted(set(all_grades)))), dtype=float)
    said = []
    for own, people in sides:
        vectors = plain_vectors(np.zeros((1, len(grid)), dtype=np.uint8))
        vectors = replace(
            vectors,
            sex=grid[:, 1].astype(np.int8),
            age=grid[:, 2],
            grade=grid[:, 3].astype(np.int8),
        )
        if people is not None:
            vectors = people(vectors)
        said.append(_normed(own[name], grid[:, 0], vectors))
    return all(
        np.allclose(said[0][metric], said[1][metric], rtol=0, atol=1e-9, equal_nan=True)
        for metric in said[0]
    )


def _normed(plan: NormPlan, raw: NDArray[np.float64], people: Vectors) -> dict[str, Any]:
    normed = norm_scale(plan, ScaleScores.of_raw(raw), people.sex, people.age, people.grade)
    return {metric: derived.value for metric, derived in normed.derived.items()}


# -- bounds ---------------------------------------------------------------------------------------


def _by_bounds(form: Form, other: Departure) -> str:
    """Show that a scale can never be in its first category while a critical item is positive."""
    prefix, suffix = "a critical item is outranked by ", " below its cut"
    if not other.name.startswith(prefix):
        return ""
    place = form.plan.scale(other.name.removeprefix(prefix).removesuffix(suffix))
    for critical in form.plan.critical:
        scores = form.plan.items[critical.row].scores
        options = np.flatnonzero(scores >= critical.at_or_above)
        codes = np.full((len(form.plan.items), len(options)), rc.BLANK, dtype=np.uint8)
        codes[critical.row] = options
        found = score_forms(form.plan, codes).scales[place]
        if np.minimum(found.category_low, found.category_high).min(initial=1) < 1:
            return ""
    return "bounds"
