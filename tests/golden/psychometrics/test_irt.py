"""Calibration, scores, fit and linking agree with R's mirt; irt.R made the numbers.

Both programs climb the same likelihood over the same 61 points. mirt stops when no parameter
moves by 1e-9 in one EM step, which leaves it within some 1e-6 of the maximum, less where the
likelihood is flat (an item far off the pupils); its standard errors after Oakes difference
numerically, which costs some four digits.
"""

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics import irt
from mhscreen.psychometrics.groups import answers_by
from mhscreen.psychometrics.irt import calibration, likelihood
from mhscreen.psychometrics.irt.patterns import patterns

HERE = Path(__file__).parent
R = json.loads((HERE / "irt.json").read_text("utf-8"))
MODELS = {"graded": "graded", "partial_credit": "partial_credit", "two_parameter": "2pl"}
FIRST = 30  # forms whose scores are kept
PARAMETERS = 2e-5
ERRORS = 1e-3  # relative


def two_groups():
    """Return the columns of two_groups.csv as numbers, NaN where blank."""
    with (HERE / "two_groups.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


FORMS = two_groups()
ITEMS = [name for name in FORMS if name != "group"]


def answers(name):
    if name == "two_parameter":
        return {item: np.where(np.isnan(FORMS[item]), np.nan, FORMS[item] >= 2) for item in ITEMS}
    return {item: FORMS[item] for item in ITEMS}


@cache
def calibrated(name, errors="observed", missing="available"):
    return irt.calibrate(answers(name), model=MODELS[name], errors=errors, missing=missing)


def slope_and_intercepts(one, item):
    place = one.items.index(item)
    return np.concatenate([[one.slopes[place]], one.intercepts[place]])


def as_mirt_has_them(model, values):
    """Return intercepts as steps: mirt adds those of the partial credit model up."""
    values = np.array(values)
    if model == "partial_credit":
        values[1:] = np.diff(values[1:], prepend=0.0)
    return values


every_model = pytest.mark.parametrize("name", MODELS)


@every_model
def test_parameters_and_likelihood_are_those_of_mirt(name):
    found = calibrated(name)
    assert found.log_likelihood == pytest.approx(R[name]["log_likelihood"], abs=1e-6)
    for item in ITEMS:
        wanted = as_mirt_has_them(MODELS[name], R[name]["observed"][item]["value"])
        got = slope_and_intercepts(found.parameters[0], item)
        np.testing.assert_allclose(got, wanted, atol=PARAMETERS, rtol=PARAMETERS)


@every_model
@pytest.mark.parametrize("errors", ["observed", "cross-product"])
def test_standard_errors_are_those_of_mirt(name, errors):
    found = calibrated(name, errors)
    variances = np.diag(found.covariance)
    first = 0
    for item in ITEMS:
        wanted = (
            R[name]["observed"][item]["se"]
            if errors == "observed"
            else R[name]["cross_product"][item]
        )
        own = variances[first : first + len(wanted)]
        if name == "partial_credit":  # of sums of steps
            block = found.covariance[first : first + len(wanted), first : first + len(wanted)]
            sums = np.tri(len(wanted))
            sums[:, 0] = 0
            sums[0, 0] = 1
            own = np.diag(sums @ block @ sums.T)
        np.testing.assert_allclose(np.sqrt(own), wanted, rtol=ERRORS)
        first += len(wanted)


@every_model
@pytest.mark.parametrize("method", ["eap", "map"])
def test_scores_are_those_of_mirt(name, method):
    wanted = R[name]["scores"][method]
    found = irt.score_trait(answers(name), calibrated(name).parameters[0], method=method)
    # mirt's mode stops at 1e-4 or so of the maximum.
    tolerance = 2e-5 if method == "eap" else 2e-4
    np.testing.assert_allclose(found.theta[:FIRST], wanted["theta"], atol=tolerance)
    np.testing.assert_allclose(found.se[:FIRST], wanted["se"], rtol=1e-3)


@pytest.mark.parametrize("name", ["partial_credit", "two_parameter"])
def test_weighted_likelihood_scores_are_those_of_mirt(name):
    """In the graded model mirt takes Jeffreys' prior instead, which is another score there.

    Its standard errors are those of that penalised likelihood, ours are Warm's.
    """
    wanted = R[name]["scores"]["wle"]
    found = irt.score_trait(answers(name), calibrated(name).parameters[0], method="wle")
    np.testing.assert_allclose(found.theta[:FIRST], wanted["theta"], atol=2e-4)


@every_model
def test_person_fit_is_that_of_mirt(name):
    found = irt.assess_person_fit(answers(name), calibrated(name).parameters[0], method="map")
    np.testing.assert_allclose(found.lz[:FIRST], R[name]["lz"], atol=1e-3)


@every_model
def test_test_information_is_that_of_mirt(name):
    found = irt.measure_information(calibrated(name).parameters[0], range(-3, 4))
    np.testing.assert_allclose(found.test, R[name]["information"], rtol=1e-4)


def test_item_fit_is_that_of_mirt_where_no_cells_are_merged():
    """With more than two categories mirt always pools the lowest and the highest sum scores."""
    one = calibrated("two_parameter", missing="complete").parameters[0]
    found = irt.assess_item_fit(answers("two_parameter"), one, min_expected=0)
    wanted = R["two_parameter"]["s_x2"]
    np.testing.assert_allclose(found.statistic, wanted["statistic"], rtol=1e-3)
    np.testing.assert_array_equal(found.df, wanted["df"])


def test_the_likelihood_of_two_groups_is_that_of_mirt_at_its_own_parameters():
    wanted = R["groups"]
    taken, groups, _ = answers_by(FORMS, "group")
    places = taken.places()
    split = [
        patterns(np.ascontiguousarray(places[:, groups.of_form == group]), [4] * 8)
        for group in (0, 1)
    ]
    free = [ITEMS.index("q3"), ITEMS.index("q6")]
    of = likelihood.design(
        "graded", likelihood.quadrature(61), split, *calibration.versions_of(2, [4] * 8, free)
    )
    vector = [*wanted["g0"].values(), wanted["g1"]["q3"], wanted["g1"]["q6"]]
    vector += [[wanted["mean"], np.log(wanted["variance"]) / 2]]
    found = likelihood.expected(of, np.concatenate(vector)).log_likelihood
    assert found == pytest.approx(wanted["log_likelihood"], abs=1e-6)


def test_two_groups_are_those_of_mirt():
    """To a tenth of a standard error.

    mirt stops where the likelihood still rises with the second group's mean and variance (by 1.05
    and 0.61 a unit), 0.0025 below the maximum.
    """
    wanted = R["groups"]
    found = irt.calibrate(FORMS, group="group", free=["q3", "q6"])
    assert 0 < found.log_likelihood - wanted["log_likelihood"] < 0.01
    assert found.means[1] == pytest.approx(wanted["mean"], abs=0.1 * found.mean_errors[1])
    assert found.mean_errors[1] == pytest.approx(wanted["mean_se"], rel=0.1)
    near = 0.1 * 2 * found.sds[1] * found.sd_errors[1]
    assert found.sds[1] ** 2 == pytest.approx(wanted["variance"], abs=near)
    for group, label in [("g0", "0"), ("g1", "1")]:
        for item in ITEMS:
            got = slope_and_intercepts(found.of(label), item)
            np.testing.assert_allclose(got, wanted[group][item], atol=0.015)


@pytest.mark.parametrize("model", ["graded", "partial_credit"])
@pytest.mark.parametrize("method", ["mean_sigma", "mean_mean", "haebara", "stocking_lord"])
def test_linking_constants_are_those_of_the_criteria_minimised_in_r(model, method):
    one, other = (
        irt.take_parameters(
            model,
            {
                f"q{place}": (a, b)
                for place, (a, b) in enumerate(
                    zip(R["link"][which]["a"], R["link"][which]["b"], strict=True)
                )
            },
        )
        for which in ("one", "other")
    )
    found = irt.link_scales(one, other, method=method)
    np.testing.assert_allclose([found.slope, found.intercept], R["link"][model][method], atol=1e-5)


@pytest.mark.parametrize(
    "name, file, model",
    [
        ("lsat", "lsat.csv", "2pl"),
        ("science", "science.csv", "graded"),
        ("science_partial_credit", "science.csv", "partial_credit"),
    ],
)
def test_published_data_sets_give_the_parameters_of_mirt(data, name, file, model):
    columns = data(f"ltm_science_lsat/{file}")
    if file == "science.csv":
        columns = {item: columns[item] for item in ["Comfort", "Work", "Future", "Benefit"]}
    taken = {item: [float(cell) for cell in column] for item, column in columns.items()}
    found = irt.calibrate(taken, model=model)
    assert found.log_likelihood == pytest.approx(R[name]["log_likelihood"], abs=1e-6)
    first = 0
    for item, wanted in zip(found.items, R[name]["observed"].values(), strict=True):
        got = slope_and_intercepts(found.parameters[0], item)
        value = as_mirt_has_them(model, wanted["value"])
        np.testing.assert_allclose(got, value, atol=2e-4)
        error = np.sqrt(found.covariance[first, first])
        assert error == pytest.approx(wanted["se"][0], rel=2e-3)
        first += len(value)
    scores = irt.score_trait(taken, found.parameters[0])
    np.testing.assert_allclose(scores.theta[:FIRST], R[name]["scores"]["eap"]["theta"], atol=1e-4)


def test_the_published_likelihoods_are_reached(data):
    """Rizopoulos (2006): −1608.871 for four items of Science, −2466.65 for LSAT.

    ltm integrates over other points, so the last digit may differ.
    """
    science = data("ltm_science_lsat/science.csv")
    four = {
        item: [float(cell) for cell in science[item]]
        for item in ["Comfort", "Work", "Future", "Benefit"]
    }
    lsat = {
        item: [float(cell) for cell in column]
        for item, column in data("ltm_science_lsat/lsat.csv").items()
    }
    assert irt.calibrate(four).log_likelihood == pytest.approx(-1608.871, abs=0.005)
    assert irt.calibrate(lsat, model="2pl").log_likelihood == pytest.approx(-2466.65, abs=0.005)
