"""What a season will bring, before it begins: tiers by week, hours against capacity, misses.

The shares of the tiers come from a population that was screened under the policy: a simulated
one, or an archive. How many of those flagged will be true cases follows from a base rate and from
sensitivity and specificity, stated or estimated on simulated pupils, whose true level is known.
Agreement with a simulated level is not agreement with a disorder; the forecast says which it is.

Nothing here caps a tier or turns anybody away: where the hours do not suffice, that is a warning.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import UsageError
from mhscreen.steps.calendar import is_school_day
from mhscreen.steps.cells import map_column, parse_term
from mhscreen.vocabulary import ScreenTier, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.definitions import Policy, Programme
    from mhscreen.steps.tables import Table
    from mhscreen.steps.triage import Triage

__all__ = [
    "HOURS",
    "Accuracy",
    "Forecast",
    "Population",
    "forecast",
    "population_of_archive",
    "population_of_triage",
    "predict_accuracy",
]

HOURS: Mapping[ScreenTier, float] = {
    ScreenTier.GENERAL: 1.0,
    ScreenTier.SEVERE: 1.5,
    ScreenTier.MAJOR: 2.0,
    ScreenTier.UNDETERMINED: 0.5,
}
"""Hours of a first interview with its notes: our own guess, for a site to replace."""

GENERAL = Tier.GENERAL.position
FLAGGED = [ScreenTier(str(tier)).position for tier in Tier if tier.position >= GENERAL]
Basis = Literal["stated", "simulated"]


@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """Pupils who were screened under a policy; arrays have shape (pupils,).

    Attributes
    ----------
    stage : ndarray of int8
        Position in `Stage`, −1 where not known.
    tier : ndarray of int8
        Position in `ScreenTier`.
    truth : ndarray of float64 or None
        The true level of simulated pupils.
    """

    stage: NDArray[np.int8]
    tier: NDArray[np.int8]
    truth: NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        kind = "real" if self.truth is None else "simulated"
        return f"<Population: {len(self.tier)} {kind} pupils>"


def population_of_triage(triage: Triage, truth: NDArray[np.float64] | None = None) -> Population:
    """Return the pupils of a triage."""
    return Population(triage.normed.scores.batch.roster.stage, triage.screen, truth)


def population_of_archive(archive: Table, policy: Policy) -> Population:
    """Return the pupils of an archive.

    Raises
    ------
    UsageError
        If it lacks the columns ``stage``, ``screen_tier`` and ``rules``, or names rules that the
        policy does not have: its tiers are then those of another one.
    """
    found = []
    _check_rules(archive, policy)
    parsers: dict[str, Callable[[object], object]] = {
        "stage": lambda cell: parse_term(cell, Stage),
        # A code of our own, and "none" is no blank here.
        "screen_tier": lambda cell: ScreenTier(str(cell)).position,
    }
    for name, parse in parsers.items():
        if name not in archive.columns:
            msg = f"the archive has no column {name}"
            raise UsageError(msg)
        values, bad = map_column(archive.columns[name], parse, -1, "i1")
        if bad.any() or (name == "screen_tier" and (values < 0).any()):
            msg = f"column {name} of the archive cannot be read"
            raise UsageError(msg)
        found.append(values)
    return Population(found[0], found[1])


def _check_rules(archive: Table, policy: Policy) -> None:
    if "rules" not in archive.columns:
        msg = "the archive has no column rules"
        raise UsageError(msg)
    named = {rule for cell in archive.columns["rules"].values for rule in str(cell).split(";")}
    other = named - {rule.id for rule in policy.rules} - {""}
    if other:
        msg = f"the archive was not made with {policy.ref}: it has no {min(other)}"
        raise UsageError(msg)


@dataclass(frozen=True)
class Accuracy:
    """How many of those flagged will be true cases, and how many cases will be missed.

    Attributes
    ----------
    basis : str
        ``stated``, or ``simulated``: agreement with the simulated level, not with a disorder.
    base_rate : float
        The share of pupils who are cases.
    sensitivity, specificity : float
        The share of cases who are flagged, and of others who are not. Flagged is general or higher.
    pupils : int
        How many there are.
    """

    basis: Basis
    base_rate: float
    sensitivity: float
    specificity: float
    pupils: int

    @property
    def true(self) -> float:
        """Expected cases among those flagged."""
        return self.pupils * self.base_rate * self.sensitivity

    @property
    def missed(self) -> float:
        """Expected cases who are not flagged."""
        return self.pupils * self.base_rate * (1 - self.sensitivity)

    @property
    def flagged(self) -> float:
        """Expected number of pupils flagged."""
        return self.true + self.pupils * (1 - self.base_rate) * (1 - self.specificity)

    @property
    def ppv(self) -> float:
        """The share of those flagged who are cases; NaN where nobody is flagged."""
        return self.true / self.flagged if self.flagged else float("nan")

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a document for JSON."""
        return {
            "basis": self.basis,
            "base_rate": self.base_rate,
            "sensitivity": self.sensitivity,
            "specificity": self.specificity,
            "flagged": self.flagged,
            "true": self.true,
            "missed": self.missed,
            "ppv": self.ppv if self.flagged else None,
        }


def predict_accuracy(
    pupils: int,
    base_rate: float,
    sensitivity: float,
    specificity: float,
    basis: Basis = "stated",
) -> Accuracy:
    """Return the expected hits and misses of a rule at a base rate.

    Raises
    ------
    UsageError
        If a share does not lie between 0 and 1, or there are no pupils.

    Examples
    --------
    >>> school = predict_accuracy(1500, 0.08, 0.895, 0.775)  # PHQ-9 at 11 or more
    >>> round(school.flagged), round(school.true), round(school.missed), round(school.ppv, 2)
    (418, 107, 13, 0.26)
    """
    shares = {"base rate": base_rate, "sensitivity": sensitivity, "specificity": specificity}
    for name, share in shares.items():
        if not 0 <= share <= 1:
            msg = f"{name}: a share between 0 and 1 is expected"
            raise UsageError(msg)
    if pupils <= 0:
        msg = "the enrolment is 0"
        raise UsageError(msg)
    return Accuracy(basis, base_rate, sensitivity, specificity, pupils)


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """The expected season.

    Attributes
    ----------
    policy, programme : str
        Under which pupils are screened.
    population : Population
        Where the shares come from.
    enrolment : dict of Stage to int
        How many pupils there are.
    weeks : tuple of date
        The Mondays of the school weeks.
    expected : ndarray of float64, shape (tiers, weeks)
        Expected pupils screened in the week, by position in `ScreenTier`.
    hours : ndarray of float64, shape (weeks,)
        Of first interviews with the pupils screened in the week.
    capacity : ndarray of float64, shape (weeks,)
        Hours that there are, by the share of the week's days that have school.
    waiting : ndarray of float64, shape (weeks,)
        Hours not yet worked off at the end of the week.
    accuracy : Accuracy or None
        None where no base rate was given.
    warnings : tuple of (str, str)
        English and Chinese.
    """

    policy: str
    programme: str
    population: Population
    enrolment: Mapping[Stage, int]
    weeks: tuple[dt.date, ...]
    expected: NDArray[np.float64]
    hours: NDArray[np.float64]
    capacity: NDArray[np.float64]
    waiting: NDArray[np.float64]
    accuracy: Accuracy | None
    warnings: tuple[tuple[str, str], ...] = field(default=())

    def __repr__(self) -> str:
        return f"<Forecast: {self.policy}, {len(self.weeks)} weeks>"

    def table(self) -> dict[str, list[Any]]:
        """Return one row for each school week, as columns."""
        columns: dict[str, list[Any]] = {"week_of": [week.isoformat() for week in self.weeks]}
        for tier in ScreenTier:
            columns[str(tier)] = [round(one, 1) for one in self.expected[tier.position].tolist()]
        for name in ("hours", "capacity", "waiting"):
            columns[name] = [round(one, 1) for one in getattr(self, name).tolist()]
        return columns

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a document for JSON."""
        kind = "real" if self.population.truth is None else "simulated"
        return {
            "policy": self.policy,
            "programme": self.programme,
            "population": {"kind": kind, "pupils": len(self.population.tier)},
            "enrolment": {str(stage): number for stage, number in self.enrolment.items()},
            "weeks": self.table(),
            "accuracy": None if self.accuracy is None else self.accuracy.to_dict(),
            "warnings": [{"en": en, "zh": zh} for en, zh in self.warnings],
        }


def forecast(
    programme: Programme,
    policy: str,
    population: Population,
    *,
    start: dt.date,
    enrolment: Mapping[Stage, int] | None = None,
    base_rate: float | None = None,
    sensitivity: float | None = None,
    specificity: float | None = None,
    hours: Mapping[ScreenTier, float] | None = None,
    counsellors: float = 1.0,
    hours_per_week: float = 10.0,
) -> Forecast:
    """Forecast a season.

    Pupils of a stage are screened in equal numbers on each school day from `start` to the
    deadline of their stage. A first interview falls in the week of the screening; what is not
    worked off waits.

    Parameters
    ----------
    programme : Programme
        Its windows give the deadlines, its calendar the school days.
    policy : str
        The policy under which the population was screened.
    population : Population
        Its shares of tiers by stage are expected again.
    start : date
        The first day of screening.
    enrolment : mapping of Stage to int, optional
        Pupils by stage; by default those of the population.
    base_rate : float, optional
        The share of pupils who are cases.
    sensitivity, specificity : float, optional
        Of the policy at general or higher; by default estimated on a simulated population, where
        the `base_rate` with the highest true level are the cases.
    hours : mapping of ScreenTier to float, optional
        Hours of a first interview; what it does not name is as in `HOURS`.
    counsellors, hours_per_week : float
        How many there are, and how many hours each has for first interviews in a full week.

    Raises
    ------
    UsageError
        If the day is in no window, a deadline lies before it, the population has no pupil of an
        enrolled stage, a number is negative, or sensitivity and specificity are neither stated
        nor known.
    """
    if min([counsellors, hours_per_week, *(hours or {}).values()]) < 0:
        msg = "hours and counsellors are 0 or more"
        raise UsageError(msg)
    enrolled = _enrolled(population, enrolment)
    shares = _shares(population, enrolled)
    days = {stage: _days(programme, stage, start) for stage in enrolled}
    every = sorted({day for some in days.values() for day in some})
    weeks = tuple(dict.fromkeys(map(_monday, every)))
    expected = np.zeros((len(ScreenTier), len(weeks)))
    for stage, number in enrolled.items():
        for week, here in _by_week(days[stage]):
            share = here / len(days[stage])
            expected[:, weeks.index(week)] += shares[stage] * number * share
    per_pupil = np.zeros(len(ScreenTier))
    for tier, each in {**HOURS, **(hours or {})}.items():
        per_pupil[tier.position] = each
    needed = per_pupil @ expected
    a_week = counsellors * hours_per_week
    capacity = np.array([a_week * _days_left(programme, week, start) / 5 for week in weeks])
    waiting = _waiting(needed, capacity)
    accuracy = None
    if base_rate is not None:
        accuracy = _accuracy(population, enrolled, base_rate, sensitivity, specificity)
    return Forecast(
        policy,
        programme.ref,
        population,
        enrolled,
        weeks,
        expected,
        needed,
        capacity,
        waiting,
        accuracy,
        tuple(_warnings(programme, weeks, expected, needed, capacity, waiting)),
    )


def _enrolled(population: Population, enrolment: Mapping[Stage, int] | None) -> dict[Stage, int]:
    there = {stage: int((population.stage == stage.position).sum()) for stage in Stage}
    wanted = there if enrolment is None else enrolment
    if any(number < 0 for number in wanted.values()):
        msg = "an enrolment is 0 or more"
        raise UsageError(msg)
    enrolled = {Stage(stage): number for stage, number in wanted.items() if number}
    if not enrolled:
        msg = "the enrolment is 0"
        raise UsageError(msg)
    for stage in enrolled:
        if not there[stage]:
            msg = f"the population has no pupil of stage {stage}"
            raise UsageError(msg)
    return enrolled


def _shares(
    population: Population, enrolled: Mapping[Stage, int]
) -> dict[Stage, NDArray[np.float64]]:
    """Return the share of each tier by stage."""
    return {
        stage: np.bincount(
            population.tier[population.stage == stage.position], minlength=len(ScreenTier)
        )
        / (population.stage == stage.position).sum()
        for stage in enrolled
    }


def _days(programme: Programme, stage: Stage, start: dt.date) -> list[dt.date]:
    """Return the school days from the first day to the deadline of a stage."""
    window = next((one for one in programme.windows if _is_within(start, one.from_, one.to)), None)
    if window is None:
        msg = f"{start} lies in no window of {programme.ref}"
        raise UsageError(msg)
    end = _next(start, window.deadlines.get(stage, window.to))
    if end > _next(start, window.to):
        msg = f"the deadline of stage {stage} lies before {start}"
        raise UsageError(msg)
    days = [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]
    days = [day for day in days if is_school_day(programme, day)]
    if not days:
        msg = f"there is no school day from {start} to the deadline of stage {stage}"
        raise UsageError(msg)
    return days


def _is_within(day: dt.date, first: str, last: str) -> bool:
    today = f"{day:%m-%d}"
    if first <= last:
        return first <= today <= last
    return today >= first or today <= last


def _next(day: dt.date, month_day: str) -> dt.date:
    """Return the next time that a month and day come, the day itself included."""
    year = day.year if month_day >= f"{day:%m-%d}" else day.year + 1
    month, number = map(int, month_day.split("-"))
    try:
        return dt.date(year, month, number)
    except ValueError:  # 29 February of another year
        return dt.date(year, month, 28)


def _monday(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def _by_week(days: list[dt.date]) -> Iterator[tuple[dt.date, int]]:
    mondays = [_monday(day) for day in days]
    for week in dict.fromkeys(mondays):
        yield week, mondays.count(week)


def _days_left(programme: Programme, week: dt.date, start: dt.date) -> int:
    days = (week + dt.timedelta(days=n) for n in range(7))
    return sum(day >= start and is_school_day(programme, day) for day in days)


def _waiting(needed: NDArray[np.float64], capacity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what is not worked off at the end of each week."""
    waiting, left = [], 0.0
    for need, can in zip(needed.tolist(), capacity.tolist(), strict=True):
        left = max(0.0, left + need - can)
        waiting.append(left)
    return np.array(waiting)


def _accuracy(
    population: Population,
    enrolled: Mapping[Stage, int],
    base_rate: float,
    sensitivity: float | None,
    specificity: float | None,
) -> Accuracy:
    total = sum(enrolled.values())
    if sensitivity is not None and specificity is not None:
        return predict_accuracy(total, base_rate, sensitivity, specificity)
    if sensitivity is not None or specificity is not None:
        msg = "sensitivity and specificity go together"
        raise UsageError(msg)
    if population.truth is None:
        msg = "who is a case is not known of real pupils: state sensitivity and specificity"
        raise UsageError(msg)
    if not 0 < base_rate < 1:
        msg = "base rate: a share between 0 and 1 is expected"
        raise UsageError(msg)
    case = population.truth >= np.quantile(population.truth, 1 - base_rate)
    flagged = np.isin(population.tier, FLAGGED)
    weight = np.zeros(len(case))
    for stage, number in enrolled.items():
        here = population.stage == stage.position
        weight[here] = number / here.sum()
    if not (weight[case].any() and weight[~case].any()):
        msg = "too few simulated pupils for this base rate"
        raise UsageError(msg)
    found = [float(np.average(flagged[of], weights=weight[of])) for of in (case, ~case)]
    return predict_accuracy(total, base_rate, found[0], 1 - found[1], "simulated")


def _warnings(
    programme: Programme,
    weeks: tuple[dt.date, ...],
    expected: NDArray[np.float64],
    needed: NDArray[np.float64],
    capacity: NDArray[np.float64],
    waiting: NDArray[np.float64],
) -> Iterator[tuple[str, str]]:
    over = [week for week, need, can in zip(weeks, needed, capacity, strict=True) if need > can]
    if over:
        yield (
            f"{len(over)} of {len(weeks)} weeks need more hours than there are, from {over[0]} on",
            f"{len(weeks)} 周中有 {len(over)} 周所需工时超过可用工时，最早为 {over[0]} 当周",
        )
    if waiting[-1] > 0:
        yield (
            f"{waiting[-1]:.0f} hours of first interviews are still waiting at the end",
            f"到测评结束时仍有 {waiting[-1]:.0f} 小时的首次访谈未完成",
        )
    share = float(expected[FLAGGED].sum() / expected.sum())
    for range_ in programme.expected_shares:
        if range_.measure == "flagged" and not (range_.at_or_above <= share <= range_.at_or_below):
            yield (
                f"{share:.0%} flagged lies outside the range that the programme expects",
                f"预警比例 {share:.0%} 超出方案预期范围",
            )
