"""Whatever is answered: a score lies within its bounds, and the bounds hold every completion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.kernels.codes import BLANK, FIRST_MISSING, missing_code
from mhscreen.kernels.packed import unpack
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.testing.strategies import forms, forms_with_one_worse, worse_side
from mhscreen.vocabulary import Informant, MissingReason

FORMS = [
    ("phq9", "self"), ("phqa", "self"), ("gad7", "self"), ("dsrsc", "self"), ("asq", "self"),
    ("mht", "self"), ("sdq", "self"), ("sdq", "parent"), ("sdq", "teacher"),
    ("observer", "teacher"), ("observer", "parent"),
]  # fmt: skip
TINY = 1e-9
every_form = pytest.mark.parametrize("ref, informant", FORMS)
FEW = settings(max_examples=25)


def definition(library, ref):
    return library.instrument(ref).definition


def scored(library, ref, informant, convert, *answers):
    plan = compile_form(definition(library, ref), Informant(informant))
    return score_forms(plan, convert(plan, *answers))


@every_form
@given(data=st.data())
@FEW
def test_a_score_lies_within_its_bounds_and_its_range(
    library, answers_to_codes, ref, informant, data
):
    form = data.draw(forms(definition(library, ref)))
    found = scored(library, ref, informant, answers_to_codes, form)
    for plan, scale in zip(found.plan.scales, found.scales, strict=True):
        score, low, high = scale.score[0], scale.low[0], scale.high[0]
        if scale.answered[0] == 0:
            assert np.isnan([score, low, high]).all()
            assert scale.category[0] == -1
            continue
        assert plan.range[0] <= low <= high <= plan.range[1]
        if not np.isnan(score):
            assert low - TINY <= score <= high + TINY, scale.scale
        else:
            assert scale.category[0] == -1
        if scale.categories and scale.category[0] >= 0:
            assert scale.category[0] == scale.category_low[0] == scale.category_high[0]


@every_form
@given(data=st.data())
@FEW
def test_bounds_hold_every_completion_of_the_blanks(
    library, answers_to_codes, ref, informant, data
):
    instrument = definition(library, ref)
    part = data.draw(forms(instrument))
    rest = data.draw(forms(instrument, blanks=False))
    plan = compile_form(instrument, Informant(informant))
    codes = answers_to_codes(plan, part)
    before = score_forms(plan, codes)
    open_items = {
        item.id for row, item in enumerate(plan.items) if before.codes[row, 0] > 200
    }  # neither answered nor behind a closed gate
    complete = part | {key: rest[key] for key in open_items}
    after = score_forms(plan, answers_to_codes(plan, complete))
    for one, two in zip(before.scales, after.scales, strict=True):
        assert one.bottom[0] - TINY <= two.bottom[0] <= two.top[0] <= one.top[0] + TINY, one.scale
        if not np.isnan(one.low[0]) and not np.isnan(two.score[0]):
            assert one.low[0] - TINY <= two.score[0] <= one.high[0] + TINY


@every_form
@given(data=st.data())
@FEW
def test_a_worse_answer_moves_a_score_to_its_worse_side_or_not_at_all(
    library, answers_to_codes, ref, informant, data
):
    milder, worse = data.draw(forms_with_one_worse(definition(library, ref), Informant(informant)))
    found = scored(library, ref, informant, answers_to_codes, milder, worse)
    for plan, scale in zip(found.plan.scales, found.scales, strict=True):
        if not plan.content:
            continue
        sign = 1 if plan.upwards else -1
        for name in ("score", "bottom", "top"):
            one, two = getattr(scale, name) * sign
            assert np.isnan(one) or np.isnan(two) or two >= one - TINY, (scale.scale, name)
    assert (found.critical[:, 1] >= found.critical[:, 0]).all()


@every_form
@given(data=st.data())
@FEW
def test_a_form_without_an_answer_has_neither_number_nor_category(library, ref, informant, data):
    plan = compile_form(definition(library, ref), Informant(informant))
    reasons = st.sampled_from([missing_code(reason) for reason in MissingReason])
    codes = np.array([[data.draw(reasons)] for _ in plan.items], dtype=np.uint8)
    found = score_forms(plan, codes)
    assert not found.filed[0]
    for scale in found.scales:
        assert np.isnan([scale.score[0], scale.low[0], scale.high[0]]).all()
        assert {scale.category[0], scale.category_low[0], scale.category_high[0]} == {-1}
        assert scale.answered[0] == 0


@every_form
@given(data=st.data())
@FEW
def test_scores_depend_neither_on_the_place_nor_on_the_company_of_a_form(
    library, answers_to_codes, ref, informant, data
):
    instrument = definition(library, ref)
    plan = compile_form(instrument, Informant(informant))
    many = data.draw(st.lists(forms(instrument), min_size=2, max_size=4))
    order = data.draw(st.permutations(range(len(many))))
    codes = answers_to_codes(plan, *many)
    one, other = score_forms(plan, codes), score_forms(plan, np.ascontiguousarray(codes[:, order]))
    for first, second in zip(one.scales, other.scales, strict=True):
        for name in ("score", "low", "high", "answered", "category"):
            np.testing.assert_array_equal(getattr(first, name)[order], getattr(second, name))


@every_form
def test_the_worse_side_of_every_item_is_the_one_that_its_scales_say(library, ref, informant):
    instrument = definition(library, ref)
    sides = worse_side(instrument, Informant(informant))
    reverse = {
        "dsrsc": {1, 2, 4, 7, 8, 9, 11, 12, 13, 16},
        "sdq": {7, 11, 14, 21, 25, 1, 4, 9, 17, 20},
    }
    down = {f"q{n}" for n in reverse.get(ref, ())}
    assert {key for key, side in sides.items() if side < 0} == down


# -- edges ------------------------------------------------------------------------------------


def edges(library):
    """Return every cut of every shipped scale that adds up points, with its cut set."""
    for loaded in library.of_kind("instrument"):
        instrument = loaded.definition
        for scale in instrument.scales:
            parts = [scale, *(instrument.scale(name) for name in scale.scales)]
            points = {"sum", "count", "sum_of_scales"}
            if any(part.combine not in points or part.transform for part in parts):
                continue  # their worked cases go through the cuts
            for cuts in scale.cut_sets:
                for place, category in enumerate(cuts.categories[1:], start=1):
                    for informant in cuts.informants or instrument.informants:
                        if not scale.informants or informant in scale.informants:
                            yield instrument, scale, cuts, place, category.cut, informant


def filled_to(plan, scale, total):
    """Return codes of a complete form on which a scale has a score, and nothing else matters."""
    codes = np.zeros((len(plan.items), 1), dtype=np.uint8)
    keyed = {
        int(row): unpack(table).value[: len(plan.items[row].scores)]
        for part in [plan.scales[p] for p in scale.components] or [scale]
        for row, table in zip(part.rows, part.tables, strict=True)
    }
    left = total - sum(scores.min() for scores in keyed.values())
    for row, scores in keyed.items():
        more = scores - scores.min()
        best = max(step for step in more if step <= left)
        codes[row, 0] = int(np.flatnonzero(more == best)[0])
        left -= best
    if any(item.id == "overall" for item in plan.items):
        codes[plan.row("overall"), 0] = 1
    assert left == 0
    return codes


def test_a_score_at_each_cut_belongs_to_the_far_side_and_one_short_of_it_to_the_near_side(library):
    number = 0
    for instrument, scale, cuts, place, cut, informant in edges(library):
        only = instrument.model_copy(
            update={
                "scales": tuple(
                    s.model_copy(update={"cut_sets": (cuts,)}) if s.id == scale.id else s
                    for s in instrument.scales
                )
            }
        )
        plan = compile_form(only, informant)
        compiled = plan.scales[plan.scale(scale.id)]
        step = 1 if compiled.upwards else -1
        far = int(np.ceil(cut) if compiled.upwards else np.floor(cut))  # a cut may be 43.5
        for shift, expected in ((-step, place - 1), (0, place), (step, None)):
            total = far + shift
            if not scale.range[0] <= total <= scale.range[1]:
                continue
            found = score_forms(plan, filled_to(plan, compiled, total))
            one = found.scales[plan.scale(scale.id)]
            assert one.score[0] == total
            if expected is None:
                assert one.category[0] >= place
            else:
                assert one.category[0] == expected, (instrument.id, scale.id, cuts.id, total)
            number += 1
    assert number > 200


def test_codes_reserved_for_missing_answers_are_above_every_option(library):
    for loaded in library.of_kind("instrument"):
        for scale in loaded.definition.response_scales.values():
            assert len(scale.options) < FIRST_MISSING <= BLANK


def test_each_age_edge_of_the_shipped_norm(library, plan):
    from mhscreen.steps.norm import norm_scale

    for norm in plan.norms:
        form = plan.forms[norm.slot]
        scale = form.scales[norm.scale]
        scores = score_forms(form, filled_to(form, scale, 5)).scales[norm.scale]
        for place, stratum in enumerate(norm.strata):
            month = 1 / 12
            for edge, inside in (
                (stratum.age[0] - month, False),
                (stratum.age[0], True),
                (stratum.age[0] + month, True),
                (stratum.age[1] - month, True),
                (stratum.age[1], False),
                (stratum.age[1] + month, False),
            ):
                found = norm_scale(
                    norm,
                    scores,
                    np.array([stratum.sex], dtype=np.int8),
                    np.array([edge]),
                    np.array([-1], dtype=np.int8),
                )
                assert bool(found.stratum[0] == place) is inside, (edge, stratum)
