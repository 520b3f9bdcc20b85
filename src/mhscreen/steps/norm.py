"""Norm: raw scores against a reference group. Outside it is "not normed", never borrowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.derived import box_cox_z, normal_percentile, stanine_of_z
from mhscreen.kernels.lookup import look_up
from mhscreen.plan.norming import ANY_SEX, BoxCoxPlan, TablePlan
from mhscreen.plan.plan import check_plan
from mhscreen.problems import UsageError, expect
from mhscreen.steps.bind import form_ages
from mhscreen.steps.score import Scores, find_scale, of_pupils
from mhscreen.vocabulary import NormReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.plan.norming import LinePlan, NormPlan, StratumPlan
    from mhscreen.plan.plan import Plan
    from mhscreen.steps.score import ScaleScores

__all__ = ["Derived", "NormedScale", "NormedScores", "norm", "norm_scale"]


@dataclass(frozen=True, eq=False, repr=False)
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

    def __repr__(self) -> str:
        return f"<Derived: {len(self.value)} rows>"


@dataclass(frozen=True, eq=False, repr=False)
class NormedScale:
    """One scale of one slot against one norm table.

    Attributes
    ----------
    stratum : ndarray of int64, shape (forms,)
        Place of the stratum; −1 for none or for more than one.
    reason : ndarray of int8
        Position in `NormReason`: why there is no derived score.
    derived : dict of str to Derived
        By metric; only the metrics that the table can give.
    t_ci_low, t_ci_high : ndarray of float64
        95 % interval of measurement error; NaN where no reliability is stated, and where T is a
        cap. No rule uses it.
    t_capped : ndarray of int8
        Where T is only a cap: −1 for "below", 1 for "above", else 0.
    not_normed : ndarray of bool
        Where there is something to norm, and no stratum holds the pupil or lists the score.
    """

    plan: NormPlan
    stratum: NDArray[np.int64]
    reason: NDArray[np.int8]
    derived: Mapping[str, Derived]
    t_ci_low: NDArray[np.float64]
    t_ci_high: NDArray[np.float64]
    t_capped: NDArray[np.int8]
    not_normed: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"<NormedScale: {self.plan.ref}, {len(self.stratum)} rows>"

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

    @property
    def stanine(self) -> NDArray[np.float64]:
        """The stanine, 1 to 9; NaN where the table gives none."""
        return self._metric("stanine").value

    def of_pupils(self, shown: NDArray[np.int64]) -> NormedScale:
        """Return the same by pupil; `shown` is the place of each pupil's form, −1 for none."""
        capped = of_pupils(self.t_capped, shown)
        reason = of_pupils(self.reason, shown)
        return NormedScale(
            self.plan,
            of_pupils(self.stratum, shown),
            np.where(shown < 0, NormReason.NO_SCORE.position, reason).astype(np.int8),
            {
                metric: Derived(*(of_pupils(values, shown) for values in vars(derived).values()))
                for metric, derived in self.derived.items()
            },
            of_pupils(self.t_ci_low, shown),
            of_pupils(self.t_ci_high, shown),
            np.where(shown < 0, 0, capped).astype(np.int8),
            of_pupils(self.not_normed, shown),
        )

    def _metric(self, name: str) -> Derived:
        nothing = np.full(len(self.stratum), np.nan)
        return self.derived.get(name, Derived(nothing, nothing, nothing))


@dataclass(frozen=True, eq=False, repr=False)
class NormedScores:
    """Scores with their derived scores, by norm plan."""

    scores: Scores
    norms: tuple[NormedScale, ...]

    def __repr__(self) -> str:
        batch = self.scores.batch
        return f"<NormedScores: {len(batch.roster)} pupils, {batch.plan.programme.ref}>"

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
        return one.of_pupils(self.scores.shown[slot])


def norm(plan: Plan, scores: Scores) -> NormedScores:
    """Norm the scores of a batch with the norm tables of the programme.

    Age is taken on the day a form was submitted, else on the day of screening.

    Raises
    ------
    UsageError
        If the scores were not made with this plan.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    >>> mh.norm(plan, scores)["sdq@teacher.total"].t.shape
    (40,)
    """
    expect("scores", scores, Scores)
    batch = scores.batch
    check_plan(plan, batch.plan)
    normed = []
    for one in plan.norms:
        forms = batch.forms[one.slot]
        roster, pupil = batch.roster, forms.pupil
        age = form_ages(plan, roster, forms, batch.at)
        scale = scores.forms[one.slot].scales[one.scale]
        normed.append(norm_scale(one, scale, roster.sex[pupil], age, roster.grade[pupil]))
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
    nothing = np.full(forms, np.nan)
    stratum = np.full(forms, -1, dtype=np.int64)
    capped = np.zeros(forms, dtype=np.int8)
    possible, age_open, grade_open = (np.zeros(forms, dtype=bool) for _ in range(3))
    derived = {m: Derived(nothing.copy(), nothing.copy(), nothing.copy()) for m in plan.metrics}
    unlisted = {m: np.zeros(forms, dtype=bool) for m in plan.metrics}
    ci_low, ci_high = nothing.copy(), nothing.copy()
    for one in plan.strata:
        in_age, no_age = _within(one.age, age, ~np.isnan(age))
        in_grade, no_grade = _within(one.grade, grade, grade >= 0)
        same_sex = (sex == one.sex) | (one.sex == ANY_SEX)
        may_be = (in_age | no_age) & (in_grade | no_grade) & (same_sex | (sex < 0))
        age_open |= may_be & no_age
        grade_open |= may_be & no_grade
        rows = np.flatnonzero(may_be & in_age & in_grade)
        possible[rows] = True
        ends = [
            _derive(plan, one, bound[rows], age[rows], grade[rows])
            for bound in (scores.low, scores.high)
        ]
        for metric, found in derived.items():
            low, high = (end.get(metric, np.full(len(rows), np.nan)) for end in ends)
            found.low[rows] = np.fmin(found.low[rows], np.minimum(low, high))
            found.high[rows] = np.fmax(found.high[rows], np.maximum(low, high))
            unlisted[metric][rows] |= np.isnan(low + high)
        exact = rows[same_sex[rows]]
        stratum[exact] = one.place
        for metric, values in _derive(
            plan, one, scores.score[exact], age[exact], grade[exact]
        ).items():
            derived[metric].value[exact] = values
        capped[exact] = _past_table(one, scores.score[exact]) * one.rising
        if "t" in derived:
            centre = 50 + one.shrink * (derived["t"].value[exact] - 50)
            centre[capped[exact] != 0] = np.nan
            ci_low[exact] = centre - 1.96 * one.t_error
            ci_high[exact] = centre + 1.96 * one.t_error
    for metric, found in derived.items():
        # A bound that one of two possible strata does not give is not known.
        found.low[unlisted[metric]] = found.high[unlisted[metric]] = np.nan
    reason = np.full(forms, NormReason.OUTSIDE.position, dtype=np.int8)
    given = np.zeros(forms, dtype=bool)
    for found in derived.values():
        given |= ~np.isnan(found.value)
    for why, where in (
        (NormReason.GRADE_UNKNOWN, grade_open),
        (NormReason.AGE_UNKNOWN, age_open),
        (NormReason.SEX_UNKNOWN, possible),
        (NormReason.NOT_LISTED, stratum >= 0),
        (NormReason.NO_SCORE, np.isnan(scores.score)),
        (NormReason.NONE, given),
    ):
        reason[where] = why.position
    unlisted_score = reason == NormReason.NOT_LISTED.position
    return NormedScale(
        plan,
        stratum,
        reason,
        derived,
        ci_low,
        ci_high,
        capped,
        (scores.answered > 0) & (~possible | unlisted_score),
    )


def _within(
    band: tuple[float, float], values: NDArray[Any], known: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a value lies in a band, and where a band is set and the value not known."""
    if not np.isfinite(band[0]):
        return np.ones(len(values), dtype=bool), np.zeros(len(values), dtype=bool)
    return known & (values >= band[0]) & (values < band[1]), ~known


def _derive(
    plan: NormPlan,
    one: StratumPlan,
    raw: NDArray[np.float64],
    age: NDArray[np.float64],
    grade: NDArray[np.int8],
) -> dict[str, NDArray[np.float64]]:
    """Return every derived score that a stratum gives, by metric."""
    figures = one.figures
    if isinstance(figures, TablePlan):
        found = {m: look_up(raw, figures.first, c) for m, c in figures.columns.items()}
        if "t" in found:
            side = _past_table(one, raw)
            caps = (figures.t_below, figures.t_above)
            found["t"] = np.select([side < 0, side > 0], caps, default=found["t"])
    elif isinstance(figures, BoxCoxPlan):
        z = box_cox_z(raw + figures.add, figures.power, figures.median, figures.variation)
        found = {"z": z, "t": 50 + 10 * z, "percentile": normal_percentile(z)}
    else:
        z = (raw - _predict(figures, age, grade)) / figures.sd
        found = {"z": z, "t": 50 + 10 * z}
    if plan.stanine_of_z and "z" in found:
        found["stanine"] = stanine_of_z(found["z"])
    return found


def _predict(
    line: LinePlan, age: NDArray[np.float64], grade: NDArray[np.int8]
) -> NDArray[np.float64]:
    predicted = np.full(len(age), line.mean)
    if line.age or line.age_squared:
        years = age - line.age_centre
        predicted += line.age * years + line.age_squared * years**2
    if line.grade:
        predicted += line.grade * grade
    return predicted


def _past_table(one: StratumPlan, raw: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return −1 where a cap stands for raw scores before the table, 1 after it, else 0."""
    table = one.figures
    side = np.zeros(len(raw), dtype=np.int8)
    if one.has_caps and isinstance(table, TablePlan):
        if not np.isnan(table.t_below):
            side[raw < table.first] = -1
        if not np.isnan(table.t_above):
            side[raw > table.last] = 1
    return side
