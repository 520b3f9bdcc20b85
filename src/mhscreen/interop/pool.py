"""The parts of a run, one after the other or in several processes: the same files either way."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from typing import TYPE_CHECKING

from mhscreen.interop.part import PartFiles, screen_to_files
from mhscreen.interop.partition import read_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from mhscreen.interop.part import Job
    from mhscreen.interop.partition import Partition

    Progress = Callable[[str, int, int], None]
    Task = tuple[Path, Path]

__all__ = ["screen_parts"]


def screen_parts(
    job: Job, partition: Partition, done: Path, workers: int, tell: Progress
) -> list[PartFiles]:
    """Screen every part that is not done yet.

    Parameters
    ----------
    job : Job
        What the parts have in common.
    partition : Partition
        The parts.
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
    """
    numbers = [one for one in range(partition.parts) if partition.path(one).exists()]
    tasks = [(partition.path(one), done / f"{one:06d}") for one in numbers]
    missing = [task for task in tasks if not task[1].exists()]
    finished = len(tasks) - len(missing)
    tell("screen", finished, len(tasks))
    results = _in_turn(job, missing) if workers == 1 else _at_once(job, missing, workers)
    for _ in results:
        finished += 1
        tell("screen", finished, len(tasks))
    return [PartFiles(folder) for _, folder in tasks]


def _in_turn(job: Job, tasks: list[Task]) -> Iterator[None]:
    for path, folder in tasks:
        screen_to_files(job, read_part(path), folder)
        yield


def _at_once(job: Job, tasks: list[Task], workers: int) -> Iterator[None]:
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
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_JOB: list[Job] = []  # of this process, which has no other


def _prepare(job: Job) -> None:
    _JOB[:] = [job]


def _screen(path: Path, folder: Path) -> None:
    screen_to_files(_JOB[0], read_part(path), folder)
