"""Check a screening program: its tiers and reasons against the vectors of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.check import (
    Check,
    ClauseResult,
    Example,
    FormCheck,
    find_waiver,
    run_program,
)
from mhscreen.conformance.clauses import POLICY_CLAUSES, Failure
from mhscreen.conformance.diagnose import LIKE, Diagnosis
from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.policy_departures import policy_departures
from mhscreen.conformance.policy_kit import DUE, LISTS, TIERS, read_policy_kit
from mhscreen.conformance.policy_scorer import FLAGS, find_screeners, screen_pupils
from mhscreen.conformance.results import few, given_rows, parse_rows
from mhscreen.conformance.scorer import Column
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.triage import triage
from mhscreen.vocabulary import Requirement, Tier, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_kit import PolicyKit
    from mhscreen.conformance.policy_scorer import PolicyDeparture
    from mhscreen.conformance.results import Row
    from mhscreen.conformance.scorer import Columns
    from mhscreen.conformance.waivers import Waiver
    from mhscreen.loading import Library

__all__ = ["check_policies", "check_policy_columns", "load_policy_kits", "run_policy_command"]

REQUIRED = Requirement.REQUIRED.position
GENERAL = Tier.GENERAL.position
MAJOR = Tier.MAJOR.position
_OPTIONAL = ("undecided", "due")


def load_policy_kits(
    folder: Path, library: Library, policies: Sequence[str]
) -> tuple[PolicyKit, ...]:
    """Read the vectors of policies, such as ``three-tier-cn@1``, from a kit.

    Raises
    ------
    UsageError
        If no programme uses a policy.
    DefinitionError
        If there is no such policy, no kit, or not this one (MH301, MH907).
    """
    return tuple(read_policy_kit(folder, one) for one in find_screeners(library, policies))


def check_policies(
    kits: Sequence[PolicyKit], path: Path, *, waivers: Sequence[Waiver] = (), scorer: str = ""
) -> Check:
    """Check the results in a file or a folder.

    Raises
    ------
    ResponseError
        If they cannot be compared: rows missing or twice, unknown columns or words.
    """
    log = ProblemLog()
    return _checked(kits, given_rows(path, log), log, waivers, scorer or path.name)


def run_policy_command(
    kits: Sequence[PolicyKit],
    command: Sequence[str],
    *,
    waivers: Sequence[Waiver] = (),
    timeout: float = 60.0,
) -> Check:
    """Run a program once per policy: pupils with their answers go in, results come out.

    It gets a CSV with a row per pupil (`PolicyKit.inputs`). ``{policy}`` in the command is
    replaced by the name of the policy's folder.

    Raises
    ------
    ResponseError
        If the command fails, or its results cannot be compared.
    """
    log = ProblemLog()
    rows: list[Row] = []
    for kit in kits:
        names = {"{policy}": kit.screener.name}
        text = run_program(command, names, write_rows(kit.inputs()), timeout, log)
        if text is not None:
            rows += parse_rows(text, f"output for {kit.screener.name}", log)
    return _checked(kits, rows, log, waivers, " ".join(command))


def _checked(
    kits: Sequence[PolicyKit],
    rows: Sequence[Row],
    log: ProblemLog,
    waivers: Sequence[Waiver],
    scorer: str,
) -> Check:
    known = {name for kit in kits for name in kit.names}
    strange = [row for row in rows if row.vector not in known]
    if strange:
        what = f"no vector '{strange[0].vector[:60]}' in the policies that are checked"
        more = f" ({len(strange)} such rows)" if len(strange) > 1 else ""
        log.add("MH904", what + more, file=strange[0].file, row=strange[0].number)
    forms, absent = [], []
    for kit in kits:
        given = _given(kit, rows, log)
        if given is None:
            absent.append(kit.screener.name)
        elif not log.errors:
            forms.append(check_policy_columns(kit, given, waivers))
    if not forms and not log.problems:
        log.add("MH901", "no results of any policy that is checked")
    if log.errors:
        raise ResponseError(log)
    return Check(scorer, tuple(forms), tuple(absent), tuple(waivers))


# -- reading --------------------------------------------------------------------------------------


def _given(kit: PolicyKit, rows: Sequence[Row], log: ProblemLog) -> Columns | None:
    """Return what a program gives, as columns; None where there is no row of the policy."""
    by_name: dict[str, Row] = {}
    for row in rows:
        if row.vector in by_name:
            log.add("MH903", f"{row.vector} twice", file=row.file, row=row.number)
        elif row.vector in kit.names:
            by_name[row.vector] = row
    if not by_name:
        return None
    absent = [name for name in kit.names if name not in by_name]
    if absent:
        log.add("MH902", f"no row for {few(absent)}", path=kit.screener.name,
                expected=f"{len(kit.names)} rows, one for each row of pupils.csv")  # fmt: skip
        return {}
    return _columns(kit, [by_name[name] for name in kit.names], log)


def _columns(kit: PolicyKit, given: Sequence[Row], log: ProblemLog) -> Columns:
    headings = dict.fromkeys(name for row in given for name in row.cells)
    inputs = set(kit.inputs()[0])
    columns: Columns = {}
    for name in headings:
        if name in TIERS:
            columns[name] = _tiers(name, given, log)
        elif name not in LISTS and name not in inputs:
            log.add("MH905", f"'{name[:60]}' is no output of {kit.screener.name}",
                    expected=", ".join((*TIERS, *LISTS)), file=given[0].file)  # fmt: skip
    rules = [rule.id for rule in kit.screener.plan.policy.rules]
    if "rules" in headings:
        columns |= _rules(kit, rules, given, log, with_open="undecided" in headings)
    for name, words in (("flags", list(map(str, FLAGS))), ("due", list(DUE))):
        if name in headings:
            head = LISTS[name][0]
            listed = _listed(name, words, given, log)
            columns |= {f"{head}{k}": Column(v, ("no", "yes")) for k, v in listed.items()}
    return columns


def _tiers(name: str, given: Sequence[Row], log: ProblemLog) -> Column:
    words = TIERS[name]
    values = np.full(len(given), np.nan)
    for place, row in enumerate(given):
        cell = row.cells.get(name, "").strip()
        if cell in words:
            values[place] = words.index(cell)
        elif cell:
            log.add("MH906", f"{row.vector}: neither word nor empty", path=name,
                    expected=", ".join(words), file=row.file, row=row.number)  # fmt: skip
    return Column(values, words)


def _listed(
    name: str, words: Sequence[str], given: Sequence[Row], log: ProblemLog
) -> dict[str, NDArray[np.float64]]:
    found = {word: np.zeros(len(given)) for word in words}
    for place, row in enumerate(given):
        for word in filter(None, map(str.strip, row.cells.get(name, "").split(";"))):
            if word in found:
                found[word][place] = 1
            else:
                log.add("MH906", f"{row.vector}: not a word of {name}", file=row.file,
                        expected=f"{few(list(words))}, separated by semicolons",
                        row=row.number, path=name)  # fmt: skip
    return found


def _rules(
    kit: PolicyKit, rules: Sequence[str], given: Sequence[Row], log: ProblemLog, *, with_open: bool
) -> Columns:
    """Return the rules; without a list of undecided ones, open counts as not holding."""
    held = _listed("rules", rules, given, log)
    if with_open:
        still = _listed("undecided", rules, given, log)
    else:
        still = {rule: kit.expected[f"rule.{rule}"].values == 1 for rule in rules}
    return {
        f"rule.{rule}": Column(np.where(held[rule] == 1, 2.0, still[rule] * 1.0),
                               ("no", "open", "yes"))
        for rule in rules
    }  # fmt: skip


# -- comparing ------------------------------------------------------------------------------------


def check_policy_columns(
    kit: PolicyKit, given: Columns, waivers: Sequence[Waiver] = ()
) -> FormCheck:
    """Check the columns that a program gives for one policy."""
    expected = kit.expected
    wrong = {name: ~expected[name].same(column) for name, column in given.items()}
    failures = [
        *_missing(given),
        *_differences(given, expected, wrong),
        *_unsafe(kit, given, expected),
    ]
    clauses = []
    for clause in POLICY_CLAUSES:
        mine = [one for one in failures if one.clause == clause.number]
        example = _smallest(kit, mine) if mine else None
        waiver = find_waiver(waivers, clause.number, kit.screener.name) if mine else None
        clauses.append(ClauseResult(clause.number, len(mine), example, waiver))
    name = kit.screener.name
    diagnoses = _diagnose(kit, given, expected, wrong)
    return FormCheck(name, kit.screener.ref, len(kit.names), tuple(clauses), diagnoses)


def _missing(given: Columns) -> Iterator[Failure]:
    for name in TIERS:
        if name not in given:
            yield Failure(21, -1, name, "", "given")
    for name, (head, _) in LISTS.items():
        if name not in _OPTIONAL and not any(one.startswith(head) for one in given):
            yield Failure(21, -1, name, "", "given")


_CLAUSES = {"established": 22, "possible": 23, "screen": 24, "rule": 25, "flag": 26, "due": 26}


def _differences(
    given: Columns, expected: Columns, wrong: Mapping[str, NDArray[np.bool_]]
) -> Iterator[Failure]:
    for name, cells in wrong.items():
        clause = _CLAUSES[name.partition(".")[0]]
        yield from _failures(clause, name, cells, given, expected)


def _failures(
    clause: int, name: str, cells: NDArray[np.bool_], given: Columns, expected: Columns
) -> Iterator[Failure]:
    if cells.any():
        texts = given[name].texts(), expected[name].texts()
        for place in np.flatnonzero(cells).tolist():
            yield Failure(clause, place, name, texts[0][place], texts[1][place])


def _unsafe(kit: PolicyKit, given: Columns, expected: Columns) -> Iterator[Failure]:
    """Look for what must never be said of an open critical item, an absent or an invalid form."""
    plan = kit.screener.plan
    found = triage(plan, kit.normed)
    filed = np.stack(kit.pupils.filed, axis=1)
    uses = plan.uses[[plan.group(str(one.stage), one.grade) for one in kit.pupils.people]]
    absent = ((uses == REQUIRED) & ~filed).any(axis=1)
    doubtful = expected["flag.invalid"].values == 1
    for form, bound in zip(found.normed.scores.forms, found.normed.scores.batch.forms, strict=True):
        doubtful[bound.pupil[form.validity == Validity.INCOMPLETE.position]] = True
    if "screen" in given:
        shown, wanted = given["screen"].values, expected["screen"].values
        reassuring = (shown < GENERAL) & (wanted > MAJOR)
        for clause, where in ((31, found.critical_open), (32, absent), (33, doubtful)):
            yield from _failures(clause, "screen", reassuring & where, given, expected)
        other = reassuring & ~(found.critical_open | absent | doubtful)
        milder = (wanted <= MAJOR) & (shown < wanted)
        is_told = (shown >= wanted) & (shown <= MAJOR)  # an empty cell tells nobody
        hidden = (wanted <= MAJOR) & (wanted >= GENERAL) & ~is_told
        yield from _failures(34, "screen", milder | hidden, given, expected)
        yield from _failures(35, "screen", other, given, expected)
    if "possible" in given:
        lower = given["possible"].values < expected["possible"].values
        yield from _failures(35, "possible", lower, given, expected)


def _smallest(kit: PolicyKit, failures: Sequence[Failure]) -> Example:
    """Return the failure on the pupil of whom least is reported."""
    best = min(failures, key=lambda one: (_reported(kit, one.place)[0], one.place))
    if best.place < 0:
        return Example("", best.column, "", "not given", "given")
    person = kit.pupils.people[best.place]
    who = f"{person.stage}, grade {person.grade}"
    text = f"{who}; {_reported(kit, best.place)[1]}"
    return Example(kit.names[best.place], best.column, text, best.got, best.expected)


def _reported(kit: PolicyKit, place: int) -> tuple[int, str]:
    """Return how many answers are not the mildest, and the forms with them in words."""
    if place < 0:
        return -1, ""
    number, words = 0, []
    for slot, name in enumerate(kit.screener.plan.slots):
        if not kit.pupils.filed[slot][place]:
            continue
        answers = kit.reported(place, slot)
        number += len(answers)
        shown = [f"{item}={cell or 'blank'}" for item, cell in answers.items()]
        more = ", …" if len(shown) > 8 else ""  # noqa: PLR2004 - as many as a line holds
        words.append(f"{name}: {', '.join(shown[:8]) + more or 'nothing reported'}")
    return number, "; ".join(words) or "no form"


# -- naming the fault -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Match:
    """How far a departure gives what a program gives."""

    departure: PolicyDeparture
    met: int
    contradicted: int
    in_rule: bool


def _diagnose(
    kit: PolicyKit, given: Columns, expected: Columns, wrong: Mapping[str, NDArray[np.bool_]]
) -> tuple[Diagnosis, ...]:
    total = sum(int(cells.sum()) for cells in wrong.values())
    if not total:
        return ()
    changed = {
        name.partition(".")[2] for name in wrong if name.startswith("rule.") and wrong[name].any()
    }
    own, rules = [], []
    for one in policy_departures(kit.screener):
        if not one.rule:
            own.append(one)
        elif one.rule in changed or (not changed and _keeps_condition(kit, one)):
            rules.append(one)
    # What changes one rule cannot be all of it where several rules differ.
    first, second = ([*rules, *own], []) if len(changed) <= 1 else (own, rules)
    matches = [_match(kit, one, given, expected, wrong) for one in first]
    exact = [one for one in matches if one.met == total and not one.contradicted]
    if exact:
        return (_named("exact", exact, total),)
    matches += [_match(kit, one, given, expected, wrong) for one in second]
    matches = [one for one in matches if one.met]
    parts = []
    for rule in dict.fromkeys(one.departure.rule for one in matches if one.in_rule):
        fitting = [one for one in matches if one.in_rule and one.departure.rule == rule]
        parts.append(_named("part", fitting, total))
    if parts:
        return tuple(parts)
    best = max(matches, key=lambda one: one.met - one.contradicted, default=None)
    if best is None or best.met - best.contradicted < LIKE * total:
        return ()
    alike = (best.met, best.contradicted)
    return (_named("like", [m for m in matches if (m.met, m.contradicted) == alike], total),)


def _keeps_condition(kit: PolicyKit, one: PolicyDeparture) -> bool:
    """Return whether a departure changes no more of a rule than its tier and flags."""
    policies = (kit.screener.plan.policy, one.policy)
    when = [
        next((rule.when for rule in policy.rules if rule.id == one.rule), None)
        for policy in policies
        if policy is not None
    ]
    return len(when) > 1 and when[0] == when[1]


def _match(
    kit: PolicyKit,
    one: PolicyDeparture,
    given: Columns,
    expected: Columns,
    wrong: Mapping[str, NDArray[np.bool_]],
) -> _Match:
    said = screen_pupils(kit.screener, kit.pupils, one.change, kit.normed)
    met = contradicted = 0
    for name, column in given.items():
        differs = ~expected[name].same(said[name])
        same = said[name].same(column)
        met += int((differs & same).sum())
        contradicted += int((differs & ~same).sum())
    own = f"rule.{one.rule}"
    in_rule = own in given and bool(wrong[own].any()) and bool(said[own].same(given[own]).all())
    return _Match(one, met, contradicted, in_rule)


def _named(certainty: str, alike: Sequence[_Match], total: int) -> Diagnosis:
    first = alike[0].departure
    also = tuple(one.departure.name for one in alike[1:])
    return Diagnosis(certainty, first.fault, first.name, also, first.source, alike[0].met / total)
