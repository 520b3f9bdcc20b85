"""From entries and cases to words, for each reader as deep as needed."""

from mhscreen.explain.case import explain_case
from mhscreen.explain.screening import explain_entry

__all__ = ["explain_case", "explain_entry"]
