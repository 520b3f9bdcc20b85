"""Polars: one lazy query over columns of one byte, on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from battery import battery_scales

if TYPE_CHECKING:
    from answers import Answers
    from battery import BatteryScale
    from numpy.typing import NDArray

MOST = 10_000_000


def prepare(answers: Answers) -> pl.DataFrame:
    """Return a frame of one byte a cell, with nulls."""
    frame = pl.DataFrame({f"i{row}": one for row, one in enumerate(answers.codes)})
    return frame.with_columns(pl.all().replace(-1, None)).rechunk()


def score(frame: pl.DataFrame) -> pl.DataFrame:
    """Score all scales."""
    scales = battery_scales()
    single = [_score(scale).alias(scale.name) for scale in scales if not scale.parts]
    sums = [
        pl.sum_horizontal(map(pl.col, scale.parts), ignore_nulls=False).alias(scale.name)
        for scale in scales
        if scale.parts
    ]
    bands = [_band(scale).alias(f"{scale.name}:band") for scale in scales if scale.cuts]
    return frame.lazy().select(single).with_columns(sums).with_columns(bands).collect()


def _score(scale: BatteryScale) -> pl.Expr:
    items = [
        scale.most - pl.col(f"i{row}") if mirrored else pl.col(f"i{row}")
        for row, mirrored in zip(scale.items.tolist(), scale.reverse.tolist(), strict=True)
    ]
    total = pl.sum_horizontal(items)
    if scale.least == len(items):
        return pl.sum_horizontal(items, ignore_nulls=False).cast(pl.Float32)
    answered = pl.sum_horizontal([one.is_not_null() for one in items])
    mean = total.cast(pl.Float32) * len(items) / answered
    if scale.rounded:
        mean = (mean + 0.5).floor()
    return pl.when(answered >= scale.least).then(mean)


def _band(scale: BatteryScale) -> pl.Expr:
    value = pl.col(scale.name)
    reached = [value >= cut if scale.upwards else value <= cut for cut in scale.cuts]
    return pl.sum_horizontal([one.cast(pl.Int8) for one in reached], ignore_nulls=False)


def columns(found: pl.DataFrame) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]:
    """Return score and band by scale."""
    return {
        scale.name: (
            found[scale.name].cast(pl.Float64).fill_null(np.nan).to_numpy(),
            found[f"{scale.name}:band"].fill_null(-1).cast(pl.Int8).to_numpy()
            if scale.cuts
            else None,
        )
        for scale in battery_scales()
    }
