"""``mhscreen check``, ``new`` and ``schema``: for authors of definitions."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.problems import Problem

__all__ = ["add_to"]


class SchemaKind(StrEnum):
    """What has a JSON Schema."""

    INSTRUMENT = "instrument"
    NORM = "norm"
    POLICY = "policy"
    PROGRAMME = "programme"
    CASES = "cases"
    ROSTER = "roster"
    LEDGER_ENTRY = "ledger-entry"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check")(check)
    new = typer.Typer(help="Start a definition.", no_args_is_help=True)
    new.command("instrument")(new_instrument)
    app.add_typer(new, name="new")
    app.command("schema")(schema)


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Files and folders.")
    ] = None,
    lang: LanguageOption = Language.EN,
) -> None:
    """Check definitions and run their worked cases; without PATH, the shipped ones.

    Ends with 0 when all is well, 1 with findings, 2 when the call cannot be meant.
    """
    with errors_end_with(1):
        problems, number = _check_own(paths) if paths else _check_shipped()
    for problem in problems:
        typer.echo(str(problem), err=True)
    if lang is Language.ZH:
        typer.echo(f"检查 {number} 个定义，发现 {len(problems)} 个问题")
    else:
        typer.echo(f"{number} definitions checked, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


def _check_own(paths: Sequence[Path]) -> tuple[list[Problem], int]:
    import mhscreen as mh
    from mhscreen.loading import check_paths
    from mhscreen.testing import run_cases

    shipped = mh.shipped_library()
    problems = check_paths(paths, base=shipped)
    if any(problem.code != "MH214" for problem in problems):
        return problems, sum(1 for _ in _files(paths))  # cases of broken definitions say nothing
    library = mh.load_library(*paths, base=shipped)
    own = [loaded for loaded in library if loaded not in shipped.definitions]
    return [*problems, *run_cases(library, own)], len(own)


def _files(paths: Sequence[Path]) -> list[Path]:
    found = [
        file for path in paths for file in ([path] if path.is_file() else path.rglob("*.y*ml"))
    ]
    return [file for file in found if not file.name.endswith(".cases.yaml")]


def _check_shipped() -> tuple[list[Problem], int]:
    import mhscreen as mh
    from mhscreen.testing import run_cases

    library = mh.shipped_library()
    return run_cases(library), len(library)


def new_instrument(
    name: Annotated[str, typer.Argument(metavar="ID", help="Lower-case, such as my-scale.")],
    folder: Annotated[Path, typer.Option(help="Where the folder 'instruments' is.")] = Path(),
) -> None:
    """Write a first instrument file with its worked cases, to be changed line by line."""
    from mhscreen.interop.files import whole_file
    from mhscreen.loading import new_cases_yaml, new_instrument_yaml

    with errors_end_with(2):
        texts = {"0.1.0.yaml": new_instrument_yaml(name), "0.1.0.cases.yaml": new_cases_yaml(name)}
        home = folder / "instruments" / name
        for file in texts:
            if (home / file).exists():
                msg = f"{home / file} is already there"
                raise UsageError(msg)
        home.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            with whole_file(home / file) as temporary:
                temporary.write_bytes(text.encode())
            typer.echo(home / file)


def schema(
    kind: Annotated[SchemaKind, typer.Argument(help="Of what.")],
) -> None:
    """Print a JSON Schema, for editors and other systems."""
    from mhscreen.entries.schema import ledger_schema
    from mhscreen.loading import json_schema
    from mhscreen.steps.roster import roster_schema

    if kind is SchemaKind.ROSTER:
        found = roster_schema()
    elif kind is SchemaKind.LEDGER_ENTRY:
        found = ledger_schema()
    else:
        found = json_schema(kind)
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
