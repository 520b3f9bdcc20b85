"""What a screening program says of pupils with filled-in forms; ours and any other's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.scorer import Column
from mhscreen.plan.plan import compile_plan
from mhscreen.problems import UsageError
from mhscreen.steps.bind import Forms, ResponseBatch, bind
from mhscreen.steps.norm import NormedScores, norm
from mhscreen.steps.score import score
from mhscreen.steps.tables import Table, encode
from mhscreen.steps.triage import Triage, triage
from mhscreen.vocabulary import Fault, Flag, ScreenTier, Sex, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.conformance.scorer import Columns
    from mhscreen.definitions import Policy
    from mhscreen.loading import Library
    from mhscreen.plan.plan import Plan

__all__ = [
    "FLAGS",
    "Person",
    "PolicyChange",
    "PolicyDeparture",
    "Pupils",
    "Screener",
    "find_screeners",
    "read_triage",
    "screen_pupils",
]

FLAGS = tuple(
    flag
    for flag in Flag
    if flag not in (Flag.DUPLICATE, Flag.NOT_NORMED, Flag.IDENTITY, Flag.ERROR)
)
"""Flags that rest on one form per slot and on the policy alone."""
TRUTHS = ("no", "open", "yes")
ANSWERS = ("no", "yes")
GENERAL = Tier.GENERAL.position


@dataclass(frozen=True)
class Person:
    """What the roster says of a pupil."""

    stage: Stage
    grade: int | None
    sex: Sex
    age: float


@dataclass(frozen=True, eq=False)
class Pupils:
    """Pupils with at most one form per slot.

    Attributes
    ----------
    people : tuple of Person
        As on the roster.
    codes : tuple of ndarray of uint8, shape (items, pupils)
        By slot of the plan, the response codes.
    filed : tuple of ndarray of bool, shape (pupils,)
        By slot, where there is a form.
    why : tuple of str
        What each is there for.
    """

    people: tuple[Person, ...]
    codes: tuple[NDArray[np.uint8], ...]
    filed: tuple[NDArray[np.bool_], ...]
    why: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.people)

    def take(self, places: Sequence[int]) -> Pupils:
        """Return some of them, in the order asked for."""
        rows = np.asarray(places, dtype=np.int64)
        return Pupils(
            tuple(self.people[row] for row in rows.tolist()),
            tuple(codes[:, rows] for codes in self.codes),
            tuple(filed[rows] for filed in self.filed),
            tuple(self.why[row] for row in rows.tolist()),
        )


@dataclass(frozen=True, eq=False)
class Screener:
    """A policy under the programme in which it is tried.

    Attributes
    ----------
    plan : Plan
        The programme, compiled without our own signs of careless answering.
    """

    plan: Plan

    @property
    def name(self) -> str:
        """Return the name of the folder: ``three-tier-cn-1.0.0``."""
        return f"{self.plan.policy.id}-{self.plan.policy.version}"

    @property
    def ref(self) -> str:
        """Return the policy, ``three-tier-cn@1.0.0``."""
        return self.plan.policy.ref

    def batch(self, pupils: Pupils) -> ResponseBatch:
        """Return pupils as they come out of binding."""
        number = len(pupils)
        roster = {
            "subject": encode([str(place) for place in range(number)]),
            "school": encode(["school"] * number),
            "stage": encode([str(one.stage) for one in pupils.people]),
            "grade": encode([one.grade for one in pupils.people]),
            "sex": encode([str(one.sex) for one in pupils.people]),
            "age": encode([one.age for one in pupils.people]),
        }
        empty = bind(self.plan, Table("pupils", roster, number), [], on_problem="report")
        forms = []
        for codes, filed in zip(pupils.codes, pupils.filed, strict=True):
            who = np.flatnonzero(filed)
            forms.append(
                Forms(
                    who,
                    np.ascontiguousarray(codes[:, who]),
                    np.full(len(who), np.datetime64("NaT"), dtype="M8[s]"),
                    ("pupils",),
                    np.zeros(len(who), dtype=np.int64),
                    who + 1,
                    np.full(len(who), np.nan),
                )
            )
        return replace(empty, forms=tuple(forms))

    def normed(self, pupils: Pupils) -> NormedScores:
        """Return the scores of pupils."""
        return norm(self.plan, score(self.plan, self.batch(pupils)))


def find_screeners(library: Library, policies: Sequence[str] = ()) -> tuple[Screener, ...]:
    """Return policies, each under the first programme that uses it.

    Raises
    ------
    UsageError
        If a policy that is asked for is used by no programme.
    """
    wanted = [library.policy(ref).ref for ref in policies]
    found: dict[str, Screener] = {}
    for loaded in library.of_kind("programme"):
        if loaded.withdrawn is not None:
            continue
        plan = compile_plan(library, loaded.ref)
        if plan.policy.ref in found or (wanted and plan.policy.ref not in wanted):
            continue
        forms = tuple(replace(form, quality=None) for form in plan.forms)
        found[plan.policy.ref] = Screener(replace(plan, forms=forms))
    absent = [ref for ref in wanted if ref not in found]
    if absent:
        msg = f"no programme uses {', '.join(absent)}"
        raise UsageError(msg)
    return tuple(found[ref] for ref in sorted(found))


@dataclass(frozen=True, eq=False)
class PolicyChange:
    """In what a program departs from a policy; nothing by default.

    Attributes
    ----------
    plan : Plan or None
        What it follows instead.
    read : callable or None
        Gives the pupils it takes them for.
    scored : Plan or None
        What it scores by instead; rules stay those of the policy.
    say : callable or None
        Changes what is said: from the triage and the columns.
    """

    plan: Plan | None = None
    read: Callable[[Screener, Pupils, NormedScores], Pupils] | None = None
    scored: Plan | None = None
    say: Callable[[Triage, Columns], Columns] | None = None


@dataclass(frozen=True, eq=False)
class PolicyDeparture:
    """One way to screen otherwise than a policy says.

    Attributes
    ----------
    name : str
        What is done, such as ``R7-anxiety: left out``.
    fault : Fault
        The kind of fault.
    change : PolicyChange
        How to screen so.
    rule : str
        The only rule that is changed; empty where it is none.
    policy : Policy or None
        The policy that is followed instead, to prove it alike.
    source : str
        Where it was seen; so far none is known by name.
    """

    name: str
    fault: Fault
    change: PolicyChange
    rule: str = ""
    policy: Policy | None = None
    source: str = ""


def screen_pupils(
    screener: Screener,
    pupils: Pupils,
    change: PolicyChange | None = None,
    normed: NormedScores | None = None,
) -> Columns:
    """Screen pupils, by the policy or with one thing changed.

    Parameters
    ----------
    normed : NormedScores, optional
        The scores of the pupils, where they are at hand.

    Returns
    -------
    dict of str to Column
        ``established``, ``possible``, ``screen``, ``rule.…``, ``flag.…`` and ``due.…``.
    """
    change = change or PolicyChange()
    normed = normed or screener.normed(pupils)
    if change.read is not None:
        normed = screener.normed(change.read(screener, pupils, normed))
    if change.scored is not None:
        normed = Screener(change.scored).normed(pupils)
    found = triage(change.plan or screener.plan, normed)
    columns = read_triage(screener, found)
    return columns if change.say is None else change.say(found, columns)


def read_triage(screener: Screener, found: Triage) -> Columns:
    """Return the columns of a triage; rules that it does not know do not hold."""
    tiers = tuple(str(tier) for tier in Tier)
    columns = {
        "established": Column(found.established.astype(np.float64), tiers),
        "possible": Column(found.possible.astype(np.float64), tiers),
        "screen": Column(found.screen.astype(np.float64), tuple(map(str, ScreenTier))),
    }
    truth = {rule.id: row for rule, row in zip(found.plan.triage.rules, found.truth, strict=True)}
    nothing = np.zeros(len(found.established))
    for rule in screener.plan.policy.rules:
        row = truth.get(rule.id, nothing).astype(np.float64)
        columns[f"rule.{rule.id}"] = Column(row, TRUTHS)
    for flag in FLAGS:
        columns[f"flag.{flag}"] = Column(found.flags[flag].astype(np.float64), ANSWERS)
    undetermined = found.screen == ScreenTier.UNDETERMINED.position
    for name, where in (
        ("critical_unanswered", found.critical_open & found.recorded),
        ("invalid", found.flags[Flag.INVALID]),
        ("possible", undetermined & (found.possible >= GENERAL)),
        ("not_screened", found.screen == ScreenTier.NOT_SCREENED.position),
    ):
        columns[f"due.{name}"] = Column(where.astype(np.float64), ANSWERS)
    return columns
