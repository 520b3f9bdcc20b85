"""Shipped and made-up norms against SciPy and plain arithmetic, column by column."""

import numpy as np
import pytest
from scipy import stats

import mhscreen as mh
from mhscreen.plan.norming import compile_norms
from mhscreen.plan.scoring import compile_form
from mhscreen.vocabulary import Informant

KINDS = """
schema: mhscreen/norm/1
id: kinds
version: 1.0.0
title: {{en: Every kind of figures, zh: 各类常模}}
instrument: phq9@1.0.0
informant: self
reference_group: {{en: nobody, zh: 无}}
country: CN
years: "2026"
mode: {{en: none, zh: 无}}
sampling: {{en: none, zh: 无}}
use: display
review_by: 2030-01-01
rights: made up for the tests
references: [{{id: own, citation: made up, supports: [norms]}}]
scales:
  - scale: total
    key_checksum: {checksum}
    raw_range: [0, 27]
    source: own
    evidence: own_choice
{figures}
"""


@pytest.fixture(scope="module")
def phq9(tmp_path_factory, library):
    """Norm PHQ-9 totals of 0 to 27 by figures written in YAML."""
    checksum = next(
        scale.key_checksum
        for loaded in library.of_kind("norm")
        for scale in loaded.definition.scales
        if loaded.definition.instrument == "phq9@1.0.0"
    )

    def normed(figures, **columns):
        folder = tmp_path_factory.mktemp("kinds")
        (folder / "norms/phq9").mkdir(parents=True)
        text = KINDS.format(checksum=checksum, figures=figures.strip("\n"))
        (folder / "norms/phq9/kinds.1.0.0.yaml").write_text(text, encoding="utf-8")
        own = mh.load_library(folder, base=library)
        answers = {f"phq9_{n}": [min(3, max(0, raw - 3 * n + 3)) for raw in range(28)]
                   for n in range(1, 10)}  # fmt: skip
        rest = {name: [value] * 28 for name, value in columns.items()}
        found = mh.score_instrument("phq9@1.0.0", answers | rest, norm="phq9/kinds@1", library=own)
        return {name: np.array(found[f"phq9__total{name}"]) for name in _SUFFIXES
                if f"phq9__total{name}" in found}  # fmt: skip

    return normed


_SUFFIXES = ("", "__z", "__t", "__percentile", "__stanine", "__t_ci_low", "__t_ci_high",
             "__t_capped", "__stratum", "__norm_reason")  # fmt: skip


def test_an_lms_fit_agrees_with_box_cox_and_the_normal_curve_of_scipy(phq9):
    found = phq9(
        """
    t_kind: normalised
    percentile_definition: fitted
    stanine_kind: half_z
    strata:
      - {sex: any, lms: {l: 0.25, m: 6.5, s: 0.62, add: 1}}
"""
    )
    z = stats.boxcox((np.arange(28) + 1) / 6.5, lmbda=0.25) / 0.62
    assert found["__z"] == pytest.approx(z, rel=1e-12, abs=1e-12)
    assert found["__t"] == pytest.approx(50 + 10 * z, rel=1e-12)
    assert found["__percentile"] == pytest.approx(100 * stats.norm.cdf(z), rel=1e-12)
    edges = np.arange(-1.75, 2, 0.5)
    assert found["__stanine"].tolist() == (1 + np.searchsorted(edges, z, side="right")).tolist()


def test_a_regression_agrees_with_the_line_worked_out_by_hand(phq9):
    figures = """
    t_kind: linear
    strata:
      - sex: any
        age: {from: 12, below: 18}
        grade: {from: 7, below: 13}
        regression:
          {intercept: 5.2, age: 0.31, age_centre: 15, grade: 0.05, female: 1.4, residual_sd: 4.4}
        reliability:
          {coefficient: alpha, value: 0.86, sd: 5, around: regressed, sample: {en: x, zh: x},
           source: own, evidence: own_choice}
"""
    girls = phq9(figures, sex="female", age=13.25, grade=8)
    predicted = 5.2 + 0.31 * (13.25 - 15) + 0.05 * 8 + 1.4
    t = 50 + 10 * (np.arange(28) - predicted) / 4.4
    assert girls["__t"] == pytest.approx(t, rel=1e-12)
    error = 10 * 5 / 4.4 * np.sqrt(0.86 * 0.14)
    middle = 50 + 0.86 * (t - 50)
    assert girls["__t_ci_low"] == pytest.approx(middle - 1.96 * error)
    assert girls["__t_ci_high"] == pytest.approx(middle + 1.96 * error)
    boys = phq9(figures, sex="male", age=13.25, grade=8)
    assert boys["__t"] - girls["__t"] == pytest.approx(np.full(28, 14 / 4.4))
    assert "__percentile" not in boys


def test_a_table_with_caps_gives_what_it_lists_and_marks_the_rest(phq9):
    found = phq9(
        """
    t_kind: normalised
    percentile_definition: mid_rank
    stanine_kind: table
    strata:
      - sex: any
        table: {first: 2, t: [41, 45, 52, 60], t_below: 41, t_above: 65,
                percentile: [20, 31, 58, 84], stanine: [3, 4, 5, 7]}
"""
    )
    assert found["__t"][:7].tolist() == [41, 41, 41, 45, 52, 60, 65]
    assert found["__t_capped"][:7].tolist() == [-1, -1, 0, 0, 0, 0, 1]
    assert found["__percentile"][2:6].tolist() == [20, 31, 58, 84]
    assert np.isnan(found["__percentile"][[0, 1, 6, 27]]).all()
    assert found["__stanine"][2:6].tolist() == [3, 4, 5, 7]


@pytest.mark.parametrize("informant", ["self", "parent"])
def test_printed_t_scores_of_rcads_fit_the_line_that_they_were_rounded_from(library, informant):
    """The guide calls its tables linear: one mean and SD must give every T of a stratum."""
    table = library.norm(f"rcads47/us-{informant}@1.0.0").definition
    form = compile_form(library.instrument(table.instrument).definition, Informant(informant))
    assert len(compile_norms(table, form, 0)) == len(table.scales) == 8
    for scale in table.scales:
        for stratum in scale.strata:
            t = np.array(stratum.table.t)
            raw = stratum.table.start + np.arange(len(t))
            line = stats.linregress(raw, t)
            off = np.abs(t - (line.intercept + line.slope * raw))
            assert off.max() < 0.8, (scale.scale, stratum.sex, stratum.grade)


def test_every_shipped_norm_is_for_display_and_says_when_to_look_again(library):
    for loaded in library.of_kind("norm"):
        norm = loaded.definition
        assert norm.use == "display", norm.ref
        assert norm.review_by.year >= 2027, norm.ref


def test_no_shipped_norm_turns_a_mean_into_a_percentile(library):
    for loaded in library.of_kind("norm"):
        for scale in loaded.definition.scales:
            if any(stratum.mean_sd for stratum in scale.strata):
                assert "percentile" not in scale.metrics, loaded.definition.ref


def test_a_norm_that_nobody_verified_says_so(library):
    unverified = {
        loaded.definition.ref
        for loaded in library.of_kind("norm")
        for scale in loaded.definition.scales
        if scale.evidence == "unverified"
    }
    assert unverified == {"gad7/anxiety-metric@1.0.0", "scl90/china-adults-1986@1.0.0"}
