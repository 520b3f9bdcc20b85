"""The ruler does not rot: every measure runs, and every peer finds what we find."""

import importlib
import json
import sys
from math import isfinite
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"
PUPILS = 200


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("speed")


@pytest.fixture
def speed(monkeypatch):
    """Import a script of the benchmarks, which take one turn each."""
    monkeypatch.syspath_prepend(str(SPEED))
    before = set(sys.modules)
    monkeypatch.setattr(importlib.import_module("timing"), "PATIENCE", 0.0)
    r = importlib.import_module("peers.by_r")
    monkeypatch.setattr(r, "absent", lambda: "R is not installed")  # a test must not need it
    yield importlib.import_module
    own = {path.stem for path in SPEED.glob("*.py")} | {"peers"}
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in own:
            del sys.modules[name]


@pytest.fixture(scope="module")
def kept():
    """What scripts gave so far: nothing is measured twice."""
    return {}


@pytest.fixture
def given(speed, work, kept):
    """Run a script's measure once; return what it compared."""

    def run(script, pupils=PUPILS):
        if script not in kept:
            kept[script] = measured(speed(script).measure(pupils, work))
        return kept[script]

    return run


def measured(found):
    """Return the figures by what was compared; a peer that is absent has a note instead."""
    figures = list(found)
    assert figures
    for one in figures:
        assert (isfinite(one.ratio) and one.ratio > 0) or "not installed" in one.note, one
    return {(one.measure, one.what, one.against) for one in figures}


def test_scores_are_timed_against_the_floor_and_programs_that_find_the_same(speed, given):
    found = given("scoring")
    assert ("scores and categories", "ours", "floor") in found
    assert {name for _, name, against in found if against == "ours"} >= set(speed("peers").PEERS)


def test_a_class_is_timed_against_a_loop_over_its_pupils(given):
    assert ("a class", "mh.score", "object") in given("one_class", 30)


def test_norms_are_timed_against_joins_that_find_the_same(given):
    assert {("norms", "ours", "floor"), ("norms", "pandas", "ours")} <= given("norming")


def test_the_chain_from_frames_to_tiers_is_timed(given):
    assert ("bind to triage", "from Arrow frames", "floor") in given("chain")


def test_entries_are_timed_against_dicts_of_the_same_content(given):
    assert ("entries", "ours", "dicts and orjson") in given("entries")


def test_ten_times_the_pupils_are_timed_against_the_pupils(given):
    assert given("growth")


def test_a_peer_with_one_wrong_score_is_not_timed(speed, work):
    answers = speed("answers")
    battery, peers, agree = (speed(name) for name in ("battery", "peers", "peers.agree"))
    batch = answers.bound(answers.answers_of(PUPILS, work))
    scores = importlib.import_module("mhscreen").score(battery.battery_plan(), batch)
    peer = peers.load("object")
    found = peer.columns(peer.score(peer.prepare(answers.answers_of(PUPILS, work))))
    agree.check("object", scores, found)
    found["gad7.total"][0][0] += 1
    with pytest.raises(AssertionError, match=r"gad7\.total: 1 scores differ"):
        agree.check("object", scores, found)


def test_the_pandas_script_writes_the_entries_that_we_write(speed, work):
    files, script = speed("files"), speed("pandas_script")
    district = files.write_inputs(PUPILS, work)
    for kind in ("csv", "parquet", "shuffled"):
        assert files.screen_once(district / kind, work / kind, 1) > 0
    script.screen(district / "csv", work / "pandas", script.texts())
    files.same_entries(work / "csv", work / "pandas")
    ledgers = {(work / kind / "ledger.jsonl").read_bytes() for kind in ("csv", "shuffled")}
    assert len(ledgers) == 1
    lines = (work / "pandas" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[7])
    entry["instruments"][0]["scores"]["total"]["answered"] += 1
    lines[7] = json.dumps(entry)
    (work / "pandas" / "ledger.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(AssertionError, match="the entries differ"):
        files.same_entries(work / "csv", work / "pandas")


def test_reading_and_writing_alone_give_the_bytes_of_a_run(speed, work):
    files = speed("files")
    district = files.write_inputs(PUPILS, work)
    assert files.read_alone(district / "csv") > 0
    assert files.write_alone(district / "csv", work / "alone") > 0
    assert files.screen_once(district / "csv", work / "whole", 1) > 0
    archive = (work / "alone" / "archive.parquet").read_bytes()
    assert archive == (work / "whole" / "archive.parquet").read_bytes()
    ledger = (work / "alone" / "ledger.jsonl").read_bytes()
    assert ledger == (work / "whole" / "ledger.jsonl").read_bytes()


@pytest.mark.slow
def test_runs_on_files_are_timed_in_processes_of_their_own(speed, tmp_path):
    found = measured(speed("files").measure(60, tmp_path))
    assert ("files", "the pandas script", "ours") in found


def test_a_bar_is_met_or_plainly_is_not(speed):
    bars, figures = speed("bars"), speed("figures")
    bar = bars.Bar("m", "ours", "floor", 2)

    def verdict(ratio, pupils=10):
        figure = figures.Figure("m", "ours", "floor", pupils, ratio, ratio, ratio)
        return bars.hold([figure], [bar])[0].verdict

    assert [verdict(2), verdict(2.1)] == ["met", "**not met**"]
    assert bars.hold([], [bar])[0].verdict == "not measured"
    assert bars.Bar("m", "peer", "ours", 5, at_most=False).met(5)
    assert not bars.Bar("m", "peer", "ours", 5, at_most=False).met(4.9)


def test_every_bar_is_for_a_figure_that_some_script_gives(speed, given):
    found = given("scoring") | given("norming") | given("chain") | given("one_class", 30)
    named = {(bar.measure, bar.what, bar.against) for bar in speed("bars").BARS}
    elsewhere = {"files", "memory of a run on files", "growth", "start-up", "entries", "engines"}
    missing = {one for one in named - found if one[0] not in elsewhere}
    assert missing <= {("other programs", "psych::scoreVeryFast", "ours")}
    printed = (SPEED / "startup.py").read_text(encoding="utf-8")
    assert all(f'"{b} / {c}"' in printed for a, b, c in named if a == "start-up")


def test_what_a_script_prints_is_read_as_figures(speed, monkeypatch):
    table = "                  ratio  bar\ndask             1.20\na / b   0.15    1.5\n"
    starting = speed("starting")
    monkeypatch.setattr(starting, "run_child", lambda _: speed("timing").Child(table, 0.0))
    assert list(starting.printed("x.py")) == [("dask", 1.2), ("a / b", 0.15)]


def test_what_takes_turns_is_compared_turn_by_turn(speed):
    times = speed("timing").Times({"floor": (1.0, 2.0, 4.0), "ours": (3.0, 6.0, 4.0)})
    assert times.ratio("ours", "floor") == (2.0, 3.0, 3.0)


def test_a_table_that_was_stopped_goes_on_where_it_was(speed, tmp_path, monkeypatch, capsys):
    table = speed("table")
    asked = ["--only", "one_class", "--patience", "0", "--out", str(tmp_path / "r.json")]
    assert table.main(asked) == 0
    first = capsys.readouterr().out
    assert "| a class | mh.score | object | ≤ 0.3 |" in first
    monkeypatch.setattr(table, "run_child", None)  # nothing is left to run
    assert table.main(asked) == 0
    assert capsys.readouterr().out == first


def test_a_measure_that_fails_is_said_and_the_others_go_on(speed, monkeypatch, capsys):
    table = speed("table")

    def run_child(command):
        raise table.subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(table, "run_child", run_child)
    assert table.main(["--only", "one_class", "starting"]) == 1
    assert capsys.readouterr().err.count("failed") == 2


def test_a_chart_shows_every_program_and_is_the_same_each_time(speed, tmp_path):
    figures, chart = speed("figures"), speed("chart")
    found = [
        figures.Figure("scores and categories", "ours", "floor", 10, 5.0, 4.0, 6.0),
        figures.Figure("other programs", "polars", "floor", 10, 25.0, 4.0, 6.0),
        figures.Figure("other programs", "polars", "floor", 5, 7.0, 4.0, 6.0),
    ]
    for name in ("a.svg", "b.svg"):
        chart.draw(found, tmp_path / name)
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert ">mhscreen, one thread<" in text
    assert ">Polars, lazy, all cores<" in text
    assert ">25<" in text
    assert ">7<" not in text


def test_the_page_is_that_of_the_figures_that_are_kept(speed):
    page, figures = speed("page"), speed("figures")
    result = json.loads(page.RESULTS.read_text(encoding="utf-8"))
    assert (page.DOCS / "speed.md").read_text(encoding="utf-8") == page.markdown(result)
    drawn = (page.DOCS / "speed.svg").read_text(encoding="utf-8")
    for name, ratio in speed("chart").shown([figures.Figure(**f) for f in result["figures"]]):
        assert f">{name}<" in drawn
        assert f">{page.number(ratio)}<" in drawn
