"""Shipped values of response quality were looked at on answers of real people.

Nobody knows which of those people were careless, so the share is an upper bound of false alarms.
"""

import csv

import calibrate_quality
import pytest
import yaml

from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Informant

# The items of the DASS-42 that make the DASS-21; the scale of each, D, A or S, ends its column.
DASS21 = (22, 2, 3, 4, 42, 6, 41, 12, 40, 10, 39, 8, 26, 35, 28, 31, 17, 18, 25, 20, 38)


def _dass21(data):
    columns = data("dass42_openpsychometrics/dass42.csv")
    names = {name.partition("_")[0]: name for name in columns if name.startswith("dass")}
    return [[int(code) - 1 for code in columns[names[f"dass{n}"]]] for n in DASS21]


def _cesd(data):
    columns = data("cesd_ahi_pospsy/ahi_cesd.csv")
    first = {
        person: row
        for row, (person, when) in reversed(
            list(enumerate(zip(columns["id"], columns["occasion"], strict=True)))
        )
        if when == "0"
    }
    return [[int(columns[f"cesd{n:02d}"][row]) - 1 for row in first.values()] for n in range(1, 21)]


@pytest.fixture
def written(data, tmp_path):
    """Write answers as the tool reads them: a column for each item, a row for each form."""

    def write(answers):
        file = tmp_path / "answers.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(f"q{n}" for n in range(1, len(answers) + 1))
            writer.writerows(zip(*answers, strict=True))
        return file

    return write


@pytest.mark.parametrize(
    "ref, read, forms, share",
    [("dass21@1.0.0", _dass21, 5000, "0.10%"), ("ces-d@1.0.0", _cesd, 295, "0.68%")],
)
def test_the_shipped_value_names_the_share_of_real_forms_that_the_file_states(
    library, data, written, ref, read, forms, share
):
    instrument = library.instrument(ref).definition
    form = compile_form(instrument, Informant.SELF)
    codes = calibrate_quality.real_answers(form, written(read(data)))
    assert codes.shape[1] == forms
    named = calibrate_quality.doubtful_share(form, score_forms(form, codes))
    assert f"{named:.2%}" == share
    assert share in instrument.quality[0].calibration.real
    assert named <= instrument.quality[0].calibration.false_alarm


def test_real_answers_move_a_value_that_they_do_not_bear_out(library, data, written, capsys):
    """The value that simulation alone gives for the CES-D named more of them than it should."""
    file = written(_cesd(data))
    arguments = ["ces-d", "--index", "longest_run"]
    cuts = []
    for more in ([], ["--real", str(file)]):
        calibrate_quality.main([*arguments, *more])
        cuts.append(yaml.safe_load(capsys.readouterr().out)["quality"][0]["at_or_above"])
    assert cuts[0] < cuts[1] == 12
