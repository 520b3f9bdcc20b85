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
for each question only the smallest cells matter that satisfy what is asked for. One thing is no
full list: where a rule reads a norm that is a regression on age, ages are taken every quarter of a
year.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from mhscreen.kernels.logic import UNDECIDED
from mhscreen.kernels.packed import unpack
from mhscreen.plan.plan import compile_plan
from mhscreen.plan.triage import Node
from mhscreen.problems import UsageError
from mhscreen.review.cells import SIDES, leaf_rows, mildest, reach_pairs, scale_rows
from mhscreen.review.policy_cells import (
    Example,
    PolicyCells,
    answers_in_words,
    is_true,
    mask,
    profile,
    pupil_in_words,
    widen,
)
from mhscreen.vocabulary import Requirement, Tier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.definitions.policy import Due
    from mhscreen.loading import Library
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.plan.triage import LeafPlan, RulePlan
    from mhscreen.review.cells import Group, Part, Pupil, Side

__all__ = ["Example", "PolicyCheck", "PolicyFinding", "check_policy"]

Kind = Literal["gap", "contradiction", "dead", "not_upward_closed"]

GENERAL = Tier.GENERAL.position


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
    cells = PolicyCells(library, policy)
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


# -- gaps -----------------------------------------------------------------------------------------


def _critical_gaps(cells: PolicyCells) -> Iterator[PolicyFinding]:
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
        open_leaves = mask(number)
        possible = [rule.tier for rule in plan.triage.rules if is_true(rule.node, open_leaves)]
        if not form.critical and max(possible, default=0) < GENERAL:
            what = f"required of {', '.join(groups)}, and a pupil without it is shown as none"
            yield PolicyFinding(
                "gap", where, what, f"{'、'.join(groups)} 必填，但未交者显示为本次测评未见预警"
            )


def _not_normed(cells: PolicyCells) -> Iterator[PolicyFinding]:
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
            holds = any(is_true(one.node, sure) for one in cells.rules)
            most = max((one.tier for one in cells.rules if is_true(one.node, possible)), default=0)
            if holds or most >= GENERAL:
                continue
            seen.add((rule.id, leaf.slot))
            ref = cells.norms[leaf.place].ref
            what = f"a pupil outside {ref} is shown as none, whatever the score"
            example = cells.example(cell, "sure", pupil)
            example = Example(example.answers, pupil_in_words(outside))
            what_zh = f"不在 {ref} 常模组内的学生无论得分多少都显示为未见预警"
            yield PolicyFinding("gap", rule.id, what, what_zh, example)


def _is_outside(cells: PolicyCells, leaf: LeafPlan, pupil: Pupil) -> bool:
    """Say whether a norm gives a pupil nothing at any raw score."""
    found = profile(cells, leaf, pupil)
    half = len(found) // 2
    return all(found[half:]) and set(found[:half]) == {UNDECIDED}


def _holds_by(cells: PolicyCells, rule: RulePlan, number: int) -> tuple[int, Pupil] | None:
    """Return a cell in which a rule holds by a certain comparison."""
    for pupil in cells.pupils:
        for way in cells.ways(rule.node):
            if way >> number & 1:
                cell = next(cells.cells_with(way, "sure", pupil), None)
                if cell is not None:
                    return cell, pupil
    return None


def _of_others(cells: PolicyCells, cell: int, pupil: Pupil, other: Pupil, side: Side) -> int:
    """Return the cell that the answers of one pupil would reach for another pupil."""
    found = 0
    for slot, parts in cells.parts_of_slot.items():
        if any(cell & mask(part.groups) for part in parts):
            codes = cells.form_of(cell, "sure", pupil, slot)
            if codes is not None:
                found |= cells.truth(slot, side, other, codes)
    return found


# -- rules that say nothing -----------------------------------------------------------------------


def _idle_rules(cells: PolicyCells) -> Iterator[PolicyFinding]:
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
                if one.tier >= rule.tier and is_true(one.node, cell)
            ]
            what = f"wherever it holds, others say all that it says, here {', '.join(others)}"
            what_zh = f"凡该规则成立之处，其他规则已给出同样结果，此例为 {'、'.join(others)}"
            yield PolicyFinding("dead", rule.id, what, what_zh, cells.example(cell, "sure", pupil))


def _others(cells: PolicyCells, rule: RulePlan) -> list[RulePlan]:
    """Return the rules that are held against a rule: nets only against nets."""
    return [
        one
        for one in cells.rules
        if one is not rule and (rule.id in cells.nets or one.id not in cells.nets)
    ]


def _decides(cells: PolicyCells, rule: RulePlan) -> bool:
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


def _nearest(cells: PolicyCells, rule: RulePlan) -> tuple[str, str, Example | None]:
    """Say what of a rule that never holds can hold at most."""
    best: tuple[int, int, int, Pupil] | None = None
    ways = cells.ways(rule.node)
    for pupil in cells.pupils:
        for way in ways:
            slots = {part.slot for part in cells.parts if way & mask(part.groups)}
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
    touched = [part.slot for part in cells.parts if way & mask(part.groups)]
    return what, what_zh, cells.example(cell, "sure", pupil, touched)


def _comparison(cells: PolicyCells, group: Group) -> str:
    words = []
    for leaf in group:
        key = leaf.name.partition(".")[2]
        metric = "" if leaf.metric == "raw" else f" ({leaf.metric})"
        sign = "≥" if leaf.upwards else "≤"
        words.append(f"{cells.forms[leaf.slot].slot}.{key}{metric} {sign} {leaf.cut:g}")
    return " or ".join(words)


# -- worse answers --------------------------------------------------------------------------------


def _lowering(cells: PolicyCells) -> Iterator[PolicyFinding]:
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


def _lowered(cells: PolicyCells, part: Part, row: int) -> Iterator[PolicyFinding]:
    form = cells.forms[part.slot]
    options = mildest(form, row).tolist()
    for before, after in pairwise(options):
        for side in SIDES:
            for pupil in cells.pupils:
                pairs = {
                    (widen(part, first), widen(part, second)): codes
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
                forms[form.slot] = answers_in_words(form, whole)
                worse = dict(forms)
                whole[row] = after
                worse[form.slot] = answers_in_words(form, whole)
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
    cells: PolicyCells,
    part: Part,
    side: Side,
    pupil: Pupil,
    pairs: Mapping[tuple[int, int], NDArray[np.uint8]],
) -> tuple[str, int, NDArray[np.uint8]] | None:
    """Return a rule, the cell and the answers of a part at which a worse answer lowers the tier."""
    moved = {pair: codes for pair, codes in pairs.items() if pair[0] & ~pair[1]}
    inside = mask(part.groups)
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
                    if not any(is_true(node, rest | second) for node in others):
                        return rule.id, rest | first, codes
    return None


def _direction(cells: PolicyCells, leaf: LeafPlan, row: int) -> int | None:
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
