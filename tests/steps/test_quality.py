"""Generic signs of careless answering make a form questionable, and nothing else."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mhscreen as mh
from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.definitions.instrument import QualityCalibration, QualityIndex
from mhscreen.explain.catalogue import write_page
from mhscreen.kernels.codes import NOT_PRESENTED
from mhscreen.loading import load_library, read_definition
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import DefinitionError
from mhscreen.steps.result_columns import form_columns
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Informant, Validity

TEXT = (Path(__file__).parent / "moss.yaml").read_text(encoding="utf-8")
MOSS, PROBLEMS = read_definition(TEXT, "moss.yaml")
PLAN = compile_form(MOSS, Informant.SELF)
NAMES = ["run", "spread", "halves", "there", "pace"]
NOTHING_IN_IT = {"q1": 0, "q2": 1, "q3": 1, "q4": 2, "q5": 0, "q6": 1, "q7": 0, "q8": 1}
NO_SYMPTOM = {"q1": 0, "q2": 0, "q3": 0, "q4": 0, "q5": 2, "q6": 0, "q7": 0, "q8": 0}


@pytest.fixture
def scored(answers_to_codes):
    def run(*answers, seconds=None):
        times = None if seconds is None else np.array([seconds], dtype=float)
        return score_forms(PLAN, answers_to_codes(PLAN, *answers), times)

    return run


@pytest.fixture
def validity(scored):
    def of(answers, seconds=None):
        return Validity.at(int(scored(answers, seconds=seconds).validity[0]))

    return of


def value(scores, name, form=0):
    return scores.quality[NAMES.index(name), form]


def test_the_made_up_questionnaire_is_read():
    assert PROBLEMS == []


def test_a_form_without_any_sign_is_valid(scored, validity):
    assert validity(NOTHING_IN_IT) is Validity.VALID
    found = scored(NOTHING_IN_IT, seconds=32)
    assert value(found, "run") == 2
    assert value(found, "there") == 1
    assert value(found, "pace") == 4


@pytest.mark.parametrize(
    "length, expected", [(4, "valid"), (5, "questionable"), (6, "questionable")]
)
def test_a_run_at_the_cut_makes_the_form_questionable(validity, length, expected):
    ones = {f"q{n}": 1 for n in range(1, length + 1)}
    others = {f"q{n}": 0 if n % 2 else 2 for n in range(length + 1, 7)}
    assert validity({"q7": 0, "q8": 0} | others | ones) == expected


def test_a_run_passes_over_a_critical_item_whatever_its_answer(scored):
    run = {"q1": 0, "q2": 2, "q3": 0, "q4": 2, "q5": 1, "q6": 1, "q8": 1}
    assert [value(scored(run | {"q7": code}), "run") for code in (0, 1, 2, None)] == [3] * 4


def test_answers_to_a_critical_item_change_no_run_no_variability_and_no_halves(scored):
    for answers in (NOTHING_IN_IT, NO_SYMPTOM):
        one, other = (scored(answers | {"q7": code}).quality[:3] for code in (0, 2))
        assert one.tobytes() == other.tobytes()


def test_a_form_without_any_symptom_is_not_questionable_for_its_long_run(scored, validity):
    found = scored(NO_SYMPTOM)
    assert value(found, "run") == 4
    all_codes_alike = {f"q{n}": 0 for n in range(1, 9)}
    assert validity(NO_SYMPTOM) is Validity.VALID
    # Keyed in reverse, the same code throughout is no form without symptoms.
    assert validity(all_codes_alike) is Validity.QUESTIONABLE


@pytest.mark.parametrize(
    "throughout, first, expected",
    [
        (0, 0, "valid"), (0, 1, "questionable"),
        (1, 1, "questionable"),
        (2, 1, "questionable"), (2, 2, "valid"),
    ],
)  # fmt: skip
def test_every_complaint_or_none_is_no_suspicion_and_one_other_answer_ends_that(
    answers_to_codes, throughout, first, expected
):
    without_reverse = MOSS.model_copy(
        update={
            "scales": tuple(s.model_copy(update={"reverse": ()}) for s in MOSS.scales),
            "validity_indices": (),
        }
    )
    plan = compile_form(without_reverse, Informant.SELF)
    answers = {f"q{n}": throughout for n in range(1, 9)} | {"q1": first}
    scores = score_forms(plan, answers_to_codes(plan, answers))
    assert scores.quality[0, 0] >= 5
    assert Validity.at(int(scores.validity[0])) == expected


def test_a_critical_item_alone_does_not_end_the_exemption(answers_to_codes):
    assert (
        Validity.at(
            int(score_forms(PLAN, answers_to_codes(PLAN, NO_SYMPTOM | {"q7": 2})).validity[0])
        )
        is Validity.VALID
    )


def test_halves_that_contradict_each_other_make_the_form_questionable(scored, validity):
    # Keyed: 0 and 2, 2 and 0, 1 and 1.
    answers = {"q1": 0, "q2": 2, "q3": 2, "q4": 0, "q5": 1, "q6": 1, "q7": 0, "q8": 0}
    assert value(scored(answers), "halves") == pytest.approx(-1)
    assert validity(answers) is Validity.QUESTIONABLE


@pytest.mark.parametrize(
    "answers, expected",
    [
        ({"q1": 2, "q2": 2, "q3": 1, "q4": 1, "q5": 2, "q6": 0}, Validity.VALID),
        ({"q1": 0, "q2": 0, "q3": 1, "q4": 1, "q5": 0, "q6": 2}, Validity.QUESTIONABLE),
        ({"q1": 0, "q2": 0, "q3": 1, "q4": 1, "q5": None, "q6": 2}, Validity.VALID),  # too few
    ],
)
def test_rare_complaints_without_the_common_ones_make_the_form_questionable(
    answers_to_codes, answers, expected
):
    common_first = {"q1": 0.9, "q2": 0.8, "q3": 0.5, "q4": 0.4, "q5": 0.2, "q6": 0.1}
    fit = index("person_fit", at_or_below=-0.5).model_copy(update={"expected": common_first})
    form = compile_form(MOSS.model_copy(update={"quality": (fit,)}), Informant.SELF)
    for critical in (0, 2):  # q5 is reversed; q7 is critical and left out
        codes = answers_to_codes(form, {**answers, "q7": critical, "q8": 0})
        assert Validity.at(int(score_forms(form, codes).validity[0])) == expected


@pytest.mark.parametrize(
    "answered, expected", [(3, "questionable"), (4, "questionable"), (5, "valid")]
)
def test_many_blanks_make_the_form_questionable(validity, answered, expected):
    answers = {k: v for k, v in NOTHING_IN_IT.items() if int(k[1:]) <= answered}
    assert validity(answers | ({"q8": 1} if answered == 5 else {})) in (
        expected, Validity.INCOMPLETE if expected == "valid" else expected,
    )  # fmt: skip


def test_an_item_that_was_never_put_is_not_left_out_by_the_pupil(answers_to_codes):
    codes = answers_to_codes(PLAN, NOTHING_IN_IT)
    codes[:4] = NOT_PRESENTED
    found = score_forms(PLAN, codes)
    assert value(found, "there") == 1


@pytest.mark.parametrize(
    "seconds, expected", [(12.1, "valid"), (12, "questionable"), (np.nan, "valid")]
)
def test_haste_makes_the_form_questionable_and_an_unknown_time_does_not(
    validity, seconds, expected
):
    assert validity(NOTHING_IN_IT, seconds=seconds) == expected


def test_invalid_stays_invalid(validity):
    assert validity(NOTHING_IN_IT | {"q8": 2}, seconds=1) is Validity.INVALID


def test_a_form_on_which_nothing_was_answered_is_not_called_questionable(scored):
    found = scored({}, seconds=1)
    assert np.isnan(found.quality).all()
    assert found.validity[0] != Validity.QUESTIONABLE.position


def test_a_form_depends_on_no_other(answers_to_codes):
    forms = [NOTHING_IN_IT, NO_SYMPTOM, {}, {f"q{n}": 1 for n in range(1, 9)}]
    codes, times = answers_to_codes(PLAN, *forms), np.array([1.0, 20, np.nan, 30])
    together = score_forms(PLAN, codes, times)
    for n in range(len(forms)):
        alone = score_forms(PLAN, np.ascontiguousarray(codes[:, [n]]), times[[n]])
        assert alone.quality.tobytes() == np.ascontiguousarray(together.quality[:, [n]]).tobytes()
        assert alone.validity[0] == together.validity[n]


def test_each_index_is_a_column_under_its_own_name(scored):
    found = form_columns(PLAN, scored(NOTHING_IN_IT, seconds=32))
    assert [name for name in found if name.split("__")[1] in NAMES] == [f"moss__{n}" for n in NAMES]
    assert found["moss__pace"].tolist() == [4]
    assert found["moss__form_validity"].cells() == ["valid"]


def test_indices_leave_the_key_of_every_scale_as_it_was():
    without = MOSS.model_copy(update={"quality": ()})
    for scale in MOSS.scales:
        assert scale_key_checksum(MOSS, scale.id) == scale_key_checksum(without, scale.id)


def test_without_indices_there_is_neither_a_column_nor_a_time(scored, answers_to_codes):
    without = compile_form(MOSS.model_copy(update={"quality": ()}), Informant.SELF)
    assert without.quality is None
    answers = {f"q{n}": 1 for n in range(1, 9)}
    found = score_forms(without, answers_to_codes(without, answers), np.array([1.0]))
    assert found.quality.shape == (0, 1)
    assert found.validity[0] == Validity.VALID.position
    assert set(form_columns(PLAN, scored(answers))) - set(form_columns(without, found)) == {
        f"moss__{name}" for name in NAMES
    }


# -- in a screening ---------------------------------------------------------------------------


def index(kind, **cut):
    return QualityIndex(
        id=kind, index=kind, **cut, source="pfizer", evidence="own_choice",
        calibration=QualityCalibration(
            false_alarm=0.01, method="made up", simulated=True, command="none"
        ),
    )  # fmt: skip


@pytest.fixture
def watchful(school, plan):
    """The school, with indices on the GAD-7."""
    gad7 = plan.instruments["gad7"].model_copy(
        update={
            "quality": (
                index("longest_run", at_or_above=7),
                index("seconds_per_item", at_or_below=1.0),
            )
        }
    )
    form = compile_form(gad7, Informant.SELF)
    forms = tuple(form if one.slot == "gad7" else one for one in plan.forms)
    return type(school)(replace(plan, forms=forms))


def entry(school, **forms):
    return next(iter(school.screen(school.pupil(forms=forms)).entries))


@pytest.mark.parametrize("code", [1, 2])
def test_a_questionable_form_gets_a_flag_and_every_tier_stays(school, watchful, code):
    same = dict.fromkeys((f"q{n}" for n in range(1, 8)), code)
    before, after = entry(school, gad7=same), entry(watchful, gad7=same)
    assert before["flags"] == []
    assert after["flags"] == ["questionable"]
    for key in ("screen_tier", "established_tier", "possible_tier", "tier_reasons", "due_at"):
        assert before[key] == after[key], key


def test_the_pupil_who_is_worst_off_on_every_item_is_not_called_doubtful(school, watchful):
    worst = dict.fromkeys((f"q{n}" for n in range(1, 8)), 3)
    before, after = entry(school, gad7=worst), entry(watchful, gad7=worst)
    assert before["screen_tier"] == after["screen_tier"] != "none"
    assert after["flags"] == []


def test_a_calm_form_gets_no_flag(watchful):
    assert entry(watchful)["flags"] == []


def test_haste_is_read_from_the_column_of_the_form_and_changes_its_evidence(watchful):
    calm = watchful.calm("gad7", q1=1)
    slow, fast = (entry(watchful, gad7=calm | {"duration_s": t}) for t in (60, 7))
    assert (slow["flags"], fast["flags"]) == ([], ["questionable"])
    assert slow["entry_id"] != fast["entry_id"]
    assert slow["screen_tier"] == fast["screen_tier"] == "none"


def test_a_time_is_ignored_where_no_index_uses_it(school):
    calm = school.calm("gad7", q1=1)
    slow, fast = (entry(school, gad7=calm | {"duration_s": t}) for t in (60, "soon"))
    assert slow == fast


@pytest.mark.parametrize("time", ["soon", 0, -3])
def test_a_time_that_cannot_be_counts_as_not_given_and_is_a_problem(watchful, time):
    pupil = watchful.pupil(forms={"gad7": watchful.calm("gad7", q1=1) | {"duration_s": time}})
    result = watchful.screen(pupil)
    assert [(p.code, p.path) for p in result.problems] == [("MH413", "duration_s")]
    assert next(iter(result.entries))["flags"] == []


def test_the_archive_holds_the_values(watchful):
    result = watchful.screen(
        watchful.pupil(forms={"gad7": watchful.calm("gad7", q1=1) | {"duration_s": 70}})
    )
    archive = mh.to_frame(result)
    assert archive["gad7__longest_run"][0] == 6
    assert archive["gad7__seconds_per_item"][0] == 10


def test_one_questionnaire_is_scored_with_its_times(tmp_path):
    file = tmp_path / "instruments/moss/1.0.0.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TEXT, encoding="utf-8")
    library = load_library(tmp_path / "instruments")
    answers = {f"moss_{k}": [v, v] for k, v in NOTHING_IN_IT.items()} | {"duration_s": [80, 4]}
    found = mh.score_instrument("moss", answers, library=library)
    assert found["moss__pace"].tolist() == [10, 0.5]
    assert found["moss__form_validity"].tolist() == ["valid", "questionable"]
    page = write_page(library, "moss")
    assert "`run`: longest_run ≥ 5 → Doubtful; all indices together at most 1 %" in page


def test_a_policy_cannot_read_an_index(tmp_path):
    shutil.copytree(Path(__file__).parents[1] / "definitions/good", tmp_path, dirs_exist_ok=True)
    instrument = tmp_path / "instruments/leaf/1.0.0.yaml"
    sign = (
        "quality:\n  - {id: run, index: longest_run, at_or_above: 4, source: manual,\n"
        "     evidence: own_choice, calibration: {false_alarm: 0.01, method: made up,\n"
        "     simulated: true, command: none}}\n"
    )
    instrument.write_text(instrument.read_text(encoding="utf-8") + sign, encoding="utf-8")
    load_library(tmp_path)
    policy = tmp_path / "policies/garden/1.0.0.yaml"
    text = policy.read_text(encoding="utf-8")
    assert "leaf.contrary" in text
    policy.write_text(text.replace("leaf.contrary", "leaf.run"), encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_library(tmp_path)
    assert [p.what for p in caught.value.problems] == ["no validity index 'run'"]
