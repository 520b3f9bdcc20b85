"""As the child whose form it is: whatever went wrong with the form, somebody looks at it."""

import datetime as dt

import numpy as np
import pytest

from mhscreen import screen
from mhscreen.steps.tables import BrokenRow, Table, encode
from mhscreen.steps.urgent import urgent_columns

HIDDEN = ("none", "watch")
ALARM = {"q1": 1, "q2": 1, "q3": 1, "q4": 1, "q5": 1}


@pytest.fixture
def run(school):
    """Screen one pupil whose required forms are calm, with further tables by key."""

    def run(tables, *, roster=None, **pupil):
        people, responses = school.frames([school.pupil(**pupil)])
        people = people if roster is None else roster
        return screen(
            school.plan, roster=people, responses=responses | tables, at=school.at,
            on_problem="report",
        )  # fmt: skip

    return run


def shown(result, subject="A1"):
    triage = result.triage
    return str(triage.screen_tier[triage.place(subject)])


def codes(result):
    return {problem.code for problem in result.problems}


def asq(subject="A1", **answers):
    return {"subject": [subject], **{f"asq_{key}": [value] for key, value in answers.items()}}


# -- the answer itself ----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["yes!", "refused", "7"])
def test_an_illegible_or_refused_question_about_now_is_never_closed_by_its_gate(run, answer):
    result = run({"asq": asq(q1=0, q2=0, q3=0, q4=0, q5=answer)})
    assert shown(result) == "undetermined"
    assert result.triage.possible_tier[0] == "major"


def test_a_question_that_was_never_put_counts_neither_as_yes_nor_as_no(run):
    result = run({"asq": asq(q1=0, q2=0, q3=0, q5=0)})  # no column for the fourth
    assert shown(result) == "undetermined"
    assert result.triage.established_tier[0] == "none"


# -- the file -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["ASQ", " asq ", "ＡＳＱ"])
def test_the_name_of_a_file_is_understood_in_any_letter_case(run, key):
    assert shown(run({key: asq(**ALARM)})) == "major"


def test_the_pupils_in_a_file_that_is_no_questionnaire_are_seen_by_a_person(run):
    result = run({"asq (1)": {"subject": ["A1", "ZZ"], "asq_q5": [1, 1]}})
    assert shown(result) == "undetermined"
    assert "error" in result.triage.flags_of(0)
    assert result.unmatched.triage.subjects.tolist() == ["ZZ"]
    assert codes(result) >= {"MH411"}


def test_answers_to_another_questionnaire_in_a_file_are_an_error(run, school):
    tables = {
        "phqa": {"subject": ["A1"], **{f"phqa_{k}": [v] for k, v in school.calm("phqa").items()}}
    }
    tables["phqa"]["asq_q5"] = [1]
    result = run(tables)
    assert "MH419" in codes(result)
    assert shown(result) not in HIDDEN


def test_an_empty_column_of_another_questionnaire_settles_nothing_else(run, school):
    tables = {
        "phqa": {"subject": ["A1"], **{f"phqa_{k}": [v] for k, v in school.calm("phqa").items()}}
    }
    tables["phqa"]["asq_q5"] = [None]
    assert "error" not in run(tables).triage.flags_of(0)


# -- the pupil ------------------------------------------------------------------------------------


def test_whoever_may_be_meant_by_a_form_is_not_shown_as_none(school):
    a = school.pupil("A1", birth_date="2013-01-01", sex="male")
    b = school.pupil("B1", birth_date="2012-05-05")
    a["forms"]["gad7"] |= {"birth_date": "2012-05-05", "sex": "female"}
    result = school.screen(a, b)
    assert {shown(result, "A1"), shown(result, "B1")} == {"undetermined"}


@pytest.mark.parametrize("written, known", [("1班", "1"), ("1", "1 班"), ("１班", "1")])
def test_a_class_written_otherwise_is_the_same_class(school, written, known):
    pupil = school.pupil(**{"class": known})
    pupil["forms"]["gad7"] |= {"class": written}
    assert shown(school.screen(pupil)) == "none"


def test_a_form_of_a_pupil_who_was_away_is_reported(school):
    assert "MH420" in codes(school.screen(school.pupil(status="declined")))


# -- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["9999-12-31", "2062-10-15", "1900-01-01", "2025-01-01"])
def test_a_date_that_cannot_be_neither_stops_the_run_nor_delays_anybody(school, day):
    ill = school.pupil("A1", forms={"phqa": school.calm("phqa", q9=3) | {"administered_on": day}})
    result = school.screen(ill, school.pupil("B1"))
    entries = list(result.entries)
    assert len(entries) == 2
    assert "MH413" in codes(result)
    due = dt.datetime.fromisoformat(entries[0]["due_at"])
    at = dt.datetime.fromisoformat(entries[0]["occurred_at"])
    assert due - at <= dt.timedelta(hours=8)


def test_an_undated_form_starts_its_clock_when_the_pupils_are_screened(school):
    forms = {
        "phqa": school.calm("phqa", q9=1),
        "gad7": school.calm("gad7") | {"administered_on": "2026-10-15 23:00"},
    }
    result = school.screen(school.pupil(forms=forms))
    assert result.triage.clock[0] == result.at


# -- what was asked, and what was recorded --------------------------------------------------------


def test_a_concern_counts_as_asked_only_where_somebody_reacted(school):
    names = [str(concern) for concern in school.plan.policy.concerns]
    calm = school.calm("phqa")
    without = {key: value for key, value in calm.items() if key not in ("q9", "si_month")}
    for form in (without, without | {"q9": None, "si_month": None}):
        entry = school.one(forms={"phqa": form})
        assert "suicide_ideation" in entry["not_asked"]
    assert "suicide_ideation" not in school.one()["not_asked"]
    assert set(school.one()["not_asked"]) < set(names)


def test_not_knowing_is_something_recorded(school):
    forms = dict.fromkeys(("sdq@parent", "sdq@teacher", "observer@parent"))
    unsure = dict.fromkeys(school.calm("observer@teacher"), None) | {"talked_of_dying": "dont_know"}
    result = school.screen(
        school.pupil(grade=2, stage="primary", forms=forms | {"observer@teacher": unsure})
    )
    assert shown(result) == "undetermined"
    assert not np.isnat(result.triage.due_at()[0])


def test_a_form_handed_in_wholly_blank_is_no_screening(school):
    forms = {slot: {} for slot in school.required["junior", 8]}
    assert school.tiers(forms=forms)[2] == "not_screened"


# -- what a fault in the engine could hide ---------------------------------------------------------


def test_a_pupil_whose_only_row_cannot_be_read_is_seen_by_a_person(run, school):
    columns = {"subject": encode(["B9"]), "asq_1": encode([0])}
    table = Table("asq.csv", columns, 1, broken_rows=(BrokenRow(2, "A1"),))
    result = run({"asq": table})
    assert shown(result) == "undetermined"
    assert "A1" in urgent_columns(result)["pupil"]


def test_a_missing_form_with_critical_items_is_an_open_critical_item(school):
    result = school.screen(school.pupil(forms={"phqa": None}))
    assert result.triage.critical_open[0]
    assert urgent_columns(result)["why"] == ["a critical item is unanswered"]
    due = school.one(forms={"phqa": school.calm("phqa", q9=None)})["due_at"]
    assert next(iter(result.entries))["due_at"] == due


def test_the_milder_of_two_forms_still_leaves_open_what_it_leaves_open(school):
    worse, milder = school.calm("phqa", q9=1, q1=3), school.calm("phqa", q9=None)
    for forms in ([worse, milder], [milder, worse]):
        assert school.tiers(forms={"phqa": forms})[:2] == ("severe", "major")


def test_of_two_pupils_for_one_reason_the_earlier_due_comes_first(school):
    forms = [{"phqa": school.calm("phqa", q9=1) | {"administered_on": day}} for day in (
        "2026-10-14", "2026-10-13")]  # fmt: skip
    result = school.screen(school.pupil("A1", forms=forms[0]), school.pupil("B1", forms=forms[1]))
    assert urgent_columns(result)["pupil"] == ["B1", "A1"]


def test_a_disputed_identity_is_other_evidence(school):
    quiet = school.pupil("A1", birth_date="2013-01-01")
    other = school.pupil("B1", birth_date="2013-02-02")
    disputed = school.pupil("B1", birth_date="2013-02-02")
    disputed["forms"]["gad7"] |= {"birth_date": "2013-01-01"}
    ids = [
        [entry["entry_id"] for entry in school.screen(quiet, second).entries]
        for second in (other, disputed)
    ]
    assert ids[0][0] != ids[1][0]


def test_an_invalid_form_of_another_stage_does_not_make_the_screening_invalid(school):
    yes = {f"q{number}": 1 for number in range(82, 102, 2)}
    entry = school.one(stage="primary", grade=2, forms={"mht": school.calm("mht", **yes)})
    assert "wrong_stage" in entry["flags"]
    assert "invalid" not in entry["flags"]


def test_of_two_equal_forms_the_one_submitted_first_is_shown(school):
    calm = school.calm("gad7")
    forms = [calm | {"administered_on": f"2026-10-{day}"} for day in (14, 12)]
    for order in (forms, forms[::-1]):
        entry = school.one(forms={"gad7": order})
        (form,) = [one for one in entry["instruments"] if one["slot"] == "gad7"]
        assert form["submitted_at"].startswith("2026-10-12")


def test_a_scale_on_which_low_is_worse_tells_which_form_is_shown(school):
    calm = school.calm("sdq@parent")
    unkind = calm | dict.fromkeys(("q1", "q4", "q9", "q17", "q20"), 0)
    for order in ([calm, unkind], [unkind, calm]):
        entry = school.one(stage="primary", grade=2, forms={"sdq@parent": order})
        (form,) = [one for one in entry["instruments"] if one["slot"] == "sdq@parent"]
        assert form["scores"]["prosocial"]["score"] == 0


def test_rules_stand_highest_tier_first_whatever_their_order_in_the_policy(plan):
    tiers = [rule.tier for rule in plan.triage.rules]
    assert tiers == sorted(tiers, reverse=True)
    assert tiers != sorted(tiers)
