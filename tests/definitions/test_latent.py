"""Item response models counted out with plain numbers: the same as those of the arrays."""

import numpy as np
import pytest

from mhscreen.definitions import latent
from mhscreen.definitions.kinds import Irt
from mhscreen.kernels import irt

PARAMETERS = {
    "q1": {"a": 1.8, "b": [-0.4, 0.7, 1.9]},
    "q2": {"a": 0.9, "b": [-1.5, 0.1, 0.4]},
    "q3": {"a": 4.1, "b": [0.3]},
}
KERNELS = {"graded": irt.graded, "partial_credit": irt.partial_credit}
every_model = pytest.mark.parametrize("model", KERNELS)


def make(model, mean=0.3, sd=0.7):
    return Irt(
        model=model,
        prior={"mean": mean, "sd": sd},
        metric={"mean": 50, "sd": 10},
        parameters=PARAMETERS,
    )


@pytest.mark.parametrize("mean, sd", [(0.0, 1.0), (0.3, 0.7), (-1.0, 2.35)])
def test_both_use_the_same_points(mean, sd):
    points = latent.quadrature_points(mean, sd)
    np.testing.assert_allclose(points, irt.grid(mean, sd).points, atol=1e-13)
    assert points[1] - points[0] <= min(sd, 1) / 20 + 1e-12


@every_model
def test_both_give_the_same_probabilities(model):
    one = make(model)
    for item in one.parameters.values():
        for point in (-7.0, -0.4, 0.0, 3.3):
            found = latent.probabilities(model, item, point)
            wanted = KERNELS[model](np.array([point]), item.a, np.array(item.b))[0]
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


@every_model
def test_both_give_the_same_scores_for_extreme_forms(model):
    one = make(model)
    trait = irt.grid(0.3, 0.7)
    chances = [KERNELS[model](trait.points, i.a, np.array(i.b)) for i in one.parameters.values()]
    codes = np.array([[0, 3], [0, 3], [0, 1]], dtype=np.uint8)
    wanted = 50 + 10 * irt.eap(codes, chances, trait).mean
    assert latent.extreme_scores(one, list(PARAMETERS)) == pytest.approx(tuple(wanted), abs=1e-10)


@every_model
def test_both_give_the_same_scores_for_sums(model):
    one = make(model)
    trait = irt.grid(0.3, 0.7)
    keyed = [("q1", (0, 1, 2, 3)), ("q2", (1, 2, 3, 4)), ("q3", (0, 1))]
    chances = [KERNELS[model](trait.points, i.a, np.array(i.b)) for i in one.parameters.values()]
    first, likelihoods = irt.likelihoods_of_sums(chances, [scores for _, scores in keyed])
    wanted = 50 + 10 * irt.eap_of_sums(likelihoods, trait).mean
    found = latent.sum_scores(one, keyed)
    assert list(found) == list(range(first, first + len(wanted)))
    np.testing.assert_allclose(list(found.values()), wanted, atol=1e-10)
