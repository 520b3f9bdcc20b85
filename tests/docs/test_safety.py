"""Each hazard of the log stands beside tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/safety/README.md").read_text("utf-8")
ROWS = {
    cells[0]: cells
    for line in PAGE.splitlines()
    if re.match(r"\| HZ\d+ \|", line)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_hazard_of_the_facts_is_in_the_log():
    assert list(ROWS) == [f"HZ{number}" for number in range(1, 19)]


@pytest.mark.parametrize("hazard", ROWS)
def test_every_hazard_names_a_test(hazard):
    assert "::" in ROWS[hazard][3]


@pytest.mark.parametrize("file, name", NAMED)
def test_a_test_that_the_log_names_is_there(file, name):
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
