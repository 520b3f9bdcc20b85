"""Urgent: who must be seen, by rule and then by time, and the forms that match no pupil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels.logic import HOLDS
from mhscreen.steps.emit import local_times
from mhscreen.vocabulary import Flag, Requirement, Role, ScreenTier, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.steps.screen import Screening
    from mhscreen.steps.triage import Triage

__all__ = ["unmatched_items", "urgent_columns"]

_SEVERE = Tier.SEVERE.position
_MATCHED, _UNMATCHED = "", "unmatched"
WHY = {
    "major": ("established: major", "已触发重大级规则"),
    "severe": ("established: severe", "已触发严重级规则"),
    "critical": ("a critical item is unanswered", "危急条目未作答"),
    "possible": ("unanswered items leave major or severe open", "缺答使严重及以上尚不能排除"),
    "error": (
        "could not be evaluated, or may belong to another pupil",
        "无法判定或可能属于其他学生",
    ),
}
"""Why somebody stands on the list, in the order in which they stand."""


def urgent_columns(screening: Screening) -> dict[str, Any]:
    """Return the list of who must be seen (当日约谈名单), for staff only.

    Forms that match no pupil stand first; then established major and severe, open critical
    items, and what blanks leave possible; in each, the earliest due time first. Nobody's name
    or answer is in it.
    """
    rows: list[tuple[Any, ...]] = []
    if screening.unmatched is not None:
        rows += _rows(screening, screening.unmatched.triage, _UNMATCHED)
    rows += _rows(screening, screening.triage, _MATCHED)
    rows.sort(key=lambda row: row[0])
    names = (
        "rank", "matched", "pupil", "school", "stage", "grade", "class", "screen_tier", "tier_zh",
        "why", "why_zh", "rules", "flags", "due_at", "see_first",
    )  # fmt: skip
    listed = [(number, *row[1:]) for number, row in enumerate(rows, start=1)]
    columns = zip(*listed, strict=True) if listed else [()] * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True)}


def _rows(screening: Screening, triage: Triage, matched: str) -> Iterator[tuple[Any, ...]]:
    roster = triage.normed.scores.batch.roster
    zone = screening.plan.programme.zone
    due = triage.due_at(screening.at)
    due_text = local_times(zone, due)
    rules = triage.plan.triage.rules
    held = triage.truth == HOLDS
    error = triage.flags[Flag.ERROR] | triage.flags[Flag.IDENTITY]
    kinds = {
        "major": triage.established >= Tier.MAJOR.position,
        "severe": triage.established == _SEVERE,
        "critical": triage.critical_open & triage.answered,
        "possible": (triage.possible >= _SEVERE) & triage.answered,
        "error": error,
    }
    kind = np.select(list(kinds.values()), range(len(kinds)), default=-1)
    for pupil in np.flatnonzero(kind >= 0).tolist():
        name = list(kinds)[kind[pupil]]
        shown = ScreenTier.at(int(triage.screen[pupil]))
        fired = [r for r in np.flatnonzero(held[:, pupil]).tolist() if rules[r].tier >= _SEVERE]
        stage = roster.stage[pupil]
        yield (
            (
                matched == _MATCHED,
                int(kind[pupil]),
                due_text[pupil] or "~",
                str(roster.subject[pupil]),
            ),
            "no" if matched else "yes",
            roster.subject[pupil],
            roster.school[pupil],
            _stage(int(stage)),
            int(roster.grade[pupil]) if roster.grade[pupil] >= 0 else None,
            roster.class_[pupil],
            str(shown),
            shown.zh,
            WHY[name][0],
            WHY[name][1],
            ";".join(rules[r].id for r in fired),
            ";".join(triage.flags_of(pupil)),
            due_text[pupil],
            str(Role.ON_DUTY if name != "error" else Role.PSYCH_TEACHER),
        )


def _stage(position: int) -> str | None:
    return None if position < 0 else str(Stage.at(position))


def unmatched_items(screening: Screening) -> Iterator[dict[str, Any]]:
    """Return the forms that a person must match: off the roster, or of another stage.

    Every form off the roster is in it; a form of another stage where a critical item on it is
    positive or unanswered. Each says its provisional tier and where it was found.
    """
    if screening.unmatched is not None:
        for pupil, entry in enumerate(screening.unmatched):
            yield _item("off_roster", screening.unmatched.triage, pupil, entry, used=None)
    triage = screening.triage
    wrong = np.flatnonzero(triage.flags[Flag.WRONG_STAGE])
    if len(wrong):
        entries = list(screening.entries)
        for pupil in wrong.tolist():
            item = _item("wrong_stage", triage, pupil, entries[pupil], used=False)
            if item["critical_items"]:
                yield item


def _item(
    kind: str, triage: Triage, pupil: int, entry: dict[str, Any], *, used: bool | None
) -> dict[str, Any]:
    batch = triage.normed.scores.batch
    group = batch.roster.group[pupil]
    sources = []
    slots = []
    for slot, forms in enumerate(batch.forms):
        not_used = triage.plan.uses[group, slot] == Requirement.NOT_USED.position
        if used is False and not not_used:
            continue
        for place in np.flatnonzero(forms.pupil == pupil).tolist():
            slots.append(triage.plan.slots[slot])
            sources.append(
                {
                    "file": forms.source[forms.source_table[place]],
                    "row": int(forms.source_row[place]),
                    "slot": triage.plan.slots[slot],
                }
            )
    sources.sort(key=lambda s: (s["slot"], s["file"], s["row"]))
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
