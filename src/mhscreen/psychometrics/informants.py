"""How far the informants of one instrument agree, pair by pair and scale by scale."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import atanh, nan, sqrt, tanh
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.problems import AnalysisError, Problem, UsageError
from mhscreen.psychometrics.agreement import assess_agreement, assess_kappa
from mhscreen.psychometrics.answers import Answers, as_answers, columns_of
from mhscreen.psychometrics.checks import check_choice, check_level
from mhscreen.psychometrics.intervals import normal_quantile
from mhscreen.psychometrics.results import Result
from mhscreen.vocabulary import Informant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from mhscreen.psychometrics.answers import MissingPolicy

__all__ = ["InformantAgreement", "compare_informants"]

_FIGURES = (
    "scale", "one", "other", "pupils",
    "correlation", "correlation_low", "correlation_high",
    "agreement", "agreement_low", "agreement_high",
    "consistency", "consistency_low", "consistency_high",
    "difference",
    "flagged_one", "flagged_other", "flagged_both", "kappa", "kappa_low", "kappa_high",
)  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class InformantAgreement(Result):
    """Agreement of every pair of informants on every scale.

    Attributes
    ----------
    rows : tuple of dict
        For each scale and pair: ``scale``, ``one``, ``other``, ``pupils`` (rated by both);
        ``correlation`` (Pearson, interval by Fisher's z), ``agreement`` (ICC(A,1)),
        ``consistency`` (ICC(C,1)), each with ``_low`` and ``_high``; ``difference``: by how many
        standard deviations (both pooled) the other scores higher; where a cut is given the shares
        ``flagged_one``, ``flagged_other``, ``flagged_both`` and Cohen's ``kappa`` of being
        flagged; NaN elsewhere.
    level : float
        Of the intervals.
    basis : str
        What it rests on.
    problems : tuple of Problem
        What to know first.
    """

    rows: tuple[Mapping[str, Any], ...]
    level: float
    basis: str
    problems: tuple[Problem, ...] = ()

    def title(self) -> str:
        """Return what this is."""
        names = dict.fromkeys(name for row in self.rows for name in (row["one"], row["other"]))
        return f"Agreement of {', '.join(names)}, pair by pair; {self.basis}"

    def columns(self) -> dict[str, Any]:
        """Return a row for each scale and pair."""
        return {name: [row[name] for row in self.rows] for name in _FIGURES}

    def _draw(self, ax: Axes) -> None:
        places = np.arange(len(self.rows))
        for shift, name in ((-0.15, "correlation"), (0.15, "agreement")):
            value = np.array([row[name] for row in self.rows])
            low = np.array([row[f"{name}_low"] for row in self.rows])
            high = np.array([row[f"{name}_high"] for row in self.rows])
            ax.errorbar(
                value, places + shift, xerr=[value - low, high - value], fmt="o", label=name
            )
        words = [f"{row['scale']}: {row['one']}, {row['other']}" for row in self.rows]
        ax.set_yticks(places, words)
        ax.invert_yaxis()
        ax.axvline(0, linestyle=":", color="grey")
        ax.set(xlabel=f"with {self.level:.0%} interval")
        ax.legend()


def compare_informants(
    scores: object,
    instrument: str | None = None,
    *,
    raters: Mapping[str, Mapping[str, str]] | None = None,
    cuts: Mapping[str, float | Mapping[str, float]] | None = None,
    weights: str | ArrayLike | None = None,
    missing: MissingPolicy = "pairwise",
    level: float = 0.95,
) -> InformantAgreement:
    """Return the agreement of all pairs of informants on all scales of an instrument.

    Informants see other situations: over 341 studies reports on one child correlate by 0.28 on
    average (De Los Reyes and others 2015). Low agreement is no reason to average them, nor to
    hold one of them wrong.

    Parameters
    ----------
    scores : dataframe or mapping of columns
        A row for each pupil, as ``to_frame`` of scores gives it: ``sdq_parent__total``, NaN or
        None where an informant filed none.
    instrument : str, optional
        Such as ``"sdq"``: the columns ``<instrument>_<informant>__<scale>`` are found.
    raters : mapping of scale to mapping of informant to column, optional
        The columns, where they have other names. One of the two is given.
    cuts : mapping of scale to float, or to mapping of informant to float, optional
        Scores from the cut on are flagged.
    weights : str or array_like of shape (pupils,), optional
        Of a survey, see `as_answers`.
    missing : str
        ``"pairwise"``: each pair from the pupils whom both rated. ``"complete"``: pupils whom all
        informants of the scale rated. Who rated nobody at all is left out, and named.
    level : float
        Of the intervals.

    Raises
    ------
    AnalysisError
        With MH705 for fewer than three pupils whom both rated, MH702 where one scores all alike;
        the pair is named.
    UsageError
        Where no scale has two informants.

    Examples
    --------
    >>> scores = {
    ...     "sdq_self__total": [9, 14, 20, 7, 16, 11],
    ...     "sdq_parent__total": [8, 10, 17, 9, 11, None],
    ...     "sdq_teacher__total": [6, 15, 12, 3, 8, 9],
    ... }
    >>> found = compare_informants(scores, "sdq", cuts={"total": 15})
    >>> [(row["one"], row["other"], row["pupils"]) for row in found.rows]
    [('self', 'parent', 5), ('self', 'teacher', 6), ('parent', 'teacher', 5)]

    References
    ----------
    De Los Reyes A and others (2015). Psychological Bulletin 141, 858-900.
    """
    check_choice("missing", missing, "complete", "pairwise")
    check_level(level)
    named = _raters(scores, instrument, raters)
    cuts = cuts or {}
    unknown = sorted(set(cuts) - set(named))
    if unknown:
        msg = f"cuts: no scale {', '.join(unknown)} with two informants"
        raise UsageError(msg)
    rows = []
    none: dict[str, None] = {}
    for scale, columns in named.items():
        taken = as_answers(scores, list(columns.values()), weights=weights)
        filed = {name: bool(taken.pick([c]).answered().any()) for name, c in columns.items()}
        none |= {f"{scale} by {name}": None for name, there in filed.items() if not there}
        those = [name for name in columns if filed[name]]
        taken = taken.pick([columns[name] for name in those] or list(columns.values()))
        if missing == "complete":
            taken = taken.only(taken.complete())
        for one, other in combinations(those, 2):
            pair = taken.pick([columns[one], columns[other]])
            both = pair.only(pair.complete())
            own = [_cut(cuts, scale, name) for name in (one, other)]
            try:
                found = _pair(both, own, level)
            except AnalysisError as error:
                where = f"{scale}: {one} and {other}"
                raise AnalysisError([part.at(path=where) for part in error.problems]) from error
            rows.append({"scale": scale, "one": one, "other": other} | found)
    if not rows:
        msg = "no scale has scores of two informants"
        raise UsageError(msg)
    words = f"; not rated: {', '.join(none)}" if none else ""
    return InformantAgreement(tuple(rows), level, f"missing='{missing}'{words}")


def _raters(
    scores: object, instrument: str | None, raters: Mapping[str, Mapping[str, str]] | None
) -> dict[str, dict[str, str]]:
    """Return the column of each informant, by scale."""
    if (instrument is None) == (raters is None):
        msg = "either an instrument or the columns of its raters are given"
        raise UsageError(msg)
    found: dict[str, dict[str, str]] = {}
    if raters is not None:
        found = {scale: dict(columns) for scale, columns in raters.items()}
    else:
        headings = set(columns_of(scores))
        whole = any(heading.endswith(_ANSWERED) for heading in headings)
        for informant in map(str, Informant):
            prefix = f"{instrument}_{informant}__"
            for heading in sorted(one for one in headings if one.startswith(prefix)):
                scale = heading.removeprefix(prefix)
                # Results of scoring hold more than scores: each of those counts its answers.
                is_score = f"{heading}{_ANSWERED}" in headings if whole else "__" not in scale
                if is_score:
                    found.setdefault(scale, {})[informant] = heading
    found = {scale: columns for scale, columns in found.items() if len(columns) > 1}
    if not found:
        msg = (
            f"no scale of {instrument or 'these'} has scores of two informants: columns such as "
            f"{instrument or 'sdq'}_parent__total are expected"
        )
        raise UsageError(msg)
    return found


_ANSWERED = "__answered"


def _cut(
    cuts: Mapping[str, float | Mapping[str, float]], scale: str, informant: str
) -> float | None:
    given = cuts.get(scale)
    if given is None or isinstance(given, int | float):
        return given
    return given.get(informant)


def _pair(both: Answers, cuts: Sequence[float | None], level: float) -> dict[str, Any]:
    """Return the figures of one pair."""
    icc = assess_agreement(both, level=level)
    values = both.values()
    share = np.ones(len(values)) if both.weights is None else both.weights
    share = share / share.sum()
    mean = share @ values
    centred = values - mean
    spread = (centred * share[:, None]).T @ centred
    sd = np.sqrt(np.diag(spread))
    correlation = float(spread[0, 1] / (sd[0] * sd[1])) if sd.all() else nan
    low, high = _limits(correlation, 1 / float(np.sum(share**2)), level)
    found: dict[str, Any] = {
        "pupils": len(values),
        "correlation": correlation,
        "correlation_low": low,
        "correlation_high": high,
        "difference": float((mean[1] - mean[0]) / sqrt(float(np.mean(sd**2)))),
    }
    for name, form in (("agreement", "ICC(A,1)"), ("consistency", "ICC(C,1)")):
        place = icc.form.index(form)
        found[name] = float(icc.estimate[place])
        found[f"{name}_low"], found[f"{name}_high"] = float(icc.low[place]), float(icc.high[place])
    return found | _flags(values, share, cuts, level)


def _limits(correlation: float, pupils: float, level: float) -> tuple[float, float]:
    """Return an interval by Fisher's z."""
    if not abs(correlation) < 1 or pupils <= 3:  # noqa: PLR2004 - the transform's own
        return nan, nan
    reach = normal_quantile(level) / sqrt(pupils - 3)
    return tanh(atanh(correlation) - reach), tanh(atanh(correlation) + reach)


def _flags(
    values: NDArray[np.float64],
    share: NDArray[np.float64],
    cuts: Sequence[float | None],
    level: float,
) -> dict[str, float]:
    """Return whom both informants flag."""
    names = ("flagged_one", "flagged_other", "flagged_both", "kappa", "kappa_low", "kappa_high")
    first, second = cuts
    if first is None or second is None:
        return dict.fromkeys(names, nan)
    flagged = values >= np.array([first, second])
    shares = [*(share @ flagged), share @ flagged.all(axis=1)]
    kappa = (nan, nan, nan)
    if np.ptp(flagged.astype(np.int8), axis=0).all():  # else nothing is beyond chance
        of = assess_kappa(flagged.astype(np.float64), weights=share, level=level)
        kappa = (of.estimate, of.low, of.high)
    return dict(zip(names, map(float, (*shares, *kappa)), strict=True))
