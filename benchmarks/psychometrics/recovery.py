"""Study whether estimates find the truth, and intervals hold it as often as they say.

    python benchmarks/psychometrics/recovery.py [replications]

Answers are made from known values, analysed, and compared. Prints in some three minutes the table
in ``results/recovery.md``, from which docs/explanation/how-far-to-trust-the-figures.md is written.
"""

from __future__ import annotations

import sys

import numpy as np

import mhscreen.psychometrics as mp

REPLICATIONS, FORMS = 400, 300
LOADING = np.array([0.8, 0.7, 0.6, 0.5, 0.7, 0.6])
EVEN, SKEWED = np.array([-1.0, 0.0, 1.0]), np.array([0.5, 1.2, 1.9])
KEYS = {"a": ["item_1", "item_2", "item_3"], "b": ["item_4", "item_5", "item_6"]}
CORRELATION = 0.5


def latent(rng: np.random.Generator, forms: int = FORMS) -> np.ndarray:
    """Return normal answers of two correlated factors."""
    factors = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], forms)
    common = factors[:, [0, 0, 0, 1, 1, 1]] * LOADING
    return common + rng.normal(size=common.shape) * np.sqrt(1 - LOADING**2)


def one_factor(rng: np.random.Generator, cuts: np.ndarray, forms: int = FORMS) -> np.ndarray:
    """Return ordered answers of one factor."""
    common = rng.normal(size=(forms, 1)) * LOADING
    return np.digitize(common + rng.normal(size=common.shape) * np.sqrt(1 - LOADING**2), cuts)


def holds(low: float, high: float, true: float) -> bool:
    """Say whether an interval holds the truth."""
    return low <= true <= high


def row(name: str, true: float, estimates: list[float], held: list[bool]) -> str:
    """Return one row of the table."""
    share = f"{np.mean(held):.1%}" if held else ""
    error = f"{np.mean(estimates) - true:+.4f}" if estimates else ""
    truth = f"{true:.3f}" if estimates else ""
    return f"| {name} | {truth} | {error} | {share} |"


def alphas(rng: np.random.Generator, replications: int) -> list[str]:
    """Coverage of the three intervals of alpha, for even and for skewed answers."""
    rows = []
    for words, cuts in (("even", EVEN), ("skewed", SKEWED)):
        true = mp.estimate_alpha(one_factor(rng, cuts, 2_000_000), interval="none")[
            "alpha"
        ].estimate
        samples = [one_factor(rng, cuts) for _ in range(replications)]
        for interval in ("feldt", "distribution_free", "bootstrap"):
            found = [
                mp.estimate_alpha(one, interval=interval, seed=number)["alpha"]
                for number, one in enumerate(samples)
            ]
            rows.append(
                row(
                    f"alpha, {words} answers, {interval} interval",
                    true,
                    [one.estimate for one in found],
                    [holds(one.low, one.high, true) for one in found],
                )
            )
    return rows


def bounds(rng: np.random.Generator, replications: int) -> list[str]:
    """How far the bounds are too high: against the reliability of parallel parts."""
    covariance = np.outer(LOADING, LOADING) + np.diag(1 - LOADING**2)
    true = LOADING.sum() ** 2 / covariance.sum()
    rows = []
    for forms in (100, 300, 1000):
        samples = [
            rng.normal(size=(forms, 1)) * LOADING
            + rng.normal(size=(forms, 6)) * np.sqrt(1 - LOADING**2)
            for _ in range(replications)
        ]
        figures = {
            "omega": lambda one: mp.estimate_omega(one, factors=0)["omega"].estimate,
            "greatest lower bound": lambda one: (
                mp.bound_reliability(one)["greatest_lower_bound"].estimate
            ),
            "best split": lambda one: mp.split_halves(one)["split_most"].estimate,
        }
        rows += [
            row(f"{name}, {forms} forms", true, [figure(one) for one in samples], [])
            for name, figure in figures.items()
        ]
    return rows


def ordered(rng: np.random.Generator, replications: int) -> list[str]:
    """Polychoric correlations and their standard errors."""
    rows = []
    for words, cuts in (("even", EVEN), ("skewed", SKEWED)):
        true = float(LOADING[0] * LOADING[1])
        found = [mp.correlate_ordered(one_factor(rng, cuts)) for _ in range(replications)]
        values = [float(one.correlation[0, 1]) for one in found]
        errors = [float(one.se[0, 1]) for one in found]
        held = [abs(v - true) < 1.96 * se for v, se in zip(values, errors, strict=True)]
        rows.append(row(f"polychoric correlation, {words} answers", true, values, held))
    return rows


def models(rng: np.random.Generator, replications: int) -> list[str]:
    """Confirmatory models: loadings, the correlation of factors, and the tests' false alarms."""
    found = [mp.confirm_factors(latent(rng), KEYS) for _ in range(replications)]
    rows = []
    for place, (kind, true) in enumerate(
        [("loading", LOADING[0]), ("factor_covariance", CORRELATION)]
    ):
        every = [next(e for e in one.estimates if e.kind == kind) for one in found]
        held = [abs(one.value - true) < 1.96 * one.se for one in every]
        name = ("first loading", "correlation of the factors")[place]
        rows.append(row(f"confirmatory model, {name}", true, [one.value for one in every], held))
    rows.append(row("its test does not reject at 5 %", 0, [], [one.fit.p > 0.05 for one in found]))
    tails = [np.sqrt(5 / rng.chisquare(5, (FORMS, 1))) for _ in range(replications)]
    heavy = [mp.confirm_factors(latent(rng) * tail, KEYS) for tail in tails]
    rows.append(row("the same, long tails", 0, [], [one.fit.p > 0.05 for one in heavy]))
    rows.append(
        row("the scaled test, long tails", 0, [], [one.fit.p_scaled > 0.05 for one in heavy])
    )
    return rows


def ordered_models(rng: np.random.Generator, replications: int) -> list[str]:
    """Confirmatory models of ordered answers: the same figures, from skewed options."""
    rows = []
    samples = [np.digitize(latent(rng), SKEWED) for _ in range(replications)]
    found = [mp.confirm_factors(one, KEYS, estimator="wlsmv") for one in samples]
    plain = [mp.confirm_factors(one, KEYS) for one in samples]
    for name, fits in (("skewed options as ordered", found), ("as measurements", plain)):
        first = [next(e for e in one.estimates if e.kind == "loading") for one in fits]
        values = [one.standardised for one in first]
        held = [abs(e.value - LOADING[0]) < 1.96 * e.se for e in first] if fits is found else []
        rows.append(row(f"{name}, first standardised loading", LOADING[0], values, held))
    every = [next(e for e in one.estimates if e.kind == "factor_covariance") for one in found]
    held = [abs(e.value - CORRELATION) < 1.96 * e.se for e in every]
    values = [one.value for one in every]
    rows.append(row("ordered, correlation of the factors", CORRELATION, values, held))
    kept = [one.fit.p_scaled > 0.05 for one in found]
    rows.append(row("its adjusted test does not reject at 5 %", 0, [], kept))
    return rows


def weighted_models(rng: np.random.Generator, replications: int) -> list[str]:
    """Weight samples back to their population: robust errors, and those without."""
    errors: dict[str, list[bool]] = {"robust": [], "as if all counted alike": []}
    values: list[float] = []
    tests: list[bool] = []
    for _ in range(replications):
        weights = np.where(rng.random(FORMS) < 0.3, 3.0, 0.4)
        answers = latent(rng)
        found = mp.confirm_factors(answers, KEYS, weights=weights)
        first = next(e for e in found.estimates if e.kind == "loading")
        plain = next(e for e in mp.confirm_factors(answers, KEYS).estimates if e.kind == "loading")
        values.append(first.value)
        off = abs(first.value - LOADING[0])
        errors["robust"].append(off < 1.96 * first.se)
        errors["as if all counted alike"].append(off < 1.96 * plain.se)
        tests.append(found.fit.p_scaled > 0.05)
    rows = [
        row(f"weighted, first loading, errors {name}", LOADING[0], values, held)
        for name, held in errors.items()
    ]
    rows.append(row("weighted, the scaled test does not reject at 5 %", 0, [], tests))
    return rows


def numbers(rng: np.random.Generator, replications: int) -> list[str]:
    """How often parallel analysis finds the two factors that are there."""
    found = [mp.count_factors(latent(rng), seed=n).suggested == 2 for n in range(replications)]
    return [row("parallel analysis finds the two factors", 0, [], found)]


def main() -> None:
    """Print the table."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS
    print(
        "| figure | true value | mean error | interval holds it, or as named |\n"
        "| --- | --- | --- | --- |"
    )
    for study in (alphas, bounds, ordered, models, ordered_models, weighted_models, numbers):
        for line in study(np.random.default_rng(20261126), replications):
            print(line, flush=True)


if __name__ == "__main__":
    main()
