"""The command line: thin, every command is one call of the façade or of its thin edges.

Exit status: 0 done and clean; 1 done, with problems (for ``check``: findings); 2 nothing done.
Results go to standard output, progress and problems to standard error. No answer and no name is
ever printed.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated

import typer

from mhscreen._version import __version__
from mhscreen.cli import (
    affected,
    audit,
    catalogue,
    conformance,
    definitions,
    explain,
    ledger,
    norms,
    policy,
    score,
    screen,
)

__all__ = ["app", "main"]

# Typer's own tracebacks show local variables, and those hold answers.
app = typer.Typer(
    name="mhscreen",
    help="Screen the mental health of pupils: score, norm, triage, enter. No diagnosis is made.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"mhscreen {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Screen the mental health of pupils. A screening is no diagnosis."""


screen.add_to(app)
score.add_to(app)
explain.add_to(app)
catalogue.add_to(app)
definitions.add_to(app)
norms.add_to(app)
policy.add_to(app)
audit.add_to(app)
conformance.add_to(app)
ledger.add_to(app)
affected.add_to(app)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Chinese still shows the rest
    try:
        app()
    except Exception as error:  # noqa: BLE001 - a status of 1 would say that the job was done
        # Where it happened, without the error's own text: that may quote an answer.
        traceback.print_tb(error.__traceback__)
        typer.echo(f"mhscreen: {type(error).__name__}, a fault of this program", err=True)
        sys.exit(2)
