"""Cases and work lists as frames."""

import pandas as pd
import pytest

from mhscreen import due, to_frame
from mhscreen.problems import UsageError


@pytest.fixture(scope="module")
def cases(book):
    severe = book.severe()
    talk = book.interview("2026-10-15", severe)
    return book.cases(severe, talk, book.decide("2026-10-16", "severe", severe, talk))


def test_each_pupil_has_a_row_with_codes(cases):
    frame = to_frame(cases)
    assert isinstance(frame, pd.DataFrame)
    row = frame.iloc[0]
    assert (row["pupil"], row["school"], row["case_tier"]) == ("A1", "S", "severe")
    assert row["open_actions"] == len(cases["A1"].open_actions)


def test_the_work_list_says_who_does_what_by_when_and_why(cases):
    frame = to_frame(due(cases, "2026-10-17"))
    guardian = frame[frame["action"] == "tell_guardian"].iloc[0]
    assert (guardian["by"], guardian["to"], guardian["overdue"]) == (
        "deputy_head",
        "guardian",
        True,
    )
    assert guardian["due_at"] == "2026-10-16T18:00:00+08:00"
    assert guardian["because"] == cases["A1"].decisions[0].entry_id


def test_something_else_is_refused():
    with pytest.raises(UsageError, match="Cases, work items or problems"):
        to_frame({"pupil": ["A1"]})
