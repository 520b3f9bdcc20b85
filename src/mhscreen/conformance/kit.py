"""The kit: for each form its vectors, what they must give, and how the columns are called.

A folder that any language reads: ``manifest.json``, ``measures.json`` and, per form, a folder with

- ``form.json``: items with their legal codes, and every output with its words,
- ``inputs.csv``: one filled-in form per row,
- ``expected.csv``: what must come out, row for row,
- ``vectors.jsonl``: both together, one form per line, with what it is there for.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.scorer import (
    TOLERANCE,
    VALIDITY,
    Form,
    Vectors,
    illegal_texts,
    items_by_scale,
    recorded,
    score_vectors,
)
from mhscreen.kernels import codes as rc
from mhscreen.plan.scoring import answer_key
from mhscreen.problems import DefinitionError, Problem
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mhscreen.conformance.scorer import Columns

__all__ = ["FormKit", "form_files", "read_form_kit", "read_manifest", "write_manifest"]

SCHEMA = "mhscreen/conformance-kit/1"
_PEOPLE = ("sex", "age", "grade")


@dataclass(frozen=True, eq=False)
class FormKit:
    """The vectors of one form, as they stand in the kit.

    Attributes
    ----------
    form : Form
        The form.
    vectors : Vectors
        The filled-in forms.
    names : tuple of str
        What each vector is called: ``phq9-1.1.0/007``.
    """

    form: Form
    vectors: Vectors
    names: tuple[str, ...]

    @property
    def with_people(self) -> bool:
        """Whether sex, age and grade matter: where there are norms."""
        return bool(self.form.norms)

    def cells(self) -> list[list[str]]:
        """Return the answers as they are written, vector by vector."""
        found = []
        for place in range(len(self.vectors)):
            kind = int(self.vectors.illegal[place])
            late = bool(self.vectors.late[place])
            found.append(
                [
                    self._cell(row, int(self.vectors.codes[row, place]), kind, late=late)
                    for row in range(len(self.form.plan.items))
                ]
            )
        return found

    def _cell(self, row: int, code: int, illegal: int, *, late: bool) -> str:
        item = self.form.plan.items[row]
        if code < len(item.codes):
            return recorded(item, code, late=late)
        definition = self.form.instrument.item(item.id)
        if code == rc.ILLEGAL:
            return illegal_texts(definition, self.form.instrument)[illegal]
        for missing in self.form.instrument.options(item.id).missing_codes:
            if code == rc.missing_code(missing.reason):
                return str(missing.code)
        return ""

    def people(self) -> list[list[str]]:
        """Return sex, age and grade as they are written, vector by vector."""
        vectors = self.vectors
        return [
            [
                "" if vectors.sex[place] < 0 else str(Sex.at(int(vectors.sex[place]))),
                "" if np.isnan(vectors.age[place]) else f"{vectors.age[place]:g}",
                "" if vectors.grade[place] < 0 else str(int(vectors.grade[place])),
            ]
            for place in range(len(vectors))
        ]

    def inputs(self) -> list[list[str]]:
        """Return the rows of ``inputs.csv``, with their heading."""
        heading = ["vector", *(_PEOPLE if self.with_people else ())]
        rows = [[*heading, *(item.id for item in self.form.plan.items)]]
        for name, people, cells in zip(self.names, self.people(), self.cells(), strict=True):
            rows.append([name, *(people if self.with_people else ()), *cells])
        return rows


def vector_names(form: Form, number: int) -> tuple[str, ...]:
    """Return how the vectors of a form are called."""
    return tuple(f"{form.name}/{place:03d}" for place in range(1, number + 1))


def form_files(kit: FormKit) -> dict[str, str]:
    """Return the files of one form by name, in the order of the kit.

    Examples
    --------
    >>> from mhscreen.conformance.generate import generate_form
    >>> from mhscreen.conformance.scorer import find_forms
    >>> from mhscreen.loading import shipped_library
    >>> form, = find_forms(shipped_library(), ["gad2@1"])
    >>> files = form_files(generate_form(form).kit)
    >>> list(files), files["inputs.csv"].splitlines()[0]
    (['form.json', 'inputs.csv', 'expected.csv', 'vectors.jsonl'], 'vector,q1,q2')
    """
    columns = score_vectors(kit.form, kit.vectors)
    return {
        "form.json": _json(_describe(kit, columns)),
        "inputs.csv": write_rows(kit.inputs()),
        "expected.csv": expected_text(kit),
        "vectors.jsonl": _lines(kit, columns),
    }


def expected_text(kit: FormKit) -> str:
    """Return ``expected.csv``: what the definition gives for each vector."""
    columns = score_vectors(kit.form, kit.vectors)
    texts = {name: column.texts() for name, column in columns.items()}
    rows = [["vector", *texts]]
    rows += [
        [name, *(values[place] for values in texts.values())]
        for place, name in enumerate(kit.names)
    ]
    return write_rows(rows)


def write_rows(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV text, lines ending in LF."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _describe(kit: FormKit, columns: Columns) -> dict[str, Any]:
    form = kit.form
    instrument = form.instrument
    items = []
    for item in instrument.items:
        scale = instrument.options(item.id)
        items.append(
            {
                "id": item.id,
                "number": item.number,
                "topic": item.topic.en,
                "codes": [option.code for option in scale.options],
                **({} if scale.numbers is None else {"number_up_to": scale.numbers.to}),
                "no_answer": [missing.code for missing in scale.missing_codes],
            }
        )
    behind = items_by_scale(form)
    outputs = []
    for name, column in columns.items():
        head = name.partition(".")[0]
        output: dict[str, Any] = {"column": name, "kind": kind_of(name)}
        if head in behind:
            output["scale"] = head
            output["items"] = list(behind[head])
        if column.words:
            output["words"] = list(column.words)
        outputs.append(output)
    return {
        "schema": "mhscreen/conformance-form/1",
        "form": form.name,
        "instrument": instrument.ref,
        "title": {"en": instrument.title.en, "zh": instrument.title.zh},
        "informant": str(form.informant),
        "norms": [table.ref for table in form.norms],
        "tolerance": TOLERANCE,
        "vectors": len(kit.names),
        "items": items,
        "outputs": outputs,
    }


def kind_of(column: str) -> str:
    """Return what a column holds: score, category, critical, validity or norm."""
    head, *rest = column.split(".")
    if column == VALIDITY:
        return "validity"
    if head == "critical" and rest:
        return "critical"
    if rest == ["category"]:
        return "category"
    return "norm" if rest else "score"


def _lines(kit: FormKit, columns: Columns) -> str:
    lines = []
    texts = {name: column.texts() for name, column in columns.items()}
    people, cells = kit.people(), kit.cells()
    for place, name in enumerate(kit.names):
        line: dict[str, Any] = {"vector": name, "why": kit.vectors.why[place]}
        if kit.with_people:
            sex, age, grade = people[place]
            line |= {
                "sex": sex or None,
                "age": float(age) if age else None,
                "grade": int(grade) if grade else None,
            }
        line["answers"] = {
            item.id: _plain(cell)
            for item, cell in zip(kit.form.plan.items, cells[place], strict=True)
        }
        line["expected"] = {
            column: _word(values[place], number=not columns[column].words)
            for column, values in texts.items()
            if values[place]
        }
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def _plain(cell: str) -> int | str | None:
    if not cell:
        return None
    return int(cell) if cell.lstrip("-").isdigit() else cell


def _word(text: str, *, number: bool) -> float | int | str:
    if not number:
        return text
    value = float(text)
    return int(value) if value.is_integer() else value


# -- the manifest ---------------------------------------------------------------------------------


def write_manifest(folder: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Write the list of forms, with a checksum of every file."""
    forms = []
    for entry in entries:
        files = {
            name: _sha256((folder / str(entry["form"]) / name).read_bytes())
            for name in ("form.json", "inputs.csv", "expected.csv", "vectors.jsonl")
        }
        forms.append({**entry, "files": files})
    text = _json({"schema": SCHEMA, "forms": forms})
    (folder / "manifest.json").write_text(text, encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Return the forms of a kit.

    Raises
    ------
    DefinitionError
        If there is no kit, or a file of it is not the one that the manifest names (MH907).
    """
    file = folder / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        forms: list[dict[str, Any]] = manifest["forms"]
        known = manifest["schema"] == SCHEMA
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        hint = "mhscreen conformance generate --out FOLDER writes one"
        problem = Problem("MH907", "there is no kit", f"a manifest of {SCHEMA}", hint, str(file))
        raise DefinitionError([problem])
    return forms


def read_form_kit(folder: Path, form: Form, entry: Mapping[str, Any]) -> FormKit:
    """Read the vectors of one form.

    Raises
    ------
    DefinitionError
        If the files are not those of the manifest, or the definition gives something else for
        them by now (MH907).
    """
    file = folder / form.name / "inputs.csv"
    try:
        data = file.read_bytes()
    except OSError:
        data = b""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    problem = ""
    if _sha256(data) != entry["files"]["inputs.csv"]:
        problem = "not the file that the manifest of the kit names"
    elif list(rows[0])[-len(form.plan.items) :] != [item.id for item in form.plan.items]:
        problem = f"made for other items than those of {form.instrument.ref}"
    else:
        kit = FormKit(form, _read_vectors(form, rows), tuple(row["vector"] for row in rows))
        if _sha256(expected_text(kit).encode()) == entry["files"]["expected.csv"]:
            return kit
        problem = f"made when {form.instrument.ref} or a norm of it gave something else"
    hint = "take the kit of this version, or generate it again"
    raise DefinitionError([Problem("MH907", problem, hint=hint, file=str(file))])


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read_vectors(form: Form, rows: Sequence[Mapping[str, str]]) -> Vectors:
    number = len(rows)
    codes = np.full((len(form.plan.items), number), rc.BLANK, dtype=np.uint8)
    illegal = np.full(number, -1, dtype=np.int8)
    late = np.zeros(number, dtype=bool)
    for row, item in enumerate(form.plan.items):
        texts = illegal_texts(form.instrument.item(item.id), form.instrument)
        for place, cells in enumerate(rows):
            cell = cells[item.id]
            if not cell:
                continue
            if cell in texts:
                codes[row, place], illegal[place] = rc.ILLEGAL, texts.index(cell)
                continue
            code = item.answers.get(answer_key(cell))
            if code is None:
                code = item.band_of(float(cell)) or 0
            codes[row, place] = code
            late[place] |= bool(item.bands) and cell != str(item.codes[code])
    sex = [Sex(row["sex"]).position if row.get("sex") else -1 for row in rows]
    age = [float(row["age"]) if row.get("age") else np.nan for row in rows]
    grade = [int(row["grade"]) if row.get("grade") else -1 for row in rows]
    return Vectors(
        codes,
        illegal,
        late,
        np.array(sex, dtype=np.int8),
        np.array(age, dtype=np.float64),
        np.array(grade, dtype=np.int8),
        ("",) * number,
    )
