"""The kit that is shipped, and some of its forms."""

from pathlib import Path

import pytest

from mhscreen.conformance.check import load_kits

REFS = ("gad7@1", "phq9@1", "dsrsc@1", "asq@1", "sdq@1", "mht@1")


@pytest.fixture(scope="session")
def shipped_kit():
    """Return the folder of the kit that is shipped."""
    return Path(__file__).parents[2] / "benchmarks" / "conformance" / "kit"


@pytest.fixture(scope="session")
def kits(shipped_kit, library):
    """Return some forms of the kit by name."""
    return {kit.form.name: kit for kit in load_kits(shipped_kit, library, REFS)}
