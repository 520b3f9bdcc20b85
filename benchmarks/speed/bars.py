"""The bars that the speed work is held to, and whether they are met."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from figures import Figure

__all__ = ["BARS", "Bar", "Held", "hold"]


@dataclass(frozen=True)
class Bar:
    """What a ratio is to be.

    Attributes
    ----------
    measure, what, against : str
        The figure that it is for.
    limit : float
        The ratio.
    at_most : bool
        Whether the ratio is to be this or less; else this or more.
    pupils : int or None
        At this size; None: at the largest that was measured.
    stretch : float or None
        Better still.
    """

    measure: str
    what: str
    against: str
    limit: float
    at_most: bool = True
    pupils: int | None = None
    stretch: float | None = None

    @property
    def words(self) -> str:
        """The bar as the table says it."""
        text = f"{'≤' if self.at_most else '≥'} {self.limit:g}"
        return text if self.stretch is None else f"{text} (stretch {self.stretch:g})"

    def met(self, ratio: float) -> bool:
        """Return whether a ratio is within the bar."""
        return ratio <= self.limit if self.at_most else ratio >= self.limit


SCORES, ALL, CODES = "scores and categories", "with answered, low and high", "codes only"
OTHERS, CLASS, FACADE = "other programs", "a class", "façade"
WRITING = "reading csv and writing"

BARS = (
    Bar(SCORES, "ours", "floor", 6, stretch=4),
    Bar(ALL, "ours", "floor", 8),
    Bar(CODES, "ours", "floor", 2),
    Bar(OTHERS, "polars", "ours", 5, at_most=False),
    Bar(OTHERS, "duckdb", "ours", 15, at_most=False),
    Bar(OTHERS, "pandas", "ours", 20, at_most=False),
    Bar(OTHERS, "psych::scoreVeryFast", "ours", 30, at_most=False),
    Bar(OTHERS, "object", "ours", 500, at_most=False),
    Bar(CLASS, "mh.score", "object", 0.3, pupils=30),
    Bar(CLASS, "mh.score", "polars", 0.1, pupils=30),
    Bar(FACADE, "façade", "kernel", 1.15),
    Bar(FACADE, "façade", "kernel", 2, pupils=30),
    Bar("norms", "ours", "floor", 6),
    Bar("norms", "pandas", "ours", 8, at_most=False),
    Bar("norms", "polars", "ours", 25, at_most=False),
    Bar("bind to triage", "from Arrow frames", "floor", 20),
    Bar("entries", "dicts and orjson", "ours, without hashes", 2, at_most=False),
    Bar("files", "ours", WRITING, 1.15, stretch=1),
    Bar("files", "ours, two processes", WRITING, 1.15, stretch=1),
    Bar("files", "the pandas script", "ours", 7, at_most=False),
    Bar("files", "the pandas script", "ours, two processes", 7, at_most=False),
    Bar("files", "ours, answers shuffled", "ours", 2.5),
    Bar("files", "ours, from Parquet", "reading parquet and writing", 1.15),
    Bar("entries", "ours", "dicts and orjson", 1.5),
    Bar("memory of a run on files", "3000000 pupils", "100000 pupils", 1.25),
    Bar("memory of a run on files", "3000000 pupils", "400 MB", 1),
    Bar("start-up", "import mhscreen", "import numpy", 1.5),
    Bar("start-up", "library, cold", "the C YAML loader alone", 3),
    Bar("start-up", "library, precompiled", "cold", 0.1),
    Bar("engines", "Dask", "two processes", 1.5),
    Bar("engines", "Spark", "two processes", 1.5),
    Bar("engines", "Spark, rows", "identity", 1.1),
    Bar("growth", "10000000 pupils", "1000000 pupils", 11),
)


@dataclass(frozen=True)
class Held:
    """A bar beside what was found; no figure where it was not measured."""

    bar: Bar
    figure: Figure | None

    @property
    def verdict(self) -> str:
        """Whether the bar is met."""
        if self.figure is None or isnan(self.figure.ratio):
            return "not measured"
        return "met" if self.bar.met(self.figure.ratio) else "**not met**"


def hold(figures: Iterable[Figure], bars: Sequence[Bar] = BARS) -> list[Held]:
    """Put each bar beside its figure, that of the largest size where the bar names none."""
    found = list(figures)
    held = []
    for bar in bars:
        own = [
            one
            for one in found
            if (one.measure, one.what, one.against) == (bar.measure, bar.what, bar.against)
            and (bar.pupils is None or bar.pupils == one.pupils)
        ]
        held.append(Held(bar, max(own, key=lambda one: one.pupils, default=None)))
    return held
