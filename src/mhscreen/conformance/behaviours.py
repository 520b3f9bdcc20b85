"""What programs do with blanks, illegal answers, gates and critical items, whatever their key."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import CRITICAL, VALIDITY, Change, Column, open_codes
from mhscreen.kernels import codes as rc
from mhscreen.kernels.lookup import categorise
from mhscreen.kernels.packed import pack, unpack
from mhscreen.vocabulary import Fault, Validity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Columns, Form, Vectors
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.score import FormScores

__all__ = ["behaviours", "impute", "without_blanks"]

Behaviour = tuple[str, Fault, Change]

_YES = float(CRITICAL.index("yes"))
_SUMS = ("sum", "mean", "count", "weighted_sum")


def behaviours(form: Form) -> Iterator[Behaviour]:
    """Yield the departures that are no change of a key."""
    yield "a blank is read as the lowest option", Fault.BLANK, Change(read=_lowest)
    if any(scale.combine in _SUMS for scale in form.plan.scales):
        yield "a blank adds nothing to a sum", Fault.BLANK, Change(plan=_summed)
    yield "nothing answered scores as the lowest", Fault.BLANK, Change(read=_empty_as_lowest)
    yield "a blank is read as the middle option", Fault.BLANK, Change(read=_middle)
    if any(map(_may_impute, form.plan.scales)):
        filled = "a blank is filled with the mean of the other forms"
        yield filled, Fault.BLANK, Change(say=impute)
    if any(form.instrument.options(item.id).missing_codes for item in form.plan.items):
        yield "a code for no answer is the lowest option", Fault.BLANK, Change(read=_code_as_lowest)
    if any(item.blank_score is not None for item in form.plan.items):
        yield "a blank or refusal counts as no", Fault.BLANK, Change(read=_lowest_where_counted)
    held = Fault.BAND_WITH_BLANKS
    if any(scale.categories and _may_estimate(form, scale) for scale in form.plan.scales):
        yield "the category of a score with blanks is given", held, Change(say=_category_of_score)
    if any(scale.categories for scale in form.plan.scales):
        yield "the category of what was answered is given", held, Change(say=_category_of_answered)
    yield from _illegal(form)
    yield from _gates(form)
    yield from _critical(form)
    yield from _validity(form)


def _may_impute(scale: ScalePlan) -> bool:
    return scale.combine in ("sum", "mean") and scale.transform is None


def _may_estimate(form: Form, scale: ScalePlan) -> bool:
    """Return whether a scale can have a score though something is not answered."""
    counted = any(form.plan.items[row].blank_score is not None for row in scale.rows.tolist())
    parts = [form.plan.scales[place] for place in scale.components]
    return (
        scale.min_answered < scale.n_items
        or counted
        or any(_may_estimate(form, part) for part in parts)
    )


# -- blanks ---------------------------------------------------------------------------------------


def _option(form: Form, which: str) -> NDArray[np.uint8]:
    """Return, by item, the place of the option with the lowest or the middle item score."""
    order = [np.argsort(item.scores, kind="stable") for item in form.plan.items]
    places = [one[0 if which == "lowest" else len(one) // 2] for one in order]
    return np.array(places, dtype=np.uint8)[:, None]


def _lowest(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    return np.where(rc.is_answered(vectors.codes), vectors.codes, _option(form, "lowest"))


def _middle(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    return np.where(rc.is_answered(vectors.codes), vectors.codes, _option(form, "middle"))


def _empty_as_lowest(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    empty = (vectors.codes == rc.BLANK).all(axis=0)
    return np.where(empty, _option(form, "lowest"), vectors.codes)


def _code_as_lowest(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    kept = rc.is_answered(vectors.codes) | np.isin(vectors.codes, [rc.BLANK, rc.ILLEGAL])
    return np.where(kept, vectors.codes, _option(form, "lowest"))


def _lowest_where_counted(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    rows = np.array([item.blank_score is not None for item in form.plan.items])[:, None]
    return np.where(rows, _lowest(form, vectors), vectors.codes)


def _summed(plan: FormPlan) -> FormPlan:
    return replace(plan, scales=tuple(without_blanks(scale) for scale in plan.scales))


def without_blanks(scale: ScalePlan) -> ScalePlan:
    """Return a sum in which every blank counts as known and as nothing."""
    if scale.combine not in _SUMS:
        return scale
    tables = scale.tables.copy()
    parts = unpack(tables)
    codes = open_codes()
    arrays = [getattr(parts, name).copy() for name in ("value", "low", "high", "answered", "known")]
    for values in arrays[:3]:
        values[:, codes] = 0
    arrays[4][:, codes] = 1
    return replace(scale, tables=pack(*arrays))


def impute(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    """Fill blanks of sums and means with the mean keyed score of the other forms, item by item."""
    changed = dict(columns)
    for scale in plan.scales:
        if not _may_impute(scale):
            continue
        parts = unpack(np.take_along_axis(scale.tables, scores.codes[scale.rows], axis=1))
        known = parts.known > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(known, parts.value, 0).sum(axis=1) / known.sum(axis=1)
        filled = np.where(known, parts.value, means[:, None]).sum(axis=0)
        if scale.combine == "mean":
            filled = filled / scale.n_items
        said = np.where(scores.filed, filled, np.nan)
        changed[scale.id] = Column(said)
        if scale.categories:
            places = categorise(said, scale.cuts, upwards=scale.upwards).astype(np.float64)
            places[places < 0] = np.nan
            changed[f"{scale.id}.category"] = Column(places, scale.categories)
    return changed


# -- categories with blanks -----------------------------------------------------------------------


def _categories(plan: FormPlan, scores: FormScores, columns: Columns, of: str) -> Columns:
    changed = dict(columns)
    for scale, scored in zip(plan.scales, scores.scales, strict=True):
        if scale.categories:
            values = scored.score
            if of == "answered":
                end = scored.low if scale.upwards else scored.high
                values = np.where(np.isnan(values), end, values)
            places = categorise(values, scale.cuts, upwards=scale.upwards).astype(np.float64)
            places[places < 0] = np.nan
            changed[f"{scale.id}.category"] = Column(places, scale.categories)
    return changed


def _category_of_score(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    return _categories(plan, scores, columns, "score")


def _category_of_answered(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    return _categories(plan, scores, columns, "answered")


# -- answers that are not legal -------------------------------------------------------------------


def _nearest(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    """Take a number past the options for the nearest of them."""
    codes = vectors.codes.copy()
    for row, item in enumerate(form.plan.items):
        numbers = [(c, p) for p, c in enumerate(item.codes) if isinstance(c, int)]
        if numbers:
            for kind, place in ((0, max(numbers)[1]), (1, min(numbers)[1])):
                codes[row, (codes[row] == rc.ILLEGAL) & (vectors.illegal == kind)] = place
    return codes


def _illegal_as_lowest(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    illegal = vectors.codes == rc.ILLEGAL
    return np.where(illegal, _option(form, "lowest"), vectors.codes)


def _illegal(form: Form) -> Iterator[Behaviour]:
    yield "an illegal number is the nearest option", Fault.ILLEGAL, Change(read=_nearest)
    yield "an illegal answer is the lowest option", Fault.ILLEGAL, Change(read=_illegal_as_lowest)
    if any(scale.combine in _SUMS for scale in form.plan.scales):
        face_value = Change(read=_face_value, plan=_with_face_value)
        yield "an illegal number is added as it stands", Fault.ILLEGAL, face_value


_FACE = 199  # a response code that no option has: the number just above the options


def _face_value(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    del form
    above = (vectors.codes == rc.ILLEGAL) & (vectors.illegal == 0)
    return np.where(above, np.uint8(_FACE), vectors.codes)


def _with_face_value(plan: FormPlan) -> FormPlan:
    scales = []
    for scale in plan.scales:
        tables = scale.tables.copy()
        if scale.combine in ("sum", "mean", "count"):
            for place, row in enumerate(scale.rows.tolist()):
                top = len(plan.items[row].scores) - 1
                # As large as its largest option, and one more where that is a sum.
                parts = unpack(tables[place, top : top + 1])
                more = 0 if scale.combine == "count" else 1
                value = parts.value + more
                tables[place, _FACE] = pack(value, value, value, parts.known, parts.known)[0]
        scales.append(replace(scale, tables=tables))
    return replace(plan, scales=tuple(scales))


# -- gates, critical items, validity --------------------------------------------------------------


def _unread(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    """Drop the answers behind a gate that is not open."""
    codes = vectors.codes.copy()
    for gate in form.plan.gates:
        is_open = np.zeros(codes.shape[1], dtype=bool)
        for row, cut in gate.openers:
            table = np.zeros(256, dtype=bool)
            table[: len(form.plan.items[row].scores)] = form.plan.items[row].scores >= cut
            is_open |= table[codes[row]]
        for row in gate.rows:
            codes[row, ~is_open & rc.is_answered(codes[row])] = rc.BLANK
    return codes


def _closed(form: Form, vectors: Vectors) -> NDArray[np.uint8]:
    """Take every blank behind a gate for a no."""
    codes = vectors.codes.copy()
    filed = rc.is_answered(codes).any(axis=0)
    lowest = _option(form, "lowest")
    for gate in form.plan.gates:
        for row in gate.rows:
            codes[row, filed & (codes[row] == rc.BLANK)] = lowest[row, 0]
    return codes


def _gates(form: Form) -> Iterator[Behaviour]:
    if not form.plan.gates:
        return

    yield "an answer behind a closed gate is not read", Fault.GATE, Change(read=_unread)
    yield "a blank behind a gate counts as no", Fault.GATE, Change(read=_closed)


def _blank_is_no(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    del plan, scores
    return _critical_where(columns, lambda values: np.where(values == 1.0, 0.0, values))


def _complete_only(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    del plan
    return _critical_where(
        columns, lambda values: np.where(scores.complete | (values < _YES), values, 0.0)
    )


@cache
def _outranked_by(scale: str) -> Callable[[FormPlan, FormScores, Columns], Columns]:
    def say(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
        del plan, scores
        category = columns[f"{scale}.category"].values
        return _critical_where(
            columns, lambda values: np.where((values == _YES) & (category == 0), 0.0, values)
        )

    return say


def _critical(form: Form) -> Iterator[Behaviour]:
    if not form.plan.critical:
        return

    yield "a critical item left blank counts as no", Fault.CRITICAL, Change(say=_blank_is_no)
    yield (
        "critical items are read on complete forms only",
        Fault.CRITICAL,
        Change(say=_complete_only),
    )
    for scale in form.plan.scales:
        if scale.categories and scale.content:
            yield (
                f"a critical item is outranked by {scale.id} below its cut",
                Fault.CRITICAL,
                Change(say=_outranked_by(scale.id)),
            )


def _critical_where(
    columns: Columns, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Columns:
    return {
        name: Column(change(column.values), column.words)
        if name.startswith("critical.")
        else column
        for name, column in columns.items()
    }


def _open_is_valid(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    del plan, scores
    column = columns[VALIDITY]
    incomplete = float(column.words.index("incomplete"))
    values = np.where(column.values == incomplete, column.words.index("valid"), column.values)
    return {**columns, VALIDITY: Column(values, column.words)}


def _withheld(plan: FormPlan, scores: FormScores, columns: Columns) -> Columns:
    """Give nothing on an invalid form, its critical items included."""
    del plan, scores
    column = columns[VALIDITY]
    invalid = column.values == column.words.index("invalid")
    return {
        name: one
        if name == VALIDITY
        else Column(
            np.where(invalid, 0.0 if name.startswith("critical.") else np.nan, one.values),
            one.words,
        )
        for name, one in columns.items()
    }


def _validity(form: Form) -> Iterator[Behaviour]:
    if not form.plan.validity:
        return

    yield (
        "validity that blanks leave open counts as valid",
        Fault.VALIDITY,
        Change(say=_open_is_valid),
    )
    if any(index.status is Validity.INVALID for index in form.plan.validity):
        yield "an invalid form is not read at all", Fault.VALIDITY, Change(say=_withheld)
