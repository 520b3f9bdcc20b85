"""First contact: which role sees a pupil first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.vocabulary import Role, ScreenTier, Tier

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.steps.triage import Triage

__all__ = ["first_roles", "see_first"]


def see_first(triage: Triage) -> list[str]:
    """Return which role sees each pupil first, see `first_roles`."""
    names = [str(role) for role in Role]
    return [names[place] for place in first_roles(triage).tolist()]


def first_roles(triage: Triage) -> NDArray[np.int8]:
    """Return, as a position in `Role`, who sees each pupil first.

    The on-duty role where severe or major is established or, on something that was written, still
    open; else whom the programme's action matrix names for the tier.
    """
    matrix = {action.tier: action.first_contact for action in triage.plan.programme.action_matrix}
    general = matrix.get(Tier.GENERAL, Role.PSYCH_TEACHER)
    watch = matrix.get(Tier.WATCH, Role.CLASS_TEACHER)
    by_shown = {
        ScreenTier.NONE: matrix.get(Tier.NONE, Role.CLASS_TEACHER),
        ScreenTier.WATCH: watch,
        ScreenTier.GENERAL: general,
        ScreenTier.SEVERE: Role.ON_DUTY,
        ScreenTier.MAJOR: Role.ON_DUTY,
        ScreenTier.UNDETERMINED: general,
        ScreenTier.NOT_SCREENED: watch,
    }
    roles = np.array([by_shown[tier].position for tier in ScreenTier], dtype=np.int8)[triage.screen]
    severe = Tier.SEVERE.position
    open_now = triage.recorded & (triage.critical_open | (triage.possible >= severe))
    roles[(triage.established >= severe) | open_now] = Role.ON_DUTY.position
    return roles
