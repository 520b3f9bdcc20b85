"""Items one by one: how hard, how well they go with the others, what each option says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import check_choice, check_copies, check_gaps, perfect_pairs
from mhscreen.psychometrics.coefficients import item_rest, runs_against
from mhscreen.psychometrics.moments import moments
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy

__all__ = ["ItemAnalysis", "OptionCurves", "analyse_items", "trace_options"]

_ERRORS = 2.0  # standard errors from which options are clearly out of order
_LEAST = 10  # answers, from which an option's mean is looked at
_BANDS = 5


@dataclass(frozen=True, repr=False, eq=False)
class ItemAnalysis(Result):
    """One row per item.

    Attributes
    ----------
    items : tuple of str
        The items.
    answered : ndarray of int, shape (items,)
        The forms that answer the item.
    blank : ndarray, shape (items,)
        The share of the forms that do not.
    mean, sd : ndarray, shape (items,)
        Over all forms that answer the item.
    difficulty : ndarray, shape (items,)
        The mean as a share of the way from the lowest to the highest answer: 0 nobody endorses,
        1 everybody does.
    floor, ceiling : ndarray, shape (items,)
        The shares of the lowest and of the highest answer.
    item_rest : ndarray, shape (items,)
        The correlation with the sum of the other items.
    alpha_without : ndarray, shape (items,)
        Alpha of the other items; NaN of two items.
    alpha : float
        Alpha of all of them.
    between : (float, float)
        The lowest and the highest answer that were reckoned with.
    basis : str
        What the correlations and alpha rest on.
    problems : tuple of Problem
        Items that run against the others (MH712), options that nobody chose (MH703).
    """

    items: tuple[str, ...]
    answered: NDArray[np.int64]
    blank: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    difficulty: NDArray[np.float64]
    floor: NDArray[np.float64]
    ceiling: NDArray[np.float64]
    item_rest: NDArray[np.float64]
    alpha_without: NDArray[np.float64]
    alpha: float
    between: tuple[float, float]
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return f"{len(self.items)} items, alpha {self.alpha:.3f}; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each item."""
        names = (
            "answered", "blank", "mean", "sd", "difficulty", "floor", "ceiling", "item_rest",
            "alpha_without",
        )  # fmt: skip
        return {"item": list(self.items), **{name: getattr(self, name) for name in names}}

    def _draw(self, ax: Axes) -> None:
        ax.barh(self.items, self.item_rest)
        ax.axvline(0, color="black", linewidth=0.8)
        ax.invert_yaxis()
        ax.set(xlabel="correlation with the sum of the other items")


@dataclass(frozen=True, repr=False, eq=False)
class OptionCurves(Result):
    """How often each option is chosen, from low to high sums of the other items.

    Attributes
    ----------
    item, option, band : ndarray, shape (rows,)
        A row for each option of each item in each band; band 1 has the lowest sums.
    forms : ndarray of int, shape (rows,)
        The forms in the band.
    rest : ndarray, shape (rows,)
        The mean sum of the other items in the band.
    share : ndarray, shape (rows,)
        The share of these forms that chose the option.
    option_rest : ndarray, shape (rows,)
        The mean sum of the other items over all forms that chose the option.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Options out of order (MH715).
    """

    item: NDArray[np.object_]
    option: NDArray[np.float64]
    band: NDArray[np.int64]
    forms: NDArray[np.int64]
    rest: NDArray[np.float64]
    share: NDArray[np.float64]
    option_rest: NDArray[np.float64]
    basis: str
    problems: tuple[Problem, ...] = ()

    def of(self, item: str) -> OptionCurves:
        """Return the curves of one item."""
        mask = self.item == item
        if not mask.any():
            msg = f"no item {item}"
            raise UsageError(msg)
        rows = {name: getattr(self, name)[mask] for name in _CURVES}
        here = tuple(problem for problem in self.problems if problem.path == item)
        return replace(self, **rows, problems=here)

    def title(self) -> str:
        """Return what this is."""
        return f"Option curves of {len(set(self.item))} items; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each option of each item in each band."""
        return {name: getattr(self, name) for name in _CURVES}

    def _draw(self, ax: Axes) -> None:
        if len(set(self.item)) > 1:
            msg = "one item makes a picture: curves.of('…').plot()"
            raise UsageError(msg)
        for option in np.unique(self.option):
            mask = self.option == option
            ax.plot(self.rest[mask], self.share[mask], marker="o", label=f"{option:g}")
        ax.set(xlabel="sum of the other items", ylabel="share", ylim=(0, 1), title=self.item[0])
        ax.legend(title="option")


_CURVES = ("item", "option", "band", "forms", "rest", "share", "option_rest")


def analyse_items(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    between: tuple[float, float] | None = None,
) -> ItemAnalysis:
    """Describe each item and how it goes with the others.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`; keyed, so that all items point the same way.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` or ``"pairwise"``, for the correlations and alpha. Mean, floor and ceiling
        of an item always rest on all forms that answer it.
    between : (float, float), optional
        The lowest and the highest answer there is; by default that of any item in the data.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH705, MH710), or outside `between` (MH701).

    Examples
    --------
    >>> answers = {"a": [1, 2, 3, 4, 2], "b": [2, 2, 4, 5, 1], "c": [5, 3, 3, 1, 4]}
    >>> found = analyse_items(answers)
    >>> found.item_rest.round(2)
    array([ 0.  , -0.39, -0.89])
    >>> found.problems[-1].path
    'c'
    """
    taken = as_answers(answers, items, weights=weights, between=between)
    found = moments(taken, missing=missing)
    low, high = between or _range(taken)
    weight = np.ones(taken.forms) if taken.weights is None else taken.weights
    there = taken.answered()
    size = there @ weight
    values = np.where(there, taken.cells, 0).astype(np.float64)
    mean = values @ weight / size
    squares = np.where(there, (values - mean[:, None]) ** 2, 0) @ weight
    effective = size**2 / (there @ weight**2)
    correlation = item_rest(found.covariance)
    log = ProblemLog()
    check_gaps(taken, log)
    check_copies(found.items, perfect_pairs(found.correlation), log)
    for item, against in zip(taken.items, runs_against(correlation, found.n), strict=True):
        if against:
            log.add(
                "MH712",
                "runs against the sum of the other items",
                path=item,
                hint="if the item is reversed, say so: as_answers(…, reverse=[…], between=(…))",
            )
    return ItemAnalysis(
        items=taken.items,
        answered=there.sum(axis=1),
        blank=1 - size / weight.sum(),
        mean=mean,
        sd=np.sqrt(squares / (size * (1 - 1 / effective))),
        difficulty=(mean - low) / (high - low),
        floor=np.where(there, taken.cells == low, 0) @ weight / size,
        ceiling=np.where(there, taken.cells == high, 0) @ weight / size,
        item_rest=correlation,
        alpha_without=_alpha_without(found.covariance),
        alpha=_alpha_of(found.covariance.sum(), np.trace(found.covariance), len(taken.items)),
        between=(low, high),
        basis=found.words(),
        problems=tuple(log.problems),
    )


def trace_options(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    bands: int = _BANDS,
) -> OptionCurves:
    """Show who chooses which option: shares of each option over bands of the other items' sum.

    With a key that is right, the higher an option the more it is chosen as the sum of the other
    items rises. Where those who chose a higher option score clearly lower on the others, the
    options may be coded in another order, or be understood otherwise than meant (MH715).

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`; keyed.
    items, weights
        See `as_answers`. With weights, shares are those of the population; bands hold about equal
        parts of it, and `forms` counts forms.
    missing : str
        ``"complete"`` only: the sum of the other items needs them all.
    bands : int
        Into how many groups of about equal size the forms are put; ties stay together.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH701, MH702, MH705).
    """
    check_choice("missing", missing, "complete")
    if bands < 2:  # noqa: PLR2004 - low and high
        msg = f"at least two bands are needed, not {bands}"
        raise UsageError(msg)
    taken = as_answers(answers, items, weights=weights)
    found = moments(taken, missing=missing)
    if taken.any_blank:
        taken = taken.only(taken.complete())
    places, known = taken.places(), taken.categories()
    total = taken.cells.sum(axis=0, dtype=np.float64)
    weight = np.ones(taken.forms) if taken.weights is None else taken.weights
    log = ProblemLog()
    check_gaps(taken, log)
    check_copies(found.items, perfect_pairs(found.correlation), log)
    parts = [
        _curve(item, options, chosen, total - answer, weight, bands, log)
        for item, options, chosen, answer in zip(
            taken.items, known, places, taken.cells, strict=True
        )
    ]
    item, option, band, forms, rest, share, option_rest = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return OptionCurves(
        item, option, band, forms, rest, share, option_rest, found.words(), tuple(log.problems)
    )


# -- parts ----------------------------------------------------------------------------------------


def _range(answers: Answers) -> tuple[float, float]:
    """Return the lowest and the highest answer of any item."""
    known = [row for row in answers.categories() if len(row)]
    return float(min(row[0] for row in known)), float(max(row[-1] for row in known))


def _alpha_of(total: float, inner: float, count: int) -> float:
    if not total > 0:
        return float("nan")
    return float(count / (count - 1) * (1 - inner / total))


def _alpha_without(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return alpha without each item in turn."""
    count = len(covariance)
    if count <= 2:  # noqa: PLR2004 - one item has no alpha
        return np.full(count, np.nan)
    variances = np.diag(covariance)
    inner = variances.sum() - variances
    total = covariance.sum() - 2 * covariance.sum(axis=1) + variances
    return np.array([_alpha_of(t, i, count - 1) for t, i in zip(total, inner, strict=True)])


def _edges(
    rest: NDArray[np.float64], weight: NDArray[np.float64], bands: int
) -> NDArray[np.float64]:
    """Return where bands of about equal weight end."""
    marks = np.arange(1, bands) / bands
    if np.all(weight == weight[0]):
        return np.unique(np.quantile(rest, marks))
    order = np.argsort(rest, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return np.unique(rest[order][np.searchsorted(reached, marks)])


def _curve(
    item: str,
    options: NDArray[np.float64],
    chosen: NDArray[np.int8],
    rest: NDArray[np.float64],
    weight: NDArray[np.float64],
    bands: int,
    log: ProblemLog,
) -> tuple[NDArray[Any], ...]:
    """Return the rows of one item."""
    band = np.searchsorted(_edges(rest, weight, bands), rest)  # a sum at an edge: the lower band
    _, band = np.unique(band, return_inverse=True)
    most = int(band.max()) + 1
    count = np.bincount(band, minlength=most)
    heavy = np.bincount(band, weight, minlength=most)
    middle = np.bincount(band, weight * rest, minlength=most) / heavy
    table = np.bincount(chosen * most + band, weight, minlength=len(options) * most)
    share = table.reshape(len(options), most) / heavy
    size = np.bincount(chosen, weight, minlength=len(options))
    forms = size**2 / np.bincount(chosen, weight**2, minlength=len(options))
    mean = np.bincount(chosen, weight * rest, minlength=len(options)) / size
    square = np.bincount(chosen, weight * rest**2, minlength=len(options)) / size
    error = np.sqrt(np.maximum(square - mean**2, 0) / forms)
    for place in range(1, len(options)):
        if min(forms[place - 1], forms[place]) < _LEAST:
            continue
        apart = sqrt(error[place] ** 2 + error[place - 1] ** 2)
        if mean[place] < mean[place - 1] - _ERRORS * apart:
            log.add(
                "MH715",
                "those who chose a higher option score clearly lower on the other items",
                path=item,
                expected="sums of the other items that rise from option to option",
                hint="look at trace_options(…).of(item).plot(): is an option coded out of order?",
            )
            break
    rows = len(options) * most
    return (
        np.full(rows, item, dtype=object),
        np.repeat(options, most),
        np.tile(np.arange(1, most + 1), len(options)),
        np.tile(count, len(options)),
        np.tile(middle, len(options)),
        share.ravel(),
        np.repeat(mean, most),
    )
