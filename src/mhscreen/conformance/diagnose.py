"""Name the fault: the departure that gives what the scorer gave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.choose import CANNOT
from mhscreen.conformance.departures import departures
from mhscreen.conformance.one_item import OneItem
from mhscreen.conformance.scorer import reached_scales, score_vectors
from mhscreen.vocabulary import Fault

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.kit import FormKit
    from mhscreen.conformance.scorer import Change, Columns, Departure, Form

__all__ = ["LIKE", "Diagnosis", "diagnose"]

LIKE = 0.6  # the least share of differences that "most like" explains


@dataclass(frozen=True)
class Diagnosis:
    """What one form's differences look like.

    Attributes
    ----------
    certainty : str
        ``exact``: all that differs is what this departure gives, and nothing else of it is
        missing. ``part``: so for whole columns, one of several departures. ``like``: most alike,
        no more.
    fault : Fault
        Its kind; a documented variant is `Fault.VARIANT`.
    name : str
        What is done.
    also : tuple of str
        Other names of what gives the same on these vectors.
    source : str
        Where it was seen, if it is known by name.
    explained : float
        The share of the differing cells that it explains.
    """

    certainty: str
    fault: Fault
    name: str
    also: tuple[str, ...]
    source: str
    explained: float

    @property
    def is_variant(self) -> bool:
        """Whether it is documented, and no fault."""
        return self.fault is Fault.VARIANT


@dataclass(frozen=True, eq=False)
class _Match:
    """How one departure compares with a scorer, by column: differs, is met, is contradicted."""

    departure: Departure
    met: dict[str, NDArray[np.bool_]]
    contradicted: int

    @property
    def number(self) -> int:
        return sum(int(cells.sum()) for cells in self.met.values())


def diagnose(kit: FormKit, given: Columns) -> tuple[Diagnosis, ...]:
    """Name what a scorer does otherwise on one form; empty where nothing differs or fits.

    Parameters
    ----------
    given : Columns
        The outputs that the scorer gives; outputs that it does not give say nothing.
    """
    expected = score_vectors(kit.form, kit.vectors)
    wrong = {name: ~expected[name].same(column) for name, column in given.items()}
    wrong = {name: cells for name, cells in wrong.items() if cells.any()}
    total = sum(int(cells.sum()) for cells in wrong.values())
    if not total:
        return ()
    every, some = _relevant(kit, given, expected, wrong)
    matches = list(_matches(kit, given, expected, every))
    exact = [one for one in matches if not one.contradicted and one.number == total]
    if exact:
        return (_named("exact", exact, total),)
    matches += _matches(kit, given, expected, some)
    found = list(_parts(matches, wrong, total))
    explained = sum(one.explained for one in found)
    if found and explained >= LIKE:
        return tuple(found)
    like = max(matches, key=lambda one: one.number - one.contradicted, default=None)
    if like is not None and like.number - like.contradicted >= LIKE * total:
        alike = [one for one in matches if _same(one, like)]
        return (_named("like", alike, total),)
    return tuple(found)


def _matches(
    kit: FormKit, given: Columns, expected: Columns, tried: Iterable[Departure]
) -> Iterable[_Match]:
    for one in tried:
        try:
            said = score_vectors(kit.form, kit.vectors, one.change, given)
        except CANNOT:
            continue
        met: dict[str, NDArray[np.bool_]] = {}
        contradicted = 0
        for name, column in said.items():
            if name not in given:
                continue
            differs = ~expected[name].same(column)
            if differs.any():
                same = given[name].same(column)
                met[name] = differs & same
                contradicted += int((differs & ~same).sum())
        if any(cells.any() for cells in met.values()):
            yield _Match(one, met, contradicted)


def _relevant(
    kit: FormKit, given: Columns, expected: Columns, wrong: dict[str, NDArray[np.bool_]]
) -> tuple[list[Departure], list[Departure]]:
    """Return the departures that can change every output that differs, and those that can some.

    Left out is what cannot explain a whole column and too little of all to be most like it.
    """
    form = kit.form
    sizes = {name: int(cells.sum()) for name, cells in wrong.items()}
    total = sum(sizes.values())
    one_item = OneItem(kit, given, expected)
    every: list[Departure] = []
    some: list[Departure] = []
    for one in departures(form):
        reached = _reached(form, one.change, sizes)
        number = sum(sizes[name] for name in reached)
        if not reached or (number < LIKE * total and not one_item.may_be(one)):
            continue
        (every if len(reached) == len(sizes) else some).append(one)
    return every, some


def _reached(form: Form, change: Change, names: Collection[str]) -> list[str]:
    """Return the outputs, of some that differ, that a change can reach and be seen by.

    Where a raw score differs, nothing is learned from what is derived from it.
    """
    if change.norm is not None:
        norms = [norm for norm in change.norm if norm.partition(".")[0] not in names]
        return [name for name in names if any(name.startswith(f"{norm}.") for norm in norms)]
    if not change.scales:
        return list(names)
    heads = reached_scales(form.definition, change.scales)
    heads |= {"form"} if form.plan.validity else set()
    return [name for name in names if name.partition(".")[0] in heads]


def _parts(
    matches: Sequence[_Match], wrong: dict[str, NDArray[np.bool_]], total: int
) -> Iterable[Diagnosis]:
    """Name departures that explain whole columns, the largest first, each column once."""
    left = dict(wrong)
    fitting = [
        one
        for one in matches
        if not one.contradicted
        and all(
            name in wrong and np.array_equal(cells, wrong[name]) for name, cells in one.met.items()
        )
    ]
    while fitting:
        best = max(fitting, key=lambda one: one.number)
        alike = [one for one in fitting if _same(one, best)]
        yield _named("part", alike, total)
        for name in best.met:
            left.pop(name, None)
        fitting = [one for one in fitting if set(one.met) <= set(left)]


def _same(one: _Match, other: _Match) -> bool:
    return (
        one.contradicted == other.contradicted
        and one.met.keys() == other.met.keys()
        and all(np.array_equal(cells, other.met[name]) for name, cells in one.met.items())
    )


def _named(certainty: str, alike: Sequence[_Match], total: int) -> Diagnosis:
    """Name a class: a documented variant first, then what is known by name, then as listed."""
    ranks = {Fault.VARIANT: 0, Fault.KNOWN: 1}
    ordered = sorted(alike, key=lambda one: ranks.get(one.departure.fault, 2))
    first = ordered[0].departure
    return Diagnosis(
        certainty,
        first.fault,
        first.name,
        tuple(one.departure.name for one in ordered[1:]),
        first.source,
        ordered[0].number / total,
    )
