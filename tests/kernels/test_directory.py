import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.kernels.directory import Directory

ROWS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 2**40, 2**64 - 1])))


def words(rows):
    return np.array(rows, dtype=np.uint64).reshape(-1, 2).T


@given(known=ROWS, wanted=ROWS)
def test_each_row_is_found_where_it_first_stands_and_no_other_is(known, wanted):
    directory = Directory(words(known))
    assert directory.first.tolist() == [known.index(row) for row in known]
    found = directory.find(words(wanted)).tolist()
    assert found == [known.index(row) if row in known else -1 for row in wanted]


def test_a_hundred_thousand_rows_that_collide_are_told_apart():
    number = np.arange(100_000, dtype=np.uint64)
    rows = np.stack([number % np.uint64(7), number << np.uint64(40)])
    directory = Directory(rows)
    shuffled = np.random.default_rng(1).permutation(len(number))
    assert np.array_equal(directory.first, np.arange(len(number)))
    assert np.array_equal(directory.find(rows[:, shuffled]), shuffled)
    assert (directory.find(rows + np.uint64(1)) == -1).all()
