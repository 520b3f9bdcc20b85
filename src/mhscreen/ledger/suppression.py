"""Suppression: which sums of a table must be withheld so that no small one can be worked out.

A reader knows every sum that is published, now or before, and that no number is negative. What the
reader can say about a withheld number is the interval of its feasible values, the least and the
greatest that fit all sums. A number that is small must look, to that reader, as if it could as
well be 0 or large. Where it does not, further sums are withheld: those that a cheapest change of
the table, which makes it so, would alter (after Kelly, Golden and Assad, Networks 22, 1992:
397-417, and Fischetti and Salazar, Management Science 47, 2001: 1008-1027).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, vstack

from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["Known", "Sum", "suppress"]

_TOLERANCE = 1e-7


class Sum(NamedTuple):
    """A sum that a table is to show.

    Attributes
    ----------
    places, columns : frozenset of int
        The places and columns of the numbers that it adds up.
    cost : float
        What it costs to withhold it: the dearest go last.
    whole : bool
        Whether it adds up all columns: it says only how many pupils there are.
    """

    places: frozenset[int]
    columns: frozenset[int]
    cost: float
    whole: bool


class Known(NamedTuple):
    """A sum of an earlier release; its value is None where it was withheld."""

    places: frozenset[int]
    columns: frozenset[int]
    value: int | None


class _Secret(NamedTuple):
    """A sum that must look as if it could be either of two values: as good as 0, and large."""

    row: NDArray[np.float64]
    value: float
    targets: tuple[float, float]
    named: bool = True
    """Whether a release has it, now or before. What none has may be given away by the earlier ones
    alone; that cannot be mended, and is no reason to refuse."""


def suppress(
    atoms: Sequence[Sequence[int]],
    sums: Sequence[Sum],
    earlier: Iterable[Sequence[Known]],
    smallest: int,
) -> list[bool]:
    """Return which sums must be withheld.

    Parameters
    ----------
    atoms : sequence of sequence of int
        The numbers, by place and column.
    sums : sequence of Sum
        What is to be shown.
    earlier : iterable of sequence of Known
        The sums of each earlier release. Where the numbers have not changed since, they are so
        many more sums that the reader knows. Where they have, they are compared one by one: a
        number is withheld whose difference would be small from an earlier one of the same column,
        for the same places or for places that hold or are held by its own; and what was withheld
        then is withheld again, as it protects others that have hardly changed.
    smallest : int
        The smallest number, and the smallest difference, that may be shown.

    Raises
    ------
    UsageError
        If the earlier releases, with nothing added, already narrow a small number down.
    """
    table = _Table(atoms, sums, list(earlier))
    hidden, secrets = _small_ones(table, sums, smallest)
    for secret in sorted(secrets, key=lambda one: (not one.named, one.value)):
        for target in secret.targets:
            altered = table.cheapest_change(secret.row, target - secret.value, hidden)
            if altered is not None:
                hidden |= altered
            elif secret.named:
                msg = (
                    "the earlier releases already narrow a small number down: nothing more can be "
                    "released about these pupils"
                )
                raise UsageError(msg)
    return [bool(one) for one in hidden]


def _small_ones(
    table: _Table, sums: Sequence[Sum], smallest: int
) -> tuple[NDArray[np.bool_], list[_Secret]]:
    """Return the sums that are withheld for their own sake, and all that must not come out."""
    hidden = np.zeros(len(sums), dtype=bool)
    secrets: list[_Secret] = []
    for place, (one, count) in enumerate(zip(sums, table.shown, strict=True)):
        if 0 < count < smallest:
            hidden[place] = True
            secrets.append(_Secret(table.rows[place], count, (0.0, float(smallest))))
        for before in table.compared(one):
            if before is None:
                hidden[place] = True
            elif 0 < abs(count - before) < smallest:
                hidden[place] = True
                far = max(before + np.sign(count - before) * smallest, 0.0)
                secrets.append(_Secret(table.rows[place], count, (float(before), far)))
    rows = [(row, True) for row in table.withheld_before]
    secrets += [
        _Secret(row, count, (0.0, float(smallest)), named=named)
        for row, named in [*rows, *((row, False) for row in table.parts())]
        if 0 < (count := float(row @ table.values)) < smallest
    ]
    return hidden, secrets


class _Table:
    """The sums as rows of zeros and ones over numbers, and what the reader knows of them."""

    def __init__(
        self,
        atoms: Sequence[Sequence[int]],
        sums: Sequence[Sum],
        earlier: Sequence[Sequence[Known]],
    ) -> None:
        numbers = np.asarray(atoms, dtype=np.float64)
        sets = [*(one.places for one in sums), *(k.places for one in earlier for k in one)]
        self.places = _merge(dict.fromkeys(sets), len(numbers))
        merged = np.zeros((max(self.places) + 1, numbers.shape[1]))
        np.add.at(merged, self.places, numbers)
        self.shape, self.values = merged.shape, merged.ravel()
        self.rows = np.array([self.row(one.places, one.columns) for one in sums])
        self.shown = self.rows @ self.values
        same = [one for one in earlier if all(map(self._holds, one))]
        self.other = [known for one in earlier if one not in same for known in one]
        now = [(self.row(inside, columns), value) for one in same for inside, columns, value in one]
        fixed = [row for row, value in now if value is not None]
        self.withheld_before = [row for row, value in now if value is None]
        self.fixed: Any = csr_array(np.array(fixed).reshape(len(fixed), len(self.values)))
        self.costs = np.array([one.cost for one in sums])
        sparse, eye = csr_array(self.rows), eye_array(len(self.rows))
        self._links: Any = hstack([sparse, -sparse, -eye, eye], format="csr")

    def row(self, inside: Iterable[int], columns: Iterable[int]) -> NDArray[np.float64]:
        marks = np.zeros(self.shape)
        marks[np.ix_(sorted({self.places[n] for n in inside}), sorted(columns))] = 1
        return marks.ravel()

    def _holds(self, known: Known) -> bool:
        """Whether a sum of an earlier release still is what it was then."""
        inside, columns, value = known
        return value is None or bool(self.row(inside, columns) @ self.values == value)

    def compared(self, one: Sum) -> Iterator[int | None]:
        """Yield the numbers of earlier states that a reader would set against one of now."""
        for inside, columns, value in self.other:
            if columns != one.columns:
                continue
            if value is None:
                if inside == one.places:
                    yield None
            elif inside and not one.whole and (inside <= one.places or one.places <= inside):
                yield value

    def parts(self) -> Iterator[NDArray[np.float64]]:
        """Yield the numbers of pupils whom only several releases together tell apart.

        They stand in no table; whoever has all of them can take sums from sums.
        """
        if self.fixed.shape[0] or self.withheld_before:
            yield from np.eye(len(self.values))

    def cheapest_change(
        self, row: NDArray[np.float64], change: float, hidden: NDArray[np.bool_]
    ) -> NDArray[np.bool_] | None:
        """Return the sums that a change of the table alters, with one sum changed by so much.

        Of all changes that leave no number below 0 and what is known as it is, that whose altered
        sums cost least; those already withheld cost nothing. None where there is no such change.
        """
        numbers, sums = len(self.values), len(self.rows)
        held: Any = vstack([self.fixed, csr_array(row[None, :])])
        equations: Any = vstack(
            [self._links, hstack([held, -held, csr_array((held.shape[0], 2 * sums))])], format="csr"
        )
        right = np.zeros(equations.shape[0])
        right[-1] = change
        most = np.full(2 * numbers + 2 * sums, np.inf)
        most[numbers : 2 * numbers] = self.values  # no number falls below 0
        costs = np.where(hidden, 0.0, self.costs)
        found = milp(
            np.concatenate([np.zeros(2 * numbers), costs, costs]),
            constraints=LinearConstraint(equations, right, right),
            bounds=Bounds(np.zeros(len(most)), most),
            integrality=np.repeat([1, 0], [2 * numbers, 2 * sums]),
        )
        if found.x is None:
            return None
        altered = found.x[2 * numbers :].reshape(2, sums).sum(axis=0)
        return np.asarray(altered > _TOLERANCE)


def _merge(sets: Iterable[frozenset[int]], number: int) -> list[int]:
    """Return which places no set tells apart, each by the number of its like."""
    sets = list(sets)
    marks = [tuple(place in one for one in sets) for place in range(number)]
    numbers = {mark: n for n, mark in enumerate(dict.fromkeys(marks))}
    return [numbers[mark] for mark in marks]
