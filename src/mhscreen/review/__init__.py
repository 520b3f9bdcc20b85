"""What people run around a change of a definition: who would move, and why."""

from mhscreen.review.norms import NormComparison, compare_norms

__all__ = ["NormComparison", "compare_norms"]
