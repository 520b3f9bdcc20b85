"""Item response models: against numerical integrals, against enumeration, and to the bit."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from mhscreen.kernels import irt

GRADED = [(1.8, (-0.4, 0.7, 1.9)), (0.9, (-1.5, 0.1, 0.4)), (4.1, (0.3, 0.9, 1.6)), (2.2, (0.5,))]
PARTIAL = [(1.0, (0.8, -0.3, 1.2)), (0.6, (-0.5, 0.5)), (2.4, (0.1, 0.2, 0.3))]


def graded_by_hand(theta, a, b):
    """Return the category probabilities as differences of cumulative ones."""
    above = [1.0, *(1 / (1 + np.exp(-a * (theta - one))) for one in b), 0.0]
    return [above[k] - above[k + 1] for k in range(len(b) + 1)]


def partial_by_hand(theta, a, b):
    """Return the category probabilities as ratios of exponentials of sums."""
    powers = [np.exp(sum(a * (theta - one) for one in b[:k])) for k in range(len(b) + 1)]
    return [power / sum(powers) for power in powers]


MODELS = {
    "graded": (irt.graded, graded_by_hand, GRADED),
    "partial credit": (irt.partial_credit, partial_by_hand, PARTIAL),
}
every_model = pytest.mark.parametrize("kernel, by_hand, items", MODELS.values(), ids=MODELS)


def tables(kernel, items, trait):
    """Return the chances of each item, with a column of ones for no answer."""
    found = [kernel(trait.points, a, np.array(b)) for a, b in items]
    return [np.concatenate([one, np.ones((len(one), 1))], axis=1) for one in found]


def integral(by_hand, items, answers, mean=0.0, sd=1.0):
    """Return posterior mean and SD by adaptive quadrature; None is no answer."""

    def likelihood(theta):
        density = np.exp(-0.5 * ((theta - mean) / sd) ** 2)
        for (a, b), answer in zip(items, answers, strict=True):
            if answer is not None:
                density *= by_hand(theta, a, b)[answer]
        return density

    def moment(power, centre):
        ends = np.linspace(mean - 9 * sd, mean + 9 * sd, 25)
        return sum(
            quad(lambda t: (t - centre) ** power * likelihood(t), low, high, epsabs=1e-14)[0]
            for low, high in pairwise(ends)
        )

    whole = moment(0, 0)
    centre = moment(1, 0) / whole
    return centre, np.sqrt(moment(2, centre) / whole)


@every_model
def test_category_probabilities_are_those_of_the_textbook_and_add_up_to_one(kernel, by_hand, items):
    points = np.linspace(-6, 6, 49)
    for a, b in items:
        found = kernel(points, a, np.array(b))
        np.testing.assert_allclose(found, [by_hand(p, a, b) for p in points], atol=1e-14)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-14)


@every_model
@pytest.mark.parametrize("mean, sd", [(0.0, 1.0), (0.4, 0.5), (-1.0, 2.5)])
def test_eap_and_standard_error_are_those_of_an_adaptive_integral(kernel, by_hand, items, mean, sd):
    trait = irt.grid(mean, sd)
    chances = tables(kernel, items, trait)
    for answers in (
        [0] * len(items),
        [len(b) for _, b in items],
        [k % 2 for k in range(len(items))],
        [None, *(1 for _ in items[1:])],
        [len(items[0][1]), *(None for _ in items[1:])],
    ):
        codes = [
            [len(b) + 1 if answer is None else answer]
            for answer, (_, b) in zip(answers, items, strict=True)
        ]
        found = irt.eap(np.array(codes, dtype=np.uint8), chances, trait)
        wanted = integral(by_hand, items, answers, mean, sd)
        assert (found.mean[0], found.se[0]) == pytest.approx(wanted, abs=1e-6)


def test_without_any_answer_the_score_is_the_prior():
    trait = irt.grid(0.3, 0.8)
    chances = tables(irt.graded, GRADED, trait)
    nothing = np.array([[len(b) + 1] for _, b in GRADED], dtype=np.uint8)
    found = irt.eap(nothing, chances, trait)
    assert (found.mean[0], found.se[0]) == pytest.approx((0.3, 0.8), abs=1e-6)


@every_model
def test_likelihoods_of_sums_are_those_of_all_answers_with_the_sum(kernel, by_hand, items):
    points = np.array([-1.3, 0.0, 2.1])
    chances = [kernel(points, a, np.array(b)) for a, b in items]
    scores = [tuple(range(2, 3 + len(b))) for _, b in items]
    scores[0] = (0, *(5 + k for k in range(len(items[0][1]))))  # with a gap
    first, found = irt.likelihoods_of_sums(chances, scores)
    wanted = np.zeros_like(found)
    for answers in product(*(range(len(one)) for one in scores)):
        total = sum(one[k] for one, k in zip(scores, answers, strict=True))
        for place, point in enumerate(points):
            chance = 1.0
            for (a, b), k in zip(items, answers, strict=True):
                chance *= by_hand(point, a, b)[k]
            wanted[total - first, place] += chance
    assert first == 2 * (len(items) - 1)
    np.testing.assert_allclose(found, wanted, atol=1e-14)
    np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-13)


def test_a_sum_that_no_answers_give_has_no_score():
    trait = irt.grid(0.0, 1.0)
    item = irt.graded(trait.points, 1.0, np.array([0.0]))
    _, likelihoods = irt.likelihoods_of_sums([item], [(0, 2)])
    found = irt.eap_of_sums(likelihoods, trait)
    assert np.isnan(found.mean).tolist() == np.isnan(found.se).tolist() == [False, True, False]


def test_for_one_item_the_score_from_the_sum_is_the_score_from_the_answer():
    trait = irt.grid(0.0, 1.0)
    item = irt.graded(trait.points, GRADED[0][0], np.array(GRADED[0][1]))
    _, likelihoods = irt.likelihoods_of_sums([item], [range(4)])
    by_sum = irt.eap_of_sums(likelihoods, trait)
    by_answer = irt.eap(np.arange(4, dtype=np.uint8)[None, :], [item], trait)
    np.testing.assert_allclose(by_sum.mean, by_answer.mean, atol=1e-12)
    np.testing.assert_allclose(by_sum.se, by_answer.se, atol=1e-12)


@every_model
@given(data=st.data())
@settings(max_examples=50)
def test_a_higher_answer_to_one_item_never_lowers_the_score(kernel, by_hand, items, data):
    trait = irt.grid(0.0, 1.0)
    answers = [data.draw(st.integers(0, len(b) + 1)) for _, b in items]  # the last is no answer
    place = data.draw(st.integers(0, len(items) - 1))
    lower = data.draw(st.integers(0, len(items[place][1]) - 1))
    codes = np.array([answers, answers], dtype=np.uint8).T
    codes[place] = lower, lower + 1
    found = irt.eap(np.ascontiguousarray(codes), tables(kernel, items, trait), trait)
    assert found.mean[0] < found.mean[1]


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 9))
@settings(max_examples=30)
def test_a_form_scores_the_same_to_the_bit_alone_and_in_any_block(forms, seed, block):
    trait = irt.grid(0.0, 1.0)
    chances = tables(irt.graded, GRADED, trait)
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, len(b) + 2, forms) for _, b in GRADED]).astype(np.uint8)
    whole = irt.eap(codes, chances, trait)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(irt, "FORMS_AT_A_TIME", block)
        in_blocks = irt.eap(codes, chances, trait)
    for place in range(forms):
        alone = irt.eap(np.ascontiguousarray(codes[:, [place]]), chances, trait)
        for one, two, three in zip(whole, in_blocks, alone, strict=True):
            assert one[place] == two[place] == three[0]


def test_many_contradictory_answers_still_have_a_score():
    trait = irt.grid(0.0, 5.0)
    item = irt.graded(trait.points, 10.0, np.array([-10.0, 10.0]))
    contrary = np.array([[0], [2]] * 200, dtype=np.uint8)
    found = irt.eap(contrary, [item] * 400, trait)
    assert found.mean[0] == pytest.approx(0, abs=1e-9)
    assert 0 <= found.se[0] < 5


def test_no_form_at_all_gives_no_scores():
    trait = irt.grid(0.0, 1.0)
    chances = tables(irt.graded, GRADED, trait)
    found = irt.eap(np.zeros((4, 0), dtype=np.uint8), chances, trait)
    assert found.mean.shape == found.se.shape == (0,)
