"""Waivers: clauses that a named person lets pass, with a reason, and that stay visible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.conformance.clauses import EVERY_CLAUSE
from mhscreen.loading.yaml_reader import decode, read_yaml
from mhscreen.problems import DefinitionError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Waiver", "read_waivers"]

_KEYS = {"clause", "form", "reason", "by", "date"}


@dataclass(frozen=True)
class Waiver:
    """One clause that is let pass.

    Attributes
    ----------
    clause : int
        A clause of the standard; what is unsafe is never waived.
    form : str
        The only form it holds for; empty for all.
    reason, by, date : str
        Why, who, and the day.
    """

    clause: int
    form: str
    reason: str
    by: str
    date: str


def read_waivers(path: Path, forms: Sequence[str]) -> tuple[Waiver, ...]:
    """Read a file of waivers, YAML or JSON: a list under ``waivers``.

    Parameters
    ----------
    forms : sequence of str
        The forms that there are.

    Raises
    ------
    DefinitionError
        If the file cannot be read (MH101 …), or a waiver cannot be meant (MH908).
    """
    shown = str(path)
    data = path.read_bytes()
    text, problems = decode(data, shown)
    document = None
    if text is not None and not problems:
        document, problems = read_yaml(text, shown)
    if problems or document is None:
        raise DefinitionError(problems)
    entries = document.data.get("waivers") if isinstance(document.data, dict) else None
    if not isinstance(entries, list | tuple):
        what, expected = "no list of waivers", "waivers: [{clause: 5, reason: …, by: …, date: …}]"
        raise DefinitionError([Problem("MH908", what, expected, file=shown)])
    found, wrong = [], []
    for place, entry in enumerate(entries):
        faults = [one.at(file=shown, path=f"waivers[{place}]") for one in _faults(entry, forms)]
        wrong += faults
        if not faults:
            found.append(
                Waiver(
                    entry["clause"],
                    str(entry.get("form") or ""),
                    str(entry["reason"]),
                    str(entry["by"]),
                    str(entry["date"]),
                )
            )
    if wrong:
        raise DefinitionError(wrong)
    return tuple(found)


def _faults(entry: Any, forms: Sequence[str]) -> Iterator[Problem]:
    if not isinstance(entry, dict):
        yield Problem("MH908", "not a waiver", ", ".join(sorted(_KEYS)))
        return
    unknown = sorted(set(map(str, entry)) - _KEYS)
    if unknown:
        yield Problem("MH908", f"unknown key '{unknown[0]}'", ", ".join(sorted(_KEYS)))
    by_number = {clause.number: clause for clause in EVERY_CLAUSE}
    clause = by_number.get(entry.get("clause"))  # type: ignore[arg-type]  # any value is looked up
    standard = ", ".join(str(c.number) for c in EVERY_CLAUSE if c.verdict == "standard")
    if clause is None:
        yield Problem("MH908", "no such clause", standard)
    elif clause.verdict == "gate":
        what = f"clause {clause.number} is of the gate: an unsafe result is never waived"
        yield Problem("MH908", what, standard)
    if entry.get("form") and entry["form"] not in forms:
        yield Problem("MH908", "no such form", ", ".join(forms[:6]))
    for key in ("reason", "by", "date"):
        if not str(entry.get(key) or "").strip():
            yield Problem("MH908", f"no '{key}'", "who lets it pass, on which day, and why")
