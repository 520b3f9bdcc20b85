"""What the conformance kit expects is what other people's programs give, or is explained."""

from collections import Counter

import compare_oracles as oracles
import pytest


@pytest.fixture(scope="module")
def every_cell():
    return [cell for name in oracles.PROGRAMS for cell in oracles.cells(name)]


def test_every_difference_from_another_program_is_explained(every_cell):
    known = oracles.explanations()
    unexplained = [
        cell
        for cell in every_cell
        if not cell.agrees and not any(oracles.explains(one, cell) for one in known)
    ]
    assert unexplained == []


def test_every_explanation_is_of_a_difference_that_is_there(every_cell):
    apart = [cell for cell in every_cell if not cell.agrees]
    for one in oracles.explanations():
        assert any(oracles.explains(one, cell) for cell in apart), one["what"]
        assert one["right"] in {"the definition", "both"}
        assert len(one["why"]) > 40


def test_no_explanation_hides_a_complete_form_of_a_key_of_our_own(every_cell):
    own = [c for c in every_cell if c.program in {"psych", "proscorer"} and c.kind == "complete"]
    assert len(own) > 8000
    assert [cell for cell in own if not cell.agrees] == []


def test_forms_with_blanks_are_compared_wherever_a_rule_prorates(every_cell):
    counts = Counter()
    for cell in every_cell:
        if cell.program == "proscorer" and cell.kind == "blanks" and cell.expected and cell.agrees:
            counts[cell.form.partition("-")[0]] += 1
    assert set(counts) >= {"phq9", "phqa", "k10", "yp", "sdq", "rcads47", "rcads25"}


def test_what_is_on_file_is_of_the_kit_as_it_is_now():
    """Or else run the scripts in tests/golden/oracles again."""
    for name in oracles.PROGRAMS:
        file = oracles.ORACLES / f"{name}.csv"
        if not file.exists():
            continue
        vectors = {row["vector"] for row in oracles.read_rows(file)}
        forms = {vector.partition("/")[0] for vector in vectors}
        here = {
            row["vector"]
            for form in forms
            for row in oracles.read_rows(oracles.KIT / form / "inputs.csv")
        }
        assert vectors == here
