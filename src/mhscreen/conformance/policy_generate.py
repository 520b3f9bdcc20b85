"""Choose the vectors of policies, measure how good they are, and write them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.choose import choose, classes
from mhscreen.conformance.generate import Measures, held_out
from mhscreen.conformance.policy_candidates import make_pupils
from mhscreen.conformance.policy_demands import policy_demands
from mhscreen.conformance.policy_departures import policy_departures
from mhscreen.conformance.policy_kit import (
    FOLDER,
    RULES,
    PolicyKit,
    policy_files,
    policy_names,
    write_policy_manifest,
)
from mhscreen.conformance.policy_proofs import PolicyProver
from mhscreen.conformance.policy_scorer import screen_pupils
from mhscreen.definitions.cases import PolicyCase
from mhscreen.loading import load_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_scorer import Pupils, Screener
    from mhscreen.conformance.scorer import Columns
    from mhscreen.loading import Library

__all__ = ["generate_policy", "read_policy_measures", "write_policies"]

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
    wanted = policy_demands(screener, pool, normed, own)
    spare = _spare(pool)
    chosen = choose(said, wanted, spare)
    kit = PolicyKit(screener, pool.take(chosen), policy_names(screener, len(chosen)))
    on_pool, on_chosen = classes(said), classes(said[:, chosen])
    noticed = on_chosen[1:] != on_chosen[0]
    proofs: Counter[str] = Counter()
    hidden = (0, 0, 0)
    if measure:
        prover = PolicyProver(library, screener)
        proofs.update(
            prover.prove(one) for one, seen in zip(tried, noticed, strict=True) if not seen
        )
        hidden = held_out(said, [one.name for one in tried], wanted, spare, on_pool)
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
        held_out=hidden[0],
        diagnosed=hidden[1],
        untuned=hidden[2],
        known=0,
    )
    return kit, measures


def _digest(columns: Columns) -> NDArray[np.uint64]:
    found = np.zeros(len(columns["screen"].values), dtype=np.uint64)
    for name, column in columns.items():
        found += column.digest(name)
    return found


def _spare(pool: Pupils) -> list[int]:
    mixed = [place for place, why in enumerate(pool.why) if why == "mixed"]
    return [mixed[place] for place in np.linspace(0, len(mixed) - 1, _SPARE).astype(int).tolist()]


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
        for name, text in (policy_files(kit) | {RULES: _rules(library, screener)}).items():
            (place / name).write_text(text, encoding="utf-8", newline="\n")
        kits.append(kit)
        found.append(measures)
        if progress is not None:
            progress(measures)
    write_policy_manifest(folder, kits)
    text = json.dumps({"policies": [asdict(one) for one in found]}, ensure_ascii=False, indent=1)
    (folder / "measures.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(found)


def _rules(library: Library, screener: Screener) -> str:
    """Return the definition of a policy as it is written, so that the kit says what it asks."""
    loaded = library.policy(screener.ref)
    return (Path(loaded.folder) / loaded.file).read_text(encoding="utf-8")


def read_policy_measures(folder: Path) -> tuple[Measures, ...]:
    """Return the measures of the policies of a kit."""
    text = (folder / FOLDER / "measures.json").read_text(encoding="utf-8")
    return tuple(Measures(**one) for one in json.loads(text)["policies"])
