"""Fragments: whoever runs them and however they are cut, the results are those of one run."""

import csv
import json
import os
import shutil
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mhscreen as mh
from mhscreen.interop import dask as dask_engine
from mhscreen.interop import fragments as of_fragments
from mhscreen.interop import spark as spark_engine
from mhscreen.interop.fragments import (
    FragmentTask,
    Looked,
    find_fragments,
    in_processes,
    screen_fragments,
)

AT = "2026-10-15"
PUPILS = 90


@pytest.fixture(scope="module")
def plan():
    return mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def frames(plan):
    """A roster and answers with what can be wrong: an illegal answer, doubles, a stranger."""
    roster, answers = mh.simulate(plan, PUPILS, seed=11)
    gad, phq = answers["gad7"].astype(object), answers["phqa"].astype(object)
    gad.loc[3, "gad7_q1"] = "9"
    gad.loc[5, "gad7_q2"] = None
    answers["gad7"] = gad
    twice = phq.iloc[[2]].assign(phqa_q9=3)
    stranger = phq.iloc[[4]].assign(subject="UNKNOWN-1", phqa_q9=3)
    answers["phqa"] = type(phq)(np.vstack([phq, twice, stranger]), columns=phq.columns)
    return roster, answers


def write(frames, folder, subjects=None, *, suffix="csv", strangers=True):
    """Write the files of some pupils."""
    roster, answers = frames
    (folder / "answers").mkdir(parents=True)
    kept = roster if subjects is None else roster[roster["subject"].isin(subjects)]
    known = set(roster["subject"])
    tables = {"pupils": kept}
    for slot, frame in answers.items():
        own = frame["subject"].isin(set(kept["subject"]))
        rows = frame[own | (strangers & ~frame["subject"].isin(known))]
        if len(rows):
            tables[f"answers/{slot}"] = rows
    for name, table in tables.items():
        text = table.astype(object).where(table.notna(), None)
        if suffix == "csv":
            text.to_csv(folder / f"{name}.csv", index=False)
        else:
            text.map(lambda x: x if x is None else str(x)).to_parquet(folder / f"{name}.parquet")


def cut(frames, folder, size, suffix="csv"):
    """Cut a district into fragments of some pupils each; strangers are in the first."""
    subjects = frames[0]["subject"].tolist()
    for number, start in enumerate(range(0, len(subjects), size)):
        place = folder / f"part-{number:03d}"
        write(frames, place, subjects[start : start + size], suffix=suffix, strangers=number == 0)
    return find_fragments(folder)


@pytest.fixture(scope="module")
def whole(plan, frames, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    write(frames, folder / "in")
    mh.screen_files(
        plan,
        roster=folder / "in/pupils.csv",
        responses=folder / "in/answers",
        at=AT,
        out=folder / "out",
    )
    return folder / "out"


def rows(path, *left_out):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{k: v for k, v in row.items() if k not in left_out} for row in csv.DictReader(file)]


def unmatched(folder):
    items = [json.loads(line) for line in (folder / "unmatched.jsonl").read_bytes().splitlines()]
    for item in items:
        item["sources"] = len(item["sources"])
    return items


def check_same(out, whole):
    """The results of fragments are those of the whole run; only places in files differ."""
    record, expected = (json.loads((f / "run.json").read_text("utf-8")) for f in (out, whole))
    names = [one["name"] for one in record["fragments"]]
    ledger = b"".join((out / "ledger" / f"{name}.jsonl").read_bytes() for name in names)
    assert ledger == (whole / "ledger.jsonl").read_bytes()
    tables = [pq.read_table(out / "archive" / f"{name}.parquet") for name in names]
    assert pa.concat_tables(tables).equals(pq.read_table(whole / "archive.parquet"))
    assert rows(out / "urgent.csv", "source") == rows(whole / "urgent.csv", "source")
    assert unmatched(out) == unmatched(whole)
    said = [sorted(map(str, rows(f / "problems.csv", "file", "row"))) for f in (out, whole)]
    assert said[0] == said[1]
    for name in ("pupils", "forms", "unmatched", "screen_tiers", "urgent", "problems", "entries"):
        assert record[name] == expected[name], name
    assert record["definitions"] == expected["definitions"]


@pytest.mark.parametrize("size", [17, 45, PUPILS])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_however_a_district_is_cut_the_results_are_those_of_one_run(
    plan, frames, whole, tmp_path, size, suffix
):
    found = cut(frames, tmp_path / "in", size, suffix)
    result = screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    assert len(result.record["fragments"]) == -(-PUPILS // size)
    check_same(tmp_path / "out", whole)
    assert {one.name for one in tmp_path.iterdir()} == {"in", "out"}, "nothing is left behind"


@pytest.mark.slow
def test_several_processes_give_the_results_of_one_run(plan, frames, whole, tmp_path):
    found = cut(frames, tmp_path / "in", 30)
    screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(2))
    check_same(tmp_path / "out", whole)


@pytest.mark.slow
def test_dask_gives_the_results_of_one_run(plan, frames, whole, tmp_path):
    pytest.importorskip("dask", reason="the extra 'dask' is not installed")
    found = cut(frames, tmp_path / "in", 30)
    for name, how in (
        ("threads", {"scheduler": "threads", "num_workers": 2}),
        ("processes", {"scheduler": "processes", "num_workers": 2}),
    ):
        run = dask_engine.on_dask(**how)
        screen_fragments(plan, found, at=AT, out=tmp_path / name, run=run)
        check_same(tmp_path / name, whole)


@pytest.mark.slow
def test_spark_gives_the_results_of_one_run(plan, frames, whole, tmp_path, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    sql = pytest.importorskip("pyspark.sql", reason="the extra 'spark' is not installed")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java, which is not on this machine")
    found = cut(frames, tmp_path / "in", 30)
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.getOrCreate()
    try:
        run = spark_engine.on_spark(session)
        screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=run)
    finally:
        session.stop()
    check_same(tmp_path / "out", whole)


def test_a_form_may_be_by_a_pupil_of_another_fragment(plan, frames, tmp_path):
    roster, answers = frames
    roster, answers = roster.copy(), {slot: frame.copy() for slot, frame in answers.items()}
    other = roster.iloc[PUPILS - 1]
    gad = answers["gad7"].merge(roster[["subject", "birth_date"]], on="subject", how="left")
    gad.loc[0, "birth_date"] = other["birth_date"]
    assert gad.loc[0, "subject"] != other["subject"]
    answers["gad7"] = gad
    write((roster, answers), tmp_path / "all")
    out = tmp_path / "whole"
    inputs = {"roster": tmp_path / "all/pupils.csv", "responses": tmp_path / "all/answers"}
    mh.screen_files(plan, **inputs, at=AT, out=out)
    found = cut((roster, answers), tmp_path / "in", 40)
    screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    check_same(tmp_path / "out", out)
    alone = tmp_path / "alone"
    screen_fragments(plan, found[-1:], at=AT, out=alone, run=in_processes(1))
    name = f"{found[-1].name}.jsonl"
    assert (alone / "ledger" / name).read_bytes() != (
        tmp_path / "out/ledger" / name
    ).read_bytes(), "the flag comes from another fragment"


def test_a_pupil_in_two_fragments_is_refused_and_nothing_is_written(plan, frames, tmp_path):
    cut(frames, tmp_path / "in", 45)
    name = frames[0]["subject"].iloc[0]
    with (tmp_path / "in/part-001/answers/gad7.csv").open("a", encoding="utf-8") as file:
        columns = frames[1]["gad7"].columns
        file.write(",".join([name if c == "subject" else "" for c in columns]) + "\n")
    found = find_fragments(tmp_path / "in")
    with pytest.raises(mh.UsageError, match=f"{name} in part-000 and part-001"):
        screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    assert {one.name for one in tmp_path.iterdir()} == {"in"}


def test_a_run_that_was_stopped_goes_on_with_what_is_not_done(
    plan, frames, whole, tmp_path, monkeypatch
):
    found = cut(frames, tmp_path / "in", 30)
    screened = []
    original = of_fragments.screen_to_files

    def stop_at_the_second(job, tables, folder):
        screened.append(folder.name)
        if len(screened) == 2:
            raise KeyboardInterrupt
        return original(job, tables, folder)

    monkeypatch.setattr(of_fragments, "screen_to_files", stop_at_the_second)
    run = in_processes(1)
    with pytest.raises(KeyboardInterrupt):
        screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=run)
    assert not (tmp_path / "out").exists()
    screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=run)
    assert screened == ["000000", "000001", "000001", "000002"]
    check_same(tmp_path / "out", whole)


def test_a_process_that_is_killed_is_named_and_what_is_done_is_kept(plan, frames, whole, tmp_path):
    found = cut(frames, tmp_path / "in", 45)

    def run(call, number):
        call(0)
        return in_processes(2)(os._exit, number)

    with pytest.raises(mh.StoppedError, match="start the same command again"):
        screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=run)
    assert not (tmp_path / "out").exists()
    assert [one.name for one in (tmp_path / ".out.work" / "alone").iterdir()] == ["000000"]
    screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    check_same(tmp_path / "out", whole)


def test_a_task_that_is_run_twice_leaves_the_results_of_one(plan, frames, tmp_path):
    found = cut(frames, tmp_path / "in", 45)

    def twice(call, number):
        return [call(one) for one in (*range(number), *range(number))]

    result = screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=twice)
    assert result.record["pupils"] == PUPILS


def test_a_task_that_another_machine_has_done_meanwhile_is_done(plan, frames, tmp_path):
    found = cut(frames, tmp_path / "in", PUPILS)
    original, calls = of_fragments._finish, []

    def slow(part, read):
        original(part, read)
        if not calls:
            calls.append(part.folder)
            task = FragmentTask(plan, at, None, tuple(found), str(part.folder.parents[1]))
            assert task.screen(0).pupils == PUPILS

    at = np.datetime64(f"{AT}T00:00:00", "s")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(of_fragments, "_finish", slow)
        result = screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    assert calls
    assert result.record["pupils"] == PUPILS


def test_problems_name_the_fragment_and_the_file(plan, frames, tmp_path):
    found = cut(frames, tmp_path / "in", 45)
    screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
    (illegal,) = [row for row in rows(tmp_path / "out/problems.csv") if row["code"] == "MH401"]
    assert illegal["file"] == "part-001/gad7.csv"


def test_a_folder_without_fragments_or_with_half_of_one_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(mh.UsageError, match="there is no fragment"):
            find_fragments(folder)
    (tmp_path / "a").mkdir()
    with pytest.raises(mh.UsageError, match="a is no fragment"):
        find_fragments(tmp_path)


def test_results_are_not_put_beside_others(plan, frames, tmp_path):
    found = cut(frames, tmp_path / "in", PUPILS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/ledger.jsonl").touch()
    for out, fragments, words in (
        ("out", found, "is not empty"),
        ("new", [*found, *found], "a name of its own"),
        ("new", [], "one or more"),
    ):
        with pytest.raises(mh.UsageError, match=words):
            screen_fragments(plan, fragments, at=AT, out=tmp_path / out, run=in_processes(1))


def test_a_fragment_without_a_usable_roster_stops_the_run(plan, frames, tmp_path):
    found = cut(frames, tmp_path / "in", 45)
    heading = (tmp_path / "in/part-001/pupils.csv").read_text(encoding="utf-8").partition("\n")[0]
    for text in ("subject\nA1\n", f"{heading}\n", ""):
        (tmp_path / "in/part-001/pupils.csv").write_text(text, encoding="utf-8")
        with pytest.raises(mh.ResponseError, match=r"part-001/pupils\.csv"):
            screen_fragments(plan, found, at=AT, out=tmp_path / "out", run=in_processes(1))
        assert {one.name for one in tmp_path.iterdir()} == {"in"}


def test_what_an_engine_may_log_shows_nobody(plan, frames):
    task = FragmentTask(plan, np.datetime64(AT), None, (), "work", frozenset({("2013-04-05",)}))
    assert repr(task.screen).endswith("<FragmentTask: 0 fragments, qingdao-2023@1.0.0>>")
    assert repr(Looked(3, task.claims)) == "<Looked: 3 pupils, 1 claims>"
