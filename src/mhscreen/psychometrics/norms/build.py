"""A norm table from a sample: who counts, weighted how, which model, what is not known.

The table is descriptive. It is marked for display, so that no policy can read it as it is, and its
notes say how many did not answer, whose forms were left out, and whether answers were named.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from mhscreen.definitions.checks import check_norm_against
from mhscreen.loading import norm_cases_yaml, norm_yaml
from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.norms.choose import CANDIDATES, Candidate, choose_norm_model, fit
from mhscreen.psychometrics.norms.continuous import (
    ContinuousNorm,
    Counted,
    Formula,
    count_cells,
    covariance_of,
)
from mhscreen.psychometrics.norms.families import FAMILIES, BoxCox, ScoreRange
from mhscreen.psychometrics.norms.percentiles import MidRanks, mid_ranks
from mhscreen.psychometrics.norms.sample import (
    NormAbout,
    NormSample,
    remarks_on,
    usable_forms,
    weights_of,
)
from mhscreen.psychometrics.norms.table import (
    FittedScale,
    FittedStratum,
    norm_table,
    t_scores,
)
from mhscreen.psychometrics.results import Result
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument, NormTable
    from mhscreen.psychometrics.norms.choose import ModelChoice, Norm
    from mhscreen.psychometrics.norms.weights import Weights
    from mhscreen.vocabulary import Informant

    Floats = NDArray[np.float64]

__all__ = ["METHODS", "BuiltNorm", "build_norm"]

METHODS = ("auto", "empirical", "log_linear", "beta_binomial", "shash", "lms", "taylor")
"""How a norm can be made; ``auto`` chooses by cross-validation."""

_FEWEST_ALONE, _FEWEST_MODELLED = 100, 40
_MONTHS = 12
_TABLES = {"empirical", "log_linear"}
_USUAL = {
    "empirical": (0,),
    "log_linear": (4,),
    "beta_binomial": (2, 1),
    "shash": (2, 1, 1),
    "lms": (2, 1, 1),
    "taylor": (4, 2),
}


@dataclass(frozen=True, eq=False, repr=False)
class BuiltNorm(Result):
    """A norm table, and what it rests on.

    Attributes
    ----------
    table : NormTable
        What the loader accepts.
    choices : mapping of str to ModelChoice
        By scale, where models were compared.
    weights : Weights or None
        Where the sample was raked.
    by : str
        ``grade``, ``age`` or nothing.
    level : float
        The share of intervals that hold the truth.
    """

    table: NormTable
    choices: Mapping[str, ModelChoice]
    weights: Weights | None
    by: str
    level: float
    scales: tuple[FittedScale, ...]
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the table and its models."""
        models = ", ".join(f"{one.scale}: {one.label}" for one in self.scales)
        return f"{self.table.ref}, n = {self.table.n} ({models}); descriptive, for display"

    def columns(self) -> dict[str, Any]:
        """Return a row for each scale, stratum and raw score."""
        rows = [(scale, stratum) for scale in self.scales for stratum in scale.strata]
        sizes = [len(stratum.percentile) for _, stratum in rows]

        def repeated(values: Sequence[Any], kind: Any) -> NDArray[Any]:
            return np.repeat(np.array(values, dtype=kind), sizes)

        by = self.by or "group"
        return {
            "scale": repeated([scale.scale for scale, _ in rows], object),
            "sex": repeated([stratum.sex for _, stratum in rows], object),
            f"{by}_from": repeated([stratum.first for _, stratum in rows], np.float64),
            f"{by}_below": repeated([stratum.below for _, stratum in rows], np.float64),
            "n": repeated([stratum.n for _, stratum in rows], np.int64),
            "effective_n": repeated([stratum.effective for _, stratum in rows], np.float64),
            "raw": np.concatenate([scale.of.scores for scale, _ in rows]),
            "percentile": np.concatenate([stratum.percentile for _, stratum in rows]),
            "low": np.concatenate([stratum.low for _, stratum in rows]),
            "high": np.concatenate([stratum.high for _, stratum in rows]),
            "t": np.concatenate([t_scores(stratum.percentile) for _, stratum in rows]),
        }

    def to_yaml(self) -> str:
        """Return the text of the file, which the loader reads back unchanged."""
        return norm_yaml(self.table)

    def cases_yaml(self) -> str:
        """Return the text of its worked cases, ``<file>.cases.yaml``: they pin its figures."""
        return norm_cases_yaml(self.table)

    def _draw(self, ax: Axes) -> None:
        scale = self.scales[0]
        if not self.by:
            for place, stratum in enumerate(scale.strata):
                ax.plot(scale.of.scores, stratum.percentile, color=f"C{place}", label=stratum.sex)
                ax.fill_between(
                    scale.of.scores, stratum.low, stratum.high, color=f"C{place}", alpha=0.2
                )
            ax.set(xlabel=f"raw score, {scale.scale}", ylabel="percentile")
            ax.legend()
            return
        percents = (5, 25, 50, 75, 90, 95)
        for sex in dict.fromkeys(stratum.sex for stratum in scale.strata):
            here = [stratum for stratum in scale.strata if stratum.sex == sex]
            style = {"male": "-", "female": "--"}.get(sex, "-")
            at = [stratum.first for stratum in here]
            for place, percent in enumerate(percents):
                raw = [np.interp(percent, s.percentile, scale.of.scores) for s in here]
                label = f"{percent} ({sex})" if sex == here[0].sex else None
                ax.plot(at, raw, style, marker=".", color=f"C{place}", label=label)
        ax.set(xlabel=self.by or "everybody", ylabel=f"raw score, {scale.scale}",
               title="percentiles")  # fmt: skip
        ax.legend(fontsize="x-small", ncols=2)


def build_norm(
    instrument: Instrument,
    informant: Informant,
    sample: NormSample,
    about: NormAbout,
    *,
    by: Sequence[Literal["sex", "grade", "age"]] = (),
    scales: Sequence[str] | None = None,
    method: str = "auto",
    formula: Formula | None = None,
    age_bands: Sequence[float] = (),
    margins: Mapping[str, Mapping[Any, float]] | None = None,
    smallest: float | None = None,
    folds: int = 10,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> BuiltNorm:
    """Build a norm table from scored forms.

    Invalid forms, estimated scores and pupils whose sex, grade or age is needed and not known are
    left out and counted. A group with too few pupils gets no norm: its pupils are not normed.

    Parameters
    ----------
    instrument : Instrument
    informant : Informant
        Whose form.
    sample : NormSample
    about : NormAbout
    by : sequence of {"sex", "grade", "age"}
        What the table tells apart; grade or age, not both.
    scales : sequence of str, optional
        By default all that the sample has.
    method : str
        See `METHODS`.
    formula : Formula, optional
        How a named method depends on grade or age and sex; a usual one by default.
    age_bands : sequence of float
        For ages: where each band begins, and where the last one ends.
    margins : mapping of str to mapping of group to float, optional
        The population's counts or shares for raking, by ``sex``, ``grade`` or a name in
        `NormSample.groups`.
    smallest : float, optional
        The smallest effective size of a group; by default 100 for tables of their own and 40
        where a model lends strength (our own choice).
    folds : int
        Of the cross-validation.
    level : float
        The share of intervals that hold the truth.
    rng : numpy.random.Generator, optional
        Needed for ``auto``.

    Returns
    -------
    BuiltNorm

    Raises
    ------
    AnalysisError
        With MH705 where no group is large enough, with MH708 where the sample cannot be raked,
        with MH709 or MH727 where a model cannot be fitted.
    UsageError
        For a call that cannot be meant.
    """
    when = _check_call(by, method, age_bands, rng)
    names = list(sample.raw) if scales is None else list(scales)
    unknown = [name for name in names if name not in sample.raw]
    if unknown or not names:
        msg = f"no scores of scale {', '.join(unknown) or '(none)'}; there are {[*sample.raw]}"
        raise UsageError(msg)
    usable, left_out = usable_forms(sample, by, age_bands)
    weights, weight = weights_of(sample, usable, margins)
    problems = [*left_out, *remarks_on(sample, about, weights)]
    how = _How(tuple(by), when, method, formula, tuple(age_bands), smallest, folds, level, rng)
    built = []
    for name in names:
        pupils = _pupils(instrument, name, sample, usable, weight, how, problems)
        built.append(_fitted(name, pupils, how, problems))
    table = norm_table(instrument, informant, about, built, int(usable.sum()), problems, when)
    wrong = [*check_norm_against(table, instrument)]
    if wrong:
        raise UsageError(wrong[0].what)
    choices = {one.scale: one.choice for one in built if one.choice is not None}
    return BuiltNorm(table, choices, weights, when, level, tuple(built), tuple(problems))


def _check_call(
    by: Sequence[str], method: str, bands: Sequence[float], rng: np.random.Generator | None
) -> str:
    """Return what the norm changes with: grade, age or nothing."""
    wrong = [name for name in by if name not in {"sex", "grade", "age"}]
    if wrong or {"grade", "age"} <= set(by):
        msg = f"by: sex, and grade or age, not {', '.join(by)}"
        raise UsageError(msg)
    if method not in METHODS:
        msg = f"method is one of {', '.join(METHODS)}, not {method!r}"
        raise UsageError(msg)
    if method == "auto" and rng is None:
        msg = "auto needs rng, such as numpy.random.default_rng(1)"
        raise UsageError(msg)
    when = next((name for name in ("grade", "age") if name in by), "")
    if (when == "age") != bool(bands):
        msg = "age_bands go with age: where each band begins, and where the last one ends"
        raise UsageError(msg)
    if bands and (len(bands) < 2 or bool((np.diff(bands) <= 0).any())):  # noqa: PLR2004 - one band
        msg = "age_bands rise, and are two at least"
        raise UsageError(msg)
    return when


class _How(NamedTuple):
    """What was asked for."""

    by: tuple[str, ...]
    when: str
    method: str
    formula: Formula | None
    bands: tuple[float, ...]
    smallest: float | None
    folds: int
    level: float
    rng: np.random.Generator | None


class _Pupils(NamedTuple):
    """Those who count for one scale; arrays of shape (pupils,)."""

    of: ScoreRange
    raw: Floats
    weight: Floats
    girl: Floats
    band: Floats
    """Grade, or where the band of age begins; 0 where neither matters."""
    exact: Floats
    """Grade, or age to the month."""
    school: NDArray[np.object_] | None


def _pupils(
    instrument: Instrument,
    name: str,
    sample: NormSample,
    usable: NDArray[np.bool_],
    weight: Floats,
    how: _How,
    problems: list[Problem],
) -> _Pupils:
    """Return who counts for a scale, and say who does not."""
    low, high = instrument.scale(name).range
    scores = sample.raw[name][usable]
    keep = ~np.isnan(scores)
    estimated = sample.estimated.get(name)
    if estimated is not None:
        keep &= ~estimated[usable]
    if not keep.all():
        what = f"{name}: {int((~keep).sum())} forms left out: no score, or an estimated one"
        problems.append(Problem("MH723", what))
    raw = scores[keep]
    if not bool((raw == np.rint(raw)).all()) or low != int(low) or high != int(high):
        msg = f"{name}: a norm table lists whole raw scores"
        raise UsageError(msg)
    if len(raw) < 2 or raw.std() <= 0:  # noqa: PLR2004 - no spread in one
        raise AnalysisError([Problem("MH705", f"{name}: the scores do not vary")])
    weights = weight[keep] / weight[keep].mean()
    girl = np.zeros(len(raw))
    if "sex" in how.by:
        girl = (sample.sex[usable][keep] == Sex.FEMALE.position).astype(np.float64)
    band = exact = np.zeros(len(raw))
    if how.when == "grade":
        band = exact = sample.grade[usable][keep].astype(np.float64)
    elif how.when == "age":
        age = sample.age[usable][keep]
        starts = np.asarray(how.bands, dtype=np.float64)
        band = starts[np.searchsorted(starts, age, side="right") - 1]
        # A month is exact enough, and keeps the cells few.
        exact = np.floor(age * _MONTHS) / _MONTHS
    school = None if sample.school is None else sample.school[usable][keep]
    of = ScoreRange(int(low), int(high), float(raw.mean()), float(raw.std()))
    return _Pupils(of, raw, weights, girl, band, exact, school)


def _fitted(name: str, pupils: _Pupils, how: _How, problems: list[Problem]) -> FittedScale:
    """Fit one scale and write its strata."""
    of, raw, weight = pupils.of, pupils.raw, pupils.weight
    banded = count_cells(pupils.band, pupils.girl, raw, weight, of)
    choice = _choose(banded, pupils, how) if how.method == "auto" else None
    candidate = _usual(how) if choice is None else choice.candidates[choice.chosen]
    by_band = candidate.method in {*_TABLES, "taylor"}
    counted = banded
    if not by_band:
        counted = count_cells(pupils.exact, pupils.girl, raw, weight, of)
    norm = fit(counted, candidate)
    covariance = None
    if isinstance(norm, ContinuousNorm):
        covariance = covariance_of(norm, counted, raw, weight, pupils.school)
    fewest = how.smallest
    if fewest is None:
        fewest = _FEWEST_ALONE if candidate.method in _TABLES else _FEWEST_MODELLED
    strata = []
    for girl, band in sorted(set(zip(pupils.girl.tolist(), pupils.band.tolist(), strict=True))):
        here = (pupils.band == band) & (pupils.girl == girl)
        school = None if pupils.school is None else pupils.school[here]
        ranks = mid_ranks(raw[here], of.scores, weight[here], school, how.level)
        sex = "any"
        if "sex" in how.by:
            sex = str(Sex.FEMALE if girl else Sex.MALE)
        ends = _ends(band, how)
        if ranks.effective < fewest:
            problems.append(_too_small(name, sex, ends, how.when, ranks, here, fewest))
            continue
        time = band if by_band or how.when != "age" else sum(ends) / 2
        if isinstance(norm, ContinuousNorm):  # an outer band may have pupils on one side only
            time = min(max(time, norm.first), norm.last)
        percentile = norm.percentiles([time], [girl])[0]
        low, high = _interval(norm, time, girl, percentile, ranks, covariance, how.level)
        edge = 50 / ranks.effective  # half a pupil
        held = np.clip(percentile, edge, 100 - edge)
        figures = _figures(norm, time, girl, held, of)
        strata.append(
            FittedStratum(sex, *ends, int(here.sum()), ranks.effective, held, low, high, figures)
        )
    if not strata:
        what = f"{name}: no group is large enough for a norm"
        hint = "merge groups, or ask more pupils"
        raise AnalysisError([Problem("MH705", what, f"an effective size of {fewest:g}", hint)])
    return FittedScale(name, of, candidate.label, tuple(strata), choice)


def _usual(how: _How) -> Candidate:
    """Return what a named method means where nothing else is said."""
    if how.formula is not None:
        return Candidate(how.method, how.formula)
    degrees = _USUAL[how.method]
    if how.method in _TABLES or how.method == "taylor":
        return Candidate(how.method, Formula(degrees))
    if not how.when:
        degrees = (0,)
    return Candidate(how.method, Formula(degrees, "sex" in how.by))


def _choose(counted: Counted, pupils: _Pupils, how: _How) -> ModelChoice:
    """Compare the candidates that the sample can bear."""
    kinds, sexes = len(np.unique(counted.time)), len(np.unique(counted.girl))
    candidates = [
        one
        for one in CANDIDATES
        if (one.method in _TABLES or max(one.formula.degrees[:2]) < kinds)
        and (one.method != "taylor" or one.formula.degrees[-1] < kinds)
        and (not one.formula.sex or sexes > 1)
    ]
    if kinds == 1:  # nothing to change with
        candidates += [Candidate(method, Formula((0,), sexes > 1)) for method in FAMILIES]
    if how.rng is None:  # refused before
        msg = "auto needs rng"
        raise UsageError(msg)
    groups = len(pupils.raw) if pupils.school is None else len(np.unique(pupils.school))
    return choose_norm_model(
        counted,
        pupils.raw,
        pupils.weight,
        rng=how.rng,
        school=pupils.school,
        candidates=candidates,
        folds=min(how.folds, groups),
    )


def _ends(band: float, how: _How) -> tuple[float, float]:
    """Return where a group begins and ends."""
    if how.when == "age":
        return band, how.bands[how.bands.index(band) + 1]
    return band, band + 1


def _too_small(
    name: str,
    sex: str,
    ends: tuple[float, float],
    when: str,
    ranks: MidRanks,
    here: NDArray[np.bool_],
    fewest: float,
) -> Problem:
    where = f"{name}, {sex}" + (f", {when} {ends[0]:g}-<{ends[1]:g}" if when else "")
    return Problem(
        "MH726",
        f"{where}: effective size {ranks.effective:.0f} of {int(here.sum())} pupils, no norm",
        f"{fewest:g}, at least",
        "merge groups, or ask more pupils",
    )


def _interval(
    norm: Norm,
    time: float,
    girl: float,
    percentile: Floats,
    ranks: MidRanks,
    covariance: Floats | None,
    level: float,
) -> tuple[Floats, Floats]:
    """Return an interval for the percentiles, shape (scores,) each."""
    if covariance is not None and isinstance(norm, ContinuousNorm):
        half = normal_quantile(level) * norm.standard_errors([time], [girl], covariance)[0]
        return np.clip(percentile - half, 0, 100), np.clip(percentile + half, 0, 100)
    # No better than that of the ranks themselves, moved to the smoothed percentile.
    moved = percentile - ranks.percentile
    return np.clip(ranks.low + moved, 0, 100), np.clip(ranks.high + moved, 0, 100)


def _figures(
    norm: Norm, time: float, girl: float, percentile: Floats, of: ScoreRange
) -> dict[str, Any]:
    """Return the figures of a stratum as the grammar has them."""
    if isinstance(norm, ContinuousNorm) and norm.family == BoxCox.name:
        found = {name: float(one[0]) for name, one in norm.parameters([time], [girl]).items()}
        values = {
            "l": found["power"],
            "m": float(np.exp(found["median"])),
            "s": float(np.exp(found["variation"])),
        }
        return {"lms": {**{key: round(v, 6) for key, v in values.items()}, "add": BoxCox.add(of)}}
    table = {
        "first": of.low,
        "t": t_scores(percentile).tolist(),
        "percentile": [round(one, 1) for one in percentile.tolist()],
    }
    return {"table": table}
