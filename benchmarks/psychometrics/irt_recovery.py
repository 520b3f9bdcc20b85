"""Whether calibration gives back what was put in, in simulated samples.

``python benchmarks/psychometrics/irt_recovery.py [samples]`` prints in some ten minutes what stands
in ``results/irt_recovery.md``, from which the page is written.

For each model, number of forms and share of blanks, samples are simulated from the same items with
fixed seeds and calibrated. Printed are the bias and root mean square error of slopes and
thresholds, the coverage of the interval of 1.96 standard errors to either side, and for two
groups those of the second group's mean and spread. The tables stand in
``docs/explanation/how-far-to-trust-item-parameters.md``. With S samples of a coverage of 0.95 the
standard error is sqrt(0.0475 / (S x parameters)), or somewhat more.
"""

from __future__ import annotations

import sys

import numpy as np

from mhscreen.problems import AnalysisError
from mhscreen.psychometrics import irt

SLOPES = np.array([0.8, 1.1, 1.4, 1.7, 2.0, 2.3, 1.2, 1.6, 1.0, 1.9])
CENTRES = np.array([-0.8, 0.6, 0.0, 1.0, -0.3, 0.4, 1.2, -0.5, 0.2, 0.8])
STEPS = np.array([-0.9, 0.0, 1.0])
WIDE = 1.96
SAMPLES = 100
EQUAL = {"2pl": "one slope (Rasch)", "partial_credit": "one slope"}


def bank(model: str, *, equal: bool = False) -> irt.ItemParameters:
    """Return the items."""
    steps = STEPS[1:2] if model == "2pl" else STEPS
    slopes = np.full(len(SLOPES), SLOPES.mean()) if equal else SLOPES
    return irt.take_parameters(
        model,  # type: ignore[arg-type] # one of the three
        {f"q{k}": (a, c + steps) for k, (a, c) in enumerate(zip(slopes, CENTRES, strict=True))},
    )


def simulated(
    items: irt.ItemParameters, trait: np.ndarray, blank: float, rng: np.random.Generator
) -> np.ndarray:
    """Return answers, shape (forms, items), NaN for a blank."""
    columns = []
    for p in items.chances(trait):
        chosen = (rng.random(len(trait))[:, None] > p.cumsum(axis=1)[:, :-1]).sum(axis=1)
        columns.append(np.where(rng.random(len(trait)) < blank, np.nan, chosen))
    return np.stack(columns, axis=1)


def study(model: str, forms: int, blank: float, samples: int, *, equal: bool) -> str:
    """Return a row of the table for one group."""
    items = bank(model, equal=equal)
    truth = [items.slopes, np.array(items.thresholds)]
    errors: list[list[np.ndarray]] = [[], []]
    held: list[list[np.ndarray]] = [[], []]
    lost = 0
    for sample in range(samples):
        rng = np.random.default_rng([sample, forms, int(100 * blank)])
        try:
            answers = simulated(items, rng.normal(size=forms), blank, rng)
            found = irt.calibrate(answers, model=model, equal_slopes=equal)  # type: ignore[arg-type] # one of the three
        except AnalysisError:
            lost += 1
            continue
        one = found.parameters[0]
        if any(len(b) != truth[1].shape[1] for b in one.thresholds):  # a category nobody chose
            lost += 1
            continue
        estimates = [one.slopes, np.array(one.thresholds)]
        spreads = [found.slope_errors[0], np.array(found.threshold_errors[0])]
        for place in range(2):
            off = estimates[place] - truth[place]
            errors[place].append(off)
            held[place].append(np.abs(off) < WIDE * spreads[place])
    cells = []
    for off, inside in zip(errors, held, strict=True):
        all_ = np.array(off)
        cells += [f"{all_.mean():+.3f}", f"{np.sqrt((all_**2).mean()):.3f}",
                  f"{np.mean(inside):.3f}"]  # fmt: skip
    name = f"{model}, {EQUAL[model]}" if equal else model
    return f"| {name} | {forms} | {blank:.0%} | " + " | ".join(cells) + f" | {lost} |"


def study_groups(forms: int, samples: int) -> str:
    """Return a row of the table for the second group's mean and spread."""
    items = bank("graded")
    truth = np.array([0.5, 1.2])
    off, inside = [], []
    for sample in range(samples):
        rng = np.random.default_rng([sample, forms])
        trait = rng.normal(size=2 * forms)
        trait[forms:] = truth[0] + truth[1] * trait[forms:]
        label = np.repeat([0, 1], forms)
        found = irt.calibrate(simulated(items, trait, 0.0, rng), group=label)
        estimate = np.array([found.means[1], found.sds[1]])
        spread = np.array([found.mean_errors[1], found.sd_errors[1]])
        off.append(estimate - truth)
        inside.append(np.abs(estimate - truth) < WIDE * spread)
    bias, spread = np.mean(off, axis=0), np.sqrt(np.mean(np.square(off), axis=0))
    held = np.mean(inside, axis=0)
    return (
        f"| {forms} + {forms} | "
        + " | ".join(f"{bias[k]:+.3f} | {spread[k]:.3f} | {held[k]:.3f}" for k in range(2))
        + " |"
    )


def main(samples: int = SAMPLES) -> None:
    """Print both tables."""
    print("| model | forms | blank | slope: bias | RMSE | coverage | threshold: bias | RMSE "
          "| coverage | no figures |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for model in ("2pl", "graded", "partial_credit"):
        for forms, blank in ((500, 0.0), (2000, 0.0), (2000, 0.3)):
            print(study(model, forms, blank, samples, equal=False), flush=True)
    for model in EQUAL:
        for forms, blank in ((500, 0.0), (2000, 0.0), (2000, 0.3)):
            print(study(model, forms, blank, samples, equal=True), flush=True)
    print()
    print("| forms | mean: bias | RMSE | coverage | SD: bias | RMSE | coverage |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for forms in (500, 2000):
        print(study_groups(forms, 3 * samples), flush=True)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
