"""Results as named columns, the same names everywhere.

``<instrument>[_<informant>]__<scale>`` is the raw score; a suffix says what else: ``__answered``,
``__low``, ``__high``, ``__se`` (item response models only), ``__category``, ``__category_low``,
``__category_high``, ``__z``, ``__t`` …. A response-quality index stands under its own id,
``phq9__longest_run``. What is a text with few values is a `Column`, anything else an array or list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.codes import is_unanswered
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.score import of_pupils
from mhscreen.steps.tables import Column
from mhscreen.steps.text_columns import distinct_rows
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
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan
    from mhscreen.problems import Problem
    from mhscreen.steps.norm import NormedScale, NormedScores
    from mhscreen.steps.score import FormScores, ScaleScores, Scores
    from mhscreen.steps.triage import Triage

__all__ = [
    "critical_columns",
    "entry_columns",
    "form_columns",
    "norm_columns",
    "normed_columns",
    "problem_columns",
    "roster_columns",
    "scores_columns",
    "triage_columns",
]

Columns = dict[str, Any]

_PLAIN = (
    "entry_id", "supersedes", "entry_type", "schema_version", "programme", "cycle_id", "term",
    "period", "pupil_ref", "age", "sex", "attendance", "occurred_at", "recorded_at", "source",
    "screen_tier", "established_tier", "possible_tier", "assignee", "due_at", "confidentiality",
    "author", "hash", "prev_hash",
)  # fmt: skip
_LISTS = ("ledger_class", "flags", "problem_classes", "not_asked")
_ORG = ("city", "district", "school", "stage", "grade", "class")
_PROVENANCE = (
    "engine", "policy", "approved_by", "definitions", "evidence", "roster", "answers", "calendar",
)  # fmt: skip
"""Fields of an entry, as they stand in it."""


def form_columns(form: FormPlan, scored: FormScores) -> Columns:
    """Return the scores of one slot, one row per form."""
    columns: Columns = {}
    for scale in scored.scales:
        columns |= _scale_columns(form, scale)
    return columns | _whole_form_columns(form, scored)


def _scale_columns(form: FormPlan, scale: ScaleScores) -> Columns:
    name = f"{form.prefix}__{scale.scale}"
    columns: Columns = {
        name: scale.score,
        f"{name}__answered": scale.answered,
        f"{name}__low": scale.low,
        f"{name}__high": scale.high,
    }
    if scale.standard_error is not None:
        columns[f"{name}__se"] = scale.standard_error
    if scale.categories:
        for suffix in ("category", "category_low", "category_high"):
            columns[f"{name}__{suffix}"] = _labels(scale.categories, getattr(scale, suffix))
    return columns


def _whole_form_columns(form: FormPlan, scored: FormScores) -> Columns:
    columns: Columns = {}
    if form.quality is not None:
        for index, values in zip(form.quality.indices, scored.quality, strict=True):
            columns[f"{form.prefix}__{index.id}"] = values
    if form.validity or form.quality is not None:
        # Not "__validity": an instrument may well call its validity scale that.
        validity = np.where(scored.filed, scored.validity, -1)
        columns[f"{form.prefix}__form_validity"] = _labels(tuple(Validity), validity)
    return columns


def critical_columns(form: FormPlan, scored: FormScores) -> Columns:
    """Return the critical items of one slot that are positive or unanswered, one row per form."""
    if not form.critical:
        return {}
    positive, unanswered = [], []
    for item, truth in zip(form.critical, scored.critical, strict=True):
        positive.append((item.item, truth == HOLDS))
        open_ = (truth == UNDECIDED) & is_unanswered(scored.codes[item.row])
        unanswered.append((item.item, open_))
    return {
        f"{form.prefix}__critical_items": _joined(positive),
        f"{form.prefix}__critical_open": _joined(unanswered),
    }


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
        scored, shown = scores.forms[slot], scores.shown[slot]
        for scale in scored.scales:
            columns |= _scale_columns(form, scale.of_pupils(shown))
        for name, values in _whole_form_columns(form, scored).items():
            columns[name] = _of_pupils(values, shown)
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


def entry_columns(entries: Iterable[Mapping[str, Any]]) -> Columns:
    """Return ledger entries as flat columns, one row per entry, lists joined by semicolons.

    What only the whole entry says is left out: the scores of each form, and the evidence of
    each rule.
    """
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            *_PLAIN, *_ORG, *_LISTS, "rules", "undecided_rules", "critical_items", "critical_open",
            *_PROVENANCE, "norms",
        )
    }  # fmt: skip
    for entry in entries:
        flat = {name: entry[name] for name in _PLAIN}
        flat |= {name: entry["org"][name] for name in _ORG}
        flat |= {name: ";".join(entry[name]) for name in _LISTS}
        flat |= {name: entry["provenance"][name] for name in _PROVENANCE}
        flat["norms"] = ";".join(entry["provenance"]["norms"])
        flat["rules"] = ";".join(one["rule"] for one in entry["tier_reasons"])
        flat["undecided_rules"] = ";".join(one["rule"] for one in entry["undecided"])
        for name, state in (("critical_items", "positive"), ("critical_open", "unanswered")):
            flat[name] = ";".join(
                f"{one['slot']}.{one['item']}"
                for one in entry["critical_items"]
                if one["state"] == state
            )
        for name, values in columns.items():
            values.append(flat[name])
    return dict(columns)


def problem_columns(problems: Sequence[Problem]) -> dict[str, list[Any]]:
    """Return problems as columns, one row per problem."""
    columns: dict[str, list[Any]] = {
        "code": [problem.code for problem in problems],
        "severity": [problem.severity for problem in problems],
        "slug": [problem.kind.slug for problem in problems],
    }
    for name in ("file", "row", "line", "column", "path", "subject", "what", "expected", "hint"):
        columns[name] = [getattr(problem, name) for problem in problems]
    return columns


def _labels(labels: Sequence[str | Term], places: NDArray[np.integer[Any]]) -> Column:
    return Column(places.astype(np.int32), tuple(str(label) for label in labels))


def _joined(parts: Sequence[tuple[str, NDArray[np.bool_]]]) -> Column:
    """Return the names of what is true in each row, joined by semicolons."""
    same = distinct_rows([where for _, where in parts], len(parts[0][1]) if parts else 0)
    values = (";".join(name for name, where in parts if where[row]) for row in same.first.tolist())
    return Column(same.place.astype(np.int32), tuple(values))


def _of_pupils(values: Column | NDArray[Any], shown: NDArray[np.int64]) -> Column | NDArray[Any]:
    """Return a column by pupil, from that by form."""
    if isinstance(values, Column):
        return Column(of_pupils(values.index, shown), values.values)
    return of_pupils(values, shown)
