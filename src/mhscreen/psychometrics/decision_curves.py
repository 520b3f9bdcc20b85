"""What flagging by a cut is worth, set against flagging all and none.

Net benefit (Vickers and Elkin 2006): the share of true flags less the share of false ones, a false
flag counting for as much as the threshold says. At a threshold of 0.1 nine needless interviews
weigh as much as one pupil found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import UsageError, expect
from mhscreen.psychometrics.accuracy import Accuracy
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.problems import Problem

    Floats = NDArray[np.float64]

__all__ = ["DecisionCurve", "weigh_cuts"]

_ALL, _NONE = "all", "none"


@dataclass(frozen=True, eq=False, repr=False)
class DecisionCurve(Result):
    """Net benefit by way of flagging and threshold.

    Attributes
    ----------
    ways : tuple of str
        ``all``, ``none``, and each cut.
    thresholds : ndarray of float64, shape (thresholds,)
        The chance of the condition from which a flag is thought worth while.
    net_benefit, low, high : ndarray of float64, shape (ways, thresholds)
        Per pupil, in true flags; the interval holds the base rate for known.
    base_rate : float
        The share of pupils with the condition.
    label : str
        Whether the criterion was blind to the score.
    """

    ways: tuple[str, ...]
    thresholds: Floats
    net_benefit: Floats
    low: Floats
    high: Floats
    base_rate: float
    label: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what the benefit holds for."""
        return f"Net benefit per pupil, base rate {self.base_rate:g} (criterion: {self.label})"

    def columns(self) -> dict[str, Any]:
        """Return a row for each way and threshold."""
        size = len(self.thresholds)
        return {
            "way": np.repeat(np.array(self.ways, dtype=object), size),
            "threshold": np.tile(self.thresholds, len(self.ways)),
            "net_benefit": self.net_benefit.ravel(),
            "low": self.low.ravel(),
            "high": self.high.ravel(),
        }

    def _draw(self, ax: Axes) -> None:
        for way, benefit in zip(self.ways, self.net_benefit, strict=True):
            style = ":" if way in {_ALL, _NONE} else "-"
            ax.plot(self.thresholds, benefit, linestyle=style, label=way)
        ax.set(xlabel="threshold", ylabel="net benefit", ylim=(-0.05 * self.base_rate, None))
        ax.legend()


def weigh_cuts(
    accuracy: Accuracy,
    *,
    base_rate: float,
    thresholds: Sequence[float],
    cuts: Sequence[float] | None = None,
) -> DecisionCurve:
    """Weigh some cuts against flagging all pupils and none.

    Parameters
    ----------
    accuracy : Accuracy
        As `mhscreen.psychometrics.assess_accuracy` gives it.
    base_rate : float
        The share of pupils with the condition, with a source of its own.
    thresholds : sequence of float
        Chances of the condition, between 0 and 1, from which a flag is thought worth while.
    cuts : sequence of float, optional
        By default those of `accuracy`.

    Examples
    --------
    >>> from mhscreen.psychometrics.accuracy import Criterion, assess_accuracy
    >>> interview = Criterion("an interview", knew_score=False)
    >>> found = assess_accuracy([0, 1, 1, 2, 3, 3, 4, 5], [0, 0, 0, 0, 1, 0, 1, 1],
    ...                         criterion=interview, cuts=[3])
    >>> curve = weigh_cuts(found, base_rate=0.1, thresholds=[0.1])
    >>> curve.ways, curve.net_benefit.round(3).ravel().tolist()
    (('all', 'none', 'at or above 3'), [0.0, 0.0, 0.08])
    """
    expect("accuracy", accuracy, Accuracy)
    levels = np.asarray(thresholds, dtype=np.float64)
    if not 0 < base_rate < 1 or not bool(((levels > 0) & (levels < 1)).all()):
        msg = "base_rate and thresholds lie between 0 and 1"
        raise UsageError(msg)
    cells = accuracy.cells
    wanted = accuracy.cuts if cuts is None else np.asarray(cuts, dtype=np.float64)
    sign = -1.0 if accuracy.lower_is_worse else 1.0
    places = np.searchsorted(cells.values, sign * wanted - 1e-9)
    size = len(cells.values)
    flagged = np.arange(size) >= np.concatenate([[0, size], places])[:, None]
    harm = (1 - base_rate) * levels / (1 - levels)
    cases, others = float(cells.cases.sum()), float(cells.others.sum())
    sens = (flagged * cells.cases).sum(axis=-1) / cases
    false = (flagged * cells.others).sum(axis=-1) / others
    benefit = base_rate * sens[:, None] - harm * false[:, None]
    of_cases = np.broadcast_to(
        (base_rate * (flagged - sens[:, None]) / cases)[:, None, :], (*benefit.shape, size)
    )
    of_others = -harm[:, None] * ((flagged - false[:, None]) / others)[:, None, :]
    se = np.sqrt(np.maximum(cells.variance(of_cases, of_others), 0.0))
    half = normal_quantile(accuracy.level) * se
    side = "at or below" if accuracy.lower_is_worse else "at or above"
    ways = (_ALL, _NONE, *(f"{side} {cut:g}" for cut in wanted.tolist()))
    return DecisionCurve(
        ways,
        levels,
        benefit,
        benefit - half,
        benefit + half,
        base_rate,
        accuracy.criterion.label,
        accuracy.problems,
    )
