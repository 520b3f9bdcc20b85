"""What is known of one scale, form by form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mhscreen.kernels.logic import at_or_past
from mhscreen.kernels.lookup import gather
from mhscreen.kernels.sums import smallest_type
from mhscreen.plan.scales import ScaleStates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.scales import ScalePlan

__all__ = ["ScaleScores", "index_truth", "scale_truth"]


@dataclass(frozen=True, eq=False, repr=False)
class ScaleScores:
    """One scale of one slot.

    Forms with the same answers have the same scores: each form is in one of few states, and
    what a state is worth is kept once. The arrays by form are made when they are first asked
    for; see `mhscreen.plan.scales.ScaleStates` for what they say.

    Attributes
    ----------
    scale : str
        The id of the scale.
    categories : tuple of str
        The names of its categories, from the near to the far side.
    state : ndarray of unsigned integers, shape (forms,)
        The state of each form, as a place in `by_state`.
    by_state : ScaleStates
        What each state is worth. There may be states that no form is in.
    """

    scale: str
    categories: tuple[str, ...]
    state: NDArray[np.unsignedinteger]
    by_state: ScaleStates

    def __repr__(self) -> str:
        return f"<ScaleScores: {self.scale}, {len(self.state)} rows>"

    @classmethod
    def each(cls, scale: str, categories: tuple[str, ...], states: ScaleStates) -> ScaleScores:
        """Return the scores of forms of which each has a state of its own."""
        places = np.arange(len(states), dtype=smallest_type(len(states)))
        return cls(scale, categories, places, states)

    @classmethod
    def of_raw(cls, raw: NDArray[np.float64]) -> ScaleScores:
        """Return raw scores without blanks or categories, such as a norm table takes."""
        none = np.full(len(raw), -1, dtype=np.int8)
        answered = (~np.isnan(raw)).astype(np.int16)
        estimated = np.zeros(len(raw), dtype=bool)
        return cls.each(
            "", (), ScaleStates(raw, answered, raw, raw, none, none, none, estimated, raw, raw)
        )

    def of_pupils(self, shown: NDArray[np.int64]) -> ScaleScores:
        """Return the same by pupil; `shown` is the place of each pupil's form, −1 for none."""
        places = np.append(self.state, len(self.by_state)).astype(
            smallest_type(len(self.by_state) + 1)
        )
        return ScaleScores(self.scale, self.categories, places[shown], self.by_state.and_none())

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """The score; NaN where there is none."""
        return self._by_form(self.by_state.score)

    @cached_property
    def answered(self) -> NDArray[np.int16]:
        """How many items are answered, or settled by a closed gate."""
        return self._by_form(self.by_state.answered)

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """The lowest score that the unanswered items allow."""
        return self._by_form(self.by_state.low)

    @cached_property
    def high(self) -> NDArray[np.float64]:
        """The highest score that the unanswered items allow."""
        return self._by_form(self.by_state.high)

    @cached_property
    def category(self) -> NDArray[np.int8]:
        """The place of the category of the score; −1 for none, and where it is withheld."""
        return self._by_form(self.by_state.category)

    @cached_property
    def category_low(self) -> NDArray[np.int8]:
        """The place of the category of the lowest score."""
        return self._by_form(self.by_state.category_low)

    @cached_property
    def category_high(self) -> NDArray[np.int8]:
        """The place of the category of the highest score."""
        return self._by_form(self.by_state.category_high)

    @cached_property
    def estimated(self) -> NDArray[np.bool_]:
        """Where the score rests on something else than answers."""
        return self._by_form(self.by_state.estimated)

    @cached_property
    def bottom(self) -> NDArray[np.float64]:
        """The lowest score, also where nothing was answered; for rules."""
        return self._by_form(self.by_state.bottom)

    @cached_property
    def top(self) -> NDArray[np.float64]:
        """The highest score, also where nothing was answered; for rules."""
        return self._by_form(self.by_state.top)

    @cached_property
    def standard_error(self) -> NDArray[np.float64] | None:
        """The standard error of the score; None without an item response model."""
        error = self.by_state.standard_error
        return None if error is None else self._by_form(error)

    def _by_form(self, values: NDArray[Any]) -> NDArray[Any]:
        return gather(values, self.state)


class Bounded(Protocol):
    """Whatever has scores with bounds: states, or forms."""

    @property
    def score(self) -> NDArray[np.float64]:
        """NaN where there is none."""

    @property
    def bottom(self) -> NDArray[np.float64]:
        """The lowest that the score may be."""

    @property
    def top(self) -> NDArray[np.float64]:
        """The highest that the score may be."""


def scale_truth(scale: ScalePlan, scores: Bounded, cut: float) -> NDArray[np.int8]:
    """Return, three-valued, whether a raw score is at or past a cut on its worse side.

    It holds if the estimate or the answered items alone reach the cut, and fails only if even
    the worst answers to the blanks could not.
    """
    if scale.upwards:
        surest, furthest = np.fmax(scores.score, scores.bottom), scores.top
    else:
        surest, furthest = np.fmin(scores.score, scores.top), scores.bottom
    return at_or_past(surest, furthest, cut, upwards=scale.upwards)


def index_truth(scores: Bounded, cut: float) -> NDArray[np.int8]:
    """Return, three-valued, whether a validity index was reached."""
    return at_or_past(np.fmax(scores.score, scores.bottom), scores.top, cut, upwards=True)
