"""Derived scores: the right stratum or none, bounds from blanks, and no percentile from a mean."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mhscreen import bind, norm, score, score_instrument, to_frame
from mhscreen.plan.norming import BoxCoxPlan, LinePlan, NormPlan, StratumPlan, TablePlan
from mhscreen.plan.scales import ScaleStates
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores
from mhscreen.vocabulary import NormReason

NORM = "sdq/shanghai-teacher@1"


def sdq(**columns):
    """Return a teacher's form on which every item is scored one."""
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({f"sdq_{n}": [1] * rows for n in range(1, 27)} | columns)


def normed(**columns):
    return score_instrument(
        "sdq@1", sdq(**columns), informant="teacher", norm=NORM, on_problem="report"
    )


@pytest.mark.parametrize(
    "age, stratum",
    [
        (2.99, -1),
        (3, 0),
        (3.01, 0),
        (10.99, 0),
        (11, 2),
        (11.01, 2),
        (17.99, 2),
        (18, -1),
        (None, -1),
    ],
)
def test_each_edge_of_an_age_band_belongs_to_the_band_that_begins_there(age, stratum):
    found = normed(sex=["male"], age=[age])
    assert found["sdq_teacher__total__stratum"].tolist() == [stratum]
    assert found["sdq_teacher__total__t"].isna().tolist() == [stratum < 0]


def test_the_figures_are_those_of_the_published_table():
    found = normed(sex=["male", "female"], age=[8, 12])
    emotional = found["sdq_teacher__emotional__z"].tolist()
    assert emotional == pytest.approx([(5 - 1.75) / 1.80, (5 - 1.85) / 1.85])
    t = found["sdq_teacher__emotional__t"].tolist()
    assert t == pytest.approx([50 + 10 * z for z in emotional])


def test_a_linear_t_has_no_percentile():
    assert not [name for name in normed(sex=["male"], age=[8]).columns if "percentile" in name]


def test_an_unknown_sex_gives_bounds_over_both_and_no_value():
    both = normed(sex=["male", "female"], age=[8, 8])["sdq_teacher__conduct__t"]
    unknown = normed(sex=[None], age=[8]).iloc[0]
    assert np.isnan(unknown["sdq_teacher__conduct__t"])
    assert unknown["sdq_teacher__conduct__t_low"] == pytest.approx(both.min())
    assert unknown["sdq_teacher__conduct__t_high"] == pytest.approx(both.max())
    assert both.min() < both.max()


def test_blanks_give_bounds_around_the_derived_score():
    found = normed(sex=["male"], age=[8], sdq_3=[None]).iloc[0]
    low, value, high = (found[f"sdq_teacher__emotional__t{end}"] for end in ("_low", "", "_high"))
    assert low == pytest.approx(50 + 10 * (4 - 1.75) / 1.8)
    assert value == pytest.approx(50 + 10 * (5 - 1.75) / 1.8)
    assert high == pytest.approx(50 + 10 * (6 - 1.75) / 1.8)


def test_nothing_answered_has_no_derived_score():
    blank = pd.DataFrame({f"sdq_{n}": [None] for n in range(1, 27)} | {"sex": ["male"], "age": [8]})
    found = score_instrument("sdq", blank, informant="teacher", norm=NORM, on_problem="report")
    derived = [c for c in found.columns if c.endswith(("__z", "__t", "_low", "_high"))]
    assert found[derived].isna().all(axis=None)


def test_outside_the_norm_nothing_is_borrowed_and_the_pupil_is_flagged(school):
    forms = {"sdq@teacher": school.calm("sdq@teacher")}
    young = school.one(stage="primary", grade=1, forms=forms, sex="male", age=2.5)
    assert "not_normed" in young["flags"]
    fits = school.one(stage="primary", grade=2, forms=forms, sex="male", age=8)
    assert "not_normed" not in fits["flags"]
    unknown_age = school.one(stage="primary", grade=2, forms=forms, sex="male")
    assert "not_normed" in unknown_age["flags"]


@pytest.mark.parametrize("submitted, stratum", [("2026-10-14", 0), ("2026-10-15", 2)])
def test_age_is_taken_on_the_day_the_form_was_submitted(plan, school, submitted, stratum):
    form = school.calm("sdq@teacher") | {"administered_on": submitted}
    pupil = school.pupil(
        stage="primary", grade=5, forms={"sdq@teacher": form}, sex="male", birth_date="2015-10-15"
    )
    roster, responses = school.frames([pupil])
    batch = bind(plan, roster=roster, responses=responses, at="2027-06-01")
    found = to_frame(norm(plan, score(plan, batch)))
    assert found["sdq_teacher__total__stratum"].tolist() == [stratum]


# -- every kind of figures, on made-up strata ------------------------------------------------------


def plan_of(*figures, metrics=("z", "t"), stanine_of_z=False, **stratum):
    """Compile strata of one place each; `figures` may be pairs of sex and figures."""
    blank = {"sex": -1, "age": (-np.inf, np.inf), "grade": (-np.inf, np.inf)}
    strata = [
        StratumPlan(place=n, **(blank | stratum | ({"sex": one[0]} if pair else {})),
                    figures=one[1] if pair else one)
        for n, one in enumerate(figures)
        for pair in [isinstance(one, tuple)]
    ]  # fmt: skip
    return NormPlan("made-up", 0, 0, tuple(strata), metrics, stanine_of_z)


def table_of(first=0, rising=1, t_below=np.nan, t_above=np.nan, **columns):
    arrays = {name: np.array(values, dtype=float) for name, values in columns.items()}
    return TablePlan(first, arrays, t_below, t_above, rising)


def scores_of(score, low=None, high=None):
    low, high = score if low is None else low, score if high is None else high
    one, none = np.array([float(score)]), np.zeros(1, dtype=np.int8)
    low, high = np.array([float(low)]), np.array([float(high)])
    counted, estimated = np.ones(1, dtype=np.int16), np.zeros(1, dtype=bool)
    states = ScaleStates(one, counted, low, high, none, none, none, estimated, low, high)
    return ScaleScores.each("total", (), states)


def who(sex=-1, age=np.nan, grade=-1):
    return np.array([sex], dtype=np.int8), np.array([age]), np.array([grade], dtype=np.int8)


NOBODY = who()
TEN_FIVE = LinePlan(10.0, 5.0)


def why(normed):
    return str(NormReason.at(int(normed.reason[0])))


def test_a_table_is_looked_up_and_never_interpolated():
    plan = plan_of(
        table_of(t=[40, 45, 52], percentile=[10, 30, 60]), metrics=("t", "percentile")
    )  # fmt: skip
    found = norm_scale(plan, scores_of(1, 0, 2), *NOBODY)
    assert found.derived["t"].value[0] == 45
    assert (found.derived["t"].low[0], found.derived["t"].high[0]) == (40, 52)
    assert found.percentile[0] == 30
    between = norm_scale(plan, scores_of(1.5), *NOBODY)
    assert np.isnan(between.derived["t"].value[0])
    assert why(between) == "not_listed"
    assert between.not_normed[0]


def test_the_interval_of_measurement_error_lies_around_the_observed_or_the_regressed_score():
    observed = norm_scale(plan_of(TEN_FIVE, t_error=3.0), scores_of(20), *NOBODY)
    assert (observed.t_ci_low[0], observed.t_ci_high[0]) == pytest.approx((70 - 5.88, 70 + 5.88))
    regressed = norm_scale(plan_of(TEN_FIVE, t_error=3.0, shrink=0.8), scores_of(20), *NOBODY)
    assert (regressed.t_ci_low[0], regressed.t_ci_high[0]) == pytest.approx((66 - 5.88, 66 + 5.88))


@pytest.mark.parametrize(
    "grade, inside", [(3, False), (4, True), (6, True), (7, False), (-1, False)]
)
def test_a_stratum_by_grade_holds_its_grades_only(grade, inside):
    plan = plan_of(TEN_FIVE, grade=(4.0, 7.0))
    found = norm_scale(plan, scores_of(20), *who(grade=grade))
    assert bool(found.stratum[0] == 0) is inside
    assert bool(found.not_normed[0]) is not inside


@pytest.mark.parametrize(
    "raw, t, capped",
    [(0, 36, -1), (12, 36, -1), (13, 36, 0), (14, 37, 0), (15, 39, 0), (16, 41, 1)],
)
def test_a_score_past_the_end_of_a_table_gets_the_printed_cap_and_says_so(raw, t, capped):
    plan = plan_of(table_of(13, t=[36, 37, 39], t_below=36, t_above=41), metrics=("t",))
    found = norm_scale(plan, scores_of(raw), *NOBODY)
    assert (found.t[0], found.t_capped[0], why(found)) == (t, capped, "none")


def test_a_table_without_a_cap_ends_where_it_ends():
    plan = plan_of(table_of(13, t=[36, 37, 39], t_below=36), metrics=("t",))
    found = norm_scale(plan, scores_of(16), *NOBODY)
    assert np.isnan(found.t[0])
    assert (found.t_capped[0], why(found)) == (0, "not_listed")


def test_a_capped_t_has_no_interval_of_measurement_error():
    plan = plan_of(table_of(13, t=[36, 37, 39], t_above=39), metrics=("t",), t_error=3.0)
    inside, past = (norm_scale(plan, scores_of(raw), *NOBODY) for raw in (15, 16))
    assert inside.t_ci_high[0] == pytest.approx(39 + 5.88)
    assert np.isnan([past.t_ci_low[0], past.t_ci_high[0]]).all()


def test_a_falling_table_turns_bounds_and_caps_round():
    plan = plan_of(table_of(1, -1, t_below=80, t_above=30, t=[80, 60, 40]), metrics=("t",))
    found = norm_scale(plan, scores_of(2, 1, 3), *NOBODY)
    assert (found.t_low[0], found.t[0], found.t_high[0]) == (40, 60, 80)
    assert norm_scale(plan, scores_of(0), *NOBODY).t_capped[0] == 1
    assert norm_scale(plan, scores_of(4), *NOBODY).t_capped[0] == -1


def test_a_box_cox_fit_gives_z_t_and_the_percentile_of_the_fitted_distribution():
    plan = plan_of(BoxCoxPlan(0.5, 11.0, 0.4, add=1.0), metrics=("z", "t", "percentile"))
    found = norm_scale(plan, scores_of(20), *NOBODY)
    z = ((21 / 11) ** 0.5 - 1) / (0.5 * 0.4)
    assert found.z[0] == pytest.approx(z)
    assert found.t[0] == pytest.approx(50 + 10 * z)
    assert found.percentile[0] == pytest.approx(100 * stats.norm.cdf(z))


def test_a_regression_predicts_from_age_and_grade():
    line = LinePlan(8.0, 4.0, age=0.5, age_squared=-0.1, age_centre=10.0, grade=0.25)
    plan = plan_of(line, age=(6.0, 16.0), grade=(1.0, 9.0))
    found = norm_scale(plan, scores_of(12), *who(age=12.0, grade=6))
    predicted = 8 + 0.5 * 2 - 0.1 * 4 + 0.25 * 6
    assert found.z[0] == pytest.approx((12 - predicted) / 4)
    assert found.t[0] == pytest.approx(50 + 10 * (12 - predicted) / 4)


def test_an_unknown_sex_gives_bounds_over_both_lines_of_a_regression():
    plan = plan_of((0, LinePlan(8.0, 4.0)), (1, LinePlan(6.0, 4.0)))
    found = norm_scale(plan, scores_of(10), *NOBODY)
    assert (found.t_low[0], found.t_high[0]) == pytest.approx((55, 60))
    assert np.isnan(found.t[0])
    assert (why(found), bool(found.not_normed[0])) == ("sex_unknown", False)


def test_a_bound_that_one_of_two_sexes_does_not_give_is_not_known():
    plan = plan_of((0, table_of(t=[40, 50])), (1, table_of(t=[42, 52, 62])), metrics=("t",))
    found = norm_scale(plan, scores_of(2), *NOBODY)
    assert np.isnan([found.t_low[0], found.t_high[0]]).all()


def test_stanines_follow_from_z_where_that_is_declared():
    metrics = ("z", "t", "stanine")
    plan = plan_of(TEN_FIVE, metrics=metrics, stanine_of_z=True)
    found = norm_scale(plan, scores_of(13, 10, 20), *NOBODY)
    assert (found.derived["stanine"].low[0], found.stanine[0]) == (5, 6)
    assert found.derived["stanine"].high[0] == 9


def test_stanines_of_a_table_are_those_it_lists():
    plan = plan_of(table_of(stanine=[1, 4, 9]), metrics=("stanine",))
    assert norm_scale(plan, scores_of(1), *NOBODY).stanine[0] == 4


MALE_8_TO_12 = {"sex": 0, "age": (8.0, 12.0), "grade": (3.0, 7.0)}


@pytest.mark.parametrize(
    "pupil, reason, flagged",
    [
        ({"sex": 0, "age": 9.0, "grade": 4}, "none", False),
        ({"age": 9.0, "grade": 4}, "sex_unknown", False),
        ({"sex": 0, "grade": 4}, "age_unknown", True),
        ({"grade": 4}, "age_unknown", True),
        ({"sex": 0, "age": 9.0}, "grade_unknown", True),
        ({"sex": 0}, "age_unknown", True),
        ({"sex": 1, "age": 9.0, "grade": 4}, "outside", True),
        ({"sex": 1, "grade": 4}, "outside", True),
        ({"sex": 0, "age": 12.0, "grade": 4}, "outside", True),
        ({"sex": 0, "age": 12.0}, "outside", True),
        ({"age": 9.0, "grade": 7}, "outside", True),
    ],
)
def test_a_form_that_is_not_normed_says_why(pupil, reason, flagged):
    plan = plan_of(TEN_FIVE, **MALE_8_TO_12)
    found = norm_scale(plan, scores_of(12), *who(**pupil))
    assert (why(found), bool(found.not_normed[0])) == (reason, flagged)
    assert np.isnan(found.t[0]) == (reason != "none")


def test_a_form_without_a_raw_score_says_so_and_keeps_its_bounds():
    found = norm_scale(plan_of(TEN_FIVE), scores_of(np.nan, 5, 15), *NOBODY)
    assert why(found) == "no_score"
    assert (found.t_low[0], found.t_high[0]) == (40, 60)
    assert not found.not_normed[0]


def test_the_reason_and_the_cap_stand_in_columns_of_their_own():
    found = normed(sex=["male", None, "male"], age=[8, 8, 40])
    reasons = found["sdq_teacher__total__norm_reason"].tolist()
    assert reasons == ["none", "sex_unknown", "outside"]
    assert not [name for name in found.columns if name.endswith("__t_capped")]


def test_a_pupil_without_a_form_has_no_score_to_norm(plan, school):
    pupil = school.pupil(stage="primary", grade=2, forms={"sdq@teacher": None}, sex="male", age=8)
    roster, responses = school.frames([pupil])
    batch = bind(plan, roster=roster, responses=responses, at="2026-10-15")
    found = norm(plan, score(plan, batch))
    assert to_frame(found)["sdq_teacher__total__norm_reason"].tolist() == ["no_score"]
    one = found["sdq@teacher.total"]
    assert (why(one), one.t_capped[0], one.stratum[0]) == ("no_score", 0, -1)
