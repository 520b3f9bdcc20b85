"""Shipped instruments score as psych::scoreItems of R does, with keys not read from our files."""

import csv
import shutil
import subprocess
from pathlib import Path

import pytest

import mhscreen as mh

HERE = Path(__file__).parent / "r"
TOLERANCE = 1e-9
"""Both sides add fewer than a hundred small whole numbers and divide once, which double precision
holds to some 1e-13; the file keeps 15 digits. An error in a key moves a score by 1/90 or more."""
MOST_BYTES = 400_000


def read(name, folder=HERE):
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def scores_in(folder):
    """Return the scores of every form by instrument and scale."""
    return {
        (row.pop("instrument"), row.pop("scale")): [float(score) for score in row.values()]
        for row in read("scores.csv", folder)
    }


KEYS = read("keys.csv")
SCORES = scores_in(HERE)


def forms():
    """Return every instrument with each of its informants."""
    return sorted({(row["instrument"], who) for row in KEYS for who in row["informants"].split()})


def items_of(row):
    return [item.removeprefix("-") for item in row["items"].split()]


@pytest.mark.parametrize("instrument, informant", forms())
def test_an_instrument_scores_as_psych_does(instrument, informant):
    rows = [
        row
        for row in KEYS
        if row["instrument"] == instrument and informant in row["informants"].split()
    ]
    filled_in = read(f"answers/{instrument}.csv")
    items = {item for row in rows for item in items_of(row)}
    answers = {item: [form[item] for form in filled_in] for item in items}
    found = mh.score_instrument(instrument, answers, informant=informant)
    (slot,) = {name.split("__")[0] for name in found}
    for scale in {row["scale"] for row in rows} - {""}:
        got = found[f"{slot}__{scale}"]
        assert list(got) == pytest.approx(SCORES[instrument, scale], abs=TOLERANCE, rel=0), scale


def test_every_scale_of_the_keys_has_a_score_for_every_form():
    assert set(SCORES) == {(row["instrument"], row["scale"]) for row in KEYS if row["scale"]}
    assert {len(scores) for scores in SCORES.values()} == {20}


@pytest.mark.parametrize("instrument", sorted({row["instrument"] for row in KEYS}))
def test_no_two_items_are_answered_alike(instrument):
    """Or else a key with one in the place of the other would give the same scores."""
    filled_in = read(f"answers/{instrument}.csv")
    columns = [tuple(form[item] for form in filled_in) for item in filled_in[0]]
    assert len(set(columns)) == len(columns)


def test_instruments_without_a_score_from_r_are_named():
    """A new instrument joins keys.csv, or is added here with its reason."""
    apart = {
        "c-ssrs-screener",  # levels only
        "observer",  # our own form
        "psqi",  # components of times and recodes
        "psqi-minutes",  # the same, with numbers
    }
    shipped = {loaded.name for loaded in mh.shipped_library().of_kind("instrument")}
    assert shipped - {row["instrument"] for row in KEYS} == apart


def test_the_files_stay_small():
    assert sum(file.stat().st_size for file in HERE.rglob("*") if file.is_file()) < MOST_BYTES


def test_the_files_are_made_again_by_the_script(tmp_path):
    """Rscript tests/golden/r/score_with_psych.R writes answers and scores from keys and seed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not here: the files are compared as they were committed")
    for name in ("keys.csv", "score_with_psych.R"):
        shutil.copy(HERE / name, tmp_path / name)
    made = subprocess.run(
        [rscript, str(tmp_path / "score_with_psych.R")], capture_output=True, text=True, check=False
    )
    if "there is no package called" in made.stderr:
        pytest.skip("R is here without psych")
    assert made.returncode == 0, made.stderr
    for name in {row["instrument"] for row in KEYS}:
        file = f"answers/{name}.csv"
        assert (tmp_path / file).read_bytes() == (HERE / file).read_bytes(), file
    again = scores_in(tmp_path)
    assert again.keys() == SCORES.keys()
    for scale, scores in again.items():
        assert scores == pytest.approx(SCORES[scale], abs=TOLERANCE, rel=0), scale
