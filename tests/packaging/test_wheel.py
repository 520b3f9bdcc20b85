"""The wheel holds the code, its types and the whole library, and nothing else."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import lock_definitions
import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """The files in the wheel: the one that was handed over, else one built here."""
    wheel = os.environ.get("MHSCREEN_WHEEL")
    if wheel is None:
        if not all(importlib.util.find_spec(name) for name in ("build", "hatchling")):
            pytest.skip("neither MHSCREEN_WHEEL nor the extra 'dev' (build, hatchling) is there")
        folder = tmp_path_factory.mktemp("dist")
        command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_every_definition_with_its_cases(names):
    shipped = {name.removeprefix("mhscreen/_library/") for name in names if "/_library/" in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for folder in lock_definitions.FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    assert here
    assert shipped == here


def test_the_wheel_holds_every_module_and_the_mark_that_it_is_typed(names):
    here = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert here | {"mhscreen/py.typed"} <= names


def test_the_wheel_holds_the_licence_and_no_tests(names):
    folder = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
    assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= names
    assert {name.partition("/")[0] for name in names} == {"mhscreen", folder}
