"""Check a scorer: its results against the kit, clause by clause, with both verdicts."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.clauses import CLAUSES, EVERY_CLAUSE, Failure, find_failures
from mhscreen.conformance.diagnose import Diagnosis, diagnose
from mhscreen.conformance.kit import read_form_kit, read_manifest, write_rows
from mhscreen.conformance.results import read_results, read_text
from mhscreen.conformance.scorer import find_forms
from mhscreen.problems import ProblemLog, ResponseError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mhscreen.conformance.kit import FormKit
    from mhscreen.conformance.results import Results
    from mhscreen.conformance.waivers import Waiver
    from mhscreen.loading import Library

__all__ = [
    "Check",
    "ClauseResult",
    "Example",
    "FormCheck",
    "check_results",
    "run_command",
    "run_program",
]


@dataclass(frozen=True)
class Example:
    """The smallest failing example of a clause.

    Attributes
    ----------
    vector : str
        The vector.
    column : str
        The output.
    answers : str
        What the form answers, items at their mildest left out where they are many.
    got, expected : str
        What was given and what should have been; empty for nothing.
    """

    vector: str
    column: str
    answers: str
    got: str
    expected: str


@dataclass(frozen=True)
class ClauseResult:
    """One clause on one form."""

    clause: int
    failures: int
    example: Example | None
    waiver: Waiver | None = None

    @property
    def state(self) -> str:
        """``passed``, ``waived`` or ``failed``."""
        if not self.failures:
            return "passed"
        return "waived" if self.waiver is not None else "failed"


@dataclass(frozen=True)
class FormCheck:
    """All clauses on one form, and what the differences look like."""

    form: str
    instrument: str
    vectors: int
    clauses: tuple[ClauseResult, ...]
    diagnoses: tuple[Diagnosis, ...]


@dataclass(frozen=True)
class Check:
    """A scorer against the kit.

    Attributes
    ----------
    scorer : str
        What was checked, as it was named.
    forms : tuple of FormCheck
        By form, in the order of the kit.
    not_given : tuple of str
        Forms that were asked for and of which there is no result at all.
    waivers : tuple of Waiver
        All that were given, used or not.
    """

    scorer: str
    forms: tuple[FormCheck, ...]
    not_given: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = field(default=())

    def state(self, verdict: str) -> str:
        """Return ``passed``, ``waived`` or ``failed`` for the ``standard`` or the ``gate``."""
        numbers = {clause.number for clause in EVERY_CLAUSE if clause.verdict == verdict}
        states = {one.state for form in self.forms for one in form.clauses if one.clause in numbers}
        if "failed" in states:
            return "failed"
        return "waived" if "waived" in states else "passed"

    @property
    def passed(self) -> bool:
        """Whether nothing failed, what was waived aside."""
        return all(self.state(verdict) != "failed" for verdict in ("standard", "gate"))


def load_kits(
    folder: Path, library: Library, instruments: Sequence[str] = (), informant: str | None = None
) -> tuple[FormKit, ...]:
    """Read the forms of a kit.

    Parameters
    ----------
    instruments : sequence of str
        References such as ``sdq@1``; empty: all of the kit.
    informant : str, optional
        Only this informant's form.

    Raises
    ------
    UsageError
        If the kit has no such form.
    DefinitionError
        If there is no such instrument, no kit, or not this one (MH301, MH907).
    """
    entries = {entry["form"]: entry for entry in read_manifest(folder)}
    forms = [
        form
        for form in find_forms(library, instruments)
        if informant is None or form.informant == informant
    ]
    if not instruments:
        forms = [form for form in forms if form.name in entries]
    absent = [form.name for form in forms if form.name not in entries]
    if absent or not forms:
        msg = f"the kit has no form {', '.join(absent) or informant}; it has {', '.join(entries)}"
        raise UsageError(msg)
    return tuple(read_form_kit(folder, form, entries[form.name]) for form in forms)


def check_results(
    kits: Sequence[FormKit], path: Path, *, waivers: Sequence[Waiver] = (), scorer: str = ""
) -> Check:
    """Check the results in a file or a folder.

    Raises
    ------
    ResponseError
        If they cannot be compared: rows missing or twice, unknown columns, words for numbers.
    """
    log = ProblemLog()
    found = read_results(path, kits, log)
    return _checked(kits, found, log, waivers, scorer or path.name)


def run_command(
    kits: Sequence[FormKit],
    command: Sequence[str],
    *,
    waivers: Sequence[Waiver] = (),
    timeout: float = 60.0,
) -> Check:
    """Run a scorer once per form: the rows of ``inputs.csv`` go in, results come out.

    ``{form}``, ``{instrument}`` and ``{informant}`` in the command are replaced.

    Parameters
    ----------
    timeout : float
        Seconds that one form may take.

    Raises
    ------
    ResponseError
        If the command fails, or its results cannot be compared.
    """
    log = ProblemLog()
    found: dict[str, Results] = {}
    for kit in kits:
        names = {
            "{form}": kit.form.name,
            "{instrument}": kit.form.instrument.id,
            "{informant}": str(kit.form.informant),
        }
        text = run_program(command, names, write_rows(kit.inputs()), timeout, log)
        if text is not None:
            found |= read_text(text, f"output for {kit.form.name}", [kit], log)
    return _checked(kits, found, log, waivers, " ".join(command))


def run_program(
    command: Sequence[str], names: Mapping[str, str], text: str, timeout: float, log: ProblemLog
) -> str | None:
    """Run a program on a text, and return what it prints; None where it fails, which is logged.

    Parameters
    ----------
    names : mapping of str to str
        What is replaced in the words of the command; the first names what is run, in messages.
    """
    words = list(command)
    for name, value in names.items():
        words = [word.replace(name, value) for word in words]
    what = next(iter(names.values()))
    try:
        done = subprocess.run(  # noqa: S603 - the command that the user asks to run
            words, input=text.encode(), capture_output=True, check=False, timeout=timeout
        )
    except subprocess.TimeoutExpired:
        log.add("MH901", f"the command took more than {timeout:g} s", file=what)
        return None
    except OSError as error:
        log.add("MH901", f"the command cannot be run: {error.strerror}", file=what)
        return None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        log.add(
            "MH901",
            f"the command ended with {done.returncode}",
            hint="; ".join(last)[:200],
            file=what,
        )
        return None
    return done.stdout.decode(errors="replace")


def _checked(
    kits: Sequence[FormKit],
    found: dict[str, Results],
    log: ProblemLog,
    waivers: Sequence[Waiver],
    scorer: str,
) -> Check:
    if not found and not log.problems:
        log.add("MH901", "no results of any form that is checked")
    if log.errors:
        raise ResponseError(log)
    forms = tuple(
        check_form(kit, found[kit.form.name], waivers) for kit in kits if kit.form.name in found
    )
    absent = tuple(kit.form.name for kit in kits if kit.form.name not in found)
    return Check(scorer, forms, absent, tuple(waivers))


def check_form(kit: FormKit, results: Results, waivers: Sequence[Waiver] = ()) -> FormCheck:
    """Check the results of one form."""
    failures = find_failures(kit, results)
    cells = kit.cells()
    clauses = []
    for clause in CLAUSES:
        mine = [one for one in failures if one.clause == clause.number]
        example = _smallest(kit, cells, mine) if mine else None
        waiver = find_waiver(waivers, clause.number, kit.form.name)
        clauses.append(ClauseResult(clause.number, len(mine), example, waiver if mine else None))
    return FormCheck(
        kit.form.name,
        kit.form.instrument.ref,
        len(kit.names),
        tuple(clauses),
        diagnose(kit, results.columns),
    )


def find_waiver(waivers: Sequence[Waiver], clause: int, form: str) -> Waiver | None:
    """Return the waiver of a clause on a form, if there is one."""
    fitting = (one for one in waivers if one.clause == clause and one.form in ("", form))
    return next(fitting, None)


def _smallest(kit: FormKit, cells: list[list[str]], failures: Sequence[Failure]) -> Example:
    """Return the failure on the form with the fewest answers beside the mildest option."""
    said = _answers(kit, cells)
    best = min(
        failures, key=lambda one: (len(said[one.place]) if one.place >= 0 else -1, one.place)
    )
    if best.place < 0:
        return Example("", best.column, "", "not given", "given")
    answers = said[best.place]
    shown = ", ".join(f"{item}={cell or 'blank'}" for item, cell in answers[:12])
    if len(answers) > 12:  # noqa: PLR2004 - as many as a line holds
        shown += ", …"
    usual = "all others at the first option" if len(answers) < len(cells[best.place]) else ""
    text = "; ".join(part for part in (shown, usual) if part)
    return Example(kit.names[best.place], best.column, text, best.got, best.expected)


def _answers(kit: FormKit, cells: list[list[str]]) -> list[list[tuple[str, str]]]:
    first = [str(item.codes[int(np.argmin(item.scores))]) for item in kit.form.plan.items]
    found: list[Any] = []
    for row in cells:
        differing = [
            (item.id, cell)
            for item, cell, usual in zip(kit.form.plan.items, row, first, strict=True)
            if cell != usual
        ]
        found.append(differing)
    return found
