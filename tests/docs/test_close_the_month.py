"""The page on closing a month: its commands are run on the synthetic district that it names."""

import pytest
from run_docs import ROOT, blocks, run_console
from typer.testing import CliRunner

from mhscreen.cli import app

PAGE = ROOT / "docs/how-to/close-the-month.md"


@pytest.fixture
def reader(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(app, ["demo", "--pupils", "300", "--out", "out"])
    assert made.exit_code == 0, made.output
    return tmp_path


def test_every_command_of_the_page_does_what_it_shows(reader):
    for _, text in blocks(PAGE, "console"):
        run_console(text)
    text = PAGE.read_text(encoding="utf-8")
    for sheet in reader.joinpath("october").glob("*.csv"):
        assert f"`{sheet.stem}`" in text
