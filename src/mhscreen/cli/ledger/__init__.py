"""``mhscreen ledger …``: what people enter, where cases stand, and what is due."""

from __future__ import annotations

import typer

from mhscreen.cli.ledger import cases, month, store

__all__ = ["add_to"]

group = typer.Typer(
    name="ledger",
    help="Keep the ledger 台账: enter, verify, fold into cases, close the month.",
    no_args_is_help=True,
)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group)


cases.add_to(group)
month.add_to(group)
store.add_to(group)
