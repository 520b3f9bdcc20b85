"""A mutant of a definition changes what some complete form gives, or it would prove nothing."""

import pytest

from mhscreen.testing.mutants import mutate, surviving


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
    from pathlib import Path

    from mhscreen import load_library

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
