"""Three ways to score in memory, against the floor: counters, states by NumPy, states by numba.

``python benchmarks/speed/kernel_designs.py [pupils …]``

All give scores and categories of the 18 scales, to the bit the same, before they are timed:

- *counters*: five sums per scale in 64-bit integers, and every score worked out form by form;
- *states*: what `mhscreen.steps.score.score_forms` does;
- *numba*: the same states, each added up in one compiled loop over bytes, with the scores and
  categories gathered in the same loop. It is left out where numba is not installed, and what it
  takes to compile is no part of its time.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from answers import answers_of, bound
from battery import battery_plan, battery_scales
from figures import compare, run
from floors import floor_of, sheet
from timing import take_turns

from mhscreen.kernels.byte_sums import Carry
from mhscreen.kernels.packed import sum_packed, unpack
from mhscreen.plan.scales import Raw, count_states, finish
from mhscreen.steps.score import score_forms
from mhscreen.steps.settle import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from figures import Figure
    from numpy.typing import NDArray

    from mhscreen.plan.scales import ScaleStates
    from mhscreen.plan.scoring import FormPlan

SIZES = (100_000,)
BLOCK = 1 << 16
_PIECE = 8192


def settled(plan: FormPlan, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return response codes after gates and blank rules."""
    changed = {row: codes[row].copy() for row in plan.settled_rows}
    if not changed:
        return codes
    settle(plan, codes, changed, np.zeros(codes.shape[1], dtype=bool))
    codes = codes.copy()
    for row, one in changed.items():
        codes[row] = one
    return codes


# -- counters --------------------------------------------------------------------------------------


def by_counters(plan: FormPlan, codes: NDArray[np.uint8]) -> list[tuple[Any, Any]]:
    """Score one slot form by form."""
    codes = settled(plan, codes)
    found: list[ScaleStates] = []
    for scale in plan.scales:
        if scale.combine == "sum_of_scales":
            parts = [found[place] for place in scale.components]
            score, bottom, top = (
                np.sum([getattr(part, name) for part in parts], axis=0)
                for name in ("score", "bottom", "top")
            )
            answered = np.sum([part.answered for part in parts], axis=0, dtype=np.int64)
            estimated = np.logical_or.reduce([part.estimated for part in parts])
            found.append(finish(scale, Raw(score, answered, bottom, top, estimated)))
            continue
        packed = np.empty(codes.shape[1], dtype=np.int64)
        for start in range(0, len(packed), BLOCK):
            block = slice(start, start + BLOCK)
            packed[block] = sum_packed(codes[:, block], scale.rows.tolist(), scale.tables)
        found.append(count_states(scale, unpack(packed)))
    return [(one.score, one.category) for one in found]


# -- states ----------------------------------------------------------------------------------------


def by_states(plan: FormPlan, codes: NDArray[np.uint8]) -> list[tuple[Any, Any]]:
    """Score one slot as the package does."""
    return [(one.score, one.category) for one in score_forms(plan, codes).scales]


# -- numba -----------------------------------------------------------------------------------------


class Compiled(NamedTuple):
    """The loops, compiled."""

    straight: Callable[..., None]
    looked_up: Callable[..., None]
    gather: Callable[..., None]


def straight(codes: Any, rows: Any, limits: Any, signs: Any, offset: Any, out: Any) -> None:
    """Add up bytes, each no more than its limit; in pieces that stay in the cache."""
    total = np.empty(_PIECE, np.uint8)
    for start in range(0, out.shape[0], _PIECE):
        number = min(_PIECE, out.shape[0] - start)
        total[:] = offset
        for item in range(rows.shape[0]):
            limit, row = limits[item], codes[rows[item], start : start + number]
            if signs[item] > 0:
                for place in range(number):
                    total[place] += min(row[place], limit)
            else:
                for place in range(number):
                    total[place] -= min(row[place], limit)
        for place in range(number):
            out[start + place] = total[place]


def looked_up(parts: Any, tables: Any, out: Any) -> None:
    """Add up what tables say."""
    for form in range(out.shape[0]):
        total = 0
        for part in range(parts.shape[0]):
            total += tables[part, parts[part, form]]
        out[form] = total


def gather(state: Any, scores: Any, categories: Any, score: Any, category: Any) -> None:
    """Take what each state is worth."""
    for form in range(state.shape[0]):
        score[form] = scores[state[form]]
        category[form] = categories[state[form]]


def compile_loops() -> Compiled:
    """Compile the loops; about a second."""
    numba = import_module("numba")
    return Compiled(*(numba.njit(one) for one in (straight, looked_up, gather)))


def by_numba(loops: Compiled, plan: FormPlan, codes: NDArray[np.uint8]) -> list[tuple[Any, Any]]:
    """Score one slot with the compiled loops, from the same coding."""
    codes = settled(plan, codes)
    forms = codes.shape[1]
    columns: dict[int, NDArray[Any]] = {}
    for column, one in enumerate(plan.coding.sums):
        columns[column] = np.empty(forms, dtype=np.uint8)
        if one.looked_up:
            rows = [row for row, _ in one.looked_up]
            tables = np.array([table for _, table in one.looked_up])
            loops.looked_up(codes[rows], tables, columns[column])
            continue
        steps = [*((*step, 1) for step in one.rising), *((*step, -1) for step in one.falling)]
        rows, limits, signs = (np.array(some) for some in zip(*steps, strict=True))
        offset = np.uint8(one.offset)
        loops.straight(codes, rows, limits.astype(np.uint8), signs, offset, columns[column])
    for column, one in plan.coding.look_ups.items():
        columns[column] = np.empty(forms, dtype=one.type)
        parts = np.stack([columns[part] for part in one.columns])
        loops.looked_up(parts, _tables(one.tables), columns[column])
    found = []
    for column, states in (plan.coding.scales[place] for place in range(len(plan.scales))):
        score, category = np.empty(forms), np.empty(forms, dtype=np.int8)
        loops.gather(columns[column], states.score, states.category, score, category)
        found.append((score, category))
    return found


def _tables(tables: Sequence[NDArray[Any] | Carry]) -> NDArray[np.int64]:
    found = np.zeros((len(tables), 256), dtype=np.int64)
    values = np.arange(256)
    for place, one in enumerate(tables):
        if isinstance(one, Carry):
            found[place] = values + one.more * (values // one.base)
        else:
            found[place, : len(one)] = one
    return found


# -- against each other ----------------------------------------------------------------------------


def designs() -> dict[str, Callable[[FormPlan, NDArray[np.uint8]], list[tuple[Any, Any]]]]:
    """Return the ways that can be gone here."""
    found: dict[str, Callable[..., list[tuple[Any, Any]]]] = {
        "counters": by_counters, "states": by_states,
    }  # fmt: skip
    if find_spec("numba"):
        loops = compile_loops()
        found["numba"] = lambda plan, codes: by_numba(loops, plan, codes)
    return found


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time the designs."""
    batch = bound(answers_of(pupils, work))
    plan = battery_plan()
    pairs = [(form, forms.codes) for form, forms in zip(plan.forms, batch.forms, strict=True)]
    works: dict[str, Callable[[], Any]] = {
        "floor": floor_of(sheet(batch), pupils, ["f8", "i1"] * len(battery_scales()))
    }
    first: Any = None
    for name, design in designs().items():
        works[name] = lambda design=design: [design(form, codes) for form, codes in pairs]
        found = [array.tobytes() for one in works[name]() for scale in one for array in scale]
        first = first or found
        if found != first:
            msg = f"{name} gives other scores"
            raise AssertionError(msg)
    yield from compare("designs", take_turns(works), pupils, "floor")


if __name__ == "__main__":
    run(measure, SIZES)
