"""Item parameters: estimated, or taken from a publication."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import BLANK
from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.patterns import Patterns, patterns
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers

    Floats = NDArray[np.float64]

__all__ = ["ItemParameters", "take_parameters"]


@dataclass(frozen=True, eq=False, repr=False)
class ItemParameters(Result):
    """Slopes and intercepts of items; see `mhscreen.psychometrics.irt.models`.

    Attributes
    ----------
    model : str
        ``"graded"``, ``"partial_credit"`` or ``"2pl"``.
    items : tuple of str
        The items.
    slopes : ndarray of float64, shape (items,)
        Discrimination, on the logistic metric.
    intercepts : tuple of ndarray of float64, each of shape (categories − 1,)
        Of each item.
    codes : tuple of ndarray of float64, each of shape (categories,)
        The answer that each category is, ascending.
    """

    model: models.Model
    items: tuple[str, ...]
    slopes: Floats
    intercepts: tuple[Floats, ...]
    codes: tuple[Floats, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def thresholds(self) -> tuple[Floats, ...]:
        """The thresholds (graded) or step parameters (partial credit) b = −d / a."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return tuple(
                -steps / slope for slope, steps in zip(self.slopes, self.intercepts, strict=True)
            )

    @property
    def equal_slopes(self) -> bool:
        """Whether several items all have the very same slope."""
        return len(self.slopes) > 1 and bool((self.slopes == self.slopes[0]).all())

    def pick(self, items: Sequence[str]) -> ItemParameters:
        """Return some of the items, in the order asked for."""
        unknown = [item for item in items if item not in self.items]
        if unknown:
            msg = f"no parameters of {', '.join(unknown)}; there are {', '.join(self.items)}"
            raise UsageError(msg)
        places = [self.items.index(item) for item in items]
        return ItemParameters(
            self.model,
            tuple(items),
            self.slopes[places],
            tuple(self.intercepts[place] for place in places),
            tuple(self.codes[place] for place in places),
        )

    def rescaled(self, slope: float, intercept: float) -> ItemParameters:
        """Return the same items for the trait θ* = slope · θ + intercept."""
        return ItemParameters(
            self.model,
            self.items,
            self.slopes / slope,
            tuple(
                steps - a * intercept / slope
                for a, steps in zip(self.slopes, self.intercepts, strict=True)
            ),
            self.codes,
        )

    def vector(self) -> Floats:
        """Return slope and intercepts, item after item."""
        return np.concatenate(
            [[slope, *steps] for slope, steps in zip(self.slopes, self.intercepts, strict=True)]
        )

    def chances(self, points: ArrayLike) -> list[Floats]:
        """Return, for each item, the category probabilities, shape (points, categories)."""
        theta = np.asarray(points, dtype=np.float64)
        return [
            models.chances(self.model, slope * theta[:, None] + steps)
            for slope, steps in zip(self.slopes, self.intercepts, strict=True)
        ]

    def expected_score(self, points: ArrayLike) -> Floats:
        """Return the expected sum of the answers at each point, shape (points,)."""
        whole = np.zeros(len(np.asarray(points)))
        for p, codes in zip(self.chances(points), self.codes, strict=True):
            whole += p @ codes
        return whole

    def patterns(self, answers: Answers) -> Patterns:
        """Return the distinct patterns of answers to these items."""
        return patterns(self.places(answers), [len(known) for known in self.codes])

    def places(self, answers: Answers) -> NDArray[np.int8]:
        """Return each answer as its place among the codes, −1 for a blank."""
        taken = answers.pick(self.items)
        found = np.empty(taken.cells.shape, dtype=np.int8)
        log = ProblemLog()
        for place, cells, item, codes in zip(
            found, taken.cells, self.items, self.codes, strict=True
        ):
            place[:] = _bytes_placed(cells, codes) if taken.is_whole else _placed(cells, codes)
            strange = int(np.sum(place == _STRANGE)) if place.min(initial=0) == _STRANGE else 0
            if strange:
                log.add(
                    "MH701",
                    f"{strange} answers that have no parameters",
                    path=item,
                    expected="the codes that the parameters are for",
                    hint="were the answers recoded, or reversed, before the calibration?",
                )
        if log:
            raise AnalysisError(log)
        return found

    def title(self) -> str:
        """Return the model and the number of items."""
        return f"{models.WORDS[self.model]}: parameters of {len(self.items)} items"

    def columns(self) -> dict[str, Any]:
        """Return a row for each item: slope and thresholds."""
        most = max(map(len, self.intercepts))
        table = np.full((most, len(self.items)), np.nan)
        for place, steps in enumerate(self.thresholds):
            table[: len(steps), place] = steps
        return {
            "item": list(self.items),
            "a": self.slopes,
            **{f"b{step + 1}": row for step, row in enumerate(table)},
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the expected answer to each item, as a share of its range."""
        points = np.linspace(-4, 4, 161)
        for item, p, codes in zip(self.items, self.chances(points), self.codes, strict=True):
            ax.plot(points, (p @ codes - codes[0]) / (codes[-1] - codes[0]), label=item)
        ax.set(xlabel="latent trait", ylabel="expected answer, share of its range", ylim=(0, 1))
        ax.legend(fontsize="small")


def take_parameters(
    model: models.Model,
    items: Mapping[str, tuple[float, Sequence[float]]],
    codes: Mapping[str, Sequence[float]] | None = None,
) -> ItemParameters:
    """Return published parameters: for each item its slope and its thresholds.

    Parameters
    ----------
    model : {"graded", "partial_credit", "2pl"}
        The model that they belong to.
    items : mapping of str to (float, sequence of float)
        Slope on the logistic metric (no 1.7) and thresholds or step parameters.
    codes : mapping of str to sequence of float, optional
        The answers that the categories are; 0, 1, 2, … by default.

    Raises
    ------
    UsageError
        For thresholds of the graded model that do not rise, or the wrong number of them.

    Examples
    --------
    >>> known = take_parameters("graded", {"q1": (2.0, [-0.5, 0.5]), "q2": (1.0, [0.0, 1.0])})
    >>> known.expected_score([0.0]).round(3).tolist()
    [1.769]
    """
    models.check_model(model)
    slopes, intercepts, known = [], [], []
    for item, (slope, thresholds) in items.items():
        b = np.asarray(thresholds, dtype=np.float64)
        mine = np.arange(len(b) + 1.0) if codes is None else np.asarray(codes[item], dtype=float)
        if not len(b) or (model == "2pl" and len(b) != 1) or len(mine) != len(b) + 1:
            msg = f"{item}: one threshold less than categories is expected"
            raise UsageError(msg)
        if model != "partial_credit" and (np.diff(-slope * b) >= 0).any():
            msg = f"{item}: thresholds of the graded model rise (fall under a negative slope)"
            raise UsageError(msg)
        if (np.diff(mine) <= 0).any() or not np.isfinite([slope, *b]).all():
            msg = f"{item}: finite parameters and rising codes are expected"
            raise UsageError(msg)
        slopes.append(float(slope))
        intercepts.append(-slope * b)
        known.append(mine.astype(np.float64))
    return ItemParameters(model, tuple(items), np.array(slopes), tuple(intercepts), tuple(known))


_STRANGE = -2


def _bytes_placed(cells: NDArray[np.int8], codes: Floats) -> NDArray[np.int8]:
    """Return the places of one-byte answers among the codes, −1 for a blank."""
    table = np.full(256, _STRANGE, dtype=np.int8)
    table[np.array([BLANK]).view(np.uint8)] = -1
    whole = (codes == np.rint(codes)) & (np.abs(codes) < -int(BLANK))
    table[codes[whole].astype(np.int8).view(np.uint8)] = np.flatnonzero(whole)
    # Bytes are translated several times as fast as an array is indexed.
    return np.frombuffer(cells.tobytes().translate(table.tobytes()), dtype=np.int8)


def _placed(cells: Floats, codes: Floats) -> NDArray[np.int8]:
    """Return the places of answers among the codes, −1 for a blank."""
    nearest = np.minimum(np.searchsorted(codes, cells), len(codes) - 1)
    known = np.where(codes[nearest] == cells, nearest, _STRANGE)
    return np.where(np.isnan(cells), -1, known).astype(np.int8)
