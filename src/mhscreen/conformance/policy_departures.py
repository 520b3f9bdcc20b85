"""Ways to screen otherwise than a policy says: changed rules, and what programs do with blanks."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.policy_scorer import (
    FLAGS,
    PolicyChange,
    PolicyDeparture,
    Screener,
)
from mhscreen.conformance.scorer import Column
from mhscreen.definitions.keys import complete_scores
from mhscreen.definitions.policy import (
    AllOf,
    AnyOf,
    AtLeast,
    CategoryLeaf,
    CriticalItemLeaf,
    ItemLeaf,
    ScoreLeaf,
)
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS
from mhscreen.plan.claims import leaves
from mhscreen.plan.triage import compile_triage
from mhscreen.problems import UsageError
from mhscreen.review.mutants import neighbours
from mhscreen.vocabulary import Fault, Flag, Requirement, ScreenTier, Tier, Validity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_scorer import Pupils
    from mhscreen.conformance.scorer import Columns
    from mhscreen.definitions import Policy
    from mhscreen.definitions.instrument import CutSet
    from mhscreen.definitions.policy import Condition, Leaf, Rule
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.norm import NormedScores
    from mhscreen.steps.triage import Triage

__all__ = ["mildest_codes", "policy_departures", "raised_flags"]

GENERAL = Tier.GENERAL.position
UNDETERMINED = ScreenTier.UNDETERMINED.position
NOT_SCREENED = ScreenTier.NOT_SCREENED.position


@lru_cache(maxsize=4)
def policy_departures(screener: Screener) -> tuple[PolicyDeparture, ...]:
    """Return every departure that is tried, rule by rule and then in what is done with blanks."""
    found = []
    for name, rule, policy in _changed_policies(screener):
        try:
            triage = compile_triage(
                policy, screener.plan.instruments, screener.plan.forms, screener.plan.norms
            )
        except UsageError:
            continue  # nothing can be screened so
        plan = replace(screener.plan, policy=policy, triage=triage)
        found.append(PolicyDeparture(name, Fault.RULE, PolicyChange(plan=plan), rule, policy))
    return (*found, *_behaviours(screener))


# -- rules ----------------------------------------------------------------------------------------


def _changed_policies(screener: Screener) -> Iterator[tuple[str, str, Policy]]:
    policy = screener.plan.policy
    for place, rule in enumerate(policy.rules):
        if len(policy.rules) > 1:
            yield f"{rule.id}: left out", rule.id, with_rule(policy, place, None)
        for what, changed in _changed_rules(screener, rule):
            yield f"{rule.id}: {what}", rule.id, with_rule(policy, place, changed)
    for gap in (policy.informant_gap - 1, policy.informant_gap + 1):
        if gap >= 1:
            what = f"informants differ from {gap} tiers"
            yield what, "", policy.model_copy(update={"informant_gap": gap})


def with_rule(policy: Policy, place: int, rule: Rule | None) -> Policy:
    """Return the policy with one rule replaced, or left out."""
    rules = list(policy.rules)
    rules[place : place + 1] = [] if rule is None else [rule]
    return policy.model_copy(update={"rules": tuple(rules)})


def _changed_rules(screener: Screener, rule: Rule) -> Iterator[tuple[str, Rule]]:
    for tier in Tier:
        if tier is not rule.tier:
            yield f"gives {tier}", rule.model_copy(update={"tier": tier})
    for flag in rule.flags:
        kept = tuple(one for one in rule.flags if one is not flag)
        yield f"does not flag {flag}", rule.model_copy(update={"flags": kept})
    for what, when in _changed(screener, rule.when):
        yield what, rule.model_copy(update={"when": when})


def _changed(screener: Screener, node: Condition) -> Iterator[tuple[str, Condition]]:
    if not isinstance(node, AllOf | AnyOf | AtLeast):
        yield from _changed_leaves(screener, node)
        return
    children: Sequence[Condition]
    make: Callable[[Sequence[Condition]], Condition]
    others: list[tuple[str, Condition]]
    if isinstance(node, AllOf):
        children, make = node.all, _all
        others = [("any for all", _any(children))]
    elif isinstance(node, AnyOf):
        children, make = node.any, _any
        others = [("all for any", _all(children))]
    else:
        children, count = node.at_least.of, node.at_least.count
        make = _counted(count)
        others = [
            (f"at least {number} for {count}", _counted(number)(children))
            for number in (count - 1, count + 1)
            if 1 <= number <= len(children)
        ]
    if len(children) > 1:
        yield from others
    for place, child in enumerate(children):
        if len(children) > 1:
            yield f"{_words(child)} left out", make((*children[:place], *children[place + 1 :]))
        for what, changed in _changed(screener, child):
            yield what, make((*children[:place], changed, *children[place + 1 :]))


def _all(children: Sequence[Condition]) -> Condition:
    return AllOf(all=tuple(children))


def _any(children: Sequence[Condition]) -> Condition:
    return AnyOf(any=tuple(children))


def _counted(count: int) -> Callable[[Sequence[Condition]], Condition]:
    def make(children: Sequence[Condition]) -> Condition:
        return AtLeast.model_validate({"at_least": {"count": count, "of": tuple(children)}})

    return make


def _words(node: Condition) -> str:
    """Return a condition in few words, for the name of a departure."""
    if isinstance(node, AllOf):
        return f"({' and '.join(map(_words, node.all))})"
    if isinstance(node, AnyOf):
        return f"({' or '.join(map(_words, node.any))})"
    if isinstance(node, AtLeast):
        return f"(at least {node.at_least.count} of {len(node.at_least.of)})"
    return _leaf_words(node)


def _leaf_words(leaf: Leaf) -> str:
    who = f"@{leaf.informant}" if leaf.informant is not None else ""
    if isinstance(leaf, CriticalItemLeaf):
        return f"any {leaf.critical_item}{who}"
    if isinstance(leaf, CategoryLeaf):
        return f"{leaf.category}{who} from {leaf.at_or_above}"
    if isinstance(leaf, ItemLeaf | ScoreLeaf):
        name = leaf.item if isinstance(leaf, ItemLeaf) else leaf.score
        cut = leaf.at_or_below if leaf.at_or_above is None else leaf.at_or_above
        return f"{name}{who} from {cut:g}"
    return f"{leaf.validity_index}{who}"


def _changed_leaves(screener: Screener, leaf: Leaf) -> Iterator[tuple[str, Leaf]]:
    for what, update in _leaf_updates(screener, leaf):
        yield f"{_words(leaf)}: {what}", leaf.model_copy(update=update)
    if isinstance(leaf, CategoryLeaf) and leaf.informant is not None:
        for what, other in _other_bands(screener, leaf):
            yield f"{_words(leaf)}: {what}", other


def _other_bands(screener: Screener, leaf: CategoryLeaf) -> Iterator[tuple[str, Leaf]]:
    """Read another informant's form by that one's bands, and this one's form by the other's.

    Bands are those that the policy itself uses for the other informant.
    """
    policy = screener.plan.policy
    instrument, _, key = leaf.category.partition(".")
    sets = {one.id: one for one in screener.plan.instruments[instrument].scale(key).cut_sets}
    used = {
        one.informant: sets[one.cut_set]
        for rule in policy.rules
        for one in leaves(rule.when)
        if isinstance(one, CategoryLeaf) and one.category == leaf.category
    }
    for other, cuts in used.items():
        cut = next((c.cut for c in cuts.categories if c.id == leaf.at_or_above), None)
        if other is None or other is leaf.informant or cut is None:
            continue
        theirs = {"informant": other, "cut_set": cuts.id}
        yield f"read of {other}", leaf.model_copy(update=theirs)
        side = "at_or_above" if _is_upwards(cuts) else "at_or_below"
        score = {"score": leaf.category, "informant": leaf.informant, side: cut}
        yield f"by the bands of {other}", ScoreLeaf.model_validate(score)


def _is_upwards(cuts: CutSet) -> bool:
    return any(category.at_or_above is not None for category in cuts.categories)


def _leaf_updates(screener: Screener, leaf: Leaf) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(leaf, CriticalItemLeaf):
        yield from _other_critical_items(leaf)
    elif isinstance(leaf, CategoryLeaf):
        yield from _other_categories(screener, leaf)
    elif isinstance(leaf, ItemLeaf | ScoreLeaf):
        name = leaf.item if isinstance(leaf, ItemLeaf) else leaf.score
        key, _, part = name.partition(".")
        instrument = screener.plan.instruments[key]
        if isinstance(leaf, ItemLeaf):
            yield from _moved(leaf, sorted(set(instrument.options(part).scores)), inside=True)
        else:
            scores = complete_scores(instrument, instrument.scale(part))
            yield from _moved(leaf, scores, inside=False)
        for other in instrument.informants:
            if leaf.informant is not None and other is not leaf.informant:
                yield f"read of {other}", {"informant": other}
        if leaf.absent is not None:
            yield "an absent form decides nothing", {"absent": None}


def _other_critical_items(leaf: CriticalItemLeaf) -> Iterator[tuple[str, dict[str, Any]]]:
    if leaf.windows:
        yield "whenever it was", {"windows": ()}
        for window in leaf.windows if len(leaf.windows) > 1 else ():
            kept = tuple(one for one in leaf.windows if one is not window)
            yield f"{window} left out", {"windows": kept}
    if leaf.directness is not None:
        yield "direct or not", {"directness": None}


def _other_categories(
    screener: Screener, leaf: CategoryLeaf
) -> Iterator[tuple[str, dict[str, Any]]]:
    instrument, _, key = leaf.category.partition(".")
    cuts = screener.plan.instruments[instrument].scale(key).cut_sets
    names = [c.id for one in cuts if one.id == leaf.cut_set for c in one.categories]
    here = names.index(leaf.at_or_above)
    for place in (here - 1, here + 1):
        if 0 < place < len(names):
            yield f"from {names[place]}", {"at_or_above": names[place]}


def _moved(
    leaf: ItemLeaf | ScoreLeaf, values: Sequence[float], *, inside: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    upwards = leaf.at_or_above is not None
    cut = leaf.at_or_above if upwards else leaf.at_or_below
    if cut is None:
        return
    key = "at_or_above" if upwards else "at_or_below"
    for moved in neighbours(values, cut, upwards=upwards, step=1.0):
        if not inside or moved in values:
            yield f"{key} {moved:g}", {key: type(cut)(moved)}


# -- what is done with blanks, absent and invalid forms, several rules and informants -------------


def _behaviours(screener: Screener) -> Iterator[PolicyDeparture]:
    plan = screener.plan

    def one(name: str, fault: Fault, **change: Any) -> PolicyDeparture:
        return PolicyDeparture(name, fault, PolicyChange(**change))

    if any(form.critical for form in plan.forms):
        yield one("a blank critical item counts as no", Fault.CRITICAL, read=_critical_as_no)
    yield one("a blank is read as the mildest option", Fault.BLANK, read=_as_mildest)
    yield one("only complete forms are read", Fault.BLANK, read=_complete_only)
    needing_all = tuple(map(_needing_all, plan.forms))
    if any(one is not other for one, other in zip(needing_all, plan.forms, strict=True)):
        scored = replace(plan, forms=needing_all)
        yield one("a score with blanks is not counted", Fault.BLANK, plan=scored, scored=scored)
    uses = plan.uses.copy()
    uses[uses == Requirement.REQUIRED.position] = Requirement.ON_EVENT.position
    calm = replace(plan, uses=uses)
    yield one("a required form that is absent says nothing", Fault.BLANK, plan=calm)
    yield one("what blanks leave open is ruled out", Fault.BLANK, say=_open_is_no)
    yield one("what is not settled is shown as found", Fault.BLANK, say=_shown_as_found)
    yield one("what blanks leave open is shown as found", Fault.BLANK, say=_possible_unseen)
    yield one("not screened is shown as none", Fault.BLANK, say=_nobody_as_none)
    if any(form.validity for form in plan.forms):
        yield one("an invalid form is shown as found", Fault.VALIDITY, say=_invalid_as_found)
        yield one("an invalid form is not read", Fault.VALIDITY, read=_invalid_unread)
        yield one("an invalid form is read as calm", Fault.VALIDITY, read=_invalid_as_calm)
    for name, every in (
        ("a form for another stage is not read at all", False),
        ("a form for another stage is read as any other", True),
    ):
        changed = tuple(replace(leaf, critical=every) for leaf in plan.triage.leaves)
        if changed == plan.triage.leaves:
            continue
        other = replace(plan, triage=replace(plan.triage, leaves=changed))
        yield one(name, Fault.RULE, plan=other)
    yield one("the mean of the rules decides", Fault.RULE, say=_tier_by(np.nanmean))
    yield one("the mildest rule decides", Fault.RULE, say=_tier_by(np.nanmin))
    yield one("the last rule decides", Fault.RULE, say=_last)
    for informant in dict.fromkeys(form.informant for form in plan.forms):
        if len({form.informant for form in plan.forms}) > 1:
            read = _without(str(informant))
            yield one(f"forms of the {informant} are not read", Fault.RULE, read=read)
    for flag in raised_flags(screener):
        yield one(f"flag {flag} is not raised", Fault.RULE, say=_no_flag(f"flag.{flag}"))


def _needing_all(form: FormPlan) -> FormPlan:
    """Return a form without prorated scores; the form itself where it has none."""
    if all(scale.min_answered == scale.n_items for scale in form.scales):
        return form
    scales = tuple(replace(scale, min_answered=scale.n_items) for scale in form.scales)
    return replace(form, scales=scales)


def raised_flags(screener: Screener) -> tuple[Flag, ...]:
    """Return the flags that some pupil can have under a policy."""
    plan = screener.plan
    by_rule = {flag for rule in plan.policy.rules for flag in rule.flags}
    status = {index.status for form in plan.forms for index in form.validity}
    impossible = {Flag.ASK_DIRECTLY, Flag.SEVERE_CANDIDATE} - by_rule
    if Validity.INVALID not in status:
        impossible.add(Flag.INVALID)
    if Validity.QUESTIONABLE not in status:
        impossible.add(Flag.QUESTIONABLE)
    return tuple(flag for flag in FLAGS if flag not in impossible)


def _with_codes(pupils: Pupils, codes: Sequence[NDArray[np.uint8]]) -> Pupils:
    return replace(pupils, codes=tuple(codes))


def mildest_codes(screener: Screener, slot: int) -> NDArray[np.uint8]:
    """Return the least concerning answer to each item of a form, shape (items, 1)."""
    found = []
    for item in screener.plan.forms[slot].items:
        values = item.scores if item.upwards else -item.scores
        found.append(int(np.argmin(values)))
    return np.array(found, dtype=np.uint8)[:, None]


def _critical_as_no(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
    del normed
    changed = []
    for slot, codes in enumerate(pupils.codes):
        codes = codes.copy()  # noqa: PLW2901 - the pupils stay as they are
        mild = mildest_codes(screener, slot)
        for item in screener.plan.forms[slot].critical:
            blank = ~rc.is_answered(codes[item.row])
            codes[item.row, blank] = mild[item.row, 0]
        changed.append(codes)
    return _with_codes(pupils, changed)


def _as_mildest(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
    del normed
    return _with_codes(
        pupils,
        [
            np.where(rc.is_answered(codes), codes, mildest_codes(screener, slot))
            for slot, codes in enumerate(pupils.codes)
        ],
    )


def _complete_only(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
    del screener, normed
    return _with_codes(
        pupils,
        [
            np.where(rc.is_answered(codes).all(axis=0), codes, np.uint8(rc.BLANK))
            for codes in pupils.codes
        ],
    )


def _invalid(normed: NormedScores, pupils: Pupils, slot: int) -> NDArray[np.bool_]:
    found = np.zeros(len(pupils), dtype=bool)
    form = normed.scores.forms[slot]
    who = normed.scores.batch.forms[slot].pupil
    found[who[form.validity == Validity.INVALID.position]] = True
    return found


def _invalid_unread(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
    del screener
    filed = [one & ~_invalid(normed, pupils, slot) for slot, one in enumerate(pupils.filed)]
    return replace(pupils, filed=tuple(filed))


def _invalid_as_calm(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
    return _with_codes(
        pupils,
        [
            np.where(_invalid(normed, pupils, slot), mildest_codes(screener, slot), codes)
            for slot, codes in enumerate(pupils.codes)
        ],
    )


def _without(informant: str) -> Callable[[Screener, Pupils, NormedScores], Pupils]:
    def read(screener: Screener, pupils: Pupils, normed: NormedScores) -> Pupils:
        del normed
        filed = [
            np.zeros_like(one) if str(form.informant) == informant else one
            for form, one in zip(screener.plan.forms, pupils.filed, strict=True)
        ]
        return replace(pupils, filed=tuple(filed))

    return read


def _changed_column(columns: Columns, name: str, values: NDArray[np.generic]) -> Columns:
    return {**columns, name: Column(values.astype(np.float64), columns[name].words)}


def _open_is_no(found: Triage, columns: Columns) -> Columns:
    return _changed_column(columns, "possible", found.established)


def _shown_as_found(found: Triage, columns: Columns) -> Columns:
    shown = np.where(found.screen == UNDETERMINED, found.established, found.screen)
    return _changed_column(columns, "screen", shown)


def _possible_unseen(found: Triage, columns: Columns) -> Columns:
    where = (found.screen == UNDETERMINED) & ~found.critical_open
    where &= columns["flag.invalid"].values == 0
    return _changed_column(columns, "screen", np.where(where, found.established, found.screen))


def _nobody_as_none(found: Triage, columns: Columns) -> Columns:
    return _changed_column(
        columns, "screen", np.where(found.screen == NOT_SCREENED, 0, found.screen)
    )


def _invalid_as_found(found: Triage, columns: Columns) -> Columns:
    where = (found.screen == UNDETERMINED) & (columns["flag.invalid"].values == 1)
    where &= ~found.critical_open & (found.possible < GENERAL)
    return _changed_column(columns, "screen", np.where(where, found.established, found.screen))


def _decided(found: Triage, columns: Columns, tier: NDArray[np.int64]) -> Columns:
    """Let one tier stand in place of the highest."""
    shown = np.where(found.screen == found.established, tier, found.screen)
    columns = _changed_column(columns, "established", tier)
    return _changed_column(columns, "screen", shown)


def _tier_by(
    number: Callable[..., NDArray[np.float64]],
) -> Callable[[Triage, Columns], Columns]:
    def say(found: Triage, columns: Columns) -> Columns:
        tiers = np.array([[rule.tier] for rule in found.plan.triage.rules], dtype=np.float64)
        held = np.where(found.truth == HOLDS, tiers, np.nan)
        held = np.vstack([held, np.where(np.isnan(held).all(axis=0), 0.0, np.nan)])
        return _decided(found, columns, np.floor(number(held, axis=0)).astype(np.int64))

    return say


def _last(found: Triage, columns: Columns) -> Columns:
    by_id = {rule.id: (place, rule.tier) for place, rule in enumerate(found.plan.triage.rules)}
    tier = np.zeros(len(found.established), dtype=np.int64)
    for rule in found.plan.policy.rules:
        place, reached = by_id[rule.id]
        tier[found.truth[place] == HOLDS] = reached
    return _decided(found, columns, tier)


def _no_flag(name: str) -> Callable[[Triage, Columns], Columns]:
    def say(found: Triage, columns: Columns) -> Columns:
        del found
        return _changed_column(columns, name, np.zeros(len(columns[name].values)))

    return say
