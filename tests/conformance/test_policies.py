"""A screening program is told which rule it has changed; nothing reassuring is let pass."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from mhscreen.conformance import check_policies, load_policy_kits, run_policy_command
from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.policy_departures import policy_departures
from mhscreen.conformance.policy_generate import generate_policy, read_policy_measures
from mhscreen.conformance.policy_kit import LISTS, TIERS, policy_files, said_rows
from mhscreen.conformance.policy_proofs import PolicyProver
from mhscreen.conformance.policy_scorer import find_screeners, screen_pupils
from mhscreen.conformance.report import as_html, as_json, as_junit, as_text
from mhscreen.problems import DefinitionError, ResponseError

POLICIES = ("sdq-multi-informant@1", "three-tier-cn@1")


@pytest.fixture(scope="module")
def policy_kits(shipped_kit, library):
    """Return the policies of the kit by name."""
    return {kit.screener.name: kit for kit in load_policy_kits(shipped_kit, library, POLICIES)}


@pytest.fixture(scope="module")
def three_tier(policy_kits):
    return policy_kits["three-tier-cn-1.0.0"]


def as_csv(kit, columns, without=()):
    """Write what a program says the way a vendor would."""
    heading = [name for name in ("vector", *TIERS, *LISTS) if name not in without]
    rows = [
        [row[name] for name in heading]
        for row in ({"vector": n, **s} for n, s in zip(kit.names, said_rows(columns), strict=True))
    ]
    return write_rows([heading, *rows])


def edited(text, vector, /, **cells):
    """Return a CSV with some cells of one row replaced."""
    rows = list(csv.DictReader(io.StringIO(text)))
    assert any(row["vector"] == vector for row in rows)
    changed = [row | cells if row["vector"] == vector else row for row in rows]
    return write_rows([list(rows[0]), *(list(row.values()) for row in changed)])


def under(kit, name):
    """Return what a program says that departs in the way named."""
    one = next(one for one in policy_departures(kit.screener) if one.name == name)
    return screen_pupils(kit.screener, kit.pupils, one.change, kit.normed)


@pytest.fixture
def check(tmp_path):
    """Check a text, or columns, against one policy."""

    def run(kit, text):
        file = tmp_path / "vendor.csv"
        file.write_text(text, encoding="utf-8")
        return check_policies([kit], file)

    return run


def failed(found):
    return {c.clause for form in found.forms for c in form.clauses if c.state == "failed"}


def vector_where(kit, **wanted):
    """Return the first vector of which certain things are expected, with a word in each list."""
    rows = said_rows(kit.expected)
    for name, row in zip(kit.names, rows, strict=True):
        if all(v in row[k].split(";") for k, v in wanted.items()):
            return name
    raise AssertionError(wanted)


def test_what_the_policies_give_passes_both_verdicts(check, policy_kits):
    for kit in policy_kits.values():
        found = check(kit, as_csv(kit, kit.expected))
        assert found.passed
        assert failed(found) == set()


def test_undecided_rules_and_what_is_due_need_not_be_given(check, three_tier):
    columns = dict(three_tier.expected)
    assert check(three_tier, as_csv(three_tier, columns, ("undecided", "due"))).passed
    assert failed(check(three_tier, as_csv(three_tier, columns, ("rules",)))) == {21}


@pytest.mark.parametrize(
    "name",
    [
        "R7-anxiety: left out",
        "R4-item9: phqa.q9 from 1: at_or_above 2",
        "R6-sdq-two-informants: at least 3 for 2",
        "R6-sdq-two-informants: sdq.total@self from abnormal: read of teacher",
        "R7-sdq: sdq.total@self from abnormal: by the bands of parent",
        "the mean of the rules decides",
        "a blank critical item counts as no",
    ],
)
def test_a_changed_rule_is_named(check, three_tier, name):
    found = check(three_tier, as_csv(three_tier, under(three_tier, name)))
    (diagnosis,) = found.forms[0].diagnoses
    assert diagnosis.certainty == "exact"
    assert name in (diagnosis.name, *diagnosis.also)
    assert not found.passed


@pytest.mark.parametrize(
    "name, clause",
    [
        ("a blank critical item counts as no", 31),
        ("a required form that is absent says nothing", 32),
        ("not screened is shown as none", 32),
        ("an invalid form is shown as found", 33),
        ("the mildest rule decides", 34),
        ("what blanks leave open is ruled out", 35),
    ],
)
def test_what_reassures_without_reason_fails_the_gate(check, three_tier, name, clause):
    found = check(three_tier, as_csv(three_tier, under(three_tier, name)))
    assert clause in failed(found)
    assert found.state("gate") == "failed"


def test_too_high_a_tier_fails_the_standard_and_not_the_gate(check, three_tier):
    vector = vector_where(three_tier, screen="watch")
    text = as_csv(three_tier, dict(three_tier.expected))
    found = check(three_tier, edited(text, vector, screen="severe"))
    assert failed(found) == {24}
    assert found.state("gate") == "passed"


@pytest.mark.parametrize("shown", ["undetermined", "not_screened", ""])
def test_an_established_tier_that_is_not_told_fails_the_gate(check, three_tier, shown):
    vector = vector_where(three_tier, screen="major")
    text = as_csv(three_tier, dict(three_tier.expected))
    assert 34 in failed(check(three_tier, edited(text, vector, screen=shown)))


def test_two_changed_rules_are_both_named(check, three_tier):
    columns = dict(three_tier.expected)
    for rule in ("R7-anxiety", "R10-exposure"):
        columns[f"rule.{rule}"] = under(three_tier, f"{rule}: left out")[f"rule.{rule}"]
    found = check(three_tier, as_csv(three_tier, columns))
    names = {name for one in found.forms[0].diagnoses for name in (one.name, *one.also)}
    assert {"R7-anxiety: left out", "R10-exposure: left out"} <= names


@pytest.mark.parametrize(
    "cells, code",
    [
        ({"screen": "level 2"}, "MH906"),
        ({"rules": "R99"}, "MH906"),
        ({"vector": "elsewhere/001"}, "MH904"),
    ],
)
def test_what_cannot_be_compared_is_refused(check, three_tier, cells, code):
    text = as_csv(three_tier, dict(three_tier.expected))
    with pytest.raises(ResponseError) as caught:
        check(three_tier, edited(text, three_tier.names[0], **cells))
    assert code in {problem.code for problem in caught.value.problems}


def test_every_report_holds_the_verdict_and_the_smallest_example(check, three_tier):
    found = check(three_tier, as_csv(three_tier, under(three_tier, "R7-anxiety: left out")))
    assert "looks like R7-anxiety: left out" in as_text(found)
    assert json.loads(as_json(found))["verdicts"]["standard"]["state"] == "failed"
    assert "<failure" in as_junit(found)
    assert "three-tier-cn-1.0.0" in as_html(found, "zh")


def test_every_departure_that_is_no_equivalent_is_noticed(shipped_kit, policy_kits):
    for measures in read_policy_measures(shipped_kit):
        assert measures.unproved == 0
        assert measures.killed + measures.equivalent == measures.mutants
        assert measures.told_apart == measures.classes
        kit = policy_kits[measures.form]
        noticed = 0
        for one in policy_departures(kit.screener):
            said = screen_pupils(kit.screener, kit.pupils, one.change, kit.normed)
            noticed += any(not kit.expected[name].same(said[name]).all() for name in said)
        assert noticed == measures.killed


def test_mhscreen_itself_passes_through_its_facade_when_it_is_run_as_a_command(policy_kits):
    script = Path(__file__).with_name("screen_by_facade.py")
    command = [sys.executable, str(script), "{policy}"]
    found = run_policy_command(list(policy_kits.values()), command)
    assert [form.form for form in found.forms] == list(policy_kits)
    assert failed(found) == set()


def test_a_command_gets_every_answer_of_every_pupil_on_one_row(three_tier):
    heading, *rows = three_tier.inputs()
    assert len(rows) == len(three_tier.names)
    place = heading.index("gad7-1.0.0")
    filed = [row[place] == "yes" for row in rows]
    assert filed == three_tier.pupils.filed[three_tier.forms.index("gad7-1.0.0")].tolist()
    for row, there in zip(rows, filed, strict=True):
        answers = row[place + 1 : heading.index("gad7-1.0.0.q7") + 1]
        assert len(answers) == 7
        assert there or set(answers) == {""}


def test_a_screening_command_that_fails_gives_no_verdict(three_tier):
    for command in (["false"], ["no-such-program"], ["sh", "-c", "cat > /dev/null; echo no"]):
        with pytest.raises(ResponseError):
            run_policy_command([three_tier], command)


def test_the_same_policy_gives_the_same_bytes(shipped_kit, library):
    (screener,) = find_screeners(library, ["sdq-multi-informant@1"])
    kit, _ = generate_policy(library, screener, measure=False)
    folder = shipped_kit / "policies" / screener.name
    for name, text in policy_files(kit).items():
        assert (folder / name).read_bytes() == text.encode(), name


def test_a_rule_that_can_be_noticed_is_never_proved_the_same(library, three_tier):
    prover = PolicyProver(library, three_tier.screener)
    names = {
        "R7-anxiety: gad7.total from moderate: from severe": "",
        "R4-item9: phqa.q9 from 1 left out": "",
        "R4-direct-self-harm: any self_harm: whenever it was": "same rule",
        "R9-severe-sign-and-flag: mht.total from special_guidance left out": "every cell",
    }
    every = {one.name: one for one in policy_departures(three_tier.screener)}
    assert {name: prover.prove(every[name]) for name in names} == names


def test_a_kit_that_was_changed_by_hand_is_refused(tmp_path, shipped_kit, three_tier, library):
    folder = tmp_path / "policies"
    (folder / three_tier.screener.name).mkdir(parents=True)
    for file in (shipped_kit / "policies").rglob("*.*"):
        if file.is_file() and "sdq-multi" not in str(file.parent):
            place = folder / file.relative_to(shipped_kit / "policies")
            place.write_bytes(file.read_bytes())
    load_policy_kits(tmp_path, library, ["three-tier-cn@1"])
    pupils = folder / three_tier.screener.name / "pupils.csv"
    pupils.write_bytes(pupils.read_bytes().replace(b"junior", b"senior", 1))
    with pytest.raises(DefinitionError, match="manifest"):
        load_policy_kits(tmp_path, library, ["three-tier-cn@1"])
