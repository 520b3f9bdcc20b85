"""What every result of an analysis can do: a tidy frame, a picture, a short text, its problems."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from mhscreen.problems import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mhscreen.problems import Problem

__all__ = ["Result"]

_ROWS_SHOWN = 20


class Result(ABC):
    """The base of the results; each is a frozen dataclass that adds its own figures.

    A result says what it rests on: the number of forms, what happened to blanks, the method.

    Attributes
    ----------
    problems : tuple of Problem
        What to know before a figure is quoted; empty where there is nothing. What forbids a
        figure is raised as `AnalysisError` and never stands here.
    """

    problems: tuple[Problem, ...]

    @abstractmethod
    def title(self) -> str:
        """Return in one line what this is and what it rests on."""

    @abstractmethod
    def columns(self) -> dict[str, Any]:
        """Return the figures as tidy columns of one length; NaN where there is none."""

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a tidy pandas frame, a row for each thing."""
        import pandas as pd

        return pd.DataFrame(self.columns())

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the result; needs the extra ``plots``.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw. A new figure by default, which pyplot does not know:
            ``result.plot().figure.savefig("result.png")``.

        Raises
        ------
        UsageError
            Without matplotlib, or where there is nothing to draw.
        """
        if ax is None:
            ax = _new_axes()
        self._draw(ax)
        return ax

    def _draw(self, ax: Axes) -> None:  # noqa: ARG002 - for those that draw
        """Draw into the axes; a result without a picture leaves it at this."""
        msg = f"there is no picture of {type(self).__name__}; see to_frame()"
        raise UsageError(msg)

    def __repr__(self) -> str:
        """Return the title, the first rows, and the problems."""
        shown = self.to_frame().to_string(
            max_rows=_ROWS_SHOWN, float_format="{:.3f}".format, na_rep="", index=False
        )
        return "\n".join([self.title(), shown, *map(str, self.problems)])


def _new_axes() -> Axes:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "pictures need matplotlib: install mhscreen[plots]"
        raise UsageError(msg) from error
    axes: Axes = Figure(layout="constrained").subplots()
    return axes
