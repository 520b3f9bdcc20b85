"""The texts of entries: a block of pupils at a time, from columns that rows share.

What is the same for many pupils is made once, a row is put together last, and bytes stay bytes:
that is what makes a district a matter of seconds. Each class of this module and of its parts is
made once for all blocks.
"""

from __future__ import annotations

import datetime as dt
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen._version import __version__
from mhscreen.entries.canonical import canonical_json, canonical_texts, whole
from mhscreen.entries.parts import SCHEMA_VERSION
from mhscreen.entries.pseudonyms import pseudonym
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.calendar import calendar_status
from mhscreen.steps.cells import local_moments
from mhscreen.steps.entry_digests import EvidenceDigests, entry_ids, hex_digests
from mhscreen.steps.entry_forms import CriticalItems, Instruments
from mhscreen.steps.entry_reasons import Reasons
from mhscreen.steps.first_contact import first_roles
from mhscreen.steps.text_columns import (
    OwnTexts,
    Texts,
    distinct_rows,
    distinct_values,
    join_rows,
    json_object,
    true_names,
)
from mhscreen.steps.times import local_times
from mhscreen.vocabulary import (
    Attendance,
    LedgerClass,
    ProblemClass,
    Role,
    ScreenTier,
    Sex,
    Stage,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.entry_digests import Digests
    from mhscreen.steps.text_columns import Part
    from mhscreen.steps.times import Cycle
    from mhscreen.steps.triage import Triage
    from mhscreen.vocabulary import Term

__all__ = ["EntryWriter", "SealedBlock"]
_BLOCK = 16_384
_LINES = 512  # few enough to stay in the cache


class SealedBlock(NamedTuple):
    """The entries of some pupils as they are written.

    Attributes
    ----------
    ids : list of bytes
        Their ids.
    hashes : list of bytes
        The hash over each, 64 hexadecimal digits.
    bodies : list of bytes
        The canonical JSON of each without its hash, but for the bracket that opens it.
    """

    ids: list[bytes]
    hashes: list[bytes]
    bodies: list[bytes]

    def lines(self, end: bytes = b"") -> Iterator[bytes]:
        """Iterate over the entries with their hashes, each as one line of JSON."""
        parts = (repeat(b'{"hash":"sha256:'), self.hashes, repeat(b'",'), self.bodies, repeat(end))
        return map(b"".join, zip(*parts, strict=False))


class EntryWriter:
    """Writes the entries of a batch, block by block.

    Parameters
    ----------
    triage : Triage
        The evaluated batch.
    at : datetime64[s]
        When the pupils are screened, in UTC.
    cycle : Cycle
        The cycle that this belongs to.
    key : bytes or None
        What pseudonyms are made with, if any.
    """

    def __init__(self, triage: Triage, at: np.datetime64, cycle: Cycle, key: bytes | None) -> None:
        self._triage, self._at, self._cycle, self._key = triage, at, cycle, key
        self._digests = EvidenceDigests(triage)
        self._instruments = Instruments(triage)
        self._critical = CriticalItems(triage)
        self._reasons = Reasons(triage)
        self._due = triage.due_at(at)
        self._first = first_roles(triage)
        self._constant = _same_in_all(triage.plan, at, cycle)

    def blocks(self, pupils: int = _BLOCK, lines: int = _LINES) -> Iterator[SealedBlock]:
        """Iterate over the entries in roster order.

        Parameters
        ----------
        pupils : int
            Of how many the columns are held at once.
        lines : int
            How many entries are held at once, at most.
        """
        number = len(self._due)
        for first in range(0, number, pupils):
            yield from self._write(slice(first, min(first + pupils, number)), lines)

    def _write(self, block: slice, lines: int) -> Iterator[SealedBlock]:
        number = block.stop - block.start
        roster = self._triage.normed.scores.batch.roster
        subjects = roster.subject[block].tolist()
        if self._key is not None:
            subjects = [pseudonym(subject, self._key) for subject in subjects]
        refs = OwnTexts(canonical_texts(subjects))
        digests = self._digests.of(block)
        ids = self._ids(refs, digests)
        fields: dict[str, Part | list[Part]] = {
            **self._constant,
            "entry_id": [b'"', OwnTexts(ids), b'"'],
            "pupil_ref": refs,
            "org": self._org(block),
            "age": self._ages(block),
            "sex": _codes(Sex, roster.sex[block]),
            "attendance": _codes(Attendance, roster.status[block]),
            "instruments": self._instruments.of(block),
            "critical_items": self._critical.of(block),
            **self._findings(block),
            **self._due_fields(block),
            "provenance": self._provenance(block, digests),
        }
        rows = join_rows(json_object(fields)[1:], number)
        for first in range(0, number, lines):
            bodies = list(islice(rows, lines))
            hashes = hex_digests(bodies, before=b"{")
            yield SealedBlock(ids[first : first + lines], hashes, bodies)

    def _ids(self, refs: OwnTexts, digests: Digests) -> list[bytes]:
        plan = self._triage.plan
        before = [_json("screening"), _json(plan.programme.ref), _json(self._cycle.id)]
        rest: list[Part] = [
            refs,
            b',"sha256:',
            OwnTexts(digests.evidence),
            b'",%b]' % _json(plan.pins_digest),
        ]
        return entry_ids(join_rows(rest, len(refs.texts)), before=b"[%b," % b",".join(before))

    def _org(self, block: slice) -> list[Part]:
        roster = self._triage.normed.scores.batch.roster
        grade = roster.grade[block]
        return json_object(
            {
                "city": distinct_values(roster.city[block].tolist(), _json),
                "district": distinct_values(roster.district[block].tolist(), _json),
                "school": distinct_values(roster.school[block].tolist(), _json),
                "stage": _codes(Stage, roster.stage[block]),
                "grade": distinct_rows([grade], len(grade)).texts(
                    lambda row: b"%d" % grade[row] if grade[row] >= 0 else b"null"
                ),
                "class": distinct_values(roster.class_[block].tolist(), _json),
            }
        )

    def _ages(self, block: slice) -> Texts:
        roster = self._triage.normed.scores.batch.roster
        today = local_moments(np.array([self._at]), self._triage.plan.programme.zone)
        ages = roster.ages(np.repeat(today, len(roster)))[block].round(2)
        return distinct_rows([ages], len(ages)).texts(
            lambda row: b"null" if np.isnan(ages[row]) else _json(whole(float(ages[row])))
        )

    def _findings(self, block: slice) -> dict[str, Part | list[Part]]:
        """Return tiers and flags, and what they rest on."""
        triage, number = self._triage, block.stop - block.start
        plan = triage.plan
        shown = triage.screen[block].astype(np.int64)
        established, possible = (
            tiers[block].astype(np.int64) for tiers in (triage.established, triage.possible)
        )
        holds = triage.truth[:, block] == HOLDS
        classes = [
            holds[[one in rule.classes for rule in plan.triage.rules]].any(axis=0)
            for one in ProblemClass
        ]
        flags = [where[block] for where in triage.flags.values()]
        return {
            "screen_tier": Texts(_SHOWN, shown),
            "screen_tier_label": Texts(_LABELS, shown),
            "established_tier": Texts(_TIERS, established),
            "possible_tier": Texts(_TIERS, possible),
            "confidentiality": Texts(_PLACES, established),
            "ledger_class": Texts(_ledger_classes(plan), established),
            "flags": true_names(_quoted(triage.flags), flags, number),
            "tier_reasons": [b"[", self._reasons.of(block, HOLDS), b"]"],
            "undecided": [b"[", self._reasons.of(block, UNDECIDED), b"]"],
            "problem_classes": true_names(_quoted(ProblemClass), classes, number),
            "not_asked": true_names(
                _quoted(plan.policy.concerns), triage.not_asked[:, block], number
            ),
        }

    def _due_fields(self, block: slice) -> dict[str, Part]:
        due, role = self._due[block], self._first[block].astype(np.int64)
        role[np.isnat(due)] = len(Role)
        return {
            "assignee": Texts([*_quoted(Role), b"null"], role),
            "due_at": self._due_texts(block, _json),
        }

    def _due_texts(self, block: slice, write: Callable[[str | None], bytes]) -> Texts:
        due = self._due[block]
        same = distinct_rows([due], len(due))
        times = local_times(self._triage.plan.programme.zone, due[same.first])
        return Texts(list(map(write, times)), same.place)

    def _calendar(self, when: str | None) -> bytes:
        """Return what stands behind the day on which something is due."""
        if when is None:
            return b"null"
        day = dt.datetime.fromisoformat(when).date()
        return _json(str(calendar_status(self._triage.plan.programme, day)))

    def _provenance(self, block: slice, digests: Digests) -> list[Part]:
        plan = self._triage.plan
        quoted: dict[str, list[Part]] = {
            name: [b'"sha256:', OwnTexts(digits), b'"']
            for name, digits in digests._asdict().items()
        }
        return json_object(
            {
                "engine": _json(__version__),
                "policy": _json(plan.policy.ref),
                "approved_by": _json(plan.policy.approved_by),
                "definitions": _json(plan.pins_digest),
                "norms": self._norms(block),
                "calendar": self._due_texts(block, self._calendar),
                **quoted,
            }
        )

    def _norms(self, block: slice) -> Texts:
        """Return the norm tables of the questionnaires that each pupil has handed in."""
        norms, shown = self._triage.plan.norms, self._triage.normed.scores.shown
        refs = sorted({norm.ref for norm in norms})
        rows = [
            np.any([shown[norm.slot][block] >= 0 for norm in norms if norm.ref == ref], axis=0)
            for ref in refs
        ]
        return true_names(_quoted(refs), rows, block.stop - block.start)


def _json(value: object) -> bytes:
    return canonical_json(value).encode()


def _quoted(names: Iterable[str]) -> list[bytes]:
    return [_json(str(name)) for name in names]


_SHOWN = _quoted(ScreenTier)
_LABELS = [_json({"en": one.en, "zh": one.zh}) for one in ScreenTier]
_TIERS = _quoted(Tier)
_PLACES = _quoted(
    "restricted" if one.position >= Tier.SEVERE.position else "routine" for one in Tier
)


def _codes(terms: type[Term], places: NDArray[np.integer[Any]]) -> Texts:
    names = [*_quoted(terms), b"null"]
    return Texts(names, places.astype(np.int64) % len(names))


def _same_in_all(plan: Plan, at: np.datetime64, cycle: Cycle) -> dict[str, bytes]:
    """Return the fields that are the same in all entries of a batch."""
    help_line = plan.programme.help_line
    moment = _json(local_times(plan.programme.zone, np.array([at]))[0])
    return {
        "schema_version": _json(SCHEMA_VERSION),
        "supersedes": b"null",
        "entry_type": b'"screening"',
        "programme": _json(plan.programme.ref),
        "cycle_id": _json(cycle.id),
        "period": _json(cycle.period),
        "term": _json(cycle.term),
        "occurred_at": moment,
        "recorded_at": moment,
        "source": b'"census"',
        "help_line": _json(None if help_line is None else {"en": help_line.en, "zh": help_line.zh}),
        "author": b'"mhscreen"',
        "prev_hash": b"null",
    }


def _ledger_classes(plan: Plan) -> list[bytes]:
    """Return the ledgers in which a screening entry appears, by established tier."""
    ledgers = plan.programme.ledger_map
    return [
        _json(
            [
                str(name)
                for name in LedgerClass
                if name in ledgers
                and ("screening" in ledgers[name].entry_types or tier in ledgers[name].tiers)
            ]
        )
        for tier in Tier
    ]
