"""Choose the vectors of policies, measure how good they are, and write them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.candidates import Demand
from mhscreen.conformance.choose import choose, classes
from mhscreen.conformance.generate import Measures, coin
from mhscreen.conformance.policy_candidates import make_pupils
from mhscreen.conformance.policy_departures import policy_departures
from mhscreen.conformance.policy_kit import (
    FOLDER,
    PolicyKit,
    policy_files,
    policy_names,
    write_policy_manifest,
)
from mhscreen.conformance.policy_proofs import PolicyProver
from mhscreen.conformance.policy_scorer import screen_pupils
from mhscreen.definitions.cases import PolicyCase
from mhscreen.kernels.codes import is_answered
from mhscreen.loading import load_cases
from mhscreen.vocabulary import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_scorer import PolicyDeparture, Pupils, Screener
    from mhscreen.conformance.scorer import Columns
    from mhscreen.loading import Library

__all__ = ["generate_policy", "read_policy_measures", "write_policies"]

REQUIRED = Requirement.REQUIRED.position
_SPARE = 4


def generate_policy(
    library: Library, screener: Screener, *, measure: bool = True
) -> tuple[PolicyKit, Measures]:
    """Choose the vectors of a policy.

    Parameters
    ----------
    measure : bool
        Whether held-out diagnosis and the proofs are worked out, too.
    """
    cases = load_cases(library.policy(screener.ref))
    worked = () if cases is None else cases.cases
    pool = make_pupils(screener, [one for one in worked if isinstance(one, PolicyCase)])
    normed = screener.normed(pool)
    tried = policy_departures(screener)
    own = screen_pupils(screener, pool, normed=normed)
    said = np.stack(
        [_digest(own), *(_digest(screen_pupils(screener, pool, d.change, normed)) for d in tried)]
    )
    wanted = _demands(screener, pool, own)
    spare = _spare(pool)
    chosen = choose(said, wanted, spare)
    kit = PolicyKit(screener, pool.take(chosen), policy_names(screener, len(chosen)))
    on_pool, on_chosen = classes(said), classes(said[:, chosen])
    noticed = on_chosen[1:] != on_chosen[0]
    proofs: Counter[str] = Counter()
    held_out = diagnosed = 0
    if measure:
        prover = PolicyProver(library, screener)
        proofs.update(
            prover.prove(one) for one, seen in zip(tried, noticed, strict=True) if not seen
        )
        held_out, diagnosed = _held_out(said, wanted, spare, on_pool, tried)
    unproved = proofs.pop("", 0)
    alike = int((~noticed).sum())
    measures = Measures(
        form=screener.name,
        candidates=len(pool),
        vectors=len(chosen),
        demands=len(wanted),
        mutants=len(tried),
        killed=int(noticed.sum()),
        equivalent=alike - unproved if measure else 0,
        unproved=unproved if measure else alike,
        classes=int(on_pool.max()) + 1,
        told_apart=int(on_chosen.max()) + 1,
        alike_unproved=0,
        proofs=dict(sorted(proofs.items())),
        held_out=held_out,
        diagnosed=diagnosed,
        known=0,
    )
    return kit, measures


def _digest(columns: Columns) -> NDArray[np.uint64]:
    found = np.zeros(len(columns["screen"].values), dtype=np.uint64)
    for name, column in columns.items():
        found += column.digest(name)
    return found


def _demands(screener: Screener, pool: Pupils, own: Columns) -> list[Demand]:
    """Return what the vectors show in any case.

    Every word of every output, every group, and what must reassure nobody: each critical item left
    blank alone, each required form absent alone.
    """
    found = [
        Demand(f"{name} {word}", column.values == place)
        for name, column in own.items()
        for place, word in enumerate(column.words)
    ]
    groups = [screener.plan.group(str(one.stage), one.grade) for one in pool.people]
    found += [
        Demand(f"group {group.id}", np.array(groups) == place)
        for place, group in enumerate(screener.plan.programme.groups)
    ]
    calm = own["established"].values == 0
    uses = screener.plan.uses[groups]
    absent = (uses == REQUIRED) & ~np.stack(pool.filed, axis=1)
    for slot, form in enumerate(screener.plan.forms):
        alone = calm & absent[:, slot] & (absent.sum(axis=1) == 1)
        found += [
            Demand(f"{form.slot} absent, group {place}", alone & (np.array(groups) == place))
            for place in range(len(screener.plan.programme.groups))
        ]
        blank = ~is_answered(pool.codes[slot]) & pool.filed[slot]
        one_blank = calm & (blank.sum(axis=0) == 1) & ~absent.any(axis=1)
        found += [
            Demand(f"{form.slot}: {form.items[row].id} blank", one_blank & blank[row])
            for row in dict.fromkeys(item.row for item in form.critical)
        ]
    return [one for one in found if one.shown_by.any()]


def _spare(pool: Pupils) -> list[int]:
    mixed = [place for place, why in enumerate(pool.why) if why == "mixed"]
    return [mixed[place] for place in np.linspace(0, len(mixed) - 1, _SPARE).astype(int).tolist()]


def _held_out(
    said: NDArray[np.uint64],
    wanted: Sequence[Demand],
    spare: Sequence[int],
    on_pool: NDArray[np.int64],
    tried: Sequence[PolicyDeparture],
) -> tuple[int, int]:
    """Choose vectors from one half of the departures, diagnose the other; then the reverse."""
    half = np.array([coin(one.name) for one in tried])
    number = right = 0
    for fold in (0, 1):
        kept = np.concatenate([[True], half != fold])
        labels = classes(said[:, choose(said[kept], wanted, spare)])
        for place in np.flatnonzero(~kept).tolist():
            if on_pool[place] != on_pool[0]:
                number += 1
                right += bool((on_pool[labels == labels[place]] == on_pool[place]).all())
    return number, right


def write_policies(
    out: Path,
    library: Library,
    screeners: Iterable[Screener],
    *,
    measure: bool = True,
    progress: Callable[[Measures], None] | None = None,
) -> tuple[Measures, ...]:
    """Choose the vectors of policies, and write them into the folder of a kit.

    The same definitions give the same bytes, on any machine.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    kits, found = [], []
    for screener in screeners:
        kit, measures = generate_policy(library, screener, measure=measure)
        place = folder / screener.name
        place.mkdir(exist_ok=True)
        for name, text in policy_files(kit).items():
            (place / name).write_text(text, encoding="utf-8", newline="\n")
        kits.append(kit)
        found.append(measures)
        if progress is not None:
            progress(measures)
    write_policy_manifest(folder, kits)
    text = json.dumps({"policies": [asdict(one) for one in found]}, ensure_ascii=False, indent=1)
    (folder / "measures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(found)


def read_policy_measures(folder: Path) -> tuple[Measures, ...]:
    """Return the measures of the policies of a kit."""
    text = (folder / FOLDER / "measures.json").read_text(encoding="utf-8")
    return tuple(Measures(**one) for one in json.loads(text)["policies"])
