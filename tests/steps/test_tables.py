"""Tables as they come in: some of their rows are the same rows, however they are taken."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.steps.tables import Column, Table, encode, slice_rows, take_rows
from mhscreen.steps.texts import Texts


def texts_column(cells):
    """A column of texts, side by side in memory."""
    filled = [cell for cell in cells if cell is not None]
    places = iter(range(len(filled)))
    index = [-1 if cell is None else next(places) for cell in cells]
    return Column(np.array(index, dtype=np.int32), Texts.of(filled))


@given(
    cells=st.lists(st.one_of(st.none(), st.text("ab", max_size=3), st.integers(0, 200).map(str))),
    ends=st.tuples(st.integers(0, 300), st.integers(0, 300)),
    numbered=st.booleans(),
)
def test_neighbouring_rows_are_the_same_sliced_or_taken(cells, ends, numbered):
    cells = cells * 9  # more different ones than are carried along unused
    start, end = sorted(min(one, len(cells)) for one in ends)
    numbers = np.arange(len(cells)) * 2 + 5 if numbered else None
    columns = {"a": encode(cells), "b": texts_column(cells)}
    table = Table("t", columns, len(cells), numbers)
    sliced = slice_rows(table, start, end)
    taken = take_rows(table, np.arange(start, end))
    assert sliced.rows == taken.rows == end - start
    assert sliced.numbers.tolist() == taken.numbers.tolist()
    for name in columns:
        assert sliced.columns[name].cells() == taken.columns[name].cells() == cells[start:end]
