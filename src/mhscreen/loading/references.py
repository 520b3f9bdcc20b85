"""What definitions say of one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme
from mhscreen.definitions.checks import (
    check_norm_against,
    check_policy_against,
    check_programme_against,
    norms_read,
)
from mhscreen.loading.library import unknown_definition
from mhscreen.loading.read import place
from mhscreen.loading.yaml_reader import write_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mhscreen.definitions.checks import Finding
    from mhscreen.loading.library import Library, Loaded
    from mhscreen.loading.yaml_reader import Document, Path
    from mhscreen.problems import Problem

__all__ = ["check_references"]


def check_references(
    loaded: Loaded[Definition], document: Document, library: Library, *, complete: bool
) -> list[Problem]:
    """Check what a definition says of the others in a library.

    Parameters
    ----------
    loaded : Loaded
        The definition.
    document : Document
        Its places.
    library : Library
        Where its references point to.
    complete : bool
        Whether the library holds everything. Where it does not, because another file is broken,
        a reference to nothing is not reported.
    """
    checker = _Checker(loaded, document, library, complete)
    findings = checker.findings(loaded.definition)
    return [*checker.missing, *place(findings, document, loaded.file)]


class _Checker:
    """Follows the references of one definition; keeps those that lead nowhere."""

    def __init__(
        self,
        loaded: Loaded[Definition],
        document: Document,
        library: Library,
        complete: bool,  # noqa: FBT001  (inside this module)
    ) -> None:
        self.file = loaded.file
        self.document = document
        self.library = library
        self.complete = complete
        self.missing: list[Problem] = []

    def findings(self, definition: Definition) -> list[Finding]:
        if isinstance(definition, NormTable):
            found = self.instruments({("instrument",): definition.instrument})
            return [f for one in found.values() for f in check_norm_against(definition, one)]
        if isinstance(definition, Policy):
            pins = self.instruments(_listed("instruments", definition.instruments))
            tables = self.norms(dict(norms_read(definition)))
            return [*check_policy_against(definition, pins, tables)]
        if isinstance(definition, Programme):
            pins = self.instruments(_listed("instruments", definition.instruments))
            tables = self.norms(_listed("norms", definition.norms))
            policies = self.look_up("policy", {("policy",): definition.policy})
            policy = next((one for one in policies if isinstance(one, Policy)), None)
            return [*check_programme_against(definition, policy, pins, tables)]
        return []

    def look_up(self, kind: str, references: Mapping[Path, str]) -> list[Definition]:
        """Return the definitions that some references point to."""
        there: list[Definition] = []
        for path, ref in references.items():
            found = self.library.fitting(kind, ref)
            if found:
                there.append(found[-1].definition)
            elif self.complete:
                line, column = self.document.value_place(path)
                problem = unknown_definition(kind, ref, self.library)
                where = {"file": self.file, "line": line, "column": column}
                self.missing.append(problem.at(**where, path=write_path(path)))
        return there

    def instruments(self, references: Mapping[Path, str]) -> dict[str, Instrument]:
        found = self.look_up("instrument", references)
        return {one.id: one for one in found if isinstance(one, Instrument)}

    def norms(self, references: Mapping[Path, str]) -> dict[str, NormTable]:
        found = self.look_up("norm", references)
        return {one.ref: one for one in found if isinstance(one, NormTable)}


def _listed(key: str, references: Iterable[str]) -> dict[Path, str]:
    return {(key, n): ref for n, ref in enumerate(references)}
