"""``mhscreen ledger append | copy | verify | replay | erase | retention``: keep the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.ledger.cases import LedgerOption, OnOption
from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, print_problems
from mhscreen.cli.screen import read_columns
from mhscreen.vocabulary import ErasureGround, Role

if TYPE_CHECKING:
    from mhscreen.loading import Library

__all__ = ["add_to"]

_MOST = 20
_Definitions = Annotated[
    list[Path] | None,
    typer.Option(
        "--definitions", help="Definitions of your own beside the installed ones; repeatable."
    ),
]
_At = Annotated[str, typer.Option("--at", help="The date or time.")]

_PHRASES = {
    "appended": (
        "{added} entries added, {already} were there already.",
        "新增 {added} 条，已存在 {already} 条。",
    ),
    "erased_before": (
        "{number} had been erased, and stay so.",
        "{number} 条此前已删除，不再恢复。",
    ),
    "outdated": (
        "{number} screening entries were there already, and others have replaced them since:",
        "{number} 条测评条目早已存在，且已被后来的条目取代：",
    ),
    "root": ("Root of the ledger: {root}", "台账总校验：{root}"),
    "copied": ("Copied: {number} entries.", "已复制：{number} 条。"),
    "verified": (
        "{entries} entries ({erased} erased), {batches} batches: {state}.",
        "共 {entries} 条（其中已删除 {erased} 条），{batches} 批：{state}。",
    ),
    "whole": ("unchanged", "未见改动"),
    "changed": ("CHANGED", "有改动"),
    "replayed": (
        "{same} entries came out byte for byte, {different} otherwise; {erased} are erased.",
        "{same} 条逐字节一致，{different} 条不一致；台账中已删除 {erased} 条。",
    ),
    "kept": (
        "Of what was erased ids and hashes are left; the ledger verifies as before.",
        "已删除的条目仅保留编号与校验和，台账仍可核验。",
    ),
    "copies": (
        "Backups, printed papers and earlier copies are not touched: erase them, too.",
        "备份、纸质材料和以前的副本不受影响，请另行删除。",
    ),
    "due": ("Retention has ended for {number} pupils.", "保存期已届满：{number} 名学生。"),
    "hold": ("on legal hold", "依法保全"),
}


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("append")(append)
    group.command("copy")(copy)
    group.command("verify")(verify)
    group.command("replay")(replay)
    group.command("erase")(erase)
    group.command("retention")(retention)


def append(
    files: Annotated[
        list[Path],
        typer.Argument(help="JSON lines: the ledger.jsonl of a run, or drafts by people."),
    ],
    ledger: Annotated[
        str,
        typer.Option(help="ledger.jsonl, sqlite:///ledger.db or postgresql://…; made if need be."),
    ],
    programme: Annotated[
        str | None, typer.Option(help="What drafts are completed by, such as qingdao-2023@1.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="When the drafts are entered.")] = None,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Enter files as one batch: all of it, or nothing where anything is wrong.

    What is there already is not added again, and nothing that is there is changed.
    """
    import mhscreen as mh

    with errors_end_with(2):
        given = None
        if programme is not None:
            given = _library(definitions).programme(programme).definition
        opened = mh.open_ledger(ledger, create=True)
        found = mh.append_files(opened, files, programme=given, at=at)
    _say("appended", lang, added=found.added, already=found.already)
    if found.erased:
        _say("erased_before", lang, number=found.erased)
    if found.outdated:
        _say("outdated", lang, number=len(found.outdated))
        for name in found.outdated[:_MOST]:
            typer.echo(f"  {name}")
    _say("root", lang, root=found.root)


def copy(
    source: Annotated[str, typer.Argument(help="A ledger.")],
    target: Annotated[str, typer.Argument(help="Where there is none yet; .parquet for exchange.")],
    lang: LanguageOption = Language.EN,
) -> None:
    """Copy a whole ledger as it is: batches, chains and tombstones included."""
    import mhscreen as mh

    with errors_end_with(2):
        kept = mh.open_ledger(source)
        mh.copy_ledger(kept, mh.open_ledger(target, create=True))
        _say("copied", lang, number=sum(batch.entries for batch in kept.batches()))


def verify(
    ledger: LedgerOption,
    root: Annotated[
        str | None, typer.Option(help="A root that was published: is that state still in it?")
    ] = None,
    lang: LanguageOption = Language.EN,
) -> None:
    """Check every hash, every pupil's chain and every batch.

    Ends with 0 where nothing was changed, 1 where something was, 2 where there is no ledger.
    """
    import mhscreen as mh

    with errors_end_with(2):
        found = mh.verify_ledger(mh.open_ledger(ledger), root)
    print_problems(found.problems, most=_MOST)
    state = _phrase("changed" if found.problems else "whole", lang)
    counts = {"entries": found.entries, "erased": found.erased, "batches": found.batches}
    _say("verified", lang, state=state, **counts)
    _say("root", lang, root=found.root)
    if found.problems:
        raise typer.Exit(1)


def replay(
    ledger: LedgerOption,
    *,
    programme: Annotated[str, typer.Option(help="At the version of the first time.")],
    roster: Annotated[Path, typer.Option(help="The roster of the first time.")],
    responses: Annotated[Path, typer.Option(help="The answers of the first time.")],
    at: _At,
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="SLOT=PATTERN", help="As for `screen`; repeatable."),
    ] = None,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Make the screening entries of a run again, and say what came out otherwise and why.

    Ends with 0 where all came out byte for byte, 1 where one did not, 2 where nothing was compared.
    """
    import mhscreen as mh

    with errors_end_with(2):
        plan = mh.compile_plan(_library(definitions), programme=programme)
        found = mh.replay(
            plan,
            mh.open_ledger(ledger),
            roster=roster,
            responses=responses,
            at=at,
            columns=read_columns(columns or ()),
        )
    for one in found.different[:_MOST]:
        why = ", ".join(reason.label(lang) for reason in one.why)
        typer.echo(" · ".join(filter(None, (one.pupil_ref, one.entry_id, why, *one.fields))))
    if len(found.different) > _MOST:
        typer.echo(f"… {len(found.different) - _MOST}")
    _say("replayed", lang, same=found.same, different=len(found.different), erased=found.erased)
    if found.different:
        raise typer.Exit(1)


def erase(
    ledger: LedgerOption,
    *,
    pupil: Annotated[str | None, typer.Option(help="All entries of this pupil.")] = None,
    entry: Annotated[
        list[str] | None, typer.Option(help="Or the entry of this id; repeatable.")
    ] = None,
    ground: Annotated[ErasureGround, typer.Option(help="Why.")],
    author: Annotated[str, typer.Option(help="Who erases.")],
    role: Annotated[Role, typer.Option(help="In what role.")],
    approved_by: Annotated[str, typer.Option(help="Who approved it: somebody else.")],
    programme: Annotated[str, typer.Option(help="Such as qingdao-2023@1.")],
    at: _At,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Erase entries: their content goes, ids and hashes stay, and an entry says who and why.

    Refused for a pupil on legal hold, and while a severe or major case is open.
    """
    import mhscreen as mh

    with errors_end_with(2):
        library = _library(definitions)
        found = mh.erase_entries(
            mh.open_ledger(ledger),
            pupil_ref=pupil,
            entries=entry or (),
            ground=ground,
            author=author,
            role=role,
            approved_by=approved_by,
            programme=library.programme(programme).definition,
            at=at,
            library=library,
        )
    _say("kept", lang)
    _say("copies", lang)
    _say("root", lang, root=found.root)


def retention(
    ledger: LedgerOption,
    on: OnOption,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """List whose entries have been kept as long as the programme says. Nothing is erased."""
    import mhscreen as mh

    with errors_end_with(2):
        entries = mh.open_ledger(ledger).entries()
        found = mh.retention_ends(entries, on, library=_library(definitions))
    for one in found:
        held = _phrase("hold", lang) if one.on_hold else ""
        parts = (f"{one.due_on}", one.pupil_ref, one.school, f"{one.entries}", held)
        typer.echo(" · ".join(part for part in parts if part))
    _say("due", lang, number=len(found))


def _library(definitions: list[Path] | None) -> Library:
    import mhscreen as mh

    library = mh.installed_library()
    return mh.load_library(*definitions, base=library) if definitions else library


def _phrase(key: str, lang: Language) -> str:
    return _PHRASES[key][lang is Language.ZH]


def _say(key: str, lang: Language, **parts: object) -> None:
    typer.echo(_phrase(key, lang).format(**parts))
