"""``mhscreen screen`` and ``mhscreen demo``: the main job."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import (
    Language,
    LanguageOption,
    errors_end_with,
    print_problems,
    to_stderr,
    to_stdout,
)
from mhscreen.cli.words import SHORT_TIERS, STEP_NAMES, say
from mhscreen.problems import CATALOGUE, UsageError
from mhscreen.vocabulary import ScreenTier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import Console
    from rich.table import Table

    from mhscreen.interop.run_folder import FolderRun
    from mhscreen.plan.plan import Plan

__all__ = ["add_to", "read_columns"]

_UNBOUNDED = 10_000  # columns; a table that would have to be squeezed becomes a list
_SHOWN = 5  # implausible shares, and kinds of problems, of which one each is printed
_STOPPED = 130  # as a shell reports it
_PROGRAMME = "qingdao-2023@1"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("screen")(screen)


def demo(
    pupils: Annotated[int, typer.Option(min=1, help="How many pupils to simulate.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same district.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Keep the files in this folder.")] = None,
    at: Annotated[str, typer.Option(help="The day of the screening.")] = "2026-10-15",
    lang: LanguageOption = Language.EN,
) -> None:
    """Screen a synthetic district 模拟数据, exactly as `screen` does it."""
    from mhscreen.interop.run_folder import screen_files, write_district

    with errors_end_with(2), TemporaryDirectory() if out is None else nullcontext(out) as folder:
        plan = _compile(_PROGRAMME, ())
        place = Path(folder)
        roster, responses = write_district(
            plan, pupils, seed=seed, on=_day(at), folder=place / "input"
        )
        with _progress(lang) as progress:
            run = screen_files(
                plan,
                roster=roster,
                responses=responses,
                at=at,
                out=place if out is None else out,
                progress=progress,
                synthetic=True,
            )
        _print_run(run, lang, synthetic=True, kept=out is not None)


def screen(
    *,
    programme: Annotated[str, typer.Option(help="Such as qingdao-2023@1.")],
    roster: Annotated[Path, typer.Option(help="One row per pupil: CSV, Parquet or Excel.")],
    responses: Annotated[
        Path, typer.Option(help="A folder of tables named by slot, such as phq9.csv.")
    ],
    at: Annotated[str, typer.Option(help="Date or time of the screening.")],
    out: Annotated[Path, typer.Option(help="The folder for the results.")],
    archive_csv: Annotated[
        bool, typer.Option("--archive-csv", help="Write the archive as CSV, too.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLOT=PATTERN",
            help="How the items of a slot are headed, such as 'phq9=PHQ{number}'; repeatable.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes work at once.")] = 1,
    work: Annotated[
        Path | None,
        typer.Option(
            help="A folder for temporary files; by default beside --out. They are removed."
        ),
    ] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[
        list[Path] | None,
        typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
    ] = None,
) -> None:
    """Screen every pupil of a roster, and write who must be seen, the archive and the ledger.

    The files may be larger than memory. A run that was stopped goes on when it is started again.
    Ends with 0 when clean, 1 when done with problems (see problems.csv), 2 when nothing was
    written.
    """
    from mhscreen.interop.run_folder import screen_files
    from mhscreen.interop.work_folder import work_path

    with errors_end_with(2), _stopped_ends_with_a_word(work_path(out, work), lang):
        plan = _compile(programme, tuple(definitions or ()))
        with _progress(lang) as progress:
            run = screen_files(
                plan,
                roster=roster,
                responses=responses,
                at=at,
                out=out,
                archive_csv=archive_csv,
                columns=read_columns(columns or ()),
                progress=progress,
                workers=workers,
                temporary=work,
            )
    _print_run(run, lang, synthetic=False, kept=True)
    if run.record["problems"]["errors"]:
        raise typer.Exit(1)


@contextmanager
def _stopped_ends_with_a_word(kept: Path, lang: Language) -> Iterator[None]:
    """Say where the work of a run is kept that somebody stops."""
    try:
        yield
    except KeyboardInterrupt:
        if kept.exists():
            to_stderr().print(say("stopped", lang, path=kept), soft_wrap=True)
        raise typer.Exit(_STOPPED) from None


def _compile(programme: str, definitions: tuple[Path, ...]) -> Plan:
    import mhscreen as mh

    library = mh.installed_library()
    if definitions:
        library = mh.load_library(*definitions, base=library)
    return mh.compile_plan(library, programme=programme)


def read_columns(given: Iterable[str]) -> dict[str, str] | None:
    """Return how the items of slots are headed, from what was given as SLOT=PATTERN."""
    patterns: dict[str, str] = {}
    for one in given:
        slot, equals, pattern = one.partition("=")
        slot = slot.strip().casefold()
        if not (slot and equals and pattern) or slot in patterns:
            msg = (
                f"--columns {one}: SLOT=PATTERN is expected, such as phq9=PHQ{{number}}, once each"
            )
            raise UsageError(msg)
        patterns[slot] = pattern
    return patterns or None


def _day(at: str) -> dt.date:
    try:
        return dt.date.fromisoformat(at[:10])
    except ValueError:
        msg = "--at is a date, such as 2026-10-15"
        raise UsageError(msg) from None


@contextmanager
def _progress(lang: Language) -> Iterator[Callable[[str, int, int], None]]:
    """Show progress on standard error where that is a terminal."""
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from mhscreen.interop.run_folder import STEPS

    console = to_stderr()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown as progress:
        tasks = {step: progress.add_task("", start=False, visible=False) for step in STEPS}

        def tell(step: str, done: int, total: int) -> None:
            # A bar for each step: what is left of one says when it will end.
            for other, task in tasks.items():
                progress.update(task, visible=other == step)
            if not progress.tasks[tasks[step]].started:
                progress.start_task(tasks[step])
            name = STEP_NAMES[step][lang is Language.ZH]
            progress.update(tasks[step], completed=done, total=total, description=name)

        yield tell


# -- what is printed ------------------------------------------------------------------------------


def _print_run(run: FolderRun, lang: Language, *, synthetic: bool, kept: bool) -> None:
    console = to_stdout()

    def line(key: str, **parts: object) -> None:
        console.print(say(key, lang, **parts), soft_wrap=True)

    if synthetic:
        line("synthetic")
    _print_urgent(run, lang, console, kept=kept)
    console.print()
    _print_tiers(run, lang, console, synthetic=synthetic)
    console.print()
    _print_problems(run, lang, console)
    policy = run.plan.policy
    if policy.approved_by is None:
        line("unsigned", ref=policy.ref)
    else:
        line("signed", ref=policy.ref, who=policy.approved_by)
    if kept:
        line("written", path=run.folder, files=", ".join(run.files))
    else:
        line("not_kept")
    line("not_this")
    if synthetic:
        line("synthetic")


def _print_problems(run: FolderRun, lang: Language, console: Console) -> None:
    """Print what looks implausible, how many problems there are, and the first of them."""
    if not run.problems:
        console.print(say("clean", lang), soft_wrap=True)
        return
    found = run.record["problems"]
    shares = [problem for problem in run.problems if problem.code == "MH605"]
    if shares:
        number = found["by_code"]["MH605"]
        console.print(say("shares", lang, number=number), soft_wrap=True)
        for problem in shares[:_SHOWN]:
            console.print(f"  {problem.path}: {problem.what} ({problem.expected})", soft_wrap=True)
        if number > _SHOWN:
            console.print("  " + say("more", lang, number=number - _SHOWN))
    text = say("problems", lang, errors=found["errors"], warnings=found["warnings"])
    console.print(text, soft_wrap=True)
    for code, number in found["by_code"].items():
        console.print(f"  {number} × {code} {CATALOGUE[code].slug}", soft_wrap=True)
    examples = {problem.code: problem for problem in reversed(run.errors)}
    print_problems([examples[code] for code in sorted(examples)][:_SHOWN])


def _print_urgent(run: FolderRun, lang: Language, console: Console, *, kept: bool) -> None:
    """Print how many must be seen today and why; forms that match nobody come first."""
    from mhscreen.steps.urgent import WHY

    number = run.record["urgent"]
    text = say("urgent", lang, number=number)
    if kept:
        text += " " + say("urgent_list", lang, path=run.folder / "urgent.csv")
    console.print(text, soft_wrap=True, style="bold")
    if run.to_match:
        console.print("  " + say("unmatched", lang, number=run.to_match), soft_wrap=True)
    off_roster = run.record["unmatched"]
    if off_roster:
        console.print("  " + say("off_roster", lang, number=off_roster), soft_wrap=True)
    for english, chinese in WHY.values():
        if run.urgent_reasons.get(english):
            why = chinese if lang is Language.ZH else english
            text = say("why", lang, why=why, number=run.urgent_reasons[english])
            console.print("  " + text, soft_wrap=True)


def _print_tiers(run: FolderRun, lang: Language, console: Console, *, synthetic: bool) -> None:
    """Print the number of pupils by school and tier, as a table or, where narrow, a list."""
    title = say("table", lang)
    if synthetic:
        title = f"{title} · {say('synthetic', lang)}"
    places = [ScreenTier(tier).position for tier in SHORT_TIERS]
    names = [pair[lang is Language.ZH] for pair in SHORT_TIERS.values()]
    rows = [
        (school or say("no_school", lang), [counts[place] for place in places])
        for school, counts in run.tiers_by_school.items()
    ]
    sums = [sum(column) for column in zip(*(counts for _, counts in rows), strict=True)]
    console.print(title, soft_wrap=True, style="bold")
    table = _tier_table(rows, names, sums, lang)
    anything = console.options.update(max_width=_UNBOUNDED)
    if console.measure(table, options=anything).maximum <= console.width:
        console.print(table)
        return
    for school, counts in [*rows, (say("all", lang), sums)]:
        listed = [f"{name} {n}" for name, n in zip(names, counts, strict=True) if n]
        console.print(f"{school} ({sum(counts)})", soft_wrap=True)
        console.print("  " + " · ".join(listed), soft_wrap=True)


def _tier_table(
    rows: list[tuple[str, list[int]]], names: list[str], sums: list[int], lang: Language
) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    table.add_column(say("school", lang), footer=say("all", lang))
    for name, total in zip(names, sums, strict=True):
        table.add_column(name, footer=f"{total}", justify="right")
    table.add_column(say("all", lang), footer=f"{sum(sums)}", justify="right")
    for school, counts in rows:
        table.add_row(school, *(f"{n}" if n else "·" for n in counts), f"{sum(counts)}")
    return table
