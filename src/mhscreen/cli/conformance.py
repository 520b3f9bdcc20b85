"""``mhscreen conformance``: vectors for other people's scorers, and the verdict on one."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with
from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.conformance.generate import Measures
    from mhscreen.conformance.waivers import Waiver

__all__ = ["add_to"]

_KIT = Path("benchmarks/conformance/kit")
KitOption = Annotated[
    Path | None, typer.Option("--kit", help="The folder of the kit, if not the one shipped.")
]
InstrumentOption = Annotated[
    list[str] | None,
    typer.Option("--instrument", help="Such as sdq@1; repeatable. By default all of them."),
]
PolicyOption = Annotated[
    list[str] | None,
    typer.Option("--policy", help="Such as three-tier-cn@1; repeatable."),
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Check a scoring program of any language against the definitions.",
    )
    group.command("generate")(generate)
    group.command("check")(check)
    group.command("export")(export)
    app.add_typer(group, name="conformance")


def generate(
    out: Annotated[Path, typer.Option(help="The folder for the kit.")] = _KIT,
    instrument: InstrumentOption = None,
    policy: PolicyOption = None,
    compare: Annotated[
        bool, typer.Option("--check", help="Write nothing; say whether the kit is as it would be.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Without proofs and held-out diagnosis.")
    ] = False,
) -> None:
    """Choose the vectors of every form and policy, and measure them.

    Ends with 0 when all is noticed and told apart or proved alike (with --check: and the folder
    is up to date), else with 1.
    """
    from mhscreen.conformance.generate import is_good

    with errors_end_with(2):
        if not compare:
            measures = _write(out, instrument or (), policy or (), measure=not quick)
            if not all(map(is_good, measures)):
                raise typer.Exit(1)
            return
        with tempfile.TemporaryDirectory() as name:
            _write(Path(name), instrument or (), policy or (), measure=not quick)
            whole = not instrument and not policy
            stale = _differences(Path(name), out, whole=whole, measured=not quick)
    for file in stale:
        typer.echo(f"not up to date: {file}", err=True)
    if stale:
        raise typer.Exit(1)


def _write(
    out: Path, instruments: Sequence[str], policies: Sequence[str], *, measure: bool
) -> tuple[Measures, ...]:
    """Write what is asked for: by default the forms and the policies."""
    import mhscreen as mh
    from mhscreen.conformance import write_kit, write_policies
    from mhscreen.conformance.policy_scorer import find_screeners
    from mhscreen.conformance.scorer import find_forms

    library = mh.installed_library()
    found: tuple[Measures, ...] = ()
    if instruments or not policies:
        forms = find_forms(library, instruments)
        others = bool(instruments)
        found += write_kit(out, forms, measure=measure, others=others, progress=_show)
    if policies or not instruments:
        screeners = find_screeners(library, policies)
        found += write_policies(out, library, screeners, measure=measure, progress=_show)
    return found


def _show(one: Measures) -> None:
    rate = f", diagnosed {one.diagnosed}/{one.held_out}" if one.held_out else ""
    typer.echo(
        f"{one.form}: {one.vectors} vectors, {one.mutants} mutants, {one.killed} noticed, "
        f"{one.equivalent} proved the same, {one.told_apart}/{one.classes} told apart{rate}",
        err=True,
    )


def _differences(new: Path, old: Path, *, whole: bool, measured: bool) -> list[str]:
    from mhscreen.conformance.write import files_of

    names = [
        name
        for name in files_of(new)
        if (whole or not name.endswith(("manifest.json", "measures.json")))
        and (measured or not name.endswith("measures.json"))
    ]
    stale = [
        name
        for name in names
        if not (old / name).is_file() or (old / name).read_bytes() != (new / name).read_bytes()
    ]
    return stale + ([name for name in files_of(old) if name not in files_of(new)] if whole else [])


def check(  # noqa: PLR0917 - typer reads one parameter per option
    results: Annotated[
        Path | None, typer.Argument(help="A file or a folder: CSV or JSON lines.")
    ] = None,
    instrument: InstrumentOption = None,
    policy: PolicyOption = None,
    informant: Annotated[str | None, typer.Option(help="Only this informant's form.")] = None,
    command: Annotated[
        str | None,
        typer.Option(
            help="A program to run for each form or policy: inputs go in, results come out."
        ),
    ] = None,
    kit: KitOption = None,
    waivers: Annotated[Path | None, typer.Option(help="A file of waivers, YAML or JSON.")] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(help="Write the report: .txt, .json, .xml (JUnit) or .html; repeatable."),
    ] = None,
    lang: LanguageOption = Language.EN,
) -> None:
    """Compare a scorer's results with the kit, and name what it does otherwise.

    Ends with 0 when both verdicts are good, 1 when a clause fails, 2 when nothing was checked.
    """
    import mhscreen as mh
    from mhscreen.conformance import (
        as_text,
        check_policies,
        check_results,
        load_kits,
        load_policy_kits,
        run_command,
        run_policy_command,
        shipped_kit,
    )
    from mhscreen.conformance.kit import read_manifest
    from mhscreen.conformance.report import WRITERS
    from mhscreen.conformance.waivers import read_waivers

    with errors_end_with(2):
        unknown = [file.name for file in out or () if file.suffix.lower() not in WRITERS]
        if unknown:
            msg = f"--out ends in {', '.join(WRITERS)}, not {unknown[0]}"
            raise UsageError(msg)
        if (results is None) == (command is None):
            msg = "give either results or --command"
            raise UsageError(msg)
        if policy and (instrument or informant):
            msg = "--policy stands alone: without --instrument and --informant"
            raise UsageError(msg)
        library = mh.installed_library()
        kit = kit or shipped_kit()
        screened = load_policy_kits(kit, library, policy) if policy else ()
        kits = () if policy else load_kits(kit, library, instrument or (), informant)
        given: tuple[Waiver, ...] = ()
        if waivers is not None:
            names = [entry["form"] for entry in read_manifest(kit)]
            names += [one.screener.name for one in screened]
            given = read_waivers(waivers, names)
        words = shlex.split(command or "")
        if policy and results is not None:
            found = check_policies(screened, results, waivers=given)
        elif policy:
            found = run_policy_command(screened, words, waivers=given)
        elif results is not None:
            found = check_results(kits, results, waivers=given)
        else:
            found = run_command(kits, words, waivers=given)
        for file in out or ():
            text = WRITERS[file.suffix.lower()](found, lang)
            file.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(as_text(found, lang), nl=False)
    if not found.passed:
        raise typer.Exit(1)


def export(
    out: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .zip.")],
    kit: KitOption = None,
) -> None:
    """Copy the kit for whoever is to be checked; nothing of mhscreen is needed to score it.

    Ends with 0, or with 2 when nothing was written.
    """
    from mhscreen.conformance import export_kit, shipped_kit

    with errors_end_with(2):
        number = export_kit(kit or shipped_kit(), out)
    typer.echo(f"{number} files in {out}")
