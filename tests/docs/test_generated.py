"""The documentation says what the code does: pages are generated, code runs, links resolve."""

import re
from urllib.parse import unquote

import build_docs
import pytest
from run_docs import PAGES, ROOT, blocks, enter_tutorial, name_of, run_python

import mhscreen as mh
from mhscreen.definitions.words import field_words
from mhscreen.interop.run_folder import OUTPUTS
from mhscreen.problems import CATALOGUE
from mhscreen.steps.result_columns import triage_columns
from mhscreen.steps.urgent import unmatched_items, urgent_columns

OWN_TESTS = {  # which run the shell commands, too
    "docs/how-to/add-an-instrument.md",
    "docs/tutorial/from-answers-to-norms.md",
    "docs/tutorial/from-yaml-to-ledger.md",
}
WITH_PYTHON = [p for p in PAGES if blocks(p, "python", "pycon") and name_of(p) not in OWN_TESTS]
LINK = re.compile(r"\]\(([^)\s]+)\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def anchors(page):
    """Return the anchors of a page, as GitHub makes them from its headings."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    found = set(re.findall(r'<a id="([^"]+)">', text))
    for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(plain.replace(" ", "-"))
    return found


def test_generated_pages_are_those_that_the_code_gives_now(capsys):
    assert build_docs.main(["--check"]) == 0, capsys.readouterr().out


def test_a_page_that_is_out_of_date_is_noticed():
    page = "<!-- begin names -->\nold\n<!-- end names -->"
    assert build_docs.rewritten(page) != page


def test_every_problem_code_is_explained_in_chinese():
    page = (ROOT / "docs/reference/problem-codes.md").read_text(encoding="utf-8")
    chinese = page.partition("## 中文对照")[2]
    assert re.findall(r"^\| \[(MH\d{3})\]", chinese, re.MULTILINE) == list(CATALOGUE)


def test_every_key_of_a_grammar_has_a_meaning():
    for model in {m for top in build_docs.TOPS.values() for m in build_docs.walk(top)}:
        assert model.model_fields.keys() == field_words(model).keys(), model.__name__


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_on_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    enter_tutorial(tmp_path)
    names = {"__name__": "__main__"}
    for kind, text in blocks(page, "python", "pycon"):
        run_python(kind, text, names, name_of(page))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_repository_resolve(page):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert ROOT in [file, *file.parents], link
        if anchor:
            assert anchor in anchors(file), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_test_that_a_page_names_exists(page):
    for file, test in TEST.findall(page.read_text(encoding="utf-8")):
        assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), test


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_is_reachable_from_the_readme(page):
    seen, queue = set(), [ROOT / "README.md"]
    while queue:
        one = queue.pop()
        if one in seen:
            continue
        seen.add(one)
        for link in LINK.findall(one.read_text(encoding="utf-8")):
            file = (one.parent / link.partition("#")[0]).resolve()
            if file.suffix == ".md" and file.is_file():
                queue.append(file)
    assert page in seen


def test_both_readmes_run_the_same_commands():
    english, chinese = (blocks(ROOT / name, "sh") for name in ("README.md", "README.zh-CN.md"))
    assert english[:3] == chinese[:3]


@pytest.fixture(scope="module")
def screening():
    plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    roster, answers = mh.simulate(plan, 60, seed=3)
    rest = roster.iloc[5:]  # so that some forms belong to nobody
    return mh.screen(plan, roster=rest, responses=answers, at="2026-10-15", on_problem="report")


def test_every_column_and_file_of_a_run_is_explained(screening):
    outputs = (ROOT / "docs/reference/outputs.md").read_text(encoding="utf-8")
    columns = (ROOT / "docs/reference/columns.md").read_text(encoding="utf-8")
    for name in (*OUTPUTS, *urgent_columns(screening), *next(unmatched_items(screening))):
        assert f"`{name}`" in outputs, name
    for name in triage_columns(screening.triage):
        own = re.search(r"__[a-z0-9_]+?(__[a-z0-9_]+)$", name)
        if own:
            assert f"`{own[1]}`" in columns or re.fullmatch(r"__[a-z]+_(low|high)", own[1]), name
        elif "__" not in name:
            assert f"`{name}`" in columns, name
