"""Every bar of the analyses of answers: ours, its floor and its peers, in turn, in one run.

    python benchmarks/psychometrics/speed.py [--peers PYTHON] [--forms 100000] [--write]

PYTHON is the Python of another environment with what ``peers.txt`` lists; R's psych is asked where
``Rscript`` has it. Ours and theirs take turns, and the ratio that
counts is the median of those of two that stood beside each other. Every peer must find the same
before its time counts. What takes long is timed on a part and scaled, and marked with a star.
Trust the ratios, not the seconds: machines are shared. With all peers and 100,000 forms it takes
about ten minutes, on a busy machine thirty. ``--write`` keeps what was found in
``results/speed.json``, which the pages in ``docs/`` are written from.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from functools import partial
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the peers: before numpy is imported

import numpy as np
from peers import Peer, python_peer, r_peer

import mhscreen.psychometrics as mp
from mhscreen.psychometrics import irt
from mhscreen.psychometrics.moments import moments

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

HERE = Path(__file__).parent
ITEMS, FACTORS, TRAIT_ITEMS, POINTS, GIRTH_POINTS = 60, 5, 20, 61, 41
SOME = 12  # items that psych correlates
LEAST = 1e-15  # that is told of a gap
LOOPS = 10  # replicates of a loop that are timed


class Bar(NamedTuple):
    """What is asked of one analysis, and what was found."""

    analysis: str
    against: str
    unit: str
    """``"as fast"``: theirs over ours, at least; ``"as long"``: ours over theirs, at most."""
    bar: float | None
    ours: float
    ratios: list[float]
    same: str
    """What was seen to be equal."""

    @property
    def ratio(self) -> float:
        """The median."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.bar is None:
            return None
        return self.ratio >= self.bar if self.unit == "as fast" else self.ratio <= self.bar


# -- data -----------------------------------------------------------------------------------------


def simulated(forms: int) -> NDArray[np.int8]:
    """Return five-category answers to items of five correlated factors."""
    rng = np.random.default_rng(1)
    factors = 0.6 * rng.normal(size=(forms, 1)) + 0.8 * rng.normal(size=(forms, FACTORS))
    values = 0.7 * np.repeat(factors, ITEMS // FACTORS, axis=1) + 0.7 * rng.normal(
        size=(forms, ITEMS)
    )
    return np.clip(np.round(1.5 + values), 0, 4).astype(np.int8)


def of_trait(forms: int, categories: int, rng: np.random.Generator) -> NDArray[np.int8]:
    """Return answers to items of the graded model, shape (forms, items)."""
    spread = np.linspace(-1.2, 1.2, categories - 1) if categories > 2 else np.zeros(1)
    bank = {
        f"q{place}": (rng.uniform(0.8, 2.2), spread + rng.normal(0, 0.5))
        for place in range(TRAIT_ITEMS)
    }
    chances = irt.take_parameters("graded", bank).chances(rng.normal(size=forms))
    return np.stack(
        [(rng.random(forms)[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1) for p in chances],
        axis=1,
    ).astype(np.int8)


# -- floors and loops -----------------------------------------------------------------------------


def one_pass(cells: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the cross-products of the items: the floor."""
    total = np.zeros((len(cells), len(cells)))
    for start in range(0, cells.shape[1], 4096):
        part = cells[:, start : start + 4096].astype(np.float32)
        total += part @ part.T
    return total


def looped_bootstrap(answers: NDArray[np.int8], replicates: int) -> None:
    """Resample forms one replicate after the other."""
    rng = np.random.default_rng(1)
    for _ in range(replicates):
        drawn = answers[rng.integers(0, len(answers), len(answers))]
        total = drawn.sum(axis=1, dtype=np.int32).var()
        ITEMS / (ITEMS - 1) * (1 - drawn.var(axis=0).sum() / total)


def simulated_eigenvalues(forms: int, replicates: int) -> None:
    """Simulate answers without structure and take their eigenvalues."""
    rng = np.random.default_rng(1)
    for _ in range(replicates):
        np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(forms, ITEMS)).T))


# -- taking turns ---------------------------------------------------------------------------------


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return seconds and what was found."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


class Table:
    """The bars so far; prints each as it is found, and keeps it where that is asked."""

    def __init__(self, forms: int, keep: Path | None) -> None:
        self.bars: list[Bar] = []
        self.absent: list[str] = []
        self._forms, self._keep = forms, keep

    def floor(
        self, analysis: str, ours: Callable[[], Any], floor: Callable[[], Any], bar: float | None,
        turns: int, against: str = "one pass over the answers",
    ) -> None:  # fmt: skip
        """Take turns with work in this process; how many times as long ours takes."""
        ours(), floor()  # imports what they need
        pairs = [(timed(floor)[0], timed(ours)[0]) for _ in range(turns)]
        mine = statistics.median(own for _, own in pairs)
        self._add(Bar(analysis, against, "as long", bar, mine, [b / a for a, b in pairs], ""))

    def loop(
        self, analysis: str, ours: Callable[[], Any], loop: Callable[[], Any], bar: float,
        scale: float, against: str, turns: int = 3,
    ) -> None:  # fmt: skip
        """Take turns with a loop in this process of which a part is timed."""
        ours()
        pairs = [(timed(loop)[0] * scale, timed(ours)[0]) for _ in range(turns)]
        mine = statistics.median(own for _, own in pairs)
        self._add(Bar(analysis, against, "as fast", bar, mine, [a / b for a, b in pairs], ""))

    def peer(
        self, analysis: str, ours: Callable[[], Any], peer: Peer, work: str, bar: float | None,
        *, name: str, agree: Callable[[Any, Any], str], scale: float = 1.0, turns: int = 3,
        unit: str = "as fast",
    ) -> None:  # fmt: skip
        """Take turns with a peer; what both find must agree."""
        ours()
        ratios, mine, same = [], [], ""
        for _ in range(turns):
            seconds, found = timed(ours)
            theirs = peer.ask(work)
            if theirs.seconds is None:
                self.absent.append(f"{name}: {theirs.found}")
                print(f"{analysis:34} {name}: {theirs.found}", flush=True)
                return
            same = agree(found, theirs.found)
            mine.append(seconds)
            ratio = theirs.seconds * scale / seconds
            ratios.append(ratio if unit == "as fast" else 1 / ratio)
        self._add(Bar(analysis, name, unit, bar, statistics.median(mine), ratios, same))

    def _add(self, bar: Bar) -> None:
        self.bars.append(bar)
        words = {None: "", True: "met", False: "NOT MET"}[bar.met]
        sign = "at least" if bar.unit == "as fast" else "at most"
        wanted = "" if bar.bar is None else f"{sign} {bar.bar:g}"
        every = ", ".join(f"{ratio:.3g}" for ratio in bar.ratios[:5])
        print(
            f"{bar.analysis:34} {bar.against:28} {bar.ratio:8.3g} x {bar.unit}  {wanted:13} "
            f"{words:8} ({every})  {bar.same}",
            flush=True,
        )
        if self._keep is not None:
            rows = [
                {"analysis": one.analysis, "against": one.against, "unit": one.unit,
                 "bar": one.bar, "ratio": float(f"{one.ratio:.3g}"), "met": one.met,
                 "same": one.same}
                for one in self.bars
            ]  # fmt: skip
            text = json.dumps({"forms": self._forms, "rows": rows}, indent=1)
            self._keep.write_text(text + "\n", "utf-8")


def near(what: str, tolerance: float, of: Callable[[Any], Any] = lambda found: found) -> Any:
    """Return a check that both found the same, and the words for it."""

    def agree(ours: Any, theirs: Any) -> str:
        gap = float(np.max(np.abs(np.asarray(of(ours)) - np.asarray(theirs))))
        if not gap < tolerance:
            msg = f"{what}: they part by {gap:.2g}"
            raise AssertionError(msg)
        return f"{what} within {max(gap, LEAST):.0e}"

    return agree


def same_factors(ours: Any, theirs: Any) -> str:
    """Return how far loadings part, but for the order and the direction of the factors."""
    found, wanted = ours.loadings, np.array(theirs).reshape(FACTORS, -1).T
    gap = min(
        max(
            min(float(np.abs(a - b).max()), float(np.abs(a + b).max()))
            for a, b in zip(found.T, wanted.T[list(order)], strict=True)
        )
        for order in permutations(range(FACTORS))
    )
    if not gap < 1e-3:
        msg = f"loadings part by {gap:.2g}"
        raise AssertionError(msg)
    return f"loadings within {max(gap, LEAST):.0e}"


def likelihoods(ours: Any, theirs: Any) -> str:
    """Peers stop earlier; ours is never the lower one."""
    gap = ours.log_likelihood - theirs
    if not -1e-3 < gap < 0.5:
        msg = f"log-likelihoods part by {gap:.2g}"
        raise AssertionError(msg)
    return f"log-likelihood higher by {gap:.1g}"


# -- the bars -------------------------------------------------------------------------------------


def classical(table: Table, answers: NDArray[np.int8], python: Peer, r: Peer) -> None:
    """Sixty items of five options."""
    taken = mp.as_answers(answers)
    assert np.allclose(moments(taken).covariance, np.cov(answers.T.astype(float)))
    alpha = partial(mp.estimate_alpha, taken)
    floor = partial(one_pass, taken.cells)
    value: Any = near("alpha", 1e-9, lambda found: found["alpha"].estimate)
    table.floor("alpha with its Feldt interval", alpha, floor, 1.5, 25)
    table.peer("alpha with its Feldt interval", alpha, python, "pingouin", 2, name="pingouin",
               agree=value, turns=7)  # fmt: skip
    table.peer("alpha with its Feldt interval", alpha, r, "alpha", 100, name="R psych",
               agree=value)  # fmt: skip
    table.loop(
        "1,000 bootstrap intervals of alpha",
        partial(mp.estimate_alpha, taken, interval="bootstrap", seed=1),
        partial(looped_bootstrap, answers, LOOPS), 30, 1000 / LOOPS, "resampling loop*",
    )  # fmt: skip

    def correlated() -> Any:
        return mp.correlate_ordered(taken)

    above = np.triu_indices(SOME, 1)
    table.peer(
        "polychoric correlations, all pairs", correlated, r, "polychoric", 100, name="R psych*",
        agree=near("correlations", 1e-4, lambda found: found.correlation[:SOME, :SOME][above]),
        scale=ITEMS * (ITEMS - 1) / (SOME * (SOME - 1)),
    )  # fmt: skip
    table.floor("polychoric correlations, all pairs", correlated, floor, None, 5)
    table.loop(
        "parallel analysis, 100 draws", partial(mp.count_factors, taken, seed=1),
        partial(simulated_eigenvalues, len(answers), LOOPS), 20, 100 / LOOPS, "simulation*",
    )  # fmt: skip
    factors = partial(mp.explore_factors, taken, FACTORS)
    communalities: Any = near("communalities", 1e-3, lambda found: 1 - found.uniqueness)
    table.peer("five factors, oblimin", factors, r, "fa", 1.5, name="R psych", unit="as long",
               agree=same_factors)  # fmt: skip
    for name in ("factor-analyzer", "statsmodels"):
        table.peer("five factors, oblimin", factors, python, name, 1.5, name=name,
                   unit="as long", agree=communalities, turns=5)  # fmt: skip
    table.floor("five factors, oblimin", factors, floor, None, 5)
    table.floor("greatest lower bound", partial(mp.bound_reliability, taken), floor, None, 3)


def latent(table: Table, folder: Path, answers: dict[str, NDArray[np.int8]], python: Peer) -> None:
    """Twenty items of two and of four options."""
    for name, model, words in (("2PL", "2pl", "2PL"), ("GRM", "graded", "graded, 4 options")):
        fit: Any = partial(irt.calibrate, answers[name], model=model, errors="none", points=POINTS)
        for suffix, way, turns in ((" squarem", "mirt, SQUAREM", 3), ("", "mirt", 1)):
            table.peer(f"{words}, calibration", fit, python, f"mirt {name}{suffix}", 2, name=way,
                       agree=likelihoods, turns=turns)  # fmt: skip
        for errors in ("observed", "cross-product"):
            table.floor(f"{words}, {errors} errors", partial(fit, errors=errors), fit, None, 1,
                        "without errors")  # fmt: skip
    fitted = irt.calibrate(answers["2PL"], model="2pl", errors="none").parameters[0]
    np.save(folder / "a.npy", fitted.slopes)
    np.save(folder / "b.npy", np.array([one[0] for one in fitted.thresholds]))
    table.peer(
        "EAP of every pupil", partial(irt.score_trait, answers["2PL"], fitted, points=GIRTH_POINTS),
        python, "girth", 5, name="girth", turns=9,
        agree=near("mean and SD", 1e-3, lambda found: [found.theta.mean(), found.theta.std()]),
    )  # fmt: skip


def main() -> None:
    """Print a row for each bar, and keep them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers", help="the Python of the environment with the peers")
    parser.add_argument("--forms", type=int, default=100_000)
    parser.add_argument("--write", action="store_true", help="keep them in results/speed.json")
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    items = simulated(given.forms)
    answers = {"2PL": of_trait(given.forms, 2, rng), "GRM": of_trait(given.forms, 4, rng)}
    table = Table(given.forms, HERE / "results/speed.json" if given.write else None)
    print(f"{given.forms} forms; one thread")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file, array in (
            ("items", items), ("two", answers["2PL"]), ("four", answers["GRM"]),
            ("factors", np.array(FACTORS)), ("points", np.array(POINTS)),
            ("girth_points", np.array(GIRTH_POINTS)),
        ):  # fmt: skip
            np.save(folder / f"{file}.npy", array)
        items.T.tofile(folder / "items.bin")
        python, r = python_peer(given.peers, folder), r_peer(folder, FACTORS, SOME, ITEMS)
        classical(table, items, python, r)
        r.close()
        latent(table, folder, answers, python)
        python.close()
    missed = [bar for bar in table.bars if bar.met is False]
    print(f"{sum(bar.met is True for bar in table.bars)} bars met, {len(missed)} not met")
    if table.absent:
        print("not compared: " + "; ".join(table.absent))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
