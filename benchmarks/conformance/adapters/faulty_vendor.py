"""A sample vendor who is wrong on purpose, once on each form; plain Python, no library.

    python faulty_vendor.py gad7-1.0.0 < inputs.csv > results.csv

What the checker has to say of it stands in `tests/conformance/test_faulty_vendor.py`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping

Row = Mapping[str, str]


def answers(row: Row, items: int, highest: int) -> list[int | None]:
    """Return the answers of a form; what is no code is no answer."""
    cells = [row[f"q{number}"] for number in range(1, items + 1)]
    return [int(cell) if cell.isdigit() and int(cell) <= highest else None for cell in cells]


def complete_sum(values: list[int | None]) -> int | None:
    """Return the sum, or nothing where an answer is not given."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def band(values: list[int | None], cuts: list[float], words: list[str]) -> str:
    """Return the word for a sum of complete forms."""
    score = complete_sum(values)
    return "" if score is None else words[sum(score >= cut for cut in cuts)]


def gad7(row: Row) -> dict[str, object]:
    """Say `above 10` where the source says `10 and above`."""
    values = answers(row, 7, 3)
    words = ["minimal", "mild", "moderate", "severe"]
    return {"total": complete_sum(values), "total.category": band(values, [5, 10.5, 15], words)}


def pss10(row: Row) -> dict[str, object]:
    """Forget that item 7 is keyed in reverse."""
    values = answers(row, 10, 4)
    turned = [4 - v if v is not None and n in (4, 5, 8) else v for n, v in enumerate(values, 1)]
    return {"total": complete_sum(turned)}


def smfq(row: Row) -> dict[str, object]:
    """Read `true` as 0 and `not true` as 2, as two public pages print it."""
    values = [None if v is None else 2 - v for v in answers(row, 13, 2)]
    return {"total": complete_sum(values), "total.category": band(values, [12], SIGNS)}


def phq2(row: Row) -> dict[str, object]:
    """Add up what was answered, whatever was not."""
    values = [v or 0 for v in answers(row, 2, 3)]
    return {"total": sum(values), "total.category": SIGNS[sum(values) >= 3]}


def dsrsc(row: Row) -> dict[str, object]:
    """Use the cut score of another study: no fault, but to be agreed upon."""
    reverse = {1, 2, 4, 7, 8, 9, 11, 12, 13, 16}
    values = answers(row, 18, 2)
    turned = [2 - v if v is not None and n in reverse else v for n, v in enumerate(values, 1)]
    known = [v for v in turned if v is not None]
    least, most = sum(known), sum(known) + 2 * (18 - len(known))
    last = values[9]
    category = band(turned, [13], SIGNS) if least == most else ""
    said = "open" if last is None else "yes" if last >= 1 else "no"
    return {"total": complete_sum(turned), "total.category": category, "critical.q10": said}


SIGNS = ["negative", "positive"]
SCORERS: dict[str, Callable[[Row], dict[str, object]]] = {
    "dsrsc-1.0.0": dsrsc,
    "gad7-1.0.0": gad7,
    "phq2-1.0.0": phq2,
    "pss10-1.0.0": pss10,
    "smfq-1.0.0-self": smfq,
}


def main(form: str) -> int:
    """Score the rows on standard input."""
    if form not in SCORERS:
        print(f"this vendor does not know {form}", file=sys.stderr)
        return 1
    rows = [{"vector": row["vector"], **SCORERS[form](row)} for row in csv.DictReader(sys.stdin)]
    output = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
    output.writeheader()
    output.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
