"""References are read and joined as arrays; what they mean is what one cell after another means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.steps.cells import map_column
from mhscreen.steps.references import Names, parse_subject, read_references
from mhscreen.steps.tables import Column, Table, concatenate, distinct, encode, take_rows
from mhscreen.steps.texts import Texts

CELLS = st.one_of(
    st.text(max_size=12),
    st.text(st.sampled_from(list("A1-+ .\t\0É３")), max_size=5),
    st.sampled_from(
        ["A1", " A1", "3.7E+17", "3.70202E+17", "na", "x" * 64, "x" * 65, "\0", "A1\0"]
    ),
)


def column_of(cells):
    return Column(np.arange(len(cells), dtype=np.int32), Texts.of(cells))


@given(st.lists(CELLS))
def test_texts_are_the_strings_that_they_were_made_of(cells):
    texts = Texts.of(cells)
    assert list(texts) == texts[:] == [texts[place] for place in range(len(texts))] == cells
    backwards = texts.take(np.arange(len(cells))[::-1])
    assert list(backwards) == cells[::-1]
    assert backwards.equals(Texts.of(cells[::-1]))
    assert list(Texts.together([texts, backwards])) == cells + cells[::-1]


@given(st.lists(CELLS), st.text(max_size=3))
def test_the_texts_that_begin_alike_are_found(cells, start):
    assert Texts.of(cells).begin_with(start).tolist() == [one.startswith(start) for one in cells]


@given(st.lists(CELLS), st.booleans())
def test_references_read_together_are_those_read_one_by_one(cells, in_bytes):
    column = column_of(cells) if in_bytes else encode(cells)
    read = read_references(column)
    named, bad = map_column(encode(cells), parse_subject, None, "O")
    assert [read[row] for row in range(len(read))] == named.tolist()
    assert read.lost.tolist() == np.flatnonzero(bad).tolist()
    assert read.nobody.tolist() == [row for row, name in enumerate(named) if name is None]


@given(known=st.lists(CELLS), wanted=st.lists(CELLS))
def test_references_are_joined_as_by_a_dictionary(known, wanted):
    places = {name: place for place, name in reversed(list(enumerate(known)))}
    names = Names(Texts.of(known))
    assert names.first.tolist() == [places[name] for name in known]
    assert names.find(Texts.of(wanted)).tolist() == [places.get(name, -1) for name in wanted]
    assert names.find(Texts.of(known)).tolist() == names.first.tolist()


@given(st.lists(CELLS, min_size=1), st.data())
def test_rows_taken_and_put_together_keep_their_cells(cells, data):
    table = Table("t", {"subject": column_of(cells)}, len(cells))
    rows = np.array(data.draw(st.lists(st.integers(0, len(cells) - 1))), dtype=np.int64)
    some = take_rows(table, rows)
    assert some.columns["subject"].cells() == [cells[row] for row in rows]
    both = concatenate([some, table]).columns["subject"]
    assert both.cells() == [cells[row] for row in rows] + cells
    index = distinct(both).index
    cells = both.cells()
    for one, other in zip(range(len(cells)), reversed(range(len(cells))), strict=True):
        assert (index[one] == index[other]) == (cells[one] == cells[other])


def test_a_place_beyond_the_texts_is_an_error():
    with pytest.raises(IndexError):
        Texts.of(["A1"])[1]
