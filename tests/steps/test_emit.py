"""Exactly one entry for every pupil, the same bytes whatever the order of forms."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from mhscreen.steps.emit import find_cycle, local_times


def phqa(school, **answers):
    return school.calm("phqa", **answers)


@pytest.fixture
def district(school):
    """A few pupils of every kind."""
    return [
        school.pupil("A1"),
        school.pupil("A2", forms={"phqa": [phqa(school, q9=1), phqa(school, q1=3), phqa(school)]}),
        school.pupil("A3", forms={"phqa": None, "mht": None, "gad7": None}, status="declined"),
        school.pupil("A4", forms={"phqa": phqa(school, q9=None)}),
        school.pupil("A5", stage="primary", grade=2, sex="male", age=8.25),
        school.pupil("A6", stage="primary", grade=5, forms={"phqa": phqa(school, q9=2)}),
        school.pupil("A7", grade=12, forms={"phqa": school.full("phqa")}),
        school.pupil("A8", forms={"mht": school.full("mht"), "asq": {"q1": "refused"}}),
    ]


def test_every_pupil_on_the_roster_has_exactly_one_entry_in_roster_order(school, district):
    entries = school.screen(*district).entries
    assert len(entries) == len(district)
    assert [entry["pupil_ref"] for entry in entries] == [pupil["subject"] for pupil in district]


def test_entries_are_the_same_bytes_when_made_again(school, district):
    assert list(school.screen(*district).entries.lines()) == list(
        school.screen(*district).entries.lines()
    )


@pytest.mark.parametrize("seed", range(4))
def test_shuffling_the_answers_changes_no_byte(school, district, seed):
    roster, responses = school.frames(district)
    rng = np.random.default_rng(seed)
    shuffled = {}
    for slot in rng.permutation(list(responses)):
        columns = responses[slot]
        order = rng.permutation(len(columns["subject"]))
        names = rng.permutation(list(columns))
        shuffled[str(slot)] = {
            str(name): [columns[name][place] for place in order] for name in names
        }
    from mhscreen import screen

    both = [
        list(
            screen(
                school.plan, roster=roster, responses=r, at=school.at, on_problem="report"
            ).entries.lines()
        )
        for r in (responses, shuffled)
    ]
    assert both[0] == both[1]


def test_shuffling_the_roster_only_permutes_the_lines(school, district):
    lines = list(school.screen(*district).entries.lines())
    backwards = list(school.screen(*district[::-1]).entries.lines())
    assert backwards[::-1] == lines


def test_two_forms_are_shown_and_cited_in_the_same_way_in_either_order(school):
    # Both make the rule hold, with different totals; two equal forms differ in time alone.
    one = phqa(school, **dict.fromkeys((f"q{n}" for n in range(1, 9)), 2))
    two = phqa(school, **dict.fromkeys((f"q{n}" for n in range(1, 9)), 3))
    times = [{"administered_on": f"2026-10-1{day} 09:00"} for day in range(4)]
    for forms in ([one, two], [one | times[0], one | times[1]], [one | times[2], one]):
        there, back = (school.one(forms={"phqa": order}) for order in (forms, forms[::-1]))
        assert there == back


def test_an_entry_of_two_forms_cites_the_worse(school):
    one = phqa(school, **dict.fromkeys((f"q{n}" for n in range(1, 9)), 2))
    two = phqa(school, **dict.fromkeys((f"q{n}" for n in range(1, 9)), 3))
    entry = school.one(forms={"phqa": [one, two]})
    reason = next(r for r in entry["tier_reasons"] if r["rule"] == "R6-depression")
    assert [evidence["value"] for evidence in reason["evidence"]] == [24]
    (form,) = [form for form in entry["instruments"] if form["slot"] == "phqa"]
    assert (form["forms"], form["scores"]["total"]["score"]) == (2, 24)


# -- ids and evidence -------------------------------------------------------------------------


def test_the_same_evidence_gives_the_same_id_whenever_it_is_entered_in_the_cycle(school):
    one, other = (
        next(iter(school.screen(school.pupil(), at=at).entries))
        for at in ("2026-10-15", "2026-11-20")
    )
    assert one["entry_id"] == other["entry_id"]
    spring = next(iter(school.screen(school.pupil(), at="2027-03-01").entries))
    assert spring["entry_id"] != one["entry_id"]


@pytest.mark.parametrize(
    "change",
    [
        {"forms": {"phqa": {"q1": 1}}},
        {"school": "T"},
        {"sex": "male"},
        {"age": 13.5},
        {"status": "absent"},
        {"grade": 9},
    ],
)
def test_other_evidence_gives_another_id(school, change):
    assert school.one(**change)["entry_id"] != school.one()["entry_id"]


def test_a_second_form_is_other_evidence(school):
    calm = school.calm("gad7")
    assert school.one(forms={"gad7": [calm, calm]})["entry_id"] != school.one()["entry_id"]


def test_an_entry_does_not_depend_on_other_pupils(school, district):
    together = {
        json.loads(line)["pupil_ref"]: line for line in school.screen(*district).entries.lines()
    }
    for pupil in district:
        (alone,) = school.screen(pupil).entries.lines()
        assert alone == together[pupil["subject"]]


# -- what an entry says -----------------------------------------------------------------------


def test_an_entry_is_complete_enough_to_be_explained_from_the_ledger_alone(school):
    entry = school.one(forms={"phqa": phqa(school, q1=3, q2=3, q9=1, attempt_life=None)})
    assert {reason["rule"] for reason in entry["tier_reasons"]} >= {"R4-item9", "R8-depression"}
    for reason in entry["tier_reasons"]:
        assert reason["because"]["en"]
        assert reason["because"]["zh"]
        assert reason["source"]
        assert reason["certainty"]
    lifetime = next(rule for rule in entry["undecided"] if rule["rule"] == "R5-lifetime-attempt")
    assert lifetime["open"] == ["phqa: phqa.attempt_life"]
    assert entry["problem_classes"] == ["mood", "suicide_self_harm"]
    states = {(c["item"], c["state"], c["score"]) for c in entry["critical_items"]}
    assert states == {("q9", "positive", 1), ("attempt_life", "unanswered", None)}


def test_critical_items_state_concern_and_window(school):
    (q9,) = school.one(forms={"phqa": phqa(school, q9=2)})["critical_items"]
    assert (q9["concern"], q9["window"], q9["days"], q9["directness"]) == (
        "suicide_ideation",
        "recent",
        14,
        "direct",
    )


def test_a_missing_required_form_is_listed_as_missing_without_scores(school):
    entry = school.one(forms={"phqa": None})
    (form,) = [form for form in entry["instruments"] if form["slot"] == "phqa"]
    assert (form["use"], form["filed"], form["forms"], form["scores"]) == ("required", False, 0, {})


def test_an_absent_on_event_form_is_not_listed(school):
    assert [form["slot"] for form in school.one()["instruments"]] == ["mht", "phqa", "gad7"]


def test_an_unanswered_form_has_neither_number_nor_category(school):
    entry = school.one(forms={"gad7": {}})
    (form,) = [form for form in entry["instruments"] if form["slot"] == "gad7"]
    assert not form["filed"]
    assert form["validity"] is None
    assert form["scores"]["total"] == {
        "score": None,
        "answered": 0,
        "low": None,
        "high": None,
        "category": None,
        "category_label": None,
    }


def test_no_entry_holds_an_item_answer_but_those_of_critical_items(school):
    text = json.dumps(school.one(forms={"phqa": phqa(school, q1=3, q9=1)}))
    assert '"q1"' not in text
    assert '"q9"' in text


def test_the_policy_is_called_unsigned_until_somebody_signs_it(school):
    assert school.one()["provenance"]["approved_by"] is None


def test_what_changes_later_is_never_stored(school):
    entry = school.one(forms={"phqa": phqa(school, q9=1)})
    assert not {"overdue", "status", "acknowledged", "case_tier"} & set(entry)


@pytest.mark.parametrize(
    "answers, label",
    [
        ({}, "本次测评未见预警"),
        ({"q9": 1}, "初筛提示·严重（待评估确认）"),
        ({"q9": None}, "待核实"),
    ],
)
def test_a_screening_tier_is_worded_as_provisional(school, answers, label):
    entry = school.one(forms={"phqa": phqa(school, **answers)})
    assert entry["screen_tier_label"]["zh"] == label


def test_a_severe_entry_is_kept_more_closely(school):
    assert school.one(forms={"phqa": phqa(school, q9=1)})["confidentiality"] == "restricted"
    assert school.one()["confidentiality"] == "routine"


def test_ages_are_those_of_the_local_day_of_screening(school):
    # A date means its midnight in Shanghai, which in UTC is still the day before.
    entry = school.one(birth_date="2013-10-15")
    assert entry["age"] == 13


# -- times and cycles -------------------------------------------------------------------------


def test_a_date_is_its_midnight_in_the_zone_of_the_programme(school):
    entry = school.one()
    assert entry["occurred_at"] == entry["recorded_at"] == "2026-10-15T00:00:00+08:00"


def test_a_time_of_submission_is_written_in_the_zone(school):
    form = phqa(school) | {"administered_on": "2026-10-14T01:00:00Z"}
    entry = school.one(forms={"phqa": form})
    (found,) = [f["submitted_at"] for f in entry["instruments"] if f["slot"] == "phqa"]
    assert found == "2026-10-14T09:00:00+08:00"


@pytest.mark.parametrize(
    "local, cycle",
    [
        ("2026-08-31T23:59:59", "qingdao-2023/2025-2026/spring"),
        ("2026-09-01T00:00:00", "qingdao-2023/2026-2027/autumn"),
        ("2027-01-31T23:59:59", "qingdao-2023/2026-2027/autumn"),
        ("2027-02-01T00:00:00", "qingdao-2023/2026-2027/spring"),
        ("2028-02-29T12:00:00", "qingdao-2023/2027-2028/spring"),
        ("2026-12-31T23:59:59", "qingdao-2023/2026-2027/autumn"),
    ],
)
def test_a_cycle_begins_and_ends_with_the_local_day(plan, local, cycle):
    moment = np.datetime64(local) - np.timedelta64(8, "h")
    assert find_cycle(plan.programme, moment).id == cycle


def test_outside_every_window_the_cycle_is_the_school_year(plan):
    programme = plan.programme.model_copy(update={"windows": plan.programme.windows[:1]})
    assert (
        find_cycle(programme, np.datetime64("2027-05-01T00:00:00")).id == "qingdao-2023/2026-2027"
    )


def test_no_time_stays_no_time():
    moments = np.array(["2026-10-15T00:00:00", "NaT"], dtype="M8[s]")
    assert local_times("Asia/Shanghai", moments) == ["2026-10-15T08:00:00+08:00", None]


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"]
)
def test_times_follow_the_clocks_of_the_zone_to_the_second(zone):
    ends = [np.datetime64(f"{day}T00:00:00") for day in ("1900-12-31", "1919-04-12", "2026-10-25")]
    steps = np.arange(0, 2 * 86_400, 97)
    moments = np.concatenate([[np.datetime64("NaT")], *(end + steps for end in ends)])
    place = ZoneInfo(zone)
    assert local_times(zone, moments) == [
        None
        if np.isnat(moment)
        else moment.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(place).isoformat()
        for moment in moments
    ]


def test_an_entry_names_the_norm_tables_of_the_questionnaires_handed_in(school):
    assert school.one()["provenance"]["norms"] == []
    teacher = school.one(stage="primary", grade=2)["provenance"]
    assert teacher["norms"] == ["sdq/shanghai-teacher@1.0.0"]
    without = school.one(stage="primary", grade=2, forms={"sdq@teacher": None})["provenance"]
    assert without["norms"] == []


def test_the_digests_tell_the_answers_from_the_roster_line(school):
    first = school.one()["provenance"]
    other_class = school.one(**{"class": "7"})["provenance"]
    other_answer = school.one(forms={"phqa": school.calm("phqa", q1=1)})["provenance"]
    assert (other_class["answers"], other_answer["roster"]) == (first["answers"], first["roster"])
    assert other_class["roster"] != first["roster"]
    assert other_answer["answers"] != first["answers"]
    assert len({one["evidence"] for one in (first, other_class, other_answer)}) == 3


def test_an_entry_says_what_its_due_date_rests_on(school):
    absent = {"forms": {"gad7": None}}
    for at, expected in (("2026-09-28", "official"), ("2099-03-02", "provisional")):
        (entry,) = school.screen(school.pupil(**absent), at=at).entries
        assert entry["provenance"]["calendar"] == expected
    assert school.one()["provenance"]["calendar"] is None
