"""Item response models agree with R's ltm, run by ltm.R on simulated and on its own public answers.

ltm and `calibrate` maximise the same likelihood, each with its own rule for the integral and its
own stopping, which is what the tolerances are for: of a slope of about 1.2 a thousandth.
"""

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics import irt

HERE = Path(__file__).parent
LTM = json.loads((HERE / "ltm.json").read_text("utf-8"))
LIKELIHOOD = 2e-3  # of a log-likelihood of thousands; ours is never lower by more
PARAMETERS = 2e-3
ERRORS = 2e-3
SCORES = 1e-3


@cache
def simulated():
    with (HERE / "rasch.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {item: np.array([int(row[item]) for row in rows]) for item in rows[0]}


def of(kind):
    return {item: cells for item, cells in simulated().items() if item.startswith(kind)}


def public(data, file, items=None):
    columns = data(f"ltm_science_lsat/{file}.csv")
    return {item: [float(cell) for cell in columns[item]] for item in items or columns}


def assert_same(found, wanted):
    """Whether likelihood, slopes, thresholds (and errors, where ltm has them) are ltm's."""
    assert found.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=LIKELIHOOD)
    items = found.parameters[0]
    np.testing.assert_allclose(items.slopes, wanted["a"], atol=PARAMETERS)
    thresholds = np.concatenate(items.thresholds)
    np.testing.assert_allclose(thresholds, np.hstack(wanted["b"]), atol=PARAMETERS)
    if "a_se" in wanted:
        columns = found.columns()
        np.testing.assert_allclose(columns["a_se"], wanted["a_se"], atol=ERRORS)
        np.testing.assert_allclose(columns["b1_se"], wanted["b_se"], atol=ERRORS)


def assert_same_scores(found, patterns, wanted):
    scores = irt.score_trait(np.array(patterns, dtype=np.int8), found.parameters[0])
    np.testing.assert_allclose(scores.theta, wanted["eap"], atol=SCORES)
    np.testing.assert_allclose(scores.se, wanted["eap_se"], atol=SCORES)


@pytest.mark.parametrize("name, equal", [("two", False), ("rasch", True)])
def test_two_options_are_as_in_ltm_scores_and_errors_included(name, equal):
    found = irt.calibrate(of("two"), model="2pl", equal_slopes=equal)
    assert_same(found, LTM[name])
    assert_same_scores(found, LTM["patterns"], LTM[name])


@pytest.mark.parametrize(
    "name, model, equal",
    [
        ("graded", "graded", False),
        ("graded_equal", "graded", True),
        ("partial", "partial_credit", False),
        ("partial_equal", "partial_credit", True),
    ],
)
def test_four_options_are_as_in_ltm(name, model, equal):
    assert_same(irt.calibrate(of("four"), model=model, equal_slopes=equal), LTM[name])


def test_the_two_parameter_model_of_a_published_test_is_that_of_ltm(data):
    found = irt.calibrate(public(data, "lsat"), model="2pl")
    assert_same(found, LTM["lsat"])
    assert_same_scores(found, LTM["lsat_patterns"], LTM["lsat"])


def test_the_graded_model_of_a_published_survey_is_that_of_ltm(data):
    items = ["Comfort", "Work", "Future", "Benefit"]
    assert_same(irt.calibrate(public(data, "science", items), model="graded"), LTM["science"])
