"""Coefficients of reliability, and what all ways to them share."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.checks import check_copies, perfect_pairs, refuse
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.moments import Moments

__all__ = [
    "Coefficient",
    "Reliability",
    "item_rest",
    "look_at_sum",
    "reliability_of",
    "runs_against",
]

_CLEARLY = 0.1  # how far below 0 an item–rest correlation is, whatever the number of forms
_ERRORS = 2.0  # and how many standard errors
_GAP = 1e-8


@dataclass(frozen=True)
class Coefficient:
    """One coefficient of reliability.

    Attributes
    ----------
    name : str
        Which.
    estimate : float
        The coefficient.
    low, high : float
        Its interval; NaN where none was asked for or there is none.
    interval : str
        How the interval was found.
    of_raw_sum : bool
        Whether it is the reliability of the plain sum of the answers, so that a standard error of
        measurement in their unit follows from it.
    """

    name: str
    estimate: float
    low: float = nan
    high: float = nan
    interval: str = "none"
    of_raw_sum: bool = True


@dataclass(frozen=True, repr=False, eq=False)
class Reliability(Result):
    """Coefficients of reliability of the sum of some items.

    Attributes
    ----------
    items : tuple of str
        The items.
    coefficients : tuple of Coefficient
        The coefficients.
    total_sd : float
        The standard deviation of the sum in the same forms.
    level : float
        The confidence level of the intervals.
    basis : str
        What the figures rest on: forms, blanks, weights.
    problems : tuple of Problem
        What to know first.
    """

    items: tuple[str, ...]
    coefficients: tuple[Coefficient, ...]
    total_sd: float
    level: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, name: str) -> Coefficient:
        """Return a coefficient by its name."""
        for one in self.coefficients:
            if one.name == name:
                return one
        msg = f"no coefficient {name!r}; there are {', '.join(o.name for o in self.coefficients)}"
        raise UsageError(msg)

    def sem(self, name: str) -> float:
        """Return the standard error of measurement of the sum, by one of the coefficients."""
        one = self[name]
        if not one.of_raw_sum or one.estimate > 1:
            return nan
        return self.total_sd * sqrt(1 - one.estimate)

    def title(self) -> str:
        """Return what this is."""
        return f"Reliability of the sum of {len(self.items)} items; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each coefficient; ``sem`` is in the unit of the sum."""
        every = self.coefficients
        return {
            "coefficient": [one.name for one in every],
            "estimate": [one.estimate for one in every],
            "low": [one.low for one in every],
            "high": [one.high for one in every],
            "interval": [one.interval for one in every],
            "level": [self.level] * len(every),
            "sem": [self.sem(one.name) for one in every],
        }

    def _draw(self, ax: Axes) -> None:
        every = self.coefficients[::-1]
        for place, one in enumerate(every):
            ax.plot([one.low, one.high], [place, place], color="C0")
            ax.plot([one.estimate], [place], "o", color="C0")
        ax.set(xlabel="reliability", xlim=(min(0, *(o.estimate for o in every)), 1))
        ax.set_yticks(range(len(every)), [one.name for one in every])


def item_rest(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of each item with the sum of the others, from covariances."""
    with_total = covariance.sum(axis=1)
    variances = np.diag(covariance)
    rest = covariance.sum() - 2 * with_total + variances
    shared = with_total - variances
    varies = rest > _GAP * variances
    return np.asarray(
        np.divide(shared, np.sqrt(variances * rest), out=np.full(len(rest), nan), where=varies)
    )


def runs_against(correlation: NDArray[np.float64], forms: float) -> NDArray[np.bool_]:
    """Return which item–rest correlations are clearly below nought."""
    return np.asarray(correlation < -max(_CLEARLY, _ERRORS / sqrt(forms)))


def reliability_of(
    found: Moments, coefficients: tuple[Coefficient, ...], level: float, log: ProblemLog
) -> Reliability:
    """Return coefficients with what they rest on."""
    return Reliability(
        items=found.items,
        coefficients=coefficients,
        total_sd=sqrt(found.covariance.sum()),
        level=level,
        basis=found.words(),
        problems=tuple(log.problems),
    )


def look_at_sum(found: Moments, *, copies: bool = False) -> ProblemLog:
    """Refuse a sum that does not vary; warn (MH712) of each item that runs against the others.

    With `copies` also (MH716) of two that determine each other: not where those are refused.

    Raises
    ------
    AnalysisError
        With MH706 where the items cancel out.
    """
    log = ProblemLog()
    if found.covariance.sum() <= _GAP * np.trace(found.covariance):
        log.add(
            "MH706",
            "the sum of the items does not vary",
            expected="items that point the same way",
            hint="if items are reversed, say so: as_answers(…, reverse=[…], between=(…))",
        )
        refuse(log)
    for item, against in zip(
        found.items, runs_against(item_rest(found.covariance), found.n), strict=True
    ):
        if against:
            log.add(
                "MH712",
                "runs against the sum of the other items",
                path=item,
                hint="if the item is reversed, say so: as_answers(…, reverse=[…], between=(…))",
            )
    if copies:
        check_copies(found.items, perfect_pairs(found.correlation), log)
    return log
