"""Confirmatory factor models by maximum likelihood, and their invariance over groups.

Each item measures one stated factor or more; residuals do not correlate. A model is fitted by
Fisher scoring on the expected information, whose inverse gives the standard errors. Factors have
variance 1 and mean 0; where loadings are equal over groups, the variances of the other groups are
free, and where intercepts are equal, their means.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from math import log, nan, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import (
    check_choice,
    check_unweighted,
)
from mhscreen.psychometrics.factor_model import (
    LEVELS,
    FactorModel,
    InvarianceLevel,
    Matrices,
    Place,
    Sample,
    check_keys,
    entry,
    loss_of,
    sample_of,
    search,
    slopes_of,
)
from mhscreen.psychometrics.groups import answers_by
from mhscreen.psychometrics.moments import correlations_of, moments
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import MissingPolicy

__all__ = [
    "LEVELS",
    "Confirmation",
    "Estimate",
    "Fit",
    "Invariance",
    "InvarianceLevel",
    "assess_invariance",
    "confirm_factors",
]


@dataclass(frozen=True)
class Estimate:
    """One parameter of a model.

    Attributes
    ----------
    group : str
        The group; empty where there is one only.
    kind : str
        ``"loading"``, ``"factor_variance"``, ``"factor_covariance"``, ``"residual_variance"``,
        ``"intercept"`` or ``"factor_mean"``.
    of, on : str
        The item (or factor), and the factor.
    value, se : float
        The estimate and its standard error; the error is NaN of what is fixed.
    standardised : float
        With items and factors of variance 1; NaN of means and intercepts.
    """

    group: str
    kind: str
    of: str
    on: str
    value: float
    se: float
    standardised: float


@dataclass(frozen=True)
class Fit:
    """How a model fits.

    Attributes
    ----------
    chi2, df, p : float
        The likelihood-ratio test against the unrestricted model.
    scaling : float
        By how much `chi2` is too large for answers of this distribution (Satorra & Bentler 1994):
        the mean of the scaled statistic is that of its degrees of freedom.
    chi2_scaled, p_scaled : float
        The test divided by it.
    cfi, tli : float
        Against the model of independent items.
    rmsea, rmsea_low, rmsea_high : float
        Root mean square error of approximation with its 90 % interval.
    srmr : float
        Standardised root mean square residual.
    loglik, aic, bic : float
        Log-likelihood and what it is worth.
    parameters : int
        The free ones.
    forms : int
        The forms behind it.
    """

    chi2: float
    df: int
    p: float
    scaling: float
    chi2_scaled: float
    p_scaled: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    loglik: float
    aic: float
    bic: float
    parameters: int
    forms: int


@dataclass(frozen=True, repr=False, eq=False)
class Confirmation(Result):
    """A confirmatory factor model.

    Attributes
    ----------
    keys : dict of str to tuple of str
        The items of each factor.
    estimates : tuple of Estimate
        The parameters.
    fit : Fit
        How it fits.
    residual_correlations : ndarray, shape (items, items), or tuple of those
        Observed minus reproduced correlations; of several groups one for each.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Negative variances, correlations beyond one (MH713).
    """

    keys: dict[str, tuple[str, ...]]
    estimates: tuple[Estimate, ...]
    fit: Fit
    residual_correlations: tuple[NDArray[np.float64], ...]
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        fit = self.fit
        return (
            f"{len(self.keys)}-factor model; chi2({fit.df}) = {fit.chi2:.1f}, p = {fit.p:.3g}, "
            f"scaled {fit.chi2_scaled:.1f}, p = {fit.p_scaled:.3g}; CFI {fit.cfi:.3f}, TLI "
            f"{fit.tli:.3f}, RMSEA {fit.rmsea:.3f} [{fit.rmsea_low:.3f}, {fit.rmsea_high:.3f}], "
            f"SRMR {fit.srmr:.3f}; {self.basis}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each parameter."""
        names = ("group", "kind", "of", "on", "value", "se", "standardised")
        return {name: [getattr(one, name) for one in self.estimates] for name in names}

    def _draw(self, ax: Axes) -> None:
        loadings = [one for one in self.estimates if one.kind == "loading"]
        words = [f"{one.of} on {one.on} {one.group}".strip() for one in loadings]
        ax.barh(words, [one.standardised for one in loadings])
        ax.invert_yaxis()
        ax.set(xlabel="standardised loading")


@dataclass(frozen=True, repr=False, eq=False)
class Invariance(Result):
    """Models with more and more in common over groups.

    Attributes
    ----------
    groups : dict of str to int
        The groups and their forms.
    models : dict of str to Confirmation
        The model at each level.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Those of all levels.
    """

    groups: dict[str, int]
    models: dict[InvarianceLevel, Confirmation]
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        sizes = ", ".join(f"{name} {size}" for name, size in self.groups.items())
        return f"Invariance over {len(self.groups)} groups ({sizes}); {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each level, with what it loses against the level before."""
        from scipy.special import chdtrc

        fits = [model.fit for model in self.models.values()]
        names = ("chi2", "df", "p", "cfi", "rmsea", "srmr", "aic", "bic")
        columns: dict[str, Any] = {"level": list(self.models)}
        columns |= {name: [getattr(fit, name) for fit in fits] for name in names}
        steps = list(pairwise(fits))
        lost = [(b.chi2 - a.chi2, b.df - a.df) for a, b in steps]
        columns["chi2_difference"] = [nan, *(chi2 for chi2, _ in lost)]
        columns["df_difference"] = [nan, *(float(df) for _, df in lost)]
        columns["p_difference"] = [nan, *(float(chdtrc(df, chi2)) for chi2, df in lost)]
        for name in ("cfi", "rmsea", "srmr"):
            changes = [getattr(b, name) - getattr(a, name) for a, b in steps]
            columns[f"{name}_difference"] = [nan, *changes]
        return columns

    def _draw(self, ax: Axes) -> None:
        ax.plot(list(self.models), [model.fit.cfi for model in self.models.values()], "o-")
        ax.set(ylabel="CFI")


def confirm_factors(
    answers: object,
    keys: Mapping[str, Sequence[str]],
    *,
    missing: MissingPolicy = "complete",
) -> Confirmation:
    """Fit a confirmatory factor model by maximum likelihood.

    Codes are taken as measurements; with four options or fewer, or most answers at one end, look
    at the scaled test and at polychoric factors beside it.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    keys : mapping of str to sequence of str
        The items of each factor. An item may stand on two.
    missing : str
        ``"complete"`` only: forms with every item answered.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706), and with MH709 where
        the search comes to no end.
    UsageError
        For a model that answers cannot decide: too few items for its factors.

    References
    ----------
    Jöreskog KG (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika 34, 183-202. Satorra A, Bentler PM (1994). Corrections to test statistics and
    standard errors in covariance structure analysis.
    """
    check_choice("missing", missing, "complete")
    factors, items = check_keys(keys)
    taken = as_answers(answers, items)
    check_unweighted(taken)
    kept = taken.only(taken.complete()) if taken.any_blank else taken
    basis = moments(taken, missing=missing).words()
    samples = [sample_of("", kept)]
    return _fitted(FactorModel(factors, items, samples, "configural", means=False), basis)


def assess_invariance(
    answers: object,
    keys: Mapping[str, Sequence[str]],
    group: str | ArrayLike,
    *,
    reference: object = None,
    missing: MissingPolicy = "complete",
    levels: Sequence[InvarianceLevel] = ("configural", "metric", "scalar"),
) -> Invariance:
    """Fit one factor model to several groups, with more and more in common.

    Metric invariance lets relations be compared, scalar invariance means. A loss is judged by its
    size as well as its test, which in large samples sees the slightest: a CFI lower by more than
    .010 together with an RMSEA higher by more than .015 is the usual mark (Chen 2007).

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    keys : mapping of str to sequence of str
        The items of each factor.
    group : str or array_like of shape (forms,)
        A column of the frame, or a label for each form. Forms without one are left out.
    reference : label, optional
        The group whose factors keep variance 1 and mean 0; the first in order by default.
    missing : str
        ``"complete"`` only: forms with every item answered.
    levels : sequence of str
        Out of `LEVELS`, in that order.

    Raises
    ------
    AnalysisError
        With MH707 where there is one group only; for answers that cannot be analysed in one of
        the groups (MH702, MH704, MH705, MH706); with MH709 where a search comes to no end.

    References
    ----------
    Meredith W (1993). Psychometrika 58, 525-543. Chen FF (2007). Structural Equation Modeling 14,
    464-504.
    """
    check_choice("missing", missing, "complete")
    for level in levels:
        check_choice("levels", level, *LEVELS)
    factors, items = check_keys(keys)
    taken, by, left = answers_by(answers, group, items, reference)
    check_unweighted(taken)
    complete = taken.complete()
    samples = [
        sample_of(label, taken.only(complete & (by.of_form == place)))
        for place, label in enumerate(by.labels)
    ]
    left += int((~complete).sum())
    words = f", {left} left out for blanks or without a group" if left else ""
    basis = f"{int(complete.sum())} forms{words}, missing='{missing}'"
    models = {
        level: _fitted(FactorModel(factors, items, samples, level, means=True), basis)
        for level in LEVELS
        if level in levels
    }
    return Invariance(
        groups={sample.name: sample.forms for sample in samples},
        models=models,
        basis=basis,
        problems=tuple(problem for model in models.values() for problem in model.problems),
    )


# -- from a fitted model to a result --------------------------------------------------------------


def _fitted(model: FactorModel, basis: str) -> Confirmation:
    if model.df < 0:
        msg = f"the model has {-model.df} parameters more than the answers can decide"
        raise UsageError(msg)
    values, information = search(model)
    matrices = model.matrices(values)
    errors = np.sqrt(np.diag(np.linalg.inv(information)) / model.forms)
    problems = _improper(model, matrices)
    return Confirmation(
        keys=model.factors,
        estimates=tuple(_estimates(model, matrices, errors)),
        fit=_fit(model, values, information, matrices),
        residual_correlations=tuple(
            _residuals(sample, one) for sample, one in zip(model.samples, matrices, strict=True)
        ),
        basis=basis,
        problems=tuple(problems.problems),
    )


def _residuals(sample: Sample, matrices: Matrices) -> NDArray[np.float64]:
    scale = np.sqrt(np.diag(sample.covariance))
    return np.asarray((sample.covariance - matrices.covariance) / np.outer(scale, scale))


def _improper(model: FactorModel, matrices: list[Matrices]) -> ProblemLog:
    """Return the warning MH713 for variances below nought and correlations beyond one."""
    problems = ProblemLog()
    for sample, one in zip(model.samples, matrices, strict=True):
        where = f"{model.level}, {sample.name}" if sample.name else ""
        found = [
            f"the residual variance of {item} is below nought"
            for item, value in zip(model.items, one.theta, strict=True)
            if value < 0
        ]
        if np.linalg.eigvalsh(one.phi)[0] <= 0:
            found.append("the factors correlate by one or more")
        for what in found:
            problems.add(
                "MH713",
                what,
                path=where,
                hint="fewer factors, or leave out an item that is nearly a copy of another",
            )
    return problems


def _estimates(
    model: FactorModel, matrices: list[Matrices], errors: NDArray[np.float64]
) -> list[Estimate]:
    """Return every parameter of every group, the fixed variances and means included."""
    se = {
        place: float(error)
        for error, places in zip(errors, model.parameters, strict=True)
        for place in places
    }
    found = []
    for group, one in enumerate(matrices):
        name = model.samples[group].name
        item_sd, factor_sd = np.sqrt(np.diag(one.covariance)), np.sqrt(np.diag(one.phi))

        def add(
            kind: str, of: str, on: str, place: Place, standardised: float,
            one: Matrices = one, name: str = name,
        ) -> None:  # fmt: skip
            value = entry(one, place)
            found.append(Estimate(name, kind, of, on, value, se.get(place, nan), standardised))

        for column, (factor, members) in enumerate(model.factors.items()):
            for item in members:
                row = model.items.index(item)
                scale = factor_sd[column] / item_sd[row]
                add(
                    "loading", item, factor, Place(group, "loading", row, column),
                    float(one.loading[row, column] * scale),
                )  # fmt: skip
        for row, column in combinations_with_replacement(range(len(model.names)), 2):
            kind = "factor_variance" if row == column else "factor_covariance"
            place = Place(group, "phi", row, column)
            standard = float(one.phi[row, column] / (factor_sd[row] * factor_sd[column]))
            add(kind, model.names[row], model.names[column], place, standard)
        for row, item in enumerate(model.items):
            standard = float(one.theta[row] / item_sd[row] ** 2)
            add("residual_variance", item, "", Place(group, "theta", row, row), standard)
        if model.means:
            for row, item in enumerate(model.items):
                add("intercept", item, "", Place(group, "intercept", row, 0), nan)
            for row, factor in enumerate(model.names):
                add("factor_mean", factor, "", Place(group, "alpha", row, 0), nan)
    return found


# -- fit ------------------------------------------------------------------------------------------


def _fit(
    model: FactorModel,
    values: NDArray[np.float64],
    information: NDArray[np.float64],
    matrices: list[Matrices],
) -> Fit:
    from scipy.special import chdtrc

    forms, count, groups = model.forms, len(model.items), len(model.samples)
    chi2, df = max(forms * loss_of(model, values), 0.0), model.df
    null = sum(
        sample.forms * -float(np.linalg.slogdet(correlations_of(sample.covariance))[1])
        for sample in model.samples
    )
    null_df = groups * count * (count - 1) // 2
    beyond, null_beyond = max(chi2 - df, 0), max(chi2 - df, null - null_df, 0)
    saturated = -sum(
        sample.forms
        / 2
        * (count * log(2 * pi) + float(np.linalg.slogdet(sample.covariance)[1]) + count)
        for sample in model.samples
    )
    loglik = saturated - chi2 / 2
    parameters = len(values)
    root = sqrt(groups / (forms * df)) if df else nan
    low, high = _noncentrality(chi2, df)
    scaling = _scaling(model, information, matrices) if df else nan
    return Fit(
        chi2=chi2,
        df=df,
        p=float(chdtrc(df, chi2)) if df else nan,
        scaling=scaling,
        chi2_scaled=chi2 / scaling,
        p_scaled=float(chdtrc(df, chi2 / scaling)) if df else nan,
        cfi=1 - beyond / null_beyond if null_beyond else 1.0,
        tli=(null / null_df - chi2 / df) / (null / null_df - 1) if df else 1.0,
        rmsea=root * sqrt(beyond) if df else 0.0,
        rmsea_low=root * sqrt(low),
        rmsea_high=root * sqrt(high),
        srmr=_srmr(model, matrices),
        loglik=loglik,
        aic=2 * parameters - 2 * loglik,
        bic=parameters * log(forms) - 2 * loglik,
        parameters=parameters,
        forms=forms,
    )


def _noncentrality(chi2: float, df: int) -> tuple[float, float]:
    """Return the 90 % limits of the noncentrality of a chi-square."""
    from scipy.optimize import brentq
    from scipy.special import chdtr, chndtr

    limits = []
    for share in (0.95, 0.05):
        if not df or chdtr(df, chi2) < share:
            limits.append(0.0)
            continue
        top = chi2 + 1
        while chndtr(chi2, df, top) > share:
            top *= 2
        limits.append(float(brentq(lambda nc, s=share: chndtr(chi2, df, nc) - s, 0, top)))
    return limits[0], limits[1]


def _srmr(model: FactorModel, matrices: list[Matrices]) -> float:
    """Return the standardised root mean square residual, means included where they are fitted."""
    total = 0.0
    for sample, one in zip(model.samples, matrices, strict=True):
        gaps = _residuals(sample, one)[np.tril_indices(len(model.items))]
        if model.means:
            scale = np.sqrt(np.diag(sample.covariance))
            gaps = np.concatenate([gaps, (sample.mean - one.mean) / scale])
        total += sample.forms / model.forms * sqrt(float(np.mean(gaps**2)))
    return total


def _forms(values: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quadratic form of each row."""
    return np.asarray(np.einsum("fi,fi->f", values @ matrix, values))


def _scaling(
    model: FactorModel, information: NDArray[np.float64], matrices: list[Matrices]
) -> float:
    """Return Satorra and Bentler's scaling: tr(UG) / df, from the forms one by one.

    tr(UG) is the weight of the moments' own variance under the model, less what the parameters
    take up: tr(VG) − tr(I⁻¹J), J being the variance of the forms' slopes. Neither V nor G, of the
    size of all pairs of moments, is ever made.
    """
    total = 0.0
    spread = np.zeros_like(information)
    for group, one in enumerate(matrices):
        sample = model.samples[group]
        share = sample.forms / model.forms
        at = slopes_of(model, group, one)
        centred = sample.values - sample.mean
        whole = centred @ at.inverse
        length = _forms(centred, at.inverse)
        observed = at.inverse @ sample.covariance @ at.inverse
        cross = _forms(centred, observed)
        constant = float(np.trace(observed @ sample.covariance))
        total += float(np.mean((length**2 - 2 * cross + constant) / 2))
        pulled = at.inverse @ at.covariance @ at.inverse
        slopes = np.stack([_forms(centred, one) / 2 for one in pulled], axis=1)
        slopes -= slopes.mean(axis=0)
        if model.means:
            total += float(np.mean(length))
            slopes += whole @ at.mean.T
        spread += share * slopes.T @ slopes / sample.forms
    return float((total - np.trace(np.linalg.solve(information, spread))) / model.df)
