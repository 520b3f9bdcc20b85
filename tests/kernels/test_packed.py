"""Five sums share one integer and never run into each other."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.kernels.packed import (
    LARGEST_SUM,
    MOST_ITEMS,
    max_packed,
    pack,
    sum_packed,
    unpack,
)

SUMS = st.integers(0, LARGEST_SUM)
COUNTS = st.integers(0, MOST_ITEMS)


@given(st.tuples(SUMS, SUMS, SUMS, COUNTS, COUNTS))
def test_what_is_packed_comes_out_again(numbers):
    found = unpack(pack(*(np.array([n]) for n in numbers)))
    assert (
        int(found.value[0]), int(found.low[0]), int(found.high[0]),
        int(found.answered[0]), int(found.known[0]),
    ) == numbers  # fmt: skip


def test_the_largest_sums_and_counts_do_not_touch_each_other():
    full = unpack(pack(*(np.array([n]) for n in (LARGEST_SUM, 0, LARGEST_SUM, 0, MOST_ITEMS))))
    assert (int(full.low[0]), int(full.answered[0])) == (0, 0)
    assert (int(full.value[0]), int(full.known[0])) == (LARGEST_SUM, MOST_ITEMS)


@given(st.data())
def test_packed_sums_and_maxima_are_those_of_plain_python(data):
    items, forms = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    numbers = data.draw(
        st.lists(
            st.lists(st.lists(st.integers(0, 20), min_size=4, max_size=4), min_size=5, max_size=5),
            min_size=items, max_size=items,
        )
    )  # fmt: skip
    codes = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 3), min_size=forms, max_size=forms),
                           min_size=items, max_size=items)), dtype=np.uint8)  # fmt: skip
    tables = np.zeros((items, 256), dtype=np.int64)
    for row, five in enumerate(numbers):
        tables[row, :4] = pack(*(np.array(one) for one in five))
    added = unpack(sum_packed(codes, range(items), tables))
    largest = max_packed(codes, range(items), tables)
    for form in range(forms):
        chosen = [
            [five[part][codes[row, form]] for row, five in enumerate(numbers)] for part in range(5)
        ]
        assert [int(p[form]) for p in vars(added).values()] == [sum(one) for one in chosen]
        expected = [max(one) for one in chosen[:3]] + [sum(one) for one in chosen[3:]]
        assert [int(p[form]) for p in vars(largest).values()] == expected
