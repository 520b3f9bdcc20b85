"""The page on keeping the ledger is followed from top to bottom."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from mhscreen.cli import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "keep-the-ledger.md"
SET_BY_THE_SITE = "retention"  # the page says that it ends with 2


def test_every_command_of_the_page_does_what_it_says(tmp_path, monkeypatch):
    text = PAGE.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    (draft,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    (tmp_path / "day.jsonl").write_text(draft, "utf-8")
    commands = [
        line
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 9
    said = []
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "mhscreen"
        result = CliRunner().invoke(app, arguments)
        expected = 2 if SET_BY_THE_SITE in arguments else 0
        assert result.exit_code == expected, command + result.output
        said.append(result.stdout)
    assert "300 entries added" in said[1]
    assert "1 entries added" in said[2]
    assert "300 entries came out byte for byte, 0 otherwise" in said[4]
    assert "302 entries (2 erased), 3 batches: unchanged" in said[7]
