"""Every shipped instrument, by informant: its range, and each item raised alone."""

import numpy as np
import pytest

from mhscreen.definitions.keys import item_direction, items_of
from mhscreen.kernels.codes import BLANK
from mhscreen.loading import shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import Direction

FORMS = [
    pytest.param(loaded.definition, informant, id=f"{loaded.ref}-{informant}")
    for loaded in shipped_library().of_kind("instrument")
    for informant in loaded.definition.informants
]


def extreme(instrument, plan, *, worst):
    """Return codes of a form on which every answer is the best or the worst."""
    codes = np.zeros((len(plan.items), 1), dtype=np.uint8)
    for row, item in enumerate(plan.items):
        scores = item.scores
        up = item_direction(instrument, item.id) is Direction.WORSE
        codes[row] = np.argmax(scores) if up == worst else np.argmin(scores)
    return codes


@pytest.mark.parametrize("instrument, informant", FORMS)
def test_the_best_and_the_worst_form_reach_the_ends_of_every_range(instrument, informant):
    plan = compile_form(instrument, informant)
    best = score_forms(plan, extreme(instrument, plan, worst=False))
    worst = score_forms(plan, extreme(instrument, plan, worst=True))
    for scale, calm, ill in zip(plan.scales, best.scales, worst.scales, strict=True):
        ends = [calm.score[0], ill.score[0]]
        if not scale.content:
            continue  # items about the answering point neither way
        near, far = scale.range if scale.upwards else scale.range[::-1]
        tolerance = 0.05 if scale.combine.startswith("eap") else 1e-9
        assert ends == pytest.approx([near, far], abs=tolerance), scale.id


@pytest.mark.parametrize("instrument, informant", FORMS)
def test_an_item_raised_alone_moves_its_scales_to_the_worse_and_no_other(instrument, informant):
    plan = compile_form(instrument, informant)
    gated = {row for gate in plan.gates for row in gate.rows}
    openers = {row for gate in plan.gates for row, _ in gate.openers}
    calm = extreme(instrument, plan, worst=False)
    base = score_forms(plan, calm)
    ill = extreme(instrument, plan, worst=True)
    for row, item in enumerate(plan.items):
        raised = calm.copy()
        raised[row] = ill[row]
        moved = score_forms(plan, raised)
        for scale, before, after in zip(plan.scales, base.scales, moved.scales, strict=True):
            key = instrument.scale(scale.id)
            holds = item.id in items_of(instrument, key)
            worse = 1 if scale.upwards else -1
            change = worse * (after.score[0] - before.score[0])
            if not holds and row not in openers | gated:
                assert change == 0, (scale.id, item.id)
            elif scale.content and scale.combine not in ("levels", "maximum"):
                assert change >= 0, (scale.id, item.id)
                plain = scale.combine in ("sum", "mean", "weighted_sum") and not key.transform
                if holds and plain and row not in gated:
                    assert change > 0, (scale.id, item.id)


@pytest.mark.parametrize("instrument, informant", FORMS)
def test_a_form_on_which_nothing_is_answered_gives_neither_number_nor_category(
    instrument, informant
):
    plan = compile_form(instrument, informant)
    blank = score_forms(plan, np.full((len(plan.items), 1), BLANK, dtype=np.uint8))
    for scale in blank.scales:
        assert np.isnan([scale.score[0], scale.low[0], scale.high[0]]).all()
        assert scale.answered[0] == 0
        assert scale.category[0] == scale.category_low[0] == scale.category_high[0] == -1
