"""What confirmatory models give: estimates, fit, and what levels of invariance lose."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isnan, nan
from typing import TYPE_CHECKING, Any

from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mhscreen.problems import Problem

__all__ = ["Confirmation", "Difference", "Estimate", "Fit", "Invariance", "noncentrality"]


@dataclass(frozen=True)
class Estimate:
    """One parameter of a model.

    Attributes
    ----------
    group : str
        The group; empty where there is one only.
    kind : str
        ``"loading"``, ``"factor_variance"``, ``"factor_covariance"``, ``"residual_variance"``,
        ``"intercept"`` or ``"factor_mean"``; of ordered answers also ``"threshold"`` and
        ``"scale"`` (one over the standard deviation of the variable behind the answers).
    of, on : str
        The item (or factor), and the factor; for a threshold its number, from 1.
    value, se : float
        The estimate and its standard error; the error is NaN of what is fixed, or follows from
        other parameters. With weights, and of ordered answers, it is robust.
    standardised : float
        With items and factors of variance 1; NaN of means and intercepts.
    """

    group: str
    kind: str
    of: str
    on: str
    value: float
    se: float
    standardised: float


@dataclass(frozen=True)
class Fit:
    """How a model fits.

    Attributes
    ----------
    chi2, df, p : float
        The likelihood-ratio test against the unrestricted model. Of ordered answers `chi2` is the
        distance that was minimised, and no chi-square: `p` is NaN.
    scaling, shift : float
        By how much `chi2` is too large for answers of this distribution (Satorra & Bentler 1994):
        the mean of the scaled statistic is that of its degrees of freedom. Of ordered answers the
        shift makes its variance right, too (Asparouhov & Muthén 2010); else it is 0.
    chi2_scaled, p_scaled : float
        The test divided by the one, plus the other.
    cfi, tli : float
        Against the model of independent items; of ordered answers both tests are adjusted.
    rmsea, rmsea_low, rmsea_high : float
        Root mean square error of approximation with its 90 % interval; of ordered answers that of
        the adjusted test.
    srmr : float
        Standardised root mean square residual.
    loglik, aic, bic : float
        Log-likelihood and what it is worth; NaN of ordered answers.
    parameters : int
        The free ones.
    forms : int
        The forms behind it.
    """

    chi2: float
    df: int
    p: float
    scaling: float
    shift: float
    chi2_scaled: float
    p_scaled: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    loglik: float
    aic: float
    bic: float
    parameters: int
    forms: int


@dataclass(frozen=True, repr=False, eq=False)
class Confirmation(Result):
    """A confirmatory factor model.

    Attributes
    ----------
    keys : dict of str to tuple of str
        The items of each factor.
    estimates : tuple of Estimate
        The parameters.
    fit : Fit
        How it fits.
    residual_correlations : ndarray, shape (items, items), or tuple of those
        Observed minus reproduced correlations; of several groups one for each.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Negative variances, correlations beyond one (MH713).
    """

    keys: dict[str, tuple[str, ...]]
    estimates: tuple[Estimate, ...]
    fit: Fit
    residual_correlations: tuple[NDArray[np.float64], ...]
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        fit = self.fit
        plain = f"chi2({fit.df}) = {fit.chi2:.1f}, p = {fit.p:.3g}, scaled"
        test = f"adjusted chi2({fit.df}) =" if isnan(fit.p) and fit.df else plain
        return (
            f"{len(self.keys)}-factor model; {test} {fit.chi2_scaled:.1f}, "
            f"p = {fit.p_scaled:.3g}; CFI {fit.cfi:.3f}, TLI "
            f"{fit.tli:.3f}, RMSEA {fit.rmsea:.3f} [{fit.rmsea_low:.3f}, {fit.rmsea_high:.3f}], "
            f"SRMR {fit.srmr:.3f}; {self.basis}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each parameter."""
        names = ("group", "kind", "of", "on", "value", "se", "standardised")
        return {name: [getattr(one, name) for one in self.estimates] for name in names}

    def _draw(self, ax: Axes) -> None:
        loadings = [one for one in self.estimates if one.kind == "loading"]
        words = [f"{one.of} on {one.on} {one.group}".strip() for one in loadings]
        ax.barh(words, [one.standardised for one in loadings])
        ax.invert_yaxis()
        ax.set(xlabel="standardised loading")


@dataclass(frozen=True)
class Difference:
    """The test of a level of invariance against the level before.

    Attributes
    ----------
    chi2, p : float
        The statistic, and how often it would be as large if nothing were lost.
    df : int
        How many parameters fewer there are.
    """

    chi2: float
    df: int
    p: float


@dataclass(frozen=True, repr=False, eq=False)
class Invariance(Result):
    """Models with more and more in common over groups.

    Attributes
    ----------
    groups : dict of str to int
        The groups and their forms.
    models : dict of str to Confirmation
        The model at each level.
    differences : tuple of Difference
        The test of each level against the one before; scaled with weights and of ordered answers.
    basis : str
        What it rests on.
    problems : tuple of Problem
        Those of all levels.
    """

    groups: dict[str, int]
    models: dict[str, Confirmation]
    differences: tuple[Difference, ...]
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        sizes = ", ".join(f"{name} {size}" for name, size in self.groups.items())
        return f"Invariance over {len(self.groups)} groups ({sizes}); {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each level, with what it loses against the level before."""
        fits = [model.fit for model in self.models.values()]
        names = (
            "chi2", "df", "p", "chi2_scaled", "p_scaled", "cfi", "rmsea", "srmr", "aic", "bic",
        )  # fmt: skip
        columns: dict[str, Any] = {"level": list(self.models)}
        columns |= {name: [getattr(fit, name) for fit in fits] for name in names}
        columns["chi2_difference"] = [nan, *(one.chi2 for one in self.differences)]
        columns["df_difference"] = [nan, *(float(one.df) for one in self.differences)]
        columns["p_difference"] = [nan, *(one.p for one in self.differences)]
        steps = list(pairwise(fits))
        for name in ("cfi", "rmsea", "srmr"):
            changes = [getattr(b, name) - getattr(a, name) for a, b in steps]
            columns[f"{name}_difference"] = [nan, *changes]
        return columns

    def _draw(self, ax: Axes) -> None:
        ax.plot(list(self.models), [model.fit.cfi for model in self.models.values()], "o-")
        ax.set(ylabel="CFI")


def noncentrality(chi2: float, df: int) -> tuple[float, float]:
    """Return the 90 % limits of the noncentrality of a chi-square."""
    from scipy.optimize import brentq
    from scipy.special import chdtr, chndtr

    limits = []
    for share in (0.95, 0.05):
        if not df or chdtr(df, chi2) < share:
            limits.append(0.0)
            continue
        top = chi2 + 1
        while chndtr(chi2, df, top) > share:
            top *= 2
        limits.append(float(brentq(lambda nc, s=share: chndtr(chi2, df, nc) - s, 0, top)))
    return limits[0], limits[1]
