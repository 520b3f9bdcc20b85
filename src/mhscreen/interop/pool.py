"""The parts of a run, one after the other or in several processes: the same files either way."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TYPE_CHECKING, Protocol

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

__all__ = ["Parts", "screen_parts"]


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
) -> list[PartFiles]:
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

    Returns
    -------
    list of PartFiles
        In the order of the parts, whatever the order in which they were done.

    Raises
    ------
    StoppedError
        If one of several processes was stopped.
    """
    folders: list[Path] = []

    def missing() -> Iterator[Task]:
        for number, part in parts:
            folders.append(done / f"{number:06d}")
            if not folders[-1].exists():
                yield part, folders[-1]

    total = len(parts)
    finished = sum(1 for _ in done.glob("[0-9]*"))
    tell("screen", finished, total)
    results = _in_turn(job, missing()) if workers == 1 else _at_once(job, missing(), workers)
    for _ in results:
        finished += 1
        tell("screen", finished, total)
    return [PartFiles(folder) for folder in folders]


def _in_turn(job: Job, tasks: Iterator[Task]) -> Iterator[None]:
    for part, folder in tasks:
        screen_to_files(job, part.read(), folder)
        yield


def _at_once(job: Job, tasks: Iterator[Task], workers: int) -> Iterator[None]:
    # Spawned, not forked: the threads of the libraries do not survive a fork.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_prepare, initargs=(job,)
    )
    with pool:
        waiting: set[Future[None]] = set()
        try:
            for task in tasks:
                if len(waiting) >= 2 * workers:
                    finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    for one in finished:
                        yield one.result()
                waiting.add(pool.submit(_screen, *task))
            for one in waiting:
                yield one.result()
        except BrokenExecutor as error:
            msg = (
                "a process that was screening a part of the pupils was stopped, or ran out of "
                "memory; nothing is lost: start the same command again and it goes on, or with "
                "fewer workers (a script calls this below 'if __name__ == \"__main__\":')"
            )
            raise StoppedError(msg) from error
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_JOB: list[Job] = []  # of this process, which has no other


def _prepare(job: Job) -> None:
    _JOB[:] = [job]


def _screen(part: PartInput, folder: Path) -> None:
    screen_to_files(_JOB[0], part.read(), folder)
