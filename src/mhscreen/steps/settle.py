"""Settle: what a blank stands for, by the instrument's own blank rules and gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.vocabulary import MissingReason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.scoring import FormPlan

    Codes = NDArray[np.uint8]
    Items = Sequence[Codes] | Codes
    Truth = NDArray[np.bool_]

__all__ = ["settle"]

_REFUSED = rc.missing_code(MissingReason.REFUSED)
# A question that was never put, or an answer that cannot be read, is no refusal: it stays open.
_NO_ANSWER = (rc.BLANK, _REFUSED, rc.missing_code(MissingReason.DONT_KNOW))
# A refusal or something illegible was written there: that is not "not applicable".
_UNTOUCHED = (rc.BLANK, rc.NOT_PRESENTED)


def settle(plan: FormPlan, codes: Items, changed: Mapping[int, Codes], behind_gate: Truth) -> None:
    """Apply the instrument's blank rules, then its gates, to the unanswered items.

    Parameters
    ----------
    plan : FormPlan
        The compiled form.
    codes : ndarray of uint8, shape (items, forms), or a sequence of its rows
        Response codes as bound.
    changed : mapping of int to ndarray of uint8
        The `settled_rows` of the plan: response codes after blank rules and gates go there.
    behind_gate : ndarray of bool, shape (forms,)
        Where an item was answered though its gate is closed is written there.
    """
    for row in plan.settled_rows:
        changed[row][:] = codes[row]
    # A form without an answer closes no gate: mostly that goes without saying.
    filed = np.ones(1, dtype=bool) if plan.only_answers_settle else _filed(plan, codes)
    for row in plan.blank_rows:
        rc.overwrite(changed[row], rc.COUNTED_BLANK, filed & _is_one_of(codes[row], _NO_ANSWER))
    behind_gate[:] = False
    for gate, shut in zip(plan.gates, plan.shut, strict=True):
        closed = filed
        for (row, _), fails in zip(gate.openers, shut, strict=True):
            closed = closed & fails.take(changed.get(row, codes[row]), mode="clip")
        behind_gate |= closed & rc.any_answered([codes[row] for row in gate.rows])
        for row in gate.rows:
            untouched = _is_one_of(codes[row], _UNTOUCHED)
            untouched &= closed
            rc.overwrite(changed[row], rc.NOT_APPLICABLE, untouched)


def _filed(plan: FormPlan, codes: Items) -> Truth:
    """Return where something was filled in."""
    filed = rc.any_answered(codes)
    for row in plan.blank_rows:
        # Who refuses such a question has said something, even where every other item is blank.
        filed |= codes[row] == _REFUSED
    return filed


def _is_one_of(codes: Codes, some: Sequence[int]) -> Truth:
    found: Truth = codes == some[0]
    for one in some[1:]:
        found |= codes == one
    return found
