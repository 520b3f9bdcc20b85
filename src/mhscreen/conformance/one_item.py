"""Rule out, from complete forms alone, that one item is what a scorer reads otherwise.

Most departures change one item of one scale. Trying all of them on a scorer that is wrong on
every form would take a minute; looking at how its sums differ takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import TOLERANCE
from mhscreen.kernels import codes as rc
from mhscreen.steps.score import score_forms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.conformance.kit import FormKit
    from mhscreen.conformance.scorer import Columns, Departure
    from mhscreen.plan.scales import ScalePlan

__all__ = ["OneItem"]

_ADDED = ("sum", "mean", "count", "weighted_sum")


class OneItem:
    """Tells whether how the sums of complete forms differ depends on one item's answer alone.

    Where one item is turned, left out, counted twice or counted, too, forms that answer it alike
    differ from the definition by the same.

    Parameters
    ----------
    given, expected : Columns
        What a scorer gives, and what the definition gives.
    """

    def __init__(self, kit: FormKit, given: Columns, expected: Columns) -> None:
        codes = score_forms(kit.form.plan, kit.vectors.codes).codes
        self._form = kit.form.plan
        self._complete = ~rc.is_unanswered(codes).any(axis=0)
        self._codes = codes[:, self._complete]
        self._given, self._expected = given, expected
        self._known: dict[tuple[str, str], bool] = {}

    def may_be(self, departure: Departure) -> bool:
        """Return whether a departure may give the scores of complete forms that are given.

        False is certain; True says nothing.
        """
        return not departure.item or all(
            self._may_explain(scale, departure.item) for scale in departure.change.scales
        )

    def _may_explain(self, scale: str, item: str) -> bool:
        key = (scale, item)
        if key not in self._known:
            self._known[key] = self._depends(scale, item)
        return self._known[key]

    def _depends(self, name: str, item: str) -> bool:
        place = self._form.scale(name)
        if name not in self._given or place < 0:
            return True
        scale = self._form.scales[place]
        if not _is_additive(scale):
            return True
        given = self._given[name].values[self._complete]
        expected = self._expected[name].values[self._complete]
        if (np.isnan(given) != np.isnan(expected)).any():
            return False
        row = self._form.row(item)
        scores = self._form.items[row].scores
        codes = self._codes[row]
        answered = codes < len(scores)
        # Where an item is counted from some score on, or all answer alike, it may go unseen.
        seen = scale.combine != "count" and len(np.unique(scores[codes[answered]])) > 1
        number = scale.n_items
        # The mean of one item more or fewer is another share of another sum.
        for others in (number - 1, number, number + 1) if scale.combine == "mean" else (1,):
            own = number if scale.combine == "mean" else 1
            difference = given * others - expected * own
            if _is_function(difference, codes, 2 * TOLERANCE * others + 1e-6, seen=seen):
                return True
        return False


def _is_additive(scale: ScalePlan) -> bool:
    """Return whether the score of a complete form is a sum over several items."""
    if scale.combine not in _ADDED or scale.n_items == 1:
        return False
    if scale.transform is not None:
        return scale.transform.multiply is not None and scale.rounding == "none"
    return scale.combine != "mean" or scale.rounding == "none"


def _is_function(
    values: NDArray[np.float64], codes: NDArray[np.uint8], tolerance: float, *, seen: bool
) -> bool:
    """Return whether values are alike wherever codes are, and (if seen) not alike everywhere."""
    if not len(values):
        return True
    spreads = [np.ptp(values[codes == code]) for code in np.unique(codes)]
    return max(spreads) <= tolerance and not (seen and np.ptp(values) <= tolerance)
