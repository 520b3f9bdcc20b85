"""Answers as they come in: understood or named as a problem, never guessed and never dropped."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mhscreen import bind
from mhscreen.kernels.codes import BLANK, ILLEGAL, NOT_PRESENTED
from mhscreen.problems import ResponseError, UsageError

PHQ9 = [f"q{n}" for n in range(1, 10)] + ["difficulty"]


@pytest.fixture
def batch(plan):
    """Bind forms of one pupil of the eighth grade; response by slot, or under another key."""

    def run(responses, *, on_problem="report", roster=None, columns=None, at="2026-10-15"):
        one = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]}
        people = one if roster is None else roster
        return bind(
            plan, roster=people, responses=responses, on_problem=on_problem, columns=columns, at=at
        )

    return run


@pytest.fixture
def read(batch, plan):
    """Return the response codes of the first GAD-7 or PHQ-9 form, by item."""

    def run(cells, slot="phq9", **options):
        found = batch({slot: {"subject": ["A1"], **cells}}, **options)
        place = plan.slot(slot)
        codes = found.forms[place].codes[:, 0].tolist()
        return dict(zip([item.id for item in plan.forms[place].items], codes, strict=True))

    return run


def codes_of(problems):
    return [problem.code for problem in problems]


# -- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "phq9_{n}",
        "PHQ9_{n:02d}",
        "phq9_{n:03d}",
        "phq9_q{n}",
        "Phq9-{n}",
        "ＰＨＱ９_{n}",
        " phq9 {n} ",
        "phq9.Q{n}",
        "q{n}",
    ],
)
def test_a_column_is_found_under_every_usual_spelling(read, name):
    columns = {name.format(n=n): [n % 4] for n in range(1, 10)} | {"difficulty": [0]}
    found = read(columns)
    assert [found[f"q{n}"] for n in range(1, 10)] == [n % 4 for n in range(1, 10)]


def test_a_pattern_says_how_columns_are_named(read):
    columns = {f"P{n:02d}": [n % 4] for n in range(1, 11)}
    found = read(columns, columns={"phq9": "P{number:02d}"})
    assert [found[f"q{n}"] for n in range(1, 10)] == [n % 4 for n in range(1, 10)]
    by_item = read({f"dep_{item}": [1] for item in PHQ9}, columns={"phq9": "dep_{item}"})
    assert {by_item[item] for item in PHQ9} == {1}


def test_an_explicit_map_says_how_columns_are_named(read):
    columns = {f"DPQ0{n}0": [n % 4] for n in range(1, 10)} | {"DPQ100": [2]}
    names = {f"DPQ0{n}0": f"q{n}" for n in range(1, 10)} | {"DPQ100": "difficulty"}
    found = read(columns, columns={"phq9": names}, on_problem="raise")
    assert [found[f"q{n}"] for n in range(1, 10)] == [n % 4 for n in range(1, 10)]


def test_a_map_to_an_item_that_does_not_exist_is_refused(read):
    with pytest.raises(UsageError, match="phq9 has no item q77"):
        read({"x": [1]}, columns={"phq9": {"x": "q77"}})


def test_a_missing_column_is_a_problem_and_leaves_the_item_unanswered(batch, read):
    columns = {f"phq9_{n}": [0] for n in range(1, 9)}
    problems = batch({"phq9": {"subject": ["A1"], **columns}}).problems
    assert [(p.code, p.path) for p in problems] == [("MH402", "phq9.q9")]
    assert read(columns)["q9"] == NOT_PRESENTED


def test_a_column_that_is_not_scored_may_be_left_out(read):
    columns = {f"phq9_{n}": [0] for n in range(1, 10)}
    assert read(columns, on_problem="raise")["difficulty"] == NOT_PRESENTED


def test_an_unknown_column_is_named_and_not_guessed(batch):
    columns = {f"phq9_{n}": [0] for n in range(1, 10)} | {"phq9_total": [27]}
    problems = batch({"phq9": {"subject": ["A1"], **columns}}).problems
    assert codes_of(problems) == ["MH403"]
    assert "phq9_total" in str(problems[0])


def test_two_columns_for_one_item_are_a_problem_and_neither_is_read(batch, plan):
    columns = {f"phq9_{n}": [0] for n in range(1, 10)} | {"phq9_q9": [3]}
    found = batch({"phq9": {"subject": ["A1"], **columns}})
    assert "MH404" in codes_of(found.problems)
    form = plan.forms[plan.slot("phq9")]
    assert found.forms[plan.slot("phq9")].codes[form.row("q9"), 0] > 200


def test_in_a_wide_frame_a_column_that_names_no_informant_is_not_read(batch, plan):
    found = batch({"wide": {"subject": ["A1"], "sdq_1": [2]}})
    assert codes_of(found.problems) == ["MH403"]
    assert not any(len(forms) for forms in found.forms)


def test_in_a_wide_frame_a_column_that_fits_two_informants_is_not_read(plan):
    one_name_for_both = {"sdq@parent": "sdq_{number}", "sdq@teacher": "sdq_{number}"}
    found = bind(
        plan,
        roster={"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [2]},
        responses={"wide": {"subject": ["A1"], "sdq_1": [2]}},
        columns=one_name_for_both,
        on_problem="report",
    )
    assert [str(problem) for problem in found.problems] == [
        (
            "wide: column 'sdq_1' fits more than once  [MH418 ambiguous-column]\n"
            "    expected: sdq@parent, sdq@teacher\n"
            "    hint:     name the questionnaire and informant"
        )
    ]
    assert not any(len(forms) for forms in found.forms)


def test_in_a_wide_frame_informants_are_told_apart(batch, plan):
    wide = {"subject": ["A1"]}
    wide |= {f"sdq_teacher_{n}": [1] for n in range(1, 34)}
    wide |= {f"SDQ_Parent_{n:02d}": [2] for n in range(1, 34)}
    found = batch({"wide": wide})
    assert len(found.forms[plan.slot("sdq@self")]) == 0
    assert set(found.forms[plan.slot("sdq@teacher")].codes[:25, 0].tolist()) == {1}
    assert set(found.forms[plan.slot("sdq@parent")].codes[:25, 0].tolist()) == {2}


def test_in_a_wide_frame_a_pupil_without_any_answer_in_a_slot_filed_no_form(batch, plan):
    wide = {"subject": ["A1", "A2"]} | {f"phq9_{n}": [0, None] for n in range(1, 10)}
    roster = {
        "subject": ["A1", "A2"],
        "school": ["S"] * 2,
        "stage": ["junior"] * 2,
        "grade": [8, 8],
    }
    found = batch({"wide": wide}, roster=roster)
    assert found.forms[plan.slot("phq9")].pupil.tolist() == [0]


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [2, 2.0, "2", " 2 ", "2.0", "２", "　２", "More than half the days", "more  than half the DAYS",
     "一半以上的天数", "一半以上天数", np.int64(2), np.float32(2)],
)  # fmt: skip
def test_an_answer_is_understood_as_code_or_label_in_either_language(read, answer):
    columns = {f"phq9_{item}": [0] for item in PHQ9} | {"phq9_q1": [answer]}
    assert read(columns, on_problem="raise")["q1"] == 2


@pytest.mark.parametrize(
    "answer", [1.5, "1.5", 4, -1, "7", "yes", True, "1;2", "not at all sure", "0x1", float("inf")]
)
def test_an_illegal_answer_is_unanswered_and_a_problem(read, answer):
    columns = {f"phq9_{item}": [0] for item in PHQ9} | {"phq9_q1": [answer]}
    assert read(columns)["q1"] == ILLEGAL


@pytest.mark.parametrize("answer", [None, float("nan"), "", "  ", "NA", "n/a", "NaN", "null", "."])
def test_a_blank_is_a_blank_and_no_problem(batch, read, answer):
    columns = {f"phq9_{item}": [0] for item in PHQ9} | {"phq9_q1": [answer]}
    assert read(columns, on_problem="raise")["q1"] == BLANK
    assert batch({"phq9": {"subject": ["A1"], **columns}}).problems == ()


@pytest.mark.parametrize(
    "answer, code", [(True, "1"), (False, "0"), ("是", "1"), ("否", "0"), ("Yes", "1"), ("N", "0")]
)
def test_true_and_false_answer_a_yes_no_question(read, plan, answer, code):
    form = plan.forms[plan.slot("asq")]
    columns = {f"asq_{n}": [0] for n in range(1, 6)} | {"asq_2": [answer]}
    assert read(columns, slot="asq", on_problem="raise")["q2"] == form.items[1].answers[code]


def test_none_is_a_word_and_not_a_blank_where_it_is_an_option(read, plan):
    form = plan.forms[plan.slot("observer@teacher")]
    columns = {f"observer_teacher_{item.id}": [0] for item in form.items[:-1]}
    found = read(columns | {"observer_teacher_raised_concern": ["none"]}, slot="observer@teacher")
    assert found["raised_concern"] == 0


def test_an_illegal_answer_refuses_the_batch_with_all_problems_at_once(batch):
    columns = {f"phq9_{item}": [0] for item in PHQ9} | {"phq9_q1": [7], "phq9_q2": [8]}
    with pytest.raises(ResponseError) as caught:
        batch({"phq9": {"subject": ["A1"], **columns}}, on_problem="raise")
    assert [p.path for p in caught.value.problems] == ["phq9.q1", "phq9.q2"]


def test_a_problem_says_where_it_is_and_withholds_the_answer(batch):
    columns = {f"phq9_{item}": [0, 0] for item in PHQ9} | {"phq9_q3": [0, "SECRET"]}
    (problem, *_) = batch({"phq9": {"subject": ["A1", "A1"], **columns}}).problems
    assert (problem.code, problem.row, problem.subject, problem.path) == (
        "MH401",
        2,
        "A1",
        "phq9.q3",
    )
    assert "0, 1, 2, 3" in problem.expected
    assert "SECRET" not in str(problem)
    assert "SECRET" not in repr(problem)


def test_neither_raise_nor_report_is_a_mistake_of_the_caller(batch):
    with pytest.raises(UsageError, match="on_problem"):
        batch({}, on_problem="ignore")


# -- forms and pupils -------------------------------------------------------------------------


def gad7(*subjects, **columns):
    rows = len(subjects)
    return {"subject": list(subjects), **{f"gad7_{n}": [1] * rows for n in range(1, 8)}, **columns}


def test_a_form_off_the_roster_is_kept_apart_under_its_own_reference(batch, plan):
    found = batch({"gad7": gad7("A1", "A10")})
    assert codes_of(found.problems) == ["MH407"]
    assert found.forms[plan.slot("gad7")].pupil.tolist() == [0]
    assert found.unmatched.roster.subject.tolist() == ["A10"]
    assert len(found.unmatched.forms[plan.slot("gad7")]) == 1


def test_a_form_off_the_roster_is_never_given_to_the_nearest_reference(batch, plan):
    found = batch({"gad7": gad7("a1", "A01", "A-1")})
    assert len(found.forms[plan.slot("gad7")]) == 0
    assert sorted(found.unmatched.roster.subject) == ["A-1", "A01", "a1"]


@pytest.mark.parametrize("written", ["A1", " A1 ", "Ａ１"])
def test_stray_blanks_and_full_width_letters_do_not_lose_a_pupil(batch, plan, written):
    assert len(batch({"gad7": gad7(written)}).forms[plan.slot("gad7")]) == 1


@pytest.mark.parametrize("roster, form", [(7, "7"), ("7", 7), (7.0, "7"), ("7", 7.0)])
def test_a_number_and_its_digits_are_the_same_subject(batch, plan, roster, form):
    people = {"subject": [roster], "school": ["S"], "stage": ["junior"], "grade": [8]}
    assert len(batch({"gad7": gad7(form)}, roster=people).forms[plan.slot("gad7")]) == 1


def test_leading_zeros_of_a_reference_are_kept(batch, plan):
    people = {
        "subject": ["007", "7"],
        "school": ["S"] * 2,
        "stage": ["junior"] * 2,
        "grade": [8, 8],
    }
    assert batch({"gad7": gad7("7", "007")}, roster=people).forms[
        plan.slot("gad7")
    ].pupil.tolist() == [1, 0]


def test_a_form_that_does_not_say_whose_it_is_is_kept(batch):
    found = batch({"gad7": gad7("A1", None)})
    assert codes_of(found.problems) == ["MH406"]
    assert len(found.unmatched.roster) == 1


def test_a_table_without_a_subject_column_is_kept_form_by_form(batch):
    columns = {f"gad7_{n}": [1, 2] for n in range(1, 8)}
    found = batch({"gad7": columns})
    assert "MH405" in codes_of(found.problems)
    assert len(found.unmatched.roster) == 2


@pytest.mark.parametrize("heading", ["学号", "Pupil", "SUBJECT"])
def test_the_subject_is_found_under_its_other_headings(batch, plan, heading):
    columns = gad7("A1")
    columns[heading] = columns.pop("subject")
    assert len(batch({"gad7": columns}).forms[plan.slot("gad7")]) == 1


def test_two_forms_of_one_pupil_are_both_kept_and_reported(batch, plan):
    found = batch({"gad7": gad7("A1", "A1")})
    assert codes_of(found.problems) == ["MH408", "MH408"]
    assert len(found.forms[plan.slot("gad7")]) == 2


def test_forms_of_one_slot_may_lie_in_two_tables(batch, plan):
    wide = {"subject": ["A1"], **{f"gad7_{n}": [2] for n in range(1, 8)}}
    assert len(batch({"gad7": gad7("A1"), "wide": wide}).forms[plan.slot("gad7")]) == 2


def test_a_form_of_another_stage_is_reported_and_kept(batch, plan):
    people = {"subject": ["A1"], "school": ["S"], "stage": ["primary"], "grade": [2]}
    found = batch({"gad7": gad7("A1")}, roster=people)
    assert codes_of(found.problems) == ["MH409"]
    assert len(found.forms[plan.slot("gad7")]) == 1


def test_a_slot_that_the_programme_does_not_name_is_a_problem(batch):
    (problem,) = batch({"cesd": {"subject": ["A1"], "q1": [1]}}).problems
    assert problem.code == "MH411"
    assert "sdq@teacher" in problem.expected


def test_an_empty_table_is_a_problem(batch):
    empty = {name: [] for name in gad7("A1")}
    assert codes_of(batch({"gad7": empty}).problems) == ["MH412"]


@pytest.mark.parametrize(
    "age, outside", [(10.9, True), (11, False), (18.9, False), (19, True), (None, False)]
)
def test_a_pupil_outside_the_ages_of_a_questionnaire_is_named_and_scored_all_the_same(
    batch, plan, age, outside
):
    people = {"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [6], "age": [age]}
    columns = {f"phqa_{n}": [1] for n in range(1, 14)}
    found = batch({"phqa": {"subject": ["A1"], **columns}}, roster=people, on_problem="raise")
    assert codes_of(found.problems) == (["MH417"] if outside else [])
    assert len(found.forms[plan.slot("phqa")]) == 1


# -- what a form says about itself ------------------------------------------------------------


@pytest.mark.parametrize(
    "written, moment",
    [
        ("2026-10-15", "2026-10-14T16:00:00"),
        ("2026-10-15 08:30", "2026-10-15T00:30:00"),
        ("2026/10/15 8:30", "2026-10-15T00:30:00"),
        ("2026年10月15日", "2026-10-14T16:00:00"),
        ("2026-10-15T08:30:00Z", "2026-10-15T08:30:00"),
        ("2026-10-15T08:30:00+09:00", "2026-10-14T23:30:00"),
        (pd.Timestamp("2026-10-15 08:30"), "2026-10-15T00:30:00"),
    ],
)
def test_a_time_without_a_zone_is_in_the_zone_of_the_programme(batch, plan, written, moment):
    frame = pd.DataFrame(gad7("A1", administered_on=[written]))
    found = batch({"gad7": frame}, on_problem="raise")
    assert found.forms[plan.slot("gad7")].administered_on.tolist() == [
        np.datetime64(moment).astype("M8[s]").astype(object)
    ]


@pytest.mark.parametrize(
    "written", ["15.10.2026", "2026-13-01", "yesterday", 20261015, "2026-10-15 25:00"]
)
def test_a_date_that_is_not_understood_counts_as_not_given(batch, plan, written):
    found = batch({"gad7": gad7("A1", administered_on=[written])})
    assert codes_of(found.problems) == ["MH413"]
    assert np.isnat(found.forms[plan.slot("gad7")].administered_on[0])


PEOPLE = {
    "subject": ["A1", "A2", "A3"], "school": ["S"] * 3, "stage": ["junior"] * 3, "grade": [8] * 3,
    "sex": ["male", "female", "female"], "birth_date": ["2013-01-02", "2013-02-03", "2013-02-03"],
    "class": ["8-1", "8-1", "8-2"],
}  # fmt: skip


def test_a_form_that_agrees_with_the_roster_raises_no_doubt(batch):
    columns = {"birth_date": ["2013/1/2"], "sex": ["男"], "class": ["8-1"]}
    found = batch({"gad7": gad7("A1", **columns)}, roster=PEOPLE)
    assert found.problems == ()
    assert not found.identity.any()


@pytest.mark.parametrize(
    "columns, doubted",
    [
        ({"sex": ["女"]}, ["A1"]),
        ({"birth_date": ["2013-02-03"]}, ["A1", "A2", "A3"]),
        ({"birth_date": ["2013-02-03"], "class": ["8-2"]}, ["A1", "A2", "A3"]),
        ({"birth_date": ["2001-01-01"]}, ["A1"]),
    ],
)
def test_a_form_that_disagrees_with_the_roster_puts_both_candidates_in_doubt(
    batch, columns, doubted
):
    found = batch({"gad7": gad7("A1", **columns)}, roster=PEOPLE)
    (problem,) = found.problems
    assert problem.code == "MH414"
    assert found.roster.subject[found.identity].tolist() == doubted
    for value in ("2013-02-03", "女"):
        assert value not in str(problem)


# -- long tables ------------------------------------------------------------------------------


def long(rows, **columns):
    names = ("subject", "instrument", "informant", "item", "response")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)} | columns


GAD7_ROWS = [("A1", "gad7", "self", n, n % 4) for n in range(1, 8)]


@pytest.mark.parametrize("item", ["{n}", "q{n}", "gad7_{n}", "GAD7_0{n}", "0{n}"])
def test_a_long_table_names_an_item_in_every_usual_way(batch, plan, item):
    rows = [("A1", "gad7", "self", item.format(n=n), n % 4) for n in range(1, 8)]
    found = batch({"long": long(rows)}, on_problem="raise")
    assert found.forms[plan.slot("gad7")].codes[:, 0].tolist() == [n % 4 for n in range(1, 8)]


def test_a_long_table_needs_no_informant_where_there_is_one(batch, plan):
    rows = [(s, i, None, n, r) for s, i, _, n, r in GAD7_ROWS]
    assert len(batch({"long": long(rows)}).forms[plan.slot("gad7")]) == 1


@pytest.mark.parametrize("row", [("A1", "cesd", "self", 1, 1), ("A1", "gad7", "self", 8, 1),
                                 ("A1", "gad7", "martian", 1, 1), ("A1", "sdq", None, 1, 1),
                                 ("A1", "gad7", "teacher", 1, 1)])  # fmt: skip
def test_a_long_row_that_names_nothing_known_is_a_problem(batch, row):
    found = batch({"long": long([*GAD7_ROWS, row])})
    assert [(p.code, p.row, p.subject) for p in found.problems] == [("MH415", 8, "A1")]
    assert found.roster.error.tolist() == [True]


def test_two_submissions_in_a_long_table_are_two_forms(batch, plan):
    rows = GAD7_ROWS + [(s, i, f, n, 0) for s, i, f, n, _ in GAD7_ROWS]
    times = ["2026-10-14"] * 7 + ["2026-10-15"] * 7
    found = batch({"long": long(rows, administered_on=times)})
    assert sorted(found.forms[plan.slot("gad7")].codes.sum(axis=0).tolist()) == [0, 12]


def test_an_item_answered_again_in_a_long_table_begins_a_second_form(batch, plan):
    for one, two in ((0, 3), (3, 0)):
        rows = [*GAD7_ROWS[1:], ("A1", "gad7", "self", 1, one), ("A1", "gad7", "self", 1, two)]
        found = batch({"long": long(rows)})
        assert codes_of(found.problems) == ["MH416", "MH408", "MH408"]
        codes = found.forms[plan.slot("gad7")].codes
        assert codes[0].tolist() == [one, two]
        assert (codes[1:, 1] == BLANK).all()


def test_a_pupil_in_a_long_table_does_not_depend_on_which_items_others_answered(batch, plan):
    alone = batch({"long": long(GAD7_ROWS[:5])})
    roster = {
        "subject": ["A1", "A2"],
        "school": ["S"] * 2,
        "stage": ["junior"] * 2,
        "grade": [8, 8],
    }
    others = [("A2", "gad7", "self", n, 1) for n in range(1, 8)]
    together = batch({"long": long(GAD7_ROWS[:5] + others)}, roster=roster)
    slot = plan.slot("gad7")
    np.testing.assert_array_equal(alone.forms[slot].codes[:, 0], together.forms[slot].codes[:, 0])


# -- wide, long and per slot ------------------------------------------------------------------


def test_the_same_answers_in_every_layout_are_the_same_batch(batch, plan):
    rng = np.random.default_rng(3)
    roster = {
        "subject": [f"A{n}" for n in range(8)],
        "school": ["S"] * 8,
        "stage": ["junior"] * 8,
        "grade": [8] * 8,
    }
    slots = ("gad7", "phq9")
    answers = {
        slot: rng.integers(0, 4, size=(len(plan.forms[plan.slot(slot)].items), 8)) for slot in slots
    }
    per_slot, wide, rows = {}, {"subject": roster["subject"]}, []
    for slot in slots:
        form = plan.forms[plan.slot(slot)]
        columns = {
            f"{slot}_{item.id}": answers[slot][row].tolist() for row, item in enumerate(form.items)
        }
        per_slot[slot] = {"subject": roster["subject"], **columns}
        wide |= columns
        rows += [
            (subject, slot, "self", item.id, int(answers[slot][row, column]))
            for row, item in enumerate(form.items)
            for column, subject in enumerate(roster["subject"])
        ]
    layouts = [per_slot, {"wide": wide}, wide, {"long": long(rows)}]
    batches = [batch(layout, roster=roster, on_problem="raise") for layout in layouts]
    for slot in slots:
        for found in batches:
            np.testing.assert_array_equal(found.forms[plan.slot(slot)].codes, answers[slot])
            assert found.forms[plan.slot(slot)].pupil.tolist() == list(range(8))


# -- many ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [pd.DataFrame, pa.table, dict])
def test_among_thousands_the_one_illegal_answer_duplicate_and_stranger_are_found(batch, plan, kind):
    pupils = [f"P-{n}" for n in range(6000)]
    everyone = {"school": ["S"] * 6000, "stage": ["junior"] * 6000, "grade": [8] * 6000}
    roster = kind({"subject": pupils, **everyone})
    order = np.random.default_rng(7).permutation(6000)
    subject = [pupils[n] for n in order]
    subject[10], subject[20], subject[30] = f" {subject[10]} ", subject[21], "stranger"
    answers = {"subject": subject} | {
        f"gad7_{n}": np.where(np.arange(6000) % 50 == n, None, np.arange(6000) % 4).tolist()
        for n in range(1, 8)
    }
    answers["gad7_3"][40] = 9
    found = batch({"gad7": kind(answers)}, roster=roster)
    slot = plan.slot("gad7")
    assert found.forms[slot].pupil.tolist() == [
        int(one.strip().removeprefix("P-")) for one in subject if one != "stranger"
    ]
    assert found.unmatched.roster.subject.tolist() == ["stranger"]
    said = [(problem.code, problem.row, problem.subject) for problem in found.problems]
    assert said == [
        ("MH401", 41, subject[40]),
        ("MH407", 31, "stranger"),
        ("MH408", 21, subject[21]),
        ("MH408", 22, subject[21]),
    ]
    codes = np.insert(found.forms[slot].codes, 30, found.unmatched.forms[slot].codes[:, 0], axis=1)
    expected = [
        [BLANK if one is None else one for one in answers[f"gad7_{n}"]] for n in range(1, 8)
    ]
    expected[2][40] = ILLEGAL
    assert codes[:7].tolist() == expected


def test_of_a_flood_of_problems_some_are_named_and_all_are_counted(batch):
    strangers = [f"Q-{n}" for n in range(5000)]
    found = batch({"gad7": gad7(*strangers)})
    told = [problem for problem in found.problems if problem.code == "MH407"]
    assert len(told) == 11
    assert told[-1].what == "not on the roster … and 4990 more rows"
    assert found.unmatched.roster.subject.tolist() == strangers
