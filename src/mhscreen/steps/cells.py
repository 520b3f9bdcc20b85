"""What a cell means: texts, numbers, dates and terms, decided once per distinct value."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.steps.tables import Column, Table
    from mhscreen.vocabulary import Term

__all__ = [
    "Moment",
    "age_in_years",
    "column_name",
    "has_lost_digits",
    "heading_key",
    "is_blank",
    "local_moments",
    "map_column",
    "map_values",
    "moment",
    "parse_date",
    "parse_grade",
    "parse_moment",
    "parse_number",
    "parse_term",
    "parse_text",
]

Moment = dt.datetime | dt.date | str
"""When something is: a date, a time, or either as text."""

_BLANKS = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>", "."})
_HEADING = re.compile(r"[\s.\-]+")
_PLAIN_HEADINGS = frozenset({
    "id", "name", "student", "student_id", "student_name", "note", "notes", "remark", "total",
    "编号", "序号", "姓名", "学生姓名", "备注", "总分",
})  # fmt: skip
_DIGITS_KEPT = 1e15
_QUARTER = 900  # seconds
_CLOSE = 1 << 20
_DAY_BITS = 5
_NO_DAY = np.datetime64("NaT", "D")
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+\d{2,3}")  # as spreadsheets write it
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]+(.*))?")


def heading_key(heading: str) -> str:
    """Return the spelling under which a heading is looked up.

    Examples
    --------
    >>> heading_key(" PHQ9-01 "), heading_key("ＳＤＱ Teacher 1")
    ('phq9_01', 'sdq_teacher_1')
    """
    if heading.isascii() and heading.isidentifier():  # by far the usual case
        return heading.lower()
    return _HEADING.sub("_", unicodedata.normalize("NFKC", heading).strip()).casefold()


def column_name(table: Table, heading: str, *, known: bool = False) -> str:
    """Return what a message calls a column that is not read.

    By its number: in a file without a heading row the headings are a pupil's name and answers.
    Only a heading that cannot be either is shown.

    Parameters
    ----------
    table : Table
        Where the column stands.
    heading : str
        As found.
    known : bool
        Whether the heading begins like those of a known questionnaire.
    """
    if known or heading_key(heading) in _PLAIN_HEADINGS:
        return f"column '{heading}'"
    return f"column {table.column_number(heading)}"


def _text(cell: object) -> str:
    if isinstance(cell, str) and cell.isascii():  # by far the usual case, and nothing to normalise
        return cell.strip()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return unicodedata.normalize("NFKC", str(cell)).strip()


def is_blank(cell: object) -> bool:
    """Return whether a cell says that there is nothing: empty, NA, NaN, null, none or a dot."""
    return isinstance(cell, str) and _text(cell).casefold() in _BLANKS


def parse_text(cell: object) -> str | None:
    """Return a cell as text without stray blanks; None where blank.

    Raises
    ------
    ValueError
        If it is a number of so many digits that a spreadsheet or a float has not kept them all:
        the references of two pupils may have become one.

    Examples
    --------
    >>> parse_text(" Ａ1 "), parse_text(20230001.0)
    ('A1', '20230001')
    >>> parse_text(3.7020220150901e17)
    Traceback (most recent call last):
        ...
    ValueError: digits are lost
    """
    if is_blank(cell):
        return None
    if has_lost_digits(cell):
        msg = "digits are lost"
        raise ValueError(msg)
    return _text(cell)


def has_lost_digits(cell: object) -> bool:
    """Return whether a cell was a long number and may have lost its last digits.

    A float keeps fifteen digits of any whole number, and a spreadsheet keeps no more; written as
    text it then reads 3.70202E+17.

    Examples
    --------
    >>> has_lost_digits(1e15), has_lost_digits("3.70202E+17"), has_lost_digits(10**17)
    (True, True, False)
    """
    if isinstance(cell, float):
        return abs(cell) >= _DIGITS_KEPT
    return isinstance(cell, str) and _SCIENTIFIC.fullmatch(_text(cell)) is not None


def parse_number(cell: object) -> float | None:
    """Return a cell as a finite number.

    Raises
    ------
    ValueError
        If it is none.
    """
    if is_blank(cell):
        return None
    number = float(_text(cell))
    if not np.isfinite(number) or isinstance(cell, bool):
        raise ValueError
    return number


def parse_moment(cell: object, zone: str) -> np.datetime64 | None:
    """Return a date or a date and time as a moment in UTC, to the second.

    Without a zone of its own it is in `zone`; a date means its midnight there.

    Raises
    ------
    ValueError
        If it is neither.

    Examples
    --------
    >>> parse_moment("2026/10/15 8:30", "Asia/Shanghai")
    np.datetime64('2026-10-15T00:30:00')
    """
    if is_blank(cell):
        return None
    moment: dt.datetime
    if isinstance(cell, dt.datetime):
        moment = cell
    elif isinstance(cell, dt.date):
        moment = dt.datetime.combine(cell, dt.time())
    elif isinstance(cell, str):
        match = _DATE.fullmatch(_text(cell))
        if match is None:
            raise ValueError
        year, month, day, rest = match.groups()
        moment = dt.datetime(int(year), int(month), int(day))  # noqa: DTZ001 - zone follows
        if rest:
            clock = rest if len(rest.partition(":")[0]) > 1 else f"0{rest}"
            time = dt.time.fromisoformat(clock)
            moment = dt.datetime.combine(moment.date(), time)
    else:
        raise ValueError  # noqa: TRY004 - a number is no date
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "s")


def moment(at: Moment, zone: str) -> np.datetime64:
    """Return a moment in UTC; a date is its midnight in `zone`, and so is a time without one.

    Raises
    ------
    UsageError
        If it is not understood.

    Examples
    --------
    >>> str(moment("2026-10-15", "Asia/Shanghai"))
    '2026-10-14T16:00:00'
    """
    try:
        found = parse_moment(at, zone)
    except ValueError:
        found = None
    if found is None:
        msg = "at is a date or a time, such as 2026-10-15 or 2026-10-15T08:30"
        raise UsageError(msg)
    return found


def parse_date(cell: object) -> np.datetime64 | None:
    """Return a cell as a day.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(cell, str) and _ISO_DAY.fullmatch(cell):  # by far the usual case
        return np.datetime64(dt.date.fromisoformat(cell))
    moment = parse_moment(cell, "UTC")
    return None if moment is None else moment.astype("datetime64[D]")


_GRADES = {
    name: grade
    for grade, names in enumerate(
        [
            ["一年级"], ["二年级"], ["三年级"], ["四年级"], ["五年级"], ["六年级"],
            ["七年级", "初一"], ["八年级", "初二"], ["九年级", "初三"],
            ["高一"], ["高二"], ["高三"],
        ],
        start=1,
    )
    for name in names
}  # fmt: skip
_LAST_GRADE = 12


def parse_grade(cell: object) -> int | None:
    """Return a school grade, 1 to 12, from a number or its Chinese name.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> parse_grade("初二"), parse_grade("10")
    (8, 10)
    """
    if is_blank(cell):
        return None
    text = _text(cell)
    if text in _GRADES:
        return _GRADES[text]
    number = float(text.removesuffix("年级"))
    if not number.is_integer() or not 1 <= number <= _LAST_GRADE:
        raise ValueError
    return int(number)


def parse_term(cell: object, terms: type[Term], **also: str) -> int | None:
    """Return the position of a term given by its code or a label.

    Parameters
    ----------
    cell : object
        The cell.
    terms : type of Term
        The closed list.
    **also : str
        Further spellings and the codes they stand for.

    Raises
    ------
    ValueError
        If the list does not hold it.
    """
    if is_blank(cell):
        return None
    text = _text(cell).casefold()
    text = also.get(text, text)
    for place, term in enumerate(terms):
        if text in (term.value.casefold(), term.en.casefold(), term.zh):
            return place
    raise ValueError


def map_column(
    column: Column, parse: Callable[[object], object], default: object, dtype: str
) -> tuple[NDArray, NDArray[np.bool_]]:  # type: ignore[type-arg]
    """Parse a column once per distinct value.

    Parameters
    ----------
    column : Column
        The column.
    parse : callable
        From a cell to a value, or None for a blank; ValueError for what is not understood.
    default : object
        What stands for a blank and for what is not understood.
    dtype : str
        The type of the result.

    Returns
    -------
    values : ndarray, shape (rows,)
    bad : ndarray of bool, shape (rows,)
        Where a cell was not understood.
    """
    values, bad = map_values(column.values, parse, default, dtype)
    return values[column.index], bad[column.index]


def map_values(
    cells: Sequence[object], parse: Callable[[object], object], default: object, dtype: str
) -> tuple[NDArray, NDArray[np.bool_]]:  # type: ignore[type-arg]
    """Parse cells, as `map_column` does; the last of the results stands for an empty cell."""
    values = np.full(len(cells) + 1, default, dtype=dtype)
    bad = np.zeros(len(cells) + 1, dtype=bool)
    for place, cell in enumerate(cells):
        try:
            parsed = parse(cell)
        except (ValueError, OverflowError):
            bad[place] = True
        else:
            if parsed is not None:
                values[place] = parsed
    return values, bad


def local_moments(moments: NDArray[np.datetime64], zone: str) -> NDArray[np.datetime64]:
    """Return moments in UTC as the clock of a zone shows them; NaT stays NaT.

    Examples
    --------
    >>> local_moments(np.array(["2026-10-14T16:00"], dtype="M8[s]"), "Asia/Shanghai")
    array(['2026-10-15T00:00:00'], dtype='datetime64[s]')
    """
    seconds = moments.astype("M8[s]")
    known = seconds[~np.isnat(seconds)].view(np.int64)
    if not len(known):
        return seconds
    # Clocks are changed on the quarter of an hour at the finest.
    first, last = int(known.min()) // _QUARTER, int(known.max()) // _QUARTER
    place = np.clip(seconds.view(np.int64) // _QUARTER - first, 0, last - first)
    if last - first < _CLOSE:
        quarters, used = np.arange(last - first + 1), np.flatnonzero(np.bincount(place))
    else:
        quarters, place = np.unique(place, return_inverse=True)
        used = np.arange(len(quarters))
    shifts = np.zeros(len(quarters), dtype="m8[s]")
    clock = ZoneInfo(zone)
    for one in used.tolist():
        moment = np.datetime64((first + int(quarters[one])) * _QUARTER, "s")
        shifts[one] = np.timedelta64(_utc_offset(moment, clock), "s")
    local: NDArray[np.datetime64] = seconds + shifts[place]
    return local


def _utc_offset(moment: np.datetime64, clock: ZoneInfo) -> int:
    offset = moment.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(clock).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def age_in_years(
    born: NDArray[np.datetime64],
    moment: NDArray[np.datetime64],
    otherwise: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return ages in completed months, as years.

    Parameters
    ----------
    born : ndarray of datetime64[D]
    moment : ndarray of datetime64
        When the age is taken, by the local clock.
    otherwise : ndarray of float64
        The age where either is not known.

    Examples
    --------
    >>> days = np.array(["2015-10-15", "2015-10-16"], dtype="M8[D]")
    >>> age_in_years(days, np.array(["2026-10-15"] * 2, dtype="M8[s]"), np.full(2, np.nan)).round(2)
    array([11.  , 10.92])
    """
    if len(moment) and (moment == moment[0]).all():
        moment = moment[:1]
    # Months and days in one number: a month is complete on the day of the month that one is born.
    months = (_calendar(moment.astype("M8[D]")) - _calendar(born)) >> _DAY_BITS
    return np.where(np.isnat(born) | np.isnat(moment), otherwise, months / 12)


def _calendar(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Return the month of each day and its place in it, side by side; anything for NaT."""
    low, high = np.fmin.reduce(days, initial=_NO_DAY), np.fmax.reduce(days, initial=_NO_DAY)
    if np.isnat(low):
        return np.zeros(len(days), dtype=np.int64)
    number = int((high - low).astype(np.int64)) + 1
    every = days if number > len(days) else low + np.arange(number)  # each day is looked at once
    month = every.astype("M8[M]")
    sides: NDArray[np.int64] = (month.astype(np.int64) << _DAY_BITS) + (every - month).astype("i8")
    return sides if every is days else sides.take((days - low).astype("i8"), mode="clip")
