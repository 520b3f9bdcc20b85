"""Appending adds what is new, links it, changes nothing that is there, and is whole or not."""

import datetime as dt
import itertools
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.entries.canonical import entry_hash, entry_line, merkle_root
from mhscreen.ledger.stores import open_ledger
from mhscreen.ledger.stores.json_lines import JsonLines
from mhscreen.ledger.verify import verify_ledger
from mhscreen.problems import Problem, ResponseError, UsageError

LESSON = {"entry_type": "activity", "kind": "lesson", "hours": 1}


def sealed(entry, **changed):
    """Return an entry with other content, and a hash that agrees with it."""
    other = entry | changed
    return other | {"hash": entry_hash(other)}


def line_of(entry):
    return entry_line({name: value for name, value in entry.items() if name != "hash"})


def refused(ledger, entries):
    """Return the codes for which a batch is refused, and see that nothing of it is there."""
    before = list(ledger.rows())
    with pytest.raises(ResponseError) as caught:
        ledger.append(entries)
    assert list(ledger.rows()) == before
    return [problem.code for problem in caught.value.problems]


# -- what is added ----------------------------------------------------------------------------


def test_a_new_ledger_is_empty_and_verifies(ledger):
    assert list(ledger.entries()) == []
    assert ledger.batches() == ()
    assert verify_ledger(ledger).problems == ()


def test_a_screening_is_stored_as_it_is_and_in_its_order(ledger, screened):
    entries = screened("A1", "A2", "A3")
    appended = ledger.append(entries)
    assert (appended.added, appended.already) == (3, 0)
    assert list(ledger.entries()) == entries
    assert [row.line for row in ledger.rows()] == [line_of(one) for one in entries]


def test_a_second_time_nothing_is_added_and_the_ledger_is_as_it_was(ledger, screened, write):
    everything = [*screened("A1", "A2"), write("A1"), write("A2"), write(None, **LESSON)]
    ledger.append(everything)
    before, batches = list(ledger.rows()), ledger.batches()
    again = ledger.append(everything)
    assert (again.added, again.already, again.batch) == (0, 5, None)
    assert (list(ledger.rows()), ledger.batches()) == (before, batches)


def test_of_one_batch_an_entry_that_comes_twice_is_stored_once(ledger, write):
    many = [write(f"A{number}") for number in range(700)]
    appended = ledger.append([*many, many[-1], many[0]])
    assert (appended.added, appended.already) == (700, 2)
    assert verify_ledger(ledger).problems == ()


def test_the_same_forms_screened_a_day_later_add_nothing(ledger, screened):
    ledger.append(screened("A1", at="2026-10-15"))
    assert ledger.append(screened("A1", at="2026-10-16")).added == 0


def test_a_draft_that_is_handed_in_again_later_adds_nothing(ledger, write):
    ledger.append([write("A1")])
    later = dt.datetime(2026, 10, 19, 9, 0, tzinfo=dt.UTC)
    assert ledger.append([write("A1", recorded_at=later)]).already == 1


def test_one_pupil_is_read_without_the_others(ledger, screened, write):
    ledger.append([*screened("A1", "A2", "A11"), write("A1")])
    assert [entry["entry_type"] for entry in ledger.entries("A1")] == ["screening", "talk"]
    assert list(ledger.entries("A")) == []


# -- how it is linked -------------------------------------------------------------------------


def test_the_entries_of_a_pupil_are_chained_and_those_of_others_apart(ledger, screened, write):
    ledger.append(screened("A1", "A2"))
    ledger.append([write("A1"), write("A1", 17), write("A2")])
    for pupil, number in (("A1", 3), ("A2", 2)):
        rows = list(ledger.rows(pupil))
        assert [row.prev_hash for row in rows] == [None, *(row.hash for row in rows[:-1])]
        assert len(rows) == number
    assert verify_ledger(ledger).problems == ()


def test_meetings_and_lessons_have_a_chain_of_their_own(ledger, write):
    ledger.append([write("A1"), write(None, 12, **LESSON)])
    ledger.append([write(None, 13, **LESSON)])
    first, second = (row for row in ledger.rows() if row.pupil_ref is None)
    assert (first.prev_hash, second.prev_hash) == (None, first.hash)
    assert verify_ledger(ledger).problems == ()


def test_a_late_form_supersedes_the_pupils_screening_and_rewrites_nothing(ledger, screened):
    first, second, third = (screened("A1", q1=score)[0] for score in (0, 1, 2))
    ledger.append([first, *screened("A2")])
    before = list(ledger.rows())
    ledger.append([second])
    ledger.append([third])
    assert list(ledger.rows())[: len(before)] == before
    found = list(ledger.entries("A1"))
    ids = [entry["entry_id"] for entry in found]
    assert [entry["supersedes"] for entry in found] == [None, ids[0], ids[1]]
    assert all(entry_hash(entry) == entry["hash"] for entry in found)
    assert verify_ledger(ledger).problems == ()


def test_a_screening_of_another_cycle_supersedes_none(ledger, screened):
    ledger.append(screened("A1", at="2026-10-15"))
    ledger.append(screened("A1", at="2027-03-15"))
    assert [entry["supersedes"] for entry in ledger.entries("A1")] == [None, None]


def test_who_screens_an_earlier_state_again_is_told_that_another_entry_is_current(ledger, screened):
    early, late = screened("A1"), screened("A1", q1=1)
    ledger.append(early)
    assert ledger.append(late).outdated == ()
    again = ledger.append(early)
    assert again.added == 0
    assert again.outdated == (early[0]["entry_id"],)


def test_the_order_of_a_file_is_no_part_of_a_batchs_root(tmp_path, screened):
    entries = screened("A1", "A2", "A3")
    one, other = (open_ledger(tmp_path / f"{n}.jsonl", create=True) for n in "ab")
    assert one.append(entries).root == other.append(entries[::-1]).root


def test_the_root_of_a_first_batch_is_that_of_the_run(ledger, screened):
    entries = screened("A1", "A2", "A3")
    of_the_run = merkle_root(
        one["hash"] for one in sorted(entries, key=lambda one: one["entry_id"])
    )
    assert ledger.append(entries).batch.root == of_the_run


# -- what is refused --------------------------------------------------------------------------


def test_other_content_under_the_same_id_is_refused_and_enters_nothing(ledger, screened, write):
    (entry,) = screened("A1")
    ledger.append([entry])
    tampered = sealed(entry, established_tier="watch")
    assert refused(ledger, [write("A2"), tampered]) == ["MH807"]
    assert list(ledger.entries()) == [entry]


def test_a_persons_entry_changed_after_the_fact_is_refused(ledger, write):
    entry = write("A1")
    ledger.append([entry])
    assert refused(ledger, [sealed(entry, channel="phone")]) == ["MH807"]


def test_everything_that_is_wrong_is_said_at_once(ledger, screened, write):
    good, changed, headless = screened("A1", "A2", "A3")
    wrong = [
        changed | {"screen_tier": "major"},
        {name: headless[name] for name in headless if name != "org"},
        write("A4") | {"entry_type": "rumour"},
        "{",
        Problem("MH801", "found while reading"),
    ]
    assert refused(ledger, [good, *wrong]) == ["MH801"] * 5


def test_a_persons_entry_that_does_not_satisfy_its_schema_is_refused(ledger, write):
    assert refused(ledger, [sealed(write("A1"), channel="pigeon")]) == ["MH801"]


def test_no_answer_and_no_name_is_in_a_problem(ledger, write):
    entry = sealed(write("A1", note="王小明"), channel="小道消息")
    with pytest.raises(ResponseError) as caught:
        ledger.append([entry, entry | {"entry_id": "王小明"}])
    assert not {"王小明", "小道消息"} & {w for p in caught.value.problems for w in str(p).split()}


def test_an_entry_of_another_ledgers_chain_is_refused(tmp_path, ledger, write):
    other = open_ledger(tmp_path / "other.jsonl", create=True)
    other.append([write("A1", 12), write("A1", 13)])
    _, second = other.entries()
    assert refused(ledger, [second]) == ["MH805"]


def test_a_batch_that_breaks_off_in_the_middle_enters_nothing(ledger, write):
    def breaking():
        yield from (write(f"A{number}") for number in range(1100))
        raise KeyboardInterrupt

    ledger.append([write("B1")])
    before = list(ledger.rows())
    with pytest.raises(KeyboardInterrupt):
        ledger.append(breaking())
    assert list(ledger.rows()) == before
    assert ledger.append([write("B2")]).added == 1
    assert verify_ledger(ledger).problems == ()


# -- several writers --------------------------------------------------------------------------


def test_writers_at_the_same_time_wait_for_each_other(address, write):
    open_ledger(address, create=True).append([write("A0")])
    failed = []

    def writer(day):
        try:
            entries = [write(f"A{number}", day) for number in range(40)]
            open_ledger(address).append(entries)
        except Exception as error:  # noqa: BLE001 - a thread's error must be seen
            failed.append(error)

    threads = [threading.Thread(target=writer, args=(day,)) for day in range(10, 16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    ledger = open_ledger(address)
    assert sum(1 for _ in ledger.rows()) == 241
    assert verify_ledger(ledger).problems == ()


# -- whatever the batches ---------------------------------------------------------------------


@given(
    cuts=st.lists(st.integers(0, 12), max_size=4),
    order=st.permutations(range(12)),
    repeats=st.lists(st.integers(0, 11), max_size=5),
)
@settings(max_examples=25)
def test_however_entries_arrive_each_is_there_once_and_the_ledger_verifies(
    tmp_path_factory, write, cuts, order, repeats
):
    everything = [write(f"A{number % 3}", 10 + number) for number in range(12)]
    coming = [everything[n] for n in (*order, *repeats)]
    bounds = [0, *sorted(cuts), len(coming)]
    ledger = JsonLines(tmp_path_factory.mktemp("any") / "l.jsonl")
    for first, last in itertools.pairwise(bounds):
        ledger.append(coming[first:last])
    stored = [row.entry_id for row in ledger.rows()]
    assert sorted(stored) == sorted(one["entry_id"] for one in everything)
    assert verify_ledger(ledger).problems == ()


# -- what is no ledger ------------------------------------------------------------------------


def test_the_file_of_a_run_is_read_but_never_written_to(tmp_path, screened, write):
    file = tmp_path / "ledger.jsonl"
    entries = screened("A1", "A2")
    text = "".join(line_of(one) + "\n" for one in entries)
    file.write_text(text, "utf-8")
    run = open_ledger(file)
    assert list(run.entries()) == entries
    assert verify_ledger(run).problems == ()
    with pytest.raises(UsageError, match="no ledger"):
        run.append([write("A1")])
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize(
    "where", ["none.jsonl", "none.db", "sqlite:///none.db", "mysql+none://x/y"]
)
def test_a_ledger_that_is_not_there_or_not_one_is_said_to_be_so(where):
    with pytest.raises(UsageError):
        open_ledger(where)


def test_a_password_is_never_said():
    ledger = open_ledger("postgresql://u:geheim@localhost:1/x")
    assert "geheim" not in ledger.name
    with pytest.raises(UsageError, match="does not answer") as caught:
        ledger.batches()
    assert "geheim" not in str(caught.value)
