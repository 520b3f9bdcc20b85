"""What a programme shows of an entry must be a field that entries have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.definitions.checks import Finding
from mhscreen.entries.people import PupilEntry
from mhscreen.entries.schema import field_paths, model_paths
from mhscreen.vocabulary import EntryType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mhscreen.definitions import Programme
    from mhscreen.definitions.checks.finding import Path

__all__ = ["check_disclosure"]

_OF_NO_PUPIL = frozenset({EntryType.MEETING, EntryType.ACTIVITY})


def check_disclosure(programme: Programme) -> Iterator[Finding]:
    """Yield a finding for each thing that is to be shown and is no field of its entry."""
    head = model_paths(PupilEntry)
    for n, one in enumerate(programme.disclosure):
        here: Path = ("disclosure", n)
        lists = [(head, one.head, (*here, "head"))]
        for kind, paths in one.entries.items():
            place = (*here, "entries", str(kind))
            if kind in _OF_NO_PUPIL:
                yield Finding(place, "MH107", f"an entry of type '{kind}' is about no pupil")
                continue
            lists.append((field_paths(kind), paths, place))
        for known, paths, place in lists:
            for position, path in enumerate(paths):
                if path not in known:
                    inside = sorted(name for name in known if name.startswith(f"{path}."))
                    hint = f"name a field inside it: {inside[0]}" if inside else ""
                    what = f"an entry has no field '{path}' that holds a value"
                    yield Finding((*place, position), "MH201", what, "", hint)
