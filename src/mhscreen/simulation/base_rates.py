"""Let as many simulated pupils reach a cut score as a published study found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.kernels.packed import sum_packed, unpack
from mhscreen.problems import UsageError
from mhscreen.simulation.pupils import Assumptions, simulate_answers

if TYPE_CHECKING:
    from mhscreen.plan.scoring import FormPlan

__all__ = ["steps_for_share"]

_FARTHEST = 8.0  # standard deviations; beyond it nobody or everybody reaches any cut
_HALVINGS = 30


def steps_for_share(
    form: FormPlan,
    scale: str,
    at_or_above: float,
    share: float,
    rng: np.random.Generator,
    *,
    assumptions: Assumptions | None = None,
    forms: int = 20_000,
) -> float:
    """Return how much further out the items must lie for a share of pupils to reach a cut score.

    Parameters
    ----------
    form : FormPlan
        One informant's form of one instrument.
    scale : str
        A scale that is the plain sum of its items.
    at_or_above : float
        The cut score.
    share : float
        The share of complete forms at or above it, from a publication.
    rng : numpy.random.Generator
        The only source of chance.
    assumptions : Assumptions, optional
        How items are answered otherwise; ``blank`` is not used.
    forms : int
        How many forms are simulated; the share comes out to about √(share·(1 − share)/forms).

    Returns
    -------
    float
        For `Assumptions.steps` under the name of the instrument, in standard deviations.

    Raises
    ------
    UsageError
        If the form has no such scale, it is no plain sum, or no steps lead to the share.

    Examples
    --------
    Of pupils in Chinese secondary schools 24.3 % had depressive symptoms by one questionnaire or
    another (51 studies: Tang et al. 2019, Journal of Affective Disorders 245:498–507). That they
    reach 10 on the PHQ-9 is our own reading of it.

    >>> from mhscreen.loading import shipped_library
    >>> from mhscreen.plan.scoring import compile_form
    >>> from mhscreen.vocabulary import Informant
    >>> phq9 = compile_form(shipped_library().instrument("phq9@1").definition, Informant.SELF)
    >>> further = steps_for_share(phq9, "total", 10, 0.243, np.random.default_rng(1))
    >>> assumptions = Assumptions(steps={"phq9": further})
    """
    assume = replace(assumptions or Assumptions(), blank=0.0)
    plan = next((one for one in form.scales if one.id == scale), None)
    if plan is None or plan.combine != "sum" or plan.transform is not None:
        msg = f"{form.slot} has no scale {scale} that is the plain sum of its items"
        raise UsageError(msg)
    level, seed = rng.standard_normal(forms), int(rng.integers(2**63))
    rows, worse = plan.rows.tolist(), plan.upwards

    def reached(further: float) -> float:
        steps = {**assume.steps, form.instrument: further}
        # The same chances each time: the share then falls steadily as the items move out.
        chances = np.random.default_rng(seed)
        codes = simulate_answers(form, level, chances, assumptions=replace(assume, steps=steps))
        scores = unpack(sum_packed(codes, rows, plan.tables)).value
        return float((scores >= at_or_above).mean())

    near, far = (-_FARTHEST, _FARTHEST) if worse else (_FARTHEST, -_FARTHEST)
    if not reached(far) < share < reached(near):
        msg = f"no steps lead to a share of {share} at or above {at_or_above}"
        raise UsageError(msg)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if reached(middle) > share else (near, middle)
    return (near + far) / 2
