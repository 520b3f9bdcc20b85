"""Disclosure: what a role may see of which pupils, and nothing else.

A programme lists, by role, the fields that are shown; a field that is not listed is hidden, one
that is added later too. Answers to single questions and free text are shown only where the role's
list has them and whoever asks names them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from mhscreen.entries.pseudonyms import is_pseudonym, pseudonym
from mhscreen.problems import UsageError
from mhscreen.vocabulary import (
    Answer,
    CaseStatus,
    Concern,
    Confidentiality,
    EntryType,
    Instruction,
    Purpose,
    Role,
    ScreenTier,
    Tier,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from mhscreen.definitions import Programme
    from mhscreen.definitions.programme import Disclosure
    from mhscreen.ledger.cases import Action, Case, Cases

__all__ = ["Named", "PupilView", "View", "disclose", "expect_role", "guardian_held", "rules_for"]

Document = dict[str, Any]
Named = Literal["answers", "notes"]
"""What is shown only where it is named: answers to single questions, and free text."""

_ANSWERS: dict[EntryType, tuple[str, ...]] = {
    EntryType.SCREENING: (
        "critical_items.item", "critical_items.slot", "critical_items.state",
        "critical_items.score", "tier_reasons.evidence.", "undecided.open",
    ),
    EntryType.INTERVIEW: ("asked.", "ratings."),
    EntryType.TIER_CHANGE: ("known.",),
}  # fmt: skip
"""Fields that tell what was answered to a single question; with a point at the end: all inside."""
_NOTES = frozenset({"note"})
_PLACES: dict[str, tuple[str, ...]] = {
    "city": ("city",),
    "district": ("district",),
    "school": ("school",),
    "grade": ("school", "grade"),
    "class": ("school", "class"),
    "pupil": ("pupil",),
}
"""What a reader must say of the own place, by how far the reader is responsible."""
_OUTSIDE = ("city", "district")
_CLOSED = (CaseStatus.CLOSED, CaseStatus.NO_CASE)


@dataclass(frozen=True)
class PupilView:
    """What a reader may see of one pupil.

    Attributes
    ----------
    pupil_ref : str
        The pupil's reference.
    case : dict
        What of the case, by the names of the programme's list.
    entries : tuple of dict
        What of which entries, oldest first.
    """

    pupil_ref: str
    case: Document
    entries: tuple[Document, ...]


@dataclass(frozen=True, repr=False)
class View:
    """What a reader may see.

    Attributes
    ----------
    role : Role
        The reader's role.
    programme : str
        The programme whose list decided, at its exact version.
    at : dict
        The place that the reader is responsible for.
    on : datetime
        As of when.
    named : tuple of str
        What was named besides: ``answers``, ``notes``.
    released_by : str or None
        The person who releases it, where it is for a guardian.
    pupils : tuple of PupilView
        By reference.
    """

    role: Role
    programme: str
    at: Document
    on: dt.datetime
    named: tuple[Named, ...]
    released_by: str | None
    pupils: tuple[PupilView, ...]

    def __repr__(self) -> str:
        return f"<View: {self.role}, {len(self.pupils)} pupils>"


def disclose(
    cases: Cases,
    entries: Iterable[Mapping[str, Any]],
    programme: Programme,
    role: Role,
    *,
    at: Mapping[str, Any],
    on: dt.datetime,
    named: Sequence[Named] = (),
    released_by: str | None = None,
    key: bytes | None = None,
) -> View:
    """Return what a role may see, as of a time.

    Parameters
    ----------
    cases : Cases
        Where the cases stand.
    entries : iterable of mapping
        The entries that they were folded from.
    programme : Programme
        With the lists (`disclosure`).
    role : Role
        Who reads.
    at : mapping
        The reader's own place: ``school``; for a grade head ``school, grade``; for a class
        teacher ``school, class``; ``district``; ``city``; for a guardian ``pupil``.
    on : datetime
        Now, with its zone: what is overdue.
    named : sequence of {"answers", "notes"}
        Answers to single questions and free text, where the role's list has them.
    released_by : str, optional
        Who releases it to a guardian; needed there.
    key : bytes, optional
        With it each reference becomes a pseudonym.

    Raises
    ------
    UsageError
        If there is no such role, or it sees nothing in this programme; if the place is not given;
        if a guardian's view is released by nobody, or held because a pupil may have been harmed;
        if it leaves the school without pseudonyms.

    Examples
    --------
    >>> import datetime as dt
    >>> import mhscreen as mh
    >>> from mhscreen.ledger.cases import Cases
    >>> programme = mh.shipped_library().programme("qingdao-2023@1").definition
    >>> now = dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
    >>> disclose(Cases({}), [], programme, Role.CLASS_TEACHER, at={"school": "S"}, on=now)
    Traceback (most recent call last):
    mhscreen.problems.UsageError: a view for class_teacher needs school, class
    """
    role = expect_role(role)
    unknown = sorted(set(named).difference(get_args(Named)))
    if unknown:
        msg = f"what can be named are {' and '.join(get_args(Named))}"
        raise UsageError(msg)
    rules = rules_for(programme, role)
    place = _PLACES[rules.within]
    if any(at.get(part) is None for part in place):
        msg = f"a view for {role} needs {', '.join(place)}"
        raise UsageError(msg)
    if role is Role.GUARDIAN and not released_by:
        msg = "what is said to a guardian is released, and explained, by a named person"
        raise UsageError(msg)
    found: dict[str, list[Document]] = defaultdict(list)
    for entry in _standing(entries):
        found[entry["pupil_ref"]].append(entry)
    pupils = []
    for case in cases:
        if (
            case.entries
            and _inside(case, place, at)
            and _shown(case, found[case.pupil_ref], rules, role)
        ):
            if role is Role.GUARDIAN and guardian_held(case, found[case.pupil_ref]):
                msg = "word to this guardian is held: a named person must decide first"
                raise UsageError(msg)
            reference = case.pupil_ref if key is None else pseudonym(case.pupil_ref, key)
            if rules.within in _OUTSIDE and not is_pseudonym(reference):
                msg = f"a view for {role} leaves the school: give the key for pseudonyms"
                raise UsageError(msg)
            pupils.append(
                PupilView(
                    reference,
                    _case_view(case, rules.case, role, on),
                    tuple(_entry_views(found[case.pupil_ref], rules, named)),
                )
            )
    pupils.sort(key=lambda one: one.pupil_ref)
    own = {part: at[part] for part in place}
    return View(role, programme.ref, own, on, tuple(named), released_by, tuple(pupils))


def rules_for(programme: Programme, role: Role) -> Disclosure:
    """Return what a programme lists for a role.

    Raises
    ------
    UsageError
        If it lists nothing: the role then sees nothing.
    """
    role = expect_role(role)
    for one in programme.disclosure:
        if role in one.roles:
            return one
    msg = f"{programme.ref} shows nothing to {role}"
    raise UsageError(msg)


def expect_role(role: str) -> Role:
    """Return a role by its code; what is none would be told apart from every role, and pass.

    Raises
    ------
    UsageError
        If there is no such role.
    """
    if role not in set(Role):
        msg = f"there is no role {role!r}; there are {', '.join(Role)}"
        raise UsageError(msg)
    return Role(role)


def guardian_held(case: Case, entries: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether word to the guardian waits for a named person's decision.

    It does where a form or a person says that the pupil may have been harmed, until a person has
    recorded that the guardian was told.
    """
    told = flagged = False
    for entry in entries:
        kind = entry["entry_type"]
        told |= kind == EntryType.NOTIFICATION and entry["to"] == Role.GUARDIAN
        flagged |= any(
            item["concern"] == Concern.ABUSE and item["state"] == "positive"
            for item in entry.get("critical_items", ())
        )
        flagged |= any(
            asked["about"] == Concern.ABUSE and asked["answer"] == Answer.YES
            for asked in entry.get("asked", ())
        )
    held = any(one.held and one.to is Role.GUARDIAN for one in case.open_actions)
    return held or ((flagged or Concern.ABUSE in case.concerns) and not told)


# -- which pupils ---------------------------------------------------------------------------------


def _standing(entries: Iterable[Mapping[str, Any]]) -> Iterator[Document]:
    """Yield the entries about pupils that no other supersedes, oldest first, sealed ones left out.

    What an erasure has left has no content and is no entry.
    """
    every = {
        entry["entry_id"]: dict(entry)
        for entry in entries
        if entry.get("entry_type") is not None and entry.get("pupil_ref") is not None
    }
    replaced = {entry["supersedes"] for entry in every.values()}
    standing = [
        entry
        for name, entry in every.items()
        if name not in replaced and entry["confidentiality"] != Confidentiality.SEALED
    ]
    yield from sorted(standing, key=lambda one: (_time(one["occurred_at"]), one["entry_id"]))


def _inside(case: Case, place: Sequence[str], at: Mapping[str, Any]) -> bool:
    own = {"pupil": case.pupil_ref, **case.org}
    return all(own.get(part) == at[part] for part in place)


def _shown(case: Case, entries: Iterable[Document], rules: Disclosure, role: Role) -> bool:
    if rules.pupils == "all":
        return True
    if rules.pupils == "flagged":
        return _flagged(case)
    if rules.pupils == "consulted":
        return _consulted(case, entries, role)
    asked = _instructions(case) if "instructions" in rules.case else ()
    return bool(asked) or any(action.by is role for action in case.open_actions)


def _flagged(case: Case) -> bool:
    shown = case.screen_tier
    in_doubt = shown is ScreenTier.UNDETERMINED
    return (
        case.status is not CaseStatus.NO_CASE
        or in_doubt
        or (
            shown not in (None, ScreenTier.NOT_SCREENED) and shown.position >= Tier.GENERAL.position
        )
        or bool(case.known)
    )


def _consulted(case: Case, entries: Iterable[Document], role: Role) -> bool:
    """Whether the case is confirmed as major, and the school has opened it to this role since."""
    if case.case_tier is not Tier.MAJOR or case.status is CaseStatus.CLOSED:
        return False
    since = None
    for decision in reversed(case.decisions):
        if decision.tier is not Tier.MAJOR:
            break
        since = decision.at
    return since is not None and any(
        entry["entry_type"] == EntryType.ACCESS
        and entry["role"] == role
        and entry["purpose"] == Purpose.CONSULTATION
        and entry["approved_by"]
        and _time(entry["occurred_at"]) >= since
        for entry in entries
    )


# -- what of them ---------------------------------------------------------------------------------


def _instructions(case: Case) -> tuple[Document, ...]:
    """Return what a class teacher is asked to do about a pupil."""
    found = []
    for action in case.open_actions:
        if action.id == "stay_with_pupil":
            found.append((Instruction.STAY_WITH, action.by, action.due_at))
        elif action.id == "see_pupil" and action.by is not Role.CLASS_TEACHER:
            found.append((Instruction.PLEASE_BRING, action.by, action.due_at))
    watched = case.case_tier not in (None, Tier.NONE) and case.status not in _CLOSED
    if watched or case.status is CaseStatus.CLOSED_WATCH or case.screen_tier is ScreenTier.WATCH:
        found.append((Instruction.PLEASE_WATCH, Role.PSYCH_TEACHER, None))
    first: dict[tuple[Instruction, Role], dt.datetime | None] = {}
    for what, who, due in found:
        first.setdefault((what, who), due)  # actions stand by due time
    return tuple(
        {"instruction": str(what), "to": str(who), "due_at": _written(due)}
        for (what, who), due in first.items()
    )


def _case_view(case: Case, names: Iterable[str], role: Role, on: dt.datetime) -> Document:
    actions = [_action(one, on) for one in case.open_actions]
    own = [_action(one, on) for one in case.open_actions if one.by is role]
    decision = case.decisions[-1] if case.decisions else None
    referral = case.referral
    known = [{"concern": one.concern and str(one.concern), "on": str(one.on)} for one in case.known]
    every: Document = {
        **case.org,
        "attendance": _code(case.attendance),
        "on_leave_since": _written(case.on_leave_since),
        "status": str(case.status),
        "screen_tier": _code(case.screen_tier),
        "case_tier": _code(case.case_tier),
        "decided_at": decision and _written(decision.at),
        "decided_by_role": decision and str(decision.role),
        "to_confirm": list(case.to_confirm),
        "flags": [str(one) for one in case.flags],
        "problem_classes": [str(one) for one in case.problem_classes],
        "concerns": [str(one) for one in case.concerns],
        "known": known,
        "instructions": list(_instructions(case)),
        "own_actions": own,
        "actions": actions,
        "referral": referral
        and {
            "institution": referral.institution,
            "attended": referral.attended,
            "outcome": str(referral.outcome),
            "at": _written(referral.at),
        },
        "next_review_on": case.next_review_on and str(case.next_review_on),
        "consent": [str(one) for one in case.consent],
        "opened_at": _written(case.opened_at),
        "closed_at": _written(case.closed_at),
        "transfer_to": case.transfer_to and case.transfer_to.get("school"),
    }
    return {name: every[name] for name in names}


def _action(action: Action, on: dt.datetime) -> Document:
    title = action.title
    return {
        "id": action.id,
        "does": str(action.does),
        "by": str(action.by),
        "to": _code(action.to),
        "through": [str(one) for one in action.through],
        "due_at": _written(action.due_at),
        "overdue": action.overdue(on),
        "held": action.held,
        "title": title and {"en": title.en, "zh": title.zh},
    }


def _entry_views(
    entries: Iterable[Document], rules: Disclosure, named: Collection[Named]
) -> Iterator[Document]:
    for entry in entries:
        kind = EntryType(entry["entry_type"])
        if kind not in rules.entries:
            continue
        paths = [
            path
            for path in (*rules.head, *rules.entries[kind])
            if ("notes" in named or path not in _NOTES)
            and ("answers" in named or not _is_answer(kind, path))
        ]
        yield _pick(entry, [tuple(path.split(".")) for path in paths])


def _is_answer(kind: EntryType, path: str) -> bool:
    return any(
        path.startswith(one) if one.endswith(".") else path == one for one in _ANSWERS.get(kind, ())
    )


def _pick(value: Any, paths: Sequence[tuple[str, ...]]) -> Any:
    """Return a part of a document: its listed fields, in the order of the list."""
    if () in paths or value is None:
        return value
    if isinstance(value, list):
        return [_pick(one, paths) for one in value if isinstance(one, dict | list)]
    below: dict[str, list[tuple[str, ...]]] = {}
    for first, *rest in paths:
        for name in value if first == "*" else (first,):
            if name in value:
                below.setdefault(name, []).append(tuple(rest))
    return {
        name: _pick(value[name], rests)
        for name, rests in below.items()
        if () in rests or value[name] is None or isinstance(value[name], dict | list)
    }


# -- written --------------------------------------------------------------------------------------


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _written(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _code(term: object) -> str | None:
    return None if term is None else str(term)
