"""How much items tell about the latent trait, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.problems import Problem
    from mhscreen.psychometrics.irt.parameters import ItemParameters

    Floats = NDArray[np.float64]

__all__ = ["Information", "measure_information"]


@dataclass(frozen=True, eq=False, repr=False)
class Information(Result):
    """Fisher information about the latent trait.

    Attributes
    ----------
    items : tuple of str
        The items.
    points : ndarray of float64, shape (points,)
        Values of the trait.
    by_item : ndarray of float64, shape (items, points)
        Information of each item.
    """

    items: tuple[str, ...]
    points: Floats
    by_item: Floats
    problems: tuple[Problem, ...] = ()

    @property
    def test(self) -> Floats:
        """The information of all items together, shape (points,)."""
        whole: Floats = self.by_item.sum(axis=0)
        return whole

    @property
    def standard_error(self) -> Floats:
        """Of a maximum likelihood score at each point, shape (points,)."""
        with np.errstate(divide="ignore"):
            return 1.0 / np.sqrt(self.test)

    def title(self) -> str:
        """Return what the information is of."""
        return f"Information of {len(self.items)} items about the latent trait"

    def columns(self) -> dict[str, Any]:
        """Return a row for each point: all items together, then each item."""
        return {
            "theta": self.points,
            "test": self.test,
            "standard_error": self.standard_error,
            **dict(zip(self.items, self.by_item, strict=True)),
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the items and the test."""
        for item, values in zip(self.items, self.by_item, strict=True):
            ax.plot(self.points, values, label=item, linewidth=1)
        ax.plot(self.points, self.test, color="black", label="test")
        ax.set(xlabel="latent trait", ylabel="information")
        ax.legend(fontsize="small")


def measure_information(parameters: ItemParameters, points: ArrayLike | None = None) -> Information:
    """Return the information of each item and of the test.

    Parameters
    ----------
    parameters : ItemParameters
        The items.
    points : array_like, optional
        Values of the trait; −4 to 4 in steps of a tenth by default.

    Examples
    --------
    >>> from mhscreen.psychometrics.irt import take_parameters
    >>> item = take_parameters("2pl", {"q1": (2.0, [0.0])})
    >>> measure_information(item, [0.0, 1.0]).test.round(3).tolist()
    [1.0, 0.42]
    """
    theta = np.linspace(-4, 4, 81) if points is None else np.asarray(points, dtype=np.float64)
    by_item = [
        models.information(parameters.model, np.concatenate([[slope], steps])[None], theta)[0]
        for slope, steps in zip(parameters.slopes, parameters.intercepts, strict=True)
    ]
    return Information(parameters.items, theta, np.array(by_item))
