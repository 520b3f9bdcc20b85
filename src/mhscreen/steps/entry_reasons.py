"""Why a pupil has a tier: the rules that hold or are undecided, as the entries cite them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import canonical_json, canonical_texts, whole
from mhscreen.kernels.logic import HOLDS
from mhscreen.steps.leaves import leaf_truth
from mhscreen.steps.text_columns import OwnTexts, Places, distinct_rows
from mhscreen.vocabulary import Tier, Validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.plan.triage import LeafPlan, RulePlan
    from mhscreen.steps.triage import Evidence, Triage

__all__ = ["Reasons"]

_FEW = 64

Document = dict[str, Any]
Words = dict[tuple[str, float | None], Document]
"""The words of an answer, by item and item score."""


class Reasons:
    """The rules that hold, and those that are undecided, block by block.

    What stands behind a rule is asked for once for all pupils with the same numbers.
    """

    def __init__(self, triage: Triage) -> None:
        self._triage = triage
        self._evidence = _EvidenceMemo(triage.plan)
        self._frames: dict[tuple[int, int], tuple[bytes, bytes]] = {}
        scores = triage.normed.scores
        self._several = np.zeros(len(scores.batch.roster), dtype=bool)
        for bound, ranked in zip(scores.batch.forms, scores.ranked, strict=True):
            self._several[bound.pupil[ranked]] = True
        self._truths: dict[int, NDArray[np.int8]] = {}

    def of(self, block: slice, state: int) -> OwnTexts:
        """Return the rules that stand at `HOLDS` or `UNDECIDED`, by pupil: JSON between commas."""
        found: dict[int, list[bytes]] = {}
        for place, rule in enumerate(self._triage.plan.triage.rules):
            pupils = np.flatnonzero(self._triage.truth[place, block] == state) + block.start
            if not len(pupils):
                continue
            same = self._same_evidence(rule, pupils, state)
            before, after = self._frame(place, state)
            texts = [
                b"%b%b%b" % (before, b",".join(self._cited(evidence, state)), after)
                for evidence in self._triage.evidence(place, pupils[same.first])
            ]
            rows = (pupils - block.start).tolist()
            for row, kind in zip(rows, same.place.tolist(), strict=True):
                found.setdefault(row, []).append(texts[kind])
        lists = [b""] * (block.stop - block.start)
        for row, reasons in found.items():
            lists[row] = b",".join(reasons)
        return OwnTexts(lists)

    def _cited(self, evidence: list[Evidence], state: int) -> Iterable[bytes]:
        if state == HOLDS:
            return map(self._evidence.__getitem__, evidence)
        names = dict.fromkeys(f"{one.slot}: {one.name}" for one in evidence)
        return canonical_texts(list(names))

    def _same_evidence(self, rule: RulePlan, pupils: NDArray[np.int64], state: int) -> Places:
        if len(pupils) <= _FEW:  # quicker asked for each
            each = np.arange(len(pupils))
            return Places(each, each)
        return distinct_rows(self._behind(rule, pupils, state), len(pupils))

    def _behind(
        self, rule: RulePlan, pupils: NDArray[np.int64], state: int
    ) -> Iterator[NDArray[Any]]:
        """Yield what decides which evidence a rule cites, by pupil.

        Who has several forms in a slot is taken alone: which of them is cited, the triage knows.
        """
        scores = self._triage.normed.scores
        yield scores.batch.roster.group[pupils]
        yield np.where(self._several[pupils], pupils, -1)
        leaves = [(place, self._triage.plan.triage.leaves[place]) for place in rule.leaves]
        for slot in {leaf.slot for _, leaf in leaves}:
            form, scored = scores.shown[slot, pupils], scores.forms[slot]
            there = form >= 0
            yield there
            for place, leaf in leaves:
                if leaf.slot != slot or not there.any():
                    continue
                cited = there & (self._truth(place)[form] == state)
                yield cited
                if state == HOLDS and cited.any():  # of an undecided rule no number is cited
                    invalid = scored.validity == Validity.INVALID.position
                    for values in (invalid, *self._numbers(leaf)):
                        yield np.where(cited, values[form], 0)

    def _frame(self, place: int, state: int) -> tuple[bytes, bytes]:
        """Return the JSON of a rule before and after what is cited for it."""
        if (place, state) not in self._frames:
            rule = self._triage.plan.triage.rules[place]
            self._frames[place, state] = _frame(rule, holds=state == HOLDS)
        return self._frames[place, state]

    def _truth(self, place: int) -> NDArray[np.int8]:
        """Return the truth of a comparison on each form."""
        if place not in self._truths:
            leaf = self._triage.plan.triage.leaves[place]
            self._truths[place] = leaf_truth(self._triage.normed, leaf)
        return self._truths[place]

    def _numbers(self, leaf: LeafPlan) -> list[NDArray[Any]]:
        """Return what the numbers of a comparison follow from, by form."""
        normed = self._triage.normed
        scored = normed.scores.forms[leaf.slot]
        if leaf.kind == "item":
            return [scored.codes[leaf.place]]
        if leaf.kind == "critical":
            return [scored.codes[scored.plan.critical[leaf.place].row]]
        if leaf.kind == "derived":
            derived = normed.norms[leaf.place].derived[leaf.metric]
            return [derived.value, derived.low, derived.high]
        place = leaf.place if leaf.kind == "scale" else scored.plan.validity[leaf.place].scale
        return [scored.scales[place].state]


def _answer_words(plan: Plan) -> Words:
    """Return the words of the answers whose codes are words, not numbers."""
    return {
        (f"{instrument.id}.{item.id}", float(option.item_score)): {
            "en": option.label.en,
            "zh": option.label.zh,
        }
        for instrument in plan.instruments.values()
        for item in instrument.items
        for option in instrument.options(item.id).options
        if isinstance(option.code, str)
    }


def _frame(rule: RulePlan, *, holds: bool) -> tuple[bytes, bytes]:
    """Return the JSON of a rule before and after what is cited for it."""
    cited: Document = {
        "rule": rule.id,
        "tier": str(Tier.at(rule.tier)),
        "because": {"en": rule.because.en, "zh": rule.because.zh},
    }
    if holds:
        cited |= {
            "classes": [str(one) for one in rule.classes],
            "source": rule.source,
            "certainty": str(rule.evidence),
        }
    name = "evidence" if holds else "open"
    before, after = (
        canonical_json({key: cited[key] for key in cited if (key < name) == first}).encode()
        for first in (True, False)
    )
    return b'%b,"%b":[' % (before[:-1], name.encode()), b"],%b" % after[1:]


class _EvidenceMemo(dict[Any, bytes]):
    """The JSON of comparisons, each made once."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    @cached_property
    def _words(self) -> Words:
        return _answer_words(self._plan)

    def __missing__(self, one: Evidence) -> bytes:
        item = one.name if one.metric == "item_score" else ""
        document = {
            "name": one.name,
            "slot": one.slot,
            "metric": one.metric,
            "value": whole(one.value),
            "low": whole(one.low),
            "high": whole(one.high),
            "comparison": "at_or_above" if one.upwards else "at_or_below",
            "cut": whole(one.cut),
            "value_label": self._words.get((item, one.value)) if item else None,
            "cut_label": self._words.get((item, one.cut)) if item else None,
            "invalid_form": one.invalid_form,
        }
        text = self[one] = canonical_json(document).encode()
        return text
