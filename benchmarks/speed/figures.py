"""What a measure found, and how a script of measures is run."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import timing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from timing import Times

__all__ = ["Figure", "compare", "parse", "run"]


@dataclass(frozen=True)
class Figure:
    """How many times as long (or as large) one thing is as another.

    Attributes
    ----------
    measure : str
        What was measured, such as ``scores``.
    what, against : str
        The two things.
    pupils : int
        On how many pupils; what was timed on fewer is scaled, see `scaled_from`.
    ratio, low, high : float
        The median over the turns, and the quartiles.
    seconds : float
        The median time of `what`: of no use but to see how long it takes. 0 where nothing was
        timed.
    turns : int
        How many turns there were.
    megabytes : float or None
        Where memory was measured: the peak of the largest process.
    scaled_from : int or None
        The number of pupils on which `what` was timed, where that was fewer.
    note : str
        What else must be said.
    """

    measure: str
    what: str
    against: str
    pupils: int
    ratio: float
    low: float
    high: float
    seconds: float = 0.0
    turns: int = 1
    megabytes: float | None = None
    scaled_from: int | None = None
    note: str = ""

    @property
    def line(self) -> str:
        """The figure as a line for a person."""
        star = "*" if self.scaled_from else ""
        memory = "" if self.megabytes is None else f"  {self.megabytes:6.0f} MB"
        return (
            f"{self.pupils:>9}  {self.measure}: {self.what} / {self.against}"
            f" = {self.ratio:.3g}{star} ({self.low:.3g}-{self.high:.3g}, {self.turns} turns,"
            f" {self.seconds:.4g} s){memory}"
        )


class Measure(Protocol):
    """A script's measure."""

    def __call__(self, pupils: int, work: Path) -> Iterable[Figure]:
        """Measure at one size; `work` is a folder for what is needed."""


def compare(
    measure: str,
    times: Times,
    pupils: int,
    against: str,
    *,
    scale: dict[str, int] | None = None,
    note: str = "",
) -> list[Figure]:
    """Return the figures of all pieces of work against one of them.

    Parameters
    ----------
    measure : str
        What was measured.
    times : Times
        The times.
    pupils : int
        On how many pupils.
    against : str
        The piece of work that the others are compared with.
    scale : dict of str to int
        Pieces of work that were timed on fewer pupils, and on how many.
    note : str
        What else must be said.
    """
    found = []
    for name in times.seconds:
        if name == against:
            continue
        fewer = (scale or {}).get(name)
        factor = pupils / fewer if fewer else 1.0
        low, middle, high = (factor * one for one in times.ratio(name, against))
        seconds = factor * times.median(name)
        found.append(
            Figure(
                measure, name, against, pupils, middle, low, high, seconds, times.turns,
                scaled_from=fewer, note=note,
            )
        )  # fmt: skip
    return found


def parse(lines: str) -> list[Figure]:
    """Return the figures that a script printed with ``--json``."""
    return [Figure(**json.loads(line)) for line in lines.splitlines() if line.startswith("{")]


def run(measure: Measure, sizes: Sequence[int], arguments: Sequence[str] | None = None) -> None:
    """Run a script of measures: ``python SCRIPT [pupils …] [--work FOLDER] [--json]``."""
    parser = argparse.ArgumentParser(description=measure.__doc__)
    parser.add_argument("pupils", nargs="*", type=int, default=sizes)
    parser.add_argument("--work", type=Path, help="a folder for data, kept")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--patience", type=float, default=1.0, help="2: time twice as long")
    asked = parser.parse_args(arguments)
    timing.PATIENCE = asked.patience
    with TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        for pupils in asked.pupils:
            for figure in measure(pupils, work):
                print(json.dumps(asdict(figure)) if asked.json else figure.line, flush=True)
