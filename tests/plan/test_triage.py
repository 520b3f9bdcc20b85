"""A policy, compiled: conditions find every slot that they speak of, and no other."""

import pytest

from mhscreen.definitions.policy import AtLeast, CategoryLeaf, CriticalItemLeaf, ItemLeaf, ScoreLeaf
from mhscreen.plan.triage import _Compiler
from mhscreen.problems import UsageError


@pytest.fixture
def compile_condition(plan):
    def run(condition):
        compiler = _Compiler(plan.instruments, plan.forms, plan.norms)
        node = compiler.node(condition)
        return node, list(compiler.leaves)

    return run


def slots(plan, leaves):
    return {plan.slots[leaf.slot] for leaf in leaves}


def test_a_condition_without_an_informant_is_any_informant(plan, compile_condition):
    node, leaves = compile_condition(ItemLeaf(item="observer.diagnosis_held", at_or_above=1))
    assert node.op == "any"
    assert slots(plan, leaves) == {"observer@teacher", "observer@parent"}


def test_a_condition_with_an_informant_is_that_one(plan, compile_condition):
    leaf = CategoryLeaf(
        category="sdq.total", informant="parent", cut_set="shanghai_parent", at_or_above="abnormal"
    )
    node, leaves = compile_condition(leaf)
    assert node.op == "leaf"
    assert (slots(plan, leaves), [one.cut for one in leaves]) == ({"sdq@parent"}, [17])


def test_a_cut_set_holds_only_for_its_own_informants(plan, compile_condition):
    leaf = CategoryLeaf(category="sdq.total", cut_set="shanghai_teacher", at_or_above="borderline")
    _, leaves = compile_condition(leaf)
    assert (slots(plan, leaves), [one.cut for one in leaves]) == ({"sdq@teacher"}, [14])


def test_a_critical_concern_is_read_on_every_questionnaire_that_asks_about_it(
    plan, compile_condition
):
    leaf = CriticalItemLeaf(
        critical_item="suicide_ideation", windows=("now", "recent"), directness="direct"
    )
    _, leaves = compile_condition(leaf)
    assert {one.name for one in leaves} == {
        "phq9.q9", "phqa.q9", "phqa.si_month", "asq.q1", "asq.q2", "asq.q3", "asq.q5",
        "observer.talked_of_dying",
    }  # fmt: skip
    _, indirect = compile_condition(
        CriticalItemLeaf(critical_item="suicide_ideation", directness="indirect")
    )
    assert {one.name for one in indirect} == {"mht.q85", "mht.q97", "dsrsc.q10"}


def test_a_questionnaire_that_the_programme_does_not_use_can_never_hold(compile_condition):
    node, leaves = compile_condition(ItemLeaf(item="cesd.q1", at_or_above=1))
    assert node.op == "never"
    assert leaves == []


def test_at_least_counts_conditions_and_not_informants(compile_condition):
    two = [
        ItemLeaf(item="observer.exposure", at_or_above=1),
        ItemLeaf(item="observer.sudden_blow", at_or_above=1),
    ]
    node, _ = compile_condition(AtLeast(at_least={"count": 2, "of": two}))
    assert (node.op, node.count, [child.op for child in node.children]) == (
        "at_least",
        2,
        ["any", "any"],
    )


def test_a_condition_that_stands_in_two_rules_is_one_leaf(plan):
    assert len(set(plan.triage.leaves)) == len(plan.triage.leaves)


def test_critical_items_are_marked_as_counting_on_forms_of_another_stage(plan):
    for leaf in plan.triage.leaves:
        form = plan.forms[leaf.slot]
        is_critical = leaf.kind == "critical" or (
            leaf.kind == "item" and leaf.place in {item.row for item in form.critical}
        )
        assert leaf.critical is is_critical, leaf.name


def test_a_derived_score_without_its_norm_is_refused(compile_condition):
    leaf = ScoreLeaf(score="phqa.total", metric="t", norm="phqa/nowhere@1.0.0", at_or_above=60)
    with pytest.raises(UsageError, match="no such norm"):
        compile_condition(leaf)


def test_every_rule_of_the_shipped_policy_reads_something(plan):
    for rule in plan.triage.rules:
        assert rule.leaves, rule.id


def test_every_critical_item_is_read_by_a_rule_of_the_shipped_policy(plan):
    read = {(plan.triage.leaves[leaf].slot, plan.triage.leaves[leaf].name)
            for rule in plan.triage.rules if rule.tier >= 2 for leaf in rule.leaves}  # fmt: skip
    for slot, form in enumerate(plan.forms):
        for item in form.critical:
            assert (slot, f"{form.instrument}.{item.item}") in read
