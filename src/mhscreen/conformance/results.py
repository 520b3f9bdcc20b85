"""Read what another scorer gave: CSV, long CSV or JSON lines, one file or a folder."""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.kit import kind_of
from mhscreen.conformance.scorer import Column, score_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mhscreen.conformance.kit import FormKit
    from mhscreen.conformance.scorer import Columns
    from mhscreen.problems import ProblemLog

__all__ = ["Results", "Row", "few", "given_rows", "parse_rows", "read_results", "read_text"]

_NOTHING = {"", "na", "nan", "null", "none", "#n/a", "."}
_SHOWN = 6
_LONG = {"vector", "output", "value"}
_SUFFIXES = (".csv", ".jsonl", ".ndjson")


@dataclass(frozen=True, eq=False)
class Results:
    """What a scorer gave for one form.

    Attributes
    ----------
    columns : Columns
        The outputs that it gives; of vectors in the order of the kit.
    missing : tuple of str
        Outputs of the form that it does not give; derived scores, which are optional, aside.
    """

    columns: Columns
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One vector's outputs, with its place."""

    file: str
    number: int
    vector: str
    cells: Mapping[str, str]


def read_results(path: Path, kits: Sequence[FormKit], log: ProblemLog) -> dict[str, Results]:
    """Read the results of a scorer.

    Parameters
    ----------
    path : Path
        A file, or a folder of files; a file holds one form or several.
    kits : sequence of FormKit
        The forms that are checked. Forms of which nothing at all is there are left out.
    log : ProblemLog
        Receives every problem.

    Returns
    -------
    dict of str to Results
        By form.
    """
    return _by_form(given_rows(path, log), kits, log)


def given_rows(path: Path, log: ProblemLog) -> list[Row]:
    """Return the rows of a file, or of all files of a folder."""
    files = [path]
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.suffix.lower() in _SUFFIXES)
        if not files:
            log.add("MH901", "no results in this folder", expected="files .csv or .jsonl",
                    file=str(path))  # fmt: skip
    rows: list[Row] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            log.add("MH901", error.strerror or "cannot be read", file=str(file))
            continue
        except UnicodeDecodeError:
            log.add("MH901", "not UTF-8 text", file=str(file))
            continue
        rows.extend(parse_rows(text, str(file), log))
    return rows


def read_text(text: str, name: str, kits: Sequence[FormKit], log: ProblemLog) -> dict[str, Results]:
    """Read results that a command printed; as `read_results`."""
    return _by_form(list(parse_rows(text, name, log)), kits, log)


def parse_rows(text: str, file: str, log: ProblemLog) -> Iterator[Row]:
    """Yield the rows of a text: CSV, long CSV or JSON lines."""
    first = text.lstrip()[:1]
    if not first:
        log.add("MH901", "nothing in it", file=file)
    elif first == "{":
        yield from _json_rows(text, file, log)
    else:
        yield from _csv_rows(text, file, log)


def _json_rows(text: str, file: str, log: ProblemLog) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        outputs = found.get("outputs", found.get("expected")) if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(outputs, dict):
            expected = '{"vector": "…", "outputs": {"total": 12, …}}'
            log.add("MH901", "no line of results", expected=expected, file=file, row=number)
            continue
        cells = {str(name): _text(value) for name, value in outputs.items()}
        yield Row(file, number, str(found.get("vector", "")), cells)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _csv_rows(text: str, file: str, log: ProblemLog) -> Iterator[Row]:
    delimiter = ";" if ";" in text.split("\n", 1)[0] else ","
    table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    heading = [name.strip() for name in table[0]]
    if "vector" not in heading:
        log.add("MH901", "no column 'vector'", expected="vector, and the outputs by name",
                file=file)  # fmt: skip
        return
    repeated = sorted({name for name in heading if heading.count(name) > 1})
    if repeated:
        log.add("MH905", f"two columns '{repeated[0]}'", file=file)
        return
    long: dict[str, Row] = {}
    for number, cells in enumerate(table[1:], start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(heading):
            log.add("MH901", "more or fewer cells than the heading", file=file, row=number,
                    expected=f"{len(heading)} cells")  # fmt: skip
            continue
        row = {name: cell.strip() for name, cell in zip(heading, cells, strict=True)}
        vector = row.pop("vector")
        if set(heading) != _LONG:
            yield Row(file, number, vector, row)
            continue
        one = long.setdefault(vector, Row(file, number, vector, {}))
        if row["output"] in one.cells:
            log.add("MH903", f"'{row['output']}' twice for {vector}", file=file, row=number)
        long[vector] = Row(file, one.number, vector, {**one.cells, row["output"]: row["value"]})
    yield from long.values()


def _by_form(rows: Sequence[Row], kits: Sequence[FormKit], log: ProblemLog) -> dict[str, Results]:
    forms: dict[str, dict[str, Row]] = {kit.form.name: {} for kit in kits}
    names = {name for kit in kits for name in kit.names}
    strange = 0
    for row in rows:
        form = row.vector.rpartition("/")[0]
        if row.vector not in names:
            strange += 1
            if strange == 1:
                log.add(
                    "MH904",
                    f"no vector '{row.vector[:60]}' in the forms that are checked",
                        expected=few(list(forms)),
                    hint="the column 'vector' of inputs.csv goes through unchanged",
                    file=row.file,
                    row=row.number,
                )  # fmt: skip
        elif row.vector in forms[form]:
            log.add("MH903", f"{row.vector} twice", file=row.file, row=row.number)
        else:
            forms[form][row.vector] = row
    if strange > 1:
        log.add("MH904", f"… and {strange - 1} more rows of no vector")
    found = {}
    for kit in kits:
        given = forms[kit.form.name]
        if not given:
            continue
        absent = [name for name in kit.names if name not in given]
        if absent:
            file = next(iter(given.values())).file
            log.add(
                "MH902",
                f"no row for {few(absent)}",
                expected=f"{len(kit.names)} rows, one for each row of inputs.csv",
                hint="a form that is refused has a row, too, with empty outputs",
                file=file,
                path=kit.form.name,
            )
            continue
        found[kit.form.name] = _columns(kit, given, log)
    return found


def _columns(kit: FormKit, given: Mapping[str, Row], log: ProblemLog) -> Results:
    known = score_vectors(kit.form, kit.vectors)
    headings = dict.fromkeys(name for row in given.values() for name in row.cells)
    inputs = {"sex", "age", "grade", *(item.id for item in kit.form.plan.items)}
    columns: Columns = {}
    for name in headings:
        if name in known:
            columns[name] = _column(kit, name, given, known[name].words, log)
        elif name not in inputs:
            near = difflib.get_close_matches(name, known, 1)
            log.add(
                "MH905",
                f"'{name[:60]}' is no output of {kit.form.name}",
                expected=few(list(known)),
                hint=f"did you mean '{near[0]}'?" if near else "see form.json",
                file=next(iter(given.values())).file,
            )
    required = (name for name in known if kind_of(name) != "norm")
    return Results(columns, tuple(name for name in required if name not in columns))


def _column(
    kit: FormKit, name: str, given: Mapping[str, Row], words: tuple[str, ...], log: ProblemLog
) -> Column:
    values = np.full(len(kit.names), np.nan)
    for place, vector in enumerate(kit.names):
        row = given[vector]
        cell = row.cells.get(name, "")
        if cell.lower() in _NOTHING and cell not in words:
            continue
        value = _place(cell, words) if words else _number(cell)
        if value is None:
            expected = ", ".join(words) if words else "a number, or nothing"
            log.add("MH906", f"{vector}: neither {'word' if words else 'number'} nor empty",
                    expected=expected, file=row.file, row=row.number, path=name)  # fmt: skip
        else:
            values[place] = value
    return Column(values, words)


def few(names: Sequence[str]) -> str:
    """Return the first names of a list, for a message."""
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _place(cell: str, words: tuple[str, ...]) -> float | None:
    return float(words.index(cell)) if cell in words else None


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
