"""Score: response codes into raw scores, each with its bounds, and never one without answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mhscreen.kernels import codes as rc
from mhscreen.kernels.irt import Eap, eap
from mhscreen.kernels.logic import HOLDS, UNDECIDED, all_of, any_of, at_least, at_or_past
from mhscreen.kernels.packed import Counters, max_packed, sum_packed, unpack
from mhscreen.kernels.sums import smallest_type
from mhscreen.plan.plan import check_plan
from mhscreen.plan.scales import Raw, ScaleStates, count_states, finish, nothing_like
from mhscreen.problems import ProblemLog, UsageError, expect
from mhscreen.steps.bind import ResponseBatch
from mhscreen.steps.quality import is_doubtful, measure_quality
from mhscreen.vocabulary import MissingReason, Validity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from mhscreen.plan.kinds import IrtPlan, LevelNode
    from mhscreen.plan.plan import Plan
    from mhscreen.plan.scales import ScalePlan
    from mhscreen.plan.scoring import FormPlan
    from mhscreen.problems import Problem
    from mhscreen.steps.bind import Forms

__all__ = [
    "FormScores",
    "ScaleScores",
    "Scores",
    "find_scale",
    "index_truth",
    "item_truth",
    "of_pupils",
    "scale_truth",
    "score",
    "score_forms",
    "score_scale",
]

BLOCK = 1 << 16
"""Forms scored at a time, so that the working arrays stay in the cache."""

_REFUSED = rc.missing_code(MissingReason.REFUSED)
# A question that was never put, or an answer that cannot be read, is no refusal: it stays open.
_NO_ANSWER = (rc.BLANK, _REFUSED, rc.missing_code(MissingReason.DONT_KNOW))


@dataclass(frozen=True, eq=False, repr=False)
class ScaleScores:
    """One scale of one slot.

    Forms with the same answers have the same scores: each form is in one of few states, and
    what a state is worth is kept once. The arrays by form are made when they are first asked
    for; see `mhscreen.plan.scales.ScaleStates` for what they say.

    Attributes
    ----------
    scale : str
        The id of the scale.
    categories : tuple of str
        The names of its categories, from the near to the far side.
    state : ndarray of unsigned integers, shape (forms,)
        The state of each form, as a place in `by_state`.
    by_state : ScaleStates
        What each state is worth. There may be states that no form is in.
    """

    scale: str
    categories: tuple[str, ...]
    state: NDArray[np.unsignedinteger]
    by_state: ScaleStates

    def __repr__(self) -> str:
        return f"<ScaleScores: {self.scale}, {len(self.state)} rows>"

    @classmethod
    def each(cls, scale: str, categories: tuple[str, ...], states: ScaleStates) -> ScaleScores:
        """Return the scores of forms of which each has a state of its own."""
        places = np.arange(len(states), dtype=smallest_type(len(states)))
        return cls(scale, categories, places, states)

    @classmethod
    def of_raw(cls, raw: NDArray[np.float64]) -> ScaleScores:
        """Return raw scores without blanks or categories, such as a norm table takes."""
        none = np.full(len(raw), -1, dtype=np.int8)
        answered = (~np.isnan(raw)).astype(np.int16)
        estimated = np.zeros(len(raw), dtype=bool)
        return cls.each(
            "", (), ScaleStates(raw, answered, raw, raw, none, none, none, estimated, raw, raw)
        )

    def of_pupils(self, shown: NDArray[np.int64]) -> ScaleScores:
        """Return the same by pupil; `shown` is the place of each pupil's form, −1 for none."""
        places = np.append(self.state, len(self.by_state)).astype(
            smallest_type(len(self.by_state) + 1)
        )
        return ScaleScores(self.scale, self.categories, places[shown], self.by_state.and_none())

    @cached_property
    def score(self) -> NDArray[np.float64]:
        """The score; NaN where there is none."""
        return self._by_form(self.by_state.score)

    @cached_property
    def answered(self) -> NDArray[np.int16]:
        """How many items are answered, or settled by a closed gate."""
        return self._by_form(self.by_state.answered)

    @cached_property
    def low(self) -> NDArray[np.float64]:
        """The lowest score that the unanswered items allow."""
        return self._by_form(self.by_state.low)

    @cached_property
    def high(self) -> NDArray[np.float64]:
        """The highest score that the unanswered items allow."""
        return self._by_form(self.by_state.high)

    @cached_property
    def category(self) -> NDArray[np.int8]:
        """The place of the category of the score; −1 for none, and where it is withheld."""
        return self._by_form(self.by_state.category)

    @cached_property
    def category_low(self) -> NDArray[np.int8]:
        """The place of the category of the lowest score."""
        return self._by_form(self.by_state.category_low)

    @cached_property
    def category_high(self) -> NDArray[np.int8]:
        """The place of the category of the highest score."""
        return self._by_form(self.by_state.category_high)

    @cached_property
    def estimated(self) -> NDArray[np.bool_]:
        """Where the score rests on something else than answers."""
        return self._by_form(self.by_state.estimated)

    @cached_property
    def bottom(self) -> NDArray[np.float64]:
        """The lowest score, also where nothing was answered; for rules."""
        return self._by_form(self.by_state.bottom)

    @cached_property
    def top(self) -> NDArray[np.float64]:
        """The highest score, also where nothing was answered; for rules."""
        return self._by_form(self.by_state.top)

    @cached_property
    def standard_error(self) -> NDArray[np.float64] | None:
        """The standard error of the score; None without an item response model."""
        error = self.by_state.standard_error
        return None if error is None else self._by_form(error)

    def _by_form(self, values: NDArray[Any]) -> NDArray[Any]:
        return values.take(self.state, mode="clip")


@dataclass(frozen=True, eq=False, repr=False)
class FormScores:
    """All that scoring finds on the forms of one slot.

    Attributes
    ----------
    codes : ndarray of uint8, shape (items, forms)
        Response codes after gates and blank rules.
    filed : ndarray of bool
        Where at least one item was answered.
    recorded : ndarray of bool
        Where anything was written: an answer, a refusal, "don't know", something illegible.
    complete : ndarray of bool
        Where no item that counts is unanswered.
    critical : ndarray of int8, shape (critical items, forms)
        Three-valued: is the critical item positive?
    critical_open : ndarray of bool
        Where a critical item is unanswered.
    counted : ndarray of bool
        Where a blank was counted by the instrument's own rule.
    validity : ndarray of int8
        Position of the form's `mhscreen.vocabulary.Validity`.
    indices : ndarray of int8, shape (validity indices, forms)
        Three-valued: was the index reached?
    quality : ndarray of float64, shape (response-quality indices, forms)
        NaN where an index has no value.
    behind_gate : ndarray of bool
        Where an item was answered though its gate is closed.
    burden : ndarray of float64
        How much the answered items say, as a share of what they could; it only orders several
        forms of one pupil.
    """

    plan: FormPlan
    codes: NDArray[np.uint8]
    scales: tuple[ScaleScores, ...]
    filed: NDArray[np.bool_]
    recorded: NDArray[np.bool_]
    complete: NDArray[np.bool_]
    critical: NDArray[np.int8]
    critical_open: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    validity: NDArray[np.int8]
    indices: NDArray[np.int8]
    quality: NDArray[np.float64]
    behind_gate: NDArray[np.bool_]
    burden: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<FormScores: {self.plan.slot}, {len(self)} forms>"

    def __len__(self) -> int:
        """Return the number of forms."""
        return int(self.codes.shape[1])


def score_forms(
    plan: FormPlan, codes: NDArray[np.uint8], duration_s: NDArray[np.float64] | None = None
) -> FormScores:
    """Score the forms of one slot.

    Parameters
    ----------
    plan : FormPlan
        The compiled form.
    codes : ndarray of uint8, shape (items, forms)
        Response codes as bound: an option's place or a missing reason.
    duration_s : ndarray of float64, shape (forms,), optional
        How long each form took, in seconds; NaN where not recorded.

    Returns
    -------
    FormScores
        In the order of the forms; a form's scores depend on no other form.
    """
    forms = codes.shape[1]
    settled, behind_gate = _settle(plan, codes)
    filed = np.any(rc.is_answered(codes), axis=0)
    by_place: dict[int, ScaleScores] = {}
    for place, scale in enumerate(plan.scales):
        total = plan.totals.get(place)
        if total is None:
            by_place[place] = score_scale(scale, settled, by_place)
        else:
            parts = [by_place[part].state for part in scale.components]
            state = _add_numbers(total.tables, parts, forms)
            by_place[place] = ScaleScores(scale.id, scale.categories, state, total.states)
    scales = list(by_place.values())
    counting = np.array([item.counts for item in plan.items])
    open_items = rc.is_unanswered(settled)
    critical_rows = [critical.row for critical in plan.critical]
    critical = np.zeros((len(plan.critical), forms), dtype=np.int8)
    for place, item in enumerate(plan.critical):
        critical[place] = item_truth(plan, settled, item.row, item.at_or_above)
    critical_open = (open_items[critical_rows] & (settled[critical_rows] != rc.COUNTED_BLANK)).any(
        axis=0
    )
    validity, indices = _judge_validity(plan, scales, forms)
    quality = np.empty((0, forms))
    if plan.quality is not None:
        quality = measure_quality(plan.quality, settled, duration_s)
        doubtful = is_doubtful(plan.quality, settled, quality)
        doubtful &= validity != Validity.INVALID.position
        validity[doubtful] = Validity.QUESTIONABLE.position
    return FormScores(
        plan=plan,
        codes=settled,
        scales=tuple(scales),
        filed=filed,
        recorded=np.any((codes != rc.BLANK) & (codes != rc.NOT_PRESENTED), axis=0),
        complete=~open_items[counting].any(axis=0),
        critical=critical,
        critical_open=critical_open,
        counted=(settled == rc.COUNTED_BLANK).any(axis=0),
        validity=validity,
        indices=indices,
        quality=quality,
        behind_gate=behind_gate,
        burden=_burden(plan, scales, forms),
    )


def item_truth(
    plan: FormPlan, codes: NDArray[np.uint8], row: int, cut: int, *, upwards: bool = True
) -> NDArray[np.int8]:
    """Return, three-valued, whether an item score is at or past a value."""
    item = plan.items[row]
    worst, mildest = (item.scores.max(), item.scores.min())
    if not upwards:
        worst, mildest = mildest, worst
    sure = np.full(256, mildest, dtype=np.float64)
    furthest = np.full(256, worst, dtype=np.float64)
    sure[: len(item.scores)] = furthest[: len(item.scores)] = item.scores
    if item.blank_score is not None:
        sure[rc.COUNTED_BLANK] = item.blank_score
    furthest[rc.NOT_APPLICABLE] = mildest
    truth: NDArray[np.int8] = at_or_past(sure, furthest, cut, upwards=upwards)[codes[row]]
    return truth


def _settle(
    plan: FormPlan, codes: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Apply the instrument's blank rules, then its gates, to the unanswered items."""
    settled = codes.copy()
    forms = codes.shape[1]
    behind_gate = np.zeros(forms, dtype=bool)
    filed = rc.is_answered(codes).any(axis=0)
    blank_rows = [row for row, item in enumerate(plan.items) if item.blank_score is not None]
    # Who refuses such a question has said something, even where every other item is blank.
    filed |= (codes[blank_rows] == _REFUSED).any(axis=0)
    for row in blank_rows:
        settled[row, filed & np.isin(codes[row], _NO_ANSWER)] = rc.COUNTED_BLANK
    for gate in plan.gates:
        is_open = np.zeros(forms, dtype=bool)
        undecided = np.zeros(forms, dtype=bool)
        for row, cut in gate.openers:
            truth = item_truth(plan, settled, row, cut)
            is_open |= truth == HOLDS
            undecided |= truth == UNDECIDED
        closed = filed & ~is_open & ~undecided
        for row in gate.rows:
            answered = rc.is_answered(codes[row])
            # A refusal or something illegible was written there: that is not "not applicable".
            untouched = (codes[row] == rc.BLANK) | (codes[row] == rc.NOT_PRESENTED)
            settled[row, closed & untouched] = rc.NOT_APPLICABLE
            behind_gate |= closed & answered
    return settled, behind_gate


def score_scale(
    scale: ScalePlan, codes: NDArray[np.uint8], earlier: Mapping[int, ScaleScores]
) -> ScaleScores:
    """Score one scale.

    Parameters
    ----------
    codes : ndarray of uint8, shape (items, forms)
        Response codes after gates and blank rules.
    earlier : mapping of int to ScaleScores
        By place in the form, the scales that this one is made of.
    """
    if scale.encoding is not None:
        answers = [codes[row] for row in scale.rows.tolist()]
        state = _add_numbers(scale.encoding.tables, answers, codes.shape[1])
        return ScaleScores(scale.id, scale.categories, state, scale.encoding.states)
    return ScaleScores.each(scale.id, scale.categories, _score_each(scale, codes, earlier))


def _add_numbers(
    tables: Sequence[NDArray[np.unsignedinteger]],
    parts: Sequence[NDArray[np.unsignedinteger]],
    forms: int,
) -> NDArray[np.unsignedinteger]:
    """Add up what each table says of each part; shape (forms,)."""
    state = np.zeros(forms, dtype=tables[0].dtype)
    for start in range(0, forms, BLOCK):
        block = slice(start, start + BLOCK)
        for table, part in zip(tables, parts, strict=True):
            state[block] += table.take(part[block], mode="clip")
    return state


def _score_each(
    scale: ScalePlan, codes: NDArray[np.uint8], earlier: Mapping[int, ScaleScores]
) -> ScaleStates:
    """Score every form by itself; the parameters are those of `score_scale`."""
    if scale.combine == "sum_of_scales":
        raw = _sum_scales([earlier[place] for place in scale.components])
        if len(scale.rows):
            raw = raw._replace(answered=_count(scale, codes).answered)
        return finish(scale, raw)
    counters = _count(scale, codes)
    if scale.levels is not None:
        return finish(scale, _judge_levels(scale, codes, counters, earlier))
    if scale.combine == "eap" and scale.irt is not None:
        return finish(scale, _estimate_trait(scale, scale.irt, codes, counters))
    return count_states(scale, counters)


def _count(scale: ScalePlan, codes: NDArray[np.uint8]) -> Counters:
    """Add up the counters of a scale, or take their maximum."""
    rows = scale.rows.tolist()
    blocks = []
    for start in range(0, max(codes.shape[1], 1), BLOCK):
        part = codes[:, start : start + BLOCK]
        if scale.combine == "maximum":
            blocks.append(max_packed(part, rows, scale.tables))
        else:
            blocks.append(unpack(sum_packed(part, rows, scale.tables)))
    return Counters(
        *(
            np.concatenate([getattr(block, name) for block in blocks])
            for name in ("value", "low", "high", "answered", "known")
        )
    )


def _sum_scales(parts: list[ScaleScores]) -> Raw:
    score = np.sum([part.score for part in parts], axis=0)
    answered = np.asarray(np.sum([part.answered for part in parts], axis=0, dtype=np.int64))
    bottom = np.sum([part.bottom for part in parts], axis=0)
    top = np.sum([part.top for part in parts], axis=0)
    estimated = np.logical_or.reduce([part.estimated for part in parts]) & ~np.isnan(score)
    return Raw(score, answered, bottom, top, estimated)


def _judge_levels(
    scale: ScalePlan,
    codes: NDArray[np.uint8],
    counters: Counters,
    earlier: Mapping[int, ScaleScores],
) -> Raw:
    """Find the lowest and the highest level that the answers allow.

    There is a score only where the two agree; a blank that counts by a published rule then
    stands for what it counts as, while it leaves the bounds open. A level that rests on a score
    never rests on an estimated one.
    """
    bottom, top = _levels(scale, codes, earlier, counted=False)
    sure, possible = _levels(scale, codes, earlier, counted=True)
    decided = (sure == possible) & (counters.answered > 0)
    score = np.where(decided, sure, np.nan)
    return Raw(score, counters.answered, bottom, top, decided & (bottom != top))


def _levels(
    scale: ScalePlan,
    codes: NDArray[np.uint8],
    earlier: Mapping[int, ScaleScores],
    *,
    counted: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the highest level that surely holds, and the highest that may hold."""
    sure, possible = np.zeros((2, codes.shape[1]))
    if scale.levels is not None:
        for level, node in zip(scale.levels.levels, scale.levels.nodes, strict=True):
            truth = _level_truth(node, codes, earlier, counted=counted)
            sure[truth == HOLDS] = level
            possible[truth >= UNDECIDED] = level
    return sure, possible


def _level_truth(
    node: LevelNode,
    codes: NDArray[np.uint8],
    earlier: Mapping[int, ScaleScores],
    *,
    counted: bool,
) -> NDArray[np.int8]:
    if node.table is not None:
        truth: NDArray[np.int8] = node.table[int(counted)][codes[node.row]]
        return truth
    if node.op == "scale":
        other = earlier[node.row]
        return at_or_past(other.bottom, other.top, node.cut, upwards=True)
    children = [_level_truth(child, codes, earlier, counted=counted) for child in node.children]
    if node.op == "all":
        return all_of(children)
    return any_of(children) if node.op == "any" else at_least(node.count, children)


def _estimate_trait(
    scale: ScalePlan, model: IrtPlan, codes: NDArray[np.uint8], counters: Counters
) -> Raw:
    """Score by an item response model; what is open stands at its least and its most."""
    enough = (counters.known >= scale.min_answered) & (counters.answered > 0)
    forms = len(enough)
    is_open = counters.answered < scale.n_items
    mean, sd = model.metric
    answers = _eap(scale, model, model.answers, codes, enough | ~is_open)
    value, error = mean + sd * answers.mean, sd * answers.se
    bottom, top = np.empty(forms), np.empty(forms)
    for bound, columns in ((bottom, model.least), (top, model.most)):
        # Where nothing is open, the bounds are the score itself.
        bound[:] = np.where(
            is_open, mean + sd * _eap(scale, model, columns, codes, is_open).mean, value
        )
    return Raw(
        np.where(enough, value, np.nan),
        counters.answered,
        bottom,
        top,
        enough & is_open,
        np.where(enough, error, np.nan),
    )


def _eap(
    scale: ScalePlan,
    model: IrtPlan,
    columns: NDArray[np.uint8],
    codes: NDArray[np.uint8],
    where: NDArray[np.bool_],
) -> Eap:
    """Return the EAP of some forms; NaN for the others."""
    rows = [
        table[codes[row, where]] for row, table in zip(scale.rows.tolist(), columns, strict=True)
    ]
    found = eap(np.stack(rows), model.chances, model.grid)
    mean, se = np.full((2, len(where)), np.nan)
    mean[where], se[where] = found
    return Eap(mean, se)


def scale_truth(scale: ScalePlan, scores: ScaleScores, cut: float) -> NDArray[np.int8]:
    """Return, three-valued, whether a raw score is at or past a cut on its worse side.

    It holds if the estimate or the answered items alone reach the cut, and fails only if even
    the worst answers to the blanks could not.
    """
    if scale.upwards:
        surest, furthest = np.fmax(scores.score, scores.bottom), scores.top
    else:
        surest, furthest = np.fmin(scores.score, scores.top), scores.bottom
    return at_or_past(surest, furthest, cut, upwards=scale.upwards)


def index_truth(scores: ScaleScores, cut: float) -> NDArray[np.int8]:
    """Return, three-valued, whether a validity index was reached."""
    return at_or_past(np.fmax(scores.score, scores.bottom), scores.top, cut, upwards=True)


def _judge_validity(
    plan: FormPlan, scales: list[ScaleScores], forms: int
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return each form's validity, and three-valued whether each index was reached."""
    validity = np.full(forms, Validity.VALID.position, dtype=np.int8)
    indices = np.zeros((len(plan.validity), forms), dtype=np.int8)
    for place, index in enumerate(plan.validity):
        indices[place] = index_truth(scales[index.scale], index.at_or_above)
    for truth, index in sorted(
        zip(indices, plan.validity, strict=True), key=lambda pair: pair[1].status.position
    ):
        undecided = (truth == UNDECIDED) & (validity == Validity.VALID.position)
        validity[undecided] = Validity.INCOMPLETE.position
        validity[truth == HOLDS] = index.status.position
    return validity, indices


def _burden(plan: FormPlan, scales: list[ScaleScores], forms: int) -> NDArray[np.float64]:
    burden = np.zeros(forms)
    for scale, scores in zip(plan.scales, scales, strict=True):
        if scale.content and scale.combine != "sum_of_scales":
            lowest, highest = scale.range
            sure = scores.bottom if scale.upwards else lowest + highest - scores.top
            burden += (sure - lowest) / (highest - lowest)
    return burden


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """The scores of a batch.

    Attributes
    ----------
    forms : tuple of FormScores
        By slot of the plan; rows are forms, not pupils.
    shown : ndarray of int64, shape (slots, pupils)
        Which form of a slot is shown for each pupil: the worse of several, −1 for none.
    ranked : tuple of ndarray of int64
        By slot, the forms of the pupils who have several: by pupil, the worst first.
    problems : tuple of Problem
        What only the scoring could find, such as answers behind a closed gate.
    """

    batch: ResponseBatch
    forms: tuple[FormScores, ...]
    shown: NDArray[np.int64]
    ranked: tuple[NDArray[np.int64], ...]
    problems: tuple[Problem, ...] = ()

    def __repr__(self) -> str:
        return f"<Scores: {len(self.batch.roster)} pupils, {self.batch.plan.programme.ref}>"

    def __getitem__(self, name: str) -> ScaleScores:
        """Return one scale by pupil: ``scores["gad7.total"]``, ``scores["sdq@teacher.total"]``.

        Every array has shape (pupils,), in roster order; of several forms the worse one counts.
        Where a pupil has no form, nothing is answered and every score is NaN.

        Raises
        ------
        UsageError
            If the programme has no such slot, or the slot no such scale.
        """
        slot, place = find_scale(self.batch.plan, name)
        return self.forms[slot].scales[place].of_pupils(self.shown[slot])

    def worst_first(self, slot: int, pupil: int) -> NDArray[np.int64]:
        """Return a pupil's forms in a slot, the worst first, whatever order they came in."""
        ranked = self.ranked[slot]
        owner = self.batch.forms[slot].pupil[ranked]
        first, end = np.searchsorted(owner, [pupil, pupil + 1])
        if first < end:
            return ranked[first:end]
        shown = self.shown[slot, pupil]
        return np.array([shown] if shown >= 0 else [], dtype=np.int64)


def find_scale(plan: Plan, name: str) -> tuple[int, int]:
    """Return the places of a slot and of its scale, from ``slot.scale``.

    Raises
    ------
    UsageError
        If there is none of that name.
    """
    slot_name, _, key = name.rpartition(".")
    slot = plan.slot(slot_name)
    if slot < 0:
        msg = f"no slot '{slot_name}'; there are: {', '.join(plan.slots)}"
        raise UsageError(msg)
    place = plan.forms[slot].scale(key)
    if place < 0:
        there = ", ".join(scale.id for scale in plan.forms[slot].scales)
        msg = f"{slot_name} has no scale '{key}'; it has: {there}"
        raise UsageError(msg)
    return slot, place


def of_pupils(values: NDArray[Any], shown: NDArray[np.int64]) -> NDArray[Any]:
    """Return values by pupil, from values by form; `nothing_like` says what stands for no form."""
    return np.append(values, nothing_like(values))[shown]


def score(plan: Plan, batch: ResponseBatch) -> Scores:
    """Score every form of a batch.

    Parameters
    ----------
    plan : Plan
        The compiled programme.
    batch : ResponseBatch
        Bound responses.

    Returns
    -------
    Scores
        A form's scores depend on no other form.

    Raises
    ------
    UsageError
        If the batch was not bound with this plan.

    Examples
    --------
    >>> import mhscreen as mh
    >>> plan = mh.compile_plan(mh.shipped_library(), programme="qingdao-2023@1")
    >>> roster, answers = mh.simulate(plan, 40)
    >>> scores = mh.score(plan, mh.bind(plan, roster=roster, responses=answers))
    >>> scores["mht.total"].score.shape
    (40,)
    """
    expect("batch", batch, ResponseBatch)
    check_plan(plan, batch.plan)
    scored = tuple(
        score_forms(form, bound.codes, bound.duration_s)
        for form, bound in zip(plan.forms, batch.forms, strict=True)
    )
    log = ProblemLog()
    for form, bound, result in zip(plan.forms, batch.forms, scored, strict=True):
        for place in np.flatnonzero(result.behind_gate).tolist():
            log.add(
                "MH410",
                "answered though not to be asked",
                hint="the answer is read; was the form filled in as printed?",
                path=form.slot,
                file=bound.source[bound.source_table[place]],
                row=int(bound.source_row[place]),
                subject=str(batch.roster.subject[bound.pupil[place]]),
            )
    pupils = len(batch.roster)
    shown = np.full((len(plan.forms), pupils), -1, dtype=np.int64)
    ranked = []
    for slot, (bound, result) in enumerate(zip(batch.forms, scored, strict=True)):
        shown[slot, bound.pupil] = np.arange(len(bound))
        several = np.flatnonzero(np.bincount(bound.pupil, minlength=pupils)[bound.pupil] > 1)
        worst_first = several[_from_mild_to_worse(bound, result, several)][::-1]
        ranked.append(worst_first[np.argsort(bound.pupil[worst_first], kind="stable")])
        shown[slot, bound.pupil[worst_first[::-1]]] = worst_first[::-1]
    return Scores(batch, scored, shown, tuple(ranked), tuple(log))


def _from_mild_to_worse(
    bound: Forms, scores: FormScores, forms: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Order forms so that the worse of two comes later.

    Ties go by the answers and then by the time, the earlier submission counting as worse, never
    by the place in the input.
    """
    most = scores.critical[:, forms].max(axis=0, initial=0)
    times = bound.administered_on[forms]
    newest_first = np.where(np.isnat(times), np.iinfo(np.int64).min, -times.astype(np.int64))
    return np.lexsort([newest_first, *bound.codes[::-1, forms], scores.burden[forms], most])
