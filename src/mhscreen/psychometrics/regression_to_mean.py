"""What a group chosen for its high scores would have done anyway.

Pupils who were picked because of a score stand nearer to the mean the next time, whatever is
done for them: part of the score that picked them was chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.change import paired
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from mhscreen.psychometrics.change import Wave

__all__ = ["RegressionToMean", "expected_regression", "split_change"]


@dataclass(frozen=True, eq=False, repr=False)
class RegressionToMean(Result):
    """The mean change of those at or beyond a cut, and how much of it was to be expected.

    Attributes
    ----------
    pupils : int
        How many were at or beyond the cut in the first wave.
    observed : float
        Their mean change.
    expected : float
        What regression to the mean alone gives.
    beyond, low, high : float
        Observed less expected, with its interval; it holds mean and correlation for known.
    note : str
        What the expectation rests on.
    """

    pupils: int
    observed: float
    expected: float
    beyond: float
    low: float
    high: float
    note: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what the expectation rests on."""
        return f"Change of {self.pupils} pupils chosen by their first score; {self.note}"

    def columns(self) -> dict[str, Any]:
        """Return one row."""
        names = ("pupils", "observed", "expected", "beyond", "low", "high")
        return {name: [getattr(self, name)] for name in names}


def expected_regression(*, sd: float, correlation: float, mean: float, cut: float) -> float:
    """Return the mean change of those at or above a cut, of normal scores (Davis 1976).

    Parameters
    ----------
    sd, mean : float
        Of all pupils, in the first wave.
    correlation : float
        Of the two waves, among pupils for whom nothing was done.
    cut : float

    Examples
    --------
    >>> round(expected_regression(sd=5, correlation=0.7, mean=6, cut=10), 3)
    -2.051
    """
    from scipy.special import log_ndtr

    if not (sd > 0 and -1 <= correlation <= 1):
        msg = "sd is above 0, and the correlation lies between -1 and 1"
        raise UsageError(msg)
    z = (cut - mean) / sd
    ratio = np.exp(-0.5 * z * z - 0.5 * np.log(2 * np.pi) - log_ndtr(-z))
    return float(-(1 - correlation) * sd * ratio)


def split_change(
    before: Wave,
    after: Wave,
    *,
    cut: float,
    mean: float,
    correlation: float,
    source: str,
    higher_is: Literal["worse", "better"] = "worse",
    level: float = 0.95,
) -> RegressionToMean:
    """Split the mean change of those beyond a cut into what was to be expected and the rest.

    No distribution is assumed, only that the second score is linear in the first.

    Parameters
    ----------
    before, after : Wave
    cut : float
        Who is at it or beyond it in the first wave was chosen.
    mean, correlation : float
        Of all pupils, and between waves where nothing was done: never of the chosen ones alone.
    source : str
        Where these two come from.
    higher_is : {"worse", "better"}
    level : float

    Raises
    ------
    AnalysisError
        With MH725 for forms that are not alike, with MH705 where fewer than two were chosen.

    Examples
    --------
    >>> from mhscreen.psychometrics.change import Wave
    >>> def wave(label, score):
    ...     return Wave(label, list("ABCD"), score, "phq9@1.0.0", "total", "self", "two weeks")
    >>> found = split_change(wave("autumn", [12, 16, 3, 5]), wave("spring", [10, 11, 4, 5]),
    ...                      cut=10, mean=6, correlation=0.7, source="a made-up sample")
    >>> found.observed, round(found.expected, 3), round(found.beyond, 3)
    (-3.5, -2.4, -1.1)
    """
    if not source:
        msg = "mean and correlation need a source: not the chosen pupils themselves"
        raise UsageError(msg)
    if not -1 <= correlation <= 1:
        msg = f"a correlation lies between -1 and 1, not {correlation}"
        raise UsageError(msg)
    _, (first, second), problems = paired([before, after])
    chosen = first >= cut if higher_is == "worse" else first <= cut
    number = int(chosen.sum())
    if number < 2:  # noqa: PLR2004 - no interval from one
        problem = Problem("MH705", f"{number} pupils are beyond the cut", "two of them, at least")
        raise AnalysisError([problem])
    change = (second - first)[chosen]
    expected = (correlation - 1) * (first[chosen] - mean)
    rest = change - expected
    half = normal_quantile(level) * float(rest.std(ddof=1)) / np.sqrt(number)
    centre = float(rest.mean())
    note = f"mean {mean:g}, correlation {correlation:g} ({source})"
    return RegressionToMean(
        number, float(change.mean()), float(expected.mean()), centre, centre - half, centre + half,
        note, problems,
    )  # fmt: skip
