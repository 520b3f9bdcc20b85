"""One broken folder per problem code that shows only when cases are run or a plan is compiled."""

from pathlib import Path

import pytest

from mhscreen.loading import check_paths, load_library
from mhscreen.plan.plan import compile_plan
from mhscreen.problems import CATALOGUE, DefinitionError
from mhscreen.testing import run_cases

BROKEN = Path(__file__).parent / "broken"
FOLDERS = sorted(BROKEN.iterdir())


def problems_of(folder, library, monkeypatch):
    """Check a folder, run its cases and compile its programmes."""
    monkeypatch.chdir(folder)
    found = list(check_paths(["."], base=library))
    own = load_library(".", base=library)
    theirs = [loaded for loaded in own if loaded not in set(library)]
    found += run_cases(own, [loaded for loaded in theirs if loaded.kind != "programme"])
    for loaded in theirs:
        if loaded.kind == "programme":
            try:
                compile_plan(own, loaded.ref)
            except DefinitionError as error:
                found += error.problems
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_broken_folder_gets_the_message_beside_it(folder, library, monkeypatch):
    code = folder.name[:5].upper()
    found = problems_of(folder, library, monkeypatch)
    said = "".join(f"{problem}\n" for problem in found if problem.code == code)
    assert said
    assert said == (folder / "expected.txt").read_text("utf-8")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_named_by_its_code(folder):
    code, _, slug = folder.name.partition("-")
    assert CATALOGUE[code.upper()].slug == slug


def test_every_code_of_plans_and_cases_has_a_broken_folder():
    assert {folder.name[:5].upper() for folder in FOLDERS} == {"MH213", "MH214", "MH303", "MH304"}
