"""Two norm tables on the same scores: who would move across a cut of T, and in which stratum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.plan.norming import compile_norms
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores
from mhscreen.vocabulary import Direction, Metric, NormReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import NormTable
    from mhscreen.definitions.norm_table import ScaleNorm, Stratum
    from mhscreen.loading import Library
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.norm import NormedScale

__all__ = ["CutMoves", "NormComparison", "ScaleComparison", "compare_norms", "raw_columns"]

_FIFTY = 50.0
_ALL = "all"


@dataclass(frozen=True, eq=False)
class CutMoves:
    """One cut score of T; arrays of bool, shape (forms,).

    Attributes
    ----------
    cut : float
        In T, on the worse side of 50.
    only_a, only_b : ndarray
        Where the score reaches the cut with one table and not with the other: who would move.
    both, neither : ndarray
        Where nobody moves.
    """

    cut: float
    only_a: NDArray[np.bool_]
    only_b: NDArray[np.bool_]
    both: NDArray[np.bool_]
    neither: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ScaleComparison:
    """One scale against two tables.

    Attributes
    ----------
    scale : str
        The scale.
    raw : ndarray of float64, shape (forms,)
        The raw scores that were compared.
    a, b : NormedScale
        What each table gives.
    strata : ndarray of object
        The stratum of each form in words, first in A, then in B where it differs there.
    cuts : tuple of CutMoves
        By rising distance from 50. Forms without a T in either table are in none of their arrays.
    """

    scale: str
    raw: NDArray[np.float64]
    a: NormedScale
    b: NormedScale
    strata: NDArray[np.object_]
    cuts: tuple[CutMoves, ...]


@dataclass(frozen=True, eq=False, repr=False)
class NormComparison:
    """Two norm tables on the same forms.

    Attributes
    ----------
    a, b : str
        The norm tables.
    subjects : ndarray of object, or None
        Whose forms they are, where the frame says so.
    scales : tuple of ScaleComparison
        The scales that both tables norm, on the same scoring key, and that the frame holds.
    left_out : dict of str to str
        The other scales, and why.
    """

    a: str
    b: str
    subjects: NDArray[np.object_] | None
    scales: tuple[ScaleComparison, ...]
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        return f"<NormComparison: {self.a}, {self.b}, {len(self.scales)} scales>"

    def summary(self) -> dict[str, list[Any]]:
        """Return how many move: one row for each scale, cut and stratum, as columns.

        The first row of each scale and cut is for all forms together.
        """
        rows = [
            {
                "scale": one.scale,
                "cut": moves.cut,
                "stratum": stratum,
                "forms": int(inside.sum()),
                "only_a": int((moves.only_a & inside).sum()),
                "only_b": int((moves.only_b & inside).sum()),
                "both": int((moves.both & inside).sum()),
                "neither": int((moves.neither & inside).sum()),
                "not_compared": int((inside & ~_compared(moves)).sum()),
            }
            for one in self.scales
            for moves in one.cuts
            for stratum in (_ALL, *sorted(set(one.strata.tolist())))
            for inside in [(one.strata == stratum) | (stratum == _ALL)]
        ]
        return {name: [row[name] for row in rows] for name in _SUMMARY}

    def moves(self) -> dict[str, list[Any]]:
        """Return who moves: one row for each form, scale and cut, as columns."""
        rows = [row for one in self.scales for row in self._moves(one)]
        return {name: [row[name] for row in rows] for name in _MOVES}

    def _moves(self, one: ScaleComparison) -> Iterator[dict[str, Any]]:
        for moves in one.cuts:
            for row in np.flatnonzero(moves.only_a | moves.only_b).tolist():
                yield {
                    "row": row + 1,
                    "subject": None if self.subjects is None else self.subjects[row],
                    "scale": one.scale,
                    "cut": moves.cut,
                    "stratum": one.strata[row],
                    "raw": float(one.raw[row]),
                    "t_a": float(one.a.t[row]),
                    "t_b": float(one.b.t[row]),
                    "reached_with": "a" if moves.only_a[row] else "b",
                }


_SUMMARY = (
    "scale", "cut", "stratum", "forms", "only_a", "only_b", "both", "neither", "not_compared",
)  # fmt: skip
_MOVES = ("row", "subject", "scale", "cut", "stratum", "raw", "t_a", "t_b", "reached_with")


def raw_columns(library: Library, ref: str) -> list[str]:
    """Return the result columns in which the raw scores of a norm table's form stand.

    Other columns have a name of the same kind without being a raw score:
    ``<prefix>__form_validity``, and each index of response quality.

    Parameters
    ----------
    library : Library
        Where the table and its instrument are found.
    ref : str
        The norm table.
    """
    table = library.norm(ref).definition
    form = compile_form(library.instrument(table.instrument).definition, table.informant)
    return [f"{form.prefix}__{scale.id}" for scale in form.scales]


def compare_norms(
    library: Library,
    a: str,
    b: str,
    raw: Mapping[str, NDArray[np.float64]],
    *,
    sex: NDArray[np.int8],
    age: NDArray[np.float64],
    grade: NDArray[np.int8],
    subjects: NDArray[np.object_] | None = None,
    cuts: Sequence[float] = (65.0, 70.0),
) -> NormComparison:
    """Compare two norm tables of one form on the same raw scores.

    Parameters
    ----------
    library : Library
        Where the tables and their instrument are found.
    a, b : str
        Two norm tables, such as two editions: ``"rcads47/us-child@1"``.
    raw : mapping of str to ndarray of float64
        Raw scores by result column, ``sdq_teacher__total``; NaN where there is none.
    sex, age, grade : ndarray
        As for `mhscreen.steps.norm.norm_scale`; one entry for each form.
    subjects : ndarray of object, optional
        Whose forms they are.
    cuts : sequence of float
        T scores above 50. Where a higher score is better, the mirrored cut (65: 35) is meant.

    Returns
    -------
    NormComparison
        A form without a T in one of the tables does not move: it is counted apart.

    Raises
    ------
    UsageError
        If the tables are not for the same form, a cut is not above 50, or nothing is compared.
    """
    first, second = (library.norm(ref).definition for ref in (a, b))
    if (first.instrument_id, first.informant) != (second.instrument_id, second.informant):
        msg = f"{first.ref} and {second.ref} are not for the same form of the same instrument"
        raise UsageError(msg)
    if any(not cut > _FIFTY for cut in cuts) or not cuts:
        msg = "a cut is a T score above 50; on a scale where higher is better its mirror is meant"
        raise UsageError(msg)
    instrument = library.instrument(first.instrument).definition
    form = compile_form(instrument, first.informant)
    # Each on the version that it was made for: where the keys differ, the scale is left out.
    plans = [
        _plans(table, compile_form(library.instrument(table.instrument).definition, form.informant))
        for table in (first, second)
    ]
    left_out: dict[str, str] = {}
    compared = []
    for one, other in _pairs(first, second, left_out):
        column = f"{form.prefix}__{one.scale}"
        if form.scale(one.scale) < 0 or column not in raw:
            left_out[one.scale] = f"there is no column {column}"
            continue
        scores = ScaleScores.of_raw(raw[column])
        normed = [norm_scale(by_scale[one.scale], scores, sex, age, grade) for by_scale in plans]
        better = instrument.scale(one.scale).higher_is is Direction.BETTER
        lower = [better != (scale.direction == "falling") for scale in (one, other)]
        compared.append(
            ScaleComparison(
                one.scale,
                raw[column],
                normed[0],
                normed[1],
                _strata_in_words(one, other, normed),
                tuple(_across(cut, normed, lower) for cut in sorted(cuts)),
            )
        )
    if not compared:
        reasons = "; ".join(f"{scale}: {why}" for scale, why in left_out.items())
        msg = f"nothing to compare {first.ref} and {second.ref} on: {reasons}"
        raise UsageError(msg)
    return NormComparison(first.ref, second.ref, subjects, tuple(compared), left_out)


def _pairs(
    a: NormTable, b: NormTable, left_out: dict[str, str]
) -> Iterator[tuple[ScaleNorm, ScaleNorm]]:
    """Yield the scales that both tables norm on the same key; say why others are left out."""
    others = {scale.scale: scale for scale in b.scales}
    for one in a.scales:
        other = others.pop(one.scale, None)
        if other is None:
            left_out[one.scale] = f"not in {b.ref}"
        elif one.key_checksum != other.key_checksum:
            left_out[one.scale] = "the tables were made for different scoring keys"
        elif not (Metric.T in one.metrics and Metric.T in other.metrics):
            left_out[one.scale] = "a table gives no T"
        else:
            yield one, other
    left_out.update(dict.fromkeys(others, f"not in {a.ref}"))


def _plans(table: NormTable, form: FormPlan) -> dict[str, NormPlan]:
    return {form.scales[plan.scale].id: plan for plan in compile_norms(table, form, 0)}


def _across(cut: float, normed: Sequence[NormedScale], lower: Sequence[bool]) -> CutMoves:
    """Return who reaches a cut with which table; `lower`: whether a low T is the worse one."""
    t = [one.t for one in normed]
    known = ~np.isnan(t[0]) & ~np.isnan(t[1])
    in_a, in_b = (
        (score <= 2 * _FIFTY - cut if down else score >= cut)
        for score, down in zip(t, lower, strict=True)
    )
    return CutMoves(
        cut, known & in_a & ~in_b, known & in_b & ~in_a, known & in_a & in_b, known & ~(in_a | in_b)
    )


def _compared(moves: CutMoves) -> NDArray[np.bool_]:
    return moves.only_a | moves.only_b | moves.both | moves.neither


def _strata_in_words(
    a: ScaleNorm, b: ScaleNorm, normed: Sequence[NormedScale]
) -> NDArray[np.object_]:
    """Return where each form stands in both tables, or why nowhere."""
    first, second = (
        np.array([*map(_words, scale.strata), *map(str, NormReason)], dtype=object)[
            np.where(one.stratum >= 0, one.stratum, len(scale.strata) + one.reason)
        ]
        for scale, one in zip((a, b), normed, strict=True)
    )
    joined: NDArray[np.object_] = np.where(first == second, first, first + " / " + second)
    return joined


def _words(stratum: Stratum) -> str:
    """Name a stratum, ``male, age 8-<12``."""
    bands = [
        f"{name} {band.from_:g}-<{band.below:g}"
        for name, band in (("age", stratum.age), ("grade", stratum.grade))
        if band is not None
    ]
    return ", ".join([str(stratum.sex), *bands])
