"""Informants of one instrument are compared pair by pair and never averaged."""

import numpy as np
import pandas as pd
import pytest

import mhscreen as mh
import mhscreen.psychometrics as mp
from mhscreen.problems import AnalysisError, UsageError


def scores(pupils=500, seed=1):
    rng = np.random.default_rng(seed)
    level = rng.normal(size=pupils)
    seen = {
        who: np.round(10 + 3 * level + shift + 4 * rng.normal(size=pupils))
        for who, shift in (("self", 2.0), ("parent", 0.0), ("teacher", -2.0))
    }
    frame = pd.DataFrame({f"sdq_{who}__total": column for who, column in seen.items()})
    frame.loc[rng.random(pupils) < 0.3, "sdq_teacher__total"] = np.nan
    return frame


def test_every_pair_has_a_row_and_its_own_pupils():
    frame = scores()
    found = mp.compare_informants(frame, "sdq")
    table = found.to_frame()
    assert list(zip(table["one"], table["other"], strict=True)) == [
        ("self", "parent"), ("self", "teacher"), ("parent", "teacher"),
    ]  # fmt: skip
    filed = int(frame["sdq_teacher__total"].notna().sum())
    assert table["pupils"].tolist() == [500, filed, filed]
    assert (
        mp.compare_informants(frame, "sdq", missing="complete").to_frame()["pupils"].tolist()
        == [filed] * 3
    )


def test_the_figures_of_a_pair_are_those_of_the_pair_alone():
    frame = scores()
    row = mp.compare_informants(frame, "sdq", cuts={"total": 13}).rows[1]
    pair = frame[["sdq_self__total", "sdq_teacher__total"]].dropna()
    icc = mp.assess_agreement(pair)
    assert row["agreement"] == pytest.approx(icc["ICC(A,1)"])
    assert row["consistency"] == pytest.approx(icc["ICC(C,1)"])
    assert row["correlation"] == pytest.approx(pair.corr().iloc[0, 1])
    assert row["correlation_low"] < row["correlation"] < row["correlation_high"]
    assert row["difference"] == pytest.approx(-4 / 5, abs=0.15)
    kappa = mp.assess_kappa((pair >= 13).astype(int))
    assert row["kappa"] == pytest.approx(kappa.estimate)
    assert row["flagged_both"] == pytest.approx((pair >= 13).all(axis=1).mean())


def test_each_informant_may_have_a_cut_of_its_own():
    frame = scores()
    cuts = {"total": {"self": 16, "parent": 14}}
    first, second, _ = mp.compare_informants(frame, "sdq", cuts=cuts).rows
    assert first["flagged_one"] == pytest.approx((frame["sdq_self__total"] >= 16).mean())
    assert first["flagged_other"] == pytest.approx((frame["sdq_parent__total"] >= 14).mean())
    assert np.isnan(second["kappa"])


def test_weights_speak_for_the_population():
    frame = scores()
    weights = np.arange(500) % 3 + 1
    one = mp.compare_informants(frame.assign(w=weights), "sdq", weights="w").rows[0]
    other = mp.compare_informants(frame.loc[frame.index.repeat(weights)], "sdq").rows[0]
    for name in ("correlation", "consistency", "difference"):
        assert one[name] == pytest.approx(other[name])
    assert one["correlation_high"] - one["correlation_low"] > (
        other["correlation_high"] - other["correlation_low"]
    )


def test_scores_of_a_programme_are_found_and_nothing_else_of_its_results():
    plan = mh.compile_plan(mh.shipped_library(), programme="sdq-three-informants@1")
    roster, answers = mh.simulate(plan, 200, seed=1)
    result = mh.score(plan, mh.bind(plan, roster=roster, responses=answers, on_problem="report"))
    found = mp.compare_informants(mh.to_frame(result), "sdq").to_frame()
    assert {*found["one"], *found["other"]} == {"parent", "teacher"}
    assert {"total", "emotional", "conduct"} <= set(found["scale"])
    assert "form_validity" not in set(found["scale"])
    assert found["correlation"].between(-1, 1).all()


def test_an_informant_who_rated_nobody_is_left_out_and_named():
    found = mp.compare_informants(scores().assign(sdq_teacher__total=np.nan), "sdq")
    assert [(row["one"], row["other"]) for row in found.rows] == [("self", "parent")]
    assert "not rated: total by teacher" in found.title()


def test_columns_of_other_names_are_taken_as_named():
    frame = scores().rename(columns=lambda name: name.replace("sdq_", "X").replace("__total", ""))
    raters = {"difficulties": {"pupil": "Xself", "mother": "Xparent"}}
    (row,) = mp.compare_informants(frame, raters=raters).rows
    assert (row["scale"], row["one"], row["other"]) == ("difficulties", "pupil", "mother")


def test_a_pair_that_cannot_be_compared_is_named():
    frame = scores()
    frame.loc[2:, "sdq_teacher__total"] = np.nan
    with pytest.raises(AnalysisError) as caught:
        mp.compare_informants(frame, "sdq")
    assert [(one.code, one.path) for one in caught.value.problems] == [
        ("MH705", "total: self and teacher")
    ]
    with pytest.raises(UsageError, match="no scale of scared has scores of two informants"):
        mp.compare_informants(frame, "scared")
    with pytest.raises(UsageError, match="cuts: no scale impact"):
        mp.compare_informants(frame, "sdq", cuts={"impact": 2})
    with pytest.raises(UsageError, match="either an instrument or"):
        mp.compare_informants(frame)


def test_the_picture_names_the_pairs():
    axes = mp.compare_informants(scores(), "sdq").plot()
    assert next(label.get_text() for label in axes.get_yticklabels()) == "total: self, parent"
