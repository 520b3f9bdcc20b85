"""The result as a page: which bars are met, and everything that was measured.

``python benchmarks/speed/page.py [RESULT.json]`` writes docs/reference/speed.md, so that no figure
is typed by hand.
"""

from __future__ import annotations

import json
import sys
from math import isnan
from pathlib import Path
from typing import Any

from bars import hold
from figures import Figure

DOCS = Path(__file__).parents[2] / "docs" / "reference"
RESULTS = Path(__file__).with_name("results.json")

_TURNS = """\
Everything here is a ratio taken in one run: what is compared takes turns in one process, and the
median over the turns stands here. Seconds depend on the machine and are left out. Every other
program was found to give our scores and bands, T scores or entries before it was timed."""

_WORK = """\
The work: PHQ-9, GAD-7, SDQ (25 items) and MHT (100), 141 items and 18 scales of the shipped
definitions; 1–5 % of the answers missing, 1 % of the forms not filed. The floor of scoring: reading
the one-byte codes once and writing a score of four bytes and a band of one byte for each scale, in
one thread. The floor of a run on files: the same reader over the same files, and the same writers
given results that are finished."""

_HOW = """\
`pip install -r benchmarks/speed/peers.txt` brings the other programs, beside R with psych; what is
absent is said. On an idle machine; a run that was stopped goes on with the same command. What takes
long is asked for: `--files 1000000` (runs on files), `--memory 3000000` (their peak),
`--growth 10000000` (scoring ten times as many), `--engines 40000` (Dask and Spark)."""

_NOT_MET = """\
- **Other programs.** The bars were set with Polars at some 25 floors and an object per pupil at
  4 100. Here both do less: the MHT has no rule for blanks, so that a scale of theirs is one sum.
  Beside a score and a category ours finds the state from which bounds and counts follow. A compiled
  kernel was as fast as ours ([0039](../decisions/0039-forms-share-states.md)).
- **A class of 30.** What is left is the number of calls, a quarter of them for the gates of the
  SDQ; looking them up at once for a class made large batches slower.
- **Norms.** They are written in eight bytes where the floor writes four; against the floor of the
  types that are handed over see below.
- **Bind to triage.** Half of it is binding: references that are compared byte by byte, and answers
  that are copied into response codes
  ([0040](../decisions/0040-rules-are-evaluated-once-per-pattern.md)).
- **Files.** Making an entry's text and hashing it counts as writing. What comes on top of it is a
  first pass that finds out whether the files follow the roster, references, reasons and the urgent
  list, and a second copy of what a part has written
  ([0042](../decisions/0042-files-that-follow-the-roster-are-read-in-step.md)). The pandas script
  writes a ledger of three quarters of our bytes. Two processes share what is screened, not the
  reading and the appending; with few pupils their start outweighs it.
- **Growth.** Fresh pages for all arrays at once are the likely reason; it was not traced. A run on
  files goes by parts.
- **Memory.** What grows was not traced; the marks by which references that stand twice are found
  take eight bytes a pupil.
- **Codes only** is judged against the floor of scores and categories. Against the floor of the
  codes alone, under "All figures", it would not be met.
- **Rows through Spark.** The identity only hands text on; screening makes it. Fragments do without
  the way through Java.
- **Start-up.** With the plan of one programme compiled beside it, too, a precompiled library takes
  a little more than a tenth of the cold way: see below. What is left is compiling."""

_HEAD = (
    "# Speed / 速度",
    _TURNS.replace("\n", " "),
    "本页均为同一次运行中的比值（交替计时，取中位数），不列秒数。其他程序均先核对结果一致后再计时。",
    _WORK.replace("\n", " "),
)


def number(value: float) -> str:
    """Return a ratio with three digits."""
    if isnan(value):
        return "–"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _ratio(figure: Figure) -> str:
    star = "\\*" if figure.scaled_from else ""
    return f"{number(figure.ratio)}{star}"


def bars_table(figures: list[Figure]) -> str:
    """Return the bars with what was found."""
    rows = [
        "| measure | ratio of | to | bar | found | pupils | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in hold(figures):
        bar, figure = one.bar, one.figure
        found, pupils = ("–", "–") if figure is None else (_ratio(figure), size(figure.pupils))
        cells = (bar.measure, bar.what, bar.against, bar.words, found, pupils, one.verdict)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def size(pupils: int) -> str:
    """Return a number of pupils with its digits in groups."""
    return f"{pupils:,}".replace(",", " ") if pupils else "–"


def figures_table(figures: list[Figure]) -> str:
    """Return everything that was measured."""
    rows = [
        "| measure | pupils | ratio of | to | ratio | quartiles | turns | peak MB | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in figures:
        spread = "–" if one.turns < 2 else f"{number(one.low)}–{number(one.high)}"
        peak = "–" if one.megabytes is None else f"{one.megabytes:.0f}"
        cells = (
            one.measure, size(one.pupils), one.what, one.against, _ratio(one), spread,
            str(one.turns), peak, one.note,
        )  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def rates_table(figures: list[Figure]) -> str:
    """Return how many pupils a second runs on files screened, for whoever plans a large one."""
    rows = [
        "| run on files | pupils | pupils a second | peak MB of a process |",
        "| --- | --- | --- | --- |",
    ]
    found = {(one.what, one.pupils): one for one in figures if one.measure == "files"}
    for (what, pupils), one in found.items():
        peak = "–" if one.megabytes is None else f"{one.megabytes:.0f}"
        rows.append(f"| {what} | {size(pupils)} | {number(pupils / one.seconds)} | {peak} |")
    return "\n".join(rows)


def markdown(result: dict[str, Any]) -> str:
    """Return the page of a result."""
    figures = [Figure(**one) for one in result["figures"]]
    machine, versions = result["machine"], result["versions"]
    minutes = sum(seconds for *_, seconds in result["done"]) / 60
    scaled = sorted({
        f"{one.what} on {size(one.scaled_from)}" for one in figures if one.scaled_from
    })  # fmt: skip
    run_on = (
        f"On {machine['processor']}, {machine['cores']} cores, {machine['gigabytes']} GB, "
        f"{machine['system']}, with a load of {machine['load']} when it began; it took "
        f"{minutes:.0f} minutes. Commit `{result['commit']}`; "
        + ", ".join(f"{name} {found}" for name, found in versions.items())
        + "."
    )
    parts = [
        *_HEAD,
        "## Bars / 目标",
        bars_table(figures),
        "\\* timed on fewer pupils and scaled: " + "; ".join(scaled) + ".",
        "![Time of scoring as a multiple of the floor](speed.svg)",
        "## What is not met, and what was tried / 未达目标项与已尝试的办法",
        _NOT_MET.replace("\n  ", " "),
        "## How it was measured / 测量方式",
        f"```sh\n{result['command']}\n```",
        _HOW.replace("\n", " "),
        run_on,
        "## Rates of runs on files / 文件运行的速率",
        "On this machine, from CSV unless it says otherwise; of use only to plan a large run.",
        rates_table(figures),
        "## All figures / 全部数据",
        figures_table(figures),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str]) -> None:
    """Write the page."""
    path = Path(arguments[0]) if arguments else RESULTS
    result = json.loads(path.read_text(encoding="utf-8"))
    (DOCS / "speed.md").write_text(markdown(result), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
