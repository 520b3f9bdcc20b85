"""The page on adding an instrument: its files are written as shown, its commands are run."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_docs import ROOT, blocks, run_console, run_python

import mhscreen

PAGE = ROOT / "docs/how-to/add-an-instrument.md"


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """Write the files of the page, each named by its first line, into an empty folder."""
    monkeypatch.chdir(tmp_path)
    for kind, text in blocks(PAGE, "yaml", "toml", "csv"):
        first, _, rest = text.partition("\n")
        file = tmp_path / first.removeprefix("# ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(rest if kind == "csv" else text, encoding="utf-8")
    return tmp_path


def test_every_command_of_the_page_does_what_it_shows(reader, capsys):
    names = {"__name__": "__main__"}
    for kind, text in blocks(PAGE, "console", "python"):
        if kind == "console":
            run_console(text)
        else:
            run_python(kind, text, names, PAGE.name)
    assert capsys.readouterr().out == "raised\n"
    rows = (reader / "scores.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 3


@pytest.mark.slow
def test_the_pack_of_the_page_can_be_installed(reader):
    if not all(importlib.util.find_spec(name) for name in ("pip", "hatchling")):
        pytest.skip("pip or hatchling is not there")
    package = reader / "sleep-pack" / "sleep_pack"
    shutil.copytree(reader / "my-definitions", package)
    (package / "__init__.py").touch()
    site = reader / "site"
    ((_, text),) = blocks(PAGE, "sh")
    install, *then = [shlex.split(line) for line in text.splitlines()]
    assert install[:2] == ["pip", "install"]
    # Without the network, and not into the environment of the tests.
    alone = ["--no-build-isolation", "--no-index", "--no-deps", "--target", str(site)]
    command = [sys.executable, "-m", *install[:2], *alone, *install[2:]]
    subprocess.run(command, check=True, capture_output=True)
    paths = os.pathsep.join((str(site), str(Path(mhscreen.__file__).parents[1])))
    for program, *arguments in then:
        done = subprocess.run(
            [sys.executable, "-m", program, *arguments],
            env={**os.environ, "PYTHONPATH": paths}, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert b"SC-3" in done.stdout
