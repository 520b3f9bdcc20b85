"""An item response model counted out with plain numbers, to check a definition against.

`mhscreen.kernels.irt` scores forms with arrays; definitions are read without arrays. The two
share the fixed quadrature: points at equal steps within eight standard deviations of the prior.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil, exp, expm1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mhscreen.definitions.kinds import Irt, IrtItem

__all__ = ["extreme_scores", "probabilities", "quadrature_points", "sum_scores"]

_REACH = 8.0
_STEPS_PER_UNIT = 20


def quadrature_points(mean: float, sd: float) -> list[float]:
    """Return the points of the latent trait over which a score is averaged.

    Their step is a twentieth of the prior's standard deviation or, if that is smaller, of one, so
    that no item with a plausible discrimination falls between two points.

    Examples
    --------
    >>> points = quadrature_points(0.0, 1.0)
    >>> len(points), points[0], points[160], points[-1]
    (321, -8.0, 0.0, 8.0)
    """
    half = ceil(_REACH * max(sd, 1.0) * _STEPS_PER_UNIT - 1e-9)
    return [mean + _REACH * sd * (place / half) for place in range(-half, half + 1)]


def probabilities(model: str, item: IrtItem, point: float) -> list[float]:
    """Return the probability of each keyed item score at one point of the latent trait."""
    if model == "graded":
        x = [item.a * (point - b) for b in item.b]
        # The difference of two logistic functions, without cancellation.
        between = [_logistic(u) * _logistic(-v) * -expm1(v - u) for u, v in pairwise(x)]
        return [_logistic(-x[0]), *between, _logistic(x[-1])]
    steps = [0.0]
    for b in item.b:
        steps.append(steps[-1] + item.a * (point - b))
    largest = max(steps)
    weights = [exp(step - largest) for step in steps]
    return [weight / sum(weights) for weight in weights]


def extreme_scores(irt: Irt, items: Sequence[str]) -> tuple[float, float]:
    """Return the EAP of the lowest and of the highest answer to every item, on the metric."""
    points, prior = _prior(irt)
    low, high = list(prior), list(prior)
    for key in items:
        for place, point in enumerate(points):
            chances = probabilities(irt.model, irt.parameters[key], point)
            low[place] *= chances[0]
            high[place] *= chances[-1]
        low, high = _rescaled(low), _rescaled(high)
    return _score(irt, points, low), _score(irt, points, high)


def sum_scores(irt: Irt, keyed: Sequence[tuple[str, Sequence[int]]]) -> dict[int, float]:
    """Return the EAP from each sum of keyed item scores, on the metric.

    Parameters
    ----------
    irt : Irt
        The model.
    keyed : sequence of (str, sequence of int)
        Items, each with its keyed item scores, rising.
    """
    points, prior = _prior(irt)
    sums: dict[int, list[float]] = {0: prior}
    for key, scores in keyed:
        chances = [probabilities(irt.model, irt.parameters[key], point) for point in points]
        longer: dict[int, list[float]] = {}
        for total, likelihood in sums.items():
            for rank, score in enumerate(scores):
                into = longer.setdefault(total + score, [0.0] * len(points))
                for place, chance in enumerate(chances):
                    into[place] += likelihood[place] * chance[rank]
        sums = longer
    return {total: _score(irt, points, sums[total]) for total in sorted(sums)}


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def _prior(irt: Irt) -> tuple[list[float], list[float]]:
    points = quadrature_points(irt.prior.mean, irt.prior.sd)
    return points, [exp(-0.5 * ((p - irt.prior.mean) / irt.prior.sd) ** 2) for p in points]


def _rescaled(likelihood: list[float]) -> list[float]:
    largest = max(likelihood)
    return [one / largest for one in likelihood]


def _score(irt: Irt, points: list[float], likelihood: list[float]) -> float:
    likelihood = _rescaled(likelihood)
    weighted = sum(p * w for p, w in zip(points, likelihood, strict=True))
    return irt.metric.mean + irt.metric.sd * weighted / sum(likelihood)
