"""A norm describes its sample: who counts, weighted how, how sure; thin cells get none."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mhscreen as mh
from mhscreen.loading import norm_yaml, read_definition
from mhscreen.problems import AnalysisError, DefinitionError, UsageError
from mhscreen.psychometrics.norms import (
    Candidate,
    Formula,
    NormAbout,
    NormSample,
    ScoreRange,
    build_norm,
    choose_norm_model,
    count_cells,
    fit_norm,
    fit_taylor,
    mid_ranks,
    rake_weights,
    smooth_shares,
)
from mhscreen.psychometrics.norms.continuous import covariance_of
from mhscreen.vocabulary import Informant, Sex

ABOUT = NormAbout("town-2026", "CN", "2026", dt.date(2030, 1, 1), named=False)
SHIPPED = mh.shipped_library()
PHQ9 = SHIPPED.instrument("phq9@1.0.0").definition


def sample(pupils=4000, seed=1, *, schools=None, **other):
    """Simulate PHQ-9 totals that rise with grade, more for girls."""
    rng = np.random.default_rng(seed)
    grade = rng.integers(7, 13, pupils).astype(np.int8)
    sex = rng.integers(0, 2, pupils).astype(np.int8)
    level = -1.6 + 0.08 * (grade - 7) + 0.25 * (sex == Sex.FEMALE.position)
    school = None
    if schools:
        place = rng.integers(0, schools, pupils)
        level = level + 0.4 * rng.standard_normal(schools)[place]
        school = np.array([f"S{n}" for n in place], dtype=object)
    share = 1 / (1 + np.exp(-level))
    raw = rng.binomial(27, rng.beta(share * 4, (1 - share) * 4)).astype(float)
    age = grade + 6 + rng.random(pupils)
    return NormSample({"total": raw}, sex, age, grade, school=school, asked=pupils, **other)


def build(given_sample, method="empirical", **rest):
    rest = {"by": ("sex", "grade"), **rest}
    return build_norm(PHQ9, Informant.SELF, given_sample, ABOUT, method=method, **rest)


# -- weights --------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.floats(0.2, 0.8), st.floats(0.2, 0.8))
@settings(max_examples=25)
def test_raked_weights_have_the_margins_of_the_population(seed, girls, seniors):
    rng = np.random.default_rng(seed)
    groups = {"sex": rng.choice(["f", "m"], 300), "stage": rng.choice(["j", "s"], 300)}
    margins = {
        "sex": {"f": girls, "m": 1 - girls},
        "stage": {"j": 1 - seniors, "s": seniors},
    }
    found = rake_weights(groups, margins)
    assert found.after == pytest.approx(found.target, abs=1e-9)
    assert found.weight.mean() == pytest.approx(1)
    assert found.effective <= 300


def test_a_sample_with_the_right_margins_keeps_its_weights():
    groups = {"sex": ["f", "m"] * 50}
    assert rake_weights(groups, {"sex": {"f": 5, "m": 5}}).weight == pytest.approx(np.ones(100))


@pytest.mark.parametrize(
    "margins, words",
    [({"sex": {"f": 50, "m": 40, "x": 10}}, "nobody in the sample is of group 'x'"),
     ({"sex": {"f": 100}}, "the population has no group 'm'"),
     ({"sex": {"f": 50, "m": 50}, "grade": {"7": 30, "8": 30}}, "different totals")],
)  # fmt: skip
def test_a_sample_that_cannot_be_raked_says_why(margins, words):
    groups = {"sex": ["f", "m"] * 50, "grade": ["7", "7", "8", "8"] * 25}
    with pytest.raises(AnalysisError, match=words) as caught:
        rake_weights(groups, margins)
    assert {problem.code for problem in caught.value.problems} == {"MH708"}


def test_margins_that_contradict_each_other_come_to_no_end():
    # All girls are in grade 7 and all boys in grade 8, but not so in the population.
    groups = {"sex": ["f"] * 50 + ["m"] * 50, "grade": ["7"] * 50 + ["8"] * 50}
    margins = {"sex": {"f": 50, "m": 50}, "grade": {"7": 30, "8": 70}}
    with pytest.raises(AnalysisError, match="MH709"):
        rake_weights(groups, margins)


def test_a_limit_on_weights_is_kept_or_refused():
    groups = {"sex": ["f"] * 10 + ["m"] * 90, "grade": (["7"] * 5 + ["8"] * 5) * 10}
    margins = {"sex": {"f": 18, "m": 82}, "grade": {"7": 55, "8": 45}}
    assert rake_weights(groups, margins, largest=2.1).weight.max() <= 2.1
    with pytest.raises(AnalysisError, match=r"no weights up to 1\.2"):
        rake_weights(groups, margins, largest=1.2)


# -- percentiles ----------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_a_percentile_is_the_share_short_of_a_score_and_half_of_those_at_it(raw):
    raw = np.array(raw, dtype=float)
    scores = np.arange(10.0)
    found = mid_ranks(raw, scores)
    by_hand = [100 * ((raw < s).mean() + (raw == s).mean() / 2) for s in scores]
    assert found.percentile == pytest.approx(by_hand)
    assert (found.low <= found.percentile + 1e-9).all()
    assert (found.percentile <= found.high + 1e-9).all()


def test_pupils_of_few_schools_tell_less_than_as_many_from_everywhere():
    one = sample(2000, schools=20)
    scores = np.arange(28.0)
    alone = mid_ranks(one.raw["total"], scores)
    clustered = mid_ranks(one.raw["total"], scores, None, one.school)
    assert clustered.effective < 0.5 * alone.effective
    assert clustered.percentile == pytest.approx(alone.percentile)
    assert clustered.high[5] - clustered.low[5] > alone.high[5] - alone.low[5]


@pytest.mark.parametrize("schools", [None, 40])
def test_intervals_of_percentiles_hold_the_truth_as_often_as_they_say(schools):
    rng = np.random.default_rng(3)
    share = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
    truth, held = None, []
    for _ in range(400):
        if schools is None:
            raw, school = rng.choice(5, 300, p=share).astype(float), None
        else:
            tilt = np.exp(np.outer(0.4 * rng.standard_normal(schools), np.arange(5) - 2))
            each = share * tilt
            each /= each.sum(axis=1, keepdims=True)
            raw = np.concatenate([rng.choice(5, 15, p=p) for p in each]).astype(float)
            school = np.repeat(np.arange(schools), 15).astype(object)
        found = mid_ranks(raw, np.arange(5.0), None, school)
        if truth is None:
            truth = 100 * (np.cumsum(share) - share / 2) if schools is None else _truth(share)
        held.append((found.low <= truth) & (truth <= found.high))
    # 400 samples leave about 1.1 points of error on a coverage of 0.95.
    assert np.mean(held, axis=0) == pytest.approx(0.95, abs=0.04)


def _truth(share):
    tilt = np.exp(np.outer(0.4 * np.random.default_rng(0).standard_normal(200_000),
                           np.arange(5) - 2))  # fmt: skip
    each = share * tilt
    each /= each.sum(axis=1, keepdims=True)
    mean = each.mean(axis=0)
    return 100 * (np.cumsum(mean) - mean / 2)


def test_smoothing_keeps_the_moments_it_is_asked_to_keep():
    counts = np.bincount([0] * 9 + [1] * 6 + [2] * 8 + [3] * 2 + [5] * 3, minlength=8)
    found = smooth_shares(counts.astype(float), 3)
    scores = np.arange(8)
    for moment in (1, 2, 3):
        assert (found * scores**moment).sum() == pytest.approx(
            (counts / counts.sum() * scores**moment).sum(), abs=1e-7
        )
    assert (found > 0).all()


@given(st.lists(st.integers(0, 500), min_size=12, max_size=28), st.integers(1, 4))
def test_smoothing_comes_to_its_end_on_whatever_sample(counts, degree):
    counts = np.array(counts, dtype=float)
    if (counts > 0).sum() <= degree:
        return
    found = smooth_shares(counts, degree)
    design = np.polynomial.legendre.legvander(np.linspace(-1, 1, len(counts)), degree)
    assert found @ design == pytest.approx(counts / counts.sum() @ design, abs=1e-9)


def test_smoothing_needs_more_scores_than_moments():
    with pytest.raises(AnalysisError, match="MH705"):
        smooth_shares(np.array([10.0, 0, 0, 0, 12]), 4)


# -- models ---------------------------------------------------------------------------------------


def counted(one=None, *, sexes=False):
    one = one or sample(seed=2)
    raw = one.raw["total"]
    girl = one.sex * 1.0 if sexes else np.zeros(len(raw))
    of = ScoreRange(0, 27, float(raw.mean()), float(raw.std()))
    return count_cells(one.grade * 1.0, girl, raw, np.ones(len(raw)), of), raw


@pytest.mark.parametrize("family", ["beta_binomial", "shash", "lms"])
@pytest.mark.parametrize("sex", [False, True])
def test_fitted_percentiles_rise_with_the_raw_score_at_every_grade(family, sex):
    cells, _ = counted(sexes=True)
    fit = fit_norm(cells, family, Formula((2, 1), sex))
    grades = np.linspace(7, 12, 30)
    for girl in (0.0, 1.0):
        percentiles = fit.percentiles(grades, np.full(30, girl))
        assert (np.diff(percentiles, axis=1) > 0).all()
        assert fit.shares(grades, np.full(30, girl)).sum(axis=1) == pytest.approx(1)


def test_a_fitted_norm_finds_what_the_sample_was_made_from():
    cells, _ = counted(sample(60_000, 4), sexes=True)
    fit = fit_norm(cells, "beta_binomial", Formula((1, 0), sex=True))
    found = fit.parameters([7, 12, 7], [0, 0, 1])
    assert found["mean"] == pytest.approx([-1.6, -1.2, -1.35], abs=0.03)
    assert np.exp(-found["dispersion"]) == pytest.approx(4, abs=0.15)


def test_nothing_is_said_beyond_the_grades_of_the_sample():
    cells, _ = counted()
    for fit in (fit_norm(cells, "shash", Formula((1,))), fit_taylor(cells, powers=(4, 2))):
        with pytest.raises(UsageError, match="nothing is said beyond"):
            fit.percentiles([13], [0])


def test_weights_count_as_so_many_pupils():
    one = sample(600, 5)
    raw, grade = one.raw["total"], one.grade * 1.0
    twice = np.arange(600) < 300
    of = ScoreRange(0, 27, 6.0, 5.0)
    weighted = count_cells(grade, 0 * grade, raw, 1.0 + twice, of)
    again = np.concatenate([np.arange(600), np.flatnonzero(twice)])
    repeated = count_cells(grade[again], 0 * grade[again], raw[again], np.ones(900), of)
    fits = [fit_norm(one, "beta_binomial", Formula((1,))) for one in (weighted, repeated)]
    assert fits[0].coefficients == pytest.approx(fits[1].coefficients, abs=1e-4)


def test_standard_errors_are_those_of_repeated_samples():
    grades, girl = [8.0], [0.0]
    drawn, errors = [], []
    for seed in range(60):
        one = sample(1500, seed, schools=30)
        cells, raw = counted(one)
        fit = fit_norm(cells, "beta_binomial", Formula((1,)))
        drawn.append(fit.percentiles(grades, girl)[0])
        covariance = covariance_of(fit, cells, raw, np.ones(1500), one.school)
        errors.append(fit.standard_errors(grades, girl, covariance)[0])
    ratio = np.mean(errors, axis=0)[:12] / np.std(drawn, axis=0)[:12]
    assert ratio == pytest.approx(1, abs=0.25)  # 60 samples leave a tenth on an SD


@pytest.mark.parametrize("degrees", [(9,), (1, 1, 1, 1, 1)])
def test_more_degrees_than_grades_or_parameters_are_refused(degrees):
    cells, _ = counted()
    with pytest.raises((AnalysisError, UsageError)):
        fit_norm(cells, "shash", Formula(degrees))


def test_a_shift_for_sex_needs_both():
    cells, _ = counted()
    with pytest.raises(AnalysisError, match="MH707"):
        fit_norm(cells, "shash", Formula((1,), sex=True))


def test_a_taylor_norm_that_bends_back_is_not_given():
    of = ScoreRange(0, 27, 10.0, 5.0)
    rng = np.random.default_rng(1)
    grade = np.repeat(np.arange(7.0, 13.0), 40)
    raw = np.where(grade % 2 == 0, rng.integers(0, 28, 240), rng.integers(12, 15, 240)) * 1.0
    cells = count_cells(grade, 0 * grade, raw, np.ones(240), of)
    with pytest.raises(AnalysisError, match="MH727"):
        fit_taylor(cells, terms=((3, 3), (1, 3), (2, 1)))


def test_cross_validation_prefers_what_the_sample_was_made_from_to_what_ignores_grade():
    one = sample(6000, 7, schools=60)
    cells, raw = counted(one, sexes=True)
    wrong = Candidate("beta_binomial", Formula((0, 0)))
    right = Candidate("beta_binomial", Formula((1, 0), sex=True))
    rich = Candidate("empirical")
    found = choose_norm_model(
        cells, raw, np.ones(6000), rng=np.random.default_rng(1), school=one.school,
        candidates=(wrong, right, rich), folds=6,
    )  # fmt: skip
    assert found.candidates[found.chosen] == right
    assert found.behind[0] > 2 * found.behind_se[0]
    assert found.plot().figure is not None


def test_of_models_that_do_alike_the_one_with_the_fewest_figures_is_taken():
    alike = tuple(
        Candidate("beta_binomial", Formula(degrees)) for degrees in ((2, 2), (2, 1), (1,))
    )
    others = 0
    for seed in range(12):
        cells, raw = counted(sample(800, seed))
        found = choose_norm_model(
            cells, raw, np.ones(800), rng=np.random.default_rng(1), candidates=alike, folds=5
        )
        near = found.behind <= np.maximum(found.behind_se, 1e-12)
        assert found.coefficients.tolist() == [6, 5, 3]
        assert found.chosen == int(np.flatnonzero(near)[-1])
        others += found.best != found.chosen
    assert others > 0


def test_a_candidate_that_cannot_be_fitted_is_named_and_not_judged():
    cells, raw = counted(sample(300, 1))
    both = (Candidate("beta_binomial", Formula((9,))), Candidate("empirical"))
    found = choose_norm_model(
        cells, raw, np.ones(300), rng=np.random.default_rng(1), candidates=both, folds=3
    )
    assert np.isnan(found.score[0])
    assert found.why_not[0]
    assert found.candidates[found.chosen].method == "empirical"
    with pytest.raises(AnalysisError, match="none of the models"):
        choose_norm_model(
            cells, raw, np.ones(300), rng=np.random.default_rng(1), candidates=both[:1], folds=3
        )


# -- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["empirical", "log_linear", "beta_binomial", "shash", "lms", "taylor", "auto"]
)
def test_the_loader_takes_back_what_is_built(method):
    found = build(sample(6000), method, rng=np.random.default_rng(1), folds=4)
    text = found.to_yaml()
    table, problems = read_definition(text, "town.yaml")
    assert problems == []
    assert table == found.table
    assert table.use == "display"
    assert len(table.scales[0].strata) == 12
    assert any("moves no cut and no tier" in note for note in table.notes)


def test_norming_the_sample_with_its_own_table_gives_its_own_percentiles(tmp_path):
    one = sample(6000)
    found = build(one)
    folder = tmp_path / "norms/phq9"
    folder.mkdir(parents=True)
    (folder / "town-2026.1.0.0.yaml").write_text(found.to_yaml(), "utf-8")
    library = mh.load_library(tmp_path / "norms", base=SHIPPED)
    answers = {f"phq9_{n}": [1, 0] for n in range(1, 10)} | {"sex": ["m", "f"], "grade": [8, 12]}
    normed = mh.score_instrument(
        "phq9@1.0.0", answers, norm="phq9/town-2026@1", library=library
    )  # fmt: skip
    for place, (raw, sex, grade) in enumerate([(9, "male", 8), (0, "female", 12)]):
        here = (one.sex == Sex(sex).position) & (one.grade == grade)
        scores = one.raw["total"][here]
        by_hand = 100 * ((scores < raw).mean() + (scores == raw).mean() / 2)
        assert normed["phq9__total__percentile"][place] == pytest.approx(by_hand, abs=0.051)
    outside = mh.score_instrument(
        "phq9@1.0.0", answers | {"grade": [3, 3]}, norm="phq9/town-2026@1", library=library
    )
    assert np.isnan(outside["phq9__total__t"]).all()


def test_a_group_with_too_few_pupils_gets_no_norm():
    one = sample(4000)
    few = (one.grade == 12) & (one.sex == 0) & (np.arange(4000) % 8 > 0)
    one = NormSample(
        {"total": np.where(few, np.nan, one.raw["total"])}, one.sex, one.age, one.grade, asked=4000
    )
    found = build(one)
    assert len(found.table.scales[0].strata) == 11
    small = [problem for problem in found.problems if problem.code == "MH726"]
    assert len(small) == 1
    assert "total, male, grade 12-<13" in small[0].what
    assert any("grade 12-<13" in note for note in found.table.notes)


def test_no_table_is_made_where_every_group_is_small():
    with pytest.raises(AnalysisError, match="no group is large enough"):
        build(sample(300))


def test_who_is_left_out_and_why_stands_in_the_table():
    one = sample(6000)
    invalid, unknown = np.zeros(6000, dtype=bool), one.sex.copy()
    invalid[:30], unknown[20:70] = True, -1  # ten of them for both reasons: counted once
    estimated = np.arange(6000) >= 5900
    found = build(
        NormSample(one.raw, unknown, one.age, one.grade, invalid=invalid, asked=8000,
                   estimated={"total": estimated})
    )  # fmt: skip
    notes = " ".join(found.table.notes)
    for words in ("30 of 6000 forms left out: invalid", "40 of 6000 forms left out: the sex",
                  "100 forms left out: no score, or an estimated one",
                  "2000 of 8000 pupils asked did not answer (25.0%)",
                  "Not weighted to a population"):  # fmt: skip
        assert words in notes
    assert found.table.n == 5930


@pytest.mark.parametrize(
    "named, words",
    [(True, "answers were given under the pupil's name"),
     (None, "whether answers were named is not stated"), (False, None)],
)  # fmt: skip
def test_named_answers_are_said_to_tell_less_than_is_so(named, words):
    about = NormAbout("town-2026", "CN", "2026", dt.date(2030, 1, 1), named=named)
    found = build_norm(
        PHQ9, Informant.SELF, sample(4000), about, by=("sex",), method="empirical"
    )  # fmt: skip
    notes = " ".join(found.table.notes).lower()
    assert ("named" in notes or "pupil's name" in notes) == (named is not False)
    if words:
        assert words in notes


def test_a_raked_norm_is_that_of_the_population():
    one = sample(8000)
    margins = {"sex": {"male": 90, "female": 10}}
    plain = build(one, by=()).to_frame()
    raked = build(one, by=(), margins=margins).to_frame()
    boys = build(one, by=("sex",)).to_frame().query("sex == 'male'")
    at = plain["raw"] == 10
    assert plain["percentile"][at].item() < raked["percentile"][at].item()
    assert raked["percentile"][at].item() == pytest.approx(
        boys["percentile"][boys["raw"] == 10].item(), abs=1.5
    )


def test_bands_of_age_are_normed_at_their_middle():
    one = sample(8000)
    bands = [13, 14, 15, 16, 17, 18, 19]
    found = build(one, "beta_binomial", by=("sex", "age"), age_bands=bands)
    strata = found.table.scales[0].strata
    assert [stratum.age.from_ for stratum in strata[:6]] == bands[:-1]
    table = build(one, "empirical", by=("sex", "age"), age_bands=bands).to_frame()
    smooth = found.to_frame()
    assert smooth["percentile"].to_numpy() == pytest.approx(table["percentile"].to_numpy(), abs=6)


def test_intervals_hold_the_estimate_and_narrow_with_the_sample():
    wide, narrow = (build(sample(n), "beta_binomial").to_frame() for n in (3000, 30_000))
    for frame in (wide, narrow):
        inside = frame.query("1 < percentile < 99")
        assert (inside["low"] <= inside["percentile"]).all()
        assert (inside["percentile"] <= inside["high"]).all()
    width = [(frame["high"] - frame["low"]).mean() for frame in (wide, narrow)]
    assert width[1] < 0.4 * width[0]


@pytest.mark.parametrize(
    "rest",
    [{"by": ("grade", "age")}, {"by": ("district",)}, {"by": ("age",)}, {"method": "guess"},
     {"method": "auto"}, {"scales": ["none"]}, {"by": (), "age_bands": [7, 8]},
     {"margins": {"district": {"a": 1}}}],
)  # fmt: skip
def test_a_call_that_cannot_be_meant_is_refused(rest):
    with pytest.raises(UsageError):
        build(sample(3000), **rest)


def test_a_percentile_is_never_nought_or_a_hundred():
    frame = build(sample(4000)).to_frame()
    assert frame["percentile"].between(0, 100, inclusive="neither").all()
    assert frame["t"].between(20, 80).all()
    # Where nobody scored, the table goes no further than half a pupil.
    for _, group in frame.groupby(["sex", "grade_from"]):
        assert group["percentile"].max() <= 100 - 50 / group["effective_n"].iloc[0] + 1e-9
        assert group["percentile"].min() >= 50 / group["effective_n"].iloc[0] - 1e-9
    assert frame["percentile"].max() > 99.5


def test_every_norm_has_a_picture():
    assert build(sample(4000)).plot().figure is not None
    assert rake_weights({"sex": ["f", "m"]}, {"sex": {"f": 1, "m": 1}}).plot().figure is not None


def test_every_shipped_table_is_written_and_read_back_unchanged():
    for loaded in SHIPPED.of_kind("norm"):
        text = norm_yaml(loaded.definition)
        assert read_definition(text, loaded.file) == (loaded.definition, [])


def test_a_table_that_the_loader_would_refuse_is_not_written():
    table = build(sample(4000)).table
    twice = table.model_copy(update={"scales": table.scales * 2})
    with pytest.raises(DefinitionError, match="MH202"):
        norm_yaml(twice)
