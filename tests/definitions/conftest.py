"""The small made-up definitions that tests change one line at a time."""

from pathlib import Path

import pytest

from mhscreen.loading import load_library, read_definition

GOOD = Path(__file__).parent / "good"
FILES = {
    "instrument": GOOD / "instruments/leaf/1.0.0.yaml",
    "norm": GOOD / "norms/leaf/window-sill.1.0.0.yaml",
    "policy": GOOD / "policies/garden/1.0.0.yaml",
    "programme": GOOD / "programmes/garden-2026/1.0.0.yaml",
}


@pytest.fixture
def good():
    return load_library(GOOD)


@pytest.fixture
def changed():
    """Read a good definition with some of its text replaced."""

    def read(kind, *replacements):
        text = FILES[kind].read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text, f"{old!r} is not in the good {kind}"
            text = text.replace(old, new)
        return read_definition(text, f"{kind}.yaml")

    return read
