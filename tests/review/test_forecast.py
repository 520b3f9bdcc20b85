"""What a season will bring: the worked example, the weeks, the hours, and what is not known."""

import csv
import datetime as dt
import json

import numpy as np
import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app
from mhscreen.interop.files import write_parquet
from mhscreen.review.forecast import Population, forecast, predict_accuracy
from mhscreen.steps.calendar import is_school_day
from mhscreen.vocabulary import ScreenTier, Stage

POLICY = "three-tier-cn@1.0.0"
START = dt.date(2026, 10, 8)  # the first school day after the holidays of that year


def people(stage="junior", **tiers):
    """Return made-up pupils of one stage, so many with each tier."""
    tier = np.repeat([ScreenTier(name).position for name in tiers], list(tiers.values()))
    return Population(np.full(len(tier), Stage(stage).position, np.int8), tier.astype(np.int8))


def season(plan, population, **options):
    return forecast(plan.programme, POLICY, population, **{"start": START, **options})


def test_the_worked_example_of_a_school_of_1500():
    # PHQ-9 at 11 or more among adolescents: sensitivity .895, specificity .775; 8 % are cases.
    found = predict_accuracy(1500, 0.08, 0.895, 0.775)
    assert round(found.ppv, 2) == 0.26
    assert (round(found.flagged), round(found.true), round(found.missed)) == (418, 107, 13)
    # And the DSRSC with its Chinese urban norm.
    assert round(predict_accuracy(1500, 0.08, 0.86, 0.82).ppv, 2) == 0.29


def test_every_pupil_is_screened_once_before_the_deadline_of_the_stage(plan):
    found = season(
        plan,
        people(none=80, general=15, major=5),
        enrolment={Stage.JUNIOR: 200},
    )
    assert found.expected.sum() == pytest.approx(200)
    assert found.expected[ScreenTier.MAJOR.position].sum() == pytest.approx(10)
    assert found.weeks[0] == dt.date(2026, 10, 5)
    assert max(found.weeks) <= dt.date(2026, 10, 31)


def test_hours_follow_from_the_tiers_and_what_is_not_worked_off_waits(plan):
    found = season(
        plan,
        people(none=90, general=10),
        enrolment={Stage.JUNIOR: 1000},
        hours={ScreenTier.GENERAL: 2.0},
        counsellors=1,
        hours_per_week=20,
    )
    assert found.hours.sum() == pytest.approx(200)
    left = 0.0
    for need, can, waiting in zip(found.hours, found.capacity, found.waiting, strict=True):
        left = max(0.0, left + need - can)
        assert waiting == pytest.approx(left)
    assert any("more hours than there are" in english for english, _ in found.warnings)
    assert any("仍有" in chinese for _, chinese in found.warnings)


def test_too_few_hours_cap_nothing(plan):
    tiers = {"none": 50, "general": 50}
    few, many = (season(plan, people(**tiers), counsellors=number).expected for number in (0, 100))
    assert np.array_equal(few, many)


def test_a_week_with_fewer_school_days_has_fewer_hours(plan):
    found = season(plan, people(none=10), counsellors=2, hours_per_week=10)
    # Thursday to Saturday: that Saturday is worked in return for the holidays.
    days = sum(is_school_day(plan.programme, START + dt.timedelta(days=n)) for n in range(4))
    assert found.capacity[0] == pytest.approx(20 * days / 5)
    assert found.capacity[1] == pytest.approx(20)


def test_enough_hours_and_plausible_shares_give_no_warning(plan):
    found = season(plan, people(none=90, general=10), counsellors=10, hours_per_week=20)
    assert found.warnings == ()
    assert not found.waiting.any()


def test_an_implausible_share_is_a_warning(plan):
    found = season(plan, people(general=100), counsellors=100)
    assert [english for english, _ in found.warnings] == [
        "100% flagged lies outside the range that the programme expects"
    ]


def test_stages_have_their_own_shares(plan):
    both = people(none=10), people("senior", major=10)
    population = Population(
        np.concatenate([one.stage for one in both]), np.concatenate([one.tier for one in both])
    )
    found = season(plan, population, enrolment={Stage.JUNIOR: 300, Stage.SENIOR: 100})
    assert found.expected[ScreenTier.MAJOR.position].sum() == pytest.approx(100)
    assert found.expected[ScreenTier.NONE.position].sum() == pytest.approx(300)


def test_who_is_a_case_is_not_known_of_real_pupils(plan):
    with pytest.raises(mh.UsageError, match="state sensitivity and specificity"):
        season(plan, people(none=10), base_rate=0.1)
    with pytest.raises(mh.UsageError, match="go together"):
        season(plan, people(none=10), base_rate=0.1, sensitivity=0.9)


def test_simulated_cases_are_the_share_with_the_highest_level(plan):
    truth = np.linspace(-2, 2, 100)
    tier = np.where(truth > 0.9, ScreenTier.SEVERE.position, ScreenTier.WATCH.position)
    stage = np.full(100, Stage.JUNIOR.position, np.int8)
    found = season(plan, Population(stage, tier.astype(np.int8), truth), base_rate=0.1).accuracy
    assert found.basis == "simulated"
    flagged = int((truth > 0.9).sum())
    assert found.sensitivity == 1
    assert found.specificity == pytest.approx(1 - (flagged - 10) / 90)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"start": dt.date(2026, 12, 1)}, "deadline of stage junior lies before"),
        ({"enrolment": {Stage.PRIMARY: 5}}, "no pupil of stage primary"),
        ({"enrolment": {Stage.JUNIOR: 0}}, "the enrolment is 0"),
        ({"enrolment": {Stage.JUNIOR: -1}}, "0 or more"),
        ({"counsellors": -1}, "0 or more"),
        ({"base_rate": 2.0, "sensitivity": 0.5, "specificity": 0.5}, "base rate: a share"),
    ],
)
def test_what_cannot_be_meant_is_refused(plan, options, words):
    with pytest.raises(mh.UsageError, match=words):
        season(plan, people(none=10), **options)


def test_the_same_seed_gives_the_same_forecast_and_cases_raise_the_load(library):
    one, two = (
        mh.forecast(
            POLICY, start="2026-10-08", programme="qingdao-2023@1", enrolment={"junior": 600},
            base_rate=0.08, simulated=400, seed=5, library=library,
        )
        for _ in range(2)
    )  # fmt: skip
    assert one.to_dict() == two.to_dict()
    assert one.accuracy.basis == "simulated"
    assert 0 < one.accuracy.missed < 48


def test_an_archive_of_real_pupils_gives_its_own_numbers(plan, library, tmp_path):
    roster, answers = mh.simulate(plan, 300, seed=2, like={})
    archive = mh.to_frame(
        mh.screen(plan, roster=roster, responses=answers, at="2026-10-15", on_problem="report")
    )
    found = mh.forecast(
        POLICY, start="2026-09-01", programme="qingdao-2023@1", on=archive, library=library
    )
    assert found.expected.sum() == pytest.approx(300)
    for tier in ScreenTier:
        number = sum(one == str(tier) for one in archive["screen_tier"])
        assert found.expected[tier.position].sum() == pytest.approx(number)
    with pytest.raises(mh.UsageError, match=r"was not made with sdq-multi-informant@1\.0\.0"):
        mh.forecast("sdq-multi-informant@1", start="2026-09-01", on=archive, library=library)
    write_parquet(archive, tmp_path / "archive.parquet")
    result = CliRunner().invoke(
        app,
        ["policy", "forecast", POLICY, "--start", "2026-09-01", "--programme", "qingdao-2023@1",
         "--on", str(tmp_path / "archive.parquet"), "--out", str(tmp_path / "weeks.csv")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "shares of 300 real pupils" in result.stdout
    with (tmp_path / "weeks.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(found.weeks)


def test_the_command_shows_hits_and_misses_before_the_season():
    arguments = [
        "policy", "forecast", POLICY, "--start", "2026-10-08", "--enrolment", "junior=1500",
        "--programme", "qingdao-2023@1", "--base-rate", "0.08", "--sensitivity", "0.895",
        "--specificity", "0.775", "--simulated", "200",
    ]  # fmt: skip
    english = CliRunner().invoke(app, arguments)
    assert english.exit_code == 0, english.output
    words = "418 at general or higher, 107 of them cases (PPV 26%), 13 cases missed"
    assert words in english.stdout
    chinese = CliRunner().invoke(app, [*arguments, "--lang", "zh"])
    assert "一般及以上 418 人，其中真阳性 107 人（阳性预测值 26%），漏报 13 人" in chinese.stdout
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["accuracy"]["basis"] == "stated"
    assert CliRunner().invoke(app, [*arguments, "--hours", "severe"]).exit_code == 2
    assert CliRunner().invoke(app, [*arguments, "--enrolment", "college=3"]).exit_code == 2
