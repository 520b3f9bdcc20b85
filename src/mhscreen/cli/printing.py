"""Printing for people: narrow and wide terminals, pipes, and errors without tracebacks."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from mhscreen.problems import (
    AnalysisError,
    DefinitionError,
    MhscreenError,
    ResponseError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from mhscreen.problems import Problem

__all__ = [
    "Language",
    "LanguageOption",
    "errors_end_with",
    "print_problems",
    "to_stderr",
    "to_stdout",
]


class Language(StrEnum):
    """The language of what is printed."""

    EN = "en"
    ZH = "zh"


LanguageOption = Annotated[Language, typer.Option("--lang", help="English or Chinese.")]


def to_stdout() -> Console:
    """Return a console for results; nothing in them is taken for markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False)


def to_stderr() -> Console:
    """Return a console for progress and problems."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def print_problems(problems: Sequence[Problem], most: int | None = None) -> None:
    """Print problems on standard error, each in full; at most `most` of them."""
    shown = problems[:most]
    for problem in shown:
        typer.echo(str(problem), err=True)
    if len(shown) < len(problems):
        typer.echo(f"… {len(problems) - len(shown)} more", err=True)


@contextmanager
def errors_end_with(status: int) -> Iterator[None]:
    """Print what a user can mend, without a traceback, and end with an exit status.

    A wrong call ends with 2 whatever `status` is.
    """
    try:
        yield
    except (AnalysisError, DefinitionError, ResponseError) as error:
        print_problems(error.problems)
        number = len(error.problems)
        typer.echo(f"{number} problem{'' if number == 1 else 's'}", err=True)
        raise typer.Exit(status) from None
    except MhscreenError as error:
        typer.echo(f"mhscreen: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"mhscreen: {where}{error.strerror or type(error).__name__}", err=True)
        raise typer.Exit(2) from None
