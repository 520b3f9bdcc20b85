"""``mhscreen explain``: one entry of a ledger in words."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mhscreen.cli.printing import Language, LanguageOption, errors_end_with
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Reader

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    pupil: Annotated[str, typer.Argument(help="The pupil's reference.")],
    ledger: Annotated[str, typer.Option(help="A ledger.jsonl, or the address of a database.")],
    reader: Annotated[
        Reader, typer.Option("--for", help="For whom: each gets no more than is needed.")
    ] = Reader.COUNSELLOR,
    lang: LanguageOption = Language.EN,
) -> None:
    """Tell which rules held for a pupil, which are undecided, and what could still change."""
    import mhscreen as mh

    with errors_end_with(2):
        typer.echo(mh.explain_entry(_current(ledger, pupil), lang, reader=reader))


def _current(ledger: str, pupil: str) -> dict[str, Any]:
    """Return the last of a pupil's current screening entries."""
    import mhscreen as mh
    from mhscreen.interop.run_folder import find_entry

    if "://" not in ledger:
        return find_entry(ledger, pupil)  # looks at no more lines than it must
    entries = {entry["entry_id"]: entry for entry in mh.open_ledger(ledger).entries(pupil)}
    cases = mh.fold(entries.values())
    current = list(cases[pupil].current.values()) if len(cases) else []
    if not current:
        msg = f"the ledger has no screening entry of {pupil}"
        raise UsageError(msg)
    return max((entries[name] for name in current), key=lambda entry: str(entry["occurred_at"]))
