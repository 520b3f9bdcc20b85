"""Polars: one lazy query with a join for each scale, on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from battery import norm_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    from answers import Answers
    from numpy.typing import NDArray

    from mhscreen.steps.score import Scores


def joining(answers: Answers, scores: Scores) -> Callable[[], dict[str, NDArray[np.float64]]]:
    """Return the work of finding T by scale."""
    tables = {
        name: pl.LazyFrame(columns).rename({"raw": name, "t": f"{name}:t"})
        for name, columns in norm_columns().items()
    }
    pupils = {"sex": answers.sex, "years": answers.years}
    raw = {name: scores[name].score for name in tables}
    frame = pl.DataFrame({**pupils, **raw}).with_columns(pl.col(list(tables)).fill_nan(None))

    def work() -> dict[str, NDArray[np.float64]]:
        query = frame.lazy()
        for name, table in tables.items():
            query = query.join(table, how="left", on=["sex", "years", name], maintain_order="left")
        found = query.select([f"{name}:t" for name in tables]).collect()
        return {name: found[f"{name}:t"].fill_null(np.nan).to_numpy() for name in tables}

    return work
