"""A finding, and the checks that all definitions share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

    from mhscreen.definitions.common import Reference

__all__ = ["Finding", "Path", "check_known", "check_source", "check_unique", "number", "one_of"]

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a definition."""


class Finding(NamedTuple):
    """One thing that is wrong, placed inside a definition."""

    path: Path
    code: str
    what: str
    expected: str = ""
    hint: str = ""


def number(value: float) -> str:
    """Write a number as short as it is.

    Examples
    --------
    >>> number(27.0), number(0.1)
    ('27', '0.1')
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def one_of(names: Iterable[object]) -> str:
    """List what would be right."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"one of: {', '.join(words)}"


def check_unique(
    things: Iterable[Hashable], what: str, place: Callable[[int], Path]
) -> Iterator[Finding]:
    """Yield a finding for each thing that stood before."""
    seen: dict[Hashable, int] = {}
    for position, thing in enumerate(things):
        if thing in seen:
            yield Finding(place(position), "MH202", f"{what} '{thing}' stands twice")
        seen.setdefault(thing, position)


def check_known(name: str, known: Collection[str], what: str, path: Path) -> Iterator[Finding]:
    """Yield a finding where a name points to nothing."""
    if name not in known:
        expected = one_of(known) if known else f"{what}s, of which there are none"
        yield Finding(path, "MH201", f"no {what} '{name}'", expected)


def check_source(source: str, references: Iterable[Reference], path: Path) -> Iterator[Finding]:
    """Yield a finding where a claim cites a source that is not listed."""
    known = [reference.id for reference in references]
    if source not in known:
        what = f"source '{source}' is not among the references"
        yield Finding((*path, "source"), "MH208", what, one_of(known))
