"""The cells of a whole policy: its forms together, and answers that reach a cell.

Conditions are monotone in the comparisons that hold, so that a question whether a rule can hold
while others do not is settled by the smallest cells in which it does. Different forms, and
different parts of a form, move freely.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.definitions.checks.policy import norms_read
from mhscreen.definitions.policy import CriticalItemLeaf
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.plan.claims import leaves
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.scoring import compile_form
from mhscreen.plan.triage import LeafPlan, compile_triage
from mhscreen.problems import UsageError
from mhscreen.review.cells import NOBODY, SIDES, Pupil, form_truth, mildest, parts_of, reach
from mhscreen.steps.leaves import derived_truth
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Policy
    from mhscreen.loading import Library
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.plan.triage import Node, RulePlan, TriagePlan
    from mhscreen.review.cells import Group, Part, Side

__all__ = [
    "Example",
    "PolicyCells",
    "answers_in_words",
    "is_true",
    "mask",
    "profile",
    "pupil_in_words",
    "widen",
]

MOST_TERMS = 100_000
"""More ways in which one rule can hold are not gone through."""


@dataclass(frozen=True)
class Example:
    """Answers that show a finding.

    Attributes
    ----------
    answers : dict of str to dict of str to code or None
        By slot and item, the recorded codes that differ from the least concerning answer; None
        for an item that is left blank. Every other item has the least concerning answer, every
        other form is not there.
    pupil : str
        Whom a norm table is read for, where one is; else empty.
    """

    answers: Mapping[str, Mapping[str, int | str | None]]
    pupil: str = ""

    def __str__(self) -> str:
        """Return the answers in one line."""
        forms = [
            f"{slot}: "
            + (
                ", ".join(
                    f"{item} {'blank' if code is None else code}" for item, code in given.items()
                )
                or "nothing reported"
            )
            for slot, given in self.answers.items()
        ]
        return "; ".join([*([self.pupil] if self.pupil else []), *forms]) or "no form"


class PolicyCells:
    """The forms, comparisons and cells of a policy, every informant's form on event.

    Attributes
    ----------
    rules : tuple of RulePlan
        Their conditions read groups of comparisons: those that stand only ever side by side under
        the same "any", of one part of a form, count as one.
    groups : list of Group
        Those of the rules, then one for each critical item that no rule compares by itself.
        A set of groups is an integer with bit n set for ``groups[n]``.
    masks, absent : dict of int to int
        By form, all comparisons on it, and those that its absence leaves undecided.
    read : list of LeafPlan
        Those of the rules.
    critical : dict of int to LeafPlan
        By place among the groups, those that stand for a critical item.
    """

    def __init__(self, library: Library, policy: Policy) -> None:
        instruments = [library.instrument(one).definition for one in policy.instruments]
        by_id = {one.id: one for one in instruments}
        self.forms: list[FormPlan] = [
            compile_form(one, informant) for one in instruments for informant in one.informants
        ]
        self.norms: list[NormPlan] = []
        for name in dict.fromkeys(name for _, name in norms_read(policy)):
            table = library.norm(name).definition
            for slot, form in enumerate(self.forms):
                if (form.instrument, form.informant) == (table.instrument_id, table.informant):
                    self.norms += compile_norms(table, form, slot)
        triage = compile_triage(policy, by_id, self.forms, self.norms)
        self.nets = {
            rule.id
            for rule in policy.rules
            if all(isinstance(leaf, CriticalItemLeaf) for leaf in leaves(rule.when))
        }
        self.read: list[LeafPlan] = list(triage.leaves)
        self.rules, self.groups = _grouped(triage, self.forms, self.norms)
        self.read_groups = len(self.groups)
        self.critical: dict[int, LeafPlan] = {}
        for slot, form in enumerate(self.forms):
            for place, item in enumerate(form.critical):
                name = f"{form.instrument}.{item.item}"
                cut = float(item.at_or_above)
                leaf = LeafPlan(slot, "critical", place, name, cut, critical=True)
                if (leaf,) not in self.groups:
                    self.groups.append((leaf,))
                self.critical[self.groups.index((leaf,))] = leaf
        self.parts = parts_of(self.forms, self.groups, self.norms)
        self.parts_of_slot: dict[int, list[Part]] = {}
        for part in self.parts:
            self.parts_of_slot.setdefault(part.slot, []).append(part)
        self.masks = {
            slot: mask(n for part in parts for n in part.groups)
            for slot, parts in self.parts_of_slot.items()
        }
        self.absent = {
            slot: every & mask(n for n, group in enumerate(self.groups) if group[0].absent)
            for slot, every in self.masks.items()
        }
        self.pupils = _pupils(self)
        self._reached: dict[tuple[Part, Side, Pupil], dict[int, NDArray[np.uint8]]] = {}
        self._least: dict[tuple[Part, Side, Pupil, int], tuple[int, ...]] = {}

    def number(self) -> int:
        """Return how many cells there are, by part and side."""
        return sum(len(self.reached(part, side, NOBODY)) for part in self.parts for side in SIDES)

    def reached(self, part: Part, side: Side, pupil: Pupil) -> dict[int, NDArray[np.uint8]]:
        """Return the cells of a part as sets of comparisons, with answers that reach them."""
        if not any(leaf.kind == "derived" for n in part.groups for leaf in self.groups[n]):
            pupil = NOBODY
        key = (part, side, pupil)
        if key not in self._reached:
            form = self.forms[part.slot]
            found = reach(form, self.groups, part, self.norms, side, pupil)
            self._reached[key] = {widen(part, cell): codes for cell, codes in found.items()}
        return self._reached[key]

    def least(self, part: Part, side: Side, pupil: Pupil, wanted: int) -> tuple[int, ...]:
        """Return the smallest cells of a part in which some comparisons hold."""
        wanted &= mask(part.groups)
        key = (part, side, pupil, wanted)
        if key not in self._least:
            self._least[key] = _smallest(
                cell for cell in self.reached(part, side, pupil) if cell & wanted == wanted
            )
        return self._least[key]

    def cells_with(
        self, wanted: int, side: Side, pupil: Pupil, filed: int | None = None
    ) -> Iterator[int]:
        """Yield the smallest cells in which some comparisons hold.

        Parameters
        ----------
        filed : int, optional
            A form that is there; others may be absent.
        """
        slots = []
        for slot, parts in self.parts_of_slot.items():
            here = wanted & self.masks[slot]
            cells = []
            if slot != filed:
                # What its absence leaves undecided is all that holds of a form that is not there.
                absent = self.absent[slot] if side == "possible" else 0
                if here & ~absent == 0:
                    cells.append(absent)
            if here or slot == filed or cells != [0]:
                least = [self.least(part, side, pupil, wanted) for part in parts]
                cells += [sum(choice) for choice in product(*least)]
            slots.append(_smallest(cells))
        for choice in product(*slots):
            yield sum(choice)

    def find(self, side: Side, holds: Node, fails: Sequence[Node]) -> tuple[int, Pupil] | None:
        """Return a cell, if there is one, in which a condition holds and none of the others."""
        ways = self.ways(holds)
        for pupil in self.pupils:
            for way in ways:
                for cell in self.cells_with(way, side, pupil):
                    if not any(is_true(node, cell) for node in fails):
                        return cell, pupil
        return None

    def ways(self, node: Node) -> list[int]:
        """Return the smallest sets of comparisons that make a condition hold."""
        if node.op == "leaf":
            return [1 << node.leaf]
        if node.op == "never":
            return []
        children = [self.ways(child) for child in node.children]
        count = {"all": len(children), "any": 1}.get(node.op, node.count)
        found: set[int] = set()
        for some in combinations(children, count):
            joined = {0}
            for one in some:
                joined = {a | b for a in joined for b in one}
                if len(joined) > MOST_TERMS:
                    break
            found |= joined
            if len(found) > MOST_TERMS:
                msg = "a rule can hold in too many ways to be gone through"
                raise UsageError(msg)
        return list(_smallest(found))

    # Answers for people --------------------------------------------------------------------------

    def example(self, cell: int, side: Side, pupil: Pupil, slots: Iterable[int] = ()) -> Example:
        """Return answers that reach a cell, as mild as they can be."""
        touched = {slot for slot, every in self.masks.items() if cell & every} | set(slots)
        answers = {}
        for slot in sorted(touched):
            codes = self.form_of(cell, side, pupil, slot)
            if codes is not None:
                answers[self.forms[slot].slot] = answers_in_words(self.forms[slot], codes)
        return Example(answers, "" if pupil == NOBODY else pupil_in_words(pupil))

    def form_of(self, cell: int, side: Side, pupil: Pupil, slot: int) -> NDArray[np.uint8] | None:
        """Return a form that reaches a cell, shape (items,); None where only its absence does."""
        form = self.forms[slot]
        codes = np.array([mildest(form, row)[0] for row in range(len(form.items))], dtype=np.uint8)
        for part in self.parts_of_slot.get(slot, []):
            answers = self.reached(part, side, pupil).get(cell & mask(part.groups))
            if answers is None:
                return None
            codes[list(part.rows)] = answers
        return self._milder(slot, side, pupil, codes)

    def _milder(
        self, slot: int, side: Side, pupil: Pupil, codes: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """Take back every answer that the cell does not need."""
        form = self.forms[slot]
        wanted = self.truth(slot, side, pupil, codes)
        for row in range(len(form.items)):
            for code in mildest(form, row).tolist():
                if code == codes[row]:
                    break
                milder = codes.copy()
                milder[row] = code
                if self.truth(slot, side, pupil, milder) == wanted:
                    codes = milder
                    break
        return codes

    def truth(self, slot: int, side: Side, pupil: Pupil, codes: NDArray[np.uint8]) -> int:
        """Return the cell that the engine itself finds for one form."""
        numbers = [n for n, group in enumerate(self.groups) if group[0].slot == slot]
        here = [self.groups[n] for n in numbers]
        truth = form_truth(self.forms[slot], here, self.norms, codes[:, None], pupil)[:, 0]
        holds = truth == HOLDS if side == "sure" else truth >= UNDECIDED
        return mask(number for number, is_true in zip(numbers, holds, strict=True) if is_true)


def _grouped(
    triage: TriagePlan, forms: Sequence[FormPlan], norms: Sequence[NormPlan]
) -> tuple[tuple[RulePlan, ...], list[Group]]:
    """Put together the comparisons that no rule tells apart, and let rules read the groups.

    Ten scales of which any may be high are then one question, not ten.
    """
    nodes = [_flat(rule.node) for rule in triage.rules]
    seen: dict[int, set[tuple[int, ...]]] = {}
    for number, node in enumerate(nodes):
        for leaf, where in _places(node, (number,)):
            seen.setdefault(leaf, set()).add(where)
    singles = parts_of(forms, [(leaf,) for leaf in triage.leaves], norms)
    part_of = {leaf: place for place, part in enumerate(singles) for leaf in part.groups}
    together: dict[object, list[int]] = {}
    for number, one in enumerate(triage.leaves):
        alone = one.kind in ("derived", "critical")
        key = (part_of[number], one.absent, number if alone else frozenset(seen.get(number, ())))
        together.setdefault(key, []).append(number)
    groups = [tuple(triage.leaves[n] for n in numbers) for numbers in together.values()]
    place = {n: group for group, numbers in enumerate(together.values()) for n in numbers}
    rules = []
    for rule, node in zip(triage.rules, nodes, strict=True):
        renamed = _renamed(node, place)
        rules.append(replace(rule, node=renamed, leaves=tuple(dict.fromkeys(renamed.leaves()))))
    return tuple(rules), groups


def _flat(node: Node) -> Node:
    """Return a condition without an "any" right inside another."""
    children: list[Node] = []
    for child in map(_flat, node.children):
        children += child.children if node.op == child.op == "any" else [child]
    return replace(node, children=tuple(children))


def _places(node: Node, path: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield every comparison with the "any" that it stands under, or a place of its own."""
    if node.op == "leaf":
        yield node.leaf, path
    for number, child in enumerate(node.children):
        side_by_side = node.op == "any" and child.op == "leaf"
        yield from _places(child, path if side_by_side else (*path, number))


def _renamed(node: Node, place: Mapping[int, int]) -> Node:
    if node.op == "leaf":
        return replace(node, leaf=place[node.leaf])
    children = tuple(_renamed(child, place) for child in node.children)
    if node.op == "any":
        children = tuple(dict.fromkeys(children))
    return replace(node, children=children)


def mask(numbers: Iterable[int]) -> int:
    """Return a set of groups as an integer."""
    return sum(1 << number for number in numbers)


def widen(part: Part, cell: int) -> int:
    """Return a cell of a part as a set of the policy's comparisons."""
    return mask(number for place, number in enumerate(part.groups) if cell >> place & 1)


def _smallest(cells: Iterable[int]) -> tuple[int, ...]:
    """Return the sets that hold no other one."""
    kept: list[int] = []
    for cell in sorted(set(cells), key=lambda one: (one.bit_count(), one)):
        if not any(cell & other == other for other in kept):
            kept.append(cell)
    return tuple(kept)


def is_true(node: Node, cell: int) -> bool:
    """Say whether a condition holds in a cell."""
    if node.op == "leaf":
        return bool(cell >> node.leaf & 1)
    if node.op == "never":
        return False
    true = sum(is_true(child, cell) for child in node.children)
    return true >= {"all": len(node.children), "any": 1}.get(node.op, node.count)


def answers_in_words(form: FormPlan, codes: NDArray[np.uint8]) -> dict[str, int | str | None]:
    """Return the answers that are not the least concerning ones."""
    given: dict[str, int | str | None] = {}
    for row, (item, code) in enumerate(zip(form.items, codes.tolist(), strict=True)):
        if code >= rc.FIRST_MISSING:
            given[item.id] = None
        elif item.scores[code] != item.scores[mildest(form, row)[0]]:
            given[item.id] = item.codes[code]
    return given


def pupil_in_words(pupil: Pupil) -> str:
    """Return what norm tables ask about a pupil, in words."""
    words = [] if pupil.sex < 0 else [("male", "female")[pupil.sex]]
    words += [] if isnan(pupil.age) else [f"age {pupil.age:g}"]
    words += [] if pupil.grade < 0 else [f"grade {pupil.grade}"]
    return ", ".join(words) or "sex, age and grade not known"


def _pupils(cells: PolicyCells) -> list[Pupil]:
    """Return pupils of every kind that the norms read by rules tell apart.

    Ages are taken every quarter of a year: all that a table by age bands tells apart, and a grid
    where a norm is a regression on age.
    """
    read = [leaf for leaf in cells.read if leaf.kind == "derived"]
    if not read:
        return [NOBODY]
    strata = [one for leaf in read for one in cells.norms[leaf.place].strata]
    ages, grades = {float("nan")}, {-1}
    for one in strata:
        for low, high in (one.age,):
            if np.isfinite(low):
                ages |= {low - 0.25, low, *np.arange(low, high, 0.25).tolist(), high}
        if np.isfinite(one.grade[0]):
            grades |= set(range(int(one.grade[0]) - 1, int(one.grade[1]) + 1))
    kinds: dict[tuple[bytes, ...], Pupil] = {}
    for sex, age, grade in product((0, 1, -1), sorted(ages, key=_nan_last), sorted(grades)):
        pupil = Pupil(sex, age, grade)
        kinds.setdefault(tuple(profile(cells, leaf, pupil) for leaf in read), pupil)
    return list(kinds.values())


def _nan_last(age: float) -> tuple[bool, float]:
    return isnan(age), 0.0 if isnan(age) else age


def profile(cells: PolicyCells, leaf: LeafPlan, pupil: Pupil) -> bytes:
    """Return the truth of a comparison at each whole raw score."""
    norm = cells.norms[leaf.place]
    low, high = cells.forms[leaf.slot].scales[norm.scale].range
    raw = np.arange(np.floor(low), np.ceil(high) + 1)
    normed = norm_scale(
        norm,
        ScaleScores.of_raw(raw),
        np.full(len(raw), pupil.sex, dtype=np.int8),
        np.full(len(raw), pupil.age),
        np.full(len(raw), pupil.grade, dtype=np.int8),
    )
    missing = np.isnan(normed.derived[leaf.metric].value)
    return bytes(derived_truth(normed, leaf).tobytes() + missing.tobytes())
