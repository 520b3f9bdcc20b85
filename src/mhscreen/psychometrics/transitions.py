"""Where pupils stand at one screening, and where at the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import UsageError
from mhscreen.psychometrics.intervals import check_level, wilson
from mhscreen.psychometrics.results import Result
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.problems import Problem

__all__ = ["ABSENT", "Transitions", "tabulate_transitions"]

ABSENT = "absent"
"""On the roster of one screening only."""


@dataclass(frozen=True, eq=False, repr=False)
class Transitions(Result):
    """How many pupils go from each state to each.

    Attributes
    ----------
    states : tuple of str
        The tiers in their order, then those off the scale, then ``absent``.
    counts : ndarray of int64, shape (states, states)
        Rows: the first screening.
    share, low, high : ndarray of float64, shape (states, states)
        Of the pupils of the row, with Wilson's interval; NaN in an empty row.
    statistic, df, p : float
        Stuart's and Maxwell's test that the shares of the tiers are the same in both screenings,
        over pupils with a tier in both; NaN where it cannot be made.
    """

    states: tuple[str, ...]
    counts: NDArray[np.int64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    statistic: float
    df: int
    p: float
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the number of pupils and the test."""
        test = f"; shares alike: p = {self.p:.3g}" if not np.isnan(self.p) else ""
        return f"Screening tiers of {int(self.counts.sum())} pupils, first by second{test}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each pair of states that is possible."""
        size = len(self.states)
        names = np.array(self.states, dtype=object)
        return {
            "before": np.repeat(names, size),
            "after": np.tile(names, size),
            "pupils": self.counts.ravel(),
            "share": self.share.ravel(),
            "low": self.low.ravel(),
            "high": self.high.ravel(),
        }

    def _draw(self, ax: Axes) -> None:
        ax.imshow(np.nan_to_num(self.share), vmin=0, vmax=1, cmap="Greys")
        for row, column in np.argwhere(self.counts > 0).tolist():
            dark = self.share[row, column] > 0.5  # noqa: PLR2004 - half way to black
            ax.text(column, row, str(self.counts[row, column]), ha="center", va="center",
                    color="white" if dark else "black")  # fmt: skip
        ax.set_xticks(range(len(self.states)), self.states, rotation=45)
        ax.set_yticks(range(len(self.states)), self.states)
        ax.set(xlabel="second screening", ylabel="first screening")


def tabulate_transitions(
    before: Mapping[Any, str], after: Mapping[Any, str], *, level: float = 0.95
) -> Transitions:
    """Count the transitions between two screenings of one programme.

    Parameters
    ----------
    before, after : mapping of subject to str
        The screening tier of each pupil on the roster, ``undetermined`` and ``not_screened``
        included: who was not screened is never left out.
    level : float

    Raises
    ------
    UsageError
        If a tier is none.

    Examples
    --------
    >>> found = tabulate_transitions({"A": "none", "B": "severe"}, {"A": "none", "B": "general"})
    >>> found.to_frame().query("pupils > 0")[["before", "after", "pupils"]].values.tolist()
    [['none', 'none', 1], ['severe', 'general', 1]]
    """
    check_level(level)
    states = (*(str(tier) for tier in ScreenTier), ABSENT)
    place = {state: number for number, state in enumerate(states)}
    for tiers in (before, after):
        unknown = sorted({str(tier) for tier in tiers.values()} - set(states[:-1]))
        if unknown:
            msg = f"no tier {', '.join(unknown)}; there are {', '.join(states[:-1])}"
            raise UsageError(msg)
    counts = np.zeros((len(states), len(states)), dtype=np.int64)
    for subject in before.keys() | after.keys():
        row = place[str(before.get(subject, ABSENT))]
        counts[row, place[str(after.get(subject, ABSENT))]] += 1
    rows = counts.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share = np.where(rows > 0, counts / np.maximum(rows, 1), np.nan)
    low, high = wilson(counts, np.broadcast_to(rows, counts.shape), level)
    on_scale = place[str(ScreenTier.UNDETERMINED)]
    statistic, df, p = _marginal_homogeneity(counts[:on_scale, :on_scale])
    return Transitions(states, counts, share, low, high, statistic, df, p)


def _marginal_homogeneity(counts: NDArray[np.int64]) -> tuple[float, int, float]:
    """Return Stuart's and Maxwell's statistic, its degrees of freedom and p (Stuart 1955)."""
    from scipy.special import chdtrc

    used = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
    table = counts[np.ix_(used, used)].astype(np.float64)
    if len(table) < 2:  # noqa: PLR2004 - one state cannot move
        return np.nan, 0, np.nan
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    difference = (rows - columns)[:-1]
    covariance = -(table + table.T)
    np.fill_diagonal(covariance, rows + columns - 2 * np.diag(table))
    covariance = covariance[:-1, :-1]
    if np.linalg.matrix_rank(covariance) < len(covariance):
        return np.nan, 0, np.nan
    statistic = float(difference @ np.linalg.solve(covariance, difference))
    return statistic, len(difference), float(chdtrc(len(difference), statistic))
