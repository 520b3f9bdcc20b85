"""A ledger that somebody has changed shows it."""

import datetime as dt

import pytest

from mhscreen.ledger.chain import batch_root, find_breaks, link
from mhscreen.ledger.record import complete_draft

NOW = dt.datetime(2026, 10, 25, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def ledger(plan):
    """Three talks with one pupil and one with another, stored in turn."""
    stored, last = [], {}
    for number, pupil in enumerate(["A1", "A2", "A1", "A1"]):
        draft = {
            "entry_type": "talk", "pupil_ref": pupil, "author": "t-07", "role": "class_teacher",
            "occurred_at": f"2026-10-1{number}T09:00:00+08:00", "channel": "in_person",
        }  # fmt: skip
        entry = complete_draft(draft, plan.programme, org=None, recorded_at=NOW)
        stored.append(link(entry, last.get(pupil)))
        last[pupil] = stored[-1]["hash"]
    return stored


def test_an_untouched_ledger_has_no_break(ledger):
    assert find_breaks(ledger) == []


def test_a_changed_entry_shows(ledger):
    changed = [*ledger[:2], ledger[2] | {"channel": "phone"}, ledger[3]]
    assert [p.path for p in find_breaks(changed)] == [ledger[2]["entry_id"]]


def test_an_entry_changed_together_with_its_hash_shows_at_its_successor(ledger):
    forged = link(ledger[2] | {"channel": "phone"}, ledger[0]["hash"])
    assert [p.path for p in find_breaks([*ledger[:2], forged, ledger[3]])] == [
        ledger[3]["entry_id"]
    ]


def test_a_removed_entry_shows_at_its_successor(ledger):
    (problem,) = find_breaks([ledger[0], ledger[1], ledger[3]])
    assert (problem.code, problem.path) == ("MH805", ledger[3]["entry_id"])


def test_a_removed_last_entry_shows_in_the_root_of_its_batch(ledger):
    assert find_breaks(ledger[:-1]) == []
    assert batch_root(ledger[:-1]) != batch_root(ledger)


def test_the_root_of_a_batch_does_not_depend_on_its_order(ledger):
    assert batch_root(ledger[::-1]) == batch_root(ledger)


def tombstone(entry):
    return {name: entry[name] for name in ("entry_id", "pupil_ref", "prev_hash", "hash")}


def test_an_erased_entry_verifies_where_an_erasure_names_it(plan, ledger):
    gone = [tombstone(one) if one is ledger[2] else one for one in ledger]
    (problem,) = find_breaks(gone)
    assert problem.path == ledger[2]["entry_id"]
    draft = {
        "entry_type": "erasure", "pupil_ref": "A1", "author": "h-01", "role": "head",
        "occurred_at": "2026-10-20T09:00:00+08:00", "ground": "consent_withdrawn",
        "approved_by": "h-02",
        "erased": [{"entry_id": ledger[2]["entry_id"], "hash": ledger[2]["hash"]}],
    }  # fmt: skip
    erasure = complete_draft(draft, plan.programme, org=None, recorded_at=NOW)
    assert find_breaks([*gone, link(erasure, ledger[3]["hash"])]) == []
