"""A form, compiled: which answers are legal, what they score, and what cannot be summed."""

import pickle

import numpy as np
import pytest

from mhscreen.kernels.codes import COUNTED_BLANK, NOT_APPLICABLE, missing_code
from mhscreen.kernels.packed import unpack
from mhscreen.plan.scoring import answer_key, compile_form
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Informant, MissingReason


@pytest.fixture
def instrument(library):
    return lambda ref: library.instrument(ref).definition


@pytest.mark.parametrize(
    "answer, key",
    [
        (2, "2"),
        (2.0, "2"),
        ("2.0", "2"),
        ("2.50", "2.50"),
        ("-1.0", "-1"),
        (" ２ ", "2"),
        ("Ｙｅｓ", "yes"),
        ("几乎 每天", "几乎 每天"),
        (True, "true"),
        (1.5, "1.5"),
        ("2.", "2."),
        ("1.0.0", "1.0.0"),
    ],
)
def test_an_answer_is_looked_up_without_its_dress(answer, key):
    assert answer_key(answer) == key


def test_an_informant_without_a_form_is_refused(instrument):
    with pytest.raises(UsageError, match=r"phq9@1\.\d+\.\d+ has no form for informant"):
        compile_form(instrument("phq9"), Informant.TEACHER)


def test_the_informant_is_named_exactly_where_there_are_several(instrument):
    one = compile_form(instrument("phq9"), Informant.SELF)
    several = compile_form(instrument("sdq"), Informant.TEACHER)
    assert (one.slot, one.prefix) == ("phq9", "phq9")
    assert (several.slot, several.prefix) == ("sdq@teacher", "sdq_teacher")


def test_each_informant_has_the_scales_of_his_own_form(instrument):
    scales = {
        who: {scale.id for scale in compile_form(instrument("sdq"), Informant(who)).scales}
        for who in ("self", "parent", "teacher")
    }
    assert "impact" in scales["self"] & scales["parent"]
    assert "impact" not in scales["teacher"]
    assert "impact_teacher" in scales["teacher"]


@pytest.mark.parametrize(
    "who, cuts", [("self", [15, 18]), ("parent", [15, 17]), ("teacher", [14, 18])]
)
def test_each_informant_has_cuts_of_its_own(instrument, who, cuts):
    form = compile_form(instrument("sdq"), Informant(who))
    assert form.scales[form.scale("total")].cuts.tolist() == cuts


def test_a_code_wins_over_a_label_that_looks_like_it(instrument):
    phq9 = instrument("phq9")
    options = list(phq9.response_scales["frequency"].options)
    odd = options[1].model_copy(update={"aliases": ("3",)})
    changed = phq9.model_copy(
        update={
            "response_scales": {
                **phq9.response_scales,
                "frequency": phq9.response_scales["frequency"].model_copy(
                    update={"options": (options[0], odd, *options[2:])}
                ),
            }
        }
    )
    assert compile_form(changed, Informant.SELF).items[0].answers["3"] == 3


def test_a_declared_missing_code_is_read_as_its_reason(instrument):
    form = compile_form(instrument("asq"), Informant.SELF)
    assert form.items[0].answers["refused"] == missing_code(MissingReason.REFUSED)
    assert form.items[0].answers["拒绝或未回答"] == missing_code(MissingReason.REFUSED)


@pytest.mark.parametrize("ref", ["phq9", "phqa", "gad7", "sdq", "mht", "dsrsc", "asq", "observer"])
def test_every_compiled_scale_reaches_exactly_its_published_range(instrument, ref):
    definition = instrument(ref)
    for informant in definition.informants:
        for scale in compile_form(definition, informant).scales:
            if scale.components or scale.levels:
                continue
            known = unpack(scale.tables)
            options = range(len(scale.rows))
            lowest = sum(int(known.low[row, 255]) for row in options)
            highest = sum(int(known.high[row, 255]) for row in options)
            assert (lowest, highest) == scale.range, scale.id


def test_an_item_that_is_not_scored_does_not_count_towards_completeness(instrument):
    form = compile_form(instrument("phqa"), Informant.SELF)
    counts = {item.id: item.counts for item in form.items}
    assert not counts["dysthymia"]
    assert not counts["difficulty"]
    assert counts["si_month"]
    assert counts["attempt_life"]


def test_a_keyed_score_below_nought_cannot_be_summed(instrument):
    phq9 = instrument("gad7")
    scale = phq9.response_scales["frequency"]
    below = scale.options[0].model_copy(update={"score": -1})
    changed = phq9.model_copy(
        update={
            "response_scales": {
                "frequency": scale.model_copy(update={"options": (below, *scale.options[1:])})
            }
        }
    )
    with pytest.raises(UsageError, match="below 0"):
        compile_form(changed, Informant.SELF)


def test_a_scale_that_is_too_wide_to_be_summed_is_refused(instrument):
    gad7 = instrument("gad7")
    scale = gad7.response_scales["frequency"]
    huge = scale.options[3].model_copy(update={"score": 9000})
    changed = gad7.model_copy(
        update={
            "response_scales": {
                "frequency": scale.model_copy(update={"options": (*scale.options[:3], huge)})
            }
        }
    )
    with pytest.raises(UsageError, match="more than"):
        compile_form(changed, Informant.SELF)


def test_no_other_code_than_an_answer_adds_to_a_sum(instrument):
    form = compile_form(instrument("sdq"), Informant.SELF)
    for scale in form.scales:
        for row, table in zip(scale.rows, scale.tables, strict=True):
            one = unpack(table)
            options = len(form.items[row].scores)
            rest = np.array(
                [c for c in range(options, 256) if c not in {NOT_APPLICABLE, COUNTED_BLANK}]
            )
            assert not one.value[rest].any()
            assert not one.answered[rest].any()
            assert not one.known[rest].any()


def test_a_form_that_was_scored_with_is_handed_on_no_larger_than_before(instrument):
    form = compile_form(instrument("sdq"), Informant.SELF)
    before = len(pickle.dumps(form))
    assert form.coding.scales
    assert len(pickle.dumps(form)) == before
