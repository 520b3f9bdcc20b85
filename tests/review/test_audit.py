"""A data set against an instrument: shifted codes, keys the wrong way round, thin data."""

import math

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app
from mhscreen.vocabulary import AuditRemark

REVERSED = ("q4", "q5", "q7", "q8")


@pytest.fixture(scope="module")
def stress():
    """Answers of 400 made-up people to PSS-10, one factor and noise, coded and keyed rightly."""
    random = np.random.default_rng(11)
    factor = random.normal(size=400)
    answers = {}
    for n in range(1, 11):
        sign = -1 if f"q{n}" in REVERSED else 1
        felt = sign * factor + random.normal(size=400)
        answers[f"pss10_{n}"] = np.clip(np.round(2 + felt), 0, 4).astype(int).tolist()
    return answers


def kinds(audit):
    return {(str(remark.remark), remark.scale, remark.item) for remark in audit.remarks}


def changed(answers, **columns):
    return {**answers, **{f"pss10_{name[1:]}": cells for name, cells in columns.items()}}


def test_data_that_fit_the_key_raise_nothing(stress):
    found = mh.audit("pss10@1", stress)
    (total,) = found.scales
    assert found.remarks == ()
    assert (found.rows, found.forms, total.complete, total.scored) == (400, 400, 400, 400)
    assert all(one.correlation > 0.4 for one in total.items)
    assert {one.item for one in total.items if one.reverse} == set(REVERSED)


def test_figures_are_those_of_the_textbook(stress):
    keyed = pd.DataFrame(stress)
    keyed.columns = [f"q{n}" for n in range(1, 11)]
    keyed[list(REVERSED)] = 4 - keyed[list(REVERSED)]
    scores = keyed.sum(axis=1)
    (total,) = mh.audit("pss10@1", stress).scales
    assert total.mean == pytest.approx(scores.mean())
    assert total.sd == pytest.approx(scores.std())
    assert total.alpha == pytest.approx(10 / 9 * (1 - keyed.var().sum() / scores.var()))
    for one in total.items:
        rest = scores - keyed[one.item]
        assert one.correlation == pytest.approx(np.corrcoef(keyed[one.item], rest)[0, 1])


@pytest.mark.parametrize("item", ["q4", "q9"])
def test_an_item_the_wrong_way_round_is_named_and_no_other(stress, item):
    turned = [4 - code for code in stress[f"pss10_{item[1:]}"]]
    found = mh.audit("pss10@1", changed(stress, **{item: turned}))
    assert kinds(found) == {("negative_item_rest", "total", item)}


@pytest.mark.parametrize("shift", [1, -1])
def test_shifted_codes_are_seen_before_they_are_refused_and_give_no_figures(stress, shift):
    found = mh.audit("pss10@1", {k: [c + shift for c in v] for k, v in stress.items()})
    offsets = [r for r in found.remarks if r.remark is AuditRemark.CODING_OFFSET]
    assert [(r.item, r.value) for r in offsets] == [(f"q{n}", shift) for n in range(1, 11)]
    assert len(offsets) == len(found.remarks)
    assert all(math.isnan(x) for x in (found.scales[0].mean, found.scales[0].alpha))


def test_one_shifted_item_among_others_is_named(stress):
    found = mh.audit("pss10@1", changed(stress, q3=[c + 1 for c in stress["pss10_3"]]))
    assert kinds(found) == {("coding_offset", "", "q3")}


def test_a_few_slips_are_no_offset(stress):
    slips = [5, 5, 9, *stress["pss10_3"][3:]]
    found = mh.audit("pss10@1", changed(stress, q3=slips))
    assert kinds(found) == {("illegal_answers", "", "q3")}
    assert found.items[2].illegal == pytest.approx(3 / 400)
    assert found.scales[0].complete == 397
    assert not math.isnan(found.scales[0].mean)


def test_answers_in_words_are_no_offset(stress):
    words = ["Never", "Almost never", "Sometimes", "Fairly often", "Very often"]
    spelt = {name: [words[code] for code in codes] for name, codes in stress.items()}
    assert mh.audit("pss10@1", spelt).scales == mh.audit("pss10@1", stress).scales


def test_blanks_are_counted_and_leave_the_complete_forms(stress):
    found = mh.audit("pss10@1", changed(stress, q2=[None, None, *stress["pss10_2"][2:]]))
    assert found.items[1].blank == pytest.approx(2 / 400)
    assert found.items[1].illegal == 0
    assert (found.forms, found.scales[0].complete) == (400, 398)


def test_the_missing_rule_of_the_scale_is_named_beside_the_complete_forms():
    answers = {f"phq9_{n}": [n % 4, 1, 2] * 20 for n in range(1, 10)}
    answers["phq9_1"] = [None, 1, 2] * 20
    total = mh.audit("phq9@1", answers).scales[0]
    assert (total.min_answered, total.scored, total.complete) == (7, 60, 40)


def test_too_few_forms_give_no_figures(stress):
    found = mh.audit("pss10@1", {name: codes[:29] for name, codes in stress.items()})
    assert kinds(found) == {("too_few", "total", "")}
    (total,) = found.scales
    assert all(math.isnan(figure) for figure in (total.mean, total.sd, total.alpha))
    assert all(math.isnan(one.correlation) and not one.against for one in total.items)


def test_a_constant_item_has_no_correlation_and_leaves_no_alpha(stress):
    found = mh.audit("pss10@1", changed(stress, q3=[2] * 400))
    (total,) = found.scales
    assert kinds(found) == {("constant_item", "", "q3")}
    assert math.isnan(total.alpha)
    assert math.isnan(total.items[2].correlation)
    assert total.mean > 0
    assert total.items[0].correlation > 0.4


def test_an_item_without_a_column_and_one_without_answers_are_told_apart(stress):
    without = {name: codes for name, codes in stress.items() if name != "pss10_6"}
    found = mh.audit("pss10@1", changed(without, q2=[None] * 400))
    assert kinds(found) == {
        ("no_column", "", "q6"), ("no_answers", "", "q2"), ("too_few", "total", ""),
    }  # fmt: skip


def test_a_table_without_any_item_is_refused():
    with pytest.raises(mh.ResponseError):
        mh.audit("pss10@1", {"subject": ["a"], "school": ["b"]})


def test_an_instrument_of_several_informants_needs_one(stress):
    with pytest.raises(mh.UsageError, match="informant"):
        mh.audit("sdq@1", stress)


def test_repeated_rows_and_forms_are_counted(stress):
    twice = {name: [*codes, *codes[:100]] for name, codes in stress.items()}
    varied = {tuple(form) for form in zip(*stress.values(), strict=True)}
    found = mh.audit("pss10@1", twice)
    assert found.repeated_rows == pytest.approx((500 - len(varied)) / 500)
    numbered = mh.audit("pss10@1", twice | {"subject": list(range(500))})
    assert numbered.repeated_rows == 0
    assert numbered.repeated_forms == found.repeated_forms > 0.19


def test_forms_that_are_alike_by_themselves_do_not_count():
    found = mh.audit("mht@1", {f"mht_{n}": [0] * 50 for n in range(1, 101)})
    assert found.repeated_forms == 0
    copied = mh.audit("mht@1", {f"mht_{n}": [n % 2] * 50 for n in range(1, 101)})
    assert ("repeated_forms", "", "") in kinds(copied)


def test_a_rule_of_levels_has_neither_alpha_nor_correlations():
    answers = {f"phq9_{n}": list(range(4)) * 20 for n in range(1, 10)}
    scales = {one.scale: one for one in mh.audit("phq9@1", answers).scales}
    assert not scales["syndrome"].is_sum
    assert math.isnan(scales["syndrome"].alpha)
    assert scales["total"].alpha == pytest.approx(1)


def test_a_sum_of_scales_is_judged_item_by_item():
    random = np.random.default_rng(3)
    answers = {f"sdq_teacher_{n}": random.integers(0, 3, 60).tolist() for n in range(1, 26)}
    found = mh.audit("sdq@1", answers, informant="teacher")
    total = next(one for one in found.scales if one.scale == "total")
    assert len(total.items) == 20
    assert total.is_sum
    assert sum(one.reverse for one in total.items) == 5


def test_published_figures_stand_below_those_of_the_data():
    answers = {f"sdq_teacher_{n}": [0, 1, 2] * 20 for n in range(1, 26)}
    table = mh.audit("sdq@1", answers, informant="teacher").scale_table()
    rows = [n for n, scale in enumerate(table["scale"]) if scale == "total"]
    assert [table["n"][n] for n in rows] == [60, 8208]
    assert table["mean"][rows[1]] == 6.6
    parents = {f"sdq_parent_{n}": [0, 1, 2] * 20 for n in range(1, 26)}
    other = mh.audit("sdq@1", parents, informant="parent").scale_table()
    assert other["scale"].count("total") == 1  # those figures are of teachers


def test_items_are_listed_scale_by_scale(stress):
    table = mh.audit("pss10@1", stress).item_table()
    assert table["item"] == [f"q{n}" for n in range(1, 11)]
    assert [i for i, r in zip(table["item"], table["reverse"], strict=True) if r] == [*REVERSED]


@pytest.fixture
def command(tmp_path, stress):
    def run(answers, *arguments, ref="pss10@1"):
        file = tmp_path / "answers.csv"
        pd.DataFrame(answers).to_csv(file, index=False)
        result = CliRunner().invoke(
            app, ["audit", ref, str(file), *arguments], env={"COLUMNS": "120"}
        )
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run


@pytest.mark.parametrize("lang, words", [("en", "Runs against the rest"), ("zh", "方向相反")])
def test_the_command_names_what_looks_turned_and_ends_with_1(command, stress, lang, words):
    turned = changed(stress, q4=[4 - code for code in stress["pss10_4"]])
    result = command(turned, "--lang", lang)
    assert result.exit_code == 1, result.output
    assert words in result.output
    assert "q4 (r = -0." in result.output


def test_the_command_ends_with_0_where_nothing_is_to_be_looked_at(command, stress):
    result = command({f"P{n}": stress[f"pss10_{n}"] for n in range(1, 11)}, "--columns=P{number}")
    assert result.exit_code == 0, result.output
    assert "to be looked at: 0" in result.output
    assert "400 complete forms; its own rule (at least 10 answered) scores 400" in result.output


def test_the_command_shows_no_answer_and_no_subject(command, stress):
    result = command(changed(stress | {"subject": ["Zhang Wei"] * 400}, q1=["secret-7"] * 400))
    assert result.exit_code == 1
    assert "secret" not in result.output
    assert "Zhang" not in result.output
    assert "100.00" in result.output  # the share of illegal answers


def test_the_command_ends_with_2_where_nothing_can_be_compared(command, stress):
    assert command(stress, ref="nowhere@1").exit_code == 2
    assert command({"a": [1], "b": [2]}).exit_code == 2
