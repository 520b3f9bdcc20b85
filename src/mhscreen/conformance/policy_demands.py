"""What the pupils of a policy's kit have to show, read off the policy alone.

None of it knows the mutants, so it also serves faults that nobody thought of. Of every rule it
asks that each comparison and each branch decides it alone (see `coverage`), blank, absent and with
another informant who says the opposite, too; and that the rule alone decides the tier.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.coverage import Demand, branch_counts, cut_sides, deciding_parts
from mhscreen.conformance.policy_candidates import same_score
from mhscreen.conformance.policy_departures import mildest_codes
from mhscreen.kernels.codes import is_answered
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED
from mhscreen.plan.triage import Node, TriagePlan
from mhscreen.steps.leaves import leaf_numbers
from mhscreen.steps.triage import evaluate, triage
from mhscreen.vocabulary import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_scorer import Pupils, Screener
    from mhscreen.conformance.scorer import Columns
    from mhscreen.plan.triage import LeafPlan, RulePlan
    from mhscreen.steps.norm import NormedScores

__all__ = ["policy_demands"]

REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position


def policy_demands(
    screener: Screener, pool: Pupils, normed: NormedScores, own: Columns
) -> list[Demand]:
    """Return what the vectors show in any case, as far as some pupil of the pool shows it."""
    found = [*_words(own), *_people(screener, pool, own), *_rules(screener, pool, normed, own)]
    return [one for one in found if one.shown_by.any()]


def _words(own: Columns) -> Iterator[Demand]:
    """Yield every word of every output."""
    for name, column in own.items():
        for place, word in enumerate(column.words):
            yield Demand(f"{name} {word}", column.values == place)


def _people(screener: Screener, pool: Pupils, own: Columns) -> Iterator[Demand]:
    """Yield every group, each critical item blank alone, each required form absent alone."""
    groups = np.array([screener.plan.group(str(one.stage), one.grade) for one in pool.people])
    for place, group in enumerate(screener.plan.programme.groups):
        yield Demand(f"group {group.id}", groups == place)
    calm = own["established"].values == 0
    absent = (screener.plan.uses[groups] == REQUIRED) & ~np.stack(pool.filed, axis=1)
    for slot, form in enumerate(screener.plan.forms):
        alone = calm & absent[:, slot] & (absent.sum(axis=1) == 1)
        for place in range(len(screener.plan.programme.groups)):
            yield Demand(f"{form.slot} absent, group {place}", alone & (groups == place))
        answered = is_answered(pool.codes[slot])
        reported = answered & (pool.codes[slot] != mildest_codes(screener, slot))
        unasked = (screener.plan.uses[groups, slot] == NOT_USED) & pool.filed[slot]
        yield Demand(f"{form.slot} not asked for, reported on", unasked & reported.any(axis=0))
        blank = ~answered & pool.filed[slot]
        one_blank = calm & (blank.sum(axis=0) == 1) & ~absent.any(axis=1)
        for row in dict.fromkeys(item.row for item in form.critical):
            yield Demand(f"{form.slot}: {form.items[row].id} blank", one_blank & blank[row])


# -- rules ----------------------------------------------------------------------------------------


def _rules(
    screener: Screener, pool: Pupils, normed: NormedScores, own: Columns
) -> Iterator[Demand]:
    plan = screener.plan.triage
    leaves = _leaf_truths(screener, normed)
    found = _Found(screener, pool, normed, leaves)
    truths = np.stack([evaluate(rule.node, leaves) for rule in plan.rules])
    estimated = own["flag.estimated"].values == 1
    for place, rule in enumerate(plan.rules):
        yield from _alone(plan.rules, truths, place, estimated)
        for name, node, decides in deciding_parts(rule.node, leaves):
            shown, head = branch_counts(node, leaves), name
            if node.op == "leaf":
                shown, head = found.leaf(node.leaf, decides), plan.leaves[node.leaf].name
            for word, where in shown:
                yield Demand(f"{rule.id}: {head} {word}", where & decides)


def _leaf_truths(screener: Screener, normed: NormedScores) -> NDArray[np.int8]:
    """Return the truth of each comparison for each pupil, absent forms included."""
    plan = screener.plan
    first = plan.triage.rules[0]
    rules = tuple(
        replace(first, id=str(place), node=Node("leaf", place), leaves=(place,))
        for place in range(len(plan.triage.leaves))
    )
    each = replace(plan, triage=TriagePlan(plan.triage.leaves, rules))
    return triage(each, normed).truth


class _Found:
    """What pupils give for each comparison, by place: a number, or NaN where it is estimated."""

    def __init__(
        self, screener: Screener, pool: Pupils, normed: NormedScores, leaves: NDArray[np.int8]
    ) -> None:
        self.plans = screener.plan.triage.leaves
        self.forms = screener.plan.forms
        self.filed = pool.filed
        self.truths = leaves
        self.values = [_values(len(pool), normed, leaf) for leaf in self.plans]

    def leaf(
        self, place: int, decides: NDArray[np.bool_]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield where a comparison is at its cut, just short of it, far on either side, or open.

        Parameters
        ----------
        decides : ndarray of bool, shape (pupils,)
            Where it decides a rule: only there are its sides looked for.
        """
        leaf = self.plans[place]
        value = self._towards(leaf, place)
        yield from cut_sides(value, self._cut(leaf), decides)
        is_open = self.truths[place] == UNDECIDED
        yield "blank", is_open & self.filed[leaf.slot]
        yield "without its form", ~self.filed[leaf.slot]
        yield from self._others(leaf, value, decides)

    def _others(
        self, leaf: LeafPlan, value: NDArray[np.float64], decides: NDArray[np.bool_]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        """Yield where another informant says the opposite, or has other cuts."""
        cut = self._cut(leaf)
        for place, other in enumerate(self.plans):
            if other.slot != leaf.slot and same_score(self.forms, leaf, other):
                who = self.forms[other.slot].informant
                theirs = self._towards(leaf, place)
                yield f"held by {who} alone", (value < cut) & (theirs >= cut)
                yield f"not by {who}", (value >= cut) & (theirs < cut)
                for word, where in cut_sides(value, self._cut(other), decides):
                    yield f"by the cut of {who}, {word}", where

    def _towards(self, leaf: LeafPlan, place: int) -> NDArray[np.float64]:
        return self.values[place] * (1.0 if leaf.upwards else -1.0)

    @staticmethod
    def _cut(leaf: LeafPlan) -> float:
        return leaf.cut * (1.0 if leaf.upwards else -1.0)


def _values(pupils: int, normed: NormedScores, leaf: LeafPlan) -> NDArray[np.float64]:
    bound = normed.scores.batch.forms[leaf.slot].pupil
    _, numbers = leaf_numbers(normed, leaf, np.arange(len(bound)))
    value = np.full(pupils, np.nan)
    for pupil, (number, low, high, *_) in zip(bound.tolist(), numbers, strict=True):
        if number is not None and low == high:
            value[pupil] = number
    return value


def _alone(
    rules: Sequence[RulePlan],
    truths: NDArray[np.int8],
    place: int,
    estimated: NDArray[np.bool_],
) -> Iterator[Demand]:
    """Yield where a rule alone gives the tier, leaves it open, or raises a flag."""
    rule = rules[place]
    rivals = [n for n, one in enumerate(rules) if one.tier >= rule.tier and n != place]
    silent = (truths[rivals] == FAILS).all(axis=0)
    higher = [n for n, one in enumerate(rules) if one.tier > rule.tier]
    yield Demand(f"{rule.id} alone", silent & (truths[place] == HOLDS))
    yield Demand(f"{rule.id} alone, estimated", silent & (truths[place] == HOLDS) & estimated)
    yield Demand(f"{rule.id} alone open", silent & (truths[place] == UNDECIDED))
    settled = (truths[higher] == FAILS).all(axis=0)
    yield Demand(f"{rule.id} at the top", settled & (truths[place] == HOLDS))
    for flag in rule.flags:
        others = [n for n, one in enumerate(rules) if flag in one.flags and n != place]
        alone = (truths[others] != HOLDS).all(axis=0)
        yield Demand(f"{rule.id} alone flags {flag}", alone & (truths[place] == HOLDS))
