"""A general factor behind correlated ones (Schmid & Leiman 1957)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import check_perfect, check_positive_definite, refuse
from mhscreen.psychometrics.factoring import extract, most_factors, rotate, sort_factors
from mhscreen.psychometrics.moments import moments
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import MissingPolicy

__all__ = ["LEAST_ITEMS", "Hierarchy", "find_general_factor", "general_factor"]

_GROUPS = 3  # below which the general loadings of the factors are not identified
LEAST_ITEMS = 6
"""The fewest items that carry three factors."""


@dataclass(frozen=True, repr=False, eq=False)
class Hierarchy(Result):
    """A general factor and group factors, all uncorrelated.

    Attributes
    ----------
    items : tuple of str
        The items.
    general : ndarray, shape (items,)
        The loadings on the general factor.
    groups : ndarray, shape (items, factors)
        The loadings on the group factors.
    uniqueness : ndarray, shape (items,)
        What neither explains.
    factor_loadings : ndarray, shape (factors,)
        The loadings of the correlated factors on the general one.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    items: tuple[str, ...]
    general: NDArray[np.float64]
    groups: NDArray[np.float64]
    uniqueness: NDArray[np.float64]
    factor_loadings: NDArray[np.float64]
    basis: str
    problems: tuple[Problem, ...] = ()

    @property
    def general_share(self) -> float:
        """The general factor's share of the common variance (explained common variance)."""
        general = float(self.general @ self.general)
        return general / (general + float(np.sum(self.groups**2)))

    def title(self) -> str:
        """Return what this is."""
        return (
            f"General factor of {len(self.items)} items ({self.general_share:.0%} of the common "
            f"variance) and {self.groups.shape[1]} group factors; {self.basis}"
        )

    def columns(self) -> dict[str, Any]:
        """Return loadings and uniqueness of each item."""
        groups = {f"group_{n + 1}": column for n, column in enumerate(self.groups.T)}
        return {
            "item": list(self.items),
            "general": self.general,
            **groups,
            "uniqueness": self.uniqueness,
        }

    def _draw(self, ax: Axes) -> None:
        left = np.zeros(len(self.items))
        for name, loading in (("general", self.general), *_named(self.groups)):
            ax.barh(self.items, loading**2, left=left, label=name)
            left = left + loading**2
        ax.invert_yaxis()
        ax.set(xlabel="share of the item's variance", xlim=(0, 1))
        ax.legend()


def _named(groups: NDArray[np.float64]) -> list[tuple[str, NDArray[np.float64]]]:
    return [(f"group {number + 1}", column) for number, column in enumerate(groups.T)]


class Layers(NamedTuple):
    """General and group loadings, uniqueness, the factors' own loadings; whether one is at 1."""

    general: NDArray[np.float64]
    groups: NDArray[np.float64]
    uniqueness: NDArray[np.float64]
    above: NDArray[np.float64]
    improper: bool


def general_factor(correlation: NDArray[np.float64], factors: int = _GROUPS) -> Layers:
    """Return a general factor and group factors of correlations.

    Minres factors, turned by oblimin from varimax; one minres factor of their correlations.

    Raises
    ------
    UsageError
        For fewer than three factors, or too few items for them.
    AnalysisError
        With MH709 where a search comes to no end.
    """
    items = len(correlation)
    if not _GROUPS <= factors <= most_factors(items):
        msg = (
            f"a general factor needs at least {_GROUPS} factors behind which it stands, and at "
            f"least {LEAST_ITEMS} items: {items} items carry {most_factors(items)} factors"
        )
        raise UsageError(msg)
    found = extract(correlation, factors)
    pattern, phi = sort_factors(*rotate(rotate(found.loadings, "varimax")[0], "oblimin"))
    top = extract(phi, 1)
    above = top.loadings[:, 0]
    general = pattern @ above
    groups = pattern * np.sqrt(np.maximum(1 - above**2, 0))
    return Layers(general, groups, found.uniqueness, above, found.improper or top.improper)


def find_general_factor(
    answers: object,
    factors: int = _GROUPS,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
) -> Hierarchy:
    """Split what items have in common into a general factor and group factors.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`; keyed, so that all items point the same way.
    factors : int
        How many group factors, at least 3.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` or ``"pairwise"``.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706, MH710), and with MH709
        where the search comes to no end.

    References
    ----------
    Schmid J, Leiman JM (1957). The development of hierarchical factor solutions. Psychometrika
    22, 53-61.
    """
    found = moments(as_answers(answers, items, weights=weights), missing=missing)
    log = ProblemLog()
    check_perfect(found.items, found.correlation, log)
    check_positive_definite(found.correlation, log)
    refuse(log)
    layers = general_factor(found.correlation, factors)
    if layers.improper:
        log.add(
            "MH713",
            "a uniqueness or the share of a group factor is at nought",
            hint="ask for fewer factors",
        )
    return Hierarchy(
        items=found.items,
        general=layers.general,
        groups=layers.groups,
        uniqueness=layers.uniqueness,
        factor_loadings=layers.above,
        basis=found.words(),
        problems=tuple(log.problems),
    )
