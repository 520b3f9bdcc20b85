"""Patterns: pupils on whom every comparison stands alike, so that rules are evaluated once for all.

On each form every comparison is one of four things, two bits. All of a slot side by side are a
number, looked up by the state of a scale or the code of an item; the numbers of a pupil's slots
side by side, with the group that says which slots count, are the pattern.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.kernels.directory import Directory
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.leaves import leaf_states
from mhscreen.vocabulary import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.norm import NormedScores
    from mhscreen.steps.ways import Ways

__all__ = ["LeafKeys", "Patterns", "find_patterns", "leaf_keys", "leaf_truths"]

_BITS = 2  # of a comparison
_WORD = 64
_MOST = (_WORD - 1) // _BITS  # comparisons beside the bit that says that there is a form
_GROUP_BITS = 16
_BLOCK = 1 << 16  # forms at a time, so that what is between two passes stays in the cache
_FEW = 1 << 10  # pupils whose patterns are not worth comparing
_ON_ESTIMATE = HOLDS + 1
_REQUIRED, _NOT_USED = Requirement.REQUIRED.position, Requirement.NOT_USED.position


class LeafKeys(NamedTuple):
    """How some comparisons stand on the forms of one slot.

    Attributes
    ----------
    slot : int
        The slot.
    leaves : tuple of int
        The comparisons, from the lowest bits on.
    key : ndarray of unsigned integers, shape (forms,)
        One, and before it two bits for each comparison: three-valued, and 3 where it holds on an
        estimate only.
    """

    slot: int
    leaves: tuple[int, ...]
    key: NDArray[np.unsignedinteger]

    @property
    def width(self) -> int:
        """How many bits the key has."""
        return 1 + _BITS * len(self.leaves)

    def truths(self, forms: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return, three-valued, how the comparisons stand on some forms."""
        return np.minimum(_unpack(self.key[forms].astype(np.uint64), len(self.leaves)), HOLDS)


def leaf_keys(plan: Plan, normed: NormedScores) -> list[LeafKeys]:
    """Return how every comparison of the policy stands on every form."""
    by_slot: dict[int, list[int]] = defaultdict(list)
    for number, leaf in enumerate(plan.triage.leaves):
        by_slot[leaf.slot].append(number)
    return [
        _key_of(plan, normed, slot, numbers[start : start + _MOST])
        for slot, numbers in sorted(by_slot.items())
        for start in range(0, len(numbers), _MOST)
    ]


def leaf_truths(keys: Sequence[LeafKeys], slot: int, forms: NDArray[np.int64]) -> NDArray[np.int8]:
    """Return how all comparisons of a slot stand on some of its forms."""
    none = np.zeros((0, len(forms)), dtype=np.int8)
    return np.concatenate([none, *(one.truths(forms) for one in keys if one.slot == slot)])


def _key_of(plan: Plan, normed: NormedScores, slot: int, numbers: list[int]) -> LeafKeys:
    """Look up what the state of each scale, and the code of each item, adds to the key."""
    forms = len(normed.scores.forms[slot])
    kind = np.min_scalar_type((1 << (1 + _BITS * len(numbers))) - 1)
    parts: dict[tuple[str, int], tuple[NDArray[np.unsignedinteger], NDArray[np.uint64]]] = {}
    for place, number in enumerate(numbers):
        source, state, truth = leaf_states(normed, plan.triage.leaves[number])
        table = truth.astype(np.uint64) << np.uint64(1 + _BITS * place)
        if source in parts:
            table |= parts[source][1]
        parts[source] = state, table
    key = np.ones(forms, dtype=kind)
    tables = [(state, table.astype(kind)) for state, table in parts.values()]
    for start in range(0, forms, _BLOCK):
        block = slice(start, start + _BLOCK)
        for state, table in tables:
            key[block] |= table.take(state[block], mode="clip")
    return LeafKeys(slot, tuple(numbers), key)


@dataclass(frozen=True, eq=False)
class Patterns:
    """Which pattern each way of taking a pupil's forms is, and how all comparisons stand in it.

    Attributes
    ----------
    of_way : ndarray of uint32, shape (ways,)
        The pattern of each way.
    leaves : ndarray of int8, shape (leaves, patterns)
        Three-valued.
    sure : ndarray of int8, shape (leaves, patterns)
        The same without what rests on estimates.
    """

    of_way: NDArray[np.uint32]
    leaves: NDArray[np.int8]
    sure: NDArray[np.int8]


def find_patterns(
    plan: Plan, group: NDArray[np.int64], ways: Ways, keys: Sequence[LeafKeys]
) -> Patterns:
    """Return the patterns of all ways.

    An absent required slot leaves its leaves undecided; an absent on-event slot decides
    nothing, unless the policy says that it leaves the comparison undecided. On a form meant for
    another stage only critical items count.
    """
    places = list(_places(keys))
    words = np.zeros((1 + places[-1][0] if places else 1, len(ways.pupil)), dtype=np.uint64)
    padded = [np.append(one.key, one.key.dtype.type(0)) for one in keys]  # no form: no bits
    for start in range(0, words.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        words[0, block] = group[ways.pupil[block]] + 1
        for (word, shift), one, key in zip(places, keys, padded, strict=True):
            bits = key.take(ways.form[one.slot, block], mode="wrap").astype(np.uint64)
            words[word, block] |= bits << np.uint64(shift)
    first, of_way = _distinct(words)
    kinds = words[:, first]
    use_of = plan.uses[(kinds[0] & np.uint64((1 << _GROUP_BITS) - 1)).astype(np.int64) - 1]
    leaves = np.zeros((len(plan.triage.leaves), len(first)), dtype=np.int8)
    sure = leaves.copy()
    for (word, shift), one in zip(places, keys, strict=True):
        key = kinds[word] >> np.uint64(shift)
        is_absent = key & np.uint64(1) == 0
        use = use_of[:, one.slot]
        for number, truth in zip(one.leaves, _unpack(key, len(one.leaves)), strict=True):
            leaf = plan.triage.leaves[number]
            missed = use != _NOT_USED if leaf.absent else use == _REQUIRED
            truth[is_absent & missed] = UNDECIDED
            if not leaf.critical:
                truth[use == _NOT_USED] = 0
            leaves[number] = np.minimum(truth, HOLDS)
            sure[number] = np.where(truth == _ON_ESTIMATE, UNDECIDED, truth)
    return Patterns(of_way, leaves, sure)


def _places(keys: Sequence[LeafKeys]) -> Iterator[tuple[int, int]]:
    """Yield in which word each key stands, and how far from its end; the group is in the first."""
    word, shift = 0, _GROUP_BITS
    for one in keys:
        if shift + one.width > _WORD:
            word, shift = word + 1, 0
        yield word, shift
        shift += one.width


def _unpack(key: NDArray[np.uint64], leaves: int) -> NDArray[np.int8]:
    """Return the bits of each comparison, shape (leaves, keys)."""
    shifts = np.arange(1, 1 + _BITS * leaves, _BITS, dtype=np.uint64)
    return ((key >> shifts[:, None]) & np.uint64(3)).astype(np.int8)


def _distinct(words: NDArray[np.uint64]) -> tuple[NDArray[np.integer], NDArray[np.uint32]]:
    """Return the first way of each pattern, and the pattern of each way."""
    ways = words.shape[1]
    if ways < _FEW:
        return np.arange(ways), np.arange(ways, dtype=np.uint32)
    first = Directory(words).first
    is_first = first == np.arange(ways)
    return np.flatnonzero(is_first), (np.cumsum(is_first, dtype=np.uint32) - np.uint32(1))[first]
