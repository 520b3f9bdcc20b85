"""Compare what starting costs with its floors: ``python benchmarks/speed/startup.py [rounds]``.

Every round times the floor and then what is compared with it, one after the other, and the median
of the rounds' ratios is printed. Importing is timed in fresh processes, less what an interpreter
takes that imports nothing; loading and compiling in this process, when everything is imported.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import yaml

import mhscreen as mh
from mhscreen.loading import load_library

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / name for name in ("instruments", "norms", "policies", "programmes")]
PROGRAMME = "qingdao-2023@1"
FIRST_USE = f"import mhscreen as m; m.compile_plan(m.shipped_library(), programme='{PROGRAMME}')"
ROUNDS = 9


class Line(NamedTuple):
    """What is compared with what, and the ratio that is promised."""

    name: str
    bar: str
    floor: Callable[[], object]
    work: Callable[[], object]
    floor_alone: Callable[[], object] | None = None


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def fresh(code: str) -> Callable[[], object]:
    """Return a call that runs lines in a fresh interpreter."""
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def nothing() -> None:
    """Take no time."""


def ratio(line: Line, rounds: int) -> float:
    """Return the median of the ratios of some rounds, after one that is not counted."""
    found = []
    for _ in range(rounds + 1):
        alone = seconds(line.floor_alone or nothing)
        floor = seconds(line.floor)
        found.append((seconds(line.work) - alone) / (floor - alone))
    return statistics.median(found[1:])


def lines(cache: str) -> list[Line]:
    """Return everything that is compared."""
    files = [file for folder in FOLDERS for file in sorted(folder.rglob("*.yaml"))]
    files = [file for file in files if not file.name.endswith(".cases.yaml")]
    library = load_library(*FOLDERS)
    assert len(library) == len(files)

    def yaml_alone() -> None:
        for file in files:
            yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)

    def cold() -> mh.Library:
        return load_library(*FOLDERS)

    def cold_and_compiled() -> mh.Plan:
        return mh.compile_plan(cold(), programme=PROGRAMME)

    def precompiled() -> mh.Library:
        return load_library(*FOLDERS, cache_dir=cache)

    def precompiled_and_compiled() -> mh.Plan:
        return mh.compile_plan(precompiled(), programme=PROGRAMME)

    assert precompiled() == library == precompiled()
    bare, numpy = fresh("pass"), fresh("import numpy")
    return [
        Line("import mhscreen / import numpy", "1.5", numpy, fresh("import mhscreen"), bare),
        Line("first plan in a fresh process / import numpy", "", numpy, fresh(FIRST_USE), bare),
        Line("library, cold / the C YAML loader alone", "3", yaml_alone, cold),
        Line("library, cold, and one plan / the same", "3", yaml_alone, cold_and_compiled),
        Line("library, precompiled / cold", "0.1", cold, precompiled),
        Line("the same, each with one plan", "0.1", cold_and_compiled, precompiled_and_compiled),
    ]


def main(arguments: list[str]) -> None:
    """Print a table of ratios."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    print(f"{'':<48}  ratio  bar")
    with TemporaryDirectory() as cache:
        for line in lines(cache):
            print(f"{line.name:<48}  {ratio(line, rounds):>5.2f}  {line.bar:>3}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
