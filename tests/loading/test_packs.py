"""Adding an instrument takes one YAML file and one cases file: in a pack, or in a plain folder."""

import csv
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mhscreen as mh
from mhscreen.loading import PACKS, load_cases
from mhscreen.problems import DefinitionError, UsageError
from mhscreen.testing import run_cases

GOOD = Path(__file__).parents[1] / "definitions" / "good" / "instruments" / "leaf"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package with definitions and nothing else where Python finds it."""
    home = tmp_path / "site"

    def put(name="leaf-pack", package="leaf_pack", *, below="", value=None, files=None):
        folder = home / package.replace(".", "/")
        instruments = folder / below / "instruments" / "leaf"
        instruments.mkdir(parents=True)
        for file, text in (files or given()).items():
            (instruments / file).write_text(text, encoding="utf-8")
        for part in (folder, *folder.parents):
            if part == home:
                break
            (part / "__init__.py").touch()
        info = home / f"{package.replace('.', '_')}-2.1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1.0\n", encoding="utf-8"
        )
        target = value or (f"{package}:{below}" if below else package)
        (info / "entry_points.txt").write_text(f"[{PACKS}]\n{name} = {target}\n", encoding="utf-8")
        if str(home) not in sys.path:
            monkeypatch.syspath_prepend(home)
        importlib.invalidate_caches()
        return folder

    before = set(sys.modules)
    yield put
    for module in set(sys.modules) - before:
        if "pack" in module:
            del sys.modules[module]


def given():
    return {path.name: path.read_text(encoding="utf-8") for path in GOOD.iterdir()}


def test_without_packs_the_installed_library_is_the_shipped_one():
    assert mh.installed_library() is mh.shipped_library()


def test_a_pack_of_one_yaml_and_one_cases_file_and_no_python_is_installed(install):
    folder = install()
    assert [file.read_text() for file in folder.rglob("*.py")] == [""]
    library = mh.installed_library()
    leaf = library.instrument("leaf@1")
    assert len(library) == len(mh.shipped_library()) + 1
    assert leaf.file == "leaf_pack/instruments/leaf/1.0.0.yaml"
    answers = {"leaf_1": [2], "leaf_2": [2], "leaf_3": [2], "leaf_4": ["N"], "leaf_5": [None]}
    scores = mh.score_instrument("leaf", answers, informant="self", library=library)
    assert scores["leaf_self__wilting"].tolist() == [4]


def test_the_worked_cases_of_a_pack_are_found_and_run(install):
    install()
    library = mh.installed_library()
    leaf = library.instrument("leaf")
    assert load_cases(leaf).cases
    assert run_cases(library, [leaf]) == []
    wrong = given()["1.0.0.cases.yaml"].replace("score: 4,", "score: 5,")
    assert wrong != given()["1.0.0.cases.yaml"]
    (Path(leaf.folder) / leaf.cases_file).write_text(wrong, encoding="utf-8")
    (problem,) = run_cases(library, [leaf])
    assert problem.code == "MH213"
    assert problem.file.startswith("leaf_pack/")


def test_definitions_may_stand_in_a_folder_of_the_package_or_in_a_package_inside(install):
    install("one", "one_pack", below="definitions")
    assert mh.installed_library().instrument("leaf").file == (
        "one_pack/definitions/instruments/leaf/1.0.0.yaml"
    )


def test_a_package_inside_another_is_named_in_full(install):
    install("two", "outer_pack.inner")
    assert mh.installed_library().instrument("leaf").file == (
        "outer_pack/inner/instruments/leaf/1.0.0.yaml"
    )


def test_a_problem_of_a_pack_is_named_by_its_package(install):
    broken = given()["1.0.0.yaml"].replace("range: [0, 6]", "range: [0, 9]")
    install(files={"1.0.0.yaml": broken})
    with pytest.raises(DefinitionError) as caught:
        mh.installed_library()
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("MH203", "leaf_pack/instruments/leaf/1.0.0.yaml")


def test_a_pack_cannot_change_what_another_or_the_shipped_library_defines(install):
    install()
    other = given()["1.0.0.yaml"].replace("Leaf questionnaire", "Another leaf")
    install("z-pack", "other_pack", files={"1.0.0.yaml": other})
    with pytest.raises(DefinitionError) as caught:
        mh.installed_library()
    (problem,) = caught.value.problems
    assert (problem.code, problem.file.partition("/")[0]) == ("MH305", "other_pack")
    assert "leaf_pack/" in problem.hint


@pytest.mark.parametrize("value", ["absent_pack", "leaf_pack:nowhere", "json"])
def test_a_pack_without_a_folder_is_named(install, value):
    install(value=value)
    if value == "json":  # a package, but without definitions of the right kind
        assert mh.installed_library().definitions == mh.shipped_library().definitions
        return
    with pytest.raises(UsageError, match=r"'leaf-pack' of leaf-pack 2\.1\.0"):
        mh.installed_library()


def test_the_commands_know_an_instrument_of_a_pack(install, tmp_path):
    folder = install()
    answers = tmp_path / "leaf.csv"
    answers.write_text("leaf_1,leaf_2,leaf_3,leaf_4,leaf_5\n2,2,2,N,\n", encoding="utf-8")

    def call(*arguments):
        paths = os.pathsep.join((str(folder.parent), str(Path(mh.__file__).parents[1])))
        return subprocess.run(
            [sys.executable, "-m", "mhscreen", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False,
        )  # fmt: skip

    page = call("catalogue", "leaf")
    assert page.returncode == 0, page.stderr
    assert b"LEAF" in page.stdout
    out = tmp_path / "scores.csv"
    scored = call("score", "leaf@1", answers, "--informant", "self", "--out", out)
    assert scored.returncode == 0, scored.stderr
    (row,) = csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())
    assert float(row["leaf_self__wilting"]) == 4
    audited = call("audit", "leaf@1", answers, "--informant", "self")
    assert audited.returncode == 1, audited.stderr  # one form is too few


def test_a_plain_folder_needs_no_package_at_all(tmp_path):
    home = tmp_path / "mine" / "instruments" / "leaf"
    home.mkdir(parents=True)
    for name, text in given().items():
        (home / name).write_text(text, encoding="utf-8")
    library = mh.load_library(tmp_path / "mine", base=mh.shipped_library())
    assert len(library) == len(mh.shipped_library()) + 1
    assert run_cases(library, [library.instrument("leaf")]) == []
    check = subprocess.run(
        [sys.executable, "-m", "mhscreen", "check", str(tmp_path / "mine")],
        env={**os.environ, "PYTHONPATH": str(Path(mh.__file__).parents[1])},
        capture_output=True, check=False,
    )  # fmt: skip
    assert check.returncode == 0, check.stderr
