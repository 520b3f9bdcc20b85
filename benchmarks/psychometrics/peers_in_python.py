"""Work for Python peers, timed where they are installed; see peers.py.

Reads one word a line and answers with one line of JSON: seconds, and what was found.
"""

# ruff: noqa: PLC0415 - a peer is imported when it is asked, and may be missing

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = tuple[Callable[[], Any], Callable[[Any], Any]]

warnings.simplefilter("ignore")
FOLDER = Path(sys.argv[1])


def load(name: str) -> Any:
    """Return an array that was left for the peers."""
    return np.load(FOLDER / f"{name}.npy")


def alpha() -> Task:
    """Alpha with its interval by pingouin."""
    import pandas as pd
    import pingouin

    frame = pd.DataFrame(load("items"))
    return lambda: pingouin.cronbach_alpha(data=frame), lambda found: float(found[0])


def factor_analyzer() -> Task:
    """Factors by factor-analyzer, from the raw answers."""
    from factor_analyzer import FactorAnalyzer

    values, factors = load("items").astype(float), int(load("factors"))

    def look(_: Any) -> Any:
        # Of rotated factors its communalities leave their correlations out.
        plain = FactorAnalyzer(n_factors=factors, rotation=None).fit(values)
        return plain.get_communalities().tolist()

    return lambda: FactorAnalyzer(n_factors=factors, rotation="oblimin").fit(values), look


def statsmodels() -> Task:
    """Principal axes by statsmodels, from the raw answers."""
    from statsmodels.multivariate.factor import Factor

    values, factors = load("items").astype(float), int(load("factors"))

    def work() -> Any:
        found = Factor(values, n_factor=factors, method="pa").fit()
        found.rotate("oblimin")
        return found

    return work, lambda found: np.asarray(found.communality).tolist()


def mirt_fit(model: str, accelerate: str) -> Task:
    """Calibration by the Python mirt."""
    import mirt

    two = model == "2PL"
    answers = load("two" if two else "four").astype(int)
    points = int(load("points"))

    def work() -> Any:
        return mirt.fit_mirt(
            answers, model=model, n_quadpts=points, accelerate=accelerate,
            n_categories=None if two else 4, compute_standard_errors=False,
        )  # fmt: skip

    return work, lambda found: float(found.log_likelihood)


def girth_eap() -> Task:
    """EAP scores by girth."""
    import girth

    data = np.ascontiguousarray(load("two").astype(int).T)
    b, a = load("b"), load("a")
    options = {"quadrature_n": int(load("girth_points")), "quadrature_bounds": (-6, 6)}
    return (
        lambda: girth.ability_eap(data, b, a, options),
        lambda theta: [float(np.mean(theta)), float(np.std(theta))],
    )


WORK: dict[str, Callable[[], Task]] = {
    "pingouin": alpha,
    "factor-analyzer": factor_analyzer,
    "statsmodels": statsmodels,
    "mirt 2PL": lambda: mirt_fit("2PL", "none"),
    "mirt 2PL squarem": lambda: mirt_fit("2PL", "squarem"),
    "mirt GRM": lambda: mirt_fit("GRM", "none"),
    "mirt GRM squarem": lambda: mirt_fit("GRM", "squarem"),
    "girth": girth_eap,
}


def answer(work: Callable[[], Any], look: Callable[[Any], Any]) -> list[Any]:
    """Return what the work took and what it found."""
    start = time.perf_counter()
    found = work()
    return [time.perf_counter() - start, look(found)]


def main() -> None:
    """Answer until nothing more is asked."""
    ready: dict[str, Task] = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            if name not in ready:
                ready[name] = WORK[name]()
            told = answer(*ready[name])
        except Exception as error:  # noqa: BLE001 - whatever a peer stumbles over is said
            told = [None, f"{type(error).__name__}: {error}"]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
