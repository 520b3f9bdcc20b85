"""Which claims marked unverified a plan rests on, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.definitions.policy import AllOf, AnyOf, AtLeast, CategoryLeaf
from mhscreen.vocabulary import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.definitions import Instrument, NormTable, Policy
    from mhscreen.definitions.policy import Condition, Leaf
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.vocabulary import Informant

__all__ = ["leaves", "unverified_claims"]


def unverified_claims(
    policy: Policy,
    instruments: Mapping[str, Instrument],
    norms: Sequence[NormTable],
    forms: Sequence[FormPlan],
) -> list[str]:
    """Return the names of the unverified claims that a plan uses, such as ``mht@1.0.0#total``."""
    claims = [
        *(c for form in forms for c in _of_form(instruments[form.instrument], form.informant)),
        *(c for norm in norms for c in _of_norm(norm)),
        *_of_policy(policy, instruments),
    ]
    return sorted({name for name, evidence in claims if evidence is Evidence.UNVERIFIED})


Claim = tuple[str, Evidence]


def _of_form(instrument: Instrument, informant: Informant) -> Iterator[Claim]:
    ref = instrument.ref
    yield f"{ref}#items", instrument.evidence
    for scale in instrument.scales_for(informant):
        yield f"{ref}#{scale.id}", scale.evidence
        if scale.missing is not None:
            yield f"{ref}#{scale.id}.missing", scale.missing.evidence
        cuts = scale.cut_set_for(informant)
        if cuts is not None:
            yield f"{ref}#{scale.id}.{cuts.id}", cuts.evidence
    for item in instrument.items:
        if item.blank_counts_as is not None:
            yield f"{ref}#{item.id}.blank_counts_as", item.blank_counts_as.evidence
    for critical in instrument.critical_items:
        yield f"{ref}#{critical.item}", critical.evidence
    for gate in instrument.gates:
        yield f"{ref}#{gate.id}", gate.evidence
    for index in instrument.validity_indices:
        yield f"{ref}#{index.id}", index.evidence
    for sign in instrument.quality:
        yield f"{ref}#{sign.id}", sign.evidence


def _of_norm(norm: NormTable) -> Iterator[Claim]:
    for scale in norm.scales:
        yield f"{norm.ref}#{scale.scale}", scale.evidence
        for stratum in scale.strata:
            yield f"{norm.ref}#{scale.scale}", stratum.evidence or scale.evidence


def _of_policy(policy: Policy, instruments: Mapping[str, Instrument]) -> Iterator[Claim]:
    for rule in policy.rules:
        yield f"{policy.ref}#{rule.id}", rule.evidence
        for leaf in leaves(rule.when):
            if not isinstance(leaf, CategoryLeaf):
                continue
            name, _, key = leaf.category.partition(".")
            if name in instruments:
                scale = instruments[name].scale(key)
                cuts = next(c for c in scale.cut_sets if c.id == leaf.cut_set)
                yield f"{instruments[name].ref}#{key}.{cuts.id}", cuts.evidence


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the leaves of a rule's condition."""
    children: tuple[Condition, ...]
    if isinstance(condition, AllOf):
        children = condition.all
    elif isinstance(condition, AnyOf):
        children = condition.any
    elif isinstance(condition, AtLeast):
        children = condition.at_least.of
    else:
        yield condition
        return
    for child in children:
        yield from leaves(child)
