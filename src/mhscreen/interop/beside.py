"""Reading and writing beside the work: one thread each, one item at a time, in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

__all__ = ["read_ahead", "write_behind"]

T = TypeVar("T")


def read_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield items; the next one is made while the last one is worked on.

    Examples
    --------
    >>> list(read_ahead(range(3)))
    [0, 1, 2]
    """
    remaining = iter(items)

    def take() -> list[T]:
        return list(islice(remaining, 1))

    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(take)
        while found := waiting.result():
            waiting = thread.submit(take)
            yield from found


def write_behind(items: Iterable[T], write: Callable[[T], None]) -> Iterator[T]:
    """Yield items; each is written while the next one is made.

    When the last one has been yielded, all are written.

    Examples
    --------
    >>> written = []
    >>> list(write_behind(range(3), written.append)), written
    ([0, 1, 2], [0, 1, 2])
    """
    with ThreadPoolExecutor(1) as thread:
        waiting: Future[None] | None = None
        for item in items:
            if waiting is not None:
                waiting.result()
            waiting = thread.submit(write, item)
            yield item
        if waiting is not None:
            waiting.result()
