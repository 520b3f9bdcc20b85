"""Time bootstrap intervals, raking and norms against loops and R, on the same pupils in one run.

``python benchmarks/psychometrics/decisions_and_norms.py [pupils …]`` checks each result against
the slow way before it times either, and prints ratios: the table in
``results/decisions_and_norms.md``, from which the page is written. Trust the ratios, not the
seconds. Slow ways run fewer times and are scaled. R is asked where ``Rscript`` with pROC and
survey is installed. With the usual two sizes it takes about five minutes.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata

from mhscreen.psychometrics import roc
from mhscreen.psychometrics.accuracy import Criterion, assess_accuracy
from mhscreen.psychometrics.cut_scores import choose_cut
from mhscreen.psychometrics.norms import mid_ranks, rake_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DRAWS, RUNS, SLOW = 1000, 5, 20
R = """
suppressPackageStartupMessages({library(pROC); library(survey)})
d <- read.csv("pupils.csv"); timed <- function(e) system.time(e)[["elapsed"]]
r <- roc(d$case, d$score, quiet = TRUE, direction = "<", levels = c(0, 1))
set.seed(1)
cat(timed(ci.auc(r, method = "bootstrap", boot.n = 50, progress = "none")) * 20, "")
s <- svydesign(ids = ~1, data = d, weights = ~1)
cat(timed(rake(s, list(~sex, ~grade), list(data.frame(sex = 0:1, Freq = nrow(d) * c(0.52, 0.48)),
  data.frame(grade = 7:12, Freq = nrow(d) * c(0.2, 0.18, 0.17, 0.16, 0.15, 0.14))),
  control = list(epsilon = 1e-8, maxit = 100))), "")
"""


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median time of some runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def area_of_pupils(score: NDArray[Any], case: NDArray[Any]) -> float:
    """Return the area under the curve from ranks, as most programs do."""
    ranks = rankdata(score)
    cases = int(case.sum())
    others = len(case) - cases
    return float((ranks[case].sum() - cases * (cases + 1) / 2) / (cases * others))


def loop(
    score: NDArray[Any], case: NDArray[Any], draws: int, rng: np.random.Generator
) -> list[float]:
    """Return areas of resampled pupils, one resample after the other."""
    groups = np.flatnonzero(case), np.flatnonzero(~case)
    found = []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(group, size=len(group)) for group in groups])
        found.append(area_of_pupils(score[rows], case[rows]))
    return found


def cut_loop(
    score: NDArray[Any], case: NDArray[Any], draws: int, rng: np.random.Generator
) -> list[float]:
    """Return the best cut of resampled pupils, one resample after the other."""
    groups = np.flatnonzero(case), np.flatnonzero(~case)
    found = []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(group, size=len(group)) for group in groups])
        drawn, who = score[rows], case[rows]
        cuts = np.unique(drawn)
        merit = [(drawn[who] >= cut).mean() + (drawn[~who] < cut).mean() for cut in cuts]
        found.append(float(cuts[int(np.argmax(merit))]))
    return found


def ask_r(columns: dict[str, NDArray[Any]]) -> list[float]:
    """Return the seconds that R needs, nothing where it cannot be asked."""
    program = shutil.which("Rscript")
    if program is None:
        return []
    with TemporaryDirectory() as folder:
        rows = np.stack([column.astype(float) for column in columns.values()], axis=1)
        np.savetxt(
            Path(folder) / "pupils.csv", rows, delimiter=",", header=",".join(columns), comments="",
            fmt="%g",
        )  # fmt: skip
        done = subprocess.run(
            [program, "-e", R], cwd=folder, capture_output=True, text=True, check=False
        )
    return [] if done.returncode else [float(one) for one in done.stdout.split()]


Row = tuple[str, float, str, float]


def compared(pupils: int) -> list[Row]:
    """Return for each analysis what ours takes, and what another way takes."""
    rng = np.random.default_rng(1)
    case = rng.random(pupils) < 0.1
    score = rng.binomial(27, np.where(case, 0.35, 0.2)).astype(float)
    sex, grade = rng.integers(0, 2, pupils), rng.integers(7, 13, pupils)
    found = assess_accuracy(
        score, case, criterion=Criterion("made up", knew_score=False), interval="bootstrap",
        draws=DRAWS, rng=rng,
    )  # fmt: skip
    slow = loop(score, case, 200, rng)
    assert abs(np.std(slow) / np.std(roc.area(*roc.resample(roc.tally(score, case), DRAWS, rng)))
               - 1) < 0.25  # fmt: skip
    rows: list[Row] = []

    ours = seconds(lambda: assess_accuracy(score, case, criterion=found.criterion,
                                           interval="bootstrap", draws=DRAWS, rng=rng))  # fmt: skip
    theirs = seconds(lambda: loop(score, case, SLOW, rng), 3) * DRAWS / SLOW
    rows.append(("1000 bootstrap areas, from pupils to interval", ours, "resampling loop", theirs))
    asked = ask_r({"score": score, "case": case, "sex": sex, "grade": grade})
    if asked:
        rows.append(("1000 bootstrap areas, from pupils to interval", ours, "R pROC", asked[0]))
    ours = seconds(lambda: choose_cut(found, draws=DRAWS, rng=rng))
    theirs = seconds(lambda: cut_loop(score, case, SLOW, rng), 3) * DRAWS / SLOW
    rows.append(("1000 cuts chosen anew, optimism", ours, "resampling loop", theirs))
    share = {7: 0.2, 8: 0.18, 9: 0.17, 10: 0.16, 11: 0.15, 12: 0.14}
    margins = {"sex": {0: 0.52, 1: 0.48}, "grade": share}
    ours = seconds(lambda: rake_weights({"sex": sex, "grade": grade}, margins, tolerance=1e-8))
    if asked:
        rows.append(("raking to sex and grade", ours, "R survey", asked[1]))
    scores, weight = np.arange(28.0), np.ones(pupils)
    school = rng.integers(0, 200, pupils)
    ours = seconds(lambda: mid_ranks(score, scores, weight, school))
    theirs = seconds(lambda: [((score < s) + 0.5 * (score == s)).mean() for s in scores])
    rows.append(("percentiles with intervals over schools", ours, "means alone, a loop", theirs))
    return rows


def main(sizes: list[int]) -> None:
    """Print a row for each comparison, with a column for each size."""
    every = [compared(pupils) for pupils in sizes]
    print("| analysis | against | " + " | ".join(f"{pupils:,} pupils" for pupils in sizes) + " |")
    print("| --- | --- |" + " ---: |" * len(sizes))
    for rows in zip(*every, strict=True):
        ratios = [f"{theirs / ours:.2g}" for _, ours, _, theirs in rows]
        words = [
            f"{float(ratio):,.0f} ×" if float(ratio) >= 10 else f"{ratio} ×" for ratio in ratios
        ]
        print(f"| {rows[0][0]} | {rows[0][2]} | " + " | ".join(words) + " |")


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or [10_000, 100_000])
