"""Where the real data lie, and the reference that knows nothing of mhscreen."""

import csv
import importlib.util
import os
from pathlib import Path

import pytest

from mhscreen import load_library

HERE = Path(__file__).parent


def shared_data():
    """Return the folder with public data: beside the repository, or where the environment says."""
    named = os.environ.get("MHSCREEN_SHARED_DATA")
    return Path(named) if named else HERE.parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data():
    """Read a file of public data: a dict of columns, as text, None where a cell is empty."""

    def read(name):
        path = shared_data() / name
        if not path.is_file():
            pytest.skip(
                f"{name} is not here: set MHSCREEN_SHARED_DATA to the folder with the public data"
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return {name: [row[name] or None for row in rows] for name in rows[0]}

    return read


@pytest.fixture(scope="session")
def definitions():
    """Definitions for tests only, written from the descriptions of the data sets."""
    return load_library(HERE / "definitions")


@pytest.fixture(scope="session")
def reference():
    spec = importlib.util.spec_from_file_location("golden_reference", HERE / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
