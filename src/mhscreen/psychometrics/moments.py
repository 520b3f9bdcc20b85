"""Means and covariances of items, from one pass over the answers.

What feeds alpha, alpha without an item, omega and factors are the cross-products of the items.
One-byte answers are multiplied in blocks of float32, small enough that every sum is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import ProblemLog, UsageError
from mhscreen.psychometrics.answers import check_missing
from mhscreen.psychometrics.checks import check_constant, check_enough, refuse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy

__all__ = ["Moments", "correlations_of", "moments"]

_BLOCK = 4096  # forms: a buffer that stays in the processor's cache
_EXACT = 2**24  # up to which float32 counts


@dataclass(frozen=True, eq=False)
class Moments:
    """Means and covariances, and what they rest on.

    Attributes
    ----------
    items : tuple of str
        The items.
    mean : ndarray, shape (items,)
        The mean of each item.
    covariance : ndarray, shape (items, items)
        The unbiased covariances.
    pairs : ndarray, shape (items, items)
        The number of forms behind each covariance; with weights the effective number.
    n : float
        The number of forms that inference may count on: the complete ones, or the smallest of
        `pairs`; with weights the effective number (sum squared over sum of squares; Kish 1965).
    forms : int
        The forms that were read.
    blank_forms : int
        The forms that were left out because of blanks.
    missing : str
        What happened to blanks.
    """

    items: tuple[str, ...]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    pairs: NDArray[np.float64]
    n: float
    forms: int
    blank_forms: int
    missing: MissingPolicy

    @property
    def correlation(self) -> NDArray[np.float64]:
        """The correlations, shape (items, items)."""
        return correlations_of(self.covariance)

    def words(self) -> str:
        """Return what the figures rest on, in words."""
        weighted = "" if abs(self.n - round(self.n)) < 1e-9 else f" (effective n {self.n:.1f})"  # noqa: PLR2004 - a whole number
        left = f", {self.blank_forms} left out for blanks" if self.blank_forms else ""
        return f"{self.forms} forms{left}, missing='{self.missing}'{weighted}"


def correlations_of(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlations behind covariances."""
    scale = 1 / np.sqrt(np.diag(covariance))
    correlation = covariance * np.outer(scale, scale)
    np.fill_diagonal(correlation, 1)
    return correlation


def moments(
    answers: Answers, *, missing: MissingPolicy = "complete", least_items: int = 2
) -> Moments:
    """Return means and covariances of the items.

    Parameters
    ----------
    answers : Answers
        The answers.
    missing : str
        ``"complete"`` or ``"pairwise"``.
    least_items : int
        The fewest items that the analysis can do with.

    Raises
    ------
    AnalysisError
        With MH702 for an item that is the same on all forms, MH705 where there are not more
        forms than items, MH710 for pairs of items that no form answers.
    UsageError
        For another policy, or too few items.

    Examples
    --------
    >>> from mhscreen.psychometrics import as_answers
    >>> found = moments(as_answers({"a": [1, 2, 3, None], "b": [2, 1, 4, 4]}), missing="complete")
    >>> found.covariance
    array([[1.        , 1.        ],
           [1.        , 2.33333333]])
    >>> found.words()
    "3 forms, 1 left out for blanks, missing='complete'"
    """
    check_missing(missing, "complete", "pairwise")
    if len(answers.items) < least_items:
        msg = f"at least {least_items} items are needed, not {len(answers.items)}"
        raise UsageError(msg)
    total = answers.forms
    blank = answers.any_blank
    if blank and missing == "complete":
        answers = answers.only(answers.complete())
        blank = False
    log = ProblemLog()
    check_enough(answers.forms, len(answers.items) + 1, "more than there are items", log)
    refuse(log)
    found = _pairwise(answers, log) if blank else _complete(answers)
    mean, covariance, pairs = found
    check_constant(answers.items, np.diag(covariance), log)
    refuse(log)
    return Moments(
        items=answers.items,
        mean=mean,
        covariance=covariance,
        pairs=pairs,
        n=float(pairs.min()),
        forms=answers.forms,
        blank_forms=total - answers.forms,
        missing=missing,
    )


_Found = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def _complete(answers: Answers) -> _Found:
    """Return mean, covariance and pairs where nothing is blank."""
    items = len(answers.items)
    weights = answers.weights
    if weights is None and answers.is_whole:
        products = _exact_products(answers.cells)
        sums, size = products[-1, :-1], products[-1, -1]
        covariance = (products[:-1, :-1] - np.outer(sums, sums) / size) / (size - 1)
        return sums / size, covariance, np.full((items, items), size)
    values = answers.cells.astype(np.float64)
    weights = np.ones(answers.forms) if weights is None else weights
    size = weights.sum()
    mean = values @ weights / size
    values -= mean[:, None]
    effective = size**2 / np.sum(weights**2)
    covariance = (values * weights) @ values.T / (size * (1 - 1 / effective))
    return mean, covariance, np.full((items, items), effective)


def _pairwise(answers: Answers, log: ProblemLog) -> _Found:
    """Return mean, covariance and pairs, each from the forms that answer what it needs."""
    items = len(answers.items)
    there = answers.answered()
    weights = np.ones(answers.forms) if answers.weights is None else answers.weights
    size = there @ weights
    values = np.where(there, answers.cells, 0).astype(np.float64)
    mean = np.divide(values @ weights, size, out=np.full(items, np.nan), where=size > 0)
    values = np.where(there, values - mean[:, None], 0)
    mask = there.astype(np.float64)
    pair_weight = (mask * weights) @ mask.T
    pair_square = (mask * weights**2) @ mask.T
    pairs = np.divide(
        pair_weight**2, pair_square, out=np.zeros((items, items)), where=pair_square > 0
    )
    for one, other in zip(*np.nonzero(np.triu(pairs <= 1)), strict=True):
        pair = (
            answers.items[one]
            if one == other
            else f"{answers.items[one]} and {answers.items[other]}"
        )
        log.add(
            "MH710",
            "no two forms answer both" if one != other else "no two forms answer it",
            path=pair,
            hint="analyse items together that the same pupils were given",
        )
    refuse(log)
    sums = (values * weights) @ mask.T  # of the item in the row, over the forms of the pair
    products = (values * weights) @ values.T
    covariance = (products - sums * sums.T / pair_weight) / (pair_weight * (1 - 1 / pairs))
    return mean, covariance, pairs


def _exact_products(cells: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the cross-products of the rows and of a row of ones, exactly.

    Sums in float32 are exact below 2²⁴, so a block is as long as that allows; the blocks are
    added in float64.
    """
    items, forms = cells.shape
    largest = max(1, int(cells.max()), -int(cells.min()))
    block = max(1, min(_BLOCK, _EXACT // largest**2, forms))
    buffer = np.ones((items + 1, block), dtype=np.float32)
    products = np.zeros((items + 1, items + 1))
    for start in range(0, forms, block):
        taken = min(block, forms - start)
        buffer[:-1, :taken] = cells[:, start : start + taken]
        part = buffer[:, :taken]
        products += part @ part.T
    return products
