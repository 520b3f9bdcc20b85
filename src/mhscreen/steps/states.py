"""Find the states of forms: blank rules, gates and all scales in one pass, block by block."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.byte_sums import add_bytes, add_numbers, constant_rows
from mhscreen.kernels.flat_sums import add_flat
from mhscreen.plan.scales import join_states
from mhscreen.steps.one_scale import score_each
from mhscreen.steps.scales import ScaleScores
from mhscreen.steps.settle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scales import ScaleStates
    from mhscreen.plan.scoring import FormPlan

__all__ = ["FormStates", "find_states"]

FEW = 512
"""So many forms or fewer are looked up all at once."""


@dataclass(frozen=True, eq=False)
class FormStates:
    """What one pass over the forms of a slot finds.

    Attributes
    ----------
    scales : tuple of ScaleScores
        In the order of the plan.
    changed : dict of int to ndarray of uint8, shape (forms,)
        The rows of the response codes that blank rules or gates may have changed.
    behind_gate : ndarray of bool, shape (forms,)
        Where an item was answered though its gate is closed.
    """

    scales: tuple[ScaleScores, ...]
    changed: Mapping[int, NDArray[np.uint8]]
    behind_gate: NDArray[np.bool_]


def find_states(plan: FormPlan, codes: NDArray[np.uint8], block: int, threads: int) -> FormStates:
    """Settle the forms of one slot, and find the state of each on every scale.

    Parameters
    ----------
    plan : FormPlan
        The compiled form.
    codes : ndarray of uint8, shape (items, forms)
        Response codes as bound.
    block : int
        How many forms are looked at together, so that what is worked on stays in the cache.
    threads : int
        How many blocks are worked on at a time.
    """
    forms = codes.shape[1]
    if forms <= FEW:
        return _find_few(plan, codes)
    work = _Work(plan, codes, block)
    blocks = [slice(start, start + block) for start in range(0, forms, block)]
    if min(threads, len(blocks)) > 1:
        with ThreadPoolExecutor(min(threads, len(blocks))) as pool:
            each = list(pool.map(work.score, blocks))
    else:
        each = list(map(work.score, blocks))
    joined = {place: join_states([found[place] for found in each]) for place in each[0]}
    return FormStates(_all_scales(plan, work.kept, joined), work.changed, work.behind_gate)


def _find_few(plan: FormPlan, codes: NDArray[np.uint8]) -> FormStates:
    """Do the same for a class, with fewer calls."""
    forms = codes.shape[1]
    changed = dict(zip(plan.settled_rows, codes[list(plan.settled_rows)], strict=True))
    behind_gate = np.zeros(forms, dtype=bool)
    if changed:
        settle(plan, codes, changed, behind_gate)
        codes = codes.copy()
        for row, settled in changed.items():
            codes[row] = settled
    columns = add_flat(plan.coding.flat, codes)
    for column, one in plan.coding.look_ups.items():
        if column not in columns:
            out, spare = np.empty((2, forms), dtype=one.type)
            add_numbers(one.tables, [columns[part] for part in one.columns], out, spare)
            columns[column] = out
    each = _score_each(plan, codes, columns)
    return FormStates(_all_scales(plan, columns, each), changed, behind_gate)


def _score_each(
    plan: FormPlan,
    codes: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    columns: Mapping[int, NDArray[np.unsignedinteger]],
) -> dict[int, ScaleStates]:
    """Score the scales that have no states, form by form."""
    found: dict[int, ScaleStates] = {}
    coded = plan.coding.scales
    if len(coded) < len(plan.scales):
        earlier = {place: _coded(plan, place, columns) for place in coded}
        for place, scale in enumerate(plan.scales):
            if place not in coded:
                found[place] = score_each(scale, codes, earlier)
                earlier[place] = ScaleScores.each(scale.id, scale.categories, found[place])
    return found


def _all_scales(
    plan: FormPlan,
    columns: Mapping[int, NDArray[np.unsignedinteger]],
    each: Mapping[int, ScaleStates],
) -> tuple[ScaleScores, ...]:
    return tuple(
        ScaleScores.each(scale.id, scale.categories, each[place])
        if place in each
        else _coded(plan, place, columns)
        for place, scale in enumerate(plan.scales)
    )


def _coded(
    plan: FormPlan, place: int, columns: Mapping[int, NDArray[np.unsignedinteger]]
) -> ScaleScores:
    """Return what is known of a scale that has states."""
    scale = plan.scales[place]
    column, states = plan.coding.scales[place]
    return ScaleScores(scale.id, scale.categories, columns[column], states)


class _Work:
    """Where the blocks write what they find, each into its own part."""

    def __init__(self, plan: FormPlan, codes: NDArray[np.uint8], block: int) -> None:
        forms = codes.shape[1]
        self.plan, self.codes, self.coding = plan, codes, plan.coding
        self.constants = constant_rows(self.coding.constants, min(block, forms))
        self.changed = dict(_rows(forms, dict.fromkeys(plan.settled_rows, np.dtype(np.uint8))))
        self.behind_gate = np.zeros(forms, dtype=bool)
        self.kept = dict(_rows(forms, self.coding.kept))

    def score(self, block: slice) -> dict[int, ScaleStates]:
        """Score a block of forms; return what is scored form by form, by place of the scale."""
        codes = list(self.codes[:, block])
        if self.changed:
            changed = {place: row[block] for place, row in self.changed.items()}
            settle(self.plan, codes, changed, self.behind_gate[block])
            codes = [changed.get(place, row) for place, row in enumerate(codes)]
        return _score_each(self.plan, codes, self._add_up(codes, block))

    def _add_up(
        self, codes: Sequence[NDArray[np.uint8]], block: slice
    ) -> dict[int, NDArray[np.unsignedinteger]]:
        """Work out the columns of the coding, one after the other."""
        forms = len(codes[0])
        spare = np.empty(forms, dtype=np.uint16)
        constants = {value: row[:forms] for value, row in self.constants.items()}
        columns = {column: row[block] for column, row in self.kept.items()}
        for column, one in enumerate(self.coding.sums):
            out = columns.setdefault(column, np.empty(forms, dtype=np.uint8))
            add_bytes(one, codes, constants, out, spare.view(np.uint8)[:forms])
        for column, look_up in self.coding.look_ups.items():
            parts = [columns[part] for part in look_up.columns]
            room = spare.view(look_up.type)[:forms]
            add_numbers(look_up.tables, parts, columns[column], room)
        return columns


def _rows(
    length: int, types: Mapping[int, np.dtype[np.unsignedinteger]]
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield a row of each type, by key; those of one type in one piece of memory.

    Many pieces of fresh memory cost more time than all that is written into them.
    """
    for kind in set(types.values()):
        keys = [key for key, one in types.items() if one == kind]
        yield from zip(keys, np.empty((len(keys), length), dtype=kind), strict=True)
