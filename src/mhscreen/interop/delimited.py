"""Delimited text to columns: CSV and TSV as they really arrive.

The text comes in parts, so that a file may be larger than memory; what is read does not depend on
where a part ends. The quick way is Arrow's reader over a part. Where a row does not fit the
heading, or quotation marks do not pair up, the part is gone through row by row first: what is
broken is taken out and named, and the rest is read the quick way. So one stray mark never
swallows a pupil.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.interop.text import BLOCK
from mhscreen.steps.cells import heading_key
from mhscreen.steps.roster import ROSTER_COLUMNS, parse_subject
from mhscreen.steps.tables import BrokenRow, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.problems import ProblemLog

__all__ = ["DelimitedText", "RawColumns"]

_LONGEST_SUBJECT = 64
_MOST_LINES = 64  # a quotation mark that stays open for longer was never meant to be one
_NEWLINE, _QUOTE = ord("\n"), ord('"')
_NO_CELLS = Column(np.empty(0, dtype=np.int32), ())
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class RawColumns:
    """What stands in a file, or in a part of it, before headings are looked at.

    Attributes
    ----------
    headings : sequence of str
        As found; possibly blank or repeated.
    columns : sequence of Column
        One for each heading.
    row_numbers : ndarray of int64 or None
        One-based, not counting the heading; None: 1, 2, ….
    broken_rows : tuple of BrokenRow
        Rows that were taken out.
    """

    headings: Sequence[str]
    columns: Sequence[Column]
    row_numbers: NDArray[np.int64] | None = None
    broken_rows: tuple[BrokenRow, ...] = ()


class DelimitedText:
    """Delimited text: its heading, and its rows in parts.

    Every column is text, an empty cell stays empty. Row numbers count every row after the heading,
    blank ones too, as a spreadsheet would.

    Parameters
    ----------
    text : iterator of bytes
        The text in parts of any length: UTF-8 without a byte order mark, lines ending in a line
        feed.
    name : str
        The file's name, for messages.
    mark : str
        What stands between cells.

    Attributes
    ----------
    headings : list of str or None
        After `read_heading`; None where there is none.
    """

    def __init__(self, text: Iterator[bytes], name: str, mark: str) -> None:
        self.headings: list[str] | None = None
        self._text, self._name, self._mark = text, name, mark
        self._buffer, self._ended, self._rows = b"", False, 0

    def read_heading(self, log: ProblemLog) -> list[str] | None:
        """Read the first row that is not blank; the log gets MH412 and MH601."""
        while not self._ended and self._buffer.lstrip().count(b"\n") <= _MOST_LINES:
            self._more()
        headings, start = _heading(self._buffer, self._mark, self._name, log)
        if headings is not None and _is_heading(headings, self._mark, self._name, log):
            self.headings = headings
            self._buffer = self._buffer[start:]
        return self.headings

    def read_rows(self, log: ProblemLog, only: int | None = None) -> Iterator[RawColumns]:
        """Yield the rows below the heading, in parts, or only one column of them.

        The log gets MH603.
        """
        while self.headings is not None and (self._buffer or not self._ended):
            if not self._ended:
                self._more()
            raw, end = self._part(self.headings, log, only)
            self._buffer = self._buffer[end:]
            if raw is not None:
                yield raw

    def _more(self) -> None:
        part = next(self._text, None)
        self._ended = part is None
        self._buffer += part or b""

    def _part(
        self, headings: list[str], log: ProblemLog, only: int | None
    ) -> tuple[RawColumns | None, int]:
        """Return the rows that surely end in the buffer, and where they end."""
        text = self._buffer
        end = self._sure_end()
        if end and _quotes_pair_up(text[:end], 0, self._mark):
            columns = _columns(text[:end], headings, self._mark, only)
            if columns is not None:
                rows = len(columns[0])
                numbers = np.arange(self._rows + 1, self._rows + rows + 1, dtype=np.int64)
                self._rows += rows
                found = headings if only is None else [headings[only]]
                return RawColumns(found, columns, numbers), end
        stop = len(text) if self._ended else _before_last_lines(text)
        if not stop:
            return None, 0
        raw, end, self._rows = _row_by_row(
            text, stop, headings, self._mark, self._name, self._rows, log
        )
        if only is not None:
            raw = replace(raw, headings=[headings[only]], columns=[raw.columns[only]])
        return raw, end

    def _sure_end(self) -> int:
        """Return where the last line ends that does not end inside quotation marks."""
        text = self._buffer
        if self._ended:
            return len(text)
        end = text.rfind(b"\n") + 1
        quotes = text.count(b'"', 0, end)
        for _ in range(_MOST_LINES):
            if quotes % 2 == 0:
                return end
            before = text.rfind(b"\n", 0, end - 1) + 1
            quotes -= text.count(b'"', before, end)
            end = before
        return 0


def _before_last_lines(text: bytes) -> int:
    """Return where the lines begin that a row which begins before them may reach into."""
    end = len(text)
    for _ in range(_MOST_LINES + 1):
        end = text.rfind(b"\n", 0, max(end - 1, 0)) + 1
    return end


def _heading(text: bytes, mark: str, name: str, log: ProblemLog) -> tuple[list[str] | None, int]:
    """Return the cells of the first row that is not blank, and where the rows begin."""
    start = 0
    while start < len(text):
        line, end = _line(text, start)
        if line.strip():
            headings, start = _record(text, start, mark)
            if headings is None:
                what = "the quotation marks of the heading do not pair up"
                log.add("MH601", what, file=name, line=1)
            return headings, start
        start = end
    log.add("MH412", "the file is empty", expected="a heading and rows", file=name)
    return None, start


def _is_heading(headings: list[str], mark: str, name: str, log: ProblemLog) -> bool:
    """Whether a lone heading is not several, separated by something else than `mark`."""
    found = next((other for other in _MARKS if other in headings[0] and other != mark), None)
    if len(headings) > 1 or found is None:
        return True
    log.add(
        "MH601",
        f"the cells seem to be separated by {_MARKS[found]}",
        expected=_MARKS[mark],
        hint="save the table as CSV with commas, or as .tsv with tabs",
        file=name,
    )
    return False


def _line(text: bytes, start: int) -> tuple[bytes, int]:
    """Return one line without its end, and where the next begins."""
    end = text.find(b"\n", start)
    end = len(text) if end < 0 else end
    return text[start:end], end + 1


def _record(text: bytes, start: int, mark: str) -> tuple[list[str] | None, int]:
    """Return the cells of one row and where the next row begins.

    A row whose quotation marks do not pair up gives None and ends with its first line.
    """
    line, after_line = _line(text, start)
    if _QUOTE not in line:
        return line.decode().split(mark), after_line
    ends: list[int] = []

    def lines() -> Iterator[str]:
        place = start
        while place < len(text) and len(ends) < _MOST_LINES:
            part, place = _line(text, place)
            ends.append(place)
            yield part.decode() + "\n"

    try:
        return next(csv.reader(lines(), delimiter=mark, strict=True)), ends[-1]
    except (csv.Error, StopIteration):
        return None, after_line


def _quotes_pair_up(text: bytes, start: int, mark: str) -> bool:
    """Whether each quotation mark opens a cell, closes one, or is doubled inside one."""
    if text.find(b'"', start) < 0:
        return True
    plain = b"\n" + text[start:].replace(b'""', b"") + b"\n"
    buffer = np.frombuffer(plain, dtype=np.uint8)
    places = np.flatnonzero(buffer == _QUOTE)
    if len(places) % 2:
        return False
    edges = (_NEWLINE, ord(mark))
    before, after = buffer[places[0::2] - 1], buffer[places[1::2] + 1]
    return bool(np.isin(before, edges).all() and np.isin(after, edges).all())


# -- rows -----------------------------------------------------------------------------------------


def _columns(
    text: bytes, headings: Sequence[str], mark: str, only: int | None = None
) -> list[Column] | None:
    """Read rows, or one column, with Arrow; None where a row does not fit the heading."""
    import pyarrow as pa
    import pyarrow.csv

    from mhscreen.frames import to_table

    names = [str(place) for place in range(len(headings))]
    types: dict[str, Any] = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string()))
    place, is_named = _subject_place(headings)
    if is_named:  # almost all are different: a dictionary of them would only be in the way
        types[names[place]] = pa.string()
    misfits: list[None] = []

    def skip(_row: Any) -> str:
        misfits.append(None)
        return "skip"

    try:
        arrow = pyarrow.csv.read_csv(
            pa.py_buffer(text),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=mark,
                newlines_in_values=b'"' in text,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,
                include_columns=[] if only is None else [str(only)],
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # a row longer than a block
        return None
    return None if misfits else list(to_table(arrow, "").columns.values())


def _row_by_row(
    text: bytes,
    stop: int,
    headings: list[str],
    mark: str,
    name: str,
    number: int,
    log: ProblemLog,
) -> tuple[RawColumns, int, int]:
    """Take out the rows that do not fit the heading, then read the rest.

    Returns
    -------
    raw : RawColumns
        The rows that begin before `stop`.
    start : int
        Where the next row begins.
    number : int
        The number of the last row.
    """
    width, cut = len(headings), mark.encode()
    kept: list[bytes] = []
    numbers: list[int] = []
    broken: list[BrokenRow] = []
    start = 0
    while start < stop:
        number += 1
        line, end = _line(text, start)
        cells: list[str] | None = None
        if _QUOTE in line:
            cells, end = _record(text, start, mark)
            fits = cells is not None and len(cells) == width
        else:
            fits = line.count(cut) + 1 == width
        if not line.strip():
            pass  # counted, and no row
        elif fits:
            kept.append(text[start:end].rstrip(b"\n"))
            numbers.append(number)
        else:
            broken.append(_broken(number, line, cells, headings, mark, name, log))
        start = end
    columns: list[Column] | None = [_NO_CELLS] * width
    if kept:
        columns = _columns(b"\n".join(kept), headings, mark)
    if columns is None or len(columns[0]) != len(kept):
        log.add("MH601", "the rows of the file cannot be told apart", file=name)
        broken += [
            _broken(place, _line(row, 0)[0], None, headings, mark, name, log)
            for place, row in zip(numbers, kept, strict=True)
        ]
        columns, numbers = [_NO_CELLS] * width, []
    raw = RawColumns(headings, columns, np.array(numbers, dtype=np.int64), tuple(broken))
    return raw, start, number


def _broken(
    number: int,
    line: bytes,
    cells: list[str] | None,
    headings: list[str],
    mark: str,
    name: str,
    log: ProblemLog,
) -> BrokenRow:
    """Report one row that does not fit, and find out whose it seems to be."""
    if cells is None and _QUOTE in line:
        what = "the quotation marks of the row do not pair up"
        expected = "a closing mark for each opening one; marks inside a cell doubled"
        cells = [cell.strip('"') for cell in line.decode().split(mark)]
    else:
        cells = cells if cells is not None else line.decode().split(mark)
        what, expected = f"the row has {len(cells)} cells", f"{len(headings)}, as in the heading"
    place, is_named = _subject_place(headings)
    subject = _reference(cells[place]) if place < len(cells) else ""
    # Only the first cell is sure to stand below its heading: any other may be a name or an answer.
    sure = is_named and place == 0
    log.add(
        "MH603",
        what,
        expected=expected,
        file=name,
        row=number,
        subject=subject if sure else "",
    )
    return BrokenRow(number, subject, guessed=not sure)


def _subject_place(headings: Sequence[str]) -> tuple[int, bool]:
    """Return the column that says whose row it is, and whether its heading says so."""
    keys = [heading_key(heading) for heading in headings]
    for known in ("subject", *ROSTER_COLUMNS["subject"]):
        if known in keys:
            return keys.index(known), True
    return 0, False


def _reference(cell: str) -> str:
    """Return a cell that can be a reference: short, on one line, and with all its digits."""
    try:
        text = parse_subject(cell) or ""
    except ValueError:
        return ""
    return text if len(text) <= _LONGEST_SUBJECT and text.isprintable() else ""
