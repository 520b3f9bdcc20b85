"""Response quality: values of a form's indices, and whether one of them makes it questionable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels import quality as kernel
from mhscreen.kernels.logic import HOLDS, at_or_past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.plan.quality import QualityPlan

__all__ = ["EXEMPT_AT_AN_END", "is_at_an_end", "is_doubtful", "is_reached", "measure_quality"]

EXEMPT_AT_AN_END = frozenset({"longest_run", "variability"})
"""Indices that say nothing of a form that is the same end of every symptom.

Most pupils have few complaints, and who has none gives one answer throughout. So does the pupil
who has all of them always, and nobody is to look away from that form because it is called doubtful.
"""


def measure_quality(
    plan: QualityPlan, codes: NDArray[np.uint8], duration_s: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Return the response-quality indices of some forms.

    Parameters
    ----------
    plan : QualityPlan
        The compiled indices.
    codes : ndarray of uint8, shape (items, forms)
        Response codes after gates and blank rules.
    duration_s : ndarray of float64, shape (forms,), optional
        How long each form took, in seconds; NaN where not recorded.

    Returns
    -------
    ndarray of float64, shape (indices, forms)
        NaN where an index has no value, and on a form without any answer.
    """
    found = np.full((len(plan.indices), codes.shape[1]), np.nan)
    answered = rc.is_answered(codes)
    for row, one in enumerate(plan.indices):
        if one.index == "longest_run":
            found[row] = kernel.longest_run(_taken(plan, plan.recorded, codes))
        elif one.index == "variability":
            found[row] = kernel.variability(_taken(plan, plan.place, codes))
        elif one.index == "even_odd":
            found[row] = kernel.even_odd(_taken(plan, plan.concern, codes), plan.halves)
        elif one.index == "person_fit":
            concern = _taken(plan, plan.concern, codes)
            found[row] = kernel.person_fit(concern, np.array(one.expected))
        elif one.index == "share_answered":
            # Not asked, or never put: that is not the pupil's doing.
            due = (codes != rc.NOT_APPLICABLE) & (codes != rc.NOT_PRESENTED)
            found[row] = kernel.share(answered[plan.counting], due[plan.counting])
        elif duration_s is not None:
            found[row] = kernel.per_item(duration_s, answered)
    found[:, ~answered.any(axis=0)] = np.nan
    return found


def is_doubtful(
    plan: QualityPlan, codes: NDArray[np.uint8], values: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the forms on which an index is reached; the parameters are those of `is_reached`."""
    return np.asarray(is_reached(plan, codes, values).any(axis=0))


def is_reached(
    plan: QualityPlan, codes: NDArray[np.uint8], values: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which indices are reached on which forms; one without a value never is.

    Parameters
    ----------
    plan : QualityPlan
        The compiled indices.
    codes : ndarray of uint8, shape (items, forms)
        Response codes after gates and blank rules.
    values : ndarray of float64, shape (indices, forms)
        What `measure_quality` gives for them.

    Returns
    -------
    ndarray of bool, shape (indices, forms)
    """
    found = np.zeros(values.shape, dtype=bool)
    at_an_end = is_at_an_end(plan, codes)
    for row, (one, value) in enumerate(zip(plan.indices, values, strict=True)):
        reached = at_or_past(value, value, one.cut, upwards=one.upwards) == HOLDS
        found[row] = reached & ~(at_an_end & (one.index in EXEMPT_AT_AN_END))
    return found


def is_at_an_end(plan: QualityPlan, codes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the forms with the least, or with the most, concerning answer to every symptom.

    Blanks do not count. Critical items are no symptoms here: they are read by themselves,
    whatever the rest says.
    """
    concern = _taken(plan, plan.concern, codes)[plan.symptoms]
    return np.asarray(~(concern > 0).any(axis=0) | ~(concern < 1).any(axis=0))


def _taken(plan: QualityPlan, tables: NDArray[Any], codes: NDArray[np.uint8]) -> NDArray[Any]:
    """Return what a table by item and response code says of each answer."""
    return np.take_along_axis(tables, codes[plan.rows].astype(np.intp), axis=1)
