"""Ways in which a child in danger could drop off the list; none of them does."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from mhscreen.ledger.due import due
from mhscreen.ledger.fold import fold
from mhscreen.vocabulary import CaseStatus

ZONE = ZoneInfo("Asia/Shanghai")
KNOWN = {"known": [{"name": "phqa.attempt_life", "concern": "suicide_attempt", "on": "2025-05-01"}]}
NOT_SINCE = {"about": "suicide_attempt", "answer": "no", "since": "2025-05-01"}
YES = {"about": "suicide_plan", "answer": "yes"}
UNSEEN = dict.fromkeys(("emotion", "behaviour", "social", "academic"), "not_seen")


def codes(case):
    return [problem.code for problem in case.problems]


def open_ids(case):
    return {action.id for action in case.open_actions}


@pytest.fixture(scope="module")
def severe_case(book):
    severe = book.severe("2026-10-15")
    talk = book.interview("2026-10-15", severe)
    return [severe, talk, book.decide("2026-10-16", "severe", severe, talk)]


# -- what a person does not settle ----------------------------------------------------------------


def test_a_closure_does_not_dismiss_evidence_that_nobody_has_decided_on(book):
    major = book.major()
    case = book.fold(major, book.close("2026-10-16", major, status="closed"))
    assert (case.status, case.to_confirm) == (CaseStatus.OPEN, (major["entry_id"],))


def test_a_correction_by_somebody_else_lowers_nothing(book):
    major = book.major("2026-10-15")
    talk = book.interview("2026-10-15", major)
    decided = book.decide("2026-10-15", "major", major, talk)
    other = book.decide("2026-11-20", "none", by="t-99", reason="other",
                        supersedes=decided["entry_id"])  # fmt: skip
    case = book.fold(major, talk, decided, other)
    assert (case.case_tier, codes(case)) == ("major", ["MH803"])


def test_a_correction_a_month_later_is_a_step_down(book, severe_case):
    later = book.decide("2026-11-20", "watch", supersedes=severe_case[2]["entry_id"])
    case = book.fold(*severe_case, later)
    assert (case.case_tier, codes(case)) == ("severe", ["MH803"])


def test_a_disclosure_is_not_taken_back_by_somebody_else(book, severe_case):
    told = book.interview("2026-10-15", asked=[{"about": "abuse", "answer": "yes"}])
    denied = book.interview("2026-10-17", by="t-99", supersedes=told["entry_id"],
                            asked=[{"about": "abuse", "answer": "no"}])  # fmt: skip
    assert "mandatory_report" in open_ids(book.fold(*severe_case, told, denied))


def test_an_old_interview_does_not_dismiss_new_evidence(book, severe_case):
    major = book.major("2027-03-10")
    case = book.fold(
        *severe_case, major, book.decide("2027-03-11", "severe", major, severe_case[1])
    )
    assert (case.to_confirm, codes(case)) == ((major["entry_id"],), ["MH803"])


# -- what a person hears --------------------------------------------------------------------------


def test_a_yes_that_a_person_hears_asks_for_a_decision(book):
    calm = book.calm()
    told = book.interview("2026-10-20", asked=[YES])
    case = book.fold(calm, told)
    assert (case.status, case.to_confirm) == (CaseStatus.ASSESSING, (told["entry_id"],))
    assert open_ids(case) == {"set_tier"}


def test_a_conclusion_that_calls_for_a_review_asks_for_a_decision(book):
    told = book.interview("2026-10-20", conclusion="refer")
    assert book.fold(book.calm(), told).to_confirm == (told["entry_id"],)


def test_a_decision_that_names_the_interview_settles_it(book):
    told = book.interview("2026-10-20", asked=[YES])
    case = book.fold(book.calm(), told, book.decide("2026-10-20", "severe", told))
    assert (case.case_tier, case.to_confirm) == ("severe", ())


def test_a_yes_within_the_month_keeps_a_major_case_from_being_lowered(book):
    major = book.major("2026-10-15")
    talk = book.interview("2026-10-15", major)
    told = book.interview("2026-11-20", asked=[YES])
    down = book.decide("2026-11-21", "severe", told, basis="team_review", reviewer="h-01",
                       reason="improved")  # fmt: skip
    case = book.fold(major, talk, book.decide("2026-10-15", "major", major, talk), told, down)
    assert (case.case_tier, codes(case)) == ("major", ["MH803"])


# -- what is still owed ---------------------------------------------------------------------------


def test_coming_down_from_major_does_not_undo_that_somebody_had_to_be_told(book):
    major = book.major("2026-10-15")
    talk = book.interview("2026-10-15", major)
    told = book.tell("2026-10-15", "leading_group")
    down = book.decide("2026-12-01", "severe", basis="team_review", reviewer="h-01",
                       reason="improved")  # fmt: skip
    case = book.fold(major, talk, book.decide("2026-10-15", "major", major, talk), told, down)
    assert case.case_tier == "severe"
    owed = {a.id: a for a in case.open_actions if a.because != down["entry_id"]}
    assert {"tell_district", "tell_head"} <= set(owed)
    assert "tell_leading_group" not in owed
    assert owed["tell_district"].overdue(dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    later = book.fold(
        major, talk, book.decide("2026-10-15", "major", major, talk), told, down,
        book.tell("2026-12-02", "district"),
    )  # fmt: skip
    assert "tell_district" not in open_ids(later)
    assert "crisis_plan" not in open_ids(later)


# -- blanks and known items -----------------------------------------------------------------------


def test_an_empty_form_does_not_take_the_place_of_one_with_a_blank(book):
    blank = book.undetermined("2026-10-15")
    forms = {"mht": None, "phqa": None, "gad7": None}
    empty = next(iter(book.school.screen(book.school.pupil(forms=forms), at="2026-10-20").entries))
    case = book.fold(blank, empty)
    assert (case.screen_tier, case.to_confirm) == ("undetermined", (blank["entry_id"],))


@pytest.fixture(scope="module")
def confirmed(book):
    attempt = book.attempt("2026-10-15")
    talk = book.interview("2026-10-15", attempt)
    return [attempt, talk, book.decide("2026-10-16", "severe", attempt, talk, **KNOWN)]


def test_a_quiet_known_item_does_not_hide_a_blank_one(book, confirmed):
    again = book.screening("2027-03-10", attempt_life=1, q9=None)
    case = book.fold(*confirmed, again, book.interview("2027-03-11", asked=[NOT_SINCE]))
    assert (case.screen_tier, case.to_confirm) == ("undetermined", (again["entry_id"],))


def test_a_no_heard_before_the_form_does_not_quiet_the_form(book, confirmed):
    again = book.attempt("2027-06-20")
    case = book.fold(*confirmed, book.interview("2027-02-10", asked=[NOT_SINCE]), again)
    assert case.to_confirm == (again["entry_id"],)


def test_an_item_about_the_last_days_is_never_known(book):
    severe = book.severe("2026-10-15")
    talk = book.interview("2026-10-15", severe)
    known = [{"name": "phqa.q9", "on": "2026-10-15"}]
    decided = book.decide("2026-10-16", "severe", severe, talk, known=known)
    again = book.major("2027-03-10")
    heard = book.interview(
        "2027-03-11", asked=[{"about": "phqa.q9", "answer": "no", "since": "2026-10-15"}]
    )
    assert book.fold(severe, talk, decided, again, heard).screen_tier == "major"


def test_a_screening_that_supersedes_another_takes_nothing_from_it(book):
    severe = book.severe("2026-10-15")
    for later in (book.calm("2026-10-20"), book.severe("2026-10-20", item9=2)):
        case = book.fold(severe, later | {"supersedes": severe["entry_id"]})
        assert case.screen_tier == "severe"
        assert case.to_confirm[0] == severe["entry_id"]


# -- abuse ----------------------------------------------------------------------------------------


def test_a_second_disclosure_asks_for_a_second_report(book, severe_case):
    abuse = {"asked": [{"about": "abuse", "answer": "yes"}]}
    first, report = book.interview("2026-10-17", **abuse), book.tell("2026-10-17", "authorities")
    assert "mandatory_report" not in open_ids(book.fold(*severe_case, first, report))
    second = book.interview("2027-04-10", **abuse)
    assert "mandatory_report" in open_ids(book.fold(*severe_case, first, report, second))


def test_abuse_that_is_asked_about_by_the_item_counts(book, severe_case):
    asked = [{"about": "observer.abuse_suspected", "answer": "yes"}]
    told = book.interview("2026-10-17", asked=asked)
    case = fold([*severe_case, told])["A1"]
    assert "mandatory_report" in open_ids(case)
    assert [action.held for action in case.actions if action.id == "tell_guardian"] == [True]


# -- what is done, and what is not ----------------------------------------------------------------


def test_the_last_evening_of_a_month_shows_what_is_due_in_the_night(book):
    cases = book.cases(book.severe("2026-10-31T20:00:00+08:00"))
    items = due(cases, "2026-10-31T22:00:00+08:00")
    assert "see_pupil" in {item.action.id for item in items}


def test_one_pupil_who_cannot_be_read_is_seen_by_a_person_and_the_others_go_on(book):
    broken = book.severe() | {"pupil_ref": "B2", "due_at": "tomorrow"}
    cases = book.cases(book.calm(), broken)
    assert cases["A1"].status is CaseStatus.NO_CASE
    assert (cases["B2"].status, codes(cases["B2"])) == (CaseStatus.OPEN, ["MH801"])


def test_the_interview_after_four_weeks_is_not_the_one_before_the_decision(book):
    general = book.general()
    talk = book.interview("2026-10-15", general)
    case = book.fold(general, talk, book.decide("2026-10-16", "general", general, talk))
    assert "review_after_four_weeks" in open_ids(case)


@pytest.mark.parametrize("day, is_open", [("2026-10-19", True), ("2026-11-09", False)])
def test_an_interview_on_the_next_day_is_no_review_after_four_weeks(book, day, is_open):
    general = book.general()
    talk = book.interview("2026-10-15", general)
    decided = book.decide("2026-10-16", "general", general, talk)
    case = book.fold(general, talk, decided, book.interview(day))
    assert ("review_after_four_weeks" in open_ids(case)) is is_open


def test_a_raised_tier_that_names_old_entries_asks_for_everything_anew(book, severe_case):
    told = book.tell("2026-10-16T13:00:00+08:00", "class_teacher")
    raised = book.decide("2027-03-11", "major", severe_case[0], basis="emergency",
                         reason="new_signs")  # fmt: skip
    assert "tell_class_teacher" in open_ids(book.fold(*severe_case, told, raised))


def test_a_confirmation_anew_begins_the_stable_months_anew(book, severe_case):
    again = book.severe("2027-01-11", item9=2)
    talk = book.interview("2027-01-11", again)
    down = book.decide("2027-01-12", "general", talk, reviewer="h-01", reason="improved")
    seen = [book.follow_up("2026-11-12", 1), book.follow_up("2026-12-10", 2)]
    case = book.fold(*severe_case, *seen, again, talk,
                     book.decide("2027-01-11", "severe", again, talk), down)  # fmt: skip
    assert (case.case_tier, codes(case)) == ("severe", ["MH803"])


def test_a_message_that_reached_nobody_protects_nobody(book):
    asq = {"asq": book.school.calm("asq", q5=1)}
    entry = next(iter(book.school.screen(book.school.pupil(forms=asq)).entries))
    missed = book.enter("notification", "2026-10-15", entry, to="guardian", channel="phone",
                        response="not_reached")  # fmt: skip
    assert "stay_with_pupil" in open_ids(book.fold(entry, missed))


@pytest.mark.parametrize("seen", [UNSEEN, UNSEEN | {"emotion": "worse"}], ids=["unseen", "worse"])
def test_a_case_is_not_closed_on_follow_ups_that_saw_nothing_or_a_worsening(book, seen):
    general = book.general("2026-10-15")
    talk = book.interview("2026-10-15", general)
    first = book.decide("2026-10-16", "watch", general, talk, reason="not_confirmed")
    days = ("2026-11-12", "2026-12-10", "2027-01-14")
    follow_ups = [book.follow_up(day, n + 1, seen) for n, day in enumerate(days)]
    case = book.fold(general, talk, first, *follow_ups, book.close("2027-01-20"))
    assert (case.closed_at, codes(case)) == (None, ["MH804"])


def test_a_visit_that_met_nobody_does_not_move_the_next_contact_on(book, severe_case):
    def due_of(*entries):
        actions = book.fold(*severe_case, *entries).actions
        (one,) = [action for action in actions if action.id == "keep_in_touch"]
        return one.due_at.astimezone(ZONE).date()

    agreed = book.follow_up("2026-10-22", 1, next_on="2026-10-24")
    assert due_of(agreed, book.follow_up("2026-10-23", 2, UNSEEN)) == dt.date(2026, 10, 24)
    work = book.enter("intervention", "2026-10-23", method="family_work")
    assert due_of(agreed, work) == dt.date(2026, 10, 24)


def test_a_growth_plan_is_no_crisis_plan_and_an_ended_plan_is_none(book):
    major = book.major()
    decided = book.decide("2026-10-16", "major", major)
    for kind, state in (("growth", "agreed"), ("crisis", "ended")):
        plan = book.enter("plan", "2026-10-17", kind=kind, state=state, next_review_on=None)
        assert "crisis_plan" in open_ids(book.fold(major, decided, plan))


# -- who has the pupil ----------------------------------------------------------------------------


def org(school):
    return {
        "city": "",
        "district": "",
        "school": school,
        "stage": "junior",
        "grade": 8,
        "class": "",
    }


def move(book, on, school, state):
    return book.enter("transfer", on, to_org=org(school), state=state, reason="change_of_school")


def test_an_old_roster_does_not_bring_a_pupil_back(book, severe_case):
    there = [move(book, "2026-11-01", "T", "sent"), move(book, "2026-11-05", "T", "acknowledged")]
    case = book.fold(*severe_case, *there, book.calm("2027-03-10"))
    assert case.org["school"] == "T"


def test_a_school_that_the_pupil_was_not_sent_to_last_takes_nobody(book, severe_case):
    sent = [move(book, "2026-11-01", "T", "sent"), move(book, "2026-11-03", "U", "sent")]
    case = book.fold(*severe_case, *sent, move(book, "2026-11-05", "T", "acknowledged"))
    assert (case.org["school"], case.transfer_to["school"]) == ("S", "U")


def test_an_erasure_is_done_once_it_is_and_waits_for_a_legal_hold(book):
    calm = book.calm()
    said = {"pupil": "unknown", "guardian": "withdrawn", "basis": "consent"}
    held = book.enter("consent", "2026-10-20", legal_hold=True, **said)
    (erase,) = [one for one in book.fold(calm, held).actions if one.id == "erase"]
    assert erase.held
    free = book.enter("consent", "2026-10-20", **said)
    erasure = book.enter(
        "erasure", "2026-10-21", role="head", ground="consent_withdrawn", approved_by="h-01",
        erased=[{"entry_id": calm["entry_id"], "hash": calm["hash"]}],
    )  # fmt: skip
    assert "erase" not in open_ids(book.fold(calm, free, erasure))


def test_a_machine_erases_nothing(book):
    severe = book.severe()
    erasure = book.enter(
        "erasure", "2026-11-01", by="mhscreen", ground="wrong_person", approved_by="h-01",
        erased=[{"entry_id": severe["entry_id"], "hash": severe["hash"]}],
    )  # fmt: skip
    assert book.fold(severe, erasure).screen_tier == "severe"


def test_an_application_to_stay_away_longer_ends_no_leave(book, severe_case):
    away = {"attendance": "leave_of_absence"}
    began = book.enter("leave_return", "2026-11-01", event="leave_began", **away)
    longer = book.enter("leave_return", "2027-01-01", event="leave_applied", **away)
    assert book.fold(*severe_case, began, longer).status is CaseStatus.ON_LEAVE
