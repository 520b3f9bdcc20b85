"""The studies behind the pages run and print their rows; the figures need more samples."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "benchmarks/psychometrics"


def names(text):
    """Return what each row is about: the columns that do not depend on the samples."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith("| ---")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "study, least",
    [("recovery", ["4"]), ("coverage", ["20"]), ("irt_recovery", ["1"]),
     ("decisions_and_norms", ["400", "500"])],
)  # fmt: skip
def test_a_study_runs_and_prints_the_rows_of_its_page(study, least):
    done = subprocess.run(
        [sys.executable, STUDIES / f"{study}.py", *least],
        capture_output=True, text=True, check=False, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kept = (STUDIES / f"results/{study}.md").read_text("utf-8")
    printed = names(done.stdout)
    assert len(printed) > 4
    if study == "decisions_and_norms":  # R need not be here
        assert set(printed) <= set(names(kept))
    else:
        assert printed == names(kept)
