"""An answer is an option's place or the reason why there is none, and the two never meet."""

import numpy as np
import pytest

from mhscreen.kernels import codes as rc
from mhscreen.vocabulary import MissingReason


@pytest.mark.parametrize("reason", MissingReason)
def test_every_missing_reason_has_a_code_of_its_own_and_comes_back(reason):
    code = rc.missing_code(reason)
    assert rc.missing_reason(code) is reason
    assert 0 <= code <= 255
    assert code not in {rc.NOT_APPLICABLE, rc.COUNTED_BLANK}


def test_missing_reasons_differ():
    assert len({rc.missing_code(reason) for reason in MissingReason}) == len(MissingReason)


@pytest.mark.parametrize("reason", MissingReason)
def test_no_missing_reason_counts_as_an_answer(reason):
    code = np.array([rc.missing_code(reason)], dtype=np.uint8)
    assert not rc.is_answered(code)[0]
    assert rc.is_unanswered(code)[0]


def test_an_item_behind_a_closed_gate_is_neither_answered_nor_unanswered():
    code = np.array([rc.NOT_APPLICABLE], dtype=np.uint8)
    assert not rc.is_answered(code)[0]
    assert not rc.is_unanswered(code)[0]


def test_the_last_option_that_fits_is_an_answer():
    code = np.array([0, rc.FIRST_MISSING - 1], dtype=np.uint8)
    assert rc.is_answered(code).all()
