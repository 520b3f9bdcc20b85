"""Whatever is normed: derived scores follow the raw score, and nothing is guessed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.plan.norming import BoxCoxPlan, LinePlan, NormPlan, StratumPlan, TablePlan
from mhscreen.plan.scales import ScaleStates
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import ScaleScores
from mhscreen.vocabulary import NormReason

MOST = 40
FEW = settings(max_examples=60)
numbers = st.floats(-3, 3)


@st.composite
def tables(draw):
    first = draw(st.integers(0, 10))
    steps = draw(st.lists(st.floats(0, 5), min_size=2, max_size=20))
    rising = draw(st.sampled_from([1, -1]))
    t = np.cumsum(steps) + 30
    caps = (t[0] - draw(st.floats(0, 3)), t[-1] + draw(st.floats(0, 3)))
    if rising < 0:
        t, caps = 100 - t, (100 - caps[0], 100 - caps[1])
    kept = [cap if draw(st.booleans()) else np.nan for cap in caps]
    return TablePlan(first, {"t": t, "z": (t - 50) / 10}, *kept, rising)


lines = st.builds(
    LinePlan, st.floats(0, MOST), st.floats(0.5, 10), numbers, st.floats(-0.1, 0.1),
    st.floats(5, 15), numbers,
)  # fmt: skip
fits = st.builds(
    BoxCoxPlan, numbers, st.floats(1, MOST), st.floats(0.05, 2), st.floats(0.5, 2)
)  # fmt: skip
figures = st.one_of(tables(), lines, fits)
pupils = st.tuples(
    st.sampled_from([-1, 0, 1]), st.one_of(st.just(np.nan), st.floats(3, 20)), st.integers(-1, 12)
)


@st.composite
def norms(draw):
    strata = [
        StratumPlan(n, sex, (6.0, 18.0), (1.0, 10.0), draw(figures))
        for n, sex in enumerate(draw(st.sampled_from([(-1,), (0,), (0, 1)])))
    ]
    return NormPlan("made-up", 0, 0, tuple(strata), ("z", "t", "percentile", "stanine"), True)


def scores_of(score, low=None, high=None):
    raw, low, high = (
        np.asarray(score if one is None else one, dtype=float) for one in (score, low, high)
    )
    none = np.full(len(raw), -1, dtype=np.int8)
    counted = np.ones(len(raw), dtype=np.int16)
    estimated = np.zeros(len(raw), bool)
    states = ScaleStates(raw, counted, low, high, none, none, none, estimated, low, high)
    return ScaleScores.each("total", (), states)


def normed(plan, pupil, scores):
    sex, age, grade = pupil
    rows = len(scores.score)
    return norm_scale(
        plan, scores, np.full(rows, sex, np.int8), np.full(rows, age), np.full(rows, grade, np.int8)
    )


@given(norms(), pupils)
@FEW
def test_derived_scores_never_turn_back_while_the_raw_score_rises(plan, pupil):
    found = normed(plan, pupil, scores_of(np.arange(MOST + 1)))
    for place, one in enumerate(plan.strata):
        for derived in found.derived.values():
            values = derived.value[(found.stratum == place) & ~np.isnan(derived.value)]
            assert (one.rising * np.diff(values) >= -1e-9).all()


@given(norms(), pupils, st.lists(st.integers(0, MOST), min_size=3, max_size=3))
@FEW
def test_a_derived_score_lies_within_its_bounds(plan, pupil, three):
    low, score, high = sorted(three)
    found = normed(plan, pupil, scores_of([score], [low], [high]))
    for derived in found.derived.values():
        value, least, most = derived.value[0], derived.low[0], derived.high[0]
        if not np.isnan([value, least, most]).any():
            assert least - 1e-9 <= value <= most + 1e-9
        if not np.isnan(least):
            assert least <= most


@given(norms(), pupils, st.integers(0, MOST))
@FEW
def test_there_is_a_reason_exactly_where_there_is_no_derived_score(plan, pupil, score):
    found = normed(plan, pupil, scores_of([score]))
    given_one = any(not np.isnan(one.value[0]) for one in found.derived.values())
    reason = NormReason.at(int(found.reason[0]))
    assert given_one == (reason is NormReason.NONE)
    _, age, grade = pupil
    if np.isnan(age) or grade < 0:
        assert reason in (NormReason.AGE_UNKNOWN, NormReason.GRADE_UNKNOWN, NormReason.OUTSIDE)


@given(norms(), st.floats(6, 17), st.integers(1, 9), st.integers(0, MOST))
@FEW
def test_an_unknown_sex_is_bounded_by_what_either_sex_gets(plan, age, grade, score):
    boy, girl, unknown = (normed(plan, (sex, age, grade), scores_of([score])) for sex in (0, 1, -1))
    values = np.array([boy.t[0], girl.t[0]])
    if unknown.stratum[0] < 0 and len(plan.strata) == 2 and not np.isnan(values).any():
        assert np.isnan(unknown.t[0])
        assert (unknown.t_low[0], unknown.t_high[0]) == (values.min(), values.max())


@given(norms(), pupils, st.integers(0, MOST))
@FEW
def test_a_cap_stands_only_past_the_end_of_a_table(plan, pupil, score):
    found = normed(plan, pupil, scores_of([score]))
    if found.t_capped[0]:
        table = plan.strata[int(found.stratum[0])].figures
        assert not table.first <= score <= table.last
        assert not np.isnan(found.t[0])


@given(st.floats(1, 30), st.floats(0.5, 10), st.lists(st.integers(0, MOST), min_size=1))
@FEW
def test_an_lms_fit_with_a_power_of_one_is_a_mean_with_its_sd(mean, sd, raw):
    def one(figures):
        stratum = StratumPlan(0, -1, (-np.inf, np.inf), (-np.inf, np.inf), figures)
        plan = NormPlan("made-up", 0, 0, (stratum,), ("z", "t", "percentile"))
        return normed(plan, (-1, np.nan, -1), scores_of(raw))

    fit, line = one(BoxCoxPlan(1.0, mean, sd / mean)), one(LinePlan(mean, sd))
    assert fit.t == pytest.approx(line.t, abs=1e-8)


@given(lines, pupils, st.integers(0, MOST))
@FEW
def test_a_line_gives_a_linear_t_and_never_a_percentile(line, pupil, score):
    stratum = StratumPlan(0, -1, (6.0, 18.0), (1.0, 10.0), line)
    plan = NormPlan("made-up", 0, 0, (stratum,), ("z", "t", "percentile"))
    found = normed(plan, pupil, scores_of([score]))
    assert np.isnan(found.percentile[0])
    if not np.isnan(found.z[0]):
        assert found.t[0] == pytest.approx(50 + 10 * found.z[0])


@given(norms(), st.lists(st.tuples(pupils, st.integers(0, MOST)), min_size=2, max_size=8))
@FEW
def test_one_pupil_never_depends_on_another(plan, class_):
    sex, age, grade = (
        np.array([pupil[n] for pupil, _ in class_], dtype=kind)
        for n, kind in enumerate((np.int8, float, np.int8))
    )
    together = norm_scale(plan, scores_of([score for _, score in class_]), sex, age, grade)
    for place, (pupil, score) in enumerate(class_):
        alone = normed(plan, pupil, scores_of([score]))
        for metric, derived in alone.derived.items():
            both = np.array([derived.value[0], together.derived[metric].value[place]])
            assert np.isnan(both).all() or both[0] == both[1]
        assert alone.reason[0] == together.reason[place]


@given(norms(), st.lists(st.tuples(pupils, st.integers(0, 3)), min_size=1, max_size=6))
@settings(max_examples=30)
def test_of_thousands_in_few_states_each_gets_what_it_gets_alone(plan, people):
    scores = scores_of([3.0, 4.5, np.nan, 20.0], [2.0, 4.0, 0.0, 20.0], [9.0, 5.0, 40.0, 20.0])
    columns = [np.array(column) for column in zip(*(one for one, _ in people), strict=True)]
    place = np.array([state for _, state in people], dtype=np.uint8)
    alone = norm_scale(plan, replace(scores, state=place), *columns)
    for times in (300, 3000):
        order = np.random.default_rng(times).permutation(len(people) * times) % len(people)
        many = replace(scores, state=place[order])
        found = norm_scale(plan, many, *(column[order] for column in columns))
        for name in ("stratum", "reason", "t_ci_low", "t_ci_high", "t_capped", "not_normed"):
            one, other = getattr(found, name), getattr(alone, name)
            assert one.dtype == other.dtype
            assert np.array_equal(one, other[order], equal_nan=one.dtype.kind == "f")
        for metric, derived in found.derived.items():
            for name in ("value", "low", "high"):
                one, other = getattr(derived, name), getattr(alone.derived[metric], name)
                assert np.array_equal(one, other[order], equal_nan=True)
