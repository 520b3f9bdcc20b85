"""A writer that is killed at any moment loses nothing and doubles nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mhscreen.ledger.stores import open_ledger
from mhscreen.ledger.verify import verify_ledger

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and fork")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["json-lines", "sqlite", "postgresql"])
def test_writers_killed_at_random_moments_lose_and_double_nothing(kind):
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "crash_ledger.py", kind, "--kills", "11"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == 3:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] == 11


@pytest.mark.parametrize("at", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_batch_cut_off_at_any_byte_is_as_if_it_had_never_begun(tmp_path, write, at):
    file = tmp_path / "kept.jsonl"
    ledger = open_ledger(file, create=True)
    ledger.append([write("A1", 10), write("A2", 10)])
    first, rows = file.read_bytes(), list(ledger.rows())
    batch = [write("A1", 11), write("A3", 11)]
    ledger.append(batch)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(first) + int(at * (len(whole) - len(first)))])
    assert list(ledger.rows()) == rows
    assert verify_ledger(ledger).problems == ()
    assert ledger.append(batch).added == 2
    assert file.read_bytes() == whole


@pytest.mark.parametrize("size", [0, 1, 10, 28])
def test_a_ledger_killed_in_its_first_line_can_be_begun_again(tmp_path, write, size):
    file = tmp_path / "kept.jsonl"
    open_ledger(file, create=True).append([write("A1")])
    whole = file.read_bytes()
    file.write_bytes(whole[:size])
    ledger = open_ledger(file)
    assert ledger.batches() == ()
    ledger.append([write("A1")])
    assert file.read_bytes() == whole
