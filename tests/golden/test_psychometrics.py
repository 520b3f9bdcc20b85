"""Reliability, correlations, factors and models agree with R, on public and on simulated answers.

``psychometrics/reference.R`` made the figures. Closed formulas agree to 1e-9 (the file keeps ten
digits); what R searches for agrees to the precision at which R stops, named with each test.
"""

import csv
import json
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

import mhscreen.psychometrics as mp
from mhscreen.psychometrics import as_answers

HERE = Path(__file__).parent / "psychometrics"
REFERENCE = json.loads((HERE / "reference.json").read_text("utf-8"))
EXACT = 1e-9
SETS = list(REFERENCE["reliability"])
BIG_FIVE = [f"{trait}{n}" for trait in "ACENO" for n in range(1, 6)]
REVERSED = ["A1", "C4", "C5", "E1", "E2", "O2", "O5"]


def own(name):
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {heading: [float(row[heading] or "nan") for row in rows] for heading in rows[0]}


@pytest.fixture(scope="session")
def answers(data):
    """Take in one of the sets of answers that R was given."""

    def numbers(file, items):
        columns = data(file)
        return {item: [float(cell or "nan") for cell in columns[item]] for item in items}

    def take(name):
        if name == "simulated":
            return as_answers(own("simulated.csv"))
        if name == "holzinger":
            items = [f"x{n}" for n in range(1, 10)]
            return as_answers(numbers("holzinger_swineford/hs1939.csv", items))
        if name == "dass_depression":
            file = "dass42_openpsychometrics/dass42.csv"
            items = [heading for heading in data(file) if heading.endswith("_D")]
            return as_answers(numbers(file, items))
        big = as_answers(numbers("bfi_psych/bfi.csv", BIG_FIVE), reverse=REVERSED, between=(1, 6))
        return big if name == "bfi" else big.pick([f"N{n}" for n in range(1, 6)])

    return take


def near(tolerance):
    return {"abs": tolerance, "rel": 0}


def close(found, expected, tolerance):
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


def same_factors(found, expected, tolerance):
    """Whether loadings agree but for the order and the direction of the factors."""
    expected = np.array(expected)
    gaps = [
        max(
            min(np.abs(a - b).max(), np.abs(a + b).max())
            for a, b in zip(found.T, expected.T[list(order)], strict=True)
        )
        for order in permutations(range(found.shape[1]))
    ]
    assert min(gaps) < tolerance


@pytest.mark.parametrize("name", SETS)
def test_alpha_and_its_feldt_interval_are_those_of_psych(answers, name):
    expected = REFERENCE["reliability"][name]
    found = mp.estimate_alpha(answers(name))
    alpha = found["alpha"]
    close([alpha.estimate, alpha.low, alpha.high], [expected["alpha"], *expected["feldt"]], EXACT)
    assert found["alpha_standardised"].estimate == pytest.approx(
        expected["alpha_standardised"], **near(EXACT)
    )
    pairwise = mp.estimate_alpha(answers(name), missing="pairwise")
    close(
        [pairwise["alpha"].estimate, pairwise["alpha_standardised"].estimate],
        [expected["alpha_pairwise"], expected["alpha_standardised_pairwise"]],
        EXACT,
    )


@pytest.mark.parametrize("name", SETS)
def test_item_statistics_are_those_of_psych(answers, name):
    expected = REFERENCE["reliability"][name]
    found = mp.analyse_items(answers(name))
    for ours, theirs in (
        ("alpha_without", "alpha_without"),
        ("item_rest", "item_rest"),
        ("mean", "mean"),
        ("sd", "sd"),
        ("answered", "answered"),
    ):
        close(getattr(found, ours), expected[theirs], EXACT)


@pytest.mark.parametrize("name", SETS)
def test_omega_of_one_factor_is_that_of_lavaan(answers, name):
    """lavaan stops at a gradient of 1e-6."""
    expected = REFERENCE["reliability"][name]["omega"]
    assert mp.estimate_omega(answers(name))["omega"].estimate == pytest.approx(
        expected, **near(2e-6)
    )


@pytest.mark.parametrize("name", [n for n in SETS if "omega_total" in REFERENCE["reliability"][n]])
def test_omega_total_and_hierarchical_are_those_of_psych(answers, name):
    """psych's own rotation stops at 1e-5, which moves the hierarchical omega by up to 1e-3.

    At the bound of a uniqueness psych's loss, without the diagonal, and ours part by as much; we
    say that the solution is improper.
    """
    expected = REFERENCE["reliability"][name]
    found = mp.estimate_omega(answers(name))
    improper = any(problem.code == "MH713" for problem in found.problems)
    assert improper == (name == "dass_depression")
    total, hierarchical = (found[n].estimate for n in ("omega_total", "omega_hierarchical"))
    assert total == pytest.approx(expected["omega_total"], **near(1e-5))
    tolerance = near(1e-3 if improper else 1e-5)
    assert hierarchical == pytest.approx(expected["omega_hierarchical"], **tolerance)
    assert hierarchical == pytest.approx(expected["omega_hierarchical_psych"], **near(1e-3))
    layers = mp.find_general_factor(answers(name))
    theirs = expected["schmid_leiman"]
    close(np.abs(layers.general), np.abs(theirs["general"]), 1e-3 if improper else 2e-5)
    close(layers.uniqueness, theirs["uniqueness"], 2e-5)


@pytest.mark.parametrize("name", [n for n in SETS if "splits" in REFERENCE["reliability"][n]])
def test_all_splits_into_halves_are_those_of_psych(answers, name):
    expected = REFERENCE["reliability"][name]["splits"]
    taken = answers(name)
    taken = taken.only(taken.complete())  # psych is handed an even number of items of these forms
    even = taken.pick(taken.items[: len(taken.items) // 2 * 2])
    found = mp.split_halves(even)
    for part in ("mean", "least", "most"):
        assert found[f"split_{part}"].estimate == pytest.approx(expected[part], **near(EXACT))
    lambda_2 = mp.bound_reliability(even)["lambda_2"].estimate
    assert lambda_2 == pytest.approx(expected["lambda_2"], **near(EXACT))


def test_intraclass_correlations_and_their_intervals_are_those_of_psych():
    expected = REFERENCE["agreement"]["icc"]
    found = mp.assess_agreement(own("ratings.csv"))
    for ours in ("estimate", "low", "high"):
        close(getattr(found, ours), expected[ours], EXACT)


@pytest.mark.parametrize("kappa_weights", ["none", "linear", "quadratic"])
def test_kappa_is_that_of_psych(kappa_weights):
    expected = REFERENCE["agreement"]["kappa"]
    ratings = own("ratings.csv")
    two = {name: np.clip(np.array(ratings[name]) // 4, 0, 3) for name in ("first", "second")}
    found = mp.assess_kappa(two, kappa_weights=kappa_weights)
    assert found.estimate == pytest.approx(expected[kappa_weights], **near(EXACT))
    if kappa_weights == "none":
        assert found.se**2 == pytest.approx(expected["variance_none"], **near(EXACT))


@pytest.mark.parametrize("name", list(REFERENCE["polychoric"]))
def test_polychoric_correlations_are_those_of_lavaan_and_psych(answers, name):
    """psych searches to 1e-4, lavaan to a gradient of 1e-6; thresholds are closed formulas."""
    expected = REFERENCE["polychoric"][name]
    found = mp.correlate_ordered(answers(name))
    close(found.correlation, expected["rho"], 1e-4)
    close(found.correlation, expected["lavaan"], 1e-6)
    close(np.array(found.thresholds), expected["tau"], EXACT)


@pytest.mark.parametrize("name", list(REFERENCE["polychoric"]))
def test_standard_errors_of_polychoric_correlations_are_those_of_resampled_forms(answers, name):
    """400 resamples in R know a standard error to 3.5 %: three of these, and the same of bias."""
    expected = REFERENCE["polychoric"][name]["resampled_se"]
    found = mp.correlate_ordered(answers(name))
    np.testing.assert_allclose(found.se[0, 1:4], expected, rtol=0.14)


@pytest.mark.parametrize("name", list(REFERENCE["factors"]))
def test_adequacy_and_eigenvalues_are_those_of_psych(answers, name):
    expected = REFERENCE["factors"][name]
    found = mp.assess_adequacy(answers(name))
    assert found.kmo == pytest.approx(expected["kmo"], **near(EXACT))
    close(found.kmo_items, expected["kmo_items"], EXACT)
    chi2, df, p = expected["bartlett"]
    assert found.chi2 == pytest.approx(chi2, rel=EXACT)
    assert (found.df, found.p) == (df, pytest.approx(p, **near(EXACT)))
    observed = mp.count_factors(answers(name), seed=1, replicates=10).observed
    close(observed, expected["eigenvalues"], EXACT)


@pytest.mark.parametrize("name", list(REFERENCE["factors"]))
def test_extracted_factors_are_those_of_psych_and_factanal(answers, name):
    """Both stop where the loss moves by some 1e-8, which is 1e-5 of a loading."""
    expected = REFERENCE["factors"][name]
    minres = mp.explore_factors(answers(name), expected["factors"], rotation="none")
    same_factors(minres.loadings, expected["minres"], 5e-5)
    close([minres.rmsr, minres.rmsea], [expected["rmsr"], expected["rmsea"]], 1e-6)
    assert minres.tli == pytest.approx(expected["tli"], **near(5e-4))
    assert (minres.chi2, minres.df) == (
        pytest.approx(expected["chisq"], rel=1e-4),
        expected["dof"],
    )
    ml = mp.explore_factors(answers(name), expected["factors"], rotation="none", method="ml")
    close(ml.uniqueness, expected["ml_uniqueness"], 5e-5)
    assert ml.chi2 == pytest.approx(expected["ml_chisq"], rel=1e-6)


@pytest.mark.parametrize("name", list(REFERENCE["factors"]))
@pytest.mark.parametrize("rotation", ["oblimin", "geomin", "varimax", "promax"])
def test_rotated_factors_are_those_of_r(answers, name, rotation):
    reference = REFERENCE["factors"][name]
    expected = reference[rotation]
    found = mp.explore_factors(answers(name), reference["factors"], rotation=rotation)
    oblique = isinstance(expected, dict)
    same_factors(found.loadings, expected["loadings"] if oblique else expected, 5e-5)
    if oblique:
        close(np.sort(np.abs(found.phi).ravel()), np.sort(np.abs(expected["phi"]).ravel()), 5e-5)


@pytest.mark.parametrize("name", list(REFERENCE["factors"]))
def test_factor_analyzer_finds_the_same_factors(answers, name):
    """It normalises its varimax otherwise and stops it early; oblimin agrees to 1e-4."""
    pytest.importorskip("factor_analyzer")
    factors = REFERENCE["factors"][name]["factors"]
    for rotation, tolerance in (("none", 1e-4), ("oblimin", 1e-4), ("varimax", 5e-3)):
        found, theirs = (
            mp.explore_factors(answers(name), factors, rotation=rotation, engine=engine)
            for engine in ("own", "factor_analyzer")
        )
        same_factors(found.loadings, theirs.loadings, tolerance)
        close(found.uniqueness, theirs.uniqueness, 1e-5)
        close(np.sort(found.phi.ravel()), np.sort(theirs.phi.ravel()), 2 * tolerance)


FIT = {
    "chi2": "chisq", "df": "df", "p": "pvalue", "cfi": "cfi", "tli": "tli", "rmsea": "rmsea",
    "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper", "srmr": "srmr",
    "loglik": "logl", "aic": "aic", "bic": "bic", "parameters": "npar",
}  # fmt: skip


def same_fit(found, expected):
    for ours, theirs in FIT.items():
        assert getattr(found, ours) == pytest.approx(expected[theirs], abs=1e-6, rel=1e-8), ours


@pytest.mark.parametrize("name", list(REFERENCE["confirm"]))
def test_a_confirmatory_model_is_that_of_lavaan(answers, name):
    """Fit, estimates and errors; lavaan stops at a slope of 1e-6, which is 1e-5 of a loading."""
    expected = REFERENCE["confirm"][name]
    source = {"one_factor": "dass_depression"}.get(name, name)
    found = mp.confirm_factors(answers(source), expected["keys"])
    same_fit(found.fit, expected["fit"])
    assert found.fit.scaling == pytest.approx(expected["scaling"], rel=1e-5)
    theirs = expected["parameters"]
    places = [place for place, op in enumerate(theirs["op"]) if op == "=~"]
    loadings = [one for one in found.estimates if one.kind == "loading"]
    for ours, key in (("value", "est"), ("se", "se"), ("standardised", "std")):
        close([getattr(one, ours) for one in loadings], [theirs[key][p] for p in places], 2e-5)


@pytest.mark.parametrize("name", list(REFERENCE["invariance"]))
def test_invariance_over_groups_is_that_of_lavaan(data, name):
    """Holzinger and Swineford's chi-squares are also those of the published tutorial."""
    expected = REFERENCE["invariance"][name]
    file, group = {
        "holzinger": ("holzinger_swineford/hs1939.csv", "school"),
        "dass_by_gender": ("dass42_openpsychometrics/dass42.csv", "gender"),
    }[name]
    columns = data(file)
    items = [item for members in expected["keys"].values() for item in members]
    kept = [place for place, label in enumerate(columns[group]) if label in expected["groups"]]
    frame = {item: [float(columns[item][place]) for place in kept] for item in items}
    labels = [columns[group][place] for place in kept]
    found = mp.assess_invariance(
        frame, expected["keys"], labels, levels=mp.LEVELS, reference=expected["groups"][0]
    )
    for level, model in found.models.items():
        same_fit(model.fit, expected["fits"][level])
        assert model.fit.scaling == pytest.approx(expected["scaling"][level], rel=1e-5)
    theirs = expected["scalar"]
    for kind, op, names in (
        ("loading", "=~", expected["keys"]),
        ("intercept", "~1", items),
        ("factor_mean", "~1", expected["keys"]),
    ):
        places = [p for p, o in enumerate(theirs["op"]) if o == op and theirs["lhs"][p] in names]
        ours = [one for one in found.models["scalar"].estimates if one.kind == kind]
        close([one.value for one in ours], [theirs["est"][p] for p in places], 2e-5)
        errors = [0 if np.isnan(one.se) else one.se for one in ours]
        close(errors, [theirs["se"][p] for p in places], 2e-5)
    if name == "holzinger":
        published = [115.851, 124.044, 164.103]
        assert [round(one.fit.chi2, 3) for one in found.models.values()][:3] == published
