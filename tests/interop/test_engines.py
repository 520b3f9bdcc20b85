"""Spark and Dask: whatever the partitions, the entries are those of one screening."""

import pickle
import shutil
import sys

import pytest

import mhscreen as mh
from mhscreen.interop import dask as on_dask
from mhscreen.interop import spark as on_spark
from mhscreen.interop.rows import RESULT, row_screener

AT = "2026-10-15"


@pytest.fixture(scope="module")
def plan():
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def rows(plan):
    """One row per pupil, with an illegal answer."""
    roster, answers = mh.simulate(plan, 50, seed=4)
    wide = roster
    for frame in answers.values():
        items = frame.drop(columns="administered_on").drop_duplicates("subject")
        wide = wide.merge(items, on="subject", how="left")
    wide = (
        wide.astype(object)
        .where(wide.notna(), None)
        .map(lambda cell: cell if cell is None else str(cell))
    )
    wide.loc[wide["gad7_q1"].notna().idxmax(), "gad7_q1"] = "9"
    return wide


@pytest.fixture(scope="module")
def expected(plan, rows):
    names = [n for n in rows if "_" not in n or n == "birth_date"]
    answers = rows[["subject", *(name for name in rows if name not in names)]]
    result = mh.screen(plan, roster=rows[names], responses=answers, at=AT, on_problem="report")
    return sorted(result.entries.lines())


@pytest.mark.parametrize("size", [1, 7, 50])
def test_how_rows_are_split_changes_no_entry(plan, rows, expected, size):
    screener = pickle.loads(pickle.dumps(row_screener(plan, AT)))  # noqa: S301 - our own
    parts = [screener.screen(rows[start : start + size]) for start in range(0, len(rows), size)]
    assert sorted(line for part in parts for line in part["entry"]) == expected
    assert [code for part in parts for code in part["problems"] if "MH401" in code]


def test_a_plan_is_small_when_it_is_pickled_and_keeps_its_checksums(plan, expected):
    text = pickle.dumps(plan)  # also when it has screened somebody, as `expected` has
    assert len(text) < 4_000_000
    assert pickle.loads(text).pins == plan.pins  # noqa: S301 - our own


def test_headings_that_cannot_be_used_are_refused_before_any_row(plan):
    with pytest.raises(mh.ResponseError, match="no column 'school'"):
        row_screener(plan, AT).check({"subject": [], "gad7_1": []})


@pytest.mark.parametrize("partitions", [1, 3])
def test_dask_gives_the_entries_of_one_screening(plan, rows, expected, partitions):
    frames = pytest.importorskip("dask.dataframe", reason="the extra 'dask' is not installed")
    made = on_dask.screen_frame(
        plan, frames.from_pandas(rows, npartitions=partitions), at=AT
    ).compute(scheduler="synchronous")
    assert list(made.columns) == list(RESULT)
    assert sorted(made["entry"]) == expected


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
def test_spark_gives_the_entries_of_one_screening(plan, rows, expected, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    sql = pytest.importorskip("pyspark.sql", reason="the extra 'spark' is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on this machine")
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "8").getOrCreate()
    try:
        schema = ", ".join(f"`{name}` string" for name in rows)
        frame = session.createDataFrame(rows.values.tolist(), schema).repartition(3)
        made = on_spark.screen_frame(plan, frame, at=AT).collect()
    finally:
        session.stop()
    assert sorted(row["entry"] for row in made) == expected
