"""The check of a policy's logic against brute force: every answer to small questionnaires.

The brute force below scores, compares and decides by itself, from the same made-up definitions.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.definitions import Instrument, Policy
from mhscreen.loading.library import Loaded, Made, make_library
from mhscreen.plan.scoring import compile_form
from mhscreen.plan.triage import LeafPlan
from mhscreen.review.cells import SIDES, form_truth, mildest, parts_of, reach
from mhscreen.review.policy_check import check_policy

FAILS, UNDECIDED, HOLDS = 0, 1, 2
TIERS = ["none", "watch", "general", "severe", "major"]
WORDS = {"en": "made up", "zh": "虚构"}
CLAIM = {"source": "own", "evidence": "own_choice"}
REFERENCES = [{"id": "own", "citation": "made up", "supports": ["everything"]}]
DUES = [
    {"hours": 0},
    {"hours": 8},
    {"school_days": 2},
    {"school_days": 5},
    {"monthly_review": True},
]


# -- made-up definitions --------------------------------------------------------------------------


@st.composite
def questionnaires(draw):
    """Two or three items, one to three scales of every kind that has a rule for blanks."""
    number = draw(st.integers(2, 3))
    items = [f"q{n + 1}" for n in range(number)]
    most = {item: draw(st.integers(1, 2)) for item in items}
    counted = {item: draw(st.integers(0, 1)) for item in items if draw(st.integers(0, 5)) == 0}
    gated = number > 2 and draw(st.integers(0, 3)) == 0
    scales = []
    for n in range(draw(st.integers(1, 2))):
        mine = draw(st.lists(st.sampled_from(items), min_size=1, unique=True).map(sorted))
        scales.append(
            {
                "id": f"s{n}",
                "combine": draw(st.sampled_from(["sum", "sum", "maximum", "count", "mean"])),
                "items": mine,
                "reverse": [item for item in mine if draw(st.integers(0, 3)) == 0],
                "least": draw(st.integers(1, len(mine))),
                "rounding": draw(st.sampled_from(["none", "half_up"])),
                "worse": draw(st.integers(0, 3)) > 0,
                "content": draw(st.integers(0, 4)) > 0,
            }
        )
    if draw(st.booleans()):
        parts = [scale["id"] for scale in scales if scale["worse"] == scales[0]["worse"]]
        scales.append(
            {"id": "whole", "combine": "sum_of_scales", "parts": parts, "items": [],
             "worse": scales[0]["worse"], "content": True, "rounding": "none"}
        )  # fmt: skip
    elif draw(st.booleans()):
        scales.append(
            {"id": "whole", "combine": "levels", "items": [], "worse": True, "content": True,
             "rounding": "none", "levels": [("item", items[0], 1), (
                 ("all", ("item", items[0], 1), ("item", items[1], 1))
                 if draw(st.booleans()) else ("scale", "s0", draw(st.integers(1, 3))))]}
        )  # fmt: skip
    critical = [items[-1]] if draw(st.booleans()) else []
    informants = ["self", "teacher"] if draw(st.booleans()) else ["self"]
    return {
        "items": items, "most": most, "counted": counted, "gated": gated, "scales": scales,
        "critical": critical, "informants": informants,
    }  # fmt: skip


def instrument_of(spec):
    def level(one):
        if one[0] == "all":
            return {"all": [level(part) for part in one[1:]]}
        return {one[0]: one[1], "at_or_above": one[2]}

    scales = []
    for scale in spec["scales"]:
        entry = {
            "id": scale["id"], "title": WORDS, "combine": scale["combine"], "range": [0.0, 20.0],
            "higher_is": "worse" if scale["worse"] else "better", "rounding": scale["rounding"],
            "purpose": "content" if scale["content"] else "validity", **CLAIM,
        }  # fmt: skip
        if scale["combine"] == "sum_of_scales":
            entry["scales"] = scale["parts"]
        elif scale["combine"] == "levels":
            entry["levels"] = [
                {"at": n + 1, "when": level(one)} for n, one in enumerate(scale["levels"])
            ]
        else:
            entry |= {
                "items": scale["items"],
                "reverse": scale["reverse"],
                "missing": {"min_answered": scale["least"], **CLAIM},
            }
            if scale["combine"] == "count":
                entry["count_at_or_above"] = 1
        scales.append(entry)
    return Instrument.model_validate(
        {
            "schema": "mhscreen/instrument/1", "id": "tiny", "version": "1.0.0", "title": WORDS,
            "abbreviation": "T", "construct": WORDS, "recall": WORDS,
            "informants": spec["informants"], "ages": {"from": 5.0, "below": 20.0},
            "population": WORDS,
            "rights": {"holder": "nobody", "terms": "made up", "key": "shipped",
                       "wording": "withheld", "read_on": "2026-01-01", "source": "own"},
            "references": REFERENCES, "evidence": "own_choice",
            "response_scales": {
                f"to{most}": {"options": [{"code": n, "label": WORDS} for n in range(most + 1)]}
                for most in (1, 2)
            },
            "items": [
                {"id": item, "number": n + 1, "topic": WORDS,
                 "response_scale": f"to{spec['most'][item]}",
                 **({"blank_counts_as": {"score": spec["counted"][item], **CLAIM}}
                    if item in spec["counted"] else {})}
                for n, item in enumerate(spec["items"])
            ],
            "gates": [{"id": "gate", "items": ["q2"], **CLAIM,
                       "open_when_any": [{"item": "q1", "at_or_above": 1}]}]
            if spec["gated"] else [],
            "scales": scales,
            "critical_items": [
                {"item": item, "concern": "self_harm", "window": "recent", "days": 7,
                 "at_or_above": 1, "directness": "direct", **CLAIM}
                for item in spec["critical"]
            ],
        }
    )  # fmt: skip


def worse_way(spec, item):
    """Return 1 where a higher item score is worse, by the first content scale with the item."""
    for scale in spec["scales"]:
        own = scale["items"]
        if scale["combine"] == "levels":
            own = [one[1] for one in flat(scale["levels"]) if one[0] == "item"]
        if scale["content"] and item in own:
            return 1 if scale["worse"] != (item in scale.get("reverse", [])) else -1
    return 1


def flat(levels):
    for one in levels:
        yield from flat(one[1:]) if one[0] == "all" else [one]


@st.composite
def conditions(draw, spec, depth=2):
    kinds = ["item", "score", "score"] + (["critical"] if spec["critical"] else [])
    kind = draw(st.sampled_from(kinds + (["all", "any", "at_least"] if depth else [])))
    informant = draw(st.sampled_from([None, *spec["informants"]]))
    whose = {} if informant is None else {"informant": informant}
    missed = {"absent": "undecided"} if whose and draw(st.booleans()) else {}
    if kind == "item":
        item = draw(st.sampled_from(spec["items"]))
        cut = draw(st.integers(0, spec["most"][item]))
        key = "at_or_above" if worse_way(spec, item) > 0 else "at_or_below"
        return {"item": f"tiny.{item}", key: cut, **whose, **missed}
    if kind == "score":
        scale = draw(st.sampled_from(spec["scales"]))
        key = "at_or_above" if scale["worse"] else "at_or_below"
        cut = draw(st.sampled_from([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0]))
        return {"score": f"tiny.{scale['id']}", key: cut, **whose, **missed}
    if kind == "critical":
        return {"critical_item": "self_harm", **whose}
    parts = draw(st.lists(conditions(spec, depth - 1), min_size=2, max_size=3))
    if kind == "at_least":
        return {"at_least": {"count": draw(st.integers(1, len(parts))), "of": parts}}
    return {kind: parts}


@st.composite
def policies(draw):
    spec = draw(questionnaires())
    rules = [
        {
            "id": f"R{n}",
            "tier": draw(st.sampled_from(TIERS[1:4])),
            "when": draw(conditions(spec)),
            "because": WORDS,
            "due": draw(st.sampled_from(DUES)),
            "classes": draw(st.lists(st.sampled_from(["mood", "anxiety"]), max_size=1)),
            "flags": draw(st.lists(st.sampled_from(["ask_directly"]), max_size=1)),
            **CLAIM,
        }
        for n in range(draw(st.integers(1, 3)))
    ]
    return spec, rules


def policy_of(rules):
    due = {"school_days": 1}
    return Policy.model_validate(
        {
            "schema": "mhscreen/policy/1", "id": "tiny-policy", "version": "1.0.0", "title": WORDS,
            "references": REFERENCES, "instruments": ["tiny@1.0.0"], "concerns": ["self_harm"],
            "rules": rules,
            "states": dict.fromkeys(
                ["critical_unanswered", "invalid", "possible", "error", "not_screened"], due
            ),
        }
    )  # fmt: skip


# -- brute force ----------------------------------------------------------------------------------


class Brute:
    """Every form that can be filled in, scored and decided without the engine."""

    def __init__(self, spec, rules):
        self.spec, self.rules = spec, rules
        self.leaves = {}
        for rule in rules:
            self.collect(rule["when"])
        for item in spec["critical"]:
            self.leaves.setdefault(("critical", item, 1, True, False))
        self.leaves = list(self.leaves)
        odd = ["illegal"] if spec["counted"] or spec["gated"] else []
        self.answers = list(
            product(
                *(
                    [
                        *range(spec["most"][item] + 1), "blank", *odd,
                        *(["refused"] if item in spec["counted"] else []),
                    ]
                    for item in spec["items"]
                )
            )
        )  # fmt: skip
        self.truth = {given: self.form(given) for given in self.answers}
        absent = tuple(UNDECIDED if leaf[-1] else FAILS for leaf in self.leaves)
        self.vectors = {*self.truth.values(), absent}
        self.joint = list(product(self.vectors, repeat=len(spec["informants"])))

    def leaf(self, condition):
        if "item" in condition:
            kind, name = "item", condition["item"]
        elif "score" in condition:
            kind, name = "score", condition["score"]
        else:
            return ("critical", self.spec["critical"][0], 1, True, False)
        up = "at_or_above" in condition
        cut = condition["at_or_above" if up else "at_or_below"]
        return (kind, name.partition(".")[2], cut, up, "absent" in condition)

    def inner(self, condition):
        for key in ("all", "any"):
            if key in condition:
                return condition[key], len(condition[key]) if key == "all" else 1
        if "at_least" in condition:
            return condition["at_least"]["of"], condition["at_least"]["count"]
        return None

    def collect(self, condition):
        inner = self.inner(condition)
        if inner is None:
            self.leaves.setdefault(self.leaf(condition))
        else:
            for part in inner[0]:
                self.collect(part)

    def form(self, given):
        """Return the truth of every comparison on one form."""
        spec = self.spec
        answers = dict(zip(spec["items"], given, strict=True))
        filed = any(isinstance(code, int) or code == "refused" for code in given)
        state = {}
        for item, code in answers.items():
            if isinstance(code, int):
                state[item] = ("answered", code)
            elif code in ("blank", "refused") and filed and item in spec["counted"]:
                state[item] = ("counted", spec["counted"][item])
            else:
                state[item] = ("open", None)
        if spec["gated"] and filed and answers["q2"] == "blank":
            kind, value = state["q1"]
            if kind == "answered" and value < 1:
                state["q2"] = ("closed", 0)
        scores = {}
        for scale in spec["scales"]:
            scores[scale["id"]] = self.score(scale, state, scores)
        return tuple(self.compare(leaf, state, scores) for leaf in self.leaves)

    def score(self, scale, state, scores):
        if scale["combine"] == "sum_of_scales":
            parts = [scores[name] for name in scale["parts"]]
            estimate = [part[0] for part in parts]
            return (
                None if None in estimate else sum(estimate),
                sum(part[1] for part in parts),
                sum(part[2] for part in parts),
            )
        if scale["combine"] == "levels":
            return self.level_score(scale, state, scores)
        known, lows, highs, answered = [], [], [], 0
        for item in scale["items"]:
            most = self.spec["most"][item]

            def key(value, item=item, most=most):
                keyed = most - value if item in scale["reverse"] else value
                return int(keyed >= 1) if scale["combine"] == "count" else keyed

            ends = sorted(key(value) for value in range(most + 1))
            kind, value = state[item]
            if kind in ("answered", "closed"):
                answered += 1
                ends = [key(value)]
            if kind != "open":
                known.append(key(value))
            lows.append(ends[0])
            highs.append(ends[-1])
        number = len(scale["items"])
        join = max if scale["combine"] == "maximum" else sum
        share = number if scale["combine"] == "mean" else 1
        estimate = None
        if len(known) >= scale["least"] and answered:
            estimate = join(known)
            if scale["combine"] in ("sum", "count", "mean"):
                estimate = estimate * number / len(known) / share
        found = [estimate, join(lows) / share, join(highs) / share]
        if scale["rounding"] == "half_up":
            found = [None if one is None else int(one + 0.5 + 1e-9) for one in found]
        return tuple(found)

    def level_score(self, scale, state, scores):
        def truth(one, *, counted):
            if one[0] == "all":
                return min(truth(part, counted=counted) for part in one[1:])
            if one[0] == "scale":
                _, low, high = scores[one[1]]
                return HOLDS if low >= one[2] - 1e-9 else UNDECIDED if high >= one[2] - 1e-9 else 0
            kind, value = state[one[1]]
            if kind == "open" or (kind == "counted" and not counted):
                return UNDECIDED
            return HOLDS * (value >= one[2])

        def ends(*, counted):
            found = [truth(one, counted=counted) for one in scale["levels"]]
            return [
                max([n + 1 for n, one in enumerate(found) if one >= least], default=0)
                for least in (HOLDS, UNDECIDED)
            ]

        rows = {one[1] for one in flat(scale["levels"]) if one[0] == "item"}
        for one in flat(scale["levels"]):
            if one[0] == "scale":
                rows |= set(next(s for s in self.spec["scales"] if s["id"] == one[1])["items"])
        answered = any(state[item][0] in ("answered", "closed") for item in rows)
        low, high = ends(counted=False)
        sure, possible = ends(counted=True)
        return (sure if sure == possible and answered else None, low, high)

    def compare(self, leaf, state, scores):
        kind, name, cut, up, _ = leaf
        if kind != "score":
            most = self.spec["most"][name]
            mild, worst = (0, most) if up else (most, 0)
            what, value = state[name]
            sure = value if what in ("answered", "counted") else mild
            far = value if what == "answered" else mild if what == "closed" else worst
        else:
            estimate, low, high = scores[name]
            sure, far = (low, high) if up else (high, low)
            if estimate is not None:
                sure = max(sure, estimate) if up else min(sure, estimate)
        sign = 1 if up else -1
        # An estimate beyond what any answers could give (items of unequal range) leaves it open.
        return (sign * sure >= sign * cut - 1e-9) + (sign * far >= sign * cut - 1e-9)

    def rule(self, condition, cell):
        inner = self.inner(condition)
        if inner is None:
            place = self.leaves.index(self.leaf(condition))
            whose = condition.get("informant")
            informants = self.spec["informants"]
            forms = cell if whose is None else [cell[informants.index(whose)]]
            return max(form[place] for form in forms)
        truth = [self.rule(part, cell) for part in inner[0]]
        if sum(one == HOLDS for one in truth) >= inner[1]:
            return HOLDS
        return UNDECIDED if sum(one >= UNDECIDED for one in truth) >= inner[1] else FAILS

    def is_net(self, condition):
        inner = self.inner(condition)
        if inner is None:
            return "critical_item" in condition
        return all(self.is_net(part) for part in inner[0])

    def faults(self):
        found = {cell: [self.rule(r["when"], cell) for r in self.rules] for cell in self.joint}
        faults = set()
        for n, rule in enumerate(self.rules):
            if not any(truth[n] == HOLDS for truth in found.values()):
                faults.add(("contradiction", rule["id"]))
            elif not any(self.decides(n, truth) for truth in found.values()):
                faults.add(("dead", rule["id"]))
        for place, informant in enumerate(self.spec["informants"]):
            for item in self.spec["critical"]:
                number = self.leaves.index(("critical", item, 1, True, False))
                if any(
                    cell[place][number] == HOLDS and HOLDS not in truth
                    for cell, truth in found.items()
                ):
                    faults.add(("gap", f"{self.slot(informant)}.{item}"))
            for item in self.lowering(place, found):
                faults.add(("not_upward_closed", f"{self.slot(informant)}.{item}"))
        return faults

    def slot(self, informant):
        return "tiny" if len(self.spec["informants"]) == 1 else f"tiny@{informant}"

    def decides(self, n, truth):
        rule = self.rules[n]
        net = self.is_net(rule["when"])
        others = [
            (one, state)
            for m, (one, state) in enumerate(zip(self.rules, truth, strict=True))
            if m != n and (net or not self.is_net(one["when"]))
        ]

        def rank(one):
            return TIERS.index(one["tier"])

        if truth[n] >= UNDECIDED and not any(
            state >= UNDECIDED and rank(one) >= rank(rule) for one, state in others
        ):
            return True
        if truth[n] != HOLDS:
            return False
        held = [one for one, state in others if state == HOLDS]
        return not (
            any(rank(one) >= rank(rule) for one in held)
            and any(self.no_later(one["due"], rule["due"]) for one in held)
            and all(any(flag in one["flags"] for one in held) for flag in rule["flags"])
            and all(any(of in one["classes"] for one in held) for of in rule["classes"])
        )

    def no_later(self, one, other):
        if one == {"hours": 0}:
            return True
        (kind, value), (other_kind, other_value) = *one.items(), *other.items()
        return kind == other_kind and value <= other_value

    def lowering(self, place, found):
        exempt = {i for s in self.spec["scales"] if not s["content"] for i in s["items"]}
        rests = list(product(self.vectors, repeat=len(self.spec["informants"]) - 1))
        for n, item in enumerate(self.spec["items"]):
            if item in exempt:
                continue
            step = worse_way(self.spec, item)
            pairs = set()
            for before in self.answers:
                if not isinstance(before[n], int):
                    continue
                after = before[n] + step
                if not 0 <= after <= self.spec["most"][item]:
                    continue
                if item == "q1" and self.spec["gated"] and not isinstance(before[1], int):
                    continue
                worse = (*before[:n], after, *before[n + 1 :])
                pairs.add((self.truth[before], self.truth[worse]))
            if any(
                self.tier(found, rest, place, milder, least)
                > self.tier(found, rest, place, worse, least)
                for milder, worse in pairs
                for rest in rests
                for least in (HOLDS, UNDECIDED)
            ):
                yield item

    def tier(self, found, rest, place, form, least):
        cell = (*rest[:place], form, *rest[place:])
        return max(
            [
                TIERS.index(rule["tier"])
                for rule, state in zip(self.rules, found[cell], strict=True)
                if state >= least
            ],
            default=0,
        )


@given(policies())
@settings(max_examples=150)
def test_every_verdict_is_that_of_going_through_all_answers(made_up):
    spec, rules = made_up
    library = make_library(
        Loaded(Made(one), "sha256:" + "0" * 64, "tiny.yaml")
        for one in (instrument_of(spec), policy_of(rules))
    )
    found = check_policy(library, "tiny-policy@1")
    assert {(one.kind, one.where) for one in found.findings} == Brute(spec, rules).faults()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", ["asq", "dsrsc", "phqa", "phq9", "psqi", "who5"])
def test_the_answers_kept_for_a_cell_reach_it_in_the_engine(library, name, side):
    instrument = library.instrument(name).definition
    form = compile_form(instrument, instrument.informants[0])
    groups = [
        (LeafPlan(0, "scale", place, scale.id, float(cut), upwards=scale.upwards),)
        for place, scale in enumerate(form.scales)
        for cut in (scale.cuts if len(scale.cuts) else [np.mean(scale.range)])
    ]
    groups += [
        (LeafPlan(0, "critical", place, one.item, float(one.at_or_above), critical=True),)
        for place, one in enumerate(form.critical)
    ]
    for part in parts_of([form], groups, []):
        found = reach(form, groups, part, [], side)
        calm = [mildest(form, row)[0] for row in range(len(form.items))]
        codes = np.array([calm] * len(found), dtype=np.uint8).T.copy()
        codes[list(part.rows)] = np.array(list(found.values())).T
        truth = form_truth(form, [groups[n] for n in part.groups], [], codes)
        holds = truth >= (HOLDS if side == "sure" else UNDECIDED)
        cells = [sum(1 << n for n in np.flatnonzero(one).tolist()) for one in holds.T]
        assert cells == list(found)
        assert len(found) > 1
