"""A triage policy, compiled: every leaf bound to one slot, every rule a small tree of leaves.

A condition that names no informant becomes "any" over the informants' slots; a critical-item
condition becomes "any" over the critical items of all slots. A leaf about a questionnaire that
the programme does not use can never hold.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    from mhscreen.definitions.policy import Condition, Due
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.vocabulary import Flag, Informant, ProblemClass

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
    """

    slot: int
    kind: Literal["item", "scale", "derived", "critical", "validity"]
    place: int
    cut: float
    upwards: bool
    critical: bool
    name: str
    metric: str = "raw"


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
    """All leaves and rules of a policy, for the slots of one programme."""

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
    for rule in policy.rules:
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

    def _bind(
        self, leaf: ItemLeaf | ScoreLeaf | CategoryLeaf | CriticalItemLeaf | ValidityLeaf
    ) -> Iterator[LeafPlan]:
        if isinstance(leaf, CriticalItemLeaf):
            for slot in self._slots(None, leaf.informant):
                for place, item in enumerate(self.forms[slot].critical):
                    if (
                        item.concern is leaf.critical_item
                        and (not leaf.windows or item.window in leaf.windows)
                        and leaf.directness in (None, item.directness)
                    ):
                        name = f"{self.forms[slot].instrument}.{item.item}"
                        yield LeafPlan(slot, "critical", place, item.at_or_above, True, True, name)
            return
        name = _name(leaf)
        instrument, _, key = name.partition(".")
        for slot in self._slots(instrument, leaf.informant):
            form = self.forms[slot]
            if isinstance(leaf, ItemLeaf):
                row = form.row(key)
                critical = any(item.row == row for item in form.critical)
                cut, upwards = _cut(leaf.at_or_above, leaf.at_or_below)
                yield LeafPlan(slot, "item", row, cut, upwards, critical, name)
            elif isinstance(leaf, ValidityLeaf):
                for place, index in enumerate(form.validity):
                    if index.id == key:
                        yield LeafPlan(
                            slot, "validity", place, index.at_or_above, True, False, name
                        )
            elif form.scale(key) < 0:
                continue
            elif isinstance(leaf, CategoryLeaf):
                scale = self.instruments[instrument].scale(key)
                cuts = next(c for c in scale.cut_sets if c.id == leaf.cut_set)
                if cuts.informants and form.informant not in cuts.informants:
                    continue
                category = next(c for c in cuts.categories if c.id == leaf.at_or_above)
                cut, upwards = _cut(category.at_or_above, category.at_or_below)
                yield LeafPlan(slot, "scale", form.scale(key), cut, upwards, False, name)
            elif leaf.metric is Metric.RAW:
                cut, upwards = _cut(leaf.at_or_above, leaf.at_or_below)
                yield LeafPlan(slot, "scale", form.scale(key), cut, upwards, False, name)
            else:
                yield self._derived(leaf, slot, name)

    def _derived(self, leaf: ScoreLeaf, slot: int, name: str) -> LeafPlan:
        scale = self.forms[slot].scale(name.partition(".")[2])
        for place, norm in enumerate(self.norms):
            if (norm.ref, norm.slot, norm.scale) == (leaf.norm, slot, scale):
                cut, upwards = _cut(leaf.at_or_above, leaf.at_or_below)
                return LeafPlan(slot, "derived", place, cut, upwards, False, name, leaf.metric)
        msg = f"a rule reads {leaf.metric} of {name}, and the programme uses no norm for it"
        raise UsageError(msg)


def _name(leaf: ItemLeaf | ScoreLeaf | CategoryLeaf | ValidityLeaf) -> str:
    if isinstance(leaf, ItemLeaf):
        return leaf.item
    if isinstance(leaf, ScoreLeaf):
        return leaf.score
    if isinstance(leaf, CategoryLeaf):
        return leaf.category
    return leaf.validity_index


def _cut(at_or_above: float | None, at_or_below: float | None) -> tuple[float, bool]:
    if at_or_above is not None:
        return float(at_or_above), True
    if at_or_below is not None:
        return float(at_or_below), False
    msg = "a comparison needs at_or_above or at_or_below"
    raise UsageError(msg)
