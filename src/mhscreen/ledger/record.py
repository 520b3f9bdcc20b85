"""Record: a person's draft becomes an entry, with the head that every entry has.

A draft says what happened; the head (id, cycle, ledgers, school) follows from the programme and
from what the ledger knows of the pupil. The id derives from the content without the time of
recording, so that recording the same draft twice adds nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from mhscreen.entries.canonical import canonical_json, digest, entry_hash, entry_id
from mhscreen.entries.parts import SCHEMA_VERSION, Entry
from mhscreen.entries.schema import MODELS
from mhscreen.problems import Problem, ResponseError
from mhscreen.steps.emit import find_cycle
from mhscreen.vocabulary import Confidentiality, EntrySource, EntryType, LedgerClass, Tier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mhscreen.definitions import Programme

__all__ = ["FOLLOWS_FROM_THE_REST", "complete_draft"]

Document = dict[str, Any]

_HEAD = frozenset(Entry.model_fields)
_GIVEN = frozenset({"entry_type", "pupil_ref", "occurred_at", "author", "source", "supersedes"})
"""What of the head a draft may give itself."""
_NOBODY: Document = {
    "city": "",
    "district": "",
    "school": "",
    "stage": None,
    "grade": None,
    "class": "",
}
FOLLOWS_FROM_THE_REST = frozenset({"period", "term", "ledger_class", "confidentiality"})
"""What an entry holds and nobody said: its id does not hang on it."""
_NOT_SAID = frozenset({"recorded_at", "prev_hash", "hash", "entry_id"}) | FOLLOWS_FROM_THE_REST
_RESTRICTED = frozenset({EntryType.REFERRAL, EntryType.LEAVE_RETURN, EntryType.INTERVIEW})


def complete_draft(
    draft: Mapping[str, Any],
    programme: Programme,
    *,
    org: Mapping[str, Any] | None,
    recorded_at: dt.datetime,
    place: str = "",
    row: int | None = None,
) -> Document:
    """Return the entry that a person's draft stands for.

    Parameters
    ----------
    draft : mapping
        ``entry_type``, ``pupil_ref`` (not for meetings and activities), ``occurred_at``,
        ``author``, ``role``, and the fields of its type; ``org`` where the ledger knows none.
    programme : Programme
        Gives the cycle, the term and the ledgers.
    org : mapping or None
        Where the pupil is at school, from the pupil's latest entry.
    recorded_at : datetime
        When it is entered, with its zone.
    place, row : str, int, optional
        The file and row of the draft, for problems.

    Returns
    -------
    dict
        The entry with its hash; not yet linked to the pupil's entry before it.

    Raises
    ------
    ResponseError
        With everything that is wrong with the draft (MH801); no value is quoted.
    """
    where: dict[str, Any] = {"file": place, "row": row}
    kind = draft.get("entry_type")
    people = {str(one) for one in EntryType if one is not EntryType.SCREENING}
    if not isinstance(kind, str) or kind not in people:
        what = "entry_type is none that a person enters"
        expected = f"one of: {', '.join(sorted(people))}"
        raise ResponseError([Problem("MH801", what, expected, path="entry_type", **where)])
    derived = sorted(name for name in draft if name in _HEAD - _GIVEN - {"org"})
    if derived:
        hint = "leave it out: it follows from the rest"
        raise ResponseError(
            [Problem("MH801", "is not the draft's to say", "", hint, path=name, **where)
             for name in derived]
        )  # fmt: skip
    occurred = _moment(draft.get("occurred_at"))
    if occurred is None:
        expected = "a time with its zone, like 2026-10-15T09:30:00+08:00"
        raise ResponseError([Problem("MH801", "is no time", expected, path="occurred_at", **where)])
    if occurred > recorded_at:
        what = "lies after the time of entering it"
        raise ResponseError([Problem("MH801", what, path="occurred_at", **where)])
    cycle = find_cycle(programme, _utc(occurred))
    entry: Document = {
        "source": str(EntrySource.OTHER),
        "supersedes": None,
        "pupil_ref": None,
        **draft,
        "schema_version": SCHEMA_VERSION,
        "programme": programme.ref,
        "cycle_id": cycle.id,
        "period": cycle.period,
        "term": cycle.term,
        "ledger_class": _ledgers(programme, EntryType(kind)),
        "org": dict(draft.get("org") or org or _NOBODY),
        "occurred_at": occurred.isoformat(timespec="seconds"),
        "recorded_at": recorded_at.isoformat(timespec="seconds"),
        "confidentiality": str(_confidentiality(draft)),
        "prev_hash": None,
        "hash": digest(""),
        "entry_id": "00000000-0000-0000-0000-000000000000",
    }
    checked = _validate(entry, where)
    checked["entry_id"] = _id(checked, draft)
    checked["hash"] = entry_hash(checked)
    return checked


def _validate(entry: Document, where: Mapping[str, Any]) -> Document:
    """Return the entry as its model writes it: defaults filled in, times in one form."""
    try:
        model = MODELS[EntryType(entry["entry_type"])].model_validate(entry)
    except ValidationError as error:
        raise ResponseError(
            [
                Problem(
                    "MH801",
                    one["msg"][:1].lower() + one["msg"][1:],
                    path=".".join(map(str, one["loc"])),
                    **where,
                )
                for one in error.errors(include_input=False, include_url=False)
            ]
        ) from None
    return model.model_dump(mode="json", by_alias=True)


def _id(entry: Document, draft: Mapping[str, Any]) -> str:
    """Return the id over what was said; where the pupil is at school may be known only later."""
    left_out = _NOT_SAID if "org" in draft else _NOT_SAID | {"org"}
    content = {name: value for name, value in entry.items() if name not in left_out}
    kind, pupil = entry["entry_type"], entry["pupil_ref"] or ""
    evidence = digest(canonical_json(content))
    return entry_id(kind, entry["programme"], entry["cycle_id"], pupil, evidence, "")


def _ledgers(programme: Programme, kind: EntryType) -> list[str]:
    ledgers = programme.ledger_map
    return [str(one) for one in LedgerClass if one in ledgers and kind in ledgers[one].entry_types]


def _confidentiality(draft: Mapping[str, Any]) -> Confidentiality:
    tiers = {str(Tier.SEVERE), str(Tier.MAJOR)}
    urgent = draft.get("case_tier") in tiers or draft.get("previous_tier") in tiers
    restricted = draft["entry_type"] in _RESTRICTED or urgent
    return Confidentiality.RESTRICTED if restricted else Confidentiality.ROUTINE


def _moment(value: object) -> dt.datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment


def _utc(moment: dt.datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(dt.UTC).replace(tzinfo=None), "s")
