"""One small number for several sums: no two different sums ever share one."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.kernels.byte_sums import (
    Carry,
    add_bytes,
    add_numbers,
    compile_byte_sum,
    constant_rows,
    find_carry,
)
from mhscreen.kernels.codes import BLANK, FIRST_REASON, ILLEGAL, NOT_APPLICABLE
from mhscreen.kernels.flat_sums import add_flat, compile_flat_sums
from mhscreen.kernels.lookup import gather
from mhscreen.kernels.sums import encode_sums

vectors = st.lists(
    st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=4), min_size=1, max_size=4
)


@given(vectors)
def test_two_sums_share_a_number_only_where_they_are_the_same(parts):
    arrays = [np.array(part) for part in parts]
    code = encode_sums(arrays, 1 << 16)
    seen = {}
    for choice in product(*(range(len(part)) for part in arrays)):
        number = sum(int(one[place]) for one, place in zip(code.numbers, choice, strict=True))
        total = sum(part[place] for part, place in zip(arrays, choice, strict=True))
        assert code.reachable[number]
        assert code.sums[number].tolist() == total.tolist()
        assert seen.setdefault(number, tuple(total)) == tuple(total)
    assert code.reachable.sum() == len(seen)


@given(vectors)
def test_a_sum_over_some_parts_has_the_number_of_these_parts(parts):
    arrays = [np.array(part) for part in parts]
    code = encode_sums(arrays, 1 << 16)
    some = range(0, len(arrays), 2)
    totals = sum(arrays[place][-1:] for place in some)
    expected = sum(int(code.numbers[place][-1]) for place in some)
    assert code.numbers_of(totals, some).tolist() == [expected]


def test_what_follows_from_the_rest_takes_no_room():
    item = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0, 1, 2]])  # blank: its bounds span two
    code = encode_sums([item] * 5, 256)
    assert len(code.sums) == 5 * 11 + 1  # as many as there are scores, for each number of blanks


def test_more_sums_than_there_may_be_have_no_numbers():
    assert encode_sums([np.array([[0], [300]])], 256) is None


def number_tables(rng, items):
    """Return how many options each item has, and numbers of all kinds by response code."""
    options, tables = [], []
    for _ in range(items):
        number = int(rng.integers(1, 6))
        table = np.full(256, rng.integers(0, 40), dtype=np.uint8)
        kind = rng.integers(0, 4)
        rising = np.arange(number) + rng.integers(0, 3)
        table[:number] = [rising, rising[::-1], rng.integers(0, 9, number), rising][kind]
        if kind == 3:
            table[NOT_APPLICABLE] = table[0]  # behind a gate
        options.append(number)
        tables.append(table)
    return options, tables


@given(st.integers(0, 2**32 - 1), st.integers(1, 7), st.integers(1, 30))
@settings(max_examples=150)
def test_bytes_are_added_up_as_the_tables_say(seed, items, forms):
    rng = np.random.default_rng(seed)
    options, tables = number_tables(rng, items)
    gated = [int(table[NOT_APPLICABLE] != table[BLANK]) for table in tables]
    codes = np.stack([
        rng.choice([*range(number), *range(FIRST_REASON, BLANK + 1), *[NOT_APPLICABLE] * behind],
                   size=forms).astype(np.uint8)
        for number, behind in zip(options, gated, strict=True)
    ])  # fmt: skip
    one = compile_byte_sum(range(items), options, tables)
    out, spare = np.empty((2, forms), dtype=np.uint8)
    add_bytes(one, codes, constant_rows(one.constants, forms), out, spare)
    expected = sum(table[row] for table, row in zip(tables, codes, strict=True))
    np.testing.assert_array_equal(out, expected.astype(np.uint8))
    flat = add_flat(compile_flat_sums({3: (range(items), tables)}), codes)
    np.testing.assert_array_equal(flat[3], expected.astype(np.uint8))


def test_a_reversed_item_and_a_plain_one_need_no_table():
    plain, mirrored = np.full((2, 256), 21, dtype=np.uint8)
    plain[:4], mirrored[:4] = [0, 1, 2, 3], [3, 2, 1, 0]
    one = compile_byte_sum([0, 1], [4, 4], [plain, mirrored])
    assert (len(one.rising), len(one.falling), one.looked_up) == (1, 1, ())
    codes = np.array([[2, BLANK], [3, ILLEGAL]], dtype=np.uint8)
    out, spare = np.empty((2, 2), dtype=np.uint8)
    add_bytes(one, codes, constant_rows(one.constants, 2), out, spare)
    assert out.tolist() == [2, 42]


@given(st.integers(1, 60), st.integers(0, 100))
def test_a_carry_does_what_its_table_does(base, more):
    values = np.arange(256, dtype=np.uint8)
    table = (values + more * (values // np.intp(base))).astype(np.uint16)
    carry = find_carry(table, base)
    assert carry == Carry(base, more)
    found = []
    for one in (table, carry):
        out, spare = np.empty((2, 256), dtype=np.uint16)
        add_numbers([one, one], [values, values], out, spare)
        found.append(out.tolist())
    assert found[0] == found[1]


def test_a_table_that_no_carry_gives_stays_a_table():
    assert find_carry(np.array([0, 1, 2, 10, 11, 13]), 3) is None
    assert find_carry(np.array([0, 1]), 3) is None


def test_what_is_gathered_piece_by_piece_is_what_is_gathered_at_once():
    rng = np.random.default_rng(1)
    places = rng.integers(0, 300, 100_000).astype(np.uint16)
    values = rng.normal(size=300)
    np.testing.assert_array_equal(gather(values, places), values[places])
