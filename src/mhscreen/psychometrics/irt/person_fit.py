"""Whether the model describes the answers of each form: l_z and its corrected form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import Problem, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.irt import models
from mhscreen.psychometrics.irt.scores import at_trait, trait_of_patterns
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.psychometrics.irt.parameters import ItemParameters

    Floats = NDArray[np.float64]

__all__ = ["PersonFit", "assess_person_fit"]


_NO_VARIANCE = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class PersonFit(Result):
    """How well each form's answers go together; arrays of shape (forms,).

    Attributes
    ----------
    lz : ndarray of float64
        Standardised log-likelihood of the answers (Drasgow, Levine and Williams 1985): low where
        rare answers come without the common ones. It varies less than a standard normal because
        the trait is estimated from the same answers. NaN for a form without answers.
    lz_star : ndarray of float64
        Corrected for that (Snijders 2001, for categories Sinharay 2016).
    theta : ndarray of float64
        The score at which they are taken.
    answered : ndarray of int64
        Answered items that count.
    method : str
        How the trait was scored.
    items : tuple of str
        The items that count.
    """

    lz: Floats
    lz_star: Floats
    theta: Floats
    answered: NDArray[np.int64]
    method: Literal["map", "wle"]
    items: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what was looked at; a low value asks for a look, and shows no fault."""
        return (
            f"Person fit over {len(self.items)} items, trait by {self.method}: a low value asks "
            "for a look at the form"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each form."""
        return {
            "lz": self.lz,
            "lz_star": self.lz_star,
            "theta": self.theta,
            "answered": self.answered,
        }

    def _draw(self, ax: Axes) -> None:
        """Draw the distribution of the corrected index."""
        ax.hist(self.lz_star[~np.isnan(self.lz_star)], bins=40, density=True)
        z = np.linspace(-4, 4, 161)
        ax.plot(z, np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi), label="expected")
        ax.set(xlabel="corrected person fit", ylabel="density")
        ax.legend()


def assess_person_fit(
    answers: object,
    parameters: ItemParameters,
    *,
    leave_out: Sequence[str] = (),
    method: Literal["map", "wle"] = "wle",
    prior: tuple[float, float] = (0.0, 1.0),
) -> PersonFit:
    """Return how well each form's answers go together.

    Parameters
    ----------
    answers
        As for `as_answers`.
    parameters : ItemParameters
        Of the items.
    leave_out : sequence of str
        Items that do not count: critical items, whose answers must make no form suspect.
    method : {"wle", "map"}
        How the trait is scored.
    prior : (float, float)
        Of the MAP.

    Examples
    --------
    >>> from mhscreen.psychometrics.irt import take_parameters
    >>> bank = {f"q{k}": (1.5, [b]) for k, b in enumerate([-2.0, -1.0, 0.0, 1.0, 2.0])}
    >>> items = take_parameters("2pl", bank)
    >>> forms = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]])
    >>> found = assess_person_fit({key: forms[:, k] for k, key in enumerate(bank)}, items)
    >>> (found.lz_star > 0).tolist()
    [True, False]
    """
    if method not in {"map", "wle"}:
        msg = f"method is 'map' or 'wle', not {method!r}"
        raise UsageError(msg)
    unknown = [item for item in leave_out if item not in parameters.items]
    if unknown:
        msg = f"leave_out: no item {', '.join(unknown)}"
        raise UsageError(msg)
    counted = parameters.pick([item for item in parameters.items if item not in leave_out])
    patterns = counted.patterns(as_answers(answers, counted.items))
    theta = trait_of_patterns(patterns, counted, method=method, prior=prior).theta
    answered = (patterns.places >= 0).sum(axis=0)
    usable = ~np.isnan(theta) & (answered > 0)
    lz, lz_star = np.full((2, len(theta)), np.nan)
    lz[usable], lz_star[usable] = _indices(patterns.places[:, usable], counted, theta[usable])
    lost = int(np.isnan(theta[patterns.of_form]).sum())
    problems = (
        ()
        if not lost
        else (Problem("MH709", f"no score was found for {lost} forms", hint="use method='map'"),)
    )
    of_form = patterns.of_form
    return PersonFit(
        lz[of_form],
        lz_star[of_form],
        np.where(answered > 0, theta, np.nan)[of_form],
        answered[of_form],
        method,
        counted.items,
        problems,
    )


def _indices(
    places: NDArray[np.int8],
    parameters: ItemParameters,
    theta: Floats,
) -> tuple[Floats, Floats]:
    """Return both indices of patterns, each at its own trait."""
    here = at_trait(places, parameters, theta)
    rows = np.arange(len(theta))
    tilt = np.zeros(len(theta))  # how the expected log-likelihood moves with the trait
    kept = []
    for answers, slope, steps in zip(places, parameters.slopes, parameters.intercepts, strict=True):
        x = slope * theta[:, None] + steps
        p = models.chances(parameters.model, x)
        log_p = np.log(p)
        first = slope * models.log_slopes(parameters.model, x, p).sum(axis=-1)
        there = answers >= 0
        tilt += there * (p * first * log_p).sum(axis=1)
        kept.append((p, log_p, first, there, np.where(there, answers, 0)))
    share = tilt / here.information
    plain, variance, corrected = np.zeros((3, len(theta)))
    for p, log_p, first, there, mine in kept:
        centred = log_p - (p * log_p).sum(axis=1, keepdims=True)
        plain += there * centred[rows, mine]
        variance += there * (p * centred**2).sum(axis=1)
        weights = centred - share[:, None] * first
        corrected += there * (p * weights**2).sum(axis=1)
    # The score solves an equation in `here.slope`; what is taken off is what that uses up.
    shifted = plain - share * here.slope
    return _standardised(plain, variance), _standardised(shifted, corrected)


def _standardised(value: Floats, variance: Floats) -> Floats:
    """Return values in standard deviations; NaN where so few answers cannot vary."""
    varies = variance > _NO_VARIANCE
    found: Floats = np.where(varies, value / np.sqrt(np.where(varies, variance, 1.0)), np.nan)
    return found
