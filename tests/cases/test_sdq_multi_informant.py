"""The policy on the SDQ of three informants against the published predictive algorithm.

The algorithm is written out again here, from its description (see the references of the policy),
on scores; the policy sees answers.
"""

from itertools import combinations

import numpy as np
import pytest

import mhscreen as mh

SCALES = {
    "emotional": ("q3", "q8", "q13", "q16", "q24"),
    "conduct": ("q5", "q7", "q12", "q18", "q22"),
    "hyperactivity": ("q2", "q10", "q15", "q21", "q25"),
}
REVERSED = {"q7", "q11", "q14", "q21", "q25"}
IMPACT = {
    "parent": ("imp_distress", "imp_home", "imp_friends", "imp_class", "imp_leisure"),
    "self": ("imp_distress", "imp_home", "imp_friends", "imp_class", "imp_leisure"),
    "teacher": ("imp_distress", "imp_friends", "imp_class"),
}
TIERS = ["none", "watch", "general"]


def predict(forms):
    """Return unlikely 0, possible 1, probable 2 for any disorder, as published."""
    level = {}
    for who, scores in forms.items():
        hyper, impact = scores["hyperactivity"], scores["impact"]
        level[who] = 2 if hyper >= 7 and impact >= 2 else 1 if hyper >= 6 and impact >= 1 else 0
        if who == "parent" and hyper >= 9 and impact >= 1:
            level[who] = 2
    home, school = level.get("parent", level.get("self")), level.get("teacher")
    if home is None or school is None:
        hk = min(1, max(home or 0, school or 0))
    elif home == 2 and school >= 1:
        hk = 2
    else:
        hk = int(2 in (home, school) or (home, school) == (1, 1))
    first, second = {"parent": 4, "teacher": 3, "self": 5}, {"parent": 5, "teacher": 4, "self": 6}
    cd = max(
        2 if one["conduct"] >= second[who] and one["impact"] >= 2 else one["conduct"] >= first[who]
        for who, one in forms.items()
    )
    first, second = {"parent": 5, "teacher": 5, "self": 6}, {"parent": 6, "teacher": 6, "self": 7}
    ed = max(one["emotional"] >= first[who] and one["impact"] >= 1 for who, one in forms.items())
    probable = sum(
        one["emotional"] >= second[who] and one["impact"] >= 2 for who, one in forms.items()
    )
    if probable:
        ed = 1 if probable == 1 and 2 in (cd, hk) else 2
    return int(max(ed, cd, hk))


def spread(total, items, most, rng):
    """Answer items so that they add up to a total."""
    points = dict.fromkeys(items, 0)
    for _ in range(total):
        points[rng.choice([item for item in items if points[item] < most])] += 1
    return points


def answers_of(scores, who, rng):
    given = {f"q{n}": 0 for n in range(1, 26)}
    for scale, items in SCALES.items():
        given |= spread(scores[scale], items, 2, rng)
    given |= {item: 2 - given[item] for item in REVERSED}
    impact = spread(scores["impact"], IMPACT[who], 2, rng)
    given |= {"overall": 1, "duration": 1, "burden": 0}
    given |= {item: points + 1 if points else 0 for item, points in impact.items()}
    return given


@pytest.fixture(scope="module")
def pupils(library):
    """Return scores by informant, and the tiers that the policy gives."""
    rng = np.random.default_rng(20261126)
    plan = mh.compile_plan(library, programme="sdq-three-informants@1")
    made = []
    for _ in range(1500):
        there = [who for who in IMPACT if rng.random() < 0.7] or ["parent"]
        made.append(
            {
                who: {
                    scale: int(rng.choice(11, p=[*[0.05] * 3, *[0.10625] * 8])) for scale in SCALES
                }
                | {"impact": int(rng.choice(5, p=[0.3, 0.25, 0.25, 0.1, 0.1]))}
                for who in there
            }
        )
    roster = {
        "subject": [f"p{n}" for n in range(len(made))],
        "school": ["S"] * len(made),
        "stage": ["junior"] * len(made),
        "grade": [8] * len(made),
    }
    responses = {}
    for who in IMPACT:
        rows = [
            {
                "subject": f"p{n}",
                **{f"sdq_{who}_{k}": v for k, v in answers_of(f[who], who, rng).items()},
            }
            for n, f in enumerate(made)
            if who in f
        ]
        names = list(dict.fromkeys(name for row in rows for name in row))
        responses[f"sdq@{who}"] = {name: [row.get(name) for row in rows] for name in names}
    result = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    return made, result.triage


def test_the_tier_is_the_highest_that_the_algorithm_gives_to_any_of_the_forms(pupils):
    made, triage = pupils
    expected = [
        TIERS[
            max(
                predict({who: forms[who] for who in some})
                for number in range(1, len(forms) + 1)
                for some in combinations(forms, number)
            )
        ]
        for forms in made
    ]
    assert list(map(str, triage.established_tier)) == expected
    assert set(expected) == set(TIERS)


def test_the_tier_is_never_below_the_published_algorithm(pupils):
    made, triage = pupils
    published = [predict(forms) for forms in made]
    given = [TIERS.index(tier) for tier in triage.established_tier]
    assert all(ours >= theirs for ours, theirs in zip(given, published, strict=True))
    assert 0.8 < np.mean(np.equal(given, published)) < 1


def test_an_absent_teacher_leaves_probable_hyperactivity_undecided_never_refuted(pupils):
    made, triage = pupils
    place = next(
        n for n, rule in enumerate(triage.plan.triage.rules) if rule.id == "probable-hyperactivity"
    )
    seen = set()
    for forms, state in zip(made, triage.truth[place].tolist(), strict=True):
        home = max(
            (
                (one["hyperactivity"] >= 7 and one["impact"] >= 2)
                or (who == "parent" and one["hyperactivity"] >= 9 and one["impact"] >= 1)
                for who, one in forms.items()
                if who != "teacher"
            ),
            default=False,
        )
        if "teacher" not in forms and home:
            assert state == 1
        seen.add(("teacher" in forms, state))
    assert (False, 2) not in seen
    assert {(True, 0), (True, 2), (False, 1)} <= seen
