"""A screening entry is made again from its inputs; what is not as it was is named."""

import dataclasses

import pytest

from mhscreen.ledger.replay import replay_entries
from mhscreen.ledger.stores import open_ledger
from mhscreen.problems import UsageError

NAMES = ("A1", "A2", "A3")


@pytest.fixture
def kept(tmp_path, school):
    """A ledger with three pupils; A2 has a late form that supersedes."""
    ledger = open_ledger(tmp_path / "kept.jsonl", create=True)
    early = school.screen(school.pupil("A2", forms={"gad7": None}), at="2026-10-12")
    ledger.append(early.entries)
    ledger.append(school.screen(*map(school.pupil, NAMES)).entries)
    return ledger


def found(ledger, screening):
    result = replay_entries(ledger, screening.entries)
    return result.same, {one.pupil_ref: list(map(str, one.why)) for one in result.different}


def test_from_the_same_inputs_every_entry_comes_out_byte_for_byte(kept, school):
    assert [entry["supersedes"] is None for entry in kept.entries("A2")] == [True, False]
    assert found(kept, school.screen(*map(school.pupil, NAMES))) == (3, {})


def test_another_order_of_the_roster_changes_nothing(kept, school):
    assert found(kept, school.screen(*map(school.pupil, NAMES[::-1]))) == (3, {})


def test_another_answer_is_named_as_such(kept, school):
    other = school.pupil("A2", forms={"phqa": school.calm("phqa", q1=1)})
    screening = school.screen(school.pupil("A1"), other, school.pupil("A3"))
    assert found(kept, screening) == (2, {"A2": ["answers"]})
    (different,) = replay_entries(kept, screening.entries).different
    assert "instruments" in different.fields


def test_another_roster_line_is_named_as_such_also_where_no_field_shows_it(kept, school):
    moved = school.pupil("A2", **{"class": "7"})
    screening = school.screen(school.pupil("A1"), moved, school.pupil("A3"))
    assert found(kept, screening) == (2, {"A2": ["roster_line"]})
    dormitory = school.pupil("A3", dormitory="4-201")
    screening = school.screen(school.pupil("A1"), school.pupil("A2"), dormitory)
    assert found(kept, screening) == (2, {"A3": ["roster_line"]})


def test_a_pupil_who_is_not_on_the_roster_any_more_is_named(kept, school):
    screening = school.screen(school.pupil("A1"), school.pupil("A2"))
    assert found(kept, screening) == (2, {"A3": ["not_on_roster"]})


def test_another_version_of_the_engine_is_named(kept, school, monkeypatch):
    monkeypatch.setattr("mhscreen.steps.entry_texts.__version__", "9.9.9")
    same, different = found(kept, school.screen(*map(school.pupil, NAMES)))
    assert (same, different) == (0, {key: ["engine"] for key in NAMES})


def test_another_definition_is_named_with_its_reference(kept, school):
    plan = school.plan
    policy = plan.policy.model_copy(update={"version": "1.0.1"})
    pins = {ref: sum_ for ref, sum_ in plan.pins.items() if ref != plan.policy.ref}
    other = dataclasses.replace(plan, policy=policy, pins={**pins, policy.ref: "sha256:0"})
    screening = type(school)(other).screen(*map(school.pupil, NAMES))
    result = replay_entries(kept, screening.entries)
    assert {one.why for one in result.different} == {("definitions",)}
    assert {"three-tier-cn@1.0.0", "three-tier-cn@1.0.1"} <= set(result.different[0].fields)


def test_another_calendar_is_named_where_it_moves_a_due_date(tmp_path, school):
    absent = school.pupil("A1", forms={"gad7": None})
    ledger = open_ledger(tmp_path / "kept.jsonl", create=True)
    ledger.append(school.screen(absent, at="2026-09-28").entries)
    programme = school.plan.programme.model_copy(update={"calendar": "own"})
    other = dataclasses.replace(school.plan, programme=programme)
    screening = type(school)(other).screen(absent, at="2026-09-28")
    assert found(ledger, screening) == (0, {"A1": ["calendar"]})


def test_a_forged_field_is_named_though_all_inputs_are_the_same(kept, school):
    first, *rest = school.screen(*map(school.pupil, NAMES)).entries
    from mhscreen.entries.canonical import entry_hash

    forged = first | {"flags": ["error"]}
    forged |= {"hash": entry_hash(forged)}
    ledger = open_ledger(kept.path.with_name("forged.jsonl"), create=True)
    ledger.append([forged, *rest])
    screening = school.screen(*map(school.pupil, NAMES))
    (different,) = replay_entries(ledger, screening.entries).different
    assert (list(different.why), different.fields) == (["field"], ("flags",))


def test_a_time_at_which_nobody_was_screened_is_said_to_be_so(kept, school):
    with pytest.raises(UsageError, match="no screening entry"):
        found(kept, school.screen(*map(school.pupil, NAMES), at="2026-10-16"))
