"""Whether the model describes the answers to each item: S-X² (Orlando and Thissen 2000)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import irt
from mhscreen.problems import Problem, ProblemLog
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import check_enough, refuse
from mhscreen.psychometrics.irt.likelihood import log_normal, quadrature
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.parameters import ItemParameters

    Floats = NDArray[np.float64]

__all__ = ["ItemFit", "assess_item_fit"]


@dataclass(frozen=True, eq=False, repr=False)
class ItemFit(Result):
    """S-X² of each item; arrays of shape (items,).

    Attributes
    ----------
    items : tuple of str
        The items.
    statistic : ndarray of float64
        S-X².
    df : ndarray of int64
        Cells that are free, less the estimated parameters of the item; a slope that all items
        share is none of its own.
    p : ndarray of float64
        From the chi-square distribution; NaN where no degree of freedom is left.
    rmsea : ndarray of float64
        How far off per degree of freedom, whatever the number of forms.
    forms, left_out : int
        Complete forms, and those with a blank: a sum score needs every answer.
    min_expected : float
        Cells with fewer expected answers were merged.
    """

    items: tuple[str, ...]
    statistic: Floats
    df: NDArray[np.int64]
    p: Floats
    rmsea: Floats
    forms: int
    left_out: int
    min_expected: float
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what was compared."""
        return (
            f"S-X²: answers against those expected given the sum score, {self.forms} complete "
            f"forms, {self.left_out} left out for blanks"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item."""
        return {
            "item": list(self.items),
            "s_x2": self.statistic,
            "df": self.df,
            "p": self.p,
            "rmsea": self.rmsea,
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the RMSEA of each item."""
        ax.barh(self.items, self.rmsea)
        ax.invert_yaxis()
        ax.set(xlabel="RMSEA of S-X²")


def assess_item_fit(
    answers: object,
    parameters: ItemParameters,
    *,
    prior: tuple[float, float] = (0.0, 1.0),
    min_expected: float = 1.0,
    estimated: bool = True,
    points: int = 61,
) -> ItemFit:
    """Compare the answers to each item with those that the model expects, by sum score.

    Neighbouring categories of a sum score whose expected number is below `min_expected` are
    merged (Kang and Chen 2008). A sum score counts categories from 0.

    Parameters
    ----------
    answers
        As for `as_answers`. Only complete forms are used.
    parameters : ItemParameters
        Of the items.
    prior : (float, float)
        Mean and standard deviation of the trait in these pupils.
    min_expected : float
        The least expected number of answers in a cell.
    estimated : bool
        Whether the parameters were estimated from these answers; then they cost degrees of
        freedom.
    points : int
        Of the trait.

    Raises
    ------
    AnalysisError
        With MH705 for fewer complete forms than items.
    """
    from scipy.special import chdtrc

    taken = as_answers(answers, parameters.items)
    complete = taken.complete()
    log = ProblemLog()
    check_enough(int(complete.sum()), len(parameters.items), "complete, as many as items", log)
    refuse(log)
    places = parameters.places(taken.only(complete))
    theta = prior[0] + prior[1] * quadrature(points)
    weights = np.exp(log_normal(theta, *prior))
    chances = parameters.chances(theta)
    scores = [range(p.shape[1]) for p in chances]
    sums = places.sum(axis=0, dtype=np.int64)
    likely = irt.likelihoods_of_sums(chances, scores)[1] @ weights
    statistic, df = np.zeros(len(chances)), np.zeros(len(chances), dtype=np.int64)
    for item, p in enumerate(chances):
        others = [place for place in range(len(chances)) if place != item]
        _, rest = irt.likelihoods_of_sums(
            [chances[place] for place in others], [scores[place] for place in others]
        )
        shares = np.zeros((len(likely), p.shape[1]))
        observed = np.zeros_like(shares)
        np.add.at(observed, (sums, places[item]), 1.0)
        for category in range(p.shape[1]):
            joint = rest @ (p[:, category] * weights)
            shares[category : category + len(rest), category] = joint
        expected = shares / likely[:, None] * observed.sum(axis=1, keepdims=True)
        for counted, wanted, possible in zip(observed, expected, shares > 0, strict=True):
            if counted.any():
                o, e = _merged(counted[possible], wanted[possible], min_expected)
                statistic[item] += np.sum((o - e) ** 2 / e)
                df[item] += len(e) - 1
        if estimated:
            df[item] -= p.shape[1] - parameters.equal_slopes
    number = int(complete.sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = df > 0
        p_value = np.where(enough, chdtrc(np.maximum(df, 1), statistic), np.nan)
        excess = np.maximum(statistic - df, 0.0) / (np.maximum(df, 1) * (number - 1))
    return ItemFit(
        parameters.items,
        statistic,
        df,
        p_value,
        np.where(enough, np.sqrt(excess), np.nan),
        number,
        taken.forms - number,
        min_expected,
    )


def _merged(observed: Floats, expected: Floats, least: float) -> tuple[Floats, Floats]:
    """Return cells of one sum score, each too small one merged with its smaller neighbour."""
    o, e = observed.tolist(), expected.tolist()
    while len(e) > 1 and min(e) < least:
        small = e.index(min(e))
        neighbours = [place for place in (small - 1, small + 1) if 0 <= place < len(e)]
        other = min(neighbours, key=lambda place: e[place])
        into, gone = min(small, other), max(small, other)
        o[into] += o.pop(gone)
        e[into] += e.pop(gone)
    return np.array(o), np.array(e)
