"""The vectors notice every fault that can be noticed, and tell apart all that can be told apart."""

import json

import numpy as np
import pytest

from mhscreen.conformance.candidates import make_candidates
from mhscreen.conformance.choose import choose, classes, evaluate
from mhscreen.conformance.coverage import Demand
from mhscreen.conformance.demands import demands
from mhscreen.conformance.departures import departures
from mhscreen.conformance.generate import generate_form, held_out, is_good
from mhscreen.conformance.kit import form_files, read_form_kit, read_manifest
from mhscreen.conformance.known import catalogue, known_departures
from mhscreen.conformance.policy_generate import read_policy_measures
from mhscreen.conformance.proofs import prove_alike
from mhscreen.conformance.scorer import find_forms, illegal_texts, score_vectors
from mhscreen.conformance.write import files_of, read_measures, write_kit
from mhscreen.plan.scoring import answer_key
from mhscreen.problems import DefinitionError
from mhscreen.vocabulary import Fault


def form_of(library, ref, informant=None):
    forms = find_forms(library, [ref])
    return next(f for f in forms if informant in (None, f.informant))


@pytest.mark.parametrize("ref", ["gad7@1", "asq@1", "brs@1", "swemwbs@1", "psqi-minutes@1"])
def test_every_mutant_is_noticed_or_proved_to_give_the_same(library, ref):
    for form in find_forms(library, [ref]):
        found = generate_form(form).measures
        assert found.mutants > 20
        assert found.killed + found.equivalent == found.mutants
        assert found.told_apart == found.classes
        assert is_good(found)


def test_a_vector_set_without_its_vectors_at_the_cut_misses_a_moved_cut(library):
    """Or else a measure that is always full would prove nothing."""
    form = form_of(library, "gad7@1")
    pool = make_candidates(form)
    found = evaluate(form, pool, departures(form))
    names = [one.name for one in found.scorers]
    at_ten = found.columns["total"].values == 10
    far = np.flatnonzero(~at_ten).tolist()
    labels = classes(found.said[:, far])
    place = names.index("total: moderate: a score at 10 stays on the near side") + 1
    assert labels[place] == labels[0]


def test_dropping_any_vector_loses_something(library):
    form = form_of(library, "audit-c@1")
    pool = make_candidates(form)
    found = evaluate(form, pool, departures(form))
    wanted = demands(form, pool, found.columns)
    chosen = choose(found.said, wanted)
    number = classes(found.said[:, chosen]).max()
    for place in chosen:
        rest = [one for one in chosen if one != place]
        fewer = classes(found.said[:, rest]).max() < number
        unmet = any(not one.shown_by[rest].any() for one in wanted)
        assert fewer or unmet


def test_each_option_and_each_side_of_each_cut_is_shown(library):
    form = form_of(library, "sdq@1", "teacher")
    pool = make_candidates(form)
    found = evaluate(form, pool, ())
    names = {one.name for one in demands(form, pool, found.columns)}
    assert {"q7: option 0", "q7: option 1", "q7: option 2"} <= names
    assert {
        "total: 13 by the cut 14",
        "total: 14 by the cut 14",
        "total: 15 by the cut 14",
    } <= names
    assert {"nothing answered", "illegal answer 1", "emotional: 3 blank"} <= names
    assert "gate of duration closed, answered behind" in names
    assert "total.shanghai-teacher: stratum 1" in names


def test_what_is_illegal_in_a_vector_is_no_other_spelling_of_an_answer(library):
    """The CRAFFT takes any number of days for its second option."""
    for form in find_forms(library):
        for item in form.plan.items:
            texts = illegal_texts(form.instrument.item(item.id), form.instrument)
            assert not {answer_key(text) for text in texts} & set(item.answers), form.name


def test_one_form_is_written_again_without_losing_the_others(library, tmp_path):
    first = find_forms(library, ["gad2@1", "phq2@1"])
    write_kit(tmp_path, first, measure=False)
    before = {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)}
    write_kit(tmp_path, first[1:], measure=False, others=True)
    assert {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)} == before


def test_the_same_definitions_give_the_same_bytes(library):
    form = form_of(library, "asq@1")
    assert form_files(generate_form(form).kit) == form_files(generate_form(form).kit)


@pytest.mark.parametrize("ref", ["gad7@1", "asq@1", "psqi-minutes@1", "smfq@1"])
def test_the_shipped_vectors_are_those_that_would_be_chosen_now(library, shipped_kit, ref):
    for form in find_forms(library, [ref]):
        for name, text in form_files(generate_form(form, measure=False).kit).items():
            assert (shipped_kit / form.name / name).read_text(encoding="utf-8") == text


def test_every_shipped_form_still_gives_what_the_kit_expects(library, shipped_kit):
    entries = {entry["form"]: entry for entry in read_manifest(shipped_kit)}
    forms = find_forms(library)
    assert set(entries) == {form.name for form in forms}
    for form in forms:
        read_form_kit(shipped_kit, form, entries[form.name])


def test_the_shipped_measures_reach_the_bar(shipped_kit):
    measures = read_measures(shipped_kit)
    assert all(map(is_good, measures))
    assert sum(one.unproved for one in measures) == 0
    assert sum(one.held_out for one in measures) > 20_000


def test_hidden_faults_of_every_form_are_named_rightly(shipped_kit):
    for one in (*read_measures(shipped_kit), *read_policy_measures(shipped_kit)):
        assert one.diagnosed >= 0.95 * one.held_out, one.form
        assert one.untuned >= 0.85 * one.held_out, one.form


def test_vectors_chosen_without_any_fault_in_mind_name_most_faults(shipped_kit):
    measures = read_measures(shipped_kit)
    tried = sum(one.held_out for one in measures)
    assert sum(one.untuned for one in measures) >= 0.95 * tried


def test_a_hidden_fault_that_looks_like_the_definition_is_not_named_rightly():
    """Two candidates; the second alone shows the only fault, and nothing asks for it."""
    said = np.array([[1, 5], [1, 6]], dtype=np.uint64)
    asked = Demand("the first", np.array([True, False]))
    assert held_out(said, ["a fault"], [asked], (), np.array([0, 1])) == (1, 0, 0)
    also = Demand("the second", np.array([False, True]))
    assert held_out(said, ["a fault"], [asked, also], (), np.array([0, 1])) == (1, 1, 1)


def test_json_lines_and_csv_say_the_same(kits, shipped_kit):
    for name, kit in kits.items():
        lines = (shipped_kit / name / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
        rows = kit.inputs()
        heading = rows[0]
        for line, row in zip(map(json.loads, lines), rows[1:], strict=True):
            cells = dict(zip(heading, row, strict=True))
            assert line["vector"] == cells["vector"]
            for item, answer in line["answers"].items():
                assert cells[item] == ("" if answer is None else str(answer))


def test_what_is_read_back_is_what_was_chosen(library, kits):
    kit = kits["gad7-1.0.0"]
    fresh = generate_form(form_of(library, "gad7@1"), measure=False).kit
    assert np.array_equal(kit.vectors.codes, fresh.vectors.codes)
    assert np.array_equal(kit.vectors.illegal, fresh.vectors.illegal)
    assert np.allclose(kit.vectors.age, fresh.vectors.age, equal_nan=True)


def test_a_changed_file_of_the_kit_is_refused(shipped_kit, library, tmp_path, kits):
    form = kits["gad7-1.0.0"].form
    entry = next(e for e in read_manifest(shipped_kit) if e["form"] == form.name)
    folder = tmp_path / form.name
    folder.mkdir()
    text = (shipped_kit / form.name / "inputs.csv").read_text(encoding="utf-8")
    (folder / "inputs.csv").write_text(text.replace(",3", ",2", 1), encoding="utf-8")
    with pytest.raises(DefinitionError, match="MH907"):
        read_form_kit(tmp_path, form, entry)


def test_a_kit_made_for_another_key_is_refused(shipped_kit, library, kits):
    form = kits["gad7-1.0.0"].form
    entry = next(e for e in read_manifest(shipped_kit) if e["form"] == form.name)
    scale = form.instrument.scales[0].model_copy(update={"reverse": ("q1",)})
    other = form.instrument.model_copy(update={"scales": (scale,)})
    with pytest.raises(DefinitionError, match="gave something else"):
        read_form_kit(shipped_kit, type(form)(other, form.informant), entry)


class TestKnownFaults:
    def test_every_known_fault_of_a_shipped_instrument_becomes_a_mutant(self, library):
        seen = {
            (form.instrument.id, one.name.removeprefix("known: "))
            for form in find_forms(library)
            for one in known_departures(form)
        }
        assert seen == {(one["instrument"], one["name"]) for one in catalogue()["departures"]}

    def test_what_is_no_matter_of_scoring_says_why(self):
        assert all(len(one["why"]) > 15 for one in catalogue()["not_scored"])

    def test_public_scorers_of_the_smfq_turn_the_worst_form_into_nought(self, library):
        form = form_of(library, "smfq@1", "self")
        fault = next(one for one in departures(form) if one.name == "known: true 0, not true 2")
        pool = make_candidates(form)
        worst = [pool.why.index("worst")]
        assert score_vectors(form, pool.take(worst))["total"].values[0] == 26
        assert score_vectors(form, pool.take(worst), fault.change)["total"].values[0] == 0

    def test_documented_variants_are_no_faults(self, library):
        for ref, name in (
            ("dsrsc@1", "cut set rural_henan"),
            ("dsrsc@1", "cut set original"),
            ("mht@1", "known: validity above 7 in place of 7 and above"),
        ):
            form = form_of(library, ref)
            one = next(one for one in departures(form) if one.name == name)
            assert one.fault is Fault.VARIANT


class TestProofs:
    def test_a_cut_between_two_possible_scores_is_proved_the_same(self, library):
        form = form_of(library, "dass21@1")
        every = {one.name: one for one in departures(form)}
        odd = every["depression: severe: a score at 21 stays on the near side"]
        assert prove_alike(form, None, odd) == "every sum"

    def test_what_some_form_notices_is_never_proved_the_same(self, library):
        form = form_of(library, "gad7@1")
        for one in departures(form):
            assert prove_alike(form, None, one) == ""

    def test_nothing_outranks_an_item_that_decides_alone(self, library):
        form = form_of(library, "upi@1")
        name = "a critical item is outranked by screening_class below its cut"
        one = next(one for one in departures(form) if one.name == name)
        assert prove_alike(form, None, one) == "bounds"

    def test_total_does_outrank_an_item_that_it_can_hide(self, library):
        form = form_of(library, "phq9@1")
        name = "a critical item is outranked by total below its cut"
        one = next(one for one in departures(form) if one.name == name)
        assert prove_alike(form, None, one) == ""
