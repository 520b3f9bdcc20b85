"""Forms that share a state have, to the bit, the scores that each would have by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen.kernels.codes import missing_code
from mhscreen.loading import shipped_library
from mhscreen.plan.scoring import compile_form
from mhscreen.steps.score import score_forms
from mhscreen.vocabulary import MissingReason

FORMS = [
    pytest.param(loaded.definition, informant, id=loaded.definition.slot(informant))
    for loaded in shipped_library().of_kind("instrument")
    for informant in loaded.definition.informants
]
every_shipped_form = pytest.mark.parametrize("instrument, informant", FORMS)
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


@every_shipped_form
@given(
    forms=st.integers(1, 40),
    blank=st.sampled_from([0, 0.02, 0.2, 0.7]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=8)
def test_scores_are_those_of_each_form_by_itself_to_the_bit(
    score_each, instrument, informant, forms, blank, seed
):
    plan = compile_form(instrument, informant)
    codes = answers(plan, forms, blank, seed)
    assert_same(score_forms(plan, codes), score_each(plan, codes))
