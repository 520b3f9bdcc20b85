"""The whole plan of a programme: what every step reads, and nothing they change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from mhscreen.definitions.policy import ItemLeaf
from mhscreen.plan.claims import leaves, unverified_claims
from mhscreen.plan.norming import NormPlan, compile_norms
from mhscreen.plan.scoring import FormPlan, compile_form
from mhscreen.plan.triage import TriagePlan, compile_triage
from mhscreen.problems import DefinitionError, Problem, UsageError, expect
from mhscreen.vocabulary import Informant, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Definition, Instrument, NormTable, Policy, Programme

__all__ = ["DefinitionSource", "Plan", "check_plan", "compile_plan", "withdrawn_problems"]

D_co = TypeVar("D_co", covariant=True)


class Versioned(Protocol[D_co]):
    """A definition with its checksum."""

    @property
    def definition(self) -> D_co:
        """The definition."""

    @property
    def checksum(self) -> str:
        """``sha256:`` and the hexadecimal digest of its file."""


class DefinitionSource(Protocol):
    """What a plan is compiled from: usually a `mhscreen.loading.Library`."""

    def instrument(self, ref: str) -> Versioned[Instrument]:
        """Resolve an instrument."""

    def norm(self, ref: str) -> Versioned[NormTable]:
        """Resolve a norm table."""

    def policy(self, ref: str) -> Versioned[Policy]:
        """Resolve a policy."""

    def programme(self, ref: str) -> Versioned[Programme]:
        """Resolve a programme."""


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """A programme, compiled.

    Attributes
    ----------
    forms : tuple of FormPlan
        The slots, in the order in which the programme first names them.
    uses : ndarray of int8, shape (groups + 1, slots)
        Position of each slot's `Requirement` in each group. The last row is for pupils of no
        group: every slot on event.
    pins : dict of str to str
        ``phq9@1.0.0`` → ``sha256:…`` of every definition used; every entry cites their digest.
    """

    programme: Programme
    policy: Policy
    forms: tuple[FormPlan, ...]
    uses: NDArray[np.int8]
    norms: tuple[NormPlan, ...]
    triage: TriagePlan
    pins: Mapping[str, str]
    instruments: Mapping[str, Instrument]

    def __repr__(self) -> str:
        return f"<Plan: {self.programme.ref}, {len(self.forms)} slots>"

    def __getstate__(self) -> dict[str, Any]:
        # Tables that scales make when they are first used are made anew where the plan arrives.
        forms = (replace(form, scales=tuple(map(replace, form.scales))) for form in self.forms)
        return {**self.__dict__, "forms": tuple(forms)}

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the slots."""
        return tuple(form.slot for form in self.forms)

    @property
    def pins_digest(self) -> str:
        """One checksum over all pins."""
        text = json.dumps(dict(sorted(self.pins.items())), separators=(",", ":"))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def slot(self, name: str) -> int:
        """Return the place of a slot, or −1."""
        return next((place for place, form in enumerate(self.forms) if form.slot == name), -1)

    def group(self, stage: str, grade: int | None) -> int:
        """Return the place of the group of a stage and grade, or −1."""
        for place, group in enumerate(self.programme.groups):
            if stage in group.stages and (
                group.grades is None
                or (grade is not None and group.grades[0] <= grade <= group.grades[1])
            ):
                return place
        return -1


def compile_plan(library: DefinitionSource, programme: str) -> Plan:
    """Compile a programme with everything it names.

    Parameters
    ----------
    library : Library
        Where definitions are found.
    programme : str
        ``qingdao-2023``, or with a version ``qingdao-2023@1``.

    Raises
    ------
    DefinitionError
        If something is missing, withdrawn, in conflict, made for another scoring key, or rests
        on an unverified claim that the programme does not accept by name. All of it at once.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> plan
    <Plan: qingdao-2023@1.0.0, 11 slots>
    >>> plan.pins["phq9@1.0.0"][:7]
    'sha256:'
    """
    loaded = library.programme(programme)
    source = loaded.definition
    policy = library.policy(source.policy)
    instruments = [library.instrument(ref) for ref in source.instruments]
    norms = [library.norm(ref) for ref in source.norms]
    by_id = {item.definition.id: item.definition for item in instruments}
    definitions: list[Definition] = [
        source,
        policy.definition,
        *(instrument.definition for instrument in instruments),
        *(norm.definition for norm in norms),
    ]
    problems = [problem.at(path=source.ref) for problem in withdrawn_problems(*definitions)]
    problems += _conflicts(source, policy.definition)
    slots = list(dict.fromkeys(use.slot for group in source.groups for use in group.slots))
    read_items = [
        leaf
        for rule in policy.definition.rules
        for leaf in leaves(rule.when)
        if isinstance(leaf, ItemLeaf)
    ]
    forms = []
    for name in slots:
        form, problem = _compile_slot(name, by_id, read_items, source.ref)
        if problem is not None:
            problems.append(problem)
        elif form is not None:
            forms.append(form)
    problems += [
        Problem(
            "MH303",
            f"{claim} is marked unverified",
            "a verified claim, or its name under accepts_unverified",
            "check it against its source, or accept it by name in the programme",
            path=source.ref,
        )
        for claim in unverified_claims(
            policy.definition, by_id, [n.definition for n in norms], forms
        )
        if claim not in source.accepts_unverified
    ]
    norm_plans: list[NormPlan] = []
    for table in (norm.definition for norm in norms):
        for place, form in enumerate(forms):
            if (form.instrument, form.informant) == (table.instrument_id, table.informant):
                try:
                    norm_plans += compile_norms(table, form, place)
                except DefinitionError as error:
                    problems += [problem.at(path=source.ref) for problem in error.problems]
    if problems:
        raise DefinitionError(problems)
    return Plan(
        programme=source,
        policy=policy.definition,
        forms=tuple(forms),
        uses=_uses(source, slots),
        norms=tuple(norm_plans),
        triage=compile_triage(policy.definition, by_id, forms, norm_plans),
        pins={
            loaded.definition.ref: loaded.checksum,
            policy.definition.ref: policy.checksum,
            **{one.definition.ref: one.checksum for one in instruments},
            **{one.definition.ref: one.checksum for one in norms},
        },
        instruments=by_id,
    )


def withdrawn_problems(*definitions: Definition) -> list[Problem]:
    """Return a problem for each definition that must not be used any more."""
    return [
        Problem("MH304", f"{one.ref} is withdrawn", hint=one.withdrawn)
        for one in definitions
        if one.withdrawn
    ]


def check_plan(plan: Plan, made_with: Plan) -> None:
    """Check that a step goes on with the plan that the step before it was made with.

    Two plans with the same pins are the same: a batch may come from another process.

    Raises
    ------
    UsageError
        If it does not.
    """
    expect("plan", plan, Plan)
    if plan is not made_with and plan.pins_digest != made_with.pins_digest:
        msg = (
            f"plan: {plan.programme.ref} is not the plan that this was made with, "
            f"{made_with.programme.ref}, or not with the same definitions"
        )
        raise UsageError(msg)


def _compile_slot(
    name: str, instruments: Mapping[str, Instrument], read_items: Sequence[ItemLeaf], where: str
) -> tuple[FormPlan | None, Problem | None]:
    key, _, informant = name.partition("@")
    instrument = instruments.get(key)
    if instrument is None:
        what = f"slot '{name}': the programme pins no such instrument"
        return None, Problem("MH301", what, path=where)
    allowed = [instrument.slot(one) for one in instrument.informants]
    if name not in allowed:
        what = f"slot '{name}' does not exist"
        return None, Problem("MH306", what, ", ".join(allowed), path=where)
    who = Informant(informant or instrument.informants[0])
    read = {
        leaf.item.removeprefix(f"{key}.")
        for leaf in read_items
        if leaf.item.startswith(f"{key}.") and leaf.informant in (None, who)
    }
    return compile_form(instrument, who, read), None


def _uses(programme: Programme, slots: Sequence[str]) -> NDArray[np.int8]:
    uses = np.full(
        (len(programme.groups) + 1, len(slots)), Requirement.NOT_USED.position, dtype=np.int8
    )
    for place, group in enumerate(programme.groups):
        for use in group.slots:
            uses[place, slots.index(use.slot)] = Requirement(use.use).position
    uses[-1] = Requirement.ON_EVENT.position
    return uses


def _conflicts(programme: Programme, policy: Policy) -> Iterator[Problem]:
    pinned = {ref.partition("@")[0]: ref for ref in programme.instruments}
    for ref in policy.instruments:
        other = pinned.get(ref.partition("@")[0], ref)
        if other != ref:
            yield Problem(
                "MH302",
                f"the policy reads {ref}, the programme pins {other}",
                "one version of each instrument",
                path=programme.ref,
            )
