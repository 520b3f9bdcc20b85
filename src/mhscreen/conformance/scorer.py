"""What a scoring program says of filled-in forms, column by column; ours and any other's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.definitions.keys import comparisons, items_of
from mhscreen.definitions.kinds import LevelScale
from mhscreen.kernels import codes as rc
from mhscreen.kernels.logic import HOLDS, UNDECIDED
from mhscreen.plan.norming import NormPlan, compile_norms
from mhscreen.plan.scales import ScalePlan
from mhscreen.plan.scoring import FormPlan, ItemPlan, answer_key, compile_form
from mhscreen.problems import DefinitionError
from mhscreen.steps.norm import norm_scale
from mhscreen.steps.score import FormScores, score_forms
from mhscreen.vocabulary import Fault, Metric, Validity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.definitions import Instrument, NormTable
    from mhscreen.definitions.instrument import Item, Scale
    from mhscreen.loading import Library
    from mhscreen.plan.scales import Encoding
    from mhscreen.vocabulary import Informant

__all__ = [
    "CRITICAL",
    "TOLERANCE",
    "UNCHANGED",
    "VALIDITY",
    "Change",
    "Column",
    "Columns",
    "Departure",
    "Form",
    "Vectors",
    "compile_change",
    "find_forms",
    "illegal_texts",
    "score_vectors",
]

TOLERANCE = 0.005
"""How far two numbers may lie apart: they agree to two decimals."""
VALIDITY = "form.validity"
"""The column that says whether the form is valid; a scale may be called validity."""
CRITICAL = ("no", "open", "yes")
"""What is said of a critical item: negative, unanswered, positive."""
_VALIDITY = tuple(str(term) for term in Validity)
_METRICS = (Metric.T, Metric.Z, Metric.PERCENTILE, Metric.STANINE)
_PRECISION = 1000


@dataclass(frozen=True, eq=False)
class Column:
    """One output of a scorer; arrays of shape (vectors,).

    Attributes
    ----------
    values : ndarray of float64
        Numbers, or places in `words`; NaN where nothing is said.
    words : tuple of str
        Empty for numbers. Categories run from the near to the far side.
    """

    values: NDArray[np.float64]
    words: tuple[str, ...] = ()

    def digest(self, name: str) -> NDArray[np.uint64]:
        """Return a number for each cell, equal where column and content are."""
        blank = np.isnan(self.values)
        if self.words:
            known = np.array([_hash(word) for word in self.words], dtype=np.uint64)
            cells = known[np.where(blank, 0, self.values).astype(np.int64)]
        else:
            cells = np.rint(np.where(blank, 0, self.values) * _PRECISION).astype(np.int64)
            cells = cells.view(np.uint64)
        cells = np.where(blank, np.uint64(_hash("")), cells)
        return _mix(cells ^ np.uint64(_hash(name)))

    def same(self, other: Column) -> NDArray[np.bool_]:
        """Return where two columns say the same, numbers within `TOLERANCE`."""
        if self.words != other.words:
            return np.array([a == b for a, b in zip(self.texts(), other.texts(), strict=True)])
        here, there = np.isnan(self.values), np.isnan(other.values)
        with np.errstate(invalid="ignore"):
            close = np.abs(self.values - other.values) <= TOLERANCE + 1e-9
        return (here & there) | (~here & ~there & close)

    def texts(self) -> list[str]:
        """Return every cell as it is written in a file; empty for nothing."""
        if self.words:
            return ["" if v != v else self.words[int(v)] for v in self.values.tolist()]  # noqa: PLR0124 - NaN
        return [_number(value) for value in self.values.tolist()]


Columns = dict[str, Column]


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return ""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit numbers (the finaliser of splitmix64)."""
    mixed = values.copy()
    with np.errstate(over="ignore"):
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(27)
        mixed *= np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return mixed


@dataclass(frozen=True, eq=False)
class Vectors:
    """Filled-in forms; arrays of shape (vectors,) but for `codes`.

    Attributes
    ----------
    codes : ndarray of uint8, shape (items, vectors)
        Response codes, see `mhscreen.kernels.codes`.
    illegal : ndarray of int8
        Which of `illegal_texts` stands for the illegal answers of a form; −1 for none.
    late : ndarray of bool
        Whether numbers that are recorded stand at the end of their bands, not at the beginning.
    sex, grade : ndarray of int8
        As on a roster, −1 where not known.
    age : ndarray of float64
        In years, NaN where not known.
    why : tuple of str
        What each vector is there for.
    """

    codes: NDArray[np.uint8]
    illegal: NDArray[np.int8]
    late: NDArray[np.bool_]
    sex: NDArray[np.int8]
    age: NDArray[np.float64]
    grade: NDArray[np.int8]
    why: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of forms."""
        return int(self.codes.shape[1])

    def take(self, places: Sequence[int]) -> Vectors:
        """Return some of them, in the order asked for."""
        rows = np.asarray(places, dtype=np.int64)
        return Vectors(
            self.codes[:, rows],
            self.illegal[rows],
            self.late[rows],
            self.sex[rows],
            self.age[rows],
            self.grade[rows],
            tuple(self.why[row] for row in rows.tolist()),
        )


def illegal_texts(item: Item, instrument: Instrument) -> tuple[str, ...]:
    """Return what no item of a form may hold: just above, just below, a fraction, a word."""
    scale = instrument.response_scales[item.response_scale]
    numbers = [o.code for o in scale.options if isinstance(o.code, int)] or [0]
    known = {answer_key(text) for one in scale.options for text in (one.code, *one.aliases)}
    known |= {answer_key(missing.code) for missing in scale.missing_codes}
    above, below = max(numbers) + 1, min(numbers) - 1
    while answer_key(above) in known:
        above += 1
    while answer_key(below) in known:
        below -= 1
    if scale.numbers is not None:
        return f"{scale.numbers.to + 1:g}", str(below), "?", "x"
    return str(above), str(below), f"{min(numbers)}.5", "x"


def recorded(item: ItemPlan, place: int, *, late: bool) -> str:
    """Return what is recorded for an option: its code, or a number at an end of its band."""
    if not item.bands or not late:
        return str(item.codes[place])
    last = item.bands[place + 1] - 1 if place + 1 < len(item.bands) else item.largest
    return f"{last:g}"


@dataclass(frozen=True, eq=False)
class Form:
    """One informant's form of one instrument, with the norms that fit it."""

    instrument: Instrument
    informant: Informant
    norms: tuple[NormTable, ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Its name in files: ``phq9-1.1.0``, ``sdq-1.0.0-teacher``."""
        stem = f"{self.instrument.id}-{self.instrument.version}"
        return f"{stem}-{self.informant}" if len(self.instrument.informants) > 1 else stem

    @cached_property
    def definition(self) -> Instrument:
        """The instrument as if nobody else filled it in: with this form's scales and cuts."""
        scales = tuple(
            scale.model_copy(
                update={
                    "informants": (),
                    "cut_sets": tuple(
                        one
                        for one in scale.cut_sets
                        if not one.informants or self.informant in one.informants
                    ),
                }
            )
            for scale in self.instrument.scales_for(self.informant)
        )
        own = {scale.id for scale in scales}
        indices = tuple(one for one in self.instrument.validity_indices if one.scale in own)
        return self.instrument.model_copy(
            update={
                "informants": (self.informant,),
                "scales": scales,
                "validity_indices": indices,
                "quality": (),
            }
        )

    @cached_property
    def plan(self) -> FormPlan:
        """The form, compiled."""
        return _compile(self.instrument, self.informant)

    @cached_property
    def norm_plans(self) -> dict[str, NormPlan]:
        """By the beginning of a column: ``total.shanghai-teacher``."""
        return {
            f"{self.plan.scales[plan.scale].id}.{table.id}": plan
            for table in self.norms
            for plan in compile_norms(table, self.plan, 0)
        }


def find_forms(library: Library, instruments: Iterable[str] = ()) -> tuple[Form, ...]:
    """Return the forms of instruments, by default of all that are not withdrawn."""
    loaded = [library.instrument(ref) for ref in instruments]
    if not loaded:
        every: Any = library.of_kind("instrument")
        loaded = [one for one in every if one.withdrawn is None]
    tables: Any = [one.definition for one in library.of_kind("norm") if one.withdrawn is None]
    found = []
    for instrument in (one.definition for one in loaded):
        for informant in instrument.informants:
            plan = _compile(instrument, informant)
            fitting = tuple(
                t for t in tables
                if t.instrument_id == instrument.id and t.informant is informant and _fits(t, plan)
            )  # fmt: skip
            found.append(Form(instrument, informant, fitting))
    return tuple(found)


def _fits(table: NormTable, plan: FormPlan) -> bool:
    try:
        compile_norms(table, plan, 0)
    except DefinitionError:
        return False
    return True


def _compile(instrument: Instrument, informant: Informant) -> FormPlan:
    # Generic signs of careless answering are ours, not the instrument's.
    return compile_form(instrument.model_copy(update={"quality": ()}), informant)


@dataclass(frozen=True, eq=False)
class Change:
    """In what a scorer departs from the definition; nothing by default.

    Attributes
    ----------
    instrument : Instrument or None
        The definition it follows instead.
    scales : tuple of str
        The scales that are changed themselves; empty where any may be.
    read : callable or None
        Gives the response codes it takes the vectors for.
    plan : callable or None
        Changes the compiled form.
    say : callable or None
        Changes what is said: from the form's plan, its scores and the columns.
    norm : mapping of str to NormPlan, or None
        The norms it uses, by the beginning of their columns; nothing else is then changed.
    people : callable or None
        Changes whom it takes the pupils for, in norming.
    """

    instrument: Instrument | None = None
    scales: tuple[str, ...] = ()
    read: Callable[[Form, Vectors], NDArray[np.uint8]] | None = None
    plan: Callable[[FormPlan], FormPlan] | None = None
    say: Callable[[FormPlan, FormScores, Columns], Columns] | None = None
    norm: Mapping[str, NormPlan] | None = None
    people: Callable[[Vectors], Vectors] | None = None


UNCHANGED = Change()


@dataclass(frozen=True, eq=False)
class Departure:
    """One way to score otherwise than a definition says.

    Attributes
    ----------
    name : str
        What is done, such as ``total: item q7 not reversed``.
    fault : Fault
        The kind of fault; `Fault.VARIANT` where it is documented and no fault.
    change : Change
        How to score so.
    source : str
        Where it was seen, of faults and variants that are known by name.
    item : str
        The item, where what is changed is its part in `Change.scales` and nothing else.
    """

    name: str
    fault: Fault
    change: Change
    source: str = ""
    item: str = ""


def score_vectors(
    form: Form,
    vectors: Vectors,
    change: Change = UNCHANGED,
    names: Collection[str] | None = None,
) -> Columns:
    """Score vectors, by the definition or with one thing changed.

    Parameters
    ----------
    names : collection of str, optional
        The columns that are wanted, where not all of them are: derived scores cost most.

    Returns
    -------
    dict of str to Column
        By column. Of a changed scorer only the columns that may differ.

    Raises
    ------
    UsageError
        If the changed definition cannot be scored at all.
    """
    if change.norm is not None:
        scores = score_forms(form.plan, vectors.codes)
        people = vectors if change.people is None else change.people(vectors)
        return _norm_columns(scores, _wanted(change.norm, names), people)
    plan = compile_change(form, change)
    codes = vectors.codes if change.read is None else change.read(form, vectors)
    scores = score_forms(plan, codes)
    columns = _raw_columns(scores)
    if not change.scales:
        columns |= _critical_columns(plan, scores)
    if plan.validity:
        columns[VALIDITY] = _validity_column(scores)
    own = _wanted(_own_norms(form, plan), names)
    columns |= _norm_columns(scores, own, vectors)
    return columns if change.say is None else change.say(plan, scores, columns)


def _wanted(norms: Mapping[str, NormPlan], names: Collection[str] | None) -> Mapping[str, NormPlan]:
    """Return the norms of which a column is wanted."""
    if names is None:
        return norms
    stems = {name.rpartition(".")[0] for name in names}
    return {name: plan for name, plan in norms.items() if name in stems}


def compile_change(form: Form, change: Change, *, whole: bool = False) -> FormPlan:
    """Compile a changed scorer.

    Parameters
    ----------
    whole : bool
        Whether scales that the change cannot reach are kept, too.
    """
    plan = form.plan
    instrument = change.instrument or form.instrument
    if change.scales and not whole:
        plan = _compile_scales(form, instrument, change.scales)
    elif change.instrument is not None:
        plan = _compile(instrument, form.informant)
    if change.plan is not None:
        plan = change.plan(plan)
    return plan if plan is form.plan else replace(plan, scales=tuple(map(_once, plan.scales)))


@dataclass(frozen=True, eq=False)
class _Once(ScalePlan):
    """A scale that scores few forms, once: finding its states first would cost more."""

    @cached_property
    def encoding(self) -> Encoding | None:
        """Nothing: each form is scored by itself."""
        return None


def _once(scale: ScalePlan) -> _Once:
    return _Once(**{one.name: getattr(scale, one.name) for one in fields(ScalePlan)})


def _compile_scales(form: Form, instrument: Instrument, changed: Sequence[str]) -> FormPlan:
    """Compile nothing but some scales, what rests on them and their parts, and their items.

    Thousands of departures change one scale each: what they leave as it is comes from the form.
    """
    wanted = reached_scales(instrument, changed)
    for scale in reversed(instrument.scales):
        if scale.id in wanted:
            wanted |= _parts(scale)
    scales = tuple(scale for scale in instrument.scales if scale.id in wanted)
    read = {key for scale in scales for key in items_of(instrument, scale)}
    if any(scale.levels for scale in scales):  # levels know their items by their rows
        read = {item.id for item in instrument.items}
    items = tuple(item for item in instrument.items if item.id in read)
    gates = tuple(
        gate.model_copy(
            update={"items": tuple(k for k in gate.items if k in read), "open_when_any": ()}
        )
        for gate in instrument.gates
    )
    small = instrument.model_copy(
        update={
            "items": items,
            "scales": scales,
            "gates": gates,
            "critical_items": (),
            "validity_indices": (),
        }
    )
    found = _compile(small, form.informant).scales
    rows = np.array([form.plan.row(item.id) for item in items], dtype=np.int64)
    places = {scale.id: place for place, scale in enumerate(found)}
    before = form.plan.scales
    return replace(
        form.plan,
        scales=tuple(replace(scale, rows=rows[scale.rows]) for scale in found),
        critical=(),
        validity=tuple(
            replace(index, scale=places[before[index.scale].id])
            for index in form.plan.validity
            if before[index.scale].id in places
        ),
    )


def reached_scales(instrument: Instrument, changed: Sequence[str]) -> set[str]:
    """Return some scales and those that rest on them."""
    reached = set(changed)
    for scale in instrument.scales:
        if reached & _parts(scale):
            reached.add(scale.id)
    return reached


def _parts(scale: Scale) -> set[str]:
    found = set(scale.scales)
    for level in scale.levels:
        found |= {c.scale for _, c in comparisons(level.when) if isinstance(c, LevelScale)}
    return found


def _raw_columns(scores: FormScores) -> Columns:
    columns = {}
    for scale in scores.scales:
        columns[scale.scale] = Column(scale.score)
        if scale.categories:
            category = scale.category.astype(np.float64)
            category[scale.category < 0] = np.nan
            columns[f"{scale.scale}.category"] = Column(category, scale.categories)
    return columns


def _critical_columns(plan: FormPlan, scores: FormScores) -> Columns:
    items = [critical.item for critical in plan.critical]
    columns = {}
    for critical, truth in zip(plan.critical, scores.critical, strict=True):
        name = f"critical.{critical.item}"
        if items.count(critical.item) > 1:
            name += f".{critical.concern}"
        said = np.select([truth == HOLDS, truth == UNDECIDED], [2.0, 1.0], default=0.0)
        columns[name] = Column(said, CRITICAL)
    return columns


def _validity_column(scores: FormScores) -> Column:
    said = scores.validity.astype(np.float64)
    said[~scores.filed] = np.nan
    return Column(said, _VALIDITY)


def _own_norms(form: Form, plan: FormPlan) -> dict[str, NormPlan]:
    """Return the norms of the scales that a plan has, at their places there."""
    found = {}
    for name, norm in form.norm_plans.items():
        place = plan.scale(form.plan.scales[norm.scale].id)
        if place >= 0:
            found[name] = replace(norm, scale=place)
    return found


def _norm_columns(scores: FormScores, norms: Mapping[str, NormPlan], people: Vectors) -> Columns:
    columns = {}
    for name, norm in norms.items():
        normed = norm_scale(norm, scores.scales[norm.scale], people.sex, people.age, people.grade)
        given = [metric for metric in _METRICS if metric in normed.derived]
        if Metric.T in given and Metric.Z in given:
            given.remove(Metric.Z)  # a T of a mean and SD is the same number again
        for metric in given:
            columns[f"{name}.{metric}"] = Column(normed.derived[metric].value)
    return columns


def items_by_scale(form: Form) -> dict[str, tuple[str, ...]]:
    """Return the items behind each scale of a form, those of its components included."""
    scales = form.instrument.scales_for(form.informant)
    return {scale.id: items_of(form.instrument, scale) for scale in scales}


def open_codes() -> NDArray[np.uint8]:
    """Return every response code that is no answer."""
    return np.arange(rc.NOT_APPLICABLE + 1, 256, dtype=np.uint8)
