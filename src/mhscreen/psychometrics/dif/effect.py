"""What DIF does to scores and to the categories at each cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.irt import likelihoods_of_sums
from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError
from mhscreen.psychometrics.groups import answers_by
from mhscreen.psychometrics.irt.likelihood import log_normal, quadrature
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.irt.calibration import Calibration
    from mhscreen.psychometrics.irt.parameters import ItemParameters

    Floats = NDArray[np.float64]

__all__ = ["DifEffect", "assess_dif_effect"]

_POINTS = 121
_FARTHEST = 12.0
_NEAR = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class DifEffect(Result):
    """Groups with their own parameters against the same pupils with the reference's.

    Attributes
    ----------
    groups : tuple of str
        The reference, then the others.
    cuts : tuple of int
        A sum at the cut belongs to the far side.
    pupils : ndarray of int64, shape (groups − 1,)
        Complete forms of each group.
    mean_difference : ndarray of float64, shape (groups − 1,)
        How much higher the group's sum is than the reference's at the same trait, on average.
    mean_distance : ndarray of float64, shape (groups − 1,)
        The same of the absolute difference: larger where DIF of several items cancels in part.
    share, share_as_reference : ndarray of float64, shape (groups − 1, cuts)
        Expected share of the group at or beyond the cut, with its own parameters and with those of
        the reference.
    beyond, beyond_adjusted : ndarray of int64, shape (groups − 1, cuts)
        Pupils at or beyond the cut by their sum, and by the sum that the reference group would
        have at the same true score, rounded.
    no_longer, newly : ndarray of int64, shape (groups − 1, cuts)
        Pupils beyond the cut by the first only, and by the second only: their category changes.
    sums : ndarray of int64, shape (sums,)
        Every possible sum.
    adjusted : ndarray of float64, shape (groups − 1, sums)
        What each sum corresponds to in the reference group.
    problems : tuple of Problem
    """

    groups: tuple[str, ...]
    cuts: tuple[int, ...]
    pupils: NDArray[np.int64]
    mean_difference: Floats
    mean_distance: Floats
    share: Floats
    share_as_reference: Floats
    beyond: NDArray[np.int64]
    beyond_adjusted: NDArray[np.int64]
    no_longer: NDArray[np.int64]
    newly: NDArray[np.int64]
    sums: NDArray[np.int64]
    adjusted: Floats
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what is compared; it describes these pupils and moves no cut."""
        return (
            f"What DIF does to sums: {', '.join(self.groups[1:])} against {self.groups[0]}; "
            "describes this sample and moves no cut"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each group but the reference and each cut."""
        number = len(self.cuts)
        names = ("share", "share_as_reference", "beyond", "beyond_adjusted", "no_longer", "newly")
        return {
            "group": [label for label in self.groups[1:] for _ in self.cuts],
            "cut": list(self.cuts) * (len(self.groups) - 1),
            "pupils": np.repeat(self.pupils, number),
            "mean_difference": np.repeat(self.mean_difference, number),
            "mean_distance": np.repeat(self.mean_distance, number),
            **{name: getattr(self, name).ravel() for name in names},
        }

    def _draw(self, ax: Axes) -> None:
        """Draw by how much each sum would move."""
        for label, row in zip(self.groups[1:], self.adjusted, strict=True):
            ax.plot(self.sums, row - self.sums, label=label)
        for cut in self.cuts:
            ax.axvline(cut, color="grey", linestyle=":")
        ax.axhline(0, color="black", linewidth=0.5)
        ax.set(xlabel="sum", ylabel=f"sum at the same trait in {self.groups[0]}, less the sum")
        ax.legend()


def assess_dif_effect(
    answers: object,
    group: str | ArrayLike,
    calibration: Calibration,
    cuts: Sequence[int],
) -> DifEffect:
    """Ask how many pupils' categories depend on the DIF of some items.

    Parameters
    ----------
    answers
        As for `as_answers`; the answers themselves are added up, and only complete forms count.
    group : str or array_like of shape (forms,)
        The groups of the calibration.
    calibration : Calibration
        Of two groups or more in which the items with DIF are free (as `find_dif_irt` gives it).
    cuts : sequence of int
        On the sum; a sum at the cut belongs to the far side.

    Raises
    ------
    AnalysisError
        With MH705 for a group without a complete form.
    UsageError
        If no item is free, a group is not in the calibration, or answers are not whole numbers.
    """
    if not calibration.groups or not calibration.free:
        msg = "a calibration of several groups in which some items are free is expected"
        raise UsageError(msg)
    taken, groups, _ = answers_by(answers, group, calibration.items, calibration.groups[0])
    if not set(groups.labels) <= set(calibration.groups):
        msg = f"groups of the calibration are expected: {', '.join(calibration.groups)}"
        raise UsageError(msg)
    reference = calibration.parameters[0]
    scores = [codes.astype(np.int64).tolist() for codes in reference.codes]
    if any((codes != np.rint(codes)).any() for codes in reference.codes):
        msg = "only whole answers add up to sums with a cut"
        raise UsageError(msg)
    complete = taken.complete()
    taken, of_form = taken.only(complete), groups.of_form[complete]
    whole = taken.cells.sum(axis=0, dtype=np.float64)
    lowest, highest = sum(s[0] for s in scores), sum(s[-1] for s in scores)
    sums = np.arange(lowest, highest + 1)
    wanted = [label for label in calibration.groups if label in groups.labels][1:]
    log = ProblemLog()
    rows = []
    for label in wanted:
        mine = whole[of_form == groups.labels.index(label)]
        if not len(mine):
            log.add("MH705", "no complete form", path=label)
            continue
        place = calibration.groups.index(label)
        rows.append(
            _row(
                calibration.of(label),
                reference,
                (float(calibration.means[place]), float(calibration.sds[place])),
                mine,
                sums,
                np.asarray(cuts, dtype=np.int64),
            )
        )
    if log:
        raise AnalysisError(log)
    joined: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return DifEffect(groups=(calibration.groups[0], *wanted), cuts=tuple(cuts), sums=sums, **joined)


def _row(
    mine: ItemParameters,
    reference: ItemParameters,
    trait: tuple[float, float],
    whole: Floats,
    sums: NDArray[np.int64],
    cuts: NDArray[np.int64],
) -> dict[str, Any]:
    """Return the figures of one group."""
    theta = trait[0] + trait[1] * quadrature(_POINTS)
    weights = np.exp(log_normal(theta, *trait))
    apart = mine.expected_score(theta) - reference.expected_score(theta)
    adjusted = _adjusted(mine, reference, sums)
    moved = np.rint(adjusted[(whole - sums[0]).astype(np.int64)] + _NEAR)
    before, after = whole[:, None] >= cuts, moved[:, None] >= cuts
    return {
        "pupils": len(whole),
        "mean_difference": float(weights @ apart),
        "mean_distance": float(weights @ np.abs(apart)),
        "share": _share(mine, theta, weights, sums, cuts),
        "share_as_reference": _share(reference, theta, weights, sums, cuts),
        "beyond": before.sum(axis=0),
        "beyond_adjusted": after.sum(axis=0),
        "no_longer": (before & ~after).sum(axis=0),
        "newly": (~before & after).sum(axis=0),
        "adjusted": adjusted,
    }


def _share(
    parameters: ItemParameters,
    theta: Floats,
    weights: Floats,
    sums: NDArray[np.int64],
    cuts: NDArray[np.int64],
) -> Floats:
    """Return the expected share at or beyond each cut."""
    scores = [codes.astype(np.int64).tolist() for codes in parameters.codes]
    _, likely = likelihoods_of_sums(parameters.chances(theta), scores)
    chances = likely @ weights
    return np.array([chances[sums >= cut].sum() for cut in cuts.tolist()])


def _adjusted(mine: ItemParameters, reference: ItemParameters, sums: NDArray[np.int64]) -> Floats:
    """Return the reference's expected sum where the group's expected sum is each sum.

    Sums that no trait leads to, the ends, stay what they are.
    """
    theta = np.linspace(-_FARTHEST, _FARTHEST, 4801)
    own = mine.expected_score(theta)
    found = np.interp(sums, own, reference.expected_score(theta))
    outside = (sums <= own[0]) | (sums >= own[-1])
    return np.where(outside, sums, found)
