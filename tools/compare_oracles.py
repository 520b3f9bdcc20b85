"""Compare what the conformance kit expects with what other people's programs gave.

Their scores stand in ``tests/golden/oracles``, with the scripts that made them. A difference is
either explained in ``explained.json`` there, with who is right and why, or it is a defect.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
ORACLES = ROOT / "tests" / "golden" / "oracles"
KIT = ROOT / "benchmarks" / "conformance" / "kit"
TOLERANCE = 5e-5
"""`expected.csv` holds four decimals."""
KINDS = ("complete", "blanks", "illegal")
PROGRAMS = {
    "psych": "psych 2.2.9, R 4.2.2, keys of our own (`../r/score_kit.R`)",
    "proscorer": "PROscorerTools 0.0.4, R 4.2.2, keys of our own (`proscorer.R`)",
    "openscales": "OpenScales, commit 449741e, Node (`openscales.mjs`)",
    "hippocrates": "hippocrates 0.4.0, Python (`hippocrates_kit.py`)",
}


@dataclass(frozen=True)
class Cell:
    """One output of one vector: what the kit expects and what a program gave."""

    program: str
    form: str
    vector: str
    output: str
    kind: str
    expected: str
    given: str

    @property
    def agrees(self) -> bool:
        """Whether both are nothing, the same word, or numbers within the tolerance."""
        if "" in (self.expected, self.given):
            return self.expected == self.given
        try:
            return abs(float(self.expected) - float(self.given)) <= TOLERANCE
        except ValueError:
            return self.expected == self.given


def read_rows(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def cells(program: str) -> Iterator[Cell]:
    """Yield what a program gave, of the forms and outputs that the kit has."""
    file = ORACLES / f"{program}.csv"
    for row in read_rows(ORACLES.parent / "r/kit_scores.csv" if program == "psych" else file):
        form = row["vector"].partition("/")[0]
        vectors, items = _form(form)
        output = row.get("output", row.get("scale", ""))
        one = vectors[row["vector"]]
        if output not in one["expected"]:
            continue  # a version that lacks a scale
        kind = _kind(one["inputs"], items[output])
        given = row.get("value", row.get("score", ""))
        yield Cell(program, form, row["vector"], output, kind, one["expected"][output], given)


def _kind(inputs: dict[str, str], items: dict[str, set[str]]) -> str:
    answers = {item: inputs[item] for item in items}
    if any(answer and answer not in items[item] for item, answer in answers.items()):
        return "illegal"
    return "complete" if all(answers.values()) else "blanks"


@cache
def _form(form: str) -> tuple[dict[str, Any], dict[str, dict[str, set[str]]]]:
    """Return the vectors of a form, and by output the codes of the items behind it."""
    described = json.loads((KIT / form / "form.json").read_text(encoding="utf-8"))
    codes = {one["id"]: set(map(str, one["codes"])) for one in described["items"]}
    behind = {
        one["column"]: {item: codes[item] for item in one.get("items", codes)}
        for one in described["outputs"]
    }
    inputs = {row["vector"]: row for row in read_rows(KIT / form / "inputs.csv")}
    expected = read_rows(KIT / form / "expected.csv")
    return {r["vector"]: {"inputs": inputs[r["vector"]], "expected": r} for r in expected}, behind


def explanations() -> list[dict[str, str]]:
    """Return what is known about differences: program, forms, outputs, kinds, who is right, why."""
    found: list[dict[str, str]] = json.loads(
        (ORACLES / "explained.json").read_text(encoding="utf-8")
    )
    return found


def explains(one: dict[str, str], cell: Cell) -> bool:
    """Return whether an explanation is about a cell."""
    return (
        one["program"] == cell.program
        and cell.form in one.get("forms", cell.form).split()
        and cell.output in one.get("outputs", cell.output).split()
        and cell.kind in one.get("kinds", cell.kind).split()
        and ("given" not in one or (one["given"] == "nothing") == (cell.given == ""))
    )
