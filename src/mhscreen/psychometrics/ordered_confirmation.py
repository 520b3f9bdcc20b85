"""From a fitted model of ordered answers to estimates and fit."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import Problem, ProblemLog
from mhscreen.psychometrics.confirmation_results import (
    Confirmation,
    Difference,
    Estimate,
    Fit,
    noncentrality,
)
from mhscreen.psychometrics.ordered_model import OrderedPlace, adjusted, difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.psychometrics.ordered_model import OrderedFit, OrderedMatrices, OrderedModel

__all__ = ["difference_of", "fitted_ordered"]


def fitted_ordered(
    model: OrderedModel, found: OrderedFit, basis: str, problems: Sequence[Problem] = ()
) -> Confirmation:
    """Return the result of a search, with the problems known before it."""
    matrices = model.matrices(found.values)
    improper = _improper(model, matrices)
    return Confirmation(
        keys=model.factors,
        estimates=tuple(_estimates(model, found, matrices)),
        fit=_fit(model, found, matrices),
        residual_correlations=tuple(
            sample.correlation - one.correlation
            for sample, one in zip(model.samples, matrices, strict=True)
        ),
        basis=basis,
        problems=(*problems, *improper.problems),
    )


def difference_of(
    wide: OrderedModel, fit_wide: OrderedFit, narrow: OrderedModel, fit_narrow: OrderedFit
) -> Difference:
    """Return the test of what the narrower of two models loses, adjusted in mean and variance."""
    from scipy.special import chdtrc

    df = narrow.df - wide.df
    if not df:  # of three options equal thresholds are no restriction
        return Difference(0.0, 0, nan)
    scaling, shift = difference(narrow, fit_narrow, fit_wide, df)
    chi2 = max((fit_narrow.chi2 - fit_wide.chi2) / scaling + shift, 0.0)
    return Difference(chi2, df, float(chdtrc(df, chi2)))


def _improper(model: OrderedModel, matrices: list[OrderedMatrices]) -> ProblemLog:
    """Return the warning MH713 for variances below nought and correlations beyond one."""
    problems = ProblemLog()
    for sample, one in zip(model.samples, matrices, strict=True):
        found = [
            f"the residual variance of {item} is below nought"
            for item, value in zip(model.items, one.residual, strict=True)
            if value < 0
        ]
        if np.linalg.eigvalsh(one.phi)[0] <= 0:
            found.append("the factors correlate by one or more")
        for what in found:
            problems.add(
                "MH713",
                what,
                path=f"{model.level}, {sample.name}" if sample.name else "",
                hint="fewer factors, or leave out an item that is nearly a copy of another",
            )
    return problems


def _estimates(
    model: OrderedModel, found: OrderedFit, matrices: list[OrderedMatrices]
) -> list[Estimate]:
    """Return every parameter of every group, those that are fixed included."""
    errors = np.sqrt(np.diag(found.covariance))
    se = {
        place: float(error)
        for error, places in zip(errors, model.parameters, strict=True)
        for place in places
    }
    return [
        one
        for group, of in enumerate(matrices)
        for one in (
            *_of_factors(model, group, of, se),
            *_of_items(model, group, of, se),
            *(_of_groups(model, group, of, se) if len(matrices) > 1 else ()),
        )
    ]


_Errors = dict[OrderedPlace, float]


def _of_factors(
    model: OrderedModel, group: int, of: OrderedMatrices, se: _Errors
) -> list[Estimate]:
    """Return loadings and covariances of factors."""
    name = model.samples[group].name
    factor_sd = np.sqrt(np.diag(of.phi))
    found = []
    for column, (factor, members) in enumerate(model.factors.items()):
        for item in members:
            row = model.items.index(item)
            place = OrderedPlace(group, "loading", row, column)
            standard = of.entry(place) * float(factor_sd[column] * of.scale[row])
            error = se.get(place, nan)
            found.append(Estimate(name, "loading", item, factor, of.entry(place), error, standard))
    for row, column in combinations_with_replacement(range(len(model.names)), 2):
        kind = "factor_variance" if row == column else "factor_covariance"
        place = OrderedPlace(group, "phi", row, column)
        value, error = of.entry(place), se.get(place, nan)
        standard = value / float(factor_sd[row] * factor_sd[column])
        found.append(
            Estimate(name, kind, model.names[row], model.names[column], value, error, standard)
        )
    return found


def _of_items(model: OrderedModel, group: int, of: OrderedMatrices, se: _Errors) -> list[Estimate]:
    """Return thresholds and residual variances."""
    sample = model.samples[group]
    found = []
    for row, item in enumerate(model.items):
        for column in range(len(sample.thresholds[row])):
            place = OrderedPlace(group, "threshold", row, column)
            step, error = str(column + 1), se.get(place, nan)
            found.append(
                Estimate(sample.name, "threshold", item, step, of.entry(place), error, nan)
            )
    for row, item in enumerate(model.items):
        value = float(of.residual[row])
        share = value * float(of.scale[row]) ** 2
        found.append(Estimate(sample.name, "residual_variance", item, "", value, nan, share))
    return found


def _of_groups(model: OrderedModel, group: int, of: OrderedMatrices, se: _Errors) -> list[Estimate]:
    """Return what is compared between groups: intercepts, scales and means of factors."""
    name = model.samples[group].name
    rows = [
        (kind, thing, OrderedPlace(group, array, row))
        for kind, array, things in (
            ("intercept", "intercept", model.items),
            ("scale", "scale", model.items),
            ("factor_mean", "mean", model.names),
        )
        for row, thing in enumerate(things)
    ]
    return [
        Estimate(name, kind, thing, "", of.entry(place), se.get(place, nan), nan)
        for kind, thing, place in rows
    ]


def _fit(model: OrderedModel, found: OrderedFit, matrices: list[OrderedMatrices]) -> Fit:
    from scipy.special import chdtrc

    df, groups = model.df, len(model.samples)
    scaling, shift, chi2 = nan, 0.0, nan
    if df:
        scaling, shift = adjusted(df, found.trace, found.trace_of_square)
        chi2 = max(found.chi2 / scaling + shift, 0.0)
    null, null_df = _of_independent(model)
    beyond = max(chi2 - df, 0.0) if df else 0.0
    null_beyond = max(beyond, null - null_df, 0.0)
    low, high = noncentrality(chi2, df) if df else (0.0, 0.0)
    root = sqrt(groups / (model.freedom * df)) if df else nan
    return Fit(
        chi2=found.chi2,
        df=df,
        p=nan,
        scaling=scaling,
        shift=shift,
        chi2_scaled=chi2,
        p_scaled=float(chdtrc(df, chi2)) if df else nan,
        cfi=1 - beyond / null_beyond if null_beyond else 1.0,
        tli=(null / null_df - chi2 / df) / (null / null_df - 1) if df else 1.0,
        rmsea=root * sqrt(beyond) if df else 0.0,
        rmsea_low=root * sqrt(low) if df else 0.0,
        rmsea_high=root * sqrt(high) if df else 0.0,
        srmr=_srmr(model, matrices),
        loglik=nan,
        aic=nan,
        bic=nan,
        parameters=len(found.values),
        forms=model.forms,
    )


def _of_independent(model: OrderedModel) -> tuple[float, int]:
    """Return the adjusted test of no correlation at all, and its degrees of freedom."""
    chi2, trace, square, df = 0.0, 0.0, 0.0, 0
    for sample in model.samples:
        spread = sample.spread[sample.steps :, sample.steps :]
        weight = 1 / np.diag(spread)
        chi2 += sample.freedom * float(weight @ sample.moments[sample.steps :] ** 2)
        weighted = spread * weight
        trace += len(spread)
        square += float(np.sum(weighted * weighted.T))
        df += len(spread)
    scaling, shift = adjusted(df, trace, square)
    return chi2 / scaling + shift, df


def _srmr(model: OrderedModel, matrices: list[OrderedMatrices]) -> float:
    """Return the root mean square residual of the correlations.

    The diagonal, which has no residual, is counted as in lavaan.
    """
    pairs = np.triu_indices(len(model.items))
    return sum(
        share * float(np.sqrt(np.mean((sample.correlation - one.correlation)[pairs] ** 2)))
        for share, sample, one in zip(model.shares, model.samples, matrices, strict=True)
    )
