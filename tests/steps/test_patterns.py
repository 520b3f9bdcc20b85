"""Pupils are evaluated pattern by pattern; each gets what the rules give on every way of hers."""

import numpy as np
import pytest

import mhscreen as mh
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.leaves import leaf_truth
from mhscreen.steps.triage import evaluate
from mhscreen.vocabulary import Flag, Requirement

REQUIRED, NOT_USED = Requirement.REQUIRED.position, Requirement.NOT_USED.position
AT = "2026-10-20"


@pytest.fixture(scope="module")
def district(plan):
    """Answers of 1500 pupils; some blank, some forms of a pupil twice, some on the wrong paper."""
    roster, answers = mh.simulate(plan, 1500, seed=4)
    rng = np.random.default_rng(4)
    for slot, frame in answers.items():
        kept = frame.astype(object)
        items = [name for name in kept if name not in ("subject", "administered_on")]
        kept[items] = kept[items].mask(rng.random((len(kept), len(items))) < 0.03)
        again = kept.sample(frac=0.05, random_state=1)
        astray = kept.sample(frac=0.03, random_state=2)
        astray["subject"] = rng.choice(roster["subject"].tolist(), len(astray))
        answers[slot] = type(frame)(
            {name: [*kept[name], *again[name][::-1], *astray[name]] for name in kept}
        )
    return mh.bind(plan, roster=roster, responses=answers, at=AT, on_problem="report")


@pytest.fixture(scope="module")
def found(plan, district):
    return mh.triage(plan, mh.norm(plan, mh.score(plan, district)))


def leaves_of_ways(plan, normed, ways):
    """Return how every comparison stands in every way, one comparison after the other."""
    group = normed.scores.batch.roster.group
    gathered = np.zeros((len(plan.triage.leaves), len(ways.pupil)), dtype=np.int8)
    for place, leaf in enumerate(plan.triage.leaves):
        form = ways.form[leaf.slot]
        truth = np.append(leaf_truth(normed, leaf), np.int8(0))[form]
        use = plan.uses[group[ways.pupil], leaf.slot]
        missed = use != NOT_USED if leaf.absent else use == REQUIRED
        truth[(form < 0) & missed] = UNDECIDED
        if not leaf.critical:
            truth[use == NOT_USED] = 0
        gathered[place] = truth
    return gathered


def test_rules_and_tiers_are_those_of_every_way_evaluated_by_itself(plan, found):
    leaves = leaves_of_ways(plan, found.normed, found._ways)
    truth = np.stack([evaluate(rule.node, leaves) for rule in plan.triage.rules])
    first = found._ways.first
    assert len(leaves[0]) > len(first)
    assert np.array_equal(found.truth, np.maximum.reduceat(truth, first, axis=1))
    tiers = np.array([[rule.tier] for rule in plan.triage.rules])
    for states, place in ((found.truth == HOLDS, "established"), (found.truth > 0, "possible")):
        expected = np.where(states, tiers, 0).max(axis=0)
        kept = np.ones(len(first), dtype=bool)
        kept[found._ways.too_many] = False
        assert np.array_equal(getattr(found, place)[kept], expected[kept])


def test_a_pupil_is_found_the_same_in_a_batch_of_any_size(plan, district, found):
    names = ("established", "possible", "screen", "critical_open", "answered", "recorded", "clock")
    for size in (7, 500):
        part = np.arange(0, len(district.roster), len(district.roster) // size)
        some = mh.triage(plan, mh.norm(plan, mh.score(plan, district.take(part))))
        assert np.array_equal(some.truth, found.truth[:, part])
        for name in names:
            assert np.array_equal(getattr(some, name), getattr(found, name)[part], equal_nan=True)
        for flag in set(Flag) - {Flag.IDENTITY}:
            assert np.array_equal(some.flags[flag], found.flags[flag][part]), flag


def test_due_times_and_reasons_rest_on_the_same_rules(plan, found):
    due = found.due_at()
    for pupil in range(0, 1500, 50):
        reasons = found.reasons_at(pupil)
        states = {place: int(state) for place, state in enumerate(found.truth[:, pupil]) if state}
        rules = [plan.triage.rules[place].id for place in states]
        assert {reason.rule.id for reason in reasons} == set(rules)
        assert all(reason.evidence for reason in reasons)
        assert all(
            one.state == (HOLDS if r.holds else UNDECIDED) for r in reasons for one in r.evidence
        )
        if any(reason.holds for reason in reasons):
            assert not np.isnat(due[pupil])
