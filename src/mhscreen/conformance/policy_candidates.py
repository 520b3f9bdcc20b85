"""Pupils among whom vectors are chosen: worked cases, the edges of every rule, blanks, absences.

Nothing is drawn at random: the mixed pupils come from a hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import combinations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.conformance.policy_departures import mildest_codes
from mhscreen.conformance.policy_scorer import Person, Pupils
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS
from mhscreen.plan.triage import LeafPlan
from mhscreen.problems import ProblemLog
from mhscreen.review.cells import form_truth, leaf_rows, mildest
from mhscreen.steps.answers import read_answers
from mhscreen.steps.tables import Table, encode
from mhscreen.vocabulary import Requirement, Sex, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.policy_scorer import Screener
    from mhscreen.definitions.cases import PolicyCase
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.plan.triage import Node

__all__ = ["make_pupils"]

REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position
_MIXED = 240

Forms = dict[int, "NDArray[np.uint8]"]
"""Answers by slot; a slot that is not there has no form."""


class _Steps(NamedTuple):
    """Answers to one form round the cut of a comparison: just below, at it, further, furthest."""

    below: NDArray[np.uint8]
    at: NDArray[np.uint8]
    above: NDArray[np.uint8]
    worst: NDArray[np.uint8]


def make_pupils(screener: Screener, cases: Iterable[PolicyCase]) -> Pupils:
    """Return all candidates, worked cases first, each set of answers once."""
    return _Maker(screener).pupils(cases)


class _Maker:
    """Makes pupils for one policy."""

    def __init__(self, screener: Screener) -> None:
        self.plan = screener.plan
        self.calm = [mildest_codes(screener, slot)[:, 0] for slot in range(len(self.plan.forms))]
        self.people = [self._person(place) for place in range(len(self.plan.programme.groups))]
        found = [self._steps(leaf) for leaf in self.plan.triage.leaves]
        self.steps = {place: one for place, one in enumerate(found) if one is not None}

    def _person(self, group: int) -> Person:
        one = self.plan.programme.groups[group]
        grades = one.grades or (10, 10)
        grade = max(grades)
        return Person(Stage(one.stages[0]), grade, Sex.at(group % 2), grade + 5.5)

    def pupils(self, cases: Iterable[PolicyCase]) -> Pupils:
        found: dict[bytes, tuple[Person, Forms, str]] = {}
        every = [
            *self._cases(cases), *self._calm(), *self._edges(), *self._rules(), *self._blanks(),
            *self._absent(), *self._invalid(), *self._mixed(),
        ]  # fmt: skip
        for person, forms, why in every:
            key = repr(person).encode() + b"".join(
                bytes([slot]) + codes.tobytes() for slot, codes in sorted(forms.items())
            )
            found.setdefault(key, (person, forms, why))
        kept = list(found.values())
        codes, filed = [], []
        for slot, form in enumerate(self.plan.forms):
            nothing = np.full(len(form.items), rc.BLANK, dtype=np.uint8)
            answers = [forms.get(slot, nothing) for _, forms, _ in kept]
            codes.append(np.stack(answers, axis=1))
            filed.append(np.array([slot in forms for _, forms, _ in kept]))
        return Pupils(
            tuple(person for person, _, _ in kept),
            tuple(codes),
            tuple(filed),
            tuple(why for _, _, why in kept),
        )

    # -- answers round a cut ----------------------------------------------------------------------

    def _steps(self, leaf: LeafPlan) -> _Steps | None:
        """Make answers worse, one option of one item at a time, until the comparison holds."""
        form = self.plan.forms[leaf.slot]
        ladder = [self.calm[leaf.slot].copy()]
        for row in self._order(form, leaf):
            for option in mildest(form, row)[1:].tolist():
                worse = ladder[-1].copy()
                worse[row] = option
                ladder.append(worse)
        codes = np.stack(ladder, axis=1)
        truth = form_truth(form, [(leaf,)], self.plan.norms, codes)[0]
        held = np.flatnonzero(truth == HOLDS)
        if not len(held):
            return None
        at = int(held[0])
        below = max(at - 1, 0)
        return _Steps(ladder[below], ladder[at], ladder[min(at + 1, len(ladder) - 1)], ladder[-1])

    def _order(self, form: FormPlan, leaf: LeafPlan) -> list[int]:
        """Return the items behind a comparison: openers of gates first, critical items last."""
        rows = leaf_rows(form, leaf, self.plan.norms)
        openers = {row for gate in form.gates for row, _ in gate.openers}
        critical = {item.row for item in form.critical}
        return sorted(rows, key=lambda row: (row not in openers, row in critical, row))

    def _group(self, slots: Iterable[int]) -> int:
        """Return the group that is asked most of what is needed."""
        wanted = sorted(slots)
        uses = self.plan.uses[:-1, wanted] != NOT_USED
        return int(np.argmax(uses.sum(axis=1)))

    def _base(self, group: int) -> Forms:
        """Return every required form, without anything reported."""
        required = np.flatnonzero(self.plan.uses[group] == REQUIRED).tolist()
        return {slot: self.calm[slot] for slot in required}

    def _with(self, forms: Forms, slot: int, codes: NDArray[np.uint8]) -> Forms:
        """Return forms with the worse of two answers to each item of one of them."""
        joined = codes.copy()
        before = forms.get(slot)
        if before is not None:
            for row in np.flatnonzero(before != codes).tolist():
                order = mildest(self.plan.forms[slot], row).tolist()
                places = [order.index(x) if x in order else -1 for x in (before[row], codes[row])]
                joined[row] = before[row] if places[0] > places[1] else codes[row]
        return {**forms, slot: joined}

    # -- the pupils -------------------------------------------------------------------------------

    def _cases(self, cases: Iterable[PolicyCase]) -> Iterator[tuple[Person, Forms, str]]:
        for case in cases:
            several = any(len(forms) > 1 for forms in case.forms.values())
            pupil = case.pupil.model_dump(mode="python")
            if several or case.duration_s or case.programme != self.plan.programme.ref:
                continue
            if not all(pupil.get(key) for key in ("stage", "grade", "sex", "age")):
                continue
            log = ProblemLog()
            forms = {}
            for name, (answers,) in case.forms.items():
                slot = self.plan.slot(name)
                form = self.plan.forms[slot]
                cells = {
                    one.id: encode([answers.get(one.id, answers.get("all"))]) for one in form.items
                }
                places = {place: one.id for place, one in enumerate(form.items)}
                forms[slot] = read_answers(form, Table(name, cells, 1), places, log)[:, 0]
            if list(log) or any((codes == rc.ILLEGAL).any() for codes in forms.values()):
                continue
            person = Person(
                Stage(pupil["stage"]), pupil["grade"], Sex(pupil["sex"]), float(pupil["age"])
            )
            yield person, forms, f"worked case: {case.name}"

    def _calm(self) -> Iterator[tuple[Person, Forms, str]]:
        for group, person in enumerate(self.people):
            yield person, self._base(group), "nothing reported"
            every = np.flatnonzero(self.plan.uses[group] != NOT_USED).tolist()
            forms = {slot: self.calm[slot] for slot in every}
            yield person, forms, "nothing reported on any form"

    def _edges(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield each comparison below, at and above its cut, in every group."""
        for place, steps in self.steps.items():
            leaf = self.plan.triage.leaves[place]
            name = f"{self.plan.slots[leaf.slot]}: {leaf.name.partition('.')[2]}"
            for group, person in enumerate(self.people):
                base = self._base(group)
                for word, codes in zip(steps._fields, steps, strict=True):
                    forms = {**base, leaf.slot: codes}
                    yield person, forms, f"{name} {word} {leaf.cut:g}"

    def _rules(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield the ways in which each rule holds, and each of them but for one comparison."""
        for rule in self.plan.triage.rules:
            for way in _ways(rule.node):
                if len(way) == 1 or any(leaf not in self.steps for leaf in way):
                    continue
                yield self._joined(way, {}, f"{rule.id} as it just holds")
                for leaf in way:
                    name = f"{rule.id}, {self.plan.triage.leaves[leaf].name}"
                    for word in ("below", "above", "worst"):
                        codes = getattr(self.steps[leaf], word)
                        yield self._joined(way, {leaf: codes}, f"{name} {word}")
                    yield self._joined(way, {leaf: None}, f"{name} without")
                    yield from self._with_others(way, leaf, name)

    def _with_others(
        self, way: Sequence[int], leaf: int, name: str
    ) -> Iterator[tuple[Person, Forms, str]]:
        """Yield a way in which another informant says it, or it is so much by another's cut."""
        own = self.plan.triage.leaves[leaf]
        for place in self.steps:
            other = self.plan.triage.leaves[place]
            if own.slot == other.slot or not same_score(self.plan.forms, own, other):
                continue
            below = {leaf: self.steps[leaf].below}
            yield self._joined((*way, place), below, f"{name} of another informant")
            moved = self._steps(replace(own, cut=other.cut))
            if other.cut != own.cut and moved is not None:
                for codes in (moved.below, moved.at):
                    yield self._joined(way, {leaf: codes}, f"{name} by another informant's cut")

    def _joined(
        self, way: Sequence[int], changed: Mapping[int, NDArray[np.uint8] | None], why: str
    ) -> tuple[Person, Forms, str]:
        """Return a pupil who just reaches all comparisons of a way, but for those changed."""
        slots = [self.plan.triage.leaves[leaf].slot for leaf in way]
        group = self._group(slots)
        forms = self._base(group)
        for leaf, slot in zip(way, slots, strict=True):
            codes = changed.get(leaf, self.steps[leaf].at)
            if codes is not None:
                forms = self._with(forms, slot, codes)
        return self.people[group], forms, why

    def _blanks(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield every critical item left blank, every comparison with a blank, every form empty."""
        for slot, form in enumerate(self.plan.forms):
            group = self._group([slot])
            person, base = self.people[group], self._base(group)
            name = self.plan.slots[slot]
            nothing = np.full(len(form.items), rc.BLANK, dtype=np.uint8)
            yield person, {**base, slot: nothing}, f"{name} without an answer"
            yield person, {slot: nothing}, f"only {name}, without an answer"
            for row in dict.fromkeys(item.row for item in form.critical):
                codes = self.calm[slot].copy()
                codes[row] = rc.BLANK
                yield person, {**base, slot: codes}, f"{name}: {form.items[row].id} blank"
        for place, steps in self.steps.items():
            leaf = self.plan.triage.leaves[place]
            form = self.plan.forms[leaf.slot]
            rows = self._order(form, leaf)
            group = self._group([leaf.slot])
            for word, answers in zip(steps._fields, steps, strict=True):
                for number, row in enumerate((rows[0], rows[-1])):
                    codes = answers.copy()
                    codes[row] = rc.BLANK
                    forms = {**self._base(group), leaf.slot: codes}
                    which = ("the first", "the last")[number]
                    yield self.people[group], forms, f"{leaf.name} {word}, {which} item blank"

    def _absent(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield every set of required forms without some, and nobody's form at all."""
        for group, person in enumerate(self.people):
            base = self._base(group)
            for number in range(1, len(base) + 1):
                for gone in combinations(base, number):
                    forms = {slot: codes for slot, codes in base.items() if slot not in gone}
                    names = ", ".join(self.plan.slots[slot] for slot in gone)
                    yield person, forms, f"without {names}"
                    if not forms:
                        continue
                    for steps_of in list(self.steps)[:: max(1, len(self.steps) // 8)]:
                        leaf = self.plan.triage.leaves[steps_of]
                        if leaf.slot not in gone:
                            more = {**forms, leaf.slot: self.steps[steps_of].at}
                            yield person, more, f"{leaf.name} at the cut, without {names}"

    def _invalid(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield forms round the limit of each validity index, calm and with something reported."""
        for slot, form in enumerate(self.plan.forms):
            for place, index in enumerate(form.validity):
                steps = self._index(slot, place)
                if steps is None:
                    continue
                group = self._group([slot])
                person, base = self.people[group], self._base(group)
                name = f"{self.plan.slots[slot]}: {index.id}"
                rows = sorted(np.flatnonzero(steps.above != self.calm[slot]).tolist())
                half = steps.below.copy()
                half[rows[-2:]] = rc.BLANK
                for word, codes in (*zip(steps._fields, steps, strict=True), ("open", half)):
                    yield person, {**base, slot: codes}, f"{name} {word}"
                    for leaf, one in self.steps.items():
                        where = self.plan.triage.leaves[leaf].slot
                        if where in base or where == slot:
                            forms = self._with({**base, slot: codes}, where, one.at)
                            what = self.plan.triage.leaves[leaf].name
                            yield person, forms, f"{name} {word}, {what} at its cut"

    def _index(self, slot: int, place: int) -> _Steps | None:
        form = self.plan.forms[slot]
        index = form.validity[place]
        return self._steps(LeafPlan(slot, "validity", place, index.id, index.at_or_above))

    def _mixed(self) -> Iterator[tuple[Person, Forms, str]]:
        """Yield pupils of whom several things are reported, as a hash has it."""
        leaves = list(self.steps)
        for number in range(_MIXED):
            draw = hashlib.blake2b(f"mixed {number}".encode(), digest_size=16).digest()
            group = draw[0] % len(self.people)
            used = [
                leaf
                for leaf in leaves
                if self.plan.uses[group, self.plan.triage.leaves[leaf].slot] != NOT_USED
            ]
            if not used:
                continue
            forms = self._base(group)
            for byte in range(2 + draw[1] % 4):
                leaf = used[int.from_bytes(draw[2 + 2 * byte : 4 + 2 * byte], "big") % len(used)]
                slot = self.plan.triage.leaves[leaf].slot
                codes = self.steps[leaf][draw[12 + byte % 4] % 3]
                forms = self._with(forms, slot, codes)
            yield self.people[group], forms, "mixed"


def same_score(forms: Sequence[FormPlan], one: LeafPlan, other: LeafPlan) -> bool:
    """Return whether two comparisons are with one score, whoever filled in the form.

    What only one informant is asked, as ``impact_teacher``, is the same as the others' ``impact``.
    """
    parts = [leaf.name.partition(".")[2].partition("_")[0] for leaf in (one, other)]
    return (
        forms[one.slot].instrument == forms[other.slot].instrument
        and one.kind == other.kind
        and parts[0] == parts[1]
    )


def _ways(node: Node) -> list[tuple[int, ...]]:
    """Return the sets of comparisons that make a condition hold, and one more than are needed."""
    if node.op == "leaf":
        return [(node.leaf,)]
    children = [_ways(child) for child in node.children]
    if node.op == "never" or not children:
        return []
    if node.op == "any":
        return [way for child in children for way in child]
    counts = [len(children)] if node.op == "all" else [node.count, node.count + 1]
    found = []
    for count in counts:
        for some in combinations(children, count):
            found += [tuple(dict.fromkeys(sum(one, ()))) for one in product(*some)]
    return found
