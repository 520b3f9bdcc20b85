"""References: whose each row of a table is, and where that pupil stands on the roster."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.directory import Directory
from mhscreen.steps import cells
from mhscreen.steps.texts import WORD, Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.steps.tables import Column

__all__ = ["Names", "References", "parse_subject", "read_references"]

_LONGEST = 64
"""Bytes of a reference beyond which it is compared as a string."""


def parse_subject(cell: object) -> str | None:
    """Return a pupil's reference; only an empty cell is none: ``NA`` may be one.

    Raises
    ------
    ValueError
        If digits of a long number are lost.
    """
    if isinstance(cell, str) and cell.isascii() and "+" not in cell:
        return cell.strip() or None  # by far the usual case; no digits of it can be lost
    if isinstance(cell, str) and cells.is_blank(cell):
        return unicodedata.normalize("NFKC", cell).strip() or None
    return cells.parse_text(cell)


@dataclass(frozen=True, eq=False, repr=False)
class References:
    """Whose each row is.

    Attributes
    ----------
    texts : Texts
        The references; one may be there twice.
    index : ndarray of int32 or int8, shape (rows,)
        Which of them each row names; −1 for none.
    lost : ndarray of int64
        The rows whose reference has lost digits; they name none.
    """

    texts: Texts
    index: NDArray[np.int32] | NDArray[np.int8]
    lost: NDArray[np.int64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.index)

    @classmethod
    def none(cls, rows: int) -> References:
        """Return those of rows that do not say whose they are."""
        return cls(Texts.of(()), np.full(rows, -1, dtype=np.int32), np.empty(0, dtype=np.int64))

    def take(self, rows: NDArray[np.int64]) -> References:
        """Return those of some rows, which are not asked again what was lost."""
        return References(self.texts, self.index[rows], np.empty(0, dtype=np.int64))

    def __getitem__(self, row: int) -> str | None:
        """Return whose a row is."""
        place = int(self.index[row])
        return None if place < 0 else self.texts[place]

    def of_rows(self) -> Texts:
        """Return the reference of each row, where every row has one."""
        in_order = len(self.texts) == len(self) and np.array_equal(self.index, np.arange(len(self)))
        return self.texts if in_order else self.texts.take(self.index)

    @property
    def nobody(self) -> NDArray[np.int64]:
        """The rows that do not say whose they are."""
        return np.flatnonzero(self.index < 0)


def read_references(column: Column) -> References:
    """Read a column of references as `parse_subject` does, once per distinct value."""
    values = column.values
    if isinstance(values, Texts):
        texts, odd = values, np.flatnonzero(~values.is_plain()).tolist()
    else:
        texts, odd = Texts.of(()), list(range(len(values)))
    if not odd:
        return References(texts, column.index, np.empty(0, dtype=np.int64))
    # What is plain stands for itself; what is not is put behind it, as it is read.
    target = np.arange(len(values) + 1, dtype=np.int32)
    target[-1] = -1
    is_lost = np.zeros(len(target), dtype=bool)
    found: list[str] = []
    for place in odd:
        try:
            name = parse_subject(values[place])
        except (ValueError, OverflowError):
            name, is_lost[place] = None, True
        target[place] = -1 if name is None else len(texts) + len(found)
        found += [] if name is None else [name]
    return References(
        Texts.together([texts, Texts.of(found)]),
        target[column.index],
        np.flatnonzero(is_lost[column.index]),
    )


class Names:
    """Looks up references among known ones.

    Parameters
    ----------
    texts : Texts
        The known ones; one may be there several times.

    Attributes
    ----------
    first : ndarray of int64, shape (texts,)
        Where each is first.

    Examples
    --------
    >>> known = Names(Texts.of(["A1", "A2", "A1"]))
    >>> known.first.tolist(), known.find(Texts.of(["A2", "B"])).tolist()
    ([0, 1, 0], [1, -1])
    """

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        short = _is_short(texts, _LONGEST)
        self.first = np.arange(len(texts))
        self._strings: dict[str, int] = {}
        for place in np.flatnonzero(~short).tolist():
            self.first[place] = self._strings.setdefault(texts[place], place)
        self._rows = np.flatnonzero(short)
        kept = _some(texts, self._rows)
        self._words = -(-int(kept.lengths.max(initial=1)) // WORD)
        self._directory = Directory(kept.words(self._words))
        self.first[self._rows] = self._rows[self._directory.first]

    def find(self, texts: Texts) -> NDArray[np.int64]:
        """Return where each of some references is first; −1 for none."""
        if texts.equals(self.texts):
            return self.first
        short = _is_short(texts, self._words * WORD)
        rows = np.flatnonzero(short)
        found = self._directory.find(_some(texts, rows).words(self._words))
        places = np.full(len(texts), -1, dtype=np.int64)
        places[rows] = np.append(self._rows, -1)[found]
        if self._strings:
            for place in np.flatnonzero(~short).tolist():
                places[place] = self._strings.get(texts[place], -1)
        return places


def _is_short(texts: Texts, longest: int) -> NDArray[np.bool_]:
    """Return which are at most so many bytes long, none of them zero."""
    short = texts.lengths <= longest
    zeros = np.flatnonzero(texts.data == 0)
    short[np.searchsorted(texts.starts, zeros, side="right") - 1] = False
    return np.asarray(short)


def _some(texts: Texts, rows: NDArray[np.int64]) -> Texts:
    return texts if len(rows) == len(texts) else texts.take(rows)
