"""Models with equal slopes agree with R's eRm and ltm; rasch.R made the numbers.

eRm conditions on the sum scores, `calibrate` integrates over a normal trait. Where both hold they
estimate the same differences between thresholds and part by a fraction of a standard error, which
is 0.05 to 0.1 logits here. ltm integrates, too, and must be met to the last digit that it prints.
"""

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics import irt

HERE = Path(__file__).parent
R = json.loads((HERE / "rasch.json").read_text("utf-8"))
BETWEEN_METHODS = 0.01  # logits, with at least 1,000 forms
BETWEEN_ERRORS = 0.01  # relative
PRINTED = 0.6e-4  # half a unit of the fourth decimal, and what rounding adds


@cache
def simulated():
    with (HERE / "rasch.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {item: np.array([int(row[item]) for row in rows]) for item in rows[0]}


def two_options():
    return {item: cells for item, cells in simulated().items() if item.startswith("two")}


@pytest.fixture
def lsat(data):
    columns = data("ltm_science_lsat/lsat.csv")
    return {item: [float(cell) for cell in cells] for item, cells in columns.items()}


def centred_logits(found):
    """Return all thresholds times the slope, with the mean 0, and their standard errors."""
    logits = -np.concatenate(found.parameters[0].intercepts)
    first = np.cumsum([0, *[len(steps) + 1 for steps in found.parameters[0].intercepts]])[:-1]
    steps = np.delete(np.arange(len(found.covariance)), first)
    centre = np.eye(len(steps)) - 1 / len(steps)
    covariance = centre @ found.covariance[np.ix_(steps, steps)] @ centre
    return logits - logits.mean(), np.sqrt(np.diag(covariance))


def assert_is_erm(answers, wanted):
    difficulty, errors = centred_logits(irt.calibrate(answers, model="2pl", equal_slopes=True))
    np.testing.assert_allclose(difficulty, wanted["difficulty"], atol=BETWEEN_METHODS)
    np.testing.assert_allclose(errors, wanted["se"], rtol=BETWEEN_ERRORS)


def test_rasch_difficulties_and_their_errors_are_those_of_erm():
    assert_is_erm(two_options(), R["rasch"])


def test_rasch_difficulties_of_a_published_test_are_those_of_erm(lsat):
    assert_is_erm(lsat, R["lsat"])


def test_partial_credit_thresholds_are_those_of_erm():
    found = irt.calibrate(simulated(), model="partial_credit", equal_slopes=True)
    wanted = np.concatenate([R["partial_credit"]["threshold"][item] for item in found.items])
    np.testing.assert_allclose(centred_logits(found)[0], wanted, atol=BETWEEN_METHODS)


def test_the_rasch_model_of_a_published_test_is_that_of_ltm_to_every_printed_digit(lsat):
    found = irt.calibrate(lsat, model="2pl", equal_slopes=True)
    wanted = R["ltm"]
    assert found.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=0.6e-3)
    assert (found.aic, found.bic) == pytest.approx((wanted["aic"], wanted["bic"]), abs=0.6e-3)
    frame = found.columns()
    np.testing.assert_allclose(frame["a"], wanted["slope"], atol=PRINTED)
    np.testing.assert_allclose(frame["a_se"], wanted["slope_se"], atol=PRINTED)
    np.testing.assert_allclose(frame["b1"], wanted["difficulty"], atol=PRINTED)
    np.testing.assert_allclose(frame["b1_se"], wanted["difficulty_se"], atol=PRINTED)
