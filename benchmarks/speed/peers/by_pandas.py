"""pandas, column by column: what most scripts do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from battery import battery_scales

if TYPE_CHECKING:
    from answers import Answers
    from numpy.typing import NDArray

MOST = 1_000_000


def prepare(answers: Answers) -> pd.DataFrame:
    """Return a frame of floats with NaN, as `read_csv` gives where cells are empty."""
    codes = np.where(answers.codes < 0, np.nan, answers.codes)
    return pd.DataFrame({f"i{row}": one for row, one in enumerate(codes)})


def score(frame: pd.DataFrame) -> pd.DataFrame:
    """Score all scales."""
    found: dict[str, pd.Series] = {}
    for scale in battery_scales():
        if scale.parts:
            total = sum(found[part] for part in scale.parts)
        else:
            columns = []
            for row, mirrored in zip(scale.items.tolist(), scale.reverse.tolist(), strict=True):
                column = frame[f"i{row}"]
                columns.append(scale.most - column if mirrored else column)
            total, answered = columns[0].fillna(0), columns[0].notna().astype("int8")
            for column in columns[1:]:
                total = total + column.fillna(0)
                answered = answered + column.notna()
            total = total * len(columns) / answered
            total = total.where(answered >= scale.least)
            if scale.rounded:
                total = np.floor(total + 0.5)
        found[scale.name] = total
    for scale in battery_scales():
        if scale.cuts:
            sign = 1 if scale.upwards else -1
            edges = [-np.inf, *(sign * cut for cut in scale.cuts), np.inf]
            bands = pd.cut(sign * found[scale.name], edges, right=False, labels=False)
            found[f"{scale.name}:band"] = bands
    return pd.DataFrame(found)


def columns(found: pd.DataFrame) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]:
    """Return score and band by scale."""
    return {
        scale.name: (
            found[scale.name].to_numpy(),
            found[f"{scale.name}:band"].fillna(-1).to_numpy(dtype=np.int8) if scale.cuts else None,
        )
        for scale in battery_scales()
    }
