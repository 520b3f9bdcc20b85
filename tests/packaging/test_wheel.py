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


PRECOMPILED = "precompiled.jsonl"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that was handed over, else one built here."""
    wheel = os.environ.get("MHSCREEN_WHEEL")
    if wheel is None:
        if not all(importlib.util.find_spec(name) for name in ("build", "hatchling")):
            pytest.skip("neither MHSCREEN_WHEEL nor the extra 'dev' (build, hatchling) is there")
        folder = tmp_path_factory.mktemp("dist")
        command = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def names(wheel):
    """The files in the wheel."""
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
    assert shipped == here | {PRECOMPILED}


READ_NO_YAML = """
import sys
from mhscreen.loading import folders, shipped_library
assert sys.argv[1] in folders.__file__
folders.read_document = None
print(len({one.definition.ref for one in shipped_library()}))
"""


def test_the_wheel_is_pure_and_its_precompiled_definitions_fit_their_yaml(wheel, tmp_path):
    assert str(wheel).endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", READ_NO_YAML, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(run.stdout) == len(lock_definitions.definition_files(ROOT))


def test_the_wheel_holds_the_conformance_kit(names):
    stem = "mhscreen/_conformance_kit/"
    shipped = {name.removeprefix(stem) for name in names if name.startswith(stem)}
    kit = ROOT / "benchmarks" / "conformance" / "kit"
    assert "manifest.json" in shipped
    assert shipped == {f.relative_to(kit).as_posix() for f in kit.rglob("*") if f.is_file()}


def test_the_wheel_holds_every_module_and_the_mark_that_it_is_typed(names):
    here = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert here | {"mhscreen/py.typed"} <= names


def test_the_wheel_holds_the_licence_and_no_tests(names):
    folder = next(name.partition("/")[0] for name in names if ".dist-info/" in name)
    assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/NOTICE"} <= names
    assert {name.partition("/")[0] for name in names} == {"mhscreen", folder}
