"""Cut-offs of response-quality indices keep to their rate on honest forms nobody has seen yet."""

import calibrate_quality
import numpy as np
import pytest
import yaml

import mhscreen as mh
from mhscreen.definitions.instrument import QualityIndex
from mhscreen.kernels.codes import BLANK
from mhscreen.loading import shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.vocabulary import Informant

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


SHIPPED = [
    (loaded.ref, str(informant))
    for loaded in shipped_library().of_kind("instrument")
    for informant in loaded.definition.informants
    if loaded.definition.quality
]


@pytest.mark.parametrize("ref, informant", SHIPPED)
def test_a_shipped_value_keeps_to_its_rate_at_every_level_and_finds_a_constant_answer(
    library, ref, informant
):
    instrument = library.instrument(ref).definition
    form = compile_form(instrument, Informant(informant))
    given = calibrate_quality._parser().parse_args([ref, "--forms", "4000"])
    rng = np.random.default_rng(11)
    rates = [
        calibrate_quality.doubtful_share(form, calibrate_quality._honest(form, one, given, rng))
        for one in (*calibrate_quality.LEVELS, 4.0)
    ]
    assert max(rates) <= instrument.quality[0].calibration.false_alarm
    careless = calibrate_quality._careless(form, 4000, rng)["one option throughout"]
    found = calibrate_quality._score(form, careless, given, rng)
    # The last option throughout is exempt where no item is reversed.
    assert calibrate_quality.doubtful_share(form, found) > 0.6
    assert instrument.quality[0].calibration.power


def test_the_programme_has_no_index_that_could_call_a_pupil_doubtful(library):
    """None told careless answering from honest; whoever adds one looks at every flag again."""
    plan = mh.compile_plan(library, programme="qingdao-2023@1")
    assert [ref for ref, one in plan.instruments.items() if one.quality] == []


def test_real_answers_are_read_by_item_and_a_wrong_code_is_refused(library, tmp_path):
    form = compile_form(library.instrument("gad7").definition, Informant.SELF)
    file = tmp_path / "answers.csv"
    names = ",".join(f"q{n}" for n in range(1, 8))
    file.write_text(f"{names}\n0,1,2,3,0,1,2\n,1,1,1,1,1,1\n", encoding="utf-8")
    codes = calibrate_quality.real_answers(form, file)
    assert codes[:, 0].tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert codes[0, 1] == BLANK
    file.write_text(f"{names}\n0,1,2,3,0,1,9\n", encoding="utf-8")
    with pytest.raises(ValueError, match="not a legal answer"):
        calibrate_quality.real_answers(form, file)
    file.write_text("q1,q2\n0,1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no column q3, q4, q5, q6, q7"):
        calibrate_quality.real_answers(form, file)
