"""A policy with one fault is refused, with answers that show it; those shipped have none."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app
from mhscreen.loading.library import make_library

GOOD = Path(__file__).parents[1] / "definitions" / "good"
RULE = """\
  - id: {id}
    tier: {tier}
    when: {when}
    because: {{en: made up, zh: 虚构}}
    due: {due}
    source: manual
    evidence: own_choice
"""
PESTS = RULE.format(
    id="G1", tier="severe", when="{critical_item: self_harm, windows: [recent]}", due="{hours: 24}"
)
WILTING = RULE.format(
    id="G2",
    tier="general",
    when="{category: leaf.wilting, cut_set: manual, at_or_above: high}",
    due="{school_days: 5}",
)


def rule(name, when, tier="general", due="{school_days: 5}"):
    return RULE.format(id=name, tier=tier, when=when, due=due)


@pytest.fixture
def garden(tmp_path):
    """Write the garden policy with other rules, beside what it reads."""

    def write(*rules):
        home = tmp_path / "garden"
        shutil.copytree(GOOD, home, dirs_exist_ok=True)
        file = home / "policies/garden/1.0.0.yaml"
        text = file.read_text(encoding="utf-8")
        head, rest = text.split("rules:\n")
        states = rest[rest.index("states:") :]
        file.write_text(head + "rules:\n" + "".join(rules) + states, encoding="utf-8")
        return home

    return write


def check(home, programme=None):
    return mh.check_policy("garden@1", programme=programme, library=mh.load_library(home))


def words(found):
    return "\n".join(map(str, found.findings))


def test_the_policy_of_the_garden_has_no_fault():
    found = mh.check_policy("garden@1", programme="garden-2026@1", library=mh.load_library(GOOD))
    assert found.findings == ()
    assert (found.forms, found.comparisons) == (2, 13)


@pytest.mark.slow
def test_every_policy_shipped_passes(library):
    for loaded in library.of_kind("policy"):
        programmes = [
            one.ref
            for one in library.of_kind("programme")
            if library.policy(one.definition.policy).ref == loaded.ref
        ]
        for programme in programmes or [None]:
            found = mh.check_policy(loaded.ref, programme=programme, library=library)
            assert words(found) == ""


def test_a_critical_item_that_no_rule_reads_is_a_gap(garden):
    found = check(garden(WILTING))
    assert words(found) == (
        "gap: leaf@self.q4: no rule reads this critical item\n"
        "    example: leaf@self: q4 Y\n"
        "gap: leaf@teacher.q4: no rule reads this critical item\n"
        "    example: leaf@teacher: q4 Y"
    )


def test_a_critical_item_that_counts_only_beside_a_total_is_a_gap(garden):
    beside = "{all: [{item: leaf.q4, at_or_above: 1}, {score: leaf.wilting, at_or_above: 5}]}"
    found = check(garden(rule("G1", beside, "severe"), WILTING))
    assert words(found).splitlines()[0] == (
        "gap: leaf@self.q4: a positive critical item reaches no tier"
    )


def test_a_rule_that_no_answers_satisfy_is_a_contradiction(garden):
    # The index needs q3 at its highest, the scale has it at most in the middle.
    both = (
        "{all: [{validity_index: leaf.contrary, informant: self}, "
        "{score: leaf.growth, informant: self, at_or_below: 1}]}"
    )
    found = check(garden(PESTS, WILTING, rule("G3", both)))
    assert words(found) == (
        "contradiction: G3: no answers give leaf@self.contrary ≥ 2 and leaf@self.growth ≤ 1; "
        "leaf@self.contrary ≥ 2 is not reached\n"
        "    nearest: leaf@self: q3 1"
    )


def test_the_same_comparisons_on_two_forms_are_none(garden):
    apart = "{all: [{validity_index: leaf.contrary}, {score: leaf.growth, at_or_below: 1}]}"
    assert check(garden(PESTS, WILTING, rule("G3", apart, due="{hours: 1}"))).findings == ()


def test_a_rule_that_another_always_outdoes_is_dead(garden):
    late = rule("G3", "{score: leaf.wilting, at_or_above: 6}", due="{school_days: 9}")
    found = check(garden(PESTS, WILTING, late))
    assert words(found) == (
        "dead: G3: wherever it holds, others say all that it says, here G2\n"
        "    example: leaf@self: q1 2, q2 2, q3 0"
    )


@pytest.mark.parametrize(
    "more", ["due: {school_days: 4}", "classes: [mood]", "flags: [ask_directly]"]
)
def test_a_rule_that_adds_a_due_time_a_class_or_a_flag_is_not_dead(garden, more):
    later = rule("G3", "{score: leaf.wilting, at_or_above: 6}", due="{school_days: 9}")
    kept = later.replace("due: {school_days: 9}", more) if more.startswith("due") else later
    kept += "" if more.startswith("due") else f"    {more}\n"
    assert check(garden(PESTS, WILTING, kept)).findings == ()


def test_a_net_over_a_concern_is_not_held_against_a_rule_that_names_the_item(garden):
    named = rule("G0", "{item: leaf.q4, at_or_above: 1}", "severe", "{hours: 24}")
    found = check(garden(PESTS, named, WILTING))
    # The net says nothing that the named rule does not say: that is told of the net.
    assert [(one.kind, one.where) for one in found.findings] == [("dead", "G1")]


def test_a_required_form_that_no_rule_reads_is_a_gap(garden):
    of_self = [one.replace("{c", "{informant: self, c") for one in (PESTS, WILTING)]
    found = check(garden(*of_self), "garden-2026@1")
    assert words(found).splitlines()[-1] == (
        "gap: garden-2026@1.0.0: leaf@teacher: required of lower, and no rule reads it"
    )


def test_a_rule_on_a_norm_that_says_nothing_outside_it_is_a_gap(garden):
    normed = rule(
        "G2",
        "{score: leaf.wilting, informant: self, metric: t, norm: leaf/window-sill@1.0.0, "
        "at_or_above: 60}",
        "watch",
        "{monthly_review: true}",
    )
    found = check(garden(PESTS, normed))
    assert words(found) == (
        "gap: G2: a pupil outside leaf/window-sill@1.0.0 is shown as none, whatever the score\n"
        "    example: male, age 7.75; leaf@self: q1 2, q2 2, q3 0"
    )
    raw = rule("G3", "{score: leaf.wilting, at_or_above: 5}", "watch", "{monthly_review: true}")
    assert check(garden(PESTS, normed, raw)).findings == ()


def test_a_worse_answer_that_lowers_a_tier_is_shown_with_both_forms(garden):
    slow = rule("G3", "{score: leaf.growth, informant: self, at_or_below: 0}", due="{hours: 1}")
    library = mh.load_library(garden(PESTS, slow))
    leaf = library.instrument("leaf@1")
    # The loader refuses such a key; this one never went through it.
    scales = tuple(
        one.model_copy(update={"items": ("q1", "q3")}) if one.id == "growth" else one
        for one in leaf.definition.scales
    )
    scales = tuple(one for one in scales if one.id != "contrary")
    changed = leaf.definition.model_copy(update={"scales": scales, "validity_indices": ()})
    others = [one for one in library if one.kind == "policy"]
    found = mh.check_policy(
        "garden@1", library=make_library([*others, leaf.with_definition(changed)])
    )
    assert words(found) == (
        "not upward closed: leaf@self.q1: a worse answer lowers the established tier: "
        "G3 no longer counts\n"
        "    example: leaf@self: q3 0\n"
        "    worse:   leaf@self: q1 1, q3 0"
    )


def test_whose_absence_leaves_a_comparison_undecided_must_be_named(garden):
    nobody = rule("G3", "{score: leaf.wilting, absent: undecided, at_or_above: 6}")
    with pytest.raises(mh.DefinitionError, match="key 'informant' is missing beside 'absent'"):
        mh.load_library(garden(PESTS, WILTING, nobody))


def test_a_programme_under_another_policy_is_a_wrong_call(garden, library):
    with pytest.raises(mh.UsageError, match=r"qingdao-2023@1.0.0 uses three-tier-cn@1.0.0"):
        mh.check_policy(
            "garden@1",
            programme="qingdao-2023@1",
            library=mh.load_library(garden(PESTS, WILTING), base=library),
        )


def run(*arguments):
    return CliRunner().invoke(app, ["policy", "check", *map(str, arguments)])


def test_the_command_ends_with_0_1_or_2(garden):
    home = garden(PESTS, WILTING)
    clean = run("garden@1", "--definitions", home)
    assert (clean.exit_code, clean.stdout) == (
        0,
        "garden@1.0.0: 2 forms, 4 comparisons, 16 cells, 0 findings\n",
    )
    assert run("nothing@1", "--definitions", home).exit_code == 2


def test_the_command_speaks_chinese_and_json(garden):
    home = garden(WILTING)
    chinese = run("garden@1", "--definitions", home, "--lang", "zh")
    assert chinese.exit_code == 1
    assert chinese.stdout.splitlines()[:2] == [
        "缺口: leaf@self.q4: 没有规则读取该危急条目",
        "    例: leaf@self: q4 Y",
    ]
    document = json.loads(run("garden@1", "--definitions", home, "--json").stdout)
    assert document["findings"][0]["example"] == {
        "pupil": None,
        "answers": {"leaf@self": {"q4": "Y"}},
    }


@pytest.mark.slow
def test_long_questionnaires_whose_scales_stand_side_by_side_are_gone_through(tmp_path, library):
    """Ten factors with three bands each and their mean: too many cells to hold one by one."""
    factors = [
        one.id
        for one in library.instrument("mssmhs@1").definition.scales
        if one.combine == "mean" and one.id != "total_mean"
    ]
    assert len(factors) == 10

    def any_from(cut):
        return (
            f"{{any: [{', '.join(f'{{score: mssmhs.{f}, at_or_above: {cut}}}' for f in factors)}]}}"
        )

    tiers = {2: "watch", 3: "general", 4: "severe"}
    text = (GOOD / "policies/garden/1.0.0.yaml").read_text(encoding="utf-8")
    head, rest = text.split("rules:\n")
    head = head.replace("id: garden", "id: school").replace("leaf@1.0.0", "mssmhs@1.0.0")
    rules = [rule(f"F{cut}", any_from(cut), tier) for cut, tier in tiers.items()]
    rules.append(rule("mean", "{score: mssmhs.total_mean, at_or_above: 2}"))
    rules.append(rule("idle", any_from(5), "severe", "{school_days: 9}"))
    file = tmp_path / "policies/school/1.0.0.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(head + "rules:\n" + "".join(rules) + rest[rest.index("states:") :], "utf-8")
    found = mh.check_policy("school@1", library=mh.load_library(tmp_path, base=library))
    kinds = {(one.kind, one.where) for one in found.findings if one.kind != "gap"}
    assert kinds == {("dead", "idle")}
