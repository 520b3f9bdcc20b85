"""Which column answers which item: by canonical name, by pattern, or by an explicit map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mhscreen.problems import Problem, UsageError, expect
from mhscreen.steps.cells import column_name, heading_key
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.tables import Table

__all__ = [
    "FORM_COLUMNS",
    "LONG_COLUMNS",
    "ColumnNames",
    "Matched",
    "has_known_heading",
    "match_columns",
    "no_heading_row",
]

FORM_COLUMNS: dict[str, tuple[str, ...]] = {
    "administered_on": ("submitted_at", "施测日期", "填写时间", "提交时间"),
    "duration_s": ("用时秒",),
}
"""What a form may say about itself, and the other headings under which it is found."""

LONG_COLUMNS: dict[str, tuple[str, ...]] = {
    "subject": ROSTER_COLUMNS["subject"],
    "instrument": ("问卷",),
    "informant": ("评定者",),
    "item": ("题号", "条目"),
    "response": ("resp", "answer", "作答", "答案"),
}
"""The columns of a long table, and the other headings under which they are found."""

ColumnNames = str | Mapping[str, str]
"""How columns are named: a pattern such as ``"P{number:02d}"`` or ``"dep_{item}"``, or a map of
heading to item id."""


@dataclass
class Matched:
    """The headings found for one slot.

    Attributes
    ----------
    items : dict of int to str
        Heading by item row.
    problems : list of Problem
        Missing columns and two columns for one item.
    """

    items: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def has_known_heading(
    table: Table,
    forms: Sequence[FormPlan],
    names: Mapping[str, ColumnNames] | None = None,
    *,
    own: bool,
) -> bool:
    """Return whether any heading is known; if none is, the first row is no heading but a form.

    The parameters are those of `match_columns`.
    """
    if find_columns(table, {**ROSTER_COLUMNS, **FORM_COLUMNS, **LONG_COLUMNS}):
        return True
    claims = [_claims(form, (names or {}).get(form.slot), own=own) for form in forms]
    keys = {key for heading in table.columns for key in (heading, heading_key(heading))}
    if any(key in claim for key in keys for claim in claims):
        return True
    # With more than the name: in a long table that is a cell.
    return any(key.startswith(f"{form.stem}_") for key in keys for form in forms)


def no_heading_row(table: Table, forms: Sequence[FormPlan]) -> Problem:
    """Return the problem that not one heading of a table is known; without forms, a long one."""
    expected = f"subject, {_example(forms)}" if forms else ", ".join(LONG_COLUMNS)
    return Problem(
        "MH601",
        "there seems to be no heading row: not one column is known",
        expected=f"a first row such as {expected}",
        hint="nothing in it is read; put the headings back",
        file=table.name,
    )


def match_columns(
    table: Table,
    forms: Sequence[FormPlan],
    names: Mapping[str, ColumnNames] | None = None,
    *,
    own: bool,
    strict: bool = True,
) -> tuple[dict[str, Matched], list[Problem]]:
    """Find the columns of each slot in a table.

    Parameters
    ----------
    table : Table
        Answers of one slot, or of several side by side.
    forms : sequence of FormPlan
        The slots to look for.
    names : mapping of str to ColumnNames, optional
        Patterns or maps, by slot.
    own : bool
        Whether the table is that of one slot alone: then the informant and the prefix may be
        left out of a heading, and every item must be there.
    strict : bool
        Whether a column of another kind is a problem; else only one that begins like an item
        of these slots.

    Returns
    -------
    matched : dict of str to Matched
        By slot; slots of a wide table without any column are left out.
    problems : list of Problem
        Columns that are not understood.
    """
    found = {form.slot: Matched() for form in forms}
    if not has_known_heading(table, forms, names, own=own):
        # Neither its headings nor the columns that it lacks say anything more.
        problems = [no_heading_row(table, forms)] if table.columns else []
        return (found if own else {}), problems
    known = set(find_columns(table, {**ROSTER_COLUMNS, **FORM_COLUMNS}).values())
    problems = []
    claims = {form.slot: _claims(form, (names or {}).get(form.slot), own=own) for form in forms}
    exact = {
        heading
        for given in (names or {}).values()
        if isinstance(given, Mapping)
        for heading in given
    }
    repeated = Counter(heading_key(heading) for heading in table.columns)
    for heading in table.columns:
        key = heading if heading in exact else heading_key(heading)
        takers = [slot for slot, claim in claims.items() if key in claim]
        if not takers:
            likely = _looks_like(key, forms)
            if heading not in known and (strict or likely):
                problems.append(
                    Problem(
                        "MH403",
                        f"{column_name(table, heading, known=likely)} is not read",
                        file=table.name,
                        hint=f"columns are named like {_example(forms)}",
                    )
                )
        elif len(takers) > 1 or (repeated[key] > 1 and key in repeated):
            problems.append(
                Problem(
                    "MH418" if len(takers) > 1 else "MH404",
                    f"column '{heading}' fits more than once",
                    file=table.name,
                    expected=", ".join(takers),
                    hint="name the questionnaire and informant",
                )
            )
        else:
            matched = found[takers[0]]
            row = claims[takers[0]][key]
            if row in matched.items:
                form = next(form for form in forms if form.slot == takers[0])
                problems.append(
                    Problem(
                        "MH404",
                        f"columns '{matched.items[row]}' and '{heading}' claim one item",
                        file=table.name,
                        path=f"{form.slot}.{form.items[row].id}",
                    )
                )
                matched.items[row] = ""
            else:
                matched.items[row] = heading
    return _complete(table, forms, found, own=own), problems


def _complete(
    table: Table, forms: Sequence[FormPlan], found: dict[str, Matched], *, own: bool
) -> dict[str, Matched]:
    """Drop the slots that are not there, and report what is missing of the others."""
    present = {}
    for form in forms:
        matched = found[form.slot]
        if not matched.items and not own:
            continue
        present[form.slot] = matched
        left_out = _left_out(form, matched)
        if left_out and matched.items:
            matched.problems.append(
                Problem(
                    "MH421",
                    f"no column for the {len(left_out)} items of the supplement",
                    file=table.name,
                    path=f"{form.slot}.{form.items[left_out[0]].id}",
                    hint="right if the form was printed without it; its scales have no score",
                )
            )
        for row, item in enumerate(form.items):
            if row not in matched.items and item.counts and row not in left_out:
                numbers = dict.fromkeys((f"{item.number}", f"{item.number:02d}"))
                matched.problems.append(
                    Problem(
                        "MH402",
                        "no column for this item",
                        ", ".join(f"{form.prefix}_{number}" for number in numbers)
                        + f" or {form.prefix}_{item.id}",
                        file=table.name,
                        path=f"{form.slot}.{item.id}",
                    )
                )
        matched.items = {row: heading for row, heading in matched.items.items() if heading}
    return present


def _left_out(form: FormPlan, matched: Matched) -> list[int]:
    """Return the items of the supplement, where the form was printed without it.

    Only what the definition calls a supplement: in any other part a column that is not found
    may be misspelt, and must be missed.
    """
    rows = [row for row, item in enumerate(form.items) if item.supplement]
    return [] if matched.items.keys() & set(rows) else rows


def _claims(form: FormPlan, names: ColumnNames | None, *, own: bool) -> dict[str, int]:
    """Return the item row by heading key."""
    if names is not None:
        expect(f"columns of {form.slot}", names, str, Mapping)
    if isinstance(names, Mapping):
        rows = {item.id: row for row, item in enumerate(form.items)}
        unknown = sorted(set(names.values()) - set(rows))
        if unknown:
            msg = f"{form.slot} has no item {', '.join(unknown)}; it has: {', '.join(rows)}"
            raise UsageError(msg)
        return {heading: rows[item] for heading, item in names.items()}
    if isinstance(names, str):
        try:
            claims = {
                heading_key(names.format(number=item.number, item=item.id)): row
                for row, item in enumerate(form.items)
            }
        except (AttributeError, LookupError, TypeError, ValueError):
            claims = {}
        if len(claims) < len(form.items):  # or two items have one heading
            msg = f"{form.slot}: a column pattern holds {{number}} or {{item}}, and nothing else"
            raise UsageError(msg)
        return claims
    claims = dict(form.columns)
    if own:
        for name, row in form.columns.items():
            claims.setdefault(form.stem + name.removeprefix(form.prefix), row)
        for row, item in enumerate(form.items):
            claims.setdefault(item.id, row)
    return claims


def _looks_like(key: str, forms: Sequence[FormPlan]) -> bool:
    return any(key.startswith(form.stem) for form in forms)


def _example(forms: Sequence[FormPlan]) -> str:
    return ", ".join(f"{form.prefix}_1" for form in forms[:3])
