"""Forms that share a state have, to the bit, the scores that each would have by itself."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.kernels.codes import missing_code
from mhscreen.loading import read_definition, shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.steps import score as score_step
from mhscreen.steps import states
from mhscreen.vocabulary import Informant, MissingReason

STEPS = Path(__file__).parents[1] / "steps"
MADE_UP = [
    read_definition((STEPS / name).read_text(encoding="utf-8"), name)[0]
    for name in ("bark.yaml", "moss.yaml")
]
FORMS = [
    pytest.param(instrument, informant, id=f"{instrument.ref} {informant}")
    for instrument in (
        *(loaded.definition for loaded in shipped_library().of_kind("instrument")),
        *MADE_UP,
    )
    for informant in instrument.informants
]
every_form = pytest.mark.parametrize("instrument, informant", FORMS)
REASONS = [missing_code(reason) for reason in MissingReason]


def answers(plan, forms, blank, seed):
    """Return response codes of made-up forms, each with its own inclination to high options."""
    rng = np.random.default_rng(seed)
    leaning = rng.uniform(0, 1, forms)
    codes = np.empty((len(plan.items), forms), dtype=np.uint8)
    for row, item in enumerate(plan.items):
        most = len(item.codes) - 1
        codes[row] = np.clip(np.rint(rng.normal(leaning * most, 1, forms)), 0, most)
        codes[row, rng.random(forms) < blank] = rng.choice(REASONS)
    codes[:, rng.random(forms) < blank / 4] = rng.choice(REASONS)
    return codes


def assert_same(found, expected):
    for name, values in expected.items():
        if name != "scales":
            assert getattr(found, name).tobytes() == values.tobytes(), name
    for one, other in zip(found.scales, expected["scales"], strict=True):
        for name, values in other.items():
            got = getattr(one, name)
            if values is None:
                assert got is None
                continue
            assert (got.dtype, got.tobytes()) == (values.dtype, values.tobytes()), (one.scale, name)


@every_form
@given(
    forms=st.integers(0, 40),
    blank=st.sampled_from([0, 0.02, 0.2, 0.7]),
    seed=st.integers(0, 2**32 - 1),
    ways=st.tuples(
        st.sampled_from([1, 3, 16, score_step.BLOCK]),
        st.sampled_from([0, 10, states.FEW]),
        st.integers(1, 3),
    ),
)
@settings(max_examples=10)
def test_scores_are_those_of_each_form_by_itself_to_the_bit_in_any_block_and_thread(
    score_each, instrument, informant, forms, blank, seed, ways
):
    plan = compile_form(instrument, informant)
    codes = answers(plan, forms, blank, seed)
    block, few, threads = ways
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_step, "BLOCK", block)
        patch.setattr(states, "FEW", few)
        found = score_step.score_forms(plan, codes, None, threads)
    assert_same(found, score_each(plan, codes))


def test_more_forms_than_a_block_holds_have_the_scores_of_each_form_by_itself(score_each):
    plan = compile_form(shipped_library().instrument("sdq@1").definition, Informant.PARENT)
    codes = answers(plan, score_step.BLOCK + 9, 0.1, 5)
    assert_same(score_step.score_forms(plan, codes, None, 2), score_each(plan, codes))
