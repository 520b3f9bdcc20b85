"""Facts: what is true of any form of a pupil, whatever form of another slot it is taken with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.lookup import gather
from mhscreen.vocabulary import Informant, Requirement, Validity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.norm import NormedScores
    from mhscreen.steps.score import FormScores

__all__ = ["Fact", "Facts", "find_facts"]

_REQUIRED, _NOT_USED = Requirement.REQUIRED.position, Requirement.NOT_USED.position


class Fact(IntFlag):
    """What may be true of a form; of the first four, only where the form is used for the pupil."""

    INCOMPLETE = 1
    INVALID = 2
    QUESTIONABLE = 4
    VALIDITY_OPEN = 8
    WRONG_STAGE = 16
    CRITICAL_OPEN = 32
    RECORDED = 64
    FILED = 128


_OF_USED = Fact.INCOMPLETE | Fact.INVALID | Fact.QUESTIONABLE | Fact.VALIDITY_OPEN
_OF_VALIDITY = {
    Validity.INVALID: Fact.INVALID,
    Validity.QUESTIONABLE: Fact.QUESTIONABLE,
    Validity.INCOMPLETE: Fact.VALIDITY_OPEN,
}


@dataclass(frozen=True, eq=False)
class Facts:
    """What is true of any form of each pupil; every array has shape (pupils,).

    Attributes
    ----------
    bits : ndarray of uint8
        Every `Fact` that is true of some form.
    absent, critical_absent : ndarray of bool
        Where a required slot has no form, and where one with critical items has none.
    several : ndarray of bool
        Where a slot has more than one form.
    filed_by : dict of Informant to ndarray of bool
        Where an informant has answered anything; of the informants that the programme asks.
    """

    bits: NDArray[np.uint8]
    absent: NDArray[np.bool_]
    critical_absent: NDArray[np.bool_]
    several: NDArray[np.bool_]
    filed_by: Mapping[Informant, NDArray[np.bool_]]

    def has(self, fact: Fact) -> NDArray[np.bool_]:
        """Return the pupils with a form of which something is true."""
        return np.asarray((self.bits & np.uint8(fact)) != 0)


def find_facts(plan: Plan, normed: NormedScores) -> Facts:
    """Gather the facts of all forms by pupil."""
    scores = normed.scores
    batch = scores.batch
    group = batch.roster.group
    bits = np.zeros(len(group), dtype=np.uint8)
    absent, critical_absent, several = np.zeros((3, len(group)), dtype=bool)
    filed_by: dict[Informant, NDArray[np.bool_]] = {}
    for slot, form in enumerate(plan.forms):
        pupil, ranked = batch.forms[slot].pupil, scores.ranked[slot]
        uses = plan.uses[:, slot]
        if (uses == _REQUIRED).any():
            missing = (uses == _REQUIRED)[group] & (scores.shown[slot] < 0)
            absent |= missing
            if form.critical:
                critical_absent |= missing
        several[pupil[ranked]] = True
        of_forms = _of_forms(scores.forms[slot])
        if (uses == _NOT_USED).any():
            is_used = (uses != _NOT_USED)[group][pupil]
            of_forms[~is_used] &= np.uint8(0xFF & ~_OF_USED)
            of_forms[~is_used] |= np.uint8(Fact.WRONG_STAGE)
        bits[pupil] |= of_forms
        np.bitwise_or.at(bits, pupil[ranked], of_forms[ranked])  # of several forms, each
        filed = filed_by.setdefault(form.informant, np.zeros(len(group), dtype=bool))
        filed[pupil[scores.forms[slot].filed]] = True
    ordered = {one: filed_by[one] for one in Informant if one in filed_by}
    return Facts(bits, absent, critical_absent, several, ordered)


def _of_forms(scored: FormScores) -> NDArray[np.uint8]:
    """Return the facts of the forms of one slot, as if all of them were used."""
    of_validity = np.zeros(len(Validity), dtype=np.uint8)
    for validity, fact in _OF_VALIDITY.items():
        of_validity[validity.position] = fact
    facts = gather(of_validity, scored.validity.view(np.uint8))
    for fact, where in (
        (Fact.INCOMPLETE, ~scored.complete),
        (Fact.CRITICAL_OPEN, scored.critical_open),
        (Fact.RECORDED, scored.recorded),
        (Fact.FILED, scored.filed),
    ):
        facts |= where.view(np.uint8) * np.uint8(fact)
    return facts
