"""What a role may see, as sheets for teachers: every code in words, Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.ledger.words import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.ledger.disclosure import PupilView, View

__all__ = ["view_tables", "worded"]

Sheet = dict[str, list[Any]]
_ACTIONS = ("own_actions", "actions", "instructions")
_WHERE = ("school", "grade", "class")


def view_tables(view: View) -> dict[str, Sheet]:
    """Return the sheets of a view.

    Parameters
    ----------
    view : View
        What the role may see; nothing else can get into a sheet.

    Returns
    -------
    dict of str to dict
        ``pupils`` (one line each); ``instructions``, ``own_actions`` or ``actions``, one line
        each, where the view has them; one sheet for each type of entry.
    """
    sheets = {"pupils": _sheet({"pupil": p.pupil_ref, **_flat(p.case)} for p in view.pupils)}
    for name in _ACTIONS:
        if any(name in pupil.case for pupil in view.pupils):
            sheets[name] = _sheet(
                {**_whose(pupil), **_flat(one)}
                for pupil in view.pupils
                for one in pupil.case.get(name, ())
            )
    kinds = dict.fromkeys(e["entry_type"] for pupil in view.pupils for e in pupil.entries)
    for kind in kinds:
        sheets[kind] = _sheet(
            {**_whose(pupil), **_flat(entry)}
            for pupil in view.pupils
            for entry in pupil.entries
            if entry["entry_type"] == kind
        )
    return sheets


def worded(sheet: Mapping[str, Sequence[Any]]) -> Sheet:
    """Return a sheet with its codes in words."""
    return {name: [in_words(name, one) for one in column] for name, column in sheet.items()}


def _whose(pupil: PupilView) -> dict[str, Any]:
    return {"pupil": pupil.pupil_ref, **{n: pupil.case[n] for n in _WHERE if n in pupil.case}}


def _flat(document: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return a document as one line; a list within becomes one text, what it holds in words."""
    line: dict[str, Any] = {}
    for name, value in document.items():
        if before == "" and name in _ACTIONS:
            continue
        path = f"{before}{name}"
        if isinstance(value, dict) and set(value) == {"en", "zh"}:
            line[path] = f"{value['zh']} {value['en']}"
        elif isinstance(value, dict):
            line |= _flat(value, f"{path}.")
        elif isinstance(value, list | tuple):
            line[path] = "; ".join(_part(name, one) for one in value)
        else:
            line[path] = in_words(name, value)
    return line


def _part(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(str(one) for one in _flat(value).values() if one not in (None, ""))
    return str(in_words(name, value))


def _sheet(lines: Iterable[Mapping[str, Any]]) -> Sheet:
    rows = list(lines)
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
