"""``mhscreen audit``: a file of answers against the key and published figures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, to_stdout
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.vocabulary import AuditRemark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.review.audit import Audit, ItemAudit, Remark, ScaleAudit

__all__ = ["add_to"]

_NONE = "–"
_SCALE_HEADINGS = (
    ("scale", "维度"), ("whose", "数据"), ("n", "n"), ("M", "M"), ("SD", "SD"), ("alpha", "α"),
)  # fmt: skip
_ITEM_HEADINGS = (
    ("item", "条目"), ("reversed", "反向"), ("item–rest", "条目—其余相关"),
    ("blank %", "缺答 %"), ("illegal %", "非法 %"),
)  # fmt: skip


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)


def audit(
    ref: Annotated[str, typer.Argument(help="The instrument, such as phq9@1.")],
    file: Annotated[Path, typer.Argument(help="One form per row: CSV, Parquet or Excel.")],
    informant: Annotated[
        str | None,
        typer.Option(help="self, parent, teacher or clinician, where there are several."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="How the items are headed, such as 'PHQ{number}'.")
    ] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Compare a file with its key and with published figures; name what looks mis-coded.

    Only shares and correlations are printed, never an answer. Ends with 0 when nothing is to be
    looked at, 1 when something is, 2 when nothing could be compared.
    """
    import mhscreen as mh
    from mhscreen.interop.files import read_table

    with errors_end_with(2):
        library = mh.installed_library()
        if definitions:
            library = mh.load_library(*definitions, base=library)
        log = ProblemLog()
        table = read_table(file, log)
        if table is None or log.errors:
            raise ResponseError(log)
        found = mh.audit(ref, table, informant=informant, columns=columns, library=library)
    _print(found, lang)
    if found.remarks:
        raise typer.Exit(1)


def _print(found: Audit, lang: Language) -> None:
    chinese = lang is Language.ZH
    typer.echo(f"{found.ref} ({found.slot})")
    forms, rows = found.forms, found.rows
    repeated = f"{100 * found.repeated_rows:.1f} %, {100 * found.repeated_forms:.1f} %"
    if chinese:
        typer.echo(f"{rows} 行，{forms} 份有作答；与先前某行全同、与先前某份作答全同：{repeated}")
    else:
        typer.echo(f"{rows} rows, {forms} forms with an answer; repeated rows, forms: {repeated}")
    by_id = {item.item: item for item in found.items}
    figures = [row for one in found.scales for row in _scale_rows(one, lang)]
    _table(_SCALE_HEADINGS, figures, 2, chinese)
    for scale in found.scales:
        typer.echo(f"\n{scale.scale}: {_missing(scale, chinese=chinese)}")
        if scale.is_sum:
            rows_ = [
                (
                    one.item,
                    "×" if one.reverse else "",
                    _number(one.correlation, sign=True),
                    *_shares(by_id[one.item]),
                )
                for one in scale.items
            ]
            _table(_ITEM_HEADINGS, rows_, 1, chinese)
    typer.echo()
    alike: dict[tuple[AuditRemark, str], list[Remark]] = {}
    for remark in found.remarks:
        alike.setdefault((remark.remark, remark.scale), []).append(remark)
    for (kind, name), several in alike.items():
        words = kind.zh if chinese else kind.en
        items = ", ".join(filter(None, map(_figure, several)))
        typer.echo(": ".join(part for part in (name, words, items) if part))
    number = len(found.remarks)
    typer.echo(f"需要查看：{number} 处" if chinese else f"to be looked at: {number}")


def _missing(scale: ScaleAudit, *, chinese: bool) -> str:
    """Say which forms the figures rest on."""
    needed, complete, scored = scale.min_answered, scale.complete, scale.scored
    if chinese:
        rest = "" if scale.is_sum else "；不是各条目之和，不计算 α 系数与相关"
        rule = f"按其缺答规则（至少 {needed} 题）可计分 {scored} 份"
        return f"以下数据只用完整作答的 {complete} 份；{rule}{rest}"
    rest = "" if scale.is_sum else "; no sum of different items, so no alpha and no correlations"
    rule = f"its own rule (at least {needed} answered) scores {scored}"
    return f"figures rest on the {complete} complete forms; {rule}{rest}"


def _scale_rows(scale: ScaleAudit, lang: Language) -> list[tuple[str, ...]]:
    own = (scale.mean, scale.sd, scale.alpha)
    rows = [(scale.scale, "", str(scale.complete), *map(_number, own))]
    rows += [
        (
            "",
            f"{one.population.label(lang)} ({one.source}, {one.evidence})",
            _NONE if one.n is None else str(one.n),
            *map(_number, (one.mean, one.sd, one.alpha)),
        )
        for one in scale.published
    ]
    return rows


def _shares(item: ItemAudit) -> tuple[str, str]:
    blank, illegal = 100 * item.blank, 100 * item.illegal
    return _number(blank), _number(illegal)


def _number(value: float | None, *, sign: bool = False) -> str:
    if value is None or math.isnan(value):
        return _NONE
    return f"{value:+.2f}" if sign else f"{value:.2f}"


def _figure(remark: Remark) -> str:
    """Name the item with the figure behind the remark."""
    if remark.remark is AuditRemark.CODING_OFFSET:
        figure = f"{remark.value:+g}"
    elif remark.remark is AuditRemark.NEGATIVE_ITEM_REST:
        figure = f"r = {remark.value:+.2f}"
    elif remark.remark is AuditRemark.TOO_FEW:
        figure = f"n = {remark.value:g}"
    elif math.isnan(remark.value):
        return remark.item
    else:
        figure = f"{100 * remark.value:.1f} %"
    return f"{remark.item} ({figure})" if remark.item else figure


def _table(
    headings: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    left: int,
    chinese: bool,
) -> None:
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for place, words in enumerate(headings):
        shown.add_column(
            words[chinese], justify="left" if place < left else "right", overflow="fold"
        )
    for row in rows:
        shown.add_row(*row)
    to_stdout().print(shown)
