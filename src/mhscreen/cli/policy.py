"""``mhscreen policy``: look at a policy before it is signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with

if TYPE_CHECKING:
    from mhscreen.loading import Library
    from mhscreen.review.policy_check import PolicyCheck

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
