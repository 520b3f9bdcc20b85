"""Cut-offs of response-quality indices keep to their rate on honest forms nobody has seen yet."""

import calibrate_quality
import numpy as np
import pytest
import yaml

from mhscreen.definitions.instrument import QualityIndex

NAMES = ["longest_run", "variability", "person_fit"]
ARGUMENTS = ["sdq", "--forms", "4000", *(word for name in NAMES for word in ("--index", name))]


@pytest.fixture(scope="module")
def printed():
    from contextlib import redirect_stdout
    from io import StringIO

    text = StringIO()
    with redirect_stdout(text):
        status = calibrate_quality.main(ARGUMENTS)
    return status, text.getvalue()


def test_what_is_printed_can_be_pasted_into_a_definition(printed):
    status, text = printed
    assert status == 0
    found = [QualityIndex.model_validate(one) for one in yaml.safe_load(text)["quality"]]
    assert [one.index for one in found] == NAMES
    assert set(found[2].expected) >= {"q3", "q8", "q13"}
    assert {one.calibration.false_alarm for one in found} == {0.01}
    assert found[0].calibration.command.startswith("python tools/calibrate_quality.py sdq")


def test_the_same_seed_gives_the_same_values(printed, capsys):
    calibrate_quality.main(ARGUMENTS)
    assert capsys.readouterr().out == printed[1]


@pytest.mark.parametrize("level", calibrate_quality.LEVELS)
def test_the_joint_rate_holds_at_every_level_on_fresh_forms(library, level):
    given = calibrate_quality._parser().parse_args(["sdq", "--forms", "4000"])
    instrument = library.instrument("sdq").definition
    form = calibrate_quality._form(
        instrument,
        calibrate_quality.Informant.SELF,
        [*NAMES, "seconds_per_item"],
        calibrate_quality._expected(instrument, calibrate_quality.Informant.SELF, given),
    )
    rng = np.random.default_rng(5)
    honest = [calibrate_quality._honest(form, one, given, rng) for one in calibrate_quality.LEVELS]
    cuts = calibrate_quality.calibrate(form, honest, 0.01)
    assert None not in cuts.values()
    form = calibrate_quality.replace(form, quality=calibrate_quality.with_cuts(form, cuts))
    fresh = calibrate_quality._honest(form, level, given, np.random.default_rng(6))
    assert calibrate_quality.doubtful_share(form, fresh) <= 0.01
