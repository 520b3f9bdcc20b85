"""Every result gives a tidy frame, a picture where there is one, and says what to know first."""

import sys
from dataclasses import dataclass

import pytest
from matplotlib.axes import Axes

from mhscreen.problems import Problem, UsageError
from mhscreen.psychometrics import Result


@dataclass(frozen=True, repr=False, eq=False)
class Plain(Result):
    problems: tuple[Problem, ...] = ()

    def title(self):
        return "Two figures, 10 forms"

    def columns(self):
        return {"item": ["a", "b"], "figure": [0.12345, float("nan")]}


class Drawn(Plain):
    def _draw(self, ax):
        ax.plot([0, 1])


def test_the_text_has_title_figures_and_problems():
    text = repr(Plain((Problem("MH712", "runs against the others", path="b"),)))
    assert text.splitlines()[0] == "Two figures, 10 forms"
    assert "0.123" in text
    assert text.endswith("b: runs against the others  [MH712 against-the-scale]")


def test_the_frame_has_a_row_for_each_thing():
    assert list(Plain().to_frame()["item"]) == ["a", "b"]


def test_a_picture_is_drawn_where_asked_or_in_a_figure_of_its_own():
    ax = Drawn().plot()
    assert isinstance(ax, Axes)
    assert Drawn().plot(ax) is ax
    assert len(ax.lines) == 2


def test_a_picture_leaves_no_figure_behind():
    import matplotlib.pyplot as plt

    Drawn().plot()
    assert plt.get_fignums() == []


def test_a_result_without_a_picture_says_so():
    with pytest.raises(UsageError, match="no picture of Plain"):
        Plain().plot()


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"install mhscreen\[plots\]"):
        Drawn().plot()
