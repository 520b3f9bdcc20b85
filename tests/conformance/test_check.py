"""A scorer is told what it does wrong, by name; what is unsafe is never let pass."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from mhscreen.conformance.check import check_results
from mhscreen.conformance.departures import departures
from mhscreen.conformance.kit import write_rows
from mhscreen.conformance.report import as_html, as_json, as_junit, as_text
from mhscreen.conformance.scorer import score_vectors
from mhscreen.conformance.waivers import read_waivers
from mhscreen.problems import DefinitionError, ResponseError


def columns_under(kit, *names):
    """Return what a scorer gives that departs from the definition in the ways named."""
    found = score_vectors(kit.form, kit.vectors)
    every = {one.name: one for one in departures(kit.form)}
    for name in names:
        found |= score_vectors(kit.form, kit.vectors, every[name].change)
    return found


def as_csv(kit, columns, without=()):
    """Write columns the way a vendor would."""
    texts = {name: one.texts() for name, one in columns.items() if name not in without}
    rows = [["vector", *texts]]
    rows += [[n, *(t[p] for t in texts.values())] for p, n in enumerate(kit.names)]
    return write_rows(rows)


def changed(text, vector, **cells):
    """Return a CSV with some cells of one row replaced."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for row in rows:
        if row["vector"] == vector:
            row |= {name.replace("__", "."): value for name, value in cells.items()}
    return write_rows([list(rows[0]), *(list(row.values()) for row in rows)])


@pytest.fixture
def check(tmp_path, kits):
    """Check one form's columns, or a text."""

    def run(form, text=None, *, waivers=(), columns=None):
        kit = kits[form]
        file = tmp_path / "results.csv"
        file.write_text(text or as_csv(kit, columns), encoding="utf-8")
        return check_results([kit], file, waivers=waivers)

    return run


def numbers(found, state="failed"):
    return sorted({c.clause for form in found.forms for c in form.clauses if c.state == state})


@pytest.mark.parametrize("form", ["gad7-1.0.0", "phq9-1.1.0", "asq-1.0.0", "sdq-1.0.0-teacher"])
def test_what_the_definition_gives_passes_both_verdicts(check, kits, form):
    found = check(form, columns=columns_under(kits[form]))
    assert found.passed
    assert numbers(found) == []


def test_an_item_that_is_not_reversed_is_named(check, kits):
    form = "sdq-1.0.0-self"
    found = check(form, columns=columns_under(kits[form], "conduct: item q7 not reversed"))
    (diagnosis,) = found.forms[0].diagnoses
    assert diagnosis.certainty == "exact"
    assert diagnosis.name == "conduct: item q7 not reversed"
    assert found.state("standard") == "failed"
    assert 2 in numbers(found)
    assert "looks like conduct: item q7 not reversed" in as_text(found)


def test_two_faults_in_different_scales_are_both_named(check, kits):
    form = "sdq-1.0.0-self"
    faults = ("conduct: item q7 not reversed", "prosocial: item q1 left out")
    columns = columns_under(kits[form])
    for fault in faults:
        changed_columns = columns_under(kits[form], fault)
        own = fault.partition(":")[0]
        columns |= {k: v for k, v in changed_columns.items() if k.partition(".")[0] == own}
    found = check(form, columns=columns)
    assert {one.name for one in found.forms[0].diagnoses} >= {faults[1]}
    assert all(one.certainty != "exact" for one in found.forms[0].diagnoses)


@pytest.mark.parametrize(
    "form, name",
    [
        ("dsrsc-1.0.0", "cut set rural_henan"),
        ("dsrsc-1.0.0", "cut set original"),
        ("mht-1.0.0", "known: validity above 7 in place of 7 and above"),
    ],
)
def test_another_documented_way_is_named_as_a_variant(check, kits, form, name):
    found = check(form, columns=columns_under(kits[form], name))
    (diagnosis,) = found.forms[0].diagnoses
    assert diagnosis.is_variant
    assert diagnosis.name == name
    assert "documented variant" in as_text(found)


def test_above_the_cut_in_place_of_at_the_cut_is_a_fault_seen_in_public(check, kits):
    name = "known: above 15 in place of 15 and above"
    found = check("dsrsc-1.0.0", columns=columns_under(kits["dsrsc-1.0.0"], name))
    (diagnosis,) = found.forms[0].diagnoses
    assert not diagnosis.is_variant
    assert diagnosis.source == "a public program"


class TestGate:
    """Whatever is unsafe fails the gate, each by its own clause."""

    @pytest.mark.parametrize(
        "form, fault, clauses",
        [
            ("phq9-1.1.0", "a blank is read as the lowest option", {11, 12, 16}),
            ("gad7-1.0.0", "a blank adds nothing to a sum", {12, 13}),
            ("gad7-1.0.0", "nothing answered scores as the lowest", {11}),
            ("gad7-1.0.0", "an illegal answer is the lowest option", {14}),
            ("asq-1.0.0", "a blank behind a gate counts as no", {16}),
            ("phq9-1.1.0", "a critical item is outranked by total below its cut", {16}),
            ("phq9-1.1.0", "the category of a score with blanks is given", {12}),
        ],
    )
    def test_each_hazard_fails_its_clause(self, check, kits, form, fault, clauses):
        found = check(form, columns=columns_under(kits[form], fault))
        assert found.state("gate") == "failed"
        assert clauses <= set(numbers(found))

    @pytest.mark.parametrize(
        "form, fault",
        [
            ("gad7-1.0.0", "total: moderate at_or_above 9"),
            ("phq9-1.1.0", "total: needs every answer"),
        ],
    )
    def test_a_careful_scorer_with_another_cut_is_wrong_and_not_unsafe(
        self, check, kits, form, fault
    ):
        found = check(form, columns=columns_under(kits[form], fault))
        assert found.state("standard") == "failed"
        assert found.state("gate") == "passed"

    def test_a_form_with_an_illegal_answer_may_be_refused(self, check, kits):
        kit = kits["gad7-1.0.0"]
        columns = columns_under(kit)
        for column in columns.values():
            column.values[kit.vectors.illegal >= 0] = float("nan")
        assert check("gad7-1.0.0", columns=columns).passed

    def test_a_positive_critical_item_must_be_said_even_where_all_else_is_refused(
        self, check, kits
    ):
        kit = kits["phq9-1.1.0"]
        columns = columns_under(kit)
        columns["critical.q9"].values[:] = float("nan")
        assert 16 in numbers(check("phq9-1.1.0", columns=columns))


class TestWaivers:
    def waivers(self, tmp_path, text, kits):
        file = tmp_path / "waivers.yaml"
        file.write_text(text, encoding="utf-8")
        return read_waivers(file, list(kits))

    def test_a_waived_clause_passes_and_stays_visible(self, check, kits, tmp_path):
        text = (
            "waivers:\n  - {clause: 3, form: gad7-1.0.0, reason: local study, by: Dr A, "
            "date: 2026-11-26}\n  - {clause: 5, reason: the same cut, by: Dr A, date: 2026-11-26}\n"
        )
        given = self.waivers(tmp_path, text, kits)
        columns = columns_under(kits["gad7-1.0.0"], "total: moderate at_or_above 9")
        found = check("gad7-1.0.0", columns=columns, waivers=given)
        assert found.state("standard") == "waived"
        assert found.passed
        report = as_text(found)
        assert "but for what is waived" in report
        assert "local study" in report
        assert "waived by Dr A" in report

    @pytest.mark.parametrize(
        "entry, what",
        [
            ("{clause: 12, reason: x, by: someone, date: z}", "never waived"),
            ("{clause: 99, reason: x, by: someone, date: z}", "no such clause"),
            ("{clause: 3, by: someone, date: z}", "no 'reason'"),
            ("{clause: 3, form: sdq, reason: x, by: someone, date: z}", "no such form"),
            ("{clause: 3, because: x, reason: x, by: someone, date: z}", "unknown key"),
        ],
    )
    def test_a_waiver_that_cannot_be_meant_is_refused(self, tmp_path, kits, entry, what):
        with pytest.raises(DefinitionError, match=what):
            self.waivers(tmp_path, f"waivers:\n  - {entry}\n", kits)


class TestBadFiles:
    """A file that cannot be compared gets no verdict, and is told why."""

    @pytest.fixture
    def good(self, kits):
        return as_csv(kits["gad7-1.0.0"], columns_under(kits["gad7-1.0.0"]))

    @pytest.mark.parametrize(
        "change, code",
        [
            (lambda text: "\n".join(text.split("\n")[:-3]) + "\n", "MH902"),
            (lambda text: text + text.split("\n")[3] + "\n", "MH903"),
            (lambda text: text.replace("gad7-1.0.0/002", "gad7/2"), "MH904"),
            (lambda text: text.replace("total.category", "total_category"), "MH905"),
            (lambda text: text.replace("vector,total", "vector,total,total"), "MH905"),
            (lambda text: changed(text, "gad7-1.0.0/003", total="high"), "MH906"),
            (lambda text: changed(text, "gad7-1.0.0/003", total__category="bad"), "MH906"),
            (lambda text: text.replace("vector", "id"), "MH901"),
            (lambda text: text.replace("gad7-1.0.0/004", "gad7-1.0.0/004,1"), "MH901"),
            (lambda _: "", "MH901"),
            (lambda _: '{"vector": 1', "MH901"),
        ],
    )
    def test_each_kind_of_bad_file_has_its_code(self, check, good, change, code):
        text = change(good)
        with pytest.raises(ResponseError) as error:
            check("gad7-1.0.0", text or "\n")
        assert code in {problem.code for problem in error.value.problems}

    def test_a_misspelt_column_is_guessed(self, check, good):
        with pytest.raises(ResponseError, match=r"did you mean 'total\.category'"):
            check("gad7-1.0.0", good.replace("total.category", "total.categry"))

    def test_an_output_that_is_not_given_fails_the_first_clause(self, check, kits):
        kit = kits["gad7-1.0.0"]
        text = as_csv(kit, columns_under(kit), without=["total.category"])
        found = check("gad7-1.0.0", text)
        assert numbers(found) == [1]
        assert "total.category" in as_text(found)


def test_long_csv_and_json_lines_are_read_like_wide_csv(check, kits):
    kit = kits["gad7-1.0.0"]
    columns = columns_under(kit, "total: item q7 left out")
    texts = {name: one.texts() for name, one in columns.items()}
    long = ["vector,output,value"]
    lines = []
    for place, vector in enumerate(kit.names):
        long += [f"{vector},{name},{values[place]}" for name, values in texts.items()]
        outputs = {name: values[place] or None for name, values in texts.items()}
        lines.append(json.dumps({"vector": vector, "outputs": outputs}))
    wide = check("gad7-1.0.0", columns=columns)
    for text in ("\n".join(long) + "\n", "\n".join(lines) + "\n"):
        assert check("gad7-1.0.0", text).forms == wide.forms


class TestReports:
    @pytest.fixture
    def found(self, check, kits):
        form = "gad7-1.0.0"
        return check(form, columns=columns_under(kits[form], "total: item q7 left out"))

    def test_the_smallest_example_is_shown(self, found):
        clause = next(c for c in found.forms[0].clauses if c.clause == 2)
        assert clause.example.vector.startswith("gad7-1.0.0/")
        assert clause.example.got != clause.example.expected
        assert len(clause.example.answers) < 400

    def test_json_holds_verdicts_clauses_and_diagnosis(self, found):
        report = json.loads(as_json(found))
        assert report["verdicts"]["standard"]["state"] == "failed"
        # Whoever leaves an item out also scores forms on which it alone is blank.
        assert report["verdicts"]["gate"]["state"] == "failed"
        assert report["forms"][0]["diagnoses"][0]["name"] == "total: item q7 left out"

    def test_junit_has_a_case_for_each_clause(self, found):
        suites = ET.fromstring(as_junit(found))  # noqa: S314 - our own text
        assert len(suites[0]) == len(found.forms[0].clauses)
        assert int(suites[0].attrib["failures"]) == len(suites[0].findall(".//failure"))

    def test_html_needs_nothing_from_elsewhere(self, found):
        page = as_html(found)
        assert "http" not in page
        assert "src=" not in page
        assert "<script" not in page
        assert "total: item q7 left out" in page

    def test_the_report_speaks_chinese(self, found):
        report = as_text(found, "zh")
        assert "标准：计分不一致" in report
        assert "漏计条目" in report
        assert '<html lang="zh-CN">' in as_html(found, "zh")
