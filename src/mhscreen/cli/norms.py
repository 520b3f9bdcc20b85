"""``mhscreen norms compare``: who would move between two norm tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, to_stdout
from mhscreen.problems import ProblemLog, ResponseError

if TYPE_CHECKING:
    from mhscreen.review.norms import NormComparison

__all__ = ["add_to"]

_HEADINGS = {
    "scale": "维度",
    "cut": "T",
    "stratum": "常模组",
    "forms": "份数",
    "only_a": "仅 A 达到",
    "only_b": "仅 B 达到",
    "both": "均达到",
    "neither": "均未达到",
    "not_compared": "无法比较",
}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    norms = typer.Typer(help="Look at norm tables.", no_args_is_help=True)
    norms.callback()(_common)  # so that one command alone keeps its name
    norms.command("compare")(compare)
    app.add_typer(norms, name="norms")


def _common() -> None:
    """Look at norm tables."""


def compare(
    a: Annotated[str, typer.Argument(help="A norm table, such as sdq/shanghai-teacher@1.0.0.")],
    b: Annotated[str, typer.Argument(help="Another one for the same form.")],
    on: Annotated[
        Path,
        typer.Option(help="Raw scores with sex, age and grade: CSV, Parquet or Excel."),
    ],
    cut: Annotated[list[float] | None, typer.Option(help="T scores above 50; repeatable.")] = None,
    at: Annotated[str | None, typer.Option(help="The day on which ages are taken.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write who moves to this CSV file.")] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Tell how many reach a T score with one norm table and not with the other, by stratum.

    Ends with 0 when done, 2 when nothing could be compared.
    """
    import mhscreen as mh
    from mhscreen.interop.files import read_table, write_csv

    with errors_end_with(2):
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        log = ProblemLog()
        table = read_table(on, log)
        if table is None or log.errors:
            raise ResponseError(log)
        found = mh.compare_norms(a, b, table, cuts=cut or (65, 70), at=at, library=library)
        if out is not None:
            write_csv(found.moves(), out)
    _print(found, lang)


def _print(found: NormComparison, lang: Language) -> None:
    from rich.table import Table

    chinese = lang is Language.ZH
    typer.echo(f"A: {found.a}\nB: {found.b}")
    columns = found.summary()
    shown = Table(box=None, pad_edge=False)
    for name in columns:
        words = _HEADINGS[name] if chinese else name.replace("_", " ")
        shown.add_column(words, justify="left" if name in {"scale", "stratum"} else "right")
    for row in zip(*columns.values(), strict=True):
        shown.add_row(*(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in row))
    to_stdout().print(shown)
    for scale, why in found.left_out.items():
        typer.echo(f"{scale}: {'未比较' if chinese else 'not compared'}: {why}")
