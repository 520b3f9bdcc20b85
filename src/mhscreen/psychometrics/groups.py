"""Which form belongs to which group: sex, grade, district."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, ProblemLog, UsageError
from mhscreen.psychometrics.answers import Answers, as_answers
from mhscreen.psychometrics.checks import check_groups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Groups", "answers_by", "check_cells"]


@dataclass(frozen=True, eq=False)
class Groups:
    """A group for each form.

    Attributes
    ----------
    labels : tuple of str
        The groups, the reference first, then in order.
    of_form : ndarray of int64, shape (forms,)
        Place of each form's group among the labels, −1 where it is not known.
    """

    labels: tuple[str, ...]
    of_form: NDArray[np.int64]

    def sizes(self) -> NDArray[np.int64]:
        """Return how many forms each group has."""
        return np.bincount(self.of_form[self.of_form >= 0], minlength=len(self.labels))


def answers_by(
    answers: object,
    group: str | ArrayLike,
    items: Sequence[str] | None = None,
    reference: object = None,
    *,
    weights: str | ArrayLike | None = None,
) -> tuple[Answers, Groups, int]:
    """Take in answers and the group of each form; forms of no known group are left out.

    Parameters
    ----------
    answers, items
        As for `as_answers`. The column of the groups is no item.
    group : str or array_like of shape (forms,)
        A column of the frame, or one label per form; None and NaN are not known.
    reference : label, optional
        The group that the others are compared with; the first in order by default.
    weights : str or array_like of shape (forms,), optional
        As for `as_answers`. Neither is their column an item.

    Returns
    -------
    answers : Answers
    groups : Groups
    left_out : int
        How many forms were left out because their group is not known.

    Raises
    ------
    AnalysisError
        With MH707 if there is only one group.
    UsageError
        If there is no such column or reference, or not one label per form.

    Examples
    --------
    >>> frame = {"q1": [0, 1, 2, 2], "sex": ["f", "m", "f", None]}
    >>> taken, groups, left_out = answers_by(frame, "sex", reference="m")
    >>> taken, groups.labels, groups.of_form.tolist(), left_out
    (<Answers: 1 items, 3 forms>, ('m', 'f'), [1, 0, 1], 1)
    """
    labels: Any = group
    if isinstance(group, str):
        columns, labels = _column(answers, group)
        if items is None:
            column = weights if isinstance(weights, str) else None
            items = [name for name in columns if name not in (group, column)]
    taken = as_answers(answers, items, weights=weights)
    names = [_label(value) for value in np.asarray(labels, dtype=object).ravel().tolist()]
    if len(names) != taken.forms:
        msg = f"group: one per form is expected ({taken.forms}), not {len(names)}"
        raise UsageError(msg)
    known = _sorted({name for name in names if name is not None})
    if reference is not None:
        first = _label(reference)
        if first not in known:
            msg = f"reference: no group {first!r}; there are {', '.join(known)}"
            raise UsageError(msg)
        known = [first, *(name for name in known if name != first)]
    log = ProblemLog()
    check_groups(len(known), group if isinstance(group, str) else "group", log)
    if log:
        raise AnalysisError(log)
    places = {name: place for place, name in enumerate(known)}
    of_form = np.array([-1 if name is None else places[name] for name in names], dtype=np.int64)
    there = of_form >= 0
    left_out = int(np.sum(~there))
    if left_out:
        taken = taken.only(there)
    return taken, Groups(tuple(known), of_form[there]), left_out


def check_cells(
    items: Sequence[str],
    places: NDArray[np.int8],
    numbers: Sequence[int],
    groups: Groups,
    log: ProblemLog,
) -> NDArray[np.bool_]:
    """Return which items can be compared; add MH730 for an answer that a group never gave.

    Parameters
    ----------
    items : sequence of str
        The items.
    places : ndarray of int8, shape (items, forms)
        Category of each answer, −1 for none.
    numbers : sequence of int
        Of categories of each item.
    groups : Groups
        Of the forms.
    log : ProblemLog
        Where the problems go.
    """
    fine = np.ones(len(items), dtype=np.bool_)
    for item, (name, number) in enumerate(zip(items, numbers, strict=True)):
        for group, label in enumerate(groups.labels):
            mine = places[item, groups.of_form == group]
            absent = number - len(np.unique(mine[mine >= 0]))
            if absent:
                log.add(
                    "MH730",
                    f"{absent} answers never given by the group {label}",
                    path=name,
                    hint="merge categories beforehand, in all groups alike",
                )
                fine[item] = False
    return fine


def _column(answers: object, group: str) -> tuple[list[str], Any]:
    """Return the headings of a frame or mapping, and one of its columns."""
    if isinstance(answers, Mapping):
        columns: Any = {str(name): column for name, column in answers.items()}
        names = list(columns)
    else:
        import narwhals.stable.v2 as nw

        columns = nw.from_native(answers, pass_through=True)
        if not isinstance(columns, nw.DataFrame):
            msg = "group: a column can be named only of a frame or a mapping"
            raise UsageError(msg)
        names = [str(name) for name in columns.columns]
    if group not in names:
        msg = f"group: no column {group!r}"
        raise UsageError(msg)
    column = columns[group]
    return names, column.to_list() if hasattr(column, "to_list") else list(column)


def _label(value: Any) -> str | None:
    """Return a label as text; None where it is not known. 1.0 is the same group as 1."""
    if value is None or value != value or type(value).__name__ == "NAType":  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _sorted(names: set[str]) -> list[str]:
    """Return labels in order; numbers by their value."""
    if all(name.lstrip("-").isdigit() for name in names):
        return sorted(names, key=int)
    return sorted(names)
