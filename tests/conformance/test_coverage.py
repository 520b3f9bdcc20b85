"""What shows that a decision is made as it should be."""

import numpy as np

from mhscreen.conformance.coverage import branch_counts, cut_sides, deciding_parts
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED
from mhscreen.plan.triage import Node

A, B, C = (Node("leaf", place) for place in range(3))


def truths(*rows):
    """Return the truth of three leaves, a column per candidate."""
    return np.array(rows, dtype=np.int8).T


def decides(node, leaves):
    return {name: where.tolist() for name, _, where in deciding_parts(node, leaves)}


def test_a_part_decides_where_the_condition_follows_it_either_way():
    either = Node("any", children=(A, B))
    found = decides(either, truths((HOLDS, FAILS, FAILS), (HOLDS, HOLDS, FAILS)))
    assert found == {"any": [True, True], "leaf 1": [True, False], "leaf 2": [False, False]}


def test_a_part_beside_an_open_one_does_not_decide_alone():
    both = Node("all", children=(A, B))
    found = decides(both, truths((HOLDS, UNDECIDED, FAILS), (UNDECIDED, HOLDS, FAILS)))
    assert found["leaf 1"] == [False, True]


def test_an_inner_branch_decides_only_where_the_outer_waits_for_it():
    nested = Node("all", children=(Node("any", children=(A, B)), C))
    found = decides(nested, truths((HOLDS, FAILS, HOLDS), (HOLDS, FAILS, FAILS)))
    assert found["any 1"] == [True, False]
    assert found["leaf 1.1"] == [True, False]
    assert found["leaf 2"] == [True, True]


def test_a_branch_is_shown_with_as_many_as_it_needs_one_fewer_and_one_more():
    two_of_three = Node("at_least", children=(A, B, C), count=2)
    leaves = truths(
        (FAILS, FAILS, FAILS), (HOLDS, FAILS, FAILS), (HOLDS, HOLDS, FAILS), (HOLDS, HOLDS, HOLDS),
        (HOLDS, UNDECIDED, FAILS),
    )  # fmt: skip
    found = {name: where.tolist() for name, where in branch_counts(two_of_three, leaves)}
    assert found["with 1 of 3"] == [False, True, False, False, True]
    assert found["with 2 of 3"] == [False, False, True, False, False]
    assert found["with 3 of 3"] == [False, False, False, True, False]
    assert found["with up to 2 of 3"] == [False, False, False, False, True]


def test_the_sides_of_a_cut_are_looked_for_only_where_it_decides():
    numbers = np.array([0.0, 4.0, 5.0, 9.0, np.nan])
    free = np.array([True, False, True, False, True])
    found = {word: np.flatnonzero(at).tolist() for word, at in cut_sides(numbers, 5, free)}
    assert found == {
        "at its cut": [2],
        "far past its cut": [2],
        "just short of its cut": [0],
        "far short of its cut": [0],
    }
