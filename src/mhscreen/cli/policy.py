"""``mhscreen policy``: look at a policy before it is signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, to_stdout
from mhscreen.cli.words import SHORT_TIERS
from mhscreen.problems import ProblemLog, ResponseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mhscreen.loading import Library
    from mhscreen.review.forecast import Forecast
    from mhscreen.review.policy_check import PolicyCheck
    from mhscreen.review.policy_diff import PolicyDiff

__all__ = ["add_to"]

DefinitionsOption = Annotated[
    list[Path] | None,
    typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a JSON document.")]

_KINDS = {
    "gap": ("gap", "缺口"),
    "contradiction": ("contradiction", "矛盾"),
    "dead": ("dead rule", "无效规则"),
    "not_upward_closed": ("not upward closed", "不满足单调性"),
}
_NEAREST = ("nearest", "最接近的作答")
_EXAMPLE = ("example", "例")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    policy = typer.Typer(help="Look at a policy before it is signed.", no_args_is_help=True)
    policy.callback()(_common)  # so that one command alone keeps its name
    policy.command("check")(check)
    policy.command("diff")(diff)
    policy.command("forecast")(forecast)
    app.add_typer(policy, name="policy")


def _common() -> None:
    """Look at a policy before it is signed."""


def library_with(definitions: list[Path] | None) -> Library:
    """Return the installed definitions, with a user's own beside them."""
    import mhscreen as mh

    library = mh.installed_library()
    return mh.load_library(*definitions, base=library) if definitions else library


def check(
    policy: Annotated[str, typer.Argument(help="A policy, such as three-tier-cn@1.0.0.")],
    programme: Annotated[
        str | None, typer.Option(help="A programme under it: is every required form read?")
    ] = None,
    lang: LanguageOption = Language.EN,
    json_: JsonOption = False,
    definitions: DefinitionsOption = None,
) -> None:
    """Go through every cell that the thresholds of a policy cut, and print what is wrong.

    Gaps, contradictions, dead rules and worse answers that lower a tier, each with answers that
    show it. Ends with 0 when the logic is sound, 1 with findings, 2 when nothing could be checked.
    """
    import mhscreen as mh

    with errors_end_with(2):
        library = library_with(definitions)
        found = mh.check_policy(policy, programme=programme, library=library)
    if json_:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print(found, chinese=lang is Language.ZH)
    if found.findings:
        raise typer.Exit(1)


def _print(found: PolicyCheck, *, chinese: bool) -> None:
    for one in found.findings:
        kind = _KINDS[one.kind][chinese]
        typer.echo(f"{kind}: {one.where}: {one.what_zh if chinese else one.what}")
        word = _NEAREST[chinese] if one.kind == "contradiction" else _EXAMPLE[chinese]
        if one.example is not None:
            typer.echo(f"    {word}: {one.example}")
        if one.worse is not None:
            typer.echo(f"    {'更差的作答' if chinese else 'worse'}: {one.worse}")
    if chinese:
        typer.echo(
            f"{found.policy}：问卷 {found.forms} 份、比较 {found.comparisons} 个、"
            f"单元 {found.cells} 个，发现 {len(found.findings)} 个问题"
        )
    else:
        typer.echo(
            f"{found.policy}: {found.forms} forms, {found.comparisons} comparisons, "
            f"{found.cells} cells, {len(found.findings)} findings"
        )


def diff(
    *,
    a: Annotated[str, typer.Argument(help="The policy that an archive was made with.")],
    b: Annotated[str, typer.Argument(help="The policy that is to replace it.")],
    on: Annotated[
        Path | None,
        typer.Option(
            help="An archive.parquet. It holds scores, no answers and no ages: rules that read "
            "items or norms must be the same in A and B."
        ),
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="In place of an archive: one row per pupil.")
    ] = None,
    responses: Annotated[
        Path | None, typer.Option(help="With the roster: a folder of tables named by slot.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="With answers: date of the screening.")] = None,
    programme: Annotated[
        str | None, typer.Option(help="Who is screened with what; else the one that uses A.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write who moves, and by which rules, to this CSV file.")
    ] = None,
    lang: LanguageOption = Language.EN,
    json_: JsonOption = False,
    definitions: DefinitionsOption = None,
) -> None:
    """Tell which pupils change tier under another policy, and by which rules.

    Ends with 0 when done, 2 when nothing could be compared.
    """
    import mhscreen as mh
    from mhscreen.interop.files import read_folder, read_table, write_csv

    with errors_end_with(2):
        log = ProblemLog()
        tables = [None if path is None else read_table(path, log) for path in (on, roster)]
        answers = None if responses is None else dict(read_folder(responses, log))
        if log.errors or any(
            path is not None and table is None
            for path, table in zip((on, roster), tables, strict=True)
        ):
            raise ResponseError(log)
        found = mh.diff_policies(
            a,
            b,
            on=tables[0],
            roster=tables[1],
            responses=answers,
            at=at,
            programme=programme,
            library=library_with(definitions),
        )
        if out is not None:
            write_csv(found.moves(), out)
    if json_:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print_diff(found, chinese=lang is Language.ZH)


def _print_diff(found: PolicyDiff, *, chinese: bool) -> None:
    from rich.table import Table as RichTable

    typer.echo(f"A: {found.a}\nB: {found.b}")
    columns = found.table()
    shown = RichTable(box=None, pad_edge=False)
    shown.add_column("A \\ B")
    tiers = list(columns)[1:]
    for tier in tiers:
        shown.add_column(SHORT_TIERS[tier][chinese], justify="right")
    for place, tier in enumerate(columns["tier_a"]):
        numbers = (str(columns[there][place]) for there in tiers)
        shown.add_row(SHORT_TIERS[tier][chinese], *numbers)
    to_stdout().print(shown)
    apart, moved = len(found.not_compared()), int(found.moved.sum())
    if chinese:
        typer.echo(f"{len(found.subjects)} 名学生，{moved} 名级别变化，{apart} 名无法比较")
    else:
        typer.echo(f"{len(found.subjects)} pupils, {moved} move, {apart} not compared")
    for name, words in (("began", ("began to hold", "新成立")), ("ceased", ("ceased", "不再成立"))):
        for rule, number in _counted(found.moves()[name]):
            typer.echo(f"  {words[chinese]}: {rule} {number}")


def _counted(joined: list[str]) -> list[tuple[str, int]]:
    """Return how many pupils each rule changed for, the most frequent first."""
    from collections import Counter

    return Counter(rule for one in joined for rule in one.split(";") if rule).most_common()


def forecast(
    *,
    policy: Annotated[str, typer.Argument(help="A policy, such as three-tier-cn@1.0.0.")],
    start: Annotated[str, typer.Option(help="The first day of screening.")],
    programme: Annotated[
        str | None, typer.Option(help="Who is screened with what; else the one that uses it.")
    ] = None,
    enrolment: Annotated[
        list[str] | None,
        typer.Option(metavar="STAGE=PUPILS", help="Such as junior=900; repeatable."),
    ] = None,
    on: Annotated[
        Path | None,
        typer.Option(help="An archive.parquet made under this policy; else pupils are simulated."),
    ] = None,
    base_rate: Annotated[
        float | None, typer.Option(help="The share of pupils who are cases, such as 0.08.")
    ] = None,
    sensitivity: Annotated[
        float | None, typer.Option(help="Of the policy at general or higher; else simulated.")
    ] = None,
    specificity: Annotated[float | None, typer.Option(help="The same.")] = None,
    hours: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIER=HOURS", help="Of a first interview, such as severe=1.5; repeatable."
        ),
    ] = None,
    counsellors: Annotated[float, typer.Option(help="How many there are.")] = 1.0,
    hours_per_week: Annotated[
        float, typer.Option(help="What each has for first interviews in a full week.")
    ] = 10.0,
    simulated: Annotated[int, typer.Option(min=1, help="How many pupils to simulate.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same forecast.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the weeks to this CSV file.")] = None,
    lang: LanguageOption = Language.EN,
    json_: JsonOption = False,
    definitions: DefinitionsOption = None,
) -> None:
    """Forecast a season: pupils per tier and week, hours against capacity, missed cases.

    Ends with 0 when done, 2 when nothing could be forecast. Warnings cap nothing.
    """
    import mhscreen as mh
    from mhscreen.interop.files import read_table, write_csv

    with errors_end_with(2):
        log = ProblemLog()
        table = None if on is None else read_table(on, log)
        if log.errors or (on is not None and table is None):
            raise ResponseError(log)
        pupils = _numbers(enrolment, "--enrolment")
        found = mh.forecast(
            policy,
            start=start,
            programme=programme,
            on=table,
            enrolment=None if pupils is None else {k: int(v) for k, v in pupils.items()},
            base_rate=base_rate,
            sensitivity=sensitivity,
            specificity=specificity,
            hours=_numbers(hours, "--hours"),
            counsellors=counsellors,
            hours_per_week=hours_per_week,
            simulated=simulated,
            seed=seed,
            library=library_with(definitions),
        )
        if out is not None:
            write_csv(found.table(), out)
    if json_:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=2))
    else:
        _print_forecast(found, chinese=lang is Language.ZH)


def _numbers(given: Iterable[str] | None, option: str) -> dict[str, float] | None:
    if given is None:
        return None
    numbers = {}
    for one in given:
        name, _, number = one.partition("=")
        try:
            numbers[name.strip()] = float(number)
        except ValueError:
            msg = f"{option}: NAME=NUMBER is expected, not {one!r}"
            raise UsageError(msg) from None
    return numbers or None


_COLUMNS = {"week_of": "周", "hours": "所需工时", "capacity": "可用工时", "waiting": "积压工时"}


def _print_forecast(found: Forecast, *, chinese: bool) -> None:
    from rich.table import Table as RichTable

    simulated = found.population.truth is not None
    number = len(found.population.tier)
    if chinese:
        kind = "模拟" if simulated else "真实"
        typer.echo(f"{found.policy}，{found.programme}；各级别比例来自 {number} 名{kind}学生")
    else:
        kind = "simulated" if simulated else "real"
        typer.echo(f"{found.policy}, {found.programme}; shares of {number} {kind} pupils")
    shown = RichTable(box=None, pad_edge=False)
    columns = found.table()
    for name in columns:
        words = SHORT_TIERS.get(name, (name.replace("_", " "), _COLUMNS.get(name, name)))
        shown.add_column(words[chinese], justify="left" if name == "week_of" else "right")
    for row in zip(*columns.values(), strict=True):
        shown.add_row(*(f"{cell:g}" if isinstance(cell, float) else cell for cell in row))
    to_stdout().print(shown)
    if found.accuracy is not None:
        typer.echo(_accuracy_words(found, chinese=chinese))
    for warning in found.warnings:
        typer.echo(f"{'提醒' if chinese else 'warning'}: {warning[chinese]}")


def _accuracy_words(found: Forecast, *, chinese: bool) -> str:
    one = found.accuracy
    if one is None:
        return ""
    if chinese:
        basis = "设定值" if one.basis == "stated" else "模拟估计，指与模拟水平一致，而非与诊断一致"
        return (
            f"基础率 {one.base_rate:g}，灵敏度 {one.sensitivity:.3f}，特异度 {one.specificity:.3f}"
            f"（{basis}）：\n"
            f"一般及以上 {one.flagged:.0f} 人，其中真阳性 {one.true:.0f} 人"
            f"（阳性预测值 {one.ppv:.0%}），漏报 {one.missed:.0f} 人"
        )
    basis = "stated"
    if one.basis == "simulated":
        basis = "simulated: agreement with a simulated level, not with a disorder"
    return (
        f"base rate {one.base_rate:g}, sensitivity {one.sensitivity:.3f}, "
        f"specificity {one.specificity:.3f} ({basis}):\n"
        f"{one.flagged:.0f} at general or higher, {one.true:.0f} of them cases "
        f"(PPV {one.ppv:.0%}), {one.missed:.0f} cases missed"
    )
