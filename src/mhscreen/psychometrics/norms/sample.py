"""The sample that a norm is built from, who of it counts, and what is not known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.norms.weights import Weights, rake_weights
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["NormAbout", "NormSample", "remarks_on", "usable_forms", "weights_of"]


@dataclass(frozen=True)
class NormAbout:
    """What a norm table says of its sample; pairs are English and Chinese.

    Attributes
    ----------
    id : str
        Its name, such as ``qingdao-2026``.
    country, years : str
        ``CN`` and when the sample was taken.
    review_by : date
        The day by which somebody should look for a newer one.
    title, reference_group, mode, sampling : tuple of str
        Words that begin with "replace" are to be replaced before the table is used.
    named : bool or None
        Whether those who answered knew that somebody would read it with their name; None where
        that is not known.
    version : str
    """

    id: str
    country: str
    years: str
    review_by: dt.date
    title: tuple[str, str] = ("replace: its name for people", "待填：名称")
    reference_group: tuple[str, str] = ("replace: who was asked", "待填：参照群体")
    mode: tuple[str, str] = ("replace: how answers were collected", "待填：收集方式")
    sampling: tuple[str, str] = ("replace: how they were chosen", "待填：抽样方式")
    named: bool | None = None
    version: str = "1.0.0"


@dataclass(frozen=True, eq=False)
class NormSample:
    """Scored forms; arrays of shape (forms,).

    Attributes
    ----------
    raw : mapping of scale to ndarray of float64
        Raw scores; NaN where there is none.
    sex : ndarray of int8
        Positions in `mhscreen.vocabulary.Sex`, −1 where not known.
    age : ndarray of float64
        In years; NaN where not known.
    grade : ndarray of int8
        −1 where not known.
    school : ndarray of object, optional
        Whose pupils were sampled together.
    weight : ndarray of float64, optional
        Weights to start from.
    invalid : ndarray of bool, optional
        Forms that the instrument's validity index calls invalid.
    estimated : mapping of scale to ndarray of bool
        Where a score rests on a part of the items.
    groups : mapping of str to sequence
        Further margins for raking, such as the district.
    asked : int, optional
        How many pupils were to answer; absent where that is not known.
    """

    raw: Mapping[str, Floats]
    sex: NDArray[np.int8]
    age: Floats
    grade: NDArray[np.int8]
    school: NDArray[np.object_] | None = None
    weight: Floats | None = None
    invalid: NDArray[np.bool_] | None = None
    estimated: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    groups: Mapping[str, NDArray[np.object_]] = field(default_factory=dict)
    asked: int | None = None

    @property
    def forms(self) -> int:
        """How many forms there are."""
        return len(self.sex)


def usable_forms(
    sample: NormSample, by: Sequence[str], bands: Sequence[float]
) -> tuple[NDArray[np.bool_], list[Problem]]:
    """Return which forms count, shape (forms,), and why others do not (MH723)."""
    usable = np.ones(sample.forms, dtype=np.bool_)
    problems = []

    def leave_out(bad: NDArray[np.bool_], why: str) -> None:
        number = int((bad & usable).sum())
        usable[bad] = False
        if number:
            problems.append(Problem("MH723", f"{number} of {sample.forms} forms left out: {why}"))

    if sample.invalid is not None:
        leave_out(sample.invalid, "invalid by the instrument's own index")
    if "sex" in by:
        leave_out(sample.sex < 0, "the sex is not known")
    if "grade" in by:
        leave_out(sample.grade < 0, "the grade is not known")
    if "age" in by:
        leave_out(np.isnan(sample.age), "the age is not known")
        with np.errstate(invalid="ignore"):
            outside = (sample.age < bands[0]) | (sample.age >= bands[-1])
        leave_out(outside, "outside the bands of age")
    if not usable.any():
        raise AnalysisError([Problem("MH705", "no form counts", "one form, at least")])
    return usable, problems


def weights_of(
    sample: NormSample,
    usable: NDArray[np.bool_],
    margins: Mapping[str, Mapping[Any, float]] | None,
) -> tuple[Weights | None, Floats]:
    """Return the raked weights, and the weight of each form that counts, with mean 1."""
    base = None if sample.weight is None else sample.weight[usable]
    if margins is None:
        plain = np.ones(int(usable.sum())) if base is None else base / base.mean()
        return None, plain
    known: dict[str, NDArray[Any]] = {
        "sex": np.array([*(str(sex) for sex in Sex), "not known"], dtype=object)[sample.sex],
        "grade": sample.grade.astype(str).astype(object),
        **sample.groups,
    }
    lacking = [name for name in margins if name not in known]
    if lacking:
        msg = f"margins name {', '.join(lacking)}; the sample has {', '.join(known)}"
        raise UsageError(msg)
    raked = rake_weights(
        {name: np.asarray(known[name])[usable] for name in margins}, margins, base=base
    )
    return raked, raked.weight


def remarks_on(sample: NormSample, about: NormAbout, weights: Weights | None) -> list[Problem]:
    """Return what is not known of the sample, or speaks against it."""
    found = []
    if sample.asked is None:
        found.append("how many were asked and did not answer is not known")
    elif sample.asked > sample.forms:
        share = 1 - sample.forms / sample.asked
        found.append(
            f"{sample.asked - sample.forms} of {sample.asked} pupils asked did not answer "
            f"({share:.1%}); who does not answer is seldom like who does"
        )
    disclosed = {
        True: "answers were given under the pupil's name to people who act on them: some will "
        "have said less than is so, and these percentiles then are too high for a given score",
        None: "whether answers were named is not stated; named answers say less than is so",
    }
    if about.named is not False:
        found.append(disclosed[about.named])
    if weights is None and sample.weight is None:
        found.append("not weighted to a population: the figures are those of the sample")
    return [Problem("MH728", what) for what in found]
