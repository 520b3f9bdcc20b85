"""Every analysis against every kind of bad input: each has a named problem, none a stray error.

A row says what a copied item, a constant one and so on is called by each analysis. In angle
brackets stands what the analysis can bear and says beside its figures.
"""

import numpy as np
import pandas as pd
import pytest

import mhscreen.psychometrics as mp
from mhscreen.problems import AnalysisError
from mhscreen.psychometrics.norms import rake_weights

ITEMS = [f"q{n}" for n in range(1, 9)]
KEYS = {"first": ITEMS[:4], "second": ITEMS[4:]}


def answers():
    rng = np.random.default_rng(1)
    trait = rng.normal(size=(2, 400)) + 0.7 * rng.normal(size=400)
    values = np.repeat(trait, 4, axis=0).T + 0.8 * rng.normal(size=(400, 8))
    frame = pd.DataFrame(np.clip(np.round(1.5 + 0.8 * values), 0, 3).astype(int), columns=ITEMS)
    return frame.assign(sex=np.where(np.arange(400) % 2, "f", "m"))


GOOD = answers()
BAD = {
    "constant": lambda: GOOD.assign(q3=1),
    "gap": lambda: GOOD.assign(q3=GOOD["q3"].replace({1: 0})),
    "copy": lambda: GOOD.assign(q3=GOOD["q4"]),
    "turned copy": lambda: GOOD.assign(q3=3 - GOOD["q4"]),
    "few": lambda: GOOD.iloc[:6],
    "none": lambda: GOOD.iloc[:0],
    "sum of others": lambda: GOOD.assign(q8=GOOD["q1"] + GOOD["q2"]),
    "blank item": lambda: GOOD.assign(q3=np.nan),
    "one group": lambda: GOOD.assign(sex="f"),
    "tiny group": lambda: GOOD.assign(sex=np.where(np.arange(400) < 5, "f", "m")),
}


def of_items(analysis, **options):
    return lambda frame: analysis(frame[ITEMS], **options)


ANALYSES = {
    "alpha": of_items(mp.estimate_alpha),
    "alpha, resampled": of_items(mp.estimate_alpha, interval="bootstrap", seed=1),
    "alpha, distribution-free": of_items(mp.estimate_alpha, interval="distribution_free"),
    "omega": of_items(mp.estimate_omega),
    "reliability": of_items(mp.assess_reliability),
    "greatest lower bound": of_items(mp.bound_reliability),
    "splits": of_items(mp.split_halves),
    "items": of_items(mp.analyse_items),
    "options": of_items(mp.trace_options),
    "adequacy": of_items(mp.assess_adequacy),
    "parallel analysis": of_items(mp.count_factors, seed=1),
    "factors": of_items(mp.explore_factors, factors=2),
    "factors, likelihood": of_items(mp.explore_factors, factors=2, method="ml"),
    "factors, ordered": of_items(mp.explore_factors, factors=2, correlation="polychoric"),
    "general factor": of_items(mp.find_general_factor, factors=3),
    "polychoric": of_items(mp.correlate_ordered),
    "model": lambda frame: mp.confirm_factors(frame, KEYS),
    "model, ordered": lambda frame: mp.confirm_factors(frame, KEYS, estimator="wlsmv"),
    "invariance": lambda frame: mp.assess_invariance(frame, KEYS, "sex"),
    "invariance, ordered": lambda frame: mp.assess_invariance(
        frame, KEYS, "sex", estimator="wlsmv"
    ),
    "graded": of_items(mp.calibrate, errors="none"),
    "partial credit": of_items(mp.calibrate, model="partial_credit", errors="none"),
    "graded, groups": lambda frame: mp.calibrate(frame, group="sex", errors="none"),
    "Mantel": lambda frame: mp.find_dif_mantel(frame, "sex"),
    "logistic": lambda frame: mp.find_dif_logistic(frame, "sex"),
    "likelihood ratio": lambda frame: mp.find_dif_irt(frame, "sex"),
    "agreement": lambda frame: mp.assess_agreement(frame[["q3", "q4"]]),
    "kappa": lambda frame: mp.assess_kappa(frame[["q3", "q4"]]),
}
GROUPED = {
    "invariance", "invariance, ordered", "graded, groups", "Mantel", "logistic", "likelihood ratio"
}  # fmt: skip
OF_PAIRS = {"agreement", "kappa"}
COUNTS_OPTIONS = {
    "items", "options", "factors, ordered", "polychoric", "model, ordered", "invariance, ordered",
    "graded", "partial credit", "graded, groups", "Mantel", "logistic", "likelihood ratio",
}  # fmt: skip
BEARS_COPIES = {
    "alpha", "alpha, resampled", "alpha, distribution-free", "splits", "items", "options",
    "Mantel", "logistic",
}  # fmt: skip
INVERTS = {
    "omega", "reliability", "greatest lower bound", "adequacy", "factors", "factors, likelihood",
    "general factor", "model", "invariance",
}  # fmt: skip


def codes(analysis, frame):
    """Return what is raised, or what stands beside figures, in angle brackets."""
    try:
        found = analysis(frame)
    except AnalysisError as error:
        return {one.code if one.hint or one.expected else "no word on what to do"
                for one in error.problems}  # fmt: skip
    return {f"<{one.code}>" for one in found.problems}


FOUND_ON_THE_WAY = {"MH703", "MH706", "MH709", "MH713"}
"""A matrix without an inverse, a search without an end, and what was said before it."""


def wanted(name, bad):  # noqa: C901, PLR0911 - a table in words
    """Return a code that must be among those named; None where the input is no fault there."""
    if bad == "constant":
        return "MH702"
    if bad == "gap":
        return "<MH703>" if name in COUNTS_OPTIONS else None
    if bad in {"copy", "turned copy"}:
        if name in OF_PAIRS:
            return "MH702" if (name, bad) == ("agreement", "turned copy") else None
        if name in {"polychoric", "factors, ordered"}:
            return "<MH713>"
        return "<MH716>" if name in BEARS_COPIES else "MH704"
    if bad == "few":
        return None if name in OF_PAIRS else "MH730" if name == "invariance, ordered" else "MH705"
    if bad == "none":
        return "MH707" if name in GROUPED else "MH702" if name == "model, ordered" else "MH705"
    if bad == "sum of others":
        return "MH706" if name in INVERTS else None
    if bad == "blank item":
        return {"MH702", "MH705"}
    if name not in GROUPED:
        return None
    if bad == "one group":
        return "MH707"
    return "MH730" if name == "invariance, ordered" else "MH705"


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ANALYSES)
def test_bad_input_has_a_named_problem(name, bad):
    found = codes(ANALYSES[name], BAD[bad]())
    expected = wanted(name, bad)
    if expected is None:
        assert all(code.startswith("<") or code in FOUND_ON_THE_WAY for code in found)
    elif isinstance(expected, set):
        assert found & expected
    else:
        assert expected in found


@pytest.mark.parametrize("name", ANALYSES)
def test_good_input_has_no_problem_but_what_small_samples_bring(name):
    assert codes(ANALYSES[name], GOOD) <= {"<MH714>"}


def test_weights_that_cannot_be_raked_are_named_with_what_to_do():
    with pytest.raises(AnalysisError) as caught:
        rake_weights({"sex": ["f", "f"]}, {"sex": {"f": 1, "m": 1}})
    (problem,) = caught.value.problems
    assert problem.code == "MH708"
    assert problem.hint == "merge the group with a neighbour in sample and population"


def test_margins_that_contradict_each_other_give_no_weights():
    groups = {"sex": ["f", "m", "f", "m"], "grade": [7, 8, 7, 8]}
    with pytest.raises(AnalysisError) as caught:
        rake_weights(groups, {"sex": {"f": 0.5, "m": 0.5}, "grade": {7: 0.2, 8: 0.8}})
    assert [problem.code for problem in caught.value.problems] == ["MH709"]
