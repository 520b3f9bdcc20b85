"""Polychoric correlations: of the normal variables that may stand behind ordered answers."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers, check_missing
from mhscreen.psychometrics.binormal import LARGEST, binormal_cdf, binormal_density
from mhscreen.psychometrics.checks import check_constant, check_enough, check_gaps, give_up, refuse
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy

__all__ = [
    "PairFit",
    "Polychoric",
    "check_categories",
    "correlate_ordered",
    "fit_pairs",
    "influence_of_cells",
]

_MOST_CATEGORIES = 20
_STEPS = 60
_CLOSE = 1e-9
_BLOCK = 8192  # forms
_TINY = 1e-300
_NO_FORM = 1e-12  # of a share: what rounding leaves of none


@dataclass(frozen=True, repr=False, eq=False)
class Polychoric(Result):
    """Polychoric correlations of all pairs of items.

    Attributes
    ----------
    items : tuple of str
        The items.
    correlation : ndarray, shape (items, items)
        The correlations.
    se : ndarray, shape (items, items)
        Their standard errors, which reckon with the thresholds being estimated, too; 0 on the
        diagonal, NaN where a correlation stopped at its bound.
    thresholds : tuple of ndarray
        For each item, where the underlying variable passes to the next category.
    categories : tuple of ndarray
        For each item, the answers that occur.
    pairs : ndarray, shape (items, items)
        The forms behind each correlation; with weights the effective number.
    n : float
        The smallest of them.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Options that nobody chose (MH703), correlations at their bound, a matrix that is not
        positive definite (MH713).
    """

    items: tuple[str, ...]
    correlation: NDArray[np.float64]
    se: NDArray[np.float64]
    thresholds: tuple[NDArray[np.float64], ...]
    categories: tuple[NDArray[np.float64], ...]
    pairs: NDArray[np.float64]
    n: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return f"Polychoric correlations of {len(self.items)} items; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each pair."""
        one, other = np.triu_indices(len(self.items), 1)
        names = np.array(self.items, dtype=object)
        return {
            "item": names[one],
            "other": names[other],
            "correlation": self.correlation[one, other],
            "se": self.se[one, other],
            "forms": self.pairs[one, other],
        }

    def _draw(self, ax: Axes) -> None:
        picture = ax.imshow(self.correlation, vmin=-1, vmax=1, cmap="RdBu_r")
        ax.set_xticks(range(len(self.items)), self.items, rotation=90)
        ax.set_yticks(range(len(self.items)), self.items)
        ax.figure.colorbar(picture, ax=ax, label="polychoric correlation")


def correlate_ordered(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
) -> Polychoric:
    """Estimate the polychoric correlation of every pair of items, in two steps.

    Thresholds come from the margins of each item; given them, each correlation maximises the
    likelihood of its table (Olsson 1979). All tables are made in one pass and all pairs are
    fitted at once. A cell that is empty is left at nought. Options are used in the order of their
    codes; one that nobody chose is no category.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`. An item has 2 to 20 different answers.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"``, or ``"pairwise"``: thresholds from all forms that answer the item, tables
        from those that answer both; the matrix may then not be positive definite.

    Raises
    ------
    AnalysisError
        With MH701 for an item with more than 20 different answers, MH702, MH705, MH710 as for
        other correlations, MH709 where a correlation comes to no end.

    Examples
    --------
    >>> answers = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], [40, 10, 10, 40], axis=0)
    >>> found = correlate_ordered(answers)
    >>> round(float(found.correlation[0, 1]), 3)  # sin(pi/2 * 0.6)
    0.809

    References
    ----------
    Olsson U (1979). Maximum likelihood estimation of the polychoric correlation coefficient.
    Psychometrika 44, 443-460.
    """
    taken = as_answers(answers, items, weights=weights)
    check_missing(missing, "complete", "pairwise")
    if len(taken.items) < 2:  # noqa: PLR2004 - a pair
        msg = "at least 2 items are needed, not 1"
        raise UsageError(msg)
    log = ProblemLog()
    total = taken.forms
    if taken.any_blank and missing == "complete":
        taken = taken.only(taken.complete())
    left = total - taken.forms
    check_enough(taken.forms, len(taken.items) + 1, "more than there are items", log)
    known = taken.categories()
    check_constant(taken.items, np.array([len(one) - 1.0 for one in known]), log)
    check_categories(taken, log)
    check_gaps(taken, log)
    refuse(log)
    fit = fit_pairs(taken, taken.places(), max(len(one) for one in known), log)
    words = f", {left} left out for blanks" if left else ""
    return Polychoric(
        items=taken.items,
        correlation=fit.correlation,
        se=fit.se,
        thresholds=tuple(
            row[: len(one) - 1] for row, one in zip(fit.thresholds, known, strict=True)
        ),
        categories=known,
        pairs=fit.pairs,
        n=float(fit.pairs[~np.eye(len(known), dtype=bool)].min()),
        basis=f"{taken.forms} forms{words}, missing='{missing}', two-step maximum likelihood",
        problems=tuple(log.problems),
    )


def check_categories(answers: Answers, log: ProblemLog) -> None:
    """Add MH701 for each item with more different answers than ordered options can be."""
    for item, known in zip(answers.items, answers.categories(), strict=True):
        if len(known) > _MOST_CATEGORIES:
            log.add(
                "MH701",
                f"{len(known)} different answers",
                path=item,
                expected=f"an item of at most {_MOST_CATEGORIES} ordered answers",
                hint="a sum or a measurement has an ordinary correlation",
            )


# -- parts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PairFit:
    """What `fit_pairs` finds.

    Attributes
    ----------
    correlation, se, pairs : ndarray, shape (items, items)
        As in `Polychoric`.
    thresholds : ndarray, shape (items, categories - 1)
        Infinite beyond the last category of an item.
    shares : ndarray, shape (pairs, categories, categories)
        The table of each pair, of sum 1; the pairs in the order of the upper triangle.
    """

    correlation: NDArray[np.float64]
    se: NDArray[np.float64]
    pairs: NDArray[np.float64]
    thresholds: NDArray[np.float64]
    shares: NDArray[np.float64]


def fit_pairs(answers: Answers, places: NDArray[np.int8], most: int, log: ProblemLog) -> PairFit:
    """Fit all pairs; correlations at their bound, and a matrix that is none, go into the log.

    Parameters
    ----------
    answers : Answers
        The answers.
    places : ndarray of int8, shape (items, forms)
        The category of each, −1 for a blank.
    most : int
        Categories of the item that has most of them.
    log : ProblemLog
        Where problems go.
    """
    from scipy.special import ndtri

    count = len(answers.items)
    tables = _tables(places, most, answers.weights)
    one, other = np.triu_indices(count, 1)
    counts = tables[one, :, other, :]
    sizes = counts.sum(axis=(1, 2))
    for pair in np.flatnonzero(sizes <= 0):
        log.add(
            "MH710",
            "no form answers both",
            path=f"{answers.items[one[pair]]} and {answers.items[other[pair]]}",
            hint="analyse items together that the same pupils were given",
        )
    refuse(log)
    margins = np.diagonal(np.diagonal(tables, axis1=0, axis2=2), axis1=0, axis2=1)
    below = np.cumsum(margins, axis=1)[:, :-1] / margins.sum(axis=1, keepdims=True)
    thresholds = ndtri(np.where(below > 1 - 1e-15, 1, below))  # beyond the last option: infinite
    shares = counts / sizes[:, None, None]
    rho = _maximise(shares, thresholds[one], thresholds[other])
    effective = _effective(answers, one, other, sizes)
    influence = influence_of_cells(shares, thresholds[one], thresholds[other], rho)
    se = np.sqrt(np.sum(shares * influence**2, axis=(1, 2)) / effective)
    bound = np.abs(rho) >= LARGEST
    se = np.where(bound, nan, se)
    for pair in np.flatnonzero(bound):
        log.add(
            "MH713",
            "the correlation stopped at its bound: the table has empty corners",
            path=f"{answers.items[one[pair]]} and {answers.items[other[pair]]}",
            hint="merge rare options, or leave one of the two items out by name",
        )
    correlation = _symmetric(count, one, other, rho, 1)
    if np.linalg.eigvalsh(correlation)[0] < 0:
        log.add(
            "MH713",
            "the matrix is not positive definite",
            hint="factors by minres can be had from it; what needs its inverse will refuse it",
        )
    pairs = _symmetric(count, one, other, effective, nan)
    np.fill_diagonal(pairs, _own(answers))
    errors = _symmetric(count, one, other, se, 0)
    return PairFit(correlation, errors, pairs, thresholds, shares)


def _symmetric(
    count: int,
    one: NDArray[np.intp],
    other: NDArray[np.intp],
    values: NDArray[np.float64],
    diagonal: float,
) -> NDArray[np.float64]:
    matrix = np.full((count, count), float(diagonal))
    matrix[one, other] = matrix[other, one] = values
    return matrix


def _own(answers: Answers) -> NDArray[np.float64]:
    """Return the (effective) number of forms that answer each item."""
    there = answers.answered()
    if answers.weights is None:
        return np.asarray(there.sum(axis=1), dtype=np.float64)
    return np.asarray((there @ answers.weights) ** 2 / (there @ answers.weights**2))


def _effective(
    answers: Answers,
    one: NDArray[np.intp],
    other: NDArray[np.intp],
    sizes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the (effective) number of forms behind each pair."""
    if answers.weights is None:
        return sizes
    there = answers.answered().astype(np.float64)
    squares = (there * answers.weights**2) @ there.T
    return np.asarray(sizes**2 / squares[one, other])


def _tables(
    places: NDArray[np.int8], most: int, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the table of every pair, shape (items, categories, items, categories).

    One product of indicators with themselves; counts in float32 are exact within a block. There
    is one indicator for each category but the first, and one of an answer, whatever it is: where
    nothing is blank the latter is one row for all items.
    """
    count, forms = places.shape
    blank = bool(places.min() < 0)
    kind = np.float32 if weights is None else np.float64
    split = count * (most - 1)
    rows = split + (count if blank else 1)
    total = np.zeros((rows, rows))
    buffer = np.ones((rows, min(_BLOCK, forms)), dtype=kind)
    for start in range(0, forms, _BLOCK):
        part = places[:, start : start + _BLOCK]
        flat = buffer[:, : part.shape[1]]
        chosen = flat[:split].reshape(count, most - 1, -1)
        for option in range(1, most):
            chosen[:, option - 1] = part == option
        if blank:
            flat[split:] = part >= 0
        weighted = flat if weights is None else flat * weights[start : start + _BLOCK]
        total += weighted @ flat.T
    return _whole_tables(total, count, most)


def _whole_tables(total: NDArray[np.float64], count: int, most: int) -> NDArray[np.float64]:
    """Return tables with the first category, which is what the others leave."""
    split = count * (most - 1)
    every = np.broadcast_to(total[split:, split:], (count, count))
    shown = total[:split, :split].reshape(count, most - 1, count, most - 1)
    beside = np.broadcast_to(total[:split, split:], (split, count)).reshape(count, most - 1, count)
    tables = np.empty((count, most, count, most))
    tables[:, 1:, :, 1:] = shown
    tables[:, 1:, :, 0] = beside - shown.sum(axis=3)
    tables[:, 0, :, 1:] = beside.transpose(2, 0, 1) - shown.sum(axis=1)
    tables[:, 0, :, 0] = every - tables[:, 1:, :, 0].sum(axis=1) - beside.sum(axis=1).T
    return tables


def _cells(
    row: NDArray[np.float64], column: NDArray[np.float64], rho: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of each cell and its derivative by the correlation.

    Shapes: thresholds (pairs, categories − 1), correlations (pairs,), cells (pairs, rows, columns).
    """
    pairs, rows, columns = len(rho), row.shape[1] + 1, column.shape[1] + 1
    h, k, r = row[:, :, None], column[:, None, :], rho[:, None, None]
    from scipy.special import ndtr

    below = np.zeros((pairs, rows + 1, columns + 1))
    below[:, 1:-1, 1:-1] = binormal_cdf(h, k, r)
    below[:, -1, 1:-1] = ndtr(column)
    below[:, 1:-1, -1] = ndtr(row)
    below[:, -1, -1] = 1
    slope = np.zeros_like(below)
    slope[:, 1:-1, 1:-1] = binormal_density(h, k, r)
    return tuple(np.diff(np.diff(one, axis=1), axis=2) for one in (below, slope))  # type: ignore[return-value] # two


def _maximise(
    shares: NDArray[np.float64], row: NDArray[np.float64], column: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the correlation of the largest likelihood of each table.

    Fisher scoring inside a bracket that the sign of the slope narrows.
    """
    pairs = len(shares)
    low, high = np.full(pairs, -LARGEST), np.full(pairs, LARGEST)
    rho = np.zeros(pairs)
    open_ = np.arange(pairs)
    for _ in range(_STEPS):
        cell, change = _cells(row[open_], column[open_], rho[open_])
        cell = np.maximum(cell, _TINY)
        slope = np.sum(shares[open_] * change / cell, axis=(1, 2))
        information = np.sum(change**2 / cell, axis=(1, 2))
        low[open_] = np.where(slope > 0, rho[open_], low[open_])
        high[open_] = np.where(slope > 0, high[open_], rho[open_])
        step = slope / information
        tried = rho[open_] + step
        outside = (tried <= low[open_]) | (tried >= high[open_])
        tried = np.where(outside, (low[open_] + high[open_]) / 2, tried)
        moved = np.abs(tried - rho[open_])
        rho[open_] = tried
        open_ = open_[moved > _CLOSE]
        if not len(open_):
            at_bound = LARGEST - np.abs(rho) < 2 * _CLOSE
            return np.where(at_bound, np.sign(rho) * LARGEST, rho)
    return give_up("polychoric correlation", _STEPS, "merge rare options")


def influence_of_cells(
    shares: NDArray[np.float64],
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    rho: NDArray[np.float64],
    *,
    observed: bool = False,
) -> NDArray[np.float64]:
    """Return by how much a form in each cell moves each correlation, times the forms.

    The estimate moves with the slope of the likelihood at the cell, and with the thresholds, which
    move with the margins the cell belongs to.

    Parameters
    ----------
    shares : ndarray, shape (pairs, rows, columns)
        Of the forms of a pair, those in each cell.
    row, column : ndarray, shape (pairs, categories - 1)
        Thresholds of the two items.
    rho : ndarray, shape (pairs,)
        The correlations.
    observed : bool
        Whether products of slopes are averaged over the observed cells, as Muthén (1984) and what
        follows him do, or over those that the model expects. Where no two normal variables stand
        behind the answers, resampled forms agree with the latter.
    """
    cell, change = _cells(row, column, rho)
    cell = np.maximum(cell, _TINY)
    if observed:
        # A cell without a form moves nothing, and may be so unlikely that its slope overflows.
        slope = np.divide(change, cell, out=np.zeros_like(cell), where=shares > _NO_FORM)
        ratio, information = shares / cell, np.sum(shares * slope**2, axis=(1, 2))
    else:
        slope = change / cell
        ratio, information = np.ones_like(cell), np.sum(change * slope, axis=(1, 2))
    by_rows = _by_thresholds(row, column, rho, slope * ratio)
    by_columns = _by_thresholds(column, row, rho, np.swapaxes(slope * ratio, 1, 2))
    moved = slope + by_rows + by_columns.swapaxes(1, 2)
    return np.asarray(moved / information[:, None, None])


def _by_thresholds(
    own: NDArray[np.float64],
    other: NDArray[np.float64],
    rho: NDArray[np.float64],
    seen: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return what each cell moves by way of the thresholds of the rows, shape as the cells.

    A threshold moves by (below or not − share below) / density; and the slope of the likelihood
    moves with the threshold by minus the product of both scores over the observed cells.
    """
    from scipy.special import ndtr

    conditional = np.sqrt(1 - rho**2)[:, None, None]
    finite = np.isfinite(own)
    density = np.where(finite, np.exp(-(np.where(finite, own, 0) ** 2) / 2), 0) / np.sqrt(2 * np.pi)
    with np.errstate(invalid="ignore"):
        below = ndtr((other[:, None, :] - rho[:, None, None] * own[:, :, None]) / conditional)
    below = np.where(finite[:, :, None], below, 0)
    pairs, steps = own.shape
    edge = np.concatenate([np.zeros((pairs, steps, 1)), below, np.ones((pairs, steps, 1))], axis=2)
    # The density at the threshold, split over the columns: what one cell loses, the next gains.
    gained = density[:, :, None] * np.diff(edge, axis=2)
    slope = -np.sum(gained * (seen[:, :-1, :] - seen[:, 1:, :]), axis=2)
    share = ndtr(own)
    before = np.arange(steps + 1)[None, :, None] <= np.arange(steps)[None, None, :]
    moved = before - share[:, None, :]
    pull = np.divide(slope, density, out=np.zeros_like(slope), where=density > 0)
    return np.asarray(np.sum(moved * pull[:, None, :], axis=2)[:, :, None])
