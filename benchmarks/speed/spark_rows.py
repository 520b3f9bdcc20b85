"""Rows through Spark: screening them, against an identity that hands on as many bytes.

``python benchmarks/speed/spark_rows.py [pupils …]``

Both go the same way: Arrow batches to Python, and text as wide as the entries back to Java. Without
pyspark or Java nothing is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from clusters import AT, PROGRAMME, start_spark
from figures import Figure, compare, run
from timing import take_turns

import mhscreen as mh
from mhscreen.interop.rows import RESULT
from mhscreen.interop.spark import screen_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pandas as pd

SIZES = (40_000,)
SHORT, LONG = 16, 4_800
"""Characters of a tier or a reference, and of an entry."""


def wide_rows(plan: mh.Plan, pupils: int) -> pd.DataFrame:
    """Return pupils with the answers of every slot side by side, all as text."""
    roster, answers = mh.simulate(plan, pupils, seed=1)
    for frame in answers.values():
        roster = roster.merge(frame.drop(columns="administered_on"), on="subject", how="left")
    return roster.astype("Int64", errors="ignore").astype("string")


def hand_on(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield as many rows, and as much text, as screening does."""
    for batch in batches:
        short, long = (pa.array(["x" * width] * batch.num_rows) for width in (SHORT, LONG))
        yield pa.RecordBatch.from_arrays([*[short] * (len(RESULT) - 1), long], names=list(RESULT))


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time both."""
    session = start_spark()
    if session is None:
        return
    plan = mh.compile_plan(mh.shipped_library(), programme=PROGRAMME)
    rows = work / f"rows-{pupils}.parquet"
    wide_rows(plan, pupils).to_parquet(rows)
    frame = session.read.parquet(str(rows)).repartition(4).cache()
    frame.count()
    schema = ", ".join(f"{name} string" for name in RESULT)

    def drain(made: Any) -> None:
        made.write.format("noop").mode("overwrite").save()

    works = {
        "identity": lambda: drain(frame.mapInArrow(hand_on, schema)),
        "Spark, rows": lambda: drain(screen_frame(plan, frame, at=AT)),
    }
    times = take_turns(works, most=120.0, turns=7)
    session.stop()
    yield from compare("engines", times, pupils, "identity")


if __name__ == "__main__":
    run(measure, SIZES)
