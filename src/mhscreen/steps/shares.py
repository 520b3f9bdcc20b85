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
    from mhscreen.steps.triage import Triage

__all__ = ["Share", "count_shares", "judge_shares", "tiers_by_school"]

REQUIRED = Requirement.REQUIRED.position
CHANCE = 3.0
"""Standard errors that a share may lie outside its range."""


def tiers_by_school(triage: Triage) -> dict[str, list[int]]:
    """Return the number of pupils by school and `ScreenTier`, schools in alphabetical order."""
    schools = triage.normed.scores.batch.roster.school
    names, place = np.unique(schools.astype(str), return_inverse=True)
    table = np.zeros((len(names), len(ScreenTier)), dtype=np.int64)
    np.add.at(table, (place, triage.screen), 1)
    return dict(zip(names.tolist(), table.tolist(), strict=True))


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
    school = roster.school.astype(str)
    class_ = np.array(
        [f"{a}, {b}" if b else "" for a, b in zip(roster.school, roster.class_, strict=True)],
        dtype=str,
    )
    groups = {
        kind: np.unique(group, return_inverse=True)
        for kind, group in (("school", school), ("class", class_))
    }
    counts: dict[Share, tuple[int, int]] = {}
    measures = _measures(triage)
    for measure in dict.fromkeys(one.measure for one in triage.plan.programme.expected_shares):
        for label, counted, among in measures[measure]:
            for kind, (names, place) in groups.items():
                number = np.bincount(place, weights=among, minlength=len(names))
                hits = np.bincount(place, weights=counted & among, minlength=len(names))
                for name, n, k in zip(names.tolist(), number.tolist(), hits.tolist(), strict=True):
                    if name and n:
                        counts[Share(measure, label, kind, name)] = int(k), int(n)
    return counts


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
