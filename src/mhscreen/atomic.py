"""Files that appear whole or not at all.

A result is written under a hidden name beside its place, forced to the disk, and then renamed,
which a file system does in one step. Whoever finds a file under its own name finds all of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MARKER", "whole_file", "whole_folder"]

MARKER = "run.json"
"""The file that vouches for the others in its folder, and therefore comes last."""

_PARTIAL = ".partial."


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; the file stands at `path` only when the block ends well.

    After an exception nothing has changed: a file that stood at `path` before still stands there.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_file(f"{folder}/note.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     [file.name for file in Path(folder).iterdir()]
    ['note.txt']
    """
    target = Path(path).resolve()  # through a link: the file it points to is replaced, not the link
    temporary = target.with_name(f".{os.getpid()}{_PARTIAL}{target.name}")
    _clear(target.parent, target.name)
    try:
        with _stoppable():
            yield temporary
            _force(temporary)
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _force_folder(target.parent)


@contextmanager
def whole_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a hidden folder to write into; its files move to `path` when the block ends well.

    A new folder appears in one step. In a folder that exists, the old ``run.json`` goes first,
    then each file replaces its namesake, and the new ``run.json`` comes last: a folder with that
    file is complete. Files that this run did not write are left alone. Missing parents of `path`
    are made. After an exception inside the block, or when the process is asked to end, nothing
    has changed. What a killed process left of the same folder is removed by the next.
    """
    target = Path(path).resolve()
    made = _make_parents(target.parent)
    home = target if _must_stage_inside(target) else target.parent
    staging = home / f".{os.getpid()}{_PARTIAL}{target.name}"
    try:
        for place in {home, target.parent, target}:
            _clear(place, target.name)
        with _stoppable():
            staging.mkdir()
            yield staging
            files = sorted(file for file in staging.rglob("*") if file.is_file())
            for file in files:
                _force(file)
            if target.exists():
                _move_in(files, staging, target)
            else:
                staging.rename(target)
            _force_folder(target)
            _force_folder(target.parent)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


def _clear(folder: Path, name: str) -> None:
    """Remove what dead processes left half written: it holds pupils' answers."""
    try:
        found = list(folder.iterdir())
    except OSError:  # not there, or not to be looked into
        return
    for left in found:
        number = left.name.removesuffix(f"{_PARTIAL}{name}").removeprefix(".")
        if left.name != f".{number}{_PARTIAL}{name}" or not number.isdecimal():
            continue
        if _is_running(int(number)):
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


def _is_running(process: int) -> bool:
    """Whether another process of this number is running, as far as can be told."""
    if process == os.getpid():
        return False  # the number was given again: that process is dead
    if os.name == "nt":
        return True  # there a signal of 0 ends the process instead of looking for it
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn the request to end (SIGTERM) into an exception, so that the block can tidy up."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield  # somebody else decides what happens then
        return

    def stop(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)  # as a shell reports a signal

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _must_stage_inside(target: Path) -> bool:
    """Whether a sibling could not be renamed into the folder: another disk, or no right to."""
    return target.is_dir() and (target.is_mount() or not os.access(target.parent, os.W_OK))


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder with its parents; return those that are new, the innermost first."""
    made = []
    for parent in (folder, *folder.parents):
        if parent.exists():
            break
        made.append(parent)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def _move_in(files: list[Path], staging: Path, target: Path) -> None:
    (target / MARKER).unlink(missing_ok=True)
    _force_folder(target)
    for file in sorted(files, key=lambda file: file == staging / MARKER):
        place = target / file.relative_to(staging)
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)
    shutil.rmtree(staging)


def _force(file: Path) -> None:
    """Force a file's bytes to the disk."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


def _force_folder(folder: Path) -> None:
    """Force a folder's names to the disk, where the system can (Windows cannot)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
