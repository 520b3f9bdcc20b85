"""Distributions of a raw score whose parameters may change with age, grade and sex.

Each gives the probability of every possible raw score, and its slopes in the parameters. A
continuous one is cut at the half points, its ends taking in what lies beyond: all families then
speak of the same whole scores and can be compared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["FAMILIES", "BetaBinomial", "BoxCox", "Family", "ScoreRange", "Shash"]

_TINY = 1e-300
_NORMAL = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class ScoreRange:
    """The whole raw scores from the least to the greatest, and where the sample lies.

    Attributes
    ----------
    low, high : int
    mean, sd : float
        Of the sample; where fits begin.
    """

    low: int
    high: int
    mean: float
    sd: float

    @property
    def scores(self) -> Floats:
        """Every possible raw score."""
        return np.arange(self.low, self.high + 1, dtype=np.float64)


class Family(Protocol):
    """What a distribution must be able to do."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its parameters."""

    def start(self, of: ScoreRange) -> Floats:
        """Return parameters to begin with, shape (parameters,)."""

    def log_shares(self, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        """Return log probabilities and their slopes.

        Parameters
        ----------
        eta : ndarray of float64, shape (cells, parameters)
            On the scale on which they are unbounded.
        of : ScoreRange

        Returns
        -------
        log_shares : ndarray of float64, shape (cells, scores)
        slopes : ndarray of float64, shape (parameters, cells, scores)
        """


class BetaBinomial:
    """A share of the range that differs between pupils like a beta distribution.

    ``mean`` is the logit of the expected share, ``dispersion`` the logarithm of 1 / (α + β).
    """

    name = "beta_binomial"
    parameters = ("mean", "dispersion")

    def start(self, of: ScoreRange) -> Floats:
        """Begin at the mean and variance of the sample."""
        size = of.high - of.low
        share = float(np.clip((of.mean - of.low) / size, 0.02, 0.98))
        excess = of.sd**2 / (size * share * (1 - share))
        intra = float(np.clip((excess - 1) / (size - 1), 0.01, 0.9)) if size > 1 else 0.1
        return np.array([np.log(share / (1 - share)), np.log(intra / (1 - intra))])

    def log_shares(self, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        """See `Family`."""
        from scipy.special import digamma, expit, gammaln

        hits, size = of.scores - of.low, float(of.high - of.low)
        share, total = expit(eta[:, :1]), np.exp(-eta[:, 1:2])
        a, b = share * total, (1 - share) * total
        log = (
            gammaln(size + 1) - gammaln(hits + 1) - gammaln(size - hits + 1)
            + gammaln(hits + a) + gammaln(size - hits + b) - gammaln(size + total)
            + gammaln(total) - gammaln(a) - gammaln(b)
        )  # fmt: skip
        both = digamma(total) - digamma(size + total)
        by_a = digamma(hits + a) - digamma(a) + both
        by_b = digamma(size - hits + b) - digamma(b) + both
        by_mean = share * (1 - share) * total * (by_a - by_b)
        return log, np.stack([by_mean, -(a * by_a + b * by_b)])


class _Cut(ABC):
    """A continuous distribution whose z score is given, cut at the half points."""

    parameters: tuple[str, ...]

    @abstractmethod
    def _z(self, points: Floats, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        """Return z scores and their slopes by each parameter."""

    def z(self, points: Floats, eta: Floats, of: ScoreRange) -> Floats:
        """Return the z score of raw scores, whole or not; shape (cells, points)."""
        return self._z(points, eta, of)[0]

    def log_shares(self, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        """See `Family`."""
        from scipy.special import ndtr

        z, slopes = self._z(of.scores[:-1] + 0.5, eta, of)
        density = np.exp(-0.5 * z**2) / _NORMAL
        edge = np.zeros((len(eta), 1))
        # In the upper tail differences are taken from above, where they keep their digits.
        below = np.concatenate([edge, ndtr(z), edge + 1], axis=1)
        above = np.concatenate([edge + 1, ndtr(-z), edge], axis=1)
        shares = np.where(
            below[:, :-1] < 0.5,  # noqa: PLR2004 - the middle
            np.diff(below, axis=1),
            -np.diff(above, axis=1),
        )
        shares = np.maximum(shares, _TINY)
        rise = slopes * density
        none = np.zeros((len(slopes), len(eta), 1))
        by_share = np.diff(np.concatenate([none, rise, none], axis=2), axis=2)
        return np.log(shares), by_share / shares


class Shash(_Cut):
    """The sinh-arcsinh distribution (Jones and Pewsey 2009): place, spread, skewness and tails.

    ``location`` in standard deviations of the sample from its mean, ``scale`` the logarithm of the
    spread in such, ``skewness`` 0 and ``tails`` (a logarithm) 0 for a normal distribution.
    """

    name = "shash"
    parameters = ("location", "scale", "skewness", "tails")

    def start(self, of: ScoreRange) -> Floats:
        """Begin at a normal distribution."""
        del of
        return np.zeros(4)

    def _z(self, points: Floats, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        place, scale, skewness, tails = (eta[:, [k]] for k in range(4))
        spread = np.exp(np.clip(scale, -8, 8))
        x = ((points - of.mean) / of.sd - place) / spread
        bent = np.arcsinh(x)
        heavy = np.exp(np.clip(tails, -3, 3))
        inner = np.clip(heavy * bent + skewness, -20, 20)
        slope = np.cosh(inner)
        by_x = slope * heavy / np.sqrt(1 + x**2)
        return np.sinh(inner), np.stack([-by_x / spread, -by_x * x, slope, slope * heavy * bent])


class BoxCox(_Cut):
    """The LMS method (Cole and Green 1992): median, coefficient of variation, Box-Cox power.

    ``median`` and ``variation`` are logarithms, of raw scores moved up so that the lowest is 1.
    """

    name = "lms"
    parameters = ("median", "variation", "power")

    @staticmethod
    def add(of: ScoreRange) -> float:
        """Return what is added to each raw score."""
        return float(max(0, 1 - of.low))

    def start(self, of: ScoreRange) -> Floats:
        """Begin at a square root."""
        centre = max(of.mean + self.add(of), 0.5)
        return np.array([np.log(centre), np.log(of.sd / centre), 0.5])

    def _z(self, points: Floats, eta: Floats, of: ScoreRange) -> tuple[Floats, Floats]:
        median, variation, power = (eta[:, [k]] for k in range(3))
        ratio = np.log(points + self.add(of)) - median
        spread = np.exp(np.clip(variation, -8, 8))
        bent = np.clip(power * ratio, -50, 50)
        small = np.abs(power) < 1e-6  # noqa: PLR2004 - where the quotient loses its digits
        divisor = np.where(small, 1.0, power)
        moved = np.where(small, ratio + power * ratio**2 / 2, np.expm1(bent) / divisor)
        by_power = np.where(
            small, ratio**2 / 2, (ratio * np.exp(bent) * power - np.expm1(bent)) / divisor**2
        )
        z = moved / spread
        return z, np.stack([-np.exp(bent) / spread, -z, by_power / spread])


FAMILIES: dict[str, BetaBinomial | Shash | BoxCox] = {
    family.name: family for family in (BetaBinomial(), Shash(), BoxCox())
}
"""By name."""
