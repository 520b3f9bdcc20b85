"""Batches of whole pupils, screened as they come: the entries are those of one screening."""

import pytest

import mhscreen as mh
from mhscreen.interop import stream as stream_module

AT = "2026-10-15"


@pytest.fixture(scope="module")
def plan():
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def district(plan):
    return mh.simulate(plan, 60, seed=2)


def batches_of(roster, answers, size, last=60):
    """Split the answers into batches of so many pupils; who comes after the last files nothing."""
    for start in range(0, last, size):
        half = roster["subject"][start : min(start + size, last)]
        yield {
            slot: part
            for slot, frame in answers.items()
            if len(part := frame[frame["subject"].isin(half)])
        }


def lines(screenings):
    return sorted(line for one in screenings for line in one.entries.lines())


@pytest.mark.parametrize("size", [1, 7, 64])
def test_a_stream_gives_the_entries_of_one_screening(plan, district, size):
    roster, answers = district
    once = mh.screen(plan, roster=roster, responses=answers, at=AT)
    made = mh.screen_stream(plan, roster=roster, batches=batches_of(roster, answers, size), at=AT)
    assert lines(made) == lines([once])


def test_a_batch_is_taken_only_when_the_one_before_is_wanted(plan, district):
    taken = []

    def watched():
        for number, batch in enumerate(batches_of(*district, 20)):
            taken.append(number)
            yield batch

    stream = mh.screen_stream(plan, roster=district[0], batches=watched(), at=AT)
    assert taken == []
    next(stream)
    assert taken == [0, 1]


def test_pupils_who_are_in_no_batch_come_last_and_are_not_lost(plan, district, monkeypatch):
    monkeypatch.setattr(stream_module, "_REST", 8)
    roster, answers = district
    made = list(
        mh.screen_stream(
            plan, roster=roster, batches=batches_of(roster, answers, 20, last=40), at=AT
        )
    )
    assert sum(len(one.entries) for one in made) == 60
    assert max(len(one.entries) for one in made[2:]) == 8
    last = {entry["pupil_ref"]: entry["screen_tier"] for one in made[2:] for entry in one.entries}
    assert {last[subject] for subject in roster["subject"][40:]} == {"not_screened"}


def test_the_last_screening_says_what_shares_look_implausible(plan, district):
    roster, _ = district
    nobody = mh.screen(plan, roster=roster, responses={}, at=AT)
    *others, last = mh.screen_stream(plan, roster=roster, batches=[{}], at=AT, on_problem="report")
    shares = [problem for problem in nobody.problems if problem.code == "MH605"]
    assert shares
    assert [problem for problem in last.problems if problem.code == "MH605"] == shares
    assert not [problem for one in others for problem in one.problems]


def test_a_pupil_in_two_batches_is_refused(plan, district):
    first = next(batches_of(*district, 20))
    stream = mh.screen_stream(plan, roster=district[0], batches=[first, first], at=AT)
    with pytest.raises(mh.UsageError, match="a pupil is in two of them"):
        list(stream)


def with_claim(batches, roster):
    """Let the first form of the first batch say the birth date of the last pupil."""
    for number, batch in enumerate(batches):
        slot = next(iter(batch))
        frame = batch[slot].assign(
            birth_date=roster.set_index("subject")["birth_date"].loc[batch[slot]["subject"]].values
        )
        if number == 0:
            frame = frame.astype({"birth_date": object})
            frame.iloc[0, frame.columns.get_loc("birth_date")] = roster["birth_date"].iloc[-1]
        yield batch | {slot: frame}


def test_whom_a_form_may_be_by_is_found_in_a_later_batch(plan, district):
    roster, answers = district
    batches = list(with_claim(batches_of(roster, answers, 20), roster))
    made = mh.screen_stream(plan, roster=roster, batches=batches, at=AT, on_problem="report")
    flagged = {
        entry["pupil_ref"] for one in made for entry in one.entries if "identity" in entry["flags"]
    }
    first = next(iter(batches[0].values()))
    assert {first["subject"].iloc[0], roster["subject"].iloc[-1]} <= flagged


def test_batches_that_come_only_once_must_not_say_who_filled_in_a_form(plan, district):
    roster, answers = district
    batches = with_claim(batches_of(roster, answers, 20), roster)
    with pytest.raises(mh.UsageError, match="gone through twice"):
        list(mh.screen_stream(plan, roster=roster, batches=batches, at=AT))
