"""``mhscreen affected``: the pupils whose current entries rest on a definition."""

from __future__ import annotations

from typing import Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with

__all__ = ["add_to"]

_NOT_FILED = ("not handed in", "未交")
_NUMBER = ("{number} pupils", "共 {number} 名学生")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("affected")(affected)


def affected(
    ref: Annotated[
        str,
        typer.Argument(help="An instrument, norm, policy or programme, such as phq9@1.0.0."),
    ],
    ledger: Annotated[str, typer.Option(help="A ledger.jsonl, or the address of a database.")],
    lang: LanguageOption = Language.EN,
) -> None:
    """List the pupils whose current screening entries rest on a definition. For staff only."""
    import mhscreen as mh

    with errors_end_with(2):
        found = mh.affected(ref, mh.open_ledger(ledger))
    chinese = lang is Language.ZH
    for one in found:
        parts = [one.pupil_ref, one.school, one.cycle_id, one.screen_tier.label(lang), one.rests_on]
        parts += [] if one.filed else [_NOT_FILED[chinese]]
        typer.echo(" · ".join(part for part in parts if part))
    number = len({one.pupil_ref for one in found})
    typer.echo(_NUMBER[chinese].format(number=number))
