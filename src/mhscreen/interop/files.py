"""Tables in files: CSV, TSV, Parquet, Arrow and Excel in; CSV and Parquet out.

Reading never raises for what a file holds: it reports coded problems, which never show a cell,
and gives what can be read. Files are written whole or not at all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from codecs import BOM_UTF8
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.atomic import whole_file, whole_folder
from mhscreen.frames import arrow_table, to_table
from mhscreen.interop.delimited import DelimitedText, RawColumns
from mhscreen.interop.subjects import read_subjects
from mhscreen.interop.text import Text, fingerprint, read_text, scan_text
from mhscreen.problems import Problem, ProblemLog
from mhscreen.steps.cells import has_lost_digits
from mhscreen.steps.roster import subject_column
from mhscreen.steps.tables import Column, Table, concatenate, encode

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO, Self

    from mhscreen.steps.tables import Cell

__all__ = [
    "FORMULA",
    "ROW_GROUP",
    "SUFFIXES",
    "CsvWriter",
    "ParquetWriter",
    "Source",
    "open_folder",
    "open_source",
    "read_folder",
    "read_table",
    "whole_file",
    "whole_folder",
    "write_csv",
    "write_parquet",
]

ROW_GROUP = 8192
"""Rows per row group of a Parquet file: fixed, so that the same table gives the same bytes."""

FORMULA = r"^[=+\-@\t\r＝＋－＠]"
"""How a cell begins that a spreadsheet would calculate; the last four after East Asian input."""

_INDEX = "__index_level_"
"""How pandas names an index without a name in a Parquet file; it is no data."""


# -- in -------------------------------------------------------------------------------------------


class Source(ABC):
    """A table in a file that may be larger than memory; it can be gone through again and again.

    Attributes
    ----------
    path : Path
        The file.
    name, stem : str
        Its name, and that without the suffix: a slot such as ``sdq@teacher``, ``wide``, ``long``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.name, self.stem = self.path.name, self.path.stem

    def __repr__(self) -> str:
        return f"<Source: {self.name}>"

    def about(self) -> int:
        """Return about how many rows there are; 0 where that cannot be told."""
        try:
            return self._count()
        except (OSError, ValueError):  # what is wrong with it is said when it is read
            return 0

    def fingerprint(self) -> dict[str, Any]:
        """Return name, size and hash of the file, as ``run.json`` states them."""
        return fingerprint(self.path)

    def read(self, log: ProblemLog) -> Iterator[Table]:
        """Yield the table in parts: always the same, each of at most some ten thousand rows.

        Where the headings can be read there is at least one part, maybe without rows. Row numbers
        and problems are those of the whole; see `read_table`.
        """
        said: set[Problem] = set()
        numbers: list[int] = []
        try:
            for raw in self._raw(log):
                table = _table(raw, self.name, log, said)
                numbers.append(table.rows)
                yield table
        except OSError as error:
            what = f"the file cannot be opened: {error.strerror or type(error).__name__}"
            log.add("MH601", what, file=self.name)
        if numbers and not any(numbers):
            log.add(
                "MH412", "the table has no rows", expected="rows below the heading", file=self.name
            )

    def references(self) -> Iterator[list[str] | None]:
        """Yield whose the rows are, in parts, without reading more than that.

        None stands for a part with a row that does not say it, or that cannot be read.
        """
        head = next(self.read(ProblemLog()), None)
        heading = None if head is None else subject_column(head)
        if heading is None:
            yield None
            return
        for raw in self._raw(ProblemLog(), heading):
            names = read_subjects(raw.columns[0])
            named = [name for name in names if name is not None]
            yield None if len(named) < len(names) or raw.broken_rows else named

    @abstractmethod
    def _count(self) -> int:
        """Return about how many rows there are."""

    @abstractmethod
    def _raw(self, log: ProblemLog, only: str | None = None) -> Iterator[RawColumns]:
        """Yield the columns as they stand in the file, or only one of them, in parts."""


class _TextSource(Source):
    """CSV and TSV."""

    @cached_property
    def _text(self) -> Text:
        return scan_text(self.path)

    def fingerprint(self) -> dict[str, Any]:
        """Return name, size and hash of the file, which was gone through for its encoding."""
        return {"name": self.name, "bytes": self._text.bytes, "sha256": self._text.sha256}

    def _count(self) -> int:
        return self._text.lines

    def _raw(self, log: ProblemLog, only: str | None = None) -> Iterator[RawColumns]:
        text = self._text
        if not text.encoding:
            log.add(
                "MH601",
                "the file is not text in an encoding that is understood",
                expected="UTF-8, UTF-16 with a byte order mark, or GB18030",
                file=self.name,
            )
            return
        if text.encoding == "gb18030":
            log.add("MH602", "the file is in GB18030", expected="UTF-8", file=self.name)
        mark = "\t" if self.path.suffix.lower() == ".tsv" else ","
        delimited = DelimitedText(read_text(self.path, text), self.name, mark)
        headings = delimited.read_heading(log)
        if headings is not None and only is not None:
            yield from delimited.read_rows(log, headings.index(only))
        elif headings is not None:
            yield RawColumns(headings, [encode(())] * len(headings), np.empty(0, dtype=np.int64))
            yield from delimited.read_rows(log)


class _ArrowSource(Source):
    """Parquet and Arrow files."""

    def _count(self) -> int:
        import pyarrow as pa

        with pa.OSFile(str(self.path)) as file:
            if self._is_parquet:
                import pyarrow.parquet

                return int(pyarrow.parquet.ParquetFile(file).metadata.num_rows)
            return sum(batch.num_rows for batch in _ipc_batches(file))

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() == ".parquet"

    def _raw(self, log: ProblemLog, only: str | None = None) -> Iterator[RawColumns]:
        import pyarrow as pa
        import pyarrow.parquet

        names = None if only is None else [only]

        try:
            with pa.OSFile(str(self.path)) as file:
                if self._is_parquet:
                    parquet = pyarrow.parquet.ParquetFile(file)
                    empty = parquet.schema_arrow.empty_table()
                    yield _numbered(empty if names is None else empty.select(names), self.name, 0)
                    batches = parquet.iter_batches(batch_size=ROW_GROUP, columns=names)
                else:
                    batches = _ipc_batches(file)
                first = 0
                for whole in batches:
                    batch = whole if names is None else whole.select(names)
                    for start in range(0, max(batch.num_rows, 1), ROW_GROUP):
                        part = pa.Table.from_batches([batch.slice(start, ROW_GROUP)])
                        yield _numbered(part, self.name, first)
                        first += part.num_rows
        except pa.ArrowException:
            what = f"the file is not a {self.path.suffix.lower().removeprefix('.')} file"
            log.add("MH601", what, hint="it may be cut off, or of another kind", file=self.name)


class _ExcelSource(Source):
    """Spreadsheets: of at most a million rows, they are read whole."""

    def _count(self) -> int:
        raw, _ = self._read_once
        return 0 if raw is None or not raw.columns else len(raw.columns[0])

    def _raw(self, log: ProblemLog, only: str | None = None) -> Iterator[RawColumns]:
        raw, problems = self._read_once
        log.extend(problems)
        if raw is not None and only is not None:
            yield replace(raw, columns=[raw.columns[raw.headings.index(only)]], headings=[only])
        elif raw is not None:
            yield raw

    @cached_property
    def _read_once(self) -> tuple[RawColumns | None, ProblemLog]:
        log = ProblemLog()
        return _read_excel(self.path, log), log


def open_source(path: str | os.PathLike[str], log: ProblemLog) -> Source | None:
    """Return the table in a file, unread; the kind is what the name ends in (see `SUFFIXES`).

    Parameters
    ----------
    path : path
        The file.
    log : ProblemLog
        Gets MH601 for a name that says no kind.
    """
    kind = _KINDS.get(Path(path).suffix.lower())
    if kind is None:
        log.add(
            "MH601",
            "the name does not say a kind of table that can be read",
            expected=f"a name that ends in one of {', '.join(SUFFIXES)}",
            file=Path(path).name,
        )
        return None
    return kind(path)


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
    source = open_source(path, log)
    parts = [] if source is None else list(source.read(log))
    return _whole(parts) if parts else None


def open_folder(path: str | os.PathLike[str], log: ProblemLog) -> list[Source]:
    """Return every table of a folder, or that of one file, unread.

    Parameters
    ----------
    path : path
        A folder, or a single file. Hidden files and a spreadsheet's lock files are passed over.
    log : ProblemLog
        Gets MH601 for whatever else lies in the folder, and MH412 for a folder without tables.

    Returns
    -------
    list of Source
        Sorted by file name.
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
    sources = [open_source(file, log) for file in files]
    return [source for source in sources if source is not None]


def read_folder(path: str | os.PathLike[str], log: ProblemLog) -> list[tuple[str, Table]]:
    """Read every table of a folder, or one file.

    Parameters
    ----------
    path : path
        See `open_folder`.
    log : ProblemLog
        Gets what `open_folder` and `read_table` report.

    Returns
    -------
    list of (str, Table)
        Sorted by file name. The string is the name without its suffix: a slot such as
        ``sdq@teacher``, ``wide`` or ``long``. Pairs and not a mapping, because ``phq9.csv`` and
        ``phq9.xlsx`` are both read.
    """
    read = [(source.stem, list(source.read(log))) for source in open_folder(path, log)]
    return [(stem, _whole(parts)) for stem, parts in read if parts]


def _whole(parts: list[Table]) -> Table:
    """Return all parts as one table, without row numbers where no row was left out."""
    table = concatenate(parts)
    numbers = table.row_numbers
    if numbers is not None and np.array_equal(numbers, np.arange(1, table.rows + 1)):
        return replace(table, row_numbers=None)
    return table


def _numbered(arrow: Any, name: str, first: int) -> RawColumns:
    """Return the columns of a part that begins after the first rows; an index is no data."""
    import pyarrow as pa

    headings = [heading for heading in arrow.column_names if not heading.startswith(_INDEX)]
    kept = [
        column
        for heading, column in zip(arrow.column_names, arrow.columns, strict=True)
        if not heading.startswith(_INDEX)
    ]
    # By number, since a file may repeat a heading.
    numbered = pa.Table.from_arrays(kept, names=[str(place) for place in range(len(kept))])
    rows = np.arange(first + 1, first + arrow.num_rows + 1, dtype=np.int64)
    return RawColumns(headings, list(to_table(numbered, name).columns.values()), rows)


def _ipc_batches(file: Any) -> Iterator[Any]:
    """Yield the batches of an Arrow file of either kind: with an index of them, or as a stream."""
    import pyarrow as pa
    import pyarrow.ipc

    try:
        reader = pyarrow.ipc.open_file(file)
    except pa.ArrowInvalid:
        file.seek(0)
        stream = pyarrow.ipc.open_stream(file)
        yield from stream.schema.empty_table().to_batches() or [_no_rows(stream.schema)]
        yield from stream
        return
    yield _no_rows(reader.schema)
    for place in range(reader.num_record_batches):
        yield reader.get_batch(place)


def _no_rows(schema: Any) -> Any:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [pa.array([], type=field.type) for field in schema], schema=schema
    )


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


_KINDS: dict[str, type[Source]] = {
    ".csv": _TextSource,
    ".tsv": _TextSource,
    ".parquet": _ArrowSource,
    ".arrow": _ArrowSource,
    ".feather": _ArrowSource,
    ".xlsx": _ExcelSource,
    ".xls": _ExcelSource,
}

SUFFIXES: tuple[str, ...] = tuple(_KINDS)
"""What the name of a table's file may end in, in any letter case."""


def _table(raw: RawColumns, name: str, log: ProblemLog, said: set[Problem]) -> Table:
    """Leave out empty rows, and columns whose heading is blank or repeated; say so once."""
    columns, numbers = _without_empty_rows(raw)
    places: dict[str, list[int]] = {}
    for place, heading in enumerate(raw.headings):
        places.setdefault(heading.strip(), []).append(place)
    problems = [
        Problem("MH403", f"column {place + 1} has no heading", file=name)
        for place in places.pop("", [])
        if columns[place].values
    ]
    for repeated in places.values():
        if len(repeated) > 1:
            # By number: in a file without a heading row, headings would be answers.
            numbered = " and ".join(str(place + 1) for place in repeated)
            what = f"columns {numbered} have the same heading"
            problems.append(
                Problem("MH606", what, expected="one column for each heading", file=name)
            )
    log.extend(problem for problem in problems if problem not in said)
    said.update(problems)
    kept = {raw.headings[place]: columns[place] for place, *more in places.values() if not more}
    left_out = len(kept) < len(columns)
    column_numbers = {
        raw.headings[place]: place + 1 for place, *more in places.values() if not more
    }
    return Table(
        name,
        kept,
        len(columns[0]) if columns else 0,
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


class CsvWriter:
    """Writes a CSV file in UTF-8, part for part; NaN and None become empty cells.

    Parameters
    ----------
    file : binary file
        Open for writing.
    for_people : bool
        For a spreadsheet: with a byte order mark, and with an apostrophe before text that the
        spreadsheet would take for a formula. Such a file is not meant to be read back.
    """

    def __init__(self, file: BinaryIO, *, for_people: bool = False) -> None:
        self._file, self._for_people, self._headed = file, for_people, False

    def write(self, columns: Mapping[str, Any]) -> None:
        """Write some rows, below a heading where they are the first."""
        import pyarrow as pa

        table = arrow_table(columns)
        if not self._headed:
            if self._for_people:
                self._file.write(BOM_UTF8)
            heading = [pa.array([name], type=pa.string()) for name in table.column_names]
            self._file.write(_csv_lines(heading, for_people=self._for_people))
            self._headed = True
        for start in range(0, table.num_rows, ROW_GROUP):
            cells = [column.combine_chunks() for column in table.slice(start, ROW_GROUP).columns]
            self._file.write(_csv_lines(cells, for_people=self._for_people))


def write_csv(
    columns: Mapping[str, Any], path: str | os.PathLike[str], *, for_people: bool = False
) -> None:
    """Write a CSV file, whole or not at all; see `CsvWriter`.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,), or list
        What `mhscreen.frames.arrow_table` takes.
    path : path
        Where.
    for_people : bool
        Whether it is for a spreadsheet.
    """
    with whole_file(path) as temporary, temporary.open("wb") as file:
        CsvWriter(file, for_people=for_people).write(columns)


class ParquetWriter:
    """Writes a Parquet file, part for part; how it comes in parts changes no byte.

    Parameters
    ----------
    place : path or binary file
        Where; a file stays open.
    """

    def __init__(self, place: str | os.PathLike[str] | BinaryIO) -> None:
        self._place, self._rows = place, 0
        self._waiting: list[Any] = []
        self._writer: Any = None
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()

    def write(self, columns: Mapping[str, Any]) -> None:
        """Take in some rows; each full row group is written."""
        table = arrow_table(columns)
        if self._waiting:
            table = table.cast(self._waiting[0].schema)
        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= ROW_GROUP:
            self._flush(ROW_GROUP)

    def finish(self) -> None:
        """Write what is left; a table without rows is an empty row group."""
        if self._rows or self._writer is None:
            self._flush(1)

    def _flush(self, least: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet

        table = pa.concat_tables(self._waiting)
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(
                self._place, table.schema, compression="zstd", version="2.6"
            )
        while table.num_rows >= least or not self._begun:
            self._begun = True
            # In one piece: pages would end where pieces do.
            group = table.slice(0, ROW_GROUP).combine_chunks()
            self._writer.write_table(group, row_group_size=ROW_GROUP)
            table = table.slice(ROW_GROUP)
        self._waiting, self._rows = [table.combine_chunks()], table.num_rows
        pa.default_memory_pool().release_unused()  # or it is kept for another row group


def write_parquet(columns: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a Parquet file, whole or not at all; the same table gives the same bytes.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,), or list
        What `mhscreen.frames.arrow_table` takes; NaN and None become null.
    path : path
        Where.
    """
    with whole_file(path) as temporary, ParquetWriter(temporary) as writer:
        writer.write(columns)
        writer.finish()


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
