"""Whether a sample has moved from a norm, and the two commands that analysts type."""

import csv
import datetime as dt
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app
from mhscreen.loading import load_library
from mhscreen.problems import AnalysisError, UsageError
from mhscreen.psychometrics.norms import NormAbout

SHIPPED = mh.shipped_library()
ABOUT = NormAbout("town-2026", "CN", "2026", dt.date(2030, 1, 1), named=False)


def answers(pupils=3000, seed=1, shift=0.0, schools=30):
    """Return made-up PHQ-9 answers of two grades; `shift` moves everybody."""
    rng = np.random.default_rng(seed)
    school = rng.integers(0, schools, pupils)
    level = rng.normal(-0.4 + shift, 1, pupils) + 0.2 * rng.standard_normal(schools)[school]
    steps = np.array([0.2, 1.0, 1.8])
    frame = {
        f"phq9_{n}": ((level[:, None] + rng.logistic(size=(pupils, 1)) / 2) > steps).sum(axis=1)
        for n in range(1, 10)
    }
    return pd.DataFrame(
        {
            "subject": [f"SYN-{n}" for n in range(pupils)],
            "school": [f"Synthetic {n}" for n in school],
            "sex": rng.choice(["male", "female"], pupils),
            "grade": rng.choice([7, 8], pupils),
            **frame,
        }
    )


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A library with a norm of a made-up town."""
    folder = tmp_path_factory.mktemp("town") / "norms/phq9"
    folder.mkdir(parents=True)
    built = mh.build_norm(
        "phq9@1.0.0", answers(8000), ABOUT, by=("sex", "grade"), method="empirical", smallest=30
    )
    (folder / "town-2026.1.0.0.yaml").write_text(built.to_yaml(), "utf-8")
    (folder / "town-2026.1.0.0.cases.yaml").write_text(built.cases_yaml(), "utf-8")
    return load_library(folder.parent, base=SHIPPED)


def drift(town, frame, norm="phq9/town-2026@1", **rest):
    return mh.compare_with_norm(norm, frame, library=town, **rest).to_frame()


def test_a_sample_like_the_norm_has_not_moved(town):
    found = drift(town, answers(6000, seed=2, schools=200))
    assert found["verdict"][0] == "not moved"
    assert abs(found["effect"][0]) < 3
    assert found["stratum"].tolist() == [
        "all", "male, grade 7-<8", "male, grade 8-<9", "female, grade 7-<8", "female, grade 8-<9",
    ]  # fmt: skip


def test_a_sample_that_scores_higher_has_moved(town):
    found = drift(town, answers(3000, seed=3, shift=0.5))
    assert found["verdict"][0] == "moved"
    assert found["low"][0] > 5


def test_a_small_sample_cannot_tell(town):
    found = drift(town, answers(60, seed=4, schools=6))
    assert found["verdict"][0] == "cannot tell"


def test_schools_widen_the_interval(town):
    frame = answers(3000, seed=5, schools=10)
    with_schools = drift(town, frame)
    without = drift(town, frame.drop(columns="school"))
    assert with_schools["se"][0] > 1.5 * without["se"][0]
    assert with_schools["effect"][0] == pytest.approx(without["effect"][0])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A library with a norm of a town that knows no grades, though the upper ones score higher."""
    folder = tmp_path_factory.mktemp("plain") / "norms/phq9"
    folder.mkdir(parents=True)
    built = mh.build_norm(
        "phq9@1.0.0", of_grades(8000, 0.5), ABOUT, by=("sex",), method="empirical"
    )
    (folder / "town-2026.1.0.0.yaml").write_text(built.to_yaml(), "utf-8")
    (folder / "town-2026.1.0.0.cases.yaml").write_text(built.cases_yaml(), "utf-8")
    return load_library(folder.parent, base=SHIPPED)


def of_grades(pupils, upper, seed=1, shift=0.0):
    """Return pupils of grades 7 and 8 in this mixture; those of grade 8 score clearly higher."""
    eight = int(pupils * upper)
    parts = [answers(pupils - eight, seed, shift), answers(eight, seed + 50, shift + 1.2)]
    return pd.concat([part.assign(grade=7 + place) for place, part in enumerate(parts)])


HALVES = {"grade": {7: 4000, 8: 4000}}


def test_other_grades_than_before_are_no_drift_once_they_are_weighted_back(plain):
    frame = of_grades(6000, 0.8, seed=7).drop(columns="school")
    assert drift(plain, frame)["verdict"][0] == "moved"
    found = drift(plain, frame, composition=HALVES)
    assert found["verdict"][0] == "not moved"
    assert found["as_sampled"][0] == pytest.approx(drift(plain, frame)["effect"][0])
    assert abs(found["effect"][0]) < 2 < found["as_sampled"][0]
    assert found["se"][0] > drift(plain, frame)["se"][0]


def test_drift_behind_the_same_mean_is_seen_once_grades_are_weighted_back(plain):
    """More of the lower grade, and everybody worse: as sampled the two nearly cancel."""
    frame = of_grades(6000, 0.2, seed=9, shift=0.45).drop(columns="school")
    assert drift(plain, frame)["verdict"][0] == "not moved"
    assert drift(plain, frame, composition=HALVES)["verdict"][0] == "moved"


def test_pupils_of_unknown_grade_are_left_out_of_the_weighting_and_counted(plain):
    frame = of_grades(3000, 0.5, seed=11)
    frame["grade"] = frame["grade"].astype(object)
    frame.iloc[:40, frame.columns.get_loc("grade")] = None
    found = mh.compare_with_norm("phq9/town-2026@1", frame, library=plain, composition=HALVES)
    assert [one.code for one in found.problems] == ["MH723"]
    assert "40 pupils" in str(found.problems[0])
    assert found.pupils[0] == 2960
    assert "weighted to the stated grade" in found.title()


def test_age_in_years_and_further_columns_can_be_weighted_to(plain):
    frame = of_grades(3000, 0.5, seed=12).assign(
        age=lambda f: f["grade"] + 6.5, district=lambda f: np.where(f.index % 3, "east", "west")
    )
    composition = {"age": {13: 70, 14: 30}, "district": {"east": 50, "west": 50}}
    found = mh.compare_with_norm("phq9/town-2026@1", frame, library=plain, composition=composition)
    assert found.composition.to_frame()["after"].tolist() == pytest.approx([0.7, 0.3, 0.5, 0.5])


def test_a_composition_that_the_sample_cannot_have_is_refused_by_name(plain):
    frame = of_grades(500, 0.5, seed=13)
    with pytest.raises(AnalysisError) as caught:
        drift(plain, frame, composition={"grade": {7: 1, 8: 1, 9: 1}})
    assert [(one.code, one.path) for one in caught.value.problems] == [("MH708", "grade")]
    with pytest.raises(UsageError, match="no such column"):
        drift(plain, frame, composition={"street": {"a": 1}})


def test_pupils_outside_the_norm_are_counted_and_not_borrowed_for(town):
    frame = answers(2000, seed=6)
    frame.loc[frame.index < 500, "grade"] = 3
    found = drift(town, frame)
    assert found["not_normed"][0] == 500
    with pytest.raises(AnalysisError, match="no figures for pupils of this sample"):
        drift(town, frame.assign(grade=3))


def test_against_means_and_sds_the_mean_z_is_compared():
    rng = np.random.default_rng(1)
    frame = {f"sdq_teacher_{n}": rng.integers(0, 3, 400) for n in range(1, 26)}
    frame |= {"sex": ["male"] * 400, "age": [12.0] * 400}
    found = mh.compare_with_norm("sdq/shanghai-teacher@1", frame).to_frame()
    assert set(found["measure"]) == {"sd"}
    total = found[(found["scale"] == "total") & (found["stratum"] == "all")].iloc[0]
    assert total["verdict"] == "moved"


def test_a_local_norm_against_a_national_one_is_compared_on_the_local_sample(town):
    with pytest.raises(AnalysisError, match="no figures"):  # a norm of adults: pupils of 13
        drift(town, answers(500).assign(age=13), "phq9/depression-metric@1")


def test_margins_from_a_column_rake_the_sample():
    frame = answers(6000).assign(district=lambda f: np.where(f.index % 3 == 0, "east", "west"))
    built = mh.build_norm(
        "phq9@1.0.0", frame, ABOUT, by=("sex",), method="empirical", smallest=30,
        margins={"district": {"east": 70, "west": 30}, "sex": {"male": 50, "female": 50}},
    )  # fmt: skip
    assert built.weights.to_frame()["after"].tolist() == pytest.approx([0.7, 0.3, 0.5, 0.5])
    with pytest.raises(UsageError, match="no such column"):
        mh.build_norm("phq9@1.0.0", frame, ABOUT, margins={"street": {"a": 1}})


# -- commands -------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def build(folder, *more, file="answers.parquet"):
    return run(
        "norms", "build", folder / file, "--instrument", "phq9@1.0.0", "--name", "town-2026",
        "--country", "CN", "--years", "2026", "--review-by", "2030-01-01", "--out",
        folder / "norms", "--method", "empirical", "--smallest", "30", *more,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    answers(3000).to_parquet(tmp_path / "answers.parquet", index=False)
    return tmp_path


def test_the_command_writes_a_table_that_check_accepts(folder):
    done = build(folder, "--by", "sex,grade", "--plot", folder / "norms.png",
                 "--table", folder / "norms.csv", "--asked", 3500, "--named", "yes")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "descriptive, for display" in done.output
    checked = run("check", folder / "norms")
    assert checked.exit_code == 0, checked.output
    assert (folder / "norms.png").stat().st_size > 1000
    with (folder / "norms.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 28
    text = (folder / "norms/phq9/town-2026.1.0.0.yaml").read_text("utf-8")
    assert "500 of 3500 pupils asked did not answer" in text
    assert "under the pupil's name" in text
    again = run("norms", "drift", "phq9/town-2026@1", folder / "answers.parquet",
                "--definitions", folder / "norms")  # fmt: skip
    assert again.exit_code == 0, again.output
    assert "not moved" in again.output
    assert "as sampled" not in again.output
    margins = folder / "composition.csv"
    margins.write_text("margin,group,count\ngrade,7,50\ngrade,8,50\n", "utf-8")
    weighted = run("norms", "drift", "phq9/town-2026@1", folder / "answers.parquet",
                   "--definitions", folder / "norms", "--composition", margins)  # fmt: skip
    assert weighted.exit_code == 0, weighted.output
    assert "weighted to the stated grade" in weighted.output
    assert "as sampled" in weighted.output


def test_a_table_that_is_there_is_never_written_over(folder):
    assert build(folder).exit_code == 0
    file = folder / "norms/phq9/town-2026.1.0.0.yaml"
    before = file.read_bytes()
    again = build(folder, "--by", "sex")
    assert again.exit_code == 2
    assert "add a --version" in again.output
    assert file.read_bytes() == before
    assert build(folder, "--by", "sex", "--version", "1.1.0").exit_code == 0
    assert run("check", folder / "norms").exit_code == 0


def test_the_command_rakes_to_a_table_of_margins(folder):
    margins = folder / "margins.csv"
    margins.write_text("margin,group,count\nsex,male,5200\nsex,female,4800\n", "utf-8")
    assert build(folder, "--margins", margins).exit_code == 0
    text = (folder / "norms/phq9/town-2026.1.0.0.yaml").read_text("utf-8")
    assert "Not weighted" not in text
    margins.write_text("margin,group,count\nsex,male,5200\nsex,other,4800\n", "utf-8")
    done = build(folder, "--margins", margins)
    assert done.exit_code == 2
    assert "nobody in the sample is of group 'other'" in done.output
    margins.write_text("sex,count\nmale,5200\n", "utf-8")
    assert build(folder, "--margins", margins).exit_code == 2


@pytest.mark.parametrize("method", ["log_linear", "beta_binomial", "lms"])
def test_worked_cases_of_every_kind_of_norm_hold(folder, method):
    assert build(folder, "--by", "sex", "--method", method).exit_code == 0
    checked = run("check", folder / "norms")
    assert checked.exit_code == 0, checked.output
    cases = next((folder / "norms/phq9").glob("*.cases.yaml"))
    text = cases.read_text("utf-8")
    wrong = re.sub(
        r"(t|z): (-?[0-9.]+), ", lambda m: f"{m[1]}: {float(m[2]) + 3:g}, ", text, count=1
    )
    cases.write_text(wrong, "utf-8")
    assert run("check", folder / "norms").exit_code == 1


@pytest.mark.parametrize(
    "more", [("--by", "district"), ("--review-by", "soon"), ("--by", "sex,age"),
             ("--method", "guess"), ("--smallest", "9999")]
)  # fmt: skip
def test_a_command_that_cannot_be_meant_writes_nothing_and_ends_with_two(folder, more):
    done = build(folder, *more)
    assert done.exit_code == 2, done.output
    assert not (folder / "norms").exists()
