"""The work folder of a run: what is done already, for the run that goes on after a kill.

It holds pupils' answers, so nobody else may look into it, and it goes when the run has ended.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mhscreen.interop.collector import LEDGER, read_collected
from mhscreen.interop.part import PartFiles
from mhscreen.problems import StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["WorkFolder", "open_work_folder", "work_path"]

_KEY, _LOCK = "run.key.json", "lock"


def work_path(out: str | os.PathLike[str], temporary: str | os.PathLike[str] | None) -> Path:
    """Return where a run keeps what it has to keep.

    Parameters
    ----------
    out : path
        The folder for the results.
    temporary : path or None
        The folder for temporary files; by default that in which `out` is.

    Examples
    --------
    >>> work_path("/data/out", "/fast").as_posix().endswith("/fast/.out.work")
    True
    """
    out = Path(out).resolve()
    home = out.parent if temporary is None else Path(temporary).resolve()
    return home / f".{out.name}.work"


class WorkFolder:
    """Where a run keeps what it has to keep.

    Attributes
    ----------
    input, done, results, merge : Path
        The input sorted into parts; what is finished of each part; ledger and archive as far as
        they go; what else is put together.
    """

    def __init__(self, path: Path) -> None:
        self.input, self.done = path / "input", path / "done"
        self.results, self.merge = path / "results", path / "merge"
        self._path = path

    def start(self, key: Mapping[str, Any]) -> None:
        """Begin, or go on where this very run was.

        Parameters
        ----------
        key : mapping
            All that the results depend on; what another run has left is removed.
        """
        text = json.dumps(key, sort_keys=True)
        place = self._path / _KEY
        goes_on = place.exists() and place.read_text("utf-8") == text and self._is_whole()
        kept = (self.done, self.results)
        for folder in (self.input, self.merge, *(() if goes_on else kept)):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (self.input, self.merge, *kept):
            folder.mkdir(exist_ok=True)
        if not goes_on:
            temporary = place.with_suffix(".new")
            temporary.write_text(text, "utf-8")
            temporary.replace(place)

    def _is_whole(self) -> bool:
        """Whether what is done stands there as it was written: not after a power failure."""
        steps, size = read_collected(self.results)
        ledger = self.results / LEDGER
        if size and (not ledger.exists() or ledger.stat().st_size < size):
            return False
        parts = sorted(self.done.glob("[0-9]*"))
        return all(
            PartFiles(folder).is_whole(collected=number < steps)
            for number, folder in enumerate(parts)
        )


@contextmanager
def open_work_folder(path: Path) -> Iterator[WorkFolder]:
    """Give the work folder of a run; it is removed unless the process or a worker is stopped.

    Parameters
    ----------
    path : Path
        The folder itself, of no other use; missing parents are made.

    Raises
    ------
    UsageError
        If another run is at work in it, or it does not belong to this user.
    """
    made = [parent for parent in path.parents if not parent.exists()]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.is_symlink() or (hasattr(os, "getuid") and path.stat().st_uid != os.getuid()):
        msg = f"temporary: {path} belongs to somebody else"
        raise UsageError(msg)
    path.chmod(0o700)
    with (path / _LOCK).open("wb") as lock:
        _take(lock.fileno(), path)
        try:
            yield WorkFolder(path)
        except StoppedError:  # the next run goes on
            raise
        except Exception:
            _remove(path, made)
            raise
    _remove(path, made)


def _remove(path: Path, made: list[Path]) -> None:
    shutil.rmtree(path, ignore_errors=True)
    for parent in made:
        try:
            parent.rmdir()
        except OSError:  # the results are in it
            return


def _take(lock: int, path: Path) -> None:
    """Hold the folder until the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: there an open file cannot be removed, which says it, too
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        msg = f"temporary: another run is at work in {path}"
        raise UsageError(msg) from None
