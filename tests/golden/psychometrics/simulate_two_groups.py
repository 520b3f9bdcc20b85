"""Write two_groups.csv: simulated answers that the R scripts here and the tests read.

    python tests/golden/psychometrics/simulate_two_groups.py

Two groups of 600, the second with another mean and spread of the trait; eight items of four
categories from the graded model, of which q3 is harder and q6 discriminates less in the second
group; one answer in twenty is blank.
"""

import csv
from pathlib import Path

import numpy as np

rng = np.random.default_rng(20260907)
SIZE = 600
SLOPES = np.array([1.2, 1.8, 2.0, 1.0, 1.5, 2.2, 1.4, 1.7])
THRESHOLDS = np.linspace(-0.6, 0.8, 8)[:, None] + np.array([-0.9, 0.2, 1.1])

rows = []
for group, (mean, sd) in enumerate([(0.0, 1.0), (0.4, 0.8)]):
    trait = mean + sd * rng.normal(size=SIZE)
    slopes, thresholds = SLOPES.copy(), THRESHOLDS.copy()
    if group:
        thresholds[2] += 0.6
        slopes[5] = 1.1
    for theta in trait:
        above = rng.logistic(size=8)[:, None] < slopes[:, None] * (theta - thresholds)
        blank = rng.random(8) < 0.05
        rows.append(
            [group, *("" if gone else int(a) for a, gone in zip(above.sum(1), blank, strict=True))]
        )

with (Path(__file__).parent / "two_groups.csv").open("w", encoding="utf-8", newline="") as file:
    csv.writer(file, lineterminator="\n").writerows(
        [["group", *(f"q{k + 1}" for k in range(8))], *rows]
    )
