"""Whatever somebody changes in a stored ledger shows."""

import json
import sqlite3
from contextlib import closing

import pytest

from mhscreen.entries.canonical import entry_line
from mhscreen.ledger.chain import link
from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.stores import open_ledger
from mhscreen.ledger.verify import verify_ledger


@pytest.fixture(scope="module")
def talk(plan):
    def make(pupil, day):
        import datetime as dt

        draft = {
            "entry_type": "talk", "pupil_ref": pupil, "author": "t-07", "role": "class_teacher",
            "occurred_at": f"2026-10-{day}T09:00:00+08:00", "channel": "in_person",
        }  # fmt: skip
        when = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
        return complete_draft(draft, plan.programme, org=None, recorded_at=when)

    return make


@pytest.fixture
def kept(tmp_path, talk):
    """A file with two batches: two talks with A1 and one with A2, then one more with A1."""
    file = tmp_path / "kept.jsonl"
    ledger = open_ledger(file, create=True)
    ledger.append([talk("A1", 10), talk("A1", 11), talk("A2", 12)])
    ledger.append([talk("A1", 13)])
    return file


def found(file, root=None):
    return [(p.code, p.path) for p in verify_ledger(open_ledger(file), root).problems]


def change(file, edit):
    """Change the lines of a ledger: a heading, three entries, a batch, an entry, a batch."""
    lines = file.read_text("utf-8").splitlines()
    edit(lines)
    file.write_text("\n".join(lines) + "\n", "utf-8")


def ids(file):
    return [row.entry_id for row in open_ledger(file).rows()]


def test_an_untouched_ledger_verifies_and_says_what_it_holds(kept):
    result = verify_ledger(open_ledger(kept))
    assert (result.entries, result.erased, result.batches, result.problems) == (4, 0, 2, ())


def test_a_changed_word_shows(kept):
    name = ids(kept)[1]
    change(kept, lambda lines: lines.__setitem__(2, lines[2].replace("in_person", "phone")))
    assert found(kept) == [("MH805", name)]


def test_an_entry_changed_together_with_its_hash_shows_in_chain_and_batch(kept):
    last = ids(kept)[3]

    def forge(lines):
        entry = json.loads(lines[2])
        forged = link(entry | {"channel": "phone"}, entry["prev_hash"])
        lines[2] = entry_line({k: v for k, v in forged.items() if k != "hash"})

    change(kept, forge)
    assert found(kept) == [("MH805", last), ("MH806", "batch 1")]


@pytest.mark.parametrize("line", [1, 2, 3, 5])
def test_a_removed_entry_shows_in_its_batch(kept, line):
    change(kept, lambda lines: lines.pop(line))
    assert ("MH806", f"batch {1 if line < 4 else 2}") in found(kept)


def test_a_removed_line_between_batches_shows(kept):
    change(kept, lambda lines: lines.pop(4))
    assert {code for code, _ in found(kept)} == {"MH806"}


def test_a_changed_root_shows(kept):
    def edit(lines):
        batch = json.loads(lines[4])
        lines[4] = json.dumps(batch | {"root": "sha256:" + "0" * 64}, separators=(",", ":"))

    change(kept, edit)
    assert found(kept) == [("MH806", "batch 1")]


def test_a_last_batch_taken_away_whole_shows_against_the_published_root(kept):
    ledger = open_ledger(kept)
    published, earlier = verify_ledger(ledger).root, ledger.batches()[0].root
    change(kept, lambda lines: lines.__delitem__(slice(5, 7)))
    assert found(kept) == []
    assert found(kept, published) == [("MH806", published)]
    assert found(kept, earlier) == []


def test_a_root_that_was_published_earlier_still_stands(kept, talk):
    published = verify_ledger(open_ledger(kept)).root
    open_ledger(kept).append([talk("A2", 14)])
    assert found(kept, published) == []


def test_a_line_that_is_no_entry_shows(kept):
    change(kept, lambda lines: lines.__setitem__(2, "nonsense"))
    assert found(kept)[0][0] == "MH801"


def test_an_entry_made_a_tombstone_without_an_erasure_shows(kept):
    name = ids(kept)[1]

    def bury(lines):
        entry = json.loads(lines[2])
        left = {key: entry[key] for key in ("entry_id", "hash", "prev_hash", "pupil_ref")}
        lines[2] = json.dumps(left, separators=(",", ":"))

    change(kept, bury)
    assert found(kept) == [("MH805", name)]


@pytest.mark.parametrize(
    "edit, expected",
    [
        ("UPDATE mhscreen_entry SET line = replace(line, 'in_person', 'phone') WHERE place = 2",
         {"MH805"}),
        ("UPDATE mhscreen_entry SET pupil_ref = 'A2' WHERE place = 4", {"MH805"}),
        ("UPDATE mhscreen_entry SET line = NULL WHERE place = 2", {"MH805"}),
        ("UPDATE mhscreen_entry SET line = '{' WHERE place = 2", {"MH805"}),
        ("DELETE FROM mhscreen_entry WHERE place = 3", {"MH806"}),
        ("UPDATE mhscreen_entry SET batch = 2 WHERE place = 3", {"MH806"}),
        ("DELETE FROM mhscreen_batch WHERE number = 1", {"MH806"}),
        ("UPDATE mhscreen_entry SET place = 9 WHERE place = 1", {"MH805"}),
    ],
)  # fmt: skip
def test_a_hand_in_the_database_shows(tmp_path, talk, edit, expected):
    file = tmp_path / "kept.db"
    ledger = open_ledger(f"sqlite:///{file}", create=True)
    ledger.append([talk("A1", 10), talk("A1", 11), talk("A2", 12)])
    ledger.append([talk("A1", 13)])
    with closing(sqlite3.connect(file)) as hand:
        hand.execute(edit)
        hand.commit()
    assert {problem.code for problem in verify_ledger(ledger).problems} == expected
