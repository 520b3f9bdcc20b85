"""A broken file for each problem that a definition file can have, with its full message."""

from pathlib import Path

import pytest

from mhscreen.loading import load_library
from mhscreen.problems import CATALOGUE, DefinitionError

HERE = Path(__file__).parent
BROKEN = sorted(path.name for path in (HERE / "broken").iterdir() if path.suffix != ".txt")
ELSEWHERE = {
    "MH213",  # a case that fails is run by mhscreen.testing
    "MH214",  # a definition without cases still loads
    "MH303",  # a plan decides which claims it uses
    "MH304",  # a withdrawn definition loads and does not compile
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_definition_gives_exactly_its_message(name, monkeypatch):
    base = load_library(HERE / "good")
    monkeypatch.chdir(HERE / "broken")
    with pytest.raises(DefinitionError) as caught:
        load_library(name, base=base)
    expected = Path(name.removesuffix(".yaml") + ".txt").read_text(encoding="utf-8")
    assert str(caught.value) + "\n" == expected


@pytest.mark.parametrize("name", BROKEN)
def test_broken_definition_is_broken_in_one_way_and_named_after_it(name, monkeypatch):
    base = load_library(HERE / "good")
    monkeypatch.chdir(HERE / "broken")
    with pytest.raises(DefinitionError) as caught:
        load_library(name, base=base)
    (problem,) = caught.value.problems
    slug = name.removesuffix(".yaml").partition("--")[0]  # what follows says which of several
    assert slug == f"{problem.code.lower()}-{problem.kind.slug}"


def test_every_problem_of_a_definition_file_has_a_broken_file():
    shown = {name[:5].upper() for name in BROKEN}
    codes = {code for code in CATALOGUE if "MH101" <= code < "MH400"}
    assert codes - shown == ELSEWHERE
