"""Derived scores: the right stratum or none, bounds from blanks, and no percentile from a mean."""

import numpy as np
import pandas as pd
import pytest

from mhscreen import bind, norm, score, score_instrument, to_frame
from mhscreen.plan.norming import NormPlan, StratumPlan
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores

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


# -- tables and measurement error, on made-up strata ------------------------------------------


def plan_of(**stratum):
    blank = {
        "sex": -1,
        "age": (-np.inf, np.inf),
        "grade": (-np.inf, np.inf),
        "mean": np.nan,
        "sd": np.nan,
        "first": 0,
        "tables": {},
        "t_error": np.nan,
        "shrink": 1.0,
    }
    return NormPlan("made-up", 0, 0, (StratumPlan(**(blank | stratum)),))


def scores_of(score, low, high):
    one, none = np.array([float(score)]), np.zeros(1, dtype=np.int8)
    return ScaleScores("total", (), one, np.ones(1, dtype=np.int16), np.array([float(low)]),
                       np.array([float(high)]), none, none, none, np.zeros(1, dtype=bool),
                       np.array([float(low)]), np.array([float(high)]))  # fmt: skip


NOBODY = (np.array([-1], dtype=np.int8), np.array([np.nan]), np.array([-1], dtype=np.int8))


def test_a_table_is_looked_up_and_never_interpolated():
    plan = plan_of(
        first=0, tables={"t": np.array([40.0, 45, 52]), "percentile": np.array([10.0, 30, 60])}
    )
    found = norm_scale(plan, scores_of(1, 0, 2), *NOBODY)
    assert found.derived["t"].value[0] == 45
    assert (found.derived["t"].low[0], found.derived["t"].high[0]) == (40, 52)
    assert found.derived["percentile"].value[0] == 30
    between = norm_scale(plan, scores_of(1.5, 1.5, 1.5), *NOBODY)
    assert np.isnan(between.derived["t"].value[0])


def test_the_interval_of_measurement_error_lies_around_the_observed_or_the_regressed_score():
    observed = norm_scale(plan_of(mean=10.0, sd=5.0, t_error=3.0), scores_of(20, 20, 20), *NOBODY)
    assert (observed.t_ci_low[0], observed.t_ci_high[0]) == pytest.approx((70 - 5.88, 70 + 5.88))
    regressed = norm_scale(
        plan_of(mean=10.0, sd=5.0, t_error=3.0, shrink=0.8), scores_of(20, 20, 20), *NOBODY
    )
    assert (regressed.t_ci_low[0], regressed.t_ci_high[0]) == pytest.approx((66 - 5.88, 66 + 5.88))


@pytest.mark.parametrize(
    "grade, inside", [(3, False), (4, True), (6, True), (7, False), (-1, False)]
)
def test_a_stratum_by_grade_holds_its_grades_only(grade, inside):
    plan = plan_of(grade=(4.0, 7.0), mean=10.0, sd=5.0)
    found = norm_scale(
        plan, scores_of(20, 20, 20), NOBODY[0], NOBODY[1], np.array([grade], dtype=np.int8)
    )
    assert bool(found.stratum[0] == 0) is inside
    assert bool(found.not_normed[0]) is not inside
