"""Cells: every set of comparisons that the answers to one form can make true together.

The thresholds of a policy cut the answers into cells. A cell is what a policy can see of a form:
which of its comparisons hold. Comparisons that share no item move freely, so the cells are found
part by part; within a part an item is added at a time, and forms that nothing later can tell
apart are kept once. Nothing is sampled.

A cell has two sides, since a form may be incomplete: which comparisons hold (``sure``), and which
hold or are undecided (``possible``). What a policy establishes depends on the first side only,
what it leaves possible on the second only, so each is gone through by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED, at_or_past
from mhscreen.kernels.packed import unpack
from mhscreen.problems import UsageError
from mhscreen.steps.leaves import derived_truth
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import index_truth, item_truth, scale_truth, score_forms, score_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.kinds import LevelNode
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.plan.triage import LeafPlan
    from mhscreen.steps.score import FormScores, ScaleScores

__all__ = [
    "NOBODY",
    "SIDES",
    "Group",
    "Part",
    "Pupil",
    "Side",
    "form_truth",
    "leaf_rows",
    "mildest",
    "parts_of",
    "reach",
    "reach_pairs",
    "scale_rows",
]

Side = Literal["sure", "possible"]
SIDES: tuple[Side, Side] = ("sure", "possible")

MOST_STATES = 3_000_000
"""More forms that differ in something are not kept at a time."""

_DENSE = 1 << 20
_ROOM = 1 << 62
_NO_SCORE = -(1 << 18)
_UNTOUCHED = (rc.BLANK, rc.NOT_PRESENTED)


Group = tuple["LeafPlan", ...]
"""Comparisons on one form of which a policy only sees whether any holds."""


class Pupil(NamedTuple):
    """What norm tables ask about a pupil: positions and years, −1 or NaN where not known."""

    sex: int
    age: float
    grade: int


NOBODY = Pupil(-1, float("nan"), -1)


@dataclass(frozen=True)
class Part:
    """Comparisons on one form that share items, directly or through others.

    Attributes
    ----------
    slot : int
        The form.
    groups : tuple of int
        Places of its comparisons; a cell is an integer with bit n set where ``groups[n]`` holds.
    rows : tuple of int
        The items, as rows of the response codes.
    """

    slot: int
    groups: tuple[int, ...]
    rows: tuple[int, ...]


# -- what a comparison reads ----------------------------------------------------------------------


def scale_rows(form: FormPlan, place: int) -> set[int]:
    """Return the rows of the items of a scale, those of its parts included."""
    scale = form.scales[place]
    rows = set(scale.rows.tolist())
    for part in _parts(scale):
        rows |= scale_rows(form, part)
    return rows


def _parts(scale: ScalePlan) -> list[int]:
    """Return the places of the earlier scales that a scale is made of."""
    found = list(scale.components)
    if scale.levels is not None:
        for node in scale.levels.nodes:
            found += [one.row for one in _comparisons(node) if one.op == "scale"]
    return list(dict.fromkeys(found))


def _comparisons(node: LevelNode) -> Iterable[LevelNode]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _comparisons(child)


def _scale_of(form: FormPlan, leaf: LeafPlan, norms: Sequence[NormPlan]) -> int:
    """Return the place of the scale that a comparison reads, −1 where it reads an item."""
    if leaf.kind == "scale":
        return leaf.place
    if leaf.kind == "derived":
        return norms[leaf.place].scale
    if leaf.kind == "validity":
        return form.validity[leaf.place].scale
    return -1


def _row_of(form: FormPlan, leaf: LeafPlan) -> int:
    return form.critical[leaf.place].row if leaf.kind == "critical" else leaf.place


def leaf_rows(form: FormPlan, leaf: LeafPlan, norms: Sequence[NormPlan]) -> set[int]:
    """Return the rows of the items that a comparison rests on, the openers of gates included."""
    place = _scale_of(form, leaf, norms)
    rows = scale_rows(form, place) if place >= 0 else {_row_of(form, leaf)}
    grown = True
    while grown:
        openers = {
            row for gate in form.gates if not rows.isdisjoint(gate.rows) for row, _ in gate.openers
        }
        grown = not openers <= rows
        rows |= openers
    return rows


def parts_of(
    forms: Sequence[FormPlan], groups: Sequence[Group], norms: Sequence[NormPlan]
) -> list[Part]:
    """Put together the comparisons that share items."""
    parts: list[tuple[int, list[int], set[int]]] = []
    for number, group in enumerate(groups):
        here = group[0].slot
        rows = set().union(*(leaf_rows(forms[here], leaf, norms) for leaf in group))
        members = [number]
        kept = []
        for slot, others, theirs in parts:
            if slot == here and not rows.isdisjoint(theirs):
                members += others
                rows = rows | theirs
            else:
                kept.append((slot, others, theirs))
        parts = [*kept, (here, members, rows)]
    parts.sort(key=lambda part: (part[0], min(part[1])))
    return [
        Part(slot, tuple(sorted(members)), tuple(sorted(rows))) for slot, members, rows in parts
    ]


def mildest(form: FormPlan, row: int) -> NDArray[np.int64]:
    """Return the response codes of an item's options, the least concerning first."""
    item = form.items[row]
    order = np.argsort(item.scores if item.upwards else -item.scores, kind="stable")
    return np.asarray(order, dtype=np.int64)


# -- the engine's own truth -----------------------------------------------------------------------


def _leaf_truth(
    form: FormPlan,
    leaf: LeafPlan,
    scales: Mapping[int, ScaleScores],
    norms: Sequence[NormPlan],
    pupil: Pupil,
) -> NDArray[np.int8]:
    """Return the truth of a comparison with a scale."""
    scores = scales[_scale_of(form, leaf, norms)]
    if leaf.kind == "scale":
        return scale_truth(form.scales[leaf.place], scores, leaf.cut)
    if leaf.kind == "validity":
        return index_truth(scores, leaf.cut)
    number = len(scores.score)
    normed = norm_scale(
        norms[leaf.place],
        scores,
        np.full(number, pupil.sex, dtype=np.int8),
        np.full(number, pupil.age),
        np.full(number, pupil.grade, dtype=np.int8),
    )
    return derived_truth(normed, leaf)


def form_truth(
    form: FormPlan,
    groups: Sequence[Group],
    norms: Sequence[NormPlan],
    codes: NDArray[np.uint8],
    pupil: Pupil = NOBODY,
) -> NDArray[np.int8]:
    """Return the three-valued truth of comparisons on whole forms, shape (groups, forms)."""
    scored: FormScores = score_forms(form, codes)
    scales = dict(enumerate(scored.scales))
    truth = np.zeros((len(groups), codes.shape[1]), dtype=np.int8)
    for number, group in enumerate(groups):
        for leaf in group:
            if leaf.kind in ("item", "critical"):
                row = _row_of(form, leaf)
                one = item_truth(form, scored.codes, row, int(leaf.cut), upwards=leaf.upwards)
            else:
                one = _leaf_truth(form, leaf, scales, norms, pupil)
            truth[number] = np.maximum(truth[number], one)
    return truth


# -- going through the answers --------------------------------------------------------------------


def reach(
    form: FormPlan,
    groups: Sequence[Group],
    part: Part,
    norms: Sequence[NormPlan],
    side: Side,
    pupil: Pupil = NOBODY,
) -> dict[int, NDArray[np.uint8]]:
    """Return every cell of a part that some answers reach, with such answers.

    Parameters
    ----------
    groups : sequence of Group
        All comparisons, as `part.groups` counts them.
    side : str
        ``sure`` or ``possible``: what is told apart is which comparisons hold, or which are not
        known to fail.
    pupil : Pupil
        Whom norm tables are read for.

    Returns
    -------
    dict of int to ndarray of uint8, shape (len(part.rows),)
        Response codes by cell, in the order of `part.rows`. Milder answers are preferred.

    Raises
    ------
    UsageError
        If the part has too many cells to be gone through.
    """
    walk = _Walk(form, groups, part, norms, side, pupil, views=1)
    cells, codes = walk.run()
    return {cell[0]: codes[:, place] for place, cell in enumerate(cells)}


def reach_pairs(
    form: FormPlan,
    groups: Sequence[Group],
    part: Part,
    norms: Sequence[NormPlan],
    side: Side,
    pupil: Pupil,
    step: tuple[int, int, int],
) -> dict[tuple[int, int], NDArray[np.uint8]]:
    """Return the pairs of cells before and after one answer is changed, all others the same.

    Parameters
    ----------
    step : tuple of int
        Row of the item, response code before, response code after.

    Returns
    -------
    dict of (int, int) to ndarray of uint8
        Response codes before the change.
    """
    walk = _Walk(form, groups, part, norms, side, pupil, views=2, step=step)
    cells, codes = walk.run()
    return {(cell[0], cell[1]): codes[:, place] for place, cell in enumerate(cells)}


class _Walk:
    """Forms that differ in something, grown item by item.

    Attributes
    ----------
    columns : dict of (view, name) to ndarray, shape (states,)
        What is known of each state: sums under way, states of gates, comparisons settled.
    raw : ndarray of uint8, shape (states, rows)
        Answers that lead to the state.
    settled : list of ndarray of uint8, shape (states, rows)
        Response codes after gates and blank rules, by view.
    """

    def __init__(
        self,
        form: FormPlan,
        groups: Sequence[Group],
        part: Part,
        norms: Sequence[NormPlan],
        side: Side,
        pupil: Pupil,
        *,
        views: int,
        step: tuple[int, int, int] | None = None,
    ) -> None:
        self.form, self.part, self.norms, self.pupil = form, part, norms, pupil
        self.side = side
        self.groups = [groups[number] for number in part.groups]
        self.leaves = [(n, leaf) for n, group in enumerate(self.groups) for leaf in group]
        self.views, self.step = range(views), step
        self.needs = self._needs()
        self.order = self._order()
        self.place = {row: place for place, row in enumerate(part.rows)}
        self.columns: dict[tuple[int, str], NDArray[np.int64]] = {}
        self.raw = np.full((1, len(part.rows)), rc.BLANK, dtype=np.uint8)
        self.settled = [self.raw] * views
        self.tables = self._tables()
        for name, _, start in self.tables:
            for view in self.views:
                self.columns[view, name] = np.full(1, start, dtype=np.int64)
        for place in self.needs:
            for name in self._sums(place):
                for view in self.views:
                    self.columns[view, name] = np.zeros(1, dtype=np.int64)

    # What must be known of each scale ------------------------------------------------------------

    def _needs(self) -> dict[int, set[str]]:
        """Return what must be known of each scale that is read: score, bottom, top."""
        needs: dict[int, set[str]] = {}

        def add(place: int, fields: set[str]) -> None:
            scale = self.form.scales[place]
            if not self._estimable(place):
                fields = fields - {"score"}
            needs.setdefault(place, set()).update(fields)
            if scale.levels is None:
                for part in scale.components:
                    add(part, fields)
            else:
                for part in _parts(scale):
                    add(part, {"bottom", "top"})

        for _, leaf in self.leaves:
            place = _scale_of(self.form, leaf, self.norms)
            if place >= 0:
                add(place, self._read(leaf, place))
        return dict(sorted(needs.items()))

    def _read(self, leaf: LeafPlan, place: int) -> set[str]:
        """Return what one comparison must know of its scale."""
        if leaf.kind == "derived":
            return {"score", "bottom", "top", "answered"}
        if self._overshoots(place):
            return {"score", "bottom", "top"}
        upwards = leaf.kind == "validity" or self.form.scales[place].upwards
        near, far = ("bottom", "top") if upwards else ("top", "bottom")
        # A score, where there is one, lies within the bounds.
        return {"score", near} if self.side == "sure" else {far}

    def _estimable(self, place: int) -> bool:
        """Say whether a scale can have a score that the answers alone do not give."""
        scale = self.form.scales[place]
        if any(self.form.items[row].blank_score is not None for row in scale.rows.tolist()):
            return True
        if scale.levels is None and scale.combine != "sum_of_scales":
            return scale.min_answered < scale.n_items
        return any(self._estimable(part) for part in _parts(scale))

    def _overshoots(self, place: int) -> bool:
        """Say whether an estimate can lie outside the bounds: its items have unequal ranges."""
        scale = self.form.scales[place]
        if scale.levels is None and scale.combine != "sum_of_scales":
            ends = [(one.low.min(), one.high.max()) for one in map(unpack, scale.tables)]
            return self._estimable(place) and len(set(ends)) > 1
        return any(self._overshoots(part) for part in _parts(scale))

    def _sums(self, place: int) -> list[str]:
        """Return the names of what is added up from the parts of a sum of scales."""
        if self.form.scales[place].combine != "sum_of_scales":
            return []
        return [f"{place}.{field}" for field in sorted(self.needs[place] - {"answered"})]

    # Tables: a number per response code -----------------------------------------------------------

    def _tables(self) -> list[tuple[str, dict[int, NDArray[np.int64]], int]]:
        """Return what each answer adds: name, table by row, and the start (−∞ for a maximum)."""
        found: list[tuple[str, dict[int, NDArray[np.int64]], int]] = []
        for place, fields in self.needs.items():
            found += self._scale_tables(place, fields)
        every = np.arange(256, dtype=np.uint8)[None, :]
        for number, gate in enumerate(self.form.gates):
            if not set(gate.rows).isdisjoint(self.part.rows):
                by_row: dict[int, NDArray[np.int64]] = {}
                for row, cut in gate.openers:
                    opened = self._item_truth(row, cut, every).astype(np.int64)
                    by_row[row] = np.maximum(by_row.get(row, opened), opened)
                found.append((f"gate {number}", by_row, -1))
        by_group: dict[int, dict[int, NDArray[np.int64]]] = {}
        for number, leaf in self.leaves:
            if leaf.kind in ("item", "critical"):
                row = _row_of(self.form, leaf)
                truth = self._item_truth(row, int(leaf.cut), every, upwards=leaf.upwards)
                holds = self._holds(truth).astype(np.int64)
                rows = by_group.setdefault(number, {})
                rows[row] = np.maximum(rows.get(row, holds), holds)
        found += [(f"leaf {number}", rows, -1) for number, rows in by_group.items()]
        return found

    def _item_truth(
        self, row: int, cut: int, every: NDArray[np.uint8], *, upwards: bool = True
    ) -> NDArray[np.int8]:
        codes = np.full((len(self.form.items), 256), rc.BLANK, dtype=np.uint8)
        options = len(self.form.items[row].scores)
        codes[row] = np.where((every[0] < options) | (every[0] >= rc.FIRST_MISSING), every[0], 0)
        return item_truth(self.form, codes, row, cut, upwards=upwards)

    def _scale_tables(
        self, place: int, fields: set[str]
    ) -> list[tuple[str, dict[int, NDArray[np.int64]], int]]:
        scale = self.form.scales[place]
        rows = scale.rows.tolist()
        if scale.levels is not None:
            return self._level_tables(place, scale)
        if scale.combine == "sum_of_scales":
            return []
        if scale.combine == "eap":  # every answer matters by itself
            code = np.arange(256, dtype=np.int64)
            return [(f"{place}.code {row}", {row: code}, 0) for row in rows]
        start = -1 if scale.combine == "maximum" else 0
        counters = [unpack(table) for table in scale.tables]
        plain = all(self.form.items[row].blank_score is None for row in rows)
        is_low = plain and all((one.low == one.value).all() for one in counters)
        wanted = {
            "value": "score" in fields,
            "low": "bottom" in fields and not ("score" in fields and is_low),
            "high": "top" in fields,
            "known": "score" in fields,
            "answered": "answered" in fields or ("score" in fields and not plain),
        }
        return [
            (
                f"{place}.{name}",
                {row: getattr(one, name) for row, one in zip(rows, counters, strict=True)},
                # Whether anything was answered matters, not how much.
                -1 if name == "answered" else (0 if name == "known" else start),
            )
            for name, is_wanted in wanted.items()
            if is_wanted
        ]

    def _level_tables(
        self, place: int, scale: ScalePlan
    ) -> list[tuple[str, dict[int, NDArray[np.int64]], int]]:
        found: list[tuple[str, dict[int, NDArray[np.int64]], int]] = []
        for number, node in enumerate(self._level_nodes(scale)):
            if node.table is not None:
                both = (3 * node.table[0] + node.table[1]).astype(np.int64)
                found.append((f"{place}.node {number}", {node.row: both}, 0))
            else:
                found.append((f"{place}.node {number}", {}, 0))
        answered = np.zeros(256, dtype=np.int64)
        answered[: rc.FIRST_MISSING] = answered[rc.NOT_APPLICABLE] = 1
        rows = scale.rows.tolist()
        found.append((f"{place}.answered", dict.fromkeys(rows, answered), -1))
        return found

    @staticmethod
    def _level_nodes(scale: ScalePlan) -> list[LevelNode]:
        if scale.levels is None:
            return []
        return [one for node in scale.levels.nodes for one in _comparisons(node)]

    def _holds(self, truth: NDArray[np.int8]) -> NDArray[np.bool_]:
        return np.asarray(truth == HOLDS if self.side == "sure" else truth >= UNDECIDED)

    # The order of the items ----------------------------------------------------------------------

    def _order(self) -> list[int]:
        """Return the rows, one scale after the other, each opener before what it opens."""
        order: dict[int, None] = {}
        wanted = [scale_rows(self.form, place) for place in self.needs]

        def add(row: int, above: frozenset[int] = frozenset()) -> None:
            for gate in self.form.gates:
                if row in gate.rows:
                    for opener, _ in gate.openers:
                        if opener not in order and opener not in above:
                            add(opener, above | {row})
            order.setdefault(row)

        while wanted:
            wanted.sort(key=lambda rows: len(rows - order.keys()))
            for row in sorted(wanted.pop(0)):
                add(row)
        for row in self.part.rows:
            add(row)
        return [row for row in order if row in set(self.part.rows)]

    # Growing -------------------------------------------------------------------------------------

    def run(self) -> tuple[list[tuple[int, ...]], NDArray[np.uint8]]:
        """Go through all answers; return the cells (one for each view) and answers to each."""
        done: set[int] = set()
        open_scales = list(self.needs)
        for row in self.order:
            self._answer(row)
            done.add(row)
            before = len(self.columns)
            self._forget_gates(done)
            for place in list(open_scales):
                parts = [one for one in _parts(self.form.scales[place]) if one in open_scales]
                if not parts and scale_rows(self.form, place) <= done:
                    open_scales.remove(place)
                    self._close(place)
            if len(self.columns) != before or not open_scales:
                self._merge()
        bits = {
            view: [
                self.columns.get((view, f"leaf {number}"), np.zeros(self.number, dtype=np.int64))
                for number in range(len(self.groups))
            ]
            for view in self.views
        }
        cells: dict[tuple[int, ...], int] = {}
        for place in range(self.number):
            cell = tuple(
                sum(1 << number for number, bit in enumerate(bits[view]) if bit[place] > 0)
                for view in self.views
            )
            cells.setdefault(cell, place)
        return list(cells), self.raw[list(cells.values())].T

    @property
    def number(self) -> int:
        """How many states there are."""
        return len(self.raw)

    def _choices(self, row: int) -> list[tuple[int, ...]]:
        """Return the answers to an item that anything can tell apart, by view; mild ones first."""
        item = self.form.items[row]
        options = mildest(self.form, row).tolist()
        if self.step is not None and row == self.step[0]:
            return [self.step[1:]]
        gated = [gate for gate in self.form.gates if row in gate.rows]
        # "The same items answered": what an answer shuts off, or asks for, is another matter.
        answered_only = self.step is not None and any(
            self.step[0] in _openers(self.form, row) for _ in gated
        )
        if answered_only:
            codes = options
        elif gated or item.blank_score is not None:
            codes = [*options, rc.BLANK, rc.NOT_PRESENTED, rc.ILLEGAL]
        else:
            codes = [*options, rc.BLANK]
        if not gated:
            told_apart = {
                tuple(
                    int(by_row[row][self._settled(row, code)])
                    for _, by_row, _ in self.tables
                    if row in by_row
                ): code
                for code in reversed(codes)
            }
            codes = [code for code in codes if code in told_apart.values()]
        return [(code,) * len(self.views) for code in codes]

    def _settled(self, row: int, code: int) -> int:
        """Return the response code of an answer to an item whose gate is not closed."""
        counted = self.form.items[row].blank_score is not None and code == rc.BLANK
        return rc.COUNTED_BLANK if counted else code

    def _answer(self, row: int) -> None:
        """Answer an item in every way, and keep what can still be told apart."""
        gates = [number for number, gate in enumerate(self.form.gates) if row in gate.rows]
        touched = {
            (view, name): (by_row[row], start)
            for name, by_row, start in self.tables
            for view in self.views
            if row in by_row and (view, name) in self.columns
        }
        choices = self._choices(row)
        number = self.number
        if number * len(choices) > MOST_STATES:
            msg = (
                f"{self.form.slot}: its cells are too many to be gone through; "
                "read fewer of its scales together"
            )
            raise UsageError(msg)
        settled: list[list[NDArray[np.uint8]]] = [[] for _ in self.views]
        grown: dict[tuple[int, str], list[NDArray[np.int64]]] = {key: [] for key in touched}
        for choice in choices:
            for view, code in zip(self.views, choice, strict=True):
                here = np.full(number, self._settled(row, code), dtype=np.uint8)
                if code in _UNTOUCHED:
                    for gate in gates:
                        here[self.columns[view, f"gate {gate}"] == 0] = rc.NOT_APPLICABLE
                settled[view].append(here)
            for (view, name), (table, start) in touched.items():
                given, before = table[settled[view][-1]], self.columns[view, name]
                grown[view, name].append(np.maximum(before, given) if start < 0 else before + given)
        same = [column for key, column in self.columns.items() if key not in touched]
        changed = {key: np.concatenate(blocks) for key, blocks in grown.items()}
        kept = _first(np.tile(_key(same, number), len(choices)), list(changed.values()))
        block, before_it = kept // number, kept % number
        place = self.place[row]
        self._keep(before_it)
        self.columns |= {key: column[kept] for key, column in changed.items()}
        self.raw[:, place] = np.array([choice[0] for choice in choices], dtype=np.uint8)[block]
        for view in self.views:
            self.settled[view][:, place] = np.concatenate(settled[view])[kept]

    def _keep(self, kept: NDArray[np.int64]) -> None:
        """Keep some of the states, each as often as it is named."""
        self.columns = {name: column[kept] for name, column in self.columns.items()}
        self.raw = self.raw[kept]
        self.settled = [settled[kept] for settled in self.settled]

    def _forget_gates(self, done: set[int]) -> None:
        """Drop the state of gates behind which nothing is left to answer."""
        for number, gate in enumerate(self.form.gates):
            if set(gate.rows) & set(self.part.rows) <= done:
                for view in self.views:
                    self.columns.pop((view, f"gate {number}"), None)

    def _close(self, place: int) -> None:
        """Turn what is known of a finished scale into what is read of it."""
        for view in self.views:
            codes = np.full((len(self.form.items), self.number), rc.BLANK, dtype=np.uint8)
            codes[list(self.part.rows)] = self.settled[view].T
            scales = self._score(place, codes)
            for number, leaf in self.leaves:
                if _scale_of(self.form, leaf, self.norms) == place:
                    truth = _leaf_truth(self.form, leaf, scales, self.norms, self.pupil)
                    holds = self._holds(truth).astype(np.int64)
                    before = self.columns.get((view, f"leaf {number}"), holds)
                    self.columns[view, f"leaf {number}"] = np.maximum(before, holds)
            for whole in self.needs:
                self._hand_on(view, place, scales[place], whole)
            for key in [key for key in self.columns if key[1].startswith(f"{place}.")]:
                if key[0] == view:
                    del self.columns[key]

    def _hand_on(self, view: int, place: int, scores: ScaleScores, whole: int) -> None:
        """Give the scale that a finished one is part of what it needs of it."""
        scale = self.form.scales[whole]
        for name in self._sums(whole) if place in scale.components else ():
            more = self._units(whole, getattr(scores, name.partition(".")[2]))
            total = self.columns[view, name] + more * scale.components.count(place)
            none = total < _NO_SCORE // 2  # and nothing that is added gives one
            self.columns[view, name] = np.where(none, _NO_SCORE, total)
        for number, node in enumerate(self._level_nodes(scale)):
            if node.op == "scale" and node.row == place:
                truth = at_or_past(scores.bottom, scores.top, node.cut, upwards=True)
                self.columns[view, f"{whole}.node {number}"] = truth.astype(np.int64)

    def _units(self, whole: int, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return scores of a part as whole numbers; where there is none, the sum has none."""
        exact = all(
            self.form.scales[part].rounding != "none"
            or (not self._estimable(part) and self.form.scales[part].combine == "sum")
            for part in self.form.scales[whole].components
        )
        units = np.rint(np.where(np.isnan(values), 0.0, values) * (1 if exact else 1e6))
        return np.where(np.isnan(values), -(1 << 50), units).astype(np.int64)

    def _score(self, place: int, settled: NDArray[np.uint8]) -> dict[int, ScaleScores]:
        scales: dict[int, ScaleScores] = {}

        def score(one: int) -> None:
            for part in _parts(self.form.scales[one]):
                if part not in scales:
                    score(part)
            scales[one] = score_scale(self.form.scales[one], settled, scales)

        score(place)
        return scales

    def _merge(self) -> None:
        """Keep one of the states that nothing later can tell apart."""
        kept = _first(np.zeros(self.number, dtype=np.int64), list(self.columns.values()))
        if len(kept) < self.number:
            self._keep(kept)


def _first(key: NDArray[np.int64], columns: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the first, and so mildest, of each group of states with the same key and columns."""
    whole = _key([key, *columns], len(key))
    return np.sort(np.unique(whole, return_index=True)[1])


def _key(columns: Sequence[NDArray[np.int64]], number: int) -> NDArray[np.int64]:
    """Return a number for each state that is the same only where all columns are."""
    key = np.zeros(number, dtype=np.int64)
    room = 1
    for column in columns:
        low, high = int(column.min()), int(column.max())
        if low == high:
            continue
        steps, size = column - low, high - low + 1
        if size > _DENSE:
            steps = np.unique(column, return_inverse=True)[1].astype(np.int64)
            size = int(steps.max()) + 1
        if room * size >= _ROOM:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            room = int(key.max()) + 1
        key = key * size + steps
        room *= size
    return np.unique(key, return_inverse=True)[1].astype(np.int64) if room > _DENSE else key


def _openers(form: FormPlan, row: int, seen: frozenset[int] = frozenset()) -> set[int]:
    """Return the rows on which it depends, over any number of gates, whether an item is asked."""
    found: set[int] = set()
    for number, gate in enumerate(form.gates):
        if row in gate.rows and number not in seen:
            for opener, _ in gate.openers:
                found |= {opener} | _openers(form, opener, seen | {number})
    return found
