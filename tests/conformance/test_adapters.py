"""Scorers in other languages, and mhscreen itself, through the kit."""

import csv
import io
import shutil
from pathlib import Path

import duckdb
import pytest

import mhscreen as mh
from mhscreen.conformance.check import check_form, load_kits, run_command
from mhscreen.conformance.kit import kind_of, write_rows
from mhscreen.conformance.results import read_text
from mhscreen.conformance.scorer import find_forms
from mhscreen.problems import ProblemLog, ResponseError

ADAPTERS = Path(__file__).parents[2] / "benchmarks" / "conformance" / "adapters"


def needs(program):
    """Skip where another language is not installed; what our own gate promises runs always."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


@pytest.fixture
def some_kits(shipped_kit, library):
    return lambda *refs: load_kits(shipped_kit, library, refs)


@needs("Rscript")
def test_a_scorer_in_r_passes(some_kits):
    command = ["Rscript", str(ADAPTERS / "score.R"), "{form}"]
    found = run_command(some_kits("dsrsc@1", "pss10@1"), command)
    assert found.passed
    assert len(found.forms) == 2


@needs("node")
def test_a_scorer_in_javascript_passes(some_kits):
    command = ["node", str(ADAPTERS / "score.mjs"), "{form}"]
    assert run_command(some_kits("phq9@1.0"), command).passed


def test_a_scorer_in_sql_passes(some_kits, tmp_path, monkeypatch):
    (kit,) = some_kits("gad7@1")
    monkeypatch.chdir(tmp_path)
    Path("inputs.csv").write_text(write_rows(kit.inputs()), encoding="utf-8")
    duckdb.connect().execute((ADAPTERS / "score.sql").read_text(encoding="utf-8"))
    assert passes(kit, Path("results.csv").read_text(encoding="utf-8"))


def passes(kit, text):
    log = ProblemLog()
    found = read_text(text, "results", [kit], log)
    assert [str(problem) for problem in log] == []
    return all(not one.failures for one in check_form(kit, found[kit.form.name]).clauses)


def test_a_command_that_fails_gives_no_verdict(some_kits):
    for command in (["false"], ["no-such-program"], ["sh", "-c", "cat > /dev/null; echo nothing"]):
        with pytest.raises(ResponseError, match="MH901"):
            run_command(some_kits("gad7@1"), command)


def facade_results(kit):
    """Score a form of the kit through the façade alone, as results in CSV."""
    rows = list(csv.DictReader(io.StringIO(write_rows(kit.inputs()))))
    form = kit.form
    prefix = form.instrument.prefix(form.informant)
    answers = {f"{prefix}_{i.id}": [r[i.id] or None for r in rows] for i in form.instrument.items}
    people = {k: [r[k] or None for r in rows] for k in ("sex", "age", "grade") if k in rows[0]}

    def score(**options):
        return mh.score_instrument(
            form.instrument.ref, answers | people, informant=form.informant,
            on_problem="report", at="2026-10-15", **options,
        )  # fmt: skip

    plain = score()
    columns = {}
    for scale in form.plan.scales:
        columns[scale.id] = plain[f"{prefix}__{scale.id}"]
        if scale.categories:
            columns[f"{scale.id}.category"] = plain[f"{prefix}__{scale.id}__category"]
    if form.plan.validity:
        columns["form.validity"] = plain[f"{prefix}__form_validity"]
    for table in form.norms:
        normed = score(norm=table.ref)
        for scale in table.scales:
            for metric in ("t", "z", "percentile", "stanine"):
                found = normed.get(f"{prefix}__{scale.scale}__{metric}")
                if found is not None:
                    columns[f"{scale.scale}.{table.id}.{metric}"] = found
    return columns


def written(kit, columns):
    names = [name for name in columns if name in expected_names(kit)]
    rows = [["vector", *names]]
    for place, vector in enumerate(kit.names):
        cells = [columns[name][place] for name in names]
        rows.append([vector, *("" if c is None or c != c else str(c) for c in cells)])  # noqa: PLR0124 - NaN
    return write_rows(rows)


def expected_names(kit):
    from mhscreen.conformance.scorer import score_vectors

    return set(score_vectors(kit.form, kit.vectors))


def test_mhscreen_itself_passes_on_every_form_of_the_kit(shipped_kit, library):
    """Through the façade, from text to text; critical items are said by the triage, not here."""
    kits = load_kits(shipped_kit, library)
    assert len(kits) == len(find_forms(library))
    for kit in kits:
        log = ProblemLog()
        text = written(kit, facade_results(kit))
        found = read_text(text, kit.form.name, [kit], log)
        assert [str(problem) for problem in log] == []
        results = found[kit.form.name]
        assert {kind_of(name) for name in results.missing} <= {"critical"}
        failed = {c.clause: c.failures for c in check_form(kit, results).clauses if c.failures}
        assert failed in ({}, {1: len(results.missing)}), kit.form.name
