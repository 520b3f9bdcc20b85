"""What starting costs, as figures of the table: what `startup.py` prints.

``python benchmarks/speed/starting.py``
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import timing
from figures import Figure, run
from timing import run_child

if TYPE_CHECKING:
    from collections.abc import Iterator

MEASURE = "start-up"
ROUNDS = 7

_LINE = re.compile(r"^(?P<name>\S.*?) {2,}(?P<ratio>\d+\.\d+)\b", re.MULTILINE)


def printed(script: str, *arguments: int) -> Iterator[tuple[str, float]]:
    """Yield the names and ratios of the table that a script beside this one prints."""
    command = [str(Path(__file__).with_name(script)), *map(str, arguments)]
    for line in _LINE.finditer(run_child(command).output):
        yield line["name"], float(line["ratio"])


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time imports, and loading the library; nobody is screened."""
    del pupils, work
    rounds = max(1, round(ROUNDS * timing.PATIENCE))
    for name, ratio in printed("startup.py", rounds):
        what, _, against = name.partition(" / ")
        yield Figure(MEASURE, what, against, 0, ratio, ratio, ratio, turns=rounds)


if __name__ == "__main__":
    run(measure, [0])
