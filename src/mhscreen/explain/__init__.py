"""From a ledger entry to words, for the person who sees the pupil."""

from mhscreen.explain.screening import explain_entry

__all__ = ["explain_entry"]
