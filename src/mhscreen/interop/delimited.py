"""Delimited text to columns: CSV and TSV as they really arrive.

The quick way is Arrow's reader over the whole text. Where a row does not fit the heading, or
quotation marks do not pair up, the text is gone through row by row first: what is broken is taken
out and named, and the rest is read the quick way. So one stray mark never swallows a pupil.
"""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.steps.cells import heading_key
from mhscreen.steps.roster import ROSTER_COLUMNS, parse_subject
from mhscreen.steps.tables import BrokenRow, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.problems import ProblemLog

__all__ = ["RawColumns", "read_delimited"]

_LONGEST_SUBJECT = 64
_MOST_LINES = 64  # a quotation mark that stays open for longer was never meant to be one
_BLOCK = 1 << 22  # bytes that Arrow reads at once
_NEWLINE, _QUOTE = ord("\n"), ord('"')
_NO_CELLS = Column(np.empty(0, dtype=np.int32), ())
_CYRILLIC = re.compile("[\u0400-\u052f]")
_BEYOND_CYRILLIC = re.compile("[\u0800-\U0010ffff]")  # such as Chinese
_MARKS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True)
class RawColumns:
    """What stands in a file, before headings are looked at.

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


def read_delimited(data: bytes, name: str, mark: str, log: ProblemLog) -> RawColumns | None:
    """Read delimited text; every column is text, an empty cell stays empty.

    Row numbers count every row after the heading, blank ones too, as a spreadsheet would.

    Parameters
    ----------
    data : bytes
        The whole file: UTF-8, UTF-16 with its byte order mark, or GB18030.
    name : str
        The file's name, for messages.
    mark : str
        What stands between cells.
    log : ProblemLog
        Gets MH412, MH601, MH602 and MH603.
    """
    text = _utf8(data, name, log)
    if text is None:
        return None
    headings, start = _heading(text, mark, name, log)
    if headings is None or not _is_heading(headings, mark, name, log):
        return None
    if not text[start:].strip():
        return RawColumns(headings, [_NO_CELLS] * len(headings))
    if _quotes_pair_up(text, start, mark):
        quick = _columns(text, start, len(headings), mark)
        if quick is not None:
            return RawColumns(headings, quick)
    return _row_by_row(text, start, headings, mark, name, log)


# -- text -----------------------------------------------------------------------------------------


def _utf8(data: bytes, name: str, log: ProblemLog) -> bytes | None:
    """Return the text as UTF-8 without a byte order mark, lines ending in a line feed."""
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = _recoded(data, "utf-16")
    else:
        text = _recoded(data.removeprefix(BOM_UTF8), "utf-8")
        if text is None or _seems_cyrillic(data):
            chinese = _recoded(data, "gb18030")
            if chinese is not None:
                text = chinese
                log.add("MH602", "the file is in GB18030", expected="UTF-8", file=name)
    if text is None or b"\0" in text:
        log.add(
            "MH601",
            "the file is not text in an encoding that is understood",
            expected="UTF-8, UTF-16 with a byte order mark, or GB18030",
            file=name,
        )
        return None
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def _seems_cyrillic(data: bytes) -> bool:
    """Whether text that reads as UTF-8 is Cyrillic: then it is Chinese in GB18030.

    The bytes of 小学 in GB18030 are those of two Cyrillic letters in UTF-8, so that a file whose
    only Chinese words are such would be read as UTF-8 without a complaint.
    """
    if data.isascii() or data.startswith(BOM_UTF8):
        return False
    text = data.decode("utf-8")
    return bool(_CYRILLIC.search(text)) and not _BEYOND_CYRILLIC.search(text)


def _recoded(data: bytes, encoding: str) -> bytes | None:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return data if encoding == "utf-8" else text.encode("utf-8")


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


def _columns(text: bytes, start: int, width: int, mark: str) -> list[Column] | None:
    """Read rows with Arrow; None where it does not find `width` cells in every row."""
    import pyarrow as pa
    import pyarrow.csv

    from mhscreen.frames import to_table

    names = [str(place) for place in range(width)]
    misfits: list[None] = []

    def skip(_row: Any) -> str:
        misfits.append(None)
        return "skip"

    try:
        arrow = pyarrow.csv.read_csv(
            pa.py_buffer(text).slice(start),
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=mark,
                newlines_in_values=text.find(b'"', start) >= 0,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # a row longer than a block
        return None
    return None if misfits else list(to_table(arrow, "").columns.values())


def _row_by_row(
    text: bytes, start: int, headings: list[str], mark: str, name: str, log: ProblemLog
) -> RawColumns | None:
    """Take out the rows that do not fit the heading, then read the rest."""
    width, cut = len(headings), mark.encode()
    kept: list[bytes] = []
    numbers: list[int] = []
    broken: list[BrokenRow] = []
    number = 0
    while start < len(text):
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
        columns = _columns(b"\n".join(kept), 0, width, mark)
    if columns is None or len(columns[0]) != len(kept):
        log.add("MH601", "the rows of the file cannot be told apart", file=name)
        return None
    return RawColumns(headings, columns, np.array(numbers, dtype=np.int64), tuple(broken))


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
