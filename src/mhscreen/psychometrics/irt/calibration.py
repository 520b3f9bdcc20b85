"""Calibration: item parameters from answers, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import Answers, as_answers, check_missing
from mhscreen.psychometrics.checks import (
    check_constant,
    check_enough,
    check_gaps,
    give_up,
    pairs_alike,
    refuse,
)
from mhscreen.psychometrics.groups import Groups, answers_by, check_cells
from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.em import Climb, climb, start
from mhscreen.psychometrics.irt.errors import Errors, information_matrix
from mhscreen.psychometrics.irt.likelihood import REACH, Design, design, gradient, quadrature
from mhscreen.psychometrics.irt.parameters import ItemParameters
from mhscreen.psychometrics.irt.patterns import patterns
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["Calibration", "calibrate"]

POINTS = 61
TOLERANCE = 1e-5
MOST_STEPS = 1000

_ERRORS = {
    "observed": "standard errors from the observed information (Louis 1982)",
    "cross-product": "standard errors from the cross-products of the scores",
    "none": "no standard errors",
}
_STEEPEST = 20.0
"""A slope beyond this is on its way to infinity: no item of a questionnaire has it."""
_NEAR = 0.02
"""How far from the maximum the end may be, in standard errors (the Newton decrement)."""
_FINER = 0.01
_TRIES = 3
_EDGE = 3.0  # standard deviations of a group's trait that the points must hold


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Result):
    """Item parameters by marginal maximum likelihood.

    Attributes
    ----------
    parameters : tuple of ItemParameters
        For each group; the same object where there is one group.
    slope_errors : ndarray of float64, shape (groups, items)
        Standard errors; NaN where none were asked for.
    threshold_errors : tuple of tuple of ndarray of float64
        The same for the thresholds of each group's items.
    groups : tuple of str
        The groups, the reference first; empty where all forms are one group.
    means, sds : ndarray of float64, shape (groups,)
        Of the latent trait; 0 and 1 in the first group.
    mean_errors, sd_errors : ndarray of float64, shape (groups,)
        Their standard errors; 0 in the first group, where they are fixed.
    free : tuple of str
        Items whose parameters differ between the groups; with equal slopes only the thresholds.
    forms, left_out : int
        Forms with an answer; forms that were not read (blank ones, those without a group and,
        under ``missing="complete"``, those with a blank).
    log_likelihood : float
        Of the answers, at the estimates.
    estimated : int
        The number of estimated parameters; equal slopes are one.
    steps : int
        Of the EM algorithm.
    covariance : ndarray of float64, shape (parameters, parameters)
        Of slopes and intercepts, and of mean and log SD of each group but the first; NaN where no
        standard errors were asked for. Equal slopes stand at each item, so that it is singular.
    missing, errors : str
        As in the call.
    equal_slopes : bool
        As in the call.
    problems : tuple of Problem
    """

    parameters: tuple[ItemParameters, ...]
    slope_errors: Floats
    threshold_errors: tuple[tuple[Floats, ...], ...]
    groups: tuple[str, ...]
    means: Floats
    sds: Floats
    mean_errors: Floats
    sd_errors: Floats
    free: tuple[str, ...]
    forms: int
    left_out: int
    log_likelihood: float
    estimated: int
    steps: int
    covariance: Floats
    missing: str
    errors: Errors
    equal_slopes: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The items."""
        return self.parameters[0].items

    @property
    def model(self) -> models.Model:
        """The model."""
        return self.parameters[0].model

    @property
    def aic(self) -> float:
        """Akaike's information criterion."""
        return 2.0 * (self.estimated - self.log_likelihood)

    @property
    def bic(self) -> float:
        """Schwarz's information criterion."""
        return self.estimated * float(np.log(self.forms)) - 2.0 * self.log_likelihood

    def of(self, group: str) -> ItemParameters:
        """Return the parameters of one group."""
        if group not in self.groups:
            msg = f"no group {group!r}; there are {', '.join(self.groups) or 'none'}"
            raise UsageError(msg)
        return self.parameters[self.groups.index(group)]

    def title(self) -> str:
        """Return the model, what it rests on, and how well it fits."""
        groups = f" in {len(self.groups)} groups" if self.groups else ""
        left_out = f", {self.left_out} left out" if self.left_out else ""
        equal = " with equal slopes" if self.equal_slopes else ""
        return (
            f"{models.WORDS[self.model]}{equal}: {len(self.items)} items, {self.forms} forms"
            f"{groups}{left_out}, missing={self.missing!r}; "
            f"log-likelihood {self.log_likelihood:.2f}, "
            f"AIC {self.aic:.1f}, BIC {self.bic:.1f}; {_ERRORS[self.errors]}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item, and for each group where the item is free."""
        rows = [
            (group, item)
            for item, name in enumerate(self.items)
            for group in range(len(self.parameters) if name in self.free else 1)
        ]
        most = max(map(len, self.parameters[0].intercepts))
        found: dict[str, Any] = {"item": [self.items[item] for _, item in rows]}
        if self.groups:
            found["group"] = [
                self.groups[group] if self.items[item] in self.free else "all"
                for group, item in rows
            ]
        found["a"] = np.array([self.parameters[group].slopes[item] for group, item in rows])
        found["a_se"] = np.array([self.slope_errors[group, item] for group, item in rows])
        for step in range(most):
            for name, table in (
                (f"b{step + 1}", [one.thresholds for one in self.parameters]),
                (f"b{step + 1}_se", self.threshold_errors),
            ):
                found[name] = np.array(
                    [
                        table[group][item][step] if step < len(table[group][item]) else np.nan
                        for group, item in rows
                    ]
                )
        return found

    def _draw(self, ax: Axes) -> None:
        """Draw the test information of each group, where the pupils are."""
        points = np.linspace(-4, 4, 161)
        for place, one in enumerate(self.parameters):
            whole = np.sum(
                [
                    models.information(one.model, np.concatenate([[a], d])[None], points)[0]
                    for a, d in zip(one.slopes, one.intercepts, strict=True)
                ],
                axis=0,
            )
            ax.plot(points, whole, label=self.groups[place] if self.groups else "information")
        ax.set(xlabel="latent trait", ylabel="test information")
        ax.legend()


def calibrate(
    answers: object,
    items: Sequence[str] | None = None,
    *,
    model: models.Model = "graded",
    equal_slopes: bool = False,
    missing: str = "available",
    group: str | ArrayLike | None = None,
    reference: object = None,
    free: Sequence[str] = (),
    errors: Errors = "observed",
    points: int = POINTS,
) -> Calibration:
    """Estimate item parameters by marginal maximum likelihood (Bock and Aitkin 1981).

    Parameters
    ----------
    answers, items
        As for `as_answers`; each distinct answer to an item is a category.
    model : {"graded", "partial_credit", "2pl"}
        ``"partial_credit"`` is the generalised one, with a slope for each item.
    equal_slopes : bool
        One slope for all items. It is estimated, and the trait keeps SD 1: the 2PL is then the
        Rasch model, ``"partial_credit"`` the partial credit model (Masters 1982). Programs that fix
        the slope at 1 and free the SD print slope · threshold as threshold, and the slope as SD.
        An item keyed the other way has no negative slope then (MH712); `assess_item_fit` shows it.
    missing : {"available", "complete"}
        ``"available"`` uses every answered item of every form, which is right where blanks depend
        on nothing but the answers that are there; ``"complete"`` only forms without a blank.
    group : str or array_like of shape (forms,), optional
        Several groups, each with its own mean and standard deviation of the trait.
    reference : label, optional
        The group with mean 0 and standard deviation 1; the first in order by default.
    free : sequence of str
        Items whose parameters may differ between the groups (with equal slopes, only their
        thresholds); the others anchor the trait.
    errors : {"observed", "cross-product", "none"}
        Where the standard errors come from.
    points : int
        Of the trait, equally spaced from −6 to 6.

    Raises
    ------
    AnalysisError
        With MH702 for an item without two answers, MH701 for an item of more than two under
        ``"2pl"``, MH705 for fewer forms than items, MH707 for one group, MH730 where a group never
        chose an answer of a free item, MH706 where the parameters cannot be told apart, MH709
        where the fit came to no end, or a group lies too far from the reference. No figure of such
        a fit is given.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> trait = rng.normal(size=(1000, 1))
    >>> forms = (rng.logistic(size=(1000, 4)) < 1.5 * trait - [-1, 0, 0.5, 1]).astype(np.int8)
    >>> found = calibrate(forms, ["q1", "q2", "q3", "q4"], model="2pl")
    >>> print(found.to_frame().round(2).to_string(index=False))
    item    a  a_se    b1  b1_se
      q1 1.46  0.19 -0.66   0.08
      q2 1.21  0.15 -0.05   0.07
      q3 1.75  0.24  0.35   0.06
      q4 1.49  0.19  0.72   0.08
    """
    models.check_model(model)
    check_missing(missing, "available", "complete")
    if errors not in _ERRORS:
        msg = f"errors is {', '.join(map(repr, _ERRORS))}, not {errors!r}"
        raise UsageError(msg)
    taken, groups, left_out = _taken(answers, items, group, reference)
    if taken.weights is not None:
        msg = "weights are not used in a calibration: its standard errors would be wrong"
        raise UsageError(msg)
    there = taken.answered()
    read = np.asarray(there.all(axis=0) if missing == "complete" else there.any(axis=0))
    left_out += int(np.sum(~read))
    taken, of_form = taken.only(read), groups.of_form[read]
    places = checked_places(taken, model)
    check_sizes(Groups(groups.labels, of_form), len(taken.items))
    where_free = _places_of(free, taken.items)
    numbers = [len(known) for known in taken.categories()]
    log = ProblemLog()
    mine = [taken.items[item] for item in where_free]
    check_cells(
        mine,
        places[where_free],
        [numbers[item] for item in where_free],
        Groups(groups.labels, of_form),
        log,
    )
    if log:
        raise AnalysisError(log)
    split = [
        patterns(np.ascontiguousarray(places[:, of_form == group]), numbers)
        for group in range(len(groups.labels))
    ]
    versions, counts = versions_of(len(split), numbers, where_free)
    of = design(model, quadrature(points), split, versions, counts, equal_slopes=equal_slopes)
    fitted = fit(of, start(of), errors=errors, names=taken.items)
    return _described(
        of,
        fitted,
        taken,
        labels=groups.labels if group is not None else (),
        free=tuple(taken.items[place] for place in where_free),
        left_out=left_out,
        missing=missing,
        errors=errors,
    )


class Fit(NamedTuple):
    """A fit that came to its end."""

    vector: Floats
    covariance: Floats
    log_likelihood: float
    steps: int


def fit(
    of: Design,
    begin: Floats,
    *,
    errors: Errors,
    names: Sequence[str],
    tolerance: float = TOLERANCE,
    most: int = MOST_STEPS,
) -> Fit:
    """Return the maximum of the likelihood, or raise.

    Raises
    ------
    AnalysisError
        With MH709 if it was not reached, with MH706 if the information is singular.
    """
    vector, steps = begin, 0
    for _ in range(_TRIES):
        end = climb(of, vector, tolerance=tolerance, most=most - steps)
        steps += end.iterations
        _check_end(of, end, steps, names)
        vector = end.vector
        if errors == "none":
            nothing = np.full((len(vector), len(vector)), np.nan)
            return Fit(vector, nothing, end.expected.log_likelihood, steps)
        ties = of.ties()
        matrix = ties.T @ information_matrix(of, vector, end.expected, errors) @ ties
        covariance = ties @ _inverse(matrix) @ ties.T
        uphill = gradient(of, vector, end.expected)
        if np.sqrt(uphill @ covariance @ uphill) < _NEAR:
            return Fit(vector, covariance, end.expected.log_likelihood, steps)
        tolerance *= _FINER
    return give_up("calibration", steps, "the likelihood is too flat: more forms, or fewer items")


def versions_of(
    groups: int, categories: Sequence[int], free: Sequence[int]
) -> tuple[NDArray[np.int64], list[int]]:
    """Return which version of each item each group answers, and the categories of the versions."""
    versions = np.tile(np.arange(len(categories)), (groups, 1))
    counts = list(categories)
    for item in free:
        for group in range(1, groups):
            versions[group, item] = len(counts)
            counts.append(categories[item])
    return versions, counts


def _taken(
    answers: object, items: Sequence[str] | None, group: Any, reference: object
) -> tuple[Answers, Groups, int]:
    if group is not None:
        return answers_by(answers, group, items, reference)
    taken = as_answers(answers, items)
    return taken, Groups(("all",), np.zeros(taken.forms, dtype=np.int64)), 0


def _places_of(names: Sequence[str], items: Sequence[str]) -> list[int]:
    unknown = [name for name in names if name not in items]
    if unknown:
        msg = f"free: no item {', '.join(unknown)}"
        raise UsageError(msg)
    if len(set(names)) == len(items):
        msg = "free: at least one item must be the same in all groups, to anchor the trait"
        raise UsageError(msg)
    return [place for place, item in enumerate(items) if item in names]


def check_sizes(groups: Groups, items: int) -> None:
    """Refuse groups of fewer forms than there are items.

    Raises
    ------
    AnalysisError
        With MH705, naming each.
    """
    log = ProblemLog()
    for label, size in zip(groups.labels, groups.sizes().tolist(), strict=True):
        if len(groups.labels) > 1:
            check_enough(size, items, f"as many as items, of the group {label}", log)
    refuse(log)


def checked_places(taken: Answers, model: str) -> NDArray[np.int8]:
    """Return the categories of the answers, or raise what is wrong with them."""
    log = ProblemLog()
    numbers = [len(known) for known in taken.categories()]
    check_constant(taken.items, np.array([number - 1.0 for number in numbers]), log)
    check_enough(taken.forms, len(numbers), "as many as items", log)
    if model == "2pl":
        for item, number in zip(taken.items, numbers, strict=True):
            if number > 2:  # noqa: PLR2004 - right and wrong
                log.add(
                    "MH701",
                    "more than two different answers",
                    path=item,
                    expected="two, under model='2pl'",
                )
    refuse(log)
    for one, other in pairs_alike(taken):
        log.add(
            "MH704",
            f"{taken.items[one]} and {taken.items[other]} are perfectly correlated",
            expected="items that are independent at one level of the trait",
            hint="is one a copy of the other? leave one of them out by name",
        )
    refuse(log)
    return taken.places()


def _check_end(of: Design, end: Climb, steps: int, names: Sequence[str]) -> None:
    """Raise MH709 unless the algorithm ended where a maximum can be."""
    slopes = end.vector[of.first]
    steep = np.flatnonzero(~(np.abs(slopes) < _STEEPEST))
    if len(steep):
        if of.equal_slopes:
            give_up("calibration", steps, "the slope runs off to infinity: are all items copies?")
        item = int(np.argmax(of.versions == steep[0])) % of.versions.shape[1]
        give_up(names[item], steps, "its slope runs off to infinity: is it a copy of another item?")
    if not end.converged:
        give_up("calibration", steps, "more forms, or fewer items or categories")


def _inverse(matrix: Floats) -> Floats:
    """Return the covariances of the estimates, or raise MH706."""
    scale = np.sqrt(np.abs(np.diag(matrix)))
    try:
        np.linalg.cholesky(matrix / np.outer(scale, scale))
    except np.linalg.LinAlgError as error:
        log = ProblemLog()
        log.add(
            "MH706",
            "the information about the parameters is singular",
            expected="answers that tell every parameter apart",
            hint="fewer items or categories, or more forms",
        )
        raise AnalysisError(log) from error
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


def _described(
    of: Design,
    fitted: Fit,
    taken: Answers,
    *,
    labels: tuple[str, ...],
    free: tuple[str, ...],
    left_out: int,
    missing: str,
    errors: Errors,
) -> Calibration:
    """Return the result of a fit."""
    log = ProblemLog()
    check_gaps(taken, log)
    variances = np.diag(fitted.covariance)
    codes = taken.categories()
    parameters, slope_errors, threshold_errors = [], [], []
    for versions in of.versions:
        slopes, steps, step_errors = [], [], []
        for version in versions.tolist():
            first, number = of.first[version], int(of.categories[version])
            mine = slice(first, first + number)
            slopes.append(fitted.vector[first])
            steps.append(fitted.vector[mine][1:])
            own = fitted.covariance[mine, mine]
            step_errors.append(_threshold_errors(fitted.vector[mine], own))
        parameters.append(
            ItemParameters(of.model, taken.items, np.array(slopes), tuple(steps), codes)
        )
        slope_errors.append(np.sqrt(variances[of.first[versions]]))
        threshold_errors.append(tuple(step_errors))
    for item, slope in zip(taken.items, parameters[0].slopes, strict=True):
        if slope < 0:
            log.add(
                "MH712",
                "its slope is negative",
                path=item,
                hint="turn it round (reverse=…) if it is keyed the other way",
            )
    groups = fitted.vector[of.size :].reshape(-1, 2)
    group_errors = np.sqrt(variances[of.size :]).reshape(-1, 2)
    means = np.concatenate([[0.0], groups[:, 0]])
    sds = np.concatenate([[1.0], np.exp(groups[:, 1])])
    for label, mean, sd in zip(labels, means, sds, strict=False):
        if abs(mean) + _EDGE * sd > REACH:
            give_up(
                label,
                fitted.steps,
                "its trait reaches beyond the points: take a group in the middle as the reference",
            )
    return Calibration(
        parameters=tuple(parameters),
        slope_errors=np.array(slope_errors),
        threshold_errors=tuple(threshold_errors),
        groups=labels,
        means=means,
        sds=sds,
        mean_errors=np.concatenate([[0.0], group_errors[:, 0]]),
        sd_errors=np.concatenate([[0.0], group_errors[:, 1] * np.exp(groups[:, 1])]),
        free=free,
        forms=taken.forms,
        left_out=left_out,
        log_likelihood=fitted.log_likelihood,
        estimated=of.ties().shape[1],
        steps=fitted.steps,
        covariance=fitted.covariance,
        missing=missing,
        errors=errors,
        equal_slopes=of.equal_slopes,
        problems=tuple(log),
    )


def _threshold_errors(vector: Floats, covariance: Floats) -> Floats:
    """Return the standard errors of b = −d / a, by the delta method."""
    slope, b = vector[0], -vector[1:] / vector[0]
    own = np.diag(covariance)
    variance = own[1:] + b**2 * own[0] + 2.0 * b * covariance[0, 1:]
    errors: Floats = np.sqrt(variance) / abs(slope)
    return errors
