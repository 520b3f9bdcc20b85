"""One scale, compiled, and its states: the few things that forms can say, and what each is worth.

What is known of a form's scale is how many of its items are answered and the sums of their
scores and bounds; forms with the same are in the same state. Score, bounds and category are
worked out once per state, when the plan is first used, and each form then needs only its state.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.kernels.lookup import categorise, look_up, rescale, round_down, round_half_up
from mhscreen.kernels.packed import Counters, unpack
from mhscreen.kernels.sums import SumCode, encode_sums, smallest_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions.common import Text
    from mhscreen.plan.kinds import IrtPlan, LevelsPlan, TransformPlan

__all__ = [
    "CodedItems",
    "Encoding",
    "Raw",
    "ScalePlan",
    "ScaleStates",
    "count_states",
    "encode_parts",
    "encode_tables",
    "finish",
    "join_states",
    "nothing_like",
]

MOST_STATES = 1 << 16
"""More than these are not worth a table."""

_ADDITIVE = frozenset({"sum", "mean", "count", "weighted_sum", "eap_from_sum"})


@dataclass(frozen=True, eq=False)
class ScalePlan:
    """One scale: which items, by which tables, into which score.

    Attributes
    ----------
    rows : ndarray of int64
        Its items, as rows of the response codes; for levels, those of earlier scales, too. Of a
        sum of scales only where its components share an item, which is answered once.
    tables : ndarray of int64, shape (len(rows), 256)
        Packed counters by response code, see `mhscreen.kernels.packed`.
    components : tuple of int
        For a sum of scales: places of the components among the scales of the form.
    rounding : str
        ``none``, ``half_up`` or ``down``; after the transform.
    range : tuple of float
        The smallest and largest score.
    categories, labels : tuple
        The published names, and the neutral words for people, from the near to the far side.
    cuts : ndarray of float64
        Cut scores of all categories but the first, from the near to the far side.
    key_checksum : str
        What a norm table is bound to, see `mhscreen.definitions.checksums`.
    """

    id: str
    combine: str
    rows: NDArray[np.int64]
    tables: NDArray[np.int64]
    components: tuple[int, ...]
    n_items: int
    min_answered: int
    rounding: str
    upwards: bool
    content: bool
    range: tuple[float, float]
    categories: tuple[str, ...]
    labels: tuple[Text, ...]
    cuts: NDArray[np.float64]
    key_checksum: str
    transform: TransformPlan | None = None
    levels: LevelsPlan | None = None
    irt: IrtPlan | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what is handed to another process: what follows from it is found there again."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def encoding(self) -> Encoding | None:
        """How its state is found from its items; None where it is no sum, or has many states."""
        return _encode_items(self)


@dataclass(frozen=True, eq=False, repr=False)
class ScaleStates:
    """What each state of a scale is worth; every array has shape (states,).

    Attributes
    ----------
    score : ndarray of float64
        NaN where the missing rule gives none, and where nothing was answered.
    answered : ndarray of int16
        Items answered, or settled by a closed gate.
    low, high : ndarray of float64
        The lowest and highest score that the unanswered items allow; NaN where nothing was
        answered.
    category, category_low, category_high : ndarray of int8
        Places in the categories of the scale; −1 for none. The category is withheld where the
        bounds fall into different ones.
    estimated : ndarray of bool
        Where the score rests on something else than answers.
    bottom, top : ndarray of float64
        Like `low` and `high`, and also given where nothing was answered; for rules.
    standard_error : ndarray of float64 or None
        Of the score, on its metric; None where the scale has no item response model.
    """

    score: NDArray[np.float64]
    answered: NDArray[np.int16]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    category: NDArray[np.int8]
    category_low: NDArray[np.int8]
    category_high: NDArray[np.int8]
    estimated: NDArray[np.bool_]
    bottom: NDArray[np.float64]
    top: NDArray[np.float64]
    standard_error: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"<ScaleStates: {len(self)} states>"

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.score)

    def and_none(self) -> ScaleStates:
        """Return the same states and, as the last, that of a pupil without a form."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(
            self,
            **{
                name: np.append(values, nothing_like(values))
                for name, values in arrays.items()
                if values is not None
            },
        )


def join_states(parts: Sequence[ScaleStates]) -> ScaleStates:
    """Return the states of several, one after the other."""
    arrays: dict[str, Any] = {}
    for one in fields(ScaleStates):
        some = [getattr(part, one.name) for part in parts]
        arrays[one.name] = None if some[0] is None else np.concatenate(some)
    return ScaleStates(**arrays)


def nothing_like(values: NDArray[Any]) -> NDArray[Any]:
    """Return what stands in an array for a pupil without a form; shape (1,).

    A float is NaN, an object None, a count (int16) 0, a place −1, and a truth value false.
    """
    nothing: Any = {"f": np.nan, "O": None, "b": False}.get(values.dtype.kind, -1)
    return np.array([0 if values.dtype == np.int16 else nothing], dtype=values.dtype)


@dataclass(frozen=True, eq=False)
class Encoding:
    """How the state of a scale is found: by adding up a number for each of its parts.

    Attributes
    ----------
    code : SumCode
        What the numbers and their sums stand for.
    tables : tuple of ndarray of unsigned integers
        By item, a number by response code, shape (256,); or, for a sum of scales, by component,
        a number by its state.
    states : ScaleStates
        By sum of the numbers. Where no form can be, the state says that nothing was answered.
    """

    code: SumCode
    tables: tuple[NDArray[np.unsignedinteger], ...]
    states: ScaleStates


def encode_tables(tables: Iterable[NDArray[np.int64]], most: int) -> CodedItems | None:
    """Give the response codes of some items numbers; None if there are too many sums.

    Parameters
    ----------
    tables : iterable of ndarray of int64, each of shape (256,)
        Packed counters by response code.
    most : int
        How many sums there may be.
    """
    seen: dict[bytes, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    found = []
    for table in tables:
        key = table.tobytes()
        if key not in seen:
            packed, vector = np.unique(table, return_inverse=True)
            one = unpack(packed)
            is_open, unknown = 1 - one.answered, 1 - one.known
            # From the lowest score and the open items mostly follows the rest.
            parts = (one.low, is_open, one.high - one.low, one.low - one.value, unknown)
            seen[key] = np.stack(parts, axis=1), vector
        found.append(seen[key])
    code = encode_sums([vectors for vectors, _ in found], most)
    if code is None:
        return None
    kind = smallest_type(len(code.sums))
    numbers = [
        one[vector].astype(kind) for one, (_, vector) in zip(code.numbers, found, strict=True)
    ]
    return CodedItems(code, tuple(numbers))


class CodedItems(NamedTuple):
    """Numbers of items: what they stand for, and by item the number of each response code."""

    code: SumCode
    tables: tuple[NDArray[np.unsignedinteger], ...]


def _encode_items(scale: ScalePlan) -> Encoding | None:
    """Encode a scale whose items add up; None for one that cannot be, or not in few states."""
    if scale.combine not in _ADDITIVE or not len(scale.rows):
        return None
    coded = encode_tables(scale.tables, MOST_STATES)
    if coded is None:
        return None
    sums = coded.code.sums.copy()
    sums[~coded.code.reachable] = sums[sum(int(table[-1]) for table in coded.tables)]
    low, is_open, span, open_low, unknown = sums.T
    items = len(scale.rows)
    counters = Counters(low - open_low, low, low + span, items - is_open, items - unknown)
    return Encoding(*coded, count_states(scale, counters))


def encode_parts(scale: ScalePlan, parts: Sequence[Encoding | None]) -> Encoding | None:
    """Encode a sum of scales; None where a component cannot be, or its scores are no integers.

    A component without a score takes away that of the sum: it counts for more than all the
    others could add.
    """
    states = [part.states for part in parts if part is not None]
    if len(states) < len(parts) or len(scale.rows) or not all(map(_is_whole, states)):
        return None
    above = [one.score - one.bottom for one in states]
    lowest = [np.nanmin(one, initial=0) for one in above]
    none = 1 + sum(np.nanmax(one, initial=0) - low for one, low in zip(above, lowest, strict=True))
    vectors = [
        np.stack(
            [
                one.bottom,
                one.answered.max() - one.answered,
                one.top,
                np.where(np.isnan(more), none, more - low),
            ],
            axis=1,
        ).astype(np.int64)
        for one, more, low in zip(states, above, lowest, strict=True)
    ]
    code = encode_sums(vectors, MOST_STATES)
    if code is None:
        return None
    items = sum(int(one.answered.max()) for one in states)
    sums = code.sums.copy()
    sums[~code.reachable] = [
        sum(int(one[np.argmin(s.answered), place]) for one, s in zip(vectors, states, strict=True))
        for place in range(sums.shape[1])
    ]
    bottom, is_open, top, more = sums.T.astype(np.float64)
    score = np.where(more >= none, np.nan, bottom + more + sum(lowest))
    answered = items - sums[:, 1]
    raw = Raw(score, answered, bottom, top, ~np.isnan(score) & (is_open > 0))
    kind = smallest_type(len(sums))
    tables = tuple(one.astype(kind) for one in code.numbers)
    return Encoding(code, tables, finish(scale, raw))


def _is_whole(states: ScaleStates) -> bool:
    """Return whether scores are whole numbers, and estimated just where an item is open."""
    scored = ~np.isnan(states.score)
    numbers = np.concatenate([states.bottom, states.top, states.score[scored]])
    is_open = states.answered < states.answered.max(initial=0)
    return bool(
        (np.rint(numbers) == numbers).all() and (states.estimated == (scored & is_open)).all()
    )


class Raw(NamedTuple):
    """What a combiner gives, before transform and rounding; see `ScaleStates`."""

    score: NDArray[np.float64]
    answered: NDArray[np.int64]
    bottom: NDArray[np.float64]
    top: NDArray[np.float64]
    estimated: NDArray[np.bool_]
    standard_error: NDArray[np.float64] | None = None


def count_states(scale: ScalePlan, counters: Counters) -> ScaleStates:
    """Return what counters of a scale are worth."""
    if scale.irt is not None:
        return finish(scale, _score_of_sum(scale, scale.irt, counters))
    return finish(scale, _combine(scale, counters))


def finish(scale: ScalePlan, raw: Raw) -> ScaleStates:
    """Put raw scores on the metric of the scale, round them, and find their categories."""
    score, bottom, top = (
        _round(scale, _transform(scale.transform, values))
        for values in (raw.score, raw.bottom, raw.top)
    )
    nothing = raw.answered == 0
    low = np.where(nothing, np.nan, bottom)
    high = np.where(nothing, np.nan, top)
    if scale.categories:
        category, category_low, category_high = (
            categorise(values, scale.cuts, upwards=scale.upwards) for values in (score, low, high)
        )
        category = np.where(category_low == category_high, category, -1).astype(np.int8)
    else:
        category = category_low = category_high = np.full(len(score), -1, dtype=np.int8)
    return ScaleStates(
        score,
        raw.answered.astype(np.int16),
        low,
        high,
        category,
        category_low,
        category_high,
        raw.estimated,
        bottom,
        top,
        raw.standard_error,
    )


def _combine(scale: ScalePlan, counters: Counters) -> Raw:
    number = float(scale.n_items)
    value = counters.value.astype(np.float64)
    bottom = counters.low.astype(np.float64)
    top = counters.high.astype(np.float64)
    full = counters.known == scale.n_items
    enough = (counters.known >= scale.min_answered) & (counters.answered > 0)
    if scale.combine in ("sum", "count", "weighted_sum"):
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(full, value, value * number / counters.known)
    elif scale.combine == "mean":
        with np.errstate(divide="ignore", invalid="ignore"):
            score = value / counters.known
        bottom, top = bottom / number, top / number
    else:
        score = value
    score = np.where(enough, score, np.nan)
    estimated = enough & (counters.answered < scale.n_items)
    return Raw(score, counters.answered, bottom, top, estimated)


def _score_of_sum(scale: ScalePlan, model: IrtPlan, counters: Counters) -> Raw:
    """Look up the score of an item response model by the sum of the answers."""
    enough = (counters.known >= scale.min_answered) & (counters.answered > 0)
    value, bottom, top = (
        look_up(part.astype(np.float64), model.first, model.values)
        for part in (counters.value, counters.low, counters.high)
    )
    error = look_up(counters.value.astype(np.float64), model.first, model.errors)
    return Raw(
        np.where(enough, value, np.nan),
        counters.answered,
        bottom,
        top,
        enough & (counters.answered < scale.n_items),
        np.where(enough, error, np.nan),
    )


def _transform(transform: TransformPlan | None, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    if transform is None:
        return raw
    if transform.values is not None:
        return look_up(raw, transform.first, transform.values)
    if transform.multiply is not None:
        return raw * transform.multiply
    return rescale(raw, transform.from_, transform.onto)


def _round(scale: ScalePlan, score: NDArray[np.float64]) -> NDArray[np.float64]:
    if scale.rounding == "none":
        return score
    return round_down(score) if scale.rounding == "down" else round_half_up(score)
