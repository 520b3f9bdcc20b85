"""One definition from its text: syntax, then grammar, then what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ValidationError

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme, checks
from mhscreen.definitions.cases import Cases
from mhscreen.loading.disclosure import check_disclosure
from mhscreen.loading.grammar import did_you_mean, one_of, to_problems
from mhscreen.loading.yaml_reader import Document, read_yaml, write_path
from mhscreen.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "GRAMMARS",
    "place",
    "read_cases",
    "read_cases_document",
    "read_definition",
    "read_document",
]

GRAMMARS: dict[str, type[BaseModel]] = {
    "mhscreen/instrument/1": Instrument,
    "mhscreen/norm/1": NormTable,
    "mhscreen/policy/1": Policy,
    "mhscreen/programme/1": Programme,
}
"""What the first key of a definition may say."""

_CASES: dict[str, type[BaseModel]] = {"mhscreen/cases/1": Cases}


class ReadDocument(NamedTuple):
    """A file that was read: its model (None where it is broken) and its places."""

    model: BaseModel | None
    document: Document | None
    problems: list[Problem]


def read_definition(text: str, file: str) -> tuple[Definition | None, list[Problem]]:
    r"""Read one definition.

    Parameters
    ----------
    text : str
        The YAML text.
    file : str
        Its name, for the problems.

    Returns
    -------
    Definition or None
        None where a problem is an error.
    list of Problem
        Everything that is wrong with the text by itself, in the order of the file.

    Examples
    --------
    >>> definition, problems = read_definition("schema: mhscreen/instrumant/1\n", "x.yaml")
    >>> print(problems[0])
    x.yaml:1:9: schema: unknown grammar 'mhscreen/instrumant/1'  [MH110 unknown-schema]
        expected: one of: mhscreen/instrument/1, mhscreen/norm/1, mhscreen/policy/1,
            mhscreen/programme/1
        hint:     did you mean 'mhscreen/instrument/1'?
    """
    read = read_document(text, file)
    model = read.model
    definition = model if isinstance(model, (Instrument, NormTable, Policy, Programme)) else None
    return definition, read.problems


def read_cases(text: str, file: str) -> tuple[Cases | None, list[Problem]]:
    """Read the worked cases of one definition; as `read_definition`."""
    cases, _, problems = read_cases_document(text, file)
    return cases, problems


def read_cases_document(
    text: str, file: str
) -> tuple[Cases | None, Document | None, list[Problem]]:
    """Read worked cases and keep the places, for checks against their definition."""
    read = _read(text, file, _CASES)
    return (read.model if isinstance(read.model, Cases) else None), read.document, read.problems


def read_document(text: str, file: str) -> ReadDocument:
    """Read one definition and keep the places, for checks against other files."""
    read = _read(text, file, GRAMMARS)
    if read.model is None or read.document is None:
        return read
    problems = [*read.problems, *place(_findings(read.model), read.document, file)]
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    broken = any(problem.severity == "error" for problem in problems)
    return ReadDocument(None if broken else read.model, read.document, problems)


def place(findings: Iterable[checks.Finding], document: Document, file: str) -> list[Problem]:
    """Turn findings into problems, each at its line and column."""
    problems = []
    for finding in findings:
        line, column = document.value_place(finding.path)
        problems.append(
            Problem(
                finding.code,
                finding.what,
                expected=finding.expected,
                hint=finding.hint,
                file=file,
                line=line,
                column=column,
                path=write_path(finding.path),
            )
        )
    return problems


def _findings(model: BaseModel) -> Iterable[checks.Finding]:
    if isinstance(model, Instrument):
        return checks.check_instrument(model)
    if isinstance(model, NormTable):
        return checks.check_norm_table(model)
    if isinstance(model, Policy):
        return checks.check_policy(model)
    if isinstance(model, Programme):
        return (*checks.check_programme(model), *check_disclosure(model))
    return ()


def _read(text: str, file: str, grammars: dict[str, type[BaseModel]]) -> ReadDocument:
    document, problems = read_yaml(text, file)
    if document is None:
        return ReadDocument(None, None, problems)
    model, wrong = _grammar(document, file, grammars)
    if model is None:
        return ReadDocument(None, document, [*problems, *wrong])
    try:
        found = model.model_validate(document.data)
    except ValidationError as error:
        problems = [*problems, *to_problems(error, model, document, file)]
        problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
        return ReadDocument(None, document, problems)
    return ReadDocument(None if problems else found, document, problems)


def _grammar(
    document: Document, file: str, grammars: dict[str, type[BaseModel]]
) -> tuple[type[BaseModel] | None, list[Problem]]:
    """Return the grammar that the first key names, or the problem."""
    data = document.data
    expected = one_of(grammars)
    first = next(iter(data), None) if isinstance(data, dict) else None
    if first != "schema":
        line, column = document.value_place(())
        what = "the first key is not 'schema'"
        hint = f"begin the file with 'schema: {next(iter(grammars))}'" if len(grammars) == 1 else ""
        return None, [Problem("MH110", what, expected, hint, file=file, line=line, column=column)]
    name = data["schema"]
    model = grammars.get(name) if isinstance(name, str) else None
    if model is not None:
        return model, []
    line, column = document.value_place(("schema",))
    what = f"unknown grammar {document.text(('schema',))[:60]!r}"
    hint = did_you_mean(name, grammars) if isinstance(name, str) else ""
    return None, [
        Problem("MH110", what, expected, hint, file=file, line=line, column=column, path="schema")
    ]
