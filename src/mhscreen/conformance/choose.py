"""Choose the fewest forms that tell every two scorers apart that any candidate tells apart."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import UNCHANGED, score_vectors
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.coverage import Demand
    from mhscreen.conformance.scorer import Columns, Departure, Form, Vectors

__all__ = ["CANNOT", "Evaluated", "choose", "classes", "evaluate"]

CANNOT = (UsageError, KeyError, StopIteration, ValueError, IndexError, RuntimeError)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """What the definition and every departure say of some vectors, as numbers to compare.

    Attributes
    ----------
    columns : Columns
        What the definition gives.
    scorers : tuple of Departure
        The departures that can be scored.
    said : ndarray of uint64, shape (scorers + 1, vectors)
        One number for all that a scorer says of a vector; equal where all of it is. The first
        row is the definition's.
    """

    columns: Columns
    scorers: tuple[Departure, ...]
    said: NDArray[np.uint64]


def evaluate(form: Form, vectors: Vectors, departures: Sequence[Departure]) -> Evaluated:
    """Let the definition and every departure score the vectors.

    A departure under which nothing can be scored (a scale without items) is left out: no
    program that gives results is like it.
    """
    columns = score_vectors(form, vectors, UNCHANGED)
    digests = {name: column.digest(name) for name, column in columns.items()}
    own = np.zeros(len(vectors), dtype=np.uint64)
    for digest in digests.values():
        own += digest
    rows, scorers = [own], []
    for one in departures:
        try:
            said = score_vectors(form, vectors, one.change)
        except CANNOT:
            continue
        row = own.copy()
        whole = not one.change.scales and one.change.norm is None
        for name in digests if whole else said:
            row -= digests.get(name, np.uint64(0))
        for name, column in said.items():
            row += column.digest(name)
        rows.append(row)
        scorers.append(one)
    return Evaluated(columns, tuple(scorers), np.stack(rows))


def classes(said: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the class of each scorer: the same number where all that is said is the same."""
    state = np.zeros(said.shape[0], dtype=np.uint64)
    for place in range(said.shape[1]):
        state = state * np.uint64(0x9E3779B97F4A7C15) + said[:, place] * np.uint64(2 * place + 1)
        state ^= state >> np.uint64(29)
    labels: NDArray[np.int64] = np.unique(state, return_inverse=True)[1]
    return labels


def choose(
    said: NDArray[np.uint64], demands: Sequence[Demand], spare: Sequence[int] = ()
) -> list[int]:
    """Return places of candidates that separate all that can be, and meet every demand.

    Greedy: always the candidate that tells most pairs apart, then the one that meets most open
    demands; what turns out not to be needed is dropped again. That is small, and not proved
    to be the least.

    Parameters
    ----------
    said : ndarray of uint64, shape (scorers, candidates)
        As of `Evaluated`.
    demands : sequence of Demand
        Each is shown by at least one candidate.
    spare : sequence of int
        Candidates that are taken in any case: what no departure foresees may show on them.
    """
    chosen = _separate(said, spare)
    chosen += _meet([one.shown_by for one in demands if not one.shown_by[chosen].any()])
    return sorted(_without_needless(said, demands, chosen, len(spare)))


def _meet(open_demands: Sequence[NDArray[np.bool_]]) -> list[int]:
    """Take the candidate that meets most open demands, again and again."""
    if not open_demands:
        return []
    shown = np.stack(open_demands)
    is_open = np.ones(len(shown), dtype=bool)
    number = shown.sum(axis=0)
    taken = []
    while is_open.any():
        taken.append(int(np.argmax(number)))
        met = is_open & shown[:, taken[-1]]
        number -= shown[met].sum(axis=0)
        is_open &= ~met
    return taken


def _pairs(labels: NDArray[np.int64]) -> int:
    sizes = np.bincount(labels)
    return int((sizes * (sizes - 1) // 2).sum())


def _refine(labels: NDArray[np.int64], column: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Split classes by what one more vector tells apart."""
    mixed = labels.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ column
    refined: NDArray[np.int64] = np.unique(mixed, return_inverse=True)[1]
    return refined


def _separate(said: NDArray[np.uint64], spare: Sequence[int]) -> list[int]:
    """Take the candidate that tells most pairs apart, again and again (lazily: gains only fall)."""
    labels = np.zeros(said.shape[0], dtype=np.int64)
    for place in spare:
        labels = _refine(labels, said[:, place])
    said, kept = np.unique(said, axis=1, return_index=True)
    order = np.argsort(kept, kind="stable")  # ties go to the earlier candidate
    together = _pairs(labels)
    heap = [(-together, int(kept[place]), int(place)) for place in order]
    heapq.heapify(heap)
    chosen = list(spare)
    while heap:
        bound, first, place = heapq.heappop(heap)
        gain = together - _pairs(_refine(labels, said[:, place]))
        if not gain:
            continue
        if heap and -gain > heap[0][0]:
            heapq.heappush(heap, (-gain, first, place))
            continue
        del bound
        labels = _refine(labels, said[:, place])
        together = _pairs(labels)
        chosen.append(first)
        if not together:
            break
    return chosen


def _without_needless(
    said: NDArray[np.uint64], demands: Sequence[Demand], chosen: list[int], spare: int
) -> list[int]:
    """Drop each vector, the last first, without which all the rest still holds; no spare one."""
    names = np.arange(said.shape[1], dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    terms = {}
    for place in chosen:
        term = said[:, place] ^ names[place]
        term = (term ^ (term >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
        terms[place] = term ^ (term >> np.uint64(29))
    total = np.zeros(said.shape[0], dtype=np.uint64)
    for term in terms.values():
        total += term
    number = len(np.unique(total))
    shown = np.array([one.shown_by[chosen].sum() for one in demands])
    left = list(chosen)
    for place in reversed(chosen[spare:]):
        here = np.array([one.shown_by[place] for one in demands], dtype=np.int64)
        if (shown - here < 1).any() or len(np.unique(total - terms[place])) < number:
            continue
        total -= terms[place]
        shown -= here
        left.remove(place)
    return left
