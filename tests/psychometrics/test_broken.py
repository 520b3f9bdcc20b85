"""One broken input per problem code of analyses, with its message beside it.

``broken/<code>-<slug>.txt`` holds what must be said. Codes that another file shows are named in
`ELSEWHERE`.
"""

from pathlib import Path

import numpy as np
import pytest

import mhscreen.psychometrics as mp
from mhscreen.problems import CATALOGUE, AnalysisError, ProblemLog
from mhscreen.psychometrics import as_answers, checks
from mhscreen.psychometrics.moments import moments

HERE = Path(__file__).parent
ELSEWHERE: dict[str, str] = dict.fromkeys(
    ("MH720", "MH721", "MH722", "MH723", "MH724", "MH729"), "tests/psychometrics/test_accuracy.py"
)
ELSEWHERE |= dict.fromkeys(("MH725", "MH728"), "tests/psychometrics/test_change.py")
ELSEWHERE |= dict.fromkeys(("MH708", "MH726", "MH727"), "tests/psychometrics/test_norms.py")
ELSEWHERE |= dict.fromkeys(("MH707", "MH730"), "tests/psychometrics/test_irt.py")
ELSEWHERE |= {"MH731": "tests/psychometrics/test_dif.py"}
FIVE = [0, 1, 2, 3, 1]


def logged(check, *arguments):
    log = ProblemLog()
    check(*arguments, log)
    raise AnalysisError(log)


def correlations(*values):
    """Return a matrix of three items."""
    one, two, three = values
    return np.array([[1, one, two], [one, 1, three], [two, three, 1]])


def warned(result):
    raise AnalysisError(result.problems)


THIRTY_WITH_ONE_TURNED = np.repeat(
    [[0, 0, 3], [1, 1, 2], [2, 3, 2], [3, 3, 0], [1, 2, 1], [0, 1, 3]], 5, axis=0
)
ONE_OUT_OF_ORDER = np.repeat(
    [[0, 0, 0, 0], [2, 1, 0, 1], [1, 2, 2, 1], [3, 3, 3, 3],
     [0, 1, 0, 0], [2, 1, 1, 1], [1, 2, 2, 2], [3, 2, 3, 3]],
    12, axis=0,
)  # fmt: skip
BROKEN = {
    "MH701": lambda: as_answers({"q1": FIVE, "q2": ["1", "2", "3", "0", "1"]}),
    "MH702": lambda: moments(as_answers({"q1": FIVE, "q2": [2, 2, 2, 2, 2]})),
    "MH703": lambda: logged(checks.check_gaps, as_answers({"q1": FIVE, "q2": [0, 1, 4, 4, 1]})),
    "MH704": lambda: logged(checks.check_perfect, "abc", correlations(0.2, -1, -0.2)),
    "MH705": lambda: moments(as_answers({"q1": [1, 2], "q2": [2, 1], "q3": [3, None]})),
    "MH706": lambda: logged(checks.check_positive_definite, correlations(0.9, 0.9, -0.9)),
    "MH709": lambda: checks.give_up("two factors", 200, "ask for fewer factors"),
    "MH710": lambda: moments(
        as_answers({"q1": [1, 2, 3, None, None, None], "q2": [None, None, None, 1, 2, 2]}),
        missing="pairwise",
    ),
    "MH711": lambda: as_answers({"q1": FIVE}, weights=[1, 1, -1, None, 1]),
    "MH712": lambda: warned(mp.estimate_alpha(THIRTY_WITH_ONE_TURNED)),
    "MH713": lambda: warned(mp.correlate_ordered(np.repeat([[0, 0], [1, 1]], 9, axis=0))),
    "MH714": lambda: warned(mp.bound_reliability({"q1": FIVE, "q2": [0, 2, 2, 3, 0]})),
    "MH716": lambda: warned(mp.estimate_alpha({"q1": FIVE, "q2": [2, 0, 1, 3, 2], "q3": FIVE})),
    "MH715": lambda: warned(mp.trace_options(ONE_OUT_OF_ORDER)),
}


@pytest.mark.parametrize("code", BROKEN)
def test_a_broken_input_gets_the_message_beside_it(code):
    kind = CATALOGUE[code]
    expected = (HERE / "broken" / f"{code.lower()}-{kind.slug}.txt").read_text("utf-8")
    with pytest.raises(AnalysisError) as caught:
        BROKEN[code]()
    assert [problem.code for problem in caught.value.problems] == [code]
    assert f"{caught.value}\n" == expected


def test_every_code_of_an_analysis_has_a_broken_input():
    codes = {code for code in CATALOGUE if code.startswith("MH7")}
    assert codes == BROKEN.keys() | ELSEWHERE.keys()
    assert {path.name[:5].upper() for path in (HERE / "broken").iterdir()} == BROKEN.keys()


def test_a_code_shown_elsewhere_is_shown_there():
    for code, file in ELSEWHERE.items():
        assert code in (HERE.parents[1] / file).read_text("utf-8")


def test_a_matrix_of_too_few_forms_is_called_singular():
    with pytest.raises(AnalysisError, match="the matrix is singular"):
        logged(checks.check_positive_definite, correlations(0.5, 1, 0.5))


def test_every_lack_is_named_at_once():
    with pytest.raises(AnalysisError) as caught:
        moments(as_answers({"q1": [1, 1, 1, 1], "q2": [1, 2, 2, 1], "q3": [0, 0, 0, 0]}))
    assert [problem.path for problem in caught.value.problems] == ["q1", "q3"]
