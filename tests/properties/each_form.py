"""Scoring as it was before forms shared states: every form's counters, added up item by item.

What is fast must give the same bits as this, which is slow and plain.
"""

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.irt import eap
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least, at_or_past
from mhscreen.kernels.lookup import categorise, look_up, rescale, round_down, round_half_up
from mhscreen.kernels.packed import unpack
from mhscreen.steps.quality import is_doubtful, measure_quality
from mhscreen.steps.score import item_truth
from mhscreen.vocabulary import MissingReason, Validity

NAMES = (
    "score", "answered", "low", "high", "category", "category_low", "category_high", "estimated",
    "bottom", "top", "standard_error",
)  # fmt: skip
NO_ANSWER = (
    rc.BLANK,
    rc.missing_code(MissingReason.REFUSED),
    rc.missing_code(MissingReason.DONT_KNOW),
)


def settle(plan, codes):
    settled = codes.copy()
    forms = codes.shape[1]
    behind_gate = np.zeros(forms, dtype=bool)
    filed = rc.is_answered(codes).any(axis=0)
    blank_rows = [row for row, item in enumerate(plan.items) if item.blank_score is not None]
    filed |= (codes[blank_rows] == rc.missing_code(MissingReason.REFUSED)).any(axis=0)
    for row in blank_rows:
        settled[row, filed & np.isin(codes[row], NO_ANSWER)] = rc.COUNTED_BLANK
    for gate in plan.gates:
        is_open = np.zeros(forms, dtype=bool)
        undecided = np.zeros(forms, dtype=bool)
        for row, cut in gate.openers:
            truth = item_truth(plan, settled, row, cut)
            is_open |= truth == HOLDS
            undecided |= truth == UNDECIDED
        closed = filed & ~is_open & ~undecided
        for row in gate.rows:
            untouched = (codes[row] == rc.BLANK) | (codes[row] == rc.NOT_PRESENTED)
            settled[row, closed & untouched] = rc.NOT_APPLICABLE
            behind_gate |= closed & rc.is_answered(codes[row])
    return settled, behind_gate


def count(scale, codes):
    """Return value, low, high, answered and known of each form."""
    total = np.zeros((5, codes.shape[1]), dtype=np.int64)
    for row, table in zip(scale.rows.tolist(), scale.tables, strict=True):
        one = unpack(table[codes[row]])
        more = np.stack([one.value, one.low, one.high, one.answered, one.known])
        if scale.combine == "maximum":
            total[:3] = np.maximum(total[:3], more[:3])
            total[3:] += more[3:]
        else:
            total += more
    return total


def score_scale(scale, codes, earlier):
    error = None
    if scale.combine == "sum_of_scales":
        parts = [earlier[place] for place in scale.components]
        score, bottom, top = (
            np.sum([part[name] for part in parts], axis=0) for name in ("score", "bottom", "top")
        )
        answered = np.sum([part["answered"] for part in parts], axis=0, dtype=np.int64)
        estimated = np.logical_or.reduce([part["estimated"] for part in parts]) & ~np.isnan(score)
        if len(scale.rows):
            answered = count(scale, codes)[3]
    else:
        value, low, high, answered, known = count(scale, codes)
        enough = (known >= scale.min_answered) & (answered > 0)
        estimated = enough & (answered < scale.n_items)
        bottom, top = low.astype(float), high.astype(float)
        if scale.levels is not None:
            bottom, top = find_levels(scale, codes, earlier, counted=False)
            sure, possible = find_levels(scale, codes, earlier, counted=True)
            decided = (sure == possible) & (answered > 0)
            score, estimated = np.where(decided, sure, np.nan), decided & (bottom != top)
        elif scale.combine == "eap_from_sum":
            first, model = scale.irt.first, scale.irt
            score, bottom, top = (
                look_up(part.astype(float), first, model.values) for part in (value, low, high)
            )
            error = np.where(enough, look_up(value.astype(float), first, model.errors), np.nan)
            score = np.where(enough, score, np.nan)
        elif scale.irt is not None:
            score, bottom, top, error = estimate(scale, codes, enough)
        else:
            score, bottom, top = combine(scale, value.astype(float), known, bottom, top)
            score = np.where(enough, score, np.nan)
    return finish(scale, score, answered, bottom, top, estimated, error)


def combine(scale, value, known, bottom, top):
    number = float(scale.n_items)
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale.combine == "mean":
            return value / known, bottom / number, top / number
        if scale.combine == "maximum":
            return value, bottom, top
        return np.where(known == scale.n_items, value, value * number / known), bottom, top


def estimate(scale, codes, enough):
    mean, sd = scale.irt.metric
    found = [
        eap(
            np.stack([t[codes[r]] for r, t in zip(scale.rows.tolist(), tables, strict=True)]),
            scale.irt.chances,
            scale.irt.grid,
        )
        for tables in (scale.irt.answers, scale.irt.least, scale.irt.most)
    ]
    score, bottom, top = (mean + sd * one.mean for one in found)
    error = np.where(enough, sd * found[0].se, np.nan)
    return np.where(enough, score, np.nan), bottom, top, error


def find_levels(scale, codes, earlier, *, counted):
    sure, possible = np.zeros((2, codes.shape[1]))
    for level, node in zip(scale.levels.levels, scale.levels.nodes, strict=True):
        truth = level_truth(node, codes, earlier, counted)
        sure[truth == HOLDS] = level
        possible[truth >= UNDECIDED] = level
    return sure, possible


def level_truth(node, codes, earlier, counted):
    if node.op == "item":
        return node.table[int(counted)][codes[node.row]]
    if node.op == "scale":
        other = earlier[node.row]
        return at_or_past(other["bottom"], other["top"], node.cut, upwards=True)
    children = [level_truth(child, codes, earlier, counted) for child in node.children]
    if node.op == "all":
        return all_of(children)
    return any_of(children) if node.op == "any" else at_least(node.count, children)


def finish(scale, score, answered, bottom, top, estimated, error):
    score, bottom, top = (
        rounded(scale, transformed(scale.transform, one)) for one in (score, bottom, top)
    )
    low, high = (np.where(answered == 0, np.nan, one) for one in (bottom, top))
    category = category_low = category_high = np.full(len(score), -1, dtype=np.int8)
    if scale.categories:
        category, category_low, category_high = (
            categorise(one, scale.cuts, upwards=scale.upwards) for one in (score, low, high)
        )
        category = np.where(category_low == category_high, category, -1).astype(np.int8)
    values = (
        score, answered.astype(np.int16), low, high, category, category_low, category_high,
        estimated, bottom, top, error,
    )  # fmt: skip
    return dict(zip(NAMES, values, strict=True))


def transformed(transform, raw):
    if transform is None:
        return raw
    if transform.values is not None:
        return look_up(raw, transform.first, transform.values)
    if transform.multiply is not None:
        return raw * transform.multiply
    return rescale(raw, transform.from_, transform.onto)


def rounded(scale, score):
    if scale.rounding == "none":
        return score
    return round_down(score) if scale.rounding == "down" else round_half_up(score)


def score_each(plan, codes, duration_s=None):
    """Return what `score_forms` gives: arrays by name, and under ``scales`` those of each scale."""
    forms = codes.shape[1]
    settled, behind_gate = settle(plan, codes)
    scales = {}
    for place, scale in enumerate(plan.scales):
        scales[place] = score_scale(scale, settled, scales)
    open_items = rc.is_unanswered(settled)
    rows = [critical.row for critical in plan.critical]
    critical = np.zeros((len(rows), forms), dtype=np.int8)
    for place, item in enumerate(plan.critical):
        critical[place] = item_truth(plan, settled, item.row, item.at_or_above)
    validity, indices = judge(plan, scales, forms)
    quality = np.empty((0, forms))
    if plan.quality is not None:
        quality = measure_quality(plan.quality, settled, duration_s)
        doubtful = is_doubtful(plan.quality, settled, quality)
        doubtful &= validity != Validity.INVALID.position
        validity[doubtful] = Validity.QUESTIONABLE.position
    return {
        "scales": list(scales.values()),
        "codes": settled,
        "filed": rc.is_answered(codes).any(axis=0),
        "recorded": ((codes != rc.BLANK) & (codes != rc.NOT_PRESENTED)).any(axis=0),
        "complete": ~open_items[[item.counts for item in plan.items]].any(axis=0),
        "critical": critical,
        "critical_open": (open_items[rows] & (settled[rows] != rc.COUNTED_BLANK)).any(axis=0),
        "counted": (settled == rc.COUNTED_BLANK).any(axis=0),
        "validity": validity,
        "indices": indices,
        "quality": quality,
        "behind_gate": behind_gate,
        "burden": burden(plan, scales, forms),
    }


def judge(plan, scales, forms):
    validity = np.full(forms, Validity.VALID.position, dtype=np.int8)
    indices = np.zeros((len(plan.validity), forms), dtype=np.int8)
    for place, index in enumerate(plan.validity):
        one = scales[index.scale]
        surest = np.fmax(one["score"], one["bottom"])
        indices[place] = at_or_past(surest, one["top"], index.at_or_above, upwards=True)
    for truth, index in sorted(
        zip(indices, plan.validity, strict=True), key=lambda pair: pair[1].status.position
    ):
        undecided = (truth == UNDECIDED) & (validity == Validity.VALID.position)
        validity[undecided] = Validity.INCOMPLETE.position
        validity[truth == HOLDS] = index.status.position
    return validity, indices


def burden(plan, scales, forms):
    total = np.zeros(forms)
    for place, scale in enumerate(plan.scales):
        if scale.content and scale.combine != "sum_of_scales":
            lowest, highest = scale.range
            one = scales[place]
            sure = one["bottom"] if scale.upwards else lowest + highest - one["top"]
            total += (sure - lowest) / (highest - lowest)
    return total
