"""Answers come in as they are: no blank becomes a number, no form is dropped unsaid."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import as_answers

NAN = np.nan
COLUMNS = {"q1": [0, None, 3], "q2": [1, 2, 3]}
EXPECTED = np.array([[0, 1], [NAN, 2], [3, 3]])
FRAMES = {
    "pandas": pd.DataFrame(COLUMNS),
    "pandas nullable": pd.DataFrame(COLUMNS, dtype="Int64"),
    "pandas arrow": pd.DataFrame(COLUMNS, dtype="float64[pyarrow]"),
    "pandas objects": pd.DataFrame({"q1": [0, pd.NA, 3], "q2": [1, 2, 3]}, dtype=object),
    "polars": pl.DataFrame(COLUMNS),
    "polars lazy": pl.LazyFrame(COLUMNS),
    "arrow": pa.table(COLUMNS),
    "mapping": COLUMNS,
    "mapping of series": {"q1": pl.Series(COLUMNS["q1"]), "q2": pd.Series(COLUMNS["q2"])},
    "array": np.array([[0, 1], [NAN, 2], [3, 3]]),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_every_kind_of_frame_gives_the_same_answers(kind):
    names = ["q1", "q2"] if kind == "array" else None
    taken = as_answers(FRAMES[kind], names)
    assert taken.items == ("q1", "q2")
    assert taken.is_whole
    np.testing.assert_array_equal(taken.values(), EXPECTED)


@given(
    st.lists(
        st.lists(st.sampled_from([None, -127, -1, 0, 1, 4, 127]), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    )
)
def test_one_byte_keeps_every_answer_and_every_blank(rows):
    matrix = np.array(rows, dtype=float)
    taken = as_answers(matrix)
    assert taken.is_whole
    np.testing.assert_array_equal(taken.values(), matrix)
    np.testing.assert_array_equal(taken.answered().T, ~np.isnan(matrix))
    np.testing.assert_array_equal(taken.complete(), ~np.isnan(matrix).any(axis=1))
    for row, known, places in zip(taken.cells, taken.categories(), taken.places(), strict=True):
        assert list(known) == sorted({int(cell) for cell in row if cell != -128})
        again = [known[place] if place >= 0 else -128 for place in places]
        assert again == list(row)


def test_measurements_keep_their_fractions():
    taken = as_answers({"x": [1.5, 2.25, None], "y": [1, 2, 3]})
    assert not taken.is_whole
    np.testing.assert_array_equal(taken.values(), [[1.5, 1], [2.25, 2], [NAN, 3]])
    assert [list(known) for known in taken.categories()] == [[1.5, 2.25], [1, 2, 3]]
    np.testing.assert_array_equal(taken.places(), [[0, 1, -1], [0, 1, 2]])


def test_a_large_number_does_not_become_another_one():
    np.testing.assert_array_equal(as_answers({"x": [300, 44]}).values(), [[300], [44]])


def test_a_number_for_no_answer_is_a_blank_when_it_is_named():
    for answers in (np.array([[0, -1], [2, 3]], dtype=np.int8), {"a": [0, 2], "b": [-1, 3]}):
        taken = as_answers(answers, blank=-1)
        np.testing.assert_array_equal(taken.values(), [[0, NAN], [2, 3]])
    large = as_answers({"a": [0, 2], "b": [999, 3]}, blank=999)
    assert large.is_whole
    np.testing.assert_array_equal(large.values(), [[0, NAN], [2, 3]])


@pytest.mark.parametrize("values", [[0, None, 3], [0.5, None, 3]])
def test_a_reversed_item_is_turned_round_and_its_blank_stays_blank(values):
    taken = as_answers({"q1": values, "q2": [1, 2, 3]}, reverse=["q1"], between=(0, 3))
    turned = [3 - values[0], NAN, 0]
    np.testing.assert_array_equal(taken.values(), np.array([turned, [1, 2, 3]]).T)


def test_items_can_be_picked_in_any_order_and_the_weights_are_no_item():
    frame = pd.DataFrame({"q1": [1, 2], "q2": [3, 4], "w": [0.5, 2]})
    taken = as_answers(frame, weights="w")
    assert taken.items == ("q1", "q2")
    np.testing.assert_array_equal(taken.weights, [0.5, 2])
    picked = as_answers(taken, ["q2"])
    assert picked.items == ("q2",)
    np.testing.assert_array_equal(picked.weights, [0.5, 2])
    np.testing.assert_array_equal(picked.only(np.array([False, True])).weights, [2])


def test_the_text_of_answers_shows_no_answer():
    assert repr(as_answers({"q1": [3, 1]})) == "<Answers: 1 items, 2 forms>"


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: as_answers(3), "is not a frame"),
        (lambda: as_answers({}), "there is no item"),
        (lambda: as_answers({"a": [1]}, ["b"]), "no column b"),
        (lambda: as_answers({"a": [1]}, "a"), "a list of names"),
        (lambda: as_answers({"a": [1]}, ["a", "a"]), "named twice: a"),
        (lambda: as_answers({"a": [1], "b": [1, 2]}), "differ in length"),
        (lambda: as_answers({"a": [1]}, weights="w"), "no column 'w'"),
        (lambda: as_answers(np.ones((2, 2)), weights="w"), "only of a frame"),
        (lambda: as_answers({"a": [1]}, weights=[1, 2]), "one per form"),
        (lambda: as_answers({"a": [1]}, weights=["x"]), "numbers are expected"),
        (lambda: as_answers({"a": [1]}, reverse=["a"]), "reverse needs 'between'"),
        (lambda: as_answers({"a": [1]}, reverse=["b"], between=(0, 1)), "no item b"),
        (lambda: as_answers({"a": [1]}, between=(1, 0)), "a lower and a higher"),
        (lambda: as_answers(np.ones(3)), "of 1 dimensions"),
        (lambda: as_answers(np.ones((2, 2)), ["a"]), "1 names for 2 columns"),
        (lambda: as_answers({"a": [1]}).pick(["b"]), "no item b"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(call, words):
    with pytest.raises(UsageError, match=words):
        call()


def test_text_and_infinity_are_named_by_column_and_never_shown():
    columns = {"name": ["Li", "Wang"], "q1": [1, float("inf")], "q2": [1, object()], "q3": [1, 2]}
    with pytest.raises(AnalysisError) as caught:
        as_answers(columns)
    assert [(one.code, one.path) for one in caught.value.problems] == [
        ("MH701", "name"),
        ("MH701", "q1"),
        ("MH701", "q2"),
    ]
    assert "Li" not in str(caught.value)
