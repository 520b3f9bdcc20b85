"""Triage: every rule on every form, three-valued, and the highest tier stands.

Each pupil is evaluated once for every way of taking one form per slot (once, unless forms were
handed in twice), so that the items of two forms are never mixed; the tiers are the maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.kernels.codes import is_answered, missing_code
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least
from mhscreen.kernels.lookup import gather
from mhscreen.plan.plan import check_plan
from mhscreen.problems import UsageError, expect
from mhscreen.steps.due import due_times
from mhscreen.steps.facts import Fact, Facts, find_facts
from mhscreen.steps.leaves import leaf_numbers
from mhscreen.steps.norm import NormedScores
from mhscreen.steps.patterns import Patterns, find_patterns, leaf_keys, leaf_truths
from mhscreen.steps.ways import Ways, combine_forms
from mhscreen.vocabulary import (
    Concern,
    Directness,
    Flag,
    MissingReason,
    Requirement,
    ScreenTier,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from mhscreen.definitions.policy import Due
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.triage import Node, RulePlan

__all__ = ["Evidence", "Reason", "Triage", "evaluate", "triage"]

GENERAL = Tier.GENERAL.position
REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position
REACTED = is_answered(np.arange(256, dtype=np.uint8))
"""By response code: was anything said to the question?"""
REACTED[[missing_code(MissingReason.REFUSED), missing_code(MissingReason.DONT_KNOW)]] = True


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


@dataclass(frozen=True, eq=False, repr=False)
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
    critical_open : ndarray of bool, shape (pupils,)
        Where a critical item is unanswered.
    answered, recorded : ndarray of bool, shape (pupils,)
        Where any form holds an answer; and where it holds anything at all, a refusal or an
        illegible answer included.
    """

    plan: Plan
    normed: NormedScores
    established: NDArray[np.int8]
    possible: NDArray[np.int8]
    screen: NDArray[np.int8]
    flags: dict[Flag, NDArray[np.bool_]]
    critical_open: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    recorded: NDArray[np.bool_]
    _ways: Ways
    _patterns: Patterns
    _rules: NDArray[np.int8]

    def __repr__(self) -> str:
        return f"<Triage: {len(self.subjects)} pupils, {self.plan.programme.ref}>"

    @property
    def subjects(self) -> NDArray[np.object_]:
        """The pupils' references, in roster order."""
        return self.normed.scores.batch.roster.subject

    @cached_property
    def truth(self) -> NDArray[np.int8]:
        """How each rule stands for each pupil, three-valued; shape (rules, pupils)."""
        truth = np.empty((len(self._rules), len(self.established)), dtype=np.int8)
        for of_rule, of_pattern in zip(truth, self._rules, strict=True):
            of_rule[:] = self._ways.highest(gather(of_pattern, self._patterns.of_way))
        return truth

    @cached_property
    def not_asked(self) -> NDArray[np.bool_]:
        """Where nobody asked about a concern in plain words; shape (concerns, pupils)."""
        return _not_asked(self.plan, self.normed)

    @cached_property
    def clock(self) -> NDArray[np.datetime64]:
        """When the first of the pupil's forms was submitted, in UTC; NaT where not known."""
        return _first_submission(self.normed)

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
        patterns = self._patterns.of_way[self._ways.of(pupil)]
        for place, rule in enumerate(self.plan.triage.rules):
            state = int(self._rules[place, patterns].max())
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
        of_way = self._patterns.of_way
        way = self._ways.first[pupils].copy()
        for place in np.flatnonzero(self._ways.number[pupils] > 1).tolist():
            ways = self._ways.of(int(pupils[place]))
            way[place] = ways[int(np.argmax(self._rules[rule, of_way[ways]]))]
        state = self._rules[rule, of_way[way]]
        found: list[list[Evidence]] = [[] for _ in range(len(pupils))]
        for leaf in plan.leaves:
            hit = np.flatnonzero(self._patterns.leaves[leaf, of_way[way]] == state)
            if not len(hit):
                continue
            one = self.plan.triage.leaves[leaf]
            form = self._ways.form[one.slot, way[hit]]
            slot = self.plan.slots[one.slot]
            metric, numbers = leaf_numbers(self.normed, one, form)
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
        stranger = batch.roster.group < 0  # whoever a blank form belongs to must be found
        of_rules: dict[Due, NDArray[np.bool_]] = {}
        for rule, holds in zip(self.plan.triage.rules, self._rules == HOLDS, strict=True):
            of_rules[rule.due] = of_rules.get(rule.due, False) | holds
        wanted = [(one, self._in_any_way(holds)) for one, holds in of_rules.items()]
        wanted += [
            (states.critical_unanswered, self.critical_open & (self.recorded | stranger)),
            (states.invalid, self.flags[Flag.INVALID]),
            (states.possible, undetermined & (self.possible >= GENERAL)),
            (states.error, self.flags[Flag.ERROR] | self.flags[Flag.IDENTITY]),
            (states.not_screened, self.screen == ScreenTier.NOT_SCREENED.position),
        ]
        for one, where in wanted:
            if where.any():
                due[where] = np.fmin(due[where], due_times(self.plan.programme, one, clock[where]))
        return due

    def _in_any_way(self, of_pattern: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the pupils of whom something is true of the pattern of any way."""
        return self._ways.any(gather(of_pattern, self._patterns.of_way))


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

    Raises
    ------
    UsageError
        If the scores were not normed with this plan.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    >>> triage = mh.triage(plan, mh.norm(plan, scores))
    >>> triage
    <Triage: 40 pupils, qingdao-2023@1.0.0>
    >>> len(triage.screen_tier)
    40
    """
    expect("normed", normed, NormedScores)
    scores = normed.scores
    batch = scores.batch
    check_plan(plan, batch.plan)
    roster = batch.roster
    keys = leaf_keys(plan, normed)
    ways = combine_forms(scores, partial(leaf_truths, keys))
    patterns = find_patterns(plan, roster.group, ways, keys)

    def highest(of_pattern: NDArray[np.int8]) -> NDArray[np.int8]:
        return ways.highest(gather(of_pattern, patterns.of_way))

    def is_any(of_pattern: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return highest(of_pattern.view(np.int8)).view(np.bool_)

    truth, sure = (_evaluate_rules(plan, leaves) for leaves in (patterns.leaves, patterns.sure))
    holds = truth == HOLDS
    established = highest(_tiers(plan, holds))
    possible = highest(_tiers(plan, truth >= UNDECIDED))
    # Where not every way is gone through, what any form has anywhere is at least possible.
    possible[ways.too_many] = Tier.MAJOR.position

    facts = find_facts(plan, normed)
    flags = {
        Flag.INCOMPLETE: facts.absent | facts.has(Fact.INCOMPLETE),
        Flag.INVALID: facts.has(Fact.INVALID),
        Flag.QUESTIONABLE: facts.has(Fact.QUESTIONABLE),
        # Where a rule would not hold on the answered items alone.
        Flag.ESTIMATED: is_any((holds & (sure != HOLDS)).any(axis=0)),
        Flag.DUPLICATE: facts.several | roster.duplicate,
        Flag.NOT_NORMED: _not_normed(normed, len(roster)),
        Flag.WRONG_STAGE: facts.has(Fact.WRONG_STAGE),
        Flag.IDENTITY: batch.identity.copy(),
        Flag.ERROR: roster.error.copy(),
        Flag.ASK_DIRECTLY: np.zeros(len(roster), dtype=bool),
        Flag.SEVERE_CANDIDATE: np.zeros(len(roster), dtype=bool),
        Flag.INFORMANTS_DIFFER: _informants_differ(plan, patterns, highest, facts),
    }
    flags[Flag.ERROR][ways.too_many] = True
    rules = plan.triage.rules
    for flag in dict.fromkeys(flag for rule in rules for flag in rule.flags):
        raise_it = [place for place, rule in enumerate(rules) if flag in rule.flags]
        flags[flag] = flags[flag] | is_any(holds[raise_it].any(axis=0))

    critical_open = facts.critical_absent | facts.has(Fact.CRITICAL_OPEN)
    recorded = facts.has(Fact.RECORDED)
    # Blanks that may hide an invalid form do not reassure either.
    doubtful = flags[Flag.INVALID] | facts.has(Fact.VALIDITY_OPEN)
    error = flags[Flag.ERROR] | flags[Flag.IDENTITY]
    screen = _shown(
        established,
        possible,
        recorded=recorded | is_any(holds.any(axis=0)),
        unsettled=critical_open | doubtful | error,
        error=error,
    )
    return Triage(
        plan=plan,
        normed=normed,
        established=established,
        possible=possible,
        screen=screen,
        flags=flags,
        critical_open=critical_open,
        answered=facts.has(Fact.FILED),
        recorded=recorded,
        _ways=ways,
        _patterns=patterns,
        _rules=truth,
    )


def _evaluate_rules(plan: Plan, leaves: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return how each rule stands in each pattern."""
    return np.stack([evaluate(rule.node, leaves) for rule in plan.triage.rules])


def _tiers(plan: Plan, holds: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return the highest tier of the rules that hold, by pattern."""
    tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    highest: NDArray[np.int8] = np.where(holds, tiers, np.int8(0)).max(axis=0)
    return highest


def _shown(
    established: NDArray[np.int8],
    possible: NDArray[np.int8],
    *,
    recorded: NDArray[np.bool_],
    unsettled: NDArray[np.bool_],
    error: NDArray[np.bool_],
) -> NDArray[np.int8]:
    """Return what is shown: an established general or higher always; nothing unsettled as none."""
    shown = established.copy()
    hidden = established < GENERAL
    shown[hidden & (unsettled | (possible >= GENERAL))] = ScreenTier.UNDETERMINED.position
    shown[~recorded & ~error] = ScreenTier.NOT_SCREENED.position
    return shown


def evaluate(node: Node, leaves: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the three-valued truth of a condition from that of every leaf, along the last axis."""
    if node.op == "leaf":
        return np.asarray(leaves[node.leaf])
    if node.op == "never":
        return np.zeros(leaves.shape[1], dtype=np.int8)
    children = [evaluate(child, leaves) for child in node.children]
    if node.op == "all":
        return all_of(children)
    if node.op == "any":
        return any_of(children)
    return at_least(node.count, children)


def _informants_differ(
    plan: Plan,
    patterns: Patterns,
    highest: Callable[[NDArray[np.int8]], NDArray[np.int8]],
    facts: Facts,
) -> NDArray[np.bool_]:
    """Return where two informants alone establish tiers that lie far apart."""
    above = np.full(len(facts.absent), -1, dtype=np.int8)
    below = np.full(len(facts.absent), len(Tier), dtype=np.int8)
    for informant, filed in facts.filed_by.items():
        alone = patterns.leaves.copy()
        others = [plan.forms[leaf.slot].informant is not informant for leaf in plan.triage.leaves]
        alone[others] = 0
        tier = highest(_tiers(plan, _evaluate_rules(plan, alone) == HOLDS))
        below = np.where(filed, np.minimum(below, tier), below)
        above = np.where(filed, np.maximum(above, tier), above)
    return np.asarray(above - below >= plan.policy.informant_gap)


def _not_normed(normed: NormedScores, pupils: int) -> NDArray[np.bool_]:
    flagged = np.zeros(pupils, dtype=bool)
    for one in normed.norms:
        forms = normed.scores.batch.forms[one.plan.slot]
        if one.by_state.not_normed.any():
            flagged[forms.pupil[one.not_normed]] = True
    return flagged


def _not_asked(plan: Plan, normed: NormedScores) -> NDArray[np.bool_]:
    """Return where nobody has answered, or refused, a question about a concern in plain words."""
    batch = normed.scores.batch
    not_asked = np.ones((len(plan.policy.concerns), len(batch.roster)), dtype=bool)
    for form, bound in zip(plan.forms, batch.forms, strict=True):
        for item in form.critical:
            if item.directness is Directness.DIRECT and item.concern in plan.policy.concerns:
                reacted = gather(REACTED, bound.codes[item.row])
                place = plan.policy.concerns.index(Concern(item.concern))
                not_asked[place, bound.pupil[reacted]] = False
    return not_asked


def _first_submission(normed: NormedScores) -> NDArray[np.datetime64]:
    """Return when the first of each pupil's forms was submitted.

    A form that does not say when counts as submitted when the pupils are screened.
    """
    batch = normed.scores.batch
    clock = np.full(len(batch.roster), np.datetime64("NaT"), dtype="M8[s]")
    for slot, forms in enumerate(batch.forms):
        times = forms.administered_on
        if batch.at is not None:
            times = np.where(np.isnat(times), batch.at, times)
        clock[forms.pupil] = np.fmin(clock[forms.pupil], times)
        ranked = normed.scores.ranked[slot]
        np.fmin.at(clock, forms.pupil[ranked], times[ranked])  # of several forms, each
    return clock
