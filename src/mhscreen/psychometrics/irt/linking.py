"""Linking: two calibrations onto one scale, by the items that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.checks import give_up
from mhscreen.psychometrics.irt.likelihood import log_normal, quadrature
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.parameters import ItemParameters

    Floats = NDArray[np.float64]

__all__ = ["Link", "LinkMethod", "link_scales"]

LinkMethod = Literal["mean_sigma", "mean_mean", "haebara", "stocking_lord"]
"""By the moments of the thresholds (or of slopes and thresholds), by the items' curves (Haebara
1980), by the test's curve (Stocking and Lord 1983)."""

_FEW = 2
_METHODS = ("mean_sigma", "mean_mean", "haebara", "stocking_lord")


@dataclass(frozen=True, eq=False, repr=False)
class Link(Result):
    """How one scale becomes another: θ_to = slope · θ_from + intercept.

    Attributes
    ----------
    slope, intercept : float
        The two constants.
    method : str
        How they were found.
    items : tuple of str
        The shared items.
    before, after : ndarray of float64, shape (items,)
        How far apart the two expected answers of each item are, weighted by the trait, before and
        after linking. An item that stays far apart has drifted.
    """

    slope: float
    intercept: float
    method: LinkMethod
    items: tuple[str, ...]
    before: Floats
    after: Floats
    problems: tuple[Problem, ...] = ()

    def apply(self, parameters: ItemParameters) -> ItemParameters:
        """Return parameters of the first scale on the second."""
        return parameters.rescaled(self.slope, self.intercept)

    def title(self) -> str:
        """Return the constants."""
        return (
            f"Linked by {self.method} over {len(self.items)} items: "
            f"{self.slope:.4f} · θ + {self.intercept:.4f}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each shared item."""
        return {"item": list(self.items), "before": self.before, "after": self.after}

    def _draw(self, ax: Axes) -> None:
        """Draw how far apart the items were and are."""
        place = np.arange(len(self.items))
        ax.barh(place - 0.2, self.before, height=0.4, label="before")
        ax.barh(place + 0.2, self.after, height=0.4, label="after")
        ax.set_yticks(place, self.items)
        ax.invert_yaxis()
        ax.set(xlabel="difference of expected answers")
        ax.legend()


def link_scales(
    from_: ItemParameters,
    to: ItemParameters,
    items: Sequence[str] | None = None,
    *,
    method: LinkMethod = "stocking_lord",
    points: int = 61,
) -> Link:
    """Find the constants that bring one calibration onto the scale of another.

    Parameters
    ----------
    from_, to : ItemParameters
        Of one model and the same codes for the shared items.
    items : sequence of str, optional
        The shared items that link; all shared ones by default.
    method : {"stocking_lord", "haebara", "mean_sigma", "mean_mean"}
        The curve methods compare over a standard normal trait on the scale of `to`, in one
        direction.
    points : int
        Of that trait.

    Raises
    ------
    AnalysisError
        With MH705 for fewer than two shared items, MH709 if no constants were found.
    UsageError
        For two models, or shared items of other codes.

    Examples
    --------
    >>> from mhscreen.psychometrics.irt import take_parameters
    >>> old = take_parameters("graded", {"q1": (1.0, [-1.0, 0.5]), "q2": (2.0, [0.0, 1.0])})
    >>> found = link_scales(old.rescaled(1.25, 0.5), old)
    >>> round(found.slope, 4), round(found.intercept, 4)
    (0.8, -0.4)
    """
    if method not in _METHODS:
        msg = f"method is {', '.join(map(repr, _METHODS))}, not {method!r}"
        raise UsageError(msg)
    shared = [item for item in to.items if item in from_.items] if items is None else list(items)
    if len(shared) < _FEW:
        raise AnalysisError(
            [Problem("MH705", f"{len(shared)} shared items", expected="at least two")]
        )
    old, new = from_.pick(shared), to.pick(shared)
    same = all(np.array_equal(a, b) for a, b in zip(old.codes, new.codes, strict=True))
    if old.model != new.model or not same:
        msg = "both calibrations must be of one model, and the shared items of the same codes"
        raise UsageError(msg)
    slope, intercept = _by_moments(old, new, sigma=method != "mean_mean")
    theta = quadrature(points)
    weights = np.exp(log_normal(theta, 0.0, 1.0))
    if method in {"haebara", "stocking_lord"}:
        slope, intercept = _by_curves(old, new, (slope, intercept), method, theta, weights)
    return Link(
        slope,
        intercept,
        method,
        tuple(shared),
        _apart(old, new, theta, weights),
        _apart(old.rescaled(slope, intercept), new, theta, weights),
    )


def _by_moments(old: ItemParameters, new: ItemParameters, *, sigma: bool) -> tuple[float, float]:
    """Return constants from means and standard deviations of the parameters."""
    b_old, b_new = np.concatenate(old.thresholds), np.concatenate(new.thresholds)
    if sigma:
        slope = float(np.std(b_new) / np.std(b_old))
    else:
        slope = float(np.mean(old.slopes) / np.mean(new.slopes))
    return slope, float(np.mean(b_new) - slope * np.mean(b_old))


def _by_curves(
    old: ItemParameters,
    new: ItemParameters,
    begin: tuple[float, float],
    method: str,
    theta: Floats,
    weights: Floats,
) -> tuple[float, float]:
    """Return constants under which the curves differ least."""
    from scipy.optimize import least_squares

    root = np.sqrt(weights)
    goal = new.chances(theta)
    score = new.expected_score(theta)

    def by_item(x: Floats) -> Floats:
        found = old.rescaled(*x).chances(theta)
        return np.concatenate(
            [(root[:, None] * (a - b)).ravel() for a, b in zip(found, goal, strict=True)]
        )

    def by_test(x: Floats) -> Floats:
        moved: Floats = root * (old.rescaled(*x).expected_score(theta) - score)
        return moved

    apart: Callable[[Floats], Floats] = by_item if method == "haebara" else by_test
    found = least_squares(apart, begin, bounds=([1e-3, -np.inf], np.inf), xtol=1e-12, ftol=1e-12)
    if not found.success:
        give_up("linking", int(found.nfev), "do the two calibrations measure the same trait?")
    return float(found.x[0]), float(found.x[1])


def _apart(old: ItemParameters, new: ItemParameters, theta: Floats, weights: Floats) -> Floats:
    """Return the root mean square difference of each item's expected answers."""
    return np.array(
        [
            np.sqrt(weights @ ((a @ codes - b @ codes) ** 2))
            for a, b, codes in zip(old.chances(theta), new.chances(theta), new.codes, strict=True)
        ]
    )
