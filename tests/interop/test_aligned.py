"""Files that follow the roster are read in step with it: the same bytes, and nothing in between."""

import csv
import datetime as dt
import shutil
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mhscreen import compile_plan
from mhscreen.interop import intake
from mhscreen.interop.aligned import AlignedParts, find_steps
from mhscreen.interop.files import open_folder, open_source
from mhscreen.interop.partition import ROSTER
from mhscreen.interop.run_folder import screen_files, write_district
from mhscreen.loading import shipped_library
from mhscreen.problems import ProblemLog, UsageError

AT = "2026-10-15"


@pytest.fixture(scope="module")
def plan():
    return compile_plan(shipped_library(), programme="qingdao-2023@1")


@pytest.fixture(scope="module")
def simulated(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "input"
    write_district(plan, 60, seed=4, on=dt.date(2026, 10, 15), folder=folder)
    for name in ("asq", "phq9", "sdq@self"):  # nobody filed one, or nearly nobody
        (folder / "answers" / f"{name}.csv").unlink(missing_ok=True)
    return folder


@pytest.fixture
def district(simulated, tmp_path):
    shutil.copytree(simulated, tmp_path / "input")
    return tmp_path / "input"


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture
def run(plan, tmp_path):
    """Screen a district; return whether its rows were sorted through temporary files."""

    def screened(district, name="out", **options):
        stored = []

        def look(step, *_):
            if step == "screen":
                stored.append(any((tmp_path / f".{name}.work" / "input").iterdir()))

        screen_files(
            plan,
            roster=district / "pupils.csv",
            responses=district / "answers",
            at=AT,
            out=tmp_path / name,
            progress=look,
            archive_csv=True,
            **options,
        )
        return stored[0]

    return screened


def sort_always(monkeypatch):
    monkeypatch.setattr(intake, "find_steps", lambda *_: None)


# -- which way is taken ---------------------------------------------------------------------------


def test_files_in_the_order_of_the_roster_are_not_written_again(run, district):
    assert not run(district, chunk=7)


def test_one_row_out_of_order_is_enough_to_sort(run, district):
    path = district / "answers" / "mht.csv"
    rows = rows_of(path)
    write_rows(path, [*rows[1:], rows[0]])
    assert run(district, chunk=7)


NAMES = [f"P{number}" for number in range(9)]


def follows(roster, answers):
    """Whether rows follow the roster, in the plainest way to say so."""
    places = [roster.index(name) if name in roster else None for name in answers]
    return (
        len(set(roster)) == len(roster)
        and None not in places
        and all(a <= b for a, b in pairwise(places))
    )


@given(
    roster=st.one_of(st.just(NAMES), st.lists(st.sampled_from(NAMES), min_size=1, max_size=9)),
    answers=st.lists(
        st.one_of(
            st.lists(st.sampled_from(NAMES), max_size=9),
            st.lists(st.sampled_from(NAMES), max_size=9).map(sorted),
            st.lists(st.sampled_from([*NAMES, "OFF", ""]), max_size=4).map(sorted),
        ),
        max_size=3,
    ),
    chunk=st.integers(1, 10),
)
@settings(max_examples=80, deadline=None)
def test_rows_follow_the_roster_where_no_pupil_comes_back(tmp_path_factory, roster, answers, chunk):
    folder = tmp_path_factory.mktemp("files")
    (folder / "answers").mkdir()
    write_rows(folder / "pupils.csv", [{"subject": name, "n": 1} for name in roster])
    for number, names in enumerate(answers):
        lines = "".join(f"{name},1\n" for name in names)
        (folder / "answers" / f"{number}.csv").write_text("subject,x\n" + lines, "utf-8")
    first = open_source(folder / "pupils.csv", ProblemLog())
    others = open_folder(folder / "answers", ProblemLog())
    steps = find_steps([first, *others], chunk, lambda _: None)
    aligned = all(follows(roster, names) for names in answers) and follows(roster, [])
    assert (steps is not None) == aligned
    if aligned:
        parts = AlignedParts([first, *others], steps, ProblemLog())
        found = [part.read() for _, part in parts]
        assert len(found) == len(parts)
        for place, names in enumerate([roster, *answers], start=ROSTER):
            cells = [
                name
                for tables in found
                if place in tables
                for name in tables[place].columns["subject"].cells()
            ]
            assert cells == names
        for tables in found:
            pupils = set(tables[ROSTER].columns["subject"].cells())
            assert all(pupils >= set(one.columns["subject"].cells()) for one in tables.values())


@pytest.mark.parametrize("change", [lambda rows: [*rows, rows[0]], lambda rows: rows[:-1]])
def test_a_file_that_changes_while_it_is_read_is_refused(district, change):
    path = district / "answers" / "mht.csv"
    sources = [
        open_source(district / "pupils.csv", ProblemLog()),
        *open_folder(path, ProblemLog()),
    ]
    parts = AlignedParts(sources, find_steps(sources, 7, lambda _: None), ProblemLog())
    write_rows(path, change(rows_of(path)))
    with pytest.raises(UsageError, match="changed while they were read"):
        list(parts)


# -- the same bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"chunk": 1000}, {"chunk": 7}, {"chunk": 16, "workers": 2}])
def test_both_ways_write_the_same_bytes(run, district, tmp_path, monkeypatch, options):
    path = district / "answers" / "phqa.csv"
    rows = rows_of(path)
    rows[3] |= {"phqa_q1": "9"}
    rows[5:5] = [rows[4] | {"phqa_q9": "3"}]  # a second form, beside the first
    write_rows(path, rows)
    (district / "answers" / "wide.tsv").write_text("subject\tasq_1\n", "utf-8")
    assert not run(district, "in step", **options)
    sort_always(monkeypatch)
    assert run(district, "sorted", chunk=11)
    assert contents(tmp_path / "in step") == contents(tmp_path / "sorted")


def test_both_ways_find_whom_a_form_may_be_by(run, district, tmp_path, monkeypatch):
    path = district / "answers" / "phqa.csv"
    pupils = {pupil["subject"]: pupil for pupil in rows_of(district / "pupils.csv")}
    rows = [row | {"birth_date": pupils[row["subject"]]["birth_date"]} for row in rows_of(path)]
    rows[1]["birth_date"] = rows[-1]["birth_date"]
    write_rows(path, rows)
    assert not run(district, "in step", chunk=7)
    sort_always(monkeypatch)
    assert run(district, "sorted", chunk=7)
    files = contents(tmp_path / "in step")
    assert files == contents(tmp_path / "sorted")
    assert files["ledger.jsonl"].count(b'"flags":["identity"') >= 2


@given(seed=st.integers(0, 2**32 - 1), chunk=st.integers(1, 70))
@settings(max_examples=4, deadline=None)
def test_answers_in_any_order_give_the_bytes_of_answers_in_step(
    plan, simulated, tmp_path_factory, seed, chunk
):
    chance = np.random.default_rng(seed)
    home = tmp_path_factory.mktemp("shuffled")
    shutil.copytree(simulated, home / "input")
    for path in (home / "input" / "answers").iterdir():
        rows = rows_of(path)
        write_rows(path, [rows[place] for place in chance.permutation(len(rows))])
    for name, folder in (("in step", simulated), ("shuffled", home / "input")):
        screen_files(
            plan,
            roster=folder / "pupils.csv",
            responses=folder / "answers",
            at=AT,
            out=home / name,
            archive_csv=True,
            chunk=chunk,
        )
    one, other = contents(home / "in step"), contents(home / "shuffled")
    for name in ("ledger.jsonl", "archive.parquet", "archive.csv", "urgent.csv"):
        assert one[name] == other[name]


def test_parquet_in_step_gives_the_bytes_of_parquet_that_was_sorted(
    plan, simulated, tmp_path, monkeypatch
):
    (tmp_path / "answers").mkdir()
    for path in (simulated / "answers").iterdir():
        rows = rows_of(path)
        columns = {heading: [row[heading] or None for row in rows] for heading in rows[0]}
        pq.write_table(pa.table(columns), tmp_path / "answers" / f"{path.stem}.parquet")

    def screened(name):
        screen_files(
            plan,
            roster=simulated / "pupils.csv",
            responses=tmp_path / "answers",
            at=AT,
            out=tmp_path / name,
            chunk=7,
        )
        return contents(tmp_path / name)

    in_step = screened("in step")
    sort_always(monkeypatch)
    assert screened("sorted") == in_step
