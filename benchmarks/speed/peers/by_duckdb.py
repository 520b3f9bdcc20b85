"""DuckDB: one SQL statement over its own table, on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
from battery import battery_scales

if TYPE_CHECKING:
    from answers import Answers
    from battery import BatteryScale
    from numpy.typing import NDArray

MOST = 10_000_000


def prepare(answers: Answers) -> duckdb.DuckDBPyConnection:
    """Return a connection whose table `answers` has a byte a cell."""
    connection = duckdb.connect()
    table = pa.table({
        f"i{row}": pa.array(one, mask=one < 0) for row, one in enumerate(answers.codes)
    })  # fmt: skip
    connection.register("given", table)
    connection.execute("create table answers as select * from given")
    connection.unregister("given")
    return connection


def score(connection: duckdb.DuckDBPyConnection) -> Any:
    """Score all scales."""
    scales = battery_scales()
    single = ", ".join(f"{_score(one)} as {one.column}" for one in scales if not one.parts)
    every = {one.name: one.column for one in scales}
    sums = ", ".join(
        f"{' + '.join(every[part] for part in one.parts)} as {one.column}"
        for one in scales
        if one.parts
    )
    bands = ", ".join(f"{_band(one)} as {one.column}_band" for one in scales if one.cuts)
    query = (
        f"with single as (select {single} from answers), "  # noqa: S608 - built from definitions
        f"every as (select *, {sums} from single) select *, {bands} from every"
    )
    return connection.sql(query).to_arrow_table()


def _score(scale: BatteryScale) -> str:
    items = [
        f"({scale.most} - i{row})" if mirrored else f"i{row}"
        for row, mirrored in zip(scale.items.tolist(), scale.reverse.tolist(), strict=True)
    ]
    if scale.least == len(items):
        return f"({' + '.join(items)})::float"
    total = " + ".join(f"coalesce({one}, 0)" for one in items)
    answered = " + ".join(f"({one} is not null)::tinyint" for one in items)
    value = f"({total})::float * {len(items)} / ({answered})"
    if scale.rounded:
        value = f"floor({value} + 0.5)"
    return f"case when ({answered}) >= {scale.least} then {value} end"


def _band(scale: BatteryScale) -> str:
    mark = ">=" if scale.upwards else "<="
    return " + ".join(f"({scale.column} {mark} {cut})::tinyint" for cut in scale.cuts)


def columns(found: Any) -> dict[str, tuple[NDArray[np.float64], NDArray[np.int8] | None]]:
    """Return score and band by scale."""
    frame = {name: found[name].combine_chunks() for name in found.column_names}
    return {
        scale.name: (
            frame[scale.column].cast(pa.float64()).fill_null(np.nan).to_numpy(),
            frame[f"{scale.column}_band"].cast(pa.int8()).fill_null(-1).to_numpy()
            if scale.cuts
            else None,
        )
        for scale in battery_scales()
    }
