"""A norm table, compiled: open ends where it asks for nothing, and errors in T units."""

from math import sqrt

import numpy as np
import pytest

from mhscreen.definitions.norm_table import ScaleNorm
from mhscreen.plan.norming import (
    ANY_SEX,
    BoxCoxPlan,
    LinePlan,
    TablePlan,
    _strata,
    compile_norms,
)
from mhscreen.plan.scoring import compile_form
from mhscreen.problems import DefinitionError
from mhscreen.vocabulary import Informant, Sex


def compiled(stratum, **scale):
    """Compile one stratum of a made-up scale."""
    norm = {
        "scale": "total", "key_checksum": f"sha256:{'0' * 64}", "raw_range": (0.0, 40.0),
        "source": "s", "evidence": "own_choice", "strata": [{"sex": "any"} | stratum],
    }  # fmt: skip
    return list(_strata(ScaleNorm.model_validate(norm | scale)))


def one(stratum, **scale):
    (plan,) = compiled(stratum, **scale)
    return plan


MEAN_SD = {"mean_sd": {"mean": 10.0, "sd": 5.0}}


def test_a_stratum_without_ages_and_grades_holds_every_age_and_grade():
    plan = one(MEAN_SD)
    assert plan.sex == ANY_SEX
    assert plan.age == plan.grade == (-np.inf, np.inf)
    assert plan.figures == LinePlan(10, 5)


def test_bands_are_half_open():
    plan = one({"sex": "female", "age": {"from": 11.0, "below": 18.0}, **MEAN_SD})
    assert (plan.sex, plan.age) == (Sex.FEMALE.position, (11, 18))


def test_a_table_may_name_its_first_raw_score_alone():
    listed = one({"table": {"raw": [3, 4, 5], "t": [40.0, 50.0, 60.0]}}, t_kind="linear")
    first = one({"table": {"first": 3, "t": [40.0, 50.0, 60.0]}}, t_kind="linear")
    assert isinstance(first.figures, TablePlan)
    assert (first.figures.first, first.figures.last) == (3, 5)
    assert listed.figures.columns["t"].tolist() == first.figures.columns["t"].tolist()
    assert not first.has_caps


@pytest.mark.parametrize("cap", ["t_below", "t_above"])
def test_one_capped_end_is_enough_for_a_table_to_have_caps(cap):
    table = {"first": 3, "t": [40.0, 50.0, 60.0], cap: 40.0 if cap == "t_below" else 60.0}
    assert one({"table": table}, t_kind="linear").has_caps


def test_a_regression_on_sex_is_compiled_once_for_boys_and_once_for_girls():
    line = {"intercept": 8.0, "age": 0.5, "age_centre": 10.0, "female": -1.5, "residual_sd": 4.0}
    boys, girls = compiled({"age": {"from": 6.0, "below": 12.0}, "regression": line})
    assert (boys.sex, girls.sex) == (Sex.MALE.position, Sex.FEMALE.position)
    assert (boys.figures.mean, girls.figures.mean) == (8, 6.5)
    assert boys.place == girls.place == 0


def test_a_regression_without_sex_is_compiled_once():
    line = {"intercept": 8.0, "grade": 0.5, "residual_sd": 4.0}
    plan = one({"grade": {"from": 1.0, "below": 7.0}, "regression": line})
    assert plan.sex == ANY_SEX
    assert plan.figures == LinePlan(8, 4, grade=0.5)


def test_an_lms_stratum_keeps_its_three_numbers():
    lms = {"l": -0.5, "m": 9.0, "s": 0.4, "add": 1}
    plan = one({"lms": lms}, t_kind="normalised", percentile_definition="fitted")
    assert plan.figures == BoxCoxPlan(-0.5, 9, 0.4, 1)


RELIABILITY = {
    "coefficient": "alpha", "value": 0.84, "sample": {"en": "x", "zh": "x"}, "source": "s",
    "evidence": "one_source",
}  # fmt: skip


def test_the_standard_error_around_an_observed_score_is_that_of_measurement():
    plan = one(MEAN_SD | {"reliability": RELIABILITY | {"around": "observed"}})
    assert (plan.t_error, plan.shrink) == (pytest.approx(4), 1)


def test_the_standard_error_around_a_regressed_score_is_that_of_estimation():
    plan = one(MEAN_SD | {"reliability": RELIABILITY | {"around": "regressed"}})
    assert (plan.t_error, plan.shrink) == (pytest.approx(4 * sqrt(0.84)), 0.84)


def test_a_reliability_found_in_a_wider_sample_gives_the_error_of_that_sample():
    wider = RELIABILITY | {"around": "observed", "sd": 7.5}
    assert one(MEAN_SD | {"reliability": wider}).t_error == pytest.approx(4 * 7.5 / 5)


def test_without_a_reliability_there_is_no_error_to_state():
    assert np.isnan(one(MEAN_SD).t_error)


def test_the_shipped_norm_is_shown_and_never_read_by_a_rule(plan):
    assert {norm.ref for norm in plan.norms} == {"sdq/shanghai-teacher@1.0.0"}
    assert not [leaf for leaf in plan.triage.leaves if leaf.kind == "derived"]


def test_a_norm_is_for_its_own_informant_only(plan):
    assert {plan.slots[norm.slot] for norm in plan.norms} == {"sdq@teacher"}


def test_what_a_norm_gives_is_known_before_anything_is_scored(plan):
    assert {norm.metrics for norm in plan.norms} == {("z", "t")}
    assert {norm.percentile_definition for norm in plan.norms} == {None}


# -- whose norm it is -------------------------------------------------------------------------


def codes_of_refusal(table, form):
    with pytest.raises(DefinitionError) as caught:
        compile_norms(table, form, 0)
    return [problem.code for problem in caught.value.problems]


@pytest.fixture
def teachers(library):
    """The norm of the teacher's SDQ."""
    return library.norm("sdq/shanghai-teacher@1").definition


@pytest.fixture
def sdq(library):
    return library.instrument("sdq@1.0.0").definition


def test_a_norm_is_compiled_for_the_form_that_it_was_made_for(teachers, sdq):
    form = compile_form(sdq, Informant.TEACHER)
    scales = [form.scales[plan.scale].id for plan in compile_norms(teachers, form, 0)]
    assert scales == [norm.scale for norm in teachers.scales]


def test_a_norm_is_refused_for_another_instrument(teachers, library):
    form = compile_form(library.instrument("phq9@1").definition, Informant.SELF)
    assert codes_of_refusal(teachers, form) == ["MH201"]


def test_a_norm_is_refused_for_another_informant(teachers, sdq):
    assert codes_of_refusal(teachers, compile_form(sdq, Informant.PARENT)) == ["MH306"]


def test_a_norm_is_refused_for_another_scoring_key(teachers, sdq):
    other = sdq.scale("total").model_copy(update={"rounding": "down"})
    scales = tuple(other if scale.id == "total" else scale for scale in sdq.scales)
    form = compile_form(sdq.model_copy(update={"scales": scales}), Informant.TEACHER)
    assert codes_of_refusal(teachers, form) == ["MH212"]


def test_a_norm_is_refused_where_the_form_lacks_one_of_its_scales(teachers, sdq):
    scales = tuple(scale for scale in sdq.scales if scale.id != "prosocial")
    form = compile_form(sdq.model_copy(update={"scales": scales}), Informant.TEACHER)
    assert codes_of_refusal(teachers, form) == ["MH201"]
