"""Norm: raw scores against a reference group. Outside it is "not normed", never borrowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.lookup import look_up
from mhscreen.plan.norming import ANY_SEX
from mhscreen.problems import UsageError
from mhscreen.steps.bind import form_times
from mhscreen.steps.score import find_scale, of_pupils

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.plan.norming import NormPlan, StratumPlan
    from mhscreen.plan.plan import Plan
    from mhscreen.steps.score import ScaleScores, Scores

__all__ = ["Derived", "NormedScale", "NormedScores", "norm", "norm_scale"]

METRICS = ("z", "t", "percentile")


@dataclass(frozen=True)
class Derived:
    """One derived score; arrays of float64, shape (forms,), NaN where there is none.

    Attributes
    ----------
    value : ndarray
        Of the score. NaN where not normed, or where the sex that the norm needs is not known.
    low, high : ndarray
        The bounds that blanks, or an unknown sex, leave open.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class NormedScale:
    """One scale of one slot against one norm table.

    Attributes
    ----------
    stratum : ndarray of int64, shape (forms,)
        Place of the stratum; −1 for none or for more than one.
    derived : dict of str to Derived
        By metric; only the metrics that the table can give.
    t_ci_low, t_ci_high : ndarray of float64
        95 % interval of measurement error; NaN where no reliability is stated. No rule uses it.
    not_normed : ndarray of bool
        Where there is something to norm, and no stratum holds the pupil.
    """

    plan: NormPlan
    stratum: NDArray[np.int64]
    derived: Mapping[str, Derived]
    t_ci_low: NDArray[np.float64]
    t_ci_high: NDArray[np.float64]
    not_normed: NDArray[np.bool_]

    @property
    def z(self) -> NDArray[np.float64]:
        """The z score; NaN where the table gives none."""
        return self._metric("z").value

    @property
    def t(self) -> NDArray[np.float64]:
        """The T score; NaN where the table gives none."""
        return self._metric("t").value

    @property
    def t_low(self) -> NDArray[np.float64]:
        """The lowest T that blanks, or an unknown sex, leave possible."""
        return self._metric("t").low

    @property
    def t_high(self) -> NDArray[np.float64]:
        """The highest T that blanks, or an unknown sex, leave possible."""
        return self._metric("t").high

    @property
    def percentile(self) -> NDArray[np.float64]:
        """The percentile, by the table's own definition; NaN where it gives none."""
        return self._metric("percentile").value

    def _metric(self, name: str) -> Derived:
        nothing = np.full(len(self.stratum), np.nan)
        return self.derived.get(name, Derived(nothing, nothing, nothing))


@dataclass(frozen=True)
class NormedScores:
    """Scores with their derived scores, by norm plan."""

    scores: Scores
    norms: tuple[NormedScale, ...]

    def __getitem__(self, name: str) -> NormedScale:
        """Return one normed scale by pupil: ``normed["sdq@teacher.total"].t``.

        Every array has shape (pupils,), in roster order; NaN where a pupil has no form.

        Raises
        ------
        UsageError
            If there is no such slot or scale, or the programme names no norm for it.
        """
        slot, place = find_scale(self.scores.batch.plan, name)
        one = next((n for n in self.norms if (n.plan.slot, n.plan.scale) == (slot, place)), None)
        if one is None:
            msg = f"the programme names no norm table for {name}"
            raise UsageError(msg)
        shown = self.scores.shown[slot]
        return NormedScale(
            one.plan,
            of_pupils(one.stratum, shown),
            {
                metric: Derived(*(of_pupils(values, shown) for values in vars(derived).values()))
                for metric, derived in one.derived.items()
            },
            of_pupils(one.t_ci_low, shown),
            of_pupils(one.t_ci_high, shown),
            of_pupils(one.not_normed, shown),
        )


def norm(plan: Plan, scores: Scores) -> NormedScores:
    """Norm the scores of a batch with the norm tables of the programme.

    Age is taken on the day a form was submitted, else on the day of screening.
    """
    batch = scores.batch
    normed = []
    for one in plan.norms:
        forms = batch.forms[one.slot]
        pupils = batch.roster.take(forms.pupil)
        moment = form_times(plan, forms, batch.at)
        scale = scores.forms[one.slot].scales[one.scale]
        normed.append(norm_scale(one, scale, pupils.sex, pupils.ages(moment), pupils.grade))
    return NormedScores(scores, tuple(normed))


def norm_scale(
    plan: NormPlan,
    scores: ScaleScores,
    sex: NDArray[np.int8],
    age: NDArray[np.float64],
    grade: NDArray[np.int8],
) -> NormedScale:
    """Norm one scale.

    Parameters
    ----------
    plan : NormPlan
        The compiled strata.
    scores : ScaleScores
        The raw scores, shape (forms,).
    sex : ndarray of int8
        Position in `Sex`, −1 where not known.
    age : ndarray of float64
        Years, NaN where not known.
    grade : ndarray of int8
        −1 where not known.
    """
    forms = len(scores.score)
    stratum = np.full(forms, -1, dtype=np.int64)
    possible = np.zeros(forms, dtype=np.int16)
    values = {m: np.full(forms, np.nan) for m in METRICS}
    lows = {m: np.full(forms, np.nan) for m in METRICS}
    highs = {m: np.full(forms, np.nan) for m in METRICS}
    ci_low, ci_high = np.full(forms, np.nan), np.full(forms, np.nan)
    for place, one in enumerate(plan.strata):
        fits = _holds(one, age, grade)
        maybe = fits & ((sex == one.sex) | (sex < 0) | (one.sex == ANY_SEX))
        exact = fits & ((sex == one.sex) | (one.sex == ANY_SEX))
        stratum[exact] = place
        possible += maybe
        for metric in METRICS:
            value = _derive(one, metric, scores.score)
            values[metric] = np.where(exact, value, values[metric])
            low, high = (_derive(one, metric, bound) for bound in (scores.low, scores.high))
            lows[metric] = np.where(maybe, np.fmin(lows[metric], low), lows[metric])
            highs[metric] = np.where(maybe, np.fmax(highs[metric], high), highs[metric])
        t = _derive(one, "t", scores.score)
        centre = 50 + one.shrink * (t - 50)
        ci_low = np.where(exact, centre - 1.96 * one.t_error, ci_low)
        ci_high = np.where(exact, centre + 1.96 * one.t_error, ci_high)
    given = [m for m in METRICS if any(_gives(one, m) for one in plan.strata)]
    return NormedScale(
        plan,
        stratum,
        {m: Derived(values[m], lows[m], highs[m]) for m in given},
        ci_low,
        ci_high,
        (scores.answered > 0) & (possible == 0),
    )


def _holds(
    one: StratumPlan, age: NDArray[np.float64], grade: NDArray[np.int8]
) -> NDArray[np.bool_]:
    fits = np.ones(len(age), dtype=bool)
    for (lowest, below), values, known in (
        (one.age, age, ~np.isnan(age)),
        (one.grade, grade, grade >= 0),
    ):
        if np.isfinite(lowest):
            fits &= known & (values >= lowest) & (values < below)
    return fits


def _gives(one: StratumPlan, metric: str) -> bool:
    return metric in one.tables or (not np.isnan(one.mean) and metric in ("z", "t"))


def _derive(one: StratumPlan, metric: str, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    if metric in one.tables:
        return look_up(raw, one.first, one.tables[metric])
    if np.isnan(one.mean) or metric == "percentile":
        return np.full(len(raw), np.nan)
    z = (raw - one.mean) / one.sd
    return z if metric == "z" else 50 + 10 * z
