"""Runs that are stopped, or one of their processes: what is done is kept, and the next goes on."""

import datetime as dt
import os

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from mhscreen import compile_plan
from mhscreen.cli import app
from mhscreen.interop import pool, run_folder
from mhscreen.interop.run_folder import write_district
from mhscreen.loading import shipped_library


def die(_part, _folder):
    """End a process as the system does when memory runs out."""
    os._exit(9)


@pytest.fixture
def command(tmp_path):
    plan = compile_plan(shipped_library(), programme="qingdao-2023@1")
    roster, answers = write_district(
        plan, 40, seed=2, on=dt.date(2026, 10, 15), folder=tmp_path / "input"
    )
    return [
        "screen", "--programme", "qingdao-2023@1", "--at", "2026-10-15", "--roster", str(roster),
        "--responses", str(answers), "--out", str(tmp_path / "out"), "--workers", "2",
    ]  # fmt: skip


def test_a_process_that_is_killed_ends_the_run_with_a_word_on_what_to_do(
    command, tmp_path, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(pool, "_screen", die)
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "a process that was screening a part of the pupils was stopped" in result.stderr
    assert "start the same command again" in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()
    assert (tmp_path / ".out.work").exists()
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 0, again.output
    assert (tmp_path / "out" / "run.json").exists()
    assert not (tmp_path / ".out.work").exists()


def test_a_run_that_somebody_stops_says_where_its_work_is_kept(command, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "merge_urgent", stop)
        result = CliRunner().invoke(app, command[:-2])
    assert result.exit_code == 130
    assert str(tmp_path / ".out.work") in result.stderr.replace("\n", "")
    assert (tmp_path / ".out.work").exists()
    assert not (tmp_path / "out").exists()
    assert CliRunner().invoke(app, command).exit_code == 0
    assert not (tmp_path / ".out.work").exists()


def test_a_run_leaves_the_memory_pool_of_arrow_as_it_was(command):
    before = pa.default_memory_pool()
    CliRunner().invoke(app, command[:-2])
    assert pa.default_memory_pool().backend_name == before.backend_name
