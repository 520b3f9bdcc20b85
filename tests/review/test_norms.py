"""Two norm tables on the same scores: who would move, counted by stratum."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app

ROOT = Path(__file__).parents[2]
OLD = "sdq/shanghai-teacher@1.0.0"
NEW = "sdq/shanghai-teacher@2.0.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, library):
    """A second edition of the Shanghai table: other figures for some boys and some girls."""
    text = (ROOT / library.norm(OLD).file).read_text(encoding="utf-8")
    for old, new in (
        ("version: 1.0.0", "version: 2.0.0"),
        ("mean: 10.6, sd: 5.98", "mean: 9, sd: 5"),  # total, boys of 3 to 10
        ("mean: 7.25, sd: 2.26", "mean: 9, sd: 1"),  # prosocial, girls of 3 to 10
    ):
        assert old in text
        text = text.replace(old, new)
    home = tmp_path_factory.mktemp("editions") / "norms" / "sdq"
    home.mkdir(parents=True)
    (home / "shanghai-teacher.2.0.0.yaml").write_text(text, encoding="utf-8")
    return home.parents[1]


@pytest.fixture(scope="module")
def editions(folder, library):
    return mh.load_library(folder, base=library)


def compare(editions, a=OLD, b=NEW, **columns):
    pupils = {"sex": ["male", "male", "male", "female", None], "age": [9, 9, 9, 9, 9]}
    return mh.compare_norms(a, b, pupils | columns, library=editions)


TOTAL = {"sdq_teacher__total": [19, 17, 16, 19, 19], "subject": list("abcde")}


def test_who_moves_is_named_with_both_t_scores(editions):
    moves = compare(editions, **TOTAL).moves()
    assert list(zip(moves["subject"], moves["cut"], moves["reached_with"], strict=True)) == [
        ("a", 65, "b"), ("b", 65, "b"), ("a", 70, "b"),
    ]  # fmt: skip
    assert moves["t_a"][0] == pytest.approx(50 + 10 * (19 - 10.6) / 5.98)
    assert moves["t_b"][0] == pytest.approx(70)
    assert moves["raw"] == [19, 17, 19]
    assert moves["row"] == [1, 2, 1]


def test_the_other_way_round_the_same_pupils_move_back(editions):
    there, back = compare(editions, **TOTAL).moves(), compare(editions, NEW, OLD, **TOTAL).moves()
    assert back["subject"] == there["subject"]
    assert set(back["reached_with"]) == {"a"}


def test_every_form_is_counted_once_in_its_stratum(editions):
    rows = compare(editions, **TOTAL).summary()
    at_65 = {
        stratum: [rows[name][n] for name in ("forms", "only_a", "only_b", "both", "neither")]
        for n, stratum in enumerate(rows["stratum"])
        if rows["cut"][n] == 65
    }
    assert at_65 == {
        "all": [5, 0, 2, 1, 1],
        "male, age 3-<11": [3, 0, 2, 0, 1],
        "female, age 3-<11": [1, 0, 0, 1, 0],
        "sex_unknown": [1, 0, 0, 0, 0],
    }
    together = [n for n, stratum in enumerate(rows["stratum"]) if stratum == "all"]
    assert [rows["not_compared"][n] for n in together] == [1, 1]


def test_where_higher_is_better_a_low_t_is_what_is_reached(editions):
    found = compare(editions, sdq_teacher__prosocial=[10, 10, 10, 7, 7])
    moves = found.moves()
    assert (moves["row"], moves["cut"], moves["reached_with"]) == ([4, 4], [65, 70], ["b", "b"])
    assert moves["t_b"] == [30, 30]


def test_scales_that_the_frame_does_not_hold_are_named(editions):
    found = compare(editions, **TOTAL)
    assert [one.scale for one in found.scales] == ["total"]
    assert found.left_out["emotional"] == "there is no column sdq_teacher__emotional"


def test_columns_of_results_that_are_no_scale_of_the_form_are_not_read(editions, library):
    answers = {
        f"mht_{item.id}": [item_code(library, item)] * 5
        for item in library.instrument("mht@1").definition.items
    }
    others = mh.score_instrument("mht@1", answers, library=library)
    assert "mht__form_validity" in others
    own = {
        "sdq_teacher__form_validity": ["valid", "questionable", None, "invalid", "valid"],
        "sdq_teacher__longest_run": ["", "unknown", "7", "3", "2"],
        "sdq_teacher__total__category": ["abnormal"] * 5,
    }
    found = compare(editions, **TOTAL, **others, **own)
    assert [one.scale for one in found.scales] == ["total"]
    assert found.moves() == compare(editions, **TOTAL).moves()


def item_code(library, item):
    return library.instrument("mht@1").definition.options(item.id).options[0].code


def test_a_table_compared_with_itself_moves_nobody(editions):
    found = compare(editions, OLD, OLD, **TOTAL)
    assert found.moves()["row"] == []
    assert not np.any(found.summary()["only_a"])


@pytest.mark.parametrize(
    "other, frame, words",
    [
        ({"cuts": (45,)}, TOTAL, "above 50"),
        ({"cuts": ()}, TOTAL, "above 50"),
        ({}, {"subject": list("abcde")}, "nothing to compare"),
        ({}, {"sdq_teacher__total": [1, 2, "x", 4, 5]}, "row 3"),
        ({}, TOTAL | {"sdq_teacher__conduct": [1, 2, 3, "valid", 5]}, "teacher__conduct .* row 4"),
        ({}, {"sdq_parent__total": [1, 2, 3, 4, 5]}, "there is no column sdq_teacher__total"),
    ],
)
def test_a_comparison_that_cannot_be_meant_is_refused(editions, other, frame, words):
    pupils = {"sex": ["male"] * 5, "age": [9] * 5}
    with pytest.raises(mh.UsageError, match=words):
        mh.compare_norms(OLD, NEW, pupils | frame, library=editions, **other)


def test_tables_of_different_forms_are_not_compared(folder, library):
    text = (folder / "norms/sdq/shanghai-teacher.2.0.0.yaml").read_text(encoding="utf-8")
    other = folder.parent / "other" / "norms" / "sdq"
    other.mkdir(parents=True, exist_ok=True)
    changed = text.replace("informant: teacher", "informant: parent").replace(
        "id: shanghai-teacher", "id: shanghai-other"
    )
    (other / "shanghai-other.2.0.0.yaml").write_text(changed, encoding="utf-8")
    both = mh.load_library(other.parents[1], base=library)
    with pytest.raises(mh.UsageError, match="same form"):
        mh.compare_norms(OLD, "sdq/shanghai-other@2.0.0", TOTAL, library=both)


@pytest.mark.parametrize("lang, words", [("en", "not compared: there is no"), ("zh", "未比较")])
def test_the_command_prints_counts_and_writes_who_moves(folder, tmp_path, lang, words):
    scores = tmp_path / "scores.csv"
    scores.write_text(
        "subject,sex,age,sdq_teacher__total\nP-1,male,9,19\nP-2,male,9,10\n", encoding="utf-8"
    )
    options = {"on": scores, "cut": 65, "lang": lang, "definitions": folder}
    arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    arguments += ["--out", str(tmp_path / "moves.csv")]
    result = CliRunner().invoke(
        app, ["norms", "compare", OLD, NEW, *arguments], env={"COLUMNS": "160"}
    )
    assert result.exit_code == 0, result.output
    assert "male, age 3-<11" in result.output
    assert words in result.output
    assert "P-1" not in result.output
    moved = (tmp_path / "moves.csv").read_text(encoding="utf-8").splitlines()
    assert len(moved) == 2
    assert moved[1].startswith("1,P-1,total,65")


def test_the_command_refuses_a_table_that_does_not_exist(tmp_path):
    scores = tmp_path / "scores.csv"
    scores.write_text("sex,age,sdq_teacher__total\nmale,9,19\n", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["norms", "compare", OLD, "sdq/nowhere@1.0.0", "--on", str(scores)]
    )
    assert result.exit_code == 2
