"""What worked cases must say beyond their grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.definitions.cases import InstrumentCase, NormCase, PolicyCase
from mhscreen.definitions.checks.finding import Finding, Path, check_known, check_unique
from mhscreen.definitions.instrument import Instrument
from mhscreen.definitions.norm_table import NormTable
from mhscreen.definitions.policy import Policy
from mhscreen.vocabulary import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mhscreen.definitions import Definition
    from mhscreen.definitions.cases import Cases

__all__ = ["check_cases"]

_GIVES = {InstrumentCase: "answers", PolicyCase: "forms", NormCase: "raw"}
_MEASURES = dict.fromkeys(
    [
        *(f"{m}{end}" for m in Metric if m is not Metric.RAW for end in ("", "_low", "_high")),
        *("t_ci_low", "t_ci_high", "t_capped", "stratum", "reason"),
    ]
)


def check_cases(cases: Cases, definition: Definition) -> Iterator[Finding]:
    """Yield everything in which worked cases do not fit their definition."""
    names = (case.name for case in cases.cases)
    yield from check_unique(names, "case", lambda n: ("cases", n, "name"))
    for n, case in enumerate(cases.cases):
        path: Path = ("cases", n)
        if isinstance(case, InstrumentCase) and isinstance(definition, Instrument):
            yield from _instrument_case(case, definition, path)
        elif isinstance(case, NormCase) and isinstance(definition, NormTable):
            yield from _norm_case(case, definition, path)
        elif isinstance(case, PolicyCase) and isinstance(definition, Policy):
            rules = {rule.id: None for rule in definition.rules}
            yield from _all_known(
                case.expect.rules or (), rules, "rule", (*path, "expect", "rules")
            )
            yield from _times(case, path)
        else:
            what = f"'{_GIVES[type(case)]}' is no input of {definition.ref}"
            yield Finding(path, "MH107", what)


def _instrument_case(case: InstrumentCase, instrument: Instrument, path: Path) -> Iterator[Finding]:
    if case.informant is not None and case.informant not in instrument.informants:
        what = f"{instrument.ref} has no form for informant '{case.informant}'"
        expected = f"among: {', '.join(instrument.informants)}"
        yield Finding((*path, "informant"), "MH306", what, expected)
    items = {item.id: None for item in instrument.items}
    for item in case.answers:
        if item != "all":
            yield from check_known(item, items, "item", (*path, "answers", item))
    scales = {scale.id: scale for scale in instrument.scales}
    for name, expected_score in case.expect.items():
        here: Path = (*path, "expect", name)
        unknown = [*check_known(name, scales, "scale", here)]
        yield from unknown
        if unknown:
            continue
        categories = {c.id: None for s in scales[name].cut_sets for c in s.categories}
        for key in ("category", "category_low", "category_high"):
            category = getattr(expected_score, key)
            if category is not None:
                yield from check_known(category, categories, "category", (*here, key))
    critical = {item.item: None for item in instrument.critical_items}
    with_concern = {f"{item.item}/{item.concern}": None for item in instrument.critical_items}
    known = {**critical, **with_concern}
    yield from _all_known(case.critical or (), known, "critical item", (*path, "critical"))
    here = (*path, "critical_open")
    yield from _all_known(case.critical_open or (), critical, "critical item", here)
    quality = {index.id: None for index in instrument.quality}
    yield from _all_known(case.quality or (), quality, "quality index", (*path, "quality"))
    for name in case.quality_values:
        here = (*path, "quality_values", name)
        yield from check_known(name, quality, "quality index", here)


def _times(case: PolicyCase, path: Path) -> Iterator[Finding]:
    for slot, seconds in case.duration_s.items():
        here: Path = (*path, "duration_s", slot)
        filed = len(case.forms.get(slot, ()))
        if len(seconds) != filed:
            what = f"{len(seconds)} times for {filed} forms of '{slot}'"
            yield Finding(here, "MH107", what, "one for each form, null where not recorded")


def _norm_case(case: NormCase, norm: NormTable, path: Path) -> Iterator[Finding]:
    scales = {scale.scale: None for scale in norm.scales}
    for name in case.raw:
        yield from check_known(name, scales, "scale", (*path, "raw", name))
    for name, measures in case.expect.items():
        yield from check_known(name, scales, "scale", (*path, "expect", name))
        for measure in measures:
            here = (*path, "expect", name, measure)
            yield from check_known(measure, _MEASURES, "derived score", here)


def _all_known(
    names: Iterable[str], known: dict[str, None], what: str, path: Path
) -> Iterator[Finding]:
    for n, name in enumerate(names):
        yield from check_known(name, known, what, (*path, n))
