"""What the entries say about the forms of each pupil: every slot, its scores, critical items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.entries.canonical import canonical_json, whole
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.steps.text_columns import Texts, distinct_rows, json_object, spread
from mhscreen.steps.times import local_times
from mhscreen.vocabulary import Requirement, Validity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.score import FormScores, ScaleScores
    from mhscreen.steps.text_columns import Part
    from mhscreen.steps.triage import Triage

__all__ = ["CriticalItems", "Instruments"]

_CODES = 256
_REQUIRED = Requirement.REQUIRED.position


def _json(value: Any) -> bytes:
    return canonical_json(value).encode()


class Instruments:
    """Every slot that a pupil has, or lacks though required, block by block."""

    def __init__(self, triage: Triage) -> None:
        self._plan, self._scores = triage.plan, triage.normed.scores
        # Who has several forms in a slot, and how many.
        self._several = [
            np.unique(bound.pupil[ranked], return_counts=True)
            for bound, ranked in zip(self._scores.batch.forms, self._scores.ranked, strict=True)
        ]
        self._memos = [[_ScoreMemo(scale) for scale in form.scales] for form in self._plan.forms]

    def of(self, block: slice) -> list[Part]:
        """Return the slots as a JSON list, by pupil."""
        parts: list[Part] = [b"["]
        begun = np.zeros(block.stop - block.start, dtype=bool)
        for slot in range(len(self._plan.forms)):
            parts += self._slot(slot, block, begun)
        return [*parts, b"]"]

    def _slot(self, slot: int, block: slice, begun: NDArray[np.bool_]) -> Iterator[Part]:
        """Yield one slot; `begun` says, and will say, where a comma comes before the next."""
        shown = self._scores.shown[slot, block]
        uses = self._plan.uses[self._scores.batch.roster.group[block], slot]
        there = np.flatnonzero(shown >= 0)
        missing = np.flatnonzero((shown < 0) & (uses == _REQUIRED))
        same: dict[str, Part | list[Part]] = {
            "slot": _json(self._plan.forms[slot].slot),
            "instrument": _json(self._plan.forms[slot].ref),
            "informant": _json(str(self._plan.forms[slot].informant)),
        }
        for rows in (there, missing):
            if not len(rows):
                continue
            same["use"] = Texts(_USES, uses[rows])
            fields = self._filed(slot, block.start + there) if rows is there else _NOTHING
            comma = Texts([b"", b","], begun[rows].astype(np.int64))
            yield from spread([comma, *json_object({**same, **fields})], rows, len(begun))
            begun[rows] = True

    def _filed(self, slot: int, pupils: NDArray[np.int64]) -> dict[str, Part | list[Part]]:
        """Return what is said of the forms that are shown of some pupils."""
        form, scored = self._scores.shown[slot, pupils], self._scores.forms[slot]
        counts = np.ones(len(form), dtype=np.int64)
        several, number = self._several[slot]
        counts[np.isin(pupils, several)] = number[np.isin(several, pupils)]
        filed = scored.filed[form].astype(np.int64)
        submitted = self._scores.batch.forms[slot].administered_on[form]
        moments = distinct_rows([submitted], len(form))
        times = local_times(self._plan.programme.zone, submitted[moments.first])
        quoted = [b"null" if time is None else b'"%b"' % time.encode() for time in times]
        return {
            "filed": Texts(_TRUTHS, filed),
            "forms": distinct_rows([counts], len(form)).texts(lambda row: b"%d" % counts[row]),
            "complete": Texts(_TRUTHS, scored.complete[form].astype(np.int64)),
            "validity": Texts(_VALIDITIES, np.where(filed, scored.validity[form], len(Validity))),
            "submitted_at": Texts(quoted, moments.place),
            "scores": json_object(
                {
                    scale.scale: _score_texts(memo, scale, form)
                    for memo, scale in zip(self._memos[slot], scored.scales, strict=True)
                }
            ),
        }


_USES = [_json(str(use)) for use in Requirement]
_TRUTHS = [b"false", b"true"]
_VALIDITIES = [*(_json(str(one)) for one in Validity), b"null"]
_NOTHING: dict[str, Part | list[Part]] = {
    "filed": b"false",
    "forms": b"0",
    "complete": b"false",
    "validity": b"null",
    "submitted_at": b"null",
    "scores": b"{}",
}


def _score_texts(memo: _ScoreMemo, scale: ScaleScores, form: NDArray[np.int64]) -> Texts:
    """Return the scores of one scale of some forms."""
    state = scale.state[form]
    same = distinct_rows([state], len(form))
    states, worth = state[same.first], scale.by_state
    numbers = [
        [None if value != value else value for value in values[states].tolist()]  # noqa: PLR0124 - NaN
        for values in (worth.score, worth.low, worth.high, worth.answered, worth.category)
    ]
    return Texts(list(map(memo.__getitem__, zip(*numbers, strict=True))), same.place)


class _ScoreMemo(dict[Any, bytes]):
    """The JSON of one scale's scores, each made once."""

    def __init__(self, plan: ScalePlan) -> None:
        super().__init__()
        self.categories = plan.categories
        self.labels = [{"en": label.en, "zh": label.zh} for label in plan.labels]

    def __missing__(self, key: Any) -> bytes:
        score, low, high, answered, place = key
        text = self[key] = _json(
            {
                "score": whole(score), "answered": answered, "low": whole(low), "high": whole(high),
                "category": None if place < 0 else self.categories[place],
                "category_label": None if place < 0 else self.labels[place],
            }
        )  # fmt: skip
        return text


class CriticalItems:
    """The critical items that are positive or unanswered, over all forms of a pupil."""

    def __init__(self, triage: Triage) -> None:
        scores = triage.normed.scores
        pupils = len(scores.batch.roster)
        self._texts: list[list[bytes]] = []
        self._places: list[NDArray[np.uint8]] = []
        for form, bound, scored in zip(
            triage.plan.forms, scores.batch.forms, scores.forms, strict=True
        ):
            for place in range(len(form.critical)):
                texts, found = _findings(form, scored, place)
                if found.any():
                    worst = np.zeros(pupils, dtype=np.uint8)
                    hit = np.flatnonzero(found)
                    np.maximum.at(worst, bound.pupil[hit], found[hit])
                    self._texts.append(texts)
                    self._places.append(worst)

    def of(self, block: slice) -> Texts:
        """Return them as a JSON list, by pupil."""
        columns = [places[block] for places in self._places]

        def write(row: int) -> bytes:
            found = zip(self._texts, columns, strict=True)
            return b"[%b]" % b",".join(texts[column[row]] for texts, column in found if column[row])

        return distinct_rows(columns, block.stop - block.start).texts(write)


def _findings(
    form: FormPlan, scored: FormScores, place: int
) -> tuple[list[bytes], NDArray[np.uint8]]:
    """Return what can be said of a critical item, the worse the later, and which on each form.

    The first says nothing.
    """
    item = form.critical[place]
    codes, truth = scored.codes[item.row], scored.critical[place]
    positive = truth == HOLDS
    listed = positive | ((truth == UNDECIDED) & rc.is_unanswered(codes))
    kind = np.where(listed, codes + _CODES * positive.astype(np.int64), -1)
    values, found = np.unique(kind, return_inverse=True)
    scores = form.items[item.row].scores
    states = [
        (kind >= _CODES, int(scores[kind % _CODES]) if kind % _CODES < rc.FIRST_MISSING else None)
        for kind in values.tolist()
        if kind >= 0
    ]
    ranked = sorted(set(states), key=lambda state: (state[0], state[1] or 0))
    texts = [b""] + [
        _json(
            {
                "slot": form.slot,
                "item": item.item,
                "concern": str(item.concern),
                "window": str(item.window),
                "days": item.days,
                "directness": str(item.directness),
                "state": "positive" if holds else "unanswered",
                "score": score,
            }
        )
        for holds, score in ranked
    ]
    ranks = [0] * (len(values) - len(states)) + [1 + ranked.index(state) for state in states]
    return texts, np.array(ranks, dtype=np.uint8)[found]
