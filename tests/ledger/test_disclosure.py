"""Who may see what: a field that is not listed is hidden, whatever it is."""

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen.entries.pseudonyms import is_pseudonym
from mhscreen.entries.schema import MODELS, field_paths
from mhscreen.ledger.cases import Action, Case, Cases, Decision
from mhscreen.ledger.disclosure import _ANSWERS, _is_answer, _pick, disclose
from mhscreen.ledger.record import complete_draft
from mhscreen.problems import UsageError
from mhscreen.vocabulary import (
    CaseStatus,
    Concern,
    ConsentState,
    EntryType,
    Role,
    ScreenTier,
    Tier,
)

NOW = dt.datetime(2026, 10, 20, 9, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
DAY = dt.timedelta(days=1)
KEY = bytes(range(32))
ORG = {
    "city": "Q", "district": "D", "school": "S", "stage": "junior", "grade": 8, "class": "3",
}  # fmt: skip
PLACES = {
    "school": {"school": "S"},
    "class": {"school": "S", "class": "3"},
    "grade": {"school": "S", "grade": 8},
    "district": {"district": "D"},
    "city": {"city": "Q"},
    "pupil": {"pupil": "A1"},
}
NOTE = "只有心理教师可见的记录"


def case(pupil="A1", **fields):
    empty = {field.name: None for field in dataclasses.fields(Case)}
    lists = dict.fromkeys(
        ("to_confirm", "decisions", "known", "actions", "flags", "problem_classes", "concerns",
         "problems"), (),
    )  # fmt: skip
    some = {
        "pupil_ref": pupil, "entries": ("e",), "org": ORG, "screen_tier": ScreenTier.NONE,
        "current": {},
        "status": CaseStatus.NO_CASE, "consent": (ConsentState.UNKNOWN, ConsentState.UNKNOWN),
    }  # fmt: skip
    return Case(**{**empty, **lists, **some, **fields})


def action(name, by, *, does=EntryType.INTERVIEW, due=NOW + DAY, **fields):
    return Action(name, does, by, NOW - DAY, due, "e", **fields)


def decision(tier, at=NOW - DAY):
    return Decision(tier, "e", "t-07", "psych_teacher", "interview", "confirmed", None, at)


URGENT = {
    "screen_tier": ScreenTier.SEVERE,
    "status": CaseStatus.OPEN,
    "actions": (action("see_pupil", Role.ON_DUTY),),
    "concerns": (Concern.SUICIDE_IDEATION,),
}
MAJOR = {
    "case_tier": Tier.MAJOR,
    "status": CaseStatus.IN_INTERVENTION,
    "decisions": (decision(Tier.MAJOR),),
}


@pytest.fixture(scope="module")
def enter(plan):
    def entered(kind, **fields):
        draft = {
            "entry_type": kind, "pupil_ref": "A1", "author": "t-07", "role": "psych_teacher",
            "occurred_at": NOW.isoformat(), "note": NOTE, **fields,
        }  # fmt: skip
        return complete_draft(draft, plan.programme, org=ORG, recorded_at=NOW)

    return entered


@pytest.fixture(scope="module")
def file(school, enter):
    """A pupil's entries: a screening with item 9 of the PHQ-A answered, and what people wrote."""
    screening = school.one(forms={"phqa": school.calm("phqa", q9=2)})
    asked = [{"about": "suicide_ideation", "answer": "yes"}]
    interview = enter(
        "interview", channel="in_person", asked=asked, conclusion="refer", ratings={"family": 2}
    )
    return [screening, interview, enter("talk", channel="in_person")]


@pytest.fixture(scope="module")
def see(plan):
    def seen(role, entries=(), *cases, **options):
        within = next(one.within for one in plan.programme.disclosure if role in one.roles)
        options = {"at": PLACES[within], "on": NOW, **options}
        if role is Role.GUARDIAN:
            options.setdefault("released_by", "t-07")
        folded = Cases({one.pupil_ref: one for one in cases})
        return disclose(folded, entries, plan.programme, role, **options)

    return seen


def text(view):
    return json.dumps(dataclasses.asdict(view), ensure_ascii=False, default=str)


def test_the_class_teacher_is_asked_to_bring_a_pupil_and_not_told_why(see, file):
    (pupil,) = see(Role.CLASS_TEACHER, file, case(**URGENT)).pupils
    assert [one["instruction"] for one in pupil.case["instructions"]] == ["please_bring"]
    assert pupil.entries == ()
    words = text(pupil)
    assert not any(secret in words for secret in ("severe", "suicide", "phqa", NOTE))


def test_the_class_teacher_stays_with_a_pupil_in_danger_now(see):
    stay = action("stay_with_pupil", Role.ON_DUTY, does=EntryType.INTERVENTION, due=NOW)
    one = case(**{**URGENT, "actions": (stay, *URGENT["actions"])})
    (pupil,) = see(Role.CLASS_TEACHER, [], one).pupils
    assert [x["instruction"] for x in pupil.case["instructions"]] == ["stay_with", "please_bring"]


def test_the_class_teacher_watches_a_pupil_with_a_case_and_sees_no_tier(see):
    watched = case(case_tier=Tier.GENERAL, status=CaseStatus.IN_INTERVENTION)
    (pupil,) = see(Role.CLASS_TEACHER, [], watched).pupils
    assert [one["instruction"] for one in pupil.case["instructions"]] == ["please_watch"]
    assert "general" not in text(pupil)


def test_pupils_about_whom_nothing_is_to_be_done_are_not_on_the_class_teachers_list(see):
    assert see(Role.CLASS_TEACHER, [], case()).pupils == ()


def test_a_class_teacher_sees_the_own_class_alone(see):
    other = case("B2", **URGENT, org={**ORG, "class": "4"})
    same_name = case("B3", **URGENT, org={**ORG, "school": "T"})
    seen = see(Role.CLASS_TEACHER, [], case(**URGENT), other, same_name).pupils
    assert [one.pupil_ref for one in seen] == ["A1"]


@pytest.mark.parametrize("role", [Role.CLASS_TEACHER, Role.PSYCH_TEACHER, Role.HEAD, Role.DISTRICT])
def test_nobody_sees_anything_without_saying_where_they_belong(see, role):
    with pytest.raises(UsageError, match="needs"):
        see(role, [], case(), at={})


def test_answers_and_notes_are_shown_to_the_psychology_teacher_where_they_are_named(see, file):
    (plain,) = see(Role.PSYCH_TEACHER, file, case()).pupils
    assert NOTE not in text(plain)
    assert '"answer"' not in text(plain)
    assert '"family": 2' not in text(plain)
    (named,) = see(Role.PSYCH_TEACHER, file, case(), named=("answers", "notes")).pupils
    assert NOTE in text(named)
    assert {"about": "suicide_ideation", "answer": "yes", "since": None} in (
        next(e for e in named.entries if e["entry_type"] == "interview")["asked"]
    )


@pytest.mark.parametrize("role", [Role.HEAD, Role.DEPUTY_HEAD, Role.LEADING_GROUP, Role.ON_DUTY])
def test_leaders_see_flags_and_never_an_answer_or_a_note_even_where_they_name_them(see, file, role):
    one = case(**URGENT)
    view = see(role, file, one, named=("answers", "notes"))
    assert [pupil.pupil_ref for pupil in view.pupils] == ["A1"]
    words = text(view)
    assert NOTE not in words
    assert "phqa.q9" not in words
    assert '"answer"' not in words
    assert view.pupils[0].case["screen_tier"] == "severe"


def test_leaders_see_pupils_with_a_flag_or_a_case(see):
    cases = [
        case("none"),
        case("unseen", screen_tier=ScreenTier.NOT_SCREENED),
        case("doubt", screen_tier=ScreenTier.UNDETERMINED),
        case("general", screen_tier=ScreenTier.GENERAL),
        case("treated", case_tier=Tier.WATCH, status=CaseStatus.IN_INTERVENTION),
    ]
    seen = see(Role.HEAD, [], *cases).pupils
    assert [one.pupil_ref for one in seen] == ["doubt", "general", "treated"]


def test_a_guardian_is_told_by_a_person_or_not_at_all(see):
    with pytest.raises(UsageError, match="released"):
        see(Role.GUARDIAN, [], case(), released_by=None)
    assert see(Role.GUARDIAN, [], case()).released_by == "t-07"


def test_word_to_the_guardian_is_held_where_the_pupil_may_have_been_harmed(see, enter):
    asked = [{"about": "abuse", "answer": "yes"}]
    told = enter("interview", channel="in_person", asked=asked, conclusion="team_review")
    for entries, one in (
        ([told], case()),
        ([], case(concerns=(Concern.ABUSE,))),
        ([], case(actions=(action("tell", Role.HEAD, to=Role.GUARDIAN, due=None, held=True),))),
    ):
        with pytest.raises(UsageError, match="held"):
            see(Role.GUARDIAN, entries, one)
    decided = enter("notification", to="guardian", channel="in_person", response="informed")
    assert see(Role.GUARDIAN, [told, decided], case()).pupils


def test_a_guardian_sees_the_own_child_alone_and_no_concern_or_score(see, file):
    view = see(Role.GUARDIAN, file, case(**{**URGENT, **MAJOR}), case("B2", **URGENT))
    (pupil,) = view.pupils
    assert pupil.case["case_tier"] == "major"
    assert pupil.entries == ()
    assert "suicide" not in text(view)


@pytest.mark.parametrize("role", [Role.DISTRICT, Role.CITY])
def test_district_and_city_see_a_major_case_once_a_consultation_is_opened(see, enter, role):
    def opened(**fields):
        fields = {"role": str(role), "purpose": "consultation", "approved_by": "h-01"} | fields
        return enter("access", **fields)

    def seen(entry, **fields):
        return see(role, [entry], case(**{**MAJOR, **fields}), key=KEY).pupils

    (pupil,) = seen(opened())
    assert is_pseudonym(pupil.pupil_ref)
    assert pupil.entries == ()
    assert not seen(opened(approved_by=None))
    assert not seen(opened(purpose="inspection"))
    assert not seen(opened(role="head"))
    assert not seen(opened(), decisions=(decision(Tier.SEVERE),), case_tier=Tier.SEVERE)
    assert not seen(opened(), case_tier=None, decisions=(), screen_tier=ScreenTier.MAJOR)
    assert not seen(opened(), decisions=(decision(Tier.MAJOR, NOW + DAY),))  # opened for an earlier


def test_nobody_leaves_the_school_under_the_schools_own_number(see, enter):
    entry = enter("access", role="district", purpose="consultation", approved_by="h-01")
    with pytest.raises(UsageError, match="key"):
        see(Role.DISTRICT, [entry], case(**MAJOR))


@pytest.mark.parametrize("role", [Role.HOSPITAL, Role.AUTHORITIES])
def test_a_role_that_the_programme_does_not_list_sees_nothing(plan, role):
    with pytest.raises(UsageError, match="shows nothing"):
        disclose(Cases({}), [], plan.programme, role, at={}, on=NOW)


@pytest.mark.parametrize("role", ["guardian", Role.GUARDIAN])
def test_a_role_by_its_code_is_the_role(plan, role):
    with pytest.raises(UsageError, match="released"):
        disclose(Cases({}), [], plan.programme, role, at={"pupil": "A1"}, on=NOW)


def test_what_is_no_role_or_cannot_be_named_is_refused(plan):
    with pytest.raises(UsageError, match="no role"):
        disclose(Cases({}), [], plan.programme, "parent", at={}, on=NOW)
    at = PLACES["school"]
    with pytest.raises(UsageError, match="answers and notes"):
        disclose(Cases({}), [], plan.programme, "head", at=at, on=NOW, named=("scores",))


def test_what_was_replaced_or_sealed_is_not_shown(see, enter):
    first = enter("talk", channel="phone")
    second = enter("talk", channel="visit", supersedes=first["entry_id"])
    sealed = {**enter("talk", channel="online"), "confidentiality": "sealed"}
    tombstone = {"entry_id": "x", "pupil_ref": "A1", "prev_hash": None, "hash": "y"}
    (pupil,) = see(Role.PSYCH_TEACHER, [second, first, sealed, tombstone], case()).pupils
    assert [one["channel"] for one in pupil.entries] == ["visit"]


def test_an_action_is_overdue_as_of_the_time_given(see):
    late = case(**{**URGENT, "actions": (action("see_pupil", Role.ON_DUTY, due=NOW - DAY),)})
    assert see(Role.HEAD, [], late).pupils[0].case["actions"][0]["overdue"] is True
    early = see(Role.HEAD, [], late, on=NOW - 2 * DAY)
    assert early.pupils[0].case["actions"][0]["overdue"] is False


# -- the allow-list -------------------------------------------------------------------------------


def test_a_field_that_no_list_names_is_hidden_from_everybody(plan, see, file):
    tagged = [{**entry, "later_field": "LATER", "org": {**entry["org"], "x": "LATER"}}
              for entry in file]  # fmt: skip
    for rules in plan.programme.disclosure:
        for role in rules.roles:
            view = see(role, tagged, case(**URGENT), named=("answers", "notes"), key=KEY)
            assert "LATER" not in text(view)


def test_only_the_psychology_teachers_list_has_answers_or_notes(plan):
    for rules in plan.programme.disclosure:
        found = {
            (kind, path)
            for kind, paths in rules.entries.items()
            for path in (*rules.head, *paths)
            if _is_answer(kind, path) or path == "note"
        }
        assert bool(found) == (rules.roles == (Role.PSYCH_TEACHER,))


def test_what_counts_as_an_answer_are_fields_that_entries_have():
    for kind, marks in _ANSWERS.items():
        for mark in marks:
            assert any(_is_answer(kind, path) for path in field_paths(kind)), mark


def test_free_text_of_every_type_of_entry_is_a_note():
    for kind, model in MODELS.items():
        if kind is not EntryType.SCREENING:
            assert "note" in model.model_fields


DOCUMENTS = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: (
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=12,
)
PATHS = st.lists(st.lists(st.sampled_from("abcd*"), min_size=1, max_size=3).map(tuple), max_size=4)


def leaves(value, path=()):
    """Return where the values of a document are; what holds nothing holds no value."""
    if isinstance(value, dict):
        return {p for name, one in value.items() for p in leaves(one, (*path, name))}
    if isinstance(value, list):
        return {p for one in value for p in leaves(one, path)}
    return {path}


@given(st.dictionaries(st.sampled_from("abcd"), DOCUMENTS), PATHS)
def test_picking_gives_exactly_the_values_at_or_below_a_listed_path(document, paths):
    def listed(place):
        return any(
            len(place) >= len(path)
            and all(a in ("*", b) for a, b in zip(path, place, strict=False))
            for path in paths
        )

    assert leaves(_pick(document, paths)) == {p for p in leaves(document) if listed(p)}
