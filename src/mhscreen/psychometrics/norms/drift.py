"""Whether a sample has moved away from a norm: this year's, or a town's from a nation's.

With half a million pupils any difference is significant, and with fifty none is. So the question
is whether the difference is larger than one that matters, and the answer may be that this sample
cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.plan.norming import compile_norms
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.norms.weights import rake_weights
from mhscreen.psychometrics.results import Result
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.definitions.norm_table import ScaleNorm
    from mhscreen.loading import Library
    from mhscreen.psychometrics.norms.weights import Weights
    from mhscreen.steps.norm import NormedScale

    Floats = NDArray[np.float64]

__all__ = ["DRIFTED", "SAME", "UNDECIDED", "NormDrift", "compare_with_norm"]

DRIFTED, SAME, UNDECIDED = "moved", "not moved", "cannot tell"
"""By more than the margin: what a row says."""

_ALL = "all"


@dataclass(frozen=True, eq=False, repr=False)
class NormDrift(Result):
    """How far a sample lies from a norm; a row for each scale and stratum, ``all`` first.

    Attributes
    ----------
    norm : str
    scale, stratum, measure, verdict : tuple of str
        `measure`: ``percentile`` (the mean percentile less 50, in points) or ``sd`` (the mean z).
    pupils, not_normed : ndarray of int64
    effect, se, low, high : ndarray of float64
        Above 0 where the sample scores higher than the norm; as `composition` weighs the pupils.
    as_sampled : ndarray of float64
        The effect without those weights: what lies between the two is another composition.
    margins : mapping of str to float
        The smallest difference that matters, by measure.
    composition : Weights or None
        What gives the sample the composition asked for.
    """

    norm: str
    scale: tuple[str, ...]
    stratum: tuple[str, ...]
    measure: tuple[str, ...]
    verdict: tuple[str, ...]
    pupils: NDArray[np.int64]
    not_normed: NDArray[np.int64]
    effect: Floats
    se: Floats
    low: Floats
    high: Floats
    as_sampled: Floats
    margins: Mapping[str, float]
    composition: Weights | None = None
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the norm and the margins."""
        words = ", ".join(f"{margin:g} {name}" for name, margin in self.margins.items())
        to = "" if self.composition is None else (
            f"; weighted to the stated {', '.join(dict.fromkeys(self.composition.margin))}"
        )  # fmt: skip
        return f"Sample against {self.norm}{to}; what matters: {words}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each scale and stratum."""
        return {
            "scale": np.array(self.scale, dtype=object),
            "stratum": np.array(self.stratum, dtype=object),
            "pupils": self.pupils,
            "not_normed": self.not_normed,
            "measure": np.array(self.measure, dtype=object),
            "effect": self.effect,
            "se": self.se,
            "low": self.low,
            "high": self.high,
            "as_sampled": self.as_sampled,
            "verdict": np.array(self.verdict, dtype=object),
        }

    def _draw(self, ax: Axes) -> None:
        rows = np.arange(len(self.effect))
        ax.errorbar(self.effect, rows, xerr=self.high - self.effect, fmt="o", capsize=2)
        ax.set_yticks(rows, [f"{a} {b}" for a, b in zip(self.scale, self.stratum, strict=True)])
        ax.axvline(0, linestyle=":", color="grey")
        ax.set(xlabel=f"sample less norm ({', '.join(dict.fromkeys(self.measure))})")


def compare_with_norm(
    library: Library,
    norm: str,
    raw: Mapping[str, Floats],
    *,
    sex: NDArray[np.int8],
    age: Floats,
    grade: NDArray[np.int8],
    weight: Floats | None = None,
    school: NDArray[np.object_] | None = None,
    groups: Mapping[str, NDArray[Any]] | None = None,
    composition: Mapping[str, Mapping[Any, float]] | None = None,
    percentile_margin: float = 5.0,
    sd_margin: float = 0.2,
    level: float = 0.95,
) -> NormDrift:
    """Compare a sample with a norm table, as a whole and by stratum.

    Where the table gives mid-rank or fitted percentiles, their mean is 50 in the reference group;
    what is compared is the mean percentile less 50: how much likelier than even it is that a
    pupil of the sample scores higher than one of the group. Where it gives only means and SDs, the
    mean z is.

    A sample of other grades, or with more girls, may lie elsewhere although no pupil does. Where
    the strata of the norm do not already keep them apart, `composition` rakes the sample to the
    composition of the year or place that it is compared with.

    Parameters
    ----------
    library : Library
    norm : str
        Such as ``"phq9/town-2026@1"``.
    raw : mapping of scale to ndarray of float64, shape (forms,)
        NaN where there is none.
    sex, age, grade : ndarray, shape (forms,)
        As for `mhscreen.steps.norm.norm_scale`.
    weight : ndarray of float64, shape (forms,), optional
    school : ndarray of object, shape (forms,), optional
        Whose pupils were sampled together; the standard error is then that of the schools.
    groups : mapping of str to ndarray, shape (forms,), optional
        Further groups to weigh by; None where a pupil's is not known.
    composition : mapping of str to mapping of group to float, optional
        Counts or shares, as for `rake_weights`, of ``sex``, ``grade``, ``age`` in whole years and
        of `groups`: ``{"grade": {7: 50, 8: 50}}``. Pupils of no known group are left out.
    percentile_margin, sd_margin : float
        The smallest difference that matters (our own choice by default).
    level : float

    Raises
    ------
    AnalysisError
        With MH705 where the norm has no figures for anybody in the sample; with MH708 where the
        sample cannot have the composition.
    UsageError
        If the sample has none of the norm's scales.
    """
    table = library.norm(norm).definition
    form = compile_form(library.instrument(table.instrument).definition, table.informant)
    plans = {form.scales[plan.scale].id: plan for plan in compile_norms(table, form, 0)}
    known_groups = _groups_of(sex, age, grade) | dict(groups or {})
    raked, rakes = _raked(raw, known_groups, composition, weight)
    rows: list[dict[str, Any]] = []
    for scale in table.scales:
        if scale.scale not in raw:
            continue
        scores = raw[scale.scale]
        normed = norm_scale(plans[scale.scale], ScaleScores.of_raw(scores), sex, age, grade)
        measure, values = _measure(scale, normed)
        there = ~np.isnan(scores) & (rakes > 0 if raked is not None else True)
        for place, words in [(-1, _ALL), *enumerate(map(_words, scale.strata))]:
            inside = there if place < 0 else there & (normed.stratum == place)
            known = inside & ~np.isnan(values)
            if int(known.sum()) < 2:  # noqa: PLR2004 - no error from one
                continue
            margin = percentile_margin if measure == "percentile" else sd_margin
            schools = None if school is None else school[known]
            effect, se = _mean(values[known], rakes[known], schools)
            plain = np.ones(len(scores)) if weight is None else weight
            half = normal_quantile(level) * se
            rows.append(
                {
                    "scale": scale.scale,
                    "stratum": words,
                    "measure": measure,
                    "verdict": _verdict(effect - half, effect + half, margin),
                    "pupils": int(known.sum()),
                    "not_normed": int((inside & ~known).sum()),
                    "effect": effect,
                    "se": se,
                    "low": effect - half,
                    "high": effect + half,
                    "as_sampled": _mean(values[known], plain[known], None)[0],
                }
            )
    if not rows and not set(raw) & {scale.scale for scale in table.scales}:
        msg = f"{table.ref} norms {', '.join(s.scale for s in table.scales)}, not {', '.join(raw)}"
        raise UsageError(msg)
    if not rows:
        problem = Problem("MH705", f"{table.ref} has no figures for pupils of this sample",
                          hint="do sex, age or grade lie outside its strata?")  # fmt: skip
        raise AnalysisError([problem])
    found: dict[str, Any] = {name: tuple(row[name] for row in rows) for name in _NAMES}
    found |= {name: np.array([row[name] for row in rows]) for name in _NUMBERS}
    margins = {"percentile": percentile_margin, "sd": sd_margin}
    left = 0 if raked is None else int(np.sum(_scored(raw) & (rakes == 0)))
    problems = [
        Problem("MH723", f"{left} pupils whose group is not known", path="composition")
    ] if left else []  # fmt: skip
    return NormDrift(
        table.ref, **found, margins=margins, composition=raked, problems=tuple(problems)
    )


_NAMES = ("scale", "stratum", "measure", "verdict")
_NUMBERS = ("pupils", "not_normed", "effect", "se", "low", "high", "as_sampled")


def _scored(raw: Mapping[str, Floats]) -> NDArray[np.bool_]:
    """Return who has a score at all."""
    return np.asarray(np.any([~np.isnan(scores) for scores in raw.values()], axis=0))


def _raked(
    raw: Mapping[str, Floats],
    groups: Mapping[str, NDArray[Any]],
    composition: Mapping[str, Mapping[Any, float]] | None,
    weight: Floats | None,
) -> tuple[Weights | None, Floats]:
    """Return what rakes the sample, and the weight of each form: 0 where its group is not known."""
    forms = len(next(iter(raw.values()))) if raw else 0
    base = np.ones(forms) if weight is None else weight
    if composition is None:
        return None, base
    unknown = sorted(set(composition) - set(groups))
    if unknown:
        msg = f"composition: there is no {', '.join(unknown)}; there are {', '.join(groups)}"
        raise UsageError(msg)
    inside = _scored(raw)
    for name in composition:
        inside &= np.array([one is not None for one in groups[name].tolist()], dtype=np.bool_)
    raked = rake_weights(
        {name: groups[name][inside] for name in composition}, composition, base=base[inside]
    )
    weights = np.zeros(forms)
    weights[inside] = raked.weight
    return raked, weights


def _groups_of(
    sex: NDArray[np.int8], age: Floats, grade: NDArray[np.int8]
) -> dict[str, NDArray[np.object_]]:
    """Return sex, grade and age in whole years as words; None where not known."""
    names = [*map(str, Sex), None]
    return {
        "sex": np.array([names[place] for place in sex.tolist()], dtype=object),
        "grade": np.array([None if one < 0 else str(one) for one in grade.tolist()], dtype=object),
        "age": np.array([None if one != one else str(int(one)) for one in age.tolist()],  # noqa: PLR0124 - NaN
                        dtype=object),
    }  # fmt: skip


def _measure(scale: ScaleNorm, normed: NormedScale) -> tuple[str, Floats]:
    """Return what is compared, and it; NaN where the norm has no figures."""
    centred = scale.percentile_definition in {"mid_rank", "fitted"}
    if centred and not np.isnan(normed.percentile).all():
        return "percentile", normed.percentile - 50
    z = normed.z
    return "sd", np.where(np.isnan(z), (normed.t - 50) / 10, z)


def _mean(
    values: Floats, weights: Floats, school: NDArray[np.object_] | None
) -> tuple[float, float]:
    total = float(weights.sum())
    mean = float(weights @ values) / total
    rest: Any = weights * (values - mean)
    if school is not None:
        rest = np.bincount(np.unique(school, return_inverse=True)[1], weights=rest)
    number = len(rest)
    return mean, float(np.sqrt((rest**2).sum() * number / max(number - 1, 1))) / total


def _verdict(low: float, high: float, margin: float) -> str:
    if low > margin or high < -margin:
        return DRIFTED
    return SAME if -margin < low and high < margin else UNDECIDED


def _words(stratum: Any) -> str:
    bands = [
        f"{name} {band.from_:g}-<{band.below:g}"
        for name, band in (("age", stratum.age), ("grade", stratum.grade))
        if band is not None
    ]
    return ", ".join([str(stratum.sex), *bands])
