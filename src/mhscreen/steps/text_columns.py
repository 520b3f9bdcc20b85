"""Columns of text: what rows have in common is made once, and rows are put together last.

A column is bytes for all rows alike, `Texts` where rows share their texts, or `OwnTexts` where
every row has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = [
    "OwnTexts",
    "Part",
    "Places",
    "Texts",
    "distinct_rows",
    "distinct_values",
    "join_rows",
    "json_object",
    "spread",
    "true_names",
]

_FEW = 64  # joined texts that are always worth making
_MANY = 1 << 12  # numbers of which some may be unused
_SHARE = 8  # joined texts are made once where there are this many times fewer than rows


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of which many rows have the same text.

    Attributes
    ----------
    distinct : sequence of bytes
        The texts.
    place : ndarray of int64, shape (rows,)
        Which of them stands in each row.
    """

    distinct: Sequence[bytes]
    place: NDArray[np.int64]

    def rows(self) -> list[bytes]:
        """Return the text of each row."""
        texts: list[bytes] = np.array(self.distinct, dtype=object)[self.place].tolist()
        return texts


@dataclass(frozen=True, eq=False)
class OwnTexts:
    """A column in which every row has a text of its own.

    Attributes
    ----------
    texts : list of bytes
        By row.
    """

    texts: list[bytes]

    def rows(self) -> list[bytes]:
        """Return the text of each row."""
        return self.texts


Part = bytes | Texts | OwnTexts
"""A column; bytes are the same in all rows."""


@dataclass(frozen=True, eq=False)
class Places:
    """Which rows are the same.

    Attributes
    ----------
    place : ndarray of int64, shape (rows,)
        Equal where rows are the same; from 0 on without a gap.
    first : ndarray of int64
        By place, a row that stands for all of them.
    """

    place: NDArray[np.int64]
    first: NDArray[np.int64]

    def texts(self, write: Callable[[int], bytes]) -> Texts:
        """Return a column from the text of one row each."""
        return Texts([write(row) for row in self.first.tolist()], self.place)


def distinct_rows(columns: Iterable[NDArray[Any]], rows: int) -> Places:
    """Find the rows that are the same in all of some columns.

    Parameters
    ----------
    columns : iterable of ndarray, shape (rows,)
        Numbers, truth values or times; NaN is the same as NaN.

    Examples
    --------
    >>> distinct_rows([np.array([7, 7, 9]), np.array([0.5, 0.5, np.nan])], rows=3).place
    array([0, 0, 1])
    """
    same = _Same(rows)
    for column in columns:
        same.narrow(*_numbered(column))
    return same.places()


class _Same:
    """Rows that are the same in all columns so far, numbered from 0 on; a number may be unused."""

    def __init__(self, rows: int) -> None:
        self.place, self.size = np.zeros(rows, dtype=np.int64), 1

    def narrow(self, values: NDArray[np.int64], number: int) -> None:
        """Tell rows apart by a column of whole numbers from 0 to below another."""
        if number > 1:
            if self.size * number > _MANY:
                self._use_all()
            self.place = self.place * number + values
            self.size *= number

    def may_narrow(self, number: int, most: int) -> bool:
        """Whether a column of so many values surely leaves no more rows that differ."""
        if self.size * number > most:
            self._use_all()
        return self.size * number <= most

    def places(self) -> Places:
        """Return which rows are the same."""
        self._use_all()
        first = np.empty(self.size, dtype=np.int64)
        first[self.place[::-1]] = np.arange(len(self.place))[::-1]
        return Places(self.place, first)

    def _use_all(self) -> None:
        """Give numbers anew, so that none is unused."""
        if self.size > max(_MANY, 4 * len(self.place)):
            values, self.place = np.unique(self.place, return_inverse=True)
            self.size = len(values)
        else:
            used = np.bincount(self.place, minlength=self.size) > 0
            number = int(np.count_nonzero(used))
            if number < self.size:
                self.place, self.size = (np.cumsum(used) - 1)[self.place], number


def _numbered(column: NDArray[Any]) -> tuple[NDArray[np.int64], int]:
    """Return whole numbers from 0 on for the values of a column, and how many there may be."""
    if column.dtype.kind == "b":
        return column.astype(np.int64), 2
    if column.dtype.kind in "ui" and len(column):
        lowest, highest = int(column.min()), int(column.max())
        if highest - lowest <= max(_FEW, len(column)):
            return column.astype(np.int64) - lowest, highest - lowest + 1
    if column.dtype.kind == "f":
        column = column.view(f"i{column.itemsize}")  # minus zero is written otherwise
    values, place = np.unique(column, return_inverse=True)
    return place, len(values)


def distinct_values(values: Iterable[Hashable], write: Callable[[Any], bytes]) -> Texts:
    """Return the texts of values of one kind, each made once."""
    numbers = _Numbers()
    place = np.array(list(map(numbers.__getitem__, values)), dtype=np.int64)
    return Texts(list(map(write, numbers)), place)


class _Numbers(dict[Any, int]):
    """Values, numbered as they come."""

    def __missing__(self, value: Any) -> int:
        number = self[value] = len(self)
        return number


def true_names(names: Sequence[bytes], columns: Iterable[NDArray[np.bool_]], rows: int) -> Texts:
    """Return, as a JSON list, the names of the columns that are true in each row.

    Examples
    --------
    >>> true_names([b'"a"', b'"b"'], np.array([[True, False], [True, True]]), 2).rows()
    [b'["a","b"]', b'["b"]']
    """
    given = list(columns)

    def write(row: int) -> bytes:
        return b",".join(name for name, where in zip(names, given, strict=True) if where[row])

    same = distinct_rows(given, rows)
    return same.texts(lambda row: b"[%b]" % write(row))


def json_object(fields: Mapping[str, Part | Sequence[Part]]) -> list[Part]:
    """Return the columns of JSON objects from those of their fields, put in canonical order.

    Examples
    --------
    >>> parts = json_object({"b": b"1", "a": [b"[", Texts([b"2", b"3"], np.array([1, 0])), b"]"]})
    >>> list(join_rows(parts, 2))
    [b'{"a":[3],"b":1}', b'{"a":[2],"b":1}']
    """
    parts: list[Part] = [b"{"]
    for name in sorted(fields):
        value = fields[name]
        parts.append(b'%b"%b":' % (b"," if len(parts) > 1 else b"", name.encode()))
        parts.extend([value] if isinstance(value, bytes | Texts | OwnTexts) else value)
    return [*parts, b"}"]


def join_rows(parts: Iterable[Part], rows: int) -> Iterator[bytes]:
    """Iterate over the rows, each the join of its columns.

    Neighbours that have few texts together are joined first, once for each.
    """
    return _join([_texts(part, rows) for part in _joined_where_few(parts, rows)])


def _texts(part: Part, rows: int) -> Iterable[bytes]:
    return repeat(part, rows) if isinstance(part, bytes) else part.rows()


def _join(columns: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    return map(b"".join, zip(*columns, strict=True))


def spread(parts: Iterable[Part], at: NDArray[np.int64], rows: int) -> Iterator[Part]:
    """Yield columns of some rows as columns of all, empty in the others.

    Parameters
    ----------
    parts : iterable of Part
        The columns.
    at : ndarray of int64
        The rows that they are of.
    rows : int
        How many rows there are.
    """
    if not len(at):
        return
    for part in _joined_where_few(parts, len(at)):
        texts = (
            Texts([part], np.zeros(len(at), dtype=np.int64)) if isinstance(part, bytes) else part
        )
        if isinstance(texts, OwnTexts):
            own = np.full(rows, b"", dtype=object)
            own[at] = texts.texts
            yield OwnTexts(own.tolist())
        else:
            place = np.zeros(rows, dtype=np.int64)
            place[at] = texts.place + 1
            yield Texts([b"", *texts.distinct], place)


def _joined_where_few(parts: Iterable[Part], rows: int) -> Iterator[Part]:
    most = max(_FEW, rows // _SHARE)
    group = _Group(rows)
    for part in parts:
        if isinstance(part, OwnTexts) or (isinstance(part, Texts) and len(part.distinct) > most):
            yield from group.join()
            group = _Group(rows)
            yield part
        elif not group.add(part, most):
            yield from group.join()
            group = _Group(rows)
            group.add(part, most)
    yield from group.join()


class _Group:
    """Neighbouring columns that are joined into one."""

    def __init__(self, rows: int) -> None:
        self._parts: list[bytes | Texts] = []
        self._same = _Same(rows)

    def add(self, part: bytes | Texts, most: int) -> bool:
        """Take in a column unless more texts than those would come of it."""
        if isinstance(part, Texts):
            number = len(part.distinct)
            if not self._same.may_narrow(number, most):
                return False
            self._same.narrow(part.place, number)
        self._parts.append(part)
        return True

    def join(self) -> Iterator[Part]:
        if any(isinstance(part, Texts) for part in self._parts):
            same = self._same.places()
            at_first = [
                part if isinstance(part, bytes) else Texts(part.distinct, part.place[same.first])
                for part in self._parts
            ]
            texts = list(_join(_texts(part, len(same.first)) for part in at_first))
            yield Texts(texts, same.place)
        elif self._parts:
            yield b"".join(_join(_texts(part, 1) for part in self._parts))
