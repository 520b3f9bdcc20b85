"""Check the logic of a policy: every cell that its thresholds cut, three-valued, none sampled.

What is looked for, and what each word means here:

gap
    A critical item is positive and no rule holds; a programme requires a form that no rule reads,
    or shows as ``none`` a pupil who lacks it; a rule rests on a norm and a pupil outside that norm
    is shown as ``none``. A form that is invalid, or a critical item that is unanswered, cannot be
    left unhandled: no policy can lift what the engine does then, and the loader asks for its due
    time.
contradiction
    A rule that no answers satisfy.
dead
    A rule that decides no cell: wherever it holds, other rules reach its tier or a higher one,
    are due as early, raise its flags and name its classes, and it never decides how high the
    blanks could take a pupil. "Due as early" is said only of what is surely so: hours against
    hours, school days against school days, and at once before everything. A rule that reads
    concerns only (`critical_item`) is a *net* for questionnaires added later; it is not held
    against rules that name what they read.
not upward closed
    A worse answer, with the same items answered, lowers the established or the possible tier.
    Items of validity indices are exempt.

What a policy establishes depends only on which comparisons hold, what it leaves possible only on
which are not known to fail (`mhscreen.review.cells`). Conditions are monotone in both, so that
for each question only the smallest cells matter that satisfy what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise, product
from math import isnan
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.definitions.checks.policy import norms_read
from mhscreen.definitions.policy import CriticalItemLeaf
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.kernels.packed import unpack
from mhscreen.plan.claims import leaves
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.plan import compile_plan
from mhscreen.plan.scoring import compile_form
from mhscreen.plan.triage import LeafPlan, Node, compile_triage
from mhscreen.problems import UsageError
from mhscreen.review.cells import (
    NOBODY,
    SIDES,
    Pupil,
    form_truth,
    leaf_rows,
    mildest,
    parts_of,
    reach,
    reach_pairs,
    scale_rows,
)
from mhscreen.steps.leaves import derived_truth
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores
from mhscreen.vocabulary import Requirement, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument, Policy
    from mhscreen.definitions.policy import Due
    from mhscreen.loading import Library
    from mhscreen.plan.norming import NormPlan
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.plan.triage import RulePlan, TriagePlan
    from mhscreen.review.cells import Group, Part, Side

__all__ = ["Example", "PolicyCheck", "PolicyFinding", "check_policy"]

Kind = Literal["gap", "contradiction", "dead", "not_upward_closed"]

GENERAL = Tier.GENERAL.position
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


@dataclass(frozen=True)
class PolicyFinding:
    """One fault in the logic of a policy.

    Attributes
    ----------
    kind : str
        ``gap``, ``contradiction``, ``dead`` or ``not_upward_closed``.
    where : str
        The rule, or the slot and item.
    what, what_zh : str
        What is wrong, in a sentence.
    example : Example or None
        Answers that show it; for a contradiction those that come nearest. None where the fault
        shows in no answers (a required form that no rule reads).
    worse : Example or None
        For what is not upward closed, the worse answers, which give the lower tier.
    """

    kind: Kind
    where: str
    what: str
    what_zh: str
    example: Example | None = None
    worse: Example | None = None

    def __str__(self) -> str:
        """Return the finding with its counter-example."""
        lines = [f"{self.kind.replace('_', ' ')}: {self.where}: {self.what}"]
        word = "nearest" if self.kind == "contradiction" else "example"
        if self.example is not None:
            lines.append(f"    {word}: {self.example}")
        if self.worse is not None:
            lines.append(f"    worse:   {self.worse}")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class PolicyCheck:
    """What a check of a policy's logic found.

    Attributes
    ----------
    policy : str
        The policy.
    programme : str or None
        The programme whose forms were asked about, too.
    forms, comparisons, cells : int
        How many forms and comparisons the policy reads, and how many cells of comparisons that
        share items were gone through, both sides counted.
    findings : tuple of PolicyFinding
        None where the logic is sound.
    """

    policy: str
    programme: str | None
    forms: int
    comparisons: int
    cells: int
    findings: tuple[PolicyFinding, ...] = field(default=())

    def __repr__(self) -> str:
        return f"<PolicyCheck: {self.policy}, {len(self.findings)} findings>"

    def to_dict(self) -> dict[str, object]:
        """Return everything as a document for JSON."""
        return {
            "policy": self.policy,
            "programme": self.programme,
            "forms": self.forms,
            "comparisons": self.comparisons,
            "cells": self.cells,
            "findings": [
                {
                    "kind": one.kind,
                    "where": one.where,
                    "what": {"en": one.what, "zh": one.what_zh},
                    "example": _document(one.example),
                    "worse": _document(one.worse),
                }
                for one in self.findings
            ],
        }


def _document(example: Example | None) -> dict[str, object] | None:
    if example is None:
        return None
    answers = {slot: dict(given) for slot, given in example.answers.items()}
    return {"pupil": example.pupil or None, "answers": answers}


def check_policy(library: Library, ref: str, programme: str | None = None) -> PolicyCheck:
    """Go through every cell of a policy.

    Parameters
    ----------
    library : Library
        Where the policy, its instruments and norms are found.
    ref : str
        The policy, ``"three-tier-cn@1"``.
    programme : str, optional
        A programme under this policy: whether it requires a form that nobody reads.

    Returns
    -------
    PolicyCheck

    Raises
    ------
    DefinitionError
        If there is no such policy or programme, or it cannot be compiled.
    UsageError
        If the programme uses another policy, or the cells are too many to be gone through.
    """
    policy = library.policy(ref).definition
    plan = None if programme is None else compile_plan(library, programme)
    if plan is not None and plan.policy.ref != policy.ref:
        msg = f"{plan.programme.ref} uses {plan.policy.ref}, not {policy.ref}"
        raise UsageError(msg)
    cells = _Cells(library, policy)
    findings = [
        *_critical_gaps(cells),
        *_unread_forms(plan),
        *_not_normed(cells),
        *_idle_rules(cells),
        *_lowering(cells),
    ]
    return PolicyCheck(
        policy.ref,
        None if plan is None else plan.programme.ref,
        len(cells.forms),
        len(cells.read),
        cells.number(),
        tuple(findings),
    )


# -- the cells of a whole policy ------------------------------------------------------------------


class _Cells:
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
        self.policy = policy
        instruments = [library.instrument(one).definition for one in policy.instruments]
        by_id = {one.id: one for one in instruments}
        self.instruments: Mapping[str, Instrument] = by_id
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
            slot: _mask(n for part in parts for n in part.groups)
            for slot, parts in self.parts_of_slot.items()
        }
        self.absent = {
            slot: mask & _mask(n for n, group in enumerate(self.groups) if group[0].absent)
            for slot, mask in self.masks.items()
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
            self._reached[key] = {_widen(part, cell): codes for cell, codes in found.items()}
        return self._reached[key]

    def least(self, part: Part, side: Side, pupil: Pupil, wanted: int) -> tuple[int, ...]:
        """Return the smallest cells of a part in which some comparisons hold."""
        wanted &= _mask(part.groups)
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

    def find(
        self, side: Side, holds: Node, fails: Sequence[Node], also: int = 0
    ) -> tuple[int, Pupil] | None:
        """Return a cell in which a condition holds and none of some others does, if there is one.

        Parameters
        ----------
        also : int
            Comparisons that hold, too.
        """
        ways = self.ways(holds)
        for pupil in self.pupils:
            for way in ways:
                for cell in self.cells_with(way | also, side, pupil):
                    if not any(_is_true(node, cell) for node in fails):
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
        touched = {slot for slot, mask in self.masks.items() if cell & mask} | set(slots)
        answers = {}
        for slot in sorted(touched):
            codes = self.form_of(cell, side, pupil, slot)
            if codes is not None:
                answers[self.forms[slot].slot] = _words(self.forms[slot], codes)
        return Example(answers, "" if pupil == NOBODY else _pupil_words(pupil))

    def form_of(self, cell: int, side: Side, pupil: Pupil, slot: int) -> NDArray[np.uint8] | None:
        """Return a form that reaches a cell, shape (items,); None where only its absence does."""
        form = self.forms[slot]
        codes = np.array([mildest(form, row)[0] for row in range(len(form.items))], dtype=np.uint8)
        for part in self.parts_of_slot.get(slot, []):
            answers = self.reached(part, side, pupil).get(cell & _mask(part.groups))
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
        return _mask(number for number, is_true in zip(numbers, holds, strict=True) if is_true)


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


def _mask(numbers: Iterable[int]) -> int:
    return sum(1 << number for number in numbers)


def _widen(part: Part, cell: int) -> int:
    """Return a cell of a part as a set of the policy's comparisons."""
    return _mask(number for place, number in enumerate(part.groups) if cell >> place & 1)


def _smallest(cells: Iterable[int]) -> tuple[int, ...]:
    """Return the sets that hold no other one."""
    kept: list[int] = []
    for cell in sorted(set(cells), key=lambda one: (one.bit_count(), one)):
        if not any(cell & other == other for other in kept):
            kept.append(cell)
    return tuple(kept)


def _is_true(node: Node, cell: int) -> bool:
    if node.op == "leaf":
        return bool(cell >> node.leaf & 1)
    if node.op == "never":
        return False
    true = sum(_is_true(child, cell) for child in node.children)
    return true >= {"all": len(node.children), "any": 1}.get(node.op, node.count)


def _words(form: FormPlan, codes: NDArray[np.uint8]) -> dict[str, int | str | None]:
    """Return the answers that are not the least concerning ones."""
    given: dict[str, int | str | None] = {}
    for row, (item, code) in enumerate(zip(form.items, codes.tolist(), strict=True)):
        if code >= rc.FIRST_MISSING:
            given[item.id] = None
        elif item.scores[code] != item.scores[mildest(form, row)[0]]:
            given[item.id] = item.codes[code]
    return given


def _pupil_words(pupil: Pupil) -> str:
    words = [] if pupil.sex < 0 else [("male", "female")[pupil.sex]]
    words += [] if isnan(pupil.age) else [f"age {pupil.age:g}"]
    words += [] if pupil.grade < 0 else [f"grade {pupil.grade}"]
    return ", ".join(words) or "sex, age and grade not known"


def _pupils(cells: _Cells) -> list[Pupil]:
    """Return pupils of every kind that the norms read by rules tell apart."""
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
        kinds.setdefault(tuple(_profile(cells, leaf, pupil) for leaf in read), pupil)
    return list(kinds.values())


def _nan_last(age: float) -> tuple[bool, float]:
    return isnan(age), 0.0 if isnan(age) else age


def _profile(cells: _Cells, leaf: LeafPlan, pupil: Pupil) -> bytes:
    """Return the truth of a comparison at each whole raw score."""
    norm = cells.norms[leaf.place]
    low, high = cells.forms[leaf.slot].scales[norm.scale].range
    raw = np.arange(np.floor(low), np.ceil(high) + 1)
    none = np.full(len(raw), -1, dtype=np.int8)
    ones = np.ones(len(raw), dtype=np.int16)
    scores = ScaleScores(
        "", (), raw, ones, raw, raw, none, none, none, np.zeros(len(raw), dtype=bool), raw, raw
    )
    normed = norm_scale(
        norm,
        scores,
        np.full(len(raw), pupil.sex, dtype=np.int8),
        np.full(len(raw), pupil.age),
        np.full(len(raw), pupil.grade, dtype=np.int8),
    )
    missing = np.isnan(normed.derived[leaf.metric].value)
    return bytes(derived_truth(normed, leaf).tobytes() + missing.tobytes())


# -- gaps -----------------------------------------------------------------------------------------


def _critical_gaps(cells: _Cells) -> Iterator[PolicyFinding]:
    """Yield the critical items that can be positive while no rule holds."""
    rules = [rule.node for rule in cells.rules]
    read_rows = {
        (leaf.slot, row)
        for leaf in cells.read
        if leaf.kind in ("item", "critical")
        for row in leaf_rows(cells.forms[leaf.slot], leaf, cells.norms)
    }
    for number, leaf in cells.critical.items():
        form = cells.forms[leaf.slot]
        found = cells.find("sure", Node("leaf", number), rules)
        if found is None:
            continue
        item = form.critical[leaf.place]
        if (leaf.slot, item.row) in read_rows:
            what, what_zh = (
                "a positive critical item reaches no tier",
                "危急条目为阳性而无任何规则成立",
            )
        else:
            what, what_zh = "no rule reads this critical item", "没有规则读取该危急条目"
        example = cells.example(found[0], "sure", found[1], [leaf.slot])
        yield PolicyFinding("gap", f"{form.slot}.{item.item}", what, what_zh, example)


def _unread_forms(plan: Plan | None) -> Iterator[PolicyFinding]:
    """Yield the forms that a programme requires and the policy does not miss."""
    if plan is None:
        return
    required = plan.uses[:-1] == Requirement.REQUIRED.position
    for slot, form in enumerate(plan.forms):
        groups = [
            group.id for place, group in enumerate(plan.programme.groups) if required[place, slot]
        ]
        if not groups:
            continue
        where = f"{plan.programme.ref}: {form.slot}"
        number = {leaf for leaf, one in enumerate(plan.triage.leaves) if one.slot == slot}
        if not number:
            what = f"required of {', '.join(groups)}, and no rule reads it"
            yield PolicyFinding("gap", where, what, f"{'、'.join(groups)} 必填，但没有规则读取")
            continue
        open_leaves = _mask(number)
        possible = [rule.tier for rule in plan.triage.rules if _is_true(rule.node, open_leaves)]
        if not form.critical and max(possible, default=0) < GENERAL:
            what = f"required of {', '.join(groups)}, and a pupil without it is shown as none"
            yield PolicyFinding(
                "gap", where, what, f"{'、'.join(groups)} 必填，但未交者显示为本次测评未见预警"
            )


def _not_normed(cells: _Cells) -> Iterator[PolicyFinding]:
    """Yield the rules on a norm that say nothing of pupils outside it."""
    seen = set()
    for rule in cells.rules:
        derived = [n for n in rule.leaves if cells.groups[n][0].kind == "derived"]
        for number in derived:
            leaf = cells.groups[number][0]
            outside = next((p for p in cells.pupils if _is_outside(cells, leaf, p)), None)
            found = _holds_by(cells, rule, number)
            if outside is None or found is None or (rule.id, leaf.slot) in seen:
                continue
            cell, pupil = found
            sure, possible = (_of_others(cells, cell, pupil, outside, side) for side in SIDES)
            holds = any(_is_true(one.node, sure) for one in cells.rules)
            most = max((one.tier for one in cells.rules if _is_true(one.node, possible)), default=0)
            if holds or most >= GENERAL:
                continue
            seen.add((rule.id, leaf.slot))
            ref = cells.norms[leaf.place].ref
            what = f"a pupil outside {ref} is shown as none, whatever the score"
            example = cells.example(cell, "sure", pupil)
            example = Example(example.answers, _pupil_words(outside))
            what_zh = f"不在 {ref} 常模组内的学生无论得分多少都显示为未见预警"
            yield PolicyFinding("gap", rule.id, what, what_zh, example)


def _is_outside(cells: _Cells, leaf: LeafPlan, pupil: Pupil) -> bool:
    """Say whether a norm gives a pupil nothing at any raw score."""
    profile = _profile(cells, leaf, pupil)
    half = len(profile) // 2
    return all(profile[half:]) and set(profile[:half]) == {UNDECIDED}


def _holds_by(cells: _Cells, rule: RulePlan, number: int) -> tuple[int, Pupil] | None:
    """Return a cell in which a rule holds by a certain comparison."""
    for pupil in cells.pupils:
        for way in cells.ways(rule.node):
            if way >> number & 1:
                cell = next(cells.cells_with(way, "sure", pupil), None)
                if cell is not None:
                    return cell, pupil
    return None


def _of_others(cells: _Cells, cell: int, pupil: Pupil, other: Pupil, side: Side) -> int:
    """Return the cell that the answers of one pupil would reach for another pupil."""
    found = 0
    for slot, parts in cells.parts_of_slot.items():
        if any(cell & _mask(part.groups) for part in parts):
            codes = cells.form_of(cell, "sure", pupil, slot)
            if codes is not None:
                found |= cells.truth(slot, side, other, codes)
    return found


# -- rules that say nothing -----------------------------------------------------------------------


def _idle_rules(cells: _Cells) -> Iterator[PolicyFinding]:
    """Yield the rules that never hold, and those that decide nothing."""
    for rule in cells.rules:
        held = cells.find("sure", rule.node, [])
        if held is None:
            what, what_zh, example = _nearest(cells, rule)
            yield PolicyFinding("contradiction", rule.id, what, what_zh, example)
        elif not _decides(cells, rule):
            cell, pupil = held
            others = [
                one.id
                for one in _others(cells, rule)
                if one.tier >= rule.tier and _is_true(one.node, cell)
            ]
            what = f"wherever it holds, others say all that it says, here {', '.join(others)}"
            what_zh = f"凡该规则成立之处，其他规则已给出同样结果，此例为 {'、'.join(others)}"
            yield PolicyFinding("dead", rule.id, what, what_zh, cells.example(cell, "sure", pupil))


def _others(cells: _Cells, rule: RulePlan) -> list[RulePlan]:
    """Return the rules that are held against a rule: nets only against nets."""
    return [
        one
        for one in cells.rules
        if one is not rule and (rule.id in cells.nets or one.id not in cells.nets)
    ]


def _decides(cells: _Cells, rule: RulePlan) -> bool:
    """Say whether leaving a rule out would change anything anywhere."""
    others = _others(cells, rule)
    as_high = [one for one in others if one.tier >= rule.tier]
    saying_the_same = [
        as_high,
        [one for one in others if _no_later(one.due, rule.due)],
        *([one for one in others if flag in one.flags] for flag in rule.flags),
        *([one for one in others if of in one.classes] for of in rule.classes),
    ]
    return any(
        cells.find("sure", rule.node, [one.node for one in same]) is not None
        for same in saying_the_same
    ) or (cells.find("possible", rule.node, [one.node for one in as_high]) is not None)


def _no_later(one: Due, other: Due) -> bool:
    """Say whether one due time is surely no later than another, whatever the calendar."""
    if one.hours == 0:
        return True
    if one.hours is not None and other.hours is not None:
        return one.hours <= other.hours
    if one.school_days is not None and other.school_days is not None:
        return one.school_days <= other.school_days
    return one.monthly_review and other.monthly_review


def _nearest(cells: _Cells, rule: RulePlan) -> tuple[str, str, Example | None]:
    """Say what of a rule that never holds can hold at most."""
    best: tuple[int, int, int, Pupil] | None = None
    ways = cells.ways(rule.node)
    for pupil in cells.pupils:
        for way in ways:
            slots = {part.slot for part in cells.parts if way & _mask(part.groups)}
            cell = sum(
                max(
                    cells.reached(part, "sure", pupil),
                    key=lambda one: ((one & way).bit_count(), -one.bit_count()),
                )
                for part in cells.parts
                if part.slot in slots
            )
            missing = (way & ~cell).bit_count()
            if best is None or missing < best[0]:
                best = missing, way, cell, pupil
    if best is None:
        what = "no form of the pinned instruments has what it reads"
        return what, "所用量表中没有该规则读取的内容", None
    _, way, cell, pupil = best
    words = [_comparison(cells, one) for n, one in enumerate(cells.groups) if way >> n & 1]
    open_words = [
        _comparison(cells, one) for n, one in enumerate(cells.groups) if (way & ~cell) >> n & 1
    ]
    what = f"no answers give {' and '.join(words)}; {' and '.join(open_words)} is not reached"
    what_zh = f"没有任何作答能同时满足 {'、'.join(words)}；{'、'.join(open_words)} 无法达到"
    touched = [part.slot for part in cells.parts if way & _mask(part.groups)]
    return what, what_zh, cells.example(cell, "sure", pupil, touched)


def _comparison(cells: _Cells, group: Group) -> str:
    words = []
    for leaf in group:
        key = leaf.name.partition(".")[2]
        metric = "" if leaf.metric == "raw" else f" ({leaf.metric})"
        sign = "≥" if leaf.upwards else "≤"
        words.append(f"{cells.forms[leaf.slot].slot}.{key}{metric} {sign} {leaf.cut:g}")
    return " or ".join(words)


# -- worse answers --------------------------------------------------------------------------------


def _lowering(cells: _Cells) -> Iterator[PolicyFinding]:
    """Yield the items on which a worse answer lowers a tier."""
    for part in cells.parts:
        form = cells.forms[part.slot]
        exempt = {
            row
            for place, scale in enumerate(form.scales)
            if not scale.content
            for row in scale_rows(form, place)
        }
        for row in part.rows:
            worse = 1 if form.items[row].upwards else -1
            if row in exempt or all(
                _direction(cells, leaf, row) in (0, worse)
                for n in part.groups
                if n < cells.read_groups
                for leaf in cells.groups[n]
            ):
                continue  # every comparison moves the right way, and so does every rule
            yield from _lowered(cells, part, row)


def _lowered(cells: _Cells, part: Part, row: int) -> Iterator[PolicyFinding]:
    form = cells.forms[part.slot]
    options = mildest(form, row).tolist()
    for before, after in pairwise(options):
        for side in SIDES:
            for pupil in cells.pupils:
                pairs = {
                    (_widen(part, first), _widen(part, second)): codes
                    for (first, second), codes in reach_pairs(
                        form, cells.groups, part, cells.norms, side, pupil, (row, before, after)
                    ).items()
                }
                found = _lower_pair(cells, part, side, pupil, pairs)
                if found is None:
                    continue
                rule, cell, codes = found
                item = form.items[row]
                word = "established" if side == "sure" else "possible"
                word_zh = "已成立的" if side == "sure" else "可能的"
                example = cells.example(cell, side, pupil, [part.slot])
                forms = dict(example.answers)
                whole = np.array([mildest(form, n)[0] for n in range(len(form.items))])
                whole[list(part.rows)] = codes
                forms[form.slot] = _words(form, whole)
                worse = dict(forms)
                whole[row] = after
                worse[form.slot] = _words(form, whole)
                yield PolicyFinding(
                    "not_upward_closed",
                    f"{form.slot}.{item.id}",
                    f"a worse answer lowers the {word} tier: {rule} no longer counts",
                    f"更差的作答反而降低{word_zh}级别：{rule} 不再成立",
                    Example(forms, example.pupil),
                    Example(worse, example.pupil),
                )
                return


def _lower_pair(
    cells: _Cells,
    part: Part,
    side: Side,
    pupil: Pupil,
    pairs: Mapping[tuple[int, int], NDArray[np.uint8]],
) -> tuple[str, int, NDArray[np.uint8]] | None:
    """Return a rule, the cell and the answers of a part at which a worse answer lowers the tier."""
    moved = {pair: codes for pair, codes in pairs.items() if pair[0] & ~pair[1]}
    inside = _mask(part.groups)
    for rule in cells.rules:
        others = [one.node for one in cells.rules if one.tier >= rule.tier]
        for way in cells.ways(rule.node):
            here = way & inside
            if not here:
                continue
            for (first, second), codes in moved.items():
                if first & here != here:
                    continue
                for cell in cells.cells_with(way, side, pupil, part.slot):
                    rest = cell & ~inside
                    if not any(_is_true(node, rest | second) for node in others):
                        return rule.id, rest | first, codes
    return None


def _direction(cells: _Cells, leaf: LeafPlan, row: int) -> int | None:
    """Return which way a higher item score moves a comparison: 1 towards it, −1 away, 0 not.

    None where it is not the same everywhere.
    """
    form = cells.forms[leaf.slot]
    if leaf.kind in ("item", "critical"):
        own = form.critical[leaf.place].row if leaf.kind == "critical" else leaf.place
        return 0 if own != row else (1 if leaf.upwards else -1)
    if leaf.kind == "scale":
        place, towards = leaf.place, 1 if form.scales[leaf.place].upwards else -1
    elif leaf.kind == "validity":
        place, towards = form.validity[leaf.place].scale, 1
    else:
        norm = cells.norms[leaf.place]
        place = norm.scale
        towards = (1 if leaf.upwards else -1) * min(one.rising for one in norm.strata)
    moves = _moves(form, place, row)
    return None if moves is None else moves * towards


def _moves(form: FormPlan, place: int, row: int) -> int | None:
    """Return which way a higher item score moves a score; None where not always the same."""
    scale = form.scales[place]
    if scale.levels is not None:
        signs = _level_moves(form, place, row)
    elif scale.combine == "sum_of_scales":
        signs = {_moves(form, part, row) for part in scale.components}
    elif row in scale.rows:
        order = np.argsort(form.items[row].scores, kind="stable")
        table = scale.tables[scale.rows.tolist().index(row)]
        signs = {int(step) for step in np.sign(np.diff(unpack(table).value[order]))}
    else:
        signs = set()
    signs.discard(0)
    if len(signs) > 1:
        return None
    return signs.pop() if signs else 0


def _level_moves(form: FormPlan, place: int, row: int) -> set[int | None]:
    rows = scale_rows(form, place)
    if row in rows and any(form.items[one].blank_score is not None for one in rows):
        return {None}  # a level that a counted blank decides is withheld where another is open
    signs: set[int | None] = set()
    levels = form.scales[place].levels
    stack = list(levels.nodes) if levels is not None else []
    while stack:
        node = stack.pop()
        stack += node.children
        if node.op == "item" and node.row == row:
            signs.add(1)
        elif node.op == "scale":
            signs.add(_moves(form, node.row, row))
    return signs
