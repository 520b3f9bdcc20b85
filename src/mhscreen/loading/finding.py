"""Definition files: where they are, how they are shown, and where they should stand."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.loading.library import KINDS
from mhscreen.problems import Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FOLDERS", "Found", "cases_name", "find_files", "misplaced"]

FOLDERS = dict(zip(KINDS, ("instruments", "norms", "policies", "programmes"), strict=True))
"""The folder of each kind of definition."""

_CASES = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found.

    Attributes
    ----------
    path : Path
        Where it is.
    shown : str
        How it is shown to people.
    walked : bool
        Whether a folder was searched for it.
    root : Path or None
        The folder that `shown` starts from, where that is not the current one.
    real : str
        Its path without links, which tells files apart.
    """

    path: Path
    shown: str
    walked: bool
    root: Path | None = None
    real: str = ""

    @property
    def is_cases(self) -> bool:
        """Whether it holds worked cases."""
        return self.shown.endswith(_CASES)


def cases_name(file: str) -> str:
    """Return the name of the worked cases beside a definition.

    Examples
    --------
    >>> cases_name("instruments/phq9/1.0.0.yaml")
    'instruments/phq9/1.0.0.cases.yaml'
    """
    return re.sub(r"\.ya?ml$", "", file) + _CASES


def find_files(paths: Iterable[str | Path], root: Path | None) -> Iterator[Found]:
    """Yield every definition file and every file of cases, each once.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, and folders that are searched to any depth.
    root : Path or None
        The folder that they are in and are named from; None for the current one.

    Raises
    ------
    UsageError
        If a path does not exist, or a folder cannot be looked into.
    """
    seen: set[str] = set()
    for given in paths:
        path = Path(given) if root is None else root / given
        if not path.exists():
            msg = f"there is no file or folder {given}"
            raise UsageError(msg)
        real = os.path.realpath(path)
        walked = path.is_dir()
        try:
            inside = [*_inside(path, real)] if walked else [(path, real)]
        except PermissionError as error:
            msg = f"{error.filename} cannot be looked into"
            raise UsageError(msg) from error
        for file, place in sorted(inside, key=lambda found: found[0].parts):
            if place not in seen:
                seen.add(place)
                shown = file if root is None else file.relative_to(root)
                yield Found(file, shown.as_posix(), walked, root, place)


def misplaced(kind: str, ref: str, found: Found) -> Iterator[Problem]:
    """Check that people find a definition where its id and version say."""
    name, _, version = ref.partition("@")
    folder, _, part = name.partition("/")
    file = f"{part}.{version}.yaml" if part else f"{version}.yaml"
    *_, above, parent, own = ("", "", *Path(found.real).parts)
    another_kind = above in FOLDERS.values() and above != FOLDERS[kind]
    if parent != folder or own != file or another_kind:
        what = f"{ref} does not stand where its id and version say"
        yield Problem("MH215", what, f"{FOLDERS[kind]}/{folder}/{file}", file=found.shown)


def _inside(folder: Path, real: str) -> Iterator[tuple[Path, str]]:
    """Yield every YAML file in a folder, and its path without links, asking the disk little."""
    with os.scandir(folder) as entries:
        for entry in entries:
            file, place = folder / entry.name, f"{real}{os.sep}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _inside(file, place)
            elif entry.name.endswith((".yaml", ".yml")) and entry.is_file():
                yield file, os.path.realpath(file) if entry.is_symlink() else place
