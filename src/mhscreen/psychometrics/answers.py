"""Answers on their way into an analysis: items by forms, one byte each where they fit.

Every analysis begins with `as_answers`. Nothing is imputed and no form is dropped here: what
happens to blanks is said in the call of the analysis (`missing`) and again in its result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mhscreen.problems import AnalysisError, ProblemLog, UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BLANK",
    "Answers",
    "MissingPolicy",
    "as_answers",
    "check_missing",
    "check_weights",
    "columns_of",
]

MissingPolicy = Literal["complete", "pairwise", "available"]
"""What an analysis does with blanks.

``"complete"`` reads the forms on which every item is answered. ``"pairwise"`` takes each mean,
variance and correlation from the forms that answer the items it needs. ``"available"`` takes
every answered item of every form (a likelihood over what is there). None of them is right where
the blanks depend on what would have been answered.
"""

BLANK = np.int8(-128)
"""What stands for no answer among one-byte answers."""

_LARGEST = 127  # of one byte


@dataclass(frozen=True, eq=False, repr=False)
class Answers:
    """Numeric answers to items, blanks included.

    Attributes
    ----------
    items : tuple of str
        The items, in the order of the rows of `cells`.
    cells : ndarray, shape (items, forms)
        int8 with `BLANK` for no answer where all answers are small whole numbers; float64 with
        NaN for no answer elsewhere. Not to be written to.
    weights : ndarray of float64, shape (forms,), or None
        One non-negative weight per form; None where all forms count alike.
    """

    items: tuple[str, ...]
    cells: NDArray[Any]
    weights: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        """Return the size, and no answer."""
        return f"<Answers: {len(self.items)} items, {self.forms} forms>"

    @property
    def forms(self) -> int:
        """The number of forms, blank ones included."""
        return int(self.cells.shape[1])

    @property
    def is_whole(self) -> bool:
        """Whether the answers are small whole numbers, in one byte each."""
        return self.cells.dtype == np.int8

    @property
    def any_blank(self) -> bool:
        """Whether an answer is missing."""
        if not self.cells.size:
            return False
        if self.is_whole:
            return bool(self.cells.min() == BLANK)
        return bool(np.isnan(self.cells).any())

    def answered(self) -> NDArray[np.bool_]:
        """Return where there is an answer, shape (items, forms)."""
        return np.asarray(self.cells != BLANK if self.is_whole else ~np.isnan(self.cells))

    def complete(self) -> NDArray[np.bool_]:
        """Return which forms answer every item, shape (forms,)."""
        if not self.any_blank:
            return np.ones(self.forms, dtype=np.bool_)
        return np.asarray(self.answered().all(axis=0))

    def values(self) -> NDArray[np.float64]:
        """Return the answers as numbers, shape (forms, items), NaN where there is none."""
        numbers = self.cells.T.astype(np.float64)
        if self.is_whole:
            numbers[self.cells.T == BLANK] = np.nan
        return numbers

    def only(self, forms: NDArray[Any]) -> Answers:
        """Return some of the forms: a mask, or their places (repeated ones are repeated)."""
        weights = None if self.weights is None else self.weights[forms]
        return Answers(self.items, np.ascontiguousarray(self.cells[:, forms]), weights)

    def pick(self, items: Sequence[str]) -> Answers:
        """Return some of the items, in the order asked for."""
        unknown = [item for item in items if item not in self.items]
        if unknown:
            msg = f"no item {', '.join(unknown)}; there are {', '.join(self.items)}"
            raise UsageError(msg)
        places = [self.items.index(item) for item in items]
        return Answers(tuple(items), self.cells[places], self.weights)

    def categories(self) -> tuple[NDArray[np.float64], ...]:
        """Return the distinct answers to each item, ascending."""
        return self._categories

    @cached_property
    def _categories(self) -> tuple[NDArray[np.float64], ...]:
        if self.is_whole:
            counts = self._counts()
            return tuple(np.flatnonzero(row[1:]).astype(np.float64) - _LARGEST for row in counts)
        return tuple(np.unique(row[~np.isnan(row)]) for row in self.cells)

    def places(self) -> NDArray[np.int8]:
        """Return each answer as its place among the `categories` of its item, −1 for a blank.

        Raises
        ------
        AnalysisError
            With MH701, for an item of more than 100 categories: that is a measurement.
        """
        log = ProblemLog()
        found = np.full(self.cells.shape, -1, dtype=np.int8)
        for row, (item, known) in enumerate(zip(self.items, self.categories(), strict=True)):
            if len(known) > _MOST_CATEGORIES:
                log.add(
                    "MH701",
                    f"more than {_MOST_CATEGORIES} different answers",
                    path=item,
                    expected="an item with answer options",
                )
                continue
            cells = self.cells[row]
            if self.is_whole:
                table = np.full(256, -1, dtype=np.int8)
                table[known.astype(np.int8).view(np.uint8)] = np.arange(len(known))
                # Bytes are translated several times as fast as an array is indexed.
                moved = cells.tobytes().translate(table.tobytes())
                found[row] = np.frombuffer(moved, dtype=np.int8)
            else:
                there = ~np.isnan(cells)
                found[row, there] = np.searchsorted(known, cells[there])
        if log:
            raise AnalysisError(log)
        return found

    def _counts(self) -> NDArray[np.int64]:
        """Return how often each byte occurs in each item, shape (items, 256)."""
        shifted = self.cells.view(np.uint8) ^ np.uint8(128)  # BLANK becomes 0, −127 becomes 1
        return np.stack([np.bincount(row, minlength=256) for row in shifted])


_MOST_CATEGORIES = 100


def as_answers(
    answers: object,
    items: Sequence[str] | None = None,
    *,
    weights: str | ArrayLike | None = None,
    reverse: Sequence[str] = (),
    between: tuple[float, float] | None = None,
    blank: float | None = None,
) -> Answers:
    """Take in answers of any known kind.

    Parameters
    ----------
    answers : dataframe, mapping of columns, ndarray of shape (forms, items), or Answers
        pandas, Polars, or anything narwhals knows; None, NaN and pandas' NA are blanks. Columns
        hold numbers. An `Answers` is taken as it is, and `items` picks from it.
    items : sequence of str, optional
        The columns to take, in this order; all but the weights by default. Names for the columns
        of an ndarray (item_1, item_2, … by default).
    weights : str or array_like of shape (forms,), optional
        A column of the frame, or one non-negative number per form.
    reverse : sequence of str
        Items to turn round: lowest + highest − answer. Needs `between`.
    between : (float, float), optional
        The lowest and the highest answer there is. An answer outside is a problem.
    blank : float, optional
        A number that stands for no answer (−1 among one-byte answers, 99 in a file).

    Raises
    ------
    AnalysisError
        With MH701 for each column that holds something else than numbers or lies outside
        `between`, with MH711 for weights that are none.
    UsageError
        For columns that do not exist or occur twice, for another kind of object.

    Examples
    --------
    >>> taken = as_answers({"q1": [0, 3, None], "q2": [1, 2, 2]}, reverse=["q2"], between=(0, 3))
    >>> taken
    <Answers: 2 items, 3 forms>
    >>> taken.values()
    array([[ 0.,  2.],
           [ 3.,  1.],
           [nan,  1.]])
    """
    log = ProblemLog()
    if isinstance(answers, Answers):
        taken = answers if items is None else answers.pick(_names(items))
        names, cells = taken.items, taken.cells
        number = taken.weights if weights is None else weights
    else:
        names, cells, number = _take_in(answers, items, weights, log)
    if blank is not None:
        empty: Any = BLANK if cells.dtype == np.int8 else np.nan
        cells = np.where(cells == blank, empty, cells)
        if cells.dtype != np.int8:  # without the number for a blank, one byte may be enough
            cells = _packed(list(cells))
    if between is not None:
        _check_range(names, cells, between, log)
    if log:
        raise AnalysisError(log)
    cells = _turned(names, cells, _names(reverse), between)
    if isinstance(number, str):
        msg = "weights: a column can be named only of a frame"
        raise UsageError(msg)
    return Answers(names, cells, check_weights(number, cells.shape[1]))


def check_missing(missing: str, *allowed: str) -> None:
    """Check that a call names what is to happen with blanks.

    Raises
    ------
    UsageError
        If it is not one of `allowed`.
    """
    known = allowed or get_args(MissingPolicy)
    if missing not in known:
        msg = f"missing is {' or '.join(map(repr, known))} here, not {missing!r}"
        raise UsageError(msg)


def check_weights(weights: ArrayLike | None, forms: int) -> NDArray[np.float64] | None:
    """Return weights as numbers, or None.

    Raises
    ------
    UsageError
        If there is not one per form.
    AnalysisError
        With MH711 where one is missing or negative, or all are nought.
    """
    if weights is None:
        return None
    try:
        numbers = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = "weights: numbers are expected"
        raise UsageError(msg) from error
    if numbers.shape != (forms,):
        msg = f"weights: one per form is expected ({forms}), not the shape {numbers.shape}"
        raise UsageError(msg)
    bad = int(np.sum(~np.isfinite(numbers) | (numbers < 0)))
    if bad or not numbers.any():
        log = ProblemLog()
        log.add(
            "MH711",
            f"{bad} weights are missing or negative" if bad else "all weights are nought",
            path="weights",
            expected="a number of at least 0 for each form, not all of them 0",
            hint="a form without a weight is left out beforehand, by name",
        )
        raise AnalysisError(log)
    return numbers


# -- taking in ------------------------------------------------------------------------------------


def _names(items: Sequence[str]) -> tuple[str, ...]:
    """Return names, each once."""
    if isinstance(items, str):
        msg = "items: a list of names is expected, not one text"
        raise UsageError(msg)
    names = tuple(str(item) for item in items)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"named twice: {', '.join(twice)}"
        raise UsageError(msg)
    return names


def _take_in(
    answers: object, items: Sequence[str] | None, weights: Any, log: ProblemLog
) -> tuple[tuple[str, ...], NDArray[Any], Any]:
    """Return names, cells and weights of something that is not `Answers` yet."""
    if isinstance(answers, np.ndarray):
        if answers.ndim != 2:  # noqa: PLR2004 - forms by items
            msg = f"an array of forms by items is expected, not of {answers.ndim} dimensions"
            raise UsageError(msg)
        every = _names(items or [f"item_{place + 1}" for place in range(answers.shape[1])])
        if len(every) != answers.shape[1]:
            msg = f"{len(every)} names for {answers.shape[1]} columns"
            raise UsageError(msg)
        if answers.dtype == np.int8 and not (answers.size and answers.min() == BLANK):
            return every, np.ascontiguousarray(answers.T), weights
        columns = dict(zip(every, answers.T, strict=True))
    else:
        columns = columns_of(answers)
        if isinstance(weights, str):
            if weights not in columns:
                msg = f"weights: no column {weights!r}"
                raise UsageError(msg)
            column = columns.pop(weights)
            weights = _as_numbers(weights, column, log)
        every = tuple(columns) if items is None else _names(items)
        unknown = [name for name in every if name not in columns]
        if unknown:
            msg = f"no column {', '.join(unknown)}"
            raise UsageError(msg)
    if not every:
        msg = "there is no item"
        raise UsageError(msg)
    numbers = [_as_numbers(name, columns[name], log) for name in every]
    lengths = {len(column) for column in numbers}
    if len(lengths) > 1:
        msg = f"the columns differ in length: {sorted(lengths)}"
        raise UsageError(msg)
    return every, _packed(numbers), weights


def columns_of(frame: object) -> dict[str, Any]:
    """Return the columns of a frame or mapping by their headings.

    Raises
    ------
    UsageError
        For another kind of object, or a heading that occurs twice.
    """
    if isinstance(frame, Mapping):
        return {str(name): column for name, column in frame.items()}
    import narwhals.stable.v2 as nw
    from narwhals.exceptions import DuplicateError

    try:
        wrapped: Any = nw.from_native(frame, pass_through=True)
    except DuplicateError as error:
        msg = "two columns of the frame have the same heading"
        raise UsageError(msg) from error
    if isinstance(wrapped, nw.LazyFrame):
        wrapped = wrapped.collect()
    if not isinstance(wrapped, nw.DataFrame):
        kind = type(frame)
        msg = (
            f"{kind.__module__}.{kind.__qualname__} is not a frame, a mapping of columns or an "
            "array of forms by items"
        )
        raise UsageError(msg)
    return {str(name): wrapped[name] for name in wrapped.columns}


def _as_numbers(name: str, column: Any, log: ProblemLog) -> NDArray[Any]:
    """Return a column as integers, or as floats with NaN for a blank."""
    values = column if isinstance(column, np.ndarray | list | tuple) else _as_array(column)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
        numbers = values
    else:
        listed = [None if _is_blank(value) else value for value in values]
        if any(isinstance(value, str | bytes) for value in listed):
            log.add(
                "MH701",
                "text where numbers are expected",
                path=name,
                hint="score or recode it first; a heading that is no item is left out of 'items'",
            )
            return np.full(len(listed), np.nan)
        try:
            numbers = np.array(listed, dtype=np.float64)
        except (TypeError, ValueError):
            log.add("MH701", "something that is no number", path=name)
            return np.full(len(listed), np.nan)
    if numbers.dtype.kind == "f" and np.isinf(numbers).any():
        log.add("MH701", "infinity", path=name)
    return numbers


def _as_array(column: Any) -> Any:
    """Return a series as an array where it holds numbers, else as a list."""
    import narwhals.stable.v2 as nw

    series: Any = nw.from_native(column, series_only=True, pass_through=True)
    if not isinstance(series, nw.Series):
        return list(column)
    if not series.dtype.is_integer() and not series.dtype.is_float():
        return series.to_list()
    if series.null_count():
        series = series.cast(nw.Float64)
    return np.asarray(series.to_numpy())


def _is_blank(value: object) -> bool:
    """Whether a cell is None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _packed(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return cells of one byte where all columns fit, else of eight."""
    packed = np.empty((len(columns), len(columns[0])), dtype=np.int8)
    for row, column in zip(packed, columns, strict=True):
        blank = np.isnan(column) if column.dtype.kind == "f" else np.zeros(1, dtype=np.bool_)
        filled = np.where(blank, 0, column) if blank.any() else column
        fits = bool(((filled >= -_LARGEST) & (filled <= _LARGEST)).all())
        if not fits or not np.array_equal(filled, small := filled.astype(np.int8)):
            return np.array([np.asarray(one, dtype=np.float64) for one in columns])
        row[:] = np.where(blank, BLANK, small) if blank.any() else small
    return packed


def _check_range(
    names: Sequence[str], cells: NDArray[Any], between: tuple[float, float], log: ProblemLog
) -> None:
    low, high = between
    if not low < high:
        msg = f"between: a lower and a higher answer are expected, not {low:g} and {high:g}"
        raise UsageError(msg)
    for name, row in zip(names, cells, strict=True):
        there = row != BLANK if cells.dtype == np.int8 else ~np.isnan(row)
        outside = int(np.sum(there & ((row < low) | (row > high))))
        if outside:
            log.add(
                "MH701",
                f"{outside} answers outside the stated range",
                path=name,
                expected=f"{low:g} to {high:g}",
                hint="a code for no answer is named by 'blank'",
            )


def _turned(
    names: tuple[str, ...],
    cells: NDArray[Any],
    reverse: Sequence[str],
    between: tuple[float, float] | None,
) -> NDArray[Any]:
    """Return cells with some items turned round."""
    if not reverse:
        return cells
    unknown = [name for name in reverse if name not in names]
    if unknown:
        msg = f"reverse: no item {', '.join(unknown)}"
        raise UsageError(msg)
    if between is None:
        msg = "reverse needs 'between', the lowest and the highest answer"
        raise UsageError(msg)
    ends = sum(between)
    turned = cells.astype(np.float64)
    if cells.dtype == np.int8:
        turned[cells == BLANK] = np.nan
    for name in reverse:
        turned[names.index(name)] = ends - turned[names.index(name)]
    return _packed(list(turned)) if cells.dtype == np.int8 else turned
