"""The whole chain: nobody is lost, and the urgent are seen first."""

import numpy as np
import pytest

from mhscreen import bind, screen
from mhscreen.steps import score as score_module
from mhscreen.steps.screen import screen as screen_batch
from mhscreen.steps.shares import tiers_by_school
from mhscreen.steps.urgent import unmatched_items, urgent_columns
from mhscreen.vocabulary import ScreenTier

NOW = np.datetime64("2026-10-15T00:00:00", "s")


def codes_of(result):
    return [problem.code for problem in result.problems]


@pytest.fixture
def with_stranger(school):
    """Screen pupils, and a form of somebody who is not on the roster."""

    def run(*pupils, form, slot="phqa", subject="Z9"):
        everybody = school.pupil(
            subject, forms={"phqa": None, "mht": None, "gad7": None, slot: form}
        )
        roster, _ = school.frames(pupils)
        _, responses = school.frames([*pupils, everybody])
        return screen(
            school.plan, roster=roster, responses=responses, at=school.at, on_problem="report"
        )

    return run


# -- forms that match nobody ------------------------------------------------------------------


def test_a_form_off_the_roster_is_read_for_critical_items_and_changes_nobody_else(
    school, with_stranger
):
    result = with_stranger(school.pupil(), form=school.calm("phqa", q9=1))
    assert [entry["screen_tier"] for entry in result.entries] == ["none"]
    (item,) = unmatched_items(result)
    assert (item["subject"], item["kind"], item["established_tier"]) == (
        "Z9",
        "off_roster",
        "severe",
    )
    assert [(c["item"], c["state"]) for c in item["critical_items"]] == [("q9", "positive")]
    assert [(s["slot"], s["row"]) for s in item["sources"]] == [("phqa", 2)]


def test_a_blank_critical_item_off_the_roster_is_a_work_item(school, with_stranger):
    result = with_stranger(school.pupil(), form=school.calm("phqa", q9=None))
    (item,) = unmatched_items(result)
    assert item["possible_tier"] == "major"
    assert [(c["item"], c["state"]) for c in item["critical_items"]] == [("q9", "unanswered")]


def test_a_form_off_the_roster_heads_the_urgent_list(school, with_stranger):
    major = school.pupil(forms={"phqa": school.full("phqa")})
    result = with_stranger(major, form=school.calm("phqa", q9=1))
    listed = urgent_columns(result)
    assert listed["pupil"] == ["Z9", "A1"]
    assert listed["matched"] == ["no", "yes"]


def test_a_form_of_another_stage_is_a_work_item_where_a_critical_item_is_positive_or_open(school):
    forms = {"a": {"q9": 1}, "b": {"q9": None}, "c": {}}
    pupils = [
        school.pupil(name, stage="primary", grade=5, forms={"phqa": school.calm("phqa", **answers)})
        for name, answers in forms.items()
    ]
    result = school.screen(*pupils)
    found = {item["subject"]: item["kind"] for item in unmatched_items(result)}
    assert found == {"a": "wrong_stage", "b": "wrong_stage"}


# -- the urgent list --------------------------------------------------------------------------


def test_the_urgent_list_goes_by_rule_and_then_by_time(school):
    late = {"administered_on": "2026-10-14 20:00"}
    early = {"administered_on": "2026-10-14 08:00"}
    pupils = [
        school.pupil("calm"),
        school.pupil("open", forms={"phqa": school.calm("phqa", q9=None)}),
        school.pupil("severe late", forms={"phqa": school.calm("phqa", q9=1) | late}),
        school.pupil("severe early", forms={"phqa": school.calm("phqa", q9=1) | early}),
        school.pupil("major", forms={"phqa": school.calm("phqa", q9=3) | late}),
        school.pupil("watch", forms={"phqa": school.calm("phqa", q1=3, q2=3)}),
        school.pupil("absent", forms={"phqa": None, "mht": None, "gad7": None}),
    ]
    listed = urgent_columns(school.screen(*pupils))
    assert listed["pupil"] == ["major", "severe early", "severe late", "open"]
    assert listed["rank"] == [1, 2, 3, 4]


def test_without_anybody_urgent_the_list_is_empty_and_has_its_columns(school):
    listed = urgent_columns(school.screen(school.pupil()))
    assert set(map(len, listed.values())) == {0}
    assert {"pupil", "why", "due_at"} <= set(listed)


def test_the_urgent_list_holds_no_answer(school):
    listed = urgent_columns(school.screen(school.pupil(forms={"phqa": school.calm("phqa", q9=1)})))
    assert not {"q9", "phqa_q9", "phqa__total", "score"} & set(listed)


# -- identity ---------------------------------------------------------------------------------


def test_the_pupil_whose_form_it_may_be_is_not_shown_as_none_meanwhile(school):
    pupils = [
        school.pupil(
            "A1",
            birth_date="2013-01-01",
            forms={"gad7": school.calm("gad7") | {"birth_date": "2013-02-02"}},
        ),
        school.pupil("A2", birth_date="2013-02-02"),
        school.pupil("A3", birth_date="2013-03-03"),
    ]
    result = school.screen(*pupils)
    assert codes_of(result) == ["MH414"]
    found = list(result.entries)
    assert [entry["screen_tier"] for entry in found] == ["undetermined", "undetermined", "none"]
    assert ["identity" in entry["flags"] for entry in found] == [True, True, False]


# -- errors -----------------------------------------------------------------------------------


def test_a_pupil_who_cannot_be_evaluated_is_seen_by_a_person_and_the_batch_goes_on(
    school, monkeypatch
):
    original = score_module.score_forms

    def fails_on_a_three(plan, codes, *durations):
        if plan.slot == "gad7" and (codes == 3).any():
            msg = "made to fail"
            raise ZeroDivisionError(msg)
        return original(plan, codes, *durations)

    monkeypatch.setattr(score_module, "score_forms", fails_on_a_three)
    pupils = [
        school.pupil("A1", forms={"phqa": school.calm("phqa", q9=1)}),
        school.pupil("A2", forms={"gad7": school.full("gad7")}),
        school.pupil("A3"),
    ]
    result = school.screen(*pupils)
    entries = list(result.entries)
    assert [entry["screen_tier"] for entry in entries] == ["severe", "undetermined", "none"]
    assert "error" in entries[1]["flags"]
    assert [(p.code, p.subject) for p in result.problems] == [("MH604", "A2")]
    assert entries[1]["due_at"] is not None


def test_screening_leaves_the_batch_as_it_was_and_can_be_repeated(plan):
    form = plan.forms[plan.slot("sdq@parent")]
    columns = {f"sdq_{item.number}": [0] for item in form.items}
    columns[f"sdq_{form.gates[0].rows[0] + 1}"] = [1]  # behind a closed gate
    roster = {"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [2]}
    batch = bind(
        plan,
        roster=roster,
        responses={"sdq@parent": {"subject": ["A1"], **columns}},
        on_problem="report",
    )
    before = batch.problems
    first, second = (screen_batch(plan, batch, NOW) for _ in range(2))
    assert "MH410" in [problem.code for problem in first.problems]
    assert first.problems == second.problems
    assert batch.problems == before


def test_what_scoring_finds_on_a_form_off_the_roster_is_reported_too(plan):
    form = plan.forms[plan.slot("sdq@parent")]
    columns = {f"sdq_{item.number}": [0] for item in form.items}
    columns[f"sdq_{form.gates[0].rows[0] + 1}"] = [1]  # behind a closed gate
    result = screen(
        plan,
        roster={"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [2]},
        responses={"sdq@parent": {"subject": ["nobody"], **columns}},
        at="2026-10-15",
        on_problem="report",
    )
    assert ("MH410", "nobody") in [(problem.code, problem.subject) for problem in result.problems]


def test_a_fault_that_is_not_the_pupils_is_raised(school, monkeypatch):
    def fails(plan, codes, *durations):
        raise ZeroDivisionError

    monkeypatch.setattr(score_module, "score_forms", fails)
    with pytest.raises(ZeroDivisionError):
        school.screen(*(school.pupil(f"A{n}") for n in range(70)))


# -- duplicates on the roster -----------------------------------------------------------------


def test_a_pupil_who_stands_twice_on_the_roster_has_one_entry(school):
    result = school.screen(
        school.pupil("A1", forms={"phqa": school.calm("phqa", q9=1)}), school.pupil("A1")
    )
    (entry,) = result.entries
    assert entry["established_tier"] == "severe"
    assert "duplicate" in entry["flags"]
    assert "MH502" in codes_of(result)


# -- shares -----------------------------------------------------------------------------------


def test_a_school_that_looks_unlike_a_school_is_warned_of_and_no_tier_changes(school):
    pupils = [school.pupil(f"A{n:02d}") for n in range(40)]
    result = school.screen(*pupils)
    said = " ".join(str(problem) for problem in result.problems if problem.code == "MH605")
    assert "all_minimum" in said
    assert set(result.triage.screen.tolist()) == {ScreenTier.NONE.position}


def test_a_school_that_is_too_small_to_be_judged_is_not(school):
    assert codes_of(school.screen(*(school.pupil(f"A{n}") for n in range(20)))) == []


def test_tiers_by_school_count_every_pupil_once(school):
    pupils = [
        school.pupil("A1", school="North"),
        school.pupil("A2", school="South", forms={"phqa": school.calm("phqa", q9=1)}),
        school.pupil("A3", school="South", forms={"phqa": None, "mht": None, "gad7": None}),
    ]
    table = tiers_by_school(school.screen(*pupils).triage)
    assert list(table) == ["North", "South"]
    assert np.array(list(table.values())).sum() == 3
    assert table["South"][ScreenTier.SEVERE.position] == 1
    assert table["South"][ScreenTier.NOT_SCREENED.position] == 1
