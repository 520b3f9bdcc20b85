"""What shows that a decision is made as it should be, whatever the decision is.

Asked is what testers of aircraft ask of a decision (modified condition/decision coverage), here
three-valued: every comparison decides alone, on either side of its cut and far from it; every
branch decides with as many of its parts as it needs, with one fewer and with more, some open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.logic import FAILS, HOLDS
from mhscreen.plan.triage import Node
from mhscreen.steps.triage import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Demand", "branch_counts", "cut_sides", "deciding_parts"]

Shown = tuple[str, "NDArray[np.bool_]"]
"""What is shown, and by which candidates."""


@dataclass(frozen=True, eq=False)
class Demand:
    """Something that at least one vector has to show, and the candidates that do."""

    name: str
    shown_by: NDArray[np.bool_]


def cut_sides(
    value: NDArray[np.float64], cut: float, decides: NDArray[np.bool_]
) -> Iterator[Shown]:
    """Yield where a number is at a cut, just short of it, and far on either side.

    Parameters
    ----------
    value : ndarray of float64, shape (candidates,)
        What is compared, larger towards the far side; NaN where there is none.
    decides : ndarray of bool, shape (candidates,)
        Where the comparison decides: only there are its sides looked for.

    Examples
    --------
    >>> numbers = np.array([0.0, 4.0, 5.0, 9.0])
    >>> [(word, int(at.argmax())) for word, at in cut_sides(numbers, 5, numbers >= 0)]
    [('at its cut', 2), ('far past its cut', 3), ('just short of its cut', 1), ('far short of its cut', 0)]
    """  # noqa: E501 - one line of output
    given = np.unique(value[decides & ~np.isnan(value)])
    holds, fails = given[given >= cut], given[given < cut]
    if len(holds):
        yield "at its cut", value == holds[0]
        yield "far past its cut", value == holds[-1]
    if len(fails):
        yield "just short of its cut", value == fails[-1]
        yield "far short of its cut", value == fails[0]


def branch_counts(node: Node, leaves: NDArray[np.int8]) -> Iterator[Shown]:
    """Yield where a branch has as many parts as it needs, one fewer, one more, none and all."""
    number = len(node.children)
    needed = {"all": number, "any": 1}.get(node.op, node.count)
    truths = [evaluate(child, leaves) for child in node.children]
    held = np.sum([truth == HOLDS for truth in truths], axis=0)
    may = np.sum([truth != FAILS for truth in truths], axis=0)
    for count in sorted({0, needed - 1, needed, needed + 1, number}):
        if 0 <= count <= number:
            yield f"with {count} of {number}", held == count
            yield f"with up to {count} of {number}", (held < count) & (may == count)


def deciding_parts(
    node: Node, leaves: NDArray[np.int8]
) -> Iterator[tuple[str, Node, NDArray[np.bool_]]]:
    """Yield every part of a condition, and where its truth alone is the condition's.

    Each is put in turn to what holds, and to what fails, whatever is answered.
    """
    number = len(leaves)
    known = np.vstack([leaves, np.full_like(leaves[:1], HOLDS), np.full_like(leaves[:1], FAILS)])
    for path in _paths(node):
        truths = [evaluate(_put(node, path, Node("leaf", number + end)), known) for end in (0, 1)]
        part = node
        for place in path:
            part = part.children[place]
        name = f"{part.op} {'.'.join(str(place + 1) for place in path)}".strip()
        yield name, part, (truths[0] == HOLDS) & (truths[1] == FAILS)


def _paths(node: Node) -> Iterator[tuple[int, ...]]:
    yield ()
    for place, child in enumerate(node.children):
        yield from ((place, *path) for path in _paths(child))


def _put(node: Node, path: Sequence[int], other: Node) -> Node:
    """Return a condition with one part replaced."""
    if not path:
        return other
    children = list(node.children)
    children[path[0]] = _put(children[path[0]], path[1:], other)
    return replace(node, children=tuple(children))
