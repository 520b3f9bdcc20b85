"""The urgent list: who is on it, in which order, and who sees them first."""

import pytest

from mhscreen.steps.urgent import unmatched_items, urgent_columns


def listed(result):
    columns = urgent_columns(result)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def test_a_pupil_to_be_asked_directly_the_same_day_is_on_the_list(school):
    (row,) = listed(school.screen(school.pupil(forms={"mht": school.calm("mht", q85=1)})))
    assert row["why"] == "to be asked directly in an interview"
    assert row["due_at"].startswith("2026-10-15")


def test_a_calm_pupil_is_not_on_the_list(school):
    assert listed(school.screen(school.pupil())) == []


def test_the_list_goes_by_rule_and_then_by_time(school):
    asked = school.calm("phqa")
    people = [
        school.pupil("ask", forms={"mht": school.calm("mht", q97=1)}),
        school.pupil("open", forms={"phqa": {**asked, "q9": None}}),
        school.pupil("severe", forms={"phqa": {**asked, "q9": 1}}),
        school.pupil("major", forms={"phqa": {**asked, "q9": 3}}),
        school.pupil("now", forms={"asq": {"q1": 1, "q2": 0, "q3": 0, "q4": 0, "q5": 1}}),
    ]
    rows = listed(school.screen(*people))
    assert [row["pupil"] for row in rows] == ["now", "major", "severe", "open", "ask"]
    assert [row["see_first"] for row in rows[:4]] == ["on_duty"] * 4


@pytest.mark.parametrize("answer", ["refused", "?"])
def test_a_form_on_which_only_something_illegible_stands_is_on_the_list(school, answer):
    forms = dict.fromkeys(school.required["junior", 8])
    rows = listed(school.screen(school.pupil(forms=forms | {"asq": {"q5": answer}})))
    assert [row["see_first"] for row in rows] == ["on_duty"]


def test_the_list_and_the_ledger_name_the_same_role(school):
    people = [
        school.pupil("a", forms={"phqa": school.calm("phqa", q9=None)}),
        school.pupil("b", forms={"mht": school.calm("mht", q85=1)}),
        school.pupil("c", forms={"asq": {"q1": None, "q2": 0, "q3": 0, "q4": 0}}),
    ]
    result = school.screen(*people)
    roles = {entry["pupil_ref"]: entry["assignee"] for entry in result.entries}
    assert {row["pupil"]: row["see_first"] for row in listed(result)} == roles


def test_a_wholly_blank_form_of_a_stranger_is_due_like_an_open_critical_item(school):
    roster, responses = school.frames([school.pupil()])
    responses["asq"] = {"subject": ["ZZ"], **{f"asq_q{n}": [None] for n in range(1, 6)}}
    from mhscreen import screen

    result = screen(
        school.plan, roster=roster, responses=responses, at=school.at, on_problem="report"
    )
    (row,) = listed(result)
    assert (row["pupil"], row["matched"]) == ("ZZ", "no")
    assert row["why_zh"].endswith("阳性或未作答")
    due = school.one(forms={"phqa": school.calm("phqa", q9=None)})["due_at"]
    assert row["due_at"] == due


def test_rows_that_nobody_evaluated_say_where_they_stand(school):
    roster, responses = school.frames([school.pupil()])
    responses["mood"] = {"subject": ["A1", "ZZ"], "mood_1": [3, 3]}
    from mhscreen import screen

    result = screen(
        school.plan, roster=roster, responses=responses, at=school.at, on_problem="report"
    )
    assert {row["pupil"]: row["source"] for row in listed(result)} == {
        "A1": "mood:1", "ZZ": "mood:2",
    }  # fmt: skip
    (item,) = unmatched_items(result)
    assert item["sources"] == [{"file": "mood", "row": 2, "slot": ""}]
