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


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time imports, and loading the library; nobody is screened."""
    del pupils, work
    rounds = max(1, round(ROUNDS * timing.PATIENCE))
    printed = run_child([str(Path(__file__).with_name("startup.py")), str(rounds)]).output
    for line in _LINE.finditer(printed):
        what, _, against = line["name"].partition(" / ")
        ratio = float(line["ratio"])
        yield Figure(MEASURE, what, against, 0, ratio, ratio, ratio, turns=rounds)


if __name__ == "__main__":
    run(measure, [0])
