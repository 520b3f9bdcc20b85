"""Affected: the pupils whose current entries rest on a definition.

When a definition turns out to be wrong, these pupils are screened again, and nobody else has to
be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mhscreen.problems import UsageError
from mhscreen.vocabulary import EntryType, ScreenTier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["AffectedPupil", "affected_pupils"]

_REF = re.compile(r"^[a-z][a-z0-9/-]*(@\d+(\.\d+){0,2})?$")


@dataclass(frozen=True)
class AffectedPupil:
    """A pupil whose current screening entry of a cycle rests on the definition.

    Attributes
    ----------
    pupil_ref, school, cycle_id, entry_id : str
        Whose entry, and which.
    screen_tier : ScreenTier
        What it shows.
    rests_on : str
        The exact definition.
    filed : bool
        Of a questionnaire: whether the pupil has handed it in. Where it is required and absent
        the entry says so, and a rule may be undecided.
    """

    pupil_ref: str
    school: str
    cycle_id: str
    entry_id: str
    screen_tier: ScreenTier
    rests_on: str
    filed: bool


def affected_pupils(ref: str, entries: Iterable[Mapping[str, Any]]) -> list[AffectedPupil]:
    """Return the pupils whose current screening entries rest on a definition.

    Parameters
    ----------
    ref : str
        An instrument, a norm table, a policy or a programme: ``phq9@1.0.0``, or less exactly
        ``phq9@1`` or ``phq9``.
    entries : iterable of mapping
        The entries of a ledger, in its order. The last screening entry of a pupil in a cycle is
        the current one.

    Returns
    -------
    list of AffectedPupil
        By pupil and cycle.

    Raises
    ------
    UsageError
        If `ref` is no reference.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> entries = list(mh.screen(plan, roster=roster, responses=answers, at="2026-10-15").entries)
    >>> len(affected_pupils("three-tier-cn@1.0.0", entries))
    40
    >>> {one.filed for one in affected_pupils("dsrsc@1", entries)}
    {True}
    """
    if not _REF.match(ref):
        msg = f"{ref!r} names no definition; write an id and a version, like phq9@1.0.0"
        raise UsageError(msg)
    current: dict[tuple[str, str], AffectedPupil | None] = {}
    for entry in entries:
        if entry["entry_type"] == EntryType.SCREENING:
            current[entry["pupil_ref"], entry["cycle_id"]] = _affected(entry, ref)
    return [found for _, found in sorted(current.items()) if found is not None]


def _affected(entry: Mapping[str, Any], ref: str) -> AffectedPupil | None:
    basis = entry["provenance"]
    filed = dict.fromkeys([entry["programme"], basis["policy"], *basis["norms"]], True)
    for form in entry["instruments"]:
        name = form["instrument"]
        filed[name] = filed.get(name, False) or form["filed"]
    for name, is_filed in filed.items():
        if _fits(name, ref):
            return AffectedPupil(
                entry["pupil_ref"],
                entry["org"]["school"],
                entry["cycle_id"],
                entry["entry_id"],
                ScreenTier(entry["screen_tier"]),
                name,
                is_filed,
            )
    return None


def _fits(exact: str, ref: str) -> bool:
    """Whether an exact reference is meant by one that may be less exact."""
    name, _, version = exact.partition("@")
    wanted, _, beginning = ref.partition("@")
    return name == wanted and (not beginning or f"{version}.".startswith(f"{beginning}."))
