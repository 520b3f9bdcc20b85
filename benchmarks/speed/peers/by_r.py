"""R's psych, by R's own clock: means of the items answered, without a rule for blanks or bands."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from battery import battery_scales
from timing import run_child

if TYPE_CHECKING:
    from answers import Answers

    from mhscreen.steps.score import Scores

__all__ = ["FUNCTIONS", "Timed", "absent", "check", "time_psych"]

FUNCTIONS = {"scoreVeryFast": 1_000_000, "scoreItems": 10_000}
"""The functions of psych, and the most pupils that each is timed on."""

_SCRIPT = Path(__file__).with_name("psych.R")


class Timed(NamedTuple):
    """The seconds of each run, the peak memory of R where it is known, and the mean by scale."""

    seconds: list[float]
    megabytes: float | None
    means: dict[str, np.ndarray]


@cache
def absent() -> str:
    """Return what to say where R or psych is not installed; nothing where both are."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return "R is not installed: apt-get install r-base-core r-cran-psych"
    found = subprocess.run(
        [rscript, "-e", 'cat(requireNamespace("psych", quietly = TRUE))'],
        capture_output=True,
        text=True,
        check=False,
    )
    return (
        ""
        if found.stdout.strip() == "TRUE"
        else "psych is not installed: apt-get install r-cran-psych"
    )


def time_psych(function: str, answers: Answers, work: Path, runs: int) -> Timed:
    """Time one of the functions; all parts are scored from their own items."""
    codes, keys, scores = work / "codes.bin", work / "keys.txt", work / "scores.bin"
    codes.write_bytes(answers.codes.astype(np.uint8).tobytes())
    every = {scale.name: scale for scale in battery_scales()}
    lines = []
    for scale in every.values():
        parts = [every[part] for part in scale.parts] or [scale]
        signed = [
            f"{'-' if mirrored else ''}i{row}"
            for part in parts
            for row, mirrored in zip(part.items.tolist(), part.reverse.tolist(), strict=True)
        ]
        lines.append(" ".join([scale.column, *signed]))
    keys.write_text("\n".join(lines) + "\n", encoding="utf-8")
    child = run_child(
        [shutil.which("Rscript") or "Rscript", str(_SCRIPT), function, str(codes),
         str(len(answers)), str(keys), str(runs), str(scores)]
    )  # fmt: skip
    means = np.fromfile(scores).reshape(len(every), -1)
    for file in (codes, keys, scores):
        file.unlink()
    # R's own word: a process begins with the peak of the one that starts it, and this one is large.
    lines = child.output.splitlines()
    peaks = [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
    seconds = [float(line) for line in lines if not line.startswith("VmHWM")]
    return Timed(seconds, next(iter(peaks), None), dict(zip(every, means, strict=True)))


def check(name: str, scores: Scores, timed: Timed) -> None:
    """Compare the means with our scores, where we give one and every part is complete.

    Raises
    ------
    AssertionError
        Where they differ.
    """
    for scale in battery_scales():
        ours = scores[scale.name]
        mean = timed.means[scale.name]
        value, answered = ours.score[: len(mean)], ours.answered[: len(mean)]
        items = len(scale.items) or scale.least
        where = ~np.isnan(value)
        total = np.where(where, mean, 0) * items
        if scale.parts:
            where &= answered == items  # its parts are prorated and rounded each
        elif scale.rounded:
            total = np.floor(total + 0.5 + 1e-9)
        same = np.isclose(value[where], total[where], rtol=1e-9)
        assert same.all(), f"{name}: {scale.name}: {int((~same).sum())} scores differ"
