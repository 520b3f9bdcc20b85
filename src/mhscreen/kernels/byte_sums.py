"""Sums of one byte per form, at nearly the speed of the memory.

Looking a number up costs ten times what adding two bytes does. Where the numbers of an item's
options rise or fall by one, and every blank has one number, no table is needed: whatever lies
above a limit becomes the limit, and the rest is added or subtracted, modulo 256. A reversed
item thereby costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.codes import FIRST_MISSING, FIRST_REASON
from mhscreen.kernels.lookup import gather

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

__all__ = [
    "ByteSum",
    "Carry",
    "add_bytes",
    "add_numbers",
    "compile_byte_sum",
    "constant_rows",
    "find_carry",
]

_BYTES = 256


@dataclass(frozen=True, eq=False)
class ByteSum:
    """How the numbers of some items are added up, modulo 256.

    Attributes
    ----------
    rising, falling : tuple of pairs of int
        Row and limit of the items whose response code is added or subtracted.
    offset : int
        What is added once.
    looked_up : tuple of pairs
        Row, and number by response code, of the items that need a table.
    """

    rising: tuple[tuple[int, int], ...]
    falling: tuple[tuple[int, int], ...]
    offset: int
    looked_up: tuple[tuple[int, Bytes], ...]

    @property
    def constants(self) -> frozenset[int]:
        """The bytes of which `add_bytes` needs a row."""
        return frozenset({self.offset, *(limit for _, limit in (*self.rising, *self.falling))})


def compile_byte_sum(
    rows: Sequence[int], options: Sequence[int], tables: Sequence[NDArray[np.unsignedinteger]]
) -> ByteSum:
    """Find how the numbers of some items are best added up.

    Parameters
    ----------
    rows : sequence of int
        The items, as rows of the response codes.
    options : sequence of int
        By item, how many options it has. Between these and the codes for no answer there are no
        response codes.
    tables : sequence of ndarray, each of shape (256,)
        By item, its number by response code; the sums are below 256.

    Examples
    --------
    >>> number = np.full(256, 11, dtype=np.uint8)  # of a blank
    >>> number[:3] = 2, 1, 0  # a reversed item
    >>> compile_byte_sum([7], [3], [number]).falling
    ((7, 247),)
    """
    rising: list[tuple[int, int]] = []
    falling: list[tuple[int, int]] = []
    looked_up: list[tuple[int, Bytes]] = []
    offset = 0
    for row, number, table in zip(rows, options, tables, strict=True):
        numbers = table.astype(np.int64)
        blank = int(numbers[-1])
        one_blank = (numbers[FIRST_MISSING:] == blank).all()
        places = np.arange(number)
        for sign, found in ((1, rising), (-1, falling)):
            start = int(numbers[0])
            limit = sign * (blank - start) % 256
            straight = (numbers[:number] == start + sign * places).all()
            if one_blank and straight and number <= limit <= FIRST_REASON:
                found.append((row, limit))
                offset += start
                break
        else:
            looked_up.append((row, table.astype(np.uint8)))
    return ByteSum(tuple(rising), tuple(falling), offset % 256, tuple(looked_up))


def constant_rows(values: frozenset[int], length: int) -> dict[int, Bytes]:
    """Return a row of each of some bytes: NumPy is slow where a row meets one number."""
    return {value: np.full(length, value, dtype=np.uint8) for value in values}


def add_bytes(
    one: ByteSum, rows: Sequence[Bytes], constants: Mapping[int, Bytes], out: Bytes, spare: Bytes
) -> None:
    """Add up the numbers of some items.

    Parameters
    ----------
    one : ByteSum
        How.
    rows : sequence of ndarray of uint8, each of shape (forms,)
        Response codes by row.
    constants : mapping of int to ndarray of uint8, each of shape (forms,)
        See `constant_rows`.
    out, spare : ndarray of uint8, shape (forms,)
        Where the sum goes, and a place to work in.
    """
    needed = one.offset or (one.falling and not one.rising)
    total = constants[one.offset] if needed else None
    for steps, add in ((one.rising, np.add), (one.falling, np.subtract)):
        for row, limit in steps:
            if total is None:
                np.minimum(rows[row], constants[limit], out=out)
            else:
                np.minimum(rows[row], constants[limit], out=spare)
                add(total, spare, out=out)
            total = out
    for row, table in one.looked_up:
        if total is None:
            gather(table, rows[row], out)
        else:
            gather(table, rows[row], spare)
            np.add(total, spare, out=out)
        total = out


@dataclass(frozen=True)
class Carry:
    """Instead of a table: the value itself, and so much more for each `base` in it.

    A number whose digits count in one base becomes that with the same digits in another:
    arithmetic does it in a third of the time that a table takes.
    """

    base: int
    more: int


def find_carry(table: NDArray[np.integer], base: int) -> Carry | None:
    """Return what does the same as a table; None if only the table does.

    Examples
    --------
    >>> find_carry(np.array([0, 1, 2, 10, 11, 12, 20]), 3)
    Carry(base=3, more=7)
    """
    values = np.arange(len(table))
    if base < len(table) <= _BYTES and table[base] >= base:
        more = int(table[base]) - base
        if (table == values + more * (values // base)).all():
            return Carry(base, more)
    return None


def add_numbers(
    tables: Sequence[NDArray[np.unsignedinteger] | Carry],
    parts: Sequence[NDArray[np.unsignedinteger]],
    out: NDArray[np.unsignedinteger],
    spare: NDArray[np.unsignedinteger],
) -> None:
    """Add up what each table says of each part.

    Parameters
    ----------
    tables : sequence of ndarray or Carry
        By part, a number by value.
    parts : sequence of ndarray, each of shape (forms,)
        The values.
    out, spare : ndarray, shape (forms,)
        Where the sum goes, and a place to work in; of the type of the tables.
    """
    for place, (table, part) in enumerate(zip(tables, parts, strict=True)):
        found = spare if place else out
        if isinstance(table, Carry):
            np.floor_divide(part, np.uint8(table.base), out=found)
            np.multiply(found, found.dtype.type(table.more), out=found)
            np.add(found, part, out=found)
        else:
            gather(table, part, found)
        if place:
            np.add(out, spare, out=out)
