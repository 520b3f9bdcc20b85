"""How often intervals hold the truth, and how near estimates come: simulation studies.

``python benchmarks/psychometrics/coverage.py [samples]`` prints in some two minutes the tables in
``results/coverage.md``, from which ``docs/reference/coverage-of-intervals.md`` is written. Every
study makes samples from a known truth; the seeds are fixed. With 1000 samples a coverage of 0.95
is known to about 0.014 either way.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit
from scipy.stats import betabinom, binom

from mhscreen.psychometrics.accuracy import Criterion, assess_accuracy
from mhscreen.psychometrics.change import Wave, assess_change, basis_of_sample
from mhscreen.psychometrics.classification import classify_by_reliability
from mhscreen.psychometrics.cut_scores import choose_cut
from mhscreen.psychometrics.growth import follow_waves
from mhscreen.psychometrics.norms import Formula, ScoreRange, count_cells, fit_norm, mid_ranks
from mhscreen.psychometrics.norms.continuous import covariance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Row = tuple[str, str, str]

BLIND = Criterion("a simulated condition", knew_score=False)
RATE, CASE, OTHER, TOP, CUT = 0.15, 0.35, 0.2, 27, 8
SCORES = np.arange(TOP + 1)
POINTS = (0.05, 0.5, 0.95)


def district(pupils: int, rng: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return scores and who has the condition."""
    case = rng.random(pupils) < RATE
    return rng.binomial(TOP, np.where(case, CASE, OTHER)).astype(float), case


def true_area() -> float:
    """Return the area under the curve of the district."""
    of_cases, of_others = binom.pmf(SCORES, TOP, CASE), binom.pmf(SCORES, TOP, OTHER)
    return float((of_cases * (np.cumsum(of_others) - of_others / 2)).sum())


def covered(held: list[Any]) -> str:
    """Return a coverage."""
    return f"{np.mean(held):.3f}"


def held(low: float, truth: float, high: float) -> bool:
    """Return whether an interval holds the truth."""
    return bool(low <= truth <= high)


def study_accuracy(samples: int) -> Iterator[Row]:
    """Yield coverage of areas, shares and predictive values."""
    rng = np.random.default_rng(1)
    area, sens = true_area(), float(binom.sf(CUT - 1, TOP, CASE))
    spec = float(binom.cdf(CUT - 1, TOP, OTHER))
    ppv = RATE * sens / (RATE * sens + (1 - RATE) * (1 - spec))
    found: dict[str, list[bool]] = {}
    for _ in range(samples):
        score, case = district(300, rng)
        for kind in ("delong", "logit", "bootstrap"):
            one = assess_accuracy(score, case, criterion=BLIND, cuts=[CUT], interval=kind,
                                  draws=400, rng=rng)  # fmt: skip
            found.setdefault(f"area, {kind}", []).append(held(one.area_low, area, one.area_high))
        for name, truth in (("sensitivity", sens), ("specificity", spec)):
            ends = getattr(one, f"{name}_low")[0], truth, getattr(one, f"{name}_high")[0]
            found.setdefault(f"{name}, Wilson", []).append(held(*ends))
        values = one.predictive_values([RATE])
        ends = values.ppv_low[0], ppv, values.ppv_high[0]
        found.setdefault("positive predictive value", []).append(held(*ends))
    for name, one_kind in found.items():
        yield name, "300 pupils, 15 % with the condition", covered(one_kind)


def study_verification(samples: int) -> Iterator[Row]:
    """Yield coverage where only one in five below the cut was examined."""
    rng = np.random.default_rng(2)
    area, sens = true_area(), float(binom.sf(CUT - 1, TOP, CASE))
    found: dict[str, list[bool]] = {}
    for _ in range(samples):
        score, case = district(2000, rng)
        chance = np.where(score >= CUT, 1.0, 0.2)
        examined = rng.random(2000) < chance
        known = np.where(examined, case, np.nan)
        ways: dict[str, dict[str, Any]] = {
            "Begg and Greenes": {"verification": "begg_greenes", "bands": [3, 5, 7, 8, 10, 12]},
            "inverse weights": {"verification": "inverse_weights", "probability": chance},
        }
        for name, way in ways.items():
            one = assess_accuracy(score, known, criterion=BLIND, cuts=[CUT], **way)
            ends = one.sensitivity_low[0], sens, one.sensitivity_high[0]
            found.setdefault(f"sensitivity, {name}", []).append(held(*ends))
            found.setdefault(f"area, {name}", []).append(held(one.area_low, area, one.area_high))
        naive = assess_accuracy(score[examined], known[examined], criterion=BLIND, cuts=[CUT])
        ends = naive.sensitivity_low[0], sens, naive.sensitivity_high[0]
        found.setdefault("sensitivity, uncorrected", []).append(held(*ends))
    for name, one_kind in found.items():
        yield name, "2000 pupils, all from the cut on examined and 20 % below", covered(one_kind)


def study_optimism(samples: int) -> Iterator[Row]:
    """Yield what a chosen cut promises too much, before and after correction."""
    rng = np.random.default_rng(3)
    gaps = []
    for _ in range(samples):
        score, case = district(100, rng)
        if case.sum() < 3:
            continue
        chosen = choose_cut(assess_accuracy(score, case, criterion=BLIND), draws=200, rng=rng)
        truth = binom.sf(chosen.cut - 1, TOP, CASE) + binom.cdf(chosen.cut - 1, TOP, OTHER)
        apparent = chosen.sensitivity + chosen.specificity
        corrected = chosen.sensitivity_corrected + chosen.specificity_corrected
        gaps.append((apparent - truth, corrected - truth))
    plain, less = np.mean(gaps, axis=0)
    where = "Youden's index of the chosen cut, 100 pupils"
    yield "too much, as it looks", where, f"{plain:+.3f}"
    yield "too much, corrected", where, f"{less:+.3f}"


def study_classification(samples: int) -> Iterator[Row]:
    """Yield the error of Livingston and Lewis against true scores and a second test."""
    rng = np.random.default_rng(4)
    gaps = []
    for _ in range(max(samples // 10, 10)):
        true = rng.beta(1.2, 4, 2000)
        first, second = rng.binomial(TOP, true, (2, 2000))
        r = float(np.corrcoef(first, second)[0, 1])
        one = classify_by_reliability(first, [10], reliability=r, range=(0, TOP))
        gaps.append((one.accuracy[0] - ((first >= 10) == (true * TOP >= 10)).mean(),
                     one.consistency[0] - ((first >= 10) == (second >= 10)).mean()))  # fmt: skip
    for name, gap in zip(("accuracy", "consistency"), np.mean(gaps, axis=0), strict=True):
        yield f"error of {name}", "Livingston and Lewis, 2000 pupils", f"{gap:+.3f}"


def study_change(samples: int) -> Iterator[Row]:
    """Yield how many unchanged pupils seem to have changed."""
    rng = np.random.default_rng(5)
    shares: dict[str, list[float]] = {}
    for _ in range(max(samples // 10, 10)):
        true = 10 + 4 * rng.standard_normal(500)
        both = [true + 2 * rng.standard_normal(500) for _ in range(2)]
        waves = [Wave(str(n), range(500), one, "made-up@1", "total", "self", "now")
                 for n, one in enumerate(both)]  # fmt: skip
        basis = basis_of_sample(*waves, reliability=0.8, coefficient="as made", source="here")
        for form in ("jacobson_truax", "gulliksen_lord_novick", "hsu_linn_lord",
                     "edwards_nunnally", "nunnally_kotsch"):  # fmt: skip
            counts = assess_change(*waves, basis, form=form).counts()
            shares.setdefault(form, []).append(1 - counts["no reliable change"] / 500)
    for form, values in shares.items():
        yield f"seemingly changed, {form}", "nobody changed, level 0.95", covered(values)


def study_growth(samples: int) -> Iterator[Row]:
    """Yield coverage of the slope of all, and of pupils' own slopes."""
    rng = np.random.default_rng(6)
    root = np.linalg.cholesky([[9, -1], [-1, 1]])
    of_all, own = [], []
    for _ in range(max(samples // 10, 10)):
        lines = [10, 0.5] + rng.standard_normal((200, 2)) @ root.T
        scores = lines[:, :1] + lines[:, 1:] * np.arange(4) + 1.5 * rng.standard_normal((200, 4))
        scores[rng.random(scores.shape) < 0.2] = np.nan
        waves = [Wave(str(n), range(200), scores[:, n], "made-up@1", "total", "self", "now")
                 for n in range(4)]  # fmt: skip
        one = follow_waves(waves, range(4))
        of_all.append(abs(one.slope - 0.5) < 1.96 * one.slope_se)
        truth = lines[[int(name) for name in one.subject], 1]
        own.append(np.mean(np.abs(one.own_slope - truth) < 1.96 * one.own_slope_se))
    yield "slope of all", "200 pupils, 4 waves, 20 % missed", covered(of_all)
    yield "slope of a pupil", "200 pupils, 4 waves, 20 % missed", covered(own)


def study_percentiles(samples: int) -> Iterator[Row]:
    """Yield coverage of percentiles, with and without schools, from tables and from a model."""
    rng = np.random.default_rng(7)
    spread = 0.3

    def pupils(schools: int, each: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        grade = rng.integers(7, 13, schools * each).astype(float)
        place = np.repeat(np.arange(schools), each)
        level = -1.6 + 0.08 * (grade - 7) + spread * rng.standard_normal(schools)[place]
        share = expit(level)
        return grade, rng.binomial(TOP, rng.beta(4 * share, 4 * (1 - share))).astype(float), place

    nodes, mass = np.polynomial.hermite_e.hermegauss(21)
    level = expit(-1.6 + 0.08 * 2 + spread * nodes)
    shares = sum(
        m * betabinom.pmf(SCORES, TOP, 4 * p, 4 * (1 - p))
        for m, p in zip(mass / mass.sum(), level, strict=True)
    )
    truth = 100 * (np.cumsum(shares) - shares / 2)
    at = [int(np.argmin(np.abs(truth / 100 - point))) for point in POINTS]
    kinds: dict[str, list[NDArray[np.bool_]]] = {}
    for _ in range(samples):
        grade, raw, school = pupils(60, 50)
        here = grade == 9
        names = school.astype(str).astype(object)
        for kind, who in (("a table, schools known", names), ("a table, schools ignored", None)):
            one = mid_ranks(raw[here], SCORES * 1.0, None, None if who is None else who[here])
            kinds.setdefault(kind, []).append((one.low <= truth) & (truth <= one.high))
        of = ScoreRange(0, TOP, float(raw.mean()), float(raw.std()))
        weight = np.ones(len(raw))
        cells = count_cells(grade, 0 * grade, raw, weight, of)
        fit = fit_norm(cells, "beta_binomial", Formula((1, 0)))
        percentile = fit.percentiles([9], [0])[0]
        for kind, who in (("a model, schools known", school), ("a model, schools ignored", None)):
            covariance = covariance_of(fit, cells, raw, weight, who)
            half = 1.96 * fit.standard_errors([9], [0], covariance)[0]
            inside = (percentile - half <= truth) & (truth <= percentile + half)
            kinds.setdefault(kind, []).append(inside)
    for kind, one_kind in kinds.items():
        mean = np.mean(one_kind, axis=0)
        for point, place in zip(POINTS, at, strict=True):
            yield (
                f"percentile near {100 * point:g}, {kind}",
                "60 schools of 50, grade 9 of 7 to 12",
                f"{mean[place]:.3f}",
            )


def study_recovery(samples: int) -> Iterator[Row]:
    """Yield how near fitted norms come to what the sample was made from."""
    rng = np.random.default_rng(8)
    gaps = []
    for _ in range(max(samples // 10, 10)):
        grade = rng.integers(7, 13, 3000).astype(float)
        share = expit(-1.6 + 0.08 * (grade - 7))
        raw = rng.binomial(TOP, rng.beta(4 * share, 4 * (1 - share))).astype(float)
        of = ScoreRange(0, TOP, float(raw.mean()), float(raw.std()))
        cells = count_cells(grade, 0 * grade, raw, np.ones(3000), of)
        fit = fit_norm(cells, "beta_binomial", Formula((1, 0)))
        at = fit.parameters([7, 12], [0, 0])
        gaps.append((at["mean"][0] + 1.6, at["mean"][1] + 1.2, np.exp(-at["dispersion"][0]) - 4))
    names = ("logit of the mean, grade 7 (-1.6)", "logit of the mean, grade 12 (-1.2)",
             "alpha + beta (4)")  # fmt: skip
    for place, name in enumerate(names):
        one = np.array(gaps)[:, place]
        yield f"beta-binomial, {name}", "3000 pupils", f"{one.mean():+.3f} (SD {one.std():.3f})"


STUDIES: tuple[Callable[[int], Iterator[Row]], ...] = (
    study_accuracy, study_verification, study_optimism, study_classification, study_change,
    study_growth, study_percentiles, study_recovery,
)  # fmt: skip


def main(samples: int) -> None:
    """Print a table for each study."""
    for study in STUDIES:
        start = time.perf_counter()
        rows = list(study(samples))
        words = (study.__doc__ or "").partition(" ")[2].rstrip(".")
        print(f"\n| {words[0].upper()}{words[1:]} | samples | found |")
        print("| --- | --- | ---: |")
        for name, where, value in rows:
            print(f"| {name} | {where} | {value} |")
        print(f"({time.perf_counter() - start:.0f} s)", file=sys.stderr)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
