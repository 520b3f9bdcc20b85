"""Norm: raw scores against a reference group. Outside it is "not normed", never borrowed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.kernels.derived import box_cox_z, normal_percentile, stanine_of_z
from mhscreen.kernels.lookup import gather, look_up, whole_places
from mhscreen.kernels.sums import smallest_type
from mhscreen.kernels.used import number_used
from mhscreen.plan.norming import ANY_SEX, BoxCoxPlan, TablePlan
from mhscreen.plan.plan import check_plan
from mhscreen.problems import UsageError, expect
from mhscreen.steps.bind import form_ages, form_moment
from mhscreen.steps.people import People, pupils_at, tell_apart
from mhscreen.steps.score import Scores, find_scale
from mhscreen.vocabulary import NormReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.norming import FlatStrata, LinePlan, NormPlan, StratumPlan
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scales import ScaleStates
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.score import ScaleScores

__all__ = [
    "Derived",
    "DerivedStates",
    "NormStates",
    "NormedScale",
    "NormedScores",
    "norm",
    "norm_scale",
]

BLOCK = 1 << 16
"""Forms at a time, so that what is between two passes stays in the cache."""


class DerivedStates(NamedTuple):
    """One derived score by state, see `Derived`."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Derived:
    """One derived score; NaN where there is none. The arrays by form are made when asked for.

    Attributes
    ----------
    state : ndarray of unsigned integers, shape (forms,)
        The state of each form, as a place in `by_state`.
    by_state : DerivedStates
        What each state is worth.
    """

    state: NDArray[np.unsignedinteger]
    by_state: DerivedStates

    def __repr__(self) -> str:
        return f"<Derived: {len(self.state)} rows>"

    @cached_property
    def value(self) -> NDArray[np.float64]:
        """The score; NaN where not normed, or where the sex that the norm needs is not known."""
        return gather(self.by_state.value, self.state)

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """The lowest that blanks, or an unknown sex, leave possible."""
        return gather(self.by_state.low, self.state)

    @cached_property
    def high(self) -> NDArray[np.float64]:
        """The highest that blanks, or an unknown sex, leave possible."""
        return gather(self.by_state.high, self.state)


@dataclass(frozen=True, eq=False, repr=False)
class NormStates:
    """What scores of one scale are worth against one norm table; shape (states,).

    A state is what a norm depends on: a state of the scale, and of what is known of the pupil as
    much as tells strata apart.

    Attributes
    ----------
    stratum : ndarray of int64
        Place of the stratum; −1 for none or for more than one.
    reason : ndarray of int8
        Position in `NormReason`: why there is no derived score.
    derived : dict of str to DerivedStates
        By metric; only the metrics that the table can give.
    t_ci_low, t_ci_high : ndarray of float64
        95 % interval of measurement error; NaN where no reliability is stated, and where T is a
        cap. No rule uses it.
    t_capped : ndarray of int8
        Where T is only a cap: −1 for "below", 1 for "above", else 0.
    not_normed : ndarray of bool
        Where there is something to norm, and no stratum holds the pupil or lists the score.
    """

    stratum: NDArray[np.int64]
    reason: NDArray[np.int8]
    derived: Mapping[str, DerivedStates]
    t_ci_low: NDArray[np.float64]
    t_ci_high: NDArray[np.float64]
    t_capped: NDArray[np.int8]
    not_normed: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of states."""
        return len(self.stratum)

    def and_none(self) -> NormStates:
        """Return the same states and, as the last, that of a pupil without a form."""
        nothing = np.array([np.nan])
        return NormStates(
            np.append(self.stratum, -1),
            np.append(self.reason, np.int8(NormReason.NO_SCORE.position)),
            {
                metric: DerivedStates(*(np.append(values, nothing) for values in derived))
                for metric, derived in self.derived.items()
            },
            np.append(self.t_ci_low, nothing),
            np.append(self.t_ci_high, nothing),
            np.append(self.t_capped, np.int8(0)),
            np.append(self.not_normed, False),
        )


@dataclass(frozen=True, eq=False, repr=False)
class NormedScale:
    """One scale of one slot against one norm table.

    The arrays by form, of what `NormStates` says by state, are made when they are first asked for.

    Attributes
    ----------
    state : ndarray of unsigned integers, shape (forms,)
        The state of each form, as a place in `by_state`.
    by_state : NormStates
        What each state is worth. There may be states that no form is in.
    """

    plan: NormPlan
    state: NDArray[np.unsignedinteger]
    by_state: NormStates

    def __repr__(self) -> str:
        return f"<NormedScale: {self.plan.ref}, {len(self.state)} rows>"

    @cached_property
    def stratum(self) -> NDArray[np.int64]:
        """Place of the stratum; −1 for none or for more than one."""
        return gather(self.by_state.stratum, self.state)

    @cached_property
    def reason(self) -> NDArray[np.int8]:
        """Position in `NormReason`: why there is no derived score."""
        return gather(self.by_state.reason, self.state)

    @cached_property
    def derived(self) -> Mapping[str, Derived]:
        """The derived scores, by metric; only those that the table can give."""
        return {
            metric: Derived(self.state, states) for metric, states in self.by_state.derived.items()
        }

    @cached_property
    def t_ci_low(self) -> NDArray[np.float64]:
        """The lower end of the 95 % interval of measurement error; see `NormStates`."""
        return gather(self.by_state.t_ci_low, self.state)

    @cached_property
    def t_ci_high(self) -> NDArray[np.float64]:
        """The upper end of the 95 % interval of measurement error; see `NormStates`."""
        return gather(self.by_state.t_ci_high, self.state)

    @cached_property
    def t_capped(self) -> NDArray[np.int8]:
        """Where T is only a cap: −1 for "below", 1 for "above", else 0."""
        return gather(self.by_state.t_capped, self.state)

    @cached_property
    def not_normed(self) -> NDArray[np.bool_]:
        """Where there is something to norm, and no stratum holds the pupil or lists the score."""
        return gather(self.by_state.not_normed, self.state)

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
        last = len(self.by_state)
        state = np.append(self.state, last).astype(smallest_type(last + 1))
        return NormedScale(self.plan, state[shown], self.by_state.and_none())

    def _metric(self, name: str) -> Derived:
        if name in self.derived:
            return self.derived[name]
        nothing = np.full(len(self.by_state), np.nan)
        return Derived(self.state, DerivedStates(nothing, nothing, nothing))


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
    people = _people_by_slot(plan, batch)
    normed = [
        _norm(one, scores.forms[one.slot].scales[one.scale], *people[one.slot])
        for one in plan.norms
    ]
    return NormedScores(scores, tuple(normed))


def _people_by_slot(
    plan: Plan, batch: ResponseBatch
) -> dict[int, tuple[People, NDArray[np.unsignedinteger]]]:
    """Return the kinds of pupils by slot, and of which kind the pupil of each form is."""
    roster = batch.roster
    at_once: dict[str, People] = {}
    found = {}
    for slot in dict.fromkeys(one.slot for one in plan.norms):
        forms = batch.forms[slot]
        when = form_moment(plan, forms, batch.at)
        if when is None:
            ages = form_ages(plan, roster, forms, batch.at)
            sex, grade = roster.sex[forms.pupil], roster.grade[forms.pupil]
            people = tell_apart(plan.norms, sex, ages, grade)
            found[slot] = people, people.kind
            continue
        if str(when[0]) not in at_once:
            at_once[str(when[0])] = pupils_at(plan.norms, roster, when)
        people = at_once[str(when[0])]
        found[slot] = people, people.kind[forms.pupil]
    return found


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
    people = tell_apart((plan,), sex, age, grade)
    return _norm(plan, scores, people, people.kind)


def _norm(
    plan: NormPlan, scores: ScaleScores, people: People, kind: NDArray[np.unsignedinteger]
) -> NormedScale:
    """Norm each state of the scale for each kind of pupil, as far as there are forms in it."""
    states, kinds = len(scores.by_state), len(people.sex)
    both = np.empty(len(kind), dtype=smallest_type(states * kinds))
    for start in range(0, len(kind), BLOCK):
        part = slice(start, start + BLOCK)
        np.multiply(kind[part], states, out=both[part], casting="unsafe", dtype=both.dtype)
        both[part] += scores.state[part]
    used, state = _worth_working_out(both, states * kinds)
    which, who = used % max(states, 1), used // max(states, 1)
    return NormedScale(plan, state, _norm_states(plan, scores.by_state, which, people, who))


def _worth_working_out(
    both: NDArray[np.unsignedinteger], most: int
) -> tuple[NDArray[np.integer], NDArray[np.unsignedinteger]]:
    """Return the numbers to work out, and the place of each form among them.

    All, where they are few beside the forms; those that are used; or form by form.
    """
    forms = len(both)
    if most <= forms // 8:
        return np.arange(most), both
    if most <= 8 * forms:
        return number_used(both, most)
    return both, np.arange(forms, dtype=smallest_type(max(forms, 1)))


def _norm_states(
    plan: NormPlan,
    worth: ScaleStates,
    which: NDArray[np.integer],
    people: People,
    who: NDArray[np.integer],
) -> NormStates:
    """Return what some states of a scale are worth for some kinds of people; all of one shape."""
    score, bounds = worth.score[which], (worth.low[which], worth.high[which])
    strata = _Strata(plan, people)
    found = _Found(plan, len(score))
    settled = strata.settled[who]
    rows = np.flatnonzero(settled >= 0)
    if plan.flat is not None and len(rows):
        place = settled[rows]
        ends = [_derive_flat(plan, plan.flat, place, bound[rows]) for bound in bounds]
        found.may_be(rows, *ends)
        found.is_sure(
            rows,
            np.array([one.place for one in plan.strata])[place],
            _derive_flat(plan, plan.flat, place, score[rows]),
            _past_tables(plan.flat, place, score[rows])
            * np.array([one.rising for one in plan.strata], dtype=np.int8)[place],
            (
                np.array([one.shrink for one in plan.strata])[place],
                np.array([one.t_error for one in plan.strata])[place],
            ),
        )
    for place, one in enumerate(plan.strata):
        rows = np.flatnonzero((strata.possible[place] & (strata.settled < 0))[who])
        if not len(rows):
            continue
        age, grade = people.age[who], people.grade[who]
        found.may_be(
            rows, *(_derive(plan, one, bound[rows], age[rows], grade[rows]) for bound in bounds)
        )
        exact = rows[strata.exact[place, who[rows]]]
        found.is_sure(
            exact,
            one.place,
            _derive(plan, one, score[exact], age[exact], grade[exact]),
            _past_table(one, score[exact]) * one.rising,
            (one.shrink, one.t_error),
        )
    return found.finish(
        score,
        worth.answered[which],
        possible=strata.possible.any(axis=0)[who],
        age_open=strata.age_open[who],
        grade_open=strata.grade_open[who],
    )


class _Strata:
    """Which strata hold which kinds of people.

    Attributes
    ----------
    possible, exact : ndarray of bool, shape (strata, kinds)
        Where someone may be in a stratum, and is.
    age_open, grade_open : ndarray of bool, shape (kinds,)
        Where that cannot be told without an age, or a grade.
    settled : ndarray of int64, shape (kinds,)
        The only possible stratum, where someone surely is in it and all strata are flat; else −1.
    """

    def __init__(self, plan: NormPlan, people: People) -> None:
        in_age, no_age = _within(
            [one.age for one in plan.strata], people.age, ~np.isnan(people.age)
        )
        in_grade, no_grade = _within(
            [one.grade for one in plan.strata], people.grade, people.grade >= 0
        )
        sexes = np.array([one.sex for one in plan.strata])[:, None]
        same_sex = (people.sex == sexes) | (sexes == ANY_SEX)
        may_be = (in_age | no_age) & (in_grade | no_grade) & (same_sex | (people.sex < 0))
        self.age_open = (may_be & no_age).any(axis=0)
        self.grade_open = (may_be & no_grade).any(axis=0)
        self.possible = may_be & in_age & in_grade
        self.exact = self.possible & same_sex
        only = (self.possible.sum(axis=0) == 1) & self.exact.any(axis=0)
        self.settled = np.where(only & (plan.flat is not None), self.exact.argmax(axis=0), -1)


class _Found:
    """What is found of some states, stratum by stratum."""

    def __init__(self, plan: NormPlan, states: int) -> None:
        nothing = np.full(states, np.nan)
        self.stratum = np.full(states, -1, dtype=np.int64)
        self.capped = np.zeros(states, dtype=np.int8)
        self.derived = {m: DerivedStates(*(nothing.copy() for _ in range(3))) for m in plan.metrics}
        self.unlisted = {m: np.zeros(states, dtype=bool) for m in plan.metrics}
        self.ci_low, self.ci_high = nothing.copy(), nothing.copy()

    def may_be(
        self,
        rows: NDArray[np.int64],
        lowest: Mapping[str, NDArray[np.float64]],
        highest: Mapping[str, NDArray[np.float64]],
    ) -> None:
        """Widen the bounds by those that a possible stratum gives."""
        nothing = np.full(len(rows), np.nan)
        for metric, found in self.derived.items():
            low, high = (end.get(metric, nothing) for end in (lowest, highest))
            found.low[rows] = np.fmin(found.low[rows], np.minimum(low, high))
            found.high[rows] = np.fmax(found.high[rows], np.maximum(low, high))
            self.unlisted[metric][rows] |= np.isnan(low + high)

    def is_sure(
        self,
        rows: NDArray[np.int64],
        stratum: int | NDArray[np.int64],
        values: Mapping[str, NDArray[np.float64]],
        capped: NDArray[np.int8],
        error: tuple[float, float] | tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> None:
        """Take in what the stratum gives that holds someone; the error is shrinkage and SEM."""
        self.stratum[rows] = stratum
        for metric, value in values.items():
            self.derived[metric].value[rows] = value
        self.capped[rows] = capped
        if "t" in self.derived:
            shrink, t_error = error
            centre = 50 + shrink * (self.derived["t"].value[rows] - 50)
            centre[capped != 0] = np.nan
            self.ci_low[rows] = centre - 1.96 * t_error
            self.ci_high[rows] = centre + 1.96 * t_error

    def finish(
        self,
        score: NDArray[np.float64],
        answered: NDArray[np.int16],
        *,
        possible: NDArray[np.bool_],
        age_open: NDArray[np.bool_],
        grade_open: NDArray[np.bool_],
    ) -> NormStates:
        """Say where there is no derived score, and why."""
        given = np.zeros(len(score), dtype=bool)
        for metric, found in self.derived.items():
            # A bound that one of two possible strata does not give is not known.
            found.low[self.unlisted[metric]] = found.high[self.unlisted[metric]] = np.nan
            given |= ~np.isnan(found.value)
        reason = np.full(len(score), NormReason.OUTSIDE.position, dtype=np.int8)
        for why, where in (
            (NormReason.GRADE_UNKNOWN, grade_open),
            (NormReason.AGE_UNKNOWN, age_open),
            (NormReason.SEX_UNKNOWN, possible),
            (NormReason.NOT_LISTED, self.stratum >= 0),
            (NormReason.NO_SCORE, np.isnan(score)),
            (NormReason.NONE, given),
        ):
            reason[where] = why.position
        unlisted_score = reason == NormReason.NOT_LISTED.position
        return NormStates(
            self.stratum,
            reason,
            self.derived,
            self.ci_low,
            self.ci_high,
            self.capped,
            (answered > 0) & (~possible | unlisted_score),
        )


def _within(
    bands: Sequence[tuple[float, float]], values: NDArray[Any], known: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where a value lies in a band, and where a band is set and the value not known.

    Both of shape (bands, values).
    """
    ends = np.array(bands, dtype=np.float64).reshape(-1, 2, 1)
    start, end = ends[:, 0], ends[:, 1]
    is_set = np.isfinite(start)
    return ~is_set | (known & (values >= start) & (values < end)), is_set & ~known


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


def _derive_flat(
    plan: NormPlan, flat: FlatStrata, stratum: NDArray[np.int64], raw: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what `_derive` does, for raw scores each in its own stratum."""
    if flat.columns:
        place, fits = whole_places(raw, flat.first, flat.last)
        found = {
            metric: np.where(fits, table[stratum, place], np.nan)
            for metric, table in flat.columns.items()
        }
        if "t" in found:
            side = _past_tables(flat, stratum, raw)
            caps = (flat.t_below[stratum], flat.t_above[stratum])
            found["t"] = np.select([side < 0, side > 0], caps, default=found["t"])
    else:
        z = (raw - flat.mean[stratum]) / flat.sd[stratum]
        found = {"z": z, "t": 50 + 10 * z}
    if plan.stanine_of_z and "z" in found:
        found["stanine"] = stanine_of_z(found["z"])
    return found


def _past_tables(
    flat: FlatStrata, stratum: NDArray[np.int64], raw: NDArray[np.float64]
) -> NDArray[np.int8]:
    """Return what `_past_table` does, for raw scores each in its own stratum."""
    below = (raw < flat.least[stratum]) & ~np.isnan(flat.t_below[stratum])
    above = (raw > flat.most[stratum]) & ~np.isnan(flat.t_above[stratum])
    return above.astype(np.int8) - below.astype(np.int8)


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
