"""Trajectories over waves: a line for each pupil, drawn towards the line of all.

A mixed model with a random level and a random slope. A pupil who misses a wave stays in with the
waves there are; that is right where missing a wave does not depend on the score it would have
shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.change import check_alike
from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.change import Wave

    Floats = NDArray[np.float64]

__all__ = ["Trajectories", "follow_waves"]

_STEPS = 500
_STEEP = 1e-3
_FEWEST = 3


@dataclass(frozen=True, eq=False, repr=False)
class Trajectories(Result):
    """The line of all pupils and of each.

    Attributes
    ----------
    labels : tuple of str
        The waves; with `times`, and in `pupils`, `mean` and `sd` what was seen in each.
    times, mean, sd : ndarray of float64, shape (waves,)
    pupils : ndarray of int64, shape (waves,)
    level, slope : float
        Of the line of all, at time 0; with standard errors `level_se` and `slope_se`.
    level_sd, slope_sd, correlation : float
        How pupils differ in them.
    error_sd : float
        The spread around a pupil's own line.
    subject : ndarray of object, shape (pupils,)
    own_level, own_slope, own_slope_se : ndarray of float64, shape (pupils,)
        Each pupil's line (best linear prediction), the slope with its standard error.
    outcome : ndarray of object, shape (pupils,)
        ``rising``, ``falling`` or ``no reliable slope``.
    """

    labels: tuple[str, ...]
    times: Floats
    pupils: NDArray[np.int64]
    mean: Floats
    sd: Floats
    level: float
    level_se: float
    slope: float
    slope_se: float
    level_sd: float
    slope_sd: float
    correlation: float
    error_sd: float
    subject: NDArray[np.object_]
    own_level: Floats
    own_slope: Floats
    own_slope_se: Floats
    outcome: NDArray[np.object_]
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the line of all."""
        return (
            f"Trajectories of {len(self.subject)} pupils over {len(self.times)} waves: "
            f"{self.level:.2f} at time 0, {self.slope:+.3f} (SE {self.slope_se:.3f}) a unit"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each pupil."""
        return {
            "subject": self.subject,
            "level": self.own_level,
            "slope": self.own_slope,
            "slope_se": self.own_slope_se,
            "outcome": self.outcome,
        }

    def _draw(self, ax: Axes) -> None:
        ends = self.times[[0, -1]]
        for level, slope in zip(self.own_level[:200], self.own_slope[:200], strict=True):
            ax.plot(ends, level + slope * ends, color="grey", alpha=0.2, linewidth=0.7)
        ax.plot(ends, self.level + self.slope * ends, color="black", label="line of all")
        ax.errorbar(self.times, self.mean, self.sd / np.sqrt(self.pupils), fmt="o", label="means")
        ax.set(xlabel="time", ylabel="score")
        ax.legend()


class _Pattern(NamedTuple):
    """Pupils who were seen in the same waves."""

    waves: NDArray[np.intp]
    rows: NDArray[np.intp]
    scores: Floats
    """Shape (pupils, waves)."""
    mean: Floats
    scatter: Floats
    """Cross-products about the mean."""


def follow_waves(
    waves: Sequence[Wave], times: Sequence[float], *, level: float = 0.95
) -> Trajectories:
    """Follow pupils over three or more waves, by restricted maximum likelihood.

    Parameters
    ----------
    waves : sequence of Wave
        A pupil needs a score in one of them at least.
    times : sequence of float
        When each was, in any unit.
    level : float
        A slope is reliable if its interval leaves out 0.

    Raises
    ------
    AnalysisError
        With MH725 for forms that are not alike, with MH705 for too few pupils, with MH709 where
        the fit comes to no end: no figure is given then.
    """
    when = np.asarray(times, dtype=np.float64)
    if len(waves) < _FEWEST or when.shape != (len(waves),) or len(np.unique(when)) < len(when):
        msg = "three waves or more, each at a time of its own"
        raise UsageError(msg)
    check_alike(waves)
    subject, scores = _table(waves)
    seen = ~np.isnan(scores)
    keep = seen.any(axis=1)
    problems: tuple[Problem, ...] = ()
    if not keep.all():
        problems = (Problem("MH723", f"{int((~keep).sum())} pupils have no score in any wave"),)
    subject, scores, seen = subject[keep], scores[keep], seen[keep]
    if int((seen.sum(axis=1) >= _FEWEST).sum()) < _FEWEST:
        problem = Problem(
            "MH705", "hardly any pupil has three scores", "three pupils with three, at least"
        )
        raise AnalysisError([problem])
    patterns = _patterns(scores, seen)
    design = np.stack([np.ones_like(when), when], axis=1)
    root, error, line, line_cov = _fit(patterns, design, scores[seen])
    spread = root @ root.T
    own, own_se = _own_lines(patterns, design, spread, error, line, len(scores))
    slope, slope_se = own[:, 1], own_se
    reach = normal_quantile(level)
    outcome = np.full(len(slope), "no reliable slope", dtype=object)
    outcome[slope - reach * slope_se > 0] = "rising"
    outcome[slope + reach * slope_se < 0] = "falling"
    sds = np.sqrt(np.diag(spread))
    correlation = float(spread[0, 1] / (sds[0] * sds[1])) if sds.min() > 0 else np.nan
    count = seen.sum(axis=0)
    filled = np.where(seen, scores, np.nan)
    return Trajectories(
        tuple(wave.label for wave in waves), when, count, np.nanmean(filled, axis=0),
        np.nanstd(filled, axis=0, ddof=1), float(line[0]), float(np.sqrt(line_cov[0, 0])),
        float(line[1]), float(np.sqrt(line_cov[1, 1])), float(sds[0]), float(sds[1]), correlation,
        error, subject, own[:, 0], slope, slope_se, outcome, problems,
    )  # fmt: skip


def _table(waves: Sequence[Wave]) -> tuple[NDArray[np.object_], Floats]:
    names: dict[Any, int] = {}
    for wave in waves:
        for name in np.asarray(wave.subject, dtype=object).tolist():
            names.setdefault(name, len(names))
    scores = np.full((len(names), len(waves)), np.nan)
    for place, wave in enumerate(waves):
        rows = [names[name] for name in np.asarray(wave.subject, dtype=object).tolist()]
        scores[rows, place] = np.asarray(wave.score, dtype=np.float64)
    subject = np.empty(len(names), dtype=object)
    subject[:] = list(names)
    return subject, scores


def _patterns(scores: Floats, seen: NDArray[np.bool_]) -> list[_Pattern]:
    kinds, kind = np.unique(seen, axis=0, return_inverse=True)
    found = []
    for number, pattern in enumerate(kinds):
        rows, waves = np.flatnonzero(kind.ravel() == number), np.flatnonzero(pattern)
        part = scores[np.ix_(rows, waves)]
        mean = part.mean(axis=0)
        found.append(_Pattern(waves, rows, part, mean, (part - mean).T @ (part - mean)))
    return found


def _fit(
    patterns: list[_Pattern], design: Floats, scores: Floats
) -> tuple[Floats, float, Floats, Floats]:
    """Return a root of the random effects' covariance, the error, the line and its covariance."""
    from scipy.optimize import minimize

    scale = float(scores.std()) or 1.0
    width = float(np.ptp(design[:, 1])) or 1.0
    unit = np.array([scale, scale / width])

    # A triangular root, signs left free: a variance of nought is no end of the space.
    def unpack(values: Floats) -> tuple[Floats, float]:
        root = np.array([[values[0], 0.0], [values[1], values[2]]])
        return root * unit[:, None], float(np.exp(values[3]) * scale)

    def objective(values: Floats) -> float:
        root, error = unpack(values)
        return _deviance(patterns, design, root @ root.T, error)[0]

    start = np.array([0.6, 0.0, 0.2, -0.5])
    found = minimize(objective, start, method="BFGS", options={"maxiter": _STEPS, "gtol": 1e-6})
    # BFGS stops with "precision loss" where numeric slopes can say no more: the slope decides.
    if not np.isfinite(found.fun) or np.abs(found.jac).max() > _STEEP * max(1.0, abs(found.fun)):
        give_up(
            "level and slope of each pupil", int(found.nit),
            "are there pupils with three scores, and do slopes differ at all?",
        )  # fmt: skip
    root, error = unpack(found.x)
    _, line, covariance = _deviance(patterns, design, root @ root.T, error)
    return root, error, line, covariance


def _deviance(
    patterns: list[_Pattern], design: Floats, spread: Floats, error: float
) -> tuple[float, Floats, Floats]:
    """Return twice the negative restricted log-likelihood, the line and its covariance."""
    information, pull, fixed = np.zeros((2, 2)), np.zeros(2), 0.0
    parts = []
    for pattern in patterns:
        z = design[pattern.waves]
        within = z @ spread @ z.T + error**2 * np.eye(len(z))
        sign, logdet = np.linalg.slogdet(within)
        if sign <= 0:
            return np.inf, np.zeros(2), np.eye(2)
        inverse = np.linalg.inv(within)
        n = len(pattern.rows)
        information += n * z.T @ inverse @ z
        pull += n * z.T @ inverse @ pattern.mean
        fixed += n * (logdet + len(z) * np.log(2 * np.pi)) + float(
            (inverse * pattern.scatter).sum()
        )
        parts.append((z, inverse, n, pattern.mean))
    line = np.linalg.solve(information, pull)
    for z, inverse, n, mean in parts:
        rest = mean - z @ line
        fixed += n * float(rest @ inverse @ rest)
    fixed += float(np.linalg.slogdet(information)[1]) - 2 * np.log(2 * np.pi)
    covariance: Floats = np.linalg.inv(information).astype(np.float64)
    return float(fixed), line.astype(np.float64), covariance


def _own_lines(
    patterns: list[_Pattern],
    design: Floats,
    spread: Floats,
    error: float,
    line: Floats,
    pupils: int,
) -> tuple[Floats, Floats]:
    """Return each pupil's line, shape (pupils, 2), and the standard error of its slope."""
    lines, errors = np.empty((pupils, 2)), np.empty(pupils)
    for pattern in patterns:
        z = design[pattern.waves]
        within = z @ spread @ z.T + error**2 * np.eye(len(z))
        gain = spread @ z.T @ np.linalg.inv(within)
        lines[pattern.rows] = line + (pattern.scores - z @ line) @ gain.T
        left = spread - gain @ z @ spread
        errors[pattern.rows] = np.sqrt(max(left[1, 1], 0.0))
    return lines, errors
