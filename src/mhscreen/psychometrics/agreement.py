"""Agreement of occasions or informants: intraclass correlations and weighted kappa.

The same figures serve test–retest (a column per occasion) and informants (a column per
informant). Informants of one pupil see other situations: that they agree little is no fault of
the instrument, and none of them is averaged away in triage.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import (
    check_choice,
    check_constant,
    check_enough,
    check_level,
    refuse,
)
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy

__all__ = [
    "IntraclassCorrelations",
    "Kappa",
    "KappaWeights",
    "assess_agreement",
    "assess_kappa",
]

KappaWeights = Literal["quadratic", "linear", "none"]
"""How a disagreement counts: by its square, by its size, or all alike."""

_ROUNDING = 1e-12  # of a variance
_FORMS = ("ICC(1,1)", "ICC(A,1)", "ICC(C,1)", "ICC(1,k)", "ICC(A,k)", "ICC(C,k)")


@dataclass(frozen=True, repr=False, eq=False)
class IntraclassCorrelations(Result):
    """The six forms of the intraclass correlation.

    Attributes
    ----------
    form : tuple of str
        ``ICC(1,·)``: every pupil has other raters. ``ICC(A,·)``: absolute agreement of the same
        raters. ``ICC(C,·)``: consistency, level differences between raters ignored. ``·`` is 1
        for one rating and k for the mean of all (McGraw & Wong 1996; Shrout & Fleiss 1979 call
        them 1, 2, 3).
    estimate, low, high : ndarray, shape (6,)
        The correlations and their intervals from the F distribution.
    raters : tuple of str
        The occasions or informants.
    mean : ndarray, shape (raters,)
        The mean of each: a shift between occasions or informants shows here.
    level : float
        Of the intervals.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    form: tuple[str, ...]
    estimate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    raters: tuple[str, ...]
    mean: NDArray[np.float64]
    level: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def __getitem__(self, form: str) -> float:
        """Return the estimate of one form."""
        if form not in self.form:
            msg = f"no form {form!r}; there are {', '.join(self.form)}"
            raise UsageError(msg)
        return float(self.estimate[self.form.index(form)])

    def title(self) -> str:
        """Return what this is."""
        return f"Agreement of {', '.join(self.raters)}; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each form."""
        return {
            "form": list(self.form),
            "estimate": self.estimate,
            "low": self.low,
            "high": self.high,
            "level": [self.level] * len(self.form),
        }

    def _draw(self, ax: Axes) -> None:
        for place, (low, high) in enumerate(zip(self.low, self.high, strict=True)):
            ax.plot([low, high], [place, place], color="C0")
        ax.plot(self.estimate, range(len(self.form)), "o", color="C0")
        ax.set_yticks(range(len(self.form)), self.form)
        ax.invert_yaxis()
        ax.set(xlabel="intraclass correlation", xlim=(min(0, float(self.low.min())), 1))


@dataclass(frozen=True, repr=False, eq=False)
class Kappa(Result):
    """Agreement beyond chance of two ratings in categories.

    Attributes
    ----------
    estimate, low, high : float
        Kappa and its interval.
    se : float
        Its standard error (Fleiss, Cohen & Everitt 1969).
    agreement : float
        The share of equal ratings.
    kappa_weights : str
        How disagreements count.
    raters : tuple of str
        The two.
    level : float
        Of the interval.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    estimate: float
    low: float
    high: float
    se: float
    agreement: float
    kappa_weights: str
    raters: tuple[str, ...]
    level: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return f"Kappa of {' and '.join(self.raters)}; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return one row."""
        names = ("kappa_weights", "estimate", "low", "high", "se", "agreement", "level")
        return {name: [getattr(self, name)] for name in names}


def assess_agreement(
    ratings: object,
    *,
    raters: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    level: float = 0.95,
) -> IntraclassCorrelations:
    """Return how far occasions or informants agree on scores.

    Parameters
    ----------
    ratings : dataframe, mapping, or array of shape (pupils, raters)
        A row for each pupil, a column for each occasion or informant.
    raters : sequence of str, optional
        The columns; all by default.
    weights : str or array_like of shape (pupils,), optional
        Of a survey, see `as_answers`: correlations of the population; intervals by the effective
        number of pupils (Kish 1965).
    missing : str
        ``"complete"`` only: pupils with every rating.
    level : float
        Of the intervals.

    Raises
    ------
    AnalysisError
        With MH705 for fewer than three pupils, MH702 where a rater scores all pupils alike.

    Examples
    --------
    >>> found = assess_agreement({"first": [9, 6, 8, 7, 10, 6], "again": [8, 6, 9, 6, 9, 5]})
    >>> round(found["ICC(A,1)"], 2)
    0.86

    References
    ----------
    Shrout PE, Fleiss JL (1979). Psychological Bulletin 86, 420-428. McGraw KO, Wong SP (1996).
    Psychological Methods 1, 30-46.
    """
    kept, basis = _ratings(ratings, raters, weights, missing)
    check_level(level)
    values, share = kept.values(), _shares(kept)
    count = values.shape[1]
    log = ProblemLog()
    check_enough(len(values), 3, "agreement is between pupils", log)
    refuse(log)
    pupils = 1 / float(np.sum(share**2))  # all of them, or the effective number
    row, column = values.mean(axis=1), share @ values
    grand = float(column.mean())
    check_constant(kept.items, np.ptp(values, axis=0), log)
    refuse(log)
    of_means = float(share @ (row - grand) ** 2)
    alike = of_means <= _ROUNDING * float(np.mean(share @ (values - grand) ** 2))
    check_constant(["the pupils' means"], np.array([0.0 if alike else of_means]), log)
    refuse(log)
    every = pupils * share
    between = count * float(every @ (row - grand) ** 2) / (pupils - 1)
    within = float(np.sum(every @ (values - row[:, None]) ** 2)) / (pupils * (count - 1))
    raters_square = pupils * float(np.sum((column - grand) ** 2)) / (count - 1)
    residual = values - row[:, None] - column + grand
    error = float(np.sum(every @ residual**2)) / ((pupils - 1) * (count - 1))
    estimate, low, high = _six(between, within, raters_square, error, pupils, count, level)
    return IntraclassCorrelations(
        _FORMS, estimate, low, high, kept.items, column, level, basis, tuple(log.problems)
    )


def assess_kappa(
    ratings: object,
    *,
    raters: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    kappa_weights: KappaWeights = "quadratic",
    level: float = 0.95,
) -> Kappa:
    """Return how far two occasions or informants agree on categories, beyond chance.

    Parameters
    ----------
    ratings : dataframe, mapping, or array of shape (pupils, 2)
        Categories as numbers, whose distances count.
    raters : sequence of str, optional
        The two columns.
    weights : str or array_like of shape (pupils,), optional
        Of a survey, see `as_answers`; the standard error knows that a pupil of weight 4 is one.
    missing : str
        ``"complete"`` only: pupils with both ratings.
    kappa_weights : str
        How disagreements count: ``"quadratic"``, ``"linear"`` or ``"none"`` (Cohen's kappa).
    level : float
        Of the interval.

    Raises
    ------
    AnalysisError
        With MH702 where a rater rates all pupils alike, MH705 for fewer than three pupils.

    Examples
    --------
    >>> found = assess_kappa({"parent": [0, 1, 2, 2, 0, 1], "teacher": [0, 1, 1, 2, 0, 2]})
    >>> round(found.estimate, 2)
    0.75

    References
    ----------
    Cohen J (1968). Psychological Bulletin 70, 213-220. Fleiss JL, Cohen J, Everitt BS (1969).
    Psychological Bulletin 72, 323-327.
    """
    from scipy.special import ndtri

    kept, basis = _ratings(ratings, raters, weights, missing)
    check_level(level)
    values = kept.values()
    if values.shape[1] != 2:  # noqa: PLR2004 - kappa is of a pair
        msg = f"kappa is of two ratings, not of {values.shape[1]}"
        raise UsageError(msg)
    check_choice("kappa_weights", kappa_weights, "quadratic", "linear", "none")
    log = ProblemLog()
    check_enough(len(values), 3, "agreement is between pupils", log)
    refuse(log)
    known, place = np.unique(values, return_inverse=True)
    refuse(log)
    check_constant(kept.items, np.ptp(values, axis=0), log)
    refuse(log)
    size = len(known)
    cell = place.reshape(values.shape) @ np.array([size, 1])
    of_pupil = _shares(kept)
    share = np.bincount(cell, weights=of_pupil, minlength=size**2).reshape(size, size)
    square = np.bincount(cell, weights=of_pupil**2, minlength=size**2).reshape(size, size)
    row, column = share.sum(axis=1), share.sum(axis=0)
    apart = np.abs(known[:, None] - known) / (known[-1] - known[0])
    if kappa_weights == "none":
        weight = (apart == 0).astype(np.float64)
    else:
        weight = 1 - apart ** (2 if kappa_weights == "quadratic" else 1)
    observed, expected = float(np.sum(weight * share)), float(row @ weight @ column)
    estimate = (observed - expected) / (1 - expected)
    mean_weight = (weight @ column)[:, None] + row @ weight
    influence = weight * (1 - expected) - mean_weight * (1 - observed)
    centred = influence - (observed * expected - 2 * expected + observed)
    se = sqrt(float(np.sum(square * centred**2))) / (1 - expected) ** 2
    reach = float(ndtri((1 + level) / 2)) * se
    return Kappa(
        estimate=estimate,
        low=estimate - reach,
        high=min(estimate + reach, 1),
        se=se,
        agreement=float(np.trace(share)),
        kappa_weights=kappa_weights,
        raters=kept.items,
        level=level,
        basis=basis,
        problems=tuple(log.problems),
    )


# -- parts ----------------------------------------------------------------------------------------


def _ratings(
    ratings: object,
    raters: Sequence[str] | None,
    weights: str | ArrayLike | None,
    missing: str,
) -> tuple[Answers, str]:
    """Return complete ratings, and what they rest on."""
    check_choice("missing", missing, "complete")
    taken = as_answers(ratings, raters, weights=weights)
    if len(taken.items) < 2:  # noqa: PLR2004 - agreement is between two
        msg = "at least two columns are needed, one for each occasion or informant"
        raise UsageError(msg)
    kept = taken.only(taken.complete())
    left = taken.forms - kept.forms
    words = f", {left} left out for blanks" if left else ""
    weighted = "" if kept.weights is None else ", weighted"
    return kept, f"{kept.forms} pupils{words}{weighted}, missing='complete'"


def _shares(answers: Answers) -> NDArray[np.float64]:
    """Return what each pupil weighs; the sum is 1."""
    if answers.weights is None:
        return np.full(answers.forms, 1 / max(answers.forms, 1))
    return answers.weights / (answers.weights.sum() or 1.0)


_Six = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def _six(
    between: float,
    within: float,
    raters: float,
    error: float,
    pupils: float,
    count: int,
    level: float,
) -> _Six:
    """Return estimates and limits of the six forms, from the mean squares."""
    from scipy.special import fdtri

    n, k = pupils, count
    tail = 1 - (1 - level) / 2

    def limits(ratio: float, free: float) -> tuple[float, float]:
        return tuple(  # type: ignore[return-value] # two
            (edge - 1) / (edge + k - 1) if np.isfinite(edge) else 1.0
            for edge in (ratio / fdtri(n - 1, free, tail), ratio * fdtri(free, n - 1, tail))
        )

    absolute = (between - error) / (between + (k - 1) * error + k * (raters - error) / n)
    exact = not error and not raters
    single = np.array(
        [
            ((between - within) / (between + (k - 1) * within), *limits(
                between / within if within else np.inf, n * (k - 1)
            )),
            (absolute, *((1.0, 1.0) if exact else _absolute_limits(
                between, raters, error, n, k, absolute, tail
            ))),
            ((between - error) / (between + (k - 1) * error), *limits(
                between / error if error else np.inf, (n - 1) * (k - 1)
            )),
        ]
    )  # fmt: skip
    both = np.vstack([single, k * single / (1 + (k - 1) * single)])
    return both[:, 0], both[:, 1], both[:, 2]


def _absolute_limits(
    between: float, raters: float, error: float, n: float, k: int, absolute: float, tail: float
) -> tuple[float, float]:
    """Return the limits of absolute agreement, with Satterthwaite's degrees of freedom."""
    from scipy.special import fdtri

    a = k * absolute / (n * (1 - absolute))
    b = 1 + k * absolute * (n - 1) / (n * (1 - absolute))
    free = (a * raters + b * error) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    down, up = fdtri(n - 1, free, tail), fdtri(free, n - 1, tail)
    rest = k * raters + (k * n - k - n) * error
    low = n * (between - down * error) / (down * rest + n * between)
    high = n * (up * between - error) / (rest + n * up * between)
    return float(low), float(high)
