"""One broken input per problem code of files, rosters and answers, with its message beside it.

Each folder of ``broken`` holds the answers, a roster where the common one will not do, and in
``expected.txt`` what must be said. Definitions have their own broken files.
"""

from pathlib import Path

import pytest

import mhscreen as mh
from mhscreen.interop.run_folder import screen_files
from mhscreen.problems import CATALOGUE, ResponseError

BROKEN = Path(__file__).parent / "broken"
FOLDERS = sorted(path for path in BROKEN.iterdir() if path.is_dir())
ELSEWHERE = {
    "MH418": "tests/steps/test_bind.py",  # needs names given by hand
    "MH604": "tests/steps/test_screen.py",  # needs a fault of ours
}


@pytest.fixture(scope="module")
def plan():
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


def said(plan, folder, out):
    """Return what a run says about the folder's own code."""
    code = folder.name[:5].upper()
    roster = folder / "roster.csv"
    try:
        problems = screen_files(
            plan,
            roster=roster if roster.exists() else BROKEN / "roster.csv",
            responses=folder / "answers",
            at="2026-10-15",
            out=out,
        ).problems
    except ResponseError as error:
        problems = error.problems
    return "".join(f"{problem}\n" for problem in problems if problem.code == code)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_broken_input_gets_the_message_beside_it(plan, folder, tmp_path):
    expected = (folder / "expected.txt").read_text("utf-8")
    assert expected
    assert said(plan, folder, tmp_path / "out") == expected


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_is_named_by_its_code(folder):
    code, _, slug = folder.name.partition("-")
    assert CATALOGUE[code.upper()].slug == slug


def test_every_code_of_answers_rosters_and_runs_has_a_broken_input():
    have = {folder.name[:5].upper() for folder in FOLDERS} | set(ELSEWHERE)
    assert have == {code for code in CATALOGUE if code[2] in "456"}


@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_code_shown_elsewhere_is_shown_there(code):
    assert code in (Path(__file__).parents[2] / ELSEWHERE[code]).read_text("utf-8")
