"""What a programme must say beyond its grammar, by itself and against what it names."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from mhscreen.definitions.checks.finding import Finding, Path, check_known, check_unique
from mhscreen.definitions.checks.norm_table import check_norm_against
from mhscreen.definitions.checks.policy import norms_read
from mhscreen.vocabulary import EntryType, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mhscreen.definitions.instrument import Instrument
    from mhscreen.definitions.norm_table import NormTable
    from mhscreen.definitions.policy import Policy
    from mhscreen.definitions.programme import ActionStep, Group, Programme, ScreeningWindow

__all__ = ["check_programme", "check_programme_against"]

_LEAP_YEAR = 2024
_SATURDAY = 5
_DONE_BY_PEOPLE = frozenset(
    {
        EntryType.INTERVIEW,
        EntryType.NOTIFICATION,
        EntryType.REFERRAL,
        EntryType.INTERVENTION,
        EntryType.FOLLOW_UP,
        EntryType.TALK,
        EntryType.PLAN,
        EntryType.FEEDBACK,
    }
)


def check_programme(programme: Programme) -> Iterator[Finding]:
    """Yield everything that is wrong with a programme by itself."""
    p = programme
    yield from check_unique(
        (r.id for r in p.references), "reference", lambda n: ("references", n, "id")
    )
    ids = [ref.partition("@")[0] for ref in p.instruments]
    yield from check_unique(ids, "instrument", lambda n: ("instruments", n))
    yield from check_unique(p.norms, "norm", lambda n: ("norms", n))
    yield from check_unique((g.id for g in p.groups), "group", lambda n: ("groups", n, "id"))
    for n, group in enumerate(p.groups):
        yield from _group(group, ids, ("groups", n))
    for m, other in enumerate(p.groups):
        for one in p.groups[:m]:
            shared = [stage for stage in one.stages if stage in other.stages]
            if shared and _same_grade(one, other):
                what = f"groups '{other.id}' and '{one.id}' hold the same pupil"
                expected = f"each grade of stage {shared[0]} in one group"
                yield Finding(("groups", m), "MH211", what, expected)
    yield from _calendar(p)
    tiers = [action.tier for action in p.action_matrix]
    yield from check_unique(tiers, "tier", lambda n: ("action_matrix", n, "tier"))
    absent = [str(tier) for tier in Tier if tier not in tiers]
    if absent:
        what = f"no action for tier {', '.join(absent)}"
        yield Finding(("action_matrix",), "MH104", what, "one entry for each tier")
    for n, action in enumerate(p.action_matrix):
        yield from _steps(action.steps, ("action_matrix", n, "steps"))
    yield from _steps(p.where_abuse_is_suspected, ("where_abuse_is_suspected",))
    roles = [role for one in p.disclosure for role in one.roles]
    yield from check_unique(roles, "role", lambda _: ("disclosure",))
    for n, share in enumerate(p.expected_shares):
        if share.at_or_above > share.at_or_below:
            what = "no share is in this range"
            expected = "'at_or_above' not larger than 'at_or_below'"
            yield Finding(("expected_shares", n), "MH107", what, expected)


def _steps(steps: Sequence[ActionStep], path: Path) -> Iterator[Finding]:
    yield from check_unique((step.id for step in steps), "step", lambda n: (*path, n, "id"))
    for n, step in enumerate(steps):
        told = step.does is EntryType.NOTIFICATION
        if told and step.to is None:
            yield Finding((*path, n), "MH104", "key 'to' is missing", "who is told")
        if step.does not in _DONE_BY_PEOPLE:
            what = f"'{step.does}' is nothing that follows a decision"
            expected = f"one of: {', '.join(sorted(_DONE_BY_PEOPLE))}"
            yield Finding((*path, n, "does"), "MH107", what, expected)


def _group(group: Group, instruments: list[str], path: Path) -> Iterator[Finding]:
    yield from check_unique(group.stages, "stage", lambda n: (*path, "stages", n))
    slots = [use.slot for use in group.slots]
    yield from check_unique(slots, "slot", lambda n: (*path, "slots", n, "slot"))
    known = dict.fromkeys(instruments)
    for n, slot in enumerate(slots):
        here: Path = (*path, "slots", n, "slot")
        yield from check_known(slot.partition("@")[0], known, "instrument", here)
    if group.grades is not None and group.grades[0] > group.grades[1]:
        what = "the grades hold nobody"
        yield Finding((*path, "grades"), "MH107", what, "the first grade, then the last")


def _same_grade(one: Group, other: Group) -> bool:
    if one.grades is None or other.grades is None:
        return True
    return one.grades[0] <= other.grades[1] and other.grades[0] <= one.grades[1]


def _calendar(programme: Programme) -> Iterator[Finding]:
    p = programme
    windows = (window.id for window in p.windows)
    yield from check_unique(windows, "window", lambda n: ("windows", n, "id"))
    wrong = [(path, day) for path, day in _days(p) if _day(day) is None]
    for path, day in wrong:
        yield Finding(path, "MH107", f"there is no day {day}", "a month and a day, like 09-30")
    if not wrong:
        yield from _windows(p)
    yield from check_unique(p.holidays, "holiday", lambda n: ("holidays", n))
    yield from check_unique(p.make_up_days, "make-up day", lambda n: ("make_up_days", n))
    for n, date in enumerate(p.make_up_days):
        if date.weekday() < _SATURDAY or date in p.holidays:
            what = f"{date.isoformat()} is not a free Saturday or Sunday"
            yield Finding(("make_up_days", n), "MH107", what)


def _windows(programme: Programme) -> Iterator[Finding]:
    for n, window in enumerate(programme.windows):
        for stage, day in window.deadlines.items():
            if not _contains(window, day):
                what = f"the deadline {day} is not in window '{window.id}'"
                expected = f"{window.from_} to {window.to}"
                yield Finding(("windows", n, "deadlines", stage), "MH107", what, expected)
        for other in programme.windows[:n]:
            if _contains(window, other.from_) or _contains(other, window.from_):
                what = f"windows '{window.id}' and '{other.id}' hold the same day"
                yield Finding(("windows", n), "MH211", what)


def _days(programme: Programme) -> Iterator[tuple[Path, str]]:
    yield ("school_year_begins",), programme.school_year_begins
    for n, window in enumerate(programme.windows):
        yield ("windows", n, "from"), window.from_
        yield ("windows", n, "to"), window.to
        for stage, day in window.deadlines.items():
            yield ("windows", n, "deadlines", stage), day


def _day(text: str) -> dt.date | None:
    month, day = map(int, text.split("-"))
    try:
        return dt.date(_LEAP_YEAR, month, day)
    except ValueError:
        return None


def _contains(window: ScreeningWindow, day: str) -> bool:
    # Month and day written with two digits each compare as text like the days themselves.
    if window.from_ <= window.to:
        return window.from_ <= day <= window.to
    return day >= window.from_ or day <= window.to


def check_programme_against(
    programme: Programme,
    policy: Policy | None,
    instruments: Mapping[str, Instrument],
    norms: Mapping[str, NormTable],
) -> Iterator[Finding]:
    """Yield everything in which a programme does not fit its policy and instruments.

    Parameters
    ----------
    programme : Programme
        The programme.
    policy : Policy or None
        The policy that it names; None leaves its checks out.
    instruments : mapping of str to Instrument
        By id, those of the versions that the programme pins, as far as they exist.
    norms : mapping of str to NormTable
        By exact reference, those that the programme pins, as far as they exist.
    """
    yield from _slots(programme, instruments)
    yield from _norms(programme, instruments, norms)
    if policy is None:
        return
    pinned = {ref.partition("@")[0]: (n, ref) for n, ref in enumerate(programme.instruments)}
    for ref in policy.instruments:
        place, other = pinned.get(ref.partition("@")[0], (0, ref))
        if other != ref:
            what = f"{policy.ref} is written for {ref}"
            yield Finding(("instruments", place), "MH302", what, ref)
    read = {norm for _, norm in norms_read(policy)}
    for norm in sorted(read.difference(programme.norms)):
        what = f"{policy.ref} reads norm {norm}, which is not listed"
        yield Finding(("norms",), "MH201", what, norm)


def _slots(programme: Programme, instruments: Mapping[str, Instrument]) -> Iterator[Finding]:
    for n, group in enumerate(programme.groups):
        for m, use in enumerate(group.slots):
            name, _, informant = use.slot.partition("@")
            instrument = instruments.get(name)
            if instrument is None:
                continue
            allowed = [instrument.slot(allowed) for allowed in instrument.informants]
            if use.slot not in allowed:
                whose = f"informant '{informant}'" if informant else "an unnamed informant"
                what = f"{instrument.ref} has no slot for {whose}"
                path: Path = ("groups", n, "slots", m, "slot")
                yield Finding(path, "MH306", what, f"among: {', '.join(allowed)}")


def _norms(
    programme: Programme, instruments: Mapping[str, Instrument], norms: Mapping[str, NormTable]
) -> Iterator[Finding]:
    """Check that each norm was made for the scoring keys that the programme pins."""
    for n, ref in enumerate(programme.norms):
        norm = norms.get(ref)
        if norm is None:
            continue
        pins = dict.fromkeys(pin.partition("@")[0] for pin in programme.instruments)
        yield from check_known(norm.instrument_id, pins, "instrument", ("norms", n))
        instrument = instruments.get(norm.instrument_id)
        if instrument is not None and instrument.ref != norm.instrument:
            for finding in check_norm_against(norm, instrument):
                yield finding._replace(path=("norms", n))
