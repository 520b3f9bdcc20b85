"""The same result has the same column names everywhere, and no two of them meet."""

import pytest

from mhscreen import score_instrument
from mhscreen.steps.result_columns import form_columns, triage_columns


@pytest.fixture
def archive(school):
    def of(**pupil):
        return triage_columns(school.screen(school.pupil(**pupil)).triage)

    return of


def test_the_validity_score_and_the_validity_of_the_form_are_two_columns():
    answers = {f"mht_{n}": [1, 0, None] for n in range(1, 101)}
    found = score_instrument("mht", answers)
    assert found["mht__validity"].tolist()[:2] == [10, 0]
    assert found["mht__form_validity"].tolist() == ["invalid", "valid", None]


def test_every_slot_has_columns_of_its_own(plan, answers_to_codes):
    from mhscreen.steps.score import score_forms

    names = [
        name
        for form in plan.forms
        for name in form_columns(form, score_forms(form, answers_to_codes(form, {})))
    ]
    expected = sum(
        4 * len(form.scales)
        + 3 * sum(bool(s.categories) for s in form.scales)
        + bool(form.validity)
        for form in plan.forms
    )
    assert len(names) == len(set(names)) == expected


def test_a_slot_without_a_form_has_no_number_and_nought_answered(archive):
    found = archive()
    assert found["dsrsc__total__answered"].tolist() == [0]
    for name in ("dsrsc__total", "dsrsc__total__low", "dsrsc__total__high"):
        assert found[name][0] != found[name][0]
    assert found["dsrsc__total__category"].cells() == [None]
    assert found["mht__form_validity"].cells() == ["valid"]


def test_rules_stand_with_the_highest_tier_first(archive, school):
    found = archive(forms={"phqa": school.calm("phqa", q1=3, q2=3, q9=3)})
    assert found["rules"].cells() == ["R3-item9-daily;R4-item9;R4-direct-ideation;R8-depression"]


def test_undecided_rules_and_flags_are_listed(archive, school):
    found = archive(forms={"phqa": school.calm("phqa", attempt_life=None)})
    assert found["undecided_rules"].cells() == ["R5-lifetime-attempt"]
    assert found["flags"].cells() == ["incomplete"]


def test_what_nobody_asked_about_stands_beside_every_tier(archive):
    assert archive()["not_asked"].cells() == ["suicide_plan;self_harm;harm_others;psychosis;abuse"]
