"""Dask: fragments screened where they lie, or a DataFrame of pupils in and one of entries out.

Needs the extra ``dask``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mhscreen.interop.rows import RESULT, row_screener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mhscreen.interop.rows import RowScreener
    from mhscreen.plan.plan import Plan
    from mhscreen.steps.cells import Moment
    from mhscreen.steps.columns import ColumnNames

__all__ = ["on_dask", "screen_frame"]


def on_dask(**how: Any) -> Callable[[Callable[[int], Any], int], list[Any]]:
    """Return what runs the tasks of `mhscreen.interop.fragments` on Dask.

    Parameters
    ----------
    **how
        As for `dask.compute`: ``scheduler="processes", num_workers=8``; nothing where a client of
        a cluster is open.
    """

    def run(call: Callable[[int], Any], number: int) -> list[Any]:
        import dask

        task = dask.delayed(call, pure=False, traverse=False)
        return list(dask.compute(*(task(one) for one in range(number)), **how))

    return run


def screen_frame(
    plan: Plan,
    frame: Any,
    *,
    at: Moment,
    columns: Mapping[str, ColumnNames] | None = None,
) -> Any:
    """Screen a Dask DataFrame, one row per pupil.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    frame : dask.dataframe.DataFrame
        The columns of the roster, and the answers of every slot side by side; each pupil once.
    at : date, datetime or str
        When the pupils are screened: the entries' time.
    columns : mapping, optional
        How columns are named, by slot.

    Returns
    -------
    dask.dataframe.DataFrame
        The columns of `mhscreen.interop.rows.RESULT`. The entries are those of `mhscreen.screen`,
        to the byte, whatever the partitions.

    Raises
    ------
    ResponseError
        If the columns cannot be used; no row is touched then.
    """
    screener = row_screener(plan, at, columns)
    screener.check({str(name): [] for name in frame.columns})
    return frame.map_partitions(_screen_partition, screener, meta=_frame({}))


def _screen_partition(part: Any, screener: RowScreener) -> Any:
    return _frame(screener.screen(part))


def _frame(columns: Mapping[str, Any]) -> Any:
    import pandas as pd

    return pd.DataFrame({name: columns.get(name, []) for name in RESULT}, dtype="string")
