"""Change against the package clinicalsignificance, nlme and glm; `change.R` made the numbers.

Tolerances: formulas, 1e-9; the mixed model, a thousandth of each figure (two optimisers); the
logistic regression, 1e-6.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mhscreen.psychometrics.change import (
    ChangeForm,
    Wave,
    assess_change,
    basis_of_sample,
    cut_between,
)
from mhscreen.psychometrics.growth import follow_waves
from mhscreen.psychometrics.important_difference import Anchor, find_important_difference

R = json.loads((Path(__file__).parent / "change.json").read_text("utf-8"))
FORMS = ChangeForm.__args__


def wave(table, by, label, score, subject="id"):
    here = [n for n, one in enumerate(table[by]) if one == label]
    scores = [np.nan if table[score][n] is None else float(table[score][n]) for n in here]
    return Wave(label, [int(table[subject][n]) for n in here], scores, f"{score}@1.0.0", "total",
                "self", "one week")  # fmt: skip


@pytest.fixture(scope="module")
def claus(data):
    return data("change_clinicalsignificance/claus_2020.csv")


@pytest.fixture(scope="module")
def hamd(claus):
    return [wave(claus, "time", label, "hamd") for label in "1234"]


@pytest.fixture(scope="module")
def das(data):
    table = data("change_clinicalsignificance/jacobson_1989.csv")
    return [wave(table, "time", label, "das", "subject") for label in ("pre", "post")]


def changed(pair, form, reliability, **rest):
    basis = basis_of_sample(*pair, reliability=reliability, coefficient="stated", source="as in R")
    return assess_change(*pair, basis, form=form, **rest)


@pytest.mark.parametrize("form", FORMS)
def test_lower_scores_for_the_better_are_judged_as_by_the_package(hamd, form):
    found = changed([hamd[0], hamd[3]], form, 0.8)
    order = np.argsort(found.subject.astype(int))
    expected = R["hamd"][form]
    assert found.index[order] == pytest.approx(expected["index"], abs=1e-9)
    assert found.counts()["better"] == expected["improved"]
    assert found.counts()["worse"] == expected["deteriorated"]


@pytest.mark.parametrize("form", FORMS)
def test_higher_scores_for_the_better_are_judged_as_by_the_package(das, form):
    found = changed(das, form, 0.88, higher_is="better")
    order = np.argsort(found.subject.astype(int))
    expected = R["das"][form]
    assert found.index[order] == pytest.approx(expected["index"], abs=1e-9)
    assert found.counts()["better"] == expected["improved"]
    assert found.counts()["worse"] == expected["deteriorated"]


@pytest.mark.parametrize(
    "form, passed, better, worse",
    [("jacobson_truax", 26, 29, 1), ("gulliksen_lord_novick", 26, 29, 1),
     ("edwards_nunnally", 26, 32, 3), ("nunnally_kotsch", 26, 28, 1),
     ("hsu_linn_lord", 12, 12, 12)],
)  # fmt: skip
def test_the_published_counts_of_the_antidepressant_trial_come_out(
    hamd, form, passed, better, worse
):
    # The package's own tests: HAM-D, reliability 0.8 (afterwards 0.5 for Nunnally and Kotsch),
    # criterion c against a group of 8 and 8. It counts whoever crossed apart from the others.
    first = np.asarray(hamd[0].score)
    kept = [n for n, one in zip(hamd[0].subject, first, strict=True) if one == one]  # noqa: PLR0124
    stays = set(kept) & {
        n
        for n, one in zip(hamd[3].subject, hamd[3].score, strict=True)
        if one == one  # noqa: PLR0124
    }
    scores = np.array([s for n, s in zip(hamd[0].subject, first, strict=True) if n in stays])
    cut = cut_between(concerned=(scores.mean(), scores.std(ddof=1)), reference=(8, 8))
    pair = [hamd[0], hamd[3]]
    basis = basis_of_sample(*pair, reliability=0.8, coefficient="stated", source="as in R")
    found = assess_change(*pair, replace(basis, reliability_after=0.5), form=form, cut=cut)
    crossed = (found.outcome == "better") & found.beyond_before & ~found.beyond_after
    assert found.counts()["better"] == better
    assert found.counts()["worse"] == worse
    assert int(crossed.sum()) == passed


def test_lines_over_four_waves_are_those_of_nlme(hamd):
    found = follow_waves(hamd, [-1.5, -0.5, 0.5, 1.5])
    expected = R["growth"]
    names = ("level", "slope", "level_se", "slope_se", "level_sd", "slope_sd", "error_sd")
    for name in names:
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-3)
    assert found.correlation == pytest.approx(expected["correlation"], abs=2e-3)
    own = dict(zip(found.subject.tolist(), found.own_slope, strict=True))
    slopes = [own[one] for one in expected["ids"]]
    assert slopes == pytest.approx(expected["own_slope"], abs=3e-3)


def test_anchored_differences_are_those_of_a_logistic_regression_in_r(hamd):
    expected = R["anchor"]
    rating = dict(zip(expected["ids"], expected["rating"], strict=True))
    pair = [hamd[0], hamd[3]]
    basis = basis_of_sample(*pair, reliability=0.8, coefficient="stated", source="as in R")
    found = find_important_difference(*pair, basis, anchor=Anchor("BDI-II", rating))
    value = dict(zip(found.method, found.value, strict=True))
    assert value["predictive"] == pytest.approx(expected["predictive"], abs=1e-6)
    assert value["predictive, adjusted"] == pytest.approx(expected["adjusted"], abs=1e-6)
    mean = value["mean change of the minimally better"]
    assert mean == pytest.approx(expected["mean_change"], abs=1e-9)
    less = value["the same, less that of the unchanged"]
    assert less == pytest.approx(expected["less_unchanged"], abs=1e-9)
