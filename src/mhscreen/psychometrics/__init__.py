"""Psychometrics for analysts: whether an instrument works here, and what is usual here.

Everything takes answers as a frame, a mapping of columns or an array (`as_answers`), says in the
call what happens to blanks, and gives a frozen result with `to_frame()` and, where a picture
helps, `plot()`::

    import mhscreen.psychometrics as mp

The figures describe a sample. A norm or a cut found here is descriptive: it moves no tier except
through a new version of a policy.
"""

from __future__ import annotations

from mhscreen.problems import AnalysisError
from mhscreen.psychometrics.answers import Answers, as_answers
from mhscreen.psychometrics.results import Result

__all__ = ["AnalysisError", "Answers", "Result", "as_answers"]
