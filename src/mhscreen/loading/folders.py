"""Definition files: finding them, reading them, putting them together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme
from mhscreen.definitions.checks import check_cases
from mhscreen.loading.finding import FOLDERS, Found, cases_name, find_files, misplaced
from mhscreen.loading.library import Library, Loaded, Made, make_library
from mhscreen.loading.read import place, read_cases_document, read_document
from mhscreen.loading.references import check_references
from mhscreen.loading.stored import (
    PRECOMPILED,
    keep,
    look_up,
    read_stored,
    stored_key,
    write_stored,
)
from mhscreen.loading.yaml_reader import MAX_BYTES, decode, too_large
from mhscreen.problems import DefinitionError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mhscreen.definitions.cases import Cases
    from mhscreen.loading.library import Content
    from mhscreen.loading.stored import Stored
    from mhscreen.loading.yaml_reader import Document

__all__ = [
    "check_paths",
    "load_cases",
    "load_library",
    "load_rooted",
    "precompile_folders",
    "shipped_library",
]


def load_library(
    *paths: str | Path, base: Library | None = None, cache_dir: str | Path | None = None
) -> Library:
    """Load definitions from files and folders.

    Parameters
    ----------
    *paths : str or Path
        Files, or folders that are searched to any depth for ``*.yaml``.
    base : Library, optional
        Definitions that references may also point to; they are part of the result.
    cache_dir : str or Path, optional
        A folder, made if it is absent, in which what was read and found good is kept, so that the
        next call with the same bytes need not read YAML. Nothing in it is ever removed or trusted
        beyond its checksums: delete it at any time, and let nobody write to it whom you would not
        let write the definitions.

    Returns
    -------
    Library
        Everything found.

    Raises
    ------
    DefinitionError
        With every problem of every file.
    UsageError
        If a path does not exist, or nothing can be kept in `cache_dir`.

    Examples
    --------
    >>> shipped = shipped_library().instrument("phq9@1.0.0")
    >>> load_library(Path(shipped.folder) / shipped.file)
    <Library: 1 definitions>
    """
    files = _open_files(find_files(paths, None))
    if cache_dir is None:
        return _good(_read_files(files, base)).library
    folder, key = Path(cache_dir), _key(files, base)
    stored = look_up(folder, key)
    if stored is not None:
        return _restore(files, base, stored)
    reading = _good(_read_files(files, base))
    keep(folder, key, write_stored(key, reading.read))
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
    found = (file for folder, root in folders for file in find_files([folder], root))
    return _good(_read_files(_open_files(found), base)).library


@cache
def shipped_library() -> Library:
    """Load the definitions that come with this package.

    They cannot change while it runs, so they are read once and the same immutable library is
    returned from then on. An installed package brings them precompiled, too; that is used where
    it was made of the very bytes of the YAML files and by this version of the code.

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
    root = next((root for root in roots if (root / FOLDERS["instrument"]).is_dir()), None)
    if root is None:
        msg = "the shipped definitions are not installed"
        raise UsageError(msg)
    files = _open_files(find_files(_folders(root), root))
    precompiled = root / PRECOMPILED
    if precompiled.is_file():
        stored = read_stored(precompiled.read_bytes(), _key(files, None))
        if stored is not None:
            return _restore(files, None, stored)
    return _good(_read_files(files, None)).library


def precompile_folders(root: Path) -> bytes:
    """Return the definitions below a folder, read and checked, as the file that a wheel ships.

    Raises
    ------
    DefinitionError
        With every problem of every file.
    """
    files = _open_files(find_files(_folders(root), root))
    return write_stored(_key(files, None), _good(_read_files(files, None)).read)


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
    files = _open_files(find_files(paths, None))
    reading = _read_files(files, base)
    problems = list(reading.problems)
    for found in files.cases:
        problems += _read_cases(found, reading.beside(found))[1]
    for loaded, _ in reading.read:
        if loaded.kind != "programme" and loaded.cases_file is None:
            what = f"{loaded.ref} has no worked cases"
            expected = cases_name(loaded.file)
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
    found = Found(Path(loaded.folder) / loaded.cases_file, loaded.cases_file, walked=False)
    cases, problems = _read_cases(found, loaded)
    if problems:
        raise DefinitionError(problems)
    return cases


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a definition with its bytes, and the name of the cases beside it.

    There are no bytes where it is too large to be one.
    """

    found: Found
    data: bytes | None
    checksum: str
    problems: list[Problem]
    cases: str | None


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of one call."""

    definitions: tuple[_File, ...]
    cases: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What all files of one call gave."""

    read: tuple[tuple[Loaded[Definition], Document], ...]
    library: Library
    problems: tuple[Problem, ...]

    def beside(self, cases: Found) -> Loaded[Definition] | None:
        """Return the definition that a file of cases stands beside."""
        fits = (one for one, _ in self.read if one.cases_file == cases.shown)
        return next(fits, None)


def _open_files(files: Iterable[Found]) -> _Files:
    found = [*files]
    cases = {file.shown: file for file in found if file.is_cases}
    definitions = []
    for file in found:
        if file.is_cases:
            continue
        data, problems = _bytes(file)
        checksum = "" if data is None else _checksum(data)
        beside = cases_name(file.shown)
        there = beside in cases or (
            not file.walked and file.path.with_name(cases_name(file.path.name)).is_file()
        )
        definitions.append(_File(file, data, checksum, problems, beside if there else None))
    return _Files(tuple(definitions), tuple(cases.values()))


def _key(files: _Files, base: Library | None) -> str:
    return stored_key((file.checksum for file in files.definitions), base)


def _good(reading: _Reading) -> _Reading:
    if reading.problems:
        raise DefinitionError(reading.problems)
    return reading


def _folders(root: Path) -> list[str]:
    return [folder for folder in FOLDERS.values() if (root / folder).is_dir()]


def _restore(files: _Files, base: Library | None, stored: Mapping[str, Stored]) -> Library:
    """Return a library of definitions that were read before, from files of the same bytes."""
    known = {(one.kind, one.ref): one for one in base or ()}
    problems: list[Problem] = []
    for file in files.definitions:
        one = _loaded(stored[file.checksum], file)
        known[one.kind, one.ref] = one
        problems += _place_problems(one, file.found)
    if problems:
        raise DefinitionError(problems)
    return make_library(known.values())


def _read_files(files: _Files, base: Library | None) -> _Reading:
    problems: list[Problem] = []
    read: list[tuple[Loaded[Definition], Document]] = []
    for file in files.definitions:
        one, document, wrong = _read_file(file)
        problems += wrong
        if one is not None and document is not None:
            read.append((one, document))
    known, twice = _without_twins(read, base)
    problems += twice
    library = make_library(known)
    for one, document in read:
        # A reference to a broken file would be a second problem that is none.
        complete = len(read) == len(files.definitions)
        problems += check_references(one, document, library, complete=complete)
    return _Reading(tuple(read), library, tuple(problems))


def _bytes(found: Found) -> tuple[bytes | None, list[Problem]]:
    size = found.path.stat().st_size
    if size > MAX_BYTES:  # not even opened
        return None, [too_large(size, found.shown)]
    return found.path.read_bytes(), []


def _read_file(
    file: _File,
) -> tuple[Loaded[Definition] | None, Document | None, list[Problem]]:
    if file.data is None:
        return None, None, file.problems
    shown = file.found.shown
    text, problems = decode(file.data, shown)
    if text is None:
        return None, None, problems
    model, document, problems = read_document(text, shown)
    if document is None or not isinstance(model, (Instrument, NormTable, Policy, Programme)):
        return None, None, problems
    loaded = _loaded(Made(model, document.lines), file)
    return loaded, document, [*problems, *_place_problems(loaded, file.found)]


def _loaded(content: Content[Definition], file: _File) -> Loaded[Definition]:
    found = file.found
    folder = "" if found.root is None else found.root.as_posix()
    return Loaded(content, file.checksum, found.shown, file.cases, folder)


def _place_problems(loaded: Loaded[Definition], found: Found) -> Iterable[Problem]:
    return misplaced(loaded.kind, loaded.ref, found) if found.walked else ()


def _checksum(data: bytes) -> str:
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


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
    found: Found, beside: Loaded[Definition] | None
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
