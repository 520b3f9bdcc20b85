"""Tables in files: CSV, TSV, Parquet, Arrow and Excel in; CSV and Parquet out.

Reading never raises for what a file holds: it reports coded problems, which never show a cell,
and gives what can be read. Files are written whole or not at all.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.atomic import whole_file, whole_folder
from mhscreen.frames import arrow_table, to_table
from mhscreen.interop.delimited import RawColumns, read_delimited
from mhscreen.steps.cells import has_lost_digits
from mhscreen.steps.tables import Column, Table, encode

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from mhscreen.problems import ProblemLog
    from mhscreen.steps.tables import Cell

__all__ = [
    "FORMULA",
    "ROW_GROUP",
    "SUFFIXES",
    "read_folder",
    "read_table",
    "whole_file",
    "whole_folder",
    "write_csv",
    "write_parquet",
]

ROW_GROUP = 65_536
"""Rows per row group of a Parquet file: fixed, so that the same table gives the same bytes."""

FORMULA = r"^[=+\-@\t\r＝＋－＠]"
"""How a cell begins that a spreadsheet would calculate; the last four after East Asian input."""

_INDEX = "__index_level_"
"""How pandas names an index without a name in a Parquet file; it is no data."""


# -- in -------------------------------------------------------------------------------------------


def read_table(path: str | os.PathLike[str], log: ProblemLog) -> Table | None:
    """Read the table in one file; the kind is what the name ends in (see `SUFFIXES`).

    From CSV and TSV every cell is text; from the other kinds cells keep their types, whole numbers
    of a spreadsheet being integers. Rows without any cell are left out, as are columns without a
    heading and repeated headings. Of a spreadsheet the first sheet is read.

    Parameters
    ----------
    path : path
        The file.
    log : ProblemLog
        Gets MH403 (a column without a heading), MH412 (no rows), MH601 (unreadable), MH602
        (GB18030), MH603 (a row that does not fit the heading), MH606 (a repeated heading).

    Returns
    -------
    Table or None
        None where nothing can be read; a table of no rows where there is only a heading.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        log.add(
            "MH601",
            "the name does not say a kind of table that can be read",
            expected=f"a name that ends in one of {', '.join(SUFFIXES)}",
            file=path.name,
        )
        return None
    try:
        raw = reader(path, log)
    except OSError as error:
        what = f"the file cannot be opened: {error.strerror or type(error).__name__}"
        log.add("MH601", what, file=path.name)
        return None
    return None if raw is None else _table(raw, path.name, log)


def read_folder(path: str | os.PathLike[str], log: ProblemLog) -> list[tuple[str, Table]]:
    """Read every table of a folder, or one file.

    Parameters
    ----------
    path : path
        A folder, or a single file. Hidden files and a spreadsheet's lock files are passed over.
    log : ProblemLog
        Gets what `read_table` reports, MH601 for whatever else lies in the folder, and MH412 for
        a folder without tables.

    Returns
    -------
    list of (str, Table)
        Sorted by file name. The string is the name without its suffix: a slot such as
        ``sdq@teacher``, ``wide`` or ``long``. Pairs and not a mapping, because ``phq9.csv`` and
        ``phq9.xlsx`` are both read.
    """
    path = Path(path)
    files = [path]
    if path.is_dir():
        files = sorted(
            (file for file in path.iterdir() if not file.name.startswith((".", "~$"))),
            key=lambda file: file.name,
        )
        if not files:
            log.add("MH412", "the folder holds no tables", file=path.name)
    tables = [(file.stem, read_table(file, log)) for file in files]
    return [(stem, table) for stem, table in tables if table is not None]


def _read_csv(path: Path, log: ProblemLog) -> RawColumns | None:
    return read_delimited(path.read_bytes(), path.name, ",", log)


def _read_tsv(path: Path, log: ProblemLog) -> RawColumns | None:
    return read_delimited(path.read_bytes(), path.name, "\t", log)


def _read_arrow(path: Path, log: ProblemLog) -> RawColumns | None:
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet

    try:
        with pa.OSFile(str(path)) as file:
            if path.suffix.lower() == ".parquet":
                arrow = pyarrow.parquet.ParquetFile(file).read()
            else:
                arrow = _ipc(file).read_all()
    except pa.ArrowException:
        what = f"the file is not a {path.suffix.lower().removeprefix('.')} file"
        log.add("MH601", what, hint="it may be cut off, or of another kind", file=path.name)
        return None
    headings = [heading for heading in arrow.column_names if not heading.startswith(_INDEX)]
    kept = [
        column
        for heading, column in zip(arrow.column_names, arrow.columns, strict=True)
        if not heading.startswith(_INDEX)
    ]
    # By number, since a file may repeat a heading.
    numbered = pa.Table.from_arrays(kept, names=[str(place) for place in range(len(kept))])
    return RawColumns(headings, list(to_table(numbered, path.name).columns.values()))


def _ipc(file: Any) -> Any:
    """Open an Arrow file of either kind: with an index of its batches, or as a stream."""
    import pyarrow as pa
    import pyarrow.ipc

    try:
        return pyarrow.ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        return pyarrow.ipc.open_stream(file)


def _read_excel(path: Path, log: ProblemLog) -> RawColumns | None:
    try:
        import python_calamine as calamine
    except ImportError:
        log.add(
            "MH601",
            "spreadsheets cannot be read: the extra 'excel' is not installed",
            hint="pip install 'mhscreen[excel]', or save the sheet as CSV",
            file=path.name,
        )
        return None
    path.stat()  # a file that is not there is not a broken one
    try:
        workbook = calamine.CalamineWorkbook.from_path(str(path))
        rows = workbook.get_sheet_by_index(0).to_python()
    except (calamine.CalamineError, ValueError, IndexError):
        hint = "it may be protected by a password, cut off, or of another kind"
        log.add("MH601", "the file is not a spreadsheet", hint=hint, file=path.name)
        return None
    first = next((place for place, row in enumerate(rows) if any(map(_is_filled, row))), None)
    if first is None:
        log.add("MH412", "the first sheet is empty", expected="a heading and rows", file=path.name)
        return None
    headings = ["" if (cell := _excel_cell(found)) is None else str(cell) for found in rows[first]]
    body = rows[first + 1 :]
    columns = [encode(_excel_cell(row[place]) for row in body) for place in range(len(headings))]
    return RawColumns(headings, columns)


def _is_filled(cell: object) -> bool:
    return cell != ""


def _excel_cell(cell: Cell) -> Cell:
    """Return a cell; a spreadsheet has no integers, so a whole number is taken for one.

    Not one of so many digits that the spreadsheet has not kept them all: as a float it stays
    recognisable, and is never taken for somebody's reference.
    """
    if cell == "":
        return None
    whole = isinstance(cell, float) and cell.is_integer() and not has_lost_digits(cell)
    return int(cell) if whole else cell  # type: ignore[call-overload]


_READERS: dict[str, Callable[[Path, ProblemLog], RawColumns | None]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_arrow,
    ".arrow": _read_arrow,
    ".feather": _read_arrow,
    ".xlsx": _read_excel,
    ".xls": _read_excel,
}

SUFFIXES: tuple[str, ...] = tuple(_READERS)
"""What the name of a table's file may end in, in any letter case."""


def _table(raw: RawColumns, name: str, log: ProblemLog) -> Table:
    """Leave out empty rows, and columns whose heading is blank or repeated."""
    columns, numbers = _without_empty_rows(raw)
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(raw.headings):
        places.setdefault(heading.strip(), []).append(place)
    for place in places.pop("", []):
        if columns[place].values:
            log.add("MH403", f"column {place + 1} has no heading", file=name)
    for repeated in places.values():
        if len(repeated) > 1:
            # By number: in a file without a heading row, headings would be answers.
            numbered = " and ".join(str(place + 1) for place in repeated)
            log.add(
                "MH606",
                f"columns {numbered} have the same heading",
                expected="one column for each heading",
                file=name,
            )
    kept = {raw.headings[place]: columns[place] for place, *more in places.values() if not more}
    rows = len(columns[0]) if columns else 0
    if not rows:
        log.add("MH412", "the table has no rows", expected="rows below the heading", file=name)
    left_out = len(kept) < len(columns)
    column_numbers = {
        raw.headings[place]: place + 1 for place, *more in places.values() if not more
    }
    return Table(
        name,
        kept,
        rows,
        numbers,
        raw.broken_rows,
        column_numbers=column_numbers if left_out else None,
    )


def _without_empty_rows(raw: RawColumns) -> tuple[list[Column], Any]:
    columns, numbers = list(raw.columns), raw.row_numbers
    filled = np.zeros(len(columns[0]) if columns else 0, dtype=bool)
    for column in columns:
        filled |= column.index >= 0
        if filled.all():
            return columns, numbers
    if numbers is None:
        numbers = np.arange(1, len(filled) + 1, dtype=np.int64)
    return [Column(column.index[filled], column.values) for column in columns], numbers[filled]


# -- out ------------------------------------------------------------------------------------------


def write_csv(
    columns: Mapping[str, Any], path: str | os.PathLike[str], *, for_people: bool = False
) -> None:
    """Write a CSV file in UTF-8, whole or not at all; NaN and None become empty cells.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,), or list
        What `mhscreen.frames.arrow_table` takes.
    path : path
        Where.
    for_people : bool
        For a spreadsheet: with a byte order mark, and with an apostrophe before text that the
        spreadsheet would take for a formula. Such a file is not meant to be read back.
    """
    from codecs import BOM_UTF8

    import pyarrow as pa

    table = arrow_table(columns)
    heading = [pa.array([name], type=pa.string()) for name in table.column_names]
    with whole_file(path) as temporary, temporary.open("wb") as file:
        if for_people:
            file.write(BOM_UTF8)
        file.write(_csv_lines(heading, for_people=for_people))
        for start in range(0, table.num_rows, ROW_GROUP):
            part = table.slice(start, ROW_GROUP)
            cells = [column.combine_chunks() for column in part.columns]
            file.write(_csv_lines(cells, for_people=for_people))


def write_parquet(columns: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a Parquet file, whole or not at all; the same table gives the same bytes.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,), or list
        What `mhscreen.frames.arrow_table` takes; NaN and None become null.
    path : path
        Where.
    """
    import pyarrow.parquet

    table = arrow_table(columns)
    with whole_file(path) as temporary:
        pyarrow.parquet.write_table(
            table,
            temporary,
            compression="zstd",
            row_group_size=ROW_GROUP,
            version="2.6",
        )


def _csv_lines(columns: list[Any], *, for_people: bool) -> memoryview | bytes:
    """Return rows as text, all at once; quotation marks stand only where they are needed."""
    import pyarrow.compute as pc

    if not columns or not len(columns[0]):
        return b"\n" if not columns else b""
    texts = [_csv_cells(column, for_people=for_people) for column in columns]
    if len(texts) == 1:  # an empty cell alone would be a blank line, and no row
        texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
    lines = pc.binary_join_element_wise(*texts, ",")
    ended = pc.binary_join_element_wise(lines, "", "\n")
    return memoryview(ended.buffers()[2])


def _csv_cells(column: Any, *, for_people: bool) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = column.cast(kind).cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if for_people:
            formula = pc.match_substring_regex(text, FORMULA)
            text = pc.if_else(formula, pc.binary_join_element_wise("'", text, ""), text)
        needed = pc.match_substring_regex(text, '[",\r\n]')
        if pc.any(needed).as_py():
            doubled = pc.replace_substring(text, '"', '""')
            text = pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), text)
    return text.fill_null("")
