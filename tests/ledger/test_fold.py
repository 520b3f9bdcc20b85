"""Where a case stands follows from its entries; a machine raises, only a person lowers."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.entries.canonical import entry_hash
from mhscreen.ledger.fold import fold, fold_entries
from mhscreen.problems import UsageError
from mhscreen.vocabulary import CaseStatus, ScreenTier, Tier


def codes(case):
    return [problem.code for problem in case.problems]


# -- the machine's evidence -----------------------------------------------------------------------


def test_a_pupil_without_a_flag_has_no_case(book):
    case = book.fold(book.calm())
    assert (case.status, case.screen_tier, case.case_tier) == ("no_case", "none", None)
    assert not case.open_actions


def test_evidence_opens_a_case_that_a_person_must_decide_on(book):
    severe = book.severe()
    case = book.fold(severe)
    assert (case.status, case.screen_tier, case.case_tier) == ("open", "severe", None)
    assert case.to_confirm == (severe["entry_id"],)


def test_what_cannot_be_settled_opens_a_case_too(book):
    case = book.fold(book.undetermined())
    assert (case.status, case.screen_tier) == ("open", "undetermined")
    assert "set_tier" in {action.id for action in case.open_actions}


def test_a_later_lower_screening_does_not_lower_what_nobody_has_decided_on(book):
    case = book.fold(book.major("2026-10-15"), book.calm("2026-10-20"))
    assert case.screen_tier == "major"
    assert case.current["qingdao-2023/2026-2027/autumn"] == book.calm("2026-10-20")["entry_id"]


def test_a_completed_form_settles_what_a_blank_left_open(book):
    case = book.fold(book.undetermined("2026-10-15"), book.calm("2026-10-20"))
    assert (case.screen_tier, case.status) == ("none", "no_case")


# -- a person's decision --------------------------------------------------------------------------


def test_a_named_person_sets_the_tier_of_the_case(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    case = book.fold(severe, talk, book.decide("2026-10-16", "severe", severe, talk))
    assert (case.case_tier, case.to_confirm) == ("severe", ())
    (decision,) = case.decisions
    assert (decision.author, decision.basis) == ("t-07", "interview")


def test_an_interview_without_a_decision_is_still_being_assessed(book):
    severe = book.severe()
    case = book.fold(severe, book.interview("2026-10-15", severe))
    assert (case.status, case.case_tier) == ("assessing", None)
    assert "set_tier" in {action.id for action in case.open_actions}


def test_a_decision_covers_only_what_it_names(book):
    first, second = book.severe("2026-10-15"), book.severe("2026-10-20", item9=2)
    case = book.fold(first, second, book.decide("2026-10-21", "severe", first))
    assert case.to_confirm == (second["entry_id"],)
    assert case.screen_tier == "severe"


def test_evidence_from_before_the_decision_counts_afresh_when_it_arrives_late(book):
    severe = book.severe("2026-10-20")
    decided = book.decide("2026-10-21", "severe", severe)
    late = book.major("2026-10-12")
    case = book.fold(severe, decided, late)
    assert (case.case_tier, case.screen_tier) == ("severe", "major")
    assert case.to_confirm == (late["entry_id"],)


def test_the_first_decision_may_lie_below_the_screening_after_an_interview(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    lower = book.decide("2026-10-16", "watch", severe, talk, reason="not_confirmed")
    case = book.fold(severe, talk, lower)
    assert (case.case_tier, case.to_confirm, case.screen_tier) == ("watch", (), "severe")
    assert not case.problems


def test_without_an_interview_it_settles_nothing_that_is_higher(book):
    severe = book.severe()
    case = book.fold(severe, book.decide("2026-10-16", "watch", severe, reason="not_confirmed"))
    assert codes(case) == ["MH803"]
    assert (case.case_tier, case.screen_tier) == ("watch", "severe")
    assert case.to_confirm == (severe["entry_id"],)


def test_a_document_reviewed_by_a_second_person_does_as_well_as_an_interview(book):
    severe = book.severe()
    known = {"basis": "medical_document", "reason": "stable_in_treatment"}
    alone = book.decide("2026-10-16", "general", severe, **known)
    assert codes(book.fold(severe, alone)) == ["MH803"]
    reviewed = book.decide("2026-10-16", "general", severe, reviewer="h-01", **known)
    assert codes(book.fold(severe, reviewed)) == []


def test_a_machine_decides_nothing(book):
    severe = book.severe()
    case = book.fold(severe, book.decide("2026-10-16", "watch", severe, by="mhscreen"))
    assert (case.case_tier, codes(case)) == (None, ["MH803"])


# -- stepping up and down -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def severe_case(book):
    severe = book.severe("2026-10-15")
    talk = book.interview("2026-10-15", severe)
    return [severe, talk, book.decide("2026-10-16", "severe", severe, talk)]


def lowered(book, entries, **fields):
    talk = book.interview("2027-01-10")
    fields = {"reason": "improved", "reviewer": "h-01", "before": "severe"} | fields
    tier = fields.pop("tier", "general")
    return book.fold(*entries, talk, book.decide("2027-01-11", tier, talk, **fields))


def test_a_case_is_raised_at_once_by_anybody(book, severe_case):
    case = book.fold(*severe_case, book.decide("2026-10-17", "major", by="p-02", role="on_duty",
                                               basis="emergency", reason="new_signs"))  # fmt: skip
    assert (case.case_tier, codes(case)) == ("major", [])


def test_severe_is_lowered_after_two_stable_months_with_a_reviewer(book, severe_case):
    seen = [book.follow_up("2026-11-12", 1), book.follow_up("2026-12-10", 2)]
    assert lowered(book, [*severe_case, *seen]).case_tier == "general"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"reviewer": None}, id="nobody else has reviewed it"),
        pytest.param({"reviewer": "t-07"}, id="the author has reviewed it"),
        pytest.param({"tier": "watch"}, id="two steps at once"),
        pytest.param({"basis": "emergency"}, id="on a basis that the policy does not know"),
    ],
)
def test_severe_is_not_lowered_on_less(book, severe_case, fields):
    seen = [book.follow_up("2026-11-12", 1), book.follow_up("2026-12-10", 2)]
    case = lowered(book, [*severe_case, *seen], **fields)
    assert (case.case_tier, codes(case)) == ("severe", ["MH803"])


def test_two_follow_ups_in_one_month_are_one_stable_month(book, severe_case):
    seen = [book.follow_up("2026-12-02", 1), book.follow_up("2026-12-20", 2)]
    assert codes(lowered(book, [*severe_case, *seen])) == ["MH803"]


def test_a_worsening_begins_the_stable_months_anew(book, severe_case):
    seen = [
        book.follow_up("2026-10-28", 1),
        book.follow_up("2026-11-12", 2),
        book.follow_up("2026-12-10", 3, {"emotion": "worse", "behaviour": "unchanged",
                                         "social": "unchanged", "academic": "unchanged"}),
    ]  # fmt: skip
    assert codes(lowered(book, [*severe_case, *seen])) == ["MH803"]


def test_major_is_not_lowered_within_a_month_of_its_last_sign(book):
    major = book.major("2026-10-15")
    talk = book.interview("2026-10-15", major)
    case = [major, talk, book.decide("2026-10-15", "major", major, talk)]
    step = {"basis": "team_review", "reviewer": "h-01", "before": "major", "reason": "improved"}
    early = book.fold(*case, book.decide("2026-11-10", "severe", **step))
    assert (early.case_tier, codes(early)) == ("major", ["MH803"])
    assert book.fold(*case, book.decide("2026-11-16", "severe", **step)).case_tier == "severe"


def test_new_scores_leave_a_pupil_in_treatment_at_the_tier_of_the_case(book, severe_case):
    treated = book.enter("referral", "2026-10-17", institution="H", green_channel=True,
                         slip_signed=True, attended=True, outcome="outpatient")  # fmt: skip
    case = book.fold(*severe_case, treated, book.calm("2027-03-10"))
    assert (case.case_tier, case.status) == ("severe", "referred")
    assert case.referral.outcome == "outpatient"


# -- closing and reopening ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(book):
    """Return a case at watch with three monthly follow-ups."""
    general = book.general("2026-10-15")
    talk = book.interview("2026-10-15", general)
    first = book.decide("2026-10-16", "watch", general, talk, reason="not_confirmed")
    days = ("2026-11-12", "2026-12-10", "2027-01-14")
    return [general, talk, first, *(book.follow_up(day, n + 1) for n, day in enumerate(days))]


def test_a_case_at_watch_is_closed_after_three_months(book, watched):
    case = book.fold(*watched, book.close("2027-01-20"))
    assert (case.status, case.closed_at.date()) == ("closed_watch", dt.date(2027, 1, 20))
    assert not case.open_actions


def test_it_is_not_closed_sooner(book, watched):
    case = book.fold(*watched[:-1], book.close("2027-01-20"))
    assert (case.status, codes(case)) == ("in_intervention", ["MH804"])


def test_a_severe_case_is_not_closed(book, severe_case):
    case = book.fold(*severe_case, book.close("2027-01-20"))
    assert (case.case_tier, codes(case)) == ("severe", ["MH804"])
    assert case.closed_at is None


def test_a_machine_closes_nothing(book, watched):
    case = book.fold(*watched, book.close("2027-01-20", by="mhscreen"))
    assert codes(case) == ["MH804"]


def test_a_late_form_reopens_a_closed_case_whatever_its_date(book, watched):
    late = book.severe("2026-10-12")
    case = book.fold(*watched, book.close("2027-01-20"), late)
    assert (case.status, case.screen_tier) == ("open", "severe")
    assert case.to_confirm == (late["entry_id"],)


def test_a_calm_screening_leaves_a_closed_case_closed(book, watched):
    case = book.fold(*watched, book.close("2027-01-20"), book.calm("2027-03-10"))
    assert case.status == "closed_watch"


# -- known items ----------------------------------------------------------------------------------

KNOWN = {"known": [{"name": "phqa.attempt_life", "concern": "suicide_attempt", "on": "2025-05-01"}]}
NOT_SINCE = {"about": "suicide_attempt", "answer": "no", "since": "2025-05-01"}


@pytest.fixture(scope="module")
def confirmed(book):
    """Return a lifetime attempt that a person has confirmed with its date."""
    attempt = book.attempt("2026-10-15")
    talk = book.interview("2026-10-15", attempt)
    return [attempt, talk, book.decide("2026-10-16", "severe", attempt, talk, **KNOWN)]


def test_a_confirmed_lifetime_item_is_known(book, confirmed):
    (known,) = book.fold(*confirmed).known
    assert (known.name, known.on) == ("phqa.attempt_life", dt.date(2025, 5, 1))


def test_it_does_not_fire_anew_where_a_person_asked_and_heard_not_since(book, confirmed):
    again = book.attempt("2027-03-10")
    asked = book.interview("2027-03-11", asked=[NOT_SINCE])
    case = book.fold(*confirmed, again, asked)
    assert (case.screen_tier, case.to_confirm) == ("watch", ())


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param([], id="nobody asked"),
        pytest.param([NOT_SINCE | {"answer": "refused"}], id="refused"),
        pytest.param([NOT_SINCE | {"answer": "yes"}], id="yes"),
        pytest.param([NOT_SINCE | {"since": None}], id="no date"),
        pytest.param([NOT_SINCE | {"since": "2026-01-01"}], id="asked about a shorter time"),
        pytest.param([NOT_SINCE, NOT_SINCE | {"answer": "yes"}], id="said both"),
        pytest.param([NOT_SINCE | {"about": "self_harm"}], id="asked about something else"),
    ],
)
def test_it_fires_in_full_otherwise(book, confirmed, asked):
    again = book.attempt("2027-03-10")
    case = book.fold(*confirmed, again, book.interview("2027-03-11", asked=asked))
    assert case.screen_tier == "severe"
    assert case.to_confirm[0] == again["entry_id"]


def test_an_answer_in_another_cycle_does_not_quiet_it(book, confirmed):
    again = book.attempt("2027-03-10")
    case = book.fold(*confirmed, book.interview("2026-12-10", asked=[NOT_SINCE]), again)
    assert case.to_confirm == (again["entry_id"],)


def test_a_new_recent_act_still_fires(book, confirmed):
    again = book.screening("2027-03-10", attempt_life=1, q9=1)
    case = book.fold(*confirmed, again, book.interview("2027-03-11", asked=[NOT_SINCE]))
    assert (case.screen_tier, case.to_confirm) == ("severe", (again["entry_id"],))


def test_a_known_item_keeps_the_pupil_at_watch(book, confirmed):
    talk = book.interview("2027-02-01")
    down = [
        book.follow_up("2026-11-12", 1), book.follow_up("2026-12-10", 2),
        book.decide("2026-12-20", "general", talk, before="severe", reviewer="h-01"),
        book.follow_up("2027-01-12", 3),
        book.decide("2027-02-02", "watch", talk, before="general", reviewer="h-01"),
        book.follow_up("2027-02-12", 4),
        book.decide("2027-02-22", "none", talk, before="watch"),
    ]  # fmt: skip
    case = book.fold(*confirmed, talk, *down)
    assert (case.case_tier, codes(case)) == ("watch", ["MH803"])


# -- who has the pupil ----------------------------------------------------------------------------

NEXT = {
    "city": "", "district": "", "school": "T", "stage": "senior", "grade": 10, "class": "",
}  # fmt: skip


def test_the_sending_school_owns_the_case_until_the_receiving_one_has_acknowledged(book, watched):
    sent = book.enter("transfer", "2027-08-20", to_org=NEXT, state="sent", reason="next_stage")
    case = book.fold(*watched, sent)
    assert (case.org["school"], case.transfer_to["school"]) == ("S", "T")
    taken = book.enter("transfer", "2027-09-02", to_org=NEXT, state="acknowledged",
                       reason="next_stage", by="t-90")  # fmt: skip
    case = book.fold(*watched, sent, taken)
    assert (case.org["school"], case.transfer_to) == ("T", None)


def test_a_pupil_on_leave_is_on_leave_until_the_return(book, severe_case):
    began = book.enter("leave_return", "2026-11-01", event="leave_began",
                       attendance="leave_of_absence")  # fmt: skip
    case = book.fold(*severe_case, began)
    assert (case.status, case.attendance) == ("on_leave", "leave_of_absence")
    back = book.enter("leave_return", "2027-03-01", event="returned", attendance="present",
                      documents=["hospital_document", "school_assessment"])  # fmt: skip
    case = book.fold(*severe_case, began, back)
    assert (case.status, case.on_leave_since) == ("returned", None)
    assert case.case_tier == "severe"


def test_a_withdrawn_consent_waits_while_life_is_protected(book, severe_case, watched):
    withdrawn = {"pupil": "unknown", "guardian": "withdrawn", "basis": "consent"}
    said = book.enter("consent", "2026-10-20", role="class_teacher", **withdrawn)
    (erase,) = [one for one in book.fold(*severe_case, said).actions if one.id == "erase"]
    assert (erase.held, erase.due_at) == (True, None)
    (erase,) = [one for one in book.fold(*watched, said).actions if one.id == "erase"]
    assert not erase.held


# -- corrections, erasures, the absent ------------------------------------------------------------


def test_a_correction_takes_the_place_of_what_it_corrects(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    slip = book.decide("2026-10-16", "major", severe, talk)
    right = book.decide("2026-10-16", "severe", severe, talk, supersedes=slip["entry_id"])
    assert book.fold(severe, talk, slip, right).case_tier == "severe"


def test_an_entry_that_names_an_absent_one_is_kept_and_reported(book):
    severe = book.severe()
    decided = book.decide("2026-10-16", "severe", severe)
    case = book.fold(decided)
    assert (case.case_tier, codes(case)) == ("severe", ["MH802"])


def test_an_erased_entry_counts_no_more_and_leaves_no_question(book):
    severe = book.severe()
    erasure = book.enter(
        "erasure", "2026-11-01", role="head", ground="wrong_person", approved_by="h-01",
        erased=[{"entry_id": severe["entry_id"], "hash": severe["hash"]}],
    )  # fmt: skip
    tombstone = {k: severe[k] for k in ("entry_id", "pupil_ref", "prev_hash", "hash")}
    for left in (severe, tombstone):
        case = book.fold(left, erasure)
        assert (case.status, case.screen_tier, codes(case)) == ("no_case", None, [])


def test_an_entry_that_vanished_without_an_erasure_is_reported(book):
    severe = book.severe()
    tombstone = {k: severe[k] for k in ("entry_id", "pupil_ref", "prev_hash", "hash")}
    assert codes(book.fold(book.calm("2026-10-20"), tombstone)) == ["MH802"]


def test_what_is_no_entry_is_refused_without_a_value(library):
    with pytest.raises(UsageError, match="does not satisfy its schema"):
        fold([{"entry_type": "screening", "programme": "qingdao-2023@1.0.0", "pupil_ref": "A"}])


def test_entries_of_an_unknown_programme_are_refused(book):
    with pytest.raises(UsageError, match=r"elsewhere@1\.0\.0"):
        fold([book.calm() | {"programme": "elsewhere@1.0.0"}])


# -- properties -----------------------------------------------------------------------------------


class Pool:
    """Entries to draw ledgers from; a failing test need not print them all."""

    def __init__(self, screenings, people):
        self.screenings = screenings
        self.everything = [*screenings, *people]

    def __repr__(self):
        return "pool"

    def taken(self, places):
        return [self.everything[place % len(self.everything)] for place in places]


@pytest.fixture(scope="module")
def pool(book):
    """Return entries of a pupil from which ledgers are drawn."""
    screenings = [
        book.calm("2026-10-15"), book.watch("2026-10-16"), book.general("2026-10-17"),
        book.severe("2026-10-18"), book.major("2026-10-19"), book.attempt("2026-10-20"),
        book.undetermined("2026-10-21"), book.calm("2027-03-01"), book.attempt("2027-03-02"),
        book.severe("2027-03-03"),
    ]  # fmt: skip
    talks = [
        book.interview("2026-10-22", *screenings[:7]),
        book.interview("2027-03-05", screenings[8], asked=[NOT_SINCE]),
    ]
    people = [
        book.decide("2026-10-23", "general", screenings[2]),
        book.decide("2026-10-24", "severe", screenings[3], talks[0], **KNOWN),
        book.decide("2026-10-24", "major", screenings[4], talks[0]),
        book.decide("2026-12-20", "severe", basis="team_review", reviewer="h-01", before="major"),
        book.decide("2027-01-20", "general", talks[0], reviewer="h-01", before="severe"),
        book.decide("2027-02-20", "watch", talks[0], reviewer="h-01", before="general"),
        *(book.follow_up(f"{month}-10", n) for n, month in
          enumerate(["2026-11", "2026-12", "2027-01", "2027-02"], 1)),
        book.close("2027-02-25", *screenings[:7]),
        book.tell("2026-10-24", "guardian"),
        book.enter("consent", "2026-11-20", pupil="unknown", guardian="withdrawn", basis="consent"),
        book.enter("transfer", "2027-01-05", to_org=NEXT, state="sent", reason="next_stage"),
        book.enter("leave_return", "2026-11-25", event="leave_began",
                   attendance="leave_of_absence"),
    ]  # fmt: skip
    people.append(
        book.enter(
            "erasure", "2027-03-20", ground="purpose_ended", approved_by="h-01",
            erased=[{"entry_id": one["entry_id"], "hash": one["hash"]} for one in screenings[1:3]],
        )
    )  # fmt: skip
    return Pool(screenings, [*talks, *people])


LEDGERS = st.lists(st.integers(0, 28), min_size=1, unique=True)


@given(drawn=LEDGERS, seed=st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_cases(book, pool, drawn, seed):
    entries = pool.taken(drawn)
    shuffled = seed.sample(entries, len(entries))
    assert book.cases(*shuffled) == book.cases(*entries)


@given(drawn=LEDGERS)
def test_entries_that_arrive_twice_count_once(book, pool, drawn):
    entries = pool.taken(drawn)
    assert book.cases(*entries, *entries) == book.cases(*entries)


@given(drawn=LEDGERS, last=st.integers(0, 9))
def test_a_machines_entry_never_lowers_a_case(book, pool, drawn, last):
    entries = pool.taken(drawn)
    more = pool.screenings[last]
    before = book.cases(*entries).by_pupil.get("A1")
    after = book.fold(*entries, more)
    if before is None:
        return
    assert order(after.case_tier) >= order(before.case_tier)
    assert machine(after) >= machine(before)
    still = set(before.to_confirm) - set(after.to_confirm)
    assert still <= superseded(entries, more), "what asked for a decision asks for it still"
    closed = {CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH}
    assert not (after.status in closed and before.status not in closed)


def order(tier):
    return -1 if tier is None else tier.position


def machine(case):
    """Return the tier that waits for a decision; what is off the scale stands below general."""
    shown = case.screen_tier if case.to_confirm else None
    if shown in (ScreenTier.UNDETERMINED, ScreenTier.NOT_SCREENED, None):
        return 0
    return shown.position if shown.position >= Tier.GENERAL.position else 0


def superseded(entries, more):
    """Return undetermined entries of the same cycle, which a completed form settles."""
    return {
        one["entry_id"]
        for one in entries
        if one["entry_type"] == "screening"
        and one["cycle_id"] == more["cycle_id"]
        and one["established_tier"] in ("none", "watch")
    }


@given(drawn=LEDGERS)
def test_nothing_vanishes_but_by_an_erasure(book, pool, drawn):
    entries = pool.taken(drawn)
    erased = {gone["entry_id"] for one in entries for gone in one.get("erased", ())}
    ids = {one["entry_id"] for one in entries}
    assert set(book.fold(*entries).entries) == ids - erased


@given(drawn=LEDGERS)
def test_one_pupil_never_depends_on_another(book, pool, drawn):
    entries = pool.taken(drawn)
    others = [seal(one | {"pupil_ref": "B2"}) for one in pool.everything]
    assert fold_entries([*others, *entries], book.rules)["A1"] == book.fold(*entries)


def seal(entry):
    return entry | {"hash": entry_hash(entry)}
