"""Long tables: one answer a row, turned into one table per slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.kernels import codes as rc
from mhscreen.plan.scoring import answer_key
from mhscreen.steps import cells
from mhscreen.steps.columns import FORM_COLUMNS
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns
from mhscreen.steps.tables import Table, encode
from mhscreen.vocabulary import Informant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import ItemPlan
    from mhscreen.problems import ProblemLog

__all__ = ["widen"]


def widen(plan: Plan, table: Table, log: ProblemLog) -> Iterator[tuple[int, Table]]:
    """Turn a long table into one table per slot; one form per subject and submission."""
    known = {
        "subject": ROSTER_COLUMNS["subject"],
        "instrument": ("问卷",),
        "informant": ("评定者",),
        "item": ("题号", "条目"),
        "response": ("resp", "answer", "作答", "答案"),
        **FORM_COLUMNS,
    }
    headings = find_columns(table, known)
    missing = [
        name for name in ("subject", "instrument", "item", "response") if name not in headings
    ]
    if missing:
        log.add(
            "MH402", f"no column {', '.join(missing)}", file=table.name, expected=", ".join(known)
        )
        return
    columns = {name: table.columns[heading].cells() for name, heading in headings.items()}
    nothing = [None] * table.rows
    forms: dict[int, dict[tuple[object, object], dict[int, object]]] = {}
    for row, (subject, instrument, informant, item, response, moment) in enumerate(
        zip(
            columns["subject"],
            columns["instrument"],
            columns.get("informant", nothing),
            columns["item"],
            columns["response"],
            columns.get("administered_on", nothing),
            strict=True,
        )
    ):
        slot, place = _long_place(plan, instrument, informant, item)
        if place < 0:
            log.add(
                "MH415",
                "no such questionnaire, informant or item",
                file=table.name,
                row=table.row_number(row),
                expected=", ".join(plan.slots),
            )
            continue
        answers = forms.setdefault(slot, {}).setdefault((subject, moment), {})
        if place in answers and answer_key(answers[place]) != answer_key(response):
            log.add(
                "MH416",
                "answered twice, differently",
                file=table.name,
                row=table.row_number(row),
                path=f"{plan.slots[slot]}.{plan.forms[slot].items[place].id}",
                expected="one answer to an item on one form",
                hint="the worse one is read",
            )
            answers[place] = _worse(plan.forms[slot].items[place], answers[place], response)
        else:
            answers[place] = response
    for slot, filled in sorted(forms.items()):
        form = plan.forms[slot]
        wide = {
            f"{form.prefix}_{item.id}": encode(answers.get(place) for answers in filled.values())
            for place, item in enumerate(form.items)
        }
        wide["subject"] = encode(subject for subject, _ in filled)
        if "administered_on" in columns:
            wide["administered_on"] = encode(moment for _, moment in filled)
        yield slot, Table(table.name, wide, len(filled))


def _long_place(plan: Plan, instrument: object, informant: object, item: object) -> tuple[int, int]:
    key = cells.parse_text(instrument) or ""
    try:
        who = cells.parse_term(informant, Informant) if informant is not None else None
    except ValueError:
        return -1, -1
    for slot, form in enumerate(plan.forms):
        named = key.casefold() in (form.slot, form.instrument)
        if named and (who is None or Informant.at(who) is form.informant):
            if who is None and key.casefold() != form.slot:
                continue
            name = cells.heading_key(str(answer_key(item)))
            claims = {**form.columns, **{one.id: row for row, one in enumerate(form.items)}}
            number = {str(one.number): row for row, one in enumerate(form.items)}
            return slot, claims.get(name, number.get(name.lstrip("0"), -1))
    return -1, -1


def _worse(item: ItemPlan, one: object, other: object) -> object:
    """Return the worse of two answers; a legal one before an illegal one."""

    def badness(answer: object) -> int:
        code = item.answers.get(answer_key(answer), rc.ILLEGAL)
        if code >= rc.FIRST_MISSING:
            return -1
        score = int(item.scores[code])
        return score if item.upwards else int(item.scores.max()) - score

    return one if badness(one) >= badness(other) else other
