"""Choose the vectors of a form, and measure how good they are."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.conformance.candidates import make_candidates
from mhscreen.conformance.choose import choose, classes, evaluate
from mhscreen.conformance.demands import demands, is_coarse
from mhscreen.conformance.departures import departures
from mhscreen.conformance.kit import FormKit, vector_names
from mhscreen.conformance.proofs import prove_alike
from mhscreen.conformance.scorer import score_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.choose import Evaluated
    from mhscreen.conformance.coverage import Demand
    from mhscreen.conformance.scorer import Departure, Form, Vectors

__all__ = ["Generated", "Measures", "coin", "generate_form", "held_out"]

_SPARE, _SPARE_COARSE = 2, 10


@dataclass(frozen=True)
class Measures:
    """How good the vectors of one form are.

    Attributes
    ----------
    form : str
        The form.
    candidates : int
        The forms among which the vectors were chosen.
    vectors : int
        The vectors.
    demands : int
        What the vectors have to show (every option, every cut score, …) and do.
    mutants : int
        The departures that were tried.
    killed : int
        Those that some vector notices.
    equivalent : int
        Those that are proved to give what the definition gives, whatever is filled in.
    unproved : int
        Those that no vector notices, without a proof; 0, or the kit is not good.
    classes : int
        Kinds of scorers that can be told apart, the definition itself included.
    told_apart : int
        Those that the vectors tell apart.
    alike_unproved : int
        Departures in one class with another, without a proof that they are alike.
    proofs : dict of str to int
        How often each kind of proof was used.
    held_out : int
        Departures that were hidden from the choice of the vectors that had to diagnose them.
    diagnosed : int
        Those that were named rightly: as their own class and no other.
    untuned : int
        Those that were named rightly by vectors that were chosen without any departure.
    known : int
        Faults and variants seen in published programs, among the departures by name.
    """

    form: str
    candidates: int
    vectors: int
    demands: int
    mutants: int
    killed: int
    equivalent: int
    unproved: int
    classes: int
    told_apart: int
    alike_unproved: int
    proofs: dict[str, int]
    held_out: int
    diagnosed: int
    untuned: int
    known: int


@dataclass(frozen=True, eq=False)
class Generated:
    """The vectors of one form, and how good they are."""

    kit: FormKit
    measures: Measures


def generate_form(form: Form, *, measure: bool = True) -> Generated:
    """Choose the vectors of a form.

    Parameters
    ----------
    measure : bool
        Whether held-out diagnosis and the proofs are worked out, too; without, those measures
        are 0.

    Examples
    --------
    >>> from mhscreen.conformance.scorer import find_forms
    >>> from mhscreen.loading import shipped_library
    >>> form, = find_forms(shipped_library(), ["gad7@1"])
    >>> found = generate_form(form).measures
    >>> found.killed + found.equivalent == found.mutants, found.diagnosed == found.held_out
    (True, True)
    """
    pool = make_candidates(form)
    evaluated = evaluate(form, pool, departures(form))
    wanted = demands(form, pool, evaluated.columns)
    chosen = choose(evaluated.said, wanted, spare_places(form, pool))
    vectors = _with_reasons(pool.take(chosen), chosen, wanted)
    kit = FormKit(form, vectors, vector_names(form, len(chosen)))
    return Generated(kit, _measure(form, pool, evaluated, wanted, chosen, in_full=measure))


def spare_places(form: Form, pool: Vectors) -> list[int]:
    """Return candidates that are taken in any case: mixed answers, complete and with a blank.

    The rest of the vectors is cut to the departures that were thought of. These are there for
    faults that nobody thought of, and the measure of held-out diagnosis says what they are worth.
    There are more of them where a table reads many sums as one.
    """
    mixed = [place for place, why in enumerate(pool.why) if why == "mixed"]
    blank = [place for place, why in enumerate(pool.why) if why.endswith(" blank")]
    coarse = any(map(is_coarse, form.plan.scales))
    numbers = (_SPARE_COARSE if coarse else _SPARE, _SPARE)
    return [
        several[place]
        for several, number in zip((mixed, blank), numbers, strict=True)
        for place in np.linspace(0, len(several) - 1, number).astype(int).tolist()
    ]


def _with_reasons(vectors: Vectors, chosen: Sequence[int], wanted: Sequence[Demand]) -> Vectors:
    """Say of each vector how it was made and the first things that it alone shows."""
    shown = np.array([one.shown_by[list(chosen)] for one in wanted])
    alone = shown.sum(axis=1) == 1
    why = []
    for place, made in enumerate(vectors.why):
        only = [one.name for one, is_one, by in zip(wanted, alone, shown, strict=True)
                if is_one and by[place]]  # fmt: skip
        extra = "; ".join(only[:3]) + ("; …" if len(only) > 3 else "")  # noqa: PLR2004
        why.append(f"{made}: {extra}" if extra else made)
    return replace(vectors, why=tuple(why))


def _measure(
    form: Form,
    pool: Vectors,
    evaluated: Evaluated,
    wanted: Sequence[Demand],
    chosen: Sequence[int],
    *,
    in_full: bool,
) -> Measures:
    on_pool = classes(evaluated.said)
    on_chosen = classes(evaluated.said[:, list(chosen)])
    alike = on_pool[1:] == on_pool[0]
    noticed = _noticed(form, pool.take(chosen), evaluated)
    proofs: Counter[str] = Counter()
    unproved = alike_unproved = 0
    if in_full:
        for place, others in _groups(on_pool, evaluated.scorers):
            for other in others:
                proof = prove_alike(form, place, other)
                proofs[proof] += 1
                unproved += not proof and place is None
                alike_unproved += not proof and place is not None
    del proofs[""]
    hidden = (0, 0, 0)
    if in_full:
        names = [one.name for one in evaluated.scorers]
        hidden = held_out(evaluated.said, names, wanted, spare_places(form, pool), on_pool)
    equivalent = int(alike.sum()) - unproved
    return Measures(
        form=form.name,
        candidates=len(pool),
        vectors=len(chosen),
        demands=len(wanted),
        mutants=len(evaluated.scorers),
        killed=int(noticed.sum()),
        equivalent=equivalent,
        unproved=len(evaluated.scorers) - int(noticed.sum()) - equivalent,
        classes=int(on_pool.max()) + 1,
        told_apart=int(on_chosen.max()) + 1,
        alike_unproved=alike_unproved,
        proofs=dict(sorted(proofs.items())),
        held_out=hidden[0],
        diagnosed=hidden[1],
        untuned=hidden[2],
        known=sum(bool(one.source) for one in evaluated.scorers),
    )


def _noticed(form: Form, vectors: Vectors, evaluated: Evaluated) -> NDArray[np.bool_]:
    """Return which departures a checker notices: with its tolerance, on the vectors alone.

    A scorer that fills blanks with the mean of the other forms sees other forms here than among
    the candidates, which is why everything is scored again.
    """
    own = score_vectors(form, vectors)
    noticed = []
    for one in evaluated.scorers:
        said = score_vectors(form, vectors, one.change)
        whole = not one.change.scales and one.change.norm is None
        names = own.keys() | said.keys() if whole else said.keys()
        noticed.append(
            any(
                name not in own or name not in said or not said[name].same(own[name]).all()
                for name in names
            )
        )
    return np.array(noticed, dtype=bool)


def _groups(
    labels: NDArray[np.int64], scorers: Sequence[Departure]
) -> list[tuple[Departure | None, list[Departure]]]:
    """Return, for each class with several members, its first and the others."""
    members: dict[int, list[Departure | None]] = {}
    for label, one in zip(labels.tolist(), (None, *scorers), strict=True):
        members.setdefault(label, []).append(one)
    return [
        (several[0], [one for one in several[1:] if one is not None])
        for several in members.values()
        if len(several) > 1
    ]


def held_out(
    said: NDArray[np.uint64],
    names: Sequence[str],
    demands: Sequence[Demand],
    spare: Sequence[int],
    on_pool: NDArray[np.int64],
) -> tuple[int, int, int]:
    """Hide departures from the choice of the vectors that then have to diagnose them.

    A hidden fault is diagnosed rightly where all that looks like it on those vectors is of its
    own class, the definition not among it.

    Parameters
    ----------
    said : ndarray of uint64, shape (scorers + 1, candidates)
        What is said; first the definition.
    names : sequence of str
        Of the departures: a hash of its name puts each into one half.
    on_pool : ndarray of int64, shape (scorers + 1,)
        The classes on all candidates.

    Returns
    -------
    tuple of int
        How many were hidden; how many were named rightly with either half hidden from vectors
        chosen from the other; and how many with all of them hidden.
    """
    half = np.array([coin(name) for name in names])
    hidden = on_pool[1:] != on_pool[0]  # of the others there is nothing to diagnose
    right = 0
    for fold in (0, 1):
        kept = np.concatenate([[True], half != fold])
        right += _named_rightly(said, kept, hidden & (half == fold), demands, spare, on_pool)
    first = np.zeros(len(said), dtype=bool)
    first[0] = True
    return int(hidden.sum()), right, _named_rightly(said, first, hidden, demands, spare, on_pool)


def _named_rightly(
    said: NDArray[np.uint64],
    kept: NDArray[np.bool_],
    hidden: NDArray[np.bool_],
    demands: Sequence[Demand],
    spare: Sequence[int],
    on_pool: NDArray[np.int64],
) -> int:
    labels = classes(said[:, choose(said[kept], demands, spare)])
    return sum(
        bool((on_pool[labels == labels[place]] == on_pool[place]).all())
        for place in (np.flatnonzero(hidden) + 1).tolist()
    )


def coin(name: str) -> int:
    """Return 0 or 1, as a hash of a name has it."""
    return hashlib.sha256(name.encode()).digest()[0] & 1


def summary(measures: Sequence[Measures]) -> dict[str, Any]:
    """Return the sums over forms."""
    keys = [field.name for field in fields(Measures) if field.name not in ("form", "proofs")]
    return {key: sum(getattr(one, key) for one in measures) for key in keys}


def is_good(measures: Measures) -> bool:
    """Return whether the vectors reach the bar: all is noticed and told apart, or proved alike."""
    return (
        measures.unproved == 0
        and measures.alike_unproved == 0
        and measures.told_apart == measures.classes
    )
