"""One informant's form of one instrument, compiled: a table per item and scale."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, field, fields
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions.checksums import scale_key_checksum
from mhscreen.definitions.keys import counts_from, item_direction, items_of, own_items
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import FAILS, at_or_past
from mhscreen.kernels.packed import LARGEST_SUM, MOST_ITEMS, pack
from mhscreen.plan.coding import compile_coding
from mhscreen.plan.kinds import compile_irt, compile_levels, compile_transform
from mhscreen.plan.quality import compile_quality
from mhscreen.plan.scales import ScalePlan
from mhscreen.problems import UsageError
from mhscreen.vocabulary import Direction

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument
    from mhscreen.definitions.instrument import Item, ResponseScale, Scale
    from mhscreen.plan.coding import FormCoding
    from mhscreen.plan.quality import QualityPlan
    from mhscreen.vocabulary import Concern, Directness, Informant, Validity, Window

__all__ = [
    "CriticalPlan",
    "FormPlan",
    "GatePlan",
    "ItemPlan",
    "ValidityPlan",
    "answer_key",
    "compile_form",
]

_EPSILON = 1e-9


def answer_key(answer: object) -> str:
    """Return the spelling under which an answer is looked up.

    Full-width characters, case and stray blanks make no difference, and a whole number
    written as a float is that number.

    Examples
    --------
    >>> answer_key("２ "), answer_key(2.0), answer_key("Not At All"), answer_key("1.5")
    ('2', '2', 'not at all', '1.5')
    """
    if isinstance(answer, float) and answer.is_integer():
        answer = int(answer)
    text = " ".join(unicodedata.normalize("NFKC", str(answer)).split()).casefold()
    whole, point, decimals = text.partition(".")
    if point and decimals and not decimals.strip("0") and whole.lstrip("+-").isdigit():
        return whole
    return text


@dataclass(frozen=True, eq=False)
class ItemPlan:
    """One item: what may be answered and what it scores.

    Attributes
    ----------
    answers : mapping of str to int
        Response code by `answer_key`.
    scores : ndarray of int64, shape (options,)
        Item score by response code, before reverse keying.
    upwards : bool
        Whether a higher item score is worse.
    blank_score : int or None
        What a blank counts as on a form that was filled in.
    codes : tuple
        The recorded codes of the options.
    bands : tuple of float
        Where a number is recorded: where the band of each option begins; else empty.
    largest : float
        The largest number that may be recorded.
    counts : bool
        Whether a scale, critical item, gate or rule of the policy uses it, so that a blank
        leaves the form incomplete.
    supplement : bool
        Whether it belongs to a supplement, without which the form is printed, too.
    """

    id: str
    number: int
    answers: Mapping[str, int]
    codes: tuple[int | str, ...]
    scores: NDArray[np.int64]
    upwards: bool
    blank_score: int | None
    counts: bool
    supplement: bool
    legal: str
    """The legal codes in words, for messages."""
    bands: tuple[float, ...] = ()
    largest: float = -inf

    def truth(self, cut: float, *, upwards: bool = True) -> NDArray[np.int8]:
        """Return by response code, three-valued, whether the item score is at or past a value.

        Shape (256,). What is not applicable is at its mildest; a blank that counts as something
        surely is that, and may be more.
        """
        worst, mildest = self.scores.max(), self.scores.min()
        if not upwards:
            worst, mildest = mildest, worst
        sure = np.full(256, mildest, dtype=np.float64)
        furthest = np.full(256, worst, dtype=np.float64)
        sure[: len(self.scores)] = furthest[: len(self.scores)] = self.scores
        if self.blank_score is not None:
            sure[rc.COUNTED_BLANK] = self.blank_score
        furthest[rc.NOT_APPLICABLE] = mildest
        return at_or_past(sure, furthest, cut, upwards=upwards)

    def band_of(self, number: float) -> int | None:
        """Return the place of the option that a recorded number belongs to; None for no answer.

        Examples
        --------
        >>> from mhscreen.loading import shipped_library
        >>> from mhscreen.vocabulary import Informant
        >>> psqi = shipped_library().instrument("psqi-minutes@1").definition
        >>> minutes_to_sleep = compile_form(psqi, Informant.SELF).items[0]
        >>> [minutes_to_sleep.band_of(n) for n in (0, 15.5, 16, 61, 2000, -1)]
        [0, 0, 1, 3, None, None]
        """
        reached = bisect_right(self.bands, number + _EPSILON) - 1
        return reached if reached >= 0 and number <= self.largest + _EPSILON else None


@dataclass(frozen=True)
class CriticalPlan:
    """One critical item, as a row of the response codes and the score from which it counts."""

    row: int
    item: str
    concern: Concern
    window: Window
    days: int | None
    at_or_above: int
    directness: Directness


@dataclass(frozen=True)
class GatePlan:
    """A gate: the rows behind it, and the (row, score) pairs that open it."""

    rows: tuple[int, ...]
    openers: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ValidityPlan:
    """A validity index: the place of its scale, and the score from which it is reached."""

    id: str
    scale: int
    at_or_above: float
    status: Validity


@dataclass(frozen=True, eq=False)
class FormPlan:
    """All that scoring needs to know about one informant's form of one instrument."""

    slot: str
    prefix: str
    instrument: str
    ref: str
    informant: Informant
    ages: tuple[float, float]
    items: tuple[ItemPlan, ...]
    scales: tuple[ScalePlan, ...]
    critical: tuple[CriticalPlan, ...]
    gates: tuple[GatePlan, ...]
    validity: tuple[ValidityPlan, ...]
    columns: Mapping[str, int] = field(repr=False)
    """Item row by normalised column name."""
    quality: QualityPlan | None = field(default=None, repr=False)
    """Its response-quality indices."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what is handed to another process: what follows from it is found there again."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def coding(self) -> FormCoding:
        """How the states of its scales are found in one pass."""
        return compile_coding(self.scales, [len(item.scores) for item in self.items])

    @cached_property
    def blank_rows(self) -> tuple[int, ...]:
        """The rows of the items whose blank counts as something."""
        return tuple(row for row, item in enumerate(self.items) if item.blank_score is not None)

    @cached_property
    def settled_rows(self) -> tuple[int, ...]:
        """The rows of the response codes that blank rules and gates may change."""
        return tuple({*self.blank_rows, *(row for gate in self.gates for row in gate.rows)})

    @cached_property
    def shut(self) -> tuple[tuple[NDArray[np.bool_], ...], ...]:
        """By gate and opener: with which response codes the opener surely does not open it."""
        return tuple(
            tuple(self.items[row].truth(cut) == FAILS for row, cut in gate.openers)
            for gate in self.gates
        )

    @cached_property
    def only_answers_settle(self) -> bool:
        """Whether no blank rule and no gate needs to know if a form has an answer at all."""
        openers = [row for gate in self.gates for row, _ in gate.openers]
        return (
            not self.blank_rows
            and all(gate.openers for gate in self.gates)
            and set(openers).isdisjoint(self.settled_rows)
            and not any(fails[rc.FIRST_REASON :].any() for shut in self.shut for fails in shut)
        )

    @property
    def stem(self) -> str:
        """How columns begin that do not name the informant: the instrument's id."""
        return self.instrument.replace("-", "_")

    def row(self, item: str) -> int:
        """Return the row of an item."""
        return next(place for place, plan in enumerate(self.items) if plan.id == item)

    def scale(self, key: str) -> int:
        """Return the place of a scale, or −1 where this form does not have it."""
        return next((place for place, plan in enumerate(self.scales) if plan.id == key), -1)


def compile_form(
    instrument: Instrument, informant: Informant, read: Collection[str] = ()
) -> FormPlan:
    """Compile one informant's form.

    Parameters
    ----------
    instrument : Instrument
        A definition that passed its checks.
    informant : Informant
        One of the instrument's informants.
    read : collection of str
        Items that rules of a policy read.

    Raises
    ------
    UsageError
        If the instrument has no form for the informant, or a scale is too wide to be summed.
    """
    if informant not in instrument.informants:
        allowed = ", ".join(instrument.informants)
        msg = f"{instrument.ref} has no form for informant '{informant}'; it has: {allowed}"
        raise UsageError(msg)
    rows = {item.id: place for place, item in enumerate(instrument.items)}
    scales = instrument.scales_for(informant)
    places = {scale.id: place for place, scale in enumerate(scales)}
    used = {key for scale in scales for key in own_items(scale)}
    used |= {critical.item for critical in instrument.critical_items}
    used |= {opener.item for gate in instrument.gates for opener in gate.open_when_any}
    used.update(read)
    supplement = _supplement(instrument, informant).difference(read)
    answers = {name: _answers(scale) for name, scale in instrument.response_scales.items()}
    return FormPlan(
        slot=instrument.slot(informant),
        prefix=instrument.prefix(informant),
        instrument=instrument.id,
        ref=instrument.ref,
        informant=informant,
        ages=(instrument.ages.from_, instrument.ages.below),
        items=tuple(
            _item(
                instrument,
                item,
                answers[item.response_scale],
                counts=item.id in used,
                supplement=item.id in supplement,
            )
            for item in instrument.items
        ),
        scales=tuple(_scale(instrument, scale, informant, rows, places) for scale in scales),
        critical=tuple(
            CriticalPlan(
                rows[c.item], c.item, c.concern, c.window, c.days, c.at_or_above, c.directness
            )
            for c in instrument.critical_items
        ),
        gates=tuple(
            GatePlan(
                tuple(rows[key] for key in gate.items),
                tuple((rows[opener.item], opener.at_or_above) for opener in gate.open_when_any),
            )
            for gate in instrument.gates
        ),
        validity=tuple(
            ValidityPlan(index.id, places[index.scale], index.at_or_above, index.status)
            for index in instrument.validity_indices
            if index.scale in places
        ),
        columns=_columns(instrument, informant),
        quality=compile_quality(instrument, informant, rows, used),
    )


def _columns(instrument: Instrument, informant: Informant) -> dict[str, int]:
    """Return the names under which each item's column is found."""
    names: dict[str, int] = {}
    prefix = instrument.prefix(informant)
    for row, item in enumerate(instrument.items):
        names[f"{prefix}_{item.id}"] = row
    for row, item in enumerate(instrument.items):
        for width in (1, 2, 3):
            names.setdefault(f"{prefix}_{item.number:0{width}d}", row)
    return names


def _supplement(instrument: Instrument, informant: Informant) -> set[str]:
    """Return the items of supplements, and of the gates to nothing else."""
    scales = instrument.scales_for(informant)
    found = {key for one in scales if one.supplement for key in items_of(instrument, one)}
    kept = {key for one in scales if not one.supplement for key in items_of(instrument, one)}
    kept |= {critical.item for critical in instrument.critical_items}
    for gate in instrument.gates:
        openers = {opener.item for opener in gate.open_when_any}
        if kept.isdisjoint(gate.items) and not found.isdisjoint(gate.items):
            found |= openers
        else:
            kept |= openers
    return found - kept


def _answers(scale: ResponseScale) -> dict[str, int]:
    """Return the response code of every spelling of an answer."""
    answers: dict[str, int] = {}
    spellings = [
        (place, [option.code, option.label.en, option.label.zh, *option.aliases])
        for place, option in enumerate(scale.options)
    ] + [
        (rc.missing_code(missing.reason), [missing.code, missing.label.en, missing.label.zh])
        for missing in scale.missing_codes
    ]
    # Codes go first: a label that happens to be another option's code must not win.
    for code, (first, *_) in spellings:
        answers[answer_key(first)] = code
    for code, (_, *others) in spellings:
        for other in others:
            answers.setdefault(answer_key(other), code)
    return answers


def _item(
    instrument: Instrument,
    item: Item,
    answers: Mapping[str, int],
    *,
    counts: bool,
    supplement: bool,
) -> ItemPlan:
    scale = instrument.options(item.id)
    legal = ", ".join(str(option.code) for option in scale.options)
    if scale.numbers is not None:
        first, last = scale.options[0].code, scale.numbers.to
        legal = f"a number from {first} to {last:g} ({scale.numbers.unit.en})"
    if scale.missing_codes:
        legal += ", or a missing code " + ", ".join(str(m.code) for m in scale.missing_codes)
    blank = item.blank_counts_as
    return ItemPlan(
        item.id,
        item.number,
        answers,
        tuple(option.code for option in scale.options),
        np.array(scale.scores, dtype=np.int64),
        item_direction(instrument, item.id) is Direction.WORSE,
        None if blank is None else blank.score,
        counts,
        supplement,
        legal,
        *_bands(scale),
    )


def _bands(scale: ResponseScale) -> tuple[tuple[float, ...], float]:
    if scale.numbers is None:
        return (), -inf
    return tuple(float(option.code) for option in scale.options), scale.numbers.to


def _scale(
    instrument: Instrument,
    scale: Scale,
    informant: Informant,
    rows: Mapping[str, int],
    places: Mapping[str, int],
) -> ScalePlan:
    cut_set = scale.cut_set_for(informant)
    every = items_of(instrument, scale)
    several = [
        item for name in scale.scales for item in items_of(instrument, instrument.scale(name))
    ]
    items = every if scale.levels or len(several) > len(every) else scale.items
    tables = _tables(instrument, scale, items)
    model = compile_irt(instrument, scale, tables)
    return ScalePlan(
        id=scale.id,
        combine=scale.combine,
        rows=np.array([rows[key] for key in items], dtype=np.int64),
        tables=tables,
        components=tuple(places[key] for key in scale.scales),
        n_items=len(every),
        min_answered=_min_answered(scale, len(every)),
        rounding=scale.rounding,
        upwards=scale.higher_is is Direction.WORSE,
        content=scale.purpose == "content",
        # That of a model is stated to one decimal only.
        range=scale.range if model is None or scale.rounding != "none" else model.range,
        categories=() if cut_set is None else tuple(c.id for c in cut_set.categories),
        labels=() if cut_set is None else tuple(c.label for c in cut_set.categories),
        cuts=np.array(
            [] if cut_set is None else [c.cut for c in cut_set.categories[1:]], dtype=np.float64
        ),
        key_checksum=scale_key_checksum(instrument, scale.id),
        transform=compile_transform(instrument, scale),
        levels=compile_levels(instrument, scale, rows, places),
        irt=model,
    )


def _min_answered(scale: Scale, items: int) -> int:
    if scale.missing is not None:
        return scale.missing.min_answered
    if scale.irt is not None and scale.irt.min_answered is not None:
        return scale.irt.min_answered
    return items


def _keyed(
    scale: Scale, key: str, score: NDArray[np.int64], options: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Key item scores: mirror those of a reversed item, then weigh, count or rank them."""
    mirror = options.min() + options.max()
    if scale.combine in ("levels", "sum_of_scales"):
        return np.zeros_like(score)  # only how many were answered is counted
    if key in scale.reverse:
        score, options = mirror - score, mirror - options
    if scale.combine == "count":
        return (score >= counts_from(scale, key)).astype(np.int64)
    if scale.combine == "weighted_sum":
        return score * scale.weights[key]
    if scale.combine == "eap":
        return np.searchsorted(np.unique(options), score).astype(np.int64)
    return score


def _tables(instrument: Instrument, scale: Scale, items: Sequence[str]) -> NDArray[np.int64]:
    """Return packed counters by item of the scale and response code."""
    tables = np.zeros((len(items), 256), dtype=np.int64)
    closed = {key: gate.closed_score for gate in instrument.gates for key in gate.items}
    largest = 0
    for place, key in enumerate(items):
        options = np.array(instrument.options(key).scores, dtype=np.int64)
        scores = _keyed(scale, key, options, options)
        if scores.min() < 0:
            msg = f"{instrument.ref}: scale {scale.id}: a keyed score below 0 cannot be summed"
            raise UsageError(msg)
        largest += int(scores.max())
        value, low, high, answered, known = np.zeros((5, 256), dtype=np.int64)
        low[:], high[:] = scores.min(), scores.max()
        for part in (value, low, high):
            part[: len(scores)] = scores
        answered[: len(scores)] = known[: len(scores)] = 1
        settled = _keyed(scale, key, np.array([closed.get(key, 0)]), options)[0]
        if key in closed:
            for part in (value, low, high):
                part[rc.NOT_APPLICABLE] = settled
            answered[rc.NOT_APPLICABLE] = known[rc.NOT_APPLICABLE] = 1
        blank = instrument.item(key).blank_counts_as
        if blank is not None:
            value[rc.COUNTED_BLANK] = _keyed(scale, key, np.array([blank.score]), options)[0]
            known[rc.COUNTED_BLANK] = 1
        tables[place] = pack(value, low, high, answered, known)
    if len(items) > MOST_ITEMS or largest > LARGEST_SUM:
        limits = f"more than {MOST_ITEMS} items or {LARGEST_SUM} points"
        msg = f"{instrument.ref}: scale {scale.id}: {limits}"
        raise UsageError(msg)
    return tables
