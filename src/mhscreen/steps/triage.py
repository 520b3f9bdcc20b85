"""Triage: every rule on every form, three-valued, and the highest tier stands.

Each pupil is evaluated once for every way of taking one form per slot (once, unless forms were
handed in twice), so that the items of two forms are never mixed; the tiers are the maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.kernels.codes import COUNTED_BLANK
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least, at_or_past
from mhscreen.problems import UsageError
from mhscreen.steps.due import due_times
from mhscreen.steps.score import item_truth, scale_truth
from mhscreen.vocabulary import (
    Concern,
    Directness,
    Flag,
    Informant,
    Requirement,
    ScreenTier,
    Tier,
    Validity,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions.policy import Due
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.triage import LeafPlan, Node, RulePlan
    from mhscreen.steps.norm import NormedScores
    from mhscreen.steps.score import FormScores

__all__ = ["Evidence", "Reason", "Triage", "triage"]

MOST_COMBINATIONS = 4096
"""More ways of combining a pupil's forms are not gone through; the pupil is then an error."""

GENERAL = Tier.GENERAL.position
REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position


class Evidence(NamedTuple):
    """What one comparison of a rule found.

    Attributes
    ----------
    name, slot, metric : str
        ``phqa.total``, where it was answered, and in what the number is expressed.
    value, low, high : float or None
        The score and its bounds; None where there is none.
    cut : float
        What it was compared with.
    upwards : bool
        Whether at or above the cut is the far side.
    state : int
        Three-valued, see `mhscreen.kernels.logic`.
    filed : bool
        Whether the slot has a form with an answer.
    invalid_form : bool
        Whether that form is invalid.
    """

    name: str
    slot: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    cut: float
    upwards: bool
    state: int
    filed: bool
    invalid_form: bool


@dataclass(frozen=True)
class Reason:
    """A rule that holds, or that blanks leave undecided, for one pupil."""

    rule: RulePlan
    holds: bool
    evidence: tuple[Evidence, ...]

    @property
    def tier(self) -> Tier:
        """The tier that the rule reaches."""
        return Tier.at(self.rule.tier)


@dataclass(frozen=True)
class Triage:
    """Tiers, flags and rules of a batch.

    Attributes
    ----------
    normed : NormedScores
        What it rests on.
    established, possible : ndarray of int8, shape (pupils,)
        Positions in `Tier`: the highest rule that holds, and the highest that could.
    screen : ndarray of int8, shape (pupils,)
        Position in `ScreenTier`: what is shown.
    flags : dict of Flag to ndarray of bool, shape (pupils,)
    truth : ndarray of int8, shape (rules, pupils)
        Three-valued.
    critical_open : ndarray of bool, shape (pupils,)
        Where a critical item is unanswered.
    answered : ndarray of bool, shape (pupils,)
        Where any form holds an answer.
    not_asked : ndarray of bool, shape (concerns of the policy, pupils)
        Where nobody asked about a concern in plain words.
    clock : ndarray of datetime64[s], shape (pupils,)
        When the first of the pupil's forms was submitted, in UTC; NaT where not known.
    """

    plan: Plan
    normed: NormedScores
    established: NDArray[np.int8]
    possible: NDArray[np.int8]
    screen: NDArray[np.int8]
    flags: dict[Flag, NDArray[np.bool_]]
    truth: NDArray[np.int8]
    critical_open: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    not_asked: NDArray[np.bool_]
    clock: NDArray[np.datetime64]
    _ways: _Ways
    _leaves: NDArray[np.int8]

    @property
    def subjects(self) -> NDArray[np.object_]:
        """The pupils' references, in roster order."""
        return self.normed.scores.batch.roster.subject

    @property
    def established_tier(self) -> list[Tier]:
        """The highest rule that holds, per pupil."""
        return [Tier.at(place) for place in self.established.tolist()]

    @property
    def possible_tier(self) -> list[Tier]:
        """The highest tier that the blanks leave possible, per pupil."""
        return [Tier.at(place) for place in self.possible.tolist()]

    @property
    def screen_tier(self) -> list[ScreenTier]:
        """What is shown, per pupil."""
        return [ScreenTier.at(place) for place in self.screen.tolist()]

    def flags_of(self, pupil: int) -> list[Flag]:
        """Return the flags of the pupil at a place on the roster."""
        return [flag for flag, where in self.flags.items() if where[pupil]]

    def place(self, subject: str) -> int:
        """Return the place of a pupil on the roster.

        Raises
        ------
        UsageError
            If the roster does not hold the pupil.
        """
        found = np.flatnonzero(self.subjects == subject)
        if not len(found):
            msg = "the roster holds no such subject"
            raise UsageError(msg)
        return int(found[0])

    def reasons(self, subject: str) -> list[Reason]:
        """Return the rules that hold or are undecided for a pupil, highest tier first."""
        return self.reasons_at(self.place(subject))

    def reasons_at(self, pupil: int) -> list[Reason]:
        """Return the reasons of the pupil at a place on the roster."""
        found = []
        for place, rule in enumerate(self.plan.triage.rules):
            state = int(self.truth[place, pupil])
            if state:
                evidence = self.evidence(place, np.array([pupil]))[0]
                found.append(Reason(rule, state == HOLDS, tuple(evidence)))
        return sorted(found, key=lambda reason: (not reason.holds, -reason.rule.tier))

    def evidence(self, rule: int, pupils: NDArray[np.int64]) -> list[list[Evidence]]:
        """Return what made a rule hold, or leaves it undecided, for some pupils.

        Parameters
        ----------
        rule : int
            Place of the rule.
        pupils : ndarray of int64
            Places on the roster.

        Returns
        -------
        list of list of Evidence
            For each pupil, the comparisons that stand where the rule stands.
        """
        plan = self.plan.triage.rules[rule]
        state = self.truth[rule, pupils]
        way = self._ways.first[pupils].copy()
        for place in np.flatnonzero(self._ways.number[pupils] > 1).tolist():
            ways = self._ways.of(int(pupils[place]))
            truth = _evaluate(plan.node, self._leaves[:, ways.start : ways.stop])
            way[place] = ways[int(np.flatnonzero(truth == state[place])[0])]
        found: list[list[Evidence]] = [[] for _ in range(len(pupils))]
        for leaf in plan.leaves:
            hit = np.flatnonzero(self._leaves[leaf, way] == state)
            if not len(hit):
                continue
            one = self.plan.triage.leaves[leaf]
            form = self._ways.form[one.slot, way[hit]]
            slot = self.plan.slots[one.slot]
            metric, numbers = _leaf_numbers(self.normed, one, form)
            for place, state_of, (value, low, high, filed, invalid) in zip(
                hit.tolist(), state[hit].tolist(), numbers, strict=True
            ):
                found[place].append(
                    Evidence(
                        one.name,
                        slot,
                        metric,
                        value,
                        low,
                        high,
                        one.cut,
                        one.upwards,
                        state_of,
                        filed,
                        invalid,
                    )
                )
        return found

    def due_at(self, at: np.datetime64 | None = None) -> NDArray[np.datetime64]:
        """Return by when a person must act: the earliest over all reasons and flags.

        Parameters
        ----------
        at : datetime64[s], optional
            When the clock starts for pupils whose forms have no time; by default the batch's.

        Returns
        -------
        ndarray of datetime64[s], shape (pupils,)
            In UTC; NaT where nothing is due or the clock is not known.
        """
        batch = self.normed.scores.batch
        start = batch.at if at is None else at
        clock = np.where(
            np.isnat(self.clock), np.datetime64("NaT", "s") if start is None else start, self.clock
        )
        due = np.full(len(clock), np.datetime64("NaT"), dtype="M8[s]")
        states = self.plan.policy.states
        undetermined = self.screen == ScreenTier.UNDETERMINED.position
        wanted: list[tuple[Due, NDArray[np.bool_]]] = [
            (rule.due, truth == HOLDS)
            for rule, truth in zip(self.plan.triage.rules, self.truth, strict=True)
        ]
        wanted += [
            (states.critical_unanswered, self.critical_open & self.answered),
            (states.invalid, self.flags[Flag.INVALID]),
            (states.possible, undetermined & (self.possible >= GENERAL)),
            (states.error, self.flags[Flag.ERROR] | self.flags[Flag.IDENTITY]),
            (states.not_screened, self.screen == ScreenTier.NOT_SCREENED.position),
        ]
        for one, where in wanted:
            if where.any():
                due[where] = np.fmin(due[where], due_times(self.plan.programme, one, clock[where]))
        return due


@dataclass(frozen=True)
class _Ways:
    """Every way of taking one form per slot.

    Attributes
    ----------
    pupil : ndarray of int64, shape (ways,)
        Rising places on the roster; every pupil at least once.
    form : ndarray of int64, shape (slots, ways)
        −1 where the slot has no form.
    first : ndarray of int64, shape (pupils,)
        Each pupil's first way.
    number : ndarray of int64, shape (pupils,)
        How many ways each pupil has.
    too_many : list of int
        Pupils whose ways are not all gone through.
    """

    pupil: NDArray[np.int64]
    form: NDArray[np.int64]
    first: NDArray[np.int64]
    number: NDArray[np.int64]
    too_many: list[int]

    def of(self, pupil: int) -> range:
        """Return the ways of one pupil."""
        start = int(self.first[pupil])
        return range(start, start + int(self.number[pupil]))

    def highest(self, values: NDArray[np.int8]) -> NDArray[np.int8]:
        """Return the maximum over each pupil's ways, along the last axis."""
        if len(self.pupil) == len(self.first):
            return values
        return np.asarray(np.maximum.reduceat(values, self.first, axis=-1))

    def any(self, values: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return whether a value is true in any of each pupil's ways."""
        return self.highest(values.astype(np.int8)).astype(bool)


def triage(plan: Plan, normed: NormedScores) -> Triage:
    """Evaluate a policy on a normed batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    normed : NormedScores
        Normed scores.

    Returns
    -------
    Triage
        Neither the order of the pupils nor that of the forms, nor any other pupil, changes a
        pupil's tiers.
    """
    scores = normed.scores
    batch = scores.batch
    roster = batch.roster
    ways = _take_one_form_per_slot(normed)
    group = roster.group[ways.pupil]
    uses = np.stack([plan.uses[group, slot] for slot in range(len(plan.forms))])
    leaves = _gather_leaves(plan, normed, ways, uses)
    truth = np.stack([_evaluate(rule.node, leaves) for rule in plan.triage.rules])
    rule_tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    established = ways.highest(np.where(truth == HOLDS, rule_tiers, 0).max(axis=0).astype(np.int8))
    possible = ways.highest(np.where(truth >= UNDECIDED, rule_tiers, 0).max(axis=0).astype(np.int8))
    truth_of_pupil = ways.highest(truth)

    filed = _of_forms(scores.forms, ways, lambda form: form.filed, missing=False)
    present = ways.form >= 0
    required = uses == REQUIRED
    used = uses != NOT_USED
    critical_open = _of_forms(scores.forms, ways, lambda form: form.critical_open, missing=True)
    has_critical = np.array([[bool(form.critical)] for form in plan.forms])
    open_somewhere = (critical_open & has_critical & (present | required)).any(axis=0)
    complete = _of_forms(scores.forms, ways, lambda form: form.complete, missing=False)
    incomplete = (~complete & used & (present | required)).any(axis=0)
    validity = _of_forms(scores.forms, ways, lambda form: form.validity, missing=0)
    asked_for = np.where(required.any(axis=0), (filed & required).any(axis=0), filed.any(axis=0))

    flags = {
        Flag.INCOMPLETE: ways.any(incomplete),
        Flag.INVALID: ways.any(((validity == Validity.INVALID.position) & used).any(axis=0)),
        Flag.QUESTIONABLE: ways.any(
            ((validity == Validity.QUESTIONABLE.position) & used).any(axis=0)
        ),
        Flag.ESTIMATED: ways.any(_rests_on_estimate(plan, scores.forms, ways, leaves, truth)),
        Flag.DUPLICATE: _several(normed) | roster.duplicate,
        Flag.NOT_NORMED: _not_normed(normed, len(roster)),
        Flag.WRONG_STAGE: ways.any((present & ~used).any(axis=0)),
        Flag.IDENTITY: batch.identity.copy(),
        Flag.ERROR: roster.error.copy(),
        Flag.ASK_DIRECTLY: np.zeros(len(roster), dtype=bool),
        Flag.SEVERE_CANDIDATE: np.zeros(len(roster), dtype=bool),
        Flag.INFORMANTS_DIFFER: ways.any(_informants_differ(plan, ways, leaves, filed)),
    }
    flags[Flag.ERROR][ways.too_many] = True
    for rule, holds in zip(plan.triage.rules, truth_of_pupil == HOLDS, strict=True):
        for flag in rule.flags:
            flags[flag] = flags[flag] | holds

    open_critical = ways.any(open_somewhere)
    screen = _shown(
        established,
        possible,
        screened=ways.any(asked_for),
        any_rule=(truth_of_pupil == HOLDS).any(axis=0),
        unsettled=open_critical | flags[Flag.INVALID] | flags[Flag.ERROR] | flags[Flag.IDENTITY],
        error=flags[Flag.ERROR] | flags[Flag.IDENTITY],
    )
    return Triage(
        plan=plan,
        normed=normed,
        established=established,
        possible=possible,
        screen=screen,
        flags=flags,
        truth=truth_of_pupil,
        critical_open=open_critical,
        answered=ways.any(np.asarray(filed.any(axis=0))),
        not_asked=_not_asked(plan, normed),
        clock=_first_submission(normed),
        _ways=ways,
        _leaves=leaves,
    )


def _shown(
    established: NDArray[np.int8],
    possible: NDArray[np.int8],
    *,
    screened: NDArray[np.bool_],
    any_rule: NDArray[np.bool_],
    unsettled: NDArray[np.bool_],
    error: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Return what is shown: an established general or higher always; nothing unsettled as none."""
    shown = established.copy()
    hidden = established < GENERAL
    shown[hidden & (unsettled | (possible >= GENERAL))] = ScreenTier.UNDETERMINED.position
    shown[~screened & ~any_rule & ~error] = ScreenTier.NOT_SCREENED.position
    return shown


def _take_one_form_per_slot(normed: NormedScores) -> _Ways:
    scores = normed.scores
    pupils = len(scores.batch.roster)
    counts = np.stack([np.bincount(forms.pupil, minlength=pupils) for forms in scores.batch.forms])
    several = np.flatnonzero((counts > 1).any(axis=0))
    number = np.ones(pupils, dtype=np.int64)
    choices: dict[int, list[tuple[int, ...]]] = {}
    too_many = []
    for pupil in several.tolist():
        options = [
            scores.worst_first(slot, pupil).tolist() or [-1]
            for slot in range(len(scores.batch.forms))
        ]
        if prod(map(len, options)) > MOST_COMBINATIONS:
            too_many.append(pupil)
            longest = max(map(len, options))
            choices[pupil] = [
                tuple(o[min(place, len(o) - 1)] for o in options) for place in range(longest)
            ]
        else:
            choices[pupil] = list(product(*options))
        number[pupil] = len(choices[pupil])
    pupil_of_way = np.repeat(np.arange(pupils), number)
    first = np.cumsum(number) - number
    form = scores.shown[:, pupil_of_way]
    for pupil, ways in choices.items():
        form[:, first[pupil] : first[pupil] + len(ways)] = np.array(ways).T
    return _Ways(pupil_of_way, form, first, number, too_many)


def _of_forms(
    forms: Sequence[FormScores],
    ways: _Ways,
    get: Callable[[FormScores], NDArray[Any]],
    *,
    missing: float | bool,
) -> NDArray[Any]:
    """Return a property of the forms, shape (slots, ways); `missing` where there is no form."""
    rows = []
    for scored, form in zip(forms, ways.form, strict=True):
        values = get(scored)
        padded = np.append(values, np.array([missing], dtype=values.dtype))
        rows.append(padded[form])
    return np.stack(rows)


def _gather_leaves(
    plan: Plan, normed: NormedScores, ways: _Ways, uses: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Return the truth of every leaf, shape (leaves, ways).

    An absent required slot leaves its leaves undecided; an absent on-event slot decides
    nothing. On a form meant for another stage only critical items count.
    """
    gathered = np.zeros((len(plan.triage.leaves), len(ways.pupil)), dtype=np.int8)
    for place, leaf in enumerate(plan.triage.leaves):
        form = ways.form[leaf.slot]
        on_forms = np.append(_leaf_truth(normed, leaf), np.int8(0))
        truth = on_forms[form]
        use = uses[leaf.slot]
        truth[(form < 0) & (use == REQUIRED)] = UNDECIDED
        if not leaf.critical:
            truth[use == NOT_USED] = 0
        gathered[place] = truth
    return gathered


def _leaf_truth(normed: NormedScores, leaf: LeafPlan) -> NDArray[np.int8]:
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind == "item":
        cut = int(leaf.cut)
        return item_truth(scored.plan, scored.codes, leaf.place, cut, upwards=leaf.upwards)
    if leaf.kind == "critical":
        return np.asarray(scored.critical[leaf.place])
    if leaf.kind == "validity":
        return np.asarray(scored.indices[leaf.place])
    if leaf.kind == "scale":
        return scale_truth(scored.plan.scales[leaf.place], scored.scales[leaf.place], leaf.cut)
    one = normed.norms[leaf.place].derived[leaf.metric]
    surest, furthest = (one.low, one.high) if leaf.upwards else (one.high, one.low)
    better_known = np.fmax if leaf.upwards else np.fmin
    truth = at_or_past(better_known(one.value, surest), furthest, leaf.cut, upwards=leaf.upwards)
    return np.where(np.isnan(one.low) | np.isnan(one.high), UNDECIDED, truth).astype(np.int8)


def _evaluate(node: Node, leaves: NDArray[np.int8]) -> NDArray[np.int8]:
    if node.op == "leaf":
        return np.asarray(leaves[node.leaf])
    if node.op == "never":
        return np.zeros(leaves.shape[1], dtype=np.int8)
    children = [_evaluate(child, leaves) for child in node.children]
    if node.op == "all":
        return all_of(children)
    if node.op == "any":
        return any_of(children)
    return at_least(node.count, children)


def _rests_on_estimate(
    plan: Plan,
    forms: Sequence[FormScores],
    ways: _Ways,
    leaves: NDArray[np.int8],
    truth: NDArray[np.int8],
) -> NDArray[np.bool_]:
    """Return where a rule would not hold on the answered items alone."""
    without = leaves.copy()
    for place, leaf in enumerate(plan.triage.leaves):
        scored = forms[leaf.slot]
        if leaf.kind == "scale":
            scores = scored.scales[leaf.place]
            scale = scored.plan.scales[leaf.place]
            sure = scores.bottom if scale.upwards else scores.top
            estimated = scores.estimated & (
                at_or_past(sure, sure, leaf.cut, upwards=scale.upwards) != HOLDS
            )
        elif leaf.kind in ("item", "critical") and scored.counted.any():
            row = leaf.place if leaf.kind == "item" else scored.plan.critical[leaf.place].row
            estimated = scored.codes[row] == COUNTED_BLANK
        else:
            continue
        hit = np.append(estimated, False)[ways.form[leaf.slot]]
        without[place, hit & (without[place] == HOLDS)] = UNDECIDED
    sure_truth = np.stack([_evaluate(rule.node, without) for rule in plan.triage.rules])
    return np.asarray(((truth == HOLDS) & (sure_truth != HOLDS)).any(axis=0))


def _informants_differ(
    plan: Plan, ways: _Ways, leaves: NDArray[np.int8], filed: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where two informants alone establish tiers that lie far apart."""
    tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    lowest = np.full(len(ways.pupil), len(Tier), dtype=np.int8)
    highest = np.full(len(ways.pupil), -1, dtype=np.int8)
    for informant in Informant:
        slots = [place for place, form in enumerate(plan.forms) if form.informant is informant]
        if not slots:
            continue
        other = [leaf.slot not in slots for leaf in plan.triage.leaves]
        alone = leaves.copy()
        alone[other] = 0
        truth = np.stack([_evaluate(rule.node, alone) for rule in plan.triage.rules])
        tier = np.where(truth == HOLDS, tiers, 0).max(axis=0)
        there = filed[slots].any(axis=0)
        lowest = np.where(there, np.minimum(lowest, tier), lowest)
        highest = np.where(there, np.maximum(highest, tier), highest)
    return np.asarray(highest - lowest >= plan.policy.informant_gap)


def _several(normed: NormedScores) -> NDArray[np.bool_]:
    pupils = len(normed.scores.batch.roster)
    several = np.zeros(pupils, dtype=bool)
    for forms in normed.scores.batch.forms:
        several |= np.bincount(forms.pupil, minlength=pupils) > 1
    return several


def _not_normed(normed: NormedScores, pupils: int) -> NDArray[np.bool_]:
    flagged = np.zeros(pupils, dtype=bool)
    for one in normed.norms:
        forms = normed.scores.batch.forms[one.plan.slot]
        flagged[forms.pupil[one.not_normed]] = True
    return flagged


def _not_asked(plan: Plan, normed: NormedScores) -> NDArray[np.bool_]:
    """Return where no form with an answer asks about a concern in plain words."""
    batch = normed.scores.batch
    not_asked = np.ones((len(plan.policy.concerns), len(batch.roster)), dtype=bool)
    for form, bound, scored in zip(plan.forms, batch.forms, normed.scores.forms, strict=True):
        asked = {
            Concern(item.concern) for item in form.critical if item.directness is Directness.DIRECT
        }
        for place, concern in enumerate(plan.policy.concerns):
            if concern in asked:
                not_asked[place, bound.pupil[scored.filed]] = False
    return not_asked


def _first_submission(normed: NormedScores) -> NDArray[np.datetime64]:
    batch = normed.scores.batch
    clock = np.full(len(batch.roster), np.datetime64("NaT"), dtype="M8[s]")
    for forms in batch.forms:
        np.fmin.at(clock, forms.pupil, forms.administered_on)
    return clock


def _leaf_numbers(
    normed: NormedScores, leaf: LeafPlan, form: NDArray[np.int64]
) -> tuple[str, list[tuple[float | None, float | None, float | None, bool, bool]]]:
    """Return the metric and, per form (−1 for none), value, low, high, filed, invalid."""
    scored = normed.scores.forms[leaf.slot]
    if leaf.kind in ("item", "critical"):
        row = leaf.place if leaf.kind == "item" else scored.plan.critical[leaf.place].row
        metric, arrays = "item_score", _item_numbers(scored, row)
    elif leaf.kind == "derived":
        one = normed.norms[leaf.place].derived[leaf.metric]
        metric, arrays = leaf.metric, (one.value, one.low, one.high)
    else:
        place = leaf.place if leaf.kind == "scale" else scored.plan.validity[leaf.place].scale
        scale = scored.scales[place]
        metric, arrays = "raw", (scale.score, scale.low, scale.high)
    columns = [
        [None if number != number else number for number in np.append(a, np.nan)[form].tolist()]  # noqa: PLR0124
        for a in arrays
    ]
    filed = np.append(scored.filed, False)[form].tolist()
    invalid = np.append(scored.validity, -1)[form] == Validity.INVALID.position
    return metric, list(zip(*columns, filed, invalid.tolist(), strict=True))


def _item_numbers(
    scored: FormScores, row: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    item = scored.plan.items[row]
    value = np.full(256, np.nan)
    low = np.full(256, float(item.scores.min()))
    high = np.full(256, float(item.scores.max()))
    for table in (value, low, high):
        table[: len(item.scores)] = item.scores
    if item.blank_score is not None:
        value[COUNTED_BLANK] = item.blank_score
    codes = scored.codes[row]
    return value[codes], low[codes], high[codes]
