"""Urgent: who must be seen, by rule and then by time, and the forms that match no pupil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.emit import local_times, see_first
from mhscreen.vocabulary import Flag, Requirement, ScreenTier, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.steps.screen import Screening
    from mhscreen.steps.triage import Triage

__all__ = [
    "WHY",
    "first_source",
    "number_urgent",
    "unmatched_items",
    "urgent_columns",
    "urgent_rows",
    "wrong_stage_pupils",
]

_SEVERE = Tier.SEVERE.position
_OFF_ROSTER, _OTHER_STAGE, _MATCHED = "no", "other_stage", "yes"
WHY = {
    "major": ("established: major", "已触发重大级规则"),
    "severe": ("established: severe", "已触发严重级规则"),
    "critical": ("a critical item is unanswered", "危急条目未作答"),
    "possible_major": ("what is unanswered leaves major open", "缺答使重大级尚不能排除"),
    "possible_severe": ("what is unanswered leaves severe open", "缺答使严重级尚不能排除"),
    "ask_directly": ("to be asked directly in an interview", "须当面直接询问"),
    "error": (
        "could not be evaluated, or may belong to another pupil",
        "无法判定或可能属于其他学生",
    ),
    "unmatched": (
        "a critical item is positive or unanswered on a form to be matched",
        "待核对问卷的危急条目为阳性或未作答",
    ),
}
"""Why somebody stands on the list, in the order in which they stand."""
_COLUMNS = (
    "rank", "matched", "pupil", "school", "stage", "grade", "class", "screen_tier", "tier_zh",
    "why", "why_zh", "rules", "flags", "due_at", "see_first", "source",
)  # fmt: skip


def urgent_columns(screening: Screening) -> dict[str, Any]:
    """Return the list of who must be seen (当日约谈名单), for staff only.

    Forms that match no pupil, or are meant for another stage, stand first where a critical item
    on them is positive or unanswered; then established major and severe, open critical items, and
    what blanks leave possible; in each, the earliest due time first. Nobody's name or answer is
    in it.
    """
    rows = sorted(urgent_rows(screening), key=lambda row: row[0])
    return number_urgent((row for _, row in rows), first=1)


def urgent_rows(screening: Screening) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Yield who must be seen: by what they are put in order, and what stands in the list."""
    if screening.unmatched is not None:
        yield from _rows(screening, screening.unmatched.triage, off_roster=True)
    yield from _rows(screening, screening.triage, off_roster=False)


def number_urgent(rows: Iterable[tuple[Any, ...]], *, first: int) -> dict[str, list[Any]]:
    """Return rows of the list, in their order, as columns with their ranks."""
    listed = [(number, *row) for number, row in enumerate(rows, start=first)]
    columns = zip(*listed, strict=True) if listed else [()] * len(_COLUMNS)
    return {name: list(column) for name, column in zip(_COLUMNS, columns, strict=True)}


def wrong_stage_pupils(triage: Triage) -> NDArray[np.int64]:
    """Return the pupils with a critical item positive or unanswered on a form of another stage."""
    return np.flatnonzero(_critical_found(triage, only_not_used=True))


def _critical_found(triage: Triage, *, only_not_used: bool) -> NDArray[np.bool_]:
    """Return the pupils with a form on which a critical item is positive or unanswered."""
    scores = triage.normed.scores
    found = np.zeros(len(triage.screen), dtype=bool)
    for slot, form in enumerate(triage.plan.forms):
        scored, pupil = scores.forms[slot], scores.batch.forms[slot].pupil
        hit = np.zeros(len(scored), dtype=bool)
        for item, truth in zip(form.critical, scored.critical, strict=True):
            unanswered = (truth == UNDECIDED) & rc.is_unanswered(scored.codes[item.row])
            hit |= (truth == HOLDS) | unanswered
        if only_not_used:
            hit &= _not_used(triage, slot)[pupil]
        found[pupil[hit]] = True
    return found


def _not_used(triage: Triage, slot: int) -> NDArray[np.bool_]:
    uses = triage.plan.uses[triage.normed.scores.batch.roster.group, slot]
    return np.asarray(uses == Requirement.NOT_USED.position)


def _rows(
    screening: Screening, triage: Triage, *, off_roster: bool
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    roster = triage.normed.scores.batch.roster
    due = local_times(screening.plan.programme.zone, triage.due_at(screening.at))
    rules = triage.plan.triage.rules
    held = triage.truth == HOLDS
    unmatched = _critical_found(triage, only_not_used=not off_roster)
    kinds = {
        "major": triage.established >= Tier.MAJOR.position,
        "severe": triage.established == _SEVERE,
        "critical": triage.critical_open & triage.recorded,
        "possible_major": (triage.possible > _SEVERE) & triage.recorded,
        "possible_severe": (triage.possible == _SEVERE) & triage.recorded,
        "ask_directly": triage.flags[Flag.ASK_DIRECTLY],
        "error": triage.flags[Flag.ERROR] | triage.flags[Flag.IDENTITY],
        "unmatched": unmatched,
    }
    kind = np.select(list(kinds.values()), range(len(kinds)), default=-1)
    listed = np.flatnonzero(kind >= 0)
    to_match = listed if off_roster else listed[unmatched[listed]]
    sources = _sources(triage, to_match, only_not_used=not off_roster)
    unread = {} if off_roster else _unread(triage)  # a stranger's are among the sources
    first = see_first(triage)
    for pupil in listed.tolist():
        name = list(kinds)[kind[pupil]]
        shown = ScreenTier.at(int(triage.screen[pupil]))
        fired = [r for r in np.flatnonzero(held[:, pupil]).tolist() if rules[r].tier >= _SEVERE]
        matched = _MATCHED
        if pupil in sources:
            matched = _OFF_ROSTER if off_roster else _OTHER_STAGE
        yield (
            (matched == _MATCHED, int(kind[pupil]), due[pupil] or "~", str(roster.subject[pupil])),
            (
                matched,
                str(roster.subject[pupil]),
                str(roster.school[pupil]),
                _stage(int(roster.stage[pupil])),
                int(roster.grade[pupil]) if roster.grade[pupil] >= 0 else None,
                str(roster.class_[pupil]),
                str(shown),
                shown.zh,
                WHY[name][0],
                WHY[name][1],
                ";".join(rules[r].id for r in fired),
                ";".join(triage.flags_of(pupil)),
                due[pupil],
                first[pupil],
                ";".join(
                    f"{one['file']}:{one['row']}"
                    for one in (*sources.get(pupil, ()), *unread.get(pupil, ()))
                ),
            ),
        )


def _stage(position: int) -> str | None:
    return None if position < 0 else str(Stage.at(position))


def unmatched_items(
    screening: Screening, entries: Mapping[int, dict[str, Any]] | None = None
) -> Iterator[dict[str, Any]]:
    """Return the forms that a person must match: off the roster, or of another stage.

    Every form off the roster is in it; a form of another stage where a critical item on it is
    positive or unanswered. Each says its provisional tier and where it was found. Off the roster
    they stand in the order of file and row, else in that of the roster.

    Parameters
    ----------
    screening : Screening
        The result of a run.
    entries : mapping of int to dict, optional
        The entries of `wrong_stage_pupils`, where they are at hand already.
    """
    if screening.unmatched is not None:
        triage = screening.unmatched.triage
        sources = _sources(triage, np.arange(len(triage.screen)), only_not_used=False)
        items = [
            _item("off_roster", entry, sources[pupil])
            for pupil, entry in enumerate(screening.unmatched)
        ]
        yield from sorted(items, key=first_source)
    wrong = wrong_stage_pupils(screening.triage)
    if len(wrong):
        sources = _sources(screening.triage, wrong, only_not_used=True)
        if entries is None:
            entries = {p: entry for p, entry in enumerate(screening.entries) if p in sources}
        for pupil in wrong.tolist():
            yield _item("wrong_stage", entries[pupil], sources[pupil])


def first_source(item: Mapping[str, Any]) -> tuple[str, int, str, str]:
    """Return the file, row and slot where the first form of an item was found, and its subject."""
    found = [(one["file"], one["row"], one["slot"]) for one in item["sources"]]
    return (*min(found), item["subject"])


def _sources(
    triage: Triage, pupils: NDArray[np.int64], *, only_not_used: bool
) -> dict[int, list[dict[str, Any]]]:
    """Return in which file and row the forms of some pupils were found."""
    batch = triage.normed.scores.batch
    wanted = np.zeros(len(batch.roster), dtype=bool)
    wanted[pupils] = True
    found: dict[int, list[dict[str, Any]]] = {pupil: [] for pupil in pupils.tolist()}
    for slot, forms in enumerate(batch.forms):
        hit = wanted[forms.pupil]
        if only_not_used:
            hit &= _not_used(triage, slot)[forms.pupil]
        for place in np.flatnonzero(hit).tolist():
            found[int(forms.pupil[place])].append(
                {
                    "file": forms.source[forms.source_table[place]],
                    "row": int(forms.source_row[place]),
                    "slot": triage.plan.slots[slot],
                }
            )
    if not only_not_used:
        for pupil, rows in _unread(triage).items():
            found.setdefault(pupil, []).extend(rows)
    for sources in found.values():
        sources.sort(key=lambda one: (one["slot"], one["file"], one["row"]))
    return found


def _unread(triage: Triage) -> dict[int, list[dict[str, Any]]]:
    """Return, by pupil, the rows that hold something nobody has evaluated."""
    found: dict[int, list[dict[str, Any]]] = {}
    for pupil, file, row in triage.normed.scores.batch.unread:
        found.setdefault(pupil, []).append({"file": file, "row": row, "slot": ""})
    return found


def _item(kind: str, entry: dict[str, Any], sources: list[dict[str, Any]]) -> dict[str, Any]:
    slots = {one["slot"] for one in sources}
    return {
        "work_item": "unmatched",
        "kind": kind,
        "subject": entry["pupil_ref"],
        "occurred_at": entry["occurred_at"],
        "screen_tier": entry["screen_tier"],
        "screen_tier_label": entry["screen_tier_label"],
        "established_tier": entry["established_tier"],
        "possible_tier": entry["possible_tier"],
        "flags": entry["flags"],
        "critical_items": [c for c in entry["critical_items"] if c["slot"] in slots],
        "tier_reasons": entry["tier_reasons"],
        "undecided": entry["undecided"],
        "due_at": entry["due_at"],
        "sources": sources,
        "provenance": entry["provenance"],
    }
