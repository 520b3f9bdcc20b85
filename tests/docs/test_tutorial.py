"""The tutorial can be followed from the first command to the last."""

from run_docs import FILES, ROOT, blocks, enter_tutorial, run_console, run_python

import mhscreen as mh
from mhscreen.loading import check_paths, new_instrument_yaml, read_definition
from mhscreen.testing import run_cases

PAGE = ROOT / "docs/tutorial/from-yaml-to-ledger.md"
FOLDERS = ("instruments", "policies", "programmes")


def test_the_tutorial_can_be_followed_from_the_first_command_to_the_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    for number, (kind, text) in enumerate(blocks(PAGE, "console", "python", "pycon")):
        if kind != "console":
            run_python(kind, text, names, PAGE.name)
            continue
        run_console(text)
        if number == 0:  # now the reader fills in the files
            assert (tmp_path / "instruments/day-check/0.1.0.yaml").is_file()
            assert (tmp_path / "instruments/day-check/0.1.0.cases.yaml").is_file()
            enter_tutorial(tmp_path)


def test_the_file_that_the_tutorial_begins_with_loads():
    definition, problems = read_definition(new_instrument_yaml("day-check"), "new.yaml")
    assert definition is not None
    assert problems == []


def test_definitions_of_the_tutorial_pass_their_cases():
    folders = [FILES / folder for folder in FOLDERS]
    assert check_paths(folders) == []
    assert run_cases(mh.load_library(*folders)) == []
