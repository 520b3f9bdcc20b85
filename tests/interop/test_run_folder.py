"""The main job on files: nobody is lost, nothing is half written, the same input the same bytes."""

import csv
import datetime as dt
import json
import shutil
from hashlib import sha256

import jsonschema
import numpy as np
import openpyxl
import pyarrow.parquet as pq
import pytest

from mhscreen import compile_plan, screen
from mhscreen.entries.canonical import entry_hash, merkle_root
from mhscreen.entries.schema import entry_schema
from mhscreen.interop import run_folder
from mhscreen.interop.run_folder import STEPS, find_entry, screen_files, write_district
from mhscreen.loading import shipped_library
from mhscreen.problems import ResponseError, UsageError
from mhscreen.vocabulary import EntryType

AT = "2026-10-15"
NAME = "张三丰丰"  # a cell that no output may show
ANSWER = "77"  # an illegal answer, shown nowhere


@pytest.fixture(scope="module")
def plan():
    return compile_plan(shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def simulated(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated")
    write_district(plan, 240, seed=3, on=dt.date(2026, 10, 15), folder=folder / "input")
    return folder / "input"


@pytest.fixture
def district(simulated, tmp_path):
    """A district that a test may change."""
    shutil.copytree(simulated, tmp_path / "input")
    return tmp_path / "input"


@pytest.fixture
def run(plan, tmp_path):
    """Screen a district's files."""

    def screened(district, name="out", **options):
        return screen_files(
            plan,
            roster=options.pop("roster", district / "pupils.csv"),
            responses=district / "answers",
            at=AT,
            out=tmp_path / name,
            **options,
        )

    return screened


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows, encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def shuffled(rows):
    return [rows[place] for place in np.random.default_rng(5).permutation(len(rows))]


def change(path, subject, **cells):
    """Change cells in the row of one pupil."""
    rows = rows_of(path)
    row = next(row for row in rows if row["subject"] == subject)
    row.update(cells)
    write_rows(path, rows)
    return row


def ledger_of(folder):
    text = (folder / "ledger.jsonl").read_bytes().decode("utf-8")
    assert text.endswith("\n")
    assert "\r" not in text
    return [json.loads(line) for line in text.splitlines()]


def unmatched_of(folder):
    text = (folder / "unmatched.jsonl").read_bytes().decode("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def left_behind(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "input")


def quiet(run, district, stage="junior"):
    """Return a pupil of a stage who ends without a flag."""
    for entry in ledger_of(run(district, "probe").folder):
        complete = all(form["complete"] for form in entry["instruments"])
        if entry["org"]["stage"] == stage and entry["screen_tier"] == "none" and complete:
            return entry["pupil_ref"]
    raise AssertionError


def entry_of(folder, subject):
    return find_entry(folder / "ledger.jsonl", subject)


# -- what is written ------------------------------------------------------------------------------


def test_every_pupil_on_the_roster_has_exactly_one_entry_in_roster_order(run, district):
    folder = run(district).folder
    roster = [row["subject"] for row in rows_of(district / "pupils.csv")]
    assert [entry["pupil_ref"] for entry in ledger_of(folder)] == roster
    archive = pq.read_table(folder / "archive.parquet")
    assert archive.column("subject").to_pylist() == roster


def test_every_ledger_line_satisfies_the_schema_and_its_own_hash(run, district):
    validate = jsonschema.Draft202012Validator(entry_schema(EntryType.SCREENING)).validate
    for entry in ledger_of(run(district).folder):
        validate(entry)
        assert entry["hash"] == entry_hash(entry)


def test_the_files_say_what_the_facade_says(run, district, plan):
    folder = run(district).folder
    responses = {
        path.stem: {
            heading: [row[heading] or None for row in rows_of(path)] for heading in rows_of(path)[0]
        }
        for path in (district / "answers").iterdir()
    }
    pupils = rows_of(district / "pupils.csv")
    roster = {heading: [row[heading] for row in pupils] for heading in pupils[0]}
    result = screen(plan, roster=roster, responses=responses, at=AT)
    assert (folder / "ledger.jsonl").read_text("utf-8").splitlines() == list(result.entries.lines())


def test_two_runs_give_the_same_bytes(run, district):
    assert contents(run(district, "one").folder) == contents(run(district, "two").folder)


def test_shuffled_answers_give_the_same_ledger_and_archive(run, district):
    first = contents(run(district, "one", archive_csv=True).folder)
    for path in (district / "answers").iterdir():
        write_rows(path, shuffled(rows_of(path)))
    second = contents(run(district, "two", archive_csv=True).folder)
    for name in ("ledger.jsonl", "archive.parquet", "archive.csv", "urgent.csv"):
        assert first[name] == second[name]


def test_a_shuffled_roster_only_permutes_the_ledger(run, district):
    first = run(district, "one")
    write_rows(district / "pupils.csv", shuffled(rows_of(district / "pupils.csv")))
    second = run(district, "two")
    lines = [(one.folder / "ledger.jsonl").read_bytes().splitlines() for one in (first, second)]
    assert lines[0] != lines[1]
    assert sorted(lines[0]) == sorted(lines[1])
    roots = [one.record["entries"]["merkle_root"] for one in (first, second)]
    assert roots[0] == roots[1]


def test_a_pupil_missing_from_the_ledger_shows_in_the_merkle_root(run, district):
    result = run(district)
    entries = sorted(ledger_of(result.folder), key=lambda entry: entry["entry_id"])
    hashes = [entry["hash"] for entry in entries]
    assert result.record["entries"] == {"number": len(hashes), "merkle_root": merkle_root(hashes)}
    assert merkle_root(hashes[1:]) != merkle_root(hashes)


def test_the_record_names_every_input_and_output_with_its_hash(run, district):
    result = run(district)
    record = json.loads((result.folder / "run.json").read_text("utf-8"))
    assert record == result.record
    assert record["schema"] == "mhscreen/run/1"
    assert record["policy"]["status"] == "unsigned default"
    inputs = [(district / "pupils.csv", record["inputs"]["roster"])]
    inputs += [(district / "answers" / one["name"], one) for one in record["inputs"]["responses"]]
    assert len(inputs) == 1 + len(list((district / "answers").iterdir()))
    for path, one in [*inputs, *((result.folder / o["name"], o) for o in record["outputs"])]:
        data = path.read_bytes()
        assert (one["bytes"], one["sha256"]) == (len(data), sha256(data).hexdigest())
    assert sum(record["screen_tiers"].values()) == record["pupils"] == 240
    assert str(district) not in json.dumps(record)


def test_the_urgent_list_is_for_spreadsheets_and_holds_no_answer(run, district):
    result = run(district)
    text = (result.folder / "urgent.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    rows = rows_of(result.folder / "urgent.csv")
    assert [int(row["rank"]) for row in rows] == list(range(1, result.record["urgent"] + 1))
    listed = {row["pupil"] for row in rows}
    for entry in ledger_of(result.folder):
        if entry["screen_tier"] in {"severe", "major"}:
            assert entry["pupil_ref"] in listed
    order = [row["screen_tier"] for row in rows]
    assert order.index("severe") > order.index("major")


def test_progress_is_told_in_order(run, district):
    told = []
    run(district, progress=lambda step, _done, _total: told.append(step))
    assert list(dict.fromkeys(told)) == list(STEPS)


def test_an_archive_of_an_earlier_run_does_not_stand_beside_later_results(run, district):
    assert "archive.csv" in run(district, archive_csv=True).files
    result = run(district)
    assert "archive.csv" not in contents(result.folder)
    assert sorted(result.files) == sorted(contents(result.folder))


def test_a_file_of_somebody_else_in_the_folder_is_left_alone(run, district, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "archive.csv").write_text("mine")
    run(district)
    assert (tmp_path / "out" / "archive.csv").read_text() == "mine"


def test_an_archive_that_somebody_has_changed_since_is_left_alone(run, district, tmp_path):
    run(district, archive_csv=True)
    (tmp_path / "out" / "archive.csv").write_text("mine")
    run(district)
    assert (tmp_path / "out" / "archive.csv").read_text() == "mine"


@pytest.mark.parametrize("marker", ["", "[]", '{"outputs": 3}', '{"outputs": [{"name": 1}]}'])
def test_a_record_that_is_none_removes_nothing(run, district, tmp_path, marker):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "run.json").write_text(marker)
    (tmp_path / "out" / "archive.csv").write_text("mine")
    run(district)
    assert (tmp_path / "out" / "archive.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["archive.csv", "urgent.csv", "Problems.CSV"])
def test_no_input_is_read_from_where_a_result_is_to_be_written(run, district, tmp_path, name):
    (tmp_path / "out").mkdir()
    place = tmp_path / "out" / name
    shutil.copy(district / "pupils.csv", place)
    with pytest.raises(UsageError, match=f"is where {name.casefold()} is to be written"):
        run(district, roster=place)
    assert place.read_bytes() == (district / "pupils.csv").read_bytes()
    assert contents(tmp_path / "out").keys() == {name}


def test_a_roster_that_lies_among_the_results_under_another_name_is_read(run, district, tmp_path):
    (tmp_path / "out").mkdir()
    place = tmp_path / "out" / "pupils.csv"
    shutil.copy(district / "pupils.csv", place)
    assert run(district, roster=place).record["pupils"] == 240


def test_the_archive_as_csv_is_safe_to_open_in_a_spreadsheet(run, district):
    rows = rows_of(district / "pupils.csv")
    rows[0]["school"] = "=cmd|' /C calc'!A0"
    write_rows(district / "pupils.csv", rows)
    folder = run(district, archive_csv=True).folder
    assert (folder / "archive.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert rows_of(folder / "archive.csv")[0]["school"] == "'=cmd|' /C calc'!A0"


def test_a_simulated_district_says_so(run, district):
    assert "模拟数据" in run(district, synthetic=True).record["synthetic"]
    assert run(district).record["synthetic"] is None


# -- bad input ------------------------------------------------------------------------------------


def test_a_roster_in_gb18030_is_read(run, district):
    expected = run(district, "utf8")
    rows = rows_of(district / "pupils.csv")
    stages = {"primary": "小学", "junior": "初中", "senior": "高中", "vocational": "中职"}
    for row in rows:
        row["stage"] = stages[row["stage"]]
    write_rows(district / "pupils.csv", rows, encoding="gb18030")
    result = run(district)
    assert [problem.code for problem in result.problems if problem.file == "pupils.csv"] == [
        "MH602"
    ]
    assert ledger_of(result.folder) == ledger_of(expected.folder)


@pytest.mark.parametrize("text", ["", "subject,school,stage,grade\n", "subject,school\nA1,x\n"])
def test_without_a_usable_roster_nothing_is_written(run, district, tmp_path, text):
    (district / "pupils.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ResponseError):
        run(district)
    assert left_behind(tmp_path) == []


def test_a_roster_that_is_no_table_writes_nothing_and_is_named(run, district, tmp_path):
    (district / "pupils.parquet").write_bytes(b"no parquet")
    with pytest.raises(ResponseError, match="MH601") as caught:
        run(district, roster=district / "pupils.parquet")
    assert caught.value.problems[0].file == "pupils.parquet"
    assert left_behind(tmp_path) == []


def test_nothing_is_left_behind_when_writing_fails(run, district, tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "merge_urgent", fail)
    with pytest.raises(OSError, match="No space"):
        run(district)
    assert left_behind(tmp_path) == []


def test_a_failure_leaves_the_results_of_the_run_before(run, district, monkeypatch):
    before = contents(run(district).folder)

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "merge_urgent", fail)
    with pytest.raises(OSError, match="No space"):
        run(district)
    folder = district.parent / "out"
    assert contents(folder) == before


@pytest.mark.parametrize("place", ["answers", "answers/out"])
def test_results_are_never_written_among_the_answers(plan, district, place):
    with pytest.raises(UsageError, match="among the answers"):
        screen_files(
            plan,
            roster=district / "pupils.csv",
            responses=district / "answers",
            at=AT,
            out=district / place,
        )


@pytest.mark.parametrize("missing", ["pupils.csv", "answers"])
def test_a_path_that_is_not_there_is_a_wrong_call(run, district, missing):
    (district / missing).rename(district / "elsewhere")
    with pytest.raises(UsageError, match="there is no file or folder"):
        run(district)


def test_a_roster_among_the_answers_is_no_questionnaire(run, district):
    expected = ledger_of(run(district, "apart").folder)
    shutil.move(district / "pupils.csv", district / "answers" / "pupils.csv")
    result = run(district, roster=district / "answers" / "pupils.csv")
    assert not [problem for problem in result.problems if problem.code == "MH411"]
    assert ledger_of(result.folder) == expected
    names = [one["name"] for one in result.record["inputs"]["responses"]]
    assert "pupils.csv" not in names


def test_an_empty_file_is_a_problem_and_its_pupils_stay(run, district):
    (district / "answers" / "gad7.csv").write_bytes(b"")
    result = run(district)
    assert [(p.code, p.file) for p in result.errors] == [("MH412", "gad7.csv")]
    entries = ledger_of(result.folder)
    assert len(entries) == 240
    for entry in entries:
        if any(form["slot"] == "gad7" for form in entry["instruments"]):
            assert entry["screen_tier"] not in {"none", "watch"}


def test_a_blank_critical_item_never_ends_as_none_or_watch(run, district):
    pupil = quiet(run, district)
    change(district / "answers" / "phqa.csv", pupil, phqa_q9="")
    result = run(district)
    entry = entry_of(result.folder, pupil)
    assert entry["screen_tier"] == "undetermined"
    assert entry["possible_tier"] == "major"
    assert pupil in result.urgent["pupil"]


def test_an_illegal_answer_is_a_problem_that_shows_neither_answer_nor_name(run, district):
    pupil = quiet(run, district)
    rows = rows_of(district / "pupils.csv")
    write_rows(district / "pupils.csv", [{**row, "name": NAME} for row in rows])
    change(district / "answers" / "phqa.csv", pupil, phqa_q9=ANSWER)
    result = run(district)
    found = [problem for problem in result.errors if problem.code == "MH401"]
    assert [(p.subject, p.path) for p in found] == [(pupil, "phqa.q9")]
    rows = rows_of(result.folder / "problems.csv")
    assert {"MH401", "MH403"} <= {row["code"] for row in rows}
    for name, data in contents(result.folder).items():
        assert NAME.encode() not in data, name
    for row in rows:
        assert ANSWER not in "".join(row[key] for key in ("what", "expected", "hint", "path"))
    assert entry_of(result.folder, pupil)["screen_tier"] == "undetermined"


@pytest.mark.parametrize("first", [True, False])
def test_the_higher_tier_of_two_forms_stands_in_whichever_file(run, district, first):
    pupil = quiet(run, district)
    rows = rows_of(district / "answers" / "phqa.csv")
    worse = {**next(row for row in rows if row["subject"] == pupil), "phqa_q9": "3"}
    if first:
        write_rows(district / "answers" / "phqa.csv", [worse, *rows])
    else:  # a second file for the same slot; both are read
        heading, line = "\t".join(worse), "\t".join(worse.values())
        (district / "answers" / "phqa.tsv").write_text(f"{heading}\n{line}\n", encoding="utf-8")
    result = run(district)
    entry = entry_of(result.folder, pupil)
    assert entry["established_tier"] == "major"
    assert "duplicate" in entry["flags"]
    assert [form["forms"] for form in entry["instruments"] if form["slot"] == "phqa"] == [2]
    assert [problem.code for problem in result.errors] == ["MH408", "MH408"]
    assert len(ledger_of(result.folder)) == 240


def test_a_form_off_the_roster_heads_the_urgent_list(run, district):
    rows = rows_of(district / "answers" / "phqa.csv")
    stranger = {**rows[0], "subject": "OFF-1", "phqa_q9": "2"}
    write_rows(district / "answers" / "phqa.csv", [*rows, stranger])
    result = run(district)
    first = rows_of(result.folder / "urgent.csv")[0]
    assert (first["pupil"], first["matched"]) == ("OFF-1", "no")
    assert first["source"] == f"phqa.csv:{len(rows) + 1}"
    items = unmatched_of(result.folder)
    assert [(item["subject"], item["kind"]) for item in items] == [("OFF-1", "off_roster")]
    assert items[0]["established_tier"] == "severe"
    assert items[0]["sources"] == [{"file": "phqa.csv", "row": len(rows) + 1, "slot": "phqa"}]
    assert "OFF-1" not in [entry["pupil_ref"] for entry in ledger_of(result.folder)]


def test_an_indirect_positive_item_off_the_roster_stands_on_the_urgent_list_too(run, district):
    rows = rows_of(district / "answers" / "dsrsc.csv")
    harmless = dict.fromkeys(rows[0], "0")  # items keyed both ways; item 10 decides
    stranger = {**harmless, "subject": "OFF-2", "dsrsc_q10": "1", "administered_on": AT}
    write_rows(district / "answers" / "dsrsc.csv", [*rows, stranger])
    result = run(district)
    assert result.urgent["pupil"][0] == "OFF-2"


def test_a_form_of_the_wrong_stage_is_read_for_critical_items_and_heads_the_list(run, district):
    pupil = quiet(run, district, "primary")
    rows = rows_of(district / "answers" / "phqa.csv")
    highest = {heading: "3" for heading in rows[0] if heading.startswith("phqa_q")}
    form = {**rows[0], **highest, "subject": pupil, "phqa_q9": "1"}
    write_rows(district / "answers" / "phqa.csv", [*rows, form])
    result = run(district)
    entry = entry_of(result.folder, pupil)
    assert "wrong_stage" in entry["flags"]
    rules = {reason["rule"] for reason in entry["tier_reasons"]}
    assert "R4-item9" in rules
    assert not {rule for rule in rules if rule.endswith("-depression")}  # no total counts
    first = rows_of(result.folder / "urgent.csv")[0]
    assert (first["pupil"], first["matched"]) == (pupil, "other_stage")
    items = unmatched_of(result.folder)
    assert [(item["subject"], item["kind"]) for item in items] == [(pupil, "wrong_stage")]
    assert {item["slot"] for item in items[0]["critical_items"]} == {"phqa"}


def test_a_form_without_a_subject_is_not_lost(run, district):
    rows = rows_of(district / "answers" / "phqa.csv")
    write_rows(district / "answers" / "phqa.csv", [*rows, {**rows[0], "subject": ""}])
    result = run(district)
    assert result.record["unmatched"] == 1
    (item,) = unmatched_of(result.folder)
    assert item["subject"] == f"phqa.csv:{len(rows) + 1}"


def test_a_duplicate_pupil_gets_one_entry(run, district):
    rows = rows_of(district / "pupils.csv")
    write_rows(district / "pupils.csv", [*rows, rows[0]])
    result = run(district)
    assert [problem.code for problem in result.errors] == ["MH502", "MH502"]
    assert len(ledger_of(result.folder)) == 240


# -- rows and files that cannot be read -----------------------------------------------------------


@pytest.mark.parametrize("heading", ["subject", "学号", " Subject ", "id,subject", "id,学号"])
def test_a_row_with_a_cell_too_many_flags_the_pupil_it_names(run, district, heading):
    pupil = quiet(run, district)
    questions = ",".join(f"asq_{n}" for n in range(1, 6))
    first = "77," if "," in heading else ""
    text = f"{heading},{questions}\n{first}{pupil},1,1,1,1,1,1\n"
    (district / "answers" / "asq.csv").write_text(text, encoding="utf-8")
    entry = entry_of(run(district).folder, pupil)
    assert "error" in entry["flags"]
    assert entry["screen_tier"] == "undetermined"


def test_a_reference_in_full_width_in_such_a_row_is_understood(run, district):
    pupil = quiet(run, district)
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in pupil)
    (district / "answers" / "asq.csv").write_text(f"subject,asq_1\n {wide},1,1\n", "utf-8")
    assert "error" in entry_of(run(district).folder, pupil)["flags"]


def test_such_a_row_of_somebody_off_the_roster_is_an_unmatched_item(run, district):
    (district / "answers" / "asq.csv").write_text("subject,asq_1\nZZ,1,1\n", "utf-8")
    result = run(district)
    assert [item["subject"] for item in unmatched_of(result.folder)] == ["ZZ"]
    assert result.urgent["pupil"][0] == "ZZ"


def test_a_cell_that_may_be_a_name_is_not_taken_for_a_reference_off_the_roster(run, district):
    text = f"id,subject,asq_1\n{NAME},{NAME},1,1\n"
    (district / "answers" / "asq.csv").write_text(text, "utf-8")
    result = run(district)
    assert [item["subject"] for item in unmatched_of(result.folder)] == ["asq.csv:1"]
    for data in contents(result.folder).values():
        assert NAME.encode() not in data


@pytest.mark.parametrize("name", ["asq.csv", "asq.tsv", "wide.csv", "long.csv"])
def test_a_file_without_a_heading_row_shows_nothing_and_loses_nobody(run, district, name):
    first, second = (row["subject"] for row in rows_of(district / "pupils.csv")[:2])
    questionnaire = ["asq", "self", "q1"] if name == "long.csv" else ["1", "0", "1", "0"]
    mark = "\t" if name.endswith("tsv") else ","
    lines = [[first, NAME, *questionnaire, ANSWER], [second, NAME, *questionnaire, ANSWER]]
    lines += [["OFF-1", NAME, *questionnaire, ANSWER], [second, NAME]]
    text = "".join(mark.join(line) + "\n" for line in lines)
    (district / "answers" / name).write_text(text, encoding="utf-8")
    result = run(district)
    found = [problem for problem in result.problems if problem.file == name]
    assert found[0].code == "MH601"
    assert "no heading row" in found[0].what
    assert not {"MH402", "MH403", "MH603", "MH606"} & {problem.code for problem in found}
    for one in (first, second):
        assert "error" in entry_of(result.folder, one)["flags"]
    unmatched = [item["subject"] for item in unmatched_of(result.folder)]
    assert unmatched == [f"{name}:3"]
    for data in contents(result.folder).values():
        assert NAME.encode() not in data


def test_a_workbook_whose_references_have_lost_digits_merges_nobody(run, district):
    workbook = openpyxl.Workbook()
    workbook.active.append(["subject", *(f"asq_{n}" for n in range(1, 6))])
    workbook.active.append([370202201509011234, 0, 0, 0, 0, None])
    workbook.active.append([370202201509011235, 1, 1, 1, 1, 1])
    workbook.save(district / "answers" / "asq.xlsx")
    result = run(district)
    lost = [(p.code, p.row) for p in result.problems if p.file == "asq.xlsx"]
    assert lost[:2] == [("MH406", 1), ("MH406", 2)]
    subjects = [item["subject"] for item in unmatched_of(result.folder)]
    assert subjects == ["asq.xlsx:1", "asq.xlsx:2"]


def test_a_flood_of_problems_is_counted_and_listed_whole_but_never_held_whole(run, district):
    heading = ",".join(["subject", *(f"mht_{n}" for n in range(1, 101))])
    pupil = rows_of(district / "pupils.csv")[0]["subject"]
    line = ",".join([pupil, *["2"] * 100])
    text = "\n".join([heading, *[line] * 300])
    (district / "answers" / "mht.tsv").write_text(text.replace(",", "\t"), encoding="utf-8")
    result = run(district)
    assert result.record["problems"]["by_code"]["MH401"] == 100 * 300
    listed = [row for row in rows_of(result.folder / "problems.csv") if row["code"] == "MH401"]
    assert len(listed) == 100 * 300
    assert {row["hint"].partition("?")[0] for row in listed} == {"coding offset"}
    assert sum(problem.code == "MH401" for problem in result.problems) == 100


# -- reading a ledger -----------------------------------------------------------------------------


def test_the_entry_that_supersedes_another_is_found(run, district):
    folder = run(district).folder
    entry = ledger_of(folder)[0]
    later = {**entry, "entry_id": "later", "supersedes": entry["entry_id"]}
    lines = [json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in (later, entry)]
    (folder / "ledger.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert entry_of(folder, entry["pupil_ref"])["entry_id"] == "later"


def test_a_pupil_without_an_entry_is_said_to_have_none(run, district):
    folder = run(district).folder
    with pytest.raises(UsageError, match="no screening entry of SYN-9"):
        entry_of(folder, "SYN-9")
    with pytest.raises(UsageError, match="cannot be opened"):
        find_entry(folder / "none.jsonl", "SYN-9")
