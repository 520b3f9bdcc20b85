"""Time calibration and scoring against Python peers on the same answers, in turn, in one run.

``python benchmarks/psychometrics/irt.py PEERS [pupils] [rounds]``, where PEERS is the Python of
another environment with ``mirt`` and ``girth`` (they need not agree with ours on versions). Every
program gets as many points of the trait, and must end at the same likelihood or the same scores
before a ratio is printed. The peers' matrix products run in one thread, as ours do: on a busy
machine more threads made them up to sixty times slower. Trust the ratios, not the seconds.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.psychometrics import irt

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ITEMS, POINTS, GIRTH_POINTS = 20, 61, 41
PEERS = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
import girth, mirt
what, folder, points, girth_points = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
two, four = (np.load(f"{folder}/{name}.npy").astype(int) for name in ("two", "four"))
def timed(work):
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found
if what == "eap":
    with np.load(f"{folder}/parameters.npz") as known:
        b, a = known["b"], known["a"]
    data = np.ascontiguousarray(two.T)
    options = {"quadrature_n": girth_points, "quadrature_bounds": (-6, 6)}
    seconds, theta = timed(lambda: girth.ability_eap(data, b, a, options))
    print(json.dumps([seconds, float(np.mean(theta)), float(np.std(theta))]))
else:
    model, accelerate, errors = what.split()
    seconds, found = timed(lambda: mirt.fit_mirt(
        two if model == "2PL" else four, model=model, n_quadpts=points, accelerate=accelerate,
        n_categories=None if model == "2PL" else 4, compute_standard_errors=errors == "errors"))
    print(json.dumps([seconds, float(found.log_likelihood)]))
"""


def simulated(pupils: int, categories: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Return answers to items of the graded model, shape (pupils, items)."""
    spread = np.linspace(-1.2, 1.2, categories - 1) if categories > 2 else np.zeros(1)
    bank = {
        f"q{place}": (rng.uniform(0.8, 2.2), spread + rng.normal(0, 0.5)) for place in range(ITEMS)
    }
    chances = irt.take_parameters("graded", bank).chances(rng.normal(size=pupils))
    return np.stack(
        [(rng.random(pupils)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1) for p in chances],
        axis=1,
    ).astype(np.int8)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and what was found."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def main(peers: str, pupils: int = 100_000, rounds: int = 3) -> None:
    """Print a line for each comparison."""
    rng = np.random.default_rng(1)
    answers = {"2PL": simulated(pupils, 2, rng), "GRM": simulated(pupils, 4, rng)}
    models = {"2PL": "2pl", "GRM": "graded"}
    with TemporaryDirectory() as folder:
        np.save(Path(folder) / "two.npy", answers["2PL"])
        np.save(Path(folder) / "four.npy", answers["GRM"])

        def ask(what: str) -> list[float]:
            told = subprocess.run(
                [peers, "-c", PEERS, what, folder, str(POINTS), str(GIRTH_POINTS)],
                check=True, capture_output=True, text=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )  # fmt: skip
            found: list[float] = json.loads(told.stdout.splitlines()[-1])
            return found

        print(f"{pupils} pupils, {ITEMS} items, {rounds} rounds; median ratio (all ratios)")
        for name, model in models.items():
            for accelerate in ("none", "squarem"):
                ratios = []
                for _ in range(rounds):
                    mine, found = timed(
                        lambda name=name, model=model: irt.calibrate(
                            answers[name], model=model, errors="none", points=POINTS
                        )
                    )
                    theirs, likelihood = ask(f"{name} {accelerate} none")
                    # They stop earlier; ours is never the lower one.
                    assert -1e-3 < found.log_likelihood - likelihood < 0.5, name
                    ratios.append(theirs / mine)
                report(f"calibration {name} against mirt, {accelerate}", mine, ratios)
        fitted = irt.calibrate(answers["2PL"], model="2pl", errors="none").parameters[0]
        b = np.array([one[0] for one in fitted.thresholds])
        np.savez(Path(folder) / "parameters.npz", a=fitted.slopes, b=b)
        ratios = []
        for _ in range(rounds):
            mine, scores = timed(
                lambda: irt.score_trait(answers["2PL"], fitted, points=GIRTH_POINTS)
            )
            theirs, mean, sd = ask("eap")
            assert abs(scores.theta.mean() - mean) < 1e-3
            assert abs(scores.theta.std() - sd) < 1e-3
            ratios.append(theirs / mine)
        report("EAP of every pupil against girth", mine, ratios)
        for name, model in models.items():
            plain, _ = timed(
                lambda name=name, model=model: irt.calibrate(
                    answers[name], model=model, errors="none"
                )
            )
            for errors in ("observed", "cross-product"):
                whole, _ = timed(
                    lambda name=name, model=model, errors=errors: irt.calibrate(
                        answers[name], model=model, errors=errors
                    )
                )
                print(f"  {name} with standard errors, {errors}: {whole / plain:.1f} x without")


def report(what: str, seconds: float, ratios: list[float]) -> None:
    """Print one comparison."""
    every = ", ".join(f"{ratio:.1f}" for ratio in ratios)
    print(f"  {what:48} {seconds:6.2f} s, {statistics.median(ratios):5.1f} x ({every})", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *(int(argument) for argument in sys.argv[2:]))
