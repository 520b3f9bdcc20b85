"""Cases: where each pupil's case stands, and what somebody has to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mhscreen.definitions.common import Text
    from mhscreen.problems import Problem
    from mhscreen.vocabulary import (
        Attendance,
        CaseStatus,
        Channel,
        Concern,
        ConsentState,
        EntryType,
        Flag,
        ProblemClass,
        Role,
        ScreenTier,
        Tier,
    )

__all__ = ["Action", "Case", "Cases", "Decision", "Known", "ReferralState"]


@dataclass(frozen=True)
class Action:
    """One thing that somebody has to do about a pupil.

    Attributes
    ----------
    id : str
        Its name: ``see_pupil``, or that of the programme's step.
    does : EntryType
        The type of entry that records it.
    by, to : Role
        Who does it; who is told, where somebody is.
    through : tuple of Channel
        Ways that count; empty: any.
    begins_at : datetime
        From when on the clock runs.
    due_at : datetime or None
        By when; None where it is held.
    done_by : str or None
        The entry that recorded it; None while it is open.
    held : bool
        Whether a named person must decide first (word to a guardian where abuse is suspected).
    title : Text or None
        What it is in words, where its type does not say it.
    because : str
        The entry that calls for it.
    """

    id: str
    does: EntryType
    by: Role
    begins_at: dt.datetime
    due_at: dt.datetime | None
    because: str
    to: Role | None = None
    through: tuple[Channel, ...] = ()
    done_by: str | None = None
    held: bool = False
    title: Text | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has done it yet."""
        return self.done_by is None

    def overdue(self, on: dt.datetime) -> bool:
        """Whether it is open after its time."""
        return self.open and self.due_at is not None and self.due_at < on


@dataclass(frozen=True)
class Decision:
    """A person's decision on the tier.

    Attributes
    ----------
    tier : Tier
        The tier that it set.
    entry_id, author, role, basis, reason : str
        The entry, and who decided on what and why.
    reviewer : str or None
        A second person who reviewed it.
    at : datetime
        When.
    """

    tier: Tier
    entry_id: str
    author: str
    role: str
    basis: str
    reason: str
    reviewer: str | None
    at: dt.datetime


@dataclass(frozen=True)
class Known:
    """A lifetime item or a recorded diagnosis that a person has confirmed."""

    name: str
    concern: Concern | None
    on: dt.date
    entry_id: str


@dataclass(frozen=True)
class ReferralState:
    """The latest word on a referral."""

    entry_id: str
    institution: str
    attended: bool | None
    outcome: str
    at: dt.datetime


@dataclass(frozen=True)
class Case:
    """Where one pupil stands.

    Attributes
    ----------
    pupil_ref : str
        The pupil.
    org : mapping
        City, district, school, stage, grade, class: of the owning school.
    screen_tier : ScreenTier or None
        What the machine's evidence shows that no person has decided on; where all of it is
        decided on, what the current screening shows. None where there was no screening.
    case_tier : Tier or None
        The tier that a named person has set; None while nobody has.
    status : CaseStatus
        Where the case stands; `no_case` where nothing asks for one.
    to_confirm : tuple of str
        Screening entries that ask for a person's decision.
    current : mapping of str to str
        The current screening entry, by cycle.
    decisions : tuple of Decision
        Oldest first.
    known : tuple of Known
        What a person has confirmed, and that does not fire anew by itself.
    actions : tuple of Action
        Open and done, by due time.
    referral : ReferralState or None
        The latest word on a referral.
    attendance : Attendance or None
        Where the pupil is.
    on_leave_since : datetime or None
        Since when the pupil is on leave.
    next_review_on : date or None
        When a plan or a follow-up is next.
    flags, problem_classes, concerns : tuple
        Of the current screening; concerns of its positive critical items.
    consent : tuple of ConsentState
        The pupil's and the guardian's.
    opened_at, closed_at : datetime or None
        When the case was opened, and closed.
    transfer_to : mapping or None
        The receiving school, while it has not acknowledged.
    entries : tuple of str
        All entries of the pupil, in the order of the fold.
    problems : tuple of Problem
        What was refused or is missing.
    """

    pupil_ref: str
    org: Mapping[str, Any]
    screen_tier: ScreenTier | None
    case_tier: Tier | None
    status: CaseStatus
    to_confirm: tuple[str, ...]
    current: Mapping[str, str]
    decisions: tuple[Decision, ...]
    known: tuple[Known, ...]
    actions: tuple[Action, ...]
    referral: ReferralState | None
    attendance: Attendance | None
    on_leave_since: dt.datetime | None
    next_review_on: dt.date | None
    flags: tuple[Flag, ...]
    problem_classes: tuple[ProblemClass, ...]
    concerns: tuple[Concern, ...]
    consent: tuple[ConsentState, ConsentState]
    opened_at: dt.datetime | None
    closed_at: dt.datetime | None
    transfer_to: Mapping[str, Any] | None
    entries: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def open_actions(self) -> tuple[Action, ...]:
        """What nobody has done yet."""
        return tuple(action for action in self.actions if action.open)

    def overdue(self, on: dt.datetime) -> tuple[Action, ...]:
        """Return what is open after its time."""
        return tuple(action for action in self.actions if action.overdue(on))


@dataclass(frozen=True, repr=False)
class Cases:
    """The case of every pupil that the ledger knows, by reference.

    Iterating gives the cases in the order of their references.

    Attributes
    ----------
    by_pupil : mapping of str to Case
        In the order of the references.
    zone : str
        The time zone of the programme; in it a date means its midnight.
    """

    by_pupil: Mapping[str, Case]
    zone: str = "UTC"

    def __repr__(self) -> str:
        return f"<Cases: {len(self)} pupils>"

    def __len__(self) -> int:
        """Return the number of pupils."""
        return len(self.by_pupil)

    def __iter__(self) -> Iterator[Case]:
        """Iterate over the cases."""
        return iter(self.by_pupil.values())

    def __getitem__(self, pupil: str) -> Case:
        """Return the case of a pupil."""
        return self.by_pupil[pupil]

    @property
    def problems(self) -> list[Problem]:
        """What was refused or is missing, over all pupils."""
        return [problem for case in self for problem in case.problems]
