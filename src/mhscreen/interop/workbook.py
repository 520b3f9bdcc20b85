"""Excel workbooks for people who work with spreadsheets; nothing in them is calculated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mhscreen.atomic import whole_file
from mhscreen.interop.files import FORMULA
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    import datetime as dt
    import os
    from collections.abc import Mapping, Sequence

__all__ = ["write_workbook"]

_WIDEST, _NARROWEST = 48, 8
_NAME = re.compile(r"[\[\]:*?/\\]")
_LONGEST_NAME = 31  # of a sheet, in Excel


def write_workbook(
    sheets: Mapping[str, Mapping[str, Sequence[Any]]],
    path: str | os.PathLike[str],
    *,
    on: dt.datetime,
    footer: str = "",
) -> None:
    """Write sheets as one Excel workbook, whole or not at all.

    Text that a spreadsheet would take for a formula gets an apostrophe in front, as in CSV files
    for people, and no text is ever a formula, a link or a number.

    Parameters
    ----------
    sheets : mapping of str to mapping
        By their names; of each the columns by their headings, all of one length.
    path : path
        ``….xlsx``.
    on : datetime
        The time that the file states; the same sheets then give the same bytes.
    footer : str
        What stands at the foot of every printed page.

    Raises
    ------
    UsageError
        If XlsxWriter is not installed, or there is no sheet.
    """
    if not sheets:
        msg = "a workbook has at least one sheet"
        raise UsageError(msg)
    try:
        import xlsxwriter
    except ImportError as error:
        msg = "workbooks need XlsxWriter: pip install 'mhscreen[excel]'"
        raise UsageError(msg) from error
    plain = {f"strings_to_{one}": False for one in ("formulas", "urls", "numbers")}
    with (
        whole_file(path) as temporary,
        xlsxwriter.Workbook(str(temporary), {**plain, "in_memory": True}) as book,
    ):
        book.set_properties({"created": on.replace(tzinfo=None, microsecond=0)})
        bold = book.add_format({"bold": True, "text_wrap": True, "border": 1, "valign": "top"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        for name, columns in sheets.items():
            sheet = book.add_worksheet(_NAME.sub(" ", name)[:_LONGEST_NAME])
            sheet.freeze_panes(1, 1)
            sheet.set_landscape()
            sheet.set_paper(9)  # A4
            sheet.fit_to_pages(1, 0)
            sheet.set_footer(f"&L{footer.replace('&', '&&')}&R&P/&N")
            for place, (heading, column) in enumerate(columns.items()):
                sheet.write_string(0, place, _neutral(heading), bold)
                sheet.set_column(place, place, _width(heading, column))
                for row, value in enumerate(column, start=1):
                    _write(sheet, row, place, value, wrapped)


def _write(sheet: Any, row: int, place: int, value: Any, style: Any) -> None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        sheet.write_number(row, place, value, style)
    elif value not in (None, ""):
        sheet.write_string(row, place, _neutral(str(value)), style)


def _neutral(text: str) -> str:
    return f"'{text}" if re.match(FORMULA, text) else text


def _width(heading: str, column: Sequence[Any]) -> int:
    """Return a width in which most of a column fits; Chinese letters are twice as wide."""
    texts = ("" if one is None else str(one) for one in column)
    longest = max((sum(1 + (letter > "\u2e80") for letter in one) for one in texts), default=0)
    return min(max(longest, len(heading), _NARROWEST), _WIDEST) + 2
