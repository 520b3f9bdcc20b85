"""Bad input among few pupils: what `benchmarks/speed/bad_input.py` shows among a million."""

import importlib
from pathlib import Path

import pytest

from mhscreen.interop.problem_file import EXAMPLES

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    return importlib.import_module("bad_input")


def test_three_mistakes_and_a_flood_of_them_are_all_counted_and_listed(script, tmp_path):
    script.write_inputs(tmp_path, 200)
    found = {kind: script.run(tmp_path / kind) for kind in ("clean", "three", "every")}
    script.compare(tmp_path, found)
    assert found["every"]["by_code"]["MH401"] > EXAMPLES
    assert found["every"]["held"] <= EXAMPLES * len(found["every"]["by_code"])


def test_a_problem_that_is_missing_is_noticed(script, tmp_path):
    script.write_inputs(tmp_path, 60)
    found = {kind: script.run(tmp_path / kind) for kind in ("clean", "every")}
    with pytest.raises(ValueError, match="three mistakes"):
        script.compare(tmp_path, {**found, "three": found["clean"]})
    lost = {"by_code": {**found["clean"]["by_code"], **script.MISTAKES}}
    wrong = {"by_code": {**found["every"]["by_code"], "MH401": 3}}
    for code, number in found["clean"]["by_code"].items():
        lost["by_code"][code] = number + script.MISTAKES.get(code, 0)
    with pytest.raises(ValueError, match="not all are listed"):
        script.compare(tmp_path, {"clean": found["clean"], "three": lost, "every": wrong})
