"""Confirmatory factor models and their invariance over groups.

Each item measures one stated factor or more; residuals do not correlate. By maximum likelihood a
model is fitted by Fisher scoring on the expected information, whose inverse gives the standard
errors; models of ordered answers stand in `ordered_model`. Factors have
variance 1 and mean 0; where loadings are equal over groups, the variances of the other groups are
free, and where intercepts are equal, their means.
"""

from __future__ import annotations

from itertools import combinations_with_replacement, pairwise
from math import log as ln
from math import nan, pi, sqrt
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from mhscreen.problems import AnalysisError, ProblemLog, UsageError
from mhscreen.psychometrics.answers import Answers, as_answers
from mhscreen.psychometrics.checks import check_choice, check_constant, check_gaps, refuse
from mhscreen.psychometrics.confirmation_results import (
    Confirmation,
    Difference,
    Estimate,
    Fit,
    Invariance,
    noncentrality,
)
from mhscreen.psychometrics.factor_model import (
    LEVELS,
    FactorModel,
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
from mhscreen.psychometrics.groups import Groups, answers_by, check_cells
from mhscreen.psychometrics.moments import correlations_of, moments
from mhscreen.psychometrics.ordered_confirmation import difference_of, fitted_ordered
from mhscreen.psychometrics.ordered_model import ORDERED_LEVELS, OrderedModel, search_ordered
from mhscreen.psychometrics.ordered_sample import ordered_sample_of
from mhscreen.psychometrics.polychoric import check_categories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import MissingPolicy

__all__ = [
    "LEVELS",
    "ORDERED_LEVELS",
    "Confirmation",
    "Difference",
    "Estimate",
    "Estimator",
    "Fit",
    "Invariance",
    "assess_invariance",
    "confirm_factors",
]


Estimator = Literal["ml", "wlsmv"]
"""How a confirmatory model is fitted.

``"ml"`` takes codes for measurements: maximum likelihood. ``"wlsmv"`` takes them as ordered:
diagonally weighted least squares on thresholds and polychoric correlations, robust standard
errors, and a test adjusted in mean and variance.
"""


def confirm_factors(
    answers: object,
    keys: Mapping[str, Sequence[str]],
    *,
    estimator: Estimator = "ml",
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
) -> Confirmation:
    """Fit a confirmatory factor model.

    With four options or fewer, or most answers at one end, ``"wlsmv"`` is the estimator that
    takes answers for what they are. Factors have variance 1; with ``"wlsmv"`` so have the
    variables behind the answers.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    keys : mapping of str to sequence of str
        The items of each factor. An item may stand on two.
    estimator : str
        See `Estimator`.
    weights : str or array_like of shape (forms,), optional
        Of a survey, see `as_answers`. They make standard errors and the scaled test robust; the
        sum of the weights does not matter. Clusters are not reckoned with.
    missing : str
        ``"complete"`` only: forms with every item answered.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, with ``"ml"`` MH706), and with
        MH709 where the search comes to no end.
    UsageError
        For a model that answers cannot decide: too few items for its factors.

    References
    ----------
    Jöreskog KG (1969). A general approach to confirmatory maximum likelihood factor analysis.
    Psychometrika 34, 183-202. Satorra A, Bentler PM (1994). Corrections to test statistics and
    standard errors in covariance structure analysis. Muthén B (1984). A general structural
    equation model with dichotomous, ordered categorical, and continuous latent variable
    indicators. Psychometrika 49, 115-132. Asparouhov T, Muthén B (2010). Simple second order
    chi-square correction.
    """
    check_choice("missing", missing, "complete")
    check_choice("estimator", estimator, *get_args(Estimator))
    factors, items = check_keys(keys)
    taken = as_answers(answers, items, weights=weights)
    kept = _on_average_one(taken.only(taken.complete()) if taken.any_blank else taken)
    if estimator == "ml":
        basis = moments(taken, missing=missing).words()
        model = FactorModel(factors, items, [sample_of("", kept)], "configural", means=False)
        return _fitted(model, basis)
    log = ProblemLog()
    check_gaps(kept, log)
    places, numbers = _ordered(kept)
    sample = ordered_sample_of("", kept, places, numbers)
    basis = f"{_words(taken, kept)}, thresholds and polychoric correlations"
    ordered = OrderedModel(factors, items, [sample], "configural")
    _check_decidable(ordered.df)
    return fitted_ordered(ordered, search_ordered(ordered), basis, log.problems)


def assess_invariance(
    answers: object,
    keys: Mapping[str, Sequence[str]],
    group: str | ArrayLike,
    *,
    estimator: Estimator = "ml",
    reference: object = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    levels: Sequence[str] | None = None,
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
    estimator : str
        See `Estimator`. With ``"wlsmv"`` thresholds are made equal before loadings (Wu &
        Estabrook 2016).
    reference : label, optional
        The group whose factors keep variance 1 and mean 0; the first in order by default.
    weights : str or array_like of shape (forms,), optional
        See `confirm_factors`.
    missing : str
        ``"complete"`` only: forms with every item answered.
    levels : sequence of str, optional
        With ``"ml"`` out of `LEVELS`, all but the last by default. With ``"wlsmv"`` out of
        `ORDERED_LEVELS`, all by default; where an item has two options only, thresholds,
        loadings and intercepts can be tested together alone: ``"configural"``, ``"scalar"``.

    Raises
    ------
    AnalysisError
        With MH707 where there is one group only; for answers that cannot be analysed in one of
        the groups (MH702, MH704, MH705, MH706); with MH730 where a group never gave one of the
        ordered answers; with MH709 where a search comes to no end.

    References
    ----------
    Meredith W (1993). Psychometrika 58, 525-543. Chen FF (2007). Structural Equation Modeling 14,
    464-504. Wu H, Estabrook R (2016). Psychometrika 81, 1014-1045.
    """
    check_choice("missing", missing, "complete")
    check_choice("estimator", estimator, *get_args(Estimator))
    factors, items = check_keys(keys)
    taken, by, left = answers_by(answers, group, items, reference, weights=weights)
    complete = taken.complete()
    left += int((~complete).sum())
    kept = _on_average_one(taken.only(complete))
    by = Groups(by.labels, by.of_form[complete])
    words = f", {left} left out for blanks or without a group" if left else ""
    basis = f"{kept.forms} forms{words}, missing='{missing}'"
    log = ProblemLog()
    if estimator == "ml":
        models, differences = _steps_of_measurements(factors, kept, by, basis, levels)
    else:
        check_gaps(kept, log)
        models, differences = _steps_of_ordered(factors, kept, by, basis, levels)
    return Invariance(
        groups=dict(zip(by.labels, map(int, by.sizes()), strict=True)),
        models=models,
        differences=differences,
        basis=basis,
        problems=(
            *log.problems,
            *(problem for model in models.values() for problem in model.problems),
        ),
    )


def _on_average_one(answers: Answers) -> Answers:
    """Return answers whose weights, if there are any, are 1 on average."""
    if answers.weights is None or not answers.forms:
        return answers
    return Answers(answers.items, answers.cells, answers.weights / answers.weights.mean())


def _words(taken: Answers, kept: Answers) -> str:
    left = taken.forms - kept.forms
    blank = f", {left} left out for blanks" if left else ""
    weighted = "" if kept.weights is None else ", weighted"
    return f"{kept.forms} forms{blank}{weighted}, missing='complete'"


_Steps = tuple[dict[str, Confirmation], tuple[Difference, ...]]


def _chosen(levels: Sequence[str] | None, known: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return the levels asked for, in order."""
    for level in levels or ():
        check_choice("levels", level, *known)
    return [level for level in known if level in (usual if levels is None else levels)]


def _steps_of_measurements(
    factors: dict[str, tuple[str, ...]],
    answers: Answers,
    by: Groups,
    basis: str,
    levels: Sequence[str] | None,
) -> _Steps:
    chosen = _chosen(levels, LEVELS, LEVELS[:3])
    samples = [
        sample_of(label, answers.only(by.of_form == place)) for place, label in enumerate(by.labels)
    ]
    models: dict[str, Confirmation] = {
        level: _fitted(FactorModel(factors, answers.items, samples, level, means=True), basis)
        for level in LEVELS
        if level in chosen
    }
    fits = [model.fit for model in models.values()]
    weighted = answers.weights is not None
    differences = [_difference(wide, narrow, scaled=weighted) for wide, narrow in pairwise(fits)]
    return models, tuple(differences)


def _difference(wide: Fit, narrow: Fit, *, scaled: bool) -> Difference:
    """Return the test of what is lost; scaled as Satorra & Bentler (2001)."""
    from scipy.special import chdtrc

    chi2, df = narrow.chi2 - wide.chi2, narrow.df - wide.df
    if scaled:
        of_wide = wide.df * wide.scaling if wide.df else 0.0
        per = (narrow.df * narrow.scaling - of_wide) / df
        chi2 = chi2 / per if per > 0 else nan
    return Difference(chi2, df, float(chdtrc(df, chi2)))


def _steps_of_ordered(
    factors: dict[str, tuple[str, ...]],
    answers: Answers,
    by: Groups,
    basis: str,
    levels: Sequence[str] | None,
) -> _Steps:
    places, numbers = _ordered(answers)
    two = [item for item, number in zip(answers.items, numbers, strict=True) if number == 2]  # noqa: PLR2004 - yes or no
    usual = ("configural", "scalar") if two else ORDERED_LEVELS
    chosen = _chosen(levels, ORDERED_LEVELS, usual)
    if two and set(chosen) - {"configural", "scalar"}:
        msg = (
            f"levels: with two options ({', '.join(two)}) only 'configural' and 'scalar' can be "
            "told apart"
        )
        raise UsageError(msg)
    log = ProblemLog()
    if not check_cells(answers.items, places, numbers, by, log).all():
        raise AnalysisError(log)
    samples = []
    for place, label in enumerate(by.labels):
        mine = by.of_form == place
        samples.append(ordered_sample_of(label, answers.only(mine), places[:, mine], numbers))
    found = []
    for level in ORDERED_LEVELS:
        if level in chosen:
            model = OrderedModel(factors, answers.items, samples, level)
            _check_decidable(model.df)
            found.append((level, model, search_ordered(model)))
    models: dict[str, Confirmation] = {
        level: fitted_ordered(model, fit, basis) for level, model, fit in found
    }
    differences = [
        difference_of(wide, fit_wide, narrow, fit_narrow)
        for (_, wide, fit_wide), (_, narrow, fit_narrow) in pairwise(found)
    ]
    return models, tuple(differences)


def _ordered(answers: Answers) -> tuple[NDArray[np.int8], list[int]]:
    """Return the category of each answer, and how many each item has.

    Raises
    ------
    AnalysisError
        With MH701 for an item with more than 20 different answers, MH702 for one with less than 2.
    """
    log = ProblemLog()
    numbers = [len(known) for known in answers.categories()]
    check_constant(answers.items, np.array(numbers) - 1.0, log)
    check_categories(answers, log)
    refuse(log)
    return answers.places(), numbers


# -- from a fitted model to a result --------------------------------------------------------------


def _fitted(model: FactorModel, basis: str) -> Confirmation:
    _check_decidable(model.df)
    values, information = search(model)
    matrices = model.matrices(values)
    inverse = np.linalg.inv(information)
    total, spread = _by_form(model, information, matrices)
    covariance = inverse if model.samples[0].weights is None else inverse @ spread @ inverse
    errors = np.sqrt(np.diag(covariance) / model.size)
    scaling = (total - float(np.trace(inverse @ spread))) / model.df if model.df else nan
    problems = _improper(model, matrices)
    return Confirmation(
        keys=model.factors,
        estimates=tuple(_estimates(model, matrices, errors)),
        fit=_fit(model, values, scaling, matrices),
        residual_correlations=tuple(
            _residuals(sample, one) for sample, one in zip(model.samples, matrices, strict=True)
        ),
        basis=basis,
        problems=tuple(problems.problems),
    )


def _check_decidable(df: int) -> None:
    if df < 0:
        msg = f"the model has {-df} parameters more than the answers can decide"
        raise UsageError(msg)


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
    scaling: float,
    matrices: list[Matrices],
) -> Fit:
    from scipy.special import chdtrc

    forms, count, groups = model.size, len(model.items), len(model.samples)
    chi2, df = max(forms * loss_of(model, values), 0.0), model.df
    null = sum(
        sample.size * -float(np.linalg.slogdet(correlations_of(sample.covariance))[1])
        for sample in model.samples
    )
    null_df = groups * count * (count - 1) // 2
    beyond, null_beyond = max(chi2 - df, 0), max(chi2 - df, null - null_df, 0)
    saturated = -sum(
        sample.size
        / 2
        * (count * ln(2 * pi) + float(np.linalg.slogdet(sample.covariance)[1]) + count)
        for sample in model.samples
    )
    loglik = saturated - chi2 / 2
    parameters = len(values)
    root = sqrt(groups / (forms * df)) if df else nan
    low, high = noncentrality(chi2, df)
    return Fit(
        chi2=chi2,
        df=df,
        p=float(chdtrc(df, chi2)) if df else nan,
        scaling=scaling,
        shift=0.0,
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
        bic=parameters * ln(forms) - 2 * loglik,
        parameters=parameters,
        forms=model.forms,
    )


def _srmr(model: FactorModel, matrices: list[Matrices]) -> float:
    """Return the standardised root mean square residual, means included where they are fitted."""
    total = 0.0
    for sample, one in zip(model.samples, matrices, strict=True):
        gaps = _residuals(sample, one)[np.tril_indices(len(model.items))]
        if model.means:
            scale = np.sqrt(np.diag(sample.covariance))
            gaps = np.concatenate([gaps, (sample.mean - one.mean) / scale])
        total += sample.size / model.size * sqrt(float(np.mean(gaps**2)))
    return total


def _forms(values: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quadratic form of each row."""
    return np.asarray(np.einsum("fi,fi->f", values @ matrix, values))


def _by_form(
    model: FactorModel, information: NDArray[np.float64], matrices: list[Matrices]
) -> tuple[float, NDArray[np.float64]]:
    """Return tr(VG), and the variance of the forms' slopes.

    They give Satorra and Bentler's scaling, tr(UG) / df with tr(UG) = tr(VG) − tr(I⁻¹J): the
    weight of the moments' own variance under the model, less what the parameters take up. Neither
    V nor G, of the size of all pairs of moments, is ever made.
    """
    total = 0.0
    spread = np.zeros_like(information)
    for group, one in enumerate(matrices):
        sample = model.samples[group]
        share = sample.size / model.size
        weights = np.ones(sample.forms) if sample.weights is None else sample.weights
        once = weights**2 / sample.size
        at = slopes_of(model, group, one)
        centred = sample.values - sample.mean
        whole = centred @ at.inverse
        length = _forms(centred, at.inverse)
        observed = at.inverse @ sample.covariance @ at.inverse
        cross = _forms(centred, observed)
        constant = float(np.trace(observed @ sample.covariance))
        total += float(once @ (length**2 - 2 * cross + constant)) / 2
        pulled = at.inverse @ at.covariance @ at.inverse
        slopes = np.stack([_forms(centred, one) / 2 for one in pulled], axis=1)
        slopes -= sample.average(slopes)
        if model.means:
            total += float(once @ length)
            slopes += whole @ at.mean.T
        spread += share * sample.squares(slopes)
    return total, spread
