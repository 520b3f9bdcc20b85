"""How far a sum of items measures one thing again: alpha, omega, bounds, splits, standard error.

Each coefficient is a statement about the sample and model it comes from. Alpha is a lower bound
where errors are uncorrelated and equals the reliability only where items measure alike; omega
rests on its factor model; the greatest lower bound and the best split come out too high where
forms are few.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.problems import AnalysisError, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import (
    check_choice,
    check_level,
    check_perfect,
    check_positive_definite,
    give_up,
    refuse,
)
from mhscreen.psychometrics.coefficients import (
    Coefficient,
    Reliability,
    look_at_sum,
    reliability_of,
)
from mhscreen.psychometrics.factoring import extract
from mhscreen.psychometrics.halves import bound_reliability, split_halves
from mhscreen.psychometrics.moments import correlations_of, moments
from mhscreen.psychometrics.resampling import percentile_interval, random_numbers, resampled_sums
from mhscreen.psychometrics.schmid_leiman import LEAST_ITEMS, general_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy
    from mhscreen.psychometrics.moments import Moments

__all__ = [
    "Interval",
    "assess_reliability",
    "estimate_alpha",
    "estimate_omega",
]

Interval = Literal["none", "feldt", "distribution_free", "bootstrap"]
"""How an interval is found.

``"feldt"`` (Feldt 1965) takes answers as normal and items as alike; ``"distribution_free"``
(Maydeu-Olivares, Coffman & Hartmann 2007) takes neither and needs many forms; ``"bootstrap"``
is the percentile interval of resampled forms.
"""

_REPLICATES = 1000
_MOST_LOST = 0.05  # of the replicates, whose factors come to no end


def estimate_alpha(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    interval: Interval = "feldt",
    level: float = 0.95,
    replicates: int = _REPLICATES,
    seed: int | np.random.Generator | None = None,
) -> Reliability:
    """Return Cronbach's alpha, raw and standardised.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`; keyed, so that all items point the same way.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` (forms with every item answered) or ``"pairwise"``.
    interval : str
        See `Interval`. Only ``"feldt"`` and ``"none"`` go with ``"pairwise"``; there the smallest
        number of forms behind a covariance counts.
    level : float
        Of the interval.
    replicates, seed
        For ``"bootstrap"``.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH705, MH710).

    Examples
    --------
    >>> answers = {"a": [1, 2, 3, 4, 2], "b": [2, 2, 4, 5, 1], "c": [1, 3, 3, 5, 2]}
    >>> found = estimate_alpha(answers)
    >>> round(found["alpha"].estimate, 3)
    0.936

    References
    ----------
    Cronbach LJ (1951). Psychometrika 16, 297-334. Feldt LS (1965). Psychometrika 30, 357-370.
    Maydeu-Olivares A, Coffman DL, Hartmann WM (2007). Psychological Methods 12, 157-176.
    """
    taken = as_answers(answers, items, weights=weights)
    _check_interval(interval, missing, ("none", "feldt", "distribution_free", "bootstrap"))
    check_level(level)
    found = moments(taken, missing=missing)
    log = look_at_sum(found, copies=True)
    raw = _alpha(found.covariance)
    if interval == "feldt":
        low, high = _feldt(raw, found.n, len(found.items), level)
    elif interval == "distribution_free":
        low, high = _distribution_free(_complete(taken), found, raw, level)
    elif interval == "bootstrap":
        rng = random_numbers(seed, "bootstrap")
        drawn = _resampled_alpha(_complete(taken), found, replicates, rng)
        low, high = percentile_interval(drawn, level)
    else:
        low, high = nan, nan
    return reliability_of(
        found,
        (
            Coefficient("alpha", raw, low, high, interval),
            Coefficient("alpha_standardised", _alpha(found.correlation), of_raw_sum=False),
        ),
        level,
        log,
    )


def estimate_omega(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    factors: int | None = None,
    interval: Interval = "none",
    level: float = 0.95,
    replicates: int = _REPLICATES,
    seed: int | np.random.Generator | None = None,
) -> Reliability:
    """Return McDonald's omega: of one factor, and total and hierarchical of several.

    ``omega`` rests on one factor (maximum likelihood) and is the reliability of the raw sum.
    ``omega_total`` and ``omega_hierarchical`` rest on a general factor behind `factors` group
    factors (minres, oblimin, Schmid-Leiman) of standardised items: the share of the variance of
    their sum that any common factor, and that the general factor alone, explains.

    Parameters
    ----------
    answers, items, weights, missing
        As for `estimate_alpha`.
    factors : int, optional
        The group factors; 0 for none. By default 3, and none below six items, which cannot carry
        three, or where three come to no end: then `problems` says so, and only ``omega`` is given.
    interval : str
        ``"bootstrap"`` or ``"none"``.
    level, replicates, seed
        For the bootstrap. Replicates whose factors come to no end are left out, up to one in
        twenty; beyond that there is no interval and MH709.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706, MH710), and with MH709
        where a factor model comes to no end.

    References
    ----------
    McDonald RP (1999). Test theory. Zinbarg RE, Revelle W, Yovel I, Li W (2005). Psychometrika
    70, 123-133.
    """
    taken = as_answers(answers, items, weights=weights)
    _check_interval(interval, missing, ("none", "bootstrap"))
    check_level(level)
    found = moments(taken, missing=missing, least_items=3)
    log = look_at_sum(found)
    check_perfect(found.items, found.correlation, log)
    check_positive_definite(found.correlation, log)
    refuse(log)
    groups = (3 if len(found.items) >= LEAST_ITEMS else 0) if factors is None else factors
    try:
        estimates = _omegas(found.covariance, groups, log)
    except AnalysisError as error:
        if factors is not None:
            raise
        groups = 0  # one factor may have an end where three have none
        log.extend(error.problems)
        estimates = _omegas(found.covariance, groups, log)
    limits = dict.fromkeys(estimates, (nan, nan))
    if interval == "bootstrap":
        rng = random_numbers(seed, "bootstrap")
        covariances = _resampled_covariances(_complete(taken), found, replicates, rng)
        limits = _bootstrapped(
            covariances, list(estimates), lambda one: _omegas(one, groups, ProblemLog()), level
        )
    return reliability_of(
        found,
        tuple(
            Coefficient(name, value, *limits[name], interval, of_raw_sum=name == "omega")
            for name, value in estimates.items()
        ),
        level,
        log,
    )


def assess_reliability(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    interval: Interval = "feldt",
    level: float = 0.95,
    seed: int | np.random.Generator | None = None,
) -> Reliability:
    """Return every coefficient that the items allow, in one table.

    `estimate_alpha`, `estimate_omega` from three items on, `bound_reliability` and
    `split_halves`. The interval is that of alpha; `estimate_omega` itself bootstraps one for each
    omega, which takes longer.

    Parameters
    ----------
    answers, items, weights, missing, interval, level, seed
        As for `estimate_alpha`.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed, and with MH709 where a factor model comes to no end.
    """
    taken = as_answers(answers, items, weights=weights)
    parts = [estimate_alpha(taken, missing=missing, interval=interval, level=level, seed=seed)]
    if len(taken.items) > 2:  # noqa: PLR2004 - a factor of two items is not identified
        parts.append(estimate_omega(taken, missing=missing))
    parts += [
        bound_reliability(taken, missing=missing),
        split_halves(taken, missing=missing, seed=seed),
    ]
    problems = {problem: None for part in parts for problem in part.problems}
    return Reliability(
        items=taken.items,
        coefficients=tuple(one for part in parts for one in part.coefficients),
        total_sd=parts[0].total_sd,
        level=level,
        basis=parts[0].basis,
        problems=tuple(problems),
    )


# -- parts ----------------------------------------------------------------------------------------


def _check_interval(interval: str, missing: str, allowed: tuple[str, ...]) -> None:
    check_choice("interval", interval, *allowed)
    if missing == "pairwise" and interval in {"distribution_free", "bootstrap"}:
        msg = f"the interval {interval!r} needs whole forms: missing='complete'"
        raise UsageError(msg)


def _complete(answers: Answers) -> Answers:
    return answers.only(answers.complete()) if answers.any_blank else answers


def _alpha(covariance: NDArray[np.float64]) -> float:
    count = len(covariance)
    return float(count / (count - 1) * (1 - np.trace(covariance) / covariance.sum()))


def _feldt(estimate: float, forms: float, count: int, level: float) -> tuple[float, float]:
    """Return Feldt's interval: 1 − alpha over its expectation is distributed as F."""
    from scipy.special import fdtri

    free = forms - 1
    tail = (1 - level) / 2
    high, low = (
        1 - (1 - estimate) * float(fdtri(free, free * (count - 1), p)) for p in (tail, 1 - tail)
    )
    return low, high


def _deviations(answers: Answers, found: Moments) -> Callable[[slice], NDArray[np.float32]]:
    """Return what gives the deviations of some forms from the means, shape (forms, items)."""
    mean = found.mean[:, None]

    def rows(part: slice) -> NDArray[np.float32]:
        return np.asarray((answers.cells[:, part] - mean).T, dtype=np.float32)

    return rows


def _form_weights(answers: Answers) -> NDArray[np.float64]:
    """Return weights whose mean is 1."""
    if answers.weights is None:
        return np.ones(answers.forms)
    return np.asarray(answers.weights / answers.weights.mean())


def _distribution_free(
    answers: Answers, found: Moments, estimate: float, level: float
) -> tuple[float, float]:
    """Return the interval from the variance of alpha's influence function."""
    from scipy.special import ndtri

    deviations = answers.cells - found.mean[:, None]
    total = deviations.sum(axis=0)
    within = np.einsum("if,if->f", deviations, deviations)
    variance, inner = found.covariance.sum(), np.trace(found.covariance)
    count = len(found.items)
    influence = count / (count - 1) * (inner * total**2 / variance - within) / variance
    weight = _form_weights(answers)
    error = sqrt(float(np.sum((weight * influence) ** 2))) / answers.forms
    reach = float(ndtri((1 + level) / 2)) * error
    return estimate - reach, estimate + reach


def _resampled_alpha(
    answers: Answers, found: Moments, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return alpha of each replicate, from sums of k + 3 columns."""
    deviations = _deviations(answers, found)
    weight = _form_weights(answers).astype(np.float32)
    count = len(found.items)

    def rows(part: slice) -> NDArray[np.float32]:
        values = deviations(part)
        columns = np.empty((len(values), count + 3), dtype=np.float32)
        columns[:, 0] = 1
        columns[:, 1:-2] = values
        np.einsum("fi,fi->f", values, values, out=columns[:, -2])
        columns[:, -1] = values.sum(axis=1) ** 2
        columns *= weight[part, None]
        return columns

    sums = resampled_sums(rows, answers.forms, replicates, rng)
    size, first, squares, total = sums[:, 0], sums[:, 1:-2], sums[:, -2], sums[:, -1]
    inner = squares - np.sum(first**2, axis=1) / size
    outer = total - first.sum(axis=1) ** 2 / size
    return np.asarray(count / (count - 1) * (1 - inner / outer))


def _resampled_covariances(
    answers: Answers, found: Moments, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the covariances of each replicate, shape (replicates, items, items)."""
    deviations = _deviations(answers, found)
    weight = _form_weights(answers).astype(np.float32)
    count = len(found.items)
    one, other = np.triu_indices(count)

    def rows(part: slice) -> NDArray[np.float32]:
        values = deviations(part)
        products = values[:, one] * values[:, other]
        columns = np.hstack([np.ones((len(values), 1), dtype=np.float32), values, products])
        columns *= weight[part, None]
        return columns

    sums = resampled_sums(rows, answers.forms, replicates, rng)
    size, first, products = sums[:, :1], sums[:, 1 : count + 1], sums[:, count + 1 :]
    covariances = np.empty((replicates, count, count))
    covariances[:, one, other] = products / size
    covariances[:, other, one] = products / size
    mean = first / size
    return np.asarray(covariances - mean[:, :, None] * mean[:, None, :])


def _bootstrapped(
    covariances: NDArray[np.float64],
    names: list[str],
    figures: Callable[[NDArray[np.float64]], dict[str, float]],
    level: float,
) -> dict[str, tuple[float, float]]:
    """Return a percentile interval for each figure."""
    drawn, lost = [], 0
    for one in covariances:
        try:
            drawn.append(figures(one))
        except AnalysisError:
            lost += 1
    if lost > _MOST_LOST * len(covariances):
        give_up(
            f"{lost} of {len(covariances)} bootstrap replicates",
            _REPLICATES,
            "ask for fewer factors",
        )
    return {
        name: percentile_interval(np.array([one[name] for one in drawn]), level) for name in names
    }


def _omegas(covariance: NDArray[np.float64], groups: int, log: ProblemLog) -> dict[str, float]:
    """Return each omega by its name."""
    correlation = correlations_of(covariance)
    scale = np.sqrt(np.diag(covariance))
    one = extract(correlation, 1, "ml")
    common = float(scale @ one.loadings[:, 0]) ** 2
    found = {"omega": common / (common + float(np.diag(covariance) @ one.uniqueness))}
    improper = one.improper
    if groups:
        layers = general_factor(correlation, groups)
        total = float(correlation.sum())
        found["omega_total"] = 1 - float(layers.uniqueness.sum()) / total
        found["omega_hierarchical"] = float(layers.general.sum()) ** 2 / total
        improper = improper or layers.improper
    if improper:
        log.add(
            "MH713",
            "a uniqueness or the share of a group factor is at nought",
            path="omega",
            hint="ask for fewer factors, or leave out items that are nearly copies",
        )
    return found
