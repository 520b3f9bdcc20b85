"""Filled-in forms among which vectors are chosen.

Nothing is drawn at random: the "random" forms come from a hash, so that every machine and every
version of NumPy makes the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import Vectors, score_vectors
from mhscreen.definitions.keys import items_of
from mhscreen.kernels import codes as rc
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Form
    from mhscreen.definitions.instrument import Scale

__all__ = [
    "blank_numbers",
    "ends",
    "half_blank",
    "make_candidates",
    "plain_vectors",
    "uniform",
]

_MIXED = 160
_RUNGS = 60
_UNKNOWN = 0.04  # the share of pupils whose sex, age or grade is not known
ILLEGAL_KINDS = 4
_LEANINGS = (1.0, 0.35, 2.5)
"""Powers that make the answers of a mixed form spread evenly, lean to worse, or to mild."""


class _Pool:
    """Collects forms, as columns of response codes."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.options = np.array([len(item.scores) for item in form.plan.items])
        self.columns: list[NDArray[np.uint8]] = []
        self.illegal: list[int] = []
        self.why: list[str] = []

    def add(self, codes: NDArray[np.uint8], why: str, illegal: int = -1) -> None:
        self.columns.append(codes.astype(np.uint8))
        self.illegal.append(illegal)
        self.why.append(why)

    def vectors(self) -> Vectors:
        codes = np.stack(self.columns, axis=1)
        number = codes.shape[1]
        sex, age, grade = _people(self.form, number)
        late = uniform(self.form.name, "late", 1, number)[0] < 0.5  # noqa: PLR2004 - half
        late &= any(item.bands for item in self.form.plan.items)
        illegal = np.array(self.illegal, dtype=np.int8)
        return Vectors(codes, illegal, late, sex, age, grade, tuple(self.why))


def uniform(form: str, stream: str, rows: int, number: int) -> NDArray[np.float64]:
    """Return numbers from 0 to below 1, shape (rows, number), that depend on names only.

    Examples
    --------
    >>> uniform("gad7", "mixed", 1, 2).round(3).tolist() == uniform("gad7", "mixed", 1, 2).round(
    ...     3).tolist()
    True
    """
    seed = sum(
        (byte + 1) * pow(257, place, 1 << 61)
        for place, byte in enumerate(f"{form}/{stream}".encode())
    )
    state = (np.arange(rows * number, dtype=np.uint64) + np.uint64(seed % (1 << 61))) * np.uint64(
        0x9E3779B97F4A7C15
    )
    state ^= state >> np.uint64(30)
    state *= np.uint64(0xBF58476D1CE4E5B9)
    state ^= state >> np.uint64(27)
    state *= np.uint64(0x94D049BB133111EB)
    state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).reshape(rows, number) / float(1 << 53)


def make_candidates(form: Form) -> Vectors:
    """Return the candidate forms of one informant's form of one instrument."""
    pool = _Pool(form)
    mild, worst = ends(form)
    pool.add(mild, "mildest")
    pool.add(worst, "worst")
    pool.add(np.full(len(mild), rc.BLANK), "nothing answered")
    for place in range(int(pool.options.max())):
        pool.add(np.minimum(place, pool.options - 1), f"option {place + 1} throughout")
    mixed = _mixed(form, pool.options)
    for place in range(mixed.shape[1]):
        pool.add(mixed[:, place], "mixed")
    _add_ladders(pool, mild, mixed)
    _add_single_items(pool, mild, worst, mixed)
    _add_blanks(pool, mild, worst, mixed)
    _add_gates(pool, mixed)
    _add_illegal(pool, mild, mixed)
    return pool.vectors()


def ends(form: Form) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the mildest and the worst form."""
    lowest = np.array([int(np.argmin(item.scores)) for item in form.plan.items], dtype=np.uint8)
    highest = np.array([int(np.argmax(item.scores)) for item in form.plan.items], dtype=np.uint8)
    upwards = np.array([item.upwards for item in form.plan.items])
    return np.where(upwards, lowest, highest), np.where(upwards, highest, lowest)


def _mixed(form: Form, options: NDArray[np.int64]) -> NDArray[np.uint8]:
    blocks = []
    for place, power in enumerate(_LEANINGS):
        share = uniform(form.name, f"mixed {place}", len(options), _MIXED) ** power
        blocks.append(np.floor(share * options[:, None]).astype(np.uint8))
    return np.concatenate(blocks, axis=1)


def _add_ladders(pool: _Pool, mild: NDArray[np.uint8], mixed: NDArray[np.uint8]) -> None:
    """Climb each scale from its lowest to its highest score in two orders, with blanks and without.

    Of a ladder only the rungs at the ends and beside the cut scores are kept.
    """
    form = pool.form
    rows = {item.id: row for row, item in enumerate(form.plan.items)}
    for scale in form.instrument.scales_for(form.informant):
        items = [rows[key] for key in items_of(form.instrument, scale)]
        if not items:
            continue
        sign = _signs(form, scale, items)
        for turn in range(2):
            order = np.argsort(uniform(form.name, f"ladder {scale.id} {turn}", 1, len(items))[0])
            base = mild if turn == 0 else mixed[:, turn]
            counted = [row for row in items if form.plan.items[row].blank_score is not None]
            if counted:
                order_of_rest = [row for row in (items[p] for p in order) if row not in counted]
                rungs = _climb(form, base, order_of_rest, sign, counted)
                _keep_rungs(pool, scale, rungs, len(counted))
            for blanks in blank_numbers(form, scale, len(items)):
                blank = [items[place] for place in order[:blanks]]
                rungs = _climb(form, base, [items[p] for p in order[blanks:]], sign, blank)
                _keep_rungs(pool, scale, rungs, blanks)


def _signs(form: Form, scale: Scale, items: Sequence[int]) -> dict[int, int]:
    """Return, by row, whether the scale rises with the item score or falls."""
    reverse = set(scale.reverse)
    for name in scale.scales:
        reverse |= set(form.instrument.scale(name).reverse)
    return {row: -1 if form.plan.items[row].id in reverse else 1 for row in items}


def blank_numbers(form: Form, scale: Scale, items: int) -> list[int]:
    """Return how many of the items of a scale are left blank: none, as many as a rule allows, …."""
    plan = form.plan.scales[form.plan.scale(scale.id)]
    limit = plan.n_items - plan.min_answered
    for name in scale.scales:
        part = form.plan.scales[form.plan.scale(name)]
        limit = max(limit, part.n_items - part.min_answered)
    few = {limit + 2, items // 2} if limit else set()
    return sorted({n for n in {0, 1, limit, limit + 1} | few if 0 <= n < items})


def half_blank(items: int) -> set[int]:
    """Return how many are blank where half are answered, one fewer than half, one, and none."""
    half = items // 2
    return {half, half + 1, items - 1, items} - {0}


def _climb(
    form: Form,
    base: NDArray[np.uint8],
    order: Sequence[int],
    sign: dict[int, int],
    blank: Sequence[int],
) -> NDArray[np.uint8]:
    current = base.copy()
    current[list(blank)] = rc.BLANK
    ranked = {
        row: np.argsort(form.plan.items[row].scores * sign[row], kind="stable") for row in order
    }
    for row in order:
        current[row] = ranked[row][0]
    rungs = [current.copy()]
    for row in order:
        for option in ranked[row][1:]:
            current[row] = option
            rungs.append(current.copy())
    return np.stack(rungs, axis=1)


def _keep_rungs(pool: _Pool, scale: Scale, rungs: NDArray[np.uint8], blanks: int) -> None:
    number = rungs.shape[1]
    kept = set(range(number)) if number <= _RUNGS else {0, 1, number - 2, number - 1}
    if number > _RUNGS:
        kept |= set(np.linspace(0, number - 1, _RUNGS // 3).astype(int).tolist())
        scores = score_vectors(pool.form, plain_vectors(rungs))[scale.id].values
        cuts = [*pool.form.plan.scales[pool.form.plan.scale(scale.id)].cuts.tolist()]
        cuts += [index.at_or_above for index in pool.form.plan.validity
                 if pool.form.plan.scales[index.scale].id == scale.id]  # fmt: skip
        for cut in cuts:
            near = np.abs(scores - cut)
            near[np.isnan(near)] = np.inf
            kept |= set(np.argsort(near, kind="stable")[:7].tolist())
    for place in sorted(kept):
        pool.add(rungs[:, place], f"{scale.id}: a rung" + (f", {blanks} blank" if blanks else ""))


def plain_vectors(codes: NDArray[np.uint8]) -> Vectors:
    """Return forms of nobody in particular."""
    number = codes.shape[1]
    nobody = np.full(number, -1, dtype=np.int8)
    early = np.zeros(number, dtype=bool)
    return Vectors(codes, nobody, early, nobody, np.full(number, np.nan), nobody, ("",) * number)


def _add_single_items(
    pool: _Pool, mild: NDArray[np.uint8], worst: NDArray[np.uint8], mixed: NDArray[np.uint8]
) -> None:
    """Change one item of a form that is otherwise mildest, worst or mixed; answer one item only."""
    for row, number in enumerate(pool.options):
        name = pool.form.plan.items[row].id
        for base, word in ((mild, "mildest"), (worst, "worst"), (mixed[:, row % 8], "mixed")):
            for option in {0, int(number) - 1, int(number) // 2} - {int(base[row])}:
                codes = base.copy()
                codes[row] = option
                pool.add(codes, f"{word} but for {name}")
        for end in (mild, worst):
            codes = np.full(len(mild), rc.BLANK, dtype=np.uint8)
            codes[row] = end[row]
            pool.add(codes, f"{name} answered only")


def _add_blanks(
    pool: _Pool, mild: NDArray[np.uint8], worst: NDArray[np.uint8], mixed: NDArray[np.uint8]
) -> None:
    """Leave out one item, or as many of a scale as its rule allows, and one more."""
    form = pool.form
    legal = [
        [rc.missing_code(one.reason) for one in form.instrument.options(item.id).missing_codes]
        for item in form.plan.items
    ]
    for row in range(len(form.plan.items)):
        for base in (mild, worst, mixed[:, row % mixed.shape[1]], mixed[:, (row * 7) % 50]):
            for code in (rc.BLANK, *legal[row]):
                codes = base.copy()
                codes[row] = code
                pool.add(codes, f"{form.plan.items[row].id} blank")
    rows = {item.id: row for row, item in enumerate(form.plan.items)}
    for scale in form.instrument.scales_for(form.informant):
        items = [rows[key] for key in items_of(form.instrument, scale)]
        for blanks in {*blank_numbers(form, scale, len(items)), *half_blank(len(items))}:
            for turn in range(6 if blanks else 0):
                order = np.argsort(uniform(form.name, f"{scale.id} {turn}", 1, len(items))[0])
                codes = mixed[:, (turn * 11 + blanks) % mixed.shape[1]].copy()
                codes[[items[place] for place in order[:blanks]]] = rc.BLANK
                pool.add(codes, f"{scale.id}: {blanks} blank")


def _add_gates(pool: _Pool, mixed: NDArray[np.uint8]) -> None:
    """Open, close and leave open each gate, with and without answers behind it."""
    plan = pool.form.plan
    for place, gate in enumerate(plan.gates):
        for row, cut in gate.openers:
            scores = plan.items[row].scores
            opens, shut = np.flatnonzero(scores >= cut), np.flatnonzero(scores < cut)
            states = [int(opens[0]), rc.BLANK, *([int(shut[-1])] if len(shut) else [])]
            for state in states:
                for turn, answered in enumerate((True, False)):
                    for other in (0, 1):
                        codes = mixed[:, (place * 5 + turn + row + other) % 40].copy()
                        for opener, limit in gate.openers:
                            below = np.flatnonzero(plan.items[opener].scores < limit)
                            if len(below) and other == 0:
                                codes[opener] = below[-1]
                        codes[row] = state
                        if not answered:
                            codes[list(gate.rows)] = rc.BLANK
                        pool.add(codes, "gate")


def _add_illegal(pool: _Pool, mild: NDArray[np.uint8], mixed: NDArray[np.uint8]) -> None:
    """Put one illegal answer of each kind into each item."""
    for row, item in enumerate(pool.form.plan.items):
        for kind in range(ILLEGAL_KINDS):
            for base in (mild, mixed[:, (row * 3 + kind) % mixed.shape[1]]):
                codes = base.copy()
                codes[row] = rc.ILLEGAL
                pool.add(codes, f"{item.id} illegal", kind)


def _people(
    form: Form, number: int
) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int8]]:
    """Give forms a sex, an age and a grade at the edges of the strata; nobody's without norms."""
    sex = np.full(number, -1, dtype=np.int8)
    age, grade = np.full(number, np.nan), np.full(number, -1, dtype=np.int8)
    strata = [one for plan in form.norm_plans.values() for one in plan.strata]
    if not strata:
        return sex, age, grade
    ages = {edge for one in strata for edge in one.age if np.isfinite(edge)}
    grades = {int(edge) for one in strata for edge in one.grade if np.isfinite(edge)}
    possible = sorted({e + step for e in ages for step in (-0.1, 0.0, 0.5)} or {12.5})
    classes = sorted({g + step for g in grades for step in (-1, 0)} or {7})
    share = uniform(form.name, "people", 3, number)
    unknown = uniform(form.name, "unknown", 3, number) < _UNKNOWN
    sex[:] = np.where(unknown[0], -1, (share[0] * len(Sex)).astype(np.int8))
    age[:] = np.where(
        unknown[1], np.nan, np.array(possible)[(share[1] * len(possible)).astype(int)].round(2)
    )
    grade[:] = np.where(unknown[2], -1, np.array(classes)[(share[2] * len(classes)).astype(int)])
    return sex, age, grade
