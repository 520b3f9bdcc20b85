"""A norm table, compiled: open ends where it asks for nothing, and errors in T units."""

import numpy as np
import pytest

from mhscreen.definitions.norm_table import Stratum
from mhscreen.plan.norming import ANY_SEX, _stratum
from mhscreen.vocabulary import Sex


def test_a_stratum_without_ages_and_grades_holds_every_age_and_grade():
    one = _stratum(Stratum(sex="any", mean_sd={"mean": 10.0, "sd": 5.0}))
    assert one.sex == ANY_SEX
    assert one.age == one.grade == (-np.inf, np.inf)
    assert (one.mean, one.sd) == (10, 5)


def test_bands_are_half_open():
    one = _stratum(
        Stratum.model_validate(
            {
                "sex": "female",
                "age": {"from": 11.0, "below": 18.0},
                "mean_sd": {"mean": 1.0, "sd": 2.0},
            }
        )
    )
    assert (one.sex, one.age) == (Sex.FEMALE.position, (11, 18))


@pytest.mark.parametrize("around, shrink", [("observed", 1), ("regressed", 0.84)])
def test_the_standard_error_follows_from_the_reliability(around, shrink):
    reliability = {
        "coefficient": "alpha", "value": 0.84, "sample": {"en": "x", "zh": "x"}, "around": around,
        "source": "s", "evidence": "one_source",
    }  # fmt: skip
    one = _stratum(Stratum(sex="any", mean_sd={"mean": 0.0, "sd": 1.0}, reliability=reliability))
    assert one.t_error == pytest.approx(4.0)
    assert one.shrink == shrink


def test_without_a_reliability_there_is_no_error_to_state():
    assert np.isnan(_stratum(Stratum(sex="any", mean_sd={"mean": 0.0, "sd": 1.0})).t_error)


def test_the_shipped_norm_is_shown_and_never_read_by_a_rule(plan):
    assert {norm.ref for norm in plan.norms} == {"sdq/shanghai-teacher@1.0.0"}
    assert not [leaf for leaf in plan.triage.leaves if leaf.kind == "derived"]


def test_a_norm_is_for_its_own_informant_only(plan):
    assert {plan.slots[norm.slot] for norm in plan.norms} == {"sdq@teacher"}
