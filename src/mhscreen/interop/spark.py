"""Spark: fragments screened where they lie, or a DataFrame of pupils in and one of entries out.

Needs the extra ``spark`` and Java 17.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.interop.rows import RESULT, row_screener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from mhscreen.plan.plan import Plan
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames

__all__ = ["on_spark", "screen_frame"]


def on_spark(session: Any) -> Callable[[Callable[[int], Any], int], list[Any]]:
    """Return what runs the tasks of `mhscreen.interop.fragments` on Spark.

    The task goes to each machine once, as a broadcast; Spark hands out numbers.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        A session with a context of its own (not Spark Connect).
    """

    def run(call: Callable[[int], Any], number: int) -> list[Any]:
        context = session.sparkContext
        task = context.broadcast(call)

        def call_it(one: int) -> Any:  # and not the value itself, which would go with every task
            return task.value(one)

        found: list[Any] = context.parallelize(range(number), number).map(call_it).collect()
        task.unpersist()
        return found

    return run


def screen_frame(
    plan: Plan,
    frame: Any,
    *,
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
) -> Any:
    """Screen a Spark DataFrame, one row per pupil.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    frame : pyspark.sql.DataFrame
        The columns of the roster, and the answers of every slot side by side; each pupil once.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    columns : mapping, optional
        How columns are named, by slot.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of `mhscreen.interop.rows.RESULT`. The entries are those of `mhscreen.screen`,
        to the byte, however Spark splits the rows.

    Raises
    ------
    ResponseError
        If the columns cannot be used; no row is touched then.
    """
    screener = row_screener(plan, at, columns)
    screener.check({name: [] for name in frame.columns})

    def screen_batches(batches: Iterable[Any]) -> Iterator[Any]:
        import pyarrow as pa

        schema = pa.schema([(name, pa.string()) for name in RESULT])
        for batch in batches:
            yield pa.RecordBatch.from_pydict(screener.screen(batch), schema=schema)

    return frame.mapInArrow(screen_batches, ", ".join(f"{name} string" for name in RESULT))
