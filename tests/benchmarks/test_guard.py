"""The guard notices what got slower, and is not startled by one bad round."""

import importlib
import time
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"
FAR = 2.0  # the machine that runs the tests may be busy


@pytest.fixture
def guard(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    return importlib.import_module("guard")


def timed(milliseconds):
    """Return a measure of a piece of work against a floor of ten milliseconds."""
    works = {
        "floor": lambda: time.sleep(0.01),
        "kernel": lambda: time.sleep(milliseconds / 1000),
    }

    def ratios():
        times = importlib.import_module("timing").take_turns(works, turns=3)
        return {"kernel": times.ratio("kernel", "floor").middle, "same": 1.0}

    return ratios


def of(*rounds):
    """Return a measure that finds these ratios, one after the other, and then the last."""
    left = list(rounds)
    return lambda: {"kernel": left.pop(0) if len(left) > 1 else left[0]}


def test_a_kernel_that_sleeps_longer_is_noticed(guard):
    _, worse = guard.slower(timed(10), timed(80), rounds=2, tolerance=FAR)
    assert [one.name for one in worse] == ["kernel"]


def test_the_same_kernel_is_not_slower_than_itself(guard):
    changes, worse = guard.slower(timed(10), timed(10), rounds=2, tolerance=FAR)
    assert len(changes) == 2
    assert not worse


def test_a_faster_kernel_passes(guard):
    assert not guard.slower(of(4.0), of(2.0))[1]


def test_one_disturbed_round_decides_nothing(guard):
    assert not guard.slower(of(2.0), of(9.0, 2.0), rounds=5)[1]


def test_what_looks_slower_is_looked_at_again(guard):
    changes, worse = guard.slower(of(2.0), of(*[3.0] * 5, 2.0), rounds=5)
    assert len(changes[0].rounds) == 15
    assert not worse
    assert guard.slower(of(2.0), of(3.0), rounds=5)[1]


def test_a_change_within_the_tolerance_passes(guard):
    assert not guard.slower(of(2.0), of(2.2), tolerance=0.15)[1]
    assert guard.slower(of(2.0), of(2.4), tolerance=0.15)[1]


def test_only_what_both_commits_can_do_is_compared(guard):
    changes = guard.compare(lambda: {"old": 1.0, "both": 1.0}, lambda: {"both": 1.0, "new": 1.0}, 1)
    assert [one.name for one in changes] == ["both"]


@pytest.mark.parametrize("change", [1.0, 1.5])
def test_the_command_says_what_got_slower_and_exits_with_one(guard, monkeypatch, capsys, change):
    asked = []

    def run_at(source, _work):
        asked.append(source)
        return of(2.0 * (change if len(asked) == 2 else 1))

    monkeypatch.setattr(guard, "run_at", run_at)
    monkeypatch.setattr(guard, "checked_out", lambda commit, folder: folder / f"{commit}")
    assert guard.main(["v1", "v2", "--rounds", "2"]) == (change > 1)
    assert [one.name for one in asked] == ["v1", "v2"]
    assert ("SLOWER" in capsys.readouterr().out) == (change > 1)


@pytest.mark.slow
def test_the_ratios_of_this_package_are_taken(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(SPEED))
    monkeypatch.setattr(importlib.import_module("timing"), "PATIENCE", 0.0)
    guarded = importlib.import_module("guarded")
    monkeypatch.setattr(guarded, "PUPILS", 1_000)
    found = guarded.ratios(tmp_path)
    assert len(found) == 7
    assert all(ratio > 0 for ratio in found.values())
