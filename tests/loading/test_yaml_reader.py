"""YAML that every reader reads alike, with places; everything else is a problem."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from mhscreen.loading import yaml_reader
from mhscreen.loading.yaml_reader import decode, read_yaml, write_path


def read(text):
    document, problems = read_yaml(text, "a.yaml")
    return (None if document is None else document.data), [p.code for p in problems]


@pytest.fixture(params=["with the C parser", "with the Python parser"])
def either_parser(request, monkeypatch):
    if request.param == "with the Python parser":
        monkeypatch.delattr(yaml, "CSafeLoader")


AMBIGUOUS = """
    no No YES on Off y N 012 -012 00 0x1F 0o17 0b11 12:30 1:30:00 1_000 1_000.5 012.5
    .inf -.INF .nan .NaN 1e5 1.0e5 1.5e+999 12345678901234567890 =
"""


@pytest.mark.parametrize("written", AMBIGUOUS.split())
def test_scalar_that_readers_guess_differently_is_refused(written):
    assert read(f"a: {written}")[1] == ["MH106"]
    assert read(f"a: '{written}'") == ({"a": written}, [])
    assert read(f'a: "{written}"') == ({"a": written}, [])


@pytest.mark.parametrize(
    "written, value",
    [
        ("0", 0),
        ("-7", -7),
        ("+3", 3),
        ("1.0", 1.0),
        ("1.5e-3", 0.0015),
        ("15.428571428571429", 15.428571428571429),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("1.0.0", "1.0.0"),
        ("2026-01-01", "2026-01-01"),
        ("09-30", "09-30"),
        ("phq9@1.0.0", "phq9@1.0.0"),
        ("从不", "从不"),
        ("nothing", "nothing"),
        ("１２", "１２"),
    ],
)
def test_plain_scalar_has_the_type_it_looks_like(written, value):
    (found,) = read(f"a: {written}")[0].values()
    assert found == value
    assert type(found) is type(value)


def test_lists_become_tuples():
    assert read("a: [1, [2, {b: []}]]")[0] == {"a": (1, (2, {"b": ()}))}


def test_places_are_one_based_and_count_characters(either_parser):
    document, _ = read_yaml("标题: {en: a, zh: 中文, b: [1,\n  no]}\n", "a.yaml")
    assert document.key_place(("标题",)) == (1, 1)
    assert document.value_place(("标题", "zh")) == (1, 17)
    assert document.key_place(("标题", "zh")) == (1, 13)
    assert document.value_place(("标题", "b", 1)) == (2, 3)
    assert document.value_place(("标题", "b", 7)) == document.value_place(("标题", "b"))


def test_everything_wrong_is_found_at_once(either_parser):
    text = "a: no\nb: 012\na: 1\nc: !!str x\n<<: {d: 1}\n1: 2\n? [e]\n: f\n"
    assert read(text)[1] == ["MH106", "MH106", "MH102", "MH109", "MH109", "MH109", "MH109"]


def test_what_was_found_before_a_syntax_error_is_kept(either_parser):
    document, problems = read_yaml("a: no\nb: [1\nc: 2\n", "a.yaml")
    assert document is None
    assert [p.code for p in problems] == ["MH106", "MH101"]
    assert problems[1].line == 3


def test_key_that_stands_twice_is_placed_at_the_second():
    document, (problem,) = read_yaml("a: 1\nb:\n  - c: 1\n    c: 2\n", "a.yaml")
    assert (problem.code, problem.line, problem.column, problem.path) == ("MH102", 4, 5, "b[0].c")
    assert problem.hint == "the first is at line 3"
    assert document.data["b"] == ({"c": 1},)


def test_n_and_y_are_good_keys_but_on_is_not():
    assert read("n: 1\ny: 2")[1] == []
    assert read("on: 1")[1] == ["MH106"]


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "a: b: c", "a: *b", "\ta: 1", "a: \x01"]
)
def test_text_that_is_no_document_is_a_syntax_problem(text, either_parser):
    assert read(text) == (None, ["MH101"])


@pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "a: &b [*b]\n"])
def test_second_document_and_endless_alias_are_refused(text, either_parser):
    assert read(text) == (None, ["MH109"])


def test_nesting_stops_at_its_limit(either_parser):
    assert read("[" * 40 + "]" * 40)[1] == []
    assert read("[" * 41 + "]" * 41) == (None, ["MH108"])
    assert read("[" * 5_000) == (None, ["MH108"])


def test_alias_may_not_hide_a_deep_nesting(either_parser):
    deep = "[" * 30 + "]" * 30
    assert read(f"a: &a {deep}\nb: *a\n")[1] == []
    assert read(f"a: &a {deep}\nb: [[[[[[[[[[*a]]]]]]]]]]\n") == (None, ["MH108"])


def test_aliases_count_as_often_as_they_would_be_written_out(either_parser):
    hundred = ", ".join(["*a"] * 100)
    assert read(f"a: &a x\nb: [{hundred}]\n")[1] == []
    assert read(f"a: &a x\nb: [{hundred}, *a]\n") == (None, ["MH108"])
    ten = ", ".join(["*a"] * 10)
    assert read(f"a: &a x\nb: &b [{ten}]\nc: [{ten.replace('a', 'b')}]\n") == (None, ["MH108"])


def test_billion_laughs_are_refused_before_they_are_told(either_parser):
    lines = ["l0: &l0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"l{n}: &l{n} [" + f"*l{n - 1}, " * 10 + "]" for n in range(1, 30)]
    assert read("\n".join(lines)) == (None, ["MH108"])


def test_few_aliases_of_something_huge_are_refused():
    huge = "[" + ",".join(["1"] * 60_000) + "]"
    assert read(f"a: &a {huge}\nb: [*a, *a]\n") == (None, ["MH108"])


def test_file_larger_than_the_limit_is_not_parsed():
    text = "a: " + "x" * yaml_reader.MAX_BYTES
    assert read(text) == (None, ["MH108"])
    assert decode(text.encode(), "a.yaml")[0] is None


def test_bytes_that_are_not_utf8_are_placed():
    text, (problem,) = decode("a: 1\nb: 从不".encode("gb18030"), "a.yaml")
    assert text is None
    assert (problem.code, problem.line, problem.column) == ("MH101", 2, 4)


def test_byte_order_mark_is_skipped():
    assert decode("\ufeffa: 1".encode(), "a.yaml") == ("a: 1", [])


def test_odd_keys_are_written_short_and_quoted():
    assert write_path(("a", 0, "b c")) == "a[0]['b c']"
    assert len(write_path(("x" * 500,))) < 60


def typed_rule_by_rule(text):
    """The type of a plain scalar, each rule asked in turn: what the reader must agree with."""
    if text in yaml_reader._WORDS:
        return yaml_reader._WORDS[text], ""
    rules = [(yaml_reader._TRUTH, "a truth value or a text"), *yaml_reader._AMBIGUOUS]
    readings = [reading for pattern, reading in rules if pattern.match(text)]
    if readings or not yaml_reader._DECIMAL.match(text):
        return text, (readings or [""])[0]
    return yaml_reader._number(text)


@given(
    st.text("0123456789.-+:_eExo=~", max_size=20)
    | st.text("yesnoYESNOftrulaTRULA", max_size=6)
    | st.text(max_size=6)
)
@example("0.10")
@example("-0")
@example("1234567890")
@example("0.1234567")
@example("1.")
def test_the_short_way_for_usual_scalars_types_them_as_the_rules_do(text):
    found, expected = yaml_reader._typed(text), typed_rule_by_rule(text)
    assert found == expected
    assert type(found[0]) is type(expected[0])


@given(st.sampled_from([0, 1, 5, 50]), st.booleans())
def test_places_are_found_again_in_the_text(lines, nested):
    text = "\n" * lines + ("a: {b: [1, {c: 中文}]}\n" if nested else "a: &x [1]\nd: *x\n")
    document, _ = read_yaml(text, "a.yaml")
    path = ("a", "b", 1, "c") if nested else ("d",)
    assert document.value_place(path)[0] == lines + (1 if nested else 2)
    assert ("a", lines + 1) in document.lines
