"""Identity: forms that say they are by somebody else than the pupil they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.steps import cells
from mhscreen.steps.roster import ROSTER_COLUMNS, find_columns
from mhscreen.vocabulary import Sex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.steps.roster import Roster
    from mhscreen.steps.tables import Table

__all__ = ["Claims", "compare_identity", "identity_claims"]

Claims = dict[str, "NDArray[np.object_]"]
"""What forms say of who filled them in: birth date, sex, class; None where they do not."""


def identity_claims(table: Table) -> Claims:
    """Return what the forms say about who filled them in, where they say it."""
    parsers = {
        "birth_date": cells.parse_date,
        "sex": lambda cell: cells.parse_term(cell, Sex, m="male", f="female"),
        "class": cells.parse_text,
    }
    headings = find_columns(table, {name: ROSTER_COLUMNS[name] for name in parsers})
    return {
        name: cells.map_column(table.columns[heading], parsers[name], None, "O")[0]
        for name, heading in headings.items()
    }


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
        The pupils whom such a form names, and those who fit what it says.
    """
    on_roster = {"birth_date": roster.birth_date, "sex": roster.sex, "class": roster.class_}
    differing: dict[int, list[str]] = {}
    doubt = np.zeros(len(roster), dtype=bool)
    for form in np.flatnonzero(places >= 0).tolist() if claims else ():
        said = {name: values[form] for name, values in claims.items()}
        names = [
            name for name, value in said.items() if _differs(value, on_roster[name][places[form]])
        ]
        if names:
            differing[form] = names
            doubt[places[form]] = True
            doubt |= _who_fits(roster, said)
    return differing, doubt


def _differs(said: object, known: object) -> bool:
    """Return whether both are given and not equal."""
    unknown = known in ("", -1) or (isinstance(known, np.datetime64) and np.isnat(known))
    return not (said is None or unknown or said == known)


def _who_fits(roster: Roster, said: Mapping[str, object]) -> NDArray[np.bool_]:
    """Return the pupils with the birth date (and sex and class, where given) on a form."""
    if said.get("birth_date") is None:
        return np.zeros(len(roster), dtype=bool)
    fits = roster.birth_date == said["birth_date"]
    if said.get("sex") is not None:
        fits &= roster.sex == said["sex"]
    if said.get("class") is not None:
        fits &= roster.class_ == said["class"]
    return np.asarray(fits)
