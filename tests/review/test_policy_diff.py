"""Another policy on the same pupils: who moves, by which rules, and what cannot be told."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import mhscreen as mh
from mhscreen.cli import app
from mhscreen.interop.files import write_parquet

ROOT = Path(__file__).parents[2]
OLD = "three-tier-cn@1.0.0"
NEW = "my-district@1.0.0"
ANXIETY = (
    "when: {category: gad7.total, cut_set: severity, at_or_above: moderate}\n"
    "    because: {en: Anxiety symptoms at or above the cut score, zh: 焦虑症状达到划界分}"
)
FROM_EIGHT = ANXIETY.replace(
    "{category: gad7.total, cut_set: severity, at_or_above: moderate}",
    "{score: gad7.total, at_or_above: 8}",
)
PAST_MONTH = "when: {item: phqa.si_month, at_or_above: 1}"


@pytest.fixture
def with_policy(tmp_path, library):
    """Return the library with a changed copy of the shipped policy."""

    def write(*replacements):
        text = (ROOT / library.policy(OLD).file).read_text(encoding="utf-8")
        for old, new in (("id: three-tier-cn\n", "id: my-district\n"), *replacements):
            assert text.count(old) == 1
            text = text.replace(old, new)
        file = tmp_path / "own" / "policies" / "my-district" / "1.0.0.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return mh.load_library(tmp_path / "own", base=library)

    return write


@pytest.fixture(scope="module")
def district(plan):
    roster, answers = mh.simulate(plan, 400, seed=3, like={})
    screening = mh.screen(
        plan, roster=roster, responses=answers, at="2026-10-15", on_problem="report"
    )
    return roster, answers, mh.to_frame(screening)


def test_an_archive_gives_the_moves_that_the_answers_give(with_policy, district):
    roster, answers, archive = district
    own = with_policy((ANXIETY, FROM_EIGHT))
    quick = mh.diff_policies(OLD, NEW, on=archive, library=own)
    full = mh.diff_policies(
        OLD, NEW, roster=roster, responses=answers, at="2026-10-15", library=own,
        programme="qingdao-2023@1",
    )  # fmt: skip
    kept = quick.compared
    assert kept.mean() > 0.98
    for quick_tiers, full_tiers in (
        (quick.established, full.established),
        (quick.possible, full.possible),
    ):
        for one, other in zip(quick_tiers, full_tiers, strict=True):
            assert np.array_equal(one[kept], other[kept])
    moves = quick.moves()
    assert len(moves["subject"]) > 3
    assert set(moves["began"]) == {"R7-anxiety"}
    assert set(moves["ceased"]) == {""}
    assert set(full.moves()["subject"]) >= set(moves["subject"])


def test_a_policy_compared_with_itself_moves_nobody(district):
    found = mh.diff_policies(OLD, OLD, on=district[2])
    assert found.moves()["subject"] == []
    assert sum(map(sum, list(found.table().values())[1:])) == found.compared.sum()


def test_the_table_counts_every_pupil_who_was_compared_once(with_policy, district):
    found = mh.diff_policies(OLD, NEW, on=district[2], library=with_policy((ANXIETY, FROM_EIGHT)))
    table = found.table()
    row = table["tier_a"].index("none")
    up = table["general"][row]
    assert up > 0
    assert up == sum(
        a == "none" and b == "general"
        for a, b in zip(found.moves()["established_a"], found.moves()["established_b"], strict=True)
    )


def test_a_changed_rule_on_an_item_is_refused_by_name(with_policy, district):
    own = with_policy((PAST_MONTH, PAST_MONTH.replace("phqa.si_month", "phqa.dysthymia")))
    with pytest.raises(mh.UsageError, match=r"R4-past-month reads phqa\.dysthymia"):
        mh.diff_policies(OLD, NEW, on=district[2], library=own)
    roster, answers, _ = district
    found = mh.diff_policies(
        OLD, NEW, roster=roster, responses=answers, at="2026-10-15", library=own
    )
    assert "R4-past-month" in ";".join(found.moves()["began"])


def test_a_rule_on_items_that_changes_its_tier_only_is_read_from_the_archive(with_policy, district):
    lower = (
        "tier: severe\n    " + PAST_MONTH, "tier: major\n    " + PAST_MONTH,
    )  # fmt: skip
    found = mh.diff_policies(OLD, NEW, on=district[2], library=with_policy(lower))
    rules = dict(zip(district[2]["subject"], district[2]["rules"], strict=True))
    moved = [
        subject
        for subject, tier in zip(
            found.moves()["subject"], found.moves()["established_b"], strict=True
        )
        if tier == "major"
    ]
    assert moved
    assert all("R4-past-month" in rules[subject] for subject in moved)


def test_a_pupil_with_two_forms_in_a_slot_is_counted_apart(plan, school):
    pupils = [
        school.pupil("A1", forms={"gad7": [school.calm("gad7"), school.full("gad7")]}),
        school.pupil("A2"),
    ]
    archive = mh.to_frame(school.screen(*pupils))
    found = mh.diff_policies(OLD, OLD, on=archive)
    assert found.not_compared() == ["A1"]


def test_an_archive_of_another_policy_is_refused(district):
    with pytest.raises(mh.UsageError, match=r"was not made with sdq-multi-informant@1\.0\.0"):
        mh.diff_policies("sdq-multi-informant@1", "sdq-multi-informant@1", on=district[2])


def test_either_an_archive_or_answers_are_needed(district):
    with pytest.raises(mh.UsageError, match="either an archive, or a roster"):
        mh.diff_policies(OLD, OLD)


def test_the_command_prints_the_table_and_writes_who_moves(with_policy, district, tmp_path):
    with_policy((ANXIETY, FROM_EIGHT))
    write_parquet(district[2], tmp_path / "archive.parquet")
    arguments = [
        "policy", "diff", OLD, NEW, "--on", str(tmp_path / "archive.parquet"),
        "--definitions", str(tmp_path / "own"),
    ]  # fmt: skip
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "moves.csv")])
    assert result.exit_code == 0, result.output
    assert "began to hold: R7-anxiety" in result.stdout
    with (tmp_path / "moves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert set(rows[0]) == {
        "subject", "established_a", "established_b", "possible_a", "possible_b", "began", "ceased",
    }  # fmt: skip
    chinese = CliRunner().invoke(app, [*arguments, "--lang", "zh"])
    assert "新成立: R7-anxiety" in chinese.stdout
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["moved"] == len(rows)


def test_the_command_ends_with_2_where_nothing_can_be_compared(tmp_path):
    missing = ["policy", "diff", OLD, OLD, "--on", str(tmp_path / "no.parquet")]
    assert CliRunner().invoke(app, missing).exit_code == 2
    assert CliRunner().invoke(app, ["policy", "diff", OLD, OLD]).exit_code == 2
