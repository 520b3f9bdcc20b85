"""Dataframes of every kind come in as the same table and go out as the kind they were."""
# ruff: noqa: PD011 - the values of a Column are no attribute of pandas

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mhscreen
from mhscreen.frames import arrow_table, from_columns, to_table
from mhscreen.problems import UsageError
from mhscreen.steps.texts import Texts

SUBJECTS = ["A1", "A2", None]
ANSWERS = [3, None, 0]
SCORES = [1.5, None, 24.0]
YES = [True, None, False]
DATES = [date(2026, 10, 15), None, date(2026, 1, 2)]
TIMES = [datetime(2026, 10, 15, 8, 30), None, datetime(2026, 1, 2)]  # noqa: DTZ001 - as frames hold
CELLS = {"subject": SUBJECTS, "q1": ANSWERS, "t": SCORES, "yes": YES, "day": DATES, "at": TIMES}


class ArrowOnly:
    """A frame of a library that is known only by the Arrow interface."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class ArrowArrayOnly:
    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


def pandas_frame():
    frame = pd.DataFrame({"subject": SUBJECTS, "t": SCORES})
    frame.insert(1, "q1", pd.array(ANSWERS, dtype="Int64"))
    frame["yes"] = pd.array(YES, dtype="boolean")
    frame["day"] = pd.Series(DATES, dtype=object)
    frame["at"] = pd.Series(TIMES, dtype="datetime64[ns]")
    return frame


KINDS = {
    "pandas": pandas_frame,
    "pandas on Arrow": lambda: pa.table(CELLS).to_pandas(types_mapper=pd.ArrowDtype),
    "Polars": lambda: pl.DataFrame(CELLS),
    "lazy Polars": lambda: pl.LazyFrame(CELLS),
    "Arrow": lambda: pa.table(CELLS),
    "Arrow in chunks": lambda: pa.concat_tables([pa.table(CELLS)[:2], pa.table(CELLS)[2:]]),
    "Arrow batch": lambda: pa.RecordBatch.from_pydict(CELLS),
    "Arrow interface": lambda: ArrowOnly(pa.table(CELLS)),
    "Arrow array interface": lambda: ArrowArrayOnly(pa.RecordBatch.from_pydict(CELLS)),
    "dict of lists": lambda: CELLS,
    "dict of arrays": lambda: {key: np.array(cells, dtype=object) for key, cells in CELLS.items()},
    "dict of series": lambda: {key: pl.Series(cells) for key, cells in CELLS.items()},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_cells(kind):
    table = to_table(KINDS[kind](), "answers")
    found = {heading: column.cells() for heading, column in table.columns.items()}
    assert found == CELLS
    assert (table.name, table.rows, table.row_numbers, table.broken_rows) == (
        "answers",
        3,
        None,
        (),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_gives_the_same_types(kind):
    columns = to_table(KINDS[kind](), "answers").columns
    types = {
        heading: {type(value) for value in column.values} for heading, column in columns.items()
    }
    assert types == {
        "subject": {str}, "q1": {int}, "t": {float}, "yes": {bool}, "day": {date}, "at": {datetime},
    }  # fmt: skip
    dtypes = {column.index.dtype for column in columns.values()}
    assert dtypes <= {np.dtype(np.int8), np.dtype(np.int32)}


def test_a_table_is_returned_as_it_is():
    table = to_table(CELLS, "answers")
    assert to_table(table, "another name") is table


@pytest.mark.parametrize(
    "nothing", [None, float("nan"), np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("nan")]
)
def test_each_way_to_say_nothing_is_an_empty_cell(nothing):
    frame = pd.DataFrame({"q1": pd.Series([nothing, 1, "x"], dtype=object)})
    assert to_table(frame, "answers").columns["q1"].cells() == [None, 1, "x"]


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, dict])
def test_a_nan_among_floats_is_an_empty_cell(make):
    columns = to_table(make({"t": np.array([np.nan, 1.5])}), "answers").columns
    assert columns["t"].index.tolist() == [-1, 0]
    assert columns["t"].values == (1.5,)


def test_mixed_cells_keep_their_types():
    cells = [1, 1.0, True, "1", None, date(2026, 1, 2)]
    for frame in (pd.DataFrame({"q1": pd.Series(cells, dtype=object)}), {"q1": cells}):
        found = to_table(frame, "answers").columns["q1"]
        assert [type(cell) for cell in found.cells()] == [type(cell) for cell in cells]
        assert len(found.values) == 5


def test_mixed_cells_after_many_texts_keep_their_types():
    cells = [*["often"] * 300, 1, 2.5, None]
    frame = pd.DataFrame({"q1": pd.Series(cells, dtype=object)})
    assert to_table(frame, "answers").columns["q1"].cells() == cells


def test_numpy_and_pandas_scalars_become_plain():
    cells = [np.int64(3), np.float32(0.5), pd.Timestamp("2026-01-02"), np.datetime64("2026-01-02")]
    found = to_table({"q1": cells}, "answers").columns["q1"].cells()
    assert [type(cell) for cell in found] == [int, float, datetime, datetime]


def test_whole_decimals_are_integers():
    table = pa.table({"q1": pa.array([Decimal("3.0"), Decimal("1.5")])})
    found = to_table(table, "answers").columns["q1"].cells()
    assert found == [3, 1.5]
    assert type(found[0]) is int


def test_a_list_in_a_cell_becomes_text_and_breaks_nothing():
    for frame in (pl.DataFrame({"q1": [[1], [2]]}), pd.DataFrame({"q1": [[1], [2]]})):
        assert to_table(frame, "answers").columns["q1"].cells() == ["[1]", "[2]"]


@pytest.mark.parametrize(
    "chunks",
    [
        [["a", "b", "b"], ["c", None, "a"]],
        [[str(n) for n in range(100)], [str(n) for n in range(100, 200)]],  # too many for one byte
        [["a", None], [None, "b"]],
    ],
)
@pytest.mark.parametrize("null_is_a_category", [False, True])
def test_chunks_that_each_have_their_own_categories_give_one_column(chunks, null_is_a_category):
    how = "encode" if null_is_a_category else "mask"
    coded = [pa.array(cells).dictionary_encode(null_encoding=how) for cells in chunks]
    small = [
        pa.DictionaryArray.from_arrays(one.indices.cast(pa.int8()), one.dictionary) for one in coded
    ]
    found = to_table(pa.table({"q1": pa.chunked_array(small)}), "answers").columns["q1"]
    assert found.cells() == [cell for cells in chunks for cell in cells]


def test_categories_that_no_row_uses_are_left_out():
    pandas_column = pd.Categorical(["b", None, "b"], categories=["a", "b", "c"])
    polars_column = pl.Series(["b", None, "b"], dtype=pl.Enum(["a", "b", "c"]))
    for frame in (pd.DataFrame({"q1": pandas_column}), pl.DataFrame({"q1": polars_column})):
        column = to_table(frame, "answers").columns["q1"]
        assert column.values == ("b",)
        assert column.index.tolist() == [0, -1, 0]


def test_categories_of_numbers_stay_numbers():
    frame = pd.DataFrame({"q1": pd.Categorical([3, None, 0])})
    assert to_table(frame, "answers").columns["q1"].cells() == [3, None, 0]


def test_chunks_with_different_dictionaries_are_brought_together():
    chunks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c", "b"]).dictionary_encode()]
    table = pa.table({"q1": pa.chunked_array(chunks)})
    assert to_table(table, "answers").columns["q1"].cells() == ["a", "b", "c", "b"]


def test_text_stays_as_it_was_typed():
    cells = ["３", " 3 ", "", "从不"]
    for frame in (pd.DataFrame({"q1": cells}), pl.DataFrame({"q1": cells}), {"q1": cells}):
        assert to_table(frame, "answers").columns["q1"].cells() == cells


def test_an_index_named_subject_is_a_column():
    frame = pd.DataFrame({"q1": [3, 0]}, index=pd.Index(["A1", "A2"], name="subject"))
    assert to_table(frame, "answers").columns["subject"].cells() == ["A1", "A2"]
    deeper = frame.set_index("q1", append=True)
    deeper["q2"] = [1, 2]
    assert list(to_table(deeper, "answers").columns) == ["subject", "q2"]


def test_a_column_named_subject_goes_before_the_index():
    frame = pd.DataFrame({"subject": ["A1"]}, index=pd.Index(["other"], name="subject"))
    assert to_table(frame, "answers").columns["subject"].cells() == ["A1"]


def test_another_index_is_not_a_column():
    frame = pd.DataFrame({"q1": [3]}, index=pd.Index(["x"], name="line"))
    assert list(to_table(frame, "answers").columns) == ["q1"]


def test_headings_that_are_numbers_become_text():
    assert list(to_table(pd.DataFrame({1: [3], 2: [4]}), "answers").columns) == ["1", "2"]


def test_an_empty_frame_is_a_table_without_rows():
    for make in (pd.DataFrame, pl.DataFrame, pa.table, dict):
        table = to_table(make({"q1": []}), "answers")
        assert (table.rows, table.columns["q1"].values) == (0, ())
    assert to_table({}, "answers").rows == 0


@pytest.mark.parametrize(
    "frame",
    [
        None,
        3,
        "answers.csv",
        [{"q1": 1}],
        np.zeros((2, 2)),
        pd.Series([1]),
        pl.Series([1]),
        pa.array([1]),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_what_is_no_frame_is_refused(frame):
    with pytest.raises(UsageError, match="is not a pandas or Polars frame"):
        to_table(frame, "answers")


@pytest.mark.parametrize("like", [3, "answers.csv", pd.Series([1])], ids=str)
def test_no_frame_is_made_like_what_is_no_frame(like):
    with pytest.raises(UsageError, match="is not a pandas or Polars frame"):
        from_columns({"t": [1]}, like)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, 2]], columns=["q1", "q1"]),
        pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["q1", "q1"]),
        {1: [1], "1": [2]},
    ],
    ids=["pandas", "Arrow", "dict"],
)
def test_two_columns_of_one_heading_are_refused(frame):
    with pytest.raises(UsageError, match=r"two columns .*have the"):
        to_table(frame, "answers")


@pytest.mark.parametrize(
    "columns", [{"a": [1], "b": [1, 2]}, {"a": np.zeros((2, 2))}, {"a": "text"}, {"a": 3}], ids=str
)
def test_columns_that_are_no_columns_are_refused(columns):
    with pytest.raises(UsageError):
        to_table(columns, "answers")


RESULTS = {
    "subject": np.array(["A1", None], dtype=object),
    "score": np.array([7.5, np.nan]),
    "answered": np.array([9, 0], dtype=np.int64),
    "due_at": np.array(["2026-10-15T08:00", "NaT"], dtype="datetime64[s]"),
    "none": np.array([None, None], dtype=object),
}


def test_a_pandas_frame_comes_back_with_its_index():
    like = pd.DataFrame({"q1": [1, 2]}, index=["x", "y"])
    frame = from_columns(RESULTS, like)
    assert frame.index.tolist() == ["x", "y"]
    assert frame["score"].dtype == np.float64
    assert frame["answered"].dtype == np.int64
    assert frame["due_at"].dtype.kind == "M"
    assert frame["subject"].dtype == pd.Series(["A1", None]).dtype
    assert frame["subject"].isna().tolist() == [False, True]


def test_pandas_is_the_kind_where_none_is_given():
    for like in (None, to_table(CELLS, "answers")):
        frame = from_columns(RESULTS, like)
        assert type(frame) is pd.DataFrame
        assert frame.index.tolist() == [0, 1]


def test_an_index_of_another_length_is_not_lent():
    assert from_columns(RESULTS, pd.DataFrame(index=["x"])).index.tolist() == [0, 1]


def test_a_polars_frame_comes_back():
    frame = from_columns(RESULTS, pl.DataFrame())
    assert frame.dtypes[:3] == [pl.String, pl.Float64, pl.Int64]
    assert frame.schema["due_at"].is_temporal()
    assert frame.schema["none"] == pl.String
    assert frame["score"].to_list() == [7.5, None]
    assert from_columns(RESULTS, pl.LazyFrame()).collect().equals(frame)


def test_an_arrow_table_comes_back():
    table = from_columns(RESULTS, pa.table({}))
    assert table.schema.types[:3] == [pa.string(), pa.float64(), pa.int64()]
    assert table["score"].to_pylist() == [7.5, None]
    assert table.schema.metadata is None
    assert from_columns(RESULTS, ArrowOnly(pa.table({}))).equals(table)


@pytest.mark.parametrize("rows", [0, 2])
def test_an_arrow_batch_comes_back(rows):
    columns = {key: values[:rows] for key, values in RESULTS.items()}
    batch = from_columns(columns, pa.RecordBatch.from_pydict({"q1": [1]}))
    assert isinstance(batch, pa.RecordBatch)
    assert (batch.num_rows, batch.schema.names) == (rows, list(RESULTS))


def test_a_dict_comes_back():
    assert from_columns({"t": [1, 2]}, {"q1": [3, 4]}) == {"t": [1, 2]}


@pytest.mark.parametrize("kind", ["pandas", "Polars", "Arrow", "dict of lists"])
def test_what_goes_out_comes_in_unchanged(kind):
    columns = {"subject": SUBJECTS, "t": np.array([1.5, np.nan, 24.0]), "n": np.arange(3)}
    table = to_table(from_columns(columns, KINDS[kind]()), "results")
    assert {key: column.cells() for key, column in table.columns.items()} == {
        "subject": SUBJECTS, "t": SCORES, "n": [0, 1, 2],
    }  # fmt: skip


def test_columns_of_unequal_length_make_no_frame():
    for like in (None, {}, pa.table({})):
        with pytest.raises(UsageError, match="differ in length"):
            from_columns({"a": [1], "b": [1, 2]}, like)


def test_a_column_of_mixed_kinds_becomes_text_in_arrow():
    assert arrow_table({"a": [1, "x", None]})["a"].to_pylist() == ["1", "x", None]


def test_times_with_a_zone_keep_it():
    at = datetime(2026, 10, 15, 8, tzinfo=UTC)
    assert to_table(pl.DataFrame({"at": [at]}), "answers").columns["at"].cells() == [at]


def test_the_module_imports_no_dataframe_library():
    libraries = {"narwhals", "pandas", "polars", "pyarrow"}
    code = f"import sys, mhscreen.frames; print(sorted(sys.modules.keys() & {libraries}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(mhscreen.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("chunks", [1, 3])
def test_references_of_which_almost_all_differ_keep_their_cells_and_gaps(chunks):
    cells = [f"P-{n * 7}" if n % 1000 else None for n in range(9000)] + ["三班", "", "P-7"]
    array = pa.chunked_array([cells[start::chunks] for start in range(chunks)])
    for part in (array, array.slice(5, 7000)):
        column = to_table(pa.table({"subject": part}), "answers").columns["subject"]
        assert isinstance(column.values, Texts)
        assert column.cells() == part.to_pylist()


WHOLE = [pa.int8(), pa.int16(), pa.int64(), pa.uint8(), pa.uint64(), pa.float32(), pa.float64()]


@given(st.data())
def test_numbers_keep_their_cells_whatever_their_type_and_range(data):
    kind = data.draw(st.sampled_from(WHOLE))
    lowest = 0 if "uint" in str(kind) else -(2 ** (kind.bit_width - 1))
    highest = lowest + 2**kind.bit_width - 1
    if pa.types.is_floating(kind):
        numbers = st.one_of(st.integers(-3, 130).map(float), st.floats(width=kind.bit_width))
    else:
        numbers = st.sampled_from([lowest, 0, highest]).flatmap(
            lambda end: st.integers(max(lowest, end - 130), min(highest, end + 130))
        )
    cells = data.draw(st.lists(st.none() | numbers, max_size=9))
    array = pa.array(cells, kind)
    found = to_table(pa.table({"a": array}), "answers").columns["a"].cells()
    empty = [None if one is None or one != one else one for one in array.to_pylist()]  # noqa: PLR0124
    assert found == empty
    assert [type(one) for one in found] == [type(one) for one in empty]
