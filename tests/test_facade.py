"""The façade: the kind of frame that goes in comes out, and every layout gives the same result."""

import ast
import importlib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mhscreen as mh
from mhscreen.loading.library import make_library
from mhscreen.problems import DefinitionError, ResponseError, UsageError

PHQ9 = {f"phq9_{n}": [n % 4, 0, None] for n in range(1, 10)}
PHQ9_TOTALS = [sum(n % 4 for n in range(1, 10)), 0, None]

KINDS = {
    "pandas": (pd.DataFrame, pd.DataFrame),
    "polars": (pl.DataFrame, pl.DataFrame),
    "lazy polars": (lambda cells: pl.DataFrame(cells).lazy(), pl.LazyFrame),
    "arrow": (pa.table, pa.Table),
    "dict": (dict, dict),
}


def cells(frame):
    """Return the columns of any frame as lists, None where nothing stands."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pl.DataFrame):
        frame = frame.to_arrow()
    columns = (
        frame.to_pydict() if isinstance(frame, pa.Table) else {k: list(frame[k]) for k in frame}
    )
    return {
        name: [None if value is None or value != value else value for value in values]  # noqa: PLR0124
        for name, values in columns.items()
    }


# -- one questionnaire ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_scores_come_back_in_the_kind_of_frame_that_the_answers_came_in(kind):
    make, expected = KINDS[kind]
    scores = mh.score_instrument("phq9@1", make(PHQ9))
    assert type(scores) is expected
    found = cells(scores)
    assert found["phq9__total"] == PHQ9_TOTALS
    assert found["phq9__total__answered"] == [9, 9, 0]
    assert found["phq9__total__low"] == found["phq9__total__high"] == PHQ9_TOTALS
    assert found["phq9__total__category"] == ["moderate", "minimal", None]


def test_scores_stand_row_for_row_beside_the_answers():
    frame = pd.DataFrame(PHQ9, index=["x", "z", "y"]).iloc[::-1]
    scores = mh.score_instrument("phq9", frame)
    joined = frame.join(scores)
    assert joined["phq9__total"].fillna(-1).tolist() == [-1, 0, PHQ9_TOTALS[0]]


def test_the_subject_stands_in_the_result_where_the_frame_has_it():
    scores = mh.score_instrument("phq9", pd.DataFrame({"subject": ["a", "b", "c"], **PHQ9}))
    assert scores.columns[0] == "subject"
    assert scores["subject"].tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "item9, positive, unanswered", [(0, "", ""), (1, "q9", ""), (None, "", "q9")]
)
def test_a_critical_item_is_named_beside_whatever_score(item9, positive, unanswered):
    answers = {name: [0] for name in PHQ9} | {"phq9_9": [item9]}
    found = mh.score_instrument("phq9", answers)
    assert found["phq9__critical_items"].tolist() == [positive]
    assert found["phq9__critical_open"].tolist() == [unanswered]


def test_one_form_alone_has_the_scores_that_it_has_in_a_batch():
    frame = pd.DataFrame(PHQ9)
    together = mh.score_instrument("phq9", frame)
    for row in range(3):
        alone = mh.score_instrument("phq9", frame.iloc[[row]])
        assert cells(alone) == cells(together.iloc[[row]])


def test_an_empty_frame_has_columns_and_no_rows():
    scores = mh.score_instrument("phq9", pd.DataFrame({name: [] for name in PHQ9}))
    assert len(scores) == 0
    assert "phq9__total__category" in scores


@pytest.mark.parametrize("name", ["phq9_{n}", "PHQ9_{n:02d}", "phq9_q{n}", "Q{n}"])
def test_columns_are_found_under_every_usual_spelling(name):
    frame = {name.format(n=n): [n % 4] for n in range(1, 10)}
    assert mh.score_instrument("phq9", frame)["phq9__total"].tolist() == PHQ9_TOTALS[:1]


@pytest.mark.parametrize(
    "columns", ["dep{number:02d}", {f"dep{n:02d}": f"q{n}" for n in range(1, 10)}]
)
def test_columns_are_found_by_a_pattern_or_a_map(columns):
    frame = {f"dep{n:02d}": [n % 4] for n in range(1, 10)} | {"city": ["Qingdao"]}
    found = mh.score_instrument("phq9", frame, columns=columns)
    assert found["phq9__total"].tolist() == PHQ9_TOTALS[:1]


def test_labels_of_either_language_and_codes_may_be_mixed():
    answers = [
        "Nearly every day",
        "几乎每天",
        "３",
        " 3 ",
        3,
        3.0,
        "3.0",
        "NEARLY EVERY DAY",
        "几乎天天",
    ]
    frame = {f"phq9_{n}": [answer] for n, answer in enumerate(answers, start=1)}
    assert mh.score_instrument("phq9", frame)["phq9__total"].tolist() == [27]


def test_true_and_false_answer_yes_no_questions():
    frame = pd.DataFrame({f"mht_{n}": [n <= 15, False] for n in range(1, 101)})
    found = mh.score_instrument("mht", frame)
    assert found["mht__learning_anxiety"].tolist() == [15, 0]
    assert found["mht__learning_anxiety__category"].tolist() == ["high", "low"]


def test_columns_of_floats_as_pandas_makes_them_of_blanks_are_codes():
    frame = pd.DataFrame({f"phq9_{n}": [1.0, np.nan] for n in range(1, 10)})
    assert mh.score_instrument("phq9", frame)["phq9__total"].tolist()[0] == 9


def test_half_an_answer_is_refused_and_withheld():
    frame = pd.DataFrame({f"phq9_{n}": [1.5] for n in range(1, 10)})
    with pytest.raises(ResponseError) as caught:
        mh.score_instrument("phq9", frame)
    assert len(caught.value.problems) == 9
    assert "1.5" not in str(caught.value)


def test_an_illegal_answer_counts_as_unanswered_where_it_is_reported():
    frame = pd.DataFrame({f"phq9_{n}": [3 if n < 9 else 33] for n in range(1, 10)})
    found = mh.score_instrument("phq9", frame, on_problem="report").iloc[0]
    assert (
        found["phq9__total__answered"],
        found["phq9__total__low"],
        found["phq9__total__high"],
    ) == (8, 24, 27)


def test_the_informant_must_be_named_where_there_are_several():
    with pytest.raises(UsageError, match="self, parent, teacher"):
        mh.score_instrument("sdq", {"sdq_1": [1]})
    with pytest.raises(UsageError):
        mh.score_instrument("phq9", PHQ9, informant="teacher")


def test_the_informant_is_named_in_the_columns_exactly_where_there_are_several():
    frame = {f"sdq_{n}": [0] for n in range(1, 34)}
    found = mh.score_instrument("sdq@1", frame, informant="teacher")
    assert {
        "sdq_teacher__total",
        "sdq_teacher__total__low",
        "sdq_teacher__prosocial__category",
    } <= set(found)
    assert not [name for name in found if not name.startswith("sdq_teacher__")]


def test_answers_of_another_informant_are_not_taken():
    frame = {f"sdq_parent_{n}": [0] for n in range(1, 34)}
    with pytest.raises(ResponseError):
        mh.score_instrument("sdq@1", frame, informant="teacher")


def test_a_norm_gives_derived_scores_beside_the_raw_ones():
    frame = pd.DataFrame({f"sdq_{n}": [0, 0] for n in range(1, 34)})
    frame["sex"] = ["男", "F"]
    frame["birth_date"] = ["2018-10-15", "2018-10-16"]
    found = mh.score_instrument(
        "sdq", frame, informant="teacher", norm="sdq/shanghai-teacher@1", at="2026-10-15"
    )
    assert {"sdq_teacher__total__t", "sdq_teacher__total__z", "sdq_teacher__total__t_low"} <= set(
        found
    )
    assert found["sdq_teacher__total__stratum"].tolist() == [0, 1]


def test_an_unknown_instrument_is_refused_with_a_code():
    with pytest.raises(DefinitionError) as caught:
        mh.score_instrument("phq99", PHQ9)
    assert [p.code for p in caught.value.problems] == ["MH301"]


@pytest.mark.parametrize("ref", ["phq9", "phq9@1", "phq9@1.0", "phq9@1.0.0"])
def test_a_version_is_found_by_its_beginning(ref):
    assert mh.score_instrument(ref, PHQ9)["phq9__total__answered"].tolist() == [9, 9, 0]


# -- the chain --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def district(plan):
    """A simulated district with some answers taken away; made once."""
    return mh.simulate(plan, 150, seed=4)


def converted(frames, make):
    return {name: make(frame.to_dict("list")) for name, frame in frames.items()}


@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_every_kind_of_frame_gives_the_same_entries_and_comes_back_as_itself(plan, district, kind):
    make, expected = KINDS[kind]
    roster, responses = district
    result = mh.screen(
        plan, roster=make(roster.to_dict("list")), responses=converted(responses, make),
        at="2026-10-15", on_problem="report",
    )  # fmt: skip
    usual = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    assert list(result.entries.lines()) == list(usual.entries.lines())
    assert type(mh.to_frame(result)) is expected


def test_the_chain_step_by_step_is_the_chain_at_once(plan, district):
    roster, responses = district
    batch = mh.bind(plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report")
    triage = mh.triage(plan, mh.norm(plan, mh.score(plan, batch)))
    entries = mh.emit(plan, triage, at="2026-10-15")
    at_once = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    assert list(entries.lines()) == list(at_once.entries.lines())


def wide_frame(roster, responses):
    frame = roster[["subject"]]
    for columns in responses.values():
        frame = frame.merge(columns.drop(columns="administered_on"), on="subject", how="left")
    return frame


def long_frame(plan, responses):
    rows = []
    for slot, columns in responses.items():
        form = plan.forms[plan.slot(slot)]
        melted = columns.drop(columns="administered_on").melt(id_vars="subject")
        melted["item"] = melted["variable"].str.removeprefix(form.prefix + "_")
        melted["instrument"], melted["informant"] = form.instrument, str(form.informant)
        rows.append(melted.rename(columns={"value": "response"}).drop(columns="variable"))
    return pd.concat(rows, ignore_index=True)


def test_answers_per_questionnaire_wide_and_long_give_the_same_tiers_and_scores(plan, district):
    roster, responses = district
    layouts = {
        "per slot": {s: f.drop(columns="administered_on") for s, f in responses.items()},
        "wide": wide_frame(roster, responses),
        "named wide": {"wide": wide_frame(roster, responses)},
        "long": {"long": long_frame(plan, responses)},
    }
    frames = [
        mh.to_frame(
            mh.screen(plan, roster=roster, responses=layout, at="2026-10-15", on_problem="report")
        )
        for layout in layouts.values()
    ]
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_one_pupil_alone_has_the_entry_that_the_pupil_has_in_the_batch(plan, district):
    roster, responses = district
    together = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    lines = dict(zip(roster["subject"], together.entries.lines(), strict=True))
    for subject in roster["subject"].iloc[::25]:
        own = {slot: frame[frame["subject"] == subject] for slot, frame in responses.items()}
        alone = mh.screen(
            plan, roster=roster[roster["subject"] == subject],
            responses={slot: frame for slot, frame in own.items() if len(frame)},
            at="2026-10-15", on_problem="report",
        )  # fmt: skip
        assert list(alone.entries.lines()) == [lines[subject]]


def test_an_archive_has_one_row_per_pupil_on_the_roster_in_its_order(plan, district):
    roster, responses = district
    archive = mh.to_frame(
        mh.screen(plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report")
    )
    assert archive["subject"].tolist() == roster["subject"].tolist()
    assert {
        "screen_tier",
        "established_tier",
        "possible_tier",
        "flags",
        "rules",
        "not_asked",
        "due_at",
        "phqa__total",
        "mht__validity",
        "mht__form_validity",
        "sdq_teacher__total__t",
    } <= set(archive.columns)
    without = archive[archive["phqa__total__answered"] == 0]
    assert len(without)
    scores = [c for c in archive if c.startswith("phqa__total") and not c.endswith("answered")]
    assert without[scores].isna().all(axis=None)


def test_the_same_seed_gives_the_same_district(plan):
    one, two = (mh.simulate(plan, 40, seed=9) for _ in range(2))
    pd.testing.assert_frame_equal(one[0], two[0])
    for slot in one[1]:
        pd.testing.assert_frame_equal(one[1][slot], two[1][slot])
    other, _ = mh.simulate(plan, 40, seed=10)
    assert not one[0].equals(other)


def test_a_problem_refuses_the_batch_unless_it_is_to_be_reported(plan, school):
    roster, responses = school.frames([school.pupil(forms={"phqa": school.calm("phqa", q1=9)})])
    with pytest.raises(ResponseError):
        mh.screen(plan, roster=roster, responses=responses, at="2026-10-15")
    result = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    assert [p.code for p in result.problems] == ["MH401"]
    assert len(result.entries) == 1


@pytest.mark.parametrize("at", ["soon", "15.10.2026", "", None])
def test_a_time_that_is_not_understood_is_refused(plan, school, at):
    roster, responses = school.frames([school.pupil()])
    with pytest.raises((UsageError, TypeError)):
        mh.screen(plan, roster=roster, responses=responses, at=at)


def test_everything_public_can_be_reached():
    for name in mh.__all__:
        if name != "explain":
            assert getattr(mh, name) is not None
    with pytest.raises(AttributeError):
        _ = mh.diagnose


def test_one_scale_is_read_by_its_slot_and_name(plan):
    roster, answers = mh.simulate(plan, 60, seed=3)
    batch = mh.bind(plan, roster=roster, responses=answers, at="2026-10-15", on_problem="report")
    normed = mh.norm(plan, mh.score(plan, batch))
    frame = mh.to_frame(normed)
    scale = normed.scores["gad7.total"]
    np.testing.assert_array_equal(scale.score, frame["gad7__total"])
    np.testing.assert_array_equal(scale.answered, frame["gad7__total__answered"])
    np.testing.assert_array_equal(normed["sdq@teacher.total"].t, frame["sdq_teacher__total__t"])


@pytest.mark.parametrize("name", ["gad7", "gad7.totals", "mood.total"])
def test_a_scale_that_does_not_exist_is_refused_with_what_there_is(plan, name):
    roster, answers = mh.simulate(plan, 5, seed=3)
    scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    with pytest.raises(mh.UsageError, match=r"there are|it has"):
        scores[name]


# -- what is refused --------------------------------------------------------------------------


SDQ_PARENT = {f"sdq_{n}": [0] for n in range(1, 34)}


def codes_of(caught):
    return {problem.code for problem in caught.value.problems}


@pytest.mark.parametrize(
    "ref, frame, informant, code",
    [
        ("sdq@1", SDQ_PARENT, "parent", "MH306"),
        ("sdq@1", SDQ_PARENT, "self", "MH306"),
        ("phq9", PHQ9, None, "MH201"),
    ],
)
def test_a_norm_is_applied_to_no_other_form_than_its_own(ref, frame, informant, code):
    with pytest.raises(DefinitionError) as caught:
        mh.score_instrument(ref, frame, informant=informant, norm="sdq/shanghai-teacher@1")
    assert codes_of(caught) == {code}


def withdrawn(library, kind, ref):
    """Return a library in which one definition is withdrawn."""
    one = getattr(library, kind)(ref)
    changed = one.with_definition(one.definition.model_copy(update={"withdrawn": "an error"}))
    return make_library(changed if other is one else other for other in library)


@pytest.mark.parametrize(
    "kind, ref", [("instrument", "sdq@1.0.0"), ("norm", "sdq/uk-teacher@1.0.0")]
)
def test_a_withdrawn_definition_is_not_scored_with(library, kind, ref):
    options = {"informant": "teacher", "norm": "sdq/uk-teacher@1.0.0"}
    mh.score_instrument("sdq@1.0.0", SDQ_PARENT, **options, library=library)
    with pytest.raises(DefinitionError, match="an error") as caught:
        mh.score_instrument(
            "sdq@1.0.0", SDQ_PARENT, **options, library=withdrawn(library, kind, ref)
        )
    assert [(p.code, p.what) for p in caught.value.problems] == [("MH304", f"{ref} is withdrawn")]


@pytest.mark.parametrize(
    "options, words",
    [
        ({"on_problem": "raize"}, "'raise' or 'report'"),
        ({"informant": "slef"}, "it has: self"),
        ({"columns": 9}, "str or Mapping is expected, not int"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused_when_scoring(options, words):
    with pytest.raises(UsageError, match=words):
        mh.score_instrument("phq9", PHQ9, **options)


@pytest.mark.parametrize(
    "n, options, words",
    [(5, {"on": "x"}, "^on: "), (-3, {}, "^n: "), (5, {"seed": -1}, "^seed: ")],
)
def test_a_district_that_cannot_be_meant_is_not_simulated(plan, n, options, words):
    with pytest.raises(UsageError, match=words):
        mh.simulate(plan, n, **options)


def test_any_mapping_says_how_columns_are_named(plan):
    names = MappingProxyType({f"dep{n}": f"q{n}" for n in range(1, 10)})
    frame = {f"dep{n}": [n % 4] for n in range(1, 10)}
    found = mh.score_instrument("phq9", frame, columns=names)
    assert found["phq9__total"].tolist() == PHQ9_TOTALS[:1]
    batch = mh.bind(
        plan,
        roster={"subject": ["A1"], "school": ["S"], "stage": ["junior"], "grade": [8]},
        responses={"phq9": {"subject": ["A1"], **frame}},
        columns=MappingProxyType({"phq9": names}),
        on_problem="report",
    )
    row = plan.forms[plan.slot("phq9")].row("q2")
    assert batch.forms[plan.slot("phq9")].codes[row].tolist() == [2]


@pytest.fixture(scope="module")
def steps(plan, district):
    """What each step gives, by its name."""
    roster, responses = district
    batch = mh.bind(plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report")
    scores = mh.score(plan, batch)
    normed = mh.norm(plan, scores)
    return {"score": batch, "norm": scores, "triage": normed, "emit": mh.triage(plan, normed)}


def run_step(step, plan, before):
    return getattr(mh, step)(plan, before, **({"at": "2026-10-15"} if step == "emit" else {}))


STEPS = ["score", "norm", "triage", "emit"]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_refuses_a_plan_that_is_not_the_one_of_the_step_before(plan, steps, step):
    other = replace(plan, pins={**plan.pins, "gad7@1.0.0": "sha256:0"})
    with pytest.raises(UsageError, match="not the plan that this was made with"):
        run_step(step, other, steps[step])
    assert run_step(step, replace(plan), steps[step]) is not None


@pytest.mark.parametrize(
    "step, kind",
    [
        ("score", "ResponseBatch"), ("norm", "Scores"), ("triage", "NormedScores"),
        ("emit", "Triage"),
    ],
)  # fmt: skip
def test_a_step_names_what_it_expected(plan, steps, step, kind):
    with pytest.raises(UsageError, match=f"{kind} is expected, not DataFrame"):
        run_step(step, plan, pd.DataFrame(PHQ9))
    with pytest.raises(UsageError, match="plan: Plan is expected, not Library"):
        run_step(step, mh.shipped_library(), steps[step])


@pytest.mark.parametrize("verb", ["bind", "screen", "simulate", "screen_files"])
def test_a_verb_names_what_it_expected_instead_of_a_library(library, verb):
    if verb == "simulate":
        with pytest.raises(UsageError, match="plan: Plan is expected, not Library"):
            mh.simulate(library, 5)
        return
    more = {"out": "out"} if verb == "screen_files" else {}
    with pytest.raises(UsageError, match="plan: Plan is expected, not Library"):
        getattr(mh, verb)(library, roster={}, responses={}, at="2026-10-15", **more)


# -- frames of entries and problems -----------------------------------------------------------


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow", "dict"])
def test_entries_come_back_as_flat_columns_one_row_each(plan, school, kind):
    make, expected = KINDS[kind]
    pupils = [
        school.pupil("A1", forms={"phqa": school.full("phqa")}),
        school.pupil("A2", forms=None),
    ]
    roster, responses = school.frames(pupils)
    result = mh.screen(
        plan, roster=make(roster), responses=responses, at=school.at, on_problem="report"
    )
    frame = mh.to_frame(result.entries)
    assert type(frame) is expected
    found = cells(frame)
    documents = list(result.entries)
    assert found["entry_id"] == [document["entry_id"] for document in documents]
    assert found["hash"] == [document["hash"] for document in documents]
    assert found["pupil_ref"] == ["A1", "A2"]
    assert found["grade"] == [8, 8]
    assert found["screen_tier"] == [document["screen_tier"] for document in documents]
    assert found["rules"][0].split(";") == [one["rule"] for one in documents[0]["tier_reasons"]]
    assert "phqa.q9" in found["critical_items"][0].split(";")
    assert (found["rules"][1], found["critical_items"][1]) == ("", "")
    assert found["policy"] == [plan.policy.ref] * 2


def test_no_entries_and_no_problems_are_frames_without_rows(plan, school):
    empty = {name: [] for name in school.frames([school.pupil()])[0]}
    result = mh.screen(plan, roster=empty, responses={}, at=school.at, on_problem="report")
    assert mh.to_frame(result.entries)["entry_id"] == []
    assert len(mh.to_frame([])) == 0
    assert "code" in mh.to_frame(())


def test_problems_come_back_one_row_each_in_the_kind_that_is_wanted(plan, school):
    roster, responses = school.frames([school.pupil(forms={"phqa": school.calm("phqa", q1=9)})])
    batch = mh.bind(plan, roster=roster, responses=responses, on_problem="report")
    frame = mh.to_frame(batch.problems)
    assert frame[["code", "severity", "subject"]].to_numpy().tolist() == [["MH401", "error", "A1"]]
    assert mh.to_frame(list(batch.problems), like=pl.DataFrame())["code"].to_list() == ["MH401"]


@pytest.mark.parametrize("result", [pd.DataFrame(PHQ9), [1], "MH401", None, {}])
def test_what_is_no_result_is_not_made_a_frame(result):
    with pytest.raises(UsageError, match=r"^result: .* expected"):
        mh.to_frame(result)


# -- files ------------------------------------------------------------------------------------


def test_files_are_screened_as_frames_are(plan, district, tmp_path):
    roster, responses = district
    (tmp_path / "answers").mkdir()
    roster.to_csv(tmp_path / "pupils.csv", index=False)
    for slot, frame in responses.items():
        frame.to_csv(tmp_path / "answers" / f"{slot}.csv", index=False)
    run = mh.screen_files(
        plan, roster=tmp_path / "pupils.csv", responses=tmp_path / "answers", at="2026-10-15",
        out=tmp_path / "out", archive_csv=True, columns={"gad7": "gad7_{item}"},
    )  # fmt: skip
    usual = mh.screen(
        plan, roster=roster, responses=responses, at="2026-10-15", on_problem="report"
    )
    lines = (tmp_path / "out" / "ledger.jsonl").read_text("utf-8").splitlines()
    assert lines == list(usual.entries.lines())
    assert (tmp_path / "out" / "archive.csv").exists()
    assert run.record["columns"] == {"gad7": "gad7_{item}"}
    assert repr(run) == f"<FolderRun: {tmp_path / 'out'}, qingdao-2023@1.0.0>"


# -- the public names -------------------------------------------------------------------------


def test_the_public_names_stand_once_in_each_of_their_three_places():
    tree = ast.parse(Path(mh.__file__).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [one for one in blocks[0].body if isinstance(one, ast.ImportFrom)]
    for_checkers = {(one.module, name.name) for one in imports for name in one.names}
    assert for_checkers == {(home, name) for name, home in mh._HOME_OF.items()}
    assert sorted(mh.__all__) == sorted([*mh._HOME_OF, "__version__"])
    for name, home in mh._HOME_OF.items():
        assert name in importlib.import_module(home).__all__


def test_a_type_checker_is_told_of_no_name_that_is_not_there(tmp_path):
    """`__getattr__` would make every misspelt name a public one of unknown type."""
    api = pytest.importorskip("mypy.api")
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "import mhscreen as mh\n"
        "mh.diagnose\n"
        "mh.score_instrument('phq9', {'phq9_1': [1]}, on_problem='raize')\n"
        "reveal_type(mh.score_instrument('phq9', {'phq9_1': [1]}))\n",
        encoding="utf-8",
    )
    root = Path(__file__).parents[1]
    options = [
        "--config-file",
        str(root / "pyproject.toml"),
        "--cache-dir",
        str(root / ".mypy_cache"),
    ]
    said, _, _ = api.run([*options, str(snippet)])
    found = [line.split(": ", 1)[1] for line in said.splitlines() if "snippet.py" in line]
    assert 'has no attribute "diagnose"' in found[0]
    assert any("raize" in line or "No overload" in line for line in found)
    assert any(
        'Revealed type is "dict[str, Any]"' in line.replace("builtins.", "").replace("typing.", "")
        for line in found
    )
