"""A mutant of a definition changes what some complete form gives, or it would prove nothing."""

from pathlib import Path

import pytest

from mhscreen import load_library
from mhscreen.plan.scoring import compile_form
from mhscreen.testing.cases import run_cases
from mhscreen.testing.mutants import mutate, surviving
from mhscreen.testing.quality_forms import values_of
from mhscreen.vocabulary import Informant

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
        "quality spread at_or_below 0.175", "quality spread at_or_below -0.9",
        "quality halves at_or_below -0.866", "quality halves at_or_below -1.9",
        "quality there at_or_below 0.625", "quality there at_or_below 0.375",
        "quality pace at_or_below 1.625", "quality pace at_or_below 1.375",
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
        (["halves nearly opposite"], (12, 13), ["halves at_or_below -0.866"]),
        ([], (12, 14), ["pace at_or_below 1.625"]),
        ([], (11, 13), ["pace at_or_below 1.375"]),
        ([], (), ["pace at_or_below 1.625", "pace at_or_below 1.375"]),
    ],
)
def test_a_value_of_response_quality_that_no_case_pins_survives(moss, left_out, seconds, survivors):
    found = quality_survivors(moss(*left_out, seconds=seconds))
    assert found == [f"quality {name}" for name in survivors]


FIT = """quality:
  - {id: fit, index: person_fit, at_or_below: -0.5, source: manual, evidence: own_choice,
     expected: {q1: 0.9, q2: 0.8, q3: 0.5, q4: 0.4, q5: 0.2, q6: 0.1},
     calibration: {false_alarm: 0.01, method: made up, simulated: true, command: none}}
"""
# Keyed, of 2: 0, 0, 1, 1, 1, 2 (q5 is reversed). By hand: deviations from their means, multiplied.
CONTRARY = "answers: {q1: 0, q2: 0, q3: 1, q4: 1, q5: 1, q6: 2, q7: 0, q8: 0}, quality: [fit]"
LIKELY = "answers: {q1: 2, q2: 1, q3: 1, q4: 1, q5: 2, q6: 0, q7: 0, q8: 0}, quality: []"


@pytest.fixture
def fitted(tmp_path):
    """Write the made-up questionnaire with person fit alone, and cases for it."""

    def write(*cases):
        text = MOSS.read_text(encoding="utf-8")
        folder = tmp_path / "instruments/moss"
        folder.mkdir(parents=True)
        folder.joinpath("1.0.0.yaml").write_text(
            text[: text.index("quality:")] + FIT, encoding="utf-8"
        )
        lines = [f"  - {{name: case {n}, {case}}}" for n, case in enumerate(cases)]
        folder.joinpath("1.0.0.cases.yaml").write_text(
            "schema: mhscreen/cases/1\nfor: moss@1.0.0\ncases:\n" + "\n".join(lines) + "\n",
            encoding="utf-8",
        )
        return load_library(tmp_path).instrument("moss@1")

    return write


def test_every_expected_answer_is_turned_round_or_left_out(fitted):
    names = [m.name for m in mutate(fitted(CONTRARY).definition) if ": item" in m.name]
    assert [name for name in names if name.startswith("quality")] == [
        "quality fit: item q1 expected 0.1", "quality fit: item q2 expected 0.2",
        "quality fit: item q3 expected left out", "quality fit: item q4 expected 0.6",
        "quality fit: item q5 expected 0.8", "quality fit: item q6 expected 0.9",
    ]  # fmt: skip


def test_a_case_that_states_the_value_of_person_fit_notices_every_expected_answer(fitted, library):
    valued = f"{CONTRARY}, quality_values: {{fit: -0.9305}}"
    loaded = fitted(valued, LIKELY)
    assert [str(problem) for problem in run_cases(library, [loaded])] == []
    assert [name for name in quality_survivors(loaded) if "expected" in name] == []


def test_whether_it_is_reached_alone_pins_no_expected_answer(fitted):
    survivors = quality_survivors(fitted(CONTRARY, LIKELY))
    assert len([name for name in survivors if "expected" in name]) > 1


def test_the_value_of_an_index_that_is_wrong_in_a_case_is_said(fitted, library):
    loaded = fitted(f"{CONTRARY}, quality_values: {{fit: 0.25}}")
    (problem,) = run_cases(library, [loaded])
    assert problem.what.startswith("quality_values.fit: expected 0.25, got -0.9")


def test_forms_of_a_chain_are_one_answer_apart_and_go_from_one_end_to_the_other(fitted):
    form = compile_form(fitted(CONTRARY).definition, Informant.SELF)
    values = values_of(form.quality, 0, len(form.items))
    assert values[0] < -0.8 < 0.8 < values[-1]
    assert max(values[1:] - values[:-1]) < 0.3


def test_bands_of_a_recorded_number_move_and_a_case_at_each_notices(library):
    loaded = library.instrument("psqi-minutes@1")
    names = [m.name for m in mutate(loaded.definition) if "band from" in m.name]
    assert names[:2] == [
        "latency: band from 15 instead of 16",
        "latency: band from 17 instead of 16",
    ]
    assert len(names) == 18
    assert surviving(loaded)[1] == []
