"""A person's draft becomes an entry with the head that every entry has."""

import datetime as dt

import pytest

from mhscreen.entries.canonical import entry_hash
from mhscreen.entries.schema import parse_entry
from mhscreen.ledger.record import complete_draft
from mhscreen.problems import ResponseError

NOW = dt.datetime(2026, 10, 16, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
ORG = {
    "city": "", "district": "", "school": "S", "stage": "junior", "grade": 8, "class": "3",
}  # fmt: skip
INTERVIEW = {
    "entry_type": "interview",
    "pupil_ref": "A1",
    "occurred_at": "2026-10-15T14:30:00+08:00",
    "author": "t-07",
    "role": "psych_teacher",
    "channel": "in_person",
    "asked": [{"about": "suicide_ideation", "answer": "no"}],
    "conclusion": "psych_teacher_steps_in",
}


def enter(plan, draft=INTERVIEW, at=NOW, **more):
    return complete_draft(draft | more, plan.programme, org=ORG, recorded_at=at)


def refused(plan, draft):
    with pytest.raises(ResponseError) as caught:
        complete_draft(draft, plan.programme, org=ORG, recorded_at=NOW, place="day.jsonl", row=4)
    return caught.value.problems


def test_an_entry_satisfies_the_model_of_its_type_and_its_own_hash(plan):
    entry = enter(plan)
    assert parse_entry(entry).entry_type == "interview"
    assert entry_hash(entry) == entry["hash"]


def test_the_head_follows_from_the_programme_and_the_pupils_school(plan):
    entry = enter(plan)
    assert entry["org"] == ORG
    assert entry["cycle_id"] == "qingdao-2023/2026-2027/autumn"
    assert (entry["period"], entry["ledger_class"]) == ("2026-10", ["B"])


def test_entering_the_same_thing_later_gives_the_same_id(plan):
    assert enter(plan)["entry_id"] == enter(plan, at=NOW + dt.timedelta(days=3))["entry_id"]


def test_entering_it_after_the_pupil_has_changed_school_gives_the_same_id(plan):
    moved = complete_draft(INTERVIEW, plan.programme, org=ORG | {"school": "T"}, recorded_at=NOW)
    assert moved["entry_id"] == enter(plan)["entry_id"]


def test_another_answer_gives_another_id(plan):
    other = enter(plan, asked=[{"about": "suicide_ideation", "answer": "yes"}])
    assert other["entry_id"] != enter(plan)["entry_id"]


def test_an_interview_is_for_those_who_need_it_to_act(plan):
    assert enter(plan)["confidentiality"] == "restricted"


def test_an_incomplete_draft_is_refused_with_every_place_and_no_value(plan):
    draft = INTERVIEW | {"channel": "小道消息", "asked": [{"about": "suicide_plan"}]}
    del draft["role"]
    problems = refused(plan, draft)
    assert {p.path for p in problems} >= {"role", "channel", "asked.0.answer"}
    assert all(p.code == "MH801" and p.place == "day.jsonl, row 4" for p in problems)
    assert "小道消息" not in "".join(map(str, problems))


@pytest.mark.parametrize("kind", ["screening", "diagnosis", None, 3])
def test_nobody_enters_a_screening_or_what_does_not_exist_by_hand(plan, kind):
    (problem,) = refused(plan, INTERVIEW | {"entry_type": kind})
    assert problem.path == "entry_type"


def test_nobody_writes_a_hash_or_an_id_by_hand(plan):
    problems = refused(plan, INTERVIEW | {"hash": "sha256:0", "entry_id": "1"})
    assert [p.path for p in problems] == ["entry_id", "hash"]


def test_nothing_is_entered_before_it_happened(plan):
    (problem,) = refused(plan, INTERVIEW | {"occurred_at": "2027-10-15T14:30:00+08:00"})
    assert problem.what == "lies after the time of entering it"


@pytest.mark.parametrize("about", ["sucide_plan", "the plan", ""])
def test_a_question_about_nothing_that_is_known_is_refused(plan, about):
    asked = [{"about": about, "answer": "yes"}]
    assert "MH801" in {problem.code for problem in refused(plan, INTERVIEW | {"asked": asked})}


def test_an_interview_in_which_nothing_was_asked_is_refused(plan):
    (problem,) = refused(plan, INTERVIEW | {"asked": []})
    assert problem.path == "asked"


@pytest.mark.parametrize("when", ["yesterday", "2026-10-15", "2026-10-15T14:30:00", None])
def test_a_time_without_its_zone_is_refused(plan, when):
    (problem,) = refused(plan, INTERVIEW | {"occurred_at": when})
    assert problem.path == "occurred_at"
