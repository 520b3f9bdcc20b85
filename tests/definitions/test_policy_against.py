"""What a policy says of the instruments and norms that it reads."""

import pytest

from mhscreen.definitions.checks import check_policy_against
from mhscreen.loading.yaml_reader import write_path

LEAF = "{item: leaf.q2, at_or_above: 2}"
PLACE = "rules[1].when.any[2].all[1]"
LEAVES = {
    "an item does not exist": ("{item: leaf.q9, at_or_above: 2}", "MH201", "item"),
    "an item is always so high": ("{item: leaf.q2, at_or_above: 0}", "MH207", "at_or_above"),
    "an item is never so high": ("{item: leaf.q2, at_or_above: 3}", "MH207", "at_or_above"),
    "a low answer of a plain item": ("{item: leaf.q2, at_or_below: 1}", "MH206", "at_or_below"),
    "a high answer of an item keyed in reverse": (
        "{item: leaf.q3, at_or_above: 1}",
        "MH206",
        "at_or_above",
    ),
    "an item of a better scale is always so low": (
        "{item: leaf.q3, at_or_below: 2}",
        "MH207",
        "at_or_below",
    ),
    "a high score of a better scale": (
        "{score: leaf.growth, at_or_above: 1}",
        "MH206",
        "at_or_above",
    ),
    "a score out of reach": ("{score: leaf.wilting, at_or_above: 7}", "MH207", "at_or_above"),
    "a score that every form has": (
        "{score: leaf.wilting, at_or_above: 0}",
        "MH207",
        "at_or_above",
    ),
    "a scale does not exist": ("{score: leaf.wilted, at_or_above: 1}", "MH201", "score"),
    "a cut set does not exist": (
        "{category: leaf.wilting, cut_set: own, at_or_above: high}",
        "MH201",
        "cut_set",
    ),
    "a category does not exist": (
        "{category: leaf.wilting, cut_set: manual, at_or_above: higher}",
        "MH201",
        "at_or_above",
    ),
    "a category that every score has": (
        "{category: leaf.wilting, cut_set: manual, at_or_above: low}",
        "MH207",
        "at_or_above",
    ),
    "an index does not exist": ("{validity_index: leaf.liar}", "MH201", "validity_index"),
    "an informant without a form": (
        "{item: leaf.q2, informant: parent, at_or_above: 2}",
        "MH306",
        "informant",
    ),
    "a concern that no item asks about": ("{critical_item: psychosis}", "MH207", "critical_item"),
    "a window that no item asks about": (
        "{critical_item: self_harm, windows: [lifetime]}",
        "MH207",
        "critical_item",
    ),
    "a norm of another informant": (
        (
            "{score: leaf.wilting, informant: teacher, metric: t,"
            " norm: leaf/window-sill@1.0.0, at_or_above: 60}"
        ),
        "MH306",
        "informant",
    ),
    "a percentile that the norm does not give": (
        (
            "{score: leaf.wilting, informant: self, metric: percentile,"
            " norm: leaf/window-sill@1.0.0, at_or_above: 90}"
        ),
        "MH207",
        "metric",
    ),
}


def findings(policy, library):
    instruments = {one.definition.id: one.definition for one in library.of_kind("instrument")}
    norms = {one.ref: one.definition for one in library.of_kind("norm")}
    return [
        (finding.code, write_path(finding.path))
        for finding in check_policy_against(policy, instruments, norms)
    ]


@pytest.mark.parametrize("leaf, code, key", LEAVES.values(), ids=LEAVES.keys())
def test_leaf_is_refused_that_reads(leaf, code, key, changed, good):
    policy, problems = changed("policy", (LEAF, leaf))
    assert problems == []
    assert findings(policy, good) == [(code, f"{PLACE}.{key}")]


@pytest.mark.parametrize(
    "leaf",
    [
        "{item: leaf.q3, at_or_below: 1}",
        "{item: leaf.q2, informant: teacher, at_or_above: 1}",
        "{score: leaf.wilting, at_or_above: 6}",
        "{score: leaf.wilting, at_or_above: 0.5}",
        "{score: leaf.growth, at_or_below: 0}",
        "{critical_item: self_harm, windows: [lifetime, recent], directness: direct}",
    ],
)
def test_leaf_is_accepted_that_points_to_the_worse_side(leaf, changed, good):
    policy, _ = changed("policy", (LEAF, leaf))
    assert findings(policy, good) == []


def test_norm_for_display_decides_only_with_a_reason(changed, good):
    norm, _ = changed("norm", ("use: policy", "use: display"))
    instruments = {"leaf": good.instrument("leaf").definition}
    policy, _ = changed("policy")
    (finding,) = check_policy_against(policy, instruments, {norm.ref: norm})
    assert (finding.code, write_path(finding.path)) == ("MH104", "rules[1].when.any[1]")
    policy, _ = changed("policy", ("metric: t,", "metric: t, reason: {en: none nearer, zh: 无},"))
    assert [*check_policy_against(policy, instruments, {norm.ref: norm})] == []
