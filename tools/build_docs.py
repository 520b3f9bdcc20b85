"""Write the generated parts of the pages in `docs/`.

A page is written by hand. What the code knows better stands between two marks and is rewritten
from the code::

    <!-- begin NAME ARGUMENT -->
    <!-- end NAME -->

NAME is a function of `PARTS` below. With ``--check`` nothing is written, and the exit status is
1 where a page is out of date.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import types
from collections import Counter
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import compare_oracles as oracles
from pydantic import BaseModel, Discriminator
from pydantic.fields import FieldInfo
from typer.main import get_command

from mhscreen import vocabulary
from mhscreen.cli import app
from mhscreen.conformance.generate import summary
from mhscreen.conformance.policy_generate import read_policy_measures
from mhscreen.conformance.write import read_measures
from mhscreen.definitions import (
    Instrument,
    NormTable,
    Policy,
    Programme,
    common,
    policy,
    programme,
)
from mhscreen.definitions.cases import Cases
from mhscreen.definitions.words import field_words
from mhscreen.entries.parts import Entry
from mhscreen.entries.schema import entry_schema
from mhscreen.explain.catalogue import included_wording, write_page
from mhscreen.loading import grammar, shipped_library
from mhscreen.problems import CATALOGUE, ProblemKind
from mhscreen.steps import columns, roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"(?P<begin><!-- begin (?P<name>[a-z-]+)(?: (?P<argument>[^\n]*?))? -->\n)"
    r"(?P<body>.*?)(?P<end><!-- end (?P=name) -->)",
    re.DOTALL,
)
TOPS: dict[str, type[BaseModel]] = {
    "instrument": Instrument,
    "norm": NormTable,
    "policy": Policy,
    "programme": Programme,
    "cases": Cases,
}
SHARED = (common.Text, common.Reference, common.Rights)
NAMES = {
    grammar.pattern_of(pattern): name
    for name, pattern in {
        "id": common.Identifier,
        "key": common.Key,
        "rule name": common.Name,
        "version": common.Version,
        "exact reference": common.ExactRef,
        "dotted name": policy.Dotted,
        "slot": programme.SlotName,
        "month and day": programme.MonthDay,
    }.items()
}
"""What the tables call a text of a certain form; how it is written says `part_names`."""


def table(heading: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heading, ["---"] * len(heading), *rows]
    cells = [[cell.replace("|", r"\|") for cell in row] for row in lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def sentence(text: str | None) -> str:
    """Return reStructuredText of a docstring as one line of Markdown."""
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return re.sub(r"``(.+?)``", r"`\1`", " ".join(first.split()))


# -- the grammar ----------------------------------------------------------------------------------


def part_grammar(kind: str) -> str:
    """Return every key of one grammar."""
    shared = kind == "shared"
    models = list(SHARED) if shared else [m for m in walk(TOPS[kind]) if m not in SHARED]
    return "\n\n".join(model_section(model) for model in models)


def part_names(_: str) -> str:
    """Return how each kind of name is written."""
    return table(["name", "how it is written"], [[n, written(p)] for p, n in NAMES.items()])


def written(pattern: str) -> str:
    """Return what a pattern asks for, in the words of the messages."""
    return grammar._PATTERNS[pattern]  # noqa: SLF001 - so that page and message agree


def walk(top: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and all that it holds, each once, in the order of the keys."""
    found: dict[type[BaseModel], None] = {top: None}
    queue = [top]
    while queue:
        for hint in hints(queue.pop(0)).values():
            for model in models_in(hint):
                if model not in found:
                    found[model] = None
                    queue.append(model)
    return list(found)


def hints(model: type[BaseModel]) -> dict[str, Any]:
    """Return the annotations of the keys, those of the model itself before inherited ones."""
    own = [name for name in model.model_fields if name in model.__annotations__]
    order = [*own, *(name for name in model.model_fields if name not in own)]
    known = get_type_hints(model, include_extras=True)
    return {name: known[name] for name in order}


def models_in(hint: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint
    for inner in get_args(hint):
        if not isinstance(inner, FieldInfo):
            yield from models_in(inner)


def model_section(model: type[BaseModel]) -> str:
    """Return a heading, a sentence and a table of the keys."""
    rows = []
    words = field_words(model)
    for name, hint in hints(model).items():
        field = model.model_fields[name]
        rows.append(
            [f"`{field.alias or name}`", type_of(hint), sentence(words.get(name)), default(field)]
        )
    heading = ["key", "type", "meaning", "if absent"]
    return f"### `{model.__name__}`\n\n{sentence(model.__doc__)}\n\n{table(heading, rows)}"


def default(field: FieldInfo) -> str:
    """Return what stands for a key that is absent."""
    if field.is_required():
        return "required"
    value = field.default
    if value is None or value in ((), {}):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def type_of(hint: Any) -> str:  # noqa: PLR0911 - one kind of annotation after the other
    """Return an annotation in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return annotated(arguments[0], arguments[1:])
    if origin in {Union, types.UnionType}:
        several = [type_of(one) for one in arguments if one is not type(None)]
        null = [] if len(several) == len(arguments) else ["null"]
        return " or ".join([*dict.fromkeys(several), *null])
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return f"list of {type_of(arguments[0])}"
    if origin is tuple:
        return f"list of {len(arguments)}: {', '.join(map(type_of, arguments))}"
    if origin is dict:
        return f"mapping of {type_of(arguments[0])} to {type_of(arguments[1])}"
    if issubclass(hint, vocabulary.Term):
        return f"[{hint.__name__}](glossary.md#{hint.__name__.lower()})"
    if issubclass(hint, BaseModel):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(
        hint, "date, YYYY-MM-DD"
    )


def annotated(base: Any, metadata: tuple[Any, ...]) -> str:
    """Return a constrained type in words."""
    if base == get_args(policy.Condition)[0]:
        return "[condition](#conditions)"
    if any(isinstance(one, Discriminator) for one in metadata):
        return "one of " + ", ".join(type_of(one) for one in get_args(base))
    limits = []
    for one in metadata:
        pattern = getattr(one, "pattern", None)
        if isinstance(one, FieldInfo):
            pattern = next((p for m in one.metadata if (p := getattr(m, "pattern", None))), None)
            limits += [limit for m in one.metadata if (limit := limit_of(m, base))]
        if pattern:
            name = NAMES.get(str(pattern))
            return f"[{name}](#names)" if name else written(str(pattern))
    return ", ".join([type_of(base), *limits])


def limit_of(constraint: Any, base: Any) -> str:
    """Return one limit in words, or nothing."""
    words = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
    for name, text in words.items():
        if getattr(constraint, name, None) is not None:
            return text.format(getattr(constraint, name))
    least = getattr(constraint, "min_length", None)
    if least and get_origin(base) is tuple:
        return f"at least {least}"
    most = getattr(constraint, "max_length", None)
    return f"at most {most}" if most and get_origin(base) is tuple else ""


# -- problem codes --------------------------------------------------------------------------------


def part_problem_codes(hundred: str) -> str:
    """Return the codes of one hundred, each with the modules that give it."""
    kinds = [kind for code, kind in CATALOGUE.items() if code.startswith(f"MH{hundred}")]
    rows = [
        [
            f'<a id="{kind.code.lower()}"></a>{kind.code}',
            kind.slug,
            kind.severity,
            kind.meaning,
            kind.consequence,
            ", ".join(raised_in()[kind.code]) or "not given yet",
            example(kind),
        ]
        for kind in kinds
    ]
    heading = ["code", "name", "severity", "meaning", "what happens", "given by", "example"]
    return table(heading, rows)


@cache
def raised_in() -> dict[str, list[str]]:
    """Return the modules whose source names a code."""
    found: dict[str, list[str]] = {code: [] for code in CATALOGUE}
    for file in sorted((ROOT / "src").rglob("*.py")):
        if file.name == "problems.py":
            continue
        module = file.relative_to(ROOT / "src").as_posix()
        for code in sorted(set(re.findall(r'"(MH\d{3})"', file.read_text(encoding="utf-8")))):
            name = module.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
            found[code].append(f"[{name.removeprefix('mhscreen.')}](../../src/{module})")
    return found


def example(kind: ProblemKind) -> str:
    """Return a link to the broken file that the tests keep for a code, if there is one."""
    stem = f"tests/definitions/broken/{kind.code.lower()}-{kind.slug}"
    for name, word in ((f"{stem}.yaml", "file"), (stem, "files")):
        if (ROOT / name).exists():
            return f"[{word}](../../{name})"
    return ""


# -- words and columns ----------------------------------------------------------------------------


def part_vocabulary(_: str) -> str:
    """Return every closed list with its labels."""
    lists = [
        one
        for name in vocabulary.__all__
        if (one := getattr(vocabulary, name)) is not vocabulary.Term and issubclass(one, StrEnum)
    ]
    return "\n\n".join(
        f"### {one.__name__}\n\n{sentence(one.__doc__)}\n\n"
        + table(["code", "English", "中文"], [[f"`{term}`", term.en, term.zh] for term in one])
        for one in lists
    )


def part_roster_columns(_: str) -> str:
    """Return the columns of a roster."""
    rows = [
        [
            f"`{name}`",
            "、".join(others) or "–",
            "required" if name in roster._REQUIRED else "optional",  # noqa: SLF001
            roster._EXPECTED.get(name, "text"),  # noqa: SLF001
        ]
        for name, others in roster.ROSTER_COLUMNS.items()
    ]
    return table(["column", "also found as", "", "what it holds"], rows)


def part_form_columns(_: str) -> str:
    """Return what a form may say about itself."""
    rows = [[f"`{name}`", "、".join(others)] for name, others in columns.FORM_COLUMNS.items()]
    return table(["column", "also found as"], rows)


INSTRUMENT_PAGES = ROOT / "docs" / "reference" / "instruments"


def part_shipped(_: str) -> str:
    """Return the shipped instruments."""
    rows = []
    for loaded in shipped_library().of_kind("instrument"):
        one = loaded.definition
        assert isinstance(one, Instrument)  # noqa: S101 - for the type checker
        rows.append(
            [
                f"[`{one.ref}`](instruments/{one.id}-{one.version}.md)",
                f"{one.title.en} / {one.title.zh}",
                ", ".join(one.informants),
                f"{one.ages.from_:g} to below {one.ages.below:g}",
                str(len(one.items)),
                str(len(one.critical_items)),
                included_wording(one),
            ]
        )
    heading = ["instrument", "title", "informants", "ages", "items", "critical items", "wording"]
    return table(heading, rows)


# -- ledger entries -------------------------------------------------------------------------------


def part_entry_fields(_: str) -> str:
    """Return every field of a screening entry, from its JSON Schema."""
    schema = entry_schema(vocabulary.EntryType.SCREENING)
    return "\n\n".join([fields_of("Screening entry", schema, schema["$defs"]), *parts_of(schema)])


def part_people_entries(_: str) -> str:
    """Return the fields of what people enter, by type, beside those of every entry."""
    sections: dict[str, str] = {}
    for kind in vocabulary.EntryType:
        if kind is vocabulary.EntryType.SCREENING:
            continue
        schema = entry_schema(kind)
        own = {n: one for n, one in schema["properties"].items() if n not in Entry.model_fields}
        title = f"{kind.en} `{kind}` {kind.zh}"
        sections[title] = fields_of(title, schema | {"properties": own}, schema["$defs"])
        for part in parts_of(schema):
            name = part.partition("\n")[0]
            sections[name] = part
    return "\n\n".join(sections.values())


def parts_of(schema: dict[str, Any]) -> list[str]:
    """Return the sections on the objects that a schema uses."""
    known = schema["$defs"]
    return [
        fields_of(name, one, known)
        for name, one in known.items()
        if name not in set(vocabulary.__all__) and one.get("type") == "object"
    ]


def fields_of(title: str, schema: dict[str, Any], known: dict[str, Any]) -> str:
    """Return the fields of one object; one without words of its own has those of its type."""
    rows = []
    for name, one in schema["properties"].items():
        type_ = known.get(one.get("$ref", "").rsplit("/", 1)[-1], {})
        words = one.get("description") or type_.get("description")
        rows.append([f"`{name}`", json_type(one), sentence(words)])
    intro = sentence(schema.get("description"))
    return f"### {title}\n\n{intro}\n\n{table(['field', 'type', 'meaning'], rows)}"


def json_type(schema: dict[str, Any]) -> str:  # noqa: PLR0911 - one kind after the other
    """Return the type of a JSON Schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        page = "glossary.md" if name in vocabulary.__all__ else ""
        return f"[{name}]({page}#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(json_type(one) for one in schema["anyOf"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {json_type(schema['items'])}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"object of {json_type(inner)}" if isinstance(inner, dict) else "object"
    if schema.get("pattern", "").startswith("^sha256"):
        return "`sha256:` and 64 digits"
    if "T" in schema.get("pattern", ""):
        return "time with its zone"
    return str(schema.get("type", "any"))


# -- commands -------------------------------------------------------------------------------------


def part_commands(_: str) -> str:
    """Return every command with its arguments and options."""
    return "\n\n".join(commands_of(get_command(app), "mhscreen"))


def commands_of(command: Any, name: str) -> Iterator[str]:
    """Yield a section for each command below one."""
    for part, one in sorted(getattr(command, "commands", {}).items()):
        yield from commands_of(one, f"{name} {part}")
    if not hasattr(command, "commands"):
        yield command_section(command, name)


def command_section(command: Any, name: str) -> str:
    """Return one command."""
    rows = []
    for one in command.params:
        if one.name == "help":
            continue
        argument = one.param_type_name == "argument"
        names = one.metavar or one.name.upper() if argument else ", ".join(one.opts)
        value = one.default() if callable(one.default) else one.default
        shown = "required" if one.required else f"`{value}`" if value else "–"
        rows.append([f"`{names}`", one.help or "", shown])
    words = " ".join(inspect.cleandoc(command.help or "").split("\n\n")).replace("\n", " ")
    return f"### `{name}`\n\n{words}\n\n{table(['', 'what it is', 'if absent'], rows)}"


# -- other pages ----------------------------------------------------------------------------------


def part_decisions(_: str) -> str:
    """Return the decision records, by number."""
    rows = []
    for file in sorted((ROOT / "docs/decisions").glob("[0-9]*.md")):
        number, title = file.read_text(encoding="utf-8").splitlines()[0][2:].split(": ", 1)
        rows.append([f"[{number}]({file.name})", title])
    return table(["", "Decided"], rows)


def part_file(name: str) -> str:
    """Return a file of the repository as a code block."""
    text = (ROOT / name).read_text(encoding="utf-8").rstrip()
    return f"```{Path(name).suffix.removeprefix('.')}\n{text}\n```"


def part_conformance(_: str) -> str:
    """Return how good the vectors of the conformance kit are, form by form."""
    measures = read_measures(ROOT / "benchmarks/conformance/kit")
    rows = [
        [
            one.form,
            *map(str, (one.vectors, one.mutants, one.killed, one.equivalent)),
            f"{one.told_apart} / {one.classes}",
            f"{one.diagnosed} / {one.held_out} ({100 * one.diagnosed / one.held_out:.1f} %)",
            f"{100 * one.untuned / one.held_out:.1f} %",
            str(one.known),
        ]
        for one in measures
    ]
    total = summary(measures)
    share = 100 * total["diagnosed"] / total["held_out"]
    rows.append(
        [
            f"**{len(measures)} forms**",
            *(str(total[key]) for key in ("vectors", "mutants", "killed", "equivalent")),
            f"{total['told_apart']} / {total['classes']}",
            f"{total['diagnosed']} / {total['held_out']} ({share:.1f} %)",
            f"{100 * total['untuned'] / total['held_out']:.1f} %",
            str(total["known"]),
        ]
    )
    heading = ["form", "vectors", "mutants", "noticed", "same", "kinds told apart",
               "diagnosed, half hidden", "all hidden", "known by name"]  # fmt: skip
    proofs = Counter[str]()
    for one in measures:
        proofs.update(one.proofs)
    used = ", ".join(f"{name} {number}" for name, number in sorted(proofs.items()))
    lowest = min(measures, key=lambda one: one.diagnosed / one.held_out)
    rate = 100 * lowest.diagnosed / lowest.held_out
    return (
        f"{table(heading, rows)}\n\nNeither noticed nor proved the same: {total['unproved']}. "
        f"Proofs used, among mutants of one kind and with the definition: {used}. "
        f"The form whose hidden faults are hardest to name: {lowest.form}, {rate:.1f} %."
    )


def part_conformance_policies(_: str) -> str:
    """Return how good the vectors of the policies are."""
    measures = read_policy_measures(ROOT / "benchmarks/conformance/kit")
    rows = [
        [
            one.form,
            *map(str, (one.vectors, one.mutants, one.killed, one.equivalent)),
            f"{one.told_apart} / {one.classes}",
            f"{one.diagnosed} / {one.held_out} ({100 * one.diagnosed / one.held_out:.1f} %)",
            f"{100 * one.untuned / one.held_out:.1f} %",
        ]
        for one in measures
    ]
    heading = ["policy", "vectors", "mutants", "noticed", "same", "kinds told apart",
               "diagnosed, half hidden", "all hidden"]  # fmt: skip
    proofs = Counter[str]()
    for one in measures:
        proofs.update(one.proofs)
    used = ", ".join(f"{name} {number}" for name, number in sorted(proofs.items()))
    unproved = sum(one.unproved for one in measures)
    return (
        f"{table(heading, rows)}\n\nNeither noticed nor proved the same: {unproved}. "
        f"Proofs used: {used}."
    )


def part_conformance_oracles(_: str) -> str:
    """Return with what each form of the kit was compared, and how far it agrees."""
    found: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    outputs: dict[tuple[str, str], set[str]] = {}
    for program in oracles.PROGRAMS:
        for cell in oracles.cells(program):
            by_kind = found.setdefault((cell.form, program), {})
            kind = by_kind.setdefault(cell.kind, Counter())
            kind["agreed"] += cell.agrees
            kind["compared"] += 1
            outputs.setdefault((cell.form, program), set()).add(cell.output)
    lines = []
    for (form, program), by_kind in sorted(found.items()):
        counts = [by_kind.get(kind, Counter()) for kind in oracles.KINDS]
        shown = [f"{n['agreed']} / {n['compared']}" if n else "" for n in counts]
        lines.append([form, program, str(len(outputs[form, program])), *shown])
    heading = ["form", "program", "outputs", "complete", "with blanks", "illegal answers"]
    forms = {form for form, _ in found}
    kit = ROOT / "benchmarks/conformance/kit"
    without = [one.form for one in read_measures(kit) if one.form not in forms]
    programs = table(["name", "program"], [[k, v] for k, v in oracles.PROGRAMS.items()])
    return (
        f"{programs}\n\n{table(heading, lines)}\n\n"
        f"Not compared: {', '.join(without) or 'none'}.\n\n{_differences()}"
    )


def _differences() -> str:
    """Return the differences from other programs, each with who is right and why."""
    lines = []
    for one in oracles.explanations():
        number = sum(
            not cell.agrees and oracles.explains(one, cell)
            for cell in oracles.cells(one["program"])
        )
        forms = one.get("forms", "every form").replace(" ", ", ")
        lines.append([one["program"], forms, str(number), one["what"], one["right"], one["why"]])
    heading = ["program", "forms", "cells", "what it gives", "who is right", "why"]
    return table(heading, lines)


STUDIES = ROOT / "benchmarks/psychometrics/results"


def part_study(argument: str) -> str:
    """Return a table that a study command printed: the name of its file, and which table."""
    name, number = argument.split()
    tables = (STUDIES / f"{name}.md").read_text("utf-8").strip().split("\n\n")
    return tables[int(number) - 1].strip()


def part_bars(argument: str) -> str:
    """Return the bars that a benchmark kept: the name of its file."""
    kept = json.loads((STUDIES / f"{argument}.json").read_text("utf-8"))
    rows = []
    for row in kept["rows"]:
        sign = "at least" if row["unit"] == "as fast" else "at most"
        bar = "" if row["bar"] is None else f"{sign} {row['bar']:g} ×"
        met = {None: "", True: "yes", False: "**no**"}[row["met"]]
        ratio = float(row["ratio"])
        shown = f"{float(f'{ratio:.2g}'):,g} ×"
        words = f"{shown} {row['unit']}"
        rows.append([row["analysis"], row["against"], words, bar, met, row["same"]])
    heading = [
        "analysis",
        "against",
        f"ours, {kept['forms']:,} forms",
        "bar",
        "met",
        "seen to agree",
    ]
    return table(heading, rows)


PARTS: dict[str, Callable[[str], str]] = {
    "bars": part_bars,
    "commands": part_commands,
    "conformance": part_conformance,
    "conformance-oracles": part_conformance_oracles,
    "conformance-policies": part_conformance_policies,
    "decisions": part_decisions,
    "entry-fields": part_entry_fields,
    "file": part_file,
    "form-columns": part_form_columns,
    "grammar": part_grammar,
    "names": part_names,
    "people-entries": part_people_entries,
    "problem-codes": part_problem_codes,
    "roster-columns": part_roster_columns,
    "shipped": part_shipped,
    "study": part_study,
    "vocabulary": part_vocabulary,
}


def rewritten(text: str) -> str:
    """Return a page with its generated parts as the code gives them now."""

    def block(match: re.Match[str]) -> str:
        body = PARTS[match["name"]](match["argument"] or "")
        return f"{match['begin']}\n{body}\n\n{match['end']}"

    return BLOCK.sub(block, text)


def instrument_pages() -> dict[Path, str]:
    """Return the pages that are generated whole: one for each instrument version."""
    library = shipped_library()
    found = {}
    for loaded in library.of_kind("instrument"):
        one = loaded.definition
        assert isinstance(one, Instrument)  # noqa: S101 - for the type checker
        source = f"../../../instruments/{one.id}/{one.version}.yaml"
        text = (
            "[All instruments / 全部量表](../instruments.md) · "
            f"[definition / 定义文件]({source})\n\n"
            f"{write_page(library, one.ref, 'en')}\n---\n\n{write_page(library, one.ref, 'zh')}"
        )
        found[INSTRUMENT_PAGES / f"{one.id}-{one.version}.md"] = text
    return found


def pages() -> list[Path]:
    """Return every page that may have generated parts."""
    return sorted((ROOT / "docs").rglob("*.md"))


def main(arguments: list[str] | None = None) -> int:
    """Run the tool; 0: every page is as the code gives it (now), 1: with --check, one is not."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    stale = []
    made = instrument_pages()
    for page in sorted({*made, *INSTRUMENT_PAGES.glob("*.md")}):
        text = page.read_text(encoding="utf-8") if page.exists() else ""
        if text == made.get(page):
            continue
        stale.append(page.relative_to(ROOT).as_posix())
        if not options.check and page in made:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(made[page], encoding="utf-8", newline="\n")
        elif not options.check:
            page.unlink()
    for page in pages():
        text = page.read_text(encoding="utf-8")
        new = rewritten(text)
        if new != text:
            stale.append(page.relative_to(ROOT).as_posix())
            if not options.check:
                page.write_text(new, encoding="utf-8", newline="\n")
    for name in stale:
        print(f"{name}: {'out of date; run tools/build_docs.py' if options.check else 'written'}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
