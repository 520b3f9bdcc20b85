"""Which pupils a definition concerns is told from the ledger alone."""

import pytest

from mhscreen.problems import UsageError
from mhscreen.review.affected import affected_pupils


def pupils(ref, entries):
    return [one.pupil_ref for one in affected_pupils(ref, entries)]


@pytest.fixture(scope="module")
def entries(school):
    return list(
        school.screen(
            school.pupil("J1"),
            school.pupil("J2", forms={"phqa": None, "phq9": school.calm("phq9")}),
            school.pupil("P1", stage="primary", grade=2),
            school.pupil("P2", stage="primary", grade=2, forms={"sdq@teacher": None}),
        ).entries
    )


@pytest.mark.parametrize(
    "ref, expected",
    [
        ("phq9@1.0.0", ["J2"]),
        ("phq9@1", ["J2"]),
        ("phq9", ["J2"]),
        ("phq9@1.0", ["J2"]),
        ("phq9@1.1.0", []),
        ("phqa@1.0.0", ["J1", "J2"]),
        ("gad7@1.0.0", ["J1", "J2"]),
        ("sdq@1.0.0", ["P1", "P2"]),
        ("sdq/shanghai-teacher@1.0.0", ["P1"]),
        ("three-tier-cn@1.0.0", ["J1", "J2", "P1", "P2"]),
        ("qingdao-2023@1", ["J1", "J2", "P1", "P2"]),
        ("qingdao-2023@2", []),
        ("gad", []),
    ],
)
def test_pupils_are_listed_whose_entry_rests_on_it(entries, ref, expected):
    assert pupils(ref, entries) == expected


def test_a_required_form_that_is_absent_is_told_from_one_that_was_handed_in(entries):
    assert [one.filed for one in affected_pupils("phqa@1.0.0", entries)] == [True, False]


def test_an_entry_that_another_has_replaced_does_not_count(school):
    with_phq9 = school.screen(school.pupil(forms={"phq9": school.calm("phq9")})).entries
    without = school.screen(school.pupil()).entries
    assert pupils("phq9", [*with_phq9, *without]) == []
    assert pupils("phq9", [*without, *with_phq9]) == ["A1"]


def test_a_pupil_is_listed_for_each_cycle(school):
    cycles = [
        entry
        for at in ("2026-10-15", "2027-03-15")
        for entry in school.screen(school.pupil(), at=at).entries
    ]
    found = affected_pupils("gad7", cycles)
    assert [one.cycle_id[-6:] for one in found] == ["autumn", "spring"]


@pytest.mark.parametrize("ref", ["", "phq9@self", "PHQ9", "phq9@1.0.0.0", "phq9@"])
def test_what_is_no_reference_is_refused(ref):
    with pytest.raises(UsageError, match="names no definition"):
        affected_pupils(ref, [])
