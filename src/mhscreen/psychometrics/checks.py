"""What answers must be like before a method may run: each lack is a named problem.

The functions add to a `ProblemLog`; `refuse` raises what is an error in it, all at once.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from mhscreen.problems import AnalysisError, ProblemLog, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mhscreen.psychometrics.answers import Answers

__all__ = [
    "check_choice",
    "check_constant",
    "check_copies",
    "check_enough",
    "check_gaps",
    "check_groups",
    "check_level",
    "check_perfect",
    "check_positive_definite",
    "check_unweighted",
    "give_up",
    "pairs_alike",
    "perfect_pairs",
    "placed",
    "refuse",
]

_PERFECT = 1e-9  # how near to one a correlation is one
_SOME_FORMS = 256
_FEWEST = 2  # two forms always lie on a line
_SINGULAR = 1e-10  # how near to nought the smallest eigenvalue of correlations is nought


def refuse(log: ProblemLog) -> None:
    """Raise what is an error in the log.

    Raises
    ------
    AnalysisError
        With every problem of the log, if one of them is an error.
    """
    if log.errors:
        raise AnalysisError(log)


def placed(problems: ProblemLog, group: str) -> ProblemLog:
    """Return the problems with the group they were found in."""
    if not group:
        return problems
    where = f"group {group}"
    return ProblemLog(
        [one.at(path=": ".join(part for part in (where, one.path) if part)) for one in problems]
    )


def check_choice(name: str, value: object, *known: str) -> None:
    """Check that an argument is one of the words that are known.

    Raises
    ------
    UsageError
        If it is not.

    Examples
    --------
    >>> check_choice("method", "maximum", "minres", "ml")
    Traceback (most recent call last):
    mhscreen.problems.UsageError: method is 'minres' or 'ml', not 'maximum'
    """
    if value not in known:
        *rest, last = map(repr, known)
        msg = f"{name} is {', '.join(rest)}{' or ' if rest else ''}{last}, not {value!r}"
        raise UsageError(msg)


def check_level(level: float) -> None:
    """Check a level of confidence.

    Raises
    ------
    UsageError
        If it is not between 0 and 1.
    """
    if not 0 < level < 1:
        msg = f"level is a share such as 0.95, not {level:g}"
        raise UsageError(msg)


def check_unweighted(answers: Answers) -> None:
    """Refuse weights where an analysis would not reckon with them.

    Raises
    ------
    UsageError
        If the answers have weights.
    """
    if answers.weights is not None:
        msg = "this analysis knows no weights: hand over the answers without them"
        raise UsageError(msg)


def check_constant(items: Sequence[str], variances: NDArray[np.float64], log: ProblemLog) -> None:
    """Add MH702 for each item without variance (NaN counts as none)."""
    for item, variance in zip(items, variances, strict=True):
        if not variance > 0:
            log.add(
                "MH702",
                "everybody gave the same answer",
                path=item,
                expected="at least two different answers",
                hint="leave the item out by name, or analyse more pupils together",
            )


def check_enough(forms: float, needed: int, why: str, log: ProblemLog) -> None:
    """Add MH705 where there are fewer forms than needed."""
    if forms < needed:
        log.add(
            "MH705",
            f"{forms:g} form{'' if forms == 1 else 's'}",
            expected=f"at least {needed}: {why}",
            hint="look at what missing='complete' left out; or analyse fewer items",
        )


def check_gaps(answers: Answers, log: ProblemLog) -> None:
    """Add the warning MH703 for each item with an option inside its range that nobody chose."""
    if not answers.is_whole:
        return
    for item, known in zip(answers.items, answers.categories(), strict=True):
        if not len(known):
            continue
        absent = int(known[-1] - known[0]) + 1 - len(known)
        if absent:
            log.add(
                "MH703",
                f"{absent} of the options between the lowest and the highest were never chosen",
                path=item,
                hint="merge them with a neighbour yourself where groups are to be compared",
            )


def check_groups(groups: int, what: str, log: ProblemLog) -> None:
    """Add MH707 where there are fewer than two groups to compare."""
    if groups < 2:  # noqa: PLR2004 - a comparison
        log.add(
            "MH707",
            f"{groups} group" if groups == 1 else "no group",
            path=what,
            expected="at least two groups, each with answers",
            hint="is the right column named, and are its groups spelled alike?",
        )


def perfect_pairs(correlations: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the pairs of items that correlate by one, or by minus one."""
    found = np.argwhere(np.triu(np.abs(correlations) > 1 - _PERFECT, 1))
    return [(int(one), int(other)) for one, other in found]


def check_perfect(items: Sequence[str], correlations: NDArray[np.float64], log: ProblemLog) -> None:
    """Add MH704 for each pair of items that correlates perfectly."""
    for one, other in perfect_pairs(correlations):
        log.add(
            "MH704",
            f"{items[one]} and {items[other]} are perfectly correlated",
            expected="items that each say something of their own",
            hint="is one a copy of the other? leave one of them out by name",
        )


def check_copies(items: Sequence[str], pairs: Sequence[tuple[int, int]], log: ProblemLog) -> None:
    """Add the warning MH716 for each pair of items that determine each other."""
    for one, other in pairs:
        log.add(
            "MH716",
            f"{items[one]} and {items[other]} determine each other",
            expected="items that each say something of their own",
            hint="is one a copy of the other? leave one of them out by name",
        )


def pairs_alike(answers: Answers) -> list[tuple[int, int]]:
    """Return the pairs of items that correlate perfectly over the forms that answer both.

    Looked for in some forms, and found in all.
    """
    few = answers.only(np.arange(min(answers.forms, _SOME_FORMS))).values().T
    return [
        (one, other)
        for one, other in combinations(range(len(answers.items)), 2)
        if _is_alike(few[one], few[other], unsure=True)
        and _is_alike(
            *answers.pick([answers.items[one], answers.items[other]]).values().T, unsure=False
        )
    ]


def _is_alike(one: NDArray[np.float64], other: NDArray[np.float64], *, unsure: bool) -> bool:
    """Whether two columns correlate perfectly; `unsure` is what too few forms say."""
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() <= _FEWEST:
        return unsure
    centred = np.stack([column[both] - column[both].mean() for column in (one, other)])
    if not (centred != 0).any(axis=1).all():
        return unsure
    length = np.sqrt((centred**2).sum(axis=1))
    return bool(abs(centred[0] @ centred[1]) > (1 - _PERFECT) * length[0] * length[1])


def check_positive_definite(correlations: NDArray[np.float64], log: ProblemLog) -> None:
    """Add MH706 where a correlation matrix cannot be inverted."""
    smallest = float(np.linalg.eigvalsh(correlations)[0])
    if smallest < _SINGULAR:
        none = smallest < -_SINGULAR
        log.add(
            "MH706",
            "the correlations are those of no data" if none else "the matrix is singular",
            expected="a positive definite correlation matrix",
            hint=(
                "pairs from different forms do not fit together: use missing='complete'"
                if none
                else "one item is a sum of others, or there are fewer forms than items"
            ),
        )


def give_up(what: str, steps: int, hint: str) -> NoReturn:
    """Raise instead of returning figures of a fit that came to no end.

    Raises
    ------
    AnalysisError
        With MH709, always.
    """
    log = ProblemLog()
    log.add("MH709", f"no end after {steps} steps", path=what, hint=hint)
    raise AnalysisError(log)
