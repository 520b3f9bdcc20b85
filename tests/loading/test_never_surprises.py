"""Whatever a file holds, reading it ends in a definition or in placed problems."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from mhscreen.loading import read_cases, read_definition

GOOD = Path(__file__).parent.parent / "definitions" / "good"
TEXTS = [file.read_text(encoding="utf-8") for file in sorted(GOOD.rglob("*.yaml"))]
WORDS = """
    no 012 1.0 -1 0 2.5 99999999999 '' x q1 q5 {} [] [[1]] null true *a &a !t all item wilting
    growth sum_of_scales '[key]' answers raw any count reverse self sha256: 1.0.0
"""


@st.composite
def changed_texts(draw):
    """A good file in which a few words were replaced, or lines lost or doubled."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["word", "word", "lose", "double"]))
        if kind == "word":
            words = [*re.finditer(r"[\w@./-]+|[\[\]{}]", text)]
            match = words[draw(st.integers(0, len(words) - 1))]
            text = (
                text[: match.start()] + draw(st.sampled_from(WORDS.split())) + text[match.end() :]
            )
            continue
        lines = text.split("\n")
        line = draw(st.integers(0, len(lines) - 1))
        lines[line : line + 1] = [lines[line]] * 2 if kind == "double" else []
        text = "\n".join(lines)
    return text


def check(text):
    for read in (read_definition, read_cases):
        model, problems = read(text, "a.yaml")
        assert (model is None) == bool(problems)
        for problem in problems:
            assert problem.line is not None
            assert problem.column is not None
            assert not problem.expected.endswith(": ")
            assert len(problem.what) < 200


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    check(text)


@given(changed_texts())
def test_any_change_of_a_good_file_is_read_or_refused(text):
    check(text)
