"""What the conformance kit expects is what psych::scoreItems of R gives, from keys of its own."""

import csv
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KIT = ROOT / "benchmarks" / "conformance" / "kit"
TOLERANCE = 5e-5
"""`expected.csv` holds four decimals; an error in a key moves a score by 1/90 or more."""


def rows(file):
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.fixture(scope="module")
def from_r():
    return rows(ROOT / "tests/golden/r/kit_scores.csv")


def test_the_kit_expects_what_psych_gives(from_r):
    expected = {}
    compared = Counter()
    for row in from_r:
        form = row["vector"].partition("/")[0]
        if form not in expected:
            expected[form] = {one["vector"]: one for one in rows(KIT / form / "expected.csv")}
        if row["scale"] not in expected[form][row["vector"]]:
            continue  # a version that lacks a scale
        cell = expected[form][row["vector"]][row["scale"]]
        assert cell, row
        assert float(cell) == pytest.approx(float(row["score"]), abs=TOLERANCE), row
        compared[form] += 1
    assert len(compared) > 60
    assert sum(compared.values()) > 4000


def test_every_vector_that_r_scored_is_still_in_the_kit(from_r):
    """Or else the file is of an older kit: run tests/golden/r/score_kit.R again."""
    names = {row["vector"] for file in KIT.glob("*/inputs.csv") for row in rows(file)}
    assert {row["vector"] for row in from_r} <= names
