"""Which faults of one item are ruled out before they are tried."""

import numpy as np
import pytest

from mhscreen.conformance.check import load_kits
from mhscreen.conformance.choose import CANNOT
from mhscreen.conformance.departures import departures
from mhscreen.conformance.diagnose import diagnose
from mhscreen.conformance.one_item import OneItem
from mhscreen.conformance.scorer import Column, score_vectors

NAMES = ("gad7@1", "brs@1", "dass21@1", "sdq@1", "crafft@1", "who5@1")


@pytest.fixture(scope="module")
def some_kits(shipped_kit, library):
    return load_kits(shipped_kit, library, NAMES)


def test_what_a_scorer_does_wrong_is_never_ruled_out(some_kits):
    """Scores are as a vendor writes them: to two decimals."""
    tried = 0
    for kit in some_kits:
        if kit.form.name in {"sdq-1.0.0-self", "sdq-1.0.0-parent"}:
            continue  # as the teacher's
        own = score_vectors(kit.form, kit.vectors)
        for one in departures(kit.form):
            if not one.item:
                continue
            try:
                said = score_vectors(kit.form, kit.vectors, one.change, [])
            except CANNOT:
                continue
            written = {
                name: Column(column.values.round(0 if column.words else 2), column.words)
                for name, column in (own | said).items()
            }
            assert OneItem(kit, written, own).may_be(one), (kit.form.name, one.name)
            tried += 1
    assert tried > 400


def one_too_high(kit, own):
    return {n: c if c.words else Column(c.values + 1) for n, c in own.items()}


def all_blank(kit, own):
    return {n: Column(np.full_like(c.values, np.nan), c.words) for n, c in own.items()}


def next_column(kit, own):
    numbers = [name for name, column in own.items() if not column.words]
    return own | dict(zip(numbers, [own[n] for n in (*numbers[1:], numbers[0])], strict=True))


def next_row(kit, own):
    return {n: Column(np.roll(c.values, 1), c.words) for n, c in own.items()}


@pytest.mark.parametrize("awful", [one_too_high, all_blank, next_column, next_row])
def test_of_a_scorer_that_is_wrong_everywhere_hardly_an_item_is_tried(some_kits, awful):
    kit = next(kit for kit in some_kits if kit.form.name == "sdq-1.0.0-parent")
    own = score_vectors(kit.form, kit.vectors)
    one_item = OneItem(kit, awful(kit, own), own)
    about_items = [one for one in departures(kit.form) if one.item]
    assert len(about_items) > 250
    assert sum(map(one_item.may_be, about_items)) < 0.02 * len(about_items)


def test_a_fault_among_faults_of_other_scales_is_still_named(some_kits):
    """Ruling out is by scale: one wrong everywhere hides nothing in another."""
    kit = next(kit for kit in some_kits if kit.form.name == "sdq-1.0.0-self")
    name = "prosocial: item q1 left out"
    fault = next(one for one in departures(kit.form) if one.name == name)
    own = score_vectors(kit.form, kit.vectors)
    given = own | score_vectors(kit.form, kit.vectors, fault.change)
    given["hyperactivity"] = Column(own["hyperactivity"].values + 1)
    assert name in {one.name for one in diagnose(kit, given)}
