"""Queue: whom to ask again, and what, by how much an answer could change a tier.

Nothing is asked that can change nothing: a rule that blanks leave open matters only where it
would reach above the tier that is established, and above the one that a person has set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.ledger.order import moment
from mhscreen.vocabulary import Flag, ScreenTier, Tier, Validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mhscreen.ledger.cases import Case, Cases

__all__ = ["Question", "QueueItem", "rescreen_queue"]


@dataclass(frozen=True)
class Question:
    """What is asked again.

    Attributes
    ----------
    slot : str
        The questionnaire and who answers it.
    names : tuple of str
        Items and scales, ``instrument.item``; empty: the whole form.
    """

    slot: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class QueueItem:
    """One pupil who is asked again.

    Attributes
    ----------
    case : Case
        The pupil's case.
    shown : ScreenTier
        What the current screening shows.
    standing, possible : Tier
        The tier that stands, a machine's or a person's, and the one an answer could take it to.
    critical : bool
        Whether a critical item is unanswered.
    ask : tuple of Question
        What is asked.
    """

    case: Case
    shown: ScreenTier
    standing: Tier
    possible: Tier
    critical: bool
    ask: tuple[Question, ...]

    @property
    def gain(self) -> int:
        """By how many tiers an answer could raise what stands."""
        return max(self.possible.position - self.standing.position, 0)


def rescreen_queue(cases: Cases, entries: Iterable[Mapping[str, Any]]) -> list[QueueItem]:
    """Return whom to ask again.

    Parameters
    ----------
    cases : Cases
        Where the cases stand.
    entries : iterable of mapping
        The entries that they were folded from.

    Returns
    -------
    list of QueueItem
        First those who have answered something: by the number of tiers that an answer could
        raise, at the same number open critical items first, then by the tier that is possible.
        Then those who have not been screened at all.
    """
    screenings = {one["entry_id"]: one for one in entries if one.get("entry_type") == "screening"}
    found = []
    for case in cases:
        current = [screenings[name] for name in case.current.values() if name in screenings]
        if current:
            item = _item(case, max(current, key=lambda one: moment(one["occurred_at"])))
            if item.ask:
                found.append(item)
    return sorted(found, key=_order)


def _order(item: QueueItem) -> tuple[bool, int, bool, int, str]:
    unseen = item.shown is ScreenTier.NOT_SCREENED
    possible = item.possible.position
    return unseen, -item.gain, not item.critical, -possible, item.case.pupil_ref


def _item(case: Case, entry: Mapping[str, Any]) -> QueueItem:
    established, possible = Tier(entry["established_tier"]), Tier(entry["possible_tier"])
    decided = Tier.NONE if case.case_tier is None else case.case_tier
    standing = max(established, decided, key=lambda tier: tier.position)
    absent = {form["slot"] for form in entry["instruments"] if not form["filed"]}
    asked: dict[str, dict[str, None]] = {}
    for slot, name in _open(entry, standing):
        names = asked.setdefault(slot, {})
        if name and slot not in absent:
            names[name] = None
    for form in _retests(entry):
        asked[form] = {}
    critical = any(
        one["state"] == "unanswered" and one["slot"] in asked for one in entry["critical_items"]
    )
    questions = tuple(Question(slot, tuple(names)) for slot, names in asked.items())
    shown = ScreenTier(entry["screen_tier"])
    return QueueItem(case, shown, standing, possible, critical, questions)


def _open(entry: Mapping[str, Any], standing: Tier) -> Iterator[tuple[str, str]]:
    """Yield slot and name of what an answer to could raise the tier, critical items first."""
    above = [one for one in entry["undecided"] if Tier(one["tier"]).position > standing.position]
    still_open = [tuple(one.split(": ", 1)) for rule in above for one in rule["open"]]
    slots = {slot for slot, _ in still_open}
    instruments = {form["slot"]: form["instrument"] for form in entry["instruments"]}
    for one in entry["critical_items"]:
        slot = one["slot"]
        if one["state"] == "unanswered" and slot in slots:
            yield slot, f"{instruments[slot].partition('@')[0]}.{one['item']}"
    for slot, name in still_open:
        yield slot, name


def _retests(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield the forms to be filled in anew: an invalid one bars "no flag", whatever it says."""
    shown = entry["screen_tier"]
    if shown == ScreenTier.UNDETERMINED and Flag.INVALID in entry["flags"]:
        for form in entry["instruments"]:
            if form["validity"] == Validity.INVALID:
                yield form["slot"]
    if shown == ScreenTier.NOT_SCREENED:
        for form in entry["instruments"]:
            if form["use"] == "required":
                yield form["slot"]
