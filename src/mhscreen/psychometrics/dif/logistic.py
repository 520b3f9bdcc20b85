"""Differential item functioning by ordinal logistic regression (Zumbo 1999, Crane 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError
from mhscreen.psychometrics.checks import check_copies, check_gaps, pairs_alike
from mhscreen.psychometrics.dif.matching import (
    MOST_ROUNDS,
    Comparison,
    Purified,
    compared,
    purify,
    table,
    unsettled,
)
from mhscreen.psychometrics.dif.ordinal import fit_ordinal, null_likelihood
from mhscreen.psychometrics.groups import check_cells
from mhscreen.psychometrics.irt.calibration import calibrate
from mhscreen.psychometrics.irt.scores import score_trait
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["LogisticDif", "find_dif_logistic"]

MODERATE, LARGE = 0.035, 0.070
"""Changes of Nagelkerke's R² that are called moderate and large (Jodoin and Gierl 2001)."""


@dataclass(frozen=True, eq=False, repr=False)
class LogisticDif(Result):
    """DIF of each item; arrays of shape (items,), NaN for an item that could not be compared.

    Attributes
    ----------
    items : tuple of str
        The items.
    groups : tuple of str
        The reference, then the others.
    uniform, non_uniform, total : ndarray of float64
        Likelihood-ratio statistics: the group, the group by score, both.
    uniform_p, non_uniform_p, total_p : ndarray of float64
        From the chi-square distribution with one degree of freedom per group but the reference;
        two for both.
    nagelkerke, mcfadden : ndarray of float64
        How much the pseudo-R² grows by group and group by score together.
    coefficient_change : ndarray of float64
        Relative change of the coefficient of the score when the group comes in.
    group_effect : ndarray of float64, shape (items, groups − 1)
        Log odds of a higher answer than the reference's at the same score (uniform model).
    flagged : ndarray of bool
        `total_p` below `alpha` and the growth of Nagelkerke's R² at least `min_effect`.
    match : str
        What pupils were matched on.
    forms, left_out, rounds : int
        Complete forms; forms left out; rounds of purification.
    alpha, min_effect : float
        As in the call.
    problems : tuple of Problem
    """

    items: tuple[str, ...]
    groups: tuple[str, ...]
    uniform: Floats
    uniform_p: Floats
    non_uniform: Floats
    non_uniform_p: Floats
    total: Floats
    total_p: Floats
    nagelkerke: Floats
    mcfadden: Floats
    coefficient_change: Floats
    group_effect: Floats
    flagged: NDArray[np.bool_]
    match: str
    forms: int
    left_out: int
    rounds: int
    alpha: float
    min_effect: float
    problems: tuple[Problem, ...] = ()

    @property
    def size(self) -> list[str]:
        """``"negligible"``, ``"moderate"`` or ``"large"``, by Nagelkerke's R²; empty for NaN."""
        return [
            ""
            if np.isnan(change)
            else "negligible"
            if change < MODERATE
            else "moderate"
            if change < LARGE
            else "large"
            for change in self.nagelkerke
        ]

    def title(self) -> str:
        """Return what was compared and what flags an item."""
        return (
            f"DIF by ordinal logistic regression: {' and '.join(self.groups)}, {self.forms} "
            f"complete forms, {self.left_out} left out, matched on the {self.match}; flagged below "
            f"p = {self.alpha:g} with a change of R² of at least {self.min_effect:g}; "
            f"{self.rounds} rounds of purification"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item."""
        names = (
            "uniform", "uniform_p", "non_uniform", "non_uniform_p", "total", "total_p",
            "nagelkerke", "mcfadden", "coefficient_change",
        )  # fmt: skip
        effects = {
            f"log_odds_{label}": self.group_effect[:, place]
            for place, label in enumerate(self.groups[1:])
        }
        return {
            "item": list(self.items),
            **{name: getattr(self, name) for name in names},
            **effects,
            "size": self.size,
            "flagged": self.flagged,
        }

    def _draw(self, ax: Axes) -> None:
        """Draw how much the group explains of each item."""
        colours = np.where(self.flagged, "tab:red", "tab:blue")
        ax.barh(self.items, self.nagelkerke, color=colours)
        for value in (MODERATE, LARGE):
            ax.axvline(value, color="grey", linestyle=":")
        ax.invert_yaxis()
        ax.set(xlabel="change of Nagelkerke's R²")


def find_dif_logistic(
    answers: object,
    group: str | ArrayLike,
    items: Sequence[str] | None = None,
    *,
    reference: object = None,
    match: Literal["sum", "trait"] = "sum",
    alpha: float = 0.01,
    min_effect: float = MODERATE,
    rounds: int = MOST_ROUNDS,
) -> LogisticDif:
    """Ask of each item whether groups of one level answer it differently.

    Three models of the answer are compared: the score; the score and the group (uniform DIF); and
    the score by group besides (non-uniform DIF). Flagged items leave the score of the others until
    the same items are flagged again (purification).

    Parameters
    ----------
    answers, items
        As for `as_answers`, keyed in one direction. Only complete forms are used.
    group : str or array_like of shape (forms,)
        Sex, grade, district: a column of the frame, or one label per form.
    reference : label, optional
        The group that the others are compared with; the first in order by default.
    match : {"sum", "trait"}
        ``"sum"`` of the items not flagged and the item itself; ``"trait"``, the EAP of the graded
        model in which flagged items have parameters of their own in each group (as in lordif).
    alpha : float
        Level of the test of both kinds together.
    min_effect : float
        The least change of Nagelkerke's R²; 0 flags by the test alone, and in large samples then
        everything.
    rounds : int
        Of purification, at most; 0 for none.

    Raises
    ------
    AnalysisError
        With MH707 for one group, MH702 for a constant item, MH705 for a group with fewer complete
        forms than items. An item that a group never answered in some way is not compared: MH730
        among the problems.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait, sex = rng.normal(size=2000), np.arange(2000) % 2
    >>> shift = np.array([0.0, 0.0, 0.0, 0.0, 1.2])[:, None] * sex
    >>> forms = (rng.logistic(size=(5, 2000)) < 1.5 * trait + shift).T.astype(np.int8)
    >>> found = find_dif_logistic(forms, sex, ["q1", "q2", "q3", "q4", "q5"])
    >>> [item for item, flagged in zip(found.items, found.flagged) if flagged]
    ['q5']
    """
    if match not in {"sum", "trait"}:
        msg = f"match is 'sum' or 'trait', not {match!r}"
        raise UsageError(msg)
    of = compared(answers, group, items, reference)
    log = ProblemLog()
    check_gaps(of.answers, log)
    check_copies(of.answers.items, pairs_alike(of.answers), log)
    numbers = [len(known) for known in of.codes]
    fine = check_cells(of.answers.items, of.places, numbers, of.groups, log)
    if not fine.any():
        raise AnalysisError(log)
    tested: dict[str, list[_Tested]] = {}

    def flag(anchors: list[int]) -> NDArray[np.bool_]:
        trait = _trait(of, anchors) if match == "trait" else None
        tested["last"] = [
            _tested(of, item, _sum(of, item, anchors) if trait is None else trait)
            if fine[item]
            else _NOT_TESTED
            for item in range(len(fine))
        ]
        return np.array(
            [one.p[2] < alpha and one.nagelkerke >= min_effect for one in tested["last"]]
        )

    settled = purify(len(fine), flag, rounds)
    unsettled(settled, log)
    _note_lost(of, fine, tested["last"], log)
    return _described(of, tested["last"], settled, match, alpha, min_effect, log)


class _Tested(NamedTuple):
    """One item."""

    statistics: Floats
    p: Floats
    nagelkerke: float
    mcfadden: float
    change: float
    effects: Floats | None


_NOT_TESTED = _Tested(np.full(3, np.nan), np.full(3, np.nan), np.nan, np.nan, np.nan, None)


def _sum(of: Comparison, item: int, anchors: list[int]) -> Floats:
    return of.sums(sorted({*anchors, item}))


def _trait(of: Comparison, anchors: list[int]) -> Floats:
    """Return EAP scores where items that are no anchors have parameters for each group."""
    columns: dict[str, Floats] = {}
    for item, (name, cells) in enumerate(zip(of.answers.items, of.answers.cells, strict=True)):
        if item in anchors:
            columns[name] = cells.astype(np.float64)
            continue
        for group in range(len(of.groups.labels)):
            mine = of.groups.of_form == group
            columns[f"{name} {group}"] = np.where(mine, cells, np.nan)
    found = calibrate(columns, model="graded", errors="none")
    return score_trait(columns, found.parameters[0]).theta


def _tested(of: Comparison, item: int, match: Floats) -> _Tested:
    from scipy.special import chdtrc

    values, counts = table(of, item, match)
    groups = counts.shape[1]
    flat = counts.reshape(-1, counts.shape[2])
    there = flat.any(axis=1)
    flat = flat[there]
    score = np.repeat(values, groups)[there][:, None]
    others = np.tile(np.eye(groups)[:, 1:], (len(values), 1))[there]
    fits = [
        fit_ordinal(predictors, flat)
        for predictors in (
            score,
            np.hstack([score, others]),
            np.hstack([score, others, score * others]),
        )
    ]
    if not all(fit.converged for fit in fits):
        return _NOT_TESTED
    one, two, three = (fit.log_likelihood for fit in fits)
    statistics = np.maximum(2.0 * np.array([two - one, three - two, three - one]), 0.0)
    df = (groups - 1) * np.array([1, 1, 2])
    base, number = null_likelihood(flat), flat.sum()

    def nagelkerke(value: float) -> float:
        whole = 1.0 - np.exp(2.0 / number * base)
        return float((1.0 - np.exp(2.0 / number * (base - value))) / whole)

    before, after = fits[0].coefficients[0], fits[1].coefficients[0]
    return _Tested(
        statistics,
        chdtrc(df, statistics),
        nagelkerke(three) - nagelkerke(one),
        (one - three) / base,
        float(abs((after - before) / before)),
        fits[1].coefficients[1:],
    )


def _note_lost(
    of: Comparison, fine: NDArray[np.bool_], tested: list[_Tested], log: ProblemLog
) -> None:
    """Add MH709 for each item whose regression came to no end."""
    for name, possible, one in zip(of.answers.items, fine, tested, strict=True):
        if possible and one.effects is None:
            log.add(
                "MH709",
                "its regression came to no end",
                path=name,
                hint="an answer that depends on the score alone, or on the group alone?",
            )


def _described(
    of: Comparison,
    tested: list[_Tested],
    settled: Purified,
    match: str,
    alpha: float,
    min_effect: float,
    log: ProblemLog,
) -> LogisticDif:
    statistics = np.array([one.statistics for one in tested]).T
    p = np.array([one.p for one in tested]).T
    nothing = np.full(len(of.groups.labels) - 1, np.nan)
    return LogisticDif(
        items=of.answers.items,
        groups=of.groups.labels,
        uniform=statistics[0],
        uniform_p=p[0],
        non_uniform=statistics[1],
        non_uniform_p=p[1],
        total=statistics[2],
        total_p=p[2],
        nagelkerke=np.array([one.nagelkerke for one in tested]),
        mcfadden=np.array([one.mcfadden for one in tested]),
        coefficient_change=np.array([one.change for one in tested]),
        group_effect=np.array([nothing if one.effects is None else one.effects for one in tested]),
        flagged=settled.flagged,
        match=match,
        forms=of.answers.forms,
        left_out=of.left_out,
        rounds=settled.rounds,
        alpha=alpha,
        min_effect=min_effect,
        problems=tuple(log),
    )
