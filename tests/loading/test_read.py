"""The grammar's problems in our own words, each at its place."""

import pytest

from mhscreen.loading import read_cases, read_definition

POLICY = """\
schema: mhscreen/policy/1
id: garden
version: 1.0.0
title: {en: a, zh: b}
references: [{id: manual, citation: a, supports: [a]}]
instruments: [leaf@1.0.0]
concerns: [self_harm]
rules:
  - id: G1
    tier: severe
    when: WHEN
    because: {en: a, zh: b}
    due: {hours: 1}
    source: manual
    evidence: own_choice
states:
  critical_unanswered: {hours: 24}
  invalid: {school_days: 5}
  possible: {school_days: 5}
  error: {school_days: 1}
  not_screened: {school_days: 10}
"""
KINDS = "one of: item, score, category, critical_item, validity_index, all, any, at_least"


def problem_of(old, new):
    assert old in POLICY
    definition, problems = read_definition(POLICY.replace(old, new), "p.yaml")
    assert definition is None
    (problem,) = problems
    return problem


def problem_of_when(condition):
    return problem_of("WHEN", condition)


def test_nothing_is_wrong_with_a_good_policy():
    definition, problems = read_definition(
        POLICY.replace("WHEN", "{item: leaf.q1, at_or_above: 1}"), "p.yaml"
    )
    assert problems == []
    assert definition.ref == "garden@1.0.0"


@pytest.mark.parametrize(
    "condition, code, path, expected, hint",
    [
        ("{itm: leaf.q1}", "MH103", "rules[0].when.itm", KINDS, "did you mean 'item'?"),
        ("{not: {}}", "MH103", "rules[0].when.not", KINDS, ""),
        ("{}", "MH104", "rules[0].when", KINDS, ""),
        ("leaf.q1", "MH105", "rules[0].when", "a mapping", ""),
        (
            "{all: [{any: [{item: leaf.q1, at_or_abov: 1}]}]}",
            "MH103",
            "rules[0].when.all[0].any[0].at_or_abov",
            "one of: absent, at_or_above, at_or_below, informant, item",
            "did you mean 'at_or_above'?",
        ),
        (
            "{at_least: {count: 1, off: []}}",
            "MH103",
            "rules[0].when.at_least.off",
            "one of: count, of",
            "did you mean 'of'?",
        ),
        ("{any: []}", "MH107", "rules[0].when.any", "at least 1 entry", ""),
        (
            "{item: leaf, at_or_above: 1}",
            "MH107",
            "rules[0].when.item",
            "an instrument and what it holds, like phq9.total",
            "",
        ),
        (
            "{item: leaf.q1, at_or_above: 1.0}",
            "MH105",
            "rules[0].when.at_or_above",
            "a whole number",
            "write 1",
        ),
        (
            '{item: leaf.q1, at_or_above: "1"}',
            "MH105",
            "rules[0].when.at_or_above",
            "a whole number",
            "leave out the quotes",
        ),
        (
            "{item: leaf.q1, at_or_above: true}",
            "MH105",
            "rules[0].when.at_or_above",
            "a whole number",
            "",
        ),
    ],
)
def test_condition_problem_names_its_place_in_the_file(condition, code, path, expected, hint):
    if "off" in condition:
        _, problems = read_definition(POLICY.replace("WHEN", condition), "p.yaml")
        problem = next(p for p in problems if p.code == "MH103")
    else:
        problem = problem_of_when(condition)
    assert (problem.code, problem.path) == (code, path)
    assert (problem.expected, problem.hint) == (expected, hint)
    assert problem.line == 11


def test_missing_key_is_placed_at_its_mapping():
    problem = problem_of_when("{category: leaf.total, at_or_above: high}")
    assert (problem.code, problem.path) == ("MH104", "rules[0].when")
    assert problem.what == "key 'cut_set' is missing"
    assert (problem.line, problem.column) == (11, 11)


@pytest.mark.parametrize(
    "old, new, code, path, expected",
    [
        ("title: {en: a, zh: b}", "title:", "MH105", "title", "a mapping"),
        ("supports: [a]", "supports: a", "MH105", "references[0].supports", "a list"),
        ("hours: 1}", "hours: -1}", "MH107", "rules[0].due.hours", "at least 0"),
        (
            "{hours: 1}",
            "{hours: 1, school_days: 1}",
            "MH107",
            "rules[0].due",
            "give exactly one of hours, school_days, monthly_review",
        ),
        (
            "id: garden",
            "id: Garden",
            "MH107",
            "id",
            "lower-case letters and digits, joined by single hyphens",
        ),
        (
            "version: 1.0.0",
            "version: 1.0.00",
            "MH107",
            "version",
            "a version of three numbers, like 1.0.0",
        ),
    ],
)
def test_bad_value_says_what_would_be_right(old, new, code, path, expected):
    _, problems = read_definition(
        POLICY.replace("WHEN", "{item: leaf.q1, at_or_above: 1}").replace(old, new, 1), "p.yaml"
    )
    (problem,) = problems
    assert (problem.code, problem.path, problem.expected) == (code, path, expected)


def test_value_of_a_union_is_one_problem_that_names_all_members():
    text = "schema: mhscreen/cases/1\nfor: a@1.0.0\ncases: [{name: a, answers: {q1: [1]}}]\n"
    _, (problem,) = read_cases(text, "c.yaml")
    assert problem.code == "MH105"
    assert problem.expected == "a whole number or a text"


def test_ambiguous_value_is_said_once():
    text = POLICY.replace("WHEN", "{item: leaf.q1, at_or_above: 012}")
    _, problems = read_definition(text, "p.yaml")
    assert [p.code for p in problems] == ["MH106"]


def test_broken_entry_does_not_also_make_its_list_too_short():
    text = POLICY.replace("WHEN", "{item: leaf.q1, at_or_above: 1}").replace("leaf@1.0.0", "leaf@1")
    _, problems = read_definition(text, "p.yaml")
    assert [p.path for p in problems] == ["instruments[0]"]


def test_long_values_are_cut_short():
    _, (problem,) = read_definition(
        POLICY.replace("WHEN", "{item: leaf.q1, at_or_above: 1}").replace("garden", "X" * 5000), "p"
    )
    assert len(str(problem)) < 300


@pytest.mark.parametrize(
    "text", ["id: a\nschema: mhscreen/policy/1\n", "- 1\n", "a\n", "schema: 1\n"]
)
def test_first_key_must_name_a_grammar(text):
    _, (problem,) = read_definition(text, "p.yaml")
    assert problem.code == "MH110"
    assert "mhscreen/policy/1" in problem.expected


def test_problems_stand_in_the_order_of_the_file():
    text = (
        POLICY.replace("WHEN", "{}").replace("id: garden", "id: 7").replace("hours: 1}", "hour: 1}")
    )
    _, problems = read_definition(text, "p.yaml")
    places = [(p.line, p.column) for p in problems]
    assert len(places) == 3
    assert places == sorted(places)


def test_case_without_input_is_told_the_three_inputs():
    text = "schema: mhscreen/cases/1\nfor: a@1.0.0\ncases: [{name: a, answer: {}}]\n"
    _, (problem,) = read_cases(text, "c.yaml")
    assert (problem.code, problem.expected) == ("MH103", "one of: answers, forms, raw")


def test_cases_of_two_kinds_do_not_go_together():
    text = (
        "schema: mhscreen/cases/1\nfor: a@1.0.0\ncases:\n"
        "  - {name: a, answers: {}}\n  - {name: b, pupil: {}, raw: {}, expect: {}}\n"
    )
    _, (problem,) = read_cases(text, "c.yaml")
    assert problem.code == "MH107"
