"""Engines on fragments against two processes, as figures of the table: what `clusters.py` prints.

``python benchmarks/speed/engines.py [pupils …]``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import timing
from figures import Figure, run
from starting import printed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = (40_000,)
ROUNDS = 3


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Time each engine that is installed; it brings its own district."""
    del work
    rounds = max(1, round(ROUNDS * timing.PATIENCE))
    for engine, ratio in printed("clusters.py", pupils, rounds):
        yield Figure("engines", engine, "two processes", pupils, ratio, ratio, ratio, turns=rounds)


if __name__ == "__main__":
    run(measure, SIZES)
