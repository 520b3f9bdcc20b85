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
    from collections.abc import Callable, Collection, Iterator

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

Claims = dict[str, "NDArray[np.object_]"]
"""What forms say of who filled them in: birth date, sex, class; None where they do not."""


def identity_claims(table: Table, log: ProblemLog) -> Claims:
    """Return what the forms say about who filled them in, where they say it legibly."""
    claims: Claims = {}
    for name, heading in _headings(table).items():
        values, bad = cells.map_column(table.columns[heading], _PARSERS[name], None, "O")
        claims[name] = values
        for row in np.flatnonzero(bad).tolist():
            log.add(
                "MH414",
                f"{name} cannot be read",
                file=table.name,
                row=table.row_number(row),
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


_PARSERS: dict[str, Callable[[object], object]] = {
    "birth_date": cells.parse_date,
    "sex": lambda cell: cells.parse_term(cell, Sex, m="male", f="female"),
    "class": parse_class,
}
"""What a form may say of who filled it in."""


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
    differing: dict[int, list[str]] = {}
    claimed: set[Claim] = set()
    if not claims:
        return differing, claimed
    known: dict[str, NDArray[Any]] = {"birth_date": roster.birth_date, "sex": roster.sex}
    known["class"] = _classes(roster)
    for form in np.flatnonzero(places >= 0).tolist():
        said = {name: values[form] for name, values in claims.items()}
        names = [name for name, value in said.items() if _differs(value, known[name][places[form]])]
        if names:
            differing[form] = names
            claimed.add(Claim(said.get("birth_date"), said.get("sex"), said.get("class")))
    return differing, claimed


def _differs(said: object, known: object) -> bool:
    """Return whether both are given and not equal."""
    unknown = known in ("", -1) or (isinstance(known, np.datetime64) and np.isnat(known))
    return not (said is None or unknown or said == known)


def _classes(roster: Roster) -> NDArray[np.object_]:
    return np.array([parse_class(name) or "" for name in roster.class_], dtype=object)


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
        wanted = {(claim.sex, claim.class_) for claim in self.claims}
        for who in _traits(roster):
            if who[:2] in wanted:
                self._fit[who] += 1

    def mark(self, roster: Roster) -> NDArray[np.bool_]:
        """Return the pupils of a roster, or of a part of it, who may be meant."""
        if not self.claims:
            return np.zeros(len(roster), dtype=bool)
        marked = np.isin(roster.birth_date, np.array(sorted(self._days), dtype="M8[D]"))
        meant = self._meant_by_class()
        if meant:
            marked |= np.array([who in meant for who in _traits(roster)], dtype=bool)
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


def _traits(roster: Roster) -> Iterator[tuple[int, str, bool]]:
    """Yield the sex and class of each pupil, and whether the birth date is known."""
    born = (~np.isnat(roster.birth_date)).tolist()
    return zip(roster.sex.tolist(), _classes(roster).tolist(), born, strict=True)
