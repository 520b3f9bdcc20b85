"""Definition files: finding them, reading them, putting them together."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme
from mhscreen.definitions.checks import check_cases
from mhscreen.loading.library import KINDS, Library, Loaded, make_library
from mhscreen.loading.read import place, read_cases_document, read_document
from mhscreen.loading.references import check_references
from mhscreen.loading.yaml_reader import MAX_BYTES, decode, too_large
from mhscreen.problems import DefinitionError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mhscreen.definitions.cases import Cases
    from mhscreen.loading.yaml_reader import Document

__all__ = ["check_paths", "load_cases", "load_library", "load_rooted", "shipped_library"]

_FOLDERS = dict(zip(KINDS, ("instruments", "norms", "policies", "programmes"), strict=True))
_CASES = ".cases.yaml"


def load_library(*paths: str | Path, base: Library | None = None) -> Library:
    """Load definitions from files and folders.

    Parameters
    ----------
    *paths : str or Path
        Files, or folders that are searched to any depth for ``*.yaml``.
    base : Library, optional
        Definitions that references may also point to; they are part of the result.

    Returns
    -------
    Library
        Everything found.

    Raises
    ------
    DefinitionError
        With every problem of every file.
    UsageError
        If a path does not exist.

    Examples
    --------
    >>> shipped = shipped_library().instrument("phq9@1.0.0")
    >>> load_library(Path(shipped.folder) / shipped.file)
    <Library: 1 definitions>
    """
    reading = _read_paths(paths, base, None)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return reading.library


def load_rooted(folders: Iterable[tuple[Path, Path]], *, base: Library) -> Library:
    """Load folders together, each with the folder from which its files are named.

    Parameters
    ----------
    folders : iterable of (Path, Path)
        A folder of definitions, and one above it.
    base : Library
        Definitions that references may also point to; they are part of the result.

    Raises
    ------
    DefinitionError
        With every problem of every file.
    """
    files = [file for folder, root in folders for file in _find_files([folder], root)]
    reading = _read_files(files, base)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return reading.library


@cache
def shipped_library() -> Library:
    """Load the definitions that come with this package.

    They cannot change while it runs, so they are read once and the same immutable library is
    returned from then on.

    Raises
    ------
    DefinitionError
        With every problem of every file.
    UsageError
        If they are neither in the installed package nor at the root of a source checkout.

    Examples
    --------
    >>> shipped_library().instrument("phq9@1.0")
    <Loaded: instrument phq9@1.0.0>
    """
    package = Path(__file__).resolve().parent.parent
    roots = (package / "_library", package.parent.parent)
    root = next((root for root in roots if (root / _FOLDERS["instrument"]).is_dir()), None)
    if root is None:
        msg = "the shipped definitions are not installed"
        raise UsageError(msg)
    folders = [folder for folder in _FOLDERS.values() if (root / folder).is_dir()]
    reading = _read_paths(folders, None, root)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return reading.library


def check_paths(paths: Iterable[str | Path], *, base: Library | None = None) -> list[Problem]:
    """Check definitions in files and folders, their worked cases included.

    The cases are read, not run: `mhscreen.testing` runs them.

    Parameters
    ----------
    paths : iterable of str or Path
        Files and folders, as for `load_library`.
    base : Library, optional
        Definitions that references may also point to.

    Returns
    -------
    list of Problem
        Everything found; empty where all is well.

    Raises
    ------
    UsageError
        If a path does not exist.
    """
    reading = _read_paths(paths, base, None)
    problems = list(reading.problems)
    for found in reading.cases:
        problems += _read_cases(found, reading.beside(found))[1]
    for loaded in reading.read:
        if loaded.kind != "programme" and loaded.cases_file is None:
            what = f"{loaded.ref} has no worked cases"
            expected = _cases_name(loaded.file)
            problems.append(Problem("MH214", what, expected, file=loaded.file))
    return problems


def load_cases(loaded: Loaded[Definition]) -> Cases | None:
    """Read the worked cases beside a definition; None where there are none.

    Raises
    ------
    DefinitionError
        With every problem of the file.
    """
    if loaded.cases_file is None:
        return None
    found = _Found(Path(loaded.folder) / loaded.cases_file, loaded.cases_file, walked=False)
    cases, problems = _read_cases(found, loaded)
    if problems:
        raise DefinitionError(problems)
    return cases


@dataclass(frozen=True, slots=True)
class _Found:
    """A file: where it is, how it is shown, and whether a folder was searched for it.

    `root` is the folder that `shown` starts from, where that is not the current one.
    """

    path: Path
    shown: str
    walked: bool
    root: Path | None = None

    @property
    def is_cases(self) -> bool:
        """Whether it holds worked cases."""
        return self.shown.endswith(_CASES)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What all files of one call gave."""

    cases: tuple[_Found, ...]
    broken: frozenset[str]
    read: tuple[Loaded[Definition], ...]
    library: Library
    problems: tuple[Problem, ...]

    def beside(self, cases: _Found) -> Loaded[Definition] | None:
        """Return the definition that a file of cases stands beside."""
        fits = (one for one in self.read if one.cases_file == cases.shown)
        return next(fits, None)


def _read_paths(paths: Iterable[str | Path], base: Library | None, root: Path | None) -> _Reading:
    return _read_files([*_find_files(paths, root)], base)


def _read_files(files: Sequence[_Found], base: Library | None) -> _Reading:
    cases = tuple(file for file in files if file.is_cases)
    problems: list[Problem] = []
    read: list[tuple[Loaded[Definition], Document]] = []
    broken: set[str] = set()
    for file in files:
        if file.is_cases:
            continue
        one, document, wrong = _read_file(file)
        problems += wrong
        if one is None or document is None:
            broken.add(file.shown)
        else:
            read.append((one, document))
    known, twice = _without_twins(read, base)
    problems += twice
    library = make_library(known)
    for one, document in read:
        # A reference to a broken file would be a second problem that is none.
        problems += check_references(one, document, library, complete=not broken)
    return _Reading(
        cases, frozenset(broken), tuple(one for one, _ in read), library, tuple(problems)
    )


def _find_files(paths: Iterable[str | Path], root: Path | None) -> Iterator[_Found]:
    seen: set[Path] = set()
    for given in paths:
        path = Path(given) if root is None else root / given
        if not path.exists():
            msg = f"there is no file or folder {given}"
            raise UsageError(msg)
        inside = [path] if path.is_file() else [*path.rglob("*.yaml"), *path.rglob("*.yml")]
        for file in sorted(inside, key=lambda file: file.parts):
            if file.resolve() in seen or not file.is_file():
                continue
            seen.add(file.resolve())
            shown = file if root is None else file.relative_to(root)
            yield _Found(file, shown.as_posix(), path.is_dir(), root)


def _bytes(found: _Found) -> tuple[bytes | None, list[Problem]]:
    size = found.path.stat().st_size
    if size > MAX_BYTES:  # not even opened
        return None, [too_large(size, found.shown)]
    return found.path.read_bytes(), []


def _read_file(
    found: _Found,
) -> tuple[Loaded[Definition] | None, Document | None, list[Problem]]:
    data, problems = _bytes(found)
    if data is None:
        return None, None, problems
    text, problems = decode(data, found.shown)
    if text is None:
        return None, None, problems
    model, document, problems = read_document(text, found.shown)
    if document is None or not isinstance(model, (Instrument, NormTable, Policy, Programme)):
        return None, None, problems
    cases = found.path.with_name(_cases_name(found.path.name))
    loaded: Loaded[Definition] = Loaded(
        definition=model,
        checksum=_checksum(data),
        file=found.shown,
        cases_file=_cases_name(found.shown) if cases.is_file() else None,
        folder="" if found.root is None else found.root.as_posix(),
        _lines=document.lines,
    )
    if found.walked:
        problems = [*problems, *_misplaced(loaded, found)]
    return loaded, document, problems


def _checksum(data: bytes) -> str:
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


def _cases_name(file: str) -> str:
    return re.sub(r"\.ya?ml$", "", file) + _CASES


def _misplaced(loaded: Loaded[Definition], found: _Found) -> Iterator[Problem]:
    """Check that people find a definition where its id and version say."""
    name, _, version = loaded.ref.partition("@")
    folder, _, part = name.partition("/")
    file = f"{part}.{version}.yaml" if part else f"{version}.yaml"
    kind = _FOLDERS[loaded.kind]
    *_, above, parent, own = ("", "", *found.path.resolve().parts)
    another_kind = above in _FOLDERS.values() and above != kind
    if parent != folder or own != file or another_kind:
        what = f"{loaded.ref} does not stand where its id and version say"
        yield Problem("MH215", what, f"{kind}/{folder}/{file}", file=found.shown)


def _without_twins(
    read: Sequence[tuple[Loaded[Definition], Document]], base: Library | None
) -> tuple[list[Loaded[Definition]], list[Problem]]:
    """Return one definition for each version, and a problem for each further one."""
    known = {(loaded.kind, loaded.ref): loaded for loaded in base or ()}
    problems = []
    for one, document in read:
        key = (one.kind, one.ref)
        first = known.get(key)
        shipped = base is not None and first in base.definitions
        if first is None or (shipped and first.checksum == one.checksum):
            known[key] = one  # the same file, read again from another place, is no other version
            continue
        line, column = document.value_place(("version",))
        problems.append(
            Problem(
                "MH305",
                f"{one.ref} is already defined",
                hint=f"by {first.file}; a change needs a new version",
                file=one.file,
                line=line,
                column=column,
                path="version",
            )
        )
    return [*known.values()], problems


def _read_cases(
    found: _Found, beside: Loaded[Definition] | None
) -> tuple[Cases | None, list[Problem]]:
    data, problems = _bytes(found)
    text = None
    if data is not None:
        text, problems = decode(data, found.shown)
    if text is None:
        return None, problems
    cases, document, problems = read_cases_document(text, found.shown)
    if cases is None or document is None or beside is None:
        return None, problems
    if cases.for_ != beside.ref:
        line, column = document.value_place(("for",))
        what = f"these cases stand beside {beside.ref}"
        where = {"file": found.shown, "line": line, "column": column, "path": "for"}
        return None, [Problem("MH215", what, beside.ref).at(**where)]
    problems = place(check_cases(cases, beside.definition), document, found.shown)
    return (None if problems else cases), problems
