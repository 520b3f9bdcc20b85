"""How the states of all scales of a form are found in one pass over its answers.

The answers to a few items add up in one byte. A scale of more items, or of other scales, is a
sum of such bytes, each looked up; and scales that share items share the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.kernels.byte_sums import Carry, compile_byte_sum, find_carry
from mhscreen.kernels.flat_sums import compile_flat_sums
from mhscreen.plan.scales import encode_parts, encode_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.kernels.byte_sums import ByteSum
    from mhscreen.kernels.flat_sums import FlatSums
    from mhscreen.plan.scales import CodedItems, Encoding, ScalePlan, ScaleStates

__all__ = ["CodedScale", "FormCoding", "LookUp", "compile_coding"]

_BYTES = 256


class LookUp(NamedTuple):
    """A column that is a sum over others: which, and what is added for each of their values."""

    columns: tuple[int, ...]
    tables: tuple[NDArray[np.unsignedinteger] | Carry, ...]
    type: np.dtype[np.unsignedinteger]


class CodedScale(NamedTuple):
    """A scale with states: in which column they stand, and what they are worth."""

    column: int
    states: ScaleStates


@dataclass(frozen=True, eq=False)
class FormCoding:
    """The columns that are worked out one after the other, and the scales that stand in some.

    Attributes
    ----------
    sums : tuple of ByteSum
        The first columns, of one byte per form.
    look_ups : dict of int to LookUp
        By column, the others, each from columns before it.
    scales : mapping of int to CodedScale
        By place in the form.
    flat : FlatSums
        By column, the scales that are made of items: another way for few forms.
    """

    sums: tuple[ByteSum, ...]
    look_ups: Mapping[int, LookUp]
    scales: Mapping[int, CodedScale]
    flat: FlatSums

    @cached_property
    def constants(self) -> frozenset[int]:
        """The bytes of which the sums need a row."""
        return frozenset[int]().union(*(one.constants for one in self.sums))

    @cached_property
    def kept(self) -> Mapping[int, np.dtype[np.unsignedinteger]]:
        """The columns that are states, with the type of each."""
        one_byte: np.dtype[np.unsignedinteger] = np.dtype(np.uint8)
        wide = {column: one.type for column, one in self.look_ups.items()}
        return {one.column: wide.get(one.column, one_byte) for one in self.scales.values()}


def compile_coding(scales: Sequence[ScalePlan], options: Sequence[int]) -> FormCoding:
    """Find how the states of the scales of a form are best found.

    Parameters
    ----------
    scales : sequence of ScalePlan
        All scales of the form.
    options : sequence of int
        By row of the response codes, how many options the item has.
    """
    groups: list[_Group] = []
    parts: dict[int, list[int]] = {}
    # Short scales first: long ones are made of them.
    for place in sorted(range(len(scales)), key=lambda place: len(scales[place].rows)):
        encoding = scales[place].encoding
        found = None if encoding is None else _find_parts(scales[place], encoding, groups)
        if found is not None:
            parts[place] = found
    sums = [
        compile_byte_sum(list(one.items), [options[row] for row in one.items], one.coded.tables)
        for one in groups
    ]
    look_ups: dict[int, LookUp] = {}
    coded: dict[int, CodedScale] = {}
    encodings = {place: scales[place].encoding for place in parts}
    for place, scale in enumerate(scales):
        if scale.combine == "sum_of_scales":
            encodings[place] = encode_parts(scale, [encodings.get(p) for p in scale.components])
        encoding = encodings.get(place)
        if encoding is None:
            continue
        column = len(sums) + len(look_ups)
        kind = encoding.tables[0].dtype
        if scale.combine == "sum_of_scales":
            columns = tuple(coded[part].column for part in scale.components)
            look_ups[column] = LookUp(columns, encoding.tables, kind)
        elif len(encoding.states) > _BYTES:
            tables = _part_tables(scale, encoding, [groups[part] for part in parts[place]])
            look_ups[column] = LookUp(tuple(parts[place]), tables, kind)
        else:
            column = parts[place][0]
        coded[place] = CodedScale(column, encoding.states)
    flat = {
        coded[place].column: (scales[place].rows.tolist(), encoding.tables)
        for place, encoding in encodings.items()
        if place in parts and encoding is not None
    }
    return FormCoding(tuple(sums), look_ups, coded, compile_flat_sums(flat))


class _Group(NamedTuple):
    """Items whose numbers add up in one byte; by row, the counters of each as bytes."""

    items: dict[int, bytes]
    coded: CodedItems


def _find_parts(scale: ScalePlan, encoding: Encoding, groups: list[_Group]) -> list[int] | None:
    """Return the places of the groups that a scale is made of; new ones are added.

    None where a single item has more states than a byte.
    """
    left = {
        row: table.tobytes() for row, table in zip(scale.rows.tolist(), scale.tables, strict=True)
    }
    whole = len(encoding.states) <= _BYTES
    found = []
    for place in sorted(range(len(groups)), key=lambda place: -len(groups[place].items)):
        items = groups[place].items
        if items == left or (not whole and items.items() <= left.items()):
            found.append(place)
            left = {row: table for row, table in left.items() if row not in items}
    more = _group(left)
    if more is None:
        return None
    groups += more
    return [*found, *range(len(groups) - len(more), len(groups))]


def _group(items: dict[int, bytes]) -> list[_Group] | None:
    """Part items into as few groups as there must be; None where one alone is too much."""
    rows = list(items)
    for number in range(1, len(rows) + 1):
        found = []
        for part in np.array_split(rows, number):
            own = {row: items[row] for row in part.tolist()}
            tables = [np.frombuffer(table, dtype=np.int64) for table in own.values()]
            coded = encode_tables(tables, _BYTES)
            if coded is not None:
                found.append(_Group(own, coded))
        if len(found) == number:
            return found
    return None if rows else []


def _part_tables(
    scale: ScalePlan, encoding: Encoding, groups: Sequence[_Group]
) -> tuple[NDArray[np.unsignedinteger] | Carry, ...]:
    """Return what each value of each group adds to the state of a scale."""
    rows = scale.rows.tolist()
    tables: list[NDArray[np.unsignedinteger] | Carry] = []
    for group in groups:
        code = group.coded.code
        numbers = encoding.code.numbers_of(code.sums, [rows.index(row) for row in group.items])
        carry = find_carry(numbers, int(code.weights.max()))
        numbers[~code.reachable] = 0
        tables.append(carry or numbers.astype(encoding.tables[0].dtype))
    return tuple(tables)
