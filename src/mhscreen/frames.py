"""Dataframes at the edge: in as a `Table`, out as the kind of frame that came in.

The only module of the pipeline that knows dataframes exist. It reads pandas and Polars through
narwhals' stable interface, everything else through Arrow, and dictionary-encodes whole columns,
so that the cost is one Python object per distinct value and not one per cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import UsageError
from mhscreen.steps.tables import Column, Table, encode
from mhscreen.steps.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from mhscreen.steps.tables import Cell

__all__ = ["arrow_table", "from_columns", "to_table"]

_CLOSE = 126
"""How far apart whole numbers may lie whose distances are kept in a byte, with one for none."""

_MOST = 127
"""The largest byte with a sign."""

_EXACT = 1e15
"""Below it a float holds every whole number, and its neighbours."""

_HEAD = 1 << 12
"""Texts that show whether almost all are different: days of birth are not, references are."""

_BLOCK = 1 << 16

_KINDS = (
    "a pandas or Polars frame, a pyarrow Table or RecordBatch, a frame with the Arrow interface, "
    "or a dict of columns"
)


def to_table(frame: object, name: str) -> Table:
    """Take in a dataframe of any known kind.

    None, NaN, NaT and pandas' NA are empty cells; every other cell keeps its Python value. A cell
    that is no plain value (a list, say) becomes its text, which no response scale will know.

    Parameters
    ----------
    frame : dataframe
        pandas, Polars (a lazy frame is collected), pyarrow Table or RecordBatch, anything with
        the Arrow PyCapsule interface or known to narwhals, a mapping of headings to columns, or
        a `Table`, which is returned as it is. A pandas index named ``subject`` counts as a column.
    name : str
        What messages call the table.

    Raises
    ------
    UsageError
        For another kind of object, for two columns of one heading, for columns of unequal length.

    Examples
    --------
    >>> table = to_table({"subject": ["A1", "A2"], "phq9_1": [3, None]}, "phq9")
    >>> table.rows, table.columns["phq9_1"].cells()
    (2, [3, None])
    """
    if isinstance(frame, Table):
        return frame
    if isinstance(frame, Mapping):
        named = [(str(key), _any_column(values, str(key))) for key, values in frame.items()]
        rows = len(named[0][1]) if named else 0
        return _table(name, named, rows)
    arrow = _as_arrow(frame)
    if arrow is not None:
        headings = [str(heading) for heading in arrow.column_names]
        columns = map(_arrow_column, arrow.columns)
        return _table(name, list(zip(headings, columns, strict=True)), arrow.num_rows)
    narrow = _eager(_with_subject(frame))
    named = [(str(series.name), _series_column(series)) for series in narrow.iter_columns()]
    return _table(name, named, len(narrow))


def from_columns(columns: Mapping[str, Any], like: object = None) -> Any:  # noqa: PLR0911 - one for each kind
    """Make a frame of the same kind as `like`, row for row.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,), `Column` or list
        Floats stay floats (NaN becomes null in Polars and Arrow), integers stay integers, object
        arrays and lists of str and None become strings.
    like : dataframe, optional
        Anything that `to_table` takes. pandas by default and for a `Table`; a mapping gives a
        dict; a pandas frame of as many rows lends its index; a frame known only by the Arrow
        interface gives a pyarrow Table.

    Raises
    ------
    UsageError
        For another kind of object, or for columns of unequal length.

    Examples
    --------
    >>> from_columns({"phq9__total": [7, 12]}, like={})
    {'phq9__total': [7, 12]}
    """
    rows = _common_length(columns)
    if isinstance(like, Mapping):
        return _plain_columns(columns)
    if like is None or isinstance(like, Table):
        return _pandas_frame(columns, rows, None)
    arrow_like = _arrow_kind(like)
    if arrow_like == "batch":
        return arrow_table(columns).combine_chunks().to_batches()[0] if rows else _no_rows(columns)
    if arrow_like == "table":
        return arrow_table(columns)

    import narwhals.stable.v2 as nw

    wrapped = _wrapped(like)
    if wrapped is None:
        if _has_arrow_interface(like):
            return arrow_table(columns)
        raise _unknown_kind(like)
    kind = wrapped.implementation
    if kind.is_pandas():
        return _pandas_frame(columns, rows, like)
    if kind.is_polars():
        import polars as pl

        frame = pl.DataFrame(arrow_table(columns))
        return frame.lazy() if isinstance(wrapped, nw.LazyFrame) else frame
    if isinstance(wrapped, nw.LazyFrame):
        return arrow_table(columns)
    return nw.from_dict(_plain_columns(columns), backend=kind).to_native()


def arrow_table(columns: Mapping[str, Any]) -> Any:
    """Make a pyarrow Table; NaN and None become null.

    A column of None alone becomes text, and so does a column that mixes kinds of values, so that
    the type of a column never depends on luck.

    Examples
    --------
    >>> arrow_table({"t": np.array([61.5, np.nan])}).column("t").null_count
    1
    """
    import pyarrow as pa

    _common_length(columns)
    return pa.table({str(key): _arrow_array(values) for key, values in columns.items()})


# -- in -------------------------------------------------------------------------------------------


def _table(name: str, named: Sequence[tuple[str, Column]], rows: int) -> Table:
    columns: dict[str, Column] = {}
    for heading, column in named:
        if heading in columns:
            msg = f"{name}: two columns have the heading {heading!r}"
            raise UsageError(msg)
        if len(column) != rows:
            msg = f"{name}: the columns differ in length ({heading!r}: {len(column)}, not {rows})"
            raise UsageError(msg)
        columns[heading] = column
    return Table(name, columns, rows)


def _arrow_kind(frame: object) -> str:
    """Return ``"table"``, ``"batch"`` or nothing, without importing pyarrow for other frames."""
    if type(frame).__module__.partition(".")[0] != "pyarrow":
        return ""
    import pyarrow as pa

    if isinstance(frame, pa.RecordBatch):
        return "batch"
    return "table" if isinstance(frame, pa.Table | pa.RecordBatchReader) else ""


def _has_arrow_interface(frame: object) -> bool:
    return hasattr(frame, "__arrow_c_stream__") or hasattr(frame, "__arrow_c_array__")


def _wrapped(frame: object) -> Any:
    """Return the frame in narwhals' clothes, or None where narwhals does not know it."""
    import narwhals.stable.v2 as nw
    from narwhals.exceptions import DuplicateError

    try:
        wrapped: Any = nw.from_native(frame, pass_through=True, allow_series=True)
    except DuplicateError as error:
        msg = "two columns of the frame have the same heading"
        raise UsageError(msg) from error
    if isinstance(wrapped, nw.Series):
        raise _unknown_kind(frame)
    return wrapped if isinstance(wrapped, nw.DataFrame | nw.LazyFrame) else None


def _as_arrow(frame: object) -> Any:
    """Return a pyarrow Table, or None where the frame is better read through narwhals."""
    kind = _arrow_kind(frame)
    if not kind and (_wrapped(frame) is not None or not _has_arrow_interface(frame)):
        return None
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatchReader):
        return frame.read_all()
    try:
        if kind or not hasattr(frame, "__arrow_c_stream__"):
            return pa.Table.from_batches([pa.record_batch(frame)])
        return pa.table(frame)
    except (pa.ArrowInvalid, TypeError, ValueError) as error:
        raise _unknown_kind(frame) from error


def _with_subject(frame: object) -> object:
    """Return a pandas frame with an index level named ``subject`` as a column."""
    index = getattr(frame, "index", None)
    names = getattr(index, "names", None)
    if names is None or "subject" not in list(names):
        return frame
    pandas_frame: Any = frame
    if "subject" in pandas_frame.columns:
        return frame
    return pandas_frame.reset_index(level="subject")


def _eager(frame: object) -> Any:
    """Return a narwhals DataFrame; a lazy frame is collected."""
    import narwhals.stable.v2 as nw

    wrapped = _wrapped(frame)
    if wrapped is None:
        raise _unknown_kind(frame)
    return wrapped.collect() if isinstance(wrapped, nw.LazyFrame) else wrapped


def _unknown_kind(frame: object) -> UsageError:
    kind = type(frame)
    return UsageError(f"{kind.__module__}.{kind.__qualname__} is not {_KINDS}")


def _series_column(series: Any) -> Column:
    native = series.to_native()
    kind = getattr(native, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "Oiuf":  # pandas, and not its own kinds
        # It cannot say what an object column holds, and Arrow would turn [1, 2.5] into floats.
        return _array_column(native.to_numpy())
    try:
        arrow = series.to_arrow()
    except Exception:  # noqa: BLE001 - each library has its own errors for a column Arrow cannot hold
        return encode(map(_plain, series.to_list()))
    return _arrow_column(arrow)


def _any_column(values: object, heading: str) -> Column:
    """Encode one column of a mapping: an array, a list, a series."""
    if isinstance(values, Column):
        return values
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            msg = f"column {heading!r} has {values.ndim} dimensions, not one"
            raise UsageError(msg)
        return _array_column(values)
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        return _list_column(list(values))
    if type(values).__module__.partition(".")[0] == "pyarrow":
        return _arrow_column(values)
    import narwhals.stable.v2 as nw

    series: Any = nw.from_native(values, series_only=True, pass_through=True)
    if isinstance(series, nw.Series):
        return _series_column(series)
    msg = f"column {heading!r} is not an array, a list or a series"
    raise UsageError(msg)


def _array_column(values: NDArray[Any]) -> Column:
    import pyarrow as pa

    if values.dtype == object:
        return _object_column(values)
    column = _small_numbers(values) if values.dtype.kind in "iuf" else None
    return _arrow_column(pa.array(values)) if column is None else column


def _object_column(values: NDArray[Any]) -> Column:
    import pyarrow as pa

    try:
        # Succeeds for text and empty cells only: by far the usual case, and without a Python loop.
        return _arrow_column(pa.array(values, type=pa.large_string(), from_pandas=True))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return encode(map(_plain, values.tolist()))


def _list_column(values: list[Any]) -> Column:
    if all(isinstance(value, str) for value in values):
        return encode(values)
    return encode(map(_plain, values))


def _arrow_column(array: Any) -> Column:
    """Encode a pyarrow Array or ChunkedArray."""
    import pyarrow as pa

    chunks = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    if pa.types.is_null(chunks.type) or not len(chunks):
        return Column(np.full(len(chunks), -1, dtype=np.int32), ())
    if pa.types.is_integer(chunks.type) or pa.types.is_floating(chunks.type):
        column = _arrow_numbers(chunks)
    else:
        column = _arrow_texts(chunks)
    if column is not None:
        return column
    try:
        encoded = _dictionary(chunks)
        indices = encoded.indices.cast(pa.int32()).fill_null(-1)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        # Lists and the like have no dictionary; those of several chunks may not fit into one.
        return encode(map(_plain, chunks.to_pylist()))
    index = indices.to_numpy(zero_copy_only=False)
    values = _python_values(encoded.dictionary)
    if chunks.type in (pa.int64(), pa.string(), pa.large_string()):
        return Column(index, tuple(values))  # encoded just now: distinct, and all in use
    return _compact(index, values)


def _arrow_numbers(chunks: Any) -> Column | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    empty = chunks.null_count and not pa.types.is_floating(chunks.type)  # those have NaN
    if not empty:
        return _small_numbers(chunks.to_numpy())
    if chunks.type == pa.int8() and chunks.num_chunks == 1:
        column = _bytes_with_gaps(chunks.chunk(0))
        if column is not None:
            return column
    least = 0 if pa.types.is_unsigned_integer(chunks.type) else -(1 << chunks.type.bit_width - 1)
    ends = pc.min_max(chunks)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    if low is None or high - low > _CLOSE or low == least < 0:
        return None
    if low == least:
        chunks = chunks.cast(pa.int16())
    numbers = chunks.fill_null(pa.scalar(low - 1, chunks.type)).to_numpy()
    return Column(_differences(numbers, low), tuple(range(low, high + 1)))


def _bytes_with_gaps(array: Any) -> Column | None:
    """Encode bytes of at least 0, some of them null, as they are; None for other bytes."""
    bits, data = (np.frombuffer(buffer, dtype=np.uint8) for buffer in array.buffers())
    rows = slice(array.offset, array.offset + len(array))
    is_there = np.unpackbits(bits, count=rows.stop, bitorder="little")[rows]
    index = data[rows] | (is_there - np.uint8(1))  # all bits where there is nothing: −1
    if np.count_nonzero(index > _MOST) != array.null_count or array.null_count == len(array):
        return None
    signed = index.view(np.int8)
    return Column(signed, tuple(range(int(signed.max()) + 1)))


def _small_numbers(numbers: NDArray[Any]) -> Column | None:
    """Encode whole numbers that lie close together, as answers do: without a dictionary.

    NaN is an empty cell. For other numbers there is no such column.
    """
    if not len(numbers):
        return None
    if numbers.dtype.kind in "iu":
        low, high = int(numbers.min()), int(numbers.max())
        if high - low > _CLOSE:
            return None
        return Column(_differences(numbers, low), tuple(range(low, high + 1)))
    least, most = float(np.fmin.reduce(numbers)), float(np.fmax.reduce(numbers))
    if not (least.is_integer() and most - least <= _CLOSE and abs(least) < _EXACT):
        return None
    index = np.empty(len(numbers), dtype=np.int8)
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        above = block - numbers.dtype.type(least)
        above[np.isnan(above)] = -1
        part = index[start : start + _BLOCK]
        part[:] = above
        if not ((part + numbers.dtype.type(least) == block) | (part < 0)).all():
            return None
    return Column(index, tuple(least + place for place in range(int(most - least) + 1)))


def _differences(numbers: NDArray[Any], low: int) -> NDArray[np.int8]:
    """Return how far above the lowest each number is, at most `_CLOSE`; −1 for one below."""
    bytes_ = numbers.astype(np.int8, copy=False)  # all of this is modulo 256
    lowest = np.uint8(low & 255).view(np.int8)
    return bytes_ - lowest if lowest else bytes_


def _arrow_texts(chunks: Any) -> Column | None:
    """Take over texts that are almost all different, as references are: without a dictionary."""
    import pyarrow as pa

    if not (pa.types.is_string(chunks.type) or pa.types.is_large_string(chunks.type)):
        return None
    if len(chunks) < _HEAD or len(chunks.slice(0, _HEAD).unique()) < _HEAD * 9 // 10:
        return None
    whole = chunks.cast(pa.large_string()).combine_chunks()
    starts = np.frombuffer(whole.buffers()[1], dtype=np.int64)
    starts = starts[whole.offset : whole.offset + len(whole) + 1]
    data = np.frombuffer(whole.buffers()[2], dtype=np.uint8)[starts[0] : starts[-1]]
    index = np.arange(len(whole), dtype=np.int32)
    if whole.null_count:
        index[~whole.is_valid().to_numpy(zero_copy_only=False)] = -1
    return Column(index, Texts(starts - starts[0], data))


def _dictionary(chunks: Any) -> Any:
    """Return one pyarrow DictionaryArray."""
    import pyarrow as pa

    if isinstance(chunks.type, pa.BaseExtensionType):
        chunks = chunks.cast(chunks.type.storage_type)
    if not pa.types.is_dictionary(chunks.type):
        return chunks.combine_chunks().dictionary_encode()
    return chunks.unify_dictionaries().combine_chunks()


def _python_values(dictionary: Any) -> list[Cell]:
    import pyarrow as pa

    kind = dictionary.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":  # Python's datetime knows microseconds
        dictionary = dictionary.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        dictionary = dictionary.cast(pa.duration("us"), safe=False)
    elif pa.types.is_time64(kind) and kind.unit == "ns":
        dictionary = dictionary.cast(pa.time64("us"), safe=False)
    values: list[Cell] = dictionary.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return values
    if pa.types.is_floating(kind):
        return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN
    return [_plain(value) for value in values]


def _compact(index: NDArray[np.int32], values: Sequence[Cell]) -> Column:
    """Return a column whose values are distinct, not empty, and all in use."""
    used = np.zeros(len(values) + 1, dtype=bool)  # the last one serves the index −1
    used[index] = True
    if used[:-1].all() and {*map(type, values)} <= {str, int} and len({*values}) == len(values):
        return Column(index, tuple(values))  # by far the usual case
    target = np.full(len(values) + 1, -1, dtype=np.int32)
    places: dict[tuple[type, Cell], int] = {}
    for place, (value, is_used) in enumerate(zip(values, used.tolist(), strict=False)):
        if is_used and value is not None:
            target[place] = places.setdefault((type(value), value), len(places))
    return Column(target[index], tuple(value for _, value in places))


def _plain(cell: Any) -> Cell:  # noqa: PLR0911 - one for each kind
    """Return the plain Python value of a cell, None where it is empty."""
    try:
        hash(cell)
    except TypeError:
        return str(cell)
    if isinstance(cell, np.datetime64):
        return _plain(cell.astype("datetime64[us]").item())
    if isinstance(cell, np.generic):
        return _plain(cell.item())
    if cell is None or type(cell).__name__ in {"NAType", "NaTType"}:
        return None
    if isinstance(cell, float | Decimal) and cell != cell:  # noqa: PLR0124 - NaN
        return None
    if isinstance(cell, Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if hasattr(cell, "to_pydatetime"):  # pandas' Timestamp
        return _plain(cell.to_pydatetime(warn=False))
    value: Cell = cell
    return value


# -- out ------------------------------------------------------------------------------------------


def _common_length(columns: Mapping[str, Any]) -> int:
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        msg = f"the columns differ in length: {sorted(lengths)}"
        raise UsageError(msg)
    return lengths.pop() if lengths else 0


def _pandas_frame(columns: Mapping[str, Any], rows: int, like: Any) -> Any:
    import pandas as pd

    index = like.index if like is not None and len(like) == rows else pd.RangeIndex(rows)
    return pd.DataFrame(
        {key: _pandas_values(values) for key, values in columns.items()}, index=index
    )


def _plain_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _object_array(values) if isinstance(values, Column) else values
        for key, values in columns.items()
    }


def _object_array(column: Column) -> NDArray[np.object_]:
    cells = np.empty(len(column), dtype=object)
    cells[:] = column.cells()
    return cells


def _pandas_values(values: Any) -> Any:
    """Return object arrays as lists, so that pandas looks for what they hold."""
    if isinstance(values, Column):
        return values.cells()
    if isinstance(values, np.ndarray) and values.dtype == object:
        return values.tolist()
    return values


def _no_rows(columns: Mapping[str, Any]) -> Any:
    import pyarrow as pa

    table = arrow_table(columns)
    return pa.RecordBatch.from_arrays(
        [pa.array([], type=field.type) for field in table.schema], schema=table.schema
    )


def _arrow_array(values: Any) -> Any:
    import pyarrow as pa

    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if isinstance(values, Column):
        index = pa.array(values.index, mask=values.index < 0)
        return _arrow_array(values.values).take(index)
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        array = pa.array(_texts(values), type=pa.string())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _texts(values: Iterable[Any]) -> list[str | None]:
    plain = map(_plain, values)
    return [None if value is None else str(value) for value in plain]
