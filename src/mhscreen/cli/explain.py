"""``mhscreen explain``: one entry of a ledger in words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with
from mhscreen.vocabulary import Reader

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    pupil: Annotated[str, typer.Argument(help="The pupil's reference.")],
    ledger: Annotated[Path, typer.Option(help="A ledger.jsonl.")],
    reader: Annotated[
        Reader, typer.Option("--for", help="For whom: each gets no more than is needed.")
    ] = Reader.COUNSELLOR,
    lang: LanguageOption = Language.EN,
) -> None:
    """Tell which rules held for a pupil, which are undecided, and what could still change."""
    import mhscreen as mh
    from mhscreen.interop.run_folder import find_entry

    with errors_end_with(2):
        typer.echo(mh.explain_entry(find_entry(ledger, pupil), lang, reader=reader))
