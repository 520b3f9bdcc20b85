"""Identity: forms that say they are by somebody else than the pupil they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.steps import cells
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from mhscreen.problems import ProblemLog
    from mhscreen.steps.roster import Roster
    from mhscreen.steps.tables import Table

__all__ = ["Claims", "compare_identity", "identity_claims", "parse_class"]

MOST_CANDIDATES = 5
"""More pupils than this who fit sex and class alone point to nobody."""

Claims = dict[str, "NDArray[np.object_]"]
"""What forms say of who filled them in: birth date, sex, class; None where they do not."""


def identity_claims(table: Table, log: ProblemLog) -> Claims:
    """Return what the forms say about who filled them in, where they say it legibly."""
    parsers: dict[str, Callable[[object], object]] = {
        "birth_date": cells.parse_date,
        "sex": lambda cell: cells.parse_term(cell, Sex, m="male", f="female"),
        "class": parse_class,
    }
    headings = find_columns(table, {name: ROSTER_COLUMNS[name] for name in parsers})
    claims: Claims = {}
    for name, heading in headings.items():
        values, bad = cells.map_column(table.columns[heading], parsers[name], None, "O")
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


def parse_class(cell: object) -> str | None:
    """Return the name of a class as it is compared: ``8-1 班`` and ``8-1`` are one.

    Examples
    --------
    >>> parse_class("３班"), parse_class("3")
    ('3', '3')
    """
    text = cells.parse_text(cell)
    return None if text is None else text.casefold().removesuffix("班").strip()


def compare_identity(
    roster: Roster, claims: Claims, places: NDArray[np.int64]
) -> tuple[dict[int, list[str]], NDArray[np.bool_]]:
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
    doubt : ndarray of bool, shape (pupils,)
        The pupils whom such a form names, and those who may be meant.
    """
    differing: dict[int, list[str]] = {}
    doubt = np.zeros(len(roster), dtype=bool)
    if not claims:
        return differing, doubt
    known: dict[str, NDArray[Any]] = {"birth_date": roster.birth_date, "sex": roster.sex}
    known["class"] = np.array([parse_class(name) or "" for name in roster.class_], dtype=object)
    for form in np.flatnonzero(places >= 0).tolist():
        said = {name: values[form] for name, values in claims.items()}
        names = [name for name, value in said.items() if _differs(value, known[name][places[form]])]
        if names:
            differing[form] = names
            doubt[places[form]] = True
            doubt |= _who_may_be_meant(known, said)
    return differing, doubt


def _differs(said: object, known: object) -> bool:
    """Return whether both are given and not equal."""
    unknown = known in ("", -1) or (isinstance(known, np.datetime64) and np.isnat(known))
    return not (said is None or unknown or said == known)


def _who_may_be_meant(
    known: Mapping[str, NDArray[Any]], said: Mapping[str, object]
) -> NDArray[np.bool_]:
    """Return the pupils who fit what a form says.

    Whoever has its birth date fits, even if sex or class is written otherwise. Where that finds
    nobody, those fit whose sex and class agree and whose birth date does not speak against it, if
    they are few: a whole class is no candidate.
    """
    nobody = np.zeros(len(known["sex"]), dtype=bool)
    born = said.get("birth_date")
    if born is not None and (known["birth_date"] == born).any():
        return np.asarray(known["birth_date"] == born)
    if said.get("sex") is None or said.get("class") is None:
        return nobody
    fits = (known["sex"] == said["sex"]) & (known["class"] == said["class"])
    if born is not None:
        fits &= np.isnat(known["birth_date"])
    return np.asarray(fits) if fits.sum() <= MOST_CANDIDATES else nobody
