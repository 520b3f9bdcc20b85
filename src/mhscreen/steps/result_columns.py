"""Results as named columns, the same names everywhere.

``<instrument>[_<informant>]__<scale>`` is the raw score; a suffix says what else: ``__answered``,
``__low``, ``__high``, ``__se`` (item response models only), ``__category``, ``__category_low``,
``__category_high``, ``__z``, ``__t`` ….
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.logic import HOLDS
from mhscreen.steps.score import of_pupils
from mhscreen.vocabulary import (
    Attendance,
    NormReason,
    ScreenTier,
    Sex,
    Stage,
    Term,
    Tier,
    Validity,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.norm import NormedScale, NormedScores
    from mhscreen.steps.score import FormScores, Scores
    from mhscreen.steps.triage import Triage

__all__ = [
    "form_columns",
    "norm_columns",
    "normed_columns",
    "roster_columns",
    "scores_columns",
    "triage_columns",
]

Columns = dict[str, Any]


def form_columns(form: FormPlan, scored: FormScores) -> Columns:
    """Return the scores of one slot, one row per form."""
    columns: Columns = {}
    for scale in scored.scales:
        name = f"{form.prefix}__{scale.scale}"
        columns[name] = scale.score
        columns[f"{name}__answered"] = scale.answered
        columns[f"{name}__low"] = scale.low
        columns[f"{name}__high"] = scale.high
        if scale.standard_error is not None:
            columns[f"{name}__se"] = scale.standard_error
        if scale.categories:
            for suffix in ("category", "category_low", "category_high"):
                columns[f"{name}__{suffix}"] = _labels(scale.categories, getattr(scale, suffix))
    if form.validity:
        # Not "__validity": an instrument may well call its validity scale that.
        validity = np.where(scored.filed, scored.validity, -1)
        columns[f"{form.prefix}__form_validity"] = _labels(tuple(Validity), validity)
    return columns


def norm_columns(form: FormPlan, normed: NormedScale) -> Columns:
    """Return the derived scores of one scale, one row per form."""
    name = f"{form.prefix}__{form.scales[normed.plan.scale].id}"
    columns: Columns = {}
    for metric, derived in normed.derived.items():
        columns[f"{name}__{metric}"] = derived.value
        columns[f"{name}__{metric}_low"] = derived.low
        columns[f"{name}__{metric}_high"] = derived.high
    if any(one.has_caps for one in normed.plan.strata):
        columns[f"{name}__t_capped"] = normed.t_capped
    if not np.isnan([one.t_error for one in normed.plan.strata]).all():
        columns[f"{name}__t_ci_low"] = normed.t_ci_low
        columns[f"{name}__t_ci_high"] = normed.t_ci_high
    columns[f"{name}__stratum"] = normed.stratum
    columns[f"{name}__norm_reason"] = _labels(tuple(NormReason), normed.reason)
    return columns


def scores_columns(scores: Scores) -> Columns:
    """Return the scores of every slot, one row per pupil; of several forms the worse."""
    columns: Columns = {"subject": scores.batch.roster.subject}
    for slot, form in enumerate(scores.batch.plan.forms):
        columns |= _of_pupils(form_columns(form, scores.forms[slot]), scores.shown[slot])
    return columns


def normed_columns(normed: NormedScores) -> Columns:
    """Return scores and derived scores, one row per pupil."""
    scores = normed.scores
    columns = scores_columns(scores)
    for one in normed.norms:
        form = scores.batch.plan.forms[one.plan.slot]
        columns |= norm_columns(form, one.of_pupils(scores.shown[one.plan.slot]))
    return columns


def roster_columns(triage: Triage) -> Columns:
    """Return what the roster says of each pupil."""
    roster = triage.normed.scores.batch.roster
    return {
        "subject": roster.subject,
        "city": roster.city,
        "district": roster.district,
        "school": roster.school,
        "stage": _labels(tuple(Stage), roster.stage),
        "grade": roster.grade,
        "class": roster.class_,
        "sex": _labels(tuple(Sex), roster.sex),
        "status": _labels(tuple(Attendance), roster.status),
    }


def triage_columns(triage: Triage, *, at: np.datetime64 | None = None) -> Columns:
    """Return the archive: roster, tiers, flags, rules and scores, one row per pupil."""
    rules = triage.plan.triage.rules
    order = range(len(rules))
    holds = [(rules[r].id, triage.truth[r] == HOLDS) for r in order]
    open_rules = [(rules[r].id, triage.truth[r] == HOLDS - 1) for r in order]
    flags = [(str(flag), where) for flag, where in triage.flags.items()]
    concerns = [
        (str(c), where)
        for c, where in zip(triage.plan.policy.concerns, triage.not_asked, strict=True)
    ]
    return {
        **roster_columns(triage),
        "screen_tier": _labels(tuple(ScreenTier), triage.screen),
        "established_tier": _labels(tuple(Tier), triage.established),
        "possible_tier": _labels(tuple(Tier), triage.possible),
        "flags": _joined(flags),
        "rules": _joined(holds),
        "undecided_rules": _joined(open_rules),
        "not_asked": _joined(concerns),
        "due_at": triage.due_at(at),
        **{k: v for k, v in normed_columns(triage.normed).items() if k != "subject"},
    }


def _labels(labels: Sequence[str | Term], places: NDArray[Any]) -> NDArray[np.object_]:
    table = np.array([*(str(label) for label in labels), None], dtype=object)
    named: NDArray[np.object_] = table[places]
    return named


def _joined(parts: Sequence[tuple[str, NDArray[np.bool_]]]) -> NDArray[np.object_]:
    """Return the names of what is true in each row, joined by semicolons."""
    length = len(parts[0][1]) if parts else 0
    texts = np.full(length, "", dtype=object)
    for name, where in parts:
        rows = np.flatnonzero(where)
        texts[rows] = [f"{text};{name}" if text else name for text in texts[rows].tolist()]
    return texts


def _of_pupils(columns: Columns, shown: NDArray[np.int64]) -> Columns:
    """Return columns by pupil, from columns by form."""
    return {name: of_pupils(values, shown) for name, values in columns.items()}
