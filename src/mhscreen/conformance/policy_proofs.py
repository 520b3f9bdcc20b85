"""Proofs that a changed policy gives what the policy gives, whatever is filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import UNDECIDED
from mhscreen.plan.triage import Node
from mhscreen.review.cells import SIDES, form_truth
from mhscreen.review.policy_cells import PolicyCells
from mhscreen.vocabulary import Requirement

if TYPE_CHECKING:
    from mhscreen.conformance.policy_scorer import PolicyDeparture, Screener
    from mhscreen.loading import Library
    from mhscreen.plan.triage import RulePlan, TriagePlan

__all__ = ["PolicyProver"]

REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position


class PolicyProver:
    """Proves departures of one policy alike with it.

    ``same rule``: what it is compiled into is the same. ``every cell``: in no cell of the answers
    to all forms (`mhscreen.review.cells`), blanks included, does it give anything else.
    """

    def __init__(self, library: Library, screener: Screener) -> None:
        self.library = library
        self.screener = screener
        self._cells: PolicyCells | None = None

    def prove(self, one: PolicyDeparture) -> str:
        """Return the name of the proof, or nothing where there is none."""
        plan, changed = self.screener.plan, one.change.plan
        if one.policy is None or changed is None or not one.rule:
            return ""
        before, after = _find(plan.triage, one.rule), _find(changed.triage, one.rule)
        if before is None or after is None or not self._absent_is_blank():
            return ""
        if (before.tier, before.flags) == (after.tier, after.flags):
            if _tree(before.node, plan.triage) == _tree(after.node, changed.triage):
                return "same rule"
            return "every cell" if self._same_condition(one) else ""
        return "every cell" if self._outranked(before, after) else ""

    def _absent_is_blank(self) -> bool:
        """Return whether a required form without an answer leaves open all that absence does."""
        plan = self.screener.plan
        required = np.flatnonzero((plan.uses[:-1] == REQUIRED).any(axis=0)).tolist()
        for slot in required:
            leaves = [(leaf,) for leaf in plan.triage.leaves if leaf.slot == slot]
            form = plan.forms[slot]
            blank = np.full((len(form.items), 1), rc.BLANK, dtype=np.uint8)
            if leaves and (form_truth(form, leaves, plan.norms, blank) != UNDECIDED).any():
                return False
        return True

    def _unused(self, cells: PolicyCells) -> list[frozenset[int]]:
        """Return the forms, as places among the cells', that some group is not asked for."""
        plan = self.screener.plan
        places = {form.slot: place for place, form in enumerate(cells.forms)}
        sets = [frozenset[int]()]
        for uses in plan.uses[:-1]:
            unused = np.flatnonzero(uses == NOT_USED).tolist()
            sets.append(frozenset(places[plan.slots[slot]] for slot in unused))
        return list(dict.fromkeys(sets))

    def _same_condition(self, one: PolicyDeparture) -> bool:
        """Go through the cells of the rule and the changed rule together."""
        policy = self.screener.plan.policy
        own = next(rule for rule in policy.rules if rule.id == one.rule)
        theirs = next(rule for rule in one.policy.rules if rule.id == one.rule)  # type: ignore[union-attr]  # asked before
        both = (own, theirs.model_copy(update={"id": "changed"}))
        cells = PolicyCells(self.library, policy.model_copy(update={"rules": both}))
        first, second = (rule.node for rule in cells.rules)
        for unused in self._unused(cells):
            a, b = (_without(node, cells, unused) for node in (first, second))
            for side in SIDES:
                if cells.find(side, a, [b]) is not None or cells.find(side, b, [a]) is not None:
                    return False
        return True

    def _outranked(self, before: RulePlan, after: RulePlan) -> bool:
        """Return whether wherever the rule holds others say what it says more or less."""
        if self._cells is None:
            self._cells = PolicyCells(self.library, self.screener.plan.policy)
        cells = self._cells
        rule = next(one for one in cells.rules if one.id == before.id)
        others = [one for one in cells.rules if one.id != before.id]
        tier = max(before.tier, after.tier)
        lost = set(before.flags) ^ set(after.flags)
        said = [[one for one in others if flag in one.flags] for flag in lost]
        if before.tier != after.tier:
            said.append([one for one in others if one.tier >= tier])
        for unused in self._unused(cells):
            node = _without(rule.node, cells, unused)
            for same in said:
                nodes = [_without(one.node, cells, unused) for one in same]
                if any(cells.find(side, node, nodes) is not None for side in SIDES):
                    return False
        return True


def _find(triage: TriagePlan, name: str) -> RulePlan | None:
    return next((rule for rule in triage.rules if rule.id == name), None)


def _tree(node: Node, triage: TriagePlan) -> object:
    """Return a condition with its comparisons in it, what stands side by side in order."""
    if node.op == "leaf":
        return repr(triage.leaves[node.leaf])
    children = sorted({repr(_tree(child, triage)) for child in node.children})
    if node.op == "at_least":
        children = sorted(repr(_tree(child, triage)) for child in node.children)
    return (node.op, node.count, tuple(children))


def _without(node: Node, cells: PolicyCells, unused: frozenset[int]) -> Node:
    """Return a condition for pupils who are not asked for some forms: only critical items count."""
    if node.op == "leaf":
        group = cells.groups[node.leaf]
        off = group[0].slot in unused and not all(leaf.critical for leaf in group)
        return Node("never") if off else node
    return replace(node, children=tuple(_without(child, cells, unused) for child in node.children))
