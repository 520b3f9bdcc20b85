"""Identity: forms that say they are by somebody else than the pupil they name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.steps import cells
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from mhscreen.problems import ProblemLog
    from mhscreen.steps.roster import Roster
    from mhscreen.steps.tables import Table

__all__ = [
    "Candidates",
    "Claim",
    "Claims",
    "compare_identity",
    "identity_claims",
    "parse_class",
    "says_who",
]

MOST_CANDIDATES = 5
"""More pupils than this who fit sex and class alone point to nobody."""

Claims = dict[str, "NDArray[Any]"]
"""What forms say of who filled them in: birth date (NaT where they do not), sex (−1) and class
(None)."""


def identity_claims(table: Table, log: ProblemLog) -> Claims:
    """Return what the forms say about who filled them in, where they say it legibly."""
    claims: Claims = {}
    for name, heading in _headings(table).items():
        values, bad = cells.map_column(table.columns[heading], *_PARSERS[name])
        claims[name] = values
        log.add_rows(
            "MH414",
            f"{name} cannot be read",
            np.flatnonzero(bad).tolist(),
            lambda row: {"row": table.row_number(row)},
            file=table.name,
            hint="the value is withheld; it is not compared with the roster",
        )
    return claims


def says_who(table: Table) -> bool:
    """Return whether the forms of a table say anything about who filled them in."""
    return bool(_headings(table))


def _headings(table: Table) -> dict[str, str]:
    return find_columns(table, {name: ROSTER_COLUMNS[name] for name in _PARSERS})


def parse_class(cell: object) -> str | None:
    """Return the name of a class as it is compared: ``8-1 班`` and ``8-1`` are one.

    Examples
    --------
    >>> parse_class("３班"), parse_class("3")
    ('3', '3')
    """
    text = cells.parse_text(cell)
    return None if text is None else text.casefold().removesuffix("班").strip()


_PARSERS: dict[str, tuple[Callable[[object], object], object, str]] = {
    "birth_date": (cells.parse_date, np.datetime64("NaT"), "M8[D]"),
    "sex": (lambda cell: cells.parse_term(cell, Sex, m="male", f="female"), -1, "i1"),
    "class": (parse_class, None, "O"),
}
"""What a form may say of who filled it in: how it is read, and what stands where it does not."""


class Claim(NamedTuple):
    """What a form says of who filled it in, where that is not the pupil whom it names."""

    birth_date: np.datetime64 | None
    sex: int | None
    class_: str | None


def compare_identity(
    roster: Roster, claims: Claims, places: NDArray[np.int64]
) -> tuple[dict[int, list[str]], set[Claim]]:
    """Compare what forms say of who filled them in with the roster.

    Parameters
    ----------
    roster : Roster
        The pupils.
    claims : dict of str to ndarray of object, shape (forms,)
        See `identity_claims`.
    places : ndarray of int64, shape (forms,)
        The place on the roster of the pupil that a form names; −1 for none.

    Returns
    -------
    differing : dict of int to list of str
        By form, what is not as on the roster.
    claimed : set of Claim
        What those forms say: whom they may be by, `Candidates` finds out.
    """
    differs = {
        name: _differs(name, said, roster, places) & (places >= 0) for name, said in claims.items()
    }
    differing: dict[int, list[str]] = {}
    claimed: set[Claim] = set()
    every = np.logical_or.reduce([np.zeros(len(places), dtype=bool), *differs.values()])
    for form in np.flatnonzero(every).tolist():
        differing[form] = [name for name, where in differs.items() if where[form]]
        said = {name: _said(values[form]) for name, values in claims.items()}
        claimed.add(Claim(said.get("birth_date"), said.get("sex"), said.get("class")))
    return differing, claimed


def _differs(
    name: str, said: NDArray[Any], roster: Roster, places: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return where both are given and not equal."""
    if not len(roster):
        return np.zeros(len(said), dtype=bool)
    known: NDArray[Any]
    if name == "birth_date":
        known = roster.birth_date[places]
        given = ~np.isnat(said) & ~np.isnat(known)
    elif name == "sex":
        known = roster.sex[places]
        given = (said >= 0) & (known >= 0)
    else:
        known = _classes(roster)[places]
        given = np.array([one is not None for one in said.tolist()]) & (known != "")
    return np.asarray(given & (said != known))


def _said(value: Any) -> Any:
    """Return what a form says, None where it says nothing."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else value
    if isinstance(value, np.integer):
        return None if value < 0 else int(value)
    return value


def _classes(roster: Roster) -> NDArray[np.object_]:
    column = roster.texts["class"]
    names, _ = cells.map_values(column.values, parse_class, "", "O")
    return np.asarray(names[column.index])


@dataclass
class Candidates:
    """The pupils whom forms may be by that are not by the pupil they name.

    Whoever has a form's birth date fits, even if sex or class is written otherwise. Where that
    finds nobody, those fit whose sex and class agree and whose birth date does not speak against
    it, if they are few: a whole class is no candidate. Who is few, only the whole roster tells: it
    is looked at first, whole or in parts, and then the pupils are marked.

    Attributes
    ----------
    claims : collection of Claim
        What the forms say.
    """

    claims: Collection[Claim]
    _days: set[np.datetime64] = field(default_factory=set)
    _fit: Counter[tuple[int, str, bool]] = field(default_factory=Counter)

    def look_at(self, roster: Roster) -> None:
        """Take in the roster, or a part of it."""
        if not self.claims:
            return
        self._days.update(self._claimed_days().intersection(np.unique(roster.birth_date)))
        who, place = _traits(roster)
        for one, number in zip(who, np.bincount(place, minlength=len(who)).tolist(), strict=True):
            self._fit[one] += number

    def join(self, other: Candidates) -> None:
        """Take in what was found on another part of the roster, for the same claims."""
        self._days |= other._days
        self._fit.update(other._fit)

    def mark(self, roster: Roster) -> NDArray[np.bool_]:
        """Return the pupils of a roster, or of a part of it, who may be meant."""
        if not self.claims:
            return np.zeros(len(roster), dtype=bool)
        marked = np.isin(roster.birth_date, np.array(sorted(self._days), dtype="M8[D]"))
        meant = self._meant_by_class()
        if meant:
            who, place = _traits(roster)
            marked |= np.array([one in meant for one in who], dtype=bool)[place]
        return np.asarray(marked)

    def _claimed_days(self) -> set[np.datetime64]:
        return {claim.birth_date for claim in self.claims if claim.birth_date is not None}

    def _meant_by_class(self) -> set[tuple[int, str, bool]]:
        """Return sex, class, and whether there is a birth date, of those whom these point to."""
        meant: set[tuple[int, str, bool]] = set()
        for claim in self.claims:
            if claim.birth_date in self._days or claim.sex is None or claim.class_ is None:
                continue
            fitting = [(claim.sex, claim.class_, False)]
            if claim.birth_date is None:
                fitting.append((claim.sex, claim.class_, True))
            if sum(self._fit[one] for one in fitting) <= MOST_CANDIDATES:
                meant.update(fitting)
        return meant


def _traits(roster: Roster) -> tuple[list[tuple[int, str, bool]], NDArray[np.int64]]:
    """Return sexes and classes, with whether the birth date is known, and which each pupil has."""
    names, _ = cells.map_values(roster.texts["class"].values, parse_class, "", "O")
    number = {name: place for place, name in enumerate(dict.fromkeys(names.tolist()))}
    of_values = np.array([number[name] for name in names.tolist()])
    sexes = len(Sex) + 1
    code = of_values[roster.texts["class"].index] * sexes + roster.sex + 1
    code = code * 2 + ~np.isnat(roster.birth_date)
    found, place = np.unique(code, return_inverse=True)
    classes = list(number)
    who = [
        (one // 2 % sexes - 1, classes[one // 2 // sexes], bool(one % 2)) for one in found.tolist()
    ]
    return who, place
