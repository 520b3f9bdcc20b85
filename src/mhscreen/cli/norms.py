"""``mhscreen norms``: build a table, compare two, and see whether a sample has moved from one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, to_stdout
from mhscreen.problems import ProblemLog, ResponseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mhscreen.psychometrics.results import Result
    from mhscreen.review.norms import NormComparison
    from mhscreen.steps.tables import Table

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
    """Add the commands."""
    norms = typer.Typer(help="Build norm tables and look at them.", no_args_is_help=True)
    norms.command("build")(build)
    norms.command("compare")(compare)
    norms.command("drift")(drift)
    app.add_typer(norms, name="norms")


class Named(StrEnum):
    """Whether answers were given under the pupil's name."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def build(  # noqa: PLR0917 - typer makes options of them
    answers: Annotated[Path, typer.Argument(help="One form per row: CSV, Parquet or Excel.")],
    instrument: Annotated[str, typer.Option(help="Such as phq9@1.0.0.")],
    name: Annotated[str, typer.Option(help="The id of the table, such as town-2026.")],
    country: Annotated[str, typer.Option(help="Two capitals, such as CN.")],
    years: Annotated[str, typer.Option(help="When the sample was taken.")],
    review_by: Annotated[str, typer.Option(help="The day by which somebody looks again.")],
    out: Annotated[Path, typer.Option(help="The file, or a folder of norms.")],
    version: Annotated[
        str, typer.Option(help="Of the table; a file that is there stays.")
    ] = "1.0.0",
    by: Annotated[str, typer.Option(help="What the table tells apart: sex,grade or sex,age.")] = "",
    informant: Annotated[str | None, typer.Option(help="Where there are several.")] = None,
    scale: Annotated[list[str] | None, typer.Option(help="Only these scales; repeatable.")] = None,
    method: Annotated[
        str,
        typer.Option(
            help="auto, empirical, log_linear, beta_binomial, shash, lms or taylor; auto chooses "
            "by cross-validation."
        ),
    ] = "auto",
    age_bands: Annotated[str, typer.Option(help="Where bands begin and end: 12,15,18.")] = "",
    margins: Annotated[
        Path | None,
        typer.Option(help="The population, for raking: a table with margin, group and count."),
    ] = None,
    asked: Annotated[int | None, typer.Option(min=1, help="How many were to answer.")] = None,
    named: Annotated[
        Named, typer.Option(help="Whether answers were given under the pupil's name.")
    ] = Named.UNKNOWN,
    smallest: Annotated[
        float | None, typer.Option(min=1, help="The smallest effective size of a group.")
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="How columns are named, such as 'PHQ{number}'.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="The day on which ages are taken.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Deals pupils to folds.")] = 0,
    plot: Annotated[Path | None, typer.Option(help="Write a picture of the percentiles.")] = None,
    table: Annotated[Path | None, typer.Option(help="Write all figures to this CSV file.")] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Build a norm table from answers; it is descriptive and moves no tier.

    Illegal answers count as unanswered. Words that begin with "replace" are yours to write. Ends
    with 0 when done, 2 when nothing could be built.
    """
    import datetime as dt

    import mhscreen as mh
    from mhscreen.atomic import whole_file
    from mhscreen.interop.files import write_csv
    from mhscreen.psychometrics.norms import NormAbout

    with errors_end_with(2):
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        try:
            day = dt.date.fromisoformat(review_by)
            bands = [float(one) for one in _listed(age_bands)]
        except ValueError:
            msg = "--review-by is a day, such as 2030-01-31, and --age-bands are numbers"
            raise UsageError(msg) from None
        truth = {Named.YES: True, Named.NO: False, Named.UNKNOWN: None}[named]
        built = mh.build_norm(
            instrument,
            _read(answers),
            NormAbout(name, country, years, day, named=truth, version=version),
            by=_listed(by),
            informant=informant,
            scales=scale,
            method=method,
            age_bands=bands,
            margins=None if margins is None else _margins(margins),
            asked=asked,
            smallest=smallest,
            seed=seed,
            columns=column,
            at=at,
            library=library,
            on_problem="report",
        )
        file = out
        if out.suffix not in {".yaml", ".yml"}:
            folder = built.table.instrument_id
            file = out / folder / f"{built.table.id}.{built.table.version}.yaml"
        if file.exists():
            msg = f"{file.as_posix()} is there already: a table is never edited, add a --version"
            raise UsageError(msg)
        file.parent.mkdir(parents=True, exist_ok=True)
        cases = file.with_suffix(f".cases{file.suffix}")
        for place, text in ((file, built.to_yaml()), (cases, built.cases_yaml())):
            with whole_file(place) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
        if plot is not None:
            _save(built, plot)
        if table is not None:
            write_csv(built.columns(), table)
    for one in built.problems:
        typer.echo(str(one), err=True)
    typer.echo(built.title())
    typer.echo(f"{'已写入' if lang is Language.ZH else 'written'}: {file.as_posix()}")


def drift(
    norm: Annotated[str, typer.Argument(help="A norm table, such as sdq/shanghai-teacher@1.0.0.")],
    answers: Annotated[Path, typer.Argument(help="One form per row: CSV, Parquet or Excel.")],
    percentile_margin: Annotated[
        float, typer.Option(min=0, help="The smallest difference that matters, in points.")
    ] = 5.0,
    sd_margin: Annotated[
        float, typer.Option(min=0, help="The same for tables of means, in standard deviations.")
    ] = 0.2,
    column: Annotated[
        str | None, typer.Option(help="How columns are named, such as 'PHQ{number}'.")
    ] = None,
    composition: Annotated[
        Path | None,
        typer.Option(
            help="Weigh the sample to this composition: a table with the columns margin, group, "
            "count."
        ),
    ] = None,
    at: Annotated[str | None, typer.Option(help="The day on which ages are taken.")] = None,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Tell whether a sample lies further from a norm than matters, by scale and stratum.

    Illegal answers count as unanswered. Ends with 0 when done, 2 when nothing could be compared.
    """
    import mhscreen as mh

    with errors_end_with(2):
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        found = mh.compare_with_norm(
            norm,
            _read(answers),
            columns=column,
            composition=None if composition is None else _margins(composition),
            percentile_margin=percentile_margin,
            sd_margin=sd_margin,
            at=at,
            library=library,
            on_problem="report",
        )
    for problem in found.problems:
        typer.echo(str(problem), err=True)
    typer.echo(found.title())
    left = {"se", "measure", "not_normed"}
    if found.composition is None:
        left.add("as_sampled")  # the same as the effect
    _print_columns({name: one for name, one in found.columns().items() if name not in left})


def _save(result: Result, file: Path) -> None:
    figure: Any = result.plot().figure
    figure.savefig(file)


def _listed(text: str) -> list[Any]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _read(path: Path) -> Table:
    from mhscreen.interop.files import read_table

    log = ProblemLog()
    table = read_table(path, log)
    if table is None or log.errors:
        raise ResponseError(log)
    return table


def _margins(path: Path) -> dict[str, dict[str, float]]:
    """Read margins from a table with the columns margin, group and count."""
    table = _read(path)
    try:
        columns = [table.columns[name].cells() for name in ("margin", "group", "count")]
        found: dict[str, dict[str, float]] = {}
        for margin, group, count in zip(*columns, strict=True):
            found.setdefault(str(margin), {})[str(group)] = float(str(count))
    except (KeyError, ValueError):
        msg = f"{path.name}: columns margin, group and count are expected, the last one numbers"
        raise UsageError(msg) from None
    return found


def _print_columns(columns: Mapping[str, Any]) -> None:
    from rich.table import Table as Printed

    shown = Printed(box=None, pad_edge=False)
    for name, values in columns.items():
        words = isinstance(values[0], str)
        shown.add_column(name.replace("_", " "), justify="left" if words else "right")
    for row in zip(*columns.values(), strict=True):
        shown.add_row(*(f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row))
    to_stdout().print(shown)


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
    from mhscreen.interop.files import write_csv

    with errors_end_with(2):
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        found = mh.compare_norms(a, b, _read(on), cuts=cut or (65, 70), at=at, library=library)
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
