"""Time the analyses of answers against their floor and their peers, in one run.

    python benchmarks/psychometrics/speed.py [forms]

The floor is one pass over the one-byte answers that makes their cross-products. Peers that are
not installed are left out, and said to be; what takes long is timed on a part and scaled, and
marked with a star. Trust the ratios, not the seconds: machines are shared.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import mhscreen.psychometrics as mp
from mhscreen.psychometrics.moments import moments

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS, ITEMS, FACTORS = 10_000, 60, 5
R_ITEMS = 12
R_CODE = """
suppressMessages(suppressWarnings(library(psych)))
x <- as.matrix(read.csv(commandArgs(TRUE)[1], header = FALSE))
quiet <- function(work) suppressMessages(suppressWarnings(work))
time <- function(work) { s <- proc.time()[[3]]; quiet(work); proc.time()[[3]] - s }
cat(time(alpha(x, check.keys = FALSE)), time(polychoric(x[, 1:%d], correct = 0)),
    time(fa(x, %d, rotate = "oblimin")), "\\n")
"""


def simulated(forms: int) -> np.ndarray:
    """Return five-category answers to items of five correlated factors."""
    rng = np.random.default_rng(1)
    factors = 0.6 * rng.normal(size=(forms, 1)) + 0.8 * rng.normal(size=(forms, FACTORS))
    values = 0.7 * np.repeat(factors, ITEMS // FACTORS, axis=1) + 0.7 * rng.normal(
        size=(forms, ITEMS)
    )
    return np.clip(np.round(1.5 + values), 0, 4).astype(np.int8)


def seconds(work: Callable[[], object], runs: int) -> float:
    """Return the median time of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def beside(
    work: Callable[[], object], floor: Callable[[], object], runs: int
) -> tuple[float, float]:
    """Return the median time, and the median ratio to the floor that is timed in turn with it."""
    pairs = [(seconds(floor, 1), seconds(work, 1)) for _ in range(runs)]
    return statistics.median(own for _, own in pairs), statistics.median(
        own / least for least, own in pairs
    )


def one_pass(cells: np.ndarray) -> np.ndarray:
    """Return the cross-products of the items: the floor."""
    total = np.zeros((len(cells), len(cells)))
    for start in range(0, cells.shape[1], 4096):
        part = cells[:, start : start + 4096].astype(np.float32)
        total += part @ part.T
    return total


def looped_bootstrap(values: np.ndarray, replicates: int) -> None:
    """Resample forms one replicate after the other."""
    rng = np.random.default_rng(1)
    for _ in range(replicates):
        drawn = values[rng.integers(0, len(values), len(values))]
        total = drawn.sum(axis=1, dtype=np.int32).var()
        ITEMS / (ITEMS - 1) * (1 - drawn.var(axis=0).sum() / total)


def simulated_eigenvalues(forms: int, replicates: int) -> None:
    """Simulate answers without structure and take their eigenvalues."""
    rng = np.random.default_rng(1)
    for _ in range(replicates):
        np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(forms, ITEMS)).T))


def of_factor_analyzer(answers: np.ndarray) -> Callable[[], object] | None:
    """Return factor-analyzer's own way from raw answers, if it is installed."""
    try:
        from factor_analyzer import FactorAnalyzer  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    values = answers.astype(float)

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            FactorAnalyzer(n_factors=FACTORS, rotation="oblimin").fit(values)

    return work


def of_r(answers: np.ndarray) -> list[float]:
    """Return what psych takes for alpha, polychoric correlations (scaled) and factors."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.csv"
        np.savetxt(file, answers, fmt="%d", delimiter=",")
        code = R_CODE % (R_ITEMS, FACTORS)
        run = subprocess.run(
            [rscript, "-e", code, str(file)], capture_output=True, text=True, check=False
        )
    if run.returncode != 0:
        return []
    alpha, polychoric, factors = map(float, run.stdout.split())
    pairs = ITEMS * (ITEMS - 1) / (R_ITEMS * (R_ITEMS - 1))
    return [alpha, polychoric * pairs, factors]


def main() -> None:
    """Print one row for each analysis."""
    forms = int(sys.argv[1]) if len(sys.argv) > 1 else FORMS
    answers = simulated(forms)
    taken = mp.as_answers(answers)
    assert np.allclose(moments(taken).covariance, np.cov(answers.T.astype(float)))
    loops = 10
    work = {
        "alpha": (lambda: mp.estimate_alpha(taken), 15),
        "1000 bootstrap intervals of alpha": (
            lambda: mp.estimate_alpha(taken, interval="bootstrap", seed=1),
            3,
        ),
        "polychoric correlations": (lambda: mp.correlate_ordered(taken), 3),
        "parallel analysis, 100 draws": (lambda: mp.count_factors(taken, seed=1), 3),
        "five factors, oblimin": (lambda: mp.explore_factors(taken, FACTORS), 3),
        "greatest lower bound": (lambda: mp.bound_reliability(taken), 3),
    }
    for one, _ in work.values():
        one()  # imports what it needs
    times = {
        name: beside(*one[:1], lambda: one_pass(taken.cells), one[1]) for name, one in work.items()
    }
    alpha, polychoric, factors = of_r(answers) or [nan] * 3
    package = of_factor_analyzer(answers)
    peers = {
        "alpha": {"psych": alpha},
        "1000 bootstrap intervals of alpha": {
            "loop*": seconds(lambda: looped_bootstrap(answers, loops), 1) * 1000 / loops
        },
        "polychoric correlations": {"psych*": polychoric},
        "parallel analysis, 100 draws": {
            "simulation*": seconds(lambda: simulated_eigenvalues(forms, loops), 1) * 100 / loops
        },
        "five factors, oblimin": {
            "psych": factors,
            "factor-analyzer": seconds(package, 1) if package else nan,
        },
    }
    print(f"{forms} forms, {ITEMS} items")
    print(f"{'':36}{'seconds':>9}{'x floor':>9}   peers: their time over ours")
    for name, (own, ratio) in times.items():
        words = ", ".join(
            f"{peer} {other / own:.1f} x" if other == other else f"{peer} not here"  # noqa: PLR0124 - NaN
            for peer, other in peers.get(name, {}).items()
        )
        print(f"{name:36}{own:9.4f}{ratio:9.1f}   {words}")


if __name__ == "__main__":
    main()
