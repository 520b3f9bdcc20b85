"""Whether a score has changed by more than error of measurement explains.

An index of change names its reliability, its standard deviation and where both come from, and
refuses to compare forms of different versions, recall windows or informants, and estimated
scores. A change describes two scores: it never lowers a case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError, expect
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "Change",
    "ChangeBasis",
    "ChangeForm",
    "Wave",
    "assess_change",
    "basis_of_sample",
    "check_alike",
    "cut_between",
    "paired",
    "without_estimated",
]

ChangeForm = Literal[
    "jacobson_truax",
    "edwards_nunnally",
    "gulliksen_lord_novick",
    "hsu_linn_lord",
    "nunnally_kotsch",
    "hageman_arrindell",
]
"""The published form of an index of change.

``"jacobson_truax"`` (1991): the difference over its standard error. ``"edwards_nunnally"`` (Speer
1992): the second score against the regressed first one, over the standard error of measurement.
``"gulliksen_lord_novick"`` (Hsu 1989): the same over the standard error of prediction.
``"hsu_linn_lord"``: each score against the mean of its own wave. ``"nunnally_kotsch"`` (1983):
with the reliability of each wave. ``"hageman_arrindell"`` (1999): with the reliability of the
difference.
"""

WORSE, BETTER, SAME = "worse", "better", "no reliable change"

_NEEDS = {
    "jacobson_truax": (),
    "edwards_nunnally": ("mean",),
    "gulliksen_lord_novick": ("mean",),
    "hsu_linn_lord": ("mean", "mean_after"),
    "nunnally_kotsch": ("mean", "reliability_after"),
    "hageman_arrindell": ("mean", "mean_after", "sd_after", "correlation"),
}


@dataclass(frozen=True, eq=False, repr=False)
class Wave:
    """The scores of one occasion, and what makes them comparable with another.

    Attributes
    ----------
    label : str
        Such as ``"2026 autumn"``.
    subject : sequence, shape (pupils,)
        Each pupil once.
    score : array, shape (pupils,)
        NaN where there is none.
    instrument, scale, informant : str
        ``"phq9@1.0.0"``, ``"total"``, ``"self"``.
    window : str
        The time that the form asks about, as printed.
    estimated : array of bool, shape (pupils,), optional
        Where a score was prorated.
    """

    label: str
    subject: Sequence[Any] | NDArray[Any]
    score: Sequence[float] | Floats
    instrument: str
    scale: str
    informant: str
    window: str
    estimated: Sequence[bool] | NDArray[np.bool_] | None = None

    def __repr__(self) -> str:
        return f"<Wave: {self.label}, {len(self.subject)} pupils, {self.instrument}>"


@dataclass(frozen=True)
class ChangeBasis:
    """What an index of change rests on; in raw scores, of the group that the source names.

    Attributes
    ----------
    reliability : float
    coefficient : str
        Which one: ``"test-retest, two weeks"``.
    sd : float
    source : str
        Where both were found, and in whom.
    mean, mean_after, sd_after, reliability_after, correlation : float, optional
        Of the first and second wave there, as some forms need them.
    """

    reliability: float
    coefficient: str
    sd: float
    source: str
    mean: float | None = None
    mean_after: float | None = None
    sd_after: float | None = None
    reliability_after: float | None = None
    correlation: float | None = None

    def __post_init__(self) -> None:
        """Refuse figures that cannot be."""
        for name in ("reliability", "reliability_after"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                msg = f"{name} lies between 0 and 1, not {value}"
                raise UsageError(msg)
        for name in ("sd", "sd_after"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                msg = f"{name} is above 0, not {value}"
                raise UsageError(msg)
        if not self.source or not self.coefficient:
            msg = "a reliability is named, with the source that it comes from"
            raise UsageError(msg)

    @property
    def error(self) -> float:
        """The standard error of measurement."""
        return self.sd * sqrt(1 - self.reliability)


@dataclass(frozen=True, eq=False, repr=False)
class Change(Result):
    """The change of each pupil who has both scores; arrays of shape (pupils,).

    Attributes
    ----------
    subject : ndarray of object
    before, after, difference : ndarray of float64
        Raw scores, and second minus first.
    index : ndarray of float64
        In standard errors; positive where the score rose.
    outcome : ndarray of object
        ``worse``, ``better`` or ``no reliable change``.
    smallest : float
        The smallest difference that is reliable by the form of Jacobson and Truax, in raw scores.
    form : str
    basis : ChangeBasis
    level : float
    beyond_before, beyond_after : ndarray of bool or None
        Which scores lie on the concerning side of the cut; None without one.
    """

    subject: NDArray[np.object_]
    before: Floats
    after: Floats
    difference: Floats
    index: Floats
    outcome: NDArray[np.object_]
    smallest: float
    form: str
    basis: ChangeBasis
    level: float
    beyond_before: NDArray[np.bool_] | None
    beyond_after: NDArray[np.bool_] | None
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return the form and what it rests on."""
        basis = self.basis
        return (
            f"Reliable change ({self.form.replace('_', ' ')}, {self.level:.0%}), "
            f"{len(self.subject)} pupils; {basis.coefficient} {basis.reliability:g}, "
            f"SD {basis.sd:g} ({basis.source}); it lowers no case"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each pupil."""
        columns: dict[str, Any] = {
            "subject": self.subject,
            "before": self.before,
            "after": self.after,
            "difference": self.difference,
            "index": self.index,
            "outcome": self.outcome,
        }
        if self.beyond_before is not None and self.beyond_after is not None:
            columns |= {"beyond_before": self.beyond_before, "beyond_after": self.beyond_after}
        return columns

    def counts(self) -> dict[str, int]:
        """Return how many pupils each outcome has."""
        return {name: int((self.outcome == name).sum()) for name in (BETTER, SAME, WORSE)}

    def _draw(self, ax: Axes) -> None:
        for name in (BETTER, SAME, WORSE):
            here = self.outcome == name
            ax.plot(self.before[here], self.after[here], ".", label=f"{name} ({here.sum()})")
        ends = [
            float(min(self.before.min(), self.after.min())),
            float(max(self.before.max(), self.after.max())),
        ]
        ax.plot(ends, ends, color="grey", linewidth=0.8)
        ax.set(xlabel="before", ylabel="after")
        ax.legend()


def assess_change(
    before: Wave,
    after: Wave,
    basis: ChangeBasis,
    *,
    form: ChangeForm = "jacobson_truax",
    higher_is: Literal["worse", "better"] = "worse",
    cut: float | None = None,
    level: float = 0.95,
) -> Change:
    """Tell for each pupil whether the change is larger than error of measurement explains.

    Parameters
    ----------
    before, after : Wave
        Pupils are matched by their subject.
    basis : ChangeBasis
        The reliability, the standard deviation, and their source.
    form : str
        See `ChangeForm`.
    higher_is : {"worse", "better"}
    cut : float, optional
        A score at the cut belongs to the concerning side.
    level : float
        The share of unchanged pupils for whom no change is claimed: 0.95 is an index of 1.96.

    Raises
    ------
    AnalysisError
        With MH725 for forms that are not alike, with MH705 where no pupil has both scores.
    UsageError
        If the form needs a figure that the basis does not have.

    Examples
    --------
    >>> def wave(label, score):
    ...     return Wave(label, ["A", "B"], score, "phq9@1.0.0", "total", "self", "two weeks")
    >>> basis = ChangeBasis(0.84, "test-retest, 48 hours", 5.0, "a made-up sample")
    >>> found = assess_change(wave("autumn", [12, 9]), wave("spring", [6, 11]), basis)
    >>> found.outcome.tolist(), round(found.smallest, 2)
    (['better', 'no reliable change'], 5.54)
    """
    expect("basis", basis, ChangeBasis)
    if form not in get_args(ChangeForm):
        msg = f"form is one of {', '.join(get_args(ChangeForm))}, not {form!r}"
        raise UsageError(msg)
    if higher_is not in {WORSE, BETTER}:
        msg = f"higher_is is 'worse' or 'better', not {higher_is!r}"
        raise UsageError(msg)
    lacking = [name for name in _NEEDS[form] if getattr(basis, name) is None]
    if lacking:
        msg = f"the form {form} needs {', '.join(lacking)} in its basis; see basis_of_sample"
        raise UsageError(msg)
    subject, scores, problems = paired([before, after])
    first, second = scores
    reach = normal_quantile(level)
    index = _index(form, first, second, basis)
    rising, falling = (WORSE, BETTER) if higher_is == WORSE else (BETTER, WORSE)
    outcome = np.full(len(index), SAME, dtype=object)
    outcome[index > reach] = rising
    outcome[index < -reach] = falling
    sides: list[NDArray[np.bool_] | None] = [None, None]
    if cut is not None:
        sides = [score >= cut if higher_is == WORSE else score <= cut for score in scores]
    return Change(
        subject,
        first,
        second,
        second - first,
        index,
        outcome,
        reach * sqrt(2) * basis.error,
        form,
        basis,
        level,
        sides[0],
        sides[1],
        problems,
    )


def _index(form: str, first: Floats, second: Floats, basis: ChangeBasis) -> Floats:
    r, error = basis.reliability, basis.error
    if form == "jacobson_truax":
        return (second - first) / (sqrt(2) * error)
    if form == "hageman_arrindell":
        return _hageman_arrindell(first, second, basis)
    mean = float(basis.mean or 0)
    regressed = r * (first - mean)
    prediction = basis.sd * sqrt(1 - r**2)
    if form == "hsu_linn_lord":
        return (second - float(basis.mean_after or 0) - regressed) / prediction
    if form == "gulliksen_lord_novick":
        spread = prediction
    elif form == "edwards_nunnally":
        spread = error
    else:
        later = float(basis.reliability_after or 0)
        spread = basis.sd * sqrt(r**2 * (1 - r) + 1 - later)
    return (second - mean - regressed) / spread


def _hageman_arrindell(first: Floats, second: Floats, basis: ChangeBasis) -> Floats:
    error, later = basis.error, float(basis.sd_after or 0)
    shared = 2 * basis.sd * later * float(basis.correlation or 0)
    observed = basis.sd**2 + later**2 - shared
    reliable = (observed - 2 * error**2) / observed
    if not reliable > 0:
        msg = "error of measurement explains all of the differences: this form gives no index"
        raise AnalysisError(
            [Problem("MH729", msg, "differences with a reliability above 0", "another form")]
        )
    shift = float(basis.mean_after or 0) - float(basis.mean or 0)
    index: Floats = ((second - first) * reliable + shift * (1 - reliable)) / (
        sqrt(reliable) * sqrt(2) * error
    )
    return index


def basis_of_sample(
    before: Wave, after: Wave, *, reliability: float, coefficient: str, source: str
) -> ChangeBasis:
    """Return a basis whose means and standard deviations are those of these pupils.

    The reliability still comes from elsewhere: that of another group, with its own source.
    """
    _, (first, second), _ = paired([before, after])
    return ChangeBasis(
        reliability,
        coefficient,
        float(first.std(ddof=1)),
        f"{source}; means and SD of {len(first)} pupils at {before.label} and {after.label}",
        float(first.mean()),
        float(second.mean()),
        float(second.std(ddof=1)),
        reliability,
        float(np.corrcoef(first, second)[0, 1]),
    )


def cut_between(
    *,
    concerned: tuple[float, float],
    reference: tuple[float, float],
    criterion: str = "c",
) -> float:
    """Return the score that separates two groups (Jacobson and Truax 1991).

    Parameters
    ----------
    concerned, reference : (float, float)
        Mean and standard deviation of the group with the difficulty, and of the reference group.
    criterion : {"a", "b", "c"}
        ``a``: two standard deviations from the concerned group's mean, towards the reference.
        ``b``: two from the reference group's mean, towards the concerned. ``c``: where both are
        equally far, in standard deviations.

    Examples
    --------
    >>> round(cut_between(concerned=(16.0, 6.0), reference=(3.0, 3.5)), 3)
    7.789
    """
    (mean_c, sd_c), (mean_r, sd_r) = concerned, reference
    towards = 1.0 if mean_r > mean_c else -1.0
    if criterion == "a":
        return mean_c + towards * 2 * sd_c
    if criterion == "b":
        return mean_r - towards * 2 * sd_r
    if criterion != "c":
        msg = f"criterion is 'a', 'b' or 'c', not {criterion!r}"
        raise UsageError(msg)
    return (sd_c * mean_r + sd_r * mean_c) / (sd_c + sd_r)


def check_alike(waves: Sequence[Wave]) -> None:
    """Refuse waves whose scores cannot be compared.

    Raises
    ------
    AnalysisError
        With MH725 for each respect in which they differ, for estimated scores, and for a pupil
        who stands twice in a wave.
    """
    log = ProblemLog()
    words = {"instrument": "version", "scale": "scale", "informant": "informant",
             "window": "recall window"}  # fmt: skip
    for name, word in words.items():
        found = sorted({str(getattr(wave, name)) for wave in waves})
        if len(found) > 1:
            log.add(
                "MH725",
                f"the waves have more than one {word}: {', '.join(found)}",
                expected=f"one {word}",
                hint="score both waves with one version, or do not compare them",
            )
    for wave in waves:
        if wave.estimated is not None and (number := int(np.sum(wave.estimated))):
            log.add(
                "MH725",
                f"{number} scores are estimated from a part of the items",
                path=wave.label,
                expected="complete forms",
                hint="leave these pupils out by name: their error is larger than stated",
            )
        twice = len(wave.subject) - len(set(np.asarray(wave.subject, dtype=object).tolist()))
        if twice:
            log.add("MH725", f"{twice} pupils stand twice", path=wave.label, expected="once each")
    if log.errors:
        raise AnalysisError(log)


def paired(
    waves: Sequence[Wave],
) -> tuple[NDArray[np.object_], Floats, tuple[Problem, ...]]:
    """Return who has a score in every wave, and the scores.

    Returns
    -------
    subject : ndarray of object, shape (pupils,)
        In the order of the first wave.
    scores : ndarray of float64, shape (waves, pupils)
    problems : tuple of Problem
        MH723 where others were left out.
    """
    check_alike(waves)
    by_wave = []
    for wave in waves:
        expect("a wave", wave, Wave)
        score = np.asarray(wave.score, dtype=np.float64)
        names = np.asarray(wave.subject, dtype=object).tolist()
        if len(names) != len(score):
            msg = f"{wave.label}: {len(names)} pupils and {len(score)} scores"
            raise UsageError(msg)
        pairs = zip(names, score.tolist(), strict=True)
        by_wave.append({name: one for name, one in pairs if not np.isnan(one)})
    kept = [name for name in by_wave[0] if all(name in scores for scores in by_wave)]
    anybody = len(set().union(*(np.asarray(w.subject, dtype=object).tolist() for w in waves)))
    if len(kept) < 2:  # noqa: PLR2004 - no spread in one
        problem = Problem(
            "MH705", f"{len(kept)} pupils have a score in every wave", "two of them, at least",
            "are the subjects spelled alike in the waves?",
        )  # fmt: skip
        raise AnalysisError([problem])
    problems: tuple[Problem, ...] = ()
    if len(kept) < anybody:
        what = f"{anybody - len(kept)} of {anybody} pupils lack a score in a wave and are left out"
        hint = "who leaves is seldom like who stays: compare their first scores"
        problems = (Problem("MH723", what, hint=hint),)
    scores = np.array([[one[name] for name in kept] for one in by_wave])
    subject = np.empty(len(kept), dtype=object)
    subject[:] = kept
    return subject, scores, problems


def without_estimated(wave: Wave) -> Wave:
    """Return a wave without the scores that were estimated."""
    if wave.estimated is None:
        return wave
    score = np.where(wave.estimated, np.nan, np.asarray(wave.score, dtype=np.float64))
    return replace(wave, score=score, estimated=None)
