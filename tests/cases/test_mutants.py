"""A mutant of a definition changes what some complete form gives, or it would prove nothing."""

from pathlib import Path

import pytest

from mhscreen import load_library
from mhscreen.testing.cases import run_cases
from mhscreen.testing.mutants import mutate, surviving

MOSS = Path(__file__).parents[1] / "steps/moss.yaml"
ANSWERS = {
    "plain": "{q1: 0, q2: 1, q3: 1, q4: 2, q5: 0, q6: 1, q7: 0, q8: 1}",
    "a run of four": "{q1: 1, q2: 1, q3: 1, q4: 1, q5: 2, q6: 0, q7: 0, q8: 2}",
    "a run of five": "{q1: 1, q2: 1, q3: 1, q4: 1, q5: 1, q6: 0, q7: 0, q8: 2}",
    "the same throughout": "{all: 1, q7: 0}",
    "one other answer": "{all: 1, q4: 2, q7: 0}",
    "halves opposite": "{q1: 0, q2: 1, q3: 0, q4: 1, q5: 0, q6: 0, q7: 0, q8: 0}",
    "halves nearly opposite": "{q1: 0, q2: 1, q3: 0, q4: 2, q5: 0, q6: 0, q7: 0, q8: 0}",
    "half answered": "{q1: 0, q2: 1, q3: 1, q4: 2}",
    "five answered": "{q1: 0, q2: 1, q3: 1, q4: 2, q5: 0}",
}
REACHED = {
    "a run of five": "[run]",
    "the same throughout": "[run, spread]",
    "halves opposite": "[halves]",
    "half answered": "[there]",
}


def cut_mutants(library, ref, scale):
    instrument = library.instrument(ref).definition
    return [
        mutant.name.removeprefix(f"{scale}: ")
        for mutant in mutate(instrument)
        if mutant.name.startswith(f"{scale}: ") and " at_or_" in mutant.name
    ]


def test_cut_moves_to_the_score_on_either_side(library):
    assert cut_mutants(library, "gad7@1", "total")[:4] == [
        "mild at_or_above 4", "mild at_or_above 6", "moderate at_or_above 9",
        "moderate at_or_above 11",
    ]  # fmt: skip


def test_cut_moves_past_scores_that_no_form_can_have(library):
    """The index of the SAS goes from 48 to 50 and from 50 to 51; who5 goes in steps of 4."""
    assert cut_mutants(library, "sas@1", "index")[:2] == [
        "mild at_or_above 48", "mild at_or_above 51",
    ]  # fmt: skip
    moved = {name.rpartition(" ")[2] for name in cut_mutants(library, "who5@1", "percentage")}
    assert moved
    assert all(int(cut) % 4 == 0 for cut in moved)


@pytest.mark.parametrize("ref", ["gad7@1", "sas@1", "who5@1", "sbq-r@1"])
def test_worked_cases_notice_every_mutant(library, ref):
    number, unnoticed = surviving(library.instrument(ref))
    assert number > 20
    assert unnoticed == []


def test_mutant_is_not_noticed_without_cases_that_pin_it(tmp_path, library):
    """Or else a tool that never finds any would look like one with nothing to find."""
    folder = tmp_path / "instruments" / "gad7"
    folder.mkdir(parents=True)
    source = library.instrument("gad7@1")
    folder.joinpath("1.0.0.yaml").write_bytes((Path(source.folder) / source.file).read_bytes())
    folder.joinpath("1.0.0.cases.yaml").write_text(
        "schema: mhscreen/cases/1\nfor: gad7@1.0.0\ncases:\n"
        "  - {name: nothing but zeros, answers: {all: 0}, expect: {total: {score: 0}}}\n",
        encoding="utf-8",
    )
    _, unnoticed = surviving(load_library(tmp_path).instrument("gad7@1"))
    assert "total: severe at_or_above 16" in unnoticed


@pytest.fixture
def moss(tmp_path):
    """Write a case for each kind of form, but for those left out; return the instrument."""

    def write(*left_out, seconds=(12, 13)):
        lines = [
            f"  - {{name: {name}, answers: {answers}, quality: {REACHED.get(name, '[]')}}}"
            for name, answers in ANSWERS.items()
            if name not in left_out
        ]
        lines += [
            f"  - {{name: in {number} s, answers: {ANSWERS['plain']}, duration_s: {number}, "
            f"quality: {'[pace]' if number <= 12 else '[]'}, "
            f"validity: {'questionable' if number <= 12 else 'valid'}}}"
            for number in seconds
        ]
        folder = tmp_path / "instruments/moss"
        folder.mkdir(parents=True)
        folder.joinpath("1.0.0.yaml").write_bytes(MOSS.read_bytes())
        folder.joinpath("1.0.0.cases.yaml").write_text(
            "schema: mhscreen/cases/1\nfor: moss@1.0.0\ncases:\n" + "\n".join(lines) + "\n",
            encoding="utf-8",
        )
        return load_library(tmp_path).instrument("moss@1")

    return write


def quality_survivors(loaded):
    return [name for name in surviving(loaded)[1] if name.startswith("quality ")]


def test_each_value_of_response_quality_moves_to_either_side(moss):
    names = [m.name for m in mutate(moss().definition) if m.name.startswith("quality ")]
    assert names == [
        "quality run at_or_above 4", "quality run at_or_above 6",
        "quality spread at_or_below -0.07496", "quality spread at_or_below 0.275",
        "quality halves at_or_below -1.233", "quality halves at_or_below -0.5667",
        "quality there at_or_below 0.375", "quality there at_or_below 0.625",
        "quality pace at_or_below 1.375", "quality pace at_or_below 1.625",
    ]  # fmt: skip


def test_a_case_on_each_side_notices_every_value_that_moved(moss, library):
    loaded = moss()
    assert [str(problem) for problem in run_cases(library, [loaded])] == []
    assert quality_survivors(loaded) == []


@pytest.mark.parametrize(
    "left_out, seconds, survivors",
    [
        (["half answered"], (12, 13), ["there at_or_below 0.375"]),
        (["five answered"], (12, 13), ["there at_or_below 0.625"]),
        (["halves nearly opposite"], (12, 13), ["halves at_or_below -0.5667"]),
        ([], (12, 14), ["pace at_or_below 1.625"]),
        ([], (11, 13), ["pace at_or_below 1.375"]),
        ([], (), ["pace at_or_below 1.375", "pace at_or_below 1.625"]),
    ],
)
def test_a_value_of_response_quality_that_no_case_pins_survives(moss, left_out, seconds, survivors):
    found = quality_survivors(moss(*left_out, seconds=seconds))
    assert found == [f"quality {name}" for name in survivors]
