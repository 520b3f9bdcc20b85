"""Item response models: derivatives, enumeration, integration, and what bad input gets."""

import dataclasses
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.kernels import irt as kernel
from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics import irt
from mhscreen.psychometrics.irt import calibration, em, errors, likelihood, models, scores
from mhscreen.psychometrics.irt.patterns import patterns

MODELS = ["graded", "partial_credit"]
POINTS = likelihood.quadrature(61)
BANK = {
    "q1": (1.5, [-1.0, 0.2, 1.4]),
    "q2": (0.9, [-0.5, 0.9]),
    "q3": (2.1, [0.3]),
    "q4": (1.2, [-1.5, -0.4, 0.8]),
}


def simulated(bank, model="graded", forms=800, seed=3, trait=None):
    """Return answers of pupils whose trait is standard normal, as columns."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=forms) if trait is None else trait
    chances = irt.take_parameters(model, bank).chances(theta)
    return {
        item: (rng.random(len(theta))[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        for item, p in zip(bank, chances, strict=True)
    }


def with_blanks(answers, share=0.1, seed=4):
    rng = np.random.default_rng(seed)
    return {
        item: np.where(rng.random(len(column)) < share, np.nan, column)
        for item, column in answers.items()
    }


def two_groups(model, seed=5):
    """Return a design of two groups with a free item, blanks, and a point on it."""
    rng = np.random.default_rng(seed)
    parameters = irt.take_parameters(model, BANK)
    numbers = [len(codes) for codes in parameters.codes]
    split = []
    for group in range(2):
        answers = with_blanks(simulated(BANK, model, 300, seed=seed + group))
        places = np.array([np.nan_to_num(column, nan=-1) for column in answers.values()])
        split.append(patterns(places.astype(np.int8), numbers))
    of = likelihood.design(model, POINTS, split, *calibration.versions_of(2, numbers, [1]))
    begin = em.start(of)
    return of, begin + rng.normal(0, 0.02, len(begin))


@pytest.mark.parametrize("model", MODELS)
def test_derivatives_of_the_likelihood_are_those_of_its_values(model):
    of, vector = two_groups(model)
    uphill = likelihood.gradient(of, vector, likelihood.expected(of, vector))
    matrix = errors.information_matrix(of, vector, likelihood.expected(of, vector), "observed")
    step = 1e-5
    for place in range(len(vector)):
        ahead, behind = vector.copy(), vector.copy()
        ahead[place] += step
        behind[place] -= step
        there, back = likelihood.expected(of, ahead), likelihood.expected(of, behind)
        slope = (there.log_likelihood - back.log_likelihood) / (2 * step)
        assert uphill[place] == pytest.approx(slope, abs=1e-5)
        bend = likelihood.gradient(of, behind, back) - likelihood.gradient(of, ahead, there)
        np.testing.assert_allclose(matrix[place], bend / (2 * step), atol=1e-4)


@pytest.mark.parametrize("model", MODELS)
def test_second_derivatives_by_the_trait_are_those_of_the_probabilities(model):
    parameters = irt.take_parameters(model, BANK).pick(["q1"])
    theta, step = np.linspace(-2, 2, 9), 1e-4
    around = [parameters.chances(theta + move)[0] for move in (-step, 0, step)]
    x = parameters.slopes[0] * theta[:, None] + parameters.intercepts[0]
    found = parameters.slopes[0] ** 2 * models.second_slopes(model, x, around[1]) * around[1]
    wanted = (around[0] - 2 * around[1] + around[2]) / step**2
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_the_end_is_the_top_and_each_em_step_climbs(model):
    of, vector = two_groups(model)
    here = vector
    for _ in range(5):
        given_ = likelihood.expected(of, here)
        there = em.maximised(of, here, given_)
        assert likelihood.expected(of, there).log_likelihood >= given_.log_likelihood
        here = there
    end = em.climb(of, vector, tolerance=1e-8, most=500)
    assert end.converged
    uphill = likelihood.gradient(of, end.vector, end.expected)
    assert np.abs(uphill).max() < 1e-4


def test_a_pattern_counts_as_often_as_it_occurs_and_order_does_not_matter():
    answers = simulated(BANK, forms=400)
    once = irt.calibrate(answers)
    rng = np.random.default_rng(1)
    mixed = rng.permutation(400)
    again = irt.calibrate({item: column[mixed] for item, column in answers.items()})
    assert again.log_likelihood == pytest.approx(once.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(again.parameters[0].slopes, once.parameters[0].slopes, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_distinct_patterns_give_the_forms_back(seed, items):
    rng = np.random.default_rng(seed)
    places = rng.integers(-1, 4, (items, 50)).astype(np.int8)
    found = patterns(places, [4] * items)
    np.testing.assert_array_equal(found.places[:, found.of_form], places)
    assert len(np.unique(places.T, axis=0)) == len(found.counts)
    np.testing.assert_array_equal(np.bincount(found.of_form), found.counts)


@pytest.mark.parametrize("model", MODELS)
def test_scores_are_those_of_the_scoring_kernel(model):
    """The engine scores point by point over 321 points; analyses by products over 61."""
    parameters = irt.take_parameters(model, BANK)
    answers = with_blanks(simulated(BANK, model, 200))
    trait = kernel.grid(0.0, 1.0)
    chances = [
        np.concatenate([p, np.ones((len(p), 1))], axis=1) for p in parameters.chances(trait.points)
    ]
    codes = np.array(
        [
            np.where(np.isnan(column), p.shape[1] - 1, np.nan_to_num(column))
            for column, p in zip(answers.values(), chances, strict=True)
        ]
    )
    wanted = kernel.eap(codes.astype(np.uint8), chances, trait)
    found = irt.score_trait(answers, parameters)
    answered = found.answered > 0
    np.testing.assert_allclose(found.theta[answered], wanted.mean[answered], atol=1e-6)
    np.testing.assert_allclose(found.se[answered], wanted.se[answered], atol=1e-6)
    assert np.isnan(found.theta[~answered]).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", ["map", "wle"])
def test_a_score_solves_its_equation(model, method):
    parameters = irt.take_parameters(model, BANK)
    every = np.array(list(product(*(range(len(codes)) for codes in parameters.codes))))
    answers = dict(zip(BANK, every.T, strict=True))
    found = irt.score_trait(answers, parameters, method=method, prior=(0.5, 2.0))
    assert not found.problems
    here = scores.at_trait(every.T.astype(np.int8), parameters, found.theta)
    pull = (0.5 - found.theta) / 4.0 if method == "map" else here.tilt / (2 * here.information)
    np.testing.assert_allclose(here.slope + pull, 0, atol=1e-6)


def test_a_form_with_too_few_answers_has_no_score():
    found = irt.score_trait(
        {"q1": [0, 3, None], "q2": [1, None, None], "q3": [0, 1, None], "q4": [2, None, None]},
        irt.take_parameters("graded", BANK),
        min_answered=3,
    )
    assert np.isnan(found.theta).tolist() == [False, True, True]
    assert "2 without a score (at least 3 answered items)" in found.title()


@pytest.mark.parametrize("model", MODELS)
def test_item_fit_expects_what_enumeration_gives(model):
    parameters = irt.take_parameters(model, BANK)
    answers = simulated(BANK, model, 500)
    found = irt.assess_item_fit(answers, parameters, min_expected=0, estimated=False)
    weights = np.exp(-0.5 * POINTS**2)
    weights /= weights.sum()
    chances = parameters.chances(POINTS)
    joint = {}
    for pattern in product(*(range(p.shape[1]) for p in chances)):
        likely = np.prod([p[:, k] for p, k in zip(chances, pattern, strict=True)], axis=0)
        joint[pattern] = likely @ weights
    sums = np.sum(list(answers.values()), axis=0)
    for item, name in enumerate(BANK):
        statistic = 0.0
        for whole in range(max(sums) + 1):
            here = {p: chance for p, chance in joint.items() if sum(p) == whole}
            number = np.sum(sums == whole)
            for category in range(chances[item].shape[1]):
                mine = sum(chance for p, chance in here.items() if p[item] == category)
                if mine and number:
                    expected = number * mine / sum(here.values())
                    observed = np.sum((sums == whole) & (answers[name] == category))
                    statistic += (observed - expected) ** 2 / expected
        assert found.statistic[item] == pytest.approx(statistic, rel=1e-9)


def test_item_fit_finds_an_item_of_another_kind():
    answers = simulated(BANK, forms=3000)
    rng = np.random.default_rng(9)
    answers["q3"] = np.abs(sum(answers.values()) - 4) + rng.integers(0, 2, 3000) > 2
    with_u_shape = {item: column.astype(int) for item, column in answers.items()}
    one = irt.calibrate(with_u_shape, errors="none").parameters[0]
    found = irt.assess_item_fit(with_u_shape, one)
    assert found.items[int(np.argmax(found.rmsea))] == "q3"
    assert found.p.min() < 1e-6


def test_corrected_person_fit_is_standard_normal_where_the_model_holds():
    bank = {f"q{k}": (1.6, [b - 0.7, b, b + 0.7]) for k, b in enumerate(np.linspace(-2, 2, 30))}
    parameters = irt.take_parameters("graded", bank)
    rng = np.random.default_rng(2)
    found = irt.assess_person_fit(simulated(bank, trait=rng.normal(size=4000)), parameters)
    assert found.lz_star.mean() == pytest.approx(0, abs=0.1)  # 30 items are not infinitely many
    assert found.lz_star.std() == pytest.approx(1, abs=0.05)
    assert np.mean(found.lz_star < -1.645) == pytest.approx(0.05, abs=0.02)


def test_answers_by_chance_fit_worse_and_a_critical_item_makes_nobody_suspect():
    bank = {f"q{k}": (1.8, [b, b + 0.8]) for k, b in enumerate(np.linspace(-1.5, 1.5, 20))}
    parameters = irt.take_parameters("graded", bank)
    honest = simulated(bank, forms=500)
    chance = {item: np.random.default_rng(k).integers(0, 3, 500) for k, item in enumerate(bank)}
    fit = [irt.assess_person_fit(forms, parameters).lz_star for forms in (honest, chance)]
    assert np.median(fit[1]) < np.quantile(fit[0], 0.01)
    turned = {**honest, "q19": 2 - honest["q19"]}
    found = [
        irt.assess_person_fit(forms, parameters, leave_out=["q19"]).lz for forms in (honest, turned)
    ]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("method", ["mean_sigma", "mean_mean", "haebara", "stocking_lord"])
@pytest.mark.parametrize("model", MODELS)
def test_linking_gives_back_a_known_change_of_scale(method, model):
    other = irt.take_parameters(model, BANK)
    found = irt.link_scales(other.rescaled(1.3, -0.4), other, method=method)
    assert (found.slope, found.intercept) == pytest.approx((1 / 1.3, 0.4 / 1.3), abs=1e-5)
    back = found.apply(other.rescaled(1.3, -0.4))
    np.testing.assert_allclose(back.slopes, other.slopes, rtol=1e-4)
    assert found.after.max() < 1e-4 < found.before.max()


def test_rescaled_items_are_the_same_items():
    other = irt.take_parameters("graded", BANK)
    moved = other.rescaled(1.3, -0.4).expected_score(1.3 * POINTS - 0.4)
    np.testing.assert_allclose(moved, other.expected_score(POINTS), rtol=1e-12)


def test_every_result_has_a_frame_a_picture_and_a_title():
    answers = simulated(BANK, forms=300)
    found = irt.calibrate(answers)
    one = found.parameters[0]
    results = [
        found,
        one,
        irt.measure_information(one),
        irt.score_trait(answers, one),
        irt.assess_item_fit(answers, one),
        irt.assess_person_fit(answers, one),
        irt.link_scales(one, one),
    ]
    for result in results:
        assert len(result.to_frame())
        assert result.plot().has_data()
        assert result.title() in repr(result)


# -- equal slopes ---------------------------------------------------------------------------------

EQUAL = {item: (1.3, thresholds) for item, (_, thresholds) in BANK.items()}


@pytest.mark.parametrize("model", MODELS)
def test_equal_slopes_and_thresholds_are_found_again(model):
    found = irt.calibrate(simulated(EQUAL, model, 4000), model=model, equal_slopes=True)
    assert found.estimated == 1 + sum(len(steps) for steps in found.parameters[0].intercepts)
    true = irt.take_parameters(model, EQUAL)
    far = [(found.parameters[0].slopes[0] - 1.3) / found.slope_errors[0, 0]]
    for got, wanted, error in zip(
        found.parameters[0].thresholds, true.thresholds, found.threshold_errors[0], strict=True
    ):
        far.extend((got - wanted) / error)
    assert np.abs(far).max() < 3.5
    assert "equal slopes" in found.title()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(MODELS), st.booleans())
def test_equal_slopes_are_the_very_same_number_and_fit_no_better_than_free_ones(
    seed, model, grouped
):
    answers = with_blanks(simulated(BANK, model, 400, seed=seed), seed=seed)
    split = {"group": np.arange(400) % 2, "free": ["q2"]} if grouped else {}
    one = irt.calibrate(answers, model=model, equal_slopes=True, **split)
    assert np.ptp([parameters.slopes for parameters in one.parameters]) == 0
    assert np.ptp(one.slope_errors) == pytest.approx(0, abs=1e-12)
    try:
        each = irt.calibrate(answers, model=model, errors="none", **split)
    except AnalysisError:  # too few forms for a slope of each item
        return
    assert one.log_likelihood <= each.log_likelihood + 1e-6
    more = 4 if grouped else 3  # slopes: of four items, and of the free one in the second group
    assert each.estimated == one.estimated + more


@pytest.mark.parametrize("model", MODELS)
def test_equal_slopes_end_where_neither_the_slope_nor_an_intercept_climbs(model):
    of, _ = two_groups(model)
    tied = dataclasses.replace(of, equal_slopes=True)
    here = em.start(tied)
    for _ in range(5):
        given_ = likelihood.expected(tied, here)
        there = em.maximised(tied, here, given_)
        assert likelihood.expected(tied, there).log_likelihood >= given_.log_likelihood
        here = there
    end = em.climb(tied, here, tolerance=1e-8, most=500)
    assert end.converged
    uphill = likelihood.gradient(tied, end.vector, end.expected)
    assert np.abs(tied.ties().T @ uphill).max() < 1e-4
    assert np.abs(uphill[tied.first]).max() > 1  # single slopes would


def test_equal_slopes_give_scores_information_and_fit():
    answers = simulated(EQUAL, "partial_credit", 1000)
    found = irt.calibrate(answers, model="partial_credit", equal_slopes=True)
    one = found.parameters[0]
    sums = np.sum(list(answers.values()), axis=0)
    theta = irt.score_trait(answers, one).theta
    for total in np.unique(sums):  # the sum says everything about the trait
        assert np.ptp(theta[sums == total]) < 1e-9
    assert irt.measure_information(one).test.max() > 0
    assert irt.assess_item_fit(answers, one).p.min() > 0.001
    true = irt.take_parameters("partial_credit", EQUAL)
    fits = [irt.assess_person_fit(answers, items).lz_star for items in (one, true)]
    assert np.corrcoef(*fits)[0, 1] > 0.99
    assert found.plot().has_data()


def test_a_slope_that_all_items_share_costs_no_degree_of_freedom():
    answers = simulated(EQUAL, "partial_credit", 1000)
    shared = irt.take_parameters("partial_credit", EQUAL)
    own = irt.take_parameters("partial_credit", {**EQUAL, "q1": (1.3 + 1e-9, EQUAL["q1"][1])})
    wanted, less = (irt.assess_item_fit(answers, one).df for one in (shared, own))
    np.testing.assert_array_equal(wanted, less + 1)


def test_with_equal_slopes_item_fit_shows_the_item_keyed_the_other_way():
    answers = simulated({f"q{k}": (1.3, [b]) for k, b in enumerate([-1.0, -0.5, 0.0, 0.5, 1.0])})
    answers["q2"] = 1 - answers["q2"]
    one = irt.calibrate(answers, model="2pl", equal_slopes=True).parameters[0]
    assert np.argmin(irt.assess_item_fit(answers, one).p) == 2
    assert irt.assess_item_fit(answers, one).p[2] < 1e-6


def test_copies_of_one_item_have_no_common_slope():
    answers = simulated(BANK, forms=300)
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({f"copy{k}": answers["q3"] for k in range(4)}, model="2pl", equal_slopes=True)
    assert set(codes_of(caught)) == {"MH704"}


# -- bad input ------------------------------------------------------------------------------------


def codes_of(caught):
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize(
    "change, code",
    [
        ({"q1": [1] * 800}, "MH702"),
        ({"q1": ["a"] * 800}, "MH701"),
    ],
)
def test_answers_that_cannot_be_used_are_named(change, code):
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({**simulated(BANK), **change})
    assert codes_of(caught) == [code]


def test_fewer_forms_than_items_and_a_third_category_are_named():
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({item: column[:3] for item, column in simulated(BANK).items()}, model="2pl")
    assert "MH705" in codes_of(caught)
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate(simulated(BANK), model="2pl")
    assert set(codes_of(caught)) == {"MH701"}


def test_a_copied_item_has_no_slope_and_no_figures_are_given():
    answers = simulated(BANK, forms=300)
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({**answers, "copy": answers["q1"]})
    assert codes_of(caught) == ["MH704"]


def test_an_item_that_nearly_copies_another_has_no_end_of_a_slope():
    answers = simulated(BANK, forms=300)
    nearly = np.array(answers["q1"])
    nearly[np.argmax(nearly > 0)] -= 1
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({**answers, "nearly": nearly})
    assert codes_of(caught) in (["MH709"], ["MH706"])


def test_a_group_that_never_gave_an_answer_to_a_free_item_is_named():
    answers = {**simulated(BANK), "sex": ["f", "m"] * 400}
    answers["q1"] = np.where(
        np.array(answers["sex"]) == "f", np.minimum(answers["q1"], 2), answers["q1"]
    )
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate(answers, group="sex", free=["q1"])
    assert codes_of(caught) == ["MH730"]
    assert irt.calibrate(answers, group="sex", free=["q2"], errors="none").groups == ("f", "m")


def test_a_group_too_far_from_the_reference_gets_no_figures():
    rng = np.random.default_rng(6)
    answers = simulated(BANK, trait=np.concatenate([rng.normal(size=400), rng.normal(2, 2, 400)]))
    with pytest.raises(AnalysisError, match="reaches beyond the points") as caught:
        irt.calibrate({**answers, "grade": [7] * 400 + [12] * 400}, group="grade")
    assert codes_of(caught) == ["MH709"]


def test_one_group_is_no_comparison():
    with pytest.raises(AnalysisError) as caught:
        irt.calibrate({**simulated(BANK), "sex": ["f"] * 800}, group="sex")
    assert codes_of(caught) == ["MH707"]


def test_an_item_keyed_the_other_way_is_said_to_be():
    answers = simulated(BANK)
    answers["q1"] = 3 - answers["q1"]
    found = irt.calibrate(answers, errors="none")
    assert [(problem.code, problem.path) for problem in found.problems] == [("MH712", "q1")]


def test_an_answer_without_parameters_is_refused():
    answers = simulated(BANK, forms=20)
    answers["q3"] = answers["q3"] + 5
    with pytest.raises(AnalysisError) as caught:
        irt.score_trait(answers, irt.take_parameters("graded", BANK))
    assert codes_of(caught) == ["MH701"]


@pytest.mark.parametrize(
    "call",
    [
        lambda a: irt.calibrate(a, model="rasch"),
        lambda a: irt.calibrate(a, errors="oakes"),
        lambda a: irt.calibrate(a, missing="pairwise"),
        lambda a: irt.calibrate(a, free=["q9"]),
        lambda a: irt.calibrate({**a, "g": [0, 1] * 400}, group="g", free=list(BANK)),
        lambda a: irt.score_trait(a, irt.take_parameters("graded", BANK), method="ml"),
        lambda _: irt.take_parameters("graded", {"q1": (1.0, [1.0, 0.0])}),
        lambda _: irt.take_parameters("2pl", {"q1": (1.0, [0.0, 1.0])}),
    ],
)
def test_a_wrong_call_is_said_to_be_one(call):
    with pytest.raises(UsageError):
        call(simulated(BANK))
