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
        If a path does not exist.
    """
    folders: dict[str, str] = {}
    seen: set[str] = set()
    for given in paths:
        path = Path(given) if root is None else root / given
        if not path.exists():
            msg = f"there is no file or folder {given}"
            raise UsageError(msg)
        inside = [path] if path.is_file() else _inside(path)
        for file in sorted(inside, key=lambda file: file.parts):
            real = _real(file, folders)
            if real in seen or not file.is_file():
                continue
            seen.add(real)
            shown = file if root is None else file.relative_to(root)
            yield Found(file, shown.as_posix(), path.is_dir(), root, real)


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


def _inside(folder: Path) -> list[Path]:
    return [
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith((".yaml", ".yml"))
    ]


def _real(file: Path, folders: dict[str, str]) -> str:
    """Return a path without links; folders are followed once."""
    if file.is_symlink():
        return os.path.realpath(file)
    parent = str(file.parent)
    if parent not in folders:
        folders[parent] = os.path.realpath(parent)
    return os.path.join(folders[parent], file.name)  # noqa: PTH118  (a text is wanted)
