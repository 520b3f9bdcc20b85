"""How many things a set of items measures: adequacy, parallel analysis, exploratory factors."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mhscreen.problems import Problem, ProblemLog, UsageError
from mhscreen.psychometrics.answers import as_answers
from mhscreen.psychometrics.checks import (
    check_choice,
    check_perfect,
    check_positive_definite,
    give_up,
    refuse,
)
from mhscreen.psychometrics.factoring import extract, rotate, sort_factors
from mhscreen.psychometrics.moments import moments
from mhscreen.psychometrics.polychoric import correlate_ordered
from mhscreen.psychometrics.resampling import random_numbers
from mhscreen.psychometrics.results import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import Answers, MissingPolicy
    from mhscreen.psychometrics.factoring import Extraction, Rotation

__all__ = [
    "Adequacy",
    "Correlation",
    "Engine",
    "Factors",
    "ParallelAnalysis",
    "assess_adequacy",
    "count_factors",
    "explore_factors",
]

Correlation = Literal["pearson", "polychoric"]
"""Which correlations are analysed: of the codes, or of the variables behind ordered answers."""

Engine = Literal["own", "factor_analyzer"]
"""Who extracts and rotates: this library, or factor-analyzer (the extra ``psychometrics``)."""

_REPLICATES = 100
_BLOCK = 256  # replicates whose eigenvalues are taken at once


@dataclass(frozen=True, repr=False, eq=False)
class Adequacy(Result):
    """Whether correlations are worth factoring.

    Attributes
    ----------
    items : tuple of str
        The items.
    kmo_items : ndarray, shape (items,)
        Kaiser's measure of sampling adequacy of each item, 0 to 1.
    kmo : float
        That of all of them.
    chi2, df, p : float
        Bartlett's test that all correlations are nought.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    items: tuple[str, ...]
    kmo_items: NDArray[np.float64]
    kmo: float
    chi2: float
    df: float
    p: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return (
            f"KMO {self.kmo:.3f}; Bartlett chi2({self.df:.0f}) = {self.chi2:.1f}, "
            f"p = {self.p:.3g}; {self.basis}"
        )

    def columns(self) -> dict[str, Any]:
        """Return a row for each item."""
        return {"item": list(self.items), "kmo": self.kmo_items}

    def _draw(self, ax: Axes) -> None:
        ax.barh(self.items, self.kmo_items)
        ax.invert_yaxis()
        ax.set(xlabel="sampling adequacy (KMO)", xlim=(0, 1))


@dataclass(frozen=True, repr=False, eq=False)
class ParallelAnalysis(Result):
    """Eigenvalues beside those of answers without any structure (Horn 1965).

    Attributes
    ----------
    observed : ndarray, shape (items,)
        The eigenvalues, descending.
    mean, limit : ndarray, shape (items,)
        The mean and the quantile of those without structure.
    quantile : float
        Which.
    suggested : int
        How many eigenvalues in a row exceed the limit.
    of : str
        ``"components"``: of the correlations. ``"factors"``: with squared multiple correlations
        on the diagonal.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    observed: NDArray[np.float64]
    mean: NDArray[np.float64]
    limit: NDArray[np.float64]
    quantile: float
    suggested: int
    of: str
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return f"Parallel analysis suggests {self.suggested} {self.of}; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each eigenvalue."""
        return {
            "number": np.arange(1, len(self.observed) + 1),
            "observed": self.observed,
            "mean_without_structure": self.mean,
            "limit_without_structure": self.limit,
        }

    def _draw(self, ax: Axes) -> None:
        number = np.arange(1, len(self.observed) + 1)
        ax.plot(number, self.observed, "o-", label="observed")
        ax.plot(number, self.limit, "--", label=f"{self.quantile:.0%} without structure")
        ax.set(xlabel="number", ylabel="eigenvalue")
        ax.legend()


@dataclass(frozen=True, repr=False, eq=False)
class Factors(Result):
    """Exploratory factors.

    Attributes
    ----------
    items : tuple of str
        The items.
    loadings : ndarray, shape (items, factors)
        The pattern: how an item depends on each factor, the others held.
    phi : ndarray, shape (factors, factors)
        The correlations of the factors.
    uniqueness : ndarray, shape (items,)
        What no factor explains.
    rmsr : float
        The root mean square of the residual correlations.
    chi2, df, p : float
        The test that nothing but these factors is there (Bartlett's correction).
    rmsea, tli : float
        Root mean square error of approximation and Tucker-Lewis index; NaN without degrees of
        freedom.
    method, rotation, engine : str
        How they were found.
    basis : str
        What they rest on.
    problems : tuple of Problem
        What to know first: a uniqueness at its bound (MH713).
    """

    items: tuple[str, ...]
    loadings: NDArray[np.float64]
    phi: NDArray[np.float64]
    uniqueness: NDArray[np.float64]
    rmsr: float
    chi2: float
    df: float
    p: float
    rmsea: float
    tli: float
    method: str
    rotation: str
    engine: str
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        return (
            f"{self.loadings.shape[1]} factors of {len(self.items)} items by {self.method}, "
            f"{self.rotation}; RMSR {self.rmsr:.3f}, RMSEA {self.rmsea:.3f}, TLI {self.tli:.3f}; "
            f"{self.basis}"
        )

    def columns(self) -> dict[str, Any]:
        """Return loadings, communality and uniqueness of each item."""
        loadings = {f"factor_{n + 1}": column for n, column in enumerate(self.loadings.T)}
        return {
            "item": list(self.items),
            **loadings,
            "communality": 1 - self.uniqueness,
            "uniqueness": self.uniqueness,
        }

    def _draw(self, ax: Axes) -> None:
        picture = ax.imshow(self.loadings, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
        ax.set_yticks(range(len(self.items)), self.items)
        factors = self.loadings.shape[1]
        ax.set_xticks(range(factors), [str(number + 1) for number in range(factors)])
        ax.set(xlabel="factor")
        ax.figure.colorbar(picture, ax=ax, label="loading")


def assess_adequacy(
    answers: object,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    correlation: Correlation = "pearson",
) -> Adequacy:
    """Return Kaiser's measure of sampling adequacy and Bartlett's test of sphericity.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` or ``"pairwise"`` (the smallest number of forms of a pair counts).
    correlation : str
        ``"pearson"`` or ``"polychoric"``; Bartlett's test is meant for the former.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706, MH710).

    References
    ----------
    Kaiser HF (1970). Psychometrika 35, 401-415. Bartlett MS (1951). Biometrika 38, 337-344.
    """
    from scipy.special import chdtrc

    names, matrix, forms, basis, log = _correlations(
        as_answers(answers, items, weights=weights), missing, correlation
    )
    check_positive_definite(matrix, log)
    refuse(log)
    inverse = np.linalg.inv(matrix)
    scale = np.sqrt(np.diag(inverse))
    partial = (inverse / np.outer(scale, scale)) ** 2
    squares = matrix**2
    np.fill_diagonal(partial, 0)
    np.fill_diagonal(squares, 0)
    count = len(names)
    df = count * (count - 1) / 2
    chi2 = -float(np.linalg.slogdet(matrix)[1]) * (forms - 1 - (2 * count + 5) / 6)
    return Adequacy(
        items=names,
        kmo_items=squares.sum(axis=0) / (squares + partial).sum(axis=0),
        kmo=float(squares.sum() / (squares + partial).sum()),
        chi2=chi2,
        df=df,
        p=float(chdtrc(df, chi2)),
        basis=basis,
        problems=tuple(log.problems),
    )


def count_factors(
    answers: object,
    *,
    seed: int | np.random.Generator,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    correlation: Correlation = "pearson",
    of: Literal["components", "factors"] = "components",
    replicates: int = _REPLICATES,
    quantile: float = 0.95,
) -> ParallelAnalysis:
    """Compare the eigenvalues with those of as many forms without any structure.

    Correlations without structure are drawn as such (Wishart), so the time does not depend on the
    number of forms. Polychoric ones are made from the answers, each item shuffled by itself.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    seed : int or Generator
        What is drawn can be drawn again.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` or ``"pairwise"`` (the smallest number of forms of a pair counts).
    correlation : str
        ``"pearson"`` or ``"polychoric"``.
    of : str
        ``"components"`` or ``"factors"``; see `ParallelAnalysis`.
    replicates : int
        How many draws.
    quantile : float
        Which of their eigenvalues is the limit.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH710; of factors MH706).

    References
    ----------
    Horn JL (1965). Psychometrika 30, 179-185. Humphreys LG, Montanelli RG (1975). Multivariate
    Behavioral Research 10, 193-205. Glorfeld LW (1995). Educational and Psychological Measurement
    55, 377-393.
    """
    check_choice("of", of, "components", "factors")
    if not 0 < quantile < 1 or replicates < 10:  # noqa: PLR2004 - a quantile of fewer is none
        msg = "a quantile between 0 and 1 and at least 10 replicates are needed"
        raise UsageError(msg)
    rng = random_numbers(seed, "count_factors")
    taken = as_answers(answers, items, weights=weights)
    names, matrix, forms, basis, log = _correlations(taken, missing, correlation)
    if of == "factors":
        check_positive_definite(matrix, log)
        refuse(log)
    observed = _eigenvalues(matrix[None], of)[0]
    if correlation == "pearson":
        without = _wishart(len(names), forms, replicates, rng)
    else:
        without = _shuffled(taken, missing, replicates, rng)
    values = np.concatenate(
        [_eigenvalues(without[at : at + _BLOCK], of) for at in range(0, replicates, _BLOCK)]
    )
    limit = np.quantile(values, quantile, axis=0)
    beyond = observed > limit
    return ParallelAnalysis(
        observed=observed,
        mean=values.mean(axis=0),
        limit=limit,
        quantile=quantile,
        suggested=int(np.argmin(beyond)) if not beyond.all() else len(names),
        of=of,
        basis=f"{replicates} draws; {basis}",
        problems=tuple(log.problems),
    )


def explore_factors(
    answers: object,
    factors: int,
    *,
    items: Sequence[str] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "complete",
    correlation: Correlation = "pearson",
    method: Extraction = "minres",
    rotation: Rotation | str = "oblimin",
    engine: Engine = "own",
) -> Factors:
    """Extract common factors and rotate them.

    Parameters
    ----------
    answers : dataframe, mapping, array or Answers
        See `as_answers`.
    factors : int
        How many; `count_factors` suggests.
    items, weights
        See `as_answers`.
    missing : str
        ``"complete"`` or ``"pairwise"``.
    correlation : str
        ``"pearson"`` or ``"polychoric"``.
    method : str
        ``"minres"`` or ``"ml"``.
    rotation : str
        ``"oblimin"``, ``"geomin"``, ``"promax"``, ``"varimax"`` or ``"none"``; with
        factor-analyzer those that it knows.
    engine : str
        ``"own"``, or ``"factor_analyzer"``: the package is handed the correlations, never the
        answers. It needs the extra ``psychometrics`` and a scikit-learn below 1.8.

    Raises
    ------
    AnalysisError
        For answers that cannot be analysed (MH702, MH704, MH705, MH706, MH710), and with MH709
        where a search comes to no end.
    UsageError
        For more factors than the items can carry; without factor-analyzer, where it is asked for.

    References
    ----------
    Harman HH, Jones WH (1966). Psychometrika 31, 351-368. Jöreskog KG (1967). Psychometrika 32,
    443-482. Jennrich RI (2002). Psychometrika 67, 7-19.
    """
    check_choice("engine", engine, "own", "factor_analyzer")
    check_choice("method", method, "minres", "ml")
    names, matrix, forms, basis, log = _correlations(
        as_answers(answers, items, weights=weights), missing, correlation
    )
    check_positive_definite(matrix, log)
    refuse(log)
    if engine == "own":
        found = extract(matrix, factors, method)
        improper, uniqueness = found.improper, found.uniqueness
        pattern, phi = rotate(found.loadings, rotation)  # type: ignore[arg-type] # is checked there
    else:
        pattern, phi, uniqueness = _by_factor_analyzer(matrix, factors, method, rotation)
        improper = bool((uniqueness <= 0).any())
    if improper:
        log.add(
            "MH713",
            "a uniqueness is at its bound: an item seems to have no error at all",
            hint="ask for fewer factors, or leave out items that are nearly copies",
        )
    pattern, phi = sort_factors(pattern, phi)
    fit = _fit_of(matrix, pattern, phi, uniqueness, forms)
    return Factors(
        items=names,
        loadings=pattern,
        phi=phi,
        uniqueness=uniqueness,
        **fit,
        method=method,
        rotation=str(rotation),
        engine=engine,
        basis=basis,
        problems=tuple(log.problems),
    )


# -- parts ----------------------------------------------------------------------------------------


def _correlations(
    answers: Answers, missing: MissingPolicy, correlation: str
) -> tuple[tuple[str, ...], NDArray[np.float64], float, str, ProblemLog]:
    """Return items, correlations, forms that count, what it rests on, and problems so far."""
    check_choice("correlation", correlation, "pearson", "polychoric")
    log = ProblemLog()
    if correlation == "pearson":
        found = moments(answers, missing=missing)
        matrix, forms, basis = found.correlation, found.n, found.words()
    else:
        ordered = correlate_ordered(answers, missing=missing)
        matrix, forms = ordered.correlation, ordered.n
        basis = f"polychoric, {ordered.basis}"
        log.extend(ordered.problems)
    check_perfect(answers.items, matrix, log)
    refuse(log)
    return answers.items, matrix, forms, basis, log


def _eigenvalues(matrices: NDArray[np.float64], of: str) -> NDArray[np.float64]:
    """Return eigenvalues, descending, shape (matrices, items)."""
    if of == "factors":
        matrices = matrices.copy()
        diagonal = np.arange(matrices.shape[1])
        matrices[:, diagonal, diagonal] = 1 - 1 / np.linalg.inv(matrices)[:, diagonal, diagonal]
    return np.asarray(np.linalg.eigvalsh(matrices)[:, ::-1])


def _wishart(
    items: int, forms: float, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return correlations of normal answers without structure (Bartlett's decomposition)."""
    freedom = round(forms) - 1 - np.arange(items)
    root = np.tril(rng.standard_normal((replicates, items, items)), -1)
    diagonal = np.arange(items)
    root[:, diagonal, diagonal] = np.sqrt(rng.chisquare(freedom, (replicates, items)))
    root /= np.linalg.norm(root, axis=2, keepdims=True)
    return np.asarray(root @ root.transpose(0, 2, 1))


def _shuffled(
    answers: Answers, missing: MissingPolicy, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return polychoric correlations of the answers, each item shuffled by itself."""
    if missing == "complete" and answers.any_blank:
        answers = answers.only(answers.complete())
    return np.stack(
        [
            correlate_ordered(
                replace(answers, cells=rng.permuted(answers.cells, axis=1)), missing=missing
            ).correlation
            for _ in range(replicates)
        ]
    )


def _fit_of(
    matrix: NDArray[np.float64],
    pattern: NDArray[np.float64],
    phi: NDArray[np.float64],
    uniqueness: NDArray[np.float64],
    forms: float,
) -> dict[str, float]:
    """Return what the factors leave unexplained."""
    from scipy.special import chdtrc

    items, factors = pattern.shape
    model = pattern @ phi @ pattern.T
    above = np.triu_indices(items, 1)
    residual = (matrix - model)[above]
    np.fill_diagonal(model, np.diag(model) + uniqueness)
    df = ((items - factors) ** 2 - (items + factors)) / 2
    correction = forms - 1 - (2 * items + 5) / 6
    log_det = float(np.linalg.slogdet(matrix)[1])
    sign, model_det = np.linalg.slogdet(model)
    lack = nan
    if sign > 0:
        trace = float(np.trace(np.linalg.solve(model, matrix)))
        lack = float(model_det) - log_det + trace - items
    chi2 = max(lack * (correction - 2 * factors / 3), 0) if lack == lack else nan  # noqa: PLR0124 - NaN
    null = -log_det * correction / (items * (items - 1) / 2)
    figures = {"rmsea": nan, "tli": nan, "p": nan}
    if df > 0 and chi2 == chi2:  # noqa: PLR0124 - NaN
        figures = {
            "rmsea": sqrt(max(chi2 / (df * forms) - 1 / (forms - 1), 0)),
            "tli": (null - chi2 / df) / (null - 1),
            "p": float(chdtrc(df, chi2)),
        }
    return {"rmsr": float(np.sqrt(np.mean(residual**2))), "chi2": chi2, "df": df, **figures}


def _by_factor_analyzer(
    matrix: NDArray[np.float64], factors: int, method: str, rotation: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return pattern, factor correlations and uniqueness that factor-analyzer finds."""
    try:
        from factor_analyzer import FactorAnalyzer, Rotator
    except ImportError as error:
        msg = "factor-analyzer is not installed: install mhscreen[psychometrics]"
        raise UsageError(msg) from error
    # Rotated by its own rotator: its model sorts the factors and leaves their correlations
    # unsorted, and leaves them out of the uniquenesses.
    model = FactorAnalyzer(n_factors=factors, rotation=None, method=method, is_corr_matrix=True)
    rotator = None if rotation == "none" or factors == 1 else Rotator(method=rotation)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")  # it warns of scikit-learn's, and when it does not converge
        try:
            model.fit(matrix)
            pattern = np.asarray(model.loadings_)
            if rotator is not None:
                pattern = np.asarray(rotator.fit_transform(pattern))
        except TypeError as error:
            msg = "factor-analyzer needs a scikit-learn below 1.8: install mhscreen[psychometrics]"
            raise UsageError(msg) from error
        except ValueError as error:
            msg = f"factor-analyzer refuses the call: {error}"
            raise UsageError(msg) from error
    if any("onverge" in str(one.message) for one in caught):
        give_up(f"{factors} factors by factor-analyzer", 1000, "ask for fewer factors")
    phi = np.eye(factors)
    if rotator is not None and rotator.phi_ is not None:
        phi = np.asarray(rotator.phi_)
    return pattern, phi, 1 - np.diag(pattern @ phi @ pattern.T)
