"""Files appear whole or not at all."""

import os
import signal
import subprocess
import sys

import pytest

from mhscreen.atomic import MARKER, whole_file, whole_folder


class StoppedError(Exception):
    """What stops a run halfway."""


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_when_the_block_ends(tmp_path):
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


@pytest.mark.parametrize("stop", [StoppedError, KeyboardInterrupt])
def test_a_file_that_was_not_finished_leaves_nothing(tmp_path, stop):
    def write():
        with whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise stop

    with pytest.raises(stop):
        write()
    assert names(tmp_path) == []


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path):
    (tmp_path / "a.txt").write_text("old")

    def write():
        with whole_file(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise StoppedError

    with pytest.raises(StoppedError):
        write()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_file_that_was_never_written_is_an_error(tmp_path):
    def write():
        with whole_file(tmp_path / "a.txt"):
            pass

    with pytest.raises(FileNotFoundError):
        write()
    assert names(tmp_path) == []


def test_a_file_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "there" / "a.txt")
    with whole_file(tmp_path / "link.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "a.txt").read_text() == "new"


def fill(folder, text="new"):
    for name in ("archive.parquet", "ledger.jsonl", MARKER):
        (folder / name).write_text(text)


def test_a_new_folder_appears_in_one_step_with_its_parents(tmp_path):
    with whole_folder(tmp_path / "deep" / "out") as folder:
        fill(folder)
        assert not (tmp_path / "deep" / "out").exists()
    assert names(tmp_path / "deep") == ["out", *(f"out/{n}" for n in names(tmp_path / "deep/out"))]
    assert names(tmp_path / "deep" / "out") == ["archive.parquet", "ledger.jsonl", "run.json"]


def test_a_folder_that_was_not_finished_leaves_nothing(tmp_path):
    def write():
        with whole_folder(tmp_path / "deep" / "out") as folder:
            fill(folder)
            raise StoppedError

    with pytest.raises(StoppedError):
        write()
    assert names(tmp_path) == []


def test_a_folder_that_was_not_finished_leaves_the_old_one(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    fill(out, "old")

    def write():
        with whole_folder(out) as folder:
            fill(folder)
            raise StoppedError

    with pytest.raises(StoppedError):
        write()
    assert names(tmp_path) == ["out", "out/archive.parquet", "out/ledger.jsonl", "out/run.json"]
    assert {file.read_text() for file in out.iterdir()} == {"old"}


def test_the_marker_goes_first_and_comes_last(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    fill(out, "old")
    seen = []
    replace = type(out).replace

    def watch(self, target):
        seen.append((target.name, (out / MARKER).exists()))
        return replace(self, target)

    monkeypatch.setattr(type(out), "replace", watch)
    with whole_folder(out) as folder:
        fill(folder)
        (folder / "urgent.csv").write_text("new")
    assert seen == [
        ("archive.parquet", False), ("ledger.jsonl", False), ("urgent.csv", False), (MARKER, False),
    ]  # fmt: skip
    assert {file.read_text() for file in out.iterdir()} == {"new"}


def test_files_of_other_people_are_left_alone(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with whole_folder(out) as folder:
        fill(folder)
        (folder / "schools").mkdir()
        (folder / "schools" / "1.csv").write_text("new")
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "schools" / "1.csv").read_text() == "new"
    assert names(tmp_path)[0] == "out"


def test_a_folder_on_another_disk_is_filled_from_inside(tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(type(out), "is_mount", lambda self: self == out)
    with whole_folder(out) as folder:
        assert folder.parent == out
        fill(folder)
    assert names(out) == ["archive.parquet", "ledger.jsonl", "run.json"]


def test_what_a_dead_process_left_is_not_taken_along(tmp_path):
    left = tmp_path / f".{os.getpid()}.partial.out"
    left.mkdir()
    (left / "stale.csv").write_text("old")
    with whole_folder(tmp_path / "out") as folder:
        fill(folder)
    assert names(tmp_path / "out") == ["archive.parquet", "ledger.jsonl", "run.json"]


@pytest.fixture
def dead():
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path, dead):
    (tmp_path / f".{dead}.partial.out").mkdir()
    (tmp_path / f".{dead}.partial.out" / "ledger.jsonl").write_text("answers")
    (tmp_path / f".{dead}.partial.a.txt").write_text("half")
    with whole_folder(tmp_path / "out") as folder:
        fill(folder)
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out"]


def test_it_is_removed_from_inside_a_folder_too(tmp_path, dead):
    (tmp_path / "out" / f".{dead}.partial.out").mkdir(parents=True)
    with whole_folder(tmp_path / "out") as folder:
        fill(folder)
    assert names(tmp_path / "out") == ["archive.parquet", "ledger.jsonl", "run.json"]


def test_what_a_running_process_or_somebody_else_writes_is_left_alone(tmp_path, dead):
    kept = [
        f".{os.getppid()}.partial.out", f".{dead}.partial.other", ".x.partial.out",
        f"{dead}.partial.out",
    ]  # fmt: skip
    for name in kept:
        (tmp_path / name).mkdir()
    with whole_folder(tmp_path / "out") as folder:
        fill(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, "out"])


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without asking")
@pytest.mark.parametrize("end, left", [(signal.SIGTERM, []), (signal.SIGKILL, ["partial"])])
def test_a_process_that_is_asked_to_end_tidies_up(tmp_path, end, left):
    program = (
        "import sys, time\n"
        "from mhscreen.atomic import whole_folder\n"
        "with whole_folder(sys.argv[1]) as folder:\n"
        "    (folder / 'ledger.jsonl').write_text('answers')\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(end)
        assert process.wait(timeout=30) in {128 + end, -end}
    assert [path.name.split(".")[2] for path in tmp_path.iterdir()] == left
    with whole_folder(tmp_path / "out") as folder:
        fill(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_after_the_block_the_request_to_end_means_what_it_did(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    with whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert signal.getsignal(signal.SIGTERM) is before
