"""``mhscreen score``: one questionnaire, no programme."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mhscreen.cli.printing import errors_end_with, print_problems
from mhscreen.problems import ProblemLog, ResponseError, UsageError

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score")(score)


def score(
    ref: Annotated[str, typer.Argument(help="The instrument, such as phq9@1.")],
    file: Annotated[Path, typer.Argument(help="One form per row: CSV, Parquet or Excel.")],
    out: Annotated[Path, typer.Option(help="Where the scores go: .csv or .parquet.")],
    informant: Annotated[
        str | None,
        typer.Option(help="self, parent, teacher or clinician, where there are several."),
    ] = None,
    norm: Annotated[str | None, typer.Option(help="A norm table, to add derived scores.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="How the items are headed, such as 'PHQ{number}'.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The day on which ages are taken.")] = None,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Score one questionnaire, row for row.

    Ends with 0 when clean, 1 when done with problems (an illegal answer counts as unanswered),
    2 when nothing was written.
    """
    import mhscreen as mh
    from mhscreen.interop.files import read_table, write_csv, write_parquet

    with errors_end_with(2):
        writers = {".csv": write_csv, ".parquet": write_parquet}
        if out.suffix.lower() not in writers:
            msg = f"--out ends in {' or '.join(writers)}"
            raise UsageError(msg)
        log = ProblemLog()
        table: Any = read_table(file, log)
        if table is None:
            raise ResponseError(log)
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        options: dict[str, Any] = {
            "informant": informant, "norm": norm, "columns": columns, "at": at,
            "library": library,
        }  # fmt: skip
        try:
            scores = mh.score_instrument(ref, table, **options)
        except ResponseError as error:
            log.extend(error.problems)
            scores = mh.score_instrument(ref, table, **options, on_problem="report")
        writers[out.suffix.lower()]({name: scores[name] for name in scores.columns}, out)
        print_problems(log.problems)
    if log.errors:
        raise typer.Exit(1)
