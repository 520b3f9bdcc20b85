"""People: what is known of pupils, as far as norms tell them apart, as one small number each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.sums import smallest_type
from mhscreen.kernels.used import number_used
from mhscreen.plan.norming import LinePlan
from mhscreen.steps.cells import age_in_years
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.norming import NormPlan
    from mhscreen.steps.roster import Roster

__all__ = ["People", "pupils_at", "tell_apart"]

_SEXES = len(Sex) + 1
_GRADES = 129  # −1 to 127


@dataclass(frozen=True, eq=False)
class People:
    """Kinds of people; two of a kind are in the same stratum of every norm.

    Attributes
    ----------
    kind : ndarray of unsigned integers, shape (people,)
        Of which kind each is.
    sex : ndarray of int8, shape (kinds,)
        Position in `Sex`, −1 where not known.
    age : ndarray of float64, shape (kinds,)
        An age in years that stands for all of the kind; NaN where not known.
    grade : ndarray of int8, shape (kinds,)
        −1 where not known, or where no norm asks for it.
    """

    kind: NDArray[np.unsignedinteger]
    sex: NDArray[np.int8]
    age: NDArray[np.float64]
    grade: NDArray[np.int8]


def tell_apart(
    norms: Sequence[NormPlan],
    sex: NDArray[np.int8],
    age: NDArray[np.float64],
    grade: NDArray[np.int8],
) -> People:
    """Put people into kinds.

    Parameters
    ----------
    norms : sequence of NormPlan
        The norms that are to be applied.
    sex, age, grade : ndarray, shape (people,)
        As for `mhscreen.steps.norm.norm_scale`.
    """
    if _reads_age(norms):
        every, place = np.unique(age, return_inverse=True)
        return _combine(norms, sex, every, place, grade)
    ages = _ages_between(norms)
    return _combine(norms, sex, ages, _place_between(ages, age), grade)


def pupils_at(norms: Sequence[NormPlan], roster: Roster, when: NDArray[np.datetime64]) -> People:
    """Put the pupils of a roster into kinds.

    Parameters
    ----------
    norms : sequence of NormPlan
        The norms that are to be applied.
    roster : Roster
        The pupils.
    when : ndarray of datetime64, shape (1,)
        When their age is taken, by the local clock.
    """
    born = roster.birth_date
    low, high = np.fmin.reduce(born, initial=_NO_DAY), np.fmax.reduce(born, initial=_NO_DAY)
    days = 0 if np.isnat(low) else int((high - low).astype(np.int64)) + 1
    if not 0 < days < len(born) or _reads_age(norms):
        return tell_apart(norms, roster.sex, roster.ages(when), roster.grade)
    # There are fewer days of birth than pupils.
    every = age_in_years(low + np.arange(days), when, np.full(days, np.nan))
    ages = _ages_between(norms)
    code = _place_between(ages, every).take((born - low).astype(np.int64), mode="clip")
    unknown = np.flatnonzero(np.isnat(born))
    code[unknown] = _place_between(ages, roster.age[unknown])
    return _combine(norms, roster.sex, ages, code, roster.grade)


_NO_DAY = np.datetime64("NaT", "D")


def _reads_age(norms: Sequence[NormPlan]) -> bool:
    """Return whether a norm follows from the age itself, and not only from a span of ages."""
    return any(
        isinstance(one.figures, LinePlan) and (one.figures.age or one.figures.age_squared)
        for norm in norms
        for one in norm.strata
    )


def _reads_grade(norms: Sequence[NormPlan]) -> bool:
    return any(
        np.isfinite(one.grade[0]) or (isinstance(one.figures, LinePlan) and one.figures.grade)
        for norm in norms
        for one in norm.strata
    )


def _ages_between(norms: Sequence[NormPlan]) -> NDArray[np.float64]:
    """Return one age of each span that some norm tells from the next, and last that of nobody."""
    ends = {end for norm in norms for one in norm.strata for end in one.age if np.isfinite(end)}
    return np.array([-np.inf, *sorted(ends), np.nan])


def _place_between(ages: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.uint8]:
    place = np.zeros(len(age), dtype=smallest_type(len(ages)))
    for end in ages[1:-1].tolist():
        place += age >= end
    place[np.isnan(age)] = len(ages) - 1
    return place


def _combine(
    norms: Sequence[NormPlan],
    sex: NDArray[np.int8],
    ages: NDArray[np.float64],
    age: NDArray[np.uint8] | NDArray[np.intp],
    grade: NDArray[np.int8],
) -> People:
    """Return a kind for each combination of a sex, a place among the ages and a grade."""
    grades = _GRADES if _reads_grade(norms) else 1
    most = len(ages) * _SEXES * grades
    number = age.astype(smallest_type(most))
    number *= _SEXES
    number += (sex + 1).astype(np.uint8)
    if grades > 1:
        number *= grades
        number += (grade + 1).astype(np.uint8)
    used, kind = number_used(number, most)
    return People(
        kind,
        (used // grades % _SEXES - 1).astype(np.int8),
        ages[used // grades // _SEXES],
        (used % grades - 1).astype(np.int8),
    )
