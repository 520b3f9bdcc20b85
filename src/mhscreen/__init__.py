"""Screen the mental health of every pupil: score, norm, triage, enter; and nobody is lost.

A screening is not a diagnosis. See the README for what this library is and is not.

Everything public is here and is imported when it is first used, so that importing the package
costs little::

    import mhscreen as mh

    library = mh.shipped_library()
    plan = mh.compile_plan(library, programme="qingdao-2023@1")
    result = mh.screen(plan, roster=pupils, responses=answers, at="2026-10-15")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mhscreen._version import __version__

if TYPE_CHECKING:
    from mhscreen._facade import (
        affected,
        audit,
        bind,
        build_norm,
        check_policy,
        compare_norms,
        compare_with_norm,
        diff_policies,
        emit,
        forecast,
        replay,
        score_instrument,
        screen,
        screen_files,
        screen_stream,
        simulate,
        to_frame,
    )
    from mhscreen.entries.pseudonyms import pseudonym
    from mhscreen.explain import explain_case, explain_entry
    from mhscreen.interop.run_folder import FolderRun
    from mhscreen.ledger.aggregates import Release, read_release, release_counts
    from mhscreen.ledger.cases import Action, Case, Cases
    from mhscreen.ledger.disclosure import View, disclose
    from mhscreen.ledger.due import WorkItem, due
    from mhscreen.ledger.erasure import erase_entries
    from mhscreen.ledger.fold import fold
    from mhscreen.ledger.forms import print_form
    from mhscreen.ledger.intake import append_files
    from mhscreen.ledger.key_file import read_key
    from mhscreen.ledger.month import Month, close_month
    from mhscreen.ledger.queue import QueueItem, rescreen_queue
    from mhscreen.ledger.replay import Replay
    from mhscreen.ledger.retention import RetentionEnd, retention_ends
    from mhscreen.ledger.stores import Appended, Ledger, copy_ledger, open_ledger
    from mhscreen.ledger.verify import Verification, verify_ledger
    from mhscreen.ledger.views import ledger_view
    from mhscreen.loading import Library, installed_library, load_library, shipped_library
    from mhscreen.plan.plan import Plan, compile_plan
    from mhscreen.problems import (
        DefinitionError,
        MhscreenError,
        Problem,
        ResponseError,
        StoppedError,
        UsageError,
    )
    from mhscreen.review.affected import AffectedPupil
    from mhscreen.review.audit import Audit
    from mhscreen.review.forecast import Forecast
    from mhscreen.review.norms import NormComparison
    from mhscreen.review.policy_check import PolicyCheck
    from mhscreen.review.policy_diff import PolicyDiff
    from mhscreen.simulation import Assumptions
    from mhscreen.steps.bind import ResponseBatch
    from mhscreen.steps.emit import Entries
    from mhscreen.steps.norm import NormedScores, norm
    from mhscreen.steps.score import Scores, score
    from mhscreen.steps.screen import Screening
    from mhscreen.steps.triage import Reason, Triage, triage
    from mhscreen.vocabulary import Flag, Informant, Role, ScreenTier, Stage, Tier

_HOMES = {
    "mhscreen._facade": (
        "affected",
        "audit",
        "bind",
        "build_norm",
        "check_policy",
        "compare_norms",
        "compare_with_norm",
        "diff_policies",
        "emit",
        "forecast",
        "replay",
        "score_instrument",
        "screen",
        "screen_files",
        "screen_stream",
        "simulate",
        "to_frame",
    ),
    "mhscreen.entries.pseudonyms": ("pseudonym",),
    "mhscreen.explain": ("explain_case", "explain_entry"),
    "mhscreen.interop.run_folder": ("FolderRun",),
    "mhscreen.ledger.aggregates": ("Release", "read_release", "release_counts"),
    "mhscreen.ledger.cases": ("Action", "Case", "Cases"),
    "mhscreen.ledger.disclosure": ("View", "disclose"),
    "mhscreen.ledger.due": ("WorkItem", "due"),
    "mhscreen.ledger.erasure": ("erase_entries",),
    "mhscreen.ledger.fold": ("fold",),
    "mhscreen.ledger.forms": ("print_form",),
    "mhscreen.ledger.intake": ("append_files",),
    "mhscreen.ledger.key_file": ("read_key",),
    "mhscreen.ledger.month": ("Month", "close_month"),
    "mhscreen.ledger.queue": ("QueueItem", "rescreen_queue"),
    "mhscreen.ledger.replay": ("Replay",),
    "mhscreen.ledger.retention": ("RetentionEnd", "retention_ends"),
    "mhscreen.ledger.stores": ("Appended", "Ledger", "copy_ledger", "open_ledger"),
    "mhscreen.ledger.verify": ("Verification", "verify_ledger"),
    "mhscreen.ledger.views": ("ledger_view",),
    "mhscreen.loading": ("Library", "installed_library", "load_library", "shipped_library"),
    "mhscreen.plan.plan": ("Plan", "compile_plan"),
    "mhscreen.problems": (
        "DefinitionError",
        "MhscreenError",
        "Problem",
        "ResponseError",
        "StoppedError",
        "UsageError",
    ),
    "mhscreen.review.affected": ("AffectedPupil",),
    "mhscreen.review.audit": ("Audit",),
    "mhscreen.review.forecast": ("Forecast",),
    "mhscreen.review.norms": ("NormComparison",),
    "mhscreen.review.policy_check": ("PolicyCheck",),
    "mhscreen.review.policy_diff": ("PolicyDiff",),
    "mhscreen.simulation": ("Assumptions",),
    "mhscreen.steps.bind": ("ResponseBatch",),
    "mhscreen.steps.emit": ("Entries",),
    "mhscreen.steps.norm": ("NormedScores", "norm"),
    "mhscreen.steps.score": ("Scores", "score"),
    "mhscreen.steps.screen": ("Screening",),
    "mhscreen.steps.triage": ("Reason", "Triage", "triage"),
    "mhscreen.vocabulary": ("Flag", "Informant", "Role", "ScreenTier", "Stage", "Tier"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Action",
    "AffectedPupil",
    "Appended",
    "Assumptions",
    "Audit",
    "Case",
    "Cases",
    "DefinitionError",
    "Entries",
    "Flag",
    "FolderRun",
    "Forecast",
    "Informant",
    "Ledger",
    "Library",
    "MhscreenError",
    "Month",
    "NormComparison",
    "NormedScores",
    "Plan",
    "PolicyCheck",
    "PolicyDiff",
    "Problem",
    "QueueItem",
    "Reason",
    "Release",
    "Replay",
    "ResponseBatch",
    "ResponseError",
    "RetentionEnd",
    "Role",
    "Scores",
    "ScreenTier",
    "Screening",
    "Stage",
    "StoppedError",
    "Tier",
    "Triage",
    "UsageError",
    "Verification",
    "View",
    "WorkItem",
    "__version__",
    "affected",
    "append_files",
    "audit",
    "bind",
    "build_norm",
    "check_policy",
    "close_month",
    "compare_norms",
    "compare_with_norm",
    "compile_plan",
    "copy_ledger",
    "diff_policies",
    "disclose",
    "due",
    "emit",
    "erase_entries",
    "explain_case",
    "explain_entry",
    "fold",
    "forecast",
    "installed_library",
    "ledger_view",
    "load_library",
    "norm",
    "open_ledger",
    "print_form",
    "pseudonym",
    "read_key",
    "read_release",
    "release_counts",
    "replay",
    "rescreen_queue",
    "retention_ends",
    "score",
    "score_instrument",
    "screen",
    "screen_files",
    "screen_stream",
    "shipped_library",
    "simulate",
    "to_frame",
    "triage",
    "verify_ledger",
]

if not TYPE_CHECKING:  # a type checker would take any name for a public one

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used (PEP 562)."""
        if name not in _HOME_OF:
            msg = f"module 'mhscreen' has no attribute '{name}'"
            raise AttributeError(msg)
        return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
