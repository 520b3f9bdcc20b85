"""Two policies on the same pupils: who changes tier, and which rules began or ceased to hold.

With answers both policies are run in full. An archive holds no answers, only scores with their
bounds: a rule that reads items, or a norm, is then taken from the archive if both policies have it
word for word, and refused by name otherwise. Nothing is guessed: the first policy is worked out
from the archive, too, and a pupil for whom that does not give what the archive says, or who handed
in two forms for one slot, is counted apart. An on-event form handed in without a single answer
looks in an archive like one that is not there: what it leaves possible shows with answers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions.checks.policy import norms_read
from mhscreen.kernels.logic import FAILS, HOLDS, UNDECIDED, at_or_past
from mhscreen.loading.library import make_library
from mhscreen.plan.plan import compile_plan
from mhscreen.problems import UsageError
from mhscreen.steps.cells import map_column, parse_grade, parse_number, parse_term, parse_text
from mhscreen.steps.triage import evaluate
from mhscreen.vocabulary import Requirement, ScreenTier, Stage, Tier

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from mhscreen.loading import Library
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.triage import LeafPlan
    from mhscreen.steps.tables import Table
    from mhscreen.steps.triage import Triage

__all__ = ["PolicyDiff", "diff_archive", "diff_triages", "plan_with", "programme_of"]

REQUIRED = Requirement.REQUIRED.position
NOT_USED = Requirement.NOT_USED.position


@dataclass(frozen=True, eq=False, repr=False)
class PolicyDiff:
    """Two policies on the same pupils.

    Attributes
    ----------
    a, b : str
        The policies.
    subjects : ndarray of object, shape (pupils,)
        In roster order.
    established, possible : pair of ndarray of int8, shape (pupils,)
        Positions in `Tier`, under A and under B.
    screen : pair of ndarray of int8, or None
        Positions in `ScreenTier`; None from an archive, which does not hold all that what is shown
        depends on.
    holds : pair of dict of str to ndarray of bool
        By rule, where it holds.
    compared : ndarray of bool, shape (pupils,)
        Where both could be worked out.
    """

    a: str
    b: str
    subjects: NDArray[np.object_]
    established: tuple[NDArray[np.int8], NDArray[np.int8]]
    possible: tuple[NDArray[np.int8], NDArray[np.int8]]
    screen: tuple[NDArray[np.int8], NDArray[np.int8]] | None
    holds: tuple[dict[str, NDArray[np.bool_]], dict[str, NDArray[np.bool_]]]
    compared: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"<PolicyDiff: {self.a}, {self.b}, {int(self.moved.sum())} pupils move>"

    @property
    def moved(self) -> NDArray[np.bool_]:
        """The pupils whose established, possible or shown tier is another."""
        pairs = [self.established, self.possible, *([] if self.screen is None else [self.screen])]
        differs = np.logical_or.reduce([one != other for one, other in pairs])
        return np.asarray(differs & self.compared)

    def table(self) -> dict[str, list[Any]]:
        """Return how many pupils have each tier under A (rows) and under B (columns).

        The established tier; pupils who could not be compared are left out.
        """
        columns: dict[str, list[Any]] = {"tier_a": [str(tier) for tier in Tier]}
        for there in Tier:
            columns[str(there)] = [
                int(
                    (
                        (self.established[0] == here.position)
                        & (self.established[1] == there.position)
                        & self.compared
                    ).sum()
                )
                for here in Tier
            ]
        return columns

    def moves(self) -> dict[str, list[Any]]:
        """Return the pupils who move, one row each, as columns, with the rules that changed.

        Rules are joined by semicolons; no answer and no score is among them.
        """
        rows = np.flatnonzero(self.moved).tolist()
        columns: dict[str, list[Any]] = {"subject": [self.subjects[row] for row in rows]}
        for name, pair in (("established", self.established), ("possible", self.possible)):
            for policy, tiers in zip("ab", pair, strict=True):
                columns[f"{name}_{policy}"] = [str(Tier.at(int(tiers[row]))) for row in rows]
        if self.screen is not None:
            for policy, tiers in zip("ab", self.screen, strict=True):
                columns[f"screen_{policy}"] = [str(ScreenTier.at(int(tiers[row]))) for row in rows]
        columns["began"] = [self._changed(row, 1, 0) for row in rows]
        columns["ceased"] = [self._changed(row, 0, 1) for row in rows]
        return columns

    def not_compared(self) -> list[str]:
        """Return the pupils who could not be compared."""
        return [str(subject) for subject in self.subjects[~self.compared]]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as a document for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "pupils": len(self.subjects),
            "moved": int(self.moved.sum()),
            "table": self.table(),
            "moves": self.moves(),
            "not_compared": self.not_compared(),
        }

    def _changed(self, pupil: int, there: int, not_there: int) -> str:
        other = self.holds[not_there]
        return ";".join(
            rule
            for rule, where in self.holds[there].items()
            if where[pupil] and not (rule in other and other[rule][pupil])
        )


def programme_of(library: Library, policy: str) -> str:
    """Return the one programme of a library that uses a policy.

    Raises
    ------
    UsageError
        If there is none, or more than one.
    """
    ref = library.policy(policy).ref
    found = [
        one.ref
        for one in library.of_kind("programme")
        if library.policy(library.programme(one.ref).definition.policy).ref == ref
    ]
    if len(found) != 1:
        there = ", ".join(found) or "none"
        msg = f"which programme? Those that use {ref}: {there}"
        raise UsageError(msg)
    return found[0]


def plan_with(library: Library, programme: str, policy: str) -> Plan:
    """Compile a programme under another policy, with the norms that its rules read.

    Parameters
    ----------
    library : Library
        Where everything is found.
    programme : str
        Who is screened with what.
    policy : str
        The policy in place of the programme's own.
    """
    loaded = library.programme(programme)
    wanted = library.policy(policy)
    norms = dict.fromkeys(
        [*loaded.definition.norms, *(n for _, n in norms_read(wanted.definition))]
    )
    changed = loaded.definition.model_copy(update={"policy": wanted.ref, "norms": tuple(norms)})
    others = (one for one in library if one is not loaded)
    return compile_plan(make_library([*others, loaded.with_definition(changed)]), loaded.ref)


def diff_triages(a: Triage, b: Triage) -> PolicyDiff:
    """Compare two policies that were run on the same answers.

    Raises
    ------
    UsageError
        If the pupils are not the same.
    """
    if not np.array_equal(a.subjects, b.subjects):
        msg = "the two runs are not about the same pupils"
        raise UsageError(msg)
    holds = [
        {
            rule.id: np.asarray(truth == HOLDS)
            for rule, truth in zip(one.plan.triage.rules, one.truth, strict=True)
        }
        for one in (a, b)
    ]
    return PolicyDiff(
        a.plan.policy.ref,
        b.plan.policy.ref,
        a.subjects,
        (a.established, b.established),
        (a.possible, b.possible),
        (a.screen, b.screen),
        (holds[0], holds[1]),
        np.ones(len(a.subjects), dtype=bool),
    )


# -- from an archive ------------------------------------------------------------------------------


def diff_archive(a: Plan, b: Plan, archive: Table) -> PolicyDiff:
    """Compare two policies on an archive of scores.

    Parameters
    ----------
    a : Plan
        The programme under the policy that the archive was made with.
    b : Plan
        The same programme under another policy.
    archive : Table
        The columns of ``archive.parquet``.

    Returns
    -------
    PolicyDiff
        Without `screen`.

    Raises
    ------
    UsageError
        If a rule reads what the archive does not hold (each such comparison is named), a column
        is missing, or the archive was made with another policy than A.
    """
    read = _Archive(a, archive)
    unchanged = _unchanged(a, b)
    refused = [
        f"{rule.id} reads {b.triage.leaves[n].name}"
        for rule in b.triage.rules
        if rule.id not in unchanged
        for n in rule.leaves
        if b.triage.leaves[n].kind not in ("scale", "validity")
    ]
    if refused:
        msg = (
            "an archive holds scores, no answers and no ages, and these rules are not those of "
            f"{a.policy.ref}: {'; '.join(dict.fromkeys(refused))}. Give the roster and the answers"
        )
        raise UsageError(msg)
    first = [read.said[rule.id] for rule in a.triage.rules]
    second = [
        read.said[rule.id] if rule.id in unchanged else truth
        for rule, truth in zip(b.triage.rules, read.by_scores(b), strict=True)
    ]
    established, possible = (
        (_highest(a, first, least), _highest(b, second, least)) for least in (HOLDS, UNDECIDED)
    )
    return PolicyDiff(
        a.policy.ref,
        b.policy.ref,
        read.subjects,
        established,
        possible,
        None,
        (_holding(a, first), _holding(b, second)),
        read.borne_out(a),
    )


def _unchanged(a: Plan, b: Plan) -> set[str]:
    """Return the rules of B that A has, word for word in what they read."""
    conditions = {rule.id: rule.when for rule in a.policy.rules}
    return {rule.id for rule in b.policy.rules if conditions.get(rule.id) == rule.when}


def _highest(plan: Plan, truth: Sequence[NDArray[np.int8]], least: int) -> NDArray[np.int8]:
    tiers = np.array([[rule.tier] for rule in plan.triage.rules], dtype=np.int8)
    return np.asarray(np.where(np.stack(truth) >= least, tiers, 0).max(axis=0), dtype=np.int8)


def _holding(plan: Plan, truth: Sequence[NDArray[np.int8]]) -> dict[str, NDArray[np.bool_]]:
    return {
        rule.id: np.asarray(one == HOLDS)
        for rule, one in zip(plan.triage.rules, truth, strict=True)
    }


class _Archive:
    """The columns of an archive, as far as policies read them.

    Attributes
    ----------
    said : dict of str to ndarray of int8, shape (pupils,)
        By rule of the policy that it was made with, the truth that it states.
    """

    def __init__(self, plan: Plan, table: Table) -> None:
        self.table = table
        self.subjects = self._column("subject", parse_text, None, "O")
        stages = [str(stage) for stage in Stage]
        stage = self._column("stage", lambda cell: parse_term(cell, Stage), -1, "i1")
        grade = self._column("grade", parse_grade, -1, "i1")
        self.group = np.array(
            [
                plan.group(stages[s] if s >= 0 else "", None if g < 0 else g)
                for s, g in zip(stage.tolist(), grade.tolist(), strict=True)
            ],
            dtype=np.int64,
        )
        self.flags = self._sets("flags")
        holding, still_open = self._sets("rules"), self._sets("undecided_rules")
        known = {rule.id for rule in plan.triage.rules}
        other = {name for names in (*holding, *still_open) for name in names} - known
        if other:
            msg = f"the archive was not made with {plan.policy.ref}: it has no {min(other)}"
            raise UsageError(msg)
        self.said = {
            rule: np.array(
                [
                    HOLDS if rule in yes else UNDECIDED if rule in maybe else FAILS
                    for yes, maybe in zip(holding, still_open, strict=True)
                ],
                dtype=np.int8,
            )
            for rule in known
        }

    def _column(
        self, name: str, parse: Callable[[object], object], default: object, dtype: str
    ) -> NDArray[Any]:
        if name not in self.table.columns:
            msg = f"the archive has no column {name}"
            raise UsageError(msg)
        values, bad = map_column(self.table.columns[name], parse, default, dtype)
        if bad.any():
            row = self.table.row_number(int(bad.argmax()))
            msg = f"column {name} of the archive cannot be read in row {row}"
            raise UsageError(msg)
        found: NDArray[Any] = values
        return found

    def _sets(self, name: str) -> list[set[str]]:
        texts = self._column(name, parse_text, "", "O")
        return [{part for part in str(text or "").split(";") if part} for text in texts]

    def by_scores(self, plan: Plan) -> list[NDArray[np.int8]]:
        """Return the truth of every rule; it is that of the scores alone."""
        leaves = np.zeros((len(plan.triage.leaves), len(self.subjects)), dtype=np.int8)
        for number, leaf in enumerate(plan.triage.leaves):
            if leaf.kind in ("scale", "validity"):
                leaves[number] = self.leaf(plan, leaf)
        return [evaluate(rule.node, leaves) for rule in plan.triage.rules]

    def leaf(self, plan: Plan, leaf: LeafPlan) -> NDArray[np.int8]:
        """Return the truth of a comparison with a raw score."""
        form = plan.forms[leaf.slot]
        place = leaf.place if leaf.kind == "scale" else form.validity[leaf.place].scale
        scale = form.scales[place]
        name = f"{form.prefix}__{scale.id}"
        score, low, high = (
            self._column(f"{name}{part}", parse_number, np.nan, "f8")
            for part in ("", "__low", "__high")
        )
        bottom = np.where(np.isnan(low), scale.range[0], low)
        top = np.where(np.isnan(high), scale.range[1], high)
        if leaf.kind == "validity" or scale.upwards:
            truth = at_or_past(np.fmax(score, bottom), top, leaf.cut, upwards=True)
        else:
            truth = at_or_past(np.fmin(score, top), bottom, leaf.cut, upwards=False)
        there = np.zeros(len(self.subjects), dtype=bool)
        for one in form.scales:
            column = f"{form.prefix}__{one.id}__answered"
            there |= self._column(column, parse_number, 0.0, "f8") > 0
        use = plan.uses[self.group, leaf.slot]
        missed = use != NOT_USED if leaf.absent else use == REQUIRED
        truth[~there] = np.where(missed, UNDECIDED, FAILS)[~there]
        truth[use == NOT_USED] = FAILS
        return truth

    def borne_out(self, plan: Plan) -> NDArray[np.bool_]:
        """Return the pupils for whom the rules on scores come out as the archive says."""
        agrees = np.array([not names & _NOT_WHOLE for names in self.flags])
        for rule, truth in zip(plan.triage.rules, self.by_scores(plan), strict=True):
            kinds = {plan.triage.leaves[n].kind for n in rule.leaves}
            if kinds <= {"scale", "validity"}:
                agrees &= self.said[rule.id] == truth
        return agrees


_NOT_WHOLE = {"duplicate", "error", "identity"}
"""Flags of pupils of whom an archive does not show every form."""
