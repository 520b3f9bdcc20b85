"""Emit: exactly one screening entry for every pupil, in roster order.

An entry is put together from pieces of JSON, and what is the same for many pupils is made once:
that is what makes a district a matter of seconds. Everything else is kept in columns until an
entry is asked for. No entry depends on another pupil or on the clock.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from mhscreen._version import __version__
from mhscreen.entries.canonical import canonical_json, digest, entry_id, seal, whole
from mhscreen.entries.parts import SCHEMA_VERSION
from mhscreen.entries.pseudonyms import key_mark, pseudonym
from mhscreen.entries.screening import ScreeningEntry
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.plan.plan import check_plan
from mhscreen.problems import expect
from mhscreen.steps.calendar import calendar_status, school_year
from mhscreen.steps.cells import local_moments
from mhscreen.steps.triage import Triage
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
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Programme
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.triage import RulePlan
    from mhscreen.steps.score import FormScores
    from mhscreen.steps.triage import Evidence

__all__ = ["Cycle", "Entries", "SealedEntry", "emit", "find_cycle", "local_times", "see_first"]

Document = dict[str, Any]
Fields = dict[str, str | list[str]]
"""The JSON of each field of an object: one text for all, or one for each."""

_BLOCK = 16_384  # pupils whose texts are held at once
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
    year = school_year(programme, local.date())
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


class SealedEntry(NamedTuple):
    """One entry as it is written.

    Attributes
    ----------
    entry_id : str
        Its id.
    hash : str
        The hash over it.
    line : str
        The entry with its hash as one line of canonical JSON, without an end of line.
    """

    entry_id: str
    hash: str
    line: str


@dataclass(frozen=True, eq=False, repr=False)
class Entries:
    """The screening entries of a batch, made when asked for.

    Iterating gives each entry as a dict, `lines` as JSON, `models` as objects.
    """

    triage: Triage
    at: np.datetime64
    key: bytes | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<Entries: {len(self)} entries, {self.triage.plan.programme.ref}>"

    def __len__(self) -> int:
        """Return the number of entries: one per pupil."""
        return len(self.triage.subjects)

    def __iter__(self) -> Iterator[Document]:
        """Iterate over the entries, each with its hash, in roster order."""
        for line in self.lines():
            yield json.loads(line)

    def lines(self) -> Iterator[str]:
        """Iterate over the entries as lines of JSON, in roster order."""
        for sealed in self.sealed():
            yield sealed.line

    def models(self) -> Iterator[ScreeningEntry]:
        """Iterate over the entries as validated objects."""
        for document in self:
            yield ScreeningEntry.model_validate(document)

    def sealed(self) -> Iterator[SealedEntry]:
        """Iterate over the entries with their ids and hashes, in roster order."""
        evidence = _evidence_digests(self.triage)
        critical = _critical(self.triage)
        for first in range(0, len(self), _BLOCK):
            block = slice(first, min(first + _BLOCK, len(self)))
            ids, texts = self._texts(block, evidence[block], critical[block])
            for one, text in zip(ids, texts, strict=True):
                yield SealedEntry(one, *seal(text))

    @cached_property
    def cycle(self) -> Cycle:
        """The cycle that the entries belong to."""
        return find_cycle(self.triage.plan.programme, self.at)

    def _texts(
        self, block: slice, evidence: list[_Digests], critical: list[list[str]]
    ) -> tuple[list[str], Iterable[str]]:
        """Return the ids of a block of pupils, and their entries as JSON without the hash."""
        result, plan, cycle = self.triage, self.triage.plan, self.cycle
        roster = result.normed.scores.batch.roster
        zone, ref, pins = plan.programme.zone, plan.programme.ref, plan.pins_digest
        moment = canonical_json(local_times(zone, np.array([self.at]))[0])
        due = self._due[block]
        screen = result.screen[block]
        established = result.established[block]
        reasons, undecided, classes = _reasons(result, block)
        refs = roster.subject[block].tolist()
        if self.key is not None:
            refs = [pseudonym(subject, self.key) for subject in refs]
        ids = [
            entry_id("screening", ref, cycle.id, subject, one.evidence, pins)
            for subject, one in zip(refs, evidence, strict=True)
        ]
        tier = [canonical_json(str(one)) for one in Tier]
        shown = [canonical_json(str(one)) for one in ScreenTier]
        labels = [canonical_json({"en": one.en, "zh": one.zh}) for one in ScreenTier]
        places = ["restricted" if one.position >= _RESTRICTED else "routine" for one in Tier]
        org = _objects(
            {
                "city": _texts(roster.city[block].tolist()),
                "district": _texts(roster.district[block].tolist()),
                "school": _texts(roster.school[block].tolist()),
                "stage": _codes(Stage, roster.stage[block]),
                "grade": _texts(
                    [one if one >= 0 else None for one in roster.grade[block].tolist()]
                ),
                "class": _texts(roster.class_[block].tolist()),
            },
            len(ids),
        )
        provenance = _objects(
            {
                "engine": canonical_json(__version__),
                "policy": canonical_json(plan.policy.ref),
                "approved_by": canonical_json(plan.policy.approved_by),
                "definitions": canonical_json(pins),
                "norms": _norms(result, block),
                "evidence": [f'"{one.evidence}"' for one in evidence],
                "roster": [f'"{one.roster}"' for one in evidence],
                "answers": [f'"{one.answers}"' for one in evidence],
                "calendar": _texts(self._calendar[block]),
            },
            len(ids),
        )
        fields: Fields = {
            "schema_version": canonical_json(SCHEMA_VERSION),
            "entry_id": [f'"{one}"' for one in ids],
            "supersedes": "null",
            "entry_type": '"screening"',
            "programme": canonical_json(ref),
            "cycle_id": canonical_json(cycle.id),
            "period": canonical_json(cycle.period),
            "term": canonical_json(cycle.term),
            "ledger_class": _placed(
                [canonical_json(c) for c in _ledger_classes(plan)], established
            ),
            "org": org,
            "pupil_ref": [canonical_json(one) for one in refs],
            "age": _texts(self._ages[block]),
            "sex": _codes(Sex, roster.sex[block]),
            "attendance": _codes(Attendance, roster.status[block]),
            "occurred_at": moment,
            "recorded_at": moment,
            "source": '"census"',
            "instruments": _forms(result, block),
            "critical_items": [f"[{','.join(one)}]" for one in critical],
            "screen_tier": _placed(shown, screen),
            "screen_tier_label": _placed(labels, screen),
            "established_tier": _placed(tier, established),
            "possible_tier": _placed(tier, result.possible[block]),
            "flags": _true_names(
                list(result.flags), [where[block] for where in result.flags.values()]
            ),
            "tier_reasons": reasons,
            "undecided": undecided,
            "problem_classes": _true_names(list(ProblemClass), classes),
            "not_asked": _true_names(plan.policy.concerns, result.not_asked[:, block]),
            "assignee": [
                "null" if when is None else f'"{role}"'
                for when, role in zip(due, self._first[block], strict=True)
            ],
            "due_at": _texts(due),
            "help_line": canonical_json(
                None
                if plan.programme.help_line is None
                else {"en": plan.programme.help_line.en, "zh": plan.programme.help_line.zh}
            ),
            "confidentiality": _placed([canonical_json(one) for one in places], established),
            "provenance": provenance,
            "author": '"mhscreen"',
            "prev_hash": "null",
        }
        return ids, _objects(fields, len(ids))

    @cached_property
    def _due(self) -> list[str | None]:
        return local_times(self.triage.plan.programme.zone, self.triage.due_at(self.at))

    @cached_property
    def _calendar(self) -> list[str | None]:
        """What stands behind the day on which something is due."""
        programme = self.triage.plan.programme
        status = {
            when: None
            if when is None
            else str(calendar_status(programme, dt.datetime.fromisoformat(when).date()))
            for when in set(self._due)
        }
        return [status[when] for when in self._due]

    @cached_property
    def _first(self) -> list[str]:
        return see_first(self.triage)

    @cached_property
    def _ages(self) -> list[float | int | None]:
        roster = self.triage.normed.scores.batch.roster
        today = local_moments(np.array([self.at]), self.triage.plan.programme.zone)
        ages = roster.ages(np.repeat(today, len(roster))).round(2)
        return [None if age != age else whole(age) for age in ages.tolist()]  # noqa: PLR0124


def emit(plan: Plan, triage: Triage, at: np.datetime64, *, key: bytes | None = None) -> Entries:
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
    key : bytes, optional
        With it `pupil_ref` is a pseudonym of the roster's `subject`; without, the `subject`.

    Raises
    ------
    UsageError
        If the triage was not made with this plan, or the key is too short.
    """
    expect("triage", triage, Triage)
    check_plan(plan, triage.plan)
    if key is not None:
        key_mark(key)  # refuses a key that is too short, before any entry is made
    return Entries(triage, at, key)


class _Memo(dict[Any, str]):
    """The JSON of values, each made once."""

    def __missing__(self, value: Any) -> str:
        text = self[value] = canonical_json(value)
        return text


def _texts(values: Iterable[Any]) -> list[str]:
    """Return the JSON of values of one type (or None), of which many are the same."""
    return list(map(_Memo().__getitem__, values))


def _objects(fields: Fields, number: int) -> list[str]:
    """Return JSON objects from the JSON of their fields; a text alone is the same in all."""
    names = sorted(fields)
    template = ",".join(
        f'"{name}":'
        + (value.replace("%", "%%") if isinstance(value := fields[name], str) else "%s")
        for name in names
    )
    varying = [value for name in names if not isinstance(value := fields[name], str)]
    if not varying:
        return [f"{{{template % ()}}}"] * number
    return [f"{{{template % row}}}" for row in zip(*varying, strict=True)]


def _placed(texts: Sequence[str], places: NDArray[np.integer[Any]]) -> list[str]:
    return [texts[place] for place in places.tolist()]


def _codes(terms: type[Term], places: NDArray[np.integer[Any]]) -> list[str]:
    return _placed([*(f'"{term}"' for term in terms), "null"], places)


def _true_names(names: Sequence[str], rows: Iterable[NDArray[np.bool_]]) -> list[str]:
    """Return the names of what is true in each column, as a JSON list."""
    bits = sum(row.astype(np.int64) << place for place, row in enumerate(rows))
    found, where = np.unique(np.asarray(bits), return_inverse=True)
    lists = [
        canonical_json([str(name) for place, name in enumerate(names) if one >> place & 1])
        for one in found.tolist()
    ]
    return _placed(lists, where)


class _Digests(NamedTuple):
    """Digests of a pupil's own roster line, of the answers whatever their order, and of both."""

    roster: str
    answers: str
    evidence: str


def _evidence_digests(result: Triage) -> list[_Digests]:
    """Return the digests of each pupil's own evidence."""
    batch = result.normed.scores.batch
    roster = batch.roster
    parts: list[list[str]] = [[] for _ in range(len(roster))]
    for slot, form, forms in zip(result.plan.slots, result.plan.forms, batch.forms, strict=True):
        uses_time = form.quality is not None and form.quality.uses_time
        width = len(forms.codes)
        data = np.ascontiguousarray(forms.codes.T).tobytes()
        times = forms.administered_on.astype(np.int64).tolist()
        for place, (pupil, time) in enumerate(zip(forms.pupil.tolist(), times, strict=True)):
            answers = hashlib.sha256(data[place * width : (place + 1) * width]).hexdigest()
            part = f"{slot}:{answers}:{time}"
            parts[pupil].append(f"{part}:{forms.duration_s[place]}" if uses_time else part)
    columns = [
        roster.city, roster.district, roster.school, roster.class_, roster.dormitory,
        roster.stage, roster.grade, roster.sex, roster.status,
        roster.birth_date.astype("U"), roster.age, roster.error, roster.duplicate, batch.identity,
    ]  # fmt: skip
    lines = zip(*(column.tolist() for column in columns), strict=True)
    found = []
    for line, answered in zip(lines, parts, strict=True):
        own, answers = digest("\x1f".join(map(str, line))), digest("\x1f".join(sorted(answered)))
        found.append(_Digests(own, answers, digest(own + answers)))
    return found


def _norms(result: Triage, block: slice) -> list[str]:
    """Return the norm tables of the questionnaires that each pupil has handed in, as JSON."""
    plan, shown = result.plan, result.normed.scores.shown
    refs = sorted({norm.ref for norm in plan.norms})
    rows = [
        np.any([shown[norm.slot][block] >= 0 for norm in plan.norms if norm.ref == ref], axis=0)
        for ref in refs
    ]
    return _true_names(refs, rows) if refs else ["[]"] * (block.stop - block.start)


def _forms(result: Triage, block: slice) -> list[str]:
    """Return what the entries say about each slot that a pupil has, or lacks."""
    plan, scores = result.plan, result.normed.scores
    batch = scores.batch
    group = batch.roster.group[block]
    found: list[list[str]] = [[] for _ in range(len(group))]
    uses = [canonical_json(str(use)) for use in Requirement]
    validities = [*(canonical_json(str(one)) for one in Validity), "null"]
    truths = ["false", "true"]
    for slot, form in enumerate(plan.forms):
        scored, bound, shown = scores.forms[slot], batch.forms[slot], scores.shown[slot][block]
        use = plan.uses[group, slot]
        first, last = block.start, block.stop
        inside = (bound.pupil >= first) & (bound.pupil < last)
        counts = np.bincount(bound.pupil[inside] - first, minlength=last - first)
        same = {
            "slot": canonical_json(form.slot),
            "instrument": canonical_json(form.ref),
            "informant": canonical_json(str(form.informant)),
        }
        there = np.flatnonzero(shown >= 0)
        place = shown[there]
        filed = scored.filed[place]
        moments = local_times(plan.programme.zone, bound.administered_on[place])
        texts = _objects(
            {
                **same,
                "use": _placed(uses, use[there]),
                "filed": _placed(truths, filed),
                "forms": _texts(counts[there].tolist()),
                "complete": _placed(truths, scored.complete[place]),
                "validity": _placed(validities, np.where(filed, scored.validity[place], -1)),
                "submitted_at": _texts(moments),
                "scores": _scores(scored, place),
            },
            len(there),
        )
        absent = np.flatnonzero((shown < 0) & (use == Requirement.REQUIRED.position))
        nothing = {"filed": "false", "forms": "0", "complete": "false", "validity": "null",
                   "submitted_at": "null", "scores": "{}"}  # fmt: skip
        missing = _objects({**same, **nothing, "use": _placed(uses, use[absent])}, len(absent))
        for pupil, text in zip([*there.tolist(), *absent.tolist()], texts + missing, strict=True):
            found[pupil].append(text)
    return [f"[{','.join(one)}]" for one in found]


def _scores(scored: FormScores, place: NDArray[np.int64]) -> list[str]:
    """Return the scores of some forms."""
    fields: Fields = {}
    for plan, scale in zip(scored.plan.scales, scored.scales, strict=True):
        columns = [
            [None if v != v else v for v in values[place].tolist()]  # noqa: PLR0124 - NaN
            for values in (scale.score, scale.low, scale.high)
        ]
        answered, category = scale.answered[place].tolist(), scale.category[place].tolist()
        made = _ScoreMemo(plan)
        fields[scale.scale] = list(
            map(made.__getitem__, zip(*columns, answered, category, strict=True))
        )
    return _objects(fields, len(place))


class _ScoreMemo(dict[Any, str]):
    """The JSON of one scale's scores, each made once."""

    def __init__(self, plan: ScalePlan) -> None:
        super().__init__()
        self.categories = plan.categories
        self.labels = [{"en": label.en, "zh": label.zh} for label in plan.labels]

    def __missing__(self, key: Any) -> str:
        score, low, high, answered, place = key
        text = self[key] = canonical_json(
            {
                "score": whole(score), "answered": answered, "low": whole(low), "high": whole(high),
                "category": None if place < 0 else self.categories[place],
                "category_label": None if place < 0 else self.labels[place],
            }
        )  # fmt: skip
        return text


def _critical(result: Triage) -> list[list[str]]:
    """Return the critical items that are positive or unanswered, over all forms of a pupil."""
    batch, scores = result.normed.scores.batch, result.normed.scores
    found: list[list[str]] = [[] for _ in range(len(batch.roster))]
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
            texts = {
                (holds, score): canonical_json(
                    {
                        "slot": form.slot,
                        "item": item.item,
                        "concern": str(item.concern),
                        "window": str(item.window),
                        "days": item.days,
                        "directness": str(item.directness),
                        "state": "positive" if holds else "unanswered",
                        "score": score,
                    }
                )
                for holds, score in set(worst.values())
            }
            for pupil, state in worst.items():
                found[pupil].append(texts[state])
    return found


def _reasons(result: Triage, block: slice) -> tuple[list[str], list[str], list[NDArray[np.bool_]]]:
    """Return rules that hold, rules that are undecided, and where each problem class is."""
    number = block.stop - block.start
    holding: list[list[str]] = [[] for _ in range(number)]
    undecided: list[list[str]] = [[] for _ in range(number)]
    classes = {one: np.zeros(number, dtype=bool) for one in ProblemClass}
    rules = result.plan.triage.rules
    words = _answer_words(result.plan)
    for place, rule in enumerate(rules):
        truth = result.truth[place, block]
        for one in rule.classes:
            classes[one] |= truth == HOLDS
        for state, lists in ((HOLDS, holding), (UNDECIDED, undecided)):
            where = np.flatnonzero(truth == state)
            made: dict[tuple[Evidence, ...], str] = {}
            for pupil, found in zip(
                where.tolist(), result.evidence(place, where + block.start), strict=True
            ):
                evidence = tuple(found)
                if evidence not in made:
                    made[evidence] = canonical_json(
                        _reason(rule, evidence, words, holds=state == HOLDS)
                    )
                lists[pupil].append(made[evidence])
    return (
        [f"[{','.join(one)}]" for one in holding],
        [f"[{','.join(one)}]" for one in undecided],
        list(classes.values()),
    )


Words = dict[tuple[str, float | None], Document]
"""The words of an answer, by item and item score."""


def _answer_words(plan: Plan) -> Words:
    """Return the words of the answers whose codes are words, not numbers."""
    return {
        (f"{instrument.id}.{item.id}", float(option.item_score)): {
            "en": option.label.en,
            "zh": option.label.zh,
        }
        for instrument in plan.instruments.values()
        for item in instrument.items
        for option in instrument.options(item.id).options
        if isinstance(option.code, str)
    }


def _reason(
    rule: RulePlan, evidence: tuple[Evidence, ...], words: Words, *, holds: bool
) -> Document:
    cited: Document = {
        "rule": rule.id,
        "tier": str(Tier.at(rule.tier)),
        "because": {"en": rule.because.en, "zh": rule.because.zh},
    }
    if not holds:
        still_open = dict.fromkeys(f"{one.slot}: {one.name}" for one in evidence)
        return {**cited, "open": list(still_open)}
    return {
        **cited,
        "classes": [str(one) for one in rule.classes],
        "source": rule.source,
        "certainty": str(rule.evidence),
        "evidence": [_evidence(one, words) for one in evidence],
    }


def _evidence(one: Evidence, words: Words) -> Document:
    item = one.name if one.metric == "item_score" else ""
    return {
        "name": one.name,
        "slot": one.slot,
        "metric": one.metric,
        "value": whole(one.value),
        "low": whole(one.low),
        "high": whole(one.high),
        "comparison": "at_or_above" if one.upwards else "at_or_below",
        "cut": whole(one.cut),
        "value_label": words.get((item, one.value)),
        "cut_label": words.get((item, one.cut)),
        "invalid_form": one.invalid_form,
    }


def _ledger_classes(plan: Plan) -> list[list[str]]:
    """Return the ledgers in which a screening entry appears, by established tier."""
    ledgers = plan.programme.ledger_map
    return [
        [
            str(name)
            for name in LedgerClass
            if name in ledgers
            and ("screening" in ledgers[name].entry_types or tier in ledgers[name].tiers)
        ]
        for tier in Tier
    ]


def see_first(triage: Triage) -> list[str]:
    """Return which role sees each pupil first.

    The on-duty role where severe or major is established or, on something that was written, still
    open; else whom the programme's action matrix names for the tier.
    """
    matrix = {action.tier: action.first_contact for action in triage.plan.programme.action_matrix}
    general = matrix.get(Tier.GENERAL, Role.PSYCH_TEACHER)
    watch = matrix.get(Tier.WATCH, Role.CLASS_TEACHER)
    by_shown = {
        ScreenTier.NONE: matrix.get(Tier.NONE, Role.CLASS_TEACHER),
        ScreenTier.WATCH: watch,
        ScreenTier.GENERAL: general,
        ScreenTier.SEVERE: Role.ON_DUTY,
        ScreenTier.MAJOR: Role.ON_DUTY,
        ScreenTier.UNDETERMINED: general,
        ScreenTier.NOT_SCREENED: watch,
    }
    roles = np.array([str(by_shown[tier]) for tier in ScreenTier], dtype=object)[triage.screen]
    severe = Tier.SEVERE.position
    open_now = triage.recorded & (triage.critical_open | (triage.possible >= severe))
    roles[(triage.established >= severe) | open_now] = str(Role.ON_DUTY)
    return [str(role) for role in roles.tolist()]
