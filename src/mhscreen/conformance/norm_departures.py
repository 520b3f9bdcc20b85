"""What programs do wrong with norms: the wrong group, the wrong edge, the wrong row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import Change
from mhscreen.plan.norming import LinePlan, TablePlan
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mhscreen.conformance.scorer import Form, Vectors
    from mhscreen.plan.norming import NormPlan, StratumPlan

__all__ = ["norm_departures"]

_MALE, _FEMALE = Sex.MALE.position, Sex.FEMALE.position


def norm_departures(form: Form) -> Iterator[tuple[str, Change]]:
    """Yield the departures in norming, each with its name."""
    for name, plan in form.norm_plans.items():
        strata = plan.strata
        if any(one.sex >= 0 for one in strata):
            swapped = _each(plan, lambda one: replace(one, sex={0: 1, 1: 0}.get(one.sex, one.sex)))
            yield f"{name}: boys and girls swapped", Change(norm={name: swapped})
            for sex, word in ((_MALE, "boys"), (_FEMALE, "girls")):
                kept = tuple(replace(o, sex=-1) for o in strata if o.sex in (sex, -1))
                if kept:
                    one_sex = replace(plan, strata=kept)
                    yield f"{name}: everybody by the norm of {word}", Change(norm={name: one_sex})
                yield (
                    f"{name}: an unknown sex by the norm of {word}",
                    Change(norm={name: plan}, people=_with_sex(sex)),
                )
        yield from _edges(name, plan)
        if len(strata) > 1:
            figures = [one.figures for one in strata]
            turned = tuple(
                replace(one, figures=other)
                for one, other in zip(strata, figures[1:] + figures[:1], strict=True)
            )
            changed = replace(plan, strata=turned)
            yield f"{name}: each stratum by the figures of the next", Change(norm={name: changed})
        for one in strata:
            yield from _figures(name, plan, one)
        yield from _borrowed(name, plan)


def _each(plan: NormPlan, change: Callable[[StratumPlan], StratumPlan]) -> NormPlan:
    return replace(plan, strata=tuple(map(change, plan.strata)))


def _with_sex(sex: int) -> Callable[[Vectors], Vectors]:
    def people(vectors: Vectors) -> Vectors:
        return replace(vectors, sex=np.where(vectors.sex < 0, sex, vectors.sex).astype(np.int8))

    return people


def _edges(name: str, plan: NormPlan) -> Iterator[tuple[str, Change]]:
    """Move each edge of age or grade, so that a pupil at the edge falls on the other side."""
    for what, step in (("age", 0.01), ("grade", 1)):
        edges = sorted({
            edge for one in plan.strata for edge in getattr(one, what) if np.isfinite(edge)
        })  # fmt: skip
        for edge in edges:

            def moved(
                one: StratumPlan, what: str = what, edge: float = edge, step: float = step
            ) -> StratumPlan:
                low, high = getattr(one, what)
                band = (low + step * (low == edge), high + step * (high == edge))
                return replace(one, age=band) if what == "age" else replace(one, grade=band)

            yield (
                f"{name}: {what} {edge:g} belongs to the stratum below",
                Change(norm={name: _each(plan, moved)}),
            )


def _figures(name: str, plan: NormPlan, one: StratumPlan) -> Iterator[tuple[str, Change]]:
    figures = one.figures
    changed: dict[str, object] = {}
    word = f"{name}: stratum {one.place + 1}"
    if isinstance(figures, TablePlan):
        changed["read from the row above"] = replace(figures, first=figures.first - 1)
        changed["read from the row below"] = replace(figures, first=figures.first + 1)
    elif isinstance(figures, LinePlan) and figures.sd != 1:
        changed["SD taken for the variance"] = replace(figures, sd=figures.sd**2)
    for what, other in changed.items():
        strata = tuple(
            replace(s, figures=other) if s is one else s  # type: ignore[arg-type]  # same kind
            for s in plan.strata
        )
        sex = {_MALE: ", boys", _FEMALE: ", girls"}.get(one.sex, "")
        yield f"{word}{sex}, {what}", Change(norm={name: replace(plan, strata=strata)})


def _borrowed(name: str, plan: NormPlan) -> Iterator[tuple[str, Change]]:
    """Norm pupils outside every stratum by the youngest or the oldest."""
    for what in ("age", "grade"):
        edges = [e for one in plan.strata for e in getattr(one, what) if np.isfinite(e)]
        if not edges:
            continue

        def people(
            vectors: Vectors, what: str = what, low: float = min(edges), high: float = max(edges)
        ) -> Vectors:
            values = getattr(vectors, what)
            last = high - (0.01 if what == "age" else 1)
            inside = np.clip(values, low, last)
            known = values >= 0
            return replace(vectors, **{what: np.where(known, inside, values).astype(values.dtype)})

        yield (
            f"{name}: outside the {what}s by the nearest stratum",
            Change(norm={name: plan}, people=people),
        )
