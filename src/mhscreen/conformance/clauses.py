"""The clauses: what is compared, what must never be said, and the two verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mhscreen.conformance.kit import kind_of
from mhscreen.conformance.scorer import TOLERANCE, Column, items_by_scale, score_vectors
from mhscreen.definitions.common import Text
from mhscreen.kernels import codes as rc
from mhscreen.steps.score import score_forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from mhscreen.conformance.kit import FormKit
    from mhscreen.conformance.results import Results
    from mhscreen.conformance.scorer import Columns
    from mhscreen.steps.score import FormScores

__all__ = ["CLAUSES", "EVERY_CLAUSE", "POLICY_CLAUSES", "Clause", "Failure", "find_failures"]


@dataclass(frozen=True)
class Clause:
    """One numbered clause.

    Attributes
    ----------
    number : int
        Its number, which never changes its meaning.
    verdict : str
        ``standard`` or ``gate``.
    words : Text
        What must hold.
    """

    number: int
    verdict: str
    words: Text


def _clause(number: int, verdict: str, en: str, zh: str) -> Clause:
    return Clause(number, verdict, Text(en=en, zh=zh))


CLAUSES = (
    _clause(
        1,
        "standard",
        "Every output of the form is given (derived scores are optional)",
        "给出该表的全部输出项（导出分数可不给）",
    ),
    _clause(2, "standard", "Scores of complete forms agree", "完整作答的得分一致"),
    _clause(3, "standard", "Categories of complete forms agree", "完整作答的分级一致"),
    _clause(
        4,
        "standard",
        "Scores of forms with blanks or illegal answers agree, none where no rule gives one",
        "有缺答或非法答案时得分一致；规则不允许计分时不给分",
    ),
    _clause(
        5,
        "standard",
        "A category that blanks could change is withheld; others agree",
        "未答题可能改变分级时不给分级，其余一致",
    ),
    _clause(6, "standard", "Critical items agree: no, open or yes", "危急条目（否、未定、是）一致"),
    _clause(7, "standard", "Validity of the form agrees", "问卷有效性判断一致"),
    _clause(
        8,
        "standard",
        "Derived scores, if given, agree; none outside the norm",
        "所给导出分数一致；不在常模范围内不给出",
    ),
    _clause(11, "gate", "Nothing answered gives nothing", "全部未答时不给任何结果"),
    _clause(
        12,
        "gate",
        "No category is milder than the blanks could still make it",
        "所给分级不轻于未答题可能造成的分级",
    ),
    _clause(
        13,
        "gate",
        "No score stands for an incomplete form unless a rule gives it",
        "规则不允许时，不为不完整的问卷给出得分",
    ),
    _clause(14, "gate", "An illegal answer reassures nobody", "非法答案不得得出令人放心的结果"),
    _clause(
        15,
        "gate",
        "Questions behind a gate that were not answered reassure nobody",
        "跳答条目未答时不得得出令人放心的结果",
    ),
    _clause(
        16,
        "gate",
        "A positive critical item is reported whatever the rest says; a blank one is never no",
        "危急条目阳性必报，未答不得视为“否”",
    ),
    _clause(17, "gate", "An invalid form is not called valid", "无效问卷不得判为有效"),
)

POLICY_CLAUSES = (
    _clause(
        21,
        "standard",
        "Every output of the policy is given (undecided rules and what is due are optional)",
        "给出该预警规则的全部输出项（未定规则与待办可不给）",
    ),
    _clause(22, "standard", "The tier that is established agrees", "已成立的级别一致"),
    _clause(23, "standard", "The tier that is still possible agrees", "仍可能达到的级别一致"),
    _clause(24, "standard", "What is shown agrees", "显示的结果一致"),
    _clause(
        25, "standard", "The rules that hold agree, and those left open", "成立及未定的规则一致"
    ),
    _clause(26, "standard", "The flags agree, and what is due", "提示标记与待办一致"),
    _clause(
        31,
        "gate",
        "Nothing reassuring is shown where a critical item is blank",
        "危急条目未答时不得显示令人放心的结果",
    ),
    _clause(
        32,
        "gate",
        "Nothing reassuring is shown where a required form is absent",
        "缺少必填问卷时不得显示令人放心的结果",
    ),
    _clause(
        33,
        "gate",
        "Nothing reassuring is shown where a form is invalid, or may be",
        "问卷无效或可能无效时不得显示令人放心的结果",
    ),
    _clause(
        34,
        "gate",
        "Nothing milder is shown than a rule that holds, whatever the rest says",
        "任何规则成立时，显示的结果不得低于其级别",
    ),
    _clause(
        35,
        "gate",
        "No tier is ruled out that blanks and absent forms still allow",
        "不得排除未答题或缺交问卷仍可能达到的级别",
    ),
)

EVERY_CLAUSE = (*CLAUSES, *POLICY_CLAUSES)


@dataclass(frozen=True)
class Failure:
    """One output of one vector that fails a clause."""

    clause: int
    place: int
    column: str
    got: str
    expected: str


def find_failures(kit: FormKit, results: Results) -> list[Failure]:
    """Compare results with what the definition gives, and look for what must never be said."""
    expected = score_vectors(kit.form, kit.vectors)
    scores = score_forms(kit.form.plan, kit.vectors.codes)
    failures = [Failure(1, -1, name, "", "given") for name in results.missing]
    failures += _disagreements(kit, results.columns, expected, scores)
    failures += _unsafe(kit, results.columns, expected, scores)
    return failures


def _refused(kit: FormKit, columns: Columns) -> NDArray[np.bool_]:
    """Return the forms with an illegal answer of which nothing at all is said."""
    silent = np.ones(len(kit.names), dtype=bool)
    for column in columns.values():
        silent &= np.isnan(column.values)
    return silent & (kit.vectors.illegal >= 0)


def _disagreements(
    kit: FormKit, columns: Columns, expected: Columns, scores: FormScores
) -> Iterator[Failure]:
    complete = scores.complete & (kit.vectors.illegal < 0)
    refused = _refused(kit, columns)
    for name, column in columns.items():
        wrong = ~expected[name].same(column) & ~refused
        texts = None
        for place in np.flatnonzero(wrong).tolist():
            texts = texts or (column.texts(), expected[name].texts())
            clause = _standard_clause(kind_of(name), complete=bool(complete[place]))
            yield Failure(clause, place, name, texts[0][place], texts[1][place])


def _standard_clause(kind: str, *, complete: bool) -> int:
    if kind == "score":
        return 2 if complete else 4
    if kind == "category":
        return 3 if complete else 5
    return {"critical": 6, "validity": 7, "norm": 8}[kind]


# -- what must never be said ----------------------------------------------------------------------


def _unsafe(
    kit: FormKit, columns: Columns, expected: Columns, scores: FormScores
) -> Iterator[Failure]:
    empty = ~scores.recorded
    yield from _said_of_nothing(columns, empty)
    open_items = rc.is_unanswered(scores.codes)
    behind = items_by_scale(kit.form)
    plan = kit.form.plan
    for place, scale in enumerate(plan.scales):
        rows = [plan.row(item) for item in behind[scale.id]]
        is_open = open_items[rows].any(axis=0) & ~empty
        clause = _gate_clauses(kit, rows, open_items)
        name = f"{scale.id}.category"
        if name in columns and scale.content:
            worst = np.fmax(
                scores.scales[place].category_low, scores.scales[place].category_high
            ).astype(float)
            worst[worst < 0] = len(scale.categories) - 1  # nothing of it was answered
            said = columns[name]
            with np.errstate(invalid="ignore"):
                milder = is_open & (said.values < worst) & ~expected[name].same(said)
            yield from _failures(milder, name, said, expected[name], clause, 12)
        if scale.id in columns and scale.content:
            said = columns[scale.id]
            found = scores.scales[place]
            with np.errstate(invalid="ignore"):
                short = (
                    said.values < found.top - TOLERANCE
                    if scale.upwards
                    else said.values > found.bottom + TOLERANCE
                )
            short &= is_open & np.isnan(expected[scale.id].values)
            yield from _failures(short, scale.id, said, expected[scale.id], clause, 13)
    yield from _critical_and_validity(columns, expected)


def _gate_clauses(
    kit: FormKit, rows: list[int], open_items: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the clause that an unsafe result falls under, where it is not the general one."""
    clause = np.zeros(len(kit.names), dtype=np.int64)
    gated = sorted({row for gate in kit.form.plan.gates for row in gate.rows} & set(rows))
    if gated:
        clause[open_items[gated].any(axis=0)] = 15
    clause[kit.vectors.illegal >= 0] = 14
    return clause


def _failures(
    where: NDArray[np.bool_],
    name: str,
    said: Column,
    expected: Column,
    clause: NDArray[np.int64],
    general: int,
) -> Iterator[Failure]:
    if where.any():
        texts = said.texts(), expected.texts()
        for place in np.flatnonzero(where).tolist():
            number = int(clause[place]) or general
            yield Failure(number, place, name, texts[0][place], texts[1][place])


def _said_of_nothing(columns: Columns, empty: NDArray[np.bool_]) -> Iterator[Failure]:
    for name, column in columns.items():
        kind = kind_of(name)
        if kind == "critical":
            said = column.values == 0  # "no"
        elif kind == "validity":
            said = column.values == column.words.index("valid")
        else:
            said = ~np.isnan(column.values)
        texts = column.texts()
        for place in np.flatnonzero(said & empty).tolist():
            yield Failure(11, place, name, texts[place], "open" if kind == "critical" else "")


def _critical_and_validity(columns: Columns, expected: Columns) -> Iterator[Failure]:
    for name, column in columns.items():
        kind = kind_of(name)
        wanted = expected[name]
        if kind == "critical":
            missed = (wanted.values == 2) & (column.values != 2)  # noqa: PLR2004 - yes
            wrong = missed | ((wanted.values == 1) & (column.values == 0))
            clause = 16
        elif kind == "validity":
            invalid = wanted.values == wanted.words.index("invalid")
            wrong = invalid & (column.values == column.words.index("valid"))
            clause = 17
        else:
            continue
        texts = column.texts(), wanted.texts()
        for place in np.flatnonzero(wrong).tolist():
            yield Failure(clause, place, name, texts[0][place], texts[1][place])


def clause_of(number: int) -> Clause:
    """Return a clause by its number."""
    return _BY_NUMBER[number]


_BY_NUMBER: Mapping[int, Clause] = {clause.number: clause for clause in EVERY_CLAUSE}
