"""Who was examined: all, some at random, or only pupils whom the score had flagged.

Where only some were examined, the shares among them are not those of everybody: sensitivity
comes out too high and specificity too low. What the design allows is corrected (Begg and Greenes
1983; inverse weights); the rest is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

__all__ = ["Cells", "Verification", "cells_of"]

Verification = Literal["at_random", "begg_greenes", "inverse_weights"]
"""How pupils were chosen to be examined, and what is done about it.

``"at_random"``: whatever their score; only the examined ones are read, and the answer is checked
against the scores. ``"begg_greenes"``: by their score alone; within each band of scores the
examined stand for all. ``"inverse_weights"``: with known probabilities; each examined pupil
stands for one divided by that probability.
"""

_FEWEST = 5
_SURE = 0.01
_MANY = 0.02  # of the pupils: fewer below the lowest examined may be chance


@dataclass(frozen=True, eq=False)
class Cells:
    """Shares of pupils with and without the condition at each score.

    Attributes
    ----------
    values : ndarray of float64, shape (values,)
        The distinct scores, from the least concerning to the most.
    cases, others : ndarray of float64, shape (values,)
        Shares of all pupils; together they add up to 1.
    pupils, examined : int
        How many there were, and how many were examined.
    complete : bool
        Whether every pupil read here was examined.
    variance : callable
        From the slopes of a figure in `cases` and in `others`, arrays of shape (…, values), to
        its variance. The figure must not change if all shares are multiplied by one number.
    """

    values: Floats
    cases: Floats
    others: Floats
    pupils: int
    examined: int
    complete: bool
    variance: Callable[[Floats, Floats], Floats]


def cells_of(
    score: Floats,
    condition: Floats,
    *,
    verification: Verification | None = None,
    bands: Sequence[float] = (),
    probability: Floats | None = None,
) -> Cells:
    """Return the shares of pupils at each score, corrected where only some were examined.

    Parameters
    ----------
    score : ndarray of float64, shape (pupils,)
        Higher is worse; without NaN.
    condition : ndarray of float64, shape (pupils,)
        1 with the condition, 0 without, NaN where nobody examined.
    verification : {"at_random", "begg_greenes", "inverse_weights"}, optional
        Needed where anybody was not examined.
    bands : sequence of float
        For Begg and Greenes: the scores at which a new band begins; by default each score is one.
    probability : ndarray of float64, shape (pupils,)
        For inverse weights: each pupil's probability of being examined.

    Raises
    ------
    AnalysisError
        With MH720 where the figures cannot be had, with MH721 where nobody or everybody examined
        has the condition.
    """
    known = ~np.isnan(condition)
    if verification is not None and verification not in get_args(Verification):
        msg = f"verification is one of {', '.join(get_args(Verification))}, not {verification!r}"
        raise UsageError(msg)
    _check_both(condition[known])
    if known.all():
        return _complete(score, condition)
    if verification is None:
        raise _partial(score, known)
    if verification == "inverse_weights":
        return _inverse(score, condition, known, probability)
    if verification == "begg_greenes":
        return _begg_greenes(score, condition, known, bands)
    _check_at_random(score, known)
    return _complete(score[known], condition[known], pupils=len(score))


def _check_both(known: Floats) -> None:
    for value, word in ((1, "has"), (0, "is without")):
        if int((known == value).sum()) < 2:  # noqa: PLR2004 - no variance from one
            raise AnalysisError(
                [
                    Problem(
                        "MH721",
                        f"hardly anybody examined {word} the condition",
                        "two pupils with the condition and two without it, at least",
                        "no accuracy can be had from these pupils",
                    )
                ]
            )


def _complete(score: Floats, condition: Floats, pupils: int | None = None) -> Cells:
    values, place = np.unique(score, return_inverse=True)
    n, size = len(score), len(values)
    cases = np.bincount(place, weights=condition, minlength=size) / n
    others = np.bincount(place, minlength=size) / n - cases
    variance = partial(_multinomial, cases=cases, others=others, n=n)
    return Cells(values, cases, others, pupils or n, n, complete=True, variance=variance)


def _multinomial(a: Floats, b: Floats, *, cases: Floats, others: Floats, n: int) -> Floats:
    found: Floats = ((cases * a**2).sum(axis=-1) + (others * b**2).sum(axis=-1)) / n
    return found


def _inverse(score: Floats, condition: Floats, known: Bools, probability: Floats | None) -> Cells:
    if probability is None:
        msg = "inverse weights need each pupil's probability of being examined"
        raise UsageError(msg)
    chance = np.asarray(probability, dtype=np.float64)
    if chance.shape != score.shape or not bool(((chance >= 0) & (chance <= 1)).all()):
        msg = "probability: one between 0 and 1 for each pupil is expected"
        raise UsageError(msg)
    if bool((chance == 0).any()):
        raise AnalysisError(
            [
                Problem(
                    "MH720",
                    f"{int((chance == 0).sum())} pupils could not have been examined",
                    "a probability above 0 for every pupil",
                    "nobody stands for these pupils: the figures hold for the others alone",
                )
            ]
        )
    values, place = np.unique(score, return_inverse=True)
    weight = np.where(known, 1 / chance, 0.0)
    weight /= weight.sum()
    case = np.where(known, condition, 0.0)
    size = len(values)

    def total(amount: Floats) -> Floats:
        added: Any = np.bincount(place, weights=amount, minlength=size)
        return np.asarray(added, dtype=np.float64)

    variance = partial(
        _squares, cases=total(weight**2 * case), others=total(weight**2 * (1 - case))
    )
    return Cells(
        values,
        total(weight * case),
        total(weight * (1 - case)),
        len(score),
        int(known.sum()),
        complete=False,
        variance=variance,
    )


def _squares(a: Floats, b: Floats, *, cases: Floats, others: Floats) -> Floats:
    found: Floats = (cases * a**2).sum(axis=-1) + (others * b**2).sum(axis=-1)
    return found


def _begg_greenes(score: Floats, condition: Floats, known: Bools, bands: Sequence[float]) -> Cells:
    values, place = np.unique(score, return_inverse=True)
    size = len(values)
    band = np.searchsorted(np.sort(np.asarray(bands)), values, side="right")
    band = np.unique(band, return_inverse=True)[1] if len(bands) else np.arange(size)
    here = band[place]
    everybody = np.bincount(here)
    examined = np.bincount(here[known], minlength=len(everybody))
    thin = (examined < np.minimum(_FEWEST, everybody)) | (examined == 0)
    if thin.any():
        first = float(values[band == int(thin.argmax())][0])
        few = int(examined[thin][0])
        raise AnalysisError(
            [
                Problem(
                    "MH720",
                    f"of the pupils in the band of scores from {first:g} on, {few} were examined",
                    f"{_FEWEST} in each band, or all of them",
                    "wider bands, if pupils were chosen alike within them; where nobody below a "
                    "score was examined, nothing can be said about those below",
                )
            ]
        )
    # Each examined pupil stands for so many of the band; scores within it keep their own shares.
    share = everybody / len(score)
    of_band = share[band] / examined[band]
    sick = np.bincount(place[known], weights=condition[known], minlength=size)
    well = np.bincount(place[known], minlength=size) - sick
    variance = partial(
        _two_phases,
        cases=sick / examined[band],
        others=well / examined[band],
        band=band,
        share=share,
        examined=examined,
        n=len(score),
    )
    return Cells(
        values,
        sick * of_band,
        well * of_band,
        len(score),
        int(known.sum()),
        complete=False,
        variance=variance,
    )


def _two_phases(
    a: Floats,
    b: Floats,
    *,
    cases: Floats,
    others: Floats,
    band: NDArray[np.int64],
    share: Floats,
    examined: NDArray[np.int64],
    n: int,
) -> Floats:
    """Return the variance: of the bands among all, and of the examined within their band."""
    first, second = (
        np.stack([part[..., band == one].sum(axis=-1) for one in range(len(share))], axis=-1)
        for part in (cases * a + others * b, cases * a**2 + others * b**2)
    )
    between = (share * first**2).sum(axis=-1) - (share * first).sum(axis=-1) ** 2
    within = (share**2 * (second - first**2) / examined).sum(axis=-1)
    found: Floats = between / n + within
    return found


def _check_at_random(score: Floats, known: Bools) -> None:
    """Refuse "at random" where the examined have other scores than the rest."""
    from scipy.special import ndtr
    from scipy.stats import rankdata

    rank = rankdata(score)
    n, m = len(score), int(known.sum())
    spread = np.sqrt(m * (n - m) / n * rank.var(ddof=1))
    distance = abs(rank[known].mean() - rank.mean()) * m
    p = 2 * ndtr(-distance / spread) if spread > 0 else 1.0
    if p < _SURE:
        raise AnalysisError(
            [
                Problem(
                    "MH720",
                    "the examined have other scores than the rest: not chosen at random",
                    "scores alike in both (rank-sum test)",
                    "state verification='begg_greenes' if they were chosen by their score",
                )
            ]
        )


def _partial(score: Floats, known: Bools) -> AnalysisError:
    n, m = len(score), int(known.sum())
    lowest = float(score[known].min())
    below = int((score < lowest).sum())
    hint = "state how they were chosen: verification='at_random', 'begg_greenes' or "
    hint += "'inverse_weights'"
    what = f"{m} of {n} pupils were examined"
    if below > _MANY * n:
        what += f", none of the {below} with a score below {lowest:g}"
        hint = "nothing can be said about pupils below that score: examine some of them"
    return AnalysisError([Problem("MH720", what, "every pupil, or a stated design", hint)])
