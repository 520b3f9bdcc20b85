"""A run in parts: whatever their size and number, and whoever kills it, the bytes are the same."""

import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhscreen import compile_plan
from mhscreen.interop import run_folder
from mhscreen.interop.delimited import DelimitedText
from mhscreen.interop.files import read_folder, read_table
from mhscreen.interop.run_folder import screen_again, screen_files, write_district
from mhscreen.interop.text import read_text, scan_text
from mhscreen.loading import shipped_library
from mhscreen.problems import ProblemLog, UsageError
from mhscreen.steps.bind import bind
from mhscreen.steps.cells import moment
from mhscreen.steps.screen import screen

AT = "2026-10-15"
ALL = 10_000


@pytest.fixture(scope="module")
def plan():
    return compile_plan(shipped_library(), programme="qingdao-2023@1")


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def district(plan, tmp_path_factory):
    """A district in which everything is wrong that can be."""
    folder = tmp_path_factory.mktemp("spoilt") / "input"
    write_district(plan, 150, seed=3, on=dt.date(2026, 10, 15), folder=folder)
    answers = folder / "answers"
    pupils = rows_of(folder / "pupils.csv")
    _spoil_forms(answers, pupils)
    _spoil_roster(folder / "pupils.csv", pupils)
    _add_long_and_wide(answers, pupils)
    (answers / "nobody-knows.csv").write_text(f"subject,x\n{pupils[9]['subject']},1\n", "utf-8")
    return folder


def _spoil_forms(answers, pupils):
    known = {pupil["subject"]: pupil for pupil in pupils}
    forms = rows_of(answers / "phqa.csv")
    for place, form in enumerate(forms):  # what forms say of who filled them in
        who = known[form["subject"]]
        form |= {"birth_date": who["birth_date"], "sex": who["sex"], "class": who["class"]}
        if place in {3, 40}:
            form["birth_date"] = pupils[place + 60]["birth_date"]
        if place in {5, 50}:
            form |= {"birth_date": "", "sex": "female", "class": pupils[7]["class"]}
        if place == 11:
            form |= {"birth_date": "2011-01-01", "sex": "", "class": ""}
        if place in {12, 13}:
            form["sex"] = "?"
        if place % 2:
            form["phqa_q1"] = "4"  # one above the largest code, in more than twenty forms
    forms[1]["administered_on"] = "2019-01-01"
    forms[2]["administered_on"] = "soon"
    forms += [forms[0] | {"phqa_q9": "3"}, forms[20] | {"subject": "OFF-2"}]
    forms += [forms[21] | {"subject": "OFF-1"}, forms[22] | {"subject": ""}]
    write_rows(answers / "phqa.csv", forms)
    again = [form | {"phqa_q2": "3"} for form in forms[30:36]]
    write_rows(answers / "phqa.tsv", again)
    text = (answers / "phqa.tsv").read_text("utf-8").replace(",", "\t")
    (answers / "phqa.tsv").write_text(text, "utf-8")
    forms = rows_of(answers / "gad7.csv")
    forms[3] = {**forms[3], "subject": forms[9]["subject"]}
    forms += [forms[4] | {"subject": next(p["subject"] for p in pupils if p["grade"] == "2")}]
    for form in forms:
        form["phq9_1"] = "1" if form is forms[6] else ""  # a column of another questionnaire
    write_rows(answers / "gad7.csv", forms)
    lines = (answers / "mht.csv").read_text("utf-8").splitlines()
    lines[5] += ",1"
    lines[8] = lines[8].replace(",", ',"', 1)
    lines[9:9] = ["", ",,,"]
    lines.append('OFF-3,"')
    (answers / "mht.csv").write_text("\n".join(lines) + "\n", "utf-8")


def _spoil_roster(path, pupils):
    pupils = [dict(pupil) for pupil in pupils]
    pupils.append(pupils[4] | {})
    pupils.append(pupils[6] | {"class": "9-9"})
    pupils[20]["subject"] = ""
    pupils[30]["grade"] = "99"
    pupils[31]["birth_date"] = "yesterday"
    write_rows(path, pupils)
    lines = path.read_text("utf-8").splitlines()
    lines[50:50] = ["", "BROKEN-1,a", f"{pupils[70]['subject']},b"]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _add_long_and_wide(answers, pupils):
    lines = ["subject,instrument,informant,item,response"]
    for place in (80, 90, 100, 81):
        subject = pupils[place]["subject"]
        lines += [f"{subject},asq,self,{item},{int(item == 2)}" for item in range(1, 5)]
        if place == 100:
            lines += [f"{subject},asq,self,2,0"]
        lines += [f",asq,self,{item},1" for item in range(1, 3)]
    lines += [f"{pupils[81]['subject']},asq,self,77,1", ",asq,self,3,1", ",nothing,self,3,1"]
    (answers / "long.csv").write_text("\n".join(lines) + "\n", "utf-8")
    subjects = [pupils[place]["subject"] for place in (85, 86)] + ["OFF-9"]
    wide = {"subject": subjects, "gad7_1": [3, None, 2], "phqa_9": [1, None, 3]}
    pq.write_table(pa.table(wide), answers / "wide.parquet")


@pytest.fixture
def run(plan, tmp_path):
    def screened(district, name="out", **options):
        return screen_files(
            plan,
            roster=district / "pupils.csv",
            responses=district / "answers",
            at=AT,
            out=tmp_path / name,
            **options,
        )

    return screened


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def undivided(plan, district, tmp_path_factory):
    """The same district, screened at once."""
    out = tmp_path_factory.mktemp("undivided") / "out"
    result = screen_files(
        plan,
        roster=district / "pupils.csv",
        responses=district / "answers",
        at=AT,
        out=out,
        chunk=ALL,
        archive_csv=True,
    )
    return result, contents(out)


def test_a_spoilt_district_shows_most_problems_that_there_are(undivided):
    result, _ = undivided
    found = set(result.record["problems"]["by_code"])
    expected = {
        "MH401", "MH406", "MH407", "MH408", "MH409", "MH411", "MH413", "MH414", "MH415", "MH416",
        "MH419", "MH502", "MH503", "MH504", "MH505", "MH603",
    }  # fmt: skip
    assert expected <= found


@pytest.mark.parametrize("chunk", [pytest.param(1, marks=pytest.mark.slow), 7, 64])
def test_the_size_of_the_parts_changes_no_byte(run, district, undivided, chunk, tmp_path):
    result = run(district, chunk=chunk, archive_csv=True)
    expected, files = undivided
    assert contents(result.folder) == files
    assert result.problems == expected.problems
    assert result.urgent == expected.urgent
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_two_processes_write_the_bytes_of_one(run, district, undivided):
    result = run(district, chunk=40, workers=2, archive_csv=True)
    assert contents(result.folder) == undivided[1]


def test_a_run_in_parts_says_what_the_steps_say_in_memory(plan, district, run):
    log = ProblemLog()
    roster = read_table(district / "pupils.csv", log)
    answers = read_folder(district / "answers", log)
    at = moment(AT, plan.programme.zone)
    batch = bind(plan, roster, answers, at=at, on_problem="report")
    once = screen(plan, batch, at)
    again = screen_again(
        plan, roster=district / "pupils.csv", responses=district / "answers", at=AT
    )
    assert list(again.entries.lines()) == list(once.entries.lines())
    result = run(district, chunk=16)
    ledger = (result.folder / "ledger.jsonl").read_text("utf-8").splitlines()
    assert ledger == list(once.entries.lines())
    said = {(p.code, p.file, p.row, p.path, p.what, p.hint, p.subject) for p in result.problems}
    expected = {
        (p.code, p.file, p.row, p.path, p.what, p.hint, p.subject) for p in [*log, *once.problems]
    }
    assert said == expected


@pytest.mark.parametrize("chunk", [7, ALL])
def test_a_file_without_a_heading_row_is_the_same_in_parts(run, district, tmp_path, chunk):
    folder = tmp_path / "headless"
    shutil.copytree(district, folder)
    subjects = [row["subject"] for row in rows_of(folder / "pupils.csv")[:30]]
    lines = [f"{place},{one},0,0,0,0" for place, one in enumerate([*subjects, "OFF-7"])]
    (folder / "answers" / "asq.csv").write_text("\n".join(lines) + "\n", "utf-8")
    result = run(folder, chunk=chunk)
    entries = (result.folder / "ledger.jsonl").read_text("utf-8").splitlines()
    flagged = {
        entry["pupil_ref"] for entry in map(json.loads, entries) if "error" in entry["flags"]
    }
    assert flagged >= set(filter(None, subjects))
    unmatched = (result.folder / "unmatched.jsonl").read_text("utf-8")
    assert '"subject":"asq.csv:31"' in unmatched
    assert "OFF-7" not in unmatched


# -- killed, and started again --------------------------------------------------------------------


class Killed(BaseException):
    """Nothing can be tidied up after it."""


def die_after(monkeypatch, number):
    """Let a run die when it has done some of its parts, or else when it writes the rest."""
    screen_parts, write_urgent = run_folder.screen_parts, run_folder.merge_urgent

    def screen_some(job, parts, folder, workers, tell):
        def count(step, one, total):
            tell(step, one, total)
            if one == number < total:
                raise Killed

        return screen_parts(job, parts, folder, workers, count)

    def write_none(*arguments):
        if number < 0:
            raise Killed
        return write_urgent(*arguments)

    monkeypatch.setattr(run_folder, "screen_parts", screen_some)
    monkeypatch.setattr(run_folder, "merge_urgent", write_none)


@pytest.mark.parametrize("number", [0, 3, 8, -1])
def test_a_run_that_was_stopped_goes_on_and_gives_the_same(
    run, district, undivided, monkeypatch, tmp_path, number
):
    with monkeypatch.context() as patch:
        die_after(patch, number)
        with pytest.raises(Killed):
            run(district, chunk=16, archive_csv=True)
    assert not (tmp_path / "out").exists()
    work = tmp_path / ".out.work"
    done = len(list((work / "done").iterdir()))
    assert done == {0: 0, 3: 3, 8: 8}.get(number, 10)
    assert work.stat().st_mode & 0o077 == 0
    told = []
    result = run(district, chunk=16, archive_csv=True, progress=lambda *step: told.append(step))
    assert next(step for step in told if step[0] == "screen")[1] == done
    assert contents(result.folder) == undivided[1]
    assert not work.exists()


_ALONE = """
import sys
import mhscreen as mh
plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
roster, responses, out = sys.argv[1:]
mh.screen_files(plan, roster=roster, responses=responses, at="2026-10-15", out=out, chunk=8,
                archive_csv=True)
"""


@pytest.mark.slow
def test_a_run_killed_without_warning_again_and_again_gives_the_same(district, undivided, tmp_path):
    """Eight times here; ``benchmarks/speed/kill.py`` does it at other sizes and times."""
    out = tmp_path / "out"
    done = tmp_path / ".out.work" / "done"
    command = [sys.executable, "-c", _ALONE, district / "pupils.csv", district / "answers", out]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    kept = []
    for parts in (0, 1, 2, 5, 9, 12, 15, 17):
        process = subprocess.Popen(command, env=environment)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            found = list(done.glob("[0-9]*")) if done.exists() else None
            if found is not None and len(found) >= parts:
                break
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert not (out / "run.json").exists()
        kept.append(len(list(done.glob("[0-9]*"))))
    assert kept == sorted(kept)
    assert kept[-1] >= 17
    subprocess.run(command, env=environment, check=True)
    assert contents(out) == undivided[1]
    assert not done.parent.exists()


def test_what_another_run_has_left_is_not_taken_for_this_one(run, district, tmp_path, monkeypatch):
    changed = tmp_path / "changed"
    shutil.copytree(district, changed)
    with monkeypatch.context() as patch:
        die_after(patch, 3)
        with pytest.raises(Killed):
            run(district, chunk=16)
    rows = rows_of(changed / "answers" / "gad7.csv")
    write_rows(changed / "answers" / "gad7.csv", rows[1:])
    afresh = contents(run(changed, "elsewhere", chunk=ALL).folder)
    assert contents(run(changed, chunk=16).folder) == afresh


def test_parts_of_another_size_are_not_mixed_with_those_that_are_done(
    run, district, undivided, monkeypatch
):
    with monkeypatch.context() as patch:
        die_after(patch, 3)
        with pytest.raises(Killed):
            run(district, chunk=16)
    # As many parts, and other pupils in them.
    assert contents(run(district, chunk=17, archive_csv=True).folder) == undivided[1]


def test_two_runs_never_work_in_one_folder(run, district):
    def again(step, *_):
        if step == "screen":
            with pytest.raises(UsageError, match="another run is at work"):
                run(district)
            raise Killed

    with pytest.raises(Killed):
        run(district, progress=again)


def test_temporary_files_lie_where_they_are_told_to(run, district, tmp_path):
    seen = []

    def look(step, *_):
        if step == "screen":
            seen.extend(path.name for path in (tmp_path / "fast").iterdir())

    run(district, temporary=tmp_path / "fast", progress=look)
    assert set(seen) == {".out.work"}
    assert not (tmp_path / "fast").exists()


def test_temporary_files_never_lie_among_the_answers(run, district):
    with pytest.raises(UsageError, match="among the answers"):
        run(district, temporary=district / "answers" / "work")


# -- three mistakes among many forms --------------------------------------------------------------


@pytest.mark.parametrize("pupils", [60, 1500])
def test_three_mistakes_are_found_alike_among_few_and_among_many(plan, run, tmp_path, pupils):
    folder = tmp_path / "input"
    write_district(plan, pupils, seed=5, on=dt.date(2026, 10, 15), folder=folder)
    path = folder / "answers" / "gad7.csv"
    before = run(folder, "clean", chunk=256).record["problems"]["by_code"]
    forms = rows_of(path)
    forms[1]["gad7_q1"] = "9"
    forms += [forms[2], forms[3] | {"subject": "OFF-1"}]
    write_rows(path, forms)
    result = run(folder, chunk=256)
    found = Counter(result.record["problems"]["by_code"]) - Counter(before)
    assert found == {"MH401": 1, "MH407": 1, "MH408": 2}
    listed = {
        (p.code, p.row) for p in result.problems if p.file == "gad7.csv" and p.code != "MH417"
    }
    rows = len(forms)
    assert {("MH401", 2), ("MH407", rows), ("MH408", 3), ("MH408", rows - 1)} <= listed


# -- text in parts --------------------------------------------------------------------------------

_CELLS = st.sampled_from(["a", "", '"', '"x, y"', '"l1\nl2"', 'a"b', '""', "学", "1,2"])


@given(
    rows=st.lists(st.lists(_CELLS, min_size=1, max_size=4), max_size=90),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    size=st.integers(1, 40),
)
def test_where_a_part_of_a_text_ends_changes_nothing(tmp_path_factory, rows, end, size):
    path = tmp_path_factory.mktemp("text") / "phqa.csv"
    lines = ["subject,phqa_1", *(",".join(row) for row in rows)]
    path.write_bytes(end.join(lines).encode())

    def read(block):
        text = scan_text(path)
        delimited = DelimitedText(read_text(path, text, block), path.name, ",")
        log = ProblemLog()
        delimited.read_heading(log)
        numbers, cells, broken = [], [], []
        for part in delimited.read_rows(log):
            numbers += part.row_numbers.tolist()
            cells += zip(*(column.cells() for column in part.columns), strict=True)
            broken += part.broken_rows
        kept = [row for row in zip(numbers, cells, strict=True) if any(row[1])]
        return kept, broken, log.problems

    assert read(size) == read(1 << 20)
