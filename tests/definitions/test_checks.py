"""What a definition must say beyond its grammar: the good files, changed in one place."""

import pytest

CLAIM = "source: manual, evidence: own_choice"


def said(problems):
    return [(problem.code, problem.path) for problem in problems]


def test_good_definitions_have_no_problem(changed):
    for kind in ("instrument", "norm", "policy", "programme"):
        definition, problems = changed(kind)
        assert definition is not None
        assert problems == []


INSTRUMENT = {
    "an item id stands twice": (
        [("id: q2, number: 2", "id: q1, number: 2"), ("[q1, q2, q3]", "[q1, q3]")],
        [("MH202", "items[1].id")],
    ),
    "a number on the form stands twice": (
        [("number: 2", "number: 1")],
        [("MH202", "items[1].number")],
    ),
    "an item is listed twice in a scale": (
        [("items: [q1, q2, q3]", "items: [q1, q2, q3, q1]")],
        [("MH202", "scales[0].items[3]"), ("MH203", "scales[0].range")],
    ),
    "a reverse key is not an item of the scale": (
        [("reverse: [q3]", "reverse: [q4]")],
        [("MH201", "scales[0].reverse[0]")],
    ),
    "an item names no response scale": (
        [("zh: 发黄}, response_scale: often", "zh: 发黄}, response_scale: ofen")],
        [("MH201", "items[0].response_scale")],
    ),
    "a critical item is no item": (
        [("- item: q4", "- item: q9")],
        [("MH201", "critical_items[0].item")],
    ),
    "a validity index names no scale": (
        [("scale: contrary", "scale: contrery")],
        [("MH201", "validity_indices[0].scale")],
    ),
    "two options are spelled alike but for width and case": (
        [("[now and then]", "[ＮＥＶＥＲ]")],
        [("MH202", "response_scales.often.options[1]")],
    ),
    "a code that is text needs its score": (
        [('code: "N", score: 0', 'code: "N"')],
        [("MH104", "response_scales.yes_no.options[0]")],
    ),
    "a missing code is also an answer": (
        [("code: 99", "code: 2")],
        [("MH202", "response_scales.often.missing_codes[0]")],
    ),
    "a sum of scales has no items of its own": (
        [("combine: count", "combine: sum_of_scales")],
        [
            ("MH104", "scales[2]"),
            ("MH107", "scales[2].count_at_or_above"),
            ("MH107", "scales[2].items"),
        ],
    ),
    "a count needs a threshold": (
        [("    count_at_or_above: 2\n", "")],
        [("MH104", "scales[2]")],
    ),
    "a component stands after its sum": (
        [
            ("    items: [q1, q2, q3]\n    reverse: [q3]\n", "    scales: [growth]\n"),
            ("combine: sum\n    scales", "combine: sum_of_scales\n    scales"),
        ],
        [("MH201", "scales[0].scales[0]")],
    ),
    "a reverse key is missing": (
        [("    reverse: [q3]\n", "")],
        [("MH204", "scales[1].items[0]")],
    ),
    "the range forgets an item": (
        [("range: [0, 6]", "range: [0, 4]")],
        [("MH203", "scales[0].range")],
    ),
    "the first category has a bound": (
        [
            (
                "{id: low, label: {en: Below the cut, zh: 未达划界分}}",
                "{id: low, label: {en: Below the cut, zh: 未达划界分}, at_or_above: 1}",
            )
        ],
        [("MH205", "scales[0].cut_sets[0].categories[0].at_or_above")],
    ),
    "a further category has no bound": (
        [(", at_or_above: 3", "")],
        [("MH205", "scales[0].cut_sets[0].categories[1]")],
    ),
    "a cut lies outside the range": (
        [("at_or_above: 5", "at_or_above: 7")],
        [("MH205", "scales[0].cut_sets[0].categories[2].at_or_above")],
    ),
    "a cut of a better scale points upwards": (
        [("at_or_below: 0", "at_or_above: 1")],
        [("MH205", "scales[1].cut_sets[0].categories[1].at_or_above")],
    ),
    "a cut of a better scale holds every score": (
        [("at_or_below: 0", "at_or_below: 2")],
        [("MH205", "scales[1].cut_sets[0].categories[1].at_or_below")],
    ),
    "more answers are asked for than there are items": (
        [("min_answered: 2", "min_answered: 4")],
        [("MH107", "scales[0].missing.min_answered")],
    ),
    "a critical item is always positive": (
        [("days: 7\n    at_or_above: 1", "days: 7\n    at_or_above: 0")],
        [("MH207", "critical_items[0].at_or_above")],
    ),
    "a critical item is never positive": (
        [("days: 7\n    at_or_above: 1", "days: 7\n    at_or_above: 2")],
        [("MH207", "critical_items[0].at_or_above")],
    ),
    "a critical item is better when higher": (
        [("- item: q4", "- item: q3")],
        [("MH206", "critical_items[0].item")],
    ),
    "a recent window says how many days": (
        [("    days: 7\n", "")],
        [("MH104", "critical_items[0]")],
    ),
    "a gate opens itself": (
        [("open_when_any: [{item: q4", "open_when_any: [{item: q5")],
        [("MH107", "gates[0].open_when_any[0].item")],
    ),
    "a gate never opens": (
        [
            (
                "open_when_any: [{item: q4, at_or_above: 1",
                "open_when_any: [{item: q4, at_or_above: 2",
            )
        ],
        [("MH207", "gates[0].open_when_any[0].at_or_above")],
    ),
    "a scale is for an informant without a form": (
        [("    purpose: validity\n", "    purpose: validity\n    informants: [parent]\n")],
        [("MH306", "scales[2].informants[0]")],
    ),
    "a blank counts as a score that no option has": (
        [
            (
                "zh: 虫害}, ",
                f"zh: 虫害}}, blank_counts_as: {{score: 2, {CLAIM}}}, ",
            )
        ],
        [("MH107", "items[3].blank_counts_as.score")],
    ),
    "the rights cite no source": (
        [("read_on: 2026-01-01\n  source: manual", "read_on: 2026-01-01\n  source: letter")],
        [("MH208", "rights.source")],
    ),
    "the ages hold nobody": ([("from: 8, below: 19", "from: 19, below: 8")], [("MH107", "ages")]),
    "a validity index is reached by every form": (
        [("at_or_above: 2, status", "at_or_above: 0, status")],
        [("MH207", "validity_indices[0].at_or_above")],
    ),
    "a validity index calls the form valid": (
        [("status: questionable", "status: valid")],
        [("MH107", "validity_indices[0].status")],
    ),
}
NORM = {
    "columns differ in length": (
        [("57.5, 61]", "57.5]")],
        [("MH107", "scales[0].strata[0].table.t")],
    ),
    "raw scores have a gap": (
        [("raw: [0, 1, 2, 3, 4, 5, 6]", "raw: [0, 1, 2, 3, 4, 5, 7]")],
        [("MH107", "scales[0].strata[0].table.raw")],
    ),
    "raw scores leave the range": (
        [("raw: [0, 1, 2, 3, 4, 5, 6]", "raw: [1, 2, 3, 4, 5, 6, 7]")],
        [("MH107", "scales[0].strata[0].table.raw")],
    ),
    "a T says whether it is linear": (
        [("    t_kind: linear\n", "")],
        [("MH104", "scales[0]")],
    ),
    "a mean and SD give no normalised T": (
        [("t_kind: linear", "t_kind: normalised")],
        [("MH107", "scales[0].strata[1].mean_sd")],
    ),
    "a percentile says what it counts": (
        [("          t: [", "          percentile: [1, 2, 3, 4, 5, 6, 7]\n          t: [")],
        [("MH104", "scales[0]")],
    ),
    "a stratum holds no figures": (
        [("        mean_sd: {mean: 2.5, sd: 1.5}\n", "")],
        [("MH104", "scales[0].strata[1]")],
    ),
    "a stratum for any sex meets the one for boys": (
        [("sex: male\n        age: {from: 12, below: 19}", "sex: any")],
        [("MH211", "scales[0].strata[1]")],
    ),
    "the mean lies outside the range": (
        [("mean: 2.5", "mean: 25")],
        [("MH107", "scales[0].strata[1].mean_sd.mean")],
    ),
    "an age band holds nobody": (
        [("from: 12, below: 19", "from: 19, below: 12")],
        [("MH107", "scales[0].strata[1].age")],
    ),
}
POLICY = {
    "a leaf reads an instrument that is not pinned": (
        [("{item: leaf.q2", "{item: loaf.q2")],
        [("MH201", "rules[1].when.any[2].all[1].item")],
    ),
    "a leaf compares with nothing": (
        [("{item: leaf.q2, at_or_above: 2}", "{item: leaf.q2}")],
        [("MH104", "rules[1].when.any[2].all[1]")],
    ),
    "a leaf is a range": (
        [("{item: leaf.q2, at_or_above: 2}", "{item: leaf.q2, at_or_above: 1, at_or_below: 1}")],
        [("MH206", "rules[1].when.any[2].all[1].at_or_below")],
    ),
    "a derived score names its norm": (
        [("metric: t, norm: leaf/window-sill@1.0.0,", "metric: t,")],
        [("MH104", "rules[1].when.any[1]")],
    ),
    "more conditions are asked for than there are": (
        [("count: 1", "count: 3")],
        [("MH207", "rules[2].when.at_least.count")],
    ),
    "a rule reaches no tier": ([("tier: watch", "tier: none")], [("MH107", "rules[2].tier")]),
    "a rule stands twice": ([("- id: G3", "- id: G1")], [("MH202", "rules[2].id")]),
    "a signature has no date": (
        [("concerns: [", "approved_by: a head gardener\nconcerns: [")],
        [("MH104", "")],
    ),
}
PROGRAMME = {
    "two groups hold the same pupil": ([("[4, 6]", "[3, 6]")], [("MH211", "groups[1]")]),
    "a slot's instrument is not pinned": (
        [("slot: leaf@self", "slot: loaf")],
        [("MH201", "groups[1].slots[0].slot")],
    ),
    "a slot stands twice in a group": (
        [("slot: leaf@self", "slot: leaf@teacher")],
        [("MH202", "groups[1].slots[1].slot")],
    ),
    "a tier has no action": (
        [
            (
                "tier: major, first_contact: on_duty",
                "tier: severe, first_contact: on_duty",
            )
        ],
        [("MH104", "action_matrix"), ("MH202", "action_matrix[4].tier")],
    ),
    "a day does not exist": ([("to: 11-30", "to: 11-31")], [("MH107", "windows[0].to")]),
    "a deadline is outside its window": (
        [("primary: 09-30", "primary: 12-30")],
        [("MH107", "windows[0].deadlines.primary")],
    ),
    "windows meet over the turn of the year": (
        [("from: 09-01, to: 11-30", "from: 01-10, to: 11-30")],
        [("MH211", "windows[1]")],
    ),
    "a make-up day is a school day already": (
        [("2026-10-10", "2026-10-12")],
        [("MH107", "make_up_days[0]")],
    ),
    "the grades hold nobody": ([("[4, 6]", "[6, 4]")], [("MH107", "groups[1].grades")]),
}
ALL = [
    pytest.param(kind, replacements, expected, id=f"{kind}: {sentence}")
    for kind, table in {
        "instrument": INSTRUMENT,
        "norm": NORM,
        "policy": POLICY,
        "programme": PROGRAMME,
    }.items()
    for sentence, (replacements, expected) in table.items()
]


@pytest.mark.parametrize("kind, replacements, expected", ALL)
def test_definition_is_refused_where(kind, replacements, expected, changed):
    definition, problems = changed(kind, *replacements)
    assert definition is None
    assert said(problems) == expected


def test_item_that_nothing_uses_is_allowed(changed):
    definition, problems = changed(
        "instrument",
        ("items: [q5]", "items: [q2]"),  # now no gate, scale or critical item names q5
    )
    assert problems == []
    assert definition.item("q5").number == 5


def test_validity_scale_may_count_an_item_the_other_way_round(changed):
    # "contrary" counts q3 upwards and "wilting" downwards, but the former is about answering.
    _, problems = changed("instrument")
    assert problems == []
    _, problems = changed("instrument", ("    purpose: validity\n", ""))
    assert said(problems) == [("MH204", "scales[2].items[1]")]


def test_strata_that_share_an_age_edge_do_not_overlap(changed):
    _, problems = changed("norm", ("from: 12, below", "from: 11.5, below"))
    assert said(problems) == [("MH211", "scales[0].strata[1]")]
    _, problems = changed("norm", ("from: 12, below", "from: 12.5, below"))
    assert problems == []
