"""Triage: every rule on every form, three-valued, and the highest tier stands.

Each pupil is evaluated once for every way of taking one form per slot (once, unless forms were
handed in twice), so that the items of two forms are never mixed; the tiers are the maxima.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.kernels.codes import is_answered, missing_code
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least
from mhscreen.plan.plan import check_plan
from mhscreen.problems import UsageError, expect
from mhscreen.steps.due import due_times
from mhscreen.steps.leaves import estimated_leaf, leaf_numbers, leaf_truth
from mhscreen.steps.norm import NormedScores
from mhscreen.steps.ways import Ways, combine_forms
from mhscreen.vocabulary import (
    Concern,
    Directness,
    Flag,
    Informant,
    MissingReason,
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
    from mhscreen.plan.triage import Node, RulePlan
    from mhscreen.steps.score import FormScores

__all__ = ["Evidence", "Reason", "Triage", "evaluate", "triage"]

GENERAL = Tier.GENERAL.position
REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position
REACTIONS = (missing_code(MissingReason.REFUSED), missing_code(MissingReason.DONT_KNOW))


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
    truth : ndarray of int8, shape (rules, pupils)
        Three-valued.
    critical_open : ndarray of bool, shape (pupils,)
        Where a critical item is unanswered.
    answered, recorded : ndarray of bool, shape (pupils,)
        Where any form holds an answer; and where it holds anything at all, a refusal or an
        illegible answer included.
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
    recorded: NDArray[np.bool_]
    not_asked: NDArray[np.bool_]
    clock: NDArray[np.datetime64]
    _ways: Ways
    _leaves: NDArray[np.int8]

    def __repr__(self) -> str:
        return f"<Triage: {len(self.subjects)} pupils, {self.plan.programme.ref}>"

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
            truth = evaluate(plan.node, self._leaves[:, ways.start : ways.stop])
            way[place] = ways[int(np.flatnonzero(truth == state[place])[0])]
        found: list[list[Evidence]] = [[] for _ in range(len(pupils))]
        for leaf in plan.leaves:
            hit = np.flatnonzero(self._leaves[leaf, way] == state)
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
        wanted: list[tuple[Due, NDArray[np.bool_]]] = [
            (rule.due, truth == HOLDS)
            for rule, truth in zip(self.plan.triage.rules, self.truth, strict=True)
        ]
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
    truths = [leaf_truth(normed, leaf) for leaf in plan.triage.leaves]
    ways = combine_forms(scores, plan.triage.leaves, truths)
    leaves = _gather(plan, roster.group, ways, truths)
    truth = np.stack([evaluate(rule.node, leaves) for rule in plan.triage.rules])
    rule_tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    established = ways.highest(np.where(truth == HOLDS, rule_tiers, 0).max(axis=0).astype(np.int8))
    possible = ways.highest(np.where(truth >= UNDECIDED, rule_tiers, 0).max(axis=0).astype(np.int8))
    # Where not every way is gone through, what any form has anywhere is at least possible.
    possible[ways.too_many] = Tier.MAJOR.position
    truth_of_pupil = ways.highest(truth)

    facts = _Facts(plan, normed)
    flags = {
        Flag.INCOMPLETE: facts.absent | facts.any(lambda form: ~form.complete, used=True),
        Flag.INVALID: facts.any(_has_validity(Validity.INVALID), used=True),
        Flag.QUESTIONABLE: facts.any(_has_validity(Validity.QUESTIONABLE), used=True),
        Flag.ESTIMATED: _rests_on_estimate(plan, normed, ways, leaves, truth),
        Flag.DUPLICATE: facts.several | roster.duplicate,
        Flag.NOT_NORMED: _not_normed(normed, len(roster)),
        Flag.WRONG_STAGE: facts.any(lambda form: np.ones(len(form), dtype=bool), used=False),
        Flag.IDENTITY: batch.identity.copy(),
        Flag.ERROR: roster.error.copy(),
        Flag.ASK_DIRECTLY: np.zeros(len(roster), dtype=bool),
        Flag.SEVERE_CANDIDATE: np.zeros(len(roster), dtype=bool),
        Flag.INFORMANTS_DIFFER: _informants_differ(plan, ways, leaves, facts),
    }
    flags[Flag.ERROR][ways.too_many] = True
    for rule, holds in zip(plan.triage.rules, truth_of_pupil == HOLDS, strict=True):
        for flag in rule.flags:
            flags[flag] = flags[flag] | holds

    critical_open = facts.critical_absent | facts.any(lambda form: form.critical_open)
    # Blanks that may hide an invalid form do not reassure either.
    doubtful = flags[Flag.INVALID] | facts.any(_has_validity(Validity.INCOMPLETE), used=True)
    error = flags[Flag.ERROR] | flags[Flag.IDENTITY]
    screen = _shown(
        established,
        possible,
        recorded=facts.any(lambda form: form.recorded) | (truth_of_pupil == HOLDS).any(axis=0),
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
        truth=truth_of_pupil,
        critical_open=critical_open,
        answered=facts.any(lambda form: form.filed),
        recorded=facts.any(lambda form: form.recorded),
        not_asked=_not_asked(plan, normed),
        clock=_first_submission(normed),
        _ways=ways,
        _leaves=leaves,
    )


class _Facts:
    """What is true of any form of a pupil, whatever form of another slot it is taken with.

    Attributes
    ----------
    absent, critical_absent : ndarray of bool, shape (pupils,)
        Where a required slot has no form, and where one with critical items has none.
    several : ndarray of bool
        Where a slot has more than one form.
    """

    def __init__(self, plan: Plan, normed: NormedScores) -> None:
        self.scores = normed.scores
        batch = self.scores.batch
        self.number = len(batch.roster)
        uses = plan.uses[batch.roster.group]
        counts = [np.bincount(one.pupil, minlength=self.number) for one in batch.forms]
        missing = (uses == REQUIRED) & (np.stack(counts, axis=1) == 0)
        critical = np.array([bool(form.critical) for form in plan.forms])
        self.absent = missing.any(axis=1)
        self.critical_absent = (missing & critical).any(axis=1)
        self.several = (np.stack(counts, axis=1) > 1).any(axis=1)
        self.used = [uses[one.pupil, slot] != NOT_USED for slot, one in enumerate(batch.forms)]

    def any(
        self,
        get: Callable[[FormScores], NDArray[np.bool_]],
        *,
        used: bool | None = None,
        slots: Sequence[int] | None = None,
    ) -> NDArray[np.bool_]:
        """Return the pupils with a form of which something is true; all, used or other forms."""
        found = np.zeros(self.number, dtype=bool)
        for slot in range(len(self.scores.forms)) if slots is None else slots:
            hit = get(self.scores.forms[slot])
            if used is not None:
                hit = hit & (self.used[slot] == used)
            found[self.scores.batch.forms[slot].pupil[hit]] = True
        return found


def _has_validity(state: Validity) -> Callable[[FormScores], NDArray[np.bool_]]:
    return lambda form: np.asarray(form.validity == state.position)


def _gather(
    plan: Plan, group: NDArray[np.int64], ways: Ways, truths: Sequence[NDArray[np.int8]]
) -> NDArray[np.int8]:
    """Return the truth of every leaf, shape (leaves, ways).

    An absent required slot leaves its leaves undecided; an absent on-event slot decides
    nothing, unless the policy says that it leaves the comparison undecided. On a form meant for
    another stage only critical items count.
    """
    gathered = np.zeros((len(plan.triage.leaves), len(ways.pupil)), dtype=np.int8)
    for place, leaf in enumerate(plan.triage.leaves):
        form = ways.form[leaf.slot]
        truth = np.append(truths[place], np.int8(0))[form]
        use = plan.uses[group[ways.pupil], leaf.slot]
        missed = use != NOT_USED if leaf.absent else use == REQUIRED
        truth[(form < 0) & missed] = UNDECIDED
        if not leaf.critical:
            truth[use == NOT_USED] = 0
        gathered[place] = truth
    return gathered


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


def _rests_on_estimate(
    plan: Plan,
    normed: NormedScores,
    ways: Ways,
    leaves: NDArray[np.int8],
    truth: NDArray[np.int8],
) -> NDArray[np.bool_]:
    """Return the pupils for whom a rule would not hold on the answered items alone."""
    without = leaves.copy()
    for place, leaf in enumerate(plan.triage.leaves):
        hit = np.append(estimated_leaf(normed, leaf), [False])[ways.form[leaf.slot]]
        without[place, hit & (without[place] == HOLDS)] = UNDECIDED
    sure_truth = np.stack([evaluate(rule.node, without) for rule in plan.triage.rules])
    return ways.any(((truth == HOLDS) & (sure_truth != HOLDS)).any(axis=0))


def _informants_differ(
    plan: Plan, ways: Ways, leaves: NDArray[np.int8], facts: _Facts
) -> NDArray[np.bool_]:
    """Return where two informants alone establish tiers that lie far apart."""
    tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    lowest = np.full(facts.number, len(Tier), dtype=np.int8)
    highest = np.full(facts.number, -1, dtype=np.int8)
    for informant in Informant:
        slots = [place for place, form in enumerate(plan.forms) if form.informant is informant]
        if not slots:
            continue
        alone = leaves.copy()
        alone[[leaf.slot not in slots for leaf in plan.triage.leaves]] = 0
        truth = np.stack([evaluate(rule.node, alone) for rule in plan.triage.rules])
        tier = ways.highest(np.where(truth == HOLDS, tiers, 0).max(axis=0).astype(np.int8))
        there = facts.any(lambda form: form.filed, slots=slots)
        lowest = np.where(there, np.minimum(lowest, tier), lowest)
        highest = np.where(there, np.maximum(highest, tier), highest)
    return np.asarray(highest - lowest >= plan.policy.informant_gap)


def _not_normed(normed: NormedScores, pupils: int) -> NDArray[np.bool_]:
    flagged = np.zeros(pupils, dtype=bool)
    for one in normed.norms:
        forms = normed.scores.batch.forms[one.plan.slot]
        flagged[forms.pupil[one.not_normed]] = True
    return flagged


def _not_asked(plan: Plan, normed: NormedScores) -> NDArray[np.bool_]:
    """Return where nobody has answered, or refused, a question about a concern in plain words."""
    batch = normed.scores.batch
    not_asked = np.ones((len(plan.policy.concerns), len(batch.roster)), dtype=bool)
    for form, bound in zip(plan.forms, batch.forms, strict=True):
        for item in form.critical:
            if item.directness is Directness.DIRECT and item.concern in plan.policy.concerns:
                reacted = is_answered(bound.codes[item.row]) | np.isin(
                    bound.codes[item.row], REACTIONS
                )
                place = plan.policy.concerns.index(Concern(item.concern))
                not_asked[place, bound.pupil[reacted]] = False
    return not_asked


def _first_submission(normed: NormedScores) -> NDArray[np.datetime64]:
    """Return when the first of each pupil's forms was submitted.

    A form that does not say when counts as submitted when the pupils are screened.
    """
    batch = normed.scores.batch
    clock = np.full(len(batch.roster), np.datetime64("NaT"), dtype="M8[s]")
    for forms in batch.forms:
        times = forms.administered_on
        if batch.at is not None:
            times = np.where(np.isnat(times), batch.at, times)
        np.fmin.at(clock, forms.pupil, times)
    return clock
