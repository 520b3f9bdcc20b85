"""Every rule on every form: evidence only raises, and no answer is not a low answer."""

import numpy as np
import pytest

from mhscreen import explain_entry
from mhscreen.problems import UsageError
from mhscreen.steps import ways as ways_module
from mhscreen.vocabulary import Flag, Tier

NOBODY = {"phqa": None, "mht": None, "gad7": None}
"""No form handed in by a junior pupil."""


def rules(entry):
    return {reason["rule"] for reason in entry["tier_reasons"]}


def undecided(entry):
    return {rule["rule"] for rule in entry["undecided"]}


def phqa(total, **answers):
    """Return a PHQ-A with a total on its first eight items."""
    codes = [min(3, max(0, total - 3 * n)) for n in range(8)]
    every = {f"q{n}": code for n, code in enumerate(codes, start=1)}
    return (
        every
        | {"q9": 0, "dysthymia": 0, "difficulty": 0, "si_month": 0, "attempt_life": 0}
        | answers
    )


# -- the four things (engine rule 1) ----------------------------------------------------------


def test_a_pupil_who_reports_nothing_on_every_required_form_is_shown_as_none(school):
    assert school.tiers() == ("none", "none", "none")


def test_a_pupil_without_any_form_is_not_screened(school):
    entry = school.one(forms=NOBODY)
    assert (entry["established_tier"], entry["possible_tier"]) == ("none", "major")
    assert entry["screen_tier"] == "not_screened"
    assert "incomplete" in entry["flags"]


def test_a_pupil_who_handed_in_blank_forms_is_not_screened(school):
    entry = school.one(forms={"phqa": {}, "mht": {}, "gad7": {}})
    assert entry["screen_tier"] == "not_screened"
    assert entry["established_tier"] == "none"


def test_without_required_forms_an_on_event_form_that_raises_a_rule_is_shown(school):
    assert school.tiers(forms=NOBODY | {"phq9": school.full("phq9")})[2] == "major"


def test_a_pupil_of_whom_only_an_on_event_form_was_filed_is_not_called_unscreened(school):
    calm = school.calm("observer@teacher")
    assert school.tiers(forms=NOBODY | {"observer@teacher": calm})[2] == "undetermined"


@pytest.mark.parametrize("item", ["q9", "si_month", "attempt_life"])
@pytest.mark.parametrize("total", [0, 4, 5, 10])
def test_a_blank_critical_item_never_ends_as_none_or_watch(school, item, total):
    shown = school.tiers(forms={"phqa": phqa(total, **{item: None})})[2]
    # Ten on eight items prorates to eleven, which is general and stands.
    assert shown == ("general" if (total, item) == (10, "q9") else "undetermined")


def test_undetermined_never_stands_in_place_of_an_established_general(school):
    entry = school.one(forms={"phqa": phqa(15, q9=None)})
    assert (entry["established_tier"], entry["screen_tier"]) == ("general", "general")
    assert entry["possible_tier"] == "major"
    assert "incomplete" in entry["flags"]


def test_one_missing_required_form_leaves_the_pupil_undetermined(school):
    entry = school.one(forms={"gad7": None})
    assert entry["screen_tier"] == "undetermined"
    assert undecided(entry) == {"R7-anxiety"}


def test_blanks_that_leave_only_watch_open_do_not_withhold_none(school):
    # Two blank GAD-7 items can add six points: with nought elsewhere ten is out of reach.
    entry = school.one(forms={"gad7": school.calm("gad7", q1=None, q2=None)})
    assert (entry["possible_tier"], entry["screen_tier"]) == ("none", "none")
    assert "incomplete" in entry["flags"]


def test_blanks_that_leave_general_open_do_withhold_none(school):
    entry = school.one(
        forms={"gad7": school.calm("gad7", **dict.fromkeys(("q1", "q2", "q3", "q4")))}
    )
    assert (entry["established_tier"], entry["possible_tier"]) == ("none", "general")
    assert entry["screen_tier"] == "undetermined"


# -- cuts of the policy: at, just below, just above -------------------------------------------


@pytest.mark.parametrize(
    "total, tier",
    [
        (0, "none"),
        (4, "none"),
        (5, "watch"),
        (6, "watch"),
        (10, "watch"),
        (11, "general"),
        (12, "general"),
        (14, "general"),
        (15, "general"),
        (24, "general"),
    ],
)
def test_the_adolescent_cuts_of_the_depression_score(school, total, tier):
    assert school.tiers(forms={"phqa": phqa(total)}) == (tier, tier, tier)


@pytest.mark.parametrize("total, candidate", [(14, False), (15, True)])
def test_a_total_in_the_two_highest_bands_is_a_candidate_for_severe(school, total, candidate):
    flags = school.one(forms={"phqa": phqa(total)})["flags"]
    assert ("severe_candidate" in flags) is candidate


@pytest.mark.parametrize("total, tier", [(9, "none"), (10, "general"), (11, "general")])
def test_the_anxiety_cut(school, total, tier):
    codes = [min(3, max(0, total - 3 * n)) for n in range(7)]
    gad7 = {f"q{n}": code for n, code in enumerate(codes, start=1)}
    assert school.tiers(forms={"gad7": gad7})[2] == tier


@pytest.mark.parametrize("total, tier", [(14, "none"), (15, "general"), (16, "general")])
def test_the_dsrsc_cut_of_chinese_cities(school, total, tier):
    answers = school.calm("dsrsc")
    left = total
    for item in answers:
        if item == "q10":
            continue
        step = min(2, left)
        answers[item] = school.codes("dsrsc", item)[step]
        left -= step
    assert school.tiers(stage="primary", grade=5, forms={"dsrsc": answers})[2] == tier


@pytest.mark.parametrize("number, tier", [(64, "watch"), (65, "general"), (66, "general")])
def test_the_mht_total_cut(school, number, tier):
    content = [n for n in range(1, 101) if n not in range(82, 101, 2) and n not in {85, 97}]
    answers = school.calm("mht", **dict.fromkeys((f"q{n}" for n in content[:number]), 1))
    assert school.tiers(forms={"mht": answers})[2] == tier


@pytest.mark.parametrize("first", [1, 16, 26, 36, 46, 56, 71])
@pytest.mark.parametrize("number, tier", [(7, "none"), (8, "watch")])
def test_eight_on_a_content_scale_of_the_mht_is_watched(school, first, number, tier):
    answers = school.calm("mht", **{f"q{n}": 1 for n in range(first, first + number)})
    assert school.tiers(forms={"mht": answers})[2] == tier


SHANGHAI = [("self", 15, 18), ("parent", 15, 17), ("teacher", 14, 18)]


def sdq(school, slot, total):
    answers, left = school.calm(slot), total
    scales = [
        s
        for s in school.form(slot).scales
        if s.id in {"emotional", "conduct", "hyperactivity", "peer"}
    ]
    for scale in scales:
        for row in scale.rows:
            item = school.form(slot).items[row].id
            step = min(2, left)
            answers[item] = school.codes(slot, item)[step]
            left -= step
    return answers


@pytest.mark.parametrize("informant, borderline, abnormal", SHANGHAI)
def test_sdq_cuts_are_those_of_shanghai_for_each_informant(school, informant, borderline, abnormal):
    slot = f"sdq@{informant}"

    def tier(total):
        return school.tiers(forms={slot: sdq(school, slot, total)})[2]

    assert [
        tier(t) for t in (borderline - 1, borderline, abnormal - 1, abnormal, abnormal + 1)
    ] == [
        "none",
        "watch",
        "watch",
        "general",
        "general",
    ]


# -- critical items ---------------------------------------------------------------------------


@pytest.mark.parametrize("answer, tier", [(1, "severe"), (2, "severe"), (3, "major")])
def test_item_nine_is_followed_up_whatever_the_total(school, answer, tier):
    entry = school.one(forms={"phqa": phqa(0, q9=answer)})
    assert entry["screen_tier"] == tier
    assert "R4-item9" in rules(entry)


@pytest.mark.parametrize("total, tier", [(17, "severe"), (18, "major")])
def test_item_nine_on_most_days_is_major_with_a_total_from_twenty(school, total, tier):
    assert school.tiers(forms={"phqa": phqa(total, q9=2)})[0] == tier


@pytest.mark.parametrize("item, tier", [("si_month", "severe"), ("attempt_life", "severe")])
def test_the_two_suicide_questions_of_the_phqa_give_severe(school, item, tier):
    assert school.tiers(forms={"phqa": phqa(0, **{item: 1})}) == (tier, tier, tier)


@pytest.mark.parametrize("item", ["q85", "q97"])
def test_an_indirect_item_gives_general_and_asks_for_a_direct_question(school, item):
    entry = school.one(forms={"mht": school.calm("mht", **{item: 1})})
    assert entry["screen_tier"] == "general"
    assert "ask_directly" in entry["flags"]


@pytest.mark.parametrize("answer, tier", [(1, "general"), (2, "severe")])
def test_item_ten_of_the_dsrsc_asks_for_a_direct_question(school, answer, tier):
    forms = {"dsrsc": school.calm("dsrsc", q10=answer)}
    entry = school.one(stage="primary", grade=5, forms=forms)
    assert entry["screen_tier"] == tier
    assert "ask_directly" in entry["flags"]


def test_question_five_of_the_asq_is_major_even_where_the_others_are_no_or_blank(school):
    no = dict.fromkeys(("q1", "q2", "q3", "q4"), 0)
    for others in (no, dict.fromkeys(no), {}):
        assert school.tiers(forms={"asq": others | {"q5": 1}})[0] == "major"


@pytest.mark.parametrize("answer", [1, None, "refused"])
def test_a_yes_refusal_or_blank_on_the_asq_is_severe_and_leaves_major_open(school, answer):
    asq = {"q1": 0, "q2": answer, "q3": 0, "q4": 0}
    entry = school.one(forms={"asq": asq})
    assert (entry["established_tier"], entry["possible_tier"]) == ("severe", "major")
    assert "R1-now" in undecided(entry)


def test_a_pupil_who_refused_every_question_of_the_asq_is_severe_even_without_other_forms(school):
    refused = dict.fromkeys(("q1", "q2", "q3", "q4"), "refused")
    established, possible, shown = school.tiers(forms=NOBODY | {"asq": refused})
    assert (established, possible, shown) == ("severe", "major", "severe")


def test_four_times_no_on_the_asq_closes_question_five(school):
    asq = dict.fromkeys(("q1", "q2", "q3", "q4"), 0)
    assert school.tiers(forms={"asq": asq}) == ("none", "none", "none")


@pytest.mark.parametrize(
    "item, tier",
    [
        ("talked_of_dying", "severe"), ("self_harm_seen", "severe"),
        ("attempt_or_preparation", "major"), ("farewell_or_means", "major"),
        ("attempt_lifetime", "severe"), ("harm_others", "severe"), ("psychotic_signs", "major"),
        ("abuse_suspected", "severe"), ("diagnosis_held", "major"), ("exposure", "general"),
        ("sudden_blow", "watch"), ("marked_abnormality", "watch"), ("in_treatment", "severe"),
        ("sign_mood_change", "severe"), ("sign_sleep", "watch"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("informant", ["teacher", "parent"])
def test_what_an_adult_has_seen_gives_its_tier_whoever_says_it(school, item, tier, informant):
    slot = f"observer@{informant}"
    forms = {slot: school.calm(slot, **{item: 1})}
    assert school.tiers(stage="primary", grade=2, forms=forms)[0] == tier


@pytest.mark.parametrize("concern", ["none", "watch", "general", "severe", "major"])
def test_a_concern_that_an_adult_states_is_taken_at_its_word(school, concern):
    forms = {"observer@teacher": school.calm("observer@teacher", raised_concern=concern)}
    assert school.tiers(forms=forms)[0] == concern


def test_dont_know_about_self_harm_is_not_a_no(school):
    slot = "observer@parent"
    forms = {slot: school.calm(slot, self_harm_seen="dont_know")}
    assert school.tiers(stage="primary", grade=2, forms=forms) == ("none", "severe", "undetermined")


# -- never lowered (engine rules 2 and 4, clinical rules 2 and 3) -----------------------------


def invalid_mht(school, **answers):
    return school.calm("mht", **{f"q{n}": 1 for n in range(82, 101, 2)}, **answers)


def test_an_invalid_form_bars_none_and_watch(school):
    for forms in ({"mht": invalid_mht(school)}, {"mht": invalid_mht(school), "phqa": phqa(6)}):
        entry = school.one(forms=forms)
        assert entry["screen_tier"] == "undetermined"
        assert "invalid" in entry["flags"]


def test_blanks_that_may_hide_an_invalid_form_bar_none_and_watch(school):
    six = {f"q{n}": 1 for n in range(82, 93, 2)}
    entry = school.one(forms={"mht": school.calm("mht", **six, q94=None)})
    assert (entry["established_tier"], entry["screen_tier"]) == ("none", "undetermined")
    assert "invalid" not in entry["flags"]
    assert "whether a form is valid" in explain_entry(entry)
    assert "是否有效" in explain_entry(entry, "zh")
    assert "Nothing that is unanswered" not in explain_entry(entry)
    five = {**six, "q92": 0}
    assert school.tiers(forms={"mht": school.calm("mht", **five, q94=None)})[2] == "none"


def test_all_rules_are_evaluated_on_an_invalid_form_and_the_reason_says_so(school):
    entry = school.one(forms={"mht": invalid_mht(school, q85=1)})
    assert (entry["established_tier"], entry["screen_tier"]) == ("general", "general")
    (reason,) = entry["tier_reasons"]
    assert [evidence["invalid_form"] for evidence in reason["evidence"]] == [True]


def test_six_validity_answers_bar_nothing(school):
    answers = {f"q{n}": 1 for n in range(82, 93, 2)}
    assert school.tiers(forms={"mht": school.calm("mht", **answers)})[2] == "none"


def test_a_prorated_score_may_raise_a_tier_which_then_says_estimated(school):
    # Seven answers make nine, prorated 11.57: general, though the answered items alone do not.
    forms = {"phqa": phqa(0, **{f"q{n}": 1 for n in range(3, 7)}, q7=2, q8=3, q1=None, q2=None)}
    entry = school.one(forms=forms)
    assert entry["established_tier"] == "general"
    assert "estimated" in entry["flags"]


def test_a_tier_that_the_answered_items_reach_alone_is_not_called_estimated(school):
    forms = {"phqa": phqa(18, q1=None)}  # 15 on seven answered items
    entry = school.one(forms=forms)
    assert entry["established_tier"] == "general"
    assert "R6-depression" in rules(entry)
    assert "estimated" not in entry["flags"]


def test_a_prorated_score_never_rules_a_higher_tier_out(school):
    entry = school.one(forms={"phqa": phqa(9, q1=None)})  # prorated 6.75, rounded 7; at most 9
    assert entry["established_tier"] == "watch"
    ten = school.one(forms={"phqa": phqa(12, q1=None)})  # prorated 10, at most 12
    assert (ten["established_tier"], ten["possible_tier"]) == ("watch", "general")
    assert "R7-depression" in undecided(ten)


def test_another_calm_form_in_the_same_slot_lowers_nothing(school):
    worse = phqa(15, q9=1)
    for forms in ([worse, phqa(0)], [phqa(0), worse]):
        entry = school.one(forms={"phqa": forms})
        assert entry["established_tier"] == "severe"
        assert "duplicate" in entry["flags"]


def test_items_of_two_forms_are_never_mixed(school):
    # Item nine at two on one form, a total of twenty on the other: neither form is major.
    entry = school.one(forms={"phqa": [phqa(0, q9=2), phqa(20)]})
    assert entry["established_tier"] == "severe"
    assert "R3-item9-high-total" not in rules(entry)
    assert "R6-depression" in rules(entry)


def test_two_forms_of_one_pupil_may_meet_forms_of_other_slots(school):
    slot = "observer@teacher"
    entry = school.one(
        forms={"phqa": [phqa(0), phqa(16)], slot: school.calm(slot, marked_abnormality=1)}
    )
    assert "R6-abnormality-seen" in rules(entry)


def test_a_blank_second_form_leaves_the_pupil_undetermined(school):
    established, _, shown = school.tiers(forms={"phqa": [phqa(0), {}]})
    assert (established, shown) == ("none", "undetermined")


def test_more_combinations_than_are_gone_through_are_seen_by_a_person(school, monkeypatch):
    monkeypatch.setattr(ways_module, "MOST_COMBINATIONS", 1)
    apart = [school.calm("phqa", q9=1), phqa(16)]  # neither says all that the other says
    entry = school.one(forms={"phqa": apart})
    assert "error" in entry["flags"]
    assert (entry["established_tier"], entry["possible_tier"]) == ("severe", "major")


def test_a_form_that_says_no_more_than_another_needs_no_combining(school, monkeypatch):
    monkeypatch.setattr(ways_module, "MOST_COMBINATIONS", 1)
    entry = school.one(forms={"phqa": [phqa(0), phqa(16), phqa(16)]})
    assert "error" not in entry["flags"]
    assert "duplicate" in entry["flags"]
    assert entry["established_tier"] == "general"


# -- slots (engine rule 5, clinical rule 5) ---------------------------------------------------


def test_an_absent_on_event_form_is_no_evidence(school):
    assert school.tiers() == ("none", "none", "none")


def test_a_filed_on_event_form_brings_its_blanks_along(school):
    slot = "observer@teacher"
    established, possible, shown = school.tiers(
        forms={slot: school.calm(slot, attempt_lifetime=None)}
    )
    assert (established, possible, shown) == ("none", "severe", "undetermined")


def test_an_absent_required_form_counts_as_unanswered(school):
    entry = school.one(forms={"phqa": None})
    assert entry["possible_tier"] == "major"
    assert {"R3-item9-daily", "R4-item9", "R5-lifetime-attempt"} <= undecided(entry)


def test_young_children_are_not_none_without_the_two_observer_forms(school):
    for slot in ("observer@parent", "observer@teacher"):
        assert school.tiers(stage="primary", grade=2, forms={slot: None})[2] == "undetermined"


def test_what_nobody_asked_about_in_plain_words_is_listed(school):
    assert school.one(stage="primary", grade=5)["not_asked"] == [
        "suicide_ideation", "suicide_plan", "suicide_attempt", "self_harm", "harm_others",
        "psychosis", "abuse",
    ]  # fmt: skip
    assert school.one()["not_asked"] == [
        "suicide_plan",
        "self_harm",
        "harm_others",
        "psychosis",
        "abuse",
    ]
    assert school.one(stage="primary", grade=2)["not_asked"] == []


def test_a_form_that_was_not_answered_asked_nothing(school):
    blank = school.one(forms={"phqa": {}})
    assert "suicide_ideation" in blank["not_asked"]


# -- informants (clinical rule 8) -------------------------------------------------------------


def test_informants_are_counted_and_never_averaged(school):
    forms = {
        "sdq@parent": sdq(school, "sdq@parent", 17),
        "sdq@teacher": sdq(school, "sdq@teacher", 0),
    }
    entry = school.one(stage="primary", grade=2, forms=forms)
    assert entry["established_tier"] == "general"
    assert "R7-sdq" in rules(entry)
    assert "R6-sdq-two-informants" not in rules(entry)
    both = {slot: sdq(school, slot, 18) for slot in forms}
    assert "R6-sdq-two-informants" in rules(school.one(stage="primary", grade=2, forms=both))


def test_a_difference_of_two_tiers_between_informants_is_shown(school):
    slot = "observer@parent"
    far = school.one(stage="primary", grade=2, forms={slot: school.calm(slot, exposure=1)})
    assert "informants_differ" in far["flags"]
    near = school.one(stage="primary", grade=2, forms={slot: school.calm(slot, sudden_blow=1)})
    assert "informants_differ" not in near["flags"]


def test_an_informant_who_said_nothing_does_not_differ(school):
    forms = {"phqa": phqa(15), "observer@teacher": None}
    assert "informants_differ" not in school.one(forms=forms)["flags"]


def test_a_score_and_abnormality_seen_by_an_adult_give_severe_together(school):
    slot = "observer@teacher"
    seen = school.calm(slot, marked_abnormality=1)
    assert school.tiers(forms={"phqa": phqa(15), slot: seen})[0] == "severe"
    assert school.tiers(forms={"phqa": phqa(14), slot: seen})[0] == "general"
    assert school.tiers(forms={slot: seen})[0] == "watch"


# -- forms meant for another stage (clinical rule 9) ------------------------------------------


def test_on_a_form_of_another_stage_critical_items_count_and_totals_do_not(school):
    pupil = {"stage": "primary", "grade": 5}
    total = school.one(**pupil, forms={"phqa": phqa(24)})
    assert total["established_tier"] == "none"
    assert "wrong_stage" in total["flags"]
    thoughts = school.one(**pupil, forms={"phqa": phqa(0, q9=1)})
    assert thoughts["established_tier"] == "severe"


def test_a_blank_critical_item_on_a_form_of_another_stage_bars_none(school):
    entry = school.one(stage="primary", grade=5, forms={"phqa": phqa(0, q9=None)})
    assert entry["screen_tier"] == "undetermined"


def test_a_high_total_with_item_nine_on_a_form_of_another_stage_is_read_for_item_nine_only(school):
    entry = school.one(stage="primary", grade=5, forms={"phqa": phqa(24, q9=2)})
    assert entry["established_tier"] == "severe"
    assert "R3-item9-high-total" not in rules(entry)


# -- pupils of no group, and errors -----------------------------------------------------------


def test_a_pupil_of_no_group_is_read_like_every_other_and_never_none(school):
    for grade in (12, None):
        assert (
            school.tiers(stage="junior", grade=grade, forms={"phqa": phqa(0)})[2] == "undetermined"
        )
    assert school.tiers(stage="junior", grade=12, forms={"phqa": phqa(0, q9=1)})[2] == "severe"


# -- reasons ----------------------------------------------------------------------------------


@pytest.fixture
def triage(school):
    def of(**pupil):
        return school.screen(school.pupil(**pupil)).triage

    return of


def test_reasons_come_with_the_highest_tier_first_and_name_what_made_them_hold(triage):
    reasons = triage(forms={"phqa": phqa(15, q9=3)}).reasons("A1")
    tiers = [reason.tier.position for reason in reasons]
    assert tiers == sorted(tiers, reverse=True)
    first = reasons[0]
    assert (first.rule.id, first.tier, first.holds) == ("R3-item9-daily", Tier.MAJOR, True)
    (evidence,) = first.evidence
    assert (evidence.name, evidence.slot, evidence.value, evidence.cut) == ("phqa.q9", "phqa", 3, 3)


def test_a_rule_that_holds_names_only_the_conditions_that_hold(triage):
    found = triage(forms={"phqa": phqa(15)})
    reason = next(r for r in found.reasons("A1") if r.rule.id == "R6-depression")
    assert [evidence.slot for evidence in reason.evidence] == ["phqa"]


def test_an_undecided_rule_names_what_is_open(triage):
    found = triage(forms={"phqa": phqa(0, q9=None)})
    reason = next(r for r in found.reasons("A1") if r.rule.id == "R4-item9")
    assert not reason.holds
    (evidence,) = reason.evidence
    assert (evidence.value, evidence.low, evidence.high, evidence.filed) == (None, 0, 3, True)


def test_a_reason_from_two_forms_shows_the_form_that_made_it_hold(triage):
    found = triage(forms={"phqa": [phqa(0), phqa(17), phqa(3)]})
    reason = next(r for r in found.reasons("A1") if r.rule.id == "R6-depression")
    assert [evidence.value for evidence in reason.evidence] == [17]


def test_a_subject_who_is_not_on_the_roster_has_no_reasons(triage):
    with pytest.raises(UsageError, match="no such subject"):
        triage().reasons("somebody else")


def test_every_tier_is_the_highest_of_the_rules_that_hold(school):
    rng = np.random.default_rng(11)
    pupils = []
    for number in range(60):
        forms = {}
        for slot in ("phqa", "gad7", "observer@teacher"):
            every = school.calm(slot)
            for item in every:
                if rng.random() < 0.2:
                    choices = [*school.codes(slot, item), None]
                    every[item] = choices[rng.integers(len(choices))]
            forms[slot] = every
        pupils.append(school.pupil(f"A{number}", forms=forms))
    result = school.screen(*pupils).triage
    for place, subject in enumerate(result.subjects):
        reasons = result.reasons(subject)
        holding = max((r.tier.position for r in reasons if r.holds), default=0)
        possible = max((r.tier.position for r in reasons), default=0)
        assert (result.established[place], result.possible[place]) == (holding, possible)
        assert holding <= possible


def test_flags_of_a_pupil_are_those_that_stand_in_the_columns(triage):
    found = triage(forms={"phqa": [phqa(15), phqa(0)]})
    assert set(found.flags_of(0)) == {Flag.DUPLICATE, Flag.SEVERE_CANDIDATE}
