"""The month's close: nobody's case ends by itself, and nobody is counted twice."""

import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.ledger.month import close_month
from mhscreen.ledger.month_tables import month_tables, queue_table
from mhscreen.ledger.queue import rescreen_queue
from mhscreen.ledger.record import complete_draft
from mhscreen.ledger.views import ledger_view, ledgers_of
from mhscreen.problems import UsageError
from mhscreen.vocabulary import EntryType, LedgerClass

ORG = {
    "city": "", "district": "", "school": "S", "stage": "junior", "grade": 8, "class": "3",
}  # fmt: skip


@pytest.fixture(scope="module")
def close(book):
    def closed(*entries, period="2026-10"):
        return close_month(entries, period, book.programme)

    return closed


@pytest.fixture(scope="module")
def for_all(book):
    """Enter what is about no pupil."""

    def entered(type_, on, **fields):
        draft = {
            "entry_type": type_, "author": "h-01", "role": "leading_group",
            "occurred_at": f"{on}T15:00:00+08:00", **fields,
        }  # fmt: skip
        when = dt.datetime.fromisoformat(draft["occurred_at"])
        return complete_draft(draft, book.programme, org=ORG, recorded_at=when)

    return entered


def only(month):
    (school,) = month.schools
    return school


def refs(cases):
    return [case.pupil_ref for case in cases]


def story(book):
    """A severe case that is confirmed, improves, is lowered."""
    severe = book.severe("2026-09-20")
    talk = book.interview("2026-09-20", severe)
    decided = book.decide("2026-09-21", "severe", severe, talk)
    seen = [book.follow_up("2026-11-12", 1), book.follow_up("2026-12-10", 2)]
    again = book.interview("2027-01-10", *seen)
    step = {"before": "severe", "reason": "improved", "reviewer": "h-01"}
    return [
        severe,
        talk,
        decided,
        *seen,
        again,
        book.decide("2027-01-11", "general", again, **step),
    ]


def test_a_case_is_opened_and_confirmed_in_its_month_and_then_carried_forward(book, close):
    entries = story(book)
    september = only(close(*entries, period="2026-09"))
    assert refs(september.opened) == refs(september.carried_forward) == ["A1"]
    assert [(m.before, m.after) for m in september.confirmed] == [(None, "severe")]
    assert not september.moved
    january = only(close(*entries, period="2027-01"))
    assert not january.opened
    assert not january.confirmed
    assert [(m.before, m.after) for m in january.moved] == [("severe", "general")]
    assert refs(january.carried_forward) == ["A1"]


def test_what_happened_after_the_month_does_not_change_it(book, close):
    early = [one for one in story(book) if one["occurred_at"] < "2026-10-01"]
    assert only(close(*early, period="2026-09")) == only(close(*story(book), period="2026-09"))


def test_what_nobody_has_done_is_overdue_at_the_end_and_goes_on(book, close):
    severe = book.severe("2026-10-15")
    october = only(close(severe))
    assert "see_pupil" in {item.action.id for item in october.overdue}
    november = only(close(severe, period="2026-11"))
    assert refs(november.carried_forward) == ["A1"]
    assert {item.action.id for item in november.overdue} >= {"see_pupil"}
    assert not november.opened


def test_a_case_closed_in_the_month_is_not_carried_forward(book, close):
    watch = book.watch("2026-10-10")
    decided = book.decide("2026-10-11", "watch", watch)
    days = ("2026-10-20", "2026-11-12", "2026-12-10")
    seen = [book.follow_up(day, n) for n, day in enumerate(days, start=1)]
    closed = book.close("2027-01-20", decided, *seen, status="closed")
    january = only(close(watch, decided, *seen, closed, period="2027-01"))
    assert refs(january.closed) == ["A1"]
    assert not january.carried_forward


def test_the_month_ends_at_midnight_of_the_schools_own_zone(book, close):
    last = book.severe("2026-10-31T23:59:00+08:00")
    assert only(close(last)).opened
    first = book.severe("2026-11-01T00:00:00+08:00")
    assert close(first).schools == ()
    assert only(close(first, period="2026-11")).opened


@pytest.mark.parametrize("period", ["2026-13", "2026-1", "October", ""])
def test_what_is_no_month_is_refused(close, period):
    with pytest.raises(UsageError, match="no month"):
        close(period=period)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_entries_arrive_changes_no_month(book, close, random):
    entries = story(book)
    shuffled = [*entries, *entries[:3]]  # some of them twice
    random.shuffle(shuffled)
    for period in ("2026-09", "2026-11", "2027-01"):
        assert close(*shuffled, period=period).schools == close(*entries, period=period).schools


@pytest.mark.parametrize("period", ["2026-09", "2026-10", "2026-12", "2027-06"])
def test_a_case_that_nobody_has_closed_is_carried_forward_in_every_month(book, close, period):
    assert refs(only(close(*story(book), period=period)).carried_forward) == ["A1"]


def test_a_pupil_of_whom_all_was_erased_stands_nowhere(book, close):
    calm = book.calm()
    tomb = {name: calm[name] for name in ("entry_id", "pupil_ref", "prev_hash", "hash")}
    assert close(tomb).schools == ()
    assert queue(book, tomb) == []


# -- coverage and talks ---------------------------------------------------------------------------


def test_who_is_still_not_screened_is_named_and_late_after_the_deadline(school, book, close):
    absent = school.pupil("B2", forms=dict.fromkeys(("mht", "phqa", "gad7")), status="absent")
    primary = school.pupil("C3", stage="primary", grade=5, forms=dict.fromkeys(("mht", "dsrsc")))
    september = list(school.screen(school.pupil("A1"), absent, primary, at="2026-09-15").entries)
    done = only(close(*september, period="2026-09"))
    by_stage = {one.stage: one for one in done.coverage}
    assert refs(by_stage["junior"].missing) == ["B2"]
    assert (by_stage["junior"].deadline, by_stage["junior"].late) == (dt.date(2026, 10, 31), False)
    assert (by_stage["primary"].deadline, by_stage["primary"].late) == (dt.date(2026, 9, 30), True)
    later = list(school.screen(school.pupil("B2"), at="2026-10-20").entries)
    october = only(close(*september, *later))
    assert refs(next(one for one in october.coverage if one.stage == "junior").missing) == []


def test_a_screening_of_the_school_year_before_does_not_count(book, close):
    (coverage,) = only(close(book.calm("2025-10-10"))).coverage
    assert refs(coverage.missing) == ["A1"]
    (coverage,) = only(close(book.calm("2026-10-10"), period="2027-03")).coverage
    assert coverage.missing == ()


def test_every_pupil_is_talked_with_once_a_term(book, close):
    calm = book.calm("2026-10-10")
    assert refs(only(close(calm)).without_talk) == ["A1"]
    talk = book.enter("talk", "2026-10-12", channel="in_person")
    assert only(close(calm, talk)).without_talk == ()
    assert refs(only(close(calm, talk, period="2027-03")).without_talk) == ["A1"]


def test_a_pupil_who_has_left_the_area_is_not_waited_for(book, close):
    watch = book.watch("2026-10-10")
    decided = book.decide("2026-10-11", "watch", watch)
    gone = book.close("2026-10-20", decided, reason="moved_away", status="closed")
    assert only(close(watch, decided)).pupils == 1
    assert close(watch, decided, gone).schools == ()


def test_the_leading_groups_meeting_covers_four_matters(close, for_all):
    met = for_all("meeting", "2026-10-28", topics=["pupils", "files", "crises"])
    lesson = for_all("activity", "2026-10-14", kind="lesson", hours=1)
    fair = for_all("activity", "2026-10-15", kind="publicity", hours=2)
    work = only(close(met, lesson, fair)).work
    assert (work.meetings, work.topics_missing) == (1, ("lessons",))
    assert (work.lessons, work.activities, work.hours) == (1, 1, 3)


# -- sheets ---------------------------------------------------------------------------------------


def test_the_sheets_say_who_stands_behind_the_numbers_and_nothing_of_answers(book, close):
    sheets = month_tables(close(*story(book), period="2027-01"))
    assert sheets["moved"]["previous_tier"] == ["severe"]
    assert sheets["schools"]["moved"] == [len(sheets["moved"]["pupil"])]
    for name in ("opened", "closed", "overdue", "carried_forward", "without_talk"):
        assert sheets["schools"][name] == [len(sheets[name]["pupil"])], name
    words = json.dumps(sheets, ensure_ascii=False)
    assert "suicide" not in words
    assert "phqa" not in words


# -- ledgers A to D -------------------------------------------------------------------------------


def test_an_entry_stands_in_the_ledgers_of_the_map_whatever_was_stored(book):
    severe = {**book.severe(), "ledger_class": ["D"]}
    assert ledgers_of(severe, book.programme) == ("A", "C")
    assert ledgers_of(book.general(), book.programme) == ("A", "B")


def test_the_map_of_another_programme_moves_entries_without_touching_them(book):
    ledgers = dict(book.programme.ledger_map)
    ledgers[LedgerClass.C] = ledgers[LedgerClass.C].model_copy(update={"tiers": ()})
    other = book.programme.model_copy(update={"ledger_map": ledgers})
    assert ledgers_of(book.severe(), other) == ("A",)


def test_ledgers_overlap_and_none_loses_an_entry(book, for_all):
    entries = [*story(book), for_all("meeting", "2026-10-28", topics=["pupils"])]
    views = {one: ledger_view(entries, book.programme, one) for one in LedgerClass}
    assert {e["entry_id"] for view in views.values() for e in view} == {
        e["entry_id"] for e in entries
    }
    assert views[LedgerClass.D] == [entries[-1]]
    november = ledger_view(entries, book.programme, LedgerClass.B, period="2026-11")
    assert [e["entry_type"] for e in november] == ["follow_up"]


def test_every_type_of_entry_stands_in_some_ledger(book):
    for kind in EntryType:
        assert ledgers_of({"entry_type": kind}, book.programme), kind


def test_a_ledger_that_the_programme_does_not_keep_is_refused(book):
    ledgers = {LedgerClass.A: book.programme.ledger_map[LedgerClass.A]}
    one = book.programme.model_copy(update={"ledger_map": ledgers})
    with pytest.raises(UsageError, match="no ledger"):
        ledger_view([], one, LedgerClass.B)


# -- the queue ------------------------------------------------------------------------------------


def queue(book, *entries):
    return rescreen_queue(book.cases(*entries), entries)


def test_nobody_whose_answers_are_complete_is_asked_again(book):
    assert queue(book, book.calm()) == []
    assert queue(book, book.severe()) == []


def test_an_open_critical_item_is_asked_and_nothing_that_changes_nothing(book):
    (item,) = queue(book, book.undetermined())
    assert item.critical
    names = [name for question in item.ask for name in question.names]
    assert "phqa.q9" in names
    assert {question.slot for question in item.ask} == {"phqa"}
    assert not any(name.startswith(("mht", "gad7")) for name in names)


def test_what_could_not_rise_above_a_persons_tier_is_not_asked(book):
    open_ = book.undetermined()
    (item,) = queue(book, open_)
    talk = book.interview("2026-10-16", open_)
    decided = book.decide("2026-10-16", str(item.possible), open_, talk)
    assert queue(book, open_, talk, decided) == []


def test_who_could_rise_furthest_is_asked_first_and_the_unscreened_last(school, book):
    def pupil(name, **phqa):
        return school.pupil(name, forms={"phqa": school.calm("phqa", **phqa)})

    nobody = school.pupil("a-unseen", forms=dict.fromkeys(("mht", "phqa", "gad7")))
    entries = list(
        school.screen(
            nobody, pupil("b-calm"), pupil("c-mild", q1=None),
            pupil("d-general", q1=3, q2=3, q3=3, q4=3, q9=None), pupil("e-open", q9=None),
        ).entries
    )  # fmt: skip
    found = queue(book, *entries)
    order = [item.case.pupil_ref for item in found]
    assert order[0] == "e-open"
    assert order[-1] == "a-unseen"
    assert "b-calm" not in order
    seen = [item.gain for item in found if item.case.pupil_ref != "a-unseen"]
    assert seen == sorted(seen, reverse=True)
    assert all(question.names == () for question in found[-1].ask)
    assert {question.slot for question in found[-1].ask} == {"mht", "phqa", "gad7"}
    table = queue_table(found)
    assert table["rank"] == list(range(1, len(found) + 1))


def test_answering_what_is_asked_settles_the_tier(school, book):
    open_ = book.undetermined()
    (item,) = queue(book, open_)
    asked = {n.partition(".")[2] for question in item.ask for n in question.names}
    form = school.calm("phqa", q9=None)
    answered = school.calm("phqa", **{k: v for k, v in form.items() if k not in asked})
    entry = school.one(forms={"phqa": answered})
    assert entry["established_tier"] == entry["possible_tier"] == "none"
    assert queue(book, entry) == []


def test_an_invalid_form_is_filled_in_anew(school, book):
    scale = next(one for one in school.plan.instruments["mht"].scales if one.id == "validity")
    yes = {item: school.full("mht")[item] for item in scale.items}
    entry = school.one(forms={"mht": school.calm("mht", **yes)})
    assert (entry["screen_tier"], "invalid" in entry["flags"]) == ("undetermined", True)
    (item,) = queue(book, entry)
    assert [(q.slot, q.names) for q in item.ask] == [("mht", ())]
