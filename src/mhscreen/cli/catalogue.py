"""``mhscreen catalogue``: what the library holds, and the page of one instrument."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with

__all__ = ["add_to"]

_HEADINGS = ("id", "title", "informants", "ages", "items", "wording", "key checked", "norms")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("catalogue")(catalogue)


def catalogue(
    instrument: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="An instrument, such as phq9 or phq9@1.")
    ] = None,
    definitions: Annotated[
        list[Path] | None, typer.Option(help="Definitions of your own, beside the installed ones.")
    ] = None,
    lang: LanguageOption = Language.EN,
) -> None:
    """List the instruments with rights, informants, ages, evidence and norms; or show one page."""
    from mhscreen.explain.catalogue import list_instruments, write_page
    from mhscreen.loading import installed_library, load_library

    with errors_end_with(2):
        library = installed_library()
        if definitions:
            library = load_library(*definitions, base=library)
        if instrument is not None:
            typer.echo(write_page(library, instrument, lang.value), nl=False)
            return
        lines = list_instruments(library)
    table = Table(box=None, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for line in lines:
        title = line.title_zh if lang is Language.ZH else line.title_en
        unverified = f", {line.unverified} unverified" if line.unverified else ""
        table.add_row(
            line.ref, title, ", ".join(line.informants), f"{line.ages[0]:g}–<{line.ages[1]:g}",
            str(line.items), ", ".join(line.languages) or line.wording,
            line.evidence + unverified, str(len(line.norms)),
        )  # fmt: skip
    Console().print(table)
