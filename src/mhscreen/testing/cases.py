"""Run worked cases: what a definition gives against what its author worked out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions import Instrument, NormTable, Policy
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS
from mhscreen.loading import load_cases
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.plan import compile_plan
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import DefinitionError, Problem, ProblemLog, UsageError
from mhscreen.steps.answers import read_answers
from mhscreen.steps.bind import bind
from mhscreen.steps.norm import norm, norm_scale
from mhscreen.steps.quality import is_reached
from mhscreen.steps.score import ScaleScores, score, score_forms
from mhscreen.steps.tables import Table, encode
from mhscreen.steps.triage import triage
from mhscreen.vocabulary import NormReason, Sex, Tier, Validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mhscreen.definitions import Definition
    from mhscreen.definitions.cases import InstrumentCase, NormCase, PolicyCase, Pupil
    from mhscreen.loading import Library, Loaded
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.norm import NormedScale
    from mhscreen.steps.score import FormScores
    from mhscreen.vocabulary import Informant

__all__ = ["run_cases", "run_instrument_case"]


def run_cases(
    library: Library, definitions: Iterable[Loaded[Definition]] | None = None
) -> list[Problem]:
    """Run the worked cases beside definitions.

    Parameters
    ----------
    library : Library
        Where the definitions that a case needs are found.
    definitions : iterable of Loaded, optional
        Whose cases are run; by default those of the whole library.

    Returns
    -------
    list of Problem
        MH213 for every expectation that is not met; what is wrong with a file of cases.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> library = shipped_library()
    >>> run_cases(library, [library.instrument("gad7@1")])
    []
    """
    problems: list[Problem] = []
    compiled = _Compiled(library)
    for loaded in library if definitions is None else definitions:
        try:
            cases = load_cases(loaded)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        for place, case in enumerate(() if cases is None else cases.cases):
            try:
                found = list(_run(compiled, loaded.definition, case))
            except (DefinitionError, UsageError, KeyError, StopIteration) as error:
                found = [f"cannot be run: {error}"]
            problems.extend(
                Problem(
                    "MH213",
                    what,
                    file=loaded.cases_file or loaded.file,
                    path=f"cases[{place}] ({case.name})",
                    hint="work the case out by hand again, then look at the key",
                )
                for what in found
            )
    return problems


class _Compiled:
    """What the cases of a library need compiled, each once."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._forms: dict[tuple[str, Informant], FormPlan] = {}
        self._norms: dict[str, dict[str, NormPlan]] = {}
        self._plans: dict[str, Plan] = {}

    def form(self, instrument: Instrument, informant: Informant) -> FormPlan:
        """Return the form of an instrument of the library."""
        key = (instrument.ref, informant)
        if key not in self._forms:
            self._forms[key] = compile_form(instrument, informant)
        return self._forms[key]

    def norms(self, table: NormTable) -> dict[str, NormPlan]:
        """Return a norm table by scale."""
        if table.ref not in self._norms:
            instrument = self.library.instrument(table.instrument).definition
            form = self.form(instrument, table.informant)
            self._norms[table.ref] = {
                form.scales[plan.scale].id: plan for plan in compile_norms(table, form, 0)
            }
        return self._norms[table.ref]

    def plan(self, programme: str) -> Plan:
        """Return a programme of the library."""
        if programme not in self._plans:
            self._plans[programme] = compile_plan(self.library, programme)
        return self._plans[programme]


def _run(compiled: _Compiled, definition: Definition, case: Any) -> Iterator[str]:
    if isinstance(definition, Instrument):
        informant = case.informant or definition.informants[0]
        return run_instrument_case(compiled.form(definition, informant), case)
    if isinstance(definition, NormTable):
        return _run_norm(compiled.norms(definition), case)
    if isinstance(definition, Policy):
        return _run_policy(definition, case, compiled)
    return iter(["a programme has no cases of its own"])


def _row(form: FormPlan, answers: Mapping[str, Any]) -> dict[str, Any]:
    known = {item.id for item in form.items}
    unknown = sorted(set(answers) - known - {"all"})
    if unknown:
        msg = f"{form.slot} has no item {', '.join(unknown)}"
        raise UsageError(msg)
    return {item.id: answers.get(item.id, answers.get("all")) for item in form.items}


def run_instrument_case(form: FormPlan, case: InstrumentCase) -> Iterator[str]:
    """Yield what one case of an instrument expects and does not get.

    Parameters
    ----------
    form : FormPlan
        The instrument, compiled for the informant of the case.
    case : InstrumentCase
        The case.
    """
    row = _row(form, case.answers)
    table = Table(form.slot, {key: encode([value]) for key, value in row.items()}, 1)
    log = ProblemLog()
    codes = read_answers(form, table, {place: i.id for place, i in enumerate(form.items)}, log)
    for problem in log:
        yield f"{problem.path}: {problem.what}"
    seconds = None if case.duration_s is None else np.array([case.duration_s], dtype=np.float64)
    scored = score_forms(form, codes, seconds)
    for key, expected in case.expect.items():
        place = form.scale(key)
        if place < 0:
            yield f"no scale '{key}' on this form"
            continue
        # Nobody works out an item response model by hand to more than one decimal.
        decimals = 0 if form.scales[place].irt is None else 1
        for name in sorted(expected.model_fields_set):
            got = _value(scored.scales[place], name)
            wanted = getattr(expected, name)
            yield from _compare(f"{key}.{name}", wanted, got, decimals=decimals)
    positive = [
        f"{critical.item}/{critical.concern}"
        for critical, truth in zip(form.critical, scored.critical, strict=True)
        if truth[0] == HOLDS
    ]
    if not any("/" in name for name in case.critical or ()):
        positive = [name.partition("/")[0] for name in positive]
    unanswered = [
        c.item
        for c in form.critical
        if rc.is_unanswered(scored.codes[c.row])[0] and scored.codes[c.row, 0] != rc.COUNTED_BLANK
    ]
    reached, values = _quality(form, scored)
    for name, value in case.quality_values.items():
        yield from _compare(f"quality_values.{name}", value, values.get(name))
    for name, wanted, found in (
        ("critical", case.critical, positive),
        ("critical_open", case.critical_open, unanswered),
        ("quality", case.quality, reached),
    ):
        if wanted is not None:
            yield from _compare(name, sorted(set(wanted)), sorted(set(found)))
    if case.validity is not None:
        yield from _compare("validity", case.validity, Validity.at(int(scored.validity[0])))


def _quality(form: FormPlan, scored: FormScores) -> tuple[list[str], dict[str, float | None]]:
    """Return the response-quality indices that the one form reaches, and the value of each."""
    if form.quality is None:
        return [], {}
    names = [one.id for one in form.quality.indices]
    met = is_reached(form.quality, scored.codes, scored.quality)[:, 0]
    reached = [name for name, holds in zip(names, met, strict=True) if holds]
    values = scored.quality[:, 0].tolist()
    return reached, {k: None if math.isnan(v) else v for k, v in zip(names, values, strict=True)}


def _value(scale: ScaleScores, name: str) -> Any:
    values = getattr(scale, name)
    if values is None:
        return None
    value = values[0]
    if name.startswith("category"):
        return None if value < 0 else scale.categories[value]
    return None if np.isnan(value) else float(value)


def _run_norm(plans: Mapping[str, NormPlan], case: NormCase) -> Iterator[str]:
    for key, raw in case.raw.items():
        if key not in plans:
            yield f"no norm for scale '{key}'"
            continue
        normed = _normed(plans[key], raw, case.pupil)
        for name, wanted in case.expect.get(key, {}).items():
            got = _derived(normed, name)
            yield from _compare(f"{key}.{name}", wanted, got, decimals=1)


def _normed(plan: NormPlan, raw: float | None, pupil: Pupil) -> NormedScale:
    number = np.array([np.nan if raw is None else raw])
    return norm_scale(
        plan,
        ScaleScores.of_raw(number),
        np.array([-1 if pupil.sex is None else Sex(pupil.sex).position], dtype=np.int8),
        np.array([np.nan if pupil.age is None else pupil.age]),
        np.array([-1 if pupil.grade is None else pupil.grade], dtype=np.int8),
    )


def _derived(normed: NormedScale, name: str) -> float | str | None:
    if name == "stratum":
        return None if normed.stratum[0] < 0 else float(normed.stratum[0])
    if name == "reason":
        return NormReason.at(int(normed.reason[0]))
    if name in ("t_ci_low", "t_ci_high", "t_capped"):
        value = getattr(normed, name)[0]
    else:
        metric, _, end = name.partition("_")
        if metric not in normed.derived:
            return None
        value = getattr(normed.derived[metric], end or "value")[0]
    return None if np.isnan(value) else float(value)


def _run_policy(policy: Policy, case: PolicyCase, compiled: _Compiled) -> Iterator[str]:
    plan = compiled.plan(case.programme)
    if plan.policy.ref != policy.ref:
        yield f"{case.programme} uses {plan.policy.ref}, not {policy.ref}"
        return
    pupil = case.pupil.model_dump(mode="python")
    roster = {"subject": "case", "school": "case", **pupil}
    tables = []
    for slot, forms in case.forms.items():
        if plan.slot(slot) < 0:
            yield f"{case.programme} has no slot '{slot}'"
            return
        rows = [_row(plan.forms[plan.slot(slot)], answers) for answers in forms]
        columns = {key: encode(row[key] for row in rows) for key in rows[0]}
        columns["subject"] = encode(["case"] * len(rows))
        if slot in case.duration_s:
            quality = plan.forms[plan.slot(slot)].quality
            if quality is None or not quality.uses_time:
                yield f"duration_s: no index of '{slot}' uses the time"
            columns["duration_s"] = encode(case.duration_s[slot])
        tables.append((slot, Table(slot, columns, len(rows))))
    batch = bind(
        plan,
        Table("roster", {key: encode([value]) for key, value in roster.items()}, 1),
        tables,
        on_problem="report",
    )
    for problem in batch.log:
        if problem.code in ("MH401", "MH402", "MH403"):
            yield f"{problem.path}: {problem.what}"
    result = triage(plan, norm(plan, score(plan, batch)))
    held = [
        rule.id
        for rule, truth in zip(plan.triage.rules, result.truth, strict=True)
        if truth[0] == HOLDS
    ]
    got: dict[str, Any] = {
        "established": Tier.at(int(result.established[0])),
        "possible": Tier.at(int(result.possible[0])),
        "screen": result.screen_tier[0],
        "rules": sorted(held),
        "flags": sorted(result.flags_of(0)),
    }
    for name in sorted(case.expect.model_fields_set):
        wanted = getattr(case.expect, name)
        yield from _compare(
            name, sorted(wanted) if isinstance(wanted, tuple) else wanted, got[name]
        )


def _compare(name: str, wanted: Any, got: Any, *, decimals: int = 0) -> Iterator[str]:
    """Yield a difference; numbers agree to the decimals written down, or to `decimals` if more."""
    if isinstance(wanted, float | int) and isinstance(got, float | int):
        decimals = max(decimals, len(f"{wanted:.10f}".rstrip("0").partition(".")[2]))
        if abs(got - wanted) <= 0.5 * 10**-decimals + 1e-9 and (decimals or got == wanted):
            return
    elif wanted == got:
        return
    yield f"{name}: expected {_words(wanted)}, got {_words(got)}"


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "nothing" if value is None else str(value)
