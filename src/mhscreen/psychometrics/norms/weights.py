"""Weights that give a sample the margins of its population: raking (Deming and Stephan 1940)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import check_weights
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Weights", "effective_size", "rake_weights"]

_NEAR = 1e-3


@dataclass(frozen=True, eq=False, repr=False)
class Weights(Result):
    """Raked weights.

    Attributes
    ----------
    weight : ndarray of float64, shape (pupils,)
        Their mean is 1.
    margin, group : tuple of str
        The margins and their groups, one after the other.
    target, before, after : ndarray of float64, shape (groups,)
        The share of each group in the population, in the sample, and in the weighted sample.
    effective : float
        The size of an unweighted sample that tells as much of a mean (Kish 1965).
    rounds : int
        Rounds until every margin was right.
    """

    weight: Floats
    margin: tuple[str, ...]
    group: tuple[str, ...]
    target: Floats
    before: Floats
    after: Floats
    effective: float
    rounds: int
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the sizes."""
        low, high = float(self.weight.min()), float(self.weight.max())
        return (
            f"Raked weights of {len(self.weight)} pupils, effective size {self.effective:.0f}, "
            f"{low:.2f} to {high:.2f}, {self.rounds} rounds"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each group of each margin."""
        return {
            "margin": np.array(self.margin, dtype=object),
            "group": np.array(self.group, dtype=object),
            "target": self.target,
            "before": self.before,
            "after": self.after,
        }

    def _draw(self, ax: Axes) -> None:
        ax.hist(self.weight, bins=30)
        ax.set(xlabel="weight", ylabel="pupils")


def effective_size(weight: Floats) -> float:
    """Return the effective size of a weighted sample (Kish 1965).

    Examples
    --------
    >>> effective_size(np.array([1.0, 1, 1, 1])), effective_size(np.array([2.0, 1, 1, 0]))
    (4.0, 2.6666666666666665)
    """
    return float(weight.sum() ** 2 / (weight**2).sum())


def rake_weights(
    groups: Mapping[str, Sequence[Any] | NDArray[Any]],
    margins: Mapping[str, Mapping[Any, float]],
    *,
    base: ArrayLike | None = None,
    largest: float | None = None,
    rounds: int = 200,
    tolerance: float = 1e-10,
) -> Weights:
    """Rake a sample to the margins of its population.

    Parameters
    ----------
    groups : mapping of str to sequence, shape (pupils,)
        Each pupil's group, by margin: ``{"sex": […], "grade": […]}``.
    margins : mapping of str to mapping of group to float
        Counts or shares in the population, by margin. Every group of the sample has one.
    base : array_like, shape (pupils,), optional
        Weights to start from.
    largest : float, optional
        No weight may exceed this many times the mean: larger ones are cut down and the rest raked
        again.
    rounds : int
        The most rounds.
    tolerance : float
        How near to its target every share must come.

    Raises
    ------
    AnalysisError
        With MH708 where a group of the population is not in the sample, a group of the sample is
        not in the population, or `largest` leaves no solution; with MH709 where raking comes to no
        end.

    Examples
    --------
    >>> groups = {"sex": ["f", "f", "f", "m"]}
    >>> rake_weights(groups, {"sex": {"f": 52, "m": 48}}).weight.round(3).tolist()
    [0.693, 0.693, 0.693, 1.92]
    """
    if not margins or set(margins) - set(groups):
        msg = f"margins name {', '.join(margins) or 'nothing'}; groups are {', '.join(groups)}"
        raise UsageError(msg)
    coded = {name: np.unique(np.asarray(groups[name], dtype=str), return_inverse=True)
             for name in margins}  # fmt: skip
    pupils = len(next(iter(coded.values()))[1])
    if any(len(place) != pupils for _, place in coded.values()):
        msg = "every margin needs the group of every pupil"
        raise UsageError(msg)
    start = check_weights(base, pupils)
    weight = np.ones(pupils) if start is None else start / start.mean()
    targets = _targets(coded, margins, weight)
    parts = [(place, targets[name]) for name, (_, place) in coded.items()]
    shares = [np.bincount(place, weights=weight) / pupils for place, _ in parts]
    weight, used = _raked(weight, parts, largest, rounds, tolerance)
    after = [np.bincount(place, weights=weight) / pupils for place, _ in parts]
    names = [(name, str(one)) for name, (known, _) in coded.items() for one in known]
    return Weights(
        weight,
        tuple(name for name, _ in names),
        tuple(one for _, one in names),
        np.concatenate([target for _, target in parts]),
        np.concatenate(shares),
        np.concatenate(after),
        effective_size(weight),
        used,
    )


def _targets(
    coded: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    margins: Mapping[str, Mapping[Any, float]],
    weight: Floats,
) -> dict[str, Floats]:
    log = ProblemLog()
    found = {}
    totals = {name: float(sum(margin.values())) for name, margin in margins.items()}
    largest = max(totals.values())
    if min(totals.values()) < largest * (1 - _NEAR):
        words = ", ".join(f"{name} {total:g}" for name, total in totals.items())
        log.add("MH708", f"the margins have different totals: {words}", expected="one total",
                hint="give all as counts of one population, or all as shares")  # fmt: skip
    for name, (known, place) in coded.items():
        wanted = {str(group): float(number) for group, number in margins[name].items()}
        there = np.bincount(place, weights=weight, minlength=len(known)) > 0
        in_sample = {str(one) for one, some in zip(known, there, strict=True) if some}
        for group in sorted(group for group, number in wanted.items() if number > 0):
            if group not in in_sample:
                log.add(
                    "MH708",
                    f"nobody in the sample is of group '{group}'",
                    path=name,
                    expected="a pupil of each group of the population",
                    hint="merge the group with a neighbour in sample and population",
                )
        for group in sorted(in_sample):
            if not wanted.get(group, 0.0) > 0:
                log.add(
                    "MH708",
                    f"the population has no group '{group}'",
                    path=name,
                    expected=f"a number above 0; there are {', '.join(sorted(wanted))}",
                    hint="are groups spelled alike? pupils of no group are left out by name",
                )
        total = totals[name] or 1.0
        found[name] = np.array([wanted.get(str(one), 0.0) / total for one in known])
    if log.errors:
        raise AnalysisError(log)
    return found


def _raked(
    weight: Floats,
    parts: Sequence[tuple[NDArray[Any], Floats]],
    largest: float | None,
    rounds: int,
    tolerance: float,
) -> tuple[Floats, int]:
    pupils = len(weight)
    worst = np.inf
    for used in range(1, rounds + 1):
        for place, target in parts:
            here = np.bincount(place, weights=weight, minlength=len(target)) / pupils
            ratio = np.divide(target, here, out=np.zeros_like(target), where=here > 0)
            weight = weight * ratio[place]
        if largest is not None:
            weight = np.minimum(weight, largest)
        worst = max(
            float(np.abs(np.bincount(place, weights=weight) / pupils - target).max())
            for place, target in parts
        )
        if worst < tolerance:
            return weight, used
    if largest is not None:
        problem = Problem(
            "MH708",
            f"no weights up to {largest:g} times the mean give the sample these margins",
            "a larger limit, or coarser groups",
        )
        raise AnalysisError([problem])
    problem = Problem(
        "MH709",
        f"no end after {rounds} rounds; a share is still off by {worst:.2g}",
        path="raking",
        hint="do two margins contradict each other in the groups that the sample has?",
    )
    raise AnalysisError([problem])
