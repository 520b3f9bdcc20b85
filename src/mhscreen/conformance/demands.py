"""What the vectors of a form have to show, read off the definition alone.

None of it knows the mutants, so it also serves faults that nobody thought of.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.candidates import ILLEGAL_KINDS, blank_numbers, ends, half_blank
from mhscreen.conformance.coverage import Demand, branch_counts, cut_sides, deciding_parts
from mhscreen.conformance.scorer import TOLERANCE
from mhscreen.definitions.keys import items_of
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED, at_or_past
from mhscreen.plan.triage import Node
from mhscreen.steps.score import score_forms
from mhscreen.steps.triage import evaluate
from mhscreen.vocabulary import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Columns, Form, Vectors
    from mhscreen.plan.kinds import LevelNode
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.steps.score import FormScores

__all__ = ["demands", "is_coarse"]


def demands(form: Form, vectors: Vectors, columns: Columns) -> tuple[Demand, ...]:
    """Return what the vectors have to show, as far as any candidate does.

    Parameters
    ----------
    columns : Columns
        What the definition gives for the vectors.
    """
    found = [
        *_answer_demands(form, vectors, columns),
        *_score_demands(form, vectors, columns),
        *_norm_demands(form, vectors),
        *_pair_demands(form, vectors),
        *_level_demands(form, vectors),
    ]
    return tuple(one for one in found if one.shown_by.any())


def _answer_demands(form: Form, vectors: Vectors, columns: Columns) -> Iterator[Demand]:
    codes = vectors.codes
    used = np.array([item.counts for item in form.plan.items])
    complete = rc.is_answered(codes[used]).all(axis=0)
    answered = rc.is_answered(codes).sum(axis=0)
    yield Demand("nothing answered", (answered == 0) & (codes == rc.BLANK).all(axis=0))
    for name, end in zip(("mildest", "worst"), ends(form), strict=True):
        yield Demand(f"{name} form", (codes == end[:, None]).all(axis=0))
        one_only = (answered == 1) & ((codes == end[:, None]) & rc.is_answered(codes)).any(axis=0)
        yield Demand(f"one answer only, {name}", one_only)
    for row, item in enumerate(form.plan.items):
        for place in range(len(item.scores)):
            shown = complete & (codes[row] == place)
            yield Demand(f"{item.id}: option {item.codes[place]}", shown)
            if item.bands:
                yield Demand(f"{item.id}: last of the band {place + 1}", shown & vectors.late)
                yield Demand(f"{item.id}: first of the band {place + 1}", shown & ~vectors.late)
        for missing in form.instrument.options(item.id).missing_codes:
            shown = codes[row] == rc.missing_code(missing.reason)
            yield Demand(f"{item.id}: {missing.code} for no answer", shown)
    for kind in range(ILLEGAL_KINDS):
        yield Demand(f"illegal answer {kind + 1}", vectors.illegal == kind)
    for critical in form.plan.critical:
        opened = np.zeros(256, dtype=bool)
        scores = form.plan.items[critical.row].scores
        opened[: len(scores)] = scores >= critical.at_or_above
        positive = opened[codes[critical.row]] & (vectors.illegal < 0)
        yield Demand(f"critical {critical.item} yes, another item blank", positive & ~complete)
        for scale in form.plan.scales:
            if scale.categories and scale.content:
                mild = columns[f"{scale.id}.category"].values == 0
                yield Demand(f"critical {critical.item} yes, {scale.id} mild", positive & mild)
        yield Demand(f"critical {critical.item} blank", codes[critical.row] == rc.BLANK)
        yield Demand(f"critical {critical.item} illegal", codes[critical.row] == rc.ILLEGAL)
    yield from _gate_demands(form, vectors)


def _gate_demands(form: Form, vectors: Vectors) -> Iterator[Demand]:
    codes = vectors.codes
    answered = rc.is_answered(codes).any(axis=0)
    for gate in form.plan.gates:
        behind = rc.is_answered(codes[list(gate.rows)]).any(axis=0)
        is_open, is_unsure = np.zeros((2, len(vectors)), dtype=bool)
        opened = []
        for row, cut in gate.openers:
            scores = np.full(256, np.nan)
            scores[: len(form.plan.items[row].scores)] = form.plan.items[row].scores
            opened.append(scores[codes[row]] >= cut)
            is_open |= opened[-1]
            is_unsure |= ~rc.is_answered(codes[row])
        names = "gate of " + form.plan.items[gate.rows[0]].id
        for word, state in (
            ("open", is_open), ("closed", ~is_open & ~is_unsure), ("unsure", ~is_open & is_unsure),
        ):  # fmt: skip
            yield Demand(f"{names} {word}, answered behind", state & behind)
            yield Demand(f"{names} {word}, blank behind", state & ~behind & answered)
        for (row, cut), by in zip(gate.openers, opened, strict=True):
            scores = form.plan.items[row].scores
            alone = by & (np.sum(opened, axis=0) == 1)
            least = codes[row] == np.flatnonzero(scores == scores[scores >= cut].min())[0]
            name = f"{names} just opened by {form.plan.items[row].id} alone"
            yield Demand(name, alone & least & ~behind & ~is_unsure)


def _score_demands(form: Form, vectors: Vectors, columns: Columns) -> Iterator[Demand]:
    codes = vectors.codes
    rows = {item.id: row for row, item in enumerate(form.plan.items)}
    legal = vectors.illegal < 0
    for scale in form.instrument.scales_for(form.informant):
        plan = form.plan.scales[form.plan.scale(scale.id)]
        items = [rows[key] for key in items_of(form.instrument, scale)]
        if not items:
            continue
        blank = (~rc.is_answered(codes[items])).sum(axis=0)
        scores = columns[scale.id].values
        full = (blank == 0) & legal & ~np.isnan(scores)
        for number in sorted({*blank_numbers(form, scale, len(items)), *half_blank(len(items))}):
            shown = legal & (blank == number) & rc.is_answered(codes).any(axis=0)
            yield Demand(f"{scale.id}: {number} blank", shown)
        for kind in range(2):
            wrong = (codes[items] == rc.ILLEGAL).any(axis=0) & (vectors.illegal == kind)
            yield Demand(f"{scale.id}: illegal answer {kind + 1}", wrong)
        cuts = plan.cuts.tolist()
        cuts += [v.at_or_above for v in form.plan.validity if v.scale == form.plan.scale(scale.id)]
        reached = np.unique(scores[full])
        for cut in cuts:
            sign = 1 if scale.higher_is is Direction.WORSE else -1
            inside = reached[sign * reached >= sign * cut - 1e-9]
            outside = reached[sign * reached < sign * cut - 1e-9]
            beside = (outside[-2:], inside[:2]) if sign > 0 else (outside[:2], inside[-2:])
            for value in np.concatenate(beside).tolist():
                name = f"{scale.id}: {value:g} by the cut {cut:g}"
                yield Demand(name, full & np.isclose(scores, value))
        if plan.categories:
            held = np.isnan(columns[f"{scale.id}.category"].values) & ~np.isnan(scores)
            given = ~np.isnan(columns[f"{scale.id}.category"].values) & (blank > 0)
            yield Demand(f"{scale.id}: a score whose blanks reach another category", held & legal)
            yield Demand(f"{scale.id}: a category that blanks cannot change", given & legal)


def _norm_demands(form: Form, vectors: Vectors) -> Iterator[Demand]:
    for name, plan in form.norm_plans.items():
        for one in plan.strata:
            here = (vectors.sex == one.sex) | (one.sex < 0)
            edges = []
            for band, values in ((one.age, vectors.age), (one.grade, vectors.grade)):
                if np.isfinite(band[0]):
                    here = here & (values >= band[0]) & (values < band[1])
                    edges.append((band[0], values))
            word = f"{name}: stratum {one.place + 1}"
            yield Demand(word, here)
            for edge, values in edges:
                yield Demand(f"{word}, its first year or grade", here & (values == edge))
        yield Demand(f"{name}: sex not known", vectors.sex < 0)
        if any(np.isfinite(one.age[0]) for one in plan.strata):
            yield Demand(f"{name}: age not known", np.isnan(vectors.age))


def is_coarse(scale: ScalePlan) -> bool:
    """Return whether a table reads many sums as one, so that an item may matter nowhere."""
    table = None if scale.transform is None else scale.transform.values
    return table is not None and len(np.unique(table)) < len(table)


def _pair_demands(form: Form, vectors: Vectors) -> Iterator[Demand]:
    """Yield where two items are answered otherwise, and where they matter to a scale otherwise.

    Without, nobody can say which of the two is left out, counted twice or read in place of the
    other. What an item matters is the score that it would give at its mildest or worst answer.
    """
    used = [row for row, item in enumerate(form.plan.items) if item.counts]
    complete = np.flatnonzero(
        rc.is_answered(vectors.codes[used]).all(axis=0) & (vectors.illegal < 0)
    )
    codes = vectors.codes[:, complete]
    answered = np.full(codes.shape, np.nan)
    for row in used:
        answered[row] = form.plan.items[row].scores[codes[row]]
    sets = [("answered", answered, used)]
    places = {item.id: row for row, item in enumerate(form.plan.items)}
    own = score_forms(form.plan, codes).scales
    for word, end in zip(("mildest", "worst"), ends(form), strict=True):
        scores = np.full((len(form.plan.scales), *codes.shape), np.nan)
        for row in used:
            changed = codes.copy()
            changed[row] = end[row]
            for place, found in enumerate(score_forms(form.plan, changed).scales):
                scores[place, row] = found.score
        for scale in form.instrument.scales_for(form.informant):
            rows = [places[key] for key in items_of(form.instrument, scale)]
            by_row = scores[form.plan.scale(scale.id)]
            sets.append((f"{scale.id} but for the {word}", by_row, sorted(rows)))
            place = form.plan.scale(scale.id)
            for row in rows if is_coarse(form.plan.scales[place]) else ():
                shown = np.zeros(len(vectors), dtype=bool)
                shown[complete] = np.abs(by_row[row] - own[place].score) > TOLERANCE
                yield Demand(f"{scale.id}: {form.plan.items[row].id} matters, {word}", shown)
    for name, values, rows in sets:
        for one, other in combinations(rows, 2):
            shown = np.zeros(len(vectors), dtype=bool)
            shown[complete] = np.abs(values[one] - values[other]) > TOLERANCE
            which = " and ".join(form.plan.items[row].id for row in (one, other))
            yield Demand(f"{name}: {which} apart", shown)


# -- levels ---------------------------------------------------------------------------------------


def _level_demands(form: Form, vectors: Vectors) -> Iterator[Demand]:
    """Yield where each part of the condition of a level decides it, and no higher level holds."""
    scores = score_forms(form.plan, vectors.codes)
    legal = vectors.illegal < 0
    for scale in form.plan.scales:
        if scale.levels is None:
            continue
        leaves = _Leaves(form, scores)
        nodes = [leaves.node(one) for one in scale.levels.nodes]
        truth = np.stack(leaves.truths)
        for place, (level, node) in enumerate(zip(scale.levels.levels, nodes, strict=True)):
            higher = [evaluate(one, truth) == FAILS for one in nodes[place + 1 :]]
            free = legal & np.all(higher, axis=0) if higher else legal
            for name, part, decides in deciding_parts(node, truth):
                head = leaves.names[part.leaf] if part.op == "leaf" else name
                shown = (
                    leaves.sides(part.leaf, decides & free)
                    if part.op == "leaf"
                    else branch_counts(part, truth)
                )
                for word, where in shown:
                    yield Demand(f"{scale.id} {level}: {head} {word}", where & decides & free)


class _Leaves:
    """The comparisons of a level: numbers, cuts and truths."""

    def __init__(self, form: Form, scores: FormScores) -> None:
        self.form, self.scores = form, scores
        self.names: list[str] = []
        self.values: list[NDArray[np.float64]] = []
        self.cuts: list[float] = []
        self.truths: list[NDArray[np.int8]] = []

    def node(self, level: LevelNode) -> Node:
        """Return a condition as a node over these leaves."""
        if level.table is not None:
            item = self.form.plan.items[level.row]
            number = np.full(256, np.nan)
            number[: len(item.scores)] = item.scores
            holds = level.table[1][: len(item.scores)] == HOLDS
            cut = float(item.scores[holds].min()) if holds.any() else np.inf
            codes = self.scores.codes[level.row]
            return self._add(item.id, number[codes], cut, level.table[1][codes])
        if level.op == "scale":
            scale = self.scores.scales[level.row]
            exact = np.where(scale.bottom == scale.top, scale.score, np.nan)
            truth = at_or_past(scale.bottom, scale.top, level.cut, upwards=True)
            return self._add(self.form.plan.scales[level.row].id, exact, level.cut, truth)
        children = tuple(self.node(child) for child in level.children)
        if level.op == "all":
            return Node("all", children=children)
        if level.op == "any":
            return Node("any", children=children)
        return Node("at_least", children=children, count=level.count)

    def _add(
        self, name: str, value: NDArray[np.float64], cut: float, truth: NDArray[np.int8]
    ) -> Node:
        self.names.append(name)
        self.values.append(value)
        self.cuts.append(cut)
        self.truths.append(truth)
        return Node("leaf", len(self.names) - 1)

    def sides(
        self, place: int, decides: NDArray[np.bool_]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield where a comparison is on each side of its cut, and where it is open."""
        yield from cut_sides(self.values[place], self.cuts[place], decides)
        yield "open", self.truths[place] == UNDECIDED
