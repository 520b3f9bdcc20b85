"""A data set against an instrument: coded and keyed as the definition says, or not.

Shares, means and correlations only, over enough forms: nobody's answer is in a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.packed import unpack
from mhscreen.plan.scoring import answer_key, compile_form
from mhscreen.problems import ProblemLog, ResponseError
from mhscreen.steps.answers import read_answers
from mhscreen.steps.cells import is_blank
from mhscreen.steps.columns import match_columns
from mhscreen.steps.score import score_forms
from mhscreen.steps.tables import distinct
from mhscreen.vocabulary import AuditRemark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import Published
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan, ItemPlan
    from mhscreen.steps.columns import ColumnNames
    from mhscreen.steps.score import FormScores
    from mhscreen.steps.tables import Column, Table
    from mhscreen.vocabulary import Informant

__all__ = ["ENOUGH", "Audit", "ItemAudit", "ItemRest", "Remark", "ScaleAudit", "audit_answers"]

ENOUGH = 30
"""The fewest complete forms from which a scale gets figures."""

_MANY_ANSWERS = 20  # from which codes of one kind can be told to be shifted
_NEARLY_ALL = 0.95
_CLEARLY = 0.1  # how far below 0 a correlation must be, whatever the number of forms
_ERRORS = 2.0  # and how many standard errors
_MANY_REPEATED = 0.05
_LONG_FORM = 20  # items, from which equal forms are no chance
_NO_TERM = ("maximum", "levels")


@dataclass(frozen=True)
class Remark:
    """Something to look at.

    Attributes
    ----------
    remark : AuditRemark
        What; ``.en`` and ``.zh`` are its words.
    scale, item : str
        Where; empty where it holds for the whole.
    value : float
        The figure behind it; NaN where there is none. Of an offset, how far: 1 or −1.
    """

    remark: AuditRemark
    scale: str = ""
    item: str = ""
    value: float = np.nan


@dataclass(frozen=True)
class ItemAudit:
    """One item.

    Attributes
    ----------
    item : str
        The item.
    number : int
        Its number on the form.
    blank, illegal : float
        The shares of the forms without an answer, and with one that is no option; NaN without a
        column.
    offset : int
        How far its codes seem to be shifted against the declared ones; 0 as far as can be seen.
    constant : bool
        Whether everybody gave the same answer.
    """

    item: str
    number: int
    blank: float
    illegal: float
    offset: int
    constant: bool


@dataclass(frozen=True)
class ItemRest:
    """An item in a scale.

    Attributes
    ----------
    item : str
        The item.
    reverse : bool
        Whether the key reverses it.
    correlation : float
        Of its keyed score with the sum of the others; NaN where there is none.
    against : bool
        Whether it clearly runs against them.
    """

    item: str
    reverse: bool
    correlation: float
    against: bool


@dataclass(frozen=True)
class ScaleAudit:
    """One scale, over its complete forms.

    Attributes
    ----------
    scale : str
        The scale.
    items : tuple of ItemRest
        Its items, those of its components included.
    scored : int
        The forms that the scale's own missing rule scores.
    min_answered : int
        That rule: the fewest answered items.
    complete : int
        The forms with every item answered; all figures rest on them and on no other.
    mean, sd, alpha : float
        Of the score, and Cronbach's alpha of the keyed items; NaN where there is none.
    is_sum : bool
        Whether different items add up to it; else it has no alpha and no item–rest correlation.
    published : tuple of Published
        What sources report.
    """

    scale: str
    items: tuple[ItemRest, ...]
    scored: int
    min_answered: int
    complete: int
    mean: float
    sd: float
    alpha: float
    is_sum: bool
    published: tuple[Published, ...]


@dataclass(frozen=True)
class Audit:
    """A data set against one form of an instrument.

    Attributes
    ----------
    ref, slot : str
        The instrument at its version, and the form.
    rows, forms : int
        The rows of the table, and those with an answer.
    repeated_rows : float
        The share of the rows that equal an earlier row in every column.
    repeated_forms : float
        The share of the forms that equal an earlier one in every answer. Forms that give one
        answer throughout are left out: those are alike by themselves. With few items equal
        forms are common; it is remarked upon from 20 items.
    items : tuple of ItemAudit
        All items.
    scales : tuple of ScaleAudit
        All scales of the form.
    remarks : tuple of Remark
        What to look at; empty where nothing is.
    """

    ref: str
    slot: str
    rows: int
    forms: int
    repeated_rows: float
    repeated_forms: float
    items: tuple[ItemAudit, ...]
    scales: tuple[ScaleAudit, ...]
    remarks: tuple[Remark, ...]

    def scale_table(self) -> dict[str, list[Any]]:
        """Return the figures of each scale, each published set in a row below, as columns."""
        rows: list[dict[str, Any]] = []
        for one in self.scales:
            rows.append(
                {"scale": one.scale, "population": "", "n": one.complete, "mean": one.mean,
                 "sd": one.sd, "alpha": one.alpha, "evidence": "",
                 "scored": one.scored, "min_answered": one.min_answered}
            )  # fmt: skip
            rows += [
                {"scale": one.scale, "population": published.population.en, "n": published.n,
                 "mean": published.mean, "sd": published.sd, "alpha": published.alpha,
                 "evidence": str(published.evidence), "scored": None, "min_answered": None}
                for published in one.published
            ]  # fmt: skip
        return _columns(_SCALES, rows)

    def item_table(self) -> dict[str, list[Any]]:
        """Return each item in each of its scales, as columns."""
        known = {item.item: item for item in self.items}
        return _columns(
            _ITEMS,
            [
                {"scale": scale.scale, "item": one.item, "number": known[one.item].number,
                 "reverse": one.reverse, "item_rest": one.correlation,
                 "blank": known[one.item].blank, "illegal": known[one.item].illegal}
                for scale in self.scales
                for one in scale.items
            ],
        )  # fmt: skip


_SCALES = (
    "scale", "population", "n", "mean", "sd", "alpha", "evidence", "scored", "min_answered",
)  # fmt: skip
_ITEMS = ("scale", "item", "number", "reverse", "item_rest", "blank", "illegal")


def _columns(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in names}


def audit_answers(
    instrument: Instrument,
    informant: Informant,
    table: Table,
    columns: ColumnNames | None = None,
) -> Audit:
    """Compare a table of answers with what an instrument declares and its sources report.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    informant : Informant
        Whose form it is.
    table : Table
        One form per row.
    columns : str or dict, optional
        How the items are headed, see `mhscreen.steps.columns`.

    Returns
    -------
    Audit
        An illegal answer counts as unanswered. Without `ENOUGH` complete forms, and where codes
        seem shifted, a scale has no figures.

    Raises
    ------
    ResponseError
        If no column holds an item.
    """
    form = compile_form(instrument, informant)
    names = None if columns is None else {form.slot: columns}
    matched, problems = match_columns(table, [form], names, own=True, strict=False)
    headings = matched[form.slot].items
    if not headings:
        raise ResponseError([*problems, *matched[form.slot].problems])
    codes = read_answers(form, table, headings, ProblemLog())
    offsets = _offsets(form, table, headings)
    scored = score_forms(form, codes)
    items = tuple(_items(form, codes, scored.filed, headings, offsets))
    scales = tuple(
        _scale(instrument, form, scored, place, {item.item: item for item in items})
        for place in range(len(form.scales))
    )
    rows = np.array([distinct(column).index for column in table.columns.values()])
    there = codes[sorted(headings)]
    alike = there[:, scored.filed & ~(there == there[:1]).all(axis=0)]
    audit = Audit(
        instrument.ref,
        form.slot,
        table.rows,
        int(scored.filed.sum()),
        _repeated(rows, table.rows),
        _repeated(alike, int(scored.filed.sum())),
        items,
        scales,
        (),
    )
    return Audit(**{**vars(audit), "remarks": tuple(_remarks(form, audit))})


# -- codes as they were found --------------------------------------------------------------------


def _offsets(form: FormPlan, table: Table, headings: dict[int, str]) -> dict[int, int]:
    """Return how far the codes of an item seem shifted, for those that do.

    Before anything is refused, since a shift shows in what the response scale does not know.
    Items with the same options are looked at together, then each by itself.
    """
    counts = {
        row: _count_fits(form.items[row], table.columns[heading])
        for row, heading in headings.items()
    }
    together: dict[tuple[int | str, ...], list[int]] = {}
    for row in headings:
        if form.items[row].bands:
            continue  # a number has no coding that could be shifted
        together.setdefault(form.items[row].codes, []).append(row)
    found: dict[int, int] = {}
    for rows in together.values():
        shift = _shift(np.sum([counts[row] for row in rows], axis=0))
        for row in rows:
            one = shift or _shift(counts[row])
            if one:
                found[row] = one
    return found


_SHIFTS = (0, 1, -1)


def _count_fits(item: ItemPlan, column: Column) -> NDArray[np.int64]:
    """Return how many answers fit the declared codes, those one higher, one lower; and all."""
    often = np.bincount(column.index[column.index >= 0], minlength=len(column.values))
    options = {answer_key(code) for code in item.codes}
    fits = np.zeros(len(_SHIFTS) + 1, dtype=np.int64)
    for cell, number in zip(column.values, often.tolist(), strict=True):
        key = answer_key(cell)
        place = item.answers.get(key)
        if is_blank(cell) or (place is not None and place >= rc.FIRST_MISSING):
            continue
        fits[-1] += number
        fits[0] += number * (place is not None)
        if key.removeprefix("-").isdecimal():
            for column_, shift in enumerate(_SHIFTS[1:], start=1):
                fits[column_] += number * (str(int(key) - shift) in options)
    return fits


def _shift(fits: NDArray[np.int64]) -> int:
    *several, every = fits.tolist()
    best = int(np.argmax(several))  # the declared codes win where nothing tells them apart
    enough = every >= _MANY_ANSWERS and several[best] >= _NEARLY_ALL * every
    return _SHIFTS[best] if enough else 0


# -- items and scales ----------------------------------------------------------------------------


def _items(
    form: FormPlan,
    codes: NDArray[np.uint8],
    filed: NDArray[np.bool_],
    headings: dict[int, str],
    offsets: dict[int, int],
) -> Iterator[ItemAudit]:
    forms = int(filed.sum())
    for row, item in enumerate(form.items):
        given = codes[row, filed]
        answers = given[rc.is_answered(given)]
        there = row in headings and forms > 0
        illegal = float((given == rc.ILLEGAL).mean()) if there else np.nan
        blank = 1 - len(answers) / forms - illegal if there else np.nan
        constant = len(answers) >= ENOUGH and bool((answers == answers[0]).all())
        yield ItemAudit(item.id, item.number, blank, illegal, offsets.get(row, 0), constant)


class _Keyed(NamedTuple):
    """An item of a scale: its row, and its keyed score and whether it has one, by code."""

    row: int
    value: NDArray[np.int64]
    known: NDArray[np.int64]


def _keyed_items(form: FormPlan, scale: ScalePlan) -> Iterator[_Keyed]:
    """Yield the items of a scale with their keyed scores; those of its parts for a sum of them."""
    if scale.combine == "sum_of_scales":
        for place in scale.components:
            yield from _keyed_items(form, form.scales[place])
        return
    for row, packed in zip(scale.rows.tolist(), scale.tables, strict=True):
        counters = unpack(packed)
        yield _Keyed(row, counters.value, counters.answered)


def _scale(
    instrument: Instrument,
    form: FormPlan,
    scored: FormScores,
    place: int,
    items: dict[str, ItemAudit],
) -> ScaleAudit:
    plan, found = form.scales[place], scored.scales[place]
    definition = instrument.scale(plan.id)
    keyed = [*_keyed_items(form, plan)]
    ids = [form.items[one.row].id for one in keyed]
    complete = np.ones(len(found.score), dtype=bool)
    for one in keyed:
        complete &= one.known[scored.codes[one.row]] > 0
    complete &= scored.filed & ~np.isnan(found.score)
    number = int(complete.sum())
    is_sum = _is_sum(plan, keyed)
    mean = sd = alpha = np.nan
    rest = np.full(len(keyed), np.nan)
    if number >= ENOUGH and not any(items[item].offset for item in ids):
        scores = found.score[complete]
        mean, sd = float(scores.mean()), float(scores.std(ddof=1))
        if is_sum:
            values = np.array([one.value[scored.codes[one.row, complete]] for one in keyed])
            alpha, rest = _alpha(values), _item_rest(values)
    clearly = max(_CLEARLY, _ERRORS / np.sqrt(max(number, 1)))
    reverse = {key for name in _parts(instrument, plan.id) for key in name}
    return ScaleAudit(
        plan.id,
        tuple(
            ItemRest(item, item in reverse, float(r), plan.content and bool(r < -clearly))
            for item, r in zip(ids, rest.tolist(), strict=True)
        ),
        int((~np.isnan(found.score)).sum()),
        plan.min_answered,
        number,
        mean,
        sd,
        alpha,
        is_sum,
        definition.published_for(form.informant),
    )


def _parts(instrument: Instrument, scale: str) -> Iterator[tuple[str, ...]]:
    """Yield the reversed items of a scale and of its components."""
    one = instrument.scale(scale)
    yield one.reverse
    for part in one.scales:
        yield from _parts(instrument, part)


def _is_sum(scale: ScalePlan, keyed: Sequence[_Keyed]) -> bool:
    rows = [one.row for one in keyed]
    return scale.combine not in _NO_TERM and len(rows) > 1 and len(set(rows)) == len(rows)


def _alpha(values: NDArray[np.int64]) -> float:
    """Return Cronbach's alpha of items (rows); NaN where one of them is constant."""
    each, total = values.var(axis=1, ddof=1), values.sum(axis=0).var(ddof=1)
    if not each.all() or not total:
        return np.nan
    number = len(values)
    return float(number / (number - 1) * (1 - each.sum() / total))


def _item_rest(values: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the correlation of each item with the sum of the others; NaN for a constant."""
    centred = values - values.mean(axis=1, keepdims=True)
    rest = centred.sum(axis=0) - centred
    spread = np.sqrt((centred**2).sum(axis=1) * (rest**2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(
            spread > 0, (centred * rest).sum(axis=1) / spread, np.nan
        )
    return found


def _repeated(columns: NDArray[Any], forms: int) -> float:
    """Return the share of forms (columns of the array) that equal an earlier one."""
    if forms == 0 or columns.shape[1] == 0:
        return 0.0 if forms else np.nan
    rows = np.ascontiguousarray(columns.T)
    different = len(np.unique(rows.view([("", rows.dtype)] * rows.shape[1])))
    return float((columns.shape[1] - different) / forms)


# -- what to look at -----------------------------------------------------------------------------


def _remarks(form: FormPlan, audit: Audit) -> Iterator[Remark]:
    if audit.repeated_forms > _MANY_REPEATED and len(form.items) >= _LONG_FORM:
        yield Remark(AuditRemark.REPEATED_FORMS, value=audit.repeated_forms)
    yield from _about_items(form, audit.items)
    for scale in audit.scales:
        if scale.complete < ENOUGH:
            yield Remark(AuditRemark.TOO_FEW, scale.scale, value=float(scale.complete))
        for item in scale.items:
            if item.against:
                where = scale.scale, item.item
                yield Remark(AuditRemark.NEGATIVE_ITEM_REST, *where, item.correlation)


def _about_items(form: FormPlan, items: Iterable[ItemAudit]) -> Iterator[Remark]:
    for item, plan in zip(items, form.items, strict=True):
        if np.isnan(item.blank):
            if plan.counts:
                yield Remark(AuditRemark.NO_COLUMN, item=item.item)
        elif item.offset:
            yield Remark(AuditRemark.CODING_OFFSET, item=item.item, value=float(item.offset))
        elif item.illegal > 0:
            yield Remark(AuditRemark.ILLEGAL_ANSWERS, item=item.item, value=item.illegal)
        elif item.blank >= 1:
            yield Remark(AuditRemark.NO_ANSWERS, item=item.item)
        if item.constant:
            yield Remark(AuditRemark.CONSTANT_ITEM, item=item.item)
