"""One pupil at a time, in plain Python: what the published rules give.

Written from the descriptions of the instruments, without a look at the kernels. It knows no
arrays, no tables and no plan, and it imports nothing of mhscreen.
"""

from __future__ import annotations

import math
from fractions import Fraction

REVERSED_DSRSC = {1, 2, 4, 7, 8, 9, 11, 12, 13, 16}
VALIDITY_MHT = list(range(82, 101, 2))
CONTENT_MHT = {
    "learning_anxiety": range(1, 16),
    "social_anxiety": range(16, 26),
    "loneliness": range(26, 36),
    "self_blame": range(36, 46),
    "sensitivity": range(46, 56),
    "somatic": range(56, 71),
    "phobic": range(71, 81),
    "impulsive": range(81, 100, 2),
}
SDQ = {
    "emotional": ([3, 8, 13, 16, 24], []),
    "conduct": ([5, 7, 12, 18, 22], [7]),
    "hyperactivity": ([2, 10, 15, 21, 25], [21, 25]),
    "peer": ([6, 11, 14, 19, 23], [11, 14]),
    "prosocial": ([1, 4, 9, 17, 20], []),
}
SDQ_CUTS = {  # Shanghai: borderline, abnormal
    "self": {"emotional": (5, 6), "conduct": (4, 5), "hyperactivity": (6, 7), "peer": (5, 6),
             "prosocial": (5, 4), "total": (15, 18)},
    "parent": {"emotional": (4, 5), "conduct": (3, 4), "hyperactivity": (7, 8), "peer": (5, 6),
               "prosocial": (5, 4), "total": (15, 17)},
    "teacher": {"emotional": (4, 5), "conduct": (3, 4), "hyperactivity": (7, 9), "peer": (5, 6),
                "prosocial": (4, 3), "total": (14, 18)},
}  # fmt: skip
IMPACT = {0: 0, 1: 0, 2: 1, 3: 2}
IMPACT_ITEMS = {
    "self": ["imp_distress", "imp_home", "imp_friends", "imp_class", "imp_leisure"],
    "parent": ["imp_distress", "imp_home", "imp_friends", "imp_class", "imp_leisure"],
    "teacher": ["imp_distress", "imp_friends", "imp_class"],
}
SEVERE_SIGNS = [
    "sign_leave", "sign_family_break", "sign_irritable", "sign_low_mood", "sign_fights",
    "sign_withdrawn", "sign_parent_relation", "sign_sleep", "sign_early_trauma",
    "sign_recent_stressor", "sign_severe_other",
]  # fmt: skip
MAJOR_SIGNS = [
    "sign_mood_change", "sign_past_self_harm", "sign_interest_in_death", "sign_avoidance",
    "sign_behaviour_change", "sign_major_other", "in_treatment",
]  # fmt: skip
CRITICAL = {
    "phq9": ["q9"],
    "phqa": ["q9", "si_month", "attempt_life"],
    "gad7": [],
    "dsrsc": ["q10"],
    "mht": ["q85", "q97"],
    "sdq": [],
    "asq": ["q1", "q2", "q3", "q4", "q5"],
    "observer": ["talked_of_dying", "self_harm_seen", "attempt_or_preparation", "farewell_or_means",
                 "attempt_lifetime", "harm_others", "psychotic_signs", "abuse_suspected"],
}  # fmt: skip
FREQUENCY = ["minimal", "mild", "moderate", "moderately_severe", "severe"]


class Item:
    """What one item of one scale can still score, after keying."""

    def __init__(self, answer, possible, *, mirror=0, counted=None, settled=None):
        self.answered = isinstance(answer, int) or settled is not None
        if settled is not None:
            self.value = self.low = self.high = settled
        elif isinstance(answer, int):
            self.value = self.low = self.high = mirror - answer if mirror else answer
        else:
            keyed = [mirror - p if mirror else p for p in possible]
            self.value = counted
            self.low, self.high = min(keyed), max(keyed)


def total(items, min_answered, *, half_up=False):
    """Return score, answered, low and high of a sum."""
    answered = sum(item.answered for item in items)
    known = [item.value for item in items if item.value is not None]
    low, high = sum(item.low for item in items), sum(item.high for item in items)
    if answered == 0:
        return None, 0, None, None
    score = None
    if len(known) >= min_answered:
        score = Fraction(sum(known) * len(items), len(known))
        if half_up:
            score = Fraction(math.floor(score + Fraction(1, 2)))
    return score, answered, low, high


def band(score, cuts, names, *, downwards=False):
    """Return the band of a score; a score at the cut belongs to the far side."""
    if score is None:
        return None
    reached = [score <= cut if downwards else score >= cut for cut in cuts]
    return names[sum(reached)]


def with_bands(numbers, cuts, names, *, downwards=False):
    """Return a scale as the tests compare it; the category is withheld across bands."""
    score, answered, low, high = numbers
    bands = [band(x, cuts, names, downwards=downwards) for x in (score, low, high)]
    return {
        "score": None if score is None else float(score),
        "answered": answered,
        "low": low,
        "high": high,
        "category": bands[0] if bands[1] == bands[2] else None,
        "category_low": bands[1],
        "category_high": bands[2],
    }


def plain(numbers):
    return with_bands(numbers, [], [None])


def numbered(form, numbers, possible, reverse=(), mirror=0):
    return [
        Item(form.get(f"q{n}"), possible, mirror=mirror if n in reverse else 0) for n in numbers
    ]


def score_pupil(instrument, informant, form):
    """Return scales, positive and open critical items, and validity of one form."""
    scales = SCORERS[instrument](form, informant)
    positive, unanswered = [], []
    filed = any(isinstance(answer, int) for answer in form.values()) or any(
        isinstance(form.get(key), str) and form[key] not in {"refused", "dont_know"} for key in form
    )
    refused = instrument == "asq" and "refused" in [form.get(f"q{n}") for n in range(1, 5)]
    for item in CRITICAL[instrument]:
        answer = form.get(item)
        counts_as_yes = instrument == "asq" and item != "q5" and (filed or refused)
        if isinstance(answer, int):
            if answer >= 1:
                positive.append(item)
        elif counts_as_yes:
            positive.append(item)
        elif not (
            instrument == "asq"
            and item == "q5"
            and [form.get(f"q{n}") for n in range(1, 5)] == [0] * 4
        ):
            unanswered.append(item)
    return {
        "scales": scales,
        "positive": positive,
        "open": unanswered,
        "validity": _validity(instrument, form),
    }


def _validity(instrument, form):
    if instrument != "mht":
        return None
    yes = sum(form.get(f"q{n}") == 1 for n in VALIDITY_MHT)
    blank = sum(not isinstance(form.get(f"q{n}"), int) for n in VALIDITY_MHT)
    if yes >= 7:
        return "invalid"
    return "incomplete" if yes + blank >= 7 else "valid"


def _phq9(form, _informant):
    items = numbered(form, range(1, 10), range(4))
    return {"total": with_bands(total(items, 7), [5, 10, 15, 20], FREQUENCY)}


def _phqa(form, _informant):
    items = numbered(form, range(1, 10), range(4))
    return {"total": with_bands(total(items, 7, half_up=True), [5, 10, 15, 20], FREQUENCY)}


def _gad7(form, _informant):
    items = numbered(form, range(1, 8), range(4))
    names = ["minimal", "mild", "moderate", "severe"]
    return {"total": with_bands(total(items, 7), [5, 10, 15], names)}


def _dsrsc(form, _informant):
    items = numbered(form, range(1, 19), range(3), REVERSED_DSRSC, mirror=2)
    return {"total": with_bands(total(items, 18), [15], ["negative", "positive"])}


def _asq(form, _informant):
    answers = [form.get(f"q{n}") for n in range(1, 5)]
    some = any(isinstance(a, int) for a in [*answers, form.get("q5")]) or "refused" in answers
    items = [Item(a, [0, 1], counted=1 if some else None) for a in answers]
    return {"screen": with_bands(total(items, 4), [1], ["negative", "positive"])}


def _mht(form, _informant):
    found = {}
    for name, numbers in CONTENT_MHT.items():
        items = numbered(form, numbers, [0, 1])
        found[name] = with_bands(total(items, len(numbers)), [4, 8], ["low", "middle", "high"])
    content = [n for n in range(1, 101) if n not in VALIDITY_MHT]
    every = numbered(form, content, [0, 1])
    found["total"] = with_bands(total(every, 90), [65], ["below", "special_guidance"])
    found["validity"] = plain(total(numbered(form, VALIDITY_MHT, [0, 1]), 10))
    return found


def _sdq(form, informant):
    found, numbers_of = {}, {}
    names = ["normal", "borderline", "abnormal"]
    for name, (numbers, reverse) in SDQ.items():
        numbers_of[name] = total(
            numbered(form, numbers, range(3), reverse, mirror=2), 3, half_up=True
        )
        found[name] = with_bands(
            numbers_of[name], SDQ_CUTS[informant][name], names, downwards=name == "prosocial"
        )
    sums = {
        "total": ["emotional", "conduct", "hyperactivity", "peer"],
        "internalising": ["emotional", "peer"],
        "externalising": ["conduct", "hyperactivity"],
    }
    for name, parts in sums.items():
        items = [
            Item(form.get(f"q{n}"), range(3), mirror=2 if n in SDQ[p][1] else 0)
            for p in parts
            for n in SDQ[p][0]
        ]
        scores = [numbers_of[part][0] for part in parts]
        _, answered, low, high = total(items, 99)
        together = (None if None in scores else sum(scores), answered, low, high)
        cuts = SDQ_CUTS[informant].get(name)
        found[name] = with_bands(together, cuts, names) if cuts else plain(together)
    filed = any(isinstance(answer, int) for answer in form.values())
    closed = filed and form.get("overall") == 0
    items = []
    for key in IMPACT_ITEMS[informant]:
        answer = form.get(key)
        if closed and not isinstance(answer, int):
            items.append(Item(None, [0], settled=0))
        else:
            items.append(Item(IMPACT.get(answer) if isinstance(answer, int) else None, [0, 1, 2]))
    name = "impact_teacher" if informant == "teacher" else "impact"
    found[name] = with_bands(total(items, len(items)), [1, 2], names)
    return found


def _observer(form, _informant):
    def count(keys):
        return plain(total([Item(form.get(key), [0, 1]) for key in keys], len(keys)))

    return {"severe_signs": count(SEVERE_SIGNS), "major_signs": count(MAJOR_SIGNS)}


SCORERS = {
    "phq9": _phq9, "phqa": _phqa, "gad7": _gad7, "dsrsc": _dsrsc, "asq": _asq, "mht": _mht,
    "sdq": _sdq, "observer": _observer,
}  # fmt: skip


def depression_and_anxiety_tier(phq9, gad7):
    """Return the tier that the shipped policy's sources give for two complete adult forms."""
    total9, item9, total7 = sum(phq9), phq9[8], sum(gad7)
    if item9 == 3 or (item9 == 2 and total9 >= 20):
        return "major"
    if item9 >= 1:
        return "severe"
    if total9 >= 11 or total7 >= 10:
        return "general"
    return "watch" if total9 >= 5 else "none"
