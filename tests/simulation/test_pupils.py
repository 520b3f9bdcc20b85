"""The simulated district is marked as such, repeatable, and looks like one that needs screening."""

import numpy as np
import pytest

import mhscreen as mh
from mhscreen.kernels.codes import BLANK
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.simulation import Assumptions, simulate_answers
from mhscreen.vocabulary import Informant


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


@pytest.fixture(scope="module")
def phq9(library):
    return compile_form(library.instrument("phq9@1.0.0").definition, Informant.SELF)


def answered(form, missing):
    """Return answers with and without blanks of one kind, of the same 20 000 pupils."""
    level = np.random.default_rng(1).standard_normal(20_000)
    codes = [
        simulate_answers(
            form, level, np.random.default_rng(2),
            assumptions=Assumptions(careless=0, blank=share, missing=missing),
        )
        for share in (0.0, 0.1)
    ]  # fmt: skip
    rows = [row for row, item in enumerate(form.items) if item.id != "q10"]
    whole, holed = (one[rows] for one in codes)
    return whole.astype(int), holed == BLANK


@pytest.mark.parametrize("missing", ["completely_at_random", "at_random", "not_at_random"])
def test_as_many_answers_are_missing_whatever_they_depend_on(phq9, missing):
    _, blank = answered(phq9, missing)
    assert blank.mean() == pytest.approx(0.1, abs=0.02)


def test_blanks_depend_on_nothing_on_what_is_seen_or_on_what_is_not_seen(phq9):
    def lean(missing, of_the_answer_itself):
        whole, blank = answered(phq9, missing)
        worse = whole[1] > 0
        if not of_the_answer_itself:  # among pupils alike in the first answer
            same = whole[0] == 1
            return blank[1][same & worse].mean() - blank[1][same & ~worse].mean()
        return blank[1][worse].mean() - blank[1][~worse].mean()

    assert abs(lean("completely_at_random", True)) < 0.02
    assert lean("at_random", True) > 0.03
    assert abs(lean("at_random", False)) < 0.03
    assert lean("not_at_random", False) > 0.05


def test_the_first_answer_is_given_where_blanks_depend_on_it(phq9):
    _, blank = answered(phq9, "at_random")
    assert not blank[0].any()


def test_a_kind_of_missing_answers_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="missing is one of"):
        Assumptions(missing="sometimes")
