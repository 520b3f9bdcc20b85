"""The vectors of a policy: pupils with filled-in forms, and what must come out.

A folder ``policies/NAME`` with ``policy.json``, ``pupils.csv``, a file of answers per form,
``expected.csv`` and ``vectors.jsonl``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.policy_departures import mildest_codes
from mhscreen.conformance.policy_scorer import FLAGS, Person, Pupils, screen_pupils
from mhscreen.conformance.scorer import Form
from mhscreen.kernels import codes as rc
from mhscreen.plan.scoring import answer_key
from mhscreen.problems import DefinitionError, Problem
from mhscreen.vocabulary import Requirement, ScreenTier, Sex, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mhscreen.conformance.policy_scorer import Screener
    from mhscreen.conformance.scorer import Columns
    from mhscreen.steps.norm import NormedScores

__all__ = ["DUE", "LISTS", "TIERS", "PolicyKit", "policy_files", "read_policy_kit"]

SCHEMA = "mhscreen/conformance-policies/1"
FOLDER = "policies"
RULES = "rules.yaml"
"""The definition of a policy, as it is written."""
TIERS = {
    "established": tuple(str(one) for one in Tier),
    "possible": tuple(str(one) for one in Tier),
    "screen": tuple(str(one) for one in ScreenTier),
}
LISTS = {
    "rules": ("rule.", 2),
    "undecided": ("rule.", 1),
    "flags": ("flag.", 1),
    "due": ("due.", 1),
}
"""By output, which columns it lists, and at which value."""
DUE = ("critical_unanswered", "invalid", "possible", "not_screened")


@dataclass(frozen=True, eq=False)
class PolicyKit:
    """The vectors of one policy.

    Attributes
    ----------
    screener : Screener
        The policy, under its programme.
    pupils : Pupils
        The pupils.
    names : tuple of str
        What each vector is called: ``three-tier-cn-1.0.0/007``.
    """

    screener: Screener
    pupils: Pupils
    names: tuple[str, ...]

    @cached_property
    def normed(self) -> NormedScores:
        """The scores of the pupils."""
        return self.screener.normed(self.pupils)

    @cached_property
    def expected(self) -> Columns:
        """What the policy says of the pupils."""
        return screen_pupils(self.screener, self.pupils, normed=self.normed)

    @property
    def forms(self) -> tuple[str, ...]:
        """By slot, what the form is called in the kit."""
        plan = self.screener.plan
        return tuple(
            Form(plan.instruments[form.instrument], form.informant, ()).name for form in plan.forms
        )

    def cell(self, slot: int, row: int, code: int) -> str:
        """Return an answer as it is written."""
        form = self.screener.plan.forms[slot]
        item = form.items[row]
        if code < len(item.codes):
            return str(item.codes[code])
        options = self.screener.plan.instruments[form.instrument].options(item.id)
        for missing in options.missing_codes:
            if code == rc.missing_code(missing.reason):
                return str(missing.code)
        return ""

    def answers(self, slot: int) -> list[list[str]]:
        """Return the rows of a file of answers, with their heading."""
        items = self.screener.plan.forms[slot].items
        rows = [["vector", *(item.id for item in items)]]
        for place in np.flatnonzero(self.pupils.filed[slot]).tolist():
            codes = self.pupils.codes[slot][:, place].tolist()
            cells = [self.cell(slot, row, code) for row, code in enumerate(codes)]
            rows.append([self.names[place], *cells])
        return rows

    def inputs(self) -> list[list[str]]:
        """Return all of it on one row per pupil, with a heading.

        After the pupil: by form, ``yes`` where there is one, under its name, and its answers,
        each under ``form.item``.
        """
        heading, rows = self.people()
        for slot, name in enumerate(self.forms):
            items = self.screener.plan.forms[slot].items
            heading += [name, *(f"{name}.{item.id}" for item in items)]
            for place, row in enumerate(rows):
                if self.pupils.filed[slot][place]:
                    codes = self.pupils.codes[slot][:, place].tolist()
                    cells = (self.cell(slot, n, code) for n, code in enumerate(codes))
                    row.extend(("yes", *cells))
                else:
                    row.extend([""] * (1 + len(items)))
        return [heading, *rows]

    def people(self) -> tuple[list[str], list[list[str]]]:
        """Return the heading and the rows of ``pupils.csv``."""
        rows = [
            [name, str(one.stage), "" if one.grade is None else str(one.grade), str(one.sex),
             f"{one.age:g}"]
            for name, one in zip(self.names, self.pupils.people, strict=True)
        ]  # fmt: skip
        return ["vector", "stage", "grade", "sex", "age"], rows

    def reported(self, place: int, slot: int) -> dict[str, str]:
        """Return what is answered otherwise than the least concerning way, as written."""
        codes = self.pupils.codes[slot][:, place]
        mild = mildest_codes(self.screener, slot)[:, 0]
        items = self.screener.plan.forms[slot].items
        rows = np.flatnonzero(codes != mild).tolist()
        return {items[row].id: self.cell(slot, row, int(codes[row])) for row in rows}


def policy_names(screener: Screener, number: int) -> tuple[str, ...]:
    """Return how the vectors of a policy are called."""
    return tuple(f"{screener.name}/{place:03d}" for place in range(1, number + 1))


def policy_files(kit: PolicyKit) -> dict[str, str]:
    """Return the files of one policy by name."""
    columns = kit.expected
    heading, people = kit.people()
    files = {
        "policy.json": json.dumps(_describe(kit), ensure_ascii=False, indent=1) + "\n",
        "pupils.csv": write_rows([heading, *people]),
    }
    for slot, form in enumerate(kit.forms):
        files[f"{form}.csv"] = write_rows(kit.answers(slot))
    said = said_rows(columns)
    heading = ["vector", *TIERS, *LISTS]
    rows = [[name, *(row[key] for key in heading[1:])]
            for name, row in zip(kit.names, said, strict=True)]  # fmt: skip
    files["expected.csv"] = write_rows([heading, *rows])
    files["vectors.jsonl"] = _lines(kit, said)
    return files


def said_rows(columns: Columns) -> list[dict[str, str]]:
    """Return what is said of each pupil as it is written: words, and lists with semicolons."""
    texts = {name: columns[name].texts() for name in TIERS}
    rows = [
        {name: values[place] for name, values in texts.items()}
        for place in range(len(texts["screen"]))
    ]
    for output, (head, value) in LISTS.items():
        names = [name for name in columns if name.startswith(head)]
        for place, row in enumerate(rows):
            listed = [n.removeprefix(head) for n in names if columns[n].values[place] == value]
            row[output] = ";".join(listed)
    return rows


def _describe(kit: PolicyKit) -> dict[str, Any]:
    plan = kit.screener.plan
    groups = [
        {
            "id": group.id,
            "stages": [str(stage) for stage in group.stages],
            "grades": list(group.grades) if group.grades is not None else None,
            "forms": {
                kit.forms[slot]: str(Requirement.at(int(use)))
                for slot, use in enumerate(plan.uses[place])
            },
        }
        for place, group in enumerate(plan.programme.groups)
    ]
    return {
        "schema": "mhscreen/conformance-policy/1",
        "policy": kit.screener.ref,
        "programme": plan.programme.ref,
        "title": {"en": plan.policy.title.en, "zh": plan.policy.title.zh},
        "vectors": len(kit.names),
        "groups": groups,
        "outputs": {
            **{name: list(words) for name, words in TIERS.items()},
            "rules": [rule.id for rule in plan.policy.rules],
            "flags": [str(flag) for flag in FLAGS],
            "due": list(DUE),
        },
    }


def _lines(kit: PolicyKit, said: Sequence[Mapping[str, str]]) -> str:
    lines = []
    for place, (name, row) in enumerate(zip(kit.names, said, strict=True)):
        person = kit.pupils.people[place]
        forms = {
            form: kit.reported(place, slot)
            for slot, form in enumerate(kit.forms)
            if kit.pupils.filed[slot][place]
        }
        line = {
            "vector": name,
            "why": kit.pupils.why[place],
            "pupil": {"stage": str(person.stage), "grade": person.grade, "sex": str(person.sex),
                      "age": person.age},
            "reported": forms,
            "expected": {
                key: [one for one in text.split(";") if one] if key in LISTS else text
                for key, text in row.items()
            },
        }  # fmt: skip
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines) + "\n"


# -- the manifest ---------------------------------------------------------------------------------


def write_policy_manifest(folder: Path, kits: Iterable[PolicyKit]) -> None:
    """Write the list of policies, with a checksum of every file."""
    entries = []
    for kit in kits:
        files = {
            name: _sha256((folder / kit.screener.name / name).read_bytes())
            for name in (*policy_files(kit), RULES)
        }
        entries.append({"name": kit.screener.name, "policy": kit.screener.ref, "files": files})
    text = json.dumps({"schema": SCHEMA, "policies": entries}, ensure_ascii=False, indent=1)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8", newline="\n")


def read_policy_kit(folder: Path, screener: Screener) -> PolicyKit:
    """Read the vectors of one policy from a kit.

    Raises
    ------
    DefinitionError
        If they are not there, are not the files of the manifest, or the policy gives something
        else for them by now (MH907).
    """
    place = folder / FOLDER / screener.name
    try:
        manifest = json.loads((folder / FOLDER / "manifest.json").read_text(encoding="utf-8"))
        entry = next(one for one in manifest["policies"] if one["name"] == screener.name)
        files = {name: (place / name).read_bytes() for name in entry["files"]}
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        what = f"there are no vectors of {screener.ref}"
        raise DefinitionError([_problem(what, place)]) from None
    kit, what = None, ""
    if any(_sha256(data) != entry["files"][name] for name, data in files.items()):
        what = "not the files that the manifest of the kit names"
    else:
        kit = _read(screener, {name: data.decode("utf-8") for name, data in files.items()})
        if policy_files(kit)["expected.csv"].encode() != files["expected.csv"]:
            what = f"made when {screener.ref} gave something else"
    if what or kit is None:
        raise DefinitionError([_problem(what, place)])
    return kit


def _problem(what: str, file: Path) -> Problem:
    hint = "mhscreen conformance generate writes them"
    return Problem("MH907", what, hint=hint, file=str(file))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _read(screener: Screener, files: Mapping[str, str]) -> PolicyKit:
    rows = _rows(files["pupils.csv"])
    names = tuple(row["vector"] for row in rows)
    people = tuple(
        Person(
            Stage(row["stage"]),
            int(row["grade"]) if row["grade"] else None,
            Sex(row["sex"]),
            float(row["age"]),
        )
        for row in rows
    )
    empty = PolicyKit(screener, Pupils(people, (), (), ("",) * len(rows)), names)
    codes, filed = [], []
    for slot, name in enumerate(empty.forms):
        form = screener.plan.forms[slot]
        answers = np.full((len(form.items), len(rows)), rc.BLANK, dtype=np.uint8)
        there = np.zeros(len(rows), dtype=bool)
        for cells in _rows(files[f"{name}.csv"]):
            place = names.index(cells["vector"])
            there[place] = True
            for row, item in enumerate(form.items):
                code = item.answers.get(answer_key(cells[item.id]))
                answers[row, place] = rc.BLANK if code is None else code
        codes.append(answers)
        filed.append(there)
    return PolicyKit(screener, Pupils(people, tuple(codes), tuple(filed), ("",) * len(rows)), names)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))
