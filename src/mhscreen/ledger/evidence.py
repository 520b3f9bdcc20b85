"""Evidence: what the machine's entries ask for, after what people have decided and confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mhscreen.ledger.cases import Known
from mhscreen.ledger.order import moment
from mhscreen.vocabulary import Answer, Concern, Conclusion, EntryType, ScreenTier, Tier, Window

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from mhscreen.ledger.order import Event

__all__ = ["Evidence", "heard", "known_items", "weigh"]

_GENERAL = Tier.GENERAL.position
_ALARMING = (Conclusion.TEAM_REVIEW, Conclusion.REFER)


@dataclass(frozen=True)
class Evidence:
    """One screening entry as it counts now.

    Attributes
    ----------
    event : Event
        The entry.
    tier : Tier
        The highest tier of its reasons; one that rests only on known items, of which the same
        cycle says "not since", counts as watch.
    current : bool
        Whether it is the last of its cycle.
    """

    event: Event
    tier: Tier
    current: bool

    @property
    def shown(self) -> ScreenTier:
        """What its screening shows, by the tier that counts now."""
        shown = ScreenTier(self.event.entry["screen_tier"])
        if self.tier.position < min(self.event.tier.position, _GENERAL) and any(
            Tier(rule["tier"]).position >= _GENERAL for rule in self.event.entry["undecided"]
        ):
            return ScreenTier.UNDETERMINED  # what is known went quiet; what is blank did not
        off_scale = shown in (ScreenTier.UNDETERMINED, ScreenTier.NOT_SCREENED)
        return shown if off_scale else ScreenTier.at(self.tier.position)

    @property
    def due_at(self) -> dt.datetime | None:
        """By when the pupil is to be seen; None where nothing is due."""
        due = self.event.entry["due_at"]
        return None if due is None else moment(due)


def known_items(events: Iterable[Event]) -> tuple[Known, ...]:
    """Return what the decisions of named people have confirmed and dated, the last word first."""
    found: dict[str, Known] = {}
    for event in events:
        for one in () if event.by_machine else event.entry.get("known", ()):
            concern = one["concern"]
            found[one["name"]] = Known(
                one["name"],
                None if concern is None else Concern(concern),
                moment(one["on"]).date(),
                event.id,
            )
    return tuple(found[name] for name in sorted(found))


def weigh(events: Sequence[Event], known: Sequence[Known]) -> list[Evidence]:
    """Return what each screening entry counts for, in order.

    Parameters
    ----------
    events : sequence of Event
        The entries of one pupil.
    known : sequence of Known
        What people have confirmed. Blank, unasked, refused or "yes" lets it fire in full.
    """
    screenings = [event for event in events if event.kind is EntryType.SCREENING]
    last: dict[str, str] = {}
    for event in screenings:
        empty = event.entry["screen_tier"] == ScreenTier.NOT_SCREENED
        if not empty or event.entry["cycle_id"] not in last:  # an empty form replaces none
            last[event.entry["cycle_id"]] = event.id
    settled = _settled(events, known)
    return [
        Evidence(event, _tier(event, settled), last[event.entry["cycle_id"]] == event.id)
        for event in screenings
    ]


def heard(events: Iterable[Event]) -> list[Event]:
    """Return the interviews that ask for a decision: a "yes", or a conclusion that says so."""
    return [
        event
        for event in events
        if event.kind is EntryType.INTERVIEW
        and not event.by_machine
        and (
            Conclusion(event.entry["conclusion"]) in _ALARMING
            or any(asked["answer"] == Answer.YES for asked in event.entry["asked"])
        )
    ]


def _tier(event: Event, settled: Mapping[str, Mapping[str, dt.datetime]]) -> Tier:
    recent = {
        f"{item['slot'].partition('@')[0]}.{item['item']}"
        for item in event.entry["critical_items"]
        if item["window"] in (Window.NOW, Window.RECENT)
    }
    answers = settled.get(event.entry["cycle_id"], {})
    quiet = {name for name, at in answers.items() if at >= event.at} - recent
    reasons: list[Mapping[str, Any]] = event.entry["tier_reasons"]
    old = [r for r in reasons if r["evidence"] and {e["name"] for e in r["evidence"]} <= quiet]
    if not old:
        return event.tier
    fresh = [Tier(reason["tier"]) for reason in reasons if reason not in old]
    return max([Tier.WATCH, *fresh], key=lambda tier: tier.position)


def _settled(events: Sequence[Event], known: Sequence[Known]) -> dict[str, dict[str, dt.datetime]]:
    """Return, by cycle, the known items of which every answer in it is "no, not since".

    Each with the time of the last answer: a form after it counts afresh.
    """
    answers: dict[str, dict[str, list[tuple[bool, dt.datetime]]]] = {}
    for event in events:
        for asked in event.entry.get("asked", ()):
            for one in known:
                if asked["about"] in (one.name, one.concern):
                    since = asked["since"]
                    quiet = asked["answer"] == Answer.NO and since is not None
                    not_since = quiet and moment(since).date() <= one.on
                    cycle = answers.setdefault(event.entry["cycle_id"], {})
                    cycle.setdefault(one.name, []).append((not_since, event.at))
    return {
        cycle: {
            name: max(at for _, at in said)
            for name, said in by_name.items()
            if all(quiet for quiet, _ in said)
        }
        for cycle, by_name in answers.items()
    }
