"""The small made-up definitions, and a folder to write changed ones into."""

import shutil
from pathlib import Path

import pytest

GOOD = Path(__file__).parent.parent / "definitions" / "good"


@pytest.fixture
def good_folder():
    return GOOD


@pytest.fixture
def garden(tmp_path, monkeypatch):
    """Copy the good definitions into an empty current folder."""
    for folder in GOOD.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def change(garden):
    """Replace text in a file of the garden, perhaps into another file."""

    def write(file, *replacements, to=None):
        text = (garden / file).read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text, f"{old!r} is not in {file}"
            text = text.replace(old, new)
        target = garden / (to or file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")

    return write
