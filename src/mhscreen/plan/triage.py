"""A triage policy, compiled: every leaf bound to one slot, every rule a small tree of leaves.

A condition that names no informant becomes "any" over the informants' slots; a critical-item
condition becomes "any" over the critical items of all slots. A leaf about a questionnaire that
the programme does not use can never hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mhscreen.definitions.policy import (
    AllOf,
    AnyOf,
    AtLeast,
    CategoryLeaf,
    CriticalItemLeaf,
    ItemLeaf,
    ScoreLeaf,
    ValidityLeaf,
)
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Metric, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.definitions import Instrument, Policy
    from mhscreen.definitions.common import Text
    from mhscreen.definitions.instrument import Category
    from mhscreen.definitions.policy import Condition, Due, Leaf
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.vocabulary import Flag, Informant, ProblemClass

Kind = Literal["item", "scale", "derived", "critical", "validity"]

__all__ = ["LeafPlan", "Node", "RulePlan", "TriagePlan", "compile_triage"]


@dataclass(frozen=True)
class LeafPlan:
    """One comparison on one slot.

    Attributes
    ----------
    kind : str
        What is compared: an item score, a raw score, a derived score (``place`` is then the
        place of its norm plan), a critical item or a validity index.
    place : int
        Row of the item, place of the scale, critical item, index or norm plan.
    critical : bool
        Whether it also counts on a form meant for another stage.
    name : str
        ``phq9.q9``, for reasons.
    absent : bool
        Whether it is undecided where the form is absent, also in an on-event slot.
    """

    slot: int
    kind: Kind
    place: int
    name: str
    cut: float
    upwards: bool = True
    critical: bool = False
    metric: str = "raw"
    absent: bool = False


@dataclass(frozen=True)
class Node:
    """A leaf, or a branch over other nodes. ``never`` cannot hold."""

    op: Literal["leaf", "all", "any", "at_least", "never"]
    leaf: int = -1
    children: tuple[Node, ...] = ()
    count: int = 0

    def leaves(self) -> Iterator[int]:
        """Iterate over the leaves below."""
        if self.op == "leaf":
            yield self.leaf
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True)
class RulePlan:
    """One rule, with its words."""

    id: str
    tier: int
    node: Node
    leaves: tuple[int, ...]
    because: Text
    source: str
    evidence: str
    due: Due
    classes: tuple[ProblemClass, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class TriagePlan:
    """All leaves and rules of a policy, for the slots of one programme.

    Attributes
    ----------
    rules : tuple of RulePlan
        The highest tier first; within a tier as the policy has them.
    """

    leaves: tuple[LeafPlan, ...]
    rules: tuple[RulePlan, ...]


def compile_triage(
    policy: Policy,
    instruments: Mapping[str, Instrument],
    forms: Sequence[FormPlan],
    norms: Sequence[NormPlan],
) -> TriagePlan:
    """Compile a policy for the slots of a programme.

    Parameters
    ----------
    policy : Policy
        A policy that passed its checks.
    instruments : mapping of str to Instrument
        The instruments of the programme, by id.
    forms : sequence of FormPlan
        The slots of the programme.
    norms : sequence of NormPlan
        The norms of the programme.
    """
    compiler = _Compiler(instruments, forms, norms)
    rules = []
    for rule in sorted(policy.rules, key=lambda one: -Tier(one.tier).position):
        node = compiler.node(rule.when)
        rules.append(
            RulePlan(
                id=rule.id,
                tier=Tier(rule.tier).position,
                node=node,
                leaves=tuple(dict.fromkeys(node.leaves())),
                because=rule.because,
                source=rule.source,
                evidence=rule.evidence,
                due=rule.due,
                classes=rule.classes,
                flags=rule.flags,
            )
        )
    return TriagePlan(tuple(compiler.leaves), tuple(rules))


class _Compiler:
    """Turns conditions into nodes, and keeps each leaf once."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        forms: Sequence[FormPlan],
        norms: Sequence[NormPlan],
    ) -> None:
        self.instruments = instruments
        self.forms = forms
        self.norms = norms
        self.leaves: dict[LeafPlan, int] = {}

    def node(self, condition: Condition) -> Node:
        if isinstance(condition, AllOf):
            return Node("all", children=tuple(map(self.node, condition.all)))
        if isinstance(condition, AnyOf):
            return Node("any", children=tuple(map(self.node, condition.any)))
        if isinstance(condition, AtLeast):
            children = tuple(map(self.node, condition.at_least.of))
            return Node("at_least", children=children, count=condition.at_least.count)
        nodes = [
            Node("leaf", self.leaves.setdefault(leaf, len(self.leaves)))
            for leaf in self._bind(condition)
        ]
        if not nodes:
            return Node("never")
        return nodes[0] if len(nodes) == 1 else Node("any", children=tuple(nodes))

    def _slots(self, instrument: str | None, informant: Informant | None) -> Iterator[int]:
        for slot, form in enumerate(self.forms):
            if instrument in (None, form.instrument) and informant in (None, form.informant):
                yield slot

    def _bind(self, leaf: Leaf) -> Iterator[LeafPlan]:
        if isinstance(leaf, CriticalItemLeaf):
            yield from self._critical(leaf)
            return
        name = _name(leaf)
        instrument, _, key = name.partition(".")
        for slot in self._slots(instrument, leaf.informant):
            form = self.forms[slot]
            if isinstance(leaf, ValidityLeaf):
                yield from (
                    LeafPlan(slot, "validity", place, name, index.at_or_above)
                    for place, index in enumerate(form.validity)
                    if index.id == key
                )
                continue
            found: Iterator[LeafPlan] = iter(())
            if isinstance(leaf, ItemLeaf):
                row = form.row(key)
                critical = any(item.row == row for item in form.critical)
                found = iter([self._leaf(slot, "item", row, name, leaf, critical=critical)])
            elif form.scale(key) >= 0:
                found = self._score(leaf, slot, form.scale(key), name)
            for one in found:
                yield replace(one, absent=leaf.absent == "undecided")

    def _score(
        self, leaf: ScoreLeaf | CategoryLeaf, slot: int, scale: int, name: str
    ) -> Iterator[LeafPlan]:
        if isinstance(leaf, CategoryLeaf):
            category = self._category(leaf, self.forms[slot].informant)
            if category is not None:
                yield self._leaf(slot, "scale", scale, name, category)
        elif leaf.metric is Metric.RAW:
            yield self._leaf(slot, "scale", scale, name, leaf)
        else:
            place = self._norm(leaf, slot, scale)
            yield replace(self._leaf(slot, "derived", place, name, leaf), metric=leaf.metric)

    def _critical(self, leaf: CriticalItemLeaf) -> Iterator[LeafPlan]:
        for slot in self._slots(None, leaf.informant):
            form = self.forms[slot]
            for place, item in enumerate(form.critical):
                if (
                    item.concern is leaf.critical_item
                    and (not leaf.windows or item.window in leaf.windows)
                    and leaf.directness in (None, item.directness)
                ):
                    name = f"{form.instrument}.{item.item}"
                    yield LeafPlan(
                        slot, "critical", place, name, float(item.at_or_above), critical=True
                    )

    def _category(self, leaf: CategoryLeaf, informant: Informant) -> Category | None:
        """Return the category that a leaf names, where its cut set holds for the informant."""
        instrument, _, key = leaf.category.partition(".")
        scale = self.instruments[instrument].scale(key)
        cuts = next(c for c in scale.cut_sets if c.id == leaf.cut_set)
        if cuts.informants and informant not in cuts.informants:
            return None
        return next(c for c in cuts.categories if c.id == leaf.at_or_above)

    def _norm(self, leaf: ScoreLeaf, slot: int, scale: int) -> int:
        for place, norm in enumerate(self.norms):
            if (norm.ref, norm.slot, norm.scale) == (leaf.norm, slot, scale):
                return place
        msg = f"a rule reads {leaf.metric} of {leaf.score}: the programme uses no such norm"
        raise UsageError(msg)

    @staticmethod
    def _leaf(
        slot: int,
        kind: Kind,
        place: int,
        name: str,
        comparison: ItemLeaf | ScoreLeaf | Category,
        *,
        critical: bool = False,
    ) -> LeafPlan:
        if comparison.at_or_above is not None:
            cut, upwards = float(comparison.at_or_above), True
        elif comparison.at_or_below is not None:
            cut, upwards = float(comparison.at_or_below), False
        else:
            msg = f"a comparison with {name} needs at_or_above or at_or_below"
            raise UsageError(msg)
        return LeafPlan(slot, kind, place, name, cut, upwards=upwards, critical=critical)


def _name(leaf: ItemLeaf | ScoreLeaf | CategoryLeaf | ValidityLeaf) -> str:
    if isinstance(leaf, ItemLeaf):
        return leaf.item
    if isinstance(leaf, ScoreLeaf):
        return leaf.score
    if isinstance(leaf, CategoryLeaf):
        return leaf.category
    return leaf.validity_index
