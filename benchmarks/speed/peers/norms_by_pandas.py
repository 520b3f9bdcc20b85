"""pandas: one merge after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from battery import norm_columns

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from answers import Answers
    from numpy.typing import NDArray

    from mhscreen.steps.score import Scores


def joining(answers: Answers, scores: Scores) -> Callable[[], dict[str, NDArray[np.float64]]]:
    """Return the work of finding T by scale."""
    tables = {name: pd.DataFrame(columns) for name, columns in norm_columns().items()}
    pupils = {"sex": answers.sex, "years": answers.years}
    frame = pd.DataFrame({**pupils, **{name: scores[name].score for name in tables}})

    def work() -> dict[str, NDArray[np.float64]]:
        return {
            name: frame[["sex", "years", name]]
            .rename(columns={name: "raw"})
            .merge(table, how="left", on=["sex", "years", "raw"])["t"]
            .to_numpy()
            for name, table in tables.items()
        }

    return work
