"""Explain a case: where it stands, who decided what, what is open and by when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mhscreen.explain.words import phrase
from mhscreen.ledger.words import CASE_TIERS
from mhscreen.problems import UsageError
from mhscreen.vocabulary import ChangeReason, ConfirmBasis, ReferralOutcome, Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from mhscreen.ledger.cases import Action, Case

__all__ = ["explain_case"]


def explain_case(case: Case, language: str = "en", *, on: dt.datetime | None = None) -> str:
    """Explain where a case stands, for staff who act on it.

    Parameters
    ----------
    case : Case
        From the folded ledger.
    language : {"en", "zh"}
        English or Simplified Chinese.
    on : datetime, optional
        As of when something is called overdue; by default nothing is.

    Returns
    -------
    str
        Several paragraphs, each with a heading; the lines below a heading are indented.

    Raises
    ------
    UsageError
        For another language.
    """
    if language not in ("en", "zh"):
        msg = f"language is 'en' or 'zh', not '{language}'"
        raise UsageError(msg)
    lines = [phrase("case_title", language, pupil=case.pupil_ref)]
    for key, body in (
        ("case_stands", _stands(case, language)),
        ("case_decided", _decided(case, language)),
        ("case_open", _actions(case.open_actions, language, on)),
        ("case_done", _done(case, language)),
        ("case_refused", [problem.what for problem in case.problems]),
        ("note", [phrase("no_diagnosis", language)]),
    ):
        paragraph = list(body)
        if paragraph:
            lines += ["", phrase(key, language), *(f"  {line}" for line in paragraph)]
    return "\n".join(lines)


def _stands(case: Case, language: str) -> Iterator[str]:
    yield case.status.label(language)
    if case.screen_tier is not None:
        yield phrase("case_screen", language, tier=case.screen_tier.label(language))
    if case.case_tier is None:
        yield phrase("case_undecided", language)
    else:
        tier = CASE_TIERS[case.case_tier][language == "zh"]
        yield phrase("case_tier", language, tier=tier)
    if case.to_confirm:
        yield phrase("case_confirm", language, number=len(case.to_confirm))
    for known in case.known:
        yield phrase("case_known", language, name=known.name, on=known.on)
    if case.referral is not None:
        outcome = ReferralOutcome(case.referral.outcome).label(language)
        yield phrase("case_referral", language, where=case.referral.institution, outcome=outcome)
    if case.on_leave_since is not None:
        yield phrase("case_leave", language, day=case.on_leave_since.date())
    if case.transfer_to is not None:
        yield phrase("case_transfer", language, school=case.transfer_to["school"])


def _decided(case: Case, language: str) -> Iterator[str]:
    for one in case.decisions:
        yield phrase(
            "case_decision",
            language,
            day=one.at.date(),
            tier=CASE_TIERS[one.tier][language == "zh"],
            who=one.author,
            role=Role(one.role).label(language),
            basis=ConfirmBasis(one.basis).label(language),
            reason=ChangeReason(one.reason).label(language),
        )


def _actions(actions: Iterable[Action], language: str, on: dt.datetime | None) -> Iterator[str]:
    for action in actions:
        what = action.does.label(language) if action.title is None else action.title.label(language)
        if action.to is not None:
            what = phrase("case_to", language, what=what, who=action.to.label(language))
        who = action.by.label(language)
        if action.due_at is None:
            yield phrase("case_held" if action.held else "case_todo", language, what=what, who=who)
            continue
        late = on is not None and action.overdue(on)
        key = "case_overdue" if late else "case_due"
        time = action.due_at.strftime("%Y-%m-%d %H:%M")
        yield phrase(key, language, what=what, who=who, time=time)


def _done(case: Case, language: str) -> Iterator[str]:
    for action in case.actions:
        if not action.open:
            what = action.title or action.does
            text = what.label(language)
            if action.to is not None:
                text = phrase("case_to", language, what=text, who=action.to.label(language))
            yield text
