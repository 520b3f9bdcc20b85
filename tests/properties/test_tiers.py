"""Whatever is answered: evidence only raises, and no answer never rules anything out."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mhscreen import screen
from mhscreen.vocabulary import Tier

EXAMPLES = settings(max_examples=60)
HIDES = {"none", "watch"}


def rank(tier):
    return Tier(tier).position


def closed(school, slot, item, answers):
    """Say whether an item stands behind a gate that the answers close."""
    form = school.form(slot)
    row = form.row(item)
    for gate in form.gates:
        if row in gate.rows:
            openers = [form.items[r] for r, _ in gate.openers]
            given_ = [answers.get(o.id) for o in openers]
            return all(code == o.codes[0] for code, o in zip(given_, openers, strict=True))
    return False


def entry(school, pupil):
    return next(iter(school.screen(pupil).entries))


def with_form(pupil, slot, form):
    return pupil | {"forms": pupil["forms"] | {slot: form}}


def filed(pupil):
    return sorted(slot for slot, form in pupil["forms"].items() if isinstance(form, dict))


@given(st.data())
@EXAMPLES
def test_a_worse_answer_never_lowers_the_established_tier(school, made_up, data):
    pupil = data.draw(made_up.pupil())
    assume(filed(pupil))
    slot = data.draw(st.sampled_from(filed(pupil)))
    signs = school.worse(slot)
    form = pupil["forms"][slot]
    movable = [
        item for item, code in form.items()
        if signs[item] and code is not None and code != school.codes(slot, item)[-1]
    ]  # fmt: skip
    assume(movable)
    item = data.draw(st.sampled_from(sorted(movable)))
    codes = school.codes(slot, item)
    worse = data.draw(st.sampled_from(codes[codes.index(form[item]) + 1 :]))
    before = entry(school, pupil)
    after = entry(school, with_form(pupil, slot, form | {item: worse}))
    assert rank(after["established_tier"]) >= rank(before["established_tier"])
    assert rank(after["possible_tier"]) >= rank(before["possible_tier"])


@given(st.data())
@EXAMPLES
def test_answering_a_blank_stays_within_what_was_possible(school, made_up, data):
    pupil = data.draw(made_up.pupil())
    assume(filed(pupil))
    slot = data.draw(st.sampled_from(filed(pupil)))
    form = pupil["forms"][slot]
    blank = [
        item.id for item in school.form(slot).items
        if form.get(item.id) is None and not closed(school, slot, item.id, form)
    ]  # fmt: skip
    assume(blank)
    item = data.draw(st.sampled_from(blank))
    answer = data.draw(st.sampled_from(school.codes(slot, item)))
    before = entry(school, pupil)
    after = entry(school, with_form(pupil, slot, form | {item: answer}))
    assert rank(after["established_tier"]) <= rank(before["possible_tier"])
    assert rank(after["possible_tier"]) <= rank(before["possible_tier"])
    if "estimated" not in before["flags"]:
        assert rank(after["established_tier"]) >= rank(before["established_tier"])


@given(st.data())
@EXAMPLES
def test_established_and_possible_are_the_rules_on_the_lowest_and_highest_completion(
    school, made_up, data
):
    pupil = data.draw(made_up.pupil(duplicates=False))
    before = entry(school, pupil)
    ends = []
    for end in (0, -1):
        forms = {}
        required = school.required[pupil["stage"], pupil["grade"]]
        for slot in {*pupil["forms"], *required}:
            form = pupil["forms"].get(slot, {})
            known = {key: code for key, code in form.items() if code is not None}
            filled = {
                item.id: school.codes(slot, item.id)[end]
                for item in school.form(slot).items
                if item.id not in known and not closed(school, slot, item.id, form)
            }
            if end == 0:  # nothing that opens a gate: what stands behind it is not asked
                gated = {
                    school.form(slot).items[r].id for g in school.form(slot).gates for r in g.rows
                }
                whole = known | filled
                filled = {
                    key: code for key, code in filled.items()
                    if key not in gated or not closed(school, slot, key, whole)
                }  # fmt: skip
            else:
                overall = {"overall": 3} if "overall" in filled else {}
                filled |= overall
            forms[slot] = known | filled
        ends.append(rank(entry(school, pupil | {"forms": forms})["established_tier"]))
    lowest, highest = ends
    assert highest == rank(before["possible_tier"])
    assert lowest <= rank(before["established_tier"]) <= highest
    if "estimated" not in before["flags"]:
        assert lowest == rank(before["established_tier"])


@given(st.data())
@EXAMPLES
def test_a_further_form_never_lowers_a_tier(school, made_up, data):
    pupil = data.draw(made_up.pupil())
    slot = data.draw(st.sampled_from([*sorted(pupil["forms"]), "phq9", "asq", "observer@teacher"]))
    extra = data.draw(made_up.form(slot))
    there = pupil["forms"].get(slot, [])
    forms = [*(there if isinstance(there, list) else [there]), extra]
    before = entry(school, pupil)
    after = entry(school, with_form(pupil, slot, forms))
    assert rank(after["established_tier"]) >= rank(before["established_tier"])
    if there or slot not in school.required[pupil["stage"], pupil["grade"]]:
        assert rank(after["possible_tier"]) >= rank(before["possible_tier"])


@given(st.data())
@EXAMPLES
def test_a_blank_critical_item_never_ends_as_none_or_watch(school, made_up, data):
    pupil = data.draw(made_up.pupil())
    slots = [slot for slot in filed(pupil) if school.form(slot).critical]
    assume(slots)
    slot = data.draw(st.sampled_from(slots))
    form = pupil["forms"][slot]
    items = [c.item for c in school.form(slot).critical if not closed(school, slot, c.item, form)]
    item = data.draw(st.sampled_from(items))
    assert entry(school, with_form(pupil, slot, form | {item: None}))["screen_tier"] not in HIDES


@given(st.data())
@EXAMPLES
def test_what_is_shown_never_hides_what_is_established_or_open(school, made_up, data):
    found = entry(school, data.draw(made_up.pupil()))
    established, possible, shown = (
        found[f"{kind}_tier"] for kind in ("established", "possible", "screen")
    )
    assert rank(established) <= rank(possible)
    if rank(established) >= rank("general"):
        assert shown == established
    elif shown in HIDES:
        assert shown == established
        assert rank(possible) < rank("general")
        assert not {"invalid", "error", "identity"} & set(found["flags"])
        assert "unanswered" not in {c["state"] for c in found["critical_items"]}
    if shown == "not_screened":
        assert not found["tier_reasons"]
        required = [form for form in found["instruments"] if form["use"] == "required"]
        assert not any(form["filed"] for form in required)


@given(st.data())
@settings(max_examples=40)
def test_splitting_and_shuffling_a_batch_changes_no_byte_of_any_pupil(school, made_up, data):
    pupils = data.draw(made_up.pupils())
    subjects = [pupil["subject"] for pupil in pupils]
    lines = list(school.screen(*pupils).entries.lines())
    assert len(lines) == len(pupils)
    assert list(school.screen(*pupils).entries.lines()) == lines
    whole = dict(zip(subjects, lines, strict=True))
    order = data.draw(st.permutations(range(len(pupils))))
    cut = data.draw(st.integers(0, len(pupils)))
    for part in (order[:cut], order[cut:]):
        if part:
            found = school.screen(*(pupils[place] for place in part)).entries.lines()
            assert list(found) == [whole[subjects[place]] for place in part]
    roster, responses = school.frames(pupils)
    shuffled = {}
    for slot in data.draw(st.permutations(sorted(responses))):
        columns = responses[slot]
        rows = data.draw(st.permutations(range(len(columns["subject"]))))
        shuffled[slot] = {name: [values[row] for row in rows] for name, values in columns.items()}
    again = screen(
        school.plan, roster=roster, responses=shuffled, at=school.at, on_problem="report"
    )
    assert list(again.entries.lines()) == lines


NOISE = st.one_of(
    st.none(), st.text(max_size=4), st.integers(-2, 9), st.floats(), st.booleans(),
    st.sampled_from(["几乎每天", " 3", "２", "NA", "yes", "1.5", "refused"]),
)  # fmt: skip


@given(st.data())
@EXAMPLES
def test_every_pupil_on_the_roster_has_exactly_one_entry_whatever_comes_in(school, data):
    subjects = data.draw(
        st.lists(st.sampled_from(["A1", "A2", "A3", " A1 ", "", None, 7]), min_size=1, max_size=6)
    )
    rows = len(subjects)

    def column(values):
        return data.draw(st.lists(values, min_size=rows, max_size=rows))

    roster = {
        "subject": subjects,
        "school": column(NOISE),
        "stage": column(st.sampled_from(["junior", "小学", "primary", "x", None])),
        "grade": column(st.sampled_from([1, 8, "初二", 99, None, 5.5])),
        "sex": column(NOISE),
        "birth_date": column(NOISE),
    }
    whose = data.draw(st.lists(st.sampled_from(["A1", "A2", "A9", None]), max_size=5))
    items = data.draw(st.lists(st.sampled_from([f"q{n}" for n in range(1, 10)]), unique=True))
    answers = {
        "subject": whose,
        **{
            f"phqa_{item}": data.draw(st.lists(NOISE, min_size=len(whose), max_size=len(whose)))
            for item in items
        },
    }
    result = screen(
        school.plan, roster=roster, responses={"phqa": answers}, at=school.at, on_problem="report"
    )
    expected = []
    for row, subject in enumerate(subjects, start=1):
        name = f"roster:{row}" if subject in {None, ""} else str(subject).strip()
        if name not in expected:
            expected.append(name)
    entries = list(result.entries)
    assert [found["pupil_ref"] for found in entries] == expected
    for found in entries:
        assert found["screen_tier"] not in HIDES
    strangers = (
        set() if result.unmatched is None else set(result.unmatched.triage.subjects.tolist())
    )
    assert {"A1", "A2", "A9"} & set(whose) <= strangers | set(expected)
    for problem in result.problems:
        assert "几乎每天" not in str(problem)


@pytest.mark.parametrize("slot", ["mht", "phqa", "gad7"])
def test_items_of_validity_indices_never_change_the_established_tier(school, slot):
    validity = {
        school.form(slot).items[row].id
        for scale in school.form(slot).scales if not scale.content for row in scale.rows
    }  # fmt: skip
    rng = np.random.default_rng(2)
    for _ in range(5):
        changed = {item: int(rng.integers(2)) for item in validity}
        assert school.tiers(forms={slot: school.calm(slot, **changed)})[0] == "none"
