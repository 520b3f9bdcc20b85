"""The chart of the page: every program that scores the same answers, in floors.

``python benchmarks/speed/chart.py [RESULT.json]`` writes docs/reference/speed.svg.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from figures import Figure
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Drawing
from page import DOCS, RESULTS, number

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["draw"]

_NAMES = {
    "ours": "mhscreen, one thread",
    "ours, two threads": "mhscreen, two threads",
    "mh.score": "mhscreen, mh.score",
    "polars": "Polars, lazy, all cores",
    "duckdb": "DuckDB, SQL, all cores",
    "pandas": "pandas, column by column",
    "object": "an object per pupil",
    "psych::scoreVeryFast": "R psych, scoreVeryFast",
    "psych::scoreItems": "R psych, scoreItems",
}


def shown(figures: Iterable[Figure]) -> list[tuple[str, float]]:
    """Return each program and its ratio to the floor at the largest size, the fastest first."""
    wanted = [
        one
        for one in figures
        if one.measure in ("scores and categories", "other programs")
        and one.against == "floor"
        and one.what in _NAMES
    ]
    largest = max((one.pupils for one in wanted), default=0)
    found = {_NAMES[one.what]: one.ratio for one in wanted if one.pupils == largest}
    return sorted(found.items(), key=lambda pair: pair[1])


def draw(figures: Iterable[Figure], path: Path) -> None:
    """Draw the chart; the same figures give the same bytes."""
    pairs = shown(figures)[::-1]
    names, ratios = [name for name, _ in pairs], [ratio for _, ratio in pairs]
    with mpl.rc_context({"svg.hashsalt": "speed", "svg.fonttype": "none", "font.size": 9}):
        drawing = Drawing(figsize=(6.4, 0.34 * len(pairs) + 0.9), layout="constrained")
        FigureCanvasSVG(drawing)
        axes = drawing.add_subplot()
        colours = ["#2a6f97" if name.startswith("mhscreen") else "#a9b4bd" for name in names]
        bars = axes.barh(names, ratios, color=colours)
        axes.bar_label(bars, [number(ratio) for ratio in ratios], padding=3)
        axes.set_xscale("log")
        axes.set_xlim(1, max(ratios, default=1) * 4)
        axes.set_xlabel("time as a multiple of reading and writing once", loc="left")
        axes.spines[["top", "right"]].set_visible(False)
        drawing.savefig(path, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    result = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else RESULTS).read_text("utf-8"))
    draw([Figure(**one) for one in result["figures"]], DOCS / "speed.svg")
