"""What a norm table must say, for each kind of figures."""

import pytest

from mhscreen.definitions.checks import check_policy_against
from mhscreen.definitions.norm_table import NormTable

MEAN_SD = "        mean_sd: {mean: 2.5, sd: 1.5}\n"
TABLE = "          raw: [0, 1, 2, 3, 4, 5, 6]\n          t: [40, 43.5, 47, 50.5, 54, 57.5, 61]\n"
KIND = "    t_kind: linear\n"
# A made-up scale whose strata are all of one kind.
ONLY_TABLE = (("      - sex: male\n        age: {from: 12, below: 19}\n" + MEAN_SD, ""),)
FITTED = ((KIND, "    t_kind: normalised\n    percentile_definition: fitted\n"),)


def said(problems):
    return [(problem.code, problem.path) for problem in problems]


def figures(text):
    """Put other figures in the place of the mean and SD of the second stratum."""
    return (MEAN_SD, f"        {text}\n")


def table(text):
    return (TABLE, text)


LMS = "lms: {l: 0.5, m: 2.5, s: 0.6}"
LINE = "regression: {intercept: 2, age: 0.1, age_centre: 12, female: 0, residual_sd: 1.2}"
BROKEN = {
    "a stratum has figures of two kinds": (
        [figures(f"mean_sd: {{mean: 2.5, sd: 1.5}}\n        {LINE}")],
        [("MH107", "scales[0].strata[1].mean_sd")],
    ),
    "an LMS fit gives no linear T": (
        [figures(LMS), (KIND, f"{KIND}    percentile_definition: fitted\n")],
        [("MH107", "scales[0].strata[1].lms")],
    ),
    "the percentile of an LMS fit is said to be fitted": (
        [figures(LMS), (KIND, "    t_kind: normalised\n")],
        [("MH107", "scales[0].strata[1].lms")],
    ),
    "a mean and SD do not stand beside an LMS fit": (
        [*FITTED, table("          first: 0\n          t: [4, 5, 6, 7, 8, 9, 9]\n")],
        [("MH107", "scales[0].strata[1].mean_sd")],
    ),
    "the median of an LMS fit lies outside the range": (
        [*FITTED, figures("lms: {l: 1, m: 7, s: 0.2}")],
        [("MH107", "scales[0].strata[1].lms.m")],
    ),
    "a logarithm of nothing": (
        [*FITTED, figures("lms: {l: 0, m: 2.5, s: 0.6}")],
        [("MH107", "scales[0].strata[1].lms")],
    ),
    "a median is nothing": (
        [*FITTED, figures("lms: {l: 1, m: 0, s: 0.6}")],
        [("MH107", "scales[0].strata[1].lms.m")],
    ),
    "a power that no fit has": (
        [*FITTED, figures("lms: {l: 30, m: 2, s: 0.6}")],
        [("MH107", "scales[0].strata[1].lms.l")],
    ),
    "a regression on grade has no grades": (
        [figures("regression: {intercept: 2, grade: 0.1, residual_sd: 1.2}")],
        [("MH104", "scales[0].strata[1]")],
    ),
    "a regression on sex stands in a stratum for boys": (
        [figures(LINE.replace("female: 0", "female: 1"))],
        [("MH107", "scales[0].strata[1].regression.female")],
    ),
    "a regression leaves the range before its oldest pupil": (
        [figures(LINE.replace("age: 0.1", "age: 1"))],
        [("MH107", "scales[0].strata[1].regression")],
    ),
    "a regression leaves the range where its curve turns": (
        [figures(LINE.replace("intercept: 2, age: 0.1", "intercept: -1, age_squared: 0.1"))],
        [("MH107", "scales[0].strata[1].regression")],
    ),
    "a regression gives no normalised T": (
        [*ONLY_TABLE, (KIND, "    t_kind: normalised\n"), ("table:\n" + TABLE, LINE + "\n")],
        [("MH107", "scales[0].strata[0].regression")],
    ),
    "a table names its raw scores twice": (
        [table("          first: 0\n" + TABLE)],
        [("MH107", "scales[0].strata[0].table.first")],
    ),
    "a table names no raw score": (
        [table("          t: [40, 43.5]\n")],
        [("MH104", "scales[0].strata[0].table")],
    ),
    "a table that names its first raw score leaves the range": (
        [table("          first: 5\n          t: [40, 43.5, 45]\n")],
        [("MH107", "scales[0].strata[0].table.first")],
    ),
    "a cap contradicts the T beside it": (
        [table("          first: 1\n          t: [40, 43.5, 45]\n          t_above: 44\n")],
        [("MH210", "scales[0].strata[0].table.t_above")],
    ),
    "a lower cap contradicts the T beside it": (
        [table("          first: 1\n          t: [40, 43.5, 45]\n          t_below: 41\n")],
        [("MH210", "scales[0].strata[0].table.t_below")],
    ),
    "a cap has nothing to cap": (
        [table("          first: 0\n          t: [40, 43.5, 45]\n          t_below: 40\n")],
        [("MH107", "scales[0].strata[0].table.t_below")],
    ),
    "a cap of T stands in a table without T": (
        [table("          first: 1\n          z: [-1, 0, 1]\n          t_below: 40\n")],
        [("MH107", "scales[0].strata[0].table.t_below")],
    ),
    "a falling table rises": (
        [*ONLY_TABLE, (KIND, f"{KIND}    direction: falling\n")],
        [("MH210", "scales[0].strata[0].table.t[1]")],
    ),
    "only a table falls": (
        [(KIND, f"{KIND}    direction: falling\n"),
         table("          first: 0\n          t: [61, 57, 54, 50, 47, 43, 40]\n")],
        [("MH107", "scales[0].direction")],
    ),
    "a stanine has no kind": (
        [table("          first: 0\n          stanine: [1, 2, 3, 5, 7, 8, 9]\n")],
        [("MH104", "scales[0]")],
    ),
    "a table of stanines does not say that they follow from z": (
        [(KIND, f"{KIND}    stanine_kind: half_z\n"),
         table("          first: 0\n          z: [-3, -2, -1, 0, 1, 2, 3]\n"
               "          stanine: [1, 2, 3, 5, 7, 8, 9]\n")],
        [("MH107", "scales[0].strata[0].table.stanine")],
    ),
    "stanines fall": (
        [(KIND, f"{KIND}    stanine_kind: table\n"),
         table("          first: 0\n          stanine: [1, 2, 3, 5, 7, 6, 9]\n")],
        [("MH210", "scales[0].strata[0].table.stanine[5]")],
    ),
    "there is no tenth stanine": (
        [(KIND, f"{KIND}    stanine_kind: table\n"),
         table("          first: 0\n          stanine: [1, 2, 3, 5, 7, 9, 10]\n")],
        [("MH107", "scales[0].strata[0].table.stanine[6]")],
    ),
    "no stanine follows from a table without z": (
        [(KIND, f"{KIND}    stanine_kind: half_z\n")],
        [("MH107", "scales[0].strata[0]")],
    ),
    "an interval of T stands where there is no T": (
        [table("          first: 0\n          z: [-3, -2, -1, 0, 1, 2, 3]\n"
               "        reliability: {coefficient: alpha, value: 0.8, sample: {en: x, zh: x}, "
               "around: observed, source: manual, evidence: own_choice}\n")],
        [("MH107", "scales[0].strata[0].reliability")],
    ),
    "an SD of raw scores stands beside a table": (
        [table(TABLE + "        reliability: {coefficient: alpha, value: 0.8, sd: 2, "
               "sample: {en: x, zh: x}, around: observed, source: manual, "
               "evidence: own_choice}\n")],
        [("MH107", "scales[0].strata[0].reliability.sd")],
    ),
    "a country is no code": ([("country: CN", "country: China")], [("MH107", "country")]),
}  # fmt: skip
GOOD = {
    "an LMS fit": [*FITTED, figures(LMS)],
    "a logarithm": [*FITTED, figures("lms: {l: 0, m: 3.5, s: 0.6, add: 1}")],
    "a regression on age": [figures(LINE)],
    "caps at both ends": [
        table("          first: 1\n          t: [40, 43, 45]\n          t_below: 40\n"
              "          t_above: 48\n")
    ],
    "a falling table": [
        *ONLY_TABLE, (KIND, f"{KIND}    direction: falling\n"),
        table("          first: 1\n          t: [61, 57, 54]\n          t_below: 61\n"
              "          t_above: 50\n"),
    ],
    "stanines in bands of z": [*ONLY_TABLE, (KIND, f"{KIND}    stanine_kind: half_z\n"),
                               table("          first: 0\n          z: [-2, -1, 0, 1]\n")],
    "two countries and no number of pupils": [("country: CN", "country: AU/NL"), ("n: 100\n", "")],
}  # fmt: skip


@pytest.mark.parametrize("sentence", BROKEN)
def test_norm_table_is_refused_where(sentence, changed):
    replacements, expected = BROKEN[sentence]
    definition, problems = changed("norm", *replacements)
    assert said(problems) == expected
    assert definition is None


@pytest.mark.parametrize("sentence", GOOD)
def test_norm_table_may_have(sentence, changed):
    definition, problems = changed("norm", *GOOD[sentence])
    assert problems == []
    assert isinstance(definition, NormTable)


def test_a_scale_says_which_derived_scores_it_gives(changed):
    definition, _ = changed("norm", *FITTED, figures(LMS))
    (scale,) = definition.scales
    assert [scale.metrics_of(stratum) for stratum in scale.strata] == [
        ("t",), ("z", "t", "percentile"),
    ]  # fmt: skip
    assert scale.metrics == ("z", "t", "percentile")


# -- what a policy may read of it -----------------------------------------------------------------

CAPPED = table("          first: 1\n          t: [50, 60, 70]\n          t_below: 45\n"
               "          t_above: 72\n")  # fmt: skip
FALLING = (
    *ONLY_TABLE, (KIND, f"{KIND}    direction: falling\n"),
    table("          first: 1\n          t: [70, 60, 50]\n          t_below: 72\n"
          "          t_above: 45\n"),
)  # fmt: skip


def findings(good, changed, norm_changes, comparison):
    """Let the rule on T compare as said, against the changed norm table."""
    norm, problems = changed("norm", *norm_changes)
    assert problems == []
    policy, problems = changed("policy", ("at_or_above: 60}", f"{comparison}}}"))
    assert problems == []
    instruments = {"leaf": good.instrument("leaf@1.0.0").definition}
    found = check_policy_against(policy, instruments, {norm.ref: norm})
    return [(one.code, one.path[-1]) for one in found]


@pytest.mark.parametrize("cut, inside", [(45, False), (46, True), (72, True), (72.5, False)])
def test_a_rule_cannot_cut_where_a_table_is_capped(good, changed, cut, inside):
    found = findings(good, changed, [CAPPED], f"at_or_above: {cut}")
    assert found == ([] if inside else [("MH207", "at_or_above")])


@pytest.mark.parametrize("cut, inside", [(46, True), (72, True), (45, False), (73, False)])
def test_a_rule_on_a_falling_table_reads_it_the_way_it_falls(good, changed, cut, inside):
    found = findings(good, changed, FALLING, f"at_or_below: {cut - 1}")
    assert found == ([] if inside else [("MH207", "at_or_below")])
    found = findings(good, changed, FALLING, f"at_or_above: {cut}")
    assert found == [("MH206", "at_or_above")] + ([] if inside else [("MH207", "at_or_above")])


def test_a_rule_cannot_read_what_a_norm_does_not_give(good, changed):
    found = findings(good, changed, [], "at_or_above: 60")
    assert found == []
    norm, _ = changed("norm")
    policy, _ = changed("policy", ("metric: t,", "metric: percentile,"))
    instruments = {"leaf": good.instrument("leaf@1.0.0").definition}
    found = [*check_policy_against(policy, instruments, {norm.ref: norm})]
    assert [(one.code, one.path[-1], one.expected) for one in found] == [
        ("MH207", "metric", "among: t, z"),
    ]  # fmt: skip
