"""The simulated district is marked as such, repeatable, and looks like one that needs screening."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mhscreen as mh
from mhscreen.kernels import irt
from mhscreen.kernels.codes import BLANK
from mhscreen.loading import read_definition
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.simulation import (
    Assumptions,
    simulate_answers,
    simulate_pupils,
    steps_for_share,
)
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Informant, Requirement


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


def test_scores_rise_with_the_level_from_which_the_form_was_answered(plan):
    roster, answers, levels = mh.simulate(plan, 1500, seed=3, truth=True)
    assert levels["subject"].tolist() == roster["subject"].tolist()
    phqa = answers["phqa"].merge(levels, on="subject")
    total = phqa[[f"phqa_q{n}" for n in range(1, 10)]].apply(lambda c: c.astype(float)).sum(axis=1)
    fifths = np.array_split(total.to_numpy()[np.argsort(phqa["phqa"])], 5)
    assert (np.diff([fifth.mean() for fifth in fifths]) > 0).all()
    # What the form asks about, the form shows better than the pupil's general level.
    form, general = (np.corrcoef(total, phqa[name])[0, 1] for name in ("phqa", "truth"))
    assert form > general > 0.5
    assert levels["phqa"].notna().sum() == len(answers["phqa"])


def test_the_truth_at_hand_changes_nobody(plan, district):
    roster, answers, _ = mh.simulate(plan, 1500, seed=3, truth=True)
    assert roster.equals(district[0])
    assert all(frame.equals(district[1][slot]) for slot, frame in answers.items())


def test_the_same_seed_gives_the_same_pupils_under_every_assumption(plan):
    assume = Assumptions(agreement=0.28, item_parameters=True, careless_kind="one_option")
    one, two = (mh.simulate(plan, 200, seed=5, assumptions=assume, truth=True) for _ in range(2))
    assert one[2].equals(two[2])
    assert all(frame.equals(two[1][slot]) for slot, frame in one[1].items())


@pytest.fixture(scope="module")
def three_informants():
    """A programme that asks all three informants about every pupil."""
    plan = mh.compile_plan(mh.shipped_library(), programme="sdq-three-informants@1")
    return replace(plan, uses=np.full_like(plan.uses, Requirement.REQUIRED.position))


@pytest.mark.parametrize("agreement", [0.0, 0.28, 0.6, 1.0])
def test_any_two_informants_agree_as_much_as_is_assumed(three_informants, agreement):
    made = simulate_pupils(
        three_informants, 20_000, np.random.default_rng(1), on=dt.date(2026, 10, 15),
        assumptions=Assumptions(agreement=agreement),
    )  # fmt: skip
    names = ["sdq@self", "sdq@parent", "sdq@teacher"]
    filed = np.all([np.isfinite(made.levels[name]) for name in names], axis=0)
    assert filed.sum() > 18_000
    found = np.corrcoef([made.levels[name][filed] for name in names])
    # Four standard errors of a correlation of 18 000 pairs.
    assert found[np.triu_indices(3, 1)] == pytest.approx(agreement, abs=0.03)


def test_without_a_stated_agreement_informants_share_the_general_level(three_informants):
    made = simulate_pupils(
        three_informants, 20_000, np.random.default_rng(1), on=dt.date(2026, 10, 15)
    )
    both = np.isfinite(made.levels["sdq@parent"]) & np.isfinite(made.levels["sdq@teacher"])
    found = np.corrcoef(made.levels["sdq@parent"][both], made.levels["sdq@teacher"][both])
    assert found[0, 1] == pytest.approx(0.75**2, abs=0.03)


@pytest.fixture(scope="module")
def bark():
    """A made-up questionnaire with item parameters; q3 is reversed, q6 has none."""
    path = Path(__file__).parents[1] / "steps" / "bark.yaml"
    definition, problems = read_definition(path.read_text(encoding="utf-8"), path.name)
    assert not problems
    return compile_form(definition, Informant.SELF), definition.scale("trait").irt


@pytest.mark.parametrize("item", ["q1", "q2", "q3", "q4", "q5", "q7"])
def test_item_means_are_those_that_the_item_parameters_imply(bark, item):
    form, model = bark
    level = np.random.default_rng(1).standard_normal(40_000)
    codes = simulate_answers(
        form, level, np.random.default_rng(2),
        assumptions=Assumptions(careless=0, blank=0, item_parameters=True),
    )  # fmt: skip
    row = next(row for row, one in enumerate(form.items) if one.id == item)
    keyed = codes[row].astype(int)
    if item == "q3":
        keyed = 3 - keyed
    grid = irt.grid(model.prior.mean, model.prior.sd)
    one = model.parameters[item]
    chances = grid.prior @ irt.graded(grid.points, one.a, np.array(one.b)) / grid.prior.sum()
    # Four standard errors of the share of a category among 40 000 forms.
    assert np.bincount(keyed) / len(keyed) == pytest.approx(chances, abs=0.01)
    high = level > 1
    at_high = irt.graded(level[high], one.a, np.array(one.b)).mean(axis=0)
    assert np.bincount(keyed[high], minlength=len(at_high)) / high.sum() == pytest.approx(
        at_high, abs=0.025
    )


def test_items_of_a_score_from_the_sum_follow_their_partial_credit_model(bark):
    form, _ = bark
    only = replace(form, scales=tuple(one for one in form.scales if one.id == "trait_of_sum"))
    level = np.random.default_rng(1).standard_normal(40_000)
    codes = simulate_answers(
        only, level, np.random.default_rng(2),
        assumptions=Assumptions(careless=0, blank=0, item_parameters=True),
    )  # fmt: skip
    trait = 0.2 + 1.2 * level  # the prior of the definition
    for row, steps in ((1, [-0.5, 0.1, 0.5]), (2, [0.1, 0.2, 0.3])):
        keyed = 3 - codes[row].astype(int) if row == 2 else codes[row]
        chances = irt.partial_credit(trait, 1.0, np.array(steps)).mean(axis=0)
        assert np.bincount(keyed) / len(keyed) == pytest.approx(chances, abs=0.01)


@pytest.mark.parametrize("kind, same_from", [("one_option", 0), ("one_option_from_half_way", 5)])
def test_careless_answerers_tick_one_option_from_where_they_are_said_to(phq9, kind, same_from):
    codes = simulate_answers(
        phq9, np.zeros(2000), np.random.default_rng(2),
        assumptions=Assumptions(careless=0.5, blank=0, careless_kind=kind),
    )  # fmt: skip
    rows = codes[same_from:9]
    same = (rows == rows[0]).all(axis=0) & (rows[0] > 0)
    assert same.mean() == pytest.approx(0.5, abs=0.05)
    if same_from:
        assert (codes[:9] == codes[0]).all(axis=0)[same].mean() < 0.05


@pytest.mark.parametrize(
    "options, words",
    [
        ({"careless_kind": "always"}, "careless_kind is one of"),
        ({"agreement": 1.2}, "a correlation from 0 to 1"),
        ({"agreement": -0.1}, "a correlation from 0 to 1"),
    ],
)
def test_assumptions_that_cannot_be_are_refused(options, words):
    with pytest.raises(UsageError, match=words):
        Assumptions(**options)


@pytest.mark.parametrize("share", [0.05, 0.243, 0.6])
def test_as_many_reach_a_cut_score_as_a_publication_says(phq9, share):
    further = steps_for_share(phq9, "total", 10, share, np.random.default_rng(1))
    codes = simulate_answers(
        phq9, np.random.default_rng(2).standard_normal(20_000), np.random.default_rng(3),
        assumptions=Assumptions(blank=0, steps={"phq9": further}),
    )  # fmt: skip
    total = score_forms(phq9, codes).scales[0].score
    # Four standard errors of the difference of two shares of 20 000 forms.
    assert (total >= 10).mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    "scale, cut, share, words",
    [
        ("sum", 10, 0.2, "no scale sum"),
        ("total", 28, 0.2, "no steps lead"),
        ("total", 0, 0.2, "no steps lead"),
        ("total", 10, 1.2, "no steps lead"),
    ],
)
def test_a_share_that_cannot_come_out_is_refused(phq9, scale, cut, share, words):
    with pytest.raises(UsageError, match=words):
        steps_for_share(phq9, scale, cut, share, np.random.default_rng(1), forms=500)


def test_a_scale_whose_high_scores_are_better_comes_out_too(library):
    sdq = compile_form(library.instrument("sdq@1").definition, Informant.SELF)
    assert not next(scale for scale in sdq.scales if scale.id == "prosocial").upwards
    further = steps_for_share(sdq, "prosocial", 7, 0.7, np.random.default_rng(1), forms=4000)
    codes = simulate_answers(
        sdq, np.random.default_rng(2).standard_normal(4000), np.random.default_rng(3),
        assumptions=Assumptions(blank=0, steps={"sdq": further}),
    )  # fmt: skip
    place = next(place for place, scale in enumerate(sdq.scales) if scale.id == "prosocial")
    assert (score_forms(sdq, codes).scales[place].score >= 7).mean() == pytest.approx(0.7, abs=0.04)
