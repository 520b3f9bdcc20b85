"""``mhscreen ledger cases | due | show``: where cases stand, and what is to be done."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, print_problems
from mhscreen.problems import UsageError
from mhscreen.vocabulary import CaseStatus, Role

if TYPE_CHECKING:
    from mhscreen.ledger.cases import Case, Cases

__all__ = ["LedgerOption", "OnOption", "add_to", "fold_ledger"]

LedgerOption = Annotated[
    str, typer.Option("--ledger", help="A ledger.jsonl, or the address of a database.")
]
OnOption = Annotated[
    str, typer.Option("--on", help="As of the beginning of this day, or this time.")
]
_DEFINITIONS = typer.Option(help="Definitions of your own beside the installed ones; repeatable.")
_OUT = typer.Option(help="Write the rows as CSV to this file.")


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("cases")(list_cases)
    group.command("due")(list_due)
    group.command("show")(show_case)


def fold_ledger(where: str, definitions: list[Path] | None = None) -> Cases:
    """Open a ledger and fold it; what was refused or is missing goes to standard error."""
    import mhscreen as mh
    from mhscreen.ledger.stores import open_ledger

    library = mh.installed_library()
    if definitions:
        library = mh.load_library(*definitions, base=library)
    cases = mh.fold((row.document() for row in open_ledger(where).rows()), library=library)
    print_problems(cases.problems, most=20)
    return cases


def list_cases(
    ledger: LedgerOption,
    on: OnOption,
    *,
    school: Annotated[str | None, typer.Option(help="Only this school.")] = None,
    everybody: Annotated[bool, typer.Option("--all", help="Pupils without a case, too.")] = False,
    out: Annotated[Path | None, _OUT] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[list[Path] | None, _DEFINITIONS] = None,
) -> None:
    """List where each case stands. For staff only."""
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.tables import case_columns
    from mhscreen.ledger.words import CASE_TIERS

    with errors_end_with(2):
        cases = fold_ledger(ledger, definitions)
        now = _now(cases, on)
        shown = [
            case
            for case in cases
            if (school is None or case.org.get("school") == school)
            and (everybody or case.status is not CaseStatus.NO_CASE)
        ]
        if out is not None:
            write_csv(case_columns(shown, now), out, for_people=True)
            typer.echo(out)
            return
        zh = lang is Language.ZH
        for case in shown:
            screen = "" if case.screen_tier is None else case.screen_tier.label(lang)
            tier = "" if case.case_tier is None else CASE_TIERS[case.case_tier][zh]
            late = len(case.overdue(now))
            parts = [case.pupil_ref, case.org.get("school", ""), case.status.label(lang), screen]
            parts += [tier, _overdue(late, zh=zh)]
            typer.echo(" · ".join(part for part in parts if part))
        counts = Counter(case.status for case in shown)
        line = " · ".join(f"{s.label(lang)} {counts[s]}" for s in CaseStatus if counts[s])
        typer.echo(line or ("没有个案" if zh else "no case"))


def list_due(
    ledger: LedgerOption,
    on: OnOption,
    *,
    by: Annotated[Role | None, typer.Option(help="Only what this role does.")] = None,
    school: Annotated[str | None, typer.Option(help="Only this school.")] = None,
    out: Annotated[Path | None, _OUT] = None,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[list[Path] | None, _DEFINITIONS] = None,
) -> None:
    """List what is to be done by the end of the month, the most pressing first. For staff only.

    Ends with 1 where something is overdue.
    """
    import mhscreen as mh
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.tables import work_columns

    with errors_end_with(2):
        items = [
            item
            for item in mh.due(fold_ledger(ledger, definitions), on)
            if (by is None or item.action.by is by)
            and (school is None or item.case.org.get("school") == school)
        ]
        if out is not None:
            write_csv(work_columns(items), out, for_people=True)
            typer.echo(out)
    late = sum(item.overdue for item in items)
    if out is None:
        zh = lang is Language.ZH
        for item in items:
            action = item.action
            what = (action.title or action.does).label(lang)
            if action.to is not None:
                what += f" → {action.to.label(lang)}"
            when = _held(zh=zh) if action.due_at is None else f"{action.due_at:%Y-%m-%d %H:%M}"
            parts = [when, _overdue(1, zh=zh) if item.overdue else "", item.case.pupil_ref]
            parts += [item.case.org.get("school", ""), what, action.by.label(lang)]
            typer.echo(" · ".join(part for part in parts if part))
        typer.echo(
            f"共 {len(items)} 项，逾期 {late} 项" if zh else f"{len(items)}, overdue: {late}"
        )
    if late:
        raise typer.Exit(1)


def show_case(
    ledger: LedgerOption,
    pupil: Annotated[str, typer.Argument(help="The pupil's reference.")],
    on: OnOption,
    *,
    lang: LanguageOption = Language.EN,
    definitions: Annotated[list[Path] | None, _DEFINITIONS] = None,
) -> None:
    """Tell where one case stands, who decided what, and what is to be done. For staff only."""
    import mhscreen as mh

    with errors_end_with(2):
        cases = fold_ledger(ledger, definitions)
        case = _find(cases, pupil, ledger)
        typer.echo(mh.explain_case(case, lang, on=_now(cases, on)))


def _find(cases: Cases, pupil: str, ledger: str) -> Case:
    if pupil not in cases.by_pupil:
        msg = f"{ledger} has no entry of {pupil}"
        raise UsageError(msg)
    return cases[pupil]


def _now(cases: Cases, on: str) -> dt.datetime:
    from zoneinfo import ZoneInfo

    from mhscreen.steps.cells import moment

    utc: dt.datetime = moment(on, cases.zone).astype(dt.datetime)
    return utc.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(cases.zone))


def _overdue(number: int, *, zh: bool) -> str:
    if not number:
        return ""
    return f"逾期 {number}" if zh else f"overdue {number}"


def _held(*, zh: bool) -> str:
    return "暂缓，须先由专人决定" if zh else "held for a decision"
