"""Emit: exactly one screening entry for every pupil, in roster order.

What is the same for many pupils is made once; everything else is kept in columns until an
entry is asked for. No entry depends on another pupil or on the clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen._version import __version__
from mhscreen.entries.canonical import canonical_json, digest, entry_id, entry_line, whole
from mhscreen.entries.screening import SCHEMA_VERSION, ScreeningEntry
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.vocabulary import (
    Attendance,
    LedgerClass,
    ProblemClass,
    Requirement,
    Role,
    ScreenTier,
    Sex,
    Stage,
    Term,
    Tier,
    Validity,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mhscreen.definitions import Programme
    from mhscreen.plan.plan import Plan
    from mhscreen.steps.triage import Evidence, Triage

__all__ = ["Cycle", "Entries", "emit", "find_cycle", "local_times"]

Document = dict[str, Any]
_RESTRICTED = Tier.SEVERE.position


@dataclass(frozen=True)
class Cycle:
    """The time a screening belongs to."""

    id: str
    term: str
    period: str


def find_cycle(programme: Programme, at: np.datetime64) -> Cycle:
    """Return programme, school year and window of a moment in UTC.

    Outside every window it is the school year alone.
    """
    local = at.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(programme.zone))
    day = f"{local:%m-%d}"
    begins = local.year if day >= programme.school_year_begins else local.year - 1
    year = f"{begins}-{begins + 1}"
    for number, window in enumerate(programme.windows, start=1):
        first, last = window.from_, window.to
        inside = first <= day <= last if first <= last else (day >= first or day <= last)
        if inside:
            return Cycle(f"{programme.id}/{year}/{window.id}", f"{year}-{number}", f"{local:%Y-%m}")
    return Cycle(f"{programme.id}/{year}", year, f"{local:%Y-%m}")


def local_times(zone: str, moments: NDArray[np.datetime64]) -> list[str | None]:
    """Return moments in UTC as times with the zone's offset; None where there is none."""
    place = ZoneInfo(zone)
    distinct, where = np.unique(moments, return_inverse=True)
    texts = [
        None
        if np.isnat(moment)
        else moment.astype(dt.datetime).replace(tzinfo=dt.UTC).astimezone(place).isoformat()
        for moment in distinct
    ]
    return [texts[i] for i in where.tolist()]


@dataclass(frozen=True)
class Entries:
    """The screening entries of a batch, made when asked for.

    Iterating gives each entry as a dict, `lines` as JSON, `models` as objects.
    """

    triage: Triage
    at: np.datetime64

    def __len__(self) -> int:
        """Return the number of entries: one per pupil."""
        return len(self.triage.subjects)

    def __iter__(self) -> Iterator[Document]:
        """Iterate over the entries, each with its hash, in roster order."""
        for document in self._documents():
            yield {"hash": digest(canonical_json(document)), **document}

    def lines(self) -> Iterator[str]:
        """Iterate over the entries as lines of JSON, in roster order."""
        for document in self._documents():
            yield entry_line(document)

    def models(self) -> Iterator[ScreeningEntry]:
        """Iterate over the entries as validated objects."""
        for document in self:
            yield ScreeningEntry.model_validate(document)

    @cached_property
    def cycle(self) -> Cycle:
        """The cycle that the entries belong to."""
        return find_cycle(self.triage.plan.programme, self.at)

    def _documents(self) -> Iterator[Document]:
        result, plan = self.triage, self.triage.plan
        roster = result.normed.scores.batch.roster
        moment = local_times(plan.programme.zone, np.array([self.at]))[0]
        due = local_times(plan.programme.zone, result.due_at(self.at))
        ages = _ages(result, self.at)
        evidence = _evidence_digests(result)
        forms = _forms(result)
        critical = _critical(result)
        reasons, undecided, classes = _reasons(result)
        flags = {flag: where.tolist() for flag, where in result.flags.items()}
        not_asked = result.not_asked.T.tolist()
        concerns = [str(concern) for concern in plan.policy.concerns]
        ledgers = _ledger_classes(plan)
        assignees = _assignees(plan)
        labels = [{"en": tier.en, "zh": tier.zh} for tier in ScreenTier]
        pins = plan.pins_digest
        for pupil, (subject, established, possible, screen) in enumerate(
            zip(roster.subject.tolist(), result.established.tolist(), result.possible.tolist(),
                result.screen.tolist(), strict=True)
        ):
            yield {
                "schema_version": SCHEMA_VERSION,
                "entry_id": entry_id("screening", plan.programme.ref, self.cycle.id, subject,
                                     evidence[pupil], pins),
                "supersedes": None,
                "entry_type": "screening",
                "programme": plan.programme.ref,
                "cycle_id": self.cycle.id,
                "period": self.cycle.period,
                "term": self.cycle.term,
                "ledger_class": ledgers[established],
                "org": {
                    "city": roster.city[pupil],
                    "district": roster.district[pupil],
                    "school": roster.school[pupil],
                    "stage": _code(Stage, roster.stage[pupil]),
                    "grade": int(roster.grade[pupil]) if roster.grade[pupil] >= 0 else None,
                    "class": roster.class_[pupil],
                },
                "pupil_ref": subject,
                "age": ages[pupil],
                "sex": _code(Sex, roster.sex[pupil]),
                "attendance": _code(Attendance, roster.status[pupil]),
                "occurred_at": moment,
                "recorded_at": moment,
                "source": "census",
                "instruments": forms[pupil],
                "critical_items": critical[pupil],
                "screen_tier": str(ScreenTier.at(screen)),
                "screen_tier_label": labels[screen],
                "established_tier": str(Tier.at(established)),
                "possible_tier": str(Tier.at(possible)),
                "flags": [str(flag) for flag, where in flags.items() if where[pupil]],
                "tier_reasons": reasons[pupil],
                "undecided": undecided[pupil],
                "problem_classes": [str(c) for c in ProblemClass if c in classes[pupil]],
                "not_asked": [c for c, no in zip(concerns, not_asked[pupil], strict=True) if no],
                "assignee": assignees[screen] if due[pupil] is not None else None,
                "due_at": due[pupil],
                "confidentiality": "restricted" if established >= _RESTRICTED else "routine",
                "provenance": {
                    "engine": __version__,
                    "policy": plan.policy.ref,
                    "approved_by": plan.policy.approved_by,
                    "definitions": pins,
                    "evidence": evidence[pupil],
                },
                "author": "mhscreen",
                "prev_hash": None,
            }


def emit(plan: Plan, triage: Triage, at: np.datetime64) -> Entries:  # noqa: ARG001 - see docstring
    """Make the screening entries of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme; the one that `triage` was made with.
    triage : Triage
        The evaluated batch.
    at : datetime64[s]
        When the pupils are screened, in UTC: the entries' time, and the start of the clock
        where a form has no time of its own.
    """
    return Entries(triage, at)


def _code(terms: type[Term], position: int) -> str | None:
    return None if position < 0 else str(terms.at(int(position)))


def _ages(result: Triage, at: np.datetime64) -> list[float | None]:
    roster = result.normed.scores.batch.roster
    ages = roster.ages(np.full(len(roster), at))
    return [None if age != age else whole(round(age, 2)) for age in ages.tolist()]  # noqa: PLR0124


def _evidence_digests(result: Triage) -> list[str]:
    """Return a digest of each pupil's own roster line and answers, whatever their order."""
    batch = result.normed.scores.batch
    roster = batch.roster
    parts: list[list[str]] = [[] for _ in range(len(roster))]
    for slot, forms in zip(result.plan.slots, batch.forms, strict=True):
        rows = np.ascontiguousarray(forms.codes.T)
        times = forms.administered_on.astype(np.int64).tolist()
        for pupil, row, time in zip(forms.pupil.tolist(), rows, times, strict=True):
            parts[pupil].append(f"{slot}:{hashlib.sha256(row.tobytes()).hexdigest()}:{time}")
    columns = [
        roster.city, roster.district, roster.school, roster.class_, roster.dormitory,
        roster.stage, roster.grade, roster.sex, roster.status,
        roster.birth_date.astype("U"), roster.age, roster.error, roster.duplicate, batch.identity,
    ]
    lines = zip(*(column.tolist() for column in columns), strict=True)
    return [
        digest("\x1f".join([*(map(str, line)), *sorted(part)]))
        for line, part in zip(lines, parts, strict=True)
    ]


def _forms(result: Triage) -> list[list[Document]]:
    """Return what the entries say about each slot that a pupil has, or lacks."""
    plan, scores = result.plan, result.normed.scores
    batch = scores.batch
    pupils = len(batch.roster)
    documents: list[list[Document]] = [[] for _ in range(pupils)]
    for slot, form in enumerate(plan.forms):
        scored, bound, shown = scores.forms[slot], batch.forms[slot], scores.shown[slot]
        use = plan.uses[batch.roster.group, slot]
        counts = np.bincount(bound.pupil, minlength=pupils).tolist()
        listed = np.flatnonzero((shown >= 0) | (use == Requirement.REQUIRED.position))
        numbers = _score_documents(result, slot)
        filed, complete = scored.filed.tolist(), scored.complete.tolist()
        validity = [str(Validity.at(place)) for place in scored.validity.tolist()]
        times = local_times(plan.programme.zone, bound.administered_on)
        for pupil, place in zip(listed.tolist(), shown[listed].tolist(), strict=True):
            there = place >= 0
            documents[pupil].append(
                {
                    "slot": form.slot,
                    "instrument": form.ref,
                    "informant": str(form.informant),
                    "use": str(Requirement.at(int(use[pupil]))),
                    "filed": there and filed[place],
                    "forms": counts[pupil],
                    "complete": there and complete[place],
                    "validity": validity[place] if there and filed[place] else None,
                    "submitted_at": times[place] if there else None,
                    "scores": numbers[place] if there else {},
                }
            )
    return documents


def _score_documents(result: Triage, slot: int) -> list[Document]:
    scored = result.normed.scores.forms[slot]
    names = [scale.scale for scale in scored.scales]
    columns = [
        zip(
            _numbers(scale.score), scale.answered.tolist(), _numbers(scale.low),
            _numbers(scale.high), scale.category.tolist(), strict=True,
        )
        for scale in scored.scales
    ]
    categories = [scale.categories for scale in scored.scales]
    documents: list[Document] = []
    for row in zip(*columns, strict=True) if columns else ([()] * len(scored)):
        documents.append(
            {
                name: {
                    "score": score, "answered": answered, "low": low, "high": high,
                    "category": None if place < 0 else labels[place],
                }
                for name, labels, (score, answered, low, high, place) in zip(
                    names, categories, row, strict=True
                )
            }
        )
    return documents


def _numbers(values: NDArray[np.float64]) -> list[float | int | None]:
    return [None if v != v else whole(v) for v in values.tolist()]  # noqa: PLR0124


def _critical(result: Triage) -> list[list[Document]]:
    """Return the critical items that are positive or unanswered, over all forms of a pupil."""
    batch, scores = result.normed.scores.batch, result.normed.scores
    found: list[list[Document]] = [[] for _ in range(len(batch.roster))]
    for slot, form in enumerate(result.plan.forms):
        scored, bound = scores.forms[slot], batch.forms[slot]
        for place, item in enumerate(form.critical):
            codes = scored.codes[item.row]
            positive = scored.critical[place] == HOLDS
            unanswered = (scored.critical[place] == UNDECIDED) & rc.is_unanswered(codes)
            worst: dict[int, tuple[bool, int | None]] = {}
            for row in np.flatnonzero(positive | unanswered).tolist():
                answered = codes[row] < rc.FIRST_MISSING
                score = int(form.items[item.row].scores[codes[row]]) if answered else None
                one = (bool(positive[row]), score)
                pupil = int(bound.pupil[row])
                worst[pupil] = max(worst.get(pupil, one), one, key=lambda f: (f[0], f[1] or 0))
            for pupil, (holds, score) in worst.items():
                found[pupil].append(
                    {
                        "slot": form.slot, "item": item.item, "concern": str(item.concern),
                        "window": str(item.window), "days": item.days,
                        "directness": str(item.directness),
                        "state": "positive" if holds else "unanswered", "score": score,
                    }
                )
    return found


def _reasons(
    result: Triage,
) -> tuple[list[list[Document]], list[list[Document]], list[set[ProblemClass]]]:
    """Return rules that hold, rules that are undecided, and problem classes, by pupil."""
    pupils = len(result.subjects)
    holding: list[list[Document]] = [[] for _ in range(pupils)]
    undecided: list[list[Document]] = [[] for _ in range(pupils)]
    classes: list[set[ProblemClass]] = [set() for _ in range(pupils)]
    rules = result.plan.triage.rules
    for place in sorted(range(len(rules)), key=lambda r: (-rules[r].tier, r)):
        rule = rules[place]
        words = {
            "rule": rule.id,
            "tier": str(Tier.at(rule.tier)),
            "because": {"en": rule.because.en, "zh": rule.because.zh},
        }
        cited = {**words, "source": rule.source, "certainty": str(rule.evidence)}
        for state, lists in ((HOLDS, holding), (UNDECIDED, undecided)):
            where = np.flatnonzero(result.truth[place] == state)
            for pupil, evidence in zip(where.tolist(), result.evidence(place, where), strict=True):
                if state == HOLDS:
                    lists[pupil].append({**cited, "evidence": [_evidence(one) for one in evidence]})
                    classes[pupil].update(rule.classes)
                else:
                    still_open = dict.fromkeys(f"{one.slot}: {one.name}" for one in evidence)
                    lists[pupil].append({**words, "open": list(still_open)})
    return holding, undecided, classes


def _evidence(one: Evidence) -> Document:
    return {
        "name": one.name,
        "slot": one.slot,
        "metric": one.metric,
        "value": whole(one.value),
        "low": whole(one.low),
        "high": whole(one.high),
        "comparison": "at_or_above" if one.upwards else "at_or_below",
        "cut": whole(one.cut),
        "invalid_form": one.invalid_form,
    }


def _ledger_classes(plan: Plan) -> list[list[str]]:
    """Return the ledgers in which a screening entry appears, by established tier."""
    ledgers = plan.programme.ledger_map
    return [
        [
            str(name)
            for name in LedgerClass
            if name in ledgers and ("screening" in ledgers[name].entry_types or tier in ledgers[name].tiers)
        ]
        for tier in Tier
    ]


def _assignees(plan: Plan) -> list[str]:
    """Return who sees the pupil first, by what is shown."""
    first = {action.tier: action.first_contact for action in plan.programme.action_matrix}
    general = first.get(Tier.GENERAL, Role.PSYCH_TEACHER)
    by_tier = {
        ScreenTier.NONE: first.get(Tier.NONE, Role.CLASS_TEACHER),
        ScreenTier.WATCH: first.get(Tier.WATCH, Role.CLASS_TEACHER),
        ScreenTier.GENERAL: general,
        ScreenTier.SEVERE: Role.ON_DUTY,
        ScreenTier.MAJOR: Role.ON_DUTY,
        ScreenTier.UNDETERMINED: general,
        ScreenTier.NOT_SCREENED: first.get(Tier.WATCH, Role.CLASS_TEACHER),
    }
    return [str(by_tier[tier]) for tier in ScreenTier]


