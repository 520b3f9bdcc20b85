"""Agreement and option curves of weighted samples agree with R's survey and psych (weighted.R).

Closed formulas, to the ten digits of the file; survey's standard error takes one form off.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import mhscreen.psychometrics as mp

HERE = Path(__file__).parent
R = json.loads((HERE / "weighted.json").read_text("utf-8"))
EXACT = 1e-9


def own(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row.values())]
    columns = {heading: np.array([float(row[heading]) for row in rows]) for heading in rows[0]}
    return columns | {"w": 0.5 + np.arange(1, len(rows) + 1) * 7 % 5}


def test_weighted_consistency_of_three_ratings_is_that_of_weighted_covariances():
    found = mp.assess_agreement(own("ratings.csv"), weights="w")
    assert found["ICC(C,1)"] == pytest.approx(R["consistency"], abs=EXACT)
    np.testing.assert_allclose(found.mean, R["mean"], atol=EXACT)


@pytest.mark.parametrize("kind", ["none", "linear", "quadratic"])
def test_weighted_kappa_is_that_of_survey_and_psych(kind):
    ratings = own("ratings.csv")
    two = {name: np.clip(ratings[name] // 4, 0, 3) for name in ("first", "second")}
    found = mp.assess_kappa(two | {"w": ratings["w"]}, weights="w", kappa_weights=kind)
    name = "estimate" if kind == "none" else kind
    assert found.estimate == pytest.approx(R["kappa"][name], abs=EXACT)
    if kind == "none":
        assert found.se * np.sqrt(60 / 59) == pytest.approx(R["kappa"]["se"], rel=1e-6)


def test_those_who_chose_an_option_score_on_the_other_items_as_survey_says():
    curves = mp.trace_options(own("simulated.csv"), weights="w").of("q1")
    for option, rest in enumerate(R["options"]["rest"]):
        np.testing.assert_allclose(curves.option_rest[curves.option == option], rest, atol=EXACT)
