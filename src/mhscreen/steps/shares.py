"""Shares: does a school look as schools do? A warning never changes a tier."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.problems import Problem
from mhscreen.vocabulary import Flag, Informant, Requirement, ScreenTier, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mhscreen.definitions.programme import ExpectedShare, Programme
    from mhscreen.steps.roster import Roster
    from mhscreen.steps.tables import Column
    from mhscreen.steps.triage import Triage

__all__ = ["Share", "count_shares", "judge_shares", "tiers_by_school"]

REQUIRED = Requirement.REQUIRED.position
CHANCE = 3.0
"""Standard errors that a share may lie outside its range."""


def tiers_by_school(triage: Triage) -> dict[str, list[int]]:
    """Return the number of pupils by school and `ScreenTier`, schools in alphabetical order."""
    names, place = _numbered(triage.normed.scores.batch.roster.texts["school"])
    tiers = len(ScreenTier)
    counts = np.bincount(place * tiers + triage.screen, minlength=len(names) * tiers)
    table = counts.reshape(len(names), tiers)
    return {name: row for name, row in zip(names, table.tolist(), strict=True) if any(row)}


class Share(NamedTuple):
    """Whose share of what this is; the label is that of an informant.

    Attributes
    ----------
    kind : str
        ``"school"`` or ``"class"``.
    """

    measure: str
    label: str
    kind: str
    name: str


def count_shares(triage: Triage) -> dict[Share, tuple[int, int]]:
    """Return the number of pupils of whom something is true, and among how many.

    By school and by class, for each measure of which the programme expects something. The counts
    of two halves of a batch add up to those of the whole.
    """
    roster = triage.normed.scores.batch.roster
    groups = {"school": _numbered(roster.texts["school"]), "class": _classes(roster)}
    counts: dict[Share, tuple[int, int]] = {}
    measures = _measures(triage)
    for measure in dict.fromkeys(one.measure for one in triage.plan.programme.expected_shares):
        for label, counted, among in measures[measure]:
            for kind, (names, place) in groups.items():
                number = np.bincount(place, weights=among, minlength=len(names))
                hits = np.bincount(place, weights=counted & among, minlength=len(names))
                for name, n, k in zip(names, number.tolist(), hits.tolist(), strict=True):
                    if name and n:
                        counts[Share(measure, label, kind, name)] = int(k), int(n)
    return counts


def _numbered(column: Column) -> tuple[list[str], NDArray[np.int64]]:
    """Return the texts of a column, empty ones too, in their order, and which each row has."""
    names, place = np.unique(np.array([*column.values, ""], dtype=str), return_inverse=True)
    return names.tolist(), place[column.index]


def _classes(roster: Roster) -> tuple[list[str], NDArray[np.int64]]:
    """Return the classes with their schools, and which each pupil is in; empty for none."""
    schools, school = _numbered(roster.texts["school"])
    classes, class_ = _numbered(roster.texts["class"])
    used, place = np.unique(school * len(classes) + class_, return_inverse=True)
    pairs = [divmod(one, len(classes)) for one in used.tolist()]
    texts = [f"{schools[a]}, {classes[b]}" if classes[b] else "" for a, b in pairs]
    names, merged = np.unique(np.array(texts, dtype=str), return_inverse=True)
    return names.tolist(), merged[place]


def judge_shares(
    programme: Programme, counts: Iterable[tuple[Share, tuple[int, int]]]
) -> Iterator[Problem]:
    """Compare the shares in each school, class and informant's forms with the expected range.

    Parameters
    ----------
    programme : Programme
        What it expects.
    counts : iterable of (Share, (int, int))
        See `count_shares`.

    Yields
    ------
    Problem
        MH605, for each share that lies outside its range by more than chance explains (three
        standard errors), in groups that are large enough to be judged.
    """
    for share, (k, n) in counts:
        for expected in programme.expected_shares:
            if expected.measure != share.measure or n < expected.min_pupils:
                continue
            if _implausible(k / n, n, expected):
                yield Problem(
                    "MH605",
                    f"{expected.measure}{share.label} is {k / n:.0%} of {n}",
                    f"{expected.at_or_above:.0%} to {expected.at_or_below:.0%}",
                    "look for miscoding, coaching or overload; no tier was changed",
                    path=f"{share.kind} {share.name}",
                )


def _implausible(share: float, n: float, expected: ExpectedShare) -> bool:
    """Return whether a share lies further outside its range than chance in a group explains."""
    low, high = expected.at_or_above, expected.at_or_below
    below = low - CHANCE * sqrt(low * (1 - low) / n)
    above = high + CHANCE * sqrt(high * (1 - high) / n)
    return share < below or share > above


def _measures(
    triage: Triage,
) -> dict[str, list[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]]:
    """Return, by measure, what is counted among whom; all-minimum by informant."""
    scores = triage.normed.scores
    everyone = np.ones(len(triage.screen), dtype=bool)
    minimum = []
    for informant in Informant:
        lowest, filed = np.ones_like(everyone), np.zeros_like(everyone)
        for slot, form in enumerate(triage.plan.forms):
            if form.informant is not informant:
                continue
            pupil, scored = scores.batch.forms[slot].pupil, scores.forms[slot]
            # Forms filed on an event are few and chosen: their shares say nothing of a school.
            asked = triage.plan.uses[scores.batch.roster.group[pupil], slot] == REQUIRED
            lowest[pupil[asked & scored.filed & (scored.burden > 0)]] = False
            filed[pupil[asked & scored.filed]] = True
        if filed.any():
            minimum.append((f" ({informant})", lowest, filed))
    return {
        "flagged": [("", triage.established >= Tier.GENERAL.position, triage.answered)],
        "invalid": [("", triage.flags[Flag.INVALID], triage.answered)],
        "not_screened": [("", triage.screen == ScreenTier.NOT_SCREENED.position, everyone)],
        "all_minimum": minimum,
    }
