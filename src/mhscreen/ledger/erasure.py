"""Erasure: the content goes, the hash stays, and an entry says who approved it and why.

A legal hold, and an open severe or major case, go before any erasure: the protection of life, and
evidence that a court or an inquiry may ask for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from mhscreen.ledger.fold import fold
from mhscreen.ledger.intake import enter, recording_time
from mhscreen.ledger.order import events_by_pupil
from mhscreen.problems import Problem, ResponseError, UsageError
from mhscreen.vocabulary import CaseStatus, EntryType, ErasureGround, Role, ScreenTier, Tier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from mhscreen.definitions import Programme
    from mhscreen.ledger.cases import Case
    from mhscreen.ledger.stores.base import Appended, Row, Store
    from mhscreen.loading import Library
    from mhscreen.steps.cells import Moment

__all__ = ["erase_entries", "is_on_hold", "is_protected"]

_URGENT = (Tier.SEVERE, Tier.MAJOR)
_CLOSED = (CaseStatus.CLOSED, CaseStatus.CLOSED_WATCH, CaseStatus.NO_CASE)


def erase_entries(
    ledger: Store,
    *,
    pupil_ref: str | None = None,
    entries: Collection[str] = (),
    ground: ErasureGround | str,
    author: str,
    role: Role | str,
    approved_by: str,
    programme: Programme,
    at: Moment,
    library: Library | None = None,
) -> Appended:
    """Erase entries: some, or all of a pupil's.

    Parameters
    ----------
    ledger : Store
        An open ledger.
    pupil_ref : str, optional
        Whose entries go: all but the erasures.
    entries : collection of str
        The ids of the entries that go, instead.
    ground : ErasureGround
        Why.
    author, role : str
        Who erases, in what role.
    approved_by : str
        Who approved it: somebody else.
    programme : Programme
        Gives the head of the erasure entry.
    at : date, datetime or str
        When.
    library : Library, optional
        Has the programmes that the pupil's entries name; by default everything installed.

    Returns
    -------
    Appended
        The batch with one erasure entry for each pupil. Of what was erased ids and hashes are
        left, and the ledger still verifies.

    Raises
    ------
    UsageError
        If nothing is to be erased, or not by two people.
    ResponseError
        MH808: a pupil whose entries are on hold, or who has an open severe or major case.
        Nothing is erased.
    """
    if (pupil_ref is None) == (not entries):
        msg = "erase_entries: give either a pupil or the ids of entries"
        raise UsageError(msg)
    if author == approved_by:
        msg = "approved_by: somebody else than who erases"
        raise UsageError(msg)
    rows = _chosen(ledger, pupil_ref, frozenset(entries))
    by_pupil: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_pupil[str(row.pupil_ref)].append(row)
    refuse_protected(ledger, by_pupil, library)
    when = recording_time(programme, at).isoformat()
    drafts = [
        {
            "entry_type": str(EntryType.ERASURE), "pupil_ref": pupil, "author": author,
            "role": str(role), "occurred_at": when, "ground": str(ground),
            "approved_by": approved_by,
            "erased": [{"entry_id": row.entry_id, "hash": row.hash} for row in of_pupil],
        }
        for pupil, of_pupil in sorted(by_pupil.items())
    ]  # fmt: skip
    made = enter(ledger, drafts, programme, at)
    return ledger.erase({row.entry_id: row.hash for row in rows}, made)


def refuse_protected(ledger: Store, pupils: Iterable[str], library: Library | None) -> None:
    """Raise for pupils whose entries must stay.

    Raises
    ------
    ResponseError
        MH808, one for each.
    """
    problems = []
    for pupil in pupils:
        found = list(ledger.entries(pupil))
        if is_on_hold(found):
            hint = "a consent entry with legal_hold: false lifts it"
            problems.append(Problem("MH808", "is on legal hold", hint=hint, subject=pupil))
        elif is_protected(fold(found, library=library)[pupil]):
            hint = "a named person closes the case, or decides on the screening, first"
            what = "has an open severe or major case"
            problems.append(Problem("MH808", what, hint=hint, subject=pupil))
    if problems:
        raise ResponseError(problems)


def is_protected(case: Case) -> bool:
    """Whether a severe or major case is open, or a screening of that tier is undecided.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 200)
    >>> cases = mh.fold(mh.screen(plan, roster=roster, responses=answers, at="2026-10-15").entries)
    >>> {str(case.screen_tier) for case in cases if is_protected(case)} <= {"severe", "major"}
    True
    """
    undecided = bool(case.to_confirm) and case.screen_tier in {
        ScreenTier.SEVERE,
        ScreenTier.MAJOR,
    }
    return undecided or (case.case_tier in _URGENT and case.status not in _CLOSED)


def is_on_hold(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the last of a pupil's consent entries that speaks of a legal hold sets it."""
    said = [
        event.entry["legal_hold"]
        for one in events_by_pupil(entries).values()
        for event in one.events
        if event.kind is EntryType.CONSENT and event.entry.get("legal_hold") is not None
    ]
    return bool(said and said[-1])


def _chosen(ledger: Store, pupil_ref: str | None, ids: frozenset[str]) -> list[Row]:
    """Return the rows that go."""
    rows = []
    for row in ledger.rows(pupil_ref):
        wanted = row.entry_id in ids or pupil_ref is not None
        if not wanted:
            continue
        kind = row.document().get("entry_type")
        if row.entry_id in ids and (kind in {None, EntryType.ERASURE} or row.pupil_ref is None):
            msg = f"entry {row.entry_id} was erased before, or is none that can be erased"
            raise UsageError(msg)
        if kind not in {None, EntryType.ERASURE}:
            rows.append(row)
    absent = ids - {row.entry_id for row in rows}
    if absent:
        msg = f"the ledger has no entry {', '.join(sorted(absent))}"
        raise UsageError(msg)
    if not rows:
        msg = f"{ledger.name} has nothing of this pupil to erase"
        raise UsageError(msg)
    return rows
