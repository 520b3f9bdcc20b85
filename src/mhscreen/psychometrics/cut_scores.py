"""Choosing a cut by a stated criterion, and what the choice itself promises too much.

A cut chosen on the sample that judges it looks better than it will be. The optimism is taken off
by the bootstrap (Harrell, Lee and Mark 1996): choose a cut in each resample, and see how much
better it does there than among all. A chosen cut is descriptive: it moves no policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError, expect
from mhscreen.psychometrics import roc
from mhscreen.psychometrics.accuracy import Accuracy
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["ChosenCut", "CutRule", "choose_cut"]

CutRule = Literal[
    "youden",
    "closest_to_corner",
    "product",
    "equal",
    "kappa",
    "sensitivity_at_least",
    "specificity_at_least",
    "lowest_cost",
]
"""How a cut is chosen.

``"youden"``: sensitivity + specificity highest. ``"closest_to_corner"``: nearest to 1 and 1.
``"product"``: sensitivity × specificity highest. ``"equal"``: the two most alike. ``"kappa"``:
Cohen's kappa highest, in the sample. ``"sensitivity_at_least"``: the highest specificity among
cuts of such a sensitivity; ``"specificity_at_least"`` the other way round. ``"lowest_cost"``: the
lowest expected cost, a missed case counting `cost` times a false alarm, at `base_rate`.
"""

_TIE = 1e-12


@dataclass(frozen=True, eq=False, repr=False)
class ChosenCut(Result):
    """A cut and how it was chosen.

    Attributes
    ----------
    cut : float
        Where several are equally good, the most sensitive of them.
    rule : str
        In words, with its numbers.
    sensitivity, specificity : float
        In the sample that chose it.
    sensitivity_corrected, specificity_corrected : float
        Less what the choice promises too much; NaN without a bootstrap.
    draws : int
        Bootstrap samples; 0 for none.
    alternatives, shares : ndarray, shape (cuts,)
        The cuts that resamples chose, and how often.
    label : str
        Whether the criterion was blind to the score.
    """

    cut: float
    rule: str
    sensitivity: float
    specificity: float
    sensitivity_corrected: float
    specificity_corrected: float
    draws: int
    alternatives: Floats
    shares: Floats
    label: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the cut and what it rests on."""
        return f"Cut {self.cut:g} by {self.rule} (criterion: {self.label}; {self.draws} resamples)"

    def columns(self) -> dict[str, Any]:
        """Return one row for the cut as it looks, and one as corrected."""
        return {
            "estimate": ["apparent", "optimism-corrected"],
            "cut": [self.cut, self.cut],
            "sensitivity": [self.sensitivity, self.sensitivity_corrected],
            "specificity": [self.specificity, self.specificity_corrected],
        }

    def _draw(self, ax: Axes) -> None:
        if not self.draws:
            msg = "the picture shows which cuts resamples choose: ask for draws"
            raise UsageError(msg)
        ax.bar(self.alternatives, self.shares)
        ax.axvline(self.cut, linestyle=":", color="black")
        ax.set(xlabel="cut", ylabel="share of resamples that choose it", title=self.rule)


def choose_cut(
    accuracy: Accuracy,
    by: CutRule = "youden",
    *,
    target: float | None = None,
    base_rate: float | None = None,
    cost: float | None = None,
    draws: int = 0,
    rng: np.random.Generator | None = None,
) -> ChosenCut:
    """Choose among all distinct scores the cut that a criterion prefers.

    Parameters
    ----------
    accuracy : Accuracy
        As `mhscreen.psychometrics.assess_accuracy` gives it.
    by : str
        See `CutRule`.
    target : float, optional
        The least sensitivity or specificity.
    base_rate, cost : float, optional
        For the lowest cost: the share of pupils with the condition, and how many false alarms a
        missed case counts for.
    draws : int
        Bootstrap samples for the optimism; cases and others are drawn apart.
    rng : numpy.random.Generator, optional
        Needed with `draws`.

    Raises
    ------
    AnalysisError
        With MH724 if no cut reaches the target.
    UsageError
        If numbers that the criterion needs are missing, or pupils were not examined and an
        optimism is asked for.

    Examples
    --------
    >>> from mhscreen.psychometrics.accuracy import Criterion, assess_accuracy
    >>> interview = Criterion("an interview", knew_score=False)
    >>> found = assess_accuracy([0, 1, 1, 2, 3, 3, 4, 5], [0, 0, 0, 0, 1, 0, 1, 1],
    ...                         criterion=interview)
    >>> choose_cut(found).cut
    3.0
    """
    expect("accuracy", accuracy, Accuracy)
    words = _words(by, target, base_rate, cost)
    cells = accuracy.cells
    sens, spec = roc.sensitivity(cells.cases), roc.specificity(cells.others)
    share = float(cells.cases.sum())
    merit = _merit(by, sens, spec, target=target, base_rate=base_rate, cost=cost, share=share)
    if not np.isfinite(merit).any():
        best = float(sens.max() if by == "sensitivity_at_least" else spec.max())
        problem = Problem("MH724", f"no cut has a {words}", f"at most {best:.3f}", "a lower target")
        raise AnalysisError([problem])
    place = _best(merit)
    sign = -1.0 if accuracy.lower_is_worse else 1.0
    corrected = (np.nan, np.nan)
    chosen, shares = np.empty(0), np.empty(0)
    if draws:
        if rng is None:
            msg = "draws need rng, such as numpy.random.default_rng(1)"
            raise UsageError(msg)
        if not cells.complete:
            msg = "the optimism needs pupils who were all examined"
            raise UsageError(msg)
        n = cells.examined
        counts = roc.Tally(cells.values, np.rint(cells.cases * n), np.rint(cells.others * n))
        cases, others = roc.resample(counts, draws, rng)
        drawn = roc.sensitivity(cases), roc.specificity(others)
        places = _best(
            _merit(by, *drawn, target=target, base_rate=base_rate, cost=cost, share=share)
        )
        rows = np.arange(draws)
        less = [
            float(here[place] - np.mean(there[rows, places] - here[places]))
            for here, there in zip((sens, spec), drawn, strict=True)
        ]
        corrected = (less[0], less[1])
        found, often = np.unique(places, return_counts=True)
        chosen, shares = sign * cells.values[found], often / draws
    return ChosenCut(
        float(sign * cells.values[place]), words, float(sens[place]), float(spec[place]),
        *corrected, draws, chosen, shares, accuracy.criterion.label, accuracy.problems,
    )  # fmt: skip


def _words(by: str, target: float | None, base_rate: float | None, cost: float | None) -> str:
    if by not in get_args(CutRule):
        msg = f"by is one of {', '.join(get_args(CutRule))}, not {by!r}"
        raise UsageError(msg)
    if by.endswith("_at_least"):
        if target is None or not 0 < target <= 1:
            msg = f"{by} needs target, a share such as 0.9"
            raise UsageError(msg)
        return f"{by.partition('_')[0]} of at least {target:g}"
    if by == "lowest_cost":
        if base_rate is None or cost is None or not (0 < base_rate < 1 and cost > 0):
            msg = "lowest_cost needs base_rate, between 0 and 1, and cost, above 0"
            raise UsageError(msg)
        return f"lowest cost, a missed case counting {cost:g} false alarms, base rate {base_rate:g}"
    return by.replace("_", " ")


def _best(merit: Floats) -> Any:
    """Return the first place, along the last axis, that is as good as the best."""
    best = merit.max(axis=-1, keepdims=True)
    return np.argmax(merit >= best - _TIE, axis=-1)


def _merit(
    by: str,
    sens: Floats,
    spec: Floats,
    *,
    target: float | None,
    base_rate: float | None,
    cost: float | None,
    share: float,
) -> Floats:
    """Return how good each cut is; −inf where it does not reach the target."""
    if by in _PLAIN:
        return _PLAIN[by](sens, spec)
    if by == "kappa":
        agreed = share * sens + (1 - share) * spec
        flagged = share * sens + (1 - share) * (1 - spec)
        chance = share * flagged + (1 - share) * (1 - flagged)
        return (agreed - chance) / (1 - chance)
    if by == "lowest_cost":
        rate, price = float(base_rate or 0), float(cost or 0)
        return -(rate * (1 - sens) * price + (1 - rate) * (1 - spec))
    reached, other = (sens, spec) if by == "sensitivity_at_least" else (spec, sens)
    return np.where(reached >= float(target or 0) - _TIE, other, -np.inf)


_PLAIN: dict[str, Callable[[Floats, Floats], Floats]] = {
    "youden": lambda sens, spec: sens + spec,
    "closest_to_corner": lambda sens, spec: -((1 - sens) ** 2 + (1 - spec) ** 2),
    "product": lambda sens, spec: sens * spec,
    "equal": lambda sens, spec: -np.abs(sens - spec),
}
