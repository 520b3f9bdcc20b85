"""Do worked cases pin a definition? Change one thing at a time, and see whether a case notices.

A mutation score shows that the cases pin the file, not that the file agrees with its original:
`evidence` says that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions import Instrument
from mhscreen.loading import load_cases
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import UsageError
from mhscreen.review import mutants
from mhscreen.review.mutants import Mutant, neighbours, with_part
from mhscreen.testing.cases import run_instrument_case
from mhscreen.testing.quality_forms import values_of
from mhscreen.vocabulary import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mhscreen.definitions import Definition
    from mhscreen.definitions.cases import InstrumentCase
    from mhscreen.loading import Loaded
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.vocabulary import Informant

__all__ = ["mutate", "surviving"]

_CLOSE = 1e-9


def surviving(loaded: Loaded[Definition]) -> tuple[int, list[str]]:
    """Return how many mutants an instrument has, and those that no worked case notices.

    Examples
    --------
    >>> from mhscreen.loading import shipped_library
    >>> number, survivors = surviving(shipped_library().instrument("gad7@1"))
    >>> number > 20, survivors
    (True, [])
    """
    cases = load_cases(loaded)
    if not isinstance(loaded.definition, Instrument) or cases is None:
        return 0, []
    written: Sequence[Any] = cases.cases
    every = list(mutate(loaded.definition))
    return len(every), [one.name for one in every if not _noticed(one.instrument, written)]


def _noticed(instrument: Instrument, cases: Sequence[InstrumentCase]) -> bool:
    forms: dict[Informant, FormPlan] = {}
    try:
        for case in cases:
            informant = case.informant or instrument.informants[0]
            if informant not in forms:
                forms[informant] = compile_form(instrument, informant)
            if next(iter(run_instrument_case(forms[informant], case)), None):
                return True
    except (UsageError, KeyError, StopIteration, ValueError, IndexError, RuntimeError):
        return True  # an instrument that cannot even be compiled is noticed
    return False


def mutate(instrument: Instrument) -> Iterator[Mutant]:
    """Change one thing at a time: what `mhscreen.review.mutants.mutate` does, and quality."""
    yield from mutants.mutate(instrument)
    yield from _quality_changes(instrument)


def _quality_changes(instrument: Instrument) -> Iterator[Mutant]:
    """Move the value of each response-quality index to either side, and every expected answer."""
    forms = [compile_form(instrument, informant) for informant in instrument.informants]
    plans = [form.quality for form in forms if form.quality is not None]
    for place, index in enumerate(instrument.quality):
        key = "at_or_above" if index.at_or_above is not None else "at_or_below"
        items = len(instrument.items)
        values = np.unique(np.concatenate([values_of(plan, place, items) for plan in plans]))
        for cut in neighbours(values.tolist(), index.cut, upwards=key == "at_or_above", step=1.0):
            changed = index.model_copy(update={key: cut})
            mutated = with_part(instrument, "quality", place, changed)
            yield Mutant(f"quality {index.id} {key} {cut:.4g}", mutated, Fault.VALIDITY)
        for item, expected in index.expected.items():
            # Turned round where that is another value, else left out.
            other = {item: 1 - expected} if abs(expected - 0.5) > _CLOSE else {}
            kept = {k: v for k, v in index.expected.items() if k != item} | other
            word = f"{1 - expected:.4g}" if other else "left out"
            changed = index.model_copy(update={"expected": kept})
            mutated = with_part(instrument, "quality", place, changed)
            name = f"quality {index.id}: item {item} expected {word}"
            yield Mutant(name, mutated, Fault.VALIDITY)
