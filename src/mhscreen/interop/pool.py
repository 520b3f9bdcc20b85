"""The parts of a run, one after the other or in several processes: the same files either way."""

from __future__ import annotations

from collections import deque
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Protocol

from mhscreen.interop.beside import read_ahead
from mhscreen.interop.memory import system_memory
from mhscreen.interop.part import PartFiles, screen_to_files
from mhscreen.problems import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from mhscreen.interop.part import Job
    from mhscreen.steps.tables import Table

    Progress = Callable[[str, int, int], None]
    Task = tuple["PartInput", Path]
    Result = tuple[Path, bool]  # of a part, and whether it was done just now

__all__ = ["WORKER_STOPPED", "Parts", "screen_parts"]

WORKER_STOPPED = (
    "a process that was screening a part of the pupils was stopped, or ran out of "
    "memory; nothing is lost: start the same command again and it goes on, or with "
    "fewer workers (a script calls this below 'if __name__ == \"__main__\":')"
)
"""What is said when one of several processes is gone."""


class PartInput(Protocol):
    """What a part is screened from; it can be pickled."""

    def read(self) -> Mapping[int, Table]:
        """Return its rows of each table, the roster's under `mhscreen.interop.partition.ROSTER`."""


class Parts(Protocol):
    """The parts of a run, in the order of the roster; they can be gone through again."""

    def __len__(self) -> int:
        """Return how many there are."""

    def __iter__(self) -> Iterator[tuple[int, PartInput]]:
        """Yield the number of each, and what is in it."""


def screen_parts(
    job: Job, parts: Parts, done: Path, workers: int, tell: Progress
) -> Iterator[PartFiles]:
    """Screen every part that is not done yet.

    Parameters
    ----------
    job : Job
        What the parts have in common.
    parts : Parts
        All parts; they are gone through to the end.
    done : Path
        The folder of the parts that are done.
    workers : int
        How many processes; with 1 there is none beside this one.
    tell : callable
        Told after each part how many parts are done.

    Yields
    ------
    PartFiles
        Each part when it is done, in their order.

    Raises
    ------
    StoppedError
        If one of several processes was stopped.
    """
    total, finished = len(parts), sum(1 for _ in done.glob("[0-9]*"))
    tell("screen", finished, total)
    tasks = ((part, done / f"{number:06d}") for number, part in parts)
    results = _in_turn(job, tasks) if workers == 1 else _at_once(job, tasks, workers)
    for folder, is_new in results:
        finished += is_new
        tell("screen", finished, total)
        yield PartFiles(folder)


def _in_turn(job: Job, tasks: Iterator[Task]) -> Iterator[Result]:
    read = ((None if folder.exists() else part.read(), folder) for part, folder in tasks)
    for tables, folder in read_ahead(read):
        if tables is not None:
            screen_to_files(job, tables, folder)
        yield folder, tables is not None


def _at_once(job: Job, tasks: Iterator[Task], workers: int) -> Iterator[Result]:
    # Spawned, not forked: the threads of the libraries do not survive a fork.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_prepare, initargs=(job,)
    )
    with pool:
        waiting: deque[tuple[Path, Future[None] | None]] = deque()
        try:
            for part, folder in tasks:
                is_new = not folder.exists()
                waiting.append((folder, pool.submit(_screen, part, folder) if is_new else None))
                while len(waiting) > 2 * workers:
                    yield _result(*waiting.popleft())
            while waiting:
                yield _result(*waiting.popleft())
        except BrokenExecutor as error:
            raise StoppedError(WORKER_STOPPED) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _result(folder: Path, future: Future[None] | None) -> Result:
    if future is not None:
        future.result()
    return folder, future is not None


_JOB: list[Job] = []  # of this process, which has no other


def _prepare(job: Job) -> None:
    _JOB[:] = [job]


def _screen(part: PartInput, folder: Path) -> None:
    with system_memory():
        screen_to_files(_JOB[0], part.read(), folder)
