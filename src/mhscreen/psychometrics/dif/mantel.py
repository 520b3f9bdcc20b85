"""Differential item functioning by Mantel's test, for two answers or more (Mantel 1963)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.problems import Problem, ProblemLog
from mhscreen.psychometrics.checks import check_copies, check_gaps, pairs_alike
from mhscreen.psychometrics.dif.matching import (
    MOST_ROUNDS,
    Comparison,
    compared,
    purify,
    table,
    unsettled,
)
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["MantelDif", "find_dif_mantel"]

MODERATE, LARGE = 0.17, 0.25
"""Standardised mean differences from which DIF is called moderate and large (Zwick and others
1993, as the NAEP uses them)."""


@dataclass(frozen=True, eq=False, repr=False)
class MantelDif(Result):
    """DIF of each item in each group against the reference.

    Attributes
    ----------
    items : tuple of str
        The items.
    groups : tuple of str
        The reference, then the others.
    statistic, p : ndarray of float64, shape (items, groups − 1)
        Mantel's chi-square with one degree of freedom, without continuity correction. NaN where no
        two pupils of both groups and different answers can be matched.
    overall, overall_p : ndarray of float64, shape (items,)
        The same for all groups at once; groups − 1 degrees of freedom.
    mean_difference, mean_difference_se : ndarray of float64, shape (items, groups − 1)
        How much higher the group answers than the reference at the same score, weighted by the
        group (Dorans and Schmitt 1991), and its standard error if there is no DIF.
    effect : ndarray of float64, shape (items, groups − 1)
        The same in standard deviations of the item in both groups.
    log_odds : ndarray of float64, shape (items, groups − 1)
        Logarithm of the common cumulative odds ratio (Liu and Agresti 1996); of Mantel and
        Haenszel's where there are two answers. Times −2.35 it is ETS's delta.
    flagged : ndarray of bool, shape (items,)
        In a group `p` is below `alpha` and the effect beyond `min_effect`.
    forms, left_out, rounds : int
        Complete forms; forms left out; rounds of purification.
    alpha, min_effect : float
        As in the call.
    problems : tuple of Problem
    """

    items: tuple[str, ...]
    groups: tuple[str, ...]
    statistic: Floats
    p: Floats
    overall: Floats
    overall_p: Floats
    mean_difference: Floats
    mean_difference_se: Floats
    effect: Floats
    log_odds: Floats
    flagged: NDArray[np.bool_]
    forms: int
    left_out: int
    rounds: int
    alpha: float
    min_effect: float
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what was compared and what flags an item."""
        return (
            f"DIF by Mantel's test: {' and '.join(self.groups)}, {self.forms} complete forms, "
            f"{self.left_out} left out, matched on the sum; flagged below p = {self.alpha:g} with "
            f"a mean difference beyond {self.min_effect:g} SD; {self.rounds} rounds of purification"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item and group but the reference."""
        others = len(self.groups) - 1
        names = ("statistic", "p", "mean_difference", "mean_difference_se", "effect", "log_odds")
        return {
            "item": [item for item in self.items for _ in range(others)],
            "group": list(self.groups[1:]) * len(self.items),
            **{name: getattr(self, name).ravel() for name in names},
            "overall": np.repeat(self.overall, others),
            "overall_p": np.repeat(self.overall_p, others),
            "flagged": np.repeat(self.flagged, others),
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the effect in each group."""
        place = np.arange(len(self.items))
        for column, label in enumerate(self.groups[1:]):
            ax.plot(self.effect[:, column], place, marker="o", linestyle="", label=label)
        for value in (-LARGE, -MODERATE, MODERATE, LARGE):
            ax.axvline(value, color="grey", linestyle=":")
        ax.set_yticks(place, self.items)
        ax.invert_yaxis()
        ax.set(xlabel=f"standardised mean difference from {self.groups[0]}")
        ax.legend()


def find_dif_mantel(
    answers: object,
    group: str | ArrayLike,
    items: Sequence[str] | None = None,
    *,
    reference: object = None,
    alpha: float = 0.05,
    min_effect: float = MODERATE,
    rounds: int = MOST_ROUNDS,
) -> MantelDif:
    """Compare the answers of groups among pupils with the same sum.

    It needs no model, and sees uniform DIF only. Flagged items leave the sum of the others until
    the same items are flagged again (purification).

    Parameters
    ----------
    answers, items
        As for `as_answers`, keyed in one direction. Only complete forms are used; the answers
        themselves are the item scores.
    group : str or array_like of shape (forms,)
        Sex, grade, district: a column of the frame, or one label per form.
    reference : label, optional
        The group that the others are compared with; the first in order by default.
    alpha : float
        Level of the test.
    min_effect : float
        The least standardised mean difference.
    rounds : int
        Of purification, at most; 0 for none.

    Raises
    ------
    AnalysisError
        With MH707 for one group, MH702 for a constant item, MH705 for a group with fewer complete
        forms than items.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait, sex = rng.normal(size=2000), np.arange(2000) % 2
    >>> shift = np.array([0.0, 0.0, 0.0, 0.0, 1.2])[:, None] * sex
    >>> forms = (rng.logistic(size=(5, 2000)) < 1.5 * trait + shift).T.astype(np.int8)
    >>> found = find_dif_mantel(forms, sex, ["q1", "q2", "q3", "q4", "q5"])
    >>> [item for item, flagged in zip(found.items, found.flagged) if flagged]
    ['q5']
    """
    of = compared(answers, group, items, reference)
    tested: dict[str, list[_Tested]] = {}

    def flag(anchors: list[int]) -> NDArray[np.bool_]:
        tested["last"] = [
            _tested(of, item, of.sums(sorted({*anchors, item}))) for item in range(len(of.codes))
        ]
        return np.array(
            [
                bool(((one.p < alpha) & (np.abs(one.effect) > min_effect)).any())
                for one in tested["last"]
            ]
        )

    settled = purify(len(of.codes), flag, rounds)
    log = ProblemLog()
    check_gaps(of.answers, log)
    check_copies(of.answers.items, pairs_alike(of.answers), log)
    unsettled(settled, log)
    for name, one in zip(of.answers.items, tested["last"], strict=True):
        if np.isnan(one.p).any():
            log.add(
                "MH730",
                "no pupils of two groups with the same sum answered differently",
                path=name,
                hint="larger groups, or fewer of them",
            )
    last = tested["last"]
    return MantelDif(
        items=of.answers.items,
        groups=of.groups.labels,
        statistic=np.array([one.statistic for one in last]),
        p=np.array([one.p for one in last]),
        overall=np.array([one.overall for one in last]),
        overall_p=np.array([one.overall_p for one in last]),
        mean_difference=np.array([one.difference for one in last]),
        mean_difference_se=np.array([one.error for one in last]),
        effect=np.array([one.effect for one in last]),
        log_odds=np.array([one.log_odds for one in last]),
        flagged=settled.flagged,
        forms=of.answers.forms,
        left_out=of.left_out,
        rounds=settled.rounds,
        alpha=alpha,
        min_effect=min_effect,
        problems=tuple(log),
    )


class _Tested(NamedTuple):
    """One item; arrays of shape (groups − 1,)."""

    statistic: Floats
    p: Floats
    overall: float
    overall_p: float
    difference: Floats
    error: Floats
    effect: Floats
    log_odds: Floats


def _tested(of: Comparison, item: int, match: Floats) -> _Tested:
    from scipy.special import chdtrc

    _, counts = table(of, item, match)
    codes = of.codes[item]
    excess, matrix = _excess(counts, codes)
    rank = np.linalg.matrix_rank(matrix) if matrix.any() else 0
    complete = rank == len(excess)
    overall = float(excess @ np.linalg.solve(matrix, excess)) if complete else np.nan
    pairs = [_pair(counts[:, [0, place]], codes) for place in range(1, counts.shape[1])]
    statistic, difference, error, effect, log_odds = np.array(pairs).T
    return _Tested(
        statistic,
        chdtrc(1, statistic),
        overall,
        float(chdtrc(len(excess), overall)),
        difference,
        error,
        effect,
        log_odds,
    )


def _excess(counts: Floats, codes: Floats) -> tuple[Floats, Floats]:
    """Return by how much the groups' sums exceed their expectation, and the covariances of that.

    Given the answers in each stratum, every assignment to the groups is equally likely.
    """
    sizes = counts.sum(axis=2)
    whole = sizes.sum(axis=1)
    counts, sizes, whole = counts[whole > 1], sizes[whole > 1], whole[whole > 1]
    answers = counts.sum(axis=1)
    mean = answers @ codes / whole
    variance = (answers * (codes - mean[:, None]) ** 2).sum(axis=1) / (whole - 1)
    excess = (counts @ codes - sizes * mean[:, None])[:, 1:].sum(axis=0)
    others = sizes[:, 1:]
    matrix = np.diag(variance @ others) - np.einsum("s,sg,sh->gh", variance / whole, others, others)
    return excess, matrix


def _pair(counts: Floats, codes: Floats) -> tuple[float, float, float, float, float]:
    """Return Mantel's statistic, the mean difference, its error, the effect, the log odds."""
    excess, matrix = _excess(counts, codes)
    sizes = counts.sum(axis=2)
    both = (sizes > 0).all(axis=1)
    if not matrix[0, 0] > 0:
        return (np.nan,) * 5
    counts, sizes = counts[both], sizes[both]
    answers, whole = counts.sum(axis=1), sizes.sum(axis=1)
    mean = counts @ codes / sizes
    weights = sizes[:, 1] / sizes[:, 1].sum()
    difference = float(weights @ (mean[:, 1] - mean[:, 0]))
    centre = answers @ codes / whole
    variance = (answers * (codes - centre[:, None]) ** 2).sum(axis=1) / np.maximum(whole - 1, 1)
    error = float(np.sqrt(weights**2 @ (variance * whole / sizes.prod(axis=1))))
    everyone = counts.sum(axis=(0, 1))
    overall = everyone @ codes / everyone.sum()
    spread = np.sqrt(everyone @ (codes - overall) ** 2 / (everyone.sum() - 1))
    below = np.cumsum(counts, axis=2)[:, :, :-1]
    beyond = sizes[:, :, None] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = ((beyond[:, 1] * below[:, 0]).sum(axis=1) / whole).sum() / (
            (beyond[:, 0] * below[:, 1]).sum(axis=1) / whole
        ).sum()
        log_odds = float(np.log(odds))
    statistic = float(excess[0] ** 2 / matrix[0, 0])
    return statistic, difference, error, difference / float(spread), log_odds
