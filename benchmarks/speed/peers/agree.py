"""Whether a peer found what we found: before that, nothing is timed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from battery import battery_scales

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mhscreen.steps.score import Scores

    Columns = Mapping[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]

__all__ = ["check"]


def check(name: str, scores: Scores, found: Columns) -> None:
    """Compare a peer's scores and bands with ours.

    A band is compared where we show one: where blanks leave two bands possible we show none, and
    no peer minds.

    Raises
    ------
    AssertionError
        Where they differ.
    """
    for scale in battery_scales():
        ours = scores[scale.name]
        value, band = found[scale.name]
        same = np.isclose(ours.score[: len(value)], value, rtol=1e-6, atol=0, equal_nan=True)
        assert same.all(), f"{name}: {scale.name}: {int((~same).sum())} scores differ"
        assert np.isfinite(value).any() or len(value) < 1000, f"{name}: {scale.name} has no score"
        if band is not None:
            shown = ours.category[: len(band)] >= 0
            alike = ours.category[: len(band)][shown] == band[shown]
            assert alike.all(), f"{name}: {scale.name}: {int((~alike).sum())} bands differ"
