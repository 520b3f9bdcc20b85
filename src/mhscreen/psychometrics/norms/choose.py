"""Which model a norm should rest on: judged on pupils it was not fitted to.

The sample is split into folds (whole schools, where they are known); each model is fitted without
a fold and judged on it by the ranked probability score: the squared distance of the predicted
cumulative shares from what came out, summed over the raw scores. Lower is better; it judges
every kind of model on the same terms, an empirical table included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.norms.continuous import Counted, Formula, fit_norm
from mhscreen.psychometrics.norms.families import FAMILIES
from mhscreen.psychometrics.norms.percentiles import mid_ranks_of
from mhscreen.psychometrics.norms.smoothing import smooth_shares
from mhscreen.psychometrics.norms.taylor import fit_taylor
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.norms.families import ScoreRange

    Floats = NDArray[np.float64]

__all__ = ["CANDIDATES", "Candidate", "ModelChoice", "TableNorm", "choose_norm_model", "fit"]

_SEXES = 2


class Norm(Protocol):
    """What every norm can say."""

    def shares(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the share of pupils at each raw score, shape (cells, scores)."""

    def percentiles(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the mid-rank percentile of each raw score, shape (cells, scores)."""


_NONE = Formula((0,))


@dataclass(frozen=True)
class Candidate:
    """A kind of norm.

    Attributes
    ----------
    method : str
        ``empirical``, ``log_linear``, ``beta_binomial``, ``shash``, ``lms`` or ``taylor``.
    formula : Formula
        For the fitted distributions; for ``log_linear`` its first degree is the number of
        moments; for ``taylor`` its degrees are the powers of norm score and age or grade.
    """

    method: str
    formula: Formula = _NONE

    @property
    def label(self) -> str:
        """Its name in a table."""
        plain = self.method == "empirical"
        return self.method if plain else f"{self.method} {self.formula.label}"


@dataclass(frozen=True, eq=False)
class TableNorm:
    """A norm that is a table: each age or grade and sex by itself.

    Attributes
    ----------
    of : ScoreRange
    table : dict of (float, float) to ndarray of float64, shape (scores,)
        The share at each raw score, by age or grade and by sex (1 for girls).
    """

    of: ScoreRange
    table: dict[tuple[float, float], Floats]

    def shares(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the share of pupils at each raw score, NaN where the table has none."""
        nothing = np.full(self.of.high - self.of.low + 1, np.nan)
        pairs = zip(np.asarray(time).tolist(), np.asarray(girl).tolist(), strict=True)
        return np.stack([self.table.get(pair, nothing) for pair in pairs])

    def percentiles(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """Return the mid-rank percentile of each raw score, shape (cells, scores)."""
        return mid_ranks_of(self.shares(time, girl))


@dataclass(frozen=True, eq=False)
class _BySex:
    """Two norms, one for each sex."""

    boys: Norm
    girls: Norm

    def shares(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """See `Norm`."""
        who = np.asarray(girl)[:, None] > 0
        return np.where(who, self.girls.shares(time, girl), self.boys.shares(time, girl))

    def percentiles(self, time: Sequence[float], girl: Sequence[float]) -> Floats:
        """See `Norm`."""
        return mid_ranks_of(self.shares(time, girl))


CANDIDATES = (
    Candidate("empirical"),
    Candidate("log_linear", Formula((4,))),
    *(
        Candidate("beta_binomial", Formula(degrees, sex))
        for degrees in ((1, 0), (1, 1), (2, 1), (3, 1))
        for sex in (False, True)
    ),
    *(
        Candidate("shash", Formula(degrees, sex))
        for degrees in ((1, 0), (2, 1), (2, 1, 1), (3, 2, 1))
        for sex in (False, True)
    ),
    *(
        Candidate("lms", Formula(degrees, sex))
        for degrees in ((1, 0), (2, 1), (2, 1, 1))
        for sex in (False, True)
    ),
    Candidate("taylor", Formula((4, 2))),
)
"""What is tried where nothing is named."""


def fit(counted: Counted, candidate: Candidate) -> Norm:
    """Fit one kind of norm.

    Raises
    ------
    AnalysisError
        If it cannot be fitted: MH705, MH707, MH709, MH727.
    UsageError
        If there is no such method.
    """
    method, formula = candidate.method, candidate.formula
    if method in FAMILIES:
        return fit_norm(counted, method, formula)
    if method == "taylor":
        powers = (formula.degrees[0], formula.degrees[-1])
        parts = [_only(counted, girl) for girl in np.unique(counted.girl).tolist()]
        fitted = [fit_taylor(part, powers=powers) for part in parts]
        return fitted[0] if len(fitted) < _SEXES else _BySex(*fitted)
    if method not in {"empirical", "log_linear"}:
        known = ["empirical", "log_linear", *FAMILIES, "taylor"]
        msg = f"method is one of {', '.join(known)}, not {method!r}"
        raise UsageError(msg)
    table = {}
    for time, girl, counts in zip(
        counted.time.tolist(), counted.girl.tolist(), counted.counts, strict=True
    ):
        smooth = method == "log_linear"
        table[time, girl] = (
            smooth_shares(counts, formula.degrees[0]) if smooth else counts / counts.sum()
        )
    return TableNorm(counted.of, table)


def _only(counted: Counted, girl: float) -> Counted:
    here = counted.girl == girl
    return replace(
        counted, time=counted.time[here], girl=counted.girl[here], counts=counted.counts[here]
    )


@dataclass(frozen=True, eq=False, repr=False)
class ModelChoice(Result):
    """Models by their error on pupils they were not fitted to.

    Attributes
    ----------
    candidates : tuple of Candidate
    score : ndarray of float64, shape (candidates,)
        The mean ranked probability score; NaN where a fit did not come to an end.
    behind, behind_se : ndarray of float64, shape (candidates,)
        How much worse than the best, and the standard error of that over the folds.
    coefficients : ndarray of int64, shape (candidates,)
        How many figures each rests on.
    best, chosen : int
        The best candidate, and the one with the fewest figures within one standard error of it.
    why_not : tuple of str
        For each candidate why it was not judged; empty where it was.
    folds : int
    """

    candidates: tuple[Candidate, ...]
    score: Floats
    behind: Floats
    behind_se: Floats
    coefficients: NDArray[np.int64]
    best: int
    chosen: int
    why_not: tuple[str, ...]
    folds: int
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what was chosen."""
        return (
            f"{len(self.candidates)} models judged on {self.folds} folds: best "
            f"{self.candidates[self.best].label}, chosen {self.candidates[self.chosen].label}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each model."""
        return {
            "model": np.array([one.label for one in self.candidates], dtype=object),
            "figures": self.coefficients,
            "score": self.score,
            "behind": self.behind,
            "behind_se": self.behind_se,
            "chosen": np.arange(len(self.candidates)) == self.chosen,
            "why_not": np.array(self.why_not, dtype=object),
        }

    def _draw(self, ax: Axes) -> None:
        known = np.flatnonzero(~np.isnan(self.score))
        order = known[np.argsort(-self.behind[known])]
        rows = np.arange(len(order))
        ax.errorbar(self.behind[order], rows, xerr=self.behind_se[order], fmt="o", capsize=2)
        ax.set_yticks(rows, [self.candidates[place].label for place in order])
        ax.axvline(0, linestyle=":", color="grey")
        chosen = np.flatnonzero(order == self.chosen)
        ax.plot(self.behind[[self.chosen]], chosen, "rs", label="chosen")
        ax.legend()
        ax.set(xlabel="ranked probability score, behind the best; smaller is better")


def choose_norm_model(
    counted: Counted,
    raw: Floats,
    weight: Floats,
    *,
    rng: np.random.Generator,
    school: NDArray[Any] | None = None,
    candidates: Sequence[Candidate] = CANDIDATES,
    folds: int = 10,
) -> ModelChoice:
    """Choose a model by cross-validation.

    Parameters
    ----------
    counted : Counted
        The sample by cell.
    raw, weight : ndarray of float64, shape (pupils,)
    rng : numpy.random.Generator
        Deals pupils, or schools, to the folds.
    school : ndarray, shape (pupils,), optional
        Whole schools stay together, so that a model is judged on schools it has not seen.
    candidates : sequence of Candidate
    folds : int

    Raises
    ------
    AnalysisError
        With MH709 if no candidate can be fitted.
    """
    group = np.arange(len(raw)) if school is None else np.unique(school, return_inverse=True)[1]
    number = int(group.max()) + 1
    if not 1 < folds <= number:
        msg = f"folds: from 2 to the {number} pupils or schools there are, not {folds}"
        raise UsageError(msg)
    fold = rng.permutation(np.arange(number) % folds)[group]
    size = counted.of.high - counted.of.low + 1
    shape = folds, len(counted.time), size
    flat = (fold * shape[1] + counted.cell) * size + (raw - counted.of.low).astype(np.int64)
    scaled = weight / weight.mean()
    held_out = np.bincount(flat, weights=scaled, minlength=int(np.prod(shape))).reshape(shape)
    errors = np.full((len(candidates), folds), np.nan)
    why = [""] * len(candidates)
    for row, candidate in enumerate(candidates):
        try:
            for part in range(folds):
                errors[row, part] = _judge(counted, candidate, held_out[part])
        except AnalysisError as error:
            errors[row] = np.nan
            why[row] = error.problems[0].what
    pupils = held_out.sum(axis=(1, 2))
    mean = errors @ pupils / pupils.sum()
    if np.isnan(mean).all():
        problem = Problem("MH709", "none of the models can be fitted", hint="; ".join(set(why)))
        raise AnalysisError([problem])
    best = int(np.nanargmin(mean))
    apart = errors - errors[best]
    behind = apart @ pupils / pupils.sum()
    spread = ((apart - behind[:, None]) ** 2 * pupils / pupils.sum()).sum(axis=1)
    se = np.sqrt(spread / (folds - 1))
    figures = np.array([_figures(counted, one) for one in candidates], dtype=np.int64)
    near = np.flatnonzero(behind <= np.maximum(se, 1e-12))
    chosen = int(near[np.lexsort((mean[near], figures[near]))[0]])
    return ModelChoice(
        tuple(candidates), mean, behind, se, figures, best, chosen, tuple(why), folds
    )


def _judge(counted: Counted, candidate: Candidate, held_out: Floats) -> float:
    """Return the mean error on the held-out pupils of a model fitted to the others."""
    left = np.maximum(counted.counts - held_out, 0.0)
    keep = left.sum(axis=1) > 1e-9  # noqa: PLR2004 - a cell of nobody
    rest = replace(counted, time=counted.time[keep], girl=counted.girl[keep], counts=left[keep])
    norm = fit(rest, candidate)
    asked = keep & (held_out.sum(axis=1) > 0)
    reached = asked & (counted.time >= rest.time.min()) & (counted.time <= rest.time.max())
    below = np.cumsum(norm.shares(counted.time[reached], counted.girl[reached]), axis=1)[:, :-1]
    counts = held_out[reached]
    # Of a pupil with score y, every score from y on counts 1 and every one short of it 0.
    reaching = np.cumsum(counts, axis=1)[:, :-1]
    total = counts.sum(axis=1, keepdims=True)
    error = reaching * (1 - below) ** 2 + (total - reaching) * below**2
    return float(error.sum() / total.sum())


def _figures(counted: Counted, candidate: Candidate) -> int:
    cells, scores = len(counted.time), counted.of.high - counted.of.low + 1
    degrees = candidate.formula.degrees
    if candidate.method == "empirical":
        return cells * (scores - 1)
    if candidate.method == "log_linear":
        return cells * degrees[0]
    if candidate.method == "taylor":
        return 10 * len(np.unique(counted.girl))
    spare = len(FAMILIES[candidate.method].parameters) - len(degrees)
    return sum(degrees) + len(degrees) + spare + 2 * candidate.formula.sex
