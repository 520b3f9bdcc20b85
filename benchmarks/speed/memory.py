"""Peak memory of whole processes: scoring in memory, and runs on files.

``python benchmarks/speed/memory.py [pupils …]``

The peak of a run on files is compared with that of 100 000 pupils. This process stays small, since
one that it starts begins with its peak.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import peers
from figures import Figure, run
from timing import run_child

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (10_000, 100_000)
BASE = 100_000
IN_MEMORY = 1_000_000
"""More pupils are not held in memory at once here."""

MEGABYTES = 400
"""What a run on files may hold."""

_FILES, _HOLD = (str(Path(__file__).with_name(name)) for name in ("files.py", "hold.py"))


def measure(pupils: int, work: Path) -> Iterator[Figure]:
    """Measure peaks."""
    if pupils <= IN_MEMORY:
        yield from _in_memory(pupils, work)
    if pupils <= BASE or pupils > IN_MEMORY:  # between them nothing is learnt
        here, base = (_peak_on_files(size, work) for size in (pupils, BASE))
        for against, reference in ((f"{BASE} pupils", base), (f"{MEGABYTES} MB", MEGABYTES)):
            yield _figure("memory of a run on files", f"{pupils} pupils", against, pupils,
                          here, reference)  # fmt: skip


def _in_memory(pupils: int, work: Path) -> Iterator[Figure]:
    names = ["ours", *(name for name in peers.PEERS if not peers.absent(name))]
    run_child([_HOLD, "nothing", str(pupils), str(work)])  # draws the answers
    peaks = {
        name: run_child([_HOLD, name, str(pupils), str(work)]).megabytes
        for name in names
        if name != "object" or pupils <= BASE
    }
    for name, peak in peaks.items():
        yield _figure("memory of scoring", name, "ours", pupils, peak, peaks["ours"])


def _figure(
    measure: str, what: str, against: str, pupils: int, peak: float, reference: float
) -> Figure:
    ratio = peak / reference
    return Figure(measure, what, against, pupils, ratio, ratio, ratio, megabytes=peak)


def _peak_on_files(pupils: int, work: Path) -> float:
    kept = work / f"peak-{pupils}.txt"
    if not kept.exists():
        run_child([_FILES, "--inputs", str(pupils), str(work)])
        out = work / "peak-out"
        district = work / f"district-{pupils}" / "csv"
        peak = run_child([_FILES, "--run", str(district), str(out), "1"]).megabytes
        shutil.rmtree(out)
        kept.write_text(str(peak), encoding="utf-8")
    return float(kept.read_text(encoding="utf-8"))


if __name__ == "__main__":
    run(measure, SIZES)
