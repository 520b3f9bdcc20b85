"""Views: the four ledgers A to D, over one stream of entries.

What each holds is said by the programme's ledger map, today's: with another map the same entries
stand elsewhere, whatever was stored with them. Ledgers overlap, and a pupil who moves from one to
another keeps one history.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.ledger.order import moment
from mhscreen.problems import UsageError
from mhscreen.vocabulary import EntryType, LedgerClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mhscreen.definitions import Programme

__all__ = ["ledger_table", "ledger_view", "ledgers_of"]


def ledgers_of(entry: Mapping[str, Any], programme: Programme) -> tuple[LedgerClass, ...]:
    """Return the ledgers in which an entry stands, by the programme's ledger map."""
    kind = EntryType(entry["entry_type"])
    tier = entry.get("established_tier")
    ledgers = programme.ledger_map
    return tuple(
        one
        for one in LedgerClass
        if one in ledgers and (kind in ledgers[one].entry_types or tier in ledgers[one].tiers)
    )


def ledger_view(
    entries: Iterable[Mapping[str, Any]],
    programme: Programme,
    ledger: LedgerClass,
    *,
    period: str | None = None,
) -> list[dict[str, Any]]:
    """Return the entries of one ledger, oldest first.

    Parameters
    ----------
    entries : iterable of mapping
        Lines of a ledger in any order. What an erasure has left has no content and stands nowhere.
    programme : Programme
        With the ledger map.
    ledger : LedgerClass
        Which one.
    period : str, optional
        A month, ``YYYY-MM``; by default all.

    Raises
    ------
    UsageError
        If the programme has no such ledger.
    """
    if ledger not in set(LedgerClass) or LedgerClass(ledger) not in programme.ledger_map:
        msg = f"{programme.ref} has no ledger {ledger}"
        raise UsageError(msg)
    found = {
        entry["entry_id"]: dict(entry)
        for entry in entries
        if entry.get("entry_type") is not None
        and (period is None or entry["period"] == period)
        and ledger in ledgers_of(entry, programme)
    }
    return sorted(found.values(), key=lambda one: (moment(one["occurred_at"]), one["entry_id"]))


def ledger_table(view: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return a ledger as a sheet: when, who, what; no answer and no free text."""
    rows = list(view)
    head = ("occurred_at", "pupil_ref", "entry_type", "author", "entry_id")
    found: dict[str, list[Any]] = {name: [one[name] for one in rows] for name in head}
    for name in ("school", "stage", "grade", "class"):
        found[name] = [one["org"][name] for one in rows]
    for name in ("screen_tier", "case_tier"):
        found[name] = [one.get(name) for one in rows]
    return found
