"""Nothing heavy is imported before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mhscreen

HEAVY = {
    "IPython",
    "chinese_calendar",
    "dask",
    "duckdb",
    "factor_analyzer",
    "holidays",
    "matplotlib",
    "narwhals",
    "numba",
    "pandas",
    "polars",
    "psycopg",
    "pyarrow",
    "pyspark",
    "rich",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "typer",
}
CLASS = """
roster = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]}
answers = {"gad7": {"subject": ["A1"], **{f"gad7_{n}": [1] for n in range(1, 8)}}}
plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
"""


def modules_after(code):
    """What a fresh interpreter has imported after some lines."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"],
        cwd=Path(mhscreen.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_imports_neither_arrays_nor_models_nor_yaml():
    found = modules_after("import mhscreen")
    assert found & (HEAVY | {"numpy", "pydantic", "yaml"}) == set()


def test_loading_the_library_imports_no_arrays():
    found = modules_after("import mhscreen as mh\nmh.shipped_library()")
    assert found & (HEAVY | {"numpy"}) == set()


@pytest.mark.parametrize(
    "use",
    [
        "mh.compile_plan(mh.shipped_library(), programme='qingdao-2023@1')",
        "mh.screen, mh.bind, mh.score, mh.norm, mh.triage, mh.emit, mh.fold, mh.screen_files",
        f"{CLASS}\nmh.score(plan, mh.bind(plan, roster=roster, responses=answers))",
    ],
)
def test_the_first_use_of_the_facade_imports_nothing_heavy(use):
    assert modules_after(f"import mhscreen as mh\n{use}") & HEAVY == set()


def test_screening_one_class_imports_no_dataframe_library_and_no_statistics():
    code = f"{CLASS}\nmh.screen(plan, roster=roster, responses=answers, at='2026-10-15')"
    # Due dates are school days, which the calendars of the programme count.
    calendars = {"chinese_calendar", "holidays"}
    assert modules_after(f"import mhscreen as mh\n{code}") & (HEAVY - calendars) == set()
