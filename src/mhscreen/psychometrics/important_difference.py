"""How large a change people notice: minimal important differences, each named by its method.

An anchor asks whether somebody has changed; a distribution only says how large a change is beside
the spread of scores. The two answer different questions and are never averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError, expect
from mhscreen.psychometrics import roc
from mhscreen.psychometrics.change import ChangeBasis, Wave, paired
from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.intervals import normal_quantile, percentile_interval
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Anchor", "ImportantDifference", "find_important_difference"]

_WEAK = 0.3
_STEPS = 50
_SMALL = 1e-10


@dataclass(frozen=True)
class Anchor:
    """What pupils, or those who know them, say about the change.

    Attributes
    ----------
    question : str
        Who was asked what.
    rating : mapping of subject to float
        Higher is better; 0 is "no change".
    minimal : float
        The least rating that counts as a change for the better, such as 1 for "a little better".
    """

    question: str
    rating: Mapping[Any, float]
    minimal: float = 1.0


@dataclass(frozen=True, eq=False, repr=False)
class ImportantDifference(Result):
    """Differences for the better, as positive raw scores; a row for each method.

    Attributes
    ----------
    method, rests_on : tuple of str
        The method, and ``anchor`` or ``distribution``.
    value, low, high : ndarray of float64
        NaN where there is no interval, or the method gives nothing.
    pupils : int
    correlation : float
        Of the anchor with the change for the better; NaN without an anchor.
    basis : ChangeBasis
    """

    method: tuple[str, ...]
    rests_on: tuple[str, ...]
    value: Floats
    low: Floats
    high: Floats
    pupils: int
    correlation: float
    basis: ChangeBasis
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what the figures rest on."""
        anchor = "" if np.isnan(self.correlation) else f", anchor correlates {self.correlation:.2f}"
        return (
            f"Important differences, {self.pupils} pupils{anchor}; {self.basis.coefficient} "
            f"{self.basis.reliability:g}, SD {self.basis.sd:g} ({self.basis.source})"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each method."""
        return {
            "method": np.array(self.method, dtype=object),
            "rests_on": np.array(self.rests_on, dtype=object),
            "value": self.value,
            "low": self.low,
            "high": self.high,
        }

    def _draw(self, ax: Axes) -> None:
        rows = np.arange(len(self.value))
        ax.plot(self.value, rows, "o")
        for row, low, high in zip(rows, self.low, self.high, strict=True):
            ax.plot([low, high], [row, row], color="grey")
        ax.set_yticks(rows, self.method)
        ax.set(xlabel="difference for the better, raw score")


def find_important_difference(
    before: Wave,
    after: Wave,
    basis: ChangeBasis,
    *,
    anchor: Anchor | None = None,
    higher_is: Literal["worse", "better"] = "worse",
    level: float = 0.95,
    draws: int = 0,
    rng: np.random.Generator | None = None,
) -> ImportantDifference:
    """Find how large a difference matters, by several published methods.

    By the anchor: the mean change of those rated minimally better; the same less the mean change
    of those rated unchanged; the change that best separates the better from the rest (Youden); the
    change at which a logistic regression leaves the odds where they were (Terluin 2015), also
    adjusted for the share of better ones (Terluin 2017). By the distribution: half and a fifth of
    the standard deviation, the standard error of measurement, the smallest reliable change.

    Parameters
    ----------
    before, after : Wave
    basis : ChangeBasis
        Reliability and standard deviation, with their source.
    anchor : Anchor, optional
        Without it there are only the figures of the distribution.
    higher_is : {"worse", "better"}
    level : float
    draws : int
        Bootstrap samples of pupils for the intervals of the anchored figures; 0 for none.
    rng : numpy.random.Generator, optional
        Needed with `draws`.

    Raises
    ------
    AnalysisError
        With MH725 for forms that are not alike, with MH705 where the anchor has too few in a
        group, with MH709 where the logistic regression comes to no end.
    """
    expect("basis", basis, ChangeBasis)
    subject, (first, second), problems = paired([before, after])
    gain = first - second if higher_is == "worse" else second - first
    rows = [
        ("half a standard deviation", basis.sd / 2),
        ("a fifth of a standard deviation", basis.sd / 5),
        ("standard error of measurement", basis.error),
        ("smallest reliable change", normal_quantile(level) * sqrt(2) * basis.error),
    ]
    nothing = np.full(len(rows), np.nan)
    names = tuple(name for name, _ in rows)
    values = np.array([value for _, value in rows])
    if anchor is None:
        kinds = ("distribution",) * len(rows)
        return ImportantDifference(
            names, kinds, values, nothing, nothing, len(gain), np.nan, basis, problems
        )
    rated = np.array([float(anchor.rating.get(one, np.nan)) for one in subject])
    known = ~np.isnan(rated)
    if not known.all():
        what = f"{int((~known).sum())} pupils without a rating are left out of the anchored figures"
        problems = (*problems, Problem("MH723", what))
    gain, rated = gain[known], rated[known]
    _check_groups(rated, anchor)
    correlation = float(np.corrcoef(rated, gain)[0, 1])
    if not correlation >= _WEAK:
        what = f"the anchor correlates only {correlation:.2f} with the change"
        hint = f"below {_WEAK} an anchor hardly speaks of the same thing"
        problems = (*problems, Problem("MH728", what, hint=hint))
    anchored = np.array(_by_anchor(gain, rated, anchor.minimal))
    low, high = np.full((2, len(anchored)), np.nan)
    if draws:
        low, high = _bootstrap(gain, rated, anchor.minimal, draws, rng, level)
    return ImportantDifference(
        (*_ANCHORED, *names),
        ("anchor",) * len(anchored) + ("distribution",) * len(rows),
        np.concatenate([anchored, values]),
        np.concatenate([low, nothing]),
        np.concatenate([high, nothing]),
        len(gain),
        correlation,
        basis,
        problems,
    )


_ANCHORED = (
    "mean change of the minimally better",
    "the same, less that of the unchanged",
    "best separation (Youden)",
    "predictive",
    "predictive, adjusted",
)


def _check_groups(rated: Floats, anchor: Anchor) -> None:
    groups = {
        "unchanged": int((rated == 0).sum()),
        "minimally better": int((rated == anchor.minimal).sum()),
    }
    few = [f"{number} rated {name}" for name, number in groups.items() if number < 2]  # noqa: PLR2004
    if few:
        raise AnalysisError(
            [Problem("MH705", ", ".join(few), "two pupils in each group, at least",
                     path=anchor.question)]
        )  # fmt: skip


def _by_anchor(gain: Floats, rated: Floats, minimal: float) -> list[float]:
    better = rated >= minimal
    mean = float(gain[rated == minimal].mean())
    counts = roc.tally(gain, better)
    youden = roc.sensitivity(counts.cases) + roc.specificity(counts.others)
    slope, odds = _logistic(gain, better)
    share = float(better.mean())
    here = float(np.log(share / (1 - share)))
    predictive = (here - odds) / slope
    correlation = float(np.corrcoef(gain, better)[0, 1])
    # Terluin, Eekhout and Terwee (2017), the adjustment for the share of better ones.
    less = (0.09 + 0.103 * correlation) * float(gain.std(ddof=1)) * here
    return [
        mean,
        mean - float(gain[rated == 0].mean()),
        float(counts.values[int(np.argmax(youden))]),
        predictive,
        predictive - less,
    ]


def _logistic(x: Floats, y: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and intercept of a logistic regression on one figure, by Newton's method."""
    from scipy.special import expit

    centre, scale = float(x.mean()), float(x.std())
    design = np.stack([np.ones_like(x), (x - centre) / (scale or 1.0)])
    weights = np.zeros(2)
    for _ in range(_STEPS):
        chance = expit(weights @ design)
        slope = design @ (y - chance)
        curve = (design * (chance * (1 - chance))) @ design.T
        if np.linalg.cond(curve) > 1 / _SMALL:
            break
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < _SMALL:
            return float(weights[1] / scale), float(weights[0] - weights[1] * centre / scale)
    return give_up(
        "logistic regression on the change", _STEPS, "the change separates both groups completely"
    )


def _bootstrap(
    gain: Floats,
    rated: Floats,
    minimal: float,
    draws: int,
    rng: np.random.Generator | None,
    level: float,
) -> tuple[Floats, Floats]:
    if rng is None:
        msg = "draws need rng, such as numpy.random.default_rng(1)"
        raise UsageError(msg)
    # Each group is drawn from itself, so that none can come out empty.
    groups = [np.flatnonzero(group) for group in _strata(rated, minimal)]
    drawn = []
    for _ in range(draws):
        rows = np.concatenate([rng.choice(group, size=len(group)) for group in groups])
        drawn.append(_by_anchor(gain[rows], rated[rows], minimal))
    return percentile_interval(np.array(drawn), level)


def _strata(rated: Floats, minimal: float) -> list[NDArray[np.bool_]]:
    parts = [rated == 0, rated == minimal]
    rest = ~(parts[0] | parts[1])
    return [*parts, rest & (rated >= minimal), rest & (rated < minimal)]
