"""Texts side by side in memory, as they came in: one becomes a Python string only when asked for.

A million references are compared, hashed and joined as arrays of words; see
`mhscreen.kernels.directory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["WORD", "Texts"]

WORD = 8
"""Bytes of a word."""

_FIRST_BYTES = np.array([(1 << 8 * n) - 1 for n in range(WORD + 1)], dtype=np.uint64)
_SPACE, _PLUS, _NOT_ASCII = 32, 43, 128


@dataclass(frozen=True, eq=False, repr=False)
class Texts(Sequence[str]):
    """Texts in UTF-8, one after the other.

    Attributes
    ----------
    starts : ndarray of int64, shape (texts + 1,)
        Where each begins, the first at 0, and where the last one ends.
    data : ndarray of uint8
        Their bytes.

    Examples
    --------
    >>> texts = Texts.of(["A1", "", "三班"])
    >>> len(texts), texts[2], texts.take(np.array([2, 0])).strings()
    (3, '三班', ['三班', 'A1'])
    """

    starts: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Put strings side by side."""
        pieces = [text.encode() for text in texts]
        starts = np.zeros(len(pieces) + 1, dtype=np.int64)
        np.cumsum([len(piece) for piece in pieces], out=starts[1:])
        return cls(starts, np.frombuffer(b"".join(pieces), dtype=np.uint8))

    def __repr__(self) -> str:
        return f"<Texts: {len(self)}>"

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.starts) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return one as a string, or some."""
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place]
        return self.data[self.starts[place] : self.starts[place + 1]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        """Iterate over them as strings."""
        return iter(self.strings())

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The bytes of each."""
        return np.diff(self.starts)

    def strings(self) -> list[str]:
        """Return all as strings."""
        apart = np.zeros(len(self.data) + len(self), dtype=np.uint8)
        is_text = np.ones(len(apart), dtype=bool)
        is_text[self.starts[1:] + np.arange(len(self))] = False
        apart[is_text] = self.data
        found = apart.tobytes().decode().split("\0")[:-1]
        return found if len(found) == len(self) else self[:]  # one may hold that mark itself

    def take(self, places: NDArray[Any]) -> Texts:
        """Return some of them."""
        lengths = self.lengths[places]
        starts = np.zeros(len(places) + 1, dtype=np.int64)
        np.cumsum(lengths, out=starts[1:])
        shift = np.repeat(self.starts[:-1][places] - starts[:-1], lengths)
        return Texts(starts, self.data[shift + np.arange(starts[-1])])

    @classmethod
    def together(cls, parts: Sequence[Texts]) -> Texts:
        """Put the texts of several one after the other."""
        starts = np.zeros(sum(map(len, parts)) + 1, dtype=np.int64)
        np.cumsum(np.concatenate([part.lengths for part in parts]), out=starts[1:])
        return cls(starts, np.concatenate([part.data for part in parts]))

    def equals(self, others: Texts) -> bool:
        """Return whether the others are the same, one by one."""
        return np.array_equal(self.starts, others.starts) and np.array_equal(self.data, others.data)

    def begin_with(self, text: str) -> NDArray[np.bool_]:
        """Return which begin with a text."""
        start = np.frombuffer(text.encode(), dtype=np.uint8)
        begin = self.lengths >= len(start)
        for offset, byte in enumerate(start.tolist()):
            rows = np.flatnonzero(begin)
            if not len(rows):
                break
            begin[rows] = self.data[self.starts[:-1][rows] + offset] == byte
        return np.asarray(begin)

    def is_plain(self) -> NDArray[np.bool_]:
        """Return which are not empty, all ASCII, without blanks around them and without a plus."""
        plain = self.lengths > 0
        lowest, highest = self.data.min(initial=_NOT_ASCII), self.data.max(initial=0)
        if lowest > _PLUS and highest < _NOT_ASCII:
            return plain
        odd = (self.data >= _NOT_ASCII) | (self.data == _PLUS) | (self.data == 0)
        if odd.any():
            plain[np.searchsorted(self.starts, np.flatnonzero(odd), side="right") - 1] = False
        ends = np.append(self.data, np.uint8(0))
        plain &= ends[self.starts[:-1]] > _SPACE
        plain &= ends[self.starts[1:] - 1] > _SPACE
        return plain

    def _width(self) -> int:
        """Return how long all of them are; 0 where they differ."""
        shortest = int(self.lengths.min(initial=len(self.data)))
        return shortest if shortest == self.lengths.max(initial=0) else 0

    def words(self, number: int) -> NDArray[np.uint64]:
        """Return the first bytes of each as numbers, filled up with zeros; shape (number, texts).

        Two texts without a zero byte, of at most so many words, are equal where these are.
        """
        width = self._width()
        if 0 < width <= number * WORD:
            block = np.zeros((len(self), number * WORD), dtype=np.uint8)
            block[:, :width] = self.data.reshape(len(self), width)
            side_by_side = block.view("<u8")
            words = np.empty((number, len(self)), dtype=np.uint64)
            for place, word in enumerate(words):
                word[:] = side_by_side[:, place]
            return words
        padded = np.append(self.data, np.zeros(number * WORD, dtype=np.uint8))
        anywhere = np.ndarray(len(padded) - WORD + 1, "<u8", padded.data, strides=(1,))
        lengths = self.lengths
        shortest = int(lengths.min()) if len(lengths) else 0
        words = np.empty((number, len(self)), dtype=np.uint64)
        for place in range(number):
            words[place] = anywhere[self.starts[:-1] + place * WORD]
            left = lengths - place * WORD
            if shortest < (place + 1) * WORD:
                words[place] &= _FIRST_BYTES[np.clip(left, 0, WORD)]
        return words
