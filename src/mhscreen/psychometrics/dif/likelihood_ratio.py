"""Differential item functioning by item response models: likelihood-ratio tests with anchors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog
from mhscreen.psychometrics.answers import check_missing
from mhscreen.psychometrics.checks import check_gaps, check_groups, refuse
from mhscreen.psychometrics.dif.matching import MOST_ROUNDS, purify, unsettled
from mhscreen.psychometrics.groups import Groups, answers_by, check_cells
from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.calibration import (
    Calibration,
    calibrate,
    check_sizes,
    checked_places,
    fit,
    versions_of,
)
from mhscreen.psychometrics.irt.em import start
from mhscreen.psychometrics.irt.likelihood import Design, design, quadrature
from mhscreen.psychometrics.irt.patterns import Patterns, patterns
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["IrtDif", "find_dif_irt"]


@dataclass(frozen=True, eq=False, repr=False)
class IrtDif(Result):
    """Whether each item needs parameters of its own in each group.

    Attributes
    ----------
    calibration : Calibration
        The groups with the flagged items free, with standard errors.
    statistic : ndarray of float64, shape (items,)
        Twice what the log-likelihood gains when the item is freed beside the flagged ones. NaN for
        an item that could not be compared.
    df : ndarray of int64, shape (items,)
        Parameters of the item times groups but the reference.
    p, adjusted_p : ndarray of float64, shape (items,)
        From the chi-square distribution; adjusted after Benjamini and Hochberg (1995) for the
        number of items tested.
    difference : ndarray of float64, shape (items, groups − 1)
        How much higher each group answers than the reference would at the same trait, averaged
        over that group's trait, in points of the item (Meade 2010); 0 for items that are not
        flagged.
    distance : ndarray of float64, shape (items, groups − 1)
        The same of the absolute difference at each trait: larger than the former where DIF is not
        uniform.
    flagged : ndarray of bool, shape (items,)
        `adjusted_p` below `alpha`.
    rounds : int
        Of purification.
    alpha : float
        As in the call.
    problems : tuple of Problem
    """

    calibration: Calibration
    statistic: Floats
    df: NDArray[np.int64]
    p: Floats
    adjusted_p: Floats
    difference: Floats
    distance: Floats
    flagged: NDArray[np.bool_]
    rounds: int
    alpha: float
    problems: tuple[Problem, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The items."""
        return self.calibration.items

    @property
    def groups(self) -> tuple[str, ...]:
        """The reference, then the others."""
        return self.calibration.groups

    def title(self) -> str:
        """Return what was compared and what flags an item."""
        return (
            f"DIF by likelihood ratio, {models.WORDS[self.calibration.model].lower()}: "
            f"{' and '.join(self.groups)}, {self.calibration.forms} forms, "
            f"{self.calibration.left_out} left out; flagged below adjusted p = {self.alpha:g}; "
            f"{self.rounds} rounds of purification"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item."""
        by_group = {
            f"{name}_{label}": getattr(self, name)[:, place]
            for name in ("difference", "distance")
            for place, label in enumerate(self.groups[1:])
        }
        return {
            "item": list(self.items),
            "statistic": self.statistic,
            "df": self.df,
            "p": self.p,
            "adjusted_p": self.adjusted_p,
            **by_group,
            "flagged": self.flagged,
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the expected answers to the flagged items in each group."""
        points = np.linspace(-4, 4, 161)
        for item in np.flatnonzero(self.flagged).tolist():
            for style, label, one in zip(
                ("-", "--", ":", "-."), self.groups, self.calibration.parameters, strict=False
            ):
                score = one.pick([self.items[item]]).expected_score(points)
                ax.plot(points, score, style, color=f"C{item}", label=f"{self.items[item]} {label}")
        ax.set(xlabel="latent trait", ylabel="expected answer")
        if self.flagged.any():
            ax.legend(fontsize="small")


def find_dif_irt(
    answers: object,
    group: str | ArrayLike,
    items: Sequence[str] | None = None,
    *,
    model: models.Model = "graded",
    reference: object = None,
    missing: str = "available",
    alpha: float = 0.05,
    rounds: int = MOST_ROUNDS,
    points: int = 61,
) -> IrtDif:
    """Test whether each item needs parameters of its own in each group.

    At first every other item anchors the trait; then those that are not flagged, until the same
    items are flagged again. Each group has its own mean and spread throughout.

    Parameters
    ----------
    answers, items
        As for `as_answers`.
    group : str or array_like of shape (forms,)
        Sex, grade, district: a column of the frame, or one label per form.
    model : {"graded", "partial_credit", "2pl"}
        As for `calibrate`.
    reference : label, optional
        The group that the others are compared with; the first in order by default.
    missing : {"available", "complete"}
        As for `calibrate`.
    alpha : float
        Level of the tests, adjusted for their number.
    rounds : int
        Of purification, at most; 0 for none.
    points : int
        Of the trait.

    Raises
    ------
    AnalysisError
        As `calibrate` does, with MH730 where no item could be compared. An item that a group never
        answered in some way is not compared: MH730 among the problems.
    """
    models.check_model(model)
    check_missing(missing, "available", "complete")
    taken, groups, _ = answers_by(answers, group, items, reference)
    there = taken.answered()
    read = np.asarray(there.all(axis=0) if missing == "complete" else there.any(axis=0))
    kept, of_form = taken.only(read), groups.of_form[read]
    places = checked_places(kept, model)
    numbers = [len(known) for known in kept.categories()]
    log = ProblemLog()
    check_gaps(kept, log)
    check_groups(int(np.sum(np.bincount(of_form, minlength=len(groups.labels)) > 0)), "group", log)
    refuse(log)
    check_sizes(Groups(groups.labels, of_form), len(kept.items))
    fine = check_cells(kept.items, places, numbers, Groups(groups.labels, of_form), log)
    if not fine.any():
        raise AnalysisError(log)
    tests = _Tests(
        model,
        quadrature(points),
        tuple(
            patterns(np.ascontiguousarray(places[:, of_form == place]), numbers)
            for place in range(len(groups.labels))
        ),
        numbers,
        kept.items,
        fine,
    )
    found: dict[str, _Tested] = {}

    def flag(anchors: list[int]) -> NDArray[np.bool_]:
        free = [item for item in range(len(numbers)) if item not in anchors]
        found["last"] = _tested(tests, free)
        return np.nan_to_num(found["last"].adjusted_p, nan=1.0) < alpha

    settled = purify(len(numbers), flag, rounds)
    unsettled(settled, log)
    flagged = settled.flagged
    if flagged.all():
        log.add(
            "MH731",
            "every item was flagged: nothing anchors the trait",
            path="anchors",
            hint="name items that mean the same in all groups",
        )
        raise AnalysisError(log)
    calibration = calibrate(
        answers,
        items,
        model=model,
        missing=missing,
        group=group,
        reference=reference,
        free=[item for item, free in zip(kept.items, flagged, strict=True) if free],
        points=points,
    )
    difference, distance = _differences(calibration)
    last = found["last"]
    return IrtDif(
        calibration,
        last.statistic,
        last.df,
        last.p,
        last.adjusted_p,
        difference,
        distance,
        flagged,
        settled.rounds,
        alpha,
        tuple(log),
    )


class _Tests(NamedTuple):
    """What every test shares."""

    model: models.Model
    points: Floats
    split: tuple[Patterns, ...]
    numbers: list[int]
    names: tuple[str, ...]
    fine: NDArray[np.bool_]

    def design(self, free: list[int]) -> Design:
        """Return the likelihood with some items free."""
        versions, counts = versions_of(len(self.split), self.numbers, free)
        return design(self.model, self.points, self.split, versions, counts)


class _Tested(NamedTuple):
    """The tests of a round; arrays of shape (items,)."""

    statistic: Floats
    df: NDArray[np.int64]
    p: Floats
    adjusted_p: Floats


def _tested(tests: _Tests, free: list[int]) -> _Tested:
    """Test each item: what freeing it gains, beside the others that are free."""
    from scipy.special import chdtrc

    base = tests.design(free)
    whole = fit(base, start(base), errors="none", names=tests.names)
    statistic = np.full(len(tests.numbers), np.nan)
    for item in np.flatnonzero(tests.fine).tolist():
        other = [one for one in free if one != item] if item in free else sorted([*free, item])
        of = tests.design(other)
        begin = _carried(base, of, whole.vector)
        gain = fit(of, begin, errors="none", names=tests.names).log_likelihood
        gain -= whole.log_likelihood
        statistic[item] = max(-2.0 * gain if item in free else 2.0 * gain, 0.0)
    df = np.array(tests.numbers) * (len(tests.split) - 1)
    p = np.where(tests.fine, chdtrc(df, np.nan_to_num(statistic)), np.nan)
    return _Tested(statistic, df, p, _adjusted(p))


def _carried(old: Design, new: Design, vector: Floats) -> Floats:
    """Return a vector for another choice of free items, from the one that was found."""
    found = np.empty(new.size + 2 * (len(new.groups) - 1))
    found[new.size :] = vector[old.size :]
    for version in range(len(new.categories)):
        group, item = np.argwhere(new.versions == version)[0]
        number = new.categories[version]
        into, out = new.first[version], old.first[old.versions[group, item]]
        found[into : into + number] = vector[out : out + number]
    return found


def _adjusted(p: Floats) -> Floats:
    """Return p values adjusted for their number (Benjamini and Hochberg 1995)."""
    found = np.full(len(p), np.nan)
    order = np.argsort(p)[: int(np.sum(~np.isnan(p)))]
    raised = p[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return found


def _differences(of: Calibration) -> tuple[Floats, Floats]:
    """Return signed and absolute differences of each item in each group, over its trait."""
    signed = np.zeros((len(of.items), len(of.groups) - 1))
    absolute = np.zeros_like(signed)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    weights /= weights.sum()
    for place, (one, mean, sd) in enumerate(
        zip(of.parameters[1:], of.means[1:], of.sds[1:], strict=True)
    ):
        theta = mean + sd * nodes
        for item, (mine, theirs, codes) in enumerate(
            zip(one.chances(theta), of.parameters[0].chances(theta), one.codes, strict=True)
        ):
            apart = (mine - theirs) @ codes
            signed[item, place] = weights @ apart
            absolute[item, place] = weights @ np.abs(apart)
    return signed, absolute
