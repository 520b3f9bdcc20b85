"""What pupils are matched on when an item is compared between groups, and purification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mhscreen.problems import ProblemLog, UsageError
from mhscreen.psychometrics.checks import check_constant, check_enough, refuse
from mhscreen.psychometrics.groups import Groups, answers_by

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers

    Floats = NDArray[np.float64]

__all__ = [
    "MOST_ROUNDS",
    "Comparison",
    "Purified",
    "compared",
    "purify",
    "table",
    "unsettled",
]

MOST_ROUNDS = 10


@dataclass(frozen=True, eq=False)
class Comparison:
    """Complete answers of pupils in groups.

    Attributes
    ----------
    answers : Answers
        Complete forms.
    groups : Groups
        Of these forms.
    places : ndarray of int8, shape (items, forms)
        Category of each answer.
    codes : tuple of ndarray of float64
        The answer that each category is.
    left_out : int
        Forms with a blank, or of no known group.
    """

    answers: Answers
    groups: Groups
    places: NDArray[np.int8]
    codes: tuple[Floats, ...]
    left_out: int

    def sums(self, items: Sequence[int]) -> Floats:
        """Return each form's sum over some items."""
        return np.asarray(self.answers.cells[list(items)].sum(axis=0, dtype=np.float64))


class Purified(NamedTuple):
    """Where the anchors have settled."""

    flagged: NDArray[np.bool_]
    rounds: int
    settled: bool


def compared(
    answers: object, group: str | ArrayLike, items: Sequence[str] | None, reference: object
) -> Comparison:
    """Take in answers and groups, or raise what is wrong with them."""
    taken, groups, unknown = answers_by(answers, group, items, reference)
    if taken.weights is not None:
        msg = "weights are not used in comparisons of groups: their tests would be wrong"
        raise UsageError(msg)
    complete = taken.complete()
    taken, of_form = taken.only(complete), groups.of_form[complete]
    log = ProblemLog()
    codes = taken.categories()
    check_constant(taken.items, np.array([len(known) - 1.0 for known in codes]), log)
    sizes = np.bincount(of_form, minlength=len(groups.labels))
    for label, size in zip(groups.labels, sizes.tolist(), strict=True):
        if size < len(codes):
            check_enough(size, len(codes), f"complete, of the group {label}", log)
    refuse(log)
    return Comparison(
        taken,
        Groups(groups.labels, of_form),
        taken.places(),
        codes,
        unknown + int(np.sum(~complete)),
    )


def table(of: Comparison, item: int, match: Floats) -> tuple[Floats, Floats]:
    """Return the distinct values of the match, and how often each answer occurs with each.

    Counts have the shape (values, groups, categories).
    """
    values, place = np.unique(match, return_inverse=True)
    shape = (len(values), len(of.groups.labels), len(of.codes[item]))
    flat = np.ravel_multi_index((place, of.groups.of_form, of.places[item]), shape)
    counts = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    return values, counts


def purify(items: int, flag: Callable[[list[int]], NDArray[np.bool_]], most: int) -> Purified:
    """Flag items, match on those that are not flagged, and repeat until nothing changes.

    Parameters
    ----------
    items : int
        Number of items.
    flag : callable
        From the places of the anchors to which items are flagged.
    most : int
        Rounds; 0 to match on every item, once.
    """
    flagged = flag(list(range(items)))
    for round_ in range(1, most + 1):
        anchors = np.flatnonzero(~flagged).tolist()
        if not anchors:
            return Purified(flagged, round_, settled=False)
        again = flag(anchors)
        if np.array_equal(again, flagged):
            return Purified(flagged, round_, settled=True)
        flagged = again
    return Purified(flagged, most, settled=most == 0)


def unsettled(purified: Purified, log: ProblemLog) -> None:
    """Add MH731 where the anchors did not settle."""
    if not purified.settled:
        log.add(
            "MH731",
            f"after {purified.rounds} rounds the same items were not flagged twice",
            path="anchors",
            hint="name anchors from earlier work, or ask for a larger effect",
        )
