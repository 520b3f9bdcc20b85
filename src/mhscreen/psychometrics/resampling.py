"""Bootstrap replicates as weighted sums: each form counts 0, 1, 2, … times, Poisson with mean 1.

A replicate is a row of weights, so a thousand replicates are one matrix product with what is to
be summed up (Hanley & MacGibbon 2006 on Poisson weights; the number of forms of a replicate
varies by its square root, which does not matter from some 50 forms on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mhscreen.problems import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["percentile_interval", "random_numbers", "resampled_sums"]

_LEVELS = 2**16  # of the random numbers that are looked up
_BLOCK = 4096  # forms
_LEAST_REPLICATES = 100


def random_numbers(seed: int | np.random.Generator | None, what: str) -> np.random.Generator:
    """Return the generator that a call hands over.

    Raises
    ------
    UsageError
        Without one: the same call gives the same figures.
    """
    if seed is None:
        msg = f"{what} draws at random: hand over a seed, so that the figures can be had again"
        raise UsageError(msg)
    return np.random.default_rng(seed)


def resampled_sums(
    rows: Callable[[slice], NDArray[np.float32]],
    forms: int,
    replicates: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return weighted sums of the rows, for each replicate.

    Parameters
    ----------
    rows : callable
        From a slice of forms to what is summed, shape (its forms, columns), near 0 for precision.
    forms, replicates : int
        How many.
    rng : numpy Generator
        Where the weights come from.

    Returns
    -------
    ndarray, shape (replicates, columns)
    """
    if replicates < _LEAST_REPLICATES:
        msg = f"at least {_LEAST_REPLICATES} replicates, not {replicates}"
        raise UsageError(msg)
    counts = _poisson_table()
    total: NDArray[np.float64] | None = None
    for start in range(0, forms, _BLOCK):
        part = rows(slice(start, min(start + _BLOCK, forms)))
        drawn = rng.integers(0, _LEVELS, (replicates, len(part)), dtype=np.uint16)
        sums = counts[drawn] @ part
        total = sums.astype(np.float64) if total is None else total + sums
    return np.zeros((replicates, 0)) if total is None else total


def percentile_interval(replicates: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return the percentile interval of a figure over its replicates."""
    tail = (1 - level) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)


def _poisson_table() -> NDArray[np.float32]:
    """Return the Poisson count, mean 1, of each of `_LEVELS` equally likely numbers."""
    count = np.arange(12)
    shares = np.exp(-1) / np.cumprod(np.maximum(count, 1))
    middle = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.searchsorted(np.cumsum(shares), middle).astype(np.float32)
