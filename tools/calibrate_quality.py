"""Find the values from which response-quality indices of one instrument are reached.

``python tools/calibrate_quality.py scl90 --index longest_run --index variability`` simulates
honest answerers at several levels of severity, chooses values with which at most ``--false-alarm``
of the forms of any level reach any of the indices, counts again on fresh forms, and prints the
YAML to paste into a new version of the instrument. Comments say how often each level is called
questionable, and how many careless forms are found. All this is simulated: one level of severity
behind all items, answers that are independent given it, times that are log-normal.

``--real answers.csv`` adds answers of real people, one row a form, in columns named by item: the
values keep to the rate on them, too, as if everybody had answered honestly.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.definitions.instrument import QualityCalibration, QualityIndex
from mhscreen.kernels.codes import BLANK
from mhscreen.loading import load_library, shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import ProblemLog
from mhscreen.simulation import Assumptions, simulate_answers
from mhscreen.steps.answers import read_answers
from mhscreen.steps.quality import EXEMPT_AT_AN_END, is_at_an_end, is_doubtful
from mhscreen.steps.score import score_forms
from mhscreen.steps.tables import Table, encode
from mhscreen.vocabulary import Evidence, Informant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.plan.quality import QualityPlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.steps.score import FormScores

LEVELS = (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Severity, in standard deviations of what the questionnaire measures."""

ABOVE = {"longest_run"}
DECIMALS = 3
SHRINK = 0.93
FEWEST = 3  # forms beyond a value, without which it rests on nothing


def main(arguments: list[str]) -> int:
    """Calibrate one instrument and print what to paste."""
    given = _parser().parse_args(arguments)
    library = load_library(*given.folder, base=shipped_library()) if given.folder else None
    instrument = (library or shipped_library()).instrument(given.instrument).definition
    names = given.index or ["longest_run", "variability"]
    rng = np.random.default_rng(given.seed)
    who = Informant(given.informant or instrument.informants[0])
    expected = _expected(instrument, who, given) if "person_fit" in names else {}
    form = _form(instrument, who, names, expected)
    honest = [_honest(form, level, given, rng) for level in LEVELS]
    real = [score_forms(form, real_answers(form, Path(given.real)))] if given.real else []
    cuts = calibrate(form, honest + real, given.false_alarm)
    form = replace(form, quality=with_cuts(form, cuts))
    fresh = [_honest(form, level, given, rng) for level in LEVELS]
    rates = [doubtful_share(form, one) for one in fresh]
    found = {
        name: doubtful_share(form, _score(form, codes, given, rng))
        for name, codes in _careless(form, given.forms, rng).items()
    }
    print(f"# {instrument.ref}, {form.informant}; simulated, {given.forms} forms a level")
    print("# questionable, by level of severity: " + _listed(LEVELS, rates))
    for name, share in found.items():
        print(f"# questionable, {name}: {share:.1%}")
    for one in real:
        print(f"# questionable, {one.codes.shape[1]} real forms: {doubtful_share(form, one):.2%}")
    for index in names:
        if cuts[index] is None:
            print(f"# {index}: no value keeps to this rate on this form; leave it out")
    calibration = [
        f"false_alarm: {given.false_alarm:g}",
        f'method: "{_method(given, rates)}"',
        f'power: "{", ".join(f"{name} {share:.1%}" for name, share in found.items())}"',
        *([f'real: "{doubtful_share(form, real[0]):.2%} of …"'] if real else []),
        "simulated: true",
        f'command: "python tools/calibrate_quality.py {" ".join(arguments)}"',
    ]
    kept = {index: cut for index, cut in cuts.items() if cut is not None}
    print(_yaml(kept, expected, calibration))
    return 0 if max(rates) <= given.false_alarm else 1


def calibrate(
    form: FormPlan, honest: list[FormScores], false_alarm: float
) -> dict[str, float | None]:
    """Return the values whose joint rate is at most `false_alarm` at every level.

    Parameters
    ----------
    form : FormPlan
        With one index of each kind that is wanted.
    honest : list of FormScores
        Forms of honest answerers, by level of severity, and of real people.
    false_alarm : float
        The rate, of which three standard errors of the first group are kept as a margin.

    Returns
    -------
    dict of str to float or None
        By index; None where no value is extreme enough.
    """
    limit = false_alarm - 3 * np.sqrt(false_alarm / len(honest[0]))
    alone = limit
    while alone * len(honest[0]) >= FEWEST:
        cuts = {
            one.index: _cut(form, place, honest, alone)
            for place, one in enumerate(_quality(form).indices)
        }
        trial = replace(form, quality=with_cuts(form, cuts))
        if max(doubtful_share(trial, one) for one in honest) <= limit:
            return cuts
        alone *= SHRINK
    return dict.fromkeys((one.index for one in _quality(form).indices), None)


def _cut(form: FormPlan, place: int, honest: list[FormScores], alone: float) -> float | None:
    """Return the mildest value of one index that a share of `alone` reaches at most."""
    index = _quality(form).indices[place].index
    sign = 1.0 if index in ABOVE else -1.0
    bounds = []
    for scored in honest:
        values = sign * scored.quality[place]
        exempt = is_at_an_end(_quality(form), scored.codes) & (index in EXEMPT_AT_AN_END)
        values = np.where(np.isnan(values) | exempt, -np.inf, values)
        bounds.append(float(np.sort(values)[::-1][int(alone * len(values))]))
    worst = max(bounds)  # still reached by too many
    if not np.isfinite(worst):
        return None
    if index in ABOVE:
        cut = worst + 1
        return cut if cut <= len(_quality(form).rows) else None
    lowest = {"even_odd": -1.0, "person_fit": -1.0}.get(index, 0.0)
    cut = floor((-worst - 1e-9) * 10**DECIMALS) / 10**DECIMALS
    return cut if cut >= lowest else None


def with_cuts(form: FormPlan, cuts: dict[str, float | None]) -> QualityPlan:
    """Return the indices of a form with other values; those without one are never reached."""
    indices = []
    for one in _quality(form).indices:
        cut = cuts[one.index]
        never = np.inf if one.upwards else -np.inf
        indices.append(replace(one, cut=never if cut is None else cut))
    return replace(_quality(form), indices=tuple(indices))


def doubtful_share(form: FormPlan, scored: FormScores) -> float:
    """Return the share of forms on which any index is reached."""
    return float(is_doubtful(_quality(form), scored.codes, scored.quality).mean())


def _quality(form: FormPlan) -> QualityPlan:
    if form.quality is None:
        msg = f"{form.slot} has no response-quality index"
        raise ValueError(msg)
    return form.quality


def _expected(
    instrument: Instrument, informant: Informant, given: argparse.Namespace
) -> dict[str, float]:
    """Return how concerning the answers to each symptom are, on average over the levels."""
    form = _form(instrument, informant, ["variability"], {})
    quality = _quality(form)
    rng = np.random.default_rng([given.seed, 1])
    codes = np.hstack([_honest(form, level, given, rng).codes for level in LEVELS])
    concern = np.take_along_axis(quality.concern, codes[quality.rows].astype(np.intp), axis=1)
    symptoms = [form.items[row].id for row in quality.rows[quality.symptoms]]
    means = np.nanmean(concern[quality.symptoms], axis=1)
    return {key: round(float(mean), DECIMALS) for key, mean in zip(symptoms, means, strict=True)}


def _form(
    instrument: Instrument, informant: Informant, names: list[str], expected: dict[str, float]
) -> FormPlan:
    """Compile a form with the indices that are wanted, each with a value still to be found."""
    wanted = tuple(
        QualityIndex(
            id=name,
            index=name,  # type: ignore[arg-type]
            **{"at_or_above" if name in ABOVE else "at_or_below": 0.0},
            source="own",
            evidence=Evidence.OWN_CHOICE,
            expected=expected if name == "person_fit" else {},
            calibration=QualityCalibration(
                false_alarm=0.01, method="to be found", simulated=True, command="this one"
            ),
        )
        for name in dict.fromkeys(names)
    )
    return compile_form(instrument.model_copy(update={"quality": wanted}), informant)


def _honest(
    form: FormPlan, level: float, given: argparse.Namespace, rng: np.random.Generator
) -> FormScores:
    assume = Assumptions(careless=0.0, blank=given.blank)
    codes = simulate_answers(form, np.full(given.forms, level), rng, assumptions=assume)
    return _score(form, codes, given, rng)


def _score(
    form: FormPlan, codes: NDArray[np.uint8], given: argparse.Namespace, rng: np.random.Generator
) -> FormScores:
    pace = rng.lognormal(np.log(given.seconds), given.spread, size=codes.shape[1])
    return score_forms(form, codes, pace * (codes != BLANK).sum(axis=0))


def _careless(form: FormPlan, forms: int, rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
    """Return forms answered without reading: by chance, and with one option throughout.

    The option is any but the first, which on most forms is that of who has no complaints.
    """
    width = np.array([len(item.codes) for item in form.items])[:, None]
    chosen = rng.integers(1, int(width.max()), size=forms)[None, :]
    by_chance = (rng.random((len(width), forms)) * width).astype(np.uint8)
    return {
        "answered by chance": by_chance,
        "one option throughout": np.minimum(chosen, width - 1).astype(np.uint8),
        "one option from half way on": np.where(
            np.arange(len(width))[:, None] < len(width) // 2,
            by_chance,
            np.minimum(chosen, width - 1),
        ).astype(np.uint8),
    }


def _listed(levels: tuple[float, ...], rates: list[float]) -> str:
    return ", ".join(f"{level:+g} {rate:.2%}" for level, rate in zip(levels, rates, strict=True))


def real_answers(form: FormPlan, path: Path) -> NDArray[np.uint8]:
    """Read a form for each row of a file, in columns named by item.

    Raises
    ------
    ValueError
        If an item has no column, or an answer is none of its codes.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    items = {place: item.id for place, item in enumerate(form.items)}
    missing = sorted(set(items.values()) - set(rows[0] if rows else ()))
    if missing:
        msg = f"{path} has no column {', '.join(missing)}"
        raise ValueError(msg)
    columns = {key: encode([row[key] or None for row in rows]) for key in items.values()}
    log = ProblemLog()
    codes = read_answers(form, Table(form.slot, columns, len(rows)), items, log)
    problem = next(iter(log), None)
    if problem is not None:
        msg = f"{path}: {problem.what}"
        raise ValueError(msg)
    return codes


def _method(given: argparse.Namespace, rates: list[float]) -> str:
    return (
        f"Graded response model, severity {LEVELS[0]:g} to {LEVELS[-1]:g} standard deviations, "
        f"{given.forms} forms a level, seed {given.seed}; jointly questionable on fresh forms: "
        f"{_listed(LEVELS, rates)}."
    )


def _yaml(cuts: dict[str, float], expected: dict[str, float], calibration: list[str]) -> str:
    lines = ["quality:"] if cuts else []
    for index, cut in cuts.items():
        side = "at_or_above" if index in ABOVE else "at_or_below"
        lines += [
            f"  - id: {index}",
            f"    index: {index}",
            f"    {side}: {cut:g}",
            *_expected_lines(expected if index == "person_fit" else {}),
            "    source: own",
            "    evidence: own_choice",
            "    calibration:",
            *(f"      {line}" for line in calibration),
        ]
    return "\n".join(lines)


def _expected_lines(expected: dict[str, float]) -> list[str]:
    return (
        ["    expected:", *(f"      {k}: {v:g}" for k, v in expected.items())] if expected else []
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instrument", help="such as scl90 or sdq@1.0.0")
    parser.add_argument("--informant", help="whose form; the instrument's first if not said")
    parser.add_argument("--index", action="append", choices=[
        "longest_run", "variability", "even_odd", "person_fit", "share_answered",
        "seconds_per_item",
    ], help="once for each; longest_run and variability if not said")  # fmt: skip
    parser.add_argument("--false-alarm", type=float, default=0.01)
    parser.add_argument("--forms", type=int, default=20_000, help="at each level")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blank", type=float, default=0.003, help="share of items left blank")
    parser.add_argument("--seconds", type=float, default=6.0, help="median time for an item")
    parser.add_argument("--spread", type=float, default=0.4, help="of the logarithm of the time")
    parser.add_argument("--real", help="a CSV file with answers of real people")
    parser.add_argument("--folder", action="append", help="with definitions of your own")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
