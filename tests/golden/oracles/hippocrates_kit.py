"""Score vectors of the conformance kit with hippocrates 0.4.0, a program of others.

    python tests/golden/oracles/hippocrates_kit.py

Needs that package alone (`pip install hippocrates==0.4.0`; it is not one of mhscreen's). Hands
each answer over as the option with its words; a blank and what is no option are left out.
Writes hippocrates.csv beside this file: total, and our word for the
band at the place of its band, empty where it raises an exception.
"""

import csv
import importlib
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
KIT = HERE.parents[2] / "benchmarks" / "conformance" / "kit"
MODULES = {
    "phq9-1.0.0": "phq9",
    "phq2-1.0.0": "phq2",
    "gad7-1.0.0": "gad7",
    "gad2-1.0.0": "gad2",
    "rses-1.0.0": "rosenberg_self_esteem",
}
OFTEN = {"0": "not at all", "1": "several days", "2": "more than half the days",
         "3": "nearly every day"}  # fmt: skip
AGREE = {"1": "strongly disagree", "2": "disagree", "3": "agree", "4": "strongly agree"}
PLUS = {"rses-1.0.0": 10}
"""What is added to its score: it counts ten options from 0, the kit from 1."""


def main() -> None:
    """Score every form that both know."""
    lines = [["vector", "output", "value"]]
    for form, module in MODULES.items():
        found = importlib.import_module(f"hippocrates.questionnaires.{module}.assessment")
        kind = next(one for name, one in vars(found).items()
                    if name.endswith("Assessment") and name != "Assessment")  # fmt: skip
        with (KIT / form / "inputs.csv").open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        described = json.loads((KIT / form / "form.json").read_text(encoding="utf-8"))
        outputs = {one["column"]: one for one in described["outputs"]}
        words = outputs.get("total.category", {}).get("words", [])
        for row in rows:
            assessment = kind()
            items = [key for key in row if key not in ("vector", "sex", "age", "grade")]
            for question, item in zip(assessment.question_set, items, strict=False):
                labels = AGREE if form == "rses-1.0.0" else OFTEN
                wanted = labels.get(row[item])
                fitting = [o for o in question.answer_options if o.text.strip().lower() == wanted]
                question.answer = fitting[0] if fitting else None
            total = assessment.total_score() + PLUS.get(form, 0)
            lines.append([row["vector"], "total", str(total)])
            if len(words) != len(assessment.results):
                continue  # other bands, or none
            try:
                category = words[assessment.results.index(assessment.result())]
            except Exception:  # noqa: BLE001 - it raises the bare class
                category = ""
            lines.append([row["vector"], "total.category", category])
    with (HERE / "hippocrates.csv").open("w", encoding="utf-8", newline="") as text:
        csv.writer(text, lineterminator="\n").writerows(lines)


if __name__ == "__main__":
    main()
