"""What a terminal, a notebook or a log shows of a result: how much it is, and nobody's answers."""

import pickle

import pytest

import mhscreen as mh
from mhscreen.frames import to_table

BORN = "2013-04-05"
ANSWER = "几乎每天"


@pytest.fixture(scope="module")
def results(plan):
    """Everything that the steps give for one pupil and one stranger."""
    roster = {
        "subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8],
        "birth_date": [BORN],
    }  # fmt: skip
    answers = {"subject": ["A1", "OFF-1"], **{f"gad7_{n}": [ANSWER] * 2 for n in range(1, 8)}}
    batch = mh.bind(
        plan, roster=roster, responses={"gad7": answers}, at="2026-10-15", on_problem="report"
    )
    scores = mh.score(plan, batch)
    normed = mh.norm(plan, scores)
    triage = mh.triage(plan, normed)
    slot = plan.slot("gad7")
    table = to_table(answers, "gad7")
    return {
        "<Roster: 1 pupils>": batch.roster,
        "<Forms: 1 forms>": batch.forms[slot],
        "<ResponseBatch: 1 pupils, 1 forms, qingdao-2023@1.0.0>": batch,
        "<FormScores: gad7, 1 forms>": scores.forms[slot],
        "<ScaleScores: total, 1 rows>": scores["gad7.total"],
        "<Scores: 1 pupils, qingdao-2023@1.0.0>": scores,
        "<NormedScores: 1 pupils, qingdao-2023@1.0.0>": normed,
        "<NormedScale: sdq/shanghai-teacher@1.0.0, 1 rows>": normed["sdq@teacher.total"],
        "<Derived: 1 rows>": normed["sdq@teacher.total"].derived["t"],
        "<Triage: 1 pupils, qingdao-2023@1.0.0>": triage,
        "<Entries: 1 entries, qingdao-2023@1.0.0>": mh.emit(plan, triage, at="2026-10-15"),
        "<Screening: 1 pupils, 1 unmatched, qingdao-2023@1.0.0>": mh.screen(
            plan, roster=roster, responses={"gad7": answers}, at="2026-10-15", on_problem="report"
        ),
        "<Table: 2 rows, 8 columns>": table,
        "<Column: 2 rows>": table.columns["gad7_1"],
    }


def test_what_is_shown_is_short_and_holds_no_answer(results):
    shown = {repr(result): result for result in results.values()}
    assert list(shown) == list(results)
    assert ANSWER not in "".join(shown)
    assert BORN not in "".join(shown)


def test_what_is_shown_of_a_plan_or_a_library_is_one_line(plan, library):
    assert repr(plan) == f"<Plan: qingdao-2023@1.0.0, {len(plan.forms)} slots>"
    assert repr(library) == f"<Library: {len(library)} definitions>"
    assert repr(library.instrument("gad7@1.0.0")) == "<Loaded: instrument gad7@1.0.0>"


def test_results_are_compared_and_hashed_as_what_they_are_not_by_what_they_hold(results):
    for result in results.values():
        again = pickle.loads(pickle.dumps(result))  # noqa: S301
        assert repr(again) == repr(result)
        assert result == result  # noqa: PLR0124 - arrays alone would have no truth value
        assert result != again
        assert len({result, again}) == 2


def test_a_plan_and_a_library_can_be_keys(plan, library):
    assert {plan: 1, library: 2}[plan] == 1
    again = pickle.loads(pickle.dumps(plan))  # noqa: S301
    assert again != plan
    assert again.pins_digest == plan.pins_digest
    assert [form.columns for form in again.forms] == [form.columns for form in plan.forms]


def test_equal_libraries_have_equal_hashes(library):
    again = pickle.loads(pickle.dumps(library))  # noqa: S301
    assert again == library
    assert hash(again) == hash(library)
