"""Definitions together, found by reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme
from mhscreen.definitions.common import parse_version
from mhscreen.loading.grammar import did_you_mean
from mhscreen.problems import DefinitionError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["KINDS", "Library", "Loaded", "make_library", "unknown_definition"]

KINDS: dict[str, type[Definition]] = {
    "instrument": Instrument,
    "norm": NormTable,
    "policy": Policy,
    "programme": Programme,
}
"""The four kinds of definition, in the order in which a library lists them."""

_REF = re.compile(
    r"^(?P<name>[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?)(@(?P<version>[0-9]+(\.[0-9]+){0,2}))?$"
)

D_co = TypeVar("D_co", bound=Instrument | NormTable | Policy | Programme, covariant=True)
D = TypeVar("D", bound=Instrument | NormTable | Policy | Programme)
Only = TypeVar("Only", Instrument, NormTable, Policy, Programme)


class Content(Protocol[D_co]):
    """A definition that is made when it is first asked for."""

    @property
    def kind(self) -> str:
        """The kind of definition."""

    @property
    def ref(self) -> str:
        """The definition at its exact version."""

    @property
    def withdrawn(self) -> str | None:
        """Why the version must not be used any more, where it must not."""

    @property
    def definition(self) -> D_co:
        """The definition."""

    @property
    def lines(self) -> tuple[tuple[str, int], ...]:
        """The written path and the line of what stands in the file."""


@dataclass(frozen=True)
class Made(Generic[D_co]):
    """A definition that is there, with its lines."""

    definition: D_co
    lines: tuple[tuple[str, int], ...] = ()

    @property
    def kind(self) -> str:
        """``instrument``, ``norm``, ``policy`` or ``programme``."""
        return next(kind for kind, model in KINDS.items() if isinstance(self.definition, model))

    @property
    def ref(self) -> str:
        """The definition at its exact version."""
        return self.definition.ref

    @property
    def withdrawn(self) -> str | None:
        """Why the version must not be used any more, where it must not."""
        return self.definition.withdrawn


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Loaded(Generic[D_co]):
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

    content: Content[D_co]
    checksum: str
    file: str
    cases_file: str | None = None
    folder: str = ""

    @property
    def definition(self) -> D_co:
        """The definition."""
        return self.content.definition

    @property
    def ref(self) -> str:
        """The definition at its exact version."""
        return self.content.ref

    @property
    def kind(self) -> str:
        """``instrument``, ``norm``, ``policy`` or ``programme``."""
        return self.content.kind

    @property
    def name(self) -> str:
        """The reference without its version."""
        return self.ref.partition("@")[0]

    @property
    def version(self) -> str:
        """The version, as three whole numbers."""
        return self.ref.partition("@")[2]

    @property
    def withdrawn(self) -> str | None:
        """Why the version must not be used any more, where it must not."""
        return self.content.withdrawn

    def with_definition(self, definition: D) -> Loaded[D]:
        """Return another definition in the place of this one, for a trial."""
        content = Made(definition, self.content.lines)
        return Loaded(content, self.checksum, self.file, self.cases_file, self.folder)

    def line(self, path: str) -> int | None:
        """Return the line of something in the file, such as ``response_scales.frequency4``."""
        return dict(self.content.lines).get(path)

    def __str__(self) -> str:
        """Return the exact reference."""
        return self.ref

    def __repr__(self) -> str:
        return f"<Loaded: {self.kind} {self.ref}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loaded) and self._told() == other._told()

    def _told(self) -> tuple[object, ...]:
        return self.definition, self.checksum, self.file, self.cases_file, self.folder

    def __hash__(self) -> int:
        # Definitions hold dicts; what is equal has the same file.
        return hash((self.ref, self.checksum))


@dataclass(frozen=True, slots=True, repr=False)
class Library:
    """Definitions, found by reference. Immutable; holds no open file.

    Attributes
    ----------
    definitions : tuple of Loaded
        Everything, by kind, id and version.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> shipped_library().instrument("phq9@1").definition.id
    'phq9'
    """

    definitions: tuple[Loaded[Definition], ...]

    def __repr__(self) -> str:
        return f"<Library: {len(self)} definitions>"

    def __iter__(self) -> Iterator[Loaded[Definition]]:
        """Iterate over everything, by kind, id and version."""
        return iter(self.definitions)

    def __len__(self) -> int:
        """Return the number of definitions."""
        return len(self.definitions)

    def instrument(self, ref: str) -> Loaded[Instrument]:
        """Return an instrument by ``id``, ``id@1``, ``id@1.2`` or ``id@1.2.3``.

        An inexact reference gives the highest version that it fits; a withdrawn one only where
        it fits no other.

        Raises
        ------
        UsageError
            If `ref` is not a reference.
        DefinitionError
            If there is no such instrument (MH301).
        """
        return self._find(Instrument, ref)

    def norm(self, ref: str) -> Loaded[NormTable]:
        """Return a norm table, ``instrument/name`` and a version as for `instrument`."""
        return self._find(NormTable, ref)

    def policy(self, ref: str) -> Loaded[Policy]:
        """Return a policy; as `instrument`."""
        return self._find(Policy, ref)

    def programme(self, ref: str) -> Loaded[Programme]:
        """Return a programme; as `instrument`."""
        return self._find(Programme, ref)

    def of_kind(self, kind: str) -> tuple[Loaded[Definition], ...]:
        """Return all definitions of one kind, by id and version."""
        return tuple(loaded for loaded in self.definitions if loaded.kind == kind)

    def fitting(self, kind: str, ref: str) -> tuple[Loaded[Definition], ...]:
        """Return the versions that a reference fits, the highest last; they may be none.

        Raises
        ------
        UsageError
            If `ref` is not a reference.
        """
        match = _REF.match(ref)
        if match is None:
            raise UsageError(_not_a_reference(kind, ref))
        wanted = tuple(map(int, match["version"].split("."))) if match["version"] else ()
        name = f"{match['name']}@"
        return tuple(
            loaded
            for loaded in self.definitions
            if loaded.ref.startswith(name)
            and loaded.kind == kind
            and parse_version(loaded.version)[: len(wanted)] == wanted
        )

    def _find(self, model: type[Only], ref: str) -> Loaded[Only]:
        kind = next(kind for kind, other in KINDS.items() if other is model)
        found: Any = self.fitting(kind, ref)
        if not found:
            raise DefinitionError([unknown_definition(kind, ref, self)])
        usable = [loaded for loaded in found if loaded.withdrawn is None]
        last: Loaded[Only] = (usable or found)[-1]
        return last


def make_library(loaded: Iterable[Loaded[Definition]]) -> Library:
    """Put definitions together, in the order of a library."""
    return Library(tuple(sorted(loaded, key=_order)))


def unknown_definition(kind: str, ref: str, library: Library) -> Problem:
    """Return the problem of a reference that fits nothing, with what there is."""
    name = ref.partition("@")[0]
    there = library.of_kind(kind)
    same = [loaded.ref for loaded in there if loaded.name == name]
    expected = f"among: {', '.join(same or [loaded.ref for loaded in there])}" if there else ""
    hint = "" if same else did_you_mean(name, sorted({loaded.name for loaded in there}))
    return Problem("MH301", f"there is no {kind} {ref}", expected, hint)


def _not_a_reference(kind: str, ref: str) -> str:
    example = "sdq/shanghai@1.0.0" if kind == "norm" else "phq9@1.0.0"
    hint = " (after @, letters name an informant)" if re.search(r"@[a-z]+$", ref) else ""
    return f"{ref!r} names no {kind}; write an id and a version, like {example}{hint}"


def _order(loaded: Loaded[Definition]) -> tuple[int, str, tuple[int, ...]]:
    return list(KINDS).index(loaded.kind), loaded.name, tuple(parse_version(loaded.version))
