"""Time pieces of work against each other, and measure the memory of a process.

Machines are shared and change their pace, so that no second is trusted: pieces of work take turns
in one process (floor, variant, floor, variant …), and what counts is the median over the turns of
the ratio of two that stood beside each other.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Child", "Fresh", "Ratio", "Times", "run_child", "take_turns"]

PATIENCE = 1.0
"""How much longer than usual everything is timed: 0 for one turn alone."""

FEW, MANY = 5, 60
"""Turns that are wanted whatever they take, unless the time is up, and turns that are enough."""


class Ratio(NamedTuple):
    """How many times as long one piece of work takes as another, over the turns."""

    low: float
    """The first quartile."""
    middle: float
    high: float
    """The third quartile."""


@dataclass(frozen=True)
class Times:
    """Seconds by piece of work, one for each turn."""

    seconds: Mapping[str, tuple[float, ...]]

    @property
    def turns(self) -> int:
        """How often each piece of work had its turn."""
        return len(next(iter(self.seconds.values())))

    def median(self, name: str) -> float:
        """Return the median time of a piece of work."""
        return median(self.seconds[name])

    def ratio(self, name: str, against: str) -> Ratio:
        """Return the ratio of two pieces of work, turn by turn.

        Examples
        --------
        >>> times = Times({"floor": (1.0, 2.0, 1.0), "ours": (3.0, 6.0, 5.0)})
        >>> times.ratio("ours", "floor").middle
        3.0
        """
        pairs = [
            one / other
            for one, other in zip(self.seconds[name], self.seconds[against], strict=True)
        ]
        if len(pairs) < 2:
            return Ratio(pairs[0], pairs[0], pairs[0])
        low, middle, high = quantiles(pairs, n=4, method="inclusive")
        return Ratio(low, middle, high)


@dataclass(frozen=True)
class Fresh:
    """Work on something that is made anew for each turn, which is not timed.

    A result keeps what was asked of it; asked again it would cost nothing.
    """

    make: Callable[[], Any]
    work: Callable[[Any], object]


def take_turns(
    works: Mapping[str, Callable[[], object] | Fresh],
    *,
    enough: float = 4.0,
    most: float = 30.0,
    turns: int = MANY,
) -> Times:
    """Let pieces of work take turns.

    The first turn warms caches and allocators and does not count, unless the time is up after it.

    Parameters
    ----------
    works : mapping of str to callable, or Fresh
        In the order in which they take turns.
    enough : float
        Seconds after which a few turns are enough.
    most : float
        Seconds after which no further turn begins.
    turns : int
        No more turns than these.
    """
    enough, most = enough * PATIENCE, most * PATIENCE
    seconds: dict[str, list[float]] = {name: [] for name in works}
    begin = time.perf_counter()
    cold = True
    while True:
        for name, work in works.items():
            call = partial(work.work, work.make()) if isinstance(work, Fresh) else work
            gc.collect()
            start = time.perf_counter()
            result = call()
            seconds[name].append(time.perf_counter() - start)
            del result, call  # what is freed is no part of the time
        passed, done = time.perf_counter() - begin, len(next(iter(seconds.values())))
        if passed >= most or done >= turns or (done >= FEW and passed >= enough):
            return Times({name: tuple(found) for name, found in seconds.items()})
        if cold:
            cold = False
            for found in seconds.values():
                found.clear()


class Child(NamedTuple):
    """What a process of its own printed, and the most memory that it or a child of it held."""

    output: str
    megabytes: float


def run_child(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, quiet: bool = False
) -> Child:
    """Run a program in a process of its own.

    The peak is that of the largest single process. A process begins with the peak of the one that
    starts it, so that this is only to be called where little memory is in use.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    with subprocess.Popen(
        [sys.executable, *command] if command[0].endswith(".py") else list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        env={**os.environ, **(environment or {})},
        text=True,
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        complaint = process.stderr.read() if process.stderr is not None else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output, complaint)
    return Child(output, usage.ru_maxrss / 1024)
