"""Many definitions together: finding their files, reading them, resolving references."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme
from mhscreen.definitions.cases import Cases, InstrumentCase, NormCase
from mhscreen.definitions.checks import (
    check_norm_against,
    check_policy_against,
    check_programme_against,
)
from mhscreen.definitions.common import parse_version
from mhscreen.loading.grammar import did_you_mean
from mhscreen.loading.read import place, read_cases, read_document
from mhscreen.loading.yaml_reader import MAX_BYTES, decode, too_large
from mhscreen.problems import DefinitionError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mhscreen.definitions.checks import Finding
    from mhscreen.loading.yaml_reader import Document

__all__ = ["Library", "Loaded", "check_paths", "load_cases", "load_library", "shipped_library"]

_KINDS: dict[str, type[Definition]] = {
    "instrument": Instrument,
    "norm": NormTable,
    "policy": Policy,
    "programme": Programme,
}
_FOLDERS = {
    "instrument": "instruments",
    "norm": "norms",
    "policy": "policies",
    "programme": "programmes",
}
_REF = re.compile(
    r"^(?P<id>[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?)(@(?P<version>\d+(\.\d+){0,2}))?$", re.ASCII
)
_CASES = ".cases.yaml"
_LINES_DEPTH = 2

D = TypeVar("D", Instrument, NormTable, Policy, Programme, covariant=True)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[D]):
    """A definition with where it came from.

    Attributes
    ----------
    definition : Instrument, NormTable, Policy or Programme
        The definition.
    checksum : str
        ``sha256:`` and the SHA-256 of the file with its line ends as LF.
    file : str
        Its file, as it is shown to people; of the shipped library without the folder.
    cases_file : str or None
        The worked cases beside it.
    folder : str
        The folder that `file` and `cases_file` start from; empty for the current one.
    """

    definition: D
    checksum: str
    file: str
    cases_file: str | None = None
    folder: str = ""
    _lines: tuple[tuple[str, int], ...] = field(default=(), repr=False)

    @property
    def ref(self) -> str:
        """The definition at its exact version."""
        return self.definition.ref

    @property
    def kind(self) -> str:
        """``instrument``, ``norm``, ``policy`` or ``programme``."""
        return _kind(self.definition)

    @property
    def withdrawn(self) -> str | None:
        """Why the version must not be used any more, where it must not."""
        return self.definition.withdrawn

    def line(self, path: str) -> int | None:
        """Return the line of something in the file, such as ``response_scales.frequency4``."""
        return dict(self._lines).get(path)

    def __str__(self) -> str:
        """Return the exact reference."""
        return self.ref


@dataclass(frozen=True, slots=True)
class Library:
    """Definitions, found by reference. Immutable; holds no open file.

    Attributes
    ----------
    definitions : tuple of Loaded
        Everything, by kind, id and version.

    Examples
    --------
    >>> library = shipped_library()
    >>> library.instrument("phq9@1").definition.id
    'phq9'
    """

    definitions: tuple[Loaded[Definition], ...]

    def __iter__(self) -> Iterator[Loaded[Definition]]:
        """Iterate over everything, by kind, id and version."""
        return iter(self.definitions)

    def __len__(self) -> int:
        """Return the number of definitions."""
        return len(self.definitions)

    def instrument(self, ref: str) -> Loaded[Instrument]:
        """Return an instrument by ``id``, ``id@1``, ``id@1.2`` or ``id@1.2.3``.

        An inexact reference gives the highest version that it fits.

        Raises
        ------
        UsageError
            If `ref` is not a reference.
        DefinitionError
            If there is no such instrument (MH301).
        """
        return self._find("instrument", ref)  # type: ignore[return-value]

    def norm(self, ref: str) -> Loaded[NormTable]:
        """Return a norm table, ``instrument/name`` and a version as for `instrument`."""
        return self._find("norm", ref)  # type: ignore[return-value]

    def policy(self, ref: str) -> Loaded[Policy]:
        """Return a policy; as `instrument`."""
        return self._find("policy", ref)  # type: ignore[return-value]

    def programme(self, ref: str) -> Loaded[Programme]:
        """Return a programme; as `instrument`."""
        return self._find("programme", ref)  # type: ignore[return-value]

    def of_kind(self, kind: str) -> tuple[Loaded[Definition], ...]:
        """Return all definitions of one kind, by id and version."""
        return tuple(loaded for loaded in self.definitions if loaded.kind == kind)

    def _find(self, kind: str, ref: str) -> Loaded[Definition]:
        found = self._fitting(kind, ref)
        if not found:
            _unknown(kind, ref, self)
        return found[-1]

    def _fitting(self, kind: str, ref: str) -> list[Loaded[Definition]]:
        match = _REF.match(ref)
        if match is None:
            _not_a_reference(kind, ref)
        wanted = tuple(map(int, match["version"].split("."))) if match["version"] else ()
        return [
            loaded
            for loaded in self.of_kind(kind)
            if _name(loaded.definition) == match["id"]
            and parse_version(loaded.definition.version)[: len(wanted)] == wanted
        ]


def _not_a_reference(kind: str, ref: str) -> NoReturn:
    example = "sdq/shanghai@1.0.0" if kind == "norm" else "phq9@1.0.0"
    msg = f"{ref!r} does not name a definition; write an id and a version, like {example}"
    if re.fullmatch(r"[a-z0-9-]+@[a-z]+", ref):
        msg += " (after @, letters name an informant)"
    raise UsageError(msg)


def _unknown(kind: str, ref: str, library: Library) -> NoReturn:
    raise DefinitionError([_unknown_problem(kind, ref, library)])


def _unknown_problem(kind: str, ref: str, library: Library) -> Problem:
    name = ref.partition("@")[0]
    there = library.of_kind(kind)
    same = [loaded.ref for loaded in there if _name(loaded.definition) == name]
    expected = f"among: {', '.join(same or [loaded.ref for loaded in there])}" if there else ""
    hint = "" if same else did_you_mean(name, {_name(loaded.definition) for loaded in there})
    return Problem("MH301", f"there is no {kind} {ref}", expected, hint)


def _kind(definition: Definition) -> str:
    return next(kind for kind, model in _KINDS.items() if isinstance(definition, model))


def _name(definition: Definition) -> str:
    """Return the reference without its version."""
    return definition.ref.partition("@")[0]


def _order(loaded: Loaded[Definition]) -> tuple[int, str, tuple[int, ...]]:
    definition = loaded.definition
    return (
        list(_KINDS).index(loaded.kind),
        _name(definition),
        tuple(parse_version(definition.version)),
    )


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
    """
    reading = _read_paths(paths, base)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    if errors:
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
    reading = _read_paths(paths, base)
    problems = reading.problems
    read = {str(found.path) for found in reading.files}
    for found in reading.cases:
        problems += _check_cases(found, reading)
        read.add(str(found.path))
    for loaded in reading.own:
        if loaded.kind != "programme" and loaded.cases_file is None:
            problems.append(
                Problem(
                    "MH214",
                    f"{loaded.ref} has no worked cases",
                    expected=_cases_name(loaded.file),
                    file=loaded.file,
                )
            )
    return problems


def shipped_library() -> Library:
    """Load the definitions that come with this package.

    Raises
    ------
    UsageError
        If they are neither in the installed package nor at the root of a source checkout.
    """
    package = Path(__file__).resolve().parent.parent
    root = next(
        (
            root
            for root in (package / "_library", package.parent.parent)
            if (root / _FOLDERS["instrument"]).is_dir()
        ),
        None,
    )
    if root is None:
        msg = "the shipped definitions are not installed"
        raise UsageError(msg)
    folders = [folder for folder in _FOLDERS.values() if (root / folder).is_dir()]
    reading = _read_paths(folders, None, root=root)
    if reading.problems:
        raise DefinitionError(reading.problems)
    return reading.library


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
    text, problems = _text(found)
    cases = None
    if text is not None:
        cases, problems = read_cases(text, found.shown)
    if cases is not None and cases.for_ != loaded.ref:
        problems = [_wrong_cases(cases, loaded.ref, found.shown)]
    if problems:
        raise DefinitionError(problems)
    return cases


@dataclass(frozen=True, slots=True)
class _Found:
    """A file: where it is, how it is shown, and whether a folder was searched for it."""

    path: Path
    shown: str
    walked: bool


@dataclass(frozen=True, slots=True)
class _Read:
    """A definition that was read, with the places in its file."""

    loaded: Loaded[Definition]
    document: Document


@dataclass(slots=True)
class _Reading:
    """All files of one call."""

    files: list[_Found]
    cases: list[_Found]
    broken: set[str]
    own: list[Loaded[Definition]]
    library: Library
    problems: list[Problem]


def _read_paths(
    paths: Iterable[str | Path], base: Library | None, root: Path | None = None
) -> _Reading:
    found = [*_find_files(paths, root)]
    cases = [file for file in found if file.shown.endswith(_CASES)]
    files = [file for file in found if not file.shown.endswith(_CASES)]
    problems: list[Problem] = []
    read: list[_Read] = []
    broken: set[str] = set()
    for file in files:
        one, wrong = _read_file(file, root)
        problems += wrong
        if one is None:
            broken.add(file.shown)
        else:
            read.append(one)
    known, twice = _without_twins(read, base)
    problems += twice
    own = sorted((one.loaded for one in read), key=_order)
    library = Library(tuple(sorted(known, key=_order)))
    # A broken file would make every reference to it a second problem that is none.
    for one in read:
        problems += _check_together(one, library, silent=bool(broken))
    return _Reading(files, cases, broken, own, library, problems)


def _find_files(paths: Iterable[str | Path], root: Path | None) -> Iterator[_Found]:
    seen: set[Path] = set()
    for given in paths:
        path = Path(given) if root is None else root / given
        if path.is_dir():
            inside = sorted(path.rglob("*.yaml"), key=lambda p: p.relative_to(path).parts)
            inside += sorted(path.rglob("*.yml"))
        elif path.exists():
            inside = [path]
        else:
            msg = f"there is no file or folder {given}"
            raise UsageError(msg)
        for file in inside:
            if file.resolve() in seen or not file.is_file():
                continue
            seen.add(file.resolve())
            shown = file if root is None else file.relative_to(root)
            yield _Found(file, shown.as_posix(), walked=path.is_dir())


def _text(found: _Found) -> tuple[str | None, list[Problem]]:
    size = found.path.stat().st_size
    if size > MAX_BYTES:  # not even opened
        return None, [too_large(size, found.shown)]
    return decode(found.path.read_bytes(), found.shown)


def _read_file(found: _Found, root: Path | None) -> tuple[_Read | None, list[Problem]]:
    text, problems = _text(found)
    if text is None:
        return None, problems
    model, document, problems = read_document(text, found.shown)
    if document is None or not isinstance(model, (Instrument, NormTable, Policy, Programme)):
        return None, problems
    if found.walked:
        problems = [*problems, *_misplaced(model, found)]
    cases = found.path.with_name(_cases_name(found.path.name))
    loaded: Loaded[Definition] = Loaded(
        definition=model,
        checksum=_checksum(found.path.read_bytes()),
        file=found.shown,
        cases_file=_cases_name(found.shown) if cases.is_file() else None,
        folder="" if root is None else root.as_posix(),
        _lines=tuple(document.lines(_LINES_DEPTH)),
    )
    return _Read(loaded, document), problems


def _checksum(data: bytes) -> str:
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"sha256:{hashlib.sha256(plain).hexdigest()}"


def _cases_name(file: str) -> str:
    return re.sub(r"\.ya?ml$", "", file) + _CASES


def _misplaced(definition: Definition, found: _Found) -> Iterator[Problem]:
    """Check that people find a definition where its id and version say."""
    name, _, version = definition.ref.partition("@")
    folder, _, part = name.partition("/")
    file = f"{part}.{version}.yaml" if part else f"{version}.yaml"
    kind = _FOLDERS[_kind(definition)]
    *_, above, parent, own = ("", "", *found.path.resolve().parts)
    wrong_kind = above in _FOLDERS.values() and above != kind
    if parent != folder or own != file or wrong_kind:
        yield Problem(
            "MH215",
            f"{definition.ref} stands in another file than its id and version say",
            expected=f"{kind}/{folder}/{file}",
            file=found.shown,
        )


def _without_twins(
    read: Sequence[_Read], base: Library | None
) -> tuple[list[Loaded[Definition]], list[Problem]]:
    """Return one definition for each version, and a problem for each further one."""
    known = {(loaded.kind, loaded.ref): loaded for loaded in base or ()}
    problems = []
    for one in read:
        key = (one.loaded.kind, one.loaded.ref)
        first = known.setdefault(key, one.loaded)
        if first is not one.loaded and first.checksum != one.loaded.checksum:
            problems.append(_twin(one, first))
        elif first is not one.loaded and not (base and first in base.definitions):
            problems.append(_twin(one, first))
    return [*known.values()], problems


def _twin(one: _Read, first: Loaded[Definition]) -> Problem:
    line, column = one.document.value_place(("version",))
    return Problem(
        "MH305",
        f"{one.loaded.ref} is already defined",
        hint=f"by {first.file}; a change needs a new version",
        file=one.loaded.file,
        line=line,
        column=column,
        path="version",
    )


def _check_together(one: _Read, library: Library, *, silent: bool) -> list[Problem]:
    """Check what a definition says of other definitions."""
    definition, document, file = one.loaded.definition, one.document, one.loaded.file
    problems: list[Problem] = []

    def look_up(kind: str, ref: str, *path: str | int) -> Definition | None:
        found = library._fitting(kind, ref)  # noqa: SLF001  (the same module)
        if found:
            return found[-1].definition
        if not silent:
            line, column = document.value_place(path)
            where = {"file": file, "line": line, "column": column}
            written = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
            problem = _unknown_problem(kind, ref, library)
            problems.append(problem.at(**where, path=written.lstrip(".")))
        return None

    def instruments(refs: Sequence[str]) -> dict[str, Instrument]:
        found = [look_up("instrument", ref, "instruments", n) for n, ref in enumerate(refs)]
        return {i.id: i for i in found if isinstance(i, Instrument)}

    findings: Iterable[Finding] = ()
    if isinstance(definition, NormTable):
        instrument = look_up("instrument", definition.instrument, "instrument")
        if isinstance(instrument, Instrument):
            findings = check_norm_against(definition, instrument)
    elif isinstance(definition, Policy):
        pinned = instruments(definition.instruments)
        norms = {n.ref: n.definition for n in library.of_kind("norm")}
        for path, ref in _norms_read(definition):
            look_up("norm", ref, *path)
        findings = check_policy_against(definition, pinned, norms)  # type: ignore[arg-type]
    elif isinstance(definition, Programme):
        pinned = instruments(definition.instruments)
        policy = look_up("policy", definition.policy, "policy")
        tables = [look_up("norm", ref, "norms", n) for n, ref in enumerate(definition.norms)]
        findings = [
            *check_programme_against(
                definition, policy if isinstance(policy, Policy) else None, pinned
            ),
            *_norm_keys(tables, pinned),
        ]
    return [*problems, *place(findings, document, file)]
