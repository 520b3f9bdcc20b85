"""How well a score tells pupils with a condition from those without it.

The criterion is never read without its design: who was examined, and whether those who set it
knew the score. Figures of a criterion that knew the score are labelled contaminated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import Problem, UsageError, expect
from mhscreen.psychometrics import roc
from mhscreen.psychometrics.intervals import (
    check_level,
    logit_interval,
    normal_quantile,
    percentile_interval,
    wilson,
)
from mhscreen.psychometrics.results import Result
from mhscreen.psychometrics.verification import Cells, cells_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.verification import Verification

    Floats = NDArray[np.float64]

__all__ = [
    "Accuracy",
    "AreaComparison",
    "Criterion",
    "PredictiveValues",
    "assess_accuracy",
    "compare_areas",
    "compare_groups",
]


@dataclass(frozen=True)
class Criterion:
    """What decided who has the condition.

    Attributes
    ----------
    name : str
        Such as ``"K-SADS interview"``.
    knew_score : bool or None
        Whether those who set it knew the score; None where that is not stated.
    """

    name: str
    knew_score: bool | None

    @property
    def label(self) -> str:
        """``blind``, ``contaminated`` or ``blinding not stated``."""
        if self.knew_score is None:
            return "blinding not stated"
        return "contaminated" if self.knew_score else "blind"


@dataclass(frozen=True, eq=False, repr=False)
class Accuracy(Result):
    """The accuracy of a score; a row for each cut.

    Attributes
    ----------
    cuts : ndarray of float64, shape (cuts,)
        A score at the cut belongs to the far side.
    sensitivity, specificity : ndarray of float64, shape (cuts,)
        With ``…_low`` and ``…_high``: Wilson's interval, or on the logit scale where corrected
        (NaN there at 0 and 1).
    area, area_low, area_high : float
        The area under the curve, ties counting half.
    area_interval : str
        ``delong``, ``logit``, ``bootstrap`` or, where corrected, ``delta``.
    criterion : Criterion
    verification : str
        ``complete``, or how the examined were chosen and corrected for.
    level : float
        The share of intervals that hold the truth.
    lower_is_worse : bool
        Whether low scores are the concerning ones.
    cells : Cells
        What everything is worked out from; scores turned round where low ones are concerning.
    """

    cuts: Floats
    sensitivity: Floats
    sensitivity_low: Floats
    sensitivity_high: Floats
    specificity: Floats
    specificity_low: Floats
    specificity_high: Floats
    area: float
    area_low: float
    area_high: float
    area_interval: str
    criterion: Criterion
    verification: str
    level: float
    lower_is_worse: bool
    cells: Cells
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the area and what it rests on."""
        return (
            f"Accuracy against {self.criterion.name} ({self.criterion.label}): "
            f"area {self.area:.3f} ({self.area_low:.3f} to {self.area_high:.3f}, "
            f"{self.area_interval}), "
            f"{self.cells.examined} of {self.cells.pupils} examined ({self.verification})"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each cut."""
        with np.errstate(divide="ignore", invalid="ignore"):
            positive = self.sensitivity / (1 - self.specificity)
            negative = (1 - self.sensitivity) / self.specificity
        return {
            "cut": self.cuts,
            "sensitivity": self.sensitivity,
            "sensitivity_low": self.sensitivity_low,
            "sensitivity_high": self.sensitivity_high,
            "specificity": self.specificity,
            "specificity_low": self.specificity_low,
            "specificity_high": self.specificity_high,
            "youden": self.sensitivity + self.specificity - 1,
            "lr_positive": positive,
            "lr_negative": negative,
            "criterion": np.full(len(self.cuts), self.criterion.label, dtype=object),
        }

    @property
    def places(self) -> NDArray[np.int64]:
        """Where each cut stands among the distinct scores; their number where beyond the last."""
        sign = -1.0 if self.lower_is_worse else 1.0
        return np.searchsorted(self.cells.values, sign * self.cuts - 1e-9).astype(np.int64)

    def predictive_values(self, base_rates: Sequence[float]) -> PredictiveValues:
        """Return what a flag and no flag mean where so many pupils have the condition.

        Intervals are those of Mercaldo, Lau and Zhou (2007), on the logit scale; where a cell is
        empty, half a pupil is added to each. They hold the base rate for known.

        Parameters
        ----------
        base_rates : sequence of float
            Shares between 0 and 1, each with a source of its own.
        """
        rates = np.asarray(base_rates, dtype=np.float64)
        if rates.ndim != 1 or not bool(((rates > 0) & (rates < 1)).all()):
            msg = "base_rates: shares between 0 and 1 are expected"
            raise UsageError(msg)
        flagged = np.arange(len(self.cells.values)) >= self.places[:, None]
        columns = [_predict(self, flagged, rate) for rate in rates.tolist()]
        joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
        return PredictiveValues(**joined, criterion=self.criterion, problems=self.problems)

    def _draw(self, ax: Axes) -> None:
        fpr = np.concatenate([[1.0], 1 - roc.specificity(self.cells.others), [0.0]])
        tpr = np.concatenate([[1.0], roc.sensitivity(self.cells.cases), [0.0]])
        ax.plot(fpr, tpr, marker=".", label=f"area {self.area:.3f}")
        ax.plot([0, 1], [0, 1], linestyle=":", color="grey", label="chance")
        ax.set(xlabel="1 - specificity", ylabel="sensitivity", title=self.criterion.label)
        ax.legend()


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveValues(Result):
    """What a flag and no flag mean at stated base rates; arrays of shape (cuts × rates,).

    Attributes
    ----------
    base_rate, cut : ndarray
    ppv, npv : ndarray
        The share with the condition among those flagged, and of those without it among the rest;
        with ``…_low`` and ``…_high``.
    flagged : ndarray
        The share of all pupils who are flagged.
    criterion : Criterion
    """

    base_rate: Floats
    cut: Floats
    flagged: Floats
    ppv: Floats
    ppv_low: Floats
    ppv_high: Floats
    npv: Floats
    npv_low: Floats
    npv_high: Floats
    criterion: Criterion
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what the figures hold for."""
        return (
            f"Predictive values at stated base rates, against {self.criterion.name} "
            f"({self.criterion.label})"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each base rate and cut."""
        names = ("base_rate", "cut", "flagged", "ppv", "ppv_low", "ppv_high", "npv", "npv_low",
                 "npv_high")  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def _draw(self, ax: Axes) -> None:
        for rate in np.unique(self.base_rate).tolist():
            here = self.base_rate == rate
            ax.plot(self.cut[here], self.ppv[here], marker=".", label=f"base rate {rate:g}")
        ax.set(xlabel="cut", ylabel="positive predictive value")
        ax.legend()


def assess_accuracy(
    score: ArrayLike,
    condition: ArrayLike,
    *,
    criterion: Criterion,
    cuts: Sequence[float] | None = None,
    lower_is_worse: bool = False,
    verification: Verification | None = None,
    bands: Sequence[float] = (),
    probability: ArrayLike | None = None,
    interval: Literal["delong", "logit", "bootstrap"] = "delong",
    level: float = 0.95,
    draws: int = 1000,
    rng: np.random.Generator | None = None,
) -> Accuracy:
    """Assess how well a score agrees with a criterion.

    Parameters
    ----------
    score : array_like, shape (pupils,)
        NaN where there is no score: these pupils are left out, and said so.
    condition : array_like, shape (pupils,)
        1 or True with the condition, 0 or False without, NaN where nobody examined.
    criterion : Criterion
        What decided, and whether it knew the score.
    cuts : sequence of float, optional
        By default every distinct score.
    lower_is_worse : bool
        Whether low scores are the concerning ones; a cut then holds those at or below it.
    verification, bands, probability
        Where not everybody was examined, see `mhscreen.psychometrics.verification.cells_of`.
    interval : {"delong", "logit", "bootstrap"}
        Of the area, where everybody was examined: DeLong's variance, with a symmetric interval
        or one on the logit scale; or percentiles of `draws` bootstrap samples, cases and others
        drawn apart.
    level : float
        The share of intervals that hold the truth.
    draws : int
    rng : numpy.random.Generator, optional
        Needed for the bootstrap.

    Returns
    -------
    Accuracy

    Raises
    ------
    AnalysisError
        With MH720 where only some were examined and the design does not allow the figures, with
        MH721 where hardly anybody has, or is without, the condition.

    Examples
    --------
    >>> interview = Criterion("an interview", knew_score=False)
    >>> score = [0, 1, 1, 2, 3, 3, 4, 5]
    >>> found = assess_accuracy(score, [0, 0, 0, 0, 1, 0, 1, 1], criterion=interview, cuts=[3])
    >>> found.sensitivity.tolist(), found.specificity.tolist(), round(found.area, 4)
    ([1.0], [0.8], 0.9667)
    """
    expect("criterion", criterion, Criterion)
    check_level(level)
    worse = -1.0 if lower_is_worse else 1.0
    scores, status = _read(score, condition)
    there = ~np.isnan(scores)
    chance = None if probability is None else np.asarray(probability, dtype=np.float64)[there]
    cells = cells_of(
        worse * scores[there],
        status[there],
        verification=verification,
        bands=sorted(worse * band for band in bands),
        probability=chance,
    )
    wanted = np.asarray(cuts if cuts is not None else worse * cells.values, dtype=np.float64)
    wanted = np.sort(wanted)[::-1] if lower_is_worse else np.sort(wanted)
    places = np.searchsorted(cells.values, worse * wanted - 1e-9)
    flagged = np.arange(len(cells.values)) >= places[:, None]
    sens, sens_low, sens_high = _share(cells, flagged, of_cases=True, level=level)
    spec, spec_low, spec_high = _share(cells, ~flagged, of_cases=False, level=level)
    area = float(roc.area(cells.cases, cells.others))
    kind, low, high = _area_interval(cells, area, interval, level, draws, rng)
    return Accuracy(
        wanted, sens, sens_low, sens_high, spec, spec_low, spec_high, area, low, high, kind,
        criterion, "complete" if cells.complete and verification is None else str(verification),
        level, lower_is_worse, cells, tuple(_remarks(criterion, int((~there).sum()))),
    )  # fmt: skip


def _read(score: ArrayLike, condition: ArrayLike) -> tuple[Floats, Floats]:
    scores = np.asarray(score, dtype=np.float64)
    status = np.array([np.nan if one is None else one for one in np.asarray(condition).tolist()])
    status = status.astype(np.float64)
    if scores.ndim != 1 or scores.shape != status.shape:
        msg = f"one score and one condition per pupil, not {scores.shape} and {status.shape}"
        raise UsageError(msg)
    if not bool((np.isnan(status) | (status == 0) | (status == 1)).all()):
        msg = "condition: 1 with it, 0 without, NaN where nobody examined"
        raise UsageError(msg)
    return scores, status


def _remarks(criterion: Criterion, unscored: int) -> list[Problem]:
    remarks = []
    if criterion.knew_score is not False:
        what = "the criterion was set by someone who knew the score"
        if criterion.knew_score is None:
            what = "it is not stated whether those who set the criterion knew the score"
        hint = "the figures come out too high; quote them as contaminated"
        remarks.append(Problem("MH722", what, "a criterion set blind to the score", hint))
    if unscored:
        what = f"{unscored} pupils without a score are left out"
        remarks.append(Problem("MH723", what, hint="say why they have none: they may differ"))
    return remarks


def _share(
    cells: Cells, inside: NDArray[np.bool_], *, of_cases: bool, level: float
) -> tuple[Floats, Floats, Floats]:
    """Return the share of cases (or of others) inside, with its interval; shape (cuts,)."""
    part = cells.cases if of_cases else cells.others
    whole = part.sum()
    share = (inside * part).sum(axis=-1) / whole
    if cells.complete:
        n = whole * cells.examined
        low, high = wilson(np.rint(share * n), np.full(share.shape, np.rint(n)), level)
        return share, low, high
    slopes = (inside - share[:, None]) / whole
    nothing = np.zeros_like(slopes)
    pair = (slopes, nothing) if of_cases else (nothing, slopes)
    low, high = logit_interval(share, np.sqrt(cells.variance(*pair)), level)
    return share, low, high


def _area_interval(
    cells: Cells,
    area: float,
    interval: str,
    level: float,
    draws: int,
    rng: np.random.Generator | None,
) -> tuple[str, float, float]:
    if not cells.complete:
        of_cases, of_others = roc.components(cells.cases, cells.others)
        slopes = (
            (of_cases - area) / cells.cases.sum(),
            (of_others - area) / cells.others.sum(),
        )
        # On the logit scale: symmetric ones hold the truth too seldom (see the simulation study).
        low, high = logit_interval(area, np.sqrt(cells.variance(*slopes)), level)
        return "delta", float(low), float(high)
    n = cells.examined
    counts = roc.Tally(cells.values, np.rint(cells.cases * n), np.rint(cells.others * n))
    if interval == "bootstrap":
        if rng is None:
            msg = "the bootstrap needs rng, such as numpy.random.default_rng(1)"
            raise UsageError(msg)
        low, high = percentile_interval(roc.area(*roc.resample(counts, draws, rng)), level)
        return "bootstrap", float(low), float(high)
    se = float(np.sqrt(roc.delong_variance(counts.cases, counts.others)))
    if interval == "logit":
        low, high = logit_interval(area, se, level)
        return "logit", float(low), float(high)
    if interval != "delong":
        msg = f"interval is 'delong', 'logit' or 'bootstrap', not {interval!r}"
        raise UsageError(msg)
    return ("delong", *_clipped(area, se, level))


def _clipped(value: float, se: float, level: float) -> tuple[float, float]:
    half = normal_quantile(level) * se
    return max(0.0, value - half), min(1.0, value + half)


def _predict(found: Accuracy, flagged: NDArray[np.bool_], rate: float) -> dict[str, Floats]:
    """Return the predictive values at one base rate; arrays of shape (cuts,)."""
    cells = found.cells
    sens, spec = found.sensitivity, found.specificity
    with np.errstate(divide="ignore", invalid="ignore"):
        ppv = sens * rate / (sens * rate + (1 - spec) * (1 - rate))
        npv = spec * (1 - rate) / (spec * (1 - rate) + (1 - sens) * rate)
    whole = float(cells.cases.sum()), float(cells.others.sum())
    ends = {}
    for name, inside, true_part in (("ppv", flagged, 0), ("npv", ~flagged, 1)):
        shares = [(inside * part).sum(axis=-1) / sum_ for part, sum_ in
                  zip((cells.cases, cells.others), whole, strict=True)]  # fmt: skip
        empty = (shares[0] <= 0) | (shares[1] <= 0)
        if cells.complete:
            # Half a pupil more on either side of the cut, in both groups.
            ns = [size * cells.examined for size in whole]
            shares = [
                np.where(empty, (share * n + 0.5) / (n + 1), share)
                for share, n in zip(shares, ns, strict=True)
            ]
            variance = sum(
                (1 - share) / (share * np.where(empty, n + 1, n))
                for share, n in zip(shares, ns, strict=True)
            )
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                slopes = [
                    (inside - share[:, None]) / (size * share[:, None])
                    for share, size in zip(shares, whole, strict=True)
                ]
            variance = np.where(empty, np.nan, cells.variance(slopes[0], -slopes[1]))
        odds = np.array([rate, 1 - rate])
        value = shares[true_part] * odds[true_part]
        value = value / (value + shares[1 - true_part] * odds[1 - true_part])
        se = np.sqrt(variance) * value * (1 - value)
        low, high = logit_interval(value, se, found.level)
        plain = ppv if name == "ppv" else npv  # NaN where nobody is flagged, or everybody
        ends[f"{name}_low"] = np.minimum(low, plain)
        ends[f"{name}_high"] = np.maximum(high, plain)
    return {
        "base_rate": np.full(len(ppv), rate),
        "cut": found.cuts,
        "flagged": sens * rate + (1 - spec) * (1 - rate),
        "ppv": ppv,
        "npv": npv,
        **ends,
    }


@dataclass(frozen=True, eq=False, repr=False)
class AreaComparison(Result):
    """Two areas under the curve, compared (DeLong, DeLong and Clarke-Pearson 1988).

    Attributes
    ----------
    names : tuple of str
    areas : tuple of float
    difference, low, high : float
        First minus second, with its interval.
    z, p : float
        Of the hypothesis that they are equal.
    paired : bool
        Whether both scores are of the same pupils.
    """

    names: tuple[str, str]
    areas: tuple[float, float]
    difference: float
    low: float
    high: float
    z: float
    p: float
    paired: bool
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return which areas are compared."""
        kind = "of the same pupils" if self.paired else "of different pupils"
        return f"Areas of {self.names[0]} and {self.names[1]}, {kind}"

    def columns(self) -> dict[str, Any]:
        """Return one row."""
        return {
            "area_a": [self.areas[0]],
            "area_b": [self.areas[1]],
            "difference": [self.difference],
            "low": [self.low],
            "high": [self.high],
            "z": [self.z],
            "p": [self.p],
        }


def compare_areas(
    scores: Mapping[str, ArrayLike], condition: ArrayLike, *, level: float = 0.95
) -> AreaComparison:
    """Compare two scores of the same pupils, all of them examined; higher is worse in both.

    Parameters
    ----------
    scores : mapping of str to array_like, shape (pupils,)
        Two scores by name, without NaN.
    condition : array_like, shape (pupils,)
    level : float

    Examples
    --------
    >>> scores = {"a": [0, 1, 2, 3, 3, 5], "b": [1, 0, 3, 2, 1, 2]}
    >>> round(compare_areas(scores, [0, 0, 0, 1, 1, 1]).difference, 3)
    0.389
    """
    if len(scores) != 2:  # noqa: PLR2004 - a comparison has two sides
        msg = f"two scores are compared, not {len(scores)}"
        raise UsageError(msg)
    read = [_read(score, condition) for score in scores.values()]
    status = read[0][1]
    if any(np.isnan(one).any() for pair in read for one in pair):
        msg = "every pupil needs both scores and a condition; leave the others out, by name"
        raise UsageError(msg)
    areas, covariance = roc.delong_covariance(np.array([one for one, _ in read]), status == 1)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    names = tuple(scores)
    return _compared((names[0], names[1]), areas, float(variance), level, paired=True)


def compare_groups(
    a: Accuracy, b: Accuracy, *, names: tuple[str, str] = ("a", "b"), level: float = 0.95
) -> AreaComparison:
    """Compare the areas of one score in two groups of different pupils, such as boys and girls."""
    variances = []
    for one in (a, b):
        n = one.cells.examined
        if not one.cells.complete:
            msg = "areas are compared where everybody was examined"
            raise UsageError(msg)
        counts = np.rint(one.cells.cases * n), np.rint(one.cells.others * n)
        variances.append(roc.delong_variance(*counts))
    areas = np.array([a.area, b.area])
    return _compared(names, areas, sum(variances), level, paired=False)


def _compared(
    names: tuple[str, str], areas: Floats, variance: float, level: float, *, paired: bool
) -> AreaComparison:
    from scipy.special import ndtr

    difference, se = float(areas[0] - areas[1]), float(np.sqrt(variance))
    z = difference / se if se > 0 else float("nan")
    half = normal_quantile(level) * se
    return AreaComparison(
        names,
        (float(areas[0]), float(areas[1])),
        difference,
        difference - half,
        difference + half,
        z,
        float(2 * ndtr(-abs(z))),
        paired,
    )
