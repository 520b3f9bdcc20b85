"""The simulated district is marked as such, repeatable, and looks like one that needs screening."""

import pytest

import mhscreen as mh
from mhscreen.simulation import Assumptions


@pytest.fixture(scope="module")
def district(plan):
    return mh.simulate(plan, 1500, seed=3)


def test_nobody_in_it_could_be_taken_for_a_pupil(district):
    roster, responses = district
    assert roster["subject"].str.startswith("SYN-").all()
    assert roster["school"].str.startswith("Synthetic").all()
    assert all(frame["subject"].str.startswith("SYN-").all() for frame in responses.values())


def test_it_is_read_without_a_problem_but_for_pupils_old_for_their_grade(plan, district):
    roster, responses = district
    batch = mh.bind(plan, roster=roster, responses=responses, at="2026-10-15")
    assert {problem.code for problem in batch.problems} <= {"MH417"}
    assert batch.unmatched is None


def test_every_pupil_belongs_to_a_group_and_every_stage_is_there(plan, district):
    roster, _ = district
    groups = {plan.group(s, int(g)) for s, g in zip(roster["stage"], roster["grade"], strict=True)}
    assert groups == set(range(len(plan.programme.groups)))


def test_pupils_of_every_tier_are_found_and_most_are_not_flagged(plan, district):
    roster, responses = district
    tiers = mh.to_frame(mh.screen(plan, roster=roster, responses=responses, at="2026-10-15"))
    shares = tiers["screen_tier"].value_counts(normalize=True)
    assert {"none", "watch", "general", "severe", "major", "undetermined"} <= set(shares.index)
    assert shares["none"] > 0.4
    assert shares["major"] < 0.05


def test_assumptions_are_what_the_district_is_like(plan):
    everybody = mh.simulate(plan, 200, seed=1, assumptions=Assumptions(absent=1.0))
    assert everybody[1] == {}
    nobody_blank = Assumptions(absent=0, skipped=0, blank=0, careless=0, on_event=0)
    roster, responses = mh.simulate(plan, 200, seed=1, assumptions=nobody_blank)
    result = mh.screen(plan, roster=roster, responses=responses, at="2026-10-15")
    assert not any("incomplete" in entry["flags"] for entry in result.entries)
