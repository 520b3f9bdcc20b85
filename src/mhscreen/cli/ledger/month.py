"""``mhscreen ledger month | views | queue | form | workbook | export | aggregate | new-key``."""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with, print_problems
from mhscreen.problems import UsageError
from mhscreen.vocabulary import LedgerClass, Role

if TYPE_CHECKING:
    from mhscreen.definitions import Programme
    from mhscreen.ledger.cases import Cases
    from mhscreen.ledger.disclosure import View
    from mhscreen.loading import Library

__all__ = ["add_to"]


class _Named(StrEnum):
    ANSWERS = "answers"
    NOTES = "notes"


class _Form(StrEnum):
    INTERVIEW = "interview"
    NOTICE = "notice"
    REFERRAL = "referral"
    PLAN = "plan"
    FILE = "file"


class _Group(StrEnum):
    CITY = "city"
    DISTRICT = "district"
    SCHOOL = "school"
    STAGE = "stage"
    GRADE = "grade"


class _Measure(StrEnum):
    SCREEN_TIER = "screen_tier"
    CASE_TIER = "case_tier"


_Ledger = Annotated[str, typer.Option("--ledger", help="A ledger.jsonl, or a database's address.")]
_On = Annotated[str, typer.Option("--on", help="As of this day (its end) or time.")]
_Definitions = Annotated[
    list[Path] | None,
    typer.Option(help="Definitions of your own beside the installed ones; repeatable."),
]
_School = Annotated[str | None, typer.Option(help="The reader's school.")]
_Grade = Annotated[int | None, typer.Option(help="The reader's grade.")]
_Class = Annotated[str | None, typer.Option("--class", help="The reader's class.")]
_District = Annotated[str | None, typer.Option(help="The reader's district.")]
_City = Annotated[str | None, typer.Option(help="The reader's city.")]
_With = Annotated[
    list[_Named] | None,
    typer.Option("--with", help="Also answers, or notes, where the role may see them; repeatable."),
]
_KeyFile = Annotated[Path | None, typer.Option(help="Replace references by pseudonyms.")]
_FOOTER = "仅限必要人员知悉 For those who need it to act"


def add_to(group: typer.Typer) -> None:
    """Add the commands."""
    group.command("month")(close)
    group.command("views")(show_ledger)
    group.command("queue")(show_queue)
    group.command("form")(print_one)
    group.command("workbook")(write_for_role)
    group.command("export")(export)
    group.command("aggregate")(aggregate)
    group.command("new-key")(new_key)


# -- the month ------------------------------------------------------------------------------------


def close(
    period: Annotated[str, typer.Argument(help="The month, like 2026-10.")],
    ledger: _Ledger,
    out: Annotated[Path, typer.Option(help="A folder for the sheets.")],
    *,
    workbook: Annotated[bool, typer.Option(help="Also one Excel workbook.")] = False,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Close a month: what was opened, confirmed, moved, closed, is overdue and is carried on.

    For staff only. Ends with 1 where something is overdue, or a pupil is not screened after the
    deadline.
    """
    import mhscreen as mh
    from mhscreen.atomic import whole_folder
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.month_tables import month_tables, queue_table

    with errors_end_with(2):
        library, entries, programme = _read(ledger, definitions)
        month = mh.close_month(entries, period, programme, library=library)
        print_problems(month.cases.problems, most=20)
        sheets = month_tables(month)
        sheets["queue"] = queue_table(mh.rescreen_queue(month.cases, entries))
        with whole_folder(out) as folder:
            for name, sheet in sheets.items():
                write_csv(sheet, folder / f"{name}.csv", for_people=True)
            if workbook:
                # What is asked again names items: that is for the psychology teacher alone.
                for_leaders = {name: sheets[name] for name in sheets if name != "queue"}
                _write_sheets(for_leaders, folder / f"{period}.xlsx", month.ends)
    numbers = sheets["schools"]
    columns = ("opened", "confirmed", "moved", "closed", "overdue", "carried_forward",
               "not_screened", "without_talk")  # fmt: skip
    for place, school in enumerate(numbers["school"]):
        parts = [f"{_word(name, lang)} {numbers[name][place]}" for name in columns]
        typer.echo(f"{school or '–'} ({numbers['pupils'][place]})\n  {' · '.join(parts)}")
    typer.echo(out)
    if sum(numbers["overdue"]) or sum(numbers["past_deadline"]):
        raise typer.Exit(1)


def show_ledger(
    which: Annotated[LedgerClass, typer.Argument(help="A, B, C or D.")],
    ledger: _Ledger,
    *,
    month: Annotated[str | None, typer.Option(help="Only this month, like 2026-10.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the lines as CSV to this file.")] = None,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Show one of the four ledgers, after the programme's ledger map. For staff only."""
    import mhscreen as mh
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.views import ledger_table

    with errors_end_with(2):
        _, entries, programme = _read(ledger, definitions)
        found = mh.ledger_view(entries, programme, which, period=month)
        if out is not None:
            write_csv(ledger_table(found), out, for_people=True)
            typer.echo(out)
    typer.echo(programme.ledger_map[which].title.label(lang))
    kinds = Counter(one["entry_type"] for one in found)
    typer.echo(" · ".join(f"{_kind(kind, lang)} {number}" for kind, number in kinds.items()) or "0")


def show_queue(
    ledger: _Ledger,
    *,
    school: Annotated[str | None, typer.Option(help="Only this school.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the queue as CSV to this file.")] = None,
    lang: LanguageOption = Language.EN,
    definitions: _Definitions = None,
) -> None:
    """Say whom to ask again and what, by how much an answer could change a tier. For staff only."""
    import mhscreen as mh
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.month_tables import queue_table

    with errors_end_with(2):
        library, entries, _ = _read(ledger, definitions)
        cases = mh.fold(entries, library=library)
        queue = [
            item
            for item in mh.rescreen_queue(cases, entries)
            if school is None or item.case.org["school"] == school
        ]
        table = queue_table(queue)
        if out is not None:
            write_csv(table, out, for_people=True)
            typer.echo(out)
    if out is None:
        for place, item in enumerate(queue):
            typer.echo(f"{item.case.pupil_ref} · {item.shown.label(lang)} · {table['ask'][place]}")
    typer.echo(len(queue))


# -- what leaves the desk -------------------------------------------------------------------------


def print_one(
    kind: Annotated[_Form, typer.Argument(help="Which form.")],
    pupil: Annotated[str, typer.Argument(help="The pupil's reference.")],
    ledger: _Ledger,
    on: _On,
    by: Annotated[str, typer.Option(help="Who prints it: your reference at the school.")],
    out: Annotated[Path, typer.Option(help="The page: an .html file to print.")],
    *,
    role: Annotated[Role, typer.Option(help="In what role you print it.")] = Role.PSYCH_TEACHER,
    released_by: Annotated[
        str | None, typer.Option(help="The named person who releases what goes to a family.")
    ] = None,
    with_: _With = None,
    definitions: _Definitions = None,
) -> None:
    """Print a form: interview, notice to parents, referral slip, growth plan, the pupil's file.

    What goes to a family is a draft until a named person releases it, and is refused where the
    pupil may have been harmed and nobody has decided yet.
    """
    import mhscreen as mh
    from mhscreen.atomic import whole_file

    with errors_end_with(2):
        cases, entries, programme, now = _fold(ledger, on, definitions)
        text = mh.print_form(
            kind.value, cases, entries, programme, pupil, on=now, by=by, role=role,
            released_by=released_by, named=[one.value for one in with_ or ()],
        )  # fmt: skip
        with whole_file(out) as temporary:
            temporary.write_text(text, encoding="utf-8")
    typer.echo(out)


def write_for_role(
    ledger: _Ledger,
    on: _On,
    role: Annotated[Role, typer.Option(help="Whose workbook it is.")],
    out: Annotated[Path, typer.Option(help="An .xlsx file.")],
    *,
    school: _School = None,
    grade: _Grade = None,
    class_: _Class = None,
    with_: _With = None,
    definitions: _Definitions = None,
) -> None:
    """Write an Excel workbook for a teacher or leader: what the role may see, and nothing else."""
    from mhscreen.ledger.view_tables import view_tables

    with errors_end_with(2):
        at = {"school": school, "grade": grade, "class": class_}
        view = _view(ledger, on, role, at, with_, None, definitions)
        _write_sheets(view_tables(view), out, view.on)
    typer.echo(f"{out} ({len(view.pupils)})")


def export(
    ledger: _Ledger,
    on: _On,
    role: Annotated[Role, typer.Option(help="Who will read it.")],
    out: Annotated[Path, typer.Option(help="A .jsonl file: one line per pupil.")],
    *,
    school: _School = None,
    grade: _Grade = None,
    class_: _Class = None,
    district: _District = None,
    city: _City = None,
    pupil: Annotated[str | None, typer.Option(help="For a guardian: the child.")] = None,
    released_by: Annotated[
        str | None, typer.Option(help="For a guardian: the named person who explains it.")
    ] = None,
    with_: _With = None,
    key_file: _KeyFile = None,
    definitions: _Definitions = None,
) -> None:
    """Export what a role may see, as codes. What the programme does not list is not in it.

    District and city get confirmed major cases for which a consultation was opened, under
    pseudonyms.
    """
    from mhscreen.atomic import whole_file
    from mhscreen.entries.canonical import canonical_json

    with errors_end_with(2):
        at = {"school": school, "grade": grade, "class": class_, "district": district,
              "city": city, "pupil": pupil}  # fmt: skip
        view = _view(ledger, on, role, at, with_, key_file, definitions, released_by=released_by)
        lines = [
            {"pupil_ref": one.pupil_ref, "case": one.case, "entries": list(one.entries)}
            for one in view.pupils
        ]
        with whole_file(out) as temporary:
            temporary.write_text("".join(f"{canonical_json(x)}\n" for x in lines), "utf-8")
    typer.echo(f"{out} ({len(lines)})")


def aggregate(
    ledger: _Ledger,
    on: _On,
    for_: Annotated[Role, typer.Option("--for", help="Who will read it: district or city.")],
    by: Annotated[list[_Group], typer.Option(help="What pupils are grouped by; repeatable.")],
    out: Annotated[Path, typer.Option(help="The release: a .json file, with a .csv beside it.")],
    *,
    of: Annotated[_Measure, typer.Option(help="What is counted.")] = _Measure.SCREEN_TIER,
    district: _District = None,
    city: _City = None,
    earlier: Annotated[
        list[Path] | None, typer.Option(help="A release that the readers have; repeatable.")
    ] = None,
    definitions: _Definitions = None,
) -> None:
    """Count pupils by tier; small numbers are withheld, and with them what would give them away.

    Name every earlier release that the readers have, or two of them may be subtracted.
    """
    import mhscreen as mh
    from mhscreen.atomic import whole_file
    from mhscreen.interop.files import write_csv
    from mhscreen.ledger.disclosure import rules_for

    with errors_end_with(2):
        if out.suffix != ".json":
            msg = f"out: {out} is no .json file"
            raise UsageError(msg)
        cases, _, programme, now = _fold(ledger, on, definitions)
        smallest = rules_for(programme, for_).counts_from
        if smallest is None:
            msg = f"{programme.ref} gives {for_} no counts"
            raise UsageError(msg)
        place = {"district": district, "city": city}
        if for_ is Role.DISTRICT and district is None:
            msg = "counts for a district are of its own schools: say which, with --district"
            raise UsageError(msg)
        release = mh.release_counts(
            cases,
            of=of.value,
            by=[one.value for one in by],
            on=now.date(),
            smallest=smallest,
            where={name: value for name, value in place.items() if value is not None},
            earlier=[mh.read_release(_json(path)) for path in earlier or ()],
        )
        with whole_file(out) as temporary:
            text = json.dumps(release.document(), ensure_ascii=False, indent=2)
            temporary.write_text(f"{text}\n", encoding="utf-8")
        write_csv(release.table(), out.with_suffix(".csv"), for_people=True)
    typer.echo(f"{out} ({len(release.rows)}; {release.rule['withheld']})")


def new_key(
    file: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
) -> None:
    """Make a key for pseudonyms. Keep it apart from the ledger: who has both can name pupils."""
    with errors_end_with(2):
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as opened:
            opened.write(secrets.token_hex(32) + "\n")
    typer.echo(file)


# -- reading --------------------------------------------------------------------------------------


def _read(
    where: str, definitions: list[Path] | None
) -> tuple[Library, list[dict[str, Any]], Programme]:
    """Return the definitions, the entries, and the programme of the last entry."""
    import mhscreen as mh
    from mhscreen.ledger.order import moment
    from mhscreen.ledger.stores import open_ledger

    library = mh.installed_library()
    if definitions:
        library = mh.load_library(*definitions, base=library)
    entries = [row.document() for row in open_ledger(where).rows()]
    living = [one for one in entries if one.get("entry_type") is not None]
    if not living:
        msg = f"{where} has no entries"
        raise UsageError(msg)
    last = max(living, key=lambda one: moment(one["occurred_at"]))
    return library, entries, library.programme(last["programme"]).definition


def _fold(
    where: str, on: str, definitions: list[Path] | None
) -> tuple[Cases, list[dict[str, Any]], Programme, dt.datetime]:
    """Return the cases with their entries as of a time."""
    import mhscreen as mh
    from mhscreen.ledger.order import moment

    library, entries, programme = _read(where, definitions)
    now = _end(on, programme.zone)
    known = [
        one for one in entries if one.get("entry_type") is None or moment(one["occurred_at"]) <= now
    ]
    cases = mh.fold(known, library=library)
    print_problems(cases.problems, most=20)
    return cases, known, programme, now


def _view(
    where: str,
    on: str,
    role: Role,
    at: dict[str, Any],
    named: list[_Named] | None,
    key_file: Path | None,
    definitions: list[Path] | None,
    *,
    released_by: str | None = None,
) -> View:

    import mhscreen as mh

    cases, entries, programme, now = _fold(where, on, definitions)
    return mh.disclose(
        cases,
        entries,
        programme,
        role,
        at=at,
        on=now,
        named=[one.value for one in named or ()],
        released_by=released_by,
        key=None if key_file is None else mh.read_key(key_file),
    )


def _end(on: str, zone: str) -> dt.datetime:
    """Return a time; a day means its last second in the programme's zone."""
    try:
        when = dt.datetime.fromisoformat(on)
    except ValueError:
        msg = f"{on!r} is no day; write it like 2026-10-31"
        raise UsageError(msg) from None
    if len(on) <= len("2026-10-31"):
        when = when.replace(hour=23, minute=59, second=59)
    return when if when.tzinfo is not None else when.replace(tzinfo=ZoneInfo(zone))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        msg = f"{path} is no release of counts"
        raise UsageError(msg) from None


# -- writing --------------------------------------------------------------------------------------


def _write_sheets(sheets: dict[str, dict[str, list[Any]]], out: Path, on: dt.datetime) -> None:
    from mhscreen.interop.workbook import write_workbook
    from mhscreen.ledger.view_tables import worded
    from mhscreen.ledger.words import heading

    written = {
        _title(name): {heading(column): values for column, values in worded(sheet).items()}
        for name, sheet in sheets.items()
    }
    write_workbook(written, out, on=on, footer=_FOOTER)


def _title(name: str) -> str:
    from mhscreen.ledger.words import SHEETS

    if name in SHEETS:
        en, zh = SHEETS[name]
        return f"{zh} {en}"
    return f"{_kind(name, Language.ZH)} {name}"


def _word(name: str, lang: Language) -> str:
    from mhscreen.ledger.words import HEADINGS

    return HEADINGS[name][lang is Language.ZH]


def _kind(code: str, lang: Language) -> str:
    from mhscreen.vocabulary import EntryType

    return EntryType(code).label(lang)
